//! The pages in the menu.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::database::Catalog;
use super::error::Result;
use super::queries::stamped;
use super::reader::Reader;
use super::values::content_of;
use crate::catalog::visibility::{IN_MENU, visible};
use crate::model::entry::Slug;
use crate::model::moment::{Audience, Moment, Version};
use crate::model::site_page::{Menu, MenuItem};

/// The document whose hash and date are those of the menu.
const DOCUMENT: &str = "menu";

impl Reader {
    /// The menu of the version of a moment.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn recorded_menu(&self, moment: Moment) -> Result<Menu> {
        let menu = read(&self.connection, moment.due)?;
        let changed = match stamped(&self.connection, DOCUMENT, &menu.fingerprint())? {
            Some(changed) => changed,
            // There has never been one.
            None if menu.items.is_empty() => menu.changed,
            None => moment.version.date(),
        };
        Ok(Menu { changed, ..menu })
    }
}

impl Catalog {
    /// The menu of a version of the moment `due`. It changes in `version` if it differs from the recorded one; `None` if it does and no
    /// version is given.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn menu(&mut self, due: DateTime<Utc>, version: Option<Version>) -> Result<Option<Menu>> {
        let menu = read(&self.connection, due)?;
        let hash = menu.fingerprint();
        if let Some(changed) = self.stamped(DOCUMENT, &hash)? {
            return Ok(Some(Menu { changed, ..menu }));
        }
        let sql = "SELECT 1 FROM document WHERE path = ?1";
        let has_changed = !menu.items.is_empty() || self.connection.prepare_cached(sql)?.exists([DOCUMENT])?;
        if !has_changed {
            return Ok(Some(menu));
        }
        let Some(version) = version else { return Ok(None) };
        Ok(Some(Menu { changed: self.stamp(DOCUMENT, &hash, version)?, ..menu }))
    }
}

/// The menu at `due`, without the date of its last change.
fn read(connection: &Connection, due: DateTime<Utc>) -> Result<Menu> {
    let visible = visible(Audience::Public, "?1");
    let sql =
        format!("SELECT number, slug, entry FROM article JOIN content USING (number) WHERE {IN_MENU} AND {visible}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![due.timestamp()])?;
    let mut pages = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, slug, entry): (i64, Slug, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let content = content_of(number, &entry)?;
        let page = content.page.unwrap_or_default();
        let name = page.name.clone().unwrap_or(content.title);
        pages.push((page, MenuItem { slug, name, language: content.language }));
    }
    Ok(Menu { items: Menu::sorted(pages), changed: DateTime::UNIX_EPOCH })
}
