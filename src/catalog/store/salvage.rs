//! A damaged catalog -> a new one with every row that can be read: above all ids, dates and addresses, which no file can give
//! back. What files say is read from them again.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params, params_from_iter};

use super::check::{Latest, PASSES, TEXTS, check_meta};
use super::repair::Cells;
use super::{Catalog, Result, path_of, views};
use crate::catalog::visibility::visible_already;
use crate::model::entry::{ArticleId, Content, Slug};
use crate::model::moment::{Audience, Version};

/// Tables with what only the catalog knows, those first that others refer to. Everything else follows from the articles.
const TABLES: [&str; 11] = [
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
];

/// The two ways through a table: what lies behind a damaged page may be reached from the other end.
const WAYS: [&str; 2] = ["", "DESC"];

/// Names in `meta` that are taken over; what the others say holds for the damaged file alone.
const NAMES: [&str; 5] = ["namespace", "created", "version", "promised", "folder"];

/// What was recovered from a damaged catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Articles, deleted ones included.
    pub articles: usize,
    /// Rows of which a wrong value was replaced.
    pub repaired: usize,
    /// Rows that could not be used.
    pub dropped: usize,
}

/// A recovery under way.
struct Salvage<'a> {
    catalog: &'a mut Catalog,
    source: &'a Connection,
    now: DateTime<Utc>,
    latest: Latest,
    /// The second of the version that is to show what has changed.
    version: Version,
    salvaged: Salvaged,
    /// Rows of articles that have no id or no number yet: those of all others are to be known first.
    unnamed: Vec<(Cells, Vec<&'static str>)>,
    /// Numbers of articles that have no slug, and of those that have no guid.
    without_slug: Vec<i64>,
    without_guid: Vec<i64>,
}

impl Catalog {
    /// Takes over what can be read of a damaged file into this catalog, which is new. A value that is wrong is replaced where
    /// the file of its article or another row corrects it; a row that still cannot be read is left out.
    ///
    /// # Errors
    /// This catalog cannot be written, or is wrong nevertheless. What cannot be read in the other is no error.
    pub fn salvage(&mut self, damaged: &Path, now: DateTime<Utc>) -> Result<Salvaged> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let Ok(source) = Connection::open_with_flags(damaged, flags) else { return Ok(Salvaged::default()) };
        // Rows may refer to what cannot be read.
        self.connection.pragma_update(None, "foreign_keys", false)?;
        let salvaged = self.transaction(|catalog| Salvage::new(catalog, &source, now).run());
        self.connection.pragma_update(None, "foreign_keys", true)?;
        let salvaged = salvaged?;
        self.take_namespace()?;
        self.check(now)?;
        // The file alone is complete: it may be moved.
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
            without_slug: Vec::new(),
            without_guid: Vec::new(),
        }
    }

    fn run(mut self) -> Result<Salvaged> {
        self.catalog.connection.execute("DELETE FROM view", [])?;
        for table in TABLES {
            self.copy(table)?;
            match table {
                "meta" => self.begin_version()?,
                "article" => self.name_articles()?,
                _ => {}
            }
        }
        self.hold_without_content()?;
        self.complete_archives()?;
        self.give_addresses()?;
        self.complete()?;
        self.enter_views()?;
        let sql = "SELECT count(*) FROM article";
        let articles: i64 = self.catalog.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(Salvaged { articles: usize::try_from(articles).unwrap_or(0), ..self.salvaged })
    }

    /// What changes by the recovery is shown in the next version.
    fn begin_version(&mut self) -> Result<()> {
        let last = self.catalog.meta_date("version")?.unwrap_or_default();
        self.version = Version::at(self.now).max(Version::at(last).next());
        self.catalog.set_meta("promised", &self.version.seconds().to_string())
    }

    /// Copies the rows of a table, from one of its ends until one cannot be read, and then from the other.
    fn copy(&mut self, table: &'static str) -> Result<()> {
        let names = self.columns(table)?;
        let Some(first) = names.first() else { return Ok(()) };
        let list = names.join(", ");
        for way in WAYS {
            let Ok(mut statement) = self.source.prepare(&format!("SELECT {list} FROM {table} ORDER BY {first} {way}"))
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

    /// The columns of a table, those first that tell rows apart. An older file has fewer: what the others are by default holds for
    /// what it has.
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
        if !NAMES.contains(&key) {
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

    /// Gives articles the numbers and ids that they have lost.
    fn name_articles(&mut self) -> Result<()> {
        for (mut row, lost) in std::mem::take(&mut self.unnamed) {
            if lost.contains(&"number") {
                // Its content and all else that belongs to it still has the number.
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

    /// The id that the path of an article gives, unless a feed published elsewhere gave it another.
    fn new_id(&self, row: &Cells) -> Result<ArticleId> {
        let sql = "SELECT id FROM adopted WHERE article = ?1";
        let adopted = self.source.query_row(sql, [row.integer("number")], |row| row.get::<_, ArticleId>(0));
        let path = if let Some(Value::Blob(path)) = row.get("path") { path.clone() } else { Vec::new() };
        match adopted {
            Ok(id) if !self.catalog.is_taken(&id)? => Ok(id),
            _ => self.catalog.new_id(&path_of(path)),
        }
    }

    fn insert_article(&mut self, mut row: Cells, lost: &[&str]) -> Result<()> {
        let known = row.integer("number").map_or(Ok(false), |number| self.catalog.has_article(number))?;
        if known {
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

    /// Writes a row, and takes it back if it cannot be read. Says whether it stays.
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

    /// An article whose text is lost is not shown before its file has been read.
    fn hold_without_content(&mut self) -> Result<()> {
        let empty = serde_json::to_string(&Content::default()).expect("texts and lists can be written");
        let connection = &self.catalog.connection;
        let missing = "NOT EXISTS (SELECT 1 FROM content WHERE content.number = article.number)";
        connection.execute(&format!("UPDATE article SET state = 1, shown = 0 WHERE state = 0 AND {missing}"), [])?;
        connection.execute(
            &format!("INSERT INTO content (number, entry) SELECT number, ?1 FROM article WHERE {missing}"),
            [empty],
        )?;
        Ok(())
    }

    /// Archives are numbered without a gap. One whose row is lost has the articles that say that they are in it.
    fn complete_archives(&mut self) -> Result<()> {
        let connection = &self.catalog.connection;
        // Each was closed with an article at least, and few articles become part of others.
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

    /// Every article that is not deleted has an address of its own.
    fn give_addresses(&mut self) -> Result<()> {
        for number in std::mem::take(&mut self.without_slug) {
            let sql = "SELECT slug FROM address WHERE number = ?1 ORDER BY slug LIMIT 1";
            let known: Option<Slug> = self.catalog.connection.query_row(sql, [number], |row| row.get(0)).optional()?;
            self.give_slug(number, known)?;
        }
        // Those of deleted articles may be given away.
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

    /// Gives an article a slug: the one that it is known to have had, or one that its file's name gives.
    fn give_slug(&mut self, number: i64, known: Option<Slug>) -> Result<()> {
        let slug = if let Some(slug) = known {
            slug
        } else {
            let sql = "SELECT path FROM article WHERE number = ?1";
            let path = self.catalog.connection.query_row(sql, [number], |row| row.get(0)).map(path_of)?;
            self.catalog.free_slug("", &path, Some(number))?
        };
        let sql = "UPDATE article SET slug = ?2 WHERE number = ?1";
        self.catalog.connection.prepare_cached(sql)?.execute(params![number, slug])?;
        self.catalog.give_address(&slug, number)
    }

    /// Has every file read again, and counts what there is.
    fn complete(&mut self) -> Result<()> {
        let connection = &self.catalog.connection;
        for number in std::mem::take(&mut self.without_guid) {
            let sql =
                "UPDATE article SET guid = (SELECT guid FROM adopted WHERE adopted.id = article.id) WHERE number = ?1";
            connection.prepare_cached(sql)?.execute([number])?;
        }
        let whole = "INSERT OR IGNORE INTO view (number, kind, key, name, revised) VALUES (?1, 0, '', '', ?2)";
        connection.execute(whole, [views::WHOLE, self.version.seconds()])?;
        connection.execute_batch(
            "
            -- The same bytes are no update.
            UPDATE article SET stale = 2 WHERE state < 2;
            UPDATE total SET (shown, scheduled) =
              (SELECT coalesce(sum(shown), 0), coalesce(sum(1 - shown), 0) FROM article WHERE state = 0);",
        )?;
        Ok(())
    }

    /// Which views an article is in follows from what it says.
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
}
