#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod args;
pub mod commands;
mod given;
mod job;
mod model_args;
pub mod output;
pub mod plots;
mod progress;

use std::io::Write;
use std::process::ExitCode;

use ncnn_format::{Error, Result};

pub use args::{Cli, Command, RunOptions};
pub use given::{CommandOptions, Given, JobArg};
pub use model_args::ModelArgs;
pub use output::Output;
pub use progress::TerminalProgress;

/// Runs a parsed command line and prints its result.
///
/// Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong usage
/// (clap's own). `check` gives 1 when it finds an error; `diff` 1 when the files
/// differ and 2 when it fails.
pub fn main_with(cli: &Cli) -> ExitCode {
    match run(cli).and_then(|output| print(&output, cli.options.json).map(|()| output.exit)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nothing is left to report to when standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {}", output::in_flags(&error.to_string()));
            // A difference is no failure, so diff needs another code for one.
            if matches!(cli.command, Command::Diff(_)) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// Runs a parsed command line on its own thread pool.
///
/// # Errors
/// Those of the command.
pub fn run(cli: &Cli) -> Result<Output> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = cli.options.threads {
        pool = pool.num_threads(usize::from(threads));
    }
    let pool = pool.build().map_err(|error| Error::invalid("cannot start threads").caused_by(error))?;
    let progress = TerminalProgress::new(cli.options.quiet || cli.options.json);
    pool.install(|| match &cli.command {
        Command::Calibrate(args) => commands::calibrate::run(args, &progress),
        Command::Thresholds(args) => commands::thresholds::run(args, &progress),
        Command::Merge(args) => commands::merge::run(args),
        Command::Quantize(args) => commands::quantize::run(args, &progress),
        Command::Optimize(args) => commands::optimize::run(args),
        Command::Run(args) => commands::run::run(args),
        Command::Compare(args) => commands::compare::run(args, &progress),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Diff(args) => commands::diff::run(args),
        Command::Convert(args) => commands::convert::run(args),
        Command::Check(args) => commands::check::run(args),
        Command::Bench(args) => commands::bench::run(args),
        Command::Plan(args) => commands::plan::run(args),
    })
}

/// Writes the result to standard output; a reader that has gone is no failure.
fn print(output: &Output, json: bool) -> Result<()> {
    let text = if json { format!("{:#}\n", output.json) } else { output.text.clone() };
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("cannot write", "standard output", error))
        }
        _ => Ok(()),
    }
}
