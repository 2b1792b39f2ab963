//! Max-pool on bits: the first maximum of each window; a NaN propagates or is passed over, padding too.

use super::bits::largest;
use super::dtype::Dtype;
use super::field::{Default, Field, Holds};
use super::shape::{Window, image, narrow};
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, Reach};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct MaxPool;

/// The fields of a window.
pub(super) const WINDOW: [Field; 4] = [
    Field { name: "size", holds: Holds::Pair(Default::Required), meaning: "of the window" },
    Field {
        name: "stride",
        holds: Holds::Pair(Default::As("size")),
        meaning: "from window to window, the size by default",
    },
    Field {
        name: "padding",
        holds: Holds::Sides(Default::Is(0)),
        meaning: "places around the image that belong to no window's figure, 0 by default",
    },
    Field {
        name: "dilation",
        holds: Holds::Pair(Default::Is(1)),
        meaning: "between neighbouring places of the window, 1 by default",
    },
];

/// The windows along rows and along columns, from the settings.
pub(super) fn windows(settings: &[u32]) -> [Window; 2] {
    let at = |index: usize| settings[index] as usize;
    [0, 1].map(|axis| Window {
        size: at(axis),
        stride: at(2 + axis),
        before: at(4 + axis),
        after: at(6 + axis),
        dilation: at(8 + axis),
    })
}

impl Operator for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn formula(&self) -> &'static str {
        "(C, H, W) of f32, i8 or u8 → (C, H′, W′): the largest of each window, of floats on bits"
    }

    fn fields(&self) -> &'static [Field] {
        &WINDOW
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [channels, height, width] = image(inputs[0])?;
        let [rows, columns] = windows(settings);
        Ok(vec![channels, rows.count(height)?, columns.count(width)?])
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        match inputs[0] {
            Dtype::F32 | Dtype::I8 | Dtype::U8 => Ok(inputs[0]),
            other => Err(Mismatch::new("an input of f32, i8 or u8", other.name())),
        }
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let mut params = params(call)?;
        params.extend([("nan_is_zero", u32::from(call.nan_is_zero)), ("blocks", call.blocks)]);
        let invocations = u64::from(call.output_words()) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("max_pool", 1, params, invocations);
        spec.constants.push(("X", call.inputs[0].dtype.code()));
        Some(spec)
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        let (rows, columns) = (u64::from(call.settings[0]), u64::from(call.settings[1]));
        rows * (1 + columns)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let (x, rows) = (call.inputs[0].shape, call.rows as usize);
        let [of_rows, of_columns] = windows(call.settings);
        let mut y = Vec::new();
        for channel in 0..call.output[0] {
            for row in 0..call.output[1] {
                for column in 0..call.output[2] {
                    let taps: Vec<usize> = (0..of_rows.size * of_columns.size)
                        .filter_map(|tap| {
                            let (dy, dx) = (tap / of_columns.size, tap % of_columns.size);
                            let at_row = of_rows.place(row, dy, x[1])?;
                            let at_column = of_columns.place(column, dx, x[2])?;
                            Some(((channel * x[1] + at_row) * x[2] + at_column) * rows)
                        })
                        .collect();
                    for lane_row in 0..rows {
                        let words = taps.iter().map(|tap| inputs[0][tap + lane_row]);
                        y.push(match call.inputs[0].dtype {
                            Dtype::I8 => {
                                words.map(u32::cast_signed).fold(-128, i32::max).cast_unsigned()
                            }
                            Dtype::U8 => words.fold(0, u32::max),
                            _ => largest(words, call.nan_is_zero),
                        });
                    }
                }
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let dtypes = match draws.random_range(0..4) {
            0 => vec![Dtype::I8],
            1 => vec![Dtype::U8],
            _ => Vec::new(),
        };
        Problem { dtypes, ..problem(draws) }
    }

    fn reach(&self, _: &[u32]) -> Reach {
        Reach::Apart
    }
}

/// What a kernel of windows is told, up to its own.
pub(super) fn params(call: &Call<'_>) -> Option<Vec<(&'static str, u32)>> {
    let [channels, height, width] = image(call.inputs[0].shape).ok()?;
    let s = call.settings;
    Some(vec![
        ("rows", call.rows),
        ("channels", narrow(channels)),
        ("height", narrow(height)),
        ("width", narrow(width)),
        ("window_rows", s[0]),
        ("window_columns", s[1]),
        ("stride_rows", s[2]),
        ("stride_columns", s[3]),
        ("pad_top", s[4]),
        ("pad_left", s[5]),
        ("dilation_rows", s[8]),
        ("dilation_columns", s[9]),
        ("out_height", narrow(call.output[1])),
        ("out_width", narrow(call.output[2])),
        ("x_base", call.inputs[0].base),
        ("x_stride", call.inputs[0].stride),
    ])
}

/// A problem of windows.
pub(super) fn problem(draws: &mut Xoshiro256PlusPlus) -> Problem {
    let size = [draws.random_range(1..4u32), draws.random_range(1..4u32)];
    let stride = [draws.random_range(1..4), draws.random_range(1..4)];
    let dilation = [draws.random_range(1..3), draws.random_range(1..3)];
    let reach = [0, 1].map(|axis| (size[axis] - 1) * dilation[axis] + 1);
    let mut side = |axis: usize| draws.random_range(0..reach[axis]);
    let padding = [side(0), side(1), side(0), side(1)];
    let settings = [&size[..], &stride, &padding, &dilation].concat();
    let height = draws.random_range(reach[0]..9) as usize;
    let width = draws.random_range(reach[1]..9) as usize;
    Problem {
        settings,
        rows: 4 * draws.random_range(1..6),
        shapes: vec![vec![draws.random_range(1..4), height, width]],
        stored: 0,
        dtypes: Vec::new(),
        exactness: Exactness::Bits,
        any_bits: false,
    }
}
