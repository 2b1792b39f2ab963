//! The part of `beamline bench` about weights that are voted or decoded while an op loads them:
//! the bare op, the fused forms, and the stage with the bare op after it, taken in turn.

use super::Failure;
use super::bench::{Figure, timed};
use crate::gpu::{Buffer, Error, Gpu, Operands, Pass};
use crate::op::{Call, Form, Given, Kind, OPS, Place, Products, Stored};
use crate::scheme::Code;
use crate::stage::decode::{BlockParams, Decode, DecodeParams};
use crate::stage::vote::{self, Vote, VoteParams};

/// Input and output features of the linear op.
const FEATURES: usize = 1024;
/// Input and output channels of the conv2d op.
const CHANNELS: usize = 64;
/// Height and width of its input and output.
const SIDE: usize = 4;

/// Figures of every op: milliseconds, and the ratio to the bare op.
pub(super) fn figures(gpu: &Gpu, rounds: u32) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for rows in [128, 1] {
        let shapes = vec![vec![FEATURES], vec![FEATURES, FEATURES], vec![FEATURES]];
        let name = format!("linear {FEATURES} x {FEATURES}, batch {rows}");
        let op = Measured::new(gpu, "linear", &[], shapes, rows);
        figures.extend(measure(gpu, &name, &op, rounds)?);
    }
    for rows in [128, 1] {
        let image = vec![CHANNELS, SIDE, SIDE];
        let shapes = vec![image, vec![CHANNELS, CHANNELS, 3, 3], vec![CHANNELS]];
        let padding = [("padding", Given::Number(1))];
        let name = format!("conv2d 3 x 3, {CHANNELS} to {CHANNELS} channels, batch {rows}");
        let op = Measured::new(gpu, "conv2d", &padding, shapes, rows);
        figures.extend(measure(gpu, &name, &op, rounds)?);
    }
    Ok(figures)
}

/// An op over one block, whose stored tensors lie one after another.
pub(super) struct Measured {
    kind: Kind,
    settings: Vec<u32>,
    shapes: Vec<Vec<usize>>,
    output: Vec<usize>,
    rows: u32,
    x: Buffer<u32>,
    y: Buffer<u32>,
    slots: Buffer<u32>,
    traps: Buffer<u32>,
}

fn words(shape: &[usize]) -> usize {
    shape.iter().product()
}

impl Measured {
    /// The op of this kind over `rows` rows of ones.
    pub(super) fn new(
        gpu: &Gpu,
        kind: &str,
        fields: &[(&str, Given)],
        shapes: Vec<Vec<usize>>,
        rows: u32,
    ) -> Self {
        let kind = Kind::named(kind).unwrap_or(OPS[0]);
        let settings = kind.settings(fields).unwrap_or_default();
        let of: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let output = kind.output(&settings, &of).unwrap_or_default();
        let rows = rows.next_multiple_of(4);
        let block = |shape: &[usize]| words(shape) * rows as usize;
        Self {
            x: gpu.upload("x", &vec![1f32.to_bits(); block(&shapes[0])]),
            y: gpu.zeroed("y", block(&output)),
            slots: gpu.upload("slots", &[0u32]),
            traps: gpu.upload("traps", &[0u32]),
            kind,
            settings,
            shapes,
            output,
            rows,
        }
    }

    /// Words of the stored tensors.
    fn words(&self) -> u32 {
        let words = self.shapes[1..].iter().map(|shape| words(shape)).sum::<usize>();
        u32::try_from(words).unwrap_or(u32::MAX)
    }

    /// Where copies and check words lie in this form.
    fn stored(&self, form: Form) -> Stored {
        let words = self.words();
        Stored { form, copy_stride: words, check_base: words, words }
    }

    /// Records the op over these stored words.
    pub(super) fn record(&self, gpu: &Gpu, pass: &mut Pass<'_>, stored: Stored, w: &Buffer<u32>) {
        let mut base = 0;
        let places: Vec<Place<'_>> = (self.shapes.iter().enumerate())
            .map(|(at, shape)| {
                let place = Place { shape, base, stride: 0 };
                base += if at == 0 { 0 } else { u32::try_from(words(shape)).unwrap_or(u32::MAX) };
                place
            })
            .collect();
        let call = Call {
            settings: &self.settings,
            inputs: &places,
            output: &self.output,
            part: None,
            rows: self.rows,
            blocks: 1,
            nan_is_zero: false,
            stored,
            products: Products::default(),
            software: gpu.adapter().software,
        };
        let inputs: Vec<_> = (0..self.shapes.len())
            .map(|at| (if at == 0 { &self.x } else { w }, &self.slots))
            .collect();
        let operands =
            Operands { inputs: &inputs, output: &self.y, traps: Some(&self.traps), lanes: None };
        if let Some(spec) = self.kind.kernel(&call) {
            gpu.encode(pass, &spec, operands);
        }
    }
}

/// The stages that protect weights, with the memory that they work on.
struct Protected {
    vote: (Vote, VoteParams, Buffer<VoteParams>),
    copies: Buffer<u32>,
    masks: Buffer<u32>,
    voted: [Buffer<u32>; 3],
    decode: (Decode, DecodeParams, Buffer<DecodeParams>),
    coded: Buffer<u32>,
    decoded: [Buffer<u32>; 2],
}

impl Protected {
    fn new(gpu: &Gpu, words: u32) -> Result<Self, Error> {
        let weight = 0.25f32.to_bits();
        let vote = VoteParams::one(words / 4);
        let stage = Decode::new(gpu, Code::Hsiao72, true)?;
        let decode = stage.params(BlockParams::one(words, false));
        let len = words as usize;
        let mut coded = vec![weight; len];
        coded.resize(len + len / 8, Code::Hsiao72.encode(&[weight; 8]));
        Ok(Self {
            vote: (Vote::new(gpu)?, vote, gpu.uniform("vote", &vote)),
            copies: gpu.upload("copies", &vec![weight; 3 * len]),
            masks: gpu.upload("vote on all", &vote::ALL),
            voted: ["voted", "dissent", "alarms"].map(|name| gpu.zeroed(name, len)),
            decode: (stage, decode, gpu.uniform("decode", &decode)),
            decoded: ["decoded", "counts"].map(|name| gpu.zeroed(name, len)),
            coded: gpu.upload("coded", &coded),
        })
    }

    fn vote(&self, pass: &mut Pass<'_>) {
        let (stage, params, uniform) = &self.vote;
        let [voted, dissent, alarms] = &self.voted;
        let (copies, outputs) = ((&self.copies, &self.masks), (voted, dissent, alarms));
        stage.encode(pass, (params, uniform), copies, outputs);
    }

    fn decode(&self, pass: &mut Pass<'_>) {
        let (stage, params, uniform) = &self.decode;
        let [decoded, counts] = &self.decoded;
        stage.encode(pass, (params, uniform), &self.coded, decoded, counts);
    }
}

fn measure(gpu: &Gpu, name: &str, op: &Measured, rounds: u32) -> Result<Vec<Figure>, Error> {
    let memory = Protected::new(gpu, op.words())?;
    let run = |pass: &mut Pass<'_>, form, words| op.record(gpu, pass, op.stored(form), words);
    let (voted, decoded) = (&memory.voted[0], &memory.decoded[0]);
    let mut best = [f64::INFINITY; 5];
    // The first round compiles and is not counted.
    for round in 0..=rounds {
        let seconds = [
            timed(gpu, |pass| run(pass, Form::Bare, &memory.copies))?,
            timed(gpu, |pass| run(pass, Form::Voted, &memory.copies))?,
            timed(gpu, |pass| {
                memory.vote(pass);
                run(pass, Form::Bare, voted);
            })?,
            timed(gpu, |pass| run(pass, Form::Decoded, &memory.coded))?,
            timed(gpu, |pass| {
                memory.decode(pass);
                run(pass, Form::Bare, decoded);
            })?,
        ];
        for (best, seconds) in best.iter_mut().zip(seconds).filter(|_| round > 0) {
            *best = best.min(seconds);
        }
    }
    let forms =
        ["bare", "voted on load", "vote, then bare", "decoded on load", "decode, then bare"];
    Ok(forms
        .into_iter()
        .zip(best)
        .map(|(form, seconds)| Figure {
            name: format!("{name}, {form}"),
            value: 1e3 * seconds,
            unit: "ms",
            ratio: Some(seconds / best[0]),
        })
        .collect())
}
