//! Elements from other namespaces, the same in RSS and Atom: Media RSS, Dublin Core, RFC 5005, Podcasting 2.0.

use std::collections::BTreeMap;

use super::document::History;
use super::item::Item;
use crate::model::entry::{Media, without_parameters};
use crate::model::text::escape;

// Namespaces under their customary prefixes (standards 21).
pub const ATOM: (&str, &str) = ("atom", "http://www.w3.org/2005/Atom");
/// RSS 1.0 content module.
pub const CONTENT: (&str, &str) = ("content", "http://purl.org/rss/1.0/modules/content/");
/// Dublin Core.
pub const DC: (&str, &str) = ("dc", "http://purl.org/dc/elements/1.1/");
/// Feed history (RFC 5005).
pub const HISTORY: (&str, &str) = ("fh", "http://purl.org/syndication/history/1.0");
/// Tombstones (RFC 6721).
pub const TOMBSTONES: (&str, &str) = ("at", "http://purl.org/atompub/tombstones/1.0");
/// Media RSS.
pub const MEDIA: (&str, &str) = ("media", "http://search.yahoo.com/mrss/");
/// Apple's podcast directory.
pub const ITUNES: (&str, &str) = ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd");
/// Dave Winer's `source` namespace.
pub const SOURCE: (&str, &str) = ("source", "http://source.scripting.com/");
/// Podcasting 2.0.
pub const PODCAST: (&str, &str) = ("podcast", "https://podcastindex.org/namespace/1.0");

/// One element of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// With its prefix.
    pub name: &'static str,
    pub attributes: BTreeMap<String, String>,
    /// Plain text.
    pub text: Option<String>,
    pub children: Vec<Element>,
}

impl Element {
    /// Makes an element of those attributes that have a value.
    pub fn new<'a>(name: &'static str, attributes: impl IntoIterator<Item = (&'a str, Option<String>)>) -> Self {
        let attributes = attributes.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Self { name, attributes: attributes.collect(), ..Self::default() }
    }

    pub fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, text: Some(text.into()), ..Self::default() }
    }

    /// The prefix of its name, which stands for its namespace.
    pub fn prefix(&self) -> &'static str {
        self.name.split_once(':').map_or("", |(prefix, _)| prefix)
    }

    pub fn xml(&self) -> String {
        let mut attributes = String::new();
        for (key, value) in &self.attributes {
            attributes.push_str(&format!(" {key}=\"{}\"", escape(value).replace('"', "&quot;")));
        }
        let inside: String = self.children.iter().map(Self::xml).collect();
        let text = self.text.as_deref().map(escape).unwrap_or_default();
        if inside.is_empty() && text.is_empty() {
            return format!("<{}{attributes}/>", self.name);
        }
        format!("<{0}{attributes}>{text}{inside}</{0}>", self.name)
    }
}

/// Converts elements to a map as both crates need it: by prefix, then by local name. `make` makes the crate's own type from name,
/// text, attributes and children.
pub fn map<E>(
    elements: Vec<Element>,
    make: &impl Fn(String, Option<String>, BTreeMap<String, String>, BTreeMap<String, Vec<E>>) -> E,
) -> BTreeMap<String, BTreeMap<String, Vec<E>>> {
    let mut map: BTreeMap<String, BTreeMap<String, Vec<E>>> = BTreeMap::new();
    for element in elements {
        let (prefix, local) = element.name.split_once(':').unwrap_or(("", element.name));
        // The children of one element are in one namespace.
        let children = self::map(element.children, make).into_values().next().unwrap_or_default();
        let extension = make(element.name.to_owned(), element.text, element.attributes, children);
        map.entry(prefix.to_owned()).or_default().entry(local.to_owned()).or_default().push(extension);
    }
    map
}

/// `<fh:complete/>` or `<fh:archive/>` (RFC 5005 sections 2 and 4).
pub fn history(history: History) -> Option<Element> {
    match history {
        History::Complete => Some(Element::new("fh:complete", [])),
        History::Archive(_) => Some(Element::new("fh:archive", [])),
        History::Newest | History::Archived(_) => None,
    }
}

/// Pictures of an entry: its cover, the other pictures, and the cover as a thumbnail. An entry with an enclosure has only the
/// thumbnail: many libraries take each `media:content` for an enclosure, and the first one for the recording.
pub fn pictures(item: &Item<'_>) -> Vec<Element> {
    let pictures = item.image.iter().copied().chain(item.pictures).filter(|_| item.enclosures.is_empty());
    let mut elements: Vec<Element> = pictures.map(picture).collect();
    if let Some(image) = item.image {
        let (width, height) = size(image);
        elements.push(Element::new(
            "media:thumbnail",
            [("url", Some(image.url.clone())), ("width", width), ("height", height)],
        ));
    }
    elements
}

fn picture(media: &Media) -> Element {
    let (width, height) = size(media);
    let mut element = Element::new(
        "media:content",
        [
            ("url", Some(media.url.clone())),
            ("type", Some(bare_type(media).to_owned())),
            ("medium", Some("image".to_owned())),
            ("fileSize", media.length.map(|length| length.to_string())),
            ("width", width),
            ("height", height),
        ],
    );
    // Never `media:description`: feedparser takes it for the text of the entry, wherever in the entry it stands.
    if let Some(alternative) = &media.title {
        let mut title = Element::text("media:title", alternative.clone());
        title.attributes.insert("type".into(), "plain".into());
        element.children.push(title);
    }
    element
}

fn size(media: &Media) -> (Option<String>, Option<String>) {
    media.size.map_or((None, None), |(width, height)| (Some(width.to_string()), Some(height.to_string())))
}

/// A media type without its parameters, as attributes state it.
pub fn bare_type(media: &Media) -> &str {
    without_parameters(&media.media_type)
}

/// Transcripts and chapters of an episode (standards 146).
pub fn podcast(item: &Item<'_>) -> Vec<Element> {
    let Some(episode) = item.episode else { return Vec::new() };
    let element = |name, media: &Media| {
        let language = ("language", media.language.clone());
        Element::new(name, [("url", Some(media.url.clone())), ("type", Some(bare_type(media).to_owned())), language])
    };
    let transcripts = episode.transcripts.iter().map(|media| element("podcast:transcript", media));
    transcripts.chain(episode.chapters.iter().map(|media| element("podcast:chapters", media))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_escaped_and_closed() {
        let mut element = Element::new("media:content", [("url", Some("a?b&c=\"d\"".into())), ("width", None)]);
        element.children.push(Element::text("media:title", "<b> & co"));
        assert_eq!(
            element.xml(),
            "<media:content url=\"a?b&amp;c=&quot;d&quot;\"><media:title>&lt;b&gt; &amp; co</media:title></media:content>"
        );
        assert_eq!(Element::new("fh:complete", []).xml(), "<fh:complete/>");
        assert_eq!(element.prefix(), "media");
    }
}
