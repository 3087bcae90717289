//! The text of a post of WordPress -> HTML as its page shows it. The block editor writes HTML between comments; the classic one leaves
//! paragraphs to line breaks. Both leave pictures and recordings to shortcodes, and videos to addresses on lines of their own.

use std::collections::BTreeSet;

use super::blocks;
use super::entry::is_web_address;
use super::library::{AttachedFile, NumberedParts, WordPressPost};
use super::shortcode::{Endings, Shortcode, is_for_members};
use crate::model::text::{escape, escape_html};

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
/// Shortcodes within the content of others are read to this depth.
const MAX_CODES: usize = 3;
/// Shortcodes that WordPress itself has, or that are left out.
const KNOWN: [&str; 13] = [
    "caption",
    "wp_caption",
    "embed",
    "gallery",
    "playlist",
    "audio",
    "video",
    "wpvideo",
    "youtube",
    "vimeo",
    "more",
    "contact-form",
    "subscribe",
];
/// Shortcodes whose content is code, and those of them that name its language.
const CODE: [&str; 3] = ["sourcecode", "source", "code"];
const LANGUAGES: [&str; 24] = [
    "bash",
    "shell",
    "css",
    "php",
    "html",
    "xml",
    "javascript",
    "jscript",
    "js",
    "java",
    "python",
    "py",
    "ruby",
    "sql",
    "csharp",
    "cpp",
    "perl",
    "yaml",
    "json",
    "objc",
    "powershell",
    "diff",
    "swift",
    "scala",
];
/// Elements whose text stays as it is.
const VERBATIM: [&str; 4] = ["pre", "code", "script", "style"];

/// A text as HTML, and what is not in it.
#[derive(Debug, Default)]
pub struct ConvertedText {
    pub html: String,
    /// Number of parts that are left out, since not all readers may see them.
    pub held_back: usize,
    /// What the export lacks.
    pub missing: BTreeSet<String>,
    /// Names of shortcodes that stay as they are written.
    pub unknown: BTreeSet<String>,
}

/// Converts the text of a post.
pub fn convert(source: &str, post: &WordPressPost, library: &NumberedParts) -> ConvertedText {
    let mut conversion = Conversion { post, library, text: ConvertedText::default() };
    let mut source = source.replace("\r\n", "\n");
    let has_blocks = source.contains("<!-- wp:");
    if has_blocks {
        let blocks = blocks::resolve(&source, post, library);
        conversion.text.held_back = blocks.held_back;
        conversion.text.missing = blocks.missing;
        source = blocks.text;
    }
    let source = with_links(&conversion.without_shortcodes(&source, 0));
    conversion.text.html = if has_blocks { without_block_marks(&source) } else { with_paragraphs(&source, 0) };
    conversion.text
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

struct Conversion<'a> {
    post: &'a WordPressPost,
    library: &'a NumberedParts,
    text: ConvertedText,
}

impl<'a> Conversion<'a> {
    /// `[caption]<img> text[/caption]` and `[gallery]` as figures, recordings and videos as players, other media as links. What is not for
    /// all readers is left out. Tags, comments and code stay as they are.
    fn without_shortcodes(&mut self, source: &str, depth: usize) -> String {
        let endings = Endings::of(source);
        let markup = Markup::of(source);
        let mut html = String::with_capacity(source.len());
        let mut at = 0;
        while let Some(next) = source[at..].find(['[', '<']) {
            html.push_str(&source[at..at + next]);
            at += next;
            if source[at..].starts_with('<') {
                let length = markup.length(source, at);
                html.push_str(&source[at..at + length]);
                at += length;
                continue;
            }
            let (meaning, length) = self.shortcode(source, at, &endings, depth).unwrap_or_else(|| ("[".to_owned(), 1));
            html.push_str(&meaning);
            at += length;
        }
        html.push_str(&source[at..]);
        html
    }

    /// The HTML that a shortcode at a place stands for, and the length of the shortcode with its content.
    fn shortcode(&mut self, source: &str, at: usize, endings: &Endings<'_>, depth: usize) -> Option<(String, usize)> {
        let rest = &source[at..];
        if let Some(text) = escaped(source, at, endings) {
            return Some((text.to_owned(), text.len() + "[]".len()));
        }
        let Some(code) = Shortcode::at(rest) else {
            self.note_ending(rest);
            return None;
        };
        let (name, after) = (code.name, at + code.length);
        let content = (!code.is_closed).then(|| endings.content(name, after)).flatten();
        let with_content = code.length + content.map_or(0, |(_, length)| length);
        if is_for_members(name)
            && !code.is_closed
            && let Some((_, length)) = endings.whole_content(name, after)
        {
            self.text.held_back += 1;
            return Some((String::new(), code.length + length));
        }
        if let Some((content, _)) = content.filter(|_| is_code(name)) {
            return Some((code_of(&code, content), with_content));
        }
        let content = content.map(|(content, _)| content);
        if let Some(meaning) = self.known(&code, content, depth) {
            let has_content = !matches!(name, "gallery" | "playlist" | "youtube" | "vimeo" | "more");
            return Some((meaning, if has_content { with_content } else { code.length }));
        }
        let stands_alone = || {
            let (before, behind) = (&source[..at], &source[after..]);
            (before.is_empty() || before.ends_with(['\n', '>']))
                && (behind.is_empty() || behind.starts_with(['\n', '<']))
        };
        let is_lower = || !name.contains(|c: char| c.is_ascii_uppercase());
        if code.is_certain() || (stands_alone() && is_lower()) {
            self.text.unknown.insert(name.to_owned());
        }
        None
    }

    /// The HTML that a shortcode of WordPress itself stands for.
    fn known(&mut self, code: &Shortcode<'_>, content: Option<&str>, depth: usize) -> Option<String> {
        match code.name {
            "caption" | "wp_caption" => {
                let content = content?;
                let is_deep = depth >= MAX_CODES;
                let content = if is_deep { content.to_owned() } else { self.without_shortcodes(content, depth + 1) };
                Some(caption(code, content.trim()))
            }
            "embed" => Some(format!("\n\n{}\n\n", content.or(code.value("src"))?.trim())),
            "gallery" => Some(self.gallery(code)),
            "playlist" => Some(self.playlist(code)),
            "audio" | "video" | "wpvideo" => self.player(code),
            "youtube" | "vimeo" => Some(format!("\n\n{}\n\n", video_address(code)?)),
            "more" | "contact-form" | "subscribe" => Some(String::new()),
            _ => None,
        }
    }

    /// Notes the name of a shortcode of which an ending stays in the text.
    fn note_ending(&mut self, rest: &str) {
        let ending = rest.strip_prefix("[/").and_then(|rest| rest.split_once(']'));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name = ending.map(|(name, _)| name).filter(|name| !name.is_empty() && name.chars().all(is_name));
        if let Some(name) = name.filter(|name| !KNOWN.contains(name)) {
            self.text.unknown.insert(name.to_owned());
        }
    }

    fn gallery(&mut self, code: &Shortcode<'_>) -> String {
        let files = self.files(code, "image");
        if files.is_empty() && code.value("ids").or(code.value("include")).is_none() {
            self.text.missing.insert("the pictures of a gallery".to_owned());
        }
        let picture = |file: &&AttachedFile| {
            format!("<img src=\"{}\" alt=\"{}\">", escape_html(&file.url), escape_html(&file.alt))
        };
        let pictures: String = files.iter().map(picture).collect();
        if pictures.is_empty() { String::new() } else { format!("\n\n<figure>{pictures}</figure>\n\n") }
    }

    fn playlist(&mut self, code: &Shortcode<'_>) -> String {
        let kind = if code.value("type") == Some("video") { "video" } else { "audio" };
        self.files(code, kind).iter().map(|file| player(kind, &file.url)).collect()
    }

    /// The attachments that a shortcode names, or those of the post of a kind.
    fn files(&mut self, code: &Shortcode<'_>, kind: &str) -> Vec<&'a AttachedFile> {
        let library = self.library;
        let numbers = |key: &str| -> Option<Vec<&str>> {
            let value = code.value(key).filter(|value| !value.trim().is_empty())?;
            Some(value.split(',').map(str::trim).filter(|number| !number.is_empty()).collect())
        };
        if let Some(numbers) = numbers("ids").or_else(|| numbers("include")) {
            let mut files = Vec::new();
            for number in numbers {
                match number.parse().ok().and_then(|number| library.attachment(number)) {
                    Some(file) => files.push(file),
                    None => drop(self.text.missing.insert(format!("attachment {number}"))),
                }
            }
            return files;
        }
        let excluded = numbers("exclude").unwrap_or_default();
        let excluded: Vec<&str> =
            excluded.iter().filter_map(|number| Some(library.attachment(number.parse().ok()?)?.url.as_str())).collect();
        let post = code.value("id").and_then(|number| number.parse().ok()).or(self.post.number);
        let own = post.map(|post| library.of_post(post)).unwrap_or_default();
        own.into_iter().filter(|file| file.is_a(kind) && !excluded.contains(&file.url.as_str())).collect()
    }

    fn player(&mut self, code: &Shortcode<'_>) -> Option<String> {
        let kind = if code.name == "audio" { "audio" } else { "video" };
        let keys = match kind {
            "audio" => ["src", "mp3", "m4a", "ogg", "wav", "flac"],
            _ => ["src", "mp4", "m4v", "webm", "ogv", "mov"],
        };
        let plain = || code.plain_value().filter(|value| value.starts_with("http"))?.split('|').next();
        let address = keys.iter().find_map(|key| code.value(key)).or_else(plain);
        if let Some(address) = address {
            return Some(player(kind, address));
        }
        // Without an address, it plays the recording of the post.
        let own = self.files(code, kind);
        own.first().filter(|_| code.arguments.trim().is_empty()).map(|file| player(kind, &file.url))
    }
}

fn player(element: &str, address: &str) -> String {
    format!("\n\n<figure><{element} controls src=\"{}\"></{element}></figure>\n\n", escape_html(address))
}

fn is_code(name: &str) -> bool {
    CODE.contains(&name) || LANGUAGES.contains(&name)
}

/// Code as HTML. Some versions of the editor have escaped it already.
fn code_of(code: &Shortcode<'_>, content: &str) -> String {
    let language = code.value("language").or(code.value("lang")).or(code.plain_value());
    let language = language.or(Some(code.name).filter(|name| LANGUAGES.contains(name)));
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric());
    let class = language.filter(is_name).map(|name| format!(" class=\"language-{name}\"")).unwrap_or_default();
    let is_escaped = !content.contains(['<', '>'])
        && ["&lt;", "&gt;", "&amp;", "&quot;", "&#"].iter().any(|reference| content.contains(reference));
    let content = content.trim_matches('\n');
    let text = if is_escaped { content.to_owned() } else { escape(content) };
    format!("\n\n<pre><code{class}>{text}</code></pre>\n\n")
}

fn caption(code: &Shortcode<'_>, content: &str) -> String {
    let end = ["</a>", "/>", ">"].iter().find_map(|end| Some(content.find(end)? + end.len())).unwrap_or(0);
    let (picture, caption) = content.split_at(end);
    let caption = Some(caption.trim()).filter(|caption| !caption.is_empty()).or(code.value("caption"));
    format!("\n\n<figure>{picture}<figcaption>{}</figcaption></figure>\n\n", caption.unwrap_or_default())
}

fn video_address(code: &Shortcode<'_>) -> Option<String> {
    let value = code.value("id").or(code.value("v")).or(code.plain_value());
    let value = value.unwrap_or(code.arguments).trim_start_matches('=').trim();
    let is_id = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match (value.starts_with("http"), code.name) {
        (true, _) => Some(value.to_owned()),
        (false, "youtube") if is_id => Some(format!("https://www.youtube.com/watch?v={value}")),
        (false, "vimeo") if is_id => Some(format!("https://vimeo.com/{value}")),
        _ => None,
    }
}

/// The text that `[[gallery]]` or `[[caption]content[/caption]]` at a place stands for. Other double brackets are no such text.
fn escaped<'a>(source: &'a str, at: usize, endings: &Endings<'_>) -> Option<&'a str> {
    let start = at + source[at..].strip_prefix('[').filter(|rest| rest.starts_with('['))?.len().min(1);
    let code = Shortcode::at(&source[start..])?;
    if !(KNOWN.contains(&code.name) || is_code(code.name) || is_for_members(code.name)) {
        return None;
    }
    let end = start + code.length;
    let ends = |end: &usize| source[*end..].starts_with(']');
    let with_content = || endings.content(code.name, end).map(|(_, length)| end + length);
    let end = Some(end).filter(ends).or_else(|| with_content().filter(ends))?;
    Some(&source[start..end])
}

/// Where the tags, comments and code in a text end.
struct Markup {
    last_comment: Option<usize>,
    /// The last end of each element whose text stays.
    last_ends: [Option<usize>; VERBATIM.len()],
}

impl Markup {
    fn of(source: &str) -> Self {
        let lower = source.to_ascii_lowercase();
        Self { last_comment: source.rfind("-->"), last_ends: VERBATIM.map(|name| lower.rfind(&format!("</{name}>"))) }
    }

    /// Length of what starts with the `<` at a place.
    fn length(&self, source: &str, at: usize) -> usize {
        let rest = &source[at..];
        if rest.starts_with("<!--") {
            let is_ended = self.last_comment.is_some_and(|last| last > at);
            return is_ended.then(|| rest.find("-->")).flatten().map_or(1, |end| end + "-->".len());
        }
        let inside = &rest[1..];
        let name = &inside[..inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '/').unwrap_or(inside.len())];
        let tag = inside.find(['<', '>']).filter(|end| !name.is_empty() && inside[*end..].starts_with('>'));
        let Some(tag) = tag.map(|end| end + 2) else { return 1 };
        let verbatim = VERBATIM.iter().position(|verbatim| verbatim.eq_ignore_ascii_case(name));
        let last = verbatim.and_then(|place| self.last_ends[place]).filter(|last| *last > at);
        let end = last.and_then(|_| {
            let ends = rest[tag..].match_indices("</").map(|(end, mark)| (end, &rest[tag + end + mark.len()..]));
            let is_end = |after: &str| {
                after.get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name))
                    && after[name.len()..].starts_with('>')
            };
            ends.into_iter().find(|(_, after)| is_end(after)).map(|(end, _)| tag + end)
        });
        end.unwrap_or(tag)
    }
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
    use std::fmt::Write as _;

    use super::*;
    use crate::moving::library::Footnote;
    use crate::moving::xml;

    /// Attachments 7 to 10 (two pictures of post 1, a recording of it, and a picture of none), and patterns.
    fn library() -> NumberedParts {
        let mut items = String::new();
        for (number, name, parent, order) in
            [(7, "7.jpg", 1, 2), (8, "8.png", 1, 1), (9, "9.mp3", 1, 0), (10, "10.jpg", 0, 0)]
        {
            write!(
                items,
                "<item><wp:post_id>{number}</wp:post_id><wp:post_parent>{parent}</wp:post_parent><wp:menu_order>{order}</wp:menu_order>\
                 <wp:post_type>attachment</wp:post_type><wp:attachment_url>https://a.example/{name}</wp:attachment_url></item>"
            )
            .unwrap();
        }
        for (number, status, text) in [
            (900, "publish", "<p>Pattern</p><!-- wp:block {\"ref\":901} /--><!-- wp:block {\"ref\":900} /-->"),
            (901, "publish", "<p>Inner</p>"),
            (902, "draft", "SECRET"),
        ] {
            write!(
                items,
                "<item><wp:post_id>{number}</wp:post_id><wp:status>{status}</wp:status><wp:post_type>wp_block</wp:post_type>\
                 <content:encoded><![CDATA[{text}]]></content:encoded></item>"
            )
            .unwrap();
        }
        let mut library = NumberedParts::default();
        xml::read(&items, &|name| name == "item").entries.iter().for_each(|item| library.add_item(item));
        library
    }

    fn of_post(source: &str) -> ConvertedText {
        let footnotes = vec![Footnote { id: "n1".to_owned(), content: "A <em>note</em>".to_owned() }];
        convert(source, &WordPressPost { number: Some(1), picture: None, footnotes }, &library())
    }

    #[test]
    fn texts_of_the_classic_editor_have_paragraphs() {
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
            (
                "[caption id='x' caption='The sea']<img src=\"a\">[/caption]",
                "<figure><img src=\"a\"><figcaption>The sea</figcaption></figure>",
            ),
            (
                "[audio mp3=\"https://a.example/a.mp3\"][/audio]",
                "<figure><audio controls src=\"https://a.example/a.mp3\"></audio></figure>",
            ),
            (
                "[audio https://a.example/a.mp3]",
                "<figure><audio controls src=\"https://a.example/a.mp3\"></audio></figure>",
            ),
            (
                "[wpvideo src=\"https://a.example/a.mp4\"]",
                "<figure><video controls src=\"https://a.example/a.mp4\"></video></figure>",
            ),
            ("[audio]", "<figure><audio controls src=\"https://a.example/9.mp3\"></audio></figure>"),
            ("[playlist ids=\"9\"]", "<figure><audio controls src=\"https://a.example/9.mp3\"></audio></figure>"),
            (
                "See:\n\n[embed]https://v.example/?a=1&b[/embed]",
                "<p>See:</p>\n<p><a href=\"https://v.example/?a=1&amp;b\">https://v.example/?a=1&amp;b</a></p>",
            ),
            ("https://v.example/1", "<p><a href=\"https://v.example/1\">https://v.example/1</a></p>"),
            ("Array[0] and [other code]", "<p>Array[0] and [other code]</p>"),
            (
                "Write [[gallery]] or [[caption]x[/caption]], not [[wiki]]",
                "<p>Write [gallery] or [caption]x[/caption], not [[wiki]]</p>",
            ),
            (
                "[sourcecode language=\"php\"]\n<b>[gallery]</b>\n\n&[/sourcecode]",
                "<pre><code class=\"language-php\">&lt;b&gt;[gallery]&lt;/b&gt;\n\n&amp;</code></pre>",
            ),
            ("[code lang=js]a &lt; b[/code]", "<pre><code class=\"language-js\">a &lt; b</code></pre>"),
            ("[python]x = [1][/python]", "<pre><code class=\"language-python\">x = [1]</code></pre>"),
            (
                "<code>[gallery]</code> <a title=\"[gallery]\">x</a>",
                "<p><code>[gallery]</code> <a title=\"[gallery]\">x</a></p>",
            ),
        ] {
            assert_eq!(of_post(source).html, expected, "{source}");
        }
    }

    #[test]
    fn galleries_show_the_attachments_of_any_file() {
        let figure = |names: &[&str]| {
            let picture = |name: &&str| format!("<img src=\"https://a.example/{name}\" alt=\"\">");
            format!("<figure>{}</figure>", names.iter().map(picture).collect::<Vec<_>>().concat())
        };
        for (source, names, missing) in [
            ("[gallery]", &["8.png", "7.jpg"][..], &[][..]),
            ("[gallery columns=\"2\" exclude='8']", &["7.jpg"], &[]),
            ("[gallery id=\"1\"]", &["8.png", "7.jpg"], &[]),
            ("[gallery ids=\"10, 7\"]", &["10.jpg", "7.jpg"], &[]),
            ("[gallery ids='10,7']", &["10.jpg", "7.jpg"], &[]),
            ("[gallery link=file ids=10,99,98]", &["10.jpg"], &["attachment 98", "attachment 99"]),
        ] {
            let text = of_post(source);
            assert_eq!(text.html, figure(names), "{source}");
            assert_eq!(text.missing.iter().map(String::as_str).collect::<Vec<_>>(), missing, "{source}");
        }
        let none = convert("[gallery]", &WordPressPost::default(), &library());
        assert!(none.html.is_empty() && none.missing.contains("the pictures of a gallery"), "{none:?}");
    }

    #[test]
    fn what_is_for_members_is_left_out_and_unknown_shortcodes_are_named() {
        for (source, expected, held_back, unknown) in [
            ("a [members_only]SECRET[/members_only] b", "<p>a  b</p>", 1, &[][..]),
            (
                "a\n\n[private role=\"x\"]SECRET\n\n<pre>SECRET</pre>[private]SECRET[/private]SECRET[/private]\n\nb",
                "<p>a</p>\n<p>b</p>",
                1,
                &[],
            ),
            ("a [um_loggedin]SECRET[um_loggedin]SECRET[/um_loggedin]", "<p>a</p>", 1, &[]),
            ("[box]a [restrict]SECRET[/restrict][/box]", "<p>[box]a [/box]</p>", 1, &["box"]),
            (
                "[caption]<img src=\"a\"> [paywall]SECRET[/paywall]x[/caption]",
                "<figure><img src=\"a\"><figcaption>x</figcaption></figure>",
                1,
                &[],
            ),
            ("[login_form] a", "<p>[login_form] a</p>", 0, &["login_form"]),
            (
                "[not_logged_in]Sign up[/not_logged_in]",
                "<p>[not_logged_in]Sign up[/not_logged_in]</p>",
                0,
                &["not_logged_in"],
            ),
            (
                "[team_member name=\"Ann\"]Text[/team_member]",
                "<p>[team_member name=\"Ann\"]Text[/team_member]</p>",
                0,
                &["team_member"],
            ),
            (
                "[contact-form-7 id=\"1\"]\n\n[toc]\n\nIt [sic] was [1] in [the sea](b).",
                "<p>[contact-form-7 id=\"1\"]</p>\n<p>[toc]</p>\n<p>It [sic] was [1] in [the sea](b).</p>",
                0,
                &["contact-form-7", "toc"],
            ),
            (
                "<code>[members_only]x[/members_only]</code>",
                "<p><code>[members_only]x[/members_only]</code></p>",
                0,
                &[],
            ),
            ("<code>a [members_only]SECRET[/members_only]", "<p><code>a</p>", 1, &[]),
            ("[[private]shown[/private]]", "<p>[private]shown[/private]</p>", 0, &[]),
        ] {
            let text = of_post(source);
            assert_eq!((text.html.trim_end(), text.held_back), (expected.trim_end(), held_back), "{source}");
            assert_eq!(text.unknown.iter().map(String::as_str).collect::<Vec<_>>(), unknown, "{source}");
        }
    }

    #[test]
    fn texts_of_the_block_editor_are_html_already() {
        let source = "<!-- wp:paragraph -->\n<p>One</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:more -->\n<!--more-->\n<!-- /wp:more -->\n\n<!-- wp:embed -->\n<div>\nhttps://v.example/1\n</div>\n<!-- /wp:embed -->";
        let html = of_post(source).html;
        assert_eq!(
            html.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            ["<p>One</p>", "<!--more-->", "<div>", "<a href=\"https://v.example/1\">https://v.example/1</a>", "</div>"]
        );
    }

    #[test]
    fn patterns_and_footnotes_are_part_of_the_text() {
        let text = of_post(
            "<!-- wp:paragraph -->\n<p>One<sup data-fn=\"n1\"><a href=\"#n1\" id=\"n1-link\">1</a></sup></p>\n<!-- /wp:paragraph -->\n\
             <!-- wp:block {\"ref\":901} /-->\n<!-- wp:block {\"ref\":902} /-->\n<!-- wp:block {\"ref\":903} /-->\n\
             <!-- wp:block {\"ref\":901,\"metadata\":{\"blockVisibility\":false}} /-->\n<!-- wp:footnotes /-->",
        );
        assert_eq!(
            text.html.split('\n').filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            [
                "<p>One<sup data-fn=\"n1\"><a href=\"#n1\" id=\"n1-link\">1</a></sup></p>",
                "<p>Inner</p>",
                "<ol><li id=\"n1\">A <em>note</em> <a href=\"#n1-link\">\u{21A9}\u{FE0E}</a></li></ol>"
            ]
        );
        assert_eq!((text.held_back, text.missing.into_iter().collect::<Vec<_>>()), (2, vec!["pattern 903".to_owned()]));
        let endless = of_post("<!-- wp:block {\"ref\":900} /-->");
        assert!((2..10).contains(&endless.html.matches("Pattern").count()), "{}", endless.html);
    }

    #[test]
    fn long_texts_take_linear_time() {
        for (part, count) in [
            ("<div>", 50_000),
            ("[caption", 50_000),
            ("<div>\n\n", 20_000),
            ("[a]", 20_000),
            ("[members][/a]", 20_000),
            ("[/members][members]", 20_000),
            ("<code><!--", 20_000),
            ("</code><code>", 20_000),
            ("[[code][code]", 20_000),
        ] {
            of_post(&part.repeat(count));
        }
    }
}
