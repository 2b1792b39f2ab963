// Lists the rows in which a slot's slice of a value differs from golden, in any order. One invocation
// a row of a slot. See src/stage/differing.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct DifferingParams {
    rows:     u32,   // rows of a slot, padded
    counted:  u32,   // those that may be listed
    cells:    u32,   // features of a slice
    features: u32,   // features of the whole value
    slots:    u32,
    pad0:     u32,
    pad1:     u32,
    pad2:     u32,
}

@group(0) @binding(0) var<uniform>             params: DifferingParams;
@group(0) @binding(1) var<storage, read>       slots:  array<vec4<u32>>;      // [slot] (window, first feature, section of the list, where it begins)
@group(0) @binding(2) var<storage, read>       slices: array<u32>;            // [slot, cell, row]
@group(0) @binding(3) var<storage, read>       golden: array<u32>;            // [window, feature, row]
@group(0) @binding(4) var<storage, read_write> count:  array<atomic<u32>>;    // [section], on top of what it holds
@group(0) @binding(5) var<storage, read_write> list:   array<vec2<u32>>;      // [entry] (slot, row)

fn difference(ours: u32, theirs: u32, cell: u32) -> u32 {
    return slices[ours + cell * params.rows] ^ golden[theirs + cell * params.rows];
}

// Eight cells at once: a software adapter ends loops that take more than 65,535 iterations.
@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let slot = i / params.rows;
    if slot >= params.slots { return; }
    let row = i - slot * params.rows;
    let place = slots[slot];
    let window = place.x;
    if row >= params.counted || window == 0xffffffffu { return; }
    let ours = slot * params.cells * params.rows + row;
    let theirs = (window * params.features + place.y) * params.rows + row;
    var differs = 0u;
    var cell = 0u;
    for (; cell + 8u <= params.cells && differs == 0u; cell += 8u) {
        differs |= difference(ours, theirs, cell);
        differs |= difference(ours, theirs, cell + 1u);
        differs |= difference(ours, theirs, cell + 2u);
        differs |= difference(ours, theirs, cell + 3u);
        differs |= difference(ours, theirs, cell + 4u);
        differs |= difference(ours, theirs, cell + 5u);
        differs |= difference(ours, theirs, cell + 6u);
        differs |= difference(ours, theirs, cell + 7u);
    }
    for (; cell < params.cells && differs == 0u; cell++) { differs = difference(ours, theirs, cell); }
    if differs == 0u { return; }
    let at = place.w + atomicAdd(&count[place.z], 1u);
    if at < arrayLength(&list) { list[at] = vec2(slot, row); }
}
