//! Python and the ncnn wheel, in a private virtual environment.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ncnn_format::{Error, Result};
use serde_json::{Map, Value, json};

use crate::models::{ModelSpec, repository};

/// A virtual environment under `target/` that holds the ncnn wheel.
pub(crate) struct Python {
    interpreter: PathBuf,
    /// The wheel's version, for reports.
    pub ncnn_version: String,
}

/// Samples to run through one network in the stock runtime.
#[derive(Debug)]
pub(crate) struct NetworkJob {
    /// The `.param` file.
    pub param: PathBuf,
    /// The `.bin` file.
    pub bin: PathBuf,
    /// Whether the network is quantized.
    pub int8: bool,
    /// Whether ncnn may pack, and use Winograd and sgemm, as it does by default.
    pub fast: bool,
    /// Input blobs and the `.npy` files (first axis: sample) to read.
    pub inputs: Vec<(String, PathBuf)>,
    /// Output blobs and the `.npy` files (first axis: sample) to write.
    pub outputs: Vec<(String, PathBuf)>,
}

/// Pictures to turn into inputs as ncnn does.
#[derive(Debug)]
pub(crate) struct PictureJob {
    /// The network whose input they become.
    pub spec: &'static ModelSpec,
    /// `.npy` files `[height, width, 3]` of RGB values 0…255 to read.
    pub pictures: Vec<PathBuf>,
    /// The `.npy` file (first axis: sample) to write.
    pub tensors: PathBuf,
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
    pub(crate) fn run(&self, jobs: &[Value], file: &Path) -> Result<()> {
        std::fs::write(file, format!("{:#}\n", json!(jobs))).map_err(|error| Error::io("cannot write", file, error))?;
        self.script("run_ncnn.py", &[file]).map(|_| ())
    }

    /// Writes int8 layers with ncnn's outputs to `prefix` with the suffixes `txt` and `bin`.
    ///
    /// # Errors
    /// `Io` with what Python said last when it fails.
    pub(crate) fn int8_cases(&self, prefix: &Path) -> Result<()> {
        self.script("int8_goldens.py", &[prefix]).map(|_| ())
    }

    /// Runs a script of xtask/python and returns what it prints.
    ///
    /// # Errors
    /// `Io` with what Python said last when it fails.
    pub(crate) fn script(&self, name: &str, files: &[&Path]) -> Result<String> {
        let script = repository().join("xtask/python").join(name);
        run(Command::new(&self.interpreter).arg(script).args(files), "the stock runtime failed")
    }

    /// Starts a script of xtask/python that answers questions.
    ///
    /// # Errors
    /// `Io` when it cannot be started.
    pub(crate) fn converse(&self, name: &str) -> Result<Conversation> {
        let script = repository().join("xtask/python").join(name);
        let mut command = Command::new(&self.interpreter);
        let child = command.arg(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| Error::io("cannot start", &script, error))?;
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        let (Some(questions), Some(answers)) = (questions, answers) else {
            return Err(failed("there is nobody to talk to", &script));
        };
        Ok(Conversation { child, questions: Some(questions), answers: BufReader::new(answers), script })
    }
}

/// A running script that answers every line with a line, both JSON.
pub(crate) struct Conversation {
    child: Child,
    /// Closed to end the script.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    script: PathBuf,
}

impl Conversation {
    /// What the script says to `question`.
    ///
    /// # Errors
    /// `Io` when it does not answer; why, it has written to standard error.
    pub(crate) fn ask(&mut self, question: &Value) -> Result<Value> {
        let silent = |error| Error::io("no answer from", &self.script, error);
        if let Some(questions) = &mut self.questions {
            writeln!(questions, "{question}").map_err(silent)?;
        }
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(silent)?;
        serde_json::from_str(&answer).map_err(|_| failed("the stock runtime gave no answer", &self.script))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.questions = None;
        // How it ends does not matter any more.
        let _ = self.child.wait();
    }
}

impl NetworkJob {
    /// As `run_ncnn.py` reads it.
    pub(crate) fn describe(&self) -> Value {
        let map = |files: &[(String, PathBuf)]| -> Map<String, Value> {
            files.iter().map(|(blob, path)| (blob.clone(), json!(path))).collect()
        };
        json!({
            "param": self.param, "bin": self.bin, "int8": self.int8, "fast": self.fast,
            "inputs": map(&self.inputs), "outputs": map(&self.outputs),
        })
    }
}

impl PictureJob {
    /// As `run_ncnn.py` reads it.
    pub(crate) fn describe(&self) -> Value {
        let (width, height, _) = self.spec.shape;
        json!({
            "pictures": self.pictures, "tensors": self.tensors, "width": width, "height": height,
            "pixel": self.spec.pixel, "mean": self.spec.mean, "norm": self.spec.norm,
        })
    }
}

/// Where build products go: `target/`, or wherever cargo was told.
pub(crate) fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => repository().join(folder),
        None => repository().join("target"),
    }
}

/// The version of the importable ncnn wheel; `None` without one.
fn wheel_version(interpreter: &Path) -> Option<String> {
    let output =
        Command::new(interpreter).args(["-c", "import ncnn, numpy, PIL; print(ncnn.__version__)"]).output().ok()?;
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
    .map(|_| ())
}

/// Runs `command` to its end and returns its output; on failure says `doing` and the last line of its complaint.
fn run(command: &mut Command, doing: &str) -> Result<String> {
    let program = PathBuf::from(command.get_program());
    let output = command.output().map_err(|error| Error::io(doing, &program, error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(failed(&format!("{doing}: {last}"), &program))
}

fn failed(message: &str, file: &Path) -> Error {
    Error::new(ncnn_format::ErrorKind::Io, message).in_file(file)
}
