//! Articles that state no language and whose texts are too short to say it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use whatlang::Script;

use crate::article::{Article, language};

/// Maximum number of articles that wait for others to say their language.
const MAX_UNSURE: usize = 10_000;

/// An article whose language is not certain.
#[derive(Debug)]
struct Unsure {
    script: Script,
    /// What its text seems to be in.
    language: Option<String>,
}

/// Articles whose language is not certain, by folder and path.
#[derive(Debug, Default)]
pub(super) struct Languages {
    unsure: BTreeMap<PathBuf, BTreeMap<PathBuf, Unsure>>,
    count: usize,
    /// Folders in which an article has changed that may say the language of others.
    changed: BTreeSet<PathBuf>,
}

impl Languages {
    /// The next folder in which an article has changed that may say the language of others.
    pub fn next_changed(&mut self) -> Option<PathBuf> {
        self.changed.pop_first()
    }

    /// Whether there is such a folder.
    pub fn is_open(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Notes an article that was recorded.
    pub fn note(&mut self, path: &Path, article: &Article) {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let articles = self.unsure.entry(folder.clone()).or_default();
        self.count -= usize::from(articles.remove(path).is_some());
        if let Some(script) = article.unsure_script.filter(|_| self.count < MAX_UNSURE) {
            articles.insert(path.to_path_buf(), Unsure { script, language: article.language.clone() });
            self.count += 1;
        }
        if articles.is_empty() {
            self.unsure.remove(&folder);
        } else {
            self.changed.insert(folder);
        }
    }

    /// The articles of a folder that are in the language of the others, as it seems now.
    pub fn take(&mut self, folder: &Path, tag: &str) -> Vec<PathBuf> {
        let Some(articles) = self.unsure.get_mut(folder) else { return Vec::new() };
        let is_other = |unsure: &Unsure| unsure.language.as_deref() != Some(tag) && language::fits(unsure.script, tag);
        let taken: Vec<PathBuf> = articles.extract_if(.., |_, unsure| is_other(unsure)).map(|(path, _)| path).collect();
        self.count -= taken.len();
        taken
    }
}
