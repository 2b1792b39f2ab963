//! What holds for WGSL: triples of one stem, names in libraries, comparisons that a NaN cannot pass.

use crate::{Tree, code, words};

/// Shaders without their op, or their stage and its test; stages without their shader.
fn incomplete_triples(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, _) in tree.under("shaders/", ".wgsl") {
        let stem = path.trim_start_matches("shaders/").trim_end_matches(".wgsl");
        if stem.contains('/') {
            continue;
        }
        // An op's reference is in its own file, and one test holds all ops.
        let of_op = |(path, text): (&String, &String)| {
            let names =
                path.ends_with(&format!("/{stem}.rs")) || text.contains(&format!("\"{stem}\""));
            path.starts_with("src/op/") && names && text.contains("fn reference")
        };
        if tree.0.iter().any(of_op) {
            continue;
        }
        let (stage, test) = (format!("src/stage/{stem}.rs"), format!("tests/stages/{stem}.rs"));
        if !tree.0.get(&stage).is_some_and(|text| text.contains("pub fn reference")) {
            violations.push(format!("{path}: no `pub fn reference` in {stage}"));
        }
        if !tree.has(&test) {
            violations.push(format!("{path}: no test in {test}"));
        }
    }
    for (path, text) in tree.under("src/stage/", ".rs") {
        let stem = path.trim_start_matches("src/stage/").trim_end_matches(".rs");
        let shader = format!("shaders/{stem}.wgsl");
        if text.contains("pub fn reference") && !tree.has(&shader) {
            violations.push(format!("{path}: a reference without {shader}"));
        }
    }
    violations
}

/// Functions of a shader library whose name does not begin with the library's.
fn names_without_prefix(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("shaders/lib/", ".wgsl") {
        let stem = path.trim_start_matches("shaders/lib/").trim_end_matches(".wgsl");
        for (number, line) in code(text) {
            for at in words(line, "fn ") {
                let name = line[at + 3..].trim_start();
                if !name.starts_with(&format!("{stem}_")) {
                    let name = name.split('(').next().unwrap_or(name);
                    violations.push(format!("{path}:{number}: `{name}` is not named `{stem}_…`"));
                }
            }
        }
    }
    violations
}

/// Comparisons of floats in the classify stage. All are false with a NaN, so that one which asks
/// for a difference scores a NaN as equal; only `!(a <= b)` comes out right.
fn float_comparisons(tree: &Tree) -> Vec<String> {
    let path = "shaders/classify.wgsl";
    let Some(text) = tree.0.get(path) else { return Vec::new() };
    let floats = float_names(text);
    let mut violations = Vec::new();
    for (number, line) in code(text) {
        let clauses = line.split("&&").flat_map(|part| part.split("||"));
        let mut of_floats =
            clauses.filter(|clause| floats.iter().any(|name| words(clause, name).next().is_some()));
        if !of_floats.all(|clause| comparisons_survive_nan(&without_templates(clause))) {
            violations.push(format!("{path}:{number}: a float comparison other than `!(a <= b)`"));
        }
    }
    violations
}

/// `f32`, and the names that a declaration gives to one.
fn float_names(text: &str) -> Vec<String> {
    let mut names = vec!["f32".to_owned()];
    for (_, line) in code(text) {
        let declared = ["let ", "var ", "const ", "override "].iter().find_map(|word| {
            let at = words(line, word).next()?;
            words(line, "f32").next()?;
            Some(line[at + word.len()..].trim_start())
        });
        let annotated = line.match_indices(':').filter_map(|(at, _)| {
            let is_float = line[at + 1..].trim_start().starts_with("f32");
            is_float.then(|| line[..at].trim_end().rsplit([' ', '(', ',', '{']).next())?
        });
        for start in declared.into_iter().chain(annotated) {
            names.push(start.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The line with `name<arguments>` reduced to `name`, so that what `<` remains compares or shifts.
fn without_templates(line: &str) -> String {
    let mut line = line.to_owned();
    let of_arguments = |c: char| c.is_alphanumeric() || matches!(c, '_' | ',' | ' ');
    loop {
        let template = line.match_indices('<').find_map(|(open, _)| {
            let close = open + 1 + line[open + 1..].find(|c| !of_arguments(c))?;
            let named = line[..open].ends_with(|c: char| c.is_alphanumeric());
            let holds_type = line[open + 1..].starts_with(|c: char| c.is_alphabetic());
            (named && holds_type && line[close..].starts_with('>')).then_some(open..=close)
        });
        match template {
            Some(range) => line.replace_range(range, ""),
            None => return line,
        }
    }
}

/// Whether each comparison in the clause is `<=` within exactly one negated pair of parentheses.
fn comparisons_survive_nan(clause: &str) -> bool {
    let line = clause.replace("->", "  ").replace("<<", "  ").replace(">>", "  ");
    let (mut negated, mut nots, mut rest) = (Vec::new(), 0, line.as_str());
    while let Some(c) = rest.chars().next() {
        let two = rest.get(..2).unwrap_or("");
        match c {
            '(' => negated.push(nots % 2 == 1),
            ')' => drop(negated.pop()),
            '<' | '>' | '=' | '!' if matches!(two, "<=" | ">=" | "==" | "!=") => {
                if two != "<=" || negated.iter().filter(|n| **n).count() != 1 {
                    return false;
                }
                rest = &rest[1..];
            }
            '<' | '>' => return false,
            _ => {}
        }
        nots = if c == '!' { nots + 1 } else { 0 };
        rest = &rest[c.len_utf8()..];
    }
    true
}

#[test]
fn a_stage_is_a_triple_of_one_stem() {
    let bad = [
        ("shaders/inject.wgsl", ""),
        ("shaders/lib/bits.wgsl", ""),
        ("shaders/vote.wgsl", ""),
        ("src/stage/inject.rs", "pub fn reference() {}"),
        ("src/stage/lost.rs", "pub fn reference() {}"),
        ("src/stage/vote.rs", "fn reference() {}"),
        ("tests/stages/vote.rs", ""),
    ];
    let expected = ["no test in tests/stages/inject.rs", "src/stage/vote.rs", "shaders/lost.wgsl"];
    crate::refuses(incomplete_triples, &bad, &expected);
    crate::repository_passes(incomplete_triples);
}

#[test]
fn a_library_names_its_functions_after_itself() {
    let text = "fn bits_majority3(a: u32) -> u32 { }\n// fn note()\nfn majority(a: u32) -> u32 { }";
    crate::refuses(names_without_prefix, &[("shaders/lib/bits.wgsl", text)], &[":3: `majority`"]);
    crate::repository_passes(names_without_prefix);
}

#[test]
fn no_float_comparison_lets_a_nan_pass() {
    let text = "\
@group(0) @binding(1) var<storage, read> golden: array<u32>;
struct ClassifyParams { rows: u32, tolerance: f32 }
fn outside(a: f32, b: f32) -> bool { return !(abs(a - b) <= params.tolerance); }
fn inside(a: f32, b: f32) -> bool { return abs(a - b) > params.tolerance; }
if golden[i] != bits && row < params.rows { return; }
let d = bitcast<f32>(observed[i]) - bitcast<f32>(golden[i]);
let same = d == 0.0;
if bitcast<f32>(x) != 0.0 { return; }
let far = !!(d <= params.tolerance);
let near = d <= params.tolerance;
wrong |= word != bits && !(abs(bitcast<f32>(word)) <= params.tolerance);
wrong |= word != bits && bitcast<f32>(word) >= params.tolerance;
let shifted = vec4<f32>(f32(x << 2u), f32(x >> 1u), 0.0, 0.0);
";
    let expected = [":4:", ":7:", ":8:", ":9:", ":10:", ":12:"];
    crate::refuses(float_comparisons, &[("shaders/classify.wgsl", text)], &expected);
    crate::repository_passes(float_comparisons);
}
