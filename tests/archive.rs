//! The archive: rows come back as they went in, whatever happened to the run in between.

mod fixture;

use beamline::archive::{
    Archive, CampaignProgress, Error, Existing, Fingerprint, Follow, News, Segment, Writer,
    set_aside, summarise,
};
use beamline::campaign::runner::Totals;
use fixture::{fingerprint, header, segment};
use std::fs;
use std::path::Path;

const TRIALS: u64 = 1500;

/// What an earlier run left in a folder.
fn look(folder: &Path, fingerprint: &Fingerprint) -> Result<Option<Existing>, Error> {
    Existing::open(folder, fingerprint, &mut |_| {})
}

fn sorted(mut segment: Segment) -> Segment {
    segment.sort();
    segment
}

/// Writes the trials `from..TRIALS` in segments of `length`, and finishes.
fn finish(mut writer: Writer, from: u64, length: u64) {
    for first in (from..TRIALS).step_by(usize::try_from(length).expect("a small length")) {
        writer.send(segment(first, length.min(TRIALS - first))).expect("a segment");
    }
    writer.finish(()).expect("an archive");
}

#[test]
fn rows_and_header_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::start(folder.path(), header()).expect("a writer");
    writer.send(segment(0, 40)).expect("a segment");
    writer.send(segment(40, 2)).expect("a segment");
    writer.stop().expect("segments");
    let running = Archive::open(folder.path()).expect("a running archive");
    assert!(!running.finished());
    assert_eq!(running.header(), &header());
    let expected = sorted(segment(0, 42));
    assert_eq!(running.outcomes(), expected.outcomes);
    assert_eq!(running.faults(), expected.faults);
    assert_eq!(running.timing().len(), 8);
}

#[test]
fn a_finished_archive_is_its_segments() {
    let folder = tempfile::tempdir().expect("a folder");
    finish(Writer::start(folder.path(), header()).expect("a writer"), 0, 500);
    assert!(!folder.path().join("segments").exists());
    let archive = Archive::open(folder.path()).expect("an archive");
    assert!(archive.finished());
    assert_eq!(archive.header(), &header());
    let expected = sorted(segment(0, TRIALS));
    assert_eq!(archive.outcomes(), expected.outcomes);
    assert_eq!(archive.faults(), expected.faults);
    let summary = archive.summary();
    assert_eq!(summary, summarise(&header(), &expected.faults, &expected.outcomes));
    let existing = look(folder.path(), &fingerprint()).expect("a look").expect("rows");
    assert!(existing.finished && existing.next == TRIALS);
    assert!(matches!(Writer::resume(existing, header()), Err(Error::Occupied { .. })));
}

#[test]
fn a_resumed_run_stores_the_same_bytes() {
    let [whole, broken] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    finish(Writer::start(whole.path(), header()).expect("a writer"), 0, TRIALS);

    let mut writer = Writer::start(broken.path(), header()).expect("a writer");
    writer.send(segment(0, 300)).expect("a segment");
    writer.send(segment(300, 300)).expect("a segment");
    drop(writer);
    // What a kill leaves: a file half-written under its temporary name.
    let torn = broken.path().join("segments/.beamline-Xq71.tmp");
    let other = broken.path().join("notes.tmp");
    fs::write(&other, b"a file of the user's").expect("a file");
    fs::write(&torn, b"\x89HDF\r\n\x1a\n and then nothing").expect("a torn file");
    let mut totals = Totals::new(4, 1);
    let mut count = |segment: &Segment| segment.count_into(&mut totals);
    let existing = Existing::open(broken.path(), &fingerprint(), &mut count);
    let existing = existing.expect("a look").expect("rows");
    assert!(!torn.exists() && other.exists());
    assert_eq!(existing.next, 600);
    assert!(totals.schemes.iter().all(|scheme| scheme.trials == 600));
    assert!(totals.schemes[0].wrong_trials > totals.schemes[3].wrong_trials);
    assert_eq!(totals.schemes[0].outcomes.iter().sum::<u64>(), 600 * 64);
    finish(Writer::resume(existing, header()).expect("a writer"), 600, 300);

    for table in [
        "faults",
        "outcomes",
        "json/header",
        "json/summary",
        "summary/figures/breakdown",
        "summary/figures/wrong_share_interval_low",
        "summary/comparisons/p_holm",
        "summary/fit/avf",
    ] {
        let [a, b] =
            [&whole, &broken].map(|folder| stored(&folder.path().join("archive.h5"), table));
        assert!(!a.is_empty(), "{table}");
        assert_eq!(a, b, "{table}");
    }
}

/// The bytes of a dataset as they lie in the file, compressed chunks and all.
fn stored(path: &Path, table: &str) -> Vec<u8> {
    let bytes = fs::read(path).expect("a file");
    let file = hdf5::File::open(path).expect("an HDF5 file");
    let dataset = file.dataset(table).expect("a table");
    let part = |offset: u64, size: usize| {
        let offset = usize::try_from(offset).expect("an offset");
        bytes[offset..offset + size].to_vec()
    };
    if let Some(offset) = dataset.offset() {
        let row = dataset.dtype().expect("a type").size();
        return part(offset, dataset.size() * row);
    }
    let chunks = (0..dataset.num_chunks().expect("chunks")).map(|index| {
        let chunk = dataset.chunk_info(index).expect("a chunk");
        part(chunk.addr, usize::try_from(chunk.size).expect("a size"))
    });
    chunks.flatten().collect()
}

#[test]
fn an_archive_has_its_digest_beside_it_and_no_text_of_variable_length() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::start(folder.path(), header()).expect("a writer");
    writer.send(segment(0, TRIALS)).expect("a segment");
    writer.stop().expect("segments");
    let segments = folder.path().join("segments");
    assert!(segments.join("seg-000000000000.h5.sha256").is_file());
    finish(
        Writer::resume(
            look(folder.path(), &fingerprint()).expect("a look").expect("rows"),
            header(),
        )
        .expect("a writer"),
        TRIALS,
        TRIALS,
    );
    let check = std::process::Command::new("sha256sum")
        .args(["--strict", "-c", "archive.h5.sha256"])
        .current_dir(folder.path())
        .output()
        .expect("sha256sum");
    assert!(check.status.success(), "{check:?}");

    let path = folder.path().join("archive.h5");
    assert!(Archive::open(&path).expect("an archive").verified());
    let mut tables = 0;
    types(&hdf5::File::open(&path).expect("a file"), &mut |dtype| {
        tables += 1;
        assert!(!format!("{dtype:?}").contains("VarLen"), "{dtype:?}");
    });
    assert!(tables > 50, "{tables} tables and attributes");

    let mut bytes = fs::read(&path).expect("an archive");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("a changed archive");
    let message = Archive::open(&path).expect_err("a flipped bit").to_string();
    assert!(message.contains("expected the file whose SHA-256 digest stands in"), "{message}");
    assert!(message.ends_with("it is damaged or was changed"), "{message}");
}

/// Shows `see` the type of every attribute and table below `at`.
fn types(at: &hdf5::Group, see: &mut impl FnMut(hdf5::types::TypeDescriptor)) {
    let mut attributes = |at: &hdf5::Location| {
        for name in at.attr_names().expect("names") {
            let dtype = at.attr(&name).and_then(|of| of.dtype()).expect("a type");
            see(dtype.to_descriptor().expect("a type"));
        }
    };
    attributes(at);
    let tables = at.datasets().expect("tables");
    tables.iter().for_each(|table| attributes(table));
    for table in tables {
        see(table.dtype().and_then(|dtype| dtype.to_descriptor()).expect("a type"));
        assert!(table.filters().contains(&hdf5::filters::Filter::Fletcher32), "{}", table.name());
    }
    for group in at.groups().expect("groups") {
        types(&group, see);
    }
}

#[test]
fn a_growing_campaign_is_followed_segment_by_segment_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(Follow::<Segment>::open(folder.path()), Err(Error::Missing { .. })));
    let mut writer = Writer::start(folder.path(), header()).expect("a writer");
    writer.send(segment(0, 300)).expect("a segment");
    writer.send(segment(300, 200)).expect("a segment");
    writer.stop().expect("segments");
    let mut follow = Follow::<Segment>::open(folder.path()).expect("a running campaign");
    assert_eq!(follow.header(), &header());
    let mut progress = CampaignProgress::new(&header());
    let Ok(Some(News::More(segments))) = follow.look() else { panic!("segments") };
    assert_eq!(segments.len(), 2);
    segments.iter().for_each(|segment| progress.add(segment));
    assert!(follow.look().expect("a look").is_none(), "nothing new");

    let existing = look(folder.path(), &fingerprint()).expect("a look").expect("rows");
    let mut writer = Writer::resume(existing, header()).expect("a writer");
    writer.send(segment(500, 100)).expect("a segment");
    writer.stop().expect("segments");
    let Ok(Some(News::More(segments))) = follow.look() else { panic!("a segment") };
    assert_eq!((segments.len(), segments[0].first_trial), (1, 500));
    segments.iter().for_each(|segment| progress.add(segment));
    let so_far = progress.after(60.0);
    assert_eq!((so_far.trials, so_far.trials_per_s), (600, 4.0 * 600.0 / 60.0));
    assert_eq!(so_far.recent.len(), 12);
    assert!(so_far.recent.is_sorted_by_key(|event| event.trial));
    let last = so_far.recent.last().expect("an event");
    assert!(last.fault.contains("] bit ") && last.fault.contains(", replica "), "{last:?}");

    let existing = look(folder.path(), &fingerprint()).expect("a look").expect("rows");
    finish(Writer::resume(existing, header()).expect("a writer"), 600, 300);
    let Ok(Some(News::Whole(rows))) = follow.look() else { panic!("the whole") };
    assert_eq!(rows.trials, TRIALS);
    assert!(follow.look().expect("a look").is_none());
    let mut whole = CampaignProgress::new(&header());
    whole.add(&rows);
    let mut again = CampaignProgress::new(&header());
    let mut done = Follow::<Segment>::open(folder.path()).expect("a finished campaign");
    let Ok(Some(News::Whole(rows))) = done.look() else { panic!("the whole") };
    again.add(&rows);
    assert_eq!(whole.after(1.0), again.after(1.0));
    assert_eq!(whole.after(1.0).schemes[0].trials, TRIALS);
}

#[test]
fn another_experiment_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::start(folder.path(), header()).expect("a writer");
    writer.send(segment(0, 5)).expect("a segment");
    writer.stop().expect("a segment");
    let mut other = fingerprint();
    other.driver = "another".into();
    other.golden = "another".into();
    let error = look(folder.path(), &other).expect_err("another driver");
    let message = error.to_string();
    assert!(message.ends_with(
        "made with another driver, another golden; only the same experiment can continue it"
    ));
    assert!(message.contains("header.h5"));
    finish(
        Writer::resume(
            look(folder.path(), &fingerprint()).expect("a look").expect("rows"),
            header(),
        )
        .expect("a writer"),
        5,
        TRIALS,
    );
    let error = look(folder.path(), &other).expect_err("another driver");
    assert!(matches!(error, Error::Fingerprint { .. }));
    assert!(!folder.path().join("segments").exists(), "a refusal left a folder");
}

#[test]
fn torn_foreign_and_missing_segments_are_said_to_be_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::start(folder.path(), header()).expect("a writer");
    for first in [0, 5, 10] {
        writer.send(segment(first, 5)).expect("a segment");
    }
    writer.stop().expect("segments");
    let path = folder.path().join("segments/seg-000000000005.h5");
    let whole = fs::read(&path).expect("a segment");

    fs::write(&path, &whole[..whole.len() / 2]).expect("a torn segment");
    let message = look(folder.path(), &fingerprint()).expect_err("torn").to_string();
    assert!(message.contains("seg-000000000005.h5: expected the file whose"), "{message}");
    assert!(message.contains("seg-000000000005.h5.sha256, found "), "{message}");
    fs::remove_file(path.with_extension("h5.sha256")).expect("a removed digest");
    let message = look(folder.path(), &fingerprint()).expect_err("torn").to_string();
    assert!(message.contains("seg-000000000005.h5: expected a complete HDF5 file"), "{message}");

    drop(hdf5::File::create(&path).expect("a foreign file"));
    let message = look(folder.path(), &fingerprint()).expect_err("foreign").to_string();
    assert!(message.contains("expected a beamline archive"), "{message}");

    fs::remove_file(&path).expect("a removed segment");
    let message = look(folder.path(), &fingerprint()).expect_err("a gap").to_string();
    assert!(message.contains("begins with trial 5"), "{message}");
}

#[test]
fn rows_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut short = segment(0, 5);
    short.outcomes.pop();
    let mut uneven = segment(0, 5);
    uneven.outcomes[3].masked += 1;
    let late = segment(5, 5);
    for (flawed, reason) in
        [(short, "one outcome for each of 4 schemes"), (uneven, "sum to 64"), (late, "trial 0")]
    {
        let mut writer = Writer::start(folder.path(), header()).expect("a writer");
        writer.send(flawed).expect("a hand-over");
        let message = writer.stop().expect_err("a flaw").to_string();
        assert!(message.contains(reason), "{message}");
    }
    assert!(matches!(Archive::open(folder.path()), Err(Error::Missing { .. })));
}

#[test]
fn a_header_that_cannot_be_is_refused_before_the_first_trial() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut odd = header();
    odd.rate.as_mut().expect("a rate").trial_s = f64::NAN;
    let message = Writer::start(folder.path(), odd).expect_err("no time").to_string();
    assert!(message.contains("header.h5: expected trial_s finite and not negative"), "{message}");
}

#[test]
fn a_text_of_any_length_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut long = header();
    long.sources[0].source = "λ".repeat(50_000);
    long.workload.description = "x".repeat(100_000);
    let mut writer = Writer::start(folder.path(), long.clone()).expect("a writer");
    writer.send(segment(0, 5)).expect("a segment");
    writer.finish(()).expect("an archive");
    assert_eq!(Archive::open(folder.path()).expect("an archive").header(), &long);
}

#[test]
fn an_archive_whose_digest_was_lost_has_it_again_when_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    finish(Writer::start(folder.path(), header()).expect("a writer"), 0, TRIALS);
    fs::remove_file(folder.path().join("archive.h5.sha256")).expect("a removed digest");
    assert!(!Archive::open(folder.path()).expect("an archive").verified());
    let existing = look(folder.path(), &fingerprint()).expect("a look").expect("rows");
    assert!(existing.finished);
    assert!(Archive::open(folder.path()).expect("an archive").verified());
}

#[test]
fn a_writer_that_failed_says_so_on_the_next_segment() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::start(folder.path(), header()).expect("a writer");
    fs::remove_dir_all(folder.path().join("segments")).expect("a vanished folder");
    let error = (0..100).find_map(|n| writer.send(segment(n, 1)).err()).expect("an error");
    assert!(matches!(error, Error::Hdf5 { .. } | Error::Io { .. }), "{error}");
    assert!(matches!(writer.send(segment(9, 1)), Err(Error::WriterGone)));
}

#[test]
fn a_folder_that_cannot_be_written_or_is_taken_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("results");
    fs::write(&file, "a file where a folder should be").expect("a file");
    let message = Writer::start(&file, header()).expect_err("no folder").to_string();
    assert!(message.contains("segments: cannot be made"), "{message}");

    let taken = folder.path().join("taken");
    let mut writer = Writer::start(&taken, header()).expect("a writer");
    assert!(matches!(Writer::start(&taken, header()), Err(Error::Locked { .. })));
    assert!(matches!(look(&taken, &fingerprint()), Err(Error::Locked { .. })));
    writer.send(segment(0, 1)).expect("a segment");
    writer.stop().expect("a segment");
    assert!(matches!(Writer::start(&taken, header()), Err(Error::Occupied { .. })));
    let aside = set_aside(&taken).expect("a rename").expect("something to keep");
    assert_eq!(aside, folder.path().join("taken.1"));
    assert_eq!(Archive::open(&aside).expect("kept").outcomes().len(), 4);
    assert_eq!(set_aside(&taken).expect("a look"), None);
    Writer::start(&taken, header()).expect("a writer").stop().expect("nothing");
    assert!(look(&taken, &fingerprint()).expect("a look").is_none());
}

#[test]
fn a_part_goes_on_as_that_part_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let share = Some((500, 1000));
    let mut writer = Writer::start_part(folder.path(), header(), share).expect("a writer");
    writer.send(segment(500, 300)).expect("a segment");
    writer.stop().expect("a segment");
    let open = |share| Existing::open_part(folder.path(), &fingerprint(), share, &mut |_| {});
    let message = open(None).expect_err("all trials").to_string();
    assert!(
        message.ends_with("expected all trials, found a part of 1000 trials from 500 on"),
        "{message}"
    );
    assert!(open(Some((0, 500))).is_err(), "another part");
    let existing = open(share).expect("a look").expect("rows");
    assert_eq!(existing.next, 800);
    let mut writer = Writer::resume(existing, header()).expect("a writer");
    writer.send(segment(800, 700)).expect("a segment");
    writer.finish(()).expect("an archive");
    let archive = Archive::open(folder.path()).expect("a part");
    assert_eq!((archive.part(), archive.finished()), (share, false));
    assert!(open(None).is_err() && open(share).expect("a look").expect("one").finished);
}

#[test]
fn every_column_that_is_written_is_on_the_page() {
    let page = include_str!("../docs/archive-format.md");
    let folder = tempfile::tempdir().expect("a folder");
    for census in [false, true] {
        let mut header = header();
        header.campaign.census = census;
        let path = folder.path().join(census.to_string());
        let mut writer = Writer::start(&path, header).expect("a writer");
        writer.send(segment(0, 40)).expect("a segment");
        let file = hdf5::File::open(writer.finish(()).expect("an archive")).expect("a file");
        for table in
            ["summary/figures", "summary/comparisons", "summary/fit", "summary/beam", "schemes"]
        {
            let (_, section) =
                page.split_once(&format!("<!-- columns: {table} -->")).expect("a table");
            let (section, _) = section.split_once("<!-- end -->").expect("its end");
            let mut expected: Vec<&str> = section
                .lines()
                .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
                .collect();
            let mut found = file.group(table).and_then(|at| at.member_names()).expect("columns");
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{table}, census {census}");
        }
    }
}
