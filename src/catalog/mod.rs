//! The durable record of what was published, in one SQLite file: ids and timestamps are decided here and nowhere else.
//!
//! One writer ([`Catalog`]), any number of readers ([`Reader`]). Every call of the writer that changes something is
//! durable once [`Catalog::transaction`] has returned: the file survives a power cut.

mod adopt;
mod archive;
mod fresh;
mod identity;
mod media;
mod reader;
mod salvage;
mod tally;
mod unread;
mod views;
mod window;

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Row, params};
use rustix::fs::{Mode, OFlags};
use uuid::Uuid;

pub use adopt::{Adoption, Elsewhere};
pub use identity::{Arrival, Decision, Extent, Identity};
pub use media::Referred;
pub use reader::{Gathered, Listed, Listing, Lookup, Moment, Reader, Record, Shelf, Tombstone, Wanted};
pub use views::TOMBSTONE_LIFE;
pub use window::{Limits, Window};

use crate::entry::{Content, Entry};
use crate::folder::Stat;
use crate::view::{self, Kind};
use fresh::{Fresh, INDEXES_OF_FEEDS, INDEXES_OF_FILES};
use tally::Tally;
use views::{Before, Membership};

/// The schema, step by step. The file carries the number of the last step that it has taken as `user_version`; every file
/// takes the same steps, a new one all of them. A step is never changed once it has been released.
const STEPS: [&str; 5] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
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

/// How much is going to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// An article now and then.
    Few,
    /// A folder full of them.
    Many,
}

/// A new article; the values are those of [`Catalog::write`]. Nothing is asked for in return: that takes twice the time.
const INSERT: &str = "
    INSERT INTO article (number, id, path, state, slug, published, updated, revised, file_hash, entry_hash, size, mtime, ctime,
      inode, born, due, held_until, expires, guid, shown, weight, brief, stale)
    VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";

/// One that is known, with the same values.
const UPDATE: &str = "
    UPDATE article SET id = ?2, path = ?3, state = 0, slug = ?4, published = ?5, updated = ?6, revised = coalesce(?7, revised),
      file_hash = ?8, entry_hash = ?9, size = ?10, mtime = ?11, ctime = ?12, inode = ?13, born = ?14,
      shown = CASE WHEN due = ?15 THEN max(shown, ?19) ELSE ?19 END, due = ?15, held_until = ?16, expires = ?17, guid = ?18,
      weight = ?20, brief = ?21, stale = ?22
    WHERE number = ?1";

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
    adopting: Option<adopt::Pass>,
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
    pub state: State,
    /// Whether it must be read again, whatever its bytes.
    pub stale: bool,
    /// Its head was read, and its text was not yet.
    pub unread: bool,
}

/// Whether an article is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In the feed, once its date has come.
    Live = 0,
    /// Its writer took it back: a draft again, or empty.
    Held = 1,
    /// Its file was deleted.
    Gone = 2,
}

impl State {
    fn of(number: i64) -> Result<Self> {
        match number {
            0 => Ok(Self::Live),
            1 => Ok(Self::Held),
            2 => Ok(Self::Gone),
            other => Err(CatalogError::Damaged(format!("an article has state {other}"))),
        }
    }
}

/// What a rename did to the last part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnName {
    /// The file has another name.
    Changed,
    /// A folder above it has.
    Kept,
}

/// What came of recording an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Something that is served has changed.
    Changed,
    /// Nothing that is served has.
    Unchanged,
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
        // What a statement could have to take back is kept in memory: it is one article's.
        connection.pragma_update(None, "temp_store", "memory")?;
        // Without it, statements whose plan could depend on a value are made anew whenever that value is another.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let taken = usize::try_from(found).ok().filter(|taken| *taken <= STEPS.len());
        for (step, script) in STEPS.iter().enumerate().skip(taken.ok_or(CatalogError::Newer { found })?) {
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
        let created = self.meta("created")?.unwrap_or_default();
        date(created.parse().map_err(|_| CatalogError::Damaged("its date is no number".into()))?)
    }

    /// A text kept under a name.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        reader::meta(&self.connection, key)
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
        rows.map(|row| Ok(path_of(row?))).collect()
    }

    /// How many articles are published at the instant `now`, and how many are to be later. Costs nothing that grows with them,
    /// but for those that have expired.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn totals(&self, now: DateTime<Utc>) -> Result<(u64, u64)> {
        let sql = "
            SELECT shown - (SELECT count(*) FROM article WHERE state = 0 AND shown = 1 AND expires IS NOT NULL AND expires <= ?1),
              scheduled FROM total";
        let mut statement = self.connection.prepare_cached(sql)?;
        let pair = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (published, scheduled) = statement.query_row([now.timestamp()], pair)?;
        Ok((published.cast_unsigned(), scheduled.cast_unsigned()))
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

    /// Writes down what an article says now. `version` is the second in which readers will see it.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn record(
        &mut self,
        identity: &Identity,
        arrival: &Arrival<'_>,
        content: &Content,
        version: DateTime<Utc>,
    ) -> Result<Recorded> {
        let text = serde_json::to_string(content).map_err(|error| CatalogError::Damaged(error.to_string()))?;
        let shown = is_shown(identity, arrival);
        let (unchanged, rescheduled) = match identity.number() {
            Some(number) => {
                (self.is_served_as(number, identity, &text)?, self.is_rescheduled(number, identity, shown)?)
            }
            None => (false, false),
        };
        // Nobody was shown what it lacked: that it is whole now is no change.
        let catches_up = identity.number().map_or(Ok(false), |number| self.catches_up(number, identity, arrival))?;
        let is_told = !unchanged && !catches_up;
        let head = match identity.number() {
            Some(number) if catches_up => self.terms_of_head(number, arrival)?,
            _ => None,
        };
        let before = match (identity.number(), &head) {
            (None, _) => Before::Nothing,
            (Some(_), Some(terms)) => Before::In(terms),
            (Some(_), None) => Before::AsRecorded,
        };
        let replaced = !identity.is_fresh() && self.replace(arrival.path, identity.number(), version)?;
        if identity.number().is_some() {
            let retire = "
                INSERT OR IGNORE INTO retired SELECT id FROM article WHERE number = ?1 AND id <> ?2";
            self.connection.prepare_cached(retire)?.execute(params![identity.number(), identity.id])?;
        }
        let number = self.write(identity, arrival, content, is_told.then_some(version))?;
        self.saw(arrival, &identity.id, &identity.slug);
        if !identity.is_fresh() {
            self.take_adopted(&identity.id, number)?;
        }
        let changed = is_told || rescheduled;
        let terms = || Cow::Owned(view::terms(arrival.path, &content.tags, &content.authors));
        let membership = Membership {
            number,
            terms: &arrival.terms.map_or_else(terms, Cow::Borrowed),
            published: identity.published.timestamp(),
            updated: identity.updated.timestamp(),
            changed,
            plays: content.plays(),
            before,
            version,
        };
        let moved = self.place(identity, shown, membership)?;
        self.write_views_alone()?;
        let recorded = if changed || moved || replaced { Recorded::Changed } else { Recorded::Unchanged };
        if unchanged {
            return Ok(recorded);
        }
        let sql = match identity.number() {
            Some(_) => "INSERT OR REPLACE INTO content (number, entry) VALUES (?1, ?2)",
            None => "INSERT INTO content (number, entry) VALUES (?1, ?2)",
        };
        self.connection.prepare_cached(sql)?.execute(params![number, text])?;
        if !identity.is_fresh() {
            self.give_address(&identity.slug, number)?;
        }
        Ok(recorded)
    }

    /// Writes the row of an article, and gives its number.
    fn write(
        &mut self,
        identity: &Identity,
        arrival: &Arrival<'_>,
        content: &Content,
        revised: Option<DateTime<Utc>>,
    ) -> Result<i64> {
        let shown = is_shown(identity, arrival);
        let weight = if content.brief { content.weight_in_brief() } else { content.weight() };
        let weight = weight.saturating_add(arrival.extent.guess());
        self.tally.came(identity.number().is_none(), shown);
        let sql = if identity.number().is_some() { UPDATE } else { INSERT };
        self.connection.prepare_cached(sql)?.execute(params![
            identity.number(),
            identity.id,
            bytes(arrival.path),
            identity.slug,
            identity.published.timestamp(),
            identity.updated.timestamp(),
            revised.map(|version| version.timestamp()),
            arrival.file_hash,
            arrival.entry_hash,
            arrival.stat.size,
            arrival.stat.mtime,
            arrival.stat.ctime,
            arrival.stat.inode,
            arrival.stat.born,
            identity.due.timestamp(),
            identity.held_until.timestamp(),
            identity.expires.map(|date| date.timestamp()),
            identity.guid,
            shown,
            weight,
            content.weight_in_brief(),
            arrival.extent.stale(),
        ])?;
        Ok(identity.number().unwrap_or_else(|| self.connection.last_insert_rowid()))
    }

    /// An address leads to an article from now on, and for ever: one that was deleted gives its own away.
    fn give_address(&mut self, slug: &str, number: i64) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO address (slug, number) VALUES (?1, ?2)";
        if self.connection.prepare_cached(sql)?.execute(params![slug, number])? == 0 {
            let sql = "UPDATE address SET number = ?2 WHERE slug = ?1 AND number <> ?2";
            self.connection.prepare_cached(sql)?.execute(params![slug, number])?;
        }
        Ok(())
    }

    /// Another article's id is in the file at a path now: the one that was there is no more. Says whether there was one.
    fn replace(&mut self, path: &Path, by: Option<i64>, version: DateTime<Utc>) -> Result<bool> {
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2 AND number IS NOT ?2";
        let replaced: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row(params![bytes(path), by], |row| row.get(0)).optional()?;
        if replaced.is_some() {
            self.withdraw(path, State::Gone, version)?;
        }
        Ok(replaced.is_some())
    }

    /// Puts an article into the views that it belongs to, if it is shown. Says whether those are others than before.
    fn place(&mut self, identity: &Identity, shown: bool, membership: Membership<'_>) -> Result<bool> {
        let Membership { number, changed, version, .. } = membership;
        if !shown {
            // It was shown, and is scheduled now or has expired: what has expired lately is buried when time passes.
            return self.leave(number, version);
        }
        if changed && !identity.is_fresh() {
            self.touch_archive_of(number, version)?;
        }
        self.enter(membership)
    }

    fn is_served_as(&self, number: i64, identity: &Identity, content: &str) -> Result<bool> {
        let sql = "
            SELECT id = ?2 AND slug = ?3 AND published = ?4 AND updated = ?5 AND state = 0 AND entry = ?6 AND guid IS ?7
            FROM article JOIN content USING (number) WHERE number = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let values = params![
            number,
            identity.id,
            identity.slug,
            identity.published.timestamp(),
            identity.updated.timestamp(),
            content,
            identity.guid
        ];
        Ok(statement.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    fn is_rescheduled(&self, number: i64, identity: &Identity, shown: bool) -> Result<bool> {
        let sql = "SELECT due <> ?2 OR expires IS NOT ?3 OR (shown = 0 AND ?4) FROM article WHERE number = ?1";
        let values = params![number, identity.due.timestamp(), identity.expires.map(|date| date.timestamp()), shown];
        Ok(self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// Notes that a file was read again and says what it said before.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn touch(&mut self, path: &Path, stat: Stat) -> Result<()> {
        let sql = "
            UPDATE article SET size = ?2, mtime = ?3, ctime = ?4, inode = ?5, born = ?6 WHERE path = ?1 AND state < 2";
        let values = params![bytes(path), stat.size, stat.mtime, stat.ctime, stat.inode, stat.born];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
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

    /// Takes the article at a path out of the feed: deleted, or taken back by its writer.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn withdraw(&mut self, path: &Path, state: State, version: DateTime<Utc>) -> Result<Recorded> {
        let sql = "SELECT number, state, shown FROM article WHERE path = ?1 AND state < 2 AND state < ?2";
        let row = self.connection.prepare_cached(sql)?.query_row(params![bytes(path), state as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
        });
        let Some((number, before, shown)) = row.optional()? else { return Ok(Recorded::Unchanged) };
        // If its text was never read, nobody waits for it any more.
        let sql = "
            UPDATE article SET state = ?2, revised = ?3, size = 0, mtime = 0, ctime = 0, stale = min(stale, 2)
            WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, state as i64, version.timestamp()])?;
        if shown && before == State::Live as i64 {
            self.bury(number, version, version)?;
        } else {
            self.leave(number, version)?;
        }
        self.write_views_alone()?;
        Ok(Recorded::Changed)
    }

    /// Follows a rename. An article that stands at `new` already has its text replaced and stays itself; the other is no
    /// more. With `own_name`, the last part of the path changed: it may say how the file is written and what its title is,
    /// so the file must be read again. So must one that refers to files beside it: their addresses changed with its own.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn rename(&mut self, old: &Path, new: &Path, own_name: OwnName, version: DateTime<Utc>) -> Result<Recorded> {
        if new == old {
            return Ok(Recorded::Unchanged);
        }
        if self.known(new)?.is_some() {
            return self.withdraw(old, State::Gone, version);
        }
        let sql = "
            UPDATE article SET path = ?2, stale = max(stale, ?3 OR EXISTS (SELECT 1 FROM media WHERE article = number))
            WHERE path = ?1 AND state < 2";
        let values = params![bytes(old), bytes(new), own_name == OwnName::Changed];
        self.connection.prepare_cached(sql)?.execute(values)?;
        if old.parent() == new.parent() {
            return Ok(Recorded::Unchanged);
        }
        self.change_folder(new, version)
    }

    /// An article lies in another folder now.
    fn change_folder(&mut self, path: &Path, version: DateTime<Utc>) -> Result<Recorded> {
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2 AND state = 0";
        let number = self.connection.prepare_cached(sql)?.query_row([bytes(path)], |row| row.get(0)).optional()?;
        let moved = number.map_or(Ok(false), |number| self.enter_as_recorded(number, false, version))?;
        self.write_views_alone()?;
        Ok(if moved { Recorded::Changed } else { Recorded::Unchanged })
    }

    /// Puts an article into its views as it was recorded, if it is shown. Says whether those are others than before.
    fn enter_as_recorded(&mut self, number: i64, changed: bool, version: DateTime<Utc>) -> Result<bool> {
        let sql = "
            SELECT path, published, updated, entry FROM article JOIN content USING (number)
            WHERE number = ?1 AND state = 0 AND shown = 1
            AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number AND view = 1)";
        let row = self.connection.prepare_cached(sql)?.query_row([number], |row| {
            Ok((path_of(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
        });
        let Some((path, published, updated, content)) = row.optional()? else { return Ok(false) };
        let content = content_of(number, &content)?;
        let (terms, plays) = (view::terms(&path, &content.tags, &content.authors), content.plays());
        self.enter(Membership {
            number,
            terms: &terms,
            published,
            updated,
            changed,
            plays,
            before: Before::AsRecorded,
            version,
        })
    }

    /// Two files changed places: each stays the article that it was. Both are read again, since their names changed.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn exchange(&mut self, one: &Path, other: &Path) -> Result<()> {
        // No path holds a NUL, so nothing can stand there.
        let between = [b"\0", bytes(one)].concat();
        let sql = "UPDATE article SET path = ?2, stale = max(stale, 1) WHERE path = ?1 AND state < 2";
        for (from, to) in [(bytes(one), &between[..]), (bytes(other), bytes(one)), (&between[..], bytes(other))] {
            self.connection.prepare_cached(sql)?.execute([from, to])?;
        }
        Ok(())
    }

    /// The articles of the main feed as it is at `now`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn window(&self, limits: &Limits, now: DateTime<Utc>) -> Result<Window> {
        window::read(&self.connection, None, limits, now)
    }

    /// The articles of the main feed with this window: number and revision of each, newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn feed(&self, window: &Window, limits: &Limits, now: DateTime<Utc>) -> Result<Vec<(i64, i64)>> {
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
    pub fn views(&self, kind: Kind, most: usize) -> Result<Vec<Listed>> {
        reader::views(&self.connection, kind, most)
    }

    /// The newest change that the main feed ever told of.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn latest(&self) -> Result<DateTime<Utc>> {
        reader::latest(&self.connection, views::WHOLE)
    }

    /// Keeps an article that nobody has seen yet from being shown before `until`: its file has vanished.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn postpone(&mut self, path: &Path, until: DateTime<Utc>) -> Result<()> {
        let sql = "UPDATE article SET due = max(due, ?2) WHERE path = ?1 AND state < 2 AND state = 0 AND shown = 0";
        self.connection.prepare_cached(sql)?.execute(params![bytes(path), until.timestamp()])?;
        Ok(())
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
        let sql = "
            SELECT min(at) FROM (
              SELECT min(due) AS at FROM article WHERE state = 0 AND shown = 0 AND due > ?1
              UNION ALL SELECT min(expires) FROM article WHERE state = 0 AND expires IS NOT NULL AND expires > ?1
              UNION ALL SELECT min(at) + ?2 FROM tombstone)";
        let values = [now.timestamp(), TOMBSTONE_LIFE.num_seconds()];
        let seconds: Option<i64> = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
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
    pub fn stamp(&mut self, path: &str, hash: &[u8; 32], version: DateTime<Utc>) -> Result<DateTime<Utc>> {
        if let Some(modified) = self.stamped(path, hash)? {
            return Ok(modified);
        }
        let sql = "INSERT OR REPLACE INTO document (path, hash, modified) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![path, hash, version.timestamp()])?;
        Ok(version)
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

/// Whether readers see an article from the next version on.
fn is_shown(identity: &Identity, arrival: &Arrival<'_>) -> bool {
    identity.due <= arrival.now && identity.expires.is_none_or(|expires| expires > arrival.now)
}

fn known(row: &Row<'_>) -> Result<Known> {
    let stale: i64 = row.get(8)?;
    Ok(Known {
        path: path_of(row.get(0)?),
        stat: Stat { size: row.get(1)?, mtime: row.get(2)?, ctime: row.get(3)?, inode: row.get(4)?, born: row.get(5)? },
        file_hash: row.get(6)?,
        state: State::of(row.get(7)?)?,
        stale: matches!(stale, 1 | 2),
        unread: stale == identity::UNREAD,
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

fn date(seconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| CatalogError::Damaged(format!("{seconds} is no date")))
}
