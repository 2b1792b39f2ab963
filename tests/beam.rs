//! Simulated beams: the cross-section that goes in comes out, and only armed fluence counts.

mod fixture;
mod message;

use beamline::archive::schema::Header;
use beamline::archive::{FaultRow, OutcomeRow, Segment, Summary, Writer, summarise};
use beamline::campaign::runner::FirstError;
use beamline::campaign::{Campaign, Plan};
use beamline::device::{Device, Level};
use beamline::engine::TrialResult;
use beamline::outcome::{InferenceRow, Outcome};
use beamline::report::{self, Format};
use beamline::workload::{self, Overrides};
use std::path::Path;

const STEPS: u32 = 4;
const STEP_S: f64 = 4.0;

/// A beam on the weights of the digits MLP that gives one run so many upsets on average.
fn campaign(upsets_per_run: f64, fluence: f64) -> (Campaign, String) {
    let flux = upsets_per_run / (sigma_cm2() * f64::from(STEPS) * STEP_S);
    let text = format!(
        "name = \"b\"\nseed = 5\n[workload]\nname = \"digits-mlp\"\n[faults]\nmode = \"beam\"\n\
         regions = [\"weights\"]\ndevice = \"trillium-hbm\"\ndevice_modes = [\"upset\"]\n\
         steps = {STEPS}\ninputs_per_step = 4\ninference_period_s = 1.0\n\
         flux_per_cm2_s = {flux:e}\nfluence_per_cm2 = {fluence:e}\n[[scheme]]\nname = \"none\"\n\
         protection = \"none\"\n[stop]\ntrials = 20000\n"
    );
    (Campaign::parse(Path::new("b.toml"), &text).expect("a campaign"), text)
}

/// The cross-section of all weights, in cm²: flipped bits a bit, times the bits.
fn sigma_cm2() -> f64 {
    let (device, _) = Device::load("trillium-hbm").expect("a device");
    let upset = device.modes.iter().find(|mode| mode.name == "upset").expect("the mode");
    let flips = upset.flips_per_event().expect("a pattern");
    let bits: usize = workload().tensors.iter().map(|tensor| 32 * tensor.words.len()).sum();
    upset.proton_cm2(67.0, Level::Nominal) * flips * bits as f64
}

fn workload() -> workload::Workload {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/digits-mlp");
    workload::load(&folder, &Overrides::default()).expect("a workload of this project")
}

/// The rows of a computation that shows every upset in the step that it strikes, as an SDC; every
/// fourth run as a DUE.
fn test(upsets_per_run: f64, runs: u64) -> (Header, Segment) {
    let (campaign, text) = campaign(upsets_per_run, 1.0);
    let workload = workload();
    let plan = Plan::new(&campaign, &workload, Path::new("")).expect("a plan");
    let mut header = fixture::header();
    header.schemes.truncate(1);
    header.campaign.toml = text;
    header.campaign.mode = "beam".into();
    (header.campaign.steps, header.campaign.inferences_per_step) = (STEPS, 4);
    header.beam = campaign.faults.beam().cloned();
    let rate = header.rate.as_mut().expect("a rate");
    (rate.acceleration, rate.inference_period_s) = (1.0, 1.0);
    let mut segment = fixture::segment(0, runs);
    let template = segment.faults[0];
    segment.faults.clear();
    segment.outcomes.retain(|row| row.scheme == 0);
    segment.timing.retain(|row| row.scheme == 0);
    for row in &mut segment.outcomes {
        let faults = plan.job(row.trial).faults;
        let first = faults.first().map(|fault| fault.step);
        let due = row.trial.is_multiple_of(4);
        let all = row.inferences;
        *row = OutcomeRow {
            faults: u32::try_from(faults.len()).expect("few"),
            armed_steps: first.map_or(STEPS, |step| step + 1),
            first_error: first.map_or(0, |_| if due { 6 } else { 4 }),
            worst: 0,
            wrong: 0,
            masked: all,
            tolerable_sdc: 0,
            critical_sdc: 0,
            ..*row
        };
        let rows = faults.iter().zip(0..).map(|(fault, order)| FaultRow {
            trial: row.trial,
            scheme: 0,
            order,
            step: fault.step,
            ..template
        });
        segment.faults.extend(rows);
    }
    (header, segment)
}

fn summary(header: &Header, segment: &Segment) -> Summary {
    summarise(header, &segment.faults, &segment.outcomes)
}

#[test]
fn the_cross_section_that_goes_in_comes_out() {
    let runs = 20_000;
    let (mut header, segment) = test(0.009, runs);
    let [found] = summary(&header, &segment).beam[..] else { panic!("one scheme") };
    let sigma = sigma_cm2();
    assert!((120..250).contains(&found.all.events), "{} events", found.all.events);
    for interval in [found.all.counting, found.all.interval] {
        assert!(interval.low < sigma && sigma < interval.high, "{sigma:e}: {found:?}");
    }
    assert_eq!(found.all.events, found.sdc.events + found.due.events);
    assert!(found.due.events > 20 && found.sdc.events > 3 * found.due.events / 2);
    assert!(
        (found.dead_s - (10.0 * found.sdc.events as f64 + 60.0 * found.due.events as f64)).abs()
            < 1e-9
    );
    assert!(found.interval_is_wider());
    let beam = header.beam.as_mut().expect("a beam");
    beam.dosimetry_error = 0.0;
    let exact = summary(&header, &segment).beam[0].all;
    assert!((exact.interval.high / exact.counting.high - 1.0).abs() < 1e-12);
}

trait Wider {
    fn interval_is_wider(&self) -> bool;
}

impl Wider for beamline::archive::beam::BeamFigures {
    fn interval_is_wider(&self) -> bool {
        self.all.interval.low < self.all.counting.low
            && self.all.interval.high > self.all.counting.high
    }
}

#[test]
fn fluence_counts_only_while_armed() {
    let runs = 500;
    let (header, segment) = test(8.0, runs);
    let found = summary(&header, &segment).beam[0];
    let flux = header.beam.as_ref().expect("a beam").flux_per_cm2_s;
    let beam_on = runs as f64 * f64::from(STEPS) * STEP_S * flux;
    assert!(found.armed_fluence_per_cm2 < 0.5 * beam_on, "{found:?}");
    assert!(found.armed_fluence_per_cm2 >= 0.25 * beam_on);
    assert!(found.upsets < segment.faults.len() as u64, "later upsets meet no armed run");
    assert!(found.all.events > runs * 9 / 10);
    // So crowded a test sees one event where several came.
    assert!(found.all.interval.high < sigma_cm2());
}

#[test]
fn a_report_says_simulated_beam_and_warns_of_coincidences() {
    for (upsets, warned, bare) in [(0.004, false, true), (1.0, true, true), (1.0, true, false)] {
        let (mut header, segment) = test(upsets, 2000);
        if !bare {
            header.schemes = vec![fixture::header().schemes[1].clone()];
        }
        let scheme = header.schemes[0].name().to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::start(folder.path(), header.clone()).expect("a writer");
        writer.send(segment).expect("a segment");
        writer.finish(()).expect("an archive");
        let archive = beamline::archive::Archive::open(folder.path()).expect("an archive");
        assert_eq!(*archive.header(), header);
        for format in [Format::Table, Format::Markdown, Format::Html] {
            let mut text = Vec::new();
            report::write(&archive, format, &mut text).expect("a report");
            let text = String::from_utf8(text).expect("text");
            let title = text.lines().find(|line| line.contains("digits-mlp")).expect("a title");
            let said = title.contains("simulated beam") || format == Format::Html;
            assert!(said && text.contains("in a simulated beam"), "{format:?}: {title}");
            assert!(text.contains("dead time"), "{format:?}");
            assert_eq!(text.contains("WARNING: "), warned, "{format:?}, {upsets} upsets a run");
            let named = text.contains(&format!(" events a run of {scheme}, above"));
            assert_eq!(named, warned, "{format:?}: {scheme}");
            assert!(!text.contains("FIT ="), "{format:?}: a beam has no failure rate");
        }
        let mut text = Vec::new();
        report::write(&archive, Format::Json, &mut text).expect("a report");
        let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(json["test"], "simulated beam");
        assert!(json["header"].is_object() && json["summary"].is_object());
        let mut text = Vec::new();
        report::write(&archive, Format::Csv, &mut text).expect("a report");
        let text = String::from_utf8(text).expect("text");
        let mut lines = text.lines();
        assert!(lines.next().expect("a head").ends_with(",test"));
        assert!(lines.all(|line| line.ends_with(",simulated beam")), "{text}");
    }
}

#[test]
fn a_beam_needs_data_for_its_particle() {
    let refused = |change: &dyn Fn(&str) -> String| {
        let (_, text) = campaign(0.01, 1e9);
        let text = change(&text);
        let campaign = Campaign::parse(Path::new("b.toml"), &text).expect("a campaign");
        let error = Plan::new(&campaign, &workload(), Path::new("")).expect_err("a refusal");
        message::by_line(&error.placed(Path::new("b.toml"), &text).to_string())
    };
    let ions = |text: &str| {
        text.replace("flux_per", "particle = \"ion\"\nlet_mev_cm2_per_mg = 10.0\nflux_per")
    };
    assert!(refused(&ions).starts_with("b.toml:9: expected modes of trillium-hbm with ion data"));
    let no_bits = |text: &str| {
        text.replace("trillium-hbm", "ddr4-hynix-8gb").replace("device_modes = [\"upset\"]\n", "")
    };
    let found = refused(&no_bits);
    assert!(found.starts_with("b.toml:8: expected a device with proton data"), "{found}");
    let fast = |text: &str| text.replace("flux_per_cm2_s = ", "flux_per_cm2_s = 1e9 #");
    let hot = |text: &str| text.replace("flux_per_cm2_s = ", "flux_per_cm2_s = 1e22 #");
    assert!(refused(&hot).starts_with("b.toml:13: expected a rate"), "{}", refused(&hot));
    let (_, text) = campaign(0.01, 1e9);
    let slow = Campaign::parse(Path::new("b.toml"), &fast(&text)).expect("a campaign");
    let plan = Plan::new(&slow, &workload(), Path::new("")).expect("a plan");
    assert!((plan.armed_steps_wanted() - 1e9 / (1e9 * STEP_S)).abs() < 1e-12);
}

/// The campaign with ions of 10 MeV cm²/mg on a device that takes them.
fn ions(device: &str) -> Campaign {
    let (_, text) = campaign(0.01, 1e9);
    let text = text
        .replace("trillium-hbm", device)
        .replace("device_modes = [\"upset\"]\n", "")
        .replace("flux_per", "particle = \"ion\"\nlet_mev_cm2_per_mg = 10.0\nflux_per")
        .replace("flux_per_cm2_s = ", "flux_per_cm2_s = 1e-9 #");
    Campaign::parse(Path::new("b.toml"), &text).expect("a campaign")
}

#[test]
fn ions_strike_with_the_curve_of_the_device() {
    let plan = Plan::new(&ions("creme96-lm7912"), &workload(), Path::new("")).expect("a plan");
    let rate = plan.rate().expect("a rate");
    let curve = 2e-5 * (1.0 - (-(10.0_f64 - 0.5) / 30.0).exp());
    assert!((rate.upsets_per_bit_day / (curve * 1e-9 * 86_400.0) - 1.0).abs() < 1e-9);
    assert!(rate.source.contains("at normal incidence"), "{}", rate.source);
}

#[test]
fn stuck_bits_are_not_injected() {
    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fault-models/devices/creme96-lm7912.toml");
    let text = std::fs::read_to_string(shipped).expect("a device");
    let (_, mode) = text.split_once("[[mode]]").expect("a mode");
    let stuck = mode.replace("\"upset\"", "\"stuck\"").replace("single-bit", "stuck-bit");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("d.toml"), format!("{text}\n[[mode]]{stuck}"))
        .expect("a file");
    let plan = Plan::new(&ions("d.toml"), &workload(), folder.path()).expect("a plan");
    let [left] = &plan.rate().expect("a rate").not_injected[..] else { panic!("one mode") };
    assert_eq!(
        (left.mode.as_str(), left.reason.as_str()),
        ("stuck", "stuck bits are not injected")
    );
}

#[test]
fn a_run_is_armed_until_the_step_of_its_first_error() {
    use Outcome::{Corrected, CriticalSdc, Due, DueRecovered, Hang, Masked, TolerableSdc};
    let first = |rows: [Outcome; 6]| {
        let mut result = TrialResult::new(0);
        result.rows = rows.map(|outcome| InferenceRow(outcome as u32)).to_vec();
        let found = FirstError::of(&result, 3);
        (found.armed_steps, found.outcome)
    };
    let m = Masked;
    assert_eq!(first([m, m, TolerableSdc, CriticalSdc, m, m]), (2, Some(TolerableSdc)));
    assert_eq!(first([m, CriticalSdc, m, m, m, Due]), (1, Some(CriticalSdc)));
    assert_eq!(first([m, m, m, Due, m, m]), (2, Some(Due)));
    assert_eq!(first([DueRecovered, Corrected, m, m, Hang, m]), (3, Some(Hang)));
    assert_eq!(first([DueRecovered, Corrected, m, m, m, m]), (3, None));
    assert_eq!(first([m; 6]), (3, None));
}
