//! Workload files: from `workload.toml` and the data files it names to a checked [`Workload`].

use super::data::{self, Stored, list};
use super::entry::{
    Dim, Distribution, ExpectedEntry, InputsEntry, OutputEntry, WeightsEntry, WorkloadEntry,
};
use super::graph::axes;
use super::import::{INPUT, Imported};
use super::ops::Image;
use super::{
    Decision, Delivered, Error, Expected, Inputs, Mismatch, NanRule, Op, Role, Value, ValueId,
    Workload,
};
use crate::op::{Dtype, Shape, checked_words};
use crate::place;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The key of generated inputs within their seed; generated tensors have their position.
const INPUT_KEY: u64 = u64::MAX;

/// Words that are generated for a tensor or the inputs, at most: 1 GiB, before anything is planned.
const GENERATED_WORDS_MAX: usize = 1 << 28;

/// What a campaign changes of a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Replaces the workload's rule for NaN.
    pub relu_nan: Option<NanRule>,
    /// Replaces the size of a workload that has one.
    pub size: Option<u32>,
}

/// Reads the workload in the folder `dir` and checks that its shapes agree.
///
/// # Errors
/// Anything wrong with `workload.toml`, with its line, or with a data file that it names.
pub fn load(dir: &Path, overrides: &Overrides) -> Result<Workload, Error> {
    let path = dir.join("workload.toml");
    let text = place::read(&path)?;
    let entry = toml::from_str(&text).map_err(|error| place::refused(&path, &text, &error))?;
    File { dir, path, text: &text, data: None }.workload(entry, overrides)
}

/// The workload of a model that was read: its text and its data are in memory.
pub(super) fn from_memory(
    path: &Path,
    imported: Imported,
    overrides: &Overrides,
) -> Result<Workload, Error> {
    let text = imported.text.clone();
    let entry = toml::from_str(&text).map_err(|error| place::refused(path, &text, &error))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    let data = Some(RefCell::new(imported));
    File { dir, path: path.to_owned(), text: &text, data }.workload(entry, overrides)
}

/// The same workload over the inputs of a `.npy` file: rows of the input's shape and type. They have no
/// labels, and no outputs are expected of them.
///
/// # Errors
/// What is wrong with the file, and an index past its table.
pub fn with_inputs(workload: Workload, path: &Path) -> Result<Workload, Error> {
    let input = &workload.values[0];
    let (count, words) = read_rows(path, None, (&input.shape, input.dtype))?;
    let inputs = Inputs { count, words, labels: None, ..workload.inputs };
    check_indices(&inputs, (&workload.values, &workload.ops), path)?;
    Ok(Workload { inputs, expected: None, ..workload })
}

/// Rows of one shape and type: their number and their words.
fn read_rows(
    path: &Path,
    tensor: Option<&str>,
    (shape, dtype): (&[usize], Dtype),
) -> Result<(usize, Vec<u32>), Error> {
    let (found, words) = match dtype {
        Dtype::F32 => data::read_floats(path, tensor)?,
        whole => data::read_whole(path, tensor, whole)?,
    };
    let count = row_count(&found, shape).map_err(|mismatch| mismatch.in_data(path))?;
    Ok((count, words))
}

/// Refuses an input that an op reads as an index past its table.
fn check_indices(
    inputs: &Inputs,
    (values, ops): (&[Value], &[Op]),
    path: &Path,
) -> Result<(), Error> {
    for op in ops {
        let shapes: Vec<&[usize]> =
            op.inputs.iter().map(|value| &values[value.0].shape[..]).collect();
        let Some(below) = op.kind.indices_below(&shapes) else { continue };
        if let Some(at) = inputs.words.iter().position(|index| *index >= below) {
            let expected = format!("indices below {below}, the entries that `{}` has", op.name);
            let found = format!("{} in input {}", inputs.words[at], at / inputs.features);
            return Err(Mismatch::new(expected, found).in_data(path));
        }
    }
    Ok(())
}

/// A workload file that parsed: its folder, and its text to find lines in.
pub(super) struct File<'a> {
    dir: &'a Path,
    path: PathBuf,
    text: &'a str,
    /// What its data files hold, where they are in memory.
    data: Option<RefCell<Imported>>,
}

impl File<'_> {
    fn workload(&self, entry: WorkloadEntry, overrides: &Overrides) -> Result<Workload, Error> {
        self.check_name(&entry.name)?;
        if entry.source.get_ref().trim().is_empty() {
            return Err(self.wrong(&entry.source, "where weights and inputs come from", "nothing"));
        }
        let size = self.size(&entry, overrides)?;
        let (input, inputs) = self.inputs(&entry.inputs, size)?;
        let mut image = Image::new(self.weights(&entry.weights, size)?);
        let (values, ops) = self.graph(input, &entry, &mut image)?;
        if let Some(file) = &entry.inputs.get_ref().file {
            check_indices(&inputs, (&values, &ops), &self.dir.join(file))?;
        }
        if !image.unused.is_empty() {
            let found = list(image.unused.keys().map(String::as_str));
            return Err(self.wrong(
                &entry.weights,
                "tensors that ops use",
                format!("also {found}"),
            ));
        }
        let output = ValueId(ops.len());
        let features = values[output.0].features() as usize;
        if let (Some(last), false) = (entry.op.last(), values[output.0].dtype == Dtype::F32) {
            let found = format!("`{}` of {}", values[output.0].name, values[output.0].dtype.name());
            return Err(self.wrong(
                last,
                "an output of f32 (`float` makes one of whole numbers)",
                found,
            ));
        }
        let decision =
            self.decision(&entry.decision, (&values[0].shape, &values[output.0].shape))?;
        self.check_labels(entry.inputs.get_ref(), &inputs, decision, features)?;
        let delivered = match &entry.output {
            Some(output) => Some(self.delivered(output, features)?),
            None => None,
        };
        let expected = match &entry.expected {
            Some(expected) => {
                Some(self.expected(expected, &inputs, &values[output.0], decision)?)
            }
            None => None,
        };
        Ok(Workload {
            name: entry.name.into_inner(),
            description: entry.description,
            source: entry.source.into_inner(),
            tensors: image.used,
            inputs,
            values,
            ops,
            output,
            delivered,
            decision,
            relu_nan: overrides.relu_nan.unwrap_or(entry.relu_nan),
            expected,
        })
    }

    pub(super) fn wrong<T>(
        &self,
        at: &Spanned<T>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        self.wrong_at(&at.span(), Mismatch::new(expected, found))
    }

    pub(super) fn wrong_at(&self, span: &Range<usize>, mismatch: Mismatch) -> Error {
        let message = format!("expected {}, found {}", mismatch.expected, mismatch.found);
        place::Error::at(&self.path, self.text, span, message).into()
    }

    fn check_name(&self, name: &Spanned<String>) -> Result<(), Error> {
        if self.data.is_some() {
            return Ok(());
        }
        let read = |source| Error::Read { path: self.dir.to_owned(), source };
        let folder = match self.dir.file_name() {
            Some(folder) => folder.to_owned(),
            None => {
                let folder = self.dir.canonicalize().map_err(read)?;
                folder.file_name().unwrap_or_default().to_owned()
            }
        };
        if folder.to_str() == Some(name.get_ref()) {
            return Ok(());
        }
        let expected = format!("the name of the folder, `{}`", folder.display());
        Err(self.wrong(name, expected, format!("`{}`", name.get_ref())))
    }

    /// The number that `"size"` stands for.
    fn size(&self, entry: &WorkloadEntry, overrides: &Overrides) -> Result<Option<u32>, Error> {
        let Some(size) = &entry.size else {
            return match overrides.size {
                Some(wanted) => {
                    let expected = format!("a `size` that {wanted} can replace");
                    Err(self.wrong(&entry.name, expected, "a workload of fixed size"))
                }
                None => Ok(None),
            };
        };
        let inputs = entry.inputs.get_ref();
        let weights = entry.weights.get_ref().generate.iter().flat_map(|generate| &generate.tensor);
        let dims = weights
            .flat_map(|tensor| tensor.shape.get_ref())
            .chain(inputs.shape.get_ref())
            .chain(inputs.generate.iter().map(|generate| generate.count.get_ref()));
        if !dims.into_iter().any(|dim| *dim == Dim::Size) {
            return Err(self.wrong(size, "a shape or count that is \"size\"", "none"));
        }
        match overrides.size.unwrap_or(*size.get_ref()) {
            0 => Err(self.wrong(size, "a size of at least 1", "0")),
            wanted => Ok(Some(wanted)),
        }
    }

    /// A shape in numbers, and its words.
    fn shape(
        &self,
        dims: &Spanned<Vec<Dim>>,
        size: Option<u32>,
    ) -> Result<(Vec<usize>, usize), Error> {
        let number = |dim: &Dim| match (dim, size) {
            (Dim::Count(count), _) => Ok(*count as usize),
            (Dim::Size, Some(size)) => Ok(size as usize),
            (Dim::Size, None) => {
                Err(self.wrong(dims, "a top-level `size` that \"size\" stands for", "none"))
            }
        };
        let shape = dims.get_ref().iter().map(number).collect::<Result<Vec<_>, _>>()?;
        match checked_words(&shape) {
            Some(words) if !shape.is_empty() => Ok((shape, words)),
            Some(_) => Err(self.wrong(dims, "at least one dimension", "none")),
            None => Err(self.wrong(dims, "fewer than 2³² words", Shape(&shape).to_string())),
        }
    }

    fn check_generated<T>(&self, at: &Spanned<T>, words: usize) -> Result<(), Error> {
        if words <= GENERATED_WORDS_MAX {
            return Ok(());
        }
        let expected = format!("{GENERATED_WORDS_MAX} generated words at most");
        Err(self.wrong(at, expected, words.to_string()))
    }

    pub(super) fn scale(&self, scale: &Spanned<f32>) -> Result<f32, Error> {
        match *scale.get_ref() {
            value if value.is_finite() && value > 0.0 => Ok(value),
            value => Err(self.wrong(scale, "a positive number", value.to_string())),
        }
    }

    fn inputs(
        &self,
        entry: &Spanned<InputsEntry>,
        size: Option<u32>,
    ) -> Result<(Value, Inputs), Error> {
        let inputs = entry.get_ref();
        let (shape, features) = self.shape(&inputs.shape, size)?;
        if matches!(inputs.dtype, Dtype::F16 | Dtype::Bf16) {
            let expected = "inputs of f32, u32, i32, i8, u8 or u16; tensors may be f16 or bf16";
            return Err(self.wrong(&inputs.shape, expected, inputs.dtype.name()));
        }
        let (count, words) = match (&inputs.file, &inputs.generate) {
            (Some(_), None) if self.data.is_some() => {
                let inputs = self.data.as_ref().and_then(|data| data.borrow_mut().inputs.take());
                inputs.unwrap_or_default()
            }
            (Some(file), None) => {
                read_rows(&self.dir.join(file), inputs.tensor.as_deref(), (&shape, inputs.dtype))?
            }
            (None, Some(generate)) if inputs.dtype != Dtype::F32 => {
                let expected = format!("a `file` with `dtype = \"{}\"`", inputs.dtype.name());
                return Err(self.wrong(&generate.scale, expected, "`generate`"));
            }
            (None, Some(generate)) if inputs.tensor.is_none() => {
                let Distribution::Uniform = generate.distribution;
                let count = Spanned::new(generate.count.span(), vec![*generate.count.get_ref()]);
                let (_, count) = self.shape(&count, size)?;
                let Some(words) = checked_words(&[count, features]) else {
                    let found = format!("{count} inputs of {features}");
                    return Err(self.wrong(&generate.count, "fewer than 2³² words", found));
                };
                let scale = self.scale(&generate.scale)?;
                self.check_generated(&generate.count, words)?;
                (count, data::generate(generate.seed, INPUT_KEY, scale, words))
            }
            (file, generate) => {
                let found = match (file, generate) {
                    (None, None) => "neither",
                    (Some(_), Some(_)) => "both",
                    _ => "`tensor` without `file`",
                };
                return Err(self.wrong(entry, "[inputs] with `file` or `generate`", found));
            }
        };
        let labels = match (&inputs.labels, &inputs.labels_tensor) {
            (Some(file), tensor) => Some(self.read_labels(file, tensor.as_deref(), count)?),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(self.wrong(entry, "`labels` with `labels_tensor`", "none"));
            }
        };
        let axes = axes(shape.len(), inputs.dtype);
        Ok((
            Value { name: INPUT.into(), axes, shape, dtype: inputs.dtype, role: Role::Input },
            Inputs { count, features, words, labels },
        ))
    }

    fn read_labels(
        &self,
        file: &Path,
        tensor: Option<&str>,
        count: usize,
    ) -> Result<Vec<u32>, Error> {
        let path = self.dir.join(file);
        let (shape, labels) = data::read_labels(&path, tensor)?;
        if shape != [count] {
            let found = format!("shape {}", Shape(&shape));
            return Err(Mismatch::new(format!("{count} labels"), found).in_data(&path));
        }
        Ok(labels)
    }

    fn check_labels(
        &self,
        entry: &InputsEntry,
        inputs: &Inputs,
        decision: Decision,
        features: usize,
    ) -> Result<(), Error> {
        let (Some(file), Some(labels)) = (&entry.labels, &inputs.labels) else { return Ok(()) };
        if !decision.is_of_classes() {
            let expected = "no labels with a decision by tolerance, mask or tokens";
            return Err(self.wrong(&entry.shape, expected, format!("`{}`", file.display())));
        }
        match labels.iter().find(|label| **label as usize >= features) {
            Some(label) => {
                let expected = format!("labels below {features}, the features of the output");
                Err(Mismatch::new(expected, label.to_string()).in_data(&self.dir.join(file)))
            }
            None => Ok(()),
        }
    }

    fn weights(
        &self,
        entry: &Spanned<WeightsEntry>,
        size: Option<u32>,
    ) -> Result<BTreeMap<String, Stored>, Error> {
        if let Some(data) = &self.data {
            return Ok(std::mem::take(&mut data.borrow_mut().tensors));
        }
        let weights = entry.get_ref();
        let (file, generate) = (&weights.file, &weights.generate);
        let generate = match (file, generate) {
            (Some(file), None) => {
                let path = self.dir.join(file);
                let tensors = data::read_weights(&path)?;
                return match tensors
                    .iter()
                    .find(|(_, tensor)| checked_words(&tensor.shape).is_none())
                {
                    Some((name, _)) => {
                        Err(Mismatch::new("fewer than 2³² words a tensor", format!("`{name}`"))
                            .in_data(&path))
                    }
                    None => Ok(tensors),
                };
            }
            (None, Some(generate)) => generate,
            (file, _) => {
                let found = if file.is_none() { "neither" } else { "both" };
                return Err(self.wrong(entry, "[weights] with `file` or `generate`", found));
            }
        };
        let Distribution::Uniform = generate.distribution;
        let scale = self.scale(&generate.scale)?;
        let mut tensors = BTreeMap::new();
        for (key, tensor) in (0..).zip(&generate.tensor) {
            let (shape, words) = self.shape(&tensor.shape, size)?;
            self.check_generated(&tensor.shape, words)?;
            let words = data::generate(generate.seed, key, scale, words);
            let stored = Stored { shape, dtype: Dtype::F32, words };
            if tensors.insert(tensor.name.get_ref().clone(), stored).is_some() {
                let found = format!("a second `{}`", tensor.name.get_ref());
                return Err(self.wrong(&tensor.name, "a name of its own", found));
            }
        }
        Ok(tensors)
    }

    fn delivered(&self, entry: &OutputEntry, features: usize) -> Result<Delivered, Error> {
        let shape: Vec<usize> = entry.shape.get_ref().iter().map(|side| *side as usize).collect();
        if checked_words(&shape) != Some(features) {
            let expected = format!("a shape of {features} elements, as the last op has");
            return Err(self.wrong(&entry.shape, expected, Shape(&shape).to_string()));
        }
        let along = entry.inputs_along.as_ref().map(|along| *along.get_ref() as usize);
        match &entry.inputs_along {
            Some(at) if along >= Some(shape.len()) => {
                let expected = format!("a dimension of {}", Shape(&shape));
                Err(self.wrong(at, expected, at.get_ref().to_string()))
            }
            _ => Ok(Delivered { shape, along }),
        }
    }

    fn expected(
        &self,
        entry: &ExpectedEntry,
        inputs: &Inputs,
        output: &Value,
        decision: Decision,
    ) -> Result<Expected, Error> {
        let path = self.dir.join(&entry.file);
        let (shape, words) = data::read_floats(&path, entry.tensor.as_deref())?;
        let count = row_count(&shape, &output.shape).map_err(|mismatch| mismatch.in_data(&path))?;
        if count != inputs.count {
            let expected = format!("outputs of {} inputs", inputs.count);
            return Err(Mismatch::new(expected, count.to_string()).in_data(&path));
        }
        if let Some(correct) = &entry.correct {
            let scored = inputs.labels.is_some() && decision.is_of_classes();
            if !scored || *correct.get_ref() > count {
                let expected = format!("a number up to {count}, with arg-max and labels");
                return Err(self.wrong(correct, expected, correct.get_ref().to_string()));
            }
        }
        Ok(Expected {
            outputs: words.into_iter().map(f32::from_bits).collect(),
            tolerance: self.scale(&entry.tolerance)?,
            correct: entry.correct.as_ref().map(|correct| *correct.get_ref()),
        })
    }
}

/// How many rows of shape `row` an array holds, each flat or in that shape.
fn row_count(array: &[usize], row: &[usize]) -> Result<usize, Mismatch> {
    let features: usize = row.iter().product();
    match array {
        [count, rest @ ..] if *count > 0 && (rest == row || rest == [features]) => {
            match checked_words(array) {
                Some(_) => Ok(*count),
                None => Err(Mismatch::new("fewer than 2³² words", Shape(array).to_string())),
            }
        }
        _ => {
            let flat = if row.len() > 1 { format!(" or ({features})") } else { String::new() };
            let expected = format!("rows of shape {}{flat}", Shape(row));
            Err(Mismatch::new(expected, format!("shape {}", Shape(array))))
        }
    }
}
