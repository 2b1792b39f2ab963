//! What linear and conv2d share: an invocation computes several outputs of one or more quads of rows, so
//! that each weight and each quad that it loads serves them all. `shaders/lib/tile.wgsl` is its other half.

use super::kernel::{Bind, Call, KernelSpec, Products};
use super::table::Table;
use super::weights;

/// Outputs that one invocation can compute; hardware has no registers for more than the first.
const OUTPUTS: [u32; 2] = [8, 16];
/// Invocations in a workgroup on hardware.
const GROUP: u32 = 32;
/// On a software adapter: one vector, so that its threads share the work evenly.
const SOFTWARE_GROUP: u32 = 8;
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
    /// Invocations of a block where each computes so many outputs of so many quads.
    fn invocations(self, [outputs, quads]: [u32; 2]) -> u64 {
        let strips = u64::from(self.quads.div_ceil(quads));
        let tiles = u64::from(self.outputs.div_ceil(outputs)) * u64::from(self.groups);
        strips * u64::from(self.cells) * tiles
    }

    /// The best number of outputs and quads, the largest of those that are alike. Hardware needs
    /// invocations. Software spends its time on loads: by the instructions that llvmpipe makes of them, a
    /// weight costs it as much as 8 products of a quad, and a quad of rows 18.
    fn best(self, software: bool, blocks: u32) -> [u32; 2] {
        let cost = |tile: [u32; 2]| match software {
            true => {
                let [outputs, quads] = tile.map(u64::from);
                self.invocations(tile) * (8 * outputs + 18 * quads + outputs * quads)
            }
            false => {
                HARDWARE_INVOCATIONS.saturating_sub(self.invocations(tile) * u64::from(blocks))
            }
        };
        let fits = |tile: &[u32; 2]| software || (tile[0] == 8 && tile[1] <= HARDWARE_QUADS);
        let tiles = OUTPUTS.into_iter().flat_map(|outputs| QUADS.map(|quads| [outputs, quads]));
        let best = tiles.filter(fits).min_by_key(|tile| (cost(*tile), std::cmp::Reverse(*tile)));
        best.unwrap_or([8, 1])
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
        let quantised = weights::Lies::of(call);
        let bias = call.inputs.get(if quantised.is_some() { 4 } else { 2 });
        let bias = bias.filter(|_| !matches!(call.products, Products::Before(_)));
        let [w_base, w_stride] = weight.in_elements();
        params.extend([
            ("begin", begin),
            ("end", end),
            ("has_bias", u32::from(bias.is_some())),
            ("x_base", x.base / 4),
            ("x_stride", x.stride / 4),
            ("w_base", w_base),
            ("w_stride", w_stride),
            ("b_base", bias.map_or(0, |bias| bias.in_elements()[0])),
            ("y_base", call.part.map_or(0, |part| part.base) / 4),
            ("y_stride", call.part.map_or(call.output_words(), |part| part.stride) / 4),
        ]);
        params.extend(quantised.unwrap_or_default().params());
        let tile = self.best(call.software, call.blocks);
        let group = if call.software { SOFTWARE_GROUP } else { GROUP };
        let bindings =
            vec![Bind::Words(0), Bind::Slots(0), Bind::Words(1), Bind::Slots(1), Bind::Output];
        KernelSpec {
            shader,
            entry: "main",
            constants: vec![
                ("GROUP", group),
                ("OUTPUTS", tile[0]),
                ("QUADS", tile[1]),
                ("RESUMES", u32::from(begin > 0)),
                ("STORED", weight.dtype.code()),
            ],
            params,
            bindings,
            invocations: self.invocations(tile),
            group,
            depth: call.blocks,
            table: Table::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(software: bool, rows: u32, outputs: u32, blocks: u32) -> [u32; 2] {
        let tiles = Tiles { quads: rows.div_ceil(4), cells: 1, outputs, groups: 1, units: 1 };
        tiles.best(software, blocks)
    }

    #[test]
    fn software_makes_the_fewest_loads() {
        assert_eq!(best(true, 1, 10, 1), [16, 1]);
        assert_eq!(best(true, 1, 8, 1), [8, 1]);
        assert_eq!(best(true, 16, 10, 64), [16, 4]);
        assert_eq!(best(true, 128, 8, 1), [8, 8]);
        assert_eq!(best(true, 128, 128, 1), [16, 8]);
    }

    #[test]
    fn hardware_is_given_invocations_before_quads() {
        assert_eq!(best(false, 128, 80, 64), [8, 1], "20,480 invocations at most");
        assert_eq!(best(false, 128, 1024, 64), [8, 4], "65,536 with four quads");
        assert_eq!(best(false, 128, 1024, 128), [8, 4], "more than four do not fit its registers");
    }
}
