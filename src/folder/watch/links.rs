//! Targets of links: the folders of files that are in the watched folder by a link are watched as well.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The links to each target, by the path that events will carry.
#[derive(Debug, Default)]
pub struct Targets(HashMap<PathBuf, BTreeSet<PathBuf>>);

impl Targets {
    /// Records the target of a link and returns the folder to watch. A target within `root` is recorded by its path there, since
    /// the kernel reports a folder under one name only.
    pub fn insert(&mut self, root: &Path, link: &Path) -> Option<PathBuf> {
        let target = link.canonicalize().ok().filter(|target| target.is_file())?;
        let target =
            match root.canonicalize().ok().and_then(|real| target.strip_prefix(real).map(Path::to_path_buf).ok()) {
                Some(below) => root.join(below),
                None => target,
            };
        let folder = target.parent()?.to_path_buf();
        self.0.entry(target).or_default().insert(link.to_path_buf());
        Some(folder)
    }

    /// Returns the links to a file.
    pub fn of(&self, target: &Path) -> Vec<PathBuf> {
        self.0.get(target).into_iter().flatten().cloned().collect()
    }

    /// Removes all targets; the next scan finds them again.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_by_the_path_in_an_event() {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().canonicalize().unwrap();
        let root = outside.join("root");
        std::fs::create_dir_all(root.join(".store")).unwrap();
        std::fs::write(outside.join("a.md"), "").unwrap();
        std::fs::write(root.join(".store/b.md"), "").unwrap();
        std::os::unix::fs::symlink(&root, outside.join("alias")).unwrap();
        let alias = outside.join("alias");
        let link = |name: &str, to: &Path| {
            std::os::unix::fs::symlink(to, root.join(name)).unwrap();
            alias.join(name)
        };
        let mut targets = Targets::default();
        let (a, b) = (link("a.md", &outside.join("a.md")), link("b.md", Path::new(".store/b.md")));
        assert_eq!(targets.insert(&alias, &a), Some(outside.clone()));
        assert_eq!(targets.insert(&alias, &b), Some(alias.join(".store")));
        assert_eq!(targets.insert(&alias, &link("c.md", Path::new("nowhere"))), None);
        assert_eq!(targets.of(&outside.join("a.md")), [a]);
        assert_eq!(targets.of(&alias.join(".store/b.md")), [b]);
    }
}
