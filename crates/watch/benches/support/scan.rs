//! A vectorised scan in numpy: [`scan.py`](../scan.py), in a process of its own.

use super::world::{Holding, World};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

pub(crate) struct Scan {
    process: Child,
    orders: Option<BufWriter<ChildStdin>>,
    answers: BufReader<ChildStdout>,
}

impl Scan {
    /// Over the portfolios of a world, at its prices; `None` where there is no `python3` with numpy.
    pub(crate) fn new(world: &World) -> Option<Self> {
        let scan = Self::started(world);
        if scan.is_none() {
            eprintln!("{}: no python3 with numpy, so nothing is compared with a vectorised scan", world.size.name);
        }
        scan
    }

    fn started(world: &World) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/support/scan.py");
        let size = [world.size.portfolios, world.size.holdings, world.size.symbols];
        let mut command = Command::new("python3");
        command.arg(script).args(size.map(|number| number.to_string()));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let orders = process.stdin.take().map(|pipe| BufWriter::with_capacity(1 << 20, pipe));
        let answers = BufReader::new(process.stdout.take()?);
        let mut scan = Self { process, orders, answers };
        // Where numpy is missing, it has ended by now and reads nothing.
        scan.give_world(world).ok()?;
        (scan.answer() == "ready").then_some(scan)
    }

    fn give_world(&mut self, world: &World) -> std::io::Result<()> {
        let orders = self.orders.as_mut().unwrap();
        for Holding { units, symbol, target } in &world.holdings {
            orders.write_all(&units.to_le_bytes())?;
            orders.write_all(&symbol.to_le_bytes())?;
            orders.write_all(&target.to_le_bytes())?;
        }
        for price in &world.prices {
            orders.write_all(&price.to_le_bytes())?;
        }
        orders.flush()
    }

    fn order(&mut self, word: &str, numbers: impl IntoIterator<Item = u64>) {
        let numbers: String = numbers.into_iter().map(|number| format!(" {number}")).collect();
        writeln!(self.orders.as_mut().unwrap(), "{word}{numbers}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.orders.as_mut().unwrap().flush().unwrap();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }

    fn judged(&mut self, word: &str, wave: &[(u32, u64)]) -> (Duration, Vec<usize>) {
        self.order(word, pairs(wave));
        let answer = self.answer();
        let mut words = answer.split(' ');
        let seconds = words.next().unwrap().parse().unwrap();
        (Duration::from_secs_f64(seconds), words.map(|number| number.parse().unwrap()).collect())
    }

    /// Who is out of band after a wave, and how long that took it.
    pub(crate) fn wave(&mut self, wave: &[(u32, u64)]) -> (Duration, Vec<usize>) {
        self.judged("wave", wave)
    }

    /// Everybody who is, by need.
    pub(crate) fn need(&mut self, wave: &[(u32, u64)]) -> (Duration, Vec<usize>) {
        self.judged("need", wave)
    }

    pub(crate) fn set_prices(&mut self, wave: &[(u32, u64)]) {
        self.order("prices", pairs(wave));
    }

    /// The same, and waits until all that it was told is done: whoever is measured next has the machine for itself.
    pub(crate) fn settle(&mut self, wave: &[(u32, u64)]) {
        self.set_prices(wave);
        self.order("ready", []);
        assert_eq!(self.answer(), "ready");
    }

    pub(crate) fn set_books(&mut self, portfolio: usize, holdings: &[Holding]) {
        self.order("books", std::iter::once(portfolio as u64).chain(holdings.iter().map(|holding| holding.units)));
    }
}

fn pairs(wave: &[(u32, u64)]) -> impl Iterator<Item = u64> {
    wave.iter().flat_map(|(symbol, price)| [u64::from(*symbol), *price])
}

impl Drop for Scan {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.orders.take());
        self.process.wait().unwrap();
    }
}
