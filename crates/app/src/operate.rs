//! The commands `recover`, `reconcile`, `resolve` and `abort`: what a person does with the portfolios of a store and its bank.
//!
//! Each portfolio is worked on by an engine of its own, under its lease, from the time of its last record on. What is possible, and what
//! follows, is decided by the engine; here it is asked, and told. None of them opens a batch, so they need no limits: see [`Desk::operator`].

mod repair;

use crate::args::{AbortArgs, BankArgs, ReconcileArgs, RecoverArgs, ResolveArgs};
use crate::exit::{self, Failure, Outcome};
use crate::faults::{Fault, FileFaults};
use crate::output::Output;
use crate::render;
use crate::status::no_such_portfolio;
use crate::store::{self, not_read};
use crate::wiring::{self, Desk, Operator};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::PortfolioId;
use evenkeel_engine::{EngineError, Reconciled, Resolve};
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// Finishes every batch that a process left open.
///
/// # Errors
/// [`Failure`] if store or bank cannot be used; one batch that cannot be finished does not stop the others.
pub(crate) fn recover(args: &RecoverArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let desk = open(&args.files)?;
    let mut outcome = Outcome::Done;
    let mut found = 0_usize;
    for (id, _) in wanted(&desk, &args.files, None)?.into_iter().filter(|(_, is_open)| *is_open) {
        found = found.saturating_add(1);
        let told = match desk.operator(&id).and_then(|operator| operator.recover()) {
            Ok(Some(report)) => ended(&report),
            Ok(None) => "nothing was open any more".to_owned(),
            Err(error) => {
                outcome = Outcome::NeedsPerson;
                exit::chain(&error)
            }
        };
        out.text(format_args!("{id}: {told}\n"))?;
    }
    if found == 0 {
        out.text("no batch is open\n")?;
    }
    out.flush()?;
    Ok(outcome)
}

/// Compares the books of every portfolio, or of one, with the bank.
///
/// # Errors
/// [`Failure`] if store or bank cannot be used, or there is no such portfolio.
pub(crate) fn reconcile(args: &ReconcileArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let desk = open(&args.files)?;
    let mut outcome = Outcome::Done;
    for (id, _) in wanted(&desk, &args.files, args.portfolio.as_ref())? {
        let told = match desk.operator(&id).and_then(|operator| operator.reconcile()) {
            Ok(Reconciled::Agree) => "books and broker agree".to_owned(),
            Ok(Reconciled::Differ(differences)) => {
                outcome = Outcome::NeedsPerson;
                let differences = differences.iter().map(ToString::to_string).collect::<Vec<_>>();
                format!("quarantined: {}", differences.join(", "))
            }
            Ok(Reconciled::Stale(differences)) => {
                outcome = Outcome::NeedsPerson;
                let differences = differences.iter().map(ToString::to_string).collect::<Vec<_>>();
                let off =
                    if differences.is_empty() { "books and broker agree".to_owned() } else { differences.join(", ") };
                format!("stale; {off}")
            }
            Err(error) => {
                outcome = Outcome::NeedsPerson;
                exit::chain(&error)
            }
        };
        out.text(format_args!("{id}: {told}\n"))?;
    }
    out.flush()?;
    Ok(outcome)
}

/// Shows what resolving a portfolio would do, and does it once a person has said so.
///
/// # Errors
/// [`Failure`] if store or bank cannot be used, there is no such portfolio, or it cannot be resolved that way.
pub(crate) fn resolve(args: &ResolveArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let (desk, id) = (open(&args.files)?, &args.portfolio);
    wanted(&desk, &args.files, Some(id))?;
    // Who works on it changes it: a plan that is read meanwhile would show damage where there is none.
    is_free(&args.files.store, id)?;
    let operator = operator(&desk, &args.files, id)?;
    let how = if args.how.accept {
        Resolve::Accept
    } else if args.how.retry {
        Resolve::Retry
    } else {
        Resolve::Fixed
    };
    let broker = operator.broker_books().map_err(|error| failed("asking the broker", error))?;
    let lost = operator.lost_batches().map_err(|error| failed("asking the broker", error))?;
    out.text(repair::plan(&operator.state, &broker, &lost, how))?;
    out.flush()?;
    if let Some(why) = repair::is_impossible(&operator.state, how) {
        let fault = Fault::new(format!("{id}: {why}"), "evenkeel status shows where it stands");
        return Err(FileFaults::of(args.files.store.display().to_string(), fault).into());
    }
    if !args.yes && !confirmed(out)? {
        out.text("nothing was done\n")?;
        out.flush()?;
        return Ok(Outcome::NeedsPerson);
    }
    let resolved = operator.resolve(how, &args.person.who, &args.person.why);
    match resolved.map_err(|error| not_possible(args.files.store.as_path(), format!("resolving {id}"), error))? {
        Some(report) => out.text(format_args!("{id}: {}\n", ended(&report)))?,
        None => out.text(format_args!("{id}: resolved, and active again\n"))?,
    }
    out.flush()?;
    Ok(if operator.needs_a_person() { Outcome::NeedsPerson } else { Outcome::Done })
}

/// Has the open batch of a portfolio unwound.
///
/// # Errors
/// [`Failure`] if store or bank cannot be used, there is no such portfolio, or no batch of it is open that could be unwound.
pub(crate) fn abort(args: &AbortArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let (desk, id) = (open(&args.files)?, &args.portfolio);
    wanted(&desk, &args.files, Some(id))?;
    let operator = operator(&desk, &args.files, id)?;
    let aborted = operator.abort(&args.person.who, &args.person.why);
    match aborted
        .map_err(|error| not_possible(args.files.store.as_path(), format!("aborting the batch of {id}"), error))?
    {
        Some(report) => out.text(format_args!("{id}: {}\n", ended(&report)))?,
        None => out.text(format_args!("{id}: asked to unwind\n"))?,
    }
    out.flush()?;
    Ok(if operator.needs_a_person() { Outcome::NeedsPerson } else { Outcome::Done })
}

fn open(files: &BankArgs) -> Result<Desk, Failure> {
    drop(store::look(&files.store)?);
    Desk::open(&files.store, &files.bank).map_err(|error| match error {
        wiring::DeskError::Store(error) => store::not_opened(&files.store, error),
        wiring::DeskError::Bank(error) => store::bank_not_opened(&files.bank, error),
    })
}

/// The portfolios that are looked after, or the one that was asked for, and whether a batch of theirs is open.
fn wanted(desk: &Desk, files: &BankArgs, only: Option<&PortfolioId>) -> Result<Vec<(PortfolioId, bool)>, Failure> {
    let all = desk.portfolios().map_err(|error| not_read(&files.store, error))?;
    let wanted: Vec<_> = all.into_iter().filter(|(id, _)| only.is_none_or(|only| only == id)).collect();
    match only {
        Some(only) if wanted.is_empty() => Err(no_such_portfolio(&files.store, only)),
        _ => Ok(wanted),
    }
}

/// Nobody else must be at work on it.
fn is_free(store: &Path, id: &PortfolioId) -> Result<(), Failure> {
    let status = store::look(store)?.portfolio(id).map_err(|error| not_read(store, error))?;
    let lease = status.and_then(|status| status.lease).filter(|lease| !lease.ended && wiring::now() < lease.until);
    match lease {
        None => Ok(()),
        Some(lease) => {
            let problem = format!("{id} is busy: {} works on it, and its lease ends at {}", lease.holder, lease.until);
            let remedy = "wait until it has done, or halt the portfolio first";
            Err(FileFaults::of(store.display().to_string(), Fault::new(problem, remedy)).into())
        }
    }
}

fn operator(desk: &Desk, files: &BankArgs, id: &PortfolioId) -> Result<Operator, Failure> {
    desk.operator(id).map_err(|error| not_read(&files.store, error))
}

fn failed(doing: impl Into<String>, error: EngineError) -> Failure {
    Failure::dependency(doing, error)
}

/// What cannot be done in the state that it meets is a mistake of who asked; anything else failed.
fn not_possible(store: &Path, doing: String, error: EngineError) -> Failure {
    if matches!(error, EngineError::Refused { .. }) {
        let fault = Fault::new(error.to_string(), "evenkeel status shows where it stands");
        return FileFaults::of(store.display().to_string(), fault).into();
    }
    failed(doing, error)
}

/// How a batch ended: what it cost in all, and below that each leg, forward and back.
fn ended(report: &BatchReport) -> String {
    let mut text =
        format!("batch {} {}, cost {}, fees {}", report.batch, report.outcome.name(), report.cost, report.fees);
    if let Some(cause) = &report.cause {
        text = format!("{text}; {cause}");
    }
    for residual in &report.residual {
        text = format!("{text}; {residual}");
    }
    let forward = report.trades.iter().map(|trade| render::leg("forward", trade));
    let legs = forward.chain(report.reversals.iter().map(|trade| render::leg("back", trade)));
    legs.fold(text, |text, leg| format!("{text}\n  {leg}"))
}

/// Asks the person; without a terminal the answer is no.
fn confirmed(out: &mut Output) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        out.text("say --yes to do it without being asked\n")?;
        return Ok(false);
    }
    out.text("Do it? Type yes: ")?;
    out.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::dependency("reading the answer", error))?;
    Ok(answer.trim() == "yes")
}
