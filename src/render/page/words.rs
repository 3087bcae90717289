//! Numbers, dates and languages in words.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A date for machines and for people.
#[derive(Debug, Clone, Serialize)]
pub struct Day {
    /// RFC 3339.
    pub machine: String,
    /// As in `2 May 2024`.
    pub people: String,
}

impl Day {
    /// The day of an instant, in UTC.
    pub fn of(date: DateTime<Utc>) -> Self {
        Self { machine: date.format("%Y-%m-%dT%H:%M:%SZ").to_string(), people: date.format("%-d %B %Y").to_string() }
    }
}

/// A duration in words, to the minute if it is a minute or more.
pub fn duration(seconds: u32) -> String {
    let count = |number: u32, unit: &str| match number {
        0 => None,
        1 => Some(format!("1 {unit}")),
        _ => Some(format!("{number} {unit}s")),
    };
    if seconds < 60 {
        return count(seconds, "second").unwrap_or_else(|| "0 seconds".to_owned());
    }
    let minutes = seconds.saturating_add(30) / 60;
    let parts = [count(minutes / 60, "hour"), count(minutes % 60, "minute")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A duration by ISO 8601.
pub fn machine_duration(seconds: u32) -> String {
    format!("PT{seconds}S")
}

/// A number of bytes in decimal units, with at least two digits.
pub fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let Some((name, unit)) = units.into_iter().find(|(_, unit)| bytes >= *unit) else {
        return format!("{bytes} bytes");
    };
    let tenths = bytes / (unit / 10);
    if tenths < 100 { format!("{}.{} {name}", tenths / 10, tenths % 10) } else { format!("{} {name}", tenths / 10) }
}

/// Languages written from right to left unless their tag names another script.
const RIGHT_TO_LEFT: [&str; 24] = [
    "ar", "arc", "arz", "bal", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "mzn", "nqo", "pnb", "ps", "sd",
    "syr", "ug", "ur", "yi", "lrc", "azb", "rhg",
];
/// Scripts written from right to left.
const RIGHT_TO_LEFT_SCRIPTS: [&str; 9] = ["arab", "aran", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg", "mand"];

/// `rtl` or `ltr` for a BCP 47 tag.
pub fn direction(language: &str) -> &'static str {
    let mut parts = language.split('-');
    let primary = parts.next().unwrap_or_default().to_ascii_lowercase();
    let script = parts.find(|part| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let is_right_to_left = match script {
        Some(script) => RIGHT_TO_LEFT_SCRIPTS.contains(&script.to_ascii_lowercase().as_str()),
        None => RIGHT_TO_LEFT.contains(&primary.as_str()),
    };
    if is_right_to_left { "rtl" } else { "ltr" }
}

/// Whether a BCP 47 tag names English, the language of the program's own words.
pub fn is_english(language: &str) -> bool {
    language.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case("en"))
}

/// Open Graph's form of a language with its region; it has none for a language alone.
pub fn locale(language: &str) -> Option<String> {
    let mut parts = language.split('-');
    let primary = parts.next()?.to_ascii_lowercase();
    let region = parts.find(|part| part.len() == 2)?.to_ascii_uppercase();
    Some(format!("{primary}_{region}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_written_in_words() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (3_599, "1 hour"),
            (3_720, "1 hour 2 minutes"),
            (7_200, "2 hours"),
        ] {
            assert_eq!(duration(seconds), words);
        }
        for (bytes, words) in [
            (2, "2 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (12_345_678, "12 MB"),
            (1_234_567, "1.2 MB"),
            (5_600_000_000, "5.6 GB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }

    #[test]
    fn a_language_has_a_direction_and_with_a_region_a_locale() {
        for (language, expected) in [
            ("ar", "rtl"),
            ("AR-EG", "rtl"),
            ("ar-Latn", "ltr"),
            ("az-Arab", "rtl"),
            ("he", "rtl"),
            ("de", "ltr"),
            ("", "ltr"),
        ] {
            assert_eq!(direction(language), expected, "{language}");
        }
        assert_eq!(locale("pt-BR").as_deref(), Some("pt_BR"));
        assert_eq!(locale("zh-Hant-TW").as_deref(), Some("zh_TW"));
        assert_eq!(locale("en"), None);
        assert!(is_english("en-GB") && is_english("EN") && !is_english("eng") && !is_english(""));
    }
}
