//! Quantised numbers: what makes them of floats, floats of them, and quantised numbers of integer sums. They
//! share one shader, `shaders/quantize.wgsl`. As ONNX's `QuantizeLinear`, `DequantizeLinear` and the
//! quantised products define it, in the arithmetic of F32.

use super::bits::is_nan;
use super::dtype::{float, quantised};
use super::field::{Default, Field, Holds};
use super::shape::{Shape, narrow, words};
use super::{
    Arithmetic, Bind, Call, Dtype, Exactness, InputPlace, KernelSpec, Mismatch, Operator, Problem,
};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// One of the ops.
pub(super) struct Quantize {
    name: &'static str,
    formula: &'static str,
    /// Its case in the shader.
    code: u32,
    fields: &'static [Field],
}

const fn tensor(name: &'static str, required: bool, meaning: &'static str) -> Field {
    Field { name, holds: Holds::Tensor { required, axes: &["channel"] }, meaning }
}

const AXIS: Field = Field {
    name: "axis",
    holds: Holds::Number(Default::Is(0)),
    meaning: "the dimension that tensors of several elements have one for, 0 by default",
};

const SCALE: Field = tensor("scale", true, "f32, one for all or one for each place of the axis");

pub(super) static QUANTIZE: Quantize = Quantize {
    name: "quantize",
    formula: "any shape of f32 → the same of the type of `zero`: x / scale, rounded to even, + zero, \
              within the type; a NaN becomes its least number",
    code: 0,
    fields: &[SCALE, tensor("zero", true, "i8 or u8, as many"), AXIS],
};
pub(super) static DEQUANTIZE: Quantize = Quantize {
    name: "dequantize",
    formula: "any shape of i8, u8 or i32 → the same of f32: (x − zero) · scale",
    code: 1,
    fields: &[SCALE, tensor("zero", true, "of the type of the input, as many"), AXIS],
};
pub(super) static REQUANTIZE: Quantize = Quantize {
    name: "requantize",
    formula: "any shape of i32 → the same of the type of `zero`: (x + bias) · (input_scale · \
              weight_scale / output_scale), rounded to even, + zero, within the type",
    code: 2,
    fields: &[
        tensor("input_scale", true, "f32, one"),
        tensor("weight_scale", true, "f32, one for all or one for each place of the axis"),
        tensor("output_scale", true, "f32, one"),
        tensor("zero", true, "i8 or u8, one"),
        tensor("bias", false, "i32, one for each place of the axis"),
        AXIS,
    ],
};

/// The number of `dtype` nearest to a float and a zero point.
#[expect(clippy::cast_possible_truncation, reason = "within the type")]
fn saturated(dtype: Dtype, x: f32, zero: u32) -> u32 {
    let (low, high) = if dtype == Dtype::I8 { (-128.0, 127.0) } else { (0.0, 255.0) };
    let number = x.round_ties_even() + float(zero);
    let number = if is_nan(number.to_bits()) { low } else { number.max(low).min(high) };
    (number as i32).cast_unsigned()
}

impl Quantize {
    /// The place of the zero points among the inputs.
    const fn zero(&self) -> usize {
        if self.code == REQUANTIZE.code { 4 } else { 2 }
    }

    /// Places after the axis, and places along it.
    fn along(&self, settings: &[u32], shape: &[usize]) -> [usize; 2] {
        let axis = settings[0] as usize;
        [shape[axis + 1..].iter().product(), shape[axis]]
    }
}

impl Operator for Quantize {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn takes_stored(&self) -> bool {
        self.code == DEQUANTIZE.code
    }

    fn takes_packed(&self) -> bool {
        self.takes_stored()
    }

    fn fields(&self) -> &'static [Field] {
        self.fields
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let (shape, axis) = (inputs[0], settings[0] as usize);
        let Some(places) = shape.get(axis) else {
            let expected = format!("an axis below {}", shape.len());
            return Err(Mismatch::new(expected, axis.to_string()));
        };
        let tensors =
            self.fields.iter().filter(|field| matches!(field.holds, Holds::Tensor { .. }));
        for (field, found) in tensors.zip(&inputs[1..]) {
            let one = self.code == REQUANTIZE.code && field.name != "weight_scale";
            let several = [*places];
            let fits = match (field.name, one) {
                ("bias", _) => **found == several,
                (_, true) => **found == [1],
                (_, false) => **found == [1] || **found == several,
            };
            if !fits {
                let expected = match (field.name, one) {
                    ("bias", _) => format!("`bias` of shape ({places})"),
                    (name, true) => format!("`{name}` of shape (1)"),
                    (name, false) => format!("`{name}` of shape (1) or ({places})"),
                };
                return Err(Mismatch::new(expected, Shape(found).to_string()));
            }
        }
        Ok(shape.to_vec())
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        let zero = self.zero();
        let names = self.fields.iter().map(|field| field.name);
        let wrong = |name: &str, wanted: &str, found: Dtype| {
            Err(Mismatch::new(format!("`{name}` of {wanted}"), found.name()))
        };
        for (name, found) in names.zip(&inputs[1..]) {
            match name {
                "bias" if *found != Dtype::I32 => return wrong(name, "i32", *found),
                "zero" if self.code != DEQUANTIZE.code && quantised(*found).is_err() => {
                    return wrong(name, "i8 or u8", *found);
                }
                "zero" if self.code == DEQUANTIZE.code && *found != inputs[0] => {
                    return wrong(name, inputs[0].name(), *found);
                }
                "bias" | "zero" => {}
                _ if *found != Dtype::F32 => return wrong(name, "f32", *found),
                _ => {}
            }
        }
        if self.code == DEQUANTIZE.code {
            return match inputs[0] {
                Dtype::I8 | Dtype::U8 | Dtype::I32 => Ok(Dtype::F32),
                other => Err(Mismatch::new("an input of i8, u8 or i32", other.name())),
            };
        }
        let reads = if self.code == QUANTIZE.code { Dtype::F32 } else { Dtype::I32 };
        inputs[0].expect(reads)?;
        quantised(inputs[zero])
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let x = call.inputs[0];
        let [inner, places] = self.along(call.settings, x.shape).map(narrow);
        let zero = self.zero();
        let each = |place: Option<&InputPlace<'_>>| place.map_or([0, 0], InputPlace::each);
        let scale = |at: usize| each(call.inputs[..zero].get(at));
        let ([first, first_step], [second, second_step], [third, _]) =
            (scale(1), scale(2), scale(3));
        let [zero_at, zero_step] = each(call.inputs.get(zero));
        let bias = call.inputs.get(zero + 1);
        let quads = call.output_words() / 4;
        let [x_base, x_stride] = match x.stored {
            true => x.in_elements(),
            false => [x.base / 4, x.stride / 4],
        };
        let params = vec![
            ("quads", quads),
            ("blocks", call.blocks),
            ("row_quads", call.rows / 4),
            ("inner", inner),
            ("places", places),
            ("x_base", x_base),
            ("x_stride", x_stride),
            ("w_stride", call.inputs[1].stride),
            ("first", first),
            ("first_step", first_step),
            ("second", second),
            ("second_step", second_step),
            ("third", third),
            ("zero", zero_at),
            ("zero_step", zero_step),
            ("has_bias", bias.is_some().into()),
            ("bias", each(bias)[0]),
        ];
        let invocations = u64::from(quads) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("quantize", 2, params, invocations);
        spec.bindings =
            vec![Bind::Words(0), Bind::Slots(0), Bind::Words(1), Bind::Slots(1), Bind::Output];
        spec.constants.push(("FUNCTION", self.code));
        spec.constants.push(("X", x.dtype.code()));
        spec.constants.push(("X_STORED", x.stored.into()));
        spec.constants.push(("ZERO", call.inputs[zero].dtype.code()));
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let [inner, places] = self.along(call.settings, call.inputs[0].shape);
        let zero = self.zero();
        let dtype = call.inputs[zero].dtype;
        let elements = words(call.output) as usize;
        let mut y = Vec::with_capacity(elements * rows);
        for element in 0..elements {
            let place = element / inner % places;
            let at = |input: usize| inputs[input][if inputs[input].len() > 1 { place } else { 0 }];
            let scale = |input: usize| f32::from_bits(at(input));
            for row in 0..rows {
                let x = match call.inputs[0].stored {
                    true => inputs[0][element],
                    false => inputs[0][element * rows + row],
                };
                y.push(match self.code {
                    0 => saturated(dtype, f32::from_bits(x) / scale(1), at(2)),
                    1 => (float(x.wrapping_sub(at(2))) * scale(1)).to_bits(),
                    _ => {
                        let bias = inputs.get(5).map_or(0, |bias| bias[place]);
                        let factor = scale(1) * scale(2) / scale(3);
                        saturated(dtype, float(x.wrapping_add(bias)) * factor, at(4))
                    }
                });
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape: Vec<usize> =
            (0..draws.random_range(1..4)).map(|_| draws.random_range(1..7)).collect();
        let axis = draws.random_range(0..shape.len());
        let places = shape[axis];
        let several = if draws.random_bool(0.5) { vec![places] } else { vec![1] };
        let narrow_type = if draws.random_bool(0.5) { Dtype::I8 } else { Dtype::U8 };
        let whole = draws.random_bool(0.25);
        let (mut shapes, mut dtypes) = match self.code {
            0 => (vec![several.clone(), several], vec![Dtype::F32, Dtype::F32, narrow_type]),
            1 => {
                let x = if whole { Dtype::I32 } else { narrow_type };
                (vec![several.clone(), several], vec![x, Dtype::F32, x])
            }
            _ => (
                vec![vec![1], several, vec![1], vec![1], vec![places]],
                vec![Dtype::I32, Dtype::F32, Dtype::F32, Dtype::F32, narrow_type, Dtype::I32],
            ),
        };
        if self.code == REQUANTIZE.code && whole {
            shapes.pop();
            dtypes.pop();
        }
        shapes.insert(0, shape);
        Problem {
            settings: vec![narrow(axis)],
            rows: 4 * draws.random_range(1..5),
            // Now and then the input of `dequantize` is a stored tensor.
            stored: shapes.len() - usize::from(!self.takes_stored() || draws.random_bool(0.75)),
            shapes,
            dtypes,
            exactness: if self.code == DEQUANTIZE.code {
                Exactness::Floats
            } else {
                Exactness::Near(1)
            },
            any_bits: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_to_even_and_saturate() {
        let of = |x: f32| saturated(Dtype::I8, x, 0).cast_signed();
        assert_eq!([of(0.5), of(1.5), of(-2.5), of(127.6), of(-1e30)], [0, 2, -2, 127, -128]);
        assert_eq!([of(f32::NAN), of(f32::INFINITY)], [-128, 127]);
        assert_eq!(saturated(Dtype::U8, -3.0, 2), 0);
        assert_eq!(saturated(Dtype::U8, f32::NAN, 7), 0);
    }
}
