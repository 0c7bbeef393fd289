//! Two replays on one store and bank, each in a time of its own, moved step by step: as two processes that sleep and wake up.

use super::{Account, Lines};
use crate::wiring::{SimulationPlan, Weather, open_bank, open_store};
use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition, Quote};
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{Symbol, Timestamp};
use evenkeel_engine::{EngineError, Settings};
use evenkeel_ports::Wave;
use std::path::Path;

/// What META costs from day to day, while AAPL stays: a batch a day.
const DAYS: [(&str, &str); 5] = [
    ("2024-01-01T12:00:00Z", "100"),
    ("2024-01-02T12:00:00Z", "150"),
    ("2024-01-03T12:00:00Z", "80"),
    ("2024-01-04T12:00:00Z", "120"),
    ("2024-01-05T12:00:00Z", "180"),
];

fn noon(day: usize) -> Timestamp {
    DAYS[day].0.parse().unwrap()
}

/// A replay that is at its beginning, or goes on where the store and the bank are.
fn begin(folder: &Path) -> Account {
    let store = open_store(&folder.join("s.db")).unwrap();
    let bank = open_bank(&folder.join("b.db"), &store, Weather::Ideal, 1).unwrap();
    let half = |symbol: &str| (Target::Symbol(symbol.parse().unwrap()), "50".parse().unwrap());
    let definition = Definition {
        account: "growth".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        allocation: TargetAllocation::new([half("AAPL"), half("META")]).unwrap(),
        policy: Policy::default(),
    };
    let plan = SimulationPlan {
        id: "growth".parse().unwrap(),
        definition,
        books: Books::new("100000.00".parse().unwrap(), []),
        weather: Weather::Ideal,
        settings: Settings::unlimited(),
        seed: 1,
        store: Some(store),
        bank: Some(bank),
    };
    Account::new(plan, noon(0)).unwrap()
}

/// Shows it these days, up to the first error.
fn go(account: &mut Account, days: impl IntoIterator<Item = usize>) -> Result<(), EngineError> {
    days.into_iter().try_for_each(|day| {
        let price = |symbol: Symbol| if symbol.to_string() == "META" { DAYS[day].1 } else { "100" }.parse().unwrap();
        let prices = ["AAPL", "META"].map(|name| name.parse().unwrap()).map(|symbol| (symbol, price(symbol)));
        let wave = Wave { at: noon(day), label: format!("day {day}"), prices: prices.to_vec() };
        let next = DAYS.iter().skip(day).nth(1).map(|(noon, _)| noon.parse().unwrap());
        account.wave(&wave, next, |symbol| Some(Quote { price: price(symbol), at: wave.at }), &mut Lines::new())
    })
}

fn batches(account: &Account) -> u64 {
    account.state().unwrap().tally.completed
}

#[test]
fn one_that_was_overtaken_does_not_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut sleeper = begin(folder.path());
    go(&mut sleeper, 0..1).unwrap();
    let mut other = begin(folder.path());
    go(&mut other, 0..3).unwrap();
    assert_eq!(batches(&other), 3, "what the sleeper has done is not done again");
    // It wakes up on the day on which the other already was, and finds all done; a day that is over is not its own any more.
    let overtaken = go(&mut sleeper, 1..2);
    let is_overtaken =
        matches!(overtaken, Err(EngineError::Refused { cause: Refusal::Earlier { last, .. }, .. }) if last == noon(2));
    assert!(is_overtaken, "{overtaken:?}");
    go(&mut other, 3..5).unwrap();
    assert_eq!(batches(&begin(folder.path())), 5);
}

#[test]
fn two_side_by_side_do_the_work_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (begin(folder.path()), begin(folder.path()));
    for day in 0..DAYS.len() {
        go(&mut one, day..=day).unwrap();
        go(&mut other, day..=day).unwrap();
    }
    assert_eq!(batches(&begin(folder.path())), 5);
}
