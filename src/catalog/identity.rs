//! The rules of identity: which article a file is, and which id, dates and slug that article has. Pure: they decide from what was
//! read and from the articles that it may be. `identify.rs` looks those up.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::imports::Adopted;
use super::visibility::Publication;
use crate::article::Article;
use crate::folder::Stat;
use crate::model::collection::ArticleState;
use crate::model::entry::{ArticleId, Slug};
use crate::model::site_page::is_own_part;
use crate::model::taxonomy::Term;
use crate::model::text::is_iri;

/// Maximum length of a slug that is made from a title, in characters.
const SLUG_LENGTH: usize = 80;

/// Numbered slugs that are tried before a hash is appended.
const NUMBERED_SLUGS: u32 = 99;

/// A file that was read.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Path below the watched folder.
    pub path: &'a Path,
    /// The article that its bytes make.
    pub article: &'a Article,
    /// The views that the article is in, if they have been computed.
    pub terms: Option<&'a [Term]>,
    /// BLAKE3 of the bytes.
    pub file_hash: [u8; 32],
    /// BLAKE3 of the article; zero if its text was not read.
    pub entry_hash: [u8; 32],
    /// The part of the file that was read.
    pub extent: Extent,
    /// `stat` of the file.
    pub stat: Stat,
    /// The publication date, if neither the file nor the catalog states one.
    pub first_seen: DateTime<Utc>,
    /// When the file was last modified, if that is plausible.
    pub file_date: Option<DateTime<Utc>>,
    /// A new article is not visible before.
    pub held_until: DateTime<Utc>,
    /// When it was read.
    pub now: DateTime<Utc>,
}

/// The part of a file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The whole file.
    Whole,
    /// The part before the text; the file has this many bytes.
    Head(u64),
}

impl Extent {
    /// An estimate of the size of the unread text in a feed, in bytes. Markup takes more room there than in the file.
    pub(super) fn unread_bytes(self) -> i64 {
        match self {
            Self::Whole => 0,
            Self::Head(length) => i64::try_from(length.saturating_mul(2)).unwrap_or(i64::MAX),
        }
    }
}

/// The identity of an article. Only `Catalog::identify` makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub(super) number: Option<i64>,
    /// Permanent and unique.
    pub id: ArticleId,
    /// Last part of its permalink.
    pub slug: Slug,
    /// When it was first published.
    pub published: DateTime<Utc>,
    /// When its content last changed.
    pub updated: DateTime<Utc>,
    /// Not visible before: the stated date or the end of the hold. Nothing else holds an article back, so a clock that is set back
    /// withdraws nothing.
    pub due: DateTime<Utc>,
    /// Not visible from then on.
    pub expires: Option<DateTime<Utc>>,
    pub(super) held_until: DateTime<Utc>,
    pub(super) guid: Option<String>,
    /// Its previous path, if it has moved.
    pub moved_from: Option<PathBuf>,
    /// Nothing like it was ever recorded.
    pub(super) is_fresh: bool,
}

impl Identity {
    /// Whether a version of the moment `now` shows it, if none did before.
    pub fn is_visible(&self, now: DateTime<Utc>) -> bool {
        let (due, expires) = (self.due.timestamp(), self.expires.map(|expires| expires.timestamp()));
        Publication { shown: false, due, expires }.is_visible(now.timestamp())
    }

    /// Whether the catalog has no entry of it yet.
    pub fn is_new(&self) -> bool {
        self.number.is_none()
    }

    /// Whether a catalog that has lost it would give it to the same file again: dates, address and id follow from the file and its path. An id
    /// that is stated or was adopted may be that of two files.
    pub fn follows_from_file(&self, arrival: &Arrival<'_>, namespace: Uuid) -> bool {
        let Article { published, updated, .. } = arrival.article;
        let has_stated_dates = *published == Some(self.published)
            && updated.unwrap_or(self.published).max(self.published) == self.updated
            && self.held_until == DateTime::UNIX_EPOCH;
        let is_plain = || match slug_choice(arrival.article, None) {
            SlugChoice::FirstFree(wish) => slugs(wish, arrival.path, None).next().as_ref() == Some(&self.slug),
            SlugChoice::Keep(_) => false,
        };
        let has_id_of_path = || ids(namespace, arrival.path).next().as_ref() == Some(&self.id);
        self.is_new() && self.moved_from.is_none() && has_stated_dates && has_id_of_path() && is_plain()
    }
}

/// The catalog's decision about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The file is this article.
    Is(Identity),
    /// The file at this other path has the same bytes and is published.
    CopyOf(PathBuf),
    /// The file at this other path has the same `id` in its front matter.
    SameId(PathBuf),
}

/// How the recorded content of an article compares with its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordedContent {
    /// It is as this version of the program reads the file.
    Current,
    /// It was last read in part, by another version of the program or by other rules.
    Outdated,
    /// It is lost until the file has been read. Readers know the article as published.
    Lost,
}

/// An article in the catalog that a file may be.
#[derive(Debug, Clone)]
pub(super) struct KnownArticle {
    pub number: i64,
    pub id: ArticleId,
    pub path: PathBuf,
    pub state: ArticleState,
    pub slug: Slug,
    pub published: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub entry_hash: [u8; 32],
    pub held_until: DateTime<Utc>,
    pub guid: Option<String>,
    /// It has been visible in a version.
    pub shown: bool,
    pub revised: DateTime<Utc>,
    /// The date of its tombstone in the main feed.
    pub buried: Option<DateTime<Utc>>,
    pub content: RecordedContent,
    pub file_hash: [u8; 32],
    /// Its file has vanished.
    pub is_missing: bool,
}

impl KnownArticle {
    /// Whether readers have seen its tombstone, and see it again now.
    fn is_raised_by(&self, arrival: &Arrival<'_>) -> bool {
        let comes = arrival.article.expires.is_none_or(|expires| expires > arrival.now);
        comes
            && (self.buried.is_some()
                || (self.state != ArticleState::Live && self.shown && self.content != RecordedContent::Lost))
    }

    /// Whether its file is certainly not at its path any more.
    fn has_left(&self) -> bool {
        self.state == ArticleState::Gone || self.is_missing
    }
}

/// The articles that a file may be. Those that a rule needs are looked up only if no earlier rule applies.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    /// The article whose id the front matter states.
    pub with_id: Option<KnownArticle>,
    /// The article at the path of the file.
    pub at_path: Option<KnownArticle>,
    /// Articles with the same bytes: live ones first, then withdrawn and deleted ones; those of the same path first, then the latest.
    pub with_bytes: Vec<KnownArticle>,
    /// The article with the same inode and time of birth: moved and edited without a hint.
    pub same_file: Option<KnownArticle>,
    /// The article of a vanished file that this one was a copy of, before it was edited.
    pub original: Option<KnownArticle>,
}

/// Which article a file is.
#[derive(Debug, Clone)]
pub(super) enum Match<'a> {
    New,
    Known(&'a KnownArticle),
    CopyOf(&'a Path),
    SameId(&'a Path),
}

impl<'a> From<Option<&'a KnownArticle>> for Match<'a> {
    fn from(article: Option<&'a KnownArticle>) -> Self {
        article.map_or(Self::New, Self::Known)
    }
}

/// Decides which article a file is. `id` is the one that its front matter states.
pub(super) fn decide<'a>(arrival: &Arrival<'_>, id: Option<&ArticleId>, candidates: &'a Candidates) -> Match<'a> {
    if id.is_some() {
        return match &candidates.with_id {
            Some(article) if article.path == arrival.path || article.has_left() => Match::Known(article),
            Some(article) => Match::SameId(&article.path),
            None => candidates.at_path.as_ref().into(),
        };
    }
    if let Some(article) = &candidates.at_path {
        return Match::Known(article);
    }
    // Of files with the same bytes, one that has just vanished was moved here, one that is still there was copied, and one
    // that was deleted long ago has come back.
    let is_published = |article: &&KnownArticle| {
        (article.state == ArticleState::Live || article.content == RecordedContent::Lost) && !article.is_missing
    };
    if let Some(original) = candidates.with_bytes.iter().find(is_published) {
        return Match::CopyOf(&original.path);
    }
    let moved = candidates.with_bytes.iter().find(|article| article.has_left());
    let moved = moved.or_else(|| candidates.same_file.as_ref().filter(|article| article.is_missing));
    moved.or(candidates.original.as_ref()).into()
}

/// The dates of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dates {
    pub published: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub due: DateTime<Utc>,
    pub expires: Option<DateTime<Utc>>,
    pub held_until: DateTime<Utc>,
}

/// How long after its publication an article without a date gets that of a recording beside it.
const PAIRING: TimeDelta = TimeDelta::hours(1);

/// Decides the dates of the article that a file is: `recorded` in the catalog, `adopted` from another publisher's feed.
pub(super) fn dates(arrival: &Arrival<'_>, recorded: Option<&KnownArticle>, adopted: Option<&Adopted>) -> Dates {
    let article = arrival.article;
    let adopted_date = adopted.and_then(|adopted| adopted.published);
    let recorded_date = adopted_date.or(recorded.map(|recorded| recorded.published));
    // What was published elsewhere is older than its arrival here, and so may be what states a date that cannot be read.
    let is_older = adopted.is_some() || article.has_unclear_date;
    let first_seen = arrival.file_date.filter(|_| is_older).unwrap_or(arrival.first_seen);
    // A recording and its text arrive one after the other. Later, a date that readers know stays.
    let is_settled = adopted_date.is_some() || recorded_date.is_some_and(|date| arrival.now - date > PAIRING);
    let published_as = article.published.or(article.of_recording.filter(|_| !is_settled));
    let published = published_as.or(recorded_date).unwrap_or(first_seen);
    // An article that was deleted before it was visible is new when it comes back.
    let seen_before = recorded.filter(|recorded| recorded.state != ArticleState::Gone || recorded.shown);
    let held_until = seen_before.map_or(arrival.held_until, |recorded| recorded.held_until);
    let stated = article.updated.or(adopted.and_then(|adopted| adopted.updated));
    let stated = stated.map(|updated| updated.min(arrival.now));
    let updated = match recorded.filter(|_| adopted.is_none()) {
        // Only an entry that is newer than its tombstone replaces it (RFC 6721 section 3).
        Some(recorded) if recorded.is_raised_by(arrival) => {
            let removed = recorded.revised.max(recorded.buried.unwrap_or(recorded.revised));
            arrival.now.max(removed + TimeDelta::seconds(1))
        }
        Some(recorded) if recorded.entry_hash == arrival.entry_hash => recorded.updated,
        // The program reads the same bytes in another way, or completely for the first time: the writer changed nothing.
        Some(recorded) if recorded.content != RecordedContent::Current && recorded.file_hash == arrival.file_hash => {
            recorded.updated
        }
        // A stated date that the writer forgot to move would hide the change from readers.
        Some(recorded) => {
            stated.filter(|stated| *stated > recorded.updated).unwrap_or(arrival.now.max(recorded.updated))
        }
        None => stated.unwrap_or(published),
    };
    Dates {
        published,
        updated: updated.max(published),
        due: published_as.unwrap_or(DateTime::UNIX_EPOCH).max(held_until),
        // The catalog stores no earlier date here.
        expires: article.expires.map(|expires| expires.max(DateTime::UNIX_EPOCH)),
        held_until,
    }
}

/// The slug of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SlugChoice<'a> {
    /// The slug that it has.
    Keep(&'a Slug),
    /// The first free slug of [`slugs`] for this text.
    FirstFree(&'a str),
}

/// Decides the slug: an article keeps its own unless its writer states another, or it was deleted.
pub(super) fn slug_choice<'a>(article: &'a Article, recorded: Option<&'a KnownArticle>) -> SlugChoice<'a> {
    // An article that becomes a page may have a slug that no page can have.
    let is_possible = |recorded: &&KnownArticle| article.page.is_none() || !is_own_part(&recorded.slug);
    let holds = recorded.filter(|recorded| recorded.state != ArticleState::Gone).filter(is_possible);
    match (&article.slug, recorded) {
        (None, Some(recorded)) if holds.is_some() => SlugChoice::Keep(&recorded.slug),
        (Some(wish), Some(recorded)) if holds.is_some() && *slug::slugify(wish) == *recorded.slug => {
            SlugChoice::Keep(&recorded.slug)
        }
        (None, Some(recorded)) => SlugChoice::FirstFree(&recorded.slug),
        (Some(wish), _) => SlugChoice::FirstFree(wish),
        (None, None) => SlugChoice::FirstFree(&article.slug_source),
    }
}

/// The slugs for a text or, if it has no letters, for the name of the file, in order of preference: the plain one, those with the
/// article's title and date, then numbered ones. The last ones are unique.
pub(super) fn slugs<'a>(
    wish: &str,
    path: &'a Path,
    article: Option<&'a Article>,
) -> impl Iterator<Item = Slug> + use<'a> {
    let of_name = || short_slug(&path.file_stem().unwrap_or_default().to_string_lossy());
    let base = Some(short_slug(wish)).filter(|slug| !slug.is_empty());
    let base = base.or_else(|| Some(of_name()).filter(|slug| !slug.is_empty())).unwrap_or_else(|| "article".to_owned());
    let plain = base.clone();
    // Nearly always, the first one is free.
    let others = std::iter::once_with(move || other_slugs(base, path, article)).flatten();
    let slugs = std::iter::once(plain).chain(others);
    slugs.map(|slug| Slug::new(slug).expect("slugify gives letters, digits and dashes"))
}

/// The slugs after the plain one.
fn other_slugs(base: String, path: &Path, article: Option<&Article>) -> impl Iterator<Item = String> + use<> {
    let readable = article.filter(|article| article.slug.is_none());
    let readable = readable.map(|article| readable_slugs(&base, article)).unwrap_or_default();
    let numbered = {
        let base = base.clone();
        (2..=NUMBERED_SLUGS).map(move |number| format!("{base}-{number}"))
    };
    // After that many articles of one name: a part of the hash of the path instead of a number.
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    let hashed = {
        let base = base.clone();
        (8..=hash.len()).map(move |length| format!("{base}-{}", &hash[..length]))
    };
    let random = std::iter::repeat_with(move || format!("{base}-{}", Uuid::new_v4()));
    readable.into_iter().chain(numbered).chain(hashed).chain(random)
}

/// Slugs that tell an article from others with the same name of their files, without a number.
fn readable_slugs(base: &str, article: &Article) -> Vec<String> {
    let title = Some(short_slug(&article.title)).filter(|title| !title.is_empty() && title != base);
    let dated = article.published.map(|date| format!("{base}-{}", date.format("%Y-%m-%d")));
    title.into_iter().chain(dated).collect()
}

/// The ids for an article that was first seen at a path. They follow from the path, so that a lost catalog can often be rebuilt; the
/// second and later ones are for paths that had another article before.
pub(super) fn ids(namespace: Uuid, path: &Path) -> impl Iterator<Item = ArticleId> {
    let name = [b"article:", path.as_os_str().as_encoded_bytes()].concat();
    (1_u64..).map(move |generation| {
        let suffix = if generation == 1 { String::new() } else { format!("#{generation}") };
        ArticleId::new(Uuid::new_v5(&namespace, &[&name, suffix.as_bytes()].concat()).urn().to_string())
    })
}

/// Permanent id of the main feed.
pub(super) fn feed_id(namespace: &Uuid) -> String {
    Uuid::new_v5(namespace, b"feed").urn().to_string()
}

/// The id that another publisher gave an article in RSS, if it is an IRI; else one that is made of it.
pub(super) fn foreign_id(namespace: &Uuid, guid: &str) -> ArticleId {
    let made = || Uuid::new_v5(namespace, format!("guid:{guid}").as_bytes()).urn().to_string();
    ArticleId::new(if is_iri(guid) { guid.to_owned() } else { made() })
}

/// The id that the front matter states: an absolute IRI unchanged, any other text as a name within this site.
pub(super) fn chosen_id(namespace: &Uuid, article: &Article) -> Option<ArticleId> {
    let Some(id) = article.id.as_deref() else {
        return article.feed_guid.as_deref().map(|guid| foreign_id(namespace, guid));
    };
    if let Ok(uuid) = id.parse::<Uuid>() {
        return Some(ArticleId::new(uuid.urn().to_string()));
    }
    Some(ArticleId::new(if is_iri(id) {
        id.to_owned()
    } else {
        Uuid::new_v5(namespace, format!("id:{id}").as_bytes()).urn().to_string()
    }))
}

/// The id in RSS and JSON Feed that the front matter states, unless it is that of the article anyway.
pub(super) fn chosen_guid(id: &ArticleId, article: &Article) -> Option<String> {
    article.feed_guid.clone().filter(|guid| *guid != **id)
}

/// A slug of at most [`SLUG_LENGTH`] characters, cut between words.
fn short_slug(text: &str) -> String {
    let slug = slug::slugify(text);
    if slug.len() <= SLUG_LENGTH {
        return slug;
    }
    let cut = slug[..=SLUG_LENGTH].rfind('-').unwrap_or(SLUG_LENGTH);
    slug[..cut].to_owned()
}

#[cfg(test)]
mod tests;
