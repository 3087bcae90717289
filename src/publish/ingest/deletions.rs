//! Files that are no more, or that somebody emptied: how long they may come back, and what becomes of their articles.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{DELETION_GRACE, Ingest, Trigger, WriteMoment};
use crate::article::Problem;
use crate::catalog::{self, Catalog, Recorded};
use crate::folder::Stat;
use crate::folder::watch::QUIET;
use crate::model::collection::ArticleState;

/// When more articles than this vanish at once, and they are more than half of all, somebody should look.
const MANY_DELETIONS: usize = 20;
/// How long such a mass deletion waits.
const MASS_DELETION_GRACE: Duration = Duration::from_mins(1);
impl Ingest {
    pub(super) fn is_replaced(&self) -> bool {
        self.inhabited.is_some_and(|before| self.folder.identity() != Some(before))
    }

    pub(super) fn delete(
        &mut self,
        catalog: &mut Catalog,
        paths: Vec<PathBuf>,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        // The root is looked at once more: it may have gone after its files did.
        if paths.is_empty() || !self.folder.is_there() || self.is_replaced() {
            self.folder_is_there &= paths.is_empty();
            return Ok(false);
        }
        let (vanished, all) = (self.missing.len(), catalog.count()?);
        let many = vanished > MANY_DELETIONS && vanished * 2 > all;
        if (many || (vanished >= all && all > 1)) && self.deletions_wait_until.is_none() {
            let seconds = MASS_DELETION_GRACE.as_secs();
            tracing::warn!(
                vanished,
                all,
                seconds,
                "many articles have vanished: they are deleted soon unless they come back"
            );
            self.deletions_wait_until = Some(moment.instant + MASS_DELETION_GRACE);
            return Ok(false);
        }
        // Whatever else vanishes meanwhile may belong to it.
        if self.deletions_wait_until.is_some_and(|until| moment.instant < until) {
            return Ok(false);
        }
        let mut changed = false;
        for path in paths {
            self.missing.remove(&path);
            self.renames.forget(&path);
            let file = self.folder.root().join(&path);
            if !self.folder.has_lost(&file) {
                changed |= self.look(catalog, &file, Trigger::Scanned, moment)?;
                continue;
            }
            if self.give_back(catalog, &path, moment)? {
                self.look_at_twins(&path, moment);
                continue;
            }
            tracing::info!(path = %path.display(), "deleted");
            self.tell(&path, "deleted".to_owned(), moment);
            changed |= catalog.withdraw(&path, ArticleState::Gone, moment.version)? == Recorded::Changed;
            self.look_at_twins(&path, moment);
        }
        if self.missing.is_empty() {
            self.deletions_wait_until = None;
        }
        Ok(changed)
    }

    pub(super) fn has_gone(&mut self, catalog: &mut Catalog, path: &Path, moment: WriteMoment) -> catalog::Result<()> {
        let before = self.left_out.len();
        self.reserved.retain(|draft, _| !draft.starts_with(path));
        self.copies.retain(|copy, _| !copy.starts_with(path));
        self.look_at_recordings_of(path, moment);
        self.left_out.retain(|left_out, _| !left_out.starts_with(path));
        self.complained |= self.left_out.len() != before;
        for known in catalog.known_at_or_below(path)? {
            self.look_at_twins(&known, moment);
            catalog.postpone(&known, moment.now + DELETION_GRACE + QUIET)?;
            self.missing.entry(known).or_insert(moment.instant + DELETION_GRACE);
        }
        Ok(())
    }

    /// An empty file is mostly one that is about to be written; only one that stays empty takes its article back.
    pub(super) fn empty(
        &mut self,
        catalog: &mut Catalog,
        path: PathBuf,
        stat: Stat,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        if catalog.known(&path)?.is_none_or(|known| known.state != ArticleState::Live) {
            self.leave_out(
                path,
                stat,
                &[Problem::of_file("nothing in it yet: it is published once it has text")],
                None,
            );
            return Ok(false);
        }
        let deadline = *self.emptied.entry(path.clone()).or_insert(moment.instant + DELETION_GRACE);
        if deadline > moment.instant {
            return Ok(false);
        }
        tracing::info!(path = %path.display(), "no longer published: the file is empty");
        self.tell(&path, "empty, and no longer published".to_owned(), moment);
        if self.give_back_of_empty(catalog, &path, moment)? {
            self.look_at_twins(&path, moment);
            return Ok(false);
        }
        Ok(catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed)
    }
}
