//! What an operator is told of the site beside the log: what is published, what is not and why, and what happened last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Files that are told of by name; beyond that they are counted.
pub const MOST_COMPLAINTS: usize = 200;
/// Changes that are remembered.
pub const MOST_NEWS: usize = 50;

/// Where the daemon is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It reads the folder for the first time.
    #[default]
    Starting,
    /// The feeds are up.
    Serving,
    /// It is about to end.
    Stopping,
}

/// How far reading many files has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Files that were read.
    pub done: usize,
    /// Files that are to be read.
    pub all: usize,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileProblems {
    /// Below the watched folder.
    pub path: String,
    /// Lines as the log has them: file, line, what is wrong and what to do.
    pub problems: Vec<String>,
}

/// Something that happened to an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// When.
    pub at: DateTime<Utc>,
    /// Below the watched folder.
    pub path: String,
    /// As the log has it.
    pub what: String,
}

/// What there is to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Where the daemon is in its life.
    pub phase: Phase,
    /// Address that every address of the site starts with.
    pub base_url: String,
    /// The watched folder.
    pub folder: String,
    /// When the version that is served was made.
    pub version: Option<DateTime<Utc>>,
    /// Articles that are published.
    pub published: u64,
    /// Articles whose time has not come.
    pub scheduled: u64,
    /// While many files are read.
    pub progress: Option<Progress>,
    /// Why nothing new is published, if that is so.
    pub trouble: Option<String>,
    /// Files with something wrong, whether they are published or not; not all of them where there are many.
    pub complaints: Vec<FileProblems>,
    /// How many there are.
    pub complaints_in_all: usize,
    /// The newest first.
    pub news: VecDeque<Notice>,
}

/// The report, which several write and read. Cheap to clone: all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct StatusBoard(Arc<Mutex<Report>>);

impl StatusBoard {
    fn lock(&self) -> MutexGuard<'_, Report> {
        // Whoever panicked here left nothing half written that anybody relies on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes something into it.
    pub fn update(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.lock());
    }

    /// What it says now.
    pub fn get(&self) -> Report {
        self.lock().clone()
    }
}

impl Report {
    /// Adds news.
    pub fn tell(&mut self, news: impl IntoIterator<Item = Notice>) {
        for news in news {
            self.news.push_front(news);
        }
        self.news.truncate(MOST_NEWS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_is_remembered() {
        let reports = StatusBoard::default();
        let news =
            |number: usize| Notice { at: DateTime::UNIX_EPOCH, path: number.to_string(), what: "published".into() };
        reports.update(|report| report.tell((0..MOST_NEWS + 10).map(news)));
        let report = reports.clone().get();
        assert_eq!(report.news.len(), MOST_NEWS);
        assert_eq!(report.news[0], news(MOST_NEWS + 9));
    }
}
