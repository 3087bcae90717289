//! Ids and dates that were given elsewhere: an article that is found in another publisher's feed stays, for its readers, the
//! one that they know.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Row, params};
use url::Url;
use uuid::Uuid;

use super::identity::is_iri;
use super::{Catalog, Identity, Result, date};
use crate::article::{Article, boilerplate, date as dates};

/// An entry of a feed that was published elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// The id of an Atom entry.
    pub id: Option<String>,
    /// The guid of an RSS item or the id of a JSON Feed item, as it stands there.
    pub guid: Option<String>,
    /// Address of its page.
    pub link: Option<String>,
    /// Plain text.
    pub title: Option<String>,
    /// When it was published.
    pub published: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated: Option<DateTime<Utc>>,
}

/// What came of adopting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Articles that have the id of an entry.
    pub matched: usize,
    /// Entries that were adopted before.
    pub known: usize,
    /// Titles or links of entries whose article was not found: they wait for its file.
    pub waiting: Vec<String>,
}

/// What an article can be recognised by in somebody else's feed.
#[derive(Debug, Default)]
pub(super) struct Signs {
    links: Vec<String>,
    /// Last part of an address that its file's name would make.
    stem: String,
    title: String,
}

impl Signs {
    pub(super) fn of(article: &Article, path: &Path) -> Self {
        let links = article.link.iter().chain(&article.addresses).map(|link| comparable(link)).collect();
        Self { links, stem: stem(path), title: boilerplate::folded(&article.title) }
    }
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
    pub number: i64,
    pub id: String,
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
    pub fn adopt(&mut self, entries: &[Elsewhere]) -> Result<usize> {
        self.transaction(|catalog| {
            let mut known = 0;
            for entry in entries {
                if !catalog.keep_adopted(entry)? {
                    known += 1;
                }
            }
            // Every file is read again, and asked which of them it is.
            catalog.connection.execute("UPDATE article SET stale = 1 WHERE state < 2", [])?;
            catalog.adopting = true;
            Ok(known)
        })
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
    fn keep_adopted(&mut self, entry: &Elsewhere) -> Result<bool> {
        let given = entry.id.as_deref().filter(|id| is_iri(id)).or(entry.guid.as_deref().filter(|guid| is_iri(guid)));
        let Some(name) = given.or(entry.guid.as_deref()).or(entry.id.as_deref()) else { return Ok(false) };
        let made = || Uuid::new_v5(&self.namespace, format!("guid:{name}").as_bytes()).urn().to_string();
        let id = given.map_or_else(made, str::to_owned);
        let guid = entry.guid.as_deref().filter(|guid| *guid != id);
        let (link, title) = (
            entry.link.as_deref().map(comparable),
            entry.title.as_deref().map(boilerplate::folded).filter(|t| !t.is_empty()),
        );
        // The same entry in another format brings what the first did not have.
        let sql = "
            UPDATE adopted SET guid = coalesce(guid, ?2) WHERE article IS NULL
              AND (id = ?1 OR (link = ?3 AND title IS ?4 AND ?2 IS NOT NULL AND guid IS NULL))";
        let again = self.connection.prepare_cached(sql)?.execute(params![id, guid, link, title])?;
        let taken = "SELECT 1 FROM article WHERE id = ?1 UNION SELECT 1 FROM adopted WHERE id = ?1";
        let taken = self.connection.prepare_cached(taken)?.exists([&id])?;
        if again > 0 || taken {
            return Ok(false);
        }
        let stem = link.as_deref().map(|link| slug::slugify(link.rsplit('/').next().unwrap_or_default()));
        let sql =
            "INSERT INTO adopted (id, guid, link, stem, title, published, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let seconds = |date: Option<DateTime<Utc>>| date.map(|date| date.timestamp());
        let values = params![id, guid, link, stem, title, seconds(entry.published), seconds(entry.updated)];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(true)
    }

    /// The entry that an article was elsewhere: by address, else by the name of its file in one, else by title. One that fits
    /// two articles as well is nobody's.
    pub(super) fn adopted_for(&self, signs: &Signs) -> Result<Option<Adopted>> {
        for link in &signs.links {
            if let Some(found) = self.only_adopted("link = ?1", link)? {
                return Ok(Some(found));
            }
        }
        if !signs.stem.is_empty()
            && signs.stem != "index"
            && let Some(found) = self.only_adopted("stem = ?1", &signs.stem)?
        {
            return Ok(Some(found));
        }
        if signs.title.is_empty() { Ok(None) } else { self.only_adopted("title = ?1", &signs.title) }
    }

    fn only_adopted(&self, condition: &str, value: &str) -> Result<Option<Adopted>> {
        let sql = format!(
            "SELECT number, id, guid, published, updated FROM adopted WHERE article IS NULL AND {condition} LIMIT 2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = statement.query_map([value], |row| Ok(adopted(row)))?.collect::<rusqlite::Result<Vec<_>>>()?;
        if found.len() == 1 { found.pop().transpose() } else { Ok(None) }
    }

    /// Whether an article has an id that was given elsewhere.
    pub(super) fn has_adopted(&self, article: i64) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM adopted WHERE article = ?1")?.exists([article])?)
    }

    /// Notes that an article has the id that was adopted for it.
    pub(super) fn take_adopted(&mut self, identity: &Identity, article: i64) -> Result<()> {
        match identity.adopted {
            Some(number) => self.mark_taken(number, article),
            None => Ok(()),
        }
    }

    fn mark_taken(&mut self, number: i64, article: i64) -> Result<()> {
        let sql = "UPDATE adopted SET article = ?2 WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, article])?;
        Ok(())
    }
}

fn adopted(row: &Row<'_>) -> Result<Adopted> {
    let at = |index| -> Result<Option<DateTime<Utc>>> { row.get::<_, Option<i64>>(index)?.map(date).transpose() };
    Ok(Adopted { number: row.get(0)?, id: row.get(1)?, guid: row.get(2)?, published: at(3)?, updated: at(4)? })
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
