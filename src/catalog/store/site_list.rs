//! Everything that a copy of the whole site has to hold, from one state of the catalog: what its snapshot is made of, and all
//! addresses, in pages of rows, so that their number takes no memory.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Row, ToSql, params};

use super::entries::entry;
use super::error::{CatalogError, Result};
use super::meta::meta_date;
use super::queries::stamped;
use super::reader::{self, Reader};
use super::values::{WHOLE, damaged, date};
use super::{archive, pinned, surroundings};
use crate::catalog::visibility::{EVER_PAGE, PAGE, in_feeds, visible};
use crate::model::collection::{Collection, FeedLimits, ViewSummary};
use crate::model::entry::Slug;
use crate::model::moment::{Audience, Moment, Version};
use crate::model::site_page::Permalink;
use crate::model::taxonomy::{View, ViewKind};

/// Maximum number of rows that are read at once.
const PAGE_OF_ROWS: i64 = 1_000;

/// The version that was served last, and the one that shows all recorded changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedVersions {
    pub served: Version,
    pub pending: Version,
}

/// The main feed, and what the front page shows beside it.
#[derive(Debug)]
pub struct SitePart {
    pub main: Collection,
    /// The largest views.
    pub views: Vec<ViewSummary>,
    pub newest_archive: Option<u32>,
}

/// An article or a page.
#[derive(Debug)]
pub struct ListedPlace {
    pub number: i64,
    pub place: Permalink,
    /// When its content last changed.
    pub revised: DateTime<Utc>,
    /// When its page last changed.
    pub page_revised: DateTime<Utc>,
}

/// A folder, tag, author or series.
#[derive(Debug)]
pub struct ListedView {
    pub number: i64,
    pub view: View,
    /// When its feeds last changed.
    pub revised: DateTime<Utc>,
    /// When its page last changed.
    pub page_revised: DateTime<Utc>,
}

impl Reader {
    /// Reads the state of this instant from now on, until [`Reader::release`]. Meanwhile the write-ahead log grows with each change.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn hold(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN")?;
        // The first statement that reads decides the state.
        self.recorded_versions().map(drop)
    }

    /// Ends [`Reader::hold`].
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn release(&self) -> Result<()> {
        if self.connection.is_autocommit() { Ok(()) } else { Ok(self.connection.execute_batch("COMMIT")?) }
    }

    /// A number that differs from the last one if another connection has changed the catalog since.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn data_version(&self) -> Result<i64> {
        Ok(self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    /// The versions that are recorded.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn recorded_versions(&self) -> Result<RecordedVersions> {
        let version = |key| Ok::<_, CatalogError>(Version::at(meta_date(&self.connection, key)?.unwrap_or_default()));
        let served = version("version")?;
        Ok(RecordedVersions { served, pending: served.max(version("promised")?) })
    }

    /// When the bytes of a document last changed, if they are the recorded ones.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn stamped(&self, path: &str, hash: &[u8; 32]) -> Result<Option<DateTime<Utc>>> {
        stamped(&self.connection, path, hash)
    }

    /// The main feed with its pinned articles, and up to `most` views of each kind.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn site_part(&self, limits: &FeedLimits, moment: Moment, most: usize) -> Result<SitePart> {
        let mut main = self.main(limits, moment)?;
        let pinned = pinned::read(&self.connection, None, moment.due)?;
        let pinned = pinned.iter().filter(|row| !row.is_unread).map(|row| entry(&self.connection, row.number));
        main.pinned = pinned.map(|entry| entry.map(Arc::new)).collect::<Result<_>>()?;
        let views = ViewKind::ALL.into_iter().map(|kind| reader::views(&self.connection, kind, most));
        let views = views.collect::<Result<Vec<_>>>()?.concat();
        Ok(SitePart { main, views, newest_archive: archive::newest(&self.connection)? })
    }

    /// The visible articles and pages whose numbers follow `after`, by number. Empty at the end.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn places_after(&self, after: i64, moment: Moment) -> Result<Vec<ListedPlace>> {
        let visible = visible(Audience::Public, "?2");
        // A scheduled article is served for the first time when it is due.
        let sql = format!(
            "SELECT number, slug, {PAGE}, max(revised, due) FROM article WHERE number > ?1 AND {visible} ORDER BY number LIMIT ?3"
        );
        let values = params![after, moment.due.timestamp(), PAGE_OF_ROWS];
        let rows = self.listed_rows(&sql, values, |row| {
            let is_page: bool = row.get(2)?;
            Ok((row.get::<_, i64>(0)?, row.get::<_, Slug>(1)?, is_page, row.get::<_, i64>(3)?))
        })?;
        let place = |(number, slug, is_page, revised): (i64, Slug, bool, i64)| {
            let revised = date(revised)?;
            let around = if is_page { revised } else { surroundings::revised(&self.connection, number, moment.due)? };
            let page_revised = revised.max(around);
            Ok(ListedPlace { number, place: Permalink::new(slug, is_page), revised, page_revised })
        };
        rows.into_iter().map(place).collect()
    }

    /// The views whose numbers follow `after`, by number, also those that have no articles any more. Empty at the end.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn views_after(&self, after: i64) -> Result<Vec<ListedView>> {
        let sql = "
            SELECT number, kind, key, revised, pinned FROM view WHERE number > ?1 AND number <> ?2 ORDER BY number LIMIT ?3";
        let rows = self.listed_rows(sql, params![after, WHOLE, PAGE_OF_ROWS], |row| {
            let (number, kind): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((number, kind, row.get::<_, String>(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
        })?;
        let view = |(number, kind, key, revised, pinned): (i64, i64, String, i64, i64)| {
            let Some(kind) = ViewKind::ALL.into_iter().find(|known| *known as i64 == kind) else {
                return damaged(format!("view {number} is of kind {kind}"));
            };
            // As in `Reader::view`.
            let page = if kind == ViewKind::Series { pinned } else { revised.max(pinned) };
            Ok(ListedView { number, view: View { kind, key }, revised: date(revised)?, page_revised: date(page)? })
        };
        rows.into_iter().map(view).collect()
    }

    /// When an archive last changed; `None` if there is none.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn archive_revised(&self, archive: u32) -> Result<Option<DateTime<Utc>>> {
        let sql = "SELECT revised FROM archive WHERE number = ?1";
        self.listed_rows(sql, params![archive], |row| row.get(0))?.pop().map(date).transpose()
    }

    /// The slugs after `after`, by name, whose addresses are not, or not only, those of a visible article. Empty at the end.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn former_slugs_after(&self, after: &str, moment: Moment) -> Result<Vec<Slug>> {
        let visible = visible(Audience::Public, "?2");
        let sql = format!(
            "
            SELECT address.slug FROM address JOIN article USING (number) WHERE address.slug > ?1
            AND (address.slug <> article.slug OR NOT {visible} OR {EVER_PAGE}) ORDER BY address.slug LIMIT ?3"
        );
        self.listed_rows(&sql, params![after, moment.due.timestamp(), PAGE_OF_ROWS], |row| row.get(0))
    }

    /// The addresses after `after`, by name, that articles had elsewhere, in the form in which they are compared. Empty at the end.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn old_addresses_after(&self, after: &str) -> Result<Vec<String>> {
        // A `0` follows a slash in ASCII.
        let sql = "
            SELECT name FROM name WHERE name > ?1 AND name >= '/' AND name < '0'
            UNION SELECT link FROM adopted WHERE link > ?1 AND article IS NOT NULL ORDER BY 1 LIMIT ?2";
        self.listed_rows(sql, params![after, PAGE_OF_ROWS], |row| row.get(0))
    }

    /// The days, in seconds at their start in UTC, on which visible articles were published, the oldest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn days(&self, moment: Moment) -> Result<Vec<i64>> {
        let in_feeds = in_feeds(Audience::Public, "?1");
        // Rounds down, also before 1970.
        let sql = format!(
            "
            SELECT DISTINCT (published - ((published % 86400) + 86400) % 86400) AS day FROM article WHERE {in_feeds} ORDER BY day"
        );
        self.listed_rows(&sql, params![moment.due.timestamp()], |row| row.get(0))
    }

    fn listed_rows<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| read(row))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::catalog::store::bulk_import::tests::{NOW, record};
    use crate::catalog::store::database::Catalog;

    const LIMITS: FeedLimits =
        FeedLimits { entries: 50, window: TimeDelta::zero(), max_bytes: 1 << 20, brief: false, archive_entries: 100 };

    #[test]
    fn a_held_state_shows_no_later_change() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        record(&mut catalog, "a.md");
        let (reader, moment) = (Reader::open(directory.path()).unwrap(), Moment::of(Version::at(now)));
        let slugs = || {
            let places = reader.places_after(0, moment).unwrap();
            places.into_iter().map(|place| place.place.slug().to_string()).collect::<Vec<_>>()
        };
        let before = reader.data_version().unwrap();
        reader.hold().unwrap();
        record(&mut catalog, "b.md");
        // A method that reads a state of its own reads the held one.
        let main = reader.main(&LIMITS, moment).unwrap();
        assert_eq!((slugs(), main.entries.len()), (vec!["a-md".to_owned()], 1));
        reader.release().unwrap();
        assert_eq!(slugs(), ["a-md", "b-md"]);
        assert_ne!(reader.data_version().unwrap(), before);
        reader.release().unwrap();
    }

    #[test]
    fn days_before_1970_begin_at_midnight_too() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        for path in ["a.md", "b.md", "c.md"] {
            record(&mut catalog, path);
        }
        let reader = Reader::open(directory.path()).unwrap();
        for (number, published) in [(1, -1), (2, 86_400), (3, 86_399)] {
            let sql = "UPDATE article SET published = ?2 WHERE number = ?1";
            catalog.connection.execute(sql, [number, published]).unwrap();
        }
        assert_eq!(reader.days(Moment::of(Version::at(now))).unwrap(), [-86_400, 0, 86_400]);
    }
}
