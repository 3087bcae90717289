//! `articles.include` and `articles.exclude`: file patterns.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// File patterns such as `drafts/**` or `*.txt`, matched against the path below the watched folder. A pattern without a slash
/// matches file names in every folder.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    patterns: Vec<String>,
    set: GlobSet,
}

impl Globs {
    fn new(patterns: Vec<String>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            let anywhere = if pattern.contains('/') { pattern.clone() } else { format!("**/{pattern}") };
            set.add(GlobBuilder::new(&anywhere).literal_separator(true).build()?);
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
}
