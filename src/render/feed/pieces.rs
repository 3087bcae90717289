//! Documents in pieces: a frame, and each entry by itself, which stays the same for as long as the entry does. So a change costs the
//! writing of what has changed, and putting the rest together again.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::Feed;
use crate::model::entry::Entry;

/// How an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// In an Atom document.
    Atom,
    /// In an RSS document.
    Rss,
    /// In an RSS document that is a podcast.
    Podcast,
    /// In a JSON Feed.
    Json,
    /// In a page for people.
    Page,
}

/// An entry as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes.
    pub text: String,
    /// Prefixes of the namespaces that it uses.
    pub prefixes: Vec<String>,
}

/// Pieces that were written before. An entry is known by where it is: it never changes there, and stays there for as long as a
/// piece of it is kept.
#[derive(Debug, Default)]
pub struct Pieces(Mutex<HashMap<(usize, Form), CachedPiece>>);

/// A piece, and the entry that it is of.
type CachedPiece = (Arc<Entry>, Arc<Piece>);

fn place(entry: &Arc<Entry>) -> usize {
    Arc::as_ptr(entry).addr()
}

impl Pieces {
    /// The piece of an entry; written now if it was not before.
    fn of(&self, entry: &Arc<Entry>, form: Form, write: impl FnOnce() -> Piece) -> Arc<Piece> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, piece) = kept.entry((place(entry), form)).or_insert_with(|| (Arc::clone(entry), Arc::new(write())));
        Arc::clone(piece)
    }

    /// Forgets the pieces of all but these entries.
    pub fn keep(&self, entries: &[Arc<Entry>]) {
        let places: std::collections::HashSet<usize> = entries.iter().map(place).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(place, _), _| places.contains(place));
    }
}

impl Feed<'_> {
    /// All its entries, each as a piece.
    pub fn pieces(&self, form: Form, write: impl Fn(&Entry) -> Piece) -> Vec<Arc<Piece>> {
        let piece = |entry: &Arc<Entry>| match self.kept {
            Some(kept) => kept.of(entry, form, || write(entry)),
            None => Arc::new(write(entry)),
        };
        self.entries.iter().map(piece).collect()
    }
}

/// Stands in a frame where the entries belong; no text has it, since feeds carry no such characters.
pub(super) const MARK: &str = "\u{F8FF}entries\u{F8FF}";

/// Where the element with [`MARK`] in it stands.
pub(super) fn marked(frame: &str, name: &str) -> Option<Range<usize>> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mark = frame.find(MARK)?;
    let start = frame[..mark].rfind(&open)?;
    let end = mark + frame[mark..].find(&close)? + close.len();
    Some(start..end)
}

/// The element of a document that has no other of its name.
pub(super) fn only<'a>(document: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = document.find(&open).unwrap_or(0);
    let end = document.rfind(&close).map_or(document.len(), |end| end + close.len());
    &document[start..end]
}

/// A frame with pieces in the place of what stands at `place`, each on a line of its own.
pub(super) fn filled(frame: &str, place: Range<usize>, pieces: &[Arc<Piece>]) -> String {
    let length: usize = pieces.iter().map(|piece| piece.text.len() + 1).sum();
    let mut document = String::with_capacity(frame.len() + length);
    document.push_str(&frame[..place.start]);
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            document.push('\n');
        }
        document.push_str(&piece.text);
    }
    let rest = &frame[place.end..];
    // Where there is none, its line goes, too.
    document.push_str(if pieces.is_empty() { rest.strip_prefix('\n').unwrap_or(rest) } else { rest });
    document
}
