//! The command `check`: whether a portfolios file is in order. What that means is in [`crate::portfolios`].

use crate::args::CheckArgs;
use crate::config;
use crate::exit::{Failure, Outcome};
use crate::files::FileArg;
use crate::output::Output;
use crate::portfolios::{self, LoadedPortfolio};
use crate::render::count;
use std::collections::{BTreeMap, BTreeSet};

/// Prints what is in the file, if there is no fault in it; a configuration that was given is checked along with it.
///
/// # Errors
/// [`Failure::Input`] with every fault; [`Failure`], if standard output cannot be written.
pub(crate) fn run(args: &CheckArgs, config: Option<&FileArg>, out: &mut Output) -> Result<Outcome, Failure> {
    match (config::load(config), portfolios::load(&args.portfolios, None)) {
        (Ok(_), Ok(portfolios)) => {
            out.text(format_args!("{}: in order\n{}\n", args.portfolios.name(), summary(&portfolios)))?;
            out.flush()?;
            Ok(Outcome::Done)
        }
        (config, portfolios) => Err(Failure::Input(config.err().into_iter().chain(portfolios.err()).collect())),
    }
}

fn summary(portfolios: &[LoadedPortfolio]) -> String {
    let mut measures: BTreeMap<&str, usize> = BTreeMap::new();
    let mut currencies = BTreeSet::new();
    let mut symbols = BTreeSet::new();
    for LoadedPortfolio { definition, books, .. } in portfolios {
        let of_measure = measures.entry(definition.policy.measure.name()).or_default();
        *of_measure = of_measure.saturating_add(1);
        currencies.insert(definition.currency);
        symbols.extend(definition.allocation.symbols().map(|(symbol, _)| symbol));
        symbols.extend(books.holdings().map(|(symbol, _)| symbol));
    }
    let measures = measures.into_iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>();
    let currencies = currencies.iter().map(ToString::to_string).collect::<Vec<_>>();
    format!(
        "{} ({}) in {}, {} held or targeted",
        count(portfolios.len(), "portfolio"),
        measures.join(", "),
        currencies.join(", "),
        count(symbols.len(), "symbol"),
    )
}
