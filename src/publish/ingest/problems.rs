//! What the operator is told: what was published, and which files are left out and why.

use std::path::{Path, PathBuf};

use chrono::SecondsFormat;
use url::Url;

use super::{Ingest, Trigger, WriteMoment};
use crate::article::{self, Problem};
use crate::catalog::Identity;
use crate::config::Clean;
use crate::folder::{CONFLICT, Stat};
use crate::model::text;
use crate::observe::status::{FileProblems, MAX_FILES, MAX_NOTICES, Notice, StatusBoard};

/// Why a file is not in the feed, or why its last good version is.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub stat: Stat,
    pub problems: Vec<String>,
    /// The article that it has the same bytes or the same id as.
    pub twin_of: Option<PathBuf>,
}

impl Ingest {
    /// Tells the operator what has happened since the last time. Gives how many files have something wrong, if that may have
    /// changed.
    pub fn hand_over(&mut self, board: &StatusBoard) -> Option<usize> {
        let (news, complained) = (std::mem::take(&mut self.news), std::mem::take(&mut self.complained));
        if news.is_empty() && !complained {
            return None;
        }
        let complaints = complained.then(|| {
            let mut paths: Vec<&PathBuf> = self.left_out.keys().collect();
            paths.sort_unstable();
            let complaint = |path: &PathBuf| FileProblems {
                path: text::path_line(path),
                problems: self.left_out[path].problems.clone(),
            };
            paths.into_iter().take(MAX_FILES).map(complaint).collect()
        });
        board.update(|status| {
            status.add_notices(news);
            if let Some(complaints) = complaints {
                (status.files, status.file_count) = (complaints, self.left_out.len());
            }
        });
        complained.then_some(self.left_out.len())
    }

    /// Remembers what has happened to an article, for the operator. The caller logs it.
    pub(super) fn tell(&mut self, path: &Path, what: String, moment: WriteMoment) {
        let path = text::path_line(path);
        self.news.push(Notice { at: article::date::whole_seconds(moment.now), path, what });
        if self.news.len() > 2 * MAX_NOTICES {
            self.news.drain(..MAX_NOTICES);
        }
    }

    /// Logs that an article will be shown, and remembers it for the operator.
    pub(super) fn tell_published(&mut self, identity: &Identity, path: &Path, url: &Url, moment: WriteMoment) {
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
        self.tell(path, what, moment);
    }

    /// Nothing is wrong with a file any more.
    pub(super) fn mend(&mut self, path: &Path) {
        self.complained |= self.left_out.remove(path).is_some();
    }

    pub(super) fn report_conflicts(&mut self, files: &[PathBuf]) {
        for path in
            files.iter().filter_map(|file| self.folder.relative(file).map(Path::to_path_buf)).collect::<Vec<_>>()
        {
            let problem = Problem::of_file(CONFLICT);
            self.leave_out(path, Stat::default(), &[problem], None);
        }
    }

    /// Files that were left out because of an article that is no more get their chance.
    pub(super) fn look_at_twins(&mut self, path: &Path, moment: WriteMoment) {
        let twins = self.left_out.iter().filter(|(_, left_out)| left_out.twin_of.as_deref() == Some(path));
        self.later
            .extend(twins.map(|(twin, _)| (twin.clone(), (moment.instant, Trigger::Finished))).collect::<Vec<_>>());
    }

    /// Says what is wrong with a file that is published all the same.
    pub(super) fn report(&mut self, path: PathBuf, stat: Stat, problems: &[Problem]) {
        if problems.is_empty() {
            self.mend(&path);
        } else {
            self.leave_out(path, stat, problems, None);
        }
    }

    /// Remembers what is wrong with a file, and says so once.
    pub(super) fn leave_out(&mut self, path: PathBuf, stat: Stat, problems: &[Problem], twin_of: Option<PathBuf>) {
        let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(&path)).collect();
        if self.left_out.get(&path).is_none_or(|before| before.problems != lines) {
            self.complained = true;
            for Problem { line, message } in problems {
                tracing::warn!(path = %path.display(), line, "{message}");
            }
        }
        self.left_out.insert(path, LeftOut { stat, problems: lines, twin_of });
    }

    pub(super) fn report_removed(&self, path: &Path, removed: &[article::clean::Removed]) {
        for article::clean::Removed { line, rule, text, .. } in removed {
            if self.rules.clean == Clean::Report {
                tracing::info!(path = %path.display(), line, rule, text, "cleaning would remove a line");
            } else {
                tracing::debug!(path = %path.display(), line, rule, text, "cleaning removed a line");
            }
        }
    }
}
