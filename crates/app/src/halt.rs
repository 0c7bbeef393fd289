//! The commands `halt` and `release`: a person has nothing sent any more, until that is taken back. What it means is in the engine.

use crate::args::{HaltArgs, ModeKind, ReleaseArgs, ScopeArgs};
use crate::exit::{Failure, Outcome};
use crate::faults::{Fault, FileFaults};
use crate::output::Output;
use crate::status::no_such_portfolio;
use crate::store::{self, not_read};
use crate::wiring;
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};
use std::path::Path;

/// Lets a halt stand.
///
/// # Errors
/// [`Failure`] if the store cannot be written: whether the halt stands is then not known.
pub(crate) fn halt(args: &HaltArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let mode = match args.mode {
        ModeKind::Freeze => HaltMode::Freeze,
        ModeKind::Unwind => HaltMode::Unwind,
    };
    let (who, why) = (args.person.who.clone(), args.person.why.clone());
    let halt = Halt { scope: scope(&args.scope), mode, who, why, at: wiring::now() };
    let path = &args.store.store;
    is_of_the_store(path, &halt.scope)?;
    wiring::write_halt(path, &halt).map_err(|error| match error {
        wiring::StoreError::Open(error) => store::not_opened(path, error),
        wiring::StoreError::Journal(error) => Failure::dependency(format!("halting {}", halt.scope), error),
    })?;
    let (store, scope) = (path.display(), flag(&halt.scope));
    out.text(format_args!(
        "{halt}\nIt stands until it is released: evenkeel release --store {store}{scope} --who NAME --why REASON\n"
    ))?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// Takes a halt back.
///
/// # Errors
/// [`Failure`] if the store cannot be written: whether the halt stands is then not known.
pub(crate) fn release(args: &ReleaseArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let (who, why) = (args.person.who.clone(), args.person.why.clone());
    let release = Release { scope: scope(&args.scope), who, why, at: wiring::now() };
    let path = &args.store.store;
    drop(store::look(path)?);
    let was_there = wiring::write_release(path, &release).map_err(|error| match error {
        wiring::StoreError::Open(error) => store::not_opened(path, error),
        wiring::StoreError::Journal(error) => Failure::dependency(format!("releasing {}", release.scope), error),
    })?;
    if !was_there {
        let fault = Fault::new(
            format!("{} is not halted: nothing has changed", release.scope),
            "evenkeel status shows the halts that stand",
        );
        return Err(FileFaults::of(path.display().to_string(), fault).into());
    }
    out.text(format_args!("{} is released\n", release.scope))?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// A halt of what is not there would stop nothing, and be taken for one that does.
fn is_of_the_store(path: &Path, scope: &Scope) -> Result<(), Failure> {
    let reader = store::look(path)?;
    let Scope::Portfolio(id) = scope else { return Ok(()) };
    match reader.portfolio(id).map_err(|error| not_read(path, error))? {
        Some(_) => Ok(()),
        None => Err(no_such_portfolio(path, id)),
    }
}

fn scope(args: &ScopeArgs) -> Scope {
    match (&args.portfolio, args.symbol) {
        (Some(portfolio), _) => Scope::Portfolio(portfolio.clone()),
        (None, Some(symbol)) => Scope::Symbol(symbol),
        (None, None) => Scope::Everything,
    }
}

/// The option that names a scope.
fn flag(scope: &Scope) -> String {
    match scope {
        Scope::Everything => " --everything".to_owned(),
        Scope::Portfolio(portfolio) => format!(" --portfolio {portfolio}"),
        Scope::Symbol(symbol) => format!(" --symbol {symbol}"),
    }
}
