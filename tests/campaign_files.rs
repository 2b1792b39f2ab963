//! Campaign files as users write them: the ready ones load, the refused ones say why and where.

mod message;

use beamline::campaign::faults::List;
use beamline::campaign::{Campaign, Mode, Plan};
use beamline::workload::{self, Overrides};
use message::{says, shows_place};
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("a folder of the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[test]
fn ready_campaigns_load_under_their_own_names() {
    let files = files("campaigns");
    assert!(files.len() >= 6, "{files:?}");
    for path in files {
        let (campaign, text) = Campaign::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(campaign.name.as_str(), path.file_stem().expect("a stem"));
        assert_eq!(text, std::fs::read_to_string(&path).expect("the same text"));
        if let Mode::List(List { file }) = &campaign.faults {
            let list = path.parent().expect("a folder").join(file);
            assert!(list.is_file(), "{}", list.display());
        }
    }
}

#[test]
fn a_campaign_written_out_again_is_the_same_campaign() {
    for path in files("campaigns") {
        let (campaign, _) = Campaign::load(&path).expect("a ready campaign");
        let again = toml::to_string(&campaign).expect("a campaign as TOML");
        assert_eq!(Campaign::parse(&path, &again).expect("its own text"), campaign);
    }
}

#[test]
fn refused_campaigns_say_what_and_where() {
    let files = files("tests/refused/campaign");
    assert!(files.len() >= 40, "{} files", files.len());
    let mut wrong = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/digits-mlp");
    let workload = workload::load(&folder, &Overrides::default()).expect("shipped");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a refused campaign");
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expect: "));
        let expected = expected.expect("a first line `# expect: …`");
        let file = path.file_name().expect("a name").to_string_lossy();
        let message = match Campaign::load(&path) {
            Ok((campaign, text)) => match Plan::new(&campaign, &workload, Path::new("campaigns")) {
                Ok(_) => "nothing: it is planned".to_owned(),
                Err(error) => error.placed(&path, &text).to_string(),
            },
            Err(error) => error.to_string(),
        };
        let place = message.split_once(&format!("{file}:")).map_or("", |(_, place)| place);
        let has_line = place.starts_with(|digit: char| digit.is_ascii_digit());
        // What a file lacks as a whole stands on no line of it.
        let is_whole = message.contains(":1:1: ");
        if !says(&message, expected) || !has_line || !(is_whole || shows_place(&message)) {
            wrong.push(format!("{file}\n  expected {expected}\n  found    {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_missing_file_is_named() {
    let error = Campaign::load(Path::new("no/such.toml")).expect_err("no such file").to_string();
    assert!(error.starts_with("no/such.toml: cannot be read: "), "{error}");
}
