//! The documents of the snapshot that the daemon serves, made again from the catalog without writing to it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::manifest::FormerExport;
use crate::catalog::{self, Reader, SitePart};
use crate::model::collection::ArticleLine;
use crate::model::moment::Moment;
use crate::render::feed::{Feed, History};
use crate::render::page::{Front, MOST_NAMED, MOST_NEWEST, Pages};
use crate::render::snapshot::{self, Document, SiteDates, Snapshot};

/// Since when documents have their bytes. The catalog knows it, unless the site is exported with other settings than it is served
/// with; then the last export does, or else it is the date of the version.
#[derive(Debug)]
pub struct DocumentDates<'a> {
    reader: &'a Reader,
    former: &'a FormerExport,
    moment: Moment,
    /// The newest date that is not from the catalog.
    pub latest: Option<DateTime<Utc>>,
    /// The hash of the design of pages, and its date, if that is not from the catalog.
    pub presented: Option<([u8; 32], DateTime<Utc>)>,
}

impl<'a> DocumentDates<'a> {
    pub fn new(reader: &'a Reader, former: &'a FormerExport, moment: Moment) -> Self {
        Self { reader, former, moment, latest: None, presented: None }
    }

    /// The date of the design of pages with this hash.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn of_design(&mut self, hash: [u8; 32]) -> catalog::Result<DateTime<Utc>> {
        if let Some(date) = self.reader.stamped("articles/", &hash)? {
            return Ok(date);
        }
        let former = self.former.presented.filter(|(former, _)| *former == hash).map(|(_, date)| date);
        let date = former.unwrap_or_else(|| self.next());
        self.latest = self.latest.max(Some(date));
        self.presented = Some((hash, date));
        Ok(date)
    }

    /// The date of a document with these bytes. `former` is that of the last export, if it had the same ones.
    fn of_document(
        &mut self,
        path: &str,
        hash: &blake3::Hash,
        former: Option<DateTime<Utc>>,
    ) -> catalog::Result<DateTime<Utc>> {
        if let Some(date) = self.reader.stamped(path, hash.as_bytes())? {
            return Ok(date);
        }
        let date = former.unwrap_or_else(|| self.next());
        self.latest = self.latest.max(Some(date));
        Ok(date)
    }

    /// A date after those of all former documents: other bytes never have the same date.
    fn next(&self) -> DateTime<Utc> {
        let after = self.former.latest.map(|latest| latest + TimeDelta::seconds(1));
        self.moment.version.date().max(after.unwrap_or_default())
    }
}

/// Renders the snapshot of a moment, without the pages of articles. `former` gives the date of a document in the last export, by its path
/// and hash.
///
/// # Errors
/// The catalog cannot be read.
pub fn render(
    reader: &Reader,
    pages: &Pages,
    dates: &mut DocumentDates<'_>,
    site_dates: SiteDates,
    moment: Moment,
    former: impl Fn(&str, &blake3::Hash) -> Option<DateTime<Utc>>,
) -> catalog::Result<Snapshot> {
    let channel = pages.channel();
    let SitePart { main, views, newest_archive } = reader.site_part(&channel.limits, moment, MOST_NAMED)?;
    let feed = Feed {
        history: History::of_main(newest_archive, main.is_whole),
        tombstones: &main.tombstones,
        is_podcast: main.is_podcast,
        guid: main.guid.as_deref(),
        latest: main.latest,
        pinned: &main.pinned,
        ..Feed::main(channel, &main.entries).described(main.about.as_ref())
    };
    let front = Front { views, archive: newest_archive };
    let mut documents = HashMap::new();
    for document in snapshot::render(pages, &feed, &front, site_dates.created) {
        let hash = document.body.hash;
        let modified = dates.of_document(document.path, &hash, former(document.path, &hash))?;
        let path = document.path.to_owned();
        documents.insert(path, Arc::new(Document::new(document.kind, document.body, modified).linked(document.links)));
    }
    let newest: Vec<ArticleLine> = main.entries.iter().take(MOST_NEWEST).map(|entry| (&**entry).into()).collect();
    let missing = |is_gone| pages.missing(is_gone, &[], &newest).into();
    let snapshot = Snapshot::new(moment, pages.formats(), documents, missing(false), missing(true));
    Ok(snapshot.with_menu(Arc::new(pages.menu().clone())))
}
