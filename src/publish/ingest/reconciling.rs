//! Compares the whole folder with the catalog. Files that differ are read, known files that are not there are missing. Both are walked in
//! the order of their paths, side by side, so that only the differences are held in memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::time::Duration;
use std::{iter, thread};

use super::conductor::Ingest;
use super::deletions::DELETION_GRACE;
use super::mounting::UNMOUNTED;
use super::read_pool::FoundFile;
use super::recordings::{RecordingIndex, may_be_owned};
use super::scan::HURRY_FROM;
use super::step::{Trigger, WriteMoment};
use crate::catalog::{self, Catalog, Known, Publishing};
use crate::folder::watch::{Armed, QUIET};
use crate::folder::{Attributes, FileId, Folder, Found, Met, SourceFormat};
use crate::model::collection::ArticleState;
use crate::observe::heartbeat::Heartbeat;
use crate::observe::metrics::Comparison;

/// Files per message of the walk over the folder.
const CHUNK: usize = 512;
/// Maximum number of messages that the walk may be ahead.
const MOST_CHUNKS: usize = 16;
/// Files that are read in one transaction.
const IMPORT_BATCH: usize = 10_000;
/// The same where a transaction becomes a record in the log of replicas.
const REPLICATED_BATCH: usize = 200;
/// How often the writer beats while it waits for the walk: a slow disk is no stall.
const WALK_BEAT: Duration = Duration::from_secs(1);

/// Differences between the folder and the catalog, and what else the walk found.
#[derive(Debug, Default)]
struct Differences {
    to_read: Vec<FoundFile>,
    /// Known files that the walk did not find.
    vanished: Vec<PathBuf>,
    /// Known files that are not at their paths.
    displaced: HashSet<FileId>,
    /// Where files are that differ and are being written.
    open: Vec<(FileId, PathBuf)>,
    /// Files that were missing before.
    found_again: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    films: Vec<PathBuf>,
    conflicts: Vec<PathBuf>,
    sections: Vec<PathBuf>,
    /// Files with data of articles, below the watched folder.
    data: Vec<PathBuf>,
    links_out: Vec<PathBuf>,
    mounts: Vec<PathBuf>,
    unreadable: Vec<PathBuf>,
    recordings: RecordingIndex,
    /// Texts that are not read, by their extensions.
    documents: BTreeMap<&'static str, usize>,
    /// Number of files.
    files: usize,
}

/// A result of the walk, with the file's attributes.
#[derive(Debug)]
enum Walked {
    /// A file that may be an article.
    File(Found, SourceFormat),
    Other(Met),
}

/// Walks over the folder, behind the watch, until `send` returns false.
fn walk(folder: &Folder, armed: &Armed, mut send: impl FnMut(Vec<Met>) -> bool) -> io::Result<()> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let done = folder.walk(folder.root(), &|folder| armed.wait_for(folder), &mut |one| {
        chunk.push(one);
        let is_wanted = chunk.len() < CHUNK || send(std::mem::take(&mut chunk));
        if is_wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    // A receiver that was dropped has failed and reports its error.
    let _ = send(chunk);
    done
}

/// Adds the attributes of the files in a chunk.
fn with_attributes(files: &mut Attributes, chunk: Vec<Met>) -> Vec<Walked> {
    let attributes = |met| match met {
        Met::File(path, format) => files.file(path).map(|found| Walked::File(found, format)),
        other => Some(Walked::Other(other)),
    };
    chunk.into_iter().filter_map(attributes).collect()
}

/// The results of the walk and of the comparison.
type Compared = (thread::Result<io::Result<()>>, catalog::Result<Differences>);

impl Differences {
    /// The file of a row is not at the path of the row.
    fn note_displaced(&mut self, known: &Known) {
        self.displaced.extend(known.stat.file_id());
    }

    /// Where the files are that are not at their recorded paths.
    fn places(&self) -> HashMap<FileId, PathBuf> {
        if self.displaced.is_empty() {
            return HashMap::new();
        }
        let to_read = self.to_read.iter().filter_map(|found| Some((found.file?, &found.path)));
        let found = self.open.iter().map(|(file, path)| (*file, path)).chain(to_read);
        found.filter(|(file, _)| self.displaced.contains(file)).map(|(file, path)| (file, path.clone())).collect()
    }
}

impl Ingest {
    /// Compares the whole folder with the catalog, except for files that are being written. [`Ingest::tick`] reads the files that differ.
    pub fn reconcile(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<Comparison> {
        self.must_reconcile = false;
        let Some(differences) = self.differences_with_data(catalog, moment)? else { return Ok(Comparison::Away) };
        // Before any is read: an article whose file is elsewhere gives way to others.
        self.renames.set_places(differences.places());
        let Differences {
            mut to_read,
            vanished,
            found_again,
            folders,
            films,
            conflicts,
            sections,
            data,
            links_out,
            mounts,
            unreadable,
            recordings,
            documents,
            files,
            ..
        } = differences;
        self.problems.note_documents(documents);
        self.report_conflicts(&conflicts);
        self.compare_sections(catalog, &sections, moment)?;
        self.compare_bios(catalog, moment)?;
        self.report_folder_links(&links_out);
        self.note_mounts(catalog, &mounts)?;
        self.record_folders(catalog, &folders)?;
        for path in found_again {
            self.deletions.cancel(&path);
        }
        // Missing files first: a file that is read next may be one of them under another name.
        let missing_before = self.deletions.count();
        let unreadable: Vec<&Path> = unreadable.iter().filter_map(|path| self.folder.relative(path)).collect();
        for path in vanished.into_iter().filter(|path| !unreadable.iter().any(|folder| path.starts_with(folder))) {
            catalog.note_level(&path)?;
            if self.is_hidden_by_mount(&path) || !catalog.has_seen(&path)? {
                continue;
            }
            catalog.postpone(&path, moment.now + DELETION_GRACE + QUIET)?;
            self.deletions.add(path, moment.instant);
        }
        // Articles first: a recording may belong to one of them.
        to_read.sort_by_key(|found| found.format.may_belong_to_article());
        self.recordings.set_index((!to_read.is_empty()).then_some(recordings));
        self.supervisor.data.set_listed((!to_read.is_empty()).then(|| data.into_iter().collect()));
        // Other nodes get no article without its text.
        self.scan.begin(to_read, !catalog.is_replicated());
        // A bulk import is not recorded in the log of replicas.
        if self.scan.left() >= HURRY_FROM && !catalog.is_replicated() {
            catalog.begin_bulk_import(if self.is_serving { Publishing::Meanwhile } else { Publishing::AtTheEnd })?;
        }
        self.compare_media(catalog, &films, moment)?;
        if self.scan.trigger() == Trigger::FirstScan {
            self.schedule_unsettled_owners(catalog, moment)?;
        }
        let is_same = !self.is_reading() && self.deletions.count() == missing_before;
        // All files have been read, so those that were renamed are known under their new names.
        let is_settled = is_same && missing_before == 0 && self.schedule.first().is_none() && !self.is_undecided();
        if is_settled && files > 0 {
            self.forget_gone_suspects();
        }
        Ok(if is_same { Comparison::Same } else { Comparison::Different })
    }

    /// Reads the next files that a scan found: only so many that versions can be published in between.
    pub(super) fn read_found(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        let mut changed = false;
        let batch = if catalog.is_replicated() { REPLICATED_BATCH } else { IMPORT_BATCH };
        let slice = self.begin_slice();
        for _ in 0..self.scan.left().min(batch) {
            let next = self.scan.next(&self.supervisor);
            let Some((FoundFile { path, .. }, prepared)) = next else { break };
            let file = self.folder.root().join(path);
            // It may have been opened for writing since.
            if !self.open_files.has(&file) {
                changed |= self.process_file(catalog, &file, prepared, self.scan.trigger(), moment)?;
            }
            if slice.is_over() {
                break;
            }
        }
        if !self.is_reading() {
            self.scan.end();
            self.recordings.set_index(None);
            self.supervisor.data.set_listed(None);
        }
        Ok(changed)
    }

    /// The differences, after the files with data of articles have been compared: which articles are to be read depends on them.
    fn differences_with_data(
        &mut self,
        catalog: &mut Catalog,
        moment: WriteMoment,
    ) -> catalog::Result<Option<Differences>> {
        let differences = self.differences(catalog)?;
        match &differences {
            Some(found) if self.compare_data(catalog, &found.data, moment)? => self.differences(catalog),
            _ => Ok(differences),
        }
    }

    /// The differences; `None` while the folder is away, or while an empty one is in its place, as where a disk is not mounted: then
    /// nothing is deleted.
    fn differences(&mut self, catalog: &Catalog) -> catalog::Result<Option<Differences>> {
        let (found, differences) = self.compare_in_parallel(catalog).unwrap_or_else(|| self.compare_in_turn(catalog));
        let differences = differences?;
        let away = match found.map_err(|_| "the walk over it panicked: please report this".to_owned()) {
            Ok(Ok(())) if differences.files == 0 && self.is_unmounted(catalog)? => UNMOUNTED.to_owned(),
            Ok(Ok(())) if differences.files == 0 && self.is_emptied(catalog, &differences)? => {
                "it is empty, and may be another folder".to_owned()
            }
            Ok(Ok(())) => {
                self.note_folder(&differences);
                return Ok(Some(differences));
            }
            Ok(Err(error)) => error.to_string(),
            Err(panicked) => panicked,
        };
        self.report_folder_away(&away);
        Ok(None)
    }

    /// Whether an empty folder is in the place of the watched one: it is another than before, or the articles of a recovered catalog
    /// have never been found.
    fn is_emptied(&self, catalog: &Catalog, differences: &Differences) -> catalog::Result<bool> {
        let is_replaced = self.deletions.is_replaced(&self.folder) && catalog.count()? > 0;
        Ok(is_replaced || (!differences.vanished.is_empty() && catalog.is_incomplete()?))
    }

    /// Compares while two threads walk over the folder. Returns `None` if the system refuses a thread.
    fn compare_in_parallel(&self, catalog: &Catalog) -> Option<Compared> {
        let (met, without_attributes) = sync_channel(MOST_CHUNKS);
        let (sender, walked) = sync_channel(MOST_CHUNKS);
        let (folder, armed) = (&self.folder, &self.armed);
        thread::scope(|scope| {
            let thread = |name: &str| thread::Builder::new().name(name.to_owned());
            let walk = move || walk(folder, armed, |chunk| met.send(chunk).is_ok());
            let walk = thread("walk").spawn_scoped(scope, walk).ok()?;
            let attributes = move || {
                let mut files = Attributes::new(folder);
                let mut chunks = without_attributes.into_iter().map(|chunk| with_attributes(&mut files, chunk));
                // A receiver that was dropped has failed and reports its error.
                let _ = chunks.try_for_each(|chunk| sender.send(chunk));
            };
            // Without this thread, the channel to it is closed, which ends the walk.
            thread("attributes").spawn_scoped(scope, attributes).ok()?;
            let differences = catalog.with_known(|known| self.compare(&walked, known));
            // No thread may wait for room in the channel.
            drop(walked);
            Some((walk.join(), differences))
        })
    }

    /// Compares after the walk, on one thread.
    fn compare_in_turn(&self, catalog: &Catalog) -> Compared {
        let (sender, walked) = channel();
        let mut files = Attributes::new(&self.folder);
        let send = |chunk| sender.send(with_attributes(&mut files, chunk)).is_ok();
        // As in `next_chunk`, a slow disk is no stall.
        let exemption = self.heartbeat.as_ref().map(Heartbeat::exempt);
        let found = walk(&self.folder, &self.armed, send);
        drop((sender, exemption));
        (Ok(found), catalog.with_known(|known| self.compare(&walked, known)))
    }

    fn note_folder(&mut self, differences: &Differences) {
        self.report_folder_present();
        for path in &differences.unreadable {
            tracing::warn!(path = %path.display(), "cannot read; what is published from there stays");
        }
        if differences.files > 0 {
            self.deletions.inhabit(&self.folder);
        }
    }

    /// Compares the files of the walk with the rows of the catalog, both in the order of paths.
    fn compare(
        &self,
        walked: &Receiver<Vec<Walked>>,
        known: &mut dyn Iterator<Item = catalog::Result<Known>>,
    ) -> catalog::Result<Differences> {
        let mut differences = Differences::default();
        let mut known = known.peekable();
        let chunks = iter::from_fn(|| self.next_chunk(walked));
        for walked in chunks.flatten() {
            let (found, format) = match walked {
                Walked::File(found, format) => (found, format),
                Walked::Other(met) => {
                    self.note_other(&mut differences, met);
                    continue;
                }
            };
            let Some(path) = self.folder.relative(&found.path) else { continue };
            while let Some(earlier) =
                known.next_if(|known| known.as_ref().is_ok_and(|known| known.path.as_os_str() < path.as_os_str()))
            {
                let earlier = earlier?;
                differences.note_displaced(&earlier);
                differences.vanished.push(earlier.path);
            }
            let recorded =
                known.next_if(|known| known.as_ref().map_or(true, |known| known.path == path)).transpose()?;
            self.note(&mut differences, path, &found, format, recorded.as_ref());
        }
        for rest in known {
            let rest = rest?;
            differences.note_displaced(&rest);
            differences.vanished.push(rest.path);
        }
        // Articles of one date are in the order in which they were read: not in the order of the file system.
        differences.to_read.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        // Through a link, the walk may find a file later than in the order of paths.
        let Differences { to_read, vanished, .. } = &mut differences;
        vanished.retain(|path| to_read.binary_search_by(|found| found.path.cmp(path)).is_err());
        Ok(differences)
    }

    /// The next results of the walk; `None` at its end.
    fn next_chunk(&self, walked: &Receiver<Vec<Walked>>) -> Option<Vec<Walked>> {
        loop {
            self.beat();
            match walked.recv_timeout(WALK_BEAT) {
                Ok(chunk) => return Some(chunk),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Notes a result of the walk that is no article.
    fn note_other(&self, differences: &mut Differences, met: Met) {
        match met {
            Met::Document(ending) => *differences.documents.entry(ending).or_default() += 1,
            Met::Folder(path) => differences.folders.push(path),
            Met::Video(path) => {
                differences.recordings.add(self.folder.relative(&path).unwrap_or(&path));
                differences.films.push(path);
            }
            Met::Conflict(path) => differences.conflicts.push(path),
            Met::Section(path) => {
                differences.data.extend(self.folder.relative(&path).map(Path::to_path_buf));
                differences.sections.push(path);
            }
            Met::Data(path) => differences.data.extend(self.folder.relative(&path).map(Path::to_path_buf)),
            Met::LinkOut(path) => differences.links_out.push(path),
            Met::Mount(path) => differences.mounts.push(path),
            Met::Unreadable(path) => differences.unreadable.push(path),
            Met::File(..) => unreachable!("files have attributes by now"),
        }
    }

    /// Notes a file, if it differs from its row.
    fn note(
        &self,
        differences: &mut Differences,
        path: &Path,
        found: &Found,
        format: SourceFormat,
        recorded: Option<&Known>,
    ) {
        differences.files += 1;
        if may_be_owned(path) {
            differences.recordings.add(path);
        }
        if self.deletions.is_missing(path) {
            differences.found_again.push(path.to_path_buf());
        }
        if let Some(known) = recorded.filter(|known| known.stat.file_only() != found.stat.file_only()) {
            differences.note_displaced(known);
        }
        let same = recorded.is_some_and(|known| known.stat == found.stat && !known.stale)
            || self.bios.is_read(path, &found.stat)
            || self.problems.of(path).is_some_and(|out| out.stat == found.stat && out.twin.is_none());
        if same {
            return;
        }
        if self.open_files.has(&found.path) {
            differences.open.extend(found.stat.file_id().map(|file| (file, path.to_path_buf())));
            return;
        }
        let is_read = |known: &&Known| known.state == ArticleState::Live && !known.stale && !known.unread;
        let last_hash = recorded.filter(is_read).map(|known| Box::new(known.file_hash));
        // A file that was left out here before is the second name of a file: it has not moved.
        let was_here = self.problems.of(path).is_some_and(|out| out.stat.file_only() == found.stat.file_only());
        let file = found.stat.file_id().filter(|_| !was_here);
        let (path, size, is_new) = (path.to_path_buf(), found.stat.size, recorded.is_none());
        differences.to_read.push(FoundFile { path, format, file, size, is_new, last_hash });
    }

    /// Records folders: each has a feed, with or without articles in it.
    fn record_folders(&mut self, catalog: &mut Catalog, folders: &[PathBuf]) -> catalog::Result<()> {
        let folders: Vec<&Path> = folders.iter().filter_map(|folder| self.folder.relative(folder)).collect();
        // A link may have been there, with a problem.
        for folder in folders.iter().filter(|folder| !self.mounts.hides(folder)) {
            self.problems.clear(folder);
        }
        let folders = folders.into_iter().filter(|folder| !self.folder.holds_drafts(folder)).map(Path::to_path_buf);
        let new: Vec<PathBuf> = folders.filter(|folder| self.scan.add_folder(folder)).collect();
        if new.is_empty() {
            return Ok(());
        }
        catalog.transaction(|catalog| new.iter().try_for_each(|folder| catalog.know_folder(folder)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use chrono::DateTime;

    use super::*;
    use crate::observe::heartbeat::Heartbeats;
    use crate::publish::ingest::content::tests::Site;

    #[test]
    fn a_comparison_on_one_thread_that_waits_for_the_disk_has_not_stalled() {
        let mut site = Site::new();
        site.write("a.md", "# A\n\nText");
        let catalog = Catalog::open(site.state(), Some("x.example"), DateTime::UNIX_EPOCH).unwrap();
        let heartbeats = Heartbeats::new(Some(Duration::from_millis(1)));
        let ingest = site.ingest();
        ingest.beat_with(heartbeats.register("the publisher"));
        let blocked = ingest.armed.block();
        let stalled = || heartbeats.stalled(Duration::from_millis(20));
        thread::sleep(Duration::from_millis(50));
        thread::scope(|scope| {
            let compared = scope.spawn(move || ingest.compare_in_turn(&catalog));
            let until = Instant::now() + Duration::from_secs(20);
            while !stalled().is_empty() && Instant::now() < until {
                thread::sleep(Duration::from_millis(1));
            }
            // The walk has begun: whatever it waits for, no stall is reported.
            let stalled = stalled();
            drop(blocked);
            let (found, differences) = compared.join().unwrap();
            assert_eq!(stalled, Vec::<&str>::new());
            assert!(found.unwrap().is_ok());
            assert_eq!(differences.unwrap().files, 1);
        });
    }
}
