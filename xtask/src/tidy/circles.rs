//! Modules that need each other in a circle.
//!
//! A module points at another if it names something that is defined there: in a `use`
//! that keeps the name to itself, in a qualified path, or as a name that it passes on and
//! uses too. A name is followed through those who pass it on to where it is defined.
//! Neither `mod x;` nor `pub use` is an arrow by itself, so that a `mod.rs` may gather what
//! its children offer; but a `mod.rs` that uses a child whose code uses the `mod.rs` is a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Complaint, File};
use super::modules::{Module, Path, module_of, parse};

/// Who points at whom, and the line of the first arrow.
type Arrows = BTreeMap<Path, BTreeMap<Path, usize>>;

/// Checks every crate.
pub(super) fn check(files: &[File], complaints: &mut Vec<Complaint>) {
    let mut crates: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust() && !file.is_test()) {
        if let Some((folder, name)) = file.name.split_once("/src/") {
            crates.entry(folder).or_default().push((name, &file.text));
        }
    }
    for (folder, files) in crates {
        complaints.extend(circles(&files).iter().map(|circle| Complaint::new(folder, None, circle)));
    }
}

/// A circle in words for each group of modules that need each other.
///
/// `files` are those of one crate: paths from its `src` folder, and texts.
pub(super) fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let is_library = files.iter().any(|(name, _)| *name == "lib.rs");
    let mut modules = BTreeMap::new();
    // A program beside a library is a crate of its own.
    for (name, text) in files.iter().filter(|(name, _)| !(is_library && *name == "main.rs")) {
        modules.extend(parse(&module_of(name), text));
    }
    let arrows = Tree { modules: &modules }.arrows();
    groups(&arrows).iter().map(|group| describe(group, &arrows)).collect()
}

/// What a path means.
enum Meaning {
    Module(Path),
    /// An item of that module.
    Item(Path),
}

struct Tree<'a> {
    modules: &'a BTreeMap<Path, Module>,
}

impl Tree<'_> {
    fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (path, module) in self.modules {
            let named = module.uses.iter().filter(|used| !used.exported || module.names.contains(&used.name));
            let named = named.map(|used| (&used.path, used.line));
            for (used, line) in named.chain(module.paths.iter().map(|(path, line)| (path, *line))) {
                let Some(target) = self.target(path, used) else { continue };
                let (from, to) = (&module.file, &self.modules[&target].file);
                if from != to {
                    let first = arrows.entry(from.clone()).or_default().entry(to.clone()).or_insert(line);
                    *first = line.min(*first);
                }
            }
        }
        arrows
    }

    /// The module in which what `path` names is defined. A name for a whole module is no arrow.
    fn target(&self, from: &Path, path: &[String]) -> Option<Path> {
        let (all, path) = match path {
            [path @ .., last] if last == "*" => (true, path),
            path => (false, path),
        };
        match self.meaning(from, path, &mut BTreeSet::new())? {
            Meaning::Item(module) => Some(module),
            Meaning::Module(module) => all.then_some(module),
        }
    }

    /// `None` for other crates, and for names that are none of modules.
    fn meaning(&self, from: &Path, path: &[String], seen: &mut BTreeSet<(Path, String)>) -> Option<Meaning> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Path::new(),
            "self" => from.clone(),
            "super" => from[..from.len().checked_sub(1)?].to_vec(),
            name => match self.name(from, name, seen)? {
                Meaning::Module(module) => module,
                item => return Some(item),
            },
        };
        while let Some((name, behind)) = rest.split_first() {
            rest = behind;
            if name == "super" {
                at.pop();
                continue;
            }
            match self.name(&at, name, seen) {
                Some(Meaning::Module(module)) => at = module,
                Some(item) => return Some(item),
                // Passed on from another crate, or else made by a macro.
                None => {
                    let made = |module: &Module| module.uses.iter().all(|used| used.name != *name);
                    return self.modules.get(&at).is_some_and(made).then_some(Meaning::Item(at));
                }
            }
        }
        self.modules.contains_key(&at).then_some(Meaning::Module(at))
    }

    /// What `name` means in the module `at`.
    fn name(&self, at: &Path, name: &str, seen: &mut BTreeSet<(Path, String)>) -> Option<Meaning> {
        if !seen.insert((at.clone(), name.to_owned())) {
            return None;
        }
        let module = self.modules.get(at)?;
        let child: Path = at.iter().cloned().chain([name.to_owned()]).collect();
        if self.modules.contains_key(&child) {
            return Some(Meaning::Module(child));
        }
        if module.items.contains(name) {
            return Some(Meaning::Item(at.clone()));
        }
        let brought = module.uses.iter().find(|used| used.name == name);
        if let Some(used) = brought {
            return self.meaning(at, &used.path, seen);
        }
        module.uses.iter().filter(|used| used.name == "*").find_map(|used| {
            let whole = &used.path[..used.path.len() - 1];
            match self.meaning(at, whole, seen)? {
                Meaning::Module(module) => self.name(&module, name, seen),
                Meaning::Item(_) => None,
            }
        })
    }
}

/// Groups of modules in which each reaches each other.
fn groups(arrows: &Arrows) -> Vec<BTreeSet<Path>> {
    let reached: BTreeMap<&Path, BTreeSet<Path>> = arrows.keys().map(|from| (from, reachable(from, arrows))).collect();
    let mut groups = Vec::new();
    let mut done = BTreeSet::new();
    for (from, to) in &reached {
        if !to.contains(*from) || done.contains(*from) {
            continue;
        }
        let back = |other: &&Path| reached.get(*other).is_some_and(|from_there| from_there.contains(*from));
        let group: BTreeSet<Path> = to.iter().filter(back).cloned().collect();
        done.extend(group.iter().cloned());
        groups.push(group);
    }
    groups
}

fn reachable(from: &Path, arrows: &Arrows) -> BTreeSet<Path> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in arrows.get(module).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    found
}

/// The shortest circle of `group`, and how many modules it has.
fn describe(group: &BTreeSet<Path>, arrows: &Arrows) -> String {
    let circles = group.iter().filter_map(|start| shortest(start, group, arrows));
    let circle = circles.min_by_key(Vec::len).unwrap_or_default();
    let arrow = |pair: &[&Path]| {
        let line = arrows.get(pair[0]).and_then(|to| to.get(pair[1])).copied().unwrap_or_default();
        format!("{} (line {line}) -> ", shown(pair[0]))
    };
    let text: String = circle.windows(2).map(arrow).collect();
    let last = circle.last().map(|last| shown(last)).unwrap_or_default();
    let all: Vec<String> = group.iter().map(shown).collect();
    format!("{} modules need each other in a circle ({}), for example {text}{last}", group.len(), all.join(", "))
}

/// The shortest way from `start` back to it.
fn shortest<'a>(start: &'a Path, group: &'a BTreeSet<Path>, arrows: &'a Arrows) -> Option<Vec<&'a Path>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last().copied()?;
            for next in arrows.get(last).into_iter().flat_map(BTreeMap::keys).filter(|next| group.contains(*next)) {
                let way: Vec<&Path> = way.iter().copied().chain([next]).collect();
                if next == start {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

fn shown(path: &Path) -> String {
    if path.is_empty() { "the root".to_owned() } else { path.join("::") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        circles(files)
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "\npub struct B(super::a::A);"),
        ];
        assert_eq!(
            found(&files),
            ["2 modules need each other in a circle (a, b), for example a (line 1) -> b (line 2) -> a"]
        );
    }

    #[test]
    fn a_name_is_followed_to_where_it_is_defined() {
        let root = ("lib.rs", "mod a; mod b; pub use a::A; pub use b::*;");
        assert_eq!(found(&[root, ("a.rs", "use crate::B; pub struct A;"), ("b.rs", "pub struct B;")]), [""; 0]);
        let b = ("b.rs", "use crate::A; pub struct B;");
        assert_eq!(found(&[root, ("a.rs", "use crate::B; pub struct A;"), b]).len(), 1);
    }

    #[test]
    fn a_folder_may_gather_its_children_but_not_be_used_by_those_that_it_uses() {
        let child = ("a/b.rs", "use super::Shape; pub struct B;");
        for (parent, circles) in [
            ("mod b; pub use b::B; pub struct Shape;", 0),
            ("mod b; use b::B; pub struct Shape(B);", 1),
            ("mod b; pub use b::B; pub struct Shape(B);", 1),
            ("mod b; pub struct Shape(b::B);", 1),
        ] {
            assert_eq!(found(&[("lib.rs", "mod a;"), ("a/mod.rs", parent), child]).len(), circles, "{parent}");
        }
    }

    #[test]
    fn a_whole_module_that_is_brought_in_counts_where_its_items_are_named() {
        let files = |b| [("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b; fn f() { b::g() }"), ("b.rs", b)];
        assert_eq!(found(&files("use crate::a; pub fn g() {}")), [""; 0]);
        assert_eq!(found(&files("use crate::a; pub fn g() { a::f() }")).len(), 1);
    }

    #[test]
    fn other_crates_tests_and_inline_modules_are_no_circles() {
        let a = "use std::fmt; use b::C; mod inner { use super::A; } pub struct A;\n#[cfg(test)] mod tests { use crate::b::B; }";
        assert_eq!(
            found(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", "use crate::a::A; pub struct B;")]),
            [""; 0]
        );
    }

    #[test]
    fn what_the_root_passes_on_from_another_crate_is_no_arrow_to_it() {
        let root = ("lib.rs", "mod a; pub use a::a; pub use other::Graph;");
        assert_eq!(found(&[root, ("a.rs", "use crate::Graph; pub fn a() -> Graph {}")]), [""; 0]);
        let root = ("lib.rs", "mod a; pub use a::a; fn f() { a() }");
        assert_eq!(found(&[root, ("a.rs", "use crate::made_by_a_macro; pub fn a() {}")]).len(), 1);
    }

    #[test]
    fn names_that_go_round_do_not_hang() {
        assert_eq!(found(&[("lib.rs", "mod a; pub use a::X;"), ("a.rs", "use crate::X; use crate::X::Y;")]), [""; 0]);
    }
}
