//! The command line of Evenkeel. Each command has a file of its name; how it all ends is in [`exit`].

mod alerts;
mod args;
mod audit;
mod check;
mod completions;
mod config;
mod demo;
mod document;
mod duration;
mod exit;
mod faults;
mod files;
mod halt;
mod inputs;
mod logging;
mod operate;
mod output;
mod plan;
mod portfolios;
mod prices;
mod records;
mod render;
mod replay;
mod status;
mod store;
mod wiring;

/// A rebalance is many small allocations, and `replay` makes tens of thousands of rebalances on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    exit::report(args::parse(std::env::args_os()).map_err(exit::Failure::from).and_then(run))
}

fn run(args::Cli { command, config, .. }: args::Cli) -> Result<exit::Outcome, exit::Failure> {
    logging::start()?;
    let (config, out) = (config.as_ref(), &mut output::Output::stdout());
    match command {
        args::Command::Demo(args) => demo::run(&args, config, out),
        args::Command::Prices(args) => prices::run(&args, out),
        args::Command::Plan(args) => plan::run(&args, config, out),
        args::Command::Replay(args) => replay::run(&args, config, out),
        args::Command::Check(args) => check::run(&args, config, out),
        args::Command::Status(args) => status::run(&args, out),
        args::Command::Alerts(args) => alerts::run(&args, out),
        args::Command::Audit(args) => audit::run(&args, out),
        args::Command::Halt(args) => halt::halt(&args, out),
        args::Command::Release(args) => halt::release(&args, out),
        args::Command::Recover(args) => operate::recover(&args, out),
        args::Command::Reconcile(args) => operate::reconcile(&args, out),
        args::Command::Resolve(args) => operate::resolve(&args, out),
        args::Command::Abort(args) => operate::abort(&args, out),
        args::Command::Completions(args) => completions::run(&args, out),
    }
}
