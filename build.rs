//! Notes the commit that a binary is built from, where there is a git checkout.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn main() {
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no", "src", "shaders", "Cargo.lock"]);
    let dirty = if changed.is_some_and(|text| !text.is_empty()) { "-dirty" } else { "" };
    println!("cargo::rustc-env=BEAMLINE_COMMIT={commit}{dirty}");
    for path in ["src", "shaders", "Cargo.lock", ".git/HEAD", ".git/index"] {
        if std::path::Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}
