//! Where the values of `[site]` are stated, so that a message can name the place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The file that states the keys of `[site]`, and the line of each. It is no part of the values: all origins are equal.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    file: PathBuf,
    lines: BTreeMap<String, usize>,
    /// The keys that an option of the command line or an environment variable states.
    overridden: BTreeSet<String>,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Origin {
    /// Finds the keys of `[site]` in the text of a configuration that is valid.
    pub(super) fn of(text: &str, file: &str) -> Self {
        let mut lines = BTreeMap::new();
        let table: Option<BTreeMap<String, toml::Spanned<toml::Value>>> = toml::from_str(text).ok();
        let site = table.and_then(|mut table| table.remove("site"));
        let keys = site.iter().filter_map(|site| site.get_ref().as_table()).flat_map(toml::Table::keys);
        let start = text.find("[site").unwrap_or(0);
        for key in keys {
            let is_key = |line: &str| {
                let line = line.trim_start().trim_start_matches("[site.").trim_start_matches("site.");
                line.strip_prefix(key.as_str()).is_some_and(|rest| rest.trim_start().starts_with(['=', '.', ']']))
            };
            let before = text[..start].matches('\n').count();
            let line = text[start..].lines().position(is_key);
            lines.insert(key.clone(), 1 + before + line.unwrap_or(0));
        }
        Self { file: PathBuf::from(file), lines, overridden: BTreeSet::new() }
    }

    /// Notes that the command line or the environment states a key.
    pub fn override_key(&mut self, key: &str) {
        self.overridden.insert(key.to_owned());
    }

    /// Whether the file, the command line or the environment states a key.
    pub fn states(&self, key: &str) -> bool {
        self.lines.contains_key(key) || self.overridden.contains(key)
    }

    /// The place of a key, as `file:line`.
    pub fn place(&self, key: &str) -> String {
        if self.overridden.contains(key) {
            return "the command line or the environment".to_owned();
        }
        let file = self.file.display();
        self.lines.get(key).map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
    }

    /// Resolves a path that the file names: it is relative to the folder of the file.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_line() {
        let text = "[feed]\nentries = 3\n[site]\ntitle = \"icon = 1\"\n icon=\"a.svg\"\n[site.author]\nname = \"A\"\n";
        let origin = Origin::of(text, "/etc/g/g.toml");
        assert_eq!(origin.place("icon"), "/etc/g/g.toml:5");
        assert_eq!(origin.place("author"), "/etc/g/g.toml:6");
        assert!(origin.states("title") && !origin.states("entries") && !origin.states("style"));
        assert_eq!(origin.resolve(Path::new("a.svg")), Path::new("/etc/g/a.svg"));
        assert_eq!(origin.resolve(Path::new("/a.svg")), Path::new("/a.svg"));
        assert_eq!(Origin::of("site.icon = 'a'\n", "g.toml").place("icon"), "g.toml:1");
    }
}
