//! The modules of a crate: what each defines, brings in and names.

use std::collections::{BTreeMap, BTreeSet};

use super::rust::{Kind, Token, tokens, without_tests};

/// The path of a module from the root of its crate, without `crate`.
pub(super) type Path = Vec<String>;

/// A module, in a file of its own or not.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The module that is the file.
    pub(super) file: Path,
    /// Names of items defined here.
    pub(super) items: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
    /// Qualified paths outside `use`, with their lines.
    pub(super) paths: Vec<(Path, usize)>,
    /// Single names outside `use`.
    pub(super) names: BTreeSet<String>,
}

/// One name that a `use` brings in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    /// As it is written, `*` last for all of a module.
    pub(super) path: Path,
    /// The name here.
    pub(super) name: String,
    /// Whether others may take it from here.
    pub(super) exported: bool,
    pub(super) line: usize,
}

/// The module of the file `path`, which counts from the crate's `src` folder.
pub(super) fn module_of(path: &str) -> Path {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Path = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] || parts == ["main"] {
        parts.pop();
    }
    parts
}

/// The modules in `source`, which is the file of the module `file`, without those for tests.
pub(super) fn parse(file: &Path, source: &str) -> BTreeMap<Path, Module> {
    let all: Vec<Token<'_>> = tokens(source).into_iter().filter(|token| !token.is_comment()).collect();
    let tokens = without_tests(&all);
    let mut reader = Reader { tokens: &tokens, at: 0, file, found: BTreeMap::new() };
    reader.module(file.clone(), false);
    reader.found
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    file: &'a Path,
    found: BTreeMap<Path, Module>,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<&Token<'a>> {
        self.tokens.get(self.at + ahead)
    }

    fn is(&self, ahead: usize, text: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.is(text))
    }

    fn word(&self, ahead: usize) -> Option<&'a str> {
        self.peek(ahead).filter(|token| token.kind == Kind::Word).map(|token| token.text)
    }

    /// Reads to the end, or to the brace that closes an inline module.
    fn module(&mut self, path: Path, inline: bool) {
        let mut module = Module { file: self.file.clone(), ..Module::default() };
        let mut depth = 0usize;
        let mut exported = false;
        while let Some(token) = self.peek(0).copied() {
            if token.is("{") {
                depth += 1;
            } else if token.is("}") {
                if depth == 0 && inline {
                    self.at += 1;
                    break;
                }
                depth = depth.saturating_sub(1);
            }
            match token.text {
                "use" if token.kind == Kind::Word && !self.is(1, "<") => {
                    self.at += 1;
                    self.tree(Path::new(), exported, token.line, &mut module.uses);
                    exported = false;
                    continue;
                }
                "mod" if token.kind == Kind::Word && self.is(2, "{") => {
                    let mut inner = path.clone();
                    inner.extend(self.word(1).map(str::to_owned));
                    self.at += 3;
                    self.module(inner, true);
                    continue;
                }
                "mod" if token.kind == Kind::Word && self.is(2, ";") => {
                    self.at += 3;
                    exported = false;
                    continue;
                }
                "pub" if token.kind == Kind::Word => {
                    exported = true;
                    self.at += 1;
                    if self.is(0, "(") {
                        while self.peek(0).is_some_and(|token| !token.is(")")) {
                            self.at += 1;
                        }
                        self.at += 1;
                    }
                    continue;
                }
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static"
                    if token.kind == Kind::Word =>
                {
                    let name = if self.is(1, "mut") { self.word(2) } else { self.word(1) };
                    if depth == 0 {
                        module.items.extend(name.map(str::to_owned));
                    }
                }
                "macro_rules" if self.is(1, "!") => module.items.extend(self.word(2).map(str::to_owned)),
                _ => {}
            }
            exported = false;
            if token.kind == Kind::Word {
                self.path(&mut module);
            } else {
                self.at += 1;
            }
        }
        self.found.insert(path, module);
    }

    /// A name, alone or with others behind it.
    fn path(&mut self, module: &mut Module) {
        let line = self.peek(0).map_or(0, |token| token.line);
        // The name of a field or a method is none of a module's.
        let member = self.at > 0 && self.tokens[self.at - 1].is(".");
        let mut path = Path::new();
        while let Some(word) = self.word(0) {
            path.push(word.to_owned());
            self.at += 1;
            if !(self.is(0, ":") && self.is(1, ":") && self.word(2).is_some()) {
                break;
            }
            self.at += 2;
        }
        if member {
        } else if path.len() > 1 {
            module.names.extend(path.first().cloned());
            module.paths.push((path, line));
        } else {
            module.names.extend(path);
        }
    }

    /// The tree of a `use`, from behind `prefix` to its `;`, `,` or `}`.
    fn tree(&mut self, prefix: Path, exported: bool, line: usize, uses: &mut Vec<Use>) {
        let mut path = prefix;
        loop {
            if self.is(0, "{") {
                self.at += 1;
                while self.peek(0).is_some_and(|token| !token.is("}")) {
                    self.tree(path.clone(), exported, line, uses);
                    if self.is(0, ",") {
                        self.at += 1;
                    }
                }
                self.at += 1;
                return;
            }
            match self.peek(0) {
                Some(token) if token.kind == Kind::Word || token.is("*") => path.push(token.text.to_owned()),
                // `::name`, `$crate`
                Some(token) if token.is(":") || token.is("$") && self.is(1, "crate") => {
                    self.at += 1;
                    continue;
                }
                // A name that only a macro's caller knows.
                Some(token) if token.is("$") => {
                    while self.peek(0).is_some_and(|token| !token.is(";")) {
                        self.at += 1;
                    }
                    return;
                }
                _ => {
                    self.at += 1;
                    return;
                }
            }
            self.at += 1;
            if self.is(0, ":") && self.is(1, ":") {
                self.at += 2;
                continue;
            }
            break;
        }
        // `use a::{self}` is `use a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.is(0, "as") {
            name = self.word(1).unwrap_or("_").to_owned();
            self.at += 2;
        }
        uses.push(Use { path, name, exported, line });
        if self.is(0, ";") {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        text.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn files_are_modules() {
        for (file, module) in
            [("lib.rs", ""), ("main.rs", ""), ("a/mod.rs", "a"), ("a/b.rs", "a::b"), ("bin/mod.rs", "bin")]
        {
            assert_eq!(module_of(file), path(module), "{file}");
        }
    }

    #[test]
    fn trees_of_use_are_taken_apart() {
        let source = "use a::{self, b::{C, D as E}, f::*};\npub(crate) use super::g;\npub use h::i;\nuse j;";
        let found = parse(&path("m"), source);
        let uses: Vec<_> = found[&path("m")]
            .uses
            .iter()
            .map(|used| (used.path.join("::"), used.name.as_str(), used.exported, used.line))
            .collect();
        let expected = [
            ("a", "a", false, 1),
            ("a::b::C", "C", false, 1),
            ("a::b::D", "E", false, 1),
            ("a::f::*", "*", false, 1),
            ("super::g", "g", true, 2),
            ("h::i", "i", true, 3),
            ("j", "j", false, 4),
        ];
        assert_eq!(uses, expected.map(|(path, name, exported, line)| (path.to_owned(), name, exported, line)));
    }

    #[test]
    fn items_paths_and_inline_modules_are_found_and_tests_are_not() {
        let source = "pub struct A; const B: u8 = x::Y; fn c() { fn inner() {} super::d::<u8>(e.f::<g::H>()); }\n\
                      mod inline { use super::A; enum Z {} }\n#[cfg(test)]\nmod tests { use crate::never; }\n\
                      macro_rules! m { () => { use super::$p::*; $crate::n::o!() } }";
        let found = parse(&path("m"), source);
        let module = &found[&path("m")];
        assert_eq!(Vec::from_iter(&module.items), ["A", "B", "c", "m"]);
        let paths: Vec<_> = module.paths.iter().map(|(path, _)| path.join("::")).collect();
        assert_eq!(paths, ["x::Y", "super::d", "g::H", "crate::n::o"]);
        assert_eq!(Vec::from_iter(&found[&path("m::inline")].items), ["Z"]);
        assert_eq!(found.len(), 2);
    }
}
