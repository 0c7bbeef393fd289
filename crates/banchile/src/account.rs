//! One account: its cash, its units, and what open orders have reserved of both. Cash and units move here and nowhere else.
//!
//! A cash account without credit: an open buy reserves what it may cost, an open sell reserves its units, and the proceeds of a sell
//! can be spent once it was filled.

use crate::corrections::Correction;
use crate::limiter::Bucket;
use crate::orders::{Order, OrderBook, Row};
use crate::settlement::{Settlement, Unsettled};
use crate::sorted::Sorted;
use evenkeel_domain::order::{BatchId, ClientOrderId, Side};
use evenkeel_domain::values::{AccountId, Currency, Money, Overflow, Quantity, QuantityError, Symbol, Timestamp};
use std::collections::BTreeMap;

/// Something that cannot be done with an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// There is none of this name.
    #[error("there is no account {account}")]
    NoSuchAccount {
        /// Which.
        account: AccountId,
    },
    /// There is one of this name already.
    #[error("account {account} is open already")]
    AlreadyOpen {
        /// Which.
        account: AccountId,
    },
    /// Cash moves by a positive amount, and an account opens with none or more.
    #[error("{amount} cannot be paid in or out of account {account}: it must be more than zero")]
    NotPositive {
        /// Which account.
        account: AccountId,
        /// The amount.
        amount: Money,
    },
    /// More cash was asked for than is free.
    #[error("account {account} has {free} that no open order has reserved, less than {asked}")]
    NotEnoughCash {
        /// Which account.
        account: AccountId,
        /// Cash that is not reserved.
        free: Money,
        /// What was asked for.
        asked: Money,
    },
    /// More units were asked for than are free.
    #[error("account {account} has {free} of {symbol} that no open order has reserved, less than {asked}")]
    NotEnoughUnits {
        /// Which account.
        account: AccountId,
        /// Which symbol.
        symbol: Symbol,
        /// Units that are not reserved.
        free: Quantity,
        /// What was asked for.
        asked: Quantity,
    },
    /// The bank that keeps the account could not be written.
    #[error("the bank of account {account} cannot be written: {message}")]
    NotKept {
        /// Which account.
        account: AccountId,
        /// What is known of the cause.
        message: String,
    },
    /// An amount or a quantity would leave its range.
    #[error("the movement leaves the range of account {account}")]
    Overflow {
        /// Which account.
        account: AccountId,
        /// What did.
        #[source]
        source: Overflow,
    },
}

/// An account as the venue keeps it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) currency: Currency,
    /// All cash, reserved or not.
    pub(crate) cash: Money,
    /// What open buys have reserved of it.
    pub(crate) reserved: Money,
    pub(crate) deposits: Money,
    pub(crate) withdrawals: Money,
    pub(crate) holdings: Sorted<Symbol, Holding>,
    pub(crate) book: OrderBook,
    /// When something was last sent for it, or tried to be.
    pub(crate) last_send: Option<Timestamp>,
    pub(crate) sends: u64,
    /// How many orders others have made for it.
    pub(crate) by_others: u128,
    /// How often each id was sent and canceled, where that decides about draws.
    pub(crate) repeats: BTreeMap<ClientOrderId, Repeats>,
    /// No orders are taken for it.
    pub(crate) blocked: bool,
    /// When the newest of what happened is seen.
    pub(crate) visible_until: Timestamp,
    /// Pages of fills before this place were told.
    pub(crate) pages_from: u64,
    /// So many questions will fail.
    pub(crate) failing: u32,
    /// So many are answered before those.
    pub(crate) spared: u32,
    /// What sales brought that is not settled yet.
    pub(crate) unsettled: Unsettled,
    /// Trades that were busted or corrected.
    pub(crate) corrections: Vec<Correction>,
    /// What it may still send.
    pub(crate) bucket: Bucket,
}

/// How often an order was sent and canceled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Repeats {
    pub(crate) sent: u32,
    pub(crate) canceled: u32,
}

/// Units of one symbol.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Holding {
    /// All of them, reserved or not.
    pub(crate) units: Quantity,
    /// What open sells have reserved of them.
    pub(crate) reserved: Quantity,
    /// What came in and went out other than by orders.
    pub(crate) received: Quantity,
    pub(crate) delivered: Quantity,
}

impl Holding {
    pub(crate) fn available(&self) -> Quantity {
        less(self.units, self.reserved)
    }
}

/// What cannot be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// It costs more than is there.
    Cash,
    /// It gives more units than are there.
    Units,
    /// It leaves the range of a type.
    Range,
}

impl From<Overflow> for Blocked {
    fn from(_: Overflow) -> Self {
        Self::Range
    }
}

impl From<QuantityError> for Blocked {
    fn from(error: QuantityError) -> Self {
        match error {
            QuantityError::WouldBeNegative { .. } => Self::Units,
            QuantityError::Overflow(_) => Self::Range,
        }
    }
}

impl Account {
    /// Counts a question; true if it fails.
    pub(crate) fn fails_a_question(&mut self) -> bool {
        if self.failing == 0 || self.spared > 0 {
            self.spared = self.spared.saturating_sub(1);
            return false;
        }
        self.failing = self.failing.saturating_sub(1);
        true
    }

    pub(crate) fn open(
        id: AccountId,
        currency: Currency,
        cash: Money,
        holdings: impl IntoIterator<Item = (Symbol, Quantity)>,
    ) -> Result<Self, AccountError> {
        if cash.is_negative() {
            return Err(AccountError::NotPositive { account: id, amount: cash });
        }
        let mut account = Self {
            id,
            currency,
            cash,
            reserved: Money::ZERO,
            deposits: cash,
            withdrawals: Money::ZERO,
            holdings: Sorted::default(),
            book: OrderBook::default(),
            last_send: None,
            sends: 0,
            repeats: BTreeMap::new(),
            by_others: 0,
            blocked: false,
            visible_until: Timestamp::MIN,
            pages_from: 0,
            failing: 0,
            spared: 0,
            unsettled: Unsettled::default(),
            corrections: Vec::new(),
            bucket: Bucket::default(),
        };
        for (symbol, quantity) in holdings {
            account.receive(symbol, quantity)?;
        }
        Ok(account)
    }

    pub(crate) fn deposit(&mut self, amount: Money) -> Result<(), AccountError> {
        self.positive(amount)?;
        let cash = self.cash.add(amount).map_err(|e| self.overflow(e))?;
        self.deposits = self.deposits.add(amount).map_err(|e| self.overflow(e))?;
        self.cash = cash;
        Ok(())
    }

    pub(crate) fn withdraw(&mut self, amount: Money) -> Result<(), AccountError> {
        self.positive(amount)?;
        if amount > self.free() {
            return Err(AccountError::NotEnoughCash { account: self.id.clone(), free: self.free(), asked: amount });
        }
        let cash = self.cash.sub(amount).map_err(|e| self.overflow(e))?;
        self.withdrawals = self.withdrawals.add(amount).map_err(|e| self.overflow(e))?;
        self.cash = cash;
        Ok(())
    }

    pub(crate) fn receive(&mut self, symbol: Symbol, quantity: Quantity) -> Result<(), AccountError> {
        let mut holding = self.holding(symbol);
        holding.units = holding.units.add(quantity).map_err(|e| self.misfit(symbol, quantity, e))?;
        holding.received = holding.received.add(quantity).map_err(|e| self.misfit(symbol, quantity, e))?;
        self.holdings.insert(symbol, holding);
        Ok(())
    }

    pub(crate) fn deliver(&mut self, symbol: Symbol, quantity: Quantity) -> Result<(), AccountError> {
        let mut holding = self.holding(symbol);
        holding.available().sub(quantity).map_err(|e| self.misfit(symbol, quantity, e))?;
        holding.units = less(holding.units, quantity);
        holding.delivered = holding.delivered.add(quantity).map_err(|e| self.misfit(symbol, quantity, e))?;
        self.holdings.insert(symbol, holding);
        Ok(())
    }

    /// Cash that no open order has reserved; never below zero.
    pub(crate) fn free(&self) -> Money {
        self.cash.sub(self.reserved).unwrap_or(Money::ZERO).max(Money::ZERO)
    }

    /// The settled part of that.
    pub(crate) fn settled(&self, at: Timestamp) -> Money {
        self.cash.sub(self.unsettled.at(at)).unwrap_or(Money::ZERO).max(Money::ZERO)
    }

    /// What new orders may spend.
    pub(crate) fn spendable(&self, at: Timestamp, settlement: Option<Settlement>) -> Money {
        match settlement {
            Some(Settlement { spend_unsettled: false, .. }) => {
                self.settled(at).sub(self.reserved).unwrap_or(Money::ZERO).max(Money::ZERO)
            }
            _ => self.free(),
        }
    }

    /// Notes what the execution of `order` that was booked last means for settlement.
    pub(crate) fn settle(&mut self, order: &Order, settlement: Settlement) {
        let (Some(row), symbol) = (order.rows().last(), order.symbol()) else { return };
        match row.side {
            Side::Sell => {
                let proceeds = row.cash_change().unwrap_or(Money::ZERO);
                self.unsettled.sold(symbol, proceeds, row.at, settlement);
            }
            Side::Buy => self.unsettled.bought(symbol, self.cash, row.at),
        }
    }

    pub(crate) fn holding(&self, symbol: Symbol) -> Holding {
        self.holdings.get(symbol).copied().unwrap_or_default()
    }

    /// Reserves what an order that was just accepted may take.
    pub(crate) fn reserve(
        &mut self,
        side: Side,
        symbol: Symbol,
        cash: Money,
        units: Quantity,
        spendable: Money,
    ) -> Result<(), Blocked> {
        match side {
            Side::Buy if cash > spendable => return Err(Blocked::Cash),
            Side::Buy => self.reserved = self.reserved.add(cash)?,
            Side::Sell => {
                let holding = self.holdings.get_mut(symbol).ok_or(Blocked::Units)?;
                holding.available().sub(units)?;
                holding.reserved = holding.reserved.add(units)?;
            }
        }
        Ok(())
    }

    /// Gives back what an order that ended has still reserved.
    pub(crate) fn release(&mut self, order: &Order) {
        match order.side() {
            Side::Buy => self.reserved = self.reserved.sub(order.held()).unwrap_or(Money::ZERO),
            Side::Sell if order.remaining().is_zero() => {}
            Side::Sell => {
                if let Some(holding) = self.holdings.get_mut(order.symbol()) {
                    holding.reserved = less(holding.reserved, order.remaining());
                }
            }
        }
    }

    /// Books one execution of `order`, which has reserved what it takes. Nothing changes if it cannot be.
    pub(crate) fn book(&mut self, order: &mut Order, row: Row) -> Result<(), Blocked> {
        let held_before = order.held();
        let change = row.cash_change()?;
        let free = self.free().add(held_before)?;
        if change.is_negative() && free.add(change)?.is_negative() {
            return Err(Blocked::Cash);
        }
        let cash = self.cash.add(change)?;
        let known = self.holdings.get_mut(order.symbol());
        let mut holding = known.as_deref().copied().unwrap_or_default();
        match order.side() {
            Side::Buy => holding.units = holding.units.add(row.quantity)?,
            Side::Sell => {
                holding.units = holding.units.sub(row.quantity)?;
                holding.reserved = holding.reserved.sub(row.quantity)?;
            }
        }
        order.add(row)?;
        match known {
            Some(known) => *known = holding,
            None => self.holdings.insert(order.symbol(), holding),
        }
        self.cash = cash;
        if order.side() == Side::Buy {
            let used = held_before.sub(order.held()).unwrap_or(Money::ZERO);
            self.reserved = self.reserved.sub(used).unwrap_or(Money::ZERO);
        }
        Ok(())
    }

    /// Forgets orders of other batches that ended; see [`Retention::OrderIds`](crate::Retention::OrderIds).
    pub(crate) fn forget_all_but(&mut self, batch: BatchId) {
        if self.book.forget_all_but(batch) {
            self.repeats.retain(|id, _| id.batch == batch || self.book.has(*id));
        }
    }

    /// Ends the lag: all that happened is visible from `now`.
    pub(crate) fn reveal(&mut self, now: Timestamp) {
        if self.visible_until > now {
            self.visible_until = now;
            self.book.iter_mut().for_each(|order| order.reveal(now));
        }
    }

    /// When what happens now is seen: never before what happened earlier.
    pub(crate) fn seen_at(&mut self, at: Timestamp) -> Timestamp {
        self.visible_until = self.visible_until.max(at);
        self.visible_until
    }

    fn positive(&self, amount: Money) -> Result<(), AccountError> {
        if amount.is_positive() {
            return Ok(());
        }
        Err(AccountError::NotPositive { account: self.id.clone(), amount })
    }

    fn overflow(&self, source: Overflow) -> AccountError {
        AccountError::Overflow { account: self.id.clone(), source }
    }

    pub(crate) fn misfit(&self, symbol: Symbol, asked: Quantity, error: QuantityError) -> AccountError {
        let account = self.id.clone();
        match error {
            QuantityError::WouldBeNegative { have, .. } => {
                AccountError::NotEnoughUnits { account, symbol, free: have, asked }
            }
            QuantityError::Overflow(source) => AccountError::Overflow { account, source },
        }
    }
}

/// What is left of `have` without `taken`; nothing, if that is more.
pub(crate) fn less(have: Quantity, taken: Quantity) -> Quantity {
    have.sub(taken).unwrap_or(Quantity::ZERO)
}
