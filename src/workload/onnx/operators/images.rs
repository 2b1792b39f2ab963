//! Operators of images and of signals: an input of (N, C, L) is an image of one row.

use super::super::model::Node;
use super::super::numbers::axis;
use super::super::trace::{Known, Operand, Refusal, Trace, Traced};
use super::quantised::{self, Scales};
use crate::op::{Given, Mismatch, Shape};

/// An image of each inference: what an op reads, the value, and rows and columns as the model has them.
struct Image {
    operand: Operand,
    value: Traced,
    /// How many dimensions behind the channels the model has: 1 or 2.
    spatial: usize,
}

impl Image {
    fn of(trace: &mut Trace<'_>, node: &Node) -> Result<Self, Refusal> {
        let value = trace.input_value(node, 0)?;
        let (channels, rows, columns) = match value.shape[..] {
            [1, channels, columns] => (channels, 1, columns),
            [1, channels, rows, columns] => (channels, rows, columns),
            ref other => {
                let expected =
                    "an input of shape (N, C, L) or (N, C, H, W), one inference at a time";
                return Err(Mismatch::new(expected, Shape(other).to_string()).into());
            }
        };
        if value.batch.is_some_and(|batch| batch > 0) {
            return Err(Refusal::Mixes("along channels, rows or columns".into()));
        }
        let spatial = value.shape.len() - 2;
        let value = trace.value(&Known::Value(value), Some(&[channels, rows, columns]))?;
        Ok(Self { operand: Operand::of(&value), value, spatial })
    }

    /// Rows and columns.
    fn size(&self) -> [usize; 2] {
        [self.operand.shape[1], self.operand.shape[2]]
    }

    /// What an op makes of it, as the model sees it.
    fn made(&self, made: Operand) -> Known {
        let mut shape = vec![1, made.shape[0]];
        shape.extend(&made.shape[3 - self.spatial..]);
        made.seen_as(shape, self.value.batch)
    }

    /// One number for each of rows and columns, from an attribute.
    fn pair(&self, given: Option<Vec<i64>>, default: usize) -> Result<[usize; 2], Mismatch> {
        let Some(given) = given else { return Ok([default; 2]) };
        let numbers: Option<Vec<usize>> = given.iter().map(|n| usize::try_from(*n).ok()).collect();
        match (numbers.as_deref(), self.spatial) {
            (Some([columns]), 1) => Ok([default, *columns]),
            (Some([rows, columns]), 2) => Ok([*rows, *columns]),
            _ => {
                let expected = format!("{} whole numbers", self.spatial);
                Err(Mismatch::new(expected, format!("{given:?}")))
            }
        }
    }
}

/// The windows of an operator, for rows and for columns.
struct Windows {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Places before the first row and column, and after the last.
    before: [usize; 2],
    after: [usize; 2],
}

impl Windows {
    /// Those of a node; `kernel` where they span a tensor of weights.
    fn of(node: &Node, image: &Image, kernel: Option<[usize; 2]>) -> Result<Self, Refusal> {
        let given = node.ints("kernel_shape")?;
        let given = given.map(|given| image.pair(Some(given), 1)).transpose()?;
        let kernel = match (given, kernel) {
            (Some(given), Some(kernel)) if given != kernel => {
                let expected = format!("a kernel of {kernel:?}, as its weights have");
                return Err(Mismatch::new(expected, format!("{given:?}")).into());
            }
            (given, kernel) => {
                given.or(kernel).ok_or_else(|| Mismatch::new("`kernel_shape`", "none"))?
            }
        };
        let stride = image.pair(node.ints("strides")?, 1)?;
        let dilation = image.pair(node.ints("dilations")?, 1)?;
        if [kernel, stride, dilation].concat().contains(&0) {
            return Err(Mismatch::new("kernels, strides and dilations of at least 1", "0").into());
        }
        let pads = node.ints("pads")?;
        let (before, after) = match pads {
            None => ([0; 2], [0; 2]),
            Some(pads) if pads.len() == 2 * image.spatial => {
                let (before, after) = pads.split_at(image.spatial);
                (image.pair(Some(before.to_vec()), 0)?, image.pair(Some(after.to_vec()), 0)?)
            }
            Some(pads) => {
                let expected = format!("{} pads", 2 * image.spatial);
                return Err(Mismatch::new(expected, pads.len().to_string()).into());
            }
        };
        Ok(Self { kernel, stride, dilation, before, after })
    }

    /// Places that a window spans.
    fn span(&self, at: usize) -> usize {
        self.dilation[at].saturating_mul(self.kernel[at] - 1).saturating_add(1)
    }

    /// Sets the places around so that an output has ⌈input / stride⌉ rows and columns, where a node asks
    /// for it.
    fn pad_automatically(&mut self, node: &Node, size: [usize; 2]) -> Result<(), Mismatch> {
        let mode = node.word("auto_pad", "NOTSET")?;
        let upper = match &mode[..] {
            "NOTSET" => return Ok(()),
            "VALID" => {
                (self.before, self.after) = ([0; 2], [0; 2]);
                return Ok(());
            }
            "SAME_UPPER" => true,
            "SAME_LOWER" => false,
            other => return Err(Mismatch::new("`auto_pad` as ONNX has it", other)),
        };
        for (at, size) in size.into_iter().enumerate() {
            let outputs = size.div_ceil(self.stride[at]);
            let reach = ((outputs - 1) * self.stride[at]).saturating_add(self.span(at));
            let around = reach.saturating_sub(size);
            let less = around / 2;
            (self.before[at], self.after[at]) =
                if upper { (less, around - less) } else { (around - less, less) };
        }
        Ok(())
    }

    /// Adds places at the end, so that windows that begin within the image or before it count.
    fn round_up(&mut self, size: [usize; 2]) {
        for (at, size) in size.into_iter().enumerate() {
            let (span, stride) = (self.span(at), self.stride[at]);
            let padded = size.saturating_add(self.before[at]).saturating_add(self.after[at]);
            let Some(room) = padded.checked_sub(span) else { continue };
            let mut outputs = room.div_ceil(stride) + 1;
            if (outputs - 1).saturating_mul(stride) >= size.saturating_add(self.before[at]) {
                outputs -= 1;
            }
            let reach = (outputs - 1).saturating_mul(stride).saturating_add(span);
            self.after[at] = self.after[at].saturating_add(reach.saturating_sub(padded));
        }
    }

    fn fields(&self) -> Vec<(&'static str, Given)> {
        let pair = |pair: [usize; 2]| super::list(&pair);
        let [(top, left), (bottom, right)] =
            [(self.before[0], self.before[1]), (self.after[0], self.after[1])];
        vec![
            ("stride", pair(self.stride)),
            ("padding", super::list(&[top, left, bottom, right])),
            ("dilation", pair(self.dilation)),
        ]
    }
}

/// The shape of a kernel of weights as (a, b, rows, columns).
fn kernel(weights: &Known, image: &Image) -> Result<[usize; 4], Refusal> {
    match weights.shape() {
        [a, b, columns] if image.spatial == 1 => Ok([*a, *b, 1, *columns]),
        [a, b, rows, columns] if image.spatial == 2 => Ok([*a, *b, *rows, *columns]),
        other => {
            let expected = format!("weights of {} dimensions", 2 + image.spatial);
            Err(Mismatch::new(expected, Shape(other).to_string()).into())
        }
    }
}

fn groups(node: &Node) -> Result<u32, Mismatch> {
    let groups = node.int("group")?.unwrap_or(1);
    u32::try_from(groups)
        .ok()
        .filter(|groups| *groups > 0)
        .ok_or_else(|| Mismatch::new("`group` of at least 1", groups.to_string()))
}

pub(super) fn conv<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let image = Image::of(trace, node)?;
    let (weight, bias) = (trace.input(node, 1)?, trace.optional(node, 2)?);
    let shape = kernel(&weight, &image)?;
    let fields = convolution(node, &image, shape)?;
    let (tensors, quantised) = trace.weights(&weight, &shape, bias.as_ref())?;
    let kind = if quantised { "conv2d-i8" } else { "conv2d" };
    let operands = [image.operand.clone()];
    let made = trace.emit(&node.outputs[0], kind, fields, tensors, &operands)?;
    Ok(vec![image.made(made)])
}

/// The fields of a convolution with a kernel of this shape.
fn convolution(
    node: &Node,
    image: &Image,
    shape: [usize; 4],
) -> Result<Vec<(&'static str, Given)>, Refusal> {
    let mut windows = Windows::of(node, image, Some([shape[2], shape[3]]))?;
    windows.pad_automatically(node, image.size())?;
    let mut fields = windows.fields();
    fields.push(("groups", Given::Number(groups(node)?)));
    Ok(fields)
}

/// Adds the integer sums of a convolution, of which inputs `weight`, `input_zero` and `weight_zero` are such.
fn integer_sums(
    trace: &mut Trace<'_>,
    (near, node, image): (&str, &Node, &Image),
    [weight, input_zero, weight_zero]: [usize; 3],
) -> Result<Operand, Refusal> {
    let known = trace.input(node, weight)?;
    let shape = kernel(&known, image)?;
    let fields = convolution(node, image, shape)?;
    let input_zero = quantised::zero(trace, node, input_zero, image.value.dtype)?;
    let weight_zero = quantised::zero(trace, node, weight_zero, known.dtype())?;
    let weight = trace.tensor(&known, &shape)?;
    let tensors =
        vec![("weight", weight), ("input_zero", input_zero), ("weight_zero", weight_zero)];
    trace.emit(near, "conv2d-integer", fields, tensors, std::slice::from_ref(&image.operand))
}

pub(super) fn conv_integer<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    let image = Image::of(trace, node)?;
    let sums = integer_sums(trace, (&node.outputs[0], node, &image), [1, 2, 3])?;
    Ok(vec![image.made(sums)])
}

pub(super) fn qlinear_conv<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    let image = Image::of(trace, node)?;
    let near = format!("{}.sums", node.outputs[0]);
    let sums = integer_sums(trace, (&near, node, &image), [3, 2, 5])?;
    let scales = Scales { input: 1, weight: 4, output: 6, zero: 7, bias: Some(8) };
    let made = quantised::requantize(trace, node, (sums, 0), &scales)?;
    Ok(vec![image.made(made)])
}

pub(super) fn conv_transpose<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    let image = Image::of(trace, node)?;
    let (weight, bias) = (trace.input(node, 1)?, trace.optional(node, 2)?);
    let shape = kernel(&weight, &image)?;
    let mut windows = Windows::of(node, &image, Some([shape[2], shape[3]]))?;
    let mut extra = image.pair(node.ints("output_padding")?, 0)?;
    let wanted = node.ints("output_shape")?;
    let mode = node.word("auto_pad", "NOTSET")?;
    let same = matches!(&mode[..], "SAME_UPPER" | "SAME_LOWER");
    if let ("VALID", None) = (&mode[..], &wanted) {
        (windows.before, windows.after) = ([0; 2], [0; 2]);
    }
    if same || wanted.is_some() {
        let wanted = match wanted {
            Some(wanted) => {
                let behind = wanted.len().saturating_sub(image.spatial);
                image.pair(Some(wanted[behind..].to_vec()), 1)?
            }
            None => [0, 1].map(|at| image.size()[at].saturating_mul(windows.stride[at])),
        };
        for at in 0..2 {
            let full = windows.stride[at]
                .saturating_mul(image.size()[at] - 1)
                .saturating_add(windows.span(at))
                .saturating_add(extra[at]);
            let around = full.saturating_sub(wanted[at]);
            extra[at] = extra[at].saturating_add(wanted[at].saturating_sub(full));
            let less = around / 2;
            (windows.before[at], windows.after[at]) = match &mode[..] {
                "SAME_UPPER" => (less, around - less),
                _ => (around - less, less),
            };
        }
    }
    let groups = groups(node)?;
    let mut fields = windows.fields();
    fields.push(("extra", super::list(&extra)));
    fields.push(("groups", Given::Number(groups)));
    let mut tensors = vec![("weight", trace.tensor(&weight, &shape)?)];
    if let Some(bias) = bias {
        let outputs = shape[1].saturating_mul(groups as usize);
        tensors.push(("bias", trace.tensor(&bias, &[outputs])?));
    }
    let operands = [image.operand.clone()];
    let made = trace.emit(&node.outputs[0], "conv-transpose2d", fields, tensors, &operands)?;
    Ok(vec![image.made(made)])
}

pub(super) fn pool<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let image = Image::of(trace, node)?;
    let average = matches!(&node.operator[..], "AveragePool" | "GlobalAveragePool");
    let kind = if average { "average-pool" } else { "max-pool" };
    let mut fields = Vec::new();
    if node.operator.starts_with("Global") {
        fields.push(("size", super::list(&image.size())));
    } else {
        // The order of indices, which nobody reads: a second output is refused.
        node.pass_over(&["storage_order"]);
        let mut windows = Windows::of(node, &image, None)?;
        windows.pad_automatically(node, image.size())?;
        let counted = average && node.int("count_include_pad")?.unwrap_or(0) != 0;
        if node.int("ceil_mode")?.unwrap_or(0) != 0 {
            let before = windows.after;
            windows.round_up(image.size());
            if counted && windows.after != before {
                let expected =
                    "`ceil_mode` without `count_include_pad`, where windows reach past the end";
                return Err(Mismatch::new(expected, "both").into());
            }
        }
        fields.push(("size", super::list(&windows.kernel)));
        fields.extend(windows.fields());
        if average {
            fields.push(("count_padding", Given::Number(counted.into())));
        }
    }
    let made =
        trace.emit(&node.outputs[0], kind, fields, vec![], std::slice::from_ref(&image.operand))?;
    Ok(vec![image.made(made)])
}

pub(super) fn resize<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let image = Image::of(trace, node)?;
    let rank = image.value.shape.len();
    let old = node.operator == "Upsample" || trace.model.opset < 11;
    let mode = node.word("mode", "nearest")?;
    let places = if old { "asymmetric" } else { "half_pixel" };
    let places = node.word("coordinate_transformation_mode", places)?;
    let rounds = if old { "floor" } else { "round_prefer_floor" };
    let rounds = node.word("nearest_mode", rounds)?;
    node.pass_over(&["cubic_coeff_a", "exclude_outside", "extrapolation_value"]);
    for (key, value) in [("antialias", 0), ("keep_aspect_ratio_policy", 0)] {
        let given = match key {
            "antialias" => node.int(key)?.unwrap_or(0),
            _ => i64::from(node.word(key, "stretch")? != "stretch"),
        };
        if given != value {
            return Err(Mismatch::new(format!("no `{key}`"), "it").into());
        }
    }
    let axes = match node.ints("axes")? {
        Some(axes) => axes.iter().map(|at| axis(*at, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    let scales = match node.floats("scales")? {
        Some(scales) => Some(scales.into_iter().map(f64::from).collect::<Vec<f64>>()),
        None => {
            let at = if old { 1 } else { 2 };
            let scales = trace.numbers(node, at)?.filter(|scales| !scales.list.is_empty());
            scales.map(|scales| scales.list.iter().map(|number| number.value).collect())
        }
    };
    let sizes = if old { None } else { trace.numbers(node, 3)?.map(|sizes| sizes.ints()) };
    let sizes = sizes.filter(|sizes| !sizes.is_empty());
    // For each axis: its size after, and how many places it has for one before.
    let mut target: Vec<(usize, f64)> = image.value.shape.iter().map(|size| (*size, 1.0)).collect();
    let count = sizes.as_ref().map(Vec::len).or(scales.as_ref().map(Vec::len));
    if count != Some(axes.len()) {
        let expected = format!("{} scales or sizes", axes.len());
        return Err(Mismatch::new(expected, format!("{}", count.unwrap_or(0))).into());
    }
    for (at, along) in axes.iter().enumerate() {
        let from = image.value.shape[*along];
        target[*along] = match (&sizes, &scales) {
            (Some(sizes), _) => {
                let size = usize::try_from(sizes[at]).unwrap_or(0);
                (size, size as f64 / from as f64)
            }
            (None, Some(scales)) => {
                ((from as f32 * scales[at] as f32).floor() as usize, scales[at])
            }
            (None, None) => target[*along],
        };
    }
    if target[..2] != [(1, 1.0), (image.value.shape[1], 1.0)] {
        let found = format!("{:?}", target.iter().map(|(size, _)| *size).collect::<Vec<usize>>());
        let expected = format!("as many images and channels as {:?} has", image.value.shape);
        return Err(Mismatch::new(expected, found).into());
    }
    if trace.model.opset == 10
        && node.operator == "Resize"
        && target.iter().any(|(_, scale)| *scale < 1.0)
    {
        let expected = "an operator set other than 10, which leaves open how an image shrinks";
        return Err(Mismatch::new(expected, "one that shrinks").into());
    }
    let (rows, columns) = match image.spatial {
        1 => ((1, 1.0), target[2]),
        _ => (target[2], target[3]),
    };
    let word = |known: &[(&str, &'static str)], given: &str| {
        let found = known.iter().find(|(name, _)| *name == given);
        found.map(|(_, word)| Given::Word((*word).into())).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            Mismatch::new(format!("one of {}", names.join(", ")), format!("`{given}`"))
        })
    };
    let mode = word(&[("nearest", "nearest"), ("linear", "linear")], &mode)?;
    let places = word(
        &[
            ("half_pixel", "half-pixel"),
            ("asymmetric", "asymmetric"),
            ("align_corners", "align-corners"),
            ("pytorch_half_pixel", "pytorch-half-pixel"),
        ],
        &places,
    )?;
    let rounds = word(
        &[
            ("round_prefer_floor", "prefer-floor"),
            ("round_prefer_ceil", "prefer-ceil"),
            ("floor", "floor"),
            ("ceil", "ceil"),
        ],
        &rounds,
    )?;
    let fields = vec![
        ("size", super::list(&[rows.0, columns.0])),
        ("scale_rows", Given::Float(rows.1 as f32)),
        ("scale_columns", Given::Float(columns.1 as f32)),
        ("mode", mode),
        ("places", places),
        ("rounds", rounds),
    ];
    let made = trace.emit(
        &node.outputs[0],
        "resize",
        fields,
        vec![],
        std::slice::from_ref(&image.operand),
    )?;
    Ok(vec![image.made(made)])
}
