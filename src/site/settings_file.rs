//! `_site.toml`: the keys of `[site]` that a writer may set.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::article::{Problem, load};
use crate::config::{SiteConfig, in_plain_words};
use crate::folder::{Folder, SETTINGS_FILE};

/// Declares the keys that a writer may set.
macro_rules! keys {
    ($($key:ident)*) => {
        const KEYS: &[&str] = &[$(stringify!($key)),*];

        impl SiteValue {
            /// Gives `site` the value of `key`.
            pub fn replace(self, key: &str, site: &mut SiteConfig) {
                match key {
                    $(stringify!($key) => site.$key = self.0.$key,)*
                    _ => {}
                }
            }
        }
    };
}

keys! {
    title description language author icon logo accent footer style copyright license crawlers fediverse me
}

/// The keys that only the configuration may set, and why.
const RESERVED: [(&str, &str); 4] = [
    ("base_url", "it decides about the addresses of the site"),
    ("authority", "permanent ids are made from it"),
    ("timezone", "the dates of articles depend on it"),
    ("templates", "templates decide about everything on a page"),
];

/// Maximum size of the file in bytes.
const MAX_SIZE: u64 = 64 << 10;

/// The value of one key.
#[derive(Debug)]
pub struct SiteValue(SiteConfig);

/// What the file says.
#[derive(Debug, Default)]
pub struct SettingsFile {
    /// Each key that may be set, with its line.
    pub keys: Vec<(String, usize, SiteValue)>,
    pub problems: Vec<Problem>,
}

impl SettingsFile {
    /// Reads the file at the top of the watched folder. It may be missing.
    pub fn read(folder: &Folder) -> Self {
        let loaded = load::open(folder, Path::new(SETTINGS_FILE)).and_then(|file| file.load(MAX_SIZE));
        let of_file = |problem| Self { problems: vec![problem], ..Self::default() };
        match loaded {
            Ok(loaded) => match std::str::from_utf8(&loaded.bytes) {
                Ok(text) => Self::parse(text.trim_start_matches('\u{feff}')),
                Err(_) => {
                    of_file(Problem::of_file("not in UTF-8: save it in this encoding; none of its settings count"))
                }
            },
            Err(load::LoadError::Gone) => Self::default(),
            Err(error) => of_file(Problem::of_file(error.to_string())),
        }
    }

    fn parse(text: &str) -> Self {
        let line_at = |start: usize| 1 + text[..start.min(text.len())].matches('\n').count();
        let mut file = Self::default();
        let mut table: BTreeMap<String, Spanned<toml::Value>> = match toml::from_str(text) {
            Ok(table) => table,
            Err(error) => {
                let line = line_at(error.span().map_or(0, |span| span.start));
                let message = in_plain_words(error.message());
                file.problems.push(Problem::at(line, format!("{message}; none of the settings in this file count")));
                return file;
            }
        };
        // As in the configuration.
        if table.contains_key("site") && table.len() == 1 {
            #[derive(Deserialize)]
            struct WithSection {
                site: BTreeMap<String, Spanned<toml::Value>>,
            }
            table = toml::from_str::<WithSection>(text).map(|whole| whole.site).unwrap_or(table);
        }
        for (key, value) in table {
            let line = line_at(value.span().start);
            match value_of(&key, value.into_inner()) {
                Ok(value) => file.keys.push((key, line, value)),
                Err(message) => file.problems.push(Problem::at(line, message)),
            }
        }
        file
    }
}

/// Reads the value of one key.
fn value_of(key: &str, value: toml::Value) -> Result<SiteValue, String> {
    if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == key) {
        return Err(format!("`{key}` counts in the configuration only: {why}"));
    }
    if !KEYS.contains(&key) {
        return Err(format!("unknown key `{key}`: this file may set {}", KEYS.join(", ")));
    }
    let table = toml::Table::from_iter([(key.to_owned(), value)]);
    let site = SiteConfig::deserialize(table).map_err(|error| format!("{key}: {}", in_plain_words(error.message())))?;
    // The messages name the section.
    site.check().map_err(|message| message.strip_prefix("site.").map(str::to_owned).unwrap_or(message))?;
    Ok(SiteValue(site))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        SettingsFile::parse(text).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_wrong_key_is_named_and_the_others_count() {
        let text = "title = \"Mine\"\nbase_url = \"https://evil.example/\"\naccent = \"bleu\"\ntitel = \"x\"\n\
            language = \"english\"\nfooter = 3\n\n[author]\nname = \"Ann\"\n";
        let file = SettingsFile::parse(text);
        let keys: Vec<(&str, usize)> = file.keys.iter().map(|(key, line, _)| (key.as_str(), *line)).collect();
        assert_eq!(keys, [("author", 8), ("title", 1)]);
        let mut found = problems(text);
        found.sort_unstable();
        assert_eq!(found.len(), 5, "{found:#?}");
        for (problem, start) in found.iter().zip([
            "2: `base_url` counts in the configuration only: ",
            "3: accent: `bleu`: not a colour: use one such as ",
            "4: unknown key `titel`: this file may set title, ",
            "5: language: `english` is not a language tag",
            "6: footer: invalid type",
        ]) {
            assert!(problem.starts_with(start), "{problem}");
        }
    }

    #[test]
    fn the_example_for_writers_is_right() {
        let example = include_str!("../../docs/writing.md").split("A file `_site.toml` at the top").nth(1).unwrap();
        let file = SettingsFile::parse(example.split("```").nth(1).unwrap().trim_start_matches("toml"));
        assert!(file.problems.is_empty(), "{:?}", file.problems);
        assert!(KEYS.iter().all(|key| file.keys.iter().any(|(stated, ..)| stated == key)), "every key is shown");
    }

    #[test]
    fn the_heading_of_the_section_may_stand_above_the_keys() {
        let file = SettingsFile::parse("# Mine\n[site]\ntitle = \"Mine\"\n");
        assert_eq!(file.keys.len(), 1);
        assert_eq!((file.keys[0].0.as_str(), file.keys[0].1), ("title", 3));
        assert!(file.problems.is_empty());
    }

    #[test]
    fn a_file_that_is_no_toml_has_one_problem() {
        let found = problems("title = \"Mine\"\naccent = teal\n");
        assert!(found.len() == 1 && found[0].starts_with("2: "), "{found:?}");
        assert!(found[0].ends_with("none of the settings in this file count"), "{found:?}");
    }
}
