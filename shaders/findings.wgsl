// What the decoders of a lane found becomes alarms, and where it could not be corrected a trap or
// a mismatch. One invocation a lane. See src/stage/findings.rs for the reference.
#import fold
#import outcome

override GROUP: u32 = 64u;

const ON_UNCORRECTABLE_TRAP:     u32 = 1u;
const ON_UNCORRECTABLE_MISMATCH: u32 = 2u;

struct FindingsParams {
    lanes:            u32,
    copies:           u32,
    rows:             u32,
    on_uncorrectable: u32,   // 0: an alarm and no more
}

@group(0) @binding(0) var<uniform>             params:   FindingsParams;
@group(0) @binding(1) var<storage, read>       counts:   array<u32>;   // [lane, copy, 2]: blocks corrected, uncorrectable
@group(0) @binding(2) var<storage, read_write> alarms:   array<u32>;   // [lane, rows + 1]
@group(0) @binding(3) var<storage, read_write> verdicts: array<u32>;   // [lane, row]
@group(0) @binding(4) var<storage, read_write> traps:    array<u32>;   // [lane, rows + 1]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let lane = fold_index(id, groups, GROUP);
    if lane >= params.lanes { return; }
    var corrected = 0u;
    var uncorrectable = 0u;
    for (var copy = 0u; copy < params.copies; copy++) {
        let at = 2u * (lane * params.copies + copy);
        corrected += counts[at];
        uncorrectable += counts[at + 1u];
    }
    alarms[lane * (params.rows + 1u) + params.rows] += corrected + uncorrectable;
    if uncorrectable == 0u { return; }
    if params.on_uncorrectable == ON_UNCORRECTABLE_TRAP {
        traps[lane * (params.rows + 1u) + params.rows] |= TRAP_ECC;
    } else if params.on_uncorrectable == ON_UNCORRECTABLE_MISMATCH {
        for (var row = 0u; row < params.rows; row++) {
            verdicts[lane * params.rows + row] |= VERDICT_MISMATCH | VERDICT_ALARM;
        }
    }
}
