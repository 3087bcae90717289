//! Who a file is after it was given another name: hints of renames come late, after what they tell of can be seen, and may be
//! about files that are elsewhere again by then.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{DELETION_GRACE, Ingest, Trigger, WriteMoment};
use crate::catalog::{self, Catalog, Known, OwnName, Recorded};
use crate::folder::{Found, Stat};

/// How long a hint may take from the watch to here.
const HINT_DELAY: Duration = Duration::from_secs(5);
/// How long one is waited for before what is seen is believed; a machine may be busy with much else.
const HINT_PATIENCE: Duration = Duration::from_millis(500);

/// What is remembered of renames until all of it is known.
#[derive(Debug, Default)]
pub struct Renames {
    /// Files that were given a name which is no article's, and the name that they had.
    aside: HashMap<PathBuf, PathBuf>,
    /// Renames that were found out before their hint: from, to, and how long the hint may take.
    foreseen: Vec<(PathBuf, PathBuf, Instant)>,
    /// By path, the file that an article had before another was found in its place, and how long a hint may take that tells of
    /// its rename.
    former: HashMap<PathBuf, (Stat, Instant)>,
}

/// More than this is not remembered of names that files had before; what is forgotten is found out by content.
const MOST_ASIDE: usize = 10_000;

impl Renames {
    /// Forgets hints that did not come.
    pub fn forget_old(&mut self, now: Instant) {
        self.foreseen.retain(|(_, _, until)| *until > now);
        self.former.retain(|_, (_, until)| *until > now);
        if self.aside.len() > MOST_ASIDE {
            self.aside.clear();
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
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let (Some(from), Some(to)) = (self.folder.relative(from), self.folder.relative(to)) else { return Ok(false) };
        if self.was_foreseen(from, to, moment) {
            return Ok(false);
        }
        if let Some(origin) = self.renames.aside.remove(from) {
            return self.came_back(catalog, &origin, from, to, moment);
        }
        let mut changed = false;
        let moved = catalog.known_at_or_below(from)?;
        // Its article may be given the same name next.
        if moved.is_empty() && self.left_out.get(from).is_some_and(|left_out| left_out.twin_of.is_some()) {
            self.renamed.insert(to.to_path_buf(), moment.instant + DELETION_GRACE);
        }
        // An article that came and went before anybody looked is one all the same; unlike what a program saves by way of a
        // name of its own.
        if moved.is_empty() && self.folder.format(&self.folder.root().join(from)).is_some() {
            self.step_aside(catalog, to, moment)?;
        }
        for old in moved {
            let (new, own_name) = match old.strip_prefix(from) {
                Ok(rest) if !rest.as_os_str().is_empty() => (to.join(rest), OwnName::Kept),
                _ => (to.to_path_buf(), OwnName::Changed),
            };
            changed |= self.moved_one(catalog, old, new, own_name, moment)?;
        }
        self.look_at_recordings_of(from, moment);
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
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        // Under a name that is no article's it is missing, unless it comes back.
        if self.folder.format(&self.folder.root().join(&new)).is_none() {
            self.missing.entry(old.clone()).or_insert(moment.instant + DELETION_GRACE);
            self.renames.aside.insert(new, old);
            return Ok(false);
        }
        let now_at_old = Found::at(&self.folder.root().join(&old)).map(|found| found.stat.file_only());
        let is_at_old = |known: &Known| known.stat.born != 0 && now_at_old == Some(known.stat.file_only());
        if catalog.known(&old)?.as_ref().is_some_and(is_at_old) {
            let Some(former) = self.was_overtaken(&old, &new) else {
                // It moved back meanwhile, or never was the one that moved.
                return Ok(false);
            };
            catalog.touch(&old, former)?;
        }
        let other = catalog.known(&new)?;
        if other.as_ref().is_some_and(is_at_old) {
            self.exchange(catalog, &old, &new, moment)?;
            return Ok(false);
        }
        if other.is_some() {
            self.step_aside(catalog, &new, moment)?;
        }
        let deadline = self.missing.remove(&old);
        let replaces = catalog.known(&new)?.is_some();
        let recorded = catalog.rename(&old, &new, own_name, moment.version)?;
        self.look_at_recordings_of(&old, moment);
        // The addresses of the files beside it changed with its own, and perhaps nobody will look at it.
        if own_name == OwnName::Kept && catalog.known(&new)?.is_some_and(|known| known.stale) {
            self.later.insert(new.clone(), (moment.instant, Trigger::Finished));
        }
        // It may have been deleted before its folder was renamed; if it is there, looking at it will show.
        let is_lost = self.folder.has_lost(&self.folder.root().join(&new));
        if !replaces && (deadline.is_some() || is_lost) {
            self.missing.insert(new, deadline.unwrap_or(moment.instant + DELETION_GRACE));
        }
        Ok(recorded == Recorded::Changed)
    }

    /// What was at an old name was taken for a new version of an article whose file is at the new one: its file.
    fn was_overtaken(&mut self, old: &Path, new: &Path) -> Option<Stat> {
        let (former, _) = self.renames.former.remove(old)?;
        let now_at_new = Found::at(&self.folder.root().join(new)).map(|found| found.stat.file_only());
        (now_at_new == Some(former)).then_some(former)
    }

    /// Another file was found in an article's place. Mostly a program saved it so.
    pub(super) fn replaced(&mut self, path: &Path, known: &Known, stat: Stat, moment: WriteMoment) {
        if known.stat.born != 0 && known.stat.file_only() != stat.file_only() {
            self.renames.former.insert(path.to_path_buf(), (known.stat.file_only(), moment.instant + HINT_DELAY));
        }
    }

    /// The article that had a place before another came to it keeps no claim to the place, if it is known to have been given a
    /// name which is no article's.
    fn step_aside(&mut self, catalog: &mut Catalog, place: &Path, moment: WriteMoment) -> catalog::Result<()> {
        let aside = self.renames.aside.iter().find(|(_, origin)| *origin == place).map(|(aside, _)| aside.clone());
        if let Some(aside) = aside.filter(|_| self.missing.contains_key(place)) {
            catalog.rename(place, &aside, OwnName::Kept, moment.version)?;
            let deadline = self.missing.remove(place).unwrap_or(moment.instant + DELETION_GRACE);
            self.missing.insert(aside, deadline);
        }
        Ok(())
    }

    pub(super) fn exchanged(
        &mut self,
        catalog: &mut Catalog,
        one: &Path,
        other: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let (Some(one), Some(other)) = (self.folder.relative(one), self.folder.relative(other)) else { return Ok(()) };
        let there = self.was_foreseen(one, other, moment);
        let back = self.was_foreseen(other, one, moment);
        if there || back { Ok(()) } else { self.exchange(catalog, one, other, moment) }
    }

    fn exchange(
        &mut self,
        catalog: &mut Catalog,
        one: &Path,
        other: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        catalog.exchange(one, other)?;
        // Where a file was read before anybody knew of the exchange, that it is in the other place is no rename any more.
        for (path, elsewhere) in [(one, other), (other, one)] {
            let there = Found::at(&self.folder.root().join(elsewhere)).map(|found| found.stat.file_only());
            if catalog.known(path)?.is_some_and(|known| Some(known.stat.file_only()) == there) {
                catalog.touch(path, Stat::default())?;
            }
        }
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
        seen: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<Option<bool>> {
        let here = catalog.known(path)?;
        if here.as_ref().is_some_and(|known| known.stat.file_only() == stat.file_only()) {
            return Ok(Some(false));
        }
        let Some(holder) = catalog.path_of_file(stat)?.filter(|holder| holder != path) else {
            return Ok(Some(false));
        };
        // Where another article was, only the hint says whether the two have changed places.
        // However often it is looked at meanwhile, and however late: the hint may stand right behind this one.
        if here.is_some() && seen == Trigger::Finished {
            let wait = (moment.instant + HINT_PATIENCE, Trigger::Awaited);
            let later = self.later.entry(path.to_path_buf()).or_insert(wait);
            *later = if later.1 == Trigger::Awaited { *later } else { wait };
            return Ok(None);
        }
        self.foresee(&holder, path, moment);
        self.moved_one(catalog, holder, path.to_path_buf(), OwnName::Changed, moment).map(Some)
    }

    fn was_foreseen(&mut self, from: &Path, to: &Path, moment: WriteMoment) -> bool {
        self.renames.foreseen.retain(|(_, _, until)| *until > moment.instant);
        let hint = self.renames.foreseen.iter().position(|hint| (hint.0.as_path(), hint.1.as_path()) == (from, to));
        hint.map(|hint| self.renames.foreseen.swap_remove(hint)).is_some()
    }

    /// The hint of a rename that was found out already must not be followed again: another article may be there by then.
    fn foresee(&mut self, from: &Path, to: &Path, moment: WriteMoment) {
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
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let row = if catalog.known(from)?.is_some() { from } else { origin };
        if !self.missing.contains_key(row) {
            return Ok(false);
        }
        self.moved_one(catalog, row.to_path_buf(), to.to_path_buf(), OwnName::Changed, moment)
    }
}
