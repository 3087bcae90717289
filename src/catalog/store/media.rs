//! The files that articles refer to. An article is read again when one of them appears, changes or is deleted.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use super::reader::Reader;
use super::values::{below, bytes, path_of};
use crate::catalog::visibility::{PAGE, PUBLISHED};
use crate::model::site_page::Permalink;

/// The relation of an article to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It links to the file, shows it or plays it.
    Mentions = 0,
    /// It claims the recording, which belongs to another article.
    Claims = 1,
    /// The recording belongs to it.
    Owns = 2,
}

/// A file that an article refers to, as it was when the article was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Referred {
    /// Path below the watched folder.
    pub path: PathBuf,
    /// Identifies the version of the file; 0 if there was none.
    pub stamp: i64,
    /// The relation of the article to it.
    pub claim: Claim,
}

impl Reader {
    /// Whether a published article shows a file of the folder or links to it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn shows_file(&self, media: &Path) -> Result<bool> {
        let sql = format!(
            "SELECT 1 FROM media JOIN article ON article.number = media.article
            WHERE media.path = ?1 AND claim = 0 AND state < 2 AND {PUBLISHED} LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([bytes(media)], |_| Ok(())).optional()?.is_some())
    }
}

impl Catalog {
    /// Replaces the references of the article at a path.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn refer(&mut self, article: &Path, media: &[Referred]) -> Result<()> {
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2";
        let number: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([bytes(article)], |row| row.get(0)).optional()?;
        let Some(number) = number else { return Ok(()) };
        if !media.is_empty() {
            self.note_reference();
        }
        self.connection.prepare_cached("DELETE FROM media WHERE article = ?1")?.execute([number])?;
        for Referred { path, stamp, claim } in media {
            let sql = "INSERT OR REPLACE INTO media (path, article, stamp, claim) VALUES (?1, ?2, ?3, ?4)";
            self.connection.prepare_cached(sql)?.execute(params![bytes(path), number, stamp, *claim as i64])?;
            if *claim == Claim::Owns {
                self.owns(path, number)?;
            }
        }
        Ok(())
    }

    /// Paths of the articles that refer to a file, or to a file in a folder.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn referring(&self, media: &Path) -> Result<Vec<PathBuf>> {
        let (low, high) = below(media);
        let sql = "
            SELECT DISTINCT article.path FROM media JOIN article ON article.number = media.article
            WHERE state < 2 AND (media.path = ?1 OR (media.path > ?2 AND media.path < ?3)) ORDER BY 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![bytes(media), low, high], |row| row.get(0))?;
        rows.map(|row| Ok(path_of(row?))).collect()
    }

    /// The version of a file with which an article was read; `None` if the article does not refer to it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn stamp_in(&self, article: &Path, media: &Path) -> Result<Option<i64>> {
        let sql = "
            SELECT stamp FROM media JOIN article ON article.number = media.article
            WHERE state < 2 AND article.path = ?1 AND media.path = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![bytes(article), bytes(media)], |row| row.get(0)).optional()?)
    }

    /// All files that articles refer to, each with the version with which the article was read.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn all_referred(&self) -> Result<Vec<(PathBuf, i64)>> {
        let sql = "
            SELECT media.path, stamp FROM media JOIN article ON article.number = media.article WHERE state < 2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((path_of(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Marks the file at a path to be read again, even if its bytes have not changed.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn read_again(&mut self, path: &Path) -> Result<()> {
        let sql = "UPDATE article SET stale = max(stale, 1) WHERE path = ?1 AND state < 2";
        self.connection.prepare_cached(sql)?.execute([bytes(path)])?;
        Ok(())
    }

    /// The place of the article at a path, if it is published.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn permalink_at(&self, path: &Path) -> Result<Option<Permalink>> {
        let sql = format!("SELECT slug, {PAGE} FROM article WHERE path = ?1 AND state < 2 AND {PUBLISHED}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let row = statement.query_row([bytes(path)], |row| Ok(Permalink::new(row.get(0)?, row.get(1)?)));
        Ok(row.optional()?)
    }
}
