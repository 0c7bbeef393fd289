//! The error that all arithmetic shares. Errors of reading text are in [`super::text`].

/// The exact result of an operation is beyond what its type can hold.
///
/// Nothing was changed or cut: the operation simply has no result.
///
/// ```
/// use evenkeel_domain::values::Money;
///
/// let error = Money::MAX.add(Money::CENT).unwrap_err();
/// assert_eq!(error.doing, "adding 0.01 to 9999999999999999.99");
/// assert_eq!(
///     error.to_string(),
///     "adding 0.01 to 9999999999999999.99 leaves the range of an amount of money, \
///      whose maximum is ±9999999999999999.99",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing} leaves the range of {what}, whose maximum is {maximum}")]
pub struct Overflow {
    /// What was being done, with its operands: `adding 0.01 to 9999999999999999.99`.
    pub doing: String,
    /// The type that cannot hold the result, as in a sentence: `an amount of money`.
    pub what: &'static str,
    /// The largest value of that type; with `±` where it is the limit below zero, too.
    pub maximum: &'static str,
}
