//! The picture of an `<img>`: pages load it late, in several sizes, or only to count readers; a feed reader needs one address.

use std::borrow::Cow;

use super::tokens::Tag;
use crate::article::address::Addresses;

/// Attributes with the address of a picture that a script loads later.
const LAZY: [&str; 6] = ["data-src", "data-original", "data-lazy-src", "data-lazy", "data-url", "data-hi-res-src"];
const LAZY_SETS: [&str; 3] = ["data-srcset", "data-lazy-srcset", "data-original-set"];
/// Starts of the names of files that a page shows until a script loads the picture.
const PLACEHOLDERS: [&str; 9] =
    ["blank.", "spacer.", "pixel.", "placeholder", "transparent.", "lazyload", "lazy.", "1x1.", "grey.gif"];
/// Maximum number of sizes of a picture, and of `<source>` in a `<picture>`; the others are ignored.
pub const MOST_SIZES: usize = 100;
/// Maximum number of bytes of attributes that the second and later `<img>` of each `<picture>` in a text copy from its sources. A
/// `<picture>` of a page has one `<img>`; thousands of them would make thousands of copies of a long `srcset`.
pub const MOST_COPIED: usize = 1 << 20;
/// Of the sizes of a picture, the largest up to this width is used, in pixels. A larger one is only slower.
const WIDEST: u32 = 2_000;

/// The addresses of a picture.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Absolute address.
    pub source: Option<String>,
    /// A `srcset` with absolute addresses.
    pub sizes: Option<String>,
    /// A script would have replaced the source.
    pub is_placeholder: bool,
}

impl Picture {
    /// Reads an `<img>` or a `<source>`.
    pub fn of(tag: &Tag<'_>, addresses: &Addresses<'_>) -> Self {
        let address = |name: &str| tag.attribute(name).filter(|text| is_address(text));
        let sets = LAZY_SETS.iter().chain(&["srcset"]).find_map(|name| tag.attribute(name));
        let sizes = sets.map(|sets| sized_pictures(&sets, addresses)).unwrap_or_default();
        let plain = address("src");
        let is_placeholder = |source: &str| {
            let name = source.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            PLACEHOLDERS.iter().any(|placeholder| name.starts_with(placeholder))
        };
        let absolute = |source: Cow<'_, str>| addresses.absolute(&source).filter(|source| is_web(source));
        let lazy = LAZY.iter().find_map(|name| address(name));
        let stated = lazy.or_else(|| plain.clone().filter(|source| !is_placeholder(source)));
        let source = stated.and_then(absolute).or_else(|| best(&sizes).map(str::to_owned));
        Self {
            is_placeholder: source.is_none(),
            source: source.or_else(|| plain.and_then(absolute)),
            sizes: Some(srcset(&sizes)).filter(|sizes| !sizes.is_empty()),
        }
    }

    /// Number of bytes of its attributes.
    fn size(&self) -> usize {
        [&self.source, &self.sizes].into_iter().flatten().map(String::len).sum()
    }
}

/// The `<source>` elements of an open `<picture>`. Each is read once, however many `<img>` follow.
#[derive(Debug, Default)]
pub struct PictureSources<'a> {
    /// Those that no `<img>` has needed yet.
    unread: Vec<Tag<'a>>,
    count: usize,
    /// The first usable one.
    old: Option<Picture>,
    /// The first usable one in a new format, which not every reader can show.
    new: Option<Picture>,
    is_copied: bool,
}

impl<'a> PictureSources<'a> {
    pub fn push(&mut self, tag: &Tag<'a>) {
        self.count += 1;
        if self.count < MOST_SIZES {
            self.unread.push(tag.clone());
        }
    }

    /// Reads the `<img>` of the picture, or else the best source before it. `copies` is the number of bytes of attributes that may
    /// still be copied to another `<img>` of a picture.
    pub fn picture(&mut self, tag: &Tag<'_>, addresses: &Addresses<'_>, copies: &mut usize) -> Picture {
        let own = Picture::of(tag, addresses);
        if !own.is_placeholder {
            return own;
        }
        for source in self.unread.drain(..) {
            let is_new = |media_type: &str| media_type.ends_with("avif") || media_type.ends_with("jxl");
            let is_new = source.attribute("type").is_some_and(|media_type| is_new(&media_type));
            let best = if is_new { &mut self.new } else { &mut self.old };
            if best.is_none() {
                *best = Some(Picture::of(&source, addresses)).filter(|picture| !picture.is_placeholder);
            }
        }
        let Some(best) = self.old.as_ref().or(self.new.as_ref()) else { return own };
        if std::mem::replace(&mut self.is_copied, true) {
            let Some(rest) = copies.checked_sub(best.size()) else { return own };
            *copies = rest;
        }
        best.clone()
    }
}

/// Whether a picture is invisible, so that it only counts readers.
pub fn is_tracker(tag: &Tag<'_>) -> bool {
    let style = tag.attribute("style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
    let tiny = |name: &str| {
        let stated = tag.attribute(name);
        let styled = || [0, 1].iter().any(|size| format!(";{style};").contains(&format!(";{name}:{size}px;")));
        stated.map_or_else(styled, |size| matches!(size.trim_end_matches("px"), "0" | "1"))
    };
    (tiny("width") && tiny("height")) || style.contains("display:none")
}

/// Whether a text can be an address of a file: neither a placeholder of a template nor a `data:` address.
fn is_address(text: &str) -> bool {
    !text.starts_with(['{', '<', '[']) && !text.starts_with("data:") && !text.starts_with("about:")
}

fn is_web(address: &str) -> bool {
    let start = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

/// One size of a picture: its absolute address, and its width (`480w`) or density (`2x`) as it is written.
struct SizedPicture {
    address: String,
    descriptor: String,
}

/// Reads a `srcset`, without its invalid parts.
fn sized_pictures(text: &str, addresses: &Addresses<'_>) -> Vec<SizedPicture> {
    let sized_picture = |(address, descriptor): (&str, &str)| {
        let address =
            Some(address).filter(|address| is_address(address)).and_then(|address| addresses.absolute(address))?;
        // A comma at the end of the address would separate two sizes.
        let is_valid = (descriptor.is_empty() || width(descriptor).is_some()) && !address.ends_with(',');
        (is_valid && is_web(&address)).then(|| SizedPicture { address, descriptor: descriptor.to_owned() })
    };
    srcset_parts(text).into_iter().filter_map(sized_picture).take(MOST_SIZES).collect()
}

/// Each address of a `srcset` with its descriptor (WHATWG HTML section 4.8.4.3.2).
fn srcset_parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return parts;
        }
        let (address, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let bare = address.trim_end_matches(',');
        if bare.len() < address.len() {
            parts.push((bare, ""));
            rest = after;
        } else {
            let (descriptor, after) = after.split_at(after.find(',').unwrap_or(after.len()));
            parts.push((bare, descriptor.trim()));
            rest = after;
        }
    }
}

/// Whether all addresses of a `srcset` are absolute `http` or `https` addresses.
pub fn is_safe_srcset(text: &str) -> bool {
    srcset_parts(text).iter().all(|(address, _)| is_web(address))
}

/// The width of a `480w` in pixels. For a `2x`, the plain picture counts as 500 pixels wide.
fn width(descriptor: &str) -> Option<u32> {
    if let Some(width) = descriptor.strip_suffix('w') {
        return width.bytes().all(|byte| byte.is_ascii_digit()).then(|| width.parse().ok())?;
    }
    let density = descriptor.strip_suffix('x')?;
    let (whole, part) = density.split_once('.').unwrap_or((density, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() < 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(part)).then(|| whole.parse::<u32>().ok().map(|whole| whole * 500))?
}

fn best(sizes: &[SizedPicture]) -> Option<&str> {
    let width = |picture: &&SizedPicture| width(&picture.descriptor).unwrap_or(500);
    let fitting = sizes.iter().filter(|picture| width(picture) <= WIDEST).max_by_key(width);
    Some(&fitting.or_else(|| sizes.iter().min_by_key(width))?.address)
}

fn srcset(sizes: &[SizedPicture]) -> String {
    let one = |picture: &SizedPicture| format!("{} {}", picture.address, picture.descriptor).trim_end().to_owned();
    sizes.iter().map(one).collect::<Vec<_>>().join(", ")
}
