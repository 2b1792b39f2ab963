//! Ops that move elements and compute nothing: they share one shader, `shaders/arrange.wgsl`, and a table
//! of where each element of the output comes from.

use super::field::{Default, Field, Holds, lists};
use super::shape::{Shape, checked_words, input_mismatch, narrow, words};
use super::table::{OUTSIDE, Offsets, Table, broadcast, strides};
use super::{Arithmetic, Bind, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A way to move elements.
pub(super) struct Arrange {
    name: &'static str,
    formula: &'static str,
    fields: &'static [Field],
    /// Where the elements of the output lie in an input of this shape; one axis of offsets each.
    offsets: fn(&[u32], &[usize]) -> Result<Offsets, Mismatch>,
    /// Settings that a shape takes.
    draw: fn(&mut Xoshiro256PlusPlus, &[usize]) -> Vec<u32>,
    /// Whether elements outside the input have the last setting.
    fills: bool,
    /// The names of its output's axes, where they are not those of its input.
    axes: &'static [&'static str],
}

const fn list(name: &'static str, meaning: &'static str) -> Field {
    Field { name, holds: Holds::List(Default::Required), meaning }
}

/// Elements of what is moved, and of what becomes of it, at most: a table has a place for each.
const ELEMENTS_MAX: usize = 1 << 28;

/// Refuses shapes whose table would be too long.
fn check_length(sizes: impl Iterator<Item = usize>) -> Result<(), Mismatch> {
    let shape: Vec<usize> = sizes.collect();
    match checked_words(&shape) {
        Some(words) if words <= ELEMENTS_MAX => Ok(()),
        _ => {
            let expected = format!("values of {ELEMENTS_MAX} elements at most");
            Err(Mismatch::new(expected, Shape(&shape).to_string()))
        }
    }
}

/// A setting of one list.
fn listed(items: &[u32]) -> Vec<u32> {
    let mut settings = vec![narrow(items.len())];
    settings.extend(items);
    settings
}

fn one_each<'s, const N: usize>(
    settings: &'s [u32],
    input: &[usize],
) -> Result<[&'s [u32]; N], Mismatch> {
    let (lists, _) = lists::<N>(settings);
    match lists.iter().find(|list| list.len() != input.len()) {
        Some(list) => {
            let expected = format!("a number for each of the {} dimensions", input.len());
            Err(Mismatch::new(expected, format!("{} of them", list.len())))
        }
        None => Ok(lists),
    }
}

pub(super) static TRANSPOSE: Arrange = Arrange {
    name: "transpose",
    formula: "any shape → its dimensions in another order",
    fields: &[list("axes", "the dimension of the input that each one of the output is")],
    offsets: |settings, input| {
        let [axes] = one_each(settings, input)?;
        let steps = strides(input);
        let mut seen = vec![false; input.len()];
        for axis in axes {
            match seen.get_mut(*axis as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => {
                    let expected = format!("each of the {} dimensions once", input.len());
                    return Err(Mismatch::new(expected, axis.to_string()));
                }
            }
        }
        let (sizes, steps): (Vec<usize>, Vec<usize>) =
            axes.iter().map(|axis| (input[*axis as usize], steps[*axis as usize])).unzip();
        Ok(Offsets::steps(&sizes, &steps))
    },
    draw: |draws, shape| {
        let mut axes: Vec<u32> = (0..narrow(shape.len())).collect();
        for at in (1..axes.len()).rev() {
            axes.swap(at, draws.random_range(0..=at));
        }
        listed(&axes)
    },
    fills: false,
    axes: &[],
};

pub(super) static SLICE: Arrange = Arrange {
    name: "slice",
    formula: "any shape → some places of each dimension",
    fields: &[
        list("starts", "the first place, from 0"),
        list("counts", "how many places"),
        list("steps", "places from one to the next"),
        Field {
            name: "backward",
            holds: Holds::List(Default::Is(0)),
            meaning: "dimensions whose places are taken from the first one down; none by default",
        },
    ],
    offsets: |settings, input| {
        let [starts, counts, steps] = one_each(settings, input)?;
        let ([_, _, _, backward], _) = lists::<4>(settings);
        let strides = strides(input);
        let axis = |axis: usize| {
            let (start, step) = (starts[axis] as usize, steps[axis] as usize);
            let down = backward.contains(&narrow(axis));
            let at = |number: usize| {
                let by = number * step;
                let place = if down { start.checked_sub(by)? } else { start + by };
                (place < input[axis]).then(|| narrow(place * strides[axis]))
            };
            (0..counts[axis] as usize).map(at).collect::<Option<Vec<u32>>>().ok_or_else(|| {
                let expected = format!("places within dimension {axis} of {}", Shape(input));
                Mismatch::new(expected, format!("{} from {start}", counts[axis]))
            })
        };
        (0..input.len()).map(axis).collect::<Result<_, _>>().map(Offsets)
    },
    draw: |draws, shape| {
        let (mut starts, mut counts, mut steps, mut backward) = (vec![], vec![], vec![], vec![]);
        for (axis, size) in (0..).zip(shape) {
            let size = narrow(*size);
            let start = draws.random_range(0..size);
            let step = draws.random_range(1..3);
            let down = draws.random_bool(0.3);
            let room = if down { start } else { size - 1 - start };
            if down {
                backward.push(axis);
            }
            starts.push(start);
            counts.push(draws.random_range(1..=room / step + 1));
            steps.push(step);
        }
        [starts, counts, steps, backward].iter().flat_map(|items| listed(items)).collect()
    },
    fills: false,
    axes: &[],
};

pub(super) static EXPAND: Arrange = Arrange {
    name: "expand",
    formula: "any shape → a shape that it broadcasts to; a stored tensor gives a value",
    fields: &[list("shape", "that of the output")],
    offsets: |settings, input| {
        let ([shape], _) = lists::<1>(settings);
        let shape: Vec<usize> = shape.iter().map(|size| *size as usize).collect();
        check_length(shape.iter().copied())?;
        if broadcast(input, &shape)? != shape {
            let expected = format!("a shape that {} broadcasts to", Shape(input));
            return Err(Mismatch::new(expected, Shape(&shape).to_string()));
        }
        Ok(Offsets::broadcast(input, &shape))
    },
    draw: |draws, shape| {
        let wider = |size: &usize| match size {
            1 => draws.random_range(1..4),
            size => narrow(*size),
        };
        listed(&shape.iter().map(wider).collect::<Vec<u32>>())
    },
    fills: false,
    axes: &[],
};

pub(super) static TILE: Arrange = Arrange {
    name: "tile",
    formula: "any shape → the input again and again along each dimension",
    fields: &[list("repeats", "how often along each dimension")],
    offsets: |settings, input| {
        let [repeats] = one_each(settings, input)?;
        let longer = input.iter().zip(repeats);
        check_length(longer.map(|(size, n)| size.saturating_mul(*n as usize)))?;
        let once = Offsets::steps(input, &strides(input)).0;
        Ok(Offsets(once.iter().zip(repeats).map(|(axis, n)| axis.repeat(*n as usize)).collect()))
    },
    draw: |draws, shape| {
        listed(&shape.iter().map(|_| draws.random_range(1..3)).collect::<Vec<u32>>())
    },
    fills: false,
    axes: &[],
};

pub(super) static TAKE: Arrange = Arrange {
    name: "take",
    formula: "any shape → places of one dimension, by number",
    fields: &[
        list("places", "which places, from 0"),
        Field {
            name: "axis",
            holds: Holds::Number(Default::Is(0)),
            meaning: "the dimension, 0 by default",
        },
    ],
    offsets: |settings, input| {
        let ([places], left) = lists::<1>(settings);
        let axis = left[0] as usize;
        let mut all = Offsets::steps(input, &strides(input)).0;
        let Some(along) = all.get_mut(axis) else {
            let expected = format!("a dimension of {}", Shape(input));
            return Err(Mismatch::new(expected, axis.to_string()));
        };
        let taken = places.iter().map(|place| along.get(*place as usize).copied());
        *along = taken.collect::<Option<Vec<u32>>>().ok_or_else(|| {
            let found = places.iter().max().copied().unwrap_or(0);
            Mismatch::new(format!("places below {}", input[axis]), found.to_string())
        })?;
        Ok(Offsets(all))
    },
    draw: |draws, shape| {
        let axis = draws.random_range(0..shape.len());
        let size = narrow(shape[axis]);
        let places: Vec<u32> =
            (0..draws.random_range(1..4)).map(|_| draws.random_range(0..size)).collect();
        [listed(&places), vec![narrow(axis)]].concat()
    },
    fills: false,
    axes: &[],
};

/// How what lies around an input follows from it.
const PADS: &[&str] = &["constant", "edge", "reflect", "wrap"];

pub(super) static PAD: Arrange = Arrange {
    name: "pad",
    formula: "any shape → the same with more places around it",
    fields: &[
        list("before", "places before the first of each dimension"),
        list("after", "places after the last"),
        Field {
            name: "mode",
            holds: Holds::Choice(PADS),
            meaning: "what they hold: `constant` (by default), `edge`, `reflect` or `wrap`",
        },
        Field { name: "value", holds: Holds::Real(0.0), meaning: "of a constant, 0 by default" },
    ],
    offsets: |settings, input| {
        let [before, after] = one_each(settings, input)?;
        let (_, left) = lists::<2>(settings);
        let around = before.iter().zip(after).map(|(a, b)| *a as usize + *b as usize);
        check_length(input.iter().zip(around).map(|(size, around)| size.saturating_add(around)))?;
        let strides = strides(input);
        let axis = |axis: usize| {
            let (size, before) = (input[axis], before[axis] as usize);
            let at = |place: usize| {
                let inside = place.checked_sub(before).filter(|place| *place < size);
                let place = match (inside, left[0]) {
                    (Some(place), _) => place,
                    (None, 0) => return Ok(OUTSIDE),
                    (None, 1) => place.saturating_sub(before).min(size - 1),
                    (None, mode) => {
                        let away =
                            if place < before { before - place } else { place - before - size + 1 };
                        if away > size - usize::from(mode == 2) {
                            let expected =
                                format!("no more places around dimension {axis} than it has");
                            return Err(Mismatch::new(expected, away.to_string()));
                        }
                        match (mode, place < before) {
                            (2, true) => away,
                            (2, false) => size - 1 - away,
                            (_, true) => size - away,
                            (_, false) => away - 1,
                        }
                    }
                };
                Ok(narrow(place * strides[axis]))
            };
            (0..before + size + after[axis] as usize).map(at).collect::<Result<Vec<u32>, _>>()
        };
        (0..input.len()).map(axis).collect::<Result<_, _>>().map(Offsets)
    },
    draw: |draws, shape| {
        let mode = draws.random_range(0..4);
        let mut around = || -> Vec<u32> {
            let most = |size: &usize| (narrow(*size) - u32::from(mode == 2)).min(3);
            shape.iter().map(|size| draws.random_range(0..=most(size))).collect()
        };
        [listed(&around()), listed(&around()), vec![mode, 1.5f32.to_bits()]].concat()
    },
    fills: true,
    axes: &[],
};

pub(super) static CACHE: Arrange = Arrange {
    name: "cache",
    formula: "(2 · groups, d, tokens) → (2, groups, d, `prompt`): keys and values of the prompt's tokens, as \
              a decoder keeps them",
    fields: &[Field {
        name: "prompt",
        holds: Holds::Number(Default::Required),
        meaning: "tokens of the prompt",
    }],
    offsets: |settings, input| {
        let (&[doubled, dimensions, tokens], prompt) = (input, settings[0] as usize) else {
            return Err(input_mismatch("(2 · groups, dimensions, tokens)", input));
        };
        if doubled % 2 != 0 || prompt == 0 || prompt > tokens {
            let expected =
                "keys and values of shape (2 · groups, dimensions, the prompt's tokens or more)";
            let found = format!("{} with a prompt of {prompt}", Shape(input));
            return Err(Mismatch::new(expected, found));
        }
        let groups = doubled / 2;
        let steps = [groups * dimensions * tokens, dimensions * tokens, tokens, 1];
        Ok(Offsets::steps(&[2, groups, dimensions, prompt], &steps))
    },
    draw: |draws, shape| vec![draws.random_range(1..=narrow(shape.last().copied().unwrap_or(1)))],
    fills: false,
    axes: &["part", "head", "dimension", "position"],
};

impl Arrange {
    fn table(&self, call: &Call<'_>) -> Table {
        let offsets = (self.offsets)(call.settings, call.inputs[0].shape).unwrap_or_default();
        Table(vec![vec![offsets]])
    }

    fn fill(&self, settings: &[u32]) -> u32 {
        if self.fills { settings.last().copied().unwrap_or(0) } else { 0 }
    }
}

impl Operator for Arrange {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn fields(&self) -> &'static [Field] {
        self.fields
    }

    fn axes(&self) -> &'static [&'static str] {
        self.axes
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        check_length(inputs[0].iter().copied())?;
        let offsets = (self.offsets)(settings, inputs[0])?;
        Ok(offsets.0.iter().map(Vec::len).collect())
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        Ok(inputs[0])
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let (places, x) = (call.output_words() / 4, call.inputs[0]);
        let params = vec![
            ("places", places),
            ("blocks", call.blocks),
            ("quads", call.rows / 4),
            ("x_base", x.base),
            ("x_stride", x.stride),
            ("fill", self.fill(call.settings)),
        ];
        let invocations = u64::from(places) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("arrange", 1, params, invocations);
        spec.constants.push(("STORED", u32::from(x.stored)));
        spec.bindings.push(Bind::Table);
        spec.table = self.table(call);
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let fill = self.fill(call.settings);
        let mut y = Vec::with_capacity(words(call.output) as usize * rows);
        for offset in self.table(call).words() {
            let offset = offset as usize;
            match (offset, call.inputs[0].stored) {
                (at, _) if at == OUTSIDE as usize => y.extend(vec![fill; rows]),
                (at, true) => y.extend(vec![inputs[0][at]; rows]),
                (at, false) => y.extend(&inputs[0][at * rows..][..rows]),
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let dimensions = if self.axes.is_empty() { draws.random_range(1..4) } else { 3 };
        let mut shape: Vec<usize> = (0..dimensions).map(|_| draws.random_range(1..6)).collect();
        if !self.axes.is_empty() {
            shape[0] *= 2;
        }
        Problem {
            settings: (self.draw)(draws, &shape),
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape],
            stored: usize::from(draws.random_bool(0.2)),
            dtypes: Vec::new(),
            exactness: Exactness::Bits,
            any_bits: true,
        }
    }
}
