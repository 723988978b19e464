//! Every long flag of every command does something, and does the same as a key of a job.
//!
//! [`suites`] says for each flag with which words it is tried and what must come of it. A flag that the command
//! line knows and the suites do not is a failure, so none is added without a test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod folders;
mod suites;

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use clap::CommandFactory;
use common::{Workspace, run};
use ncnn_quant::Cli;
use quantizer::{OptionSpec, Options, Takes};
use suites::{Effect, SUITES, Suite};

/// A command line in parts: the command with what stands behind it, then every flag with its values.
#[derive(Clone)]
struct Line(Vec<Vec<String>>);

impl Line {
    fn new(text: &str) -> Self {
        let mut parts: Vec<Vec<String>> = vec![Vec::new()];
        for word in text.split_whitespace() {
            if word.starts_with("--") || word.starts_with('-') && word[1..].starts_with(char::is_alphabetic) {
                parts.push(Vec::new());
            }
            parts.last_mut().unwrap().push(word.to_owned());
        }
        Self(parts)
    }

    /// This line with the flags of `more` instead of its own of the same names; `-name` takes one away.
    fn with(&self, more: &Self) -> Self {
        let added: Vec<Vec<String>> = more.0.iter().filter(|part| !part.is_empty()).cloned().collect();
        let replaced: Vec<String> = added.iter().map(|part| name(part)).collect();
        let kept = self.0.iter().filter(|part| !replaced.contains(&name(part))).cloned();
        Self(kept.chain(added.iter().filter(|part| part[0].starts_with("--")).cloned()).collect())
    }

    fn without(&self, flag: &str) -> Self {
        Self(self.0.iter().filter(|part| name(part) != flag).cloned().collect())
    }

    fn values(&self, flag: &str) -> Vec<String> {
        let parts = self.0.iter().filter(|part| name(part) == flag);
        parts.flat_map(|part| part[1..].to_vec()).collect()
    }

    fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|part| name(part) == flag)
    }

    fn run(&self, at: &Workspace) -> Output {
        let words: Vec<&str> = self.0.iter().flatten().map(String::as_str).collect();
        run(&words, at)
    }
}

/// The name of a part's flag; the command's own for the first part.
fn name(part: &[String]) -> String {
    let first = part.first().map(String::as_str).unwrap_or_default();
    first.trim_start_matches('-').split('=').next().unwrap_or_default().to_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `with` and looks for the effect, which must not be there after `without`.
fn check(effect: &Effect, without: &Line, with: &Line, at: &Workspace, what: &str) {
    let read = |file: &str| fs::read(at.path(file)).ok();
    let remove = |file: &str| fs::remove_file(at.path(file)).unwrap_or_default();
    match *effect {
        Effect::Differs(file) => {
            remove(file);
            without.run(at);
            let before = read(file);
            remove(file);
            let output = with.run(at);
            assert!(output.status.success(), "{what}: {}", stderr(&output));
            assert!(read(file).is_some() && read(file) != before, "{what}: {file} is the same");
        }
        Effect::Writes(file) => {
            remove(file);
            without.run(at);
            assert!(read(file).is_none(), "{what}: {file} is written without it");
            let output = with.run(at);
            assert!(output.status.success(), "{what}: {}", stderr(&output));
            assert!(read(file).is_some(), "{what}: {file} is not written");
        }
        Effect::Prints => {
            let (before, output) = (without.run(at), with.run(at));
            assert!(output.status.success(), "{what}: {}", stderr(&output));
            assert_ne!(stdout(&output), stdout(&before), "{what}");
        }
        Effect::Says(text) => {
            assert!(!stdout(&without.run(at)).contains(text), "{what}: it is said without it");
            let output = with.run(at);
            assert!(stdout(&output).contains(text), "{what}: {}{}", stdout(&output), stderr(&output));
        }
        Effect::Tells(text) => {
            assert!(!stderr(&without.run(at)).contains(text), "{what}: it is told without it");
            let output = with.run(at);
            assert!(output.status.success() && stderr(&output).contains(text), "{what}: {}", stderr(&output));
        }
        Effect::Fails(text) => {
            assert!(!stderr(&without.run(at)).contains(text), "{what}: it fails so without it");
            let output = with.run(at);
            assert!(!output.status.success() && stderr(&output).contains(text), "{what}: {}", stderr(&output));
        }
        Effect::Hushes(text) => {
            assert!(stderr(&without.run(at)).contains(text), "{what}: it is not told without it");
            let output = with.run(at);
            assert!(output.status.success() && !stderr(&output).contains(text), "{what}: {}", stderr(&output));
        }
        Effect::LeavesOut(text) => {
            // Only some instruction sets have what can be left out.
            let is_there = stdout(&without.run(at)).contains(text);
            assert!(is_there || !cfg!(target_arch = "x86_64"), "{what}: it is not there without it");
            let output = with.run(at);
            assert!(output.status.success() && !stdout(&output).contains(text), "{what}: {}", stdout(&output));
        }
    }
}

/// The option that a flag of a command is.
fn option_of(command: &str, flag: &str) -> Option<&'static OptionSpec> {
    let is_table = matches!(command, "calibrate" | "thresholds") && flag == "out";
    let name = if is_table { "table" } else { flag };
    Options::SPECS.iter().find(|spec| spec.name == name)
}

/// A job with one key, whose values are those of the flag.
fn job(spec: &OptionSpec, values: &[String]) -> String {
    let value = |word: &str| match spec.name {
        "limit" | "shuffle-seed" | "passes" | "checkpoint-every" => word.to_owned(),
        "mean" | "norm" | "shape" => format!("[{word}]"),
        _ => format!("'{word}'"),
    };
    if spec.per_input {
        let input = |word: &String| match word.split_once('=') {
            Some((blob, rest)) => format!("[[input]]\nblob = '{blob}'\n{} = {}\n", spec.name, value(rest)),
            None => format!("[[input]]\n{} = {}\n", spec.name, value(word)),
        };
        return values.iter().map(input).collect();
    }
    let words: Vec<String> = values.iter().map(|word| value(word)).collect();
    match spec.takes {
        Takes::Nothing => format!("{} = true\n", spec.name),
        Takes::Value => format!("{} = {}\n", spec.name, words.concat()),
        _ => format!("{} = [{}]\n", spec.name, words.join(", ")),
    }
}

fn hold(suite: &Suite) {
    let at = (suite.setup)();
    let base = Line::new(suite.base);
    let command = base.0[0][0].clone();
    for (flag, words, effect) in suite.cases {
        let with = base.with(&Line::new(words));
        assert!(with.has(flag), "{command} --{flag}: the words have no such flag");
        let mut without = with.without(flag);
        if base.has(flag) {
            without.0.extend(base.0.iter().filter(|part| name(part) == *flag).cloned());
        }
        check(effect, &without, &with, &at, &format!("{command} --{flag}"));
        let takes_jobs = matches!(command.as_str(), "calibrate" | "thresholds" | "quantize" | "compare");
        // `quantize` takes a table from the command line only: a job's is what `calibrate` writes.
        let is_key = takes_jobs && (command.as_str(), *flag) != ("quantize", "table");
        if let Some(spec) = option_of(&command, flag).filter(|_| is_key) {
            at.write("key.toml", job(spec, &with.values(flag)).as_bytes());
            let by_job = with.without(flag).with(&Line::new("--job key.toml"));
            check(effect, &without, &by_job, &at, &format!("{command} with the key {}", spec.name));
        }
    }
}

/// Flags that a job cannot have.
const NO_KEYS: [&str; 1] = ["job"];

#[test]
fn every_long_flag_is_tried() {
    let tried: BTreeSet<(String, &str)> = SUITES
        .iter()
        .flat_map(|suite| suite.cases.iter().map(|(flag, ..)| (Line::new(suite.base).0[0][0].clone(), *flag)))
        .collect();
    let cli = Cli::command();
    for command in cli.get_subcommands() {
        for flag in command.get_arguments().filter_map(clap::Arg::get_long).filter(|flag| *flag != "help") {
            let known = (command.get_name().to_owned(), flag);
            assert!(tried.contains(&known), "{} --{flag} is in no suite", command.get_name());
            let takes_job = command.get_arguments().any(|arg| arg.get_long() == Some("job"));
            let is_key = option_of(command.get_name(), flag).is_some();
            assert!(
                !takes_job || is_key || NO_KEYS.contains(&flag),
                "{} --{flag} is no key of a job",
                command.get_name()
            );
        }
    }
    for flag in cli.get_arguments().filter_map(clap::Arg::get_long).filter(|flag| !["help", "version"].contains(flag)) {
        assert!(tried.iter().any(|(_, tried)| *tried == flag), "--{flag} is in no suite");
    }
}

#[test]
fn every_key_of_a_job_is_tried() {
    let keys: BTreeSet<&str> = SUITES
        .iter()
        .flat_map(|suite| suite.cases.iter().map(|(flag, ..)| (Line::new(suite.base).0[0][0].clone(), *flag)))
        .filter(|(command, _)| matches!(command.as_str(), "calibrate" | "thresholds" | "quantize" | "compare"))
        .filter_map(|(command, flag)| option_of(&command, flag).map(|spec| spec.name))
        .collect();
    let missing: Vec<&str> = Options::SPECS.iter().map(|spec| spec.name).filter(|name| !keys.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

macro_rules! held {
    ($($test:ident: $suite:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                hold(&suites::$suite);
            }
        )*
    };
}

held! {
    calibrate_holds_its_flags_and_keys: CALIBRATE,
    calibrate_holds_what_is_about_3x3_convolutions: CALIBRATE_3X3,
    thresholds_holds_its_flags_and_keys: THRESHOLDS,
    thresholds_holds_what_is_about_3x3_convolutions: THRESHOLDS_3X3,
    quantize_holds_its_flags_and_keys: QUANTIZE,
    quantize_holds_what_is_about_3x3_convolutions: QUANTIZE_3X3,
    quantize_makes_uneven_channels_equal: QUANTIZE_UNEVEN,
    quantize_holds_what_is_about_sequences: QUANTIZE_SEQUENCE,
    compare_holds_its_flags_and_keys: COMPARE,
    compare_ranks_one_of_several_outputs: COMPARE_OUTPUTS,
    optimize_holds_its_flags: OPTIMIZE,
    run_holds_its_flags: RUN,
    inspect_holds_its_flags: INSPECT,
    convert_holds_its_flags: CONVERT,
    merge_holds_its_flags: MERGE,
    check_holds_the_bin_of_a_model: CHECK,
    check_holds_the_model_of_a_table: CHECK_TABLE,
    bench_holds_its_flags: BENCH,
    bench_can_do_without_winograd: BENCH_3X3,
    plan_holds_its_flags: PLAN,
    plan_can_do_without_winograd: PLAN_3X3,
}
