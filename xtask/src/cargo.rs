//! Running cargo, always from the root of the workspace.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;

/// The cargo that runs us, with arguments as one would type them; none of them contains a blank.
pub(crate) fn cargo(root: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split(' ')).current_dir(root);
    command
}

/// Shows the command, runs it with our own output, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = show(command);
    println!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(error) => Err(format!("`{shown}` could not start: {error}")),
    }
}

/// What the command prints; fails if it does, with what it said.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let shown = show(command);
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("`{shown}` could not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{shown}` failed ({}): {}", output.status, said.trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("`{shown}` printed no text: {error}"))
}

/// Fails with advice when this machine's cargo lacks a subcommand that ships with the toolchain.
pub(crate) fn need_component(root: &Path, subcommand: &str, component: &str) -> Outcome {
    output(&mut cargo(root, &format!("{subcommand} --version")))
        .map(drop)
        .map_err(|_| format!("`cargo {subcommand}` is missing: install it with `rustup component add {component}`"))
}

/// The command as one would type it, with the variables that were set for it.
fn show(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={:?}", name.to_string_lossy(), value.to_string_lossy()))
    });
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_one_would_type_them() {
        let mut command = Command::new("/some/bin/cargo");
        command.args(["doc", "--locked"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("OTHER");
        assert_eq!(show(&command), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --locked");
    }
}
