//! Where a voyage takes place: a folder with the prices, the store and the bank; and the questions that are asked afterwards.

use super::Tally;
use super::worker::Worker;
use crate::Outcome;
use crate::cargo::output;
use crate::workspace::Workspace;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The profile of the broker; `None` is `ideal`.
pub(crate) type Weather = Option<&'static str>;

pub(crate) struct Desk {
    program: PathBuf,
    portfolios: PathBuf,
    folder: PathBuf,
    /// How the portfolios end under `ideal` when nobody disturbs anything.
    undisturbed: String,
}

impl Desk {
    /// A desk with so many days of prices, at which the program is configured like this.
    pub(crate) fn new(
        workspace: &Workspace,
        program: &Path,
        days: u64,
        seed: u64,
        config: &str,
    ) -> Result<Self, String> {
        let folder = workspace.target.join(format!("crash-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
        let portfolios = workspace.root.join("examples/portfolios.toml");
        let mut desk = Self { program: program.to_owned(), portfolios, folder, undisturbed: String::new() };
        let prices = desk.command(&["prices", "--days", &days.to_string(), "--seed", &seed.to_string()]);
        desk.write("prices.csv", &output(&mut { prices })?)?;
        desk.write("evenkeel.toml", config)?;
        desk.undisturbed = portfolios_of(&output(&mut desk.replay(None, false))?);
        Ok(desk)
    }

    fn write(&self, name: &str, text: &str) -> Outcome {
        std::fs::write(self.folder.join(name), text).map_err(|error| format!("writing {name}: {error}"))
    }

    /// Takes away what the last voyage left.
    pub(crate) fn clear(&self) -> Outcome {
        let files = std::fs::read_dir(&self.folder).map_err(|error| format!("{}: {error}", self.folder.display()))?;
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if ["store.db", "bank.db", "worker-"].iter().any(|mark| name.starts_with(mark)) {
                std::fs::remove_file(file.path()).map_err(|error| format!("removing {name}: {error}"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn clear_away(&self) -> Outcome {
        std::fs::remove_dir_all(&self.folder).map_err(|error| format!("removing {}: {error}", self.folder.display()))
    }

    /// What is amiss, and what the store says of itself, if it has something to say.
    pub(crate) fn with_the_store(&self, amiss: String) -> String {
        match self.verified() {
            Err(broken) if broken != amiss => format!("{amiss}\nand {broken}"),
            _ => amiss,
        }
    }

    pub(crate) fn folder(&self) -> std::path::Display<'_> {
        self.folder.display()
    }

    /// Starts a worker on store and bank.
    pub(crate) fn start(&self, weather: Weather) -> Result<Worker, String> {
        Worker::start(self.replay(weather, true), &self.folder)
    }

    /// Looks at store and bank, when nobody works on them any more.
    pub(crate) fn look(&self, weather: Weather, tally: &mut Tally) -> Outcome {
        let verified = self.verified()?;
        let verified: Value = serde_json::from_str(&verified).map_err(|error| format!("{verified}: {error}"))?;
        let records = verified.get("records").and_then(Value::as_u64);
        tally.records = tally.records.saturating_add(records.ok_or_else(|| format!("{verified} counts no records"))?);
        tally.told = tally.told.saturating_add(self.what_was_told_is_kept()?);

        let reconciled = self.command(&["reconcile", "--store", "store.db", "--bank", "bank.db"]);
        let reconciled = asked(reconciled, weather)?;
        let agreeing = reconciled.lines().filter(|line| line.ends_with(": books and broker agree")).count();
        let stale = reconciled.lines().filter(|line| line.contains(": stale; ")).count();
        let compared = agreeing.saturating_add(stale);
        if compared == 0 || compared != reconciled.lines().count() {
            return Err(format!("books and bank: {reconciled}"));
        }
        // Once more, undisturbed: everything has happened already, so this only says where the portfolios stand.
        let ended = portfolios_of(&asked(self.replay(weather, true), weather)?);
        if weather.is_none() && ended != self.undisturbed {
            return Err(format!("the portfolios ended as\n{ended}and should have ended as\n{}", self.undisturbed));
        }
        tally.voyages = tally.voyages.saturating_add(1);
        tally.portfolios = tally.portfolios.saturating_add(compared);
        tally.stale = tally.stale.saturating_add(stale);
        Ok(())
    }

    /// What the store says of itself, if every record is as it was written and the fence was kept.
    fn verified(&self) -> Result<String, String> {
        asked(self.command(&["audit", "--store", "store.db", "--verify", "--format", "json"]), None)
    }

    /// How many batches the workers told of, if each of them is closed in the journal.
    fn what_was_told_is_kept(&self) -> Result<usize, String> {
        let closed = closed(&asked(self.command(&["audit", "--store", "store.db", "--format", "csv"]), None)?);
        let mut told = BTreeSet::new();
        let files = std::fs::read_dir(&self.folder).map_err(|error| format!("{}: {error}", self.folder.display()))?;
        for file in files.flatten().filter(|file| file.path().extension().is_some_and(|ending| ending == "told")) {
            let text =
                std::fs::read_to_string(file.path()).map_err(|error| format!("reading what was told: {error}"))?;
            told.extend(batches(&text));
        }
        match told.iter().find(|batch| !closed.contains(*batch)) {
            Some(lost) => Err(format!("the batch {lost} was told of, and is not closed in the journal")),
            None => Ok(told.len()),
        }
    }

    fn replay(&self, weather: Weather, kept: bool) -> Command {
        let mut command = self.command(&["replay", "--config", "evenkeel.toml", "--prices", "prices.csv"]);
        command.args(["--format", "json", "--portfolios"]).arg(&self.portfolios);
        if kept {
            command.args(["--store", "store.db", "--bank", "bank.db"]);
        }
        if let Some(weather) = weather {
            command.args(["--broker", "banchile", "--profile", weather]);
        }
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args(arguments);
        command
    }
}

/// Whether the program came to its end. Outages of the storm may last longer than its patience with an unknown outcome, which leaves
/// a portfolio to a person (exit code 1); nothing else may.
pub(crate) fn ended(status: ExitStatus, weather: Weather) -> bool {
    status.success() || (weather == Some("storm") && status.code() == Some(1))
}

/// What a command told, if it came to its end.
fn asked(mut command: Command, weather: Weather) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if ended(output.status, weather) {
        return Ok(told);
    }
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("evenkeel {} ended with {}: {told}{said}", arguments.join(" "), output.status))
}

/// The lines of the portfolios, which a replay ends with.
fn portfolios_of(told: &str) -> String {
    told.lines().filter(|line| line.starts_with(r#"{"type":"portfolio""#)).map(|line| format!("{line}\n")).collect()
}

/// The batches that a replay told of. Its last line may have been cut off.
fn batches(told: &str) -> Vec<String> {
    let lines = told.lines().filter(|line| line.starts_with(r#"{"type":"rebalance""#));
    let batch = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line.get("batch").and_then(Value::as_str).map(str::to_owned)
    };
    lines.filter_map(batch).collect()
}

/// The batches that are closed, of an audit as CSV: `at,portfolio,record,token,kind,batch,order,text`.
fn closed(audit: &str) -> BTreeSet<String> {
    let mut open = BTreeMap::new();
    let mut closed = BTreeSet::new();
    for line in audit.lines() {
        let mut fields = line.split(',').skip(1);
        let (portfolio, kind, batch) = (fields.next(), fields.nth(2), fields.next());
        match kind {
            Some("opened") => drop(open.insert(portfolio, batch.unwrap_or_default().to_owned())),
            Some("closed") => closed.extend(open.get(&portfolio).cloned()),
            _ => {}
        }
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"{"type":"rebalance","at":1,"portfolio":"a","batch":"b-1"}
{"type":"finding","at":1,"portfolio":"a"}
{"type":"portfolio","portfolio":"a"}
{"type":"summary"}
{"type":"rebalance","at":2,"portfolio":"a","ba"#;

    #[test]
    fn only_the_portfolios_are_compared() {
        assert_eq!(portfolios_of(TOLD), "{\"type\":\"portfolio\",\"portfolio\":\"a\"}\n");
    }

    #[test]
    fn a_line_that_was_cut_off_tells_of_nothing() {
        assert_eq!(batches(TOLD), ["b-1"]);
    }

    #[test]
    fn a_batch_that_is_open_is_not_closed() {
        let audit = "at,portfolio,record,token,kind,batch,order,text\n1,a,1,1,added,,,x\n1,a,2,1,opened,b-1,,\"x, y\"\n\
                     1,b,2,1,opened,b-2,,x\n1,a,3,1,closed,,,x\n1,a,4,1,opened,b-3,,x\n";
        assert_eq!(closed(audit), BTreeSet::from(["b-1".to_owned()]));
    }
}
