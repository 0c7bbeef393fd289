//! Real processes: killed in the middle of commits, frozen with a lease, and two at once on one file.
//!
//! The children are this very test program, started for one of its ignored tests, with the store's path in an environment variable.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, in its helpers too"
)]

mod common;

use common::{alert, clock, closed, commit, id, note, open, opened};
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::record::{Event, Outcome, Record};
use evenkeel_domain::values::{Sequence, Timestamp};
use evenkeel_ports::{AcquireError, Commit, CommitOutcome, Journal, LeaseStore, LeaseTerms};
use evenkeel_sqlite::{SqliteStore, StoreReader};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const STORE: &str = "EVENKEEL_SQLITE_TEST_STORE";

fn given() -> PathBuf {
    PathBuf::from(std::env::var_os(STORE).expect("started by another test of this file"))
}

/// A process that is killed when this is dropped, however the test ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start(test: &str, store: &Path) -> (Killed, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(STORE, store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (Killed(child), lines)
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // In one piece: what is cut off was not acknowledged. Nobody may be listening any more.
    drop(out.write_all(format!("{text}\n").as_bytes()).and_then(|()| out.flush()));
}

/// The commit that follows when a portfolio's last record is `head`: the same for whoever writes it.
fn next(portfolio: &str, head: u64) -> Commit {
    let number = head + 1;
    let at = |record: Record| Record { at: Timestamp::from_nanos(number.cast_signed()), ..record };
    match head % 6 {
        0 => commit(portfolio, head, vec![at(note(number)), at(note(number + 1))]),
        2 => commit(portfolio, head, vec![at(opened(u128::from(number)))]),
        3 => {
            let records = vec![at(note(number)), at(closed(Outcome::Stale))];
            Commit { alerts: vec![alert(portfolio, number + 1)], ..commit(portfolio, head, records) }
        }
        _ => commit(portfolio, head, vec![at(note(number))]),
    }
}

async fn live(store: &SqliteStore, portfolio: String) {
    let mut head = store.head(&id(&portfolio)).await.unwrap().sequence.get();
    loop {
        let commit = next(&portfolio, head);
        let last = head + u64::try_from(commit.records.len()).unwrap();
        assert_eq!(store.commit(commit).await, CommitOutcome::Committed);
        say(&format!("ack {portfolio} {last}"));
        head = last;
    }
}

#[test]
#[ignore = "needs to be started by `what_was_acknowledged_survives_every_kill`"]
fn a_child_that_commits_until_it_is_killed() {
    let store = open(&given());
    block_on(join_all((0..8).map(|number| live(&store, format!("portfolio-{number}")))));
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<(PathBuf, String), u64> = BTreeMap::new();
    let (mut seed, mut total) = (7_u64, 0);
    for kill in 0..40 {
        // The first ten are killed while they make their store, each its own.
        let path = folder.path().join(if kill < 10 { format!("new-{kill}.db") } else { "store.db".to_owned() });
        let (mut child, mut lines) = start("a_child_that_commits_until_it_is_killed", &path);
        let mut take = |line: std::io::Result<String>| {
            let line = line.unwrap();
            let [word, portfolio, sequence] = line.split(' ').collect::<Vec<_>>()[..] else { return false };
            if !word.ends_with("ack") {
                return false;
            }
            acknowledged.insert((path.clone(), portfolio.to_owned()), sequence.parse().unwrap());
            total += 1;
            true
        };
        if kill >= 10 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let acks = usize::try_from((seed >> 33) % 64).unwrap();
            assert!(lines.by_ref().filter_map(|line| take(line).then_some(())).nth(acks).is_some(), "it commits");
        } else {
            // From the first file on to some way into the commits: it goes on writing, so it comes to be that much.
            while bytes(folder.path(), &format!("new-{kill}.db")) < kill * 16_384 {
                std::thread::yield_now();
            }
        }
        child.0.kill().unwrap();
        child.0.wait().unwrap();
        for line in lines {
            take(line);
        }
        check_after_kill(&path, &acknowledged);
    }
    assert!(total > 100, "{total} commits were acknowledged");
    println!("{total} commits were acknowledged before 40 kills, and all are there");
}

/// How much is in all files whose names begin so; one that goes away meanwhile has nothing.
fn bytes(folder: &Path, name: &str) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().filter_map(Result::ok);
    let ours = files.filter(|file| file.file_name().to_string_lossy().starts_with(name));
    ours.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

fn check_after_kill(path: &Path, acknowledged: &BTreeMap<(PathBuf, String), u64>) {
    let store = open(path);
    for ((_, portfolio), last) in acknowledged.iter().filter(|((of, _), _)| of == path) {
        let head = block_on(store.head(&id(portfolio))).unwrap().sequence.get();
        assert!(head >= *last, "{portfolio}: {last} was acknowledged, and the last is {head}");
        let entries = block_on(store.read(&id(portfolio), Sequence::ZERO)).unwrap();
        let mut should = Vec::new();
        while (should.len() as u64) < head {
            should.extend(next(portfolio, should.len() as u64).records.iter().cloned());
        }
        assert!(entries.into_iter().map(|entry| entry.record).eq(should), "{portfolio}: whole commits, as they were");
    }
    let verified = StoreReader::open(path).unwrap().verify().unwrap();
    assert_eq!(verified.broken, None, "{} rows", verified.rows);
}

const EACH: u64 = 150;

#[test]
#[ignore = "needs to be started by `two_processes_write_one_store`"]
fn a_child_that_competes() {
    let store = open(&given());
    let who = u64::from(std::process::id());
    say("ready");
    let mut written = 0;
    while written < EACH {
        let portfolio = format!("portfolio-{}", written % 3);
        let head = block_on(store.head(&id(&portfolio))).unwrap().sequence.get();
        match block_on(store.commit(commit(&portfolio, head, vec![note(who)]))) {
            CommitOutcome::Committed => {
                written += 1;
                say(&format!("ack {portfolio} {} {who}", head + 1));
            }
            // The other was faster.
            CommitOutcome::Conflict { head: now } => assert!(now.sequence.get() > head),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn two_processes_write_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    // Both also make it at once.
    let children = [start("a_child_that_competes", &path), start("a_child_that_competes", &path)];
    let mut acks = BTreeMap::new();
    for (mut child, lines) in children {
        for line in lines.map(Result::unwrap) {
            if let [word, portfolio, sequence, who] = line.split(' ').collect::<Vec<_>>()[..]
                && word.ends_with("ack")
            {
                let place = (portfolio.to_owned(), sequence.parse::<u64>().unwrap());
                let twice = acks.insert(place, format!("movement-{who}"));
                assert_eq!(twice, None, "one place was given to two: {line}");
            }
        }
        assert!(child.0.wait().unwrap().success());
    }
    let reader = StoreReader::open(&path).unwrap();
    assert_eq!(reader.verify().unwrap().broken, None);
    let mut found = BTreeMap::new();
    for status in reader.portfolios().unwrap() {
        for line in reader.lines(&status.portfolio, Sequence::ZERO).unwrap() {
            let Some(Event::CashMoved { movement, .. }) = line.record.as_ref().map(|record| &record.event) else {
                panic!("{line:?}")
            };
            found.insert((status.portfolio.to_string(), line.sequence.get()), movement.to_string());
        }
    }
    assert_eq!(found.len() as u64, 2 * EACH);
    assert_eq!(found, acks, "each has what it was told");
}

fn terms() -> LeaseTerms {
    LeaseTerms::default()
}

#[test]
#[ignore = "needs to be started by `the_lease_of_a_process_that_ended_is_free_at_once`"]
fn a_child_that_holds_a_lease() {
    let store = open(&given());
    block_on(store.acquire(&id("growth"), &"child".parse().unwrap(), terms())).unwrap();
    say("held");
    // Until it is killed.
    std::thread::sleep(Duration::from_secs(600));
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
#[cfg(unix)]
fn the_lease_of_a_process_that_ended_is_free_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let time = clock();
    let store = SqliteStore::open(&path, Arc::new(time.clone())).unwrap();
    let ask = || block_on(store.acquire(&id("growth"), &"parent".parse().unwrap(), terms()));

    let (mut child, mut lines) = start("a_child_that_holds_a_lease", &path);
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    assert!(matches!(ask(), Err(AcquireError::Busy { .. })), "it runs");
    signal(&child.0, "-STOP");
    time.advance(terms().heartbeat - Duration::from_nanos(1));
    assert!(matches!(ask(), Err(AcquireError::Busy { .. })), "it is frozen, and its heartbeat is not over");
    time.advance(Duration::from_nanos(1));
    let taken = ask().expect("it is frozen, and its heartbeat is over");
    assert_eq!(taken.token.get(), 2);
    block_on(LeaseStore::release(&store, &taken)).unwrap();
    child.0.kill().unwrap();
    child.0.wait().unwrap();

    let later = folder.path().join("later.db");
    let store = SqliteStore::open(&later, Arc::new(clock())).unwrap();
    let ask = || block_on(store.acquire(&id("growth"), &"parent".parse().unwrap(), terms()));
    let (mut child, mut lines) = start("a_child_that_holds_a_lease", &later);
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    assert!(matches!(ask(), Err(AcquireError::Busy { .. })), "it runs");
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    assert_eq!(ask().expect("it has ended").token.get(), 2);
    // What it left is swept away by the next that opens the store.
    drop(open(&later));
    let mut locks = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let locks = locks.by_ref().filter(|name| name.to_string_lossy().starts_with("later.db.process-")).count();
    assert_eq!(locks, 1, "that of this process");
}

/// Two openings within one process are two owners too.
#[test]
fn two_openings_in_one_process_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (one, other) = (open(&path), open(&path));
    let ask = |store: &SqliteStore| block_on(store.acquire(&id("growth"), &"worker".parse().unwrap(), terms()));
    let lease = ask(&one).unwrap();
    assert!(matches!(ask(&other), Err(AcquireError::Busy { .. })));
    block_on(LeaseStore::release(&other, &lease)).expect("owner and token are enough");
    ask(&other).unwrap();
    assert!(matches!(ask(&one), Err(AcquireError::Busy { .. })));
    drop(other);
    ask(&one).expect("it was closed with its lease");
}

#[test]
#[ignore = "needs to be started by `a_write_that_fails_half_way_is_never_acknowledged`"]
fn a_child_that_fills_its_file() {
    let store = open(&given());
    let mut head = 0;
    loop {
        let records = vec![note(head); 40];
        match block_on(store.commit(commit("growth", head, records))) {
            CommitOutcome::Committed => {
                head += 40;
                say(&format!("ack growth {head}"));
            }
            CommitOutcome::Failed { message } => return say(&format!("failed {message}")),
            CommitOutcome::Unknown { message } => return say(&format!("unknown {message}")),
            other => panic!("{other:?}"),
        }
    }
}

/// The system cuts a write off in the middle, as a disk that fails would.
#[test]
#[cfg(unix)]
fn a_write_that_fails_half_way_is_never_acknowledged() {
    let program = std::env::current_exe().unwrap();
    for blocks in [230, 301, 420] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &limited])
            .arg(&program)
            .args(["--exact", "a_child_that_fills_its_file", "--ignored", "--nocapture"])
            .env(STORE, &path)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let acknowledged = said.lines().filter_map(|line| line.split("ack growth ").nth(1)).next_back().unwrap();
        let end = said.lines().find(|line| line.starts_with("failed ") || line.starts_with("unknown ")).expect(&said);
        let last = acknowledged.parse::<u64>().unwrap();
        // Half of a record is no record, and half of a commit no commit.
        let head = block_on(open(&path).head(&id("growth"))).unwrap().sequence.get();
        assert!(head == last || (head == last + 40 && end.starts_with("unknown")), "{last}, then {end}: {head}");
        assert_eq!(StoreReader::open(&path).unwrap().verify().unwrap().broken, None, "{end}");
        println!("{blocks} blocks: {last} records, then {end}");
    }
}
