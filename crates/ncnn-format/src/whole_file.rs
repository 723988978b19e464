//! Files that appear whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Writes `bytes` to `path`: first to a temporary file beside it, then renamed.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io); the temporary file is removed and
/// whatever stood at `path` is untouched.
pub fn write_whole(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let temporary = temporary_name(path);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // The first error is the one to report; a left-over is only untidy.
        let _ = fs::remove_file(&temporary);
        Error::io("cannot write", path, error)
    })
}

/// A sibling name that no other process uses, so that the rename stays on one
/// file system and two runs do not meet.
fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}
