//! Text for people: tables, amounts, counted words. What programs read is in [`crate::records`].

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use evenkeel_domain::report::Trade;
use evenkeel_domain::values::{Currency, Money, Price};
use std::fmt::Display;

/// On which side of its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// For words.
    Left,
    /// For numbers, so that their digits stand below one another.
    Right,
}

/// What was executed of one leg in one direction, and what it cost: the planned price is that of the plan, also on the way back.
pub(crate) fn leg(direction: &str, trade: &Trade) -> String {
    let Trade { leg, symbol, side, quantity, price, amount, planned, slippage, fees } = trade;
    let traded = format!("leg {leg} {direction}: {side} {quantity} {symbol} at {price} for {amount}");
    format!("{traded}, planned at {planned}: slippage {slippage}, fees {fees}")
}

/// A table with a line below its header and nothing else around. It is as wide as it must be; on a terminal the last column
/// fits itself to the window. Numbers are never cut.
pub(crate) fn table<const N: usize>(columns: [(&str, Side); N], rows: Vec<[String; N]>, is_terminal: bool) -> String {
    const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction(' '));
    let mut table = Table::new();
    table.load_style(STYLE).set_header(columns.map(|(name, _)| name));
    if is_terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.force_no_tty().set_content_arrangement(ContentArrangement::Disabled);
    }
    for row in rows {
        table.add_row(row);
    }
    for (place, (column, (_, side))) in table.column_iter_mut().zip(columns).enumerate() {
        column.set_padding((0, 1));
        if place.saturating_add(1) < N {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        column.set_cell_alignment(match side {
            Side::Left => CellAlignment::Left,
            Side::Right => CellAlignment::Right,
        });
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// An amount with separators: `1,234,567.50`. Only for people; no program reads it.
pub(crate) fn money(amount: Money) -> String {
    grouped(&amount.to_string())
}

/// An amount with its currency.
pub(crate) fn money_of(amount: Money, currency: Currency) -> String {
    format!("{} {currency}", money(amount))
}

/// A price with separators, and with cents even where there are none.
pub(crate) fn price(price: Price) -> String {
    let text = price.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let filled = match decimals {
        0 => text + ".00",
        1 => text + "0",
        _ => text,
    };
    grouped(&filled)
}

/// A decimal with separators between groups of three digits before its point.
pub(crate) fn grouped(decimal: &str) -> String {
    let (sign, unsigned) = match decimal.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", decimal),
    };
    let (whole, fraction) = unsigned.find('.').map_or((unsigned, ""), |at| unsigned.split_at(at));
    let mut grouped = String::with_capacity(decimal.len().saturating_mul(2));
    for (left, digit) in (0..whole.len()).rev().zip(whole.chars()) {
        grouped.push(digit);
        if left > 0 && left.is_multiple_of(3) {
            grouped.push(',');
        }
    }
    format!("{sign}{grouped}{fraction}")
}

/// `1 portfolio`, `2 portfolios`; a word with another plural is given with both: `entry|entries`.
pub(crate) fn count(number: usize, word: &str) -> String {
    let number_shown = grouped(&number.to_string());
    match (number, word.split_once('|')) {
        (1, Some((one, _))) => format!("{number_shown} {one}"),
        (_, Some((_, many))) => format!("{number_shown} {many}"),
        (1, None) => format!("{number_shown} {word}"),
        (_, None) => format!("{number_shown} {word}s"),
    }
}

/// Items as in a sentence: `a, b and c`.
pub(crate) fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn digits_are_grouped_before_the_point() {
        for (decimal, shown) in [
            ("0.00", "0.00"),
            ("999.99", "999.99"),
            ("1000.00", "1,000.00"),
            ("-123456.78", "-123,456.78"),
            ("-1234567.891234567", "-1,234,567.891234567"),
            ("1000000", "1,000,000"),
        ] {
            assert_eq!(grouped(decimal), shown);
        }
        assert_eq!(money(Money::MAX), "9,999,999,999,999,999.99");
        for (written, shown) in [("1301", "1,301.00"), ("817.1", "817.10"), ("0.84912", "0.84912")] {
            assert_eq!(price(written.parse().unwrap()), shown);
        }
    }

    #[test]
    fn words_are_counted() {
        assert_eq!(count(1, "portfolio"), "1 portfolio");
        assert_eq!(count(0, "portfolio"), "0 portfolios");
        assert_eq!(count(1_000, "entry|entries"), "1,000 entries");
        assert_eq!(list(["a", "b", "c"]), "a, b and c");
        assert_eq!(list(["a"]), "a");
    }

    #[test]
    fn numbers_stand_on_the_right() {
        let row = |symbol: &str, price: &str| [symbol.to_owned(), price.to_owned()];
        let rows = vec![row("META", "440"), row("BRK.B", "1,402.25")];
        let table = table([("symbol", Side::Left), ("price", Side::Right)], rows, false);
        expect![[r#"
            symbol     price
            ─────── ─────────
            META         440
            BRK.B   1,402.25
        "#]]
        .assert_eq(&table);
    }
}
