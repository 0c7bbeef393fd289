//! The named ways to round.

/// How a result that does not fit its decimals is brought to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; a tie goes to the even neighbour: 0.125 → 0.12, 0.135 → 0.14.
    HalfEven,
    /// Toward zero: 0.129 → 0.12, -0.129 → -0.12.
    Down,
    /// Away from zero: 0.121 → 0.13, -0.121 → -0.13.
    Up,
}
