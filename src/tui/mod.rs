//! The live view (to come).
use crate::campaign::event::{Control, Snapshot};
use tokio::sync::{mpsc::UnboundedSender, watch::Receiver};
/// x
pub async fn run(
    s: Receiver<Snapshot>,
    c: UnboundedSender<Control>,
    _stay: bool,
) -> std::io::Result<()> {
    progress(s, c).await
}
/// x
pub async fn progress(
    mut s: Receiver<Snapshot>,
    _c: UnboundedSender<Control>,
) -> std::io::Result<()> {
    while s.changed().await.is_ok() {
        let snap = s.borrow().clone();
        eprintln!(
            "{} / {} {:.1}/s {:?}",
            snap.progress.trials,
            snap.started.trials_max,
            snap.progress.trials_per_s,
            snap.notices.last()
        );
    }
    Ok(())
}
