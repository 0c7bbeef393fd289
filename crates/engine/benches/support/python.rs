//! The way of the system that Evenkeel replaces, in its own language: [`original.py`](../original.py), in a process of its own.

use crate::world::Wave;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

pub(crate) struct Python {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// As many portfolios as a [`World`](crate::world::World) of this size has; `None` where there is no `python3`.
    pub(crate) fn new(portfolios: usize, holdings: usize, symbols: usize) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/support/original.py");
        let mut command = Command::new("python3");
        command.arg(script).args([portfolios, holdings, symbols].map(|number| number.to_string()));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let answers = BufReader::new(process.stdout.take()?);
        Some(Self { process, answers })
    }

    /// Takes the prices of a [wave](crate::world::World::wave), and rebalances whomever it puts out of band: how many, and the time that took.
    pub(crate) fn wave(&mut self, Wave { symbols, flipped }: &Wave, by: u64) -> (usize, Duration) {
        let line = format!("{} {} {by} {}\n", symbols.start, symbols.end, u8::from(*flipped));
        self.process.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let (rebalances, seconds) = answer.trim().split_once(' ').unwrap();
        (rebalances.parse().unwrap(), Duration::from_secs_f64(seconds.parse().unwrap()))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}
