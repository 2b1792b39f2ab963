//! `schemas/*.json`: the JSON Schemas of files that users write are those of the types that read them.
//!
//! With `BEAMLINE_FREEZE=1` the files are written.

use beamline::command::schema::FileKind;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_files_are_what_the_program_prints() {
    for kind in FileKind::ALL {
        let path = root().join(format!("schemas/{}.json", kind.name()));
        let text = serde_json::to_string_pretty(&kind.schema()).expect("JSON") + "\n";
        if std::env::var_os("BEAMLINE_FREEZE").is_some() {
            fs::create_dir_all(root().join("schemas")).expect("a folder");
            fs::write(&path, &text).expect("a schema");
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "{}: `beamline schema {}` prints another",
            path.display(),
            kind.name()
        );
    }
}

/// Files that are shipped, by kind.
fn shipped(kind: FileKind) -> Vec<PathBuf> {
    let folders: &[&str] = match kind {
        FileKind::Campaign => &["campaigns"],
        FileKind::Mission => &["missions"],
        FileKind::Device => &["fault-models/devices"],
        FileKind::Memory => &["fault-models/memories"],
        FileKind::Pattern => &["fault-models/patterns"],
        FileKind::Workload => {
            let folders = ["kernels", "kernels/gpu4s", "kernels/obpmark"];
            let entries = folders.map(|folder| fs::read_dir(root().join(folder)).expect("kernels"));
            let entries = entries.into_iter().flatten().flatten();
            let files = entries.map(|entry| entry.path().join("workload.toml"));
            return files.filter(|path| path.is_file()).collect();
        }
    };
    let entries = folders.iter().flat_map(|folder| {
        fs::read_dir(root().join(folder)).expect("a folder").flatten().map(|entry| entry.path())
    });
    entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect()
}

/// What the text of a file is as JSON; `None` where it is no TOML.
fn json(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(text).ok()?;
    serde_json::to_value(table).ok()
}

fn validator(kind: FileKind) -> jsonschema::Validator {
    jsonschema::validator_for(kind.schema().as_value()).expect("a schema")
}

#[test]
fn every_shipped_file_is_as_its_schema_says() {
    for kind in FileKind::ALL {
        let validator = validator(kind);
        let files = shipped(kind);
        assert!(files.len() > 1, "{kind:?}: {files:?}");
        for path in files {
            let text = fs::read_to_string(&path).expect("a file");
            let value = json(&text).expect("TOML");
            let flaws: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(flaws.is_empty(), "{}: {flaws:#?}", path.display());
        }
    }
}

/// A key that is none, and a value of another type, in any table of a shipped file.
#[test]
fn a_key_that_is_none_is_no_part_of_any_schema() {
    for kind in FileKind::ALL {
        let validator = validator(kind);
        for path in shipped(kind) {
            let mut value = json(&fs::read_to_string(&path).expect("a file")).expect("TOML");
            value["no_such_key"] = 1.into();
            assert!(!validator.is_valid(&value), "{}", path.display());
            let fields = value.as_object_mut().expect("a table");
            fields.remove("no_such_key");
            fields.insert("name".into(), 7.into());
            assert!(!validator.is_valid(&value), "{}: a name that is a number", path.display());
        }
    }
}

/// What a schema refuses the reader refuses too: no schema is stricter than its reader.
#[test]
fn files_that_are_read_are_valid() {
    let folder = root().join("tests/accepted/workload");
    let validator = validator(FileKind::Workload);
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        let value = json(&fs::read_to_string(&path).expect("a file")).expect("TOML");
        assert!(validator.is_valid(&value), "{}", path.display());
    }
}

#[test]
fn keys_of_earlier_files_are_valid() {
    let validator = validator(FileKind::Mission);
    let path = root().join("missions/suncatcher.toml");
    let mut value = json(&fs::read_to_string(path).expect("a mission")).expect("TOML");
    for (key, valid) in [("elements", true), ("tle", true), ("omm", true), ("elments", false)] {
        value["environment"]["orbit"] = serde_json::json!({ key: "a.tle", "satellite": "X" });
        assert_eq!(validator.is_valid(&value), valid, "{key}");
    }
}
