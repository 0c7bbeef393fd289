//! `cargo xtask layers`: which crate may use which. Arrows point inward only, and every arrow is on a list.
//!
//! It fails closed: a crate without a row, a row without a crate, or nothing to examine are failures like a forbidden
//! arrow. The table is in `layers/table.rs`; how much may lie below the domain is in `layers/closure.rs`.

mod closure;
mod table;
#[cfg(test)]
mod tests;

use crate::Outcome;
use crate::finding::{Finding, report};
use crate::workspace::{Dependency, Kind, Package, Workspace, short};
use table::{Outside, Row, TABLE};

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let mut findings = examine(&workspace.packages, TABLE);
    findings.extend(closure::examine(workspace));
    report(&findings)
}

/// All that differs from the table.
fn examine(packages: &[Package], table: &[Row]) -> Vec<Finding> {
    let edges: usize = packages.iter().map(|package| package.dependencies.len()).sum();
    if edges == 0 {
        return vec![Finding::new("no dependency was examined", "this check is broken; repair it first")];
    }
    let mut findings = Vec::new();
    for package in packages {
        match table.iter().find(|row| row.package == package.name) {
            Some(row) => findings.extend(package.dependencies.iter().filter_map(|edge| row.refuses(edge))),
            None => findings.push(Finding::new(
                format!("crate {} ({}) has no row", package.name, package.manifest),
                "say what it may use in xtask/src/layers/table.rs, and what it is in ARCHITECTURE.md",
            )),
        }
    }
    for row in table {
        if !packages.iter().any(|package| package.name == row.package) {
            findings.push(Finding::new(
                format!("row {} has no crate", row.package),
                "remove it from xtask/src/layers/table.rs",
            ));
        }
    }
    findings
}

impl Row {
    /// The finding, if this row's crate may not depend on that.
    fn refuses(&self, edge: &Dependency) -> Option<Finding> {
        if self.allows(edge) {
            return None;
        }
        let kind = match edge.kind {
            Kind::Normal => "normal",
            Kind::Build => "build",
            Kind::Dev => "dev",
        };
        Some(Finding::new(
            format!("{} -> {} ({kind}) is not allowed", short(self.package), short(&edge.name)),
            format!(
                "{}; move what both need inward, or argue for a change of xtask/src/layers/table.rs",
                self.permission(edge)
            ),
        ))
    }

    fn allows(&self, edge: &Dependency) -> bool {
        let name = edge.name.as_str();
        match (edge.kind, edge.ours) {
            (Kind::Build, _) => false,
            (Kind::Normal, true) => self.ours.contains(&name),
            (Kind::Normal, false) => self.outside.contains(name),
            (Kind::Dev, true) => self.ours.contains(&name) || self.dev_ours.contains(&name),
            (Kind::Dev, false) => self.outside.contains(name) || self.dev_outside.contains(name),
        }
    }

    /// What would have been allowed instead.
    fn permission(&self, edge: &Dependency) -> String {
        let crate_name = short(self.package);
        match (edge.kind, edge.ours) {
            (Kind::Build, _) => "no crate of ours has build dependencies".to_owned(),
            (Kind::Normal, true) => format!("{crate_name} may use {}", names(self.ours)),
            (Kind::Normal, false) => format!("{crate_name} may use {} from outside", self.outside),
            (Kind::Dev, true) => format!("its tests may add {}", names(self.dev_ours)),
            (Kind::Dev, false) => format!("its tests may add {} from outside", self.dev_outside),
        }
    }
}

impl Outside {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(list) => list.contains(&name),
        }
    }
}

impl std::fmt::Display for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Only(list) => f.write_str(&names(list)),
        }
    }
}

fn names(packages: &[&str]) -> String {
    match packages {
        [] => "nothing".to_owned(),
        [one] => short(one).to_owned(),
        [rest @ .., last] => {
            let rest: Vec<&str> = rest.iter().map(|name| short(name)).collect();
            format!("{} and {}", rest.join(", "), short(last))
        }
    }
}
