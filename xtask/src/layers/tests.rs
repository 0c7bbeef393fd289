//! The check on canned metadata, and on the workspace itself.

use serde_json::{Value, json};

use super::table::Outside::{Any, Only};
use super::*;

const SMALL: &[Row] = &[
    Row {
        package: "evenkeel-domain",
        ours: &[],
        outside: Only(&["uuid"]),
        dev_ours: &[],
        dev_outside: Only(&["proptest"]),
    },
    Row {
        package: "evenkeel-ports",
        ours: &["evenkeel-domain"],
        outside: Only(&["async-trait"]),
        dev_ours: &["evenkeel-memory"],
        dev_outside: Only(&[]),
    },
    Row {
        package: "evenkeel-memory",
        ours: &["evenkeel-domain", "evenkeel-ports"],
        outside: Any,
        dev_ours: &[],
        dev_outside: Any,
    },
];

/// The metadata of three crates; each edge is (from, to, kind).
fn findings(edges: &[(&str, &str, &str)]) -> Vec<String> {
    findings_of(&["evenkeel-domain", "evenkeel-ports", "evenkeel-memory"], edges)
}

fn findings_of(crates: &[&str], edges: &[(&str, &str, &str)]) -> Vec<String> {
    let packages: Vec<Value> = crates.iter().map(|name| package(name, edges)).collect();
    let metadata = json!({ "workspace_root": "/w", "target_directory": "/w/target", "packages": packages });
    let workspace = Workspace::parse(&metadata.to_string()).unwrap();
    examine(&workspace.packages, SMALL).iter().map(ToString::to_string).collect()
}

fn package(name: &str, edges: &[(&str, &str, &str)]) -> Value {
    let of_this = edges.iter().filter(|(from, _, _)| *from == name);
    let dependencies: Vec<Value> = of_this.map(|(_, to, kind)| dependency(to, kind)).collect();
    json!({
        "name": name,
        "manifest_path": format!("/w/crates/{name}/Cargo.toml"),
        "dependencies": dependencies,
        "targets": [],
    })
}

fn dependency(name: &str, kind: &str) -> Value {
    let mut value = json!({ "name": name, "kind": if kind == "normal" { Value::Null } else { json!(kind) } });
    if name.starts_with("evenkeel-") {
        value["path"] = json!(format!("/w/crates/{name}"));
    }
    value
}

const GOOD: &[(&str, &str, &str)] = &[
    ("evenkeel-domain", "uuid", "normal"),
    ("evenkeel-domain", "proptest", "dev"),
    ("evenkeel-ports", "evenkeel-domain", "normal"),
    ("evenkeel-ports", "async-trait", "normal"),
    ("evenkeel-ports", "evenkeel-memory", "dev"),
    ("evenkeel-memory", "evenkeel-ports", "normal"),
    ("evenkeel-memory", "anything", "normal"),
];

#[test]
fn what_the_table_allows_passes() {
    assert_eq!(findings(GOOD), Vec::<String>::new());
}

#[test]
fn a_forbidden_edge_is_reported_with_what_is_allowed() {
    let found = findings(&[GOOD, &[("evenkeel-ports", "evenkeel-memory", "normal")]].concat());
    assert_eq!(
        found,
        ["ports -> memory (normal) is not allowed: ports may use domain; move what both need inward, or argue for a \
          change of xtask/src/layers/table.rs"]
    );
}

#[test]
fn each_kind_of_edge_has_its_own_list() {
    for (edge, expected) in [
        (
            ("evenkeel-domain", "evenkeel-ports", "normal"),
            "domain -> ports (normal) is not allowed: domain may use nothing",
        ),
        (
            ("evenkeel-domain", "evenkeel-memory", "dev"),
            "domain -> memory (dev) is not allowed: its tests may add nothing",
        ),
        (
            ("evenkeel-domain", "tokio", "normal"),
            "domain -> tokio (normal) is not allowed: domain may use uuid from outside",
        ),
        (
            ("evenkeel-domain", "tokio", "dev"),
            "domain -> tokio (dev) is not allowed: its tests may add proptest from outside",
        ),
        (("evenkeel-domain", "proptest", "normal"), "domain -> proptest (normal) is not allowed"),
        (
            ("evenkeel-memory", "cc", "build"),
            "memory -> cc (build) is not allowed: no crate of ours has build dependencies",
        ),
        (("evenkeel-domain", "uuid", "build"), "domain -> uuid (build) is not allowed"),
    ] {
        let found = findings(&[edge]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
}

#[test]
fn all_findings_are_reported_not_only_the_first() {
    let bad = [("evenkeel-domain", "tokio", "normal"), ("evenkeel-ports", "tokio", "normal")];
    assert_eq!(findings(&bad).len(), 2);
}

#[test]
fn an_unknown_crate_is_reported() {
    let crates = ["evenkeel-domain", "evenkeel-ports", "evenkeel-memory", "evenkeel-surprise"];
    let found = findings_of(&crates, GOOD);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("crate evenkeel-surprise (crates/evenkeel-surprise/Cargo.toml) has no row"),
        "{found:?}"
    );
}

#[test]
fn a_row_without_a_crate_is_reported() {
    let found = findings_of(&["evenkeel-domain", "evenkeel-ports"], GOOD);
    assert_eq!(found, ["row evenkeel-memory has no crate: remove it from xtask/src/layers/table.rs"]);
}

#[test]
fn no_edges_at_all_fail() {
    assert!(findings(&[])[0].contains("broken"));
    assert!(findings_of(&[], GOOD)[0].contains("broken"));
}

#[test]
fn metadata_that_cannot_be_read_fails() {
    for bad in ["", "{}", r#"{"workspace_root":"/w","target_directory":"/t","packages":[{"name":"x"}]}"#] {
        assert!(Workspace::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_workspace_keeps_to_the_table() -> Outcome {
    run(&Workspace::load()?)
}
