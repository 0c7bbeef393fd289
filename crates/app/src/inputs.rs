//! What `plan` and `replay` work on: the configuration, the portfolios and the prices, checked together.
//!
//! Nothing is done before all three are without fault, and the faults of all three are told at once.

use crate::args::InputArgs;
use crate::config::{self, Config};
use crate::duration::Length;
use crate::exit::Failure;
use crate::faults::FileFaults;
use crate::files::{FileArg, Reread};
use crate::portfolios::tried::Tried;
use crate::portfolios::{self, LoadedPortfolio, Priced};
use crate::wiring::{self, PriceSummary};
use evenkeel_ports::Wave;

/// Everything a run works on.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The configuration, with the options of the command line on top.
    pub(crate) config: Config,
    /// What is tried instead of the policies of the file.
    pub(crate) tried: Option<Tried>,
    /// With that policy. In the file's order; at least one. Each symbol has a price somewhere in the file.
    pub(crate) portfolios: Vec<LoadedPortfolio>,
    pub(crate) prices: PriceFile,
}

/// A file of prices in which [`load`] found no fault.
#[derive(Debug)]
pub(crate) struct PriceFile {
    file: Reread,
    round: bool,
    /// What is in it.
    pub(crate) summary: PriceSummary,
}

impl PriceFile {
    /// Its waves, from the first. One reader at a time. A fault comes only if the file has changed.
    ///
    /// # Errors
    /// [`Failure::Dependency`] if the file cannot be read again.
    pub(crate) fn waves(&self) -> Result<impl Iterator<Item = Result<Wave, FileFaults>> + use<>, Failure> {
        wiring::waves(&self.file, self.round)
    }
}

/// Reads and checks everything.
///
/// # Errors
/// [`Failure::Usage`] if there is no such policy as is to be tried, [`Failure::Input`] with the faults of all files, [`Failure::Dependency`] if
/// the prices cannot be kept.
pub(crate) fn load(args: &InputArgs, config: Option<&FileArg>) -> Result<Inputs, Failure> {
    let tried = args.policy.tried()?;
    let config = config::load(config);
    let prices = match Reread::open(&args.prices) {
        Ok(file) => {
            let (summary, faults) = wiring::check_prices(&file, args.round_prices)?;
            Ok((PriceFile { file, round: args.round_prices, summary }, faults))
        }
        Err(Failure::Input(files)) => Err(files),
        Err(other) => return Err(other),
    };
    let priced = match &prices {
        Ok((PriceFile { file, summary, .. }, _)) if summary.complete => {
            Some(Priced { source: file.name(), symbols: &summary.symbols })
        }
        Ok(_) | Err(_) => None,
    };
    let portfolios = portfolios::load(&args.portfolios, priced);
    let portfolios = portfolios.and_then(|loaded| match tried {
        Some(tried) => tried.on(loaded),
        None => Ok(loaded),
    });
    let prices = prices.and_then(|(file, faults)| faults.or(file).map_err(|faults| vec![faults]));
    match (config, portfolios, prices) {
        (Ok(config), Ok(portfolios), Ok(prices)) => {
            let max_price_age = args.max_price_age.map(|Length(age)| age).or(config.max_price_age);
            Ok(Inputs { config: Config { max_price_age, ..config }, tried, portfolios, prices })
        }
        (config, portfolios, prices) => {
            let first = config.err().into_iter().chain(portfolios.err());
            Err(Failure::Input(first.chain(prices.err().into_iter().flatten()).collect()))
        }
    }
}
