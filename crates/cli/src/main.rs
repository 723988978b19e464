//! The `ncnn-quant` command.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use ncnn_quant::Cli;

fn main() -> ExitCode {
    ncnn_quant::main_with(&Cli::parse())
}
