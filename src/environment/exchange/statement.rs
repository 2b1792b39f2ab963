//! What is known of a spectrum beyond its numbers, in words: "trapped, before-shield, mean".
//!
//! A file says part of it, the user the rest; what neither says is asked for, never guessed.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

/// The particles of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Trapped protons alone.
    Trapped,
    /// Trapped protons and those of cosmic rays.
    TrappedAndCosmic,
    /// Cosmic rays alone.
    Cosmic,
    /// Solar particles.
    Solar,
    /// Of a LET spectrum: ions from helium on.
    FromHelium,
    /// Of a LET spectrum: protons and all heavier ions.
    FromHydrogen,
}

/// Where a spectrum was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Outside the spacecraft.
    BeforeShield,
    /// Inside.
    BehindShield,
}

/// What a spectrum is a mean over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The orbit, without a solar event.
    Mean,
    /// A solar particle event.
    Event,
    /// The place of the orbit with the highest flux.
    Peak,
}

/// A word of a statement.
trait Word: Copy + PartialEq + 'static {
    const ALL: &'static [Self];
    fn name(self) -> &'static str;
}

impl Word for Contents {
    const ALL: &'static [Self] = &[
        Self::Trapped,
        Self::TrappedAndCosmic,
        Self::Cosmic,
        Self::Solar,
        Self::FromHelium,
        Self::FromHydrogen,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Trapped => "trapped",
            Self::TrappedAndCosmic => "trapped-and-cosmic",
            Self::Cosmic => "cosmic",
            Self::Solar => "solar",
            Self::FromHelium => "from-helium",
            Self::FromHydrogen => "from-hydrogen",
        }
    }
}

impl Word for Taken {
    const ALL: &'static [Self] = &[Self::BeforeShield, Self::BehindShield];

    fn name(self) -> &'static str {
        match self {
            Self::BeforeShield => "before-shield",
            Self::BehindShield => "behind-shield",
        }
    }
}

impl Word for Over {
    const ALL: &'static [Self] = &[Self::Mean, Self::Event, Self::Peak];

    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Event => "event",
            Self::Peak => "peak",
        }
    }
}

/// What is known of a spectrum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statement {
    /// Its particles.
    pub contains: Option<Contents>,
    /// Where it was taken.
    pub taken: Option<Taken>,
    /// What it is a mean over.
    pub over: Option<Over>,
    /// The design margin that its fluxes contain, a factor.
    pub margin: Option<f64>,
    /// The shield that it was taken behind, in millimetres of aluminium.
    pub shield_mm_al: Option<f64>,
    /// The segment of the mission, where a file has several.
    pub segment: Option<u32>,
}

impl Statement {
    /// This, with what `said` has where this has nothing.
    ///
    /// # Errors
    /// What this says and what `said` says instead, where they differ.
    pub(super) fn and(self, said: &Self) -> Result<Self, [String; 2]> {
        Ok(Self {
            contains: word(self.contains, said.contains)?,
            taken: word(self.taken, said.taken)?,
            over: word(self.over, said.over)?,
            margin: number("margin", self.margin, said.margin)?,
            shield_mm_al: number("shield", self.shield_mm_al, said.shield_mm_al)?,
            segment: self.segment.or(said.segment),
        })
    }
}

fn word<T: Word>(own: Option<T>, said: Option<T>) -> Result<Option<T>, [String; 2]> {
    match (own, said) {
        (Some(own), Some(said)) if own != said => Err([own.name().into(), said.name().into()]),
        (own, said) => Ok(own.or(said)),
    }
}

fn number(name: &str, own: Option<f64>, said: Option<f64>) -> Result<Option<f64>, [String; 2]> {
    match (own, said) {
        (Some(own), Some(said)) if (own - said).abs() > 1e-9 * own.abs() => {
            Err([own, said].map(|number| format!("{name}={number}")))
        }
        (own, said) => Ok(own.or(said)),
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let numbers = [
            self.margin.map(|margin| format!("margin={margin}")),
            self.shield_mm_al.map(|shield| format!("shield={shield}")),
            self.segment.map(|segment| format!("segment={segment}")),
        ];
        let words =
            [self.contains.map(Word::name), self.taken.map(Word::name), self.over.map(Word::name)];
        let words = words.into_iter().flatten().map(str::to_owned);
        let all: Vec<String> = words.chain(numbers.into_iter().flatten()).collect();
        f.write_str(&all.join(", "))
    }
}

impl FromStr for Statement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut statement = Self::default();
        for part in text.split(',').map(str::trim) {
            let twice = match part.split_once('=') {
                Some((name, value)) => statement.set(name.trim(), value.trim()),
                None => put(&mut statement.contains, part)
                    .or_else(|| put(&mut statement.taken, part))
                    .or_else(|| put(&mut statement.over, part)),
            };
            match twice {
                Some(false) => {}
                Some(true) => {
                    return Err(format!("expected each kind of word once, found {part} too"));
                }
                None => return Err(format!("expected {}, found \"{part}\"", expected())),
            }
        }
        Ok(statement)
    }
}

impl Statement {
    /// Sets a number; whether there was one. None where there is no such number.
    fn set(&mut self, name: &str, value: &str) -> Option<bool> {
        let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
        match name {
            "margin" => {
                let margin = number.filter(|margin| *margin > 0.0)?;
                Some(self.margin.replace(margin).is_some())
            }
            "shield" => {
                let shield = number.filter(|shield| *shield >= 0.0)?;
                Some(self.shield_mm_al.replace(shield).is_some())
            }
            "segment" => Some(self.segment.replace(value.parse().ok()?).is_some()),
            _ => None,
        }
    }
}

/// Puts a word in its place; whether there was one. None where it is no such word.
fn put<T: Word>(place: &mut Option<T>, name: &str) -> Option<bool> {
    let word = T::ALL.iter().find(|word| word.name() == name)?;
    Some(place.replace(*word).is_some())
}

fn expected() -> String {
    fn names<T: Word>() -> String {
        T::ALL.iter().map(|word| word.name()).collect::<Vec<_>>().join(", ")
    }
    format!(
        "words among {}; {}; {}; margin=FACTOR, shield=MM, segment=NUMBER",
        names::<Contents>(),
        names::<Taken>(),
        names::<Over>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_back_as_it_is_written() {
        for text in [
            "trapped, before-shield, mean",
            "trapped-and-cosmic, before-shield, peak, margin=2",
            "from-helium, behind-shield, event, margin=1.5, shield=2.54, segment=3",
        ] {
            let statement: Statement = text.parse().expect("a statement");
            assert_eq!(statement.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        for (text, message) in [
            ("", "expected words among trapped, trapped-and-cosmic, cosmic, solar, from-helium"),
            ("trapped, protons", "found \"protons\""),
            ("trapped, cosmic", "expected each kind of word once, found cosmic too"),
            ("mean, mean", "expected each kind of word once, found mean too"),
            ("margin=0", "found \"margin=0\""),
            ("margin=nan", "found \"margin=nan\""),
            ("shield=-1", "found \"shield=-1\""),
            ("segment=1.5", "found \"segment=1.5\""),
            ("depth=1", "found \"depth=1\""),
        ] {
            let found = text.parse::<Statement>().expect_err("a statement to refuse");
            assert!(found.contains(message), "{found}");
        }
    }

    #[test]
    fn a_file_and_its_user_do_not_contradict_each_other() {
        let parse = |text: &str| text.parse::<Statement>().expect("a statement");
        let both = parse("trapped").and(&parse("trapped, mean, segment=2"));
        assert_eq!(both, Ok(parse("trapped, mean, segment=2")));
        let found = parse("cosmic, mean").and(&parse("trapped"));
        assert_eq!(found, Err(["cosmic".into(), "trapped".into()]));
        let found = parse("margin=2").and(&parse("margin=1"));
        assert_eq!(found, Err(["margin=2".into(), "margin=1".into()]));
    }
}
