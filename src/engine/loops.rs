//! Whether an adapter runs all loops of a workload's kernels.

use super::Error;
use crate::gpu::Gpu;
use crate::op::InputPlace;
use crate::scheme::Scheme;
use crate::stage::decision::Rule;
use crate::workload::Workload;

/// Refuses a workload one of whose kernels loops longer than the adapter runs.
///
/// # Errors
/// [`Error::Loops`] with the op.
pub(super) fn check(gpu: &Gpu, workload: &Workload) -> Result<(), Error> {
    for op in &workload.ops {
        let places: Vec<InputPlace<'_>> = op
            .inputs
            .iter()
            .map(|input| {
                let value = &workload.values[input.0];
                let (shape, dtype) = (&value.shape[..], value.dtype);
                let stored = workload.is_stored(*input);
                InputPlace { shape, base: 0, stride: 0, stored, dtype }
            })
            .collect();
        let call = workload.call(op, &places, 4);
        fits(gpu, format!("op `{}` ({})", op.name, op.kind.name()), op.kind.iterations(&call))?;
        // Units of values are compared with golden cell by cell, eight at once.
        let shape = &workload.values[op.output.0].shape;
        let cells = shape.iter().skip(1).map(|size| *size as u64).product::<u64>();
        fits(gpu, format!("the comparison of a unit of `{}`", op.name), cells / 8 + 8)?;
    }
    let rule = Rule::new(workload.decision);
    fits(gpu, "the decision".into(), rule.classify_iterations(workload.output_features()))
}

/// The same of the vote on a scheme's outputs.
///
/// # Errors
/// [`Error::Loops`].
pub(super) fn check_vote(gpu: &Gpu, workload: &Workload, scheme: &Scheme) -> Result<(), Error> {
    if !scheme.votes_outputs() {
        return Ok(());
    }
    let rule = Rule::new(workload.decision);
    let what = format!("the vote on outputs of scheme `{}`", scheme.name);
    fits(gpu, what, rule.vote_iterations(workload.output_features()))
}

fn fits(gpu: &Gpu, what: String, iterations: u64) -> Result<(), Error> {
    let most = gpu.loop_iterations_max();
    match iterations > most {
        true => Err(Error::Loops { what, iterations, most }),
        false => Ok(()),
    }
}
