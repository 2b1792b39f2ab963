//! From a mission file and an adapter to a plan and an engine.

use crate::archive::mission::{Made, MissionHeader};
use crate::command::Failure;
use crate::command::engines::{Chosen, EngineName};
use crate::command::prepare::{
    COMMIT, VERSION, adapter_info, check_golden, choose, find_workload, shaders,
};
use crate::engine::direct::Kernels;
use crate::gpu::Gpu;
use crate::mission::{Mission, Plan};
use crate::workload::Workload;
use std::path::Path;
use std::sync::Arc;

/// A mission and its plan.
pub(in crate::command) struct Prepared {
    pub text: String,
    pub workload: Arc<Workload>,
    pub plan: Plan,
}

impl Prepared {
    /// Reads and checks a mission file, its memory, devices and workload.
    pub(in crate::command) fn load(path: &Path) -> Result<Self, Failure> {
        let (mut mission, text) = Mission::load(path).map_err(Failure::input)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let workload = Arc::new(find_workload(&mission.workload, folder, Some((path, &text)))?);
        choose(&mut mission.scheme, &workload, path, &text)?;
        let plan = Plan::new(&mission, Arc::clone(&workload), folder)
            .map_err(|error| Failure::input(error.placed(path, &text)))?;
        Ok(Self { text, workload, plan })
    }

    /// What the mission takes, in a line.
    ///
    /// # Errors
    /// Where it is more than can be had.
    pub(in crate::command) fn estimate(
        &self,
        path: &Path,
        singles: u64,
    ) -> Result<String, Failure> {
        let estimate = self.plan.estimate(singles);
        match estimate.refusal() {
            None => Ok(estimate.line()),
            Some(refusal) => {
                let error = crate::mission::Error::from(refusal);
                Err(Failure::input(error.placed(path, &self.text)))
            }
        }
    }

    /// Holds the golden run to what it must be.
    pub(super) fn check_golden(&self, engine: &Chosen) -> Result<(), Failure> {
        let Plan { mission, windows, .. } = &self.plan;
        check_golden(&self.workload, &mission.scheme, windows, engine.golden_outputs())
    }

    /// What the archive says before its rows.
    pub(super) fn header(&self, gpu: &Gpu, golden: &[u32]) -> MissionHeader {
        let made = Made {
            version: VERSION.into(),
            commit: COMMIT.into(),
            adapter: adapter_info(gpu),
            shaders: shaders(),
            golden: golden.to_vec(),
        };
        MissionHeader::of(&self.plan, &self.text, &made)
    }

    /// The engine; `lanes` fixes the lane count, else it is measured.
    pub(super) fn engine(
        &self,
        gpu: &Arc<Gpu>,
        name: EngineName,
        lanes: Option<usize>,
    ) -> Result<Chosen, Failure> {
        let kernels = Arc::new(Kernels::new(gpu)?);
        let of = (&self.workload, &self.plan.windows, self.plan.copies());
        Ok(Chosen::new(name, &kernels, gpu, of, (lanes, None))?)
    }
}
