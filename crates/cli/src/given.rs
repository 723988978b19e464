//! The options of a command, as the library declares them.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use ncnn_format::{Error, Result};
use quantizer::{OptionSpec, Options, Takes};

use crate::job::load_job;
use crate::model_args::ModelArgs;
use crate::output::in_flags;

/// Which options a command takes, and what it asks of them.
pub trait CommandOptions: Clone {
    /// Their names.
    const NAMES: &'static [&'static str];
    /// Options that it takes from a job only.
    const FROM_JOB: &'static [&'static str] = &[];
    /// Options that it takes from the command line only.
    const NOT_FROM_JOB: &'static [&'static str] = &[];

    /// The argument for the option `name` with this command's rules.
    fn rule(_name: &str, arg: Arg) -> Arg {
        arg
    }
}

/// The options of a command `C` that were given.
#[derive(Clone)]
pub struct Given<C> {
    options: Options,
    command: PhantomData<C>,
}

impl<C> Given<C> {
    /// What stands on the command line.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

impl<C: CommandOptions> Given<C> {
    /// What stands on the command line, and where that says nothing in the job.
    ///
    /// # Errors
    /// Those of reading the job.
    pub(crate) fn with_job(&self, job: &JobArg) -> Result<Options> {
        let mut options = self.options.clone();
        if let Some(path) = &job.job {
            let is_taken = |name: &str| {
                (C::NAMES.contains(&name) || C::FROM_JOB.contains(&name)) && !C::NOT_FROM_JOB.contains(&name)
            };
            options.fill_from(&load_job(path)?, is_taken);
        }
        Ok(options)
    }
}

/// The job file.
#[derive(Debug, Clone, Default, Args)]
pub struct JobArg {
    /// Take options that are not given here from a TOML or JSON file (docs/job-file.md)
    #[arg(long, value_name = "FILE", help_heading = "Samples")]
    pub job: Option<PathBuf>,
}

/// The files of the float network.
///
/// # Errors
/// `Invalid` when neither the command line nor the job says where they are.
pub(crate) fn model_files(options: &Options) -> Result<ModelArgs> {
    let file = |given: &Option<PathBuf>, name: &str| {
        let missing = || Error::invalid(format!("neither the command line nor the job has --{name}"));
        given.clone().ok_or_else(missing)
    };
    Ok(ModelArgs { param: file(&options.param, "param")?, bin: file(&options.bin, "bin")? })
}

fn specs<C: CommandOptions>() -> impl Iterator<Item = &'static OptionSpec> {
    Options::SPECS.iter().filter(|spec| C::NAMES.contains(&spec.name))
}

fn arg(spec: &'static OptionSpec) -> Arg {
    let arg = Arg::new(spec.name).long(spec.name).help(in_flags(&spec.help()));
    let arg = if spec.group.is_empty() { arg } else { arg.help_heading(spec.group) };
    let action = match spec.takes {
        Takes::Nothing => return arg.action(ArgAction::SetTrue),
        Takes::Value => ArgAction::Set,
        _ => ArgAction::Append,
    };
    // A number may be negative.
    let takes_signs = matches!(spec.name, "mean" | "norm");
    let check = |text: &str| match Options::default().put(spec.name, text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => {
            let message = error.message().to_owned();
            Err(message.strip_prefix(&format!("option {}: ", spec.name)).map_or(message.clone(), str::to_owned))
        }
    };
    arg.action(action).value_name(spec.value).allow_hyphen_values(takes_signs).value_parser(check)
}

impl<C: CommandOptions> Args for Given<C> {
    fn augment_args(command: Command) -> Command {
        command.args(specs::<C>().map(|spec| C::rule(spec.name, arg(spec))))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: CommandOptions> FromArgMatches for Given<C> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut given = Self { options: Options::default(), command: PhantomData };
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        for spec in specs::<C>() {
            let words: Vec<&str> = match spec.takes {
                Takes::Nothing if matches.get_flag(spec.name) => vec!["true"],
                Takes::Nothing => Vec::new(),
                _ => matches.get_many::<String>(spec.name).into_iter().flatten().map(String::as_str).collect(),
            };
            for word in words {
                let wrong = |error: Error| clap::Error::raw(clap::error::ErrorKind::ValueValidation, error.to_string());
                self.options.put(spec.name, word).map_err(wrong)?;
            }
        }
        Ok(())
    }
}

impl<C> fmt::Debug for Given<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    use crate::Cli;

    /// Options of how the program runs and talks, which are nothing of a job.
    const OF_THE_RUN: [&str; 6] = ["help", "version", "threads", "json", "quiet", "job"];

    /// The long flags of `command`, aliases too.
    fn flags(command: &Command) -> Vec<String> {
        let of = |arg: &Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long().into_iter().chain(aliases).map(str::to_owned).collect::<Vec<_>>()
        };
        command.get_arguments().flat_map(of).collect()
    }

    fn commands_with_jobs() -> Vec<(String, Vec<String>)> {
        let cli = Cli::command();
        let with_flags = cli.get_subcommands().map(|command| (command.get_name().to_owned(), flags(command)));
        with_flags.filter(|(_, flags)| flags.iter().any(|flag| flag == "job")).collect()
    }

    #[test]
    fn every_flag_of_a_command_that_takes_jobs_is_a_key() {
        let commands = commands_with_jobs();
        let names: Vec<&str> = commands.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["calibrate", "thresholds", "quantize", "compare"]);
        for (command, flags) in commands {
            for flag in flags.iter().filter(|flag| !OF_THE_RUN.contains(&flag.as_str())) {
                assert!(Options::SPECS.iter().any(|spec| spec.name == flag), "{command} --{flag} is no key");
            }
        }
    }

    #[test]
    fn every_key_is_a_flag() {
        let flags: Vec<String> = commands_with_jobs().into_iter().flat_map(|(_, flags)| flags).collect();
        for spec in Options::SPECS {
            assert!(flags.iter().any(|flag| flag == spec.name), "the key {} is no flag", spec.name);
        }
    }

    #[test]
    fn the_document_lists_every_key() {
        let document = include_str!("../../../docs/job-file.md");
        let listed =
            |name: &str| document.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
        for name in Options::SPECS.iter().map(|spec| spec.name).chain(["blob"]) {
            assert!(listed(name), "{name} is in no row of the table of keys");
        }
    }
}
