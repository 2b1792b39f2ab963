use super::holds;
use beamline::stage::decision::Rule;
use beamline::stage::output_vote;
use beamline::workload::{Decision, NanRank};

#[test]
fn the_shader_equals_its_reference() {
    holds(output_vote::check);
}

use output_vote::{ALARM, MISMATCH, NONE, OutputVoteParams, RETRIED};

/// The delivered words and the verdict of one row of two features (rows padded to four).
fn vote(executions: u32, retry: u32, outputs: [[f32; 2]; 3]) -> ([f32; 2], u32) {
    vote_by(output_vote::BITWISE, executions, retry, outputs)
}

fn vote_by(voter: u32, executions: u32, retry: u32, outputs: [[f32; 2]; 3]) -> ([f32; 2], u32) {
    let params = OutputVoteParams {
        rows: 4,
        features: 2,
        blocks: 1,
        executions,
        retry,
        rule: Rule::new(Decision::ArgMax { nan: NanRank::Differs }),
        voter,
        pad: [0; 2],
    };
    let spread = outputs.map(|[f, g]| {
        let mut words = [0; 8];
        (words[0], words[4]) = (f.to_bits(), g.to_bits());
        words
    });
    let mut delivered = [0; 8];
    let mut verdicts = [if retry == 1 { MISMATCH | ALARM } else { 0 }; 4];
    let words = [&spread[0][..], &spread[1][..], &spread[2][..]];
    output_vote::reference(&params, &[0], words, &mut delivered, &mut verdicts);
    ([delivered[0], delivered[4]].map(f32::from_bits), verdicts[0])
}

#[test]
fn what_each_disagreement_comes_to() {
    let good = [1.0, 2.0];
    assert_eq!(vote(3, 0, [good, good, good]), (good, 0));
    assert_eq!(vote(3, 0, [good, [9.0, 2.0], good]), (good, ALARM));
    let torn = vote(3, 0, [[1.0, 2.0], [9.0, 2.0], [1.5, 2.5]]);
    assert_eq!(torn, ([1.0, 2.0], ALARM), "0 and 2 decide alike: 0 is delivered whole");
    let torn = vote(3, 0, [[9.0, f32::NAN], [1.0, 2.5], [1.5, 2.0]]);
    assert_eq!(torn, ([1.0, 2.5], ALARM), "1 and 2 decide alike: 1 is delivered whole");
    let nan = |payload: u32| f32::from_bits(0x7fc0_0000 + payload);
    let torn = vote(3, 0, [[nan(1), 2.0], [nan(2), 2.0], good]);
    assert_eq!(torn.1, NONE | ALARM, "two that decide nothing do not agree");
    assert_eq!(vote(2, 0, [good, [1.0, 3.0], [1.0, 3.0]]).1, MISMATCH | ALARM);
    assert_eq!(vote(2, 1, [good, good, good]), (good, RETRIED | ALARM));
    assert_eq!(vote(2, 1, [good, [1.0, 3.0], [1.0, 3.0]]).1, NONE | ALARM);
}

#[test]
fn each_voter_takes_its_own_for_agreement() {
    let good = [1.0, 2.0];
    let torn = [[1.0, 2.0], [9.0, 2.0], [1.5, 2.5]];
    assert_eq!(vote_by(output_vote::WORD, 3, 0, torn).1, NONE | ALARM, "three distinct words");
    let one_off = [good, [9.0, 2.0], good];
    assert_eq!(vote_by(output_vote::WORD, 3, 0, one_off), (good, ALARM));
    let labels = output_vote::DECISION;
    assert_eq!(vote_by(labels, 3, 0, one_off), (good, ALARM), "the label of 1 is another");
    let near = [[1.0, 2.5], good, [0.0, 3.0]];
    assert_eq!(vote_by(labels, 3, 0, near), ([1.0, 2.5], 0), "one label: execution 0, no alarm");
    let split = [[3.0, 2.0], [1.0, 2.5], good];
    assert_eq!(vote_by(labels, 3, 0, split), ([1.0, 2.5], ALARM));
    let nan = [f32::NAN, 2.0];
    assert_eq!(vote_by(labels, 3, 0, [nan, [3.0, 2.0], good]).1, NONE | ALARM);
    assert_eq!(vote_by(labels, 2, 0, [good, [1.0, 3.0], [1.0, 3.0]]), (good, 0));
    assert_eq!(vote_by(labels, 2, 0, [good, [3.0, 1.0], [3.0, 1.0]]).1, MISMATCH | ALARM);
    assert_eq!(vote_by(labels, 2, 1, [good, good, good]), (good, RETRIED | ALARM));
}
