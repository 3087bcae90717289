//! Which files an article refers to, so that it is read again when one of them comes, changes or goes.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, params};

use super::{Catalog, Claim, Result, below, bytes, path_of};
use crate::catalog::visibility::PUBLISHED;

/// A file that an article refers to, as it was when the article was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Referred {
    /// Path below the watched folder.
    pub path: PathBuf,
    /// Differs from version to version of the file; 0 if it was not there.
    pub stamp: i64,
    /// What the article has to do with it.
    pub claim: Claim,
}

impl Catalog {
    /// Writes down what the article at a path refers to, instead of what it referred to before.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn refer(&mut self, article: &Path, media: &[Referred]) -> Result<()> {
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2";
        let number: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([bytes(article)], |row| row.get(0)).optional()?;
        let Some(number) = number else { return Ok(()) };
        if !media.is_empty() {
            self.refers();
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

    /// Paths of the articles that refer to a file, or to one below it where it is a folder.
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

    /// With which version of a file an article was read that refers to it; `None` where it does not.
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

    /// Every file that an article refers to that was not deleted, and with which version of the file the article was read.
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

    /// Makes the file at a path be read again, whatever its bytes.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn read_again(&mut self, path: &Path) -> Result<()> {
        let sql = "UPDATE article SET stale = max(stale, 1) WHERE path = ?1 AND state < 2";
        self.connection.prepare_cached(sql)?.execute([bytes(path)])?;
        Ok(())
    }

    /// Last part of the address of the article at a path, if readers know it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn slug_at(&self, path: &Path) -> Result<Option<String>> {
        let sql = format!("SELECT slug FROM article WHERE path = ?1 AND state < 2 AND {PUBLISHED}");
        Ok(self.connection.prepare_cached(&sql)?.query_row([bytes(path)], |row| row.get(0)).optional()?)
    }
}
