//! Files that are read within limits, and appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::foreign::explain;
use crate::{Error, Result};

/// Writes `bytes` to `path`: first to a temporary file beside it, then renamed.
/// A link is followed: the file that it leads to is replaced, not the link.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io); the temporary file is removed and
/// whatever stood at `path` is untouched. [`ErrorKind::Invalid`](crate::ErrorKind::Invalid)
/// when that is a folder, a device or a pipe, which a rename would destroy.
pub fn write_whole(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    write_all_whole(&[(path.as_ref(), bytes)])
}

/// Writes several files: all are complete under temporary names before the first
/// is renamed.
///
/// # Errors
/// As [`write_whole`]. Should a rename fail, those before it have happened.
pub fn write_all_whole(files: &[(&Path, &[u8])]) -> Result<()> {
    let targets = files.iter().map(|(path, _)| target(path)).collect::<Result<Vec<_>>>()?;
    let files: Vec<(&Path, &[u8])> =
        targets.iter().map(PathBuf::as_path).zip(files.iter().map(|file| file.1)).collect();
    let temporaries: Vec<PathBuf> = targets.iter().map(|path| temporary_name(path)).collect();
    let written = write_then_rename(&files, &temporaries);
    if written.is_err() {
        for temporary in &temporaries {
            // The first error is the one to report; a left-over is only untidy.
            let _ = fs::remove_file(temporary);
        }
    }
    written
}

fn write_then_rename(files: &[(&Path, &[u8])], temporaries: &[PathBuf]) -> Result<()> {
    for ((path, bytes), temporary) in files.iter().zip(temporaries) {
        write_synced(temporary, bytes).map_err(|error| Error::io("cannot write", path, error))?;
    }
    for ((path, _), temporary) in files.iter().zip(temporaries) {
        fs::rename(temporary, path).map_err(|error| Error::io("cannot write", path, error))?;
    }
    Ok(())
}

/// The file to replace, behind any links.
fn target(path: &Path) -> Result<PathBuf> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::invalid("cannot write: this is a folder").in_file(path)),
        Ok(found) if !found.is_file() => {
            Err(Error::invalid("cannot write: this is a device or a pipe, expected a regular file").in_file(path))
        }
        Ok(_) if path.is_symlink() => fs::canonicalize(path).map_err(|error| Error::io("cannot write", path, error)),
        // Whatever else is wrong shows when the temporary file is created.
        _ => Ok(path.to_owned()),
    }
}

/// The bytes reach the disk before the name does.
fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A sibling name that no other process or thread uses, so that the rename stays
/// on one file system and two runs do not meet.
fn temporary_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{count}.part", std::process::id()));
    path.with_file_name(name)
}

/// The bytes of `path`, if there are at most `limit`.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let cannot_read = |error| Error::io("cannot read", path, error);
    let too_large = || Error::too_large(format!("more bytes than the limit {limit}")).in_file(path);
    let file = File::open(path).map_err(cannot_read)?;
    let promised = file.metadata().map_err(cannot_read)?.len();
    if promised > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(promised).unwrap_or(0));
    // The size of a pipe is not known before it ends.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(cannot_read)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

/// The first few thousand bytes of a regular file, to recognise it by; as many as
/// there are.
pub(crate) fn first_bytes(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
        && let Ok(file) = File::open(path)
    {
        // What was read before an error will do.
        let _ = file.take(4096).read_to_end(&mut head);
    }
    head
}

/// The text of `path`, if it is at most `limit` bytes of UTF-8.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String> {
    into_text(read_limited(path, limit)?).map_err(|error| error.in_file(path))
}

/// `bytes` as text.
pub(crate) fn into_text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        let found = error.as_bytes().get(start).copied().unwrap_or(0);
        let no_text = format!("expected UTF-8 text, found byte 0x{found:02X}; is this a binary file?");
        explain(Error::malformed(no_text).at_byte(start as u64), error.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_failed_write_leaves_no_trace_and_no_first_file() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("a"), folder.path().join("missing").join("b"));
        fs::write(&good, "old").unwrap();
        let error = write_all_whole(&[(&good, b"new"), (&bad, b"new")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.place().file.as_deref(), Some(bad.as_path()));
        assert_eq!(fs::read(&good).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files are gone");
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_whole(folder.path(), b"new").unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Invalid, "cannot write: this is a folder"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_what_is_no_file_stays_what_it_is() {
        use std::os::unix::fs::symlink;
        use std::os::unix::net::UnixListener;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("real"), "old").unwrap();
        symlink("real", at("link")).unwrap();
        write_whole(at("link"), b"new").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(fs::read(at("real")).unwrap(), b"new");
        // A socket stands for devices and pipes, which a test cannot make without a privilege or a crate.
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let error = write_whole(at("socket"), b"new").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!fs::metadata(at("socket")).unwrap().is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "temporary files are gone");
    }

    #[test]
    fn a_file_above_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_limited(&path, 5).unwrap(), b"12345");
        assert_eq!(read_limited(&path, 4).unwrap_err().kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn binary_files_are_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.param");
        fs::write(&path, [b'7', 0x85, 0x76, 0x00]).unwrap();
        let error = read_text(&path, 100).unwrap_err();
        assert_eq!((error.kind(), error.place().byte), (ErrorKind::Malformed, Some(1)));
        assert_eq!(error.message(), "expected UTF-8 text, found byte 0x85; is this a binary file?");
    }
}
