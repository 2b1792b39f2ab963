//! One way in which a part fails: what it does, where it was observed, how likely it is.

use super::chord::Volume;
use super::figure::{At, Figure, FigureTable, Level};
use super::ion::{IonCurve, IonResponse};
use super::limits::{self, Range, named, said};
use super::pattern::Pattern;
use super::proton::{Proton, ProtonTable, check_set, read_figures, value};
use crate::place::Error;
use crate::words::meant;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// One bit flips.
    SingleBit,
    /// The bits of a pattern flip.
    MultiBit,
    /// Bits of a row of a memory flip.
    Row,
    /// Bits of a bank of a memory flip.
    Bank,
    /// Memory says that ECC could not correct it.
    Uncorrectable,
    /// A bit keeps one value.
    StuckBit,
    /// Logic delivers a wrong result and says nothing.
    LogicSdc,
    /// The part stops working until it is reset.
    Sefi,
    /// The computer around the part stops working until it is restarted.
    HostSefi,
    /// Memory of the computer around the part fails.
    HostRam,
    /// A latch-up.
    Sel,
}

impl EventKind {
    /// The name used in TOML, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SingleBit => "single-bit",
            Self::MultiBit => "multi-bit",
            Self::Row => "row",
            Self::Bank => "bank",
            Self::Uncorrectable => "uncorrectable",
            Self::StuckBit => "stuck-bit",
            Self::LogicSdc => "logic-sdc",
            Self::Sefi => "sefi",
            Self::HostSefi => "host-sefi",
            Self::HostRam => "host-ram",
            Self::Sel => "sel",
        }
    }

    /// Whether an event changes bits of the memory that a workload lies in.
    pub const fn changes_bits(self) -> bool {
        match self {
            Self::SingleBit
            | Self::MultiBit
            | Self::Row
            | Self::Bank
            | Self::Uncorrectable
            | Self::StuckBit => true,
            Self::LogicSdc | Self::Sefi | Self::HostSefi | Self::HostRam | Self::Sel => false,
        }
    }
}

/// What a cross-section is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Each stored bit: what a test counts in the cells that it reads, over their number. Check
    /// bits have it too.
    StoredBit,
    /// Each bit of the capacity: the events of a whole part over the bits of data that it holds.
    /// Those of its check bits are in it already.
    DataBit,
    /// The whole device.
    Device,
}

impl Per {
    /// The name used in TOML, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StoredBit => "stored-bit",
            Self::DataBit => "data-bit",
            Self::Device => "device",
        }
    }

    /// Whether it is counted for a bit, of one kind or the other.
    pub const fn is_bit(self) -> bool {
        matches!(self, Self::StoredBit | Self::DataBit)
    }
}

/// A link of the chain from an upset to a wrong answer, that may stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The error correction of the memory.
    Ecc,
    /// The masking by what the workload does with the bits.
    Workload,
}

/// Where in the chain from an upset to a wrong answer the events were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObservedAt {
    /// In the cells, before any correction.
    Raw,
    /// Behind the error correction.
    #[serde(alias = "after_ecc")]
    AfterEcc,
    /// In the results or in the working of the device.
    #[serde(alias = "after_workload")]
    AfterWorkload,
}

impl ObservedAt {
    /// The name used in TOML, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::AfterEcc => "after-ecc",
            Self::AfterWorkload => "after-workload",
        }
    }

    /// The links that an event has still to pass; those before are in the cross-section already.
    pub const fn links(self) -> &'static [Link] {
        match self {
            Self::Raw => &[Link::Ecc, Link::Workload],
            Self::AfterEcc => &[Link::Workload],
            Self::AfterWorkload => &[],
        }
    }
}

/// The heavy-ion term of a mode: a Weibull curve over LET and its sensitive volume.
#[derive(Clone, Debug, PartialEq)]
pub struct HeavyIon {
    /// Its figures by their keys, units included.
    pub figures: Vec<(&'static str, Figure)>,
}

impl HeavyIon {
    fn curve(&self, level: Level) -> IonCurve {
        let get = |key| value(&self.figures, key, level);
        let or_zero = |key| get(key).unwrap_or(0.0);
        let saturation_cm2 = or_zero("saturation_cm2");
        let depth_um = or_zero("depth_um");
        let volume = match (get("length_um"), get("breadth_um")) {
            (Some(length_um), Some(breadth_um)) => Volume { length_um, breadth_um, depth_um },
            _ => Volume::square(saturation_cm2, depth_um),
        };
        IonCurve {
            saturation_cm2,
            onset: or_zero("onset_let_mev_cm2_per_mg"),
            width: or_zero("width_let_mev_cm2_per_mg"),
            exponent: or_zero("exponent"),
            volume,
        }
    }
}

/// One way in which a device fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// The name, unique in the device.
    pub name: String,
    /// What an event does.
    pub kind: EventKind,
    /// What the cross-section is counted for.
    pub per: Per,
    /// Where the events were counted.
    pub observed_at: ObservedAt,
    /// Where it comes from.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
    /// The bits that an event flips.
    pub pattern: Option<Pattern>,
    /// The share of the events in bits or logic that are in use; of raw events only.
    pub derating: Option<Figure>,
    /// The proton term.
    pub proton: Option<Proton>,
    /// The heavy-ion term.
    pub heavy_ion: Option<HeavyIon>,
}

impl Mode {
    /// The cross-section in cm², per bit or per device as [`Self::per`] says, for protons of an
    /// energy in MeV, times the derating; 0 without a proton term.
    pub fn proton_cm2(&self, energy_mev: f64, level: Level) -> f64 {
        let cm2 = self.proton.as_ref().map_or(0.0, |proton| proton.cm2(energy_mev, level));
        cm2 * self.derated(level)
    }

    /// The cross-section for heavy ions from all directions, times the derating; `None` without a
    /// heavy-ion term. Keep it: the table behind it is made anew by each call.
    pub fn ion(&self, level: Level) -> Option<IonResponse> {
        let curve = self.heavy_ion.as_ref()?.curve(level);
        Some(IonResponse::of(&curve, self.derated(level)))
    }

    /// The cross-section in cm², per bit or per device as [`Self::per`] says, for ions of a LET in
    /// MeV cm²/mg at normal incidence, times the derating; `None` without a heavy-ion term. An
    /// accelerator test at normal incidence returns this curve, the device's own.
    pub fn ion_normal_cm2(&self, let_mev_cm2_per_mg: f64, level: Level) -> Option<f64> {
        let curve = self.heavy_ion.as_ref()?.curve(level);
        let share = super::weibull(let_mev_cm2_per_mg, curve.onset, curve.width, curve.exponent);
        Some(self.derated(level) * curve.saturation_cm2 * share)
    }

    /// The largest cross-section that the mode can have, in cm² as [`Self::per`] says, before the
    /// derating.
    pub(super) fn limit_cm2(&self) -> f64 {
        let proton = self.proton.as_ref().map_or(0.0, |proton| proton.limit_cm2(Level::High));
        let ion = self.heavy_ion.as_ref().map(|ion| ion.curve(Level::High).saturation_cm2);
        proton.max(ion.unwrap_or(0.0))
    }

    /// Whether there is a proton term.
    pub const fn has_proton(&self) -> bool {
        self.proton.is_some()
    }

    /// Whether there is a heavy-ion term.
    pub const fn has_ion(&self) -> bool {
        self.heavy_ion.is_some()
    }

    /// The mean flipped bits of one event: 1 for a single bit, the mean of the pattern where there
    /// is one; `None` where an event flips no bits or nobody says how many.
    pub fn flips_per_event(&self) -> Option<f64> {
        match (&self.pattern, self.kind) {
            (Some(pattern), _) => Some(pattern.mean_bits()),
            (None, EventKind::SingleBit | EventKind::StuckBit) => Some(1.0),
            (None, _) => None,
        }
    }

    /// All figures with the keys under which they are written, as in `proton.onset_mev`.
    pub fn figures(&self) -> impl Iterator<Item = (String, &Figure)> {
        let derating = self.derating.iter().map(|figure| ("derating".to_owned(), figure));
        let proton = self.proton.iter().flat_map(|term| &term.figures);
        let proton = proton.map(|(key, figure)| (format!("proton.{key}"), figure));
        let ion = self.heavy_ion.iter().flat_map(|term| &term.figures);
        let ion = ion.map(|(key, figure)| (format!("heavy_ion.{key}"), figure));
        derating.chain(proton).chain(ion)
    }

    fn derated(&self, level: Level) -> f64 {
        self.derating.as_ref().map_or(1.0, |derating| derating.at(level))
    }
}

/// A mode as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModeTable {
    name: String,
    kind: EventKind,
    per: Per,
    observed_at: ObservedAt,
    source: String,
    note: Option<String>,
    pattern: Option<String>,
    derating: Option<FigureTable>,
    proton: Option<ProtonTable>,
    heavy_ion: Option<HeavyIonTable>,
}

impl ModeTable {
    /// The mode, if it can be meant; `folder` is where patterns in files are looked for.
    pub(super) fn read(&self, folder: &Path, at: &At) -> Result<Mode, Error> {
        named(&self.name, &at.key("name"))?;
        said(&self.source, &at.key("source"))?;
        if self.proton.is_none() && self.heavy_ion.is_none() {
            return Err(at.value("[mode.proton], [mode.heavy_ion] or both", "neither"));
        }
        let proton = self.proton.as_ref();
        let proton = proton.map(|table| table.read(self.per.is_bit(), &at.key("proton")));
        let ion = self.heavy_ion.as_ref();
        let ion = ion.map(|table| table.read(self.per.is_bit(), &at.key("heavy_ion")));
        Ok(Mode {
            name: self.name.clone(),
            kind: self.kind,
            per: self.per,
            observed_at: self.observed_at,
            source: self.source.clone(),
            note: self.note.clone(),
            pattern: self.pattern(folder, at)?,
            derating: self.derating(&at.key("derating"))?,
            proton: proton.transpose()?,
            heavy_ion: ion.transpose()?,
        })
    }

    fn derating(&self, at: &At) -> Result<Option<Figure>, Error> {
        let Some(table) = &self.derating else { return Ok(None) };
        if self.observed_at != ObservedAt::Raw {
            let observed = self.observed_at.name();
            let expected = format!(
                "no derating: a cross-section observed {observed} contains it already, and nothing \
                 is derated twice"
            );
            return Err(at.value(expected, "a derating"));
        }
        table.read(at, limits::SHARE).map(Some)
    }

    fn pattern(&self, folder: &Path, at: &At) -> Result<Option<Pattern>, Error> {
        let kind = self.kind.name();
        let at = at.key("pattern");
        let Some(name) = &self.pattern else {
            if self.kind == EventKind::MultiBit {
                let expected = format!("a pattern for kind = \"{kind}\", one of {}", known());
                return Err(at.value(expected, "none"));
            }
            return Ok(None);
        };
        if !matches!(self.kind, EventKind::MultiBit | EventKind::Uncorrectable) {
            let expected = format!("no pattern for kind = \"{kind}\"");
            return Err(at.value(expected, format!("\"{name}\"")));
        }
        let pattern = Pattern::find(name, folder)?;
        let expected = || format!("one of {}, or the path of a .toml file", known());
        let found = || format!("\"{name}\"{}", meant(name, Pattern::names()));
        pattern.map(Some).ok_or_else(|| at.value(expected(), found()))
    }
}

/// The patterns that are built in, for a message.
fn known() -> String {
    Pattern::names().join(", ")
}

/// A heavy-ion term as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HeavyIonTable {
    form: HeavyIonForm,
    saturation_cm2: Option<FigureTable>,
    onset_let_mev_cm2_per_mg: Option<FigureTable>,
    width_let_mev_cm2_per_mg: Option<FigureTable>,
    exponent: Option<FigureTable>,
    depth_um: Option<FigureTable>,
    length_um: Option<FigureTable>,
    breadth_um: Option<FigureTable>,
}

/// The form of a curve over LET.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum HeavyIonForm {
    Weibull,
}

/// The figures of a heavy-ion term with a square face of the saturation cross-section.
const SQUARE: [&str; 5] = [
    "saturation_cm2",
    "onset_let_mev_cm2_per_mg",
    "width_let_mev_cm2_per_mg",
    "exponent",
    "depth_um",
];
/// The figures of one with many boxes of a given face.
const BOXES: [&str; 7] =
    [SQUARE[0], SQUARE[1], SQUARE[2], SQUARE[3], SQUARE[4], "length_um", "breadth_um"];

impl HeavyIonTable {
    fn read(&self, per_bit: bool, at: &At) -> Result<HeavyIon, Error> {
        let HeavyIonForm::Weibull = self.form;
        let tables = [
            (SQUARE[0], &self.saturation_cm2, Range::cm2(per_bit)),
            (SQUARE[1], &self.onset_let_mev_cm2_per_mg, limits::ONSET_LET),
            (SQUARE[2], &self.width_let_mev_cm2_per_mg, limits::WIDTH_LET),
            (SQUARE[3], &self.exponent, limits::EXPONENT),
            (SQUARE[4], &self.depth_um, limits::DEPTH_UM),
            (BOXES[5], &self.length_um, limits::SIDE_UM),
            (BOXES[6], &self.breadth_um, limits::SIDE_UM),
        ];
        let figures = read_figures(&tables, at)?;
        let given: Vec<&str> = figures.iter().map(|(key, _)| *key).collect();
        check_set("weibull", &[&SQUARE, &BOXES], &given, at)?;
        Ok(HeavyIon { figures })
    }
}
