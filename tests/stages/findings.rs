use super::holds;
use beamline::stage::findings::{self, FindingsParams};
use beamline::stage::inject::TRAP_ECC;
use beamline::stage::output_vote::{ALARM, MISMATCH};

#[test]
fn the_shader_equals_its_reference() {
    holds(findings::check);
}

/// The alarm, a verdict and the trap of a lane of two copies that has an uncorrectable block in one.
fn told(on_uncorrectable: u32, uncorrectable: u32) -> [u32; 3] {
    let params = FindingsParams { lanes: 1, copies: 2, rows: 4, on_uncorrectable };
    let (mut alarms, mut verdicts, mut traps) = ([0; 5], [0; 4], [0; 5]);
    let told = (&mut alarms[..], &mut verdicts[..], &mut traps[..]);
    findings::reference(&params, &[3, 0, 0, uncorrectable], told);
    assert!(
        verdicts.iter().all(|verdict| *verdict == verdicts[0])
            && [alarms, traps].iter().all(|told| told[..4] == [0; 4])
    );
    [alarms[4], verdicts[0], traps[4]]
}

#[test]
fn corrections_alarm_and_what_cannot_be_corrected_does_what_the_scheme_says() {
    for on in 0..3 {
        assert_eq!(told(on, 0), [3, 0, 0], "corrected only");
    }
    assert_eq!(told(findings::ON_UNCORRECTABLE_ALARM, 1), [4, 0, 0]);
    assert_eq!(told(findings::ON_UNCORRECTABLE_TRAP, 1), [4, 0, TRAP_ECC]);
    assert_eq!(told(findings::ON_UNCORRECTABLE_MISMATCH, 1), [4, MISMATCH | ALARM, 0]);
}
