//! The workspace as `cargo metadata` describes it. A field that is missing is an error, never an empty list.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cargo::{cargo, output};

/// What all commands work on.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo builds; tools that we install go below it.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The manifest, relative to the root.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Comes from a path: it is ours.
    pub(crate) ours: bool,
}

/// A library, a binary or a test program.
#[derive(Debug)]
pub(crate) struct Target {
    /// As a file name of cargo's: with underscores.
    pub(crate) name: String,
    /// Does `cargo test` run its tests?
    pub(crate) tested: bool,
    /// Does `cargo test` run its doc tests?
    pub(crate) doc_tested: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Workspace {
    /// The workspace around the current directory.
    pub(crate) fn load() -> Result<Self, String> {
        Self::parse(&output(&mut cargo(Path::new("."), "metadata --no-deps --format-version 1 --locked"))?)
    }

    /// Reads the JSON of `cargo metadata`.
    pub(crate) fn parse(json: &str) -> Result<Self, String> {
        let metadata: Value =
            serde_json::from_str(json).map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))?;
        let root = PathBuf::from(text(&metadata, "workspace_root")?);
        let packages = list(&metadata, "packages")?
            .iter()
            .map(|package| Package::parse(package, &root))
            .collect::<Result<_, _>>()?;
        Ok(Self { target: PathBuf::from(text(&metadata, "target_directory")?), root, packages })
    }
}

impl Package {
    /// `ports` for `evenkeel-ports`.
    pub(crate) fn short_name(&self) -> &str {
        short(&self.name)
    }

    fn parse(package: &Value, root: &Path) -> Result<Self, String> {
        let manifest = Path::new(text(package, "manifest_path")?);
        let relative =
            manifest.strip_prefix(root).map_err(|_| format!("{} lies outside of the workspace", manifest.display()))?;
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            manifest: relative.to_string_lossy().replace('\\', "/"),
            dependencies: list(package, "dependencies")?.iter().map(Dependency::parse).collect::<Result<_, _>>()?,
            targets: list(package, "targets")?.iter().map(Target::parse).collect::<Result<_, _>>()?,
        })
    }
}

impl Dependency {
    fn parse(dependency: &Value) -> Result<Self, String> {
        let kind = match dependency.get("kind").and_then(Value::as_str) {
            None => Kind::Normal,
            Some("build") => Kind::Build,
            Some("dev") => Kind::Dev,
            Some(other) => {
                return Err(format!("`cargo metadata` knows a kind of dependency that we do not: {other}"));
            }
        };
        let ours = dependency.get("path").is_some_and(Value::is_string);
        Ok(Self { name: text(dependency, "name")?.to_owned(), kind, ours })
    }
}

impl Target {
    fn parse(target: &Value) -> Result<Self, String> {
        Ok(Self {
            name: text(target, "name")?.replace('-', "_"),
            tested: flag(target, "test")?,
            doc_tested: flag(target, "doctest")?,
        })
    }
}

/// `ports` for `evenkeel-ports`; other names stay as they are.
pub(crate) fn short(name: &str) -> &str {
    name.strip_prefix("evenkeel-").unwrap_or(name)
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| missing(key))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| missing(key))
}

fn flag(value: &Value, key: &str) -> Result<bool, String> {
    value.get(key).and_then(Value::as_bool).ok_or_else(|| missing(key))
}

fn missing(key: &str) -> String {
    format!("the output of `cargo metadata` has no `{key}` where it is expected")
}
