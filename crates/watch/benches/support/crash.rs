//! A crash of the market: everybody is found at once.

use super::exact::Plain;
use super::scan::Scan;
use super::table::{Table, median};
use super::world::{Draws, Size, World, number, prices};
use crate::{ROUNDS, SEED, filled, time};
use evenkeel_domain::values::Timestamp;
use evenkeel_watch::most_urgent_first;
use std::hint::black_box;

/// Every price falls by 5 to 35 % at once, which puts nearly everybody out of band: all are found, with drift and urgency, and put in the order of
/// need. Then prices are as before, for the next round.
pub(crate) fn crash(table: &mut Table, size: Size) {
    let world = World::new(size, SEED);
    let (mut watch, _) = filled(&world);
    watch.judge_all(Timestamp::EPOCH);
    let mut plain = Plain::new(&world, size.portfolios);
    let mut scan = Scan::new(&world);
    let mut draws = Draws(SEED + 1);
    let before: Vec<(u32, u64)> = (0..).zip(world.prices.iter().copied()).collect();
    let (mut ours, mut by_domain, mut by_scan, mut by_finding) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut fallen = |price: u64| price / 100_000 * (65_000 + draws.below(30_000) as u64);
        let after: Vec<(u32, u64)> = before.iter().map(|(symbol, price)| (*symbol, fallen(*price))).collect();
        let (given, mut found) = (prices(&after), Vec::new());
        let finding = time(|| found = watch.wave(Timestamp::EPOCH, &given));
        let all = finding + time(|| most_urgent_first(&mut found));
        watch.wave(Timestamp::EPOCH, &prices(&before));
        let each = all.as_secs_f64() / size.portfolios as f64;
        ours.push(each * 1e6);
        plain.set_prices(&after);
        let of_plain = time(|| {
            black_box(plain.by_need());
        });
        by_domain.push(of_plain.as_secs_f64() / plain.len() as f64 / each);
        if let Some(scan) = &mut scan {
            let (scanned, out) = scan.wave(&after);
            let (with_need, by_need) = scan.need(&after);
            scan.settle(&before);
            let by_our_need = found.iter().map(|finding| number(finding.portfolio()));
            let elsewhere = by_our_need.zip(&by_need).filter(|(ours, theirs)| ours != *theirs).count();
            if out.len() != found.len() || by_need.len() != found.len() || elsewhere > 0 {
                eprintln!("a scan finds {} of {} out of band, {elsewhere} in other places", out.len(), found.len());
            }
            by_finding.push(scanned.as_secs_f64() / finding.as_secs_f64());
            by_scan.push(with_need.as_secs_f64() / all.as_secs_f64());
        }
    }
    let what = "finding everybody, with drift and by need";
    table.figure(size.name, format!("{what}, in µs per portfolio"), median(ours));
    table.figure(size.name, format!("{what}, against the domain's decision"), median(by_domain));
    if scan.is_some() {
        table.figure(size.name, format!("{what}, against a vectorised scan"), median(by_scan));
        let what = "finding alone, ours with drift and urgency, against a vectorised scan";
        table.figure(size.name, what, median(by_finding));
    }
}
