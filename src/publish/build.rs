//! Catalog -> snapshot: the newest entries, the documents rendered from them, and the date since when each has its bytes.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::compressor::Compressor;
use crate::catalog::{self, Catalog, KnownSurroundings, Window};
use crate::model::collection::{ArticleLine, FeedLimits};
use crate::model::entry::Entry;
use crate::model::moment::{Moment, Version};
use crate::model::section::SectionAbout;
use crate::model::site_page::Menu;
use crate::model::taxonomy::ViewKind;
use crate::render::feed::fragment::FragmentCache;
use crate::render::feed::{Feed, History};
use crate::render::page::{Front, MOST_NAMED, MOST_NEWEST, Pages};
use crate::render::snapshot::{self, Current, Document, SiteDates, Snapshot};

/// Whether documents may differ from the last version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bytes {
    MayChange,
    MustStay,
}

/// The entries of the main feed.
struct MainEntries {
    /// With their numbers, newest first.
    entries: Vec<(i64, Arc<Entry>)>,
    /// The pinned ones of the site, the most important first.
    pinned: Vec<Arc<Entry>>,
}

/// Renders the catalog into snapshots, and serves them.
#[derive(Debug)]
pub struct SnapshotBuilder {
    pages: Arc<Pages>,
    current: Current,
    /// The last snapshot. Documents that stay the same are taken from it.
    last: Arc<Snapshot>,
    limits: FeedLimits,
    dates: SiteDates,
    /// The menu that the following two pages show.
    menu: Arc<Menu>,
    missing: bytes::Bytes,
    gone: bytes::Bytes,
    /// The articles that these two name.
    named: Vec<Arc<Entry>>,
    /// Entries of the feed and pinned ones by their number, with their revision: only changed ones are read again.
    entries: HashMap<i64, (i64, Arc<Entry>)>,
    fragments: FragmentCache,
    compressor: Compressor,
}

impl SnapshotBuilder {
    /// `next` is the first version that will be served. If pages look different from before, it is their date.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn new(catalog: &mut Catalog, pages: Arc<Pages>, current: Current, next: Version) -> catalog::Result<Self> {
        let presented = catalog.stamp("articles/", &pages.fingerprint(), next)?;
        let created = catalog.created()?;
        let limits = pages.channel().limits;
        catalog.limit(&limits)?;
        let (missing, gone) = (pages.missing(false, &[], &[]).into(), pages.missing(true, &[], &[]).into());
        let last = Current::default().get();
        Ok(Self {
            pages,
            current,
            last,
            limits,
            dates: SiteDates { presented, created },
            menu: Arc::default(),
            missing,
            gone,
            named: Vec::new(),
            entries: HashMap::new(),
            fragments: FragmentCache::default(),
            compressor: Compressor::start(),
        })
    }

    /// The dates of documents that no entry determines.
    pub fn dates(&self) -> SiteDates {
        self.dates
    }

    /// Numbers of the articles of the main feed at `due` whose texts have not been read.
    pub fn unread(&self, catalog: &Catalog, due: DateTime<Utc>) -> catalog::Result<Vec<i64>> {
        let window = catalog.window(&self.limits, due)?;
        let rows = catalog.feed(&window, &self.limits, due)?;
        catalog.unread_among(rows.into_iter().map(|(number, _)| number))
    }

    /// Returns whether there are any.
    pub fn lacks_texts(&self, catalog: &Catalog, due: DateTime<Utc>) -> catalog::Result<bool> {
        Ok(!self.unread(catalog, due)?.is_empty())
    }

    /// Renders the catalog and serves the snapshot. Documents whose bytes did not change stay the same. Articles scheduled after
    /// `moment.due` are left out.
    pub fn publish(&mut self, catalog: &mut Catalog, moment: Moment) -> catalog::Result<()> {
        let snapshot = self.render(catalog, moment)?;
        self.serve(snapshot);
        Ok(())
    }

    /// Renders the catalog and serves the snapshot, and records nothing: the log of the replicas is away. The dates of documents whose bytes
    /// have changed are not kept.
    pub fn serve_unrecorded(&mut self, catalog: &mut Catalog, moment: Moment) -> catalog::Result<()> {
        let mut snapshot = None;
        catalog.attempt(|catalog| {
            snapshot = Some(self.render(catalog, moment)?);
            Ok(None::<()>)
        })?;
        if let Some(snapshot) = snapshot {
            self.serve(snapshot);
        }
        self.forget_entries();
        Ok(())
    }

    /// Renders the catalog. The snapshot is to be served after the transaction.
    pub fn render(&mut self, catalog: &mut Catalog, moment: Moment) -> catalog::Result<Arc<Snapshot>> {
        let snapshot = self.render_if(catalog, moment, Bytes::MayChange)?;
        Ok(snapshot.expect("bytes may change, so nothing keeps it from being made"))
    }

    /// Forgets what it has read from the catalog: a transaction in which it did was rolled back.
    pub fn forget_entries(&mut self) {
        self.entries.clear();
        self.fragments = FragmentCache::default();
    }

    /// Whether readers have a version.
    pub fn is_serving(&self) -> bool {
        !self.current.get().is_none()
    }

    /// Serves a snapshot from now on.
    pub fn serve(&mut self, snapshot: Arc<Snapshot>) {
        self.last = snapshot;
        self.current.set(self.last.clone());
    }

    /// Serves the version that was served last, if the catalog still gives the same bytes. Returns whether it does.
    pub fn resume(&mut self, catalog: &mut Catalog, moment: Moment) -> catalog::Result<bool> {
        let snapshot = self.render_if(catalog, moment, Bytes::MustStay)?;
        Ok(snapshot.map(|snapshot| self.serve(snapshot)).is_some())
    }

    /// `None` where bytes would change that must not.
    fn render_if(
        &mut self,
        catalog: &mut Catalog,
        moment: Moment,
        bytes: Bytes,
    ) -> catalog::Result<Option<Arc<Snapshot>>> {
        let before = self.last.clone();
        let documents = catalog.attempt(|catalog| {
            catalog.apply_due(moment)?;
            let Some(menu) = catalog.menu(moment.due, (bytes == Bytes::MayChange).then_some(moment.version))? else {
                return Ok(None);
            };
            let pages = self.pages.with_menu(Arc::new(menu));
            let window = catalog.window(&self.limits, moment.due)?;
            let archive = catalog.close_archives(&window, &self.limits, moment)?;
            let MainEntries { entries, pinned } = self.entries(catalog, &window, moment.due)?;
            let mut documents = self.articles(catalog, &pages, &entries, &window, moment.due)?;
            let entries: Vec<Arc<Entry>> = entries.into_iter().map(|(_, entry)| entry).collect();
            let tombstones = catalog.tombstones()?;
            let (guid, about) = (catalog.podcast_guid()?, catalog.about()?);
            let is_podcast = match about.as_ref().and_then(SectionAbout::is_podcast) {
                Some(is_podcast) => is_podcast,
                None => catalog.is_podcast()?,
            };
            let history = History::of_main(archive, window.is_whole);
            let main = Feed::main(pages.channel(), &entries).described(about.as_ref());
            let latest = catalog.latest()?;
            let fragments = Some(&self.fragments);
            let feed = Feed {
                history,
                tombstones: &tombstones,
                is_podcast,
                guid: guid.as_deref(),
                latest,
                fragments,
                pinned: &pinned,
                ..main
            };
            let front = front(catalog, archive)?;
            for document in snapshot::render(&pages, &feed, &front, self.dates.created) {
                let body = document.body;
                let modified = match catalog.stamped(document.path, body.hash.as_bytes())? {
                    Some(modified) => modified,
                    None if bytes == Bytes::MustStay => return Ok(None),
                    None => catalog.stamp(document.path, body.hash.as_bytes(), moment.version)?,
                };
                let same = before.document(document.path).filter(|same| same.has_body(&body)).cloned();
                let new = || Arc::new(Document::new(document.kind, body, modified).linked(document.links));
                documents.insert(document.path.to_owned(), same.unwrap_or_else(new));
            }
            self.fragments.retain(&entries);
            catalog.set_meta("version", &moment.version.seconds().to_string())?;
            Ok(Some((documents, pages, entries.iter().take(MOST_NEWEST).cloned().collect::<Vec<_>>())))
        })?;
        let Some((documents, pages, newest)) = documents else { return Ok(None) };
        let has_new = !self.named.iter().map(Arc::as_ptr).eq(newest.iter().map(Arc::as_ptr));
        if has_new || *pages.menu() != *self.menu {
            self.named = newest;
            let lines: Vec<ArticleLine> = self.named.iter().map(|entry| ArticleLine::from(&**entry)).collect();
            let missing = |is_gone| pages.missing(is_gone, &[], &lines).into();
            (self.missing, self.gone) = (missing(false), missing(true));
            self.menu = Arc::new(pages.menu().clone());
        }
        let snapshot = Snapshot::new(moment, pages.formats(), documents, self.missing.clone(), self.gone.clone());
        Ok(Some(Arc::new(snapshot.with_menu(self.menu.clone()))))
    }

    /// Follow-up work of the version that is served: compression, and the cutoffs of its views.
    pub fn finish(&self, catalog: &mut Catalog) -> catalog::Result<()> {
        let current = self.current.get();
        let due = current.moment.due;
        self.compressor.compress(current);
        catalog.recompute_cutoffs(&self.limits, due)
    }

    /// Pages of the articles in the feed, which are requested more often than others.
    fn articles(
        &self,
        catalog: &Catalog,
        pages: &Pages,
        entries: &[(i64, Arc<Entry>)],
        window: &Window,
        due: DateTime<Utc>,
    ) -> catalog::Result<HashMap<String, Arc<Document>>> {
        let mut documents = HashMap::with_capacity(entries.len() + 32);
        let dates = catalog.link_dates(entries.iter().map(|(number, _)| *number), due)?;
        for (index, (number, entry)) in entries.iter().enumerate() {
            let path = entry.permalink().path();
            let last = self.last.document(&path);
            // Within the window, the neighbours of an article stand beside it.
            let surroundings = if index + 1 < window.rows.len() {
                let newer = index.checked_sub(1).map_or(dates[index].around, |newer| dates[newer].headline);
                dates[index].around.max(newer).max(dates[index + 1].headline)
            } else {
                catalog.surroundings_revised(*number, due)?
            };
            let revised = entry.revised.max(surroundings);
            let modified = revised.max(self.dates.of_pages(pages));
            if let Some(same) = last.filter(|last| last.last_modified == modified) {
                documents.insert(path, Arc::clone(same));
                continue;
            }
            // A page whose neighbour has not been read yet is rendered on demand.
            if let KnownSurroundings::Found(surroundings) = catalog.surroundings(*number, due)? {
                let page = snapshot::article(pages, entry, &surroundings, self.dates);
                documents.insert(path, Arc::new(page));
            }
        }
        Ok(documents)
    }

    /// The entries of the main feed with their numbers, and the pinned ones; only changed ones are read again.
    fn entries(&mut self, catalog: &Catalog, window: &Window, due: DateTime<Utc>) -> catalog::Result<MainEntries> {
        let (rows, pinned) = (catalog.feed(window, &self.limits, due)?, catalog.pinned(due)?);
        let before = std::mem::take(&mut self.entries);
        for (number, revised) in rows.iter().chain(&pinned) {
            let known = before.get(number).filter(|(revision, _)| revision == revised).cloned();
            let read = || Ok::<_, catalog::CatalogError>((*revised, Arc::new(catalog.entry(*number)?)));
            if !self.entries.contains_key(number) {
                self.entries.insert(*number, known.map_or_else(read, Ok)?);
            }
        }
        let entry = |number: &i64| Arc::clone(&self.entries[number].1);
        let entries = rows.iter().map(|(number, _)| (*number, entry(number))).collect();
        Ok(MainEntries { entries, pinned: pinned.iter().map(|(number, _)| entry(number)).collect() })
    }
}

/// The lists of views on the front page, beside the newest articles.
fn front(catalog: &Catalog, archive: Option<u32>) -> catalog::Result<Front> {
    let mut views = Vec::new();
    for kind in ViewKind::ALL {
        views.extend(catalog.views(kind, MOST_NAMED)?);
    }
    Ok(Front { views, archive })
}
