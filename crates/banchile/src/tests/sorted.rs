//! Sorted lists against the standard library's map; the places of orders in them; and the names of fills.

use super::desk::id;
use crate::orders::{Place, fill_id};
use crate::sorted::Sorted;
use evenkeel_domain::order::{Attempt, ClientOrderId, Direction};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A few ids close to each other, and a copy.
fn keys() -> impl Strategy<Value = (ClientOrderId, u16)> {
    let directions = prop_oneof![Just(Direction::Forward), Just(Direction::Reverse)];
    (0_usize..3, directions, 1_u8..4, 0_u16..3).prop_map(|(leg, direction, attempt, copy)| {
        let attempt = Attempt::new(attempt).unwrap();
        (ClientOrderId { direction, attempt, ..id(1, leg) }, copy)
    })
}

proptest! {
    #[test]
    fn a_sorted_list_is_a_map(steps in prop::collection::vec((0_u8..7, 0_u8..20), 0..80)) {
        let (mut sorted, mut map) = (Sorted::default(), BTreeMap::new());
        for (number, (what, key)) in (0_u32..).zip(steps) {
            match what {
                0..4 => {
                    sorted.reserve(1);
                    sorted.insert(key, number);
                    map.insert(key, number);
                }
                4 => {
                    let mut asked = Vec::new();
                    sorted.retain(|found| {
                        asked.push(*found);
                        found % 3 != 0
                    });
                    prop_assert!(asked.iter().eq(map.values()));
                    map.retain(|_, found| *found % 3 != 0);
                }
                _ => {
                    prop_assert_eq!(sorted.get(key), map.get(&key));
                    prop_assert_eq!(sorted.get_mut(key), map.get_mut(&key));
                    let range = sorted.range(key, key + 3);
                    prop_assert!(range.eq(map.range(key..=key + 3).map(|(_, found)| found)));
                }
            }
            prop_assert!(sorted.values().eq(map.values()) && sorted.values_mut().eq(map.values_mut()));
            prop_assert_eq!(sorted.entries(), map.clone().into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn places_sort_like_ids_and_copies(one in keys(), other in keys()) {
        prop_assert_eq!(Place::new(one.0, one.1).cmp(&Place::new(other.0, other.1)), one.cmp(&other));
    }

    #[test]
    fn fills_are_named_by_their_numbers(number: u64) {
        for number in [number, number % 1000, 0, u64::MAX] {
            prop_assert_eq!(fill_id(number).unwrap().to_string(), format!("f{number}"));
        }
    }
}
