//! Portfolios files: TOML for people, JSON lines for many. Every fault in them, not only the first.
//!
//! ```toml
//! [[portfolio]]
//! id = "growth"
//! account = "4711"                            # optional: the id, if it is not there; no two share one
//! currency = "USD"
//! cash = "100000.00"
//! targets = { META = "60", AAPL = "35", CASH = "5" }    # percent, exactly 100 together
//! holdings = { META = "12.5" }                # optional: units
//! [portfolio.policy]                          # optional, with these defaults
//! measure = "relative"
//! band = "5"
//! minimum_order = "1.00"
//! cash_buffer = "0.00"
//! ```
//!
//! In JSON lines each line is one portfolio with the same keys. Decimals are strings in both. Two steps:
//!
//! 1. [`text`]: the portfolios of a file as trees, from either notation, and what is wrong with the text as such;
//! 2. [`one`]: a tree as a portfolio, its policy in [`policy`]; what concerns several portfolios is here.
//!
//! A policy that is tried instead of theirs comes from the command line: [`tried`].

mod one;
mod policy;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod tried;

use crate::document::form::{Form, Notation};
use crate::document::{Lines, Node};
use crate::faults::{Fault, FileFaults};
use crate::files::{self, FileArg};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::values::{AccountId, PortfolioId, Symbol};
use std::collections::{BTreeMap, BTreeSet};

/// A portfolio as its file defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadedPortfolio {
    pub(crate) id: PortfolioId,
    /// Account, currency, targets and policy.
    pub(crate) definition: Definition,
    /// Cash and holdings at the start.
    pub(crate) books: Books,
}

/// The symbols that have a price, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priced<'a> {
    /// As messages name it.
    pub(crate) source: &'a str,
    pub(crate) symbols: &'a BTreeSet<Symbol>,
}

/// Reads the portfolios of a file, in its order; at least one. With `priced`, each of their symbols must be in it.
///
/// # Errors
/// Every fault of the file.
pub(crate) fn load(file: &FileArg, priced: Option<Priced<'_>>) -> Result<Vec<LoadedPortfolio>, FileFaults> {
    let text = files::read_text(file)?;
    read(&file.name(), &text, file.notation(&text), priced)
}

fn read(
    source: &str,
    text: &str,
    notation: Notation,
    priced: Option<Priced<'_>>,
) -> Result<Vec<LoadedPortfolio>, FileFaults> {
    let mut reader = Reader { priced, faults: FileFaults::new(source), ..Reader::default() };
    match notation {
        Notation::Toml => text::toml(text, &mut reader),
        Notation::Json => text::json_lines(text, &mut reader),
    }
    let Reader { number, faults, portfolios, .. } = reader;
    if number == 0 && faults.count() == 0 {
        let start = match notation {
            Notation::Toml => "start each portfolio with [[portfolio]]",
            Notation::Json => "give each portfolio a line",
        };
        let problem = if text.is_empty() { "the file is empty" } else { "there is no portfolio" };
        return Err(FileFaults::of(source, Fault::new(problem, start)));
    }
    faults.or(portfolios)
}

/// What came of the portfolios so far.
#[derive(Default)]
struct Reader<'a> {
    priced: Option<Priced<'a>>,
    /// How many there were, faulty ones too.
    number: u64,
    portfolios: Vec<LoadedPortfolio>,
    faults: FileFaults,
    /// The line of each.
    ids: BTreeMap<PortfolioId, u64>,
    /// Whose each is.
    accounts: BTreeMap<AccountId, PortfolioId>,
}

impl Reader<'_> {
    /// Reads the next portfolio; the form says what is wrong with it.
    fn portfolio<'f>(&mut self, node: &Node<'_>, notation: Notation, lines: &'f Lines<'f>) -> Form<'f> {
        self.number = self.number.saturating_add(1);
        let mut form = Form::new(notation, lines, one::subject(Some(node), self.number));
        if let Some(table) = form.table(node, "", "give it keys with values") {
            let identity = one::identity(&mut form, table, node.at);
            let rest = one::read(&mut form, table, node.at, self.priced);
            self.compare(&mut form, &identity);
            if let (Some(id), Some(account), Some(rest)) = (identity.id, identity.account, rest) {
                self.portfolios.push(rest.of(id.is, account.is));
            }
        }
        form
    }

    /// No two portfolios have one id, and no two one account.
    fn compare(&mut self, form: &mut Form<'_>, identity: &one::Identity<'_>) {
        let Some(id) = &identity.id else { return };
        if let Some(first) = self.ids.get(&id.is) {
            let problem = format!("the portfolio in line {first} has this id");
            form.refuse(id.node, "id", problem, "give each its own");
            return;
        }
        self.ids.insert(id.is.clone(), form.line(id.node.at));
        let Some(account) = &identity.account else { return };
        if let Some(other) = self.accounts.get(&account.is) {
            let problem = format!("portfolio \"{other}\" has the account {} already", account.is);
            let remedy = format!("give each its own: {}", form.notation.pair("account", "\"…\""));
            form.refuse(account.node, account.key, problem, remedy);
            return;
        }
        self.accounts.insert(account.is.clone(), id.is.clone());
    }
}
