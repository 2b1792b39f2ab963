// Builds a value of listed rows alone: golden of each, with its slot's slice in place. One invocation
// a quad of rows and 8 features. See src/stage/spread.rs for the reference.
#import fold

override GROUP: u32 = 64u;

const TILE: u32 = 8u;   // features of an invocation

struct SpreadParams {
    quads:    u32,   // quads of rows of the packed value
    features: u32,   // features of the value
    rows:     u32,   // rows of a slot, padded
    cells:    u32,   // features of a slice; 0 is golden alone
    first:    u32,   // of the listed rows
    count:    u32,   // listed rows, at least 1; what is left of the quads is the last one again
    begin:    u32,   // the first feature that is built
    pad0:     u32,
}

@group(0) @binding(0) var<uniform>             params: SpreadParams;
@group(0) @binding(1) var<storage, read>       list:   array<vec2<u32>>;   // [entry] (slot, row)
@group(0) @binding(2) var<storage, read>       slots:  array<vec4<u32>>;   // [slot] (window, first feature, ...)
@group(0) @binding(3) var<storage, read>       slices: array<u32>;         // [slot, cell, row]
@group(0) @binding(4) var<storage, read>       golden: array<u32>;         // [window, feature, row]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [feature, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let quad = i % params.quads;
    let first = params.begin + i / params.quads * TILE;
    if first >= params.features { return; }
    let end = min(first + TILE, params.features);
    let last = params.first + params.count - 1u;
    let at = min(vec4(params.first + 4u * quad) + vec4(0u, 1u, 2u, 3u), vec4(last));
    let a = list[at.x];
    let b = list[at.y];
    let c = list[at.z];
    let d = list[at.w];
    let windows = vec4(slots[a.x].x, slots[b.x].x, slots[c.x].x, slots[d.x].x);
    var source = (windows * params.features + first) * params.rows + vec4(a.y, b.y, c.y, d.y);
    for (var f = first; f < end; f++) {
        y[f * params.quads + quad] = vec4(golden[source.x], golden[source.y], golden[source.z], golden[source.w]);
        source += vec4(params.rows);
    }
    if params.cells == 0u { return; }
    for (var lane = 0u; lane < 4u; lane++) {
        let entry = list[at[lane]];
        let unit = slots[entry.x].y;
        let slice = entry.x * params.cells * params.rows + entry.y;
        for (var f = max(first, unit); f < min(end, unit + params.cells); f++) {
            y[f * params.quads + quad][lane] = slices[slice + (f - unit) * params.rows];
        }
    }
}
