//! Shader sources: the embedded files and the `#import NAME` composer.
//!
//! An entry file comes first with its `#import` lines turned into comments, so its line numbers
//! stay true; the library files it needs follow, once each, depth first. WGSL does not mind the
//! order of declarations.

use std::collections::BTreeSet;

/// An entry file of `shaders/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's stem.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

// The files of `shaders/` and `shaders/lib/`, which `build.rs` lists.
include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

impl Source {
    /// The entry file with this stem.
    ///
    /// # Panics
    /// Where there is none: names are written in this crate.
    #[expect(clippy::expect_used, reason = "names are literals of this crate")]
    pub fn named(name: &str) -> Self {
        *ENTRIES.iter().find(|s| s.name == name).expect("a shader in the table")
    }

    /// All entry files.
    pub const fn all() -> &'static [Self] {
        ENTRIES
    }
}

/// The names of the library files.
pub fn library_names() -> impl Iterator<Item = &'static str> {
    LIBRARY.iter().map(|s| s.name)
}

/// The text of `source` with its imports appended.
///
/// # Errors
/// A message with file and line where an import names no library file.
pub fn compose(source: Source) -> Result<String, String> {
    let mut text = String::new();
    let mut done = BTreeSet::new();
    let mut waiting = append(&mut text, source)?;
    while let Some(library) = waiting.pop() {
        if done.insert(library.name) {
            waiting.extend(append(&mut text, library)?);
        }
    }
    Ok(text)
}

/// Appends one file with its import lines as comments and gives the files it imports.
fn append(text: &mut String, source: Source) -> Result<Vec<Source>, String> {
    let mut imports = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if let Some(name) = line.strip_prefix("#import ") {
            let found = LIBRARY.iter().find(|s| s.name == name.trim());
            imports.push(*found.ok_or_else(|| {
                format!(
                    "{}.wgsl:{}: expected a file of shaders/lib, found {name:?}",
                    source.name,
                    index + 1
                )
            })?);
            text.push_str("// ");
        }
        text.push_str(line);
        text.push('\n');
    }
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_keeps_its_line_numbers_and_takes_each_library_once() {
        for entry in Source::all() {
            let text = compose(*entry).expect("every import exists");
            for (own, composed) in entry.text.lines().zip(text.lines()) {
                assert_eq!(own, composed.strip_prefix("// #").map_or(composed, |_| &composed[3..]));
            }
            for library in LIBRARY {
                assert!(text.matches(library.text.trim_end()).count() <= 1, "{}", entry.name);
            }
        }
    }

    #[test]
    fn an_unknown_import_names_its_line() {
        let source = Source { name: "x", text: "// a\n#import nothing\n" };
        assert_eq!(
            compose(source),
            Err("x.wgsl:2: expected a file of shaders/lib, found \"nothing\"".into())
        );
    }
}
