//! The rows of `docs/validation.md`, and how they are judged and written.

use std::fmt::Write;

/// What a figure may deviate by.
#[derive(Clone, Copy)]
pub(crate) enum Tolerance {
    /// A share of the expected figure.
    Share(f64),
    /// A factor, up or down.
    Factor(f64),
    /// Between two values.
    Range(f64, f64),
    /// Said, not judged.
    Report,
}

/// One figure that somebody else published, and ours.
pub(crate) struct Row {
    /// The point's name, as `V2`.
    pub(crate) point: &'static str,
    /// What it is, with its conditions.
    pub(crate) what: String,
    /// Who published it.
    pub(crate) source: &'static str,
    pub(crate) expected: f64,
    pub(crate) measured: f64,
    pub(crate) tolerance: Tolerance,
    /// That a figure is not met, where it is not.
    pub(crate) miss: Option<Miss>,
}

/// A figure that is known not to be met.
pub(crate) struct Miss {
    reason: &'static str,
    /// The share of the expected figure by which it deviates at most.
    within: f64,
}

impl Row {
    pub(crate) fn new(
        point: &'static str,
        what: impl Into<String>,
        source: &'static str,
        (expected, measured): (f64, f64),
        tolerance: Tolerance,
    ) -> Self {
        Self { point, what: what.into(), source, expected, measured, tolerance, miss: None }
    }

    /// Says why the figure is not met, and by which share it deviates at most all the same.
    pub(crate) fn missed(mut self, within: f64, reason: &'static str) -> Self {
        self.miss = Some(Miss { reason, within });
        self
    }

    /// Whether the row says of the figure what is so.
    pub(crate) fn holds(&self) -> bool {
        match &self.miss {
            None => self.is_met(),
            Some(miss) => !self.is_met() && (self.ratio() - 1.0).abs() <= miss.within,
        }
    }

    fn ratio(&self) -> f64 {
        self.measured / self.expected
    }

    pub(crate) fn is_met(&self) -> bool {
        match self.tolerance {
            Tolerance::Share(share) => (self.ratio() - 1.0).abs() <= share,
            Tolerance::Factor(factor) => (1.0 / factor..=factor).contains(&self.ratio()),
            Tolerance::Range(low, high) => (low..=high).contains(&self.measured),
            Tolerance::Report => true,
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.tolerance, self.is_met()) {
            (Tolerance::Report, _) => "reported",
            (_, true) => "met",
            (_, false) => "**missed**",
        }
    }

    fn tolerance(&self) -> String {
        match self.tolerance {
            Tolerance::Share(share) => format!("{} %", round(100.0 * share)),
            Tolerance::Factor(factor) => format!("factor {factor}"),
            Tolerance::Range(low, high) => format!("{low} to {high}"),
            Tolerance::Report => "–".to_owned(),
        }
    }
}

/// A closed form that missions are held against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    TmrAlone,
    TmrRepaired,
    TmrScrubbed,
    TmrToggling,
    SecdedAlone,
    SecdedScrubbed,
    SecdedRandom,
    Quadratic,
}

impl Claim {
    /// Its point, and what it says.
    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::TmrAlone => (
                "C1",
                "TMR without repair; a struck module stays struck (discharge): \
                 R(t) = 3e^(−2λt) − 2e^(−3λt), MTTF = 5/(6λ), R = 0.5 at λt = ln 2",
            ),
            Self::TmrRepaired => (
                "C2",
                "TMR repaired at exponential intervals of mean 1/μ (a scrub by vote at random): \
                 R(t) of the Markov chain, MTTF = (5λ + μ)/(6λ²)",
            ),
            Self::TmrScrubbed => {
                ("C3", "TMR scrubbed every T by vote: MTTF = ∫₀ᵀ R dt / (1 − R(T)), R of C1")
            }
            Self::TmrToggling => {
                ("C4", "bits that toggle, voted by three: 3p²(1 − p) + p³, p = (1 − e^(−2λT))/2")
            }
            Self::SecdedAlone => (
                "C5",
                "M codewords of SEC-DED (72, 64) without scrub: ∫ R(t)^M dt, R of one codeword \
                 with a step back by a second hit of the same bit; the short form is \
                 √(π/(2M)) / (λ√(n(n − 1)))",
            ),
            Self::SecdedScrubbed => (
                "C6",
                "the same scrubbed every T by ECC: ∫₀ᵀ R^M dt / (1 − R(T)^M); the short form is \
                 2/(M n(n − 1) λ² T)",
            ),
            Self::SecdedRandom => (
                "C7",
                "one codeword scrubbed at exponential intervals of mean 1/μ: \
                 (μ + 2nλ)/(n(n − 1)λ²). Saleh's form for distinct bits has 2n − 1 for 2n: here a \
                 second hit of the same bit toggles it back",
            ),
            Self::Quadratic => (
                "C8",
                "P(two or more wrong bits in one of M codewords) after a time T: \
                 1 − ((1 − p)^n + np(1 − p)^(n − 1))^M, p of C4",
            ),
        }
    }
}

/// A closed form at one point, and what missions simulated there.
pub(crate) struct Point {
    pub(crate) claim: Claim,
    /// Which figure, where.
    pub(crate) what: String,
    pub(crate) form: f64,
    pub(crate) found: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Point {
    pub(crate) fn is_met(&self) -> bool {
        (self.low..=self.high).contains(&self.form)
    }

    pub(crate) fn said(&self) -> String {
        let Self { claim, what, form, found, low, high } = self;
        format!("{} {what}: {found} [{low}, {high}] for {form}", claim.text().0)
    }
}

/// The section on missions.
fn missions(points: &[Point]) -> String {
    let met = points.iter().filter(|point| point.is_met()).count();
    let mut text = String::from(
        "\n## Missions against closed forms\n\nEach row is many independent systems, simulated upset by \
         upset by the machinery that flies missions\n(`src/mission/simulate/mod.rs::simulate`) with a read \
         that calls every state that differs from golden wrong.\nThe rate is accelerated: λ = 0.001 upsets \
         per bit and second, so that doubles are seen; on orbit they\nare rarer by the square. Intervals \
         are at 99.99 % (Clopper–Pearson for shares, normal for means), so that\none of all rows falls \
         outside by chance in fewer than one of 100 sets of draws. These rows check the\nmachinery, not \
         the rates: real events strike several bits at once, and no scrub prevents what those do.\n\n",
    );
    let mut said: Vec<&str> = Vec::new();
    for point in points {
        let (name, says) = point.claim.text();
        if !said.contains(&name) {
            said.push(name);
            let _ = writeln!(text, "- {name}: {says}.");
        }
    }
    let _ = writeln!(text, "\n{met} of {} points are met.\n", points.len());
    text.push_str(
        "| | figure | closed form | simulated | interval | |\n|---|---|---|---|---|---|\n",
    );
    for point in points {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} to {} | {} |",
            point.claim.text().0,
            point.what,
            round(point.form),
            round(point.found),
            round(point.low),
            round(point.high),
            if point.is_met() { "met" } else { "**missed**" }
        );
    }
    text.push_str(
        "\nC8 drawn per upset: a failure takes two upsets, so that P per upset grows with the upsets from \
         scrub to scrub,\nand P with their square, until the memory fails in most periods. Bars are the \
         intervals.\n\n\
         ![P(uncorrectable) per upset against upsets from scrub to scrub](images/quadratic-law.svg)\n\n\
         Sources: Saleh, Serrano, Patel 1990, doi 10.1109/24.52622 (scrubbing); \
         Lyons, Vanderkulk 1962, doi 10.1147/rd.62.0200 (TMR).\n",
    );
    text
}

/// A number with few digits: what is the same on any machine.
fn round(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Four digits, without an exponent where that is short.
    for places in 0..6_usize {
        let least = 1000.0 / 10_f64.powf(places as f64);
        if value.abs() >= least * 0.99995 {
            let text = format!("{value:.places$}");
            return if places == 0 {
                text
            } else {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            };
        }
    }
    format!("{value:.3e}")
}

/// The page.
pub(crate) fn page(rows: &[Row], points: &[Point]) -> String {
    let mut text = String::from(
        "# Validation\n\nFigures that others published, and what beamline finds for them. The tests in \
         `tests/validation`\ncompute this page, hold every figure to its tolerance, and fail where the \
         page is not what they find.\nA missed figure stays in the table, with its reason and a bound on \
         its deviation that is tested too.\n\
         `BEAMLINE_BLESS=1 cargo test --test validation` writes\nthe page anew.\n\n",
    );
    let met = rows
        .iter()
        .filter(|row| !matches!(row.tolerance, Tolerance::Report) && row.is_met())
        .count();
    let missed = rows.iter().filter(|row| !row.is_met()).count();
    let reported = rows.len() - met - missed;
    let _ = writeln!(
        text,
        "{met} figures are met, {missed} missed, {reported} reported without a tolerance.\n"
    );
    text.push_str("| point | figure | expected | measured | deviation | tolerance | |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:+.1} % | {} | {} |",
            row.point,
            row.what,
            round(row.expected),
            round(row.measured),
            // Adding 0 keeps −0.0 from being written.
            (1000.0 * (row.ratio() - 1.0)).round() / 10.0 + 0.0,
            row.tolerance(),
            row.verdict()
        );
    }
    text.push_str(&missions(points));
    text.push_str("\n## Sources\n\n");
    let mut seen: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows {
        match seen.iter_mut().find(|(source, _)| *source == row.source) {
            Some((_, points)) if points.contains(&row.point) => {}
            Some((_, points)) => points.push(row.point),
            None => seen.push((row.source, vec![row.point])),
        }
    }
    for (source, points) in seen {
        let _ = writeln!(text, "- {}: {source}.", points.join(", "));
    }
    text.push_str("\n## What is missed, and why\n\n");
    let misses: Vec<(&Row, &Miss)> =
        rows.iter().filter_map(|row| Some((row, row.miss.as_ref()?))).collect();
    if misses.is_empty() {
        text.push_str("Nothing.\n");
    }
    for (row, Miss { reason, within }) in misses {
        let within = round(100.0 * within);
        let _ = writeln!(text, "- {}, {}, within {within} %: {reason}.", row.point, row.what);
    }
    text
}
