//! The kill switch: a person's word that nothing may be sent, for everything, one portfolio or one symbol, until it is taken back.
//!
//! A halt is kept by the journal, and judged by it in the same commit as the intents it concerns ([`Halt::forbids`]): so no order is ever
//! intended after a halt of it was durable. What an open batch does then is decided as for any other input ([`crate::decide`]).

use crate::record::{Event, Record, Stage};
use crate::values::{PortfolioId, Symbol, Timestamp};
use std::fmt;

/// What a halt is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Scope {
    /// Every portfolio.
    Everything,
    /// One portfolio.
    Portfolio(PortfolioId),
    /// Every batch with a leg of this symbol. Its other legs wait as well: half a plan is no plan.
    Symbol(Symbol),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Portfolio(portfolio) => write!(f, "the portfolio {portfolio}"),
            Self::Symbol(symbol) => write!(f, "the symbol {symbol}"),
        }
    }
}

/// What a halt does to batches that are open. In either mode no batch is opened, and orders that are open are canceled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum HaltMode {
    /// No order at all: what was executed stays as it is, the batch stays open, and is unwound once the halt is taken back.
    #[default]
    Freeze,
    /// What was executed is traded back at once; nothing else is traded.
    Unwind,
}

impl fmt::Display for HaltMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Freeze => "freeze",
            Self::Unwind => "unwind",
        })
    }
}

/// A person's word that nothing may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[error("{scope} was halted by {who} at {at} ({mode}): {why}")]
pub struct Halt {
    /// What it is about.
    pub scope: Scope,
    /// What happens to open batches.
    pub mode: HaltMode,
    /// Who said so.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

/// A halt is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Release {
    /// What the halt is about.
    pub scope: Scope,
    /// Who says so.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

impl Halt {
    /// True if this record of `portfolio` may not be committed while the halt stands: it opens a batch, or intends orders that
    /// [`mode`](Self::mode) does not allow.
    #[must_use]
    pub fn forbids(&self, portfolio: &PortfolioId, event: &Event) -> bool {
        match event {
            Event::Opened(opening) => self.concerns(portfolio, opening.legs.iter().map(|leg| leg.terms.symbol)),
            Event::Intended { stage, orders, .. } => {
                let goes_back = matches!(stage, Stage::UndoBuys | Stage::UndoSells);
                let allowed = goes_back && self.mode == HaltMode::Unwind;
                !allowed && self.concerns(portfolio, orders.iter().map(|order| order.terms.symbol))
            }
            Event::Added { .. }
            | Event::Changed { .. }
            | Event::Removed
            | Event::CashMoved { .. }
            | Event::Quarantined { .. }
            | Event::Released
            | Event::LateFill { .. }
            | Event::Resolved { .. }
            | Event::Retried { .. }
            | Event::TakenOver { .. }
            | Event::Order { .. }
            | Event::Unwinding { .. }
            | Event::Settling { .. }
            | Event::Closed(_)
            | Event::Folded(_) => false,
        }
    }

    /// True if it is about this portfolio, or about one of these symbols.
    #[must_use]
    pub fn concerns(&self, portfolio: &PortfolioId, symbols: impl IntoIterator<Item = Symbol>) -> bool {
        match &self.scope {
            Scope::Everything => true,
            Scope::Portfolio(halted) => halted == portfolio,
            Scope::Symbol(halted) => symbols.into_iter().any(|symbol| symbol == *halted),
        }
    }
}

/// The first of these halts that forbids one of these records of `portfolio`: what a store asks before it writes a commit.
pub fn forbidden<'h, 'r>(
    halts: impl IntoIterator<Item = &'h Halt>,
    portfolio: &PortfolioId,
    records: impl IntoIterator<Item = &'r Record> + Clone,
) -> Option<&'h Halt> {
    let forbids = |halt: &&Halt| records.clone().into_iter().any(|record| halt.forbids(portfolio, &record.event));
    halts.into_iter().find(forbids)
}

#[cfg(test)]
mod tests;
