//! Ops on the GPU, held to their references, and to the stages where they vote or decode what they load.

use super::stored::{delivered, random_stored, separately};
use super::{Check, all_of, near_floats, same_bits, same_floats};
use crate::gpu::{Buffer, Error, Gpu, Operands};
use crate::op::{Call, Exactness, Form, KernelSpec, Kind, OPS, Place, Problem, Products, Stored};
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
    stored: Stored,
}

fn count(shape: &[usize]) -> u32 {
    u32::try_from(shape.iter().product::<usize>()).unwrap_or(u32::MAX)
}

fn length(words: &[u32]) -> u32 {
    u32::try_from(words.len()).unwrap_or(u32::MAX)
}

/// The kernel of an op for some problem; `None` where it only renames its input.
pub fn spec(kind: Kind) -> Option<KernelSpec> {
    let mut draws = stream(0, Domain::Generate, &[0]);
    let drawn = Drawn::new(kind, &mut draws, Form::Bare, true, false);
    drawn.with_call(true, |call| kind.kernel(call))
}

/// The stem of the shader of an op that computes.
pub fn shader(kind: Kind) -> &'static str {
    spec(kind).map_or("", |spec| spec.shader)
}

impl Drawn {
    fn new(
        kind: Kind,
        draws: &mut Xoshiro256PlusPlus,
        form: Form,
        subnormals: bool,
        shared: bool,
    ) -> Self {
        let problem = kind.problem(draws);
        let blocks = draws.random_range(1..6u32);
        let shapes: Vec<&[usize]> = problem.shapes.iter().map(Vec::as_slice).collect();
        let output = kind.output(&problem.settings, &shapes).unwrap_or_default();
        let slots = |draws: &mut Xoshiro256PlusPlus, of: u32| -> Vec<u32> {
            (0..blocks).map(|_| draws.random_range(0..of)).collect()
        };
        let mut values = Vec::new();
        for shape in &shapes[..kind.arity()] {
            let block = count(shape) * problem.rows;
            let (base, stride) =
                (4 * draws.random_range(0..3u32), block + 4 * draws.random_range(0..2));
            let of = draws.random_range(1..4u32);
            let words = match kind.indices_below(&shapes) {
                Some(below) if values.is_empty() => {
                    Problem::indices(draws, base + of * stride, below)
                }
                _ => problem.words(draws, base + of * stride, subnormals),
            };
            values.push(Input { base, stride, words, slots: slots(draws, of) });
        }
        let mut at = draws.random_range(0..4u32);
        let tensors: Vec<u32> = shapes[kind.arity()..]
            .iter()
            .map(|shape| {
                let from = at;
                at += count(shape);
                from
            })
            .collect();
        let of = if shared { 1 } else { draws.random_range(1..4u32) };
        let golden: Vec<Vec<u32>> =
            (0..of).map(|_| problem.words(draws, at.max(1), subnormals)).collect();
        let (stride, stored, words) = random_stored(draws, form, &golden);
        let image = Input { base: 0, stride, words, slots: slots(draws, of) };
        Self { output, blocks, values, image, tensors, stored, problem }
    }

    fn indices_below(&self, kind: Kind) -> Option<u32> {
        let shapes: Vec<&[usize]> = self.problem.shapes.iter().map(Vec::as_slice).collect();
        kind.indices_below(&shapes)
    }

    /// Trap words, where the image has so many slots.
    fn trap_words(&self, kind: Kind, slots: usize) -> usize {
        match self.indices_below(kind) {
            Some(_) => (self.blocks * (self.problem.rows + 1)) as usize,
            None => slots,
        }
    }

    /// Calls `with` for the words of the image as they lie.
    fn with_call<T>(&self, software: bool, with: impl FnOnce(&Call<'_>) -> T) -> T {
        self.with_image(software, self.image.stride, self.stored, with)
    }

    /// Calls `with` for an image of which a slot takes so many words.
    fn with_image<T>(
        &self,
        software: bool,
        stride: u32,
        stored: Stored,
        with: impl FnOnce(&Call<'_>) -> T,
    ) -> T {
        let places = self.values.iter().map(|input| (input.base, input.stride));
        let places = places.chain(self.tensors.iter().map(|base| (*base, stride)));
        let inputs: Vec<Place<'_>> = places
            .zip(&self.problem.shapes)
            .map(|((base, stride), shape)| Place { shape, base, stride })
            .collect();
        with(&Call {
            settings: &self.problem.settings,
            inputs: &inputs,
            output: &self.output,
            part: None,
            rows: self.problem.rows,
            blocks: self.blocks,
            nan_is_zero: self.problem.rows.is_multiple_of(8),
            stored,
            products: Products::default(),
            software,
        })
    }

    /// The reference's output, and its traps: of an op that reads indices `[block, rows + 1]`, else of every
    /// slot of the image.
    fn wanted(&self, gpu: &Gpu, kind: Kind) -> (Vec<u32>, Vec<u32>) {
        let adapter = gpu.adapter();
        let read: Vec<(Vec<u32>, Vec<bool>)> = (self.image.words)
            .chunks(self.image.stride as usize)
            .map(|slot| delivered(self.stored, slot))
            .collect();
        let below = self.indices_below(kind);
        let mut traps = vec![0; self.trap_words(kind, read.len())];
        let mut outputs = Vec::new();
        self.with_call(adapter.software, |call| {
            for block in 0..self.blocks as usize {
                let values = self.values.iter().zip(&self.problem.shapes).map(|(input, shape)| {
                    let from = input.base + input.slots[block] * input.stride;
                    &input.words[from as usize..][..(count(shape) * self.problem.rows) as usize]
                });
                let slot = self.image.slots[block] as usize;
                let shapes = &self.problem.shapes[self.values.len()..];
                let tensors = self.tensors.iter().zip(shapes).map(|(base, shape)| {
                    let range = *base as usize..(base + count(shape)) as usize;
                    if read[slot].1[range.clone()].contains(&true) {
                        traps[slot] |= super::inject::TRAP_ECC;
                    }
                    &read[slot].0[range]
                });
                let inputs: Vec<&[u32]> = values.chain(tensors).collect();
                for (at, index) in inputs[0].iter().enumerate() {
                    let rows = self.problem.rows as usize;
                    if below.is_some_and(|below| *index >= below) {
                        traps[block * (rows + 1) + at % rows] = super::inject::TRAP_INDEX;
                    }
                }
                outputs.extend(kind.reference(call, adapter.arithmetic, &inputs));
            }
        });
        (outputs, traps)
    }

    /// What the shader gives for an image of which a slot takes so many words, and its traps; of a whole
    /// that is computed in parts, after the last of them.
    fn run(
        &self,
        gpu: &Gpu,
        (kind, software): (Kind, bool),
        (image, stride): (&[u32], u32),
        stored: Stored,
        parts: &[Products],
    ) -> Result<(Vec<u32>, Vec<u32>), Error> {
        let words = count(&self.output) * self.problem.rows * self.blocks;
        let y = gpu.upload("y", &vec![u32::MAX - 1; words as usize]);
        let upload =
            |input: &Input| (gpu.upload("x", &input.words), gpu.upload("slots", &input.slots));
        let mut buffers: Vec<(Buffer<u32>, Buffer<u32>)> = self.values.iter().map(upload).collect();
        let image = (gpu.upload("stored", image), gpu.upload("slots", &self.image.slots));
        buffers.extend(self.tensors.iter().map(|_| image.clone()));
        let inputs: Vec<_> = buffers.iter().map(|(words, slots)| (words, slots)).collect();
        let slots = (length(&self.image.words) / stride) as usize;
        let traps: Buffer<u32> = gpu.zeroed("traps", self.trap_words(kind, slots));
        let lanes = gpu.upload("lanes", &(0..self.blocks).collect::<Vec<u32>>());
        let (traps_of, lanes) = (Some(&traps), Some(&lanes));
        let operands = Operands { inputs: &inputs, output: &y, traps: traps_of, lanes };
        self.with_image(software, stride, stored, |call| {
            let specs = parts
                .iter()
                .filter_map(|products| kind.kernel(&Call { products: *products, ..*call }));
            let specs: Vec<KernelSpec> = specs.collect();
            gpu.submit(|pass| specs.iter().for_each(|spec| gpu.encode(pass, spec, operands)))
        })?;
        Ok((gpu.read(&y)?, gpu.read(&traps)?))
    }
}

/// Holds an op's shader to its reference on a problem drawn from the seed; of an op that can vote or decode
/// what it loads every form, also against the stage and the bare op after it; of one that can leave its sums
/// and take them up again both parts against the whole.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, kind: Kind, seed: u64) -> Result<Check, Error> {
    let key = OPS.iter().position(|op| *op == kind).unwrap_or(OPS.len()) as u64;
    let keeps = !gpu.adapter().arithmetic.flushes_subnormals;
    let forms = [Form::Bare, Form::Voted, Form::Decoded];
    let forms = if kind.protects_on_load() { &forms[..] } else { &forms[..1] };
    let name = shader(kind);
    let mut checks = Vec::new();
    for form in forms {
        let mut draws = stream(seed, Domain::Generate, &[key, *form as u64]);
        let drawn = Drawn::new(kind, &mut draws, *form, keeps, seed.is_multiple_of(3));
        // The widths that hardware and software choose differ.
        let target = (kind, seed.is_multiple_of(2) || gpu.adapter().software);
        let Drawn { stored, .. } = drawn;
        let (want, traps) = drawn.wanted(gpu, kind);
        let own = (&drawn.image.words[..], drawn.image.stride);
        let (got, found) = drawn.run(gpu, target, own, stored, &[Products::All])?;
        checks.push(match drawn.problem.exactness {
            Exactness::Bits => same_bits(name, &got, &want),
            Exactness::Near(ulp) if !gpu.adapter().software => near_floats(name, &got, &want, ulp),
            _ => same_floats(name, &got, &want),
        });
        if kind.splits_sums(&drawn.problem.settings) {
            let unit = draws.random_range(1..=count(&drawn.problem.shapes[0][..1]));
            let parts = [Products::Before(unit), Products::From(unit)];
            // Which NaN a sum of NaNs becomes is the adapter's choice, for each kernel anew.
            checks.push(same_floats(name, &drawn.run(gpu, target, own, stored, &parts)?.0, &got));
        }
        if *form == Form::Decoded || drawn.indices_below(kind).is_some() {
            checks.push(same_bits(name, &found[..traps.len()], &traps));
        }
        if *form != Form::Bare {
            let (plain, stride) = separately(gpu, stored, own.1, own.0)?;
            let bare =
                drawn.run(gpu, target, (&plain, stride), Stored::default(), &[Products::All])?.0;
            checks.push(same_floats(name, &got, &bare));
        }
    }
    Ok(all_of(checks))
}
