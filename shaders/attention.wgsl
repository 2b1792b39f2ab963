// Attention of each query over the tokens that it sees: keys, then values, the first `prompt` of them from
// the cache for queries after the prompt. Scores are computed twice: for the largest, and for the sum. One
// invocation a query of a head of a quad of rows. See src/op/attention.rs for the reference.
#import exp
#import fold

override GROUP: u32 = 64u;

struct AttentionParams {
    quads:      u32,   // quads of rows
    blocks:     u32,
    heads:      u32,
    group:      u32,   // heads that share keys and values
    dimensions: u32,   // of a head
    queries:    u32,
    tokens:     u32,   // of keys and values
    cached:     u32,   // tokens that the cache holds
    prompt:     u32,
    causal:     u32,   // 1 where a query sees no later token
    scale:      f32,
    q_base:     u32,   // in quads
    q_stride:   u32,   // in quads, between slots
    k_base:     u32,
    k_stride:   u32,
    c_base:     u32,
    c_stride:   u32,
    zero:       u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: AttentionParams;
@group(0) @binding(1) var<storage, read>       q:      array<vec4<u32>>;   // [slot, head, dimension, query, quad]
@group(0) @binding(2) var<storage, read>       q_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       k:      array<vec4<u32>>;   // [slot, part, group, dimension, token, quad]
@group(0) @binding(4) var<storage, read>       k_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read>       c:      array<vec4<u32>>;   // [slot, part, group, dimension, token, quad]
@group(0) @binding(6) var<storage, read>       c_slot: array<u32>;         // [block]
@group(0) @binding(7) var<storage, read_write> y:      array<vec4<u32>>;   // [block, head, dimension, query, quad]

fn kept(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) ^ vec4(params.zero));
}

// The query times the key at `key`, whose dimensions lie `step` quads apart.
fn score(query: u32, key: u32, step: u32, is_cached: bool) -> vec4<f32> {
    let of_query = params.queries * params.quads;
    var sum = vec4(0f);
    if is_cached {
        for (var d = 0u; d < params.dimensions; d++) {
            sum = fma(bitcast<vec4<f32>>(q[query + d * of_query]), bitcast<vec4<f32>>(c[key + d * step]), sum);
        }
    } else {
        for (var d = 0u; d < params.dimensions; d++) {
            sum = fma(bitcast<vec4<f32>>(q[query + d * of_query]), bitcast<vec4<f32>>(k[key + d * step]), sum);
        }
    }
    return kept(sum * params.scale);
}

fn larger(word: u32, than: u32) -> u32 {
    return select(than, word, !bits_is_nan(word) && bits_key(word) > bits_key(than));
}

fn weight(score: vec4<f32>, most: vec4<u32>) -> vec4<f32> {
    let less = score - bitcast<vec4<f32>>(most);
    return vec4(exp_below_zero(less.x), exp_below_zero(less.y), exp_below_zero(less.z), exp_below_zero(less.w));
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let quad = i % params.quads;
    let query = i / params.quads % params.queries;
    let head = i / params.quads / params.queries % params.heads;
    let block = i / params.quads / params.queries / params.heads;
    if block >= params.blocks { return; }
    let position = query + params.tokens - params.queries;
    let seen = select(params.tokens, position + 1u, params.causal == 1u);
    let from_cache = select(0u, min(params.prompt, seen), position >= params.prompt);
    let of_query = params.queries * params.quads;
    let of_key = params.tokens * params.quads;
    let of_cached = params.cached * params.quads;
    let line = head / params.group * params.dimensions;
    let values = params.heads / params.group * params.dimensions;
    let first = head * params.dimensions * of_query + query * params.quads + quad;
    let from_q = params.q_base + q_slot[block] * params.q_stride + first;
    let from_k = params.k_base + k_slot[block] * params.k_stride + line * of_key + quad;
    let from_c = params.c_base + c_slot[block] * params.c_stride + line * of_cached + quad;
    let to = block * params.heads * params.dimensions * of_query + first;
    var most = vec4(0xff800000u);
    for (var t = 0u; t < seen; t++) {
        let is_cached = t < from_cache;
        let key = select(from_k, from_c, is_cached) + t * params.quads;
        let s = bitcast<vec4<u32>>(score(from_q, key, select(of_key, of_cached, is_cached), is_cached));
        most = vec4(larger(s.x, most.x), larger(s.y, most.y), larger(s.z, most.z), larger(s.w, most.w));
    }
    for (var d = 0u; d < params.dimensions; d++) { y[to + d * of_query] = vec4(0u); }
    var sum = vec4(0f);
    for (var t = 0u; t < seen; t++) {
        let is_cached = t < from_cache;
        let step = select(of_key, of_cached, is_cached);
        let key = select(from_k, from_c, is_cached) + t * params.quads;
        let w = kept(weight(score(from_q, key, step, is_cached), most));
        sum += w;
        let value = key + values * step;
        if is_cached {
            for (var d = 0u; d < params.dimensions; d++) {
                let at = to + d * of_query;
                let mean = fma(w, bitcast<vec4<f32>>(c[value + d * step]), bitcast<vec4<f32>>(y[at]));
                y[at] = bitcast<vec4<u32>>(mean);
            }
        } else {
            for (var d = 0u; d < params.dimensions; d++) {
                let at = to + d * of_query;
                let mean = fma(w, bitcast<vec4<f32>>(k[value + d * step]), bitcast<vec4<f32>>(y[at]));
                y[at] = bitcast<vec4<u32>>(mean);
            }
        }
    }
    for (var d = 0u; d < params.dimensions; d++) {
        let at = to + d * of_query;
        y[at] = bitcast<vec4<u32>>(bitcast<vec4<f32>>(y[at]) / sum);
    }
}
