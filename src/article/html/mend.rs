//! A text as a program left it -> the same with every address absolute and everything in it that a feed reader can show.
//!
//! Nothing here makes a text safe; [`super::safe`] does, after this.

use crate::model::text::escape;
use std::collections::HashSet;

use html5ever::tokenizer::Tag;
use url::Url;

use super::images::{MOST_SIZES, Picture, is_tracker};
use super::noise;
use super::pieces::{Piece, attribute, inside, pieces};
use crate::article::address::Addresses;

/// After how many bytes a text is parted: writing one down takes time in its length for each character that is escaped.
const PART: usize = 4096;

/// Most pieces between the start and the end of a `<picture>` or a `<noscript>`.
const MOST: usize = 100;

/// Mends a fragment. Says whether browsers may see something else in it, so that it should be read again.
pub fn mend(html: &str, addresses: &Addresses<'_>) -> (String, bool) {
    let (pieces, endless) = noise::without(pieces(html));
    let targets = targets(&pieces, addresses.permalink);
    let mut writer = Writer {
        addresses,
        targets,
        output: String::with_capacity(html.len() * 5 / 4),
        parted: 0,
        missing: None,
        spare: None,
        sources: Vec::new(),
        endless,
    };
    let mut at = 0;
    while at < pieces.len() {
        at = writer.write(&pieces, at);
    }
    writer.forget_picture();
    (writer.output, writer.endless)
}

/// Names in the text that links in the same text lead to.
fn targets(pieces: &[Piece], permalink: &Url) -> HashSet<String> {
    let link = |piece: &Piece| match piece {
        Piece::Start(tag) if &*tag.name == "a" => fragment(attribute(tag, "href")?, permalink),
        _ => None,
    };
    pieces.iter().filter_map(link).collect()
}

/// The name in the text at `permalink` that an address leads to.
pub fn fragment(address: &str, permalink: &Url) -> Option<String> {
    let (page, name) = address.split_once('#')?;
    let is_here = page.is_empty() || page == permalink.as_str();
    let bytes = |name: &str| Url::parse(&format!("a:#{name}")).ok().and_then(|url| url.fragment().map(str::to_owned));
    is_here.then(|| bytes(name)).flatten().filter(|name| !name.is_empty())
}

/// A name as [`fragment`] has it.
fn comparable(name: &str) -> Option<String> {
    fragment(&format!("#{name}"), &Url::parse("a:").ok()?)
}

/// Writes a text, with comments in it where it is long: they go again, and what stood on both sides stays apart in the tree.
fn push_text(output: &mut String, text: &str, parted: &mut usize) {
    let mut rest = text;
    while !rest.is_empty() {
        let part = &rest[..rest.floor_char_boundary(PART)];
        rest = &rest[part.len()..];
        output.push_str(&escape(part).replace('\u{A0}', "&nbsp;"));
        *parted += part.len();
        if *parted >= PART {
            output.push_str("<!---->");
            *parted = 0;
        }
    }
}

struct Writer<'a> {
    addresses: &'a Addresses<'a>,
    /// Names that something leads to and nothing has yet.
    targets: HashSet<String>,
    output: String,
    /// Bytes of text since it was last parted.
    parted: usize,
    /// Where a picture should stand that is nowhere to be found yet, and what it shows in words.
    missing: Option<(usize, String)>,
    /// A picture for browsers without scripts, whose place may come behind it.
    spare: Option<String>,
    /// Where the `<picture>` that is open stands, and each `<source>` in it.
    sources: Vec<usize>,
    /// An element had no end.
    endless: bool,
}

impl Writer<'_> {
    /// Writes what stands at a place; gives the next.
    fn write(&mut self, pieces: &[Piece], at: usize) -> usize {
        match &pieces[at] {
            Piece::Text(text) => {
                if !text.trim().is_empty() {
                    self.forget_picture();
                }
                push_text(&mut self.output, text, &mut self.parted);
            }
            Piece::End(name) => {
                if &**name == "picture" {
                    self.sources.clear();
                } else {
                    self.output.push_str(&format!("</{name}>"));
                }
            }
            Piece::Foreign(tag) => {
                // What a formula is in words; the formula itself goes, since few readers show it.
                if let Some(words) = attribute(tag, "alttext").filter(|_| &*tag.name == "math") {
                    self.output.push_str(&escape(words));
                }
                self.element(tag);
            }
            Piece::Start(tag) => return self.start(tag, pieces, at),
        }
        at + 1
    }

    fn start(&mut self, tag: &Tag, pieces: &[Piece], at: usize) -> usize {
        let name: &str = &tag.name;
        match name {
            "noscript" => return self.without_scripts(pieces, at),
            "picture" => {
                self.sources.clear();
                self.sources.push(at);
                return at + 1;
            }
            "source" if !self.sources.is_empty() => {
                if self.sources.len() < MOST_SIZES {
                    self.sources.push(at);
                }
                return at + 1;
            }
            "img" => {
                self.picture(tag, pieces);
                return at + 1;
            }
            _ => self.forget_picture(),
        }
        match name {
            "iframe" => self.frame(tag),
            "a" if attribute(tag, "href").is_none() => return self.anchor(tag, pieces, at),
            _ => self.element(tag),
        }
        at + 1
    }

    fn picture(&mut self, tag: &Tag, pieces: &[Piece]) {
        if is_tracker(tag) {
            return;
        }
        let sources = self.sources.iter().filter_map(|at| match &pieces[*at] {
            Piece::Start(tag) if &*tag.name == "source" => Some(tag),
            _ => None,
        });
        let picture = Picture::of_several(tag, &sources.collect::<Vec<_>>(), self.addresses);
        let spare = self.spare.take();
        self.forget_picture();
        match spare {
            Some(spare) if picture.is_placeholder => self.output.push_str(&spare),
            _ if picture.source.is_none() || picture.is_placeholder => {
                let words = attribute(tag, "alt").map(escape).unwrap_or_default();
                let instead = picture.source.is_some().then(|| image(tag, &picture));
                self.missing = Some((self.output.len(), instead.unwrap_or(words)));
            }
            _ => {
                let image = image(tag, &picture);
                self.output.push_str(&image);
            }
        }
    }

    /// Where no picture was found, the words that stand for it are shown.
    fn forget_picture(&mut self) {
        self.spare = None;
        if let Some((place, instead)) = self.missing.take() {
            self.output.insert_str(place, &instead);
        }
    }

    /// What browsers without scripts see goes, but for a picture whose place is taken by one that only a script would load.
    fn without_scripts(&mut self, pieces: &[Piece], at: usize) -> usize {
        let Some(content) = inside(pieces, at, MOST) else {
            self.endless = true;
            return at + 1;
        };
        let images = pieces[content.clone()].iter().filter_map(|piece| match piece {
            Piece::Start(tag) if &*tag.name == "img" && !is_tracker(tag) => Some(tag),
            _ => None,
        });
        let found =
            images.map(|tag| (tag, Picture::of(tag, self.addresses))).find(|(_, picture)| !picture.is_placeholder);
        if let Some((tag, picture)) = found {
            let image = image(tag, &picture);
            match self.missing.take() {
                Some((place, _)) => self.output.insert_str(place, &image),
                None => self.spare = Some(image),
            }
        }
        content.end + 1
    }

    /// Films live in frames, which readers do not show: a link leads to them.
    fn frame(&mut self, tag: &Tag) {
        let address = ["src", "data-src", "data-lazy-src"].iter().find_map(|name| attribute(tag, name));
        let film = address.and_then(|address| self.addresses.absolute(address)).and_then(|address| film(&address));
        let Some((place, address)) = film else { return };
        let words = attribute(tag, "title").unwrap_or(place);
        self.output.push_str("<a");
        push_attribute(&mut self.output, "href", Some(&address));
        self.output.push_str(&format!(">{}</a>", escape(words)));
    }

    /// A place to be led to, which is nothing by itself.
    fn anchor(&mut self, tag: &Tag, pieces: &[Piece], at: usize) -> usize {
        let name = attribute(tag, "id").or_else(|| attribute(tag, "name")).and_then(comparable);
        let is_target = name.is_some_and(|name| self.targets.contains(&name));
        let shows = |piece: &Piece| !matches!(piece, Piece::Text(text) if text.trim().is_empty());
        match inside(pieces, at, 3) {
            Some(content) if !is_target && !pieces[content.clone()].iter().any(shows) => {
                self.output.push_str(&escape(&text_of(&pieces[content.clone()])));
                content.end + 1
            }
            content => {
                self.endless |= content.is_none();
                self.element(tag);
                at + 1
            }
        }
    }

    fn element(&mut self, tag: &Tag) {
        self.output.push('<');
        self.output.push_str(&tag.name);
        let mut is_named = false;
        for found in &tag.attrs {
            let (name, value): (&str, &str) = (&found.name.local, &found.value);
            let value = match (&*tag.name, name) {
                (_, "href" | "src" | "cite" | "poster") => self.addresses.absolute(value),
                (_, "id") | ("a", "name") => self.target(value).filter(|_| !std::mem::replace(&mut is_named, true)),
                ("code" | "pre", "class") => language(value),
                ("th" | "td", "style") => aligned(value).map(str::to_owned),
                (_, "class") if value == "footnote-definition" => Some(value.to_owned()),
                (_, "class" | "style" | "srcset") => None,
                (_, name) if name.starts_with("on") || !name.bytes().all(is_plain) => None,
                _ => Some(value.to_owned()),
            };
            let name = match name {
                "name" => "id",
                "style" => "align",
                other => other,
            };
            push_attribute(&mut self.output, name, value.as_deref());
        }
        self.output.push_str(if tag.self_closing { "/>" } else { ">" });
    }

    /// A name that something leads to, the first time.
    fn target(&mut self, name: &str) -> Option<String> {
        let is_target = comparable(name.trim()).is_some_and(|name| self.targets.remove(&name));
        (is_target && !name.trim().contains(char::is_whitespace)).then(|| name.trim().to_owned())
    }
}

fn text_of(pieces: &[Piece]) -> String {
    let texts = pieces.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(&**text) } else { None });
    texts.collect()
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

/// An `<img>` that shows what was found.
fn image(tag: &Tag, picture: &Picture) -> String {
    let mut image = String::from("<img");
    push_attribute(&mut image, "src", picture.source.as_deref());
    push_attribute(&mut image, "srcset", picture.sizes.as_deref());
    let sizes = attribute(tag, "sizes").filter(|sizes| picture.sizes.is_some() && *sizes != "auto");
    push_attribute(&mut image, "sizes", sizes);
    // An empty one says that the picture only adorns.
    let alt = tag.attrs.iter().find(|found| &*found.name.local == "alt");
    push_attribute(&mut image, "alt", alt.map(|alt| &*alt.value));
    for name in ["title", "width", "height", "align", "lang", "dir"] {
        push_attribute(&mut image, name, attribute(tag, name));
    }
    image.push('>');
    image
}

/// The class by which programs that colour code know its language.
pub fn language(classes: &str) -> Option<String> {
    let name = |class: &str| class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-")).map(str::to_owned);
    let name = classes.split_ascii_whitespace().find_map(name).filter(|name| !name.is_empty())?;
    Some(format!("language-{name}"))
}

/// How the text of a cell is aligned.
fn aligned(style: &str) -> Option<&str> {
    let rule =
        style.split(';').find_map(|rule| rule.trim().strip_prefix("text-align")?.trim_start().strip_prefix(':'))?;
    Some(rule.trim()).filter(|side| matches!(*side, "left" | "right" | "center" | "justify"))
}

/// Whose film a frame shows, and where it can be watched.
fn film(address: &str) -> Option<(&'static str, String)> {
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
