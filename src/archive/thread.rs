//! The thread that owns the files of a running campaign or mission.
//!
//! Parts come through a bounded channel, so a slow disk slows the run and nothing is dropped. What
//! goes wrong on the thread surfaces on the next [`OnThread::send`] or at the end.

use super::Error;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Parts that may wait for the disk.
const WAITING_MAX: usize = 2;

/// Files that are written part by part, then closed.
pub(super) trait Files: Send + 'static {
    /// What is written at once: it is complete in its file, or not there.
    type Part: Send;
    /// What the whole has beside its parts.
    type Closing: Send;

    /// Writes a part. Parts come in order.
    fn write(&mut self, part: Self::Part) -> Result<(), Error>;

    /// Makes one archive of all parts and removes them. Gives its path.
    fn finish(self, closing: Self::Closing) -> Result<PathBuf, Error>;
}

enum Order<F: Files> {
    Write(F::Part),
    Finish(F::Closing),
}

/// The sending end of the thread. Dropping it writes what was sent and keeps the parts.
pub(super) struct OnThread<F: Files> {
    orders: Option<SyncSender<Order<F>>>,
    thread: Option<JoinHandle<Result<Option<PathBuf>, Error>>>,
}

impl<F: Files> OnThread<F> {
    /// Starts the thread; `folder` is what messages call its files.
    pub(super) fn start(files: F, folder: &Path) -> Result<Self, Error> {
        let (orders, received) = sync_channel(WAITING_MAX);
        let builder = std::thread::Builder::new().name("archive".into());
        let thread = builder.spawn(move || serve(files, &received));
        let thread = thread.map_err(Error::io(folder, "given a writer's thread"))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Hands a part to the thread; waits while the disk is behind.
    ///
    /// # Errors
    /// What went wrong with this or an earlier part: the thread has then stopped for good.
    pub(super) fn send(&mut self, part: F::Part) -> Result<(), Error> {
        let sent = self.orders.as_ref().is_some_and(|to| to.send(Order::Write(part)).is_ok());
        if sent { Ok(()) } else { self.join().and(Err(Error::WriterGone)) }
    }

    /// Writes what was sent and keeps the parts: the run can be resumed.
    ///
    /// # Errors
    /// What went wrong with a part.
    pub(super) fn stop(mut self) -> Result<(), Error> {
        self.join().map(|_| ())
    }

    /// Writes what was sent and makes one archive of it. Gives its path.
    ///
    /// # Errors
    /// What went wrong with a part or the archive; the parts are then still there.
    pub(super) fn finish(mut self, closing: F::Closing) -> Result<PathBuf, Error> {
        if let Some(orders) = &self.orders {
            // A thread that has died says why when it is joined.
            let _ = orders.send(Order::Finish(closing));
        }
        self.join()?.ok_or(Error::WriterGone)
    }

    fn join(&mut self) -> Result<Option<PathBuf>, Error> {
        self.orders = None;
        let thread = self.thread.take().ok_or(Error::WriterGone)?;
        thread.join().unwrap_or(Err(Error::WriterGone))
    }
}

impl<F: Files> Drop for OnThread<F> {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; what was sent is written all the same.
        let _ = self.join();
    }
}

impl<F: Files> std::fmt::Debug for OnThread<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnThread").field("thread", &self.thread).finish_non_exhaustive()
    }
}

fn serve<F: Files>(mut files: F, orders: &Receiver<Order<F>>) -> Result<Option<PathBuf>, Error> {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Write(part) => files.write(part)?,
            Order::Finish(closing) => return files.finish(closing).map(Some),
        }
    }
    Ok(None)
}
