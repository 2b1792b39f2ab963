//! Files of one folder do not use one another in a circle.

use crate::{Tree, code, words};
use std::collections::{BTreeMap, BTreeSet};

/// The folders that are held to this, with all that are in them.
const FOLDERS: [&str; 2] = ["src/campaign", "src/mission"];

/// The code of a file without comments and without its tests.
fn without_tests(text: &str) -> String {
    let lines = code(text).map(|(_, line)| line).take_while(|line| !line.contains("#[cfg(test)]"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths that begin here, those of a group in braces one by one.
fn paths(text: &str) -> Vec<Vec<String>> {
    let of_name = |c: char| c.is_alphanumeric() || c == '_';
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let (mut depth, mut start, mut found) = (0_u32, 0, Vec::new());
        for (at, c) in group.char_indices() {
            match c {
                ',' | '}' if depth == 0 => {
                    found.extend(paths(&group[start..at]));
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
        }
        return found;
    }
    let end = text.find(|c| !of_name(c)).unwrap_or(text.len());
    let head = text[..end].to_owned();
    let rest = text[end..].strip_prefix("::").map(paths).unwrap_or_default();
    if rest.is_empty() {
        return if head.is_empty() { Vec::new() } else { vec![vec![head]] };
    }
    rest.into_iter().map(|path| [vec![head.clone()], path].concat()).collect()
}

/// The module that a file is, as names below the root of the library.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").split('/').map(str::to_owned).collect()
}

/// What a file names in the library: paths below the root.
fn named(path: &str, text: &str) -> Vec<Vec<String>> {
    let (text, own) = (without_tests(text), module(path));
    let starts = ["crate", "super"].into_iter().flat_map(|word| words(&text, word));
    let starts = starts.filter(|at| !text[..*at].ends_with("super::"));
    let below_root = |mut path: Vec<String>| {
        let ups = path.iter().take_while(|name| *name == "super").count();
        if ups == 0 {
            return path.split_off(1);
        }
        [&own[..own.len().saturating_sub(ups)], &path[ups..]].concat()
    };
    starts.flat_map(|at| paths(&text[at..])).map(below_root).collect()
}

/// The names that the module of a folder takes up from its children, each with the child.
fn taken_up(text: &str, children: &BTreeSet<String>) -> BTreeMap<String, String> {
    let text = without_tests(text);
    let uses = words(&text, "use ").flat_map(|at| paths(&text[at + 4..]));
    let of_child = uses.filter(|path| path.len() > 1 && children.contains(&path[0]));
    of_child.map(|path| (path[path.len() - 1].clone(), path[0].clone())).collect()
}

/// Which children of a folder use which.
fn uses(tree: &Tree, folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let prefix = format!("{folder}/");
    let of_child = |path: &str| {
        let within = path.strip_prefix(&prefix).unwrap_or(path);
        within.split('/').next().unwrap_or(within).trim_end_matches(".rs").to_owned()
    };
    let files = || {
        let all = tree.under(&prefix, ".rs");
        all.filter(|(path, _)| !path.ends_with("/tests.rs") && of_child(path) != "mod")
    };
    let children: BTreeSet<String> = files().map(|(path, _)| of_child(path)).collect();
    let parents = [format!("{folder}/mod.rs"), format!("{folder}.rs")];
    let parent = parents.iter().find_map(|path| tree.0.get(path));
    let taken_up = parent.map(|text| taken_up(text, &children)).unwrap_or_default();
    let own = module(folder);
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in files() {
        let child = of_child(path);
        for named in named(path, text) {
            let Some(name) = named.strip_prefix(&own[..]).and_then(<[String]>::first) else {
                continue;
            };
            let used = children.get(name).or_else(|| taken_up.get(name));
            if let Some(used) = used.filter(|used| **used != child) {
                uses.entry(child.clone()).or_default().insert(used.clone());
            }
        }
    }
    uses
}

/// A shortest circle through `start`, without its end.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in uses.get(&way[way.len() - 1]).into_iter().flatten() {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push([way.clone(), vec![next.clone()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// Circles of siblings, each once: a parent and its children may name one another.
fn circles(tree: &Tree) -> Vec<String> {
    let within = |path: &str, _: &str| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let held = FOLDERS.iter().any(|of| folder == *of || folder.starts_with(&format!("{of}/")));
        held.then_some(folder)
    };
    let folders: BTreeSet<String> =
        tree.under("src/", ".rs").filter_map(|(path, text)| within(path, text)).collect();
    let mut violations = Vec::new();
    for folder in folders {
        let uses = uses(tree, &folder);
        for child in uses.keys() {
            let circle = circle(&uses, child);
            if let Some(way) = circle.filter(|way| way.iter().min() == Some(child)) {
                violations.push(format!("{folder}: {} uses {child}", way.join(" uses ")));
            }
        }
    }
    violations
}

#[test]
fn siblings_use_one_another_in_no_circle() {
    let bad = [
        ("src/campaign/mod.rs", "mod a;\nmod b;\npub use b::{Beam, Particle};\nuse a::Own;"),
        ("src/campaign/a.rs", "use super::{Beam, Own};\n// use super::c;"),
        ("src/campaign/b.rs", "pub struct Beam;\nfn f() { crate::campaign::c::g() }"),
        ("src/campaign/c.rs", "use super::{a::{self, Own}, b};\n#[cfg(test)]\nmod tests {}"),
        ("src/mission/live.rs", "use super::simulate::Terms;\n#[cfg(test)]\nuse super::x;"),
        ("src/mission/simulate/mod.rs", "use super::state;\nmod pending;\nstruct Due;"),
        ("src/mission/simulate/pending.rs", "use super::{Due, tracked};\nuse super::super::value;"),
        ("src/mission/simulate/tracked.rs", "use super::pending::Pending;"),
        ("src/mission/value.rs", "use super::simulate;"),
        ("src/tui/a.rs", "use super::b;"),
        ("src/tui/b.rs", "use super::a;"),
    ];
    let expected = [
        "src/campaign: a uses b uses c uses a",
        "src/campaign: b uses c uses b",
        "src/mission: simulate uses value uses simulate",
        "src/mission/simulate: pending uses tracked uses pending",
    ];
    crate::refuses(circles, &bad, &expected);
    crate::repository_passes(circles);
}
