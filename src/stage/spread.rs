//! The spread stage: a value of listed rows alone, golden of each with the slice of its slot in place.

use super::differing::Slot;
use super::{Check, GROUP, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Features that one invocation builds.
const TILE: u32 = 8;

/// The shape of the value, and which of the listed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct SpreadParams {
    /// Quads of rows of the packed value.
    pub quads: u32,
    /// Features of the value.
    pub features: u32,
    /// Rows of a slot, padded.
    pub rows: u32,
    /// Features of a slice; 0 is golden alone.
    pub cells: u32,
    /// The first of the listed rows.
    pub first: u32,
    /// Listed rows, at least 1; what is left of the quads is the last one again.
    pub count: u32,
    /// The first feature that is built; those before it are left as they are.
    pub begin: u32,
    /// Padding.
    pub pad: u32,
}

/// What the stage reads beside its parameters.
#[derive(Clone, Copy, Debug)]
pub struct Spreads<'a> {
    /// The listed rows, `[entry]`: (slot, row).
    pub list: &'a Buffer<[u32; 2]>,
    /// By slot, the window and the first feature of its slice.
    pub slots: &'a Buffer<Slot>,
    /// `[slot, cell, row]`.
    pub slices: &'a Buffer<u32>,
    /// `[window, feature, row]`.
    pub golden: &'a Buffer<u32>,
}

/// The kernel.
#[derive(Debug)]
pub struct Spread(Kernel);

impl Spread {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("spread"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the building of `y` `[feature, listed row]`, at least one feature of it.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&SpreadParams, &Buffer<SpreadParams>),
        from: Spreads<'_>,
        y: &Buffer<u32>,
    ) {
        let tiles = u64::from((params.features - params.begin).div_ceil(TILE));
        let groups = pass.fold(tiles * u64::from(params.quads), GROUP);
        let Spreads { list, slots, slices, golden } = from;
        self.0.dispatch(pass, [uniform, list, slots, slices, golden, y], groups);
    }
}

/// The same on the CPU, of the features that are built.
pub fn reference(
    params: &SpreadParams,
    (list, slots): (&[[u32; 2]], &[Slot]),
    (slices, golden): (&[u32], &[u32]),
) -> Vec<u32> {
    let (rows, packed) = (params.rows as usize, 4 * params.quads);
    let mut y = Vec::with_capacity((params.features * packed) as usize);
    for feature in params.begin..params.features {
        for row in 0..packed {
            let [slot, row] = list[(params.first + row.min(params.count - 1)) as usize];
            let Slot { window, first: unit, .. } = slots[slot as usize];
            let own = unit..unit + params.cells;
            let (words, value) = if own.contains(&feature) {
                (slices, slot * params.cells + feature - unit)
            } else {
                (golden, window * params.features + feature)
            };
            y.push(words[value as usize * rows + row as usize]);
        }
    }
    y
}

/// Holds the shader to its reference: rows of any slot in any order, with slices and without.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[22]);
    let (width, units, windows, slots) = (
        rng.random_range(1..10u32),
        rng.random_range(1..5u32),
        rng.random_range(1..4u32),
        rng.random_range(1..9u32),
    );
    let rows = 4 * rng.random_range(1..6u32);
    let (first, count) = (rng.random_range(0..9u32), rng.random_range(1..50u32));
    let params = SpreadParams {
        quads: count.div_ceil(4) + rng.random_range(0..2),
        features: width * units,
        rows,
        cells: if rng.random_bool(0.3) { 0 } else { width },
        first,
        count,
        begin: rng.random_range(0..width * units),
        pad: 0,
    };
    let golden = random_words(&mut rng, windows * params.features * rows);
    let slices = random_words(&mut rng, slots * width * rows);
    let table: Vec<Slot> = (0..slots)
        .map(|_| Slot {
            window: rng.random_range(0..windows),
            first: width * rng.random_range(0..units),
            section: 0,
            list: 0,
        })
        .collect();
    let list: Vec<[u32; 2]> = (0..first + count + 3)
        .map(|_| [rng.random_range(0..slots), rng.random_range(0..rows)])
        .collect();
    let stage = Spread::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (lb, tb) = (gpu.upload("list", &list), gpu.upload("slots", &table));
    let (sb, gb) = (gpu.upload("slices", &slices), gpu.upload("golden", &golden));
    let y = gpu.zeroed("y", (params.features * 4 * params.quads) as usize);
    let from = Spreads { list: &lb, slots: &tb, slices: &sb, golden: &gb };
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), from, &y))?;
    let want = reference(&params, (&list, &table), (&slices, &golden));
    let built = gpu.read(&y)?.split_off((params.begin * 4 * params.quads) as usize);
    Ok(same_bits("spread", &built, &want))
}
