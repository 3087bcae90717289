//! Folders of drafts: nothing in them is public unless `articles.include` names the folder.

use std::ffi::OsStr;
use std::path::Path;

use super::names::{ENDINGS, is_draft_folder};
use crate::config::Globs;

/// Decides which folders of drafts are public all the same.
#[derive(Debug, Clone, Default)]
pub struct DraftFolders {
    /// The patterns of `articles.include` that name a folder of drafts.
    public: Globs,
}

impl DraftFolders {
    pub fn new(include: &Globs) -> Self {
        let names_folder = |pattern: &str| {
            pattern.rsplit_once('/').is_some_and(|(folders, _)| folders.to_ascii_lowercase().contains("draft"))
        };
        Self { public: include.only(names_folder) }
    }

    /// Returns the folder of drafts that a file lies in, by the file's path below the watched folder. `None` if there is none, or
    /// if it is public.
    pub fn holding<'a>(&self, below: &'a Path) -> Option<&'a OsStr> {
        let folder = below.parent()?.iter().find(|name| is_draft_folder(name))?;
        // A picture is public if an article of its name would be.
        let is_public = || {
            let articles = ENDINGS.iter().map(|ending| below.with_extension(ending));
            self.public.matches(below) || articles.into_iter().any(|path| self.public.matches(&path))
        };
        let is_held = self.public.is_empty() || !is_public();
        is_held.then_some(folder)
    }

    /// The patterns that make folders of drafts public.
    pub fn public_patterns(&self) -> &[String] {
        self.public.patterns()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(include: &[&str]) -> DraftFolders {
        let patterns = include.iter().map(|pattern| format!("{pattern:?}")).collect::<Vec<_>>().join(",");
        let articles: crate::config::Articles = toml::from_str(&format!("include = [{patterns}]")).unwrap();
        DraftFolders::new(&articles.include)
    }

    #[test]
    fn whole_names_of_folders_count_in_any_case_and_at_any_depth() {
        let plain = folders(&[]);
        for path in ["drafts/a.md", "Drafts/a.md", "DRAFT/a.md", "a/b/draft/c/d.md", "_drafts/a.md", "_Draft/a.png"] {
            assert!(plain.holding(Path::new(path)).is_some(), "{path}");
        }
        for path in ["drafts.md", "a/draft.md", "my-drafts/a.md", "draftsman/a.md", "drafts-2026/a.md", "a.md"] {
            assert!(plain.holding(Path::new(path)).is_none(), "{path}");
        }
    }

    #[test]
    fn include_can_make_them_public_by_name_only() {
        for (include, path, is_held) in [
            (&["*.md"][..], "drafts/a.md", true),
            (&["**/*.md"], "drafts/a.md", true),
            (&["drafts-of-laws.md"], "drafts/drafts-of-laws.md", true),
            (&["**", "drafts/**"], "drafts/a.md", false),
            (&["**", "drafts/**"], "drafts/a/b.png", false),
            (&["**", "drafts/**"], "posts/drafts/a.md", true),
            (&["**", "drafts/**"], "Drafts/a.md", true),
            (&["**/drafts/**"], "posts/drafts/a.md", false),
            (&["{posts,_drafts}/*.md"], "_drafts/a.md", false),
            (&["{posts,_drafts}/*.md"], "_drafts/a.png", false),
            (&["beer/Draft/*.md"], "beer/Draft/a.md", false),
            (&["beer/Draft/*.md"], "beer/Draft/a/b.md", true),
        ] {
            assert_eq!(folders(include).holding(Path::new(path)).is_some(), is_held, "{include:?} {path}");
        }
    }
}
