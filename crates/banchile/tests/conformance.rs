//! The simulated broker certifies itself: as each kind of broker that it can be, by the suite that any adapter is certified with.

#[cfg(test)]
mod rig;

use evenkeel_banchile::{Latency, Profile, Sessions};
use evenkeel_domain::order::Duplicates;
use evenkeel_domain::values::{Lot, Quantity};
use expect_test::expect;
use rig::SimulatedRig;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The simulated broker is its own adapter.
fn itself(profile: Profile) -> SimulatedRig {
    SimulatedRig::new(profile, |simulated| Arc::new(simulated))
}

/// One symbol in whole shares, the other in lots of a hundred; orders of five hundred at least, none against an open one, and reads that lag.
#[cfg(test)]
fn lots() -> Profile {
    let lot = |units: &str| Lot::new(units.parse::<Quantity>().unwrap()).unwrap();
    Profile {
        name: "BanChile (lots)".to_owned(),
        lot: lot("0.5"),
        lots: [("META".parse().unwrap(), lot("1")), ("AAPL".parse().unwrap(), lot("100"))].into(),
        minimum_order: "500.00".parse().unwrap(),
        refuse_opposite: true,
        visibility_lag: Latency::exactly(Duration::from_millis(1_500)),
        ..Profile::calm()
    }
}

mod ideal {
    use super::*;

    evenkeel_conformance::broker_suite!(
        itself(Profile::ideal()),
        not_shown: [C14],
        skipped: [C20, C21, C42]
    );
}

mod calm {
    use super::*;

    evenkeel_conformance::broker_suite!(itself(Profile::calm()), skipped: [C21]);

    #[test]
    fn the_report_can_be_read() {
        let report = evenkeel_conformance::broker::report(|| Box::new(itself(Profile::calm())));
        expect![[r#"
            broker suite 0.0.0 for BanChile (calm)
              declares name: BanChile (calm)
              declares duplicates: Refused
              declares costs: 11 bps, 0.37 per order, 0.00 at least
              declares collar: 250 bps
              declares fills rounded: true
              declares minimum order: 1.00
              declares lot: 0.000000001
              declares quiescence: 70000 ms
              declares visibility horizon: 2000 ms
              passed     C01  a buy is filled, brings exactly its units and takes exactly price × quantity and fees, within the declared costs (contract 5, 8)
              passed     C03  after a part and then all of a holding is sold, nothing of it is left; what it brings is within the declared costs (contract 5, 8)
              passed     C04  the same order sent twice is one order (contract 3)
              passed     C05  an id sent again with other terms is refused, and its order is untouched (contract 3)
              passed     C06  an id stays taken after its order has ended (contract 3)
              passed     C07  the same order sent by two at once is one order, a hundred times (contract 3)
              passed     C08  ids that differ in their last character, and the lowest and the highest, are all different orders (contract 3, 8)
              passed     C09  when only the answer is lost, the outcome is unknown, and the order is found (contract 1, 2)
              passed     C10  when the request is lost, the outcome is unknown; it is absent only after the visibility horizon since its last send; nobody waits longer than the quiescence (contract 1, 2, 4)
              passed     C13  when nothing could be sent, the answer says so, and the id is still free (contract 2)
              passed     C14  a request that arrives after its caller gave up makes one order, within the quiescence, sent again or not (contract 1, 2, 3)
              passed     C15  a rate limit is told with its end, and the same id is taken after it (contract 1, 2)
              passed     C16  of many orders sent at once none is lost and none is made twice (contract 1, 3)
              passed     C18  a buy beyond the cash is refused for buying power, and one that fits with the declared collar and costs is taken (contract 2)
              passed     C19  a sell beyond the holding is refused for its quantity, and nothing is sold short (contract 2)
              passed     C20  a buy below the minimum fails the check and is refused, and one of just the minimum is taken; leaving a holding completely is exempt (contract 2, 8)
              skipped    C21  a quantity that is no multiple of the lot fails the check and is refused, never rounded; leaving a holding completely is exempt, and no other sale (contract 2, 8)
                         lots of META and AAPL: 0.000000001: every quantity is a multiple
              passed     C23  an order against an open one is refused, or both are executed by the market alone (contract 2, 5)
              passed     C24  an order for an unknown or a halted symbol is refused as not tradable (contract 2)
              passed     C25  a quantity of as many digits as the lot allows, up to seventeen, is ordered, executed, held and sold to the last of them, within the declared costs (contract 8)
              passed     C26  an order executed in parts reports each part once, and they sum exactly (contract 5)
              passed     C27  an order that was executed in part is open, and what was executed before its cancel stays executed, also for who cancels it again (contract 5, 6)
              passed     C28  a cancel is taken, its order and no other ends as canceled, and a second cancel says that it has ended (contract 6)
              passed     C29  a cancel after the fill says that the order was filled, and it never reads canceled (contract 5, 6)
              passed     C30  two hundred orders whose cancel races their fill end in one way each, and no fill is lost (contract 5, 6)
              passed     C31  a fill after the order was canceled is told by its view and among the fills (contract 5, 6)
              passed     C32  when the answer to a cancel is lost, its outcome is unknown, and the order tells; nobody waits longer than the quiescence (contract 6)
              passed     C33  a cancel of an id that never existed finds no such order (contract 6)
              passed     C34  an id that never existed is absent; a question that was not answered is an error, never absent and never empty, and no reason to refuse or to deny (contract 2, 4, 6)
              passed     C35  a fill is the same, with the same id, however often and wherever it is read (contract 5)
              passed     C37  an adapter that begins where another ended denies nothing that was just sent, and finds, lists, knows and cancels what it has not sent itself (contract 3, 4, 5, 6, 7)
              passed     C38  of more orders and fills than fit on a page none is silently left out (contract 7)
              passed     C40  the end of a session and its beginning are told as they are; while the market is closed nothing is executed, and orders are refused with its opening or wait for it, what was executed in part keeps its part (contract 2, 5)
              passed     C42  what a sale brings is cash at once and settled cash on its day, not before; an open order takes nothing from either (contract 5)
              passed     C43  cash and units that an open order may take cannot be promised twice, read as not free, and are free again when it ends (contract 2, 6)
              passed     C46  a status that the adapter does not know leaves the order open, and is not guessed (contract 5)
              passed     C48  positions, account and truth agree once the visibility horizon has passed (contract 5)
              passed     C51  an order that is rejected after its acknowledgement says so, and what it might have taken is free again (contract 2, 5)
              passed     C52  when the price moves between the parts of an order, each fill is told at its own, and cash moves by them; a cursor in between takes up where it was (contract 5, 8, 9)
              passed     C53  every question about an account that does not exist says so, and an order for it is refused (contract 2, 4)
              passed     C54  when an order is taken and the answer cannot be understood, its outcome is unknown, and the order is found (contract 1, 2)
              passed     C55  an order whose time is over reads expired, with what it executed; the rest is free again (contract 2, 5, 6)
              passed     C56  a refusal for a reason that the adapter does not know is a refusal, in the broker's words (contract 2)
              passed     C57  where a lookup asks more than one question and one goes unanswered, it is an error or what is known, and no order is denied (contract 4, 5)
              passed     C58  a cancel that could not be sent, or that a limit turned away, says so, and its order works on; sent again it is taken (contract 6)
              passed     C59  an order whose cancel is being worked on is open, and listed, until it has ended; buys and sells alike (contract 6, 7)
              passed     C60  a submission or a cancel that is dropped is as one whose answer was lost: nothing is denied at once, and in the end the truth is told (contract 1, 4)
              passed     C61  who reads fills on and on from a cursor is told each of them in the end, those that show late too (contract 5, 7)
              passed     C62  an account that the broker takes no orders for reads blocked, and refuses them (contract 2)
              passed     C63  what others trade in the account moves its units and cash, is never among the open orders, and its fills bear no id of ours (contract 5, 7)
            49 passed, 0 failed, 1 skipped, 0 not shown
        "#]].assert_eq(&report.to_string());
    }
}

mod whole_lots {
    use super::*;

    evenkeel_conformance::broker_suite!(itself(lots()));
}

mod with_sessions {
    use super::*;

    fn with_sessions() -> Profile {
        // From nine to six.
        let (opens, closes) = (Duration::from_secs(32_400), Duration::from_secs(64_800));
        let sessions = Sessions { opens, closes, early: BTreeMap::new() };
        Profile { name: "BanChile (sessions)".to_owned(), sessions: Some(sessions), ..Profile::calm() }
    }

    evenkeel_conformance::broker_suite!(itself(with_sessions()), skipped: [C21]);
}

mod correlated {
    use super::*;

    fn correlated() -> Profile {
        Profile { name: "BanChile (correlated)".to_owned(), duplicates: Duplicates::Correlated, ..Profile::calm() }
    }

    evenkeel_conformance::broker_suite!(
        itself(correlated()),
        skipped: [C04, C05, C06, C07, C21]
    );
}
