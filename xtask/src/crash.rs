//! `cargo xtask crash`: the real program, killed again and again in the middle of its work, and then asked whether anything is amiss.
//!
//! Each voyage is a `replay` of the example portfolios with a store and a bank. It is killed with SIGKILL after a random while and started
//! again, until it comes to its end; then every record must be as it was written (`audit --verify`), and the books of every portfolio must
//! be the bank's, to the cent and the last unit (`reconcile`), but for those that an outage of the storm has
//! left to a person. With the broker `ideal` the portfolios must also end exactly as they do when nobody kills anything. When the kills are used up, the summary comes last; the first thing amiss ends the task with 1.

use crate::Outcome;
use crate::cargo::{cargo, output, run};
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

const USAGE: &str = "cargo xtask crash [--kills N] [--seed N]";

/// The most starts that one voyage may need: a program that does not come further between two kills would never end.
const MOST_STARTS: u64 = 400;

pub(crate) fn crash(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let Wanted { kills, seed } = wanted(arguments)?;
    run(&mut cargo(&workspace.root, "build --release --locked --quiet --package evenkeel-app"))?;
    let desk = Desk::new(workspace, seed)?;
    let mut tally = Tally::default();
    let mut dice = Dice(seed);
    for weather in [None, Some("calm"), Some("storm")].into_iter().cycle() {
        if tally.kills >= kills {
            break;
        }
        let name = format!("voyage {} ({})", tally.voyages, weather.unwrap_or("ideal"));
        desk.voyage(weather, &mut dice, &mut tally).map_err(|amiss| {
            format!(
                "{name}, with the files in {}: {amiss}; again: cargo xtask crash --kills {kills} --seed {seed}",
                desk.folder.display()
            )
        })?;
    }
    let folder = &desk.folder;
    std::fs::remove_dir_all(folder).map_err(|error| format!("removing {}: {error}", folder.display()))?;
    let Tally { kills, voyages, portfolios, stale, records } = tally;
    println!(
        "{kills} kills in {voyages} voyages: {portfolios} portfolios, {stale} of them left to a person, the others with the books of their bank, and {records} records, each as it was written"
    );
    Ok(())
}

/// Where the voyages take place.
struct Desk {
    program: PathBuf,
    portfolios: PathBuf,
    folder: PathBuf,
    /// How the portfolios end under `ideal` when nobody kills anything.
    undisturbed: String,
}

#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    voyages: u64,
    portfolios: usize,
    stale: usize,
    records: u64,
}

impl Desk {
    fn new(workspace: &Workspace, seed: u64) -> Result<Self, String> {
        let folder = workspace.target.join(format!("crash-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
        let mut desk = Self {
            program: workspace.target.join("release/evenkeel"),
            portfolios: workspace.root.join("examples/portfolios.toml"),
            folder,
            undisturbed: String::new(),
        };
        let prices = desk.told(&["prices", "--days", "2500", "--seed", &seed.to_string()])?;
        std::fs::write(desk.folder.join("prices.csv"), prices).map_err(|error| format!("writing prices: {error}"))?;
        let whole = output(&mut desk.replay(None, false))?;
        desk.undisturbed = portfolios(&whole);
        Ok(desk)
    }

    /// One replay, killed until it comes to its end; then its store and its bank are looked at.
    fn voyage(&self, weather: Option<&str>, dice: &mut Dice, tally: &mut Tally) -> Outcome {
        for file in ["store.db", "bank.db"] {
            for ending in ["", "-wal", "-shm", ".lock"] {
                // What is not there needs no removing.
                std::fs::remove_file(self.folder.join(format!("{file}{ending}"))).ok();
            }
        }
        for _ in 0..MOST_STARTS {
            let mut child = self.replay(weather, true).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let child = child.as_mut().map_err(|error| format!("the program could not start: {error}"))?;
            std::thread::sleep(Duration::from_millis(dice.below(120).saturating_add(3)));
            match child.try_wait() {
                Ok(Some(status)) if ended(status, weather) => return self.look(weather, tally),
                Ok(Some(status)) => return Err(format!("replay ended with {status}")),
                Ok(None) => {
                    child.kill().and_then(|()| child.wait()).map_err(|error| format!("killing it: {error}"))?;
                    tally.kills = tally.kills.saturating_add(1);
                }
                Err(error) => return Err(format!("asking whether it runs: {error}")),
            }
        }
        Err(format!("it did not come to its end in {MOST_STARTS} starts"))
    }

    fn look(&self, weather: Option<&str>, tally: &mut Tally) -> Outcome {
        let verified = self.told(&["audit", "--store", "store.db", "--verify", "--format", "json"])?;
        let verified: serde_json::Value =
            serde_json::from_str(&verified).map_err(|error| format!("{verified}: {error}"))?;
        let records = verified.get("records").and_then(serde_json::Value::as_u64);
        tally.records = tally.records.saturating_add(records.ok_or_else(|| format!("{verified} counts no records"))?);
        let mut reconcile = Command::new(&self.program);
        reconcile.current_dir(&self.folder).args(["reconcile", "--store", "store.db", "--bank", "bank.db"]);
        let reconciled = told_by(&mut reconcile, weather)?;
        let agreeing = reconciled.lines().filter(|line| line.ends_with(": books and broker agree")).count();
        let stale = reconciled.lines().filter(|line| line.contains(": stale; ")).count();
        let portfolios_compared = agreeing.saturating_add(stale);
        tally.stale = tally.stale.saturating_add(stale);
        if portfolios_compared == 0 || portfolios_compared != reconciled.lines().count() {
            return Err(format!("books and bank: {reconciled}"));
        }
        // Once more, undisturbed: everything has happened already, so this only says where the portfolios stand.
        let ended = portfolios(&told_by(&mut self.replay(weather, true), weather)?);
        if weather.is_none() && ended != self.undisturbed {
            return Err(format!("the portfolios ended as\n{ended}and should have ended as\n{}", self.undisturbed));
        }
        tally.voyages = tally.voyages.saturating_add(1);
        tally.portfolios = tally.portfolios.saturating_add(portfolios_compared);
        Ok(())
    }

    fn replay(&self, weather: Option<&str>, kept: bool) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args([
            "replay",
            "--prices",
            "prices.csv",
            "--format",
            "json",
            "--portfolios",
        ]);
        command.arg(&self.portfolios);
        if kept {
            command.args(["--store", "store.db", "--bank", "bank.db"]);
        }
        if let Some(weather) = weather {
            command.args(["--broker", "banchile", "--profile", weather]);
        }
        command
    }

    fn told(&self, arguments: &[&str]) -> Result<String, String> {
        output(Command::new(&self.program).current_dir(&self.folder).args(arguments))
    }
}

/// Whether the program came to its end. Outages of the storm may last longer than its patience with an unknown outcome, which leaves
/// a portfolio to a person (exit code 1); nothing else may.
fn ended(status: ExitStatus, weather: Option<&str>) -> bool {
    status.success() || (weather == Some("storm") && status.code() == Some(1))
}

/// What a command that compares or replays told, if it came to its end.
fn told_by(command: &mut Command, weather: Option<&str>) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if ended(output.status, weather) {
        return Ok(told);
    }
    Err(format!("{command:?} ended with {}: {told}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// The lines of the portfolios, which a replay ends with.
fn portfolios(told: &str) -> String {
    told.lines().filter(|line| line.starts_with(r#"{"type":"portfolio""#)).map(|line| format!("{line}\n")).collect()
}

/// Numbers that look random: SplitMix64. When a kill comes is up to the machine all the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    kills: u64,
    seed: u64,
}

fn wanted(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted { kills: 1_000, seed: 1 };
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name} needs a number: {USAGE}"))?;
        let number = value.parse().map_err(|_| format!("{name} {value}: not a whole number: {USAGE}"))?;
        match name.as_str() {
            "--kills" => wanted.kills = number,
            "--seed" => wanted.seed = number,
            other => return Err(format!("{other} is not known: {USAGE}")),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_in_any_order() {
        let read = |text: &str| wanted(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read(""), Ok(Wanted { kills: 1_000, seed: 1 }));
        assert_eq!(read("--seed 7 --kills 5"), Ok(Wanted { kills: 5, seed: 7 }));
        for wrong in ["--kills", "--kills x", "--kill 1", "5"] {
            assert!(read(wrong).unwrap_err().contains(USAGE), "{wrong}");
        }
    }

    #[test]
    fn only_the_portfolios_are_compared() {
        let told =
            "{\"type\":\"rebalance\",\"at\":1}\n{\"type\":\"portfolio\",\"portfolio\":\"a\"}\n{\"type\":\"summary\"}\n";
        assert_eq!(portfolios(told), "{\"type\":\"portfolio\",\"portfolio\":\"a\"}\n");
    }

    #[test]
    fn dice_stay_below_their_bound_and_differ() {
        let mut dice = Dice(1);
        let thrown: Vec<u64> = (0..100).map(|_| dice.below(6)).collect();
        assert!(thrown.iter().all(|number| *number < 6) && (0..6).all(|number| thrown.contains(&number)));
    }
}
