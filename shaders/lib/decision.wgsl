// Decisions on bits, and whether two of them are the same. The entry file gives the words of an output,
// which it numbers as it likes: decision_word(output, feature). See src/stage/decision.rs.
#import bits
#import outcome

override DECISION: u32 = 0u;   // the kind of decision
override WIDE: u32 = 0u;       // 1 where loops over features take 32 at once

struct DecisionRule {
    kind:   u32,
    nan:    u32,
    number: f32,   // the relative tolerance, or the threshold of a mask
    best:   u32,   // how many of the largest, the bits of a mask's least overlap, or the positions of an answer
    end0:   u32,   // the tokens that end an answer; NO_DECISION is none
    end1:   u32,
    end2:   u32,
    end3:   u32,
}

struct Decision { index: u32, key: u32, any_nan: bool }

fn decision_start() -> Decision {
    return Decision(0u, 0u, false);
}

// NaN highest: the first NaN wins. NaN lowest: below -infinity, whose key is 0x007fffff.
fn decision_take(decision: Decision, index: u32, word: u32, nan: u32) -> Decision {
    let is_nan = bits_is_nan(word);
    let nan_key = select(0u, 0xffffffffu, nan == NAN_HIGHEST);
    let key = select(bits_key(word), nan_key, is_nan);
    let better = index == 0u || key > decision.key;
    return Decision(
        select(decision.index, index, better),
        select(decision.key, key, better),
        decision.any_nan || is_nan,
    );
}

fn decision_end(decision: Decision, nan: u32) -> u32 {
    return select(decision.index, NO_DECISION, decision.any_nan && nan == NAN_DIFFERS);
}

fn decision_take_8(running: Decision, output: u32, f: u32, nan: u32) -> Decision {
    var next = running;
    next = decision_take(next, f, decision_word(output, f), nan);
    next = decision_take(next, f + 1u, decision_word(output, f + 1u), nan);
    next = decision_take(next, f + 2u, decision_word(output, f + 2u), nan);
    next = decision_take(next, f + 3u, decision_word(output, f + 3u), nan);
    next = decision_take(next, f + 4u, decision_word(output, f + 4u), nan);
    next = decision_take(next, f + 5u, decision_word(output, f + 5u), nan);
    next = decision_take(next, f + 6u, decision_word(output, f + 6u), nan);
    next = decision_take(next, f + 7u, decision_word(output, f + 7u), nan);
    return next;
}

// A running arg-max is the index of the first maximum under a rule for NaN.
fn decision_arg_max(output: u32, features: u32, nan: u32) -> u32 {
    var running = decision_start();
    var f = 0u;
    for (; WIDE == 1u && f + 32u <= features; f += 32u) {
        running = decision_take_8(running, output, f, nan);
        running = decision_take_8(running, output, f + 8u, nan);
        running = decision_take_8(running, output, f + 16u, nan);
        running = decision_take_8(running, output, f + 24u, nan);
    }
    for (; f < features; f++) { running = decision_take(running, f, decision_word(output, f), nan); }
    return decision_end(running, nan);
}

fn decision_nan_8(any: bool, output: u32, f: u32) -> bool {
    var next = any;
    next |= bits_is_nan(decision_word(output, f));
    next |= bits_is_nan(decision_word(output, f + 1u));
    next |= bits_is_nan(decision_word(output, f + 2u));
    next |= bits_is_nan(decision_word(output, f + 3u));
    next |= bits_is_nan(decision_word(output, f + 4u));
    next |= bits_is_nan(decision_word(output, f + 5u));
    next |= bits_is_nan(decision_word(output, f + 6u));
    next |= bits_is_nan(decision_word(output, f + 7u));
    return next;
}

fn decision_ranks_nowhere(output: u32, features: u32, nan: u32) -> bool {
    if nan != NAN_DIFFERS { return false; }
    var any = false;
    var f = 0u;
    for (; WIDE == 1u && f + 32u <= features; f += 32u) {
        any = decision_nan_8(any, output, f);
        any = decision_nan_8(any, output, f + 8u);
        any = decision_nan_8(any, output, f + 16u);
        any = decision_nan_8(any, output, f + 24u);
    }
    for (; f < features; f++) { any |= bits_is_nan(decision_word(output, f)); }
    return any;
}

fn decision_key(output: u32, feature: u32, nan: u32) -> u32 {
    let word = decision_word(output, feature);
    let nan_key = select(0u, 0xffffffffu, nan == NAN_HIGHEST);
    return select(bits_key(word), nan_key, bits_is_nan(word));
}

// Where a search for the largest of the outputs after one stands.
struct DecisionSearch { output: u32, nan: u32, last: vec2<u32>, is_first: bool, found: bool, best: vec2<u32> }

fn decision_seek(search: DecisionSearch, f: u32) -> DecisionSearch {
    var next = search;
    let key = decision_key(search.output, f, search.nan);
    let after = search.is_first || key < search.last.y || (key == search.last.y && f > search.last.x);
    if after && (!search.found || key > search.best.y) {
        next.found = true;
        next.best = vec2(f, key);
    }
    return next;
}

fn decision_seek_8(search: DecisionSearch, f: u32) -> DecisionSearch {
    var next = search;
    next = decision_seek(next, f);
    next = decision_seek(next, f + 1u);
    next = decision_seek(next, f + 2u);
    next = decision_seek(next, f + 3u);
    next = decision_seek(next, f + 4u);
    next = decision_seek(next, f + 5u);
    next = decision_seek(next, f + 6u);
    next = decision_seek(next, f + 7u);
    return next;
}

// Index and key of the largest of the outputs that come after this one; of equal ones the first comes first.
fn decision_next(output: u32, features: u32, nan: u32, last: vec2<u32>, is_first: bool) -> vec2<u32> {
    var search = DecisionSearch(output, nan, last, is_first, false, vec2(0u));
    var f = 0u;
    for (; WIDE == 1u && f + 32u <= features; f += 32u) {
        search = decision_seek_8(search, f);
        search = decision_seek_8(search, f + 8u);
        search = decision_seek_8(search, f + 16u);
        search = decision_seek_8(search, f + 24u);
    }
    for (; f < features; f++) { search = decision_seek(search, f); }
    return search.best;
}

// Whether the largest outputs are the same, in the same order or in any.
fn decision_same_largest(a: u32, b: u32, features: u32, rule: DecisionRule) -> bool {
    let none_a = decision_ranks_nowhere(a, features, rule.nan);
    let none_b = decision_ranks_nowhere(b, features, rule.nan);
    if none_a || none_b { return none_a && none_b; }
    var of_a = vec2(0u);
    var of_b = vec2(0u);
    var same = true;
    for (var n = 0u; n < min(rule.best, features); n++) {
        of_a = decision_next(a, features, rule.nan, of_a, n == 0u);
        of_b = decision_next(b, features, rule.nan, of_b, n == 0u);
        same &= of_a.x == of_b.x;
    }
    if DECISION == DECISION_RANK { return same; }
    // The sets are the same where each of a's is none after the last of b's.
    same = true;
    var at = vec2(0u);
    for (var n = 0u; n < min(rule.best, features); n++) {
        at = decision_next(a, features, rule.nan, at, n == 0u);
        let key = decision_key(b, at.x, rule.nan);
        same &= key > of_b.y || (key == of_b.y && at.x <= of_b.x);
    }
    return same;
}

// Outputs in both masks, and in any.
fn decision_masks(a: u32, b: u32, f: u32, threshold: f32) -> vec2<u32> {
    let left = decision_word(a, f);
    let right = decision_word(b, f);
    let in_a = !bits_is_nan(left) && bitcast<f32>(left) > threshold;
    let in_b = !bits_is_nan(right) && bitcast<f32>(right) > threshold;
    return vec2(u32(in_a && in_b), u32(in_a || in_b));
}

fn decision_masks_8(count: vec2<u32>, a: u32, b: u32, f: u32, threshold: f32) -> vec2<u32> {
    var next = count;
    next += decision_masks(a, b, f, threshold);
    next += decision_masks(a, b, f + 1u, threshold);
    next += decision_masks(a, b, f + 2u, threshold);
    next += decision_masks(a, b, f + 3u, threshold);
    next += decision_masks(a, b, f + 4u, threshold);
    next += decision_masks(a, b, f + 5u, threshold);
    next += decision_masks(a, b, f + 6u, threshold);
    next += decision_masks(a, b, f + 7u, threshold);
    return next;
}

fn decision_same_mask(a: u32, b: u32, features: u32, rule: DecisionRule) -> bool {
    var count = vec2(0u);
    var f = 0u;
    for (; WIDE == 1u && f + 32u <= features; f += 32u) {
        count = decision_masks_8(count, a, b, f, rule.number);
        count = decision_masks_8(count, a, b, f + 8u, rule.number);
        count = decision_masks_8(count, a, b, f + 16u, rule.number);
        count = decision_masks_8(count, a, b, f + 24u, rule.number);
    }
    for (; f < features; f++) { count += decision_masks(a, b, f, rule.number); }
    return f32(count.x) >= bitcast<f32>(rule.best) * f32(count.y);
}

// The tokens of two answers at one position.
struct DecisionTokens { a: Decision, b: Decision }

fn decision_tokens_take(tokens: DecisionTokens, a: u32, b: u32, t: u32, f: u32, nan: u32) -> DecisionTokens {
    return DecisionTokens(
        decision_take(tokens.a, t, decision_word(a, f), nan),
        decision_take(tokens.b, t, decision_word(b, f), nan),
    );
}

// Eight tokens of the vocabulary from t on, whose words begin at f.
fn decision_tokens_8(tokens: DecisionTokens, a: u32, b: u32, t: u32, f: u32, rule: DecisionRule) -> DecisionTokens {
    let step = rule.best;
    var next = tokens;
    next = decision_tokens_take(next, a, b, t, f, rule.nan);
    next = decision_tokens_take(next, a, b, t + 1u, f + 1u * step, rule.nan);
    next = decision_tokens_take(next, a, b, t + 2u, f + 2u * step, rule.nan);
    next = decision_tokens_take(next, a, b, t + 3u, f + 3u * step, rule.nan);
    next = decision_tokens_take(next, a, b, t + 4u, f + 4u * step, rule.nan);
    next = decision_tokens_take(next, a, b, t + 5u, f + 5u * step, rule.nan);
    next = decision_tokens_take(next, a, b, t + 6u, f + 6u * step, rule.nan);
    next = decision_tokens_take(next, a, b, t + 7u, f + 7u * step, rule.nan);
    return next;
}

// The tokens of two answers at a position: words are [vocabulary, position].
fn decision_tokens(a: u32, b: u32, position: u32, features: u32, rule: DecisionRule) -> vec2<u32> {
    let entries = features / rule.best;
    let step = rule.best;
    var tokens = DecisionTokens(decision_start(), decision_start());
    var t = 0u;
    var f = position;
    for (; WIDE == 1u && t + 32u <= entries; t += 32u) {
        tokens = decision_tokens_8(tokens, a, b, t, f, rule);
        tokens = decision_tokens_8(tokens, a, b, t + 8u, f + 8u * step, rule);
        tokens = decision_tokens_8(tokens, a, b, t + 16u, f + 16u * step, rule);
        tokens = decision_tokens_8(tokens, a, b, t + 24u, f + 24u * step, rule);
        f += 32u * step;
    }
    for (; t < entries; t++) {
        tokens = decision_tokens_take(tokens, a, b, t, f, rule.nan);
        f += step;
    }
    return vec2(decision_end(tokens.a, rule.nan), decision_end(tokens.b, rule.nan));
}

// Whether the tokens of two answers are the same up to the second one's end.
fn decision_same_tokens(a: u32, b: u32, features: u32, rule: DecisionRule) -> bool {
    var same = true;
    var ended = false;
    for (var position = 0u; position < rule.best; position++) {
        let tokens = decision_tokens(a, b, position, features, rule);
        same &= ended || tokens.x == tokens.y;
        ended |= tokens.y != NO_DECISION && any(vec4(rule.end0, rule.end1, rule.end2, rule.end3) == vec4(tokens.y));
    }
    return same;
}

fn decision_largest_8(largest: u32, output: u32, f: u32) -> u32 {
    var next = largest;
    next = max(next, decision_word(output, f) & 0x7fffffffu);
    next = max(next, decision_word(output, f + 1u) & 0x7fffffffu);
    next = max(next, decision_word(output, f + 2u) & 0x7fffffffu);
    next = max(next, decision_word(output, f + 3u) & 0x7fffffffu);
    next = max(next, decision_word(output, f + 4u) & 0x7fffffffu);
    next = max(next, decision_word(output, f + 5u) & 0x7fffffffu);
    next = max(next, decision_word(output, f + 6u) & 0x7fffffffu);
    next = max(next, decision_word(output, f + 7u) & 0x7fffffffu);
    return next;
}

fn decision_largest(output: u32, features: u32) -> u32 {
    var largest = 0u;
    var f = 0u;
    for (; WIDE == 1u && f + 32u <= features; f += 32u) {
        largest = decision_largest_8(largest, output, f);
        largest = decision_largest_8(largest, output, f + 8u);
        largest = decision_largest_8(largest, output, f + 16u);
        largest = decision_largest_8(largest, output, f + 24u);
    }
    for (; f < features; f++) { largest = max(largest, decision_word(output, f) & 0x7fffffffu); }
    return largest;
}

fn decision_near(a: u32, b: u32, f: u32, bound: f32) -> bool {
    let left = decision_word(a, f);
    let right = decision_word(b, f);
    return left == right || abs(bitcast<f32>(left) - bitcast<f32>(right)) <= bound;
}

fn decision_near_8(near: bool, a: u32, b: u32, f: u32, bound: f32) -> bool {
    var next = near;
    next &= decision_near(a, b, f, bound);
    next &= decision_near(a, b, f + 1u, bound);
    next &= decision_near(a, b, f + 2u, bound);
    next &= decision_near(a, b, f + 3u, bound);
    next &= decision_near(a, b, f + 4u, bound);
    next &= decision_near(a, b, f + 5u, bound);
    next &= decision_near(a, b, f + 6u, bound);
    next &= decision_near(a, b, f + 7u, bound);
    return next;
}

// Whether every word is as near to its counterpart as the tolerance has it, measured by the largest of `by`.
fn decision_within(a: u32, b: u32, by: u32, features: u32, rule: DecisionRule) -> bool {
    let bound = rule.number * bitcast<f32>(decision_largest(by, features));
    var near = true;
    var f = 0u;
    for (; WIDE == 1u && f + 32u <= features; f += 32u) {
        near = decision_near_8(near, a, b, f, bound);
        near = decision_near_8(near, a, b, f + 8u, bound);
        near = decision_near_8(near, a, b, f + 16u, bound);
        near = decision_near_8(near, a, b, f + 24u, bound);
    }
    for (; f < features; f++) { near &= decision_near(a, b, f, bound); }
    return near;
}

// Whether output a decides as golden b does.
fn decision_same(a: u32, b: u32, features: u32, rule: DecisionRule) -> bool {
    if DECISION == DECISION_ARG_MAX {
        return decision_arg_max(a, features, rule.nan) == decision_arg_max(b, features, rule.nan);
    }
    if DECISION == DECISION_TOLERANCE { return decision_within(a, b, b, features, rule); }
    if DECISION == DECISION_MASK { return decision_same_mask(a, b, features, rule); }
    if DECISION == DECISION_TOKENS { return decision_same_tokens(a, b, features, rule); }
    return decision_same_largest(a, b, features, rule);
}

// Whether two executions decide alike. What decides nothing (a NaN that ranks nowhere, an infinity to
// measure by) agrees with nothing.
fn decision_agree(a: u32, b: u32, features: u32, rule: DecisionRule) -> bool {
    if DECISION == DECISION_MASK { return decision_same_mask(a, b, features, rule); }
    if DECISION == DECISION_TOLERANCE {
        return bits_is_finite(decision_largest(a, features)) && decision_within(a, b, a, features, rule);
    }
    if decision_ranks_nowhere(a, features, rule.nan) || decision_ranks_nowhere(b, features, rule.nan) {
        return false;
    }
    return decision_same(a, b, features, rule);
}
