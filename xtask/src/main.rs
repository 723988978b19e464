//! The project's own chores.

#![forbid(unsafe_code)]

mod models;
mod python;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own chores", version)]
enum Command {
    /// Check what clippy cannot: unsafe, file lengths, machine paths, size of the repository
    Tidy,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Tidy => tidy::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
