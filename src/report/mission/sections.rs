//! The order of the report: tables and drawings under their heads.

use super::super::Error;
use super::super::assumptions;
use super::super::chart::{Failure, Look, SCHEME_COLOURS, legend_colour, legend_mark};
use super::super::document::{Document, Entry, Plot, Section};
use super::{MissionView, day, details, drawings, losses, map, methods, places, tables};
use plotters::style::RGBColor;

/// A legend of colours.
fn colours(
    entries: impl IntoIterator<Item = (RGBColor, String)>,
) -> impl Iterator<Item = Result<Entry, Failure>> {
    entries.into_iter().map(|(colour, text)| Ok(Entry { svg: legend_colour(colour)?, text }))
}

/// A legend of schemes: all that `is` holds for.
fn schemes<'v>(
    view: &'v MissionView<'_>,
    is: impl Fn(&str) -> bool + 'v,
) -> impl Iterator<Item = Result<Entry, Failure>> + 'v {
    let schemes = view.facts.schemes.iter().enumerate().filter(move |(_, s)| is(&s.name));
    schemes.map(|(at, scheme)| {
        Ok(Entry { svg: legend_mark(Look::of(at))?, text: scheme.name.clone() })
    })
}

/// The document of a mission.
pub(super) fn document<'v>(view: &'v MissionView<'_>) -> Result<Document<'v>, Error> {
    let form = |error: Failure| Error::Form(error.to_string());
    Ok(Document {
        name: view.name,
        kind: "mission",
        file: "mission",
        title: methods::title(view),
        setting: view.setting.clone(),
        notices: methods::notices(view),
        findings: methods::findings(view),
        sections: sections(view).map_err(form)?,
        methods: methods::paragraphs(view),
        limits: methods::limits(),
        sources: view.sources,
        toml: view.toml,
        version: view.version,
        elsewhere: "the mission's CSV and JSON",
        plot: Plot {
            what: "wrong answers a year of flight",
            rows: (view.figures.iter())
                .map(|of| (of.name.as_str(), of.wrong_per_year.0, of.wrong_per_year.1))
                .collect(),
        },
    })
}

/// The sections of the page.
fn sections(view: &MissionView<'_>) -> Result<Vec<Section>, Failure> {
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
    sections.push(drawn.legend(schemes(view, all))?.with(first));
    if !view.sweep.is_empty() {
        let caption = format!(
            "Wrong answers a year of flight (95 % bootstrap intervals) against the bytes that scrubs \
             move; periods stand above. Ringed: the optimum of a scheme. The lane at the bottom holds \
             those without a wrong answer.{pace}"
        );
        let table = details::sweep(view);
        let drawn = Section::drawn(&table.title, caption, drawings::sweep(view)?);
        let swept = |name: &str| view.sweep.iter().any(|point| point.scheme == name);
        sections.push(drawn.legend(schemes(view, swept))?.with(table));
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
        sections.push(drawn.legend(colours(day::legend()))?);
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
        sections.push(drawn.legend(colours(named))?.with(table));
    }
    sections.push(Section::of(details::strata(view)).folded());
    sections.push(Section::of(assumptions::others(view.assumptions)).folded());
    sections.retain(Section::is_filled);
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
    sections.push(drawn.legend(colours(legend))?.with(places::table(view)));
    Ok(())
}
