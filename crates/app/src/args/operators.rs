//! The options of the commands that operators use: on a store, and on the bank of its broker.

use super::Format;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use evenkeel_domain::order::BatchId;
use evenkeel_domain::values::{PortfolioId, Symbol};
use std::path::PathBuf;

/// The store that a command looks at.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store: a file that replay --store, or a service, has made
    #[arg(long, value_name = "FILE")]
    pub(crate) store: PathBuf,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Only this portfolio
    #[arg(long, value_name = "ID")]
    pub(crate) portfolio: Option<PortfolioId>,
    /// Tables for people, or one JSON object per line
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
}

/// Options of `alerts`.
#[derive(Debug, Args)]
pub(crate) struct AlertsArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Say that you have read what is shown: it is not shown again
    #[arg(long)]
    pub(crate) acknowledge: bool,
}

/// Options of `audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Only this portfolio
    #[arg(long, value_name = "ID", conflicts_with = "batch")]
    pub(crate) portfolio: Option<PortfolioId>,
    /// Only this batch, as status and the records show it
    #[arg(long, value_name = "BATCH")]
    pub(crate) batch: Option<BatchId>,
    /// Verify the whole store instead: every record with its hash, and everything that follows from the records
    #[arg(long, conflicts_with_all = ["portfolio", "batch"])]
    pub(crate) verify: bool,
    /// A timeline for people, one JSON object per line, or CSV
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: AuditFormat,
}

/// How a timeline is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum AuditFormat {
    #[default]
    Text,
    Json,
    Csv,
}

/// What a halt is about: exactly one.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ScopeArgs {
    /// Every portfolio
    #[arg(long)]
    pub(crate) everything: bool,
    /// One portfolio
    #[arg(long, value_name = "ID")]
    pub(crate) portfolio: Option<PortfolioId>,
    /// Every batch with a leg of this symbol
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) symbol: Option<Symbol>,
}

/// Who does something, and why: kept for the audit.
#[derive(Debug, Args)]
pub(crate) struct PersonArgs {
    /// Who you are
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) who: String,
    /// Why you do it
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) why: String,
}

/// Options of `halt`.
#[derive(Debug, Args)]
pub(crate) struct HaltArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// What happens to batches that are open: freeze sends nothing at all, unwind trades back what was executed
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub(crate) mode: ModeKind,
}

/// Options of `release`.
#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) person: PersonArgs,
}

/// A store and the bank of its broker.
#[derive(Debug, Args)]
pub(crate) struct BankArgs {
    /// The store
    #[arg(long, value_name = "FILE")]
    pub(crate) store: PathBuf,
    /// The bank: where the simulated broker's truth is kept
    #[arg(long, value_name = "FILE")]
    pub(crate) bank: PathBuf,
}

/// Options of `recover`.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    #[command(flatten)]
    pub(crate) files: BankArgs,
}

/// Options of `reconcile`.
#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    pub(crate) files: BankArgs,
    /// Only this portfolio
    #[arg(long, value_name = "ID")]
    pub(crate) portfolio: Option<PortfolioId>,
}

/// How a portfolio is resolved: exactly one.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HowArgs {
    /// The broker's cash and units become the books
    #[arg(long)]
    pub(crate) accept: bool,
    /// The restoration of the stale batch is tried once more
    #[arg(long)]
    pub(crate) retry: bool,
    /// It was restored by hand, and the broker confirms it
    #[arg(long)]
    pub(crate) fixed: bool,
}

/// Options of `resolve`.
#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    pub(crate) files: BankArgs,
    /// Which portfolio
    #[arg(long, value_name = "ID")]
    pub(crate) portfolio: PortfolioId,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// Do it without being asked
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Options of `abort`.
#[derive(Debug, Args)]
pub(crate) struct AbortArgs {
    #[command(flatten)]
    pub(crate) files: BankArgs,
    /// Which portfolio
    #[arg(long, value_name = "ID")]
    pub(crate) portfolio: PortfolioId,
    #[command(flatten)]
    pub(crate) person: PersonArgs,
}

/// What a halt does to batches that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ModeKind {
    /// No order at all; once the halt is released, a recovery unwinds the batch
    #[default]
    Freeze,
    /// What was executed is traded back at once
    Unwind,
}
