//! What holds for every line: length, width, and words that have no place here.

use crate::{Tree, code, words};

/// The most lines of a file of Rust or WGSL.
const LINES_MAX: usize = 500;

/// The most columns of a line of Rust; rustfmt keeps code to 100 and leaves strings alone.
const COLUMNS_MAX: usize = 110;

/// Words that say that something is unfinished. Written in halves: this file obeys its own rule.
const UNFINISHED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("db", "g!")];

/// Where paths of one machine begin.
const MACHINE: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// Files that have grown past one purpose.
fn too_long(tree: &Tree) -> Vec<String> {
    let files = tree.under("", ".rs").chain(tree.under("", ".wgsl"));
    let counted = files.map(|(path, text)| (path, text.lines().count()));
    let long = counted.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(path, lines)| format!("{path}: {lines} lines, {LINES_MAX} at most")).collect()
}

/// Lines of Rust that do not fit beside another file.
fn too_wide(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("", ".rs") {
        for (index, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                let number = index + 1;
                violations
                    .push(format!("{path}:{number}: {columns} columns, {COLUMNS_MAX} at most"));
            }
        }
    }
    violations
}

/// Unfinished work and paths of one machine, in any text.
fn banned_words(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("", "") {
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            for word in UNFINISHED.iter().filter(|word| words(line, word).next().is_some()) {
                violations.push(format!("{path}:{number}: `{word}`"));
            }
            let of_path = |c: char| c.is_alphanumeric() || "_.-}".contains(c);
            let begins =
                |root: &str| line.match_indices(root).any(|(at, _)| !line[..at].ends_with(of_path));
            for root in MACHINE.iter().filter(|root| begins(root)) {
                violations.push(format!("{path}:{number}: a path of one machine, `{root}…`"));
            }
        }
    }
    violations
}

/// Screens take their colours from `src/tui/theme.rs`, which read on dark and on light grounds.
fn bare_colours(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let screens = tree.under("src/tui/", ".rs").filter(|(path, _)| !path.ends_with("/theme.rs"));
    for (path, text) in screens {
        for (number, line) in code(text) {
            let mut named = line.match_indices("Color::");
            if named.any(|(at, _)| !line[at..].starts_with("Color::Reset")) {
                violations.push(format!("{path}:{number}: {}, not of the theme", line.trim()));
            }
        }
    }
    violations
}

/// Printing outside the commands: a library reports through its return values and its events.
fn printing(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("src/", ".rs") {
        if path.starts_with("src/command/") || path == "src/main.rs" {
            continue;
        }
        for (number, line) in code(text) {
            for print in ["println!", "print!"] {
                if words(line, print).next().is_some() {
                    violations.push(format!("{path}:{number}: `{print}` outside src/command"));
                }
            }
        }
    }
    violations
}

/// Code that asks which preset a scheme is, in place of a part of it. Making one by name is no question.
fn presets(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let asks = |line: &str| {
        words(line, "Protection::")
            .any(|at| !line[at..].starts_with("Protection::ALL") && !line[..at].contains("bare("))
    };
    for (path, text) in
        tree.under("src/", ".rs").filter(|(path, _)| !path.starts_with("src/scheme/"))
    {
        for (number, line) in code(text).filter(|(_, line)| asks(line)) {
            violations.push(format!("{path}:{number}: `{}` asks for a preset", line.trim()));
        }
    }
    violations
}

#[test]
fn files_have_one_purpose() {
    let (longest, too_long_text) = ("\n".repeat(LINES_MAX), "\n".repeat(LINES_MAX + 1));
    let bad = [
        ("README.md", too_long_text.as_str()),
        ("shaders/vote.wgsl", &too_long_text),
        ("src/a.rs", &longest),
        ("tests/b.rs", &too_long_text),
    ];
    crate::refuses(too_long, &bad, &["tests/b.rs: 501 lines", "shaders/vote.wgsl: 501"]);
    crate::repository_passes(too_long);
}

#[test]
fn lines_fit_the_screen() {
    let line = |columns| format!("// first\n{}\n", "é".repeat(columns));
    let bad = [("a.rs", &*line(COLUMNS_MAX)), ("b.rs", &*line(COLUMNS_MAX + 1))];
    crate::refuses(too_wide, &bad, &["b.rs:2: 111 columns"]);
    crate::repository_passes(too_wide);
}

#[test]
fn nothing_is_left_unfinished_or_tied_to_a_machine() {
    let text = format!(
        "// {} later\nlet x = {}(y);\n// {}L\n",
        UNFINISHED[0], UNFINISHED[3], UNFINISHED[2]
    );
    let script =
        format!("cp {}me/a .\ncd src{}b\ncd \"$X\"/a{}", MACHINE[1], MACHINE[0], MACHINE[0]);
    let bad = [("scripts/a.sh", script.as_str()), ("src/a.rs", &text)];
    crate::refuses(banned_words, &bad, &["scripts/a.sh:1: a path", "src/a.rs:1", "src/a.rs:2"]);
    crate::repository_passes(banned_words);
}

#[test]
fn schemes_are_asked_about_their_parts() {
    let text = "let bare = Scheme::bare(\"none\", Protection::None);\nfor p in Protection::ALL {}\n\
                if scheme.protection == Protection::Dmr {}\nProtection::TmrLayer => 3,";
    let bad = [("src/a.rs", text), ("src/scheme/cost.rs", text), ("tests/a.rs", text)];
    crate::refuses(presets, &bad, &["src/a.rs:3: `if scheme", "src/a.rs:4: `Protection::TmrLayer"]);
    crate::repository_passes(presets);
}

#[test]
fn only_commands_print() {
    let text = "fn f() {\n    eprintln!();\n    println!();\n    print!(\"a\"); // println!\n}";
    let bad = [("src/command/run.rs", text), ("src/gpu/mod.rs", text), ("tests/a.rs", text)];
    crate::refuses(printing, &bad, &["src/gpu/mod.rs:3: `println!`", "src/gpu/mod.rs:4: `print!`"]);
    crate::repository_passes(printing);
}

#[test]
fn screens_take_their_colours_from_the_theme() {
    let text = "let a = Color::Yellow;\nlet b = Color::Reset; // Color::White";
    let bad = [("src/tui/a.rs", text), ("src/tui/theme.rs", text), ("src/report/a.rs", text)];
    crate::refuses(bare_colours, &bad, &["src/tui/a.rs:1: let a"]);
    crate::repository_passes(bare_colours);
}
