//! Decides which mounts are away, and reports them.

use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::mounts::{KEY, is_away};
use crate::article::Problem;
use crate::catalog::{self, Catalog};
use crate::folder::{MountState, Stat};

impl Ingest {
    /// Remembers the mounts that a comparison found, and examines the others.
    pub(super) fn note_mounts(&mut self, catalog: &mut Catalog, present: &[PathBuf]) -> catalog::Result<()> {
        let before = self.mounts.text();
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

    /// Finds out which mounts are away.
    pub(super) fn examine_mounts(&mut self) {
        for mount in self.mounts.known() {
            let state = self.folder.mount_state(&mount);
            let is_away = is_away(state);
            let has_changed = self.mounts.set_away(&mount, is_away);
            if is_away && (has_changed || self.problems.of(&mount).is_none()) {
                let problem = Problem::of_file(
                    "nothing is mounted here: its articles stay as they are; mount it again, or add the folder to \
                     articles.exclude to delete them",
                );
                self.problems.leave_out(mount.clone(), Stat::default(), &[problem], None);
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
