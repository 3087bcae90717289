//! Serde functions (`#[serde(with = "timezone_form")]`) for a time zone.

use chrono_tz::{TZ_VARIANTS, Tz};
use serde::{Deserialize, Deserializer};

pub use super::text_form::serialize;

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let city = |zone: &&Tz| zone.name().rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&text));
        let meant = TZ_VARIANTS.iter().find(city).filter(|zone| zone.name().contains('/'));
        serde::de::Error::custom(meant.map_or_else(
            || format!("`{text}`: not a time zone: use one such as \"Europe/Berlin\""),
            |zone| format!("`{text}`: not a time zone: did you mean \"{}\"?", zone.name()),
        ))
    })
}
