//! Names that came from a file or an archive, as each output takes them: what a stranger wrote must
//! not move a terminal's cursor, turn the direction of a text, run in a spreadsheet or become markup.
//!
//! JSON holds every name exactly; all other outputs show what cannot be printed as its number.

use askama::filters::Escaper;
use std::borrow::Cow;
use std::fmt::{self, Write};

/// Whether a character has no place in a printed name: controls, direction marks, and what has no
/// width (Unicode 16, categories Cc and Cf, and the separators of lines and paragraphs).
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}'
            | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text in which `wrong` characters stand as `written` writes them; the text itself where it has
/// none.
fn replaced(
    text: &str,
    wrong: impl Fn(char) -> bool,
    written: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    if !text.contains(&wrong) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if wrong(c) { written(&mut clean, c) } else { clean.push(c) }
    }
    Cow::Owned(clean)
}

fn number(to: &mut String, c: char) {
    to.extend(c.escape_unicode());
}

/// One line: a name, a cell, a label of a drawing.
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, is_unprintable, number)
}

/// Lines for a terminal, where only the breaks between them stay.
pub fn terminal(text: &str) -> Cow<'_, str> {
    replaced(text, |c| is_unprintable(c) && c != '\n', number)
}

/// JSON whose strings a terminal can show: the same values to whoever reads it.
pub fn json(text: &str) -> Cow<'_, str> {
    // Outside of strings there are only breaks of lines and ASCII.
    replaced(
        text,
        |c| is_unprintable(c) && c != '\n',
        |to, c| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // A String takes whatever is written.
                let _ = write!(to, "\\u{unit:04x}");
            }
        },
    )
}

/// A field of CSV, before its quotes: no spreadsheet takes it for a formula. Numbers stay.
pub fn field(text: &str) -> Cow<'_, str> {
    let text = line(text);
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula && text.parse::<f64>().is_err() {
        return Cow::Owned(format!("'{text}"));
    }
    text
}

/// A stretch of Markdown in one line, which reads as the text does.
pub fn markdown(text: &str) -> Cow<'_, str> {
    let one = line(text);
    let mut clean = String::with_capacity(one.len() + 8);
    let mut before = ' ';
    let mut rest = one.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '|' => true,
            // Before a name it opens a tag.
            '<' => next.is_ascii_alphabetic() || "/!?".contains(next),
            // Inside a word it is only a letter.
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '~' => next == '~' || before == '~',
            '&' => next.is_ascii_alphabetic() || next == '#',
            // At the beginning: headings, quotes, lists, rules.
            '#' | '>' | '=' => clean.is_empty(),
            '-' | '+' => clean.is_empty() && (next == ' ' || next == c),
            '.' | ')' => {
                next == ' ' && !clean.is_empty() && clean.chars().all(|c| c.is_ascii_digit())
            }
            _ => false,
        };
        if is_markup {
            clean.push('\\');
        }
        clean.push(c);
        before = c;
    }
    if clean == one { one } else { Cow::Owned(clean) }
}

/// Text of HTML and SVG, between tags or in an attribute.
pub fn html(text: &str) -> String {
    let mut clean = String::with_capacity(text.len() + 8);
    // A String takes whatever is written.
    let _ = Html.write_escaped_str(&mut clean, text);
    clean
}

/// What templates write their values through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: Write>(&self, mut to: W, text: &str) -> fmt::Result {
        let clean = replaced(text, |c| is_unprintable(c) && c != '\n' && c != '\t', number);
        askama::filters::Html.write_escaped_str(&mut to, &clean)
    }
}

/// What was probably meant by a name that is not known, as the end of a message: the one name that
/// is a letter or two away, or that alone begins or ends so; or nothing.
pub fn meant<'n>(found: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(found, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn nearest<'n>(found: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let found = found.trim().to_lowercase();
    let length = found.chars().count();
    let allowed = if length < 4 { 1 } else { (length / 3).min(3) };
    let known: Vec<&str> = known.into_iter().collect();
    let distance = |name: &str| strsim::damerau_levenshtein(&found, &name.to_lowercase());
    let near = known.iter().map(|name| (distance(name), *name)).min();
    if let Some((_, name)) = near.filter(|(distance, _)| length > 1 && *distance <= allowed) {
        return Some(name);
    }
    let mut parts = known.into_iter().filter(|name| {
        let name = name.to_lowercase();
        length > 2 && (name.starts_with(&found) || name.ends_with(&found))
    });
    parts.next().filter(|_| parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_printed_is_shown_as_its_number() {
        assert_eq!(line("TMR + SEC-DED, 3× β"), "TMR + SEC-DED, 3× β");
        assert_eq!(line("a\u{1b}[2Jb\nc\td"), "a\\u{1b}[2Jb\\u{a}c\\u{9}d");
        assert_eq!(
            line("\u{9b}31m\u{202e}x\u{2066}\u{200b}\u{feff}"),
            "\\u{9b}31m\\u{202e}x\\u{2066}\\u{200b}\\u{feff}"
        );
        assert_eq!(terminal("one\ntwo\r\u{7f}"), "one\ntwo\\u{d}\\u{7f}");
        assert!(matches!(line("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_says_the_same_without_what_a_terminal_obeys() {
        for name in ["a\u{9b}b", "\u{202e}x", "\u{e0041}", "a\u{7f}", "line\nbreak\u{1b}"] {
            let written = serde_json::to_string_pretty(&[name]).expect("JSON");
            let shown = json(&written);
            assert!(!shown.contains(|c: char| c != '\n' && is_unprintable(c)), "{shown:?}");
            let read: Vec<String> = serde_json::from_str(&shown).expect("JSON");
            assert_eq!(read, [name]);
        }
    }

    #[test]
    fn a_field_is_never_a_formula_and_a_number_stays() {
        for formula in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "－1＋cmd"] {
            assert_eq!(field(formula), format!("'{formula}"));
        }
        assert_eq!(field("\t=1"), "\\u{9}=1", "no formula without its tab");
        assert_eq!(field("\r=1"), "\\u{d}=1");
        for kept in ["-1.5", "+3e-7", "-inf", "none", "TMR + scrub", "a=b", ""] {
            assert_eq!(field(kept), kept);
        }
    }

    #[test]
    fn markdown_reads_as_the_text() {
        for (text, written) in [
            ("a|b", "a\\|b"),
            ("`x` *y* <b>", "\\`x\\` \\*y\\* \\<b>"),
            ("[a](http://b)", "\\[a\\](http://b)"),
            ("fc1_weight, _em_", "fc1_weight, \\_em\\_"),
            ("# head", "\\# head"),
            ("- item", "\\- item"),
            ("1. item 2. item", "1\\. item 2. item"),
            ("-3.14", "-3.14"),
            ("one\ntwo", "one\\\\u{a}two"),
            ("a & b &lt; ~~c~~", "a & b \\&lt; \\~\\~c\\~\\~"),
            ("TMR + scrub (95 %)", "TMR + scrub (95 %)"),
            ("p < 0.0001", "p < 0.0001"),
        ] {
            assert_eq!(markdown(text), written, "{text:?}");
        }
    }

    #[test]
    fn what_was_meant_is_near_and_only_one() {
        let known = ["count", "regions", "trillium-hbm", "trillium-tpu"];
        assert_eq!(meant("coumt", known), "; did you mean `count`?");
        assert_eq!(meant("Regoins", known), "; did you mean `regions`?");
        assert_eq!(meant("trilium-hbm", known), "; did you mean `trillium-hbm`?");
        assert_eq!(meant("tpu", known), "; did you mean `trillium-tpu`?");
        for far in ["trillium", "x", "", "colour", "shield"] {
            assert_eq!(meant(far, known), "", "{far}");
        }
    }

    #[test]
    fn html_is_text_and_shows_what_turns_its_direction() {
        assert_eq!(html("<b>&\"'"), "&#60;b&#62;&#38;&#34;&#39;");
        assert_eq!(html("a\u{202e}b\u{1b}\nc"), "a\\u{202e}b\\u{1b}\nc");
    }
}
