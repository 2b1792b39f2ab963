//! Mission files as users write them: the ready ones are planned, the refused ones say why and where.

mod message;

use beamline::archive::mission::{Made, MissionHeader};
use beamline::archive::schema::AdapterInfo;
use beamline::mission::{Mission, Plan};
use beamline::scheme::{Period, Scheme};
use beamline::workload::{self, Overrides, Workload};
use message::{by_line, says, shows_place};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("a folder of the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(end));
    files.sort();
    files
}

fn digits() -> Arc<Workload> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/digits-mlp");
    Arc::new(workload::load(&folder, &Overrides::default()).expect("shipped"))
}

/// Why a mission is refused, by its file or by its plan.
fn refusal(path: &Path, workload: &Arc<Workload>) -> Option<String> {
    let (mission, text) = match Mission::load(path) {
        Ok(loaded) => loaded,
        Err(error) => return Some(error.to_string()),
    };
    let folder = path.parent().expect("a folder");
    let refused = Plan::new(&mission, Arc::clone(workload), folder).err()?;
    Some(refused.placed(path, &text).to_string())
}

#[test]
fn ready_missions_are_planned_and_written_out_again_are_the_same() {
    let files = files("missions", ".toml");
    assert!(!files.is_empty());
    for path in files {
        assert_eq!(refusal(&path, &digits()), None, "{}", path.display());
        let (mission, _) = Mission::load(&path).expect("it is planned");
        let again = toml::to_string(&mission).expect("a mission as TOML");
        assert_eq!(Mission::parse(&path, &again).expect("its own text"), mission);
    }
}

#[test]
fn refused_missions_say_what_and_where() {
    let files = files("tests/refused/mission", ".toml");
    assert!(files.len() >= 20, "{} files", files.len());
    let workload = digits();
    let mut wrong = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a refused mission");
        let line = text.lines().next().and_then(|line| line.strip_prefix("# expect: "));
        let (at, expected) = line.and_then(|line| line.split_once(" | ")).expect("LINE | message");
        let file = path.file_name().expect("a name").to_string_lossy();
        let message = refusal(&path, &workload).unwrap_or_else(|| "nothing: it is planned".into());
        let placed = message.contains(&format!("{file}:{at}:"));
        if !placed || !says(&message, expected) || !shows_place(&message) {
            wrong.push(format!("{file}\n  expected {at}: {expected}\n  found    {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A mission whose scheme scrubs as `scrub` says, in the memory `preset`.
fn scrubbed(preset: &str, scrub: &str) -> String {
    format!(
        "name = \"scrubbed\"\nseed = 1\nlasts = \"30d\"\n[environment]\norbit = \"suncatcher\"\n\
         days = 1\n[memory]\npreset = \"{preset}\"\n[[device]]\nname = \"trillium-hbm\"\n\
         modes = [\"upset\"]\n[workload]\nname = \"digits-mlp\"\ninputs = 4\n[[scheme]]\n\
         name = \"ecs\"\nprotection = \"none\"\ncode = \"hsiao-72-64\"\nscrub = {{ {scrub} }}\n"
    )
}

fn planned(text: &str, folder: &Path) -> Result<Plan, String> {
    let path = folder.join("scrubbed.toml");
    let mission = Mission::parse(&path, text).map_err(|error| by_line(&error.to_string()))?;
    Plan::new(&mission, digits(), folder)
        .map_err(|error| by_line(&error.placed(&path, text).to_string()))
}

#[test]
fn a_patrol_has_the_period_of_the_memory() {
    let named = scrubbed("ddr5", "patrol = \"ddr5-ecs\", by = \"ecc\"");
    let plan = planned(&named, Path::new(".")).expect("a plan");
    let scrub = plan.mission.scheme[0].scrub.clone().expect("a scrub");
    assert_eq!(
        (scrub.every, scrub.patrol.as_deref()),
        (Period::Seconds(86_400.0), Some("ddr5-ecs"))
    );
    let by_hand = planned(&scrubbed("ddr5", "every = \"1d\", by = \"ecc\""), Path::new("."));
    assert_eq!(plan.facts(), by_hand.expect("a plan").facts());

    // What is archived has the period and the name, and where the period comes from.
    let definition = serde_json::to_string(&plan.mission.scheme[0]).expect("JSON");
    assert!(definition.contains(r#""every":"1d","patrol":"ddr5-ecs""#), "{definition}");
    let again: Scheme = serde_json::from_str(&definition).expect("a scheme");
    assert_eq!(again, plan.mission.scheme[0]);
    let made = Made {
        version: String::new(),
        commit: String::new(),
        adapter: AdapterInfo::default(),
        shaders: Vec::new(),
        golden: Vec::new(),
    };
    let header = MissionHeader::of(&plan, &named, &made);
    let source = header.sources.iter().find(|row| row.subject == "patrol ddr5-ecs");
    let source = &source.expect("a source").source;
    assert!(source.contains("JESD79-5") && source.ends_with("(recalled)"), "{source}");
}

#[test]
fn a_mission_archives_what_its_spectra_are_and_what_became_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let protons = "# is: trapped-and-cosmic, before-shield, mean, margin=2\n\
                   energy_mev,integral_per_cm2_s\n10,60\n100,40\n1000,2\n";
    std::fs::write(folder.path().join("all.csv"), protons).expect("a written file");
    let ions = "# is: from-helium, behind-shield, mean\nlet_mev_cm2_per_g,\
                differential_per_m2_sr_s_per_mev_cm2_g\n1000,1e-3\n3000,1e-5\n9000,1e-8\n";
    std::fs::write(folder.path().join("ions.csv"), ions).expect("a written file");
    let text = scrubbed("ddr5", "every = \"1d\", by = \"ecc\"").replace(
        "days = 1\n",
        "days = 1\nproton_spectrum = \"all.csv\"\nlet_spectrum = \"ions.csv\"\n",
    );
    let plan = planned(&text, folder.path()).expect("a plan");
    let made = Made {
        version: String::new(),
        commit: String::new(),
        adapter: AdapterInfo::default(),
        shaders: Vec::new(),
        golden: Vec::new(),
    };
    let header = MissionHeader::of(&plan, &text, &made);
    let of = |subject: &str| {
        let row = header.sources.iter().find(|row| row.subject == subject);
        row.expect("a source").source.as_str()
    };
    let source = format!(
        "file all.csv of a CSV table: trapped-and-cosmic, before-shield, mean, margin=2; energy_mev and \
         integral_per_cm2_s, divided by its margin of 2; {} bytes, SHA-256 ",
        protons.len()
    );
    assert!(of("trapped protons").starts_with(&source), "{}", of("trapped protons"));
    assert_eq!(of("trapped protons").len(), source.len() + 64);
    let cosmic =
        "protons with the trapped ones; ions by LET: file ions.csv of a CSV table: from-helium";
    assert!(of("cosmic rays").starts_with(cosmic), "{}", of("cosmic rays"));
    assert!(of("cosmic rays").contains("axis times 1.0000e-3, flux times 1.2566e0"));
    let above = plan.timeline.trapped_above(10.0);
    assert!((above / 30.0 - 1.0).abs() < 0.01, "{above}: the margin is taken out");
}

#[test]
fn a_memory_says_how_long_its_patrol_takes_and_whether_it_has_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("fault-models/memories/ddr5.toml");
    let memory = std::fs::read_to_string(shipped).expect("a memory");
    let (without, _) = memory.split_once("[[scrub]]").expect("a patrol");
    let slow = "[[scrub]]\nname = \"slow\"\n\
                period_s = { value = 172_800, mark = \"assumed\", source = \"this test\" }\n";
    std::fs::write(folder.path().join("none.toml"), without).expect("a written file");
    std::fs::write(folder.path().join("slow.toml"), format!("{without}{slow}")).expect("written");
    let named = |preset| scrubbed(preset, "patrol = \"slow\", by = \"ecc\"");
    let plan = planned(&named("slow.toml"), folder.path()).expect("a plan");
    assert_eq!(
        plan.mission.scheme[0].scrub.as_ref().map(|scrub| scrub.every),
        Some(Period::Seconds(172_800.0))
    );
    let (patrol, _) = plan.terms[0].patrol.as_ref().expect("a patrol");
    assert!((patrol.passes_per_s() * 172_800.0 - 1.0).abs() < 1e-12);

    let refused = planned(&named("none.toml"), folder.path()).err().expect("a refusal");
    let expected = "scrubbed.toml:19: expected scrub.every = \"1h\", as memory ddr5 names no patrol, \
                    found \"slow\"";
    assert!(refused.ends_with(expected), "{refused}");
}
