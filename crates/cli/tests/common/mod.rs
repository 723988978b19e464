//! A scratch folder and the binary to run in it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
// Each test file uses its own part of this module.
#![allow(dead_code, reason = "shared by several test binaries")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A folder that is removed at the end of the test.
pub(crate) struct Workspace(tempfile::TempDir);

impl Workspace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With `lenet.param`, `lenet.bin` and a few images in `calib/`.
    pub(crate) fn with_lenet() -> Self {
        let at = Self::new();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fmnist");
        for suffix in ["param", "bin"] {
            fs::copy(fixtures.join(format!("lenet_fp16w.{suffix}")), at.path(&format!("lenet.{suffix}"))).unwrap();
        }
        fs::create_dir(at.path("calib")).unwrap();
        let mut images: Vec<_> =
            fs::read_dir(fixtures.join("calib")).unwrap().map(|entry| entry.unwrap().path()).collect();
        images.sort();
        for image in images.iter().filter(|path| path.extension().is_some_and(|e| e == "png")).take(8) {
            fs::copy(image, at.path("calib").join(image.file_name().unwrap())).unwrap();
        }
        at
    }

    /// With `tiny.param`: one 1×1 convolution from one channel to two,
    /// and `in/a.npy`, a 1×2×4 input.
    pub(crate) fn with_tiny_net(weights: &[f32; 2]) -> Self {
        let at = Self::new();
        at.write(
            "tiny.param",
            b"7767517\n2 2\nInput data 0 1 data 0=4 1=2 2=1\nConvolution conv 1 1 data out 0=2 1=1 6=2\n",
        );
        let mut bin = 0u32.to_le_bytes().to_vec();
        bin.extend(weights.iter().flat_map(|weight| weight.to_le_bytes()));
        at.write("tiny.bin", &bin);
        at.write_tiny_input(&[0.5, -1.0, 2.0, 0.25, 0.0, 1.5, -0.5, 0.75]);
        at
    }

    pub(crate) fn write_tiny_input(&self, values: &[f32; 8]) {
        let mut npy = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 4), }";
        npy.extend(format!("{header:<117}\n").bytes());
        npy.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.write("in/a.npy", &npy);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn calibrate<'a>(&self, images: &'a str, out: &'a str) -> Vec<&'a str> {
        let mut args = vec!["calibrate", "--param", "lenet.param", "--bin", "lenet.bin", "--pixel", "GRAY"];
        args.extend(["--images", images, "--out", out]);
        args
    }

    pub(crate) fn quantize<'a>(&self, table: &'a str, out: &'a str) -> Vec<&'a str> {
        vec!["quantize", "--param", "lenet.param", "--bin", "lenet.bin", "--table", table, "--out", out]
    }

    pub(crate) fn compare<'a>(&self, images: &'a str, labels: &'a str) -> Vec<&'a str> {
        let mut args = vec!["compare", "--param", "lenet.param", "--bin", "lenet.bin"];
        args.extend(["--int8-param", "int8.param", "--int8-bin", "int8.bin", "--images", images, "--labels", labels]);
        args
    }

    pub(crate) fn tiny<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        let mut args = vec!["calibrate", "--param", "tiny.param", "--bin", "tiny.bin", "--images", "in"];
        args.extend(["--out", "t.table"]);
        args.extend(more);
        args
    }
}

/// The binary, or an emulator that runs it if `TEST_RUNNER` names one.
fn binary() -> Command {
    let binary = env!("CARGO_BIN_EXE_ncnn-quant");
    match std::env::var_os("TEST_RUNNER") {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(binary);
            command
        }
        None => Command::new(binary),
    }
}

/// Runs the binary in the folder.
pub(crate) fn run(args: &[&str], at: &Workspace) -> Output {
    binary().args(args).current_dir(at.0.path()).output().unwrap()
}

/// Starts the binary in the folder and does not wait for it.
pub(crate) fn spawn(args: &[&str], at: &Workspace) -> Child {
    binary().args(args).current_dir(at.0.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs, expects exit code 1, returns the last line of standard error.
pub(crate) fn fails(args: &[&str], at: &Workspace) -> String {
    fails_with(args, at).lines().last().unwrap_or_default().to_owned()
}

/// Runs, expects exit code 1, returns standard error.
pub(crate) fn fails_with(args: &[&str], at: &Workspace) -> String {
    let output = run(args, at);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    message
}

/// Runs, expects exit code 0, returns standard output.
pub(crate) fn succeeds(args: &[&str], at: &Workspace) -> String {
    let output = run(args, at);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
