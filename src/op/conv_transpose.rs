//! Transposed convolution: each element of the input, times the kernel, adds to a window of the output;
//! channels, kernel rows and kernel columns ascending from +0 with fma; the bias last.

use super::field::{Default, Field, Holds};
use super::shape::{Shape, check_per_channel, image, narrow};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct ConvTranspose;

/// One direction of the windows that elements of the input add to.
#[derive(Clone, Copy)]
struct Reach {
    size: usize,
    stride: usize,
    before: usize,
    after: usize,
    dilation: usize,
    extra: usize,
}

fn reaches(settings: &[u32], kernel: [usize; 2]) -> [Reach; 2] {
    let at = |index: usize| settings[index] as usize;
    [0, 1].map(|axis| Reach {
        size: kernel[axis],
        stride: at(axis),
        before: at(2 + axis),
        after: at(4 + axis),
        dilation: at(6 + axis),
        extra: at(8 + axis),
    })
}

impl Reach {
    /// Places of the output of so many of the input.
    fn count(self, length: usize) -> Result<usize, Mismatch> {
        let Self { size, stride, before, after, dilation, extra } = self;
        if size == 0 || stride == 0 || dilation == 0 || length == 0 {
            let found = format!("size {size}, stride {stride}, dilation {dilation}");
            return Err(Mismatch::new("a size, a stride and a dilation of at least 1", found));
        }
        let all = (length - 1) * stride + (size - 1) * dilation + 1 + extra;
        match all.checked_sub(before + after) {
            Some(count @ 1..) => Ok(count),
            _ => Err(Mismatch::new(
                format!("padding below the {all} places of the output"),
                (before + after).to_string(),
            )),
        }
    }

    /// The place of the input that reaches place `to` of the output through tap `tap`.
    fn place(self, to: usize, tap: usize, length: usize) -> Option<usize> {
        let from = (to + self.before).checked_sub(tap * self.dilation)?;
        (from % self.stride == 0 && from / self.stride < length).then_some(from / self.stride)
    }
}

impl Operator for ConvTranspose {
    fn name(&self) -> &'static str {
        "conv-transpose2d"
    }

    fn formula(&self) -> &'static str {
        "(C, H, W) → (out, H′, W′): 2-D transposed convolution"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field {
                name: "weight",
                holds: Holds::Tensor {
                    required: true,
                    axes: &["input", "output", "row", "column"],
                },
                meaning: "shape (channels, outputs / groups, rows, columns)",
            },
            Field {
                name: "bias",
                holds: Holds::Tensor { required: false, axes: &["output"] },
                meaning: "shape (outputs)",
            },
            Field {
                name: "stride",
                holds: Holds::Pair(Default::Is(1)),
                meaning: "between the windows of neighbouring elements, 1 by default",
            },
            Field {
                name: "padding",
                holds: Holds::Sides(Default::Is(0)),
                meaning: "places of the output that are cut off, 0 by default",
            },
            Field {
                name: "dilation",
                holds: Holds::Pair(Default::Is(1)),
                meaning: "between neighbouring taps of the kernel, 1 by default",
            },
            Field {
                name: "extra",
                holds: Holds::Pair(Default::Is(0)),
                meaning: "places more at the end of the output, 0 by default",
            },
            Field {
                name: "groups",
                holds: Holds::Number(Default::Is(1)),
                meaning: "parts of the channels that do not see each other, 1 by default",
            },
        ]
    }

    fn axes(&self) -> &'static [&'static str] {
        &["channel", "row", "column"]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [channels, height, width] = image(inputs[0])?;
        let groups = settings[10] as usize;
        if groups == 0 || channels % groups != 0 {
            let expected = format!("groups that divide the {channels} channels");
            return Err(Mismatch::new(expected, groups.to_string()));
        }
        let (of_group, kernel) = match *inputs[1] {
            [of, outputs, rows, columns] if of == channels => (outputs, [rows, columns]),
            ref other => {
                let expected = format!("weight of shape ({channels}, out, rows, columns)");
                return Err(Mismatch::new(expected, Shape(other).to_string()));
            }
        };
        check_per_channel("bias", inputs.get(2), of_group * groups)?;
        let [rows, columns] = reaches(settings, kernel);
        Ok(vec![of_group * groups, rows.count(height)?, columns.count(width)?])
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [channels, height, width] = image(call.inputs[0].shape).ok()?;
        let [_, of_group, rows, columns] = *call.inputs[1].shape else { return None };
        let [outputs, out_height, out_width] = *call.output else { return None };
        let s = call.settings;
        let [x, weight] = [0, 1].map(|at| call.inputs[at]);
        let bias = call.inputs.get(2);
        let params = vec![
            ("rows", call.rows),
            ("blocks", call.blocks),
            ("channels", narrow(channels) / s[10]),
            ("height", narrow(height)),
            ("width", narrow(width)),
            ("of_group", narrow(of_group)),
            ("outputs", narrow(outputs)),
            ("kernel_rows", narrow(rows)),
            ("kernel_columns", narrow(columns)),
            ("stride_rows", s[0]),
            ("stride_columns", s[1]),
            ("pad_top", s[2]),
            ("pad_left", s[3]),
            ("dilation_rows", s[6]),
            ("dilation_columns", s[7]),
            ("out_height", narrow(out_height)),
            ("out_width", narrow(out_width)),
            ("x_base", x.base),
            ("x_stride", x.stride),
            ("w_base", weight.base),
            ("w_stride", weight.stride),
            ("b_base", bias.map_or(0, |bias| bias.base)),
            ("has_bias", u32::from(bias.is_some())),
            ("zero", 0),
        ];
        let invocations = u64::from(call.output_words()) * u64::from(call.blocks);
        // Weight and bias lie in one buffer.
        let bindings =
            vec![Bind::Words(0), Bind::Slots(0), Bind::Words(1), Bind::Slots(1), Bind::Output];
        Some(KernelSpec { bindings, ..KernelSpec::flat("conv_transpose", 2, params, invocations) })
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        let [channels, _, rows, columns] = *call.inputs[1].shape else { return 0 };
        let [channels, rows, columns] = [channels, rows, columns].map(|size| size as u64);
        channels / u64::from(call.settings[10].max(1)) * (1 + rows * (1 + columns))
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let (x, w) = (call.inputs[0].shape, call.inputs[1].shape);
        let (rows, channels) = (call.rows as usize, x[0] / call.settings[10] as usize);
        let [of_rows, of_columns] = reaches(call.settings, [w[2], w[3]]);
        let mut y = Vec::new();
        for output in 0..call.output[0] {
            let (group, of_group) = (output / w[1], output % w[1]);
            for (row, column) in
                (0..call.output[1]).flat_map(|row| (0..call.output[2]).map(move |c| (row, c)))
            {
                let mut sums = vec![0f32; rows];
                for channel in group * channels..(group + 1) * channels {
                    for (ky, kx) in (0..w[2]).flat_map(|ky| (0..w[3]).map(move |kx| (ky, kx))) {
                        let at = (of_rows.place(row, ky, x[1]), of_columns.place(column, kx, x[2]));
                        let (Some(at_row), Some(at_column)) = at else { continue };
                        let weight =
                            inputs[1][((channel * w[1] + of_group) * w[2] + ky) * w[3] + kx];
                        let feature = (channel * x[1] + at_row) * x[2] + at_column;
                        for (sum, word) in sums.iter_mut().zip(&inputs[0][feature * rows..]) {
                            *sum =
                                arithmetic.fma(f32::from_bits(*word), f32::from_bits(weight), *sum);
                        }
                    }
                }
                if let Some(bias) = inputs.get(2) {
                    sums.iter_mut().for_each(|sum| *sum += f32::from_bits(bias[output]));
                }
                y.extend(sums.iter().map(|sum| sum.to_bits()));
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let groups = draws.random_range(1..3usize);
        let (of_group, channels) =
            (draws.random_range(1..4), groups * draws.random_range(1..3usize));
        let mut draw = |least: u32, past: u32| draws.random_range(least..past);
        let kernel = [draw(2, 4), draw(2, 4)].map(|size| size as usize);
        let (stride, padding) = ([draw(1, 4), draw(1, 4)], [draw(0, 2), draw(0, 2), 0, draw(0, 2)]);
        let (dilation, extra) = ([draw(1, 3), draw(1, 3)], [draw(0, 2), draw(0, 2)]);
        let settings = [&stride[..], &padding, &dilation, &extra, &[narrow(groups)]].concat();
        let outputs = of_group * groups;
        let mut shapes = vec![
            vec![channels, draw(2, 5) as usize, draw(2, 5) as usize],
            vec![channels, of_group, kernel[0], kernel[1]],
            vec![outputs],
        ];
        shapes.truncate(draw(2, 4) as usize);
        Problem {
            settings,
            rows: 4 * draw(1, 4),
            stored: shapes.len() - 1,
            shapes,
            dtypes: Vec::new(),
            exactness: Exactness::Floats,
            any_bits: false,
        }
    }
}
