//! One thread of a replay: its accounts in groups, each of which goes through a chunk before the next does.

use super::chunks::Chunk;
use crate::replay::account::Account;
use crate::replay::lines::{Line, Lines};
use crate::wiring::SimulationPlan;
use evenkeel_domain::values::{PortfolioId, Timestamp};
use evenkeel_engine::EngineError;
use evenkeel_watch::{Settings, Watch};
use std::collections::{BTreeMap, BTreeSet};

/// How many accounts are a group, unless waves are large: what so few remember (some 80 KB each) stays in the caches from one time that an
/// account acts to its next.
const GROUP: usize = 64;

/// How many prices of a wave may come to each account of a group: every group has a watch of its own, that takes each of them in.
const PRICES_PER_ACCOUNT: usize = 2;

/// The number of a wave, and the place of an account in the file.
pub(super) type Place = (usize, usize);

/// What came of a chunk.
#[derive(Default)]
pub(super) struct Told {
    /// Each line with its place in the output.
    pub(super) placed: Vec<(Place, Line)>,
    /// How often an account was shown a wave.
    pub(super) acts: usize,
    /// Where it ended, and why, if it did.
    pub(super) failed: Option<(Place, Box<EngineError>)>,
}

impl Told {
    pub(super) fn failed(error: EngineError) -> Self {
        Self { failed: Some(((0, 0), Box::new(error))), ..Self::default() }
    }
}

/// The accounts of one thread.
pub(super) struct Worker {
    groups: Vec<Group>,
}

impl Worker {
    /// Opens accounts, each with its place in the file, for waves that begin at `start` and are as large as `prices`.
    pub(super) fn new(
        plans: Vec<(usize, SimulationPlan)>,
        start: Timestamp,
        prices: usize,
    ) -> Result<Self, EngineError> {
        let size = prices.checked_div(PRICES_PER_ACCOUNT).unwrap_or(prices).max(GROUP);
        let mut plans = plans.into_iter().peekable();
        let mut groups = Vec::new();
        while plans.peek().is_some() {
            groups.push(Group::new(plans.by_ref().take(size), start)?);
        }
        Ok(Self { groups })
    }

    /// What all accounts make of a chunk, up to the first error.
    pub(super) fn chunk(&mut self, chunk: &Chunk) -> Told {
        let mut told = Told::default();
        told.failed = self.groups.iter_mut().try_for_each(|group| group.chunk(chunk, &mut told)).err();
        told
    }

    /// The accounts, each at the last prices.
    pub(super) fn end(self) -> impl Iterator<Item = (usize, Account)> {
        self.groups.into_iter().flat_map(Group::end)
    }
}

/// Accounts that are watched together.
struct Group {
    /// With their places in the file.
    accounts: Vec<(usize, Account)>,
    /// Where in `accounts` a portfolio is.
    by_id: BTreeMap<PortfolioId, usize>,
    /// Finds who is out of band, among all accounts at once.
    watch: Watch,
    /// Which accounts are not at rest, or not watched: they are shown every wave.
    restless: BTreeSet<usize>,
}

impl Group {
    fn new(plans: impl Iterator<Item = (usize, SimulationPlan)>, start: Timestamp) -> Result<Self, EngineError> {
        let open = |(place, plan)| Ok((place, Account::new(plan, start)?));
        let accounts: Vec<(usize, Account)> = plans.map(open).collect::<Result<_, EngineError>>()?;
        let watch = accounts.first().map_or_else(|| Watch::new(Settings::default()), |(_, first)| first.watch());
        let by_id = accounts.iter().enumerate().map(|(n, (_, account))| (account.id().clone(), n)).collect();
        // Nobody is watched before it has come to rest for the first time.
        let restless = (0..accounts.len()).collect();
        Ok(Self { accounts, by_id, watch, restless })
    }

    /// Wave by wave: whoever is found out of band, or is not at rest, acts on it.
    fn chunk(&mut self, chunk: &Chunk, told: &mut Told) -> Result<(), (Place, Box<EngineError>)> {
        let mut lines = Lines::new();
        let nexts = chunk.waves.iter().skip(1).map(|wave| Some(wave.at)).chain([chunk.next]);
        for ((number, wave), next) in (chunk.first..).zip(&chunk.waves).zip(nexts) {
            let found = self.watch.wave(wave.at, &wave.prices);
            let mut due = std::mem::take(&mut self.restless);
            due.extend(found.iter().filter_map(|finding| self.by_id.get(finding.portfolio())));
            told.acts = told.acts.saturating_add(due.len());
            for n in due {
                let Some((place, account)) = self.accounts.get_mut(n) else { continue };
                let acted = account.wave(wave, next, |symbol| self.watch.price(symbol), &mut lines);
                told.placed.extend(lines.drain(..).map(|line| ((number, *place), line)));
                acted.map_err(|error| ((number, *place), Box::new(error)))?;
                if !(account.is_at_rest() && account.be_watched(&mut self.watch)) {
                    self.restless.insert(n);
                }
            }
        }
        Ok(())
    }

    /// The accounts, each at the last prices.
    fn end(mut self) -> impl Iterator<Item = (usize, Account)> {
        for (_, account) in &mut self.accounts {
            account.take_prices(|symbol| self.watch.price(symbol));
        }
        self.accounts.into_iter()
    }
}
