//! What went wrong, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything in this workspace that touches a model.
pub type Result<T> = std::result::Result<T, Error>;

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file breaks its own format: it is damaged or is something else.
    Malformed,
    /// The file asks for more than [`crate::Limits`] allows.
    TooLarge,
    /// The file is in order; this version cannot do what it asks.
    Unsupported,
    /// The caller passed something that cannot work (shape, name, option).
    Invalid,
    /// The operating system refused to read or write.
    Io,
    /// Whoever asked for the work said that it shall end.
    Cancelled,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too large",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
            Self::Io => "i/o",
            Self::Cancelled => "cancelled",
        })
    }
}

/// Where it went wrong; every part that is known is filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file.
    pub file: Option<PathBuf>,
    /// Line in a text file, counted from 1.
    pub line: Option<usize>,
    /// Offset in a binary file, in bytes from its start.
    pub byte: Option<u64>,
    /// Name of the layer.
    pub layer: Option<String>,
}

/// An error with its kind, its place and the value found there.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    place: Place,
    message: String,
}

impl Error {
    /// An error of `kind`; `message` is lower case, names the value found, and
    /// has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, place: Place::default(), message: message.into() }))
    }

    /// [`ErrorKind::Malformed`].
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }

    /// [`ErrorKind::TooLarge`].
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::TooLarge, message)
    }

    /// [`ErrorKind::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// [`ErrorKind::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// [`ErrorKind::Cancelled`].
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// [`ErrorKind::Io`]: `doing` says what was tried, as in `cannot read`.
    pub fn io(doing: &str, file: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("{doing}: {source}")).in_file(file)
    }

    /// Adds the file, unless one is already named.
    #[must_use]
    pub fn in_file(mut self, file: impl AsRef<Path>) -> Self {
        self.0.place.file.get_or_insert_with(|| file.as_ref().to_owned());
        self
    }

    /// Adds the line (from 1), unless one is already named.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.0.place.line.get_or_insert(line);
        self
    }

    /// Adds the byte offset, unless one is already named.
    #[must_use]
    pub fn at_byte(mut self, byte: u64) -> Self {
        self.0.place.byte.get_or_insert(byte);
        self
    }

    /// Adds the layer, unless one is already named.
    #[must_use]
    pub fn in_layer(mut self, layer: &str) -> Self {
        self.0.place.layer.get_or_insert_with(|| layer.to_owned());
        self
    }

    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it happened.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What happened, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { place, message, .. } = &*self.0;
        if let Some(file) = &place.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = place.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        } else if let Some(line) = place.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(byte) = place.byte {
            write!(f, "byte {byte}: ")?;
        }
        if let Some(layer) = &place.layer {
            write!(f, "layer {layer}: ")?;
        }
        f.write_str(message)
    }
}

// The message ends with the text of what caused it, so there is no `source`.
impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_file_line_and_layer_in_that_order() {
        let error = Error::malformed("expected an integer, found 'x'").in_layer("conv1").at_line(3).in_file("a.param");
        assert_eq!(error.to_string(), "a.param:3: layer conv1: expected an integer, found 'x'");
    }

    #[test]
    fn the_innermost_place_wins() {
        let error = Error::malformed("short").at_byte(8).at_byte(0).in_file("a.bin");
        assert_eq!(error.to_string(), "a.bin: byte 8: short");
    }
}
