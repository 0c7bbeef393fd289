//! What was measured, as Markdown and as rows.

use crate::rows::Rows;

/// One kind of wave: nanoseconds per affected holding, and how many times longer others take.
pub(crate) struct Row {
    pub(crate) world: &'static str,
    pub(crate) what: String,
    pub(crate) ours: f64,
    pub(crate) exact: f64,
    pub(crate) by_exact: f64,
    pub(crate) by_ahead: Option<f64>,
    pub(crate) by_domain: f64,
    pub(crate) by_scan: Option<f64>,
}

pub(crate) struct Table {
    seed: u64,
    rounds: usize,
    rows: Vec<Row>,
    figures: Vec<(&'static str, String, f64)>,
}

impl Table {
    pub(crate) const fn new(seed: u64, rounds: usize) -> Self {
        Self { seed, rounds, rows: Vec::new(), figures: Vec::new() }
    }

    /// True before anything was measured.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.figures.is_empty()
    }

    pub(crate) fn row(&mut self, row: Row) {
        let Row { world, what, ours, exact, by_exact, by_ahead, by_domain, by_scan } = &row;
        let [by_ahead, by_scan] = [by_ahead, by_scan].map(|ratio| shown(*ratio));
        eprintln!(
            "{world} {what}: {ours:.2} ns, exact {exact:.1} ns, {by_exact:.1}x, ahead {by_ahead}x, domain {by_domain:.0}x, scan {by_scan}x"
        );
        self.rows.push(row);
    }

    pub(crate) fn figure(&mut self, world: &'static str, what: impl Into<String>, value: f64) {
        let what = what.into();
        eprintln!("{world} {what}: {value:.2}");
        self.figures.push((world, what, value));
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "\nSeed {}, median of {} rounds, each pair in turns. ns per affected holding.\n\n",
            self.seed, self.rounds
        );
        text += "| world | waves | watch, ns | exact i128, ns | times faster than exact | than exact that asks ahead | than the domain | than a scan |\n|---|---|---|---|---|---|---|---|\n";
        for Row { world, what, ours, exact, by_exact, by_ahead, by_domain, by_scan } in &self.rows {
            let [by_ahead, by_scan] = [by_ahead, by_scan].map(|ratio| shown(*ratio));
            text += &format!(
                "| {world} | {what} | {ours:.2} | {exact:.1} | {by_exact:.1} | {by_ahead} | {by_domain:.0} | {by_scan} |\n"
            );
        }
        text += "\n| world | figure | value |\n|---|---|---|\n";
        for (world, what, value) in &self.figures {
            text += &format!("| {world} | {what} | {value:.2} |\n");
        }
        text
    }

    /// Every figure as a row of `cargo xtask bench`.
    pub(crate) fn put_into(&self, rows: &mut Rows) -> std::io::Result<()> {
        for Row { world, what, ours, by_exact, by_ahead, by_domain, by_scan, .. } in &self.rows {
            rows.put(world, what, *ours, "ns per affected holding")?;
            rows.put(world, &format!("{what}, against an exact recompute"), *by_exact, "times")?;
            if let Some(by_ahead) = by_ahead {
                rows.put(world, &format!("{what}, against one that asks ahead"), *by_ahead, "times")?;
            }
            rows.put(world, &format!("{what}, against the domain's decision"), *by_domain, "times")?;
            if let Some(by_scan) = by_scan {
                rows.put(world, &format!("{what}, against a vectorised scan"), *by_scan, "times")?;
            }
        }
        for (world, what, value) in &self.figures {
            let unit = if what.contains("bytes") && what.starts_with("resident") {
                "bytes"
            } else if what.starts_with("inserting") || what.ends_with("in µs per portfolio") {
                "µs"
            } else {
                "times"
            };
            rows.put(world, what, *value, unit)?;
        }
        Ok(())
    }
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}"))
}

/// The middle of these; of two, their mean.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
