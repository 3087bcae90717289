//! The settings of Obsidian that say which notes are none: templates.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

/// Files with such a setting, below the root of a vault, and its name in each.
const SETTINGS: [(&str, &str); 2] =
    [(".obsidian/templates.json", "folder"), (".obsidian/plugins/templater-obsidian/data.json", "templates_folder")];
/// Maximum size of such a file, in bytes.
const MAX_SETTINGS: u64 = 1 << 20;

/// The folders of templates of the vault at `root`, below it.
pub(super) fn template_folders(root: &Path) -> Vec<PathBuf> {
    SETTINGS.iter().filter_map(|(file, key)| template_folder(&root.join(file), key)).collect()
}

fn template_folder(file: &Path, key: &str) -> Option<PathBuf> {
    let is_small = std::fs::metadata(file).is_ok_and(|metadata| metadata.len() <= MAX_SETTINGS);
    let text = is_small.then(|| std::fs::read_to_string(file).ok())??;
    let settings: Value = serde_json::from_str(&text).ok()?;
    let folder = PathBuf::from(settings.get(key)?.as_str()?.trim_matches('/'));
    let is_below = folder.components().all(|part| matches!(part, Component::Normal(_)));
    (is_below && folder.file_name().is_some()).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_both_programs_are_read() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let file = root.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        assert!(template_folders(root.path()).is_empty());
        write(SETTINGS[0].0, "{\"folder\": \"Meta/Templates/\"}");
        write(SETTINGS[1].0, "{\"templates_folder\": \"T\", \"other\": 1}");
        assert_eq!(template_folders(root.path()), [PathBuf::from("Meta/Templates"), PathBuf::from("T")]);
        for wrong in ["{\"folder\": \"../x\"}", "{\"folder\": \"\"}", "{\"folder\": 1}", "no JSON"] {
            write(SETTINGS[0].0, wrong);
            assert_eq!(template_folders(root.path()), [PathBuf::from("T")], "{wrong}");
        }
    }
}
