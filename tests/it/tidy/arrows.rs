//! Which room of `src/` may import which, and no circles: every `crate::` and `super::` path of the sources is followed, in
//! `use` lines and elsewhere. What ARCHITECTURE.md says of it is held against the same list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::{Source, sources};
use crate::library::repository;

/// The line of ARCHITECTURE.md.
const LINE: &str =
    "main > cli > {ui, bench, parity} > dashboard > worker > {lab, sweep} > runs > engine > trepang_api";

/// What each room may import: everything to its right in [`LINE`], and what stands outside of the line.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "ui",
            "bench",
            "parity",
            "dashboard",
            "worker",
            "sweep",
            "lab",
            "runs",
            "engine",
            "config",
            "backends",
            "panics",
            "memory",
        ],
    ),
    ("ui", &["dashboard", "worker", "runs", "engine", "panics"]),
    ("bench", &["dashboard", "worker", "runs", "engine", "config", "backends", "panics"]),
    ("parity", &["dashboard", "worker", "runs", "engine", "config", "backends", "panics"]),
    ("dashboard", &["worker", "runs", "engine", "panics"]),
    ("config", &["runs", "engine", "backends", "panics"]),
    ("worker", &["lab", "sweep", "runs", "engine", "panics", "memory"]),
    ("sweep", &["runs", "engine", "panics"]),
    ("lab", &["runs", "engine", "panics"]),
    ("runs", &["engine", "panics"]),
    ("engine", &["panics"]),
    ("backends", &[]),
    ("panics", &[]),
    ("memory", &[]),
];

/// The folders of sources in the workspace.
const ROOTS: [&str; 7] = [
    "src",
    "backends/api/src",
    "backends/candle/src",
    "backends/cpu/src",
    "backends/plugin/src",
    "backends/tch/src",
    "weights/src",
];

/// The module that a file is: `src/ui/loss.rs` is `[ui, loss]`, `src/ui.rs` is `[ui]`, and the crate's root is `[]`.
fn module(path: &str) -> Vec<String> {
    let root = ROOTS.iter().find(|root| Path::new(path).starts_with(root)).unwrap();
    let relative = Path::new(path).strip_prefix(root).unwrap().with_extension("");
    if relative == Path::new("lib") {
        return Vec::new();
    }
    let parts = relative.components().map(|part| match part {
        Component::Normal(name) => name.to_str().unwrap().to_owned(),
        other => panic!("{other:?} in {path}"),
    });
    parts.collect()
}

/// Every path of the code that begins with `crate::` or `super::`, as the module names it goes through, from the root on.
/// Braces are expanded.
fn imports(source: &Source) -> BTreeSet<Vec<String>> {
    let code = source.code().collect::<Vec<_>>().join("\n");
    let here = module(&source.path);
    let mut found = BTreeSet::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let preceding = code[..at].chars().next_back();
            if preceding.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut base = if start == "crate::" { Vec::new() } else { here.clone() };
            let mut rest = &code[at + start.len()..];
            if start == "super::" {
                base.pop();
                while let Some(further) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = further;
                }
            }
            expand(&base, rest, &mut found);
        }
    }
    found
}

/// Adds every path that the text begins with: names joined by `::`, and groups in braces.
fn expand(base: &[String], text: &str, found: &mut BTreeSet<Vec<String>>) {
    if let Some(group) = text.strip_prefix('{') {
        for item in split(group) {
            expand(base, item.trim_start(), found);
        }
        return;
    }
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut path = base.to_vec();
    path.push(name.clone());
    match text[name.len()..].strip_prefix("::") {
        Some(rest) if !name.is_empty() => expand(&path, rest, found),
        _ => {
            found.insert(path);
        }
    }
}

/// The items of a group, up to its closing brace.
fn split(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.retain(|item| !item.trim().is_empty());
    items
}

/// The file that a path leads to: the longest beginning of it that is a module.
fn target(path: &[String], files: &BTreeMap<Vec<String>, PathBuf>) -> Option<Vec<String>> {
    (1..=path.len()).rev().map(|len| path[..len].to_vec()).find(|module| files.contains_key(module))
}

/// The files of `src/` by their module.
fn files(sources: &[Source]) -> BTreeMap<Vec<String>, PathBuf> {
    sources.iter().map(|source| (module(&source.path), PathBuf::from(&source.path))).collect()
}

#[test]
fn each_room_imports_only_from_its_right() {
    let sources = sources(&["src"]);
    for source in sources.iter().filter(|source| source.path != "src/lib.rs") {
        let here = module(&source.path);
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(room, _)| *room == here[0])
            .unwrap_or_else(|| panic!("{} belongs to no known room", source.path));
        for path in imports(source) {
            let other = path[0].as_str();
            let fits = other == here[0] || allowed.contains(&other);
            assert!(fits, "{} imports {}", source.path, path.join("::"));
            let protocol_only = here[0] == "dashboard" && other == "worker";
            let protocol = path.get(1).is_some_and(|module| module == "protocol");
            assert!(!protocol_only || protocol, "{} imports {}", source.path, path.join("::"));
        }
    }
}

#[test]
fn no_two_files_import_each_other_in_a_circle() {
    for root in ROOTS {
        let sources = sources(&[root]);
        let files = files(&sources);
        let mut graph: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
        for source in sources.iter().filter(|source| !module(&source.path).is_empty()) {
            let here = module(&source.path);
            let others = imports(source).into_iter().filter_map(|path| target(&path, &files));
            // A parent declares its children, and a child may read what its parent holds: that is one idea in two files.
            let others = others.filter(|other| !other.starts_with(&here) && !here.starts_with(other));
            graph.insert(here.clone(), others.collect());
        }
        for start in graph.keys() {
            let mut seen = BTreeSet::new();
            let mut open: Vec<_> = graph[start].iter().collect();
            while let Some(next) = open.pop() {
                assert_ne!(next, start, "{root}: {} imports itself through others", start.join("::"));
                if seen.insert(next) {
                    open.extend(graph.get(next).into_iter().flatten());
                }
            }
        }
    }
}

/// A child may import from a parent only what the parent itself defines.
#[test]
fn a_file_imports_its_siblings_directly() {
    for root in ROOTS.into_iter().filter(|root| *root != "weights/src") {
        let sources = sources(&[root]);
        let files = files(&sources);
        for source in &sources {
            let here = module(&source.path);
            for path in imports(source) {
                let Some(parent) = target(&path, &files).filter(|parent| *parent != here) else { continue };
                let Some(name) = path.get(parent.len()).filter(|_| here.starts_with(&parent)) else {
                    continue;
                };
                let path_of_parent = &files[&parent];
                let parent = sources.iter().find(|source| Path::new(&source.path) == path_of_parent).unwrap();
                assert!(defines(parent, name), "{} takes {name} from {}", source.path, parent.path);
            }
        }
    }
}

/// Whether the file itself defines an item of this name.
fn defines(source: &Source, name: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "union"];
    name == "self" || kinds.iter().any(|kind| source.mentions(&format!("{kind} {name}")))
}

#[test]
fn the_architecture_page_draws_the_same_arrows() {
    let page = std::fs::read_to_string(repository("ARCHITECTURE.md")).unwrap();
    assert!(page.contains(LINE), "ARCHITECTURE.md lacks the line {LINE}");
    let rooms: Vec<Vec<&str>> =
        LINE.split(" > ").map(|step| step.trim_matches(['{', '}']).split(", ").collect()).collect();
    for (at, step) in rooms.iter().enumerate() {
        for room in step.iter().filter(|room| **room != "trepang_api") {
            let (_, allowed) = MAY_IMPORT.iter().find(|(name, _)| name == room).unwrap();
            let to_the_left: Vec<&&str> = rooms[..=at].iter().flatten().collect();
            assert!(
                allowed.iter().all(|other| !to_the_left.contains(&other)),
                "{room} may import {allowed:?}"
            );
        }
    }
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let source = Source {
        path: "src/ui/run.rs".into(),
        text: "use crate::engine::{Plan, recipe::{self, Recipe}};\nfn f() { super::theme::BOLD; self::x::y() }\n"
            .into(),
    };
    let found: Vec<String> = imports(&source).into_iter().map(|path| path.join("::")).collect();
    let expected = [
        "engine::Plan",
        "engine::recipe::Recipe",
        "engine::recipe::self",
        "ui::run::x::y",
        "ui::theme::BOLD",
    ];
    assert_eq!(found, expected);
}
