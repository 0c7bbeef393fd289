//! Which symbols a fake market has, what they cost first, and how much they move.
//!
//! The table is of well-known NASDAQ stocks with first prices as they roughly were at the start of 2024. Beyond it
//! symbols are made up: four letters each, in an order that does not depend on the seed; what they cost and how much
//! they move does.

use evenkeel_domain::values::{Price, Symbol};

use super::draws::{Concern, Draws};

/// A symbol of a fake market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Its name.
    pub symbol: Symbol,
    /// Its price in the first wave.
    pub first: Price,
    /// How much it moves.
    pub volatility: Volatility,
}

/// How much a symbol moves: the standard deviation of its daily return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// About 1.2 %: food, utilities.
    Calm,
    /// About 1.7 %: large and established.
    Steady,
    /// About 2.5 %: most of technology.
    Lively,
    /// About 3.8 %: young, or in fashion.
    Wild,
}

use Volatility::{Calm, Lively, Steady, Wild};

/// Symbol, first price in cents, volatility.
#[rustfmt::skip]
const KNOWN: [(&str, u32, Volatility); 100] = [
    ("AAPL", 18_564, Steady), ("MSFT", 37_087, Steady), ("GOOGL", 13_817, Steady), ("AMZN", 14_993, Lively),
    ("NVDA", 48_168, Lively), ("META", 34_629, Lively), ("TSLA", 24_842, Wild), ("AVGO", 108_597, Lively),
    ("COST", 64_990, Calm), ("PEP", 17_083, Calm), ("ADBE", 58_007, Lively), ("CSCO", 5_039, Steady),
    ("NFLX", 46_850, Lively), ("AMD", 13_858, Wild), ("CMCSA", 4_405, Steady), ("INTC", 4_780, Lively),
    ("TMUS", 16_209, Calm), ("TXN", 16_847, Steady), ("QCOM", 14_024, Lively), ("INTU", 60_181, Lively),
    ("AMGN", 29_537, Steady), ("HON", 20_641, Calm), ("AMAT", 15_553, Lively), ("ISRG", 33_260, Steady),
    ("SBUX", 9_455, Steady), ("BKNG", 349_850, Steady), ("MDLZ", 7_308, Calm), ("GILD", 8_221, Steady),
    ("ADP", 23_336, Calm), ("VRTX", 41_165, Steady), ("LRCX", 75_158, Lively), ("ADI", 19_187, Lively),
    ("REGN", 89_506, Steady), ("PANW", 28_655, Lively), ("MU", 8_270, Lively), ("SNPS", 49_656, Lively),
    ("CDNS", 26_236, Lively), ("KLAC", 55_860, Lively), ("MELI", 155_780, Lively), ("CSX", 3_471, Steady),
    ("PYPL", 6_148, Lively), ("MAR", 22_308, Steady), ("ORLY", 95_120, Calm), ("MNST", 5_799, Calm),
    ("ASML", 71_720, Lively), ("CTAS", 59_240, Calm), ("NXPI", 22_125, Lively), ("MRVL", 5_805, Wild),
    ("WDAY", 26_950, Lively), ("FTNT", 5_766, Lively), ("ROP", 53_930, Calm), ("ADSK", 23_690, Lively),
    ("DXCM", 12_310, Lively), ("PCAR", 9_730, Steady), ("KDP", 3_370, Calm), ("MCHP", 8_725, Lively),
    ("ROST", 13_725, Steady), ("PAYX", 11_940, Calm), ("AEP", 8_265, Calm), ("IDXX", 54_420, Steady),
    ("LULU", 50_170, Lively), ("ODFL", 39_690, Steady), ("KHC", 3_740, Calm), ("FAST", 6_360, Steady),
    ("EXC", 3_660, Calm), ("CPRT", 4_810, Steady), ("GEHC", 7_700, Steady), ("CSGP", 8_590, Lively),
    ("CTSH", 7_480, Steady), ("EA", 13_760, Steady), ("VRSK", 23_520, Calm), ("BKR", 3_440, Lively),
    ("CRWD", 24_640, Wild), ("XEL", 6_290, Calm), ("BIIB", 26_330, Lively), ("ON", 8_030, Wild),
    ("TTD", 6_980, Wild), ("DDOG", 11_680, Wild), ("TEAM", 22_900, Wild), ("ANSS", 35_730, Steady),
    ("CDW", 22_300, Steady), ("ZS", 21_430, Wild), ("FANG", 15_740, Lively), ("MDB", 39_250, Wild),
    ("ILMN", 13_870, Wild), ("WBD", 1_148, Wild), ("DLTR", 14_150, Lively), ("EBAY", 4_330, Steady),
    ("ALGN", 26_820, Lively), ("ENPH", 13_030, Wild), ("ZM", 6_960, Lively), ("DOCU", 5_830, Lively),
    ("OKTA", 8_760, Wild), ("ROKU", 8_790, Wild), ("RIVN", 2_170, Wild), ("LCID", 415, Wild),
    ("COIN", 15_640, Wild), ("MSTR", 68_515, Wild), ("SIRI", 549, Lively), ("JBLU", 557, Wild),
];

/// How many combinations of four letters there are.
const COMBINATIONS: u32 = 26 * 26 * 26 * 26;

/// The first so many symbols: a longer list begins with every shorter one.
pub(super) fn list(seed: u64, symbols: usize) -> Vec<Listing> {
    let made_up = (0..COMBINATIONS).filter_map(combination).filter(|symbol| !is_known(symbol));
    let made_up = made_up.filter_map(|symbol| make_up(seed, symbol));
    known().chain(made_up).take(symbols).collect()
}

/// The table; a test makes sure that none of its lines is left out as invalid.
fn known() -> impl Iterator<Item = Listing> {
    KNOWN.iter().filter_map(|(symbol, cents, volatility)| {
        Some(Listing { symbol: symbol.parse().ok()?, first: price(*cents)?, volatility: *volatility })
    })
}

fn is_known(symbol: &Symbol) -> bool {
    KNOWN.iter().any(|(known, _, _)| *known == symbol.as_str())
}

fn price(cents: u32) -> Option<Price> {
    Price::from_nanos(u64::from(cents).checked_mul(10_000_000)?).ok()
}

/// The combination with that number; every number below [`COMBINATIONS`] has another one. Not for `CASH`.
fn combination(number: u32) -> Option<Symbol> {
    // The factor has no divisor in common with 26, so this only changes the order: neighbours do not look alike.
    let shuffled = u64::from(number).checked_mul(123_457)?.checked_add(7_919)?;
    let mut rest = u32::try_from(shuffled.checked_rem(u64::from(COMBINATIONS))?).ok()?;
    let mut text = String::new();
    for _ in 0..4 {
        text.push(char::from(b'A'.checked_add(u8::try_from(rest.checked_rem(26)?).ok()?)?));
        rest = rest.checked_div(26)?;
    }
    text.parse().ok()
}

/// Mostly of middling price and movement.
fn make_up(seed: u64, symbol: Symbol) -> Option<Listing> {
    let mut draws = Draws::of(seed, Concern::Listing, symbol.as_str(), 0);
    let mut below = |limit: u32| draws.next().checked_rem(limit);
    // The smaller of two draws: few are expensive. From 3.00 to 402.99.
    let cents = below(40_000)?.min(below(40_000)?).checked_add(300)?;
    let volatility = match below(10)? {
        0..=1 => Calm,
        2..=4 => Steady,
        5..=7 => Lively,
        _ => Wild,
    };
    Some(Listing { symbol, first: price(cents)?, volatility })
}
