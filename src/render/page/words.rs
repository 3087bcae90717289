//! What people read of numbers, dates and languages.

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

/// A number of seconds, to the minute where there are some.
pub fn duration(seconds: u32) -> String {
    let counted = |number: u32, unit: &str| match number {
        0 => None,
        1 => Some(format!("1 {unit}")),
        _ => Some(format!("{number} {unit}s")),
    };
    if seconds < 60 {
        return counted(seconds, "second").unwrap_or_else(|| "0 seconds".to_owned());
    }
    let minutes = seconds.saturating_add(30) / 60;
    let parts = [counted(minutes / 60, "hour"), counted(minutes % 60, "minute")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A number of seconds as machines read it (ISO 8601).
pub fn machine_duration(seconds: u32) -> String {
    format!("PT{seconds}S")
}

/// A number of bytes, in units of a thousand and with two figures at least.
pub fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let Some((name, unit)) = units.into_iter().find(|(_, unit)| bytes >= *unit) else {
        return format!("{bytes} bytes");
    };
    let tenths = bytes / (unit / 10);
    if tenths < 100 { format!("{}.{} {name}", tenths / 10, tenths % 10) } else { format!("{} {name}", tenths / 10) }
}

/// Languages that are written from right to left unless they say otherwise, and scripts that are.
const RIGHT_TO_LEFT: [&str; 24] = [
    "ar", "arc", "arz", "bal", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "mzn", "nqo", "pnb", "ps", "sd",
    "syr", "ug", "ur", "yi", "lrc", "azb", "rhg",
];
const SCRIPTS: [&str; 9] = ["arab", "aran", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg", "mand"];

/// `rtl` or `ltr`, of a BCP 47 tag.
pub fn direction(language: &str) -> &'static str {
    let mut parts = language.split('-');
    let primary = parts.next().unwrap_or_default().to_ascii_lowercase();
    let script = parts.find(|part| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let is_right_to_left = match script {
        Some(script) => SCRIPTS.contains(&script.to_ascii_lowercase().as_str()),
        None => RIGHT_TO_LEFT.contains(&primary.as_str()),
    };
    if is_right_to_left { "rtl" } else { "ltr" }
}

/// Whether a BCP 47 tag says that it is the language of these pages' own words.
pub fn is_english(language: &str) -> bool {
    language.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case("en"))
}

/// A language with its region as Open Graph writes it; a language alone it does not take.
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
    fn numbers_in_words() {
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
    fn languages_have_a_direction_and_some_a_locale() {
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
