//! Decisions: what an output means, and the `[decision]` of a workload file.

use super::entry::{DecisionEntry, DecisionKind, EndEntry};
use super::file::File;
use super::graph::word_count as narrow;
use super::{Error, Mismatch, NanRank};
use crate::op::Shape;
use toml::Spanned;

/// How an output becomes a decision, compared with the decision of golden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// The index of the first maximum of the output.
    ArgMax {
        /// How a NaN ranks.
        nan: NanRank,
    },
    /// The same decision while every output word is within `relative` × the largest golden
    /// magnitude of the inference; a NaN is outside.
    Tolerance {
        /// The tolerance, relative to max |golden| over the outputs of the inference; 0 where outputs must
        /// equal.
        relative: f32,
    },
    /// The set of the `best` largest outputs; of equal ones the first.
    TopK {
        /// How many.
        best: u32,
        /// How a NaN ranks.
        nan: NanRank,
    },
    /// The `best` largest outputs in their order; of equal ones the first is larger.
    Rank {
        /// How many.
        best: u32,
        /// How a NaN ranks.
        nan: NanRank,
    },
    /// The outputs above a threshold, such as the pixels of an object; a NaN is not. The same decision
    /// while their intersection with golden's over their union with them is large enough; two empty masks
    /// are the same.
    Mask {
        /// The threshold.
        threshold: f32,
        /// The least intersection over union (Jaccard 1912) that is the same decision.
        overlap: f32,
    },
    /// The tokens of an answer: the index of the first maximum at each position of an output (vocabulary,
    /// positions), up to and with the first of golden's that ends an answer.
    Tokens {
        /// Positions of the answer.
        positions: u32,
        /// Tokens of the input that are the prompt, where the others are those that golden answers with;
        /// without it the input is a given text, and each position decides on the token after it.
        prompt: Option<u32>,
        /// The tokens that end an answer; without one all positions count.
        ends: Ends,
        /// How a NaN ranks.
        nan: NanRank,
    },
}

/// Tokens of which each ends an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends([u32; Self::MOST]);

impl Ends {
    /// How many there are at most.
    pub const MOST: usize = 4;
    /// No such token.
    pub const NONE: Self = Self([u32::MAX; Self::MOST]);

    /// These tokens, where they are few enough.
    pub fn new(tokens: &[u32]) -> Option<Self> {
        let mut ends = Self::NONE;
        ends.0.get_mut(..tokens.len())?.copy_from_slice(tokens);
        Some(ends)
    }

    /// The tokens.
    pub fn tokens(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied().filter(|token| *token != u32::MAX)
    }

    /// Whether an answer ends with this token.
    pub fn contains(&self, token: u32) -> bool {
        self.tokens().any(|end| end == token)
    }

    /// As shaders have them: 2³² − 1 is none.
    pub const fn words(self) -> [u32; Self::MOST] {
        self.0
    }
}

impl Decision {
    /// Whether the largest output has a meaning of its own: a class, which labels can name.
    pub const fn is_of_classes(self) -> bool {
        matches!(self, Self::ArgMax { .. } | Self::TopK { .. } | Self::Rank { .. })
    }
}

impl File<'_> {
    /// The decision of an entry, over inputs and outputs of these shapes.
    pub(super) fn decision(
        &self,
        entry: &DecisionEntry,
        (input, output): (&[usize], &[usize]),
    ) -> Result<Decision, Error> {
        use DecisionKind::{ArgMax, Mask, Rank, Tokens, Tolerance, TopK};
        let features: usize = output.iter().product();
        let kind = *entry.kind.get_ref();
        let name = kind.name();
        // What each kind takes, and what of that it needs.
        let (takes, needs): (&[&str], &[&str]) = match kind {
            ArgMax => (&["nan"], &[]),
            TopK | Rank => (&["nan", "best"], &["best"]),
            Tolerance => (&["relative"], &["relative"]),
            Mask => (&["threshold", "overlap"], &["threshold", "overlap"]),
            Tokens => (&["nan", "end", "prompt"], &[]),
        };
        let given = [
            ("nan", entry.nan.as_ref().map(Spanned::span)),
            ("relative", entry.relative.as_ref().map(Spanned::span)),
            ("best", entry.best.as_ref().map(Spanned::span)),
            ("threshold", entry.threshold.as_ref().map(Spanned::span)),
            ("overlap", entry.overlap.as_ref().map(Spanned::span)),
            ("end", entry.end.as_ref().map(Spanned::span)),
            ("prompt", entry.prompt.as_ref().map(Spanned::span)),
        ];
        for (key, place) in given {
            match place {
                Some(place) if !takes.contains(&key) => {
                    let why = if key == "nan" { " (a NaN is outside)" } else { "" };
                    let mismatch = Mismatch::new(format!("no `{key}` with {name}{why}"), "one");
                    return Err(self.wrong_at(&place, mismatch));
                }
                None if needs.contains(&key) => {
                    return Err(self.wrong(&entry.kind, format!("`{key}` with {name}"), "none"));
                }
                _ => {}
            }
        }
        let nan = entry.nan.as_ref().map(|nan| *nan.get_ref()).unwrap_or_default();
        let best = match &entry.best {
            Some(best) => {
                let number = *best.get_ref();
                if number == 0 || number as usize > features {
                    let expected = format!("1 to {features}, the outputs of an inference");
                    return Err(self.wrong(best, expected, number.to_string()));
                }
                number
            }
            None => 0,
        };
        let relative = match &entry.relative {
            Some(relative) if !(0.0..f32::INFINITY).contains(relative.get_ref()) => {
                let found = relative.get_ref().to_string();
                return Err(self.wrong(relative, "a number from 0", found));
            }
            relative => relative.as_ref().map_or(0.0, |relative| *relative.get_ref()),
        };
        let threshold = match &entry.threshold {
            Some(threshold) if !threshold.get_ref().is_finite() => {
                let found = threshold.get_ref().to_string();
                return Err(self.wrong(threshold, "a finite number", found));
            }
            threshold => threshold.as_ref().map_or(0.0, |threshold| *threshold.get_ref()),
        };
        let overlap = match &entry.overlap {
            Some(overlap) if !(*overlap.get_ref() > 0.0 && *overlap.get_ref() <= 1.0) => {
                let found = overlap.get_ref().to_string();
                return Err(self.wrong(overlap, "a share above 0, 1 at most", found));
            }
            overlap => overlap.as_ref().map_or(1.0, |overlap| *overlap.get_ref()),
        };
        let [vocabulary, positions] = match (kind, output) {
            (Tokens, [vocabulary, positions]) => [*vocabulary, *positions].map(narrow),
            (Tokens, _) => {
                let expected = "an output of shape (vocabulary, positions) with tokens";
                return Err(self.wrong(&entry.kind, expected, Shape(output).to_string()));
            }
            _ => [0, 0],
        };
        let ends = match &entry.end {
            Some(end) => {
                let EndEntry(tokens) = end.get_ref();
                if let Some(past) = tokens.iter().find(|token| **token >= vocabulary) {
                    let expected = format!("tokens below {vocabulary}, the vocabulary");
                    return Err(self.wrong(end, expected, past.to_string()));
                }
                let most = format!("{} tokens at most", Ends::MOST);
                let found = tokens.len().to_string();
                Ends::new(tokens).ok_or_else(|| self.wrong(end, most, found))?
            }
            None => Ends::NONE,
        };
        if let Some(prompt) = &entry.prompt {
            let tokens = narrow(input.iter().product()) + 1;
            let wanted = tokens.checked_sub(positions).filter(|wanted| *wanted > 0);
            if wanted != Some(*prompt.get_ref()) {
                let expected =
                    "a prompt that is the input without the answer's tokens but the last";
                let found = format!(
                    "{} with an input of {} and an answer of {positions}",
                    prompt.get_ref(),
                    tokens - 1
                );
                return Err(self.wrong(prompt, expected, found));
            }
        }
        let prompt = entry.prompt.as_ref().map(|prompt| *prompt.get_ref());
        Ok(match kind {
            ArgMax => Decision::ArgMax { nan },
            Tolerance => Decision::Tolerance { relative },
            TopK => Decision::TopK { best, nan },
            Rank => Decision::Rank { best, nan },
            Mask => Decision::Mask { threshold, overlap },
            Tokens => Decision::Tokens { positions, prompt, ends, nan },
        })
    }
}
