//! The configuration: a file in TOML, read once into one immutable value. Nothing else is configured in another way.
//!
//! ```toml
//! lease = "6h"             # how long a worker may hold a portfolio
//! heartbeat = "60s"        # without a sign of life for so long, its lease is free
//! attempts = 3             # for each leg, 1 to 9
//! delay = "5s"             # between two attempts
//! legs_at_once = 16        # orders of a batch that are under way together
//! order_deadline = "60s"   # an order that is open for longer is canceled
//! quiescence = "70s"       # how long a request may be under way, where that is longer than the broker says
//! max_price_age = "3d"     # prices older than that are refused; without it, none is
//! max_price_jump = "20"    # prices further than that from the last, in percent of it, are not traded on; without it, all are
//! collar = "5"             # a batch is given up whose prices move by more than that, in percent, before its first order; without it, none is
//! max_order = "1000000.00" # what an order may be worth; without it, anything
//! max_batch = "5000000.00" # what all orders of a batch may be worth together; without it, anything
//! max_day = "10000000.00"  # what a portfolio may trade within 24 hours; without it, anything
//! max_batches_a_day = 20   # batches of a portfolio within 24 hours; without it, any number
//! min_session_left = "5m"  # the time that must be left of the session, where the broker tells; without it, none
//! ```
//!
//! Every key is optional, and the page shows its default; only the last nine have none: without `quiescence` the broker's own
//! figure counts, and nothing is limited that is not named. A length of time is a whole number of seconds, or a string as in [`crate::duration`]. What the values mean is
//! the engine's.

use crate::document::form::{Form, Notation, field};
use crate::document::{Entry, Kind, Lines, Node, Table, from_toml};
use crate::duration::{self, Length, LengthError};
use crate::faults::FileFaults;
use crate::files::{self, FileArg};
use evenkeel_domain::limits::Limits;
use evenkeel_domain::values::{Money, Percentage};
use evenkeel_engine::Settings;
use evenkeel_ports::LeaseTerms;
use std::time::Duration;

/// How the program works. What each means is on this file's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) lease: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) attempts: u8,
    pub(crate) delay: Duration,
    pub(crate) legs_at_once: u16,
    pub(crate) order_deadline: Duration,
    pub(crate) quiescence: Option<Duration>,
    pub(crate) max_price_age: Option<Duration>,
    pub(crate) max_price_jump: Option<Percentage>,
    pub(crate) limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(6 * 60 * 60),
            heartbeat: Duration::from_secs(60),
            attempts: 3,
            delay: Duration::from_secs(5),
            legs_at_once: 16,
            order_deadline: Duration::from_secs(60),
            quiescence: None,
            max_price_age: None,
            max_price_jump: None,
            limits: Limits::NONE,
        }
    }
}

impl Config {
    /// The engine's settings; what is not configured keeps the engine's default.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            lease: LeaseTerms { expiry: self.lease, heartbeat: self.heartbeat },
            attempts: self.attempts,
            delay: self.delay,
            legs_at_once: usize::from(self.legs_at_once),
            order_deadline: self.order_deadline,
            quiescence: self.quiescence,
            max_price_age: self.max_price_age,
            max_price_jump: self.max_price_jump,
            limits: self.limits,
            ..Settings::unlimited()
        }
    }
}

const KEYS: [&str; 15] = [
    "lease",
    "heartbeat",
    "attempts",
    "delay",
    "legs_at_once",
    "order_deadline",
    "quiescence",
    "max_price_age",
    "max_price_jump",
    "collar",
    "max_order",
    "max_batch",
    "max_day",
    "max_batches_a_day",
    "min_session_left",
];

const AMOUNT: &str = "write an amount of \"0.01\" or more, with at most 2 decimals";
const JUMP: &str = "write a percentage above \"0\", with at most 4 decimals";

/// The most orders of a batch that may be under way at once.
const MOST_LEGS: u16 = 4_096;

/// Reads the configuration; without a file, all of it is the default.
///
/// # Errors
/// Every fault of the file.
pub(crate) fn load(file: Option<&FileArg>) -> Result<Config, FileFaults> {
    match file {
        None => Ok(Config::default()),
        Some(file) => read(&file.name(), &files::read_text(file)?),
    }
}

fn read(source: &str, text: &str) -> Result<Config, FileFaults> {
    let lines = Lines::new(text);
    let parsed = from_toml::parse(text, 0);
    let mut form = Form::new(Notation::Toml, &lines, String::new());
    let mut config = Config::default();
    match parsed.broken() {
        Some(broken) => form.malformed(broken),
        None => {
            parsed.malformed.iter().for_each(|repeated| form.malformed(repeated));
            config = values(&mut form, &parsed.root);
        }
    }
    let mut faults = FileFaults::new(source);
    form.into_faults().into_iter().for_each(|fault| faults.add(fault));
    faults.or(config)
}

fn values(form: &mut Form<'_>, root: &Table<'_>) -> Config {
    form.only(root, "", &KEYS, &[]);
    let default = Config::default();
    let mut length =
        |key: &str, default, least| root.get(key).map_or(default, |e| length(form, e, least).unwrap_or(default));
    let moment = Duration::from_millis(1);
    let (lease, heartbeat) = (length("lease", default.lease, moment), length("heartbeat", default.heartbeat, moment));
    let delay = length("delay", default.delay, Duration::ZERO);
    let order_deadline = length("order_deadline", default.order_deadline, moment);
    let quiescence = root.get("quiescence").and_then(|entry| self::length(form, entry, Duration::ZERO));
    let max_price_age = root.get("max_price_age").and_then(|entry| self::length(form, entry, Duration::ZERO));
    let max_price_jump = root.get("max_price_jump").and_then(|entry| jump(form, entry));
    let limits = limits(form, root);
    let attempts = root.get("attempts").and_then(|entry| whole(form, entry, 9)).and_then(|n| u8::try_from(n).ok());
    let legs_at_once = root.get("legs_at_once").and_then(|entry| whole(form, entry, MOST_LEGS));
    if heartbeat > lease
        && let Some(entry) = root.get("heartbeat").or(root.get("lease"))
    {
        let problem = format!("a heartbeat of {} is longer than the lease of {}", Length(heartbeat), Length(lease));
        form.refuse(&entry.value, &entry.key, problem, "a lease is as long as its heartbeat, or longer");
    }
    Config {
        lease,
        heartbeat,
        attempts: attempts.unwrap_or(default.attempts),
        delay,
        legs_at_once: legs_at_once.unwrap_or(default.legs_at_once),
        order_deadline,
        quiescence,
        max_price_age,
        max_price_jump,
        limits,
    }
}

fn limits(form: &mut Form<'_>, root: &Table<'_>) -> Limits {
    let mut amount = |key| root.get(key).and_then(|entry| amount(form, entry));
    let (order, batch, day) = (amount("max_order"), amount("max_batch"), amount("max_day"));
    let batches_a_day = root.get("max_batches_a_day").and_then(|entry| whole(form, entry, u16::MAX)).map(u32::from);
    let session_left = root.get("min_session_left").and_then(|entry| length(form, entry, Duration::ZERO));
    let collar = root.get("collar").and_then(|entry| jump(form, entry));
    Limits { order, batch, day, batches_a_day, session_left, collar }
}

fn amount(form: &mut Form<'_>, entry: &Entry<'_>) -> Option<Money> {
    let path = field("", &entry.key);
    let amount: Money = form.decimal(&entry.value, &path, AMOUNT)?;
    if !amount.is_positive() {
        form.refuse(&entry.value, &path, "nothing could be traded", AMOUNT);
        return None;
    }
    Some(amount)
}

fn jump(form: &mut Form<'_>, entry: &Entry<'_>) -> Option<Percentage> {
    let path = field("", &entry.key);
    let jump: Percentage = form.decimal(&entry.value, &path, JUMP)?;
    if jump.is_negative() || jump.is_zero() {
        form.refuse(&entry.value, &path, "no price could move", JUMP);
        return None;
    }
    Some(jump)
}

fn length(form: &mut Form<'_>, entry: &Entry<'_>, least: Duration) -> Option<Duration> {
    let Entry { key, value, .. } = entry;
    match text_or_number(value).map(|text| text.parse::<Length>()) {
        Some(Ok(Length(length))) if length >= least => return Some(length),
        Some(Ok(_)) => form.refuse(value, &field("", key), "it is no time at all", "write more than that"),
        Some(Err(error @ LengthError::TooLong)) => form.refuse(value, &field("", key), error.to_string(), "write less"),
        Some(Err(error @ LengthError::Form)) => {
            form.refuse(value, &field("", key), error.to_string(), duration::REMEDY)
        }
        None => form.refuse(value, &field("", key), format!("it is {}", value.kind.name()), duration::REMEDY),
    }
    None
}

fn text_or_number<'n>(value: &'n Node<'_>) -> Option<&'n str> {
    match &value.kind {
        Kind::Text(text) => Some(text),
        Kind::Number => Some(value.written),
        Kind::List(_) | Kind::Table(_) | Kind::Other(_) => None,
    }
}

/// A whole number from 1.
fn whole(form: &mut Form<'_>, entry: &Entry<'_>, most: u16) -> Option<u16> {
    let Entry { key, value, .. } = entry;
    let number = match value.kind {
        Kind::Number => value.written.parse().ok().filter(|number| (1..=most).contains(number)),
        Kind::Text(_) | Kind::List(_) | Kind::Table(_) | Kind::Other(_) => None,
    };
    if number.is_none() {
        let remedy = format!("write {}", Notation::Toml.pair(key, "3"));
        form.refuse(value, &field("", key), format!("it is not a whole number from 1 to {most}"), remedy);
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        let faults = read("evenkeel.toml", text).unwrap_err();
        expected.assert_eq(&faults.to_string());
    }

    #[test]
    fn what_is_not_there_has_its_default() {
        assert_eq!(read("a", "").unwrap(), Config::default());
        assert_eq!(load(None).unwrap(), Config::default());
        let config = read("a", "lease = \"30m\"\nattempts = 9\nmax_price_age = 90\ndelay = 0\r\n").unwrap();
        let expected = Config {
            lease: Duration::from_secs(1_800),
            attempts: 9,
            max_price_age: Some(Duration::from_secs(90)),
            delay: Duration::ZERO,
            ..Config::default()
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn the_page_above_shows_the_defaults() {
        let page = include_str!("config.rs").lines().filter_map(|line| line.strip_prefix("//! "));
        let toml = page.skip_while(|line| *line != "```toml").skip(1).take_while(|line| *line != "```");
        let toml: Vec<&str> = toml.collect();
        let config = read("page", &toml.join("\n")).unwrap();
        assert_eq!(toml.len(), KEYS.len());
        assert_eq!(
            config.settings().limits,
            Settings::default().limits,
            "what the page shows is what the engine takes by itself"
        );
        let unlimited = Config { limits: Limits::NONE, max_price_jump: None, max_price_age: None, ..config };
        assert_eq!(Config { quiescence: None, ..unlimited }, Config::default());
    }

    #[test]
    fn every_fault_is_found() {
        check(
            "lese = \"6h\"\nheartbeat = \"7h\"\nattempts = 10\ndelay = -1\nlegs_at_once = \"16\"\norder_deadline = \"0s\"\nquiescence = true\nmax_price_age = 1.5\nattempts = 3\nmax_price_jump = \"0\"\nmax_order = \"0.00\"\nmax_day = 5\nmax_batches_a_day = 0\n",
            &expect![[r#"
                evenkeel.toml:1:1: lese: "6h": there is no such key; the nearest is lease; known are lease, heartbeat, attempts, delay, legs_at_once, order_deadline, quiescence, max_price_age, max_price_jump, collar, max_order, max_batch, max_day, max_batches_a_day, min_session_left
                evenkeel.toml:2:13: heartbeat: "7h": a heartbeat of 7h is longer than the lease of 6h; a lease is as long as its heartbeat, or longer
                evenkeel.toml:3:12: attempts: 10: it is not a whole number from 1 to 9; write attempts = 3
                evenkeel.toml:4:9: delay: -1: it is not a whole number with ms, s, m, h or d behind it; write seconds, like 90, or a length, like "500ms", "60s", "5m", "6h" or "7d"
                evenkeel.toml:5:16: legs_at_once: "16": it is not a whole number from 1 to 4096; write legs_at_once = 3
                evenkeel.toml:6:18: order_deadline: "0s": it is no time at all; write more than that
                evenkeel.toml:7:14: quiescence: true: it is true or false; write seconds, like 90, or a length, like "500ms", "60s", "5m", "6h" or "7d"
                evenkeel.toml:8:17: max_price_age: 1.5: it is not a whole number with ms, s, m, h or d behind it; write seconds, like 90, or a length, like "500ms", "60s", "5m", "6h" or "7d"
                evenkeel.toml:9:1: attempts: the key is there already; keep one of them
                evenkeel.toml:10:18: max_price_jump: "0": no price could move; write a percentage above "0", with at most 4 decimals
                evenkeel.toml:11:13: max_order: "0.00": nothing could be traded; write an amount of "0.01" or more, with at most 2 decimals
                evenkeel.toml:12:11: max_day: 5: it is a number, which may lose digits; write it as a string: "5"
                evenkeel.toml:13:21: max_batches_a_day: 0: it is not a whole number from 1 to 65535; write max_batches_a_day = 3
            "#]],
        );
        check(
            "lease = \n",
            &expect![[r#"
            evenkeel.toml:1:9: lease =: this is no TOML: string values must be quoted, expected literal string; write key = "value", and close what is opened
        "#]],
        );
    }
}
