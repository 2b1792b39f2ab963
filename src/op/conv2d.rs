//! Conv2d: cross-correlation, channels, kernel rows and kernel columns ascending from +0 with fma; padding
//! is skipped, not added; the bias last.

use super::dtype::{Dtype, stored_floats};
use super::field::{Default, Field, Holds};
use super::shape::{Shape, Window, check_per_channel, image, narrow, words};
use super::tile::Tiles;
use super::weights;
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, Reach};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::ops::Range;

/// The op, of floats or of weights that are quantised numbers.
pub(super) struct Conv2d {
    quantised: bool,
}

pub(super) static CONV2D: Conv2d = Conv2d { quantised: false };
pub(super) static CONV2D_I8: Conv2d = Conv2d { quantised: true };

pub(super) const WEIGHT_AXES: &[&str] = &["output", "input", "row", "column"];
const WEIGHT: Field = Field {
    name: "weight",
    holds: Holds::Tensor { required: true, axes: WEIGHT_AXES },
    meaning: "shape (outputs, channels / groups, rows, columns)",
};
const BIAS: Field = Field {
    name: "bias",
    holds: Holds::Tensor { required: false, axes: &["output"] },
    meaning: "shape (outputs)",
};
pub(super) const STRIDE: Field = Field {
    name: "stride",
    holds: Holds::Pair(Default::Is(1)),
    meaning: "between neighbouring outputs, 1 by default",
};
pub(super) const PADDING: Field = Field {
    name: "padding",
    holds: Holds::Sides(Default::Is(0)),
    meaning: "zeros around the image, skipped and not added, 0 by default",
};
pub(super) const DILATION: Field = Field {
    name: "dilation",
    holds: Holds::Pair(Default::Is(1)),
    meaning: "between neighbouring taps of the kernel, 1 by default",
};
pub(super) const GROUPS: Field = Field {
    name: "groups",
    holds: Holds::Number(Default::Is(1)),
    meaning: "parts of the channels that do not see each other, 1 by default",
};

/// The windows along rows and along columns of a kernel of this size, from the settings.
fn windows(settings: &[u32], kernel: [usize; 2]) -> [Window; 2] {
    let at = |index: usize| settings[index] as usize;
    [0, 1].map(|axis| Window {
        size: kernel[axis],
        stride: at(axis),
        before: at(2 + axis),
        after: at(4 + axis),
        dilation: at(6 + axis),
    })
}

/// Columns of the output that one invocation of the kernel of single channels computes.
const COLUMNS: u32 = 4;
/// Columns of the input that it can hold.
const WINDOW_MAX: u32 = 16;
/// Outputs of an input channel from which on the common kernel is better: it computes 8 of them at once.
const OUTPUTS_MAX: u32 = 4;

/// The kernel where each group has one input channel and few outputs.
fn depthwise(call: &Call<'_>) -> Option<KernelSpec> {
    let [x, weight] = [call.inputs[0], call.inputs[1]];
    let [_, height, width] = image(x.shape).ok()?;
    let [_, 1, rows, columns] = *weight.shape else { return None };
    let [channels, out_height, out_width] =
        call.output.iter().map(|side| narrow(*side)).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let s = call.settings;
    let outputs = channels / s[8];
    let reach = (COLUMNS - 1)
        .saturating_mul(s[1])
        .saturating_add((narrow(columns) - 1).saturating_mul(s[7]));
    if s[8] == 1 || outputs >= OUTPUTS_MAX || reach >= WINDOW_MAX {
        return None;
    }
    let bias = call.inputs.get(2);
    let [w_base, w_stride] = weight.in_elements();
    let quads = call.rows / 4;
    let params = vec![
        ("quads", quads),
        ("blocks", call.blocks),
        ("outputs", outputs),
        ("height", narrow(height)),
        ("width", narrow(width)),
        ("kernel_rows", narrow(rows)),
        ("stride_rows", s[0]),
        ("pad_top", s[2]),
        ("pad_left", s[3]),
        ("dilation_rows", s[6]),
        ("channels", channels),
        ("out_height", out_height),
        ("out_width", out_width),
        ("has_bias", u32::from(bias.is_some())),
        ("x_base", x.base / 4),
        ("x_stride", x.stride / 4),
        ("w_base", w_base),
        ("w_stride", w_stride),
        ("b_base", bias.map_or(0, |bias| bias.in_elements()[0])),
    ];
    let lines = u64::from(channels) * u64::from(out_height);
    let invocations = lines * u64::from(out_width.div_ceil(COLUMNS)) * u64::from(quads);
    let mut spec = KernelSpec::flat("depthwise", 2, params, invocations);
    spec.depth = call.blocks;
    spec.constants.push(("STORED", weight.dtype.code()));
    spec.constants.push(("KERNEL_COLUMNS", narrow(columns)));
    spec.constants.push(("STRIDE_COLUMNS", s[1]));
    spec.constants.push(("DILATION_COLUMNS", s[7]));
    Some(spec)
}

/// The products of every pixel of an output channel: which tap meets which feature of the input.
pub(super) fn pixels(call: &Call<'_>, output: usize) -> impl Iterator<Item = Vec<(usize, usize)>> {
    let (x, w) = (call.inputs[0].shape, call.inputs[1].shape);
    let per_group = w[0] / call.settings[8] as usize;
    let [of_rows, of_columns] = windows(call.settings, [w[2], w[3]]);
    let width = call.output[2];
    (0..call.output[1] * width).map(move |pixel| {
        let met = (0..w[1] * w[2] * w[3]).filter_map(|tap| {
            let (kx, ky) = (tap % w[3], tap / w[3] % w[2]);
            let channel = output / per_group * w[1] + tap / w[3] / w[2];
            let row = of_rows.place(pixel / width, ky, x[1])?;
            let column = of_columns.place(pixel % width, kx, x[2])?;
            Some((tap, (channel * x[1] + row) * x[2] + column))
        });
        met.collect()
    })
}

impl Operator for Conv2d {
    fn name(&self) -> &'static str {
        if self.quantised { "conv2d-i8" } else { "conv2d" }
    }

    fn formula(&self) -> &'static str {
        match self.quantised {
            false => "(C, H, W) → (out, H′, W′): 2-D cross-correlation",
            true => {
                "`conv2d` of weights (w − zero)·scale, and a bias of floats or b·bias_scale, in f32"
            }
        }
    }

    fn fields(&self) -> &'static [Field] {
        const PLAIN: &[Field] = &[WEIGHT, BIAS, STRIDE, PADDING, DILATION, GROUPS];
        const QUANTISED: &[Field] = &[
            WEIGHT,
            weights::SCALE,
            weights::ZERO,
            BIAS,
            weights::BIAS_SCALE,
            STRIDE,
            PADDING,
            DILATION,
            GROUPS,
        ];
        if self.quantised { QUANTISED } else { PLAIN }
    }

    fn axes(&self) -> &'static [&'static str] {
        &["channel", "row", "column"]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [channels, height, width] = image(inputs[0])?;
        let groups = settings[8] as usize;
        if groups == 0 || channels % groups != 0 {
            let expected = format!("groups that divide the {channels} channels");
            return Err(Mismatch::new(expected, groups.to_string()));
        }
        let of_group = channels / groups;
        let (outputs, kernel) = match *inputs[1] {
            [outputs, of, rows, columns] if of == of_group => (outputs, [rows, columns]),
            ref other => {
                let expected = format!("weight of shape (out, {of_group}, rows, columns)");
                return Err(Mismatch::new(expected, Shape(other).to_string()));
            }
        };
        if outputs % groups != 0 {
            let expected = format!("outputs that {groups} groups divide");
            return Err(Mismatch::new(expected, outputs.to_string()));
        }
        match self.quantised {
            true => weights::check(inputs, outputs)?,
            false => check_per_channel("bias", inputs.get(2), outputs)?,
        }
        let [rows, columns] = windows(settings, kernel);
        Ok(vec![outputs, rows.count_all(height)?, columns.count_all(width)?])
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        if self.quantised { weights::dtype(inputs) } else { stored_floats(inputs, 1) }
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [_, height, width] = image(call.inputs[0].shape).ok()?;
        let [_, of_group, rows, columns] = *call.inputs[1].shape else { return None };
        let [outputs, out_height, out_width] = *call.output else { return None };
        let s = call.settings;
        if let Some(spec) = depthwise(call).filter(|_| !self.quantised) {
            return Some(spec);
        }
        // Where every output reads the pixel where it lies, pixels are as good as rows: an invocation then
        // takes several, for which it loads a weight once.
        let lies = [rows, columns] == [1, 1] && s[..6] == [1, 1, 0, 0, 0, 0];
        let pixels = narrow(out_height * out_width);
        let (cells, [height, width, out_height, out_width]) = match lies {
            true => (1, [1; 4]),
            false => (pixels, [height, width, out_height, out_width].map(narrow)),
        };
        let tiles = Tiles {
            quads: call.rows.div_ceil(4) * if lies { pixels } else { 1 },
            cells,
            outputs: narrow(outputs) / s[8],
            groups: s[8],
            units: narrow(of_group),
        };
        let params = vec![
            ("quads", tiles.quads),
            ("channels", narrow(of_group)),
            ("height", height),
            ("width", width),
            ("outputs", tiles.outputs),
            ("kernel_rows", narrow(rows)),
            ("kernel_columns", narrow(columns)),
            ("stride_rows", s[0]),
            ("stride_columns", s[1]),
            ("pad_top", s[2]),
            ("pad_left", s[3]),
            ("dilation_rows", s[6]),
            ("dilation_columns", s[7]),
            ("groups", s[8]),
            ("out_height", out_height),
            ("out_width", out_width),
        ];
        Some(tiles.kernel("conv2d", call, params))
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        let [.., channels, rows, columns] = *call.inputs[1].shape else { return 0 };
        let [channels, rows, columns] = [channels, rows, columns].map(|size| size as u64);
        channels * (1 + rows * (1 + columns))
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let (rows, w) = (call.rows as usize, call.inputs[1].shape);
        let taps = w[1] * w[2] * w[3];
        let dequantised = self.quantised.then(|| weights::dequantised(call, inputs));
        let (weight, bias) = match &dequantised {
            Some((weight, bias)) => (&weight[..], bias.as_deref()),
            None => (inputs[1], inputs.get(2).copied()),
        };
        let mut y = Vec::new();
        for (output, weights) in weight.chunks(taps).enumerate() {
            for met in pixels(call, output) {
                let mut sums = vec![0f32; rows];
                for (tap, feature) in met {
                    let w = f32::from_bits(weights[tap]);
                    for (sum, word) in sums.iter_mut().zip(&inputs[0][feature * rows..]) {
                        *sum = arithmetic.fma(f32::from_bits(*word), w, *sum);
                    }
                }
                if let Some(bias) = bias {
                    sums.iter_mut().for_each(|sum| *sum += f32::from_bits(bias[output]));
                }
                y.extend(sums.iter().map(|sum| sum.to_bits()));
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let groups = draws.random_range(1..4usize);
        let (of_group, per_group) = (draws.random_range(1..4), draws.random_range(1..11));
        let kernel = [draws.random_range(1..4usize), draws.random_range(1..4usize)];
        let dilation = [draws.random_range(1..3usize), draws.random_range(1..3usize)];
        let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
        let mut side = |axis: usize| narrow(draws.random_range(0..reach[axis] + 2));
        let padding = [side(0), side(1), side(0), side(1)];
        let stride = [draws.random_range(1..4), draws.random_range(1..4)];
        let dilation = dilation.map(narrow);
        let settings = [&stride[..], &padding, &dilation, &[narrow(groups)]].concat();
        let height = draws.random_range(reach[0]..8);
        let width = draws.random_range(reach[1]..8);
        let outputs = groups * per_group;
        let mut shapes = vec![
            vec![groups * of_group, height, width],
            vec![outputs, of_group, kernel[0], kernel[1]],
            vec![outputs],
        ];
        shapes.truncate(draws.random_range(2..4));
        let dtypes = match self.quantised {
            true => weights::draw(draws, &mut shapes),
            false => Vec::new(),
        };
        Problem {
            settings,
            rows: 4 * draws.random_range(1..12),
            stored: shapes.len() - 1,
            shapes,
            dtypes,
            exactness: Exactness::Floats,
            any_bits: false,
        }
    }

    fn reach(&self, settings: &[u32]) -> Reach {
        if settings[8] == 1 && !self.quantised { Reach::Units } else { Reach::All }
    }

    fn meets(&self, settings: &[u32], shapes: [&[usize]; 2], tap: u32) -> Option<Range<u32>> {
        let [plane, taps] = [&shapes[0][1..], &shapes[1][2..]].map(words);
        let channel = tap / taps;
        (settings[8] == 1).then_some(channel * plane..(channel + 1) * plane)
    }

    fn splits_units(&self, settings: &[u32]) -> bool {
        settings[8] == 1 && !self.quantised
    }

    fn splits_sums(&self, settings: &[u32]) -> bool {
        settings[8] == 1 && !self.quantised
    }
}
