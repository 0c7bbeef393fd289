//! A replay that keeps its records in a store: it goes on where it was killed, and operators see what happened.

use crate::harness::{Desk, Killed};
use evenkeel_sqlite::StoreReader;

const PORTFOLIOS: &str = r#"
[[portfolio]]
id = "growth"
currency = "USD"
cash = "100000.00"
targets = { META = "50", AAPL = "50" }

[[portfolio]]
id = "income"
currency = "USD"
cash = "50000.00"
targets = { META = "20", AAPL = "40", CASH = "40" }
[portfolio.policy]
band = "2"
"#;

fn desk(days: u32) -> Desk {
    let desk = Desk::new();
    desk.file("p.toml", PORTFOLIOS);
    let prices = desk.run(&format!("prices --seed 7 --days {days} --symbols 2"));
    let prices = prices.done().replace("MSFT", "META");
    desk.file("p.csv", prices);
    desk
}

const REPLAY: &str = "replay --portfolios p.toml --prices p.csv --format json";

/// The lines of portfolios, which a replay ends with.
fn portfolios(stdout: &str) -> Vec<&str> {
    stdout.lines().filter(|line| line.starts_with(r#"{"type":"portfolio""#)).collect()
}

#[test]
fn a_store_changes_nothing_of_what_a_replay_prints_but_the_names_of_its_batches() {
    let desk = desk(250);
    let nameless = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("elapsed_seconds"));
        lines
            .map(|line| {
                line.split(r#","batch":""#).map(|part| part.split_once('"').map_or(part, |(_, rest)| rest)).collect()
            })
            .collect()
    };
    let plain = desk.run(REPLAY);
    let stored = desk.run(&format!("{REPLAY} --store s.db"));
    assert_eq!(nameless(stored.done()).len(), nameless(plain.done()).len());
    assert_eq!(portfolios(stored.done()), portfolios(plain.done()));
    // Once more over the same prices: everything has happened already.
    let again = desk.run(&format!("{REPLAY} --store s.db"));
    assert_eq!(portfolios(again.done()), portfolios(plain.done()));
    assert_eq!(again.stdout.matches(r#""type":"rebalance""#).count(), 0);
    // The file's cash is only where a portfolio begins.
    desk.file("p.toml", PORTFOLIOS.replace("100000.00", "1.00"));
    assert_eq!(portfolios(desk.run(&format!("{REPLAY} --store s.db")).done()), portfolios(plain.done()));
}

#[test]
fn a_replay_killed_again_and_again_ends_as_one_that_never_was() {
    let desk = desk(500);
    let whole = desk.run(REPLAY);
    let line = format!("{REPLAY} --store s.db");
    for attempt in 0..10_u64 {
        let before = records(&desk);
        let mut replay = Killed::start(&mut desk.command(&line));
        // Once while it makes the store, then each time after some more records.
        assert!(replay.until(|| records(&desk) >= before + attempt * 7), "attempt {attempt}: it has ended");
        assert_eq!(replay.kill(), "", "attempt {attempt}");
    }
    let last = desk.run(&line);
    assert_eq!(portfolios(last.done()), portfolios(whole.done()));
    assert!(desk.run("audit --store s.db --verify").done().contains("whole: "));
}

/// How many records the store has; none if there is no store, or not yet.
fn records(desk: &Desk) -> u64 {
    let portfolios = StoreReader::open(desk.path().join("s.db")).ok().and_then(|reader| reader.portfolios().ok());
    portfolios.unwrap_or_default().iter().map(|status| status.head.sequence.get()).sum()
}

fn batch_is_open(desk: &Desk) -> bool {
    let portfolios = StoreReader::open(desk.path().join("s.db")).ok().and_then(|reader| reader.portfolios().ok());
    portfolios.unwrap_or_default().iter().any(|status| status.open_batch.is_some())
}

#[test]
fn status_shows_where_every_portfolio_stands() {
    let desk = desk(60);
    desk.run(&format!("{REPLAY} --store s.db")).done();
    let status = desk.run("status --store s.db");
    assert!(status.done().starts_with("portfolio  standing  records"), "{}", status.stdout);
    assert!(status.stdout.ends_with("2 portfolios: 2 active\n"), "{}", status.stdout);
    let one = desk.run("status --store s.db --portfolio income --format json");
    let lines: Vec<&str> = one.done().lines().collect();
    assert!(lines[0].starts_with(r#"{"type":"portfolio","portfolio":"income","standing":"active","#), "{}", lines[0]);
    assert!(lines[1].starts_with(r#"{"type":"summary","portfolios":1,"open_batches":0,"stale":0,"#), "{}", lines[1]);
}

#[test]
fn what_is_halted_is_not_traded_until_it_is_released() {
    let desk = desk(30);
    desk.run("replay --portfolios p.toml --prices p.csv --store s.db").done();
    let halted = desk.run("halt --store s.db --portfolio growth --who ann --why feed");
    assert!(halted.done().starts_with("the portfolio growth was halted by ann at "), "{}", halted.stdout);
    assert!(desk.run("status --store s.db").done().contains("Halted\n  the portfolio growth was halted by ann"));

    desk.file("p.csv", "date,symbol,close\n2030-01-02,META,10\n2030-01-02,AAPL,1000\n");
    let replayed = desk.run(&format!("{REPLAY} --store s.db"));
    let refused: Vec<&str> = replayed.done().lines().filter(|line| line.contains("halted by ann")).collect();
    assert!(refused[0].starts_with(r#"{"type":"refused","at":"2030-01-02","portfolio":"growth""#), "{replayed:?}");
    assert_eq!(replayed.stdout.matches(r#""type":"rebalance""#).count(), 1, "income goes on");

    assert_eq!(
        desk.run("release --store s.db --portfolio growth --who ann --why ok").done(),
        "the portfolio growth is released\n"
    );
    let again = desk.run("release --store s.db --portfolio growth --who ann --why ok");
    assert!(again.refused(2).contains("the portfolio growth is not halted: nothing has changed"), "{again:?}");
    let typo = desk.run("halt --store s.db --portfolio grwoth --who ann --why typo");
    assert!(typo.refused(2).contains("grwoth"), "{typo:?}");
    assert!(!desk.run("status --store s.db").stdout.contains("grwoth"));
    assert_eq!(desk.run(&format!("{REPLAY} --store s.db")).done().matches(r#""type":"rebalance""#).count(), 1);
}

#[test]
fn an_audit_tells_a_batch_from_beginning_to_end() {
    let desk = desk(5);
    desk.run(&format!("{REPLAY} --store s.db")).done();
    let told = desk.run("audit --store s.db --portfolio growth");
    let lines: Vec<&str> = told.done().lines().collect();
    assert_eq!(lines[0], "2024-01-02T12:00:00Z #1 added on the account growth with 100000.00 in cash");
    assert!(lines[1].contains(" #2 batch ") && lines[1].contains(" opened: 2 legs, drift 100.0000 (relative); buy "));
    assert!(lines.iter().any(|line| line.contains("batch closed: completed, cost ")), "{lines:?}");
    let batch = lines[1].split_whitespace().nth(3).unwrap();
    let csv = desk.run(&format!("audit --store s.db --batch {batch} --format csv"));
    assert!(csv.done().starts_with("at,portfolio,record,token,kind,batch,order,text,leg,direction,"), "{}", csv.stdout);
    assert_eq!(
        csv.stdout.lines().count(),
        1 + lines
            .iter()
            .filter(|line| !line.contains("#1 ") && (line.contains('#') || line.starts_with("  leg")))
            .count()
    );
    let json = desk.run("audit --store s.db --format json");
    assert!(json.done().lines().all(|line| line.starts_with(r#"{"type":"record","at":"#)));
}

#[test]
fn damage_is_named_and_needs_a_person() {
    let desk = desk(5);
    desk.run(&format!("{REPLAY} --store s.db")).done();
    let path = desk.path().join("s.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = b"100000.00";
    let places: Vec<usize> =
        bytes.windows(needle.len()).enumerate().filter(|(_, w)| w == needle).map(|(at, _)| at).collect();
    places.into_iter().for_each(|at| bytes[at] = b'2');
    std::fs::write(&path, bytes).unwrap();
    let verified = desk.run("audit --store s.db --verify");
    assert_eq!((verified.code, verified.stderr.as_str()), (1, ""));
    // Which row is the first that was changed depends on the file's layout: an amount that lies across two pages is not found above.
    let named =
        verified.stdout.starts_with("s.db: damaged: row ") && verified.stdout.contains(" of journal of growth: ");
    assert!(named, "{}", verified.stdout);
    assert_eq!(desk.run("audit --store s.db --portfolio growth").code, 3);
}

#[test]
fn what_is_no_store_is_refused() {
    let desk = Desk::new();
    desk.file("s.db", "not a database, but as long as one: ".repeat(10));
    for (line, told) in [
        (
            "status --store gone.db",
            "gone.db: there is no store at gone.db; name a store that replay --store or a service has made\n",
        ),
        (
            "audit --store s.db",
            "s.db: s.db is not a store of Evenkeel: it is no SQLite database; name another file; nothing was changed in this one\n",
        ),
        (
            "halt --store gone.db --everything --who ann --why x",
            "gone.db: there is no store at gone.db; name a store that replay --store or a service has made\n",
        ),
    ] {
        let run = desk.run(line);
        assert!(run.refused(2).starts_with(told), "{line}: {}", run.stderr);
    }
    assert!(!desk.path().join("gone.db").exists(), "looking makes nothing");
    for line in [
        "halt --store s.db --who ann --why x",
        "halt --store s.db --everything --symbol META --who ann --why x",
        "release --store s.db --everything --why x",
    ] {
        assert_eq!(desk.run(line).code, 2, "{line}");
    }
}

#[test]
fn an_operator_finds_a_difference_and_accepts_it() {
    let desk = desk(20);
    let line = format!("{REPLAY} --store s.db --bank b.db --broker banchile");
    desk.run(&line).done();
    let files = "--store s.db --bank b.db";
    let told = desk.run(&format!("reconcile {files}"));
    assert_eq!(told.done(), "growth: books and broker agree\nincome: books and broker agree\n");
    assert_eq!(desk.run(&format!("recover {files}")).done(), "no batch is open\n");

    // Somebody pays ten dollars in at the bank, and tells nobody.
    pay_in(&desk, "growth", "10.00");
    let told = desk.run(&format!("reconcile {files} --portfolio growth"));
    assert_eq!((told.code, told.stderr.as_str()), (1, ""));
    assert!(told.stdout.starts_with("growth: quarantined: cash: "), "{}", told.stdout);
    let status = desk.run("status --store s.db");
    assert_eq!(status.code, 1);
    assert!(status.stdout.contains("1 active and 1 quarantined. Something needs a person"), "{}", status.stdout);

    let resolve = format!("resolve {files} --portfolio growth --accept --who ann --why looked");
    let asked = desk.run(&resolve);
    assert_eq!(asked.code, 1);
    assert!(asked.stdout.contains("growth is quarantined\n  cash: "), "{}", asked.stdout);
    assert!(asked.stdout.ends_with("say --yes to do it without being asked\nnothing was done\n"), "{}", asked.stdout);
    let alerts = desk.run("alerts --store s.db");
    assert_eq!(alerts.code, 1);
    assert!(
        alerts.stdout.contains(" growth (record ") && alerts.stdout.contains("): quarantined: cash: "),
        "{}",
        alerts.stdout
    );
    assert!(desk.run("alerts --store s.db --acknowledge").done().ends_with("\n1 alert acknowledged\n"));
    assert_eq!(desk.run("alerts --store s.db").done(), "0 alerts not acknowledged\n");
    let done = desk.run(&format!("{resolve} --yes"));
    assert!(done.done().ends_with("growth: resolved, and active again\n"), "{}", done.stdout);
    desk.run(&format!("reconcile {files}")).done();
    assert!(
        desk.run("audit --store s.db --portfolio growth")
            .done()
            .contains("resolved by ann: the broker's positions are the books")
    );
    // There is nothing left to resolve, and nothing to abort.
    for line in [format!("{resolve} --yes"), format!("abort {files} --portfolio growth --who ann --why x")] {
        assert_eq!(desk.run(&line).code, 2, "{line}");
    }
}

fn pay_in(desk: &Desk, account: &str, amount: &str) {
    use evenkeel_banchile::{BanChile, BankFile, Profile};
    let store = evenkeel_sqlite::StoreReader::open(desk.path().join("s.db")).unwrap().store_id().unwrap();
    let (bank, profile) = BankFile::find(desk.path().join("b.db"), store, [Profile::calm()]).unwrap();
    let clock = evenkeel_memory::ManualClock::new("2024-01-01T00:00:00Z".parse().unwrap());
    let broker = BanChile::kept_in(&bank, &account.parse().unwrap(), profile, std::sync::Arc::new(clock)).unwrap();
    broker.deposit(&account.parse().unwrap(), amount.parse().unwrap()).unwrap();
}

#[test]
fn a_bank_that_does_not_belong_is_refused() {
    let desk = desk(5);
    desk.file("empty.db", "");
    desk.run(&format!("{REPLAY} --store s.db --bank b.db")).done();
    desk.run(&format!("{REPLAY} --store other.db")).done();
    for (line, told) in [
        (format!("{REPLAY} --store other.db --bank b.db"), "belongs to the store"),
        (
            format!("{REPLAY} --store s.db --bank b.db --broker banchile"),
            "is the bank of BanChile (ideal), seed 1, not of BanChile (calm), seed 1",
        ),
        (format!("{REPLAY} --store s.db --bank p.toml"), "is not a bank"),
        ("reconcile --store other.db --bank b.db".to_owned(), "belongs to the store"),
        ("recover --store s.db --bank empty.db".to_owned(), "empty.db is empty: nothing was ever sent to this bank"),
    ] {
        let run = desk.run(&line);
        assert!(run.refused(2).contains(told), "{line}: {}", run.stderr);
    }
    assert_eq!(desk.run(&format!("{REPLAY} --bank b.db")).code, 2, "a bank needs its store");
}

#[test]
fn what_a_killed_process_left_open_is_recovered() {
    let desk = desk(2_000);
    let line = format!("{REPLAY} --store s.db --bank b.db --broker banchile --profile storm");
    let mut recovered = 0;
    while recovered <= 2 {
        let mut replay = Killed::start(&mut desk.command(&line));
        // It may have closed that batch before it dies: then another time.
        assert!(replay.until(|| batch_is_open(&desk)), "no kill left a batch open");
        replay.kill();
        let told = desk.run("recover --store s.db --bank b.db");
        recovered += told.done().lines().filter(|line| line.contains(": batch ")).count();
    }
    let reconciled = desk.run("reconcile --store s.db --bank b.db");
    assert!(reconciled.done().lines().all(|line| line.ends_with(": books and broker agree")), "{}", reconciled.stdout);
}

#[test]
fn what_can_be_read_is_shown_beside_what_cannot() {
    let desk = desk(5);
    desk.run(&format!("{REPLAY} --store s.db")).done();
    let store = rusqlite::Connection::open(desk.path().join("s.db")).unwrap();
    let change = "UPDATE journal SET record = 'torn' WHERE portfolio = (SELECT number FROM portfolio WHERE id = 'growth') AND sequence = 2";
    assert_eq!(store.execute(change, []).unwrap(), 1);
    drop(store);
    let told = desk.run("audit --store s.db");
    assert_eq!(told.code, 3, "{told:?}");
    assert!(told.stderr.contains("growth"), "{}", told.stderr);
    assert!(told.stdout.contains(" income #1 ") && !told.stdout.contains(" growth #"), "{}", told.stdout);
}
