//! The commands `halt` and `release`: a person has nothing sent any more, until that is taken back. What it means is in the engine.

use crate::args::{HaltArgs, ModeKind, ReleaseArgs, ScopeArgs};
use crate::exit::{Failure, Outcome};
use crate::output::Output;
use crate::{store, wiring};
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};

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
    drop(store::look(path)?);
    wiring::write_halt(path, &halt).map_err(|error| match error {
        wiring::StoreError::Open(error) => store::not_opened(path, error),
        wiring::StoreError::Journal(error) => Failure::dependency(format!("halting {}", halt.scope), error),
    })?;
    out.text(format_args!("{halt}\nIt stands until it is released: evenkeel release{}\n", flag(&halt.scope)))?;
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
    if was_there {
        out.text(format_args!("{} is released\n", release.scope))?;
    } else {
        out.text(format_args!("{} was not halted: nothing has changed\n", release.scope))?;
    }
    out.flush()?;
    Ok(Outcome::Done)
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
