//! Resize of the two last dimensions of a value, linear between neighbours or the nearest of them, as
//! ONNX's Resize defines the places (operator set 19).

use super::field::{Default, Field, Holds};
use super::shape::{image, narrow, words};
use super::table::{Offsets, Table};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Resize;

/// Between which elements a place of the output lies, and how far it is from the first.
const MODES: &[&str] = &["nearest", "linear"];

/// How a place of the output becomes one of the input.
const PLACES: &[&str] = &["half-pixel", "asymmetric", "align-corners", "pytorch-half-pixel"];

/// Which neighbour is the nearest where both are as near.
const ROUNDS: &[&str] = &["prefer-floor", "prefer-ceil", "floor", "ceil"];

/// Where places of an output lie in the input along one dimension: the elements before and behind each, and
/// the share of the one behind.
#[expect(clippy::cast_possible_truncation, reason = "places are clamped to the input")]
fn along(settings: &[u32], axis: usize, from: usize) -> Vec<(usize, usize, f32)> {
    let to = settings[axis] as usize;
    let scale = f32::from_bits(settings[2 + axis]);
    let [mode, places, rounds] = [settings[4], settings[5], settings[6]];
    let (last, size) = ((from - 1) as f32, to as f32);
    let place = |at: usize| {
        let x = at as f32;
        let x = match places {
            0 => (x + 0.5) / scale - 0.5,
            1 => x / scale,
            2 if to == 1 => 0.0,
            2 => x * last / (size - 1.0),
            _ if to == 1 => 0.0,
            _ => (x + 0.5) / scale - 0.5,
        };
        if mode == 0 {
            let nearest = match rounds {
                0 if x == x.floor() + 0.5 => x.floor(),
                0 => x.round(),
                1 => x.round(),
                2 => x.floor(),
                _ => x.ceil(),
            };
            let nearest = nearest.clamp(0.0, last) as usize;
            return (nearest, nearest, 0.0);
        }
        let x = x.clamp(0.0, last);
        let before = x.floor();
        (before as usize, (before as usize + 1).min(from - 1), x - before)
    };
    (0..to).map(place).collect()
}

/// For each row of an output: the rows before and behind it and the share of the latter; for each column
/// likewise.
fn table(settings: &[u32], input: &[usize]) -> Table {
    let Ok([_, height, width]) = image(input) else { return Table::default() };
    let part = |axis: usize, from: usize, step: usize| {
        let all = along(settings, axis, from);
        let of = |number: fn(&(usize, usize, f32)) -> usize| {
            Offsets(vec![all.iter().map(|place| narrow(number(place) * step)).collect()])
        };
        let shares = Offsets(vec![all.iter().map(|place| place.2.to_bits()).collect()]);
        vec![of(|place| place.0), of(|place| place.1), shares]
    };
    Table(vec![part(0, height, width), part(1, width, 1)])
}

impl Operator for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn formula(&self) -> &'static str {
        "(C, H, W) → (C, H′, W′): the nearest elements, or linear between neighbours"
    }

    fn fields(&self) -> &'static [Field] {
        const SCALE: Holds = Holds::Float(1.0);
        &[
            Field {
                name: "size",
                holds: Holds::Pair(Default::Required),
                meaning: "rows and columns of the output",
            },
            Field {
                name: "scale_rows",
                holds: SCALE,
                meaning: "rows of the output for each of the input",
            },
            Field { name: "scale_columns", holds: SCALE, meaning: "columns likewise" },
            Field {
                name: "mode",
                holds: Holds::Choice(MODES),
                meaning: "`nearest` (by default) or `linear`",
            },
            Field {
                name: "places",
                holds: Holds::Choice(PLACES),
                meaning: "`half-pixel` (by default), `asymmetric`, `align-corners` or `pytorch-half-pixel`",
            },
            Field {
                name: "rounds",
                holds: Holds::Choice(ROUNDS),
                meaning: "of the nearest: `prefer-floor` (by default), `prefer-ceil`, `floor` or `ceil`",
            },
        ]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [channels, height, width] = image(inputs[0])?;
        if height == 0 || width == 0 || settings[..2].contains(&0) {
            return Err(Mismatch::new("images of at least one element", "none"));
        }
        Ok(vec![channels, settings[0] as usize, settings[1] as usize])
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [_, height, width] = image(call.inputs[0].shape).ok()?;
        let words = call.output_words();
        let table = table(call.settings, call.inputs[0].shape);
        let params = vec![
            ("words", words),
            ("blocks", call.blocks),
            ("rows", call.rows),
            ("plane", narrow(height * width)),
            ("out_height", narrow(call.output[1])),
            ("out_width", narrow(call.output[2])),
            ("x_base", call.inputs[0].base),
            ("x_stride", call.inputs[0].stride),
            ("columns", table.start(1)),
            ("linear", call.settings[4]),
            ("zero", 0),
            ("pad", 0),
        ];
        let invocations = u64::from(words) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("resize", 1, params, invocations);
        spec.bindings.push(Bind::Table);
        spec.table = table;
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let shape = call.inputs[0].shape;
        let rows = call.rows as usize;
        let (down, right) = (along(call.settings, 0, shape[1]), along(call.settings, 1, shape[2]));
        let mut y = Vec::with_capacity(words(call.output) as usize * rows);
        for channel in 0..shape[0] {
            for (top, bottom, below) in &down {
                for (left, next, beside) in &right {
                    for row in 0..rows {
                        let word = |at_row: usize, column: usize| {
                            inputs[0]
                                [((channel * shape[1] + at_row) * shape[2] + column) * rows + row]
                        };
                        if call.settings[4] == 0 {
                            y.push(word(*top, *left));
                            continue;
                        }
                        let x = |at_row, column| f32::from_bits(word(at_row, column));
                        let between = |a: f32, b: f32, share| arithmetic.fma(b - a, share, a);
                        let above = between(x(*top, *left), x(*top, *next), *beside);
                        let under = between(x(*bottom, *left), x(*bottom, *next), *beside);
                        y.push(between(above, under, *below).to_bits());
                    }
                }
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let mut size = || draws.random_range(1..6usize);
        let (shape, to) = (vec![size().min(3), size(), size()], [size(), size()]);
        let scale = |axis: usize| (to[axis] as f32 / shape[1 + axis] as f32).to_bits();
        let settings = vec![
            narrow(to[0]),
            narrow(to[1]),
            scale(0),
            scale(1),
            draws.random_range(0..2),
            draws.random_range(0..4),
            draws.random_range(0..4),
        ];
        Problem {
            settings,
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape],
            stored: 0,
            dtypes: Vec::new(),
            exactness: Exactness::Floats,
            any_bits: false,
        }
    }
}
