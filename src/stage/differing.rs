//! The differing stage: the rows in which a slice of a value differs from golden.
//!
//! A slice is the features of a value that one output unit of an op makes: a feature of a linear op, a
//! channel of a convolution.

use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// The window of a slot that holds nothing.
pub const EMPTY: u32 = u32::MAX;

/// The shape of the slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct DifferingParams {
    /// Rows of a slot, padded.
    pub rows: u32,
    /// Rows of a slot that may be listed.
    pub counted: u32,
    /// Features of a slice.
    pub cells: u32,
    /// Features of the whole value.
    pub features: u32,
    /// Slots.
    pub slots: u32,
    /// Padding.
    pub pad: [u32; 3],
}

/// Where the slice of a slot belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Slot {
    /// The window, or [`EMPTY`].
    pub window: u32,
    /// The first feature of the slice.
    pub first: u32,
    /// The section of the list that takes its rows.
    pub section: u32,
    /// The entry of the list where that section begins.
    pub list: u32,
}

/// The kernel.
#[derive(Debug)]
pub struct Differing(Kernel);

impl Differing {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("differing"), "main", &[("GROUP", f64::from(GROUP))])
            .map(Self)
    }

    /// Records the comparison of `slices` `[slot, cell, row]` with `golden` `[window, feature, row]`.
    /// Each row that differs is put into `list` as (slot, row), in any order, in the section of its slot
    /// from entry `count[section]` on, which counts them.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&DifferingParams, &Buffer<DifferingParams>),
        slots: &Buffer<Slot>,
        (slices, golden): (&Buffer<u32>, &Buffer<u32>),
        (count, list): (&Buffer<u32>, &Buffer<[u32; 2]>),
    ) {
        let groups = pass.fold(u64::from(params.rows) * u64::from(params.slots), GROUP);
        self.0.dispatch(pass, [uniform, slots, slices, golden, count, list], groups);
    }
}

/// The same on the CPU, by section, slots and rows ascending.
pub fn reference(
    params: &DifferingParams,
    slots: &[Slot],
    (slices, golden): (&[u32], &[u32]),
    sections: usize,
) -> Vec<Vec<[u32; 2]>> {
    let (rows, cells) = (params.rows as usize, params.cells as usize);
    let mut lists = vec![Vec::new(); sections];
    for (slot, Slot { window, first, section, .. }) in (0..params.slots).zip(slots) {
        if *window == EMPTY {
            continue;
        }
        for row in 0..params.counted {
            let ours = slot as usize * cells * rows + row as usize;
            let theirs = (window * params.features + first) as usize * rows + row as usize;
            if (0..cells).any(|cell| slices[ours + cell * rows] != golden[theirs + cell * rows]) {
                lists[*section as usize].push([slot, row]);
            }
        }
    }
    lists
}

/// Holds the shader to its reference: slices of golden, some of whose words are struck, and slots that
/// hold nothing.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[21]);
    let (cells, units, windows, slots) = (
        rng.random_range(1..10u32),
        rng.random_range(1..5u32),
        rng.random_range(1..4u32),
        rng.random_range(1..30u32),
    );
    let (counted, sections) = (rng.random_range(1..40u32), rng.random_range(1..4u32));
    let rows = counted.next_multiple_of(4);
    let features = cells * units;
    let params = DifferingParams { rows, counted, cells, features, slots, pad: [0; 3] };
    let golden = random_words(&mut rng, windows * features * rows);
    let mut table = Vec::new();
    let mut slices = Vec::new();
    for slot in 0..slots {
        let (window, first) = (rng.random_range(0..windows), cells * rng.random_range(0..units));
        let from = ((window * features + first) * rows) as usize;
        let struck = |word: &u32| if rng.random_bool(0.02) { word ^ 1 << 31 } else { *word };
        slices.extend(golden[from..from + (cells * rows) as usize].iter().map(struck));
        let section = rng.random_range(0..sections);
        let window = if slot % 7 == 3 { EMPTY } else { window };
        table.push(Slot { window, first, section, list: section * slots * rows });
    }
    let stage = Differing::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (tb, sb) = (gpu.upload("slots", &table), gpu.upload("slices", &slices));
    let (gb, count) = (gpu.upload("golden", &golden), gpu.zeroed("count", sections as usize));
    let list: Buffer<[u32; 2]> = gpu.zeroed("list", (sections * slots * rows) as usize);
    gpu.submit(|pass| {
        stage.encode(pass, (&params, &uniform), &tb, (&sb, &gb), (&count, &list));
    })?;
    let want = reference(&params, &table, (&slices, &golden), sections as usize);
    let (found, listed) = (gpu.read(&count)?, gpu.read(&list)?);
    let lists = listed.chunks((slots * rows) as usize).zip(&found).zip(want);
    Ok(all_of(lists.map(|((listed, count), want)| {
        let mut listed = listed[..listed.len().min(*count as usize)].to_vec();
        listed.sort_unstable();
        same_bits("differing", listed.as_flattened(), want.as_flattened())
    })))
}
