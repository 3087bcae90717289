//! What the operator sees on the status page: recent events, and what each file needs or waits for. The problems of published articles
//! are in the catalog, those of other files here.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use url::Url;

use super::step::WriteMoment;
use crate::article::{self, Problem};
use crate::catalog::{self, Catalog, Identity, Severity};
use crate::folder::{Stat, unread_documents};
use crate::model::text;
use crate::observe::status::{FileGroups, FileProblems, MAX_FILES, MAX_NOTICES, Notice, StatusBoard};

/// The article beside which a file is not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Twin {
    /// It has the same bytes.
    SameText(PathBuf),
    /// It has the same id.
    SameId(PathBuf),
    /// It owns the file, a recording.
    Owner(PathBuf),
}

impl Twin {
    pub fn path(&self) -> &Path {
        match self {
            Self::SameText(path) | Self::SameId(path) | Self::Owner(path) => path,
        }
    }
}

/// What is public of a file that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PublicState {
    /// Nothing: a problem keeps it from being published.
    NotPublished,
    /// Its last good version, or what it describes.
    Published,
    /// Nothing, as its writer wants it.
    HeldBack,
}

/// Why a file is not in the feed, or why its last good version is.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub stat: Stat,
    pub state: PublicState,
    pub problems: Vec<String>,
    pub twin: Option<Twin>,
}

/// Problems by path, and events that were not reported yet.
#[derive(Debug)]
pub(super) struct Problems {
    left_out: HashMap<PathBuf, LeftOut>,
    /// Whether the problems of files may have changed since the last report.
    changed: bool,
    notices: Vec<Notice>,
    /// Texts that are not read, by their extensions.
    documents: BTreeMap<&'static str, usize>,
}

impl Default for Problems {
    /// The first report is due even without problems.
    fn default() -> Self {
        Self { left_out: HashMap::new(), changed: true, notices: Vec::new(), documents: BTreeMap::new() }
    }
}

impl Problems {
    /// Reports texts that are not read, whenever their number changes.
    pub fn note_documents(&mut self, documents: BTreeMap<&'static str, usize>) {
        if self.documents == documents {
            return;
        }
        if let Some(message) = unread_documents(&documents) {
            tracing::warn!("{message}");
        }
        self.documents = documents;
    }

    /// The problems of files may have changed, or what is scheduled.
    pub fn note_change(&mut self) {
        self.changed = true;
    }

    /// Reports what is new since the last time. Returns the number of files that need attention, if it may have changed.
    pub fn report_to(
        &mut self,
        board: &StatusBoard,
        catalog: &Catalog,
        moment: WriteMoment,
    ) -> catalog::Result<Option<usize>> {
        let (notices, changed) = (std::mem::take(&mut self.notices), std::mem::take(&mut self.changed));
        if notices.is_empty() && !changed {
            return Ok(None);
        }
        let groups = if changed { Some(self.groups(catalog, moment)?) } else { None };
        let attention = groups.as_ref().map(FileGroups::attention);
        let unread_documents = unread_documents(&self.documents);
        board.update(|status| {
            status.add_notices(notices);
            status.unread_documents = unread_documents;
            if let Some(groups) = groups {
                status.set_groups(groups);
            }
        });
        Ok(attention)
    }

    /// The files that need something, or wait for something.
    fn groups(&self, catalog: &Catalog, moment: WriteMoment) -> catalog::Result<FileGroups> {
        let mut groups = FileGroups::default();
        let mut left_out: Vec<(&PathBuf, &LeftOut)> =
            self.left_out.iter().filter(|(_, left_out)| !left_out.problems.is_empty()).collect();
        left_out.sort_unstable_by_key(|(path, _)| *path);
        // A file whose last good version has problems as well is one file.
        let mut twice = 0;
        for (path, LeftOut { state, problems, .. }) in left_out {
            let group = match state {
                PublicState::NotPublished => &mut groups.not_published,
                PublicState::Published => &mut groups.published_but,
                PublicState::HeldBack => &mut groups.drafts_and_scheduled,
            };
            group.add(|| FileProblems { path: text::path_line(path), problems: problems.clone() });
            if *state == PublicState::Published {
                twice += usize::from(catalog.problems_of(path)?.iter().any(|problem| !problem.is_remark));
            }
        }
        let of_published = [(Severity::Fault, &mut groups.published_but), (Severity::Remark, &mut groups.remarks)];
        for (severity, group) in of_published {
            let flawed = catalog.flawed(severity, MAX_FILES)?;
            let count = group.count + flawed.count;
            for (path, problems) in flawed.first.iter().filter(|(path, _)| !self.left_out.contains_key(path)) {
                let problems = problems.iter().map(|problem| problem.in_file(path)).collect();
                group.add(|| FileProblems { path: text::path_line(path), problems });
            }
            group.count = count;
        }
        groups.published_but.count = groups.published_but.count.saturating_sub(twice);
        add_dated(&mut groups, catalog, moment)?;
        Ok(groups)
    }

    /// Remembers an event of an article. The caller logs it.
    pub fn notify(&mut self, path: &Path, what: String, moment: WriteMoment) {
        let path = text::path_line(path);
        self.notices.push(Notice { at: article::date::whole_seconds(moment.now), path, what });
        if self.notices.len() > 2 * MAX_NOTICES {
            self.notices.drain(..MAX_NOTICES);
        }
    }

    /// Logs that an article is shown, or when it will be or was, and remembers it.
    pub fn notify_published(&mut self, identity: &Identity, path: &Path, url: &Url, moment: WriteMoment) {
        let Identity { id, slug, due, expires, .. } = identity;
        let version = second(moment.version.date());
        let url = url.as_str();
        let what = if let Some(expires) = expires.filter(|expires| *expires <= moment.now).map(second) {
            tracing::info!(path = %path.display(), %id, %slug, url, expires, "expired");
            expired_on(&expires)
        } else if *due > moment.now {
            let due = second(*due);
            tracing::info!(path = %path.display(), %id, %slug, url, due, "scheduled");
            format!("to be published on {due} as {url}")
        } else {
            tracing::info!(path = %path.display(), %id, %slug, url, version, "published");
            format!("published as {url}")
        };
        self.notify(path, what, moment);
    }

    pub fn of(&self, path: &Path) -> Option<&LeftOut> {
        self.left_out.get(path)
    }

    /// The article of which a file was a copy when it was last read.
    pub fn original_of(&self, copy: &Path) -> Option<&Path> {
        match self.left_out.get(copy)?.twin.as_ref()? {
            Twin::SameText(original) => Some(original),
            Twin::SameId(_) | Twin::Owner(_) => None,
        }
    }

    /// Files that are left out because of an article for which `applies` holds.
    pub fn left_out_beside(&self, applies: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let is_beside = |left_out: &LeftOut| left_out.twin.as_ref().is_some_and(|twin| applies(twin.path()));
        self.left_out.iter().filter(|(_, left_out)| is_beside(left_out)).map(|(path, _)| path.clone()).collect()
    }

    /// An article was renamed: its copies and recordings stay left out because of it.
    pub fn follow_rename(&mut self, old: &Path, new: &Path) {
        self.changed = true;
        for twin in self.left_out.values_mut().filter_map(|left_out| left_out.twin.as_mut()) {
            match twin {
                Twin::SameText(path) | Twin::SameId(path) if path == old => *path = new.to_path_buf(),
                _ => {}
            }
        }
    }

    /// Forgets what the files with problems looked like, so that the next comparison reads all of them again.
    pub fn read_again(&mut self) {
        for left_out in self.left_out.values_mut() {
            left_out.stat = Stat::default();
        }
    }

    /// The files that are left out and whose paths begin with these bytes.
    pub fn left_out_below(&self, prefix: &[u8]) -> Vec<PathBuf> {
        let is_below = |path: &&PathBuf| path.as_os_str().as_bytes().starts_with(prefix);
        self.left_out.keys().filter(is_below).cloned().collect()
    }

    /// Forgets what a file looked like, so that the next comparison reads it again.
    pub fn read_file_again(&mut self, path: &Path) {
        if let Some(left_out) = self.left_out.get_mut(path) {
            left_out.stat = Stat::default();
        }
    }

    /// A file has no problem any more.
    pub fn clear(&mut self, path: &Path) {
        self.changed |= self.left_out.remove(path).is_some();
    }

    /// A file or a folder is not there any more.
    pub fn clear_below(&mut self, path: &Path) {
        let before = self.left_out.len();
        self.left_out.retain(|left_out, _| !left_out.starts_with(path));
        self.changed |= self.left_out.len() != before;
    }

    /// Records the problems of the published article at a path, and logs them if they are new.
    pub fn record(&mut self, catalog: &mut Catalog, path: &Path, problems: &[Problem]) -> catalog::Result<()> {
        self.clear(path);
        if catalog.record_problems(path, problems)? {
            self.changed = true;
            log(path, problems, PublicState::Published);
        }
        Ok(())
    }

    /// Sets the problems of a file that is no article, and whose content is used all the same.
    pub fn set(&mut self, path: PathBuf, stat: Stat, problems: &[Problem]) {
        if problems.is_empty() {
            self.clear(&path);
        } else {
            self.leave_out(path, stat, problems, PublicState::Published, None);
        }
    }

    /// Sets a problem that the caller logs.
    pub fn list(&mut self, path: &Path, problem: &Problem) {
        let (state, problems) = (PublicState::Published, vec![problem.in_file(path)]);
        self.put(path.to_path_buf(), LeftOut { stat: Stat::default(), state, problems, twin: None });
    }

    /// Sets the problems of a file, and logs them if they are new.
    pub fn leave_out(
        &mut self,
        path: PathBuf,
        stat: Stat,
        problems: &[Problem],
        state: PublicState,
        twin: Option<Twin>,
    ) {
        let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(&path)).collect();
        if self.left_out.get(&path).is_none_or(|before| before.problems != lines) {
            log(&path, problems, state);
        }
        self.put(path, LeftOut { stat, state, problems: lines, twin });
    }

    /// Sets the reason why a file in a folder of drafts is not published. The folder says it; a line in the log for each file would
    /// repeat it.
    pub fn hold_back_silently(&mut self, path: PathBuf, stat: Stat, reason: &Problem) {
        let (state, problems) = (PublicState::HeldBack, vec![reason.in_file(&path)]);
        self.put(path, LeftOut { stat, state, problems, twin: None });
    }

    /// Replaces what is recorded of a file.
    fn put(&mut self, path: PathBuf, new: LeftOut) {
        let before = self.left_out.get(&path);
        self.changed |= before.is_none_or(|before| before.problems != new.problems || before.state != new.state);
        self.left_out.insert(path, new);
    }
}

/// Logs the problems of a file. That a writer holds an article back is no reason to warn.
fn log(path: &Path, problems: &[Problem], state: PublicState) {
    for problem in problems {
        let (line, text) = (problem.line, problem.in_file(path));
        if state == PublicState::HeldBack {
            tracing::info!(path = %path.display(), line, "{text}");
        } else {
            tracing::warn!(path = %path.display(), line, "{text}");
        }
    }
}

/// A date as messages have it.
fn second(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn expired_on(date: &str) -> String {
    format!("expired on {date}, and is not published: change or remove that date to publish it again")
}

/// Adds the articles that are scheduled or have expired.
fn add_dated(groups: &mut FileGroups, catalog: &Catalog, moment: WriteMoment) -> catalog::Result<()> {
    let now = moment.seconds();
    let scheduled = catalog.scheduled(now, MAX_FILES)?;
    let expired = catalog.expired(now, MAX_FILES)?;
    let group = &mut groups.drafts_and_scheduled;
    let count = group.count + scheduled.count + expired.count;
    let scheduled = scheduled.first.iter().map(|(path, due)| (path, format!("to be published on {}", second(*due))));
    let expired = expired.first.iter().map(|(path, expires)| (path, expired_on(&second(*expires))));
    for (path, what) in scheduled.chain(expired) {
        let problems = vec![Problem::of_file(&*what).in_file(path)];
        group.add(|| FileProblems { path: text::path_line(path), problems });
    }
    group.count = count;
    Ok(())
}
