//! The one list of all documents of a site. A test compares it with a crawl of the daemon.

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::{ListedPlace, ListedView, Reader};
use crate::model::digest::{DigestKind, DigestPeriod};
use crate::model::moment::Moment;
use crate::model::period::DateRange;
use crate::model::site_page::Permalink;
use crate::model::taxonomy::ViewKind;
use crate::render::feed::format::{Formats, Representation};
use crate::render::on_demand::Route;

/// The order in which documents are written: none before what it refers to. The files beside articles come before the first document
/// that shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExportStage {
    /// Style sheets, icons and other pictures of the site.
    Look,
    Articles,
    Archives,
    Views,
    /// The main feeds and the front page.
    Feeds,
    Sitemap,
}

/// Takes the route of a document, and when its content last changed.
type Visit<'a> = &'a mut dyn FnMut(Route, Option<DateTime<Utc>>) -> anyhow::Result<()>;

/// The addresses of a site in one state of its catalog.
#[derive(Debug)]
pub struct SiteList<'a> {
    reader: &'a Reader,
    moment: Moment,
    now: DateTime<Utc>,
    formats: Formats,
}

impl<'a> SiteList<'a> {
    /// Lists a state that `reader` holds, at the time `now`.
    pub fn new(reader: &'a Reader, moment: Moment, now: DateTime<Utc>, formats: Formats) -> Self {
        Self { reader, moment, now, formats }
    }

    /// Calls `find` with the route of each document that the snapshot does not hold, in the order of their stages, and with the date when its
    /// content last changed, where that is known without reading it. It returns whether there is such a document.
    ///
    /// # Errors
    /// The catalog cannot be read, or the error of `find`.
    pub fn routes(
        &self,
        mut find: impl FnMut(ExportStage, Route, Option<DateTime<Utc>>) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let mut visit = |stage, route, revised| find(stage, route, revised).map(drop);
        self.articles(&mut |route, revised| visit(ExportStage::Articles, route, revised))?;
        let days = self.reader.days(self.moment)?;
        self.archives(&days, &mut |route, revised| visit(ExportStage::Archives, route, revised))?;
        self.views(&mut |route, revised| visit(ExportStage::Views, route, revised))?;
        self.digests(&days, &mut |route, revised| visit(ExportStage::Views, route, revised))?;
        visit(ExportStage::Views, Route::Opml, None)?;
        let mut part = 1;
        while find(ExportStage::Sitemap, Route::Sitemap(Some(part)), None)? {
            part += 1;
        }
        find(ExportStage::Sitemap, Route::Sitemap(None), None).map(drop)
    }

    fn representations(&self) -> impl Iterator<Item = Representation> {
        self.formats.iter().map(Representation::Feed).chain([Representation::Page])
    }

    fn articles(&self, visit: Visit<'_>) -> anyhow::Result<()> {
        let mut last = 0;
        loop {
            let places = self.reader.places_after(last, self.moment)?;
            let Some(ListedPlace { number, .. }) = places.last() else { return Ok(()) };
            last = *number;
            for ListedPlace { place, revised, page_revised, .. } in places {
                let slug = place.slug().to_string();
                if matches!(place, Permalink::Page(_)) {
                    visit(Route::Page(slug), Some(page_revised))?;
                } else {
                    visit(Route::Markdown(slug.clone()), Some(revised))?;
                    visit(Route::Article(slug), Some(page_revised))?;
                }
            }
        }
    }

    fn archives(&self, days: &[i64], visit: Visit<'_>) -> anyhow::Result<()> {
        for number in 1..=self.reader.newest_archive()?.unwrap_or(0) {
            let revised = self.reader.archive_revised(number)?;
            for representation in self.representations() {
                visit(Route::Archive(number, representation), revised)?;
            }
        }
        let mut last = None;
        for year in days.iter().filter_map(|day| DateRange::All.part_at(DateTime::from_timestamp(*day, 0)?)) {
            if last != Some(year) {
                visit(Route::DateRange(year), None)?;
                last = Some(year);
            }
        }
        let month = |day: &i64| {
            let day = DateTime::from_timestamp(*day, 0)?;
            DateRange::All.part_at(day)?.part_at(day)
        };
        let mut last = None;
        for month in days.iter().filter_map(month) {
            if last != Some(month) {
                visit(Route::DateRange(month), None)?;
                last = Some(month);
            }
        }
        visit(Route::DateRange(DateRange::All), None)
    }

    fn views(&self, visit: Visit<'_>) -> anyhow::Result<()> {
        let mut last = 0;
        loop {
            let views = self.reader.views_after(last)?;
            let Some(ListedView { number, .. }) = views.last() else { break };
            last = *number;
            for ListedView { view, revised, page_revised, .. } in views {
                for representation in self.representations() {
                    let revised = if representation == Representation::Page { page_revised } else { revised };
                    visit(Route::View(view.clone(), representation), Some(revised))?;
                }
            }
        }
        ViewKind::ALL.into_iter().try_for_each(|kind| visit(Route::Views(kind), None))
    }

    fn digests(&self, days: &[i64], visit: Visit<'_>) -> anyhow::Result<()> {
        for kind in DigestKind::ALL {
            let mut last: Option<DigestPeriod> = None;
            for day in days.iter().filter_map(|day| DateTime::from_timestamp(*day, 0)) {
                let period = kind.period_at(day);
                if last != Some(period) && period.end() <= self.now {
                    visit(Route::Digest(period), None)?;
                }
                last = Some(period);
            }
            for representation in self.representations() {
                visit(Route::Digests(kind, representation), None)?;
            }
        }
        Ok(())
    }

    /// Calls `visit` with each address that may redirect, or that a deleted article had.
    ///
    /// # Errors
    /// The catalog cannot be read, or the error of `visit`.
    pub fn former_addresses(&self, mut visit: impl FnMut(Route) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut last = String::new();
        loop {
            let slugs = self.reader.former_slugs_after(&last, self.moment)?;
            let Some(slug) = slugs.last() else { break };
            last = slug.to_string();
            for slug in slugs {
                let slug = slug.to_string();
                [Route::Article, Route::Markdown, Route::Page]
                    .into_iter()
                    .try_for_each(|route| visit(route(slug.clone())))?;
            }
        }
        if let Some(newest) = self.reader.newest_archive()? {
            // Until it is closed, its articles are in the main feed.
            for representation in self.representations() {
                visit(Route::Archive(newest + 1, representation))?;
            }
        }
        let mut last = String::new();
        loop {
            let addresses = self.reader.old_addresses_after(&last)?;
            let Some(address) = addresses.last() else { return Ok(()) };
            last.clone_from(address);
            addresses.into_iter().try_for_each(|address| visit(Route::OldAddress(address)))?;
        }
    }
}

/// When time alone changes a document next: the end of a day is that of a digest.
pub fn next_change(now: DateTime<Utc>) -> DateTime<Utc> {
    DigestKind::Daily.period_at(now).end().max(now + TimeDelta::seconds(1))
}
