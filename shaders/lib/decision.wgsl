// Decisions on bits, and whether two of them are the same. The entry file gives the words of an output,
// which it numbers as it likes: decision_word(output, feature). See src/stage/decision.rs.
#import bits
#import outcome

override DECISION: u32 = 0u;   // the kind of decision
override WIDE: u32 = 0u;       // 1 where loops over features take eight at once

struct DecisionRule {
    kind:   u32,
    nan:    u32,
    number: f32,   // the relative tolerance, the threshold of a mask, or the end token (-1: none)
    best:   u32,   // how many of the largest, the bits of a mask's least overlap, or the positions of an answer
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

// A running arg-max is the index of the first maximum under a rule for NaN.
fn decision_arg_max(output: u32, features: u32, nan: u32) -> u32 {
    var running = decision_start();
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= features; f += 8u) {
        running = decision_take(running, f, decision_word(output, f), nan);
        running = decision_take(running, f + 1u, decision_word(output, f + 1u), nan);
        running = decision_take(running, f + 2u, decision_word(output, f + 2u), nan);
        running = decision_take(running, f + 3u, decision_word(output, f + 3u), nan);
        running = decision_take(running, f + 4u, decision_word(output, f + 4u), nan);
        running = decision_take(running, f + 5u, decision_word(output, f + 5u), nan);
        running = decision_take(running, f + 6u, decision_word(output, f + 6u), nan);
        running = decision_take(running, f + 7u, decision_word(output, f + 7u), nan);
    }
    for (; f < features; f++) { running = decision_take(running, f, decision_word(output, f), nan); }
    return decision_end(running, nan);
}

fn decision_ranks_nowhere(output: u32, features: u32, nan: u32) -> bool {
    if nan != NAN_DIFFERS { return false; }
    var any = false;
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= features; f += 8u) {
        any |= bits_is_nan(decision_word(output, f));
        any |= bits_is_nan(decision_word(output, f + 1u));
        any |= bits_is_nan(decision_word(output, f + 2u));
        any |= bits_is_nan(decision_word(output, f + 3u));
        any |= bits_is_nan(decision_word(output, f + 4u));
        any |= bits_is_nan(decision_word(output, f + 5u));
        any |= bits_is_nan(decision_word(output, f + 6u));
        any |= bits_is_nan(decision_word(output, f + 7u));
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

// Index and key of the largest of the outputs that come after this one; of equal ones the first comes first.
fn decision_next(output: u32, features: u32, nan: u32, last: vec2<u32>, is_first: bool) -> vec2<u32> {
    var search = DecisionSearch(output, nan, last, is_first, false, vec2(0u));
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= features; f += 8u) {
        search = decision_seek(search, f);
        search = decision_seek(search, f + 1u);
        search = decision_seek(search, f + 2u);
        search = decision_seek(search, f + 3u);
        search = decision_seek(search, f + 4u);
        search = decision_seek(search, f + 5u);
        search = decision_seek(search, f + 6u);
        search = decision_seek(search, f + 7u);
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

fn decision_same_mask(a: u32, b: u32, features: u32, rule: DecisionRule) -> bool {
    var count = vec2(0u);
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= features; f += 8u) {
        count += decision_masks(a, b, f, rule.number);
        count += decision_masks(a, b, f + 1u, rule.number);
        count += decision_masks(a, b, f + 2u, rule.number);
        count += decision_masks(a, b, f + 3u, rule.number);
        count += decision_masks(a, b, f + 4u, rule.number);
        count += decision_masks(a, b, f + 5u, rule.number);
        count += decision_masks(a, b, f + 6u, rule.number);
        count += decision_masks(a, b, f + 7u, rule.number);
    }
    for (; f < features; f++) { count += decision_masks(a, b, f, rule.number); }
    return f32(count.x) >= bitcast<f32>(rule.best) * f32(count.y);
}

// The token at a position of an answer: words are [vocabulary, position].
fn decision_token(output: u32, position: u32, features: u32, rule: DecisionRule) -> u32 {
    let entries = features / rule.best;
    let step = rule.best;
    var running = decision_start();
    var t = 0u;
    var f = position;
    for (; WIDE == 1u && t + 8u <= entries; t += 8u) {
        running = decision_take(running, t, decision_word(output, f), rule.nan);
        running = decision_take(running, t + 1u, decision_word(output, f + step), rule.nan);
        running = decision_take(running, t + 2u, decision_word(output, f + 2u * step), rule.nan);
        running = decision_take(running, t + 3u, decision_word(output, f + 3u * step), rule.nan);
        running = decision_take(running, t + 4u, decision_word(output, f + 4u * step), rule.nan);
        running = decision_take(running, t + 5u, decision_word(output, f + 5u * step), rule.nan);
        running = decision_take(running, t + 6u, decision_word(output, f + 6u * step), rule.nan);
        running = decision_take(running, t + 7u, decision_word(output, f + 7u * step), rule.nan);
        f += 8u * step;
    }
    for (; t < entries; t++) {
        running = decision_take(running, t, decision_word(output, f), rule.nan);
        f += step;
    }
    return decision_end(running, rule.nan);
}

// Whether the tokens of two answers are the same up to the second one's end.
fn decision_same_tokens(a: u32, b: u32, features: u32, rule: DecisionRule) -> bool {
    var same = true;
    var ended = false;
    for (var position = 0u; position < rule.best; position++) {
        let token = decision_token(b, position, features, rule);
        same &= ended || decision_token(a, position, features, rule) == token;
        ended |= rule.number >= 0.0 && token == u32(max(rule.number, 0.0));
    }
    return same;
}

fn decision_largest(output: u32, features: u32) -> u32 {
    var largest = 0u;
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= features; f += 8u) {
        largest = max(largest, decision_word(output, f) & 0x7fffffffu);
        largest = max(largest, decision_word(output, f + 1u) & 0x7fffffffu);
        largest = max(largest, decision_word(output, f + 2u) & 0x7fffffffu);
        largest = max(largest, decision_word(output, f + 3u) & 0x7fffffffu);
        largest = max(largest, decision_word(output, f + 4u) & 0x7fffffffu);
        largest = max(largest, decision_word(output, f + 5u) & 0x7fffffffu);
        largest = max(largest, decision_word(output, f + 6u) & 0x7fffffffu);
        largest = max(largest, decision_word(output, f + 7u) & 0x7fffffffu);
    }
    for (; f < features; f++) { largest = max(largest, decision_word(output, f) & 0x7fffffffu); }
    return largest;
}

fn decision_near(a: u32, b: u32, f: u32, bound: f32) -> bool {
    let left = decision_word(a, f);
    let right = decision_word(b, f);
    return left == right || abs(bitcast<f32>(left) - bitcast<f32>(right)) <= bound;
}

// Whether every word is as near to its counterpart as the tolerance has it, measured by the largest of `by`.
fn decision_within(a: u32, b: u32, by: u32, features: u32, rule: DecisionRule) -> bool {
    let bound = rule.number * bitcast<f32>(decision_largest(by, features));
    var near = true;
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= features; f += 8u) {
        near &= decision_near(a, b, f, bound);
        near &= decision_near(a, b, f + 1u, bound);
        near &= decision_near(a, b, f + 2u, bound);
        near &= decision_near(a, b, f + 3u, bound);
        near &= decision_near(a, b, f + 4u, bound);
        near &= decision_near(a, b, f + 5u, bound);
        near &= decision_near(a, b, f + 6u, bound);
        near &= decision_near(a, b, f + 7u, bound);
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
