//! What lasts for one inference: struck values, wrong results of logic, errors that memory reports.

use super::super::layout::{Site, Tenant};
use super::super::record::{Cause, Upset};
use super::super::state::{State, ValueFlip};
use super::{InferenceStrike, Simulation};
use crate::device::Hit;
use crate::outcome::Outcome;
use crate::scheme::memory::Block;
use crate::scheme::{Decoded, Placement, Redundancy};
use std::collections::BTreeMap;

/// What an instant falls into.
struct Instant {
    inference: u64,
    execution: u32,
    /// How far the execution is, from 0 to below 1.
    progress: f64,
}

impl Instant {
    /// A strike at this instant.
    const fn strike(&self, upset: &Upset, cause: Cause, outcome: Outcome) -> InferenceStrike {
        let Upset { id, time_s, .. } = *upset;
        let inference = self.inference;
        InferenceStrike { upset: id, start_s: time_s, time_s, inference, cause, outcome }
    }
}

impl Simulation<'_> {
    /// Whether each execution has a device of its own.
    fn spread(&self) -> bool {
        let placement = self.terms.reader.scheme.placement;
        placement == Placement::Device && self.terms.layout.devices > 1
    }

    /// Whether inferences are computed on a device: the others hold replicas and no more.
    fn executes(&self, device: u32) -> bool {
        let layout = &self.terms.layout;
        let executions = self.terms.reader.scheme.executions();
        device < layout.devices && (!self.spread() || device < executions)
    }

    /// The inference that is computed at a time on a device, if one is.
    fn running(&self, upset: &Upset) -> Option<Instant> {
        let ground = self.ground;
        if upset.time_s < self.away_until {
            return None;
        }
        if !self.executes(upset.device) {
            return None;
        }
        let executions = self.terms.reader.scheme.executions();
        let (here, first) = if self.spread() { (1, upset.device) } else { (executions, 0) };
        let lapsed = upset.time_s * ground.reads.per_s;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let inference = lapsed as u64;
        let executed = (lapsed - lapsed.floor()) / ground.duty;
        (executed < f64::from(here)).then(|| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most 3"
            )]
            let execution = executed as u32;
            Instant { inference, execution: first + execution, progress: executed.fract() }
        })
    }

    /// An entry of activations is struck: it matters where the running inference has just
    /// computed that value and not yet passed on.
    pub(super) fn value_upset(&mut self, upset: &Upset, entry: u64, masks: [u32; 9]) {
        let Some(now) = self.running(upset) else { return };
        let layout = &self.terms.layout;
        let mut block = Block(masks.to_vec());
        if let Some(code) = layout.code.filter(|_| layout.sideband) {
            match block.decode(code) {
                Decoded::Clean => {}
                Decoded::Corrected if block.is_clean() => {
                    self.strike(now.strike(upset, Cause::Value, Outcome::Corrected));
                    return;
                }
                Decoded::Corrected => {}
                Decoded::Uncorrectable => {
                    self.strike(now.strike(upset, Cause::Value, Outcome::Due));
                    return;
                }
            }
        }
        let ops = self.ground.values.ops.len();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below ops")]
        let running = (now.progress * ops as f64) as usize;
        let row = now.inference % self.ground.reads.inputs;
        let mut value = Vec::new();
        for word in 0..8 {
            let Some(Site::Activations(at)) = layout.site(upset.device, entry, word) else {
                continue;
            };
            let Some((op, index, order)) = self.ground.values.locate(at) else { continue };
            if block.0[word] != 0 && order == running {
                value.push(ValueFlip {
                    op,
                    index,
                    row: u32::try_from(row).unwrap_or(0),
                    execution: now.execution,
                    mask: block.0[word],
                });
            }
        }
        if value.is_empty() {
            return;
        }
        let state = State { flips: Vec::new(), value };
        let Some(rows) = self.ask(&state) else { return };
        let row = usize::try_from(row).ok().and_then(|row| rows.get(row).copied());
        let outcome = row.map_or(Outcome::Masked, crate::outcome::InferenceRow::outcome);
        self.strike(now.strike(upset, Cause::Value, outcome));
    }

    /// Logic delivers one wrong result: critical unless executions are compared.
    pub(super) fn logic(&mut self, upset: &Upset) {
        let Some(now) = self.running(upset) else { return };
        let outcome = match self.terms.reader.scheme.redundancy() {
            Redundancy { executions: 1, .. } => Outcome::CriticalSdc,
            Redundancy { retries: true, .. } => Outcome::DueRecovered,
            _ => Outcome::Corrected,
        };
        self.strike(now.strike(upset, Cause::Logic, outcome));
    }

    /// Memory reports an error that its own ECC could not correct, whatever codes a scheme has:
    /// the events were counted behind that ECC. The next inference meets it.
    pub(super) fn reported(&mut self, upset: &Upset, entry: u64) {
        let layout = &self.terms.layout;
        if upset.device >= layout.devices {
            return;
        }
        let tenant = layout.tenant(upset.device, entry);
        let counts = &mut self.result.tenants[tenant as usize];
        counts.upsets += 1;
        counts.uncorrectable += 1;
        let idle = tenant != Tenant::Weights && !self.executes(upset.device);
        if tenant == Tenant::Unused || idle || upset.time_s < self.away_until {
            return;
        }
        let inference = self.ground.reads.before(upset.time_s);
        let outcome = match self.terms.reader.scheme.redundancy() {
            Redundancy { retries: true, .. } => Outcome::DueRecovered,
            Redundancy { copies: 3, .. } if tenant == Tenant::Weights => Outcome::Corrected,
            _ => Outcome::Due,
        };
        self.report(upset, entry, inference, outcome);
    }

    /// Counts an upset in the tenants that it changed, by what a code alone makes of it.
    pub(super) fn count_tenants(
        &mut self,
        upset: &Upset,
        hit: &Hit,
        touched: &BTreeMap<u64, Vec<(Site, u32, bool)>>,
        tenants: [bool; 4],
    ) {
        if tenants[Tenant::Weights as usize] {
            self.result.struck += 1;
            let mut words: BTreeMap<(u64, u32), u32> = BTreeMap::new();
            for (copy, sites) in touched {
                for (site, ..) in sites {
                    if let Site::Data { replica, word, .. } = site {
                        *words.entry((*copy, *word)).or_default() |= 1 << replica;
                    }
                }
            }
            let shared = words.values().any(|replicas| replicas.count_ones() > 1);
            self.result.common_cause += u64::from(shared);
        }
        let layout = &self.terms.layout;
        let mut verdicts = [None; 4];
        for strike in &hit.strikes {
            let tenant = layout.tenant(upset.device, strike.entry);
            let verdict = match layout.code.filter(|_| layout.sideband) {
                None => Decoded::Clean,
                Some(code) => {
                    let mut block = Block(strike.mask.to_vec());
                    match block.decode(code) {
                        Decoded::Corrected if !block.is_clean() => Decoded::Clean,
                        decoded => decoded,
                    }
                }
            };
            let worst = |known: Decoded| match (known, verdict) {
                (Decoded::Clean, _) | (_, Decoded::Clean) => Decoded::Clean,
                (known, verdict) => known.max(verdict),
            };
            let known = &mut verdicts[tenant as usize];
            *known = Some(known.map_or(verdict, worst));
        }
        for ((counts, hit), verdict) in self.result.tenants.iter_mut().zip(tenants).zip(verdicts) {
            if !hit {
                continue;
            }
            counts.upsets += 1;
            match verdict {
                Some(Decoded::Corrected) => counts.corrected += 1,
                Some(Decoded::Uncorrectable) => counts.uncorrectable += 1,
                _ => counts.silent += 1,
            }
        }
    }
}
