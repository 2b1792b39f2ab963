//! What the report of an archived mission shows.

use super::{MissionView, TrackPoint};
use crate::archive::mission::{MissionArchive, MissionRun, UpsetRow, WHAT_NAMES};
use crate::device::{Hit, Persistence, Shape, Strike};
use crate::mission::run::HistoryRun;
use crate::mission::{Tenant, TenantCounts, Upset, What};

/// An archive in the shape that a report is made from.
#[derive(Debug)]
pub struct Held<'a> {
    archive: &'a MissionArchive,
    setting: Vec<(String, String)>,
    sources: Vec<(String, String)>,
    tenants: Vec<[TenantCounts; Tenant::ALL.len()]>,
    histories: Vec<HistoryRun>,
    track: Vec<TrackPoint>,
}

impl<'a> Held<'a> {
    /// Takes what a report needs from an archive.
    pub fn new(archive: &'a MissionArchive) -> Self {
        let header = &archive.header;
        let said = |subject: &str, text: String| (subject.to_owned(), text);
        let adapter = &header.adapter;
        let mut setting = vec![
            said("orbit", header.orbit.description.clone()),
            said("altitudes", header.orbit.altitude_convention.clone()),
            said("memory", format!("{}, {} map", header.memory.title, header.memory.map)),
            said("workload", header.workload.name.clone()),
            said("adapter", format!("{} ({})", adapter.name, adapter.driver_info)),
        ];
        setting.extend(header.warnings.iter().map(|warning| said("warning", warning.clone())));
        let sources = header.sources.iter();
        let sources = sources.map(|s| (s.subject.clone(), s.source.clone())).collect();
        let track = header.track.iter().map(|place| TrackPoint {
            latitude_deg: place.latitude_deg,
            longitude_deg: place.longitude_deg,
            in_saa: place.in_saa != 0,
            solar_hour: place.local_time_h,
        });
        Self {
            setting,
            sources,
            tenants: tenants(archive),
            histories: archive.runs.iter().map(|run| history(archive, run)).collect(),
            track: track.collect(),
            archive,
        }
    }

    /// The view.
    pub fn view(&self) -> MissionView<'_> {
        let (header, closing) = (&self.archive.header, &self.archive.closing);
        MissionView {
            name: &header.name,
            version: &header.version,
            setting: &self.setting,
            sources: &self.sources,
            toml: &header.toml,
            histories_planned: header.histories,
            facts: &header.facts,
            figures: &closing.figures,
            expected: &closing.expected,
            strata: &closing.strata,
            sweep: &closing.sweep,
            tenants: &self.tenants,
            histories: &self.histories,
            track: &self.track,
            fleet: &closing.fleet,
        }
    }
}

fn tenants(archive: &MissionArchive) -> Vec<[TenantCounts; Tenant::ALL.len()]> {
    let mut sums = vec![[TenantCounts::default(); Tenant::ALL.len()]; archive.header.schemes.len()];
    for run in &archive.runs {
        for (sum, scheme) in sums.iter_mut().zip(&run.schemes) {
            for (sum, counts) in sum.iter_mut().zip(&scheme.tenants) {
                sum.upsets += counts.upsets;
                sum.corrected += counts.corrected;
                sum.uncorrectable += counts.uncorrectable;
                sum.silent += counts.silent;
            }
        }
    }
    sums
}

/// A history as far as an archive has it: an event of memory has its shape and its entries, and not
/// its single bits.
fn history(archive: &MissionArchive, run: &MissionRun) -> HistoryRun {
    let step = u32::try_from(archive.header.orbit.place_step.max(1)).unwrap_or(1);
    let upset = |row: &UpsetRow| Upset {
        id: row.id,
        time_s: row.time_s,
        device: row.device,
        mode: u16::try_from(row.mode).unwrap_or(u16::MAX),
        place: row.place / step,
        what: what(archive, row),
    };
    HistoryRun {
        history: run.history,
        start_s: run.start_s,
        upsets: run.upsets.iter().map(upset).collect(),
        schemes: run.schemes.clone(),
    }
}

fn what(archive: &MissionArchive, row: &UpsetRow) -> What {
    match WHAT_NAMES.get(usize::from(row.what)).copied().unwrap_or("logic-sdc") {
        "memory" => {
            let name = archive.header.shape(row);
            let shape = Shape::ALL.into_iter().find(|shape| Some(shape.name()) == name);
            let entries = u64::from(row.entries.min(1 << 16));
            let strike = |at| Strike { entry: row.first_entry + at, mask: [0; 9] };
            What::Memory(Hit {
                shape: shape.unwrap_or(Shape::SingleBit),
                persistence: Persistence::Transient,
                strikes: (0..entries).map(strike).collect(),
            })
        }
        "uncorrectable" => What::Uncorrectable { entry: row.first_entry },
        "sefi" => What::Sefi,
        "host" => What::Host,
        "sel" => What::Sel,
        "scrubber" => What::Scrubber { bit: u32::try_from(row.first_bit).unwrap_or(0) },
        "hardened-storage" => What::Hardened {
            word: u32::try_from(row.first_bit / 32).unwrap_or(0),
            mask: 1 << (row.first_bit % 32),
        },
        _ => What::LogicSdc,
    }
}
