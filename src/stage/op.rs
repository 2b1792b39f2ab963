//! Ops on the GPU, held to their references.

use super::{Check, all_of, near_floats, same_bits, same_floats};
use crate::gpu::{Buffer, Error, Gpu, Operands};
use crate::op::{Call, Dtype, Exactness, InputPlace, KernelSpec, Kind, OPS, Problem, Products};
use crate::seed::{Domain, stream};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The words of one input: slots one after another from `base` on, and the slot of each block.
struct Input {
    base: u32,
    stride: u32,
    words: Vec<u32>,
    slots: Vec<u32>,
}

/// A problem with its words: the values of inferences, then one image of all stored tensors.
struct Drawn {
    problem: Problem,
    output: Vec<usize>,
    blocks: u32,
    values: Vec<Input>,
    image: Input,
    /// Where each stored tensor begins in a slot.
    tensors: Vec<u32>,
    /// The type of each input.
    dtypes: Vec<Dtype>,
}

/// The type of each input: those of the problem, or floats of which the stored ones have some type that
/// the op reads.
fn input_dtypes(kind: Kind, problem: &Problem, draws: &mut Xoshiro256PlusPlus) -> Vec<Dtype> {
    let dtype = [Dtype::F32, Dtype::F16, Dtype::Bf16][draws.random_range(0..3)];
    let values = problem.shapes.len() - problem.stored;
    let shapes: Vec<&[usize]> = problem.shapes.iter().map(Vec::as_slice).collect();
    let of_values = if kind.indices_below(&shapes).is_some() { Dtype::U32 } else { Dtype::F32 };
    if !problem.dtypes.is_empty() {
        return problem.dtypes.clone();
    }
    let mut dtypes = vec![of_values; values];
    dtypes.resize(problem.shapes.len(), dtype);
    if kind.takes_stored() || kind.dtype(&problem.settings, &dtypes).is_err() {
        dtypes[values..].fill(Dtype::F32);
    }
    dtypes
}

/// Words of two floats of ordinary size with a share of others.
fn halves(draws: &mut Xoshiro256PlusPlus, dtype: Dtype, count: u32) -> Vec<u32> {
    let mut half = || {
        let bits = draws.random_range(0..1u32 << 16);
        match (draws.random_bool(0.05), dtype) {
            (true, _) => bits,
            (_, Dtype::F16) => bits & 0x83ff | draws.random_range(10..17) << 10,
            _ => bits & 0x807f | draws.random_range(122..129) << 7,
        }
    };
    (0..count).map(|_| half() | half() << 16).collect()
}

fn count(shape: &[usize]) -> u32 {
    u32::try_from(shape.iter().product::<usize>()).unwrap_or(u32::MAX)
}

/// Problems in which every shader of an op is met.
const DRAWS: u64 = 32;

/// The kernels of an op, one for each of its shaders; none where it only renames its input.
pub fn specs(kind: Kind) -> Vec<KernelSpec> {
    let mut specs: Vec<KernelSpec> = Vec::new();
    for seed in 0..DRAWS {
        let mut draws = stream(seed, Domain::Generate, &[0]);
        let drawn = Drawn::new(kind, &mut draws, true, false);
        let spec = drawn.with_call(true, |call| kind.kernel(call));
        specs.extend(spec.filter(|spec| specs.iter().all(|known| known.shader != spec.shader)));
    }
    specs
}

impl Drawn {
    fn new(kind: Kind, draws: &mut Xoshiro256PlusPlus, subnormals: bool, shared: bool) -> Self {
        let problem = kind.problem(draws);
        let blocks = draws.random_range(1..6u32);
        let shapes: Vec<&[usize]> = problem.shapes.iter().map(Vec::as_slice).collect();
        let output = kind.output(&problem.settings, &shapes).unwrap_or_default();
        let slots = |draws: &mut Xoshiro256PlusPlus, of: u32| -> Vec<u32> {
            (0..blocks).map(|_| draws.random_range(0..of)).collect()
        };
        let dtypes = input_dtypes(kind, &problem, draws);
        let mut values = Vec::new();
        let values_of = shapes.len() - problem.stored;
        for shape in &shapes[..values_of] {
            let block = count(shape) * problem.rows;
            let (base, stride) =
                (4 * draws.random_range(0..3u32), block + 4 * draws.random_range(0..2));
            let of = draws.random_range(1..4u32);
            let words = match kind.indices_below(&shapes) {
                Some(below) if values.is_empty() => {
                    Problem::indices(draws, base + of * stride, below)
                }
                _ => {
                    let dtype = (dtypes[values.len()], false);
                    problem.words_of(draws, dtype, base + of * stride, subnormals)
                }
            };
            values.push(Input { base, stride, words, slots: slots(draws, of) });
        }
        let mut at = draws.random_range(0..4u32);
        let tensors: Vec<u32> = (shapes[values_of..].iter().zip(&dtypes[values_of..]))
            .map(|(shape, dtype)| {
                let from = at;
                at += dtype.words(count(shape));
                from
            })
            .collect();
        let of = if shared { 1 } else { draws.random_range(1..4u32) };
        let stride = at.max(1) + draws.random_range(0..5);
        let halved =
            dtypes[values_of..].iter().find(|dtype| dtype.is_float() && dtype.in_word() == 2);
        let mut words = match halved {
            Some(dtype) => halves(draws, *dtype, of * stride),
            None => problem.words(draws, of * stride, subnormals),
        };
        for (at, (from, shape)) in tensors.iter().zip(&shapes[values_of..]).enumerate() {
            let dtype = dtypes[values_of + at];
            for slot in (0..of).filter(|_| !dtype.is_float()) {
                let count = dtype.words(count(shape));
                let to = (slot * stride + from) as usize;
                let numbers = problem.words_of(draws, (dtype, true), count, subnormals);
                words[to..][..numbers.len()].copy_from_slice(&numbers);
            }
        }
        let image = Input { base: 0, stride, words, slots: slots(draws, of) };
        Self { output, blocks, values, image, tensors, dtypes, problem }
    }

    /// Calls `with` for what the op is asked to compute.
    fn with_call<T>(&self, software: bool, with: impl FnOnce(&Call<'_>) -> T) -> T {
        let stride = self.image.stride;
        let places = self.values.iter().map(|input| (input.base, input.stride, false));
        let places = places.chain(self.tensors.iter().map(|base| (*base, stride, true)));
        let inputs: Vec<InputPlace<'_>> = places
            .zip(&self.problem.shapes)
            .zip(&self.dtypes)
            .map(|(((base, stride, stored), shape), dtype)| InputPlace {
                shape,
                base,
                stride,
                stored,
                dtype: *dtype,
            })
            .collect();
        with(&Call {
            settings: &self.problem.settings,
            inputs: &inputs,
            output: &self.output,
            part: None,
            entries: None,
            rows: self.problem.rows,
            blocks: self.blocks,
            nan_is_zero: self.problem.rows.is_multiple_of(8),
            products: Products::default(),
            software,
        })
    }

    /// The reference's output, and its traps `[block, rows + 1]`, those of an index out of range.
    fn wanted(&self, gpu: &Gpu, kind: Kind) -> (Vec<u32>, Vec<u32>) {
        let adapter = gpu.adapter();
        let rows = self.problem.rows as usize;
        let shapes: Vec<&[usize]> = self.problem.shapes.iter().map(Vec::as_slice).collect();
        let below = kind.indices_below(&shapes);
        let mut traps = vec![0; self.blocks as usize * (rows + 1)];
        let mut outputs = Vec::new();
        self.with_call(adapter.software, |call| {
            for block in 0..self.blocks as usize {
                let values = self.values.iter().zip(&shapes).map(|(input, shape)| {
                    let from = input.base + input.slots[block] * input.stride;
                    &input.words[from as usize..][..count(shape) as usize * rows]
                });
                let slot = self.image.slots[block] * self.image.stride;
                let values_of = self.values.len();
                let tensors = self.tensors.iter().zip(&shapes[values_of..]);
                let tensors = tensors.zip(&self.dtypes[values_of..]);
                let tensors = tensors.map(|((base, shape), dtype)| {
                    let words = dtype.words(count(shape)) as usize;
                    &self.image.words[(slot + base) as usize..][..words]
                });
                let inputs: Vec<&[u32]> = values.chain(tensors).collect();
                for (at, index) in inputs[0].iter().enumerate() {
                    if below.is_some_and(|below| *index >= below) {
                        traps[block * (rows + 1) + at % rows] = super::inject::TRAP_INDEX;
                    }
                }
                outputs.extend(kind.computed(call, adapter.arithmetic, &inputs));
            }
        });
        (outputs, traps)
    }

    /// What the shader gives, and its traps; of a whole that is computed in parts, after the last of them.
    fn run(
        &self,
        gpu: &Gpu,
        (kind, software): (Kind, bool),
        parts: &[Products],
    ) -> Result<(Vec<u32>, Vec<u32>), Error> {
        let words = count(&self.output) * self.problem.rows * self.blocks;
        let y = gpu.upload("y", &vec![u32::MAX - 1; words as usize]);
        let upload =
            |input: &Input| (gpu.upload("x", &input.words), gpu.upload("slots", &input.slots));
        let mut buffers: Vec<(Buffer<u32>, Buffer<u32>)> = self.values.iter().map(upload).collect();
        let image = upload(&self.image);
        buffers.extend(self.tensors.iter().map(|_| image.clone()));
        let inputs: Vec<_> = buffers.iter().map(|(words, slots)| (words, slots)).collect();
        let traps: Buffer<u32> =
            gpu.zeroed("traps", (self.blocks * (self.problem.rows + 1)) as usize);
        let lanes = gpu.upload("lanes", &(0..self.blocks).collect::<Vec<u32>>());
        let (told, lanes) = (Some(&traps), Some(&lanes));
        let operands = Operands { inputs: &inputs, output: &y, traps: told, lanes };
        self.with_call(software, |call| {
            let specs = parts
                .iter()
                .filter_map(|products| kind.kernel(&Call { products: *products, ..*call }));
            let specs: Vec<KernelSpec> = specs.collect();
            gpu.submit(|pass| specs.iter().for_each(|spec| gpu.encode(pass, spec, operands)))
        })?;
        Ok((gpu.read(&y)?, gpu.read(&traps)?))
    }
}

/// Holds an op's shader to its reference on a problem drawn from the seed; of one that can leave its sums and
/// take them up again both parts against the whole.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, kind: Kind, seed: u64) -> Result<Check, Error> {
    let key = OPS.iter().position(|op| *op == kind).unwrap_or(OPS.len()) as u64;
    let keeps = !gpu.adapter().arithmetic.flushes_subnormals;
    let name = kind.name();
    let mut draws = stream(seed, Domain::Generate, &[key, 0]);
    let drawn = Drawn::new(kind, &mut draws, keeps, seed.is_multiple_of(3));
    // What hardware and software choose differs; either runs the other's kernels.
    let target = (kind, seed.is_multiple_of(2) != seed.is_multiple_of(8));
    let (want, traps) = drawn.wanted(gpu, kind);
    let (got, found) = drawn.run(gpu, target, &[Products::All])?;
    let mut checks = vec![
        match drawn.problem.exactness {
            Exactness::Bits => same_bits(name, &got, &want),
            Exactness::Near(ulp) if !gpu.adapter().software => near_floats(name, &got, &want, ulp),
            _ => same_floats(name, &got, &want),
        },
        same_bits(name, &found, &traps),
    ];
    if kind.splits_sums(&drawn.problem.settings) {
        let unit = draws.random_range(1..=count(&drawn.problem.shapes[0][..1]));
        let parts = [Products::Before(unit), Products::From(unit)];
        // Which NaN a sum of NaNs becomes is the adapter's choice, for each kernel anew.
        checks.push(same_floats(name, &drawn.run(gpu, target, &parts)?.0, &got));
    }
    Ok(all_of(checks))
}
