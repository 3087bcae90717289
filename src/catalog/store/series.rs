//! Series: the parts of one in their order, and when it last changed.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use super::values::{self, UNREAD, damaged, date};
use super::window::Window;
use crate::catalog::visibility::visible;
use crate::model::collection::{ArticleLine, SeriesPlace};
use crate::model::entry::Slug;
use crate::model::moment::{Audience, Version};
use crate::model::taxonomy::{Term, View, ViewKind};

/// Maximum number of parts of a series that the pages of its articles list.
const MAX_PARTS: u32 = 100;
/// Maximum number of parts that the page of a series lists.
const MAX_LINES: u32 = 1_000;

/// The parts of a series, as far as their texts have been read.
#[derive(Debug)]
enum KnownParts {
    /// Each with the number of its article.
    Found(Vec<(i64, ArticleLine)>),
    /// The texts of these have not been read yet.
    Unread(Vec<i64>),
}

impl Catalog {
    /// Notes that what the pages of the series of an article show of it changes in `version`.
    pub(super) fn mark_series_of(&mut self, number: i64, version: Version) -> Result<()> {
        self.write_members()?;
        let sql = "
            UPDATE view SET pinned = max(pinned, ?3) WHERE kind = ?2
            AND number IN (SELECT view FROM member WHERE member.number = ?1)";
        let values = params![number, ViewKind::Series as i64, version.seconds()];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

/// Whether any article is in a series.
pub(super) fn is_any(connection: &Connection) -> Result<bool> {
    let sql = "SELECT 1 FROM view WHERE kind = ?1 AND members > 0";
    Ok(connection.prepare_cached(sql)?.exists([ViewKind::Series as i64])?)
}

/// When the parts of the series of an article last changed; 1970 if it is in none.
pub(super) fn changed(connection: &Connection, number: i64) -> Result<DateTime<Utc>> {
    // Right after a bulk import without series, no index finds the views of an article.
    if !is_any(connection)? {
        return Ok(DateTime::UNIX_EPOCH);
    }
    let sql = "
        SELECT max(view.pinned) FROM member JOIN view ON view.number = member.view
        WHERE member.number = ?1 AND view.kind = ?2";
    let values = params![number, ViewKind::Series as i64];
    let seconds: Option<i64> = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    date(seconds.unwrap_or(0))
}

/// The place of an article in its series at `due`, or the numbers of parts whose texts have not been read.
pub(super) fn place(
    connection: &Connection,
    number: i64,
    due: DateTime<Utc>,
) -> Result<std::result::Result<Option<SeriesPlace>, Vec<i64>>> {
    if !is_any(connection)? {
        return Ok(Ok(None));
    }
    let sql = "
        SELECT view.number, view.key, view.name, view.members FROM member JOIN view ON view.number = member.view
        WHERE member.number = ?1 AND view.kind = ?2";
    let series = connection.prepare_cached(sql)?.query_row(params![number, ViewKind::Series as i64], |row| {
        let view = View { kind: ViewKind::Series, key: row.get(1)? };
        Ok((row.get(0)?, Term { view, name: row.get(2)? }, row.get(3)?))
    });
    let Some((view, term, members)) = series.optional()? else { return Ok(Ok(None)) };
    if values::count(members)? > u64::from(MAX_PARTS) {
        return Ok(Ok(Some(SeriesPlace { term, parts: Vec::new(), index: 0 })));
    }
    Ok(match parts(connection, view, due, MAX_PARTS)? {
        KnownParts::Unread(numbers) => Err(numbers),
        KnownParts::Found(parts) => {
            let index = parts.iter().position(|(part, _)| *part == number);
            let parts = parts.into_iter().map(|(_, line)| line).collect();
            Ok(index.map(|index| SeriesPlace { term, parts, index }))
        }
    })
}

/// What the page of a series lists at `due` in place of its newest articles: the articles whose texts must be read first, and all parts.
pub(super) fn listed(connection: &Connection, view: i64, due: DateTime<Utc>) -> Result<(Window, Vec<ArticleLine>)> {
    Ok(match parts(connection, view, due, MAX_LINES)? {
        KnownParts::Found(parts) => (Window::default(), parts.into_iter().map(|(_, line)| line).collect()),
        KnownParts::Unread(unread) => (Window { unread, ..Window::default() }, Vec::new()),
    })
}

/// The visible parts of a series at `due`: by the places that they state, else by date, the oldest first.
fn parts(connection: &Connection, view: i64, due: DateTime<Utc>, limit: u32) -> Result<KnownParts> {
    let visible = visible(Audience::Public, "?2");
    let sql = format!(
        "
        SELECT article.number, article.slug, json_extract(entry, '$.title'), json_extract(entry, '$.language'),
          article.published, article.stale = {UNREAD}, json_extract(entry, '$.series.part') AS part
        FROM member JOIN article ON article.number = member.number JOIN content ON content.number = member.number
        WHERE view = ?1 AND {visible} AND json_valid(entry)
        ORDER BY part IS NULL, part, member.published, member.rank, member.number LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![view, due.timestamp(), limit])?;
    let (mut parts, mut unread) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        if values::flag(row, 5)? {
            unread.push(number);
            continue;
        }
        let slug: Slug = row.get(1)?;
        let Some(title) = row.get(2)? else { return damaged(format!("article {number} has no title")) };
        parts.push((number, ArticleLine { slug, title, published: date(row.get(4)?)?, language: row.get(3)? }));
    }
    Ok(if unread.is_empty() { KnownParts::Found(parts) } else { KnownParts::Unread(unread) })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::article::Article;
    use crate::catalog::store::bulk_import::tests::{NOW, record, record_with};
    use crate::model::entry::{Content, SeriesPart};
    use crate::model::moment::Moment;

    #[test]
    fn a_part_that_expires_changes_the_pages_of_the_others() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        let end = now + TimeDelta::hours(1);
        for (path, expires) in [("a.md", None), ("b.md", Some(end)), ("c.md", None)] {
            let series = Some(SeriesPart { series: "The sea".to_owned(), part: None });
            let content = Content { series, ..Content::default() };
            record_with(&mut catalog, path, &Article { expires, ..Article::default() }, content);
        }
        record(&mut catalog, "other.md");
        catalog.apply_due(Moment::by_clock(Version::at(now), now)).unwrap();
        let titles = |catalog: &Catalog, number, due| {
            let place = place(&catalog.connection, number, due).unwrap().unwrap().unwrap();
            place.parts.into_iter().map(|line| line.title).collect::<Vec<_>>()
        };
        assert_eq!(titles(&catalog, 1, now), ["a.md", "b.md", "c.md"]);
        let before = changed(&catalog.connection, 1).unwrap();
        catalog.apply_due(Moment::by_clock(Version::at(end), end)).unwrap();
        assert_eq!(titles(&catalog, 1, end), ["a.md", "c.md"]);
        let after = [1, 3].map(|number| changed(&catalog.connection, number).unwrap());
        assert!(after.iter().all(|after| *after == end && *after > before), "{before} {after:?}");
        assert_eq!(changed(&catalog.connection, 4).unwrap(), DateTime::UNIX_EPOCH);
    }
}
