//! What linear and conv2d share: an invocation computes 8 outputs of one or more quads of rows, so that each
//! weight that it loads serves them all. `shaders/lib/tile.wgsl` is its other half.

use super::kernel::{Bind, Call, KernelSpec, Products};
use super::table::Table;

/// Outputs that one invocation computes.
const OUTPUTS: u32 = 8;
/// Invocations in a workgroup.
const GROUP: u32 = 32;
/// Quads of rows that one invocation can compute. Sums of eight are more than the registers that
/// hardware gives an invocation.
pub(super) const QUADS: [u32; 3] = [1, 4, 8];
/// The most for hardware.
const HARDWARE_QUADS: u32 = 4;
/// Invocations that hardware is given before any of them computes more than one quad.
const HARDWARE_INVOCATIONS: u64 = 1 << 16;

/// How the outputs of a block divide into tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    /// Row quads of a block.
    pub quads: u32,
    /// Places of an output that its weights serve (pixels).
    pub cells: u32,
    /// Outputs (features, channels) that read the same inputs.
    pub outputs: u32,
    /// Groups of such outputs.
    pub groups: u32,
    /// Units (features, channels) of the input that an output sums over.
    pub units: u32,
}

impl Tiles {
    /// Invocations of a block where each computes so many quads.
    fn invocations(self, quads: u32) -> u64 {
        let strips = u64::from(self.quads.div_ceil(quads));
        let tiles = u64::from(self.outputs.div_ceil(OUTPUTS)) * u64::from(self.groups);
        strips * u64::from(self.cells) * tiles
    }

    /// The best number of quads, the largest of those that are alike. Software spends its time on loads, 8
    /// weights and 4 values a quad; hardware needs invocations.
    fn best(self, software: bool, blocks: u32) -> u32 {
        let cost = |quads: u32| match software {
            true => self.invocations(quads) * u64::from(OUTPUTS + 4 * quads),
            false => {
                HARDWARE_INVOCATIONS.saturating_sub(self.invocations(quads) * u64::from(blocks))
            }
        };
        let most = if software { u32::MAX } else { HARDWARE_QUADS };
        let widths = QUADS.into_iter().filter(|quads| *quads <= most);
        widths.min_by_key(|quads| (cost(*quads), std::cmp::Reverse(*quads))).unwrap_or(1)
    }

    /// The kernel of an op whose inputs are x, weight and perhaps bias, the two last in one buffer. `params`
    /// are its own parameters, before those that both ops have.
    pub(super) fn kernel(
        self,
        shader: &'static str,
        call: &Call<'_>,
        mut params: Vec<(&'static str, u32)>,
    ) -> KernelSpec {
        let [x, weight] = [call.inputs[0], call.inputs[1]];
        let (begin, end) = match call.products {
            Products::All => (0, self.units),
            Products::Before(unit) => (0, unit),
            Products::From(unit) => (unit, self.units),
        };
        let bias = call.inputs.get(2).filter(|_| !matches!(call.products, Products::Before(_)));
        params.extend([
            ("begin", begin),
            ("end", end),
            ("has_bias", u32::from(bias.is_some())),
            ("x_base", x.base / 4),
            ("x_stride", x.stride / 4),
            ("w_base", weight.base),
            ("w_stride", weight.stride),
            ("b_base", bias.map_or(0, |bias| bias.base)),
            ("y_base", call.part.map_or(0, |part| part.base) / 4),
            ("y_stride", call.part.map_or(call.output_words(), |part| part.stride) / 4),
        ]);
        let quads = self.best(call.software, call.blocks);
        let bindings =
            vec![Bind::Words(0), Bind::Slots(0), Bind::Words(1), Bind::Slots(1), Bind::Output];
        KernelSpec {
            shader,
            entry: "main",
            constants: vec![("GROUP", GROUP), ("QUADS", quads), ("RESUMES", u32::from(begin > 0))],
            params,
            bindings,
            invocations: self.invocations(quads),
            group: GROUP,
            depth: call.blocks,
            table: Table::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(software: bool, rows: u32, outputs: u32, blocks: u32) -> u32 {
        let tiles = Tiles { quads: rows.div_ceil(4), cells: 1, outputs, groups: 1, units: 1 };
        tiles.best(software, blocks)
    }

    #[test]
    fn software_makes_the_fewest_loads() {
        assert_eq!(width(true, 1, 10, 1), 1);
        assert_eq!(width(true, 12, 10, 1), 4, "one of 24 loads for three of 12");
        assert_eq!(width(true, 16, 10, 64), 4);
        assert_eq!(width(true, 36, 10, 1), 4, "three of 24 loads for two of 40");
        assert_eq!(width(true, 128, 10, 1), 8);
    }

    #[test]
    fn hardware_is_given_invocations_before_quads() {
        assert_eq!(width(false, 128, 80, 64), 1, "20,480 invocations at most");
        assert_eq!(width(false, 128, 1024, 64), 4, "65,536 with four quads");
        assert_eq!(width(false, 128, 1024, 128), 4, "more than four do not fit its registers");
    }
}
