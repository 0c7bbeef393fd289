//! The plain way to the same answers: every portfolio as it was given, judged by the domain whenever a wave prices one of its symbols.

use crate::{Finding, Settings, Watch};
use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition, Market, Prices, Quote};
use evenkeel_domain::drift::urgency::Urgency;
use evenkeel_domain::drift::{drift, is_out_of_band};
use evenkeel_domain::policy::{Band, Measure, Policy};
use evenkeel_domain::valuation::Valuation;
use evenkeel_domain::values::{Money, Percentage, PortfolioId, Price, Quantity, Symbol, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn symbol(number: usize) -> Symbol {
    format!("S{number:04}").parse().unwrap()
}

pub(crate) fn id(number: usize) -> PortfolioId {
    PortfolioId::new(&format!("p{number}")).unwrap()
}

pub(crate) fn nanos(nanos: u64) -> Price {
    Price::from_nanos(nanos).unwrap()
}

pub(crate) fn units(nanos: u128) -> Quantity {
    Quantity::from_nanos(nanos).unwrap()
}

pub(crate) fn cents(cents: i64) -> Money {
    Money::from_cents(cents).unwrap()
}

pub(crate) fn band(units: i64) -> Band {
    Band::new(Percentage::from_units(units).unwrap()).unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

/// A definition of these parts per million; cash gets what is left.
pub(crate) fn definition(measure: Measure, buffer: i64, targets: &[(usize, i64)]) -> Definition {
    let mut rest = 1_000_000;
    let mut weights = Vec::new();
    for (number, parts) in targets {
        rest -= parts;
        weights.push((Target::Symbol(symbol(*number)), Percentage::from_units(*parts).unwrap()));
    }
    if rest > 0 {
        weights.push((Target::Cash, Percentage::from_units(rest).unwrap()));
    }
    Definition {
        account: "account".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        allocation: TargetAllocation::new(weights).unwrap(),
        policy: Policy { measure, cash_buffer: cents(buffer), ..Policy::default() },
    }
}

pub(crate) fn books(cash: i64, held: &[(usize, u128)]) -> Books {
    Books::new(cents(cash), held.iter().map(|(number, held)| (symbol(*number), units(*held))))
}

struct Known {
    definition: Definition,
    books: Books,
    is_active: bool,
}

/// A watch and its model, which must always agree.
pub(crate) struct Both {
    pub(crate) watch: Watch,
    settings: Settings,
    portfolios: BTreeMap<PortfolioId, Known>,
    prices: Prices,
    /// How often a portfolio was judged, and how often it was found.
    pub(crate) judged: usize,
    pub(crate) found: usize,
}

impl Both {
    pub(crate) fn new(settings: Settings) -> Self {
        let watch = Watch::new(settings);
        Self { watch, settings, portfolios: BTreeMap::new(), prices: Prices::default(), judged: 0, found: 0 }
    }

    pub(crate) fn insert(&mut self, number: usize, definition: &Definition, books: &Books) {
        self.watch.insert(&id(number), definition, books).unwrap();
        let known = Known { definition: definition.clone(), books: books.clone(), is_active: true };
        self.portfolios.insert(id(number), known);
    }

    pub(crate) fn remove(&mut self, number: usize) {
        assert_eq!(self.watch.remove(&id(number)), self.portfolios.remove(&id(number)).is_some());
    }

    pub(crate) fn change(&mut self, number: usize, definition: &Definition) {
        let known = self.portfolios.get_mut(&id(number));
        assert_eq!(self.watch.change(&id(number), definition), known.is_some());
        if let Some(known) = known {
            known.definition = definition.clone();
        }
    }

    pub(crate) fn set_books(&mut self, number: usize, books: &Books) {
        let known = self.portfolios.get_mut(&id(number));
        assert_eq!(self.watch.set_books(&id(number), books), known.is_some());
        if let Some(known) = known {
            known.books = books.clone();
        }
    }

    pub(crate) fn set_active(&mut self, number: usize, is_active: bool) {
        let known = self.portfolios.get_mut(&id(number));
        assert_eq!(self.watch.set_active(&id(number), is_active), known.is_some());
        if let Some(known) = known {
            known.is_active = is_active;
        }
    }

    pub(crate) fn forget_price(&mut self, number: usize) {
        self.watch.forget_price(symbol(number));
        let others = self.prices.iter().filter(|(other, _)| *other != symbol(number));
        self.prices = others.collect();
    }

    /// A wave through both; what it found.
    pub(crate) fn wave(&mut self, now: Timestamp, prices: &[(usize, u64)]) -> Vec<Finding> {
        let prices: Vec<(Symbol, Price)> =
            prices.iter().map(|(number, price)| (symbol(*number), nanos(*price))).collect();
        let quotes: Vec<(Symbol, Quote)> =
            prices.iter().map(|(symbol, price)| (*symbol, Quote { price: *price, at: now })).collect();
        self.taken(now, &quotes, |watch| watch.wave(now, &prices))
    }

    /// Prices of different times through both, each with its own; what they found.
    pub(crate) fn quotes(&mut self, now: Timestamp, prices: &[(usize, u64, Timestamp)]) -> Vec<Finding> {
        let quotes: Vec<(Symbol, Quote)> = prices
            .iter()
            .map(|(number, price, at)| (symbol(*number), Quote { price: nanos(*price), at: *at }))
            .collect();
        self.taken(now, &quotes, |watch| watch.quotes(now, &quotes))
    }

    /// The last known price of a symbol.
    pub(crate) fn price(&self, number: usize) -> Option<u64> {
        self.prices.get(symbol(number)).map(|quote| quote.price.nanos())
    }

    fn taken(
        &mut self,
        now: Timestamp,
        quotes: &[(Symbol, Quote)],
        take: impl FnOnce(&mut Watch) -> Vec<Finding>,
    ) -> Vec<Finding> {
        for (symbol, quote) in quotes {
            self.prices.set(*symbol, *quote);
        }
        let touched: BTreeSet<Symbol> = quotes.iter().map(|(symbol, _)| *symbol).collect();
        let follows = |known: &Known| {
            let held = known.books.holdings().map(|(symbol, _)| symbol);
            held.chain(known.definition.allocation.symbols().map(|(symbol, _)| symbol)).any(|s| touched.contains(&s))
        };
        let affected = self.portfolios.iter().filter(|(_, known)| known.is_active && follows(known));
        let affected: Vec<&PortfolioId> = affected.map(|(id, _)| id).collect();
        self.judged += affected.len();
        let expected: Vec<Finding> = affected.into_iter().filter_map(|id| self.judge(id, now)).collect();
        self.found += expected.len();
        let found = take(&mut self.watch);
        assert_eq!(found, expected);
        found
    }

    /// Everything the watch can be asked, compared.
    pub(crate) fn compare(&mut self, now: Timestamp) {
        let active = self.portfolios.iter().filter(|(_, known)| known.is_active);
        let expected: Vec<Finding> = active.filter_map(|(id, _)| self.judge(id, now)).collect();
        assert_eq!(self.watch.judge_all(now), expected);
        for id in self.portfolios.keys() {
            assert_eq!(self.watch.judge(id, now), self.judge(id, now));
        }
        let lines = |known: &Known| {
            let held = known.books.holdings().map(|(symbol, _)| symbol);
            let all: BTreeSet<Symbol> = held.chain(known.definition.allocation.symbols().map(|(s, _)| s)).collect();
            all
        };
        let all: Vec<BTreeSet<Symbol>> = self.portfolios.values().map(lines).collect();
        assert_eq!(self.watch.holdings(), all.iter().map(BTreeSet::len).sum::<usize>());
        assert_eq!(self.watch.len(), self.portfolios.len());
        let priced: BTreeSet<Symbol> = self.prices.iter().map(|(symbol, _)| symbol).collect();
        let known: BTreeSet<Symbol> = all.into_iter().flatten().chain(priced).collect();
        assert_eq!(self.watch.symbols(), known.len());
        for (symbol, quote) in self.prices.iter() {
            assert_eq!(self.watch.price(symbol), Some(quote));
        }
    }

    /// Whether a portfolio would be out of band at another price of one symbol.
    pub(crate) fn would_be_out(&self, number: usize, of: usize, price: u64) -> bool {
        let Known { definition, books, .. } = &self.portfolios[&id(number)];
        let mut prices = self.prices.clone();
        prices.set(symbol(of), Quote { price: nanos(price), at: Timestamp::MAX });
        let (market, policy) = (Market::ageless(&prices), &definition.policy);
        let valued = Valuation::new(books, &definition.allocation, policy, market, self.settings.reserve).unwrap();
        is_out_of_band(&valued, &policy.measure).unwrap()
    }

    fn judge(&self, id: &PortfolioId, now: Timestamp) -> Option<Finding> {
        let Known { definition, books, .. } = &self.portfolios[id];
        let market = Market { prices: &self.prices, now, max_age: self.settings.max_age };
        let policy = &definition.policy;
        let mut lines =
            books.holdings().map(|(symbol, _)| symbol).chain(definition.allocation.symbols().map(|(symbol, _)| symbol));
        if lines.any(|symbol| self.prices.get(symbol).is_none()) {
            return None;
        }
        let valued = Valuation::new(books, &definition.allocation, policy, market, self.settings.reserve);
        let out = valued.and_then(|valued| Ok((is_out_of_band(&valued, &policy.measure)?, valued)));
        match out {
            Ok((false, _)) => None,
            Ok((true, valued)) => {
                let drift = drift(&valued, &policy.measure).unwrap_or(Percentage::MAX);
                let urgency = Urgency::of(&valued, &policy.measure).unwrap().unwrap();
                Some(Finding::OutOfBand { portfolio: id.clone(), drift, urgency })
            }
            Err(why) => Some(Finding::NotJudged { portfolio: id.clone(), why }),
        }
    }
}
