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
        /// has it: percent of a target, points, or half of a sum. The largest percentage there is if that passes it. Of portfolios with different
        /// measures compare the urgency.
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

fn by_id(one: &Finding, other: &Finding) -> Ordering {
    one.portfolio().cmp(other.portfolio())
}

/// Sorts by id, as text.
///
/// After a crash of the market that is everybody, and their ids lie all over the memory: so each is read once, and nearly all are told apart by how they
/// begin.
pub(crate) fn in_order_of_ids(found: Vec<Finding>) -> Vec<Finding> {
    if found.is_sorted_by(|one, next| by_id(one, next).is_le()) {
        return found; // As where they were inserted in this order.
    }
    let mut order: Vec<(u128, usize)> = found.iter().map(|finding| beginning(finding.portfolio())).zip(0..).collect();
    let at = |place: usize| found.get(place).map(Finding::portfolio);
    order.sort_unstable_by(|(one, m), (other, n)| one.cmp(other).then_with(|| at(*m).cmp(&at(*n))));
    // Room for all at once: a list that grows would be moved over and over.
    let mut sorted = Vec::with_capacity(order.len());
    sorted.extend(order.into_iter().filter_map(|(_, place)| found.get(place).cloned()));
    sorted
}

/// The first sixteen bytes of an id as a number, which is in the order of texts.
fn beginning(id: &PortfolioId) -> u128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(id.as_str().bytes()).for_each(|(to, from)| *to = from);
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel_domain::values::Overflow;

    fn about(id: &str) -> Finding {
        let why = Overflow { doing: String::new(), what: "", maximum: "" };
        Finding::NotJudged { portfolio: PortfolioId::new(id).unwrap(), why: why.into() }
    }

    #[test]
    fn ids_are_told_apart_by_all_of_them() {
        let ids =
            ["b", "a", "aa", "0123456789abcdefg", "0123456789abcdef", "0123456789abcdefa", "0123456789abcde", "A"];
        for count in 0..=ids.len() {
            let found: Vec<Finding> = ids.iter().take(count).map(|id| about(id)).collect();
            let mut expected = found.clone();
            expected.sort_by(by_id);
            assert_eq!(in_order_of_ids(found), expected);
        }
    }
}
