//! `cargo xtask crash`: the real program, frozen and killed again and again in the middle of its work, and then asked whether anything is amiss.
//!
//! Each voyage is a `replay` of the example portfolios with a store and a bank. There are two kinds:
//!
//! * **Freezes.** A worker is frozen with SIGSTOP right after a random write of its store or its bank, for longer than its lease lasts. Another
//!   takes over, and is frozen as well; the last one goes on. Those that were frozen wake up with SIGCONT, one after the other when the work is
//!   done, or, every other time, all together while it is under way. Each worker that was not alone must come to the end of the work, or be told that its lease is
//!   lost, or that it was overtaken.
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
/// How long a lease lasts without a heartbeat where workers are frozen, and how long that is waited for. A machine that stalls for as long takes
/// the lease from a worker that nobody has disturbed.
const HEARTBEAT: &str = "heartbeat = \"1s\"\n";
const OVER: Duration = Duration::from_millis(1_050);
/// Within how many writes of its own the first worker of a voyage is struck that is frozen, and within how many those that follow it. Who follows waits for what the one
/// before may still send, and writes a sign of life three times in each heartbeat of simulated time: after 30 s of that nobody resumes a batch any more, it is unwound, and an
/// order of a sleeper that wakes up then takes the cash of whatever is under way, which only a person can put right.
const FIRST_WRITES: u64 = 100;
const LATER_WRITES: u64 = 30;

/// What a worker says that meets others: at a later time than its own, at work where it was about to begin, or with the portfolio that it
/// was about to add.
const OVERTAKEN: [&str; 3] = ["another worker has gone on", " is busy: ", "there is a portfolio"];

pub(crate) fn crash(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let options = Options::read(USAGE, arguments)?;
    let (kills, freezes) = (options.number("--kills", 1_000), options.number("--freezes", 100));
    let seed = options.number("--seed", 1);
    let is_canary = options.has("--canary");
    let program = if is_canary { canary(workspace)? } else { program(workspace)? };
    let again = |why: String| format!("{why}\nagain: cargo xtask crash {}", arguments.join(" "));
    let amiss = |desk: &Desk, why| {
        let why = desk.with_the_store(why);
        if !is_canary {
            return again(format!("{why}\nthe files are in {}", desk.folder()));
        }
        // What a canary leaves behind is no evidence of anything.
        again(desk.clear_away().err().unwrap_or(why))
    };
    let mut task = Task { dice: Dice(seed), tally: Tally::default() };

    let desk = Desk::new(workspace, &program, 500, seed, HEARTBEAT)?;
    for weather in WEATHERS.into_iter().cycle() {
        if task.tally.freezes >= freezes {
            break;
        }
        task.freezes(&desk, weather, freezes).map_err(|why| amiss(&desk, why))?;
    }
    task.tally.freezes_mattered().map_err(again)?;
    desk.clear_away()?;

    let desk = Desk::new(workspace, &program, 2_500, seed, "")?;
    for weather in WEATHERS.into_iter().cycle() {
        if task.tally.kills >= kills {
            break;
        }
        task.kills(&desk, weather).map_err(|why| amiss(&desk, why))?;
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
        while asleep.len() < MOST_ASLEEP && self.tally.freezes < wanted {
            let mut worker = desk.start(weather)?;
            let moment = self.a_write(if asleep.is_empty() { FIRST_WRITES } else { LATER_WRITES });
            if !worker.runs_until(moment)? || !worker.freeze()? {
                undisturbed(worker.end()?, weather)?;
                break;
            }
            self.tally.freezes = self.tally.freezes.saturating_add(1);
            asleep.push((moment, worker));
            std::thread::sleep(OVER);
        }
        let mut last = desk.start(weather)?;
        if self.tally.voyages.is_multiple_of(2) {
            undisturbed(last.end()?, weather)?;
        } else if last.runs_until(self.a_write(LATER_WRITES))? {
            asleep.iter().try_for_each(|(_, worker)| worker.thaw())?;
            self.tally.beside = self.tally.beside.saturating_add(asleep.len());
            self.woken(last.end()?, weather).map_err(|amiss| format!("a worker that others woke up beside {amiss}"))?;
        }
        for (moment, worker) in asleep {
            worker.thaw()?;
            let woken = self.woken(worker.end()?, weather);
            woken.map_err(|amiss| format!("a worker that was frozen {moment} {amiss}"))?;
        }
        undisturbed(desk.start(weather)?.end()?, weather)?;
        desk.look(weather, &mut self.tally)
    }

    /// How a worker ended that was not alone.
    fn woken(&mut self, End { status, said }: End, weather: Weather) -> Outcome {
        let count = match status.code() {
            Some(3) if said.contains("was lost on the way") => &mut self.tally.lost,
            Some(3) if OVERTAKEN.iter().any(|words| said.contains(words)) => &mut self.tally.overtaken,
            _ if desk::ended(status, weather) => &mut self.tally.done,
            _ => return Err(format!("ended with {status}: {said}")),
        };
        *count = count.saturating_add(1);
        Ok(())
    }

    /// One replay, killed until it comes to its end.
    fn kills(&mut self, desk: &Desk, weather: Weather) -> Outcome {
        desk.clear()?;
        for _ in 0..MOST_STARTS {
            let mut worker = desk.start(weather)?;
            let after = Moment::After(Duration::from_millis(self.dice.below(120).saturating_add(3)));
            let moment = if self.dice.below(2) == 0 { after } else { self.a_write(300) };
            if worker.runs_until(moment)? {
                worker.kill()?;
                self.tally.kills = self.tally.kills.saturating_add(1);
                continue;
            }
            undisturbed(worker.end()?, weather)?;
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

/// A worker that was alone must have come to its end.
fn undisturbed(End { status, said }: End, weather: Weather) -> Outcome {
    let came_to_its_end = desk::ended(status, weather);
    came_to_its_end.then_some(()).ok_or_else(|| format!("a worker that nobody disturbed ended with {status}: {said}"))
}

/// What there was, and what it came to.
#[derive(Debug, Default)]
struct Tally {
    freezes: u64,
    /// How many of them woke up while another was at work.
    beside: usize,
    /// Of all that were not alone, some were told that their lease was lost,
    lost: u64,
    /// some that others had gone on,
    overtaken: u64,
    /// and some came to the end of the work.
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
        let Self { freezes, beside, lost, overtaken, done, kills, voyages, portfolios, stale, records, told } = self;
        writeln!(
            f,
            "{freezes} freezes, {beside} of which ended beside others at work: {lost} workers were told that their lease was lost, {overtaken} that they were overtaken, {done} came to the end of the work"
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
