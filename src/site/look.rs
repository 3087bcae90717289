//! The look of a site: its pictures, its colour, its style sheet and the line at the end of its pages.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use imagesize::ImageSize;

use super::named_file::{NamedFiles, NamedIn, read_folder};
use super::style;
use crate::config::{Colour, SiteConfig};
use crate::model::entry::SafeHtml;
use crate::moving::opml::FeedList;

/// The keys that name files.
pub const KEYS: [&str; 4] = ["icon", "logo", "style", "templates"];

/// Maximum size of a picture, in bytes: it stays in memory.
const MAX_PICTURE: u64 = 1 << 20;
/// Maximum size of a style sheet, in bytes.
const MAX_STYLE: u64 = 256 << 10;
/// Maximum size of a template, in bytes.
const MAX_TEMPLATE: u64 = 256 << 10;
/// A logo that is this many times as wide as high has the name of the site in it.
const WIDE: u32 = 2;

/// The look of a site, as its settings state it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The icon as SVG.
    pub icon: Option<SitePicture>,
    /// The icon as PNG.
    pub icon_png: Option<SitePicture>,
    pub logo: Option<SitePicture>,
    /// What other sites show beside links to pages without a picture.
    pub share: Option<SitePicture>,
    pub accent: Option<Colour>,
    pub footer: SafeHtml,
    /// What is added to the built-in style sheet.
    pub style: String,
    /// The templates of pages that replace built-in ones, in the order of their names.
    pub templates: Vec<TemplateFile>,
    /// The feeds that the author reads.
    pub blogroll: Option<FeedList>,
}

/// A template of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFile {
    pub name: String,
    pub path: PathBuf,
    /// Its text, or why it cannot be read.
    pub source: Result<String, String>,
}

/// A picture that is served at an address of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct SitePicture {
    /// Path below the base address.
    pub path: &'static str,
    pub media_type: &'static str,
    pub bytes: Bytes,
    /// BLAKE3 of the bytes.
    pub hash: blake3::Hash,
    /// Width and height in pixels; of a drawing, those of its view box.
    pub size: Option<(u32, u32)>,
}

/// Without the bytes.
impl fmt::Debug for SitePicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SitePicture")
            .field("path", &self.path)
            .field("size", &self.size)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl SitePicture {
    /// Recognises a picture by its content. `paths` are the paths of each kind.
    fn new(bytes: Vec<u8>, paths: [&'static str; 5]) -> Result<Self, String> {
        let [svg, png, jpeg, webp, gif] = paths;
        let (path, media_type) = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => (png, "image/png"),
            [0xFF, 0xD8, 0xFF, ..] => (jpeg, "image/jpeg"),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => (webp, "image/webp"),
            [b'G', b'I', b'F', b'8', ..] => (gif, "image/gif"),
            text if drawing(text).is_some() => (svg, "image/svg+xml"),
            _ => ("", ""),
        };
        if path.is_empty() {
            let forms = if jpeg.is_empty() { "SVG or PNG" } else { "SVG, PNG, JPEG, WebP or GIF" };
            return Err(format!("not a picture of a form that is served here: use {forms}"));
        }
        let size = match drawing(&bytes) {
            Some(tag) => view_box(tag),
            None => imagesize::blob_size(&bytes).ok().and_then(|ImageSize { width, height }| {
                Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
            }),
        };
        Ok(Self { path, media_type, hash: blake3::hash(&bytes), bytes: bytes.into(), size })
    }

    pub fn is_drawing(&self) -> bool {
        self.media_type == "image/svg+xml"
    }

    /// Whether it is so wide that it stands in place of the title of the site.
    pub fn is_wide(&self) -> bool {
        self.size.is_some_and(|(width, height)| height > 0 && width / WIDE >= height)
    }
}

impl Look {
    /// Reads the files of a key. Without them, the rest of the look stays.
    ///
    /// # Errors
    /// A file cannot be used, and why.
    pub fn read(
        &mut self,
        key: &str,
        site: &SiteConfig,
        files: &mut NamedFiles<'_>,
        place: NamedIn<'_>,
    ) -> Result<(), String> {
        match (key, &site.logo, &site.style) {
            ("templates", ..) => self.templates = read_templates(site, place)?,
            ("icon", ..) => {
                let (mut drawing, mut png) = (None, None);
                for name in &site.icon.0 {
                    let picture =
                        SitePicture::new(files.read(name, place, MAX_PICTURE)?, ["icon.svg", "icon.png", "", "", ""]);
                    let picture = picture.map_err(|why| format!("{}: {why}", name.display()))?;
                    let form = if picture.is_drawing() { &mut drawing } else { &mut png };
                    if form.replace(picture).is_some() {
                        return Err("two pictures of one form: name one SVG, one PNG, or one of each".to_owned());
                    }
                }
                (self.icon, self.icon_png) = (drawing, png);
            }
            ("logo", Some(name), _) => {
                let paths = ["logo.svg", "logo.png", "logo.jpg", "logo.webp", "logo.gif"];
                let picture = SitePicture::new(files.read(name, place, MAX_PICTURE)?, paths);
                self.logo = Some(picture.map_err(|why| format!("{}: {why}", name.display()))?);
            }
            ("style", _, Some(name)) => {
                let bytes = files.read(name, place, MAX_STYLE)?;
                self.style = style::check(bytes).map_err(|(line, why)| format!("{}:{line}: {why}", name.display()))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the site has an icon of its own.
    pub fn has_icon(&self) -> bool {
        self.icon.is_some() || self.icon_png.is_some()
    }

    /// The pictures that are served.
    pub fn pictures(&self) -> impl Iterator<Item = &SitePicture> {
        [&self.icon, &self.icon_png, &self.logo, &self.share].into_iter().flatten()
    }
}

/// Reads the folder of templates, if one is named.
fn read_templates(site: &SiteConfig, place: NamedIn<'_>) -> Result<Vec<TemplateFile>, String> {
    let (Some(folder), NamedIn::Configuration(origin)) = (&site.templates, place) else { return Ok(Vec::new()) };
    let read = read_folder(&origin.resolve(folder), MAX_TEMPLATE)?;
    let template = |(path, bytes): (PathBuf, Result<Vec<u8>, String>)| TemplateFile {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        source: bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "not in UTF-8".to_owned())),
        path,
    };
    Ok(read.into_iter().map(template).collect())
}

/// The start tag of the root of an SVG document.
fn drawing(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            comment if comment.starts_with("<!--") => comment.find("-->")? + "-->".len(),
            other if other.starts_with("<?") || other.starts_with("<!") => other.find('>')? + 1,
            root => {
                let is_root = root.strip_prefix("<svg")?.starts_with(|c: char| c.is_ascii_whitespace() || c == '>');
                return is_root.then(|| &root[..root.find('>').unwrap_or(root.len())]);
            }
        };
        rest = rest[end..].trim_start();
    }
}

/// Width and height of the view box of a drawing, in whole units.
fn view_box(tag: &str) -> Option<(u32, u32)> {
    let value = tag.split("viewBox=").nth(1)?;
    let quote = value.chars().next()?;
    let value = value[1..].split(quote).next()?;
    let mut numbers = value.split([' ', ',', '\n', '\t']).filter(|part| !part.is_empty());
    let mut whole = |skipped: usize| {
        let number: f64 = numbers.nth(skipped)?.parse().ok()?;
        // The range makes the conversion exact.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        (1.0..=1e6).contains(&number).then(|| number.round() as u32)
    };
    Some((whole(2)?, whole(0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_recognised_by_their_root() {
        for (text, size) in [
            ("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 16'/>", Some((32, 16))),
            (
                "\u{feff}<?xml version=\"1.0\"?>\n<!-- <html> -->\n<!DOCTYPE svg>\n<svg viewBox=\"0,0,1.6, 8\">",
                Some((2, 8)),
            ),
            ("<svg>", None),
        ] {
            let picture = SitePicture::new(text.into(), ["a", "b", "c", "d", "e"]).unwrap();
            assert_eq!((picture.path, picture.size), ("a", size), "{text}");
        }
        for text in ["", "<svgx>", "<html><svg></svg></html>", "svg", "<!-- <svg>"] {
            let why = SitePicture::new(text.into(), ["a", "b", "", "", ""]).unwrap_err();
            assert!(why.ends_with("use SVG or PNG"), "{text}: {why}");
        }
    }

    #[test]
    fn a_wide_logo_stands_for_the_title() {
        let picture = SitePicture::new(b"<svg>".to_vec(), ["a", "b", "c", "d", "e"]).unwrap();
        let is_wide = |size| SitePicture { size, ..picture.clone() }.is_wide();
        assert!(is_wide(Some((200, 100))) && is_wide(Some((900, 100))));
        assert!(!is_wide(Some((199, 100))) && !is_wide(Some((10, 0))) && !is_wide(None));
    }
}
