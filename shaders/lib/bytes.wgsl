// Numbers of 8 and 16 bits.

// The number in the lower bits of a word: 3: i8, 4: u8, 5: u16; others are all of the word.
fn bytes_signed(word: u32, dtype: u32) -> i32 {
    let lower = bitcast<i32>(word << 24u);
    if dtype == 3u { return lower >> 24u; }
    if dtype == 4u { return bitcast<i32>(word & 0xffu); }
    if dtype == 5u { return bitcast<i32>(word & 0xffffu); }
    return bitcast<i32>(word);
}
