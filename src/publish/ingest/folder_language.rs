//! The language of an article that does not state one and whose text is too short to say it: that of the other articles in its folder.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::conductor::Ingest;
use super::step::{Trigger, WriteMoment};
use crate::article::front_matter::{Field, Source};
use crate::article::{Article, language};
use crate::catalog::{self, Catalog};

/// Folders that are looked at in one step.
const MAX_FOLDERS: usize = 20;

impl Ingest {
    /// Gives an article the language of its folder, if its own is not certain.
    pub(super) fn complete_language(
        &mut self,
        catalog: &Catalog,
        path: &Path,
        article: &mut Article,
    ) -> catalog::Result<()> {
        if let Some(script) = article.unsure_script {
            let folder = path.parent().unwrap_or(Path::new(""));
            let languages = catalog.languages_in(folder, path)?;
            if let Some(tag) = language::of_most(&languages).filter(|tag| language::fits(script, tag)) {
                article.language = Some(tag.to_owned());
                article.unsure_script = None;
                let source = Source { words: "other articles in the folder".to_owned(), line: None };
                article.sources.insert(Field::Language, source);
            }
        }
        self.languages.note(path, article);
        Ok(())
    }

    /// Has the articles read again that have the language of their folder from now on, now that the others have been read.
    pub(super) fn settle_languages(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<()> {
        for _ in 0..MAX_FOLDERS {
            let Some(folder) = self.languages.next_changed() else { break };
            let languages = catalog.languages_in(&folder, Path::new(""))?;
            let Some(tag) = language::of_most(&languages) else { continue };
            for path in self.languages.take(&folder, tag) {
                // Another language is no update of the article.
                catalog.read_again_below(path.as_os_str().as_bytes())?;
                self.schedule.add(path, moment.instant, Trigger::Closed);
            }
        }
        Ok(())
    }
}
