//! [`Library`], implemented by the reader of the catalog.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::error::CatalogError;
use super::reader::Reader;
use super::sitemap::MAX_URLS;
use crate::model::collection::{ArticleLine, ArticleLookup, FeedLimits, FeedLookup, SitemapLookup, ViewGroup};
use crate::model::digest::DatedLookup;
use crate::model::entry::Slug;
use crate::model::library::{Library, LibraryError, Result};
use crate::model::moment::Moment;
use crate::model::near::ArticleNames;
use crate::model::period::{DateRange, PeriodLookup};
use crate::model::taxonomy::{View, ViewKind};

impl Library for Reader {
    fn article(&self, slug: &str, moment: Moment) -> Result<ArticleLookup> {
        self.by_slug(slug, moment).map_err(|error| self.failed(error))
    }

    fn page(&self, slug: &str, moment: Moment) -> Result<ArticleLookup> {
        self.page_by_slug(slug, moment).map_err(|error| self.failed(error))
    }

    fn old_address(&self, address: &str, moment: Moment) -> Result<ArticleLookup> {
        self.by_old_address(address, moment).map_err(|error| self.failed(error))
    }

    fn view(
        &self,
        view: &View,
        limits: &FeedLimits,
        is_page: bool,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> Result<FeedLookup> {
        self.view(view, limits, is_page, moment, cached).map_err(|error| self.failed(error))
    }

    fn archive(&self, number: u32, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<FeedLookup> {
        self.archive(number, moment, cached).map_err(|error| self.failed(error))
    }

    fn main(&self, limits: &FeedLimits, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<FeedLookup> {
        self.main_at(limits, moment, cached).map_err(|error| self.failed(error))
    }

    fn shows_file(&self, path: &Path) -> Result<bool> {
        self.shows_file(path).map_err(|error| self.failed(error))
    }

    fn lines(&self, slugs: &[&Slug], moment: Moment) -> Result<Vec<ArticleLine>> {
        self.lines(slugs, moment).map_err(|error| self.failed(error))
    }

    fn newest_names(&self, moment: Moment) -> Result<Vec<ArticleNames>> {
        self.newest_names(moment).map_err(|error| self.failed(error))
    }

    fn newest_archive(&self) -> Result<Option<u32>> {
        self.newest_archive().map_err(|error| self.failed(error))
    }

    fn listing(&self, period: DateRange, moment: Moment, cached: Option<DateTime<Utc>>) -> Result<PeriodLookup> {
        self.listing(period, moment, cached).map_err(|error| self.failed(error))
    }

    fn dated(
        &self,
        time: (DateTime<Utc>, DateTime<Utc>),
        most: usize,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> Result<DatedLookup> {
        self.dated(time, most, moment, cached).map_err(|error| self.failed(error))
    }

    fn years(&self, moment: Moment) -> Result<Vec<DateRange>> {
        self.years(moment).map_err(|error| self.failed(error))
    }

    fn views(&self, kinds: &[ViewKind]) -> Result<(Vec<ViewGroup>, DateTime<Utc>)> {
        self.views(kinds).map_err(|error| self.failed(error))
    }

    fn views_changed(&self, kinds: &[ViewKind]) -> Result<DateTime<Utc>> {
        self.views_changed(kinds).map_err(|error| self.failed(error))
    }

    fn counts_changed(&self, kind: ViewKind) -> Result<DateTime<Utc>> {
        self.counts_changed(kind).map_err(|error| self.failed(error))
    }

    fn sitemap(&self, part: Option<u32>, moment: Moment) -> Result<SitemapLookup> {
        self.sitemap(part, moment, MAX_URLS).map_err(|error| self.failed(error))
    }

    fn is_incomplete(&self) -> Result<bool> {
        self.is_incomplete().map_err(|error| self.failed(error))
    }

    fn created(&self) -> Result<DateTime<Utc>> {
        self.feed_id().map(|(_, created)| created).map_err(|error| self.failed(error))
    }
}

impl Reader {
    /// Converts an error, and reports it if it is damage. While a report is unread, no other is sent.
    fn failed(&self, error: CatalogError) -> LibraryError {
        if let Some(damaged) = self.damaged.as_ref().filter(|_| error.is_damage()) {
            let why = match &error {
                CatalogError::Damaged(why) => why.clone(),
                other => other.to_string(),
            };
            let _ = damaged.try_send(CatalogError::Damaged(why));
        }
        LibraryError::new(error)
    }
}
