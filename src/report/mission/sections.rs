//! The order of the report: tables and drawings under their heads.

use super::super::assumptions;
use super::super::chart::{Failure, Look, SCHEME_COLOURS, legend_colour, legend_mark};
use super::super::tables::Table;
use super::{MissionView, day, details, drawings, losses, map, places, tables};
use plotters::style::RGBColor;

/// What stands under one head.
pub(super) struct Section {
    pub(super) title: String,
    /// What a reader must know to read the drawing.
    pub(super) caption: String,
    pub(super) legend: Vec<Entry>,
    /// The drawing, where there is one.
    pub(super) svg: Option<String>,
    /// The table, where there is one.
    pub(super) table: Option<Table>,
    /// Whether a page shows it folded.
    pub(super) folded: bool,
}

/// A mark or a colour, as a small drawing, and what it stands for.
pub(super) struct Entry {
    pub(super) svg: String,
    pub(super) text: String,
}

impl Section {
    fn of(table: Table) -> Self {
        Self {
            title: table.title.clone(),
            caption: String::new(),
            legend: Vec::new(),
            svg: None,
            table: Some(table),
            folded: false,
        }
    }

    fn drawn(title: &str, caption: String, svg: String) -> Self {
        Self {
            title: title.into(),
            caption,
            legend: Vec::new(),
            svg: Some(svg),
            table: None,
            folded: false,
        }
    }

    /// A legend of colours.
    fn colours(
        mut self,
        entries: impl IntoIterator<Item = (RGBColor, String)>,
    ) -> Result<Self, Failure> {
        for (colour, text) in entries {
            self.legend.push(Entry { svg: legend_colour(colour)?, text });
        }
        Ok(self)
    }

    /// A legend of schemes: all that `is` holds for.
    fn schemes(
        mut self,
        view: &MissionView<'_>,
        is: impl Fn(&str) -> bool,
    ) -> Result<Self, Failure> {
        for (at, scheme) in view.facts.schemes.iter().enumerate().filter(|(_, s)| is(&s.name)) {
            let svg = legend_mark(Look::of(at))?;
            self.legend.push(Entry { svg, text: scheme.name.clone() });
        }
        Ok(self)
    }

    fn with(mut self, table: Table) -> Self {
        self.table = Some(table);
        self
    }

    fn folded(mut self) -> Self {
        self.folded = true;
        self
    }
}

/// Every table, in the order of the page, those that are empty left out.
pub(super) fn tables(view: &MissionView<'_>) -> Vec<Table> {
    let all = [
        tables::headline(view),
        assumptions::table(view.assumptions),
        tables::figures(view),
        tables::outcomes(view),
        tables::uncertainty(view),
        tables::episodes(view),
        tables::first_wrong(view),
        details::sweep(view),
        places::table(view),
        details::modes(view),
        details::causes(view),
        details::tenants(view),
        details::repairs(view),
        losses::away(view),
        losses::replaced(view),
        details::fleet(view),
        details::strata(view),
        assumptions::others(view.assumptions),
    ];
    all.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

/// The sections of the page.
pub(super) fn sections(view: &MissionView<'_>) -> Result<Vec<Section>, Failure> {
    let pace = view.pace();
    let all = |_: &str| true;
    let mut sections = vec![
        Section::of(tables::headline(view)),
        Section::of(assumptions::table(view.assumptions)),
    ];
    let caption = format!(
        "Left: wrong answers a year of flight under each scheme, with 95 % bootstrap intervals over \
         histories; a lane holds those without any. Right: how many times fewer they are than under \
         the first scheme, on the same histories; an arrow where nothing bounds it. Beside them the \
         bytes stored, as multiples of the least.{pace}"
    );
    sections.push(Section::drawn("Wrong answers a year", caption, drawings::answers(view)?));
    sections.push(Section::of(tables::figures(view)));
    sections.push(Section::of(tables::outcomes(view)));
    sections.push(Section::of(tables::uncertainty(view)));
    let caption = format!(
        "Disc: half of the error episodes are shorter; bar: up to where nine of ten are; line: the \
         longest.{pace}"
    );
    let episodes = tables::episodes(view);
    let drawn = Section::drawn(&episodes.title, caption, drawings::episodes(view)?);
    sections.push(drawn.with(episodes));
    let until = if view.facts.requirement.is_some() {
        "Drawn to twice the time that is required."
    } else {
        "Drawn to the time from which the curves hardly rise."
    };
    let required = if view.facts.requirement.is_some() {
        " The two lines in ink: a scheme meets the requirement where its curve stays below them by \
         enough."
    } else {
        ""
    };
    let caption = format!(
        "Thick: the share of histories with a wrong answer by that time, before the service was \
         away. Thin: the share of histories whose service was away first. {until}{required}{pace}"
    );
    let first = tables::first_wrong(view);
    let drawn = Section::drawn(&first.title, caption, drawings::incidence(view)?);
    sections.push(drawn.schemes(view, all)?.with(first));
    if !view.sweep.is_empty() {
        let caption = format!(
            "Wrong answers a year of flight (95 % bootstrap intervals) against the bytes that scrubs \
             move; periods stand above. Ringed: the optimum of a scheme. The lane at the bottom holds \
             those without a wrong answer.{pace}"
        );
        let table = details::sweep(view);
        let drawn = Section::drawn(&table.title, caption, drawings::sweep(view)?);
        let swept = |name: &str| view.sweep.iter().any(|point| point.scheme == name);
        sections.push(drawn.schemes(view, swept)?.with(table));
    }
    orbit(view, &mut sections)?;
    if let Some(day) = day::worst(view) {
        let caption = format!(
            "The day of flight with the most upsets ({}) in the first history. Above: upsets by \
             what they did under {}. Below, a lane a scheme: episodes from upset to cleared state by \
             their worst outcome, and ticks for changes of state, those back to golden lower.{pace}",
            day.upsets,
            view.scheme(0)
        );
        let drawn = Section::drawn("The worst day", caption, day::timeline(view, &day)?);
        sections.push(drawn.colours(day::legend())?);
    }
    sections.push(Section::of(details::modes(view)));
    sections.push(Section::of(details::causes(view)));
    sections.push(Section::of(details::tenants(view)));
    sections.push(Section::of(details::repairs(view)));
    sections.push(Section::of(losses::away(view)));
    sections.push(Section::of(losses::replaced(view)).folded());
    if !view.fleet.is_empty() {
        let table = details::fleet(view);
        let drawn = Section::drawn(&table.title, pace.trim().into(), drawings::fleet(view)?);
        let named = SCHEME_COLOURS.into_iter().zip(drawings::FLEET.map(str::to_owned));
        sections.push(drawn.colours(named)?.with(table));
    }
    sections.push(Section::of(details::strata(view)).folded());
    sections.push(Section::of(assumptions::others(view.assumptions)).folded());
    let filled = |table: &Table| !table.rows.is_empty();
    sections.retain(|section| section.svg.is_some() || section.table.as_ref().is_some_and(filled));
    Ok(sections)
}

/// Where on the orbit, and at which time of day.
fn orbit(view: &MissionView<'_>, sections: &mut Vec<Section>) -> Result<(), Failure> {
    if view.track.is_empty() {
        return Ok(());
    }
    let caption = "The line is the first part of the ground track. An upset counts as what the \
                   episode came to that it began."
        .to_owned();
    sections.push(Section::drawn("Where upsets fell", caption, map::drawing(view)?));
    let caption = format!(
        "Bars: the share of upsets by local mean solar time below the satellite; lines in ink: the \
         share of flight time spent there.{}",
        view.pace()
    );
    let drawn = Section::drawn("Upsets by time of day and place", caption, places::hours(view)?);
    let legend = [
        (places::IN_SAA, "in the South Atlantic Anomaly".to_owned()),
        (places::ELSEWHERE, "elsewhere".to_owned()),
    ];
    sections.push(drawn.colours(legend)?.with(places::table(view)));
    Ok(())
}
