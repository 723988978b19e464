//! Flags of the command line in texts of libraries.

use super::rust::{Kind, Token};

/// The line and the name of every `--flag` in the string literals of `tokens`.
pub(super) fn named<'a>(tokens: &[Token<'a>]) -> Vec<(usize, &'a str)> {
    let texts = tokens.iter().filter(|token| token.kind == Kind::Text);
    texts.flat_map(|token| flags(token.text).map(|flag| (token.line, flag))).collect()
}

fn flags(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::super::rust::tokens;
    use super::*;

    #[test]
    fn a_flag_is_found_in_a_text_and_not_in_comments_or_code() {
        let source =
            "// --a\n/// `--b`\nlet x = y --z;\nf(\"(is --norm right?)\", \"a--b ---- --9\");\ng(r\"--float-last\")";
        assert_eq!(named(&tokens(source)), [(4, "--norm"), (5, "--float-last")]);
    }
}
