//! DateForm, durations and sizes in words.

use chrono::{DateTime, Datelike, Utc};
use icu_plurals::{PluralCategory, PluralRuleType, PluralRules};
use serde::Serialize;

use super::data::{DateForm, Unit, Words};
use super::filling::fill;

/// A date for machines and for people.
#[derive(Debug, Clone, Serialize)]
pub struct Day {
    /// RFC 3339.
    pub machine: String,
    /// As in `2 May 2024`.
    pub people: String,
}

impl DateForm {
    /// The day of an instant, in UTC.
    fn written(&self, date: DateTime<Utc>) -> String {
        let month = usize::try_from(date.month0()).ok().and_then(|month| self.months.get(month));
        let (day, year) = (date.day().to_string(), date.year().to_string());
        fill(&self.pattern, &[("day", &day), ("month", month.map_or("", String::as_str)), ("year", &year)])
    }
}

impl Words {
    /// The day of an instant, in UTC.
    pub fn day(&self, date: DateTime<Utc>) -> Day {
        Day { machine: machine_date(date), people: self.date.written(date) }
    }

    /// A duration in words, to the minute if it is a minute or more.
    pub fn duration(&self, seconds: u32) -> String {
        if seconds < 60 {
            return self.count(&self.amounts.second, u64::from(seconds));
        }
        let minutes = seconds.saturating_add(30) / 60;
        let parts = [(minutes / 60, &self.amounts.hour), (minutes % 60, &self.amounts.minute)];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        parts.map(|(number, unit)| self.count(unit, u64::from(number))).collect::<Vec<_>>().join(" ")
    }

    /// A number of bytes in decimal units, with at least two digits.
    pub fn size(&self, bytes: u64) -> String {
        let amounts = &self.amounts;
        let units = [(&amounts.gigabyte, 1_000_000_000), (&amounts.megabyte, 1_000_000), (&amounts.kilobyte, 1_000)];
        let Some((pattern, unit)) = units.into_iter().find(|(_, unit)| bytes >= *unit) else {
            return self.count(&amounts.byte, bytes);
        };
        let tenths = bytes / (unit / 10);
        let number = if tenths < 100 {
            format!("{}{}{}", tenths / 10, amounts.decimal, tenths % 10)
        } else {
            (tenths / 10).to_string()
        };
        fill(pattern, &[("n", &number)])
    }

    /// A whole number of units, in the form that the language has for it.
    fn count(&self, unit: &Unit, number: u64) -> String {
        let form = unit.get(self.category(number)).or_else(|| unit.get("other"));
        fill(form.map_or("{n}", String::as_str), &[("n", &number.to_string())])
    }

    /// The plural category of a number by the CLDR.
    fn category(&self, number: u64) -> &'static str {
        let rules = self.language.parse().ok().and_then(|language: icu_locale_core::Locale| {
            PluralRules::try_new(language.into(), PluralRuleType::Cardinal.into()).ok()
        });
        match rules.map(|rules| rules.category_for(number)) {
            Some(PluralCategory::Zero) => "zero",
            Some(PluralCategory::One) => "one",
            Some(PluralCategory::Two) => "two",
            Some(PluralCategory::Few) => "few",
            Some(PluralCategory::Many) => "many",
            Some(PluralCategory::Other) | None => "other",
        }
    }
}

/// RFC 3339.
pub fn machine_date(date: DateTime<Utc>) -> String {
    date.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A duration by ISO 8601.
pub fn machine_duration(seconds: u32) -> String {
    format!("PT{seconds}S")
}
