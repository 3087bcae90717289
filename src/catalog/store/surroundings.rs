//! The neighbours of an article by date, its translations, the folders above it, and its series.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::database::Catalog;
use super::entries;
use super::error::{CatalogError, Result};
use super::meta::meta_date;
use super::sections;
use super::series;
use super::translations::{NeighbourRow, translations};
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
    /// The texts of these articles, which it names, have not been read yet.
    Unread(Vec<i64>),
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
    /// Its place in its series.
    pub part: Option<i64>,
}

/// What is known of an article before it is recorded again.
#[derive(Debug)]
pub(super) struct FormerAppearance {
    pub appearance: Appearance,
    pub is_pinned: bool,
}

/// The dates on which the pages that link to an article change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkDates {
    /// When links to it last changed.
    pub headline: DateTime<Utc>,
    /// When its own page lost a neighbour or was moved, or its translations last changed.
    pub around: DateTime<Utc>,
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
        revised(&self.connection, number, due)
    }

    /// The dates of the links of some articles, in their order.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn link_dates(&self, numbers: impl Iterator<Item = i64>, due: DateTime<Utc>) -> Result<Vec<LinkDates>> {
        let described = described(&self.connection)?;
        let has_series = series::is_any(&self.connection)?;
        let sql = "SELECT max(headline, due), around, path FROM article WHERE number = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut dates = |number| {
            let (headline, around, path) =
                statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let mut around = date(around)?.max(described);
            if has_series {
                around = around.max(series::changed(&self.connection, number)?);
            }
            let translations = translations(&self.connection, &path_of(path), number, due)?;
            let around = translations.iter().map(NeighbourRow::revised).fold(around, DateTime::max);
            Ok(LinkDates { headline: date(headline)?, around })
        };
        numbers.map(&mut dates).collect()
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
    pub(super) fn appearance(&self, number: i64, at: DateTime<Utc>) -> Result<Option<FormerAppearance>> {
        let in_feeds = in_feeds(Audience::Public, "?2");
        // A content may be damaged; it is about to be replaced.
        let sql = format!(
            "
            SELECT published, rank, slug, CASE WHEN json_valid(entry) THEN json_extract(entry, '$.title') END,
              CASE WHEN json_valid(entry) THEN json_extract(entry, '$.language') END, pinned > 0,
              CASE WHEN json_valid(entry) THEN json_extract(entry, '$.series.part') END
            FROM article LEFT JOIN content USING (number) WHERE number = ?1 AND {in_feeds}"
        );
        let row = self.connection.prepare_cached(&sql)?.query_row(params![number, at.timestamp()], |row| {
            let place = DatedPlace { published: row.get(0)?, rank: row.get(1)?, number };
            let (slug, title, language) = (row.get(2)?, row.get(3)?, row.get(4)?);
            let appearance = Appearance { place, slug, title, language, part: row.get(6)? };
            Ok(FormerAppearance { appearance, is_pinned: row.get(5)? })
        });
        Ok(row.optional()?)
    }

    /// Notes that links to an article change in `version`.
    pub(super) fn mark_headline(&mut self, number: i64, version: Version) -> Result<()> {
        let sql = "UPDATE article SET headline = ?2 WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, version.seconds()])?;
        Ok(())
    }

    /// Notes that an article is not at a place any more: the pages of its neighbours and translations change in `version`.
    pub(super) fn mark_neighbours(&mut self, place: &DatedPlace, version: Version) -> Result<()> {
        for neighbour in neighbours(&self.connection, place, version.date())?.iter().flatten() {
            self.mark_moved(neighbour.number, version)?;
        }
        self.mark_translations(place.number, version)?;
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
    let Dated { path, neighbours, translations, changed, revised } = dated(connection, number, due)?;
    let unread = neighbours.iter().flatten().chain(&translations).filter(|neighbour| neighbour.is_unread);
    let unread: Vec<i64> = unread.map(|neighbour| neighbour.number).collect();
    if !unread.is_empty() {
        return Ok((KnownSurroundings::Unread(unread), changed));
    }
    let series = match series::place(connection, number, due)? {
        Ok(series) => series,
        Err(unread) => return Ok((KnownSurroundings::Unread(unread), changed)),
    };
    let neighbour = |row: &NeighbourRow| {
        let Entry { slug, content, .. } = entries::entry(connection, row.number)?;
        Ok::<_, CatalogError>(Neighbour { slug, title: content.title, language: content.language })
    };
    let [older, newer] = &neighbours;
    let surroundings = Surroundings {
        older: older.as_ref().map(neighbour).transpose()?,
        newer: newer.as_ref().map(neighbour).transpose()?,
        translations: translations.iter().map(neighbour).collect::<Result<_>>()?,
        sections: sections_of(connection, &path_of(path))?,
        series,
        revised,
    };
    Ok((KnownSurroundings::Found(Box::new(surroundings)), changed))
}

/// The surroundings of an article without texts.
struct Dated {
    path: Vec<u8>,
    /// The older and the newer one.
    neighbours: [Option<NeighbourRow>; 2],
    translations: Vec<NeighbourRow>,
    /// The newest version that changed them.
    changed: DateTime<Utc>,
    /// When readers could first see that change.
    revised: DateTime<Utc>,
}

/// When the surroundings of an article last changed.
pub(super) fn revised(connection: &Connection, number: i64, due: DateTime<Utc>) -> Result<DateTime<Utc>> {
    Ok(dated(connection, number, due)?.revised)
}

fn dated(connection: &Connection, number: i64, due: DateTime<Utc>) -> Result<Dated> {
    let sql = "SELECT published, rank, around, path FROM article WHERE number = ?1";
    let (place, around, path) = connection.prepare_cached(sql)?.query_row([number], |row| {
        Ok((DatedPlace { published: row.get(0)?, rank: row.get(1)?, number }, row.get::<_, i64>(2)?, row.get(3)?))
    })?;
    let neighbours = neighbours(connection, &place, due)?;
    let translations = translations(connection, &path_of(Vec::clone(&path)), number, due)?;
    let removed = date(around)?.max(described(connection)?).max(series::changed(connection, number)?);
    let rows = || neighbours.iter().flatten().chain(&translations);
    let changed = rows().map(|row| row.changed).fold(removed, DateTime::max);
    let revised = rows().map(NeighbourRow::revised).fold(changed, DateTime::max);
    Ok(Dated { path, neighbours, translations, changed, revised })
}

/// The visible articles before and after a place.
fn neighbours(connection: &Connection, place: &DatedPlace, at: DateTime<Utc>) -> Result<[Option<NeighbourRow>; 2]> {
    let mut statement = connection.prepare_cached(&neighbours_statement())?;
    let mut rows = statement.query(params![at.timestamp(), place.published, place.rank, place.number])?;
    let mut neighbours = [None, None];
    while let Some(row) = rows.next()? {
        let is_unread = row.get::<_, i64>(4)? == UNREAD;
        let (changed, due) = (date(row.get(2)?)?, date(row.get(3)?)?);
        let is_newer: bool = row.get(0)?;
        neighbours[usize::from(is_newer)] = Some(NeighbourRow { number: row.get(1)?, changed, due, is_unread });
    }
    Ok(neighbours)
}

/// Returns the statement for the neighbours of a place: each with whether it is the newer one.
fn neighbours_statement() -> String {
    let in_feeds = in_feeds(Audience::Public, "?1");
    format!(
        "
        SELECT * FROM (SELECT 0, number, headline, due, stale FROM article
          WHERE {in_feeds} AND (published, rank, number) < (?2, ?3, ?4)
          ORDER BY published DESC, rank DESC, number DESC LIMIT 1)
        UNION ALL
        SELECT * FROM (SELECT 1, number, headline, due, stale FROM article
          WHERE {in_feeds} AND (published, rank, number) > (?2, ?3, ?4) ORDER BY published, rank, number LIMIT 1)"
    )
}

/// The folders above an article, the outermost first, each with its title.
fn sections_of(connection: &Connection, path: &Path) -> Result<Vec<taxonomy::Term>> {
    let mut terms = taxonomy::terms(path, &[], &[], None, None);
    for term in &mut terms {
        let title = sections::about(connection, term.view.kind, &term.view.key)?.and_then(|about| about.title);
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
        let sql = format!("EXPLAIN QUERY PLAN {}", neighbours_statement());
        let mut statement = catalog.connection.prepare(&sql).unwrap();
        let plan = statement.query_map(params![1, 1, b"", 1], |row| row.get::<_, String>(3)).unwrap();
        let searches: Vec<String> = plan.map(|step| step.unwrap()).filter(|step| step.contains("article")).collect();
        assert_eq!(searches.len(), 2, "{searches:?}");
        let is_by_index = |step: &String| step.contains("SEARCH article USING INDEX article_newest");
        assert!(searches.iter().all(is_by_index), "{searches:?}");
    }
}
