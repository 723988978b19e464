//! Python and the ncnn wheel, in a private virtual environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use ncnn_format::{Error, Result};
use serde::Serialize;

use crate::models::repository;

/// A virtual environment under `target/` that holds the ncnn wheel.
pub(crate) struct Python {
    interpreter: PathBuf,
    /// The wheel's version, for reports.
    pub ncnn_version: String,
}

/// Samples to run through one network in the stock runtime.
#[derive(Debug, Serialize)]
pub(crate) struct Job {
    /// The `.param` file.
    pub param: PathBuf,
    /// The `.bin` file.
    pub bin: PathBuf,
    /// Whether the network is quantized.
    pub int8: bool,
    /// Input blobs and the `.npy` files (first axis: sample) to read.
    pub inputs: Vec<(String, PathBuf)>,
    /// Output blobs and the `.npy` files (first axis: sample) to write.
    pub outputs: Vec<(String, PathBuf)>,
}

impl Python {
    /// Opens the environment, and makes it first if it is not there or is broken.
    ///
    /// # Errors
    /// `Io` in one sentence when Python, its venv module or the wheel cannot be had.
    pub(crate) fn with_ncnn() -> Result<Self> {
        let folder = target_folder().join("venv");
        let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        if let Some(ncnn_version) = wheel_version(&interpreter) {
            return Ok(Self { interpreter, ncnn_version });
        }
        create(&folder, &interpreter)?;
        let ncnn_version = wheel_version(&interpreter)
            .ok_or_else(|| failed("the ncnn wheel was installed and cannot be imported", &folder))?;
        Ok(Self { interpreter, ncnn_version })
    }

    /// Runs `jobs` in one process; `file` is where their description goes.
    ///
    /// # Errors
    /// `Io` with what Python said last when it fails.
    pub(crate) fn run(&self, jobs: &[Job], file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&jobs.iter().map(description).collect::<Vec<_>>())
            .map_err(|error| Error::invalid(format!("cannot describe the jobs: {error}")))?;
        std::fs::write(file, text).map_err(|error| Error::io("cannot write", file, error))?;
        let script = repository().join("xtask/python/run_ncnn.py");
        run(Command::new(&self.interpreter).arg(script).arg(file), "the stock runtime failed")
    }
}

/// Where build products go: `target/`, or wherever cargo was told.
pub(crate) fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => repository().join(folder),
        None => repository().join("target"),
    }
}

fn description(job: &Job) -> serde_json::Value {
    let map = |files: &[(String, PathBuf)]| -> serde_json::Map<String, serde_json::Value> {
        files.iter().map(|(blob, path)| (blob.clone(), path.display().to_string().into())).collect()
    };
    serde_json::json!({
        "param": job.param, "bin": job.bin, "int8": job.int8,
        "inputs": map(&job.inputs), "outputs": map(&job.outputs),
    })
}

/// The version of the importable ncnn wheel; `None` without one.
fn wheel_version(interpreter: &Path) -> Option<String> {
    let output = Command::new(interpreter).args(["-c", "import ncnn, numpy; print(ncnn.__version__)"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn create(folder: &Path, interpreter: &Path) -> Result<()> {
    eprintln!("making {} with the ncnn wheel (once)", folder.display());
    if Command::new("python3").arg("--version").output().is_err() {
        return Err(failed("python3 is not installed, and the stock ncnn runtime is a Python wheel", folder));
    }
    run(
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder),
        "python3 cannot make a virtual environment (on Debian: apt-get install python3-venv)",
    )?;
    run(
        Command::new(interpreter)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(repository().join("xtask/python/requirements.txt")),
        "pip cannot install the ncnn wheel (is the network reachable?)",
    )
}

/// Runs `command` to its end; on failure says `doing` and the last line of its complaint.
fn run(command: &mut Command, doing: &str) -> Result<()> {
    let program = PathBuf::from(command.get_program());
    let output = command.output().map_err(|error| Error::io(doing, &program, error))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(failed(&format!("{doing}: {last}"), &program))
}

fn failed(message: &str, file: &Path) -> Error {
    Error::new(ncnn_format::ErrorKind::Io, message).in_file(file)
}
