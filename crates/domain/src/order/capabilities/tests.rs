//! What a trade may cost at most, and which lot a symbol has.

use super::Costs;
use crate::testing::{ideal, read};
use crate::values::{Money, Value};

#[test]
fn a_trade_costs_its_share_and_its_fixed_part_and_at_least_the_minimum() {
    let cases = [
        // basis points, per order, minimum, amount traded, cost
        (0, "0.00", "0.00", "1000000", "0.00"),
        (10, "0.00", "0.00", "2000", "2.00"),
        (10, "0.35", "0.00", "2000", "2.35"),
        (10, "0.35", "2.35", "2000", "2.35"),
        (10, "0.35", "2.36", "2000", "2.36"),
        (10, "0.35", "1.00", "0", "1.00"),
        (0, "0.35", "0.00", "0", "0.35"),
        (0, "0.00", "0.01", "0", "0.01"),
        // Rounded up, however little is over; the fixed part is added to that.
        (1, "0.00", "0.00", "100", "0.01"),
        (1, "0.00", "0.00", "100.000000000000000001", "0.02"),
        (1, "0.00", "0.00", "0.000000000000000001", "0.01"),
        (1, "0.35", "0.36", "0.000000000000000001", "0.36"),
        // What is sold costs the same.
        (10, "0.35", "0.00", "-2000", "2.35"),
        (10_000, "0.00", "0.00", "12.34", "12.34"),
    ];
    for (bps, per_order, minimum, amount, cost) in cases {
        let costs = Costs { bps, per_order: read(per_order), minimum: read(minimum) };
        assert_eq!(costs.of(read(amount)), Ok(read(cost)), "{costs:?} of {amount}");
        assert_eq!(costs.is_free(), costs == Costs::FREE);
    }
}

#[test]
fn costs_beyond_money_have_no_amount() {
    let all = Costs { bps: u32::MAX, per_order: Money::MAX, minimum: Money::MAX };
    for amount in [Value::MAX, Value::MIN, Money::MAX.to_value(), Money::CENT.to_value()] {
        assert!(all.of(amount).is_err(), "{amount}");
        assert_eq!(Costs::FREE.of(amount), Ok(Money::ZERO));
    }
    assert_eq!(all.of(Value::ZERO), Ok(Money::MAX));
}

#[test]
fn a_symbol_may_have_a_lot_of_its_own() {
    let mut broker = ideal();
    broker.lot = read("0.1");
    broker.lots.insert(read("META"), read("5"));
    assert_eq!(broker.lot_of(read("META")), read("5"));
    assert_eq!(broker.lot_of(read("AAPL")), read("0.1"));
}
