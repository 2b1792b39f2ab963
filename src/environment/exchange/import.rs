//! Which spectra stand in for beamline's own, and why others do not.

use super::statement::{Contents, Over, Statement, Taken};
use super::{Origin, Source, Spectrum, read};
use crate::place::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A shield may differ from that of a LET spectrum by this share: files round it.
const SHIELD_SHARE: f64 = 0.01;

/// A spectrum as a user names it: `"FILE"`, or `{ file = "FILE", is = "trapped, before-shield, mean" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Named", into = "Named")]
#[schemars(with = "Named")]
pub struct SpectrumChoice {
    /// The file.
    pub file: PathBuf,
    /// What it does not say of itself.
    pub is: Statement,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a file's name or { file = \"FILE\", is = \"WORDS\" }"
)]
enum Named {
    File(PathBuf),
    Stated { file: PathBuf, is: String },
}

impl TryFrom<Named> for SpectrumChoice {
    type Error = String;

    fn try_from(named: Named) -> Result<Self, String> {
        Ok(match named {
            Named::File(file) => Self { file, is: Statement::default() },
            Named::Stated { file, is } => Self { file, is: is.parse()? },
        })
    }
}

impl From<SpectrumChoice> for Named {
    fn from(SpectrumChoice { file, is }: SpectrumChoice) -> Self {
        if is == Statement::default() {
            Self::File(file)
        } else {
            Self::Stated { file, is: is.to_string() }
        }
    }
}

/// A spectrum from a file, in place of beamline's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// Energies in MeV or LETs in MeV cm²/mg, and fluxes as [`Spectrum`] has them, without a margin.
    pub points: Vec<(f64, f64)>,
    /// What the file is.
    pub origin: Origin,
}

impl Import {
    /// Whether it holds the protons of cosmic rays, so that they must not be added.
    pub fn has_cosmic(&self) -> bool {
        self.origin.is.contains == Some(Contents::TrappedAndCosmic)
    }
}

/// Trapped protons before the shield, a mean over the orbit; alone or with those of cosmic rays.
///
/// # Errors
/// Those of [`read`]; a spectrum that is something else, or of which neither the file nor `said`
/// says what it is.
pub fn protons(path: &Path, said: &Statement) -> Result<Import, Error> {
    let (spectrum, origin) = read(path, said)?;
    let source = Source { path, lines: Vec::new() };
    let refuse = |expected: &str, found: &str| {
        source.error(origin.line, format!("{expected} (proton spectrum)"), found)
    };
    let Spectrum::ProtonIntegral(points) = spectrum else {
        return Err(refuse("protons by energy", "a LET spectrum"));
    };
    let is = origin.is;
    match is.contains {
        Some(Contents::Cosmic) => {
            let found = "cosmic rays alone, which beamline counts by its own model already";
            return Err(refuse("trapped protons", found));
        }
        Some(Contents::Solar) => {
            let found = "solar particles; `event` (--event) adds those of October 1989";
            return Err(refuse("trapped protons", found));
        }
        Some(Contents::FromHelium | Contents::FromHydrogen) => {
            return Err(refuse("trapped or trapped-and-cosmic", "the word of a LET spectrum"));
        }
        Some(Contents::Trapped | Contents::TrappedAndCosmic) | None => {}
    }
    if is.taken == Some(Taken::BehindShield) {
        let found = "fluxes behind it, which the shield would weaken once more";
        return Err(refuse("fluxes before the shield", found));
    }
    check_mean(is).map_err(|found| refuse("a mean over the orbit", found))?;
    let missing = [
        is.contains.is_none().then_some("trapped or trapped-and-cosmic"),
        is.taken.is_none().then_some("before-shield"),
        is.over.is_none().then_some("mean"),
    ];
    ask(&source, &origin, "proton_spectrum", missing)?;
    Ok(Import { points, origin })
}

/// Ions from helium on by their LET behind the shield, a mean over the orbit; `shield_mm_al` is the
/// shield that they are wanted behind, in millimetres of aluminium.
///
/// # Errors
/// As [`protons`]; a spectrum behind another shield.
pub fn ions(path: &Path, said: &Statement, shield_mm_al: f64) -> Result<Import, Error> {
    let (spectrum, origin) = read(path, said)?;
    let source = Source { path, lines: Vec::new() };
    let refuse = |expected: &str, found: &str| {
        source.error(origin.line, format!("{expected} (LET spectrum)"), found)
    };
    let Spectrum::Let(points) = spectrum else {
        return Err(refuse("a LET spectrum", "protons by energy"));
    };
    let is = origin.is;
    match is.contains {
        Some(Contents::FromHydrogen) => {
            let found = "one from Z = 1, whose upsets the proton term counts already: begin at helium \
                         (ZMIN = 2 in LETSPEC, the ion range in SPENVIS)";
            return Err(refuse("a LET spectrum from Z = 2 on", found));
        }
        Some(Contents::FromHelium) | None => {}
        Some(_) => return Err(refuse("from-helium", "the word of a proton spectrum")),
    }
    check_mean(is).map_err(|found| refuse("a mean over the orbit", found))?;
    let missing = [
        is.contains.is_none().then_some("from-helium"),
        is.taken.is_none().then_some("behind-shield"),
        is.over.is_none().then_some("mean"),
    ];
    ask(&source, &origin, "let_spectrum", missing)?;
    // A spectrum before the shield is that behind none.
    let before = (is.taken == Some(Taken::BeforeShield)).then_some(0.0);
    if let Some(made_for) = before.or(is.shield_mm_al)
        && (made_for - shield_mm_al).abs() > SHIELD_SHARE * made_for
    {
        let expected = format!(
            "a LET spectrum behind the {shield_mm_al} mm of aluminium of shielding_mm_al \
             (--shielding-mm-al)"
        );
        return Err(source.error(origin.line, expected, format!("one behind {made_for} mm")));
    }
    Ok(Import { points, origin })
}

fn check_mean(is: Statement) -> Result<(), &'static str> {
    match is.over {
        Some(Over::Event) => Err("a solar event; `event` (--event) adds that of October 1989"),
        Some(Over::Peak) => Err("the highest flux on it"),
        Some(Over::Mean) | None => Ok(()),
    }
}

/// Asks for what is not known.
fn ask(
    source: &Source<'_>,
    origin: &Origin,
    key: &str,
    missing: [Option<&str>; 3],
) -> Result<(), Error> {
    let missing: Vec<&str> = missing.into_iter().flatten().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let flag = key.replace('_', "-");
    let words = missing.join(", ");
    let expected = format!("in `is` of {key} (--{flag}-is), if it is true: {words}");
    Err(source.error(origin.line, expected, "a file that does not say it"))
}
