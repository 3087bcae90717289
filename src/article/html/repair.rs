//! Repairs a fragment for feed readers: makes every address absolute, and replaces what readers do not show (late pictures,
//! video frames, formulas) with what they do show.
//!
//! The result is not safe yet; [`super::safe`] makes it so.

use std::borrow::Cow;
use std::collections::HashSet;

use url::Url;

use super::base;
use super::formula;
use super::hidden::without_hidden;
use super::images::{MOST_COPIED, Picture, PictureSources, is_tracker};
use super::noise::without_noise;
use super::tokens::{self, Tag, Token, TokenKind};
use crate::article::address::{Addresses, is_picture};
use crate::model::text::escape;

/// Number of bytes of text after which a text is divided: to serialise a text takes time in its length for each character that
/// is escaped.
const PART: usize = 4096;

/// Elements whose tags the sanitiser removes and whose content stays.
const UNWRAPPED: [&str; 5] = ["fieldset", "font", "label", "main", "section"];

/// Maximum number of tokens in a `<noscript>`.
const MOST: usize = 100;

/// Maximum number of tokens in an `<a>` that is only the target of links.
const MOST_IN_TARGET: usize = 3;

/// Repairs a fragment. Also returns whether browsers may read the result differently, so that it should be read again.
pub fn repair(html: &str, addresses: &Addresses<'_>) -> (String, bool) {
    let base = base::of_text(html);
    let addresses = &base.as_ref().map_or(*addresses, |base| addresses.with_base(base));
    let (tokens, has_open_end) = without_noise(without_hidden(tokens::visible(html)));
    let targets = targets(&tokens, addresses.permalink);
    let mut writer = Writer {
        addresses,
        targets,
        names: HashSet::new(),
        output: String::with_capacity(html.len() * 5 / 4),
        undivided: 0,
        missing: None,
        spare: None,
        shown: HashSet::new(),
        is_after_picture: false,
        sources: None,
        copies: MOST_COPIED,
        has_open_end,
    };
    let mut at = 0;
    while at < tokens.len() {
        at = writer.write(&tokens, at);
    }
    writer.end_search();
    (writer.output, writer.has_open_end)
}

/// Targets in the text of links in the same text.
fn targets(tokens: &[Token<'_>], permalink: &Url) -> HashSet<String> {
    let target = |token: &Token<'_>| match &token.kind {
        TokenKind::Start(tag) if tag.name == "a" => fragment(&tag.attribute("href")?, permalink),
        _ => None,
    };
    tokens.iter().filter_map(target).collect()
}

/// The decoded fragment of an address in the text at `permalink`; `None` for an address elsewhere.
pub fn fragment(address: &str, permalink: &Url) -> Option<String> {
    let (page, name) = address.split_once('#')?;
    let is_here = page.is_empty() || page == permalink.as_str();
    let encoded = |name: &str| Url::parse(&format!("a:#{name}")).ok().and_then(|url| url.fragment().map(str::to_owned));
    is_here.then(|| encoded(name)).flatten().filter(|name| !name.is_empty())
}

/// Attribute of a link with the text that is shown instead if it leads nowhere.
pub const RAW_LINK: &str = "data-note-raw";
/// Attribute of a link with the words that are shown instead if it leads somewhere.
pub const LINK_WORDS: &str = "data-note-words";

/// Prefix of the names that writers give to paragraphs for links, as in Obsidian.
const BLOCK_NAME: char = '^';

/// Whether a name stays although no link of the article leads to it: that of a heading or of a paragraph that its writer has named.
///
/// Other articles link to these, and other sites. To keep only the names that an article of this site links to, each would have to be read
/// again whenever another one appears, changes or disappears, and a link from elsewhere would lead to nothing all the same. Readers see no
/// difference: feed readers drop names or ignore them.
pub fn is_lasting_name(element: &str, name: &str) -> bool {
    matches!(element, "h1" | "h2" | "h3" | "h4" | "h5" | "h6") || name.starts_with(BLOCK_NAME)
}

/// A name in the form that [`fragment`] returns.
fn comparable(name: &str) -> Option<String> {
    fragment(&format!("#{name}"), &Url::parse("a:").ok()?)
}

/// Writes a text. Comments divide a long text in the tree of the parser; the sanitiser removes them.
fn push_text(output: &mut String, text: &str, undivided: &mut usize) {
    let mut rest = text;
    while !rest.is_empty() {
        let part = &rest[..rest.floor_char_boundary(PART)];
        rest = &rest[part.len()..];
        output.push_str(&escape(part).replace('\u{A0}', "&nbsp;"));
        *undivided += part.len();
        if *undivided >= PART {
            output.push_str("<!---->");
            *undivided = 0;
        }
    }
}

struct Writer<'a, 't> {
    addresses: &'a Addresses<'a>,
    /// Targets of links that no element has been given yet.
    targets: HashSet<String>,
    /// Names of elements so far.
    names: HashSet<String>,
    output: String,
    /// Bytes of text since the last comment that divides it.
    undivided: usize,
    /// The place in the output of a picture without a usable address, and the HTML that stands there if no address follows.
    missing: Option<(usize, String)>,
    /// The place in the output of a `<noscript>` with a picture, and that picture. It stands in for one without an address that may
    /// follow, and is left out beside any other.
    spare: Option<(usize, String)>,
    /// The addresses of the pictures so far.
    shown: HashSet<String>,
    /// Nothing stands between the last picture and the place of the next token.
    is_after_picture: bool,
    /// The sources of the open `<picture>`.
    sources: Option<PictureSources<'t>>,
    /// Bytes of attributes that may still be copied from a `<source>` to another `<img>`.
    copies: usize,
    /// An element has no end tag nearby.
    has_open_end: bool,
}

impl<'t> Writer<'_, 't> {
    /// Writes the token at an index; returns the index of the next.
    fn write(&mut self, tokens: &[Token<'t>], at: usize) -> usize {
        match &tokens[at].kind {
            TokenKind::Text(text) => {
                let text = text.resolved();
                if !text.trim().is_empty() {
                    self.end_search();
                }
                push_text(&mut self.output, &text, &mut self.undivided);
            }
            TokenKind::End(tag) if tag.name == "picture" => self.sources = None,
            TokenKind::End(tag) if tag.name == "xmp" => self.output.push_str("</pre>"),
            TokenKind::End(tag) => self.output.push_str(&format!("</{}>", tag.name)),
            TokenKind::Foreign(tag) if tag.name == "math" => {
                self.end_search();
                let (next, has_end) = formula::write(tokens, at, &mut self.output);
                self.has_open_end |= !has_end;
                return next;
            }
            TokenKind::Foreign(tag) => self.element(tag),
            TokenKind::Start(tag) => return self.start(tag, tokens, at),
            TokenKind::RawText(text) if is_xmp(tokens, at) => {
                push_text(&mut self.output, text.source, &mut self.undivided);
            }
            TokenKind::RawText(_) | TokenKind::Comment(_) | TokenKind::Other => {}
        }
        at + 1
    }

    fn start(&mut self, tag: &Tag<'t>, tokens: &[Token<'t>], at: usize) -> usize {
        match &*tag.name {
            "noscript" => return self.noscript(tokens, at),
            "picture" => {
                self.sources = Some(PictureSources::default());
                return at + 1;
            }
            "img" | "amp-img" | "amp-anim" => {
                self.picture(tag);
                return at + 1;
            }
            "source" => {
                if let Some(sources) = &mut self.sources {
                    sources.push(tag);
                    return at + 1;
                }
                self.end_search();
            }
            _ => self.end_search(),
        }
        match &*tag.name {
            "iframe" => self.frame(tag),
            // Text with visible tags, before there were character references for them.
            "xmp" => self.output.push_str("<pre>\n"),
            name if formula::ELEMENTS.contains(&name) => {}
            name if UNWRAPPED.contains(&name) || name.contains('-') => self.named_place(tag),
            "a" if tag.attribute("href").is_none() => return self.target_of_links(tag, tokens, at),
            "a" => match self.uncertain_link(tag, tokens, at) {
                Some(end) => return end,
                None => self.element(tag),
            },
            _ => self.element(tag),
        }
        at + 1
    }

    fn picture(&mut self, tag: &Tag<'_>) {
        if is_tracker(tag) {
            return;
        }
        let picture = match &mut self.sources {
            Some(sources) => sources.picture(tag, self.addresses, &mut self.copies),
            None => Picture::of(tag, self.addresses),
        };
        let spare = self.spare.take();
        self.end_search();
        self.is_after_picture = true;
        self.shown.extend(picture.source.clone());
        match spare {
            Some((_, spare)) if picture.is_placeholder => self.output.push_str(&spare),
            _ if picture.source.is_none() || picture.is_placeholder => {
                let words = tag.attribute("alt").map(|words| escape(&words)).unwrap_or_default();
                let instead = picture.source.is_some().then(|| image(tag, &picture));
                self.missing = Some((self.output.len(), instead.unwrap_or(words)));
            }
            _ => self.output.push_str(&image(tag, &picture)),
        }
    }

    /// Ends the search for the address of a picture: the text in its place is shown, or the picture of a `<noscript>`.
    fn end_search(&mut self) {
        self.is_after_picture = false;
        if let Some((place, instead)) = self.missing.take().or_else(|| self.spare.take()) {
            self.output.insert_str(place, &instead);
        }
    }

    /// Removes a `<noscript>`. A picture in it replaces one that only a script would load.
    fn noscript(&mut self, tokens: &[Token<'_>], at: usize) -> usize {
        let Some(content) = tokens::content(tokens, at, MOST) else {
            self.has_open_end = true;
            return at + 1;
        };
        let images = tokens[content.clone()].iter().filter_map(|token| match &token.kind {
            TokenKind::Start(tag) if tag.name == "img" && !is_tracker(tag) => Some(tag),
            _ => None,
        });
        let mut pictures = images.map(|tag| (tag, Picture::of(tag, self.addresses)));
        if let Some((tag, picture)) = pictures.find(|(_, picture)| !picture.is_placeholder) {
            let image = image(tag, &picture);
            match self.missing.take() {
                Some((place, _)) => self.output.insert_str(place, &image),
                None if self.is_after_picture || !self.is_new_illustration(tag, &picture) => {}
                None => self.spare = Some((self.output.len(), image)),
            }
        }
        content.end + 1
    }

    /// Whether the picture of a `<noscript>` is one of the page that was not shown yet, rather than one that only counts readers.
    fn is_new_illustration(&self, tag: &Tag<'_>, picture: &Picture) -> bool {
        let has_words = || tag.attribute("alt").is_some_and(|words| !words.trim().is_empty());
        picture
            .source
            .as_ref()
            .is_some_and(|source| (is_picture(source) || has_words()) && !self.shown.contains(source))
    }

    /// Replaces a frame with a link to its video. Readers do not show frames.
    fn frame(&mut self, tag: &Tag<'_>) {
        let address = ["src", "data-src", "data-lazy-src"].iter().find_map(|name| tag.attribute(name));
        let address = address.and_then(|address| self.addresses.absolute(&address));
        let Some((site, address)) = address.and_then(|address| video(&address)) else { return };
        let words = tag.attribute("title").unwrap_or_else(|| site.into());
        self.output.push_str("<a");
        push_attribute(&mut self.output, "href", Some(&address));
        self.output.push_str(&format!(">{}</a>", escape(&words)));
    }

    /// Writes the link to a note that may not be there with the text that fits. Returns the place of its end tag, from which on the rest
    /// is written.
    fn uncertain_link(&mut self, tag: &Tag<'_>, tokens: &[Token<'_>], at: usize) -> Option<usize> {
        let (raw, words) = (tag.attribute(RAW_LINK), tag.attribute(LINK_WORDS));
        if raw.is_none() && words.is_none() {
            return None;
        }
        let content = tokens::content(tokens, at, MOST_IN_TARGET)?;
        let address = tag.attribute("href").and_then(|address| self.addresses.absolute(&address));
        let Some(address) = address else {
            let text = raw.map_or_else(|| tokens::text(&tokens[content.clone()]), Cow::into_owned);
            self.output.push_str(&escape(&text));
            return Some(content.end + 1);
        };
        self.output.push_str("<a");
        push_attribute(&mut self.output, "href", Some(&address));
        let text = words.map_or_else(|| tokens::text(&tokens[content.clone()]), Cow::into_owned);
        self.output.push_str(&format!(">{}</a>", escape(&text)));
        Some(content.end + 1)
    }

    /// Writes an `<a>` that leads nowhere, if a link leads to it or it has content.
    fn target_of_links(&mut self, tag: &Tag<'_>, tokens: &[Token<'_>], at: usize) -> usize {
        let name = tag.attribute("id").or_else(|| tag.attribute("name")).and_then(|name| comparable(&name));
        let is_target = name.is_some_and(|name| self.targets.contains(&name));
        let is_blank = |token: &Token<'_>| match &token.kind {
            TokenKind::Text(text) => text.resolved().trim().is_empty(),
            _ => false,
        };
        match tokens::content(tokens, at, MOST_IN_TARGET) {
            Some(content) if !is_target && tokens[content.clone()].iter().all(is_blank) => {
                self.output.push_str(&escape(&tokens::text(&tokens[content.clone()])));
                content.end + 1
            }
            content => {
                self.has_open_end |= content.is_none();
                self.element(tag);
                at + 1
            }
        }
    }

    /// Writes the name of an element that the sanitiser takes away, as a place that links can lead to.
    fn named_place(&mut self, tag: &Tag<'_>) {
        if let Some(name) = tag.attribute("id").and_then(|id| self.target("a", &id)) {
            self.output.push_str("<a");
            push_attribute(&mut self.output, "id", Some(&name));
            self.output.push_str("></a>");
        }
        self.element(tag);
    }

    fn element(&mut self, tag: &Tag<'_>) {
        self.output.push('<');
        self.output.push_str(&tag.name);
        let mut has_id = false;
        for attribute in tag.attributes() {
            let (name, value) = (&*attribute.name, attribute.value());
            let value = match (&*tag.name, name) {
                (_, "href" | "src" | "cite" | "poster") => self.addresses.absolute(&value),
                (_, "id") | ("a", "name") => {
                    self.target(&tag.name, &value).filter(|_| !std::mem::replace(&mut has_id, true))
                }
                ("code" | "pre", "class") => language(&value),
                ("th" | "td", "style") => aligned(&value).map(str::to_owned),
                (_, "class") if value == "footnote-definition" => Some(value.into_owned()),
                (_, "class" | "style" | "srcset") => None,
                (_, name) if name.starts_with("on") || !name.bytes().all(is_plain) => None,
                _ => Some(value.into_owned()),
            };
            let name = match name {
                "name" => "id",
                "style" => "align",
                other => other,
            };
            push_attribute(&mut self.output, name, value.as_deref());
        }
        self.output.push_str(if tag.is_self_closing { "/>" } else { ">" });
    }

    /// The name of an element, if a link leads to it or others may lead to it, and no element before has the name.
    fn target(&mut self, element: &str, name: &str) -> Option<String> {
        let is_target = comparable(name.trim()).is_some_and(|comparable| {
            let is_linked = self.targets.remove(&comparable);
            (is_linked || is_lasting_name(element, name.trim())) && self.names.insert(comparable)
        });
        (is_target && !name.trim().contains(char::is_whitespace)).then(|| name.trim().to_owned())
    }
}

/// Whether a token is the text of an `<xmp>`.
fn is_xmp(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &tokens[before].kind);
    matches!(before, Some(TokenKind::Start(tag)) if tag.name == "xmp")
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':')
}

fn push_attribute(output: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        let value = value.replace('&', "&amp;").replace('\u{A0}', "&nbsp;").replace('"', "&quot;");
        output.push_str(&format!(" {name}=\"{value}\""));
    }
}

/// The `<img>` of a picture.
fn image(tag: &Tag<'_>, picture: &Picture) -> String {
    let mut image = String::from("<img");
    push_attribute(&mut image, "src", picture.source.as_deref());
    push_attribute(&mut image, "srcset", picture.sizes.as_deref());
    let sizes = tag.attribute("sizes").filter(|sizes| picture.sizes.is_some() && sizes != "auto");
    push_attribute(&mut image, "sizes", sizes.as_deref());
    // An empty text means that the picture is only decoration.
    push_attribute(&mut image, "alt", tag.find("alt").map(|alt| alt.value()).as_deref());
    for name in ["title", "width", "height", "align", "lang", "dir"] {
        push_attribute(&mut image, name, tag.attribute(name).as_deref());
    }
    image.push('>');
    image
}

/// The class from which syntax highlighters know the language of code.
pub fn language(classes: &str) -> Option<String> {
    let name = |class: &str| class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-")).map(str::to_owned);
    let name = classes.split_ascii_whitespace().find_map(name).filter(|name| !name.is_empty())?;
    Some(format!("language-{name}"))
}

/// The alignment of the text of a cell.
fn aligned(style: &str) -> Option<&str> {
    let rule =
        style.split(';').find_map(|rule| rule.trim().strip_prefix("text-align")?.trim_start().strip_prefix(':'))?;
    Some(rule.trim()).filter(|side| matches!(*side, "left" | "right" | "center" | "justify"))
}

/// The site of the video in a frame, and the address of the video's page.
fn video(address: &str) -> Option<(&'static str, String)> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?.trim_start_matches("www.");
    let parts: Vec<&str> = url.path_segments()?.filter(|part| !part.is_empty()).collect();
    match (host, parts.as_slice()) {
        ("youtube.com" | "youtube-nocookie.com", ["embed", "videoseries"]) => {
            let list = url.query_pairs().find(|(name, _)| name == "list")?.1;
            Some(("YouTube", format!("https://www.youtube.com/playlist?list={}", encoded(&list))))
        }
        ("youtube.com" | "youtube-nocookie.com", ["embed" | "v", id, ..]) => {
            Some(("YouTube", format!("https://www.youtube.com/watch?v={}", encoded(id))))
        }
        ("player.vimeo.com", ["video", id, ..]) => Some(("Vimeo", format!("https://vimeo.com/{}", encoded(id)))),
        _ => None,
    }
}

fn encoded(id: &str) -> String {
    crate::article::address::encoded(std::path::Path::new(id)).replace('/', "%2F").replace("%25", "%")
}
