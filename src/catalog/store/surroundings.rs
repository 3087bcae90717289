//! The neighbours of an article by date, and the folders above it.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::database::Catalog;
use super::entries;
use super::error::{CatalogError, Result};
use super::meta::meta_date;
use super::sections;
use super::values::{DESCRIBED, UNREAD, date, path_of};
use crate::catalog::visibility::in_feeds;
use crate::model::collection::{Neighbour, Surroundings};
use crate::model::entry::Entry;
use crate::model::moment::{Audience, Version};
use crate::model::taxonomy;

/// The surroundings of an article, as far as they have been read.
#[derive(Debug)]
pub enum KnownSurroundings {
    Found(Box<Surroundings>),
    /// The text of this neighbour has not been read yet.
    Unread(i64),
}

/// The place of an article by date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatedPlace {
    pub published: i64,
    pub rank: Vec<u8>,
    pub number: i64,
}

/// The place of an article by date, and what links to it show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Appearance {
    pub place: DatedPlace,
    pub slug: String,
    pub title: Option<String>,
    pub language: Option<String>,
    pub pinned: bool,
}

/// The side of a neighbour.
#[derive(Debug, Clone, Copy)]
enum Side {
    Older,
    Newer,
}

impl Catalog {
    /// The surroundings of an article at `due`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn surroundings(&self, number: i64, due: DateTime<Utc>) -> Result<KnownSurroundings> {
        Ok(read(&self.connection, number, due)?.0)
    }

    /// When the surroundings of an article last changed. The cost is that of an index, not of texts.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn surroundings_revised(&self, number: i64, due: DateTime<Utc>) -> Result<DateTime<Utc>> {
        Ok(dated(&self.connection, number, due)?.revised)
    }

    /// When links to an article last changed, and when its page lost one or was moved.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn link_dates(&self, number: i64) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
        let sql = "SELECT max(headline, due), around FROM article WHERE number = ?1";
        let (headline, around) =
            self.connection.prepare_cached(sql)?.query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((date(headline)?, date(around)?.max(described(&self.connection)?)))
    }

    /// The place of an article, if it is visible at `at`.
    pub(super) fn visible_place(&self, number: i64, at: DateTime<Utc>) -> Result<Option<DatedPlace>> {
        let in_feeds = in_feeds(Audience::Public, "?2");
        let sql = format!("SELECT published, rank FROM article WHERE number = ?1 AND {in_feeds}");
        let row = self.connection.prepare_cached(&sql)?.query_row(params![number, at.timestamp()], |row| {
            Ok(DatedPlace { published: row.get(0)?, rank: row.get(1)?, number })
        });
        Ok(row.optional()?)
    }

    /// The place of an article, and what links to it show, if it is visible at `at`.
    pub(super) fn appearance(&self, number: i64, at: DateTime<Utc>) -> Result<Option<Appearance>> {
        let Some(place) = self.visible_place(number, at)? else { return Ok(None) };
        // A content may be damaged; it is about to be replaced.
        let sql = "
            SELECT slug, CASE WHEN json_valid(entry) THEN json_extract(entry, '$.title') END,
              CASE WHEN json_valid(entry) THEN json_extract(entry, '$.language') END, pinned > 0
            FROM article LEFT JOIN content USING (number) WHERE number = ?1";
        let row = self.connection.prepare_cached(sql)?.query_row([number], |row| {
            Ok(Appearance { place, slug: row.get(0)?, title: row.get(1)?, language: row.get(2)?, pinned: row.get(3)? })
        })?;
        Ok(Some(row))
    }

    /// Notes that links to an article change in `version`.
    pub(super) fn mark_headline(&mut self, number: i64, version: Version) -> Result<()> {
        let sql = "UPDATE article SET headline = ?2 WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, version.seconds()])?;
        Ok(())
    }

    /// Notes that an article is not at a place any more: the pages of its neighbours change in `version`.
    pub(super) fn mark_neighbours(&mut self, place: &DatedPlace, version: Version) -> Result<()> {
        for side in [Side::Older, Side::Newer] {
            if let Some(neighbour) = neighbour(&self.connection, place, version.date(), side)? {
                self.mark_moved(neighbour.number, version)?;
            }
        }
        Ok(())
    }

    /// Notes that the page of an article changes in `version`: a neighbour is gone, or it is in another folder.
    pub(super) fn mark_moved(&mut self, number: i64, version: Version) -> Result<()> {
        let sql = "UPDATE article SET around = max(around, ?2) WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, version.seconds()])?;
        Ok(())
    }
}

/// When a folder was last described.
fn described(connection: &Connection) -> Result<DateTime<Utc>> {
    Ok(meta_date(connection, DESCRIBED)?.unwrap_or_default())
}

/// The surroundings of an article, and the newest version that changed any.
pub(super) fn read(
    connection: &Connection,
    number: i64,
    due: DateTime<Utc>,
) -> Result<(KnownSurroundings, DateTime<Utc>)> {
    let Dated { path, neighbours, changed, revised } = dated(connection, number, due)?;
    if let Some(unread) = neighbours.iter().flatten().find(|neighbour| neighbour.is_unread) {
        return Ok((KnownSurroundings::Unread(unread.number), changed));
    }
    let neighbour = |neighbour: &Option<NeighbourRow>| {
        let entry = neighbour.as_ref().map(|neighbour| entries::entry(connection, neighbour.number)).transpose()?;
        let neighbour =
            |entry: Entry| Neighbour { slug: entry.slug, title: entry.content.title, language: entry.content.language };
        Ok::<_, CatalogError>(entry.map(neighbour))
    };
    let [older, newer] = &neighbours;
    let surroundings = Surroundings {
        older: neighbour(older)?,
        newer: neighbour(newer)?,
        sections: sections_of(connection, &path_of(path))?,
        revised,
    };
    Ok((KnownSurroundings::Found(Box::new(surroundings)), changed))
}

/// The surroundings of an article without texts.
struct Dated {
    path: Vec<u8>,
    /// The older and the newer one.
    neighbours: [Option<NeighbourRow>; 2],
    /// The newest version that changed them.
    changed: DateTime<Utc>,
    /// When readers could first see that change.
    revised: DateTime<Utc>,
}

struct NeighbourRow {
    number: i64,
    changed: DateTime<Utc>,
    due: DateTime<Utc>,
    is_unread: bool,
}

fn dated(connection: &Connection, number: i64, due: DateTime<Utc>) -> Result<Dated> {
    let sql = "SELECT published, rank, around, path FROM article WHERE number = ?1";
    let (place, around, path) = connection.prepare_cached(sql)?.query_row([number], |row| {
        Ok((DatedPlace { published: row.get(0)?, rank: row.get(1)?, number }, row.get::<_, i64>(2)?, row.get(3)?))
    })?;
    let neighbours = [Side::Older, Side::Newer].map(|side| neighbour(connection, &place, due, side));
    let [older, newer] = neighbours;
    let neighbours = [older?, newer?];
    let removed = date(around)?.max(described(connection)?);
    let rows = || neighbours.iter().flatten();
    let changed = rows().map(|row| row.changed).fold(removed, DateTime::max);
    let revised = rows().map(|row| row.due).fold(changed, DateTime::max);
    Ok(Dated { path, neighbours, changed, revised })
}

/// The visible article on one side of a place.
fn neighbour(
    connection: &Connection,
    place: &DatedPlace,
    at: DateTime<Utc>,
    side: Side,
) -> Result<Option<NeighbourRow>> {
    let in_feeds = in_feeds(Audience::Public, "?1");
    let (compared, order) = match side {
        Side::Older => ("<", "published DESC, rank DESC, number DESC"),
        Side::Newer => (">", "published, rank, number"),
    };
    let sql = format!(
        "
        SELECT number, headline, due, stale FROM article
        WHERE {in_feeds} AND (published, rank, number) {compared} (?2, ?3, ?4) ORDER BY {order} LIMIT 1"
    );
    let values = params![at.timestamp(), place.published, place.rank, place.number];
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let is_unread = row.get::<_, i64>(3)? == UNREAD;
    Ok(Some(NeighbourRow { number: row.get(0)?, changed: date(row.get(1)?)?, due: date(row.get(2)?)?, is_unread }))
}

/// The folders above an article, the outermost first, each with its title.
fn sections_of(connection: &Connection, path: &Path) -> Result<Vec<taxonomy::Term>> {
    let mut terms = taxonomy::terms(path, &[], &[]);
    for term in &mut terms {
        let title = sections::about(connection, &term.view.key)?.and_then(|about| about.title);
        term.name = title.unwrap_or_else(|| std::mem::take(&mut term.name));
    }
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::catalog::store::bulk_import::tests::{NOW, record};
    use crate::model::collection::ArticleState;

    #[test]
    fn a_removal_marks_both_neighbours_and_no_other_article() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        for path in ["a.md", "b.md", "c.md", "d.md"] {
            record(&mut catalog, path);
        }
        let surroundings = |catalog: &Catalog, number| match catalog.surroundings(number, now).unwrap() {
            KnownSurroundings::Found(found) => *found,
            other @ KnownSurroundings::Unread(_) => panic!("{other:?}"),
        };
        let titles = |catalog: &Catalog, number| {
            let found = surroundings(catalog, number);
            [found.older, found.newer].map(|neighbour| neighbour.map(|neighbour| neighbour.title))
        };
        let some = |title: &str| Some(title.to_owned());
        assert_eq!(titles(&catalog, 1), [None, some("b.md")]);
        assert_eq!(titles(&catalog, 3), [some("b.md"), some("d.md")]);
        assert_eq!(surroundings(&catalog, 4).revised, now);
        let later = Version::at(now).next().next();
        catalog.withdraw(Path::new("b.md"), ArticleState::Held, later).unwrap();
        assert_eq!((titles(&catalog, 1), titles(&catalog, 3)), ([None, some("c.md")], [some("a.md"), some("d.md")]));
        assert_eq!([1, 3, 4].map(|number| surroundings(&catalog, number).revised), [later.date(), later.date(), now]);
    }

    #[test]
    fn neighbours_are_found_in_the_index() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        for (compared, order) in [("<", "published DESC, rank DESC, number DESC"), (">", "published, rank, number")] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT number FROM article WHERE {} AND (published, rank, number) {compared} (1, x'', 1) ORDER BY {order} LIMIT 1",
                in_feeds(Audience::Public, "5")
            );
            let plan: String = catalog.connection.query_row(&sql, [], |row| row.get(3)).unwrap();
            assert!(plan.contains("SEARCH article USING INDEX article_newest"), "{plan}");
        }
    }
}
