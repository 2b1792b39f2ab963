//! A wave: lanes that run together, from what strikes them to the outcomes of the rows that it changes.

use super::super::direct::{Owner, Strikes, landings};
use super::super::footprint::{Received, Target};
use super::super::{Error, Job, TrialResult};
use super::Core;
pub(super) use super::pages::slots_max;
use super::pages::{PageLane, PageMemory, Pages, Section, narrow};
use super::rows::{Judged, ListedRows, Packed, padded};
use super::stored::Patch;
use crate::gpu::{Binding, Buffer, Pass};
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::Voter;
use crate::stage::differing::Slot;
use crate::stage::inject::Strike;
use crate::stage::output_vote::MISMATCH;
use crate::stage::spread::Spreads;
use crate::workload::ValueId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The most lanes of a wave.
pub(super) const LANES_MAX: usize = 2048;
/// Words of the slices of one op: what a wave holds of each.
const SLICE_WORDS: usize = 16 << 20;

/// A vote on the outputs of several executions, of which one is struck.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vote {
    pub executions: u32,
    /// The struck one.
    pub execution: u32,
    pub voter: Voter,
}

/// How the lanes of a wave are judged, and what they were delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaveSetting<'a> {
    /// Whether a NaN or an infinity in the output is a DUE.
    pub guarded: bool,
    /// The vote on outputs, where there is one.
    pub vote: Option<Vote>,
    /// Whether the majority of three executions goes on after each op.
    pub votes_ops: bool,
    /// What decoders and voters delivered.
    pub delivered: &'a Buffer<u32>,
}

/// A lane whose faults strike words of values, none earlier than the one under which it is listed.
#[derive(Clone, Debug)]
pub(super) struct ValueLane {
    pub job: usize,
    pub window: u32,
    /// Words that memory delivers other than golden.
    pub patches: Vec<Patch>,
    /// What strikes the value after that, in order.
    pub faults: Vec<Received>,
}

/// Lanes by where they are struck.
#[derive(Debug, Default)]
pub(super) struct Wave {
    pages: BTreeMap<usize, Vec<PageLane>>,
    /// The windows of each op's lanes.
    windows: BTreeMap<usize, BTreeSet<u32>>,
    values: BTreeMap<usize, Vec<ValueLane>>,
    lanes: usize,
    full: bool,
}

/// The buffers of waves, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct WaveMemory {
    pages: BTreeMap<usize, PageMemory>,
    pub packed: Packed,
}

/// Rows that ran, chunk by chunk.
struct Ran<'g> {
    list: Buffer<[u32; 2]>,
    /// The entry of the list where they begin.
    from: u32,
    total: u32,
    chunks: Vec<Chunk>,
    of: Of<'g>,
}

struct Chunk {
    /// The first of them, counted from where its section of the list begins.
    first: u32,
    rows: u32,
    judged: Judged,
    strikes: Vec<Strikes>,
}

/// Whose rows they are.
enum Of<'g> {
    Pages(&'g Pages),
    Values { lanes: &'g [ValueLane], control_rows: u32 },
}

impl WaveMemory {
    /// Gives pages back where they take more than so many bytes.
    pub(super) fn trim(&mut self, bytes: u64) {
        if self.pages.values().map(PageMemory::bytes).sum::<u64>() > bytes {
            self.pages.clear();
        }
    }
}

impl Wave {
    pub(super) fn push_page(&mut self, core: &Core, op: usize, lane: PageLane) {
        let windows = self.windows.entry(op).or_default();
        windows.insert(lane.window);
        let lanes = self.pages.entry(op).or_default();
        lanes.push(lane);
        let slots = slots_max(lanes.len(), windows.len());
        self.full |= slots * core.slice_words(op) >= SLICE_WORDS;
        self.lanes += 1;
    }

    pub(super) fn push_value(&mut self, value: ValueId, lane: ValueLane) {
        self.values.entry(value.0).or_default().push(lane);
        self.lanes += 1;
    }

    /// Whether no further lane may be pushed.
    pub(super) const fn is_full(&self) -> bool {
        self.full || self.lanes >= LANES_MAX
    }
}

impl Core {
    /// Runs a wave and puts what it changes into the results of its jobs.
    pub(super) fn surge(
        &self,
        wave: &Wave,
        memory: &mut WaveMemory,
        setting: &WaveSetting<'_>,
        jobs: &[Job],
        results: &mut [Option<TrialResult>],
    ) -> Result<(), Error> {
        if wave.lanes == 0 {
            return Ok(());
        }
        let trial = |job: usize| jobs[job].trial;
        let mut groups = Vec::new();
        for (op, lanes) in &wave.pages {
            groups.extend(self.pages(setting, *op, lanes, memory.pages.entry(*op).or_default()));
        }
        self.gpu.submit(|pass| {
            for pages in &groups {
                if let Some(memory) = memory.pages.get(&pages.op) {
                    self.encode_pages(pass, setting, pages, memory);
                }
            }
        })?;
        let mut parts: Vec<(&dyn Binding, usize)> = Vec::new();
        for pages in &groups {
            parts.push((&pages.count, pages.sections.len()));
            if let Some(strikes) = &pages.strikes {
                parts.push((&strikes.before, strikes.count()));
                parts.push((&strikes.after, strikes.count()));
            }
        }
        let mut read = self.gpu.read_words(&parts)?.into_iter();
        let mut next = || read.next().unwrap_or_default();
        let mut ran = Vec::new();
        for pages in &groups {
            let totals = next();
            if let Some(strikes) = &pages.strikes {
                let (before, after) = (next(), next());
                land(strikes, (&before, &after), trial, results)?;
            }
            for (section, total) in pages.sections.iter().zip(totals) {
                ran.push(self.run_section(pages, *section, total, setting, &mut memory.packed)?);
            }
        }
        for (value, lanes) in &wave.values {
            ran.push(self.run_values(ValueId(*value), lanes, setting, &mut memory.packed)?);
        }
        self.gather(&ran, setting, trial, results)
    }

    /// Runs the rows of a section that pages changed.
    fn run_section<'g>(
        &self,
        pages: &'g Pages,
        section: Section,
        total: u32,
        setting: &WaveSetting<'_>,
        packed: &mut Packed,
    ) -> Result<Ran<'g>, Error> {
        let of = Of::Pages(pages);
        let (list, from) = (pages.list.clone(), section.list);
        let mut ran = Ran { list, from, total, chunks: Vec::new(), of };
        let Some(weighted) = self.reach.op(pages.op).filter(|_| !setting.votes_ops) else {
            return Ok(ran);
        };
        let (end, cells, _) = self.end(pages.op, weighted, setting);
        let then = self.downstream(end, &[]);
        let resume = self.partial(end).and_then(|partial| partial.resume(section.number));
        let (list, slots) = (&pages.list, &pages.table);
        let from = Spreads { list, slots, slices: &pages.slices, golden: &self.golden.zero };
        for first in (0..total).step_by(then.rows_max as usize) {
            let count = then.rows_max.min(total - first);
            let first_entry = section.list + first;
            let rows =
                ListedRows { entry: end, from, cells, resume, first: first_entry, count, setting };
            let judged = self.run_rows(packed, &then, &rows, |_, _, _| {})?;
            ran.chunks.push(Chunk { first, rows: count, judged, strikes: Vec::new() });
        }
        Ok(ran)
    }

    /// Runs the rows of lanes whose faults strike a value, each row struck in the packed value that the
    /// next op reads.
    fn run_values<'g>(
        &self,
        value: ValueId,
        lanes: &'g [ValueLane],
        setting: &WaveSetting<'_>,
        packed: &mut Packed,
    ) -> Result<Ran<'g>, Error> {
        let golden = |window| Slot { window, first: 0, section: 0, list: 0 };
        let mut table = vec![golden(lanes[0].window)];
        let control_rows = self.layout.counted.min(4);
        let mut list: Vec<[u32; 2]> = (0..control_rows).map(|row| [0, row]).collect();
        for (slot, lane) in (1u32..).zip(lanes) {
            table.push(golden(lane.window));
            let struck = list.len();
            let rows = lane.faults.iter().map(|fault| fault.row.unwrap_or_default());
            let patched = lane.patches.iter().map(|patch| self.input_place(patch.word).1);
            for row in rows.chain(patched) {
                let entry = [slot, row];
                if !list[struck..].contains(&entry) {
                    list.push(entry);
                }
            }
        }
        let mut struck: Vec<ValueId> =
            lanes.iter().flat_map(|lane| &lane.faults).map(|f| self.struck_value(f)).collect();
        struck.sort_unstable_by_key(|value| value.0);
        struck.dedup();
        let then = self.downstream(value, &struck);
        let (tb, lb) = (self.gpu.upload("slots", &table), self.gpu.upload("struck rows", &list));
        let none = &self.golden.zero;
        let from = Spreads { list: &lb, slots: &tb, slices: none, golden: none };
        let traps = self.gpu.zeroed("traps", list.len());
        let mut chunks = Vec::new();
        let mut first = 0;
        for part in list.chunks(then.rows_max as usize) {
            let rows = padded(narrow(part.len()));
            let of_value =
                |value: &ValueId| Some((*value, self.value_strikes(*value, part, lanes, rows)?));
            let strikes: Vec<(ValueId, Strikes)> = struck.iter().filter_map(of_value).collect();
            let patches = self.value_patches(part, lanes, rows);
            let count = narrow(part.len());
            let of =
                ListedRows { entry: value, from, cells: 0, resume: None, first, count, setting };
            let strike = |pass: &mut Pass<'_>, value: ValueId, buffer: &Buffer<u32>| {
                if value == ValueId(0) {
                    self.encode_spans(pass, &patches, 1, setting.delivered, buffer);
                }
                for (_, strikes) in strikes.iter().filter(|(struck, _)| *struck == value) {
                    strikes.encode(pass, &self.kernels, buffer, &traps);
                }
            };
            let judged = self.run_rows(packed, &then, &of, strike)?;
            let strikes = strikes.into_iter().map(|(_, strikes)| strikes).collect();
            chunks.push(Chunk { first, rows: count, judged, strikes });
            first += count;
        }
        let of = Of::Values { lanes, control_rows };
        Ok(Ran { list: lb, from: 0, total: first, chunks, of })
    }

    /// The value whose words a fault strikes.
    pub(super) fn struck_value(&self, fault: &Received) -> ValueId {
        match fault.target {
            Target::Activation { op, .. } => self.workload.ops[op].output,
            _ => ValueId(0),
        }
    }

    /// The strikes on the listed rows of a packed value with `rows` rows.
    fn value_strikes(
        &self,
        value: ValueId,
        list: &[[u32; 2]],
        lanes: &[ValueLane],
        rows: u32,
    ) -> Option<Strikes> {
        let words = self.workload.features(value) * rows;
        let (mut offsets, mut strikes) = (vec![0], Vec::new());
        for (at, [slot, row]) in (0u32..).zip(list) {
            let lane = slot.checked_sub(1).map(|lane| &lanes[lane as usize]);
            for (lane, fault) in lane.iter().flat_map(|l| l.faults.iter().map(move |f| (l, f))) {
                if fault.row == Some(*row) && self.struck_value(fault) == value {
                    let word = self.value_feature(fault) * rows + at;
                    let owner: Owner = Some((lane.job, fault.fault, fault.replica()));
                    strikes.push((Strike::new(0, word, fault.kind, fault.mask), owner));
                }
            }
            offsets.push(narrow(strikes.len()));
        }
        Strikes::listed(&self.gpu, (words, 1), &offsets, strikes)
    }

    /// (delivered word, word of the packed value) of listed rows.
    fn value_patches(&self, list: &[[u32; 2]], lanes: &[ValueLane], rows: u32) -> Vec<[u32; 2]> {
        let mut patches = Vec::new();
        for (at, [slot, row]) in (0u32..).zip(list) {
            let lane = slot.checked_sub(1).map(|lane| &lanes[lane as usize]);
            for patch in lane.iter().flat_map(|lane| &lane.patches) {
                let (feature, of) = self.input_place(patch.word);
                if of == *row {
                    patches.push([patch.source, feature * rows + at]);
                }
            }
        }
        patches
    }

    /// The feature and the row of an image's word of an input.
    const fn input_place(&self, word: u32) -> (u32, u32) {
        let word = word - self.layout.weights;
        (word / self.layout.rows, word % self.layout.rows)
    }

    /// The feature of its value that a fault strikes.
    const fn value_feature(&self, fault: &Received) -> u32 {
        match fault.target {
            Target::Image { .. } => self.input_place(fault.word).0,
            _ => fault.word / self.layout.rows,
        }
    }

    /// Reads outcomes back and gives them to the jobs whose rows they are.
    fn gather(
        &self,
        ran: &[Ran<'_>],
        setting: &WaveSetting<'_>,
        trial: impl Fn(usize) -> u64 + Copy,
        results: &mut [Option<TrialResult>],
    ) -> Result<(), Error> {
        let mut parts: Vec<(&dyn Binding, Range<usize>)> = Vec::new();
        for ran in ran {
            let from = 2 * ran.from as usize;
            parts.push((&ran.list, from..from + 2 * ran.total as usize));
            for Chunk { rows, judged, strikes, .. } in &ran.chunks {
                parts.push((&judged.outcomes, 0..*rows as usize));
                if let Some(verdicts) = &judged.verdicts {
                    parts.push((verdicts, 0..*rows as usize));
                }
                for strikes in strikes {
                    parts.push((&strikes.before, 0..strikes.count()));
                    parts.push((&strikes.after, 0..strikes.count()));
                }
            }
        }
        let mut read = self.gpu.read_ranges(&parts)?.into_iter();
        let mut next = || read.next().unwrap_or_default();
        for ran in ran {
            let list = next();
            let entry = |at: u32| (list[2 * at as usize], list[2 * at as usize + 1]);
            if setting.votes_ops {
                for at in 0..ran.total {
                    let (slot, row) = entry(at);
                    if let (Some(job), _) = self.job_of(ran, at, (slot, row))? {
                        alter(results, job, row, |result, row| {
                            result.rows[row] = judged(result.rows[row], true, false);
                        });
                    }
                }
            }
            for chunk in &ran.chunks {
                let codes = next();
                let verdicts = chunk.judged.verdicts.as_ref().map(|_| next());
                for strikes in &chunk.strikes {
                    let (before, after) = (next(), next());
                    land(strikes, (&before, &after), trial, results)?;
                }
                for (i, (at, code)) in (chunk.first..).zip(codes).enumerate() {
                    let (slot, row) = entry(at);
                    let (job, window) = self.job_of(ran, at, (slot, row))?;
                    let golden = self.golden.outcomes(setting.guarded, &self.layout, window);
                    let Some(job) = job else {
                        if golden[row as usize].0 != code {
                            return Err(Error::ControlLane { row });
                        }
                        continue;
                    };
                    let verdict = verdicts.as_ref().map_or(0, |verdicts| verdicts[i]);
                    alter(results, job, row, |result, row| {
                        result.rows[row] = InferenceRow(code);
                        if verdict & MISMATCH != 0 {
                            after_mismatch(result, row, golden[row], setting.guarded);
                        }
                    });
                }
            }
        }
        Ok(())
    }

    /// The job of a listed row and its window; no job for one of the control.
    fn job_of(
        &self,
        ran: &Ran<'_>,
        at: u32,
        (slot, row): (u32, u32),
    ) -> Result<(Option<usize>, u32), Error> {
        let (job, window, control_rows) = match ran.of {
            Of::Pages(pages) => {
                let window = pages.windows[(slot / pages.block) as usize];
                (pages.jobs[slot as usize], window, pages.control_rows)
            }
            Of::Values { lanes, control_rows } => {
                let lane = slot.checked_sub(1).map(|lane| &lanes[lane as usize]);
                (lane.map(|lane| lane.job), lane.unwrap_or(&lanes[0]).window, control_rows)
            }
        };
        // A golden page that differs is no trial's doing.
        if job.is_some() || at < control_rows {
            Ok((job, window))
        } else {
            Err(Error::ControlLane { row })
        }
    }
}

/// Changes the result of a job at one row.
fn alter(
    results: &mut [Option<TrialResult>],
    job: usize,
    row: u32,
    change: impl FnOnce(&mut TrialResult, usize),
) {
    if let Some(result) = &mut results[job] {
        change(result, row as usize);
    }
}

/// An inference on which two executions differ: memory is reloaded, and it runs once more, fault-free.
pub(super) fn retried(result: &mut TrialResult, row: usize, golden: InferenceRow) {
    let masked = golden.outcome() == Outcome::Masked;
    let outcome = if masked { Outcome::DueRecovered } else { golden.outcome() };
    let flags = golden.0 & !InferenceRow::OUTCOME;
    result.rows[row] = InferenceRow(outcome as u32 | flags | InferenceRow::ALARM);
    result.retries += 1;
    result.reloads = 1;
}

/// A retry where two executions differed. It mends what differs and what a guard found, not a trap: that
/// ended the inference.
pub(super) fn after_mismatch(
    result: &mut TrialResult,
    row: usize,
    golden: InferenceRow,
    guarded: bool,
) {
    let found = result.rows[row];
    let by_guard = guarded && found.has(InferenceRow::NON_FINITE);
    retried(result, row, golden);
    if found.outcome() >= Outcome::Due && !by_guard {
        result.rows[row] = judged(golden, true, true);
    }
}

/// The outcome of an inference with what its lane's decoders and voters say.
pub(super) fn judged(row: InferenceRow, alarm: bool, trap: bool) -> InferenceRow {
    if trap {
        let non_finite = row.0 & InferenceRow::NON_FINITE;
        return InferenceRow(Outcome::Due as u32 | InferenceRow::ALARM | non_finite);
    }
    if !alarm {
        return row;
    }
    let masked = row.outcome() == Outcome::Masked;
    let outcome = if masked { Outcome::Corrected } else { row.outcome() };
    InferenceRow(row.0 & !InferenceRow::OUTCOME | outcome as u32 | InferenceRow::ALARM)
}

/// Proves landings and gives them to their jobs.
fn land(
    strikes: &Strikes,
    (before, after): (&[u32], &[u32]),
    trial: impl Fn(usize) -> u64,
    results: &mut [Option<TrialResult>],
) -> Result<(), Error> {
    for (job, landing) in landings(strikes, before, after, trial)? {
        if let Some(result) = &mut results[job] {
            result.landings.push(landing);
        }
    }
    Ok(())
}
