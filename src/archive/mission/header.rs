//! The header of a mission in a file and back.

use super::super::Error;
use super::super::file::{
    LongTable, NAME, Name, TEXT, get, get_text, group, put_table, put_text, set, set_text, string,
    take_table, take_text, text,
};
use super::super::header::{
    read_adapter, read_definitions, read_fingerprint, read_workload, write_adapter,
    write_definitions, write_fingerprint, write_workload,
};
use super::super::kind::Content;
use super::super::schema::WORKLOAD;
use super::super::sources::{read_assumptions, read_sources, write_assumptions, write_sources};
use super::history_rows::{not_nan, or_nan};
use super::{MemoryInfo, MissionHeader, OrbitInfo, Organisation, flaw};
use crate::mission::figures::{Facts, ModeFact, SchemeFact};
use crate::mission::{Duration, Requirement};
use crate::scheme::Scheme;
use hdf5::types::FixedUnicode;
use hdf5::{File, Group, H5Type};
use std::path::Path;

const MISSION: &str = "mission";
const MEMORY: &str = "memory";
const ORBIT: &str = "orbit";
const TRACK: &str = "orbit/track";

/// A row of `/mission/schemes`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct SchemeRow {
    name: Name,
    stored_bytes: u64,
    weight_bytes: u64,
    scrub_passes_s: f64,
    scrub_bytes_s: f64,
    devices: u32,
    executions: u32,
}

/// A row of `/mission/modes`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct ModeRow {
    device: Name,
    mode: Name,
    kind: Name,
    low_per_device_s: f64,
    per_device_s: f64,
    high_per_device_s: f64,
}

/// Writes what every file of a mission begins with.
pub(super) fn write_start(to: &File, content: Content, header: &MissionHeader) -> hdf5::Result<()> {
    content.write(to, &header.version, &header.commit)?;
    write_fingerprint(to, &header.fingerprint)
}

/// Writes the whole header.
pub(super) fn write(to: &File, content: Content, header: &MissionHeader) -> hdf5::Result<()> {
    write_start(to, content, header)?;
    write_adapter(to, &header.adapter)?;
    write_workload(to, &header.workload)?;
    let at = group(to, MISSION)?;
    set_text(&at, "name", &header.name)?;
    put_text(&at, "toml", &header.toml)?;
    set(&at, "histories", &header.histories)?;
    write_facts(&at, header)?;
    write_sources(&at, &header.sources)?;
    write_assumptions(&at, &header.assumptions)?;
    put_texts::<TEXT>(&at, "warnings", &header.warnings)?;
    put_texts::<NAME>(&at, "shapes", &header.shapes)?;
    write_memory(&group(to, MEMORY)?, &header.memory)?;
    let orbit = group(to, ORBIT)?;
    let info = &header.orbit;
    set_text(&orbit, "description", &info.description)?;
    set_text(&orbit, "start", &info.start)?;
    set(&orbit, "step_s", &info.step_s)?;
    set(&orbit, "places", &info.places)?;
    set(&orbit, "place_step", &info.place_step)?;
    set_text(&orbit, "altitude_convention", &info.altitude_convention)?;
    let mut track = LongTable::create(to, TRACK, header.track.len(), "One lap of the track")?;
    track.push(&header.track)?;
    track.finish()
}

fn write_facts(at: &Group, header: &MissionHeader) -> hdf5::Result<()> {
    let facts = &header.facts;
    set(at, "seed", &facts.seed)?;
    set(at, "horizon_s", &facts.horizon_s)?;
    set(at, "acceleration", &facts.acceleration)?;
    set(at, "inferences_per_s", &facts.inferences_per_s)?;
    set(at, "bandwidth_bytes_s", &facts.bandwidth_bytes_s)?;
    set(at, "capacity_bytes", &facts.capacity_bytes)?;
    set(at, "copies", &facts.copies)?;
    let wanted = facts.requirement;
    let [lasts_s, probability] = [
        wanted.map(|requirement| requirement.no_critical_sdc_for.0),
        wanted.map(|requirement| requirement.probability),
    ];
    set(at, "no_critical_sdc_for_s", &or_nan(lasts_s))?;
    set(at, "probability", &or_nan(probability))?;
    let rows = facts.modes.iter().map(|mode| {
        let [low_per_device_s, per_device_s, high_per_device_s] = mode.per_device_s;
        Ok(ModeRow {
            device: text(&mode.device)?,
            mode: text(&mode.mode)?,
            kind: text(&mode.kind)?,
            low_per_device_s,
            per_device_s,
            high_per_device_s,
        })
    });
    put_table(at, "modes", &rows.collect::<hdf5::Result<Vec<_>>>()?)?;
    let rows = facts.schemes.iter().map(|fact| {
        Ok(SchemeRow {
            name: text(&fact.name)?,
            stored_bytes: fact.stored_bytes,
            weight_bytes: fact.weight_bytes,
            scrub_passes_s: fact.scrub_passes_s,
            scrub_bytes_s: fact.scrub_bytes_s,
            devices: fact.devices,
            executions: fact.executions,
        })
    });
    put_table(at, "schemes", &rows.collect::<hdf5::Result<Vec<_>>>()?)?;
    write_definitions(at, header.schemes.iter())
}

fn write_memory(at: &Group, info: &MemoryInfo) -> hdf5::Result<()> {
    set_text(at, "name", &info.name)?;
    set_text(at, "title", &info.title)?;
    set_text(at, "map", &info.map)?;
    set_text(at, "digest", &info.digest)?;
    let mut organisation = info.organisation;
    for (name, count) in levels(&mut organisation) {
        set(at, name, count)?;
    }
    Ok(())
}

/// The numbers of an organisation by name.
fn levels(of: &mut Organisation) -> [(&'static str, &mut u32); 9] {
    [
        ("stacks", &mut of.stacks),
        ("channels", &mut of.channels),
        ("pseudo_channels", &mut of.pseudo_channels),
        ("sids", &mut of.sids),
        ("bank_groups", &mut of.bank_groups),
        ("banks", &mut of.banks),
        ("rows", &mut of.rows),
        ("columns", &mut of.columns),
        ("entry_bytes", &mut of.entry_bytes),
    ]
}

fn put_texts<const N: usize>(at: &Group, name: &str, texts: &[String]) -> hdf5::Result<()> {
    let texts = texts.iter().map(|value| text(value)).collect::<hdf5::Result<Vec<_>>>()?;
    put_table::<FixedUnicode<N>>(at, name, &texts)
}

fn take_texts<const N: usize>(at: &Group, name: &str) -> hdf5::Result<Vec<String>> {
    take_table::<FixedUnicode<N>>(at, name)?.iter().map(string).collect()
}

/// Reads the header of a file that has one, and checks its values.
pub(super) fn read(from: &File, path: &Path) -> Result<MissionHeader, Error> {
    let header = read_groups(from).map_err(Error::hdf5(path, "read"))?;
    flaw::header(&header).map_err(Error::flaw(path))?;
    Ok(header)
}

fn read_groups(from: &File) -> hdf5::Result<MissionHeader> {
    let (at, orbit) = (from.group(MISSION)?, from.group(ORBIT)?);
    let (schemes, facts) = read_facts(&at)?;
    Ok(MissionHeader {
        version: get_text(from, "beamline_version")?,
        commit: get_text(from, "beamline_commit")?,
        name: get_text(&at, "name")?,
        toml: take_text(&at, "toml")?,
        histories: get(&at, "histories")?,
        facts,
        schemes,
        shapes: take_texts::<NAME>(&at, "shapes")?,
        memory: read_memory(&from.group(MEMORY)?)?,
        orbit: OrbitInfo {
            description: get_text(&orbit, "description")?,
            start: get_text(&orbit, "start")?,
            step_s: get(&orbit, "step_s")?,
            places: get(&orbit, "places")?,
            place_step: get(&orbit, "place_step")?,
            altitude_convention: get_text(&orbit, "altitude_convention")?,
        },
        track: take_table(from, TRACK)?,
        sources: read_sources(&at)?,
        assumptions: read_assumptions(&at)?,
        warnings: take_texts::<TEXT>(&at, "warnings")?,
        adapter: read_adapter(from)?,
        workload: read_workload(&from.group(WORKLOAD)?)?,
        fingerprint: read_fingerprint(from)?,
    })
}

fn read_facts(at: &Group) -> hdf5::Result<(Vec<Scheme>, Facts)> {
    let modes = take_table::<ModeRow>(at, "modes")?.into_iter().map(|row| {
        Ok(ModeFact {
            device: string(&row.device)?,
            mode: string(&row.mode)?,
            kind: string(&row.kind)?,
            per_device_s: [row.low_per_device_s, row.per_device_s, row.high_per_device_s],
        })
    });
    let rows = take_table::<SchemeRow>(at, "schemes")?;
    let schemes = read_definitions(at, rows.len())?;
    let facts = rows.into_iter().map(|row| {
        Ok(SchemeFact {
            name: string(&row.name)?,
            stored_bytes: row.stored_bytes,
            weight_bytes: row.weight_bytes,
            devices: row.devices,
            scrub_passes_s: row.scrub_passes_s,
            scrub_bytes_s: row.scrub_bytes_s,
            executions: row.executions,
        })
    });
    let lasts_s = not_nan(get(at, "no_critical_sdc_for_s")?);
    let wanted = lasts_s.zip(not_nan(get(at, "probability")?));
    let facts = Facts {
        seed: get(at, "seed")?,
        horizon_s: get(at, "horizon_s")?,
        acceleration: get(at, "acceleration")?,
        inferences_per_s: get(at, "inferences_per_s")?,
        bandwidth_bytes_s: get(at, "bandwidth_bytes_s")?,
        capacity_bytes: get(at, "capacity_bytes")?,
        copies: get(at, "copies")?,
        requirement: wanted.map(|(lasts_s, probability)| Requirement {
            no_critical_sdc_for: Duration(lasts_s),
            probability,
        }),
        modes: modes.collect::<hdf5::Result<_>>()?,
        schemes: facts.collect::<hdf5::Result<_>>()?,
    };
    Ok((schemes, facts))
}

fn read_memory(at: &Group) -> hdf5::Result<MemoryInfo> {
    let mut organisation = Organisation::default();
    for (name, count) in levels(&mut organisation) {
        *count = get(at, name)?;
    }
    Ok(MemoryInfo {
        name: get_text(at, "name")?,
        title: get_text(at, "title")?,
        map: get_text(at, "map")?,
        organisation,
        digest: get_text(at, "digest")?,
    })
}
