//! A header in a file and back: scalars are attributes, lists are tables, long text is a dataset.

use super::file::{
    self, Name, Text, get, get_flag, get_text, group, put_table, put_text, set, set_text, string,
    take_table, take_text, unexpected,
};
use super::kind::Content;
use super::schema::{
    ADAPTER, AdapterInfo, BEAM, CAMPAIGN, COURSE, CampaignInfo, FINGERPRINT, Header, OpInfo, RATE,
    RateInfo, SchemeInfo, StratumInfo, TensorInfo, WORKLOAD, WorkloadInfo,
};
use super::sources::{read_assumptions, read_sources, write_assumptions, write_sources};
use super::{Error, Fingerprint, flaw};
use crate::campaign::{Beam, NotInjected, Particle, Relative};
use crate::fault::Region;
use crate::rate::Band;
use crate::scheme::{Cost, Scheme};
use hdf5::{File, Group, H5Type};
use std::path::Path;

/// The definitions of schemes, beside the table of them.
const DEFINITIONS: &str = "definitions";

/// A row of `/campaign/schemes`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct SchemeRow {
    name: Name,
    bytes_stored: u64,
    bytes_read_per_inference: f64,
    scrub_bytes_per_inference: f64,
    exposed_bits: f64,
}

/// A row of `/campaign/strata`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct StratumRow {
    name: Name,
    region: Name,
    bits: u64,
    inferences_per_trial: u64,
    trials: u64,
}

/// A row of `/workload/tensors`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct TensorRow {
    name: Name,
    shape: Name,
    offset: u64,
    words: u64,
}

/// A row of `/workload/ops`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct OpRow {
    name: Name,
    kind: Name,
    features: u64,
}

/// A row of `/campaign/not_injected`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct NotInjectedRow {
    mode: Name,
    kind: Name,
    observed_at: Text,
    reason: Text,
    per_device_day_low: f64,
    per_device_day: f64,
    per_device_day_high: f64,
    source: Text,
}

/// Writes a header into a new file.
pub(super) fn write(to: &File, content: Content, header: &Header) -> hdf5::Result<()> {
    content.write(to, &header.version, &header.commit)?;
    write_campaign(to, header)?;
    write_workload(to, &header.workload)?;
    write_adapter(to, &header.adapter)?;
    write_fingerprint(to, &header.fingerprint)
}

/// Writes what it ran on.
pub(super) fn write_adapter(to: &File, info: &AdapterInfo) -> hdf5::Result<()> {
    let adapter = group(to, ADAPTER)?;
    set_text(&adapter, "name", &info.name)?;
    set_text(&adapter, "driver", &info.driver)?;
    set_text(&adapter, "driver_info", &info.driver_info)?;
    set_text(&adapter, "backend", &info.backend)?;
    set_text(&adapter, "device_type", &info.device_type)?;
    set(&adapter, "software", &info.software)?;
    set(&adapter, "fma_fused", &info.fma_fused)
}

/// Writes what makes another run the same experiment.
pub(super) fn write_fingerprint(to: &File, fingerprint: &Fingerprint) -> hdf5::Result<()> {
    let at = group(to, FINGERPRINT)?;
    set_text(&at, "whole", &fingerprint.whole())?;
    for (part, digest) in fingerprint.parts() {
        set_text(&at, part, digest)?;
    }
    Ok(())
}

fn write_campaign(to: &File, header: &Header) -> hdf5::Result<()> {
    let info = &header.campaign;
    let campaign = group(to, CAMPAIGN)?;
    set_text(&campaign, "name", &info.name)?;
    put_text(&campaign, "toml", &info.toml)?;
    set(&campaign, "seed", &info.seed)?;
    set_text(&campaign, "mode", &info.mode)?;
    set(&campaign, "dummy", &info.dummy)?;
    set(&campaign, "census", &info.census)?;
    set(&campaign, "alpha", &info.alpha)?;
    set(&campaign, "looks", &info.looks)?;
    set(&campaign, "steps", &info.steps)?;
    set(&campaign, "inferences_per_step", &info.inferences_per_step)?;
    if let Some(rate) = &header.rate {
        let at = group(&campaign, RATE)?;
        set(&at, "upsets_per_bit_day", &rate.upsets_per_bit_day)?;
        set_text(&at, "source", &rate.source)?;
        set(&at, "acceleration", &rate.acceleration)?;
        set(&at, "inference_period_s", &rate.inference_period_s)?;
        set(&at, "execution_time_s", &rate.execution_time_s)?;
        set(&at, "trial_s", &rate.trial_s)?;
        set(&at, "peak_over_mean", &rate.peak_over_mean)?;
        if let Some(course) = &rate.course {
            put_table(&at, COURSE, &course.rates)?;
            set(&at, "course_step_s", &course.step_s)?;
        }
    }
    if let Some(beam) = &header.beam {
        let at = group(&campaign, BEAM)?;
        set_text(&at, "particle", beam.particle.name())?;
        set(&at, "energy_mev", &beam.energy_mev.unwrap_or(f64::NAN))?;
        set(&at, "let_mev_cm2_per_mg", &beam.let_mev_cm2_per_mg.unwrap_or(f64::NAN))?;
        set(&at, "flux_per_cm2_s", &beam.flux_per_cm2_s)?;
        set(&at, "fluence_per_cm2", &beam.fluence_per_cm2)?;
        set(&at, "reset_time_s", &beam.reset_time_s)?;
        set(&at, "reload_time_s", &beam.reload_time_s)?;
        set(&at, "dosimetry_error", &beam.dosimetry_error)?;
    }
    let rows = header.not_injected.iter().map(not_injected_row);
    put_table(&campaign, "not_injected", &rows.collect::<hdf5::Result<Vec<_>>>()?)?;
    let rows = header.schemes.iter().map(|scheme| {
        Ok(SchemeRow {
            name: file::text(scheme.name())?,
            bytes_stored: scheme.cost.bytes_stored,
            bytes_read_per_inference: scheme.cost.bytes_read_per_inference,
            scrub_bytes_per_inference: scheme.cost.scrub_bytes_per_inference,
            exposed_bits: scheme.exposed_bits.unwrap_or(f64::NAN),
        })
    });
    put_table(&campaign, "schemes", &rows.collect::<hdf5::Result<Vec<_>>>()?)?;
    write_definitions(&campaign, header.schemes.iter().map(|scheme| &scheme.definition))?;
    let rows = header.strata.iter().map(|stratum| {
        Ok(StratumRow {
            name: file::text(&stratum.name)?,
            region: file::text(stratum.region.map_or("", Region::name))?,
            bits: stratum.bits,
            inferences_per_trial: u64::from(stratum.inferences_per_trial),
            trials: stratum.trials,
        })
    });
    put_table(&campaign, "strata", &rows.collect::<hdf5::Result<Vec<_>>>()?)?;
    write_sources(&campaign, &header.sources)?;
    write_assumptions(&campaign, &header.assumptions)
}

/// Writes what schemes are: JSON, one list of all.
pub(super) fn write_definitions<'s>(
    at: &Group,
    schemes: impl Iterator<Item = &'s Scheme>,
) -> hdf5::Result<()> {
    put_text(at, DEFINITIONS, &json(&schemes.collect::<Vec<_>>())?)
}

/// Reads what `count` schemes are.
pub(super) fn read_definitions(at: &Group, count: usize) -> hdf5::Result<Vec<Scheme>> {
    let schemes: Vec<Scheme> = parse(&take_text(at, DEFINITIONS)?)?;
    if schemes.len() != count {
        return Err(unexpected(format!("{count} definitions of schemes"), schemes.len()));
    }
    Ok(schemes)
}

fn not_injected_row(mode: &NotInjected) -> hdf5::Result<NotInjectedRow> {
    let [low, nominal, high] =
        mode.per_device_day.map_or([f64::NAN; 3], |band| [band.low, band.nominal, band.high]);
    Ok(NotInjectedRow {
        mode: file::text(&mode.mode)?,
        kind: file::text(&mode.kind)?,
        observed_at: file::text(&mode.observed_at)?,
        reason: file::text(&mode.reason)?,
        per_device_day_low: low,
        per_device_day: nominal,
        per_device_day_high: high,
        source: file::text(&mode.source)?,
    })
}

/// Writes what ran.
pub(super) fn write_workload(to: &File, info: &WorkloadInfo) -> hdf5::Result<()> {
    let workload = group(to, WORKLOAD)?;
    set_text(&workload, "name", &info.name)?;
    set_text(&workload, "description", &info.description)?;
    set_text(&workload, "source", &info.source)?;
    set_text(&workload, "decision", &info.decision)?;
    set_text(&workload, "relu_nan", &info.relu_nan)?;
    set(&workload, "inputs", &info.inputs)?;
    set(&workload, "labelled", &info.labelled)?;
    let rows = info.tensors.iter().map(|tensor| {
        Ok(TensorRow {
            name: file::text(&tensor.name)?,
            shape: file::text(&json(&tensor.shape)?)?,
            offset: tensor.offset,
            words: tensor.words,
        })
    });
    put_table(&workload, "tensors", &rows.collect::<hdf5::Result<Vec<_>>>()?)?;
    let rows = info.ops.iter().map(|op| {
        Ok(OpRow {
            name: file::text(&op.name)?,
            kind: file::text(&op.kind)?,
            features: u64::from(op.features),
        })
    });
    put_table(&workload, "ops", &rows.collect::<hdf5::Result<Vec<_>>>()?)
}

/// A value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> hdf5::Result<String> {
    serde_json::to_string(value).map_err(|error| hdf5::Error::Internal(error.to_string()))
}

/// Reads the fingerprint alone.
pub(super) fn read_fingerprint(from: &File) -> hdf5::Result<Fingerprint> {
    let at = from.group(FINGERPRINT)?;
    let mut fingerprint = Fingerprint::default();
    for (part, digest) in fingerprint.parts_mut() {
        *digest = get_text(&at, part)?;
    }
    Ok(fingerprint)
}

/// Reads the header of a file that has passed the gate, and checks its values.
pub(super) fn read(from: &File, path: &Path) -> Result<Header, Error> {
    let header = read_groups(from).map_err(Error::hdf5(path, "read"))?;
    flaw::header(&header).map_err(Error::flaw(path))?;
    Ok(header)
}

fn read_groups(from: &File) -> hdf5::Result<Header> {
    let campaign = from.group(CAMPAIGN)?;
    Ok(Header {
        version: get_text(from, "beamline_version")?,
        commit: get_text(from, "beamline_commit")?,
        campaign: CampaignInfo {
            name: get_text(&campaign, "name")?,
            toml: take_text(&campaign, "toml")?,
            seed: get(&campaign, "seed")?,
            mode: get_text(&campaign, "mode")?,
            dummy: get_flag(&campaign, "dummy")?,
            census: get_flag(&campaign, "census")?,
            alpha: get(&campaign, "alpha")?,
            looks: get(&campaign, "looks")?,
            steps: get(&campaign, "steps")?,
            inferences_per_step: get(&campaign, "inferences_per_step")?,
        },
        rate: if campaign.link_exists(RATE) { Some(read_rate(&campaign)?) } else { None },
        beam: if campaign.link_exists(BEAM) { Some(read_beam(&campaign)?) } else { None },
        not_injected: read_not_injected(&campaign)?,
        sources: read_sources(&campaign)?,
        assumptions: read_assumptions(&campaign)?,
        adapter: read_adapter(from)?,
        workload: read_workload(&from.group(WORKLOAD)?)?,
        schemes: read_schemes(&campaign)?,
        strata: read_strata(&campaign)?,
        fingerprint: read_fingerprint(from)?,
    })
}

/// Reads what it ran on.
pub(super) fn read_adapter(from: &File) -> hdf5::Result<AdapterInfo> {
    let at = from.group(ADAPTER)?;
    Ok(AdapterInfo {
        name: get_text(&at, "name")?,
        driver: get_text(&at, "driver")?,
        driver_info: get_text(&at, "driver_info")?,
        backend: get_text(&at, "backend")?,
        device_type: get_text(&at, "device_type")?,
        software: get_flag(&at, "software")?,
        fma_fused: get_flag(&at, "fma_fused")?,
    })
}

fn read_rate(campaign: &Group) -> hdf5::Result<RateInfo> {
    let at = campaign.group(RATE)?;
    Ok(RateInfo {
        upsets_per_bit_day: get(&at, "upsets_per_bit_day")?,
        source: get_text(&at, "source")?,
        acceleration: get(&at, "acceleration")?,
        inference_period_s: get(&at, "inference_period_s")?,
        execution_time_s: get(&at, "execution_time_s")?,
        trial_s: get(&at, "trial_s")?,
        peak_over_mean: get(&at, "peak_over_mean")?,
        course: if at.link_exists(COURSE) {
            let rates = take_table::<f32>(&at, COURSE)?;
            Some(Relative { rates, step_s: get(&at, "course_step_s")? })
        } else {
            None
        },
    })
}

fn read_beam(campaign: &Group) -> hdf5::Result<Beam> {
    let at = campaign.group(BEAM)?;
    let number = |name: &str| get::<f64>(&at, name);
    let name = get_text(&at, "particle")?;
    let known = [Particle::Proton, Particle::Ion].into_iter().find(|known| known.name() == name);
    let unknown = || unexpected("particle proton or ion", &name);
    Ok(Beam {
        particle: known.ok_or_else(unknown)?,
        energy_mev: Some(number("energy_mev")?).filter(|energy| !energy.is_nan()),
        let_mev_cm2_per_mg: Some(number("let_mev_cm2_per_mg")?).filter(|let_| !let_.is_nan()),
        flux_per_cm2_s: number("flux_per_cm2_s")?,
        fluence_per_cm2: number("fluence_per_cm2")?,
        reset_time_s: number("reset_time_s")?,
        reload_time_s: number("reload_time_s")?,
        dosimetry_error: number("dosimetry_error")?,
    })
}

fn read_not_injected(campaign: &Group) -> hdf5::Result<Vec<NotInjected>> {
    let rows = take_table::<NotInjectedRow>(campaign, "not_injected")?;
    let mode = |row: &NotInjectedRow| {
        Ok(NotInjected {
            mode: string(&row.mode)?,
            kind: string(&row.kind)?,
            observed_at: string(&row.observed_at)?,
            reason: string(&row.reason)?,
            per_device_day: (!row.per_device_day.is_nan()).then_some(Band {
                low: row.per_device_day_low,
                nominal: row.per_device_day,
                high: row.per_device_day_high,
            }),
            source: string(&row.source)?,
        })
    };
    rows.iter().map(mode).collect()
}

fn read_schemes(campaign: &Group) -> hdf5::Result<Vec<SchemeInfo>> {
    let rows = take_table::<SchemeRow>(campaign, "schemes")?;
    let definitions = read_definitions(campaign, rows.len())?;
    for (row, definition) in rows.iter().zip(&definitions) {
        let name = string(&row.name)?;
        if name != definition.name {
            return Err(unexpected(
                format!("the scheme {:?}", definition.name),
                format!("{name:?}"),
            ));
        }
    }
    let scheme = |(row, definition): (SchemeRow, Scheme)| {
        let cost = Cost {
            bytes_stored: row.bytes_stored,
            bytes_read_per_inference: row.bytes_read_per_inference,
            scrub_bytes_per_inference: row.scrub_bytes_per_inference,
        };
        let exposed_bits = (!row.exposed_bits.is_nan()).then_some(row.exposed_bits);
        SchemeInfo { definition, cost, exposed_bits }
    };
    Ok(rows.into_iter().zip(definitions).map(scheme).collect())
}

fn read_strata(campaign: &Group) -> hdf5::Result<Vec<StratumInfo>> {
    let rows = take_table::<StratumRow>(campaign, "strata")?.into_iter();
    rows.map(|row| {
        let region = string(&row.region)?;
        let known = Region::ALL.into_iter().find(|known| known.name() == region);
        if known.is_none() && !region.is_empty() {
            return Err(unexpected("the name of a region", region));
        }
        Ok(StratumInfo {
            name: string(&row.name)?,
            region: known,
            bits: row.bits,
            inferences_per_trial: narrow(row.inferences_per_trial)?,
            trials: row.trials,
        })
    })
    .collect()
}

/// Reads what ran.
pub(super) fn read_workload(at: &Group) -> hdf5::Result<WorkloadInfo> {
    let tensors = take_table::<TensorRow>(at, "tensors")?.into_iter().map(|row| {
        let shape = parse(&string(&row.shape)?)?;
        Ok(TensorInfo { name: string(&row.name)?, shape, offset: row.offset, words: row.words })
    });
    let ops = take_table::<OpRow>(at, "ops")?.into_iter().map(|row| {
        let features = narrow(row.features)?;
        Ok(OpInfo { name: string(&row.name)?, kind: string(&row.kind)?, features })
    });
    Ok(WorkloadInfo {
        name: get_text(at, "name")?,
        description: get_text(at, "description")?,
        source: get_text(at, "source")?,
        decision: get_text(at, "decision")?,
        relu_nan: get_text(at, "relu_nan")?,
        inputs: get(at, "inputs")?,
        labelled: get_flag(at, "labelled")?,
        tensors: tensors.collect::<hdf5::Result<_>>()?,
        ops: ops.collect::<hdf5::Result<_>>()?,
    })
}

fn narrow(value: u64) -> hdf5::Result<u32> {
    u32::try_from(value).map_err(|error| hdf5::Error::Internal(error.to_string()))
}

/// A value from its JSON.
pub(super) fn parse<T: serde::de::DeserializeOwned>(text: &str) -> hdf5::Result<T> {
    serde_json::from_str(text).map_err(|error| hdf5::Error::Internal(error.to_string()))
}
