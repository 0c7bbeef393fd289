//! The JSON records: one object per line, `type` first, decimals as strings.
//!
//! The names of the fields and their order are a contract with those who read them; fields may be added. How the same is
//! shown to people is in [`crate::render`].

use evenkeel_domain::allocation::Target;
use evenkeel_domain::order::Side;
use evenkeel_domain::plan::{Leg, Plan, Skip, Stages, WeightRow};
use evenkeel_domain::report::Trade;
use evenkeel_domain::values::{Currency, Money, Percentage, PortfolioId, Price, Quantity, Symbol};
use serde::{Serialize, Serializer};

/// A line of output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Record {
    /// What would be done to a portfolio.
    Plan(PlanRecord),
    /// A portfolio for which nothing could be decided.
    Refused(RefusedRecord),
}

/// What would be done to a portfolio.
#[derive(Debug, Serialize)]
pub(crate) struct PlanRecord {
    /// The time of the newest prices, as written.
    pub(crate) at: String,
    pub(crate) portfolio: PortfolioId,
    pub(crate) out_of_band: bool,
    pub(crate) measure: &'static str,
    pub(crate) drift: Percentage,
    /// In execution order. Empty inside the band, and where no batch would be opened.
    pub(crate) trades: Vec<TradeRecord>,
    pub(crate) skipped: Vec<SkippedRecord>,
    pub(crate) weights: Vec<WeightRecord>,
    pub(crate) currency: Currency,
    /// What the portfolio is worth, rounded half-even.
    pub(crate) value: Money,
    pub(crate) turnover: Money,
    pub(crate) cost: Money,
    pub(crate) held_back: Money,
    pub(crate) stages: Stages,
    pub(crate) certificate: CertificateRecord,
}

/// A portfolio for which nothing could be decided.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedRecord {
    /// The time of the newest prices, as written.
    pub(crate) at: String,
    pub(crate) portfolio: PortfolioId,
    pub(crate) reason: String,
}

/// A trade: planned, at its reference price; or executed, at its average.
#[derive(Debug, Serialize)]
pub(crate) struct TradeRecord {
    pub(crate) symbol: Symbol,
    pub(crate) side: Side,
    pub(crate) quantity: Quantity,
    pub(crate) price: Price,
    pub(crate) amount: Money,
}

impl From<&Leg> for TradeRecord {
    fn from(leg: &Leg) -> Self {
        let terms = &leg.terms;
        Self {
            symbol: terms.symbol,
            side: terms.side,
            quantity: terms.quantity,
            price: terms.reference,
            amount: leg.amount,
        }
    }
}

impl From<&Trade> for TradeRecord {
    fn from(trade: &Trade) -> Self {
        let Trade { symbol, side, quantity, price, amount, .. } = *trade;
        Self { symbol, side, quantity, price, amount }
    }
}

/// A symbol that would be traded, but is not.
#[derive(Debug, Serialize)]
pub(crate) struct SkippedRecord {
    pub(crate) symbol: Symbol,
    pub(crate) reason: String,
}

impl From<&Skip> for SkippedRecord {
    fn from(skip: &Skip) -> Self {
        Self { symbol: skip.symbol, reason: skip.reason.to_string() }
    }
}

/// A weight before and after.
#[derive(Debug, Serialize)]
pub(crate) struct WeightRecord {
    #[serde(serialize_with = "as_text")]
    pub(crate) symbol: Target,
    pub(crate) before: Percentage,
    pub(crate) after: Percentage,
    pub(crate) target: Percentage,
}

fn as_text<S: Serializer>(target: &Target, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(target)
}

/// What a plan proves about itself.
#[derive(Debug, Serialize)]
pub(crate) struct CertificateRecord {
    /// The least cash there is while it is carried out.
    pub(crate) lowest_cash: Money,
    /// Whether the cash held before pays for a full restoration.
    pub(crate) restorable: bool,
    /// What is missing for that.
    pub(crate) shortfall: Money,
}

impl PlanRecord {
    /// The record of a plan for a portfolio that is worth so much.
    pub(crate) fn new(
        at: &str,
        portfolio: &PortfolioId,
        plan: &Plan,
        weights: &[WeightRow],
        skipped: Vec<SkippedRecord>,
        value: Money,
    ) -> Self {
        let weights = weights.iter().map(|row| WeightRecord {
            symbol: row.target,
            before: row.before,
            after: row.after,
            target: row.goal,
        });
        let certificate = &plan.certificate;
        Self {
            at: at.to_owned(),
            portfolio: portfolio.clone(),
            out_of_band: plan.assessment.is_out_of_band(),
            measure: plan.assessment.measure,
            drift: plan.assessment.drift,
            trades: plan.legs.iter().map(TradeRecord::from).collect(),
            skipped,
            weights: weights.collect(),
            currency: plan.currency,
            value,
            turnover: plan.turnover,
            cost: plan.cost,
            held_back: plan.valuation.held_back,
            stages: plan.stages,
            certificate: CertificateRecord {
                lowest_cash: certificate.lowest_cash,
                restorable: certificate.restorable,
                shortfall: certificate.shortfall,
            },
        }
    }
}
