//! The assessment of an orbit as text of 80 columns.

use crate::rate::{AltitudeAbove, Assessment, Band, ModeRate};
use std::fmt::Write;

/// Columns of the text.
const COLUMNS: usize = 80;
/// Columns of a label with the space before it.
const LABEL: usize = 22;
/// A band wider than this factor has no nominal figure worth printing.
const WIDEST: f64 = 10.0;
/// What a figure that is not there looks like.
const NONE: &str = "–";

/// What a table shows.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The figures.
    pub assessment: &'a Assessment,
    /// Those of the same orbit without a solar event, where the first have one.
    pub quiet: Option<&'a Assessment>,
    /// Years that the dose is added up over.
    pub years: f64,
    /// What the user counted altitudes from.
    pub altitude_above: AltitudeAbove,
}

/// The figures of an orbit for people.
pub fn table(sheet: &Sheet<'_>) -> String {
    let Sheet { assessment, quiet, years, altitude_above } = *sheet;
    let mut text = Text::default();
    setting(&mut text, assessment, altitude_above);
    trapped(&mut text, assessment);
    cosmic(&mut text, assessment, quiet);
    dose(&mut text, assessment, years);
    rates(&mut text, assessment, quiet);
    if !assessment.warnings.is_empty() {
        text.0.push('\n');
    }
    for warning in &assessment.warnings {
        // Said under the device's rates already.
        if Some(warning) != assessment.destructive_sel.as_ref() {
            text.wrap("note: ", warning);
        }
    }
    text.0.truncate(text.0.trim_end().len());
    text.0
}

/// A text in lines of 80 columns, each after so many spaces.
pub fn wrapped(words: &str, indent: usize) -> String {
    lines(words, COLUMNS - indent)
        .iter()
        .map(|line| format!("{}{line}", " ".repeat(indent)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Words in lines of so many columns.
pub(super) fn lines(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let full = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(line) if full == 0 => line.push_str(word),
            Some(line) if full + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.line(heading);
    }

    /// A label, and words beside it, in as many lines as they take.
    fn row(&mut self, label: &str, words: &str) {
        let mut label = format!("  {label}");
        for line in lines(words, COLUMNS - LABEL) {
            self.line(&format!("{label:<LABEL$}{line}"));
            label.clear();
        }
    }

    /// Cells of equal width beside a label, to the right.
    fn cells<S: AsRef<str>>(&mut self, label: &str, cells: &[S]) {
        let width = (COLUMNS - LABEL) / cells.len().max(1);
        let mut line = format!("{:<LABEL$}", format!("  {label}"));
        for cell in cells {
            let _ = write!(line, "{:>width$}", cell.as_ref());
        }
        self.line(&line);
    }

    /// Words after a prefix, in as many lines as they take.
    fn wrap(&mut self, prefix: &str, words: &str) {
        let width = prefix.chars().count();
        for (index, line) in lines(words, COLUMNS - width).iter().enumerate() {
            let before = if index == 0 { prefix.to_owned() } else { " ".repeat(width) };
            self.line(&format!("{before}{line}"));
        }
    }
}

/// A number with so many digits that count.
pub(super) fn digits(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    let after = digits.saturating_sub(1);
    let text = format!("{value:.after$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-3..5).contains(&exponent) {
        return format!("{mantissa}e{exponent}");
    }
    // The number as rounded, so that no digit appears that does not count.
    let rounded: f64 = text.parse().unwrap_or(value);
    let places = usize::try_from(i32::try_from(after).unwrap_or(0) - exponent).unwrap_or(0);
    format!("{rounded:.places$}")
}

fn three(value: f64) -> String {
    digits(value, 3)
}

fn percent(share: f64) -> String {
    format!("{} %", digits(100.0 * share, 3))
}

/// Whether the ends of a band are so far apart that a nominal figure says nothing.
fn is_wide(band: &Band) -> bool {
    // A factor of 10 as written is not wider than a factor of 10.
    band.high > 0.0 && band.width() > WIDEST * (1.0 + 1e-9)
}

/// A band: the nominal figure with its ends, or the ends alone where they are far apart.
fn band(band: &Band, wide: bool) -> String {
    if band.low == band.high {
        return three(band.nominal);
    }
    let (low, high) = (digits(band.low, 2), digits(band.high, 2));
    if wide || is_wide(band) {
        format!("{low} … {high}")
    } else {
        format!("{} ({low} … {high})", three(band.nominal))
    }
}

fn setting(text: &mut Text, assessment: &Assessment, above: AltitudeAbove) {
    let setting = &assessment.setting;
    text.heading("setting");
    text.row("orbit", &setting.orbit);
    text.row("source", &setting.orbit_source);
    if setting.perigee_km.is_some() {
        let convention = setting.altitude_convention;
        let mut words = convention.strip_prefix("altitudes are ").unwrap_or(convention).to_owned();
        if above == AltitudeAbove::Equator {
            words.push_str("; given above the equator's 6378.137 km, and raised by the difference");
        }
        text.row("altitudes", &words);
    }
    text.row(
        "followed",
        &format!(
            "{} day{} from {}, a place every {} s",
            setting.days,
            if setting.days == 1.0 { "" } else { "s" },
            setting.start,
            setting.step_s
        ),
    );
    let phase = match setting.solar_phase {
        0.0 => "min".to_owned(),
        1.0 => "max".to_owned(),
        phase => phase.to_string(),
    };
    let w = three(setting.modulation_w);
    text.row("solar phase", &format!("{phase}, {}; W = {w}", setting.solar_meaning));
    text.row(
        "shield",
        &format!("{} mm of aluminium, {}", setting.shielding_mm_al, setting.shielding_geometry),
    );
    let event = match setting.event {
        "none" => "none".to_owned(),
        event => format!("{event}: all rates and LET fluxes are those while it lasts"),
    };
    text.row("solar event", &event);
    if setting.design_margin != 1.0 {
        text.row(
            "design margin",
            &format!(
                "× {} on rates, fluxes behind the shield and doses",
                three(setting.design_margin)
            ),
        );
    }
}

fn trapped(text: &mut Text, assessment: &Assessment) {
    let trapped = &assessment.trapped_protons;
    text.heading("trapped protons, mean omnidirectional flux in cm⁻² s⁻¹");
    if assessment.setting.perigee_km.is_none() {
        text.row("", "none in deep space");
        return;
    }
    text.row("model", &trapped.model);
    let unshielded = &trapped.unshielded_per_cm2_s.0;
    let above: Vec<String> = unshielded.iter().map(|(energy, _)| format!("> {energy}")).collect();
    text.cells("above, MeV", &above);
    for (label, fluxes) in [
        ("before the shield", &trapped.unshielded_per_cm2_s.0),
        ("behind the shield", &trapped.shielded_per_cm2_s.0),
    ] {
        let cells: Vec<String> = fluxes.iter().map(|(_, flux)| three(*flux)).collect();
        text.cells(label, &cells);
    }
    let Some(share) = trapped.time_share_above_10_mev_1_per_cm2_s else {
        text.row("course", "none: the spectrum of a file is a mean");
        return;
    };
    text.row("time share", &format!("{} with more than 1 cm⁻² s⁻¹ above 10 MeV", percent(share)));
    let ratio =
        trapped.peak_over_mean.map_or(String::new(), |r| format!(", {} times the mean", three(r)));
    let peak = trapped.peak_above_10_mev_per_cm2_s.unwrap_or_default();
    text.row("peak above 10 MeV", &format!("{} cm⁻² s⁻¹{ratio}", three(peak)));
}

fn cosmic(text: &mut Text, assessment: &Assessment, quiet: Option<&Assessment>) {
    let gcr = &assessment.gcr;
    text.heading("cosmic rays, mean omnidirectional flux in cm⁻² s⁻¹");
    text.row("model", &gcr.model);
    text.row(
        "before the shield",
        &format!(
            "{} of all ions above 10 MeV/n, of these {} protons",
            three(gcr.flux_above_10_mev_n_per_cm2_s),
            three(gcr.protons_above_10_mev_per_cm2_s)
        ),
    );
    let energies: Vec<&str> = gcr.transmission.0.iter().map(|(energy, _)| &**energy).collect();
    text.cells("protons of, MeV", &energies);
    let shares: Vec<String> = gcr.transmission.0.iter().map(|(_, s)| digits(*s, 3)).collect();
    text.cells("transmission", &shares);
    text.row("Earth's shadow", &format!("{} of the sky", percent(gcr.earth_shadow)));
    let cutoff = &gcr.cutoff_gv;
    text.row(
        "vertical cutoff",
        &format!(
            "{} … {} GV, mean {}",
            digits(cutoff.min, 2),
            digits(cutoff.max, 3),
            digits(cutoff.mean, 3)
        ),
    );
    let above: Vec<String> =
        gcr.let_above_per_cm2_s.0.iter().map(|(at, _)| format!("> {at}")).collect();
    text.cells("LET, MeV cm²/mg", &above);
    let mut fluxes = |label: &str, assessment: &Assessment| {
        let fluxes = &assessment.gcr.let_above_per_cm2_s.0;
        let cells: Vec<String> = fluxes.iter().map(|(_, flux)| three(*flux)).collect();
        text.cells(label, &cells);
    };
    match quiet {
        None => fluxes("behind the shield", assessment),
        Some(quiet) => {
            fluxes("behind, in the event", assessment);
            fluxes("behind, quiet", quiet);
        }
    }
}

fn dose(text: &mut Text, assessment: &Assessment, years: f64) {
    let dose = &assessment.dose;
    text.heading("dose from trapped protons");
    match (dose.trapped_proton_rad_per_year, dose.trapped_proton_rad) {
        (Some(year), Some(all)) => {
            text.row("a year", &format!("{} rad({})", three(year), dose.material));
            text.row(
                &format!("{years} years"),
                &format!("{} rad({}), {}", three(all), dose.material, dose.geometry),
            );
            text.row("", &dose.label);
        }
        _ => text.row("", &dose.label),
    }
}

fn rates(text: &mut Text, assessment: &Assessment, quiet: Option<&Assessment>) {
    let Some(device) = &assessment.device else { return };
    text.heading(&format!("rates of {device}, nominal (low … high)"));
    if quiet.is_some() {
        let event = assessment.setting.event;
        text.wrap("  ", &format!("Left: while the {event} lasts. Right: the same orbit, quiet."));
    }
    for (index, rate) in assessment.rates.iter().enumerate() {
        mode(text, rate, quiet.and_then(|quiet| quiet.rates.get(index)), assessment);
    }
    if let Some(sel) = &assessment.destructive_sel {
        text.line("");
        text.wrap("", sel);
    }
}

/// The name of a source of events, for people.
fn source(name: &str) -> String {
    format!("  {}", name.replace('_', " "))
}

fn mode(text: &mut Text, rate: &ModeRate, quiet: Option<&ModeRate>, assessment: &Assessment) {
    text.heading(&format!(
        "  {}: {}, counted per {}, observed {}",
        rate.mode, rate.kind, rate.per, rate.observed_at
    ));
    let totals = |rate: &ModeRate| [rate.per_device_day, rate.per_bit_day];
    let wide = |rate: &ModeRate| totals(rate).iter().flatten().any(is_wide);
    let columns = |text: &mut Text, label: &str, of: &dyn Fn(&ModeRate) -> Option<Band>| {
        let cell = |rate: &ModeRate| of(rate).map_or(NONE.into(), |found| band(&found, wide(rate)));
        match quiet {
            None => text.row(label, &cell(rate)),
            Some(quiet) => {
                let width = (COLUMNS - LABEL) / 2;
                let (left, right) = (cell(rate), cell(quiet));
                text.line(&format!("{:<LABEL$}{left:<width$}{right}", format!("  {label}")));
            }
        }
    };
    columns(text, "events/device-day", &|rate| rate.per_device_day);
    for name in rate.by_source_per_day.keys() {
        let found = |rate: &ModeRate| rate.by_source_per_day.get(name).copied();
        if found(rate).is_some_and(|band| band.high > 0.0) {
            columns(text, &source(name), &found);
        }
    }
    if rate.per_bit_day.is_some() {
        columns(text, "events/bit-day", &|rate| rate.per_bit_day);
    } else {
        text.row("events/bit-day", "– (the device states no bits)");
    }
    if rate.bit_flips_per_bit_day.is_some() {
        columns(text, "bit flips/bit-day", &|rate| rate.bit_flips_per_bit_day);
    }
    columns(text, "FIT of the device", &|rate| rate.fit_per_device);
    if assessment.setting.perigee_km.is_some() {
        along(text, rate, assessment);
    }
    if wide(rate) {
        text.wrap(
            "  ",
            "The band is wider than a factor 10: no single headline number, only its ends; shares \
             and peaks are at the nominal cross-section.",
        );
    }
}

/// When on the orbit the events happen.
fn along(text: &mut Text, rate: &ModeRate, assessment: &Assessment) {
    if let (Some(all), Some(trapped), Some(cosmic), Some(time_share)) =
        (rate.saa_share, rate.saa_share_trapped, rate.saa_share_cosmic, assessment.saa.time_share)
    {
        text.row(
            "share in the SAA",
            &format!("{}: {} trapped, {} cosmic", percent(all), percent(trapped), percent(cosmic)),
        );
        let saa = &assessment.saa;
        text.row(
            "",
            &format!(
                "(≥ {} cm⁻² s⁻¹ above 10 MeV, {} of the time)",
                saa.threshold_above_10_mev_per_cm2_s,
                percent(time_share)
            ),
        );
    }
    if let Some(ratio) = rate.peak_over_mean {
        text.row("peak over mean", &three(ratio));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (value, count, text) in [
            (0.0, 3, "0"),
            (1.0, 3, "1.00"),
            (0.001_234_5, 3, "0.00123"),
            (0.000_123_4, 3, "1.23e-4"),
            (12_345.0, 3, "12300"),
            (99_960.0, 3, "1.00e5"),
            (9.996, 3, "10.0"),
            (123.4, 2, "120"),
        ] {
            assert_eq!(digits(value, count), text, "{value}");
        }
    }

    #[test]
    fn wide_bands_have_no_nominal() {
        let of = |low, nominal, high| band(&Band { low, nominal, high }, false);
        assert_eq!(of(1.0, 2.0, 4.0), "2.00 (1.0 … 4.0)");
        assert_eq!(of(0.1, 2.0, 4.0), "0.10 … 4.0");
        assert_eq!(of(0.1, 0.3, 1.0), "0.300 (0.10 … 1.0)");
        assert_eq!(of(0.0, 2.0, 4.0), "0 … 4.0");
        assert_eq!(of(2.0, 2.0, 2.0), "2.00");
        assert_eq!(of(0.0, 0.0, 0.0), "0");
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(lines("a bb ccc", 4), ["a bb", "ccc"]);
        assert!(wrapped(&"word ".repeat(50), 4).lines().all(|line| line.chars().count() <= 80));
    }
}
