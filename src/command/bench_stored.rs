//! The part of `beamline bench` about weights that are voted or decoded while an op loads them:
//! the bare op, the fused forms, and the stage with the bare op after it, taken in turn.

use super::Failure;
use super::bench::{Figure, timed};
use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::scheme::Code;
use crate::stage::conv2d::Conv2dParams;
use crate::stage::decode::{BlockParams, Decode, DecodeParams};
use crate::stage::linear::LinearParams;
use crate::stage::stored::{Form, Stored};
use crate::stage::tile::{Params, Tiles};
use crate::stage::vote::{self, Vote, VoteParams};

/// Every form, at its own place.
const FORMS: [Form; 3] = [Form::Bare, Form::Voted, Form::Decoded];
/// Input and output features of the linear op.
const FEATURES: u32 = 1024;
/// Input and output channels of the conv2d op.
const CHANNELS: u32 = 64;
/// Height and width of its input and output.
const SIDE: u32 = 4;

/// Figures of every op: milliseconds, and the ratio to the bare op.
pub(super) fn figures(gpu: &Gpu, rounds: u32) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for rows in [128, 1] {
        figures.extend(measure(gpu, &linear(gpu, rows)?, rounds)?);
    }
    for rows in [128, 1] {
        figures.extend(measure(gpu, &conv2d(gpu, rows)?, rounds)?);
    }
    Ok(figures)
}

/// An op in every form.
struct Op {
    name: String,
    /// Words of weight and bias.
    words: u32,
    record: Record,
}

/// Records the op in a form that reads these words.
type Record = Box<dyn Fn(&mut Pass<'_>, Form, &Buffer<u32>)>;

/// Where copies and check words of so many words lie.
fn stored(words: u32) -> Stored {
    Stored { copy_stride: words, check_base: words, words }
}

fn linear(gpu: &Gpu, rows: u32) -> Result<Op, Error> {
    let quads = rows.div_ceil(4);
    let words = FEATURES * FEATURES + FEATURES;
    let params = LinearParams {
        quads,
        inputs: FEATURES,
        outputs: FEATURES,
        has_bias: 1,
        x_base: 0,
        x_stride: 0,
        w_base: 0,
        w_stride: 0,
        b_base: FEATURES * FEATURES,
        stored: stored(words),
    };
    let name = format!("linear {FEATURES} x {FEATURES}, batch {rows}");
    op(gpu, name, params, words, FEATURES)
}

fn conv2d(gpu: &Gpu, rows: u32) -> Result<Op, Error> {
    let quads = rows.div_ceil(4);
    let taps = CHANNELS * CHANNELS * 9;
    let words = taps + CHANNELS;
    let params = Conv2dParams {
        quads,
        channels: CHANNELS,
        height: SIDE,
        width: SIDE,
        outputs: CHANNELS,
        size: 3 << 16 | 3,
        stride: 1,
        padding: 1,
        out_height: SIDE,
        out_width: SIDE,
        has_bias: 1,
        x_base: 0,
        x_stride: 0,
        w_base: 0,
        w_stride: 0,
        b_base: taps,
        stored: stored(words),
        pad: 0,
    };
    let name = format!("conv2d 3 x 3, {CHANNELS} to {CHANNELS} channels, batch {rows}");
    op(gpu, name, params, words, CHANNELS * SIDE * SIDE)
}

/// The op in every form, with as many values of a row in its input as in its output.
fn op<P: Params>(gpu: &Gpu, name: String, params: P, words: u32, values: u32) -> Result<Op, Error> {
    let [bare, voted, decoded] = FORMS.map(|form| Tiles::<P>::stored(gpu, form));
    let stages = [bare?, voted?, decoded?];
    let uniform = gpu.uniform("params", &params);
    let values = (values * 4 * params.quads()) as usize;
    let x = gpu.upload("x", &vec![1f32.to_bits(); values]);
    let y: Buffer<u32> = gpu.zeroed("y", values);
    let (slots, traps) = (gpu.upload("slots", &[0u32]), gpu.upload("traps", &[0u32]));
    let record: Record = Box::new(move |pass, form, w| {
        let (stage, params) = (&stages[form as usize], (&params, &uniform));
        let (x, w) = ((&x, &slots), (w, &slots));
        match form {
            Form::Decoded => stage.encode_trapping(pass, params, x, w, (&y, &traps), 1),
            _ => stage.encode(pass, params, x, w, &y, 1),
        }
    });
    Ok(Op { name, words, record })
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

fn measure(gpu: &Gpu, op: &Op, rounds: u32) -> Result<Vec<Figure>, Error> {
    let memory = Protected::new(gpu, op.words)?;
    let (voted, decoded) = (&memory.voted[0], &memory.decoded[0]);
    let mut best = [f64::INFINITY; 5];
    // The first round compiles and is not counted.
    for round in 0..=rounds {
        let seconds = [
            timed(gpu, |pass| (op.record)(pass, Form::Bare, &memory.copies))?,
            timed(gpu, |pass| (op.record)(pass, Form::Voted, &memory.copies))?,
            timed(gpu, |pass| {
                memory.vote(pass);
                (op.record)(pass, Form::Bare, voted);
            })?,
            timed(gpu, |pass| (op.record)(pass, Form::Decoded, &memory.coded))?,
            timed(gpu, |pass| {
                memory.decode(pass);
                (op.record)(pass, Form::Bare, decoded);
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
            name: format!("{}, {form}", op.name),
            value: 1e3 * seconds,
            unit: "ms",
            ratio: Some(seconds / best[0]),
        })
        .collect())
}
