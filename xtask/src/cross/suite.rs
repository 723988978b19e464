//! The workspace's tests, built for a target.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ncnn_format::{Error, Result};
use rayon::prelude::*;
use serde_json::Value;

use super::builds::{Builds, imitate};
use super::process::say;
use super::target::Cpu;
use crate::models::repository;

/// `xtask` works on the host; the benches measure time, of which an emulator knows nothing.
const LEFT_OUT: [&str; 2] = ["xtask", "benches"];

/// Crates whose tests depend on instruction sets.
const ISA_CRATES: [&str; 2] = ["int8-kernels", "int8-exec"];

/// Tells the kernel check what must be there.
const REQUIRED: &str = "INT8_REQUIRE_ISA";

/// The test of whole networks, which depends on them too.
const NETWORKS: (&str, &str) = ("quantizer", "network_digests");

/// Test programs for a target.
pub(crate) struct Suite<'a> {
    builds: &'a Builds,
    programs: Vec<Program>,
}

/// One test program.
struct Program {
    /// The crate.
    package: String,
    /// The file of tests, or the crate for its unit tests.
    name: String,
    path: PathBuf,
    /// Where its tests expect to run.
    folder: PathBuf,
}

/// What came of running tests on a CPU.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Cases by kernel, as the kernel checks report them.
    pub cases: BTreeMap<String, u64>,
    /// Tests that passed.
    pub passed: u64,
    /// Programs with tests that failed.
    pub failed: Vec<String>,
}

impl<'a> Suite<'a> {
    /// Builds the tests.
    ///
    /// # Errors
    /// `Invalid` when they do not build; the compiler has said why.
    pub(crate) fn build(builds: &'a Builds) -> Result<Self> {
        let triple = builds.target.triple;
        say(&format!("building the tests for {triple} (without {})", LEFT_OUT.join(" and ")));
        let mut cargo = tests(builds);
        cargo.args(["--no-run", "--message-format=json-render-diagnostics"]).stdout(Stdio::piped());
        let mut child = cargo.spawn().map_err(|error| Error::io("cannot run cargo", repository(), error))?;
        let messages = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
        let programs: Vec<Program> = messages.map_while(|line| line.ok()).filter_map(|line| program(&line)).collect();
        let status = child.wait().map_err(|error| Error::io("cannot wait for cargo", repository(), error))?;
        if !status.success() || programs.is_empty() {
            return Err(Error::invalid(format!("the tests for {triple} do not build")));
        }
        Ok(Self { builds, programs })
    }

    /// Runs the tests that depend on instruction sets, or all of them with those in docs, on `cpu`.
    ///
    /// # Errors
    /// `Io` when a program cannot be started. Tests that fail are part of the outcome.
    pub(crate) fn run(&self, cpu: &Cpu, required: &[&str], whole: bool) -> Result<Outcome> {
        let wanted: Vec<&Program> = self.programs.iter().filter(|program| whole || program.depends_on_isa()).collect();
        // Many programs keep one processor busy only.
        let outcomes = wanted.into_par_iter().with_max_len(1).map(|program| {
            let mut command = self.builds.emulator(cpu);
            command.arg(&program.path).current_dir(&program.folder).env(REQUIRED, required.join(","));
            Outcome::of(&format!("{} {}", program.package, program.name), command)
        });
        let mut outcomes = outcomes.collect::<Result<Vec<_>>>()?;
        if whole {
            let mut docs = tests(self.builds);
            imitate(docs.arg("--doc"), cpu);
            outcomes.push(Outcome::of("docs", docs)?);
        }
        Ok(outcomes.into_iter().fold(Outcome::default(), Outcome::and))
    }
}

/// `cargo test` of the workspace for the target, or of what depends on instruction sets.
fn tests(builds: &Builds) -> Command {
    let mut command = builds.cargo("test");
    if builds.target.whole_suite {
        command.arg("--workspace");
        for package in LEFT_OUT {
            command.args(["--exclude", package]);
        }
    } else {
        for package in ISA_CRATES.into_iter().chain([NETWORKS.0]) {
            command.args(["--package", package]);
        }
    }
    command
}

impl Program {
    fn depends_on_isa(&self) -> bool {
        ISA_CRATES.contains(&self.package.as_str()) || (self.package.as_str(), self.name.as_str()) == NETWORKS
    }
}

impl Outcome {
    /// Runs one program and keeps what it says about its tests.
    fn of(name: &str, mut command: Command) -> Result<Self> {
        let mut outcome = Self::default();
        let start = std::time::Instant::now();
        let failed = |error| Error::io("cannot run the tests", name, error);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        let errors = child.stderr.take();
        // Both pipes are read at once: a full one would stop the program.
        let reader = std::thread::spawn(move || text(errors));
        let printed = text(child.stdout.take());
        let complaints = reader.join().unwrap_or_default();
        let status = child.wait().map_err(failed)?;
        outcome.read(printed.lines().chain(complaints.lines()));
        say(&format!("{name}: {} passed, {:.1} s", outcome.passed, start.elapsed().as_secs_f64()));
        if !status.success() {
            outcome.failed.push(name.to_owned());
            println!("{printed}\n{complaints}\n{name}: FAILED, {status}");
        }
        Ok(outcome)
    }

    /// Both together.
    fn and(mut self, other: Self) -> Self {
        for (kernel, cases) in other.cases {
            *self.cases.entry(kernel).or_default() += cases;
        }
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self
    }

    /// What is amiss: programs with tests that failed, and `required` instruction sets that no kernel check ran.
    pub(crate) fn misses(&self, cpu: &Cpu, required: &[&str]) -> Vec<String> {
        let failed = self.failed.iter().map(|name| format!("{} failed on {}", name, cpu.name));
        let ran = |isa: &str| self.cases.keys().any(|kernel| kernel.ends_with(&format!("__{isa}")));
        let absent = required.iter().filter(|isa| !ran(isa)).map(|isa| format!("{isa} did not run on {}", cpu.name));
        failed.chain(absent).collect()
    }

    /// Adds the lines `checked KERNEL CASES` and `test result: … N passed`.
    fn read<'l>(&mut self, lines: impl Iterator<Item = &'l str>) {
        for line in lines {
            if let Some((kernel, cases)) = line.strip_prefix("checked ").and_then(|rest| rest.split_once(' ')) {
                *self.cases.entry(kernel.to_owned()).or_default() += cases.trim().parse::<u64>().unwrap_or(0);
            }
            if let Some((before, _)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(" passed")) {
                self.passed += before.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
            }
        }
    }
}

/// A test program in a message of cargo.
fn program(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = PathBuf::from(message["executable"].as_str()?);
    message["profile"]["test"].as_bool()?.then_some(())?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let package = folder.file_name()?.to_str()?.to_owned();
    Some(Program { package, name: message["target"]["name"].as_str()?.to_owned(), path, folder })
}

fn text(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    // What cannot be read was not said.
    let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_and_passed_tests_are_read_from_what_a_program_prints() {
        let mut outcome = Outcome::default();
        let lines =
            ["checked dense_1x1c4__scalar 30", "test a ... ok", "test result: ok. 5 passed; 0 failed", "checked"];
        outcome.read(lines.into_iter());
        assert_eq!(outcome.passed, 5);
        assert_eq!(outcome.cases["dense_1x1c4__scalar"], 30);
        assert_eq!(outcome.cases.len(), 1);
    }

    #[test]
    fn a_required_instruction_set_that_did_not_run_is_a_miss() {
        let cpu = Cpu { name: "a53", isas: &[] };
        let mut outcome = Outcome::default();
        outcome.read(["checked dense_8x8c4__neon 30"].into_iter());
        assert_eq!(outcome.misses(&cpu, &["neon"]), [""; 0]);
        assert_eq!(outcome.misses(&cpu, &["neon", "dotprod"]), ["dotprod did not run on a53"]);
        outcome.failed.push("cli files".to_owned());
        assert_eq!(outcome.misses(&cpu, &["neon"]), ["cli files failed on a53"]);
    }

    #[test]
    fn only_test_programs_are_taken_from_cargos_messages() {
        let message = |executable: &str, test: bool| {
            format!(
                r#"{{"executable":{executable},"profile":{{"test":{test}}},"manifest_path":"a/cli/Cargo.toml","target":{{"name":"files"}}}}"#
            )
        };
        let found = program(&message("\"x\"", true)).map(|program| (program.package, program.name));
        assert_eq!(found, Some(("cli".to_owned(), "files".to_owned())));
        assert!(program(&message("\"x\"", false)).is_none());
        assert!(program(&message("null", true)).is_none());
    }
}
