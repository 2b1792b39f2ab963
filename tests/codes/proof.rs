//! What each code makes of each class of errors.

use crate::classes::{Class, Subject, Tally, aligned, beats, entries, pins, stored};
use crate::page::{figure, interval};
use beamline::scheme::Code;
use std::fmt::Write;

/// How a code is made, and who described it.
const fn construction(code: Code) -> &'static str {
    match code {
        Code::Parity => {
            "One even parity bit a word, 32 words a block. An odd number of flips in a word is seen, \
             an even number is not."
        }
        Code::Hamming39 => {
            "An extended Hamming code over each word: its columns are the numbers from 3 that are no \
             power of two, completed to odd weight by the row of the overall parity. Four codewords a \
             block (Hamming 1950, doi 10.1002/j.1538-7305.1950.tb00463.x)."
        }
        Code::Hamming72 => {
            "The same over two words, as memories with 64 data lines have it. Four codewords a block \
             (Hamming 1950, doi 10.1002/j.1538-7305.1950.tb00463.x)."
        }
        Code::Hsiao72 => {
            "All 56 columns of weight 3 and 8 of weight 5, so that every row has the same weight; one \
             codeword a beat. Hsiao left the choice of columns open, and which it is decides how many \
             errors of three bits and more are miscorrected (Hsiao 1970, doi 10.1147/rd.144.0395)."
        }
        Code::Hsiao104 => {
            "All 56 columns of weight 3 and 40 of weight 5. One codeword for three words, four a block \
             (Hsiao 1970, doi 10.1147/rd.144.0395)."
        }
        Code::Duet => {
            "Four codewords of Hsiao's code over an entry, interleaved so that an aligned byte has two \
             bits in each and a pin one. Corrections in several codewords count only where they lie in \
             one byte or on one pin (Sullivan et al. 2021, doi 10.1145/3466752.3480111; the columns are \
             ours)."
        }
        Code::Trio => {
            "The interleaving and the check of duet, with columns that also correct both bits of an \
             aligned pair, so that any error within a byte is corrected. Sullivan et al. 2021 (doi \
             10.1145/3466752.3480111) describe such a code; its matrix could not be read, and the \
             columns are ours."
        }
        Code::Rs18 => {
            "Reed–Solomon code with 16 data symbols of 16 bits and 2 check symbols over GF(2¹⁶), field \
             polynomial x¹⁶ + x¹² + x³ + x + 1, roots 1 and α. One symbol is corrected wherever both \
             syndromes fit; distance 3 (Reed and Solomon 1960, doi 10.1137/0108018)."
        }
        Code::Rs39 => {
            "Reed–Solomon code with 36 data bytes and 3 check bytes over GF(2⁸), field polynomial x⁸ + \
             x⁴ + x³ + x² + 1, roots 1, α and α². One byte is corrected where all three syndromes fit, \
             two are detected; distance 4 (Reed and Solomon 1960, doi 10.1137/0108018)."
        }
        Code::Crc32 => {
            "CRC-32 of IEEE 802.3 over 64 words, polynomial 0x04C11DB7 reflected. It detects only, and the \
             block is reloaded; up to 2,974 data bits its distance is 5 (Koopman 2002, doi \
             10.1109/DSN.2002.1028931), which a test confirms for these blocks."
        }
    }
}

fn classes(code: Code) -> Vec<(&'static str, Class)> {
    let places = stored(code);
    let any = |groups| Class::Groups { groups, least: 1 };
    vec![
        ("1 bit", Class::bits(1, &places)),
        ("2 bits", Class::bits(2, &places)),
        ("3 bits", Class::bits(3, &places)),
        ("aligned byte", any(aligned(&places, 8))),
        ("16-bit symbol", any(aligned(&places, 16))),
        ("pin", any(pins(code))),
        ("beat", any(beats(code))),
        ("entry", any(entries(code))),
    ]
}

/// The tallies of one code, by class.
pub(crate) fn tallies(code: Code) -> Vec<(&'static str, Tally)> {
    let mut subject = Subject::new(code);
    let keyed = classes(code).into_iter().enumerate();
    keyed
        .map(|(index, (name, class))| {
            let key = 100 * code as u64 + index as u64;
            (name, class.tally(key, |error| subject.judge(error)))
        })
        .collect()
}

/// What the constructions promise: the shares of right, detected and silent that must be found.
pub(crate) fn promised(code: Code, class: &str) -> Option<[f64; 3]> {
    use Code::{Crc32, Duet, Hamming39, Hamming72, Hsiao72, Hsiao104, Parity, Rs18, Rs39, Trio};
    const RIGHT: Option<[f64; 3]> = Some([1.0, 0.0, 0.0]);
    const DETECTED: Option<[f64; 3]> = Some([0.0, 1.0, 0.0]);
    match (code, class) {
        (Parity, "1 bit") | (Crc32, "1 bit" | "2 bits" | "3 bits" | "aligned byte") => DETECTED,
        (Crc32, "16-bit symbol") => DETECTED,
        (Hamming39 | Hamming72 | Hsiao72 | Hsiao104 | Duet | Trio | Rs18 | Rs39, "1 bit") => RIGHT,
        (Hsiao72 | Duet | Trio, "pin") | (Trio | Rs18 | Rs39, "aligned byte") => RIGHT,
        (Rs18, "16-bit symbol") => RIGHT,
        _ => None,
    }
}

/// Whether an error of this class may pass in silence: by construction it must not in these.
pub(crate) fn never_silent(code: Code, class: &str) -> bool {
    use Code::{Crc32, Duet, Hamming39, Hamming72, Hsiao72, Hsiao104, Rs39};
    match class {
        "2 bits" => {
            matches!(code, Hamming39 | Hamming72 | Hsiao72 | Hsiao104 | Duet | Rs39 | Crc32)
        }
        "aligned byte" => code == Duet,
        "16-bit symbol" => code == Rs39,
        _ => false,
    }
}

pub(crate) fn section(code: Code, tallies: &[(&str, Tally)]) -> String {
    let (words, check) = (code.block_words(), code.check_mask().count_ones());
    let overhead = figure(100.0 * f64::from(check) / f64::from(32 * words));
    let mut text = format!(
        "\n### {}\n\n{}\n{words} data words and {check} check bits a block: {overhead} % more storage.\n\n",
        code.name(),
        construction(code)
    );
    text.push_str("| errors | n | | correct | detected | silent |\n|---|---|---|---|---|---|\n");
    for (name, tally) in tallies {
        let [right, detected, silent] = [0, 1, 2].map(|i| interval(tally, i));
        let how = if tally.all { "all" } else { "drawn" };
        let _ = writeln!(
            text,
            "| {name} | {} | {how} | {right} | {detected} | {silent} |",
            tally.errors()
        );
    }
    text
}
