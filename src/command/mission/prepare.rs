//! From a mission file and an adapter to a plan and an engine.

use crate::archive::mission::{Made, MissionHeader};
use crate::command::Failure;
use crate::command::engines::{Chosen, EngineName};
use crate::command::prepare::{
    COMMIT, VERSION, adapter_info, archived_workload, check_golden, choose, find_workload, shaders,
};
use crate::engine::direct::Kernels;
use crate::gpu::Gpu;
use crate::mission::{Mission, Plan};
use crate::workload::Workload;
use anyhow::anyhow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that a user gives for the mission of an archive.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct MissionFiles {
    /// The file of a mission that names files of its own.
    #[arg(long, value_name = "FILE")]
    pub(in crate::command) mission: Option<PathBuf>,
    /// The workload's folder, where it is not one of kernels/.
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::command) workload: Option<PathBuf>,
}

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

    /// The mission that an archive holds, with the schemes that it holds. No path that it names is opened:
    /// files are those that the user gave.
    pub(in crate::command) fn archived(
        header: &MissionHeader,
        given: &MissionFiles,
    ) -> Result<Self, Failure> {
        let prepared = match &given.mission {
            Some(path) => Self::load(path)?,
            None => {
                let path = Path::new("the archive's mission");
                let mut mission = Mission::parse(path, &header.toml).map_err(Failure::input)?;
                if let Some(named) = mission.names_file() {
                    return Err(Failure::input(anyhow!(
                        "--mission: expected the mission's file, since it names {named:?}, found none"
                    )));
                }
                // A set that was chosen from an earlier archive stays what it was.
                mission.scheme.clone_from(&header.schemes);
                let workload = archived_workload(&mission.workload, given.workload.as_deref())?;
                let workload = Arc::new(workload);
                let plan = Plan::new(&mission, Arc::clone(&workload), Path::new(""));
                let plan = plan.map_err(Failure::input)?;
                Self { text: header.toml.clone(), workload, plan }
            }
        };
        let ours = MissionHeader::of(&prepared.plan, &prepared.text, &Made::default()).fingerprint;
        for (part, ours, theirs) in [
            ("workload", &ours.weights, &header.fingerprint.weights),
            ("mission", &ours.campaign, &header.fingerprint.campaign),
        ] {
            if ours != theirs {
                return Err(Failure::input(anyhow!(
                    "{part}: expected that of the archive, found another one; its values, or those of the \
                     files that it names, have changed"
                )));
            }
        }
        Ok(prepared)
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
    pub(in crate::command) fn check_golden(&self, engine: &Chosen) -> Result<(), Failure> {
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
    pub(in crate::command) fn engine(
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
