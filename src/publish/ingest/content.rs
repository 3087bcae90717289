//! What a file says -> what is served of it: addresses that lead somewhere, HTML that is safe, pictures and recordings with
//! their sizes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use url::Url;

use super::Ingest;
use crate::article::address::Addresses;
use crate::article::{Article, html};
use crate::catalog::{self, Catalog, Referred};
use crate::entry::{Content, legal};

/// Hash of what an article says: if it is the same, the article was not updated. Its place and its address are not what
/// it says.
pub(super) fn said(article: &Article) -> [u8; 32] {
    let Article { title, authors, summary, html, tags, language, link, .. } = article;
    blake3::hash(format!("{:?}", (title, authors, summary, html, tags, language, link)).as_bytes()).into()
}

impl Ingest {
    /// What is served of the article at a path below the folder, and which files of the folder it refers to, there or not.
    /// Nothing gets past here that would make a feed unreadable.
    pub(super) fn content(
        &self,
        catalog: &Catalog,
        article: &Article,
        path: &Path,
        permalink: &Url,
    ) -> catalog::Result<(Content, Vec<Referred>)> {
        let referred: RefCell<BTreeSet<PathBuf>> = RefCell::default();
        let failed: RefCell<Option<catalog::CatalogError>> = RefCell::default();
        let is_there = |path: &Path| {
            referred.borrow_mut().insert(path.to_path_buf());
            self.folder.stat(path).is_some()
        };
        let page = |path: &Path| {
            referred.borrow_mut().insert(path.to_path_buf());
            let slug = catalog.slug_at(path).map_err(|error| failed.borrow_mut().replace(error)).ok().flatten();
            slug.map(|slug| self.channel.page(&slug))
        };
        let addresses =
            Addresses { permalink, base_url: &self.channel.base_url, path, is_there: &is_there, page: &page };
        // A numeric reference in HTML can mean any character at all.
        let html = legal(&html::sanitise(&article.html, &addresses)).into_owned();
        if let Some(error) = failed.take() {
            return Err(error);
        }
        let content = Content {
            title: article.title.clone(),
            authors: article.authors.clone(),
            summary: legal(&article.summary).into_owned(),
            html,
            tags: article.tags.clone(),
            language: article.language.clone(),
            link: article.link.clone(),
            ..Content::default()
        };
        let referred = referred.take().into_iter().map(|path| Referred { stamp: self.stamp(&path), path });
        Ok((content, referred.collect()))
    }
}
