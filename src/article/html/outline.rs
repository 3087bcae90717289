//! The title, the metadata and the paragraphs of a page, from its tokens.

use std::ops::Range;

use super::hidden::without_hidden;
use super::tokens::{Tag, Token, TokenKind, tokens};
use crate::article::summary;

/// The parts of a page that describe it.
#[derive(Debug, Default)]
pub struct Outline {
    /// Text of `<title>`.
    pub title: Option<String>,
    /// The first headings of the levels 1 to 3 that have a text.
    pub headings: Vec<Heading>,
    /// `lang` of `<html>`.
    pub language: Option<String>,
    /// `<meta name=… content=…>` and `<meta property=…>`, names in lower case.
    pub meta: Vec<(String, String)>,
    /// Where `<meta http-equiv=refresh>` leads to, if at once.
    pub redirect: Option<String>,
    /// Content of each `<script type="application/ld+json">`.
    pub linked_data: Vec<String>,
    /// Text of each `<p>`.
    pub paragraphs: Vec<String>,
}

/// A heading of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// From 1 to 3.
    pub level: u8,
    pub text: String,
    /// Where its start tag begins in the source.
    pub start: usize,
    /// Where it stands in the source; `None` if another `<h1>` starts before its end.
    pub range: Option<Range<usize>>,
}

/// Maximum number of headings in an outline.
const MOST_HEADINGS: usize = 100;

/// Maximum number of names of a property.
const MOST_NAMES: usize = 10;

/// A page that leads away later than this can be read, in seconds.
const LONGEST_REDIRECT: f64 = 10.0;

/// Reads the outline of a page or a fragment.
pub fn outline(html: &str) -> Outline {
    of_tokens(&without_hidden(tokens(html).collect()))
}

/// Reads the outline of tokens in their order.
pub fn of_tokens<'a>(tokens: impl IntoIterator<Item = &'a Token<'a>>) -> Outline {
    let mut reader = OutlineReader::default();
    for token in tokens {
        match &token.kind {
            TokenKind::Text(text) if reader.reads_text() => reader.text(&text.resolved()),
            TokenKind::RawText(text) => match reader.raw {
                RawUse::Title => reader.text(&text.resolved()),
                RawUse::LinkedData => reader.outline.linked_data.push(text.resolved().into_owned()),
                RawUse::Nothing => {}
            },
            TokenKind::Start(tag) => {
                (reader.drawings, reader.formula) = (0, None);
                reader.start(tag, token.range.start);
            }
            TokenKind::Foreign(tag) if tag.name == "svg" => reader.drawings += usize::from(!tag.is_self_closing),
            TokenKind::Foreign(tag) if tag.name == "math" => {
                if let Some(words) = tag.attribute("alttext").filter(|_| reader.reads_text()) {
                    reader.text(&words);
                    reader.formula = (!tag.is_self_closing).then_some("math");
                }
            }
            TokenKind::Foreign(tag) if tag.name == "annotation" => {
                reader.formula = reader.formula.or(Some("annotation"));
            }
            TokenKind::Foreign(tag) if reader.drawings == 0 => reader.start(tag, token.range.start),
            TokenKind::End(tag) => reader.end(&tag.name, token.range.end),
            TokenKind::Text(_) | TokenKind::Foreign(_) | TokenKind::Comment(_) | TokenKind::Other => {}
        }
    }
    reader.end_paragraph();
    reader.outline
}

/// What the raw text of the last element is read for.
#[derive(Debug, Default, Clone, Copy)]
enum RawUse {
    #[default]
    Nothing,
    Title,
    LinkedData,
}

/// The outline so far, and the texts of the elements that are open.
#[derive(Debug, Default)]
struct OutlineReader {
    outline: Outline,
    raw: RawUse,
    /// Number of open `<svg>`, whose text no reader sees.
    drawings: usize,
    title: Option<String>,
    heading: Option<String>,
    /// Level of the open heading.
    heading_level: u8,
    /// Where the open heading starts.
    heading_start: usize,
    /// The open heading stands in another.
    is_nested: bool,
    paragraph: Option<String>,
    /// Name of the open element of a formula whose text is not read: its text is in an attribute, or it is another form.
    formula: Option<&'static str>,
    /// Name of the element with the mark of a footnote, if one is open.
    mark: Option<&'static str>,
}

/// The name of the element, if it is the mark of a footnote, as Markdown programs and wikis write it.
fn mark_of_footnote(tag: &Tag<'_>) -> Option<&'static str> {
    let name = ["sup", "a"].into_iter().find(|name| tag.name == *name)?;
    let has_id = || tag.attribute("id").is_some_and(|id| id.starts_with("fnref") || id.starts_with("cite_ref"));
    let has_role = || tag.attribute("role").is_some_and(|role| role == "doc-noteref");
    (has_id() || has_role() || tag.has_class(&["footnote-ref", "footnote-reference"])).then_some(name)
}

/// Elements that end an open `<p>`, since `</p>` is optional.
const ENDS_PARAGRAPH: [&str; 16] = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "table",
    "pre",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "section",
    "article",
    "hr",
    "figure",
];

impl OutlineReader {
    /// Whether the next text is one that readers see.
    fn reads_text(&self) -> bool {
        self.drawings == 0 && self.mark.is_none() && self.formula.is_none()
    }

    fn text(&mut self, text: &str) {
        for open in [&mut self.title, &mut self.heading, &mut self.paragraph].into_iter().flatten() {
            open.push_str(text);
        }
    }

    fn start(&mut self, tag: &Tag<'_>, position: usize) {
        let name: &str = &tag.name;
        let value = |name: &str| tag.find(name).map(|attribute| attribute.value().into_owned());
        if ENDS_PARAGRAPH.contains(&name) {
            self.end_paragraph();
        }
        self.raw = RawUse::Nothing;
        self.mark = self.mark.or_else(|| mark_of_footnote(tag));
        match name {
            "title" => {
                self.title.get_or_insert_default();
                self.raw = RawUse::Title;
            }
            "script" if value("type").is_some_and(|kind| is_linked_data(&kind)) => {
                self.raw = RawUse::LinkedData;
            }
            "html" => self.outline.language = value("lang"),
            "h1" => self.start_heading(1, position),
            "h2" if !self.is_in_title() => self.start_heading(2, position),
            "h3" if !self.is_in_title() => self.start_heading(3, position),
            "p" => self.paragraph = Some(String::new()),
            "br" => self.text(" "),
            "meta" => {
                if value("http-equiv").is_some_and(|name| name.trim().eq_ignore_ascii_case("refresh")) {
                    let target = value("content").and_then(|content| redirect_target(&content));
                    self.outline.redirect = self.outline.redirect.take().or(target);
                }
                // A property may have several names (RDFa 1.1 section 5).
                let names = value("name").map(|name| vec![name.trim().to_ascii_lowercase()]);
                let names = names.or_else(|| {
                    let properties = value("property")?.to_ascii_lowercase();
                    Some(properties.split_ascii_whitespace().take(MOST_NAMES).map(str::to_owned).collect())
                });
                if let (Some(names), Some(content)) = (names, value("content")) {
                    let content = summary::one_line(&content);
                    self.outline.meta.extend(names.into_iter().map(|name| (name, content.clone())));
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str, position: usize) {
        self.mark = self.mark.filter(|mark| *mark != name);
        self.formula = self.formula.filter(|formula| *formula != name);
        match name {
            "svg" => self.drawings = self.drawings.saturating_sub(1),
            "title" => {
                let title = finished(&mut self.title);
                self.outline.title = self.outline.title.take().or(title);
            }
            "h1" if self.heading_level == 1 => self.end_heading(position),
            "h2" | "h3" => {
                if name.ends_with(char::from(b'0' + self.heading_level)) {
                    self.end_heading(position);
                }
                self.end_paragraph();
            }
            name if ENDS_PARAGRAPH.contains(&name) || name == "body" => self.end_paragraph(),
            _ => {}
        }
    }

    /// Whether an `<h1>` is open.
    fn is_in_title(&self) -> bool {
        self.heading.is_some() && self.heading_level == 1
    }

    fn start_heading(&mut self, level: u8, position: usize) {
        if self.outline.headings.len() < MOST_HEADINGS {
            self.is_nested = self.is_in_title();
            (self.heading_level, self.heading_start) = (level, position);
            self.heading = Some(String::new());
        }
    }

    fn end_heading(&mut self, position: usize) {
        if let Some(text) = finished(&mut self.heading) {
            let (level, start) = (self.heading_level, self.heading_start);
            let range = (!self.is_nested).then_some(start..position);
            self.outline.headings.push(Heading { level, text, start, range });
        }
    }

    fn end_paragraph(&mut self) {
        self.mark = None;
        self.outline.paragraphs.extend(finished(&mut self.paragraph));
    }
}

/// Whether a media type, perhaps with parameters, is that of JSON-LD.
fn is_linked_data(media_type: &str) -> bool {
    media_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/ld+json"))
}

/// Reads the address in the content of `<meta http-equiv=refresh>`, as in `0; url=/new/`. `None` if it only loads the page again, or
/// leads away after the time to read it.
fn redirect_target(content: &str) -> Option<String> {
    let (delay, rest) = content.split_once([';', ','])?;
    let delay: f64 = delay.trim().parse().ok()?;
    let rest = rest.trim();
    let address =
        rest.get(..3).filter(|name| name.eq_ignore_ascii_case("url")).map_or(rest, |_| rest[3..].trim_start());
    let address = address.trim_start_matches('=').trim().trim_matches(['"', '\'']);
    (delay <= LONGEST_REDIRECT && !address.is_empty()).then(|| address.to_owned())
}

/// Takes the text of an element that ends, unless it is blank.
fn finished(open: &mut Option<String>) -> Option<String> {
    open.take().map(|text| summary::one_line(&text)).filter(|text| !text.is_empty())
}
