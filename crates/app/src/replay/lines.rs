//! The records of a replay, as JSON lines and as text. Field names are a contract; more fields may be added.

use super::fleet::Finished;
use super::sums::{Amount, Sums};
use crate::portfolios::tried::Tried;
use crate::records::{RefusedRecord, SkippedRecord, TradeRecord};
use crate::wiring::PriceSummary;
use evenkeel_domain::allocation::Target;
use evenkeel_domain::plan::Plan;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Outcome, Residual};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::valuation::ReserveRule;
use evenkeel_domain::values::{Currency, Money, Percentage, PortfolioId, Price, Quantity, Rounding, Symbol, Value};
use serde::Serialize;
use std::time::Duration;

/// Lines of one account and wave, in order.
pub(crate) type Lines = Vec<Line>;

/// One record of a replay.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Line {
    /// A batch was closed.
    Rebalance(Box<RebalanceLine>),
    /// Out of band, but no order would be worth sending.
    Finding(FindingLine),
    /// It could not be judged or planned for.
    Refused(RefusedRecord),
}

#[derive(Serialize)]
pub(crate) struct RebalanceLine {
    pub(crate) at: String,
    pub(crate) portfolio: PortfolioId,
    pub(crate) batch: String,
    pub(crate) outcome: &'static str,
    pub(crate) measure: String,
    pub(crate) drift: Percentage,
    pub(crate) trades: Vec<TradeRecord>,
    pub(crate) skipped: Vec<SkippedRecord>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) unwound: Option<UnwoundLine>,
}

/// What `restored` and `stale` add.
#[derive(Serialize)]
pub(crate) struct UnwoundLine {
    pub(crate) fees: Money,
    pub(crate) cost: Money,
    pub(crate) cause: String,
    pub(crate) residual: Vec<ResidualLine>,
}

#[derive(Serialize)]
pub(crate) struct ResidualLine {
    pub(crate) symbol: Symbol,
    pub(crate) side: String,
    pub(crate) quantity: Quantity,
}

#[derive(Serialize)]
pub(crate) struct FindingLine {
    pub(crate) at: String,
    pub(crate) portfolio: PortfolioId,
    pub(crate) drift: Percentage,
    pub(crate) skipped: Vec<SkippedRecord>,
}

impl Line {
    /// What a closed batch did.
    pub(crate) fn rebalance(at: &str, portfolio: &PortfolioId, report: &BatchReport) -> Self {
        let unwound = matches!(report.outcome, Outcome::Restored | Outcome::Stale).then(|| UnwoundLine {
            fees: report.fees,
            cost: report.cost,
            cause: report.cause.as_ref().map(ToString::to_string).unwrap_or_default(),
            residual: report.residual.iter().map(ResidualLine::new).collect(),
        });
        Self::Rebalance(Box::new(RebalanceLine {
            at: at.to_owned(),
            portfolio: portfolio.clone(),
            batch: report.batch.to_string(),
            outcome: report.outcome.name(),
            measure: report.measure.clone(),
            drift: report.drift,
            trades: report.trades.iter().map(TradeRecord::from).collect(),
            skipped: report.skipped.iter().map(SkippedRecord::from).collect(),
            unwound,
        }))
    }

    pub(crate) fn finding(at: &str, portfolio: &PortfolioId, plan: &Plan) -> Self {
        let skipped = plan.skipped.iter().map(SkippedRecord::from).collect();
        Self::Finding(FindingLine {
            at: at.to_owned(),
            portfolio: portfolio.clone(),
            drift: plan.assessment.drift,
            skipped,
        })
    }

    pub(crate) fn refused(at: &str, portfolio: &PortfolioId, why: &str) -> Self {
        Self::Refused(RefusedRecord { at: at.to_owned(), portfolio: portfolio.clone(), reason: why.to_owned() })
    }
}

impl ResidualLine {
    fn new(residual: &Residual) -> Self {
        Self { symbol: residual.symbol, side: residual.side.to_string(), quantity: residual.quantity }
    }
}

/// A portfolio at the end.
#[derive(Serialize)]
#[serde(tag = "type", rename = "portfolio")]
pub(crate) struct PortfolioLine {
    pub(crate) portfolio: PortfolioId,
    pub(crate) status: &'static str,
    pub(crate) at: String,
    pub(crate) currency: Currency,
    pub(crate) cash: Money,
    pub(crate) value: Amount,
    pub(crate) rebalances: u64,
    pub(crate) restored: u64,
    pub(crate) turnover: Money,
    pub(crate) fees: Money,
    /// Fees and slippage.
    pub(crate) cost: Amount,
    pub(crate) holdings: Vec<HoldingLine>,
}

#[derive(Serialize)]
pub(crate) struct HoldingLine {
    pub(crate) symbol: String,
    pub(crate) quantity: String,
    pub(crate) price: String,
    pub(crate) value: Amount,
    pub(crate) weight: String,
    pub(crate) target: Percentage,
}

impl PortfolioLine {
    /// `None` before the portfolio was added. A figure that passes its type's maximum is given as exact text instead of rounded.
    pub(crate) fn new(
        at: &str,
        state: &Portfolio,
        reserve: ReserveRule,
        price: impl Fn(Symbol) -> Option<Price>,
    ) -> Option<Self> {
        let definition = state.definition.as_ref()?;
        let figures = Figures::new(state, reserve, &price)?;
        let mut holdings = Vec::new();
        if definition.allocation.cash() != Percentage::ZERO {
            holdings.push(HoldingLine {
                symbol: Target::Cash.to_string(),
                quantity: state.books.cash.to_string(),
                price: "1".to_owned(),
                value: state.books.cash.into(),
                weight: figures.weight(figures.free_cash),
                target: definition.allocation.cash(),
            });
        }
        for (symbol, quantity, price) in &figures.lines {
            let value = price.map_or(Value::ZERO, |price| price.times(*quantity));
            holdings.push(HoldingLine {
                symbol: symbol.to_string(),
                quantity: quantity.to_string(),
                price: price.map(|price| price.to_string()).unwrap_or_default(),
                value: Amount::rounded(value),
                weight: figures.weight(value),
                target: definition.allocation.of(*symbol),
            });
        }
        let tally = &state.tally;
        Some(Self {
            portfolio: state.id.clone(),
            status: state.standing.name(),
            at: at.to_owned(),
            currency: definition.currency,
            cash: state.books.cash,
            value: Amount::rounded(figures.total),
            rebalances: tally.completed,
            restored: tally.restored,
            turnover: tally.turnover,
            fees: tally.fees,
            cost: Amount::from(tally.fees).add(tally.slippage),
            holdings,
        })
    }
}

/// What a portfolio is worth, also where it could not be traded: a symbol without a price counts as nothing.
struct Figures {
    lines: Vec<(Symbol, Quantity, Option<Price>)>,
    total: Value,
    investable: Value,
    free_cash: Value,
}

impl Figures {
    fn new(state: &Portfolio, reserve: ReserveRule, price: &impl Fn(Symbol) -> Option<Price>) -> Option<Self> {
        let definition = state.definition.as_ref()?;
        let held = state.books.holdings().map(|(symbol, _)| symbol);
        let mut symbols: Vec<Symbol> = definition.allocation.symbols().map(|(symbol, _)| symbol).chain(held).collect();
        symbols.sort_unstable();
        symbols.dedup();
        let lines: Vec<_> = symbols.into_iter().map(|s| (s, state.books.units(s), price(s))).collect();
        let values = lines.iter().map(|(_, quantity, price)| price.map_or(Value::ZERO, |p| p.times(*quantity)));
        let total = values.fold(state.books.cash.to_value(), |sum, value| sum.add(value).unwrap_or(sum));
        let weights =
            lines.iter().map(|(s, q, p)| (p.map_or(Value::ZERO, |p| p.times(*q)), definition.allocation.of(*s)));
        let reserve = reserve.of(weights, total).unwrap_or(Money::ZERO);
        let held_back = definition.policy.cash_buffer.add(reserve).unwrap_or(reserve).to_value();
        let investable = total.sub(held_back).unwrap_or(total);
        let free_cash = state.books.cash.to_value().sub(held_back).unwrap_or(Value::ZERO);
        Some(Self { lines, total, investable, free_cash })
    }

    fn weight(&self, value: Value) -> String {
        value.share_of(self.investable, Rounding::HalfEven).map(|weight| weight.to_string()).unwrap_or_default()
    }
}

/// The last line.
#[derive(Serialize)]
#[serde(tag = "type", rename = "summary")]
pub(crate) struct SummaryLine {
    pub(crate) portfolios: usize,
    pub(crate) waves: usize,
    pub(crate) prices: u64,
    pub(crate) rebalances: u64,
    pub(crate) restored: u64,
    pub(crate) stale: usize,
    /// One for each currency.
    pub(crate) currencies: Vec<Sums>,
    /// What was tried instead of the file's policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Tried>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) rounded: u64,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) interrupted: bool,
    pub(crate) elapsed_seconds: f64,
}

impl SummaryLine {
    pub(crate) fn new(
        finished: &Finished,
        portfolios: usize,
        prices: &PriceSummary,
        policy: Option<Tried>,
        elapsed: Duration,
    ) -> Self {
        Self {
            portfolios,
            waves: finished.waves,
            prices: finished.prices,
            rebalances: finished.completed,
            restored: finished.restored,
            stale: finished.stale,
            currencies: Sums::of(&finished.portfolios),
            policy,
            rounded: prices.rounded,
            interrupted: finished.interrupted,
            elapsed_seconds: elapsed.as_secs_f64(),
        }
    }
}

const fn is_zero(n: &u64) -> bool {
    *n == 0
}

const fn is_false(b: &bool) -> bool {
    !*b
}
