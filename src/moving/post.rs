//! A post of another publisher, and the file that it becomes.

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::percent_decode_str;
use url::Url;

use super::attributes::with_addresses;
use super::library::WordPressPost;
use crate::article::{date, html};
use crate::model::text::is_iri;

/// Maximum length of the name of a file without date and ending, in characters.
const LONGEST_NAME: usize = 80;
/// Number of words that name a post without a title.
const FIRST_WORDS: usize = 8;
/// Number of hexadecimal digits of a hash that name a post without words.
const HASH_LENGTH: usize = 12;
/// Names that systems, site generators or gazetted itself give another meaning.
const RESERVED: [&str; 14] = [
    "con",
    "prn",
    "aux",
    "nul",
    "index",
    "readme",
    "license",
    "licence",
    "robots",
    "requirements",
    "changelog",
    "humans",
    "security",
    "contributing",
];
/// Marks of templates and notes, which would not be read as text, each with a spelling that is.
const MARKS: [(&str, &str); 8] = [
    ("{{", "&#123;{"),
    ("{%", "&#123;%"),
    ("{#", "&#123;#"),
    ("{:", "&#123;:"),
    ("[[", "&#91;["),
    ("[!", "&#91;!"),
    ("[TOC]", "&#91;TOC]"),
    ("%%", "&#37;%"),
];

/// Whether the public may read a post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PostStatus {
    #[default]
    Public,
    /// Public from its date on.
    Scheduled,
    Draft,
    /// For some readers only: private, with a password, for members.
    Private,
}

/// A recording of a post.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostRecording {
    pub url: String,
    pub media_type: Option<String>,
    /// In bytes.
    pub length: Option<u64>,
}

/// A post that was published elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Post {
    /// By which feed readers know it.
    pub id: Option<String>,
    /// Plain text in one line.
    pub title: Option<String>,
    pub published: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
    pub authors: Vec<String>,
    pub tags: Vec<String>,
    /// Last part of its address.
    pub slug: Option<String>,
    /// Former addresses, whole or only their paths.
    pub addresses: Vec<String>,
    pub summary: Option<String>,
    pub language: Option<String>,
    /// Address of its picture.
    pub image: Option<String>,
    pub recordings: Vec<PostRecording>,
    pub status: PostStatus,
    /// Its text.
    pub html: String,
    /// Set while its text is that of an editor of WordPress.
    pub(super) wordpress: Option<Box<WordPressPost>>,
    /// Its number in WordPress.
    pub(super) wordpress_number: Option<u64>,
    /// Other posts have addresses with the same path, so that their queries tell them apart.
    pub(super) has_queries: bool,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostFile {
    /// Without ending and without a folder.
    pub stem: String,
    pub text: String,
    /// The line of its front matter with the id.
    pub id_line: Option<String>,
}

/// Elements that divide a page. In a saved page, one of them holds the article, and others what stands around it; here, all is the
/// article.
const DIVISIONS: [&str; 6] = ["article", "main", "nav", "footer", "header", "section"];

/// The ending of the files.
pub const ENDING: &str = "html";

impl Post {
    /// Names the post in a message.
    pub fn name(&self) -> &str {
        self.title.as_deref().or(self.slug.as_deref()).or(self.id.as_deref()).unwrap_or("a post")
    }

    /// The file of the post, as of `now`: a schedule that is over does not publish it.
    pub fn file(&self, now: DateTime<Utc>) -> PostFile {
        let mut front = FrontMatterText::default();
        front.text("title", self.title.as_deref());
        // An id that is no IRI cannot be one in Atom.
        let key = if self.id.as_deref().is_none_or(is_iri) { "id" } else { "feed_guid" };
        front.text(key, self.id.as_deref());
        front.date("date", self.published);
        front.date("updated", self.updated.filter(|updated| Some(*updated) != self.published));
        front.texts("authors", &self.authors);
        front.texts("tags", &self.tags);
        front.text("slug", self.slug().as_deref());
        front.texts("aliases", &self.aliases());
        front.text("description", self.summary.as_deref());
        front.text("lang", self.language.as_deref());
        front.text("image", self.image.as_deref());
        front.recordings(&self.recordings);
        let is_due = self.published.is_none_or(|published| published <= now);
        match self.status {
            PostStatus::Draft => front.0.push_str("draft: true\n"),
            PostStatus::Scheduled if is_due => front.0.push_str("draft: true\n"),
            PostStatus::Private => front.0.push_str("private: true\n"),
            PostStatus::Public | PostStatus::Scheduled => {}
        }
        let id_line = self.id.as_deref().map(|id| format!("{key}: {}", quoted(id)));
        PostFile { stem: self.stem(), text: format!("---\n{}---\n{}\n", front.0, body(&self.html)), id_line }
    }

    /// Makes relative addresses in it absolute. Links within the text stay.
    pub(super) fn resolve(&mut self, base: &Url) {
        let absolute = |address: &str| {
            let is_relative = Url::parse(address) == Err(url::ParseError::RelativeUrlWithoutBase);
            let is_within = address.is_empty() || address.starts_with('#');
            base.join(address).ok().filter(|_| is_relative && !is_within).map(String::from)
        };
        self.html = with_addresses(&self.html, &mut |_, address| absolute(address));
        for address in self.image.iter_mut().chain(self.recordings.iter_mut().map(|recording| &mut recording.url)) {
            if let Some(absolute) = absolute(address) {
                *address = absolute;
            }
        }
    }

    /// The last part of its address, as it is written there.
    fn slug(&self) -> Option<String> {
        let stated = self.slug.as_deref().map(|slug| percent_decode_str(slug).decode_utf8_lossy().into_owned());
        let of_address = || self.addresses.iter().find_map(|address| slug_of(address));
        stated.filter(|slug| !slug.trim().is_empty()).or_else(of_address)
    }

    /// Name of the file without ending. It has only letters that every file system takes.
    fn stem(&self) -> String {
        let words = self.slug().map(slug::slugify).filter(|name| !name.is_empty());
        let words = words.or_else(|| self.title.as_deref().map(slug::slugify)).filter(|name| !name.is_empty());
        // A note without a title is named by its first words.
        let first_words = || html::one_line(&self.html).split(' ').take(FIRST_WORDS).collect::<Vec<_>>().join(" ");
        let words = words.or_else(|| Some(slug::slugify(first_words())).filter(|name| !name.is_empty()));
        let name = words.unwrap_or_else(|| {
            let text = self.id.as_deref().unwrap_or(&self.html);
            blake3::hash(text.as_bytes()).to_hex()[..HASH_LENGTH].to_owned()
        });
        let name = name[..name.len().min(LONGEST_NAME)].trim_end_matches('-');
        let is_reserved =
            RESERVED.contains(&name) || (name.len() == 4 && (name.starts_with("com") || name.starts_with("lpt")));
        match self.published {
            Some(date) => format!("{}-{name}", date.format("%Y-%m-%d")),
            // A number alone could be read as a date.
            None if is_reserved || name.starts_with(|c: char| c.is_ascii_digit()) => format!("post-{name}"),
            None => name.to_owned(),
        }
    }

    /// Paths of its former addresses; of an address without one, the query.
    pub(super) fn aliases(&self) -> Vec<String> {
        let mut aliases: Vec<String> = Vec::new();
        for address in &self.addresses {
            let alias = match Url::parse(address) {
                Ok(url) if url.has_host() => {
                    // `?p=12` tells posts apart that have one path.
                    let is_number = |query: &&str| {
                        query.split_once('=').is_some_and(|(_, value)| value.bytes().all(|byte| byte.is_ascii_digit()))
                    };
                    let query = match url.query() {
                        Some(query) if url.path() == "/" || is_number(&query) => format!("?{query}"),
                        Some(query) if self.has_queries => without_origin(query),
                        _ => String::new(),
                    };
                    percent_decode_str(url.path()).decode_utf8_lossy().into_owned() + &query
                }
                Ok(_) => continue,
                Err(_) => format!("/{}", address.trim_start_matches('/')),
            };
            if alias != "/" && !aliases.contains(&alias) {
                aliases.push(alias);
            }
        }
        aliases
    }
}

/// A query with its `?`, without the parameters that only say where a reader came from.
fn without_origin(query: &str) -> String {
    let parameters: Vec<&str> = query.split('&').filter(|parameter| !parameter.starts_with("utm_")).collect();
    if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) }
}

/// The last part of an address, without date and ending.
fn slug_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().or_else(|| Url::parse("http://localhost/").ok()?.join(address).ok())?;
    let path = percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.last().is_some_and(|last| last.starts_with("index.")) {
        parts.pop();
    }
    let last = parts.pop()?;
    let endings = [".html", ".htm", ".php", ".xhtml", ".aspx", ".md"];
    let last = endings.iter().find_map(|ending| last.strip_suffix(ending)).unwrap_or(last);
    let name = date::file_name(std::path::Path::new(&format!("{last}.md")), chrono_tz::UTC).stem;
    Some(name).filter(|name| name.contains(char::is_alphabetic))
}

/// The lines of front matter in YAML.
#[derive(Debug, Default)]
struct FrontMatterText(String);

/// A text in the quotation marks of JSON, which are YAML as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl FrontMatterText {
    fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
            self.0.push_str(&format!("{key}: {}\n", quoted(text)));
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            self.0.push_str(&format!("{key}: [{}]\n", texts.join(", ")));
        }
    }

    fn date(&mut self, key: &str, date: Option<DateTime<Utc>>) {
        if let Some(date) = date {
            self.0.push_str(&format!("{key}: {}\n", date.to_rfc3339_opts(SecondsFormat::Secs, true)));
        }
    }

    fn recordings(&mut self, recordings: &[PostRecording]) {
        if recordings.is_empty() {
            return;
        }
        self.0.push_str("enclosures:\n");
        for recording in recordings {
            self.0.push_str(&format!("- url: {}\n", quoted(&recording.url)));
            if let Some(media_type) = &recording.media_type {
                self.0.push_str(&format!("  type: {}\n", quoted(media_type)));
            }
            if let Some(length) = recording.length {
                self.0.push_str(&format!("  length: {length}\n"));
            }
        }
    }
}

/// The text of a post after its front matter: marks that are no text elsewhere are spelled so that they are read as text.
fn body(html: &str) -> String {
    let mut html = html.replace("\r\n", "\n").replace('\r', "\n");
    for (mark, spelling) in MARKS {
        html = html.replace(mark, spelling);
    }
    let html = without_divisions(&html);
    let html = html.trim();
    // A text that starts like front matter is none.
    if html.starts_with('<') && !html.starts_with("<!--") { html.to_owned() } else { format!("<div>\n{html}\n</div>") }
}

/// HTML with `<div>` in place of elements that divide a page.
fn without_divisions(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let start = at + if rest[at..].starts_with("</") { 2 } else { 1 };
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        if DIVISIONS.iter().any(|name| name.eq_ignore_ascii_case(&rest[..length])) {
            plain.push_str("div");
            rest = &rest[length..];
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(post: &Post) -> PostFile {
        post.file("2026-01-01T00:00:00Z".parse().unwrap())
    }

    fn at(date: &str) -> DateTime<Utc> {
        date.parse().unwrap()
    }

    #[test]
    fn a_file_states_all_that_is_known() {
        let post = Post {
            id: Some("tag:old.example,2024:1".into()),
            title: Some("A \"storm\": part 1".into()),
            published: Some(at("2024-05-01T10:00:00Z")),
            updated: Some(at("2024-05-02T10:00:00Z")),
            authors: vec!["Ann Lee".into()],
            tags: vec!["sea".into(), "a, b".into()],
            addresses: vec![
                "https://old.example/2024/05/the-storm/?utm_source=x".into(),
                "https://old.example/?p=1".into(),
                "https://old.example/demo/?p=1".into(),
            ],
            html: "<p>{{ x }}</p>".into(),
            ..Post::default()
        };
        let file = file(&post);
        assert_eq!(file.stem, "2024-05-01-the-storm");
        assert_eq!(
            file.text,
            "---\ntitle: \"A \\\"storm\\\": part 1\"\nid: \"tag:old.example,2024:1\"\ndate: 2024-05-01T10:00:00Z\nupdated: 2024-05-02T10:00:00Z\n\
             authors: [\"Ann Lee\"]\ntags: [\"sea\", \"a, b\"]\nslug: \"the-storm\"\naliases: [\"/2024/05/the-storm/\", \"/?p=1\", \"/demo/?p=1\"]\n---\n<p>&#123;{ x }}</p>\n"
        );
        assert!(file.text.contains(&file.id_line.unwrap()));
    }

    #[test]
    fn names_are_safe_on_every_system() {
        let stem = |slug: &str, date: Option<&str>| {
            file(&Post { slug: Some(slug.into()), published: date.map(at), html: "x".into(), ..Post::default() }).stem
        };
        for (slug, expected) in [
            ("../../etc/passwd", "etc-passwd"),
            ("/etc/passwd", "etc-passwd"),
            ("..\\..\\x", "x"),
            ("a\0b\nc", "a-b-c"),
            ("con", "post-con"),
            ("COM1", "post-com1"),
            ("index", "post-index"),
            ("2024", "post-2024"),
            (".hidden", "hidden"),
            ("_draft", "draft"),
            ("%e6%97%a5%e6%9c%ac", "ri-ben"),
            ("Über uns", "uber-uns"),
        ] {
            assert_eq!(stem(slug, None), expected, "{slug}");
        }
        assert_eq!(stem("con", Some("2024-05-01T10:00:00Z")), "2024-05-01-con");
        assert_eq!(stem(&"a".repeat(500), None).len(), LONGEST_NAME);
        assert_eq!(stem("..", None), "x", "its first words");
        let nameless = file(&Post { html: "<img>".into(), ..Post::default() }).stem;
        assert_eq!(nameless.trim_start_matches("post-").len(), HASH_LENGTH, "{nameless}");
    }

    #[test]
    fn what_is_not_public_stays_so() {
        let text = |status, date: Option<&str>| {
            file(&Post { status, published: date.map(at), html: "x".into(), ..Post::default() }).text
        };
        for (status, date, line) in [
            (PostStatus::Draft, None, "draft: true"),
            (PostStatus::Private, Some("2024-05-01T10:00:00Z"), "private: true"),
            (PostStatus::Scheduled, Some("2024-05-01T10:00:00Z"), "draft: true"),
            (PostStatus::Scheduled, None, "draft: true"),
        ] {
            assert!(text(status, date).contains(&format!("\n{line}\n---\n")), "{status:?}");
        }
        for (status, date) in [(PostStatus::Public, None), (PostStatus::Scheduled, Some("2999-05-01T10:00:00Z"))] {
            assert!(!text(status, date).contains("true"), "{status:?}");
        }
    }
}
