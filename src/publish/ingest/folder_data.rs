//! Follows the files that hold data of articles. When one appears, changes or disappears, the articles that it is for are read again.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::deletions::DELETION_GRACE;
use super::problems::PublicState;
use super::step::{Trigger, WriteMoment};
use crate::article::Problem;
use crate::article::load::LoadError;
use crate::catalog::{self, Catalog};
use crate::folder::watch::QUIET;
use crate::folder::{ABOVE, BLOGROLL_FILE, DataFileKind, SETTINGS_FILE, Stat};
use crate::site::Site;

/// Maximum number of articles that are read again at once. More are marked, and a comparison of the folder has them read by all cores.
const FEW: usize = 200;

impl Ingest {
    /// Whether a file may hold data of articles.
    pub(super) fn is_data_file(&self, file: &Path) -> bool {
        self.folder.relative(file).is_some_and(|below| self.folder.data_file_kind(below).is_some())
    }

    /// Compares the files with data that a walk found with those that articles were read with. Returns whether the folder has to be compared
    /// again, since many articles are to be read.
    pub(super) fn compare_data(
        &mut self,
        catalog: &mut Catalog,
        found: &[PathBuf],
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let above = self.folder.data_files_above().into_iter().map(|(_, path)| path);
        let above: Vec<PathBuf> = above.filter(|path| self.folder.data_stat(path).is_some()).collect();
        let all: HashSet<&PathBuf> = found.iter().chain(&above).collect();
        let recorded = self.supervisor.data.recorded();
        let missing = recorded.iter().filter(|path| !all.contains(path));
        let differs = |path: &&PathBuf| {
            let read = self.data_files.read.get(*path);
            read.is_none() || read != self.folder.data_stat(path).as_ref()
        };
        let changed: Vec<PathBuf> = found.iter().chain(&above).filter(differs).chain(missing).cloned().collect();
        let must_reconcile = std::mem::take(&mut self.must_reconcile);
        catalog.transaction(|catalog| {
            for path in changed {
                self.beat();
                self.data_changed(catalog, &path, Trigger::FirstScan, moment)?;
            }
            Ok(())
        })?;
        Ok(std::mem::replace(&mut self.must_reconcile, must_reconcile))
    }

    /// Reads the file with data of articles at a path, if there is or was one. If it differs, the articles that it is for are read again.
    pub(super) fn data_changed(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let Some(kind) = self.folder.data_file_kind(path) else { return Ok(()) };
        // The event of its close follows.
        if self.open_files.has(&self.folder.root().join(path)) {
            return Ok(());
        }
        let data = self.supervisor.data.clone();
        let is_unknown = || data.recorded_hash(path).is_none() && !self.data_files.read.contains_key(path);
        if is_unknown() && !self.folder.is_data_file(path) {
            return Ok(());
        }
        let read = match data.read(path, kind) {
            Ok(read) => read,
            Err(LoadError::Gone | LoadError::NotAFile) => return self.data_vanished(catalog, path, kind, moment),
            Err(_) => {
                self.schedule.set(path.to_path_buf(), moment.instant + QUIET, trigger);
                return Ok(());
            }
        };
        // It may still be written: its articles are read with what is there, and again with the rest.
        if read.stat.until_quiet(moment.nanoseconds(), QUIET).is_some() && trigger.is_scan() {
            self.schedule.set(path.to_path_buf(), moment.instant + QUIET, trigger);
        }
        self.data_files.missing.retain(|missing| missing != path);
        self.data_files.read.insert(path.to_path_buf(), read.stat);
        if kind != DataFileKind::Section {
            self.report_data(path, read.stat, &read.data.problems);
        }
        if data.recorded_hash(path) == read.hash {
            return Ok(());
        }
        match read.hash {
            Some(hash) => data.record(path, hash),
            None => data.forget(path),
        }
        catalog.record_data(path, read.hash.as_ref())?;
        self.read_beneath_again(catalog, path, kind, moment)
    }

    /// Reports the problems of a file for others. If it only keeps articles from the public, that is what its writer wants.
    pub(super) fn report_data(&mut self, path: &Path, stat: Stat, problems: &[Problem]) {
        let path = path.to_path_buf();
        if !problems.is_empty() && problems.iter().all(|problem| problem.is_remark) {
            self.problems.leave_out(path, stat, problems, PublicState::HeldBack, None);
        } else {
            self.problems.set(path, stat, problems);
        }
    }

    /// Reports the problems of the settings in the watched folder.
    pub fn report_site(&mut self, site: &Site) {
        let path = PathBuf::from(SETTINGS_FILE);
        let stat = self.folder.stat(&path).unwrap_or_default();
        self.problems.set(path, stat, &site.problems);
        let path = PathBuf::from(BLOGROLL_FILE);
        let stat = self.folder.stat(&path).unwrap_or_default();
        self.problems.set(path, stat, site.blogroll_problem.as_slice());
    }

    /// Handles a file with data that is missing: for good, unless it was there a moment ago and may be saved again.
    fn data_vanished(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        kind: DataFileKind,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let was_missing = self.data_files.missing.iter().any(|missing| missing == path);
        self.data_files.missing.retain(|missing| missing != path);
        let is_away = self.mounts.hides(path) || !self.folder.is_there() || self.deletions.is_replaced(&self.folder);
        if is_away {
            return Ok(());
        }
        if !was_missing {
            self.data_files.missing.push(path.to_path_buf());
            self.schedule.set(path.to_path_buf(), moment.instant + DELETION_GRACE, Trigger::Closed);
            return Ok(());
        }
        self.data_files.read.remove(path);
        if kind != DataFileKind::Section {
            self.problems.clear(path);
        }
        let was_recorded = self.supervisor.data.recorded_hash(path).is_some();
        self.supervisor.data.forget(path);
        catalog.record_data(path, None)?;
        if was_recorded { self.read_beneath_again(catalog, path, kind, moment) } else { Ok(()) }
    }

    /// A new `index.md` may have made one page of its folder: then the other texts in it are no articles any more.
    pub(super) fn note_bundle(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        if trigger == Trigger::FirstScan || !self.supervisor.data.makes_bundle(path) {
            return Ok(());
        }
        self.read_beneath_again(catalog, path, DataFileKind::Folder, moment)
    }

    /// Has the articles read again that a file is for.
    fn read_beneath_again(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        kind: DataFileKind,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let prefix = prefix_of_articles(path, kind);
        let marked = catalog.read_again_below(&prefix)?;
        let left_out = self.problems.left_out_below(&prefix);
        if marked + left_out.len() > FEW {
            tracing::info!(path = %path.display(), articles = marked, "data of many articles has changed: reading them again");
            for path in &left_out {
                self.problems.read_file_again(path);
            }
            self.request_reconcile();
            return Ok(());
        }
        for article in catalog.known_with_prefix(&prefix)?.into_iter().chain(left_out) {
            if self.folder.format(&self.folder.root().join(&article)).is_some() {
                self.schedule.add(article, moment.instant, Trigger::Closed);
            }
        }
        Ok(())
    }
}

/// The bytes with which the paths of all articles begin that a file may be for.
fn prefix_of_articles(path: &Path, kind: DataFileKind) -> Vec<u8> {
    let folder = path.parent().unwrap_or(Path::new(""));
    if path.starts_with(ABOVE) {
        return Vec::new();
    }
    if kind != DataFileKind::Article {
        let folder = folder.as_os_str().as_bytes();
        return if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
    }
    let name = path.file_name().unwrap_or_default().as_bytes();
    let endings = [".11tydata", "."].map(str::as_bytes);
    let at = endings.iter().find_map(|ending| name.windows(ending.len()).rposition(|part| part == *ending));
    let stem = &name[..at.unwrap_or(name.len())];
    folder.join(std::ffi::OsStr::from_bytes(&[stem, b"."].concat())).into_os_string().as_encoded_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_articles_of_a_file_begin_with_its_name_or_its_folder() {
        for (path, kind, prefix) in [
            ("posts/posts.json", DataFileKind::Folder, "posts/"),
            ("_index.md", DataFileKind::Section, ""),
            ("../_config.yml", DataFileKind::JekyllConfig, ""),
            ("posts/one.meta", DataFileKind::Article, "posts/one."),
            ("posts/one.11tydata.json", DataFileKind::Article, "posts/one."),
            ("one.two.json", DataFileKind::Article, "one.two."),
        ] {
            assert_eq!(prefix_of_articles(Path::new(path), kind), prefix.as_bytes(), "{path}");
        }
    }
}
