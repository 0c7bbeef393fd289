//! The one error of arithmetic: the exact result exists, but its type cannot hold it.

/// The exact result of an operation is beyond what its type can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing} leaves the range of {what}, whose maximum is {maximum}")]
pub struct Overflow {
    /// What was being done, with its operands: `adding 0.01 to 9999999999999999.99`.
    pub doing: String,
    /// The type that could not hold the result, as in a sentence: `an amount of money`.
    pub what: &'static str,
    /// The largest value of that type; with `±` where it is also the limit below zero.
    pub maximum: &'static str,
}
