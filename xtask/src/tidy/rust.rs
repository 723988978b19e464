//! The tokens of Rust source, as far as checks of a whole repository need them.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier, a keyword or a number.
    Word,
    /// One character of punctuation.
    Sign,
    /// A string literal; the text is what stands between the quotes.
    Text,
    /// A character literal or a lifetime, with its quotes.
    Quote,
    /// A comment that is no documentation, with its slashes.
    Comment,
    /// A comment that is documentation, with its slashes.
    Doc,
}

/// A piece of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Where it starts, from 1.
    pub(super) line: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text == text
    }

    pub(super) fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::Comment | Kind::Doc)
    }
}

/// The tokens of `source`.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let (kind, len) = match first {
            _ if first.is_whitespace() => {
                line += usize::from(first == '\n');
                at += first.len_utf8();
                continue;
            }
            '/' if rest.starts_with("//") => {
                let is_doc = rest.starts_with("//!") || rest.starts_with("///") && !rest.starts_with("////");
                (if is_doc { Kind::Doc } else { Kind::Comment }, rest.find('\n').unwrap_or(rest.len()))
            }
            '/' if rest.starts_with("/*") => (Kind::Comment, block_comment(rest)),
            '"' => (Kind::Text, string(rest)),
            '\'' => (Kind::Quote, quote(rest)),
            _ if is_word(first) => match string_prefix(rest) {
                Some(len) => (Kind::Text, len),
                None => (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            },
            _ => (Kind::Sign, first.len_utf8()),
        };
        let whole = &rest[..len];
        let text = match (kind, whole.find('"'), whole.rfind('"')) {
            (Kind::Text, Some(open), Some(close)) if open < close => &whole[open + 1..close],
            _ => whole,
        };
        found.push(Token { kind, text, line });
        line += whole.matches('\n').count();
        at += len;
    }
    found
}

/// `tokens` without the items behind `#[cfg(test)]` and `#[test]`.
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match test_item(&tokens[at..]) {
            Some(len) => at += len,
            None => {
                kept.push(tokens[at]);
                at += 1;
            }
        }
    }
    kept
}

/// How many tokens an item for tests has that starts here with its attribute.
pub(super) fn test_item(tokens: &[Token<'_>]) -> Option<usize> {
    let [hash, open, name, rest @ ..] = tokens else { return None };
    if !hash.is("#") || !open.is("[") {
        return None;
    }
    let attribute = || rest.iter().take_while(|token| !token.is("]"));
    let is_cfg_test = name.is("cfg") && attribute().any(|t| t.is("test")) && !attribute().any(|t| t.is("not"));
    let is_test = name.is("test") && rest.first().is_some_and(|token| token.is("]"));
    if !is_cfg_test && !is_test {
        return None;
    }
    let mut depth = 0usize;
    let mut in_item = false;
    for (index, token) in tokens.iter().enumerate().skip(1) {
        if token.is("(") || token.is("[") || token.is("{") {
            depth += 1;
            in_item |= depth == 1 && token.is("{");
        } else if token.is(")") || token.is("]") || token.is("}") {
            depth = depth.saturating_sub(1);
            if depth == 0 && in_item && token.is("}") {
                return Some(index + 1);
            }
        } else if depth == 0 && token.is(";") {
            return Some(index + 1);
        }
    }
    Some(tokens.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a string with escapes.
fn string(text: &str) -> usize {
    let mut escaped = true;
    for (at, c) in text.char_indices() {
        if c == '"' && !escaped && at > 0 {
            return at + 1;
        }
        escaped = c == '\\' && !escaped && at > 0;
    }
    text.len()
}

/// The length of a string that starts with letters: `b"…"`, `r#"…"#` and the like.
fn string_prefix(text: &str) -> Option<usize> {
    let letters = text.find(|c: char| !matches!(c, 'b' | 'c' | 'r')).filter(|len| (1..=2).contains(len))?;
    let rest = &text[letters..];
    let hashes = rest.find(|c| c != '#')?;
    let quoted = &rest[hashes..];
    if !quoted.starts_with('"') {
        return None;
    }
    if !text[..letters].contains('r') {
        return (hashes == 0).then(|| letters + string(quoted));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let len = quoted[1..].find(&end).map_or(quoted.len(), |at| 1 + at + end.len());
    Some(letters + hashes + len)
}

/// The length of a character literal or a lifetime.
fn quote(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            text[from..].find('\'').map_or(text.len(), |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1 + text[1..].find(|c| !is_word(c)).unwrap_or(text.len() - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(source: &str, kind: Kind) -> Vec<&str> {
        tokens(source).iter().filter(|token| token.kind == kind).map(|token| token.text).collect()
    }

    #[test]
    fn strings_of_all_forms_are_found_without_their_quotes() {
        let source = r##"f("a \" b\"", b"c", r"d\", r#"e " f"#, "", br"g", '"', h);"##;
        assert_eq!(of_kind(source, Kind::Text), [r#"a \" b\""#, "c", r"d\", "e \" f", "", "g"]);
        assert_eq!(of_kind(source, Kind::Word), ["f", "h"]);
    }

    #[test]
    fn comments_strings_and_code_are_told_apart() {
        let source = "//! a\n/// b\n// c \"d\"\nlet x = \"// e\"; /* f /* g */ h */ x";
        assert_eq!(of_kind(source, Kind::Doc), ["//! a", "/// b"]);
        assert_eq!(of_kind(source, Kind::Comment), ["// c \"d\"", "/* f /* g */ h */"]);
        assert_eq!(of_kind(source, Kind::Text), ["// e"]);
        assert_eq!(of_kind(source, Kind::Word), ["let", "x", "x"]);
    }

    #[test]
    fn lifetimes_and_characters_do_not_swallow_what_follows() {
        let source = r"fn f<'a>(x: &'a str, c: ['\'', 'b', '\u{1f}', 'é']) {}";
        assert_eq!(of_kind(source, Kind::Quote), ["'a", "'a", r"'\''", "'b'", r"'\u{1f}'", "'é'"]);
        assert_eq!(of_kind(source, Kind::Word), ["fn", "f", "x", "str", "c"]);
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let found = tokens("a\n\"b\nc\" d /* e\n\n */ f");
        let lines: Vec<_> = found.iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 3, 3, 5]);
    }

    #[test]
    fn what_only_tests_see_is_left_out() {
        let source =
            "a;\n#[cfg(test)]\nmod tests { fn b() { {} } }\n#[test]\n#[ignore]\nfn c() {}\nd;\n#[cfg(test)]\nmod e;\nf";
        let source_tokens = tokens(source);
        let kept = without_tests(&source_tokens);
        let words: Vec<_> = kept.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect();
        assert_eq!(words, ["a", "d", "f"]);
    }
}
