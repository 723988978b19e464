//! Running other programs and saying so.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use ncnn_format::{Error, ErrorKind, Result};

/// Tells whoever waits what is happening.
pub(crate) fn say(what: &str) {
    eprintln!("cross: {what}");
}

/// Whether `command` can be started and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs `command` to its end and returns what it prints.
///
/// # Errors
/// `Io` with `doing` and the last line of its complaint.
pub(crate) fn output(command: &mut Command, doing: &str) -> Result<String> {
    let program = PathBuf::from(command.get_program());
    let output = command.stdin(Stdio::null()).output().map_err(|error| Error::io(doing, &program, error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(Error::new(ErrorKind::Io, format!("{doing}: {last}")).in_file(program))
}

/// Whether this process may install packages, and the command that does it: as root, or with a `sudo` that
/// does not ask.
pub(crate) fn as_root(program: &str) -> Option<Command> {
    if output(Command::new("id").arg("-u"), "cannot tell who runs this").is_ok_and(|id| id.trim() == "0") {
        return Some(Command::new(program));
    }
    if succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut command = Command::new("sudo");
        command.args(["-n", program]);
        return Some(command);
    }
    None
}
