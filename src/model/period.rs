//! All articles by date: years, months, and the title of each article on a line.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::collection::{ArticleLine, ListLookup};

/// A part of the time in which articles were published, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DateRange {
    All,
    Year(i32),
    /// A month from 1 to 12.
    Month(i32, u32),
}

impl DateRange {
    /// Parses the last part of the path of its page: empty, `2026` or `2026/05`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str, digits| {
            let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|_| is_number)
        };
        let year = |text| number(text, 4).and_then(|year| i32::try_from(year).ok());
        match text.split_once('/') {
            None if text.is_empty() => Some(Self::All),
            None => year(text).map(Self::Year),
            Some((of, month)) => {
                let month = number(month, 2).filter(|month| (1..=12).contains(month));
                year(of).zip(month).map(|(year, month)| Self::Month(year, month))
            }
        }
    }

    /// The seconds of its start and of its end, which is not part of it.
    pub fn bounds(self) -> (i64, i64) {
        let start = |year, month| {
            let day = NaiveDate::from_ymd_opt(year, month, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
            day.map_or(i64::MAX, |day| day.and_utc().timestamp())
        };
        match self {
            Self::All => (i64::MIN, i64::MAX),
            Self::Year(year) => (start(year, 1), start(year + 1, 1)),
            Self::Month(year, 12) => (start(year, 12), start(year + 1, 1)),
            Self::Month(year, month) => (start(year, month), start(year, month + 1)),
        }
    }

    /// The part of it, one level smaller, in which a date lies; `None` for a month.
    pub fn part_at(self, date: DateTime<Utc>) -> Option<Self> {
        match self {
            Self::All => Some(Self::Year(date.year())),
            Self::Year(_) => Some(Self::Month(date.year(), date.month())),
            Self::Month(..) => None,
        }
    }
}

/// The articles of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeriodArticles {
    /// The parts of the period that have articles, the newest first, each with their number. A month has none.
    pub parts: Vec<(DateRange, u64)>,
    /// The newest articles, newest first, up to a number.
    pub lines: Vec<ArticleLine>,
    /// Number of the newest archive of the site, for the list of all articles.
    pub archive: Option<u32>,
    /// The place of the first article that `lines` lack.
    pub rest: Option<Rest>,
    /// When an article of the site last changed.
    pub changed: DateTime<Utc>,
}

/// Where a list of titles continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// On the page of this part.
    Part(DateRange),
    /// In this archive.
    Archive(u32),
}

/// The result of looking up the articles of a period.
pub type PeriodLookup = ListLookup<PeriodArticles>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_from_its_path_and_has_bounds() {
        for (text, period) in [
            ("", Some(DateRange::All)),
            ("2026", Some(DateRange::Year(2026))),
            ("0999", Some(DateRange::Year(999))),
            ("2026/05", Some(DateRange::Month(2026, 5))),
            ("2026/5", None),
            ("2026/13", None),
            ("26", None),
            ("+026", None),
            ("2026/", None),
        ] {
            assert_eq!(DateRange::parse(text), period, "{text}");
        }
        let seconds = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp();
        let (start, end) = DateRange::Month(2024, 12).bounds();
        assert_eq!((start, end), (seconds("2024-12-01T00:00:00Z"), seconds("2025-01-01T00:00:00Z")));
        assert_eq!(DateRange::Year(2024).bounds(), (seconds("2024-01-01T00:00:00Z"), end));
        let date = DateTime::from_timestamp(end - 1, 0).unwrap();
        assert_eq!(DateRange::All.part_at(date), Some(DateRange::Year(2024)));
        assert_eq!(DateRange::Year(2024).part_at(date), Some(DateRange::Month(2024, 12)));
    }
}
