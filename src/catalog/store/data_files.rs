//! The files with data of articles with which the articles were read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::database::Catalog;
use super::error::Result;
use super::values::{self, article_path, bytes, path_of};

/// Start of the keys in `meta`; the path follows, each byte as two digits. The value is the hash of what the file says.
const PREFIX: &str = "data ";

impl Catalog {
    /// The recorded files, each with its hash. A row that cannot be read is left out, so that the file counts as new.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn data_files(&self) -> Result<Vec<(PathBuf, [u8; 32])>> {
        let mut statement =
            self.connection.prepare_cached("SELECT key, value FROM meta WHERE key >= ?1 AND key < ?2")?;
        let rows = statement.query_map([PREFIX, "data!"], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut files = Vec::new();
        for row in rows {
            let (key, value): (String, String) = row?;
            let path = digits(&key[PREFIX.len()..]).map(path_of);
            let hash = digits(&value).and_then(|hash| hash.try_into().ok());
            files.extend(path.zip(hash));
        }
        Ok(files)
    }

    /// Records the hash of a file, or that it is gone.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn record_data(&mut self, path: &Path, hash: Option<&[u8; 32]>) -> Result<()> {
        let key = format!("{PREFIX}{}", hexadecimal(bytes(path)));
        match hash {
            Some(hash) => self.set_meta(&key, &hexadecimal(hash)),
            None => self.connection.execute("DELETE FROM meta WHERE key = ?1", [&key]).map(|_| ()).map_err(Into::into),
        }
    }

    /// Marks every file whose path begins with these bytes to be read again. Returns their number. An article whose bytes are still the same
    /// does not count as updated.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn read_again_below(&mut self, prefix: &[u8]) -> Result<usize> {
        // A text that is unread or lost stays so: no response may show the article without it.
        let sql = format!(
            "UPDATE article SET stale = max(stale, {}) WHERE state < 2 AND path >= ?1 AND path < ?2",
            values::READ_DIFFERENTLY
        );
        Ok(self.connection.prepare_cached(&sql)?.execute([prefix, &end_of(prefix)])?)
    }

    /// The paths of all files that begin with these bytes.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn known_with_prefix(&self, prefix: &[u8]) -> Result<Vec<PathBuf>> {
        let sql = "SELECT path FROM article WHERE state < 2 AND path >= ?1 AND path < ?2 ORDER BY path";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([prefix, &end_of(prefix)], |row| row.get(0))?;
        rows.map(|row| article_path(row?)).collect()
    }
}

/// The exclusive end of all paths that begin with these bytes; no path has a byte 255 after them.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    [prefix, &[u8::MAX; 8]].concat()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn digits(text: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_whole = text.len().is_multiple_of(2);
    is_whole.then(|| text.as_bytes().chunks(2).map(byte).collect()).flatten()
}
