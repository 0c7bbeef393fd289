//! Fake prices as CSV, in the form that [`crate::recorded`] reads.

use std::io::{self, BufWriter, Write};

use super::{FakeMarket, Pace};

/// Writes every wave that is left of a market: a header, then a row for each symbol and wave, in symbol order.
///
/// The header is `date,symbol,close` for [`Pace::Days`] and `time,symbol,close` for [`Pace::Ticks`]; lines end in LF. A
/// market that is not limited goes on for more than two centuries.
///
/// # Errors
/// What `out` answers, also that its reader has closed it; what was written before stays written.
pub fn write_csv(out: impl Write, market: FakeMarket) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let time = match market.pace {
        Pace::Days => "date",
        Pace::Ticks { .. } => "time",
    };
    writeln!(out, "{time},symbol,close")?;
    for wave in market {
        for (symbol, price) in &wave.prices {
            writeln!(out, "{},{symbol},{price}", wave.label)?;
        }
    }
    out.flush()
}
