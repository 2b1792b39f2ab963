//! Notes the commit that a binary is built from, where there is a git checkout, and lists the shaders and the
//! devices, memories and patterns that are built in.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The stems of the files of a folder with this extension, in alphabetical order.
fn stems(folder: &str, extension: &str) -> std::io::Result<Vec<String>> {
    let mut stems = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            stems.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    stems.sort_unstable();
    Ok(stems)
}

/// A table of the names and texts of the models of a folder.
fn models(name: &str, folder: &str) -> std::io::Result<String> {
    let stems = stems(folder, "toml")?;
    let mut text = format!("const {name}: [(&str, &str); {}] = [\n", stems.len());
    for stem in stems {
        let _ = writeln!(
            text,
            "    ({stem:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{folder}/{stem}.toml\"))),"
        );
    }
    Ok(text + "];\n")
}

/// A table of the shaders of a folder.
fn shaders(name: &str, folder: &str) -> std::io::Result<String> {
    let stems = stems(folder, "wgsl")?;
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
    for path in ["src", "shaders", "fault-models", "Cargo.lock", ".git/HEAD", ".git/index"] {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    let folder = Path::new(&folder);
    let tables = shaders("ENTRIES", "shaders")? + &shaders("LIBRARY", "shaders/lib")?;
    std::fs::write(folder.join("shaders.rs"), tables)?;
    for models_of in ["devices", "memories", "patterns"] {
        let table = models("SHIPPED", &format!("fault-models/{models_of}"))?;
        std::fs::write(folder.join(format!("{models_of}.rs")), table)?;
    }
    Ok(())
}
