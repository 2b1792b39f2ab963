//! Which stored words a vote protects: named in the file, or chosen from an earlier archive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which stored words a vote protects; the others are stored once and read as they are. Inputs are
/// protected where no tensors are named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "ProtectTable", into = "ProtectTable")]
pub struct Protect {
    /// Only these tensors.
    pub tensors: Option<Vec<String>>,
    /// Only these bits of each word, 0 (least significant) to 31 (sign).
    pub bits: Option<Vec<u32>>,
    /// The earlier archive that the tensors or bits are chosen from, where they are.
    pub choice: Option<Choice>,
}

/// A choice of tensors or bits: the fewest that account for a share of the critical outcomes of
/// single faults in stored weights, by an earlier campaign without protection.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The archive: a results folder or a file, relative to the campaign or mission.
    pub from: String,
    /// What is chosen.
    pub by: ChosenBy,
    /// The share to account for, above 0 and at most 1.
    pub share: f64,
    /// What the archive gave; `None` while it has not been read.
    pub found: Option<Found>,
}

/// What a choice is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChosenBy {
    /// Bit positions, the same in every word.
    Bits,
    /// Stored tensors.
    Tensors,
}

impl ChosenBy {
    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bits => "bits",
            Self::Tensors => "tensors",
        }
    }
}

/// What an archive gave to a choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The fingerprint of the archive's campaign.
    pub fingerprint: String,
    /// The share of the estimated critical upsets that the chosen account for.
    pub covered: f64,
    /// Single faults in stored weights that the archive has without protection.
    pub faults: u64,
    /// Those of them with a wrong answer.
    pub critical: u64,
    /// Bits or tensors that none of them struck: nothing is known of these.
    pub not_struck: u64,
}

/// The table as TOML and JSON have it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProtectTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tensors: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bits: Option<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<ChosenBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<Found>,
}

impl TryFrom<ProtectTable> for Protect {
    type Error = String;

    fn try_from(table: ProtectTable) -> Result<Self, String> {
        let ProtectTable { tensors, bits, from, by, share, found } = table;
        let choice = match (from, by, share) {
            (Some(from), Some(by), Some(share)) => Some(Choice { from, by, share, found }),
            (None, None, None) if found.is_none() => None,
            (None, ..) => {
                return Err("expected protect.from, an archive, beside by and share".into());
            }
            (_, None, _) => {
                return Err("expected protect.by = \"bits\" or \"tensors\" beside from".into());
            }
            (.., None) => {
                return Err("expected protect.share, such as 0.99, beside from".into());
            }
        };
        Ok(Self { tensors, bits, choice })
    }
}

impl From<Protect> for ProtectTable {
    fn from(protect: Protect) -> Self {
        let Protect { tensors, bits, choice } = protect;
        let Some(Choice { from, by, share, found }) = choice else {
            return Self { tensors, bits, from: None, by: None, share: None, found: None };
        };
        Self { tensors, bits, from: Some(from), by: Some(by), share: Some(share), found }
    }
}

impl Protect {
    /// The protected bits of a word of the tensor `name`; `None` names an input.
    pub fn mask(&self, name: Option<&str>) -> u32 {
        let within = |names: &Vec<String>| name.is_some_and(|name| names.iter().any(|n| n == name));
        if !self.tensors.as_ref().is_none_or(within) {
            return 0;
        }
        let bits = |bits: &Vec<u32>| bits.iter().fold(0, |mask, bit| mask | 1 << (bit % 32));
        self.bits.as_ref().map_or(u32::MAX, bits)
    }

    /// The choice, where its archive has not been read yet: nobody knows what it protects.
    pub fn unread(&self) -> Option<&Choice> {
        self.choice.as_ref().filter(|choice| choice.found.is_none())
    }

    /// Where a chosen set comes from, in words; `None` where the file names it.
    pub fn provenance(&self) -> Option<String> {
        let choice = self.choice.as_ref()?;
        let Found { fingerprint, covered, faults, critical, not_struck } = choice.found.as_ref()?;
        let chosen: Vec<String> = match choice.by {
            ChosenBy::Bits => self.bits.iter().flatten().map(u32::to_string).collect(),
            ChosenBy::Tensors => self.tensors.clone().unwrap_or_default(),
        };
        let by = choice.by.name();
        let unknown = match not_struck {
            0 => String::new(),
            n => format!("; no fault struck {n} of the {by}"),
        };
        Some(format!(
            "{by} {}: the fewest that account for {} or more of the critical upsets, by {} \
             (fingerprint {fingerprint}); they account for {}, {critical} of {faults} single faults in \
             stored weights being critical there{unknown}",
            chosen.join(", "),
            percent(choice.share),
            choice.from,
            percent(*covered),
        ))
    }
}

/// A share in percent, with as many digits as tell it from the whole, four decimals at most.
fn percent(share: f64) -> String {
    let text = format!("{:.4}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Protect, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_choice_needs_its_archive_what_and_how_much() {
        let whole = read("from = \"results/a\"\nby = \"bits\"\nshare = 0.99").expect("a choice");
        assert_eq!(whole.unread().map(|choice| choice.from.as_str()), Some("results/a"));
        for (text, reason) in [
            ("from = \"results/a\"\nshare = 0.99", "protect.by"),
            ("from = \"results/a\"\nby = \"bits\"", "protect.share"),
            ("by = \"bits\"", "protect.from"),
            ("bits = [1]\nshare = 0.5", "protect.from"),
            ("from = \"results/a\"\nby = \"words\"\nshare = 1.0", "unknown variant"),
        ] {
            let message = read(text).expect_err(text);
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn a_set_that_was_chosen_keeps_where_it_comes_from() {
        let found = Found {
            fingerprint: "f00d".into(),
            covered: 0.992_5,
            faults: 2000,
            critical: 120,
            not_struck: 1,
        };
        let choice = Choice {
            from: "../results/a".into(),
            by: ChosenBy::Bits,
            share: 0.99,
            found: Some(found),
        };
        let chosen = Protect { bits: Some(vec![30, 31]), choice: Some(choice), tensors: None };
        assert_eq!(chosen.unread(), None);
        assert_eq!(
            chosen.provenance().expect("a provenance"),
            "bits 30, 31: the fewest that account for 99 % or more of the critical upsets, by \
             ../results/a (fingerprint f00d); they account for 99.25 %, 120 of 2000 single faults in \
             stored weights being critical there; no fault struck 1 of the bits"
        );
        let text = serde_json::to_string(&chosen).expect("JSON");
        assert_eq!(serde_json::from_str::<Protect>(&text).expect("its own text"), chosen);
        assert_eq!(Protect { bits: Some(vec![1]), ..Protect::default() }.provenance(), None);
    }
}
