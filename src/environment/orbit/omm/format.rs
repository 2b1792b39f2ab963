//! The four forms in which messages are written.

use super::{Message, Misplaced};
use crate::place::line_and_column;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Messages, or the line of what is wrong and what that is.
type Messages = Result<Vec<Message>, Misplaced>;

/// The form of a file of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Format {
    /// An object, or a list of objects.
    Json,
    /// `<ndm>` of several `<omm>`, or one.
    Xml,
    /// Lines of `KEYWORD = VALUE`, each message from `CCSDS_OMM_VERS` on.
    Kvn,
    /// A header of keywords, and a row for each satellite.
    Csv,
}

impl Format {
    /// The form of a text; none where it holds no messages.
    pub(in super::super) fn of(text: &str) -> Option<Self> {
        let head = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        match head.as_bytes().first()? {
            b'{' | b'[' => Some(Self::Json),
            b'<' => Some(Self::Xml),
            _ if text.lines().any(|line| line.trim_start().starts_with("CCSDS_OMM_VERS")) => {
                Some(Self::Kvn)
            }
            _ if head.contains(',') && head.contains("MEAN_MOTION") => Some(Self::Csv),
            _ => None,
        }
    }

    /// The messages of a text.
    pub(in super::super) fn read(self, text: &str) -> Messages {
        match self {
            Self::Json => json(text),
            Self::Xml => xml(text),
            Self::Kvn => kvn(text),
            Self::Csv => csv(text),
        }
    }
}

/// The values of an object in their order, with those that come twice.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with the keywords of a message")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn json(text: &str) -> Messages {
    let refused = |first: usize, error: &serde_json::Error| {
        let line = first + error.line().max(1) - 1;
        (line, ("OMM in JSON, an object or a list of them".to_owned(), error.to_string()))
    };
    let objects: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(|error| refused(1, &error))?
    } else {
        vec![serde_json::from_str(text).map_err(|error| refused(1, &error))?]
    };
    let message = |object: &&RawValue| -> Result<Message, Misplaced> {
        let object = object.get();
        let start = object.as_ptr().addr() - text.as_ptr().addr();
        let (first, _) = line_and_column(text, start);
        let Pairs(pairs) = serde_json::from_str(object).map_err(|error| refused(first, &error))?;
        let mut message = Message::new(first);
        let mut from = 0;
        for (key, value) in pairs {
            // Keys come in the order of the text.
            from += object[from..].find(&format!("\"{key}\"")).unwrap_or(0);
            let line = first + line_and_column(object, from).0 - 1;
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
            };
            message.add(&key, &value, line)?;
        }
        Ok(message)
    };
    objects.iter().map(message).collect()
}

fn xml(text: &str) -> Messages {
    let document = roxmltree::Document::parse(text).map_err(|error| {
        let line = usize::try_from(error.pos().row).unwrap_or(1);
        (line, ("OMM in XML".to_owned(), error.to_string()))
    })?;
    let line = |node: roxmltree::Node<'_, '_>| {
        usize::try_from(document.text_pos_at(node.range().start).row).unwrap_or(1)
    };
    let messages = document.descendants().filter(|node| node.tag_name().name() == "omm");
    let message = |node: roxmltree::Node<'_, '_>| -> Result<Message, Misplaced> {
        let mut message = Message::new(line(node));
        let leaves = node
            .descendants()
            .filter(|node| node.is_element() && !node.children().any(|child| child.is_element()));
        for leaf in leaves.filter(|leaf| leaf.tag_name().name() != "USER_DEFINED") {
            message.add(leaf.tag_name().name(), leaf.text().unwrap_or_default(), line(leaf))?;
        }
        Ok(message)
    };
    messages.map(message).collect()
}

fn kvn(text: &str) -> Messages {
    let mut messages: Vec<Message> = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with("COMMENT") {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            let expected = "a line of KEYWORD = VALUE".to_owned();
            return Err((number, (expected, format!("{line:?}"))));
        };
        if key.trim() == "CCSDS_OMM_VERS" {
            messages.push(Message::new(number));
        }
        let Some(message) = messages.last_mut() else {
            let expected = "CCSDS_OMM_VERS first in a message".to_owned();
            return Err((number, (expected, format!("{:?}", key.trim()))));
        };
        if key.trim().starts_with("USER_DEFINED_") {
            continue;
        }
        // A unit may follow a number in brackets: 15.5 [rev/day].
        let value = match value.split_once('[') {
            Some((before, _)) if before.trim().parse::<f64>().is_ok() => before,
            _ => value,
        };
        message.add(key, value, number)?;
    }
    Ok(messages)
}

fn csv(text: &str) -> Messages {
    // The reader's own lines are one short after a line that ends in CR and LF.
    let line_of = |position: Option<&csv::Position>| {
        let byte = position.and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(0);
        let rest = text.get(byte..).unwrap_or_default();
        let ends = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        line_and_column(text, byte + ends).0
    };
    let refused = |error: &csv::Error| {
        let expected = "OMM in CSV, a row for each satellite with as many cells as the header";
        (line_of(error.position()), (expected.to_owned(), error.to_string()))
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| refused(&error))?.clone();
    let mut messages = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| refused(&error))?;
        let line = line_of(row.position());
        let mut message = Message::new(line);
        for (key, value) in header.iter().zip(&row) {
            message.add(key, value, line)?;
        }
        messages.push(message);
    }
    Ok(messages)
}
