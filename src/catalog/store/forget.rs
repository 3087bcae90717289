//! Texts that are not public any more leave the catalog, also its free pages (`PRAGMA secure_delete`) and its write-ahead log. What
//! identity needs stays: id, hash, slug and path of each article that has been public.

use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use crate::catalog::visibility::WAS_PUBLIC;
use crate::model::entry::Content;

/// How long a replaced text may stay in the write-ahead log, if the writer wakes then.
const ERASED_AFTER: Duration = Duration::from_secs(30);

/// The default of rusqlite.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The recorded content of an article without a text.
pub(super) fn no_content() -> String {
    serde_json::to_string(&Content::default()).expect("texts and lists can be serialised")
}

impl Catalog {
    /// Forgets the text of an article that is not public any more.
    pub(super) fn forget_text(&mut self, number: i64) -> Result<()> {
        let sql = "UPDATE content SET entry = ?2 WHERE number = ?1 AND entry <> ?2";
        self.connection.prepare_cached(sql)?.execute(params![number, no_content()])?;
        // A title of another publisher's feed finds the file of an entry. This one has its article.
        let sql = "UPDATE adopted SET title = NULL, stem = NULL WHERE article = ?1";
        self.connection.prepare_cached(sql)?.execute([number])?;
        // Its old addresses answer 410.
        let sql = "DELETE FROM name WHERE article = ?1 AND name NOT LIKE '/%'";
        self.connection.prepare_cached(sql)?.execute([number])?;
        self.note_replaced_text();
        Ok(())
    }

    /// Forgets the text of a deleted article that has been public: at once if it was scheduled again, or if readers have had time to learn
    /// of the deletion. Otherwise the text goes with its tombstone.
    pub(super) fn forget_deleted(&mut self, number: i64, shown: bool) -> Result<()> {
        if !shown {
            // Its address answers 410. If the file comes back with the same date, it is scheduled again.
            let sql = "UPDATE article SET shown = 1, due = 0 WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute([number])?;
            return self.forget_text(number);
        }
        let sql = "SELECT 1 FROM tombstone WHERE number = ?1";
        let is_buried = self.connection.prepare_cached(sql)?.exists([number])?;
        if is_buried { Ok(()) } else { self.forget_text(number) }
    }

    /// Removes all rows of an article that has never been public.
    pub(super) fn remove_unseen(&mut self, number: i64) -> Result<()> {
        self.write_names()?;
        for sql in [
            "UPDATE adopted SET article = NULL WHERE article = ?1",
            "DELETE FROM media WHERE article = ?1",
            "DELETE FROM name WHERE article = ?1",
            "DELETE FROM problem WHERE article = ?1",
            "DELETE FROM address WHERE number = ?1",
            "DELETE FROM content WHERE number = ?1",
            "DELETE FROM article WHERE number = ?1",
        ] {
            self.connection.prepare_cached(sql)?.execute([number])?;
        }
        self.note_replaced_text();
        Ok(())
    }

    /// Retires the id that an article has from now on, if it has been public and is scheduled now: a deletion looks there.
    pub(super) fn retire_hidden(&mut self, number: i64, id: &str) -> Result<()> {
        let sql = format!(
            "INSERT OR IGNORE INTO retired SELECT ?2 FROM article WHERE number = ?1 AND {WAS_PUBLIC} RETURNING id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let retired = statement.query_row(params![number, id], |row| row.get(0)).optional()?;
        drop(statement);
        if let Some(id) = retired {
            self.note_retired(id);
        }
        Ok(())
    }

    /// Notes that the write-ahead log may have a text that was replaced or removed.
    pub(super) fn note_replaced_text(&mut self) {
        self.erase_at.get_or_insert_with(|| Instant::now() + ERASED_AFTER);
    }

    /// Empties the write-ahead log before the end, if it has a replaced text. The last reader to close the file cannot do that.
    pub fn erase_before_end(&mut self) {
        if self.erase_at.is_some() {
            self.erase_at = Some(Instant::now());
            // After an error, the next start empties it.
            let _ = self.erase_replaced_texts();
        }
    }

    /// Empties the write-ahead log if it may have had a replaced text for long enough. While a reader uses the log, it is tried again
    /// later.
    pub(super) fn erase_replaced_texts(&mut self) -> Result<()> {
        if self.erase_at.is_none_or(|at| at > Instant::now()) || !self.connection.is_autocommit() {
            return Ok(());
        }
        // Publishing does not wait for a reader.
        self.connection.busy_timeout(Duration::ZERO)?;
        let is_busy = self.connection.query_row("PRAGMA wal_checkpoint(truncate)", [], |row| row.get::<_, bool>(0));
        self.connection.busy_timeout(BUSY_TIMEOUT)?;
        self.erase_at = is_busy?.then(|| Instant::now() + ERASED_AFTER);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chrono::{DateTime, Utc};

    use super::*;
    use crate::article::Article;
    use crate::catalog::{Arrival, Decision, Extent, Reader, TOMBSTONE_LIFE};
    use crate::folder::Stat;
    use crate::model::collection::ArticleState;
    use crate::model::moment::{Moment, Version};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    /// A text of many pages.
    fn text(sentence: &str) -> String {
        format!("{sentence} ").repeat(400)
    }

    fn record(catalog: &mut Catalog, path: &str, sentence: &str, seconds: i64) {
        let article = Article { title: path.to_owned(), slug_source: path.to_owned(), ..Article::default() };
        let hash = *blake3::hash(sentence.as_bytes()).as_bytes();
        let arrival = Arrival {
            path: Path::new(path),
            article: &article,
            terms: None,
            file_hash: hash,
            entry_hash: hash,
            extent: Extent::Whole,
            stat: Stat::default(),
            first_seen: at(seconds),
            file_date: None,
            held_until: DateTime::UNIX_EPOCH,
            now: at(seconds),
        };
        let content = Content { title: path.to_owned(), summary: text(sentence), ..Content::default() };
        catalog
            .transaction(|catalog| {
                let Decision::Is(identity) = catalog.identify(&arrival, None, |_| false)? else { panic!("no article") };
                catalog.record(&identity, &arrival, &content, Version::at(at(seconds)))
            })
            .unwrap();
    }

    /// Whether any file of a directory contains a text.
    fn contains(directory: &Path, text: &str) -> bool {
        let files = std::fs::read_dir(directory).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    #[test]
    fn replaced_texts_leave_the_files_of_an_open_catalog() {
        let directory = tempfile::tempdir().unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), at(0)).unwrap();
        record(&mut catalog, "a.md", "The first version.", 0);
        catalog.tidy().unwrap();
        assert!(contains(directory.path(), "The first version."));
        record(&mut catalog, "a.md", "The second version.", 10);
        assert!(contains(directory.path(), "The first version."), "in the log");
        catalog.tidy().unwrap();
        assert!(contains(directory.path(), "The first version."), "it is not erased at once");
        // A reader that uses the log delays it.
        let reader = Reader::open(directory.path()).unwrap();
        let transaction = reader.connection.unchecked_transaction().unwrap();
        let sql = "SELECT count(*) FROM content";
        assert_eq!(reader.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        catalog.erase_at = Some(Instant::now());
        catalog.tidy().unwrap();
        assert!(catalog.erase_at.is_some());
        drop(transaction);
        catalog.erase_at = Some(Instant::now());
        catalog.tidy().unwrap();
        assert!(catalog.erase_at.is_none() && !contains(directory.path(), "The first version."));
        assert!(contains(directory.path(), "The second version."));
    }

    #[test]
    fn a_deleted_text_is_forgotten_with_its_tombstone() {
        let directory = tempfile::tempdir().unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), at(0)).unwrap();
        record(&mut catalog, "a.md", "A sentence.", 0);
        catalog.apply_due(Moment::by_clock(Version::at(at(1)), at(1))).unwrap();
        catalog.withdraw(Path::new("a.md"), ArticleState::Gone, Version::at(at(2))).unwrap();
        let erase = |catalog: &mut Catalog, seconds: i64| {
            catalog.apply_due(Moment::by_clock(Version::at(at(seconds)), at(seconds))).unwrap();
            catalog.erase_at = Some(Instant::now());
            catalog.tidy().unwrap();
        };
        let life = TOMBSTONE_LIFE.num_seconds();
        erase(&mut catalog, life + 1);
        assert!(contains(directory.path(), "A sentence."), "feeds have its tombstone");
        erase(&mut catalog, life + 2);
        assert!(!contains(directory.path(), "A sentence."));
        catalog.check(at(life + 3)).unwrap();
        // Its id is not used again.
        let sql = "SELECT id FROM article";
        let id: String = catalog.connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert!(catalog.is_taken(&id).unwrap());
    }
}
