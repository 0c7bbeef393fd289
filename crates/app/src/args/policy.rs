//! The options that try another policy than that of the file: its keys, for all portfolios at once. What they mean together is in
//! [`crate::portfolios::tried`].

use super::Cli;
use crate::portfolios::tried::{self, Known, Tried};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use evenkeel_domain::policy::Band;

const HEADING: &str = "Another policy for every portfolio, instead of the file's";

/// A policy that is tried.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// How drift is measured; its bands are those that are given with it, or 5
    #[arg(long, value_parser = measures(), help_heading = HEADING)]
    measure: Option<Known>,
    /// The band of relative, absolute and total; without --measure, of the one that each portfolio has
    #[arg(long, value_name = "B", value_parser = tried::band, help_heading = HEADING)]
    band: Option<Band>,
    /// The band of hybrid and tighter that is in percent of the target
    #[arg(long, value_name = "R", value_parser = tried::band, help_heading = HEADING)]
    relative: Option<Band>,
    /// The band of hybrid and tighter that is in percentage points
    #[arg(long, value_name = "A", value_parser = tried::band, help_heading = HEADING)]
    absolute: Option<Band>,
}

fn measures() -> impl TypedValueParser<Value = Known> {
    // What is none of the names was refused before.
    PossibleValuesParser::new(tried::MEASURES.map(Known::name)).try_map(|name| Known::of(&name).ok_or("no measure"))
}

impl PolicyArgs {
    /// Whether there is anything to try.
    pub(super) fn is_there(&self) -> bool {
        self.measure.is_some() || self.band.or(self.relative).or(self.absolute).is_some()
    }

    /// What is tried, if anything is.
    ///
    /// # Errors
    /// What is missing, or does not belong together.
    pub(crate) fn tried(&self) -> Result<Option<Tried>, clap::Error> {
        if !self.is_there() {
            return Ok(None);
        }
        let tried = Tried::new(self.measure, self.band, self.relative, self.absolute);
        tried.map(Some).map_err(|message| Cli::command().error(ErrorKind::ArgumentConflict, message))
    }
}
