//! What a report says of a simulated beam.

use super::tables::Table;
use super::{Report, words};
use crate::archive::beam::{COINCIDENT, CrossSection};
use crate::campaign::event::SIMULATED_BEAM;

/// The figures of the beam, a scheme a row.
pub(super) fn table(report: &Report) -> Option<Table> {
    let beam = report.header.beam.as_ref()?;
    let columns = [
        "scheme",
        "runs",
        "upsets",
        "armed cm⁻²",
        "dead time",
        "SDC",
        "DUE",
        "events a run",
        "cross-section cm²",
        "of SDC",
        "of DUE",
    ];
    let title = format!("Cross-sections in a {SIMULATED_BEAM}");
    let caption = format!(
        "{SIMULATED_BEAM}: {}, {} cm⁻² s⁻¹. Events over the fluence that arrived while armed: up to \
         and including the step of a run's first error, an SDC (any output that differs from \
         golden) or a DUE (no output, a hang included). Then a reload of {} or a reset of {} is \
         dead time, given as its share of armed and dead time; what a scheme reloads and runs again \
         within a run costs none here, it is in the measured time per inference. Upsets are \
         those of the scheme's footprint while armed. In brackets the {}: Garwood's for the count, \
         with a dosimetry error of {} (one standard deviation) in quadrature on a logarithmic \
         scale.",
        beam.describe(),
        words::number(beam.flux_per_cm2_s),
        words::seconds(beam.reload_time_s),
        words::seconds(beam.reset_time_s),
        report.level(),
        words::percent(beam.dosimetry_error),
    );
    let columns = columns.map(str::to_owned).to_vec();
    let mut table = Table { title, caption, columns, names: 1, rows: Vec::new() };
    for row in &report.summary.beam {
        table.rows.push(vec![
            report.scheme(row.scheme).to_owned(),
            words::count(row.runs),
            words::count(row.upsets),
            words::number(row.armed_fluence_per_cm2),
            match row.dead_s {
                0.0 => "0".to_owned(),
                dead => format!("{} ({})", words::seconds(dead), words::percent(row.dead_share)),
            },
            words::count(row.sdc.events),
            words::count(row.due.events),
            words::number(row.events_per_run),
            section(&row.all),
            section(&row.sdc),
            section(&row.due),
        ]);
    }
    Some(table)
}

fn section(found: &CrossSection) -> String {
    let high = words::number(found.interval.high);
    if found.events == 0 {
        return format!("below {high}");
    }
    format!("{} ({}–{high})", words::number(found.cm2), words::number(found.interval.low))
}

/// What a reader must know before the figures of a beam.
pub(super) fn notices(report: &Report) -> Vec<String> {
    let Some(beam) = &report.header.beam else { return Vec::new() };
    let mut notices = vec![format!(
        "A {SIMULATED_BEAM} ({}): nothing here was measured at an accelerator.",
        beam.describe()
    )];
    for row in &report.summary.beam {
        if row.events_per_run > COINCIDENT {
            notices.push(format!(
                "WARNING: {} events a run of {}, above {COINCIDENT}: several upsets meet in one run, \
                 which biases the test; lower the flux or the steps of a run.",
                words::number(row.events_per_run),
                report.scheme(row.scheme)
            ));
        }
        if row.armed_fluence_per_cm2 < beam.fluence_per_cm2 && report.finished {
            notices.push(format!(
                "The runs ended before {} had its fluence of {} cm⁻².",
                report.scheme(row.scheme),
                words::number(beam.fluence_per_cm2)
            ));
        }
    }
    notices
}

/// The arrival of upsets in a sentence of the methods.
pub(super) fn experiment(report: &Report) -> Option<String> {
    let (beam, rate) = report.header.beam.as_ref().zip(report.header.rate.as_ref())?;
    let campaign = &report.header.campaign;
    Some(format!(
        "It is a {SIMULATED_BEAM} of {}, {} cm⁻² s⁻¹, which makes {} upsets per bit and second as a \
         Poisson process ({}). A run loads golden memory and makes up to {} of {}, one every {} \
         (declared times, not measured ones), each execution exposing its transient words for {}; it \
         counts as armed until the end of the step of its first error. Runs went on until every \
         scheme had {} cm⁻² armed, or their number was spent; simulation does not stop within a run, \
         so that shares of inferences elsewhere in this report count what followed the first error too",
        beam.describe(),
        words::number(beam.flux_per_cm2_s),
        words::number(rate.upsets_per_bit_day / crate::units::DAY_S),
        rate.source,
        words::plural(u64::from(campaign.steps), "step", "steps"),
        words::plural(u64::from(campaign.inferences_per_step), "inference", "inferences"),
        words::seconds(rate.inference_period_s),
        words::seconds(rate.execution_time_s),
        words::number(beam.fluence_per_cm2),
    ))
}
