//! A portfolio that lives by the rules: the records that the domain decides on, commit by commit.
//!
//! It buys and sells at made-up prices, and every order is filled completely and at once.

use crate::testing::{at, portfolio, seconds};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition, Market, Prices, Quote};
use evenkeel_domain::decide::{Hold, Input, Report, ResolveAction, ResolveRequest, step};
use evenkeel_domain::due::{Effect, due};
use evenkeel_domain::limits::{Facts, Limits};
use evenkeel_domain::order::{
    BrokerStatus, Capabilities, Costs, Duplicates, Fill, OrderRequest, OrderView, SubmitAnswer,
};
use evenkeel_domain::plan::{Plan, Trigger, Venue, plan};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Event, Movement, PauseRule, Record, Rules};
use evenkeel_domain::values::{Currency, FillId, Lot, Money, MovementId, StoreId, Symbol, Timestamp, Token};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a batch comes to in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Abandoned,
    Completed,
    /// Books and broker disagree; a person accepts what the broker says.
    Accepted,
    /// Books and broker disagree; a person has it tried again, and then they agree.
    Retried,
}

/// A chapter of the story.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chapter {
    Cash { kind: Movement, cents: i64 },
    Batch(Ending),
}

/// One commit, and the state that it leads to.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    pub(super) after: Portfolio,
}

/// The portfolio `growth` is added, and then lives through these chapters.
pub(super) fn tell(chapters: &[Chapter]) -> Vec<Page> {
    let mut teller = Teller { portfolio: Portfolio::new(portfolio("growth")), now: 0, pages: Vec::new() };
    let books = Books::new("1000.00".parse().unwrap(), []);
    teller.write(Input::Add { definition: definition(), books });
    for chapter in chapters {
        match chapter {
            Chapter::Cash { kind, cents } => teller.cash(*kind, Money::from_cents(*cents).unwrap()),
            Chapter::Batch(ending) => teller.batch(*ending),
        }
    }
    teller.pages
}

/// The record of a batch that was opened.
pub(super) fn opened() -> Event {
    find(|event| matches!(event, Event::Opened(_)))
}

/// The record of a batch that was closed.
pub(super) fn closed() -> Event {
    find(|event| matches!(event, Event::Closed(_)))
}

fn find(fits: impl Fn(&Event) -> bool) -> Event {
    let pages = tell(&[Chapter::Batch(Ending::Abandoned)]);
    pages.into_iter().flat_map(|page| page.records).map(|record| record.event).find(fits).unwrap()
}

struct Teller {
    portfolio: Portfolio,
    now: u64,
    pages: Vec<Page>,
}

impl Teller {
    /// One second later, this happens. What the domain does not allow, or what changes nothing, is not written.
    fn write(&mut self, input: Input<'_>) {
        self.now = self.now.saturating_add(1);
        if let Ok(records) = step(&mut self.portfolio, at(self.now), input)
            && !records.is_empty()
        {
            self.pages.push(Page { records, after: self.portfolio.clone() });
        }
    }

    fn cash(&mut self, kind: Movement, amount: Money) {
        let movement = MovementId::new(&format!("movement-{}", self.now)).unwrap();
        self.write(Input::MoveCash { movement, kind, amount, currency: usd() });
    }

    fn batch(&mut self, ending: Ending) {
        let plan = self.plan();
        let token = self.portfolio.token.next().unwrap();
        let facts = Facts { oldest_price: Timestamp::EPOCH, closes_at: None };
        self.write(Input::Open { store: StoreId::new(7), token, plan: &plan, facts, rules: rules() });
        if self.portfolio.batch.is_none() {
            return; // There was nothing to do.
        }
        if ending == Ending::Abandoned {
            return self.write(Input::Abandon { why: "as a test".to_owned() });
        }
        self.write(Input::Begin { newest: &evenkeel_domain::books::Prices::default() });
        for effect in due(&self.portfolio, at(self.now)) {
            if let Effect::Submit(order) = effect {
                let answer = SubmitAnswer::Acknowledged(filled(&order, at(self.now)));
                self.write(Input::Reports {
                    reports: &[Report::Submitted { order: order.id, answer }],
                    hold: Hold::Nothing,
                });
            }
        }
        let agreed = self.portfolio.books.clone();
        let more = Books::new(agreed.cash.add(Money::CENT).unwrap(), agreed.holdings());
        let resolve = |action| Input::Resolve(ResolveRequest { action, who: "ann".to_owned(), why: "test".to_owned() });
        match ending {
            Ending::Abandoned | Ending::Completed => self.write(Input::Settle { broker: &agreed, fills_read: None }),
            Ending::Accepted => {
                self.write(Input::Settle { broker: &more, fills_read: None });
                self.write(resolve(ResolveAction::Accept { broker: &more }));
            }
            Ending::Retried => {
                self.write(Input::Settle { broker: &more, fills_read: None });
                self.write(resolve(ResolveAction::Retry));
                self.write(Input::Settle { broker: &agreed, fills_read: None });
            }
        }
    }

    /// Back to the targets, at prices that are never the same.
    fn plan(&self) -> Plan {
        let cents = self.now % 90;
        let prices = [("META", format!("20.{cents:02}")), ("AAPL", "10".to_owned())];
        let quote = |(symbol, price): (&str, String)| (sym(symbol), Quote { price: price.parse().unwrap(), at: at(0) });
        let prices: Prices = prices.map(quote).into_iter().collect();
        let capabilities = capabilities();
        let venue = Venue { capabilities: &capabilities, check: &|_| Ok(()), attempts: 1 };
        plan(&self.portfolio.books, &definition(), Market::ageless(&prices), venue, Trigger::Now).unwrap()
    }
}

fn filled(order: &OrderRequest, at: Timestamp) -> OrderView {
    let terms = order.terms;
    let id = FillId::new(&format!("{}/1", order.id)).unwrap();
    let fill = Fill { id, quantity: terms.quantity, price: terms.reference, fee: Money::ZERO, at };
    OrderView {
        id: order.id,
        symbol: terms.symbol,
        side: terms.side,
        quantity: terms.quantity,
        status: BrokerStatus::Filled,
        filled: terms.quantity,
        fills: vec![fill],
    }
}

fn sym(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn definition() -> Definition {
    let allocation = TargetAllocation::parse([("META", "50"), ("AAPL", "45"), ("CASH", "5")]).unwrap();
    Definition { account: "growth".parse().unwrap(), currency: usd(), allocation, policy: Policy::default() }
}

fn capabilities() -> Capabilities {
    Capabilities {
        name: "story".to_owned(),
        duplicates: Duplicates::Refused,
        costs: Costs::FREE,
        collar_bps: 0,
        fills_rounded: false,
        minimum_order: Money::CENT,
        lot: Lot::FINEST,
        lots: BTreeMap::new(),
        quiescence: Duration::ZERO,
        visibility_horizon: Duration::ZERO,
    }
}

fn rules() -> Rules {
    let minute = seconds(60);
    Rules {
        attempts: 1,
        delay: seconds(5),
        order_deadline: minute,
        quiescence: minute,
        resume_max: minute,
        patience: minute,
        // The first comparison decides.
        settle_within: Duration::ZERO,
        watch: minute,
        pause: PauseRule { first: minute, longest: minute },
        resend: true,
        costs: Costs::FREE,
        collar_bps: 0,
        minimum: Money::CENT,
        held_back: Money::ZERO,
        limits: Limits::NONE,
    }
}

#[test]
fn every_ending_happens() {
    use evenkeel_domain::portfolio::Standing;
    /// The kinds of records of a batch with this ending, after it was added and before the next.
    #[track_caller]
    fn check(ending: Ending, commits: usize, last: &str) {
        let pages = tell(&[Chapter::Batch(ending)]);
        let kinds: Vec<_> = pages.iter().flat_map(|page| &page.records).map(|r| r.event.kind()).collect();
        assert_eq!((pages.len(), kinds.last().copied()), (commits, Some(last)), "{kinds:?}");
        assert_eq!(pages.last().unwrap().after.standing, Standing::Active);
    }
    check(Ending::Abandoned, 3, "closed");
    check(Ending::Completed, 6, "closed");
    check(Ending::Accepted, 7, "resolved");
    check(Ending::Retried, 8, "closed");
    assert_eq!(tell(&[Chapter::Batch(Ending::Completed)]).last().unwrap().after.token, Token::new(1));
}
