//! Tests of what spectra of other tools say of themselves, with the headers of real files: SPENVIS
//! 4.6.13 (github.com/tdloveless/me-radfx, Apache-2.0) and CREME96 version 200 (PRBEM/IRBEM-extras,
//! `csda_rpp/data`, MIT), their tables cut to a few rows.

use super::*;
use crate::environment::exchange::{ions, protons};

fn proton_import(text: &str, said: &str) -> Result<Import, String> {
    import(text, said, protons)
}

/// Behind 2.54 mm of aluminium, 100 mil.
fn ion_import(text: &str, said: &str) -> Result<Import, String> {
    import(text, said, |path, said| ions(path, said, 2.54))
}

/// Reads a text through a file, as a user does; messages begin after its name.
fn import(
    text: &str,
    said: &str,
    read: impl Fn(&Path, &Statement) -> Result<Import, Error>,
) -> Result<Import, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.txt");
    std::fs::write(&path, text).expect("a new file");
    let said = if said.is_empty() { Statement::default() } else { statement(said) };
    let after_name = |error: Error| {
        let message = error.to_string();
        message.split_once("a.txt:").map_or(message.clone(), |(_, after)| after.to_owned())
    };
    read(&path, &said).map_err(after_name)
}

fn said(import: Result<Import, String>) -> String {
    import.unwrap_or_else(|error| panic!("{error}")).origin.is.to_string()
}

fn why(import: Result<Import, String>) -> String {
    import.expect_err("a spectrum to refuse")
}

/// A block of SPENVIS: its module, species, annotations, quantities and rows.
fn spenvis(
    module: &str,
    species: &str,
    annotations: &[&str],
    quantities: &[&str],
    rows: &[&str],
) -> String {
    let mut header: Vec<String> = [
        "'SPENVIS 4.6.13.3554          - 18-Sep-2025 21:06:52'",
        "'PRJ_DEF', -1,'RADFX2'",
        &format!("'MOD_ABB', -1,'{module}'"),
        "'MIS_NTR',  1,    1,' '",
        "'ORB_APO',  1, 7.000000E+04,'km'",
        species,
        "'PS Annotation',  8,  2",
        "'Nr. of segments:   1'",
        " 0.05, 1.50, 0.00",
    ]
    .map(str::to_owned)
    .to_vec();
    for text in annotations {
        header.extend([format!("'{text}'"), " 0.05, 2.00, 0.00".to_owned()]);
    }
    header.extend(quantities.iter().map(|text| (*text).to_owned()));
    let columns = rows.first().map_or(0, |row| row.split(',').count());
    format!(
        "'*', {}, 1, 33, 37, {}, {columns}, {}, 0\n{}\n{}\n'End of Block'\n",
        header.len() + 1,
        quantities.len(),
        rows.len(),
        header.join("\n"),
        rows.join("\n")
    )
}

const PROTON: &str = "'SPECIES', -1,'proton'";
const HEO: [&str; 3] = [
    "  1.0000E+01,  1.1736E+03,  1.9662E+02",
    "  1.0000E+02,  1.2821E+02,  1.5727E+00",
    "  4.0000E+02,  5.6133E+00,  1.3035E-02",
];
const TRAPPED: [&str; 3] = [
    "'Energy','MeV', 1,'Energy'",
    "'IFlux','cm!u-2!n s!u-1!n', 1,'Integral Flux'",
    "'DFlux','cm!u-2!n s!u-1!n MeV!u-1!n', 1,'Differential Flux'",
];

fn heo(segment: &str) -> String {
    spenvis("TRP", PROTON, &[segment, "Trapped proton model: AP-8 MIN"], &TRAPPED, &HEO)
}

#[test]
fn the_digest_is_that_of_the_file() {
    // `printf abc | sha256sum`
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256(b"abc"), expected);
}

#[test]
fn spenvis_says_what_its_module_computed() {
    let one = heo("Segment  1: HEO");
    let import = proton_import(&one, "").expect("trapped protons");
    assert_eq!(import.points[0], (10.0, 1173.6));
    assert_eq!(import.origin.is, statement("trapped, before-shield, mean, segment=1"));
    assert_eq!(
        import.origin.to_string(),
        format!(
            "file a.txt of SPENVIS: trapped, before-shield, mean, segment=1; Energy in MeV and \
             IFlux in cm-2 s-1; {} bytes, SHA-256 {}",
            one.len(),
            sha256(one.as_bytes())
        )
    );
    let found = why(proton_import(&one, "trapped-and-cosmic"));
    assert_eq!(
        found,
        "1: expected trapped, as the file says, found trapped-and-cosmic, said of it"
    );

    let flare = [
        "'Energy','MeV', 1,'Energy'",
        "'IFlux','m!u-2!n sr!u-1!n s!u-1!n', 1,'Integral Flux'",
        "'DFlux','m!u-2!n sr!u-1!n s!u-1!n MeV!u-1!n', 1,'Differential Flux'",
    ];
    let flare = spenvis("FLA", PROTON, &["Solar particle model: CREME-96"], &flare, &HEO);
    let found = why(proton_import(&flare, ""));
    assert!(
        found.starts_with("1: expected trapped protons (proton spectrum), found solar particles"),
        "{found}"
    );
    let years = ["'Energy','MeV', 1,'Energy'", "'IFlux','cm!u-2!n', 1,'Integral Fluence'"];
    let two = HEO.map(|row| &row[..25]);
    let years = spenvis("SEP", PROTON, &["Confidence level: 95.000%"], &years, &two);
    let found = why(proton_import(&years, ""));
    assert!(found.ends_with("(no fluence), found \"cm!u-2!n\", a fluence"), "{found}");
    let cosmic = [
        "'Energy','MeV/n', 1,'Energy'",
        "'IFlux','m!u-2!n sr!u-1!n s!u-1!n', 2,'Integral Flux of ','SPECIES'",
    ];
    let ions = "'SPECIES', -2,'H ','He'";
    let cosmic = spenvis("GCR", ions, &["Ion range: H  - U"], &cosmic, &HEO);
    let found = why(proton_import(&cosmic, ""));
    assert!(
        found.contains("found 1 block of galactic cosmic rays, which beamline counts"),
        "{found}"
    );
    let unknown = heo("Segment  1: HEO").replace("'TRP'", "'XYZ'");
    let found = why(proton_import(&unknown, "trapped"));
    assert_eq!(
        found,
        "1: expected in `is` of proton_spectrum (--proton-spectrum-is), if it is true: \
         before-shield, mean, found a file that does not say it"
    );
    assert!(proton_import(&unknown, "trapped, before-shield, mean").is_ok());
}

#[test]
fn a_segment_of_several_is_chosen() {
    let second = heo("Segment  2: LEO").replace("1.1736E+03", "2.0000E+03");
    let both = format!("{}{second}", heo("Segment  1: HEO"));
    let import = proton_import(&both, "segment=2").expect("the second segment");
    assert_eq!(import.points[0], (10.0, 2000.0));
    let found = why(proton_import(&both, ""));
    let expected = "expected a word such as segment=1 that chooses one (or leave one in the file), \
                    found Segment  1: HEO; Segment  2: LEO";
    assert!(found.ends_with(expected), "{found}");
    let found = why(proton_import(&both, "segment=3"));
    assert!(
        found.ends_with("expected segment 3, found Segment  1: HEO; Segment  2: LEO"),
        "{found}"
    );
    let found = why(proton_import(&format!("{both}{second}"), "segment=2"));
    assert!(found.contains("expected one block of protons or of LET"), "{found}");
}

#[test]
fn a_let_file_of_spenvis_names_its_lightest_ion() {
    let columns = [
        "'LET','MeV cm!u2!n g!u-1!n', 1,'LET'",
        "'IFlux','m!u-2!n sr!u-1!n s!u-1!n', 1,'Integral Flux'",
        "'DFlux','m!u-2!n sr!u-1!n s!u-1!n (MeV cm!u2!n g!u-1!n)!u-1!n', 1,'Differential Flux'",
    ];
    let file = |ions: &str| spenvis("LET", "'SPECIES', -1,'all'", &[ions], &columns, &HEO);
    let whole = "behind-shield, mean, shield=2.54";
    let found =
        why(ion_import(&file("Ion range: H  - U                     index: M =9677"), whole));
    assert!(found.contains("expected a LET spectrum from Z = 2 on (LET spectrum), found one from"));
    assert!(found.contains("begin at helium"), "{found}");
    let import = ion_import(&file("Ion range: He - U"), whole);
    assert_eq!(said(import), "from-helium, behind-shield, mean, shield=2.54");
    let found = why(ion_import(&file("Ion range: He - U"), ""));
    assert!(found.contains("if it is true: behind-shield, mean, found a file"), "{found}");
    let found = why(ion_import(&heo("Segment  1: HEO"), ""));
    assert!(found.contains("expected a LET spectrum (LET spectrum), found protons"), "{found}");
}

const FLX: &str = " 8 q800a90i.FLX                                                           200 3
 %Created by CREME96:FLUX_DRIVER Version  200 on 02-Mar-22 at 06:55:00
 %IMODE  =   0 SOLAR-QUIET MODE: YEAR =  1977.0000
 %ITRANS =   2 INSIDE MAGNETOSPHERE/TRAPPED PROTONS INCLUDED
 %Relative dwell time =  .1000E+01
 %INPUT TRAPPED PROTON FILE:            q800a90i_ave.trp
 %AP8MIN IMOD = 0 IPRECALC = 0
 % 1.0000E+00  4.6088E+05
 1.0000E-01  1.0000E+05   6      1     92  UNSHIELDED    1977.000  0 2  200 3

 0.0000E+00  2.2552E+05  2.2258E+05  6.0961E+00  3.5982E-01  4.4035E-05

 0.0000E+00  0.0000E+00  0.0000E+00  0.0000E+00  0.0000E+00  0.0000E+00
";

#[test]
fn fluxes_of_creme96_say_whether_they_hold_cosmic_rays() {
    let import = proton_import(FLX, "").expect("trapped and cosmic protons");
    assert!(import.has_cosmic());
    assert_eq!(said(Ok(import.clone())), "trapped-and-cosmic, before-shield, mean");
    let other_number = FLX.replace("200 3", "210 1");
    assert_eq!(proton_import(&other_number, "").map(|import| import.points), Ok(import.points));

    let cosmic = FLX.replace("1977.000  0 2", "1977.000  0 1");
    let found = why(proton_import(&cosmic, ""));
    let expected = "9: expected trapped protons (proton spectrum), found cosmic rays alone, which \
                    beamline counts by its own model already";
    assert_eq!(found, expected);
    let event = FLX.replace("1977.000  0 2", "1977.000  2 2");
    let found = why(proton_import(&event, ""));
    assert!(
        found.contains("expected a mean over the orbit (proton spectrum), found a solar event")
    );
    let peak = FLX.replace("_ave.trp", "_pk.trp");
    let found = why(proton_import(&peak, ""));
    assert!(found.ends_with("found the highest flux on it"), "{found}");
    for unsaid in [FLX.replace("_ave.trp", ".trp"), FLX.replace(".1000E+01", ".2000E+00")] {
        let found = why(proton_import(&unsaid, ""));
        assert!(found.contains("if it is true: mean, found a file"), "{found}");
        assert!(proton_import(&unsaid, "mean").is_ok());
    }
    let behind = FLX.replace("200 3", "200 4");
    let found = why(proton_import(&behind, ""));
    assert!(found.contains("found fluxes behind the shield (.TFX, program 4)"), "{found}");
    let found = why(proton_import(&FLX.replace("200 3", "200 2"), ""));
    assert!(found.ends_with("found a geomagnetic transmission (.GTF, program 2)"), "{found}");
}

#[test]
fn trapped_protons_of_creme96_are_read() {
    let file = " 2 q800a90i_ave.TRP                                     210 1
 %Created by CREME96:TRAPPED_DRIVER Version  210 on 02-Mar-22 at 06:50:04
 %AP8MIN IMOD = 0 IPRECALC = 0
 1.0000E+00  1.0000E+03   4      1      1  UNSHIELDED    1964.000 29  210 1
 8.0000E+00  4.0000E+00  2.0000D+00  6.114-109
";
    let import = proton_import(file, "").expect("trapped protons");
    assert_eq!(import.origin.is, statement("trapped, before-shield, mean"));
    let read = parse(Path::new("a.trp"), file, &Statement::default()).expect("a spectrum");
    assert_eq!(read.0, Spectrum::ProtonIntegral(import.points.clone()));
    let four_pi = 4.0 * PI * 1e-4;
    let between =
        |low: f64, high: f64, ends: (f64, f64)| four_pi * trapezium((low, ends.0), (high, ends.1));
    let expected = between(1.0, 10.0, (8.0, 4.0)) + between(10.0, 100.0, (4.0, 2.0));
    assert!(close(import.points[0].1, expected, 1e-2), "{} {expected}", import.points[0].1);
    assert!(import.points[2].1 > 0.0 && import.points[3].1 == 0.0);
    let found = why(proton_import(&file.replace("_ave.TRP", "_PK.TRP"), ""));
    assert!(found.ends_with("found the highest flux on it"), "{found}");
}

#[test]
fn let_spectra_of_creme96_say_their_shield_and_their_ions() {
    let file = " 7 q800a90i100Z2.DLT                                                      200 6
 %Created by CREME96:LETSPEC_DRIVER Version  200 on 02-Mar-22 at 08:19:43
 %TARGET MATERIAL = SILICON
 %Input File to LETSPEC_DRIVER: q800a90i100.tfx
 %Thickness =   100.0000 mils      ALUMINUM
 %Input File to TRANSPORT_DRIVER: q800a90i.flx
 %IMODE  =   0 SOLAR-QUIET MODE: YEAR =  1977.0000
 %ITRANS =   2 INSIDE MAGNETOSPHERE/TRAPPED PROTONS INCLUDED
 1.0000E+00  1.0000E+03   4      2     92  SILICON                      200 6

 2.9332E+01  1.5290E+02  1.7450E-02  9.1220E-15
";
    let ions_by_let = ion_import(file, "").expect("ions by LET");
    assert_eq!(said(Ok(ions_by_let.clone())), "from-helium, behind-shield, mean, shield=2.54");
    assert!(ions_by_let.origin.units.contains("of Z from 2 to 92"));
    for (from, to, message) in [
        (
            "2     92",
            "1     92",
            "found one from Z = 1, whose upsets the proton term counts already",
        ),
        ("2     92", "6     92", "expected ions from Z = 2 on, found Z from 6, without helium"),
        ("IMODE  =   0", "IMODE  =   2", "found a solar event"),
        ("%IMODE", "%MODE", "in `is` of let_spectrum (--let-spectrum-is), if it is true: mean"),
        ("100.0000", "200.0000", "found one behind 5.08 mm"),
        ("%Thickness", "%Thick", "if it is true: behind-shield, found a file"),
    ] {
        let found = why(ion_import(&file.replace(from, to), ""));
        assert!(found.contains(message), "{found}");
    }
    let bare = file.replace("%Thickness", "%Thick").replace("q800a90i100.tfx", "q800a90i.flx");
    let found = why(ion_import(&bare, ""));
    let expected = "expected a LET spectrum behind the 2.54 mm of aluminium of shielding_mm_al \
                    (--shielding-mm-al), found one behind 0 mm";
    assert!(found.ends_with(expected), "{found}");
    let none = import(&bare, "", |path, said| ions(path, said, 0.0));
    assert_eq!(said(none), "from-helium, before-shield, mean");
    let by_mass = file.replace("100.0000 mils", "0.6858 g/cm2");
    assert!(ion_import(&by_mass, "").is_ok());
    let steel = file.replace("ALUMINUM", "IRON");
    assert_eq!(said(ion_import(&steel, "")), "from-helium, behind-shield, mean");
}

#[test]
fn a_csv_table_says_in_a_comment_what_it_is() {
    let rows = "energy_mev,integral_per_cm2_s\n10,30\n20,20\n40,5\n";
    let found = why(proton_import(rows, ""));
    let expected = "1: expected in `is` of proton_spectrum (--proton-spectrum-is), if it is true: \
                    trapped or trapped-and-cosmic, before-shield, mean, found a file that does not \
                    say it";
    assert_eq!(found, expected);
    assert!(proton_import(rows, "trapped, before-shield, mean").is_ok());
    let own = format!("# of AP9\n# is: trapped, before-shield, mean, margin=2\n{rows}");
    let import = proton_import(&own, "").expect("trapped protons");
    assert_eq!(import.points[0], (10.0, 15.0));
    for (is, message) in [
        ("trapped, behind-shield, mean", "found fluxes behind it, which the shield would weaken"),
        ("from-helium, before-shield, mean", "expected trapped or trapped-and-cosmic (proton"),
        ("trapped, before-shield, peak", "found the highest flux on it"),
        ("cosmic, before-shield, mean", "found cosmic rays alone"),
        ("beautiful", "2: expected words among trapped, trapped-and-cosmic, cosmic, solar"),
        ("trapped\n# is: cosmic", "3: expected one comment \"# is: …\", found a second one"),
    ] {
        let found = why(proton_import(&format!("# of AP9\n# is: {is}\n{rows}"), ""));
        assert!(found.contains(message), "{found}");
    }
    let lets = "# is: trapped, behind-shield, mean\nlet_mev_cm2_per_mg,integral_per_cm2_s\n";
    let found = why(ion_import(&format!("{lets}1,9\n2,5\n3,2\n4,1\n"), ""));
    assert!(found.contains("expected from-helium (LET spectrum), found the word of a proton"));
}
