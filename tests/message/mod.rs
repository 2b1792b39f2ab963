//! Messages of refused files, as tests compare them.
#![allow(dead_code, reason = "each test uses a part of it")]

/// A message whose place is a line: the first line of what is shown, without the column.
pub(crate) fn by_line(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let Some((before, rest)) = first.split_once(".toml:") else { return first.into() };
    let mut parts = rest.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(line), Some(column), Some(rest)) if column.parse::<usize>().is_ok() => {
            format!("{before}.toml:{line}:{rest}")
        }
        _ => first.into(),
    }
}

/// Whether a message says this, by line or by line and column.
pub(crate) fn says(message: &str, expected: &str) -> bool {
    message.lines().next().is_some_and(|first| first.contains(expected))
        || by_line(message).contains(expected)
}

/// Whether the place that a message names is shown: its line, then a caret.
pub(crate) fn shows_place(message: &str) -> bool {
    let lines: Vec<&str> = message.lines().collect();
    let [_, line, caret] = lines[..] else { return false };
    let Some(at) = caret.find('^') else { return false };
    line.contains(" | ") && caret.trim_start().starts_with('|') && line.len() + 1 >= at
}
