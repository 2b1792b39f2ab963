//! Notes the commit that a binary is built from, where there is a git checkout, and lists the shaders.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// A table of the shaders of a folder, by their stems in alphabetical order.
fn table(name: &str, folder: &str) -> std::io::Result<String> {
    let mut stems = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wgsl") {
            stems.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    stems.sort_unstable();
    let mut text = format!("const {name}: &[Source] = &[\n");
    for stem in stems {
        let _ = writeln!(
            text,
            "    Source {{ name: {stem:?}, text: include_str!(concat!(\
             env!(\"CARGO_MANIFEST_DIR\"), \"/{folder}/{stem}.wgsl\")) }},"
        );
    }
    Ok(text + "];\n")
}

fn main() -> std::io::Result<()> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no", "src", "shaders", "Cargo.lock"]);
    let dirty = if changed.is_some_and(|text| !text.is_empty()) { "-dirty" } else { "" };
    println!("cargo::rustc-env=BEAMLINE_COMMIT={commit}{dirty}");
    for path in ["src", "shaders", "Cargo.lock", ".git/HEAD", ".git/index"] {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    let tables = table("ENTRIES", "shaders")? + &table("LIBRARY", "shaders/lib")?;
    std::fs::write(Path::new(&folder).join("shaders.rs"), tables)
}
