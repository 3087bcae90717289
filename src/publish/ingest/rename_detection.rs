//! Renames: determines which article a renamed file is.
//!
//! A rename is visible in the folder before its hint arrives, and by then the file may have moved again. So hints are processed strictly
//! in order, and an observation without a hint waits for a fence (`fences.rs`). Only the first scan does not wait: there, the inode and
//! the birth time identify the article, and the hint that arrives later is ignored. An article whose file is elsewhere gives way
//! (`places.rs`).

use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::deletions::DELETION_GRACE;
use super::describing_authors::author_of;
use super::remembered_renames::{Evidence, Whereabouts};
use super::step::{Trigger, WriteMoment};
use crate::article::page::is_in_pages;
use crate::catalog::{self, Catalog, Known, OwnName, Recorded};
use crate::folder::Stat;

impl Ingest {
    /// Applies a rename, even to a path that no longer exists: the next rename may start there.
    pub(super) fn apply_rename(
        &mut self,
        catalog: &mut Catalog,
        from: &Path,
        to: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let (Some(from), Some(to)) = (self.folder.relative(from), self.folder.relative(to)) else { return Ok(false) };
        self.fences.defer_again(from, moment.instant);
        self.fences.defer_again(to, moment.instant);
        if self.renames.was_foreseen(from, to) {
            return Ok(false);
        }
        if let Some(origin) = self.renames.take_aside(from) {
            return self.restore_from_aside(catalog, &origin, from, to, moment);
        }
        let mut changed = false;
        let moved = catalog.known_at_or_below(from)?;
        let is_article = self.folder.format(&self.folder.root().join(from)).is_some();
        if is_article || !moved.is_empty() {
            self.renames.note_hint(moment.instant);
        }
        // `from` was left out because of an article, which may be renamed in the same way next.
        if moved.is_empty() && self.problems.of(from).is_some_and(|left_out| left_out.twin.is_some()) {
            self.recordings.expect_article(to.to_path_buf(), moment.instant + DELETION_GRACE);
        }
        // A file with an article's name counts as an article even if it was never read; a program's temporary file does not.
        if moved.is_empty() && is_article {
            self.move_aside(catalog, to, moment)?;
        }
        for old in moved {
            let (new, own_name) = match old.strip_prefix(from) {
                Ok(rest) if !rest.as_os_str().is_empty() => (to.join(rest), OwnName::Kept),
                _ => (to.to_path_buf(), OwnName::Changed),
            };
            changed |= self.apply_rename_of(catalog, old, new, own_name, Evidence::Hint, moment)?;
        }
        self.schedule_recordings_of(from, moment);
        // The rename may have moved media files that articles refer to, away from these articles or next to them.
        self.media_changed(catalog, from, moment)?;
        self.media_changed(catalog, to, moment)?;
        Ok(changed)
    }

    pub(super) fn apply_rename_of(
        &mut self,
        catalog: &mut Catalog,
        old: PathBuf,
        new: PathBuf,
        own_name: OwnName,
        evidence: Evidence,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        // Under a name that no article can have, the article is missing unless it is renamed again.
        if self.folder.format(&self.folder.root().join(&new)).is_none() {
            self.deletions.add(old.clone(), moment.instant);
            self.renames.set_aside(new, old);
            return Ok(false);
        }
        let now_at_old = self.folder.stat(&old).map(Stat::file_only);
        let is_at_old = |known: &Known| known.stat.born != 0 && now_at_old == Some(known.stat.file_only());
        if catalog.known(&old)?.as_ref().is_some_and(is_at_old) {
            match self.overtaken_file(&old, &new) {
                Some(former) => catalog.touch(&old, former)?,
                // The file has two names, or the hint is older than what the first scan found.
                None if evidence == Evidence::File || self.renames.is_inferred(&old) => return Ok(false),
                // It was renamed back; a later hint will report that.
                None => {}
            }
        }
        self.move_aside(catalog, &new, moment)?;
        if evidence == Evidence::File && catalog.known(&new)?.as_ref().is_some_and(is_at_old) {
            let changed = self.exchange(catalog, &old, &new, moment)?;
            self.foresee(&new, &old, moment);
            return Ok(changed);
        }
        // The article there was renamed, too: it changes places with this one until its file is processed.
        let is_elsewhere = |known: &Known| {
            let is_unprocessed = evidence == Evidence::File && self.renames.is_unprocessed(known.stat);
            is_unprocessed || self.whereabouts(known) != Whereabouts::Recorded
        };
        if catalog.known(&new)?.as_ref().is_some_and(is_elsewhere) {
            return self.exchange(catalog, &old, &new, moment);
        }
        let deadline = self.deletions.cancel(&old);
        let replaces = catalog.known(&new)?.is_some();
        // A move into a folder of drafts withdraws an article, and a move out of it publishes one: it is read again. So may other
        // data of the two folders, and those of pages and of authors make something else of it.
        let changes_state = self.folder.draft_folder(&old).is_some() != self.folder.draft_folder(&new).is_some()
            || is_in_pages(&old) != is_in_pages(&new)
            || author_of(&old) != author_of(&new)
            || self.supervisor.data.concerns(&old)
            || self.supervisor.data.concerns(&new);
        let name_to_read = if changes_state { OwnName::Changed } else { own_name };
        let recorded = catalog.rename(&old, &new, name_to_read, moment.version)?;
        self.schedule_recordings_of(&old, moment);
        self.problems.follow_rename(&old, &new);
        // Its media files have new addresses now, and there may be no further hint for the article.
        if own_name == OwnName::Kept && catalog.known(&new)?.is_some_and(|known| known.stale) {
            self.schedule.set(new.clone(), moment.instant, Trigger::Closed);
        }
        // The file may have been deleted before its folder was renamed. If it still exists, processing it cancels the deletion.
        let is_lost = self.folder.has_lost(&self.folder.root().join(&new));
        if !replaces && (deadline.is_some() || is_lost) {
            // From now on, the article is missing at the new path.
            let deadline = deadline.unwrap_or(moment.instant + DELETION_GRACE).max(moment.instant);
            self.deletions.add_until(new, deadline);
        }
        Ok(recorded == Recorded::Changed)
    }

    /// Returns the stat of the article's own file if the first scan took another file at `old` for a new version of the article, and the
    /// article's own file is now at `new`.
    fn overtaken_file(&mut self, old: &Path, new: &Path) -> Option<Stat> {
        let former = self.renames.take_former(old)?;
        let now_at_new = self.folder.stat(new).map(Stat::file_only);
        (now_at_new == Some(former)).then_some(former)
    }

    /// Notes that another file was found at an article's path. Usually a program has saved the article by replacing its file.
    pub(super) fn note_replaced_file(
        &mut self,
        path: &Path,
        known: &Known,
        stat: Stat,
        trigger: Trigger,
        moment: WriteMoment,
    ) {
        let is_other = known.stat.born != 0 && known.stat.file_only() != stat.file_only();
        if trigger != Trigger::FencePassed && is_other {
            let fence = self.fences.next(moment.instant);
            self.renames.note_former(path, known.stat.file_only(), fence);
        }
    }

    /// Makes room for another file at the path of an article that was renamed to a name no article can have: the article keeps that
    /// name.
    fn move_aside(&mut self, catalog: &mut Catalog, place: &Path, moment: WriteMoment) -> catalog::Result<()> {
        let aside = self.renames.aside_of(place).cloned();
        if let Some(aside) = aside.filter(|_| self.deletions.is_missing(place)) {
            catalog.rename(place, &aside, OwnName::Kept, moment.version)?;
            let deadline = self.deletions.cancel(place).unwrap_or(moment.instant + DELETION_GRACE);
            self.deletions.add_until(aside, deadline.max(moment.instant));
        }
        Ok(())
    }

    /// Returns whether anything that is served has changed.
    pub(super) fn apply_exchange(
        &mut self,
        catalog: &mut Catalog,
        one: &Path,
        other: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let (Some(one), Some(other)) = (self.folder.relative(one), self.folder.relative(other)) else {
            return Ok(false);
        };
        self.renames.note_hint(moment.instant);
        self.fences.defer_again(one, moment.instant);
        self.fences.defer_again(other, moment.instant);
        let is_foreseen = self.renames.was_foreseen(one, other);
        let is_foreseen_reversed = self.renames.was_foreseen(other, one);
        if is_foreseen || is_foreseen_reversed { Ok(false) } else { self.exchange(catalog, one, other, moment) }
    }

    fn exchange(
        &mut self,
        catalog: &mut Catalog,
        one: &Path,
        other: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let recorded = catalog.exchange(one, other, moment.version)?;
        self.problems.note_change();
        // A file that was read before the exchange was known is recorded correctly already; it must not look like another rename.
        for (path, elsewhere) in [(one, other), (other, one)] {
            let stat_elsewhere = self.folder.stat(elsewhere).map(Stat::file_only);
            if catalog.known(path)?.is_some_and(|known| Some(known.stat.file_only()) == stat_elsewhere) {
                catalog.touch(path, Stat::default())?;
            }
        }
        // Both files are at their final paths, whether exchanged in one step or by way of a third name.
        self.renames.settle([one, other]);
        self.deletions.cancel(one);
        self.deletions.cancel(other);
        Ok(recorded == Recorded::Changed)
    }

    /// Applies the rename of a file that was found at a path where the catalog has another file or none. Returns whether anything that
    /// is served has changed; `None` if the file will be processed again after all pending hints.
    pub(super) fn detect_rename(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        stat: Stat,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<Option<bool>> {
        let here = catalog.known(path)?;
        if here.as_ref().is_some_and(|known| known.stat.file_only() == stat.file_only()) {
            self.renames.forget_place(stat);
            return Ok(Some(false));
        }
        let holder = catalog.path_of_file(stat)?.filter(|holder| holder != path);
        match &holder {
            Some(_) => self.renames.set_place(stat, path),
            None => self.renames.forget_place(stat),
        }
        let is_decided = matches!(trigger, Trigger::FirstScan | Trigger::FencePassed);
        let is_doubtful = here.is_some() || holder.is_some() || self.renames.is_busy(moment.instant);
        if is_doubtful && !is_decided && self.fences.defer(path, stat, trigger, moment.instant) {
            return Ok(None);
        }
        let Some(mut changed) = self.give_way(catalog, path, (stat, holder.as_deref()), trigger, moment)? else {
            return Ok(None);
        };
        // An article that has given way may have been in this one's.
        let Some(holder) = catalog.path_of_file(stat)?.filter(|holder| holder != path) else {
            return Ok(Some(changed));
        };
        if trigger != Trigger::FencePassed {
            self.foresee(&holder, path, moment);
            let fence = self.fences.next(moment.instant);
            self.renames.infer(path, fence);
        }
        changed |=
            self.apply_rename_of(catalog, holder, path.to_path_buf(), OwnName::Changed, Evidence::File, moment)?;
        self.renames.forget_place(stat);
        Ok(Some(changed))
    }

    /// Notes a rename that was found before its hint. The hint must be ignored, because another article may be at that path by then.
    pub(super) fn foresee(&mut self, from: &Path, to: &Path, moment: WriteMoment) {
        let fence = self.fences.next(moment.instant);
        self.renames.foresee(from, to, fence);
    }

    /// Handles a file that gets an article's name back. It is the same article as before, unless another file has taken its path, as
    /// when an editor keeps the old version as a backup.
    fn restore_from_aside(
        &mut self,
        catalog: &mut Catalog,
        origin: &Path,
        from: &Path,
        to: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let recorded_path = if catalog.known(from)?.is_some() { from } else { origin };
        if !self.deletions.is_missing(recorded_path) {
            return Ok(false);
        }
        self.apply_rename_of(
            catalog,
            recorded_path.to_path_buf(),
            to.to_path_buf(),
            OwnName::Changed,
            Evidence::Hint,
            moment,
        )
    }

    /// Reads files whose article can be determined now: only so many that changes need not wait for long. Returns whether anything that
    /// is served has changed.
    pub(super) fn process_deferred(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        if !self.fences.has_deferred() {
            return Ok(false);
        }
        let (mut changed, slice) = (false, self.begin_slice());
        self.begin_round(catalog)?;
        self.renames.set_unprocessed(self.fences.deferred_files());
        while let Some((path, stat, trigger)) = self.fences.take_next() {
            self.renames.set_processed(stat);
            let is_new = catalog.path_of_file(stat)?.is_none();
            let own = if is_new { catalog.known(&path)? } else { None };
            if own.is_some_and(|known| self.renames.is_unprocessed(known.stat))
                && self.fences.defer(&path, stat, trigger, moment.instant)
            {
                continue;
            }
            let file = self.folder.root().join(&path);
            // If another file has appeared at the path, its hints may still be on the way.
            let is_same = self.folder.stat(&path).is_some_and(|found| found.file_only() == stat);
            changed |=
                self.process_path(catalog, &file, if is_same { Trigger::FencePassed } else { trigger }, moment)?;
            if slice.is_over() {
                break;
            }
        }
        self.renames.set_unprocessed([]);
        Ok(changed)
    }

    /// Begins to decide about the files that are ready, if those before have been decided. Files of known articles come first: a new file
    /// at the old path of one must not be taken for its new version.
    fn begin_round(&mut self, catalog: &Catalog) -> catalog::Result<()> {
        let mut known = Vec::new();
        let mut new = Vec::new();
        for (path, stat) in self.fences.begin_round() {
            let files = if catalog.path_of_file(stat)?.is_some() { &mut known } else { &mut new };
            files.push(path);
        }
        if !known.is_empty() || !new.is_empty() {
            self.fences.set_round(known.into_iter().chain(new));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};
    use std::fmt::Write as _;
    use std::time::Duration;

    use crate::change::Change;
    use crate::folder::watch::Fence;
    use crate::model::entry::ArticleId;
    use crate::publish::ingest::content::tests::Site;

    /// Number of operations between two rests, and number of rests.
    const OPERATIONS: usize = 30;
    const RESTS: usize = 2;

    /// A reproducible source of random choices (xorshift).
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).unwrap() % limit
        }
    }

    /// A folder that changes, and a writer that gets the hints late: by then, the folder may be several steps ahead.
    struct Lag {
        site: Site,
        random: Random,
        /// Hints that have not been delivered yet.
        hints: VecDeque<Change>,
        fence: Fence,
        raised: u64,
        /// How long hints have been waiting, in milliseconds.
        behind: u64,
        /// The article number and the edition of each file, by path.
        files: BTreeMap<String, (usize, usize)>,
        folders: Vec<String>,
        next: usize,
        ids: BTreeMap<usize, ArticleId>,
        /// An edit writes into the file instead of replacing it.
        keeps_files: bool,
        /// Number of steps in which all that waits is decided.
        steps_for_rest: usize,
        log: String,
    }

    impl Lag {
        fn new(seed: u64) -> Self {
            let mut site = Site::new();
            // Every other writer decides about one file in each step, and may get hints before the next one.
            let is_by_file = seed % 2 == 1;
            let steps_for_rest = if is_by_file { 100 } else { 10 };
            if is_by_file {
                site.read_file_by_file();
            }
            Self {
                fence: site.fence().clone(),
                raised: 0,
                behind: 0,
                site,
                random: Random(0x9E37_79B9_7F4A_7C15 ^ (seed + 1)),
                hints: VecDeque::new(),
                files: BTreeMap::new(),
                folders: vec![String::new()],
                next: 0,
                ids: BTreeMap::new(),
                keeps_files: false,
                steps_for_rest,
                log: String::new(),
            }
        }

        fn look(&mut self, name: &str) {
            self.hints.push_back(Change::Look(self.site.file(name)));
        }

        fn rename(&mut self, from: &str, to: &str) {
            let (from, to) = (self.site.file(from), self.site.file(to));
            std::fs::rename(&from, &to).unwrap();
            self.hints.push_back(Change::Moved { from, to: to.clone() });
            self.hints.push_back(Change::Look(to));
        }

        fn put(&mut self, name: &str, article: (usize, usize)) {
            let text = format!("# Article {}\n\nEdition {} of article {}.", article.0, article.1, article.0);
            std::fs::write(self.site.file(name), text).unwrap();
        }

        fn random_file(&mut self) -> Option<String> {
            let number = self.random.below(self.files.len().max(1));
            self.files.keys().nth(number).cloned()
        }

        fn new_name(&mut self) -> String {
            self.next += 1;
            let number = self.random.below(self.folders.len());
            format!("{}file{}.md", self.folders[number], self.next)
        }

        fn step(&mut self) {
            match self.random.below(12) {
                0 | 1 => self.create(),
                2..=4 => self.edit(),
                5 | 6 => {
                    let (Some(from), to) = (self.random_file(), self.new_name()) else { return };
                    let _ = writeln!(self.log, "rename {from} to {to}");
                    self.rename(&from, &to);
                    let article = self.files.remove(&from).unwrap();
                    self.files.insert(to, article);
                }
                7 | 8 => self.swap(),
                9 => self.new_folder(),
                10 => self.move_folder(),
                // From the files alone, one that took the place of a deleted one is a new version of it.
                _ if self.keeps_files => self.edit(),
                _ => {
                    let Some(name) = self.random_file() else { return };
                    let _ = writeln!(self.log, "delete {name}");
                    std::fs::remove_file(self.site.file(&name)).unwrap();
                    self.look(&name);
                    self.files.remove(&name);
                }
            }
        }

        fn create(&mut self) {
            let name = self.new_name();
            let _ = writeln!(self.log, "create {name}");
            self.put(&name, (self.next, 0));
            self.look(&name);
            self.files.insert(name, (self.next, 0));
        }

        fn edit(&mut self) {
            let Some(name) = self.random_file() else { return };
            let (number, edition) = self.files[&name];
            let way = self.random.below(if self.keeps_files { 1 } else { 3 });
            let article = (number, edition + 1);
            let _ = writeln!(self.log, "edit {name} (article {number}) in way {way}");
            match way {
                0 => self.put(&name, article),
                1 => {
                    let temporary = format!("{name}.tmp");
                    self.put(&temporary, article);
                    return self.finish_edit(&temporary, name, article);
                }
                _ => {
                    std::fs::remove_file(self.site.file(&name)).unwrap();
                    self.look(&name);
                    self.put(&name, article);
                }
            }
            self.look(&name);
            self.files.insert(name, article);
        }

        fn finish_edit(&mut self, temporary: &str, name: String, article: (usize, usize)) {
            self.rename(temporary, &name);
            self.files.insert(name, article);
        }

        fn swap(&mut self) {
            let (Some(one), Some(other)) = (self.random_file(), self.random_file()) else { return };
            if one == other {
                return;
            }
            let at_once = self.random.below(2) == 0;
            let _ = writeln!(self.log, "swap {one} and {other}, at once: {at_once}");
            if at_once {
                use rustix::fs::{CWD, RenameFlags, renameat_with};
                let (first, second) = (self.site.file(&one), self.site.file(&other));
                renameat_with(CWD, &first, CWD, &second, RenameFlags::EXCHANGE).unwrap();
                self.hints.push_back(Change::Exchanged { one: first, other: second });
                self.look(&one);
                self.look(&other);
            } else {
                let third = format!("{one}.tmp");
                self.rename(&one, &third);
                self.hints.pop_back();
                self.rename(&other, &one);
                self.rename(&third, &other);
            }
            let (a, b) = (self.files[&one], self.files[&other]);
            self.files.extend([(one, b), (other, a)]);
        }

        fn new_folder(&mut self) {
            self.next += 1;
            let number = self.random.below(self.folders.len());
            let folder = format!("{}folder{}/", self.folders[number], self.next);
            let _ = writeln!(self.log, "new folder {folder}");
            std::fs::create_dir(self.site.file(&folder)).unwrap();
            self.folders.push(folder);
            self.create();
        }

        fn move_folder(&mut self) {
            let number = self.random.below(self.folders.len());
            let from = self.folders[number].clone();
            if from.is_empty() {
                return;
            }
            self.next += 1;
            let to = format!("moved{}/", self.next);
            let _ = writeln!(self.log, "move {from} to {to}");
            let (old, new) = (self.site.file(from.trim_end_matches('/')), self.site.file(to.trim_end_matches('/')));
            std::fs::rename(&old, &new).unwrap();
            self.hints.push_back(Change::FolderMoved { from: old, to: new });
            let moved =
                |path: &String| path.strip_prefix(&from).map_or_else(|| path.clone(), |rest| format!("{to}{rest}"));
            self.files = self.files.iter().map(|(path, article)| (moved(path), *article)).collect();
            self.folders = self.folders.iter().map(moved).collect();
            let within: Vec<String> = self.files.keys().filter(|path| path.starts_with(&to)).cloned().collect();
            for path in within {
                self.look(&path);
            }
        }

        /// Delivers up to `limit` hints to the writer, after a random delay.
        fn follow(&mut self, limit: usize) {
            let count = self.random.below(limit.min(self.hints.len()) + 1);
            let hints: Vec<Change> = self.hints.drain(..count).collect();
            // While hints wait, any time may pass: they may still be in the kernel's queue, where the writer cannot see them.
            let is_behind = !self.hints.is_empty();
            let milliseconds = [0, 10, 600, 3_000, 7_000][self.random.below(if is_behind { 5 } else { 2 })];
            // A fence is never delayed by a whole minute.
            let milliseconds = if self.behind > 50_000 { 0 } else { milliseconds };
            self.behind = if is_behind { self.behind + milliseconds } else { 0 };
            let _ = writeln!(self.log, "  delivers {count} hints, {} wait, {milliseconds} ms later", self.hints.len());
            self.site.deliver(&hints, Duration::from_millis(milliseconds));
            self.take_fence();
        }

        /// Drops all hints that wait, as when the queue is full.
        fn lose(&mut self) {
            let _ = writeln!(self.log, "  loses {} hints", self.hints.len());
            self.hints = VecDeque::from([Change::Lost, Change::Reconcile]);
        }

        /// Queues the event of each raised fence behind all other hints.
        fn take_fence(&mut self) {
            let raised = self.fence.raised();
            for _ in self.raised..raised {
                self.hints.push_back(Change::Fence);
            }
            self.raised = raised;
        }

        fn rest(&mut self, seed: u64) {
            for _ in 0..self.steps_for_rest {
                while !self.hints.is_empty() {
                    self.follow(20);
                }
                self.site.deliver(&[], Duration::from_secs(25));
                self.take_fence();
            }
            for (path, (number, edition)) in &self.files {
                let id = self.site.public(path);
                let html = id.as_ref().map(|_| self.site.content(path).html.to_string()).unwrap_or_default();
                assert!(
                    html.contains(&format!("Edition {edition} of article {number}.")),
                    "seed {seed}: {path} has {html:?} instead of edition {edition} of article {number}:\n{}",
                    self.log
                );
                let id = id.unwrap();
                let known = self.ids.entry(*number).or_insert_with(|| id.clone());
                assert!(*known == id, "seed {seed}: article {number} at {path} changed its id:\n{}", self.log);
            }
            let mut live: Vec<String> = self.files.values().map(|(number, _)| self.ids[number].to_string()).collect();
            live.sort();
            live.dedup();
            assert_eq!(
                (live.len(), self.site.live()),
                (self.files.len(), self.files.len()),
                "seed {seed}:\n{}",
                self.log
            );
        }
    }

    /// Seeds of random work: the first one, and how many.
    fn seeds(default: u64) -> std::ops::Range<u64> {
        let number =
            |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
        let (first, count) = (number("GAZETTED_LAG_FIRST", 0), number("GAZETTED_LAG_SEEDS", default));
        first..first + count
    }

    /// Each article keeps its id, whatever happens to the files, however late the hints arrive and however they are batched.
    #[test]
    fn identity_does_not_depend_on_how_late_hints_are() {
        for seed in seeds(10) {
            let mut lag = Lag::new(seed);
            for _ in 0..RESTS {
                for _ in 0..OPERATIONS {
                    lag.step();
                    if lag.random.below(3) == 0 {
                        lag.follow(8);
                    }
                }
                lag.rest(seed);
            }
        }
    }

    /// The same where hints are lost, so that renames are recognised from the files alone.
    #[test]
    fn identity_survives_lost_hints() {
        for seed in seeds(6) {
            let mut lag = Lag::new(seed);
            // A file that is both renamed and replaced unseen is another article.
            lag.keeps_files = true;
            // The daemon compares the folder at its start.
            lag.site.deliver(&[Change::Reconcile], Duration::ZERO);
            let mut losses = 0;
            for rest in 1..=RESTS {
                for _ in 0..OPERATIONS {
                    lag.step();
                    match lag.random.below(12) {
                        0..=3 => lag.follow(8),
                        4 => {
                            lag.lose();
                            losses += 1;
                        }
                        _ => {}
                    }
                }
                if losses == 0 && rest == RESTS {
                    lag.lose();
                    losses += 1;
                }
                // A comparison reads only files that have been quiet, by the clock of the file system.
                std::thread::sleep(crate::folder::watch::QUIET + Duration::from_millis(100));
                lag.rest(seed);
            }
        }
    }
}
