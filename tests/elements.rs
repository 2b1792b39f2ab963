//! Files of elements: one satellite in every form, files of several, and what is refused.

use beamline::device::Pattern;
use beamline::environment::orbit::{Orbit, Position};
use beamline::rate::{Environment, OrbitChoice, SatelliteName};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two-line elements of the example of CCSDS 502.0-B-2, figure 4-1.
const GOES_9: &str = "\
1 23581U 95025A   07064.44075725 -.00000113  00000-0  10000-3 0  9250
2 23581   3.0539  81.7939 0005013 249.2363 150.1602  1.00273272 43169
";

const FORMS: [&str; 6] =
    ["two.tle", "two.json", "space-track.json", "two.xml", "two.kvn", "two.csv"];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/elements").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).expect("the data is part of the project")
}

fn track(orbit: &Orbit) -> Vec<Position> {
    orbit.track(orbit.default_start(), 1.0, 60.0).expect("a track")
}

/// The largest distance of two tracks in latitude, longitude (degrees) and radius (km).
fn apart(a: &[Position], b: &[Position]) -> f64 {
    assert_eq!(a.len(), b.len());
    let of = |(a, b): (&Position, &Position)| {
        (a.latitude_deg - b.latitude_deg)
            .abs()
            .max(((a.longitude_deg - b.longitude_deg + 180.0).rem_euclid(360.0) - 180.0).abs())
            .max((a.radius_km - b.radius_km).abs())
    };
    a.iter().zip(b).map(of).fold(0.0, f64::max)
}

#[test]
fn every_form_of_the_same_elements_is_the_same_orbit() {
    for satellite in ["ISS (ZARYA)", "vanguard 1", "25544", "5", "00005"] {
        let read = |name: &str| {
            Orbit::of_elements(Path::new(name), &text(name), Some(satellite)).expect("an orbit")
        };
        let first = read(FORMS[0]);
        for name in &FORMS[1..] {
            let other = read(name);
            assert_eq!(other.name(), first.name(), "{name}");
            let far = apart(&track(&first), &track(&other));
            // Epochs in two-line elements have a resolution of 0.9 ms, a thousandth of a degree.
            assert!(far < 1e-5, "{name}: {far}");
        }
    }
}

#[test]
fn the_message_of_the_standard_is_its_two_line_elements() {
    let path = Path::new("goes-9");
    let message = Orbit::of_elements(path, &text("goes-9.kvn"), None).expect("an orbit");
    let lines = Orbit::of_elements(path, GOES_9, None).expect("an orbit");
    assert_eq!(message.name(), "GOES 9");
    assert_eq!(lines.name(), "catalogue number 23581");
    assert_eq!(message.default_start().to_string(), "2007-03-05T10:34:41.426Z");
    let far = apart(&track(&message), &track(&lines));
    assert!(far < 1e-5, "{far}");
}

#[test]
fn numbers_above_five_digits_begin_with_a_letter() {
    let lines = "1 A0001U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9996\r\n\
                 2 A0001  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452124\r\n";
    let read = |satellite| Orbit::of_elements(Path::new("a.tle"), lines, satellite);
    for satellite in [None, Some("A0001"), Some("100001")] {
        assert_eq!(read(satellite).expect("an orbit").name(), "catalogue number 100001");
    }
    let error = read(Some("I0001")).expect_err("no letter of Alpha-5").to_string();
    assert!(
        error.contains("a satellite of the file: 100001, found satellite \"I0001\""),
        "{error}"
    );
}

#[test]
fn a_file_of_several_satellites_asks_which() {
    for name in FORMS {
        let read = |satellite| {
            let error = Orbit::of_elements(Path::new(name), &text(name), satellite);
            error.expect_err("refused").to_string()
        };
        let list = "25544 ISS (ZARYA), 5 VANGUARD 1";
        let error = read(None);
        assert!(error.starts_with(&format!("{name}:")), "{error}");
        assert!(error.contains("--satellite") && error.contains(list), "{error}");
        let error = read(Some("HST"));
        assert!(error.ends_with(&format!("{list}, found satellite \"HST\"")), "{error}");
    }
}

#[test]
fn messages_are_refused_with_their_line_and_what_would_be_right() {
    let json = text("two.json");
    let xml = text("two.xml");
    let kvn = text("goes-9.kvn");
    let csv = text("two.csv");
    let line = |text: &str, part: &str| {
        1 + text.lines().position(|line| line.contains(part)).expect("a line with it")
    };
    for (name, changed, at, expected) in [
        (
            "a.json",
            json.replace("0.000358", "1.5"),
            line(&json, "0.000358"),
            "expected ECCENTRICITY from 0 to 0.999, found \"1.5\"",
        ),
        (
            "a.json",
            json.replace("\"BSTAR\": 0.0002731,\n", ""),
            2,
            "expected BSTAR in the message of a satellite, found none",
        ),
        (
            "a.json",
            json.replace(
                "\"INCLINATION\": 51.6393",
                "\"INCLINATION\": 51.6393, \"INCLINATION\": 1",
            ),
            line(&json, "51.6393"),
            "expected each keyword once in the message of a satellite, found INCLINATION again",
        ),
        (
            "a.json",
            json.replace("15.50957674", "15.5.1"),
            line(&json, "15.50957674"),
            "expected OMM",
        ),
        (
            "a.xml",
            xml.replace("<REF_FRAME>TEME", "<REF_FRAME>EME2000"),
            line(&xml, "TEME"),
            "expected REF_FRAME of TEME, found \"EME2000\"",
        ),
        ("a.xml", xml.replace("</ndm>", ""), 1, "expected OMM in XML, found "),
        ("a.xml", "<!DOCTYPE html><html></html>".to_owned(), 1, "expected OMM in XML, found "),
        (
            "a.kvn",
            kvn.replace("SGP/SGP4", "DSST"),
            line(&kvn, "SGP/SGP4"),
            "expected MEAN_ELEMENT_THEORY of SGP4 or SGP/SGP4 or SGP, found \"DSST\"",
        ),
        (
            "a.kvn",
            kvn.replace("EPHEMERIS_TYPE = 0", "EPHEMERIS_TYPE = 4"),
            line(&kvn, "EPHEMERIS_TYPE"),
            "expected EPHEMERIS_TYPE of 0 or 2, found \"4\"",
        ),
        ("a.kvn", kvn.replace("GM = ", "GM "), line(&kvn, "GM"), "expected a line of KEYWORD = VA"),
        (
            "a.kvn",
            kvn.replace("2007-064T", "1907-064T"),
            line(&kvn, "EPOCH"),
            "expected a year from 1950 to 2100, found \"1907-064T10:34:41.4264\"",
        ),
        (
            "a.kvn",
            kvn.replace("2007-064T", "2007-366T"),
            line(&kvn, "EPOCH"),
            "expected a day from 001 to 365 of 2007, found \"2007-366T10:34:41.4264\"",
        ),
        (
            "a.kvn",
            kvn.replace("1.00273272", "17.5"),
            line(&kvn, "CCSDS_OMM_VERS"),
            "expected a perigee of 100 km or more, below it decays",
        ),
        ("a.csv", csv.replace(",0.0002731,", ","), 2, "expected OMM in CSV, a row for each"),
        (
            "a.csv",
            csv.replace("ISS (ZARYA)", "ISS\u{1b}[31m"),
            2,
            "expected a name of at most 100 characters, none of them control, found \"ISS\\u{1b}[31m\"",
        ),
    ] {
        let asked = (!name.ends_with("kvn")).then_some("25544");
        let error = Orbit::of_elements(Path::new(name), &changed, asked).expect_err(name);
        let (error, expected) = (error.to_string(), format!("{name}:{at}: {expected}"));
        assert!(error.starts_with(&expected), "{error}\n  for {expected}");
    }
}

#[test]
fn the_flags_and_the_table_of_a_campaign_name_the_same_satellite() {
    let table = |toml: &str| -> OrbitChoice {
        #[derive(serde::Deserialize)]
        struct Table {
            environment: Environment,
        }
        let table: Table = toml::from_str(&format!("[environment]\norbit = {toml}\n")).expect(toml);
        table.environment.orbit
    };
    let elements = PathBuf::from("two.json");
    for (toml, satellite) in [
        ("{ elements = \"two.json\", satellite = 25544 }", Some(SatelliteName::Number(25544))),
        (
            "{ omm = \"two.json\", satellite = \"VANGUARD 1\" }",
            Some(SatelliteName::Text("VANGUARD 1".to_owned())),
        ),
        ("{ tle = \"two.json\" }", None),
    ] {
        let choice = OrbitChoice::Elements { elements: elements.clone(), satellite };
        assert_eq!(table(toml), choice);
        let again = table(&toml::Value::try_from(&choice).expect("TOML").to_string());
        assert_eq!(again, choice, "what is archived is read again");
    }
    let misspelt = "[environment]\norbit = { elements = \"two.json\", satelite = 5 }";
    let error = toml::from_str::<toml::Table>(misspelt).expect("TOML")["environment"]
        .clone()
        .try_into::<Environment>()
        .expect_err("a key that is none");
    assert!(error.to_string().contains("{ elements = "), "{error}");
    let mut environment = Environment::new(table("{ elements = \"two.json\", satellite = 5 }"));
    environment.days = 1.0;
    let folder = file("");
    let conditions = environment.conditions(&folder).expect("an environment");
    assert_eq!(conditions.orbit.name(), "VANGUARD 1");
    environment.orbit = table("{ elements = \"two.json\" }");
    let error = environment.conditions(&folder).expect_err("several satellites").to_string();
    assert!(error.contains("25544 ISS (ZARYA), 5 VANGUARD 1"), "{error}");
}

#[test]
fn a_file_of_elements_and_one_of_a_pattern_are_read_up_to_a_limit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let huge = std::fs::File::create(folder.path().join("huge.toml")).expect("a new file");
    huge.set_len(1 << 40).expect("a file without blocks");
    let orbit = OrbitChoice::Elements { elements: "huge.toml".into(), satellite: None };
    let error = Environment::new(orbit).conditions(folder.path()).expect_err("too large");
    let found = error.to_string();
    assert!(found.ends_with("expected at most 67108864 bytes, found 1099511627776"), "{found}");
    let error = Pattern::find("huge.toml", folder.path()).expect_err("too large").to_string();
    assert!(error.ends_with("expected at most 16777216 bytes, found 1099511627776"), "{error}");
    let latin = folder.path().join("latin.tle");
    std::fs::write(&latin, b"S\xfcd\n").expect("a new file");
    let orbit = OrbitChoice::Elements { elements: latin, satellite: None };
    let error = Environment::new(orbit).conditions(folder.path()).expect_err("no text").to_string();
    let expected = "expected a text of elements, found bytes in line 1 that are no UTF-8";
    assert!(error.ends_with(expected), "{error}");
}

fn orbit(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_beamline"))
        .arg("orbit")
        .args(arguments)
        .output()
        .expect("the binary starts");
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&all).into_owned())
}

#[test]
fn the_command_takes_a_satellite_of_a_file() {
    let path = file("two.xml");
    let path = path.to_str().expect("a path in UTF-8");
    let (code, said) = orbit(&["--elements", path, "--satellite", "25544", "--days", "1"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ISS (ZARYA): 418.4 to 423.3 km"), "{said}");
    let (code, said) = orbit(&["--omm", path]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("25544 ISS (ZARYA), 5 VANGUARD 1"), "{said}");
    let (code, said) = orbit(&["--preset", "iss", "--satellite", "5"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--satellite with --preset"), "{said}");
}
