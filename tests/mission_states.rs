//! What a mission decides of a faulty state without running it is what the engine finds.

mod support;

use beamline::campaign::file::WorkloadChoice;
use beamline::engine::direct::{Direct, Kernels};
use beamline::mission::{Block, Blocks, Mission, Plan, State, Verdicts};
use beamline::mission::{SchemeHistory, StateRows, Upset};
use beamline::outcome::{InferenceRow, Outcome};
use beamline::seed::{Domain, below, stream};
use beamline::workload::{self, Overrides};
use std::path::Path;
use std::sync::Arc;
use support::gpu;

const SCHEMES: &str = r#"
[[scheme]]
name = "none"
protection = "none"

[[scheme]]
name = "parity"
protection = "none"
code = "parity"

[[scheme]]
name = "hamming"
protection = "none"
code = "hamming-39-32"

[[scheme]]
name = "hsiao"
protection = "none"
code = "hsiao-72-64"

[[scheme]]
name = "trio"
protection = "none"
code = "trio"

[[scheme]]
name = "rs"
protection = "none"
code = "rs-18-16"

[[scheme]]
name = "crc"
protection = "none"
code = "crc-32"

[[scheme]]
name = "tmr"
protection = "tmr-storage"

[[scheme]]
name = "tmr by words"
protection = "tmr-storage"
voter = "word"

[[scheme]]
name = "tmr of one tensor"
protection = "tmr-storage"
protect = { tensors = ["fc1.weight"], bits = [30, 31] }

[[scheme]]
name = "tmr with code"
protection = "tmr-storage"
code = "hsiao-72-64"
"#;

fn plan() -> Plan {
    let text = format!(
        "name = \"states\"\nseed = 1\nlasts = \"1y\"\n[environment]\norbit = \"suncatcher\"\n\
         days = 1\n[memory]\npreset = \"h100-80gb\"\nweights = \"1GiB\"\n[[device]]\n\
         name = \"trillium-hbm\"\nmodes = [\"upset\"]\n[workload]\nname = \"digits-mlp\"\n\
         inputs = 8\n{SCHEMES}"
    );
    let mission = Mission::parse(Path::new("states.toml"), &text).expect("a mission");
    let WorkloadChoice { name, .. } = &mission.workload;
    let workload =
        workload::load(&Path::new("kernels").join(name), &Overrides::default()).expect("shipped");
    Plan::new(&mission, Arc::new(workload), Path::new(".")).expect("a plan")
}

/// Random flips in a few blocks of one copy, most of them in the same block.
fn blocks(plan: &Plan, scheme: usize, state: u64) -> Blocks {
    let terms = &plan.terms[scheme];
    let layout = &terms.layout;
    let mut draws = stream(7, Domain::Generate, &[scheme as u64, state]);
    let words = layout.block_words;
    let last = terms.reader.image_words.div_ceil(words);
    let home = below(&mut draws, u64::from(last));
    let mut blocks = Blocks::new();
    for _ in 0..=below(&mut draws, 3) {
        let at = if below(&mut draws, 4) == 0 { below(&mut draws, u64::from(last)) } else { home };
        let replica = below(&mut draws, layout.replica_count() as u64);
        let key = (u8::try_from(replica).expect("3"), u32::try_from(at).expect("small"));
        let block = blocks.entry(key).or_insert_with(|| Block::clean(words));
        let places = u64::from(words) + u64::from(layout.code.is_some());
        let word = usize::try_from(below(&mut draws, places)).expect("small");
        let mut mask = 1 << below(&mut draws, 32);
        if word == words as usize {
            mask &= layout.code.map_or(0, beamline::scheme::Code::check_mask);
        }
        block.0[word] ^= mask;
    }
    blocks
}

#[test]
fn reads_decided_on_the_cpu_are_those_of_the_engine() {
    let plan = plan();
    let gpu = gpu();
    let kernels = Arc::new(Kernels::new(&gpu).expect("kernels"));
    let mut engine = Direct::with(
        kernels,
        Arc::clone(&gpu),
        Arc::clone(&plan.workload),
        plan.windows.clone(),
        33,
        plan.copies(),
    )
    .expect("an engine");
    let mut verdicts = Verdicts::new(Arc::clone(&plan.workload), &plan.mission.scheme);
    let states = 24;
    for round in 0..2 {
        let mut seen = [0u32; 7];
        for (scheme, terms) in plan.terms.iter().enumerate() {
            for state in 0..states {
                let blocks = blocks(&plan, scheme, state);
                let rows = verdicts.rows(scheme, &State::of(&blocks, terms.reader.image_words));
                let Some(rows) = rows else {
                    assert_eq!(round, 0, "every state was run");
                    continue;
                };
                let read = terms.reader.read(&blocks);
                let name = &terms.reader.scheme.name;
                for row in rows.iter() {
                    seen[row.outcome() as usize] += 1;
                    let alarm = row.has(InferenceRow::ALARM);
                    assert_eq!(alarm, read.alarm, "{name} {state}: {read:?} {row:?}");
                    let expected = match read.outcome() {
                        Some(outcome) => row.outcome() == outcome,
                        // A weight that matters to no input: the output equals golden all the same.
                        None => row.outcome() != Outcome::Due,
                    };
                    assert!(expected, "{name} {state}: {read:?} {row:?} {blocks:?}");
                }
            }
        }
        if round == 0 {
            assert!(verdicts.waiting() > 0);
            verdicts.resolve(&mut engine, |_| {}).expect("the engine runs");
        } else {
            let [masked, corrected, _, tolerable, critical, due, _] = seen;
            assert!(masked > 0 && corrected > 0 && tolerable > 0 && due > 0, "{seen:?}");
            assert!(critical + tolerable > 20, "{seen:?}");
        }
    }
}

#[test]
fn a_history_is_the_same_however_its_states_are_batched() {
    let plan = plan();
    let gpu = gpu();
    let kernels = Arc::new(Kernels::new(&gpu).expect("kernels"));
    let run = |lanes: usize, split: bool| -> Vec<Vec<SchemeHistory>> {
        let mut engine = Direct::with(
            Arc::clone(&kernels),
            Arc::clone(&gpu),
            Arc::clone(&plan.workload),
            plan.windows.clone(),
            lanes,
            plan.copies(),
        )
        .expect("an engine");
        let mut plan = plan.clone();
        plan.ground.horizon_s *= 40.0;
        let mut verdicts = Verdicts::new(Arc::clone(&plan.workload), &plan.mission.scheme);
        let histories: Vec<Vec<Upset>> =
            (0..2).map(|history| beamline::mission::upset::history(&plan, history)).collect();
        let parts: Vec<&[Vec<Upset>]> =
            if split { histories.chunks(1).collect() } else { vec![&histories] };
        let mut runs = Vec::new();
        for part in parts {
            let settled = beamline::mission::run::settled;
            runs.extend(
                settled(&plan, &mut engine, &mut verdicts, part, &mut |_| {}).expect("runs"),
            );
        }
        runs
    };
    let together = run(17, false);
    assert_eq!(together, run(5, true));
    assert!(together.iter().flatten().any(|history| history.struck > 0));
}
