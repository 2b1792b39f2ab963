//! The codes of an entry of HBM2 under the neutron patterns of Sullivan et al., MICRO 2021.

use crate::classes::{Class, Subject, Verdict, aligned, beats, entries, pins, stored};
use crate::page::{figure, triple};
use beamline::device::{Pattern, PatternShape};
use beamline::scheme::Code;
use std::fmt::Write;
use std::path::Path;

const CODES: [Code; 4] = [Code::Hsiao72, Code::Duet, Code::Trio, Code::Rs18];

/// Class and share of the struck entries: table 1 of the paper, as two secondary sources give it.
const SHARES: [(&str, f64); 7] = [
    ("1 bit", 0.7398),
    ("1 pin", 0.0019),
    ("1 byte", 0.2256),
    ("2 bits", 0.0011),
    ("3 bits", 0.0003),
    ("1 beat", 0.0090),
    ("1 entry", 0.0223),
];

/// The pin of a bit of an entry with its check word: check byte b is pins 64 to 71 of beat b.
const fn pin(place: u32) -> u32 {
    if place < 256 { place % 64 } else { 64 + place % 8 }
}

/// Not all on one pin, and not all in one byte.
fn apart(error: &[u32]) -> bool {
    let one_byte = error.iter().all(|place| place / 8 == error[0] / 8);
    let one_pin = error.iter().all(|place| pin(*place) == pin(error[0]));
    !one_byte && !one_pin
}

fn class(code: Code, name: &str) -> Class {
    let places = stored(code);
    let bits = |count| Class::Bits { count, places: places.clone(), allowed: apart };
    match name {
        "1 bit" => Class::bits(1, &places),
        "2 bits" => bits(2),
        "3 bits" => bits(3),
        "1 pin" => Class::Groups { groups: pins(code), least: 2 },
        "1 byte" => Class::Groups { groups: aligned(&places, 8), least: 2 },
        "1 beat" => Class::Groups { groups: beats(code), least: 4 },
        _ => Class::Groups { groups: entries(code), least: 4 },
    }
}

/// The share of the syndromes that the decoder takes for no error or one that it corrects.
///
/// Where an error makes every syndrome alike often, this is the share that passes in silence. To
/// every syndrome that is corrected belongs one error that is corrected rightly, and those lie in
/// a symbol of 16 bits, an aligned byte or on a pin.
fn accepted(code: Code) -> f64 {
    let mut subject = Subject::new(code);
    let mut errors = std::collections::BTreeSet::new();
    let groups = if code == Code::Rs18 {
        aligned(&stored(code), 16)
    } else {
        aligned(&stored(code), 8).into_iter().chain(pins(code)).collect()
    };
    let class = Class::Groups { groups, least: 1 };
    class.tally(0, |error| {
        let verdict = subject.judge(error);
        if verdict == Verdict::Right {
            let mut sorted = error.to_vec();
            sorted.sort_unstable();
            errors.insert(sorted);
        }
        verdict
    });
    (errors.len() as f64 + 1.0) / 2_f64.powi(32)
}

/// Whether errors in these places reach every syndrome of 32 bits, each alike often.
fn reaches_all(code: Code, places: &[u32]) -> bool {
    let words = code.block_words() as usize;
    let mut basis = [0_u32; 32];
    for place in places {
        let mut block = vec![0; words + 1];
        block[*place as usize / 32] = 1 << (place % 32);
        let mut left = block[words] ^ code.encode(&block[..words]);
        for bit in (0..32).rev() {
            if left >> bit & 1 == 0 {
                continue;
            }
            if basis[bit] == 0 {
                basis[bit] = left;
                break;
            }
            left ^= basis[bit];
        }
    }
    basis.iter().all(|row| *row != 0)
}

/// Right, detected and silent shares of a class.
fn shares(code: Code, name: &str, key: u64) -> [f64; 3] {
    let class = class(code, name);
    let uniform = match &class {
        Class::Groups { groups, least: 4 } if code != Code::Hsiao72 => {
            groups.iter().all(|group| reaches_all(code, group))
        }
        _ => false,
    };
    if uniform {
        let silent = accepted(code);
        return [0.0, 1.0 - silent, silent];
    }
    let mut subject = Subject::new(code);
    class.tally(key, |error| subject.judge(error)).shares()
}

/// What is not corrected and what is silent of all that strikes an entry, by code.
fn totals(table: &[(&str, f64, Vec<[f64; 3]>)]) -> Vec<[f64; 2]> {
    let sum = |code: usize, of: fn([f64; 3]) -> f64| -> f64 {
        table.iter().map(|(_, share, found)| share * of(found[code])).sum()
    };
    (0..CODES.len()).map(|code| [sum(code, |s| s[1] + s[2]), sum(code, |s| s[2])]).collect()
}

fn written(table: &[(&str, f64, Vec<[f64; 3]>)], totals: &[[f64; 2]]) -> String {
    let names: Vec<&str> = CODES.iter().map(|code| code.name()).collect();
    let mut text = format!("| errors | share, % | {} |\n", names.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "---|".repeat(CODES.len()));
    for (name, share, found) in table {
        let cells: Vec<String> = found.iter().map(|shares| triple(*shares)).collect();
        let _ = writeln!(text, "| {name} | {} | {} |", figure(100.0 * share), cells.join(" | "));
    }
    for (index, name) in ["not corrected, %", "silent, %"].into_iter().enumerate() {
        let cells: Vec<String> = totals.iter().map(|t| figure(100.0 * t[index])).collect();
        let _ = writeln!(text, "| {name} | | {} |", cells.join(" | "));
    }
    text
}

/// The tables and what they say of the published claims; the claims that are not met.
pub(crate) fn section() -> (String, Vec<String>) {
    let found = |name: &str| {
        let keyed = (2000..).zip(CODES);
        keyed.map(|(key, code)| shares(code, name, key)).collect::<Vec<_>>()
    };
    let table: Vec<_> = SHARES.iter().map(|(name, share)| (*name, *share, found(name))).collect();
    let sums = totals(&table);
    let [sec_ded, duet, trio, _] = sums[..] else { panic!("four codes") };
    let fewer = [sec_ded[0] / trio[0], sec_ded[1] / duet[1], sec_ded[1] / trio[1]];
    let claims = [
        ("trio leaves fewer errors uncorrected than SEC-DED, by a factor", "7.87", 7.8..7.95),
        (
            "duet is silent less often, by a factor",
            "more than three orders of magnitude",
            1e3..f64::INFINITY,
        ),
        ("trio is silent less often, by a factor", "two orders of magnitude", 1e2..1e3),
    ];
    let mut text = format!("{INTRODUCTION}\n{}\n", written(&table, &sums));
    text.push_str("| claim | published | here | |\n|---|---|---|---|\n");
    let mut wrong = Vec::new();
    for ((claim, published, range), here) in claims.into_iter().zip(fewer) {
        let met = range.contains(&here);
        if !met {
            wrong.push(format!("{claim}: {published}, {here}"));
        }
        let met = if met { "agrees" } else { "**differs**" };
        let _ = writeln!(text, "| {claim} | {published} | {} | {met} |", figure(here));
    }
    let pattern = Pattern::find("hbm2-neutron", Path::new(".")).ok().flatten();
    let pattern = pattern.expect("a pattern that is built in");
    let shipped: Vec<_> = pattern
        .events
        .iter()
        .map(|event| {
            let name = match event.shape {
                PatternShape::SingleBit => "1 bit",
                PatternShape::AlignedByte => "1 byte",
                // The pattern has no other shape: several entries, two bits in each.
                _ => "2 bits",
            };
            (name, event.share, found(name))
        })
        .collect();
    let _ = write!(text, "{REMARKS}\n{}", written(&shipped, &totals(&shipped)));
    (text, wrong)
}

const INTRODUCTION: &str = "
## The codes of an entry of HBM2 in neutrons

Sullivan et al. (MICRO 2021, doi 10.1145/3466752.3480111) struck the HBM2 of a V100 with neutrons,
sorted struck entries into seven classes, and compared codes that fit in the 32 check bits of an
entry. Shares of the classes are those of their table 1, as one secondary source gives it; another,
less certain, differs by up to a tenth in the rarer ones. That they sum to 1 and give the published
factor 7.87 is the best evidence for them. Classes exclude one another: *1 byte* is two or more bits
of an aligned byte, *1 pin* two or more of a pin, *2 bits* and *3 bits* are neither, *1 beat* and *1
entry* have four bits or more. Within a class every pattern is taken as alike often, which is
assumed: the paper's patterns could not be read.

Cells give corrected / detected / silent in percent. Classes are gone through or drawn as above,
except that a beat or an entry that reaches every syndrome of `duet`, `trio` and `rs-18-16` alike
often is silent with the share of syndromes that the decoder accepts, which is counted.
";

const REMARKS: &str = "
The first factor needs only the shares and that SEC-DED corrects single bits and pins while trio
corrects bytes too. The others hang on what is rare and assumed: `duet` is silent almost only in
errors of 3 bits within one codeword, `trio` in 2 bits that look like one of its pairs, and how many
do is a property of its columns, which are ours. That they agree is agreement in order of magnitude.

The pattern `hbm2-neutron` of `fault-models/patterns` counts events, not struck entries, and its
split of the events that are no byte is assumed: two bits of each struck entry, here anywhere in it.
Under it `duet` is never silent, because it has no errors of 3 bits or more outside a byte, and
`trio` gains less over SEC-DED, because wider events have a larger share and bits that are far apart
are what SEC-DED of separate beats corrects and the interleaved codes refuse:
";
