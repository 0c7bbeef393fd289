//! The suite of the broker: what [`evenkeel_ports::Broker`] promises, case by case.
//!
//! A team that writes an adapter brings a [`BrokerRig`]: the adapter, an account that is fresh and empty, and as much as it can of the
//! world around it. All that a rig may lack has a body that says so, and every case that needs it is then *not shown*, also where it needs it for
//! a part only: that goes on without, and can still fail.
//!
//! ```text
//! evenkeel_conformance::broker_suite!(MyRig::new());
//! evenkeel_conformance::broker_suite!(MyRig::new(), not_shown: [C14, C40], skipped: [C42]);
//! ```
//!
//! [`CASES`] says what each case promises, and by which number of the contract. What it does to see whether that is so stands below, at
//! the function of its name. The cases are told apart by what they are about: `trades` (what an order costs and brings), `identity` (one order per id), `sending`
//! (requests and answers that are lost, late or turned away), `refusals`, `cancels`, `questions` (lookups, fills, pages) and `hours`
//! (the market's and the settlement's).
//!
//! # What may skip a case
//!
//! | declared | skips |
//! |---|---|
//! | `duplicates: Correlated` | C04 to C07, which are about ids that the broker itself enforces |
//! | a minimum order of nothing | C20 |
//! | lots of the finest size, for the rig's symbols | C21 |
//! | no settled cash in the account's view | C42 |
//!
//! # Numbers that are missing
//!
//! C02 (orders by amount), C22 (kinds of orders) and C49 (many orders in one request) cannot be said in this port. C11, C12, C17 and C47
//! need a broker that is spoken to by HTTP: `examples/toy-broker/tests/certify/http.rs` has them for one. C36 and C50 a stream or a second portfolio, C39 and C41 an engine or a
//! calendar, C44 and C45 events of companies and of the exchange: they come with the adapters that have them.
//! C51 is about what follows from contract 2: an acknowledgement is not yet the last word. C52 is about what follows from contract 9:
//! an average price of an order is not the price of any of its fills. C53 is the unknown account of contract 2 and 4, C54 is C12 for any wire.
//! C55 to C59 are about what follows from contract 2 and 4 to 7: an order that expired has ended, a refusal whose reason nobody knows is a
//! refusal, a lookup of which a part failed has not found that there is nothing, C13 and C15 are as true of cancels, and a cancel that
//! was taken is not an end. C60 is what the port says of cancellation, C61 of lists that are read on, C62 of an account's view, and C63 of
//! fills without an order. C37, which elsewhere is a process that is started again, is an adapter that knows nothing of the one before.
//! C31 and C35, which elsewhere are about streams, are here about `order` and `fills_since`.

#![expect(clippy::wildcard_enum_match_arm, reason = "every answer but those that a case names breaks its promise")]

mod cancels;
mod desk;
mod hours;
mod identity;
mod questions;
mod refusals;
mod rig;
mod sending;
mod trades;

use crate::suite::suite;

pub use cancels::*;
pub use hours::*;
pub use identity::*;
pub use questions::*;
pub use refusals::*;
pub use rig::{BrokerRig, Fault, OrderTruth, Truth, declared};
pub use sending::*;
pub use trades::*;

suite! { ($) broker_suite in broker, "broker", dyn BrokerRig, 50;
    C01 "5, 8" c01_a_buy_costs_what_its_fills_say "a buy is filled, brings exactly its units and takes exactly price × quantity and fees, within the declared costs",
    C03 "5, 8" c03_a_part_then_all_is_sold "after a part and then all of a holding is sold, nothing of it is left; what it brings is within the declared costs",
    C04 "3" c04_same_id_same_terms_twice_makes_one_order "the same order sent twice is one order",
    C05 "3" c05_same_id_other_terms_is_refused "an id sent again with other terms is refused, and its order is untouched",
    C06 "3" c06_an_id_stays_taken_when_its_order_ended "an id stays taken after its order has ended",
    C07 "3" c07_same_id_at_once_makes_one_order "the same order sent by two at once is one order, a hundred times",
    C08 "3, 8" c08_ids_arrive_whole "ids that differ in their last character, and the lowest and the highest, are all different orders",
    C09 "1, 2" c09_a_lost_answer_is_unknown "when only the answer is lost, the outcome is unknown, and the order is found",
    C10 "1, 2, 4" c10_a_lost_request_is_unknown_then_absent "when the request is lost, the outcome is unknown; it is absent only after the visibility horizon since its last send; nobody waits longer than the quiescence",
    C13 "2" c13_unreachable_is_not_sent "when nothing could be sent, the answer says so, and the id is still free",
    C14 "1, 2, 3" c14_a_late_request_makes_one_order "a request that arrives after its caller gave up makes one order, within the quiescence, sent again or not",
    C15 "1, 2" c15_a_rate_limit_is_not_sent "a rate limit is told with its end, and the same id is taken after it",
    C16 "1, 3" c16_under_load_none_is_lost_or_doubled "of many orders sent at once none is lost and none is made twice",
    C18 "2" c18_more_than_the_cash_is_refused "a buy beyond the cash is refused for buying power, and one that fits with the declared collar and costs is taken",
    C19 "2" c19_more_than_is_held_is_refused "a sell beyond the holding is refused for its quantity, and nothing is sold short",
    C20 "2, 8" c20_the_minimum_spares_exits "a buy below the minimum fails the check and is refused, and one of just the minimum is taken; leaving a holding completely is exempt",
    C21 "2, 8" c21_no_lot_is_made_up "a quantity that is no multiple of the lot fails the check and is refused, never rounded; leaving a holding completely is exempt, and no other sale",
    C23 "2, 5" c23_opposite_orders_never_meet "an order against an open one is refused, or both are executed by the market alone",
    C24 "2" c24_what_is_not_tradable_is_refused "an order for an unknown or a halted symbol is refused as not tradable",
    C25 "8" c25_quantities_survive_to_the_last_digit "a quantity of as many digits as the lot allows, up to seventeen, is ordered, executed, held and sold to the last of them, within the declared costs",
    C26 "5" c26_partial_fills_sum_exactly "an order executed in parts reports each part once, and they sum exactly",
    C27 "5, 6" c27_a_canceled_order_keeps_its_part "an order that was executed in part is open, and what was executed before its cancel stays executed, also for who cancels it again",
    C28 "6" c28_a_working_order_can_be_canceled "a cancel is taken, its order and no other ends as canceled, and a second cancel says that it has ended",
    C29 "5, 6" c29_a_filled_order_cannot_be_canceled "a cancel after the fill says that the order was filled, and it never reads canceled",
    C30 "5, 6" c30_cancels_race_fills "two hundred orders whose cancel races their fill end in one way each, and no fill is lost",
    C31 "5, 6" c31_a_fill_after_the_cancel_is_told "a fill after the order was canceled is told by its view and among the fills",
    C32 "6" c32_a_lost_cancel_answer_is_unknown "when the answer to a cancel is lost, its outcome is unknown, and the order tells; nobody waits longer than the quiescence",
    C33 "6" c33_canceling_nothing_says_so "a cancel of an id that never existed finds no such order",
    C34 "2, 4, 6" c34_absent_is_a_proof "an id that never existed is absent; a question that was not answered is an error, never absent and never empty, and no reason to refuse or to deny",
    C35 "5" c35_a_fill_has_one_id "a fill is the same, with the same id, however often and wherever it is read",
    C37 "3, 4, 5, 6, 7" c37_a_successor_finds_everything "an adapter that begins where another ended denies nothing that was just sent, and finds, lists, knows and cancels what it has not sent itself",
    C38 "7" c38_pages_are_complete_or_say_not "of more orders and fills than fit on a page none is silently left out",
    C40 "2, 5" c40_nothing_is_filled_at_night "the end of a session and its beginning are told as they are; while the market is closed nothing is executed, and orders are refused with its opening or wait for it, what was executed in part keeps its part",
    C42 "5" c42_proceeds_settle_in_time "what a sale brings is cash at once and settled cash on its day, not before; an open order takes nothing from either",
    C43 "2, 6" c43_open_orders_reserve "cash and units that an open order may take cannot be promised twice, read as not free, and are free again when it ends",
    C46 "5" c46_an_unknown_status_is_not_an_end "a status that the adapter does not know leaves the order open, and is not guessed",
    C48 "5" c48_reads_follow_within_the_horizon "positions, account and truth agree once the visibility horizon has passed",
    C51 "2, 5" c51_a_rejected_order_has_ended "an order that is rejected after its acknowledgement says so, and what it might have taken is free again",
    C52 "5, 8, 9" c52_each_fill_has_its_own_price "when the price moves between the parts of an order, each fill is told at its own, and cash moves by them; a cursor in between takes up where it was",
    C53 "2, 4" c53_an_unknown_account_is_told "every question about an account that does not exist says so, and an order for it is refused",
    C54 "1, 2" c54_an_answer_that_nobody_knows_is_unknown "when an order is taken and the answer cannot be understood, its outcome is unknown, and the order is found",
    C55 "2, 5, 6" c55_an_expired_order_has_ended "an order whose time is over reads expired, with what it executed; the rest is free again",
    C56 "2" c56_a_refusal_that_nobody_knows_is_one "a refusal for a reason that the adapter does not know is a refusal, in the broker's words",
    C57 "4, 5" c57_half_an_answer_denies_nothing "where a lookup asks more than one question and one goes unanswered, it is an error or what is known, and no order is denied",
    C58 "6" c58_a_cancel_that_was_not_sent_changes_nothing "a cancel that could not be sent, or that a limit turned away, says so, and its order works on; sent again it is taken",
    C59 "6, 7" c59_what_is_being_canceled_is_open "an order whose cancel is being worked on is open, and listed, until it has ended; buys and sells alike",
    C60 "1, 4" c60_a_dropped_call_is_a_lost_answer "a submission or a cancel that is dropped is as one whose answer was lost: nothing is denied at once, and in the end the truth is told",
    C61 "5, 7" c61_a_cursor_misses_nothing "who reads fills on and on from a cursor is told each of them in the end, those that show late too",
    C62 "2" c62_a_blocked_account_says_so "an account that the broker takes no orders for reads blocked, and refuses them",
    C63 "5, 7" c63_what_others_trade_is_told_as_theirs "what others trade in the account moves its units and cash, is never among the open orders, and its fills bear no id of ours",
}
