//! The text of a post of WordPress -> HTML as its page shows it. The block editor writes HTML between comments; the classic one leaves
//! paragraphs to line breaks. Both leave pictures and recordings to shortcodes, and videos to addresses on lines of their own.

use std::collections::HashMap;

use super::entry::is_web_address;
use crate::model::text::escape_html;

/// Elements that stand beside paragraphs.
const BLOCKS: [&str; 22] = [
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "dl",
    "pre",
    "blockquote",
    "table",
    "figure",
    "form",
    "section",
    "article",
    "aside",
    "iframe",
    "details",
    "address",
    "script",
];
/// Elements whose text has paragraphs as well.
const CONTAINERS: [&str; 5] = ["blockquote", "div", "section", "article", "aside"];
/// Elements nested deeper than this stay as they are.
const MAX_DEPTH: usize = 20;
/// Maximum length of a shortcode, in bytes.
const LONGEST_CODE: usize = 2_000;
/// Maximum length of the content of a shortcode, in bytes.
const LONGEST_CONTENT: usize = 10_000;

/// Converts a text. `attachments` has the addresses of pictures by their numbers.
pub fn html_of(source: &str, attachments: &HashMap<String, String>) -> String {
    let source = source.replace("\r\n", "\n");
    let source = without_shortcodes(&source, attachments);
    let source = with_links(&source);
    if source.contains("<!-- wp:") { without_block_marks(&source) } else { with_paragraphs(&source, 0) }
}

/// Without the comments that delimit blocks.
fn without_block_marks(source: &str) -> String {
    let mut html = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("<!--") {
        html.push_str(before);
        let Some((comment, next)) = after.split_once("-->") else {
            rest = after;
            break;
        };
        if comment.trim_start().starts_with("more") {
            html.push_str("<!--more-->");
        }
        rest = next;
    }
    html.push_str(rest);
    let lines: Vec<&str> = html.split('\n').collect();
    let is_needed =
        |(at, line): &(usize, &&str)| !line.trim().is_empty() || (*at > 0 && !lines[at - 1].trim().is_empty());
    lines.iter().enumerate().filter(is_needed).map(|(_, line)| *line).collect::<Vec<_>>().join("\n")
}

/// Addresses on lines of their own as links. WordPress shows what is there.
fn with_links(source: &str) -> String {
    let mut is_code = false;
    let line = |line: &str| {
        is_code = (is_code || line.contains("<pre")) && !line.contains("</pre");
        let address = line.trim();
        if !is_code && address.starts_with("http") && !address.contains(['<', '"', ' ']) && is_web_address(address) {
            let plain = address.replace("&amp;", "&");
            format!("<a href=\"{}\">{}</a>", escape_html(&plain), escape_html(&plain))
        } else {
            line.to_owned()
        }
    };
    source.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// `[caption]<img> text[/caption]` and `[gallery]` as figures, recordings and videos as players, other media as links.
fn without_shortcodes(source: &str, attachments: &HashMap<String, String>) -> String {
    let mut html = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('[') {
        html.push_str(&rest[..at]);
        rest = &rest[at..];
        let (meaning, length) = shortcode(rest, attachments).unwrap_or_else(|| ("[".to_owned(), 1));
        html.push_str(&meaning);
        rest = &rest[length..];
    }
    html.push_str(rest);
    html
}

/// The HTML that a shortcode at the start of a text stands for, and the length of the shortcode with its content.
fn shortcode(text: &str, attachments: &HashMap<String, String>) -> Option<(String, usize)> {
    let near = &text[..text.floor_char_boundary(LONGEST_CODE)];
    let end = near.find(']')?;
    let inside = near[1..end].trim_end_matches('/');
    let name_length = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(inside.len());
    let (name, arguments) = inside.split_at(name_length);
    let closing = format!("[/{name}]");
    let after = &text[end + 1..text.floor_char_boundary(end + 1 + LONGEST_CONTENT)];
    let content = after.find(&closing).map(|length| &after[..length]);
    let with_content = end + 1 + content.map_or(0, |content| content.len() + closing.len());
    let value = |key: &str| {
        let start = arguments.find(&format!("{key}=\""))? + key.len() + 2;
        Some(&arguments[start..start + arguments[start..].find('"')?])
    };
    let player = |element: &str, keys: &[&str]| {
        let address = keys
            .iter()
            .find_map(|key| value(key))
            .or_else(|| arguments.trim().strip_prefix("http").map(|_| arguments.trim()));
        address.map(|address| {
            format!("\n\n<figure><{element} controls src=\"{}\"></{element}></figure>\n\n", escape_html(address))
        })
    };
    let meaning = match name {
        "caption" | "wp_caption" => {
            let content = content?.trim();
            let end = ["</a>", "/>", ">"].iter().find_map(|end| Some(content.find(end)? + end.len())).unwrap_or(0);
            let (picture, caption) = content.split_at(end);
            let caption =
                Some(caption.trim()).filter(|caption| !caption.is_empty()).or(value("caption")).unwrap_or_default();
            format!("\n\n<figure>{picture}<figcaption>{caption}</figcaption></figure>\n\n")
        }
        "embed" => format!("\n\n{}\n\n", content?.trim()),
        "gallery" => {
            let numbers = value("ids").or(value("include")).unwrap_or_default().split(',');
            let pictures = numbers.filter_map(|number| attachments.get(number.trim()));
            let pictures: Vec<String> =
                pictures.map(|address| format!("<img src=\"{}\" alt=\"\">", escape_html(address))).collect();
            // Without numbers, it has all pictures of the post, which the export does not name.
            if pictures.is_empty() { String::new() } else { format!("\n\n<figure>{}</figure>\n\n", pictures.concat()) }
        }
        "audio" => player("audio", &["src", "mp3", "m4a", "ogg", "wav"])?,
        "video" | "wpvideo" => player("video", &["src", "mp4", "m4v", "webm", "ogv"])?,
        "youtube" | "vimeo" => format!("\n\n{}\n\n", arguments.trim_start_matches(['=', ' ']).trim()),
        "more" | "contact-form" | "subscribe" => String::new(),
        _ => return None,
    };
    let has_content = content.is_some() && !matches!(name, "gallery" | "youtube" | "vimeo" | "more");
    Some((meaning, if has_content { with_content } else { end + 1 }))
}

/// A tag in a text.
struct BlockTag<'a> {
    name: &'a str,
    is_end: bool,
    start: usize,
    end: usize,
}

/// The tags of blocks.
fn block_tags(source: &str) -> impl Iterator<Item = BlockTag<'_>> {
    source.match_indices('<').filter_map(|(start, _)| {
        let rest = &source[start + 1..];
        let (is_end, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())];
        let name = BLOCKS.iter().find(|block| block.eq_ignore_ascii_case(name))?;
        let end = source[start..].find('>').map_or(source.len(), |end| start + end + 1);
        Some(BlockTag { name, is_end, start, end })
    })
}

/// Blank lines as paragraphs and line ends as breaks, beside blocks and in those that have text of their own.
fn with_paragraphs(source: &str, depth: usize) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    let mut tags = block_tags(source);
    while let Some(open) = tags.next() {
        if open.is_end || open.start < at {
            continue;
        }
        parts.extend(paragraphs_of(&source[at..open.start]));
        // The end tag of the same name at the same depth.
        let mut nested = 1;
        let close = tags.by_ref().find(|tag| {
            if tag.name == open.name {
                nested = if tag.is_end { nested - 1 } else { nested + 1 };
            }
            nested == 0
        });
        let Some(close) = close else {
            parts.push(source[open.start..].trim_end().to_owned());
            return parts.join("\n");
        };
        let inside = &source[open.end..close.start];
        let has_text = CONTAINERS.contains(&open.name) && depth < MAX_DEPTH && inside.contains("\n\n");
        let inside = if has_text { with_paragraphs(inside, depth + 1) } else { inside.to_owned() };
        parts.push(format!("{}{inside}{}", &source[open.start..open.end], &source[close.start..close.end]));
        at = close.end;
    }
    parts.extend(paragraphs_of(&source[at..]));
    parts.join("\n")
}

/// The paragraphs of a text without blocks.
fn paragraphs_of(text: &str) -> impl Iterator<Item = String> {
    text.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).map(|part| {
        let is_whole = part.starts_with("<p>") || part.starts_with("<p ") || part.starts_with("<hr");
        let is_comment = part.starts_with("<!--") && part.ends_with("-->");
        if is_whole || is_comment { part.to_owned() } else { format!("<p>{}</p>", part.replace('\n', "<br>\n")) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_classic_editor_have_paragraphs() {
        let attachments = HashMap::from([("7".to_owned(), "https://a.example/7.jpg".to_owned())]);
        for (source, expected) in [
            ("One\ntwo\n\nThree", "<p>One<br>\ntwo</p>\n<p>Three</p>"),
            ("One\r\n\r\nTwo", "<p>One</p>\n<p>Two</p>"),
            (
                "A quote:\n<blockquote>Said</blockquote>\nMore",
                "<p>A quote:</p>\n<blockquote>Said</blockquote>\n<p>More</p>",
            ),
            ("<blockquote>One\n\nTwo</blockquote>", "<blockquote><p>One</p>\n<p>Two</p></blockquote>"),
            ("<div><div>a</div>b</div>c", "<div><div>a</div>b</div>\n<p>c</p>"),
            ("<pre>a\n\nb</pre>\n\nc", "<pre>a\n\nb</pre>\n<p>c</p>"),
            ("<p>Own</p>\n\n<!--more-->\n\nText", "<p>Own</p>\n<!--more-->\n<p>Text</p>"),
            ("<ul><li>one\n\ntwo", "<ul><li>one\n\ntwo"),
            ("a < b", "<p>a < b</p>"),
            (
                "[caption id=\"x\"]<a href=\"b\"><img src=\"a\"></a> The sea[/caption]",
                "<figure><a href=\"b\"><img src=\"a\"></a><figcaption>The sea</figcaption></figure>",
            ),
            ("[gallery ids=\"7,8\"]", "<figure><img src=\"https://a.example/7.jpg\" alt=\"\"></figure>"),
            (
                "[audio mp3=\"https://a.example/a.mp3\"][/audio]",
                "<figure><audio controls src=\"https://a.example/a.mp3\"></audio></figure>",
            ),
            (
                "See:\n\n[embed]https://v.example/?a=1&b[/embed]",
                "<p>See:</p>\n<p><a href=\"https://v.example/?a=1&amp;b\">https://v.example/?a=1&amp;b</a></p>",
            ),
            ("https://v.example/1", "<p><a href=\"https://v.example/1\">https://v.example/1</a></p>"),
            ("Array[0] and [other code]", "<p>Array[0] and [other code]</p>"),
        ] {
            assert_eq!(html_of(source, &attachments), expected, "{source}");
        }
    }

    #[test]
    fn texts_of_the_block_editor_are_html_already() {
        let source = "<!-- wp:paragraph -->\n<p>One</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:more -->\n<!--more-->\n<!-- /wp:more -->\n\n<!-- wp:embed -->\n<div>\nhttps://v.example/1\n</div>\n<!-- /wp:embed -->";
        let html = html_of(source, &HashMap::new());
        assert_eq!(
            html.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            ["<p>One</p>", "<!--more-->", "<div>", "<a href=\"https://v.example/1\">https://v.example/1</a>", "</div>"]
        );
    }

    #[test]
    fn long_texts_take_linear_time() {
        let none = HashMap::new();
        html_of(&"<div>".repeat(50_000), &none);
        html_of(&"[caption".repeat(50_000), &none);
        html_of(&"<div>\n\n".repeat(20_000), &none);
        html_of(&"[a]".repeat(20_000), &none);
    }
}
