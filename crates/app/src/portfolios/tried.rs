//! A policy that is tried: measure and bands of the command line, instead of those of every portfolio. All else is as its file says.
//!
//! The keys are those of a policy in a file, and so are the rules of what belongs together ([`super::policy`]).

use super::LoadedPortfolio;
use super::policy::{BAND, Bands, five_percent, owners};
use crate::faults::{Fault, FileFaults};
use evenkeel_domain::policy::{Band, Measure};
use evenkeel_domain::values::{ParseError, Percentage};
use serde::Serialize;
use std::fmt;

pub(crate) use super::policy::{Known, MEASURES};

/// Reads a band, as it is written in a file.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub(crate) fn band(text: &str) -> Result<Band, String> {
    let width: Percentage = text.parse().map_err(|error: ParseError| format!("{}; {BAND}", error.reason))?;
    Band::new(width).map_err(|_| format!("a band is from 0 to 100; {BAND}"))
}

/// Measure and bands. Without a measure, each portfolio keeps its own.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Tried {
    #[serde(skip_serializing_if = "Option::is_none")]
    measure: Option<Known>,
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relative: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absolute: Option<Band>,
}

impl Tried {
    /// At least one is there. A measure of one band has 5 if nothing is said, as in a file.
    ///
    /// # Errors
    /// What is missing, or does not belong together.
    pub(crate) fn new(
        measure: Option<Known>,
        band: Option<Band>,
        relative: Option<Band>,
        absolute: Option<Band>,
    ) -> Result<Self, String> {
        let given = [("band", band), ("relative", relative), ("absolute", absolute)];
        let is_given = |key: &str| given.iter().any(|(name, band)| *name == key && band.is_some());
        let Some(known) = measure else {
            if is_given("band") && (is_given("relative") || is_given("absolute")) {
                let (one, two) = (owners("band"), owners("relative"));
                return Err(format!(
                    "--band belongs to the measures {one}, --relative and --absolute to {two}: add --measure, and keep what it has"
                ));
            }
            return Ok(Self { measure, band, relative, absolute });
        };
        let (name, keys) = (known.name(), known.bands.keys());
        let has = format!("the measure {name} has --{}", keys.join(" and --"));
        if let Some((key, _)) = given.iter().find(|(key, band)| band.is_some() && !keys.contains(key)) {
            return Err(format!("--{key} belongs to the measures {}, not to {name}: {has}", owners(key)));
        }
        match known.bands {
            Bands::One(_) => Ok(Self { measure, band: band.or_else(five_percent), relative, absolute }),
            Bands::Two(_) => match keys.iter().find(|key| !is_given(key)) {
                Some(missing) => Err(format!("--{missing} is missing: {has}")),
                None => Ok(Self { measure, band, relative, absolute }),
            },
        }
    }

    /// The portfolios with this policy.
    ///
    /// # Errors
    /// Every portfolio with a measure that these bands do not fit.
    pub(crate) fn on(self, mut portfolios: Vec<LoadedPortfolio>) -> Result<Vec<LoadedPortfolio>, FileFaults> {
        let mut faults = FileFaults::new("the command line");
        for LoadedPortfolio { id, definition, .. } in &mut portfolios {
            let own = &mut definition.policy.measure;
            match self.instead_of(own) {
                Some(measure) => *own = measure,
                None => {
                    let keys = Known::of(own.name()).map(|own| own.bands.keys().join(" and ")).unwrap_or_default();
                    let problem = format!("its measure {} has {keys}", own.name());
                    let fault = Fault::new(problem, "add --measure, so that all are tried with one");
                    let options: Vec<String> = self.bands().map(|(key, band)| format!("--{key} {band}")).collect();
                    let field = format!("portfolio \"{id}\": {}", options.join(" "));
                    faults.add(Fault { field: Some(field), ..fault });
                }
            }
        }
        faults.or(portfolios)
    }

    /// Those that are given, with their keys.
    fn bands(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let bands = [("band", self.band), ("relative", self.relative), ("absolute", self.absolute)];
        bands.into_iter().filter_map(|(key, band)| Some((key, band?.width().to_string())))
    }

    /// `None` if these bands are none of that measure's.
    fn instead_of(self, own: &Measure) -> Option<Measure> {
        match self.measure.or_else(|| Known::of(own.name()))?.bands {
            Bands::One(measure) => self.band.map(measure),
            Bands::Two(measure) => {
                // Of two bands one may be given alone only where the measure stays what it is.
                let (own_relative, own_absolute) = match *own {
                    Measure::Hybrid { relative, absolute } | Measure::Tighter { relative, absolute } => {
                        (Some(relative), Some(absolute))
                    }
                    Measure::Relative { .. } | Measure::Absolute { .. } | Measure::Total { .. } => (None, None),
                };
                self.relative.or(self.absolute)?;
                Some(measure(self.relative.or(own_relative)?, self.absolute.or(own_absolute)?))
            }
        }
    }
}

/// Such that bands of several runs stand below one another: `relative, band   5.0000`.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bands = self.bands().map(|(key, band)| format!("{key} {band:>8}"));
        let parts: Vec<String> = self.measure.iter().map(|known| known.name().to_owned()).chain(bands).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests;
