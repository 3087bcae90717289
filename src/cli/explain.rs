//! `gazetted explain FILE...`: prints what a file becomes, and why; or why it is not published, and what to do.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;

use super::articles::articles;
use super::outcome::Outcome;
use super::site_options::SiteOptions;
use crate::article::folder_data::{DataLookup, FolderData};
use crate::article::front_matter::Field;
use crate::article::load::load_as;
use crate::article::{self, Article, Description, Reading, Rules, Verdict, boilerplate, section};
use crate::config::{Clean, Config};
use crate::daemon::SiteState;
use crate::folder::embedded;
use crate::folder::{Folder, Found, SETTINGS_FILE, SourceFormat, folder_link_message};
use crate::model::collection::{ArticleState, Record};
use crate::model::entry::{Content, Entry, Media, SeriesPart};
use crate::model::site_page::Permalink;
use crate::model::taxonomy::{self, ViewKind};
use crate::model::text::{path_line, single_line};
use crate::render::feed;
use crate::site::Site;

/// Explain what a file becomes: title, dates, id, feeds and cleaned lines, each with its source; or why it is not published
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Files, in the folder of articles or elsewhere
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    site: SiteOptions,
}

impl ExplainArgs {
    /// Returns [`Outcome::Found`] if one of the files is not in the feed.
    ///
    /// # Errors
    /// The configuration is invalid, or a file cannot be read.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let config = self.site.load(file)?;
        let mut outcome = Outcome::Good;
        for path in &self.files {
            println!("{}", path_line(path));
            let (folder, _, found) = articles(&config, path)?;
            for found in &found {
                if folder.relative(&found.path) == Some(Path::new(SETTINGS_FILE)) {
                    settings(&config, &folder)?;
                    continue;
                }
                let site = SiteState::open(&config, &folder).map_err(|error| error.to_string());
                let explanation = Explanation { config: &config, folder: &folder, found, site: &site, now: Utc::now() };
                if let Err(reason) = explanation.print() {
                    println!("  not in the feed: {}", single_line(&reason));
                    outcome = Outcome::Found;
                }
            }
            if found.is_empty() {
                println!("  not in the feed: no such file");
                outcome = Outcome::Found;
            }
        }
        Ok(outcome)
    }
}

/// Prints what the settings in the watched folder say.
fn settings(config: &Config, folder: &Folder) -> anyhow::Result<()> {
    let site = Site::of(config, folder)?;
    for problem in &site.problems {
        line("problem", &problem_text(problem), "");
    }
    for (key, number) in &site.stated {
        line("setting", key, &format!("line {number}"));
    }
    for key in &site.overruled {
        line("unused", key, &format!("{} states it", config.site.origin.place(key)));
    }
    Ok(())
}

struct Explanation<'a> {
    config: &'a Config,
    folder: &'a Folder,
    found: &'a Found,
    /// The recorded state, or why it is not available.
    site: &'a Result<SiteState, String>,
    now: DateTime<Utc>,
}

impl Explanation<'_> {
    /// Prints what the file becomes.
    ///
    /// # Errors
    /// The reason why it is not in the feed.
    fn print(&self) -> Result<(), String> {
        let file = &self.found.path;
        if let Some(target) = self.folder.relative(file).and_then(|below| self.folder.folder_link_out(below)) {
            return Err(folder_link_message(&target));
        }
        let rules = Rules::new(&self.config.articles, &self.config.site);
        let (Some(format), Some(path)) = (self.folder.format(file), self.folder.relative(file)) else {
            return Err(self.folder.why_not(file));
        };
        let loaded = load_as(self.folder, path, format, self.config.articles.max_file_size.0)
            .map_err(|error| error.to_string())?;
        let inherited = FolderData::new(self.folder.clone(), rules.timezone).of(path, DataLookup::Present);
        let Reading { verdict, problems, removed, unused } =
            article::read_file(self.folder, &loaded.bytes, path, format, &inherited, &rules);
        for problem in &problems {
            line("problem", &problem_text(problem), "");
        }
        let article = match verdict {
            Verdict::Publish(article) => article,
            Verdict::Bio(bio) => {
                self.print_bio(path, &bio);
                return Ok(());
            }
            Verdict::Draft(problem, _) | Verdict::Withheld(problem, _) | Verdict::Broken(problem) => {
                return Err(problem_text(&problem));
            }
            Verdict::Empty => return Err("nothing in it yet: it is published once it has text".into()),
        };
        let record = self.record(path);
        fields(&article, record.as_ref().ok().and_then(Option::as_ref));
        if !unused.is_empty() {
            line("unused", &unused.join(", "), "keys that are not read");
        }
        let verb = if rules.clean == Clean::Report { "would be removed" } else { "removed" };
        for removed in &removed {
            let reason = format!(
                "line {}, {verb} by rule {}: {}",
                removed.line,
                removed.rule,
                boilerplate::meaning(removed.rule)
            );
            line("cleaned", &removed.text, &reason);
        }
        match record {
            Ok(Some(record)) => self.print_addresses(path, &record),
            Ok(None) => Err(self.why_unrecorded(&article, &loaded.bytes)),
            Err(reason) => {
                line("id", "unknown", &reason);
                Ok(())
            }
        }
    }

    /// Prints what a file says about an author.
    fn print_bio(&self, path: &Path, bio: &Description) {
        let Some(author) = section::author_at(path, SourceFormat::Markdown) else { return };
        for problem in &bio.problems {
            line("problem", &problem_text(problem), "");
        }
        let about = &bio.about;
        let of_key = "`date`, `type: post` or `page: true` would make it an article or a page";
        line("author", &author.key, &format!("no article: it describes the author of this name; {of_key}"));
        about.title.iter().for_each(|title| line("title", title, "heading of the author's page"));
        about.image.iter().for_each(|image| line("picture", &describe(image), ""));
        for link in &about.links {
            line("link", &link.address, if link.is_me { "the same person there" } else { "" });
        }
        let base = self.config.base_url(self.config.http.listen.first_address());
        let page = format!("{base}{}", author.path());
        let articles = self
            .site
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|site| site.articles_of(&author).map_err(|error| error.to_string()));
        match articles {
            Ok(0) => line("page", &page, "once an article names this author"),
            Ok(_) => line("page", &page, ""),
            Err(reason) => line("page", &page, &reason),
        }
    }

    fn record(&self, path: &Path) -> Result<Option<Record>, String> {
        let site = self.site.as_ref().map_err(Clone::clone)?;
        site.record(path).map_err(|error| error.to_string())
    }

    /// Prints id, page and feeds.
    fn print_addresses(&self, path: &Path, record: &Record) -> Result<(), String> {
        let Record { entry, state, due, expires, archive } = record;
        let reason = entry.guid.as_ref().map(|guid| format!("`{guid}` in RSS and JSON Feed, as in the old feed"));
        line("id", &entry.id, reason.as_deref().unwrap_or("permanent"));
        let base = self.config.base_url(self.config.http.listen.first_address());
        let place = entry.permalink();
        let is_page = matches!(place, Permalink::Page(_));
        line("page", &format!("{base}{}", place.path()), if is_page { "a page: in no feed and no list" } else { "" });
        if *state != ArticleState::Live {
            return Err("the daemon has withdrawn it, or has not read it since it changed".into());
        }
        if *due > self.now {
            return Err(format!("scheduled: it appears on {}", due.to_rfc3339()));
        }
        if let Some(expires) = expires.filter(|expires| *expires <= self.now) {
            return Err(format!("it expired on {}: change or remove that date", expires.to_rfc3339()));
        }
        if let Some(page) = &entry.content.page {
            let name = page.name.as_deref().unwrap_or(&entry.content.title);
            let menu = if page.is_unlisted { "left out".to_owned() } else { name.to_owned() };
            line("menu", &menu, "");
            return Ok(());
        }
        let limits = feed::limits(self.config);
        let is_in_feed =
            self.site.as_ref().ok().and_then(|site| site.is_in_main_feed(&entry.id, &limits, self.now).ok());
        match archive {
            _ if is_in_feed.unwrap_or(true) => {
                let addresses: Vec<String> =
                    feed::FORMATS.iter().map(|format| format!("{base}{}", format.file)).collect();
                line("feeds", &addresses.join(" "), "");
            }
            Some(number) => {
                line("feeds", &format!("{base}{}", feed::archive_path(*number)), "newer articles fill the feed");
            }
            None => line("feeds", "none", "newer articles fill the feed; its page stays"),
        }
        let content = &entry.content;
        self.print_views(&base, path, content);
        Ok(())
    }

    /// Prints the views that an article is in.
    fn print_views(&self, base: &str, path: &Path, content: &Content) {
        let has_languages = self.site.as_ref().is_ok_and(|site| site.has_languages().unwrap_or(false));
        let of_site = Some(self.config.site.language.as_str());
        let (series, language) = (content.series.as_ref(), content.language.as_deref().or(of_site));
        for term in taxonomy::terms(path, &content.tags, &content.authors, series, language) {
            if term.view.kind != ViewKind::Language || has_languages {
                let name = format!("{}: {}", term.view.kind.root(), term.name);
                line("", &format!("{base}{}", term.view.path()), &name);
            }
        }
    }

    fn why_unrecorded(&self, article: &Article, bytes: &[u8]) -> String {
        let site = self.site.as_ref().ok();
        let twin = site.and_then(|site| site.twin(article, blake3::hash(bytes).into()).ok().flatten());
        match twin {
            Some(twin) => format!("the same text or id as {}: only one of them is published", path_line(&twin)),
            None if self.folder.format(&self.found.path).is_some_and(SourceFormat::may_belong_to_article) => {
                "it belongs to an article with its name, one whose front matter names it or, if it is a photo or a document, one that shows it or links to it; or the daemon has not seen it"
                    .into()
            }
            None => "the daemon has not seen it: check that it is running on this folder".into(),
        }
    }
}

/// Prints the fields of the article, each with its source.
fn fields(article: &Article, record: Option<&Record>) {
    let source = |field: Field| article.sources.get(&field).map_or("", |source| &source.words);
    line("title", &article.title, source(Field::Title));
    let live = record.filter(|record| record.state != ArticleState::Gone).map(|record| &record.entry);
    match (article.published, live) {
        (Some(date), _) => line("published", &date.to_rfc3339(), source(Field::Published)),
        (None, Some(entry)) => line("published", &entry.published.to_rfc3339(), "set when the file was first seen"),
        (None, None) => line("published", "when the daemon first sees the file", "the file states no date"),
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
    for (name, value) in [("copyright", &article.copyright), ("license", &article.license)] {
        if let Some(value) = value {
            line(name, value, "front matter");
        }
    }
    if let Some(SeriesPart { series, part }) = &article.series {
        #[expect(clippy::cast_precision_loss, reason = "places are small")]
        let part = part.map_or_else(|| "by its date".to_owned(), |part| format!("part {}", part as f64 / 1_000.0));
        line("series", series, &part);
    }
    media(article, live);
    if !article.summary.is_empty() {
        let reason = article.sources.get(&Field::Summary).map_or("the first paragraph", |source| &source.words);
        line("summary", &article.summary, reason);
    }
}

/// Prints pictures and recordings with their public addresses if the daemon has recorded them, else as the file names them.
fn media(article: &Article, live: Option<&Entry>) {
    let source =
        |field: Field, default: &'static str| article.sources.get(&field).map_or(default, |source| &source.words);
    let (image, enclosures) = match live {
        Some(entry) => (&entry.content.image, &entry.content.enclosures),
        None => (&article.image, &article.enclosures),
    };
    if let Some(image) = image {
        let name = image.url.rsplit('/').next().unwrap_or_default();
        let is_inside = embedded::kind_of_name(name).is_some();
        let otherwise = if is_inside { "inside the recording" } else { "the first picture in the text" };
        line("cover", &describe(image), source(Field::Image, otherwise));
    }
    for enclosure in enclosures {
        line("enclosure", &describe(enclosure), source(Field::Enclosures, "beside the article"));
    }
    if article.summary_only {
        line("feeds show", "the summary", "front matter");
    }
    if article.pinned > 0 {
        line("lists show it", "first", "front matter");
    }
}

/// Formats address, media type, size and duration of a file.
fn describe(media: &Media) -> String {
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

fn problem_text(problem: &article::Problem) -> String {
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
