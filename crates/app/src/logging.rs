//! The program's log: on standard error, at the level of the variable `EVENKEEL_LOG`.
//!
//! Results are never logged, and logs are never results: those go through [`crate::output`].

use crate::exit::Failure;
use crate::output;
use std::env::{self, VarError};
use std::io;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const VARIABLE: &str = "EVENKEEL_LOG";

/// Starts it.
///
/// # Errors
/// [`Failure::Environment`] if the variable makes no sense.
pub(crate) fn start() -> Result<(), Failure> {
    let wanted = match env::var(VARIABLE) {
        Ok(text) => text,
        Err(VarError::NotPresent) => String::new(),
        Err(VarError::NotUnicode(text)) => text.to_string_lossy().into_owned(),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(output::stderr_has_colour());
    tracing_subscriber::registry()
        .with(filter(&wanted)?)
        .with(layer)
        .try_init()
        .map_err(|error| Failure::dependency("starting the log", error))
}

/// Levels, the general one and those of parts of the program: `warn,evenkeel_engine=debug`.
fn filter(wanted: &str) -> Result<Targets, Failure> {
    let mut targets = Targets::new().with_default(LevelFilter::WARN);
    for part in wanted.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (target, level) = match part.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            None => (None, part),
        };
        let level = level_of(level).ok_or_else(|| {
            let remedy =
                "write off, error, warn, info, debug or trace; or, for a part of the program, evenkeel_engine=debug";
            Failure::Environment(format!("{VARIABLE}: {part:?}: there is no such level; {remedy}"))
        })?;
        targets = match target {
            Some(target) => targets.with_target(target, level),
            None => targets.with_default(level),
        };
    }
    Ok(targets)
}

fn level_of(name: &str) -> Option<LevelFilter> {
    // Not its own `FromStr`: that takes numbers as well, and nothing at all.
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    name.parse().ok().filter(|_| is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::filter::LevelFilter;

    #[test]
    fn levels_are_general_or_of_a_part() {
        assert_eq!(filter("").unwrap().default_level(), Some(LevelFilter::WARN));
        assert_eq!(filter("DEBUG").unwrap().default_level(), Some(LevelFilter::DEBUG));
        let both = filter("error, evenkeel_engine=trace").unwrap();
        assert_eq!(both.default_level(), Some(LevelFilter::ERROR));
        assert!(both.would_enable("evenkeel_engine::rebalance", &tracing::Level::TRACE));
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["loud", "3", "a=", "evenkeel_engine", "warn,x=y"] {
            let message = filter(wrong).unwrap_err().to_string();
            assert!(message.starts_with("EVENKEEL_LOG: \""), "{wrong}: {message}");
        }
    }
}
