//! What an engine holds on the adapter: known, and refused where it is too much, before any of it is there.

use super::Error;
use crate::estimate::bytes_text;
use crate::gpu::Gpu;

/// Bytes on the adapter, by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What a part is, and its bytes.
    pub parts: Vec<(&'static str, u64)>,
}

impl Demand {
    /// Bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Both together, part by part.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (what, bytes) in &other.parts {
            match self.parts.iter_mut().find(|(known, _)| known == what) {
                Some((_, sum)) => *sum += bytes,
                None => self.parts.push((*what, *bytes)),
            }
        }
        self
    }

    /// As `golden weights 326 MiB, golden values 7 MiB`.
    pub fn text(&self) -> String {
        let part = |(what, bytes): &(&str, u64)| format!("{what} {}", bytes_text(*bytes as f64));
        self.parts.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    /// Refuses more than the adapter has free, where that is known: a software adapter has what the machine
    /// has.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn check(&self, gpu: &Gpu) -> Result<(), Error> {
        match free_bytes().filter(|_| gpu.adapter().software) {
            Some(free) => self.within(free),
            None => Ok(()),
        }
    }

    fn within(&self, free: u64) -> Result<(), Error> {
        let needed = self.bytes();
        if needed <= free {
            return Ok(());
        }
        Err(Error::Memory { needed, free, parts: self.text() })
    }
}

/// Bytes of memory that the system can give, as Linux tells them.
fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    free_in(&text)
}

fn free_in(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_is_free_is_refused_part_by_part() {
        let weights =
            Demand { parts: vec![("golden weights", 3 << 20), ("golden values", 1 << 20)] };
        let demand = weights.and(&Demand { parts: vec![("golden values", 1 << 20)] });
        assert_eq!(demand.bytes(), 5 << 20);
        demand.within(5 << 20).expect("as much as there is");
        let refused = demand.within((5 << 20) - 1).expect_err("a byte too much").to_string();
        assert!(
            refused.contains("5242880 bytes (golden weights 3.0 MiB, golden values 2.0 MiB)"),
            "{refused}"
        );
        assert!(refused.contains("5242879"), "{refused}");
    }

    #[test]
    fn free_memory_is_read_in_bytes() {
        let text = "MemTotal:       24000 kB\nMemFree: 7 kB\nMemAvailable:     1000 kB\n";
        assert_eq!(free_in(text), Some(1_024_000));
        assert_eq!(free_in("MemTotal: 24000 kB\n"), None);
    }
}
