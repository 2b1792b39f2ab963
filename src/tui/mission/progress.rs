//! A mission without a screen: a line now and then.

use crate::mission::live::{Control, Snapshot};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch::Receiver;

/// Between two lines.
const LINE: Duration = Duration::from_secs(5);

/// Reports until the mission has ended. Ctrl-C stops it; a second one kills the process.
///
/// # Errors
/// Where Ctrl-C cannot be listened for.
pub async fn progress(
    mut snapshots: Receiver<Snapshot>,
    controls: UnboundedSender<Control>,
) -> std::io::Result<()> {
    let mut said = Instant::now();
    let mut stopping = false;
    let mut phase = None;
    loop {
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { break },
            signal = tokio::signal::ctrl_c() => {
                signal?;
                if stopping {
                    std::process::exit(130);
                }
                stopping = true;
                line("stopping after the histories in flight; Ctrl-C again leaves at once");
                // A runner that has ended needs no telling.
                let _ = controls.send(Control::Stop);
            }
        }
        let snapshot = snapshots.borrow_and_update().clone();
        let over = snapshot.is_over();
        if phase != Some(snapshot.phase) || said.elapsed() >= LINE || over {
            said = Instant::now();
            phase = Some(snapshot.phase);
            line(&words(&snapshot));
        }
        if over {
            break;
        }
    }
    Ok(())
}

fn words(snapshot: &Snapshot) -> String {
    let planned = snapshot.started.as_ref().map_or(0, |started| started.histories);
    format!(
        "{}: {} of {planned} histories, {} faulty states run",
        snapshot.phase.name(),
        snapshot.histories,
        snapshot.states
    )
}

fn line(text: &str) {
    // Nobody is told where standard error is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}
