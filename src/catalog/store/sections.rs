//! The descriptions of folders and of authors, which their writers give.

use rusqlite::{Connection, params};

use super::database::Catalog;
use super::error::Result;
use super::meta::meta;
use super::replicated_tables::SEEN;
use super::values::{self, DESCRIBED, damaged};
use crate::model::moment::Version;
use crate::model::section::{SectionAbout, SectionRecord};
use crate::model::taxonomy::{Term, View, ViewKind};

/// Start of the keys in `meta`; the key of the view follows, which is empty for the whole site.
pub(super) const PREFIX: &str = "section ";
/// Start of the keys in `meta` of descriptions of authors; the key of the view follows.
pub(super) const OF_AUTHORS: &str = "author ";

impl Catalog {
    /// The recorded descriptions.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn sections(&self) -> Result<Vec<SectionRecord>> {
        Ok(all(&self.connection, ViewKind::Section)?.into_iter().map(|(_, record)| record).collect())
    }

    /// The recorded descriptions of authors.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn bios(&self) -> Result<Vec<SectionRecord>> {
        Ok(all(&self.connection, ViewKind::Author)?.into_iter().map(|(_, record)| record).collect())
    }

    /// The recorded description of an author.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn bio(&self, author: &View) -> Result<Option<SectionRecord>> {
        record(&self.connection, author.kind, &author.key)
    }

    /// Records the description of an author, or that there is none. Returns whether a document has changed: feeds do not show it, and an
    /// author without articles has no page.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn describe_author(&mut self, author: &View, record: Option<&SectionRecord>, version: Version) -> Result<bool> {
        let before = self.bio(author)?;
        let key = format!("{OF_AUTHORS}{}", author.key);
        let is_news = self.is_news(&key, record.map(serialised).as_deref())?;
        if !is_news || before.as_ref() == record {
            return Ok(false);
        }
        match record {
            Some(record) => self.set_meta(&key, &serialised(record))?,
            None => drop(self.connection.execute("DELETE FROM meta WHERE key = ?1", [&key])?),
        }
        let sql = "UPDATE view SET pinned = max(pinned, ?3) WHERE kind = ?1 AND key = ?2";
        let values = params![author.kind as i64, author.key, version.seconds()];
        let has_page = self.connection.prepare_cached(sql)?.execute(values)? > 0;
        let title = |record: Option<&SectionRecord>| record.and_then(|record| record.about.title.clone());
        if has_page && title(before.as_ref()) != title(record) {
            let counted = format!("{}{}", values::COUNTED, author.kind as i64);
            self.set_meta(&counted, &version.seconds().to_string())?;
        }
        Ok(has_page)
    }

    /// The description of the whole site.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn about(&self) -> Result<Option<SectionAbout>> {
        about(&self.connection, ViewKind::Section, "")
    }

    /// Records the description of a folder, or of the whole site, or that it has none. Returns whether a document has changed.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn describe_section(
        &mut self,
        term: Option<&Term>,
        record: Option<&SectionRecord>,
        version: Version,
    ) -> Result<bool> {
        let key = format!("{PREFIX}{}", term.map_or("", |term| term.view.key.as_str()));
        let text = record.map(serialised);
        if !self.is_news(&key, text.as_deref())? || self.meta(&key)? == text {
            return Ok(false);
        }
        match &text {
            Some(text) => self.set_meta(&key, text)?,
            None => drop(self.connection.execute("DELETE FROM meta WHERE key = ?1", [&key])?),
        }
        self.set_meta(DESCRIBED, &version.seconds().to_string())?;
        if let Some(term) = term {
            let view = self.view_of(term, version)?;
            self.redescribe(view, version)?;
            self.mark_list_changed(ViewKind::Section as i64, version);
            self.write_views_alone()?;
        }
        Ok(true)
    }
}

impl Catalog {
    /// Whether a description that this node has read from its copy of the folder is to be recorded. It is not if another node has changed
    /// the recorded one, and this node's file says what it said before; or if this node has never had the file.
    fn is_news(&mut self, key: &str, read: Option<&str>) -> Result<bool> {
        if !self.is_replicated() {
            return Ok(true);
        }
        let digest =
            |text: Option<&str>| text.map_or_else(String::new, |text| blake3::hash(text.as_bytes()).to_string());
        let (recorded, read) = (digest(self.meta(key)?.as_deref()), digest(read));
        let own_key = format!("{SEEN}{key}");
        let seen = self.meta(&own_key)?;
        let is_behind = match seen.as_deref().and_then(|seen| seen.split_once(' ')) {
            Some((own, former)) => own == read && former != recorded,
            None => read.is_empty(),
        };
        if is_behind && read != recorded {
            return Ok(false);
        }
        // What was read is recorded from now on.
        self.set_meta(&own_key, &format!("{read} {read}"))?;
        Ok(true)
    }
}

/// The description of a folder or an author by the key of the view.
pub(super) fn about(connection: &Connection, kind: ViewKind, key: &str) -> Result<Option<SectionAbout>> {
    Ok(record(connection, kind, key)?.map(|record| record.about))
}

fn record(connection: &Connection, kind: ViewKind, key: &str) -> Result<Option<SectionRecord>> {
    let Some(prefix) = prefix(kind) else { return Ok(None) };
    meta(connection, &format!("{prefix}{key}"))?.map(|text| parse(&text)).transpose()
}

/// All descriptions of folders or of authors by the key of the view.
pub(super) fn all(connection: &Connection, kind: ViewKind) -> Result<Vec<(String, SectionRecord)>> {
    let Some(prefix) = prefix(kind) else { return Ok(Vec::new()) };
    // An exclamation mark follows a space in ASCII.
    let end = format!("{}!", prefix.trim_end());
    let sql = "SELECT key, value FROM meta WHERE key >= ?1 AND key < ?2 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([prefix, &end])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, text): (String, String) = (row.get(0)?, row.get(1)?);
        all.push((key[prefix.len()..].to_owned(), parse(&text)?));
    }
    Ok(all)
}

/// Start of the keys of the descriptions of a kind of views, if it has any.
fn prefix(kind: ViewKind) -> Option<&'static str> {
    match kind {
        ViewKind::Section => Some(PREFIX),
        ViewKind::Author => Some(OF_AUTHORS),
        ViewKind::Tag | ViewKind::Series | ViewKind::Language => None,
    }
}

/// Parses a recorded description.
pub(super) fn parse(text: &str) -> Result<SectionRecord> {
    serde_json::from_str(text).or_else(|error| damaged(format!("a description of a folder or an author: {error}")))
}

fn serialised(record: &SectionRecord) -> String {
    serde_json::to_string(record).expect("texts and lists can be serialised")
}
