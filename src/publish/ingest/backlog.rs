//! Articles of which only the heads were read: their texts are read when nothing else is to be done, and at once where somebody asks
//! for them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::read_pool::{self, Ahead, Depth, Job, Prepared};
use super::{Ingest, Trigger, WriteMoment, cores};
use crate::catalog::{self, Catalog, Recorded};
use crate::change::TextRequests;
use crate::folder::SourceFormat;
use crate::model::collection::ArticleState;

/// Texts that are read in one transaction: so few that whatever else happens is not kept waiting.
const BATCH: usize = 32;
/// The same while something happens now and then.
const FEW: usize = 4;
/// For how long after a change another one is expected.
const LIVELY: Duration = Duration::from_secs(3);
/// Texts that are read on other cores before they are recorded.
const MOST_AHEAD: usize = 4 * BATCH;

/// What is still to be read, and how far that has come.
#[derive(Debug, Default)]
pub(super) struct Unread {
    asked: TextRequests,
    /// There may be some.
    is_open: bool,
    /// All up to this number were read, or asked for.
    last: i64,
    /// Asked for on other cores, in order.
    under_way: VecDeque<i64>,
    ahead: Option<Ahead>,
    /// When a change was last followed.
    last_change: Option<Instant>,
    /// Something that was asked for is read, and nobody was told yet.
    is_untold: bool,
}

impl Unread {
    /// What a catalog has not read yet.
    pub fn of(catalog: &Catalog) -> catalog::Result<Self> {
        Ok(Self { is_open: !catalog.unread_after(0, 1)?.is_empty(), ..Self::default() })
    }

    /// Whether something may be to be read.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Something is.
    pub fn open(&mut self) {
        self.is_untold |= !self.is_open;
        self.is_open = true;
    }
}

impl Ingest {
    /// The same, hearing of what is asked for.
    pub fn asked(&mut self, asked: TextRequests) {
        self.unread.asked = asked;
        self.unread.is_untold = true;
        self.tell_who_asked();
    }

    /// Tells those who wait for texts what was read. They look into the catalog then: so it is called when that is written.
    pub fn tell_who_asked(&mut self) {
        if std::mem::take(&mut self.unread.is_untold) {
            self.unread.asked.set_open(self.unread.is_open);
            self.unread.asked.done();
        }
    }

    /// A change is followed: others may come soon.
    pub(super) fn is_lively(&mut self, now: Instant) {
        self.unread.last_change = Some(now);
    }

    /// Whether there may be articles whose texts were not read yet.
    pub fn has_unread(&self) -> bool {
        self.unread.is_open
    }

    /// Reads what is asked for, and a few more. Says whether something that is served has changed.
    pub(super) fn read_unread(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        if !self.unread.is_open {
            return Ok(false);
        }
        let asked = self.unread.asked.take(BATCH);
        if asked.is_empty() {
            return self.read_some(catalog, moment);
        }
        let mut changed = false;
        for number in &asked {
            changed |= self.read_text(catalog, *number, None, moment)?;
        }
        self.unread.is_untold = true;
        Ok(changed)
    }

    /// Reads the texts of articles that are to be shown now. One that cannot be had by now is taken back until it can: nobody was
    /// shown it yet.
    pub fn read_texts(&mut self, catalog: &mut Catalog, numbers: &[i64], moment: WriteMoment) -> catalog::Result<()> {
        for number in numbers {
            self.read_text(catalog, *number, None, moment)?;
            if let Some(path) = catalog.unread_path(*number)? {
                catalog.withdraw(&path, ArticleState::Held, moment.version)?;
            }
        }
        Ok(())
    }

    /// The next few texts, which were read on other cores meanwhile.
    fn read_some(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        self.ask_for_texts(catalog)?;
        let mut changed = false;
        let is_lively = self.unread.last_change.is_some_and(|last| moment.instant.duration_since(last) < LIVELY);
        for _ in 0..if is_lively { FEW } else { BATCH } {
            let Some(number) = self.unread.under_way.pop_front() else { break };
            let prepared = self.unread.ahead.as_mut().and_then(Ahead::next);
            changed |= self.read_text(catalog, number, prepared, moment)?;
        }
        if self.unread.under_way.is_empty() && catalog.unread_after(self.unread.last, 1)?.is_empty() {
            tracing::debug!("the backlog is empty: all texts have been read");
            (self.unread.is_open, self.unread.last, self.unread.ahead) = (false, 0, None);
            self.unread.is_untold = true;
        }
        Ok(changed)
    }

    fn ask_for_texts(&mut self, catalog: &Catalog) -> catalog::Result<()> {
        let (rules, size_limit) = (self.rules, self.size_limit);
        // One core is left for everything else.
        let ahead =
            self.unread.ahead.get_or_insert_with(|| Ahead::new(cores().saturating_sub(1).max(1), rules, size_limit));
        while self.unread.under_way.len() < MOST_AHEAD && ahead.has_room() {
            let numbers = catalog.unread_after(self.unread.last, read_pool::BATCH)?;
            let Some(last) = numbers.last() else { break };
            self.unread.last = *last;
            let mut jobs = Vec::with_capacity(numbers.len());
            for number in numbers {
                let Some(path) = catalog.unread_path(number)? else { continue };
                let file = self.folder.root().join(&path);
                let size = self.folder.stat(&path).map_or(0, |stat| stat.size);
                let format = self.folder.format(&file).unwrap_or(SourceFormat::Text);
                jobs.push(Job { file, path, format, depth: Depth::Whole, size, known: None });
                self.unread.under_way.push_back(number);
            }
            ahead.ask(jobs);
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
        let mut changed = self.look_at(catalog, &file, prepared, Trigger::Scanned, moment)?;
        if let Some(path) = catalog.unread_path(number)? {
            // What is missing or in work is looked at again; what cannot be understood is no article.
            let is_awaited =
                self.missing.contains_key(&path) || self.later.contains_key(&path) || self.writing.has(&file);
            if !is_awaited {
                changed |= catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed;
            }
        }
        Ok(changed)
    }
}
