//! The policy of a portfolio: its measure, the bands that go with it, and its amounts.
//!
//! A new measure is a line in [`MEASURES`]; what it means is the domain's.

use super::one;
use crate::document::form::{Form, field};
use crate::document::nearest::nearest;
use crate::document::{Entry, Node, Table};
use evenkeel_domain::policy::{Band, Measure, Policy};
use evenkeel_domain::values::{Money, Percentage};
use serde::{Serialize, Serializer};

/// What a policy may have.
pub(super) const KEYS: [&str; 6] = ["measure", "band", "relative", "absolute", "minimum_order", "cash_buffer"];

const POLICY: &str = "write a table of keys like measure and band";
pub(super) const BAND: &str = "write a percentage from \"0\" to \"100\", with at most 4 decimals";
const AMOUNT: &str = "write an amount of \"0.00\" or more, with at most 2 decimals";

/// Every measure, with the keys that it has.
pub(crate) const MEASURES: [Known; 5] = [
    Known { name: "relative", bands: Bands::One(|band| Measure::Relative { band }) },
    Known { name: "absolute", bands: Bands::One(|band| Measure::Absolute { band }) },
    Known { name: "hybrid", bands: Bands::Two(|relative, absolute| Measure::Hybrid { relative, absolute }) },
    Known { name: "tighter", bands: Bands::Two(|relative, absolute| Measure::Tighter { relative, absolute }) },
    Known { name: "total", bands: Bands::One(|band| Measure::Total { band }) },
];

/// A measure, before it has its bands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    name: &'static str,
    pub(super) bands: Bands,
}

impl Known {
    /// The measure of this name, if there is one.
    pub(crate) fn of(name: &str) -> Option<Self> {
        MEASURES.into_iter().find(|known| known.name == name)
    }

    /// As in files.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }
}

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Bands {
    /// `band`, which has a default.
    One(fn(Band) -> Measure),
    /// `relative` and `absolute`, which must both be there.
    Two(fn(Band, Band) -> Measure),
}

impl Bands {
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::One(_) => &["band"],
            Self::Two(_) => &["relative", "absolute"],
        }
    }
}

/// Reads a policy; what is not there has its default.
pub(super) fn read(form: &mut Form<'_>, entry: &Entry<'_>) -> Option<Policy> {
    let default = Policy::default();
    let table = form.table(&entry.value, "policy", POLICY)?;
    form.only(table, "policy", &KEYS, &[("in the portfolio, above its policy", &one::KEYS)]);
    let measure = measure(form, table, &entry.value);
    let minimum_order = amount(form, table, "minimum_order", default.minimum_order);
    let cash_buffer = amount(form, table, "cash_buffer", default.cash_buffer);
    Policy::new(measure?, minimum_order?, cash_buffer?).ok()
}

fn measure(form: &mut Form<'_>, table: &Table<'_>, policy: &Node<'_>) -> Option<Measure> {
    let known = match table.get("measure") {
        Some(entry) => known_measure(form, &entry.value),
        None => MEASURES.into_iter().next(),
    };
    let [band, relative, absolute] = ["band", "relative", "absolute"].map(|key| {
        let entry = table.get(key)?;
        let width = read_band(form, entry);
        known.is_none_or(|known| belongs(form, entry, known)).then_some(width)
    });
    let Known { name, bands } = known?;
    match bands {
        Bands::One(measure) => band.unwrap_or_else(five_percent).map(measure),
        Bands::Two(measure) => {
            // What is there and cannot be read is a fault already.
            let mut needed = |found: Option<Option<Band>>, key, sample| {
                found.unwrap_or_else(|| {
                    let pair = form.notation.pair(key, sample);
                    let remedy = format!("the measure {name} has {}: write {pair}", bands.keys().join(" and "));
                    form.note(policy.at, &field("policy", key), None, "it is missing", remedy);
                    None
                })
            };
            let relative = needed(relative, "relative", "\"25\"");
            let absolute = needed(absolute, "absolute", "\"5\"");
            Some(measure(relative?, absolute?))
        }
    }
}

/// What `band` is where it is not written.
pub(super) fn five_percent() -> Option<Band> {
    Percentage::from_units(50_000).ok().and_then(|five| Band::new(five).ok())
}

fn known_measure(form: &mut Form<'_>, node: &Node<'_>) -> Option<Known> {
    let names = MEASURES.map(|known| known.name);
    let remedy = format!("write one of {}", names.join(", "));
    let text = form.text(node, "policy.measure", &remedy)?;
    let known = Known::of(text);
    if known.is_none() {
        let meant = nearest(text, names).unwrap_or_default();
        form.refuse(node, "policy.measure", "there is no such measure", format!("the nearest is {meant}; {remedy}"));
    }
    known
}

/// Notes a key of another measure.
fn belongs(form: &mut Form<'_>, entry: &Entry<'_>, known: Known) -> bool {
    let key = entry.key.as_ref();
    if known.bands.keys().contains(&key) {
        return true;
    }
    let problem = format!("it belongs to the measures {}, not to {}", owners(key), known.name);
    let remedy = format!("the measure {} has {}", known.name, known.bands.keys().join(" and "));
    form.refuse(&entry.value, &field("policy", key), problem, remedy);
    false
}

/// The measures that have a key.
pub(super) fn owners(key: &str) -> String {
    let owners: Vec<&str> = MEASURES.iter().filter(|m| m.bands.keys().contains(&key)).map(|m| m.name).collect();
    owners.join(", ")
}

fn read_band(form: &mut Form<'_>, entry: &Entry<'_>) -> Option<Band> {
    let path = field("policy", &entry.key);
    let width: Percentage = form.decimal(&entry.value, &path, BAND)?;
    Band::new(width).map_err(|_| form.refuse(&entry.value, &path, "a band is from 0 to 100", BAND)).ok()
}

fn amount(form: &mut Form<'_>, table: &Table<'_>, key: &str, default: Money) -> Option<Money> {
    let Some(entry) = table.get(key) else { return Some(default) };
    let path = field("policy", key);
    let amount: Money = form.decimal(&entry.value, &path, AMOUNT)?;
    if amount.is_negative() {
        form.refuse(&entry.value, &path, "it is below zero", AMOUNT);
        return None;
    }
    Some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_called_what_they_are() {
        let band = five_percent().unwrap();
        assert_eq!(Policy::default().measure, Measure::Relative { band });
        for Known { name, bands } in MEASURES {
            let measure = match bands {
                Bands::One(measure) => measure(band),
                Bands::Two(measure) => measure(band, band),
            };
            assert_eq!(measure.name(), name);
            assert!(bands.keys().iter().all(|key| KEYS.contains(key)));
        }
    }
}
