//! The recorded articles as serving reads them: by slug, by feed and as lists. Reading never changes anything.

use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::collection::{ArticleLine, ArticleLookup, FeedLimits, FeedLookup, SitemapLookup, ViewGroup};
use super::digest::DatedLookup;
use super::entry::Slug;
use super::moment::Moment;
use super::near::ArticleNames;
use super::period::{DateRange, PeriodLookup};
use super::taxonomy::{View, ViewKind};

/// What can be read. Each answer is consistent in itself; two answers may differ by a change in between.
pub trait Library: fmt::Debug + Send {
    /// Looks up the article with this slug. The answer is [`ArticleLookup::Moved`] if it has become a page.
    ///
    /// # Errors
    /// The library cannot be read.
    fn article(&self, slug: &str, moment: Moment) -> Result<ArticleLookup>;

    /// Looks up the page that is no article with this slug. The answer is [`ArticleLookup::Moved`] if it has become an article.
    ///
    /// # Errors
    /// The library cannot be read.
    fn page(&self, slug: &str, moment: Moment) -> Result<ArticleLookup>;

    /// Looks up the article that had an address elsewhere. The answer is never [`ArticleLookup::Current`].
    ///
    /// # Errors
    /// The library cannot be read.
    fn old_address(&self, address: &str, moment: Moment) -> Result<ArticleLookup>;

    /// Looks up the feed of a view, for its page with its pinned articles. The answer is [`FeedLookup::Same`] if it last changed at
    /// `cached`.
    ///
    /// # Errors
    /// The library cannot be read.
    fn view(
        &self,
        view: &View,
        limits: &FeedLimits,
        is_page: bool,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> Result<FeedLookup>;

    /// Looks up an archive of the main feed. The answer is [`FeedLookup::Same`] if it last changed at `cached`.
    ///
    /// # Errors
    /// The library cannot be read.
    fn archive(&self, number: u32, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<FeedLookup>;

    /// Looks up the main feed. The answer is [`FeedLookup::Same`] if it last changed at `cached`.
    ///
    /// # Errors
    /// The library cannot be read.
    fn main(&self, limits: &FeedLimits, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<FeedLookup>;

    /// Whether a published article shows a file of the folder, by its path, or links to it. Not if the file only has its name.
    ///
    /// # Errors
    /// The library cannot be read.
    fn shows_file(&self, path: &Path) -> Result<bool>;

    /// The names of the newest articles that are visible at a moment, at most
    /// [`MAX_CANDIDATES`](super::near::MAX_CANDIDATES), the newest first.
    ///
    /// # Errors
    /// The library cannot be read.
    fn newest_names(&self, moment: Moment) -> Result<Vec<ArticleNames>>;

    /// The titles of the articles with these slugs that are visible at a moment, in this order.
    ///
    /// # Errors
    /// The library cannot be read.
    fn lines(&self, slugs: &[&Slug], moment: Moment) -> Result<Vec<ArticleLine>>;

    /// Number of the newest archive, if there is one.
    ///
    /// # Errors
    /// The library cannot be read.
    fn newest_archive(&self) -> Result<Option<u32>>;

    /// Looks up the articles of a period. The answer is [`PeriodLookup::Same`] if an article last changed at `cached`.
    ///
    /// # Errors
    /// The library cannot be read.
    fn listing(&self, period: DateRange, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<PeriodLookup>;

    /// Looks up the articles that were published in a time that is over, up to `most`, newest first. The answer is [`DatedLookup::Same`] if an article
    /// last changed, or the time ended, at `cached`.
    ///
    /// # Errors
    /// The library cannot be read.
    fn dated(
        &self,
        time: (DateTime<Utc>, DateTime<Utc>),
        most: usize,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> Result<DatedLookup>;

    /// The years in which articles were published that are visible at a moment, the newest first.
    ///
    /// # Errors
    /// The library cannot be read.
    fn years(&self, moment: Moment) -> Result<Vec<DateRange>>;

    /// All views of these kinds, by key, and when the lists last changed.
    ///
    /// # Errors
    /// The library cannot be read.
    fn views(&self, kinds: &[ViewKind]) -> Result<(Vec<ViewGroup>, DateTime<Utc>)>;

    /// When the list of the views of these kinds last changed.
    ///
    /// # Errors
    /// The library cannot be read.
    fn views_changed(&self, kinds: &[ViewKind]) -> Result<DateTime<Utc>>;

    /// When the number of the articles of a view of this kind last changed, or the list of these views.
    ///
    /// # Errors
    /// The library cannot be read.
    fn counts_changed(&self, kind: ViewKind) -> Result<DateTime<Utc>>;

    /// Looks up the sitemap, or a part of it by its number from 1, as it was at a moment.
    ///
    /// # Errors
    /// The library cannot be read.
    fn sitemap(&self, part: Option<u32>, moment: Moment) -> Result<SitemapLookup>;

    /// Whether articles may be missing until all files have been read, as after a recovery.
    ///
    /// # Errors
    /// The library cannot be read.
    fn is_incomplete(&self) -> Result<bool>;

    /// The date of a feed that has never had an entry.
    ///
    /// # Errors
    /// The library cannot be read.
    fn created(&self) -> Result<DateTime<Utc>>;
}

/// The answer of a library.
pub type Result<T> = std::result::Result<T, LibraryError>;

/// A library cannot be read. The cause belongs to its implementation and can only be reported.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct LibraryError(Box<dyn std::error::Error + Send + Sync>);

impl LibraryError {
    /// Wraps the cause.
    pub fn new(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(cause))
    }
}
