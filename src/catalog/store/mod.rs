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
use bulk_import::{Fresh, INDEXES_OF_FEEDS, INDEXES_OF_FILES};
use values::{article_path, date};
use view_batch::Tally;

/// The schema, step by step. The file carries the number of the last step that it has taken as `user_version`; every file
/// takes the same steps, a new one all of them. A step is never changed once it has been released.
const STEPS: [&str; 6] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

/// More than there are different statements, so that each is made once.
const STATEMENTS: usize = 256;

/// Memory for pages, in KiB; SQLite's own measure.
const CACHE: i64 = 2_000;
/// The same while very many articles are recorded.
const LARGE_CACHE: i64 = 16 << 10;
/// Pages of the log after which they are put into the file; SQLite's own measure.
const LOG_PAGES: i64 = 1_000;
/// The same while very many articles are recorded: 256 MiB.
const LARGE_LOG_PAGES: i64 = 64 << 10;
/// The log's file is no larger for long, in bytes.
const LOG_SIZE: i64 = 16 << 20;

/// How much is going to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// An article now and then.
    Few,
    /// A folder full of them.
    Many,
}

/// Name of the file in the state directory.
pub const FILE: &str = "catalog.sqlite";

/// Why the catalog cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// SQLite refused.
    #[error("the catalog cannot be used: {0}")]
    Sqlite(rusqlite::Error),
    /// A newer program wrote the file.
    #[error("the catalog has schema {found}, and this program knows {}: start the newer program that wrote it", STEPS.len())]
    Newer {
        /// What the file says.
        found: i64,
    },
    /// A row is not what this program writes.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
}

// Not as its source: SQLite would say the same three times.
impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Shorthand for what every call here gives.
pub type Result<T> = std::result::Result<T, CatalogError>;

/// The writer's hold on the catalog.
#[derive(Debug)]
pub struct Catalog {
    connection: Connection,
    namespace: Uuid,
    /// Articles that are known already are given ids from elsewhere, too.
    adopting: Option<imports::MatchPass>,
    tally: Tally,
    /// Nothing was ever recorded before what is recorded now.
    fresh: Option<Fresh>,
    /// Where the site was when its podcasts were given their ids.
    base_url: String,
}

/// Makes the file for its owner alone, since it holds what is not published yet; SQLite gives the files beside it the same rights.
/// One that is there stays as it is, and so does a link: SQLite follows it. If it cannot be made, SQLite says why.
fn make(file: &Path) {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    let _ = rustix::fs::open(file, flags, Mode::RUSR | Mode::WUSR);
}

/// What the catalog knows of the file at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Path below the watched folder.
    pub path: PathBuf,
    /// What `stat` said when it was read; all zero if it must be read again.
    pub stat: Stat,
    /// BLAKE3 of its bytes.
    pub file_hash: [u8; 32],
    /// Whether it is published, or taken back by its writer.
    pub state: ArticleState,
    /// Whether it must be read again, whatever its bytes.
    pub stale: bool,
    /// Its head was read, and its text was not yet.
    pub unread: bool,
}

/// The state that a number in the catalog stands for.
fn state_of(number: i64) -> Result<ArticleState> {
    ArticleState::from_number(number).ok_or_else(|| CatalogError::Damaged(format!("an article has state {number}")))
}

impl Catalog {
    /// Opens or creates the catalog in `directory`.
    ///
    /// `authority` is the host name that ids are made from; without one they are made from a random number that is kept,
    /// so that two sites which both live at 127.0.0.1 never share an id.
    ///
    /// # Errors
    /// The file cannot be opened or is a newer program's.
    pub fn open(directory: &Path, authority: Option<&str>, now: DateTime<Utc>) -> Result<Self> {
        Self::open_known(directory, authority, None, now)
    }

    /// The same; a new one gives the ids that a lost one gave, which had the namespace `lost`.
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
        make(&file);
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // FULL: what was acknowledged survives a power cut. With a write-ahead log that costs one fsync a commit.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What the log grew to while very many articles were recorded is given back.
        connection.pragma_update(None, "journal_size_limit", LOG_SIZE)?;
        // What a statement could have to take back is kept in memory: it is one article's.
        connection.pragma_update(None, "temp_store", "memory")?;
        // Without it, statements whose plan could depend on a value are made anew whenever that value is another.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Ok(taken) = usize::try_from(found) else {
            return values::damaged(format!("it has schema {found}"));
        };
        if taken > STEPS.len() {
            return Err(CatalogError::Newer { found });
        }
        for (step, script) in STEPS.iter().enumerate().skip(taken) {
            let version = step + 1;
            connection
                .execute_batch(&format!("BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version};\nCOMMIT;"))?;
        }
        let mut catalog = Self {
            connection,
            namespace: Uuid::nil(),
            adopting: None,
            tally: Tally::default(),
            fresh: None,
            base_url: String::new(),
        };
        catalog.meta_or("namespace", || {
            let fixed = authority.map(|host| Uuid::new_v5(&Uuid::NAMESPACE_DNS, host.as_bytes()));
            lost.or(fixed).unwrap_or_else(Uuid::new_v4).to_string()
        })?;
        catalog.take_namespace()?;
        catalog.forget_broken_off()?;
        catalog.make_indexes(&INDEXES_OF_FEEDS)?;
        catalog.make_indexes(&INDEXES_OF_FILES)?;
        catalog.meta_or("created", || now.timestamp().to_string())?;
        Ok(catalog)
    }

    fn take_namespace(&mut self) -> Result<()> {
        let namespace = self.meta("namespace")?.unwrap_or_default();
        self.namespace = namespace.parse().map_err(|_| CatalogError::Damaged("its namespace is no UUID".into()))?;
        Ok(())
    }

    /// What all ids are made from.
    pub fn namespace(&self) -> Uuid {
        self.namespace
    }

    /// Says where the site is, from which podcasts are given their ids.
    pub fn set_base_url(&mut self, base_url: &str) {
        base_url.clone_into(&mut self.base_url);
    }

    /// Permanent id of the main feed.
    pub fn feed_id(&self) -> String {
        identity::feed_id(&self.namespace)
    }

    /// When the catalog was made: the date of a feed that has no entry yet.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn created(&self) -> Result<DateTime<Utc>> {
        Ok(self.meta_date("created")?.unwrap_or_default())
    }

    /// A text kept under a name.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        reader::meta(&self.connection, key)
    }

    /// A date that the clock gave, kept under a name as Unix seconds.
    ///
    /// # Errors
    /// The catalog cannot be read, or the text is no such date.
    pub fn meta_date(&self, key: &str) -> Result<Option<DateTime<Utc>>> {
        reader::meta_date(&self.connection, key)
    }

    /// Keeps a text under a name.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<()> {
        let mut statement =
            self.connection.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
        statement.execute([key, value])?;
        Ok(())
    }

    fn meta_or(&mut self, key: &str, make: impl FnOnce() -> String) -> Result<String> {
        if let Some(value) = self.meta(key)? {
            return Ok(value);
        }
        let value = make();
        self.set_meta(key, &value)?;
        Ok(value)
    }

    /// Does several things as one: all of them are durable when this returns, or none has happened.
    ///
    /// # Errors
    /// Whatever `work` says, or the catalog cannot be written.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let done = self.attempt(|catalog| work(catalog).map(Some))?;
        Ok(done.expect("what was done gives something"))
    }

    /// The same, but nothing has happened if `work` gives nothing.
    ///
    /// # Errors
    /// As for [`Catalog::transaction`].
    pub fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<Option<T>>) -> Result<Option<T>> {
        // Within another, it happens with all of that.
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
            self.tally.forget();
        }
        if outcome.is_err() {
            // The first error is the one to tell; SQLite may have rolled back by itself already.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        outcome
    }

    /// Prepares for very many changes in a row, or for few again: how much memory there is for pages, so that each is written
    /// once for all that happens to it.
    ///
    /// # Errors
    /// The catalog cannot be used.
    pub fn expect(&mut self, changes: Changes) -> Result<()> {
        let cache = if changes == Changes::Few { CACHE } else { LARGE_CACHE };
        self.connection.pragma_update(None, "cache_size", -cache)?;
        if changes == Changes::Many {
            self.connection.pragma_update(None, "wal_autocheckpoint", LARGE_LOG_PAGES)?;
        }
        self.connection.pragma_update(None, "foreign_keys", changes == Changes::Few)?;
        // What nobody was shown yet is read again after a power cut.
        let synchronous = if changes == Changes::Few { "full" } else { "normal" };
        self.connection.pragma_update(None, "synchronous", synchronous)?;
        if changes == Changes::Few {
            self.connection.execute_batch("PRAGMA shrink_memory")?;
        }
        Ok(())
    }

    /// What is known of the file at a path below the watched folder, unless it was deleted.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn known(&self, path: &Path) -> Result<Option<Known>> {
        let sql = "SELECT path, size, mtime, ctime, inode, born, file_hash, state, stale FROM article WHERE path = ?1 AND state < 2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row([bytes(path)], |row| Ok(known(row))).optional()?;
        row.transpose()
    }

    /// Paths of the article at `path` and of all articles below it, where `path` was a folder.
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

    /// How many articles are published at the instant `now`, and how many are to be later. Costs nothing that grows with them,
    /// but for those that have expired.
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

    /// Walks over what is known of every file that was not deleted, in the order of their paths' bytes.
    ///
    /// # Errors
    /// Whatever `walk` says, or the catalog cannot be read.
    pub fn with_known<T>(&self, walk: impl FnOnce(&mut dyn Iterator<Item = Result<Known>>) -> Result<T>) -> Result<T> {
        let sql = "
            SELECT path, size, mtime, ctime, inode, born, file_hash, state, stale FROM article INDEXED BY article_path
            WHERE state < 2 ORDER BY path";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query_map([], |row| Ok(known(row)))?.map(|row| row?);
        walk(&mut rows)
    }

    /// Makes every file be read again, whatever its `stat` says, and keeps `value` under `key`, as one. An article whose bytes are
    /// the same then was not updated, whatever is made of them now: no reader shall hear of it.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn read_all_again(&mut self, key: &str, value: &str) -> Result<()> {
        self.transaction(|catalog| {
            catalog.connection.execute("UPDATE article SET stale = 2 WHERE state < 2", [])?;
            catalog.set_meta(key, value)
        })
    }

    /// The articles of the main feed as it is at `now`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn window(&self, limits: &FeedLimits, now: DateTime<Utc>) -> Result<Window> {
        window::read(&self.connection, None, limits, now)
    }

    /// The articles of the main feed with this window: number and revision of each, newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn feed(&self, window: &Window, limits: &FeedLimits, now: DateTime<Utc>) -> Result<Vec<(i64, i64)>> {
        archive::feed(&self.connection, window, limits, now)
    }

    /// What left the main feed, the latest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn tombstones(&self) -> Result<Vec<Tombstone>> {
        reader::tombstones(&self.connection, views::WHOLE)
    }

    /// The views of a kind that people may know of.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn views(&self, kind: ViewKind, most: usize) -> Result<Vec<ViewSummary>> {
        reader::views(&self.connection, kind, most)
    }

    /// The newest change that the main feed ever told of.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn latest(&self) -> Result<DateTime<Utc>> {
        reader::latest(&self.connection, views::WHOLE)
    }

    /// One article by its number.
    ///
    /// # Errors
    /// The catalog cannot be read or has no such article.
    pub fn entry(&self, number: i64) -> Result<Entry> {
        reader::entry(&self.connection, number)
    }

    /// When the next article is due or expires, or a tombstone fades, after `now`.
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

    /// How many articles are in the feed or scheduled.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn count(&self) -> Result<usize> {
        let count: i64 =
            self.connection.prepare_cached("SELECT shown + scheduled FROM total")?.query_row([], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// When the bytes of a document last changed: `version` if they are not those it had before.
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

    /// When the bytes of a document last changed, if these are the ones that it had last.
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
        // Any other mark is a wrong value, which reading the file again replaces.
        stale: !matches!(stale, 0 | values::UNREAD),
        unread: stale == values::UNREAD,
    })
}

/// What an article says, as it was recorded.
fn content_of(number: i64, text: &str) -> Result<Content> {
    serde_json::from_str(text).map_err(|error| CatalogError::Damaged(format!("article {number}: {error}")))
}

/// The bounds, exclusive, between which all paths below a folder sort: `0` follows `/`.
fn below(path: &Path) -> (Vec<u8>, Vec<u8>) {
    ([bytes(path), b"/"].concat(), [bytes(path), b"0"].concat())
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
