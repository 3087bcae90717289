//! RSS of all versions, and Atom 1.0 and 0.3.

use url::Url;

use super::entry::{FeedEntry, ForeignFeed, StatedDates, is_web_address, non_empty};
use super::xml::{self, FaultKind, XmlDocument, XmlElement};
use crate::article::{Problem, html, summary};

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
    let base = base(&document);
    let mut feed = ForeignFeed::default();
    let faults = document.faults.iter().map(|fault| Problem::at(fault.line, fault.to_string()));
    feed.remarks.extend(faults);
    for element in &document.entries {
        let mut entry = entry(element, is_atom, base.as_ref());
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

/// The address to which those in the document are relative.
fn base(document: &XmlDocument<'_>) -> Option<Url> {
    let stated = document.root.as_ref().and_then(|root| root.attribute("xml:base"));
    let site = document.head.iter().filter(|element| element.name == "link").find_map(|link| {
        let is_site = link.attribute("rel").is_none_or(|rel| rel == "alternate");
        non_empty(&link.text()).or_else(|| link.attribute("href").map(str::to_owned)).filter(|_| is_site)
    });
    stated.and_then(|base| Url::parse(base).ok()).or_else(|| Url::parse(&site?).ok())
}

fn entry(element: &XmlElement<'_>, is_atom: bool, base: Option<&Url>) -> FeedEntry {
    let whole = |element: &&XmlElement<'_>| !element.is_cut;
    let guid = element.all(&["guid"]).find(whole);
    let (id, name) = (element.field("id"), element.field("guid"));
    let own_base = element.attribute("xml:base").and_then(|base| Url::parse(base).ok());
    let base = own_base.as_ref().or(base);
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
        ..FeedEntry::default()
    }
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
        _ => !is_atom && looks_like_html(&text),
    };
    non_empty(&if is_html { html::one_line(&text) } else { summary::one_line(&text) })
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
