//! Keys that an article has from other files: those of its folder, of the folders above, and the one beside it. The article's own key takes
//! precedence, then the nearest file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;

use super::block::FrontMatter;
use super::file_list::{self, NamedList};
use super::header::{Header, Held};
use super::key::Key;
use super::lock;
use super::nikola;
use super::reader::{HeaderReader, KeyPosition};
use super::target::{self, ArticleTarget};
use super::typo;
use super::value::Value;
use crate::article::problem::Problem;
use crate::article::{encoding, unicode};
use crate::folder::{ABOVE, DataFileKind, SourceFormat};
use crate::model::text::path_line;

/// Maximum number of parts of such a file that hold for different articles.
const MAX_PARTS: usize = 200;

/// The keys of one such file.
#[derive(Debug, Default)]
pub struct ArticleData {
    /// Path below the watched folder.
    file: PathBuf,
    /// Whether it is for one article only.
    is_of_article: bool,
    parts: Vec<DataPart>,
    /// What its writer is to hear.
    pub problems: Vec<Problem>,
    /// Why articles wait: it may keep them from the public, and cannot be read.
    unclear: Option<Problem>,
    /// It is the configuration of a site of Hugo or Zola, whose articles are below `content`.
    pub has_content: bool,
}

/// Keys for some articles.
#[derive(Debug)]
struct DataPart {
    target: ArticleTarget,
    fields: Vec<DataField>,
    effect: PartEffect,
}

/// The effect of a part on the articles that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartEffect {
    /// They have its keys.
    Keys,
    /// The site does not have them. Its only key is the name of the list.
    LeftOut,
    /// They are drafts, by a list.
    Drafts,
}

impl DataPart {
    fn keys(target: ArticleTarget, fields: Vec<DataField>) -> Self {
        Self { target, fields, effect: PartEffect::Keys }
    }
}

impl From<NamedList> for DataPart {
    fn from(list: NamedList) -> Self {
        let effect = if list.is_of_drafts { PartEffect::Drafts } else { PartEffect::LeftOut };
        let field = DataField { name: list.name, value: Value::Flag(true), line: list.line };
        Self { target: ArticleTarget::Listed(list.files), fields: vec![field], effect }
    }
}

#[derive(Debug)]
struct DataField {
    name: String,
    value: Value,
    /// Line in the file, from 1.
    line: usize,
}

impl ArticleData {
    /// Reads the bytes of a file.
    pub fn read(file: &Path, kind: DataFileKind, bytes: &[u8], timezone: Tz) -> Self {
        let mut data =
            Self { file: file.to_path_buf(), is_of_article: kind == DataFileKind::Article, ..Self::default() };
        if kind == DataFileKind::Script {
            let message = "a script cannot be read, so what it says of the articles here is not known: write `draft`, `tags` and the like \
                           into a file of the same name that ends in .json, or into the articles";
            data.problems.push(Problem::of_file(message));
            return data;
        }
        let text = match encoding::decode(bytes, SourceFormat::Text) {
            Ok(decoded) => unicode::tidy(&decoded.text).into_owned(),
            Err(problem) => {
                data.refuse(problem);
                return data;
            }
        };
        if kind == DataFileKind::IgnoreList {
            data.parts.extend(file_list::of_lines(file, &text).map(DataPart::from));
            data.check(timezone);
            return data;
        }
        let text = match only_keys(kind) {
            Some(keys) => file_list::only_keys(&text, keys),
            None => text,
        };
        let Some(block) = block_of(file, kind, &text) else {
            data.read_lines(kind, &text);
            return data;
        };
        match block.parse() {
            Ok(fields) => {
                let mut fields = fields.unwrap_or_default();
                if is_of_nikola(file) {
                    nikola::read_tags(&mut fields);
                }
                data.has_content = kind == DataFileKind::HugoConfig && target::is_of_hugo(file, &fields);
                data.parts = parts(kind, &block, fields);
            }
            Err(problem) => {
                let reason = problem.message.strip_prefix("the front matter is ").unwrap_or(&problem.message);
                let message = format!("data of articles that cannot be read: {reason}");
                let problem = Problem::at(problem.line.unwrap_or(1), message);
                if block.mentions_draft().is_some() {
                    data.unclear = Some(data.wait());
                }
                // The description of a folder reports it, too.
                if kind != DataFileKind::Section {
                    data.problems.push(problem);
                }
            }
        }
        data.check(timezone);
        data
    }

    /// BLAKE3 of what the file says of articles; `None` if it says nothing.
    pub fn fingerprint(&self) -> Option<[u8; 32]> {
        let says = |part: &DataPart| {
            format!(
                "{:?} {:?}",
                part.target,
                part.fields.iter().map(|field| (&field.name, &field.value)).collect::<Vec<_>>()
            )
        };
        let parts: Vec<String> = self.parts.iter().filter(|part| !part.fields.is_empty()).map(says).collect();
        let has_any = self.unclear.is_some() || !parts.is_empty() || self.has_content;
        let content = if self.has_content { " content" } else { "" };
        has_any.then(|| blake3::hash(format!("{} {parts:?}{content}", self.unclear.is_some()).as_bytes()).into())
    }

    /// A file that is there, or was a moment ago, and cannot be read.
    pub fn unreadable(file: &Path, kind: DataFileKind, problem: Problem) -> Self {
        let mut data =
            Self { file: file.to_path_buf(), is_of_article: kind == DataFileKind::Article, ..Self::default() };
        data.refuse(problem);
        data
    }

    fn refuse(&mut self, problem: Problem) {
        self.unclear = Some(self.wait());
        self.problems.push(problem);
    }

    fn wait(&self) -> Problem {
        let file = path_line(&self.file);
        let message =
            format!("{file} cannot be read and may say that this is not public: fix that file (held until then)");
        Problem { is_of_folder: !self.is_of_article, ..Problem::of_file(message) }
    }

    /// Reads the oldest form of Nikola's files: title, slug, date, tags and link, each on its line.
    fn read_lines(&mut self, kind: DataFileKind, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        if kind != DataFileKind::Article || !is_of_nikola(&self.file) || lines.len() < 3 || lines.len() > 8 {
            return;
        }
        let names = ["title", "slug", "date", "tags", "link"];
        let fields = names.into_iter().zip(lines).filter(|(_, value)| !value.trim().is_empty());
        let mut fields: Vec<(String, Value)> =
            fields.map(|(name, value)| (name.to_owned(), Value::Text(value.trim().to_owned()))).collect();
        nikola::read_tags(&mut fields);
        // The state is among the tags.
        let line = |name: &str| names.iter().position(|known| *known == name).unwrap_or(3) + 1;
        let field = |(name, value): (String, Value)| DataField { line: line(&name), name, value };
        self.parts.push(DataPart::keys(ArticleTarget::All, fields.into_iter().map(field).collect()));
    }

    /// Collects what its writer is to hear: invalid values, and which key keeps articles from the public.
    fn check(&mut self, timezone: Tz) {
        let mut problems = Vec::new();
        for part in &self.parts {
            if part.effect != PartEffect::Keys {
                problems.extend(part.fields.iter().map(|field| {
                    let message = format!(
                        "`{}` lists files that the site does not have: articles among them are held",
                        field.name
                    );
                    Problem::remark(field.line, message)
                }));
                continue;
            }
            let position = |name: &str| {
                let line = part.fields.iter().find(|field| is_place_in(name, &field.name)).map(|field| field.line);
                KeyPosition { line, words: String::new(), is_elsewhere: false }
            };
            let mut reader = HeaderReader::new(timezone, &position, Vec::new());
            for field in &part.fields {
                self.take(&mut reader, field);
                let Some(hold) = reader.hold.take().filter(|_| !self.is_of_article) else { continue };
                let line = hold.problem().line.unwrap_or(field.line);
                let message = format!("`{}` keeps the articles that this file is for from the public", field.name);
                problems.push(Problem::remark(line, message));
            }
            problems.extend(reader.problems);
        }
        self.problems.extend(problems);
    }

    fn take(&self, reader: &mut HeaderReader<'_>, field: &DataField) {
        if self.is_of_article {
            reader.take(&field.name, field.value.clone());
        } else if is_for_folders(&field.name, &field.value) {
            reader.take_for_folder(&field.name, field.value.clone());
        }
    }
}

fn is_of_nikola(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "meta")
}

/// Whether a key may be set for many articles at once: not what each has of its own, such as a title or an address.
fn is_for_folders(name: &str, value: &Value) -> bool {
    match Key::of(name) {
        Some(Key::Address) => value.flag() == Some(false),
        Some(
            Key::Title
            | Key::Summary
            | Key::Id
            | Key::FeedGuid
            | Key::Link
            | Key::Comments
            | Key::Slug
            | Key::ImageText
            | Key::Enclosure
            | Key::Podcast
            | Key::Episode
            | Key::EpisodeKind
            | Key::Duration
            | Key::Transcript
            | Key::Chapters,
        ) => false,
        _ => true,
    }
}

/// Whether the place of a key, which may be in a table, is in a field.
fn is_place_in(place: &str, field: &str) -> bool {
    place.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Finds the keys and values in a file.
fn block_of<'a>(file: &Path, kind: DataFileKind, text: &'a str) -> Option<FrontMatter<'a>> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match (kind, ending) {
        (DataFileKind::Section, "html" | "htm" | "xhtml") => FrontMatter::find(text, SourceFormat::Html),
        (DataFileKind::Section, _) | (_, "meta") => FrontMatter::find(text, SourceFormat::Markdown),
        // A list is no data of an article.
        (_, "json") if !text.trim_start().starts_with('{') => None,
        _ => Some(FrontMatter::whole(text, ending)),
    }
}

/// The parts of a file, those that take precedence first.
fn parts(kind: DataFileKind, block: &FrontMatter<'_>, fields: Vec<(String, Value)>) -> Vec<DataPart> {
    let mut parts = Vec::new();
    let lists = file_list::lists(kind, block, &fields);
    match kind {
        DataFileKind::Folder | DataFileKind::Article => {
            let field = |(name, value): (String, Value)| DataField { line: block.line_of(&name), name, value };
            parts.push(DataPart::keys(ArticleTarget::All, fields.into_iter().map(field).collect()));
        }
        DataFileKind::Section | DataFileKind::HugoConfig => {
            for (name, value) in fields {
                match name.to_ascii_lowercase().as_str() {
                    "cascade" => parts.extend(cascade(block, &name, value)),
                    _ if kind == DataFileKind::Section && is_of_section(&name, &value) => {
                        let line = block.line_of(&name);
                        parts.push(DataPart::keys(ArticleTarget::All, vec![DataField { name, value, line }]));
                    }
                    _ => {}
                }
            }
        }
        DataFileKind::JekyllConfig => {
            let defaults = fields.into_iter().find(|(name, _)| name == "defaults");
            parts.extend(defaults.into_iter().flat_map(|(name, value)| jekyll_defaults(block, &name, value)));
            // As in Jekyll, the more specific one takes precedence, and of two alike, the later one.
            parts.reverse();
            parts.sort_by_key(|part| std::cmp::Reverse(part.target.specificity()));
        }
        DataFileKind::MkDocsConfig | DataFileKind::QuartoConfig | DataFileKind::IgnoreList | DataFileKind::Script => {}
    }
    parts.truncate(MAX_PARTS);
    parts.extend(lists.into_iter().map(DataPart::from));
    parts
}

/// The keys of a configuration that are read, if it has many of other kinds.
fn only_keys(kind: DataFileKind) -> Option<&'static [&'static str]> {
    match kind {
        DataFileKind::MkDocsConfig => Some(&["docs_dir", "exclude_docs", "draft_docs"]),
        DataFileKind::QuartoConfig => Some(&["project", "website"]),
        _ => None,
    }
}

/// Whether a key of the folder itself holds for the articles in it: that it is a draft or locked, as in Zola, and its language. That its page is
/// not made or not listed says nothing of them.
pub(super) fn is_of_section(name: &str, value: &Value) -> bool {
    const DRAFTS: [&str; 4] = ["draft", "isdraft", "private", "publish"];
    match Key::of(name) {
        Some(Key::Draft | Key::Public) => DRAFTS.contains(&lock::letters(name).as_str()),
        Some(Key::Status | Key::Language) => true,
        Some(Key::Published) => value.flag() == Some(false),
        None if lock::is_about_publication(name) => lock::restricts_readers(name),
        // A slip in one of these.
        None => typo::meant(name).is_some_and(|meant| match meant.key {
            Some(Key::Draft | Key::Public | Key::Status | Key::Published) => is_of_section(meant.name, value),
            Some(_) => false,
            None => lock::restricts_readers(meant.name),
        }),
        Some(_) => false,
    }
}

/// The entries of a list, or the only one.
fn entries(value: Value) -> Vec<Vec<(String, Value)>> {
    let table = |value| if let Value::Table(fields) = value { Some(fields) } else { None };
    match value {
        Value::List(list) => list.into_iter().filter_map(table).collect(),
        other => table(other).into_iter().collect(),
    }
}

/// Hugo's `cascade`: a table, or a list of tables with their targets.
fn cascade(block: &FrontMatter<'_>, name: &str, value: Value) -> Vec<DataPart> {
    let mut lines = LineCursor::at(block, name);
    let part = |fields: Vec<(String, Value)>| {
        let is_target = |name: &str| matches!(name.to_ascii_lowercase().as_str(), "_target" | "target");
        let (targets, fields): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(name, _)| is_target(name));
        let target = ArticleTarget::of_hugo(targets.into_iter().map(|(_, value)| value));
        DataPart::keys(target, lines.fields(fields))
    };
    entries(value).into_iter().map(part).collect()
}

/// Jekyll's `defaults`: a list of scopes and values.
fn jekyll_defaults(block: &FrontMatter<'_>, name: &str, value: Value) -> Vec<DataPart> {
    let mut lines = LineCursor::at(block, name);
    let part = |entry: Vec<(String, Value)>| {
        let (mut target, mut fields) = (ArticleTarget::All, Vec::new());
        for (name, value) in entry {
            match (name.as_str(), value) {
                ("scope", Value::Table(scope)) => target = ArticleTarget::of_jekyll(&scope),
                ("values", Value::Table(values)) => fields = lines.fields(values),
                _ => {}
            }
        }
        DataPart::keys(target, fields)
    };
    entries(value).into_iter().map(part).collect()
}

/// Finds the lines of keys in the order of the file, so that of two keys of one name each has its own.
struct LineCursor<'a> {
    block: &'a FrontMatter<'a>,
    line: usize,
}

impl<'a> LineCursor<'a> {
    fn at(block: &'a FrontMatter<'a>, name: &str) -> Self {
        Self { block, line: block.next_line(name, 0).unwrap_or(0) }
    }

    fn fields(&mut self, fields: Vec<(String, Value)>) -> Vec<DataField> {
        let start = self.line;
        let field = |(name, value): (String, Value)| {
            let line = self.block.next_line(&name, start).unwrap_or(start);
            self.line = self.line.max(line);
            DataField { name, value, line: self.block.first_line + line }
        };
        let fields = fields.into_iter().map(field).collect();
        // The same key of the next part is on a later line.
        self.line += usize::from(self.line > start);
        fields
    }
}

/// What an article has from other files.
#[derive(Debug, Clone, Default)]
pub struct Inherited {
    /// Absolute path of the article.
    article: PathBuf,
    /// Absolute path of the watched folder.
    root: PathBuf,
    /// The files, the one that takes precedence first.
    files: Vec<Arc<ArticleData>>,
    /// Why its place keeps it from the public, whatever it says.
    hold: Option<Problem>,
    /// Drafts are read like other articles.
    shows_drafts: bool,
}

/// Names that a file has set already.
#[derive(Debug, Default)]
pub struct StatedKeys {
    names: Vec<String>,
    keys: Vec<Key>,
}

impl StatedKeys {
    pub fn add(&mut self, name: &str) {
        self.names.push(lock::letters(name));
        self.keys.extend(Key::of(name));
    }

    /// Whether a key is stated already. Of those that decide about publication, only the same name counts.
    fn has(&self, name: &str, value: &Value) -> bool {
        if lock::is_namespace(name) {
            return false;
        }
        let by_name = self.names.contains(&lock::letters(name));
        let key = Key::of(name).filter(|key| {
            let decides = key.is_state() || *key == Key::Address || value.flag().is_some();
            !decides
        });
        by_name || key.is_some_and(|key| self.keys.contains(&key))
    }
}

/// The headers that other files give an article.
#[derive(Debug, Default)]
pub struct InheritedHeaders {
    /// Of the files for this article only.
    pub beside: Header,
    /// Of those for the whole folder.
    pub folder: Header,
}

impl Inherited {
    pub fn new(root: &Path, article: &Path, files: Vec<Arc<ArticleData>>) -> Self {
        Self { article: root.join(article), root: root.to_path_buf(), files, hold: None, shows_drafts: false }
    }

    /// Keeps the article from the public.
    #[must_use]
    pub fn held(self, hold: Option<Problem>) -> Self {
        Self { hold, ..self }
    }

    /// Reads what keeps an article from the public like any other key, for its writer alone.
    #[must_use]
    pub fn showing_drafts(self) -> Self {
        Self { shows_drafts: true, ..self }
    }

    /// Whether drafts are read like other articles.
    pub fn shows_drafts(&self) -> bool {
        self.shows_drafts
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.hold.is_none()
    }

    /// Reads the keys that the article does not state.
    ///
    /// # Errors
    /// One of them keeps the article from the public.
    pub(super) fn read(&self, mut stated: StatedKeys, timezone: Tz) -> Result<InheritedHeaders, Held> {
        if let Some(problem) = &self.hold {
            return Err(Held::Withheld(problem.clone(), Vec::new()));
        }
        let mut headers = InheritedHeaders::default();
        for data in &self.files {
            if let Some(problem) = &data.unclear {
                return Err(Held::Broken(problem.clone()));
            }
            let folder = if data.file.starts_with(ABOVE) {
                self.root.parent().unwrap_or(&self.root).to_path_buf()
            } else {
                self.root.join(data.file.parent().unwrap_or(Path::new("")))
            };
            for part in data.parts.iter().filter(|part| part.target.covers(&self.root, &folder, &self.article)) {
                let header = data.read_part(part, &mut stated, timezone)?;
                if data.is_of_article { headers.beside.complete(header) } else { headers.folder.complete(header) }
            }
        }
        Ok(headers)
    }

    /// Why an article without front matter is kept from the public, if it is.
    pub fn hold(&self, timezone: Tz) -> Option<Held> {
        self.read(StatedKeys::default(), timezone).err()
    }
}

impl ArticleData {
    /// The reason why a file in a list is held.
    fn listed(&self, effect: PartEffect, list: &DataField) -> Held {
        let (file, name) = (path_line(&self.file), &list.name);
        let place = format!("`{name}` in {file}, line {}", list.line);
        let problem = |message: String| Problem { is_of_folder: true, is_remark: true, ..Problem::of_file(message) };
        match effect {
            PartEffect::Drafts => Held::Draft(
                problem(format!("a draft: {place} lists it; take it off that list to publish it")),
                Vec::new(),
            ),
            _ => Held::Withheld(
                problem(format!("held: {place} leaves it out of the site; take it off that list to publish it")),
                Vec::new(),
            ),
        }
    }

    fn read_part(&self, part: &DataPart, stated: &mut StatedKeys, timezone: Tz) -> Result<Header, Held> {
        let file = path_line(&self.file);
        if let (effect @ (PartEffect::LeftOut | PartEffect::Drafts), [list]) = (part.effect, part.fields.as_slice()) {
            return Err(self.listed(effect, list));
        }
        let position = |name: &str| {
            let field = part.fields.iter().find(|field| is_place_in(name, &field.name));
            let words = field.map_or_else(|| file.clone(), |field| format!("{file}, line {}", field.line));
            KeyPosition { line: None, words, is_elsewhere: true }
        };
        let mut reader = HeaderReader::new(timezone, &position, Vec::new());
        let fields: Vec<&DataField> =
            part.fields.iter().filter(|field| !stated.has(&field.name, &field.value)).collect();
        for field in &fields {
            self.take(&mut reader, field);
        }
        for field in fields {
            stated.add(&field.name);
        }
        let HeaderReader { mut header, hold, .. } = reader;
        header.unused.clear();
        header.join_media();
        let Some(hold) = hold else { return Ok(header) };
        let mut reason = hold.into_held(header.enclosures);
        if let Held::Draft(problem, _) | Held::Withheld(problem, _) = &mut reason {
            problem.is_of_folder = !self.is_of_article;
        }
        Err(reason)
    }
}
