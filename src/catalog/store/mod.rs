//! The rows of the catalog: the statements that read and write them.

mod adopted;
mod archive;
mod backlog;
mod bulk_import;
mod check;
mod columns;
mod damage;
mod identify;
mod library;
mod media;
mod moves;
mod ownership;
mod reader;
mod record;
mod repair;
mod salvage;
mod values;
mod view_batch;
mod views;
mod window;

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Row, params};
use rustix::fs::{Mode, OFlags};
use uuid::Uuid;

pub use media::Referred;
pub use moves::OwnName;
pub use ownership::{Claim, Owner};
pub use reader::Reader;
pub use record::Recorded;
pub use salvage::Salvaged;
pub use views::TOMBSTONE_LIFE;
pub use window::Window;

use crate::catalog::identity::{self, Arrival, Extent, Identity};
use crate::catalog::{imports, visibility};
use crate::folder::Stat;
use crate::model::collection::{ArticleState, FeedLimits, Tombstone, ViewSummary};
use crate::model::entry::{Content, Entry};
use crate::model::moment::Version;
use crate::model::taxonomy::ViewKind;
use bulk_import::{BulkImport, INDEXES_OF_FEEDS, INDEXES_OF_FILES};
use values::{article_path, date};
use view_batch::ViewBatch;

/// The migrations of the schema. `user_version` is the number of the last one that was applied; a new file starts with the first. A
/// released migration never changes.
const MIGRATIONS: [&str; 6] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

/// Size of the cache of prepared statements; larger than their number.
const STATEMENTS: usize = 256;

/// Memory for pages, in KiB.
const CACHE: i64 = 2_000;
/// Memory for pages while many articles are recorded, in KiB.
const LARGE_CACHE: i64 = 16 << 10;
/// Number of pages in the write-ahead log at which it is copied into the file.
const LOG_PAGES: i64 = 1_000;
/// The same while many articles are recorded: 256 MiB.
const LARGE_LOG_PAGES: i64 = 64 << 10;
/// Size to which the write-ahead log is truncated, in bytes.
const LOG_SIZE: i64 = 16 << 20;

/// The expected number of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changes {
    /// Single articles.
    Few,
    /// A whole folder.
    Many,
}

/// Name of the file in the state directory.
pub const FILE: &str = "catalog.sqlite";

/// Why the catalog cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// An error of SQLite.
    #[error("the catalog cannot be used: {0}")]
    Sqlite(rusqlite::Error),
    /// The file was written by a newer program.
    #[error("the catalog has schema {found}, and this program knows {}: start the newer program that wrote it", MIGRATIONS.len())]
    Newer {
        /// The version of its schema.
        found: i64,
    },
    /// A row has a value that this program never writes.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
}

// Without a source: the message would be repeated.
impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The result of a call of the catalog.
pub type Result<T> = std::result::Result<T, CatalogError>;

/// The only writer of the catalog.
#[derive(Debug)]
pub struct Catalog {
    connection: Connection,
    namespace: Uuid,
    /// The pass of a running adoption, in which known articles take over ids as well.
    adopting: Option<imports::MatchPass>,
    view_batch: ViewBatch,
    /// The running bulk import.
    bulk_import: Option<BulkImport>,
    /// The follow-up work of a bulk import is pending.
    has_follow_up: bool,
    /// The base address from which new podcast ids are made; empty if the site has none.
    base_url: String,
}

/// Creates the file with access for its owner only, since it contains unpublished articles; SQLite copies the mode to its other files.
/// An existing file or link is left alone. If the file cannot be created, opening it reports the error.
fn create_file(file: &Path) {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    let _ = rustix::fs::open(file, flags, Mode::RUSR | Mode::WUSR);
}

/// The recorded state of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Path below the watched folder.
    pub path: PathBuf,
    /// `stat` at the last reading; zero if the file must be read again.
    pub stat: Stat,
    /// BLAKE3 of its bytes.
    pub file_hash: [u8; 32],
    /// The publication state of its article.
    pub state: ArticleState,
    /// It must be read again, even if its bytes have not changed.
    pub stale: bool,
    /// Only its head has been read.
    pub unread: bool,
}

/// The state that a number in the catalog stands for.
fn state_of(number: i64) -> Result<ArticleState> {
    ArticleState::from_number(number).ok_or_else(|| CatalogError::Damaged(format!("an article has state {number}")))
}

impl Catalog {
    /// Opens or creates the catalog in `directory`.
    ///
    /// Ids are made from the host name `authority` or, without one, from a random number that is recorded, so that two sites at
    /// 127.0.0.1 never share an id.
    ///
    /// # Errors
    /// The file cannot be opened, or was written by a newer program.
    pub fn open(directory: &Path, authority: Option<&str>, now: DateTime<Utc>) -> Result<Self> {
        Self::open_known(directory, authority, None, now)
    }

    /// As [`Catalog::open`]; a new catalog continues the ids of a lost one with the namespace `lost`.
    ///
    /// # Errors
    /// As for [`Catalog::open`].
    pub fn open_known(
        directory: &Path,
        authority: Option<&str>,
        lost: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let file = directory.join(FILE);
        create_file(&file);
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // FULL: a committed transaction survives a power cut. With a write-ahead log that costs one fsync per commit.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Bulk imports enlarge the log.
        connection.pragma_update(None, "journal_size_limit", LOG_SIZE)?;
        // Statement journals are small: one article.
        connection.pragma_update(None, "temp_store", "memory")?;
        // Otherwise a statement whose plan could depend on a value would be prepared again for each new value.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let schema: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Ok(applied) = usize::try_from(schema) else {
            return values::damaged(format!("it has schema {schema}"));
        };
        if applied > MIGRATIONS.len() {
            return Err(CatalogError::Newer { found: schema });
        }
        for (index, script) in MIGRATIONS.iter().enumerate().skip(applied) {
            let version = index + 1;
            connection
                .execute_batch(&format!("BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version};\nCOMMIT;"))?;
        }
        let mut catalog = Self {
            connection,
            namespace: Uuid::nil(),
            adopting: None,
            view_batch: ViewBatch::default(),
            bulk_import: None,
            has_follow_up: false,
            base_url: String::new(),
        };
        catalog.meta_or_insert("namespace", || {
            let fixed = authority.map(|host| Uuid::new_v5(&Uuid::NAMESPACE_DNS, host.as_bytes()));
            lost.or(fixed).unwrap_or_else(Uuid::new_v4).to_string()
        })?;
        catalog.load_namespace()?;
        catalog.discard_interrupted_import()?;
        catalog.make_indexes(&INDEXES_OF_FEEDS)?;
        catalog.make_indexes(&INDEXES_OF_FILES)?;
        catalog.meta_or_insert("created", || now.timestamp().to_string())?;
        Ok(catalog)
    }

    fn load_namespace(&mut self) -> Result<()> {
        let namespace = self.meta("namespace")?.unwrap_or_default();
        self.namespace = namespace.parse().map_err(|_| CatalogError::Damaged("its namespace is no UUID".into()))?;
        Ok(())
    }

    /// The namespace of all ids.
    pub fn namespace(&self) -> Uuid {
        self.namespace
    }

    /// Sets the base address from which podcast ids are made.
    pub fn set_base_url(&mut self, base_url: &str) {
        base_url.clone_into(&mut self.base_url);
    }

    /// Permanent id of the main feed.
    pub fn feed_id(&self) -> String {
        identity::feed_id(&self.namespace)
    }

    /// When the catalog was created: the date of a feed that has never had an entry.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn created(&self) -> Result<DateTime<Utc>> {
        Ok(self.meta_date("created")?.unwrap_or_default())
    }

    /// The text of a key in `meta`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        reader::meta(&self.connection, key)
    }

    /// The date of a key in `meta`, which is stored as Unix seconds.
    ///
    /// # Errors
    /// The catalog cannot be read, or the text is no such date.
    pub fn meta_date(&self, key: &str) -> Result<Option<DateTime<Utc>>> {
        reader::meta_date(&self.connection, key)
    }

    /// Sets the text of a key in `meta`.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<()> {
        let mut statement =
            self.connection.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
        statement.execute([key, value])?;
        Ok(())
    }

    fn meta_or_insert(&mut self, key: &str, make: impl FnOnce() -> String) -> Result<String> {
        if let Some(value) = self.meta(key)? {
            return Ok(value);
        }
        let value = make();
        self.set_meta(key, &value)?;
        Ok(value)
    }

    /// Runs `work` as one transaction, which is durable when this returns. Nested transactions are part of the outer one.
    ///
    /// # Errors
    /// The error of `work`, or the catalog cannot be written. Then nothing has changed.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let value = self.attempt(|catalog| work(catalog).map(Some))?;
        Ok(value.expect("the work returned a value"))
    }

    /// As [`Catalog::transaction`], but also rolled back if `work` returns `None`.
    ///
    /// # Errors
    /// As for [`Catalog::transaction`].
    pub fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<Option<T>>) -> Result<Option<T>> {
        if !self.connection.is_autocommit() {
            return work(self);
        }
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let outcome = work(self).and_then(|value| {
            if value.is_some() {
                self.write_views()?;
            }
            self.connection.execute_batch(if value.is_some() { "COMMIT" } else { "ROLLBACK" })?;
            Ok(value)
        });
        if !matches!(outcome, Ok(Some(_))) {
            self.view_batch.discard();
        }
        if outcome.is_err() {
            // SQLite may have rolled back already; the first error counts.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        outcome
    }

    /// Tunes SQLite for the expected number of changes: with more memory, each page is written once for all its changes.
    fn prepare_for(&mut self, changes: Changes) -> Result<()> {
        let cache = if changes == Changes::Few { CACHE } else { LARGE_CACHE };
        self.connection.pragma_update(None, "cache_size", -cache)?;
        if changes == Changes::Many {
            self.connection.pragma_update(None, "wal_autocheckpoint", LARGE_LOG_PAGES)?;
        }
        self.connection.pragma_update(None, "foreign_keys", changes == Changes::Few)?;
        // After a power cut, files that no version has shown are read again.
        let synchronous = if changes == Changes::Few { "full" } else { "normal" };
        self.connection.pragma_update(None, "synchronous", synchronous)?;
        if changes == Changes::Few {
            self.connection.execute_batch("PRAGMA shrink_memory")?;
        }
        Ok(())
    }

    /// The recorded state of the file at a path, unless it was deleted.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn known(&self, path: &Path) -> Result<Option<Known>> {
        let sql = "SELECT path, size, mtime, ctime, inode, born, file_hash, state, stale FROM article WHERE path = ?1 AND state < 2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row([bytes(path)], |row| Ok(known(row))).optional()?;
        row.transpose()
    }

    /// Paths of the article at `path` and of all articles below it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn known_at_or_below(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let (low, high) = below(path);
        let sql = "
            SELECT path FROM article WHERE state < 2 AND path = ?1
            UNION ALL SELECT path FROM article WHERE state < 2 AND path > ?2 AND path < ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![bytes(path), low, high], |row| row.get(0))?;
        rows.map(|row| article_path(row?)).collect()
    }

    /// Numbers of published and of scheduled articles at `now`. The cost grows only with the number of expired ones.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn totals(&self, now: DateTime<Utc>) -> Result<(u64, u64)> {
        let expired = visibility::expired("?1");
        let sql = format!("SELECT shown - (SELECT count(*) FROM article WHERE {expired}), scheduled FROM total");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let pair = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (published, scheduled) = statement.query_row([now.timestamp()], pair)?;
        Ok((values::count(published)?, values::count(scheduled)?))
    }

    /// Passes the recorded state of all files that were not deleted to `walk`, in the byte order of their paths.
    ///
    /// # Errors
    /// The error of `walk`, or the catalog cannot be read.
    pub fn with_known<T>(&self, walk: impl FnOnce(&mut dyn Iterator<Item = Result<Known>>) -> Result<T>) -> Result<T> {
        let sql = "
            SELECT path, size, mtime, ctime, inode, born, file_hash, state, stale FROM article INDEXED BY article_path
            WHERE state < 2 ORDER BY path";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query_map([], |row| Ok(known(row)))?.map(|row| row?);
        walk(&mut rows)
    }

    /// Marks all files to be read again and sets a key in `meta`, in one transaction. An article whose bytes are still the same does not
    /// count as updated, even if its content differs now.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn read_all_again(&mut self, key: &str, value: &str) -> Result<()> {
        self.transaction(|catalog| {
            catalog.connection.execute("UPDATE article SET stale = 2 WHERE state < 2", [])?;
            catalog.set_meta(key, value)
        })
    }

    /// The window of the main feed at `now`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn window(&self, limits: &FeedLimits, now: DateTime<Utc>) -> Result<Window> {
        window::read(&self.connection, None, limits, now)
    }

    /// The articles of the main feed with this window, each with its number and revision, newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn feed(&self, window: &Window, limits: &FeedLimits, now: DateTime<Utc>) -> Result<Vec<(i64, i64)>> {
        archive::feed(&self.connection, window, limits, now)
    }

    /// The tombstones of the main feed, the latest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn tombstones(&self) -> Result<Vec<Tombstone>> {
        reader::tombstones(&self.connection, views::WHOLE)
    }

    /// The largest views of a kind, by key.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn views(&self, kind: ViewKind, most: usize) -> Result<Vec<ViewSummary>> {
        reader::views(&self.connection, kind, most)
    }

    /// The newest change that the main feed has ever contained.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn latest(&self) -> Result<DateTime<Utc>> {
        reader::latest(&self.connection, views::WHOLE)
    }

    /// The entry of an article.
    ///
    /// # Errors
    /// The catalog cannot be read or has no such article.
    pub fn entry(&self, number: i64) -> Result<Entry> {
        reader::entry(&self.connection, number)
    }

    /// When the next article is due or expires, or the next tombstone is removed, after `now`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let (is_due, expires) = (visibility::is_due_after("?1"), visibility::expires_after("?1"));
        let sql = format!(
            "
            SELECT min(at) FROM (
              SELECT min(due) AS at FROM article WHERE {is_due}
              UNION ALL SELECT min(expires) FROM article WHERE {expires}
              UNION ALL SELECT min(at) + ?2 FROM tombstone)"
        );
        let values = [now.timestamp(), TOMBSTONE_LIFE.num_seconds()];
        let seconds: Option<i64> = self.connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?;
        seconds.map(date).transpose()
    }

    /// Number of published and scheduled articles.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn count(&self) -> Result<usize> {
        let count: i64 =
            self.connection.prepare_cached("SELECT shown + scheduled FROM total")?.query_row([], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// When the bytes of a document last changed: in `version`, if they differ from the recorded ones.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn stamp(&mut self, path: &str, hash: &[u8; 32], version: Version) -> Result<DateTime<Utc>> {
        if let Some(modified) = self.stamped(path, hash)? {
            return Ok(modified);
        }
        let sql = "INSERT OR REPLACE INTO document (path, hash, modified) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![path, hash, version.seconds()])?;
        Ok(version.date())
    }

    /// When the bytes of a document last changed, if they are the recorded ones.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn stamped(&self, path: &str, hash: &[u8; 32]) -> Result<Option<DateTime<Utc>>> {
        let sql = "SELECT modified FROM document WHERE path = ?1 AND hash = ?2";
        let modified: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row(params![path, hash], |row| row.get(0)).optional()?;
        modified.map(date).transpose()
    }
}

fn known(row: &Row<'_>) -> Result<Known> {
    let stale: i64 = row.get(8)?;
    Ok(Known {
        path: article_path(row.get(0)?)?,
        stat: Stat { size: row.get(1)?, mtime: row.get(2)?, ctime: row.get(3)?, inode: row.get(4)?, born: row.get(5)? },
        file_hash: row.get(6)?,
        state: state_of(row.get(7)?)?,
        // Any other value is wrong; reading the file again replaces it.
        stale: !matches!(stale, 0 | values::UNREAD),
        unread: stale == values::UNREAD,
    })
}

/// The recorded content of an article.
fn content_of(number: i64, text: &str) -> Result<Content> {
    serde_json::from_str(text).map_err(|error| CatalogError::Damaged(format!("article {number}: {error}")))
}

/// The exclusive bounds of all paths below a folder: `0` follows `/` in ASCII.
fn below(path: &Path) -> (Vec<u8>, Vec<u8>) {
    ([bytes(path), b"/"].concat(), [bytes(path), b"0"].concat())
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
