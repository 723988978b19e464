//! The project's own chores.

#![forbid(unsafe_code)]

mod models;

use std::process::ExitCode;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own chores", version)]
enum Command {
    /// List the networks that the chores know and whether their files are here.
    Models,
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Models => {
            for model in models::fixtures().iter().chain(models::shared()) {
                println!("{:<24} {}", model.name, model.path(model.param).display());
            }
            ExitCode::SUCCESS
        }
    }
}
