//! The fields of ops in workload files.

use super::Mismatch;
use super::shape::narrow;

/// A field that an op takes.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// What it means, for the documentation.
    pub meaning: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Holds {
    /// The name of a stored tensor.
    Tensor {
        /// Whether the op needs it.
        required: bool,
        /// The names of its axes.
        axes: &'static [&'static str],
    },
    /// A whole number: one setting.
    Number(Default),
    /// A number for rows and columns, or a list of the two: two settings.
    Pair(Default),
    /// A number for all sides, `[rows, columns]` or `[top, left, bottom, right]`: four settings in the
    /// last order.
    Sides(Default),
    /// A positive float: one setting, its bits.
    Float(f32),
    /// A float that is no NaN: one setting, its bits.
    Real(f32),
    /// Whole numbers: a setting that says how many, then these. By default there are none.
    List(Default),
    /// One of these words, by default the first: one setting, its number.
    Choice(&'static [&'static str]),
}

/// What stands for a field of numbers that is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// Nothing: the op needs it.
    Required,
    /// This number.
    Is(u32),
    /// What this earlier field holds.
    As(&'static str),
}

/// What a file gives for a field of numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A whole number.
    Number(u32),
    /// A float.
    Float(f32),
    /// A list of whole numbers.
    List(Vec<u32>),
    /// A word.
    Word(String),
}

impl Holds {
    /// What a file may give, in words.
    pub const fn expected(&self) -> &'static str {
        match self {
            Self::Tensor { .. } => "the name of a tensor",
            Self::Number(_) => "a whole number",
            Self::Pair(_) => "a whole number or [rows, columns]",
            Self::Sides(_) => "a whole number, [rows, columns] or [top, left, bottom, right]",
            Self::Float(_) => "a positive number",
            Self::Real(_) => "a number",
            Self::List(_) => "a list of whole numbers",
            Self::Choice(_) => "one of the words of this field",
        }
    }

    /// The settings that `given` stands for.
    ///
    /// # Errors
    /// Where it is of another form.
    pub fn settings(&self, given: &Given) -> Result<Vec<u32>, Mismatch> {
        let settings = match (self, given) {
            (Self::Number(_), Given::Number(number)) => Some(vec![*number]),
            (Self::Pair(_), Given::Number(number)) => Some(vec![*number; 2]),
            (Self::Sides(_), Given::Number(number)) => Some(vec![*number; 4]),
            (Self::Pair(_), Given::List(list)) if list.len() == 2 => Some(list.clone()),
            (Self::Sides(_), Given::List(list)) if list.len() == 2 => Some(list.repeat(2)),
            (Self::Sides(_), Given::List(list)) if list.len() == 4 => Some(list.clone()),
            (Self::Float(_), Given::Float(float)) if float.is_finite() && *float > 0.0 => {
                Some(vec![float.to_bits()])
            }
            (Self::Real(_), Given::Float(float)) if !float.is_nan() => Some(vec![float.to_bits()]),
            (Self::List(_), Given::List(list)) => Some([&[narrow(list.len())], &list[..]].concat()),
            (Self::Choice(words), Given::Word(word)) => {
                let at = words.iter().position(|known| known == word);
                at.map(|at| vec![narrow(at)])
            }
            _ => None,
        };
        settings.ok_or_else(|| {
            let found = match given {
                Given::Number(number) => number.to_string(),
                Given::Float(float) => float.to_string(),
                Given::List(list) => format!("a list of {}", list.len()),
                Given::Word(word) => format!("`{word}`"),
            };
            let expected = match self {
                Self::Choice(words) => format!("one of {}", words.join(", ")),
                _ => self.expected().into(),
            };
            Mismatch::new(expected, found)
        })
    }

    /// The settings where nothing is given; `earlier` has those of the fields before. `None` where the op
    /// needs the field.
    pub(super) fn default(&self, earlier: &[(&'static str, Vec<u32>)]) -> Option<Vec<u32>> {
        let (default, count) = match self {
            Self::Tensor { .. } => return Some(Vec::new()),
            Self::Float(float) | Self::Real(float) => return Some(vec![float.to_bits()]),
            Self::Choice(_) => return Some(vec![0]),
            Self::List(Default::Required) => return None,
            Self::List(_) => return Some(vec![0]),
            Self::Number(default) => (default, 1),
            Self::Pair(default) => (default, 2),
            Self::Sides(default) => (default, 4),
        };
        match default {
            Default::Required => None,
            Default::Is(number) => Some(vec![*number; count]),
            Default::As(name) => earlier
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, settings)| settings.clone()),
        }
    }
}

/// The first lists of an op's settings, and the settings after them.
pub(super) fn lists<const N: usize>(settings: &[u32]) -> ([&[u32]; N], &[u32]) {
    let mut left = settings;
    let lists = [(); N].map(|()| {
        let Some((count, rest)) = left.split_first() else { return &[][..] };
        let (list, after) = rest.split_at((*count as usize).min(rest.len()));
        left = after;
        list
    });
    (lists, left)
}

impl super::Kind {
    /// The settings of this kind from what a file gives; all others are the defaults.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    pub fn settings(self, given: &[(&str, Given)]) -> Result<Vec<u32>, (&'static str, Mismatch)> {
        let mut known: Vec<(&'static str, Vec<u32>)> = Vec::new();
        for field in self.fields() {
            let settings = match given.iter().find(|(name, _)| *name == field.name) {
                Some((_, given)) => {
                    field.holds.settings(given).map_err(|wrong| (field.name, wrong))?
                }
                None => field.holds.default(&known).ok_or_else(|| {
                    let expected = format!("`{}` with this kind", field.name);
                    (field.name, Mismatch::new(expected, "none"))
                })?,
            };
            known.push((field.name, settings));
        }
        Ok(known.into_iter().flat_map(|(_, settings)| settings).collect())
    }
}
