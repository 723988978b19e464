//! Where something was found.

use std::fmt;
use std::path::PathBuf;

/// Where something was found; every part that is known is filled in.
///
/// Its text is the parts that are known, with a colon and a blank between them:
/// `a.param:3: layer conv1`, `a.bin: byte 64`, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct Place {
    /// The file.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub file: Option<PathBuf>,
    /// Line in a text file, counted from 1.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub line: Option<usize>,
    /// Offset in a binary file, in bytes from its start.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub byte: Option<u64>,
    /// Name of the layer.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub layer: Option<String>,
}

impl Place {
    /// Whether no part is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the place before `message`.
    pub(crate) fn write_before(&self, message: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown() { f.write_str(message) } else { write!(f, "{self}: {message}") }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file_and_line = match (&self.file, self.line) {
            (Some(file), Some(line)) => Some(format!("{}:{line}", file.display())),
            (Some(file), None) => Some(file.display().to_string()),
            (None, Some(line)) => Some(format!("line {line}")),
            (None, None) => None,
        };
        let byte = self.byte.map(|byte| format!("byte {byte}"));
        let layer = self.layer.as_ref().map(|layer| format!("layer {layer}"));
        let parts: Vec<String> = [file_and_line, byte, layer].into_iter().flatten().collect();
        f.write_str(&parts.join(": "))
    }
}

/// The methods that fill in a place, for a type whose place is `self.$place`.
macro_rules! place_methods {
    ($($place:tt)+) => {
        /// Adds the file, unless one is already named.
        #[must_use]
        pub fn in_file(mut self, file: impl AsRef<std::path::Path>) -> Self {
            self.$($place)+.file.get_or_insert_with(|| file.as_ref().to_owned());
            self
        }

        /// Adds the line (from 1), unless one is already named.
        #[must_use]
        pub fn at_line(mut self, line: usize) -> Self {
            self.$($place)+.line.get_or_insert(line);
            self
        }

        /// Adds the byte offset, unless one is already named.
        #[must_use]
        pub fn at_byte(mut self, byte: u64) -> Self {
            self.$($place)+.byte.get_or_insert(byte);
            self
        }

        /// Adds the layer, unless one is already named.
        #[must_use]
        pub fn in_layer(mut self, layer: &str) -> Self {
            self.$($place)+.layer.get_or_insert_with(|| layer.to_owned());
            self
        }
    };
}
pub(crate) use place_methods;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_known_from_the_file_to_the_layer() {
        let file = Some(PathBuf::from("a.param"));
        let layer = Some("c".to_owned());
        let cases = [
            (Place::default(), ""),
            (Place { file: file.clone(), ..Place::default() }, "a.param"),
            (Place { file: file.clone(), line: Some(3), ..Place::default() }, "a.param:3"),
            (Place { line: Some(3), ..Place::default() }, "line 3"),
            (Place { byte: Some(8), layer: layer.clone(), ..Place::default() }, "byte 8: layer c"),
            (Place { file, line: Some(3), byte: Some(8), layer }, "a.param:3: byte 8: layer c"),
        ];
        for (place, text) in cases {
            assert_eq!(place.to_string(), text);
            assert_eq!(place.is_unknown(), text.is_empty());
        }
    }
}
