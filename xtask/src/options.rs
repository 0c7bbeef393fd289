//! What the commands that run for long share: their options, and dice.
//!
//! The usage line is the whole grammar: `[--kills N]` is an option with a whole number, `[--canary]` one without.

use std::collections::BTreeMap;

/// The options that were given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options(BTreeMap<String, u64>);

impl Options {
    /// Reads `arguments` by the usage line of their command. The last one counts where an option is given twice.
    pub(crate) fn read(usage: &str, arguments: &[String]) -> Result<Self, String> {
        let wrong = |what: String| format!("{what}: cargo xtask {usage}");
        let mut given = BTreeMap::new();
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let number = if usage.contains(&format!("[{name} N]")) {
                let value = rest.next().ok_or_else(|| wrong(format!("{name} needs a number")))?;
                value.parse().map_err(|_| wrong(format!("{name} {value}: not a whole number")))?
            } else if name.starts_with("--") && usage.contains(&format!("[{name}]")) {
                1
            } else {
                return Err(wrong(format!("{name} is not known")));
            };
            given.insert(name.clone(), number);
        }
        Ok(Self(given))
    }

    /// The number of an option, or what it is when it is not given.
    pub(crate) fn number(&self, name: &str, default: u64) -> u64 {
        self.0.get(name).copied().unwrap_or(default)
    }

    /// Whether an option without a number was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Numbers that look random: SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from 0, below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: &str = "crash [--kills N] [--seed N] [--canary]";

    fn read(text: &str) -> Result<Options, String> {
        Options::read(USAGE, &text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_in_any_order() {
        let read = |text| read(text).map(|o| (o.number("--kills", 1_000), o.number("--seed", 1), o.has("--canary")));
        assert_eq!(read(""), Ok((1_000, 1, false)));
        assert_eq!(read("--seed 7 --kills 5"), Ok((5, 7, false)));
        assert_eq!(read("--canary --seed 7"), Ok((1_000, 7, true)));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_usage() {
        for (wrong, why) in [
            ("--kills", "--kills needs a number"),
            ("--kills x", "--kills x: not a whole number"),
            ("--kill 1", "--kill is not known"),
            ("5", "5 is not known"),
            ("N", "N is not known"),
            ("--canary 1", "1 is not known"),
        ] {
            assert_eq!(read(wrong), Err(format!("{why}: cargo xtask {USAGE}")));
        }
    }

    #[test]
    fn dice_stay_below_their_bound_and_differ() {
        let mut dice = Dice(1);
        let thrown: Vec<u64> = (0..100).map(|_| dice.below(6)).collect();
        assert!(thrown.iter().all(|number| *number < 6) && (0..6).all(|number| thrown.contains(&number)));
    }
}
