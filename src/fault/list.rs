//! Fault lists: CSV files that say which words to strike, and perhaps what came of it elsewhere.
//!
//! A row is a fault; consecutive rows with the same `trial` are one trial. What a row says of the
//! word it strikes (`original_hex`, `faulty_hex`) is checked against the workload, so that a list
//! made for other weights is refused instead of run. `docs/file-formats.md` has the columns.

mod home;
mod text;

use self::home::{HOMES, Home, INDICES, axes};
use super::{FaultKind, Region};
use crate::bounded;
use crate::op::{Dtype, WORD_BITS};
use crate::outcome::Outcome;
use crate::workload::Workload;
use csv::StringRecord;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// What is wrong with a fault list.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The CSV is malformed.
    #[error("{path}:{line}: {message}")]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The parser's message.
        message: String,
    },
    /// A cell cannot be used.
    #[error("{path}:{line}: expected {expected}, found {found}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
}

/// One trial of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its number in the file, or its place in it where the file gives none.
    pub number: u64,
    /// The line of its first row.
    pub line: u64,
    /// The input it runs alone, where the file names one; else all of the campaign's.
    pub input: Option<u32>,
    /// Its faults in the order they strike.
    pub faults: Vec<ListedFault>,
    /// What the file says came of it.
    pub outcome: Option<Outcome>,
}

/// One fault of a listed trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedFault {
    /// The region.
    pub region: Region,
    /// The tensor or op.
    pub tensor: u32,
    /// The word within it.
    pub index: u32,
    /// What it does.
    pub kind: FaultKind,
    /// The struck bits.
    pub mask: u32,
    /// The replica or execution it strikes; without one, each scheme has it struck by a draw.
    pub replica: Option<u32>,
}

/// Columns with the struck bits.
const BITS: [&str; 2] = ["bit", "mask"];
/// All other columns that mean something here.
const OTHERS: [&str; 7] =
    ["trial", "kind", "input", "replica", "original_hex", "faulty_hex", "outcome"];
/// Columns with measurements of another tool, not read.
const MEASURED: [&str; 8] = [
    "n_inputs_diff",
    "n_inputs_top1_changed_finite",
    "n_inputs_nonfinite",
    "max_abs_delta",
    "n_answers_wrong",
    "n_answers_nonfinite",
    "wrong_answer",
    "non_finite",
];
/// Other names of columns.
const ALIASES: [(&str, &str); 2] = [("prompt", "input"), ("dim", "dimension")];
/// Replicas and executions, retries included, of the scheme that has most.
const REPLICAS_MAX: u32 = 3;
/// Faults of one trial are numbered in 16 bits in the archive.
const FAULTS_MAX: usize = u16::MAX as usize;
/// Bytes of a list, at most.
const BYTES_MAX: u64 = 1 << 29;
/// Rows of a list, at most: those that the bytes could hold would fill the memory.
const ROWS_MAX: usize = 1 << 24;
/// Names that the first column has where another tool wrote the numbers of its rows there.
const ROW_NUMBERS: [&str; 2] = ["", "unnamed: 0"];

/// Reads the list at `path` for a campaign over the first `inputs` inputs of `workload`.
///
/// # Errors
/// Where the file cannot be read, or names what the workload does not have.
pub fn read_list(path: &Path, workload: &Workload, inputs: u32) -> Result<Vec<Listed>, Error> {
    let text = bounded::read(path, BYTES_MAX);
    let text = text.map_err(|source| Error::Read { path: path.into(), source })?;
    read_text(&text, path, workload, inputs)
}

fn read_text(
    text: &[u8],
    path: &Path,
    workload: &Workload,
    inputs: u32,
) -> Result<Vec<Listed>, Error> {
    let text = &text::without_comments(path, text)?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(&text[..]);
    let mut lines = text::Lines::new(text);
    let top = lines.of(None);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(text::csv_error(path, top, error)),
    };
    let columns = columns(path, top, &header, &axes(workload))?;
    let mut trials: Vec<Listed> = Vec::new();
    let mut numbers = HashSet::new();
    let mut struck = Struck::default();
    for (place, record) in reader.records().enumerate() {
        let record =
            record.map_err(|error| text::csv_error(path, lines.of(error.position()), error))?;
        let line = lines.of(record.position());
        let row = Row { path, line, record: &record, columns: &columns, workload, inputs };
        if place == ROWS_MAX {
            return Err(row.value(format!("at most {ROWS_MAX} rows"), "more"));
        }
        let number = row.integer("trial", u64::MAX)?.unwrap_or(place as u64);
        let input = row.input()?;
        let fault = row.fault(input)?;
        let outcome = row.outcome()?;
        match trials.last_mut() {
            Some(trial) if columns.contains_key("trial") && trial.number == number => {
                row.joins(trial, input, outcome)?;
                row.distinct(&mut struck, number, fault)?;
                trial.faults.push(fault);
            }
            _ if !numbers.insert(number) => {
                let expected = format!("the rows of trial {number} one after another");
                return Err(row.value(expected, "other trials between them"));
            }
            _ => {
                struck.clear();
                row.distinct(&mut struck, number, fault)?;
                trials.push(Listed { number, line, input, faults: vec![fault], outcome });
            }
        }
    }
    if trials.is_empty() {
        let (expected, found) = ("one fault or more".into(), "a header without rows".into());
        return Err(Error::Value { path: path.into(), line: top, expected, found });
    }
    Ok(trials)
}

/// Where each column is, by its name in any case. One of each kind of place must be there, and
/// nothing unknown.
fn columns(
    path: &Path,
    line: u64,
    header: &StringRecord,
    axes: &[&'static str],
) -> Result<HashMap<&'static str, usize>, Error> {
    let value =
        |expected: String, found: String| Error::Value { path: path.into(), line, expected, found };
    let known: Vec<&'static str> = [&HOMES[..], &INDICES, &BITS, &OTHERS, axes].concat();
    let all = || known.iter().chain(&MEASURED);
    let mut columns = HashMap::new();
    for (at, name) in header.iter().enumerate() {
        if at == 0 && ROW_NUMBERS.iter().any(|none| name.eq_ignore_ascii_case(none)) {
            continue;
        }
        let alias = ALIASES.iter().find(|(alias, _)| name.eq_ignore_ascii_case(alias));
        let name = alias.map_or(name, |(_, name)| *name);
        let Some(known) = all().find(|known| name.eq_ignore_ascii_case(known)) else {
            let expected = format!("columns among {}", known.join(", "));
            return Err(value(expected, format!("column \"{name}\"")));
        };
        if columns.insert(*known, at).is_some() {
            return Err(value("each column once".into(), format!("column \"{name}\" twice")));
        }
    }
    let along = axes.iter().any(|axis| columns.contains_key(axis));
    for required in [&HOMES[..], &INDICES, &BITS] {
        let index = required == INDICES && along;
        if !index && !required.iter().any(|name| columns.contains_key(name)) {
            let found = header.iter().collect::<Vec<_>>().join(",");
            return Err(value(
                format!("a column {}", required.join(" or ")),
                format!("\"{found}\""),
            ));
        }
    }
    Ok(columns)
}

/// The bits of each word that the faults of one trial strike: in each replica, and in one by a draw.
type Struck = HashMap<(Region, u32, u32), [u32; REPLICAS_MAX as usize + 1]>;

/// A whole number, also one written as a float: other tools write a column of whole numbers so
/// where one of its cells is empty.
fn whole(cell: &str) -> Option<u64> {
    let digits = match cell.split_once('.') {
        Some((digits, fraction)) if fraction.bytes().all(|digit| digit == b'0') => digits,
        Some(_) => return None,
        None => cell,
    };
    digits.parse().ok()
}

/// A word of digits without a sign.
fn word(digits: &str, radix: u32) -> Option<u32> {
    u32::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))
}

/// One row and all that is needed to read it.
struct Row<'r> {
    path: &'r Path,
    line: u64,
    record: &'r StringRecord,
    columns: &'r HashMap<&'static str, usize>,
    workload: &'r Workload,
    inputs: u32,
}

impl Row<'_> {
    fn value(&self, expected: impl Into<String>, found: impl Display) -> Error {
        let (expected, found) = (expected.into(), found.to_string());
        Error::Value { path: self.path.into(), line: self.line, expected, found }
    }

    /// The cell of a column, if the file has it and it is not empty.
    fn cell(&self, column: &str) -> Option<&str> {
        self.record.get(*self.columns.get(column)?).filter(|cell| !cell.is_empty())
    }

    /// The only one of `names` that this row fills.
    fn one_of<'n>(&self, names: &[&'n str]) -> Result<(&'n str, &str), Error> {
        let mut filled = names.iter().filter_map(|name| Some((*name, self.cell(name)?)));
        match (filled.next(), filled.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(self.value(format!("a cell in {}", names.join(" or ")), "none")),
            (Some((first, _)), Some((second, _))) => Err(self.value(
                format!("one of {}", names.join(", ")),
                format!("both {first} and {second}"),
            )),
        }
    }

    fn integer(&self, column: &str, max: u64) -> Result<Option<u64>, Error> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        match whole(cell) {
            Some(number) if number <= max => Ok(Some(number)),
            _ if max == u64::MAX => {
                Err(self.value(format!("a whole number as {column}"), format!("\"{cell}\"")))
            }
            _ => Err(self.value(format!("{column} from 0 to {max}"), format!("\"{cell}\""))),
        }
    }

    fn small(&self, column: &str, count: u32) -> Result<Option<u32>, Error> {
        let number = self.integer(column, u64::from(count.saturating_sub(1)))?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    }

    /// A word of a column whose name says that it is hexadecimal.
    fn hex(&self, column: &str) -> Result<Option<u32>, Error> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        let lower = cell.to_ascii_lowercase();
        let refuse = || self.value(format!("a 32-bit hexadecimal {column}"), format!("\"{cell}\""));
        word(lower.strip_prefix("0x").unwrap_or(&lower), 16).ok_or_else(refuse).map(Some)
    }

    /// A mask, whose prefix says its base: `10` would strike bit 4 in one base and bits 1 and 3 in
    /// another.
    fn mask(&self, cell: &str, dtype: Dtype) -> Result<u32, Error> {
        let lower = cell.to_ascii_lowercase();
        let refuse = |expected| self.value(expected, format!("\"{cell}\""));
        let (digits, radix) = match (lower.strip_prefix("0x"), lower.strip_prefix("0b")) {
            (Some(digits), _) => (digits, 16),
            (_, Some(digits)) => (digits, 2),
            (None, None) => {
                let decimal = whole(cell).and_then(|mask| u32::try_from(mask).ok());
                let readings = [
                    word(&lower, 16).map(|mask| format!("{mask:#x} if it is hexadecimal")),
                    decimal.map(|mask| format!("{mask:#x} if it is decimal")),
                ];
                let readings: Vec<String> = readings.into_iter().flatten().collect();
                let readings = match readings.is_empty() {
                    true => "0x and hexadecimal digits, or 0b and binary ones".to_owned(),
                    false => readings.join(", "),
                };
                return Err(refuse(format!("a mask with its base: {readings}")));
            }
        };
        let bits = dtype.bits();
        let mask = word(digits, radix).filter(|mask| *mask <= u32::MAX >> (WORD_BITS - bits));
        mask.ok_or_else(|| refuse(format!("a mask of {bits} bits")))
    }

    fn input(&self) -> Result<Option<u32>, Error> {
        self.small("input", self.inputs)
    }

    fn outcome(&self) -> Result<Option<Outcome>, Error> {
        let Some(cell) = self.cell("outcome") else { return Ok(None) };
        let name = cell.to_lowercase().replace('_', "-");
        let outcome = match name.as_str() {
            "sdc" => Some(Outcome::TolerableSdc),
            "critical" => Some(Outcome::CriticalSdc),
            name => Outcome::ALL.into_iter().find(|outcome| outcome.name() == name),
        };
        let names = Outcome::ALL.map(Outcome::name).join(", ");
        let refuse = || {
            self.value(format!("an outcome among {names}, sdc, critical"), format!("\"{cell}\""))
        };
        outcome.ok_or_else(refuse).map(Some)
    }

    fn fault(&self, input: Option<u32>) -> Result<ListedFault, Error> {
        let home = self.home()?;
        let index = self.element(&home)?;
        let Home { region, tensor, name, dtype, lies, .. } = &home;
        let (region, tensor, dtype) = (*region, *tensor, *dtype);
        let mask = match self.one_of(&BITS)? {
            ("bit", _) => self.small("bit", dtype.bits())?.map_or(0, |bit| 1 << bit),
            (_, cell) => self.mask(cell, dtype)?,
        };
        let (index, bit) = lies.place(index, 0);
        let mask = mask << bit;
        if mask == 0 {
            return Err(self.value("a mask with a bit set", "0"));
        }
        let kind = match self.cell("kind") {
            None => FaultKind::Xor,
            Some(cell) => {
                FaultKind::ALL.into_iter().find(|kind| kind.name() == cell).ok_or_else(|| {
                    self.value("a kind among xor, stuck-at-0, stuck-at-1", format!("\"{cell}\""))
                })?
            }
        };
        if region != Region::Weights && input.is_none() {
            let expected = format!("an input for the {} fault in {name}", region.name());
            return Err(self.value(expected, "none"));
        }
        let replica = self.small("replica", REPLICAS_MAX)?;
        let fault = ListedFault { region, tensor, index, kind, mask, replica };
        self.check_words(fault, (name, *lies), input)?;
        Ok(fault)
    }

    /// Holds `original_hex` and `faulty_hex` against the workload's own element.
    fn check_words(
        &self,
        fault: ListedFault,
        (name, lies): (&str, Dtype),
        input: Option<u32>,
    ) -> Result<(), Error> {
        let (original, faulty) = (self.hex("original_hex")?, self.hex("faulty_hex")?);
        if original.is_none() && faulty.is_none() {
            return Ok(());
        }
        let index = fault.index as usize;
        let word = match (fault.region, input) {
            (Region::Weights, _) => self.workload.tensors[fault.tensor as usize].words[index],
            (Region::Input, Some(input)) => {
                self.workload.inputs.words[input as usize * self.workload.inputs.features + index]
            }
            _ => {
                let expected = "original_hex and faulty_hex of stored words and inputs only";
                return Err(self.value(expected, format!("them with the op output {name}")));
            }
        };
        let (element, _) = lies.element(fault.index, fault.mask);
        let [golden, after] =
            [word, fault.kind.apply(word, fault.mask)].map(|word| lies.bits_of(element, word));
        let digits = lies.bits() as usize / 4;
        if let Some(original) = original.filter(|original| *original != golden) {
            let expected =
                format!("original_hex {golden:0digits$x}, the workload's {name}[{element}]");
            return Err(self.value(expected, format!("{original:0digits$x}")));
        }
        if let Some(faulty) = faulty.filter(|faulty| *faulty != after) {
            let expected = format!(
                "faulty_hex {after:0digits$x}, which the fault makes of {golden:0digits$x}"
            );
            return Err(self.value(expected, format!("{faulty:0digits$x}")));
        }
        Ok(())
    }

    /// Whether this row says of its trial what the rows before it said.
    fn joins(
        &self,
        trial: &Listed,
        input: Option<u32>,
        outcome: Option<Outcome>,
    ) -> Result<(), Error> {
        if trial.input != input || trial.outcome != outcome {
            let expected =
                format!("the input and outcome of line {}, of the same trial", trial.line);
            return Err(self.value(expected, "others"));
        }
        if trial.faults.len() == FAULTS_MAX {
            return Err(self.value(format!("at most {FAULTS_MAX} faults in a trial"), "more"));
        }
        Ok(())
    }

    /// Refuses the same bit twice: two flips of it would cancel and look like a masked fault.
    fn distinct(&self, struck: &mut Struck, trial: u64, fault: ListedFault) -> Result<(), Error> {
        let masks = struck.entry((fault.region, fault.tensor, fault.index)).or_default();
        let drawn = REPLICAS_MAX as usize;
        let taken = match fault.replica {
            Some(replica) => masks[replica as usize] | masks[drawn],
            None => masks.iter().fold(0, |all, mask| all | mask),
        };
        let twice = taken & fault.mask;
        if twice != 0 {
            let bit = twice.trailing_zeros();
            let found = format!("bit {bit} of word {} again", fault.index);
            let expected = format!("distinct bits in trial {trial} (two flips of a bit cancel)");
            return Err(self.value(expected, found));
        }
        masks[fault.replica.map_or(drawn, |replica| replica as usize)] |= fault.mask;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
