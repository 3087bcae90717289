//! The database file of the writer: its schema, transactions, tuning, and the keys in `meta`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ffi};
use rustix::fs::{Access, Mode, OFlags};
use rustix::io::Errno;
use uuid::Uuid;

use super::error::{CatalogError, Result};
use super::identity_record::{IdentityRecord, NewLines};
use super::import_state::{BulkImport, INDEXES_OF_FEEDS, INDEXES_OF_FILES};
use super::migrations::{self, MIGRATIONS};
use super::replication_state::Replication;
use super::view_batch::ViewBatch;
use super::{meta, values};
use crate::catalog::{identity, imports};
use crate::model::entry::Content;
use crate::model::taxonomy::{self, Term};
use crate::system::file_identity::FileIdentity;

/// Size of the cache of prepared statements; larger than their number.
pub(super) const STATEMENTS: usize = 256;

/// Memory for pages, in KiB.
pub(super) const CACHE: i64 = 2_000;
/// Memory for pages while many articles are recorded, in KiB.
pub(super) const LARGE_CACHE: i64 = 16 << 10;
/// Number of pages in the write-ahead log at which it is copied into the file.
pub(super) const LOG_PAGES: i64 = 1_000;
/// The same while many articles are recorded: 256 MiB.
pub(super) const LARGE_LOG_PAGES: i64 = 64 << 10;
/// Size to which the write-ahead log is truncated, in bytes.
pub(super) const LOG_SIZE: i64 = 16 << 20;

/// A schema that is newer by more than this is none that a program writes.
const MAX_NEWER: usize = 1_000;

/// The expected number of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changes {
    /// Single articles.
    Few,
    /// A whole folder.
    Many,
}

/// Name of the file in the state directory.
pub const FILE: &str = "catalog.sqlite";

/// The only writer of the catalog.
#[derive(Debug)]
pub struct Catalog {
    pub(super) connection: Connection,
    /// The file that is open.
    file: FileIdentity,
    pub(super) namespace: Uuid,
    /// The pass of a running adoption, in which known articles take over ids as well.
    pub(super) adopting: Option<imports::MatchPass>,
    /// Addresses of the entries that this run adopts, beside those in their rows.
    pub(super) other_addresses: imports::OtherAddresses,
    pub(super) view_batch: ViewBatch,
    /// The running bulk import.
    pub(super) bulk_import: Option<BulkImport>,
    /// The write-ahead log has a replaced text, and is emptied then.
    pub(super) erase_at: Option<Instant>,
    /// The second record of identity, if one is attached.
    pub(super) identities: Option<IdentityRecord>,
    /// The follow-up work of a bulk import is pending.
    pub(super) has_follow_up: bool,
    /// The base address from which new podcast ids are made; empty if the site has none.
    pub(super) base_url: String,
    /// The language of articles that are in no other, as far as their texts say.
    site_language: Option<String>,
    /// The log that records each transaction, if there are replicas.
    pub(super) replication: Option<Replication>,
    /// Path of the write-ahead log.
    log: PathBuf,
    /// The running transaction is synchronised later.
    defers_sync: bool,
    /// A committed transaction is not on the disk yet.
    is_unsynced: bool,
    /// Its lines of the second record of identity, which must not be ahead of the catalog.
    unsynced_lines: Option<NewLines>,
}

/// Path of the write-ahead log of a database file.
fn log_of(file: &Path) -> PathBuf {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Creates the file with access for its owner only, since it contains unpublished articles; SQLite copies the mode to its other files.
/// An existing file or link is left alone. If the file cannot be created, opening it reports the error.
fn create_file(file: &Path) {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    let _ = rustix::fs::open(file, flags, Mode::RUSR | Mode::WUSR);
}

/// Replaces the error that a file may not be written, if only a wrong value in its header forbids it.
fn damage_of_read_only(error: CatalogError, file: &Path) -> CatalogError {
    let is_read_only = matches!(&error, CatalogError::Sqlite(error)
        if error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY));
    let is_writable = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
    if is_read_only && is_writable(file) && file.parent().is_some_and(is_writable) {
        return CatalogError::Damaged("its header forbids to write it".to_owned());
    }
    error
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
        let before = FileIdentity::at(&file);
        let opened = Self::open_file(&file, authority, lost, now).map_err(|error| damage_of_read_only(error, &file));
        // SQLite opens a name, and does not say which file it has found there.
        if before == FileIdentity::at(&file) { opened } else { Err(CatalogError::Replaced) }
    }

    fn open_file(file: &Path, authority: Option<&str>, lost: Option<Uuid>, now: DateTime<Utc>) -> Result<Self> {
        let connection = Connection::open(file)?;
        let identity = FileIdentity::at(file).ok_or(CatalogError::Replaced)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // FULL: a committed transaction survives a power cut. With a write-ahead log that costs one fsync per commit.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Removed and replaced texts leave no trace in free pages.
        connection.pragma_update(None, "secure_delete", true)?;
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
        if applied > MIGRATIONS.len() + MAX_NEWER {
            return values::damaged(format!("it has schema {schema}"));
        }
        if applied > MIGRATIONS.len() {
            return Err(CatalogError::Newer { found: schema });
        }
        migrations::apply(&connection, applied)?;
        migrations::remove_old_pages(&connection)?;
        // SQLite has followed a link.
        let log = log_of(connection.path().map_or(file, Path::new));
        let mut catalog = Self {
            connection,
            file: identity,
            namespace: Uuid::nil(),
            adopting: None,
            other_addresses: imports::OtherAddresses::default(),
            view_batch: ViewBatch::default(),
            bulk_import: None,
            erase_at: None,
            identities: None,
            has_follow_up: false,
            base_url: String::new(),
            site_language: None,
            replication: None,
            log,
            defers_sync: false,
            is_unsynced: false,
            unsynced_lines: None,
        };
        if applied > 0 {
            // The log may be left over from a run that was killed.
            catalog.note_replaced_text();
        }
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

    pub(super) fn load_namespace(&mut self) -> Result<()> {
        let namespace = self.meta("namespace")?.unwrap_or_default();
        self.namespace = namespace.parse().map_err(|_| CatalogError::Damaged("its namespace is no UUID".into()))?;
        Ok(())
    }

    /// The file that is open, even if it has no name any more.
    pub fn file_identity(&self) -> FileIdentity {
        self.file
    }

    /// The namespace of all ids.
    pub fn namespace(&self) -> Uuid {
        self.namespace
    }

    /// Sets the base address from which podcast ids are made.
    pub fn set_base_url(&mut self, base_url: &str) {
        base_url.clone_into(&mut self.base_url);
    }

    /// Sets the language of the site. Articles whose texts have been read and that are in no known language are in the view of it.
    pub fn set_site_language(&mut self, language: &str) {
        self.site_language = Some(language.to_owned()).filter(|language| !language.is_empty());
    }

    /// The views of an article, which is read as far as `is_whole` says.
    pub(super) fn terms_of(&self, path: &Path, content: &Content, is_whole: bool) -> Vec<Term> {
        // A text that has not been read may say another language.
        let of_site = self.site_language.as_deref().filter(|_| is_whole);
        let language = content.language.as_deref().or(of_site);
        taxonomy::terms(path, &content.tags, &content.authors, content.series.as_ref(), language)
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
        meta::meta(&self.connection, key)
    }

    /// The date of a key in `meta`, which is stored as Unix seconds.
    ///
    /// # Errors
    /// The catalog cannot be read, or the text is no such date.
    pub fn meta_date(&self, key: &str) -> Result<Option<DateTime<Utc>>> {
        meta::meta_date(&self.connection, key)
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

    /// Writes a copy to a new file with access for its owner only. Also works if the file of this catalog was removed.
    ///
    /// # Errors
    /// The catalog cannot be read, or the copy cannot be written.
    pub fn copy_to(&self, file: &Path) -> Result<()> {
        create_file(file);
        let path = ToSqlOutput::Borrowed(ValueRef::Text(values::bytes(file)));
        self.connection.execute("VACUUM INTO ?1", [path])?;
        Ok(())
    }

    pub(super) fn meta_or_insert(&mut self, key: &str, make: impl FnOnce() -> String) -> Result<String> {
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

    /// As [`Catalog::transaction`], but the changes may be lost by a power cut until [`Catalog::sync`]. With replicas, which get them first,
    /// they are durable at once.
    ///
    /// # Errors
    /// As for [`Catalog::transaction`].
    pub fn transaction_before_sync<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.replication.is_some() || !self.connection.is_autocommit() {
            return self.transaction(work);
        }
        self.connection.pragma_update(None, "synchronous", "normal")?;
        self.defers_sync = true;
        let outcome = self.transaction(work);
        self.defers_sync = false;
        self.connection.pragma_update(None, "synchronous", "full")?;
        outcome
    }

    /// Waits until all committed transactions are on the disk.
    ///
    /// # Errors
    /// The disk reports an error.
    pub fn sync(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.is_unsynced) {
            return Ok(());
        }
        let log = rustix::fs::open(&self.log, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        match log.and_then(rustix::fs::fsync) {
            // The state directory was removed, which is noticed elsewhere.
            Err(error) if error != Errno::NOENT => {
                let kind = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
                Err(rusqlite::Error::SqliteFailure(kind, Some(format!("its log cannot be synchronised: {error}")))
                    .into())
            }
            _ => {
                if let Some(lines) = self.unsynced_lines.take() {
                    self.append_identities(&lines);
                }
                Ok(())
            }
        }
    }

    /// As [`Catalog::transaction`], but also rolled back if `work` returns `None`.
    ///
    /// # Errors
    /// As for [`Catalog::transaction`].
    pub fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<Option<T>>) -> Result<Option<T>> {
        if !self.connection.is_autocommit() {
            return work(self);
        }
        self.sync()?;
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let outcome = work(self).and_then(|value| {
            let mut lines = None;
            if value.is_some() {
                self.write_views()?;
                lines = self.identity_lines()?;
                self.record_changes()?;
            }
            self.connection.execute_batch(if value.is_some() { "COMMIT" } else { "ROLLBACK" })?;
            if value.is_some() {
                self.changes_committed();
            }
            // After the commit: a crash in between is noticed at the next start.
            if self.defers_sync && value.is_some() {
                (self.is_unsynced, self.unsynced_lines) = (true, lines);
            } else if let Some(lines) = lines {
                self.append_identities(&lines);
            }
            Ok(value)
        });
        if !matches!(outcome, Ok(Some(_))) {
            self.view_batch.discard();
            self.discard_identities();
        }
        if outcome.is_err() {
            // SQLite may have rolled back already; the first error counts.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        outcome
    }

    /// Tunes SQLite for the expected number of changes: with more memory, each page is written once for all its changes.
    pub(super) fn prepare_for(&mut self, changes: Changes) -> Result<()> {
        let cache = if changes == Changes::Few { CACHE } else { LARGE_CACHE };
        self.connection.pragma_update(None, "cache_size", -cache)?;
        if changes == Changes::Many {
            self.connection.pragma_update(None, "wal_autocheckpoint", LARGE_LOG_PAGES)?;
        }
        let has_checks = changes == Changes::Few && self.replication.is_none();
        self.connection.pragma_update(None, "foreign_keys", has_checks)?;
        if changes == Changes::Few {
            self.connection.pragma_update(None, "synchronous", "full")?;
            self.connection.execute_batch("PRAGMA shrink_memory")?;
        }
        Ok(())
    }
}
