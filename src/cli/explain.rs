//! `gazetted explain FILE...`: what becomes of a file, and why; or why nothing does, and what to do.

use crate::model::collection::{ArticleState, Record};
use crate::model::text::{path_line, single_line};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;

use super::{Outcome, SiteOptions, articles};
use crate::article::front_matter::Field;
use crate::article::load::load_as;
use crate::article::{self, Article, Reading, Rules, Verdict, clean};
use crate::catalog::Reader;
use crate::config::{Clean, Config};
use crate::daemon;
use crate::folder::{Folder, Found, SourceFormat};
use crate::model::entry::{Entry, Media};
use crate::model::taxonomy;
use crate::render::feed;

/// Say what becomes of a file: title, dates, id, feeds and cleaned lines, each with its reason; or why it is left out
#[derive(Debug, Args)]
pub struct Explain {
    /// Files in the folder of articles, or anywhere
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    site: SiteOptions,
}

impl Explain {
    /// Explains one file after the other. Ends with [`Outcome::Found`] if one of them is not in the feed.
    ///
    /// # Errors
    /// The configuration is wrong, or a file cannot be read.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let config = self.site.over(file)?;
        let mut outcome = Outcome::Good;
        for path in &self.files {
            println!("{}", path_line(path));
            let (folder, _, found) = articles(&config, path)?;
            for found in &found {
                let catalog = daemon::look_into(&config, &folder);
                let explained =
                    Explained { config: &config, folder: &folder, found, catalog: &catalog, now: daemon::now() };
                if let Err(reason) = explained.tell() {
                    println!("  not in the feed: {}", single_line(&reason));
                    outcome = Outcome::Found;
                }
            }
            if found.is_empty() {
                println!("  not in the feed: there is no such file");
                outcome = Outcome::Found;
            }
        }
        Ok(outcome)
    }
}

struct Explained<'a> {
    config: &'a Config,
    folder: &'a Folder,
    found: &'a Found,
    /// What the daemon has recorded, or why that is not to be had.
    catalog: &'a Result<Reader, String>,
    now: DateTime<Utc>,
}

impl Explained<'_> {
    /// Prints what becomes of the file.
    ///
    /// # Errors
    /// Why it is not in the feed.
    fn tell(&self) -> Result<(), String> {
        let file = &self.found.path;
        let rules = Rules::new(&self.config.articles, &self.config.site);
        let (Some(format), Some(path)) = (self.folder.format(file), self.folder.relative(file)) else {
            return Err(self.folder.why_not(file));
        };
        let loaded = load_as(file, format, self.config.articles.max_file_size.0).map_err(|error| error.to_string())?;
        let Reading { verdict, problems, removed } = article::read_file(file, &loaded.bytes, path, format, &rules);
        for problem in &problems {
            line("problem", &in_words(problem), "");
        }
        let article = match verdict {
            Verdict::Publish(article) => article,
            Verdict::Draft(problem, _) | Verdict::Broken(problem) => return Err(in_words(&problem)),
            Verdict::Empty => return Err("nothing in it yet: it is published once it has text".into()),
        };
        let record = self.record(path);
        fields(&article, record.as_ref().ok().and_then(Option::as_ref));
        let verb = if rules.clean == Clean::Report { "would go" } else { "left out" };
        for removed in &removed {
            let reason =
                format!("line {}, {verb} by rule {}: {}", removed.line, removed.rule, clean::meaning(removed.rule));
            line("cleaned", &removed.text, &reason);
        }
        match record {
            Ok(Some(record)) => self.place(path, &record),
            Ok(None) => Err(self.why_unknown(&article, &loaded.bytes)),
            Err(reason) => {
                line("id", "not known", &reason);
                Ok(())
            }
        }
    }

    fn record(&self, path: &Path) -> Result<Option<Record>, String> {
        let catalog = self.catalog.as_ref().map_err(Clone::clone)?;
        catalog.by_path(path).map_err(|error| error.to_string())
    }

    /// Where the article is to be found.
    fn place(&self, path: &Path, record: &Record) -> Result<(), String> {
        let Record { entry, state, due, expires, archive } = record;
        let reason = entry.guid.as_ref().map(|guid| format!("`{guid}` in RSS and JSON Feed, as elsewhere before"));
        line("id", &entry.id, reason.as_deref().unwrap_or("permanent"));
        let base = self.config.base_url(self.config.http.listen.first_address());
        line("page", &format!("{base}articles/{}", entry.slug), "");
        if *state != ArticleState::Live {
            return Err("the daemon has taken it back, or has not looked at it since it changed".into());
        }
        if *due > self.now {
            return Err(format!("scheduled: it appears on {}", due.to_rfc3339()));
        }
        if let Some(expires) = expires.filter(|expires| *expires <= self.now) {
            return Err(format!("it expired on {}: change or remove that date", expires.to_rfc3339()));
        }
        let limits = feed::limits(self.config);
        let newest = self.catalog.as_ref().ok().and_then(|catalog| {
            let moment = catalog.last_moment(self.now).ok()?;
            catalog.main(&limits, moment).ok()
        });
        let is_new = newest.is_none_or(|feed| feed.entries.iter().any(|newest| newest.id == entry.id));
        match archive {
            _ if is_new => {
                let addresses: Vec<String> =
                    feed::FORMATS.iter().map(|format| format!("{base}{}", format.file)).collect();
                line("feeds", &addresses.join(" "), "");
            }
            Some(number) => {
                line("feeds", &format!("{base}{}", feed::archive_path(*number)), "newer articles fill the feed");
            }
            None => line("feeds", "none", "newer articles fill the feed; its page stays"),
        }
        for term in taxonomy::terms(path, &entry.content.tags, &entry.content.authors) {
            line("", &format!("{base}{}", term.view.path()), &format!("{}: {}", term.view.kind.root(), term.name));
        }
        Ok(())
    }

    fn why_unknown(&self, article: &Article, bytes: &[u8]) -> String {
        let twin = self
            .catalog
            .as_ref()
            .ok()
            .and_then(|catalog| catalog.twin(article, blake3::hash(bytes).into()).ok().flatten());
        match twin {
            Some(twin) => format!("the same text or id as {}: only one of them is published", path_line(&twin)),
            None if self.folder.format(&self.found.path) == Some(SourceFormat::Audio) => {
                "it belongs to an article of its name or to one whose front matter names it; or the daemon has not seen it"
                    .into()
            }
            None => "the daemon has not seen it: is it running, on this folder?".into(),
        }
    }
}

/// What the article says of itself, and where.
fn fields(article: &Article, record: Option<&Record>) {
    let source = |field: Field| article.sources.get(&field).map_or("", String::as_str);
    line("title", &article.title, source(Field::Title));
    let live = record.filter(|record| record.state != ArticleState::Gone).map(|record| &record.entry);
    match (article.published, live) {
        (Some(date), _) => line("published", &date.to_rfc3339(), source(Field::Published)),
        (None, Some(entry)) => line("published", &entry.published.to_rfc3339(), "kept since the file was first seen"),
        (None, None) => line("published", "when the daemon first sees the file", "it states no date"),
    }
    match live {
        Some(entry) => line("updated", &entry.updated.to_rfc3339(), "when its content last changed"),
        None => article.updated.iter().for_each(|date| line("updated", &date.to_rfc3339(), source(Field::Updated))),
    }
    if let Some(expires) = article.expires {
        line("expires", &expires.to_rfc3339(), "front matter");
    }
    let names: Vec<&str> = article.authors.iter().map(|person| person.name.as_str()).collect();
    for (name, value, field) in [
        ("authors", names.join(", "), Field::Authors),
        ("tags", article.tags.join(", "), Field::Tags),
        ("language", article.language.clone().unwrap_or_default(), Field::Language),
        ("link", article.link.clone().unwrap_or_default(), Field::Link),
    ] {
        if !value.is_empty() {
            line(name, &value, source(field));
        }
    }
    media(article, live);
    if !article.summary.is_empty() {
        let reason = article.sources.get(&Field::Summary).map_or("the first paragraph", String::as_str);
        line("summary", &article.summary, reason);
    }
}

/// Pictures and recordings: as they are served where the daemon knows them, else as the file names them.
fn media(article: &Article, live: Option<&Entry>) {
    let source = |field: Field, otherwise: &'static str| article.sources.get(&field).map_or(otherwise, String::as_str);
    let (image, enclosures) = match live {
        Some(entry) => (&entry.content.image, &entry.content.enclosures),
        None => (&article.image, &article.enclosures),
    };
    if let Some(image) = image {
        line("cover", &described(image), source(Field::Image, "the first picture in the text"));
    }
    for enclosure in enclosures {
        line("enclosure", &described(enclosure), source(Field::Enclosures, "it lies beside the article"));
    }
    if article.brief {
        line("feeds show", "the summary", "front matter");
    }
}

/// A file in one line: where it is, of what type, how large and how long.
fn described(media: &Media) -> String {
    let mut parts = vec![media.url.clone()];
    parts.extend(Some(media.media_type.clone()).filter(|kind| !kind.is_empty()));
    parts.extend(media.length.map(|length| format!("{length} bytes")));
    parts.extend(media.size.map(|(width, height)| format!("{width}x{height}")));
    parts.extend(media.duration.map(|seconds| {
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        format!("{hours}:{minutes:02}:{:02}", seconds % 60)
    }));
    parts.join(", ")
}

fn in_words(problem: &article::Problem) -> String {
    problem.line.map_or_else(|| problem.message.clone(), |line| format!("line {line}: {}", problem.message))
}

fn line(name: &str, value: &str, reason: &str) {
    let (value, reason) = (single_line(value), single_line(reason));
    if reason.is_empty() {
        println!("  {name:<10} {value}");
    } else {
        println!("  {name:<10} {value}  ({reason})");
    }
}
