//! Vaults of Obsidian: which files lie in one, and its settings that say which notes are none: templates.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::names::is_ignored;

/// The folder of settings in a vault.
pub(super) const VAULT_SETTINGS: &str = ".obsidian";
/// Files with such a setting, below the root of a vault, its name in each, and whether it names a folder.
const SETTINGS: [(&str, &str, bool); 4] = [
    (".obsidian/templates.json", "folder", true),
    (".obsidian/plugins/templater-obsidian/data.json", "templates_folder", true),
    (".obsidian/daily-notes.json", "template", false),
    (".obsidian/zk-prefixer.json", "template", false),
];
/// Maximum size of such a file, in bytes.
const MAX_SETTINGS: u64 = 1 << 20;
/// A vault lies at most so many folders below the watched one.
const MAX_DEPTH: usize = 2;
/// Maximum number of folders that are searched for a vault.
const MAX_FOLDERS: usize = 500;

/// The templates, and their folders, of the vaults at `root` and in its sub-folders, as paths below it.
pub(super) fn templates(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::new(), 0)];
    let mut next = 0;
    while let Some((below, depth)) = folders.get(next).cloned() {
        next += 1;
        if root.join(&below).join(VAULT_SETTINGS).is_dir() {
            let of_vault = SETTINGS
                .iter()
                .filter_map(|(file, key, is_folder)| template(&root.join(&below).join(file), key, *is_folder));
            found.extend(of_vault.map(|template| below.join(template)));
        }
        if depth < MAX_DEPTH && folders.len() < MAX_FOLDERS {
            let entries = std::fs::read_dir(root.join(&below)).into_iter().flatten().flatten();
            let inner = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let inner = inner.map(|entry| entry.file_name()).filter(|name| !is_ignored(name));
            let count = MAX_FOLDERS - folders.len();
            folders.extend(inner.take(count).map(|name| (below.join(name), depth + 1)).collect::<Vec<_>>());
        }
    }
    found
}

fn template(file: &Path, key: &str, is_folder: bool) -> Option<PathBuf> {
    let is_small = std::fs::metadata(file).is_ok_and(|metadata| metadata.len() <= MAX_SETTINGS);
    let text = is_small.then(|| std::fs::read_to_string(file).ok())??;
    let settings: Value = serde_json::from_str(&text).ok()?;
    let name = settings.get(key)?.as_str()?.trim_matches('/');
    let has_ending = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md"));
    let path = PathBuf::from(if is_folder || has_ending { name.to_owned() } else { format!("{name}.md") });
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    (is_below && !name.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_of_all_programs_and_vaults_are_read() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let file = root.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        assert!(templates(root.path()).is_empty());
        write(SETTINGS[0].0, "{\"folder\": \"Meta/Templates/\"}");
        write(SETTINGS[1].0, "{\"templates_folder\": \"T\", \"other\": 1}");
        assert_eq!(templates(root.path()), [PathBuf::from("Meta/Templates"), PathBuf::from("T")]);
        for wrong in ["{\"folder\": \"../x\"}", "{\"folder\": \"\"}", "{\"folder\": 1}", "no JSON"] {
            write(SETTINGS[0].0, wrong);
            assert_eq!(templates(root.path()), [PathBuf::from("T")], "{wrong}");
        }
        write("notes/vault/.obsidian/daily-notes.json", "{\"template\": \"Meta/Daily\", \"folder\": \"Days\"}");
        write("notes/vault/.obsidian/zk-prefixer.json", "{\"template\": \"zettel.md\"}");
        let all = ["T", "notes/vault/Meta/Daily.md", "notes/vault/zettel.md"].map(PathBuf::from);
        assert_eq!(templates(root.path()), all);
    }
}
