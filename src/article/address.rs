//! Resolves the addresses in a text to absolute ones (standards 22).
//!
//! An address may mean a file in the watched folder: a picture, a recording, another article. A callback answers which files
//! exist. The callback's owner can so record all files that an article refers to, including those that do not exist yet.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use url::Url;

use super::old_address::page_query;
use super::phrases::heading_id;
use crate::folder::media::media_type;
use crate::folder::{ENDINGS, hides_media};
use crate::model::taxonomy::{View, ViewKind};

/// Folders whose content other generators place at the root of a site.
const TOPS: [&str; 4] = ["", "static", "public", "assets"];
/// Where pages and files of this site are.
const OWN_PATHS: [&str; 8] =
    ["articles/", "media/", "tags/", "sections/", "authors/", "archive/", "years/", "languages/"];
/// Folders of articles in other generators' sites.
const CONTENTS: [&str; 3] = ["", "content", "src/content"];

/// The site of the Wayback Machine, whose pages name pictures by their paths there.
const ARCHIVE: &str = "https://web.archive.org";

/// Scheme of a link to a note by its name, as [`note_link`] makes it.
const NOTE: &str = "note:";

/// The article that a link means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTarget {
    /// The article at a path below the watched folder.
    File(PathBuf),
    /// The article that has or had an address on a site. It may be relative.
    Address(String),
    /// The article with a name: that of its file, its title or another one.
    Note(String),
}

/// How the addresses of one article are resolved.
#[derive(Clone, Copy)]
pub struct Addresses<'a> {
    /// Permalink of the article; addresses that are no file of the folder are relative to it.
    pub permalink: &'a Url,
    /// Address of the site, with a trailing slash.
    pub base_url: &'a str,
    /// What addresses of a saved page are relative to that are no file of the folder. It is on another site.
    pub base: Option<&'a Url>,
    /// Path of the article below the watched folder.
    pub path: &'a Path,
    /// Whether a file exists at a path below the watched folder.
    pub is_there: &'a dyn Fn(&Path) -> bool,
    /// The nearest media file of a name in the watched folder.
    pub named: &'a dyn Fn(&Path) -> Option<PathBuf>,
    /// Permalink of the article that a link means.
    pub page: &'a dyn Fn(&LinkTarget) -> Option<String>,
}

impl fmt::Debug for Addresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").field("permalink", &self.permalink.as_str()).field("path", &self.path).finish()
    }
}

impl<'a> Addresses<'a> {
    /// For a text outside of any folder.
    pub fn of_page(permalink: &'a Url) -> Self {
        Self {
            permalink,
            base_url: permalink.as_str(),
            base: None,
            path: Path::new(""),
            is_there: &nothing_is_there,
            named: &no_file,
            page: &no_page,
        }
    }

    /// Returns the absolute form of an address, with query and fragment; `None` if it is invalid. Any scheme is allowed.
    pub fn absolute(&self, address: &str) -> Option<String> {
        let address = without_file_mark(address.trim());
        if let Some(note) = address.strip_prefix(NOTE) {
            return self.note(note);
        }
        if let Some((kind, name)) = generator_link(address) {
            return self.of_generator(kind, name);
        }
        match Url::parse(address) {
            // The address of a page of this site may be an old one of an article.
            Ok(url) if self.is_own(&url) => Some(self.moved(address, &url)),
            // As written, except for characters that no address may contain.
            Ok(url) if address.contains(|c: char| c.is_control() || c.is_whitespace()) => Some(url.to_string()),
            Ok(_) => Some(address.to_owned()),
            Err(url::ParseError::RelativeUrlWithoutBase) => self.relative(address),
            Err(_) => None,
        }
    }

    /// The same with a base for the addresses that are no file of the folder, unless it is an address of this site.
    pub fn with_base<'b>(&'b self, base: &'b Url) -> Addresses<'b> {
        Addresses { base: Some(base).filter(|base| !self.is_own(base)), ..*self }
    }

    fn relative(&self, address: &str) -> Option<String> {
        if is_archived(address) {
            return Some(format!("{ARCHIVE}{address}"));
        }
        match self.base.filter(|_| !address.is_empty() && !address.starts_with('#') && !is_saved(address)) {
            None => self.in_folder(address).or_else(|| self.permalink.join(address).ok().map(String::from)),
            Some(base) => {
                let is_lost = |found: &String| self.media_path(found).is_some_and(|path| !(self.is_there)(&path));
                let found = self.in_folder(address).filter(|found| !is_lost(found));
                found.or_else(|| base.join(address).ok().map(String::from))
            }
        }
    }

    /// Returns the media file of the watched folder that an address refers to. The file need not exist yet.
    pub fn file(&self, address: &str) -> Option<PathBuf> {
        let address = address.trim();
        if let Some(path) = self.media_path(address) {
            return Some(path);
        }
        let (path, _) = cut(address);
        if path.is_empty() || Url::parse(address) != Err(url::ParseError::RelativeUrlWithoutBase) {
            return None;
        }
        self.media_file(&decoded(path))
    }

    /// Returns the path below the watched folder for a media address of the site.
    pub fn media_path(&self, address: &str) -> Option<PathBuf> {
        let (path, _) = cut(address.strip_prefix(self.base_url)?.strip_prefix("media/")?);
        normal(Path::new(""), &decoded(path))
    }

    /// Returns the address of the media file at a path below the watched folder.
    pub fn of_media(&self, path: &Path) -> String {
        format!("{}media/{}", self.base_url, encoded(path))
    }

    /// Resolves what Nikola (`link://slug/storm`) and Pelican (`{tag}sea`) link to by its kind and name.
    fn of_generator(&self, kind: &str, name: &str) -> Option<String> {
        let (name, part) = cut(name);
        let name = decoded(name);
        let name = name.to_string_lossy();
        let view = |kind| View::named(kind, &name).map(|view| format!("{}{}", self.base_url, view.path()));
        match kind {
            "slug" => (self.page)(&LinkTarget::Note(name.rsplit('/').next()?.to_owned())).map(|page| page + part),
            "filename" | "absolute_filename" => self.in_folder(&encoded(Path::new(&*name))),
            "tag" | "category" => view(ViewKind::Tag),
            "author" => view(ViewKind::Author),
            "archive" | "archives" => Some(format!("{}archive/", self.base_url)),
            "index" | "root" => Some(self.base_url.to_owned()),
            _ => None,
        }
    }

    /// Resolves the name of a note. A link that names only a part leads to the article itself.
    fn note(&self, note: &str) -> Option<String> {
        let (name, part) = cut(note);
        let name = decoded(name);
        let name = name.to_string_lossy();
        let part = part.strip_prefix('#').map_or(String::new(), |part| part_of_note(&decoded(part).to_string_lossy()));
        if name.is_empty() {
            return self.permalink.join(&part).ok().map(String::from);
        }
        let path = PathBuf::from(&*name);
        if media_type(&path).is_some() {
            return Some(self.of_media(&self.media_file(&path)?));
        }
        let is_file = |path: &PathBuf| {
            path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
        };
        let file = if is_file(&path) { path } else { PathBuf::from(format!("{name}.md")) };
        let page = self.article_at(&file).or_else(|| (self.page)(&LinkTarget::Note(name.into_owned())))?;
        Some(page + &part)
    }

    /// Whether an address is on this site or, by its host, on the one before it.
    fn is_own(&self, url: &Url) -> bool {
        let place = |url: &Url| (url.host_str().map(str::to_owned), url.port());
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && place(url) == place(self.permalink)
    }

    /// Returns the present address of the article that an address of this site means, or the address itself.
    fn moved(&self, address: &str, url: &Url) -> String {
        let own = url.as_str().strip_prefix(self.base_url).unwrap_or("articles/");
        let is_present =
            OWN_PATHS.iter().any(|start| own.starts_with(start)) && url.as_str().starts_with(self.base_url);
        // `/?p=12` tells pages apart that have one path.
        let has_number = || url.query().is_some_and(|query| !page_query(query).is_empty());
        let is_page = (url.path().len() > 1 || has_number()) && media_type(Path::new(url.path())).is_none();
        let page =
            (!is_present && is_page).then(|| (self.page)(&LinkTarget::Address(url.as_str().to_owned()))).flatten();
        match page {
            Some(page) => page + url.fragment().map(|part| format!("#{part}")).as_deref().unwrap_or_default(),
            None if address.contains(|c: char| c.is_control() || c.is_whitespace()) => url.to_string(),
            None => address.to_owned(),
        }
    }

    fn in_folder(&self, address: &str) -> Option<String> {
        let (path, rest) = cut(address);
        let query = page_query(rest);
        // `//host/path` belongs to another site.
        if (path.is_empty() && query.is_empty()) || path.starts_with("//") || self.path.as_os_str().is_empty() {
            return None;
        }
        let link = if path.is_empty() { "/" } else { path };
        let path = decoded(path);
        if media_type(&path).is_some() {
            return Some(self.of_media(&self.media_file(&path)?) + rest);
        }
        let page = match query.as_str() {
            "" => self.article_at(&path).or_else(|| self.old_page(link))?,
            query => {
                let by_number = self.old_page(&format!("{link}{query}"));
                by_number
                    .or_else(|| (link != "/").then(|| self.article_at(&path).or_else(|| self.old_page(link)))?)?
            }
        };
        // A permalink has no query.
        Some(page + &rest.find('#').map_or(String::new(), |at| part_of_page(&rest[at..])))
    }

    /// Returns the permalink of the article at a path as a link writes it.
    fn article_at(&self, path: &Path) -> Option<String> {
        self.article_files(path).into_iter().find_map(|path| (self.page)(&LinkTarget::File(path)))
    }

    /// Returns the permalink of the article whose address a link had on another site.
    fn old_page(&self, link: &str) -> Option<String> {
        let address = self.permalink.join(link).ok()?;
        let below = address.as_str().strip_prefix(self.base_url);
        let is_present =
            below.is_none_or(|below| OWN_PATHS.iter().any(|start| below.starts_with(start)) && link.starts_with('/'));
        if is_present && below.is_some() {
            return None;
        }
        (self.page)(&LinkTarget::Address(link.to_owned()))
    }

    /// Returns the first existing candidate for a media file, or else the most likely one. `None` only for an address with a leading
    /// slash, which may not refer to a file of the folder, or one that is never served.
    fn media_file(&self, path: &Path) -> Option<PathBuf> {
        media_type(path)?;
        let (candidates, likely) = self.media_files(path);
        let found = candidates.iter().find(|path| (self.is_there)(path)).cloned();
        found.or_else(|| (self.named)(path).filter(|path| (self.is_there)(path))).or(likely)
    }

    /// Returns the candidates for a media file in order of preference, and the likely one if none exists.
    fn media_files(&self, path: &Path) -> (Vec<PathBuf>, Option<PathBuf>) {
        let tops = |path: &Path| TOPS.iter().filter_map(|top| normal(Path::new(top), path)).collect::<Vec<_>>();
        if let Ok(below) = path.strip_prefix("/") {
            return (tops(below), None);
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let beside = normal(folder, path);
        // Hexo keeps the files of `post.md` in a folder `post`.
        let own = self.path.file_stem().and_then(|stem| normal(&folder.join(stem), path));
        let candidates = beside.iter().cloned().chain(own).chain(tops(path));
        let mut distinct: Vec<PathBuf> = Vec::new();
        candidates.for_each(|path| {
            if !distinct.contains(&path) {
                distinct.push(path);
            }
        });
        (distinct, beside)
    }

    /// Returns the candidates for the article that a link refers to: `other.md`, `/posts/other.md`, and `@/posts/other.md` as in Zola.
    fn article_files(&self, path: &Path) -> Vec<PathBuf> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if !ENDINGS.contains(&extension.to_ascii_lowercase().as_str()) {
            return Vec::new();
        }
        let below = path.strip_prefix("/").or_else(|_| path.strip_prefix("@"));
        if let Ok(below) = below {
            return CONTENTS.iter().filter_map(|top| normal(Path::new(top), below)).collect();
        }
        let beside = normal(self.path.parent().unwrap_or(Path::new("")), path);
        beside.into_iter().chain(normal(Path::new(""), path)).collect()
    }
}

/// Returns the address of the media file at a path below the watched folder, and that path without `..`; `None` outside of the folder.
pub fn media_address(base_url: &str, path: &Path) -> Option<(String, PathBuf)> {
    let path = normal(Path::new(""), path)?;
    Some((format!("{base_url}media/{}", encoded(&path)), path))
}

/// Returns the media type of an address by the extension of its path.
pub fn type_of(address: &str) -> Option<&'static str> {
    media_type(&decoded(cut(address).0))
}

/// Whether an address is that of a picture, by the extension of its path.
pub fn is_picture(address: &str) -> bool {
    type_of(address).is_some_and(|media_type| media_type.starts_with("image/"))
}

/// Whether an address is in the folder that browsers save beside a page. If it is missing, the writer has lost it.
fn is_saved(address: &str) -> bool {
    let folder = address.strip_prefix("./").unwrap_or(address).split_once('/');
    folder.is_some_and(|(folder, _)| {
        ["_files", "-Dateien", "_fichiers", "_archivos"].iter().any(|end| folder.ends_with(end))
    })
}

/// Whether an address is a path in the Wayback Machine: `/web/20100102030405im_/http://…`.
fn is_archived(address: &str) -> bool {
    let moment = address.strip_prefix("/web/").and_then(|rest| rest.split_once('/'));
    moment.is_some_and(|(moment, page)| {
        let digits = moment.bytes().take_while(u8::is_ascii_digit).count();
        let mark = &moment[digits..];
        let is_mark = mark.is_empty() || (mark.len() == 3 && mark.ends_with('_'));
        (4..=14).contains(&digits) && is_mark && (page.starts_with("http://") || page.starts_with("https://"))
    })
}

fn nothing_is_there(_: &Path) -> bool {
    false
}

fn no_file(_: &Path) -> Option<PathBuf> {
    None
}

fn no_page(_: &LinkTarget) -> Option<String> {
    None
}

/// Returns the address of a link to a note, which [`Addresses::absolute`] resolves: the name of the note, and a part of it after a `#`.
pub fn note_link(name: &str) -> String {
    let (name, part) = name.split_at(name.find('#').unwrap_or(name.len()));
    let part = part.rsplit('#').next().filter(|part| !part.is_empty());
    let part = part.map_or(String::new(), |part| format!("#{}", encoded(Path::new(part))));
    format!("{NOTE}{}{part}", encoded(Path::new(name)))
}

/// The fragment that leads to a part of a note: a heading by its words, or a paragraph by its name, `^a1b2`.
fn part_of_note(part: &str) -> String {
    match part.strip_prefix('^') {
        Some(name) => format!("#{}", encoded(Path::new(&format!("^{name}")))),
        None => format!("#{}", heading_id(part)),
    }
}

/// The fragment of a link to a file, with its `#`. Some programs write the words of the heading.
fn part_of_page(fragment: &str) -> String {
    let words = decoded(&fragment[1..]);
    let words = words.to_string_lossy();
    if words.contains(char::is_whitespace) || words.starts_with('^') {
        part_of_note(&words)
    } else {
        fragment.to_owned()
    }
}

/// Splits an address into its path, and its query and fragment.
fn cut(address: &str) -> (&str, &str) {
    address.split_at(address.find(['?', '#']).unwrap_or(address.len()))
}

/// Resolves `.` and `..`. `None` if the path leaves the watched folder or contains an ignored name.
fn normal(folder: &Path, path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::Normal(name) if !hides_media(name) => normal.push(name),
            Component::ParentDir => normal.pop().then_some(())?,
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(normal).filter(|path| path.file_name().is_some())
}

/// Decodes the path of an address; a backslash is a slash, as in browsers.
fn decoded(path: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.filter(|_| first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(if first == b'\\' { b'/' } else { first }));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    // No path contains NUL.
    bytes.retain(|byte| *byte != 0);
    PathBuf::from(OsString::from_vec(bytes))
}

/// Encodes a path for an address: all but unreserved characters are percent-encoded (RFC 3986 section 2.3).
pub fn encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(*byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// The mark that Pelican puts before a name, in braces or bars, and the name: `{filename}other.md`, `|tag|sea`. Markdown may have encoded
/// them.
fn marked(address: &str) -> Option<(&str, &str)> {
    let signs = [("{", "}"), ("|", "|"), ("%7B", "%7D"), ("%7C", "%7C")];
    signs.iter().find_map(|(open, close)| address.strip_prefix(open)?.split_once(close))
}

/// An address without Pelican's mark of a file: `{filename}other.md`, `{static}/a.png`, `|attach|b.pdf`.
fn without_file_mark(address: &str) -> &str {
    let is_file = |mark: &str| matches!(mark, "filename" | "static" | "attach");
    marked(address).filter(|(mark, _)| is_file(mark)).map_or(address, |(_, rest)| rest)
}

/// The kind and the name in a link to a page that Nikola or Pelican makes.
fn generator_link(address: &str) -> Option<(&str, &str)> {
    if let Some(place) = address.strip_prefix("link://") {
        return Some(place.split_once('/').unwrap_or((place, "")));
    }
    marked(address).filter(|(kind, _)| matches!(*kind, "tag" | "category" | "author" | "index" | "archives"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Resolves an address in `posts/storm.md` in a folder with these files.
    fn absolute(address: &str, files: &[&str]) -> String {
        absolute_in(None, address, files)
    }

    /// The same in a page that was saved from an address.
    fn absolute_in(base: Option<&Url>, address: &str, files: &[&str]) -> String {
        let permalink = Url::parse("https://site.example/blog/articles/storm").unwrap();
        let is_there = |path: &Path| files.iter().any(|file| Path::new(file) == path);
        let page = |target: &LinkTarget| {
            let path = match target {
                LinkTarget::File(path) => path.clone(),
                LinkTarget::Address(name) | LinkTarget::Note(name) => PathBuf::from(format!("={name}")),
            };
            is_there(&path).then(|| format!("https://site.example/blog/articles/{}", path.display()))
        };
        let named = |name: &Path| {
            let file = files.iter().find(|file| Path::new(file).file_name() == name.file_name())?;
            Some(PathBuf::from(file))
        };
        let addresses = Addresses {
            permalink: &permalink,
            base_url: "https://site.example/blog/",
            base,
            path: Path::new("posts/storm.md"),
            is_there: &is_there,
            named: &named,
            page: &page,
        };
        let absolute = addresses.absolute(address).unwrap_or_default();
        absolute.strip_prefix("https://site.example").unwrap_or(&absolute).to_owned()
    }

    #[test]
    fn files_beside_an_article() {
        for (address, expected) in [
            ("a.png", "/blog/media/posts/a.png"),
            ("./img/a%20b.PNG?x=1#y", "/blog/media/posts/img/a%20b.PNG?x=1#y"),
            ("a b.png", "/blog/media/posts/a%20b.png"),
            ("../pics/é.jpg", "/blog/media/pics/%C3%A9.jpg"),
            ("a/../../b.mp3", "/blog/media/b.mp3"),
            ("img\\a.png", "/blog/media/posts/img/a.png"),
            ("a(1).png", "/blog/media/posts/a%281%29.png"),
            // Outside of the folder, or hidden in it: not served.
            ("../../b.png", "/b.png"),
            ("../.git/b.png", "/blog/.git/b.png"),
            ("%2e%2e/%2e%2e/b.png", "/b.png"),
            ("other", "/blog/articles/other"),
            ("#part", "/blog/articles/storm#part"),
            ("?page=2", "/blog/articles/storm?page=2"),
            ("", "/blog/articles/storm"),
            ("/a.png", "/a.png"),
            ("//cdn.example/a.png", "https://cdn.example/a.png"),
            (" https://other.example/a.png ", "https://other.example/a.png"),
            ("mailto:ann@site.example", "mailto:ann@site.example"),
            ("https://[", ""),
        ] {
            assert_eq!(absolute(address, &[]), expected, "{address}");
        }
    }

    #[test]
    fn pages_that_generators_name_by_kind() {
        for (address, file, expected) in [
            ("link://slug/dawn", "=dawn", "/blog/articles/=dawn"),
            ("link://slug/dawn#part", "=dawn", "/blog/articles/=dawn#part"),
            ("link://slug/none", "", ""),
            ("link://filename/posts/dawn.md", "posts/dawn.md", "/blog/articles/posts/dawn.md"),
            ("link://tag/Sea%20birds", "", "/blog/tags/sea-birds/"),
            ("link://category/boats", "", "/blog/tags/boats/"),
            ("link://author/Ann Lee", "", "/blog/authors/ann-lee/"),
            ("link://archive/2024", "", "/blog/archive/"),
            ("link://root", "", "/blog/"),
            ("link://gallery/x", "", ""),
            ("{tag}sea", "", "/blog/tags/sea/"),
            ("%7Bcategory%7DNews", "", "/blog/tags/news/"),
            ("|author|Ann Lee", "", "/blog/authors/ann-lee/"),
            ("{index}", "", "/blog/"),
        ] {
            assert_eq!(absolute(address, &[file]), expected, "{address}");
        }
    }

    #[test]
    fn files_in_the_folders_of_generators() {
        for (address, file, expected) in [
            ("/img/a.png", "img/a.png", "/blog/media/img/a.png"),
            ("/img/a.png", "static/img/a.png", "/blog/media/static/img/a.png"),
            ("/img/a.png", "public/img/a.png", "/blog/media/public/img/a.png"),
            ("/assets/a.png", "assets/a.png", "/blog/media/assets/a.png"),
            ("img/a.png", "static/img/a.png", "/blog/media/static/img/a.png"),
            ("a.png", "posts/storm/a.png", "/blog/media/posts/storm/a.png"),
            ("a.png", "posts/a.png", "/blog/media/posts/a.png"),
        ] {
            assert_eq!(absolute(address, &[file]), expected, "{address} with {file}");
        }
    }

    #[test]
    fn links_to_other_articles() {
        for (address, file, expected) in [
            ("other.md", "posts/other.md", "/blog/articles/posts/other.md"),
            ("../notes/b.md#x", "notes/b.md", "/blog/articles/notes/b.md#x"),
            ("@/notes/b.md", "notes/b.md", "/blog/articles/notes/b.md"),
            ("@/notes/b.md", "content/notes/b.md", "/blog/articles/content/notes/b.md"),
            ("/notes/b.html?x", "notes/b.html", "/blog/articles/notes/b.html"),
            ("other.md", "elsewhere.md", "/blog/articles/other.md"),
        ] {
            assert_eq!(absolute(address, &[file]), expected, "{address} with {file}");
        }
    }

    #[test]
    fn addresses_of_saved_pages() {
        let base = Url::parse("https://tide.example/2019/storm").unwrap();
        for (address, file, expected) in [
            ("a.png", "", "https://tide.example/2019/a.png"),
            ("a.png", "posts/a.png", "/blog/media/posts/a.png"),
            ("/img/a.png", "", "https://tide.example/img/a.png"),
            ("/img/a.png", "img/a.png", "/blog/media/img/a.png"),
            ("../about", "", "https://tide.example/about"),
            ("?page=2", "", "https://tide.example/2019/storm?page=2"),
            ("//cdn.example/a.png", "", "https://cdn.example/a.png"),
            ("other.html", "", "https://tide.example/2019/other.html"),
            ("other.html", "posts/other.html", "/blog/articles/posts/other.html"),
            ("storm_files/a.png", "", "/blog/media/posts/storm_files/a.png"),
            ("#part", "", "/blog/articles/storm#part"),
            ("", "", "/blog/articles/storm"),
            ("https://other.example/a", "", "https://other.example/a"),
            ("mailto:ann@site.example", "", "mailto:ann@site.example"),
        ] {
            assert_eq!(absolute_in(Some(&base), address, &[file]), expected, "{address} with {file}");
        }
        for (address, expected) in [
            (
                "/web/20100102030405im_/http://tide.example/a.png",
                "https://web.archive.org/web/20100102030405im_/http://tide.example/a.png",
            ),
            ("/web/2010/https://tide.example/", "https://web.archive.org/web/2010/https://tide.example/"),
            ("/web/2010/storm", "/web/2010/storm"),
            ("/web/page/http://tide.example/", "/web/page/http://tide.example/"),
        ] {
            assert_eq!(absolute(address, &[]), expected, "{address}");
        }
        let permalink = Url::parse("https://site.example/articles/a").unwrap();
        let own = Url::parse("https://site.example/old/a").unwrap();
        let addresses = Addresses::of_page(&permalink);
        assert_eq!(addresses.with_base(&own).absolute("b").as_deref(), Some("https://site.example/articles/b"));
        assert_eq!(addresses.with_base(&base).absolute("b").as_deref(), Some("https://tide.example/2019/b"));
    }

    #[test]
    fn links_by_old_addresses() {
        for (address, file, expected) in [
            ("/2013/07/first/", "=/2013/07/first/", "/blog/articles/=/2013/07/first/"),
            ("../first/#part", "=../first/", "/blog/articles/=../first/#part"),
            (
                "https://site.example/2013/first",
                "=https://site.example/2013/first",
                "/blog/articles/=https://site.example/2013/first",
            ),
            ("https://other.example/first", "=https://other.example/first", "https://other.example/first"),
            ("https://site.example:81/first", "=https://site.example:81/first", ":81/first"),
            ("/blog/tags/rust/", "=/blog/tags/rust/", "/blog/tags/rust/"),
            ("https://site.example/blog/tags/rust/", "=x", "/blog/tags/rust/"),
            ("/first/", "", "/first/"),
            ("/?p=7", "=/?p=7", "/blog/articles/=/?p=7"),
            ("?page_id=3", "=/?page_id=3", "/blog/articles/=/?page_id=3"),
            ("/?p=9&utm_source=x#part", "=/?p=9", "/blog/articles/=/?p=9#part"),
            ("https://site.example/?p=7", "=https://site.example/?p=7", "/blog/articles/=https://site.example/?p=7"),
            ("/?p=7", "", "/?p=7"),
            ("/?page=2", "=/?page=2", "/?page=2"),
            ("?v=2", "=/?v=2", "/blog/articles/storm?v=2"),
            ("/first/?p=7", "=/first/", "/blog/articles/=/first/"),
        ] {
            assert_eq!(absolute(address, &[file]), expected, "{address} with {file}");
        }
    }

    #[test]
    fn links_by_the_names_of_notes() {
        for (note, file, expected) in [
            ("Harbour", "posts/Harbour.md", "/blog/articles/posts/Harbour.md"),
            ("notes/Harbour", "notes/Harbour.md", "/blog/articles/notes/Harbour.md"),
            ("Harbour", "=Harbour", "/blog/articles/=Harbour"),
            ("Harbour#The old part", "=Harbour", "/blog/articles/=Harbour#the-old-part"),
            ("#The old part", "", "/blog/articles/storm#the-old-part"),
            ("shot 1.png", "files/deep/shot 1.png", "/blog/media/files/deep/shot%201.png"),
            ("Nowhere", "", ""),
        ] {
            assert_eq!(absolute(&note_link(note), &[file]), expected, "{note} with {file}");
        }
        assert_eq!(absolute("thoughts/a.md", &["thoughts/a.md"]), "/blog/articles/thoughts/a.md", "from the root");
        assert_eq!(absolute("shot.png", &["files/shot.png"]), "/blog/media/files/shot.png", "by its name");
    }

    #[test]
    fn media_addresses_resolve_to_files() {
        let permalink = Url::parse("https://site.example/articles/a").unwrap();
        let addresses = Addresses { base_url: "https://site.example/", ..Addresses::of_page(&permalink) };
        let address = addresses.of_media(Path::new("a b/ü#?.png"));
        assert_eq!(address, "https://site.example/media/a%20b/%C3%BC%23%3F.png");
        assert_eq!(addresses.media_path(&format!("{address}?v=2")).as_deref(), Some(Path::new("a b/ü#?.png")));
        assert_eq!(addresses.media_path("https://site.example/media/../a.png"), None);
        assert_eq!(addresses.media_path("https://site.example/a.png"), None);
        assert_eq!(addresses.file("pics/a.png").as_deref(), Some(Path::new("pics/a.png")));
        assert_eq!(addresses.file("https://other.example/a.png"), None);
    }
}
