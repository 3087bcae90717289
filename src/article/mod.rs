//! One file's bytes -> what the article says, and what is wrong with it. Pure: no clock, no catalog, no folder;
//! only [`load`] touches a file.

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

/// Version of everything that turns bytes into an article. Raise it when a rule changes what an unchanged file becomes:
/// the daemon then reads every file again.
pub const VERSION: u32 = 4;

/// Where the first words of a text stand, in characters.
const FIRST_WORDS: usize = 200;

/// What the configuration says about reading articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What happens to a website's own lines around a plain-text article.
    pub clean: Clean,
    /// Zone of dates that are written without one.
    pub timezone: chrono_tz::Tz,
}

impl Rules {
    /// Takes the rules out of the configuration.
    pub fn new(articles: &Articles, site: &SiteConfig) -> Self {
        Self { clean: articles.clean, timezone: site.timezone }
    }
}

/// What one file says. `html` is as the writer gave it: [`html::sanitise`] makes it safe once the permalink is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// Plain text, never empty.
    pub title: String,
    /// Whom the article names.
    pub authors: Vec<Person>,
    /// When the writer says that it was published.
    pub published: Option<DateTime<Utc>>,
    /// When the writer says that it last changed.
    pub updated: Option<DateTime<Utc>>,
    /// When the writer says that it is to be taken back.
    pub expires: Option<DateTime<Utc>>,
    /// Plain text; empty when the article is no longer than a summary would be.
    pub summary: String,
    /// The body as unchecked HTML.
    pub html: String,
    /// Each once, in the writer's order.
    pub tags: Vec<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Absolute address of the article elsewhere.
    pub link: Option<String>,
    /// Last part of the permalink, if the writer chose it; not yet made safe for an address.
    pub slug: Option<String>,
    /// Permanent id, if the writer chose it.
    pub id: Option<String>,
    /// What the permalink is made from when the writer did not choose.
    pub slug_source: String,
    /// Where it is or was elsewhere: paths or addresses.
    pub addresses: Vec<String>,
    /// Feeds show the summary only.
    pub brief: bool,
    /// The picture that stands for it; its address as the writer has it, as in all of these.
    pub image: Option<Media>,
    /// Recordings, in the writer's order.
    pub enclosures: Vec<Media>,
    /// What podcast players want to know.
    pub episode: Option<Episode>,
    /// Where each of its fields was found, in words.
    pub sources: BTreeMap<Field, String>,
}

/// Something that the writer should know about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; `None` where no line is to blame.
    pub line: Option<usize>,
    /// What is wrong, why it matters and what to do. It may tell what the file says, which may be anything: whoever shows it
    /// puts it in one line ([`single_line`]).
    pub message: String,
}

impl Problem {
    /// A problem of the whole file.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    /// `file:line: message`, which editors and terminals know how to follow.
    pub fn in_file(&self, file: &Path) -> String {
        let (file, message) = (path_line(file), single_line(&self.message));
        match self.line {
            Some(line) => format!("{file}:{line}: {message}"),
            None => format!("{file}: {message}"),
        }
    }

    /// A problem of one line, counted from 1.
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
    /// It does.
    Publish(Box<Article>),
    /// The writer said that it is not to be published; it names these recordings.
    Draft(Problem, Vec<Media>),
    /// There is nothing in it yet.
    Empty,
    /// It cannot be understood: its last good version stays.
    Broken(Problem),
}

/// What came of reading one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Whether it becomes an entry.
    pub verdict: Verdict,
    /// What the writer should know all the same.
    pub problems: Vec<Problem>,
    /// Lines that a website had put around the text; gone from it only where `clean` is [`Clean::Safe`].
    pub removed: Vec<clean::Removed>,
}

impl From<Verdict> for Reading {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, problems: Vec::new(), removed: Vec::new() }
    }
}

/// What the body of a file says for itself, before its header has a say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedBody {
    /// Headline, byline, `<meta>`: what front matter would say if there were any.
    pub said: Header,
    /// The text as unchecked HTML, without the title.
    pub html: String,
    /// The text of each paragraph.
    pub paragraphs: Vec<String>,
    /// What the writer should know.
    pub problems: Vec<Problem>,
    /// Lines that a website had put around the text.
    pub removed: Vec<clean::Removed>,
}

/// Reads a file whose bytes are known, at `path` below the watched folder. Of a recording its own tags are read, which are no
/// part of those bytes.
///
/// Never fails, as [`read`] does not, not even where the program does.
pub fn read_file(file: &Path, bytes: &[u8], path: &Path, format: SourceFormat, rules: &Rules) -> Reading {
    let reading = guarded(|| match format {
        SourceFormat::Audio => recording::read(file, path, rules),
        _ => read(bytes, path, format, rules),
    });
    reading.unwrap_or_else(|problem| Verdict::Broken(problem).into())
}

/// Does what a file asks for that nobody can foresee. A fault of the program that it brings to light is a problem of this one
/// file: all others are published.
///
/// # Errors
/// The work panicked. Nothing that it was changing may be looked at again.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        Problem::of_file("a fault of the program keeps it from being read: please report it, with this file")
    })
}

/// Reads the bytes of the file at `path` (relative to the watched folder).
///
/// Never fails: what cannot be understood is a [`Verdict`], what is merely odd a [`Problem`].
pub fn read(bytes: &[u8], path: &Path, format: SourceFormat, rules: &Rules) -> Reading {
    let encoding::Decoded { text, problem } = match encoding::decode(bytes, format) {
        Ok(decoded) => decoded,
        Err(problem) => return Verdict::Broken(problem).into(),
    };
    let text = unicode::tidy(&text);
    let mut split = match front_matter::split(&text, format, rules.timezone) {
        Ok(split) => split,
        Err(held) => return held.into(),
    };
    split.problems.extend(problem.into_iter().chain(unicode::spoiled(&text)));
    let header = &split.header;
    // Before anything else is done with it. What becomes of it is measured below.
    let is_too_much = match format {
        SourceFormat::Html => html::is_crowded(split.body),
        SourceFormat::Markdown => markdown::is_too_much(split.body),
        SourceFormat::Text | SourceFormat::Audio => false,
    };
    if is_too_much {
        return Verdict::Broken(html::too_much()).into();
    }
    let body = match format {
        SourceFormat::Text => text::read(split.body, split.body_line, header, rules),
        SourceFormat::Markdown => markdown::read(split.body, split.body_line, header.title.as_deref()),
        // It was no text in any encoding, most likely; if it was, its words are none of its writer's.
        SourceFormat::Audio => ParsedBody::default(),
        SourceFormat::Html => {
            // A page with front matter is a generator's source.
            let (page, left_out) = match split.body_line {
                1 => (Cow::Borrowed(split.body), None),
                line => dialect::plain(split.body, Dialect::Html, line),
            };
            split.problems.extend(left_out);
            match html::read(&page, header.title.as_deref(), rules.timezone) {
                Ok(body) => body,
                Err(held) => return held.into(),
            }
        }
    };
    let is_too_much = match format {
        // Measured while it was read.
        SourceFormat::Html => false,
        SourceFormat::Text => html::is_too_long(&body.html),
        SourceFormat::Markdown | SourceFormat::Audio => html::is_too_much(&body.html),
    };
    if is_too_much {
        return Verdict::Broken(html::too_much()).into();
    }
    if body.html.trim().is_empty() || (body.paragraphs.is_empty() && html::shows_nothing(&body.html)) {
        return Verdict::Empty.into();
    }
    assemble(split.header, split.problems, body, path, format, *rules)
}

/// What stands before the text of a Markdown file, if that says all but the text: its title, and nothing that must be looked
/// at. It is what [`read`] finds, but for the text and what is made of it: the summary and the language. `None` where only the whole
/// file says what it becomes.
pub fn head(bytes: &[u8], path: &Path, rules: &Rules) -> Option<Box<Article>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fence = text.get(..4).filter(|fence| matches!(*fence, "---\n" | "+++\n"))?;
    let end = fence.len() - 1 + text.get(fence.len() - 1..)?.find(&format!("\n{fence}"))? + 1 + fence.len();
    let (head, rest) = text.split_at(end);
    // Whether anything stands there is seen at once, mostly.
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

/// A text as feeds can hold it, if anything of it is left then.
fn said(text: &str) -> Option<String> {
    let text = xml_legal(text);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A file whose words feeds can hold.
fn legal_media(media: Media) -> Media {
    Media { title: media.title.as_deref().and_then(said), ..media }
}

impl From<front_matter::Held> for Reading {
    fn from(held: front_matter::Held) -> Self {
        match held {
            front_matter::Held::Draft(problem, enclosures) => Verdict::Draft(problem, enclosures).into(),
            front_matter::Held::Broken(problem) => Verdict::Broken(problem).into(),
        }
    }
}

/// What the header says wins over what the text says; the file's name comes last.
fn assemble(
    mut header: Header,
    mut problems: Vec<Problem>,
    body: ParsedBody,
    path: &Path,
    format: SourceFormat,
    rules: Rules,
) -> Reading {
    header.complete(body.said);
    let mut name = date::file_name(path, rules.timezone);
    let guess = language::of_text(&body.paragraphs);
    // `libc.so.md` is in no Somali: a name counts unless the text plainly says otherwise.
    let named = language::of_name(&name.stem)
        .map(|(rest, tag)| (rest.to_owned(), tag))
        .filter(|(_, tag)| guess.as_deref().is_none_or(|guess| tag.split('-').next() == guess.split('-').next()));
    let slug_stem = name.stem.clone();
    if let Some((rest, tag)) = named {
        name.stem = rest;
        header.complete(Header { language: Some(tag), ..Header::default() }.with_source(Field::Language, "file name"));
    }
    header.complete(Header { language: guess, ..Header::default() }.with_source(Field::Language, "the text itself"));
    header.complete(Header { published: name.date, ..Header::default() }.with_source(Field::Published, "file name"));
    let plain = |text: &str| said(&unicode::without_direction_marks(text));
    let fallback = Header { title: Some(name.title()), ..Header::default() }.with_source(Field::Title, "file name");
    header.title = header.title.as_deref().and_then(plain);
    header.complete(fallback);
    let title = header.title.as_deref().and_then(plain).unwrap_or_else(|| "Untitled".to_owned());
    let stated = header.summary.as_deref().and_then(said);
    let people = header.authors.into_iter();
    let article = Article {
        summary: summary::of(stated.as_deref(), &body.paragraphs, &title),
        authors: people.filter_map(|person| Some(Person { name: plain(&person.name)?, ..person })).collect(),
        published: header.published,
        updated: header.updated,
        expires: header.expires,
        html: body.html,
        tags: header.tags.iter().filter_map(|tag| said(tag)).collect(),
        language: header.language,
        link: header.link,
        slug: header.slug,
        id: header.id,
        // A Markdown file is named by its writer, a scraped text by a program.
        slug_source: if format == SourceFormat::Text { title.clone() } else { slug_stem },
        addresses: header.addresses,
        brief: header.brief.unwrap_or(false),
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
    fn a_fault_of_the_program_is_a_problem_of_one_file() {
        assert_eq!(guarded(|| 7), Ok(7));
        let problem = guarded(|| "".parse::<u8>().expect("a parser that is wrong about its input")).unwrap_err();
        let said = problem.in_file(Path::new("a.md"));
        assert_eq!(said, "a.md: a fault of the program keeps it from being read: please report it, with this file");
    }
}
