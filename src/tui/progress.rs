//! Progress without a screen: a bar where standard error is a terminal, else plain lines.

use crate::campaign::event::{Control, Ended, SIMULATED_BEAM, Snapshot};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch::Receiver;

/// Between two plain lines.
const LINE: Duration = Duration::from_secs(5);

/// Reports until the campaign has ended. Ctrl-C stops it; a second one kills the process.
///
/// # Errors
/// Where Ctrl-C cannot be listened for.
pub async fn progress(
    mut snapshots: Receiver<Snapshot>,
    controls: UnboundedSender<Control>,
) -> std::io::Result<()> {
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let mut said = Instant::now();
    let mut notices = Vec::new();
    let mut stopping = false;
    loop {
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { break },
            signal = tokio::signal::ctrl_c() => {
                signal?;
                if stopping {
                    std::process::exit(130);
                }
                stopping = true;
                line(bar.as_ref(), "stopping after the segment in flight; Ctrl-C again leaves at once");
                // A runner that has ended needs no telling.
                let _ = controls.send(Control::Stop);
            }
        }
        let snapshot = snapshots.borrow_and_update().clone();
        for notice in &snapshot.notices {
            if !notices.contains(notice) {
                line(bar.as_ref(), notice);
            }
        }
        notices.clone_from(&snapshot.notices);
        let rate = snapshot.progress.trials_per_s;
        let test = if snapshot.started.mode == SIMULATED_BEAM {
            format!(", {SIMULATED_BEAM}")
        } else {
            String::new()
        };
        if let Some(bar) = &bar {
            bar.set_length(snapshot.started.trials_max);
            bar.set_position(snapshot.progress.trials);
            bar.set_message(format!("trials, {rate:.0}/s{test}"));
        } else if said.elapsed() >= LINE || snapshot.ended.is_some() {
            said = Instant::now();
            let (done, max) = (snapshot.progress.trials, snapshot.started.trials_max);
            let ending = ending(snapshot.ended);
            line(None, &format!("{done} of {max} trials, {rate:.0}/s{test}{ending}"));
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(())
}

const fn ending(ended: Option<Ended>) -> &'static str {
    match ended {
        None => "",
        Some(Ended::Trials) => ", done",
        Some(Ended::HalfWidth) => ", done: the interval is tight enough",
        Some(Ended::Fluence) => ", done: the fluence is reached",
        Some(Ended::TimeLimit) => ", done: time limit",
        Some(Ended::Stopped) => ", stopped",
    }
}

fn line(bar: Option<&ProgressBar>, text: &str) {
    match bar {
        Some(bar) => bar.println(text),
        None => {
            // Nobody may be listening.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}
