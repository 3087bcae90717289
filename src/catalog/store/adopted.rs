//! The entries of another publisher's feed, until the file of each is read.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

use super::database::Catalog;
use super::error::Result;
use super::values::{self, date, is_date};
use crate::article::phrases;
use crate::catalog::imports::{self, Adopted, AdoptedCandidates, MatchKeys, MatchPass, comparable_link};
use crate::model::collection::{Adoption, ImportedEntry};
use crate::model::text::{is_iri, xml_legal};

impl Catalog {
    /// Adds the entries of another publisher's feed. Articles that are read from now on take over their ids and dates: during an adoption
    /// all articles, later only new ones. Returns the number of entries that were adopted before.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn adopt(&mut self, entries: &[ImportedEntry]) -> Result<usize> {
        self.transaction(|catalog| {
            let mut duplicates = 0;
            for entry in entries {
                // A feed cannot contain a guid with characters that XML does not allow.
                let guid = entry.guid.clone().filter(|guid| xml_legal(guid) == *guid);
                if !catalog.add_adopted(&ImportedEntry { guid, ..entry.clone() })? {
                    duplicates += 1;
                }
            }
            Ok(duplicates)
        })
    }

    /// Begins the next pass of the adoption, in which all files are read and matched again. Returns whether there is one.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn next_pass(&mut self) -> Result<bool> {
        self.adopting = MatchPass::next(self.adopting.take());
        self.connection.execute(
            "UPDATE article SET stale = CASE WHEN stale < ?1 THEN 1 WHEN stale = ?2 THEN ?2 ELSE ?1 END WHERE state < 2",
            [values::READ_DIFFERENTLY, values::LOST],
        )?;
        Ok(self.adopting.is_some())
    }

    /// The result of the adoption; `known` entries were adopted before.
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

    /// Adds an entry; returns whether it is new.
    fn add_adopted(&mut self, entry: &ImportedEntry) -> Result<bool> {
        let Some(name) = entry.id.as_deref().or(entry.guid.as_deref()) else { return Ok(false) };
        let link = entry.link.as_deref().map(comparable_link);
        let title = entry.title.as_deref().map(phrases::folded).filter(|title| !title.is_empty());
        if self.merge_adopted(entry, link.as_deref(), title.as_deref())? {
            return Ok(false);
        }
        let made = || Uuid::new_v5(&self.namespace, format!("guid:{name}").as_bytes()).urn().to_string();
        let id = if is_iri(name) { name.to_owned() } else { made() };
        let exists = self.connection.prepare_cached("SELECT 1 FROM adopted WHERE id = ?1")?.exists([&id])?;
        if exists || self.is_taken(&id)? {
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

    /// Merges an entry with the same one of a feed in another format, whose readers may know it by another id. Returns whether there is
    /// one.
    fn merge_adopted(&mut self, entry: &ImportedEntry, link: Option<&str>, title: Option<&str>) -> Result<bool> {
        let sql = "
            SELECT number, id, guid, article IS NOT NULL FROM adopted
            WHERE link = ?1 AND (title IS ?2 OR title IS NULL OR ?2 IS NULL) LIMIT 1";
        let row = self.connection.prepare_cached(sql)?.query_row(params![link, title], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, bool>(3)?,
            ))
        });
        let Some((number, id, guid, taken)) = row.optional()? else { return Ok(false) };
        let (id, guid) = match (&entry.id, &entry.guid) {
            // The id of the Atom feed becomes the id; that of the other formats stays their guid.
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

    /// The adopted entry that an article was. Counts the article in the current pass.
    pub(super) fn adopted_for(&mut self, keys: &MatchKeys) -> Result<Option<Adopted>> {
        if let Some(pass) = &mut self.adopting {
            pass.count(keys);
        }
        let links = keys.links.iter().map(|link| self.adopted_where("link = ?1", link)).collect::<Result<_>>()?;
        let stem = self.adopted_where("stem = ?1", &keys.stem)?;
        let title = self.adopted_where("title = ?1", &keys.title)?;
        let candidates = AdoptedCandidates { links, stem, title };
        Ok(imports::decide(self.adopting.as_ref(), keys, &candidates).cloned())
    }

    /// Two entries at most: of several, none is the only one.
    fn adopted_where(&self, condition: &str, value: &str) -> Result<Vec<Adopted>> {
        let sql = format!(
            "SELECT id, guid, published, updated, article IS NOT NULL OR EXISTS (SELECT 1 FROM article WHERE article.id = adopted.id)
             FROM adopted WHERE {condition} LIMIT 2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([value], |row| Ok(adopted(row).and_then(|entry| Ok((entry, row.get(4)?)))))?;
        let entry = |(entry, is_taken)| Adopted { is_taken, ..entry };
        rows.map(|row| row?.map(entry)).collect()
    }

    /// Whether an article has an adopted id.
    pub(super) fn has_adopted(&self, article: i64) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM adopted WHERE article = ?1")?.exists([article])?)
    }

    /// Notes that an article has an id, if the id was adopted.
    pub(super) fn take_adopted(&mut self, id: &str, article: i64) -> Result<()> {
        let sql = "UPDATE adopted SET article = ?2 WHERE id = ?1 AND article IS NULL";
        self.connection.prepare_cached(sql)?.execute(params![id, article])?;
        Ok(())
    }
}

pub(super) fn adopted(row: &Row<'_>) -> Result<Adopted> {
    let at = |index| -> Result<Option<DateTime<Utc>>> { row.get::<_, Option<i64>>(index)?.map(date).transpose() };
    Ok(Adopted {
        id: row.get(0)?,
        guid: values::guid(row.get(1)?)?,
        published: at(2)?,
        updated: at(3)?,
        is_taken: false,
    })
}
