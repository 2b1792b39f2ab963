//! A trial op by op: where the divergence starts, spreads and dies.

use super::super::{Course, Error, Job};
use super::Direct;
use super::batch::narrow;
use crate::scheme::Scheme;
use crate::workload::OpKind;

/// One op of one execution, against the fault-free run of the same kernels.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OpTrace {
    /// The step.
    pub step: u32,
    /// The execution, retries not traced.
    pub execution: u32,
    /// The op's name.
    pub op: String,
    /// Words of its output that differ from golden, over the step's inferences.
    pub words_differ: u64,
    /// Words of its output.
    pub words: u64,
}

impl Direct {
    /// Runs one trial up to `step` and traces the first pass of that step's executions: the
    /// control lane beside it, over the same inputs, is golden.
    ///
    /// # Errors
    /// As [`super::Engine::run`].
    pub fn trace(
        &mut self,
        scheme: &Scheme,
        course: Course,
        job: &Job,
        step: u32,
    ) -> Result<Vec<OpTrace>, Error> {
        let mut lanes = self.lanes_of(scheme, course, std::slice::from_ref(job));
        lanes[0].first_window = job.first_window;
        self.memory.loaded.clear();
        for earlier in course.first_step..step {
            self.step(scheme, course, earlier, &mut lanes)?;
        }
        self.load_step(scheme.protection.copies(), step, &mut lanes)?;
        let strikes = self.prepare(scheme, step, &mut lanes);
        self.gpu.submit(|pass| self.encode_stored(pass, scheme, lanes.len(), &strikes))?;
        let mut trace = Vec::new();
        for execution in 0..scheme.protection.executions() {
            let (image, slots) = self.image_of(scheme, &[0, 1], execution);
            for (index, op) in self.workload.ops.iter().enumerate() {
                if op.kind == OpKind::Flatten {
                    continue;
                }
                let home = self.home(op.output, image, execution);
                self.gpu.submit(|pass| {
                    self.encode_op(pass, index, image, &slots, 2, execution);
                    if let Some(strikes) = strikes.activation(execution, index) {
                        self.encode_strikes(pass, strikes, home);
                    }
                })?;
                let block = (self.workload.features(op.output) * self.layout.rows) as usize;
                let words = self.gpu.read_words(&[(home, 2 * block)])?.remove(0);
                let counted = |i: &usize| narrow(*i) % self.layout.rows < self.layout.counted;
                let differ =
                    (0..block).filter(counted).filter(|i| words[*i] != words[block + i]).count();
                trace.push(OpTrace {
                    step,
                    execution,
                    op: op.name.clone(),
                    words_differ: differ as u64,
                    words: u64::from(self.workload.features(op.output) * self.layout.counted),
                });
            }
        }
        self.memory.loaded.clear();
        Ok(trace)
    }
}
