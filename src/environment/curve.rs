//! Tabulated curves, interpolated in log-log.

/// A curve y(x) through points, both positive: a monotone cubic in ln x and ln y (Fritsch and
/// Carlson 1980, doi 10.1137/0717021), straight beyond its ends.
#[derive(Clone, Debug)]
pub struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
    slopes: Vec<f64>,
}

impl Curve {
    /// The curve through points of increasing x; none where there are fewer than two, or one is
    /// not positive, or x does not increase.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let (x, y): (Vec<f64>, Vec<f64>) =
            points.into_iter().map(|(x, y)| (x.ln(), y.ln())).unzip();
        let finite = x.iter().chain(&y).all(|value| value.is_finite());
        let rising = x.windows(2).all(|pair| pair[0] < pair[1]);
        if x.len() < 2 || !finite || !rising {
            return None;
        }
        let secants: Vec<f64> =
            x.windows(2).zip(y.windows(2)).map(|(x, y)| (y[1] - y[0]) / (x[1] - x[0])).collect();
        let slopes = (0..x.len())
            .map(|i| match (i.checked_sub(1).map(|i| secants[i]), secants.get(i)) {
                (Some(a), Some(b)) if a * b <= 0.0 => 0.0,
                (Some(a), Some(&b)) => {
                    let (left, right) = (x[i] - x[i - 1], x[i + 1] - x[i]);
                    let (u, v) = (2.0 * right + left, right + 2.0 * left);
                    (u + v) / (u / a + v / b)
                }
                (Some(a), None) => a,
                (None, Some(&b)) => b,
                (None, None) => 0.0,
            })
            .collect();
        Some(Self { x, y, slopes })
    }

    /// y at x.
    pub fn at(&self, x: f64) -> f64 {
        self.log(x.ln()).0.exp()
    }

    /// dy/dx at x.
    pub fn slope(&self, x: f64) -> f64 {
        let (log, slope) = self.log(x.ln());
        log.exp() * slope / x
    }

    /// ln y and its slope at ln x.
    fn log(&self, x: f64) -> (f64, f64) {
        let last = self.x.len() - 1;
        if x <= self.x[0] {
            return (self.y[0] + self.slopes[0] * (x - self.x[0]), self.slopes[0]);
        }
        if x >= self.x[last] {
            return (self.y[last] + self.slopes[last] * (x - self.x[last]), self.slopes[last]);
        }
        let i = self.x.partition_point(|node| *node <= x) - 1;
        let h = self.x[i + 1] - self.x[i];
        let t = (x - self.x[i]) / h;
        let (a, b) = (self.slopes[i] * h, self.slopes[i + 1] * h);
        let (c, d) = (self.y[i], self.y[i + 1]);
        let rise = d - c;
        let (square, cube) = (3.0 * rise - 2.0 * a - b, a + b - 2.0 * rise);
        (c + t * (a + t * (square + t * cube)), (a + t * (2.0 * square + 3.0 * t * cube)) / h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_met_exactly_and_extended_straight() {
        let curve =
            Curve::new([1.0, 2.0, 5.0, 9.0].map(|x: f64| (x, 3.0 * x.powf(1.7)))).expect("rises");
        for x in [0.1_f64, 1.0, 1.5, 3.3, 9.0, 40.0] {
            let (y, slope) = (3.0 * x.powf(1.7), 5.1 * x.powf(0.7));
            assert!((curve.at(x) / y - 1.0).abs() < 1e-12, "{x}");
            assert!((curve.slope(x) / slope - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn what_is_no_curve_is_refused() {
        for points in [vec![(1.0, 1.0)], vec![(1.0, 1.0), (1.0, 2.0)], vec![(1.0, 1.0), (2.0, 0.0)]]
        {
            assert!(Curve::new(points).is_none());
        }
    }
}
