//! The characters of a map of the world on a terminal.

/// Longitude and latitude at which a canvas of the world prints into each of its characters.
pub(super) fn cells(width: u16, height: u16) -> impl Iterator<Item = (f64, f64)> {
    // A canvas rounds down; the nudge keeps a quotient from falling into the cell before.
    let share = |at: u16, count: u16| match count.saturating_sub(1) {
        last if at >= last => 1.0,
        last => (f64::from(at) + 1e-6) / f64::from(last),
    };
    let row = move |y| (0..width).map(move |x| (share(x, width), share(y, height)));
    (0..height).flat_map(row).map(|(x, y)| (360.0 * x - 180.0, 90.0 - 180.0 * y))
}

#[cfg(test)]
mod tests {
    use super::super::view::drawn;
    use super::*;
    use ratatui::widgets::canvas::Canvas;

    #[test]
    fn a_map_is_filled_without_stripes_at_any_width() {
        for (width, height) in [(20, 5), (80, 20), (119, 29), (120, 30), (121, 30), (333, 83)] {
            let text = drawn(
                |frame| {
                    let canvas = Canvas::default()
                        .x_bounds([-180.0, 180.0])
                        .y_bounds([-90.0, 90.0])
                        .paint(|context| {
                            for (longitude, latitude) in cells(width, height) {
                                context.print(longitude, latitude, "x");
                            }
                        });
                    frame.render_widget(canvas, frame.area());
                },
                width,
                height,
            );
            let filled = text.matches('x').count();
            assert_eq!(filled, usize::from(width) * usize::from(height), "{width}×{height}");
        }
    }
}
