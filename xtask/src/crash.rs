//! `cargo xtask crash`: the real program, frozen and killed again and again in the middle of its work, and then asked whether anything is amiss.
//!
//! Each voyage is a `replay` of the example portfolios with a store and a bank. There are two kinds:
//!
//! * **Freezes.** A worker is frozen with SIGSTOP right after a random write of its store or its bank, for longer than its lease lasts. Another
//!   takes over, and is perhaps frozen as well; the last one finishes the work. Then those that were frozen go on with SIGCONT, one after the
//!   other: each must be told that its lease is lost, or that it was overtaken.
//! * **Kills.** A worker is killed with SIGKILL, after a random while or right after such a write, and started again, until it comes to its end.
//!
//! After a voyage every record must be as it was written and the fence kept (`audit --verify`), every batch that any worker told of must be
//! closed in the journal, and the books of every portfolio must be the bank's, to the cent and the last unit (`reconcile`), but for those
//! that an outage of the storm has left to a person. With the broker `ideal` the portfolios must also end exactly as they do when nobody
//! disturbs anything. The first thing amiss ends the task with 1; when all is done, the summary comes last.
//!
//! With `--canary` the program has no fence, and the task must end with 1: else it would notice nothing. What is done to processes is in
//! [`worker`], where it happens and what is looked at afterwards in [`desk`].

mod desk;
mod worker;

use crate::Outcome;
use crate::cargo::{cargo, run};
use crate::options::{Dice, Options};
use crate::workspace::Workspace;
use desk::{Desk, Weather};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use worker::{End, Moment};

pub(crate) const USAGE: &str = "crash [--kills N] [--freezes N] [--seed N] [--canary]";

/// What the broker is like, from voyage to voyage.
const WEATHERS: [Weather; 3] = [None, Some("calm"), Some("storm")];
/// The most starts that one voyage may need: a program that does not come further between two of them would never end.
const MOST_STARTS: u64 = 400;
/// The most workers that are asleep at once.
const MOST_ASLEEP: usize = 3;
/// Of so many freezes one at least must cost a worker the lease of a batch: else they hit nothing.
const ENOUGH: u64 = 10;
/// How long a lease lasts without a heartbeat where workers are frozen, and how long that is waited for.
const HEARTBEAT: &str = "heartbeat = \"300ms\"\n";
const OVER: Duration = Duration::from_millis(330);

/// What a worker says that finds the work of others: in the time it is at, or in the portfolio that it was about to add.
const OVERTAKEN: [&str; 2] = ["another worker has gone on", "there is a portfolio"];

pub(crate) fn crash(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let options = Options::read(USAGE, arguments)?;
    let (kills, freezes) = (options.number("--kills", 1_000), options.number("--freezes", 100));
    let seed = options.number("--seed", 1);
    let is_canary = options.has("--canary");
    let program = if is_canary { canary(workspace)? } else { program(workspace)? };
    let again = |why| format!("{why}\nagain: cargo xtask crash {}", arguments.join(" "));
    // What a canary leaves behind is no evidence of anything.
    let amiss = |desk: &Desk, why| if is_canary { desk.clear_away().err().unwrap_or(why) } else { desk.located(why) };
    let mut task = Task { dice: Dice(seed), tally: Tally::default() };

    let desk = Desk::new(workspace, &program, 500, seed, HEARTBEAT)?;
    for weather in WEATHERS.into_iter().cycle() {
        if task.tally.freezes >= freezes {
            break;
        }
        task.freezes(&desk, weather, freezes).map_err(|why| again(amiss(&desk, why)))?;
    }
    task.tally.freezes_mattered().map_err(again)?;
    desk.clear_away()?;

    let desk = Desk::new(workspace, &program, 2_500, seed, "")?;
    for weather in WEATHERS.into_iter().cycle() {
        if task.tally.kills >= kills {
            break;
        }
        task.kills(&desk, weather).map_err(|why| again(amiss(&desk, why)))?;
    }
    desk.clear_away()?;
    println!("{}", task.tally);
    Ok(())
}

fn program(workspace: &Workspace) -> Result<PathBuf, String> {
    run(&mut cargo(&workspace.root, "build --release --locked --quiet --package evenkeel-app"))?;
    Ok(workspace.target.join("release/evenkeel"))
}

/// The program without the fence, built apart from everything else.
fn canary(workspace: &Workspace) -> Result<PathBuf, String> {
    let target = workspace.target.join("canary");
    let mut build = cargo(&workspace.root, "build --locked --quiet --package evenkeel-app");
    build.arg("--target-dir").arg(&target).env("RUSTFLAGS", "--cfg evenkeel_without_fence");
    run(&mut build)?;
    Ok(target.join("debug/evenkeel"))
}

struct Task {
    dice: Dice,
    tally: Tally,
}

impl Task {
    /// One replay, whose workers are frozen and overtaken until so many freezes have been, or enough are asleep.
    fn freezes(&mut self, desk: &Desk, weather: Weather, wanted: u64) -> Outcome {
        desk.clear()?;
        let mut asleep = Vec::new();
        for number in 0..MOST_STARTS {
            let mut worker = desk.start(weather, number)?;
            if asleep.len() < MOST_ASLEEP && self.tally.freezes < wanted {
                let moment = self.a_write(100);
                if worker.runs_until(moment)? && worker.freeze()? {
                    self.tally.freezes = self.tally.freezes.saturating_add(1);
                    asleep.push((number, moment, worker));
                    std::thread::sleep(OVER);
                    continue;
                }
            }
            let End { status, said } = worker.end()?;
            if !desk::ended(status, weather) {
                return Err(format!("worker {number}, whom nobody disturbed, ended with {status}: {said}"));
            }
            for (number, moment, worker) in asleep {
                worker.thaw()?;
                let woken = self.woken(worker.end()?, weather);
                woken.map_err(|amiss| format!("worker {number}, frozen {moment}, {amiss}"))?;
            }
            return desk.look(weather, &mut self.tally);
        }
        Err(format!("it did not come to its end in {MOST_STARTS} starts"))
    }

    /// How a worker ended that had been frozen, while others did its work.
    fn woken(&mut self, End { status, said }: End, weather: Weather) -> Outcome {
        let count = match status.code() {
            Some(3) if said.contains("was lost on the way") => &mut self.tally.lost,
            Some(3) if OVERTAKEN.iter().any(|words| said.contains(words)) => &mut self.tally.overtaken,
            _ if desk::ended(status, weather) => &mut self.tally.done,
            _ => return Err(format!("woke up and ended with {status}: {said}")),
        };
        *count = count.saturating_add(1);
        Ok(())
    }

    /// One replay, killed until it comes to its end.
    fn kills(&mut self, desk: &Desk, weather: Weather) -> Outcome {
        desk.clear()?;
        for number in 0..MOST_STARTS {
            let mut worker = desk.start(weather, number)?;
            let after = Moment::After(Duration::from_millis(self.dice.below(120).saturating_add(3)));
            let moment = if self.dice.below(2) == 0 { after } else { self.a_write(300) };
            if worker.runs_until(moment)? {
                worker.kill()?;
                self.tally.kills = self.tally.kills.saturating_add(1);
                continue;
            }
            let End { status, said } = worker.end()?;
            if !desk::ended(status, weather) {
                return Err(format!("worker {number} ended with {status}: {said}"));
            }
            return desk.look(weather, &mut self.tally);
        }
        Err(format!("it did not come to its end in {MOST_STARTS} starts"))
    }

    /// One of the first writes, and every other time a moment more.
    fn a_write(&mut self, first: u64) -> Moment {
        let file = if self.dice.below(2) == 0 { "store.db" } else { "bank.db" };
        let times = self.dice.below(first).saturating_add(1);
        let micros = if self.dice.below(2) == 0 { 0 } else { self.dice.below(2_000) };
        Moment::Written { file, times, then: Duration::from_micros(micros) }
    }
}

/// What there was, and what it came to.
#[derive(Debug, Default)]
struct Tally {
    freezes: u64,
    /// Of those that were frozen, some were told that their lease was lost,
    lost: u64,
    /// some that others had gone on,
    overtaken: u64,
    /// and some found that there was nothing left to do.
    done: u64,
    kills: u64,
    voyages: u64,
    portfolios: usize,
    stale: usize,
    records: u64,
    told: usize,
}

impl Tally {
    fn freezes_mattered(&self) -> Outcome {
        if self.freezes >= ENOUGH && self.lost == 0 {
            return Err(format!("of {} workers that were frozen, none had a lease to lose", self.freezes));
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { freezes, lost, overtaken, done, kills, voyages, portfolios, stale, records, told } = self;
        writeln!(
            f,
            "{freezes} freezes: {lost} workers woke up and had lost their lease, {overtaken} had been overtaken, {done} had nothing left to do"
        )?;
        write!(
            f,
            "{kills} kills; in {voyages} voyages {portfolios} portfolios, {stale} of them left to a person, the others with the books of their bank; {records} records, each as it was written; {told} batches told of, each in the journal"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freezes_that_hit_nothing_are_a_failure() {
        let tally = |freezes, lost| Tally { freezes, lost, ..Tally::default() };
        assert_eq!(tally(9, 0).freezes_mattered(), Ok(()));
        assert_eq!(tally(10, 1).freezes_mattered(), Ok(()));
        assert!(tally(10, 0).freezes_mattered().is_err());
    }
}
