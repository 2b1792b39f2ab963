//! The map of an orbit: trapped protons on its ground track, and their course in time.

use super::super::Error;
use super::super::chart::{Canvas, Drawn, INK, SCHEME_COLOURS, TEXT, WIDTH, draw};
use super::land::LAND;
use super::table::lines;
use crate::environment::trapped::{DRIFT_DEG_PER_YEAR, EPOCH_MAX, EPOCH_MIN};
use crate::rate::{THRESHOLDS_MEV, Timeline, TrackPoint};
use crate::units::DAY_S;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

const HEIGHT: f64 = 1022.0;
/// Left edge of the map and of the courses, and the right one.
pub(in crate::report) const LEFT: f64 = 46.0;
pub(in crate::report) const RIGHT: f64 = WIDTH - 12.0;
pub(in crate::report) const MAP_TOP: f64 = 66.0;
pub(in crate::report) const MAP_HEIGHT: f64 = 0.5 * (RIGHT - LEFT);
pub(in crate::report) const SMALL: f64 = TEXT - 2.0;
/// The courses in time: their height.
const COURSE_HEIGHT: f64 = 170.0;
/// The most points of the track that are drawn.
const POINTS_MAX: usize = 12_000;
/// The thresholds whose courses are drawn, as their places among all.
const DRAWN: [usize; 3] = [0, 1, 3];

const SEA: RGBColor = RGBColor(0x16, 0x25, 0x38);
const SOIL: RGBColor = RGBColor(0x3a, 0x4c, 0x5e);
const GRATICULE: RGBColor = RGBColor(0x5b, 0x6d, 0x80);
pub(in crate::report) const TRACK: RGBColor = RGBColor(0x8f, 0xa3, 0xb8);
/// The scale from low flux to high: bright on the sea, told apart with any colour vision.
const SCALE: [RGBColor; 5] = [
    RGBColor(0x6f, 0x4a, 0xd6),
    RGBColor(0xb8, 0x3f, 0xb4),
    RGBColor(0xe8, 0x5c, 0x6f),
    RGBColor(0xfa, 0xa2, 0x3c),
    RGBColor(0xf6, 0xf2, 0x3a),
];

/// Follows the viewer's light or dark.
const STYLE: &str = "<style>svg{background:#ffffff;color:#1d2530}\
@media (prefers-color-scheme:dark){svg{background:#14181d;color:#e4e7eb}}</style>";

/// The map as a whole SVG file.
///
/// # Errors
/// Where the drawing cannot be made.
pub fn map(timeline: &Timeline) -> Result<String, Error> {
    let orbit = timeline.conditions.orbit.describe();
    let label = format!("Trapped protons on the ground track of {orbit}");
    let svg = draw(&label, HEIGHT, |canvas| {
        let scale = Scale::new(timeline);
        heading(canvas, timeline)?;
        ground(canvas, timeline, &scale)?;
        legend(canvas, &scale)?;
        let places = &timeline.places;
        let peak = (0..places.len())
            .max_by(|a, b| places[*a].trapped[0].total_cmp(&places[*b].trapped[0]))
            .unwrap_or(0);
        let step_s = timeline.step_s();
        let period_s = timeline.conditions.orbit.period_s().unwrap_or(DAY_S);
        let middle_s = places[peak].position.time_s;
        let one_orbit = Window::new(timeline, middle_s - 0.5 * period_s, period_s, step_s);
        let day_s = (middle_s / DAY_S).floor() * DAY_S;
        let one_day = Window::new(timeline, day_s, DAY_S, step_s);
        let top = MAP_TOP + MAP_HEIGHT + 104.0;
        course(canvas, timeline, "One orbit, about the highest flux", &one_orbit, top, &scale)?;
        let top = top + COURSE_HEIGHT + 74.0;
        course(canvas, timeline, "The day with the highest flux", &one_day, top, &scale)?;
        notes(canvas, timeline, top + COURSE_HEIGHT + 36.0)
    });
    Ok(file(&svg.map_err(|error| Error::Form(error.to_string()))?))
}

/// A drawing as a whole file.
pub(in crate::report) fn file(svg: &str) -> String {
    let (head, body) = svg.split_once('>').unwrap_or((svg, ""));
    let head = head.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
    format!("{head}>{STYLE}{body}\n")
}

/// What a reader has to know of the map.
fn notes(canvas: &Canvas<'_>, timeline: &Timeline, top: f64) -> Drawn {
    let (epoch, west_deg) = shift(timeline);
    let year = timeline.conditions.start.decimal_year();
    let words = format!(
        "Fluxes are those of AP8 in the field of the year {epoch}, for which it was made. The \
         South Atlantic Anomaly has drifted west since: on the map alone the fluxes are shown \
         {west_deg:.1}° west of where they were computed, {DRIFT_DEG_PER_YEAR}° a year from \
         {epoch} to {year:.1}, while the grey line stays in place. Figures and the courses in time \
         are not shifted."
    );
    for (index, line) in lines(&words, 118).iter().enumerate() {
        canvas.text(line, (LEFT, top + 15.0 * index as f64), HPos::Left, SMALL)?;
    }
    Ok(())
}

/// How fluxes become colours and heights: by their logarithm, over whole decades.
struct Scale {
    decades: f64,
}

impl Scale {
    fn new(timeline: &Timeline) -> Self {
        let fluxes = timeline.places.iter().map(|place| place.trapped[0]);
        let highest = fluxes.fold(10.0, f64::max);
        Self { decades: highest.log10().ceil() }
    }

    /// Where a flux stands between 1 and the end of the scale: 0 to 1.
    fn share(&self, flux: f64) -> f64 {
        (flux.log10() / self.decades).clamp(0.0, 1.0)
    }

    fn colour(&self, flux: f64) -> RGBColor {
        scale(self.share(flux))
    }

    /// The powers of ten, 1 and the end included.
    fn powers(&self) -> impl Iterator<Item = i32> {
        let decades = self.decades;
        (0..).take_while(move |power| f64::from(*power) <= decades)
    }
}

/// The colour of a share of the scale.
pub(in crate::report) fn scale(share: f64) -> RGBColor {
    let at = share.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let index = (0..SCALE.len() - 1).rfind(|i| at >= *i as f64).unwrap_or(0);
    let part = at - index as f64;
    let (a, b) = (SCALE[index], SCALE[index + 1]);
    RGBColor(mixed(a.0, b.0, part), mixed(a.1, b.1, part), mixed(a.2, b.2, part))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between two bytes, and so a byte"
)]
fn mixed(a: u8, b: u8, part: f64) -> u8 {
    (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8
}

/// The year of the field that the map of protons is in, and how far west the South Atlantic
/// Anomaly has moved since.
fn shift(timeline: &Timeline) -> (f64, f64) {
    let conditions = &timeline.conditions;
    let epoch = if conditions.solar_phase > 0.5 { EPOCH_MAX } else { EPOCH_MIN };
    (epoch, DRIFT_DEG_PER_YEAR * (conditions.start.decimal_year() - epoch))
}

fn heading(canvas: &Canvas<'_>, timeline: &Timeline) -> Drawn {
    let conditions = &timeline.conditions;
    let orbit = conditions.orbit.describe();
    let words = lines(&orbit, 92);
    // The last line stands over the next, however many there are.
    let top = if words.len() > 1 { 16.0 } else { 30.0 };
    for (index, line) in words.iter().take(2).enumerate() {
        canvas.text(line, (LEFT, top + 17.0 * index as f64), HPos::Left, TEXT + 1.0)?;
    }
    let line = format!(
        "{} days from {}, solar phase {} (0 minimum, 1 maximum)",
        conditions.days, conditions.start, conditions.solar_phase
    );
    canvas.text(&line, (LEFT, 51.0), HPos::Left, SMALL)
}

/// Where a place in degrees lies on the drawing.
pub(in crate::report) fn on_map(longitude: f64, latitude: f64) -> (f64, f64) {
    let unit = (RIGHT - LEFT) / 360.0;
    (LEFT + (longitude + 180.0) * unit, MAP_TOP + (90.0 - latitude) * unit)
}

/// Sea, land and graticule.
pub(in crate::report) fn world(canvas: &Canvas<'_>) -> Drawn {
    canvas.rectangle((LEFT, MAP_TOP), (RIGHT, MAP_TOP + MAP_HEIGHT), SEA)?;
    for outline in LAND {
        let points: Vec<(f64, f64)> = outline.iter().map(|at| on_map(at.0, at.1)).collect();
        canvas.polygon(&points, SOIL)?;
    }
    for longitude in (-180..=180).step_by(30).map(f64::from) {
        let (from, to) = (on_map(longitude, 90.0), on_map(longitude, -90.0));
        canvas.line(from, to, GRATICULE.mix(0.6), 0.5)?;
        let text = compass(longitude, "E", "W");
        canvas.text(&text, (to.0, to.1 + 10.0), HPos::Center, SMALL - 1.0)?;
    }
    for latitude in (-90..=90).step_by(30).map(f64::from) {
        let from = on_map(-180.0, latitude);
        canvas.line(from, on_map(180.0, latitude), GRATICULE.mix(0.6), 0.5)?;
        let text = compass(latitude, "N", "S");
        canvas.text(&text, (from.0 - 5.0, from.1), HPos::Right, SMALL - 1.0)?;
    }
    Ok(())
}

fn ground(canvas: &Canvas<'_>, timeline: &Timeline, scale: &Scale) -> Drawn {
    world(canvas)?;
    first_day(canvas, timeline)?;
    let (_, west_deg) = shift(timeline);
    let mut hot: Vec<&TrackPoint> =
        timeline.places.iter().filter(|place| place.trapped[0] > 0.0).collect();
    let every = hot.len().div_ceil(POINTS_MAX).max(1);
    hot = hot.into_iter().step_by(every).collect();
    // The highest last, so that nothing hides it.
    hot.sort_by(|a, b| a.trapped[0].total_cmp(&b.trapped[0]));
    for place in hot {
        let longitude = (place.position.longitude_deg - west_deg + 180.0).rem_euclid(360.0) - 180.0;
        let at = on_map(longitude, place.position.latitude_deg);
        canvas.disc(at, 2.2, scale.colour(place.trapped[0]))?;
    }
    Ok(())
}

/// The ground track of the first day, as a line that breaks at the date line.
fn first_day(canvas: &Canvas<'_>, timeline: &Timeline) -> Drawn {
    let day = timeline.places.iter().take_while(|place| place.position.time_s <= DAY_S);
    let mut line: Vec<(f64, f64)> = Vec::new();
    let mut last = None;
    for place in day {
        let (longitude, latitude) = (place.position.longitude_deg, place.position.latitude_deg);
        if last.is_some_and(|last: f64| (last - longitude).abs() > 180.0) {
            canvas.path(&std::mem::take(&mut line), TRACK.mix(0.45), 0.6)?;
        }
        line.push(on_map(longitude, latitude));
        last = Some(longitude);
    }
    canvas.path(&line, TRACK.mix(0.45), 0.6)?;
    // Where it begins, which is all there is of a satellite that stands still.
    match timeline.places.first() {
        Some(TrackPoint { position, .. }) => {
            canvas.disc(on_map(position.longitude_deg, position.latitude_deg), 2.2, TRACK)
        }
        None => Ok(()),
    }
}

fn compass(degrees: f64, positive: &str, negative: &str) -> String {
    let side = if degrees > 0.0 && degrees < 180.0 {
        positive
    } else if degrees < 0.0 && degrees > -180.0 {
        negative
    } else {
        ""
    };
    format!("{}°{side}", degrees.abs())
}

fn power_of_ten(power: i32) -> String {
    match power {
        0 => "1".into(),
        1 => "10".into(),
        power => {
            let digit = |c: char| c.to_digit(10).and_then(|d| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(d as usize));
            format!("10{}", power.to_string().chars().filter_map(digit).collect::<String>())
        }
    }
}

fn legend(canvas: &Canvas<'_>, scale: &Scale) -> Drawn {
    let top = MAP_TOP + MAP_HEIGHT + 26.0;
    let (from, width) = (LEFT, 250.0);
    for step in 0..50 {
        let share = f64::from(step) / 50.0;
        let left = from + share * width;
        let colour = scale.colour(10_f64.powf((share + 0.01) * scale.decades));
        canvas.rectangle((left, top), (left + width / 50.0, top + 9.0), colour)?;
    }
    for power in scale.powers() {
        let x = from + f64::from(power) / scale.decades * width;
        canvas.text(&power_of_ten(power), (x, top + 18.0), HPos::Center, SMALL - 1.0)?;
    }
    canvas.text(
        "trapped protons above 10 MeV before the shield, cm⁻² s⁻¹",
        (from + width + 18.0, top + 5.0),
        HPos::Left,
        SMALL,
    )?;
    canvas.text(
        "grey: ground track of the first day, from the dot on",
        (from + width + 18.0, top + 20.0),
        HPos::Left,
        SMALL,
    )
}

/// A stretch of the track.
struct Window<'t> {
    places: &'t [TrackPoint],
    from_s: f64,
    length_s: f64,
}

impl<'t> Window<'t> {
    /// A stretch that begins at a time, or as near to it as the track allows.
    fn new(timeline: &'t Timeline, from_s: f64, length_s: f64, step_s: f64) -> Self {
        let places = &timeline.places;
        let end_s = places.len() as f64 * step_s;
        let from_s = from_s.min(end_s - length_s).max(0.0).round();
        let first = places.partition_point(|place| place.position.time_s < from_s);
        let last = places.partition_point(|place| place.position.time_s <= from_s + length_s);
        Self { places: &places[first..last], from_s, length_s: length_s.min(end_s - from_s) }
    }
}

fn course(
    canvas: &Canvas<'_>,
    timeline: &Timeline,
    title: &str,
    window: &Window<'_>,
    top: f64,
    scale: &Scale,
) -> Drawn {
    let bottom = top + COURSE_HEIGHT;
    let from = timeline.conditions.start.plus_seconds(window.from_s);
    canvas.text(&format!("{title}, from {from}"), (LEFT, top - 30.0), HPos::Left, TEXT)?;
    canvas.text(
        "omnidirectional flux before the shield, cm⁻² s⁻¹",
        (LEFT, top - 13.0),
        HPos::Left,
        SMALL,
    )?;
    let y = |flux: f64| bottom - scale.share(flux) * COURSE_HEIGHT;
    for power in scale.powers() {
        let at = y(10_f64.powi(power));
        canvas.line((LEFT, at), (RIGHT, at), INK.mix(0.15), 1.0)?;
        canvas.text(&power_of_ten(power), (LEFT - 6.0, at), HPos::Right, SMALL)?;
    }
    let (unit_s, unit) = if window.length_s > 6.0 * 3600.0 { (3600.0, "h") } else { (60.0, "min") };
    let length = window.length_s / unit_s;
    let step = [1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0].into_iter().find(|s| length / s <= 12.0);
    let step = step.unwrap_or(60.0);
    let x = |time_s: f64| LEFT + (time_s - window.from_s) / window.length_s * (RIGHT - LEFT);
    for tick in (0..).map(|n| f64::from(n) * step).take_while(|tick| *tick <= length) {
        let at = x(window.from_s + tick * unit_s);
        canvas.line((at, bottom), (at, bottom + 4.0), INK.mix(0.6), 1.0)?;
        let near_end = tick + step > length;
        let text = if near_end { format!("{tick} {unit}") } else { tick.to_string() };
        let (at, h) =
            if near_end && at > RIGHT - 16.0 { (RIGHT, HPos::Right) } else { (at, HPos::Center) };
        canvas.text(&text, (at, bottom + 13.0), h, SMALL)?;
    }
    for (index, threshold) in DRAWN.into_iter().enumerate() {
        let colour = SCHEME_COLOURS[index];
        let left = RIGHT - 270.0 + 92.0 * index as f64;
        canvas.line((left, top - 13.0), (left + 14.0, top - 13.0), colour.into(), 2.0)?;
        let text = format!("> {} MeV", THRESHOLDS_MEV[threshold]);
        canvas.text(&text, (left + 19.0, top - 13.0), HPos::Left, SMALL)?;
        let flux = |place: &TrackPoint| place.trapped[threshold];
        for run in window.places.split(|place| flux(place) <= 0.0) {
            let points: Vec<(f64, f64)> =
                run.iter().map(|place| (x(place.position.time_s), y(flux(place)))).collect();
            match points[..] {
                [] => {}
                [only] => canvas.disc(only, 1.5, colour)?,
                _ => canvas.path(&points, colour.into(), 1.5)?,
            }
        }
    }
    if window.places.iter().all(|place| place.trapped[0] <= 0.0) {
        let middle = (f64::midpoint(LEFT, RIGHT), f64::midpoint(top, bottom));
        canvas.text("no trapped protons above 10 MeV", middle, HPos::Center, TEXT)?;
    }
    Ok(())
}
