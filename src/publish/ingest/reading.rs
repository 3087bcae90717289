//! One file -> catalog: reads the file, determines with the catalog which article it is, and records the article.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use url::Url;

use super::conductor::Ingest;
use super::content::{RenderedArticle, entry_hash};
use super::ownership::problems_of;
use super::problems::{PublicState, Twin};
use super::read_pool::{Parsed, Prepared};
use super::reading_supervisor::{FileBytes, ReadingOutcome};
use super::step::{Trigger, WriteMoment};
use crate::article::boilerplate::Removed;
use crate::article::folder_data::DataLookup;
use crate::article::front_matter::Field;
use crate::article::load::{LoadError, Loaded, load_as};
use crate::article::{self, Article, Problem, Verdict};
use crate::catalog::{self, Arrival, Catalog, Decision, Extent, Identity, Known, Recorded};
use crate::config::Clean;
use crate::folder::watch::QUIET;
use crate::folder::{CONFLICT, SourceFormat, Stat, folder_link_message};
use crate::model::collection::ArticleState;
use crate::model::site_page::Permalink;
use crate::model::taxonomy::Term;

/// Age up to which a new recording waits for texts that were found with it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A file whose timestamps are younger than this may change again without a visible change of its timestamps.
const RACY: Duration = Duration::from_secs(2);

/// A file that was read.
struct ReadFile {
    path: PathBuf,
    format: SourceFormat,
    loaded: Loaded,
    /// BLAKE3 of its bytes.
    hash: [u8; 32],
    parsed: Parsed,
}

/// An article parsed from a file, as far as currently needed.
struct ParsedArticle {
    article: Box<Article>,
    /// The terms of its views, if they are known already.
    terms: Option<Vec<Term>>,
    problems: Vec<Problem>,
    extent: Extent,
}

/// An article that was recorded.
struct RecordedArticle {
    recorded: Recorded,
    /// Problems with the files that it names.
    problems: Vec<Problem>,
}

/// Why an article was refused, and the other article that caused the refusal.
type Refused = (Problem, Option<Twin>);

impl Ingest {
    /// Reads the file at a path, or notes that it is missing. Returns whether anything that is served has changed.
    pub(super) fn process_path(
        &mut self,
        catalog: &mut Catalog,
        file: &Path,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        self.process_file(catalog, file, None, trigger, moment)
    }

    /// Processes a file that the read pool may have read already.
    pub(super) fn process_file(
        &mut self,
        catalog: &mut Catalog,
        file: &Path,
        prepared: Option<Prepared>,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(path) = self.folder.relative(file).map(Path::to_path_buf) else { return Ok(false) };
        // A scan can take long, so the time is read again.
        let moment = moment.refreshed();
        self.beat();
        let format = prepared.as_ref().map(|prepared| prepared.format).or_else(|| self.folder.format(file));
        let Some(format) = format else { return self.process_other(catalog, file, &path, trigger, moment) };
        if format.may_belong_to_article() && self.is_left_out(catalog, &path, trigger, moment)? {
            return Ok(false);
        }
        if let Some(recording) = self.recording_of_part(&path) {
            self.leave_to_owner(catalog, path.clone(), recording, trigger, moment)?;
            return Ok(catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed);
        }
        let data_now = self.supervisor.data.generation();
        let prepared = prepared.filter(|prepared| prepared.is_usable(data_now));
        let prepared =
            prepared.filter(|prepared| prepared.is_fresh(catalog) || prepared.is_current(&self.folder, &path));
        let prepared =
            prepared.unwrap_or_else(|| Prepared::only_loaded(&self.folder, &path, format, self.supervisor.size_limit));
        let Prepared { loaded, hash, parsed, generation, .. } = prepared;
        // What other files say of it may have changed since it was parsed.
        let parsed = if generation == data_now { parsed } else { Parsed::Nothing };
        match loaded {
            Ok(loaded) if trigger.is_scan() && loaded.stat.until_quiet(moment.nanoseconds(), QUIET).is_some() => {
                self.schedule.set(path, moment.instant + QUIET, trigger);
                Ok(false)
            }
            // It was opened again, so the bytes may be incomplete. The event of its close follows.
            Ok(_) if self.open_files.has(file) => Ok(false),
            // Another node has published a newer text of it, which has not arrived here.
            Ok(_) if catalog.is_behind(&path, &hash)? => {
                self.deletions.cancel(&path);
                Ok(false)
            }
            Ok(loaded) => {
                catalog.note_level(&path)?;
                let is_fresh = catalog.is_certainly_new(&hash, loaded.stat)?;
                let mut moved = false;
                if !is_fresh {
                    match self.detect_rename(catalog, &path, loaded.stat, trigger, moment)? {
                        Some(changed) => moved = changed,
                        None => return Ok(false),
                    }
                    self.deletions.cancel(&path);
                }
                if moved {
                    self.derivation.refuse();
                }
                let known = if is_fresh { None } else { catalog.known(&path)? };
                let read = ReadFile { path, format, loaded, hash, parsed };
                Ok(moved | self.read(catalog, read, known.as_ref(), trigger, moment)?)
            }
            Err(LoadError::Gone | LoadError::NotAFile) => {
                self.vanished(catalog, &path, moment)?;
                self.bio_vanished(catalog, &path, moment)
            }
            Err(LoadError::LeadsOut { target, link }) => self.refuse_link(catalog, &path, target, link, moment),
            Err(error) if error.is_passing() => {
                tracing::debug!(path = %path.display(), %error, "cannot read the file yet; retrying");
                self.schedule.set(path, moment.instant + QUIET, trigger);
                Ok(false)
            }
            Err(error) => self.refuse_file(catalog, path, &error),
        }
    }

    /// A file cannot be read: the last good version of its article stays.
    fn refuse_file(&mut self, catalog: &Catalog, path: PathBuf, error: &LoadError) -> catalog::Result<bool> {
        self.deletions.cancel(&path);
        let (problem, state) = (Problem::of_file(error.to_string()), public_state(catalog.known(&path)?.as_ref()));
        self.problems.leave_out(path, Stat::default(), &[problem], state, None);
        Ok(false)
    }

    /// Processes a file that is no article.
    fn process_other(
        &mut self,
        catalog: &mut Catalog,
        file: &Path,
        path: &Path,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        self.data_changed(catalog, path, trigger, moment)?;
        if self.folder.is_section_file(file) {
            return self.describe(catalog, path, trigger, moment);
        }
        if self.folder.is_conflict_copy(file) && file.exists() {
            self.report_conflicts(&[file.to_path_buf()]);
        }
        self.report_folder_links(&[file.to_path_buf()]);
        // Everything in a missing folder is missing.
        if matches!(file.try_exists(), Ok(false)) {
            self.vanished(catalog, path, moment)?;
        }
        self.media_changed(catalog, path, moment)?;
        // Its file is chosen no more.
        self.forget_bio(catalog, path, moment)
    }

    fn read(
        &mut self,
        catalog: &mut Catalog,
        mut read: ReadFile,
        known: Option<&Known>,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let (stat, file_hash) = (read.loaded.stat, read.hash);
        let path = &read.path.clone();
        // An empty file is usually about to be written again.
        if !read.loaded.bytes.is_empty() || matches!(read.parsed, Parsed::Head(_)) {
            self.supervisor.note_content(path, &file_hash);
        }
        let is_up_to_date = |known: &&Known| known.state == ArticleState::Live && !known.stale && !known.unread;
        if known.filter(is_up_to_date).is_some_and(|known| known.file_hash == file_hash) {
            self.deletions.clear_emptied(path);
            self.problems.clear(path);
            catalog.touch(path, recorded_stat(stat, moment))?;
            return Ok(false);
        }
        if let Some(known) = known {
            self.note_replaced_file(path, known, stat, trigger, moment);
        }
        let held_until = self.held_until(&stat, moment);
        let parsed = match self.parse(&mut read, known, held_until, moment) {
            Ok(parsed) => parsed,
            Err(pause) => {
                // Until then, another file may take its place.
                let trigger = if trigger == Trigger::FencePassed { Trigger::Closed } else { trigger };
                self.schedule.set(read.path, moment.instant + pause, trigger);
                return Ok(false);
            }
        };
        let hash = read.hash;
        let changed = self.record_read(catalog, read, known, parsed, trigger, moment)?;
        self.supervisor.acquit(&hash);
        Ok(changed)
    }

    /// Records a file that was parsed, or leaves it out.
    fn record_read(
        &mut self,
        catalog: &mut Catalog,
        read: ReadFile,
        known: Option<&Known>,
        parsed: Result<ParsedArticle, Verdict>,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let (stat, file_hash, path) = (read.loaded.stat, read.hash, &read.path.clone());
        let ParsedArticle { mut article, terms, problems, extent } = match parsed {
            Ok(parsed) => parsed,
            Err(Verdict::Bio(bio)) => return self.record_bio(catalog, path, &read.loaded, *bio, moment),
            Err(verdict) => {
                let is_kept = matches!(verdict, Verdict::Broken(_));
                let changed = !is_kept && self.forget_bio(catalog, path, moment)?;
                return Ok(changed | self.leave_out(catalog, read.path, stat, verdict, public_state(known), moment)?);
            }
        };
        let was_bio = self.forget_bio(catalog, path, moment)?;
        let namesakes = self.recordings_of_name(path);
        if extent == Extent::Whole {
            self.complete_language(catalog, path, &mut article)?;
            self.complete_by_recording(path, &namesakes, &mut article);
        }
        self.deletions.clear_emptied(path);
        self.recordings.release(path);
        let held_until = self.held_until(&stat, moment);
        let arrival = Arrival {
            path,
            article: &article,
            terms: terms.as_deref(),
            file_hash,
            entry_hash: if extent == Extent::Whole { entry_hash(&article) } else { [0; 32] },
            extent,
            stat: recorded_stat(stat, moment),
            first_seen: first_seen(&stat, trigger, moment).max(held_until),
            file_date: file_date(&stat, moment),
            held_until,
            now: article::date::whole_seconds(moment.now),
        };
        match self.record(catalog, &arrival, &namesakes, trigger, moment)? {
            Ok(RecordedArticle { recorded, problems: file_problems }) => {
                if trigger != Trigger::FirstScan {
                    self.deletions.inhabit(&self.folder);
                }
                // A copy of the article's previous text may no longer be a copy.
                self.schedule_twins(path, moment);
                // Links to a new article have to lead to its page from now on.
                if known.is_none() {
                    self.media_changed(catalog, path, moment)?;
                    self.note_bundle(catalog, path, trigger, moment)?;
                }
                let problems: Vec<Problem> = problems.into_iter().chain(file_problems).collect();
                match extent {
                    Extent::Whole => self.problems.record(catalog, path, &problems)?,
                    // Its text follows, with its problems.
                    Extent::Head(_) => self.problems.clear(path),
                }
                Ok(was_bio || recorded == Recorded::Changed)
            }
            Err((problem, twin)) => {
                self.derivation.refuse();
                self.problems.leave_out(read.path, stat, &[problem], public_state(known), twin);
                Ok(was_bio)
            }
        }
    }

    /// Leaves out a file that is not published: the last good version of its article stays, unless it is a draft or empty now.
    fn leave_out(
        &mut self,
        catalog: &mut Catalog,
        path: PathBuf,
        stat: Stat,
        verdict: Verdict,
        state: PublicState,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        // A slip may mean that the writer wants it, or not.
        let is_intended = !matches!(&verdict, Verdict::Withheld(problem, _) if !problem.is_remark);
        match verdict {
            Verdict::Draft(problem, enclosures) | Verdict::Withheld(problem, enclosures) => {
                let state = if is_intended { PublicState::HeldBack } else { PublicState::NotPublished };
                let changed = self.became_draft(catalog, &path, &enclosures, moment)?;
                if problem.is_of_folder || self.folder.draft_folder(&path).is_some() {
                    self.problems.hold_back_silently(path.clone(), stat, &problem);
                } else {
                    self.problems.leave_out(path.clone(), stat, &[problem], state, None);
                }
                self.schedule_twins(&path, moment);
                Ok(changed | (catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed))
            }
            Verdict::Broken(problem) => {
                // What is wrong with a file for the whole folder is reported there.
                let problems = if problem.is_of_folder { Vec::new() } else { vec![problem] };
                self.problems.leave_out(path, stat, &problems, state, None);
                Ok(false)
            }
            Verdict::Publish(_) | Verdict::Bio(_) | Verdict::Empty => self.emptied(catalog, path, stat, moment),
        }
    }

    /// Returns whether the front matter of a new article is enough for now: the article is visible already, and it has no recording.
    fn is_head_enough(&self, path: &Path, article: &Article, held_until: DateTime<Utc>, moment: WriteMoment) -> bool {
        let is_due = article.published.is_none_or(|published| published <= moment.now) && held_until <= moment.now;
        is_due && self.recordings_beside(path, &self.recordings_of_name(path)).is_empty()
    }

    /// Parses a file as far as currently needed. The inner error is the reason why the file is not published; the outer error says
    /// when the file is to be processed again, since it is still being parsed.
    fn parse(
        &mut self,
        read: &mut ReadFile,
        known: Option<&Known>,
        held_until: DateTime<Utc>,
        moment: WriteMoment,
    ) -> Result<Result<ParsedArticle, Verdict>, Duration> {
        let ReadFile { path, format, loaded, hash, parsed } = read;
        let reading = match std::mem::replace(parsed, Parsed::Nothing) {
            Parsed::Head(head) if known.is_none() && self.is_head_enough(path, &head.article, held_until, moment) => {
                let extent = Extent::Head(head.length);
                let (article, terms) = (head.article, Some(head.terms));
                return Ok(Ok(ParsedArticle { article, terms, problems: Vec::new(), extent }));
            }
            Parsed::Whole(reading) => *reading,
            parsed @ (Parsed::Head(_) | Parsed::Nothing) => {
                if matches!(parsed, Parsed::Head(_)) {
                    let again = load_as(&self.folder, path, *format, self.supervisor.size_limit);
                    let same = again.ok().filter(|again| *hash == *blake3::hash(&again.bytes).as_bytes());
                    // If it has just changed, it is read once it is quiet.
                    *loaded = same.ok_or(QUIET)?;
                }
                // Before the files are looked up: what changes meanwhile makes the result outdated.
                let generation = self.supervisor.data.generation();
                let inherited = &self.supervisor.data.of(path, DataLookup::Present);
                let file = FileBytes { path, bytes: &loaded.bytes, format: *format, hash, inherited, generation };
                match self.supervisor.read(file) {
                    ReadingOutcome::Done(reading) => *reading,
                    ReadingOutcome::Later(pause) => return Err(pause),
                    ReadingOutcome::LeftOut(problem) => return Ok(Err(Verdict::Broken(problem))),
                }
            }
        };
        self.log_removed(path, &reading.removed);
        Ok(match reading.verdict {
            Verdict::Publish(article) => {
                Ok(ParsedArticle { article, terms: None, problems: reading.problems, extent: Extent::Whole })
            }
            other => Err(other),
        })
    }

    /// The end of a new article's hold. The hold starts at the change time (ctime) of its file, which no program can set.
    fn held_until(&self, stat: &Stat, moment: WriteMoment) -> DateTime<Utc> {
        let changed_at = DateTime::from_timestamp_nanos(stat.ctime.min(moment.nanoseconds()));
        // Rounded up, so that the hold is never too short.
        let until = article::date::whole_seconds(changed_at + self.hold + QUIET);
        if self.hold.is_zero() || until <= moment.now { DateTime::UNIX_EPOCH } else { until }
    }

    /// Records an article under its identity.
    fn record(
        &mut self,
        catalog: &mut Catalog,
        arrival: &Arrival<'_>,
        namesakes: &[PathBuf],
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<Result<RecordedArticle, Refused>> {
        let mut identity = match self.identify(catalog, arrival)? {
            Ok(identity) => identity,
            Err(refused) => return Ok(Err(refused)),
        };
        let claims = self.claims(catalog, arrival, &identity, namesakes, moment)?;
        if self.pass_entry(catalog, arrival, &identity, &claims, moment)? {
            identity = match self.identify(catalog, arrival)? {
                Ok(identity) => identity,
                Err(refused) => return Ok(Err(refused)),
            };
        }
        let place = Permalink::new(identity.slug.clone(), arrival.article.page.is_some());
        let former = if identity.is_new() { None } else { catalog.permalink_at(arrival.path)? };
        let permalink = self.channel.permalink(&place);
        let permalink = || Url::parse(&permalink).expect("the base address and a slug make an address");
        let rendered = article::panic_as_problem(|| match arrival.extent {
            Extent::Whole => self.content(catalog, arrival, namesakes, &permalink()),
            Extent::Head(_) => Ok(Ok(RenderedArticle::of_head(arrival.article))),
        });
        // A panic is a problem of the file, too.
        let rendered = match rendered {
            Ok(rendered) => rendered?,
            Err(problem) => Err(problem),
        };
        let mut rendered = match rendered {
            Ok(rendered) => rendered,
            Err(problem) => return Ok(Err((problem, None))),
        };
        self.note_claims(&mut rendered.referred, &claims);
        rendered.problems.extend(problems_of(&claims, arrival.article));
        let stands_alone = claims.is_empty() && !self.is_media_article(arrival.path);
        self.derivation.note_recorded(stands_alone && identity.follows_from_file(arrival, catalog.namespace()));
        let recorded = catalog.record(&identity, arrival, &rendered.content, moment.version)?;
        self.record_names(catalog, arrival, &identity, moment)?;
        // Links to an article that has become a page, or the other way round, have to lead to its new address.
        let is_same_kind = |former: &Permalink| std::mem::discriminant(former) == std::mem::discriminant(&place);
        if !former.as_ref().is_none_or(is_same_kind) {
            self.media_changed(catalog, arrival.path, moment)?;
        }
        if arrival.extent == Extent::Whole {
            self.record_references(catalog, &identity, arrival.path, &rendered.referred, moment)?;
        } else {
            self.backlog.open();
        }
        // Not during the first scan, which may read a hundred thousand files.
        if recorded == Recorded::Changed && trigger != Trigger::FirstScan {
            self.problems.notify_published(&identity, arrival.path, &permalink(), moment);
        }
        Ok(Ok(RecordedArticle { recorded, problems: rendered.problems }))
    }

    /// Determines which article a file is.
    fn identify(&mut self, catalog: &mut Catalog, arrival: &Arrival<'_>) -> catalog::Result<Result<Identity, Refused>> {
        let is_missing = |path: &Path| self.deletions.is_missing(path);
        // A copy that was edited after its original went missing continues the original.
        let original = self.problems.original_of(arrival.path).filter(|original| is_missing(original));
        match catalog.identify(arrival, original, is_missing)? {
            Decision::Is(identity) => {
                if let Some(from) = &identity.moved_from {
                    self.deletions.cancel(from);
                }
                Ok(Ok(identity))
            }
            Decision::CopyOf(twin) => Ok(Err((Problem::same_text(&twin), Some(Twin::SameText(twin))))),
            Decision::SameId(twin) => {
                let line = arrival.article.sources.get(&Field::Id).and_then(|source| source.line);
                Ok(Err((Problem::same_id(&twin, line), Some(Twin::SameId(twin)))))
            }
        }
    }

    /// Returns whether a recording is not an entry of its own. If it is such an entry but belongs to an article, the article is read
    /// again so that it can take the entry over.
    fn is_left_out(
        &mut self,
        catalog: &mut Catalog,
        recording: &Path,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let known = catalog.known(recording)?;
        let is_entry = known.as_ref().is_some_and(|known| known.state == ArticleState::Live);
        let Some(owner) = self.claimed_by(catalog, recording, moment)? else {
            let until = self.recordings.expects_article(recording);
            let until = until.or_else(|| self.article_may_follow(recording, trigger, moment));
            if let Some(until) = until.filter(|_| known.is_none()) {
                self.schedule.set(recording.to_path_buf(), until, trigger);
                return Ok(true);
            }
            self.recording_changed(catalog, recording, moment)?;
            return Ok(false);
        };
        if is_entry {
            self.read_owner_again(catalog, &owner, recording, moment)?;
            self.recording_changed(catalog, recording, moment)?;
            return Ok(false);
        }
        self.leave_to_owner(catalog, recording.to_path_buf(), owner, trigger, moment)?;
        Ok(true)
    }

    /// Until when a recording that a scan found has to wait for texts that the scan found with it, and that are still being written: one of
    /// them may name the recording. An old recording does not wait, since some text may be written all the time.
    fn article_may_follow(&self, recording: &Path, trigger: Trigger, moment: WriteMoment) -> Option<Instant> {
        let is_recent = |stat: &Stat| stat.until_quiet(moment.nanoseconds(), LONGEST_WAIT).is_some();
        if !trigger.is_scan() || !self.folder.stat(recording).as_ref().is_some_and(is_recent) {
            return None;
        }
        self.schedule.last_scanned(|path| !self.is_media_article(path))
    }

    /// A link leads out of the folder and is not followed. An article that was published through it is withdrawn, and continues with
    /// its id if the link is followed later.
    fn refuse_link(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        target: PathBuf,
        link: Stat,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        self.deletions.cancel(path);
        let problem = Problem::of_file(LoadError::LeadsOut { target, link }.to_string());
        self.problems.leave_out(path.to_path_buf(), link, &[problem], PublicState::NotPublished, None);
        self.schedule_twins(path, moment);
        Ok(catalog.withdraw(path, ArticleState::Held, moment.version)? == Recorded::Changed)
    }

    /// Reports the links among these files that lead to folders outside.
    pub(super) fn report_folder_links(&mut self, files: &[PathBuf]) {
        for path in files.iter().filter_map(|file| self.folder.relative(file)) {
            if let Some(target) = self.folder.folder_link_out(path) {
                let problem = Problem::of_folder(folder_link_message(&target));
                self.problems.leave_out(
                    path.to_path_buf(),
                    Stat::default(),
                    &[problem],
                    PublicState::NotPublished,
                    None,
                );
            }
        }
    }

    pub(super) fn report_conflicts(&mut self, files: &[PathBuf]) {
        for path in files.iter().filter_map(|file| self.folder.relative(file)) {
            let problem = Problem::of_file(CONFLICT);
            self.problems.leave_out(path.to_path_buf(), Stat::default(), &[problem], PublicState::NotPublished, None);
        }
    }

    /// Schedules the files that were left out because of an article that has changed since.
    pub(super) fn schedule_twins(&mut self, article: &Path, moment: WriteMoment) {
        for twin in self.problems.left_out_beside(|path| path == article) {
            self.schedule.set(twin, moment.instant, Trigger::Closed);
        }
    }

    fn log_removed(&self, path: &Path, removed: &[Removed]) {
        for Removed { line, rule, text, .. } in removed {
            if self.supervisor.rules.clean == Clean::Report {
                tracing::info!(path = %path.display(), line, rule, text, "cleaning would remove a line");
            } else {
                tracing::debug!(path = %path.display(), line, rule, text, "cleaning removed a line");
            }
        }
    }
}

/// What is public of a file that cannot be published now.
fn public_state(known: Option<&Known>) -> PublicState {
    let is_live = known.is_some_and(|known| known.state == ArticleState::Live && !known.unread);
    if is_live { PublicState::Published } else { PublicState::NotPublished }
}

/// What is recorded of a file: without its timestamps if it may still change unnoticed, so that the next scan reads it again.
fn recorded_stat(stat: Stat, moment: WriteMoment) -> Stat {
    if stat.until_quiet(moment.nanoseconds(), RACY).is_some() { stat.file_only() } else { stat }
}

/// The modification time of a file, if it is plausible.
fn file_date(stat: &Stat, moment: WriteMoment) -> Option<DateTime<Utc>> {
    let modified = DateTime::from_timestamp(stat.mtime.div_euclid(1_000_000_000), 0)?;
    let is_plausible = modified.timestamp() >= article::date::FIRST_BELIEVABLE && modified <= moment.now;
    is_plausible.then_some(modified)
}

/// The publication date of an article without a date: the current time or, for a file that existed before the daemon started, its
/// modification time if that is plausible.
fn first_seen(stat: &Stat, trigger: Trigger, moment: WriteMoment) -> DateTime<Utc> {
    let modified = file_date(stat, moment).filter(|_| trigger == Trigger::FirstScan);
    modified.unwrap_or_else(|| article::date::whole_seconds(moment.now))
}
