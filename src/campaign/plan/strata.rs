//! The strata of a campaign: which sites its trials draw from, and the inputs that they run.

use super::{Arrival, Error, Stratum};
use crate::campaign::faults::Targets;
use crate::engine::Windows;
use crate::fault::{Listed, Region, Sites};
use crate::workload::Workload;

/// How many inputs a site is struck in, one a trial: stored words are struck once for all.
pub(super) const fn inputs_struck(region: Region, inputs: u32) -> u32 {
    if region.is_of_one_inference() { inputs } else { 1 }
}

/// The sites of each region. A name must be known to one of the regions, and every region that
/// names can restrict must keep a site.
pub(super) fn sites(
    workload: &Workload,
    regions: &[Region],
    tensors: Option<&[String]>,
    bits: Option<&[u32]>,
) -> Result<Vec<Sites>, Error> {
    let restricts = |region: Region| region != Region::Input;
    let restricted = regions.iter().copied().filter(|region| restricts(*region));
    let valid: Vec<&str> = restricted.flat_map(|region| Sites::names(workload, region)).collect();
    for name in tensors.unwrap_or_default() {
        if !valid.contains(&name.as_str()) {
            let expected = format!("tensors among {}", valid.join(", "));
            let found = format!("\"{name}\"{}", crate::words::meant(name, valid));
            return Err(Error::value("faults.tensors", expected, found));
        }
    }
    let of_region = |region: Region| {
        let names = Sites::names(workload, region);
        let chosen: Option<Vec<String>> = tensors.filter(|_| restricts(region)).map(|tensors| {
            tensors.iter().filter(|name| names.contains(&name.as_str())).cloned().collect()
        });
        let refuse = |key: &str, expected: String| Error::value(key, expected, "none");
        let sites = Sites::new(workload, region, chosen.as_deref(), bits).map_err(|unknown| {
            Error::value("faults.tensors", unknown.valid.join(", "), unknown.name)
        })?;
        match (sites.elements(), chosen) {
            (0, Some(_)) => {
                let names = names.join(", ");
                Err(refuse(
                    "faults.tensors",
                    format!("one of {names} for region {}", region.name()),
                ))
            }
            (0, None) => {
                Err(refuse("faults.regions", format!("elements in region {}", region.name())))
            }
            _ if sites.bits() == 0 => {
                let expected = format!("a bit that elements in region {} have", region.name());
                let found = format!("{:?}", bits.unwrap_or_default());
                Err(Error::value("faults.bits", expected, found))
            }
            _ => Ok(sites),
        }
    };
    regions.iter().copied().map(of_region).collect()
}

/// The sites that a file names.
pub(super) fn sites_of(workload: &Workload, targets: &Targets) -> Result<Vec<Sites>, Error> {
    let Targets { regions, tensors, bits, .. } = targets;
    sites(workload, regions, tensors.as_deref(), bits.as_deref())
}

/// All inputs at once for stored words, each alone for a fault that names one.
pub(super) fn of_sites(sites: &Sites, inputs: u32, trials_max: u64) -> Stratum {
    let rows = if sites.region().is_of_one_inference() { 1 } else { inputs };
    Stratum {
        name: sites.region().name().into(),
        regions: vec![sites.region()],
        bits: sites.bits(),
        inferences: rows,
        windows: Windows::new(rows, (0..inputs).collect()),
        trials_max,
    }
}

/// A list's trials over all inputs, and those of one input alone.
pub(super) fn of_list(trials: Vec<Listed>, inputs: u32) -> (Arrival, Vec<Stratum>) {
    let mut strata: Vec<Stratum> = Vec::new();
    let mut of_trial = vec![0; trials.len()];
    let alone = |listed: &Listed| listed.input.is_some();
    let mixed = trials.iter().any(alone) && !trials.iter().all(alone);
    for (one_input, rows) in [(false, inputs), (true, 1)] {
        let mut regions: Vec<Region> = Vec::new();
        let mut trials_max = 0;
        for (at, listed) in trials.iter().enumerate().filter(|(_, t)| alone(t) == one_input) {
            of_trial[at] = strata.len();
            trials_max += 1;
            regions.extend(listed.faults.iter().map(|fault| fault.region));
        }
        if trials_max > 0 {
            regions.sort_unstable();
            regions.dedup();
            let suffix = if mixed && one_input { ", one input" } else { "" };
            strata.push(Stratum {
                name: format!("{}{suffix}", joined(&regions)),
                regions,
                bits: 0,
                inferences: rows,
                windows: Windows::new(rows, (0..inputs).collect()),
                trials_max,
            });
        }
    }
    (Arrival::List { trials, strata: of_trial }, strata)
}

pub(super) fn joined(regions: &[Region]) -> String {
    regions.iter().map(|region| region.name()).collect::<Vec<_>>().join("+")
}
