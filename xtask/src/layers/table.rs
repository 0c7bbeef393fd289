//! The table of layers, innermost first. ARCHITECTURE.md explains it; this is what is enforced.

use Outside::{Any, Only};

/// What one crate may depend on. Tests may use what the crate itself may use, and the two `dev_` lists.
pub(super) struct Row {
    pub(super) package: &'static str,
    pub(super) ours: &'static [&'static str],
    pub(super) outside: Outside,
    pub(super) dev_ours: &'static [&'static str],
    pub(super) dev_outside: Outside,
}

/// Crates that are not ours.
pub(super) enum Outside {
    /// These and no others: a new one is refused until someone argues for it.
    Only(&'static [&'static str]),
    Any,
}

const DOMAIN: &str = "evenkeel-domain";
const WATCH: &str = "evenkeel-watch";
const PORTS: &str = "evenkeel-ports";
const ENGINE: &str = "evenkeel-engine";
const MEMORY: &str = "evenkeel-memory";
const BANCHILE: &str = "evenkeel-banchile";
const MARKET: &str = "evenkeel-market";
const SQLITE: &str = "evenkeel-sqlite";
const CONFORMANCE: &str = "evenkeel-conformance";

/// What the core and the adapters are made of.
const CORE: &[&str] = &[DOMAIN, PORTS];
/// For the tests of everything but the domain: real behaviour without a disk or a network, and the suites of the ports.
const STAND_INS: &[&str] = &[MEMORY, BANCHILE, CONFORMANCE];

/// For tests of pure code.
const PURE_TOOLS: Outside = Only(&[
    "allocation-counter",
    "divan",
    "expect-test",
    "num-bigint",
    "num-rational",
    "proptest",
    "serde_json",
    "tempfile",
]);
/// For tests of code that waits.
const ASYNC_TOOLS: Outside = Only(&[
    "async-trait",
    "divan",
    "expect-test",
    "futures-util",
    "mimalloc",
    "mockall",
    "num-bigint",
    "num-rational",
    "proptest",
    "rust_decimal",
    "serde_json",
    "tempfile",
]);

pub(super) const TABLE: &[Row] = &[
    Row {
        package: DOMAIN,
        ours: &[],
        outside: Only(&["rust_decimal", "serde", "thiserror", "uuid"]),
        dev_ours: &[],
        dev_outside: PURE_TOOLS,
    },
    // Pure, like the domain: it is asked on every price.
    Row { package: WATCH, ours: &[DOMAIN], outside: Only(&["thiserror"]), dev_ours: &[], dev_outside: PURE_TOOLS },
    Row {
        package: PORTS,
        ours: &[DOMAIN],
        outside: Only(&["async-trait", "mockall", "serde", "serde_json", "thiserror"]),
        dev_ours: STAND_INS,
        dev_outside: ASYNC_TOOLS,
    },
    // No runtime: it runs the same under a test, a simulator and in production.
    Row {
        package: ENGINE,
        ours: &[DOMAIN, PORTS, WATCH],
        outside: Only(&["futures-util", "thiserror", "tracing"]),
        dev_ours: STAND_INS,
        dev_outside: ASYNC_TOOLS,
    },
    Row {
        package: MEMORY,
        ours: CORE,
        outside: Only(&["async-trait", "futures-util", "thiserror"]),
        dev_ours: STAND_INS,
        dev_outside: ASYNC_TOOLS,
    },
    Row {
        package: BANCHILE,
        ours: CORE,
        // From rusqlite on behind the feature `file`.
        outside: Only(&["async-trait", "rand", "smallvec", "thiserror", "rusqlite", "serde", "serde_json"]),
        dev_ours: STAND_INS,
        dev_outside: ASYNC_TOOLS,
    },
    Row {
        package: MARKET,
        ours: CORE,
        outside: Only(&["async-trait", "csv", "rand", "thiserror"]),
        dev_ours: STAND_INS,
        dev_outside: ASYNC_TOOLS,
    },
    Row {
        package: SQLITE,
        ours: CORE,
        outside: Only(&["async-trait", "futures-channel", "rusqlite", "serde_json", "sha2", "thiserror"]),
        // For the example of an engine on a store: nothing of the adapter itself needs it.
        dev_ours: &[ENGINE, MEMORY, BANCHILE, CONFORMANCE],
        dev_outside: ASYNC_TOOLS,
    },
    // Suites that any adapter runs, whatever it is made of: no adapter below them, and no runtime.
    Row {
        package: CONFORMANCE,
        ours: CORE,
        outside: Only(&["futures-util", "serde", "serde_json"]),
        dev_ours: STAND_INS,
        dev_outside: ASYNC_TOOLS,
    },
    // What a team outside of this workspace has: the contract, the suite, and a client of its own choice.
    Row {
        package: "evenkeel-toy-broker",
        ours: CORE,
        outside: Only(&[
            "async-trait",
            "futures-util",
            "http-body-util",
            "hyper",
            "hyper-util",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
        ]),
        dev_ours: &[MEMORY, CONFORMANCE, ENGINE],
        dev_outside: ASYNC_TOOLS,
    },
    Row {
        package: "evenkeel-app",
        ours: &[DOMAIN, WATCH, PORTS, ENGINE, MEMORY, BANCHILE, MARKET, SQLITE],
        outside: Any,
        dev_ours: &[CONFORMANCE],
        dev_outside: Any,
    },
    Row {
        package: "evenkeel-tests",
        ours: &[DOMAIN, PORTS, ENGINE, MEMORY, BANCHILE, MARKET, SQLITE, CONFORMANCE, "evenkeel-app"],
        outside: Any,
        dev_ours: &[],
        dev_outside: Any,
    },
    Row {
        package: "xtask",
        ours: &[],
        outside: Only(&["rustix", "serde_json"]),
        dev_ours: &[],
        dev_outside: Only(&[]),
    },
];
