//! Change -> catalog: reads what a hint points to, decides with the catalog what it is, and has it written down.

mod backlog;
mod compare;
mod content;
mod deletions;
mod fences;
mod ownership;
mod problems;
mod read_pool;
mod recordings;
mod references;
mod renames;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use url::Url;

use crate::article::load::{LoadError, Loaded};
use crate::article::{self, Article, Problem, Rules, Verdict};
use crate::catalog::{self, Arrival, Catalog, Decision, Extent, Identity, Known, Recorded};
use crate::change::Change;
use crate::config::Config;
use crate::folder::watch::{Armed, Fence, OpenFiles, QUIET};
use crate::folder::{Folder, SourceFormat, Stat};
use crate::model::collection::ArticleState;
use crate::model::moment::{Moment, Version};
use crate::model::taxonomy::Term;
use crate::model::text;
use crate::observe::status::Notice;
use crate::render::feed::Channel;
use backlog::Unread;
use content::{Shown, said};
use fences::Fences;
use ownership::problems_of;
use problems::LeftOut;
use read_pool::{Ahead, Depth, Job, Prepared, Understood};
use recordings::RecordingIndex;
use renames::Renames;

/// How long a file may be away before its article counts as deleted: many programs save by removing and writing anew.
pub const DELETION_GRACE: Duration = Duration::from_secs(2);
/// A file whose time stamps are younger than this may change again without their showing it.
const RACY: Duration = Duration::from_secs(2);
/// Files that are read in one transaction.
const IMPORT_BATCH: usize = 10_000;
/// Of fewer files that a scan finds, all is read at once.
const HURRY_FROM: usize = 200;

/// The time at which something is done.
#[derive(Debug, Clone, Copy)]
pub struct WriteMoment {
    now: DateTime<Utc>,
    instant: Instant,
    /// The second of the version that will show it.
    version: Version,
}

impl WriteMoment {
    /// Now, to be shown in the second `version`.
    pub fn now(version: Version) -> Self {
        Self { now: Utc::now(), instant: Instant::now(), version }
    }

    /// The same on a clock that nobody sets.
    pub fn instant(&self) -> Instant {
        self.instant
    }

    /// The same to the second.
    pub fn seconds(&self) -> DateTime<Utc> {
        article::date::whole_seconds(self.now)
    }

    /// The moment of what is recorded now, to the second.
    fn recorded(&self) -> Moment {
        Moment { version: self.version, due: self.seconds() }
    }

    fn refreshed(self) -> Self {
        Self { now: Utc::now(), instant: self.instant.max(Instant::now()), ..self }
    }

    fn nanoseconds(&self) -> i64 {
        self.now.timestamp_nanos_opt().unwrap_or(i64::MAX)
    }
}

/// Whether all hints that have come were followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// None waits.
    Empty,
    /// There may be more.
    More,
}

/// How a file came to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// Somebody has finished with it.
    Finished,
    /// It has not changed since a fence was raised, and every hint before that fence has been followed.
    Awaited,
    /// A scan came across it; somebody may be writing it.
    Scanned,
    /// The first scan did: it was there before the daemon.
    Imported,
}

impl Trigger {
    fn by_scan(self) -> bool {
        matches!(self, Self::Scanned | Self::Imported)
    }
}

/// A file that a scan found to be read.
#[derive(Debug)]
struct Pending {
    path: PathBuf,
    format: SourceFormat,
    size: i64,
    /// The catalog has nothing under this path.
    is_new: bool,
    /// What was last read of it.
    known: Option<Box<[u8; 32]>>,
}

/// A file that was read.
struct Read {
    path: PathBuf,
    format: SourceFormat,
    loaded: Loaded,
    /// BLAKE3 of its bytes.
    hash: [u8; 32],
    understood: Understood,
}

/// What a file says.
struct Said {
    article: Box<Article>,
    /// The views that it is in, if somebody has found out.
    terms: Option<Vec<Term>>,
    problems: Vec<Problem>,
    extent: Extent,
}

/// What came of writing an article down.
struct Written {
    recorded: Recorded,
    /// What the writer should know of the files that it names.
    problems: Vec<Problem>,
}

/// Reads what changed and writes it down. All paths in here are below the watched folder.
#[derive(Debug)]
pub struct Ingest {
    folder: Folder,
    rules: Rules,
    size_limit: u64,
    hold: Duration,
    channel: Channel,
    writing: OpenFiles,
    /// Which folders are watched by now.
    armed: Armed,
    /// Files that have vanished, and when they count as deleted.
    missing: HashMap<PathBuf, Instant>,
    renames: Renames,
    /// What waits until every hint of it has arrived.
    fences: Fences,
    /// Files that a writer emptied, and when they count as empty.
    emptied: HashMap<PathBuf, Instant>,
    /// What the last scan found to be read, and how it came to notice.
    pending: VecDeque<Pending>,
    pending_seen: Trigger,
    /// Of new ones among them, the heads are enough for now.
    depth: Depth,
    /// Reads the next of them. How many of them were asked for is what it has.
    ahead: Option<Ahead>,
    /// Articles of which only the heads were read.
    unread: Unread,
    /// Files to be looked at again: when, and how they came to notice.
    later: HashMap<PathBuf, (Instant, Trigger)>,
    left_out: HashMap<PathBuf, LeftOut>,
    /// Files that are not published because they have the bytes of an article, and that article.
    copies: HashMap<PathBuf, PathBuf>,
    /// By draft, the recordings that its front matter names.
    reserved: HashMap<PathBuf, Vec<PathBuf>>,
    /// Recordings of articles that were given another name, and until when their articles may follow.
    renamed: HashMap<PathBuf, Instant>,
    /// The recordings in the folder, while what a scan found is read.
    listed: Option<RecordingIndex>,
    /// How the files that the next scan finds come to notice.
    next_scan: Trigger,
    /// The folder is there; while it is not, nothing counts as deleted.
    folder_is_there: bool,
    /// Folders whose feeds are known to be there.
    folders: HashSet<PathBuf>,
    /// Which folder it was when it last held articles.
    inhabited: Option<(u64, u64)>,
    /// Very many articles have vanished: until when they wait, after the operator was warned.
    deletions_wait_until: Option<Instant>,
    /// What the operator was not told yet.
    news: Vec<Notice>,
    /// What is wrong with files has changed since the operator was told.
    complained: bool,
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
        writing: OpenFiles,
    ) -> catalog::Result<Self> {
        let rules = Rules::new(&config.articles, &config.site);
        let fingerprint = format!("{} {rules:?} {}", article::VERSION, channel.base_url);
        if catalog.meta("reading")?.as_deref() != Some(&fingerprint) {
            catalog.read_all_again("reading", &fingerprint)?;
        }
        let unread = Unread::of(catalog)?;
        Ok(Self {
            folder,
            rules,
            size_limit: config.articles.max_file_size.0,
            hold: config.articles.hold.0,
            channel: channel.clone(),
            writing,
            armed: Armed::default(),
            missing: HashMap::new(),
            renames: Renames::default(),
            fences: Fences::default(),
            emptied: HashMap::new(),
            pending: VecDeque::new(),
            pending_seen: Trigger::Imported,
            depth: Depth::Whole,
            ahead: None,
            unread,
            later: HashMap::new(),
            left_out: HashMap::new(),
            copies: HashMap::new(),
            reserved: HashMap::new(),
            renamed: HashMap::new(),
            listed: None,
            next_scan: Trigger::Imported,
            inhabited: None,
            folder_is_there: true,
            folders: HashSet::new(),
            deletions_wait_until: None,
            news: Vec::new(),
            complained: true,
        })
    }

    /// Looks into no folder from now on before it is watched.
    pub fn behind(&mut self, armed: Armed, fence: Fence) {
        (self.armed, self.fences) = (armed, Fences::new(fence));
    }

    /// How long until [`Ingest::tick`] has something to do.
    pub fn until_next_wake(&self, now: Instant) -> Option<Duration> {
        if self.is_reading() || self.unread.is_open() {
            return Some(Duration::ZERO);
        }
        // While the folder is away, what is missing waits for it to come back.
        let holds = self.fences.holds_deletions();
        let missing = self.missing.values().filter(|_| self.folder_is_there && !holds);
        let missing = missing.map(|at| self.deletions_wait_until.map_or(*at, |until| until.max(*at)));
        let later = self.later.values().map(|(at, _)| *at);
        let next = missing.chain(self.emptied.values().copied()).chain(later).min();
        let next = next.map(|at| at.saturating_duration_since(now));
        next.into_iter().chain(self.fences.until_next_wake(now)).min()
    }

    /// How long until files that a scan came across too soon can be read; `None` if there are none.
    pub fn until_quiet(&self, now: Instant) -> Option<Duration> {
        self.later.values().map(|(at, _)| at.saturating_duration_since(now)).max()
    }

    /// The same of files that nothing is published of yet, or something that was not read from them as they would be now.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn until_new_are_quiet(&self, catalog: &Catalog, now: Instant) -> catalog::Result<Option<Duration>> {
        let mut longest = None;
        for (path, (at, _)) in &self.later {
            if catalog.known(path)?.is_none_or(|known| known.stale) {
                longest = longest.max(Some(at.saturating_duration_since(now)));
            }
        }
        Ok(longest)
    }

    /// Follows hints. Says whether something that is served has changed.
    pub fn changes(&mut self, catalog: &mut Catalog, hints: &[Change], moment: WriteMoment) -> catalog::Result<bool> {
        self.is_lively(moment.instant);
        let mut changed = false;
        // Renames first: a look shows what is true now, and whoever followed an older rename after it would be led astray.
        for hint in hints {
            match hint {
                // Without fences, a hint may be older than what was seen: then only files say what was renamed.
                Change::Moved { .. } | Change::Exchanged { .. } if !self.fences.are_available() => {}
                Change::Moved { from, to } => changed |= self.moved(catalog, from, to, moment)?,
                Change::Exchanged { one, other } => self.exchanged(catalog, one, other, moment)?,
                Change::Fence => self.fences.pass(moment.instant),
                Change::Look(_) | Change::Reconcile => {}
            }
        }
        let mut looked_at = HashSet::new();
        for hint in hints {
            let paths = match hint {
                Change::Look(path) => [Some(path), None],
                Change::Moved { from, to } if !self.fences.are_available() => [Some(from), Some(to)],
                Change::Exchanged { one, other } if !self.fences.are_available() => [Some(one), Some(other)],
                _ => [None, None],
            };
            for path in paths.into_iter().flatten() {
                if looked_at.insert(path) {
                    changed |= self.look(catalog, path, Trigger::Finished, moment)?;
                }
            }
        }
        Ok(changed)
    }

    /// How many files that a scan found are still to be read.
    pub fn left_to_read(&self) -> usize {
        self.pending.len()
    }

    /// Whether files that a scan found are still to be read.
    pub fn is_reading(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Reads the next files that a scan found: so many at a time that versions can be shown in between.
    fn read_pending(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        let mut changed = false;
        for _ in 0..self.pending.len().min(IMPORT_BATCH) {
            let prepared = self.next_prepared();
            let Some(Pending { path, .. }) = self.pending.pop_front() else { break };
            let file = self.folder.root().join(path);
            // Somebody may have opened it since.
            if !self.writing.has(&file) {
                changed |= self.look_at(catalog, &file, prepared, self.pending_seen, moment)?;
            }
        }
        if self.pending.is_empty() {
            (self.listed, self.ahead) = (None, None);
        }
        Ok(changed)
    }

    /// The next file that a scan found, if it is read on another core, and sees to it that those after it are.
    fn next_prepared(&mut self) -> Option<Prepared> {
        if self.pending.len() > 1 && self.ahead.is_none() {
            self.ahead = Some(Ahead::new(cores(), self.rules, self.size_limit));
        }
        let ahead = self.ahead.as_mut()?;
        while ahead.has_room() {
            let next = self.pending.iter().skip(ahead.len()).take(read_pool::BATCH);
            let jobs: Vec<Job> = next.map(|next| Job::of(next, self.folder.root(), self.depth)).collect();
            if jobs.is_empty() {
                break;
            }
            ahead.ask(jobs);
        }
        ahead.next()
    }

    /// Does what time brings. Says whether something that is served has changed. Nothing is deleted while hints wait: one
    /// of them may say where the file is now.
    pub fn tick(&mut self, catalog: &mut Catalog, hints: Queue, moment: WriteMoment) -> catalog::Result<bool> {
        let due = |map: &HashMap<PathBuf, Instant>| -> Vec<PathBuf> {
            map.iter().filter(|(_, at)| **at <= moment.instant).map(|(path, _)| path.clone()).collect()
        };
        self.fences.time_out(moment.instant);
        self.renames.forget_old(&self.fences);
        self.renamed.retain(|_, until| *until > moment.instant);
        let mut changed =
            if self.is_reading() { self.read_pending(catalog, moment)? } else { self.read_unread(catalog, moment)? };
        changed |= self.read_deferred(catalog, moment)?;
        let mut later = self.later.extract_if(|_, (at, _)| *at <= moment.instant).collect::<Vec<_>>();
        later.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (path, (_, seen)) in later {
            changed |= self.look(catalog, &self.folder.root().join(&path), seen, moment)?;
        }
        for path in due(&self.emptied) {
            changed |= self.look(catalog, &self.folder.root().join(&path), Trigger::Finished, moment)?;
            self.emptied.remove(&path);
        }
        // What is missing may be among what is still to be read, under another name.
        if self.folder_is_there && !self.is_reading() {
            let mut missing = due(&self.missing);
            if let Some(since) = self.fences.may_delete(!missing.is_empty(), hints, moment.instant) {
                missing.retain(|path| self.missing.get(path).is_some_and(|at| *at <= since));
                changed |= self.delete(catalog, missing, moment)?;
            }
        }
        Ok(changed)
    }

    /// Finds out what is true of one file. Says whether something that is served has changed.
    fn look(
        &mut self,
        catalog: &mut Catalog,
        file: &Path,
        seen: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        self.look_at(catalog, file, None, seen, moment)
    }

    /// The same of a file that may have been read already.
    fn look_at(
        &mut self,
        catalog: &mut Catalog,
        file: &Path,
        prepared: Option<Prepared>,
        seen: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(path) = self.folder.relative(file).map(Path::to_path_buf) else { return Ok(false) };
        // A scan may have taken long since its moment began.
        let moment = moment.refreshed();
        let format = prepared.as_ref().map(|prepared| prepared.format).or_else(|| self.folder.format(file));
        let Some(format) = format else {
            if self.folder.is_conflict_copy(file) && file.exists() {
                self.report_conflicts(&[file.to_path_buf()]);
            }
            // A folder that has gone takes everything in it along.
            if matches!(file.try_exists(), Ok(false)) {
                self.has_gone(catalog, &path, moment)?;
            }
            self.media_changed(catalog, &path, moment)?;
            return Ok(false);
        };
        if format == SourceFormat::Audio && self.is_left_out(catalog, &path, seen, moment)? {
            return Ok(false);
        }
        let prepared = prepared.filter(|prepared| prepared.is_fresh(catalog) || prepared.is_current(file));
        let prepared = prepared.unwrap_or_else(|| Prepared::only_loaded(file, format, self.size_limit));
        let Prepared { loaded, hash, understood, .. } = prepared;
        match loaded {
            Ok(loaded) if seen.by_scan() && loaded.stat.until_quiet(moment.nanoseconds(), QUIET).is_some() => {
                self.later.insert(path, (moment.instant + QUIET, seen));
                Ok(false)
            }
            // It was opened again meanwhile: what was read may be half of it. Its close will be told.
            Ok(_) if self.writing.has(file) => Ok(false),
            Ok(loaded) => {
                let is_fresh = catalog.never_saw(&hash, loaded.stat)?;
                let mut moved = false;
                if !is_fresh {
                    match self.moved_unseen(catalog, &path, loaded.stat, seen, moment)? {
                        Some(so) => moved = so,
                        None => return Ok(false),
                    }
                    self.missing.remove(&path);
                }
                let known = if is_fresh { None } else { catalog.known(&path)? };
                let read = Read { path, format, loaded, hash, understood };
                Ok(moved | self.read(catalog, read, known.as_ref(), seen, moment)?)
            }
            Err(LoadError::Gone | LoadError::NotAFile) => {
                self.has_gone(catalog, &path, moment)?;
                Ok(false)
            }
            Err(error) if error.is_passing() => {
                tracing::debug!(path = %path.display(), %error, "cannot read the file yet; retrying");
                self.later.insert(path, (moment.instant + QUIET, seen));
                Ok(false)
            }
            Err(error) => {
                self.missing.remove(&path);
                self.leave_out(path, Stat::default(), &[Problem::of_file(error.to_string())], None);
                Ok(false)
            }
        }
    }

    fn read(
        &mut self,
        catalog: &mut Catalog,
        mut read: Read,
        known: Option<&Known>,
        seen: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let (found, file_hash) = (read.loaded.stat, read.hash);
        let path = &read.path.clone();
        // What may change again without showing it is read again next time.
        let is_racy = found.until_quiet(moment.nanoseconds(), RACY).is_some();
        let stat = if is_racy { found.file_only() } else { found };
        let is_read = |known: &&Known| known.state == ArticleState::Live && !known.stale && !known.unread;
        if known.filter(is_read).is_some_and(|known| known.file_hash == file_hash) {
            self.emptied.remove(path);
            self.mend(path);
            catalog.touch(path, stat)?;
            return Ok(false);
        }
        if let Some(known) = known {
            self.file_replaced(path, known, found, seen, moment);
        }
        let held_until = self.held_until(&found, moment);
        let Said { article, terms, problems, extent } = match self.understand(&mut read, known, held_until, moment) {
            Ok(understood) => understood,
            Err(Verdict::Draft(problem, enclosures)) => {
                let changed = self.became_draft(catalog, path, &enclosures, moment)?;
                self.leave_out(path.clone(), found, &[problem], None);
                self.look_at_twins(path, moment);
                return Ok(changed | (catalog.withdraw(path, ArticleState::Held, moment.version)? == Recorded::Changed));
            }
            Err(Verdict::Broken(problem)) => {
                self.leave_out(path.clone(), found, &[problem], None);
                return Ok(false);
            }
            Err(_) => return self.empty(catalog, read.path, found, moment),
        };
        self.emptied.remove(path);
        self.reserved.remove(path);
        let arrival = Arrival {
            path,
            article: &article,
            terms: terms.as_deref(),
            file_hash,
            entry_hash: if extent == Extent::Whole { said(&article) } else { [0; 32] },
            extent,
            stat,
            first_seen: first_seen(&found, seen, moment).max(held_until),
            held_until,
            now: article::date::whole_seconds(moment.now),
        };
        match self.record(catalog, &arrival, seen, moment)? {
            Ok(Written { recorded, problems: missing }) => {
                if seen != Trigger::Imported {
                    self.inhabited = self.folder.identity();
                }
                // It is not what it was: what was a copy of it may not be one any more.
                self.look_at_twins(path, moment);
                // Links to it lead to its page from now on.
                if known.is_none() {
                    self.media_changed(catalog, path, moment)?;
                }
                let problems: Vec<Problem> = problems.into_iter().chain(missing).collect();
                self.report(read.path, found, &problems);
                Ok(recorded == Recorded::Changed)
            }
            Err((problem, twin)) => {
                self.leave_out(read.path, found, &[problem], twin);
                Ok(false)
            }
        }
    }

    /// Whether the head of a new article says all that has to be known of it by now: it is shown, and nothing beside it belongs
    /// to it.
    fn is_enough(&self, path: &Path, article: &Article, held_until: DateTime<Utc>, moment: WriteMoment) -> bool {
        let is_due = article.published.is_none_or(|published| published <= moment.now) && held_until <= moment.now;
        is_due && self.beside(path, &self.of_its_name(path)).is_empty()
    }

    /// What a file says, as far as it has to be known by now; or why it becomes no entry.
    fn understand(
        &mut self,
        read: &mut Read,
        known: Option<&Known>,
        held_until: DateTime<Utc>,
        moment: WriteMoment,
    ) -> Result<Said, Verdict> {
        let Read { path, format, loaded, understood, .. } = read;
        let reading = match std::mem::replace(understood, Understood::Nothing) {
            Understood::Head(article, terms)
                if known.is_none() && self.is_enough(path, &article, held_until, moment) =>
            {
                let extent = Extent::Head(loaded.bytes.len() as u64);
                return Ok(Said { article, terms: Some(terms), problems: Vec::new(), extent });
            }
            Understood::Whole(reading) => *reading,
            Understood::Head(..) | Understood::Nothing => {
                let file = self.folder.root().join(&*path);
                article::read_file(&file, &loaded.bytes, path, *format, &self.rules)
            }
        };
        self.report_removed(path, &reading.removed);
        match reading.verdict {
            Verdict::Publish(article) => {
                Ok(Said { article, terms: None, problems: reading.problems, extent: Extent::Whole })
            }
            other => Err(other),
        }
    }

    /// Until when a new article waits: the hold counts from when its file was put there, which nobody can forge.
    fn held_until(&self, stat: &Stat, moment: WriteMoment) -> DateTime<Utc> {
        let put = DateTime::from_timestamp_nanos(stat.ctime.min(moment.nanoseconds()));
        // Never too short.
        let until = article::date::whole_seconds(put + self.hold + QUIET);
        if self.hold.is_zero() || until <= moment.now { DateTime::UNIX_EPOCH } else { until }
    }

    /// Writes an article down under its identity; or says why it cannot be, and which article it must not be published beside.
    fn record(
        &mut self,
        catalog: &mut Catalog,
        arrival: &Arrival<'_>,
        seen: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<Result<Written, (Problem, Option<PathBuf>)>> {
        let mut identity = match self.identify(catalog, arrival)? {
            Ok(identity) => identity,
            Err(twin) => return Ok(Err(twin)),
        };
        let namesakes = self.of_its_name(arrival.path);
        let claims = self.claims(catalog, arrival, &identity, &namesakes, moment)?;
        if self.pass_entry(catalog, arrival, &identity, &claims, moment)? {
            identity = match self.identify(catalog, arrival)? {
                Ok(identity) => identity,
                Err(twin) => return Ok(Err(twin)),
            };
        }
        let permalink =
            Url::parse(&self.channel.page(&identity.slug)).expect("the base address and a slug make an address");
        let shown = article::panic_as_problem(|| match arrival.extent {
            Extent::Whole => self.content(catalog, arrival.article, arrival.path, &namesakes, &permalink),
            Extent::Head(_) => Ok(Shown::of_head(arrival.article)),
        });
        let mut shown = match shown {
            Ok(shown) => shown?,
            Err(problem) => return Ok(Err((problem, None))),
        };
        self.note_claims(&mut shown.referred, &claims);
        shown.problems.extend(problems_of(&claims, arrival.article));
        let recorded = catalog.record(&identity, arrival, &shown.content, moment.version)?;
        if arrival.extent == Extent::Whole {
            self.refer(catalog, &identity, arrival.path, &shown.referred, moment)?;
        } else {
            self.unread.open();
        }
        // An import would say this a hundred thousand times.
        if recorded == Recorded::Changed && seen != Trigger::Imported {
            self.tell_published(&identity, arrival.path, &permalink, moment);
        }
        Ok(Ok(Written { recorded, problems: shown.problems }))
    }

    /// Finds out which article an arrival is; or which article it must not be published beside, and why.
    fn identify(
        &mut self,
        catalog: &mut Catalog,
        arrival: &Arrival<'_>,
    ) -> catalog::Result<Result<Identity, (Problem, Option<PathBuf>)>> {
        let missing = &self.missing;
        let original = self.copies.get(arrival.path).filter(|original| missing.contains_key(*original));
        match catalog.identify(arrival, original.map(PathBuf::as_path), |path| missing.contains_key(path))? {
            Decision::Is(identity) => {
                self.copies.remove(arrival.path);
                if let Some(from) = &identity.moved_from {
                    self.missing.remove(from);
                }
                Ok(Ok(identity))
            }
            Decision::CopyOf(twin) => {
                self.copies.insert(arrival.path.to_path_buf(), twin.clone());
                let advice = "not published twice; change it or delete one of them";
                let problem = Problem::of_file(format!("the same text as {}: {advice}", text::path_line(&twin)));
                Ok(Err((problem, Some(twin))))
            }
            Decision::SameId(twin) => {
                let advice = "an id belongs to one article; give this one another";
                let problem = Problem::of_file(format!("the same id as {}: {advice}", text::path_line(&twin)));
                Ok(Err((problem, Some(twin))))
            }
        }
    }

    /// Whether a recording is no entry of its own. If it is one and belongs to an article, the article is asked to take it over.
    fn is_left_out(
        &mut self,
        catalog: &mut Catalog,
        recording: &Path,
        seen: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let own = catalog.known(recording)?;
        let is_entry = own.as_ref().is_some_and(|own| own.state == ArticleState::Live);
        let Some(owner) = self.claimed_by(catalog, recording, moment)? else {
            if let Some(until) = self.renamed.get(recording).filter(|_| own.is_none()) {
                self.later.insert(recording.to_path_buf(), (*until, seen));
                return Ok(true);
            }
            self.recording_changed(catalog, recording, moment)?;
            return Ok(false);
        };
        if is_entry {
            self.ask_owner(catalog, &owner, recording, moment)?;
            self.recording_changed(catalog, recording, moment)?;
            return Ok(false);
        }
        self.belongs(catalog, recording.to_path_buf(), owner, seen, moment)?;
        Ok(true)
    }
}

/// How many cores there are.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// When an article that says nothing about it was published: when it arrived, or, if it was there before the daemon, when
/// its file was last changed, so far as that can be believed.
fn first_seen(stat: &Stat, seen: Trigger, moment: WriteMoment) -> DateTime<Utc> {
    let now = article::date::whole_seconds(moment.now);
    let changed = DateTime::from_timestamp(stat.mtime.div_euclid(1_000_000_000), 0).unwrap_or(now);
    let believable = changed.timestamp() >= article::date::FIRST_BELIEVABLE && changed <= now;
    if seen == Trigger::Imported && believable { changed } else { now }
}
