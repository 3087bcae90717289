//! The read-only side of the catalog, which serving uses while the writer works.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::archive;
use super::database::FILE;
use super::entries::{entry, entry_of};
use super::error::{CatalogError, Result};
use super::known::INCOMPLETE;
use super::meta::{meta, meta_date};
use super::pinned;
use super::sections;
use super::series;
use super::surroundings::{self, KnownSurroundings};
use super::values::{self, UNREAD, date};
use super::values::{bytes, path_of};
use super::window::{self, Window};
use crate::article::Article;
use crate::catalog::identity;
use crate::catalog::visibility::{PAGE, PageState, Publication, in_feeds};
use crate::model::collection::{
    self, ArticleLookup, ArticleState, Collection, FeedLimits, FeedLookup, ListLookup, Record, Tombstone, ViewGroup,
    ViewSummary,
};
use crate::model::entry::{Entry, Slug};
use crate::model::moment::{Audience, Moment, Version};
use crate::model::section::SectionAbout;
use crate::model::site_page::Permalink;
use crate::model::taxonomy::{View, ViewKind};

/// A read-only connection to the catalog.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    /// The channel that damage is reported to.
    pub(super) damaged: Option<mpsc::Sender<CatalogError>>,
}

impl Reader {
    /// Opens the catalog in `directory`, which a [`super::Catalog`] has made.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(directory: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(directory.join(FILE), flags)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection, damaged: None })
    }

    /// Reports damage that a request finds, so that the catalog is recovered.
    #[must_use]
    pub fn reporting_damage(self, damaged: mpsc::Sender<CatalogError>) -> Self {
        Self { damaged: Some(damaged), ..self }
    }

    /// Makes all statements read the same state while the result lives, unless [`Reader::hold`] already does.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub(super) fn same_state(&self) -> Result<Option<Transaction<'_>>> {
        Ok(self.connection.is_autocommit().then(|| self.connection.unchecked_transaction()).transpose()?)
    }

    /// Looks up an article by its slug, as it was at `moment`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn by_slug(&self, slug: &str, moment: Moment) -> Result<ArticleLookup> {
        Ok(match self.looked_up(slug, moment)? {
            (ArticleLookup::Current(entry, _), true) => ArticleLookup::Moved(entry.permalink()),
            (ArticleLookup::Unread(_), true) => {
                Slug::new(slug).map_or(ArticleLookup::Unknown, |slug| ArticleLookup::Moved(Permalink::Page(slug)))
            }
            (lookup, _) => lookup,
        })
    }

    /// Looks up a page by its slug, as it was at `moment`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn page_by_slug(&self, slug: &str, moment: Moment) -> Result<ArticleLookup> {
        let sql = "SELECT page FROM address JOIN article USING (number) WHERE address.slug = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let state: Option<i64> = statement.query_row([slug], |row| row.get(0)).optional()?;
        drop(statement);
        let is_known = state.and_then(PageState::from_number).is_some_and(|state| state != PageState::Never);
        if !is_known {
            return Ok(ArticleLookup::Unknown);
        }
        Ok(match self.looked_up(slug, moment)? {
            (ArticleLookup::Current(entry, _), false) => ArticleLookup::Moved(entry.permalink()),
            (ArticleLookup::Unread(_), false) => {
                Slug::new(slug).map_or(ArticleLookup::Unknown, |slug| ArticleLookup::Moved(Permalink::Article(slug)))
            }
            (lookup, _) => lookup,
        })
    }

    /// Looks up an article or a page by its slug. Returns whether it is a page.
    fn looked_up(&self, slug: &str, moment: Moment) -> Result<(ArticleLookup, bool)> {
        let Moment { version, due } = moment;
        // All statements below read the same state.
        let _transaction = self.same_state()?;
        let sql = format!(
            "
            SELECT id, article.slug, published, updated, revised, entry, number, due, guid, state, expires, shown, stale, {PAGE}
            FROM address LEFT JOIN article USING (number) LEFT JOIN content USING (number) WHERE address.slug = ?1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([slug])?;
        let Some(row) = rows.next()? else { return Ok((ArticleLookup::Unknown, false)) };
        // An address without an article, or an article without content, is an error: NULL is neither text nor number.
        row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?;
        let (revised, current): (i64, Slug) = (row.get(4)?, row.get(1)?);
        let publication = Publication { shown: values::flag(row, 11)?, due: row.get(7)?, expires: row.get(10)? };
        let is_page: bool = row.get(13)?;
        if revised > version.seconds() {
            return Ok((ArticleLookup::NotYet, is_page));
        }
        let lookup = match super::values::state_of(row.get(9)?)? {
            // It was never visible.
            ArticleState::Gone if !publication.shown => ArticleLookup::Unknown,
            ArticleState::Gone => ArticleLookup::Gone,
            ArticleState::Held => ArticleLookup::Unknown,
            ArticleState::Live if !publication.is_published(due.timestamp()) => ArticleLookup::Unknown,
            ArticleState::Live if publication.has_expired(due.timestamp()) => ArticleLookup::Gone,
            ArticleState::Live if current != *slug => ArticleLookup::Moved(Permalink::new(current, is_page)),
            ArticleState::Live if row.get::<_, i64>(12)? == UNREAD => ArticleLookup::Unread(vec![row.get(6)?]),
            ArticleState::Live if is_page => ArticleLookup::Current(Box::new(entry_of(row)?), Box::default()),
            ArticleState::Live => {
                let (surroundings, changed) = surroundings::read(&self.connection, row.get(6)?, due)?;
                match surroundings {
                    _ if changed > version.date() => ArticleLookup::NotYet,
                    KnownSurroundings::Unread(numbers) => ArticleLookup::Unread(numbers),
                    KnownSurroundings::Found(found) => ArticleLookup::Current(Box::new(entry_of(row)?), found),
                }
            }
        };
        Ok((lookup, is_page))
    }

    /// The record of the article at a path, deleted or not; the newest of several.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn by_path(&self, path: &Path) -> Result<Option<Record>> {
        let sql = "
            SELECT id, article.slug, published, updated, revised, entry, number, due, guid, state, expires, archive
            FROM article JOIN content USING (number) WHERE path = ?1 ORDER BY state, revised DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([bytes(path)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let expires: Option<i64> = row.get(10)?;
        Ok(Some(Record {
            entry: entry_of(row)?,
            state: super::values::state_of(row.get(9)?)?,
            due: date(row.get(7)?)?,
            expires: expires.map(date).transpose()?,
            archive: row.get(11)?,
        }))
    }

    /// The watched folder, if a daemon has recorded it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn recorded_folder(&self) -> Result<Option<String>> {
        meta(&self.connection, "folder")
    }

    /// Another live article with the same bytes or the same id.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn twin(&self, article: &Article, file_hash: [u8; 32]) -> Result<Option<PathBuf>> {
        let id = identity::chosen_id(&self.namespace()?, article);
        let sql = "SELECT path FROM article WHERE state = 0 AND (file_hash = ?1 OR id = ?2) LIMIT 1";
        let path: Option<Vec<u8>> =
            self.connection.query_row(sql, params![file_hash, id], |row| row.get(0)).optional()?;
        Ok(path.map(path_of))
    }
}

/// Minimum number of languages of which a site has views.
const MIN_LANGUAGES: usize = 2;

/// Maximum number of tombstones in a feed.
const MAX_TOMBSTONES: i64 = 100;

impl Reader {
    /// The feed of a folder, tag or author, for its page with its pinned articles.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn view(
        &self,
        view: &View,
        limits: &FeedLimits,
        is_page: bool,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> Result<FeedLookup> {
        // All statements below read the same state.
        let _transaction = self.same_state()?;
        let sql = format!(
            "
            SELECT number, name, {}, guid, latest, members, recordings FROM view WHERE kind = ?1 AND key = ?2",
            match view.kind {
                _ if !is_page => "revised",
                // Its page names the parts, and shows no text of them.
                ViewKind::Series => "pinned",
                _ => "max(revised, pinned)",
            }
        );
        let row = self.connection.prepare_cached(&sql)?.query_row(params![view.kind as i64, view.key], |row| {
            let counts = (row.get(5)?, row.get(6)?);
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get(3)?, row.get(4)?, counts))
        });
        let Some((number, name, revised, guid, latest, counts)) = row.optional()? else {
            return Ok(FeedLookup::Unknown);
        };
        if view.kind == ViewKind::Language && views(&self.connection, view.kind, MIN_LANGUAGES)?.is_empty() {
            return Ok(FeedLookup::Unknown);
        }
        let revised = Version::at(date(revised)?);
        if let Some(answer) = without_reading(revised, moment, cached) {
            return Ok(answer);
        }
        let (window, parts) = if is_page && view.kind == ViewKind::Series {
            series::listed(&self.connection, number, moment.due)?
        } else {
            (window::read(&self.connection, Some(number), limits, moment.due)?, Vec::new())
        };
        if !window.unread.is_empty() {
            return Ok(FeedLookup::Unread(window.unread));
        }
        let pinned = if is_page { pinned::read(&self.connection, Some(number), moment.due)? } else { Vec::new() };
        let unread: Vec<i64> = pinned.iter().filter(|row| row.is_unread).map(|row| row.number).collect();
        if !unread.is_empty() {
            return Ok(FeedLookup::Unread(unread));
        }
        let pinned = pinned.iter().map(|row| Ok(Arc::new(entry(&self.connection, row.number)?)));
        let entries = window.rows.iter().map(|(number, _)| Ok(Arc::new(entry(&self.connection, *number)?)));
        // What is said about an author is for the page only.
        let is_described = is_page || view.kind == ViewKind::Section;
        let about = if is_described { sections::about(&self.connection, view.kind, &view.key)? } else { None };
        let stated = about.as_ref().and_then(SectionAbout::is_podcast);
        Ok(FeedLookup::Found(Box::new(Collection {
            about,
            name,
            revised: revised.date(),
            entries: entries.collect::<Result<_>>()?,
            pinned: pinned.collect::<Result<_>>()?,
            parts,
            tombstones: tombstones(&self.connection, number)?,
            is_whole: window.is_whole,
            is_podcast: stated.unwrap_or(is_podcast(counts)?),
            guid,
            latest: date(latest)?,
        })))
    }

    /// Number of the articles in a view.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn members_of(&self, view: &View) -> Result<u64> {
        let sql = "SELECT members FROM view WHERE kind = ?1 AND key = ?2";
        let values = params![view.kind as i64, view.key];
        let members = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
        values::count(members.unwrap_or(0))
    }

    /// The articles of an archive document.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn archive(&self, archive: u32, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<FeedLookup> {
        let _transaction = self.same_state()?;
        let sql = "SELECT revised FROM archive WHERE number = ?1";
        let revised: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([archive], |row| row.get(0)).optional()?;
        let Some(revised) = revised.map(date).transpose()?.map(Version::at) else { return Ok(FeedLookup::Unknown) };
        if let Some(answer) = without_reading(revised, moment, cached) {
            return Ok(answer);
        }
        let in_feeds = in_feeds(Audience::Public, "?2");
        let sql = format!(
            "SELECT number, stale = 3 FROM article WHERE archive = ?1 AND {in_feeds} ORDER BY published DESC, rank DESC, number DESC"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let numbers =
            statement.query_map(params![archive, moment.due.timestamp()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let numbers: Vec<(i64, bool)> = numbers.collect::<rusqlite::Result<_>>()?;
        let unread: Vec<i64> = numbers.iter().filter(|(_, is_unread)| *is_unread).map(|(number, _)| *number).collect();
        if !unread.is_empty() {
            return Ok(FeedLookup::Unread(unread));
        }
        let entries = numbers.iter().map(|(number, _)| Ok(Arc::new(entry(&self.connection, *number)?)));
        let entries: Vec<Arc<Entry>> = entries.collect::<Result<_>>()?;
        let recordings = entries.iter().filter(|entry| entry.content.plays()).count();
        Ok(FeedLookup::Found(Box::new(Collection {
            name: String::new(),
            revised: revised.date(),
            about: None,
            pinned: Vec::new(),
            parts: Vec::new(),
            tombstones: Vec::new(),
            is_whole: true,
            is_podcast: collection::is_podcast(entries.len() as u64, recordings as u64),
            entries,
            guid: None,
            latest: DateTime::UNIX_EPOCH,
        })))
    }

    /// The main feed as it was at a moment.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn main_at(&self, limits: &FeedLimits, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<FeedLookup> {
        let _transaction = self.connection.unchecked_transaction()?;
        let sql = "SELECT revised FROM view WHERE number = ?1";
        let revised: i64 = self.connection.prepare_cached(sql)?.query_row([values::WHOLE], |row| row.get(0))?;
        let revised = Version::at(date(revised)?);
        if let Some(answer) = without_reading(revised, moment, cached) {
            return Ok(answer);
        }
        let window = window::read(&self.connection, None, limits, moment.due)?;
        if !window.unread.is_empty() {
            return Ok(FeedLookup::Unread(window.unread));
        }
        let main = self.main_of(&window, limits, moment)?;
        Ok(FeedLookup::Found(Box::new(Collection { revised: revised.date(), ..main })))
    }

    /// The main feed, with changes that no version shows yet.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn main(&self, limits: &FeedLimits, moment: Moment) -> Result<Collection> {
        let _transaction = self.same_state()?;
        let window = window::read(&self.connection, None, limits, moment.due)?;
        self.main_of(&window, limits, moment)
    }

    fn main_of(&self, window: &Window, limits: &FeedLimits, moment: Moment) -> Result<Collection> {
        let rows = archive::feed(&self.connection, window, limits, moment.due)?;
        let entries = rows.iter().map(|(number, _)| Ok(Arc::new(entry(&self.connection, *number)?)));
        let about = sections::about(&self.connection, ViewKind::Section, "")?;
        let stated = about.as_ref().and_then(SectionAbout::is_podcast);
        Ok(Collection {
            about,
            name: String::new(),
            revised: moment.version.date(),
            entries: entries.collect::<Result<_>>()?,
            pinned: Vec::new(),
            parts: Vec::new(),
            tombstones: tombstones(&self.connection, super::values::WHOLE)?,
            is_whole: window.is_whole,
            is_podcast: stated.unwrap_or(is_podcast(main_counts(&self.connection)?)?),
            guid: podcast_guid(&self.connection)?,
            latest: latest(&self.connection, super::values::WHOLE)?,
        })
    }

    /// The last version that was served, with all that is due at `now`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn last_moment(&self, now: DateTime<Utc>) -> Result<Moment> {
        let version = Version::at(meta_date(&self.connection, "version")?.unwrap_or_default());
        Ok(Moment { version, due: now })
    }

    /// Permanent id of the main feed, and the date of a feed that has never had an entry.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn feed_id(&self) -> Result<(String, DateTime<Utc>)> {
        let created = meta_date(&self.connection, "created")?.unwrap_or_default();
        Ok((identity::feed_id(&self.namespace()?), created))
    }

    fn namespace(&self) -> Result<Uuid> {
        let namespace = meta(&self.connection, "namespace")?.unwrap_or_default();
        namespace.parse().map_err(|_| CatalogError::Damaged("its namespace is no UUID".into()))
    }

    /// Whether articles may be missing until all files have been read, as after a recovery.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn is_incomplete(&self) -> Result<bool> {
        Ok(meta(&self.connection, INCOMPLETE)?.is_some())
    }

    /// Number of the newest archive.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn newest_archive(&self) -> Result<Option<u32>> {
        archive::newest(&self.connection)
    }

    /// The views of some kinds that have members, by key, and when the list last changed. Those of languages only if there are several.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn views(&self, kinds: &[ViewKind]) -> Result<(Vec<ViewGroup>, DateTime<Utc>)> {
        let _transaction = self.same_state()?;
        let mut changed = DateTime::UNIX_EPOCH;
        let mut groups = Vec::new();
        for kind in kinds {
            changed = changed.max(listed(&self.connection, *kind)?);
            groups.push((*kind, views(&self.connection, *kind, usize::MAX)?));
        }
        Ok((groups, changed))
    }

    /// When the list of the views of some kinds last changed.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn views_changed(&self, kinds: &[ViewKind]) -> Result<DateTime<Utc>> {
        let changed = kinds.iter().map(|kind| listed(&self.connection, *kind));
        Ok(changed.collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or_default())
    }

    /// When the number of the articles of a view of a kind last changed, or the list of these views.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn counts_changed(&self, kind: ViewKind) -> Result<DateTime<Utc>> {
        let counted = meta_date(&self.connection, &format!("{}{}", values::COUNTED, kind as i64))?;
        Ok(listed(&self.connection, kind)?.max(counted.unwrap_or_default()))
    }
}

/// The answer for a feed or a list that last changed at `revised`, if it needs no entries.
pub(super) fn without_reading<T>(
    revised: Version,
    moment: Moment,
    cached: Option<DateTime<Utc>>,
) -> Option<ListLookup<T>> {
    if revised > moment.version {
        return Some(ListLookup::NotYet);
    }
    (cached == Some(revised.date())).then_some(ListLookup::Same)
}

pub(super) fn tombstones(connection: &Connection, view: i64) -> Result<Vec<Tombstone>> {
    let sql = "
        SELECT id, at FROM tombstone JOIN article USING (number) WHERE view = ?1 ORDER BY at DESC, number LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([view, MAX_TOMBSTONES], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| row.map_err(CatalogError::from).and_then(|(id, at)| Ok(Tombstone { id, at: date(at)? }))).collect()
}

/// The views of a kind with the most members, by key. A site in one language has no view of it.
pub(super) fn views(connection: &Connection, kind: ViewKind, limit: usize) -> Result<Vec<ViewSummary>> {
    let sql = "
        SELECT key, name, members FROM view WHERE kind = ?1 AND members > 0 ORDER BY members DESC, key LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map([kind as i64, limit], |row| {
        let members = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
        Ok(ViewSummary { view: View { kind, key: row.get(0)? }, name: row.get(1)?, title: None, order: None, members })
    })?;
    let mut views: Vec<ViewSummary> = rows.collect::<rusqlite::Result<_>>()?;
    if kind == ViewKind::Language && views.len() < MIN_LANGUAGES {
        return Ok(Vec::new());
    }
    views.sort_by(|one, other| one.view.cmp(&other.view));
    for (key, record) in sections::all(connection, kind)? {
        if let Ok(index) = views.binary_search_by(|summary| summary.view.key.cmp(&key)) {
            (views[index].title, views[index].order) = (record.about.title, record.about.order);
        }
    }
    Ok(views)
}

fn listed(connection: &Connection, kind: ViewKind) -> Result<DateTime<Utc>> {
    let key = format!("{}{}", super::values::LISTED, kind as i64);
    Ok(meta_date(connection, &key)?.unwrap_or_default())
}

/// Numbers of all published articles and of those with a recording.
pub(super) fn main_counts(connection: &Connection) -> Result<(i64, i64)> {
    let sql = "SELECT shown, recordings FROM total";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Whether a feed with these numbers of articles and of recordings is a podcast.
pub(super) fn is_podcast((articles, recordings): (i64, i64)) -> Result<bool> {
    Ok(collection::is_podcast(values::count(articles)?, values::count(recordings)?))
}

/// The newest change that a view has ever contained.
pub(super) fn latest(connection: &Connection, view: i64) -> Result<DateTime<Utc>> {
    let sql = "SELECT latest FROM view WHERE number = ?1";
    date(connection.prepare_cached(sql)?.query_row([view], |row| row.get(0))?)
}

/// `podcast:guid` of the main feed, if it has ever contained a recording.
pub(super) fn podcast_guid(connection: &Connection) -> Result<Option<String>> {
    let sql = "SELECT guid FROM view WHERE number = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([super::values::WHOLE], |row| row.get(0))?)
}
