//! What holds for the packages built in: pinned versions, and licences that `deny.toml` allows.

use crate::Tree;
use std::process::Command;

/// Dependencies with a wildcard for a version, or with none.
fn wildcards(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.0.get("Cargo.toml") else { return Vec::new() };
    let manifest: toml::Table = text.parse().expect("Cargo.toml is TOML");
    let mut violations = Vec::new();
    for (place, table) in dependency_tables(&manifest) {
        for (name, dependency) in table {
            let version = match dependency {
                toml::Value::String(version) => Some(version.as_str()),
                other => other.get("version").and_then(toml::Value::as_str),
            };
            if version.is_none_or(|version| version.contains('*')) {
                violations.push(format!("Cargo.toml: {place}.{name} has no pinned version"));
            }
        }
    }
    violations
}

/// The tables of dependencies in a manifest, those of single targets included.
fn dependency_tables(manifest: &toml::Table) -> Vec<(String, &toml::Table)> {
    let mut scopes = vec![(String::new(), manifest)];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        let named = targets.iter().filter_map(|(name, scope)| {
            scope.as_table().map(|scope| (format!("target.{name}."), scope))
        });
        scopes.extend(named);
    }
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = scopes.into_iter().flat_map(|(prefix, scope)| {
        kinds.into_iter().filter_map(move |kind| {
            scope.get(kind)?.as_table().map(|table| (format!("{prefix}{kind}"), table))
        })
    });
    tables.collect()
}

/// The licences that `deny.toml` allows, and those it states for packages that state none.
struct Allowed {
    licences: Vec<String>,
    stated: Vec<(String, String)>,
}

impl Allowed {
    fn read(deny: &str) -> Self {
        let deny: toml::Table = deny.parse().expect("deny.toml is TOML");
        let list = |key: &str| deny["licenses"].get(key).and_then(toml::Value::as_array).cloned();
        let word = |value: &toml::Value| value.as_str().expect("a string").to_owned();
        let stated = list("clarify").unwrap_or_default();
        Self {
            licences: list("allow").expect("a list of licences").iter().map(word).collect(),
            stated: stated.iter().map(|c| (word(&c["crate"]), word(&c["expression"]))).collect(),
        }
    }

    /// What is refused among lines `name version|expression`.
    fn violations(&self, packages: &str) -> Vec<String> {
        let mut violations = Vec::new();
        for line in packages.lines() {
            let (package, own) = line.split_once('|').expect("a package and its licence");
            let name = package.split(' ').next().unwrap_or(package);
            let stated = self.stated.iter().find(|(package, _)| package == name);
            let expression =
                stated.map_or(own.trim_end_matches("(*)").trim(), |(_, stated)| stated);
            if !self.allows(expression) {
                violations.push(format!("{package}: `{expression}` is not allowed by deny.toml"));
            }
        }
        violations.sort();
        violations.dedup();
        violations
    }

    /// Whether an SPDX expression can be met with the licences allowed. `/` is the old `OR`.
    fn allows(&self, expression: &str) -> bool {
        let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<_> = spaced.split_whitespace().collect();
        let mut rest = words.as_slice();
        self.any(&mut rest) && rest.is_empty()
    }

    fn any(&self, rest: &mut &[&str]) -> bool {
        let mut met = self.all(rest);
        while let ["OR", after @ ..] = *rest {
            *rest = after;
            met |= self.all(rest);
        }
        met
    }

    fn all(&self, rest: &mut &[&str]) -> bool {
        let mut met = self.one(rest);
        while let ["AND", after @ ..] = *rest {
            *rest = after;
            met &= self.one(rest);
        }
        met
    }

    fn one(&self, rest: &mut &[&str]) -> bool {
        match *rest {
            ["(", after @ ..] => {
                *rest = after;
                let met = self.any(rest);
                let closed = rest.first() == Some(&")");
                *rest = rest.get(1..).unwrap_or_default();
                met && closed
            }
            [name, "WITH", exception, after @ ..] => {
                *rest = after;
                self.licences.contains(&format!("{name} WITH {exception}"))
            }
            [name, after @ ..] => {
                *rest = after;
                self.licences.iter().any(|licence| licence == name)
            }
            [] => false,
        }
    }
}

/// Every package of every target and feature, `name version|expression` a line; where their sources
/// are not all on this machine, those that this build uses. Nothing is fetched.
fn packages() -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let everything = ["--target", "all", "--all-features"];
    for extent in [&everything[..], &[]] {
        let output = Command::new(&cargo)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p}|{l}"])
            .args(extent)
            .output()
            .expect("cargo runs");
        if output.status.success() {
            return String::from_utf8(output.stdout).expect("UTF-8");
        }
    }
    panic!("cargo tree does not know the packages of the build it is part of");
}

#[test]
fn every_dependency_is_pinned() {
    let text = "\
[dependencies]
a = \"1.2\"
b = \"*\"
c = { git = \"https://example.org/c\" }
[dev-dependencies]
d = { version = \"1.*\" }
[target.'cfg(unix)'.dependencies]
e = \"*\"
";
    let expected = ["dependencies.b", "dependencies.c", "dev-dependencies.d", "cfg(unix)"];
    crate::refuses(wildcards, &[("Cargo.toml", text)], &expected);
    crate::repository_passes(wildcards);
}

#[test]
fn a_licence_expression_is_met_as_a_whole() {
    let deny = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\", \"Zlib\"]";
    let allowed = Allowed::read(deny);
    for met in ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR (MIT AND Zlib)", "MPL-2.0 OR MIT"] {
        assert!(allowed.allows(met), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND X", "(MIT", "MIT Zlib"] {
        assert!(!allowed.allows(unmet), "{unmet}");
    }
    assert!(!allowed.allows("Apache-2.0 WITH LLVM-exception"), "an exception is its own entry");
}

#[test]
fn every_licence_is_allowed() {
    let deny = "\
[licenses]
allow = [\"MIT\"]
clarify = [{ crate = \"b\", expression = \"MIT\" }]
";
    let found =
        Allowed::read(deny).violations("a v1|MIT (*)\nb v1|\nc v1|\nd v1|GPL-3.0\nd v1|GPL-3.0");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("c v1") && found[1].starts_with("d v1"));

    let deny = Tree::of_repository().0.remove("deny.toml").expect("deny.toml");
    let (allowed, packages) = (Allowed::read(&deny), packages());
    assert!(packages.contains("wgpu v"), "the packages of this build are listed");
    let found = allowed.violations(&packages);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
