//! Serde functions (`#[serde(with = "timezone_form")]`) for a time zone.

use chrono_tz::{TZ_VARIANTS, Tz};
use serde::{Deserialize, Deserializer};

pub use super::text_form::serialize;

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let city = |zone: &&Tz| zone.name().rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&text));
        let hint = TZ_VARIANTS.iter().find(city).filter(|zone| zone.name().contains('/')).map_or_else(
            || "use one such as \"Europe/Berlin\"".to_owned(),
            |zone| format!("did you mean \"{}\"?", zone.name()),
        );
        serde::de::Error::custom(format!("`{text}`: not a time zone: {hint}"))
    })
}
