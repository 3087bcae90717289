//! The entries of another publisher's feed, until the file of each is read.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};
use url::Url;

use super::database::Catalog;
use super::error::Result;
use super::values::{self, date, is_date};
use crate::article::old_address::comparable_link;
use crate::catalog::identity;
use crate::catalog::imports::{self, Adopted, AdoptedCandidates, MatchKeys, MatchPass, comparable_title, stem_of_link};
use crate::model::collection::{Adoption, ImportedEntry};
use crate::model::text::{is_iri, xml_legal};

/// Maximum number of entries of one name or title whose days are compared.
const MOST_CANDIDATES: usize = 2_000;

/// Key in `meta` for the hosts of adopted entries.
const HOSTS: &str = "adopted_hosts";

impl Catalog {
    /// Adds the entries of another publisher's feed. Articles that are read from now on take over their ids and dates: during an adoption
    /// all articles, later only new ones. Returns the number of entries that were adopted before.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn adopt(&mut self, entries: &[ImportedEntry]) -> Result<usize> {
        self.transaction(|catalog| {
            catalog.note_adopted();
            catalog.add_host_of(entries)?;
            catalog.compare_waiting_entries_again()?;
            let mut duplicates = 0;
            for entry in entries {
                // A feed cannot contain a guid with characters that XML does not allow.
                let guid = entry.guid.clone().filter(|guid| xml_legal(guid) == *guid);
                let (number, is_new) = catalog.add_adopted(&ImportedEntry { guid, ..entry.clone() })?;
                duplicates += usize::from(!is_new);
                if let Some(number) = number {
                    catalog.other_addresses.add(number, &entry.other_links);
                }
            }
            Ok(duplicates)
        })
    }

    /// Adds the host of most entries to those of the sites that were before this one. Entries may refer to other sites.
    fn add_host_of(&mut self, entries: &[ImportedEntry]) -> Result<()> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        let links = entries.iter().filter_map(|entry| entry.link.as_deref());
        for host in links.filter_map(|link| Some(Url::parse(link).ok()?.host_str()?.to_owned())) {
            *counts.entry(host).or_default() += 1;
        }
        let Some((host, _)) = counts.into_iter().find(|(_, count)| count * 2 > entries.len()) else { return Ok(()) };
        let mut hosts = self.adopted_hosts()?;
        if !hosts.contains(&host) {
            hosts.push(host);
            self.set_meta(HOSTS, &hosts.join(" "))?;
        }
        Ok(())
    }

    /// The hosts of the sites that were before this one.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn adopted_hosts(&self) -> Result<Vec<String>> {
        Ok(self
            .meta(HOSTS)?
            .unwrap_or_default()
            .split(' ')
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .collect())
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

    /// Compares the addresses and titles of entries without an article by the current rules: an earlier version of the program may have
    /// added them.
    fn compare_waiting_entries_again(&mut self) -> Result<()> {
        type Keys = (i64, Option<String>, Option<String>);
        let sql = "SELECT number, link, title FROM adopted WHERE article IS NULL";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows: Vec<Keys> = rows.collect::<rusqlite::Result<_>>()?;
        for (number, link, title) in rows {
            let link = link.as_deref().map(comparable_link);
            let stem = link.as_deref().map(stem_of_link);
            let title = title.as_deref().map(comparable_title).filter(|title| !title.is_empty());
            let sql = "UPDATE adopted SET link = ?2, stem = ?3, title = ?4 WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute(params![number, link, stem, title])?;
        }
        Ok(())
    }

    /// Adds an entry. Returns the number of its row, and whether it is new.
    fn add_adopted(&mut self, entry: &ImportedEntry) -> Result<(Option<i64>, bool)> {
        let Some(name) = entry.id.as_deref().or(entry.guid.as_deref()) else { return Ok((None, false)) };
        let link = entry.link.as_deref().map(comparable_link);
        let title = entry.title.as_deref().map(comparable_title).filter(|title| !title.is_empty());
        if let Some(number) = self.merge_adopted(entry, link.as_deref(), title.as_deref())? {
            return Ok((Some(number), false));
        }
        let id = identity::foreign_id(&self.namespace, name).to_string();
        let sql = "SELECT number FROM adopted WHERE id = ?1";
        let existing = self.connection.prepare_cached(sql)?.query_row([&id], |row| row.get(0)).optional()?;
        if existing.is_some() || self.is_taken(&id)? {
            return Ok((existing, false));
        }
        let guid = entry.guid.as_deref().filter(|guid| *guid != id);
        let stem = link.as_deref().map(stem_of_link);
        let seconds = |date: Option<DateTime<Utc>>| date.filter(|date| is_date(*date)).map(|date| date.timestamp());
        let sql =
            "INSERT INTO adopted (id, guid, link, stem, title, published, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![id, guid, link, stem, title, seconds(entry.published), seconds(entry.updated)];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok((Some(self.connection.last_insert_rowid()), true))
    }

    /// Merges an entry with the same one of a feed in another format, whose readers may know it by another id. Returns the number of its
    /// row, if there is one.
    fn merge_adopted(&mut self, entry: &ImportedEntry, link: Option<&str>, title: Option<&str>) -> Result<Option<i64>> {
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
        let Some((number, id, guid, taken)) = row.optional()? else { return Ok(None) };
        if !taken {
            let seconds = |date: Option<DateTime<Utc>>| date.filter(|date| is_date(*date)).map(|date| date.timestamp());
            let sql = "UPDATE adopted SET published = coalesce(published, ?2), updated = coalesce(updated, ?3) WHERE number = ?1";
            let dates = params![number, seconds(entry.published), seconds(entry.updated)];
            self.connection.prepare_cached(sql)?.execute(dates)?;
        }
        let (id, guid) = match (&entry.id, &entry.guid) {
            // The id of the Atom feed becomes the id; that of the other formats stays their guid.
            (Some(atom), _) if is_iri(atom) && *atom != id && !self.is_taken(atom)? => {
                (atom.clone(), guid.or(Some(id)))
            }
            (_, Some(name)) if *name != id && guid.is_none() => (id, Some(name.clone())),
            _ => return Ok(Some(number)),
        };
        if !taken {
            let sql = "UPDATE OR IGNORE adopted SET id = ?2, guid = ?3 WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute(params![number, id, guid])?;
        }
        Ok(Some(number))
    }

    /// The adopted entry that an article was. Counts the article in the current pass.
    pub(super) fn adopted_for(&mut self, keys: &MatchKeys) -> Result<Option<Adopted>> {
        if let Some(pass) = &mut self.adopting {
            pass.count(keys);
        }
        let others = &self.other_addresses;
        let of_link = |link: &String| self.adopted_where("link = ?1", link, others.of_link(link));
        let links = keys.links.iter().map(of_link).collect::<Result<_>>()?;
        let stem = self.adopted_where("stem = ?1", &keys.stem, others.of_stem(&keys.stem))?;
        let title = self.adopted_where("title = ?1", &keys.title, &[])?;
        let candidates = AdoptedCandidates { links, stem, title };
        Ok(imports::decide(self.adopting.as_ref(), keys, &candidates).cloned())
    }

    /// The entries that meet a condition, and those with the other numbers.
    fn adopted_where(&self, condition: &str, value: &str, others: &[i64]) -> Result<Vec<Adopted>> {
        let mut entries = self.adopted_rows(condition, [value])?;
        for number in others {
            let more = self.adopted_rows("number = ?1", [number])?;
            entries.extend(
                more.into_iter().filter(|one| !entries.iter().any(|entry| entry.id == one.id)).collect::<Vec<_>>(),
            );
        }
        Ok(entries)
    }

    fn adopted_rows(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Adopted>> {
        let sql = format!(
            "SELECT id, guid, published, updated, link, article IS NOT NULL OR EXISTS (SELECT 1 FROM article WHERE article.id = adopted.id)
             FROM adopted WHERE {condition} ORDER BY number LIMIT {MOST_CANDIDATES}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(values, |row| Ok(adopted(row).and_then(|entry| Ok((entry, row.get(5)?)))))?;
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
        if self.connection.prepare_cached(sql)?.execute(params![id, article])? > 0 {
            self.note_adopted();
        }
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
        link: row.get(4)?,
        is_taken: false,
    })
}
