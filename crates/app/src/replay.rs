//! The command `replay`: portfolios through recorded prices, with a simulated broker.
//!
//! ```text
//! inputs, checked ──> fleet: accounts over threads, wave by wave ──> lines, in order ──> portfolios, summary
//! ```
//!
//! What one portfolio does in a wave is in [`account`], how all of them run in [`fleet`], what is printed in [`lines`], [`sums`] and
//! [`text`].

mod account;
mod fleet;
mod interrupt;
mod lines;
mod market;
mod progress;
mod stopwatch;
mod sums;
pub(crate) mod text;

pub(crate) use account::Account;
pub(crate) use lines::Lines;

use crate::args::{BrokerKind, Format, ProfileKind, Records, ReplayArgs};
use crate::exit::{Failure, Outcome};
use crate::faults::{Fault, FileFaults};
use crate::files::FileArg;
use crate::inputs::{self, Inputs};
use crate::output::{self, Output};
use crate::store;
use crate::wiring::{self, SimulationPlan, Weather};
use evenkeel_engine::EngineError;
use fleet::{Finished, FleetError};
use interrupt::Interrupt;
use lines::SummaryLine;
use progress::Progress;
use std::path::Path;
use stopwatch::Stopwatch;

/// Runs every portfolio through every wave and prints what happened.
///
/// # Errors
/// [`Failure::Input`] with every fault of every file, before anything is printed; [`Failure`], if something that is needed fails.
pub(crate) fn run(args: &ReplayArgs, config: Option<&FileArg>, out: &mut Output) -> Result<Outcome, Failure> {
    let stopwatch = Stopwatch::start();
    let Inputs { config, tried, portfolios, prices } = inputs::load(&args.input, config)?;
    let interrupt = Interrupt::listen()?;
    let settings = config.settings();
    let weather = weather(args);
    let store =
        args.store.as_deref().map(|path| wiring::open_store(path).map_err(|error| store::not_opened(path, error)));
    let store = store.transpose()?;
    let bank = match (&args.bank, &store) {
        (Some(path), Some(_)) if !path.exists() && !is_new(args.store.as_deref())? => {
            let problem = "there is no such bank, and the store has portfolios already";
            let fault = Fault::new(problem, "name the bank that the store was used with, or a store that is new");
            return Err(FileFaults::of(path.display().to_string(), fault).into());
        }
        (Some(path), Some(store)) => {
            let opened = wiring::open_bank(path, store, weather, args.seed);
            Some(opened.map_err(|error| store::bank_not_opened(path, error))?)
        }
        _ => None,
    };
    let count = portfolios.len();
    let plans = portfolios.into_iter().map(|loaded| SimulationPlan {
        id: loaded.id,
        definition: loaded.definition,
        books: loaded.books,
        weather,
        settings: settings.clone(),
        seed: args.seed,
        store: store.clone(),
        bank: bank.clone(),
    });
    let tells_a_story = args.records == Records::All;
    let progress = Progress::new(prices.summary.waves, tells_a_story && out.is_terminal());

    let waves = prices.waves()?.map(|wave| wave.map_err(Failure::from));
    let print = |line| match (args.records, args.format) {
        (Records::Portfolios | Records::Summary, _) => Ok(()),
        (Records::All, Format::Json) => out.json(&line),
        (Records::All, Format::Text) => out.text(text::line(&line)),
    };
    let finished = fleet::run(plans.collect(), waves, print, || interrupt.is_requested(), |done| progress.set(done));
    progress.finish();
    let finished = finished.map_err(|error| match error {
        FleetError::Outside(failure) => failure,
        FleetError::Engine(error) => engine_failed(error),
    })?;

    let summary = SummaryLine::new(&finished, count, &prices.summary, tried, stopwatch.elapsed());
    match args.format {
        Format::Json => {
            if args.records != Records::Summary {
                finished.portfolios.iter().try_for_each(|portfolio| out.json(portfolio))?;
            }
            out.json(&summary)?;
        }
        Format::Text => out.text(text::end(args.records, &finished.portfolios, &summary, out))?,
    }
    out.flush()?;
    Ok(outcome(&finished))
}

/// Whether a store has no portfolio yet.
fn is_new(store: Option<&Path>) -> Result<bool, Failure> {
    let Some(path) = store else { return Ok(true) };
    let portfolios = store::look(path)?.portfolios();
    Ok(portfolios.map_err(|error| store::not_read(path, error))?.is_empty())
}

fn weather(args: &ReplayArgs) -> Weather {
    match (args.broker, args.profile) {
        (BrokerKind::Ideal, _) => Weather::Ideal,
        (BrokerKind::Banchile, None | Some(ProfileKind::Calm)) => Weather::Calm,
        (BrokerKind::Banchile, Some(ProfileKind::Storm)) => Weather::Storm,
    }
}

fn engine_failed(error: EngineError) -> Failure {
    output::to_stderr("note: what was printed happened; whatever came after it is in the store, if there is one\n");
    Failure::dependency("rebalancing", error)
}

fn outcome(finished: &Finished) -> Outcome {
    if finished.interrupted {
        Outcome::Interrupted
    } else if finished.need_a_person > 0 {
        Outcome::NeedsPerson
    } else {
        Outcome::Done
    }
}
