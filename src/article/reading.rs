//! The data that reading a file takes and yields.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use whatlang::Script;

use super::boilerplate::Removed;
use super::front_matter::{Field, Header, Held, Source};
use super::problem::Problem;
use crate::config::{Articles, Clean, SiteConfig};
use crate::model::entry::{Episode, Media, Person, SeriesPart, SitePage};
use crate::model::section::SectionAbout;

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

/// The content of one file. `html` is unsafe: [`super::html::sanitise`] makes it safe once the permalink is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// Plain text, never empty.
    pub title: String,
    /// It has no title: neither is one stated, nor does its file have a name in words. `title` has its first words.
    pub is_untitled: bool,
    pub authors: Vec<Person>,
    /// The stated date of publication.
    pub published: Option<DateTime<Utc>>,
    /// The date of the recording beside it. It counts once, when the article is published without a date of its own.
    pub of_recording: Option<DateTime<Utc>>,
    /// A date of publication is stated that cannot be read: that of the file is closer to it than the present.
    pub has_unclear_date: bool,
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
    /// No language is stated, and the text, which is in this script, is too short to say it surely.
    pub unsure_script: Option<Script>,
    /// Absolute address of the article elsewhere.
    pub link: Option<String>,
    /// Absolute address of the page with its discussion.
    pub comments: Option<String>,
    /// The stated last part of the permalink; not yet made safe for an address.
    pub slug: Option<String>,
    /// The stated permanent id.
    pub id: Option<String>,
    /// The stated id in RSS and JSON Feed, verbatim.
    pub feed_guid: Option<String>,
    /// The text that the permalink is made from if there is no `slug`.
    pub slug_source: String,
    /// Its other current and former locations: paths or addresses.
    pub addresses: Vec<String>,
    /// Feeds contain only the summary.
    pub summary_only: bool,
    /// Pages that list it show it first, the larger number before others; 0: not pinned.
    pub pinned: u32,
    /// The picture that represents it. The addresses of this and the following media are as in the file.
    pub image: Option<Media>,
    /// Recordings, in the order of the file.
    pub enclosures: Vec<Media>,
    /// Properties for podcast players.
    pub episode: Option<Episode>,
    /// Who holds its rights, if that is not as for the site.
    pub copyright: Option<String>,
    /// Its licence, if it is not that of the site; `NONE` if it has none.
    pub license: Option<String>,
    /// The series that it is a part of.
    pub series: Option<SeriesPart>,
    /// It is a page that is no article.
    pub page: Option<SitePage>,
    pub sources: BTreeMap<Field, Source>,
}

impl Article {
    /// The slug that it asks for; empty if that has no letters and no digits.
    pub fn wished_slug(&self) -> String {
        slug::slugify(self.slug.as_ref().unwrap_or(&self.slug_source))
    }
}

impl Article {
    /// Makes a problem of what the article says about a field, at the line of its key.
    pub fn problem_with(&self, field: Field, what: &str) -> Problem {
        let source = self.sources.get(&field);
        let place = source.map_or("front matter", |source| &source.words);
        Problem::new(source.and_then(|source| source.line), format!("{place}: {what}"))
    }
}

/// The description of a folder or an author that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// Without its text; the address of its picture is as written.
    pub about: SectionAbout,
    /// The text as unsafe HTML; empty if the description says all.
    pub html: String,
    pub problems: Vec<Problem>,
}

/// Whether a file becomes an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Publish(Box<Article>),
    /// It describes an author.
    Bio(Box<Description>),
    /// It is marked as a draft; the recordings that it names.
    Draft(Problem, Vec<Media>),
    /// A key keeps it from the public in another way: a password, an opt-out from feeds; the recordings that it names.
    Withheld(Problem, Vec<Media>),
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
    pub removed: Vec<Removed>,
    /// Keys of the front matter that are not read.
    pub unused: Vec<String>,
}

impl From<Verdict> for Reading {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, problems: Vec::new(), removed: Vec::new(), unused: Vec::new() }
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
    pub removed: Vec<Removed>,
}

impl ParsedBody {
    /// With line numbers of the file, in which the body starts on this line.
    #[must_use]
    pub fn below(mut self, body_line: usize) -> Self {
        let lines = self.problems.iter_mut().filter_map(|problem| problem.line.as_mut());
        lines.chain(self.removed.iter_mut().map(|removed| &mut removed.line)).for_each(|line| *line += body_line - 1);
        self
    }
}

impl From<Held> for Reading {
    fn from(reason: Held) -> Self {
        match reason {
            Held::Draft(problem, enclosures) => Verdict::Draft(problem, enclosures).into(),
            Held::Withheld(problem, enclosures) => Verdict::Withheld(problem, enclosures).into(),
            Held::Broken(problem) => Verdict::Broken(problem).into(),
        }
    }
}
