//! The check of a whole catalog: each row is read by the function with which the program reads it, and all rows that it refers to
//! must exist. A wrong value is found before it is served.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::database::Catalog;
use super::error::{CatalogError, Result};
use super::known::known;
use super::media::Claim;
use super::ownership::CONTINUES;
use super::reader::Reader;
use super::values::path_of;
use super::values::{self, clock_date, damaged, date};
use super::{adopted, entries, identify, problems, sections};
use crate::catalog::visibility::{ARTICLE, PageState};
use crate::model::entry::{ArticleId, Slug};
use crate::model::taxonomy::ViewKind;
use crate::model::text::xml_legal;

/// A catalog of at most this many bytes is checked before the first response; a larger one is checked while it is served.
const SMALL: i64 = 2 << 20;

/// Number of rows after which the check may be cancelled.
const ROWS: usize = 1_000;

/// How far a recorded date may be ahead of the clock, which may have been set back.
const LEEWAY: TimeDelta = TimeDelta::days(1);

/// The extent of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckScope {
    /// All rows without the texts of articles, most of which are not in memory. A wrong text is found when it is read.
    Rows,
    /// Everything.
    All,
}

/// The latest possible date from the clock, in Unix seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latest(i64);

impl Latest {
    /// For the clock `now` and the versions in the catalog.
    pub(super) fn of(connection: &Connection, now: DateTime<Utc>) -> Result<Self> {
        let mut latest = now;
        for key in ["version", "promised"] {
            let version = super::meta::meta(connection, key)?.and_then(|text| clock_date(&text).ok());
            latest = latest.max(version.unwrap_or_default());
        }
        Ok(Self::at(latest))
    }

    /// For the clock `now`.
    pub(super) fn at(now: DateTime<Utc>) -> Self {
        Self((now + LEEWAY).timestamp())
    }

    /// Checks a date from the clock.
    pub(super) fn clock(self, seconds: i64) -> Result<DateTime<Utc>> {
        if (0..=self.0).contains(&seconds) { date(seconds) } else { damaged(format!("{seconds} is not a past date")) }
    }
}

/// A way to read the rows of a table. A table may have several.
pub(super) struct Pass {
    pub table: &'static str,
    /// The table, joined with those that its rows refer to.
    from: &'static str,
    /// The columns that `read` expects.
    columns: &'static str,
    /// The columns of the primary key.
    pub keys: &'static [&'static str],
    read: fn(&Row<'_>, Latest) -> Result<()>,
}

/// All tables, referenced ones first.
pub(super) const PASSES: [Pass; 19] = [
    Pass { table: "meta", from: "meta", columns: "key, value", keys: &["key"], read: meta },
    Pass { table: "behind", from: "behind", columns: "path, hash", keys: &["path", "hash"], read: behind },
    Pass { table: "retired", from: "retired", columns: "id", keys: &["id"], read: retired },
    Pass {
        table: "view",
        from: "view",
        columns: "number, kind, key, name, members, revised, floor, latest, guid, recordings, pinned",
        keys: &["number"],
        read: view,
    },
    Pass {
        table: "article",
        from: "article",
        columns: "path, size, mtime, ctime, inode, born, file_hash, state, stale",
        keys: &["number"],
        read: |row, _| known(row).map(drop),
    },
    Pass {
        table: "article",
        from: "article",
        columns: identify::COLUMNS,
        keys: &["number"],
        read: |row, _| identify::known_article(row).map(drop),
    },
    Pass {
        table: "article",
        from: "article",
        columns: "number, published, updated, revised, due, held_until, expires, stale, weight, brief, archive, episode, rank, page, headline, around, pinned",
        keys: &["number"],
        read: article,
    },
    Pass {
        table: "content",
        from: "content LEFT JOIN article USING (number)",
        columns: "article.number",
        keys: &["number"],
        read: |row, _| exists(row, 0),
    },
    Pass {
        table: "address",
        from: "address LEFT JOIN article USING (number)",
        columns: "address.slug, article.number",
        keys: &["slug"],
        read: address,
    },
    Pass { table: "document", from: "document", columns: "path, hash, modified", keys: &["path"], read: document },
    Pass {
        table: "archive",
        from: "archive",
        columns: "number, oldest, newest, closed, revised",
        keys: &["number"],
        read: archive,
    },
    Pass {
        table: "adopted",
        from: "adopted LEFT JOIN article ON article.number = adopted.article",
        columns: "adopted.id, adopted.guid, adopted.published, adopted.updated, link, stem, title, adopted.article, article.number",
        keys: &["number"],
        read: adopted_entry,
    },
    Pass {
        table: "tombstone",
        from: "tombstone LEFT JOIN article USING (number) LEFT JOIN view ON view.number = tombstone.view",
        columns: "at, article.number, view.number",
        keys: &["view", "number"],
        read: tombstone,
    },
    Pass {
        table: "spelling",
        from: "spelling LEFT JOIN view ON view.number = spelling.view",
        columns: "spelling.name, count, view.number",
        keys: &["view", "name"],
        read: spelling,
    },
    Pass {
        table: "member",
        from: "member LEFT JOIN article USING (number) LEFT JOIN view ON view.number = member.view",
        columns: "member.name, member.published, article.published, view.number, member.rank, article.rank",
        keys: &["view", "published", "rank", "number"],
        read: member,
    },
    Pass {
        table: "media",
        from: "media LEFT JOIN article ON article.number = media.article",
        columns: "media.path, stamp, article.number, claim",
        keys: &["path", "article"],
        read: media,
    },
    Pass {
        table: "name",
        from: "name LEFT JOIN article ON article.number = name.article",
        columns: "name.name, article.number",
        keys: &["name", "article"],
        read: name,
    },
    Pass {
        table: "problem",
        from: "problem LEFT JOIN article ON article.number = problem.article",
        columns: "is_fault, problems, article.number",
        keys: &["article"],
        read: problem,
    },
    Pass { table: "total", from: "total", columns: "one, shown, scheduled, recordings", keys: &["one"], read: total },
];

/// The texts of articles.
pub(super) const TEXTS: Pass = Pass {
    table: "content",
    from: "content LEFT JOIN article USING (number)",
    columns: "id, slug, published, updated, revised, entry, number, due, guid",
    keys: &["number"],
    read: |row, _| entries::entry_of(row).map(drop),
};

/// Invariants between tables. Each is a query that returns the violations, in words.
const RELATIONS: [&str; 7] = [
    "SELECT 'article ' || number || ' has no content' FROM article
     WHERE NOT EXISTS (SELECT 1 FROM content WHERE content.number = article.number)",
    "SELECT 'article ' || number || ' has no address' FROM article WHERE state < 2
     AND NOT EXISTS (SELECT 1 FROM address WHERE address.slug = article.slug AND address.number = article.number)",
    "SELECT 'article ' || number || ' is in archive ' || archive || ', which does not exist' FROM article
     WHERE archive IS NOT NULL AND NOT EXISTS (SELECT 1 FROM archive WHERE archive.number = article.archive)",
    "SELECT 'an archive is missing' WHERE (SELECT max(number) <> count(*) FROM archive)",
    "SELECT 'the main feed has no row' WHERE NOT EXISTS (SELECT 1 FROM view WHERE number = 1 AND kind = 0 AND key = '')",
    "SELECT 'view ' || number || ' does not have ' || members || ' members, ' || recordings || ' of them recordings' FROM view
     WHERE (members, recordings) <> (SELECT count(*), coalesce(sum(rank <> x''), 0) FROM member WHERE member.view = view.number)",
    "SELECT 'view ' || number || ' has no article of ' || floor FROM view WHERE floor <> -9223372036854775808
     AND NOT EXISTS (SELECT 1 FROM member WHERE member.view = view.number AND member.published = floor)",
];

/// The totals of articles, as `total` has them.
pub(super) fn totals() -> String {
    format!(
        "SELECT coalesce(sum(shown), 0), coalesce(sum(1 - shown), 0), coalesce(sum(shown * (rank <> x'')), 0)
         FROM article WHERE state = 0 AND {ARTICLE}"
    )
}

/// Tables with indexes that must agree with their rows. The texts of articles have none, and are most of a catalog.
const INDEXED: [&str; 11] =
    ["meta", "article", "address", "view", "member", "tombstone", "media", "name", "adopted", "document", "problem"];

impl Pass {
    fn sql(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|key| format!("{}.{key}", self.table)).collect();
        format!("SELECT {}, {} FROM {}", self.columns, keys.join(", "), self.from)
    }

    /// Reads a row; the error for a wrong one names its table and key.
    fn read(&self, row: &Row<'_>, latest: Latest) -> Result<()> {
        let Err(error) = (self.read)(row, latest) else { return Ok(()) };
        if !error.is_damage() {
            return Err(error);
        }
        let columns = row.as_ref().column_count();
        let key = (columns - self.keys.len()..columns).map(|column| Ok(describe(row.get_ref(column)?)));
        let key = key.collect::<rusqlite::Result<Vec<_>>>()?.join(", ");
        let why = match error {
            CatalogError::Damaged(why) => why,
            other => other.to_string(),
        };
        damaged(format!("table {}, row {key}: {why}", self.table))
    }

    /// Whether the row with this key can be read.
    pub(super) fn accepts(&self, connection: &Connection, keys: &[Value], latest: Latest) -> Result<bool> {
        let condition: Vec<String> = self.keys.iter().map(|key| format!("{}.{key} IS ?", self.table)).collect();
        let sql = format!("{} WHERE {}", self.sql(), condition.join(" AND "));
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(keys))?;
        let Some(row) = rows.next()? else { return Ok(false) };
        match self.read(row, latest) {
            Ok(()) => Ok(true),
            Err(error) if error.is_damage() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn check(&self, connection: &Connection, latest: Latest, is_wanted: &dyn Fn() -> bool) -> Result<()> {
        let mut statement = connection.prepare(&self.sql())?;
        let mut rows = statement.query([])?;
        for number in 0_usize.. {
            let Some(row) = rows.next()? else { break };
            if number.is_multiple_of(ROWS) && !is_wanted() {
                break;
            }
            self.read(row, latest)?;
        }
        Ok(())
    }
}

/// Checks a catalog until `is_wanted` returns false.
///
/// # Errors
/// A row is wrong, or the catalog cannot be read.
fn check(connection: &Connection, now: DateTime<Utc>, depth: CheckScope, is_wanted: &dyn Fn() -> bool) -> Result<()> {
    let latest = Latest::of(connection, now)?;
    let texts = (depth == CheckScope::All).then_some(&TEXTS);
    for pass in PASSES.iter().chain(texts) {
        pass.check(connection, latest, is_wanted)?;
    }
    for table in INDEXED.iter().take_while(|_| is_wanted()) {
        let sql = format!("PRAGMA integrity_check({table})");
        let finding: String = connection.query_row(&sql, [], |row| row.get(0))?;
        if finding != "ok" {
            return damaged(format!("table {table}: {finding}"));
        }
    }
    let totals = format!(
        "SELECT 'there are other totals of articles'
         WHERE NOT EXISTS (SELECT 1 FROM total WHERE (shown, scheduled, recordings) = ({}))",
        totals()
    );
    for relation in RELATIONS.into_iter().chain([totals.as_str()]).take_while(|_| is_wanted()) {
        let mut statement = connection.prepare(relation)?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            return damaged(row.get::<_, String>(0)?);
        }
    }
    Ok(())
}

fn is_small(connection: &Connection) -> Result<bool> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))? <= SMALL)
}

impl Catalog {
    /// Checks all rows. The time grows with the catalog.
    ///
    /// # Errors
    /// A row is wrong, or the catalog cannot be read.
    pub fn check(&self, now: DateTime<Utc>) -> Result<()> {
        check(&self.connection, now, CheckScope::All, &|| true)
    }

    /// Checks all rows of a small catalog, before the first response. [`Reader::check_large`] checks large ones.
    ///
    /// # Errors
    /// As for [`Catalog::check`].
    pub fn check_small(&self, now: DateTime<Utc>) -> Result<()> {
        if is_small(&self.connection)? { self.check(now) } else { Ok(()) }
    }
}

impl Reader {
    /// Checks the rows of a catalog that is too large for [`Catalog::check_small`], until `is_wanted` returns false. Texts of articles are
    /// not checked.
    ///
    /// # Errors
    /// A row is wrong, or the catalog cannot be read.
    pub fn check_large(&self, now: DateTime<Utc>, is_wanted: &dyn Fn() -> bool) -> Result<()> {
        if is_small(&self.connection)? { Ok(()) } else { check(&self.connection, now, CheckScope::Rows, is_wanted) }
    }
}

/// A value in a log line.
fn describe(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).escape_default().to_string(),
    }
}

/// Checks that a joined row exists; `column` is its number.
fn exists(row: &Row<'_>, column: usize) -> Result<()> {
    match row.get::<_, Option<i64>>(column)? {
        Some(number) if number > 0 => Ok(()),
        Some(number) => damaged(format!("{number} is no number of a row")),
        None => damaged("it refers to a row that is not there"),
    }
}

/// Checks a number from 0 to `last`.
fn mark(row: &Row<'_>, column: usize, last: i64) -> Result<()> {
    let mark: i64 = row.get(column)?;
    if (0..=last).contains(&mark) { Ok(()) } else { damaged(format!("a mark of {mark}")) }
}

fn meta(row: &Row<'_>, latest: Latest) -> Result<()> {
    let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
    check_meta(&key, &value, latest)
}

/// Checks the text of a key in `meta`.
pub(super) fn check_meta(key: &str, value: &str, latest: Latest) -> Result<()> {
    match key {
        "namespace" if value.parse::<Uuid>().is_err() => damaged("the namespace is no UUID"),
        "version" | "promised" => clock_date(value).map(drop),
        "created" => clock_date(value).and_then(|date| latest.clock(date.timestamp())).map(drop),
        key if key.starts_with(sections::PREFIX) || key.starts_with(sections::OF_AUTHORS) => {
            sections::parse(value).map(drop)
        }
        key if key == values::DESCRIBED || key.starts_with(values::LISTED) || key.starts_with(values::COUNTED) => {
            clock_date(value).and_then(|date| latest.clock(date.timestamp())).map(drop)
        }
        _ => Ok(()),
    }
}

fn behind(row: &Row<'_>, _: Latest) -> Result<()> {
    values::article_path(row.get(0)?)?;
    row.get::<_, [u8; 32]>(1)?;
    Ok(())
}

fn retired(row: &Row<'_>, _: Latest) -> Result<()> {
    row.get::<_, ArticleId>(0)?;
    Ok(())
}

fn view(row: &Row<'_>, latest: Latest) -> Result<()> {
    let (number, kind): (i64, i64) = (row.get(0)?, row.get(1)?);
    let (key, name): (String, String) = (row.get(2)?, row.get(3)?);
    let is_kind =
        if number == values::WHOLE { kind == 0 } else { ViewKind::ALL.iter().any(|view| *view as i64 == kind) };
    if number < 1 || !is_kind || (number == values::WHOLE) != key.is_empty() || xml_legal(&name) != name {
        return damaged(format!("a view of kind {kind} with key `{}`", key.escape_default()));
    }
    values::count(row.get(4)?)?;
    values::count(row.get(9)?)?;
    latest.clock(row.get(5)?)?;
    match row.get(6)? {
        i64::MIN => {}
        floor => drop(date(floor)?),
    }
    latest.clock(row.get(7)?)?;
    latest.clock(row.get(10)?)?;
    let guid: Option<String> = row.get(8)?;
    if guid.is_some_and(|guid| guid.parse::<Uuid>().is_err()) { damaged("its guid is no UUID") } else { Ok(()) }
}

/// Checks the columns that no other function reads.
fn article(row: &Row<'_>, latest: Latest) -> Result<()> {
    exists(row, 0)?;
    let (published, updated) = (date(row.get(1)?)?, date(row.get(2)?)?);
    // A stated date may be ahead of the clock.
    if updated < published || (updated > published && latest.clock(updated.timestamp().max(0)).is_err()) {
        return damaged(format!("updated on {updated}, published on {published}"));
    }
    latest.clock(row.get(3)?)?;
    for column in [4, 5, 6] {
        let seconds: Option<i64> = row.get(column)?;
        if seconds.map(date).transpose()?.is_some_and(|date| date < DateTime::UNIX_EPOCH) {
            return damaged("shown from or until a date before 1970");
        }
    }
    mark(row, 7, values::LOST)?;
    values::weight(row.get(8)?)?;
    values::weight(row.get(9)?)?;
    row.get::<_, Option<u32>>(10)?;
    row.get::<_, Vec<u8>>(12)?;
    mark(row, 11, CONTINUES)?;
    latest.clock(row.get(14)?)?;
    latest.clock(row.get(15)?)?;
    row.get::<_, u32>(16)?;
    if PageState::from_number(row.get(13)?).is_none() { damaged("no kind of page") } else { Ok(()) }
}

fn address(row: &Row<'_>, _: Latest) -> Result<()> {
    row.get::<_, Slug>(0)?;
    exists(row, 1)
}

fn document(row: &Row<'_>, latest: Latest) -> Result<()> {
    let _: (String, [u8; 32]) = (row.get(0)?, row.get(1)?);
    latest.clock(row.get(2)?).map(drop)
}

fn archive(row: &Row<'_>, latest: Latest) -> Result<()> {
    let number: u32 = row.get(0)?;
    exists(row, 0)?;
    let (oldest, newest) = (date(row.get(1)?)?, date(row.get(2)?)?);
    if oldest > newest {
        return damaged(format!("archive {number} ends before it begins"));
    }
    latest.clock(row.get(3)?)?;
    latest.clock(row.get(4)?).map(drop)
}

fn adopted_entry(row: &Row<'_>, _: Latest) -> Result<()> {
    adopted::adopted(row)?;
    for column in [4, 5, 6] {
        row.get::<_, Option<String>>(column)?;
    }
    if row.get::<_, Option<i64>>(7)?.is_some() { exists(row, 8) } else { Ok(()) }
}

fn tombstone(row: &Row<'_>, latest: Latest) -> Result<()> {
    latest.clock(row.get(0)?)?;
    exists(row, 1)?;
    exists(row, 2)
}

fn spelling(row: &Row<'_>, _: Latest) -> Result<()> {
    row.get::<_, String>(0)?;
    if values::count(row.get(1)?)? == 0 { damaged("a spelling of no article") } else { exists(row, 2) }
}

fn member(row: &Row<'_>, _: Latest) -> Result<()> {
    row.get::<_, String>(0)?;
    let (in_view, of_article): (i64, Option<i64>) = (row.get(1)?, row.get(2)?);
    let ranks: (Vec<u8>, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
    if of_article != Some(in_view) || ranks.1 != Some(ranks.0) {
        return damaged(format!("an article of {in_view} that is not there"));
    }
    exists(row, 3)
}

fn media(row: &Row<'_>, _: Latest) -> Result<()> {
    let path = path_of(row.get(0)?);
    row.get::<_, i64>(1)?;
    if path.as_os_str().is_empty() {
        return damaged("a file without a path");
    }
    exists(row, 2)?;
    mark(row, 3, Claim::Owns as i64)
}

fn name(row: &Row<'_>, _: Latest) -> Result<()> {
    let name: String = row.get(0)?;
    if !name.starts_with(['/', '=']) {
        return damaged(format!("`{name}` is no name of an article"));
    }
    exists(row, 1)
}

fn problem(row: &Row<'_>, _: Latest) -> Result<()> {
    problems::check(row)?;
    exists(row, 2)
}

fn total(row: &Row<'_>, _: Latest) -> Result<()> {
    values::count(row.get(1)?)?;
    values::count(row.get(2)?)?;
    values::count(row.get(3)?)?;
    match row.get(0)? {
        1_i64 => Ok(()),
        other => damaged(format!("the only row has number {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_catalog_is_valid() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let catalog = Catalog::open(directory.path(), None, now).unwrap();
        catalog.check(now).unwrap();
        catalog.check_small(now).unwrap();
        // Dates from the clock are not in the future.
        assert!(catalog.check(now - TimeDelta::days(2)).unwrap_err().is_damage());
        let reader = Reader::open(directory.path()).unwrap();
        check(&reader.connection, now, CheckScope::Rows, &|| true).unwrap();
    }

    #[test]
    fn an_error_names_the_table_and_the_row() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let catalog = Catalog::open(directory.path(), None, now).unwrap();
        catalog.connection.execute("UPDATE view SET revised = -1", []).unwrap();
        let error = catalog.check(now).unwrap_err().to_string();
        assert_eq!(error, "the catalog is damaged: table view, row 1: -1 is not a past date");
    }
}
