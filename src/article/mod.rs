//! The bytes of one file -> an article and its problems. Pure: uses no clock, no catalog and no folder; only [`load`] and
//! [`measure`] open a file.

pub mod address;
pub mod boilerplate;
pub mod clean;
pub mod date;
pub mod dialect;
pub mod encoding;
pub mod front_matter;
pub mod html;
pub mod language;
pub mod linked_data;
pub mod load;
pub mod markdown;
pub mod measure;
pub mod recording;
pub mod summary;
mod tag_view;
pub mod text;
pub mod unicode;

use crate::model::text::{path_line, single_line, xml_legal};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::config::{Articles, Clean, SiteConfig};
use crate::folder::SourceFormat;
use crate::model::entry::{Episode, Media, Person};
use dialect::Dialect;
use front_matter::{Field, Header};

/// Version of the rules that turn bytes into an article. Raise it when a change of the rules changes the article of an unchanged
/// file: the daemon then reads every file again.
pub const VERSION: u32 = 4;

/// Length of the start of a text that is searched for a first word, in characters.
const FIRST_WORDS: usize = 200;

/// The part of the configuration that affects how articles are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Treatment of a website's boilerplate around a plain-text article.
    pub clean: Clean,
    /// Time zone of dates without an offset.
    pub timezone: chrono_tz::Tz,
}

impl Rules {
    /// Takes the rules out of the configuration.
    pub fn new(articles: &Articles, site: &SiteConfig) -> Self {
        Self { clean: articles.clean, timezone: site.timezone }
    }
}

/// The content of one file. `html` is unsafe: [`html::sanitise`] makes it safe once the permalink is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// Plain text, never empty.
    pub title: String,
    pub authors: Vec<Person>,
    /// The stated date of publication.
    pub published: Option<DateTime<Utc>>,
    /// The stated date of the last change.
    pub updated: Option<DateTime<Utc>>,
    /// The stated date at which the article is withdrawn.
    pub expires: Option<DateTime<Utc>>,
    /// Plain text; empty if it would only repeat the title or the whole text.
    pub summary: String,
    /// The body as unsafe HTML.
    pub html: String,
    /// Without duplicates, in the order of the file.
    pub tags: Vec<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Absolute address of the article elsewhere.
    pub link: Option<String>,
    /// The stated last part of the permalink; not yet made safe for an address.
    pub slug: Option<String>,
    /// The stated permanent id.
    pub id: Option<String>,
    /// The text that the permalink is made from if there is no `slug`.
    pub slug_source: String,
    /// Its other current and former locations: paths or addresses.
    pub addresses: Vec<String>,
    /// Feeds contain only the summary.
    pub summary_only: bool,
    /// The picture that represents it. The addresses of this and the following media are as in the file.
    pub image: Option<Media>,
    /// Recordings, in the order of the file.
    pub enclosures: Vec<Media>,
    /// Properties for podcast players.
    pub episode: Option<Episode>,
    /// The source of each field, in words.
    pub sources: BTreeMap<Field, String>,
}

/// A problem of a file, to be reported to its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; `None` if it concerns the whole file.
    pub line: Option<usize>,
    /// What is wrong, why it matters and what to do. It may quote the file and so contain any character: pass it through
    /// [`single_line`] before showing it.
    pub message: String,
}

impl Problem {
    /// Makes a problem of the whole file.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    /// Returns `file:line: message`, a form that editors and terminals can open.
    pub fn in_file(&self, file: &Path) -> String {
        let (file, message) = (path_line(file), single_line(&self.message));
        match self.line {
            Some(line) => format!("{file}:{line}: {message}"),
            None => format!("{file}: {message}"),
        }
    }

    /// Makes a problem of one line, counted from 1.
    pub fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{line}: {}", single_line(&self.message)),
            None => f.write_str(&single_line(&self.message)),
        }
    }
}

/// Whether a file becomes an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Publish(Box<Article>),
    /// It is marked as a draft; the recordings that it names.
    Draft(Problem, Vec<Media>),
    /// It has no content yet.
    Empty,
    /// It cannot be read: the last good version of its entry stays.
    Broken(Problem),
}

/// The result of reading one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub verdict: Verdict,
    /// Problems to report to the writer, whatever the verdict.
    pub problems: Vec<Problem>,
    /// Lines recognised as a website's boilerplate; they are removed from the text only with [`Clean::Safe`].
    pub removed: Vec<clean::Removed>,
}

impl From<Verdict> for Reading {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, problems: Vec::new(), removed: Vec::new() }
    }
}

/// The content of the part of a file after its front matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedBody {
    /// Metadata found in the body: headline, byline, `<meta>`.
    pub header: Header,
    /// The text as unsafe HTML, without the title.
    pub html: String,
    /// The plain text of each paragraph.
    pub paragraphs: Vec<String>,
    /// Problems to report to the writer.
    pub problems: Vec<Problem>,
    /// Lines recognised as a website's boilerplate.
    pub removed: Vec<clean::Removed>,
}

/// Reads `file`, which is at `path` below the watched folder and has these bytes. The tags of a recording are read from the file
/// itself.
///
/// Never fails: a panic becomes [`Verdict::Broken`], see [`panic_as_problem`].
pub fn read_file(file: &Path, bytes: &[u8], path: &Path, format: SourceFormat, rules: &Rules) -> Reading {
    let reading = panic_as_problem(|| match format {
        SourceFormat::Audio => recording::read(file, path, rules),
        _ => read(bytes, path, format, rules),
    });
    reading.unwrap_or_else(|problem| Verdict::Broken(problem).into())
}

/// Runs work on one file. A file may have unexpected content that makes the program panic; the panic then becomes a problem of
/// this file, and all other files are still published.
///
/// # Errors
/// The work panicked. Values that it was changing must not be used again.
pub fn panic_as_problem<T>(work: impl FnOnce() -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        Problem::of_file("a fault of the program keeps it from being read: please report it, with this file")
    })
}

/// Reads the bytes of the file at `path` (relative to the watched folder).
///
/// Never fails: a file that cannot be read gets a [`Verdict`], and one that is only unusual gets a [`Problem`].
pub fn read(bytes: &[u8], path: &Path, format: SourceFormat, rules: &Rules) -> Reading {
    let encoding::Decoded { text, problem } = match encoding::decode(bytes, format) {
        Ok(decoded) => decoded,
        Err(problem) => return Verdict::Broken(problem).into(),
    };
    let text = unicode::tidy(&text);
    let mut split = match front_matter::split(&text, format, rules.timezone) {
        Ok(split) => split,
        Err(reason) => return reason.into(),
    };
    split.problems.extend(problem.into_iter().chain(unicode::garbled(&text)));
    let header = &split.header;
    // The source is checked before any other work on it, and the resulting HTML below.
    let exceeds_limits = match format {
        SourceFormat::Html => html::is_crowded(split.body),
        SourceFormat::Markdown => markdown::exceeds_limits(split.body),
        SourceFormat::Text | SourceFormat::Audio => false,
    };
    if exceeds_limits {
        return Verdict::Broken(html::too_much()).into();
    }
    let body = match format {
        SourceFormat::Text => text::read(split.body, split.body_line, header, rules),
        SourceFormat::Markdown => markdown::read(split.body, split.body_line, header.title.as_deref()),
        // The bytes of a recording are not text; `recording::read` reads its tags.
        SourceFormat::Audio => ParsedBody::default(),
        SourceFormat::Html => {
            // A page with front matter is the source of a static site generator.
            let (page, left_out) = match split.body_line {
                1 => (Cow::Borrowed(split.body), None),
                line => dialect::plain(split.body, Dialect::Html, line),
            };
            split.problems.extend(left_out);
            match html::read(&page, header.title.as_deref(), rules.timezone) {
                Ok(body) => body,
                Err(reason) => return reason.into(),
            }
        }
    };
    let exceeds_limits = match format {
        // `html::read` has checked it.
        SourceFormat::Html => false,
        SourceFormat::Text => html::is_too_long(&body.html),
        SourceFormat::Markdown | SourceFormat::Audio => html::is_too_much(&body.html),
    };
    if exceeds_limits {
        return Verdict::Broken(html::too_much()).into();
    }
    if body.html.trim().is_empty() || (body.paragraphs.is_empty() && html::shows_nothing(&body.html)) {
        return Verdict::Empty.into();
    }
    assemble(split.header, split.problems, body, path, format, *rules)
}

/// Reads only the front matter of a Markdown file. The result equals that of [`read`] except for the text and what is derived from
/// it: the summary and the language. `None` if that is not certain, for example because the front matter has no title, an expiry
/// date, media or a problem, or because no text follows it.
pub fn head(bytes: &[u8], path: &Path, rules: &Rules) -> Option<Box<Article>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fence = text.get(..4).filter(|fence| matches!(*fence, "---\n" | "+++\n"))?;
    let end = fence.len() - 1 + text.get(fence.len() - 1..)?.find(&format!("\n{fence}"))? + 1 + fence.len();
    let (head, rest) = text.split_at(end);
    // A file without text is not published.
    if !rest.chars().take(FIRST_WORDS).any(char::is_alphanumeric) {
        return None;
    }
    let tidy = unicode::tidy(head);
    let split = front_matter::split(&tidy, SourceFormat::Markdown, rules.timezone).ok()?;
    let header = &split.header;
    let is_plain = header.image.is_none() && header.enclosures.is_empty() && header.episode.is_none();
    if header.title.is_none() || !is_plain || header.expires.is_some() || !split.problems.is_empty() {
        return None;
    }
    match assemble(split.header, Vec::new(), ParsedBody::default(), path, SourceFormat::Markdown, *rules).verdict {
        Verdict::Publish(article) => Some(article),
        Verdict::Draft(..) | Verdict::Empty | Verdict::Broken(_) => None,
    }
}

/// Removes characters that feeds must not contain; `None` if no text remains.
fn legal_text(text: &str) -> Option<String> {
    let text = xml_legal(text);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Removes characters that feeds must not contain from the title of a file.
fn legal_media(media: Media) -> Media {
    Media { title: media.title.as_deref().and_then(legal_text), ..media }
}

impl From<front_matter::Held> for Reading {
    fn from(reason: front_matter::Held) -> Self {
        match reason {
            front_matter::Held::Draft(problem, enclosures) => Verdict::Draft(problem, enclosures).into(),
            front_matter::Held::Broken(problem) => Verdict::Broken(problem).into(),
        }
    }
}

/// Builds the article from all sources. Front matter takes precedence over the body, and the body over the file name.
fn assemble(
    mut header: Header,
    mut problems: Vec<Problem>,
    body: ParsedBody,
    path: &Path,
    format: SourceFormat,
    rules: Rules,
) -> Reading {
    header.complete(body.header);
    let mut name = date::file_name(path, rules.timezone);
    let detected = language::of_text(&body.paragraphs);
    // `libc.so.md` is not in Somali: a language in the name counts only if the text does not contradict it.
    let named = language::of_name(&name.stem)
        .map(|(rest, tag)| (rest.to_owned(), tag))
        .filter(|(_, tag)| detected.as_deref().is_none_or(|other| tag.split('-').next() == other.split('-').next()));
    let slug_stem = name.stem.clone();
    if let Some((rest, tag)) = named {
        name.stem = rest;
        header.complete(Header { language: Some(tag), ..Header::default() }.with_source(Field::Language, "file name"));
    }
    header.complete(Header { language: detected, ..Header::default() }.with_source(Field::Language, "the text itself"));
    header.complete(Header { published: name.date, ..Header::default() }.with_source(Field::Published, "file name"));
    let plain = |text: &str| legal_text(&unicode::without_direction_marks(text));
    let fallback = Header { title: Some(name.title()), ..Header::default() }.with_source(Field::Title, "file name");
    header.title = header.title.as_deref().and_then(plain);
    header.complete(fallback);
    let title = header.title.as_deref().and_then(plain).unwrap_or_else(|| "Untitled".to_owned());
    let stated_summary = header.summary.as_deref().and_then(legal_text);
    let authors = header.authors.into_iter();
    let article = Article {
        summary: summary::of(stated_summary.as_deref(), &body.paragraphs, &title),
        authors: authors.filter_map(|person| Some(Person { name: plain(&person.name)?, ..person })).collect(),
        published: header.published,
        updated: header.updated,
        expires: header.expires,
        html: body.html,
        tags: header.tags.iter().filter_map(|tag| legal_text(tag)).collect(),
        language: header.language,
        link: header.link,
        slug: header.slug,
        id: header.id,
        // The name of a plain text is often generated by the program that saved it.
        slug_source: if format == SourceFormat::Text { title.clone() } else { slug_stem },
        addresses: header.addresses,
        summary_only: header.summary_only.unwrap_or(false),
        image: header.image.map(legal_media),
        enclosures: header.enclosures.into_iter().map(legal_media).collect(),
        episode: header.episode,
        sources: header.sources,
        title,
    };
    problems.extend(body.problems);
    Reading { verdict: Verdict::Publish(Box::new(article)), problems, removed: body.removed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_problem_of_one_file() {
        assert_eq!(panic_as_problem(|| 7), Ok(7));
        let problem =
            panic_as_problem(|| "".parse::<u8>().expect("a parser that is wrong about its input")).unwrap_err();
        let line = problem.in_file(Path::new("a.md"));
        assert_eq!(line, "a.md: a fault of the program keeps it from being read: please report it, with this file");
    }
}
