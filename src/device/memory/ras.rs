//! What a memory does about its errors: rows remapped, pages retired, until nothing is spare.

use super::file::Reader;
use super::{ENTRY_BYTES, Memory};
use crate::device::figure::{At, Figure, FigureTable, Level};
use crate::device::limits::{self, named, said};
use crate::place::Error;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// What a memory does with a place that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RasPolicy {
    /// Nothing.
    None,
    /// A spare row takes the place of one with an uncorrectable error (GPUs since Ampere), once:
    /// where the spare fails too, nothing takes its place.
    RowRemap {
        /// Rows of the whole memory that can be replaced.
        rows_max: u32,
        /// Rows of one bank that can be.
        rows_per_bank_max: u32,
    },
    /// The page is left out after an uncorrectable error or some correctable ones of one entry.
    PageRetire {
        /// Pages that can be left out.
        pages_max: u32,
        /// Bytes of a page.
        page_bytes: u32,
        /// Correctable errors of one entry that retire its page.
        correctable_max: u32,
    },
}

/// A patrol scrub: how long one pass over the memory takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrub {
    /// The name by which it is chosen.
    pub name: String,
    /// The time of one pass, in seconds.
    pub period_s: Figure,
}

/// What a memory and the part around it do about errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Ras {
    /// What becomes of a place that fails.
    pub policy: RasPolicy,
    /// Whether an uncorrectable error ends the work that met it and no other.
    pub containment: bool,
    /// Who says so.
    pub containment_source: String,
    /// The time for which the part is away after a functional interrupt, in seconds.
    pub reset_s: Figure,
    /// The time that a remapped row or a retired page costs, in seconds.
    pub repair_s: Figure,
    /// The patrol scrubs that are known of it.
    pub scrubs: Vec<Scrub>,
}

impl Ras {
    /// A patrol scrub by its name.
    pub fn scrub(&self, name: &str) -> Option<&Scrub> {
        self.scrubs.iter().find(|scrub| scrub.name == name)
    }
}

/// What was done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RasAction {
    /// Nothing: the policy does not ask for it, or the place is out of use already.
    Nothing,
    /// A spare row took the place of the row; its contents must be written anew.
    RowRemapped,
    /// The page is out of use.
    PageRetired,
    /// Something should have been done, and nothing is spare.
    Exhausted,
}

/// What became of a memory's spare rows and pages so far.
#[derive(Clone, Debug)]
pub struct RasState {
    policy: RasPolicy,
    repair_s: f64,
    remapped: HashSet<(u64, u32)>,
    remapped_of_bank: HashMap<u64, u32>,
    retired: HashSet<u64>,
    correctable_of_entry: HashMap<u64, u32>,
    refused: u64,
}

impl RasState {
    /// That of a new part.
    pub fn new(memory: &Memory) -> Self {
        Self {
            policy: memory.ras.policy,
            repair_s: memory.ras.repair_s.at(Level::Nominal),
            remapped: HashSet::new(),
            remapped_of_bank: HashMap::new(),
            retired: HashSet::new(),
            correctable_of_entry: HashMap::new(),
            refused: 0,
        }
    }

    /// An uncorrectable error of an entry, in a row of a bank by [`Memory::bank_index`].
    pub fn on_uncorrectable(&mut self, bank: u64, row: u32, entry: u64) -> RasAction {
        match self.policy {
            RasPolicy::None => RasAction::Nothing,
            RasPolicy::RowRemap { rows_max, rows_per_bank_max } => {
                self.remap(bank, row, [rows_max, rows_per_bank_max])
            }
            RasPolicy::PageRetire { pages_max, page_bytes, .. } => {
                self.retire(entry, pages_max, page_bytes)
            }
        }
    }

    /// A correctable error of an entry that is found again when it is read later: a scrub or a
    /// write that puts it right in between does not make it another place.
    pub fn on_correctable(&mut self, entry: u64) -> RasAction {
        let RasPolicy::PageRetire { pages_max, page_bytes, correctable_max } = self.policy else {
            return RasAction::Nothing;
        };
        let errors = self.correctable_of_entry.entry(entry).or_insert(0);
        *errors += 1;
        if *errors < correctable_max {
            return RasAction::Nothing;
        }
        self.retire(entry, pages_max, page_bytes)
    }

    fn remap(&mut self, bank: u64, row: u32, [most, most_of_bank]: [u32; 2]) -> RasAction {
        let of_bank = self.remapped_of_bank.entry(bank).or_insert(0);
        let spare = self.remapped.len() < most as usize && *of_bank < most_of_bank;
        if !(spare && self.remapped.insert((bank, row))) {
            self.refused += 1;
            return RasAction::Exhausted;
        }
        *of_bank += 1;
        RasAction::RowRemapped
    }

    fn retire(&mut self, entry: u64, pages_max: u32, page_bytes: u32) -> RasAction {
        let page = page_of(entry, page_bytes);
        if self.retired.contains(&page) {
            return RasAction::Nothing;
        }
        if self.pages_retired() == u64::from(pages_max) {
            self.refused += 1;
            return RasAction::Exhausted;
        }
        self.retired.insert(page);
        RasAction::PageRetired
    }

    /// Rows that were remapped.
    pub fn rows_remapped(&self) -> u64 {
        self.remapped.len() as u64
    }

    /// Pages that are out of use.
    pub fn pages_retired(&self) -> u64 {
        self.retired.len() as u64
    }

    /// The page of an entry, counted from the start of memory, where pages are retired.
    pub const fn page(&self, entry: u64) -> Option<u64> {
        match self.policy {
            RasPolicy::PageRetire { page_bytes, .. } => Some(page_of(entry, page_bytes)),
            _ => None,
        }
    }

    /// Whether the page of an entry is out of use.
    pub fn is_retired(&self, entry: u64) -> bool {
        self.page(entry).is_some_and(|page| self.retired.contains(&page))
    }

    /// Errors for which nothing was spare.
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Bytes that are out of use. A remapped row costs none: spare rows are not of the capacity.
    pub fn lost_bytes(&self) -> u64 {
        match self.policy {
            RasPolicy::PageRetire { page_bytes, .. } => {
                self.pages_retired() * u64::from(page_bytes)
            }
            _ => 0,
        }
    }

    /// The time that all of it has cost, in seconds, where each is repaired by itself.
    pub fn time_s(&self) -> f64 {
        self.repair_s * (self.rows_remapped() + self.pages_retired()) as f64
    }
}

const fn page_of(entry: u64, page_bytes: u32) -> u64 {
    entry * ENTRY_BYTES / page_bytes as u64
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum PolicyName {
    None,
    RowRemap,
    PageRetire,
}

impl PolicyName {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RowRemap => "row-remap",
            Self::PageRetire => "page-retire",
        }
    }

    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::RowRemap => &["rows_max", "rows_per_bank_max"],
            Self::PageRetire => &["pages_max", "page_bytes", "correctable_max"],
        }
    }
}

/// The table as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RasTable {
    policy: PolicyName,
    containment: bool,
    containment_source: String,
    rows_max: Option<FigureTable>,
    rows_per_bank_max: Option<FigureTable>,
    pages_max: Option<FigureTable>,
    page_bytes: Option<FigureTable>,
    correctable_max: Option<FigureTable>,
    reset_s: FigureTable,
    repair_s: FigureTable,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScrubTable {
    name: String,
    period_s: FigureTable,
}

impl RasTable {
    pub(super) fn read(
        self,
        scrubs: Vec<ScrubTable>,
        reader: &mut Reader,
        root: &At,
    ) -> Result<Ras, Error> {
        let at = root.key("ras");
        said(&self.containment_source, &at.key("containment_source"))?;
        let policy = self.policy(reader, &at)?;
        let mut time = |key: &str, table: &FigureTable| {
            reader.figure(&format!("ras.{key}"), table, &at.key(key), limits::TIME_S)
        };
        let [reset_s, repair_s] =
            [time("reset_s", &self.reset_s)?, time("repair_s", &self.repair_s)?];
        let scrubs = scrubs.into_iter().enumerate().map(|(index, scrub)| {
            let at = root.key("scrub").key(index);
            named(&scrub.name, &at.key("name"))?;
            let key = format!("scrub.{}.period_s", scrub.name);
            let at = at.key("period_s");
            let period_s = reader.figure(&key, &scrub.period_s, &at, limits::PERIOD_S)?;
            Ok(Scrub { name: scrub.name, period_s })
        });
        Ok(Ras {
            policy,
            containment: self.containment,
            containment_source: self.containment_source,
            reset_s,
            repair_s,
            scrubs: scrubs.collect::<Result<_, Error>>()?,
        })
    }

    fn policy(&self, reader: &mut Reader, at: &At) -> Result<RasPolicy, Error> {
        let tables = [
            ("rows_max", &self.rows_max),
            ("rows_per_bank_max", &self.rows_per_bank_max),
            ("pages_max", &self.pages_max),
            ("page_bytes", &self.page_bytes),
            ("correctable_max", &self.correctable_max),
        ];
        let name = self.policy.name();
        let mut counts = HashMap::new();
        for (key, table) in tables {
            match (table, self.policy.keys().contains(&key)) {
                (Some(table), true) => {
                    let count = reader.count(&format!("ras.{key}"), table, &at.key(key), 1)?;
                    counts.insert(key, count);
                }
                (None, true) => {
                    return Err(at.value(format!("`{key}` for policy = \"{name}\""), "none"));
                }
                (Some(_), false) => {
                    let expected = format!("no `{key}` for policy = \"{name}\"");
                    return Err(at.key(key).value(expected, "one"));
                }
                (None, false) => {}
            }
        }
        Ok(match self.policy {
            PolicyName::None => RasPolicy::None,
            PolicyName::RowRemap => RasPolicy::RowRemap {
                rows_max: counts["rows_max"],
                rows_per_bank_max: counts["rows_per_bank_max"],
            },
            PolicyName::PageRetire => {
                let page_bytes = counts["page_bytes"];
                if u64::from(page_bytes) % ENTRY_BYTES != 0 {
                    let at = at.key("page_bytes").key("value");
                    return Err(at.value("a multiple of 32 bytes", page_bytes));
                }
                RasPolicy::PageRetire {
                    pages_max: counts["pages_max"],
                    page_bytes,
                    correctable_max: counts["correctable_max"],
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(name: &str) -> RasState {
        RasState::new(&Memory::load(name).expect("shipped").0)
    }

    #[test]
    fn an_h100_remaps_512_rows_and_8_of_a_bank() {
        let mut ras = state("h100-80gb");
        for row in 0..8 {
            assert_eq!(ras.on_uncorrectable(3, row, 0), RasAction::RowRemapped);
        }
        assert_eq!(ras.on_uncorrectable(3, 8, 0), RasAction::Exhausted, "8 of the bank");
        assert_eq!((ras.rows_remapped(), ras.refused()), (8, 1));
        for bank in 100..162 {
            for row in 0..8 {
                assert_eq!(ras.on_uncorrectable(bank, row, 0), RasAction::RowRemapped);
            }
        }
        for row in 0..7 {
            assert_eq!(ras.on_uncorrectable(200, row, 0), RasAction::RowRemapped);
        }
        assert_eq!(ras.on_uncorrectable(200, 6, 0), RasAction::Exhausted, "remapped already");
        assert_eq!(ras.on_uncorrectable(200, 7, 0), RasAction::RowRemapped);
        assert_eq!(ras.rows_remapped(), 512);
        assert_eq!(ras.on_uncorrectable(500, 0, 0), RasAction::Exhausted, "512 of the part");
        assert_eq!((ras.rows_remapped(), ras.refused(), ras.lost_bytes()), (512, 3, 0));
        assert_eq!(ras.on_correctable(0), RasAction::Nothing);
        let repair_s = Memory::load("h100-80gb").expect("ok").0.ras.repair_s.at(Level::Nominal);
        assert!(repair_s > 0.0);
        assert!((ras.time_s() - 512.0 * repair_s).abs() < 1e-9);
    }

    #[test]
    fn a_v100_retires_64_pages_after_one_double_or_two_single_errors() {
        let mut ras = state("v100-32gb");
        let of_page = |page: u64| page * 4096 / 32;
        assert_eq!(ras.on_uncorrectable(0, 0, of_page(0)), RasAction::PageRetired);
        assert_eq!(
            ras.on_uncorrectable(0, 0, of_page(0) + 127),
            RasAction::Nothing,
            "the same page"
        );
        assert!(ras.is_retired(of_page(0) + 5) && !ras.is_retired(of_page(1)));

        assert_eq!(ras.on_correctable(of_page(1)), RasAction::Nothing);
        assert_eq!(ras.on_correctable(of_page(1) + 1), RasAction::Nothing, "another place");
        assert_eq!(ras.on_correctable(of_page(1)), RasAction::PageRetired);
        for page in 2..64 {
            assert_eq!(ras.on_uncorrectable(0, 0, of_page(page)), RasAction::PageRetired);
        }
        assert_eq!((ras.pages_retired(), ras.lost_bytes()), (64, 262_144));
        assert_eq!(ras.on_uncorrectable(0, 0, of_page(64)), RasAction::Exhausted);
        assert_eq!(ras.on_correctable(of_page(65)), RasAction::Nothing);
        assert_eq!(ras.on_correctable(of_page(65)), RasAction::Exhausted);
        assert_eq!((ras.pages_retired(), ras.refused()), (64, 2));
    }

    #[test]
    fn a_memory_without_spares_does_nothing() {
        let mut ras = state("ddr4");
        assert_eq!(ras.on_uncorrectable(0, 0, 0), RasAction::Nothing);
        assert_eq!(ras.on_correctable(0), RasAction::Nothing);
        assert_eq!((ras.lost_bytes(), ras.refused(), ras.time_s()), (0, 0, 0.0));
    }

    #[test]
    fn named_scrubs_have_periods() {
        let ddr5 = Memory::load("ddr5").expect("shipped").0;
        let ecs = ddr5.ras.scrub("ddr5-ecs").expect("the scrub inside DDR5");
        assert_eq!(ecs.period_s.at(Level::Nominal), 86_400.0);
        assert_eq!(ddr5.ras.scrub("none"), None);
    }
}
