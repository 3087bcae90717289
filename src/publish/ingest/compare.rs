//! The whole folder beside the catalog: what differs is to be read, or missing. Both are walked in the order of their paths, side by
//! side, so that nothing but the differences is ever held.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::read_pool::Depth;
use super::recordings::{RecordingIndex, is_recording};
use super::{DELETION_GRACE, HURRY_FROM, Ingest, Pending, Trigger, WriteMoment};
use crate::catalog::{self, Catalog, Changes, Known};
use crate::folder::watch::{Armed, QUIET};
use crate::folder::{Folder, Found, Met, SourceFormat};
use crate::model::collection::ArticleState;
use crate::model::text;
use crate::observe::metrics::Comparison;

/// What the walk over the folder hands over at a time.
const CHUNK: usize = 512;
/// Chunks that it may be ahead.
const MOST_CHUNKS: usize = 16;

/// What is not as the catalog has it, and what else the walk has met.
#[derive(Debug, Default)]
struct Differences {
    to_read: Vec<Pending>,
    /// Known files that the walk has not met.
    vanished: Vec<PathBuf>,
    /// Files that were missing.
    found_again: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    films: Vec<PathBuf>,
    conflicts: Vec<PathBuf>,
    unreadable: Vec<PathBuf>,
    recordings: RecordingIndex,
    /// How many files there are.
    files: usize,
}

/// What the walk has met, once somebody has looked at it.
#[derive(Debug)]
enum Looked {
    /// What may be an article is a file.
    File(Found, SourceFormat),
    /// Anything else.
    Other(Met),
}

/// Walks over the folder, behind the watch, as far as somebody listens.
fn walk(folder: &Folder, armed: &Armed, met: &SyncSender<Vec<Met>>) -> io::Result<()> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let done = folder.walk(folder.root(), &|folder| armed.wait_for(folder), &mut |one| {
        chunk.push(one);
        let is_wanted = chunk.len() < CHUNK || met.send(std::mem::take(&mut chunk)).is_ok();
        if is_wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    // Whoever does not listen any more has failed, and says so.
    let _ = met.send(chunk);
    done
}

impl Ingest {
    /// Compares the whole folder with the catalog, but for files that somebody is writing. What is to be read is read by
    /// [`Ingest::tick`].
    pub fn everywhere(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<Comparison> {
        let Some(differences) = self.differences(catalog)? else { return Ok(Comparison::Away) };
        let Differences {
            mut to_read, vanished, found_again, folders, films, conflicts, unreadable, recordings, ..
        } = differences;
        // The first scan finds what was there before the daemon.
        self.pending_seen = std::mem::replace(&mut self.next_scan, Trigger::Scanned);
        self.report_conflicts(&conflicts);
        self.know_folders(catalog, &folders)?;
        for path in found_again {
            self.missing.remove(&path);
        }
        // First what is missing, so that a file that was moved is known to have been.
        let known_before = self.missing.len();
        let unreadable: Vec<&Path> = unreadable.iter().filter_map(|path| self.folder.relative(path)).collect();
        for path in vanished.into_iter().filter(|path| !unreadable.iter().any(|folder| path.starts_with(folder))) {
            catalog.postpone(&path, moment.now + DELETION_GRACE + QUIET)?;
            self.missing.entry(path).or_insert(moment.instant + DELETION_GRACE);
        }
        // Articles first: a recording may belong to one of them.
        to_read.sort_by_key(|found| found.format == SourceFormat::Audio);
        self.listed = (!to_read.is_empty()).then_some(recordings);
        let is_hurried = self.pending_seen == Trigger::Imported && to_read.len() >= HURRY_FROM;
        self.depth = if is_hurried { Depth::Head } else { Depth::Whole };
        (self.pending, self.ahead) = (to_read.into(), None);
        if self.pending.len() >= HURRY_FROM {
            catalog.expect(Changes::Many)?;
            catalog.begin_fresh()?;
        }
        self.compare_media(catalog, &films, moment)?;
        if self.pending_seen == Trigger::Imported {
            self.settle_owners(catalog, moment)?;
        }
        let is_same = self.pending.is_empty() && self.missing.len() == known_before;
        Ok(if is_same { Comparison::Same } else { Comparison::Different })
    }

    /// What differs; `None` while the folder is away, or while an empty one stands in its place, as where a disk is not mounted:
    /// then nothing that is known counts as deleted.
    fn differences(&mut self, catalog: &Catalog) -> catalog::Result<Option<Differences>> {
        let root = text::path_line(self.folder.root());
        let (met, to_look_at) = sync_channel(MOST_CHUNKS);
        let (looked_at, walked) = sync_channel(MOST_CHUNKS);
        let (found, differences) = thread::scope(|scope| {
            let (folder, armed) = (&self.folder, &self.armed);
            let walk = scope.spawn(move || walk(folder, armed, &met));
            scope.spawn(move || {
                let look = |met| match met {
                    Met::File(path, format) => Found::file_at(path).map(|found| Looked::File(found, format)),
                    other => Some(Looked::Other(other)),
                };
                for chunk in to_look_at {
                    if looked_at.send(chunk.into_iter().filter_map(look).collect()).is_err() {
                        return;
                    }
                }
            });
            let differences = catalog.with_known(|known| self.hold_beside(&walked, known));
            // Nobody is to wait for room in it.
            drop(walked);
            (walk.join(), differences)
        });
        let differences = differences?;
        let away = match found.map_err(|_| "the walk over it panicked: please report this".to_owned()) {
            Ok(Ok(())) if differences.files == 0 && self.is_replaced() && catalog.count()? > 0 => {
                "it is another folder now, and empty".to_owned()
            }
            Ok(Ok(())) => {
                self.is_there(&differences, &root);
                return Ok(Some(differences));
            }
            Ok(Err(error)) => error.to_string(),
            Err(panicked) => panicked,
        };
        if self.folder_is_there {
            tracing::error!(
                folder = root,
                reason = away,
                "the folder of articles is away; the feeds stay as they are until it is back"
            );
        }
        self.folder_is_there = false;
        Ok(None)
    }

    fn is_there(&mut self, differences: &Differences, root: &str) {
        if !self.folder_is_there {
            tracing::info!(folder = root, "the folder of articles is back");
            self.folder_is_there = true;
            self.missing.clear();
        }
        for path in &differences.unreadable {
            tracing::warn!(path = %path.display(), "cannot read; what is published from there stays");
        }
        if differences.files > 0 {
            self.inhabited = self.folder.identity();
        }
    }

    /// Holds what is met beside what is known.
    fn hold_beside(
        &self,
        walked: &Receiver<Vec<Looked>>,
        known: &mut dyn Iterator<Item = catalog::Result<Known>>,
    ) -> catalog::Result<Differences> {
        let mut differences = Differences::default();
        let mut known = known.peekable();
        for looked in walked.iter().flatten() {
            let (found, format) = match looked {
                Looked::File(found, format) => (found, format),
                Looked::Other(met) => {
                    self.note_other(&mut differences, met);
                    continue;
                }
            };
            let Some(path) = self.folder.relative(&found.path) else { continue };
            while let Some(earlier) =
                known.next_if(|known| known.as_ref().is_ok_and(|known| known.path.as_os_str() < path.as_os_str()))
            {
                differences.vanished.push(earlier?.path);
            }
            let recorded =
                known.next_if(|known| known.as_ref().map_or(true, |known| known.path == path)).transpose()?;
            self.note(&mut differences, path, &found, format, recorded.as_ref());
        }
        for rest in known {
            differences.vanished.push(rest?.path);
        }
        // Articles of one date stand in the order in which they came: not in that in which the system lists them.
        differences.to_read.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        // By way of a link, the walk may meet a file later than the order of paths would have it.
        let Differences { to_read, vanished, .. } = &mut differences;
        vanished.retain(|path| to_read.binary_search_by(|pending| pending.path.cmp(path)).is_err());
        Ok(differences)
    }

    /// Notes what is no article.
    fn note_other(&self, differences: &mut Differences, met: Met) {
        match met {
            Met::Folder(path) => differences.folders.push(path),
            Met::Video(path) => {
                differences.recordings.add(self.folder.relative(&path).unwrap_or(&path));
                differences.films.push(path);
            }
            Met::Conflict(path) => differences.conflicts.push(path),
            Met::Unreadable(path) => differences.unreadable.push(path),
            Met::File(..) => unreachable!("files are looked at"),
        }
    }

    /// Notes what there is to do about a file.
    fn note(
        &self,
        differences: &mut Differences,
        path: &Path,
        found: &Found,
        format: SourceFormat,
        recorded: Option<&Known>,
    ) {
        differences.files += 1;
        if is_recording(path) {
            differences.recordings.add(path);
        }
        if self.missing.contains_key(path) {
            differences.found_again.push(path.to_path_buf());
        }
        let same = recorded.is_some_and(|known| known.stat == found.stat && !known.stale)
            || self.left_out.get(path).is_some_and(|out| out.stat == found.stat && out.twin_of.is_none());
        if same || self.writing.has(&found.path) {
            return;
        }
        let is_read = |known: &&Known| known.state == ArticleState::Live && !known.stale && !known.unread;
        let known = recorded.filter(is_read).map(|known| Box::new(known.file_hash));
        let (path, size, is_new) = (path.to_path_buf(), found.stat.size, recorded.is_none());
        differences.to_read.push(Pending { path, format, size, is_new, known });
    }

    /// Every folder has a feed, whether there is an article in it or not.
    fn know_folders(&mut self, catalog: &mut Catalog, folders: &[PathBuf]) -> catalog::Result<()> {
        let folders = folders.iter().filter_map(|folder| self.folder.relative(folder)).map(Path::to_path_buf);
        let new: Vec<PathBuf> = folders.filter(|folder| self.folders.insert(folder.clone())).collect();
        if new.is_empty() {
            return Ok(());
        }
        catalog.transaction(|catalog| new.iter().try_for_each(|folder| catalog.know_folder(folder)))
    }
}
