//! A module uses only its own row of the table and the layers above it.

use crate::{Tree, code, words};

/// The rows of the table in `docs/architecture.md`: the layer, and the modules that may use one
/// another. Two rows of one layer know nothing of each other.
const ROWS: [(u32, &[&str]); 16] = [
    (
        1,
        &[
            "units", "name", "place", "bounded", "ranges", "estimate", "output", "words", "seed",
            "stats",
        ],
    ),
    (1, &["op"]),
    (1, &["outcome"]),
    (2, &["environment"]),
    (2, &["device"]),
    (2, &["workload"]),
    (2, &["scheme"]),
    (3, &["rate", "fault"]),
    (3, &["gpu"]),
    (4, &["stage"]),
    (5, &["engine"]),
    (6, &["campaign", "mission"]),
    (7, &["archive"]),
    (8, &["report"]),
    (8, &["tui"]),
    (9, &["command", "cli", "main"]),
];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|(_, modules)| modules.contains(&module))
}

/// The module of the library that a file belongs to: the first name below `src`.
fn module(path: &str) -> &str {
    let path = path.strip_prefix("src/").unwrap_or(path);
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The modules of the library that a text names after `crate::` or `beamline::`, braces included.
fn used(text: &str) -> Vec<(usize, String)> {
    let mut code_text = String::new();
    for (_, line) in code(text) {
        code_text.push_str(line);
        code_text.push('\n');
    }
    let mut found = Vec::new();
    for root in ["crate::", "beamline::"] {
        for at in words(&code_text, root) {
            let line = code_text[..at].matches('\n').count() + 1;
            let rest = code_text[at + root.len()..].trim_start();
            found.extend(heads(rest).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// The first names of the paths that begin here: one, or each of a group in braces.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut start, mut heads) = (0_u32, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                heads.push(name(&group[start..at]));
                start = at + 1;
            }
            '}' if depth == 0 => {
                heads.push(name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

/// What breaks the order of the layers, and modules that are not in the table.
fn violations(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("src/", ".rs") {
        let module = module(path);
        if module == "lib" {
            continue;
        }
        let Some(own) = row(module) else {
            violations.push(format!("{path}: the module {module} is in no layer of the table"));
            continue;
        };
        for (line, name) in used(text) {
            if let Some(other) = row(&name)
                && other != own
                && ROWS[other].0 >= ROWS[own].0
            {
                let (from, to) = (ROWS[own].0, ROWS[other].0);
                violations.push(format!("{path}:{line}: {module} ({from}) uses {name} ({to})"));
            }
        }
    }
    violations
}

#[test]
fn a_layer_uses_only_those_above_it() {
    let bad = [
        ("src/cli.rs", "use crate::command::run; // a peer in the same row"),
        ("src/fault/mod.rs", "//! See [`crate::engine`].\nuse crate::rate;\nuse crate::gpu::Gpu;"),
        ("src/lib.rs", "pub mod gpu;"),
        ("src/main.rs", "fn main() { beamline::command::run() }"),
        ("src/misc.rs", ""),
        ("src/outcome.rs", "fn f() { crate::seed::mix(1); }"),
        (
            "src/stage/vote.rs",
            "use crate::{\n    gpu::{Gpu, Kernel}, outcome::Outcome,\n    engine,\n};",
        ),
        ("src/tui/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::report::Table;\n}"),
    ];
    let expected = [
        "src/fault/mod.rs:3: fault (3) uses gpu (3)",
        "src/misc.rs: the module misc is in no layer",
        "src/outcome.rs:1: outcome (1) uses seed (1)",
        "src/stage/vote.rs:1: stage (4) uses engine (5)",
        "src/tui/mod.rs:3: tui (8) uses report (8)",
    ];
    crate::refuses(violations, &bad, &expected);
    crate::repository_passes(violations);
}
