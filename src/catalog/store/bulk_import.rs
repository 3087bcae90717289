//! Bulk import into an empty catalog. An in-memory set of hashes answers "seen before?" without a query, and indexes are made at the
//! end.

use std::time::Instant;

use super::database::{Catalog, Changes, LOG_PAGES};
use super::error::Result;
use super::import_state::{BulkImport, INDEX_OF_MEMBERS, INDEXES_OF_FEEDS, INDEXES_OF_FILES, Index, Trace};
use super::series;
use crate::catalog::identity::Arrival;
use crate::folder::Stat;

/// Key in `meta` during a bulk import. Until its end, addresses and some members of views are missing.
const META_KEY: &str = "first reading";

/// Deletes all rows of an interrupted import. Views stay, without members.
const DISCARD: &str = "
    DELETE FROM member;
    DELETE FROM spelling;
    DELETE FROM media;
    DELETE FROM name;
    DELETE FROM problem;
    DELETE FROM address;
    DELETE FROM content;
    DELETE FROM article;
    UPDATE view SET members = 0, recordings = 0, floor = -9223372036854775808;
    UPDATE total SET shown = 0, scheduled = 0, recordings = 0;
    DELETE FROM meta WHERE key = 'first reading';";

/// When versions are published with the articles of a folder that is read as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishing {
    /// Once the whole folder has been read.
    AtTheEnd,
    /// Also before, so each commit must survive a power cut and leave a complete catalog.
    Meanwhile,
}

impl Catalog {
    /// Prepares for a folder full of files. If no version is served before all are read and the catalog is empty, a bulk import begins:
    /// until it ends, each path may be recorded once. [`Catalog::finish_bulk_import`] ends both.
    ///
    /// # Errors
    /// The catalog cannot be used.
    pub fn begin_bulk_import(&mut self, publishing: Publishing) -> Result<()> {
        self.prepare_for(Changes::Many)?;
        if publishing == Publishing::Meanwhile {
            return Ok(());
        }
        // After a power cut, files that no version has shown are read again.
        self.connection.pragma_update(None, "synchronous", "normal")?;
        let sql = "
            SELECT NOT EXISTS (SELECT 1 FROM article) AND NOT EXISTS (SELECT 1 FROM retired)
              AND NOT EXISTS (SELECT 1 FROM adopted) AND NOT EXISTS (SELECT 1 FROM address)";
        let is_empty: bool = self.connection.query_row(sql, [], |row| row.get(0))?;
        if !is_empty || self.adopting.is_some() {
            return Ok(());
        }
        self.bulk_import = Some(BulkImport::default());
        self.set_meta(META_KEY, "")?;
        for (name, _) in INDEXES_OF_FEEDS.into_iter().chain(INDEXES_OF_FILES) {
            self.connection.execute(&format!("DROP INDEX IF EXISTS {name}"), [])?;
        }
        Ok(())
    }

    /// Ends the bulk import, if there is one, so that feeds can be built. [`Catalog::tidy`] does the follow-up work, once the feeds are
    /// served.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn finish_bulk_import(&mut self) -> Result<()> {
        self.complete_import()?;
        self.prepare_for(Changes::Few)?;
        self.has_follow_up = true;
        Ok(())
    }

    /// Ends the bulk import, if there is one, before all files of the folder have been read: changes of single files follow.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn interrupt_bulk_import(&mut self) -> Result<()> {
        if self.complete_import()? {
            self.has_follow_up = true;
            self.tidy()?;
        }
        Ok(())
    }

    /// Writes all that the bulk import has deferred, if there is one; returns whether there was.
    fn complete_import(&mut self) -> Result<bool> {
        if self.bulk_import.is_none() {
            return Ok(false);
        }
        self.transaction(|catalog| {
            catalog.write_names()?;
            catalog.bulk_import = None;
            catalog.write_members()?;
            let sql =
                "INSERT OR IGNORE INTO address (slug, number) SELECT slug, number FROM article ORDER BY slug, number";
            catalog.connection.execute(sql, [])?;
            catalog.make_indexes(&INDEXES_OF_FEEDS)?;
            if series::is_any(&catalog.connection)? {
                catalog.make_indexes(&[INDEX_OF_MEMBERS])?;
            }
            catalog.read_dead_links_again()?;
            catalog.connection.execute("DELETE FROM meta WHERE key = ?1", [META_KEY])?;
            Ok(true)
        })
    }

    /// Deletes the rows of a bulk import that did not finish. No response has shown them.
    pub(super) fn discard_interrupted_import(&mut self) -> Result<()> {
        if self.meta(META_KEY)?.is_none() {
            return Ok(());
        }
        self.transaction(|catalog| {
            catalog.connection.execute_batch(DISCARD)?;
            catalog.mark_incomplete()
        })
    }

    /// Whether a bulk import is running.
    pub(super) fn is_bulk_importing(&self) -> bool {
        self.bulk_import.is_some()
    }

    /// Does the follow-up work of a bulk import, if any is pending, so that changes can be processed quickly. Completes the second record
    /// of identity, and erases replaced texts.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn tidy(&mut self) -> Result<()> {
        if std::mem::take(&mut self.has_follow_up) {
            self.make_indexes(&INDEXES_OF_FILES)?;
            self.connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
            // The next start would read all of the large log before it serves anything.
            self.erase_at = Some(Instant::now());
        }
        self.tidy_identities()?;
        self.erase_replaced_texts()
    }

    /// Creates the missing ones of some indexes.
    pub(super) fn make_indexes(&self, indexes: &[Index]) -> Result<()> {
        for (name, columns) in indexes {
            self.connection.execute(&format!("CREATE INDEX IF NOT EXISTS {name} ON {columns}"), [])?;
        }
        Ok(())
    }

    /// Whether certainly no article has this file, under any path, or its bytes. `false` means that a query must answer.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn is_certainly_new(&mut self, file_hash: &[u8; 32], stat: Stat) -> Result<bool> {
        let Some(bulk_import) = &mut self.bulk_import else { return Ok(false) };
        if !bulk_import.has(Trace::Content(file_hash)) && !bulk_import.has(Trace::File(stat.inode, stat.born)) {
            return Ok(true);
        }
        if !std::mem::replace(&mut bulk_import.has_indexes, true) {
            self.make_indexes(&INDEXES_OF_FILES)?;
        }
        Ok(false)
    }

    /// Whether certainly no article refers to another file.
    pub fn refers_to_nothing(&self) -> bool {
        self.bulk_import.as_ref().is_some_and(|bulk_import| !bulk_import.has_references)
    }

    /// Notes that an article refers to other files.
    pub(super) fn note_reference(&mut self) {
        if let Some(bulk_import) = &mut self.bulk_import {
            bulk_import.has_references = true;
        }
    }

    /// Whether certainly no article has this property.
    pub(super) fn is_certainly_unused(&self, trace: Trace<'_>) -> bool {
        self.bulk_import.as_ref().is_some_and(|bulk_import| !bulk_import.has(trace))
    }

    /// Notes a recorded article.
    pub(super) fn note_recorded(&mut self, arrival: &Arrival<'_>, id: &str, slug: &str) {
        if let Some(bulk_import) = &mut self.bulk_import {
            let file = Trace::File(arrival.stat.inode, arrival.stat.born);
            for trace in [Trace::Content(&arrival.file_hash), file, Trace::Id(id), Trace::Slug(slug)] {
                bulk_import.put(trace);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use chrono::DateTime;

    use super::*;
    use crate::article::Article;
    use crate::catalog::{CatalogError, Decision, Extent};
    use crate::model::entry::Content;
    use crate::model::moment::Version;

    pub const NOW: i64 = 1_700_000_000;

    /// Records an article and returns its id.
    pub fn record(catalog: &mut Catalog, path: &str) -> String {
        record_with(catalog, path, &Article::default(), Content { tags: vec!["tag".to_owned()], ..Content::default() })
    }

    /// Records an article of these properties.
    pub fn record_with(catalog: &mut Catalog, path: &str, article: &Article, content: Content) -> String {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let article = Article { title: path.to_owned(), slug_source: path.to_owned(), ..article.clone() };
        let arrival = Arrival {
            path: Path::new(path),
            article: &article,
            terms: None,
            file_hash: *blake3::hash(path.as_bytes()).as_bytes(),
            entry_hash: [1; 32],
            extent: Extent::Whole,
            stat: Stat::default(),
            first_seen: now,
            file_date: None,
            held_until: DateTime::UNIX_EPOCH,
            now,
        };
        let Decision::Is(identity) = catalog.identify(&arrival, None, |_| false).unwrap() else { panic!("no article") };
        let content = Content { title: path.to_owned(), ..content };
        catalog.transaction(|catalog| catalog.record(&identity, &arrival, &content, Version::at(now))).unwrap();
        identity.id.to_string()
    }

    fn indexes(catalog: &Catalog) -> i64 {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
        catalog.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_import_that_does_not_finish_is_discarded_at_the_next_opening() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let open = || Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        let mut catalog = open();
        let all_indexes = indexes(&catalog);
        catalog.begin_bulk_import(Publishing::AtTheEnd).unwrap();
        assert!(catalog.is_bulk_importing() && indexes(&catalog) < all_indexes);
        let id = record(&mut catalog, "a.md");
        drop(catalog);

        let mut catalog = open();
        assert_eq!((catalog.count().unwrap(), indexes(&catalog)), (0, all_indexes));
        catalog.check(now).unwrap();
        catalog.begin_bulk_import(Publishing::AtTheEnd).unwrap();
        assert!(catalog.is_bulk_importing(), "the catalog is empty again");
        assert_eq!(record(&mut catalog, "a.md"), id, "an id follows from the path");
        record(&mut catalog, "b.md");
        catalog.finish_bulk_import().unwrap();
        let log_size = || std::fs::metadata(directory.path().join("catalog.sqlite-wal")).unwrap().len();
        assert!(log_size() > 0);
        catalog.tidy().unwrap();
        assert_eq!(log_size(), 0, "the next start would have to read it");
        assert_eq!(indexes(&catalog), all_indexes);
        catalog.check(now).unwrap();
        drop(catalog);

        let mut catalog = open();
        assert_eq!(catalog.count().unwrap(), 2);
        catalog.begin_bulk_import(Publishing::AtTheEnd).unwrap();
        assert!(!catalog.is_bulk_importing(), "only an empty catalog imports in bulk");
    }

    #[test]
    fn after_a_transaction_that_is_synchronised_later_each_commit_is_durable_again() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        let level = |catalog: &Catalog| -> i64 {
            catalog.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
        };
        let within = catalog.transaction_before_sync(|catalog| Ok(level(catalog))).unwrap();
        assert_eq!((within, level(&catalog)), (1, 2), "NORMAL, then FULL");
        catalog.sync().unwrap();
        let failed = catalog.transaction_before_sync(|_| Err::<(), _>(CatalogError::Damaged("a test".to_owned())));
        assert_eq!((failed.is_err(), level(&catalog)), (true, 2), "also after an error");
        catalog.sync().unwrap();
        // A state directory that was removed is noticed elsewhere.
        catalog.transaction_before_sync(|catalog| catalog.set_meta("key", "value")).unwrap();
        std::fs::remove_file(directory.path().join("catalog.sqlite-wal")).unwrap();
        catalog.sync().unwrap();
    }

    #[test]
    fn each_commit_is_durable_and_complete_while_readers_are_served() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let open = || Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        let full =
            |catalog: &Catalog| catalog.connection.pragma_query_value(None, "synchronous", |row| row.get(0)) == Ok(2);
        let mut catalog = open();
        catalog.begin_bulk_import(Publishing::Meanwhile).unwrap();
        assert!(full(&catalog), "a commit may be lost by a power cut");
        record(&mut catalog, "a.md");
        drop(catalog);

        // As after a kill in the middle of the import.
        let mut catalog = open();
        assert_eq!(catalog.count().unwrap(), 1, "an article that readers may have seen was discarded");
        catalog.check(now).unwrap();
        catalog.finish_bulk_import().unwrap();

        let other = tempfile::tempdir().unwrap();
        let mut catalog = Catalog::open(other.path(), Some("x.example"), now).unwrap();
        catalog.begin_bulk_import(Publishing::AtTheEnd).unwrap();
        assert!(!full(&catalog), "an import that no reader sees waits for the disk at each commit");
        catalog.finish_bulk_import().unwrap();
        assert!(full(&catalog));
    }
}
