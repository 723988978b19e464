//! Executed instructions of one inference, by function and by step of the plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use ncnn_format::{Error, Result};

use super::symbol::{Class, path};
use crate::cross::builds::Builds;
use crate::cross::process::{output, say};
use crate::cross::target::Cpu;
use crate::models::repository;

/// Times that the program runs the network: the first warms up.
const RUNS: u64 = 2;

/// What one inference executes.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Steps of the plan, in order.
    pub steps: Vec<Step>,
    /// Instructions by function.
    pub functions: BTreeMap<String, u64>,
    /// Where the program's code was loaded.
    pub start_of_code: u64,
    /// Executions of every instruction of kernels, per inference, by address.
    pub addresses: BTreeMap<u64, u64>,
}

/// A step of the plan.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The layer.
    pub layer: String,
    /// Its kernel as the plan names it.
    pub kernel: String,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Instructions by class.
    pub classes: BTreeMap<Class, u64>,
}

impl Counts {
    /// Instructions of `class` in the whole inference.
    pub(crate) fn class(&self, class: Class) -> u64 {
        self.functions.iter().filter(|(path, _)| Class::of(path) == class).map(|(_, count)| count).sum()
    }

    /// The functions of kernels, with their instructions.
    pub(crate) fn kernels(&self) -> impl Iterator<Item = (&String, &u64)> {
        self.functions.iter().filter(|(path, _)| Class::of(path) != Class::Rest)
    }

    /// Instructions of the whole inference.
    pub(crate) fn total(&self) -> u64 {
        self.functions.values().sum()
    }

    /// Multiply-accumulates of the steps whose kernel's name starts with `class`.
    pub(crate) fn macs(&self, class: Class) -> u64 {
        self.steps.iter().filter(|step| step.kernel.starts_with(class.name())).map(|step| step.macs).sum()
    }
}

/// Builds the plugin of qemu that counts; returns its file.
///
/// # Errors
/// `Invalid` when it does not build.
pub(crate) fn plugin(folder: &Path) -> Result<PathBuf> {
    let home = repository().join("xtask/qemu-count");
    let products = folder.join("qemu-count");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]).arg(home.join("Cargo.toml"));
    cargo.env("CARGO_TARGET_DIR", &products);
    output(&mut cargo, "the counting plugin does not build")?;
    Ok(products.join("release").join(format!(
        "{}qemu_count{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )))
}

/// Counts one inference of `network` on `cpu`.
///
/// # Errors
/// `Io` when the program fails, `Invalid` when the counts are not those of its steps.
pub(crate) fn count(builds: &Builds, program: &Path, plugin: &Path, cpu: &Cpu, network: &str) -> Result<Counts> {
    say(&format!("counting {network} on {}", cpu.name));
    let file = program.with_extension("counts");
    let mut command = builds.emulator(cpu);
    command.arg("-plugin").arg(format!("{},out={}", plugin.display(), file.display()));
    command.arg(program).arg(network);
    let printed = output(&mut command, "the network does not run under qemu")?;
    let text = std::fs::read_to_string(&file).map_err(|error| Error::io("cannot read the counts", &file, error))?;
    read(&printed, &text)
}

/// `printed` names the steps, `text` is what the plugin wrote.
fn read(printed: &str, text: &str) -> Result<Counts> {
    let mut counts = Counts { steps: printed.lines().filter_map(step).collect(), ..Counts::default() };
    let mut spans: Vec<Vec<(&str, u64)>> = vec![Vec::new()];
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("mark"), ..) => spans.push(Vec::new()),
            (Some("+"), Some(count), Some(symbol), _) => {
                if let (Some(span), Ok(count)) = (spans.last_mut(), count.parse()) {
                    span.push((symbol, count));
                }
            }
            (Some("start"), Some(address), ..) => counts.start_of_code = number(address),
            (Some("pc"), Some(address), Some(count), Some(symbol)) if Class::of(&path(symbol)) != Class::Rest => {
                let executed = count.parse::<u64>().unwrap_or(0) / RUNS;
                counts.addresses.insert(number(address), executed);
            }
            _ => {}
        }
    }
    // A mark before the run, two around every step, one after the run; what follows the last is no span.
    let marks = 2 * counts.steps.len() + 2;
    let found = spans.len() - 1;
    if counts.steps.is_empty() || found as u64 != RUNS * marks as u64 {
        return Err(Error::invalid(format!(
            "{found} readings of the clock, {marks} a run are those of {} steps",
            counts.steps.len()
        )));
    }
    let run = &spans[found - marks + 1..found];
    for (index, span) in run.iter().enumerate() {
        for &(symbol, count) in span {
            let path = path(symbol);
            if index % 2 == 1 {
                *counts.steps[index / 2].classes.entry(Class::of(&path)).or_default() += count;
            }
            *counts.functions.entry(path).or_default() += count;
        }
    }
    Ok(counts)
}

fn step(line: &str) -> Option<Step> {
    let mut words = line.split('\t');
    let (layer, kernel, macs) = (words.next()?, words.next()?, words.next()?);
    let macs = macs.parse().ok()?;
    Some(Step { layer: layer.to_owned(), kernel: kernel.to_owned(), macs, classes: BTreeMap::new() })
}

fn number(hexadecimal: &str) -> u64 {
    u64::from_str_radix(hexadecimal, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENSE: &str = "_ZN12int8_kernels4arch6scalar12dense_4x16c417h6c0b4b2e5d28ad63E";

    #[test]
    fn the_last_run_is_counted_by_step() {
        let printed = "conv\tdense_4x16c4__scalar\t100\nprob\tfp32-ref\t0\n";
        let run = |first: u64| {
            format!(
                "+ 1 main\nmark\n+ 2 main\nmark\n+ {first} {DENSE}\n+ 3 main\nmark\n+ 1 main\nmark\n+ 7 expf\nmark\n+ 4 main\nmark\n"
            )
        };
        let text = format!("{}{}start 40\npc 44 20 {DENSE}\npc 48 9 main\n", run(50), run(30));
        let counts = read(printed, &text).unwrap();
        assert_eq!(counts.total(), 2 + 30 + 3 + 1 + 7 + 4);
        assert_eq!(counts.class(Class::Dense), 30);
        assert_eq!(counts.macs(Class::Dense), 100);
        assert_eq!(counts.steps[0].classes, BTreeMap::from([(Class::Dense, 30), (Class::Rest, 3)]));
        assert_eq!(counts.steps[1].classes, BTreeMap::from([(Class::Rest, 7)]));
        assert_eq!((counts.start_of_code, counts.addresses), (0x40, BTreeMap::from([(0x44, 10)])));
    }

    #[test]
    fn a_clock_that_was_read_by_somebody_else_is_noticed() {
        assert!(read("conv\tdense\t1\n", "mark\nmark\n").is_err());
        assert!(read("", "").is_err());
    }
}
