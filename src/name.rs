//! What things may be called: campaigns and missions, whose names become folders, and schemes,
//! devices, memories, patterns and modes, whose names stand in tables.

/// The most bytes of a name: a folder that every file system takes, with room for what is added to
/// it, and a heading that a table has room for.
pub const BYTES_MAX: usize = 128;

/// Why something cannot be called so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What would have been right.
    pub expected: String,
    /// The name, in quotes.
    pub found: String,
}

/// What is wrong with the name of a campaign or a mission, whose results land in a folder of that
/// name.
pub fn folder_flaw(name: &str) -> Option<Flaw> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let fits = !name.is_empty() && name.len() <= BYTES_MAX && !name.starts_with('.') && letters;
    (!fits).then(|| Flaw {
        expected: format!(
            "a name fit for a folder (1 to {BYTES_MAX} letters, digits, - _ . and no . first)"
        ),
        found: format!("{name:?}"),
    })
}

/// What is wrong with the name of a `thing` ("scheme", "device") that stands in tables, on screens
/// and in files.
pub fn label_flaw(thing: &str, name: &str) -> Option<Flaw> {
    let fits =
        !name.trim().is_empty() && name.len() <= BYTES_MAX && !name.chars().any(char::is_control);
    (!fits).then(|| Flaw {
        expected: format!("a {thing}'s name, of 1 to {BYTES_MAX} bytes and printable characters"),
        found: format!("{name:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_and_labels_are_bounded_and_printable() {
        let (fits, long) = ("a".repeat(BYTES_MAX), "a".repeat(BYTES_MAX + 1));
        for good in ["leo-demo", "a.b_c", "7", &fits] {
            assert_eq!(folder_flaw(good), None, "{good}");
        }
        for bad in ["", ".hidden", "a/b", "a b", "..", "é", &long] {
            assert!(folder_flaw(bad).is_some(), "{bad}");
        }
        for good in ["TMR + scrub", "λ", &fits] {
            assert_eq!(label_flaw("scheme", good), None, "{good}");
        }
        for bad in ["", "  ", "a\nb", "\u{1b}[2J", &long] {
            assert!(label_flaw("scheme", bad).is_some(), "{bad:?}");
        }
    }
}
