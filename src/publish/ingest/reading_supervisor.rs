//! Supervises parsers. Each reading is in the journal while it lasts. What is large is parsed on a thread of its own, so that neither
//! the writer nor its heartbeat depends on one file: what takes too much processor time is left out. A file that the last process may
//! have ended of is read while no other is.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::article::address::{Addresses, LinkTarget};
use crate::article::folder_data::FolderData;
use crate::article::front_matter::inherited::Inherited;
use crate::article::{self, Problem, Reading, Rules, html, measure};
use crate::folder::{Folder, SourceFormat, Stat};
use crate::model::entry::SafeHtml;
use crate::observe::heartbeat::Heartbeat;
use crate::system::reading_journal::{ContentHash, OpenReading, ReadingJournal, Standing};
use crate::system::threads::ThreadClock;

/// Up to this number of bytes, a text is parsed at once: even unclosed formatting elements take a fraction of a second for it.
const SMALL: usize = 16 << 10;
/// How long a caller waits for a large file before it continues with others.
const PATIENCE: Duration = Duration::from_millis(250);
/// Processor time after which a file is left out.
const READING_LIMIT: Duration = Duration::from_secs(30);
/// The same for the HTML of an article that is being recorded: changes wait meanwhile.
const RECORDING_LIMIT: Duration = Duration::from_secs(10);
/// The same for the duration of a recording, which an article can be without.
const MEASURING_LIMIT: Duration = Duration::from_secs(2);
/// How much longer than its processor time something may take: a busy machine or a slow disk is no fault of the file.
const BUSY_FACTOR: u32 = 20;
/// Longest wait for the duration of a recording.
const MEASURING_PATIENCE: Duration = Duration::from_secs(10);
/// Maximum number of readings that take longer than [`PATIENCE`]. Each keeps a core busy and its memory.
const MAX_SLOW: usize = 4;
/// Maximum number of threads, with those whose file was given up.
const MAX_THREADS: usize = 16;
/// How long a large file waits before it is tried again while there are that many.
const FULL_PAUSE: Duration = Duration::from_secs(10);
/// How long the result of a slow reading is kept for a caller that has given the file up.
const RESULT_LIFE: Duration = Duration::from_mins(2);
/// Length of the part of a [`measured_hash`] that stands for the path.
const PATH_HASH: usize = 16;
/// How often the writer beats while it waits.
const BEAT: Duration = Duration::from_millis(200);

/// What a reading came to.
#[derive(Debug)]
pub(super) enum ReadingOutcome {
    Done(Box<Reading>),
    /// Not finished: the file is to be processed again after this time.
    Later(Duration),
    /// The file is not read, for this reason.
    LeftOut(Problem),
}

/// The bytes of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileBytes<'a> {
    /// Path below the watched folder.
    pub path: &'a Path,
    pub bytes: &'a [u8],
    pub format: SourceFormat,
    /// BLAKE3 of the bytes.
    pub hash: &'a ContentHash,
    /// What other files say of the article.
    pub inherited: &'a Inherited,
    /// The state of these files: see [`FolderData::generation`].
    pub generation: u64,
}

/// Whether a file is parsed on a thread of its own.
fn is_read_apart(file: FileBytes<'_>) -> bool {
    file.bytes.len() > SMALL || file.format.may_belong_to_article()
}

/// What a reading reads: content, path, since the path decides about title, date and format, and the state of other files.
type ReadingKey = (ContentHash, PathBuf, u64);

/// A reading on a thread of its own.
#[derive(Debug)]
struct SlowReading {
    started: Instant,
    clock: ThreadClock,
    result: Option<Box<Reading>>,
    /// No caller waits for the result any more.
    is_given_up: bool,
}

/// What is being read.
#[derive(Debug, Default)]
struct RunningReadings {
    slow: HashMap<ReadingKey, SlowReading>,
    /// Number of threads.
    threads: usize,
    /// Number of readings.
    readings: usize,
    /// The only reading is that of a suspect.
    is_alone: bool,
}

#[derive(Debug, Default)]
struct SharedReadings {
    running: Mutex<RunningReadings>,
    finished: Condvar,
}

/// Runs parsers. Clones share what is running.
#[derive(Debug, Clone)]
pub(super) struct ReadingSupervisor {
    pub folder: Folder,
    pub rules: Rules,
    /// Maximum size of a file in bytes.
    pub size_limit: u64,
    /// What other files say of articles.
    pub data: FolderData,
    journal: ReadingJournal,
    shared: Arc<SharedReadings>,
    parser: Parser,
    /// How long a caller waits for a large file before it continues with others.
    pub patience: Duration,
    /// Processor time after which a file is left out.
    limit: Duration,
}

/// Parses a file.
type Parser = fn(&Folder, FileBytes<'_>, &Rules) -> Reading;

/// A reading in progress. Dropping it ends it.
#[derive(Debug)]
pub(super) struct CountedReading {
    shared: Arc<SharedReadings>,
    _open: OpenReading,
}

impl Drop for CountedReading {
    fn drop(&mut self) {
        let mut running = self.shared.lock();
        running.readings -= 1;
        running.is_alone &= running.readings > 0;
    }
}

/// A thread in progress. Dropping it ends the count.
struct CountedThread(Arc<SharedReadings>);

impl Drop for CountedThread {
    fn drop(&mut self) {
        self.0.lock().threads -= 1;
    }
}

/// The safe HTML of an article.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SanitisedText {
    pub html: SafeHtml,
    /// The same with the classes of code, if it has any.
    pub highlighted: Option<SafeHtml>,
}

impl SanitisedText {
    fn of(unsafe_html: &str, addresses: &Addresses<'_>) -> Self {
        let html = html::sanitise(unsafe_html, addresses);
        Self { highlighted: html::highlighted(&html), html }
    }
}

/// A message from the thread that makes HTML safe.
enum SanitiserMessage {
    IsThere(PathBuf),
    Named(PathBuf),
    Page(LinkTarget),
    Done(Result<SanitisedText, Problem>),
}

/// The answer to a question of that thread.
enum AddressAnswer {
    IsThere(bool),
    Named(Option<PathBuf>),
    Page(Option<String>),
}

impl ReadingSupervisor {
    pub fn new(folder: Folder, rules: Rules, size_limit: u64) -> Self {
        let parser: Parser =
            |folder, file, rules| article::read_file(folder, file.bytes, file.path, file.format, file.inherited, rules);
        let data = FolderData::new(folder.clone(), rules.timezone);
        let (journal, shared) = (ReadingJournal::default(), Arc::default());
        Self { folder, rules, size_limit, data, journal, shared, parser, patience: PATIENCE, limit: READING_LIMIT }
    }

    /// Records readings in `journal` from now on.
    pub fn record_in(&mut self, journal: ReadingJournal) {
        self.journal = journal;
    }

    /// Returns whether a file may be read beside others.
    pub fn is_clear(&self, hash: &ContentHash) -> bool {
        self.journal.standing(hash) == Standing::Clear
    }

    /// A file was read and recorded: it is no suspect any more.
    pub fn acquit(&self, hash: &ContentHash) {
        self.journal.acquit(hash);
    }

    /// A file has this content now. What was left out of it before is forgotten, unless another file has the same.
    pub fn note_content(&self, path: &Path, hash: &ContentHash) {
        self.journal.retain_places(|suspect, place| place != path || suspect == hash || is_measured(suspect, path));
    }

    /// Forgets the suspects whose files are all gone. `gone` gets the files of suspects, and returns those that are gone.
    pub fn forget_gone(&self, gone: impl FnOnce(BTreeSet<PathBuf>) -> BTreeSet<PathBuf>) {
        let places = self.journal.places();
        if places.is_empty() {
            return;
        }
        let gone = gone(places);
        self.journal.retain_places(|_, place| !gone.contains(place));
    }

    /// Begins a reading beside others, or alone; `None` if it has to wait.
    fn begin(&self, path: &Path, hash: &ContentHash, is_suspect: bool) -> Option<CountedReading> {
        self.begin_all([(path, hash)], is_suspect)
    }

    fn begin_all<'a>(
        &self,
        files: impl IntoIterator<Item = (&'a Path, &'a ContentHash)>,
        is_suspect: bool,
    ) -> Option<CountedReading> {
        let mut running = self.shared.lock();
        if running.is_alone || (is_suspect && running.readings > 0) {
            return None;
        }
        running.readings += 1;
        running.is_alone = is_suspect;
        drop(running);
        Some(CountedReading { shared: self.shared.clone(), _open: self.journal.begin_all(files) })
    }

    /// Runs work on a thread of its own.
    ///
    /// # Errors
    /// The system refuses the thread, or there are too many; the work is returned.
    fn spawn<W: FnOnce() + Send + 'static>(&self, name: &str, work: W) -> Result<(), W> {
        let mut running = self.shared.lock();
        if running.threads >= MAX_THREADS {
            return Err(work);
        }
        running.threads += 1;
        drop(running);
        let counted = CountedThread(self.shared.clone());
        // The thread takes the work once it has started, so that a refused one loses nothing.
        let (hand, taken) = channel::<W>();
        let run = move || {
            let _counted = counted;
            if let Ok(work) = taken.recv() {
                work();
            }
        };
        match thread::Builder::new().name(name.into()).spawn(run) {
            Ok(_) => hand.send(work).map_err(|unsent| unsent.0),
            Err(error) => {
                tracing::debug!(%error, "cannot start a thread for a large file");
                Err(work)
            }
        }
    }

    /// Begins the reading of some files one after the other, none of which is a suspect; `None` if they have to wait. Recording each
    /// alone would take as long as reading its head.
    pub fn begin_batch<'a>(&self, files: impl Iterator<Item = (&'a Path, &'a ContentHash)>) -> Option<CountedReading> {
        self.begin_all(files, false)
    }

    /// Reads the head of a file in a batch; `None` if it has to be read whole.
    pub fn read_head<T>(_batch: &CountedReading, read: impl FnOnce() -> Option<T>) -> Option<T> {
        article::panic_as_problem(read).ok().flatten()
    }

    /// Parses a file in a batch.
    pub fn read_in_batch(&self, _batch: &CountedReading, file: FileBytes<'_>) -> ReadingOutcome {
        if is_read_apart(file) {
            return self.read_apart(file, false);
        }
        ReadingOutcome::Done(Box::new((self.parser)(&self.folder, file, &self.rules)))
    }

    /// Parses a file. Once it is recorded, [`ReadingSupervisor::acquit`] has to be called.
    pub fn read(&self, file: FileBytes<'_>) -> ReadingOutcome {
        let standing = self.journal.standing(file.hash);
        if standing != Standing::Clear {
            self.journal.locate(file.path, file.hash);
        }
        if let Standing::LeftOut(reason) = standing {
            return ReadingOutcome::LeftOut(Problem::of_file(reason));
        }
        let is_suspect = standing == Standing::Suspect;
        if is_read_apart(file) {
            return self.read_apart(file, is_suspect);
        }
        match self.begin(file.path, file.hash, is_suspect) {
            Some(_reading) => ReadingOutcome::Done(Box::new((self.parser)(&self.folder, file, &self.rules))),
            None => ReadingOutcome::Later(self.patience),
        }
    }

    /// Parses a file on a thread of its own.
    fn read_apart(&self, file: FileBytes<'_>, is_suspect: bool) -> ReadingOutcome {
        let key = (*file.hash, file.path.to_path_buf(), file.generation);
        let mut running = self.shared.lock();
        running.slow.retain(|_, slow| slow.result.is_none() || slow.started.elapsed() < RESULT_LIFE);
        match running.slow.get_mut(&key) {
            Some(slow) if slow.result.is_none() && slow.is_over(self.limit) => {
                slow.is_given_up = true;
                return ReadingOutcome::LeftOut(Problem::of_file(self.journal.leave_out_slow(file.path, file.hash)));
            }
            Some(_) => {}
            None => {
                let is_slow = |slow: &&SlowReading| slow.is_running() && slow.started.elapsed() > 2 * self.patience;
                if running.slow.values().filter(is_slow).count() >= MAX_SLOW {
                    return ReadingOutcome::Later(FULL_PAUSE);
                }
                drop(running);
                if let Err(pause) = self.start(file, &key, is_suspect) {
                    return ReadingOutcome::Later(pause);
                }
                running = self.shared.lock();
            }
        }
        let is_running = |running: &mut RunningReadings| running.slow.get(&key).is_some_and(SlowReading::is_running);
        let waited = self.shared.finished.wait_timeout_while(running, self.patience, is_running);
        let mut running = waited.unwrap_or_else(PoisonError::into_inner).0;
        match running.slow.remove(&key) {
            Some(SlowReading { result: Some(reading), .. }) => ReadingOutcome::Done(reading),
            Some(unfinished) => {
                running.slow.insert(key, unfinished);
                ReadingOutcome::Later(self.patience)
            }
            // Another caller has taken the result.
            None => ReadingOutcome::Later(self.patience),
        }
    }

    /// Starts a reading on a thread.
    ///
    /// # Errors
    /// It has to wait for another reading or for a thread; the error is the time after which to try again.
    fn start(&self, file: FileBytes<'_>, key: &ReadingKey, is_suspect: bool) -> Result<(), Duration> {
        // From here on, since a copy of the bytes is made.
        let Some(counted) = self.begin(file.path, file.hash, is_suspect) else { return Err(self.patience) };
        let (clock, started) = (ThreadClock::default(), Instant::now());
        let slow = SlowReading { started, clock: clock.clone(), result: None, is_given_up: false };
        self.shared.lock().slow.insert(key.clone(), slow);
        let (this, format, bytes, key_of_thread) = (self.clone(), file.format, file.bytes.to_vec(), key.clone());
        let inherited = file.inherited.clone();
        let work = move || {
            clock.start();
            let (hash, path, generation) = &key_of_thread;
            let file = FileBytes { path, bytes: &bytes, format, hash, inherited: &inherited, generation: *generation };
            let reading = Box::new((this.parser)(&this.folder, file, &this.rules));
            drop(counted);
            this.shared.finish(&key_of_thread, reading);
        };
        if self.spawn("read large", work).is_err() {
            self.shared.lock().slow.remove(key);
            return Err(FULL_PAUSE);
        }
        Ok(())
    }

    /// Makes the HTML of an article safe. `heartbeat` beats meanwhile.
    ///
    /// # Errors
    /// It takes too long, or the program has a fault.
    pub fn sanitise(
        &self,
        unsafe_html: &str,
        hash: &ContentHash,
        addresses: &Addresses<'_>,
        heartbeat: Option<&Heartbeat>,
    ) -> Result<SanitisedText, Problem> {
        let (sender, messages) = channel();
        let (answers, answered) = channel();
        let clock = ThreadClock::default();
        // Colouring code may take longer than the writer can wait.
        let has_code = unsafe_html.contains("language-") || unsafe_html.contains("lang-");
        let is_apart = (unsafe_html.len() > SMALL || has_code)
            && self.start_sanitising(unsafe_html, hash, addresses, &clock, sender, answered);
        if !is_apart {
            let _reading = self.journal.begin(addresses.path, hash);
            return Ok(SanitisedText::of(unsafe_html, addresses));
        }
        let begun = Instant::now();
        loop {
            if let Some(heartbeat) = heartbeat {
                heartbeat.beat();
            }
            let answer = match messages.recv_timeout(BEAT) {
                Ok(SanitiserMessage::Done(html)) => return html,
                Ok(SanitiserMessage::IsThere(path)) => AddressAnswer::IsThere((addresses.is_there)(&path)),
                Ok(SanitiserMessage::Page(target)) => AddressAnswer::Page((addresses.page)(&target)),
                Ok(SanitiserMessage::Named(path)) => AddressAnswer::Named((addresses.named)(&path)),
                Err(RecvTimeoutError::Timeout) if !is_over(&clock, begun, RECORDING_LIMIT) => continue,
                Err(_) => return Err(Problem::of_file(self.journal.leave_out_slow(addresses.path, hash))),
            };
            let _ = answers.send(answer);
        }
    }

    /// Returns false if there is no thread for it.
    fn start_sanitising(
        &self,
        unsafe_html: &str,
        hash: &ContentHash,
        addresses: &Addresses<'_>,
        clock: &ThreadClock,
        messages: Sender<SanitiserMessage>,
        answers: Receiver<AddressAnswer>,
    ) -> bool {
        let (journal, unsafe_html, hash) = (self.journal.clone(), unsafe_html.to_owned(), *hash);
        let (permalink, base_url) = (addresses.permalink.clone(), addresses.base_url.to_owned());
        let (path, clock) = (addresses.path.to_path_buf(), clock.clone());
        let work = move || {
            clock.start();
            let _reading = journal.begin(&path, &hash);
            // Without a writer that answers, the result is not wanted any more.
            let ask = |question| messages.send(question).ok().and_then(|()| answers.recv().ok());
            let is_there = |path: &Path| {
                matches!(ask(SanitiserMessage::IsThere(path.to_path_buf())), Some(AddressAnswer::IsThere(true)))
            };
            let named = |name: &Path| match ask(SanitiserMessage::Named(name.to_path_buf())) {
                Some(AddressAnswer::Named(path)) => path,
                _ => None,
            };
            let page = |target: &LinkTarget| match ask(SanitiserMessage::Page(target.clone())) {
                Some(AddressAnswer::Page(page)) => page,
                _ => None,
            };
            let addresses = Addresses {
                permalink: &permalink,
                base_url: &base_url,
                base: None,
                path: &path,
                is_there: &is_there,
                named: &named,
                page: &page,
            };
            let safe = article::panic_as_problem(|| SanitisedText::of(&unsafe_html, &addresses));
            let _ = messages.send(SanitiserMessage::Done(safe));
        };
        self.spawn("read large", work).is_ok()
    }

    /// The duration of a recording in seconds; `None` if it is not stated or takes too long to find. `heartbeat` beats meanwhile.
    pub fn duration(&self, path: &Path, stat: &Stat, heartbeat: Option<&Heartbeat>) -> Option<u32> {
        let hash = measured_hash(path, stat);
        self.journal.retain_places(|suspect, place| place != path || suspect == &hash || !is_measured(suspect, path));
        if matches!(self.journal.standing(&hash), Standing::LeftOut(_)) {
            return None;
        }
        let (sender, measured) = channel();
        let (journal, folder, path_of_thread) = (self.journal.clone(), self.folder.clone(), path.to_path_buf());
        let clock = ThreadClock::default();
        let own_clock = clock.clone();
        let work = move || {
            own_clock.start();
            let _reading = journal.begin(&path_of_thread, &hash);
            let _ = sender.send(measure::duration(&folder, &path_of_thread));
        };
        if let Err(work) = self.spawn("measure", work) {
            work();
        }
        let begun = Instant::now();
        loop {
            if let Some(heartbeat) = heartbeat {
                heartbeat.beat();
            }
            match measured.recv_timeout(BEAT) {
                Ok(duration) => {
                    self.journal.acquit(&hash);
                    return duration;
                }
                Err(RecvTimeoutError::Timeout) if clock.spent() >= MEASURING_LIMIT => {
                    self.journal.leave_out_slow(path, &hash);
                }
                // A slow disk is no fault of the recording: it is measured again when its article is read again.
                Err(RecvTimeoutError::Timeout) if begun.elapsed() < MEASURING_PATIENCE => continue,
                Err(_) => {}
            }
            let path = path.display();
            tracing::warn!(%path, "it takes too long to find the duration of this recording: none is stated");
            return None;
        }
    }
}

/// Stands for the content of a recording that an article names, which is not read whole: its path, then its attributes.
fn measured_hash(path: &Path, stat: &Stat) -> ContentHash {
    let mut hash = *blake3::hash(path.as_os_str().as_bytes()).as_bytes();
    let attributes = blake3::hash(format!("{} {}", stat.size, stat.mtime).as_bytes());
    hash[PATH_HASH..].copy_from_slice(&attributes.as_bytes()[PATH_HASH..]);
    hash
}

/// Whether a hash is a [`measured_hash`] of this file, with any attributes.
fn is_measured(hash: &ContentHash, path: &Path) -> bool {
    hash[..PATH_HASH] == blake3::hash(path.as_os_str().as_bytes()).as_bytes()[..PATH_HASH]
}

/// Whether work has taken too much processor time, or far too long.
fn is_over(clock: &ThreadClock, begun: Instant, limit: Duration) -> bool {
    clock.spent() >= limit || begun.elapsed() >= BUSY_FACTOR * limit
}

impl SlowReading {
    fn is_running(&self) -> bool {
        self.result.is_none() && !self.is_given_up
    }

    fn is_over(&self, limit: Duration) -> bool {
        is_over(&self.clock, self.started, limit)
    }
}

impl SharedReadings {
    fn lock(&self) -> MutexGuard<'_, RunningReadings> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, key: &ReadingKey, reading: Box<Reading>) {
        let mut running = self.lock();
        match running.slow.get_mut(key) {
            Some(slow) if slow.is_given_up => drop(running.slow.remove(key)),
            Some(slow) => slow.result = Some(reading),
            None => {}
        }
        drop(running);
        self.finished.notify_all();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::article::Verdict;
    use crate::config::Config;

    impl ReadingSupervisor {
        /// For a folder with the default configuration.
        pub fn of(directory: &Path, size_limit: u64) -> Self {
            let config = Config::default();
            let rules = Rules::new(&config.articles, &config.site);
            // On a busy machine, too, a caller gets what it reads.
            Self { patience: Duration::from_mins(3), ..Self::new(Folder::of(directory), rules, size_limit) }
        }
    }

    /// A folder, and a parser that does not end while a `.busy` file lies beside a file.
    struct BusyFolder(TempDir);

    impl BusyFolder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn supervisor(&self) -> ReadingSupervisor {
            let parser: Parser = |folder, file, rules| {
                // Busy, and not asleep: processor time is what counts.
                while folder.root().join(file.path).with_extension("busy").exists() {}
                article::read_file(folder, file.bytes, file.path, file.format, file.inherited, rules)
            };
            let (patience, limit) = (Duration::from_millis(20), Duration::from_millis(200));
            let mut supervisor =
                ReadingSupervisor { parser, patience, limit, ..ReadingSupervisor::of(self.0.path(), 1 << 20) };
            supervisor.record_in(ReadingJournal::open(self.0.path()).unwrap());
            supervisor
        }

        fn patient(&self) -> ReadingSupervisor {
            ReadingSupervisor { limit: Duration::from_hours(1), ..self.supervisor() }
        }

        fn write(&self, name: &str, is_busy: bool) -> (PathBuf, Vec<u8>) {
            if is_busy {
                fs::write(self.0.path().join(name).with_extension("busy"), "").unwrap();
            }
            (name.into(), format!("# {name}\n\n{}", "Many words. ".repeat(SMALL / 10)).into_bytes())
        }

        fn release(&self, name: &str) {
            fs::remove_file(self.0.path().join(name).with_extension("busy")).unwrap();
        }
    }

    fn read(supervisor: &ReadingSupervisor, (path, bytes): &(PathBuf, Vec<u8>)) -> ReadingOutcome {
        let hash = blake3::hash(bytes);
        let (format, inherited) = (SourceFormat::Markdown, Inherited::default());
        supervisor.read(FileBytes { path, bytes, format, hash: hash.as_bytes(), inherited: &inherited, generation: 0 })
    }

    fn title(outcome: ReadingOutcome) -> Option<String> {
        match outcome {
            ReadingOutcome::Done(reading) => match reading.verdict {
                Verdict::Publish(article) => Some(article.title),
                other => panic!("{other:?}"),
            },
            ReadingOutcome::Later(_) => None,
            ReadingOutcome::LeftOut(problem) => panic!("{problem}"),
        }
    }

    /// Reads until the file is neither waiting nor being read.
    fn read_to_end(supervisor: &ReadingSupervisor, file: &(PathBuf, Vec<u8>)) -> ReadingOutcome {
        loop {
            match read(supervisor, file) {
                ReadingOutcome::Later(_) => thread::sleep(Duration::from_millis(1)),
                done => return done,
            }
        }
    }

    #[test]
    fn a_slow_file_holds_up_no_other_and_is_read_in_the_end() {
        let folder = BusyFolder::new();
        let supervisor = folder.patient();
        let (slow, quick) = (folder.write("slow.md", true), folder.write("quick.md", false));
        assert!(matches!(read(&supervisor, &slow), ReadingOutcome::Later(_)));
        assert_eq!(title(read_to_end(&supervisor, &quick)).as_deref(), Some("quick.md"));
        assert!(matches!(read(&supervisor, &slow), ReadingOutcome::Later(_)));
        folder.release("slow.md");
        assert_eq!(title(read_to_end(&supervisor, &slow)).as_deref(), Some("slow.md"));
        assert!(supervisor.shared.lock().slow.is_empty(), "the result was taken");
    }

    #[test]
    fn a_file_that_takes_too_long_is_left_out_by_the_next_process_too() {
        let folder = BusyFolder::new();
        let endless = folder.write("endless.md", true);
        let ReadingOutcome::LeftOut(problem) = read_to_end(&folder.supervisor(), &endless) else {
            panic!("it never ends")
        };
        assert!(problem.message.contains("took too long"), "{problem}");
        assert!(matches!(read(&folder.supervisor(), &endless), ReadingOutcome::LeftOut(_)), "the next process");
        folder.release("endless.md");
    }

    #[test]
    fn a_recording_that_was_too_slow_is_forgotten_once_its_attributes_change() {
        let folder = BusyFolder::new();
        let supervisor = folder.supervisor();
        let path = Path::new("a.wav");
        fs::write(folder.0.path().join(path), crate::article::measure::tests::wav(2)).unwrap();
        let stat = supervisor.folder.stat(path).unwrap();
        supervisor.journal.leave_out_slow(path, &measured_hash(path, &stat));
        let is_remembered = || !supervisor.journal.places().is_empty();
        assert_eq!(supervisor.duration(path, &stat, None), None);
        supervisor.note_content(path, &[1; 32]);
        assert!(is_remembered(), "it is not known by its content");
        let changed = Stat { size: stat.size + 1, ..stat };
        assert_eq!(supervisor.duration(path, &changed, None), Some(2));
        assert!(!is_remembered());
    }

    #[test]
    fn a_suspect_is_read_while_no_other_file_is() {
        let folder = BusyFolder::new();
        let (one, other) = (folder.write("one.md", true), folder.write("other.md", true));
        // A process that ends while it reads both.
        let journal = ReadingJournal::open(folder.0.path()).unwrap();
        let open = [&one, &other].map(|(path, bytes)| journal.begin(path, blake3::hash(bytes).as_bytes()));
        std::mem::forget(open);
        let supervisor = folder.patient();
        assert!(matches!(read(&supervisor, &one), ReadingOutcome::Later(_)));
        let innocent = folder.write("innocent.md", false);
        for file in [&other, &innocent] {
            assert!(matches!(read(&supervisor, file), ReadingOutcome::Later(_)), "only one is read");
        }
        assert_eq!(supervisor.shared.lock().slow.len(), 1);
        folder.release("one.md");
        assert!(title(read_to_end(&supervisor, &one)).is_some());
        // It stays a suspect until it is recorded: what is made of it may end the process, too.
        let hash = blake3::hash(&one.1);
        assert!(!supervisor.is_clear(hash.as_bytes()));
        supervisor.acquit(hash.as_bytes());
        assert!(supervisor.is_clear(hash.as_bytes()));
        folder.release("other.md");
        assert!(
            title(read_to_end(&supervisor, &other)).is_some() && title(read_to_end(&supervisor, &innocent)).is_some()
        );
    }

    #[test]
    fn a_file_that_is_renamed_while_it_is_read_is_read_under_its_new_name() {
        let folder = BusyFolder::new();
        let supervisor = folder.patient();
        let (_, bytes) = folder.write("2024-01-01-old.md", true);
        let text = String::from_utf8(bytes).unwrap().replacen("# 2024-01-01-old.md\n", "", 1).into_bytes();
        let (old, new) =
            ((PathBuf::from("2024-01-01-old.md"), text.clone()), (PathBuf::from("2024-02-02-new.md"), text));
        assert!(matches!(read(&supervisor, &old), ReadingOutcome::Later(_)));
        let renamed = title(read_to_end(&supervisor, &new));
        folder.release("2024-01-01-old.md");
        assert_eq!(renamed.as_deref(), Some("new"));
    }

    #[test]
    fn few_slow_files_are_read_at_a_time() {
        let folder = BusyFolder::new();
        let supervisor = folder.patient();
        let names: Vec<String> = (0..=MAX_SLOW).map(|number| format!("{number}.md")).collect();
        let files: Vec<_> = names.iter().map(|name| folder.write(name, true)).collect();
        for file in &files {
            assert!(matches!(read(&supervisor, file), ReadingOutcome::Later(_)));
            thread::sleep(3 * supervisor.patience);
        }
        assert_eq!(supervisor.shared.lock().slow.len(), MAX_SLOW, "the last one waits");
        for name in &names {
            folder.release(name);
        }
        for (file, name) in files.iter().zip(&names) {
            assert_eq!(title(read_to_end(&supervisor, file)).as_ref(), Some(name));
        }
    }

    #[test]
    fn large_html_is_made_safe_with_the_addresses_of_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let supervisor = ReadingSupervisor::of(folder.path(), 1 << 20);
        let permalink = url::Url::parse("https://x.example/articles/a").unwrap();
        let html = format!("<p><a href=\"b.md\">B</a> <img src=\"c.png\"></p>{}", "<p>Words</p>".repeat(SMALL / 10));
        let is_there = |path: &Path| path == Path::new("c.png");
        let target = LinkTarget::File(PathBuf::from("b.md"));
        let page = |link: &LinkTarget| (*link == target).then(|| "https://x.example/articles/b".to_owned());
        let addresses = Addresses {
            permalink: &permalink,
            base_url: "https://x.example/",
            base: None,
            path: Path::new("a.md"),
            is_there: &is_there,
            named: &|_| None,
            page: &page,
        };
        let safe = supervisor.sanitise(&html, &[1; 32], &addresses, None).unwrap();
        assert_eq!(safe.html, html::sanitise(&html, &addresses));
        assert!(
            safe.html.contains("https://x.example/articles/b") && safe.html.contains("https://x.example/media/c.png")
        );
    }
}
