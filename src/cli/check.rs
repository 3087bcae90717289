//! `gazetted check [PATH]...`: prints the problems of the configuration and the articles, for people, editors and hooks.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use url::Url;

use super::articles::articles;
use super::outcome::Outcome;
use super::podcasts::Shows;
use crate::article::address::{Addresses, LinkTarget};
use crate::article::folder_data::{DataLookup, FolderData};
use crate::article::front_matter::Field;
use crate::article::load::load_as;
use crate::article::lost::{self, Lost, MAX_LOST};
use crate::article::{self, Article, Problem, Reading, Rules, Verdict, html, section};
use crate::config::{Config, SYSTEM_FILE};
use crate::daemon::{self, SiteState, links};
use crate::folder::{
    BLOGROLL_FILE, Folder, Found, MediaNames, SETTINGS_FILE, SourceFormat, dangling_link_message, folder_link_message,
    has_document_name, idle_pattern_message, near_name, unread_documents,
};
use crate::model::collection::ArticleState;
use crate::model::text::{path_line, single_line};
use crate::render::page::{self, TemplateFault};
use crate::site::Site;

/// Check the configuration and the articles
///
/// Prints one line for each problem, `file:line: message`, then the remarks: what to know, and nothing that must be done. The exit code is 1
/// if there is a problem. Drafts are none; neither are files without a text, nor files that are held by another key, such as `password`,
/// but each of these is named.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files or folders [default: articles.directory, which is `seeds`]
    paths: Vec<PathBuf>,
    /// Print every problem; else, of many that are alike, the first three
    #[arg(long)]
    all: bool,
}

/// Maximum number of lines that are printed without leaving any out: they fit a screen.
const SCREEN: usize = 30;
/// Number of problems of one kind that are printed otherwise.
const FIRST: usize = 3;

/// A folder that is being checked.
#[derive(Clone, Copy)]
struct CheckedFolder<'a> {
    folder: &'a Folder,
    /// The names of its media files once an article has needed them.
    names: &'a OnceCell<MediaNames>,
    /// What other files say of articles.
    data: &'a FolderData,
}

/// A property that only one published article has.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Mark {
    Text([u8; 32]),
    Id(String),
    /// The key of an author whom it describes.
    Author(String),
}

/// An article that may have the text or the id of another.
#[derive(Debug)]
struct Namesake {
    folder: Folder,
    /// Below the folder.
    path: PathBuf,
    /// As the command names it.
    name: PathBuf,
    /// The line of its id.
    line: Option<usize>,
}

/// Counts of the files that were checked, and what identifies the articles.
#[derive(Default)]
struct Checker {
    files: usize,
    /// Each with its line, in the order of the files.
    problems: Vec<(Problem, String)>,
    drafts: usize,
    /// Files without a text.
    empty: usize,
    /// The line of each file that a key other than that of a draft keeps from the public.
    held: Vec<String>,
    /// What other files say of the files that they keep from the public, with the number of these.
    held_by_folders: BTreeMap<String, usize>,
    /// Texts that are not read, by their extensions.
    documents: BTreeMap<&'static str, usize>,
    /// Articles that state no date.
    undated: usize,
    /// Articles with links and pictures that may lead nowhere: the file, its text and the links.
    lost: Vec<(PathBuf, Folder, String, BTreeSet<Lost>)>,
    /// Folders that may be podcasts.
    shows: Shows,
    /// What links can mean, as the catalog names it.
    targets: HashSet<PathBuf>,
    /// Articles by the hash of their bytes, and by the id in their front matter.
    namesakes: HashMap<Mark, Vec<Namesake>>,
}

impl CheckArgs {
    /// # Errors
    /// The configuration is invalid, or a path cannot be read.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let config = Config::load(file)?;
        if file.is_some() || Path::new(SYSTEM_FILE).exists() {
            daemon::check_places(&config)?;
        }
        let paths = if self.paths.is_empty() { vec![config.articles.directory.clone()] } else { self.paths };
        let mut checker = Checker::default();
        for path in &paths {
            let (folder, top, mut files) =
                articles(&config, path).with_context(|| format!("{}: cannot read it", path_line(path)))?;
            files.sort_by(|a, b| a.path.cmp(&b.path));
            let (is_folder, names) = (path.is_dir(), OnceCell::new());
            let data = FolderData::new(folder.clone(), config.site.timezone);
            let place = CheckedFolder { folder: &folder, names: &names, data: &data };
            if files.is_empty() && !is_folder {
                checker.report(path, &Problem::of_folder("no such file: check the name"));
            }
            let documents = if is_folder { folder.documents_below(&top).unwrap_or_default() } else { BTreeMap::new() };
            for (ending, count) in documents {
                *checker.documents.entry(ending).or_default() += count;
            }
            if is_folder && top == folder.root() {
                checker.check_settings(&config, &folder, path)?;
                checker.check_patterns(&folder, file.unwrap_or(path));
            }
            for found in &files {
                // Relative to the argument, so that an editor finds it.
                let name = if is_folder { path.join(found.path.strip_prefix(&top)?) } else { path.clone() };
                if folder.relative(&found.path) == Some(Path::new(SETTINGS_FILE)) {
                    checker.check_settings(&config, &folder, name.parent().unwrap_or(Path::new("")))?;
                } else {
                    checker.check(&config, place, found, &name);
                }
            }
        }
        checker.report_copies(&config);
        let is_whole = paths.iter().all(|path| path.is_dir());
        if is_whole {
            for (name, problem) in checker.shows.problems(&config) {
                checker.report(&name, &problem);
            }
        }
        checker.report_lost(is_whole, if self.all { usize::MAX } else { MAX_LOST });
        checker.print(self.all);
        let Checker { files, problems, drafts, held, held_by_folders, undated, empty, documents, .. } = checker;
        let held = held.len() + held_by_folders.values().sum::<usize>();
        let remarks = problems.iter().filter(|(problem, _)| problem.is_remark).count();
        let problems = problems.len() - remarks;
        if let Some(message) = unread_documents(&documents) {
            eprintln!("{message}");
        }
        if undated > 0 && paths.iter().any(|path| path.is_dir()) {
            eprintln!("articles without a date: {undated}; each has that of its file when it is first seen");
        }
        let held = if held == 0 { String::new() } else { format!(", held: {held}") };
        let empty = if empty == 0 { String::new() } else { format!(", empty: {empty}") };
        let remarks = if remarks == 0 { String::new() } else { format!(", remarks: {remarks}") };
        eprintln!("files read: {files}, drafts: {drafts}{held}{empty}, problems: {problems}{remarks}");
        Ok(if problems == 0 { Outcome::Good } else { Outcome::Found })
    }
}

impl Checker {
    fn check(&mut self, config: &Config, place: CheckedFolder<'_>, found: &Found, name: &Path) {
        let CheckedFolder { folder, data, .. } = place;
        if let Some(below) = folder.relative(&found.path).filter(|below| folder.is_data_file(below)) {
            return self.check_data(place, below, name);
        }
        let link_out = folder.relative(&found.path).and_then(|below| folder.folder_link_out(below));
        if let Some(target) = link_out {
            return self.report(name, &Problem::of_folder(folder_link_message(&target)));
        }
        if let Some(target) = folder.dangling_target(&found.path) {
            return self.report(name, &Problem::of_folder(dangling_link_message(&target)));
        }
        self.files += 1;
        let rules = Rules::new(&config.articles, &config.site);
        let (Some(format), Some(path)) = (folder.format(&found.path), folder.relative(&found.path)) else {
            let reason = Problem::of_file(folder.why_not(&found.path));
            if folder.is_conflict_copy(&found.path) {
                return self.report(name, &reason);
            }
            // A hook may name every file of a commit.
            self.files -= 1;
            eprintln!("skipped: {}", reason.in_file(name));
            return;
        };
        let loaded = match load_as(folder, path, format, config.articles.max_file_size.0) {
            Ok(loaded) => loaded,
            Err(error) => return self.report(name, &Problem::of_file(error.to_string())),
        };
        let inherited = data.of(path, DataLookup::Present);
        let Reading { verdict, problems, .. } =
            article::read_file(folder, &loaded.bytes, path, format, &inherited, &rules);
        for problem in &problems {
            self.report(name, problem);
        }
        match verdict {
            Verdict::Publish(article) => {
                self.undated += usize::from(article.published.is_none());
                self.targets.extend(links::references_of(&article, path));
                let text = String::from_utf8_lossy(&loaded.bytes);
                let (lost, missing) = lost_links(config, place, (path, format), &text, &article);
                for problem in missing {
                    self.report(name, &problem);
                }
                if !lost.is_empty() {
                    self.lost.push((name.to_path_buf(), folder.clone(), text.into_owned(), lost));
                }
                self.shows.note(folder, path, name, format, &article);
                let line = article.sources.get(&Field::Id).and_then(|source| source.line);
                let marks = [Some(Mark::Text(blake3::hash(&loaded.bytes).into())), article.id.map(Mark::Id)];
                for mark in marks.into_iter().flatten() {
                    self.note_mark(mark, (folder, path), name, line);
                }
            }
            Verdict::Bio(bio) => {
                bio.problems.iter().for_each(|problem| self.report(name, problem));
                if let Some(author) = section::author_at(path, format) {
                    self.note_mark(Mark::Author(author.key), (folder, path), name, None);
                }
            }
            Verdict::Draft(..) => self.drafts += 1,
            Verdict::Withheld(problem, _) | Verdict::Broken(problem) if problem.is_of_folder => {
                *self.held_by_folders.entry(single_line(&problem.message).into_owned()).or_default() += 1;
            }
            Verdict::Withheld(problem, _) => self.held.push(problem.in_file(name)),
            Verdict::Empty => self.empty += 1,
            Verdict::Broken(problem) => self.report(name, &problem),
        }
    }

    fn note_mark(&mut self, mark: Mark, (folder, path): (&Folder, &Path), name: &Path, line: Option<usize>) {
        let (folder, path, name) = (folder.clone(), path.to_path_buf(), name.to_path_buf());
        self.namesakes.entry(mark).or_default().push(Namesake { folder, path, name, line });
    }

    /// Reports the problems of the settings in the watched folder, which the caller names `root`, and of its blogroll.
    ///
    /// # Errors
    /// A file that the configuration names cannot be used.
    fn check_settings(&mut self, config: &Config, folder: &Folder, root: &Path) -> anyhow::Result<()> {
        let site = Site::of(config, folder)?;
        site.problems.iter().for_each(|problem| self.report(&root.join(SETTINGS_FILE), problem));
        for TemplateFault { path, line, message, is_broken } in page::faults(&site.look.templates) {
            let problem = if is_broken { Problem::new(Some(line), message) } else { Problem::remark(line, message) };
            self.report(&path, &problem);
        }
        site.blogroll_problem.iter().for_each(|problem| self.report(&root.join(BLOGROLL_FILE), problem));
        Ok(())
    }

    /// Reports the patterns of the configuration that match no file. Without any other, no file is an article.
    fn check_patterns(&mut self, folder: &Folder, name: &Path) {
        let (include, exclude) = folder.idle_patterns();
        let is_remark = include.len() < folder.included().len();
        for pattern in include {
            let message = idle_pattern_message("include", &pattern);
            self.report(name, &Problem { is_remark, ..Problem::of_folder(message) });
        }
        for pattern in exclude {
            let message = idle_pattern_message("exclude", &pattern);
            self.report(name, &Problem { is_remark: true, ..Problem::of_folder(message) });
        }
    }

    /// Reports the problems of a file that holds data of articles. Its name is often in a commit.
    fn check_data(&mut self, place: CheckedFolder<'_>, below: &Path, name: &Path) {
        let Some(kind) = place.folder.data_file_kind(below) else { return };
        match place.data.read(below, kind) {
            Ok(read) => read.data.problems.iter().for_each(|problem| self.report(name, problem)),
            Err(error) => self.report(name, &Problem::of_file(error.to_string())),
        }
    }

    /// Reports links and pictures that lead nowhere. Which articles there are is known only if the whole folder was read.
    fn report_lost(&mut self, is_whole: bool, most: usize) {
        for (name, folder, text, mut lost) in std::mem::take(&mut self.lost) {
            lost.retain(|lost| match lost {
                Lost::File(_) => true,
                Lost::Page(link) => is_whole && !self.targets.contains(&links::reference(link)),
            });
            let lost: Vec<Lost> = lost.into_iter().collect();
            for problem in lost::problems(&lost, &text, most, |missing| near_name(&folder, missing)) {
                self.report(&name, &problem);
            }
        }
    }

    /// Reports each copy of another article. The one that is published is the one that the daemon has published, or else the first one,
    /// as in a first reading.
    fn report_copies(&mut self, config: &Config) {
        let mut groups: Vec<(Mark, Vec<Namesake>)> = std::mem::take(&mut self.namesakes).into_iter().collect();
        groups.retain(|(_, copies)| copies.len() > 1);
        groups.sort_by(|one, other| one.0.cmp(&other.0));
        for (mark, mut copies) in groups {
            copies.sort_by(|one, other| one.path.cmp(&other.path));
            copies.dedup_by(|one, other| one.path == other.path && one.folder.root() == other.folder.root());
            let first = copies.iter().position(|copy| copy.is_published(config)).unwrap_or(0);
            let published = copies.remove(first);
            for Namesake { name, line, .. } in copies {
                let problem = match &mark {
                    Mark::Text(_) => Problem::same_text(&published.name),
                    Mark::Id(_) => Problem::same_id(&published.name, line),
                    Mark::Author(_) => Problem::same_author(&published.name),
                };
                self.report(&name, &problem);
            }
        }
    }

    fn report(&mut self, name: &Path, problem: &Problem) {
        self.problems.push((problem.clone(), problem.in_file(name)));
    }

    /// Prints each file that is held, then the problems, then the remarks. Of many that are alike, only the first ones, unless all are wanted.
    fn print(&self, all: bool) {
        self.held.iter().for_each(|line| println!("{line}"));
        for (message, count) in &self.held_by_folders {
            println!("{count} {}: {message}", if *count == 1 { "file" } else { "files" });
        }
        let is_short = all || self.problems.len() <= SCREEN;
        for remarks in [false, true] {
            let of_this = self.problems.iter().filter(|(problem, _)| problem.is_remark == remarks);
            let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
            for (problem, line) in of_this {
                let kind = if is_short { String::new() } else { kind_of(&problem.message) };
                match kinds.iter_mut().find(|(other, _)| *other == kind) {
                    Some((_, lines)) => lines.push(line),
                    None => kinds.push((kind, vec![line])),
                }
            }
            kinds.sort_by_key(|(_, lines)| std::cmp::Reverse(lines.len()));
            for (_, lines) in kinds {
                let shown = if is_short { lines.len() } else { FIRST };
                lines.iter().take(shown).for_each(|line| println!("{line}"));
                if lines.len() > shown {
                    eprintln!("and {} more like the last one: `--all` prints them", lines.len() - shown);
                }
            }
        }
    }
}

impl Namesake {
    /// Whether a daemon has published it.
    fn is_published(&self, config: &Config) -> bool {
        let record = SiteState::open(config, &self.folder).and_then(|site| site.record(&self.path));
        record.is_ok_and(|record| record.is_some_and(|record| record.state == ArticleState::Live))
    }
}

/// The kind of a message: its words without what it quotes and counts.
fn kind_of(message: &str) -> String {
    let unquoted: String = message.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let words = unquoted
        .split_whitespace()
        .filter(|word| !word.contains(['/', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']));
    words.collect::<Vec<_>>().join(" ")
}

/// The links and pictures of an article that lead to no file, and those to addresses that an article may have; and the problems with files
/// that its front matter names.
fn lost_links(
    config: &Config,
    CheckedFolder { folder, names, .. }: CheckedFolder<'_>,
    (path, format): (&Path, SourceFormat),
    text: &str,
    article: &Article,
) -> (BTreeSet<Lost>, Vec<Problem>) {
    let base_url = config.base_url(config.http.listen.first_address());
    let Ok(permalink) = Url::parse(&base_url).and_then(|url| url.join("articles/a")) else { return Default::default() };
    let is_saved_page = lost::is_saved_page(text, format);
    let pages: RefCell<BTreeSet<Lost>> = RefCell::default();
    let page = |target: &LinkTarget| match target {
        LinkTarget::File(file) => folder.stat(file).is_some().then(|| permalink.to_string()),
        LinkTarget::Address(link) => {
            if !is_saved_page && links::may_be_article(link) {
                pages.borrow_mut().insert(Lost::Page(link.clone()));
            }
            None
        }
        LinkTarget::Note(_) => None,
    };
    let addresses = Addresses {
        permalink: &permalink,
        base_url: &base_url,
        base: None,
        path,
        is_there: &|file: &Path| {
            // A picture inside of the article itself.
            let is_inside = has_document_name(path) && file.parent() == Some(path);
            is_inside || (folder.stat(file).is_some() && folder.draft_folder(file).is_none())
        },
        named: &|name: &Path| {
            let names = names.get_or_init(|| MediaNames::of(folder));
            names.nearest(name.file_name()?, path).map(Path::to_path_buf)
        },
        page: &page,
    };
    let safe = html::sanitise(&article.html, &addresses);
    let mut lost = pages.take();
    lost.extend(lost::files(&safe, &addresses));
    (lost, lost::named_files(article, text, &addresses))
}
