//! The descriptions of folders, which their writers give.

use rusqlite::Connection;

use super::database::Catalog;
use super::error::Result;
use super::meta::meta;
use super::values::{DESCRIBED, damaged};
use crate::model::moment::Version;
use crate::model::section::{SectionAbout, SectionRecord};
use crate::model::taxonomy::{Term, ViewKind};

/// Start of the keys in `meta`; the key of the view follows, which is empty for the whole site.
pub(super) const PREFIX: &str = "section ";

impl Catalog {
    /// The recorded descriptions.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn sections(&self) -> Result<Vec<SectionRecord>> {
        Ok(all(&self.connection)?.into_iter().map(|(_, record)| record).collect())
    }

    /// The description of the whole site.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn about(&self) -> Result<Option<SectionAbout>> {
        about(&self.connection, "")
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
        let text = record.map(|record| serde_json::to_string(record).expect("texts and lists can be serialised"));
        if self.meta(&key)? == text {
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

/// The description of a folder by the key of its view.
pub(super) fn about(connection: &Connection, key: &str) -> Result<Option<SectionAbout>> {
    let text = meta(connection, &format!("{PREFIX}{key}"))?;
    Ok(text.map(|text| parse(&text)).transpose()?.map(|record| record.about))
}

/// All descriptions by the key of the view.
pub(super) fn all(connection: &Connection) -> Result<Vec<(String, SectionRecord)>> {
    let sql = "SELECT key, value FROM meta WHERE key >= ?1 AND key < ?2 ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([PREFIX, "section!"])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, text): (String, String) = (row.get(0)?, row.get(1)?);
        all.push((key[PREFIX.len()..].to_owned(), parse(&text)?));
    }
    Ok(all)
}

/// Parses a recorded description.
pub(super) fn parse(text: &str) -> Result<SectionRecord> {
    serde_json::from_str(text).or_else(|error| damaged(format!("a description of a folder: {error}")))
}
