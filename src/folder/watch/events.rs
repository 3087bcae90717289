//! Translates file events into changes, and pairs the two halves of a rename.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind};

use super::pending_renames::{HalfRename, SECOND_HALF_TIMEOUT};
use super::task::{Closed, QUIET, Report, Task};
use crate::change::Change;
use crate::folder::media::is_relevant;

/// Delay before the content of a renamed folder is read; it is usually unchanged.
const SETTLING: Duration = Duration::from_millis(100);

impl Task {
    pub(super) fn handle_event(&mut self, event: notify::Result<Event>) -> Result<(), Closed> {
        let event = match event {
            Ok(event) if event.need_rescan() => return self.events_lost(),
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "cannot watch the folder; comparing all of it");
                return self.events_lost();
            }
        };
        if self.renames.is_full() {
            return self.events_lost();
        }
        if event.paths.iter().any(|path| path == self.fence.file()) {
            return self.report_fence(event.kind);
        }
        // A mounted Kubernetes ConfigMap is replaced by way of this name.
        if event.paths.iter().any(|path| path.file_name().is_some_and(|name| name == "..data")) {
            return self.rewatch_and_reconcile();
        }
        let Some(path) = event.paths.last().map(|path| self.renames.present_name(path)) else { return Ok(()) };
        if path == self.folder.root() {
            // Renamed or removed, and possibly back before the next check: the current watches cannot be trusted.
            if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
                self.root_identity = None;
            }
            return Ok(());
        }
        let is_finished = !matches!(event.kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)));
        for link in self.targets.of(&path).into_iter().filter(|_| is_finished) {
            self.look(&link)?;
        }
        // An exchange is reported as two renames in a row, the second one in the opposite direction.
        let goes_back = self.renames.last.as_ref().is_some_and(|(from, to, _)| match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::From)) => path == *to,
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => path == *from,
            EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => true,
            _ => false,
        });
        if !goes_back {
            self.report_rename()?;
        }
        self.handle_event_at(&path, &event)
    }

    /// Reports a fence, after all renames that were held back.
    fn report_fence(&mut self, kind: EventKind) -> Result<(), Closed> {
        if !matches!(kind, EventKind::Access(AccessKind::Close(AccessMode::Write))) {
            return Ok(());
        }
        self.report_rename()?;
        self.report_moved_out_by(Instant::now(), true)?;
        self.send(Change::Fence)
    }

    /// Reports the pending rename as such, since it turned out not to be an exchange.
    fn report_rename(&mut self) -> Result<(), Closed> {
        let Some((from, to, _)) = self.renames.last.take() else { return Ok(()) };
        self.send(Change::Moved { from, to: to.clone() })?;
        self.look(&to)
    }

    fn handle_event_at(&mut self, path: &Path, event: &Event) -> Result<(), Closed> {
        let is_article = is_relevant(&self.folder, path);
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) if is_article => {
                self.writing.closed(path);
                self.recently_changed.remove(path);
                self.look(path)
            }
            EventKind::Create(CreateKind::Folder) => self.folder_appeared(path, None),
            EventKind::Create(_) => self.file_created(path, is_article),
            EventKind::Modify(ModifyKind::Data(_)) if is_article => {
                self.writing.wrote(path);
                Ok(())
            }
            EventKind::Modify(ModifyKind::Metadata(_)) => self.attributes_changed(path, is_article),
            EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
                let folder = self.watched.contains_key(path);
                self.forget(path);
                let Some(cookie) = event.attrs.tracker() else { return self.look(path) };
                self.renames.begin(cookie, path.to_path_buf(), folder);
                Ok(())
            }
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                let half = event.attrs.tracker().and_then(|cookie| self.renames.complete(cookie));
                self.complete_rename(path, half)
            }
            EventKind::Remove(_) => {
                self.forget(path);
                self.look(path)
            }
            _ => Ok(()),
        }
    }

    /// Reports a new hard or symbolic link to an existing file. For any other new file, the close event follows.
    fn file_created(&mut self, path: &Path, is_article: bool) -> Result<(), Closed> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => self.link_appeared(path),
            Ok(metadata) if is_article && metadata.nlink() > 1 => self.look(path),
            Ok(metadata) if is_article && metadata.is_file() => {
                self.writing.opened(path);
                // It may have been written without a name (O_TMPFILE); no close event follows then.
                self.recently_changed.set(path.to_path_buf(), Instant::now() + QUIET);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn link_appeared(&mut self, link: &Path) -> Result<(), Closed> {
        if self.folder.enters_by_link(link) {
            return self.folder_appeared(link, None);
        }
        self.watch_target(link);
        self.look(link)
    }

    /// Handles a change of attributes: a file or folder may have become readable. A file being written is reported when it is
    /// closed.
    fn attributes_changed(&mut self, path: &Path, is_article: bool) -> Result<(), Closed> {
        if is_article {
            return if self.writing.has(path) { Ok(()) } else { self.look(path) };
        }
        if self.watched.contains_key(path) || !self.folder.enters(path) || !path.is_dir() {
            return Ok(());
        }
        self.folder_appeared(path, None)
    }

    fn complete_rename(&mut self, path: &Path, half: Option<HalfRename>) -> Result<(), Closed> {
        let from = half.as_ref().map(|half| half.from.clone());
        if let (Some(from), Some((one, other, _))) = (&from, &self.renames.last)
            && (from, path) == (other, one)
        {
            let (one, other) = (one.clone(), other.clone());
            self.renames.last = None;
            self.send(Change::Exchanged { one: one.clone(), other: other.clone() })?;
            self.look(&one)?;
            return self.look(&other);
        }
        self.report_rename()?;
        let is_article = |path: &Path| self.folder.format(path).is_some();
        let is_folder = half.as_ref().is_some_and(|half| half.folder) || path.is_dir();
        if let Some(from) = from.filter(|from| is_article(from) && is_article(path) && !is_folder) {
            self.renames.last = Some((from, path.to_path_buf(), Instant::now()));
            return Ok(());
        }
        // A new file at the old name has events of its own.
        self.renamed_to(path, half)
    }

    fn renamed_to(&mut self, path: &Path, half: Option<HalfRename>) -> Result<(), Closed> {
        let (from, was_folder) = half.map_or((None, false), |half| (Some(half.from), half.folder));
        let metadata = std::fs::symlink_metadata(path);
        if was_folder || metadata.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return self.folder_appeared(path, from);
        }
        if let Some(from) = from {
            self.send(Change::Moved { from, to: path.to_path_buf() })?;
        }
        if metadata.is_ok_and(|metadata| metadata.is_symlink()) {
            return self.link_appeared(path);
        }
        self.look(path)
    }

    pub(super) fn folder_appeared(&mut self, path: &Path, from: Option<PathBuf>) -> Result<(), Closed> {
        let moved = from.is_some();
        if let Some(from) = from {
            self.renames.note_folder(from.clone(), path.to_path_buf());
            self.send(Change::FolderMoved { from, to: path.to_path_buf() })?;
        }
        if !self.folder.enters(path) {
            return Ok(());
        }
        for file in self.add_tree(path, Report::Files, None) {
            if moved {
                // Later events are in the queue already and have to be reported first.
                self.recently_changed.add(file, Instant::now() + SETTLING);
            } else {
                self.look(&file)?;
            }
        }
        Ok(())
    }

    /// Reports files that were moved out of the folder.
    pub(super) fn report_moved_out(&mut self, now: Instant) -> Result<(), Closed> {
        self.report_moved_out_by(now, false)?;
        let Some((from, _, at)) = &mut self.renames.last else { return Ok(()) };
        if *at + SECOND_HALF_TIMEOUT > now {
            return Ok(());
        }
        // Another file has the old name: a later event will show whether this was an exchange.
        if from.is_file() {
            *at = now;
            return Ok(());
        }
        self.report_rename()
    }

    fn report_moved_out_by(&mut self, now: Instant, at_once: bool) -> Result<(), Closed> {
        self.renames.take_moved_out(now, at_once).iter().try_for_each(|path| self.look(path))
    }
}
