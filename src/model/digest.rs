//! Digests: all articles of a day, a week or a month as one entry.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};

use super::collection::ListLookup;
use super::entry::{Entry, Slug};

/// How often a digest comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestKind {
    Daily,
    /// From Monday to Sunday, numbered as in ISO 8601.
    Weekly,
    Monthly,
}

impl DigestKind {
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// Its part of addresses.
    pub fn name(self) -> &'static str {
        self.choose(["daily", "weekly", "monthly"])
    }

    /// One of three things, in the order of [`DigestKind::ALL`].
    pub fn choose<T>(self, [daily, weekly, monthly]: [T; 3]) -> T {
        match self {
            Self::Daily => daily,
            Self::Weekly => weekly,
            Self::Monthly => monthly,
        }
    }

    /// Number of periods that its feed goes back.
    fn periods(self) -> u32 {
        self.choose([30, 20, 12])
    }

    /// The period in which a date lies, in UTC.
    pub fn period_at(self, date: DateTime<Utc>) -> DigestPeriod {
        let day = date.date_naive();
        let first = match self {
            Self::Daily => Some(day),
            Self::Weekly => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
            Self::Monthly => day.with_day(1),
        };
        DigestPeriod { kind: self, first: first.unwrap_or(day) }
    }

    /// The time that its feed covers at `now`: the periods that are over.
    pub fn covered(self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let current = self.period_at(now);
        let oldest = (0..self.periods()).fold(current, |period, _| period.previous());
        (oldest.start(), current.start())
    }
}

/// One day, week or month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DigestPeriod {
    pub kind: DigestKind,
    first: NaiveDate,
}

impl DigestPeriod {
    /// Reads a name such as `2026-11-26`, `2026-w48` or `2026-11`.
    pub fn parse(kind: DigestKind, name: &str) -> Option<Self> {
        let first = match kind {
            DigestKind::Daily => NaiveDate::parse_from_str(name, "%Y-%m-%d").ok()?,
            DigestKind::Weekly => {
                let (year, week) = name.split_once("-w")?;
                NaiveDate::from_isoywd_opt(year.parse().ok()?, week.parse().ok()?, chrono::Weekday::Mon)?
            }
            DigestKind::Monthly => NaiveDate::parse_from_str(&format!("{name}-01"), "%Y-%m-%d").ok()?,
        };
        // There is one name for each.
        Some(Self { kind, first }).filter(|period| period.name() == name)
    }

    /// Its part of addresses.
    pub fn name(self) -> String {
        let week = self.first.iso_week();
        match self.kind {
            DigestKind::Daily => self.first.format("%Y-%m-%d").to_string(),
            DigestKind::Weekly => format!("{:04}-w{:02}", week.year(), week.week()),
            DigestKind::Monthly => self.first.format("%Y-%m").to_string(),
        }
    }

    /// The slug of its entry, which is unlike that of any other digest.
    pub fn slug(self) -> Option<Slug> {
        Slug::new(format!("{}-{}", self.kind.name(), self.name()))
    }

    pub fn start(self) -> DateTime<Utc> {
        self.first.and_time(NaiveTime::MIN).and_utc()
    }

    /// The start of the next one.
    pub fn end(self) -> DateTime<Utc> {
        let next = match self.kind {
            DigestKind::Daily => self.first.checked_add_days(Days::new(1)),
            DigestKind::Weekly => self.first.checked_add_days(Days::new(7)),
            DigestKind::Monthly => self.first.checked_add_months(Months::new(1)),
        };
        next.unwrap_or(NaiveDate::MAX).and_time(NaiveTime::MIN).and_utc()
    }

    fn previous(self) -> Self {
        self.kind.period_at(self.start() - chrono::TimeDelta::seconds(1))
    }
}

/// The articles of a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatedArticles {
    /// Newest first, without their texts, but for those too short to have a summary.
    pub entries: Vec<Entry>,
    /// There are older ones.
    pub is_cut: bool,
    /// When an article of the site last changed, or the time ended.
    pub changed: DateTime<Utc>,
}

/// The result of looking up the articles of a time.
pub type DatedLookup = ListLookup<DatedArticles>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_names_and_bounds() {
        let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (kind, at, name, start, end) in [
            (DigestKind::Daily, "2026-02-28T23:59:59Z", "2026-02-28", "2026-02-28", "2026-03-01"),
            (DigestKind::Weekly, "2026-11-26T12:00:00Z", "2026-w48", "2026-11-23", "2026-11-30"),
            // The first days of January 2027 belong to the last week of 2026.
            (DigestKind::Weekly, "2027-01-03T12:00:00Z", "2026-w53", "2026-12-28", "2027-01-04"),
            (DigestKind::Monthly, "2026-12-31T12:00:00Z", "2026-12", "2026-12-01", "2027-01-01"),
        ] {
            let period = kind.period_at(date(at));
            assert_eq!((period.name().as_str(), DigestPeriod::parse(kind, name)), (name, Some(period)));
            let midnight = |day: &str| date(&format!("{day}T00:00:00Z"));
            assert_eq!((period.start(), period.end()), (midnight(start), midnight(end)), "{name}");
        }
        for (kind, name) in [
            (DigestKind::Daily, "2026-2-28"),
            (DigestKind::Daily, "2026-02-30"),
            (DigestKind::Weekly, "2026-w54"),
            (DigestKind::Weekly, "2026-w1"),
            (DigestKind::Weekly, "2026-W48"),
            (DigestKind::Monthly, "2026-13"),
            (DigestKind::Monthly, "2026-11-26"),
            (DigestKind::Monthly, ""),
        ] {
            assert_eq!(DigestPeriod::parse(kind, name), None, "{name}");
        }
    }

    #[test]
    fn a_feed_covers_whole_periods_that_are_over() {
        let now = "2026-11-26T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let covered = |kind: DigestKind| {
            let (from, until) = kind.covered(now);
            [from, until].map(|date| date.format("%Y-%m-%d").to_string())
        };
        assert_eq!(covered(DigestKind::Daily), ["2026-10-27", "2026-11-26"]);
        assert_eq!(covered(DigestKind::Weekly), ["2026-07-06", "2026-11-23"]);
        assert_eq!(covered(DigestKind::Monthly), ["2025-11-01", "2026-11-01"]);
    }
}
