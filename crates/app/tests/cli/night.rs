//! What an operator is called for at night, and gets out of with the commands that the runbook names.

use crate::harness::{Desk, Run};
use crate::newer;
use evenkeel_banchile::{BanChile, BankFile, Profile};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Lease, LeaseStore, LeaseTerms};
use evenkeel_sqlite::{Options, SqliteStore, StoreReader};
use expect_test::{Expect, expect};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;

/// The standard output, with the exit code where it is not 0.
fn check(run: &Run, expected: &Expect) {
    assert_eq!(run.stderr, "", "{run:?}");
    let code = if run.code == 0 { String::new() } else { format!("exit code {}\n", run.code) };
    expected.assert_eq(&format!("{}{code}", run.stdout));
}

const GROWTH: &str = r#"
[[portfolio]]
id = "growth"
currency = "USD"
cash = "100000.00"
targets = { META = "50", AAPL = "50" }
"#;

/// One batch a day: the first invests, the others bring back what META did.
const DAYS: [&str; 5] = [
    "2024-01-02,AAPL,100\n2024-01-02,META,100\n",
    "2024-01-03,AAPL,100\n2024-01-03,META,150\n",
    "2024-01-04,AAPL,100\n2024-01-04,META,80\n",
    "2024-01-05,AAPL,100\n2024-01-05,META,120\n",
    "2024-01-08,AAPL,100\n2024-01-08,META,180\n",
];

fn clock() -> ManualClock {
    ManualClock::new("2024-01-01T00:00:00Z".parse().unwrap())
}

/// A desk with a store that has a fixed id, so that batches, orders and whatever a storm draws for them are the same at every run.
fn desk(portfolios: &str, id: &str) -> Desk {
    let desk = Desk::new();
    desk.file("p.toml", portfolios);
    let path = desk.path().join("s.db");
    drop(SqliteStore::open(&path, Arc::new(clock())).unwrap());
    let changed = Connection::open(&path).unwrap().execute("UPDATE store SET id = ?1", [id.repeat(16)]).unwrap();
    assert_eq!(changed, 1);
    desk
}

fn replay(desk: &Desk, days: usize) -> Run {
    desk.file("p.csv", format!("date,symbol,close\n{}", DAYS.iter().copied().take(days).collect::<String>()));
    desk.run("replay --portfolios p.toml --prices p.csv --store s.db --bank b.db")
}

fn remove(folder: &Path, names: &[&str]) {
    names.iter().for_each(|name| drop(std::fs::remove_file(folder.join(name))));
}

/// A store that lacks what its bank has done: a backup of the second day is put back after the fourth.
fn restored_backup() -> Desk {
    let desk = desk(GROWTH, "07");
    replay(&desk, 2).done();
    std::fs::copy(desk.path().join("s.db"), desk.path().join("backup.db")).unwrap();
    replay(&desk, 4).done();
    remove(desk.path(), &["s.db", "s.db-wal", "s.db-shm"]);
    std::fs::rename(desk.path().join("backup.db"), desk.path().join("s.db")).unwrap();
    desk
}

/// The same by another way: what the last two days wrote was in the WAL alone, and the WAL is gone.
fn lost_wal() -> Desk {
    let desk = desk(GROWTH, "07");
    replay(&desk, 2).done();
    // Somebody who reads keeps the last commits from being moved into the file.
    let reader = StoreReader::open(desk.path().join("s.db")).unwrap();
    assert!(reader.portfolios().unwrap().len() == 1);
    replay(&desk, 4).done();
    let wal = std::fs::metadata(desk.path().join("s.db-wal")).unwrap().len();
    assert!(wal > 0, "the commits of the last two days are in the WAL");
    std::fs::copy(desk.path().join("s.db"), desk.path().join("copy.db")).unwrap();
    drop(reader);
    remove(desk.path(), &["s.db", "s.db-wal", "s.db-shm"]);
    std::fs::rename(desk.path().join("copy.db"), desk.path().join("s.db")).unwrap();
    desk
}

/// How many orders the bank has been sent: its log keeps each before it has any effect.
fn sent(desk: &Desk) -> usize {
    let store = StoreReader::open(desk.path().join("s.db")).unwrap().store_id().unwrap();
    let (bank, profile) = BankFile::find(desk.path().join("b.db"), store, [Profile::ideal()]).unwrap();
    let account = "growth".parse().unwrap();
    let broker = BanChile::kept_in(&bank, &account, profile, Arc::new(clock())).unwrap();
    broker.ledger(&account).unwrap().orders.len()
}

#[test]
fn a_store_that_lacks_what_the_broker_did_is_noticed_before_anything_is_sent() {
    noticed(&restored_backup());
    noticed(&lost_wal());
}

/// Noticed at the next start, and nothing is sent; a person accepts, and it goes on.
fn noticed(desk: &Desk) {
    let before = sent(desk);
    assert_eq!(before, 8, "four batches of two orders");

    // The store itself is whole: only the broker knows.
    check(
        &desk.run("audit --store s.db --verify"),
        &expect![[r#"
            s.db: whole: 18 records of 1 portfolio, each as it was written
        "#]],
    );
    // The next start goes over the days that were lost, and over one more.
    let started = replay(desk, 5);
    assert_eq!((started.code, started.stderr.as_str()), (1, ""), "{started:?}");
    check(
        &desk.run("alerts --store s.db"),
        &expect![[r#"
            2024-01-05T12:00:00Z growth (record 19): quarantined: AAPL: 625 in the books, 598.958333333 at the broker, META: 416.666666667 in the books, 499.131944445 at the broker, the journal lacks batch dc1cc10a-0ba7-5932-b759-f06b560fed52, of which the broker has fills; no batch until books and broker agree
            1 alert not acknowledged
            exit code 1
        "#]],
    );
    assert_eq!(sent(desk), before, "nothing was sent");

    let retry = desk.run("resolve --store s.db --bank b.db --portfolio growth --retry --who ann --why backup");
    assert_eq!(retry.code, 2, "nobody is asked about what cannot be done: {retry:?}");
    assert!(retry.stderr.contains("it is quarantined, not stale"), "{retry:?}");
    check(
        &Run { code: 0, stderr: String::new(), ..retry },
        &expect![[r#"
            growth is quarantined
              AAPL: 625 in the books, 598.958333333 at the broker
              META: 416.666666667 in the books, 499.131944445 at the broker
              the journal lacks batch dc1cc10a-0ba7-5932-b759-f06b560fed52, of which the broker has fills
            what would be done:
              nothing: what is left of the journal does not say what those batches traded; --accept is the only way
        "#]],
    );
    let resolve = "resolve --store s.db --bank b.db --portfolio growth --accept --who ann --why backup --yes";
    check(
        &desk.run(resolve),
        &expect![[r#"
            growth is quarantined
              AAPL: 625 in the books, 598.958333333 at the broker
              META: 416.666666667 in the books, 499.131944445 at the broker
              the journal lacks batch dc1cc10a-0ba7-5932-b759-f06b560fed52, of which the broker has fills
            what would be done:
              nothing is traded; the broker's cash and units become the books, and the portfolio is active again
              batch dc1cc10a-0ba7-5932-b759-f06b560fed52 stays lost: what it traded is in the broker's cash and units, and its records are in no journal
              nothing of that is traded again, and no id of it is used again; find out first what it was: Damage in docs/runbook.md says how
            growth: resolved, and active again
        "#]],
    );
    check(
        &desk.run("reconcile --store s.db --bank b.db"),
        &expect![[r#"
        growth: books and broker agree
    "#]],
    );
    assert_eq!(sent(desk), before, "accepting trades nothing");

    // It goes on: the day that has come since is traded, and the lost ones are not traded again.
    replay(desk, 5).done();
    assert_eq!(sent(desk), 10);
    check(
        &desk.run("reconcile --store s.db --bank b.db"),
        &expect![[r#"
        growth: books and broker agree
    "#]],
    );
    let told = desk.run("audit --store s.db --portfolio growth");
    let since: Vec<&str> = told.done().lines().skip_while(|line| !line.contains(" #19 ")).collect();
    expect![[r#"
        2024-01-05T12:00:00Z #19 quarantined: AAPL: 625 in the books, 598.958333333 at the broker, META: 416.666666667 in the books, 499.131944445 at the broker, the journal lacks batch dc1cc10a-0ba7-5932-b759-f06b560fed52, of which the broker has fills
        2024-01-05T12:00:00Z #20 resolved by ann: the broker's positions are the books, 0.00 in cash; backup
        2024-01-08T12:00:00Z #21 batch 6296200e-c3bb-5072-aa66-9d6afff0430c opened: 2 legs, drift 20.0000 (relative); sell 83.188657407 META at 180; buy 149.739583334 AAPL at 100
        2024-01-08T12:00:00Z #22 first stage intended: leg 0 forward 1 sell 83.188657407 META
        2024-01-08T12:00:00Z #23 leg 0 forward 1: filled 83.188657407 at 180 for 14973.96, fee 0.00 (f9)
        2024-01-08T12:00:00Z #24 leg 0 forward 1: ended: filled
        2024-01-08T12:00:00Z #25 second stage intended: leg 1 forward 1 buy 149.739583334 AAPL
        2024-01-08T12:00:00Z #26 leg 1 forward 1: filled 149.739583334 at 100 for 14973.96, fee 0.00 (f10)
        2024-01-08T12:00:00Z #27 leg 1 forward 1: ended: filled
        2024-01-08T12:00:00Z #28 settling as completed: comparing with the broker
        2024-01-08T12:00:00Z #29 batch closed: completed, cost 0.00, fees 0.00
          leg 0 forward: sell 83.188657407 META at 180 for 14973.96, planned at 180: slippage 0.00, fees 0.00
          leg 1 forward: buy 149.739583334 AAPL at 100 for 14973.96, planned at 100: slippage 0.00, fees 0.00
        29 records"#]].assert_eq(&since.join("\n"));
}

/// Orders too large for the market, with a single attempt, in the storm that this store id draws: the batch can neither be completed nor taken
/// back.
fn stale() -> Desk {
    let desk = desk(&GROWTH.replace("growth", "whale").replace("100000.00", "900000000.00"), "08");
    desk.file("c.toml", "attempts = 1\n");
    desk.file("p.csv", "date,symbol,close\n2024-01-02,AAPL,185.64\n2024-01-02,META,370.87\n");
    let line = "replay --portfolios p.toml --prices p.csv --config c.toml --store s.db --bank b.db";
    let run = desk.run(&format!("{line} --broker banchile --profile storm --format json"));
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    assert!(run.stdout.contains(r#""outcome":"stale""#), "{}", run.stdout);
    desk
}

fn resolve(desk: &Desk, rest: &str) -> Run {
    desk.run(&format!("resolve --store s.db --bank b.db --portfolio whale --who ann --why looked {rest}"))
}

#[test]
fn a_stale_portfolio_is_restored_after_the_plan_was_shown() {
    let desk = stale();
    let records = desk.run("audit --store s.db").stdout;
    check(
        &resolve(&desk, "--retry"),
        &expect![[r#"
        whale is stale
          because: ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled
          left over: 2500 AAPL too many
          left over: 2248.00931386 META too many
          books and broker agree
        what would be done:
          sell 2500 AAPL
          sell 2248.00931386 META
          if that fails as well, it is stale again
        say --yes to do it without being asked
        nothing was done
        exit code 1
    "#]],
    );
    check(
        &resolve(&desk, "--accept"),
        &expect![[r#"
            whale is stale
              because: ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled
              left over: 2500 AAPL too many
              left over: 2248.00931386 META too many
              books and broker agree
            what would be done:
              nothing is traded; the books stay as they are, and the portfolio is active again
              what is left over stays, until a rebalance finds it out of band
            say --yes to do it without being asked
            nothing was done
            exit code 1
        "#]],
    );
    check(
        &resolve(&desk, "--fixed"),
        &expect![[r#"
        whale is stale
          because: ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled
          left over: 2500 AAPL too many
          left over: 2248.00931386 META too many
          books and broker agree
        what would be done:
          nothing is traded; the broker must hold the units of before the batch, or it is refused
        say --yes to do it without being asked
        nothing was done
        exit code 1
    "#]],
    );
    let refused = resolve(&desk, "--fixed --yes");
    expect![[r#"
        s.db: whale: books and broker disagree: AAPL: 0 in the books, 2500 at the broker, META: 0 in the books, 2248.00931386 at the broker; evenkeel status shows where it stands
        error: 1 fault in s.db
    "#]].assert_eq(&refused.stderr);
    assert_eq!(refused.code, 2);
    assert_eq!(desk.run("audit --store s.db").stdout, records, "whatever was shown or refused has changed nothing");

    check(
        &resolve(&desk, "--retry --yes"),
        &expect![[r#"
            whale is stale
              because: ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled
              left over: 2500 AAPL too many
              left over: 2248.00931386 META too many
              books and broker agree
            what would be done:
              sell 2500 AAPL
              sell 2248.00931386 META
              if that fails as well, it is stale again
            whale: batch be6cbf8b-38a7-572f-b953-2ab206fa9b7a restored, cost 61144.72, fees 16697.77; ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled
              leg 0 forward: buy 30000 AAPL at 185.88079055 for 5576423.72, planned at 185.64: slippage 7223.72, fees 2788.22
              leg 1 forward: buy 30000 META at 371.451246008 for 11143537.38, planned at 370.87: slippage 17437.38, fees 5571.77
              leg 0 back: sell 30000 AAPL at 185.44370117 for 5563311.03, planned at 185.64: slippage 5888.97, fees 2781.67
              leg 1 back: sell 30000 META at 370.406770589 for 11112203.12, planned at 370.87: slippage 13896.88, fees 5556.11
        "#]],
    );
    check(
        &desk.run("reconcile --store s.db --bank b.db"),
        &expect![[r#"
        whale: books and broker agree
    "#]],
    );
    let status = desk.run("status --store s.db --portfolio whale --format json");
    assert!(status.stdout.starts_with(r#"{"type":"portfolio","portfolio":"whale","standing":"active","#), "{status:?}");
}

#[test]
fn what_a_stale_portfolio_holds_can_be_accepted() {
    let desk = stale();
    check(
        &resolve(&desk, "--accept --yes"),
        &expect![[r#"
            whale is stale
              because: ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled
              left over: 2500 AAPL too many
              left over: 2248.00931386 META too many
              books and broker agree
            what would be done:
              nothing is traded; the books stay as they are, and the portfolio is active again
              what is left over stays, until a rebalance finds it out of band
            whale: resolved, and active again
        "#]],
    );
    check(
        &desk.run("reconcile --store s.db --bank b.db"),
        &expect![[r#"
        whale: books and broker agree
    "#]],
    );
    assert_eq!(resolve(&desk, "--accept --yes").code, 2, "there is nothing left to resolve");
}

#[test]
fn what_a_compensation_cost_is_told_leg_by_leg() {
    let desk = stale();
    resolve(&desk, "--retry --yes").done();
    // The last record closes the batch; what its legs cost follows it.
    let last = |told: &str| {
        let lines: Vec<&str> = told.lines().collect();
        let closing = lines.iter().rposition(|line| line.contains("batch closed")).unwrap();
        lines[closing..].join("\n")
    };
    expect![[r#"
        2024-01-02T12:02:09.1982402Z #75 batch closed: restored, cost 61144.72, fees 16697.77; ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled; left alone until 2024-01-02T12:15:00Z
          leg 0 forward: buy 30000 AAPL at 185.88079055 for 5576423.72, planned at 185.64: slippage 7223.72, fees 2788.22
          leg 1 forward: buy 30000 META at 371.451246008 for 11143537.38, planned at 370.87: slippage 17437.38, fees 5571.77
          leg 0 back: sell 30000 AAPL at 185.44370117 for 5563311.03, planned at 185.64: slippage 5888.97, fees 2781.67
          leg 1 back: sell 30000 META at 370.406770589 for 11112203.12, planned at 370.87: slippage 13896.88, fees 5556.11
        75 records"#]].assert_eq(&last(desk.run("audit --store s.db --portfolio whale").done()));
    expect![[r#"
        2024-01-02T12:02:09.1982402Z,whale,75,3,closed,be6cbf8b-38a7-572f-b953-2ab206fa9b7a,,"batch closed: restored, cost 61144.72, fees 16697.77; ek1-5ydjzrpe57awqvjmsap83fn6vt-001-F1 (buy META) ended short: canceled; left alone until 2024-01-02T12:15:00Z",,,,,,,,,,
        2024-01-02T12:02:09.1982402Z,whale,75,3,cost,be6cbf8b-38a7-572f-b953-2ab206fa9b7a,,"leg 0 forward: buy 30000 AAPL at 185.88079055 for 5576423.72, planned at 185.64: slippage 7223.72, fees 2788.22",0,forward,AAPL,buy,30000,185.88079055,185.64,5576423.72,7223.72,2788.22
        2024-01-02T12:02:09.1982402Z,whale,75,3,cost,be6cbf8b-38a7-572f-b953-2ab206fa9b7a,,"leg 1 forward: buy 30000 META at 371.451246008 for 11143537.38, planned at 370.87: slippage 17437.38, fees 5571.77",1,forward,META,buy,30000,371.451246008,370.87,11143537.38,17437.38,5571.77
        2024-01-02T12:02:09.1982402Z,whale,75,3,cost,be6cbf8b-38a7-572f-b953-2ab206fa9b7a,,"leg 0 back: sell 30000 AAPL at 185.44370117 for 5563311.03, planned at 185.64: slippage 5888.97, fees 2781.67",0,back,AAPL,sell,30000,185.44370117,185.64,5563311.03,5888.97,2781.67
        2024-01-02T12:02:09.1982402Z,whale,75,3,cost,be6cbf8b-38a7-572f-b953-2ab206fa9b7a,,"leg 1 back: sell 30000 META at 370.406770589 for 11112203.12, planned at 370.87: slippage 13896.88, fees 5556.11",1,back,META,sell,30000,370.406770589,370.87,11112203.12,13896.88,5556.11"#]].assert_eq(&last(desk.run("audit --store s.db --format csv").done()));
    let json = desk.run("audit --store s.db --format json");
    let line = last(json.done());
    let legs = line.split_once(r#""legs":"#).unwrap().1.split_once(r#","hash""#).unwrap().0;
    expect![[r#"
        [{"leg":0,"direction":"forward","symbol":"AAPL","side":"buy","quantity":"30000","price":"185.88079055","planned":"185.64","amount":"5576423.72","slippage":"7223.72","fees":"2788.22"},
        {"leg":1,"direction":"forward","symbol":"META","side":"buy","quantity":"30000","price":"371.451246008","planned":"370.87","amount":"11143537.38","slippage":"17437.38","fees":"5571.77"},
        {"leg":0,"direction":"back","symbol":"AAPL","side":"sell","quantity":"30000","price":"185.44370117","planned":"185.64","amount":"5563311.03","slippage":"5888.97","fees":"2781.67"},
        {"leg":1,"direction":"back","symbol":"META","side":"sell","quantity":"30000","price":"370.406770589","planned":"370.87","amount":"11112203.12","slippage":"13896.88","fees":"5556.11"}]"#]].assert_eq(&legs.replace("},", "},\n"));
    // Every cent of the cost is one of them.
    let cents = |amount: &str| amount.replace('.', "").parse::<i64>().unwrap();
    let value = |key: &str| {
        let key = format!(r#""{key}":""#);
        legs.split(&key).skip(1).map(|rest| cents(rest.split_once('"').unwrap().0)).sum::<i64>()
    };
    let cost = line.split_once("restored, cost ").unwrap().1.split_once(',').unwrap().0;
    assert_eq!(value("slippage") + value("fees"), cents(cost));
}

/// Two portfolios, one of which a newer version of the program has worked on last.
fn partly_newer() -> Desk {
    let desk = desk(&format!("{GROWTH}{}", GROWTH.replace("growth", "income")), "09");
    replay(&desk, 2).done();
    newer::append(&desk.path().join("s.db"), "growth");
    desk
}

#[test]
fn a_portfolio_that_a_newer_version_has_written_is_left_alone_and_told_as_such() {
    let desk = partly_newer();
    check(
        &desk.run("status --store s.db"),
        &expect![[r#"
            portfolio  standing  records  last change           open batch  lease
            ────────── ───────── ──────── ───────────────────── ─────────── ──────
            growth     active         19  2024-01-03T12:00:00Z
            income     active         18  2024-01-03T12:00:00Z

            Written by a newer version of the program
              growth: record 19 is of version 2; this program leaves the portfolio to the one that wrote it, or to a newer one

            2 portfolios: 2 active. Something needs a person: docs/runbook.md says what to do
            exit code 1
        "#]],
    );
    check(
        &desk.run("status --store s.db --format json --portfolio growth"),
        &expect![[r#"
            {"type":"portfolio","portfolio":"growth","standing":"active","records":19,"token":3,"changed_at":"2024-01-03T12:00:00Z","open_batch":null,"lease":null,"newer":2}
            {"type":"summary","portfolios":1,"open_batches":0,"stale":0,"quarantined":0,"alerts":0,"halts":0}
            exit code 1
        "#]],
    );
    let told = desk.run("audit --store s.db --portfolio growth").stdout;
    let last: Vec<&str> = told.lines().rev().take(2).collect();
    expect![[r#"
        19 records
        2024-01-03T12:00:00Z #19 written by a newer version of the program, which this one does not read"#]]
    .assert_eq(&last.join("\n"));
    let csv = desk.run("audit --store s.db --portfolio growth --format csv").stdout;
    expect![[r#"2024-01-03T12:00:00Z,growth,19,3,hedged,,,"written by a newer version of the program, which this one does not read",,,,,,,,,,"#]].assert_eq(csv.lines().last().unwrap());
    check(
        &desk.run("audit --store s.db --verify"),
        &expect![[r#"
            s.db: whole: 37 records of 2 portfolios, each as it was written
            row 37 of the journal, of growth, is of version 2, which this program does not read: what follows from the records is for the program that wrote it, or a newer one, to verify
            exit code 1
        "#]],
    );
    check(
        &desk.run("audit --store s.db --verify --format json"),
        &expect![[r#"
            {"type":"verification","records":37,"portfolios":2,"broken":null,"newer":"row 37 of the journal, of growth, is of version 2"}
            exit code 1
        "#]],
    );
    // The others go on.
    check(
        &desk.run("reconcile --store s.db --bank b.db"),
        &expect![[r#"
            growth: reading the journal: record 19 of growth is of version 2, and this program reads version 1: leave the portfolio to the program that wrote it, or to a newer one
            income: books and broker agree
            exit code 1
        "#]],
    );
    let refused = desk.run("resolve --store s.db --bank b.db --portfolio growth --who ann --why looked --accept --yes");
    expect![[r#"
        error: reading the store s.db: reading the journal: record 19 of growth is of version 2, and this program reads version 1: leave the portfolio to the program that wrote it, or to a newer one
    "#]].assert_eq(&format!("{}{}", refused.stdout, refused.stderr));
    let before = sent(&desk);
    let replayed = replay(&desk, 3);
    expect![[r#"
        note: what was printed happened; whatever came after it is in the store, if there is one
        error: rebalancing: reading the journal: record 19 of growth is of version 2, and this program reads version 1: leave the portfolio to the program that wrote it, or to a newer one
        exit code 3
    "#]].assert_eq(&format!("{}exit code {}\n", replayed.stderr, replayed.code));
    assert_eq!(sent(&desk), before, "nothing was sent for it");
}

/// A clock that is ahead of every other: a lease that is taken by it holds whenever a test is run.
fn ahead() -> ManualClock {
    ManualClock::new("2200-01-01T00:00:00Z".parse().unwrap())
}

/// A lease that this process takes by a clock, and the store it was taken in.
fn held(desk: &Desk, portfolio: &str, owner: &str, clock: &ManualClock) -> (SqliteStore, Lease) {
    let options = Options { blocking: true, ..Options::default() };
    let store = SqliteStore::open_with(desk.path().join("s.db"), Arc::new(clock.clone()), options).unwrap();
    let (portfolio, owner) = (portfolio.parse().unwrap(), owner.parse().unwrap());
    let lease = clock.run(store.acquire(&portfolio, &owner, LeaseTerms::default())).unwrap().unwrap();
    (store, lease)
}

/// A process that holds a lease and sleeps: this one, by a clock that has stopped two years ago.
#[test]
fn a_lease_that_has_run_out_is_not_shown_as_held() {
    let desk = desk(GROWTH, "0a");
    replay(&desk, 1).done();
    let (asleep, lease) = held(&desk, "growth", "sleeper", &clock());
    check(
        &desk.run("status --store s.db"),
        &expect![[r#"
            portfolio  standing  records  last change           open batch  lease
            ────────── ───────── ──────── ───────────────────── ─────────── ──────────────────────────────────────────────────────────────────────────────
            growth     active          9  2024-01-02T12:00:00Z              sleeper lapsed at 2024-01-01T00:01:00Z (token 3): free for whoever comes next

            1 portfolio: 1 active
        "#]],
    );
    check(
        &desk.run("status --store s.db --format json"),
        &expect![[r#"
            {"type":"portfolio","portfolio":"growth","standing":"active","records":9,"token":2,"changed_at":"2024-01-02T12:00:00Z","open_batch":null,"lease":{"holder":"sleeper","token":3,"granted_at":"2024-01-01T00:00:00Z","until":"2024-01-01T00:01:00Z","ended":false,"lapsed":true},"newer":null}
            {"type":"summary","portfolios":1,"open_batches":0,"stale":0,"quarantined":0,"alerts":0,"halts":0}
        "#]],
    );
    clock().run(LeaseStore::release(&asleep, &lease)).unwrap().unwrap();
}

#[test]
fn who_works_on_a_portfolio_is_told_before_any_plan() {
    let desk = stale();
    let _held = held(&desk, "whale", "worker-7", &ahead());
    let run = resolve(&desk, "--retry");
    assert!(run.refused(2).contains("whale is busy: worker-7 works on it"), "{run:?}");
}

/// What is due at a wave must not be passed over because somebody else is at work: that one may end before it gets there.
#[test]
fn a_replay_ends_that_meets_another_at_work_and_is_made_up_for_later() {
    let undisturbed = desk(GROWTH, "0b");
    replay(&undisturbed, 5).done();
    // Once more: everything has happened by then, so its first line only says where the portfolio stands.
    let again = "replay --portfolios p.toml --prices p.csv --store s.db --bank b.db --records portfolios --format json";
    let standing = |desk: &Desk| desk.run(again).done().lines().next().unwrap().to_owned();

    let desk = desk(GROWTH, "0b");
    replay(&desk, 2).done();
    let (store, lease) = held(&desk, "growth", "worker-7", &ahead());
    expect![[r#"
        note: what was printed happened; whatever came after it is in the store, if there is one
        error: rebalancing: growth is busy: worker-7 holds its lease
    "#]]
    .assert_eq(replay(&desk, 5).refused(3));
    assert_eq!(sent(&desk), 4, "two batches of two orders, as before");

    ahead().run(LeaseStore::release(&store, &lease)).unwrap().unwrap();
    drop(store);
    replay(&desk, 5).done();
    assert!(standing(&desk).contains(r#""rebalances":5"#));
    assert_eq!(standing(&desk), standing(&undisturbed));
    assert_eq!(sent(&desk), sent(&undisturbed));
}

#[test]
fn a_store_is_not_continued_on_a_bank_that_is_not_there() {
    let desk = Desk::new();
    desk.file("p.toml", GROWTH).file("p.csv", format!("date,symbol,close\n{}", DAYS[0]));
    let replay = "replay --portfolios p.toml --prices p.csv --store s.db --bank";
    desk.run(&format!("{replay} b.db")).done();
    let run = desk.run(&format!("{replay} bb.db"));
    assert!(run.refused(2).contains("bb.db: there is no such bank, and the store has portfolios already"), "{run:?}");
    assert!(!desk.path().join("bb.db").exists());
    desk.run(&format!("{replay} b.db")).done();
}

#[test]
fn what_was_refused_while_it_was_halted_goes_on_where_the_bank_is() {
    let desk = Desk::new();
    let priced = |day: String, n: u32| format!("{day},META,{}\n{day},AAPL,80\n", 100 + n * n % 50);
    let month = |month: &str| (1..=28).map(|n| priced(format!("2024-{month}-{n:02}"), n)).collect::<String>();
    let (days, later) = (month("02"), month("03"));
    desk.file("p.toml", GROWTH).file("p.csv", format!("date,symbol,close\n{}", DAYS[0]));
    let replay = "replay --portfolios p.toml --prices p.csv --broker banchile --store s.db --bank b.db";
    desk.run(replay).done();
    desk.run("halt --store s.db --everything --who ann --why feed").done();
    desk.file("p.csv", format!("date,symbol,close\n{days}"));
    assert!(desk.run(replay).done().contains("halted by ann"));
    desk.run("release --store s.db --everything --who ann --why right").done();
    desk.file("p.csv", format!("date,symbol,close\n{days}{later}"));
    let run = desk.run(replay);
    assert!(run.done().contains(" completed"), "{run:?}");
    assert!(desk.run("reconcile --store s.db --bank b.db").done().contains("growth: books and broker agree"));
}
