//! The names of batches and orders: pure functions of what they name, so a repeated order is recognised as itself.

use crate::values::{PortfolioId, Sequence, StoreId, Timestamp};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Names one batch: UUID v5 over (store id, portfolio id, opening sequence).
///
/// The store id makes a new or lost store never repeat an id; the sequence makes each opening of a portfolio unique. A store that was put
/// back to an earlier state would count the same sequences again: see [`BatchId::after_loss`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchId(Uuid);

impl BatchId {
    /// The id of the batch that `portfolio` opens with the record of this sequence, in this store.
    #[must_use]
    pub fn new(store: StoreId, portfolio: &PortfolioId, opening: Sequence) -> Self {
        let namespace = Uuid::from_u128(store.get());
        // A portfolio id cannot contain a slash, so the name is unambiguous.
        let name = format!("{portfolio}/{opening}");
        Self(Uuid::new_v5(&namespace, name.as_bytes()))
    }

    /// The id in a journal that has lost batches, as an old backup has, from when a person accepted that loss on. Made with that moment, so
    /// that no id of a batch that was lost is ever met again.
    #[must_use]
    pub fn after_loss(store: StoreId, portfolio: &PortfolioId, opening: Sequence, accepted: Timestamp) -> Self {
        let name = format!("{portfolio}/{opening}/{}", accepted.nanos());
        Self(Uuid::new_v5(&Uuid::from_u128(store.get()), name.as_bytes()))
    }

    /// The batch with these 128 bits: for adapters that stored one.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(Uuid::from_u128(bits))
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }
}

impl Ord for BatchId {
    /// As one number, whose order is that of the bytes: carrying out a batch is to a good part looking up its orders.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_u128().cmp(&other.as_u128())
    }
}

impl PartialOrd for BatchId {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BatchId {
    type Err = OrderIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| OrderIdError::new(text, "a batch id is a UUID"))
    }
}

/// The place of a leg in its plan, from 0 to 4095.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "u16", into = "u16"))]
pub struct LegNumber(u16);

impl LegNumber {
    /// The last leg a batch can have: three hexadecimal digits.
    pub const MAX: Self = Self(0xfff);

    /// The leg at this place, or `None` beyond [`LegNumber::MAX`].
    #[must_use]
    pub fn new(place: usize) -> Option<Self> {
        u16::try_from(place).ok().filter(|n| *n <= Self::MAX.0).map(Self)
    }

    /// The place as a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for LegNumber {
    type Error = OrderIdError;
    fn try_from(n: u16) -> Result<Self, Self::Error> {
        Self::new(usize::from(n)).ok_or_else(|| OrderIdError::new(&n.to_string(), "a leg number is at most 4095"))
    }
}

impl From<LegNumber> for u16 {
    fn from(n: LegNumber) -> Self {
        n.0
    }
}

impl fmt::Display for LegNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether an order brings the plan forward or takes an execution back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Direction {
    /// As planned.
    Forward,
    /// Compensating: the opposite side of its leg.
    Reverse,
}

/// The n-th order for one leg and direction, from 1 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "u8", into = "u8"))]
pub struct Attempt(u8);

impl Attempt {
    /// The first attempt.
    pub const FIRST: Self = Self(1);
    /// The last: the id has one digit for it.
    pub const LAST: Self = Self(9);

    /// The attempt of this number, or `None` outside 1 to 9.
    #[must_use]
    pub const fn new(n: u8) -> Option<Self> {
        if n >= 1 && n <= 9 { Some(Self(n)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The attempt after this one, or `None` after the last.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0.saturating_add(1))
    }
}

impl TryFrom<u8> for Attempt {
    type Error = OrderIdError;
    fn try_from(n: u8) -> Result<Self, Self::Error> {
        Self::new(n).ok_or_else(|| OrderIdError::new(&n.to_string(), "an attempt is from 1 to 9"))
    }
}

impl From<Attempt> for u8 {
    fn from(a: Attempt) -> Self {
        a.0
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id an order carries at the broker: `ek1-<batch: 26 base32>-<leg: 3 hex>-<F|R><attempt>`, 37 characters.
///
/// It holds no clock, no worker and no randomness, so a crashed or frozen worker can repeat an order, never invent one.
/// It can be parsed, so an order of ours is recognised even when the journal is lost.
///
/// ```
/// # use evenkeel_domain::order::{Attempt, BatchId, ClientOrderId, Direction, LegNumber};
/// let id = ClientOrderId {
///     batch: BatchId::from_u128(7),
///     leg: LegNumber::new(10).ok_or("a leg")?,
///     direction: Direction::Forward,
///     attempt: Attempt::FIRST,
/// };
/// assert_eq!(id.to_string(), "ek1-00000000000000000000000007-00a-F1");
/// assert_eq!(id.to_string().parse::<ClientOrderId>()?, id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In order of batch, leg, direction and attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct ClientOrderId {
    /// The batch it belongs to.
    pub batch: BatchId,
    /// The leg of that batch.
    pub leg: LegNumber,
    /// Forward, or reverse.
    pub direction: Direction,
    /// Its n-th try.
    pub attempt: Attempt,
}

impl ClientOrderId {
    /// Its place in its batch, as one number.
    #[inline]
    fn place(&self) -> u32 {
        let direction = match self.direction {
            Direction::Forward => 0,
            Direction::Reverse => 1,
        };
        u32::from(self.leg.0) << 16 | direction << 8 | u32::from(self.attempt.0)
    }
}

impl Ord for ClientOrderId {
    /// Orders are nearly always looked up among those of one batch: then one small number decides.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self.batch == other.batch { self.place().cmp(&other.place()) } else { self.batch.cmp(&other.batch) }
    }
}

impl PartialOrd for ClientOrderId {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Crockford's alphabet in lower case: no letters that are mistaken for digits.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 26 characters of 5 bits hold 130 bits; the first carries only 3.
const BATCH_DIGITS: u32 = 26;

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let bits = self.batch.as_u128();
        let mut text = String::with_capacity(37);
        text.push_str("ek1-");
        for place in (0..BATCH_DIGITS).rev() {
            let digit = bits.checked_shr(place.saturating_mul(5)).unwrap_or(0) & 31;
            let letter = usize::try_from(digit).ok().and_then(|d| BASE32.get(d)).copied().unwrap_or(b'0');
            text.push(char::from(letter));
        }
        let direction = match self.direction {
            Direction::Forward => 'F',
            Direction::Reverse => 'R',
        };
        write!(text, "-{:03x}-{direction}{}", self.leg.0, self.attempt.0)?;
        f.pad(&text)
    }
}

impl FromStr for ClientOrderId {
    type Err = OrderIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || OrderIdError::new(text, "an order id of ours reads ek1-<26 base32>-<3 hex>-<F|R><1 to 9>");
        let rest = text.strip_prefix("ek1-").ok_or_else(wrong)?;
        let [batch, leg, tail] = rest.split('-').collect::<Vec<_>>().try_into().map_err(|_| wrong())?;
        if leg.len() != 3 || leg.bytes().any(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong());
        }
        let leg = u16::from_str_radix(leg, 16).map_err(|_| wrong())?;
        let (direction, attempt) = match tail.as_bytes() {
            [b'F', digit] => (Direction::Forward, digit),
            [b'R', digit] => (Direction::Reverse, digit),
            _ => return Err(wrong()),
        };
        Ok(Self {
            batch: BatchId::from_u128(parse_base32(batch).ok_or_else(wrong)?),
            leg: LegNumber(leg),
            direction,
            attempt: Attempt::new(attempt.wrapping_sub(b'0')).ok_or_else(wrong)?,
        })
    }
}

/// The 128 bits of exactly 26 digits; `None` for anything else, including digits that would need more bits.
fn parse_base32(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    text.bytes().try_fold(0_u128, |bits, letter| {
        let digit = BASE32.iter().position(|b| *b == letter)?;
        bits.checked_mul(32)?.checked_add(u128::try_from(digit).ok()?)
    })
}

impl TryFrom<String> for ClientOrderId {
    type Error = OrderIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ClientOrderId> for String {
    fn from(id: ClientOrderId) -> Self {
        id.to_string()
    }
}

/// A text or number that is no id of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reading {text:?}: {rule}")]
pub struct OrderIdError {
    text: String,
    rule: &'static str,
}

impl OrderIdError {
    fn new(text: &str, rule: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), rule }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(bits: u128, leg: u16, reverse: bool, attempt: u8) -> ClientOrderId {
        ClientOrderId {
            batch: BatchId::from_u128(bits),
            leg: LegNumber::new(usize::from(leg)).unwrap(),
            direction: if reverse { Direction::Reverse } else { Direction::Forward },
            attempt: Attempt::new(attempt).unwrap(),
        }
    }

    #[test]
    fn a_batch_id_is_a_function_of_store_portfolio_and_sequence() {
        let growth: PortfolioId = "growth".parse().unwrap();
        let batch = |store, portfolio: &PortfolioId, n| BatchId::new(StoreId::new(store), portfolio, Sequence::new(n));
        assert_eq!(batch(1, &growth, 4).to_string(), "f13d8790-dfd3-535d-85ac-9dfa8cda7ef4");
        assert_eq!(batch(1, &growth, 4), batch(1, &growth, 4));
        assert_ne!(batch(1, &growth, 4), batch(2, &growth, 4));
        assert_ne!(batch(1, &growth, 4), batch(1, &growth, 5));
        assert_ne!(batch(1, &growth, 4), batch(1, &"growth4".parse().unwrap(), 4));
        let after = |at| BatchId::after_loss(StoreId::new(1), &growth, Sequence::new(4), at);
        let (then, later) = (Timestamp::EPOCH, Timestamp::MAX);
        assert_ne!(after(then), batch(1, &growth, 4));
        assert_ne!(after(then), after(later));
    }

    #[test]
    fn other_texts_are_refused() {
        let good = id(u128::MAX, 0xfff, true, 9).to_string();
        assert_eq!(good, "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzz-fff-R9");
        for bad in [
            "",
            "ek1",
            "ek2-7zzzzzzzzzzzzzzzzzzzzzzzzz-fff-R9",
            "ek1-8zzzzzzzzzzzzzzzzzzzzzzzzz-fff-R9", // 129 bits
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzz-fff-R9",
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzl-fff-R9", // l is no digit
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzz-FFF-R9",
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzz-+ff-R9",
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzz-fff-R0",
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzz-fff-X1",
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzz-fff-R10",
            "ek1-7zzzzzzzzzzzzzzzzzzzzzzzzz-fff-R9-",
        ] {
            assert!(bad.parse::<ClientOrderId>().is_err(), "{bad:?} was accepted");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn ids_round_trip_in_37_characters(bits: u128, leg in 0_u16..=0xfff, reverse: bool, attempt in 1_u8..=9) {
            let id = id(bits, leg, reverse, attempt);
            let text = id.to_string();
            prop_assert_eq!(text.len(), 37);
            prop_assert_eq!(text.parse::<ClientOrderId>(), Ok(id));
        }

        #[test]
        fn ids_are_ordered_by_batch_leg_direction_and_attempt(
            one in (0_u128..3, 0_u16..3, any::<bool>(), 1_u8..4),
            other in (0_u128..3, 0_u16..3, any::<bool>(), 1_u8..4),
            high: bool,
        ) {
            // The upper half of a batch's bits decides as the lower one does.
            let bits = |bits| if high { bits << 64 | u128::from(u64::MAX) } else { bits };
            let id = |(batch, leg, reverse, attempt)| id(bits(batch), leg, reverse, attempt);
            prop_assert_eq!(id(one).cmp(&id(other)), one.cmp(&other));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = text.parse::<ClientOrderId>().is_ok();
        }
    }
}
