//! Pinned articles, which stand at the top of the pages that list them.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::database::Catalog;
use super::error::Result;
use super::values::UNREAD;
use crate::catalog::visibility::in_feeds;
use crate::model::moment::Audience;

/// Maximum number of pinned articles on a page.
const MAX_PINNED: i64 = 5;

impl Catalog {
    /// The pinned articles of the site whose texts have been read, the most important first: the number of each and its last
    /// revision.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn pinned(&self, due: DateTime<Utc>) -> Result<Vec<(i64, i64)>> {
        let rows = read(&self.connection, None, due)?.into_iter().filter(|row| !row.is_unread);
        Ok(rows.map(|row| (row.number, row.revised)).collect())
    }
}

/// A pinned article.
pub(super) struct PinnedRow {
    pub number: i64,
    /// As in the window of a feed.
    revised: i64,
    /// Its text must be read first.
    pub is_unread: bool,
}

/// The pinned articles of a view, or of the site, the most important first.
pub(super) fn read(connection: &Connection, view: Option<i64>, due: DateTime<Utc>) -> Result<Vec<PinnedRow>> {
    let visible = in_feeds(Audience::Public, "?1");
    let sql = format!(
        "
        SELECT number, max(revised, due), stale = {UNREAD} FROM article WHERE pinned > 0 AND {visible} AND (?2 IS NULL
          OR EXISTS (SELECT 1 FROM member WHERE member.number = article.number AND view = ?2))
        ORDER BY pinned DESC, published DESC, rank DESC, number DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![due.timestamp(), view, MAX_PINNED], |row| {
        Ok(PinnedRow { number: row.get(0)?, revised: row.get(1)?, is_unread: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::store::bulk_import::tests::{NOW, record};

    #[test]
    fn a_page_has_the_most_important_pinned_articles() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        for path in ["a.md", "b.md", "c.md", "d.md", "e.md", "f.md", "g.md"] {
            record(&mut catalog, path);
        }
        catalog.connection.execute("UPDATE article SET pinned = number % 7", []).unwrap();
        let pinned: Vec<i64> = catalog.pinned(now).unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(pinned, [6, 5, 4, 3, 2]);
    }
}
