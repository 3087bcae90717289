//! RSS 2.0, by the `rss` crate and the RSS Advisory Board's profile.

use crate::model::text::escape;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::itunes::{ITunesChannelExtension, ITunesItemExtension, ITunesOwner};
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Enclosure, Guid};

use super::extension::{self, Element};
use super::pieces::{self, Form, MARK, Piece};
use super::{Feed, GENERATOR, Item};
use crate::model::entry::Media;
use crate::model::taxonomy::ViewKind;

/// Name of the document.
pub const PATH: &str = "rss.xml";

/// Its media type.
pub const MEDIA_TYPE: &str = "application/rss+xml; charset=utf-8";

/// Renders the feed. `created` dates a feed that nothing was ever in.
pub fn render(feed: &Feed<'_>, created: DateTime<Utc>) -> String {
    let channel = feed.channel;
    let podcast = feed.is_podcast();
    let scheme = channel.url(&format!("{}/", ViewKind::Tag.root()));
    let form = if podcast { Form::Podcast } else { Form::Rss };
    let pieces = feed.pieces(form, |entry| piece(item(&Item::new(channel, entry), &scheme, podcast)));
    let elements = channel_elements(feed, podcast);
    let document = rss::Channel {
        title: feed.title.to_string(),
        link: feed.page(),
        description: feed.description.to_string(),
        language: Some(channel.language.clone()).filter(|language| !language.is_empty()),
        last_build_date: Some(date(feed.updated(created))),
        generator: Some(GENERATOR.into()),
        docs: Some("https://www.rssboard.org/rss-specification".into()),
        namespaces: namespaces(&pieces, &elements, podcast),
        extensions: map(elements),
        itunes_ext: podcast.then(|| itunes_channel(feed)),
        items: vec![rss::Item { title: Some(MARK.into()), ..rss::Item::default() }],
        ..rss::Channel::default()
    };
    let text = written(&document, &EMPTY_IN_CHANNEL);
    let (declaration, rest) = text.split_once("?>").expect("the crate writes a declaration");
    let frame = format!("{declaration}?>\n{}{}\n", channel.stylesheet(), rest.trim_start());
    let place = pieces::marked(&frame, "item").expect("an item was put there");
    pieces::filled(&frame, place, &pieces)
}

/// The crate breaks the line in elements that hold nothing; these are put into one.
fn written(document: &rss::Channel, empty: &[&str]) -> String {
    let bytes = document.pretty_write_to(Vec::new(), b' ', 0).expect("writing to memory cannot fail");
    let text = String::from_utf8(bytes).expect("the crate writes UTF-8");
    empty.iter().fold(text, |text, name| text.replace(&format!(">\n</{name}>"), "/>"))
}

fn piece(item: rss::Item) -> Piece {
    let own = [("content", item.content.is_some()), ("dc", item.dublin_core_ext.is_some())];
    let own = own.into_iter().filter(|(_, is_used)| *is_used).map(|(prefix, _)| prefix.to_owned());
    let prefixes: Vec<String> = item.extensions.keys().cloned().chain(own).collect();
    let empty: Vec<&str> = EMPTY_IN_ENTRIES.into_iter().filter(|name| is_of(name, &prefixes)).collect();
    let alone = rss::Channel { items: vec![item], ..rss::Channel::default() };
    Piece { text: pieces::only(&written(&alone, &empty), "item").to_owned(), prefixes }
}

/// Whether an element is in one of these namespaces.
fn is_of(name: &str, prefixes: &[String]) -> bool {
    name.split_once(':').is_some_and(|(prefix, _)| prefixes.iter().any(|used| used == prefix))
}

/// Elements that never hold anything.
const EMPTY_IN_CHANNEL: [&str; 3] = ["atom:link", "fh:complete", "fh:archive"];
const EMPTY_IN_ENTRIES: [&str; 3] = ["media:thumbnail", "podcast:transcript", "podcast:chapters"];

/// Only those that are used, under their customary prefixes (standards 21).
fn namespaces(pieces: &[Arc<Piece>], channel: &[Element], podcast: bool) -> BTreeMap<String, String> {
    let mut used: BTreeSet<&str> = channel.iter().map(Element::prefix).collect();
    used.extend(pieces.iter().flat_map(|piece| piece.prefixes.iter().map(String::as_str)));
    used.extend(podcast.then_some("itunes"));
    let all = [
        extension::ATOM,
        extension::CONTENT,
        extension::DC,
        extension::HISTORY,
        extension::MEDIA,
        extension::ITUNES,
        extension::PODCAST,
    ];
    let used = all.into_iter().filter(|(prefix, _)| used.contains(prefix));
    used.map(|(prefix, address)| (prefix.to_owned(), address.to_owned())).collect()
}

fn channel_elements(feed: &Feed<'_>, podcast: bool) -> Vec<Element> {
    let own = [("self", feed.url(PATH))];
    let links = own.into_iter().chain(feed.neighbours(PATH)).map(|(relation, href)| {
        let media_type = MEDIA_TYPE.split(';').next().map(str::to_owned);
        Element::new("atom:link", [("href", Some(href)), ("rel", Some(relation.to_owned())), ("type", media_type)])
    });
    let guid = feed.guid.filter(|_| podcast).map(|guid| Element::text("podcast:guid", guid));
    links.chain(extension::history(feed.history)).chain(guid).collect()
}

fn item(item: &Item<'_>, scheme: &str, podcast: bool) -> rss::Item {
    // With a summary, the description is the summary and the whole text is content:encoded; else the description is the
    // whole text (profile 5.2.1). Both are HTML.
    let summary = item.summary.map(escape);
    let html = item.html.map(str::to_owned);
    let (description, content) = if summary.is_some() { (summary, html) } else { (html, None) };
    let category = |tag: &String| Category { name: tag.clone(), domain: Some(scheme.to_owned()) };
    let recording = item.enclosures.first();
    rss::Item {
        title: Some(item.title.to_string()),
        link: Some(item.url.to_string()),
        description,
        content,
        categories: item.tags.iter().map(category).collect(),
        enclosure: recording.map(enclosure),
        guid: Some(Guid { value: item.guid.to_string(), permalink: false }),
        pub_date: Some(date(item.published)),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: item.authors.iter().map(|person| person.name.clone()).collect(),
            languages: item.language.map(str::to_owned).into_iter().collect(),
            // Where the text was first: RSS's own `source` is for feeds.
            sources: item.page.is_some().then(|| item.url.to_string()).into_iter().collect(),
            ..DublinCoreExtension::default()
        }),
        itunes_ext: podcast.then(|| itunes_item(item, recording)),
        extensions: map(extension::pictures(item).into_iter().chain(extension::podcast(item)).collect()),
        ..rss::Item::default()
    }
}

/// Its length is 0 where nobody knows it (profile 4.1.1.20.5).
fn enclosure(media: &Media) -> Enclosure {
    Enclosure {
        url: media.url.clone(),
        length: media.length.unwrap_or(0).to_string(),
        mime_type: extension::bare_type(media).to_owned(),
    }
}

fn itunes_channel(feed: &Feed<'_>) -> ITunesChannelExtension {
    let author = &feed.channel.author;
    let explicit =
        |entry: &crate::model::entry::Entry| entry.content.episode.as_ref().and_then(|episode| episode.explicit);
    ITunesChannelExtension {
        author: Some(author.name.clone()),
        image: feed.cover().map(|image| image.url.clone()),
        explicit: Some(feed.entries.iter().any(|entry| explicit(entry) == Some(true)).to_string()),
        owner: author
            .email
            .as_ref()
            .map(|email| ITunesOwner { name: Some(author.name.clone()), email: Some(email.clone()) }),
        ..ITunesChannelExtension::default()
    }
}

fn itunes_item(item: &Item<'_>, recording: Option<&Media>) -> ITunesItemExtension {
    let episode = item.episode;
    let names: Vec<&str> = item.authors.iter().map(|person| person.name.as_str()).collect();
    ITunesItemExtension {
        author: Some(names.join(", ")),
        image: item.image.map(|image| image.url.clone()),
        duration: recording.and_then(|media| media.duration).map(|seconds| seconds.to_string()),
        explicit: episode.and_then(|episode| episode.explicit).map(|explicit| explicit.to_string()),
        episode: episode.and_then(|episode| episode.number).map(|number| number.to_string()),
        season: episode.and_then(|episode| episode.season).map(|number| number.to_string()),
        episode_type: episode.and_then(|episode| episode.kind.clone()),
        ..ITunesItemExtension::default()
    }
}

/// RFC 822 with a four-figure year, in UTC: the form that every reader takes (profile 3.2).
pub fn date(date: DateTime<Utc>) -> String {
    date.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Written as plain extensions, since the crate's own type for `atom:link` would bring in all of its builders.
fn map(elements: Vec<Element>) -> ExtensionMap {
    extension::map(elements, &|name, value, attrs, children| Extension { name, value, attrs, children })
}
