//! The venue: accounts, the price board, and a queue of what is still going to happen. Pure: time comes in with every call.
//!
//! Nothing runs by itself. Every call first brings the venue to its own time ([`Venue::advance`]): all that was due until then
//! happens in order of (time, place in the queue), each at the time it was due. Prices set at a time therefore never reach back.
//!
//! * this file: the state, the queue, the market;
//! * `venue/sending.rs`: a request on its way to the venue and its answer on the way back;
//! * `venue/accepting.rs`: what an order must satisfy, and what is planned for it once accepted;
//! * `venue/executing.rs`: what happens to orders that were accepted;
//! * `venue/asking.rs`: what can be seen of it all.

mod accepting;
mod asking;
mod executing;
mod sending;

pub(crate) use accepting::check;
pub(crate) use sending::Delivery;

use crate::account::{Account, AccountError};
use crate::calibration::{Happening, Leg, Tally};
use crate::draws::{Concern, Draws, Key};
use crate::faults::{Script, Treatment};
use crate::orders::OrderKey;
use crate::outages::{self, Outage, OutageKind};
use crate::profile::{Latency, Profile};
use crate::sorted::Sorted;
use evenkeel_domain::order::{BrokerStatus, CancelAnswer, Capabilities, ClientOrderId, OrderRequest, SubmitAnswer};
use evenkeel_domain::values::{AccountId, Price, Quantity, Symbol, Timestamp};
use sending::Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The whole state of the simulated broker.
#[derive(Debug)]
pub(crate) struct Venue {
    profile: Arc<Profile>,
    capabilities: Arc<Capabilities>,
    draws: Draws,
    /// Whether it matters how often something was repeated: the profile's, which stays what it is.
    is_random: bool,
    now: Timestamp,
    accounts: Vec<Account>,
    index: BTreeMap<AccountId, usize>,
    board: Sorted<Symbol, Price>,
    halted: BTreeSet<Symbol>,
    closed_until: Option<Timestamp>,
    queue: BTreeMap<(Timestamp, u64), Event>,
    queued: u64,
    /// Executions of halted symbols, until trading resumes.
    parked: Vec<(Symbol, Event)>,
    script: Script,
    /// What was drawn; nothing where nothing is.
    tally: Tally,
    outages: Vec<Outage>,
    /// The last slot whose drawn outage is in the tally of a venue of this broker.
    counted_slot: Arc<AtomicI64>,
}

/// Something that is still going to happen.
#[derive(Debug)]
enum Event {
    /// A request reaches the venue.
    Arrival { account: usize, request: OrderRequest, treatment: Box<Treatment>, slot: Option<Slot<SubmitAnswer>> },
    /// A request to cancel reaches the venue.
    CancelArrival { account: usize, id: ClientOrderId, occurrence: u32, heard: bool, slot: Option<Slot<CancelAnswer>> },
    /// So much of an order is executed.
    Execution { account: usize, key: OrderKey, quantity: Quantity },
    /// An order ends without being complete.
    End { account: usize, key: OrderKey, status: BrokerStatus },
}

impl Venue {
    pub(crate) fn new(profile: Arc<Profile>, capabilities: Arc<Capabilities>, seed: u64) -> Self {
        Self {
            is_random: profile.is_random(),
            profile,
            capabilities,
            draws: Draws::new(seed),
            now: Timestamp::MIN,
            accounts: Vec::new(),
            index: BTreeMap::new(),
            board: Sorted::default(),
            halted: BTreeSet::new(),
            closed_until: None,
            queue: BTreeMap::new(),
            queued: 0,
            parked: Vec::new(),
            script: Script::default(),
            tally: Tally::default(),
            outages: Vec::new(),
            counted_slot: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// Another venue of the same broker, without accounts: rules count the sends of both.
    pub(crate) fn beside(&self) -> Self {
        let mut other = Self::new(Arc::clone(&self.profile), Arc::clone(&self.capabilities), 0);
        (other.draws, other.script) = (self.draws, self.script.clone());
        other.counted_slot = Arc::clone(&self.counted_slot);
        other
    }

    /// Lets everything happen that is due until `now`. Time never goes back.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), event) = entry.remove_entry();
            self.happen(event, at);
        }
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    fn happen(&mut self, event: Event, at: Timestamp) {
        match event {
            Event::Arrival { account, request, treatment, slot } => {
                self.arrival(account, &request, &treatment, slot, at)
            }
            Event::CancelArrival { account, id, occurrence, heard, slot } => {
                let answer = self.cancel(account, id, occurrence, heard, at);
                sending::leave(slot, answer);
            }
            Event::Execution { account, key, quantity } => self.execute(account, key, quantity, at),
            Event::End { account, key, status } => self.finish(account, key, status, at),
        }
    }

    fn schedule(&mut self, at: Timestamp, event: Event) {
        self.queue.insert((at, self.queued), event);
        self.queued = self.queued.saturating_add(1);
    }

    /// When something is going to happen next, if anything is.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn add_account(&mut self, account: Account) -> Result<(), AccountError> {
        if self.index.contains_key(&account.id) {
            return Err(AccountError::AlreadyOpen { account: account.id });
        }
        self.index.insert(account.id.clone(), self.accounts.len());
        self.accounts.push(account);
        Ok(())
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    pub(crate) fn account(&self, id: &AccountId) -> Result<&Account, AccountError> {
        let place = self.index.get(id).copied();
        let account = place.and_then(|place| self.accounts.get(place));
        account.ok_or_else(|| AccountError::NoSuchAccount { account: id.clone() })
    }

    pub(crate) fn account_mut(&mut self, id: &AccountId) -> Result<&mut Account, AccountError> {
        let place = self.index.get(id).copied();
        let account = place.and_then(|place| self.accounts.get_mut(place));
        account.ok_or_else(|| AccountError::NoSuchAccount { account: id.clone() })
    }

    pub(crate) fn price(&self, symbol: Symbol) -> Option<Price> {
        self.board.get(symbol).copied()
    }

    pub(crate) fn set_price(&mut self, symbol: Symbol, price: Price) {
        self.board.insert(symbol, price);
    }

    pub(crate) fn halt(&mut self, symbol: Symbol) {
        self.halted.insert(symbol);
    }

    /// Trading goes on: what waited for it is due now, before anything else happens.
    pub(crate) fn resume(&mut self, symbol: Symbol) {
        self.halted.remove(&symbol);
        let parked = std::mem::take(&mut self.parked);
        for (waits_for, event) in parked {
            if waits_for == symbol {
                self.schedule(self.now, event);
            } else {
                self.parked.push((waits_for, event));
            }
        }
    }

    /// Day orders end with the day.
    pub(crate) fn close_market(&mut self, opens_at: Timestamp) {
        self.closed_until = Some(opens_at);
        for account in 0..self.accounts.len() {
            let book = self.accounts.get(account).map(|a| &a.book);
            let open: Vec<_> =
                book.into_iter().flat_map(|book| book.iter()).filter(|o| o.is_open()).map(|o| o.key()).collect();
            for key in open {
                self.finish(account, key, BrokerStatus::Expired, self.now);
            }
        }
    }

    pub(crate) const fn open_market(&mut self) {
        self.closed_until = None;
    }

    /// When the market opens, if it is closed at `at`: by hand, or by its hours.
    fn opens_at(&self, at: Timestamp) -> Option<Timestamp> {
        let by_hand = self.closed_until.filter(|opens_at| at < *opens_at);
        let by_hours = self.profile.sessions.as_ref().filter(|hours| hours.closes_at(at).is_none());
        by_hand.or_else(|| by_hours.map(|hours| hours.opens_after(at)))
    }

    /// When the session ends that is open at `at`, where the market has hours.
    fn closes_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.profile.sessions.as_ref()?.closes_at(at)
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How long this leg takes an order: drawn and counted, if there is a choice at all.
    #[inline]
    fn takes(
        &mut self,
        leg: (Leg, Concern),
        account: usize,
        id: ClientOrderId,
        occurrence: u32,
        latency: Latency,
    ) -> Duration {
        if latency.is_fixed() { latency.most } else { self.drawn(leg, account, id, occurrence, latency) }
    }

    fn drawn(
        &mut self,
        (leg, concern): (Leg, Concern),
        account: usize,
        id: ClientOrderId,
        occurrence: u32,
        latency: Latency,
    ) -> Duration {
        let drawn = self.draws.of(concern, self.key_of(account, id), occurrence).latency(latency);
        self.noted(leg, latency, drawn)
    }

    /// Counts a latency that was drawn, if there was a choice.
    fn noted(&mut self, leg: Leg, of: Latency, drawn: Duration) -> Duration {
        if !of.is_fixed() {
            self.tally.took(leg, drawn);
        }
        drawn
    }

    pub(crate) const fn script(&self) -> &Script {
        &self.script
    }

    pub(crate) fn add_outage(&mut self, outage: Outage) {
        self.outages.push(outage);
    }

    /// The outage that whoever calls now meets.
    pub(crate) fn outage(&mut self) -> Option<OutageKind> {
        self.count_outage();
        outages::on_at(&self.outages, self.profile.outages.as_ref(), self.draws, self.now)
    }

    /// Counts what is drawn for the slot of now, once: every later call in it meets the same.
    fn count_outage(&mut self) {
        let Some(outages) = self.profile.outages else { return };
        let Some(slot) = outages.slot_of(self.now) else { return };
        if self.counted_slot.load(Ordering::Relaxed) >= slot
            || self.counted_slot.fetch_max(slot, Ordering::Relaxed) >= slot
        {
            return;
        }
        let drawn = outages.drawn(self.draws, slot);
        self.tally.chance(Happening::Outage, drawn.is_some());
        if let Some(drawn) = drawn {
            self.tally.chance(Happening::SilentOutage, drawn.outage.kind == OutageKind::Silent);
            self.noted(Leg::OutageLasts, outages.lasts, drawn.lasts);
        }
    }

    fn key_of(&self, account: usize, id: ClientOrderId) -> Key<'_> {
        let name = self.accounts.get(account).map(|a| &a.id);
        name.map_or(Key::NONE, |name| Key::new(name, id))
    }
}
