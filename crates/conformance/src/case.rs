//! One case of a suite: its name, what it is about, and how it ended.

use std::fmt;

/// What a rig cannot do, in words: the case is then not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cannot(pub String);

impl Cannot {
    /// The rig cannot do this, named as a verb phrase: `close the market`.
    #[must_use]
    pub fn new(doing: &str) -> Self {
        Self(doing.to_owned())
    }
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The adapter kept the promise.
    Passed,
    /// It broke it.
    Failed {
        /// What was promised, and what was seen.
        why: String,
    },
    /// A declared capability excuses it.
    Skipped {
        /// Which.
        excuse: String,
    },
    /// The rig cannot make the situation happen.
    NotShown {
        /// What it cannot do.
        missing: String,
    },
}

impl Verdict {
    /// The word used in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Skipped { .. } => "skipped",
            Self::NotShown { .. } => "not shown",
        }
    }
}

/// Why a case stops before its end. `Ok(())` of a [`Check`] is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A promise was broken.
    Broken(String),
    /// A declared capability excuses the case.
    Excused(String),
    /// The rig cannot do what the case needs.
    Cannot(Cannot),
}

impl From<Cannot> for Stop {
    fn from(cannot: Cannot) -> Self {
        Self::Cannot(cannot)
    }
}

/// What the body of a case comes to; `?` on something the rig cannot do makes it *not shown*.
pub type Check = Result<(), Stop>;

impl From<Check> for Verdict {
    fn from(check: Check) -> Self {
        match check {
            Ok(()) => Self::Passed,
            Err(Stop::Broken(why)) => Self::Failed { why },
            Err(Stop::Excused(excuse)) => Self::Skipped { excuse },
            Err(Stop::Cannot(Cannot(missing))) => Self::NotShown { missing },
        }
    }
}

/// Fails the case unless `kept`: `promise` says what should be, `seen` what was.
///
/// # Errors
/// [`Stop::Broken`].
pub fn expect(kept: bool, promise: &str, seen: impl fmt::Debug) -> Check {
    if kept { Ok(()) } else { Err(Stop::Broken(format!("{promise}, but saw {seen:?}"))) }
}

/// A case: its name, the contract numbers it is about, and one sentence that says the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// `C04` for brokers, `L01`, `J01` … for others; also the start of the test's name.
    pub id: &'static str,
    /// The test's name: `c04_same_id_same_terms_twice`.
    pub name: &'static str,
    /// The numbers of the port's contract that it is about: `4`, `1, 6`.
    pub contract: &'static str,
    /// What is promised.
    pub promise: &'static str,
}
