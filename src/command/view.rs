//! `beamline view`: the screens of a result, finished or still running, from its files.

use super::live::{Live, Steering, Watching};
use super::mission::{MissionFiles, Prepared};
use super::report::{campaign_table, mission_table};
use super::{Failure, say};
use crate::archive::mission::{Histories, MissionArchive, MissionRun};
use crate::archive::{Archive, ArchiveKind, CampaignProgress, Follow, News, Segment};
use crate::campaign::event::{Control, Ended, Snapshot};
use crate::mission::figures::Tally;
use crate::mission::live::{self, MissionEnd, Phase, Started};
use crate::mission::run::HistoryRun;
use crate::mission::{SchemeHistory, upset};
use crate::tui;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Sender;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_millis(250);

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct View {
    /// A results folder, running or finished, or an archive file.
    archive: PathBuf,
    #[command(flatten)]
    files: MissionFiles,
}

impl View {
    /// Shows the result until the user leaves; its table where there is no terminal for screens.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self) -> Result<(), Failure> {
        super::check_archive(&self.archive)?;
        let kind = ArchiveKind::of(&self.archive)?;
        if !(std::io::stdout().is_terminal() && tui::draws()) {
            return say(&match kind {
                ArchiveKind::Campaign => campaign_table(&Archive::open(&self.archive)?)?,
                ArchiveKind::Mission => mission_table(&MissionArchive::read(&self.archive)?),
            });
        }
        let live = Live::new(Watching::default())?;
        match kind {
            ArchiveKind::Campaign => {
                live.run::<tui::App, _>(|to, steering| follow_campaign(&self.archive, to, steering))
            }
            ArchiveKind::Mission => {
                live.run::<tui::mission::App, _>(|to, steering| self.follow_mission(to, steering))
            }
        }?;
        live.ended()
    }

    fn follow_mission(
        &self,
        to: &Sender<live::Snapshot>,
        mut steering: Steering,
    ) -> Result<(), Failure> {
        to.send_modify(|snapshot| snapshot.watched = true);
        let mut follow = Follow::<Histories>::open(&self.archive)?;
        let prepared = Prepared::archived(follow.header(), &self.files)?;
        let plan = &prepared.plan;
        let started = Started::new(plan, follow.header().adapter.line());
        let started = Arc::new(Started { histories: follow.planned(), ..started });
        to.send_modify(|snapshot| {
            (snapshot.started, snapshot.phase) = (Some(started), Phase::Histories);
        });
        let mut tally = Tally::new(&plan.facts());
        let played = |run: &MissionRun| HistoryRun {
            history: run.history,
            start_s: upset::start_s(plan, run.history),
            upsets: upset::history(plan, run.history),
            schemes: run.schemes.clone(),
        };
        until_left(&mut steering, || {
            let Some(news) = follow.look()? else { return Ok(()) };
            let (segments, finished) = match news {
                News::More(segments) => (segments, false),
                News::Whole(rows) => {
                    tally = Tally::new(&plan.facts());
                    (vec![*rows], true)
                }
            };
            let runs = segments.iter().flat_map(|segment| &segment.runs);
            let schemes = runs.clone().map(|(run, _)| run.schemes.as_slice());
            schemes.for_each(|schemes: &[SchemeHistory]| tally.add(schemes));
            let first = runs.clone().next().map(|(run, _)| Arc::new(played(run)));
            let figures: Arc<[_]> = tally.figures().into();
            let end = match finished {
                true => Some(self.end()?),
                false => None,
            };
            to.send_modify(|snapshot| {
                (snapshot.histories, snapshot.figures) = (tally.histories(), figures);
                snapshot.first = snapshot.first.take().or(first);
                if let Some((end, sweep)) = end {
                    (snapshot.ended, snapshot.sweep) = (Some(end), sweep);
                }
            });
            Ok(())
        })
    }

    /// How a finished mission ended, and its sweep.
    fn end(&self) -> Result<(MissionEnd, Arc<[crate::mission::sweep::Point]>), Failure> {
        let archive = MissionArchive::read(&self.archive)?;
        let folder =
            if self.archive.is_dir() { Some(&*self.archive) } else { self.archive.parent() };
        let report = folder.unwrap_or(Path::new(".")).join("report.html");
        Ok((MissionEnd::Done { report }, archive.closing.sweep.into()))
    }
}

fn follow_campaign(
    path: &Path,
    to: &Sender<Snapshot>,
    mut steering: Steering,
) -> Result<(), Failure> {
    let mut follow = Follow::<Segment>::open(path)?;
    let mut progress = CampaignProgress::new(follow.header());
    to.send_modify(|snapshot| {
        snapshot.watched = true;
        snapshot.started = follow.header().started(0);
        snapshot.started.trials_max = follow.planned();
    });
    until_left(&mut steering, || {
        let Some(news) = follow.look()? else { return Ok(()) };
        let finished = matches!(news, News::Whole(_));
        match news {
            News::More(segments) => segments.iter().for_each(|segment| progress.add(segment)),
            News::Whole(rows) => {
                progress = CampaignProgress::new(follow.header());
                progress.add(&rows);
            }
        }
        let shown = progress.after(follow.elapsed_s() as f64);
        to.send_modify(|snapshot| {
            snapshot.progress = shown;
            snapshot.ended = finished.then_some(Ended::Trials);
        });
        Ok(())
    })
}

/// Looks again and again until the user has left.
fn until_left(
    steering: &mut Steering,
    mut look: impl FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    while steering.next() != Some(Control::Stop) {
        look()?;
        std::thread::sleep(LOOK);
    }
    Ok(())
}
