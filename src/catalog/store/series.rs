//! Series: the parts of one in their order, and when it last changed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsStr;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use super::translations::base;
use super::values::{self, UNREAD, damaged, date, path_of};
use super::window::Window;
use crate::catalog::visibility::visible;
use crate::model::collection::{ArticleLine, SeriesPlace};
use crate::model::entry::Slug;
use crate::model::language;
use crate::model::moment::{Audience, Version};
use crate::model::taxonomy::{Term, View, ViewKind};

/// Maximum number of parts of a series that the pages of its articles list.
const MAX_PARTS: u32 = 100;
/// Maximum number of parts that the page of a series lists.
const MAX_LINES: u32 = 1_000;

/// An article of a series.
#[derive(Debug)]
struct SeriesArticle {
    number: i64,
    path: PathBuf,
    line: ArticleLine,
}

/// The articles of a series, as far as their texts have been read.
#[derive(Debug)]
enum KnownParts {
    Found(Vec<SeriesArticle>),
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
            let parts = without_translations(parts, Some(number));
            let index = parts.iter().position(|part| part.number == number);
            let parts = parts.into_iter().map(|part| part.line).collect();
            Ok(index.map(|index| SeriesPlace { term, parts, index }))
        }
    })
}

/// What the page of a series lists at `due` in place of its newest articles: the articles whose texts must be read first, and all parts.
pub(super) fn listed(connection: &Connection, view: i64, due: DateTime<Utc>) -> Result<(Window, Vec<ArticleLine>)> {
    Ok(match parts(connection, view, due, MAX_LINES)? {
        KnownParts::Found(parts) => {
            (Window::default(), without_translations(parts, None).into_iter().map(|part| part.line).collect())
        }
        KnownParts::Unread(unread) => (Window { unread, ..Window::default() }, Vec::new()),
    })
}

/// The parts of a series: of an article in several languages, the one whose page this is, else the one in its language, else the one that the
/// name of its file gives no language.
fn without_translations(articles: Vec<SeriesArticle>, own: Option<i64>) -> Vec<SeriesArticle> {
    let key = |article: &SeriesArticle| article.line.language.as_deref().and_then(language::key);
    let own_key = own.and_then(|own| articles.iter().find(|article| article.number == own)).and_then(key);
    let distance = |article: &SeriesArticle| {
        let states_language = base(&article.path) != article.path.file_stem().and_then(OsStr::to_str);
        (Some(article.number) != own, key(article) != own_key || own.is_none(), states_language)
    };
    let mut parts: Vec<SeriesArticle> = Vec::new();
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    for article in articles {
        let name = article.path.with_file_name(base(&article.path).unwrap_or_default());
        match places.entry(name) {
            Entry::Vacant(place) => {
                place.insert(parts.len());
                parts.push(article);
            }
            Entry::Occupied(place) => {
                let part = &mut parts[*place.get()];
                if distance(&article) < distance(part) {
                    *part = article;
                }
            }
        }
    }
    parts
}

/// The visible articles of a series at `due`: by the places that they state, else by date, the oldest first.
fn parts(connection: &Connection, view: i64, due: DateTime<Utc>, limit: u32) -> Result<KnownParts> {
    let visible = visible(Audience::Public, "?2");
    let sql = format!(
        "
        SELECT article.number, article.slug, json_extract(entry, '$.title'), json_extract(entry, '$.language'),
          article.published, article.stale = {UNREAD}, article.path, json_extract(entry, '$.series.part') AS part
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
        let line = ArticleLine { slug, title, published: date(row.get(4)?)?, language: row.get(3)? };
        parts.push(SeriesArticle { number, path: path_of(row.get(6)?), line });
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
    fn translations_of_a_part_are_one_part() {
        let article = |number: i64, path: &str, language: &str| {
            let slug = Slug::new(format!("a-{number}")).unwrap();
            let (title, published) = (path.to_owned(), DateTime::UNIX_EPOCH);
            let line = ArticleLine { slug, title, published, language: Some(language.to_owned()) };
            SeriesArticle { number, path: path.into(), line }
        };
        let articles = || {
            vec![
                article(1, "a.fr.md", "fr"),
                article(2, "a.md", "en"),
                article(3, "b.md", "en-GB"),
                article(4, "b.pt-br.md", "pt-BR"),
                article(5, "b.fr.md", "fr-CA"),
                article(6, "other/a.md", "en"),
            ]
        };
        let numbers = |own| without_translations(articles(), own).iter().map(|part| part.number).collect::<Vec<_>>();
        assert_eq!(numbers(None), [2, 3, 6]);
        assert_eq!(numbers(Some(2)), [2, 3, 6]);
        assert_eq!(numbers(Some(1)), [1, 5, 6], "in its language where there is one");
        assert_eq!(numbers(Some(4)), [2, 4, 6]);
    }

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
