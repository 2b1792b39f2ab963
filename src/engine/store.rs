//! Golden of stored tensors on the GPU: each word once, however large a tensor is.
//!
//! Tensors lie in banks, buffers that one binding reaches. Those that an op reads lie in one bank. Where they
//! are larger than that, they are split into pieces: rows of each tensor that make some of the op's output
//! units, a bank each.

use super::Error;
use crate::gpu::{Buffer, Gpu};
use crate::workload::{Role, Tensor, Workload};

/// Where some rows of a tensor lie: those of consecutive output units, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The first row of the tensor.
    pub first: u32,
    /// Rows of it.
    pub units: u32,
    pub bank: usize,
    /// Its first word in the bank.
    pub base: u32,
}

/// Where every stored tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placing {
    /// By tensor, in the order of rows.
    tensors: Vec<Vec<Piece>>,
    /// Words of each bank.
    banks: Vec<u32>,
}

/// Units of a piece are a multiple of what a tile of the op computes.
const UNITS: u32 = 8;

impl Placing {
    /// Places the tensors of a workload in banks of `limit` bytes at most.
    ///
    /// # Errors
    /// Where the tensors that an op reads are larger, and the op or the tensors cannot be split.
    pub(super) fn new(workload: &Workload, limit: u64) -> Result<Self, Error> {
        let limit = u32::try_from(limit / 4).unwrap_or(u32::MAX);
        let mut placing =
            Self { tensors: vec![Vec::new(); workload.tensors.len()], banks: Vec::new() };
        for group in groups(workload) {
            let words: u64 = group.iter().map(|tensor| padded(workload, *tensor)).sum();
            match u32::try_from(words).ok().filter(|words| *words <= limit) {
                Some(words) => placing.place(workload, &group, words, limit),
                None => placing.split(workload, &group, limit)?,
            }
        }
        Ok(placing)
    }

    /// Places tensors whole, in the last bank where they fit it.
    fn place(&mut self, workload: &Workload, group: &[usize], words: u32, limit: u32) {
        if self.banks.last().is_none_or(|held| limit - held < words) {
            self.banks.push(0);
        }
        let bank = self.banks.len() - 1;
        for tensor in group {
            let units = rows(workload, *tensor);
            let base = self.banks[bank];
            self.tensors[*tensor].push(Piece { first: 0, units, bank, base });
            self.banks[bank] += narrow(padded(workload, *tensor));
        }
    }

    /// Places tensors that one op reads piece by piece.
    fn split(&mut self, workload: &Workload, group: &[usize], limit: u32) -> Result<(), Error> {
        let readers: Vec<_> = workload
            .ops
            .iter()
            .filter(|op| reads(workload, op).any(|t| group.contains(&t)))
            .collect();
        let units = rows(workload, group[0]);
        let whole_rows = |tensor: &usize| {
            let words = workload.tensors[*tensor].words.len();
            let Tensor { shape, dtype, .. } = &workload.tensors[*tensor];
            shape.iter().skip(1).product::<usize>() % dtype.in_word() as usize == 0
                && words == row_words(workload, *tensor) as usize * units as usize
        };
        let alike = group.iter().all(|t| rows(workload, *t) == units && whole_rows(t));
        let of_unit: u64 = group.iter().map(|t| u64::from(row_words(workload, *t))).sum();
        // What each tensor may be padded by.
        let room = u64::from(limit).saturating_sub(4 * group.len() as u64);
        let most = u32::try_from(room / of_unit.max(1)).unwrap_or(u32::MAX);
        // Units are of one op; tables are read by any number beside it.
        let of_units = readers.iter().filter(|op| !op.kind.splits_entries());
        let splits = alike
            && of_units.clone().all(|op| op.kind.splits_units(&op.settings))
            && of_units.count() <= 1;
        if !splits || most == 0 {
            let words: u64 = group.iter().map(|tensor| padded(workload, *tensor)).sum();
            let names: Vec<&str> =
                group.iter().map(|tensor| workload.tensors[*tensor].name.as_str()).collect();
            let what = match splits {
                true => format!("a row of {}", names.join(" and ")),
                false => format!("{}, which cannot be split,", names.join(" with ")),
            };
            let needed = 4 * if splits { of_unit } else { words };
            return Err(Error::TooLarge { what, needed, limit: 4 * u64::from(limit) });
        }
        let step = if most > UNITS { most / UNITS * UNITS } else { most };
        for first in (0..units).step_by(step as usize) {
            let units = step.min(units - first);
            let bank = self.banks.len();
            self.banks.push(0);
            for tensor in group {
                let base = self.banks[bank];
                self.tensors[*tensor].push(Piece { first, units, bank, base });
                self.banks[bank] += (units * row_words(workload, *tensor)).next_multiple_of(4);
            }
        }
        Ok(())
    }

    /// Bytes of all banks.
    pub(super) fn bytes(&self) -> u64 {
        self.banks.iter().map(|words| 4 * u64::from(*words)).sum()
    }
}

/// Golden of all stored tensors.
#[derive(Debug)]
pub(super) struct Store {
    placing: Placing,
    banks: Vec<Buffer<u32>>,
}

/// Words that are uploaded at once, so that what waits for the upload stays small beside a bank.
const UPLOAD_WORDS: usize = 4 << 20;

impl Store {
    /// Uploads the stored tensors of a workload, in banks of `limit` bytes at most.
    ///
    /// # Errors
    /// As [`Placing::new`], or where the GPU fails.
    pub(super) fn new(gpu: &Gpu, workload: &Workload, limit: u64) -> Result<Self, Error> {
        let placing = Placing::new(workload, limit)?;
        let bank = |words: &u32| gpu.zeroed("stored tensors", *words as usize);
        let banks: Vec<Buffer<u32>> = placing.banks.iter().map(bank).collect();
        let mut waiting = 0;
        for (tensor, pieces) in placing.tensors.iter().enumerate() {
            let row = row_words(workload, tensor) as usize;
            for piece in pieces {
                let whole = &workload.tensors[tensor].words;
                let from = piece.first as usize * row;
                let words = match pieces.len() {
                    1 => &whole[..],
                    _ => &whole[from..][..piece.units as usize * row],
                };
                for (at, part) in words.chunks(UPLOAD_WORDS).enumerate() {
                    let to = piece.base as usize + at * UPLOAD_WORDS;
                    gpu.write(&banks[piece.bank], to, part);
                    waiting += part.len();
                    if waiting >= UPLOAD_WORDS {
                        gpu.submit(|_| {})?;
                        gpu.wait()?;
                        waiting = 0;
                    }
                }
            }
        }
        Ok(Self { placing, banks })
    }

    /// The pieces of a tensor, in the order of rows.
    pub(super) fn pieces(&self, tensor: usize) -> &[Piece] {
        &self.placing.tensors[tensor]
    }

    /// The piece of a tensor that holds a row.
    pub(super) fn piece(&self, tensor: usize, row: u32) -> Piece {
        let pieces = self.pieces(tensor);
        pieces[pieces.partition_point(|piece| piece.first <= row).max(1) - 1]
    }

    /// The bank of a stored word and its place there.
    pub(super) fn place(&self, workload: &Workload, word: u32) -> (usize, u32) {
        let after = workload.tensors.partition_point(|tensor| tensor.offset <= word);
        let tensor = after.saturating_sub(1);
        let (index, row) = (word - workload.tensors[tensor].offset, row_words(workload, tensor));
        if let [piece] = self.pieces(tensor) {
            return (piece.bank, piece.base + index);
        }
        let piece = self.piece(tensor, index / row);
        (piece.bank, piece.base + index - piece.first * row)
    }

    pub(super) fn bank(&self, bank: usize) -> &Buffer<u32> {
        &self.banks[bank]
    }
}

/// The stored tensors that an op reads, in the order of its inputs.
pub(super) fn reads<'w>(
    workload: &'w Workload,
    op: &'w crate::workload::Op,
) -> impl Iterator<Item = usize> + 'w {
    op.inputs.iter().filter_map(|input| match workload.values[input.0].role {
        Role::Stored(tensor) => Some(tensor),
        Role::Input | Role::Activation => None,
    })
}

/// Tensors that must lie together, since an op reads them: in the order of the image.
fn groups(workload: &Workload) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..workload.tensors.len()).collect();
    for op in &workload.ops {
        let read: Vec<usize> = reads(workload, op).collect();
        let Some(least) = read.iter().map(|tensor| group[*tensor]).min() else { continue };
        let joined: Vec<usize> = read.iter().map(|tensor| group[*tensor]).collect();
        group.iter_mut().filter(|of| joined.contains(of)).for_each(|of| *of = least);
    }
    let members = |of: usize| (0..group.len()).filter(|t| group[*t] == of).collect::<Vec<usize>>();
    (0..group.len()).map(members).filter(|members| !members.is_empty()).collect()
}

/// Rows of a tensor along its first dimension.
fn rows(workload: &Workload, tensor: usize) -> u32 {
    narrow(workload.tensors[tensor].shape.first().copied().unwrap_or(1) as u64)
}

fn row_words(workload: &Workload, tensor: usize) -> u32 {
    narrow(workload.tensors[tensor].words.len() as u64) / rows(workload, tensor).max(1)
}

/// Words of a tensor, so that the next one begins at a quad.
fn padded(workload: &Workload, tensor: usize) -> u64 {
    (workload.tensors[tensor].words.len() as u64).next_multiple_of(4)
}

/// Words of a tensor, which loading keeps below 2³².
#[expect(clippy::cast_possible_truncation, reason = "loading refuses tensors past 32-bit indices")]
const fn narrow(words: u64) -> u32 {
    words as u32
}
