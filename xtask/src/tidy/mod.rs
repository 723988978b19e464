//! What clippy cannot check: the invariants of the repository as a whole.

mod circles;
mod crates;
mod file;
mod flags;
mod lines;
mod links;
mod modules;
mod numbers;
mod rust;
mod steps;
mod words;

use std::collections::BTreeSet;
use std::process::Command;

use clap::Args;
use ncnn_format::{Error, Result};

use crate::models::repository;
use file::{Complaint, File};

/// Bytes that all files of the repository may have together.
const MAX_REPOSITORY_BYTES: u64 = 16_000_000;
/// Arguments of `tidy`.
#[derive(Debug, Args)]
pub(crate) struct TidyArgs {
    /// Print lines of tests per line of code, doctests, examples and public items instead
    #[arg(long)]
    numbers: bool,
}

/// Checks every file that git knows or would add.
///
/// # Errors
/// `Invalid` with the number of complaints; the complaints are printed.
pub(crate) fn run(args: &TidyArgs) -> Result<()> {
    let names = list_files()?;
    let mut bytes = 0;
    let mut files = Vec::new();
    for name in &names {
        let path = repository().join(name);
        let content = std::fs::read(&path).map_err(|error| Error::io("cannot read", &path, error))?;
        bytes += content.len() as u64;
        if let Ok(text) = String::from_utf8(content) {
            files.push(File { name: name.clone(), text });
        }
    }
    if args.numbers {
        numbers::print(&files);
        return Ok(());
    }
    let mut complaints = Vec::new();
    files.iter().for_each(|file| lines::check(file, &mut complaints));
    circles::check(&files, &mut complaints);
    crates::check(&files, &mut complaints);
    steps::check(&files, &mut complaints);
    numbers::check(&files, &mut complaints);
    links::check(&files, &names.iter().map(String::as_str).collect::<BTreeSet<_>>(), &mut complaints);
    if bytes > MAX_REPOSITORY_BYTES {
        let what = format!("{bytes} bytes in all files together, at most {MAX_REPOSITORY_BYTES} wanted");
        complaints.push(Complaint::new(".", None, &what));
    }
    complaints.iter().for_each(|complaint| println!("{complaint}"));
    if complaints.is_empty() {
        println!("tidy: {} files, {:.1} MB", names.len(), bytes as f64 / 1e6);
        Ok(())
    } else {
        Err(Error::invalid(format!("tidy found {} things to put right", complaints.len())))
    }
}

/// Files under version control and new ones that are not ignored.
fn list_files() -> Result<Vec<String>> {
    let output = Command::new("git")
        // The clone may belong to another user than the one who runs the gates.
        .args(["-c", "safe.directory=*", "-C"])
        .arg(repository())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| Error::io("cannot run git", repository(), error))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::invalid(format!("git cannot list the files: {message}")));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names
        .split('\0')
        .filter(|name| !name.is_empty() && repository().join(name).is_file())
        .map(str::to_owned)
        .collect())
}
