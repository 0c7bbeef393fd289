//! A broker takes a trade back, or corrects its price: a difference like any other, which is never traded away.

use crate::world::{QUARTERS, World, p, shown};
use evenkeel_banchile::{BanChile, Profile};
use evenkeel_domain::alert::AlertKind;
use evenkeel_domain::values::{FillId, PortfolioId};
use evenkeel_engine::Resolve;
use evenkeel_ports::Journal;

/// The first fill of a completed batch is busted or corrected; what the next rebalance says of it.
fn corrected(correct: impl Fn(&BanChile, &PortfolioId, &FillId)) -> (World, String) {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    let fill = world.broker.ledger(&p("growth")).unwrap().orders[0].fills[0].id.clone();
    correct(&world.broker, &p("growth"), &fill);
    world.wave(&[("META", "600")]);
    let sent = world.desk.sent().len();
    let told = shown(&world.rebalance("growth"));
    assert_eq!(world.desk.sent().len(), sent, "nothing is traded away");
    assert_eq!(world.standing("growth"), "quarantined");
    (world, told)
}

#[test]
fn a_busted_trade_quarantines_until_a_person_accepts_it() {
    let (world, told) = corrected(|broker, account, fill| broker.bust(&p(account.as_str()), fill).unwrap());
    assert_eq!(
        told,
        "growth is quarantined: cash: 26562.50 in the books, 21875.00 at the broker, META: 53.125 in the books, 62.5 at the broker"
    );
    let alerts = world.run(world.journal.pending_alerts(10)).unwrap();
    assert_eq!(alerts.iter().map(|alert| alert.kind).collect::<Vec<_>>(), [AlertKind::Quarantined]);
    world.resolve("growth", Resolve::Accept).unwrap();
    world.assert_books_are_true("growth");
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

#[test]
fn a_corrected_price_does_so_too() {
    let (world, told) =
        corrected(|broker, account, fill| broker.correct(&p(account.as_str()), fill, p("499.5")).unwrap());
    assert!(told.starts_with("growth is quarantined: cash: 26562.50 in the books, 26557.81 at the broker"), "{told}");
    world.resolve("growth", Resolve::Accept).unwrap();
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}
