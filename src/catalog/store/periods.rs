//! All articles by date, for lists of titles.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::archive;
use super::entries;
use super::error::{CatalogError, Result};
use super::reader::{Reader, without_reading};
use super::values::{self, UNREAD, WHOLE, date};
use crate::catalog::visibility::in_feeds;
use crate::model::collection::ArticleLine;
use crate::model::digest::{DatedArticles, DatedLookup};
use crate::model::entry::SafeHtml;
use crate::model::moment::{Audience, Moment, Version};
use crate::model::period::{DateRange, PeriodArticles, PeriodLookup, Rest};

/// Maximum number of titles of the list of all articles, which names each year.
const MAX_NEWEST: usize = 200;

/// Maximum size of the text of an article in a digest, in bytes of HTML.
const MAX_NOTE: usize = 4_000;

/// Maximum number of titles of a year or of a month.
const MAX_LINES: usize = 500;

impl Reader {
    /// The articles of a period, as they were at a moment.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub(super) fn listing(
        &self,
        period: DateRange,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> Result<PeriodLookup> {
        let most = if period == DateRange::All { MAX_NEWEST } else { MAX_LINES };
        self.listing_of(period, moment, cached, most)
    }

    fn listing_of(
        &self,
        period: DateRange,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
        most: usize,
    ) -> Result<PeriodLookup> {
        let _transaction = self.same_state()?;
        let changed = changed(&self.connection)?;
        if let Some(answer) = without_reading(Version::at(changed), moment, cached) {
            return Ok(answer);
        }
        let rows = self.newest_between(period.bounds(), moment, most + 1)?;
        if rows.is_empty() && period != DateRange::All {
            return Ok(PeriodLookup::Unknown);
        }
        let (listed, rest) = rows.split_at(rows.len().min(most));
        let unread: Vec<i64> = listed.iter().filter(|row| row.is_unread).map(|row| row.number).collect();
        if !unread.is_empty() {
            return Ok(PeriodLookup::Unread(unread));
        }
        let line = |row: &PeriodRow| {
            let entry = entries::entry(&self.connection, row.number)?;
            Ok(ArticleLine::from(&entry))
        };
        let rest = rest.first().and_then(|row| match period.part_at(row.published) {
            Some(part) => Some(Rest::Part(part)),
            None => row.archive.map(Rest::Archive),
        });
        Ok(PeriodLookup::Found(Box::new(PeriodArticles {
            parts: self.parts(period, moment)?,
            archive: if period == DateRange::All { archive::newest(&self.connection)? } else { None },
            lines: listed.iter().map(line).collect::<Result<_>>()?,
            rest,
            changed,
        })))
    }

    /// The articles that were published in a time, newest first, up to a number.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub(super) fn dated(
        &self,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
        most: usize,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> Result<DatedLookup> {
        let _transaction = self.same_state()?;
        let changed = changed(&self.connection)?;
        if changed > moment.version.date() {
            return Ok(DatedLookup::NotYet);
        }
        // When the time ended, another period came into it, in whichever version.
        let changed = changed.max(end);
        if cached == Some(changed) {
            return Ok(DatedLookup::Same);
        }
        let rows = self.newest_between((start.timestamp(), end.timestamp()), moment, most + 1)?;
        let listed = &rows[..rows.len().min(most)];
        let unread: Vec<i64> = listed.iter().filter(|row| row.is_unread).map(|row| row.number).collect();
        if !unread.is_empty() {
            return Ok(DatedLookup::Unread(unread));
        }
        let entry = |row: &PeriodRow| {
            let mut entry = entries::entry(&self.connection, row.number)?;
            // Hundreds of texts would take much memory. An article too short to have a summary is shown whole.
            let is_note = entry.content.summary.is_empty() && entry.content.html.len() <= MAX_NOTE;
            if !is_note {
                entry.content.html = SafeHtml::default();
            }
            entry.content.highlighted = None;
            Ok(entry)
        };
        let entries = listed.iter().map(entry).collect::<Result<_>>()?;
        Ok(DatedLookup::Found(Box::new(DatedArticles { entries, is_cut: rows.len() > most, changed })))
    }

    /// The years in which articles were published that are visible at a moment, the newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub(super) fn years(&self, moment: Moment) -> Result<Vec<DateRange>> {
        Ok(self.parts(DateRange::All, moment)?.into_iter().map(|(year, _)| year).collect())
    }

    /// The newest articles between two times in seconds, the second excluded, newest first.
    fn newest_between(&self, (start, end): (i64, i64), moment: Moment, most: usize) -> Result<Vec<PeriodRow>> {
        let in_feeds = in_feeds(Audience::Public, "?1");
        let sql = format!(
            "
            SELECT number, published, archive, stale FROM article WHERE {in_feeds} AND published >= ?2 AND published < ?3
            ORDER BY published DESC, rank DESC, number DESC LIMIT ?4"
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![moment.due.timestamp(), start, end, most])?;
        let mut newest = Vec::new();
        while let Some(row) = rows.next()? {
            newest.push(PeriodRow {
                number: row.get(0)?,
                published: date(row.get(1)?)?,
                archive: row.get(2)?,
                is_unread: row.get::<_, i64>(3)? == UNREAD,
            });
        }
        Ok(newest)
    }

    /// The parts of a period that have articles, the newest first, each with their number.
    fn parts(&self, period: DateRange, moment: Moment) -> Result<Vec<(DateRange, u64)>> {
        let form = match period {
            DateRange::All => "%Y",
            DateRange::Year(_) => "%Y/%m",
            DateRange::Month(..) => return Ok(Vec::new()),
        };
        let in_feeds = in_feeds(Audience::Public, "?1");
        let sql = format!(
            "
            SELECT strftime(?2, published, 'unixepoch') AS part, count(*) FROM article
            WHERE {in_feeds} AND published >= ?3 AND published < ?4 GROUP BY part ORDER BY part DESC"
        );
        let (start, end) = period.bounds();
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![moment.due.timestamp(), form, start, end])?;
        let mut parts = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            let part =
                DateRange::parse(&text).ok_or_else(|| CatalogError::Damaged(format!("`{text}` is no part of time")))?;
            parts.push((part, values::count(row.get(1)?)?));
        }
        Ok(parts)
    }
}

/// An article of a period.
struct PeriodRow {
    number: i64,
    published: DateTime<Utc>,
    archive: Option<u32>,
    is_unread: bool,
}

/// When an article of the site last changed.
fn changed(connection: &Connection) -> Result<DateTime<Utc>> {
    let sql = "SELECT revised FROM view WHERE number = ?1";
    date(connection.prepare_cached(sql)?.query_row([WHOLE], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::catalog::store::bulk_import::tests::{NOW, record};
    use crate::catalog::store::database::Catalog;

    #[test]
    fn a_listing_is_bounded_and_names_where_it_continues() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        let reader = Reader::open(directory.path()).unwrap();
        let moment = Moment { version: Version::at(now), due: now };
        let listing = |period| match reader.listing_of(period, moment, None, 2).unwrap() {
            PeriodLookup::Found(listing) => *listing,
            other => panic!("{other:?}"),
        };
        assert_eq!(listing(DateRange::All).parts, []);
        for path in ["a.md", "b.md", "c.md"] {
            record(&mut catalog, path);
        }
        // The second is in November 2023.
        let (year, month) = (DateRange::Year(2023), DateRange::Month(2023, 11));
        let all = listing(DateRange::All);
        assert_eq!((all.parts, all.rest), (vec![(year, 3)], Some(Rest::Part(year))));
        assert_eq!(all.lines.iter().map(|line| line.title.as_str()).collect::<Vec<_>>(), ["c.md", "b.md"]);
        let all = listing(year);
        assert_eq!((all.parts, all.rest, all.lines.len()), (vec![(month, 3)], Some(Rest::Part(month)), 2));
        assert_eq!(listing(month).rest, None, "no archive is closed");
        assert_eq!(reader.years(moment).unwrap(), [year]);
        let other = |period, moment, cached| reader.listing_of(period, moment, cached, 2).unwrap();
        assert_eq!(other(DateRange::Year(2024), moment, None), PeriodLookup::Unknown);
        assert_eq!(other(year, moment, Some(now)), PeriodLookup::Same);
        let earlier = Moment { version: Version::at(now - TimeDelta::seconds(1)), due: now };
        assert_eq!(other(year, earlier, None), PeriodLookup::NotYet);
    }

    #[test]
    fn articles_of_a_time_are_bounded_and_have_no_texts() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        for path in ["a.md", "b.md", "c.md"] {
            record(&mut catalog, path);
        }
        let reader = Reader::open(directory.path()).unwrap();
        let moment = Moment::of(Version::at(now));
        let (start, end) = (now - chrono::TimeDelta::hours(1), now + chrono::TimeDelta::hours(1));
        let found = |time, most| match reader.dated(time, most, moment, None).unwrap() {
            DatedLookup::Found(found) => (found.entries.len(), found.is_cut, found.changed),
            other => panic!("{other:?}"),
        };
        assert_eq!(found((start, end), 3), (3, false, end));
        assert_eq!(found((start, end), 2), (2, true, end));
        assert_eq!(found((start, now), 3), (0, false, now), "the end is not part of it");
        assert!(matches!(reader.dated((start, end), 3, moment, Some(end)).unwrap(), DatedLookup::Same));
        let earlier = Moment::of(Version::at(start));
        assert!(matches!(reader.dated((start, end), 3, earlier, None).unwrap(), DatedLookup::NotYet));
        let DatedLookup::Found(found) = reader.dated((start, end), 3, moment, None).unwrap() else { panic!("found") };
        assert!(found.entries.iter().all(|entry| entry.content.html.is_empty()));
    }
}
