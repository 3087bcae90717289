//! Pictures as pages have them, which load late, in several sizes, or count their viewers -> pictures that a reader can show.

use html5ever::tokenizer::Tag;

use super::pieces::attribute;
use crate::article::address::Addresses;

/// Attributes that hold the address of a picture which a script loads later.
const LAZY: [&str; 6] = ["data-src", "data-original", "data-lazy-src", "data-lazy", "data-url", "data-hi-res-src"];
const LAZY_SETS: [&str; 3] = ["data-srcset", "data-lazy-srcset", "data-original-set"];
/// Names of files that stand where a picture is to come.
const PLACEHOLDERS: [&str; 9] =
    ["blank.", "spacer.", "pixel.", "placeholder", "transparent.", "lazyload", "lazy.", "1x1.", "grey.gif"];
/// Most sizes of a picture, and most `<source>` of one `<picture>`, that are looked at.
pub const MOST_SIZES: usize = 100;
/// Of the sizes of a picture, the largest up to this width is taken, in pixels: more is only slow.
const WIDEST: u32 = 2_000;

/// Where the picture of an element really is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Absolute address.
    pub source: Option<String>,
    /// The same in several sizes, with absolute addresses.
    pub sizes: Option<String>,
    /// The source is one that a script would have replaced.
    pub is_placeholder: bool,
}

impl Picture {
    /// Reads an `<img>`.
    pub fn of(tag: &Tag, addresses: &Addresses<'_>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| attribute(tag, name).filter(|text| is_address(text)));
        let sets = LAZY_SETS.iter().chain(&["srcset"]).find_map(|name| attribute(tag, name));
        let sets = sets.map(|sets| candidates(sets, addresses)).unwrap_or_default();
        let plain = attribute(tag, "src").filter(|source| is_address(source));
        let is_placeholder = |source: &str| {
            let name = source.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            PLACEHOLDERS.iter().any(|placeholder| name.starts_with(placeholder))
        };
        let lazy = first(&LAZY);
        let best = || best(&sets).map(str::to_owned);
        let stated = lazy.or(plain.filter(|source| !is_placeholder(source)));
        let source = stated.and_then(|source| addresses.absolute(source)).filter(|source| is_web(source)).or_else(best);
        let last = plain.and_then(|source| addresses.absolute(source)).filter(|source| is_web(source));
        Self {
            is_placeholder: source.is_none(),
            source: source.or(last),
            sizes: Some(set(&sets)).filter(|sizes| !sizes.is_empty()),
        }
    }

    /// What an `<img>` shows where it can, and else the best of the `<source>` that stand before it in a `<picture>`.
    pub fn of_several(tag: &Tag, sources: &[&Tag], addresses: &Addresses<'_>) -> Self {
        let own = Self::of(tag, addresses);
        if !own.is_placeholder {
            return own;
        }
        // What not every reader can show comes last.
        let is_new =
            |tag: &Tag| attribute(tag, "type").is_some_and(|kind| kind.ends_with("avif") || kind.ends_with("jxl"));
        let (new, old): (Vec<&&Tag>, Vec<&&Tag>) = sources.iter().partition(|source| is_new(source));
        let found = old.into_iter().chain(new).map(|source| Self::of(source, addresses));
        found.into_iter().find(|found| !found.is_placeholder).unwrap_or(own)
    }
}

/// Whether an element is there to be counted, not to be seen.
pub fn is_tracker(tag: &Tag) -> bool {
    let style = attribute(tag, "style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
    let tiny = |name: &str| {
        let stated = attribute(tag, name).map(|size| size.trim_end_matches("px"));
        let styled = || [0, 1].iter().any(|size| format!(";{style};").contains(&format!(";{name}:{size}px;")));
        matches!(stated, Some("0" | "1")) || (stated.is_none() && styled())
    };
    (tiny("width") && tiny("height")) || style.contains("display:none")
}

/// What can be an address at all: nothing that a template left, no picture written out in letters.
fn is_address(text: &str) -> bool {
    !text.starts_with(['{', '<', '[']) && !text.starts_with("data:") && !text.starts_with("about:")
}

fn is_web(address: &str) -> bool {
    let start = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

/// One size of a picture: its absolute address, and its width or density as it is written.
struct Candidate {
    address: String,
    descriptor: String,
}

/// Reads a `srcset`; what makes no sense is left out.
fn candidates(text: &str, addresses: &Addresses<'_>) -> Vec<Candidate> {
    let sound = |(address, descriptor): (&str, &str)| {
        let address =
            Some(address).filter(|address| is_address(address)).and_then(|address| addresses.absolute(address))?;
        // A comma at its end would part it.
        let sound = (descriptor.is_empty() || size(descriptor).is_some()) && !address.ends_with(',');
        (sound && is_web(&address)).then(|| Candidate { address, descriptor: descriptor.to_owned() })
    };
    parts(text).into_iter().filter_map(sound).take(MOST_SIZES).collect()
}

/// The addresses of a `srcset` with what stands behind each (WHATWG HTML section 4.8.4.3.2).
fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return found;
        }
        let (address, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let bare = address.trim_end_matches(',');
        if bare.len() < address.len() {
            found.push((bare, ""));
            rest = after;
        } else {
            let (descriptor, after) = after.split_at(after.find(',').unwrap_or(after.len()));
            found.push((bare, descriptor.trim()));
            rest = after;
        }
    }
}

/// Whether a `srcset` may be shown: it has absolute addresses of the web and nothing else.
pub fn is_safe_set(text: &str) -> bool {
    parts(text).iter().all(|(address, _)| is_web(address))
}

/// Width of a `480w`; a `2x` counts as if the plain picture were 500 wide.
fn size(descriptor: &str) -> Option<u32> {
    if let Some(width) = descriptor.strip_suffix('w') {
        return width.bytes().all(|byte| byte.is_ascii_digit()).then(|| width.parse().ok())?;
    }
    let density = descriptor.strip_suffix('x')?;
    let (whole, part) = density.split_once('.').unwrap_or((density, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() < 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(part)).then(|| whole.parse::<u32>().ok().map(|whole| whole * 500))?
}

fn best(candidates: &[Candidate]) -> Option<&str> {
    let width = |candidate: &Candidate| size(&candidate.descriptor).unwrap_or(500);
    let fitting =
        candidates.iter().filter(|candidate| width(candidate) <= WIDEST).max_by_key(|candidate| width(candidate));
    let found = fitting.or_else(|| candidates.iter().min_by_key(|candidate| width(candidate)))?;
    Some(&found.address)
}

fn set(candidates: &[Candidate]) -> String {
    let one = |candidate: &Candidate| format!("{} {}", candidate.address, candidate.descriptor).trim_end().to_owned();
    candidates.iter().map(one).collect::<Vec<_>>().join(", ")
}
