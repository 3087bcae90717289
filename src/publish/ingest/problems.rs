//! What the operator sees on the status page: recent events, and the files that are left out, with the reasons.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;
use url::Url;

use super::step::WriteMoment;
use crate::article::{self, Problem};
use crate::catalog::Identity;
use crate::folder::{Stat, unread_documents};
use crate::model::text;
use crate::observe::status::{FileProblems, MAX_FILES, MAX_NOTICES, Notice, StatusBoard};

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

/// Why a file is not in the feed, or why its last good version is.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub stat: Stat,
    pub problems: Vec<String>,
    pub twin: Option<Twin>,
}

impl LeftOut {
    /// Whether the writer is to hear of it. A file in a folder of drafts has no problem.
    fn is_reported(&self) -> bool {
        !self.problems.is_empty() || self.twin.is_some()
    }
}

/// Problems by path, and events that were not reported yet.
#[derive(Debug)]
pub(super) struct Problems {
    left_out: HashMap<PathBuf, LeftOut>,
    /// Whether `left_out` has changed since the last report.
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

    /// Reports what is new since the last time. Returns the number of files with problems, if it may have changed.
    pub fn report_to(&mut self, board: &StatusBoard) -> Option<usize> {
        let (notices, changed) = (std::mem::take(&mut self.notices), std::mem::take(&mut self.changed));
        if notices.is_empty() && !changed {
            return None;
        }
        let files = changed.then(|| {
            let reported = self.left_out.iter().filter(|(_, left_out)| left_out.is_reported());
            let mut paths: Vec<&PathBuf> = reported.map(|(path, _)| path).collect();
            paths.sort_unstable();
            let problems_of = |path: &PathBuf| FileProblems {
                path: text::path_line(path),
                problems: self.left_out[path].problems.clone(),
            };
            paths.into_iter().take(MAX_FILES).map(problems_of).collect()
        });
        let count = self.left_out.values().filter(|left_out| left_out.is_reported()).count();
        board.update(|status| {
            status.add_notices(notices);
            if let Some(files) = files {
                (status.files, status.file_count) = (files, count);
            }
        });
        changed.then_some(count)
    }

    /// Remembers an event of an article. The caller logs it.
    pub fn notify(&mut self, path: &Path, what: String, moment: WriteMoment) {
        let path = text::path_line(path);
        self.notices.push(Notice { at: article::date::whole_seconds(moment.now), path, what });
        if self.notices.len() > 2 * MAX_NOTICES {
            self.notices.drain(..MAX_NOTICES);
        }
    }

    /// Logs that an article will be shown, and remembers it.
    pub fn notify_published(&mut self, identity: &Identity, path: &Path, url: &Url, moment: WriteMoment) {
        let Identity { id, slug, due, .. } = identity;
        let version = moment.version.date().to_rfc3339_opts(SecondsFormat::Secs, true);
        let url = url.as_str();
        let what = if *due > moment.now {
            let due = due.to_rfc3339_opts(SecondsFormat::Secs, true);
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

    /// Sets the problems of a file that is published all the same.
    pub fn set(&mut self, path: PathBuf, stat: Stat, problems: &[Problem]) {
        if problems.is_empty() {
            self.clear(&path);
        } else {
            self.leave_out(path, stat, problems, None);
        }
    }

    /// Sets a problem that the caller logs.
    pub fn list(&mut self, path: &Path, problem: &Problem) {
        let problems = vec![problem.in_file(path)];
        self.left_out.insert(path.to_path_buf(), LeftOut { stat: Stat::default(), problems, twin: None });
        self.changed = true;
    }

    /// Sets the problems of a file, and logs those that it did not have before.
    pub fn leave_out(&mut self, path: PathBuf, stat: Stat, problems: &[Problem], twin: Option<Twin>) {
        let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(&path)).collect();
        if self.left_out.get(&path).is_none_or(|before| before.problems != lines) {
            self.changed = true;
            for Problem { line, message, .. } in problems {
                tracing::warn!(path = %path.display(), line, "{message}");
            }
        }
        self.left_out.insert(path, LeftOut { stat, problems: lines, twin });
    }
}
