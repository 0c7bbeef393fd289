//! Bugs planted on purpose: each a change of one line in the adapter, made here around it, and the case that must find it.
//!
//! `docs/write-a-broker.md` has the same list, as a table for the reader who plants them by hand.

use crate::rig::ToyRig;
use crate::server::TOKEN;
use async_trait::async_trait;
use evenkeel_conformance::Verdict;
use evenkeel_conformance::broker::{CASES, run_case};
use evenkeel_conformance::suite::check_case;
use evenkeel_domain::order::{
    BrokerStatus, CancelAnswer, Capabilities, ClientOrderId, FillCursor, Lookup, OrderRequest, OrderView,
    RefusalReason, Refused, SubmitAnswer, Terms, UnknownCause,
};
use evenkeel_domain::values::{AccountId, Money, Quantity};
use evenkeel_ports::{AccountView, Broker, BrokerError, FillPage, OrderPage, Position};
use expect_test::expect_file;
use std::sync::Arc;

/// What is wrong with an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    TakesSilenceForRefusal,
    SendsAgain,
    TakesNotFoundForAbsent,
    TakesOutageForAbsent,
    TakesDuplicateForOurs,
    TakesFirstPageForAll,
    TakesUnknownStatusForEnd,
    TakesCanceledForDone,
    ReadsFloats,
    ForgetsFees,
    RoundsToLots,
    NamesFillsByPlace,
    TakesExpiredForFilled,
    TakesOddRefusalForUnknown,
}

use Bug::*;

/// Each bug, the case that finds it, and a part of what that case says.
const FOUND: [(Bug, &str, &str); 14] = [
    (TakesSilenceForRefusal, "C09", "the outcome should be unknown"),
    (SendsAgain, "C09", "the outcome should be unknown"),
    (TakesNotFoundForAbsent, "C10", "absent should not be answered before the horizon"),
    (TakesOutageForAbsent, "C34", "order without an answer should be an error"),
    (TakesDuplicateForOurs, "C05", "the id should be refused, since it names another order"),
    (TakesFirstPageForAll, "C38", "every fill should be listed"),
    (TakesUnknownStatusForEnd, "C46", "a status that nobody knows should be told as it is"),
    (TakesCanceledForDone, "C31", "the cancel of an order that works should be taken"),
    (ReadsFloats, "C25", "the view should be that of"),
    (ForgetsFees, "C01", "cash should go from"),
    (RoundsToLots, "C21", "the check should fail"),
    (NamesFillsByPlace, "C35", "the fills should be listed as they are viewed"),
    (TakesExpiredForFilled, "C55", "an order that reads filled should be executed completely"),
    (TakesOddRefusalForUnknown, "C56", "the answer should be refused"),
];

#[test]
fn each_planted_bug_is_found_by_its_case() {
    for (bug, id, says) in FOUND {
        let symbol = if bug == RoundsToLots { "BRK" } else { "META" };
        let rig = ToyRig::with(symbol, TOKEN, move |adapter| Arc::new(Planted { adapter, bug }));
        let verdict = run_case(&rig, id);
        assert!(matches!(&verdict, Verdict::Failed { why } if why.contains(says)), "{bug:?} by {id}: {verdict:?}");
    }
}

/// What the reader sees who planted the first of them. The guide shows it.
#[test]
fn a_failure_can_be_read() {
    let (bug, id, _) = FOUND[0];
    let rig = ToyRig::with("META", TOKEN, move |adapter| Arc::new(Planted { adapter, bug }));
    let case = CASES.iter().find(|case| case.id == id).unwrap();
    let said = check_case(case, &run_case(&rig, id)).unwrap_err();
    expect_file!["failure.txt"].assert_eq(&format!("{said}\n"));
}

#[test]
fn the_guide_lists_each_planted_bug() {
    let guide = include_str!("../../../../docs/write-a-broker.md");
    let rows: Vec<(&str, &str)> = guide
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
            FOUND.iter().any(|(bug, ..)| format!("{bug:?}") == name).then_some((name, *cells.get(3)?))
        })
        .collect();
    let planted: Vec<(String, &str)> = FOUND.iter().map(|(bug, id, _)| (format!("{bug:?}"), *id)).collect();
    let planted: Vec<(&str, &str)> = planted.iter().map(|(bug, id)| (bug.as_str(), *id)).collect();
    assert_eq!(rows, planted);
}

/// The adapter with a bug.
struct Planted {
    adapter: Arc<dyn Broker>,
    bug: Bug,
}

impl Planted {
    fn has(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    fn view(&self, mut view: OrderView) -> OrderView {
        if self.has(TakesUnknownStatusForEnd) && matches!(view.status, BrokerStatus::Unmapped(_)) {
            view.status = BrokerStatus::Canceled;
        }
        if self.has(TakesExpiredForFilled) && view.status == BrokerStatus::Expired {
            view.status = BrokerStatus::Filled;
        }
        if self.has(ReadsFloats) {
            view.quantity = by_float(view.quantity);
        }
        for (place, fill) in view.fills.iter_mut().enumerate() {
            if self.has(ForgetsFees) {
                fill.fee = Money::ZERO;
            }
            if self.has(NamesFillsByPlace) {
                fill.id = format!("fill-{place}").parse().unwrap();
            }
        }
        view
    }
}

/// By way of a float with its sixteen digits.
fn by_float(quantity: Quantity) -> Quantity {
    let float: f64 = quantity.to_string().parse().unwrap();
    format!("{float:.9}").trim_end_matches('0').trim_end_matches('.').parse().unwrap()
}

#[async_trait]
impl Broker for Planted {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.adapter.capabilities()
    }

    fn check(&self, account: &AccountId, terms: &Terms) -> Result<(), Refused> {
        if self.has(RoundsToLots) { Ok(()) } else { self.adapter.check(account, terms) }
    }

    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        let mut order = *order;
        if self.has(RoundsToLots) {
            order.terms.quantity = order.terms.quantity.floor_to(self.capabilities().lot_of(order.terms.symbol));
        }
        let answer = self.adapter.submit(account, &order).await;
        match answer {
            SubmitAnswer::Acknowledged(view) => SubmitAnswer::Acknowledged(self.view(view)),
            SubmitAnswer::Unknown(_) if self.has(SendsAgain) => self.adapter.submit(account, &order).await,
            SubmitAnswer::Unknown(cause) if self.has(TakesSilenceForRefusal) => {
                SubmitAnswer::Refused(Refused { reason: RefusalReason::Other, message: cause.to_string() })
            }
            SubmitAnswer::Refused(refused)
                if self.has(TakesOddRefusalForUnknown) && refused.reason == RefusalReason::Other =>
            {
                SubmitAnswer::Unknown(UnknownCause::BrokerError)
            }
            SubmitAnswer::Refused(refused)
                if self.has(TakesDuplicateForOurs) && refused.reason == RefusalReason::DuplicateIdOtherOrder =>
            {
                SubmitAnswer::AlreadyExists
            }
            answer => answer,
        }
    }

    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        match self.adapter.cancel(account, id).await {
            CancelAnswer::Requested if self.has(TakesCanceledForDone) => match self.order(account, id).await {
                Ok(Lookup::Found(view)) => CancelAnswer::AlreadyTerminal(view),
                _ => CancelAnswer::NoSuchOrder,
            },
            CancelAnswer::AlreadyTerminal(view) => CancelAnswer::AlreadyTerminal(self.view(view)),
            answer => answer,
        }
    }

    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        match self.adapter.order(account, id).await {
            Ok(Lookup::Found(view)) => Ok(Lookup::Found(self.view(view))),
            Ok(Lookup::Unproven) if self.has(TakesNotFoundForAbsent) => Ok(Lookup::Absent),
            Err(_) if self.has(TakesOutageForAbsent) => Ok(Lookup::Absent),
            answer => answer,
        }
    }

    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        self.adapter.open_orders(account).await
    }

    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        let mut page = self.adapter.fills_since(account, cursor).await?;
        page.complete |= self.has(TakesFirstPageForAll);
        for (place, listed) in page.fills.iter_mut().enumerate() {
            if self.has(NamesFillsByPlace) {
                listed.fill.id = format!("fill-{place}").parse().unwrap();
            }
        }
        Ok(page)
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        self.adapter.positions(account).await
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        self.adapter.account(account).await
    }
}
