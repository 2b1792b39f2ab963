//! Colours by what they mean. They are of the palette of 256 and of middle lightness, so that they read on
//! dark and on light grounds alike. The terminal's own sixteen differ from one terminal to the next.

use ratatui::style::Color;

/// Goes on, or is as it should be.
pub(super) const GOOD: Color = Color::Indexed(28);
/// Waits, or wants to be looked at.
pub(super) const ATTENTION: Color = Color::Indexed(166);
/// Failed, or a wrong answer.
pub(super) const BAD: Color = Color::Indexed(160);
/// Has ended, or was put right.
pub(super) const CALM: Color = Color::Indexed(31);
/// How far something is.
pub(super) const PROGRESS: Color = Color::Indexed(32);
/// Nothing was delivered, or cannot be put right.
pub(super) const LOST: Color = Color::Indexed(133);
/// A host's affair.
pub(super) const HOST: Color = Color::Indexed(68);
/// Behind what is shown: coasts, grids, what is masked.
pub(super) const QUIET: Color = Color::Indexed(245);

/// Whether colours are wanted: not where `NO_COLOR` says something (<https://no-color.org>).
pub(super) fn is_colourful() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
