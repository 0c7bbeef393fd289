//! What a wave means for a portfolio, and the order of need.

use evenkeel_domain::drift::urgency::Urgency;
use evenkeel_domain::valuation::ValuationError;
use evenkeel_domain::values::{Percentage, PortfolioId};
use std::cmp::Ordering;

/// What a wave means for one portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is out of band.
    OutOfBand {
        /// Which.
        portfolio: PortfolioId,
        /// The largest distance in the measure of its policy, as [`Assessment::drift`](evenkeel_domain::drift::Assessment::drift)
        /// has it; the largest percentage there is if that passes it.
        drift: Percentage,
        /// How much it needs to be brought back, compared with others.
        urgency: Urgency,
    },
    /// It could not be judged: a price is stale, nothing is left to invest, or a figure passes its maximum.
    NotJudged {
        /// Which.
        portfolio: PortfolioId,
        /// Why.
        why: ValuationError,
    },
}

impl Finding {
    /// The portfolio it is about.
    #[must_use]
    pub const fn portfolio(&self) -> &PortfolioId {
        match self {
            Self::OutOfBand { portfolio, .. } | Self::NotJudged { portfolio, .. } => portfolio,
        }
    }

    const fn urgency(&self) -> Option<&Urgency> {
        match self {
            Self::OutOfBand { urgency, .. } => Some(urgency),
            Self::NotJudged { .. } => None,
        }
    }
}

/// Orders findings by need: the most urgent first, equals by id; those that could not be judged come last.
pub fn most_urgent_first(findings: &mut [Finding]) {
    findings.sort_unstable_by(|one, other| other.urgency().cmp(&one.urgency()).then_with(|| by_id(one, other)));
}

/// The order of ids, as text.
pub(crate) fn by_id(one: &Finding, other: &Finding) -> Ordering {
    one.portfolio().cmp(other.portfolio())
}
