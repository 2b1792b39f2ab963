//! Pages: private copies of the weights of one output unit, and the slices that struck units make.
//!
//! The lanes of one op lie in blocks: all of a block run over one window, and its pages are the weight of an
//! op with as many outputs as it has lanes, so that the op's own kernel computes them side by side.

use super::super::direct::{Owner, Strikes};
use super::super::footprint::Received;
use super::super::forward::{OpRun, Operand, encode};
use super::Core;
use super::reach::{PageWord, Weighted};
use super::rows::grown;
use super::stored::Patch;
use super::wave::WaveSetting;
use crate::gpu::{Buffer, Pass};
use crate::op::Products;
use crate::stage::differing::{DifferingParams, EMPTY, Slot};
use crate::stage::inject::Strike;
use crate::workload::ValueId;
use std::collections::BTreeMap;

/// The most lanes of a block.
const BLOCK_MAX: u32 = 256;
/// Lanes that one invocation of a tiled op computes.
const TILE: u32 = 8;
/// Golden rows that run downstream beside those that differ, as a control.
const CONTROL_ROWS: u32 = 16;

/// A lane whose fault strikes what one output unit reads.
#[derive(Clone, Debug)]
pub(super) struct PageLane {
    /// The index of the job.
    pub job: usize,
    pub window: u32,
    pub unit: u32,
    /// Words that memory delivers other than golden.
    pub patches: Vec<Patch>,
    /// What strikes the page after that, in order.
    pub faults: Vec<Received>,
}

/// The buffers of one op's lanes, kept from wave to wave.
#[derive(Debug, Default)]
pub(super) struct PageMemory {
    pages: Option<Buffer<u32>>,
    slices: Vec<Option<Buffer<u32>>>,
    list: Option<Buffer<[u32; 2]>>,
    traps: Option<Buffer<u32>>,
}

impl PageMemory {
    pub(super) fn bytes(&self) -> u64 {
        let words = self.pages.iter().chain(self.slices.iter().flatten()).chain(&self.traps);
        words.map(Buffer::bytes).sum::<u64>() + self.list.as_ref().map_or(0, Buffer::bytes)
    }
}

/// The lanes of one op in their slots, with what was uploaded for them.
#[derive(Debug)]
pub(super) struct Pages {
    pub op: usize,
    /// The job of each slot; `None` where it holds golden or nothing.
    pub jobs: Vec<Option<usize>>,
    /// The output unit of each slot.
    units: Vec<u32>,
    /// Golden rows at the head of each section of the list, of the slot whose page stays golden.
    pub control_rows: u32,
    /// The sections of the list, one for all where the op that reads the rows takes up no golden sums.
    pub sections: Vec<Section>,
    /// The window of each block.
    pub windows: Vec<u32>,
    /// Lanes of a block.
    pub block: u32,
    pub table: Buffer<Slot>,
    /// (delivered word, word of the pages).
    patches: Vec<[u32; 2]>,
    pub strikes: Option<Strikes>,
    pub slices: Buffer<u32>,
    pub list: Buffer<[u32; 2]>,
    pub count: Buffer<u32>,
}

/// A section of the list: rows that begin to differ in the same part of a value, or in later ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// The first of these parts, as golden partial sums number them.
    pub number: u32,
    /// The entry of the list where its rows begin.
    pub list: u32,
}

/// Where the words of a slot's page lie.
#[derive(Clone, Copy, Debug)]
struct Places {
    block: u32,
    taps: u32,
}

impl Places {
    /// Words of a block.
    const fn stride(self) -> u32 {
        self.block * (self.taps + 1)
    }

    const fn at(self, slot: u32, word: PageWord) -> u32 {
        let (block, lane) = (slot / self.block * self.stride(), slot % self.block);
        match word {
            PageWord::Weight(tap) => block + lane * self.taps + tap,
            PageWord::Bias => block + self.block * self.taps + lane,
        }
    }
}

/// Lanes by slot, `[block, lane]`.
struct Slots {
    block: u32,
    windows: Vec<u32>,
    lanes: Vec<Option<usize>>,
    control: u32,
}

/// The most slots of so many lanes over so many windows: a window's last block may be nearly empty.
pub(super) const fn slots_max(lanes: usize, windows: usize) -> usize {
    2 * lanes + TILE as usize * (windows + 1)
}

/// Gives each lane a slot in a block of its window, and the control one in a block of the first.
fn slots(lanes: &[PageLane]) -> Slots {
    let mut order: Vec<usize> = (0..lanes.len()).collect();
    order.sort_by_key(|lane| (lanes[*lane].window, lanes[*lane].unit));
    let mut runs: Vec<(u32, Vec<Option<usize>>)> = Vec::new();
    for lane in order {
        let window = lanes[lane].window;
        match runs.last_mut() {
            Some((last, run)) if *last == window => run.push(Some(lane)),
            Some(_) => runs.push((window, vec![Some(lane)])),
            None => runs.push((window, vec![None, Some(lane)])),
        }
    }
    let mean = lanes.len().div_ceil(runs.len().max(1));
    let block = narrow(mean).next_multiple_of(TILE).min(BLOCK_MAX);
    let (mut windows, mut by_slot) = (Vec::new(), Vec::new());
    for (window, run) in runs {
        for part in run.chunks(block as usize) {
            windows.push(window);
            by_slot.extend_from_slice(part);
            by_slot.resize(windows.len() * block as usize, None);
        }
    }
    Slots { block, windows, lanes: by_slot, control: 0 }
}

/// The sections of the list for lanes whose rows begin to differ in these parts of the value, ascending. A
/// section takes the lanes of further parts until it has at least `together`. Each has room for every row
/// of its lanes, the first also for those of the control slot, and for the golden rows at its head.
fn sections(mut numbers: Vec<u32>, together: usize, rows: u32) -> Vec<Section> {
    numbers.sort_unstable();
    let (mut sections, mut before, mut held): (Vec<Section>, usize, usize) = (Vec::new(), 0, 0);
    for lanes in numbers.chunk_by(|a, b| a == b) {
        if sections.is_empty() || held >= together {
            let list = narrow(before + sections.len() + usize::from(before > 0)) * rows;
            sections.push(Section { number: lanes[0], list });
            held = 0;
        }
        held += lanes.len();
        before += lanes.len();
    }
    sections
}

impl Core {
    /// Words of the largest slice that a lane of this op needs.
    pub(super) fn slice_words(&self, op: usize) -> usize {
        let Some(weighted) = self.reach.op(op) else { return 0 };
        let cells = weighted.chain.iter().map(|(_, cells)| *cells).chain([weighted.cells]).max();
        (cells.unwrap_or(0).max(weighted.taps / self.layout.rows) * self.layout.rows) as usize
    }

    /// Where rows of an op's lanes are compared: the value, the features of a slice, and the ops up to there.
    pub(super) fn end<'w>(
        &self,
        op: usize,
        weighted: &'w Weighted,
        setting: &WaveSetting<'_>,
    ) -> (ValueId, u32, &'w [(usize, u32)]) {
        match weighted.chain.last() {
            Some((_, cells)) if !setting.votes_ops => (weighted.end, *cells, &weighted.chain),
            _ => (self.workload.ops[op].output, weighted.cells, &[]),
        }
    }

    /// Uploads the lanes of one op and makes room for them.
    pub(super) fn pages(
        &self,
        setting: &WaveSetting<'_>,
        op: usize,
        lanes: &[PageLane],
        memory: &mut PageMemory,
    ) -> Option<Pages> {
        let weighted = self.reach.op(op)?;
        let Slots { block, windows, lanes: by_slot, control } = slots(lanes);
        let (gpu, rows, count) = (&self.gpu, self.layout.rows, by_slot.len());
        let places = Places { block, taps: weighted.taps };
        let (end, end_cells, chain) = self.end(op, weighted, setting);
        let partial = self.partial(end).filter(|_| !setting.votes_ops);
        let first = |lane: &PageLane| lane.unit * end_cells;
        let number = |lane: &PageLane| partial.map_or(0, |partial| partial.part(first(lane)));
        // Half a run where every row of its lanes differs.
        let together = self.downstream(end, &[]).rows_max / (2 * rows);
        let sections = sections(lanes.iter().map(number).collect(), together as usize, rows);
        let mut table = Vec::with_capacity(count);
        let (mut offsets, mut strikes, mut patches) = (vec![0], Vec::new(), Vec::new());
        for (slot, lane) in (0u32..).zip(&by_slot) {
            let window = windows[(slot / block) as usize];
            let unit = lane.map_or(0, |lane| lanes[lane].unit);
            let held = lane.is_some() || slot == control;
            let first = unit * end_cells;
            let number = lane.map_or(0, |_| partial.map_or(0, |partial| partial.part(first)));
            let section = sections.partition_point(|s| s.number <= number).max(1) - 1;
            table.push(Slot {
                window: if held { window } else { EMPTY },
                first,
                section: narrow(section),
                list: sections[section].list,
            });
            if let Some(lane) = lane.map(|lane| &lanes[lane]) {
                for Patch { word, source, .. } in &lane.patches {
                    patches.push([*source, places.at(slot, self.reach.of(*word)?.2)]);
                }
                for fault in &lane.faults {
                    let (_, _, word) = self.reach.of(fault.word)?;
                    let strike = Strike::new(0, places.at(slot, word), fault.kind, fault.mask);
                    let owner: Owner = Some((lane.job, fault.fault, fault.replica()));
                    strikes.push((strike, owner));
                }
            }
            offsets.push(narrow(strikes.len()));
        }
        let words = windows.len() * places.stride() as usize;
        grown(gpu, &mut memory.pages, "pages", words);
        grown(gpu, &mut memory.traps, "traps", count);
        memory.slices.resize_with(weighted.chain.len() + 1, || None);
        let cells = [weighted.cells].into_iter().chain(chain.iter().map(|(_, c)| *c));
        let mut slices = None;
        for ((at, held), cells) in memory.slices.iter_mut().enumerate().zip(cells) {
            let flattens = at > 0 && self.workload.ops[chain[at - 1].0].kind.is_view();
            if !flattens {
                slices = Some(grown(gpu, held, "slices", count * (cells * rows) as usize).clone());
            }
        }
        let entries = (lanes.len() + 1 + sections.len()) * rows as usize;
        let list = grown(gpu, &mut memory.list, "differing rows", entries);
        let control_rows = self.layout.counted.min(CONTROL_ROWS);
        let seeds: Vec<[u32; 2]> = (0..control_rows).map(|row| [control, row]).collect();
        for section in &sections {
            gpu.write(list, section.list as usize, &seeds);
        }
        Some(Pages {
            op,
            jobs: by_slot.iter().map(|lane| lane.map(|lane| lanes[lane].job)).collect(),
            units: by_slot.iter().map(|lane| lane.map_or(0, |lane| lanes[lane].unit)).collect(),
            control_rows,
            windows,
            block,
            table: gpu.upload("slots", &table),
            patches,
            strikes: Strikes::listed(gpu, (narrow(words), 1), &offsets, strikes),
            slices: slices?,
            list: list.clone(),
            count: gpu.upload("rows that differ", &vec![control_rows; sections.len()]),
            sections,
        })
    }

    /// Records the pages of an op: golden, then what strikes it; the units that they make; and which of
    /// their rows differ from golden where units no longer stay apart.
    pub(super) fn encode_pages(
        &self,
        pass: &mut Pass<'_>,
        setting: &WaveSetting<'_>,
        pages: &Pages,
        memory: &PageMemory,
    ) -> Option<()> {
        let weighted = self.reach.op(pages.op)?;
        let buffer = memory.pages.as_ref()?;
        let places = Places { block: pages.block, taps: weighted.taps };
        self.encode_golden(pass, (weighted, places), &pages.units, buffer);
        self.encode_spans(pass, &pages.patches, 1, setting.delivered, buffer);
        if let Some(strikes) = &pages.strikes {
            strikes.encode(pass, &self.kernels, buffer, memory.traps.as_ref()?);
        }
        let op = &self.workload.ops[pages.op];
        let (rows, slots) = (self.layout.rows, narrow(pages.units.len()));
        let windows = self.gpu.upload("windows", &pages.windows);
        let identity = self.gpu.upload("slots", &(0..slots).collect::<Vec<u32>>());
        let x = Operand {
            buffer: &self.golden.values[op.inputs[0].0],
            slots: &windows,
            base: 0,
            stride: self.workload.features(op.inputs[0]) * rows,
        };
        let weight = Operand { buffer, slots: &identity, base: 0, stride: places.stride() };
        let bias = Operand { base: places.at(0, PageWord::Bias), ..weight };
        let mut slice = memory.slices[0].as_ref()?;
        let inputs = [x, weight, bias];
        let run = OpRun {
            op: pages.op,
            rows,
            blocks: narrow(pages.windows.len()),
            units: Some(pages.block),
            part: None,
            products: Products::All,
            inputs: &inputs[..op.inputs.len()],
            y: slice,
            entries: None,
            traps: None,
        };
        encode(&self.gpu, &self.workload, pass, &run);
        let (end, end_cells, chain) = self.end(pages.op, weighted, setting);
        let mut cells = weighted.cells;
        for ((op, made), y) in chain.iter().zip(&memory.slices[1..]) {
            if let Some(y) = y {
                let input = self.workload.ops[*op].inputs[0];
                let shape = &self.workload.values[input.0].shape;
                let x = Operand { buffer: slice, slots: &identity, base: 0, stride: cells * rows };
                let units = cells * narrow(shape[0]) / self.workload.features(input);
                let (inputs, blocks, products) = (&[x][..], slots, Products::All);
                let (units, part) = (Some(units), None);
                let traps = None;
                let run = OpRun {
                    op: *op,
                    rows,
                    blocks,
                    units,
                    part,
                    products,
                    inputs,
                    y,
                    entries: None,
                    traps,
                };
                encode(&self.gpu, &self.workload, pass, &run);
                slice = y;
            }
            cells = *made;
        }
        let params = DifferingParams {
            rows,
            counted: self.layout.counted,
            cells: end_cells,
            features: self.workload.features(end),
            slots,
            pad: [0; 3],
        };
        let uniform = self.gpu.uniform("differing", &params);
        let compared = (slice, &self.golden.values[end.0]);
        let found = (&pages.count, &pages.list);
        self.stages.differing.encode(pass, (&params, &uniform), &pages.table, compared, found);
        Some(())
    }

    /// Records golden over the page of every slot.
    fn encode_golden(
        &self,
        pass: &mut Pass<'_>,
        (weighted, places): (&Weighted, Places),
        units: &[u32],
        buffer: &Buffer<u32>,
    ) {
        let weight = Some((weighted.weight, weighted.taps, PageWord::Weight(0)));
        let bias = weighted.bias.map(|bias| (bias, 1, PageWord::Bias));
        for (tensor, words, page_word) in weight.into_iter().chain(bias) {
            let mut by_bank: BTreeMap<usize, Vec<[u32; 2]>> = BTreeMap::new();
            for (slot, unit) in (0u32..).zip(units) {
                let piece = self.store.piece(tensor, *unit);
                let from = piece.base + (unit - piece.first) * words;
                by_bank.entry(piece.bank).or_default().push([from, places.at(slot, page_word)]);
            }
            for (bank, list) in by_bank {
                self.encode_spans(pass, &list, words, self.store.bank(bank), buffer);
            }
        }
    }
}

/// A count of lanes, rows or strikes, all far below 2³².
#[expect(clippy::cast_possible_truncation, reason = "lanes and rows are bounded by bindings")]
pub(super) const fn narrow(count: usize) -> u32 {
    count as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_have_room_for_every_row_of_their_lanes() {
        let numbers = vec![3, 0, 0, 3, 7, 3, 5, 3];
        let found = sections(numbers.clone(), 3, 8);
        let ends: Vec<u32> = found.iter().skip(1).map(|section| section.list).chain([88]).collect();
        for (at, (section, end)) in found.iter().zip(ends).enumerate() {
            let own = numbers.iter().filter(|number| {
                found.partition_point(|section| section.number <= **number) == at + 1
            });
            let control = if at == 0 { 2 } else { 1 };
            assert_eq!(end - section.list, (narrow(own.count()) + control) * 8, "{found:?}");
        }
        let numbers: Vec<u32> = found.iter().map(|section| section.number).collect();
        assert_eq!(numbers, [0, 5], "fewer than three lanes share a section with the next part");
    }
}
