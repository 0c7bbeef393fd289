//! What the machine allows: random lines and streamed bytes, and how much memory is resident.

use super::world::World;
use std::hint::black_box;

/// One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u64; 8]);

/// Per symbol a stream of twelve bytes per follower, each of which names a random line of 16 MiB.
pub(crate) struct Memory {
    lines: Vec<Line>,
    streams: Vec<Vec<[u32; 3]>>,
}

const LINES: usize = (16 << 20) / 64;

impl Memory {
    pub(crate) fn new(world: &World) -> Self {
        let mut streams = vec![Vec::new(); world.size.symbols];
        for (place, holding) in world.holdings.iter().enumerate() {
            let portfolio = place / world.size.holdings;
            let line = portfolio * LINES / world.size.portfolios;
            streams[holding.symbol as usize].push([line as u32, 1, 2]);
        }
        Self { lines: vec![Line([0; 8]); LINES], streams }
    }

    /// Reads a stream and changes each of its lines.
    pub(crate) fn touch(&mut self, symbol: u32) {
        for [line, one, other] in &self.streams[symbol as usize] {
            let line = &mut self.lines[*line as usize];
            line.0[0] = line.0[0].wrapping_add(u64::from(one ^ other));
        }
        black_box(&self.lines);
    }
}

/// How many bytes of this process are resident; nothing where the system does not say.
pub(crate) fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok().map(|kib| kib * 1024)
}
