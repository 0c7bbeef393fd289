//! The controls: accounts, the market, faults. What a test or a replay does with the broker, and no worker of the core can.

use crate::account::{Account, AccountError};
use crate::calibration::{Calibration, Tally};
use crate::calls::{Call, Keeper, Unkept};
use crate::corrections::CorrectionError;
use crate::faults::Rule;
use crate::gate::Gate;
use crate::outages::Outage;
use crate::profile::Profile;
use crate::shards::Shards;
use crate::shared::Shared;
use crate::truth::{Ledger, Violation};
use crate::venue::Venue;
use evenkeel_domain::order::{Capabilities, FillCursor, Refused, Side};
use evenkeel_domain::values::{AccountId, Currency, FillId, Money, Price, Quantity, Symbol, Timestamp};
use evenkeel_ports::Clock;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The simulated broker. Clones are the same broker.
///
/// Every method first lets happen what was due until the clock's time, at the prices of before the call.
#[derive(Clone)]
pub struct BanChile {
    pub(crate) shared: Arc<Shared>,
}

impl BanChile {
    /// A broker of this kind without accounts and without prices. The seed decides all draws, whatever the order of the calls.
    #[must_use]
    pub fn new(profile: Profile, clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self::sharded(profile, clock, seed, NonZeroUsize::MIN)
    }

    /// The same broker for many threads: its accounts are spread over so many locks, so that calls about different accounts seldom wait for one
    /// another; eight for each thread are enough. Whatever happens to an account is the same; prices are set in as many places, one after the other.
    ///
    /// For a load test that goes on for long, have it forget what is over: [`Profile::retention`].
    #[must_use]
    pub fn sharded(profile: Profile, clock: Arc<dyn Clock>, seed: u64, shards: NonZeroUsize) -> Self {
        Self::made_of(profile, clock, seed, shards, |_, _| None)
    }

    /// The broker of one account, as a bank has kept it: opening it repeats what was done there. See [`BankFile`](crate::BankFile).
    ///
    /// # Errors
    /// [`BankError`](crate::BankError) if what was kept cannot be read.
    #[cfg(feature = "file")]
    pub fn kept_in(
        bank: &Arc<crate::BankFile>,
        account: &AccountId,
        profile: Profile,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, crate::BankError> {
        let broker = Self::made_of(profile, clock, bank.seed(), NonZeroUsize::MIN, |profile, capabilities| {
            Some(Box::new(crate::file::Log::new(Arc::clone(bank), account.clone(), profile, capabilities)))
        });
        let mut venue = broker.shared.shards.first();
        let read = broker
            .shared
            .keeper
            .as_ref()
            .map_or(Ok(()), |keeper| keeper.catch_up(&mut venue, broker.shared.clock.now()));
        drop(venue);
        read.map_err(|message| bank.unavailable(message))?;
        Ok(broker)
    }

    fn made_of(
        profile: Profile,
        clock: Arc<dyn Clock>,
        seed: u64,
        shards: NonZeroUsize,
        keeper: impl FnOnce(Arc<Profile>, Arc<Capabilities>) -> Option<Box<dyn Keeper>>,
    ) -> Self {
        let profile = Arc::new(profile);
        let capabilities = Arc::new(profile.capabilities());
        let keeper = keeper(Arc::clone(&profile), Arc::clone(&capabilities));
        let venue = Venue::new(Arc::clone(&profile), Arc::clone(&capabilities), seed);
        let shards = Shards::new(venue, shards);
        Self { shared: Arc::new(Shared { profile, capabilities, clock, gate: Gate::default(), keeper, shards }) }
    }

    /// What kind of broker it is.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// The time that the venue has come to: the clock's when it was last called, or a later one that whoever worked on the same bank has seen.
    /// A clock that is behind it is told so here; nothing happens at the venue before that time.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let mut time = Timestamp::MIN;
        self.shared.shards.all(|venue| time = time.max(venue.now()));
        time
    }

    /// Opens an account with this cash and these units. What it opens with counts as deposited and received.
    ///
    /// # Errors
    /// [`AccountError::AlreadyOpen`]; [`AccountError::NotPositive`] for cash below zero; [`AccountError::Overflow`].
    pub fn open_account(
        &self,
        account: &AccountId,
        currency: Currency,
        cash: Money,
        holdings: impl IntoIterator<Item = (Symbol, Quantity)>,
    ) -> Result<(), AccountError> {
        let holdings: Vec<_> = holdings.into_iter().collect();
        let opened = Account::open(account.clone(), currency, cash, holdings.iter().copied())?;
        let call = || Call::Open { account: account.clone(), currency, cash, holdings };
        kept(account, self.change(account, call, |venue| venue.add_account(opened)))
    }

    /// Has the account go on where a reader of its fills stands, as if all of them had been made here: for a broker that is made anew beside books
    /// that have a past. False if the account has had an order, or the cursor is none of this broker.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`].
    pub fn continue_after(&self, account: &AccountId, read: &FillCursor) -> Result<bool, AccountError> {
        let number = read.0.parse().ok();
        let call = || Call::ContinueAfter { account: account.clone(), read: read.clone() };
        let work = |venue: &mut Venue| {
            let book = &mut venue.account_mut(account)?.book;
            Ok(number.is_some_and(|number| book.continue_after(number)))
        };
        kept(account, self.change(account, call, work))
    }

    /// Pays cash in.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`], [`AccountError::NotPositive`], [`AccountError::Overflow`].
    pub fn deposit(&self, account: &AccountId, amount: Money) -> Result<(), AccountError> {
        let call = || Call::Deposit { account: account.clone(), amount };
        kept(account, self.change(account, call, |venue| venue.account_mut(account)?.deposit(amount)))
    }

    /// Pays cash out that no open order has reserved.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`], [`AccountError::NotPositive`], [`AccountError::NotEnoughCash`], [`AccountError::Overflow`].
    pub fn withdraw(&self, account: &AccountId, amount: Money) -> Result<(), AccountError> {
        let call = || Call::Withdraw { account: account.clone(), amount };
        kept(account, self.change(account, call, |venue| venue.account_mut(account)?.withdraw(amount)))
    }

    /// Brings units in that were not bought here.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`], [`AccountError::Overflow`].
    pub fn receive(&self, account: &AccountId, symbol: Symbol, quantity: Quantity) -> Result<(), AccountError> {
        self.with(account, |venue| venue.account_mut(account)?.receive(symbol, quantity))
    }

    /// Takes units out that no open order has reserved, without selling them.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`], [`AccountError::NotEnoughUnits`], [`AccountError::Overflow`].
    pub fn deliver(&self, account: &AccountId, symbol: Symbol, quantity: Quantity) -> Result<(), AccountError> {
        self.with(account, |venue| venue.account_mut(account)?.deliver(symbol, quantity))
    }

    /// Lets somebody else trade in the account: a person by hand, or another program. The order is one like any other, but bears no id of
    /// ours: it is never among the open orders, and its fills are told with no order.
    ///
    /// # Errors
    /// [`Refused`], as any order may be.
    pub fn trade_by_others(
        &self,
        account: &AccountId,
        symbol: Symbol,
        side: Side,
        quantity: Quantity,
    ) -> Result<(), Refused> {
        self.with(account, |venue| venue.trade_by_others(account, symbol, side, quantity))
    }

    /// Busts a trade: it is taken back, with its fee, as if it had never been; the list of fills stays as it was.
    ///
    /// # Errors
    /// [`CorrectionError`].
    pub fn bust(&self, account: &AccountId, fill: &FillId) -> Result<(), CorrectionError> {
        self.corrected(account, fill, |account, at| account.bust(fill, at))
    }

    /// Corrects the price of a trade; its fee and the list of fills stay as they were.
    ///
    /// # Errors
    /// [`CorrectionError`].
    pub fn correct(&self, account: &AccountId, fill: &FillId, price: Price) -> Result<(), CorrectionError> {
        self.corrected(account, fill, |account, at| account.correct(fill, price, at))
    }

    fn corrected(
        &self,
        account: &AccountId,
        fill: &FillId,
        correct: impl FnOnce(&mut Account, Timestamp) -> Result<(), CorrectionError>,
    ) -> Result<(), CorrectionError> {
        self.with(account, |venue| {
            let now = venue.now();
            let unknown = |cause| CorrectionError::Account { fill: fill.clone(), cause };
            correct(venue.account_mut(account).map_err(unknown)?, now)
        })
    }

    /// Blocks an account, or unblocks it: while it is blocked its orders are refused (`Other`), and its view says so.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`].
    pub fn block(&self, account: &AccountId, blocked: bool) -> Result<(), AccountError> {
        self.with(account, |venue| venue.account_mut(account).map(|account| account.blocked = blocked))
    }

    /// Sets the price of one symbol, for all accounts, from now on.
    pub fn set_price(&self, symbol: Symbol, price: Price) {
        self.set_prices([(symbol, price)]);
    }

    /// Sets the prices of many symbols together: for an account, nothing is executed between them.
    pub fn set_prices(&self, prices: impl IntoIterator<Item = (Symbol, Price)>) {
        let prices: Vec<_> = prices.into_iter().collect();
        let set = |venue: &mut Venue| prices.iter().for_each(|(symbol, price)| venue.set_price(*symbol, *price));
        // A bank that cannot keep prices keeps no order either: whoever trades is told. And prices of the past change nothing.
        self.shared.shards.all(|venue| drop(self.kept_at(venue, || Call::Prices(prices.clone()), set)));
    }

    /// The board's price of a symbol, if it is traded here.
    #[must_use]
    pub fn price(&self, symbol: Symbol) -> Option<Price> {
        self.now_at(self.shared.shards.first(), |venue| venue.price(symbol))
    }

    /// Halts trading in a symbol: new orders are refused as `NotTradable`, executions wait until it resumes.
    pub fn halt(&self, symbol: Symbol) {
        self.everywhere(|venue| venue.halt(symbol));
    }

    /// Lets trading in a symbol go on. Executions that waited happen now, at the price of now.
    pub fn resume(&self, symbol: Symbol) {
        self.everywhere(|venue| venue.resume(symbol));
    }

    /// Closes the market until the clock reaches `opens_at` or [`open_market`](BanChile::open_market) is called.
    ///
    /// Orders are day orders: all that are open expire now, with what was executed of them. New ones are refused as `MarketClosed`.
    pub fn close_market(&self, opens_at: Timestamp) {
        self.everywhere(|venue| venue.close_market(opens_at));
    }

    /// Opens the market.
    pub fn open_market(&self) {
        self.everywhere(Venue::open_market);
    }

    /// Adds a rule of what goes wrong. It counts sends from now on.
    pub fn script(&self, rule: Rule) {
        self.now_at(self.shared.shards.first(), |venue| venue.script().add(rule));
    }

    /// Drops all rules. What they have already done to orders stays.
    pub fn clear_script(&self) {
        self.now_at(self.shared.shards.first(), |venue| venue.script().clear());
    }

    /// Lets the next questions about an account fail with `Unavailable`; 0 ends it.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`].
    pub fn fail_queries(&self, account: &AccountId, times: u32) -> Result<(), AccountError> {
        self.fail_queries_after(account, 0, times)
    }

    /// Lets questions about an account fail with `Unavailable`: after so many that are `spared`, so many `times` in a row.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`].
    pub fn fail_queries_after(&self, account: &AccountId, spared: u32, times: u32) -> Result<(), AccountError> {
        self.with(account, |venue| {
            venue.account_mut(account).map(|account| (account.spared, account.failing) = (spared, times))
        })
    }

    /// Adds an outage, for all accounts. Where several are on at once, the one added first counts.
    pub fn add_outage(&self, outage: Outage) {
        self.everywhere(|venue| venue.add_outage(outage));
    }

    /// How many calls of `submit` are held by [`Fault::HoldAnswer`](crate::Fault::HoldAnswer) now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.gate.waiting()
    }

    /// Lets all calls return that are held now; how many they were. Calls held later wait for the next release.
    pub fn release_held(&self) -> usize {
        self.shared.gate.open()
    }

    /// What was drawn so far, to be held against a profile by itself or with what others drew.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut all = Tally::default();
        self.everywhere(|venue| all.add(venue.tally()));
        all
    }

    /// Whether all that was drawn so far fits `declared`: the profile of this broker, or another that it should not be taken for.
    #[must_use]
    pub fn calibration(&self, declared: &Profile) -> Calibration {
        self.tally().against(declared)
    }

    /// When something is going to happen next by itself, if anything is: a request arrives, an order is executed or ends.
    #[must_use]
    pub fn next_event(&self) -> Option<Timestamp> {
        let mut next = None;
        self.everywhere(|venue| next = next.into_iter().chain(venue.next_event()).min());
        next
    }

    /// The truth about one account, as no lag or lost answer hides it.
    ///
    /// # Errors
    /// [`AccountError::NoSuchAccount`].
    pub fn ledger(&self, account: &AccountId) -> Result<Ledger, AccountError> {
        self.with(account, |venue| {
            venue.account(account).map(|found| Ledger::of(found, &self.shared.profile, venue.now()))
        })
    }

    /// The truth about every account.
    #[must_use]
    pub fn truth(&self) -> BTreeMap<AccountId, Ledger> {
        let mut truth = BTreeMap::new();
        self.everywhere(|venue| {
            let now = venue.now();
            truth
                .extend(venue.accounts().map(|found| (found.id.clone(), Ledger::of(found, &self.shared.profile, now))));
        });
        truth
    }

    /// Whether cash and units of an account are exactly what its movements and fills make them; see [`Ledger::check`].
    ///
    /// # Errors
    /// The first [`Violation`]; [`Violation::NoSuchAccount`] if there is no such account.
    pub fn check_conservation(&self, account: &AccountId) -> Result<(), Violation> {
        self.ledger(account).map_err(|_| Violation::NoSuchAccount { account: account.clone() })?.check()
    }
}

/// What a change of an account came to.
fn kept<T>(account: &AccountId, done: Result<Result<T, AccountError>, Unkept>) -> Result<T, AccountError> {
    let unkept = |cause: Unkept| AccountError::NotKept { account: account.clone(), message: cause.to_string() };
    done.map_err(unkept)?
}

impl fmt::Debug for BanChile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BanChile").field("name", &self.shared.profile.name).finish_non_exhaustive()
    }
}
