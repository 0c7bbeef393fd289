//! The simple case: drift, one batch, the targets again.

use crate::world::{World, p};
use evenkeel_banchile::Profile;
use evenkeel_domain::record::Outcome;

#[test]
fn simple_rebalance_keeps_the_distribution() {
    let world = World::new(Profile::ideal());
    world.add_thirds("growth");
    assert!(world.wave(&[("META", "400"), ("AAPL", "165.00"), ("MSFT", "333.40")]).is_empty());

    assert_eq!(world.wave(&[("META", "440")]), [p("growth")]);
    let report = world.batch("growth");

    assert_eq!(report.outcome, Outcome::Completed);
    assert_eq!(report.drift.to_string(), "6.4520");
    let trades: Vec<String> = report.trades.iter().map(|t| format!("{} {} {}", t.side, t.amount, t.symbol)).collect();
    assert_eq!(trades, ["sell 2222.11 META", "buy 1110.89 AAPL", "buy 1111.22 MSFT"]);
    world.assert_books_are_true("growth");
    assert!(world.wave(&[("META", "440")]).is_empty(), "inside its band again");
}
