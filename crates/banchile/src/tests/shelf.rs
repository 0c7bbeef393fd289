//! The sorted lists of a batch, against a map; and the names of fills.

use super::desk::id;
use crate::orders::{Place, Shelf, fill_id};
use evenkeel_domain::order::{Attempt, ClientOrderId, Direction};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A few ids close to each other, and a copy.
fn places() -> impl Strategy<Value = (ClientOrderId, u16)> {
    let directions = prop_oneof![Just(Direction::Forward), Just(Direction::Reverse)];
    (0_usize..6, directions, 1_u8..3, 0_u16..3).prop_map(|(leg, direction, attempt, copy)| {
        let attempt = Attempt::new(attempt).unwrap();
        (ClientOrderId { direction, attempt, ..id(1, leg) }, copy)
    })
}

proptest! {
    #[test]
    fn a_shelf_is_a_map(steps in prop::collection::vec((0_u8..8, places()), 0..80)) {
        let (mut shelf, mut map) = (Shelf::default(), BTreeMap::new());
        for (number, (what, (id, copy))) in (0_u32..).zip(steps) {
            let place = Place::new(id, copy);
            match what {
                0..4 => {
                    shelf.insert(place, number);
                    map.insert((id, copy), number);
                }
                4 => prop_assert_eq!(shelf.remove(place), map.remove(&(id, copy))),
                5 => {
                    let taken: Vec<_> = shelf.take_if(|found| found % 3 == 0).collect();
                    prop_assert_eq!(taken, map.values().copied().filter(|found| found % 3 == 0).collect::<Vec<_>>());
                    map.retain(|_, found| *found % 3 != 0);
                }
                _ => {
                    prop_assert_eq!(shelf.get(place), map.get(&(id, copy)));
                    prop_assert_eq!(shelf.get_mut(place).copied(), map.get(&(id, copy)).copied());
                    let copies = shelf.range(Place::new(id, 0), Place::new(id, u16::MAX));
                    prop_assert!(copies.eq(map.range((id, 0)..=(id, u16::MAX)).map(|(_, found)| found)));
                }
            }
            prop_assert!(shelf.iter().eq(map.values()));
            prop_assert_eq!(shelf.len(), map.len());
        }
    }

    #[test]
    fn fills_are_named_by_their_numbers(number: u64) {
        for number in [number, number % 1000, 0, u64::MAX] {
            prop_assert_eq!(fill_id(number).unwrap().to_string(), format!("f{number}"));
        }
    }
}
