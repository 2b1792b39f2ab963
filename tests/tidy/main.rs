//! The project's own rules, as tests: layers, stage triples, length, words, packages, pages.
//!
//! Each rule is a function from a tree of files to its violations. The test of a rule first shows,
//! on a small tree, that the rule catches what it forbids, then asks it about the repository.

mod circles;
mod layers;
mod packages;
mod pages;
mod shaders;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Folders that hold no source: build output, version control.
const NOT_SOURCE: [&str; 5] = ["target", ".git", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// The folders of results that are committed; the others are archives of runs.
const RESULTS: [&str; 2] = ["results/committed", "results/gpu"];

/// What is read as text, by the end of the file's name.
const TEXT: [&str; 10] =
    [".rs", ".wgsl", ".md", ".toml", ".sh", ".html", ".snap", ".ci/run", "Makefile", ".gitignore"];

/// Files by their path from the root of the repository; what is not text is empty.
struct Tree(BTreeMap<String, String>);

impl Tree {
    /// The repository.
    fn of_repository() -> Self {
        let mut tree = Self(BTreeMap::new());
        tree.read(Path::new(env!("CARGO_MANIFEST_DIR")), "");
        assert!(tree.0.contains_key("Cargo.toml"), "this is the repository");
        tree
    }

    /// A tree of the given paths and texts.
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect())
    }

    fn read(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).expect("a folder that can be read") {
            let entry = entry.expect("an entry of a folder");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            let path = format!("{prefix}{name}");
            if entry.path().is_dir() {
                let archived = path.starts_with("results/") && !RESULTS.contains(&path.as_str());
                if !archived && !NOT_SOURCE.contains(&path.as_str()) {
                    self.read(&entry.path(), &format!("{path}/"));
                }
            } else {
                let is_text = TEXT.iter().any(|end| path.ends_with(end));
                let text =
                    is_text.then(|| fs::read_to_string(entry.path()).expect("text in UTF-8"));
                self.0.insert(path, text.unwrap_or_default());
            }
        }
    }

    fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Paths and texts of the files in a folder, at any depth, whose names end so.
    fn under<'a>(
        &'a self,
        folder: &'a str,
        end: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter(move |(path, _)| path.starts_with(folder) && path.ends_with(end))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// The lines of a Rust or WGSL text without their comments, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| {
        let mut ends = line.match_indices("//").map(|(at, _)| at);
        let end = ends.find(|at| !line[..*at].ends_with(':')).unwrap_or(line.len());
        (index + 1, &line[..end])
    })
}

/// Where `word` stands in `text` with no letter, digit or underscore at either side.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let of_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let ends_open = |w: &str, s: &str| w.ends_with(of_name) && s.starts_with(of_name);
        !text[..*at].ends_with(of_name) && !ends_open(word, &text[at + word.len()..])
    })
}

/// Fails with all violations of the repository, one a line.
fn repository_passes(rule: impl Fn(&Tree) -> Vec<String>) {
    let violations = rule(&Tree::of_repository());
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// Fails unless the rule refuses `bad` and names each of `expected`, in order, and nothing else.
fn refuses(rule: impl Fn(&Tree) -> Vec<String>, bad: &[(&str, &str)], expected: &[&str]) {
    let violations = rule(&Tree::of(bad));
    assert_eq!(violations.len(), expected.len(), "{violations:#?}");
    for (violation, expected) in violations.iter().zip(expected) {
        assert!(violation.contains(expected), "{violation:?} does not say {expected:?}");
    }
}

#[test]
fn comments_are_no_code() {
    let lines: Vec<_> = code("a // b\n\"https://c\" // d\n// e").collect();
    assert_eq!(lines, [(1, "a "), (2, "\"https://c\" "), (3, "")]);
}

#[test]
fn words_stand_alone() {
    assert_eq!(words("ab b cb_ b", "b").collect::<Vec<_>>(), [3, 9]);
    assert_eq!(words("eprintln!() println!(x)", "println!").collect::<Vec<_>>(), [12]);
}
