//! How an allocation travels: as a map from target to weight, both as text.

use super::TargetAllocation;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

impl Serialize for TargetAllocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.weights().map(|(target, weight)| (target.to_string(), weight)))
    }
}

impl<'de> Deserialize<'de> for TargetAllocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

/// Reads the entries one by one: a map would keep the last of two weights of one target and forget the other.
struct Entries;

impl<'de> de::Visitor<'de> for Entries {
    type Value = TargetAllocation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"targets with their weights as strings, like {"META": "60", "CASH": "40"}"#)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut weights: Vec<(String, String)> = Vec::new();
        while let Some(entry) = map.next_entry()? {
            weights.push(entry);
        }
        let weights = weights.iter().map(|(target, weight)| (target.as_str(), weight.as_str()));
        TargetAllocation::parse(weights).map_err(de::Error::custom)
    }
}
