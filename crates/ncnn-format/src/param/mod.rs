//! The `.param` text.

/// Something odd in a file that ncnn would accept silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line, counted from 1.
    pub line: usize,
    /// What was found.
    pub message: String,
}
