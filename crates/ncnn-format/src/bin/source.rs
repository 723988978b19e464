//! Where the bytes of a `.bin` come from: memory or an open file.

use super::BinFile;
use crate::{Error, Result};

/// Bytes read from a file at a time: few enough to stay in the cache until they
/// are converted, a multiple of every element's size.
const CHUNK: usize = 1 << 18;

/// The bytes of a `.bin`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// All of them in memory.
    Bytes(&'a [u8]),
    /// On disk.
    File(&'a BinFile),
}

impl Source<'_> {
    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.len(),
        }
    }

    /// The word at `byte`.
    pub(super) fn word(&self, byte: u64) -> Result<u32> {
        let mut word = [0; 4];
        self.each_chunk(byte, word.len(), |chunk| {
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        })?;
        Ok(u32::from_le_bytes(word))
    }

    /// Shows `len` bytes from `byte` on to `see`, in order and in pieces of whole
    /// elements.
    pub(super) fn each_chunk(&self, byte: u64, len: usize, mut see: impl FnMut(&[u8])) -> Result<()> {
        match self {
            Self::Bytes(bytes) => {
                let start = usize::try_from(byte).unwrap_or(usize::MAX);
                let wanted = bytes.get(start..).and_then(|bytes| bytes.get(..len));
                see(wanted.ok_or_else(|| Error::malformed(format!("{len} bytes are not there")).at_byte(byte))?);
                Ok(())
            }
            Self::File(file) => {
                let mut buffer = vec![0; len.min(CHUNK)];
                let (mut byte, mut left) = (byte, len);
                while left > 0 {
                    let size = left.min(CHUNK);
                    let chunk = buffer.get_mut(..size).unwrap_or_default();
                    file.read_at(byte, chunk)?;
                    see(chunk);
                    byte = byte.saturating_add(size as u64);
                    left -= size;
                }
                Ok(())
            }
        }
    }
}
