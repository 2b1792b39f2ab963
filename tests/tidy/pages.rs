//! What holds for pages and for data that must say where it comes from.

use crate::{Tree, words};

/// Lines of Markdown outside fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// Pages of `docs/` without a title, or with more than one.
fn titles(tree: &Tree) -> Vec<String> {
    let counted = tree
        .under("docs/", ".md")
        .map(|(path, text)| (path, prose(text).filter(|(_, line)| line.starts_with("# ")).count()));
    let wrong = counted.filter(|(_, titles)| *titles != 1);
    wrong.map(|(path, titles)| format!("{path}: {titles} titles, expected one")).collect()
}

/// Relative links of the pages that lead nowhere.
fn broken_links(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("", ".md") {
        for (number, line) in prose(text) {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let file = target.split('#').next().unwrap_or(target);
                if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                    continue;
                }
                let resolved = resolve(path, file);
                let folder = format!("{}/", resolved.trim_end_matches('/'));
                let leads = tree.has(&resolved) || tree.0.keys().any(|p| p.starts_with(&folder));
                if !leads {
                    violations.push(format!("{path}:{number}: `{target}` leads nowhere"));
                }
            }
        }
    }
    violations
}

/// The path from the root of a link in a page.
fn resolve(page: &str, link: &str) -> String {
    let mut parts: Vec<_> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Functions that a page names as `src/FILE.rs::NAME` and that are not there.
fn missing_functions(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("docs/", ".md") {
        for (number, line) in prose(text) {
            for named in line.split('`').skip(1).step_by(2) {
                let Some((file, name)) = named.split_once(".rs::") else { continue };
                let source = tree.0.get(&format!("{file}.rs"));
                let define = format!("fn {name}");
                if source.is_none_or(|source| words(source, &define).next().is_none()) {
                    violations.push(format!("{path}:{number}: there is no `{named}`"));
                }
            }
        }
    }
    violations
}

/// Fault models that do not say where their numbers come from.
fn models_without_source(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in tree.under("fault-models/", ".toml") {
        match text.parse::<toml::Table>() {
            Err(error) => violations.push(format!("{path}: {}", error.message())),
            Ok(model) => {
                let source = model.get("source").and_then(toml::Value::as_str);
                if source.is_none_or(|source| source.trim().is_empty()) {
                    violations.push(format!("{path}: no `source`"));
                }
            }
        }
    }
    violations
}

#[test]
fn a_page_has_one_title() {
    let bad = [
        ("docs/a.md", "# One\n```\n# a comment\n```\n## Part\n"),
        ("docs/b.md", "Text\n"),
        ("docs/c.md", "# One\n# Two\n"),
    ];
    crate::refuses(titles, &bad, &["docs/b.md: 0", "docs/c.md: 2"]);
    crate::repository_passes(titles);
}

#[test]
fn links_lead_somewhere() {
    let text = "[a](docs/a.md#part), [b](https://example.org/b)\n[c](c.md) [d](docs) [e](#part)\n";
    let page = "[up](../README.md) [beside](b.md) [here](./a.md)\n";
    let bad = [("README.md", text), ("docs/a.md", page)];
    crate::refuses(broken_links, &bad, &["README.md:2: `c.md`", "docs/a.md:1: `b.md`"]);
    crate::repository_passes(broken_links);
}

#[test]
fn functions_that_pages_name_exist() {
    let page = "`src/a.rs::mean` and `src/a.rs::me`\n`src/b.rs::mean` `crate::rs`\n";
    let bad = [("docs/model.md", page), ("src/a.rs", "pub fn mean() {}")];
    let expected = ["docs/model.md:1: there is no `src/a.rs::me`", "docs/model.md:2"];
    crate::refuses(missing_functions, &bad, &expected);
    crate::repository_passes(missing_functions);
}

#[test]
fn a_fault_model_names_its_source() {
    let bad = [
        ("fault-models/devices/a.toml", "source = \"a report\""),
        ("fault-models/devices/b.toml", "source = \" \""),
        ("fault-models/patterns/c.toml", "[table]\nsource = \"too deep\""),
        ("fault-models/patterns/d.toml", "source = "),
    ];
    crate::refuses(models_without_source, &bad, &["b.toml: no", "c.toml: no", "d.toml: "]);
    crate::repository_passes(models_without_source);
}
