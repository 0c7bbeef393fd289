//! The command `plan`: what would be traded at each symbol's last price, and why. Nothing is sent.
//!
//! The planning is the domain's, for the broker `ideal`. How a plan is shown to people is in [`text`], to programs in
//! [`crate::records`].

mod text;

pub(crate) use text::leg_of;

use crate::args::{Format, PlanArgs};
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::files::FileArg;
use crate::inputs::{self, Inputs, PriceFile};
use crate::output::{self, Output};
use crate::portfolios::LoadedPortfolio;
use crate::records::{PlanRecord, Record, RefusedRecord, SkippedRecord};
use crate::render::count;
use crate::wiring;
use evenkeel_domain::books::{Market, Prices, Quote};
use evenkeel_domain::plan::{Plan, PlanError, Stages, Trigger, Venue, WeightRow, certificate::Certificate};
use evenkeel_domain::values::{Money, Rounding, Timestamp};

/// Prints a plan for each portfolio, in the file's order.
///
/// # Errors
/// [`Failure::Input`] with every fault of every file, before anything is printed; [`Failure`], if standard output cannot be
/// written.
pub(crate) fn run(args: &PlanArgs, config: Option<&FileArg>, out: &mut Output) -> Result<Outcome, Failure> {
    let Inputs { config, portfolios, prices, .. } = inputs::load(&args.input, config)?;
    let last = LastPrices::read(&prices)?;
    if prices.summary.rounded > 0 {
        let rounded = usize::try_from(prices.summary.rounded).unwrap_or(usize::MAX);
        output::to_stderr(&format!("note: {} rounded to 9 decimals\n", count(rounded, "price was|prices were")));
    }
    let mut tally = text::Tally::default();
    for portfolio in &portfolios {
        let preview = preview(portfolio, &last, &config);
        match (args.format, preview) {
            (Format::Json, Ok(preview)) => out.json(&Record::Plan(preview.record(&last.label)))?,
            (Format::Json, Err(error)) => {
                let (at, portfolio, reason) = (last.label.clone(), portfolio.id.clone(), error.to_string());
                out.json(&Record::Refused(RefusedRecord { at, portfolio, reason }))?;
            }
            (Format::Text, preview) => {
                tally.count(&preview);
                out.text(text::one(portfolio, &preview, out))?;
            }
        }
    }
    if args.format == Format::Text {
        out.text(tally.line(&last.label))?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

/// Each symbol's last price, and the time of the newest.
struct LastPrices {
    prices: Prices,
    at: Timestamp,
    /// The time as written.
    label: String,
}

impl LastPrices {
    fn read(file: &PriceFile) -> Result<Self, Failure> {
        let mut last = Self { prices: Prices::default(), at: Timestamp::MIN, label: String::new() };
        for wave in file.waves()? {
            let wave = wave?;
            (last.at, last.label) = (wave.at, wave.label);
            wave.prices.into_iter().for_each(|(symbol, price)| last.prices.set(symbol, Quote { price, at: wave.at }));
        }
        Ok(last)
    }
}

/// What would be done to a portfolio.
struct Preview<'a> {
    portfolio: &'a LoadedPortfolio,
    /// The plan, as far as it would be carried out: without legs if no batch would be opened.
    plan: Plan,
    /// What would be traded, but is not, and why.
    left: Vec<SkippedRecord>,
    /// Weights before and after.
    weights: Vec<WeightRow>,
    /// What the portfolio is worth.
    value: Money,
}

fn preview<'a>(portfolio: &'a LoadedPortfolio, last: &LastPrices, config: &Config) -> Result<Preview<'a>, PlanError> {
    let LoadedPortfolio { definition, books, .. } = portfolio;
    let market = Market { prices: &last.prices, now: last.at, max_age: config.max_price_age };
    let ideal = wiring::ideal();
    let venue = Venue { capabilities: &ideal, check: &wiring::ideal_check, attempts: config.attempts };
    let mut plan = evenkeel_domain::plan::plan(books, definition, market, venue, Trigger::Band)?;
    let value = plan.valuation.total.to_money(Rounding::HalfEven)?;
    let skipped = plan.skipped.iter();
    let mut left: Vec<SkippedRecord> =
        skipped.map(|skip| SkippedRecord { symbol: skip.symbol, reason: skip.reason.to_string() }).collect();
    if !plan.worthwhile {
        let reason = "it is inside its band, and what is outside cannot be traded";
        left.extend(plan.legs.iter().map(|leg| SkippedRecord { symbol: leg.terms.symbol, reason: reason.to_owned() }));
        left.sort_by_key(|left| left.symbol);
        plan = without_a_batch(plan);
    }
    let weights = plan.weights()?;
    Ok(Preview { portfolio, plan, left, weights, value })
}

/// No batch is opened that would not trade anything that is out of band: then nothing changes.
fn without_a_batch(plan: Plan) -> Plan {
    let certificate = Certificate { lowest_cash: plan.valuation.cash, restorable: true, shortfall: Money::ZERO };
    let (turnover, cost, stages) = (Money::ZERO, Money::ZERO, Stages::Together);
    Plan { legs: Vec::new(), turnover, cost, stages, certificate, ..plan }
}

impl Preview<'_> {
    fn record(self, at: &str) -> PlanRecord {
        PlanRecord::new(at, &self.portfolio.id, &self.plan, &self.weights, self.left, self.value)
    }
}
