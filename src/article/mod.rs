//! One file's bytes -> what the article says, and what is wrong with it. Pure: no clock, no catalog, no folder;
//! only [`load`] touches a file.

pub mod boilerplate;
pub mod clean;
pub mod date;
pub mod encoding;
pub mod front_matter;
pub mod html;
pub mod load;
pub mod markdown;
pub mod summary;
pub mod text;

use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::config::{Articles, Clean, Site};
use crate::entry::{Person, legal};
use crate::folder::Format;
use front_matter::Header;

/// Version of everything that turns bytes into an article. Raise it when a rule changes what an unchanged file becomes:
/// the daemon then reads every file again.
pub const VERSION: u32 = 1;

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
    pub fn new(articles: &Articles, site: &Site) -> Self {
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
}

/// Something that the writer should know about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; `None` where no line is to blame.
    pub line: Option<usize>,
    /// What is wrong, why it matters and what to do, in one line.
    pub message: String,
}

impl Problem {
    /// A problem of the whole file.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    /// A problem of one line, counted from 1.
    pub fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Whether a file becomes an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Publish(Box<Article>),
    /// The writer said that it is not to be published.
    Draft(Problem),
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
pub struct Body {
    /// Plain text.
    pub title: Option<String>,
    /// Whom a byline or `<meta>` names.
    pub authors: Vec<Person>,
    /// What a date line or `<meta>` says.
    pub published: Option<DateTime<Utc>>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// A summary that the writer marked as one.
    pub summary: Option<String>,
    /// The text as unchecked HTML, without the title.
    pub html: String,
    /// The text of each paragraph.
    pub paragraphs: Vec<String>,
    /// What the writer should know.
    pub problems: Vec<Problem>,
    /// Lines that a website had put around the text.
    pub removed: Vec<clean::Removed>,
}

/// Reads the bytes of the file at `path` (relative to the watched folder).
///
/// Never fails: what cannot be understood is a [`Verdict`], what is merely odd a [`Problem`].
pub fn read(bytes: &[u8], path: &Path, format: Format, rules: &Rules) -> Reading {
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(problem) => return Verdict::Broken(problem).into(),
    };
    let split = match front_matter::split(&text, format, rules.timezone) {
        Ok(split) => split,
        Err(front_matter::Held::Draft(problem)) => return Verdict::Draft(problem).into(),
        Err(front_matter::Held::Broken(problem)) => return Verdict::Broken(problem).into(),
    };
    let header = &split.header;
    // Before anything else is done with it: what comes after takes time in the square of the depth.
    if format == Format::Html && html::depth(split.body) > html::MAX_DEPTH {
        return too_deep();
    }
    let body = match format {
        Format::Text => text::read(split.body, split.body_line, header, rules),
        Format::Markdown => markdown::read(split.body, header.title.as_deref()),
        Format::Html => html::read(split.body, header.title.as_deref(), rules.timezone),
    };
    if body.html.trim().is_empty() {
        return Verdict::Empty.into();
    }
    if html::depth(&body.html) > html::MAX_DEPTH {
        return too_deep();
    }
    assemble(split.header, split.problems, body, path, format, *rules)
}

fn too_deep() -> Reading {
    let most = html::MAX_DEPTH;
    let message = format!("elements are nested more than {most} deep, which no reader shows: flatten them");
    Verdict::Broken(Problem::of_file(message)).into()
}

/// A text as feeds can hold it, if anything of it is left then.
fn said(text: &str) -> Option<String> {
    let text = legal(text);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the header says wins over what the text says; the file's name comes last.
fn assemble(
    header: Header,
    mut problems: Vec<Problem>,
    body: Body,
    path: &Path,
    format: Format,
    rules: Rules,
) -> Reading {
    let name = date::file_name(path, rules.timezone);
    let title = header.title.as_deref().and_then(said).or_else(|| body.title.as_deref().and_then(said));
    let title = title.unwrap_or_else(|| said(&name.title()).unwrap_or_else(|| "Untitled".to_owned()));
    let stated = header.summary.as_deref().and_then(said).or_else(|| body.summary.as_deref().and_then(said));
    let named = if header.authors.is_empty() { body.authors } else { header.authors };
    let article = Article {
        summary: summary::of(stated.as_deref(), &body.paragraphs, &title),
        authors: named.into_iter().filter_map(|person| Some(Person { name: said(&person.name)?, ..person })).collect(),
        published: header.published.or(body.published).or(name.date),
        updated: header.updated,
        html: body.html,
        tags: header.tags.iter().filter_map(|tag| said(tag)).collect(),
        language: header.language.or(body.language),
        link: header.link,
        slug: header.slug,
        id: header.id,
        // A Markdown file is named by its writer, a scraped text by a program.
        slug_source: if format == Format::Text { title.clone() } else { name.stem },
        title,
    };
    problems.extend(body.problems);
    Reading { verdict: Verdict::Publish(Box::new(article)), problems, removed: body.removed }
}
