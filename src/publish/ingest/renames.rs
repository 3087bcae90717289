//! Who a file is after it was given another name: hints of renames come late, after what they tell of can be seen, and may be
//! about files that are elsewhere again by then.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{DELETION_GRACE, Ingest, Moment, Seen};
use crate::catalog::{self, Catalog, Known, OwnName, Recorded};
use crate::folder::{Found, Stat};

/// How long a hint may take from the watch to here.
const HINT_DELAY: Duration = Duration::from_secs(5);
/// How long one is waited for before what is seen is believed.
const HINT_PATIENCE: Duration = Duration::from_millis(50);

/// What is remembered of renames until all of it is known.
#[derive(Debug, Default)]
pub struct Renames {
    /// Files that were given a name which is no article's, and the name that they had.
    aside: HashMap<PathBuf, PathBuf>,
    /// Renames that were found out before their hint: from, to, and how long the hint may take.
    foreseen: Vec<(PathBuf, PathBuf, Instant)>,
    /// Files in another article's place, until the hint comes that says how they got there.
    awaited: HashSet<PathBuf>,
}

/// More than this is not remembered of names that files had before; what is forgotten is found out by content.
const MOST_ASIDE: usize = 10_000;

impl Renames {
    /// Forgets hints that did not come.
    pub fn forget_old(&mut self, now: Instant) {
        self.foreseen.retain(|(_, _, until)| *until > now);
        if self.aside.len() > MOST_ASIDE {
            self.aside.clear();
        }
        if self.awaited.len() > MOST_ASIDE {
            self.awaited.clear();
        }
    }

    /// The article that was at a path is no more.
    pub fn forget(&mut self, path: &Path) {
        self.aside.retain(|aside, origin| *aside != path && *origin != path);
    }
}

impl Ingest {
    /// Follows a rename, even to a place that is no more: the next rename may lead on from there.
    pub(super) fn moved(
        &mut self,
        catalog: &mut Catalog,
        from: &Path,
        to: &Path,
        moment: Moment,
    ) -> catalog::Result<bool> {
        let (Some(from), Some(to)) = (self.folder.relative(from), self.folder.relative(to)) else { return Ok(false) };
        if self.was_foreseen(from, to, moment) {
            return Ok(false);
        }
        if let Some(origin) = self.renames.aside.remove(from) {
            return self.came_back(catalog, &origin, from, to, moment);
        }
        let mut changed = false;
        for old in catalog.known_at_or_below(from)? {
            let (new, own_name) = match old.strip_prefix(from) {
                Ok(rest) if !rest.as_os_str().is_empty() => (to.join(rest), OwnName::Kept),
                _ => (to.to_path_buf(), OwnName::Changed),
            };
            changed |= self.moved_one(catalog, old, new, own_name, moment)?;
        }
        // Files that articles refer to may have moved along, away from them or to them.
        self.media_changed(catalog, from, moment)?;
        self.media_changed(catalog, to, moment)?;
        Ok(changed)
    }

    fn moved_one(
        &mut self,
        catalog: &mut Catalog,
        old: PathBuf,
        new: PathBuf,
        own_name: OwnName,
        moment: Moment,
    ) -> catalog::Result<bool> {
        // Under a name that is no article's it is missing, unless it comes back.
        if self.folder.format(&self.folder.root().join(&new)).is_none() {
            self.missing.entry(old.clone()).or_insert(moment.instant + DELETION_GRACE);
            self.renames.aside.insert(new, old);
            return Ok(false);
        }
        let now_at_old = Found::at(&self.folder.root().join(&old)).map(|found| found.stat.file_only());
        let is_at_old = |known: &Known| known.stat.born != 0 && now_at_old == Some(known.stat.file_only());
        // It moved back meanwhile, or never was the one that moved.
        if catalog.known(&old)?.as_ref().is_some_and(is_at_old) {
            return Ok(false);
        }
        let other = catalog.known(&new)?;
        if other.as_ref().is_some_and(is_at_old) {
            self.exchange(catalog, &old, &new, moment)?;
            return Ok(false);
        }
        // Whatever was here has stepped aside, and keeps no claim to its old place.
        let aside = self.renames.aside.iter().find(|(_, origin)| **origin == new).map(|(aside, _)| aside.clone());
        if let Some(aside) = aside.filter(|_| other.is_some() && self.missing.contains_key(&new)) {
            catalog.rename(&new, &aside, OwnName::Kept, moment.version)?;
            let deadline = self.missing.remove(&new).unwrap_or(moment.instant + DELETION_GRACE);
            self.missing.insert(aside, deadline);
        }
        let deadline = self.missing.remove(&old);
        let replaces = catalog.known(&new)?.is_some();
        let recorded = catalog.rename(&old, &new, own_name, moment.version)?;
        // The addresses of the files beside it changed with its own, and perhaps nobody will look at it.
        if own_name == OwnName::Kept && catalog.known(&new)?.is_some_and(|known| known.stale) {
            self.later.insert(new.clone(), (moment.instant, Seen::Finished));
        }
        if let Some(deadline) = deadline.filter(|_| !replaces) {
            // It may have been deleted before its folder was renamed; if it is there, looking at it will show.
            self.missing.insert(new, deadline);
        }
        Ok(recorded == Recorded::Changed)
    }

    pub(super) fn exchanged(
        &mut self,
        catalog: &mut Catalog,
        one: &Path,
        other: &Path,
        moment: Moment,
    ) -> catalog::Result<()> {
        let (Some(one), Some(other)) = (self.folder.relative(one), self.folder.relative(other)) else { return Ok(()) };
        let there = self.was_foreseen(one, other, moment);
        let back = self.was_foreseen(other, one, moment);
        if there || back { Ok(()) } else { self.exchange(catalog, one, other, moment) }
    }

    fn exchange(&mut self, catalog: &mut Catalog, one: &Path, other: &Path, moment: Moment) -> catalog::Result<()> {
        catalog.exchange(one, other)?;
        // However it came about, by one step or by way of a third name: both are where they belong.
        self.renames.aside.retain(|_, origin| *origin != one && *origin != other);
        self.missing.remove(one);
        self.missing.remove(other);
        self.foresee(other, one, moment);
        Ok(())
    }

    /// A file may be seen under its new name before the hint that tells of its rename. Which file it is says who it is. Says
    /// whether something that is served has changed, or nothing where it is to be looked at again once the hint has come.
    pub(super) fn moved_unseen(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        stat: Stat,
        seen: Seen,
        moment: Moment,
    ) -> catalog::Result<Option<bool>> {
        let here = catalog.known(path)?;
        if here.as_ref().is_some_and(|known| known.stat.file_only() == stat.file_only()) {
            self.renames.awaited.remove(path);
            return Ok(Some(false));
        }
        let Some(holder) = catalog.path_of_file(stat)?.filter(|holder| holder != path) else {
            return Ok(Some(false));
        };
        // Where another article was, only the hint says whether the two have changed places.
        if here.is_some() && seen == Seen::Finished && self.renames.awaited.insert(path.to_path_buf()) {
            self.later.insert(path.to_path_buf(), (moment.instant + HINT_PATIENCE, seen));
            return Ok(None);
        }
        self.renames.awaited.remove(path);
        self.foresee(&holder, path, moment);
        self.moved_one(catalog, holder, path.to_path_buf(), OwnName::Changed, moment).map(Some)
    }

    fn was_foreseen(&mut self, from: &Path, to: &Path, moment: Moment) -> bool {
        self.renames.foreseen.retain(|(_, _, until)| *until > moment.instant);
        let hint = self.renames.foreseen.iter().position(|hint| (hint.0.as_path(), hint.1.as_path()) == (from, to));
        hint.map(|hint| self.renames.foreseen.swap_remove(hint)).is_some()
    }

    /// The hint of a rename that was found out already must not be followed again: another article may be there by then.
    fn foresee(&mut self, from: &Path, to: &Path, moment: Moment) {
        self.renames.foreseen.push((from.to_path_buf(), to.to_path_buf(), moment.instant + HINT_DELAY));
    }

    /// A file that had been given a name that is no article's has a name again: it is still the one that it was, unless
    /// another file has taken its place (as where an editor keeps the old version as a backup).
    fn came_back(
        &mut self,
        catalog: &mut Catalog,
        origin: &Path,
        from: &Path,
        to: &Path,
        moment: Moment,
    ) -> catalog::Result<bool> {
        let row = if catalog.known(from)?.is_some() { from } else { origin };
        if !self.missing.contains_key(row) {
            return Ok(false);
        }
        self.moved_one(catalog, row.to_path_buf(), to.to_path_buf(), OwnName::Changed, moment)
    }
}
