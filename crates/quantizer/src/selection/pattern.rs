//! Names, globs and types.

use std::fmt;

use ncnn_format::Layer;

/// What a layer may be called by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether `layer` has this name or type, or a name of this form.
    pub(super) fn matches(&self, layer: &Layer) -> bool {
        self.0 == layer.name || self.0 == layer.kind.as_str() || glob(&self.0, &layer.name)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` has the form of `pattern`: `*` for any characters, `?` for any one.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last star did not fit.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), retry) {
            (Some('*'), _) => {
                retry = Some((p, t));
                p += 1;
            }
            (Some(&c), _) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            (_, Some((star, end))) => {
                retry = Some((star, end + 1));
                p = star + 1;
                t = end + 1;
            }
            _ => return false,
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters_and_question_marks_for_one() {
        for (pattern, text) in
            [("*", ""), ("a*", "a"), ("*b", "aab"), ("a*b*c", "axxbyybc"), ("?", "x"), ("conv?_*/x", "conv1_a_b/x")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("?", ""), ("a*b", "abc"), ("*ab", "aba"), ("a?c", "ac")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }
}
