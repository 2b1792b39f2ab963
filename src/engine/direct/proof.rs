//! Strikes with their proof of landing: the word before each strike, as the inject stage kept it,
//! and the word after, read back from the same buffer by the gather stage.

use super::super::{Error, Landing};
use super::{Direct, Kernels};
use crate::gpu::{Buffer, Gpu, Pass};
use crate::stage::inject::{InjectParams, Strike};
use std::collections::HashMap;

/// Whose strike it is: (lane, index of the job's fault, replica); `None` where a stuck bit asserts
/// itself again.
pub(in crate::engine) type Owner = Option<(usize, u32, u32)>;

/// The strikes of all lanes on one buffer, uploaded.
#[derive(Debug)]
pub(in crate::engine) struct Strikes {
    params: Buffer<InjectParams>,
    offsets: Buffer<u32>,
    strikes: Buffer<Strike>,
    list: Buffer<u32>,
    pub before: Buffer<u32>,
    pub after: Buffer<u32>,
    host: Vec<(Strike, Owner)>,
    stride: u32,
}

impl Strikes {
    /// Uploads the strikes of each lane on a buffer with `stride` words a slot.
    pub(in crate::engine) fn new(
        gpu: &Gpu,
        stride: u32,
        trap_words: u32,
        lanes: Vec<Vec<(Strike, Owner)>>,
    ) -> Option<Self> {
        let mut offsets = vec![0u32];
        for lane in &lanes {
            offsets
                .push(offsets[offsets.len() - 1] + u32::try_from(lane.len()).unwrap_or(u32::MAX));
        }
        Self::listed(gpu, (stride, trap_words), &offsets, lanes.into_iter().flatten().collect())
    }

    /// Uploads strikes that lie lane behind lane, those of lane i from `offsets[i]` on; each lane has
    /// `trap_words`.
    pub(in crate::engine) fn listed(
        gpu: &Gpu,
        (stride, trap_words): (u32, u32),
        offsets: &[u32],
        host: Vec<(Strike, Owner)>,
    ) -> Option<Self> {
        if host.is_empty() {
            return None;
        }
        let strikes: Vec<Strike> = host.iter().map(|(strike, _)| *strike).collect();
        let list: Vec<u32> = strikes.iter().map(|s| s.slot * stride + s.word).collect();
        Some(Self {
            params: gpu
                .uniform("inject", &InjectParams { words: stride, stride, trap_words, pad: 0 }),
            offsets: gpu.upload("strike offsets", offsets),
            strikes: gpu.upload("strikes", &strikes),
            list: gpu.list("landing list", &list),
            before: gpu.zeroed("words before", host.len()),
            after: gpu.zeroed("words after", host.len()),
            host,
            stride,
        })
    }

    pub(in crate::engine) const fn count(&self) -> usize {
        self.host.len()
    }

    /// Records the strikes on `memory` and the read-back of every struck word.
    pub(in crate::engine) fn encode(
        &self,
        pass: &mut Pass<'_>,
        kernels: &Kernels,
        memory: &Buffer<u32>,
        traps: &Buffer<u32>,
    ) {
        let Self { params, offsets, strikes, before, .. } = self;
        kernels.inject.encode(pass, params, offsets, strikes, memory, before, traps);
        kernels.gather.encode(pass, &self.list, memory, &self.after);
    }
}

impl Direct {
    /// Uploads the strikes of each lane on a buffer with `stride` words a slot.
    pub(super) fn strikes(&self, stride: u32, lanes: Vec<Vec<(Strike, Owner)>>) -> Option<Strikes> {
        Strikes::new(&self.gpu, stride, self.layout.rows + 1, lanes)
    }

    /// Records the strikes on `memory` and the read-back of every struck word.
    pub(super) fn encode_strikes(
        &self,
        pass: &mut Pass<'_>,
        strikes: &Strikes,
        memory: &Buffer<u32>,
    ) {
        strikes.encode(pass, &self.kernels, memory, &self.memory.traps);
    }
}

/// Proves every landing: each strike's word after is what its mask makes of the word before, a
/// later strike on the same word finds what the earlier one left, and what the last one left is
/// what the buffer holds.
pub(in crate::engine) fn landings(
    strikes: &Strikes,
    before: &[u32],
    after: &[u32],
    trial_of: impl Fn(usize) -> u64,
) -> Result<Vec<(usize, Landing)>, Error> {
    let mut left: HashMap<u32, u32> = HashMap::new();
    let mut found = Vec::new();
    let fail = |owner: Owner, before, expected, found| {
        let (lane, fault, _) = owner.unwrap_or((0, u32::MAX, 0));
        Error::NotLanded { trial: trial_of(lane), fault, before, expected, found }
    };
    for (i, (strike, owner)) in strikes.host.iter().enumerate() {
        let at = strike.slot * strikes.stride + strike.word;
        let expected = strike.apply(before[i]);
        if let Some(earlier) = left.insert(at, expected)
            && earlier != before[i]
        {
            return Err(fail(*owner, before[i], earlier, before[i]));
        }
        if let Some((lane, fault, replica)) = *owner {
            found.push((lane, Landing { fault, replica, before: before[i], after: expected }));
        }
    }
    for (i, (strike, owner)) in strikes.host.iter().enumerate() {
        let expected = left[&(strike.slot * strikes.stride + strike.word)];
        if after[i] != expected {
            return Err(fail(*owner, before[i], expected, after[i]));
        }
    }
    Ok(found)
}
