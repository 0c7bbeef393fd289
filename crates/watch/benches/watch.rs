//! How fast the watch is, as ratios against what a reader can run: an exact recompute, the domain's own decision, a vectorised scan where there is a
//! numpy, and the memory itself.
//!
//! `cargo bench -p evenkeel-watch` prints one table in Markdown; `-- --json FILE` writes its rows too; `-- W1`, or another of [`WORLDS`], runs that alone;
//! `-- --quick` runs all of it on small worlds. Each pair is run in turns, block by block, and each figure is the median over rounds. Every wave's findings are compared
//! with the exact recompute.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot be set up says so and ends")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    reason = "made-up portfolios of known size, and times"
)]

#[path = "../../domain/benches/support/rows.rs"]
mod rows;
#[path = "support/mod.rs"]
mod support;

use evenkeel_domain::values::{Price, Symbol, Timestamp};
use evenkeel_watch::{Settings, Watch};
use rows::Rows;
use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};
use support::crash::crash;
use support::exact::{Exact, Plain};
use support::memory::{Memory, resident};
use support::scan::Scan;
use support::table::{Row, Table, median};
use support::world::{Draws, Size, World, id, number, prices};

const SEED: u64 = 1;
const ROUNDS: usize = 9;

const W1: Size =
    Size { name: "W1", portfolios: 1_000_000, holdings: 10, symbols: 8_000, tick: 0.000_3, tick_of_all: 0.000_05 };
const W2: Size = Size { name: "W2", portfolios: 100_000, holdings: 50, ..W1 };
const W3: Size = Size { name: "W3", portfolios: 100, holdings: 50, symbols: 500, tick: 0.000_5, tick_of_all: 0.000_3 };

const CRASH: Size = Size { name: "crash", portfolios: 200_000, ..W1 };
const WORLDS: [&str; 5] = ["W1", "W2", "W3", "scaling", "crash"];

/// How far every price goes in the waves that are hard for the watch, as a share.
const FURTHER: f64 = 0.000_5;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_quick = Rows::is_quick() || !arguments.iter().any(|argument| argument == "--bench");
    let names = worlds(&arguments)?;
    let named = |name: &str| names.is_empty() || names.contains(&name);
    // Small enough to take seconds: the figures then mean nothing, and only the agreement is of interest.
    let sized = |size: Size| if is_quick { Size { portfolios: size.portfolios.min(2_000), ..size } } else { size };
    let mut table = Table::new(SEED, ROUNDS);
    for (size, waves) in [(W1, [1, 100, 8_000]), (W2, [1, 100, 8_000]), (W3, [10, 20, 100])] {
        if named(size.name) {
            run(&mut table, sized(size), &waves);
        }
    }
    if named("scaling") {
        scaling(&mut table, if is_quick { 1_000 } else { 10_000 });
    }
    if named(CRASH.name) {
        crash(&mut table, sized(CRASH));
    }
    if is_quick {
        println!("\nSmall worlds: the figures mean nothing.");
    }
    print!("{}", table.markdown());
    table.put_into(&mut Rows::from_arguments()?)
}

/// Which worlds the arguments name.
fn worlds(arguments: &[String]) -> std::io::Result<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--json" => drop(rest.next()),
            "--bench" | "--quick" => {}
            name if WORLDS.contains(&name) => names.push(name),
            other => {
                return Err(std::io::Error::other(format!("{other} is none of {WORLDS:?}, --quick or --json FILE")));
            }
        }
    }
    Ok(names)
}

/// What a holding costs with more and more portfolios; and what two threads do together, each with half of the portfolios.
fn scaling(table: &mut Table, least: usize) {
    let mut few = Case::new(table, World::new(Size { name: "10,000", portfolios: least, ..W1 }, SEED));
    few.waves(table, 100);
    let mut more = Case::new(table, World::new(Size { name: "100,000", portfolios: least * 10, ..W1 }, SEED));
    more.waves(table, 100);
    let mut other = Case::new(table, World::new(Size { name: "two threads", portfolios: least * 10, ..W1 }, SEED));
    let ratios = (0..ROUNDS).map(|_| {
        let waves: Vec<Vec<(u32, u64)>> = more.world.waves(&mut more.draws, 100, 400);
        let waves: Vec<Vec<(Symbol, Price)>> = waves.iter().map(|wave| prices(wave)).collect();
        let run = |watch: &mut Watch| {
            for wave in &waves {
                black_box(watch.wave(Timestamp::EPOCH, wave));
            }
        };
        let one_by_one = time(|| {
            run(&mut more.watch);
            run(&mut other.watch);
        });
        let both = time(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| run(&mut more.watch));
                run(&mut other.watch);
            });
        });
        one_by_one.as_secs_f64() / both.as_secs_f64()
    });
    let ratios = ratios.collect();
    table.figure("two threads", "waves of 100, times the work of one thread", median(ratios));
}

fn run(table: &mut Table, size: Size, waves: &[usize]) {
    let world = World::new(size, SEED);
    let mut case = Case::new(table, world);
    case.scan = Scan::new(&case.world);
    for count in waves {
        case.waves(table, *count);
    }
    if size.name == "W1" {
        case.against_memory(table);
        case.world.size.tick_of_all = FURTHER;
        case.waves(table, size.symbols);
    }
}

/// One world and its contenders.
struct Case {
    world: World,
    watch: Watch,
    exact: Exact,
    /// The same recompute, that asks ahead.
    ahead: Exact,
    plain: Plain,
    /// Where there is one.
    scan: Option<Scan>,
    draws: Draws,
    found: usize,
}

/// A watch over a world, and how long the insertions took.
fn filled(world: &World) -> (Watch, Duration) {
    let mut watch = Watch::new(Settings::default());
    let all: Vec<(u32, u64)> = (0..).zip(world.prices.iter().copied()).collect();
    watch.wave(Timestamp::EPOCH, &prices(&all));
    let mut taken = Duration::ZERO;
    for first in (0..world.size.portfolios).step_by(1_000) {
        let some = first..(first + 1_000).min(world.size.portfolios);
        let some: Vec<_> = some.map(|number| (id(number), world.definition(number), world.books(number))).collect();
        taken += time(|| {
            for (id, definition, books) in &some {
                watch.insert(id, definition, books).unwrap();
            }
        });
    }
    (watch, taken)
}

impl Case {
    fn new(table: &mut Table, world: World) -> Self {
        // Later worlds use memory again that earlier ones gave back, so only the first can be measured.
        let before = resident().filter(|_| table.is_empty());
        let (mut watch, taken) = filled(&world);
        let name = world.size.name;
        let inserted = taken.as_secs_f64() * 1e6 / world.size.portfolios as f64;
        table.figure(name, "inserting a portfolio, in µs: seconds per million", inserted);
        if let (Some(before), Some(after)) = (before, resident()) {
            let bytes = after.saturating_sub(before) as f64 / watch.holdings() as f64;
            table.figure(name, "resident bytes per holding, all told", bytes);
        }
        let exact = Exact::new(&world);
        let plain = Plain::new(&world, world.size.portfolios.min(200_000 / world.size.holdings));
        // Everyone is looked at once before anything is measured.
        watch.judge_all(Timestamp::EPOCH);
        let ahead = exact.clone();
        Self { world, watch, exact, ahead, plain, scan: None, draws: Draws(SEED + 1), found: 0 }
    }

    /// Waves of so many symbols, in blocks: the watch, then the exact recompute, then the domain for the same number of decisions.
    fn waves(&mut self, table: &mut Table, count: usize) {
        let Size { name, symbols, portfolios, holdings, .. } = self.world.size;
        let entries = portfolios * holdings * count / symbols;
        let block = (4_000_000 / entries).clamp(1, 20_000);
        // Slower by orders of magnitude, so a part of them is enough.
        let scanned = (1_000_000 / entries).clamp(1, 200).min(block);
        let (mut ours, mut of_exact, mut of_plain) = (Vec::new(), Vec::new(), Vec::new());
        let (mut of_ahead, mut of_scan) = (Vec::new(), Vec::new());
        // The first round warms up.
        for round in 0..=ROUNDS {
            let waves: Vec<Vec<(u32, u64)>> = self.world.waves(&mut self.draws, count, block);
            let [watch, exact, ahead, scan] = self.block(&waves, count >= symbols, scanned);
            let affected = block * entries;
            let judged = (affected / holdings.min(count.max(1))).clamp(1, self.plain.len());
            let first = self.draws.below(self.plain.len());
            let plain = time(|| {
                let chosen = (0..judged).map(|number| (first + number * 7_919) % self.plain.len());
                black_box(self.plain.judge(chosen));
            });
            if round > 0 {
                let of = |time: Duration, holdings: usize| time.as_secs_f64() * 1e9 / holdings as f64;
                ours.push(of(watch, affected));
                of_exact.push(of(exact, affected));
                of_ahead.push(of(ahead, affected));
                of_scan.push(of(scan, scanned * entries));
                // One decision of the domain per affected portfolio.
                let portfolios = Self::portfolios_affected(&self.world.size, count) * block as f64;
                of_plain.push(plain.as_secs_f64() * 1e9 / judged as f64 * portfolios / affected as f64);
            }
        }
        let ratios = |theirs: &[f64]| median(theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours).collect());
        let what = match count {
            _ if count < symbols => format!("waves of {count}"),
            _ if self.world.size.tick_of_all == FURTHER => "all symbols, by 0.05 %".to_owned(),
            _ => "all symbols".to_owned(),
        };
        let [by_exact, by_ahead, by_domain] = [&of_exact, &of_ahead, &of_plain].map(|theirs| ratios(theirs));
        // A pass reads everything in one stream, and has nothing to ask ahead for.
        let by_ahead = (count < symbols).then_some(by_ahead);
        let by_scan = self.scan.is_some().then(|| ratios(&of_scan));
        table.row(Row {
            world: name,
            what,
            ours: median(ours.clone()),
            exact: median(of_exact.clone()),
            by_exact,
            by_ahead,
            by_domain,
            by_scan,
        });
    }

    /// How many different portfolios a wave of `count` symbols touches, on average.
    fn portfolios_affected(size: &Size, count: usize) -> f64 {
        let missed: f64 = (0..size.holdings)
            .map(|place| (size.symbols.saturating_sub(count + place)) as f64 / (size.symbols - place) as f64)
            .product();
        size.portfolios as f64 * (1.0 - missed)
    }

    /// The same waves first through the watch, then through the exact recompute; the findings of each wave must be the same. Who is out is
    /// rebalanced before the next wave, which is not part of the time. The first `scanned` of them go through the scan as well.
    fn block(&mut self, waves: &[Vec<(u32, u64)>], all: bool, scanned: usize) -> [Duration; 4] {
        let given: Vec<Vec<(Symbol, Price)>> = waves.iter().map(|wave| prices(wave)).collect();
        let mut taken = [Duration::ZERO; 4];
        let mut resets = Vec::new();
        let mut next = 0;
        while next < waves.len() {
            let (first, mut found) = (next, Vec::new());
            taken[0] += time(|| {
                while next < waves.len() && found.is_empty() {
                    found = self.watch.wave(Timestamp::EPOCH, &given[next]);
                    next += 1;
                }
            });
            self.world.set_prices(&waves[first..next]);
            let out: Vec<usize> = found.iter().map(|finding| number(finding.portfolio())).collect();
            for portfolio in &out {
                let total = self.world.value(*portfolio);
                self.world.rebalance(*portfolio, total);
                self.watch.set_books(&id(*portfolio), &self.world.books(*portfolio));
            }
            let books: Vec<_> = out.iter().map(|portfolio| self.world.of(*portfolio).to_vec()).collect();
            resets.push((first..next, out, books));
        }
        if let (Some(scan), 1..) = (&mut self.scan, scanned) {
            // The others have used the caches meanwhile: as theirs, its first is for warming up.
            scan.wave(&waves[0]);
        }
        for (stretch, out, books) in resets {
            let mut expected = Vec::new();
            taken[1] += time(|| {
                for wave in &waves[stretch.clone()] {
                    assert!(expected.is_empty(), "{stretch:?}: {expected:?}");
                    expected = if all { self.exact.pass(wave) } else { self.exact.affected(wave, false) };
                }
            });
            assert_eq!(out, expected, "{stretch:?}");
            if all {
                waves[stretch.clone()].iter().for_each(|wave| self.ahead.set_prices(wave));
            } else {
                taken[2] += time(|| {
                    for wave in &waves[stretch.clone()] {
                        expected = self.ahead.affected(wave, true);
                    }
                });
                assert_eq!(out, expected, "{stretch:?}");
            }
            taken[3] += self.scan(waves, stretch, &out, scanned);
            for (portfolio, books) in out.iter().zip(&books) {
                self.exact.set_books(*portfolio, books);
                self.ahead.set_books(*portfolio, books);
                if let Some(scan) = &mut self.scan {
                    scan.set_books(*portfolio, books);
                }
            }
            self.found += out.len();
        }
        if let Some(scan) = &mut self.scan {
            scan.settle(&[]);
        }
        taken
    }

    /// What the scan takes for those of a stretch of waves that are among the first `scanned`: only the last puts somebody out.
    fn scan(&mut self, waves: &[Vec<(u32, u64)>], stretch: Range<usize>, out: &[usize], scanned: usize) -> Duration {
        let (Some(scan), mut taken) = (&mut self.scan, Duration::ZERO) else { return Duration::ZERO };
        for place in stretch.clone() {
            if place >= scanned {
                scan.set_prices(&waves[place]);
                continue;
            }
            let (time, found) = scan.wave(&waves[place]);
            taken += time;
            let expected = if place + 1 == stretch.end { out } else { &[] };
            if found != expected {
                eprintln!("a scan finds {found:?} out of band, and {expected:?} are");
            }
        }
        taken
    }

    /// One-symbol waves, in turns with the least that memory allows: a random line and twelve streamed bytes per holding.
    fn against_memory(&mut self, table: &mut Table) {
        let mut memory = Memory::new(&self.world);
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let waves: Vec<Vec<(u32, u64)>> = self.world.waves(&mut self.draws, 1, 1_000);
            let [ours, ..] = self.block(&waves, false, 0);
            let least = time(|| {
                for wave in &waves {
                    memory.touch(wave[0].0);
                }
            });
            ratios.push(ours.as_secs_f64() / least.as_secs_f64());
        }
        table.figure(
            self.world.size.name,
            "waves of 1, against one random line and 12 streamed bytes per holding",
            median(ratios),
        );
    }
}

fn time(work: impl FnOnce()) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a bench measures the time that passes, and decides nothing by it")]
    let start = Instant::now();
    work();
    start.elapsed()
}
