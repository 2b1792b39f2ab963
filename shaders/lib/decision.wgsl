// A running arg-max on bits: the index of the first maximum under a rule for NaN.
#import bits
#import outcome

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
