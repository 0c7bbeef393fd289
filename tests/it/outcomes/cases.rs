//! Random plans with a fate for every order, and what may happen in the middle of it.

use crate::answers::slow;
use crate::restore::costly;
use crate::world::{World, definition, p, seconds};
use evenkeel_banchile::{Fault, Part, Profile, Rule};
use evenkeel_domain::books::Books;
use evenkeel_domain::order::{Attempt, Direction, NotSent, RefusalReason};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{Money, Percentage, Price, Quantity};
use evenkeel_engine::Settings;
use proptest::prelude::*;
use proptest::sample::select;

const SYMBOLS: [&str; 5] = ["AAPL", "AMZN", "GOOGL", "META", "MSFT"];

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Filled,
    Refused,
    NotSent,
    Rejected,
    /// So many percent are executed, then the broker cancels it.
    PartThenCanceled(u8),
    /// So many percent are executed, and it is canceled at its deadline.
    PartThenOpen(u8),
    LostAnswer,
    LostRequest,
    /// Executed so many seconds late.
    Late(u8),
    /// Executed so many seconds after its cancel took effect.
    LateAfterCancel(u8),
    Slow(u8),
    Doubled,
}

impl Fate {
    fn fault(self) -> Option<Fault> {
        let part = |percent| Part::Share(Percentage::from_units(i64::from(percent) * 10_000).unwrap());
        let delay = |secs| seconds(u64::from(secs));
        Some(match self {
            Self::Filled => return None,
            Self::Refused => Fault::Refuse(RefusalReason::NotTradable),
            Self::NotSent => Fault::NotSent(NotSent::Unreachable),
            Self::Rejected => Fault::RejectAfterAck,
            Self::PartThenCanceled(percent) => Fault::PartialThenCancel(part(percent)),
            Self::PartThenOpen(percent) => Fault::PartialThenWork(part(percent)),
            Self::LostAnswer => Fault::LoseAnswer,
            Self::LostRequest => Fault::LoseRequest,
            Self::Late(secs) => Fault::LateFill { delay: delay(secs) },
            Self::LateAfterCancel(secs) => Fault::LateFillAfterCancel { delay: delay(secs) },
            Self::Slow(secs) => Fault::Slow { delay: delay(secs) },
            Self::Doubled => Fault::DoubleAnswer,
        })
    }
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Filled),
        2 => Just(Fate::Refused),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::Rejected),
        2 => (0..=100_u8).prop_map(Fate::PartThenCanceled),
        1 => (0..=100_u8).prop_map(Fate::PartThenOpen),
        1 => Just(Fate::LostAnswer),
        1 => Just(Fate::LostRequest),
        1 => (0..90_u8).prop_map(Fate::Late),
        1 => (0..9_u8).prop_map(Fate::LateAfterCancel),
        1 => (0..90_u8).prop_map(Fate::Slow),
        1 => Just(Fate::Doubled),
    ]
}

/// One symbol of a portfolio, and what becomes of its orders: forward, and the first three reversals.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) price: Price,
    held: Quantity,
    share: u32,
    forward: Fate,
    reverse: [Fate; 3],
}

#[derive(Debug, Clone)]
pub(super) struct Case {
    broker: &'static str,
    cash: Money,
    lines: Vec<Line>,
    legs_at_once: usize,
}

pub(super) fn cases() -> impl Strategy<Value = Case> {
    let price = (1..=100_000_u64).prop_map(|cents| Price::from_nanos(cents * 10_000_000).unwrap());
    let held =
        prop_oneof![Just(0_u128), (1..1_000_u128).prop_map(|whole| whole * 1_000_000_000), 1..1_000_000_000_000_u128];
    let held = held.prop_map(|nanos| Quantity::from_nanos(nanos).unwrap());
    let line = (price, held, 0..=20_u32, fates(), [fates(), fates(), fates()])
        .prop_map(|(price, held, share, forward, reverse)| Line { price, held, share, forward, reverse });
    let cash = (0..=10_000_000_i64).prop_map(|cents| Money::from_cents(cents).unwrap());
    let broker = select(vec!["ideal", "slow", "costly"]);
    (broker, cash, prop::collection::vec(line, 1..=SYMBOLS.len()), select(vec![1, 2, 16]))
        .prop_map(|(broker, cash, lines, legs_at_once)| Case { broker, cash, lines, legs_at_once })
}

impl Case {
    fn profile(&self) -> Profile {
        match self.broker {
            "slow" => slow(),
            "costly" => costly(),
            _ => Profile::ideal(),
        }
    }

    pub(super) fn world(&self) -> World {
        let settings = Settings { legs_at_once: self.legs_at_once, patience: seconds(300), ..Settings::unlimited() };
        let world = World::with_settings(self.profile(), settings);
        let books = Books::new(self.cash, self.lines().map(|(symbol, line)| (p(symbol), line.held)));
        world.broker.open_account(&p("growth"), p("USD"), books.cash, books.holdings()).unwrap();
        let targets = self.targets();
        let targets: Vec<(&str, &str)> = targets.iter().map(|(target, weight)| (*target, weight.as_str())).collect();
        let definition = definition("growth", &targets, Policy::default());
        world.run(world.engine.add(&p("growth"), definition, books)).unwrap();
        world.wave_of(self.lines().map(|(symbol, line)| (p(symbol), line.price)).collect());
        world.script(self.rules());
        world
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (&'static str, &Line)> {
        SYMBOLS.into_iter().zip(&self.lines)
    }

    /// Weights in proportion to the shares; a share of 0 is no target. The rest is for cash.
    fn targets(&self) -> Vec<(&'static str, String)> {
        let sum: u32 = self.lines.iter().map(|line| line.share).sum::<u32>() + 5;
        let mut rest = 100;
        let mut targets = Vec::new();
        for (symbol, line) in self.lines() {
            let weight = line.share * 100 / sum;
            rest -= weight;
            targets.extend((weight > 0).then(|| (symbol, weight.to_string())));
        }
        targets.push(("CASH", rest.to_string()));
        targets
    }

    fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (symbol, line) in self.lines() {
            let of = |fate: Fate, direction| fate.fault().map(|f| Rule::new(f).symbol(p(symbol)).direction(direction));
            rules.extend(of(line.forward, Direction::Forward));
            for (n, fate) in (1..).zip(line.reverse) {
                let rule = of(fate, Direction::Reverse);
                rules.extend(rule.map(|rule| rule.attempt(Attempt::new(n).unwrap())));
            }
        }
        rules
    }
}

/// Something that happens while a batch is under way, or instead of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trouble {
    /// The worker ends at this point.
    Crash(u16),
    /// Prices of all symbols move by so many percent after so many seconds.
    Prices(u8, i8),
    /// A person aborts after so many seconds.
    Abort(u8),
    /// The engine is shut down after so many seconds.
    Stop(u8),
}

pub(super) fn troubles() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        4 => (0..60_u16).prop_map(Trouble::Crash),
        2 => (0..300_u16).prop_map(Trouble::Crash),
        1 => (0..90_u8, -50..=50_i8).prop_map(|(after, percent)| Trouble::Prices(after, percent)),
        1 => (0..90_u8).prop_map(Trouble::Abort),
        1 => (0..90_u8).prop_map(Trouble::Stop),
    ]
}
