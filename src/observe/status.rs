//! The state of the site, as `/status` shows it: published articles, files with problems, and the latest events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Maximum number of files of each group that are listed. All of them are counted.
pub const MAX_FILES: usize = 200;
/// Maximum number of events that are listed.
pub const MAX_NOTICES: usize = 50;

/// Phase in the life of the daemon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DaemonPhase {
    /// Reading the folder for the first time.
    #[default]
    Starting,
    /// The feeds are up.
    Serving,
    Stopping,
}

/// Progress of reading many files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReadProgress {
    pub done: usize,
    pub all: usize,
}

/// The problems of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileProblems {
    /// Below the watched folder.
    pub path: String,
    /// Lines of the form `file:line: problem and remedy`.
    pub problems: Vec<String>,
}

/// Files of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileGroup {
    /// Number of all of them.
    pub count: usize,
    /// At most [`MAX_FILES`].
    pub files: Vec<FileProblems>,
}

impl FileGroup {
    /// Adds a file, which is listed if there is room.
    pub fn add(&mut self, file: impl FnOnce() -> FileProblems) {
        self.count += 1;
        if self.files.len() < MAX_FILES {
            self.files.push(file());
        }
    }
}

/// What each file needs, or waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileGroups {
    /// A problem keeps these files from being published.
    pub not_published: FileGroup,
    /// These files are published, and their writers have something to correct.
    pub published_but: FileGroup,
    /// Drafts, scheduled and expired articles, and others that their writers hold back.
    pub drafts_and_scheduled: FileGroup,
    /// These files are published; there is something to know, and nothing that must be done.
    pub remarks: FileGroup,
}

impl FileGroups {
    /// Number of the files that need the attention of their writers.
    pub fn attention(&self) -> usize {
        self.not_published.count + self.published_but.count
    }
}

/// An event of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub at: DateTime<Utc>,
    /// Below the watched folder.
    pub path: String,
    pub what: String,
}

/// The place of this node among the replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReplicaStatus {
    /// The name of this node.
    pub node: String,
    /// Kind and place of the log, without credentials.
    pub log: String,
    /// The number of the last record that this node has applied.
    pub record: u64,
    /// The node that created it, if it makes other bytes of the same articles: it has another configuration, or another version of the
    /// program.
    pub differs_from: Option<String>,
}

/// The status. Its keys in JSON are part of the contract with users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    pub phase: DaemonPhase,
    pub base_url: String,
    /// The watched folder.
    pub folder: String,
    /// Second of the version that is served.
    pub version: Option<DateTime<Utc>>,
    pub published: u64,
    pub scheduled: u64,
    /// `None` unless many files are being read.
    pub progress: Option<ReadProgress>,
    /// Whether all changes since the last run are served.
    #[serde(skip)]
    pub caught_up: bool,
    /// Why publishing has stopped; `None` while it works.
    #[serde(rename = "trouble")]
    pub failure: Option<String>,
    /// `None` if this is the only node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<ReplicaStatus>,
    /// Files that need the attention of their writers, published or not; at most [`MAX_FILES`].
    #[serde(rename = "complaints")]
    pub files: Vec<FileProblems>,
    /// Number of all these files.
    #[serde(rename = "complaints_in_all")]
    pub file_count: usize,
    #[serde(flatten)]
    pub groups: FileGroups,
    /// Texts of types that are not read, in words.
    pub unread_documents: Option<String>,
    /// The newest first; at most [`MAX_NOTICES`].
    #[serde(rename = "news")]
    pub notices: VecDeque<Notice>,
}

impl Status {
    /// Sets the files that need something, or wait for something.
    pub fn set_groups(&mut self, groups: FileGroups) {
        let both = groups.not_published.files.iter().chain(&groups.published_but.files);
        self.files = both.take(MAX_FILES).cloned().collect();
        self.file_count = groups.attention();
        self.groups = groups;
    }

    /// Adds events, of which the newest comes last.
    pub fn add_notices(&mut self, notices: impl IntoIterator<Item = Notice>) {
        for notice in notices {
            self.notices.push_front(notice);
        }
        self.notices.truncate(MAX_NOTICES);
    }
}

/// The current status, which many tasks read and write. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct StatusBoard(Arc<Mutex<Status>>);

impl StatusBoard {
    fn lock(&self) -> MutexGuard<'_, Status> {
        // A panic during an update leaves at worst an outdated status.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn update(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock());
    }

    pub fn get(&self) -> Status {
        self.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_notices_stay() {
        let board = StatusBoard::default();
        let notice =
            |number: usize| Notice { at: DateTime::UNIX_EPOCH, path: number.to_string(), what: "published".into() };
        board.update(|status| status.add_notices((0..MAX_NOTICES + 10).map(notice)));
        let status = board.clone().get();
        assert_eq!(status.notices.len(), MAX_NOTICES);
        assert_eq!(status.notices[0], notice(MAX_NOTICES + 9));
    }

    #[test]
    fn all_files_are_counted_and_the_first_ones_listed() {
        let mut groups = FileGroups::default();
        let file = |number: usize| FileProblems { path: number.to_string(), problems: vec!["wrong".into()] };
        for number in 0..MAX_FILES + 5 {
            groups.not_published.add(|| file(number));
            groups.remarks.add(|| file(number));
        }
        groups.published_but.add(|| file(0));
        groups.drafts_and_scheduled.add(|| file(1));
        let mut status = Status::default();
        status.set_groups(groups);
        assert_eq!((status.file_count, status.files.len()), (MAX_FILES + 6, MAX_FILES));
        assert_eq!(status.groups.not_published.files.len(), MAX_FILES);
        assert_eq!(status.groups.not_published.count, MAX_FILES + 5);
    }

    #[test]
    fn the_keys_in_json_stay() {
        let json = serde_json::to_value(Status::default()).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "base_url",
                "complaints",
                "complaints_in_all",
                "drafts_and_scheduled",
                "folder",
                "news",
                "not_published",
                "phase",
                "progress",
                "published",
                "published_but",
                "remarks",
                "scheduled",
                "trouble",
                "unread_documents",
                "version"
            ]
        );
    }
}
