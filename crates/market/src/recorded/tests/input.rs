//! Readers that give little at once, fail, or never end a row.

use std::io::{self, Read};

use super::*;

/// Gives so many bytes at once, and is interrupted each time before.
struct Trickle<'b> {
    bytes: &'b [u8],
    at_once: usize,
    interrupt: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = self.at_once.min(buffer.len());
        self.bytes.read(&mut buffer[..most])
    }
}

/// Gives its bytes, then fails.
struct Failing<'b>(&'b [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the other side is gone")),
            other => other,
        }
    }
}

fn check_fault(reader: impl Fn() -> Box<dyn Read>, expected: &str) {
    let report = check(reader(), "prices.csv", Options::default());
    let (waves, fault) = waves(reader(), Options::default());
    assert_eq!(report.faults.iter().map(Fault::to_string).collect::<Vec<_>>(), [expected]);
    assert_eq!(fault.as_ref(), report.faults.first());
    assert!(waves.len() <= 1, "{waves:?}");
}

#[test]
fn any_number_of_bytes_at_once() {
    let csv = b"\xEF\xBB\xBFdate,symbol,close\r\n\r\n2000-01-03,A,1\r\n2000-01-03,B,\"2\"\n2000-01-04,A,x";
    let whole = check(&csv[..], "prices.csv", Options::default());
    assert_eq!(whole.faults[0].line, Some(5));
    for at_once in 1..=csv.len() {
        let reader = || Trickle { bytes: csv, at_once, interrupt: false };
        assert_eq!(check(reader(), "prices.csv", Options::default()), whole);
        assert_eq!(waves(reader(), Options::default()), waves(&csv[..], Options::default()));
    }
}

#[test]
fn failing_readers() {
    let gone = "the file cannot be read: the other side is gone; give a file that can be read";
    check_fault(|| Box::new(Failing(b"")), &format!("prices.csv:1: {gone}"));
    check_fault(|| Box::new(Failing(b"date,sym")), &format!("prices.csv:1: {gone}"));
    check_fault(
        || Box::new(Failing(b"date,symbol,close\n2000-01-03,A,1\n2000-01-04,A,1\n2000-01")),
        &format!("prices.csv:4: {gone}"),
    );
}

#[test]
#[cfg(unix)]
fn a_directory_is_no_file() {
    let directory = env!("CARGO_MANIFEST_DIR");
    let report = check(std::fs::File::open(directory).unwrap(), "prices", Options::default());
    let [Fault { problem: Problem::Unreadable { kind, .. }, .. }] = report.faults.as_slice() else {
        panic!("{:?}", report.faults)
    };
    assert_eq!(*kind, io::ErrorKind::IsADirectory);
}

#[test]
fn an_endless_row_is_refused_and_a_long_one_is_not() {
    let start = "date,symbol,close,note\n2000-01-03,A,1,\"";
    let endless = || Box::new(start.as_bytes().chain(io::repeat(b'x'))) as Box<dyn Read>;
    check_fault(endless, "prices.csv:2: the row is longer than 4194304 bytes; end the row, or close its quote");

    let long = format!("{start}{}\"\n", "x".repeat(3 << 20));
    let (report, waves) = check_both(long.as_bytes(), Options::default());
    assert_eq!((report.faults, waves.len()), (vec![], 1));
}
