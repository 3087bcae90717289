//! A damaged catalog -> a new one with all rows that can be read. Ids, dates and addresses matter most, since no article file contains
//! them; contents are read again from the files.

use std::borrow::Cow;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params, params_from_iter};

use super::check::{self, Latest, PASSES, TEXTS, check_meta};
use super::checksum::{self, Identifiers};
use super::database::Catalog;
use super::error::Result;
use super::forget::no_content;
use super::repair::Cells;
use super::values;
use super::values::{LOST, path_of};
use crate::catalog::visibility::{PUBLISHED, visible_already};
use crate::model::entry::{ArticleId, Slug};
use crate::model::moment::{Audience, Version};

/// Tables that are copied, referenced ones first. The others follow from the articles.
const TABLES: [&str; 13] = [
    "meta",
    "retired",
    "view",
    "article",
    "content",
    "address",
    "archive",
    "adopted",
    "document",
    "tombstone",
    "media",
    "name",
    "problem",
];

/// The two directions through a table: rows behind a damaged page can be reached from the other end.
const DIRECTIONS: [&str; 2] = ["", "DESC"];

/// Keys in `meta` that are copied. The others hold for the damaged file only.
const META_KEYS: [&str; 5] = ["namespace", "created", "version", "promised", "folder"];

/// Maximum number of articles whose wrong byte is searched for. Each takes some milliseconds.
const MAX_CORRECTIONS: usize = 100;

/// The result of a recovery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Articles, deleted ones included.
    pub articles: usize,
    /// Rows with a replaced value.
    pub repaired: usize,
    /// Unusable rows.
    pub dropped: usize,
}

/// A running recovery.
struct Salvage<'a> {
    catalog: &'a mut Catalog,
    source: &'a Connection,
    now: DateTime<Utc>,
    latest: Latest,
    /// The version that will show the changes.
    version: Version,
    salvaged: Salvaged,
    /// Articles that have lost their id or number, each with the names of its lost columns. They get new ones after all others are copied.
    unnamed: Vec<(Cells, Vec<&'static str>)>,
    /// Number of articles whose identifiers did not match their checksum.
    corrections: usize,
    /// Numbers of articles that have lost their slug or guid.
    without_slug: Vec<i64>,
    without_guid: Vec<i64>,
}

impl Catalog {
    /// Copies the readable rows of a damaged file into this catalog, which is new. A wrong value is replaced if the article file or
    /// another row will correct it; rows that are still invalid are dropped.
    ///
    /// # Errors
    /// This catalog cannot be written, or is still invalid. Unreadable parts of the damaged file are not errors.
    pub fn salvage(&mut self, damaged: &Path, now: DateTime<Utc>) -> Result<Salvaged> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let Ok(source) = Connection::open_with_flags(damaged, flags) else { return Ok(Salvaged::default()) };
        // Rows may refer to unreadable rows.
        self.connection.pragma_update(None, "foreign_keys", false)?;
        let salvaged = self.transaction(|catalog| Salvage::new(catalog, &source, now).run());
        self.connection.pragma_update(None, "foreign_keys", true)?;
        let salvaged = salvaged?;
        self.load_namespace()?;
        self.check(now)?;
        // Afterwards the file is complete without its log and may be moved.
        self.connection.query_row("PRAGMA wal_checkpoint(truncate)", [], |_| Ok(()))?;
        Ok(salvaged)
    }
}

impl<'a> Salvage<'a> {
    fn new(catalog: &'a mut Catalog, source: &'a Connection, now: DateTime<Utc>) -> Self {
        Self {
            catalog,
            source,
            now,
            latest: Latest::of(source, now).unwrap_or(Latest::at(now)),
            version: Version::at(now),
            salvaged: Salvaged::default(),
            unnamed: Vec::new(),
            corrections: 0,
            without_slug: Vec::new(),
            without_guid: Vec::new(),
        }
    }

    fn run(mut self) -> Result<Salvaged> {
        self.catalog.connection.execute("DELETE FROM view", [])?;
        for table in TABLES {
            self.copy(table)?;
            match table {
                "meta" => self.set_version()?,
                "article" => self.name_articles()?,
                _ => {}
            }
        }
        self.hold_without_content()?;
        self.catalog.mark_incomplete()?;
        self.complete_archives()?;
        self.give_addresses()?;
        self.complete()?;
        self.enter_views()?;
        let sql = "SELECT count(*) FROM article";
        let articles: i64 = self.catalog.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(Salvaged { articles: usize::try_from(articles).unwrap_or(0), ..self.salvaged })
    }

    /// Sets the version that will show the changes of the recovery.
    fn set_version(&mut self) -> Result<()> {
        let last = self.catalog.meta_date("version")?.unwrap_or_default();
        self.version = Version::at(self.now).max(Version::at(last).next());
        self.catalog.set_meta("promised", &self.version.seconds().to_string())
    }

    /// Copies the rows of a table: from one end up to an unreadable row, then from the other end.
    fn copy(&mut self, table: &'static str) -> Result<()> {
        let names = self.columns(table)?;
        let Some(first) = names.first() else { return Ok(()) };
        let list = names.join(", ");
        for direction in DIRECTIONS {
            let Ok(mut statement) =
                self.source.prepare(&format!("SELECT {list} FROM {table} ORDER BY {first} {direction}"))
            else {
                return Ok(());
            };
            let Ok(mut rows) = statement.query([]) else { return Ok(()) };
            loop {
                match rows.next() {
                    Ok(Some(row)) => match Cells::read(&names, row) {
                        Ok(cells) => self.accept(table, cells)?,
                        Err(_) => break,
                    },
                    Ok(None) => return Ok(()),
                    Err(_) => break,
                }
            }
        }
        Ok(())
    }

    /// The columns of a table that the damaged file has, key columns first. An older file has fewer; the others get their defaults.
    fn columns(&self, table: &str) -> Result<Vec<String>> {
        let mut statement = self.catalog.connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let columns: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let has = |column: &String| self.source.prepare(&format!("SELECT {column} FROM {table}")).is_ok();
        Ok(columns.into_iter().filter(has).collect())
    }

    fn accept(&mut self, table: &'static str, mut row: Cells) -> Result<()> {
        match table {
            "meta" => return self.accept_meta(&row),
            "article" => return self.accept_article(row),
            "view" => row.repair_view(self.latest, self.version.seconds()),
            "adopted" => {
                let catalog = &self.catalog;
                row.repair_adopted(|number| catalog.has_article(number).unwrap_or(false));
            }
            "media" => row.repair_media(),
            "content" => self.correct_identifiers(&mut row)?,
            _ => {}
        }
        let is_new = self.insert(table, &row)?;
        self.salvaged.repaired += usize::from(is_new && row.repairs > 0);
        Ok(())
    }

    fn accept_meta(&mut self, row: &Cells) -> Result<()> {
        let Some((key, value)) = row.text("key").zip(row.text("value")) else {
            self.salvaged.dropped += 1;
            return Ok(());
        };
        if !META_KEYS.contains(&key) {
            return Ok(());
        }
        if check_meta(key, value, self.latest).is_err() {
            self.salvaged.dropped += 1;
            return Ok(());
        }
        self.catalog.set_meta(key, value)
    }

    fn accept_article(&mut self, mut row: Cells) -> Result<()> {
        let lost = row.repair_article(self.latest, self.version.seconds());
        if lost.contains(&"id") || lost.contains(&"number") {
            self.unnamed.push((row, lost));
            return Ok(());
        }
        self.insert_article(row, &lost)
    }

    /// Gives articles new numbers and ids for the lost ones.
    fn name_articles(&mut self) -> Result<()> {
        for (mut row, lost) in std::mem::take(&mut self.unnamed) {
            if lost.contains(&"number") {
                // Rows of other tables still have the old number.
                let sql = "SELECT number FROM address WHERE slug = ?1 AND number > 0";
                let number = self.source.query_row(sql, [row.text("slug")], |row| row.get::<_, i64>(0));
                row.set("number", number.map_or(Value::Null, Value::Integer));
            }
            if lost.contains(&"id") {
                let id = self.new_id(&row)?;
                row.set("id", id.to_string());
            }
            self.insert_article(row, &lost)?;
        }
        Ok(())
    }

    /// The adopted id of an article, or else the one that follows from its path.
    fn new_id(&self, row: &Cells) -> Result<ArticleId> {
        let sql = "SELECT id FROM adopted WHERE article = ?1";
        let adopted = self.source.query_row(sql, [row.integer("number")], |row| row.get::<_, ArticleId>(0));
        let path = if let Some(Value::Blob(path)) = row.get("path") { path.clone() } else { Vec::new() };
        match adopted {
            Ok(id) if !self.catalog.is_taken(&id)? => Ok(id),
            _ => self.catalog.new_id(&path_of(path)),
        }
    }

    /// Corrects the article of a content if the checksum of its identifiers shows which byte is wrong, and renews the checksums.
    fn correct_identifiers(&mut self, row: &mut Cells) -> Result<()> {
        let Some((number, content)) = row.integer("number").zip(row.text("entry")) else { return Ok(()) };
        let Some((expected, object)) = checksum::of_identifiers(content) else { return Ok(()) };
        let Some(mut present) = identifiers(&self.catalog.connection, number)? else { return Ok(()) };
        // A wrong content is lost, with its checksums.
        if checksum::check(number, content).is_err() {
            return Ok(());
        }
        if !present.have(expected) && self.corrections < MAX_CORRECTIONS {
            self.corrections += 1;
            // As they are in the damaged file: the others may have been replaced already.
            let damaged = identifiers(self.source, number).ok().flatten();
            if let Some(corrected) = damaged.and_then(|damaged| damaged.corrected(expected)) {
                let sql = "
                    UPDATE OR IGNORE article SET id = ?2, slug = ?3, published = ?4, updated = ?5, guid = ?6 WHERE number = ?1";
                let Identifiers { number, id, slug, published, updated, guid } = &corrected;
                let values = params![number, id, slug, published, updated, guid];
                if self.catalog.connection.prepare_cached(sql)?.execute(values)? > 0 {
                    present = corrected;
                    row.repairs += 1;
                }
            }
        }
        row.set("entry", checksum::add(&present, &object));
        Ok(())
    }

    fn insert_article(&mut self, mut row: Cells, lost: &[&str]) -> Result<()> {
        let exists = row.integer("number").map_or(Ok(false), |number| self.catalog.has_article(number))?;
        if exists {
            return Ok(());
        }
        if !self.insert("article", &row)? {
            // Another article is at its path.
            row.give_up_path();
            self.salvaged.dropped -= 1;
            if !self.insert("article", &row)? {
                return Ok(());
            }
            row.repairs += 1;
        }
        let number = self.catalog.connection.last_insert_rowid();
        self.without_slug.extend(lost.contains(&"slug").then_some(number));
        self.without_guid.extend(lost.contains(&"guid").then_some(number));
        self.salvaged.repaired += usize::from(row.repairs > 0);
        Ok(())
    }

    /// Inserts a row, and deletes it again if it is invalid. Returns whether it stays.
    fn insert(&mut self, table: &'static str, row: &Cells) -> Result<bool> {
        let connection = &self.catalog.connection;
        let places = vec!["?"; row.names.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", row.names.join(", "));
        match connection.prepare_cached(&sql)?.execute(params_from_iter(&row.values)) {
            Ok(_) => {}
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                self.salvaged.dropped += 1;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        let texts = (table == TEXTS.table).then_some(&TEXTS);
        for pass in PASSES.iter().filter(|pass| pass.table == table).chain(texts) {
            let key = |name: &&str| match row.get(name) {
                Some(Value::Null) | None => Value::Integer(connection.last_insert_rowid()),
                Some(value) => value.clone(),
            };
            let keys: Vec<Value> = pass.keys.iter().map(key).collect();
            if !pass.accepts(connection, &keys, self.latest)? {
                let condition: Vec<String> = pass.keys.iter().map(|key| format!("{key} IS ?")).collect();
                let sql = format!("DELETE FROM {table} WHERE {}", condition.join(" AND "));
                connection.prepare_cached(&sql)?.execute(params_from_iter(&keys))?;
                self.salvaged.dropped += 1;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Withdraws articles without content until their files have been read. Readers still know them as published.
    fn hold_without_content(&mut self) -> Result<()> {
        let empty = no_content();
        let connection = &self.catalog.connection;
        let missing = "NOT EXISTS (SELECT 1 FROM content WHERE content.number = article.number)";
        let lost = format!("UPDATE article SET state = 1, stale = {LOST} WHERE {PUBLISHED} AND {missing}");
        connection.execute(&lost, [])?;
        connection.execute(&format!("UPDATE article SET state = 1 WHERE state = 0 AND {missing}"), [])?;
        connection.execute(
            &format!("INSERT INTO content (number, entry) SELECT number, ?1 FROM article WHERE {missing}"),
            [empty],
        )?;
        Ok(())
    }

    /// Restores lost archives from the numbers in their articles, since archives are numbered without gaps.
    fn complete_archives(&mut self) -> Result<()> {
        let connection = &self.catalog.connection;
        // Each archive had an article, and few articles are merged into others; larger numbers are damage.
        connection.execute("DELETE FROM archive WHERE number > (SELECT 2 * count(*) + 100 FROM article)", [])?;
        let sql = "
            SELECT coalesce(max(number), 0) + EXISTS (SELECT 1 FROM article WHERE archive =
              (SELECT coalesce(max(number), 0) + 1 FROM archive)) FROM archive";
        let newest: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        for number in 1..=newest {
            let sql = "
                INSERT OR IGNORE INTO archive (number, oldest, newest, closed, revised)
                SELECT ?1, coalesce(min(published), 0), coalesce(max(published), 0), ?2, ?2 FROM article WHERE archive = ?1";
            connection.prepare_cached(sql)?.execute([number, self.version.seconds()])?;
        }
        connection
            .execute("UPDATE article SET archive = NULL WHERE archive NOT IN (SELECT number FROM archive)", [])?;
        Ok(())
    }

    /// Gives an address to each article that was not deleted.
    fn give_addresses(&mut self) -> Result<()> {
        for number in std::mem::take(&mut self.without_slug) {
            let sql = "SELECT slug FROM address WHERE number = ?1 ORDER BY slug LIMIT 1";
            let former: Option<Slug> = self.catalog.connection.query_row(sql, [number], |row| row.get(0)).optional()?;
            self.give_slug(number, former)?;
        }
        // The addresses of deleted articles may be reused.
        let sql = "
            SELECT number FROM article WHERE state < 2
            AND NOT EXISTS (SELECT 1 FROM address WHERE address.slug = article.slug AND address.number = article.number)";
        for number in self.numbers(sql, [])? {
            let sql = "SELECT slug FROM article WHERE number = ?1";
            let slug: Slug = self.catalog.connection.query_row(sql, [number], |row| row.get(0))?;
            let sql = "
                SELECT EXISTS (SELECT 1 FROM address JOIN article USING (number) WHERE address.slug = ?1 AND address.slug = article.slug
                AND state < 2 AND number <> ?2)";
            let is_taken: bool = self.catalog.connection.query_row(sql, params![slug, number], |row| row.get(0))?;
            if is_taken {
                self.give_slug(number, None)?;
            } else {
                self.catalog.give_address(&slug, number)?;
            }
        }
        Ok(())
    }

    /// Gives an article a slug: a former one, or one from the name of its file.
    fn give_slug(&mut self, number: i64, former: Option<Slug>) -> Result<()> {
        let slug = if let Some(slug) = former {
            slug
        } else {
            let sql = "SELECT path FROM article WHERE number = ?1";
            let path = self.catalog.connection.query_row(sql, [number], |row| row.get(0)).map(path_of)?;
            self.catalog.free_slug("", &path, Some(number), None)?
        };
        let sql = "UPDATE article SET slug = ?2 WHERE number = ?1";
        self.catalog.connection.prepare_cached(sql)?.execute(params![number, slug])?;
        self.catalog.renew_checksums(number)?;
        self.catalog.give_address(&slug, number)
    }

    /// Marks all files to be read again, and counts the articles.
    fn complete(&mut self) -> Result<()> {
        let connection = &self.catalog.connection;
        for number in std::mem::take(&mut self.without_guid) {
            let sql =
                "UPDATE article SET guid = (SELECT guid FROM adopted WHERE adopted.id = article.id) WHERE number = ?1";
            connection.prepare_cached(sql)?.execute([number])?;
            self.catalog.renew_checksums(number)?;
        }
        let whole = "INSERT OR IGNORE INTO view (number, kind, key, name, revised) VALUES (?1, 0, '', '', ?2)";
        connection.execute(whole, [values::WHOLE, self.version.seconds()])?;
        connection.execute_batch(&format!(
            "
            -- Articles with the same bytes do not count as updated.
            UPDATE article SET stale = CASE stale WHEN 4 THEN 4 ELSE 2 END WHERE state < 2;
            UPDATE total SET (shown, scheduled, recordings) = ({});",
            check::totals()
        ))?;
        Ok(())
    }

    /// Adds the visible articles to their views, which follow from their contents.
    fn enter_views(&mut self) -> Result<()> {
        let visible = visible_already(Audience::Public, "?1");
        let sql = format!("SELECT number FROM article WHERE {visible} ORDER BY number");
        for number in self.numbers(&sql, [self.now.timestamp()])? {
            self.catalog.enter_as_recorded(number, false, self.version)?;
        }
        Ok(())
    }

    fn numbers(&self, sql: &str, values: impl rusqlite::Params) -> Result<Vec<i64>> {
        let mut statement = self.catalog.connection.prepare(sql)?;
        let rows = statement.query_map(values, |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Catalog {
    fn has_article(&self, number: i64) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM article WHERE number = ?1")?.exists([number])?)
    }

    /// Renews the checksums of an article whose identifiers the recovery has changed.
    fn renew_checksums(&self, number: i64) -> Result<()> {
        let sql = "SELECT entry FROM content WHERE number = ?1";
        let content: Option<String> =
            self.connection.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?;
        let object = content.as_deref().and_then(checksum::of_identifiers).map(|(_, object)| object);
        if let Some((object, identifiers)) = object.zip(identifiers(&self.connection, number)?) {
            let sql = "UPDATE content SET entry = ?2 WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute(params![number, checksum::add(&identifiers, &object)])?;
        }
        Ok(())
    }
}

fn identifiers(connection: &Connection, number: i64) -> Result<Option<Identifiers<'static>>> {
    let sql = "SELECT id, slug, published, updated, guid FROM article WHERE number = ?1";
    let identifiers = connection.prepare_cached(sql)?.query_row([number], |row| {
        let (id, slug): (String, String) = (row.get(0)?, row.get(1)?);
        let guid = row.get::<_, Option<String>>(4)?.map(Cow::Owned);
        let (id, slug) = (Cow::Owned(id), Cow::Owned(slug));
        Ok(Identifiers { number, id, slug, published: row.get(2)?, updated: row.get(3)?, guid })
    });
    Ok(identifiers.optional()?)
}
