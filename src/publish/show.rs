//! Catalog -> snapshot: the newest entries, the documents made of them, and since when each has its bytes.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::catalog::{self, Catalog};
use crate::entry::Entry;
use crate::page::Pages;
use crate::snapshot::{self, Body, Current, Document, Snapshot};

/// Turns what the catalog says into what is served.
#[derive(Debug)]
pub struct Show {
    pages: Arc<Pages>,
    current: Current,
    limit: usize,
    presented: DateTime<Utc>,
    created: DateTime<Utc>,
    missing: Bytes,
    gone: Bytes,
    /// Entries of the feed by their number, with their revision: only what changed is read again.
    entries: HashMap<i64, (i64, Arc<Entry>)>,
}

impl Show {
    /// `next` is the second of the first version; if pages look different from what was served before, they do since then.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn new(
        catalog: &mut Catalog,
        pages: Arc<Pages>,
        current: Current,
        limit: usize,
        next: DateTime<Utc>,
    ) -> catalog::Result<Self> {
        let presented = catalog.stamp("articles/", &pages.fingerprint(), next)?;
        let created = catalog.created()?;
        let missing =
            pages.missing("There is nothing here", "The address may be mistyped, or what was here has moved.").into();
        let gone = pages.missing("This article was deleted", "It was published here, and is not any more.").into();
        Ok(Self { pages, current, limit, presented, created, missing, gone, entries: HashMap::new() })
    }

    /// When pages last changed their look.
    pub fn presented(&self) -> DateTime<Utc> {
        self.presented
    }

    /// Renders and serves what the catalog says now. Documents whose bytes did not change are kept as they are.
    /// `due` is the instant that scheduled articles are measured by.
    pub fn publish(
        &mut self,
        catalog: &mut Catalog,
        version: DateTime<Utc>,
        due: DateTime<Utc>,
    ) -> catalog::Result<()> {
        let entries = self.window(catalog, due)?;
        let before = self.current.get();
        let mut documents: HashMap<String, Arc<Document>> = HashMap::with_capacity(entries.len() + 32);
        for entry in &entries {
            let path = snapshot::article_path(&entry.slug);
            let modified = entry.revised.max(self.presented);
            let kept = before.document(&path).filter(|document| document.last_modified == modified).cloned();
            let document = kept.unwrap_or_else(|| Arc::new(snapshot::article(&self.pages, entry, self.presented)));
            documents.insert(path, document);
        }
        let rendered = snapshot::render(&self.pages, &entries, self.created);
        catalog.transaction(|catalog| {
            for document in rendered {
                let body = Body::from(document.body);
                let modified = catalog.stamp(document.path, body.hash.as_bytes(), version)?;
                let kept = before.document(document.path).filter(|kept| kept.says(&body)).cloned();
                let made = || Arc::new(Document::new(document.media_type, body, modified));
                documents.insert(document.path.to_owned(), kept.unwrap_or_else(made));
            }
            catalog.mark_shown(due)?;
            catalog.set_meta("version", &version.timestamp().to_string())
        })?;
        self.current.set(Arc::new(Snapshot::new(version, due, documents, self.missing.clone(), self.gone.clone())));
        Ok(())
    }

    /// Makes the coded forms of what is served. New bytes go out uncoded until this is done.
    pub fn compress(&self) {
        self.current.get().compress();
    }

    fn window(&mut self, catalog: &Catalog, due: DateTime<Utc>) -> catalog::Result<Vec<Arc<Entry>>> {
        let newest = catalog.newest(due, self.limit)?;
        let mut kept = HashMap::with_capacity(newest.len());
        let mut window = Vec::with_capacity(newest.len());
        for (number, revised) in newest {
            let entry = match self.entries.remove(&number) {
                Some((revision, entry)) if revision == revised => entry,
                _ => Arc::new(catalog.entry(number)?),
            };
            window.push(Arc::clone(&entry));
            kept.insert(number, (revised, entry));
        }
        self.entries = kept;
        Ok(window)
    }
}
