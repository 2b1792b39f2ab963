//! A scrub as TOML has it: `{ every_steps = 4, by = "vote" }`, `{ every = "1h", by = "ecc" }` or
//! `{ patrol = "ddr5-ecs", by = "ecc" }`. In an archive a patrol has its period beside its name.

use super::{Period, Scrub, ScrubBy};
use crate::units::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScrubTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every_steps: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patrol: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_saa: Option<Duration>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    random: bool,
    by: ScrubBy,
}

impl TryFrom<ScrubTable> for Scrub {
    type Error = String;

    fn try_from(table: ScrubTable) -> Result<Self, String> {
        let every = match (table.every_steps, table.every) {
            (Some(0), None) => {
                return Err("expected scrub.every_steps of 1 or more, found 0".into());
            }
            (Some(steps), None) => Period::Steps(steps),
            (None, Some(period)) => Period::Seconds(period.0),
            (None, None) if table.patrol.is_some() => Period::OfPatrol,
            (None, None) => {
                let expected =
                    "expected every_steps (campaigns), or every = \"1h\" or patrol (missions)";
                return Err(expected.into());
            }
            (Some(_), Some(_)) => return Err("expected every_steps or every, found both".into()),
        };
        let steps = matches!(every, Period::Steps(_));
        if table.patrol.is_some() && (steps || table.in_saa.is_some() || table.random) {
            return Err("expected patrol, whose period is the memory's, with by alone".into());
        }
        let in_saa_s = table.in_saa.map(|period| period.0);
        if in_saa_s.is_some() && steps {
            return Err("in_saa belongs to a mission, whose scrub has every = \"1h\"".into());
        }
        if table.random && (in_saa_s.is_some() || steps) {
            return Err("random belongs to a mission's scrub with one period".into());
        }
        Ok(Self { every, by: table.by, in_saa_s, random: table.random, patrol: table.patrol })
    }
}

impl From<Scrub> for ScrubTable {
    fn from(scrub: Scrub) -> Self {
        let (every_steps, every) = match scrub.every {
            Period::Steps(steps) => (Some(steps), None),
            Period::Seconds(seconds) => (None, Some(Duration(seconds))),
            Period::OfPatrol => (None, None),
        };
        let in_saa = scrub.in_saa_s.map(Duration);
        let Scrub { by, random, patrol, .. } = scrub;
        Self { every_steps, every, patrol, in_saa, random, by }
    }
}
