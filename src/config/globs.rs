//! `articles.include` and `articles.exclude`: file patterns.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// File patterns such as `drafts/**` or `*.txt`, matched against the path below the watched folder. A pattern without a slash
/// matches file names in every folder. One that names a folder, as `posts` and `posts/` do, matches all files in it.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    patterns: Vec<String>,
    set: GlobSet,
}

impl Globs {
    fn new(patterns: Vec<String>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            for path in paths(pattern) {
                set.add(GlobBuilder::new(&path).literal_separator(true).build()?);
            }
        }
        Ok(Self { patterns, set: set.build()? })
    }

    /// Returns the patterns for which a condition holds.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(&str) -> bool) -> Self {
        let patterns = self.patterns.iter().filter(|pattern| is_wanted(pattern)).cloned().collect();
        Self::new(patterns).unwrap_or_default()
    }

    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Returns true if a path below the watched folder matches one of the patterns.
    pub fn matches(&self, path: &Path) -> bool {
        self.set.is_match(path)
    }
}

/// The patterns of paths below the watched folder that a pattern means.
fn paths(pattern: &str) -> Vec<String> {
    let is_at_top = pattern.starts_with(['/']) || pattern.starts_with("./");
    let mut path = pattern;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix('/')) {
        path = rest;
    }
    let is_folder = path.ends_with('/');
    let path = path.trim_end_matches('/');
    let anywhere = if is_at_top || path.contains('/') { path.to_owned() } else { format!("**/{path}") };
    let last = path.rsplit('/').next().unwrap_or_default();
    let content = format!("{anywhere}/**");
    match () {
        // The watched folder itself.
        () if matches!(path, "" | ".") => vec![if pattern.is_empty() { String::new() } else { "**".to_owned() }],
        () if is_folder => vec![content],
        () if last.contains(['*', '?', '[', '{']) => vec![anywhere],
        () => vec![anywhere, content],
    }
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Globs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.patterns.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_without_a_slash_match_anywhere() {
        let globs = Globs::new(vec!["*.txt".into(), "drafts/**".into()]).unwrap();
        assert!(globs.matches(Path::new("a/b/c.txt")));
        assert!(globs.matches(Path::new("drafts/a.md")));
        assert!(!globs.matches(Path::new("a/drafts/a.md")));
    }

    #[test]
    fn patterns_are_read_as_they_are_meant() {
        for (pattern, path, is_match) in [
            ("./posts/**", "posts/a.md", true),
            ("/posts/**", "posts/deep/a.md", true),
            ("/a.md", "a.md", true),
            ("/a.md", "deep/a.md", false),
            ("./*.md", "deep/a.md", false),
            ("posts", "posts/deep/a.md", true),
            ("posts", "blog/posts/a.md", true),
            ("posts/", "posts/a.md", true),
            ("posts/", "posts", false),
            ("blog/posts/", "blog/posts/a.md", true),
            ("blog/posts", "posts/a.md", false),
            ("/posts", "blog/posts/a.md", false),
            ("posts", "my-posts/a.md", false),
            ("posts/*", "posts/deep/a.md", false),
            ("20*/", "2024/a.md", true),
            ("*.md", "a.md/b.txt", false),
            (".", "deep/a.md", true),
            ("./", "a.md", true),
            ("", "a.md", false),
        ] {
            let globs = Globs::new(vec![pattern.into()]).unwrap();
            assert_eq!(globs.matches(Path::new(path)), is_match, "{pattern} {path}");
        }
    }
}
