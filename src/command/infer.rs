//! `beamline infer`: a workload without faults, over its own inputs or a user's.

use super::answer::{answer, answered};
use super::engines::{Chosen, EngineName};
use super::prepare::{check_expected, find_workload, open_gpu};
use super::{Failure, TableFormat, say, say_json};
use crate::campaign::file::WorkloadChoice;
use crate::engine::direct::Kernels;
use crate::engine::{Layout, Windows};
use crate::gpu::Gpu;
use crate::output;
use crate::stage::decision::{NO_DECISION, arg_max};
use crate::workload::import::{self, Reading, is_folder};
use crate::workload::{Decision, Delivered, Overrides, Workload, npy_of_floats, with_inputs};
use anyhow::anyhow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Inferences of a batch, at most.
const ROWS_MAX: usize = 128;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Infer {
    /// The workload: a folder with a workload.toml, the name of one of kernels/, an ONNX model, or a Hugging
    /// Face folder.
    workload: String,
    /// Inputs in place of the workload's own: a .npy file of rows of their shape and type, or of a model's
    /// shape; token ids (prompts, tokens) of a Hugging Face folder.
    #[arg(long, value_name = "FILE.npy")]
    input: Option<PathBuf>,
    /// The shape of a model's input, where its file leaves dimensions open: 1,3,224,224.
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    shape: Option<Vec<usize>>,
    /// Fold a model's batch normalisations into its convolutions.
    #[arg(long)]
    fold: bool,
    /// Tokens that a language model answers each prompt with; without it, logits of all its tokens.
    #[arg(long, value_name = "N")]
    new_tokens: Option<usize>,
    /// Where the outputs land: a .npy file of F32, a row an input, of answers logits (prompts, positions,
    /// vocabulary); `-` is standard output, without the decisions.
    #[arg(short, long, value_name = "FILE.npy")]
    output: Option<PathBuf>,
    /// The form of the decisions.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

impl Infer {
    /// The workload over the inputs that the user names.
    fn workload(&self) -> Result<Workload, Failure> {
        let name = &self.workload;
        let path = Path::new(name);
        if is_folder(path) {
            let reading = Reading {
                input: self.input.clone(),
                shape: self.shape.clone(),
                fold: self.fold,
                new_tokens: self.new_tokens,
            };
            let overrides = Overrides::default();
            return import::load(path, &reading, &overrides).map_err(Failure::input);
        }
        let mut choice = WorkloadChoice::named(name.clone());
        let model = choice.is_model();
        let refuse =
            |expected: &str| Err(Failure::input(anyhow!("expected {expected}, found {name:?}")));
        if self.new_tokens.is_some() {
            return refuse("--new-tokens with a Hugging Face folder alone");
        }
        if model {
            choice.input.clone_from(&self.input);
            choice.shape.clone_from(&self.shape);
            choice.fold = Some(self.fold);
        } else if self.shape.is_some() || self.fold {
            return refuse("--shape and --fold with an ONNX model alone");
        }
        let workload = find_workload(&choice, Path::new("."), None)?;
        match &self.input {
            Some(path) if !model => with_inputs(workload, path).map_err(Failure::input),
            _ => Ok(workload),
        }
    }

    /// Runs the workload and says what it decides.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        let workload = self.workload()?;
        let Golden { workload, gpu, outputs } = golden(workload, adapter)?;
        if let Some(path) = &self.output {
            let (shape, outputs) = delivered(&workload, &outputs);
            output::write(path, &npy_of_floats(&shape, &outputs))?;
            if output::is_stdout(path) {
                return Ok(());
            }
        }
        let features = workload.output_features() as usize;
        let decisions: Option<Vec<u32>> = match workload.decision {
            Decision::ArgMax { nan } | Decision::TopK { nan, .. } | Decision::Rank { nan, .. } => {
                let inputs = outputs.chunks(features);
                Some(inputs.map(|words| arg_max(words.iter().copied(), nan)).collect())
            }
            _ => None,
        };
        let answers: Option<Vec<Vec<u32>>> =
            outputs.chunks(features).map(|output| answer(&workload, output)).collect();
        let labels = workload.inputs.labels.as_ref();
        let right = labels.zip(decisions.as_ref()).map(|(labels, decisions)| {
            labels.iter().zip(decisions).filter(|(label, decision)| label == decision).count()
        });
        match self.format {
            TableFormat::Json => say_json(&serde_json::json!({
                "adapter": gpu.adapter(),
                "workload": workload.name,
                "inputs": workload.inputs.count,
                "output_shape": workload.values[workload.output.0].shape,
                "decisions": decisions.map(|decisions| {
                    decisions.into_iter().map(|d| Some(d).filter(|d| *d != NO_DECISION)).collect::<Vec<_>>()
                }),
                "answers": answers,
                "labels_right": right,
            })),
            TableFormat::Table => {
                say(&format!("adapter: {}", gpu.adapter().line()))?;
                let count = workload.inputs.count;
                say(&format!("{}: {count} inputs, {features} outputs each", workload.name))?;
                if let Some(decisions) = decisions {
                    say("input  decision  output")?;
                    for (input, decision) in decisions.into_iter().enumerate() {
                        say(&line(input, decision, &outputs[input * features..][..features]))?;
                    }
                }
                for (input, answer) in answers.iter().flatten().enumerate() {
                    if input == 0 {
                        say("input  tokens")?;
                    }
                    let tokens: Vec<String> = answer.iter().map(ToString::to_string).collect();
                    say(&format!("{input:<5}  {}", tokens.join(" ")))?;
                }
                match right {
                    Some(right) => say(&format!("labels: {right} of {count} right")),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A golden run.
pub(super) struct Golden {
    /// The workload, with golden's own answers as inputs where it answers.
    pub(super) workload: Arc<Workload>,
    /// The adapter it ran on.
    gpu: Arc<Gpu>,
    /// Its outputs, `[input, feature]`.
    outputs: Vec<u32>,
}

/// Runs a workload without faults, and holds its outputs to those that are expected of them.
///
/// # Errors
/// Where the GPU fails, an output is not what is expected, or an answer is decided by a NaN.
pub(super) fn golden(workload: Workload, adapter: Option<&str>) -> Result<Golden, Failure> {
    let workload = Arc::new(workload);
    let windows = windows(workload.inputs.count);
    let gpu = open_gpu(adapter)?;
    let kernels = Arc::new(Kernels::new(&gpu)?);
    let of = (&workload, &windows, 1);
    let engine = Chosen::new(EngineName::default(), &kernels, &gpu, of, (None, None))?;
    // The engine alone holds the workload while its inputs change.
    drop(workload);
    let engine = answered(engine, &windows)?;
    let workload = Arc::clone(engine.workload());
    let outputs = by_input(&workload, &windows, engine.golden_outputs());
    check_expected(&workload, &outputs)?;
    Ok(Golden { workload, gpu, outputs })
}

/// Outputs `[input, feature]` in the shape in which they are written, and that shape.
fn delivered(workload: &Workload, outputs: &[u32]) -> (Vec<usize>, Vec<u32>) {
    let count = workload.inputs.count;
    if let Decision::Tokens { positions, .. } = workload.decision {
        let positions = positions as usize;
        let features = workload.output_features() as usize;
        let word = |input: &[u32], at: usize| {
            input[at % (features / positions) * positions + at / (features / positions)]
        };
        let inputs = outputs.chunks(features);
        let words = inputs.flat_map(|input| (0..features).map(move |at| word(input, at)));
        return (vec![count, positions, features / positions], words.collect());
    }
    let Some(Delivered { shape, along }) = &workload.delivered else {
        let own = &workload.values[workload.output.0].shape;
        return ([&[count], &own[..]].concat(), outputs.to_vec());
    };
    let Some(along) = *along else { return (shape.clone(), outputs.to_vec()) };
    let mut all = shape.clone();
    all[along] *= count;
    // Runs of elements that lie together for one inference.
    let run: usize = shape[along..].iter().product();
    let before: usize = shape[..along].iter().product();
    let mut words = Vec::with_capacity(outputs.len());
    for at in 0..before {
        for input in 0..count {
            words.extend(&outputs[(input * before + at) * run..][..run]);
        }
    }
    (all, words)
}

/// The decision on an input, and the output that made it.
fn line(input: usize, decision: u32, outputs: &[u32]) -> String {
    match outputs.get(decision as usize) {
        Some(word) => format!("{input:<5}  {decision:<8}  {}", f32::from_bits(*word)),
        None => format!("{input:<5}  {:<8}  a NaN among the outputs", "none"),
    }
}

/// Windows over so many inputs; the last one is filled with the last input.
fn windows(count: usize) -> Windows {
    let rows = count.min(ROWS_MAX);
    let last = u32::try_from(count - 1).unwrap_or(u32::MAX);
    let mut inputs: Vec<u32> = (0..=last).collect();
    inputs.resize(count.next_multiple_of(rows), last);
    Windows::new(u32::try_from(rows).unwrap_or(1), inputs)
}

/// Outputs `[input, feature]` from those of windows, `[window, feature, row]`.
pub(super) fn by_input(workload: &Workload, windows: &Windows, golden: &[u32]) -> Vec<u32> {
    let (rows, features) =
        (Layout::new(workload, windows).rows as usize, workload.output_features() as usize);
    let per_window = windows.rows() as usize;
    let word = |input: usize, feature: usize| {
        let (window, row) = (input / per_window, input % per_window);
        golden[(window * features + feature) * rows + row]
    };
    let inputs = 0..workload.inputs.count;
    inputs
        .flat_map(|input| (0..features).map(move |f| (input, f)))
        .map(|(i, f)| word(i, f))
        .collect()
}
