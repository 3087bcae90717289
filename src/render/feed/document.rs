//! A feed document before it is rendered in a format.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::channel::Channel;
use super::fragment::{Fragment, FragmentCache};
use crate::model::collection::{self, ArticleLine, Collection, Tombstone};
use crate::model::entry::{Entry, Media, Person};
use crate::model::language;
use crate::model::section::SectionAbout;
use crate::model::taxonomy::{View, ViewKind};
use crate::render::words::fill;

/// The relation of a document to the rest of its feed (RFC 5005). The kinds are never mixed in one document (standards 63).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// It holds the newest entries; no document holds the others.
    Newest,
    /// It holds all entries.
    Complete,
    /// It holds the newest entries; the others are in archives, of which this is the newest.
    Archived(u32),
    /// It is the archive of this number.
    Archive(u32),
}

impl History {
    /// The relation of the main feed, given the number of the newest archive.
    pub fn of_main(archive: Option<u32>, is_whole: bool) -> Self {
        match archive {
            Some(newest) => Self::Archived(newest),
            None if is_whole => Self::Complete,
            None => Self::Newest,
        }
    }
}

/// A feed document before it is rendered in a format.
#[derive(Debug, Clone)]
pub struct Feed<'a> {
    pub channel: &'a Channel,
    /// Permanent id, shared by all documents of one feed (standards 5).
    pub id: Cow<'a, str>,
    /// Plain text.
    pub title: Cow<'a, str>,
    /// Plain text.
    pub description: Cow<'a, str>,
    /// Path of its page below the base address: empty, or with a slash at its end. Its documents are below that.
    pub place: String,
    /// Newest first.
    pub entries: &'a [Arc<Entry>],
    /// Pinned articles, which its page shows first.
    pub pinned: &'a [Arc<Entry>],
    /// The parts of a series, which its page shows in place of the entries.
    pub parts: &'a [ArticleLine],
    /// Deleted entries, latest first.
    pub tombstones: &'a [Tombstone],
    pub history: History,
    /// The language of all its entries, if it is the view of one.
    pub view_language: Option<String>,
    /// What its writer says about it.
    pub about: Option<&'a SectionAbout>,
    /// It has the elements that only podcasts have.
    pub is_podcast: bool,
    /// `podcast:guid`, if the feed has recordings.
    pub guid: Option<&'a str>,
    /// The newest change that a version has shown: the feed's date never moves back.
    pub latest: DateTime<Utc>,
    /// Fragments of its entries from earlier versions.
    pub fragments: Option<&'a FragmentCache>,
}

impl<'a> Feed<'a> {
    /// The main feed of a site. It is a podcast if these entries are all.
    pub fn main(channel: &'a Channel, entries: &'a [Arc<Entry>]) -> Self {
        let recordings = entries.iter().filter(|entry| entry.content.plays()).count();
        Self {
            channel,
            id: Cow::Borrowed(&channel.id),
            title: Cow::Borrowed(&channel.title),
            description: Cow::Borrowed(&channel.description),
            place: String::new(),
            entries,
            pinned: &[],
            parts: &[],
            tombstones: &[],
            history: History::Newest,
            view_language: None,
            about: None,
            is_podcast: collection::is_podcast(entries.len() as u64, recordings as u64),
            guid: None,
            latest: DateTime::UNIX_EPOCH,
            fragments: None,
        }
    }

    /// The feed of a folder, tag, author, series or language.
    pub fn view(channel: &'a Channel, view: &View, collection: &'a Collection) -> Self {
        let name = &view.label(channel.shown_name(view, &collection.name));
        let texts = &channel.words().texts;
        let description = view.kind.choose([
            &texts.section_articles,
            &texts.tag_articles,
            &texts.author_articles,
            &texts.series_articles,
            &texts.language_articles,
        ]);
        let description = fill(description, &[("name", name)]);
        // What is said about an author is for the page only.
        let about = collection.about.as_ref().filter(|_| view.kind == ViewKind::Section);
        let title = about.and_then(|about| about.title.clone());
        let stated = about.and_then(|about| about.description.clone());
        Self {
            id: Cow::Owned(id_of(channel, &view.path())),
            title: Cow::Owned(title.unwrap_or_else(|| channel.title_of(view, &collection.name))),
            description: Cow::Owned(stated.unwrap_or(description)),
            place: view.path(),
            view_language: (view.kind == ViewKind::Language).then(|| language::tag(&view.key)),
            pinned: &collection.pinned,
            parts: &collection.parts,
            tombstones: &collection.tombstones,
            history: if collection.is_whole { History::Complete } else { History::Newest },
            about: collection.about.as_ref(),
            is_podcast: collection.is_podcast,
            guid: collection.guid.as_deref(),
            latest: collection.latest,
            ..Self::main(channel, &collection.entries)
        }
    }

    /// A feed of entries that are made from articles, with its page at `place`.
    pub fn made(channel: &'a Channel, place: String, title: String, entries: &'a [Arc<Entry>]) -> Self {
        Self { id: Cow::Owned(id_of(channel, &place)), title: Cow::Owned(title), place, ..Self::main(channel, entries) }
    }

    /// The main feed with what its writer says about it. The configuration takes precedence.
    #[must_use]
    pub fn described(self, about: Option<&'a SectionAbout>) -> Self {
        let channel = self.channel;
        let title = about.and_then(|about| about.title.as_deref()).filter(|_| channel.has_default_title);
        let description = about.and_then(|about| about.description.as_deref());
        let description = description.filter(|_| channel.has_default_description);
        Self {
            title: title.map_or(self.title, Cow::Borrowed),
            description: description.map_or(self.description, Cow::Borrowed),
            about,
            ..self
        }
    }

    /// The language of the feed: that of the folder or of its view, or else of the site.
    pub fn language(&self) -> &str {
        let stated = self.about.and_then(|about| about.language.as_deref());
        stated.or(self.view_language.as_deref()).unwrap_or(&self.channel.language)
    }

    /// The authors of the feed: those of the folder, or else of the site.
    pub fn authors(&self) -> &'a [Person] {
        let own = self.about.map(|about| about.authors.as_slice()).filter(|authors| !authors.is_empty());
        own.unwrap_or(std::slice::from_ref(&self.channel.author))
    }

    /// The picture that its writer names.
    pub fn image(&self) -> Option<&'a Media> {
        self.about.and_then(|about| about.image.as_ref())
    }

    /// Who holds the rights: as the folder says, or else the site.
    pub fn copyright(&self) -> Option<&'a str> {
        let of_folder = self.about.and_then(|about| about.copyright.as_deref());
        of_folder.or(self.channel.statements.copyright.as_deref())
    }

    /// An archive of the main feed.
    pub fn archive(channel: &'a Channel, number: u32, collection: &'a Collection) -> Self {
        Self {
            place: archive_path(number),
            history: History::Archive(number),
            ..Self::main(channel, &collection.entries)
        }
    }

    /// Address of its document with this last part, as in `atom.xml`.
    pub fn url(&self, file: &str) -> String {
        self.channel.url(&format!("{}{file}", self.place))
    }

    /// Address of its page.
    pub fn page(&self) -> String {
        self.channel.url(&self.place)
    }

    /// When its content last changed (RFC 4287 section 4.2.15); `created` if it never did.
    pub fn updated(&self, created: DateTime<Utc>) -> DateTime<Utc> {
        let entries = self.entries.iter().map(|entry| entry.updated);
        let latest = Some(self.latest).filter(|latest| *latest > DateTime::UNIX_EPOCH);
        entries.chain(self.tombstones.iter().map(|tombstone| tombstone.at)).chain(latest).max().unwrap_or(created)
    }

    /// Links to the other documents `file` of the same feed: relation and address (RFC 5005 section 4). The newest archive names
    /// the next one, whose address redirects to the main feed until it exists.
    pub fn neighbours(&self, file: &str) -> Vec<(&'static str, String)> {
        let archive = |number: u32| self.channel.url(&format!("{}{file}", archive_path(number)));
        match self.history {
            History::Newest | History::Complete => Vec::new(),
            History::Archived(newest) => vec![("prev-archive", archive(newest))],
            History::Archive(number) => {
                let previous = (number > 1).then(|| ("prev-archive", archive(number - 1)));
                let rest = [("next-archive", archive(number + 1)), ("current", self.channel.url(file))];
                previous.into_iter().chain(rest).collect()
            }
        }
    }

    /// The cover of the podcast: the picture that most recordings share; among equals, that of the newest.
    pub fn cover(&self) -> Option<&'a Media> {
        let recordings = || self.entries.iter().filter(|entry| entry.content.plays());
        let images = || recordings().filter_map(|entry| entry.content.image.as_ref());
        let count = |image: &Media| images().filter(|other| other.url == image.url).count();
        // `max_by_key` takes the last of equals.
        images().collect::<Vec<_>>().into_iter().rev().max_by_key(|image| count(image))
    }

    /// Its entries as fragments, in order. `kind` names what `render` makes: equal names mean equal fragments.
    pub fn fragments(&self, kind: &'static str, render: impl Fn(&Entry) -> Fragment) -> Vec<Arc<Fragment>> {
        let fragment = |entry: &Arc<Entry>| match self.fragments {
            Some(cache) => cache.get_or_render(entry, kind, || render(entry)),
            None => Arc::new(render(entry)),
        };
        self.entries.iter().map(fragment).collect()
    }
}

/// Permanent id of the feed at a path. It is derived from the main feed's id, so it survives a change of the base address.
fn id_of(channel: &Channel, path: &str) -> String {
    let main = Uuid::parse_str(&channel.id).unwrap_or(Uuid::NAMESPACE_URL);
    Uuid::new_v5(&main, path.as_bytes()).urn().to_string()
}

/// Path of the page of an archive below the base address.
pub fn archive_path(number: u32) -> String {
    format!("archive/{number}/")
}
