//! A model as a workload folder.

use super::{About, Imported, Reading, import};
use crate::op::{Dtype, Mismatch};
use crate::output;
use crate::workload::data::{self, npy_of_floats, npy_of_whole};
use crate::workload::{Decision, Error, Overrides, Workload};
use safetensors::tensor::TensorView;
use std::fs;
use std::path::{Path, PathBuf};

/// What an import is given beside the model.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// How the model is read.
    pub reading: Reading,
    /// Labels of the inputs: a `.npy` file of whole numbers.
    pub labels: Option<PathBuf>,
    /// Outputs of another implementation on the inputs: a `.npy` file of floats.
    pub expected: Option<PathBuf>,
    /// How far golden may be from them, as a share of the largest.
    pub tolerance: f32,
    /// One sentence on what the network is.
    pub description: String,
    /// Where it comes from, with its licence.
    pub source: String,
}

/// Writes the workload folder of a model and loads it; `answered` gives it the inputs that it is to have. The
/// folder appears whole or not at all.
///
/// # Errors
/// What of the model or of the files beside it is not supported or wrong, a folder that is there, what the
/// system says where it cannot be written, and what `answered` says.
pub fn write<E: From<Error>>(
    model: &Path,
    beside: &Beside,
    folder: &Path,
    answered: impl FnOnce(Workload) -> Result<Workload, E>,
) -> Result<Workload, E> {
    let failed = |source| Error::Write { path: folder.to_owned(), source };
    let Some(name) = folder.file_name() else {
        let found = folder.display().to_string();
        return Err(Mismatch::new("a folder with a name", found).in_data(folder).into());
    };
    if folder.exists() {
        let expected = "a folder that does not exist yet";
        return Err(Mismatch::new(expected, "one that does").in_data(folder).into());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed)?;
    let draft =
        tempfile::Builder::new().prefix(output::DRAFT).tempdir_in(parent).map_err(failed)?;
    let inside = draft.path().join(name);
    fs::create_dir(&inside).map_err(failed)?;
    let workload = fill(model, beside, &inside, &name.to_string_lossy())?;
    let before = workload.inputs.words.clone();
    let workload = answered(workload)?;
    if workload.inputs.words != before {
        put_inputs(&inside, &workload)?;
    }
    fs::rename(&inside, folder).map_err(failed)?;
    Ok(workload)
}

fn put(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.join(file);
    fs::write(&path, bytes).map_err(|source| Error::Write { path, source })
}

/// Writes the inputs, `[count]` in front of the shape of one.
fn put_words(folder: &Path, shape: &[usize], dtype: Dtype, words: &[u32]) -> Result<(), Error> {
    let count = words.len() / shape.iter().product::<usize>().max(1);
    let shape = [&[count], shape].concat();
    let bytes = match dtype {
        Dtype::F32 => npy_of_floats(&shape, words),
        _ => npy_of_whole(&shape, words),
    };
    put(folder, "inputs.npy", &bytes)
}

fn put_inputs(folder: &Path, workload: &Workload) -> Result<(), Error> {
    let input = &workload.values[0];
    put_words(folder, &input.shape, input.dtype, &workload.inputs.words)
}

/// Writes the files of the folder, and loads it.
fn fill(model: &Path, beside: &Beside, folder: &Path, name: &str) -> Result<Workload, Error> {
    let put = |file: &str, bytes: &[u8]| put(folder, file, bytes);
    let about = |expected| About {
        name,
        description: &beside.description,
        source: &beside.source,
        labels: beside.labels.is_some(),
        expected,
    };
    let imported = import(model, &beside.reading, &about(None))?;
    let Imported { text, tensors, inputs, .. } = &imported;
    let views = tensors.iter().map(|(name, tensor)| {
        let dtype = match tensor.dtype {
            Dtype::F32 => safetensors::Dtype::F32,
            Dtype::U32 => safetensors::Dtype::U32,
            Dtype::F16 => safetensors::Dtype::F16,
            Dtype::Bf16 => safetensors::Dtype::BF16,
            Dtype::I32 => safetensors::Dtype::I32,
            Dtype::I8 => safetensors::Dtype::I8,
            Dtype::U8 => safetensors::Dtype::U8,
            Dtype::U16 => safetensors::Dtype::U16,
        };
        let elements: usize = tensor.shape.iter().product();
        let bytes = elements * tensor.dtype.bits() as usize / 8;
        let bytes = &bytemuck::cast_slice(&tensor.words)[..bytes];
        TensorView::new(dtype, tensor.shape.clone(), bytes).map(|view| (name.clone(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>();
    let weights = views.and_then(|views| safetensors::serialize(views, None));
    let weights = weights.map_err(|error| {
        Mismatch::new("tensors that fit a safetensors file", error.to_string()).in_data(model)
    })?;
    put("weights.safetensors", &weights)?;
    drop(weights);
    if let Some(labels) = &beside.labels {
        let (_, labels) = data::read_labels(labels, None)?;
        put("labels.npy", &npy_of_whole(&[labels.len()], &labels))?;
    }
    put("workload.toml", text.as_bytes())?;
    if let Some((_, words)) = inputs {
        put_words(folder, &imported.input_shape, imported.dtype, words)?;
    }
    let workload = crate::workload::load(folder, &Overrides::default())?;
    let Some(expected) = &beside.expected else { return Ok(workload) };
    if workload.delivered.as_ref().is_some_and(|delivered| delivered.along.is_some_and(|at| at > 0))
    {
        let expects = "no expected outputs of a model whose outputs do not lie input by input";
        return Err(Mismatch::new(expects, "some").in_data(expected));
    }
    let (_, outputs) = data::read_floats(expected, None)?;
    let features = workload.output_features() as usize;
    if outputs.len() != workload.inputs.count * features {
        let expects = format!("outputs of {} inputs, {features} each", workload.inputs.count);
        return Err(Mismatch::new(expects, outputs.len().to_string()).in_data(expected));
    }
    let output = &workload.values[workload.output.0].shape;
    let outputs = match workload.decision {
        // Other frameworks give (inputs, positions, vocabulary).
        Decision::Tokens { positions, .. } => turned(&outputs, positions as usize, features),
        _ => outputs,
    };
    let shape = [&[workload.inputs.count], &output[..]].concat();
    put("expected.npy", &npy_of_floats(&shape, &outputs))?;
    let right = workload.inputs.labels.as_ref().filter(|_| workload.decision.is_of_classes());
    let right = right.map(|labels| {
        let decided = outputs.chunks(features).map(first_of_the_largest);
        labels.iter().zip(decided).filter(|(label, decided)| **label as usize == *decided).count()
    });
    let largest = outputs.iter().map(|word| f32::from_bits(*word).abs()).fold(0.0, f32::max);
    let tolerance = (largest * beside.tolerance).max(f32::MIN_POSITIVE);
    let text = import(model, &beside.reading, &about(Some((tolerance, right))))?.text;
    put("workload.toml", text.as_bytes())?;
    crate::workload::load(folder, &Overrides::default())
}

/// Logits of each position one after another as those of each token of the vocabulary, input by input.
fn turned(outputs: &[u32], positions: usize, features: usize) -> Vec<u32> {
    let vocabulary = features / positions;
    let mut words = Vec::with_capacity(outputs.len());
    for input in outputs.chunks(features) {
        let token =
            |token| (0..positions).map(move |position| input[position * vocabulary + token]);
        words.extend((0..vocabulary).flat_map(token));
    }
    words
}

/// The place of the first of the largest numbers.
fn first_of_the_largest(words: &[u32]) -> usize {
    let mut largest = 0;
    for (at, word) in words.iter().enumerate() {
        if f32::from_bits(*word) > f32::from_bits(words[largest]) {
            largest = at;
        }
    }
    largest
}
