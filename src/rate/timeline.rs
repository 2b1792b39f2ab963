//! The walk along an orbit: particles and rates at each place.

use super::cosmic::{ByCutoff, Spectra, Transmission};
use super::response::{BINS, EDGES, Kernel, Response};
use super::{Conditions, Error, GivenSpectra};
use crate::device::{Device, Level, Mode};
use crate::environment::cosmic::{self, CHARGES};
use crate::environment::curve::Curve;
use crate::environment::cutoff::{Cutoff, Model as CutoffModel};
use crate::environment::exchange::Import;
use crate::environment::field::{Equator, Field, Shell, cartesian};
use crate::environment::matter::{Material, deposit_in_silicon, survival};
use crate::environment::orbit::Position;
use crate::environment::solar::{self, Scenario};
use crate::environment::table::ShellTable;
use crate::environment::trapped::{Phase, Spectrum};
use crate::fault::Course;
use crate::units::RAD_PER_MEV_G;
use std::sync::OnceLock;

/// The highest energy of trapped protons that rates count, in MeV: the maps end at 400, and their
/// last slope carries on to here.
const TRAPPED_TOP_MEV: f64 = 1000.0;
/// The energies that fluxes are reported above, in MeV.
pub const THRESHOLDS_MEV: [f64; 5] = [10.0, 30.0, 50.0, 100.0, 200.0];
/// A place lies in the South Atlantic Anomaly where the trapped flux above 10 MeV, before the
/// shield, is at least this, in cm⁻² s⁻¹.
pub const SAA_PER_CM2_S: f64 = 1.0;

/// A value at the three levels of a band.
pub type Levels = [f64; 3];

/// A place on the orbit, and what is there.
#[derive(Clone, Copy, Debug)]
pub struct TrackPoint {
    /// Where and when.
    pub position: Position,
    /// McIlwain's L and B/B0 in the field of the map's epoch.
    pub shell: Shell,
    /// The geomagnetic cutoffs, in the field of the date.
    pub cutoff: Cutoff,
    /// The share of all directions that the Earth does not cover.
    pub open_sky: f64,
    /// Trapped protons above the thresholds before the shield, in cm⁻² s⁻¹, omnidirectional.
    pub trapped: [f64; THRESHOLDS_MEV.len()],
    /// Trapped-proton dose behind the shield, in rad(Si)/s.
    pub dose_rad_s: f64,
}

impl TrackPoint {
    /// Whether the place counts as within the South Atlantic Anomaly (of a high orbit: within the
    /// proton belt).
    pub fn in_saa(&self) -> bool {
        self.trapped[0] >= SAA_PER_CM2_S
    }
}

/// What one mode of the device does over the orbit, in events a second, per bit or per device as
/// the mode has it, with the design margin.
#[derive(Clone, Debug)]
pub struct ModeTimeline {
    /// The mode.
    pub mode: Mode,
    /// From trapped protons, at each place.
    pub trapped: Vec<Levels>,
    /// From cosmic rays, at each place.
    pub cosmic: Vec<Levels>,
    /// From solar particles of the worst day, at each place.
    pub solar: Vec<Levels>,
    /// The scale of the event that lasts all the time over the worst day: 0 where there is none.
    pub solar_scale: f64,
    /// The mean from cosmic protons alone.
    pub cosmic_protons: Levels,
}

impl ModeTimeline {
    /// The rate at a place at one level, all sources together.
    pub fn rate(&self, place: usize, level: usize) -> f64 {
        let solar = self.solar_scale * self.solar[place][level];
        self.trapped[place][level] + self.cosmic[place][level] + solar
    }
}

/// An orbit walked: the places, and the rates of each mode of a device.
pub struct Timeline {
    /// Where, when and behind what.
    pub conditions: Conditions,
    /// The places; one alone in deep space.
    pub places: Vec<TrackPoint>,
    /// The modes of the device; none where there is no device.
    pub modes: Vec<ModeTimeline>,
    /// The device.
    pub device: Option<Device>,
    /// Mean trapped protons above each edge of the bins, before the shield, in cm⁻² s⁻¹.
    pub(super) trapped_above: Vec<f64>,
    /// How cosmic rays reach the orbit.
    pub(super) transmission: Transmission,
    /// Cosmic rays at 1 AU.
    pub(super) cosmic: Spectra,
    /// Solar particles of the worst day at 1 AU.
    pub(super) solar: Spectra,
    pub(super) kernels: Vec<Kernel>,
    /// Whether the date lies outside the published field.
    pub(super) field_extrapolated: bool,
    /// The rates along the track by mode and level, integrated where they are first asked for.
    pub(super) courses: Vec<[OnceLock<Course>; 3]>,
}

/// A mode with its responses: protons at the three levels, and each heavier ion.
struct Answer {
    protons: [Response; 3],
    cosmic_protons: [ByCutoff; 3],
    cosmic_ions: [ByCutoff; 3],
    solar: [ByCutoff; 3],
    /// From a LET spectrum that was given, in place of cosmic ions.
    given_ions: Option<Levels>,
}

/// What a spectrum from a file counts, in place of beamline's own.
fn points(import: Option<&Import>) -> Option<&[(f64, f64)]> {
    import.map(|import| import.points.as_slice())
}

impl Answer {
    fn new(mode: &Mode, kernels: &[Kernel], timeline: &Sky, given: &GivenSpectra) -> Self {
        let level = |i: usize| Level::ALL[i];
        let protons: [Response; 3] = std::array::from_fn(|i| {
            kernels[0].response(|energy, _| mode.proton_cm2(energy, level(i)))
        });
        let ions: [Vec<(usize, Response)>; 3] = std::array::from_fn(|i| {
            let Some(ion) = mode.ion(level(i)) else { return Vec::new() };
            let heavier = kernels.iter().skip(1);
            heavier.map(|kernel| (kernel.z(), kernel.response(|_, let_| ion.cm2(let_)))).collect()
        });
        let all = |i: usize| ions[i].iter().map(|(z, response)| (*z, response));
        let given_ions = points(given.ions.as_ref()).map(|spectrum| {
            std::array::from_fn(|i| {
                mode.ion(level(i)).map_or(0.0, |ion| {
                    let cell = |pair: &[(f64, f64)]| {
                        let at = |(let_, flux): (f64, f64)| flux * ion.cm2(let_);
                        0.5 * (at(pair[0]) + at(pair[1])) * (pair[1].0 - pair[0].0)
                    };
                    spectrum.windows(2).map(cell).sum()
                })
            })
        });
        let counted = !given.has_cosmic_protons();
        Self {
            cosmic_protons: std::array::from_fn(|i| {
                ByCutoff::new(&timeline.cosmic, counted.then_some((1, &protons[i])))
            }),
            cosmic_ions: std::array::from_fn(|i| ByCutoff::new(&timeline.cosmic, all(i))),
            solar: std::array::from_fn(|i| {
                ByCutoff::new(&timeline.solar, all(i).chain([(1, &protons[i])]))
            }),
            protons,
            given_ions,
        }
    }
}

/// The particles outside the magnetosphere.
struct Sky {
    cosmic: Spectra,
    solar: Spectra,
}

impl Timeline {
    /// Walks the orbit.
    ///
    /// # Errors
    /// Where the conditions cannot be meant, or the orbit has no track.
    pub fn new(conditions: Conditions, device: Option<Device>) -> Result<Self, Error> {
        conditions.check()?;
        conditions.check_memory(device.as_ref().map_or(0, |device| device.modes.len()))?;
        let w = conditions.w();
        let sky = Sky {
            cosmic: Spectra::new(|z, energy| cosmic::flux(z, energy, w)),
            solar: Spectra::new(solar::flux),
        };
        let paths = conditions.shield.paths();
        let kernels: Vec<Kernel> = (1..=CHARGES).map(|z| Kernel::new(z, &paths)).collect();
        let given = &conditions.given;
        let modes = device.iter().flat_map(|device| device.modes.iter());
        let answers: Vec<(Mode, Answer)> =
            modes.map(|mode| (mode.clone(), Answer::new(mode, &kernels, &sky, given))).collect();
        let dose = dose(&kernels[0]);
        let mut walk = Walk::new(&conditions, dose, answers)?;
        let places = walk.places()?;
        let transmission = Transmission::new(places.iter().map(|p| (p.cutoff, p.open_sky)));
        let count = places.len() as f64;
        let trapped_above = walk.sum_above.iter().map(|sum| sum / count).collect();
        let field_extrapolated = walk.extrapolated;
        let (modes, answers) = (walk.modes, walk.answers);
        let mut timeline = Self {
            places,
            modes,
            device,
            trapped_above,
            transmission,
            kernels,
            field_extrapolated,
            cosmic: sky.cosmic,
            solar: sky.solar,
            conditions,
            courses: Vec::new(),
        };
        timeline.courses.resize_with(timeline.modes.len(), Default::default);
        for (mode, answer) in timeline.modes.iter_mut().zip(&answers) {
            let mean = |i: usize| {
                let places = timeline.places.iter();
                let sum: f64 = places
                    .map(|place| answer.cosmic_protons[i].at(place.cutoff, place.open_sky))
                    .sum();
                timeline.conditions.design_margin * sum / count
            };
            mode.cosmic_protons = std::array::from_fn(mean);
        }
        Ok(timeline)
    }

    /// The same orbit without its solar event.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.conditions.event = Scenario::None;
        for mode in &mut self.modes {
            mode.solar_scale = 0.0;
        }
        self.courses.fill_with(Default::default);
        self
    }

    /// The mean trapped protons above an energy in MeV, before the shield, in cm⁻² s⁻¹.
    pub fn trapped_above(&self, energy_mev: f64) -> f64 {
        let points = EDGES.iter().zip(&self.trapped_above).map(|(e, j)| (*e, *j));
        let live: Vec<(f64, f64)> = points.take_while(|(_, flux)| *flux > 0.0).collect();
        let top = live.last().map_or(0.0, |(energy, _)| *energy);
        if energy_mev > top {
            return 0.0;
        }
        Curve::new(live).map_or(0.0, |curve| curve.at(energy_mev))
    }

    /// The mean trapped protons above an energy in MeV, behind the shield, in cm⁻² s⁻¹:
    /// J(> R⁻¹(R(E) + T)) of the protons that survive, with the design margin.
    pub fn trapped_behind(&self, energy_mev: f64) -> f64 {
        let paths = self.conditions.shield.paths();
        let of = |path: &crate::environment::shield::Path| {
            let before = Material::Aluminium.before(1, energy_mev, path.g_per_cm2);
            path.share * survival(1, before, energy_mev) * self.trapped_above(before)
        };
        self.conditions.design_margin * paths.iter().map(of).sum::<f64>()
    }
}

impl Timeline {
    /// The mean dose of trapped protons behind another shield, in rad(Si)/s, with the design
    /// margin.
    pub fn dose_rad_s_behind(&self, shield: &crate::environment::shield::Shield) -> f64 {
        let mut bins: Vec<f64> =
            self.trapped_above.windows(2).map(|pair| pair[0] - pair[1]).collect();
        bins.extend(self.trapped_above.last());
        let kernel = Kernel::new(1, &shield.paths());
        self.conditions.design_margin * dose(&kernel).fold(&bins)
    }
}

/// rad(Si) that a proton behind the shield leaves.
fn dose(kernel: &Kernel) -> Response {
    kernel.response(|energy, _| RAD_PER_MEV_G * deposit_in_silicon(energy))
}

/// The walk itself.
struct Walk<'c> {
    conditions: &'c Conditions,
    dose: Response,
    answers: Vec<Answer>,
    modes: Vec<ModeTimeline>,
    /// Σ over the places of the trapped flux above each edge.
    sum_above: Vec<f64>,
    extrapolated: bool,
}

impl<'c> Walk<'c> {
    fn new(
        conditions: &'c Conditions,
        dose: Response,
        answers: Vec<(Mode, Answer)>,
    ) -> Result<Self, Error> {
        let (modes, answers) = answers
            .into_iter()
            .map(|(mode, answer)| {
                let empty = ModeTimeline {
                    mode,
                    trapped: Vec::new(),
                    cosmic: Vec::new(),
                    solar: Vec::new(),
                    solar_scale: conditions.event.scale(),
                    cosmic_protons: [0.0; 3],
                };
                (empty, answer)
            })
            .unzip();
        let top =
            if conditions.given.has_cosmic_protons() { f64::INFINITY } else { TRAPPED_TOP_MEV };
        let edges = EDGES.partition_point(|edge| *edge <= top).min(BINS);
        Ok(Self {
            conditions,
            dose,
            answers,
            modes,
            sum_above: vec![0.0; edges],
            extrapolated: false,
        })
    }

    fn places(&mut self) -> Result<Vec<TrackPoint>, Error> {
        let conditions = self.conditions;
        if conditions.orbit.is_deep_space() {
            let position = Position {
                time_s: 0.0,
                latitude_deg: 0.0,
                longitude_deg: 0.0,
                radius_km: f64::INFINITY,
            };
            return Ok(vec![self.place(position, Shell::OPEN, Cutoff::NONE, 1.0, &[])]);
        }
        let track = conditions.orbit.track(conditions.start, conditions.days, conditions.step_s)?;
        let radii = track.iter().map(|position| position.radius_km);
        let (low, high) = radii.fold((f64::INFINITY, 0.0_f64), |(a, b), r| (a.min(r), b.max(r)));
        let year = conditions.start.plus_seconds(0.5 * conditions.days * crate::units::DAY_S);
        let field = Field::at(year.decimal_year(), Equator::Least);
        self.extrapolated = field.is_extrapolated();
        let (dipole, mut today) = (field.dipole(), ShellTable::new(&field, low, high));
        let phase = conditions.solar_phase;
        let weights = [(Phase::Min, 1.0 - phase), (Phase::Max, phase)];
        let mut maps: Vec<(Phase, f64, ShellTable<'static>)> = weights
            .into_iter()
            .filter(|(_, weight)| *weight > 0.0)
            .map(|(phase, weight)| {
                (phase, weight, ShellTable::new(phase.field(conditions.map_field), low, high))
            })
            .collect();
        let mut places = Vec::with_capacity(track.len());
        for position in track {
            let state = conditions.magnetosphere;
            let cutoff = match conditions.cutoff {
                CutoffModel::Stormer => Cutoff::stormer(&dipole, cartesian(&position), state),
                CutoffModel::Vertical => Cutoff::vertical(today.shell(&position).l, state),
            };
            let sky = cosmic::open_sky(position.radius_km);
            let mut nearest = Shell::OPEN;
            let mut spectra = Vec::with_capacity(2);
            for (phase, weight, table) in &mut maps {
                let shell = table.shell(&position);
                if *weight >= 0.5 {
                    nearest = shell;
                }
                spectra.push((*weight, phase.map().spectrum(conditions.interpolation, shell)));
            }
            places.push(self.place(position, nearest, cutoff, sky, &spectra));
        }
        Ok(places)
    }

    fn place(
        &mut self,
        position: Position,
        shell: Shell,
        cutoff: Cutoff,
        open_sky: f64,
        spectra: &[(f64, Option<Spectrum<'_>>)],
    ) -> TrackPoint {
        let trapped = |energy: f64| above(spectra, energy);
        let anything = spectra.iter().any(|(_, spectrum)| spectrum.is_some());
        let mut bins = Vec::new();
        let given = points(self.conditions.given.protons.as_ref());
        if anything || given.is_some() {
            let fluxes: Vec<f64> = match given {
                Some(points) => {
                    EDGES[..self.sum_above.len()].iter().map(|e| tabulated(points, *e)).collect()
                }
                None => EDGES[..self.sum_above.len()].iter().map(|e| trapped(*e)).collect(),
            };
            bins = fluxes.windows(2).map(|pair| pair[0] - pair[1]).collect();
            bins.push(fluxes.last().copied().unwrap_or(0.0));
            for (sum, flux) in self.sum_above.iter_mut().zip(&fluxes) {
                *sum += flux;
            }
        }
        debug_assert!(bins.len() <= BINS, "bins of trapped protons are the first of all bins");
        let margin = self.conditions.design_margin;
        for (mode, answer) in self.modes.iter_mut().zip(&self.answers) {
            let levels = |rate: &dyn Fn(usize) -> f64| -> Levels {
                std::array::from_fn(|i| margin * rate(i))
            };
            mode.trapped.push(levels(&|i| answer.protons[i].fold(&bins)));
            mode.cosmic.push(levels(&|i| {
                let ions = answer
                    .given_ions
                    .map_or_else(|| answer.cosmic_ions[i].at(cutoff, open_sky), |given| given[i]);
                answer.cosmic_protons[i].at(cutoff, open_sky) + ions
            }));
            mode.solar.push(levels(&|i| answer.solar[i].at(cutoff, open_sky)));
        }
        TrackPoint {
            position,
            shell,
            cutoff,
            open_sky,
            trapped: THRESHOLDS_MEV.map(|energy| match given {
                Some(points) => tabulated(points, energy),
                None => trapped(energy),
            }),
            dose_rad_s: margin * self.dose.fold(&bins),
        }
    }
}

/// Trapped protons above an energy, in cm⁻² s⁻¹: between the maps of solar minimum and maximum,
/// the logarithm is linear in the phase, and no flux counts as a flux of 1.
fn above(spectra: &[(f64, Option<Spectrum<'_>>)], energy: f64) -> f64 {
    let flux = |spectrum: &Option<Spectrum<'_>>| spectrum.as_ref().map_or(0.0, |s| s.flux(energy));
    match spectra {
        [] => 0.0,
        [(_, only)] => flux(only),
        several => {
            let log: f64 =
                several.iter().map(|(weight, s)| weight * flux(s).max(1.0).log10()).sum();
            if log > 0.0 { 10_f64.powf(log) } else { 0.0 }
        }
    }
}

/// A flux from a table, log-log between its energies: flat below, nothing above.
fn tabulated(points: &[(f64, f64)], energy: f64) -> f64 {
    let next = points.partition_point(|(at, _)| *at <= energy);
    match (next.checked_sub(1).map(|i| points[i]), points.get(next)) {
        (None, Some((_, flux))) => *flux,
        (Some((a, p)), Some((b, q))) if p > 0.0 && *q > 0.0 => {
            p * (q / p).powf((energy / a).ln() / (b / a).ln())
        }
        (Some((a, p)), Some((b, q))) => p + (q - p) * (energy - a) / (b - a),
        (Some((a, p)), None) if a == energy => p,
        _ => 0.0,
    }
}
