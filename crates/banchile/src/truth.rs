//! The ground truth: what really happened in an account, and whether it adds up.
//!
//! [`Ledger::check`] shares no sums with the broker: it starts from the movements and the fills and rounds once more by the rule that
//! everybody follows (per order, the rounded cumulative amount), so a broker that books wrongly is caught by its own fills.

pub use crate::orders::Forgotten;

use crate::account::Account;
use crate::corrections::Correction;
use crate::orders::{Order, Row};
use crate::profile::Profile;
use crate::settlement::Settlement;
use evenkeel_domain::order::{BrokerStatus, Costs, Fill, OrderRequest, Side, booked_amount};
use evenkeel_domain::values::{
    AccountId, Currency, FillId, Money, Overflow, Quantity, Rounding, Symbol, Timestamp, Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// One account as it really is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Which account.
    pub account: AccountId,
    /// Its currency.
    pub currency: Currency,
    /// The fees that its orders pay.
    pub fees: Costs,
    /// All cash paid in, what it was opened with included.
    pub deposits: Money,
    /// All cash paid out.
    pub withdrawals: Money,
    /// All cash it has, reserved or not.
    pub cash: Money,
    /// What open buys have reserved of it.
    pub reserved: Money,
    /// The settled part of the cash; all of it where settlement is not simulated.
    pub settled: Money,
    /// How often something was sold that had been bought with proceeds that were not settled yet.
    pub good_faith_violations: u32,
    /// When this was so.
    pub as_of: Timestamp,
    /// When proceeds settle, where that is simulated.
    pub settlement: Option<Settlement>,
    /// Trades that were busted or corrected.
    pub corrections: Vec<Correction>,
    /// Every symbol it holds or has ever held.
    pub holdings: BTreeMap<Symbol, HoldingTruth>,
    /// Every order that was not forgotten, by id.
    pub orders: Vec<OrderTruth>,
    /// What forgotten orders came to.
    pub forgotten: Forgotten,
    /// How often something was sent for it: calls of `submit`, except those that were `NotSent`.
    pub sends: u64,
}

/// Units of one symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldingTruth {
    /// Units brought in, those the account was opened with included.
    pub received: Quantity,
    /// Units taken out without selling them.
    pub delivered: Quantity,
    /// Units held, reserved or not.
    pub units: Quantity,
    /// What open sells have reserved of them.
    pub reserved: Quantity,
}

/// One order as it really went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTruth {
    /// What was ordered.
    pub request: OrderRequest,
    /// Which order of this id, from 0; always 0 where duplicates are refused.
    pub copy: u16,
    /// Made by somebody else than whoever uses this broker as a port: then its id is made up.
    pub by_others: bool,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Where it stands.
    pub status: BrokerStatus,
    /// All its fills, oldest first.
    pub fills: Vec<Fill>,
    /// What it moved of cash, without sign and without fees.
    pub amount: Money,
    /// What it paid in fees.
    pub fees: Money,
}

/// Something in a ledger that does not add up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// There is nothing to check.
    #[error("there is no account {account}")]
    NoSuchAccount {
        /// Which.
        account: AccountId,
    },
    /// Cash is not what movements, fills and fees make it. In cents.
    #[error("account {account} has {found} cents of cash, and its movements come to {expected}")]
    Cash {
        /// Which account.
        account: AccountId,
        /// What it has.
        found: i128,
        /// What it should have.
        expected: i128,
    },
    /// Units are not what movements and fills make them. In billionths.
    #[error("account {account} has {found} billionths of {symbol}, and its movements come to {expected}")]
    Units {
        /// Which account.
        account: AccountId,
        /// Which symbol.
        symbol: Symbol,
        /// What it has.
        found: i128,
        /// What it should have.
        expected: i128,
    },
    /// Settled cash is not what the sales of the last days leave of the cash.
    #[error("account {account} has {found} of settled cash, and its sales leave {expected}")]
    Settled {
        /// Which account.
        account: AccountId,
        /// What is settled.
        found: Money,
        /// What should be.
        expected: Money,
    },
    /// More is reserved than there is, or cash is below zero.
    #[error("account {account} has reserved more than it has")]
    OverReserved {
        /// Which account.
        account: AccountId,
    },
    /// An order was executed beyond its quantity, or by nothing.
    #[error("order {} of account {account} executed {filled} of {}", order.id, order.terms.quantity)]
    OverFilled {
        /// Which account.
        account: AccountId,
        /// Which order.
        order: Box<OrderRequest>,
        /// What was executed.
        filled: Quantity,
    },
    /// A status says other than the fills.
    #[error("order {} of account {account} is {status:?} with {filled} of {} executed", order.id, order.terms.quantity)]
    Status {
        /// Which account.
        account: AccountId,
        /// Which order.
        order: Box<OrderRequest>,
        /// What it says.
        status: BrokerStatus,
        /// What was executed.
        filled: Quantity,
    },
    /// An order's cash or fees are not what its fills make them.
    #[error("order {} of account {account} booked {found}, and its fills come to {expected}", order.id)]
    Booking {
        /// Which account.
        account: AccountId,
        /// Which order.
        order: Box<OrderRequest>,
        /// What was booked.
        found: Money,
        /// What its fills come to.
        expected: Money,
    },
    /// Two fills have one id.
    #[error("two fills of account {account} are called {fill}")]
    FillTwice {
        /// Which account.
        account: AccountId,
        /// The id.
        fill: FillId,
    },
    /// The sums leave the range of their types.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl Ledger {
    pub(crate) fn of(account: &Account, profile: &Profile, now: Timestamp) -> Self {
        let holdings = account.holdings.entries().iter().map(|(symbol, holding)| {
            let (received, delivered) = (holding.received, holding.delivered);
            (*symbol, HoldingTruth { received, delivered, units: holding.units, reserved: holding.reserved })
        });
        Self {
            account: account.id.clone(),
            currency: account.currency,
            fees: profile.fees,
            deposits: account.deposits,
            withdrawals: account.withdrawals,
            cash: account.cash,
            reserved: account.reserved,
            settled: account.settled(now),
            good_faith_violations: account.unsettled.violations(),
            as_of: now,
            settlement: profile.settlement,
            corrections: account.corrections.clone(),
            holdings: holdings.collect(),
            orders: account.book.iter().map(OrderTruth::of).collect(),
            forgotten: account.book.forgotten(),
            sends: account.sends,
        }
    }

    /// Whether everything adds up, exactly:
    ///
    /// * cash = deposits − withdrawals + sells − buys − fees + corrections, each order's part being the rounded cumulative amount of its fills;
    /// * settled cash = cash − what sales brought that settles later, or nothing if that is more;
    /// * units = received − delivered + bought − sold;
    /// * cash and units are not below zero, nor below what is reserved;
    /// * no order executed more than was ordered, its status fits its fills, and its fees are those of all its fills together;
    /// * no fill id occurs twice.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub fn check(&self) -> Result<(), Violation> {
        let mut ids = BTreeSet::new();
        for order in &self.orders {
            self.check_order(order)?;
            if let Some(twice) = order.fills.iter().find(|fill| !ids.insert(&fill.id)) {
                return Err(Violation::FillTwice { account: self.account.clone(), fill: twice.id.clone() });
            }
        }
        self.check_cash()?;
        self.check_units()?;
        let too_much = self.holdings.values().any(|holding| holding.reserved > holding.units);
        if too_much || self.cash.is_negative() || self.reserved.is_negative() || self.reserved > self.cash {
            return Err(Violation::OverReserved { account: self.account.clone() });
        }
        self.check_settled()
    }

    fn check_order(&self, order: &OrderTruth) -> Result<(), Violation> {
        let (account, request) = (self.account.clone(), Box::new(order.request));
        let executed = Value::sum(order.fills.iter().map(Fill::value))?;
        let filled = order.filled();
        if filled > order.request.terms.quantity || order.fills.iter().any(|fill| fill.quantity.is_zero()) {
            return Err(Violation::OverFilled { account, order: request, filled });
        }
        if (order.status == BrokerStatus::Filled) != (filled == order.request.terms.quantity) {
            return Err(Violation::Status { account, order: request, status: order.status.clone(), filled });
        }
        let fee = if order.fills.is_empty() { Money::ZERO } else { self.fees.of(executed)? };
        let fees = Money::sum(order.fills.iter().map(|fill| fill.fee))?;
        let expected = executed.to_money(Rounding::HalfEven)?;
        for (found, expected) in [(order.amount, expected), (order.fees, fee), (fees, fee)] {
            if found != expected {
                return Err(Violation::Booking { account, order: request, found, expected });
            }
        }
        Ok(())
    }

    fn check_settled(&self) -> Result<(), Violation> {
        let settles_later =
            |at: Timestamp| self.settlement.is_some_and(|settlement| settlement.settles_at(at) > self.as_of);
        let mut unsettled = Money::ZERO;
        for order in self.orders.iter().filter(|order| order.request.terms.side == Side::Sell) {
            let mut executed = Value::ZERO;
            for fill in &order.fills {
                let before = executed;
                executed = executed.add(fill.value())?;
                if settles_later(fill.at) {
                    let proceeds = booked_amount(before, executed)?.sub(fill.fee)?;
                    unsettled = unsettled.add(proceeds.max(Money::ZERO))?;
                }
            }
        }
        let expected = self.cash.sub(unsettled)?.max(Money::ZERO);
        let is_known = self.forgotten.orders == 0;
        if is_known && self.settled != expected {
            return Err(Violation::Settled { account: self.account.clone(), found: self.settled, expected });
        }
        Ok(())
    }

    fn check_cash(&self) -> Result<(), Violation> {
        let moved = self.orders.iter().flat_map(|order| {
            let amount = i128::from(order.amount.cents());
            let signed = match order.request.terms.side {
                Side::Sell => amount,
                Side::Buy => amount.saturating_neg(),
            };
            [signed, i128::from(order.fees.cents()).saturating_neg()]
        });
        let forgotten = self.forgotten.sold.saturating_sub(self.forgotten.bought).saturating_sub(self.forgotten.fees);
        let paid = i128::from(self.deposits.cents()).saturating_sub(i128::from(self.withdrawals.cents()));
        let corrected = self.corrections.iter().map(|correction| i128::from(correction.cash.cents()));
        let expected = moved.chain(corrected).fold(paid.saturating_add(forgotten), i128::saturating_add);
        let found = i128::from(self.cash.cents());
        if found == expected { Ok(()) } else { Err(Violation::Cash { account: self.account.clone(), found, expected }) }
    }

    fn check_units(&self) -> Result<(), Violation> {
        let mut expected = self.forgotten.units.clone();
        let mut change = |symbol, by: i128| {
            let units: &mut i128 = expected.entry(symbol).or_default();
            *units = units.saturating_add(by);
        };
        for (symbol, holding) in &self.holdings {
            change(*symbol, nanos(holding.received));
            change(*symbol, nanos(holding.delivered).saturating_neg());
        }
        for order in &self.orders {
            let filled = nanos(order.filled());
            match order.request.terms.side {
                Side::Buy => change(order.request.terms.symbol, filled),
                Side::Sell => change(order.request.terms.symbol, filled.saturating_neg()),
            }
        }
        for correction in &self.corrections {
            let back = nanos(correction.units);
            change(correction.symbol, if correction.side == Side::Buy { back.saturating_neg() } else { back });
        }
        for (symbol, expected) in expected {
            let found = self.holdings.get(&symbol).map_or(0, |holding| nanos(holding.units));
            if found != expected {
                return Err(Violation::Units { account: self.account.clone(), symbol, found, expected });
            }
        }
        Ok(())
    }
}

impl OrderTruth {
    fn of(order: &Order) -> Self {
        let sum = |amounts: &dyn Fn(&Row) -> Money| Money::sum(order.rows().iter().map(amounts));
        Self {
            request: order.request,
            copy: order.copy,
            by_others: order.by_others,
            accepted_at: order.accepted_at,
            status: order.status().clone(),
            fills: order.rows().iter().map(Row::fill).collect(),
            amount: sum(&|row| row.amount).unwrap_or(Money::MAX),
            fees: sum(&|row| row.fee).unwrap_or(Money::MAX),
        }
    }

    /// Units executed.
    #[must_use]
    pub fn filled(&self) -> Quantity {
        self.fills.iter().fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity).unwrap_or(Quantity::MAX))
    }
}

fn nanos(quantity: Quantity) -> i128 {
    i128::try_from(quantity.nanos()).unwrap_or(i128::MAX)
}
