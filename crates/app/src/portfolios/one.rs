//! One portfolio: which keys it has, what their values must be, and what is said when they are not.
//!
//! The rules of each value are the domain's; here they get their place and a remedy. Its policy is in [`super::policy`].

use super::{LoadedPortfolio, Priced, policy};
use crate::document::form::{Form, Notation, field};
use crate::document::nearest::similar;
use crate::document::{Entry, Kind, Node, Table};
use evenkeel_domain::allocation::{AllocationError, AllocationViolation, Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{
    AccountId, Currency, IdError, Money, Percentage, PortfolioId, Quantity, Symbol, SymbolError, SymbolReason,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a portfolio may have.
pub(super) const KEYS: [&str; 7] = ["id", "account", "currency", "cash", "targets", "holdings", "policy"];

const ID: &str = "write 1 to 64 letters, digits, '-', '_', '.' or ':', as a string";
const CURRENCY: &str = "write three capital letters, like \"USD\"";
const CASH: &str = "write an amount from \"0.00\" to \"9999999999999999.99\", with at most 2 decimals";
const TARGETS: &str = "write symbols with percentages, like META with \"60\" and CASH with \"40\"";
const WEIGHT: &str = "write a percentage above \"0\" and up to \"100\", with at most 4 decimals";
const HOLDINGS: &str = "write symbols with units, like META with \"12.5\"";
const UNITS: &str = "write units of \"0\" or more, with at most 9 decimals";

/// What messages call a portfolio: by its id, or else by its place in the file, from 1.
pub(super) fn subject(node: Option<&Node<'_>>, number: u64) -> String {
    let id = match node.map(|node| &node.kind) {
        Some(Kind::Table(table)) => table.get("id"),
        Some(Kind::Text(_) | Kind::Number | Kind::List(_) | Kind::Other(_)) | None => None,
    };
    match id.map(|id| &id.value.kind) {
        Some(Kind::Text(id)) if PortfolioId::new(id).is_ok() => format!("portfolio \"{id}\""),
        _ => format!("portfolio {number}"),
    }
}

/// Who a portfolio is: each as far as it can be read.
pub(super) struct Identity<'n> {
    pub(super) id: Option<Named<'n, PortfolioId>>,
    pub(super) account: Option<Named<'n, AccountId>>,
}

/// A name, and where it is from.
pub(super) struct Named<'n, T> {
    pub(super) is: T,
    pub(super) key: &'static str,
    pub(super) node: &'n Node<'n>,
}

/// Everything else.
pub(super) struct Rest {
    currency: Currency,
    allocation: TargetAllocation,
    policy: Policy,
    books: Books,
}

impl Rest {
    pub(super) fn of(self, id: PortfolioId, account: AccountId) -> LoadedPortfolio {
        let Self { currency, allocation, policy, books } = self;
        LoadedPortfolio { id, definition: Definition { account, currency, allocation, policy }, books }
    }
}

/// Reads id and account of a portfolio that starts at `at`; the account is the id if it is not there.
pub(super) fn identity<'n>(form: &mut Form<'_>, table: &'n Table<'n>, at: usize) -> Identity<'n> {
    let id = form.needed((table, at), "", "id", "\"growth\"");
    let id = id.and_then(|entry| name(form, "id", &entry.value, PortfolioId::new));
    let account = match (table.get("account"), &id) {
        (Some(entry), _) => name(form, "account", &entry.value, AccountId::new),
        // An id that is a portfolio's is an account's as well: the same characters are allowed.
        (None, Some(id)) => AccountId::new(id.is.as_str()).ok().map(|is| Named { is, key: "id", node: id.node }),
        (None, None) => None,
    };
    Identity { id, account }
}

fn name<'n, T>(
    form: &mut Form<'_>,
    key: &'static str,
    node: &'n Node<'n>,
    read: fn(&str) -> Result<T, IdError>,
) -> Option<Named<'n, T>> {
    let text = form.text(node, key, ID)?;
    let is = read(text).map_err(|error| form.refuse(node, key, error.reason.to_string(), ID)).ok()?;
    Some(Named { is, key, node })
}

/// Reads everything else of a portfolio that starts at `at`.
pub(super) fn read(form: &mut Form<'_>, table: &Table<'_>, at: usize, priced: Option<Priced<'_>>) -> Option<Rest> {
    form.only(table, "", &KEYS, &[("in policy", &policy::KEYS)]);
    let currency = form.needed((table, at), "", "currency", "\"USD\"").and_then(|entry| currency(form, &entry.value));
    let cash = form.needed((table, at), "", "cash", "\"100000.00\"").and_then(|entry| cash(form, &entry.value));
    let mut prices = Prices { priced, known: BTreeSet::new() };
    let sample = match form.notation {
        Notation::Toml => "{ META = \"60\", CASH = \"40\" }",
        Notation::Json => "{\"META\": \"60\", \"CASH\": \"40\"}",
    };
    let targets = form.needed((table, at), "", "targets", sample);
    let allocation = targets.and_then(|entry| targets_of(form, entry, &mut prices));
    let holdings = match table.get("holdings") {
        Some(entry) => holdings_of(form, entry, &mut prices),
        None => Some(Vec::new()),
    };
    let policy = match table.get("policy") {
        Some(entry) => policy::read(form, entry),
        None => Some(Policy::default()),
    };
    Some(Rest { currency: currency?, allocation: allocation?, policy: policy?, books: Books::new(cash?, holdings?) })
}

fn currency(form: &mut Form<'_>, node: &Node<'_>) -> Option<Currency> {
    let text = form.text(node, "currency", CURRENCY)?;
    text.parse().map_err(|_| form.refuse(node, "currency", "it is no currency", CURRENCY)).ok()
}

fn cash(form: &mut Form<'_>, node: &Node<'_>) -> Option<Money> {
    let cash: Money = form.decimal(node, "cash", CASH)?;
    if cash.is_negative() {
        form.refuse(node, "cash", "it is below zero", CASH);
        return None;
    }
    Some(cash)
}

/// Targets, with every rule that they break.
fn targets_of(form: &mut Form<'_>, entry: &Entry<'_>, prices: &mut Prices<'_>) -> Option<TargetAllocation> {
    let table = form.table(&entry.value, "targets", TARGETS)?;
    let mut weights = Vec::with_capacity(table.entries.len());
    for entry in &table.entries {
        let path = field("targets", &entry.key);
        let target = entry.key.parse::<Target>().map_err(|error| bad_symbol(form, entry, &path, &error)).ok();
        if let Some(Target::Symbol(symbol)) = target {
            prices.need(form, entry, &path, symbol);
        }
        let weight = form.decimal::<Percentage>(&entry.value, &path, WEIGHT);
        if let (Some(target), Some(weight)) = (target, weight) {
            weights.push((entry, target, weight));
        }
    }
    let all_read = weights.len() == table.entries.len();
    let AllocationError { violations } = match TargetAllocation::new(weights.iter().map(|(_, t, w)| (*t, *w))) {
        Ok(allocation) => return Some(allocation).filter(|_| all_read),
        Err(error) => error,
    };
    let entries: BTreeMap<Target, &Entry<'_>> = weights.iter().map(|(entry, target, _)| (*target, *entry)).collect();
    for violation in violations {
        match violation {
            AllocationViolation::NotPositive { target, .. } => {
                if let Some(entry) = entries.get(&target) {
                    let path = field("targets", &entry.key);
                    form.refuse(&entry.value, &path, "a weight is above 0", "correct it, or leave the target out");
                }
            }
            // Without those that could not be read, neither says anything.
            AllocationViolation::Sum { .. } | AllocationViolation::Empty if !all_read => {}
            AllocationViolation::Sum { units } => {
                let problem = format!("the weights add up to {} %", percent(units));
                let missing = i128::from(Percentage::HUNDRED.units()).saturating_sub(units);
                let way = if missing > 0 { "add" } else { "take off" };
                let remedy =
                    format!("{way} {} %, so that they are exactly 100.0000 %", percent(missing.saturating_abs()));
                form.refuse(&entry.value, "targets", problem, remedy);
            }
            AllocationViolation::Empty => form.refuse(&entry.value, "targets", "there is no target", TARGETS),
            AllocationViolation::Repeated { .. }
            | AllocationViolation::Unreadable { .. }
            | AllocationViolation::NoSuchTarget { .. }
            | _ => form.refuse(&entry.value, "targets", violation.to_string(), TARGETS),
        }
    }
    None
}

/// Units of 0.0001 % with four decimals, of any size.
fn percent(units: i128) -> String {
    let (size, sign) = (units.unsigned_abs(), if units < 0 { "-" } else { "" });
    let (whole, rest) = (size.checked_div(10_000).unwrap_or(0), size.checked_rem(10_000).unwrap_or(0));
    format!("{sign}{whole}.{rest:04}")
}

fn holdings_of(form: &mut Form<'_>, entry: &Entry<'_>, prices: &mut Prices<'_>) -> Option<Vec<(Symbol, Quantity)>> {
    let table = form.table(&entry.value, "holdings", HOLDINGS)?;
    let mut holdings = Vec::with_capacity(table.entries.len());
    for entry in &table.entries {
        let path = field("holdings", &entry.key);
        let symbol = match entry.key.parse::<Symbol>() {
            Ok(symbol) => Some(symbol),
            Err(SymbolError { reason: SymbolReason::Cash, .. }) => {
                let remedy = format!("write it as {}", form.notation.pair("cash", "\"…\""));
                form.refuse(&entry.value, &path, "cash is not a holding", remedy);
                continue;
            }
            Err(error) => {
                bad_symbol(form, entry, &path, &error);
                None
            }
        };
        let units = form.decimal::<Quantity>(&entry.value, &path, UNITS);
        // What is held in no units needs no price.
        if let Some(symbol) = symbol.filter(|_| units != Some(Quantity::ZERO)) {
            prices.need(form, entry, &path, symbol);
        }
        if let (Some(symbol), Some(units)) = (symbol, units) {
            holdings.push((symbol, units));
        }
    }
    (holdings.len() == table.entries.len()).then_some(holdings)
}

fn bad_symbol(form: &mut Form<'_>, entry: &Entry<'_>, path: &str, error: &SymbolError) {
    let upper = entry.key.to_ascii_uppercase();
    let remedy = match upper.parse::<Symbol>() {
        Ok(symbol) => format!("write {symbol}"),
        Err(_) => "write the symbol as the exchange does, like AAPL or BRK.B".to_owned(),
    };
    let written = format!("\"{}\"", entry.key);
    form.note(entry.at, path, Some(&written), format!("it is no symbol: {}", error.reason), remedy);
}

/// Which symbols have a price, and which of this portfolio were asked for already.
struct Prices<'a> {
    priced: Option<Priced<'a>>,
    known: BTreeSet<Symbol>,
}

impl Prices<'_> {
    /// With more symbols than that, looking for a similar one takes too long.
    const MOST: usize = 1_000;

    fn need(&mut self, form: &mut Form<'_>, entry: &Entry<'_>, path: &str, symbol: Symbol) {
        let Some(Priced { source, symbols }) = self.priced else { return };
        if symbols.contains(&symbol) || !self.known.insert(symbol) {
            return;
        }
        let few = Some(symbols).filter(|symbols| symbols.len() <= Self::MOST);
        let meant = few.and_then(|symbols| similar(symbol.as_str(), symbols.iter().map(Symbol::as_str)));
        let remedy = match meant {
            Some(meant) => format!("add one, or write {meant} if that is meant"),
            None => "add one, or correct the symbol".to_owned(),
        };
        let problem = format!("{source} has no price of {symbol}");
        form.note(entry.at, path, Some(entry.value.written), problem, remedy);
    }
}
