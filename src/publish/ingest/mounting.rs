//! Decides whether the folder and which mounts in it are away, and reports them.

use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::mounts::{KEY, is_away};
use super::problems::PublicState;
use crate::article::Problem;
use crate::catalog::{self, Catalog};
use crate::folder::{MountState, Stat};
use crate::model::text;

/// Why the folder is away if it was a mount.
pub(super) const UNMOUNTED: &str = "it is empty, and nothing is mounted there";

impl Ingest {
    /// Remembers the mounts that a comparison found, and examines the others.
    pub(super) fn note_mounts(&mut self, catalog: &mut Catalog, present: &[PathBuf]) -> catalog::Result<()> {
        let before = self.mounts.text();
        let is_mount = self.folder.is_mount() || self.is_unmounted(catalog)?;
        self.mounts.set_root(is_mount);
        for mount in present.iter().filter_map(|mount| self.folder.relative(mount)) {
            self.mounts.add(mount);
        }
        self.examine_mounts();
        for mount in self.mounts.known() {
            if self.mounts.hides(&mount) && catalog.known_at_or_below(&mount)?.is_empty() {
                self.forget_mount(&mount);
            }
        }
        if self.mounts.text() == before { Ok(()) } else { catalog.set_meta(KEY, &self.mounts.text()) }
    }

    /// Whether the folder was a mount when it last held articles, and neither a mount nor other articles are in its place.
    pub(super) fn is_unmounted(&self, catalog: &Catalog) -> catalog::Result<bool> {
        let is_unmounted = self.mounts.has_root() && is_away(self.folder.mount_state(Path::new("")));
        Ok(is_unmounted && catalog.count()? > 0)
    }

    /// Records that the folder itself is away, and reports it once.
    pub(super) fn report_folder_away(&mut self, reason: &str) {
        let message = "the folder of articles is away; the feeds stay as they are until it is back";
        let (root, has_changed) = (self.folder.root(), self.deletions.mark_folder_away());
        if has_changed {
            tracing::error!(folder = text::path_line(root), reason, "{message}");
        }
        if has_changed || self.problems.of(root).is_none() {
            self.problems.list(root, &Problem::of_folder(format!("{message} ({reason})")));
        }
    }

    /// Records that the folder itself is there.
    pub(super) fn report_folder_present(&mut self) {
        let root = self.folder.root();
        if self.deletions.mark_folder_present() {
            tracing::info!(folder = text::path_line(root), "the folder of articles is back");
        }
        self.problems.clear(root);
    }

    /// Finds out which mounts are away.
    pub(super) fn examine_mounts(&mut self) {
        for mount in self.mounts.known() {
            let state = self.folder.mount_state(&mount);
            let is_away = is_away(state);
            let has_changed = self.mounts.set_away(&mount, is_away);
            if is_away && (has_changed || self.problems.of(&mount).is_none()) {
                let problem = Problem::of_folder(
                    "nothing is mounted here: its articles stay as they are; mount it again, or add the folder to \
                     articles.exclude to delete them",
                );
                self.problems.leave_out(mount.clone(), Stat::default(), &[problem], PublicState::Published, None);
            } else if has_changed {
                tracing::info!(path = %mount.display(), "the folder is there again");
                self.problems.clear(&mount);
            }
            if state == MountState::Inhabited {
                self.forget_mount(&mount);
            }
        }
    }

    fn forget_mount(&mut self, mount: &Path) {
        self.mounts.forget(mount);
        self.problems.clear(mount);
    }

    /// Whether an article stays although its file is missing: its mount is away. An article that is excluded by now does not stay.
    pub(super) fn is_hidden_by_mount(&self, path: &Path) -> bool {
        self.mounts.hides(path) && self.folder.format(&self.folder.root().join(path)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use crate::publish::ingest::content::tests::Site;

    fn is_listed(site: &Site) -> bool {
        site.problems(&site.file("").display().to_string()).iter().any(|line| line.contains("nothing is mounted there"))
    }

    /// A site whose folder was a mount with an article, and is an empty folder now.
    fn unmounted_site() -> Site {
        let mut site = Site::new();
        site.write("a.md", "# A\n\nText");
        site.compare_all();
        assert!(!site.ingest().mounts.has_root(), "it is a folder of a larger disk");
        site.ingest().mounts.set_root(true);
        site.remove_for_good("a.md");
        site
    }

    #[test]
    fn a_folder_that_is_a_mount_no_longer_keeps_its_articles() {
        let mut site = unmounted_site();
        for _ in 0..2 {
            assert!(site.public("a.md").is_some() && site.ingest().is_folder_away() && is_listed(&site));
            site.compare_all();
        }
        // Everything is as before once the article is there again, and the folder is no mount any more.
        site.put("a.md", "# A\n\nText");
        site.compare_all();
        assert!(!site.ingest().is_folder_away() && !is_listed(&site) && !site.ingest().mounts.has_root());
        site.remove_for_good("a.md");
        assert!(site.public("a.md").is_none());
    }

    #[test]
    fn other_articles_in_the_place_of_the_mount_give_it_up() {
        let mut site = unmounted_site();
        site.put("other.md", "# Other\n\nText");
        site.compare_all();
        site.wait();
        assert!(site.public("other.md").is_some() && site.public("a.md").is_none());
        assert!(!site.ingest().mounts.has_root() && !is_listed(&site));
    }

    #[test]
    fn a_mount_without_articles_is_forgotten() {
        let mut site = Site::new();
        site.ingest().mounts.set_root(true);
        site.compare_all();
        assert!(!site.ingest().is_folder_away() && !site.ingest().mounts.has_root());
    }
}
