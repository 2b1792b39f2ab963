mod import;

use super::*;
use crate::environment::curve::Curve;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/radiation/");
const AP8: &str = "spenvis_AP8MIN_protons_530km_53deg.csv";
const CREME: &str = "creme96_800km_90deg_100mil_LET_full.csv";

fn read_text(text: &str) -> (Spectrum, Origin) {
    let read = parse(Path::new("a.csv"), text, &Statement::default());
    read.unwrap_or_else(|error| panic!("{error}"))
}

fn protons(text: &str) -> Vec<(f64, f64)> {
    match read_text(text).0 {
        Spectrum::ProtonIntegral(points) => points,
        Spectrum::Let(_) => panic!("a LET spectrum"),
    }
}

fn lets(text: &str) -> Vec<(f64, f64)> {
    match read_text(text).0 {
        Spectrum::Let(points) => points,
        Spectrum::ProtonIntegral(_) => panic!("a proton spectrum"),
    }
}

fn refused(text: &str) -> String {
    match parse(Path::new("a.csv"), text, &Statement::default()) {
        Err(error) => error.to_string(),
        Ok(read) => panic!("{read:?}"),
    }
}

fn statement(text: &str) -> Statement {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn close(found: f64, expected: f64, share: f64) -> bool {
    (found - expected).abs() <= share * expected.abs()
}

/// The rows of a file of numbers after `skip` lines.
fn numbers(name: &str, skip: usize) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(format!("{FOLDER}{name}")).expect("a file of the folder");
    let row =
        |line: &str| line.split(',').map(|cell| cell.trim().parse().expect("a number")).collect();
    text.lines().skip(skip).map(row).collect()
}

fn table_of(header: &str, rows: impl IntoIterator<Item = (f64, f64)>) -> String {
    let rows = rows.into_iter().map(|(at, flux)| format!("{at},{flux}\n"));
    format!("{header}\n{}", rows.collect::<String>())
}

#[test]
fn what_is_written_is_read_back_unchanged() {
    let integral: Vec<(f64, f64)> =
        (0..40_i32).map(|i| (0.1 * 1.3_f64.powi(i), 1e5 / 3.0 * 0.7_f64.powi(i))).collect();
    let comment = ["AP8MIN, 530 km\n53 degrees".to_string()];
    let is = statement("trapped, before-shield, mean, margin=1");
    let text = write_proton_csv(&integral, &is, &comment);
    assert!(text.contains(
        "\n# is: trapped, before-shield, mean, margin=1\n# AP8MIN, 530 km\n# 53 degrees\n\
         energy_mev,integral_per_cm2_s\n"
    ));
    let (spectrum, origin) = read_text(&text);
    assert_eq!(spectrum, Spectrum::ProtonIntegral(integral.clone()));
    assert_eq!(origin.tool, Tool::Beamline);
    assert_eq!(origin.units, "energy_mev and integral_per_cm2_s");
    assert_eq!((origin.is, origin.bytes), (is, text.len()));

    let differential: Vec<(f64, f64)> =
        integral.iter().enumerate().map(|(i, (at, y))| (*at, y * (i % 3) as f64)).collect();
    let is = statement("from-helium, behind-shield, event, margin=2, shield=10");
    let (spectrum, origin) = read_text(&write_let_csv(&differential, &is, &[]));
    let halved = differential.iter().map(|(at, flux)| (*at, flux / 2.0)).collect();
    assert_eq!(spectrum, Spectrum::Let(halved), "the margin is taken out again");
    assert_eq!((origin.tool, origin.is), (Tool::Beamline, is));
    assert!(origin.units.ends_with(", divided by its margin of 2"), "{}", origin.units);
}

#[test]
fn a_differential_flux_is_integrated_to_the_integral() {
    let rows = numbers(AP8, 2);
    let column: Vec<(f64, f64)> = rows.iter().map(|row| (row[0], row[1])).collect();
    let read = protons(&table_of("energy_mev,integral_per_cm2_s", column.clone()));
    assert_eq!(read, column);

    // The derivative of a curve through the integral column, at many energies.
    let curve = Curve::new(column.clone()).expect("a falling column");
    let (least, most) = (column[0].0, 3000.0_f64);
    let step = |i: i32| least * (most / least).powf(f64::from(i) / 400.0);
    let slopes = (0..=400).map(step).map(|at| (at, -curve.slope(at)));
    let found = protons(&table_of("energy_mev,differential_per_cm2_s_mev", slopes));
    let found = Curve::new(found[..400].to_vec()).expect("a falling flux");
    for (at, flux) in column.iter().filter(|(at, _)| *at <= 300.0) {
        assert!(close(found.at(*at), *flux, 0.01), "{at}: {} of {flux}", found.at(*at));
    }

    // SPENVIS prints quotients of differences over two intervals, not derivatives.
    let printed = rows.iter().map(|row| (row[0], row[2]));
    let found = protons(&table_of("energy_mev,differential_per_cm2_s_mev", printed));
    assert_eq!(found.len(), rows.len());
    for (row, (at, flux)) in rows.iter().zip(&found) {
        let share = if (30.0..=70.0).contains(at) { 0.01 } else { 0.12 };
        assert!(*at >= 300.0 || close(*flux, row[1], share), "{at}: {flux} of {}", row[1]);
    }
    assert_eq!(found[rows.len() - 1], (400.0, 0.0));
}

#[test]
fn power_laws_are_integrated_exactly() {
    for power in [-2.5_f64, -1.0, 0.5] {
        let points: Vec<(f64, f64)> =
            (0..9).map(|i| 2.0_f64.powi(i)).map(|at| (at, 3.0 * at.powf(power))).collect();
        let sums = integrate(&points);
        let whole = |from: f64, to: f64| match power {
            -1.0 => 3.0 * (to / from).ln(),
            _ => 3.0 / (power + 1.0) * (to.powf(power + 1.0) - from.powf(power + 1.0)),
        };
        for (at, sum) in sums {
            assert!((sum - whole(at, 256.0)).abs() < 1e-9, "{power} {at}");
        }
    }
}

#[test]
fn units_are_those_of_the_header() {
    let rows = || [(1.0, 30.0), (2.0, 20.0), (4.0, 5.0), (8.0, 1.0)];
    let read = protons(&table_of("Energy_MeV, integral_per_m2_sr_s", rows()));
    assert!(close(read[0].1, 30.0 * 4.0 * PI * 1e-4, 1e-14));
    let read = protons(&table_of("energy_mev,integral_per_m2_s", rows()));
    assert!(close(read[2].1, 5e-4, 1e-14));
    let both = "energy_mev,differential_per_cm2_s_mev,integral_per_cm2_sr_s\n1,9,3\n2,9,2\n3,9,1\n";
    assert!(close(protons(both)[1].1, 8.0 * PI, 1e-14));

    let header = "let_mev_cm2_per_g,differential_per_m2_sr_s_per_mev_cm2_g";
    let read = lets(&table_of(header, rows()));
    assert!(close(read[1].0, 2e-3, 1e-14));
    assert!(close(read[1].1, 20.0 * 4.0 * PI * 0.1, 1e-14));
    let units = read_text(&table_of(header, rows())).1.units;
    assert_eq!(
        units,
        format!("{}, axis times 1.0000e-3, flux times 1.2566e0", header.replace(',', " and "))
    );

    let read = lets(&table_of("let_mev_cm2_per_mg,integral_per_cm2_s", rows()));
    assert_eq!(read.len(), 3);
    assert!(close(read[0].0, 2.0_f64.sqrt(), 1e-14) && close(read[2].1, 1.0, 1e-14));
}

/// A block in the layout of SPENVIS.
fn block(species: &str, columns: &[&str], rows: &[&str]) -> String {
    let header = [
        "'SPENVIS 4.6.13.3554          - 18-Sep-2025 21:11:09'",
        "'ORB_HDR', -1,'Low, and inclined'",
        "'TRP_OMN', 1,  1,' '",
        &format!("'SPECIES', -1,'{species}'"),
        "'PS Annotation',  1,  1",
        "'Mission start: 01/01/2026 00:00:00'",
        " 0.05, 0.00, 0.00",
    ];
    let lines: Vec<&str> = header.iter().chain(columns).chain(rows).copied().collect();
    format!(
        "'*', {}, 1, 3, 3, {}, {}, {}, 0\n{}\n'End of Block'\n",
        header.len() + 1 + columns.len(),
        columns.len(),
        columns.len(),
        rows.len(),
        lines.join("\r\n")
    )
}

const ENERGY: &str = "'Energy','MeV', 1,'Energy'";
const INTEGRAL: &str = "'IFlux','cm!u-2!n s!u-1!n', 1,'Integral Flux'";
const DIFFERENTIAL: &str = "'DFlux','cm!u-2!n s!u-1!n MeV!u-1!n', 1,'Differential Flux'";
const ROWS: [&str; 3] =
    ["  1.0E-01,  3.0E+03,  4.0E+03", " 1.0E+00, 2.0E+02, 3.0E+01", " 10, 5, 0"];

#[test]
fn blocks_of_spenvis_are_read() {
    let electrons = block("e-", &[ENERGY, INTEGRAL, DIFFERENTIAL], &ROWS);
    let trapped = block("proton", &[ENERGY, INTEGRAL, DIFFERENTIAL], &ROWS);
    let (spectrum, origin) = read_text(&format!("{electrons}{trapped}"));
    let expected = vec![(0.1, 3e3), (1.0, 2e2), (10.0, 5.0)];
    assert_eq!(spectrum, Spectrum::ProtonIntegral(expected.clone()));
    assert_eq!(origin.tool, Tool::Spenvis);
    assert_eq!(origin.units, "Energy in MeV and IFlux in cm-2 s-1");

    let per_sr = INTEGRAL.replace("cm!u-2!n", "m!u-2!n sr!u-1!n");
    let read = protons(&block("proton", &[ENERGY, &per_sr, DIFFERENTIAL], &ROWS));
    assert!(close(read[0].1, 3e3 * 4.0 * PI * 1e-4, 1e-14));

    let rows = ["1,4,9", "2,4,9", "3,4,9"];
    let read = protons(&block("proton", &[ENERGY, DIFFERENTIAL, "'Other','', 1,''"], &rows));
    assert!(close(read[0].1, 8.0, 1e-12) && read[2].1 == 0.0);

    let axis = "'LET','MeV cm!u2!n g!u-1!n', 1,'LET'";
    let flux = "'IFlux','m!u-2!n sr!u-1!n s!u-1!n', 1,'Integral Flux'";
    let per_let = "'DFlux','(m!u-2!n sr!u-1!n s!u-1!n) (MeV cm!u2!n g!u-1!n)!u-1!n',1,'Flux'";
    let read = lets(&format!("{}{trapped}", block("all", &[axis, flux, per_let], &ROWS)));
    assert!(close(read[1].0, 1e-3, 1e-14) && close(read[1].1, 30.0 * 0.4 * PI, 1e-14));

    let fluence = "'IFlux','cm!u-2!n', 1,'Integral Fluence'";
    for (text, expected) in [
        (
            electrons.clone(),
            "a.csv:1: expected a block with 'SPECIES' 'proton' or a column 'LET', found",
        ),
        (format!("{trapped}{trapped}"), "a.csv:16: expected one block of protons or of LET"),
        (
            block("proton", &["'Energy','MeV', 9,'E'", INTEGRAL, DIFFERENTIAL], &ROWS),
            "a.csv:9: expected a quantity, its unit and its number of the 3 columns, found",
        ),
        (
            block("proton", &[ENERGY, fluence, DIFFERENTIAL], &ROWS),
            "a.csv:10: expected a flux in cm-2 s-1 or m-2 sr-1 s-1 (no fluence), found \"cm!u-2!n\"",
        ),
        (
            block("proton", &["'Energy','keV', 1,'E'", INTEGRAL, DIFFERENTIAL], &ROWS),
            "a.csv:9: expected energies in MeV, found \"keV\"",
        ),
        (
            block("proton", &[ENERGY, INTEGRAL, DIFFERENTIAL], &["1,2", "2,1", "3,0"]),
            "a.csv:12: expected 3 cells, found 2",
        ),
        (
            trapped.replace("'End of Block'\n", ""),
            "a.csv:14: expected 'End of Block' after 11 lines of header and 3 rows, found the end",
        ),
        ("'*', 3, many\n".into(), "a.csv:1: expected a block that starts with '*' and eight"),
    ] {
        let message = refused(&text);
        assert!(message.starts_with(expected), "{message}");
    }
}

/// A file in the layout of CREME96.
fn creme_file(program: u32, grid: &str, fluxes: &[f64]) -> String {
    let comments = " %Created by CREME96:LETSPEC_DRIVER\n %EMINCUT = 1.00E-01 MeV/nuc";
    let lines = fluxes
        .chunks(6)
        .map(|six| six.iter().map(|flux| format!(" {flux:.4E} ")).collect::<String>() + "\n");
    let fluxes: String = lines.collect();
    format!(" 2 q.xyz  200 {program}\n{comments}\n {grid}  200 {program}\n\n{fluxes}")
}

#[test]
fn files_of_creme96_agree_with_the_table_made_of_them() {
    let rows = numbers(CREME, 2);
    let column = |i: usize| rows.iter().map(|row| row[i]).collect::<Vec<f64>>();
    let (spectrum, origin) = read(Path::new(&format!("{FOLDER}{CREME}")), &Statement::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(origin.is, statement("from-helium"));
    assert_eq!(origin.tool, Tool::Creme96);
    let Spectrum::Let(table) = spectrum else { panic!("a proton spectrum") };
    assert_eq!(table.len(), 1002);
    let text = creme_file(6, "1.0000E+00  1.1000E+05 1002 2 92 SILICON", &column(1));
    let (_, origin) = read_text(&text);
    assert_eq!(
        origin.units.split(',').next(),
        Some("MeV cm2/g and m-2 sr-1 s-1 (MeV cm2/g)-1 of Z from 2 to 92")
    );
    let file = lets(&text);
    for ((at, flux), (at_file, flux_file)) in table.iter().zip(&file) {
        assert!(close(*at_file, *at, 1e-4) && close(*flux_file, *flux, 1e-4), "{at}");
    }

    // The integral file, differentiated, against the differential of the same run.
    let all = column(2).into_iter().map(|flux| flux * 0.4 * PI);
    let all: Vec<(f64, f64)> = table.iter().map(|point| point.0).zip(all).collect();
    let found = lets(&creme_file(5, "1 1.1E5 1002 1 92 SILICON", &column(3)));
    assert_eq!(found.len(), 1001);
    for from in [0.01, 0.1, 1.0, 10.0] {
        let sum = |points: &[(f64, f64)]| {
            let above = points.windows(2).filter(|pair| pair[0].0 > from);
            above.map(|pair| trapezium(pair[0], pair[1])).sum::<f64>()
        };
        assert!(close(sum(&found), sum(&all), 0.03), "{from}: {} {}", sum(&found), sum(&all));
    }

    let fluxes = [8.0, 4.0, 2.0, 1.0, 5.0, 5.0, 5.0, 5.0];
    let mut text = creme_file(3, "1 8 4 1 2 UNSHIELDED 1977.000 0 2", &fluxes[..4]);
    text.push_str("\n 5 5 5 5\n");
    let read = protons(&text);
    assert!(close(read[0].1, 8.0 * 8.0_f64.ln() * 4.0 * PI * 1e-4, 1e-12) && read[3].1 == 0.0);
    for (program, grid, expected) in [
        (
            4,
            "1 8 8 1 2 ALUMINUM",
            "a.csv:1: expected trapped protons (.TRP, program 1), fluxes before",
        ),
        (3, "1 8 8 1 2 ALUMINUM", "a.csv:4: expected the target UNSHIELDED, found \"ALUMINUM\""),
        (3, "1 8 8 2 92 UNSHIELDED", "a.csv:4: expected protons first, Z from 1, found Z from 2"),
        (6, "8 1 8 2 92 SILICON", "a.csv:4: expected a grid from above 0 to a higher end, found"),
        (6, "1 8 9 2 92 SILICON", "a.csv:7: expected 9 fluxes, found 8"),
        (6, "1 8 6 2 92 SILICON", "a.csv:7: expected 6 fluxes and no more, found \"5.0000E0"),
    ] {
        let message = refused(&creme_file(program, grid, &fluxes));
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn tables_that_are_no_spectrum_are_refused_by_line() {
    let energies = "# a\nenergy_mev,integral_per_cm2_s\n";
    for (text, expected) in [
        ("", "a.csv:1: expected a spectrum, found an empty file"),
        ("\n \n", "a.csv:1: expected a spectrum, found an empty file"),
        ("# a\n# b\n", "a.csv:2: expected a header of energy_mev with integral_per_cm2_s or"),
        ("1,2\n3,1\n5,0\n", "a.csv:1: expected a header of energy_mev"),
        ("energy_kev,integral_per_cm2_s\n", "a.csv:1: expected a header of energy_mev"),
        ("energy_mev,integral_per_ft2_s\n", "a.csv:1: expected a header of energy_mev"),
        ("energy_mev,integral_per_cm2\n", "a.csv:1: expected a header of energy_mev"),
        ("let_mev_cm2_per_mg,differential_per_cm2_s_mev\n", "a.csv:1: expected a header of"),
        ("energy_mev,integral_per_cm2_s,integral_per_m2_s\n", "a.csv:1: expected one integral and"),
        ("LET,diff_Z2_92,diff_Z1_92,int_Z1_92\n", "a.csv:1: expected a comment above the header"),
        ("1,9\n2\n3\n", "a.csv:4: expected 2 cells, as the header has, found 1"),
        ("1,9\n2,x\n3,1\n", "a.csv:4: expected a number, found \"x\""),
        ("1,9\n2,NaN\n3,1\n", "a.csv:4: expected a number, found \"NaN\""),
        ("1,9\n2,inf\n3,1\n", "a.csv:4: expected a number, found \"inf\""),
        ("1,9\n2,-1\n3,1\n", "a.csv:4: expected a flux of 0 or more, found -1"),
        ("1,1e300\n2,2\n3,1\n", "a.csv:3: expected a flux of at most 1e18 cm-2 s-1, found 1e300"),
        ("1,9\n2,2\n1e16,1\n", "a.csv:5: expected an energy that a particle can have, found 1e16"),
        ("1,9\n2,1.5-x\n3,1\n", "a.csv:4: expected a number, found \"1.5-x\""),
        ("1,9\n2,-4\n3,1\n", "a.csv:4: expected a flux of 0 or more, found -4"),
        ("1,9\n2,1e5-4\n3,1\n", "a.csv:4: expected a number, found \"1e5-4\""),
        ("1,9\n2,2026-101\n3,1\n", "a.csv:4: expected a number, found \"2026-101\""),
        ("0,9\n2,3\n3,1\n", "a.csv:3: expected an energy above 0, found 0"),
        ("1,9\n2,3\n2,1\n", "a.csv:5: expected an energy above the 2 before it, found 2"),
        (
            "1,9\n2,3\n3,4\n",
            "a.csv:5: expected an integral flux of at most the 3 before it, found 4",
        ),
        ("1,9\n2,3\n", "a.csv:4: expected 3 points or more, found 2"),
        (energies, "a.csv:2: expected 3 points or more, found 0"),
    ] {
        let rows =
            text.starts_with(|letter: char| letter.is_ascii_digit()) && !text.contains("5,0");
        let message = refused(&if rows { format!("{energies}{text}") } else { text.into() });
        assert!(message.starts_with(expected), "{message}");
    }
    let folder = std::env::temp_dir().join("no-such-folder-of-spectra").join("a.csv");
    assert!(matches!(read(&folder, &Statement::default()), Err(Error::Read { .. })));
}
