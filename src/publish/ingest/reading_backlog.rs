//! Reads the texts of the backlog.

use std::time::{Duration, Instant};

use super::conductor::Ingest;
use super::read_pool::Prepared;
use super::step::{Trigger, WriteMoment};
use crate::catalog::{self, Catalog, Recorded};
use crate::model::collection::ArticleState;

/// Longest wait for the text of an article of the main feed.
const TEXT_PATIENCE: Duration = Duration::from_secs(20);

impl Ingest {
    /// Reads the texts that requests wait for, or the next few. Returns whether something that is served has changed.
    pub(super) fn read_backlog(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        if !self.backlog.is_open() {
            return Ok(false);
        }
        let mut changed = false;
        let requested = self.backlog.take_requests();
        if !requested.is_empty() {
            for number in requested {
                changed |= self.read_text(catalog, number, None, moment)?;
            }
            self.backlog.served_requests();
            return Ok(changed);
        }
        self.backlog.fill_pool(catalog, &self.folder, &self.supervisor)?;
        for _ in 0..self.backlog.batch_size(moment.instant) {
            let Some((number, prepared)) = self.backlog.next() else { break };
            changed |= self.read_text(catalog, number, prepared, moment)?;
        }
        self.backlog.close_if_empty(catalog)?;
        Ok(changed)
    }

    /// Reads the texts of articles that are to be shown now. An article whose text cannot be read yet is held back until it can: no
    /// reader has seen it.
    pub fn read_texts(&mut self, catalog: &mut Catalog, numbers: &[i64], moment: WriteMoment) -> catalog::Result<()> {
        for number in numbers {
            self.read_text(catalog, *number, None, moment)?;
            self.wait_for_text(catalog, *number, moment)?;
            if let Some(path) = catalog.unread_path(*number)? {
                catalog.withdraw(&path, ArticleState::Held, moment.version)?;
            }
        }
        Ok(())
    }

    /// Waits for a text that is being read on a thread of its own, but not for ever.
    fn wait_for_text(&mut self, catalog: &mut Catalog, number: i64, moment: WriteMoment) -> catalog::Result<()> {
        let until = Instant::now() + TEXT_PATIENCE;
        while let Some(path) = catalog.unread_path(number)? {
            if !self.schedule.has(&path) || Instant::now() >= until {
                break;
            }
            self.schedule.remove(&path);
            self.read_text(catalog, number, None, moment)?;
        }
        Ok(())
    }

    fn read_text(
        &mut self,
        catalog: &mut Catalog,
        number: i64,
        prepared: Option<Prepared>,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(path) = catalog.unread_path(number)? else { return Ok(false) };
        let file = self.folder.root().join(&path);
        let mut changed = self.process_file(catalog, &file, prepared, Trigger::Scan, moment)?;
        if let Some(path) = catalog.unread_path(number)? {
            // A file that is missing or being written is processed again; any other is no article.
            let is_awaited = self.deletions.is_missing(&path) || self.schedule.has(&path) || self.open_files.has(&file);
            if !is_awaited {
                changed |= catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed;
            }
        }
        Ok(changed)
    }
}
