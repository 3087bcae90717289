//! Which article a file is: the one it was before, one that moved here, one that came back, or a new one.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

use super::bulk_import::Sign;
use super::imports::MatchKeys;
use super::values::{self, article_path, date, is_iri};
use super::visibility::Publication;
use super::{Catalog, Result, bytes};
use crate::article::Article;
use crate::folder::Stat;
use crate::model::collection::ArticleState;
use crate::model::entry::{ArticleId, Slug};
use crate::model::taxonomy::Term;

/// Longest slug that is made from a title, in characters.
const SLUG_LENGTH: usize = 80;

/// A file that was read, and all that deciding about it needs.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Path below the watched folder.
    pub path: &'a Path,
    /// What it says.
    pub article: &'a Article,
    /// The views that it is in, if that is known already.
    pub terms: Option<&'a [Term]>,
    /// BLAKE3 of its bytes.
    pub file_hash: [u8; 32],
    /// BLAKE3 of what it says; nothing where its text was not read.
    pub entry_hash: [u8; 32],
    /// How much of it was read.
    pub extent: Extent,
    /// What `stat` said.
    pub stat: Stat,
    /// When it was published, if neither it nor the catalog knows.
    pub first_seen: DateTime<Utc>,
    /// A new article is not shown before.
    pub held_until: DateTime<Utc>,
    /// The instant of reading.
    pub now: DateTime<Utc>,
}

/// How much of a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What stands before its text, which takes so many bytes.
    Head(u64),
}

impl Extent {
    /// Bytes that a text takes in a feed that was not read: marks take more room there than in the file.
    pub(super) fn guess(self) -> i64 {
        match self {
            Self::Whole => 0,
            Self::Head(length) => i64::try_from(length.saturating_mul(2)).unwrap_or(i64::MAX),
        }
    }

    /// Its mark in the catalog.
    pub(super) fn stale(self) -> i64 {
        match self {
            Self::Whole => 0,
            Self::Head(_) => UNREAD,
        }
    }
}

/// Who an article is. Made by [`Catalog::identify`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    number: Option<i64>,
    /// Permanent and unique.
    pub id: ArticleId,
    /// Last part of its permalink.
    pub slug: Slug,
    /// When it was first published.
    pub published: DateTime<Utc>,
    /// When its content last changed.
    pub updated: DateTime<Utc>,
    /// Not shown before: the date that it states, or the end of the hold. Nothing else keeps an article back, so that a clock
    /// that is set back takes nothing away.
    pub due: DateTime<Utc>,
    /// Not shown from then on.
    pub expires: Option<DateTime<Utc>>,
    pub(super) held_until: DateTime<Utc>,
    pub(super) guid: Option<String>,
    /// The path that it had before, if that was another one.
    pub moved_from: Option<PathBuf>,
    is_fresh: bool,
}

impl Identity {
    pub(super) fn number(&self) -> Option<i64> {
        self.number
    }

    /// Whether a version of the moment `now` shows it, if none did before.
    pub fn is_visible(&self, now: DateTime<Utc>) -> bool {
        let (due, expires) = (self.due.timestamp(), self.expires.map(|expires| expires.timestamp()));
        Publication { shown: false, due, expires }.is_visible(now.timestamp())
    }

    /// Whether the catalog has no entry of it yet.
    pub fn is_new(&self) -> bool {
        self.number.is_none()
    }

    /// Whether the catalog had nothing like it, not even what was.
    pub(super) fn is_fresh(&self) -> bool {
        self.is_fresh
    }
}

/// What the catalog makes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is this article.
    Is(Identity),
    /// The file at this other path has the same bytes and is published.
    CopyOf(PathBuf),
    /// The file at this other path has the same `id` in its front matter.
    SameId(PathBuf),
}

/// A row, as far as identity needs it.
pub(super) struct Candidate {
    number: i64,
    id: ArticleId,
    path: PathBuf,
    state: ArticleState,
    slug: Slug,
    published: DateTime<Utc>,
    updated: DateTime<Utc>,
    entry_hash: [u8; 32],
    held_until: DateTime<Utc>,
    guid: Option<String>,
    shown: bool,
    revised: DateTime<Utc>,
    /// Since when feeds tell that it is no more.
    buried: Option<DateTime<Utc>>,
    stale: i64,
    file_hash: [u8; 32],
}

impl Candidate {
    /// Whether readers were told that it is no more, and see it again now.
    fn is_raised_by(&self, arrival: &Arrival<'_>) -> bool {
        let comes = arrival.article.expires.is_none_or(|expires| expires > arrival.now);
        comes && (self.buried.is_some() || (self.state != ArticleState::Live && self.shown))
    }
}

/// What `stale` says of an article that was last read by another version of the program, or by other rules.
const READ_BY_OTHERS: i64 = 2;
/// What it says of one whose text was not read yet.
pub(super) const UNREAD: i64 = 3;

impl Catalog {
    /// Decides which article a file is. `is_missing` says whether the file at another path has vanished; `original` is such a path
    /// whose copy the file was, before it was edited.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn identify(
        &mut self,
        arrival: &Arrival<'_>,
        original: Option<&Path>,
        is_missing: impl Fn(&Path) -> bool,
    ) -> Result<Decision> {
        let chosen = chosen_id(&self.namespace, arrival.article);
        let is_free = chosen.as_ref().is_none_or(|id| self.is_unheard_of(Sign::Id(id)));
        if is_free && self.never_saw(&arrival.file_hash, arrival.stat)? {
            return self.is(arrival, None, chosen);
        }
        let here = self.candidate("path = ?1 AND state < 2", params![bytes(arrival.path)])?;
        if let Some(id) = chosen {
            let same = self.candidate("id = ?1", params![id])?;
            return match same {
                Some(row) if row.path == arrival.path || row.state == ArticleState::Gone || is_missing(&row.path) => {
                    self.is(arrival, Some(row), Some(id))
                }
                Some(row) => Ok(Decision::SameId(row.path)),
                None => self.is(arrival, here, Some(id)),
            };
        }
        if here.is_some() {
            return self.is(arrival, here, None);
        }
        // A file that vanished a moment ago and is here now was moved; one that is still there was copied; one that was
        // deleted long ago has come back.
        let order = "file_hash = ?1 ORDER BY state, path = ?2 DESC, revised DESC";
        let twins = self.candidates(order, params![arrival.file_hash, bytes(arrival.path)])?;
        if let Some(original) = twins.iter().find(|row| row.state == ArticleState::Live && !is_missing(&row.path)) {
            return Ok(Decision::CopyOf(original.path.clone()));
        }
        let row = match twins.into_iter().find(|row| row.state == ArticleState::Gone || is_missing(&row.path)) {
            Some(row) => Some(row),
            None => self.same_file(arrival.stat)?.filter(|row| is_missing(&row.path)),
        };
        let row = match original {
            Some(original) if row.is_none() => self.candidate("path = ?1 AND state < 2", params![bytes(original)])?,
            _ => row,
        };
        self.is(arrival, row, None)
    }

    /// Path of the article whose file this is, by inode and time of birth.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn path_of_file(&self, stat: Stat) -> Result<Option<PathBuf>> {
        Ok(self.same_file(stat)?.map(|row| row.path))
    }

    /// The article whose file this is by inode and time of birth: it was moved and edited where nobody saw it.
    fn same_file(&self, stat: Stat) -> Result<Option<Candidate>> {
        if stat.born == 0 {
            return Ok(None);
        }
        self.candidate("inode = ?1 AND born = ?2 AND state < 2", params![stat.inode, stat.born])
    }

    fn is(&mut self, arrival: &Arrival<'_>, row: Option<Candidate>, id: Option<ArticleId>) -> Result<Decision> {
        let article = arrival.article;
        let is_new = match &row {
            Some(row) => self.adopting.is_some() && !self.has_adopted(row.number)?,
            None => true,
        };
        let is_fresh = row.is_none() && self.never_saw(&arrival.file_hash, arrival.stat)?;
        let signs = (is_new && id.is_none() && !is_fresh).then(|| MatchKeys::of(article, arrival.path));
        let adopted = match signs {
            Some(signs) => self.adopted_for(&signs)?,
            None => None,
        };
        let known = adopted.as_ref().and_then(|adopted| adopted.published).or(row.as_ref().map(|row| row.published));
        let published = article.published.or(known).unwrap_or(arrival.first_seen);
        // What was undone before anybody saw it is new when it comes again.
        let seen_before = row.as_ref().filter(|row| row.state != ArticleState::Gone || row.shown);
        let held_until = seen_before.map_or(arrival.held_until, |row| row.held_until);
        let due = article.published.unwrap_or(DateTime::UNIX_EPOCH).max(held_until);
        let stated = article.updated.or(adopted.as_ref().and_then(|adopted| adopted.updated));
        let stated = stated.map(|updated| updated.min(arrival.now));
        let updated = match row.as_ref().filter(|_| adopted.is_none()) {
            // Readers were told that it is no more: what they are to take back must be newer than that (RFC 6721 section 3).
            Some(row) if row.is_raised_by(arrival) => {
                let told = row.revised.max(row.buried.unwrap_or(row.revised));
                arrival.now.max(told + TimeDelta::seconds(1))
            }
            Some(row) if row.entry_hash == arrival.entry_hash => row.updated,
            // Another program makes something else of the same bytes, or they are read at last: the writer changed nothing.
            Some(row) if row.stale >= READ_BY_OTHERS && row.file_hash == arrival.file_hash => row.updated,
            // A date that the writer forgot to move would hide the change from readers.
            Some(row) => stated.filter(|stated| *stated > row.updated).unwrap_or(arrival.now.max(row.updated)),
            None => stated.unwrap_or(published),
        };
        let number = row.as_ref().map(|row| row.number);
        let slug = match (&article.slug, &row) {
            (None, Some(row)) if row.state != ArticleState::Gone => row.slug.clone(),
            (Some(wish), Some(row)) if row.state != ArticleState::Gone && *slug::slugify(wish) == *row.slug => {
                row.slug.clone()
            }
            (None, Some(row)) => self.free_slug(&row.slug, arrival.path, number)?,
            (Some(wish), _) => self.free_slug(wish, arrival.path, number)?,
            (None, None) => self.free_slug(&article.slug_source, arrival.path, None)?,
        };
        let (id, guid) = match (id, &adopted, &row) {
            (Some(id), _, _) => (id, None),
            (None, Some(adopted), _) => (adopted.id.clone(), adopted.guid.clone()),
            (None, None, Some(row)) => (row.id.clone(), row.guid.clone()),
            (None, None, None) => (self.new_id(arrival.path)?, None),
        };
        Ok(Decision::Is(Identity {
            number,
            id,
            slug,
            published,
            updated: updated.max(published),
            due,
            // One that lies before 1970 is as past as any.
            expires: article.expires.map(|expires| expires.max(DateTime::UNIX_EPOCH)),
            held_until,
            guid,
            moved_from: row.map(|row| row.path).filter(|path| path != arrival.path),
            is_fresh,
        }))
    }

    /// Made from the path where the article was first seen, so that a lost catalog can often be made again; numbered
    /// where that path had an article before.
    pub(super) fn new_id(&self, path: &Path) -> Result<ArticleId> {
        for generation in 1u32.. {
            let mut name = [b"article:", bytes(path)].concat();
            if generation > 1 {
                name.extend_from_slice(format!("#{generation}").as_bytes());
            }
            let id = Uuid::new_v5(&self.namespace, &name).urn().to_string();
            if !self.is_taken(&id)? {
                return Ok(ArticleId::new(id));
            }
        }
        unreachable!("more generations than numbers")
    }

    /// Whether any article has or had an id.
    pub(super) fn is_taken(&self, id: &str) -> Result<bool> {
        if self.is_unheard_of(Sign::Id(id)) {
            return Ok(false);
        }
        let sql = "SELECT 1 FROM article WHERE id = ?1 UNION ALL SELECT 1 FROM retired WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.exists([id])?)
    }

    /// A slug that no other article has or had, but for one that was deleted.
    pub(super) fn free_slug(&self, wish: &str, path: &Path, own: Option<i64>) -> Result<Slug> {
        let made = |slug| Slug::new(slug).expect("slugify gives letters, digits and dashes");
        let base = short_slug(wish);
        let base =
            if base.is_empty() { short_slug(&path.file_stem().unwrap_or_default().to_string_lossy()) } else { base };
        let base = if base.is_empty() { "article".to_owned() } else { base };
        for number in 1..100 {
            let slug = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            if self.is_free(&slug, own)? {
                return Ok(made(slug));
            }
        }
        // A hundred articles of one name: a piece of a hash of the path instead of counting further.
        let hash = blake3::hash(bytes(path)).to_hex();
        for length in 8..=hash.len() {
            let slug = format!("{base}-{}", &hash[..length]);
            if self.is_free(&slug, own)? {
                return Ok(made(slug));
            }
        }
        Ok(made(format!("{base}-{}", Uuid::new_v4())))
    }

    fn is_free(&self, slug: &str, own: Option<i64>) -> Result<bool> {
        if self.is_unheard_of(Sign::Slug(slug)) {
            return Ok(true);
        }
        // Addresses are written down in the end then.
        if self.is_fresh() {
            return Ok(false);
        }
        let sql = "SELECT number, state FROM address JOIN article USING (number) WHERE address.slug = ?1";
        let holder: Option<(i64, i64)> =
            self.connection.prepare_cached(sql)?.query_row([slug], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(holder.is_none_or(|(number, state)| Some(number) == own || state == ArticleState::Gone as i64))
    }

    fn candidate(&self, condition: &str, values: impl rusqlite::Params) -> Result<Option<Candidate>> {
        Ok(self.candidates(condition, values)?.into_iter().next())
    }

    fn candidates(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Candidate>> {
        let sql = format!(
            "SELECT number, id, path, state, slug, published, updated, entry_hash, held_until, guid, shown, revised, stale,
               file_hash, (SELECT at FROM tombstone WHERE tombstone.number = article.number AND view = 1)
             FROM article WHERE {condition}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(values, |row| Ok(candidate(row)))?;
        rows.map(|row| row?).collect()
    }
}

/// Permanent id of the main feed.
pub(super) fn feed_id(namespace: &Uuid) -> String {
    Uuid::new_v5(namespace, b"feed").urn().to_string()
}

/// The writer's own id: an absolute IRI as it is, anything else as a name within this site.
pub(super) fn chosen_id(namespace: &Uuid, article: &Article) -> Option<ArticleId> {
    let id = article.id.as_deref()?;
    let absolute = is_iri(id);
    if let Ok(uuid) = id.parse::<Uuid>() {
        return Some(ArticleId::new(uuid.urn().to_string()));
    }
    Some(ArticleId::new(if absolute {
        id.to_owned()
    } else {
        Uuid::new_v5(namespace, format!("id:{id}").as_bytes()).urn().to_string()
    }))
}

pub(super) fn candidate(row: &Row<'_>) -> Result<Candidate> {
    Ok(Candidate {
        number: row.get(0)?,
        id: row.get(1)?,
        path: article_path(row.get(2)?)?,
        state: super::state_of(row.get(3)?)?,
        slug: row.get(4)?,
        published: date(row.get(5)?)?,
        updated: date(row.get(6)?)?,
        entry_hash: row.get(7)?,
        held_until: date(row.get(8)?)?,
        guid: values::guid(row.get(9)?)?,
        shown: values::flag(row, 10)?,
        revised: date(row.get(11)?)?,
        buried: row.get::<_, Option<i64>>(14)?.map(date).transpose()?,
        stale: row.get(12)?,
        file_hash: row.get(13)?,
    })
}

/// Plain letters and dashes, cut between words.
fn short_slug(text: &str) -> String {
    let slug = slug::slugify(text);
    if slug.len() <= SLUG_LENGTH {
        return slug;
    }
    let cut = slug[..=SLUG_LENGTH].rfind('-').unwrap_or(SLUG_LENGTH);
    slug[..cut].to_owned()
}
