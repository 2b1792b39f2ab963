//! The parameters of each op's stage, from the workload's shapes and the layout.

use super::Layout;
use crate::stage::add::AddParams;
use crate::stage::conv2d::Conv2dParams;
use crate::stage::linear::LinearParams;
use crate::stage::max_pool::MaxPoolParams;
use crate::stage::relu::ReluParams;
use crate::stage::softmax::SoftmaxParams;
use crate::stage::stored::Stored;
use crate::workload::{NanRule, ValueId, Workload};

/// Makes parameters. Bases and strides of x are given in words, those of w are 0 and `w_stride`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shapes<'a> {
    pub workload: &'a Workload,
    pub layout: &'a Layout,
}

impl Shapes<'_> {
    fn dimension(&self, value: ValueId, axis: usize) -> u32 {
        narrow(self.workload.values[value.0].shape[axis])
    }

    fn offset(&self, tensor: Option<usize>) -> u32 {
        tensor.map_or(0, |t| self.workload.tensors[t].offset)
    }

    /// Words of a block of `value`.
    pub(super) fn words(&self, value: ValueId) -> u32 {
        self.workload.features(value) * self.layout.rows
    }

    pub(super) fn linear(
        &self,
        input: ValueId,
        weight: usize,
        bias: Option<usize>,
        (x_base, w_stride): (u32, u32),
        x_stride: u32,
    ) -> LinearParams {
        let shape = &self.workload.tensors[weight].shape;
        debug_assert_eq!(narrow(shape[1]), self.workload.features(input));
        LinearParams {
            quads: self.layout.quads(),
            inputs: narrow(shape[1]),
            outputs: narrow(shape[0]),
            has_bias: u32::from(bias.is_some()),
            x_base: x_base / 4,
            x_stride: x_stride / 4,
            w_base: self.offset(Some(weight)),
            w_stride,
            b_base: self.offset(bias),
            stored: Stored::default(),
        }
    }

    pub(super) fn conv2d(
        &self,
        input: ValueId,
        (weight, bias): (usize, Option<usize>),
        (stride, padding): (usize, usize),
        (x_base, w_stride): (u32, u32),
        x_stride: u32,
    ) -> Conv2dParams {
        let shape = &self.workload.tensors[weight].shape;
        let (kh, kw) = (narrow(shape[2]), narrow(shape[3]));
        let (stride, padding) = (narrow(stride), narrow(padding));
        let (height, width) = (self.dimension(input, 1), self.dimension(input, 2));
        Conv2dParams {
            quads: self.layout.quads(),
            channels: self.dimension(input, 0),
            height,
            width,
            outputs: narrow(shape[0]),
            size: kh << 16 | kw,
            stride,
            padding,
            out_height: (height + 2 * padding - kh) / stride + 1,
            out_width: (width + 2 * padding - kw) / stride + 1,
            has_bias: u32::from(bias.is_some()),
            x_base: x_base / 4,
            x_stride: x_stride / 4,
            w_base: self.offset(Some(weight)),
            w_stride,
            b_base: self.offset(bias),
            stored: Stored::default(),
            pad: 0,
        }
    }

    pub(super) fn relu(
        &self,
        input: ValueId,
        x_base: u32,
        x_stride: u32,
        blocks: u32,
    ) -> ReluParams {
        ReluParams {
            quads: self.words(input) / 4,
            blocks,
            x_base: x_base / 4,
            x_stride: x_stride / 4,
            nan_is_zero: u32::from(self.workload.relu_nan == NanRule::Zero),
            pad: [0; 3],
        }
    }

    pub(super) fn max_pool(
        &self,
        input: ValueId,
        (size, stride): (usize, usize),
        x_base: u32,
        x_stride: u32,
        blocks: u32,
    ) -> MaxPoolParams {
        let (size, stride) = (narrow(size), narrow(stride));
        let (height, width) = (self.dimension(input, 1), self.dimension(input, 2));
        MaxPoolParams {
            rows: self.layout.rows,
            channels: self.dimension(input, 0),
            height,
            width,
            size,
            stride,
            out_height: (height - size) / stride + 1,
            out_width: (width - size) / stride + 1,
            x_base,
            x_stride,
            nan_is_zero: u32::from(self.workload.relu_nan == NanRule::Zero),
            blocks,
        }
    }

    pub(super) fn softmax(
        &self,
        input: ValueId,
        x_base: u32,
        x_stride: u32,
        blocks: u32,
    ) -> SoftmaxParams {
        let (rows, features) = (self.layout.rows, self.workload.features(input));
        SoftmaxParams { rows, features, blocks, x_base, x_stride, pad: [0; 3] }
    }

    /// `a` and `b` are (base, stride).
    pub(super) fn add(
        &self,
        input: ValueId,
        a: (u32, u32),
        b: (u32, u32),
        blocks: u32,
    ) -> AddParams {
        AddParams {
            quads: self.words(input) / 4,
            blocks,
            a_base: a.0 / 4,
            a_stride: a.1 / 4,
            b_base: b.0 / 4,
            b_stride: b.1 / 4,
            pad: [0; 2],
        }
    }
}

/// A dimension as the GPU sees it; loading refuses larger tensors.
#[expect(
    clippy::cast_possible_truncation,
    reason = "loading refuses tensors past 32-bit word indices"
)]
const fn narrow(dimension: usize) -> u32 {
    dimension as u32
}
