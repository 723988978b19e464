//! A `.bin` that stays on disk.
//!
//! Its weights are fetched with positioned reads, not through a memory map: a map
//! needs `unsafe`, and whoever cuts the file short while it is mapped kills the
//! process with SIGBUS, where a read is an error that names the byte. What a map is
//! wanted for is had as well: opening costs the same for every size, only what is
//! asked for is read, and the page cache keeps it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// An open `.bin`; see [`Model::index_bin`](crate::Model::index_bin).
#[derive(Debug)]
pub struct BinFile {
    path: PathBuf,
    file: Positioned,
    len: u64,
}

impl BinFile {
    /// Opens the file; nothing is read yet.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), and
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is no regular file
    /// (a pipe has no positions; read it whole with [`Model::load`](crate::Model::load)).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let cannot_read = |error| Error::io("cannot read", path, error);
        let file = File::open(path).map_err(cannot_read)?;
        let metadata = file.metadata().map_err(cannot_read)?;
        if !metadata.is_file() {
            return Err(Error::invalid("no regular file, which reading weights one by one needs").in_file(path));
        }
        Ok(Self { path: path.to_owned(), file: Positioned::new(file), len: metadata.len() })
    }

    /// Bytes in the file when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills `buffer` with the bytes from `byte` on.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) with file and byte, also when there are
    /// fewer bytes.
    pub fn read_at(&self, byte: u64, buffer: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(buffer, byte).map_err(|error| Error::io("cannot read", &self.path, error).at_byte(byte))
    }
}

/// A file that can be read from any place by several threads at once.
#[cfg(unix)]
#[derive(Debug)]
struct Positioned(File);

#[cfg(unix)]
impl Positioned {
    fn new(file: File) -> Self {
        Self(file)
    }

    fn read_exact_at(&self, buffer: &mut [u8], byte: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, byte)
    }
}

#[cfg(not(unix))]
use locked::Positioned;

/// For systems whose files have only one position: one reader at a time moves it.
#[cfg(any(test, not(unix)))]
mod locked {
    use std::fs::File;
    use std::io::{self, Read as _, Seek as _, SeekFrom};
    use std::sync::{Mutex, PoisonError};

    #[derive(Debug)]
    pub(super) struct Positioned(Mutex<File>);

    impl Positioned {
        pub(super) fn new(file: File) -> Self {
            Self(Mutex::new(file))
        }

        pub(super) fn read_exact_at(&self, buffer: &mut [u8], byte: u64) -> io::Result<()> {
            // Every reader seeks first, so a position that a panic left behind does no harm.
            let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(byte))?;
            file.read_exact(buffer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn bytes_come_from_where_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::fs::write(&path, b"0123456789").unwrap();
        let file = BinFile::open(&path).unwrap();
        let locked = locked::Positioned::new(File::open(&path).unwrap());
        for (byte, expected) in [(6, b"678"), (0, b"012"), (7, b"789")] {
            let (mut a, mut b) = ([0; 3], [0; 3]);
            file.read_at(byte, &mut a).unwrap();
            locked.read_exact_at(&mut b, byte).unwrap();
            assert_eq!((&a, &b), (expected, expected));
        }
        assert_eq!((file.len(), file.is_empty(), file.path()), (10, false, path.as_path()));
        assert!(locked.read_exact_at(&mut [0; 3], 8).is_err());
        let error = file.read_at(8, &mut [0; 3]).unwrap_err();
        assert_eq!((error.kind(), error.place().byte), (ErrorKind::Io, Some(8)));
    }

    #[test]
    fn a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(BinFile::open(folder.path()).is_err());
        assert_eq!(BinFile::open(folder.path().join("none")).unwrap_err().kind(), ErrorKind::Io);
    }
}
