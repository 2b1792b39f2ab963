//! A trial op by op: where the divergence starts, spreads and dies.

use super::super::{Course, Error, Job};
use super::Direct;
use super::batch::narrow;
use super::execute::StepStrikes;
use crate::gpu::Buffer;
use crate::scheme::Scheme;

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
        self.enter(scheme)?;
        let mut lanes = self.lanes_of(scheme, course, std::slice::from_ref(job));
        lanes[0].first_window = job.first_window;
        self.memory.loaded.clear();
        for earlier in course.first_step..step {
            self.step(scheme, course, earlier, &mut lanes)?;
        }
        self.load_step(scheme.copies(), step, &mut lanes)?;
        let strikes = self.prepare(scheme, step, &mut lanes);
        self.gpu.submit(|pass| self.encode_stored(pass, scheme, 2, &strikes))?;
        let mut trace = Vec::new();
        if scheme.votes_ops() {
            self.execute_together(scheme, 2, &strikes, &mut |op, home| {
                let found = (0..3).map(|execution| self.compared(op, home, step, execution, 3));
                trace.extend(found.collect::<Result<Vec<_>, Error>>()?);
                Ok(())
            })?;
            trace.sort_by_key(|op: &OpTrace| op.execution);
        } else {
            for execution in 0..scheme.executions() {
                self.trace_execution(scheme, step, execution, &strikes, &mut trace)?;
            }
        }
        self.memory.loaded.clear();
        Ok(trace)
    }

    fn trace_execution(
        &self,
        scheme: &Scheme,
        step: u32,
        execution: u32,
        strikes: &StepStrikes,
        trace: &mut Vec<OpTrace>,
    ) -> Result<(), Error> {
        let (image, slots) = self.image_of(scheme, &[0, 1], execution);
        self.gpu.submit(|pass| self.encode_read(pass, scheme, 2, execution, execution, strikes))?;
        for (index, op) in self.workload.ops.iter().enumerate() {
            if op.kind.is_view() {
                continue;
            }
            let home = self.home(op.output, image, execution);
            self.gpu.submit(|pass| {
                self.encode_op(pass, index, image, &slots, (2, None), execution);
                if let Some(strikes) = strikes.activation(execution, index) {
                    self.encode_strikes(pass, strikes, home);
                }
            })?;
            trace.push(OpTrace { execution, ..self.compared(index, home, step, 0, 1)? });
        }
        Ok(())
    }

    /// Compares the trial's block of an op's output with the control lane's; a lane has `width`
    /// blocks, one an execution that runs beside the others.
    fn compared(
        &self,
        index: usize,
        home: &Buffer<u32>,
        step: u32,
        execution: u32,
        width: usize,
    ) -> Result<OpTrace, Error> {
        let op = &self.workload.ops[index];
        let block = (self.workload.features(op.output) * self.layout.rows) as usize;
        let words = self.gpu.read_words(&[(home, 2 * width * block)])?.remove(0);
        let at = execution as usize % width * block;
        let (control, trial) = (&words[at..], &words[width * block + at..]);
        let counted = |i: &usize| narrow(*i) % self.layout.rows < self.layout.counted;
        let differ = (0..block).filter(counted).filter(|i| control[*i] != trial[*i]).count();
        Ok(OpTrace {
            step,
            execution,
            op: op.name.clone(),
            words_differ: differ as u64,
            words: u64::from(self.workload.features(op.output) * self.layout.counted),
        })
    }
}
