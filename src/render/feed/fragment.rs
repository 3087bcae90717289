//! Documents from parts: a frame, and one fragment for each entry. A fragment is rendered once for each version of its
//! entry, so a change costs the rendering of one entry and a copy of the others.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::entry::Entry;

/// An entry as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Bytes of the document.
    pub text: String,
    /// Prefixes of the XML namespaces that it uses.
    pub prefixes: Vec<String>,
}

/// Fragments by the address of their entry in memory and by kind of document. An entry is immutable, and the cache holds it,
/// so its address names its content.
#[derive(Debug, Default)]
pub struct FragmentCache(Mutex<HashMap<(usize, &'static str), CachedFragment>>);

type CachedFragment = (Arc<Entry>, Arc<Fragment>);

fn address(entry: &Arc<Entry>) -> usize {
    Arc::as_ptr(entry).addr()
}

impl FragmentCache {
    /// Returns the fragment of an entry; renders it if the cache lacks it. `kind` names the kind of document.
    pub(super) fn get_or_render(
        &self,
        entry: &Arc<Entry>,
        kind: &'static str,
        render: impl FnOnce() -> Fragment,
    ) -> Arc<Fragment> {
        let mut fragments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, fragment) =
            fragments.entry((address(entry), kind)).or_insert_with(|| (Arc::clone(entry), Arc::new(render())));
        Arc::clone(fragment)
    }

    /// Drops the fragments of all other entries.
    pub fn retain(&self, entries: &[Arc<Entry>]) {
        let addresses: HashSet<usize> = entries.iter().map(address).collect();
        let mut fragments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fragments.retain(|(address, _), _| addresses.contains(address));
    }
}

/// An XML document without entries, split where they belong: before the end tags that close it. Both parts are whole
/// runs of bytes at the document's ends; no text in the document is looked at.
#[derive(Debug)]
pub(super) struct Frame {
    head: String,
    tail: &'static str,
}

impl Frame {
    /// Splits a document that a crate has written and that ends with the end tags `tail`.
    pub fn new(mut document: String, tail: &'static str) -> Self {
        let length = document.strip_suffix(tail).expect("the crate closes the elements that it opens").len();
        document.truncate(length);
        Self { head: document, tail }
    }

    /// What a document has more than this frame: its entries.
    pub fn entries_of<'a>(&self, document: &'a str) -> &'a str {
        let entries = document.strip_prefix(self.head.as_str()).and_then(|rest| rest.strip_suffix(self.tail));
        entries.expect("the crate writes the same around an entry as around none").trim_ascii_start()
    }

    /// The whole document, with `before` at its start and each of `lines` on a line of its own.
    pub fn filled<'a>(&self, before: &str, lines: impl Iterator<Item = &'a str> + Clone) -> String {
        let length: usize = lines.clone().map(|line| line.len() + 1).sum();
        let mut document = String::with_capacity(before.len() + self.head.len() + length + self.tail.len() + 1);
        document.push_str(before);
        document.push_str(&self.head);
        for line in lines {
            document.push('\n');
            document.push_str(line);
        }
        document.push_str(self.tail);
        document.push('\n');
        document
    }
}
