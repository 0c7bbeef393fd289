//! The bytes under the CSV reader, watched: where they end, and that no row takes all memory.
//!
//! A CSV reader alone cannot tell a file that ends inside of a quote from one that ends with a quoted field: a quote
//! never closed in a column nobody looks at would silently swallow the rows after it. So a last row of ours, [`END`],
//! is appended; when it does not come out as a row of its own, something swallowed it. It also ends a last line that
//! has no line end, so that every row has one, which is what line numbers are computed from.

use std::io::{self, Read};

/// The row appended after the last byte of the file: a zero byte between line ends.
pub(super) const END: &[u8] = b"\n\0\n";

/// A row longer than this is refused.
pub(super) const LONGEST_ROW: u64 = 4 << 20;

/// How many bytes are asked for at once.
pub(super) const CHUNK: usize = 1 << 20;

/// What the first piece has at least, where the file has it: the CSV reader strips a byte order mark of three bytes
/// only where it sees all of it, and takes a piece with nothing else for the end.
const FIRST: usize = 4;

/// A reader that appends [`END`] and refuses endless rows.
#[derive(Debug)]
pub(super) struct Input<R> {
    inner: R,
    /// What is left of [`END`].
    tail: &'static [u8],
    delivered: u64,
    since_row: u64,
    too_long: bool,
}

impl<R> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, tail: END, delivered: 0, since_row: 0, too_long: false }
    }

    /// A row was read: the next one may be as long.
    pub(super) fn row_ended(&mut self) {
        self.since_row = 0;
    }

    /// Whether reading failed because a row was too long.
    pub(super) fn too_long(&self) -> bool {
        self.too_long
    }

    /// Whether everything, [`END`] included, was delivered, and is this many bytes.
    pub(super) fn ends_at(&self, byte: u64) -> bool {
        self.tail.is_empty() && byte == self.delivered
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row > LONGEST_ROW {
            self.too_long = true;
            return Err(io::Error::other("the row is too long"));
        }
        let mut count = 0;
        // The first bytes come in one piece, so that a byte order mark is seen.
        while self.tail.len() == END.len() {
            let Some(free) = buffer.get_mut(count..).filter(|free| !free.is_empty()) else { break };
            match self.inner.read(free) {
                Ok(0) => break,
                Ok(read) => count = count.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if self.delivered > 0 || count >= FIRST {
                break;
            }
        }
        if count == 0 {
            count = self.tail.read(buffer)?;
        }
        let more = u64::try_from(count).unwrap_or(u64::MAX);
        self.delivered = self.delivered.saturating_add(more);
        self.since_row = self.since_row.saturating_add(more);
        Ok(count)
    }
}
