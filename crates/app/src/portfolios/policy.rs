//! The policy of a portfolio: its measure, the bands that go with it, and its amounts.
//!
//! A new measure needs its name and keys in [`keys_of`] and its arm in [`measure`]; what it means is the domain's.

use crate::document::form::{Form, field};
use crate::document::nearest::nearest;
use crate::document::{Entry, Node, Table};
use evenkeel_domain::policy::{Band, Measure, Policy};
use evenkeel_domain::values::{Money, Percentage};

const KEYS: [&str; 6] = ["measure", "band", "relative", "absolute", "minimum_order", "cash_buffer"];
const BANDS: [&str; 3] = ["band", "relative", "absolute"];
const MEASURES: [&str; 5] = ["relative", "absolute", "hybrid", "tighter", "total"];

const POLICY: &str = "write a table of keys like measure and band";
const BAND: &str = "write a percentage from \"0\" to \"100\", with at most 4 decimals";
const AMOUNT: &str = "write an amount of \"0.00\" or more, with at most 2 decimals";

/// The keys that the band of a measure is written with.
fn keys_of(measure: &str) -> &'static [&'static str] {
    match measure {
        "hybrid" | "tighter" => &["relative", "absolute"],
        "relative" | "absolute" | "total" => &["band"],
        _ => &[],
    }
}

/// Reads a policy; what is not there has its default.
pub(super) fn read(form: &mut Form<'_>, entry: &Entry<'_>) -> Option<Policy> {
    let default = Policy::default();
    let table = form.table(&entry.value, "policy", POLICY)?;
    form.only(table, "policy", &KEYS);
    let measure = measure(form, table, &entry.value);
    let minimum_order = amount(form, table, "minimum_order", default.minimum_order);
    let cash_buffer = amount(form, table, "cash_buffer", default.cash_buffer);
    Policy::new(measure?, minimum_order?, cash_buffer?).ok()
}

fn measure(form: &mut Form<'_>, table: &Table<'_>, policy: &Node<'_>) -> Option<Measure> {
    let name = match table.get("measure") {
        Some(entry) => known_measure(form, &entry.value),
        None => Some("relative"),
    };
    let [band, relative, absolute] = BANDS.map(|key| table.get(key).map(|entry| (entry, read_band(form, entry))));
    let name = name?;
    let belong = keys_of(name);
    for (entry, _) in [&band, &relative, &absolute].into_iter().flatten().filter(|(e, _)| !belong.contains(&e.key.as_ref())) {
        let owners: Vec<&str> = MEASURES.into_iter().filter(|other| keys_of(other).contains(&entry.key.as_ref())).collect();
        let problem = format!("it belongs to the measures {}, not to {name}", owners.join(", "));
        let remedy = format!("the measure {name} has {}", belong.join(" and "));
        form.refuse(&entry.value, &field("policy", &entry.key), problem, remedy);
    }
    // A band that cannot be read is a fault already; one that is not there is a fault only where there is no default.
    let needed = |form: &mut Form<'_>, found: Option<(&Entry<'_>, Option<Band>)>, key: &str, sample: &str| match found {
        Some((_, band)) => band,
        None => {
            let remedy = format!("the measure {name} has {}: write {}", belong.join(" and "), form.notation.pair(key, sample));
            form.note(policy.at, &field("policy", key), None, "it is missing", remedy);
            None
        }
    };
    let default = || Percentage::from_units(50_000).ok().and_then(|five| Band::new(five).ok());
    match name {
        "relative" => Some(Measure::Relative { band: band.map_or_else(default, |(_, band)| band)? }),
        "absolute" => Some(Measure::Absolute { band: band.map_or_else(default, |(_, band)| band)? }),
        "total" => Some(Measure::Total { band: band.map_or_else(default, |(_, band)| band)? }),
        both => {
            let relative = needed(form, relative, "relative", "\"25\"");
            let absolute = needed(form, absolute, "absolute", "\"5\"");
            let (relative, absolute) = (relative?, absolute?);
            Some(match both {
                "hybrid" => Measure::Hybrid { relative, absolute },
                _ => Measure::Tighter { relative, absolute },
            })
        }
    }
}

fn known_measure(form: &mut Form<'_>, node: &Node<'_>) -> Option<&'static str> {
    let remedy = format!("write one of {}", MEASURES.join(", "));
    let text = form.text(node, "policy.measure", &remedy)?;
    let known = MEASURES.into_iter().find(|name| *name == text);
    if known.is_none() {
        let meant = nearest(text, MEASURES).unwrap_or_default();
        form.refuse(node, "policy.measure", "there is no such measure", format!("the nearest is {meant}; {remedy}"));
    }
    known
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
