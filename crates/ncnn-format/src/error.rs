//! What went wrong, and where.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::Place;
use crate::place::place_methods;

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

/// An error with its kind, its place and the value found there.
///
/// Its text is whole: place, message and what caused it. [`source`](StdError::source)
/// gives the cause as a value, for who wants to know its type; a program that prints
/// the whole chain of causes would print its text twice, and should print the error
/// alone. A clone has the same cause.
///
/// ```
/// use std::error::Error as _;
/// use ncnn_format::{ErrorKind, Model};
///
/// let error = Model::load_param("no/such.param").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Io);
/// assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
/// let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
/// assert!(cause.is_some_and(|cause| error.to_string() == format!("no/such.param: cannot read: {cause}")));
/// ```
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    place: Place,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` is lower case, names the value found, and
    /// has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, place: Place::default(), message: message.into(), source: None }))
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
        Self::new(ErrorKind::Io, doing).caused_by(source).in_file(file)
    }

    /// An error that says what `source` says, and nothing more: for errors of crates
    /// that know nothing of files and layers.
    pub fn wrap(kind: ErrorKind, source: impl StdError + Send + Sync + 'static) -> Self {
        let mut error = Self::new(kind, source.to_string());
        error.0.source = Some(Arc::new(source));
        error
    }

    /// Adds what caused it: the text of `source` ends the message, behind a colon.
    #[must_use]
    pub fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.message = format!("{}: {source}", self.0.message);
        self.0.source = Some(Arc::new(source));
        self
    }

    place_methods!(0.place);

    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it happened.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What the operating system said, if it is what failed.
    pub fn io_kind(&self) -> Option<std::io::ErrorKind> {
        self.source()?.downcast_ref().map(std::io::Error::kind)
    }

    /// What happened, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.place.write_before(&self.0.message, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

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

    #[test]
    fn the_cause_is_kept_and_ends_the_text() {
        let io = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let error = Error::io("cannot write", "a.bin", io());
        assert_eq!(error.to_string(), format!("a.bin: cannot write: {}", io()));
        assert_eq!(error.io_kind(), Some(std::io::ErrorKind::PermissionDenied));

        let number = "x".parse::<i32>().unwrap_err();
        let error = Error::malformed("no count").caused_by(number.clone()).at_line(2);
        assert_eq!(error.to_string(), format!("line 2: no count: {number}"));
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&number));
        assert_eq!(error.io_kind(), None);
    }

    #[test]
    fn a_wrapped_error_keeps_its_words_and_a_clone_its_cause() {
        let number = "x".parse::<i32>().unwrap_err();
        let error = Error::wrap(ErrorKind::Invalid, number.clone()).in_layer("c");
        for error in [error.clone(), error] {
            assert_eq!((error.kind(), error.message()), (ErrorKind::Invalid, number.to_string().as_str()));
            assert_eq!(error.source().map(ToString::to_string), Some(number.to_string()));
        }
    }

    #[test]
    fn an_error_without_a_cause_has_none() {
        assert!(Error::invalid("no scale").source().is_none());
    }
}
