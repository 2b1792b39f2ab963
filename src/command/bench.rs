//! `beamline bench`: what the stages and the engines reach on this adapter.
//!
//! Figures of one run are set against each other: bandwidths against a plain copy kernel, the
//! linear op beside it, ops that vote or decode what they load against those that do not, trial
//! rates of each protection against none. Each is the best of several rounds that take the measured
//! things in turn, so that a machine whose speed drifts treats all alike.

use super::bench_op::Measured;
use super::prepare::open_gpu;
use super::{Failure, TableFormat, say, say_json};
use crate::gpu::{Buffer, Error, Gpu};
use crate::scheme::Code;
use crate::stage::copy::Copy;
use crate::stage::decode::{BlockParams, Decode};
use crate::stage::vote::{self, Vote, VoteParams};
use crate::workload::{self, Overrides};
use clap::ValueEnum;
use std::sync::Arc;
use std::time::Instant;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// Rounds; each figure is the best of them.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Only these figures (may be given more than once); all where it is not given.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Where the workloads lie.
    #[arg(long, default_value = "kernels")]
    kernels: std::path::PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// What there is to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Belts, field and orbits on the CPU.
    Environment,
    /// Bandwidth of copy, vote and decoder.
    Memory,
    /// The linear op.
    Linear,
    /// Trials of the engines.
    Trials,
}

/// One measured thing.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// Against the copy kernel (bandwidths), the bare op (times), the scheme `none` (trial rates), or the
    /// direct engine under the same scheme (trial rates of the wavefront engine).
    pub(super) ratio: Option<f64>,
}

/// Words of the buffers that bandwidth is measured on: 48 MiB each, past any cache.
const WORDS: usize = 12 << 20;

impl Bench {
    /// Measures and prints.
    ///
    /// # Errors
    /// Where there is no adapter or a workload is missing.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        let gpu = open_gpu(adapter)?;
        let table = self.format == TableFormat::Table;
        if table {
            say(&format!("adapter: {}", gpu.adapter().line()))?;
        }
        let mut figures = Vec::new();
        let parts = Part::value_variants().iter().copied();
        for part in parts.filter(|part| self.only.is_empty() || self.only.contains(part)) {
            let measured = match part {
                Part::Environment => super::bench_environment::figures(self.rounds)?,
                Part::Memory => bandwidths(&gpu, self.rounds)?,
                Part::Linear => vec![linear(&gpu, self.rounds)?],
                Part::Trials => self.trials(&gpu)?,
            };
            for Figure { name, value, unit, ratio } in measured.iter().filter(|_| table) {
                let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:>8.3}"));
                say(&format!("{name:<58} {value:>12.2} {unit:<10}{ratio}"))?;
            }
            figures.extend(measured);
        }
        if table {
            say("ratios: bandwidths to the copy kernel, trial rates to none, those of wavefront")?;
            say("to direct; best of the rounds")?;
        } else {
            let value = serde_json::json!({ "adapter": gpu.adapter(), "figures": figures });
            say_json(&value)?;
        }
        Ok(())
    }

    fn trials(&self, gpu: &Arc<Gpu>) -> Result<Vec<Figure>, Failure> {
        let mut figures = Vec::new();
        for name in ["digits-mlp", "digits-cnn"] {
            let workload = workload::load(&self.kernels.join(name), &Overrides::default());
            let workload = Arc::new(workload.map_err(Failure::input)?);
            let rounds = self.rounds.div_ceil(2);
            figures.extend(super::bench_trials::figures(gpu, &workload, 128, rounds)?);
        }
        Ok(figures)
    }
}

/// Seconds of a submission, from recording to completion.
pub(super) fn timed(
    gpu: &Gpu,
    record: impl FnOnce(&mut crate::gpu::Pass<'_>),
) -> Result<f64, Error> {
    gpu.wait()?;
    let started = Instant::now();
    gpu.submit(record)?;
    gpu.wait()?;
    Ok(started.elapsed().as_secs_f64())
}

/// Bits struck before each round of decoding, one a block.
const STRUCK: u32 = 128;

/// Copy kernel, copy command, vote and decoder, bytes read and written counted alike.
fn bandwidths(gpu: &Gpu, rounds: u32) -> Result<Vec<Figure>, Failure> {
    let words = WORDS.min(usize::try_from(gpu.binding_bytes_max() / 4).unwrap_or(WORDS)) / 12 * 12;
    let copy = Copy::new(gpu)?;
    let vote = Vote::new(gpu)?;
    let from: Buffer<u32> = gpu.zeroed("copy from", words);
    let to: Buffer<u32> = gpu.zeroed("copy to", words);
    let image = u32::try_from(words / 3).map_err(Failure::environment)?;
    let params = VoteParams::one(image / 4);
    let uniform = gpu.uniform("vote", &params);
    let voted: Buffer<u32> = gpu.zeroed("voted", image as usize);
    let dissent: Buffer<u32> = gpu.zeroed("dissent", image as usize);
    let all = gpu.upload("vote on all", &vote::ALL);
    let alarms: Buffer<u32> = gpu.zeroed("alarms", 8);
    let decode = Decode::new(gpu, Code::Hsiao72, false)?;
    let data = u32::try_from(words / 9 * 8).map_err(Failure::environment)? / 8 * 8;
    let decode_params = decode.params(BlockParams::one(data, true));
    let decode_uniform = gpu.uniform("decode", &decode_params);
    let mut best = [f64::INFINITY; 4];
    for _ in 0..rounds {
        let seconds = [
            timed(gpu, |pass| copy.encode(pass, &from, &to))?,
            timed(gpu, |pass| pass.copy(&from, &to, words))?,
            timed(gpu, |pass| {
                let outputs = (&voted, &dissent, &alarms);
                vote.encode(pass, (&params, &uniform), (&from, &all), outputs);
            })?,
            {
                for bit in 0..STRUCK {
                    gpu.write(&from, (data / STRUCK * bit) as usize, &[1 << (bit % 32)]);
                }
                timed(gpu, |pass| {
                    decode.encode(pass, (&decode_params, &decode_uniform), &from, &voted, &alarms);
                })?
            },
        ];
        for (best, seconds) in best.iter_mut().zip(seconds) {
            *best = best.min(seconds);
        }
    }
    let copied = 8.0 * words as f64;
    let judged = 4.0 * 5.0 * f64::from(image);
    let decoded = 4.0 * 9.0 / 8.0 * f64::from(data);
    let bytes = [copied, copied, judged, decoded];
    let rates: Vec<f64> = bytes.iter().zip(best).map(|(bytes, s)| bytes / s / 1e9).collect();
    let names = [
        "copy kernel",
        "copy command",
        "vote, 3 copies read, vote and dissent written",
        "hsiao-72-64 decoded and repaired in place",
    ];
    Ok(names
        .into_iter()
        .zip(&rates)
        .map(|(name, value)| Figure {
            name: name.into(),
            value: *value,
            unit: "GB/s",
            ratio: Some(value / rates[0]),
        })
        .collect())
}

/// The linear op at 512³.
fn linear(gpu: &Gpu, rounds: u32) -> Result<Figure, Failure> {
    const N: u32 = 512;
    let n = N as usize;
    let op = Measured::new(gpu, "linear", &[], [vec![n], vec![n, n]].to_vec(), N);
    let ones = gpu.upload("w", &vec![1f32.to_bits(); n * n]);
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let seconds = timed(gpu, |pass| {
            op.record(gpu, pass, &ones);
        })?;
        best = best.min(seconds);
    }
    let value = 2.0 * f64::from(N).powi(3) / best / 1e9;
    Ok(Figure { name: "linear op, 512 x 512 x 512".into(), value, unit: "GFLOP/s", ratio: None })
}
