//! Engines that survive a lost device: it is opened again, and the call is made again.

use super::{Course, Engine, Error, Job, TrialResult};
use crate::scheme::Scheme;

/// How often a call is made again on a device opened anew.
const REOPEN_MAX: u32 = 3;

/// Engines on one device.
pub type Engines<'e> = Vec<Box<dyn Engine + 'e>>;

/// Engines on one device, and how they are made anew where it is lost.
pub struct Reopening<'o> {
    engines: Engines<'o>,
    open: Box<dyn Fn() -> Result<Engines<'o>, Error> + 'o>,
}

impl<'o> Reopening<'o> {
    /// These engines; `open` gives as many that do the same, on the device opened anew.
    pub fn new(engines: Engines<'o>, open: impl Fn() -> Result<Engines<'o>, Error> + 'o) -> Self {
        Self { engines, open: Box::new(open) }
    }

    /// One of the engines; `tell` hears of a device that was lost.
    pub fn member<'m>(&'m mut self, at: usize, tell: &'m mut dyn FnMut(String)) -> Member<'m, 'o> {
        Member { all: self, at, tell }
    }

    /// Jobs that a call of one of the engines runs best at once.
    pub fn lanes(&self, at: usize) -> usize {
        self.engines[at].lanes()
    }

    /// The most of any engine.
    pub fn lanes_max(&self) -> usize {
        self.engines.iter().map(|engine| engine.lanes()).max().unwrap_or(1)
    }
}

/// One of several engines on a device that may be lost.
pub struct Member<'m, 'o> {
    all: &'m mut Reopening<'o>,
    at: usize,
    tell: &'m mut dyn FnMut(String),
}

impl Member<'_, '_> {
    /// Makes a call, and makes it again on the device opened anew where that was lost.
    fn survive<T>(
        &mut self,
        mut call: impl FnMut(&mut dyn Engine) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..REOPEN_MAX {
            match call(&mut *self.all.engines[self.at]) {
                Err(Error::Gpu(error)) if error.is_lost() => {
                    (self.tell)(format!("{error}; opening the GPU again"));
                    self.all.engines = (self.all.open)()?;
                }
                other => return other,
            }
        }
        call(&mut *self.all.engines[self.at])
    }
}

impl Engine for Member<'_, '_> {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        self.survive(|engine| engine.run(scheme, course, jobs))
    }

    fn inference_s(&mut self, scheme: &Scheme, course: Course) -> Result<Option<f64>, Error> {
        self.survive(|engine| engine.inference_s(scheme, course))
    }

    fn lanes(&self) -> usize {
        self.all.lanes(self.at)
    }
}
