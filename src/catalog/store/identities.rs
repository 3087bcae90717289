//! Keeps the second record of identity up to date with the catalog, and restores identities that the catalog lacks.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};

use super::database::Catalog;
use super::error::Result;
use super::forget::no_content;
use super::identity_record::{IdentityRecord, NewLines};
use super::values::{self, LOST, article_path, date, path_of};
use crate::catalog::identity_log::{
    IdentityLine, IdentityLog, LogExtent, LoggedEntry, LoggedIdentity, LoggedPath, LoggedState, NewLog,
};
use crate::catalog::imports::stem_of_link;
use crate::catalog::visibility::PageState;
use crate::model::entry::Slug;
use crate::model::moment::Version;
use crate::model::text::{is_iri, xml_legal};

/// Key in `meta` for the size of the record that the catalog has last written. If the file has another, one of the two is behind.
const EXTENT: &str = "identities";

/// Key in `meta` that says that the record has the adopted entries: earlier versions did not write them.
const HAS_ADOPTED: &str = "identities_adopted";

/// Lines that may be out of date in the record of a small site, beside one for each article.
const SLACK: u64 = 64;

/// Changed articles of a transaction above which the whole record is written again.
const MAX_LINES: usize = 20_000;

/// Pause after the record could not be written.
const RETRY: Duration = Duration::from_mins(1);

/// The columns of an identity.
const COLUMNS: &str = "article.id, path, state, article.slug, published, updated, file_hash, guid, shown, page";

/// The identities that the record held and the catalog lacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoredIdentities {
    /// Articles that continue under their ids once their files have been read.
    pub articles: usize,
    /// Deleted articles, whose ids are never used again.
    pub deleted: usize,
    /// Lines that are damaged or cannot be used.
    pub skipped: usize,
    /// Why the record cannot be used.
    pub unusable: Option<String>,
}

impl Catalog {
    /// Continues the record of identities in a file. Identities that only the record has are added to the catalog: articles are withdrawn
    /// until their files have been read, and deleted ones stay deleted. That is the case after the catalog was lost or damaged, and after an
    /// old backup was restored.
    ///
    /// # Errors
    /// The catalog cannot be read or written. An unusable record is no error.
    pub fn attach_identities(&mut self, file: &Path, now: DateTime<Utc>) -> Result<RestoredIdentities> {
        let log = IdentityLog::at(file);
        let extent = self.meta(EXTENT)?.as_deref().and_then(LogExtent::parse);
        let extent = extent.filter(|extent| log.length() == Some(extent.bytes));
        let must_compare = extent.is_none() && log.length().is_some_and(|length| length > 0);
        let restored = if must_compare { self.restore_identities(&log, now)? } else { RestoredIdentities::default() };
        let extent = if self.lacks_adopted()? { None } else { extent };
        let (changed, retired) = (BTreeSet::new(), Vec::new());
        self.identities = Some(IdentityRecord { log, extent, changed, retired, retry_at: None });
        Ok(restored)
    }

    /// Notes that the identity of an article may have changed.
    pub(super) fn note_identity(&mut self, number: i64) {
        let is_importing = self.is_bulk_importing();
        let Some(record) = &mut self.identities else { return };
        if is_importing || record.changed.len() >= MAX_LINES {
            record.extent = None;
        }
        if record.extent.is_some() {
            record.changed.insert(number);
        }
    }

    /// Whether the record was written by a version that did not write adopted entries.
    fn lacks_adopted(&self) -> Result<bool> {
        Ok(self.meta(HAS_ADOPTED)?.is_none() && self.connection.prepare("SELECT 1 FROM adopted LIMIT 1")?.exists([])?)
    }

    /// Notes that adopted entries have changed: the whole record is written again.
    pub(super) fn note_adopted(&mut self) {
        if let Some(record) = &mut self.identities {
            record.extent = None;
        }
    }

    /// Notes an id that no article may have again.
    pub(super) fn note_retired(&mut self, id: String) {
        if let Some(record) = &mut self.identities {
            record.retired.push(id);
        }
    }

    /// Forgets the noted changes of a transaction that has failed.
    pub(super) fn discard_identities(&mut self) {
        if let Some(record) = &mut self.identities {
            record.changed.clear();
            record.retired.clear();
        }
    }

    /// The lines of the running transaction. Its size with them becomes part of the transaction, so that the next start notices if the
    /// lines were not written.
    pub(super) fn identity_lines(&mut self) -> Result<Option<NewLines>> {
        let Some(record) = &mut self.identities else { return Ok(None) };
        let (changed, retired) = (std::mem::take(&mut record.changed), std::mem::take(&mut record.retired));
        let Some(extent) = record.extent else {
            // The whole record is written again later. If that does not happen, the next start notices it.
            self.connection.prepare_cached("DELETE FROM meta WHERE key = ?1")?.execute([EXTENT])?;
            return Ok(None);
        };
        if changed.is_empty() && retired.is_empty() {
            return Ok(None);
        }
        let (mut text, mut lines) = (String::new(), 0);
        for retired in retired {
            IdentityLine::Retired { retired }.write_to(&mut text);
            lines += 1;
        }
        let sql = format!("SELECT {COLUMNS} FROM article WHERE number = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        for number in changed {
            let line = statement.query_row([number], |row| Ok(identity_of(row))).optional()?.transpose()?.flatten();
            if let Some(line) = line {
                line.write_to(&mut text);
                lines += 1;
            }
        }
        drop(statement);
        if lines == 0 {
            return Ok(None);
        }
        let extent = extent.with(&text, lines);
        self.set_meta(EXTENT, &extent.to_string())?;
        Ok(Some(NewLines { text, extent }))
    }

    /// Appends the lines of a transaction, which is durable. If that fails, the whole record is written again later.
    pub(super) fn append_identities(&mut self, lines: &NewLines) {
        let Some(record) = &mut self.identities else { return };
        let Some(extent) = record.extent else { return };
        match record.log.append(&lines.text, extent.bytes) {
            Ok(()) => record.extent = Some(lines.extent),
            Err(error) => {
                tracing::debug!(%error, "the record of identities is written again");
                record.extent = None;
            }
        }
    }

    /// Writes the whole record again if it lacks changes, or if most of its lines are out of date.
    pub(super) fn tidy_identities(&mut self) -> Result<()> {
        if self.is_bulk_importing() || !self.connection.is_autocommit() {
            return Ok(());
        }
        let Some(record) = &self.identities else { return Ok(()) };
        if record.retry_at.is_some_and(|at| at > Instant::now()) {
            return Ok(());
        }
        if let Some(extent) = record.extent {
            let last = |table: &str| -> Result<u64> {
                let sql = format!("SELECT coalesce(max(number), 0) FROM {table}");
                let number: i64 = self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
                Ok(u64::try_from(number).unwrap_or(0))
            };
            let most = last("article")?.saturating_add(last("adopted")?).saturating_mul(2).saturating_add(SLACK);
            if extent.lines <= most {
                return Ok(());
            }
        }
        let log = record.log.clone();
        let written = match log.begin(self.namespace) {
            Ok(new) => self.write_identities(new)?,
            Err(error) => Err(error),
        };
        if let Ok(extent) = &written {
            self.set_meta(EXTENT, &extent.to_string())?;
            self.set_meta(HAS_ADOPTED, "1")?;
        }
        let Some(record) = &mut self.identities else { return Ok(()) };
        record.changed.clear();
        record.retired.clear();
        record.retry_at = written.is_err().then(|| Instant::now() + RETRY);
        record.extent = match written {
            Ok(extent) => Some(extent),
            Err(error) => {
                tracing::warn!(%error, "cannot write identities.log; trying again every minute");
                None
            }
        };
        Ok(())
    }

    /// Writes all identities. Retired ids come first, since an article may still have one; deleted articles follow, since their addresses
    /// may belong to others now.
    fn write_identities(&self, mut new: NewLog) -> Result<std::io::Result<LogExtent>> {
        let mut write = |line: Result<Option<IdentityLine>>| -> Result<std::io::Result<()>> {
            Ok(line?.map_or(Ok(()), |line| new.write(&line)))
        };
        let mut retired_ids = self.connection.prepare("SELECT id FROM retired")?;
        let mut rows = retired_ids.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(error) = write(Ok(Some(IdentityLine::Retired { retired: row.get(0)? })))? {
                return Ok(Err(error));
            }
        }
        for condition in ["state = 2", "state < 2"] {
            let mut statement =
                self.connection.prepare(&format!("SELECT {COLUMNS} FROM article WHERE {condition} ORDER BY number"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Err(error) = write(identity_of(row))? {
                    return Ok(Err(error));
                }
            }
        }
        let former = "
            SELECT address.slug, id, shown FROM address JOIN article USING (number) WHERE address.slug <> article.slug";
        let mut statement = self.connection.prepare(former)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let address = IdentityLine::Address { address: row.get(0)?, of: row.get(1)? };
            if let Err(error) = write(Ok(values::flag(row, 2)?.then_some(address)))? {
                return Ok(Err(error));
            }
        }
        self.write_adopted(new)
    }

    /// Writes the adopted entries: of those that have their article only what the article does not say.
    fn write_adopted(&self, mut new: NewLog) -> Result<std::io::Result<LogExtent>> {
        let sql = "
            SELECT adopted.id, article.id, adopted.link, adopted.title, adopted.guid, adopted.published, adopted.updated, shown
            FROM adopted LEFT JOIN article ON article.number = adopted.article ORDER BY adopted.number";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let of: Option<String> = row.get(1)?;
            // An article that has never been public is not in the record.
            if of.is_some() && !values::flag(row, 7)? {
                continue;
            }
            let at = |index| row.get::<_, Option<i64>>(index).map(|at| at.filter(|_| of.is_none()));
            let entry = LoggedEntry {
                adopted: row.get(0)?,
                link: row.get(2)?,
                title: row.get::<_, Option<String>>(3)?.filter(|_| of.is_none()),
                guid: row.get::<_, Option<String>>(4)?.filter(|_| of.is_none()),
                published: at(5)?.map(date).transpose()?,
                updated: at(6)?.map(date).transpose()?,
                of,
            };
            if let Err(error) = new.write(&IdentityLine::Adopted(entry)) {
                return Ok(Err(error));
            }
        }
        Ok(new.finish())
    }
}

/// The line of a row with [`COLUMNS`]; `None` if the article has never been public.
fn identity_of(row: &Row<'_>) -> Result<Option<IdentityLine>> {
    if !values::flag(row, 8)? {
        return Ok(None);
    }
    let state = match row.get(2)? {
        2_i64 => LoggedState::Deleted,
        1 => LoggedState::Withdrawn,
        _ => LoggedState::Published,
    };
    let path: Vec<u8> = row.get(1)?;
    Ok(Some(IdentityLine::Article(LoggedIdentity {
        id: row.get(0)?,
        path: LoggedPath::of(&path),
        state,
        slug: row.get(3)?,
        published: date(row.get(4)?)?,
        updated: date(row.get(5)?)?,
        hash: blake3::Hash::from_bytes(row.get(6)?).to_hex().to_string(),
        guid: row.get(7)?,
        page: row.get(9)?,
    })))
}

/// A running restoration.
struct Restoration<'a> {
    catalog: &'a mut Catalog,
    now: DateTime<Utc>,
    /// The version that will show the changes.
    version: Version,
    /// The largest number of an article before.
    last: i64,
    restored: RestoredIdentities,
}

impl Catalog {
    fn restore_identities(&mut self, log: &IdentityLog, now: DateTime<Utc>) -> Result<RestoredIdentities> {
        let unusable = |why: String| RestoredIdentities { unusable: Some(why), ..RestoredIdentities::default() };
        match log.namespace() {
            Ok(Some(namespace)) if namespace == self.namespace => {}
            Err(error) => {
                let _ = log.set_aside();
                return Ok(unusable(error.to_string()));
            }
            Ok(namespace) => {
                // The record of another catalog stays, under another name.
                let _ = log.set_aside();
                let why = if namespace.is_some() { "it belongs to another catalog" } else { "its first line is wrong" };
                return Ok(unusable(why.to_owned()));
            }
        }
        let outcome = self.transaction(|catalog| {
            let sql = "SELECT coalesce(max(number), 0) FROM article";
            let last = catalog.connection.query_row(sql, [], |row| row.get(0))?;
            let served = Version::at(catalog.meta_date("version")?.unwrap_or_default());
            let version = Version::at(now).max(served.next());
            let restoration = Restoration { catalog, now, version, last, restored: RestoredIdentities::default() };
            restoration.run(log)
        })?;
        Ok(outcome.unwrap_or_else(|error| unusable(error.to_string())))
    }
}

impl Restoration<'_> {
    fn run(mut self, log: &IdentityLog) -> Result<std::io::Result<RestoredIdentities>> {
        // Only the offset of the last line about each id is in memory.
        let mut newest: HashMap<[u8; 16], u64> = HashMap::new();
        let lines = match log.lines() {
            Ok(lines) => lines,
            Err(error) => return Ok(Err(error)),
        };
        for line in lines {
            match line {
                Ok((offset, Some(IdentityLine::Article(LoggedIdentity { id, .. })))) => {
                    newest.insert(key(&id), offset);
                }
                Ok((offset, Some(IdentityLine::Retired { retired }))) => drop(newest.insert(key(&retired), offset)),
                Ok((_, Some(_))) => {}
                Ok((_, None)) => self.restored.skipped += 1,
                Err(error) => return Ok(Err(error)),
            }
        }
        for (offset, line) in log.lines().into_iter().flatten().flatten() {
            let is_newest = |id: &str| newest.get(&key(id)) == Some(&offset);
            match line {
                Some(IdentityLine::Article(identity)) if is_newest(&identity.id) => self.restore(&identity)?,
                Some(IdentityLine::Retired { retired }) if is_newest(&retired) => self.retire(&retired)?,
                _ => {}
            }
        }
        for (_, line) in log.lines().into_iter().flatten().flatten() {
            match line {
                Some(IdentityLine::Article(LoggedIdentity { slug, id, .. })) => self.give_address(&slug, &id)?,
                Some(IdentityLine::Address { address, of }) => self.give_address(&address, &of)?,
                Some(IdentityLine::Adopted(entry)) => self.adopt(&entry)?,
                _ => {}
            }
        }
        self.complete_addresses()?;
        if self.restored.articles + self.restored.deleted > 0 {
            self.catalog.set_meta("promised", &self.version.seconds().to_string())?;
            self.catalog.mark_incomplete()?;
        }
        Ok(Ok(self.restored))
    }

    /// Adds an article, unless the catalog has its id.
    fn restore(&mut self, identity: &LoggedIdentity) -> Result<()> {
        let LoggedIdentity { id, path, state, slug, published, updated, hash, guid, page } = identity;
        let path = path.bytes().filter(|path| article_path(path.clone()).is_ok());
        let hash = blake3::Hash::from_hex(hash).ok();
        let dates = [published, updated].map(|date| values::is_date(*date).then(|| date.timestamp()));
        let is_valid = is_iri(id)
            && Slug::new(slug.as_str()).is_some()
            && PageState::from_number(*page).is_some()
            && guid.as_ref().is_none_or(|guid| xml_legal(guid) == *guid);
        let (Some(path), Some(hash), [Some(published), Some(updated)], true) = (path, hash, dates, is_valid) else {
            self.restored.skipped += 1;
            return Ok(());
        };
        if self.catalog.is_taken(id)? {
            return Ok(());
        }
        let connection = &self.catalog.connection;
        let is_path_taken =
            connection.prepare_cached("SELECT 1 FROM article WHERE path = ?1 AND state < 2")?.exists([&path])?;
        let (number_of_state, stale) = match state {
            LoggedState::Deleted => (2, 0),
            _ if is_path_taken => (2, 0),
            LoggedState::Withdrawn => (1, values::READ_DIFFERENTLY),
            // Its text is in its file only.
            LoggedState::Published => (1, LOST),
        };
        let sql = "
            INSERT INTO article (id, path, state, slug, published, updated, revised, file_hash, entry_hash, size, mtime, ctime, inode,
              born, due, held_until, shown, guid, stale, page)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, zeroblob(32), 0, 0, 0, 0, 0, 0, 0, 1, ?9, ?10, ?11)";
        let updated = updated.min(self.now.timestamp()).max(published);
        let hash: &[u8] = hash.as_bytes();
        let revised = self.version.seconds();
        let values = params![id, path, number_of_state, slug, published, updated, revised, hash, guid, stale, page];
        connection.prepare_cached(sql)?.execute(values)?;
        let number = connection.last_insert_rowid();
        connection
            .prepare_cached("INSERT INTO content (number, entry) VALUES (?1, ?2)")?
            .execute(params![number, no_content()])?;
        if number_of_state == 2 {
            self.restored.deleted += 1;
        } else {
            self.restored.articles += 1;
        }
        Ok(())
    }

    fn retire(&mut self, id: &str) -> Result<()> {
        if is_iri(id) && !self.catalog.is_taken(id)? {
            self.catalog.connection.prepare_cached("INSERT INTO retired (id) VALUES (?1)")?.execute([id])?;
        }
        Ok(())
    }

    /// Gives an address to a restored article, unless the catalog knows it as that of another. The last line about an address counts.
    fn give_address(&mut self, slug: &str, id: &str) -> Result<()> {
        let Some(slug) = Slug::new(slug) else { return Ok(()) };
        let sql = "
            INSERT INTO address (slug, number) SELECT ?1, number FROM article WHERE id = ?2 AND number > ?3
            ON CONFLICT (slug) DO UPDATE SET number = excluded.number WHERE address.number > ?3";
        self.catalog.connection.prepare_cached(sql)?.execute(params![slug, id, self.last])?;
        Ok(())
    }

    /// Adds an adopted entry, unless the catalog has it. One that waited may have its article now.
    fn adopt(&mut self, entry: &LoggedEntry) -> Result<()> {
        let LoggedEntry { adopted, of, link, title, guid, published, updated } = entry;
        let seconds =
            |date: &Option<DateTime<Utc>>| date.filter(|date| values::is_date(*date)).map(|date| date.timestamp());
        let stem = link.as_deref().filter(|_| of.is_none()).map(stem_of_link);
        let guid = guid.as_ref().filter(|guid| xml_legal(guid) == **guid);
        let connection = &self.catalog.connection;
        let number = |id: &str| {
            let sql = "SELECT number FROM article WHERE id = ?1";
            connection.prepare_cached(sql)?.query_row([id], |row| row.get::<_, i64>(0)).optional()
        };
        let article = number(of.as_deref().unwrap_or(adopted))?;
        // An entry without its article says nothing, and another article may not have its id.
        if !is_iri(adopted) || (of.is_some() && article.is_none()) {
            return Ok(());
        }
        let sql = "
            INSERT INTO adopted (id, guid, link, stem, title, published, updated, article)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM adopted WHERE id = ?1 OR guid = ?1)";
        let values = params![adopted, guid, link, stem, title, seconds(published), seconds(updated), article];
        connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Gives another address to the restored articles whose own belongs to another article now.
    fn complete_addresses(&mut self) -> Result<()> {
        let sql = "
            SELECT number, slug, path FROM article WHERE number > ?1 AND state < 2
            AND NOT EXISTS (SELECT 1 FROM address WHERE address.slug = article.slug AND address.number = article.number)";
        let mut statement = self.catalog.connection.prepare(sql)?;
        let rows = statement.query_map([self.last], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let without: Vec<(i64, String, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        for (number, slug, path) in without {
            let slug = self.catalog.free_slug(&slug, &path_of(path), Some(number), None)?;
            let sql = "UPDATE article SET slug = ?2 WHERE number = ?1";
            self.catalog.connection.prepare_cached(sql)?.execute(params![number, slug])?;
            self.catalog.give_address(&slug, number)?;
        }
        Ok(())
    }
}

fn key(id: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(id.as_bytes()).as_bytes()[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Article;
    use crate::catalog::store::reader::Reader;
    use crate::catalog::{Arrival, Decision, Extent, IDENTITIES, Publishing};
    use crate::folder::Stat;
    use crate::model::collection::{ArticleLookup, ImportedEntry};
    use crate::model::entry::Content;
    use crate::model::moment::Moment;

    const NOW: i64 = 1_700_000_000;

    /// Records an article with another text than before.
    fn record(catalog: &mut Catalog, path: &str, round: u32) -> Result<Option<()>> {
        let now = DateTime::from_timestamp(NOW + i64::from(round), 0).unwrap();
        let article = Article { title: path.to_owned(), slug_source: path.to_owned(), ..Article::default() };
        let arrival = Arrival {
            path: Path::new(path),
            article: &article,
            terms: None,
            file_hash: *blake3::hash(format!("{path} {round}").as_bytes()).as_bytes(),
            entry_hash: [1; 32],
            extent: Extent::Whole,
            stat: Stat::default(),
            first_seen: now,
            file_date: None,
            held_until: DateTime::UNIX_EPOCH,
            now,
        };
        let content = Content { title: path.to_owned(), ..Content::default() };
        catalog.attempt(|catalog| {
            let Decision::Is(identity) = catalog.identify(&arrival, None, |_| false)? else { panic!("no article") };
            catalog.record(&identity, &arrival, &content, Version::at(now))?;
            Ok((round != 13).then_some(()))
        })
    }

    #[test]
    fn the_record_is_as_long_as_the_catalog_says_and_does_not_grow_with_edits() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(IDENTITIES);
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        catalog.attach_identities(&file, now).unwrap();
        let lines = || std::fs::read_to_string(&file).unwrap().lines().count() as u64;
        let mut most = 0;
        for round in 0..500 {
            catalog.tidy().unwrap();
            let (before, is_recorded) = (lines(), record(&mut catalog, "a.md", round).unwrap().is_some());
            assert_eq!(
                lines() - before,
                u64::from(is_recorded),
                "round {round}: one line for each change that is recorded"
            );
            let extent = LogExtent { bytes: file.metadata().unwrap().len(), lines: lines() };
            assert_eq!(catalog.meta(EXTENT).unwrap(), Some(extent.to_string()));
            // The same file again is no change.
            record(&mut catalog, "a.md", round).unwrap();
            assert_eq!(lines(), extent.lines);
            most = most.max(extent.lines);
        }
        assert!((SLACK..2 * SLACK).contains(&most), "{most} lines");
        // What the record lacks is noticed, and the whole is written again.
        std::fs::remove_file(&file).unwrap();
        record(&mut catalog, "b.md", 501).unwrap();
        assert!(!file.exists());
        catalog.tidy().unwrap();
        assert_eq!(lines(), 3);
        // A record without changes is not read, so a wrong line in it costs no start.
        drop(catalog);
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        assert_eq!(catalog.attach_identities(&file, now).unwrap(), RestoredIdentities::default());
        let modified = file.metadata().unwrap().modified().unwrap();
        catalog.tidy().unwrap();
        assert_eq!(file.metadata().unwrap().modified().unwrap(), modified);
        catalog.check(now + chrono::TimeDelta::seconds(600)).unwrap();
    }

    /// Makes changes, and drops the catalog as a kill does: before the whole record is written again. The record gets them at the next
    /// start.
    fn assert_noticed(case: &str, change: impl FnOnce(&mut Catalog)) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(IDENTITIES);
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let open = || {
            let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
            assert_eq!(catalog.attach_identities(&file, now).unwrap(), RestoredIdentities::default(), "{case}");
            catalog
        };
        let mut catalog = open();
        catalog.tidy().unwrap();
        let has_article = || std::fs::read_to_string(&file).unwrap().contains("a.md");
        change(&mut catalog);
        assert!(!has_article(), "{case}: the lines are deferred");
        drop(catalog);
        open().tidy().unwrap();
        assert!(has_article(), "{case}");
    }

    #[test]
    fn changes_that_the_record_lacks_after_a_kill_are_noticed() {
        assert_noticed("a bulk import", |catalog| {
            catalog.begin_bulk_import(Publishing::AtTheEnd).unwrap();
            assert!(catalog.is_bulk_importing());
            record(catalog, "a.md", 1).unwrap();
            catalog.finish_bulk_import().unwrap();
        });
        assert_noticed("a transaction with many changes", |catalog| {
            catalog
                .transaction(|catalog| {
                    (1_000_000..).take(MAX_LINES + 1).for_each(|number| catalog.note_identity(number));
                    record(catalog, "a.md", 1)
                })
                .unwrap();
        });
    }

    #[test]
    fn adopted_addresses_survive_the_loss_of_the_catalog() {
        let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let file = directory.path().join(IDENTITIES);
        let open = |directory: &Path, file: &Path| {
            let mut catalog = Catalog::open(directory, Some("x.example"), now).unwrap();
            catalog.attach_identities(file, now).unwrap();
            catalog
        };
        let rows = |catalog: &Catalog| -> Vec<String> {
            let sql = "
                SELECT concat_ws(' ', adopted.id, adopted.link, adopted.stem, adopted.published, coalesce(article.id, 'waits'))
                FROM adopted LEFT JOIN article ON article.number = adopted.article ORDER BY adopted.number";
            let mut statement = catalog.connection.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        let entry = |name: &str, link: &str| ImportedEntry {
            guid: Some(format!("urn:{name}")),
            link: Some(format!("https://old.example{link}")),
            title: Some(name.to_owned()),
            published: Some(now),
            ..ImportedEntry::default()
        };
        let mut catalog = open(directory.path(), &file);
        catalog.tidy().unwrap();
        catalog.adopt(&[entry("a", "/archives/a.html"), entry("w", "/index.php?id=w"), entry("v", "/node/v")]).unwrap();
        record(&mut catalog, "a.md", 1).unwrap();
        catalog.tidy().unwrap();
        let before = [
            "urn:a /archives/a a 1700000000 urn:a",
            "urn:w /?id=w  1700000000 waits",
            "urn:v /node/v v 1700000000 waits",
        ];
        assert_eq!(rows(&catalog), before);
        drop(catalog);
        let copy = other.path().join(IDENTITIES);
        std::fs::copy(&file, &copy).unwrap();
        let mut catalog = open(other.path(), &copy);
        // Of an entry that has its article, the article has the rest.
        assert_eq!(rows(&catalog), ["urn:a /archives/a urn:a", before[1], before[2]]);
        catalog.tidy().unwrap();
        record(&mut catalog, "v.md", 2).unwrap();
        assert_eq!(rows(&catalog)[2], "urn:v /node/v v 1700000000 urn:v");
        catalog.tidy().unwrap();
        record(&mut catalog, "a.md", 1).unwrap();
        let moment = Moment::by_clock(Version::at(now).next().next(), now + chrono::TimeDelta::seconds(60));
        catalog.apply_due(moment).unwrap();
        let found = Reader::open(other.path()).unwrap().by_old_address("/archives/a.html", moment).unwrap();
        assert!(matches!(found, ArticleLookup::Moved(_)), "{found:?}");
        // A record of a version that did not write them is written again.
        drop(catalog);
        let lines = std::fs::read_to_string(&copy).unwrap();
        assert_eq!(lines.matches("\"adopted\"").count(), 3, "{lines}");
        let mut catalog = open(other.path(), &copy);
        catalog.connection.execute("DELETE FROM meta WHERE key = ?1", [HAS_ADOPTED]).unwrap();
        drop(catalog);
        catalog = open(other.path(), &copy);
        catalog.tidy().unwrap();
        assert!(catalog.meta(HAS_ADOPTED).unwrap().is_some());
        catalog.check(now + chrono::TimeDelta::seconds(600)).unwrap();
    }

    #[test]
    fn a_record_of_another_catalog_is_set_aside() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(one.path(), Some("x.example"), now).unwrap();
        let file = one.path().join(IDENTITIES);
        catalog.attach_identities(&file, now).unwrap();
        catalog.tidy().unwrap();
        record(&mut catalog, "a.md", 1).unwrap();
        let text = std::fs::read(&file).unwrap();
        let mut catalog = Catalog::open(other.path(), Some("y.example"), now).unwrap();
        std::fs::write(other.path().join(IDENTITIES), &text).unwrap();
        let restored = catalog.attach_identities(&other.path().join(IDENTITIES), now).unwrap();
        assert!(restored.unusable.is_some() && restored.articles == 0, "{restored:?}");
        assert_eq!(catalog.count().unwrap(), 0);
        assert_eq!(std::fs::read(other.path().join("identities.log.old")).unwrap(), text);
    }
}
