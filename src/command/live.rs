//! What campaigns and missions share while they run: who watches and steers, what an earlier run
//! left, and how to go on.

use super::engines::boxed;
use super::{Failure, is_quiet, note};
use crate::archive::{self, ARCHIVE_FILE, SEGMENTS_FOLDER, set_aside};
use crate::campaign::event::Control;
use crate::engine::{self, Engine, Engines};
use crate::gpu::{AdapterChoice, Gpu};
use crate::tui::{self, Screens, Signal, Stops, Telling};
use anyhow::anyhow;
use serde_json::json;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch::{Sender, channel};

/// How a run is watched.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Watching {
    /// Progress as plain lines, also on a terminal; the same as --progress lines.
    #[arg(long)]
    no_tui: bool,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    progress: Told,
}

/// How progress is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Told {
    /// Screens on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// Lines on standard error.
    Lines,
    /// A line of JSON an event on standard output, and nothing else there.
    Json,
}

impl Watching {
    /// Whether standard output is for a program.
    pub(super) fn is_json(self) -> bool {
        self.progress == Told::Json
    }
}

/// A run that can be watched and stopped.
pub(super) struct Live {
    runtime: Runtime,
    stops: Stops,
    screen: bool,
    telling: Telling,
}

impl Live {
    /// Listens to signals from now on; shows screens where there is a terminal for them, unless the
    /// user wants none.
    pub(super) fn new(watching: Watching) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(Failure::environment)?;
        let stops = Stops::listen(&runtime).map_err(Failure::environment)?;
        let wanted = !watching.no_tui && watching.progress == Told::Auto && !is_quiet();
        let screen = wanted && std::io::stdout().is_terminal() && tui::draws();
        let telling = match watching.progress {
            Told::Json => Telling::Json,
            _ if is_quiet() => Telling::Nothing,
            _ => Telling::Lines,
        };
        Ok(Self { runtime, stops, screen, telling })
    }

    /// Runs `work` on a thread of its own while its snapshots are shown.
    pub(super) fn run<S, T>(
        &self,
        work: impl FnOnce(&Sender<S::Standing>, Steering) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure>
    where
        S: Screens<Standing: Send + Sync> + Default,
        T: Send,
    {
        let (sender, snapshots) = channel(S::Standing::default());
        let (controls_to, controls) = unbounded_channel();
        std::thread::scope(|scope| {
            let worker =
                scope.spawn(move || work(&sender, Steering { controls, abandoned: false }));
            let watched = self.runtime.block_on(async {
                if self.screen {
                    tui::run(S::default(), snapshots, controls_to, &self.stops).await
                } else {
                    tui::progress(self.telling, snapshots, controls_to, &self.stops).await;
                    Ok(())
                }
            });
            let ended = worker.join().map_err(|_| {
                Failure::environment(anyhow!("the run stopped on an internal error"))
            })?;
            // A terminal that fails after a hangup is no failure of its own.
            if self.stops.first().is_none() {
                watched.map_err(Failure::environment)?;
            }
            ended
        })
    }

    /// Shows screens that need no work beside them until the user leaves.
    pub(super) fn show<S: Screens>(&self, screens: S) -> Result<(), Failure> {
        // The sender stays: there is no run that could end.
        let (_sender, snapshots) = channel(S::Standing::default());
        let (controls_to, _controls) = unbounded_channel();
        let shown = self.runtime.block_on(tui::run(screens, snapshots, controls_to, &self.stops));
        shown.map_err(Failure::environment)?;
        self.ended()
    }

    /// How screens end that show no run of their own: well, unless by a signal.
    pub(super) fn ended(&self) -> Result<(), Failure> {
        let stopped = |signal: Signal| Failure::Stopped {
            code: signal.exit_code(),
            text: format!("ended by {}", signal.name()),
        };
        self.stops.first().map_or(Ok(()), |signal| Err(stopped(signal)))
    }

    /// How a run ends that was stopped with this much done.
    pub(super) fn stopped(&self, done: &str, adapter: Option<&str>) -> Failure {
        // A stop by a key is the user's, as Ctrl-C is.
        let code = self.stops.first().unwrap_or(Signal::Interrupt).exit_code();
        if self.telling == Telling::Json {
            tui::event("stopped", &json!({ "after": done, "resume": resume_line(adapter) }));
        }
        let text = format!("stopped after {done}; this goes on:\n{}", resume_line(adapter));
        Failure::Stopped { code, text }
    }

    /// A run's failure, with the command that goes on from what is stored in `folder`.
    pub(super) fn resumable(failure: Failure, folder: &Path, adapter: Option<&str>) -> Failure {
        match failure {
            Failure::Environment(error) if folder.join(SEGMENTS_FOLDER).is_dir() => {
                let line = resume_line(adapter);
                Failure::Environment(anyhow!(
                    "{error:#}\nwhat was complete is stored; once that is mended, this goes on:\n{line}"
                ))
            }
            failure => failure,
        }
    }
}

/// What the user asks of a run.
pub(super) struct Steering {
    controls: UnboundedReceiver<Control>,
    abandoned: bool,
}

impl Steering {
    /// What was asked since the last call; a stop where nobody is left to ask for one.
    pub(super) fn next(&mut self) -> Option<Control> {
        match self.controls.try_recv() {
            Ok(asked) => Some(asked),
            Err(TryRecvError::Disconnected) if !self.abandoned => {
                self.abandoned = true;
                Some(Control::Stop)
            }
            Err(_) => None,
        }
    }
}

/// What an earlier run of the same experiment left.
pub(super) enum Earlier<E> {
    /// Nothing to go on with: begin.
    Nothing,
    /// A part.
    Part(E),
    /// All of it.
    All,
}

/// Finds what an earlier run left in `folder`: with `--resume` what `open` finds there, without it
/// nothing, after the results of `name` that lie there are set aside.
pub(super) fn earlier<E>(
    resume: bool,
    (folder, name): (&Path, &str),
    open: impl FnOnce() -> Result<Option<E>, archive::Error>,
    finished: impl FnOnce(&E) -> bool,
) -> Result<Earlier<E>, Failure> {
    if !resume {
        if let Some(aside) = set_aside(folder)? {
            note(&format!("earlier results of {name} are now in {}", aside.display()))?;
        }
        return Ok(Earlier::Nothing);
    }
    Ok(match open()? {
        None => Earlier::Nothing,
        Some(existing) if finished(&existing) => {
            note(&format!("{}: finished already, nothing to go on with", folder.display()))?;
            Earlier::All
        }
        Some(existing) => Earlier::Part(existing),
    })
}

/// Prints the table that ends a run, and where its files lie.
pub(super) fn say_results(folder: &Path, table: &str, watching: Watching) -> Result<(), Failure> {
    let (archive, report) = (folder.join(ARCHIVE_FILE), folder.join("report.html"));
    if watching.is_json() {
        tui::event("finished", &json!({ "archive": archive, "report": report }));
    }
    note(table)?;
    note(&format!("archive: {}", archive.display()))?;
    note(&format!("report:  {}", report.display()))
}

/// Engines made anew on the adapter of a lost device, which must give the same golden outputs:
/// results before and after stand in one archive.
pub(super) fn reopen<E: Engine + 'static>(
    lost: &Gpu,
    golden: &[Vec<u32>],
    engines: impl FnOnce(&Arc<Gpu>) -> Result<Vec<E>, Failure>,
    golden_outputs: impl Fn(&E) -> &[u32],
) -> Result<Engines<'static>, engine::Error> {
    let fail = |failure: String| engine::Error::Gpu(crate::gpu::Error::Device(failure));
    let gpu = Arc::new(Gpu::open(&AdapterChoice::Same(Box::new(lost.adapter().clone())))?);
    let engines = engines(&gpu).map_err(|failure| fail(failure.to_string()))?;
    if engines.iter().map(golden_outputs).ne(golden.iter().map(Vec::as_slice)) {
        let adapter = gpu.adapter().line();
        return Err(fail(format!("expected the golden outputs of before, {adapter} gives others")));
    }
    Ok(boxed(engines))
}

/// The command line that goes on with this run, as a shell takes it.
fn resume_line(adapter: Option<&str>) -> String {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let from_environment = std::env::var_os("BEAMLINE_ADAPTER").is_some();
    resumed(words.collect(), adapter.filter(|_| from_environment))
}

/// These words with `--resume`, and with an adapter that stands in the environment.
fn resumed(mut words: Vec<String>, adapter: Option<&str>) -> String {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let has = |option: &str| {
        let with_value = format!("{option}=");
        words[..end].iter().any(|word| word == option || word.starts_with(&with_value))
    };
    let mut more = Vec::new();
    if let Some(adapter) = adapter.filter(|_| !has("--adapter")) {
        more.extend(["--adapter".to_owned(), adapter.to_owned()]);
    }
    if !has("--resume") {
        more.push("--resume".to_owned());
    }
    words.splice(end..end, more);
    let quoted = words.iter().map(|word| match shlex::try_quote(word) {
        Ok(quoted) => quoted.into_owned(),
        // A NUL, which no command line can hold.
        Err(_) => word.clone(),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &[&str], adapter: Option<&str>) -> String {
        resumed(words.iter().map(|word| (*word).to_owned()).collect(), adapter)
    }

    #[test]
    fn the_hint_is_the_command_with_resume() {
        let words = ["target/release/beamline", "run", "my campaigns/a.toml", "--results", "out"];
        let want = "target/release/beamline run 'my campaigns/a.toml' --results out --resume";
        assert_eq!(line(&words, None), want);
        assert_eq!(
            line(&["beamline", "run", "a.toml", "--resume"], None),
            "beamline run a.toml --resume"
        );
        let dashes = line(&["beamline", "mission", "--", "-odd.toml"], Some("llvmpipe (LLVM 15)"));
        assert_eq!(dashes, "beamline mission --adapter 'llvmpipe (LLVM 15)' --resume -- -odd.toml");
        let named = line(&["beamline", "--adapter=software", "run", "it's.toml"], Some("any"));
        assert_eq!(named, "beamline '--adapter=software' run \"it's.toml\" --resume");
    }
}
