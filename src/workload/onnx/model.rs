//! A model as its file has it: nodes, constants and what is declared of inputs and outputs, checked for
//! form but not for meaning.

use super::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
};
use crate::bounded;
use crate::op::{Dtype, Mismatch, Shape, checked_words};
use prost::Message;
use prost::bytes::Bytes;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

/// The operator sets that are read.
const OPSETS: std::ops::RangeInclusive<i64> = 6..=23;

/// A model.
pub(super) struct Model {
    /// The version of its operators.
    pub(super) opset: i64,
    /// The program that wrote it, where it says so.
    pub(super) producer: Option<String>,
    /// The inputs that are no constants.
    pub(super) inputs: Vec<Declared>,
    /// The names of the outputs.
    pub(super) outputs: Vec<String>,
    pub(super) nodes: Vec<Node>,
    /// The tensors of the file by name: initialisers, and outputs of `Constant` nodes.
    pub(super) constants: BTreeMap<String, Constant>,
}

/// What is declared of an input.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    /// A dimension each; `None` where it is not fixed.
    pub(super) shape: Option<Vec<Option<usize>>>,
}

/// A node of the graph.
pub(super) struct Node {
    pub(super) operator: String,
    /// Its own name, or that of its output.
    pub(super) name: String,
    /// Names of values; empty where an optional input is left out.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    attributes: BTreeMap<String, Attribute>,
    /// Attributes that somebody asked for.
    asked: RefCell<BTreeSet<String>>,
}

/// What an attribute holds.
#[derive(Clone)]
pub(super) enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Constant),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    /// What no operator here reads: graphs, texts, sparse tensors.
    Other,
}

/// A tensor of the file.
#[derive(Clone)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) data: Data,
}

/// The elements of a tensor, the last index changing fastest.
#[derive(Clone)]
pub(super) enum Data {
    /// The bits of floats of 32 bits.
    Floats(Vec<u32>),
    /// Whole numbers and truth values.
    Whole(Vec<i64>),
    /// Quantised numbers, packed.
    Quantised(Dtype, Vec<u32>),
    /// A type that is not read, by its name.
    Other(&'static str),
}

impl Model {
    /// Reads a file; tensors that it keeps beside it must lie in its folder.
    pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Self, super::Error> {
        let read = |source| super::Error::Read { path: path.to_owned(), source };
        let bytes = bounded::read(path, bytes_max).map_err(read)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self::parse(bytes, Some(folder.unwrap_or(Path::new("."))))
            .map_err(|mismatch| mismatch.in_data(path))
    }

    /// Reads the bytes of a file; without a folder, tensors beside it are refused.
    pub(super) fn parse(bytes: Vec<u8>, folder: Option<&Path>) -> Result<Self, Mismatch> {
        let length = bytes.len();
        let model = ModelProto::decode(Bytes::from(bytes)).map_err(|error| {
            Mismatch::new(
                "an ONNX file",
                format!("{length} bytes that are none ({error}; truncated?)"),
            )
        })?;
        let graph =
            model.graph.ok_or_else(|| Mismatch::new("an ONNX file with a graph", "none"))?;
        if let Some(function) = model.functions.first() {
            let name = function.name.clone().unwrap_or_default();
            return Err(Mismatch::new("no functions of the model's own", format!("`{name}`")));
        }
        let sets = &model.opset_import;
        let standard =
            sets.iter().find(|set| matches!(set.domain.as_deref(), None | Some("" | "ai.onnx")));
        let opset = standard.and_then(|set| set.version).unwrap_or(1);
        if !OPSETS.contains(&opset) {
            let expected = format!("operator set {} to {}", OPSETS.start(), OPSETS.end());
            return Err(Mismatch::new(expected, opset.to_string()));
        }
        if !graph.sparse_initializer.is_empty() {
            return Err(Mismatch::new("dense tensors", "a sparse initialiser"));
        }
        Self::graph(graph, (opset, model.producer_name), folder)
    }

    fn graph(
        graph: GraphProto,
        (opset, producer): (i64, Option<String>),
        folder: Option<&Path>,
    ) -> Result<Self, Mismatch> {
        let mut constants = BTreeMap::new();
        let mut keep = |name: String, constant| match constants.insert(name.clone(), constant) {
            Some(_) => Err(Mismatch::new("one value of each name", format!("two of `{name}`"))),
            None => Ok(()),
        };
        for tensor in graph.initializer {
            let name = tensor.name.clone().unwrap_or_default();
            keep(name.clone(), constant(tensor, &name, folder)?)?;
        }
        let mut nodes = Vec::new();
        for node in graph.node {
            let node = Node::read(node, folder)?;
            match (&node.operator[..], &node.outputs[..]) {
                ("Constant", [output]) => keep(output.clone(), node.constant()?)?,
                _ => nodes.push(node),
            }
        }
        let named = |value: &ValueInfoProto| value.name.clone().unwrap_or_default();
        let mut inputs = Vec::new();
        for input in &graph.input {
            if !constants.contains_key(&named(input)) {
                inputs.push(declared(input)?);
            }
        }
        let outputs = graph.output.iter().map(named).collect();
        Ok(Self { opset, producer, inputs, outputs, nodes, constants })
    }
}

/// What is declared of an input.
fn declared(input: &ValueInfoProto) -> Result<Declared, Mismatch> {
    let name = input.name.clone().unwrap_or_default();
    let tensor = input.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
    let tensor = tensor
        .ok_or_else(|| Mismatch::new(format!("input `{name}` as a tensor"), "another type"))?;
    let dtype = match tensor.elem_type {
        Some(1) => Dtype::F32,
        Some(2) => Dtype::U8,
        Some(3) => Dtype::I8,
        Some(6 | 7 | 12 | 13) => Dtype::U32,
        other => {
            let expected = format!("input `{name}` of float or of whole numbers");
            return Err(Mismatch::new(expected, type_name(other.unwrap_or(0))));
        }
    };
    let dimension =
        |value: Option<i64>| value.and_then(|v| usize::try_from(v).ok()).filter(|d| *d > 0);
    let shape = tensor
        .shape
        .as_ref()
        .map(|shape| shape.dim.iter().map(|dim| dimension(dim.dim_value)).collect());
    Ok(Declared { name, dtype, shape })
}

/// The name of an element type, as `onnx.proto` numbers them.
fn type_name(number: i32) -> &'static str {
    const NAMES: [&str; 24] = [
        "no type",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
        "float8e4m3fn",
        "float8e4m3fnuz",
        "float8e5m2",
        "float8e5m2fnuz",
        "uint4",
        "int4",
        "float4e2m1",
    ];
    usize::try_from(number).ok().and_then(|number| NAMES.get(number)).unwrap_or(&"an unknown type")
}

/// Bytes of an element, where the type is read.
const fn width(number: i32) -> Option<usize> {
    match number {
        2 | 3 | 9 => Some(1),
        1 | 6 | 12 => Some(4),
        7 | 13 => Some(8),
        _ => None,
    }
}

fn constant(tensor: TensorProto, name: &str, folder: Option<&Path>) -> Result<Constant, Mismatch> {
    let dims = tensor.dims.iter().map(|dim| usize::try_from(*dim).ok());
    let shape: Option<Vec<usize>> = dims.collect();
    let checked = shape.and_then(|shape| checked_words(&shape).map(|elements| (shape, elements)));
    let Some((shape, elements)) = checked else {
        let found = format!("{:?} of `{name}`", tensor.dims);
        return Err(Mismatch::new("a shape of fewer than 2³² elements", found));
    };
    let number = tensor.data_type.unwrap_or(0);
    let Some(width) = width(number) else {
        return Ok(Constant { shape, data: Data::Other(type_name(number)) });
    };
    let raw = match (tensor.data_location, tensor.raw_data.clone()) {
        (Some(1), _) => Some(Bytes::from(external(&tensor, name, (elements * width, folder))?)),
        (_, raw) => raw,
    };
    let found_bytes = raw.is_none().then_some(tensor.int32_data.len());
    let data = match raw {
        Some(raw) if raw.len() != elements * width => {
            let expected =
                format!("{} bytes of `{name}` of shape {}", elements * width, Shape(&shape));
            return Err(Mismatch::new(expected, format!("{}", raw.len())));
        }
        Some(raw) => from_raw(&raw, number),
        None => from_fields(tensor, number),
    };
    let found = match &data {
        Data::Floats(words) => words.len(),
        Data::Whole(numbers) => numbers.len(),
        Data::Quantised(..) => found_bytes.unwrap_or(elements),
        Data::Other(_) => elements,
    };
    if found != elements {
        let expected = format!("{elements} elements of `{name}` of shape {}", Shape(&shape));
        return Err(Mismatch::new(expected, found.to_string()));
    }
    Ok(Constant { shape, data })
}

/// The elements of a type that is read, from bytes.
fn from_raw(raw: &[u8], number: i32) -> Data {
    fn each<const N: usize, T>(raw: &[u8], element: impl Fn([u8; N]) -> T) -> Vec<T> {
        raw.as_chunks().0.iter().map(|chunk| element(*chunk)).collect()
    }
    match number {
        1 => Data::Floats(each(raw, u32::from_le_bytes)),
        2 => Data::Quantised(Dtype::U8, packed(raw)),
        3 => Data::Quantised(Dtype::I8, packed(raw)),
        6 => Data::Whole(each(raw, |b| i32::from_le_bytes(b).into())),
        12 => Data::Whole(each(raw, |b| u32::from_le_bytes(b).into())),
        7 | 13 => Data::Whole(each(raw, i64::from_le_bytes)),
        _ => Data::Whole(raw.iter().map(|byte| (*byte).into()).collect()),
    }
}

/// Bytes in words, the first in the lowest bits.
pub(super) fn packed(bytes: &[u8]) -> Vec<u32> {
    let word = |four: &[u8]| four.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    bytes.chunks(4).map(word).collect()
}

/// The elements of a type that is read, from the fields of its own.
fn from_fields(tensor: TensorProto, number: i32) -> Data {
    match number {
        1 => Data::Floats(tensor.float_data.iter().map(|float| float.to_bits()).collect()),
        7 => Data::Whole(tensor.int64_data),
        12 | 13 => Data::Whole(tensor.uint64_data.iter().map(|n| n.cast_signed()).collect()),
        2 | 3 => {
            let bytes: Vec<u8> = tensor.int32_data.iter().map(|n| n.to_le_bytes()[0]).collect();
            Data::Quantised(if number == 2 { Dtype::U8 } else { Dtype::I8 }, packed(&bytes))
        }
        _ => Data::Whole(tensor.int32_data.iter().map(|n| (*n).into()).collect()),
    }
}

/// The bytes of a tensor that a model keeps in a file beside it.
fn external(
    tensor: &TensorProto,
    name: &str,
    (bytes, folder): (usize, Option<&Path>),
) -> Result<Vec<u8>, Mismatch> {
    let entry = |key: &str| {
        let entry = tensor.external_data.iter().find(|entry| entry.key.as_deref() == Some(key));
        entry.and_then(|entry| entry.value.as_deref())
    };
    let expected = || format!("the data of `{name}` in the folder of the model");
    let location = Path::new(entry("location").unwrap_or_default());
    let plain = location.components().all(|part| matches!(part, Component::Normal(_)));
    let found = format!("`{}`", location.display());
    let (Some(folder), true, false) = (folder, plain, location.as_os_str().is_empty()) else {
        return Err(Mismatch::new(expected(), found));
    };
    let path = folder.join(location);
    let failed = |error: std::io::Error| Mismatch::new(expected(), format!("{found}: {error}"));
    let (real, home) =
        (path.canonicalize().map_err(failed)?, folder.canonicalize().map_err(failed)?);
    if !real.starts_with(&home) {
        return Err(Mismatch::new(
            expected(),
            format!("{found}, which leads to {}", real.display()),
        ));
    }
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            Mismatch::new(format!("a whole number as `{key}` of `{name}`"), format!("`{text}`"))
        }),
    };
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    let mut file = File::open(&real).map_err(failed)?;
    let there = file.metadata().map_err(failed)?.len().saturating_sub(offset);
    if length.is_some_and(|length| length != bytes as u64) || there < bytes as u64 {
        let found =
            format!("{} of them from byte {offset} of {found}", length.unwrap_or(there).min(there));
        return Err(Mismatch::new(format!("{bytes} bytes of `{name}`"), found));
    }
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut data = Vec::new();
    file.take(bytes as u64).read_to_end(&mut data).map_err(failed)?;
    Ok(data)
}

impl Node {
    fn read(node: NodeProto, folder: Option<&Path>) -> Result<Self, Mismatch> {
        let first = node.output.first().cloned().unwrap_or_default();
        let name = node.name.filter(|name| !name.is_empty()).unwrap_or(first);
        let standard = matches!(node.domain.as_deref(), None | Some("" | "ai.onnx"));
        let operator = match (standard, node.op_type.unwrap_or_default()) {
            (true, operator) => operator,
            (false, operator) => format!("{}.{operator}", node.domain.unwrap_or_default()),
        };
        let mut attributes = BTreeMap::new();
        for attribute in node.attribute {
            let key = attribute.name.clone().unwrap_or_default();
            let held = Attribute::read(attribute, &format!("{name}.{key}"), folder)?;
            attributes.insert(key, held);
        }
        let asked = RefCell::default();
        Ok(Self { operator, name, inputs: node.input, outputs: node.output, attributes, asked })
    }

    /// It in a message.
    pub(super) fn label(&self) -> String {
        format!("node `{}` ({})", self.name, self.operator)
    }

    /// What a `Constant` node holds.
    fn constant(&self) -> Result<Constant, Mismatch> {
        let held = ["value", "value_float", "value_floats", "value_int", "value_ints"];
        let held = held.iter().find_map(|key| self.attributes.get(*key).cloned());
        let floats = |floats: Vec<f32>| Data::Floats(floats.iter().map(|f| f.to_bits()).collect());
        match held {
            Some(Attribute::Tensor(constant)) => Ok(constant),
            Some(Attribute::Float(float)) => {
                Ok(Constant { shape: vec![], data: floats(vec![float]) })
            }
            Some(Attribute::Int(int)) => {
                Ok(Constant { shape: vec![], data: Data::Whole(vec![int]) })
            }
            Some(Attribute::Floats(list)) => {
                Ok(Constant { shape: vec![list.len()], data: floats(list) })
            }
            Some(Attribute::Ints(list)) => {
                Ok(Constant { shape: vec![list.len()], data: Data::Whole(list) })
            }
            _ => Err(Mismatch::new(format!("{} with numbers", self.label()), "none")),
        }
    }

    fn ask(&self, key: &str) -> Option<Attribute> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.attributes.get(key).cloned()
    }

    fn wrong(&self, key: &str, expected: &str) -> Mismatch {
        Mismatch::new(format!("{expected} as `{key}` of {}", self.label()), "another type")
    }

    /// A whole number.
    pub(super) fn int(&self, key: &str) -> Result<Option<i64>, Mismatch> {
        match self.ask(key) {
            None => Ok(None),
            Some(Attribute::Int(int)) => Ok(Some(int)),
            Some(_) => Err(self.wrong(key, "a whole number")),
        }
    }

    /// A float, or what stands for it where it is left out.
    pub(super) fn float(&self, key: &str, default: f32) -> Result<f32, Mismatch> {
        match self.ask(key) {
            None => Ok(default),
            Some(Attribute::Float(float)) => Ok(float),
            Some(_) => Err(self.wrong(key, "a float")),
        }
    }

    /// Whole numbers.
    pub(super) fn ints(&self, key: &str) -> Result<Option<Vec<i64>>, Mismatch> {
        match self.ask(key) {
            None => Ok(None),
            Some(Attribute::Ints(ints)) => Ok(Some(ints)),
            Some(_) => Err(self.wrong(key, "whole numbers")),
        }
    }

    /// Floats.
    pub(super) fn floats(&self, key: &str) -> Result<Option<Vec<f32>>, Mismatch> {
        match self.ask(key) {
            None => Ok(None),
            Some(Attribute::Floats(floats)) => Ok(Some(floats)),
            Some(_) => Err(self.wrong(key, "floats")),
        }
    }

    /// A word, or what stands for it where it is left out.
    pub(super) fn word(&self, key: &str, default: &str) -> Result<String, Mismatch> {
        match self.ask(key) {
            None => Ok(default.to_owned()),
            Some(Attribute::Text(text)) => Ok(text),
            Some(_) => Err(self.wrong(key, "a word")),
        }
    }

    /// A tensor.
    pub(super) fn tensor(&self, key: &str) -> Result<Option<Constant>, Mismatch> {
        match self.ask(key) {
            None => Ok(None),
            Some(Attribute::Tensor(tensor)) => Ok(Some(tensor)),
            Some(_) => Err(self.wrong(key, "a tensor")),
        }
    }

    /// Passes over attributes that change nothing of an answer.
    pub(super) fn pass_over(&self, keys: &[&str]) {
        for key in keys {
            self.ask(key);
        }
    }

    /// Refuses attributes that nobody asked for: they could change the answer.
    pub(super) fn check_attributes(&self) -> Result<(), Mismatch> {
        let asked = self.asked.borrow();
        match self.attributes.keys().find(|key| !asked.contains(*key)) {
            None => Ok(()),
            Some(key) => {
                let expected = format!("{} without attribute `{key}`", self.label());
                Err(Mismatch::new(expected, "it, which is not supported"))
            }
        }
    }
}

impl Attribute {
    fn read(of: AttributeProto, name: &str, folder: Option<&Path>) -> Result<Self, Mismatch> {
        // The type says what is meant where a writer leaves out zeros and empty lists.
        Ok(match (of.r#type, of.f, of.i, of.s, of.t) {
            (Some(1), f, ..) => Self::Float(f.unwrap_or(0.0)),
            (Some(2), _, i, ..) => Self::Int(i.unwrap_or(0)),
            (Some(6), ..) => Self::Floats(of.floats),
            (Some(7), ..) => Self::Ints(of.ints),
            (_, _, _, Some(text), _) => Self::Text(String::from_utf8_lossy(&text).into_owned()),
            (_, _, _, _, Some(tensor)) => Self::Tensor(constant(tensor, name, folder)?),
            (None, Some(f), ..) => Self::Float(f),
            (None, _, Some(i), ..) => Self::Int(i),
            (None, ..) if !of.ints.is_empty() => Self::Ints(of.ints),
            (None, ..) if !of.floats.is_empty() => Self::Floats(of.floats),
            _ => Self::Other,
        })
    }
}
