//! The ways to name an orbit, of which exactly one is used.

use super::super::Failure;
use crate::environment::orbit::{Orbit, OrbitShape};
use crate::rate::{OrbitChoice, SatelliteName};
use crate::report::orbit::wrapped;
use anyhow::anyhow;
use std::path::PathBuf;

/// The ways in words, a line each.
const WAYS: &str = "  --preset NAME
  --altitude-km X --inclination-deg Y
  --altitude-km X --local-time-of-node-h H   (sun-synchronous)
  --perigee-km P --apogee-km A --inclination-deg Y [--argument-of-perigee-deg W]
  --elements FILE [--satellite NAME|NUMBER]   (TLE or OMM)";

/// The orbit.
#[derive(Debug, clap::Args)]
pub(super) struct Ways {
    /// The orbit: the name of a preset, see --list.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// The orbit: the altitude of a circle, in km.
    #[arg(long, value_name = "KM", allow_hyphen_values = true)]
    altitude_km: Option<f64>,
    /// Its inclination, 0 to 180 degrees.
    #[arg(long, value_name = "DEG", allow_hyphen_values = true)]
    inclination_deg: Option<f64>,
    /// In place of the inclination, of a sun-synchronous orbit: hours of local time at its node.
    #[arg(long, value_name = "H", allow_hyphen_values = true)]
    local_time_of_node_h: Option<f64>,
    /// The orbit: the lowest altitude of an ellipse, in km.
    #[arg(long, value_name = "KM", allow_hyphen_values = true)]
    perigee_km: Option<f64>,
    /// The highest altitude of the ellipse, in km.
    #[arg(long, value_name = "KM", allow_hyphen_values = true)]
    apogee_km: Option<f64>,
    /// Where its perigee is: degrees past the ascending node.
    #[arg(long, value_name = "DEG", allow_hyphen_values = true)]
    argument_of_perigee_deg: Option<f64>,
    /// The orbit: a file of elements, TLE or OMM (JSON, XML, KVN, CSV).
    #[arg(long, value_name = "FILE", visible_aliases = ["tle", "omm"])]
    elements: Option<PathBuf>,
    /// Which satellite of the file, by its name or catalogue number.
    #[arg(long, value_name = "NAME|NUMBER")]
    satellite: Option<String>,
}

/// The way that was chosen.
#[derive(Debug)]
pub(super) struct Way(OrbitChoice);

impl Way {
    /// Whether the orbit is given by its altitudes.
    pub(super) const fn is_shape(&self) -> bool {
        matches!(self.0, OrbitChoice::Shape(_))
    }

    /// The orbit as the environment takes it.
    pub(super) fn choice(self) -> OrbitChoice {
        self.0
    }
}

impl Ways {
    /// The one way that was used.
    ///
    /// # Errors
    /// None, several, or a part of one.
    pub(super) fn way(&self) -> Result<Way, Failure> {
        self.given().map(Way)
    }

    fn given(&self) -> Result<OrbitChoice, Failure> {
        let given = [
            ("--preset", self.preset.is_some()),
            ("--altitude-km", self.altitude_km.is_some()),
            ("--perigee-km", self.perigee_km.is_some()),
            ("--elements", self.elements.is_some()),
        ];
        let given: Vec<&str> = given.iter().filter(|(_, is)| *is).map(|(way, _)| *way).collect();
        if given.len() > 1 {
            return Err(refused(&format!("found {}", given.join(" and "))));
        }
        let parts = [
            ("--inclination-deg", self.inclination_deg.is_some()),
            ("--local-time-of-node-h", self.local_time_of_node_h.is_some()),
            ("--apogee-km", self.apogee_km.is_some()),
            ("--argument-of-perigee-deg", self.argument_of_perigee_deg.is_some()),
            ("--satellite", self.satellite.is_some()),
        ];
        let only =
            |allowed: &[&str]| match parts.iter().find(|(part, is)| *is && !allowed.contains(part))
            {
                Some((part, _)) => Err(refused(&match given.first() {
                    Some(way) => format!("found {part} with {way}"),
                    None => format!("found {part} alone"),
                })),
                None => Ok(()),
            };
        if let Some(name) = &self.preset {
            only(&[])?;
            return Ok(OrbitChoice::Preset(name.clone()));
        }
        if let Some(elements) = &self.elements {
            only(&["--satellite"])?;
            let satellite = self.satellite.clone().map(SatelliteName::Text);
            return Ok(OrbitChoice::Elements { elements: elements.clone(), satellite });
        }
        if let Some(altitude_km) = self.altitude_km {
            only(&["--inclination-deg", "--local-time-of-node-h"])?;
            return match (self.inclination_deg, self.local_time_of_node_h) {
                (Some(inclination_deg), None) => {
                    Ok(OrbitChoice::Shape(OrbitShape::Circular { altitude_km, inclination_deg }))
                }
                (None, Some(local_time_of_node_h)) => {
                    Ok(OrbitChoice::Shape(OrbitShape::SunSynchronous {
                        altitude_km,
                        local_time_of_node_h,
                    }))
                }
                (Some(_), Some(_)) => Err(refused(
                    "found both --inclination-deg and --local-time-of-node-h, which sets it",
                )),
                (None, None) => Err(refused("found --altitude-km alone")),
            };
        }
        if let Some(perigee_km) = self.perigee_km {
            only(&["--inclination-deg", "--apogee-km", "--argument-of-perigee-deg"])?;
            let (Some(apogee_km), Some(inclination_deg)) = (self.apogee_km, self.inclination_deg)
            else {
                return Err(refused("found --perigee-km without the rest of the ellipse"));
            };
            let argument_of_perigee_deg = self.argument_of_perigee_deg.unwrap_or(0.0);
            return Ok(OrbitChoice::Shape(OrbitShape::Elliptic {
                perigee_km,
                apogee_km,
                inclination_deg,
                argument_of_perigee_deg,
            }));
        }
        only(&[])?;
        Err(refused("found none"))
    }
}

fn refused(found: &str) -> Failure {
    let presets: Vec<&str> = Orbit::presets().iter().map(|preset| &*preset.name).collect();
    Failure::input(anyhow!(
        "expected exactly one way to give the orbit, {found}; the ways are\n{WAYS}\nand the \
         presets\n{}",
        wrapped(&presets.join(", "), 2)
    ))
}
