//! The articles of archive documents (RFC 5005 section 4). An article never leaves its archive, so that no edit and no deletion
//! renumbers archives.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use super::values;
use super::window::Window;
use crate::catalog::visibility::in_feeds;
use crate::model::collection::FeedLimits;
use crate::model::moment::{Audience, Moment, Version};

/// Maximum size of an archive, as a multiple of the size of a feed.
const BYTES: u64 = 8;

/// An article without an archive.
struct Open {
    number: i64,
    weight: i64,
    brief: i64,
    published: i64,
}

/// An archive that was made.
struct NewArchive {
    number: i64,
    /// Number of its articles.
    count: usize,
}

impl Catalog {
    /// Closes archives until each article that is visible at `moment` is in the window or in an archive. Returns the number of the
    /// newest archive. Most articles of a new archive are still in the window: the archive is full when feeds first refer to it, and
    /// need not change later (standards 61).
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn close_archives(&mut self, window: &Window, limits: &FeedLimits, moment: Moment) -> Result<Option<u32>> {
        if !window.is_whole {
            let in_window: std::collections::HashSet<i64> = window.rows.iter().map(|(number, _)| *number).collect();
            let open = self.open_articles(moment.due)?;
            let mut rest = open.as_slice();
            let mut closed = Vec::new();
            // The newest articles are in the window, so this is the number of those at the start that have to be in archives.
            let old = open.iter().rposition(|article| !in_window.contains(&article.number)).map_or(0, |last| last + 1);
            while closed.len() < old {
                let archive = self.close_archive(rest, limits, moment.version)?;
                closed.extend(rest[..archive.count].iter().map(|article| (article.number, archive.number)));
                rest = &rest[archive.count..];
            }
            self.set_archives(closed)?;
        }
        self.newest_archive()
    }

    /// Number of the newest archive.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn newest_archive(&self) -> Result<Option<u32>> {
        newest(&self.connection)
    }

    /// Articles without an archive, oldest first.
    fn open_articles(&self, now: DateTime<Utc>) -> Result<Vec<Open>> {
        let in_feeds = in_feeds(Audience::Public, "?1");
        let sql = format!(
            "
            SELECT number, weight, brief, published FROM article WHERE {in_feeds} AND archive IS NULL
            ORDER BY published, rank, number"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([now.timestamp()])?;
        let mut open = Vec::new();
        while let Some(row) = rows.next()? {
            let (weight, brief) = (values::weight(row.get(1)?)?, values::weight(row.get(2)?)?);
            open.push(Open { number: row.get(0)?, weight, brief, published: row.get(3)? });
        }
        Ok(open)
    }

    /// Makes an archive for the oldest of `open`.
    fn close_archive(&mut self, open: &[Open], limits: &FeedLimits, version: Version) -> Result<NewArchive> {
        let mut bytes = 0;
        let fits = open.iter().take(limits.archive_entries.max(1)).take_while(|article| {
            let first = bytes == 0;
            bytes += limits.weigh(article.weight, article.brief);
            first || bytes <= limits.max_bytes.saturating_mul(BYTES)
        });
        let count = fits.count();
        let dates = open[..count].first().zip(open[..count].last());
        let (oldest, newest) = dates.map_or((0, 0), |(oldest, newest)| (oldest.published, newest.published));
        let sql = "
            INSERT INTO archive (number, oldest, newest, closed, revised)
            SELECT coalesce(max(number), 0) + 1, ?1, ?2, ?3, ?3 FROM archive RETURNING number";
        let values = [oldest, newest, version.seconds()];
        let number: i64 = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
        Ok(NewArchive { number, count })
    }

    /// Moves articles into archives: pairs of their numbers. In the order of the table, each page of it is changed once.
    fn set_archives(&mut self, mut articles: Vec<(i64, i64)>) -> Result<()> {
        articles.sort_unstable();
        let mut statement = self.connection.prepare_cached("UPDATE article SET archive = ?2 WHERE number = ?1")?;
        for (article, archive) in articles {
            statement.execute([article, archive])?;
        }
        Ok(())
    }

    /// Notes that the archive of an article has changed, if it is in one.
    pub(super) fn mark_archive_changed(&mut self, number: i64, version: Version) -> Result<()> {
        let sql = "SELECT archive FROM article WHERE number = ?1 AND archive IS NOT NULL";
        let archive: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?;
        if let Some(archive) = archive {
            let sql = "UPDATE archive SET revised = ?2 WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute([archive, version.seconds()])?;
        }
        Ok(())
    }
}

/// Returns the statement for articles in archives that changed after they were published, the latest first. The other conditions
/// are those of the index `article_updated`, word for word.
fn changed_since_archived() -> String {
    let in_feeds = in_feeds(Audience::Public, "?1");
    format!(
        "
        SELECT number, max(revised, due), published, weight, brief, updated, rank FROM article
        WHERE {in_feeds} AND archive IS NOT NULL AND updated > published ORDER BY updated DESC, number DESC LIMIT ?2"
    )
}

/// Number of the newest archive.
pub(super) fn newest(connection: &Connection) -> Result<Option<u32>> {
    let sql = "SELECT max(number) FROM archive";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// The articles of the main feed, each with its number and revision, newest first: those of its window, and recently changed ones
/// from archives, since clients do not fetch an archive twice (standards 61).
pub(super) fn feed(
    connection: &Connection,
    window: &Window,
    limits: &FeedLimits,
    now: DateTime<Utc>,
) -> Result<Vec<(i64, i64)>> {
    let mut rows = window.rows.clone();
    if window.is_whole {
        return Ok(rows);
    }
    let most = i64::try_from(limits.entries).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&changed_since_archived())?;
    let mut changed = statement.query(params![now.timestamp(), most])?;
    let mut latest = window.newest;
    let mut bytes = window.bytes;
    let mut again: Vec<(i64, Vec<u8>, i64, i64)> = Vec::new();
    while let Some(row) = changed.next()? {
        let (number, updated): (i64, i64) = (row.get(0)?, row.get(5)?);
        // The first row is the latest change of all.
        latest = latest.max(Some(updated));
        if latest.is_some_and(|latest| updated < latest.saturating_sub(limits.window.num_seconds())) {
            break;
        }
        if window.rows.iter().any(|(other, _)| *other == number) {
            continue;
        }
        bytes += limits.weigh(values::weight(row.get(3)?)?, values::weight(row.get(4)?)?);
        if bytes > limits.max_bytes {
            break;
        }
        again.push((row.get(2)?, row.get(6)?, number, row.get(1)?));
    }
    again.sort_by(|one, other| other.cmp(one));
    rows.extend(again.into_iter().map(|(.., number, revised)| (number, revised)));
    Ok(rows)
}
