//! Ids and dates that were given elsewhere: an article that is found in another publisher's feed stays, for its readers, the
//! one that they know.

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};
use url::Url;
use uuid::Uuid;

use super::values::{self, date, is_date, is_iri};
use super::{Catalog, Result};
use crate::article::{Article, boilerplate, date as dates};
use crate::model::collection::{Adoption, ImportedEntry};
use crate::model::entry::ArticleId;
use crate::model::text::xml_legal;

/// What an article can be recognised by in somebody else's feed.
#[derive(Debug, Default)]
pub(super) struct MatchKeys {
    links: Vec<String>,
    /// Last part of an address that its file's name would make.
    stem: String,
    title: String,
    /// When it says that it was published.
    published: Option<DateTime<Utc>>,
}

impl MatchKeys {
    pub(super) fn of(article: &Article, path: &Path) -> Self {
        let links = article.link.iter().chain(&article.addresses).map(|link| comparable(link)).collect();
        let title = boilerplate::folded(&article.title);
        Self { links, stem: stem(path), title, published: article.published }
    }
}

/// The folder is read three times, so that what is certain is matched before what is likely.
#[derive(Debug)]
pub(super) enum Pass {
    /// The addresses that an article names.
    Addresses,
    /// Its file's name in one; meanwhile, how many articles have each title.
    Stems(HashMap<String, usize>),
    /// Its title, where it is the only one that has it.
    Titles(HashMap<String, usize>),
}

fn stem(path: &Path) -> String {
    slug::slugify(dates::file_name(path, chrono_tz::UTC).stem)
}

/// An address without what does not tell two pages of a site apart; a path alone stays one.
fn comparable(link: &str) -> String {
    let path =
        |path: &str| path.trim_end_matches("index.html").trim_end_matches(".html").trim_matches('/').to_lowercase();
    match Url::parse(link) {
        Ok(url) if url.has_host() => {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("/{}{query}", path(url.path()))
        }
        _ => format!("/{}", path(link)),
    }
}

/// An adopted entry, as far as identity needs it.
#[derive(Debug)]
pub(super) struct Adopted {
    pub id: ArticleId,
    pub guid: Option<String>,
    pub published: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
}

impl Catalog {
    /// Takes over the ids and dates of a feed that was published elsewhere. They are given to the articles of files that are
    /// read from now on: to all, while this catalog is open, later only to new ones. Gives the number of entries that were
    /// adopted before.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn adopt(&mut self, entries: &[ImportedEntry]) -> Result<usize> {
        self.transaction(|catalog| {
            let mut known = 0;
            for entry in entries {
                // A guid with characters that XML cannot hold is of no use in a feed.
                let guid = entry.guid.clone().filter(|guid| xml_legal(guid) == *guid);
                if !catalog.keep_adopted(&ImportedEntry { guid, ..entry.clone() })? {
                    known += 1;
                }
            }
            Ok(known)
        })
    }

    /// Has every file read again, and asked which of the entries it is, in the next of three ways. Says whether there is one.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn next_pass(&mut self) -> Result<bool> {
        self.adopting = match self.adopting.take() {
            None => Some(Pass::Addresses),
            Some(Pass::Addresses) => Some(Pass::Stems(HashMap::new())),
            Some(Pass::Stems(titles)) => Some(Pass::Titles(titles)),
            Some(Pass::Titles(_)) => None,
        };
        self.connection
            .execute("UPDATE article SET stale = CASE WHEN stale < 2 THEN 1 ELSE 2 END WHERE state < 2", [])?;
        Ok(self.adopting.is_some())
    }

    /// What has come of all that was adopted; `known` entries were adopted before.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn adoption(&self, known: usize) -> Result<Adoption> {
        let sql = "SELECT count(*) FROM adopted WHERE article IS NOT NULL";
        let matched: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
        let sql = "SELECT coalesce(title, link, id) FROM adopted WHERE article IS NULL ORDER BY number";
        let mut statement = self.connection.prepare(sql)?;
        let waiting = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(Adoption { matched: usize::try_from(matched).unwrap_or(0), known, waiting })
    }

    /// Writes an entry down; says whether it is new.
    fn keep_adopted(&mut self, entry: &ImportedEntry) -> Result<bool> {
        let Some(name) = entry.id.as_deref().or(entry.guid.as_deref()) else { return Ok(false) };
        let link = entry.link.as_deref().map(comparable);
        let title = entry.title.as_deref().map(boilerplate::folded).filter(|title| !title.is_empty());
        if self.merge_adopted(entry, link.as_deref(), title.as_deref())? {
            return Ok(false);
        }
        let made = || Uuid::new_v5(&self.namespace, format!("guid:{name}").as_bytes()).urn().to_string();
        let id = if is_iri(name) { name.to_owned() } else { made() };
        let known = self.connection.prepare_cached("SELECT 1 FROM adopted WHERE id = ?1")?.exists([&id])?;
        if known || self.is_taken(&id)? {
            return Ok(false);
        }
        let guid = entry.guid.as_deref().filter(|guid| *guid != id);
        let stem = link.as_deref().map(|link| slug::slugify(link.rsplit('/').next().unwrap_or_default()));
        let seconds = |date: Option<DateTime<Utc>>| date.filter(|date| is_date(*date)).map(|date| date.timestamp());
        let sql =
            "INSERT INTO adopted (id, guid, link, stem, title, published, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![id, guid, link, stem, title, seconds(entry.published), seconds(entry.updated)];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(true)
    }

    /// The same entry in another format: its readers may know it by another name. Says whether there is one.
    fn merge_adopted(&mut self, entry: &ImportedEntry, link: Option<&str>, title: Option<&str>) -> Result<bool> {
        let sql = "
            SELECT number, id, guid, article IS NOT NULL FROM adopted
            WHERE link = ?1 AND (title IS ?2 OR title IS NULL OR ?2 IS NULL) LIMIT 1";
        let found = self.connection.prepare_cached(sql)?.query_row(params![link, title], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, bool>(3)?,
            ))
        });
        let Some((number, id, guid, taken)) = found.optional()? else { return Ok(false) };
        let (id, guid) = match (&entry.id, &entry.guid) {
            // What an Atom feed called it is the id; what the others called it stays their guid.
            (Some(atom), _) if is_iri(atom) && *atom != id && !self.is_taken(atom)? => {
                (atom.clone(), guid.or(Some(id)))
            }
            (_, Some(name)) if *name != id && guid.is_none() => (id, Some(name.clone())),
            _ => return Ok(true),
        };
        if !taken {
            let sql = "UPDATE OR IGNORE adopted SET id = ?2, guid = ?3 WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute(params![number, id, guid])?;
        }
        Ok(true)
    }

    /// The entry that an article was elsewhere. While a feed is adopted, by whatever this pass goes by. Later by its address or
    /// its file's name, or by a title of the same day: another article may well come to have the same title.
    pub(super) fn adopted_for(&mut self, signs: &MatchKeys) -> Result<Option<Adopted>> {
        let (links, stems, titles) = match &mut self.adopting {
            None => (true, true, true),
            Some(Pass::Addresses) => (true, false, false),
            Some(Pass::Stems(titles)) => {
                *titles.entry(signs.title.clone()).or_default() += 1;
                (false, true, false)
            }
            Some(Pass::Titles(titles)) => (false, false, titles.get(&signs.title) == Some(&1)),
        };
        for link in signs.links.iter().filter(|_| links) {
            if let Some(found) = self.only_adopted("link = ?1", link)? {
                return Ok(Some(found));
            }
        }
        if stems
            && !signs.stem.is_empty()
            && signs.stem != "index"
            && let Some(found) = self.only_adopted("stem = ?1", &signs.stem)?
        {
            return Ok(Some(found));
        }
        if !titles || signs.title.is_empty() {
            return Ok(None);
        }
        let day = |date: Option<DateTime<Utc>>| date.map(|date| date.date_naive());
        let found = self.only_adopted("title = ?1", &signs.title)?;
        let is_adopting = self.adopting.is_some();
        Ok(found
            .filter(|found| is_adopting || (signs.published.is_some() && day(found.published) == day(signs.published))))
    }

    /// The one entry that fits, if it has no article yet. Of several, none does.
    fn only_adopted(&self, condition: &str, value: &str) -> Result<Option<Adopted>> {
        let sql = format!(
            "SELECT id, guid, published, updated, article IS NOT NULL OR EXISTS (SELECT 1 FROM article WHERE article.id = adopted.id)
             FROM adopted WHERE {condition} LIMIT 2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([value], |row| Ok((adopted(row), row.get::<_, bool>(4)?)))?;
        let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        match (found.pop(), found.pop()) {
            (Some((adopted, false)), None) => adopted.map(Some),
            _ => Ok(None),
        }
    }

    /// Whether an article has an id that was given elsewhere.
    pub(super) fn has_adopted(&self, article: i64) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM adopted WHERE article = ?1")?.exists([article])?)
    }

    /// Notes that an article has an id that was adopted, if it was.
    pub(super) fn take_adopted(&mut self, id: &str, article: i64) -> Result<()> {
        let sql = "UPDATE adopted SET article = ?2 WHERE id = ?1 AND article IS NULL";
        self.connection.prepare_cached(sql)?.execute(params![id, article])?;
        Ok(())
    }
}

pub(super) fn adopted(row: &Row<'_>) -> Result<Adopted> {
    let at = |index| -> Result<Option<DateTime<Utc>>> { row.get::<_, Option<i64>>(index)?.map(date).transpose() };
    Ok(Adopted { id: row.get(0)?, guid: values::guid(row.get(1)?)?, published: at(2)?, updated: at(3)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_by_what_tells_them_apart() {
        assert_eq!(comparable("https://a.example/2024/05/Storm/"), "/2024/05/storm");
        assert_eq!(comparable("http://a.example/2024/05/storm/index.html#x"), "/2024/05/storm");
        assert_eq!(comparable("/2024/05/storm.html"), "/2024/05/storm");
        assert_eq!(comparable("https://a.example/?p=12"), "/?p=12");
    }
}
