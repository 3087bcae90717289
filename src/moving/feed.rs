//! RSS of all versions, and Atom 1.0 and 0.3.

use url::Url;

use super::entry::{FeedEntry, ForeignFeed, StatedDates, is_web_address, non_empty};
use super::post::{Post, PostRecording, PostStatus};
use super::xml::{self, FaultKind, XmlDocument, XmlElement};
use crate::article::{Problem, html, summary};
use crate::model::text::escape;

/// Elements with the date of publication, in the order in which they count.
const PUBLISHED: [&str; 8] =
    ["pubdate", "published", "issued", "dc:date", "dcterms:issued", "dcterms:created", "created", "date"];
/// Elements with the date of the last change.
const UPDATED: [&str; 6] = ["updated", "atom:updated", "modified", "dcterms:modified", "dc:modified", "lastbuilddate"];
/// Elements with an address of the page, in the order in which they count.
const ADDRESSES: [&str; 3] = ["feedburner:origlink", "link", "atom:link"];

/// Reads a document.
///
/// # Errors
/// The text is no feed. The error says why in one line.
pub fn read(text: &str) -> Result<ForeignFeed, String> {
    // A program may print a warning before the feed.
    let start = ["<?xml", "<rss", "<feed", "<rdf:RDF"].iter().filter_map(|start| text.find(start)).min().unwrap_or(0);
    let is_page = || text[..start].to_ascii_lowercase().contains("<html");
    let before = if is_page() { 0 } else { start };
    let (skipped, text) = text.split_at(before);
    let document = xml::read(text, &|name| matches!(name, "item" | "entry"));
    let root = document.root.as_ref().map(|root| root.name.rsplit(':').next().unwrap_or_default().to_owned());
    match root.as_deref() {
        Some("feed" | "rss" | "rdf" | "entry" | "channel") => {}
        Some(other) => {
            return Err(format!("the first element is <{other}>; expected an RSS, Atom or JSON Feed document"));
        }
        None => return Err("neither XML nor JSON; expected an RSS, Atom or JSON Feed document".into()),
    }
    let is_cut = document.faults.iter().any(|fault| fault.kind == FaultKind::CutOff);
    if document.entries.is_empty() && is_cut {
        return Err("it ends before its first entry: save the feed again".into());
    }
    let is_atom = matches!(root.as_deref(), Some("feed" | "entry"));
    let whole = FeedContext::of(&document);
    let mut feed = ForeignFeed {
        base: whole.base().cloned(),
        own: related(&document, "self"),
        older: related(&document, "prev-archive").or_else(|| related(&document, "next")),
        ..ForeignFeed::default()
    };
    if !skipped.trim().is_empty() {
        feed.remarks.push(Problem::at(1, "a text before the feed was skipped"));
    }
    let faults = document.faults.iter().map(|fault| Problem::at(fault.line, fault.to_string()));
    feed.remarks.extend(faults);
    for element in &document.entries {
        if let Some(what) = other_than_article(element) {
            feed.skip(what);
            continue;
        }
        let mut entry = entry(element, is_atom, &whole);
        if element.is_cut {
            // An id that is not there yet may follow in the part that is missing.
            if entry.id.is_none() && entry.guid.is_none() {
                feed.lose(format!("{} is cut off before its id: it is skipped; save the feed again", entry.name()));
                continue;
            }
            feed.lose(format!("{} is cut off: what follows its id may be missing; save the feed again", entry.name()));
        }
        if entry.guid.is_none() && !is_atom {
            entry.guid = element.attribute("rdf:about").map(str::to_owned);
        }
        feed.add(entry, dates(element));
    }
    Ok(feed)
}

/// The address of a document that the feed names by its relation.
fn related(document: &XmlDocument<'_>, relation: &str) -> Option<String> {
    let mut links = document.head.iter().filter(|element| matches!(element.name.as_str(), "link" | "atom:link"));
    links.find(|link| link.attribute("rel") == Some(relation))?.attribute("href").map(str::to_owned)
}

/// What a feed says for all its entries.
struct FeedContext {
    /// The address that it states as the base of others.
    stated: Option<Url>,
    site: Option<Url>,
    /// Of an Atom feed.
    authors: Vec<String>,
    language: Option<String>,
}

impl FeedContext {
    fn of(document: &XmlDocument<'_>) -> Self {
        let site = document.head.iter().filter(|element| element.name == "link").find_map(|link| {
            let is_site = link.attribute("rel").is_none_or(|rel| rel == "alternate");
            non_empty(&link.text()).or_else(|| link.attribute("href").map(str::to_owned)).filter(|_| is_site)
        });
        let site = site.and_then(|site| Url::parse(&site).ok());
        let channel = document.head.iter().find(|element| element.name == "channel");
        let of_channel = |name: &str| channel.and_then(|channel| channel.attribute(name));
        let of_root = |name: &str| document.root.as_ref().and_then(|root| root.attribute(name));
        let stated = joined(site.as_ref(), of_root("xml:base"));
        let stated = joined(stated.as_ref().or(site.as_ref()), of_channel("xml:base")).or(stated);
        let language = document.head.iter().find(|element| matches!(element.name.as_str(), "language" | "dc:language"));
        let language = language.and_then(|element| non_empty(&element.text()));
        let language = language.or_else(|| of_channel("xml:lang").or(of_root("xml:lang")).map(str::to_owned));
        let is_atom = document.root.as_ref().is_some_and(|root| root.name == "feed");
        let authors = if is_atom { authors_of_feed(document) } else { Vec::new() };
        Self { stated, site, authors, language }
    }

    /// The address to which those in the document are relative.
    fn base(&self) -> Option<&Url> {
        self.stated.as_ref().or(self.site.as_ref())
    }
}

/// An address relative to another one.
fn joined(base: Option<&Url>, address: Option<&str>) -> Option<Url> {
    let address = address?;
    base.map_or_else(|| Url::parse(address), |base| base.join(address)).ok()
}

/// The names of the authors of an Atom feed, whose elements stand in a row with those within them, each behind these.
fn authors_of_feed(document: &XmlDocument<'_>) -> Vec<String> {
    let (mut authors, mut name) = (Vec::new(), None);
    for element in &document.head {
        match element.name.as_str() {
            "name" => name = non_empty(&element.text()),
            "email" | "uri" => {}
            "author" => authors.extend(name.take()),
            _ => name = None,
        }
    }
    authors
}

fn entry(element: &XmlElement<'_>, is_atom: bool, whole_feed: &FeedContext) -> FeedEntry {
    let whole = |element: &&XmlElement<'_>| !element.is_cut;
    let guid = element.all(&["guid"]).find(whole);
    let (id, name) = (element.field("id"), element.field("guid"));
    let own_base = joined(whole_feed.base(), element.attribute("xml:base"));
    let stated = own_base.as_ref().or(whole_feed.stated.as_ref());
    let base = own_base.as_ref().or(whole_feed.base());
    let mut links: Vec<String> = element.all(&ADDRESSES).filter(whole).filter_map(address).collect();
    // The addresses of an Atom entry, if none is that of its page.
    if links.is_empty() {
        let other =
            element.all(&["link", "atom:link"]).filter(whole).filter(|link| link.attribute("rel") == Some("related"));
        links.extend(other.filter_map(|link| link.attribute("href").map(str::to_owned)));
    }
    let is_permalink = guid.is_some_and(|guid| guid.attribute("ispermalink").is_none_or(|value| value != "false"));
    links.extend(name.clone().filter(|name| is_web_address(name) || (is_permalink && name.starts_with('/'))));
    links.extend(id.clone().filter(|id| is_web_address(id)));
    let resolved = |link: String| match (Url::parse(&link), base) {
        (Err(url::ParseError::RelativeUrlWithoutBase), Some(base)) => base.join(&link).map_or(link, String::from),
        _ => link,
    };
    FeedEntry {
        id: id.clone().filter(|_| is_atom),
        guid: name.or(id.filter(|_| !is_atom)),
        links: links.into_iter().map(resolved).collect(),
        title: element.all(&["title", "dc:title"]).filter(whole).find_map(|title| title_text(title, is_atom)),
        content: content(element, is_atom, whole_feed, stated),
        ..FeedEntry::default()
    }
}

/// What an entry of a Blogger export is, if it is no article.
fn other_than_article(element: &XmlElement<'_>) -> Option<&'static str> {
    const KIND: &str = "http://schemas.google.com/g/2005#kind";
    let kind = element.all(&["category"]).find(|category| category.attribute("scheme") == Some(KIND));
    let kind = kind.and_then(|kind| kind.attribute("term")?.rsplit('#').next()).map(str::to_lowercase);
    let kind = kind.or_else(|| element.field("blogger:type").map(|kind| kind.to_lowercase()))?;
    let is_deleted = element.field("blogger:status").is_some_and(|status| status.contains("TRASHED"));
    match kind.as_str() {
        "post" if is_deleted => Some("deleted posts"),
        "post" => None,
        "page" => Some("pages"),
        "comment" => Some("comments"),
        _ => Some("settings"),
    }
}

/// Authors, tags, text and the like. `stated` is the address that is stated as the base of those in the entry.
fn content(element: &XmlElement<'_>, is_atom: bool, feed: &FeedContext, stated: Option<&Url>) -> Post {
    let mut post = Post { language: element.attribute("xml:lang").map(str::to_owned), ..Post::default() };
    let (mut summary, mut text) = (None, None);
    for child in element.elements().filter(|child| !child.is_cut) {
        match child.name.as_str() {
            "author" if is_atom => post.authors.extend(child.field("name").or_else(|| child.field("email"))),
            "author" => post.authors.extend(person(&child.text())),
            "dc:creator" => post.authors.extend(non_empty(&child.text())),
            "category" => post.tags.extend(tag(child)),
            "dc:language" => post.language = non_empty(&child.text()),
            "dc:subject" => post.tags.extend(child.text().split([',', ';']).filter_map(non_empty)),
            "content" | "content:encoded" | "xhtml:body" => text = Some(child),
            "summary" | "description" => summary = Some(child),
            "enclosure" => add_recording(&mut post, child, "url"),
            "link" if child.attribute("rel") == Some("enclosure") => add_recording(&mut post, child, "href"),
            "app:control" if child.field("app:draft").as_deref() == Some("yes") => post.status = PostStatus::Draft,
            "blogger:status" if child.text().trim() != "LIVE" => post.status = PostStatus::Draft,
            "blogger:filename" => post.addresses.extend(non_empty(&child.text())),
            _ => {}
        }
    }
    let has_text = |text: &&XmlElement<'_>| !text_as_html(text, is_atom).is_empty();
    let text = text.filter(has_text);
    let summary = summary.filter(|summary| text.is_some() || has_text(summary));
    // What programs for recordings and videos write, where there is nothing else.
    let whole_text = text.or(summary).or_else(|| {
        let groups = element.all(&["media:group", "media:content"]);
        let of_group = groups.flat_map(|group| group.all(&["media:description"]));
        element.all(&["itunes:summary", "media:description"]).chain(of_group).find(has_text)
    });
    if let Some(whole_text) = whole_text {
        post.html = text_as_html(whole_text, is_atom && !whole_text.name.contains(':'));
        if let Some(base) = joined(stated, whole_text.attribute("xml:base")).as_ref().or(stated) {
            post.resolve(base);
        }
    }
    post.summary = summary.filter(|_| text.is_some()).and_then(summary_text);
    add_inherited(&mut post, element, is_atom, feed);
    for texts in [&mut post.authors, &mut post.tags] {
        let mut distinct = Vec::new();
        texts.retain(|text| {
            !distinct.contains(text) && {
                distinct.push(text.clone());
                true
            }
        });
    }
    post
}

/// Adds the authors and the language of an entry that states none: those of the feed that it is from, or of the whole feed.
fn add_inherited(post: &mut Post, element: &XmlElement<'_>, is_atom: bool, feed: &FeedContext) {
    let fields = |name: &'static str| element.all(&[name]).find_map(|author| non_empty(&author.text()));
    if post.authors.is_empty() {
        post.authors.extend(fields("itunes:author"));
    }
    if post.authors.is_empty() && is_atom {
        // RFC 4287 section 4.2.1.
        let sources = element.all(&["source"]).flat_map(|source| source.all(&["author"]));
        post.authors.extend(sources.filter_map(|author| author.field("name").or_else(|| author.field("email"))));
        if post.authors.is_empty() {
            post.authors.clone_from(&feed.authors);
        }
    }
    // Atom has it at each text.
    let mut texts = element.all(&["content", "title"]).filter(|text| !text.is_cut);
    let of_texts = texts.find_map(|text| text.attribute("xml:lang"));
    post.language = post.language.take().or_else(|| of_texts.map(str::to_owned)).or_else(|| feed.language.clone());
}

/// A summary as plain text, unless a program cut it from the text.
fn summary_text(summary: &XmlElement<'_>) -> Option<String> {
    let text = html::one_line(&summary.text());
    let is_cut =
        ["[…]", "[...]", "…", "Read more", "Continue reading"].iter().any(|end| text.trim_end().ends_with(end));
    non_empty(&text).filter(|text| !is_cut && !text.contains("appeared first on"))
}

/// The name in `mail@example.org (Ann Lee)`.
fn person(text: &str) -> Option<String> {
    let name = text.split_once('(').and_then(|(_, name)| Some(name.rsplit_once(')')?.0));
    non_empty(name.unwrap_or(text))
}

fn tag(category: &XmlElement<'_>) -> Option<String> {
    let scheme = category.attribute("scheme").unwrap_or_default();
    let name = category.attribute("label").or(category.attribute("term")).map(str::to_owned);
    non_empty(&name.unwrap_or_else(|| category.text())).filter(|_| !scheme.ends_with("#kind"))
}

/// The text of an element as HTML, by its type.
fn text_as_html(element: &XmlElement<'_>, is_atom: bool) -> String {
    let is_plain = match element.attribute("type").map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "xhtml" | "text/html" | "application/xhtml+xml") => false,
        Some("text" | "text/plain") => true,
        _ => element.elements().next().is_none() && (is_atom || !looks_like_html(&element.text())),
    };
    if is_plain { paragraphs(&element.text()) } else { element.markup() }
}

/// Plain text as HTML.
pub fn paragraphs(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    let paragraphs = paragraphs.map(|paragraph| format!("<p>{}</p>", escape(paragraph).replace('\n', "<br>\n")));
    paragraphs.collect::<Vec<_>>().join("\n")
}

fn add_recording(post: &mut Post, element: &XmlElement<'_>, address: &str) {
    let Some(url) = element.attribute(address).map(str::to_owned) else { return };
    let media_type = element.attribute("type").map(str::to_owned);
    if media_type.as_deref().is_some_and(|media_type| media_type.starts_with("image/")) {
        post.image.get_or_insert(url);
        return;
    }
    let length = element.attribute("length").and_then(|length| length.parse().ok());
    post.recordings.push(PostRecording { url, media_type, length });
}

/// The address of a page in an element of RSS or Atom.
fn address(link: &XmlElement<'_>) -> Option<String> {
    let is_page = link.attribute("rel").is_none_or(|rel| rel == "alternate");
    let href = || link.attribute("href").or(link.attribute("rdf:resource")).map(str::to_owned);
    non_empty(&link.text()).or_else(href).filter(|_| is_page)
}

/// A title by its type, as plain text in one line.
fn title_text(title: &XmlElement<'_>, is_atom: bool) -> Option<String> {
    let of_type = title.attribute("type").unwrap_or("text").to_ascii_lowercase();
    let text = title.text();
    let is_html = match of_type.as_str() {
        _ if title.elements().next().is_some() => false,
        "html" | "text/html" => true,
        // RSS does not say which of the two a title is.
        _ => !is_atom && is_certainly_html(&text),
    };
    non_empty(&if is_html { html::one_line(&text) } else { summary::one_line(&text) })
}

/// Whether a title has tags with their ends, or an `&` only at the start of character references.
fn is_certainly_html(title: &str) -> bool {
    let is_reference = |(at, _): (usize, &str)| {
        let rest = &title[at..];
        rest.find(';').is_some_and(|end| html::resolve_references(&rest[..=end]) != rest[..=end])
    };
    title.contains("</") || (title.contains('&') && title.match_indices('&').all(is_reference))
}

/// Whether a text has character references or tags.
pub fn looks_like_html(text: &str) -> bool {
    let has_reference = || text.contains('&') && html::resolve_references(text) != text;
    let is_tag = |(at, _): (usize, &str)| {
        let rest = text[at + 1..].trim_start_matches('/');
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains('>')
    };
    has_reference() || text.match_indices('<').take(MOST_TAGS).any(is_tag)
}

/// Number of signs in a text that are looked at for a tag.
const MOST_TAGS: usize = 100;

fn dates(element: &XmlElement<'_>) -> StatedDates {
    let texts = |names: &[&str]| -> Vec<String> {
        let fields = names.iter().flat_map(|name| element.elements().filter(move |child| child.name == *name));
        fields.filter(|field| !field.is_cut).filter_map(|field| non_empty(&field.text())).collect()
    };
    StatedDates { published: texts(&PUBLISHED), updated: texts(&UPDATED) }
}
