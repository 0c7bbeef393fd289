//! Rigs with a hand missing: what they cannot do or tell is reported as not shown, never as passed.

use super::rig::SimulatedRig;
use evenkeel_banchile::Profile;
use evenkeel_conformance::broker::{self, BrokerRig, Fault, Truth};
use evenkeel_conformance::{Cannot, Check, Rig, Verdict};
use evenkeel_domain::order::Side;
use evenkeel_domain::values::{AccountId, Currency, Money, Price, Quantity, Symbol, Timestamp};
use evenkeel_ports::Broker;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What a rig may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    SetPrice,
    Fund,
    Hold,
    ClosesAt,
    CloseMarket,
    OpensAt,
    OpenMarket,
    Halt,
    Block,
    TradeByOthers,
    Successor,
    Force,
    FailQuestions,
    SettlesAfter,
    Truth,
    CountRequests,
}

/// A whole rig without one hand, which counts how often that is asked for.
struct Without {
    hand: Hand,
    asked: AtomicU32,
    whole: SimulatedRig,
}

impl Without {
    fn new(hand: Hand) -> Self {
        let whole = SimulatedRig::new(Profile::calm(), |simulated| Arc::new(simulated));
        for symbol in [whole.symbol(), whole.second_symbol()] {
            whole.set_price(symbol, PRICE.parse().unwrap()).unwrap();
        }
        Self { hand, asked: AtomicU32::new(0), whole }
    }

    fn with<T>(&self, hand: Hand, does: impl FnOnce(&SimulatedRig) -> Result<T, Cannot>) -> Result<T, Cannot> {
        if self.hand == hand {
            self.asked.fetch_add(1, Ordering::Relaxed);
            return Err(Cannot(format!("{hand:?}")));
        }
        does(&self.whole)
    }
}

const PRICE: &str = "100.00";

impl Rig for Without {
    fn adapter(&self) -> String {
        self.whole.adapter()
    }

    fn run(&self, case: BoxFuture<'_, Check>) -> Check {
        self.whole.run(case)
    }
}

impl BrokerRig for Without {
    fn broker(&self) -> Arc<dyn Broker> {
        self.whole.broker()
    }

    fn account(&self) -> AccountId {
        self.whole.account()
    }

    fn currency(&self) -> Currency {
        self.whole.currency()
    }

    fn symbol(&self) -> Symbol {
        self.whole.symbol()
    }

    fn second_symbol(&self) -> Symbol {
        self.whole.second_symbol()
    }

    fn unknown_symbol(&self) -> Symbol {
        self.whole.unknown_symbol()
    }

    fn now(&self) -> Timestamp {
        self.whole.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.whole.sleep(duration)
    }

    fn set_price(&self, symbol: Symbol, price: Price) -> Result<(), Cannot> {
        self.with(Hand::SetPrice, |whole| whole.set_price(symbol, price))
    }

    fn price(&self, _: Symbol) -> Result<Price, Cannot> {
        Ok(PRICE.parse().unwrap())
    }

    fn fund(&self, cash: Money) -> Result<(), Cannot> {
        self.with(Hand::Fund, |whole| whole.fund(cash))
    }

    fn hold(&self, symbol: Symbol, quantity: Quantity) -> Result<(), Cannot> {
        self.with(Hand::Hold, |whole| whole.hold(symbol, quantity))
    }

    fn closes_at(&self) -> Result<Option<Timestamp>, Cannot> {
        self.with(Hand::ClosesAt, BrokerRig::closes_at)
    }

    fn close_market(&self) -> Result<(), Cannot> {
        self.with(Hand::CloseMarket, BrokerRig::close_market)
    }

    fn opens_at(&self) -> Result<Timestamp, Cannot> {
        self.with(Hand::OpensAt, BrokerRig::opens_at)
    }

    fn successor(&self) -> Result<Arc<dyn Broker>, Cannot> {
        self.with(Hand::Successor, BrokerRig::successor)
    }

    fn open_market(&self) -> Result<(), Cannot> {
        self.with(Hand::OpenMarket, BrokerRig::open_market)
    }

    fn halt(&self, symbol: Symbol) -> Result<(), Cannot> {
        self.with(Hand::Halt, |whole| whole.halt(symbol))
    }

    fn trade_by_others(&self, symbol: Symbol, side: Side, quantity: Quantity) -> Result<(), Cannot> {
        self.with(Hand::TradeByOthers, |whole| whole.trade_by_others(symbol, side, quantity))
    }

    fn block(&self, blocked: bool) -> Result<(), Cannot> {
        self.with(Hand::Block, |whole| whole.block(blocked))
    }

    fn force(&self, fault: Fault) -> Result<(), Cannot> {
        self.with(Hand::Force, |whole| whole.force(fault))
    }

    fn fail_questions(&self, spared: u32, times: u32) -> Result<(), Cannot> {
        self.with(Hand::FailQuestions, |whole| whole.fail_questions(spared, times))
    }

    fn more_than_a_page(&self) -> usize {
        self.whole.more_than_a_page()
    }

    fn settles_after(&self) -> Result<Duration, Cannot> {
        self.with(Hand::SettlesAfter, BrokerRig::settles_after)
    }

    fn truth(&self) -> Result<Truth, Cannot> {
        let truth = self.with(Hand::Truth, BrokerRig::truth)?;
        let requests = truth.requests.filter(|_| self.hand != Hand::CountRequests);
        Ok(Truth { requests, ..truth })
    }
}

/// The cases that are not shown without this hand. None fails, and none that asked for it passes.
fn not_shown_without(hand: Hand) -> Vec<&'static str> {
    let mut not_shown = Vec::new();
    for case in broker::CASES {
        let rig = Without::new(hand);
        let verdict = broker::run_case(&rig, case.id);
        match verdict {
            Verdict::NotShown { .. } => not_shown.push(case.id),
            Verdict::Failed { why } => panic!("{} fails without {hand:?}: {why}", case.id),
            Verdict::Passed | Verdict::Skipped { .. } => {
                let asked = rig.asked.into_inner();
                // Each case asks for a price; most do with the market's own.
                assert!(asked == 0 || hand == Hand::SetPrice, "{} asks for {hand:?} and passes without", case.id);
            }
        }
    }
    not_shown
}

#[test]
fn what_cannot_be_seen_is_not_shown() {
    for hand in [
        Hand::Fund,
        Hand::Hold,
        Hand::ClosesAt,
        Hand::CloseMarket,
        Hand::OpenMarket,
        Hand::Halt,
        Hand::Block,
        Hand::TradeByOthers,
        Hand::Successor,
        Hand::OpensAt,
        Hand::Force,
        Hand::FailQuestions,
        Hand::SettlesAfter,
        Hand::Truth,
    ] {
        let not_shown = not_shown_without(hand);
        // A broker without sessions tells no end that would have to be compared.
        assert_eq!(not_shown.is_empty(), hand == Hand::ClosesAt, "{hand:?}");
    }
}

#[test]
fn what_needs_a_price_or_a_count_is_not_shown_without() {
    assert_eq!(not_shown_without(Hand::SetPrice), ["C01", "C03", "C20", "C25", "C26", "C52"]);
    assert_eq!(not_shown_without(Hand::CountRequests), ["C09", "C10", "C16", "C54"]);
}
