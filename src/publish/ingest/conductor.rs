//! The conductor: processes hints and deadlines in order, and calls the part that is responsible for each.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use super::backlog::Backlog;
use super::bios::Bios;
use super::data_files::DataFiles;
use super::deletions::Deletions;
use super::derivation::Derivation;
use super::fences::Fences;
use super::languages::Languages;
use super::mounts::Mounts;
use super::named_media::NamedMedia;
use super::problems::Problems;
use super::reading_supervisor::ReadingSupervisor;
use super::recordings::Recordings;
use super::remembered_renames::RememberedRenames;
use super::scan::Scan;
use super::schedule::Schedule;
use super::sections::Sections;
use super::step::{Queue, SLICE, Slice, Trigger, WriteMoment};
use super::transcripts::TranscriptIndex;
use crate::article::{self, Rules};
use crate::catalog::{self, Catalog};
use crate::change::{Change, TextRequests};
use crate::config::Config;
use crate::folder::Folder;
use crate::folder::watch::{Armed, Fence, OpenFiles};
use crate::observe::heartbeat::Heartbeat;
use crate::observe::status::StatusBoard;
use crate::render::feed::Channel;
use crate::system::reading_journal::ReadingJournal;

/// Owns all parts of the ingest. In this module, a `path` is relative to the watched folder and a `file` is absolute.
#[derive(Debug)]
pub struct Ingest {
    pub(super) folder: Folder,
    /// How long a new article waits before it is published.
    pub(super) hold: Duration,
    pub(super) channel: Channel,
    /// Files that are being written.
    pub(super) open_files: OpenFiles,
    /// Folders that are watched already.
    pub(super) armed: Armed,
    pub(super) fences: Fences,
    pub(super) renames: RememberedRenames,
    pub(super) deletions: Deletions,
    pub(super) schedule: Schedule,
    pub(super) scan: Scan,
    pub(super) backlog: Backlog,
    pub(super) recordings: Recordings,
    pub(super) problems: Problems,
    pub(super) sections: Sections,
    pub(super) bios: Bios,
    pub(super) data_files: DataFiles,
    pub(super) languages: Languages,
    pub(super) mounts: Mounts,
    pub(super) named_media: NamedMedia,
    pub(super) transcripts: TranscriptIndex,
    /// Whether the feeds are up, so that other work must not wait for long.
    pub(super) is_serving: bool,
    /// Longest time for which files are read in a part of a step then.
    pub(super) slice: Duration,
    pub(super) supervisor: ReadingSupervisor,
    pub(super) heartbeat: Option<Heartbeat>,
    /// The whole folder must be compared again: hints were lost.
    pub(super) must_reconcile: bool,
    pub(super) derivation: Derivation,
}

impl Ingest {
    /// Prepares reading; nothing is read yet.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn new(
        catalog: &mut Catalog,
        folder: Folder,
        config: &Config,
        channel: &Channel,
        open_files: OpenFiles,
    ) -> catalog::Result<Self> {
        let rules = Rules::new(&config.articles, &config.site);
        let mut fingerprint = format!("{} {rules:?} {} {}", article::VERSION, channel.base_url, channel.language);
        if !folder.public_drafts().is_empty() {
            fingerprint.push_str(&format!(" {:?}", folder.public_drafts()));
        }
        if catalog.meta("reading")?.as_deref() != Some(&fingerprint) {
            catalog.read_all_again("reading", &fingerprint)?;
        }
        let supervisor = ReadingSupervisor::new(folder.clone(), rules, config.articles.max_file_size.0);
        for (path, hash) in catalog.data_files()? {
            supervisor.data.record(&path, hash);
        }
        Ok(Self {
            folder,
            hold: config.articles.hold.0,
            channel: channel.clone(),
            open_files,
            armed: Armed::default(),
            fences: Fences::default(),
            renames: RememberedRenames::default(),
            deletions: Deletions::default(),
            schedule: Schedule::default(),
            scan: Scan::default(),
            backlog: Backlog::of(catalog)?,
            recordings: Recordings::default(),
            problems: Problems::default(),
            sections: Sections::default(),
            bios: Bios::default(),
            data_files: DataFiles::default(),
            languages: Languages::default(),
            mounts: Mounts::remembered(catalog)?,
            named_media: NamedMedia::default(),
            transcripts: TranscriptIndex::default(),
            is_serving: false,
            slice: SLICE,
            supervisor,
            heartbeat: None,
            must_reconcile: false,
            derivation: Derivation::default(),
        })
    }

    /// Connects the heartbeat of the writer: each file that is read is progress.
    pub fn beat_with(&mut self, heartbeat: Heartbeat) {
        self.heartbeat = Some(heartbeat);
    }

    /// Connects the journal of readings.
    pub fn record_readings(&mut self, journal: ReadingJournal) {
        self.supervisor.record_in(journal);
    }

    /// Reports that the writer makes progress.
    pub(super) fn beat(&self) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.beat();
        }
    }

    /// The feeds are up: from now on, versions are published while files are read.
    pub fn begin_serving(&mut self) {
        self.is_serving = true;
    }

    pub(super) fn begin_slice(&self) -> Slice {
        Slice::begin(self.is_serving.then_some(self.slice))
    }

    /// Connects a watch: from now on, no folder is read before it is watched, and fences put scans and hints in order.
    pub fn follow_watch(&mut self, armed: Armed, fence: Fence) {
        (self.armed, self.fences) = (armed, Fences::new(fence));
    }

    /// Serves requests for texts that have not been read yet.
    pub fn serve_requests(&mut self, requests: TextRequests) {
        self.backlog.serve(requests);
    }

    /// Reports recent events and problems to the status page. Returns the number of files that need attention, if it may have changed.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn report_to(
        &mut self,
        board: &StatusBoard,
        catalog: &Catalog,
        moment: WriteMoment,
    ) -> catalog::Result<Option<usize>> {
        self.problems.report_to(board, catalog, moment)
    }

    /// A version was published: what is scheduled may have changed.
    pub fn note_published(&mut self) {
        self.problems.note_change();
    }

    /// Wakes the requests whose texts have been read. Call this after the transaction, because they then read the catalog.
    pub fn notify_requests(&mut self) {
        self.backlog.notify();
    }

    /// Returns whether there may be articles whose texts have not been read.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn has_unread(&mut self, catalog: &Catalog) -> catalog::Result<bool> {
        self.backlog.has_unread(catalog)
    }

    /// Number of files of a large scan that were read, and of all.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.scan.progress()
    }

    /// Returns whether files that a scan found are still to be read.
    pub fn is_reading(&self) -> bool {
        self.scan.left() > 0
    }

    /// Has the next comparison read the files with problems again, which it otherwise leaves alone until they change.
    pub fn read_problems_again(&mut self) {
        self.problems.read_again();
    }

    /// Requests a comparison of the whole folder, which the caller begins when it is time. Deletions wait for it.
    pub fn request_reconcile(&mut self) {
        self.must_reconcile = true;
    }

    /// Returns whether the whole folder must be compared.
    pub fn wants_reconcile(&self) -> bool {
        self.must_reconcile
    }

    /// Whether the watched folder was away when it was last compared.
    pub fn is_folder_away(&self) -> bool {
        self.deletions.is_away()
    }

    /// Whether deletions must wait: a missing file may be elsewhere, because hints were lost or because a file that was found there
    /// waits for its decision.
    pub fn is_undecided(&self) -> bool {
        self.must_reconcile || self.fences.has_lost_hints() || self.fences.has_deferred()
    }

    /// Time until [`Ingest::tick`] has something to do.
    pub fn until_next_wake(&self, now: Instant) -> Option<Duration> {
        if self.is_reading() || self.backlog.is_open() || self.languages.is_open() {
            return Some(Duration::ZERO);
        }
        let is_held = self.fences.holds_deletions() || self.is_undecided();
        let next = self.deletions.next(is_held).into_iter().chain(self.schedule.first()).min();
        let next = next.map(|at| at.saturating_duration_since(now));
        next.into_iter().chain(self.fences.until_next_wake(now)).min()
    }

    /// Time until all files that a scan found too soon after a change can be read; `None` without such files.
    pub fn until_quiet(&self, now: Instant) -> Option<Duration> {
        self.schedule.last().map(|at| at.saturating_duration_since(now))
    }

    /// Like [`Ingest::until_quiet`], but only for files that are not published yet or whose published content is out of date.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn until_new_are_quiet(&self, catalog: &Catalog, now: Instant) -> catalog::Result<Option<Duration>> {
        let mut longest = None;
        for (path, at) in self.schedule.iter() {
            if catalog.known(path)?.is_none_or(|known| known.stale) {
                longest = longest.max(Some(at.saturating_duration_since(now)));
            }
        }
        Ok(longest)
    }

    /// Processes hints. Returns whether anything that is served has changed.
    pub fn process_hints(
        &mut self,
        catalog: &mut Catalog,
        hints: &[Change],
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        self.backlog.note_change(moment.instant);
        let mut changed = false;
        self.derivation.begin(hints.iter().all(|hint| matches!(hint, Change::Look(_))));
        let mut files: Vec<&Path> = Vec::new();
        // Renames first: files are read in their current state, so an older rename must not be applied after that.
        for hint in hints {
            // Without fences, a hint may be older than what a scan has seen. Then renames are recognised from the files alone.
            let is_ordered = self.fences.are_available();
            match hint {
                // After a loss, hints before this one may be missing. The comparison that follows finds what was renamed.
                Change::Moved { .. } | Change::FolderMoved { .. } | Change::Exchanged { .. }
                    if self.fences.has_lost_hints() => {}
                Change::Moved { from, to } | Change::FolderMoved { from, to } if !is_ordered => {
                    files.extend([from.as_path(), to]);
                }
                Change::Exchanged { one, other } if !is_ordered => files.extend([one.as_path(), other]),
                Change::Moved { from, to } | Change::FolderMoved { from, to } => {
                    changed |= self.apply_rename(catalog, from, to, moment)?;
                    // Data of articles, or the description of an author, may have been there.
                    let was_bio = self.folder.relative(from).is_some_and(|below| self.bios.has(below));
                    files.extend((was_bio || self.is_data_file(from)).then_some(from.as_path()));
                }
                Change::Exchanged { one, other } => changed |= self.apply_exchange(catalog, one, other, moment)?,
                Change::Fence => self.pass_fence(moment),
                Change::Lost => self.fences.lose_hints(moment.instant),
                Change::Look(path) => files.push(path),
                Change::Reconcile | Change::Displaced | Change::Replicated => {}
            }
        }
        // An article is read with the data that arrives with it.
        files.sort_by_key(|file| !self.is_data_file(file));
        let mut processed = HashSet::new();
        for path in files {
            if processed.insert(path) {
                self.derivation.begin_file();
                let has_changed = self.process_path(catalog, path, Trigger::Closed, moment)?;
                self.derivation.end_file(has_changed);
                changed |= has_changed;
            }
        }
        Ok(changed)
    }

    /// Whether all that the last hints have changed would be recorded in the same way again if a power cut had undone it.
    pub fn follows_from_files(&self) -> bool {
        self.derivation.is_complete()
    }

    fn pass_fence(&mut self, moment: WriteMoment) {
        self.fences.pass(moment.instant);
        // Only now is it certain that no hint about what the last comparison saw is still on its way.
        self.must_reconcile |= self.fences.end_loss();
    }

    /// Does what is due. Returns whether anything that is served has changed.
    pub fn tick(&mut self, catalog: &mut Catalog, queue: Queue, moment: WriteMoment) -> catalog::Result<bool> {
        self.fences.time_out(moment.instant);
        self.must_reconcile |= self.fences.end_loss();
        self.renames.forget_old(&self.fences);
        self.recordings.forget_old(moment.instant);
        let mut changed =
            if self.is_reading() { self.read_found(catalog, moment)? } else { self.read_backlog(catalog, moment)? };
        if !self.is_reading() && !self.backlog.is_open() && self.languages.is_open() {
            self.settle_languages(catalog, moment)?;
        }
        changed |= self.process_deferred(catalog, moment)?;
        changed |= self.process_due(catalog, moment)?;
        for path in self.deletions.due_emptied(moment.instant) {
            changed |= self.process_path(catalog, &self.folder.root().join(&path), Trigger::Closed, moment)?;
            self.deletions.clear_emptied(&path);
        }
        Ok(changed | self.delete_missing(catalog, queue, moment)?)
    }

    /// Processes files whose time has come: only so many that changes need not wait for long.
    fn process_due(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        let (mut changed, slice) = (false, self.begin_slice());
        let mut due = self.schedule.take_due(moment.instant);
        // An article may name a recording that was found together with it.
        due.sort_by_key(|(path, trigger)| trigger.is_scan() && self.is_media_article(path));
        let mut due = due.into_iter();
        for (path, trigger) in due.by_ref() {
            changed |= self.process_path(catalog, &self.folder.root().join(&path), trigger, moment)?;
            if slice.is_over() {
                break;
            }
        }
        due.for_each(|(path, trigger)| self.schedule.add(path, moment.instant, trigger));
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::publish::ingest::content::tests::Site;

    const DATED: &str = "---\ndate: 2024-05-01T10:00:00Z\n---\n# Storm\n\nWords about it.\n";

    /// Whether all that the last hint has changed follows from the files.
    fn follows(site: &mut Site, hint: Change) -> bool {
        site.deliver(&[hint], Duration::ZERO);
        site.ingest().follows_from_files()
    }

    #[test]
    fn what_follows_from_a_file_is_the_same_after_a_loss() {
        let edited = "---\ndate: 2024-05-01\nlastmod: 2024-06-01\ntags: [sea]\n---\n# Storm\n\nMore words.\n";
        for text in [DATED, edited] {
            let mut site = Site::new();
            site.put("storm.md", text);
            let look = Change::Look(site.file("storm.md"));
            assert!(follows(&mut site, look));
            // A catalog that has never heard of the file finds it at its start.
            let mut other = Site::new();
            other.put("storm.md", text);
            other.restart();
            let facts = |site: &Site| {
                let entry = site.entry("storm.md");
                (entry.id.clone(), entry.slug.clone(), entry.published, entry.updated, entry.content.title.clone())
            };
            assert_eq!(facts(&site), facts(&other));
        }
    }

    #[test]
    fn what_a_loss_would_change_does_not_follow_from_files() {
        let mut site = Site::new();
        let look = |site: &Site, name: &str| Change::Look(site.file(name));
        site.put("undated.md", "# Undated\n\nWords.\n");
        let undated = look(&site, "undated.md");
        assert!(!follows(&mut site, undated), "its date is that of its arrival");
        site.put("ahead.md", "---\ndate: 2024-05-01\nlastmod: 2124-05-01\n---\n# Ahead\n\nWords.\n");
        let ahead = look(&site, "ahead.md");
        assert!(!follows(&mut site, ahead), "its change is dated with the present");
        site.write("storm.md", DATED);
        site.put("folder/storm.md", DATED.replace("Words", "Others"));
        let second = look(&site, "folder/storm.md");
        assert!(!follows(&mut site, second), "its address depends on the other one");
        site.put("storm.md", DATED.replace("Words", "Other words"));
        let edit = look(&site, "storm.md");
        assert!(!follows(&mut site, edit.clone()), "the date of an edit is that of its arrival");
        assert!(follows(&mut site, edit), "nothing changes");
        site.put("storm.md", DATED.replace("date:", "draft: true\ndate:"));
        let draft = look(&site, "storm.md");
        assert!(!follows(&mut site, draft), "it is withdrawn");
        for (name, text) in [("one.md", DATED.replace("Storm", "One")), ("copy.md", DATED.replace("Storm", "One"))] {
            site.put(name, text);
        }
        let copies = ["one.md", "copy.md"].map(|name| look(&site, name));
        site.deliver(&copies, Duration::ZERO);
        assert!(!site.ingest().follows_from_files(), "which is the copy depends on the order");
        site.put("stated.md", DATED.replace("date:", "id: urn:x:1\ndate:"));
        let stated = look(&site, "stated.md");
        assert!(!follows(&mut site, stated), "another file may state the same id");
        let (from, to) = (site.file("folder/storm.md"), site.file("folder/gale.md"));
        std::fs::rename(&from, &to).unwrap();
        assert!(!follows(&mut site, Change::Moved { from, to }), "a rename");
    }
}
