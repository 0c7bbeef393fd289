//! The command line: commands, options, and their help.
//!
//! What each command does is in the file of its name. The examples that help ends with are in [`examples`], the options of the commands for
//! operators in [`operators`], those that try another policy in [`policy`].

mod examples;
mod operators;
mod policy;

use crate::duration::Length;
use crate::files::FileArg;
use crate::output::Colour;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) use operators::{
    AbortArgs, AlertsArgs, AuditArgs, AuditFormat, BankArgs, HaltArgs, ModeKind, ReconcileArgs, RecoverArgs,
    ReleaseArgs, ResolveArgs, ScopeArgs, StatusArgs,
};
pub(crate) use policy::PolicyArgs;

/// What all commands have.
const GENERAL: &str = "General options";

/// Keeps investment portfolios at their target weights
#[derive(Debug, Parser)]
#[command(name = "evenkeel", version, propagate_version = true, after_help = examples::ALL, max_term_width = 100)]
pub(crate) struct Cli {
    /// When to use colour: auto is on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = GENERAL)]
    pub(crate) color: Colour,
    /// Settings, in TOML: leases, attempts, deadlines
    #[arg(long, global = true, value_name = "FILE", help_heading = GENERAL)]
    pub(crate) config: Option<FileArg>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole story on a made-up market: drift, rebalances, a failure that is compensated
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Print made-up prices as CSV, to try things with
    #[command(after_help = examples::PRICES)]
    Prices(PricesArgs),
    /// Show what would be traded at each symbol's last price; sends nothing
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Run portfolios through recorded prices with a simulated broker
    #[command(after_help = examples::REPLAY)]
    Replay(ReplayArgs),
    /// Find every fault in a portfolios file
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Show where every portfolio of a store stands, and what needs a person
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Show the alerts that nobody has acknowledged, or acknowledge them
    #[command(after_help = examples::ALERTS)]
    Alerts(AlertsArgs),
    /// Show what happened, record by record; or verify that nothing of it was changed
    #[command(after_help = examples::AUDIT)]
    Audit(AuditArgs),
    /// Have nothing sent any more: for everything, a portfolio or a symbol
    #[command(after_help = examples::HALT)]
    Halt(HaltArgs),
    /// Take a halt back
    #[command(after_help = examples::RELEASE)]
    Release(ReleaseArgs),
    /// Finish every batch that a process left open
    #[command(after_help = examples::RECOVER)]
    Recover(RecoverArgs),
    /// Compare books and broker; nothing is traded
    #[command(after_help = examples::RECONCILE)]
    Reconcile(ReconcileArgs),
    /// Resolve a stale or quarantined portfolio: shows what it would do, then asks
    #[command(after_help = examples::RESOLVE)]
    Resolve(ResolveArgs),
    /// Have the open batch of a portfolio unwound
    #[command(after_help = examples::ABORT)]
    Abort(AbortArgs),
    /// Print the completions of a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// What the market is made up from: the same seed, the same story
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many price changes to show at the end
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) ticks: u64,
}

/// Options of `prices`.
#[derive(Debug, Args)]
pub(crate) struct PricesArgs {
    /// What they are made up from: the same seed, the same prices
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many weekdays, from 2024-01-02
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) days: u64,
    /// How many symbols: the well-known ones first
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) symbols: usize,
}

/// What `plan` and `replay` work on.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// The portfolios: TOML, or JSON lines if it ends in .jsonl; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) portfolios: FileArg,
    /// The prices: CSV with the columns date, symbol and close; - for standard input
    #[arg(long, value_name = "CSV")]
    pub(crate) prices: FileArg,
    /// Refuse portfolios with a price older than that, in seconds, or like 60s, 6h, 3d
    #[arg(long, value_name = "S")]
    pub(crate) max_price_age: Option<Length>,
    /// Round prices of more than 9 decimals, half to even, instead of refusing them
    #[arg(long)]
    pub(crate) round_prices: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// Options of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Tables for people, or one JSON object per line
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Who executes the orders: ideal fills everything at the price, at once, without cost
    #[arg(long, value_enum, default_value_t)]
    pub(crate) broker: BrokerKind,
    /// The broker's weather: only with --broker banchile; calm if it is not there
    #[arg(long, value_enum)]
    pub(crate) profile: Option<ProfileKind>,
    /// Keep the records in this file, and go on from where it stands; it is made if there is none
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Keep the simulated broker's truth in this file, so that it outlives this process; only with --store
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) bank: Option<PathBuf>,
    /// What the broker's chances are drawn from: the same seed, the same bytes; but a new store has an id of its own
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// What is printed: all of it, the portfolios at the end and the summary, or the summary alone
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub(crate) records: Records,
    /// Tables for people, or one JSON object per line
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The portfolios: TOML, or JSON lines if it ends in .jsonl; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) portfolios: FileArg,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// Which records of a replay are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Records {
    // What each is called says it all, as for colours.
    #[default]
    All,
    Portfolios,
    Summary,
}

/// Who executes orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum BrokerKind {
    /// Fills everything at the price, at once, without cost
    #[default]
    Ideal,
    /// Simulated, with fees, delays and faults
    Banchile,
}

/// The weather at the simulated broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileKind {
    /// Fees, slippage and partial fills; nothing is ever lost
    Calm,
    /// Slow and expensive, and everything that can go wrong does so now and then
    Storm,
}

/// Reads the command line. That it decides about colour is needed before the first message, so it is done here.
///
/// # Errors
/// What is wrong with it; or the help or version that it asks for.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = Cli::command().color(wanted_colour(&args).decide());
    let matches = command.try_get_matches_from_mut(&args)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    let refuse = |kind, message: &str| Err(Cli::command().color(cli.color.decide()).error(kind, message));
    if let Command::Replay(ReplayArgs { broker: BrokerKind::Ideal, profile: Some(_), .. }) = &cli.command {
        let message = "--profile is for --broker banchile: the broker ideal has no weather";
        return refuse(ErrorKind::ArgumentConflict, message);
    }
    if let Command::Replay(ReplayArgs { store: Some(_), input, .. }) = &cli.command
        && input.policy.is_there()
    {
        let message = "a policy is tried without --store: a store would keep it, and go on with it from then on";
        return refuse(ErrorKind::ArgumentConflict, message);
    }
    if cli.files().into_iter().filter(|file| **file == FileArg::Stdin).count() > 1 {
        return refuse(ErrorKind::ArgumentConflict, "standard input (-) can be only one of the files");
    }
    Ok(cli)
}

/// Help and usage errors come in the colour that was asked for, although they are printed instead of being parsed.
fn wanted_colour(args: &[OsString]) -> Colour {
    let texts = args.iter().filter_map(|arg| arg.to_str()).take_while(|arg| *arg != "--");
    let mut found = Colour::Auto;
    let mut is_next = false;
    for text in texts {
        let value = if is_next { Some(text) } else { text.strip_prefix("--color=") };
        is_next = text == "--color";
        found = value.and_then(|value| Colour::from_str(value, false).ok()).unwrap_or(found);
    }
    found
}

impl Cli {
    /// Every file that is read.
    fn files(&self) -> Vec<&FileArg> {
        let of_command: &[&FileArg] = match &self.command {
            Command::Plan(PlanArgs { input, .. }) | Command::Replay(ReplayArgs { input, .. }) => {
                &[&input.portfolios, &input.prices]
            }
            Command::Check(args) => &[&args.portfolios],
            Command::Demo(_)
            | Command::Prices(_)
            | Command::Status(_)
            | Command::Alerts(_)
            | Command::Audit(_)
            | Command::Halt(_)
            | Command::Release(_)
            | Command::Recover(_)
            | Command::Reconcile(_)
            | Command::Resolve(_)
            | Command::Abort(_)
            | Command::Completions(_) => &[],
        };
        of_command.iter().copied().chain(&self.config).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_ends_its_help_with_examples() {
        for command in Cli::command().get_subcommands() {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains(&format!("evenkeel {}", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            "evenkeel replay --portfolios a --prices b --profile storm",
            "evenkeel replay --portfolios a --prices b --broker ideal --profile calm",
            "evenkeel replay --portfolios a --prices b --store c --measure relative",
            "evenkeel replay --portfolios a --prices b --store c --absolute 5",
            "evenkeel plan --portfolios - --prices -",
            "evenkeel check --portfolios - --config -",
        ] {
            let error = parsed(line).unwrap_err();
            assert_eq!((error.kind(), error.exit_code()), (ErrorKind::ArgumentConflict, 2), "{line}");
        }
        assert!(parsed("evenkeel replay --portfolios a --prices b --broker banchile --profile storm").is_ok());
        assert!(parsed("evenkeel plan --portfolios - --prices b").is_ok());
    }

    #[test]
    fn colour_is_known_before_the_rest_is() {
        let wanted = |line: &str| wanted_colour(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(wanted("evenkeel --help"), Colour::Auto);
        assert_eq!(wanted("evenkeel --color never --help"), Colour::Never);
        assert_eq!(wanted("evenkeel check --color=always"), Colour::Always);
        assert_eq!(wanted("evenkeel -- --color=always"), Colour::Auto);
    }
}
