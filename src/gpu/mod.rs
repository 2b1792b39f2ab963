//! The GPU: adapter, buffers, kernels and read-back. It knows nothing of faults.
//!
//! Work is recorded with [`Gpu::submit`] and read back with [`Gpu::read`]; a lost device or a
//! submission that takes too long is an [`Error`] that the runner survives by opening it again.

mod adapter;
mod buffer;
mod hindrance;
mod kernel;
mod source;

pub use crate::op::Arithmetic;
pub use adapter::{Adapter, AdapterChoice, list};
pub use buffer::Buffer;
pub use kernel::{Binding, Kernel, Operands, Pass};
pub use source::{Source, compose, library_names};
pub use wgpu::SubmissionIndex as Submission;

use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The longest a submission may take before it counts as hung.
const SUBMISSION_TIMEOUT: Duration = Duration::from_secs(60);

/// What can go wrong on the GPU.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No adapter at all.
    #[error(
        "no GPU adapter found; install a Vulkan driver (Debian and Ubuntu: \
         `apt-get install mesa-vulkan-drivers libvulkan1` gives a software one)"
    )]
    NoAdapter,
    /// No adapter, for a reason that is not the lack of one.
    #[error("no GPU adapter can be opened: {0}")]
    Hindered(String),
    /// No adapter with the wanted name.
    #[error("no GPU adapter matches {wanted:?}{hint}; found:{found}")]
    NoMatch {
        /// What was asked for.
        wanted: String,
        /// What was probably meant.
        hint: String,
        /// What there is.
        found: String,
    },
    /// Several adapters have what was wanted in their names.
    #[error(
        "expected a number or a part of one adapter's name, found {wanted:?}, which matches:{found}"
    )]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// Those that it may mean, with their numbers.
        found: String,
    },
    /// The device could not be opened.
    #[error("the adapter {adapter} could not be opened: {message}")]
    Open {
        /// The adapter.
        adapter: String,
        /// The driver's words.
        message: String,
    },
    /// A shader does not compile.
    #[error("shader {name}: {message}")]
    Shader {
        /// The entry file's stem.
        name: String,
        /// The compiler's words.
        message: String,
    },
    /// Validation or memory failed during a run.
    #[error("the GPU reported: {0}")]
    Device(String),
    /// The device is lost or a submission timed out; opening the GPU again may help.
    #[error("the GPU device was lost: {0}")]
    Lost(String),
}

impl Error {
    /// Whether opening the GPU again and redoing the work may help.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

/// An open device.
#[derive(Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    adapter: Adapter,
    limits: wgpu::Limits,
    failure: Arc<Mutex<Option<Error>>>,
    kernels: kernel::Cache,
    tables: kernel::Tables,
}

impl Gpu {
    /// Opens the adapter that `choice` names and probes its arithmetic.
    ///
    /// # Errors
    /// Where no adapter matches or the device cannot be opened.
    pub fn open(choice: &AdapterChoice) -> Result<Self, Error> {
        let (raw, adapter) = adapter::choose(choice)?;
        let limits = raw.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("beamline"),
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(raw.request_device(&descriptor))
            .map_err(|e| Error::Open { adapter: adapter.name.clone(), message: e.to_string() })?;
        let failure = Arc::new(Mutex::new(None));
        let uncaptured = Arc::clone(&failure);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            record(&uncaptured, Error::Device(error.to_string()));
        }));
        let lost = Arc::clone(&failure);
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                record(&lost, Error::Lost(message));
            }
        });
        let (kernels, tables) = (kernel::Cache::default(), kernel::Tables::default());
        let mut gpu = Self { device, queue, adapter, limits, failure, kernels, tables };
        gpu.adapter.arithmetic = gpu.probe()?.0;
        tracing::info!(adapter = %gpu.adapter.line(), "adapter opened");
        Ok(gpu)
    }

    /// The adapter and what it is known to do.
    pub const fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Loop iterations of one invocation, at most: llvmpipe ends all loops after so many in all, without a
    /// word (`LP_MAX_TGSI_LOOP_ITERATIONS` of Mesa's gallivm).
    pub fn loop_iterations_max(&self) -> u64 {
        if self.adapter.driver.contains("llvmpipe") { 65_535 } else { u64::MAX }
    }

    /// Bytes that one binding can reach.
    pub fn binding_bytes_max(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size)
    }

    /// Workgroups in one dimension of a dispatch.
    pub const fn groups_max(&self) -> u32 {
        self.limits.max_compute_workgroups_per_dimension
    }

    /// Records commands and submits them; [`Gpu::wait_for`] takes what it gives.
    ///
    /// # Errors
    /// Where an earlier submission failed.
    pub fn submit(&self, record: impl FnOnce(&mut Pass<'_>)) -> Result<Submission, Error> {
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = Pass::new(self, self.groups_max(), &mut encoder);
            record(&mut pass);
        }
        let submission = self.queue.submit([encoder.finish()]);
        self.check()?;
        Ok(submission)
    }

    /// Waits until all that was submitted is done.
    ///
    /// # Errors
    /// [`Error::Lost`] on a time-out or a lost device, else what an earlier command reported.
    pub fn wait(&self) -> Result<(), Error> {
        self.wait_until(None)
    }

    /// Waits until a submission and those before it are done; other threads may have submitted more since.
    ///
    /// # Errors
    /// As [`Gpu::wait`].
    pub fn wait_for(&self, submission: Submission) -> Result<(), Error> {
        self.wait_until(Some(submission))
    }

    fn wait_until(&self, submission_index: Option<Submission>) -> Result<(), Error> {
        let wait = wgpu::PollType::Wait { submission_index, timeout: Some(SUBMISSION_TIMEOUT) };
        let polled = self.device.poll(wait);
        self.check()?;
        match polled {
            Ok(_) => Ok(()),
            Err(wgpu::PollError::Timeout) => Err(Error::Lost(format!(
                "a submission took more than {} s",
                SUBMISSION_TIMEOUT.as_secs()
            ))),
            Err(error) => Err(Error::Lost(error.to_string())),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let mut slot = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        slot.take().map_or(Ok(()), Err)
    }
}

/// Keeps the first failure, for whoever waits next.
fn record(slot: &Mutex<Option<Error>>, error: Error) {
    let mut slot = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if slot.is_none() {
        *slot = Some(error);
    }
}
