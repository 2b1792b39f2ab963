//! Wishes to stop that come from outside: signals, and Ctrl-C as a key.
//!
//! The first asks the run to stop, so that what is in flight is saved; the second ends the process
//! at once, with the terminal as it was.

use super::terminal;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch::{Receiver, Sender, channel};

/// A signal that asks for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// `kill`, a batch system, a shutdown.
    Terminate,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hangup, Self::Interrupt, Self::Terminate];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// Its number, the same on every Unix.
    const fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// The exit code of a run that it stopped, as shells have it.
    pub const fn exit_code(self) -> u8 {
        128 + self.number()
    }
}

/// The first wish to stop, once there is one. Clones share it.
#[derive(Clone, Debug)]
pub struct Stops(Arc<Sender<Option<Signal>>>);

impl Stops {
    /// Listens from now on, on this runtime. A signal that the process was started to ignore, as
    /// under `nohup`, stays ignored.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn listen(runtime: &Runtime) -> std::io::Result<Self> {
        // The runtime panics where no file descriptors are left for its own pipe.
        #[cfg(unix)]
        drop((std::os::unix::net::UnixStream::pair()?, std::os::unix::net::UnixStream::pair()?));
        let stops = Self(Arc::new(channel(None).0));
        let _context = runtime.enter();
        for signal in Signal::ALL.into_iter().filter(|signal| !is_ignored(*signal)) {
            stops.clone().listen_to(signal, runtime)?;
        }
        Ok(stops)
    }

    #[cfg(unix)]
    fn listen_to(self, signal: Signal, runtime: &Runtime) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal as listener};
        let mut listener = listener(SignalKind::from_raw(signal.number().into()))?;
        runtime.spawn(async move {
            while listener.recv().await.is_some() {
                self.raise(signal);
            }
        });
        Ok(())
    }

    #[cfg(not(unix))]
    fn listen_to(self, signal: Signal, runtime: &Runtime) -> std::io::Result<()> {
        if signal == Signal::Interrupt {
            runtime.spawn(async move {
                while tokio::signal::ctrl_c().await.is_ok() {
                    self.raise(signal);
                }
            });
        }
        Ok(())
    }

    /// Takes a wish to stop; ends the process where it is the second one.
    pub fn raise(&self, signal: Signal) {
        if self.first().is_some() {
            terminal::leave();
            std::process::exit(signal.exit_code().into());
        }
        self.0.send_modify(|first| *first = Some(signal));
    }

    /// The first wish, if there was one.
    pub fn first(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Hears of the first wish.
    pub(super) fn subscribe(&self) -> Receiver<Option<Signal>> {
        self.0.subscribe()
    }
}

/// Whether the process was started to ignore a signal; known on Linux only.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

fn ignores(status: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.number() - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_shells() {
        assert_eq!(Signal::ALL.map(Signal::exit_code), [129, 130, 143]);
    }

    #[test]
    fn an_ignored_signal_is_known_by_its_bit() {
        let status = "Name:\tbeamline\nSigBlk:\tffff\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert_eq!(Signal::ALL.map(|signal| ignores(status, signal)), [true, false, false]);
        assert_eq!(Signal::ALL.map(|signal| ignores("", signal)), [false; 3]);
    }
}
