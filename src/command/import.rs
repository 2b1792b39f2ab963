//! `beamline import`: an ONNX model or a Hugging Face folder to a workload folder.

use super::infer::golden;
use super::{Failure, say};
use crate::op::Shape;
use crate::workload::import::{self, Beside, Reading};
use crate::workload::{Decision, Workload};
use std::path::PathBuf;
use std::sync::Arc;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The model: an .onnx file, or a Hugging Face folder with a config.json.
    model: PathBuf,
    /// The workload's folder, which must not exist yet; the workload has its name.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Inputs: a .npy file in the model's shape, the first dimension counting inferences. Generated where
    /// not given. Of a Hugging Face folder: token ids (prompts, tokens).
    #[arg(long, value_name = "FILE.npy")]
    input: Option<PathBuf>,
    /// Labels of the inputs: a .npy file of whole numbers.
    #[arg(long, value_name = "FILE.npy", requires = "input")]
    labels: Option<PathBuf>,
    /// Outputs of another framework on the inputs, which golden is held to: a .npy file.
    #[arg(long, value_name = "FILE.npy", requires = "input")]
    expected: Option<PathBuf>,
    /// How far golden may be from --expected, as a share of the largest output.
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4, requires = "expected")]
    tolerance: f32,
    /// The shape of the model's input, where the file leaves dimensions open: 1,3,224,224.
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    shape: Option<Vec<usize>>,
    /// Fold batch normalisations into convolutions. The words under test are then products of the file's.
    #[arg(long)]
    fold: bool,
    /// Tokens that a language model answers each prompt with.
    #[arg(long, value_name = "N")]
    new_tokens: Option<usize>,
    /// One sentence on what the network is.
    #[arg(long, default_value = "")]
    description: String,
    /// Where the model comes from, with its licence.
    #[arg(long)]
    source: Option<String>,
}

impl Import {
    /// Writes the folder and says what it holds.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(self, adapter: Option<&str>) -> Result<(), Failure> {
        let source = self.source.unwrap_or_else(|| {
            let name = self.model.file_name().unwrap_or_default();
            format!("Imported from {}.", name.to_string_lossy())
        });
        let beside = Beside {
            reading: Reading {
                input: self.input,
                shape: self.shape,
                fold: self.fold,
                new_tokens: self.new_tokens,
            },
            labels: self.labels,
            expected: self.expected,
            tolerance: self.tolerance,
            description: self.description,
            source,
        };
        let answered = |workload: Workload| golden_answers(workload, adapter);
        let workload = import::write(&self.model, &beside, &self.output, answered)?;
        let (input, output) = (&workload.values[0], &workload.values[workload.output.0]);
        let counts = format!(
            "{} ops, {} tensors of {} words, {} inputs",
            workload.ops.len(),
            workload.tensors.len(),
            workload.stored_words(),
            workload.inputs.count
        );
        say(&format!("wrote {}: {counts}", self.output.display()))?;
        let shapes = format!("{} -> {}", Shape(&input.shape), Shape(&output.shape));
        say(&format!("one inference: {shapes}; try: beamline infer {}", self.output.display()))
    }
}

/// The workload with golden's own answers in its inputs, where it is a language model that answers.
fn golden_answers(workload: Workload, adapter: Option<&str>) -> Result<Workload, Failure> {
    if !matches!(workload.decision, Decision::Tokens { prompt: Some(_), .. }) {
        return Ok(workload);
    }
    Ok(Arc::unwrap_or_clone(golden(workload, adapter)?.workload))
}
