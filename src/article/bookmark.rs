//! A bookmark of macOS (`.webloc`) or Windows (`.url`) -> a link post: an article that leads to another page.

use std::path::Path;

use url::Url;

use super::front_matter::inherited::Inherited;
use super::front_matter::{self, Field, Header};
use super::problem::Problem;
use super::reading::{ParsedBody, Reading, Rules, Verdict};
use super::{assemble::assemble, encoding, html};
use crate::folder::SourceFormat;
use crate::model::text::{escape, escape_attribute};

/// Maximum length of an address in the text of a link post, in characters.
const LONGEST_ADDRESS: usize = 80;
/// Start of a binary property list.
const BINARY: &[u8] = b"bplist00";
/// Length of the end of a binary property list that says where its parts are, in bytes.
const TRAILER: usize = 32;
/// Maximum number of keys of a bookmark.
const MAX_KEYS: usize = 64;

/// Reads a bookmark. Its title is the name of its file.
pub(super) fn read(bytes: &[u8], path: &Path, inherited: &Inherited, rules: Rules) -> Reading {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Verdict::Empty.into();
    }
    let address = match address(bytes) {
        Ok(address) => address,
        Err(problem) => return Verdict::Broken(problem).into(),
    };
    let mut split = match front_matter::split("", SourceFormat::Bookmark, inherited, rules.timezone) {
        Ok(split) => split,
        Err(reason) => return reason.into(),
    };
    let header = Header { link: Some(address.to_string()), ..Header::default() };
    split.header.complete(header.with_source(Field::Link, "the bookmark"));
    let body = link(&address);
    assemble((split.header, split.of_folder), split.problems, body, path, SourceFormat::Bookmark, rules)
}

/// The text of a link post without words of its own: the link.
pub(super) fn link(address: &Url) -> ParsedBody {
    let shown = address.as_str().trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let mut text: String = shown.chars().take(LONGEST_ADDRESS).collect();
    if text.len() < shown.len() {
        text.push('…');
    }
    let html = format!("<p><a href=\"{}\">{}</a></p>\n", escape_attribute(address.as_str()), escape(&text));
    ParsedBody { html, paragraphs: vec![text], ..ParsedBody::default() }
}

fn address(bytes: &[u8]) -> Result<Url, Problem> {
    let address = if bytes.starts_with(BINARY) {
        of_binary_list(bytes)
    } else {
        let text = encoding::decode(bytes, SourceFormat::Bookmark)?.text;
        of_list(&text).or_else(|| of_shortcut(&text))
    };
    let address = address.ok_or_else(|| {
        Problem::of_file(
            "no bookmark: it has no address; save the bookmark again, or write a Markdown file with `link:`",
        )
    })?;
    let url = Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        let start: String = address.trim().chars().take(LONGEST_ADDRESS).collect();
        Problem::of_file(format!(
            "`{start}`: a bookmark is published only if its address begins with https:// or http://"
        ))
    })
}

/// The address in a property list in XML.
fn of_list(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("<key>URL</key>")?;
    let value = behind.trim_start().strip_prefix("<string>")?.split("</string>").next()?;
    Some(html::resolve_references(value).into_owned())
}

/// The address in a shortcut of Windows, which has the form of an INI file.
fn of_shortcut(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.eq_ignore_ascii_case("[InternetShortcut]"));
    lines.next()?;
    let keys = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    keys.into_iter().find(|(key, _)| key.trim().eq_ignore_ascii_case("url")).map(|(_, value)| value.trim().to_owned())
}

/// The address in a binary property list: a dictionary with the key `URL`. No position that it states is trusted.
fn of_binary_list(bytes: &[u8]) -> Option<String> {
    let trailer = &bytes[bytes.len().checked_sub(TRAILER)?..];
    let (offset_size, reference_size) = (usize::from(trailer[6]), usize::from(trailer[7]));
    let number = |bytes: &[u8]| {
        let is_small = (1..=8).contains(&bytes.len());
        let value = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        usize::try_from(value).ok().filter(|_| is_small)
    };
    let part = |at: usize, length: usize| bytes.get(at..at.checked_add(length)?);
    let (top, table) = (number(&trailer[16..24])?, number(&trailer[24..32])?);
    let object = |index: usize| number(part(table.checked_add(index.checked_mul(offset_size)?)?, offset_size)?);
    let reference = |at: usize| number(part(at, reference_size)?).and_then(object);
    let text = |at: usize| {
        let marker = *bytes.get(at)?;
        // A length of 15 or more follows as an integer.
        let (length, start) = match marker & 0x0F {
            0x0F => {
                let size = 1_usize << (bytes.get(at + 1)? & 0x0F).min(3);
                (number(part(at + 2, size)?)?, at + 2 + size)
            }
            length => (usize::from(length), at + 1),
        };
        match marker >> 4 {
            5 => String::from_utf8(part(start, length)?.to_vec()).ok(),
            6 => {
                let (units, _) = part(start, length.checked_mul(2)?)?.as_chunks::<2>();
                String::from_utf16(&units.iter().map(|unit| u16::from_be_bytes(*unit)).collect::<Vec<_>>()).ok()
            }
            _ => None,
        }
    };
    let dictionary = object(top)?;
    let marker = *bytes.get(dictionary)?;
    let count = usize::from(marker & 0x0F).min(MAX_KEYS);
    let key = (0..count).find(|index| {
        let key = reference(dictionary + 1 + index * reference_size).and_then(text);
        marker >> 4 == 0xD && key.as_deref() == Some("URL")
    })?;
    reference(dictionary + 1 + (count + key) * reference_size).and_then(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Clean;

    /// A binary property list as macOS writes it: a dictionary with one key.
    fn binary(address: &str) -> Vec<u8> {
        let mut bytes = [BINARY, &[0xD1, 1, 2, 0x53], b"URL", &[0x5F, 0x10]].concat();
        bytes.push(u8::try_from(address.len()).unwrap());
        bytes.extend(address.as_bytes());
        let table = u8::try_from(bytes.len()).unwrap();
        bytes.extend([8, 11, 15]);
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, table]);
        bytes
    }

    fn list(address: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n\t<key>URL</key>\n\t\
             <string>{address}</string>\n</dict>\n</plist>\n"
        )
    }

    fn read(bytes: &[u8], path: &str) -> Reading {
        let rules = Rules { clean: Clean::Safe, timezone: chrono_tz::UTC };
        super::read(bytes, Path::new(path), &Inherited::default(), rules)
    }

    #[test]
    fn bookmarks_of_both_systems_are_link_posts() {
        let windows = "[DEFAULT]\r\nBASEURL=https://no.example/\r\n[InternetShortcut]\r\nIDList=\r\nURL=https://a.example/b?c=1&d=2\r\n";
        let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(windows.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for bytes in [
            list("https://a.example/b?c=1&amp;d=2").into_bytes(),
            binary("https://a.example/b?c=1&d=2"),
            windows.as_bytes().to_vec(),
            wide,
        ] {
            let Verdict::Publish(article) = read(&bytes, "links/2026-11-20-A good page.webloc").verdict else {
                panic!("{bytes:?}")
            };
            assert_eq!((article.title.as_str(), article.is_untitled), ("A good page", false));
            assert_eq!(article.link.as_deref(), Some("https://a.example/b?c=1&d=2"));
            assert_eq!(
                article.html,
                "<p><a href=\"https://a.example/b?c=1&amp;d=2\">a.example/b?c=1&amp;d=2</a></p>\n"
            );
            assert_eq!(article.summary, "");
            assert_eq!(article.published.unwrap().to_string(), "2026-11-20 00:00:00 UTC");
        }
    }

    #[test]
    fn other_addresses_and_damaged_bookmarks_are_reported() {
        for (bytes, expected) in [
            (
                list("file:///Users/ann/a.pdf").into_bytes(),
                "`file:///Users/ann/a.pdf`: a bookmark is published only if",
            ),
            (b"[InternetShortcut]\nURL=javascript:alert(1)\n".to_vec(), "`javascript:alert(1)`: a bookmark is"),
            (
                b"[InternetShortcut]\nIconIndex=1\n[Other]\nURL=https://a.example/\n".to_vec(),
                "no bookmark: it has no address",
            ),
            (b"just text".to_vec(), "no bookmark: it has no address"),
        ] {
            let Verdict::Broken(problem) = read(&bytes, "a.url").verdict else { panic!("{bytes:?}") };
            assert!(problem.message.starts_with(expected), "{problem:?}");
        }
        assert_eq!(read(b" \n", "a.url").verdict, Verdict::Empty);
        let windows = b"[InternetShortcut]\r\nURL=https://a.example/b?c=1&d=2\r\n".to_vec();
        let (text, binary) = (list("https://a.example/").into_bytes(), binary("https://a.example/b?c=1&d=2"));
        for (name, whole) in [("a.webloc", text), ("a.webloc", binary), ("a.url", windows)] {
            for at in 0..whole.len() {
                // Any result, but no panic.
                read(&whole[..at], name);
                for value in [0, 0x7F, 0xFF] {
                    let mut damaged = whole.clone();
                    damaged[at] = value;
                    read(&damaged, name);
                }
            }
        }
    }
}
