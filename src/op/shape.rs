//! Shapes, and what is wrong with them.

use std::fmt;

/// What was expected and what was found, before it is known which file and line to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What would have been right.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl Mismatch {
    /// What would have been right, and what stands there.
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: expected.into(), found: found.into() }
    }
}

/// A shape as messages show it: `(2, 3)`.
#[derive(Debug)]
pub struct Shape<'a>(pub &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "({})", dims.join(", "))
    }
}

/// The words of a shape, where one tensor of it can be addressed by a `u32`.
pub fn checked_words(shape: &[usize]) -> Option<usize> {
    let words = shape.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim))?;
    u32::try_from(words).is_ok().then_some(words)
}

/// A dimension as the GPU sees it; loading refuses larger tensors.
#[expect(clippy::cast_possible_truncation, reason = "loading refuses tensors past 32-bit indices")]
pub(super) const fn narrow(dimension: usize) -> u32 {
    dimension as u32
}

/// The words of a shape that was checked, as the GPU sees them.
pub(super) fn words(shape: &[usize]) -> u32 {
    narrow(shape.iter().product())
}

pub(super) fn input_mismatch(expected: &str, found: &[usize]) -> Mismatch {
    Mismatch::new(format!("an input of shape {expected}"), Shape(found).to_string())
}

/// Channels, height and width of an image.
pub(super) fn image(shape: &[usize]) -> Result<[usize; 3], Mismatch> {
    <[usize; 3]>::try_from(shape).map_err(|_| input_mismatch("(channels, height, width)", shape))
}

/// Refuses a tensor of one value a channel that has another number of them.
pub(super) fn check_per_channel(
    what: &str,
    found: Option<&&[usize]>,
    channels: usize,
) -> Result<(), Mismatch> {
    match found {
        Some(found) if **found != [channels] => {
            let expected = format!("{what} of shape ({channels})");
            Err(Mismatch::new(expected, Shape(found).to_string()))
        }
        _ => Ok(()),
    }
}

/// One direction of a sliding window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Places that the window covers.
    pub size: usize,
    /// Places from one window to the next.
    pub stride: usize,
    /// Places from one tap of the window to the next.
    pub dilation: usize,
    /// Places before the first of the input.
    pub before: usize,
    /// Places after the last.
    pub after: usize,
}

impl Window {
    /// How many windows fit along `length` places, each with a place of the input.
    ///
    /// # Errors
    /// Where none fits, or one lies in the padding as a whole.
    pub(super) fn count(self, length: usize) -> Result<usize, Mismatch> {
        let reach = (self.size.max(1) - 1).saturating_mul(self.dilation).saturating_add(1);
        let most = self.before.max(self.after);
        if most >= reach {
            let expected = format!("padding below the {reach} places of the window");
            return Err(Mismatch::new(expected, most.to_string()));
        }
        self.count_all(length)
    }

    /// The same where windows may lie in the padding.
    pub(super) fn count_all(self, length: usize) -> Result<usize, Mismatch> {
        let Self { size, stride, dilation, before, after } = self;
        if size == 0 || stride == 0 || dilation == 0 {
            let found = format!("size {size}, stride {stride}, dilation {dilation}");
            return Err(Mismatch::new("a size, a stride and a dilation of at least 1", found));
        }
        let reach = (size - 1).saturating_mul(dilation).saturating_add(1);
        let padded = length.saturating_add(before).saturating_add(after);
        if i32::try_from(padded).is_err() {
            let expected = "an input of fewer than 2³¹ places with its padding";
            return Err(Mismatch::new(expected, padded.to_string()));
        }
        match padded.checked_sub(reach) {
            Some(room) => Ok(room / stride + 1),
            None => Err(Mismatch::new(
                format!("a window of at most {padded}, the input with its padding"),
                reach.to_string(),
            )),
        }
    }
}

impl Window {
    /// The place of the input that tap `tap` of window `at` reads; `None` in the padding.
    pub(super) fn place(self, at: usize, tap: usize, length: usize) -> Option<usize> {
        let place = (at * self.stride + tap * self.dilation).checked_sub(self.before)?;
        (place < length).then_some(place)
    }
}
