//! One op as `beamline bench` measures it.

use crate::gpu::{Buffer, Gpu, Operands, Pass};
use crate::op::{Call, Dtype, Given, InputPlace, Kind, OPS, Products};

/// An op over one block, whose stored tensors lie one after another.
pub(super) struct Measured {
    kind: Kind,
    settings: Vec<u32>,
    shapes: Vec<Vec<usize>>,
    output: Vec<usize>,
    rows: u32,
    x: Buffer<u32>,
    y: Buffer<u32>,
    slots: Buffer<u32>,
}

fn words(shape: &[usize]) -> usize {
    shape.iter().product()
}

impl Measured {
    /// The op of this kind over `rows` rows of ones.
    pub(super) fn new(
        gpu: &Gpu,
        kind: &str,
        fields: &[(&str, Given)],
        shapes: Vec<Vec<usize>>,
        rows: u32,
    ) -> Self {
        let kind = Kind::named(kind).unwrap_or(OPS[0]);
        let settings = kind.settings(fields).unwrap_or_default();
        let of: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let output = kind.output(&settings, &of).unwrap_or_default();
        let rows = rows.next_multiple_of(4);
        let block = |shape: &[usize]| words(shape) * rows as usize;
        Self {
            x: gpu.upload("x", &vec![1f32.to_bits(); block(&shapes[0])]),
            y: gpu.zeroed("y", block(&output)),
            slots: gpu.upload("slots", &[0u32]),
            kind,
            settings,
            shapes,
            output,
            rows,
        }
    }

    /// Records the op over these stored words.
    pub(super) fn record(&self, gpu: &Gpu, pass: &mut Pass<'_>, w: &Buffer<u32>) {
        let mut base = 0;
        let places: Vec<InputPlace<'_>> = (self.shapes.iter().enumerate())
            .map(|(at, shape)| {
                let place =
                    InputPlace { shape, base, stride: 0, stored: at > 0, dtype: Dtype::F32 };
                base += if at == 0 { 0 } else { u32::try_from(words(shape)).unwrap_or(u32::MAX) };
                place
            })
            .collect();
        let call = Call {
            settings: &self.settings,
            inputs: &places,
            output: &self.output,
            part: None,
            entries: None,
            rows: self.rows,
            blocks: 1,
            nan_is_zero: false,
            products: Products::default(),
            software: gpu.adapter().software,
        };
        let inputs: Vec<_> = (0..self.shapes.len())
            .map(|at| (if at == 0 { &self.x } else { w }, &self.slots))
            .collect();
        let operands = Operands { inputs: &inputs, output: &self.y, traps: None, lanes: None };
        if let Some(spec) = self.kind.kernel(&call) {
            gpu.encode(pass, &spec, operands);
        }
    }
}
