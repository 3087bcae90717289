//! Supervises parsers. Each reading is in the journal while it lasts. What is large is parsed on a thread of its own, so that neither
//! the writer nor its heartbeat depends on one file: what takes too long is left out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::article::address::Addresses;
use crate::article::{self, Problem, Reading, Rules, html, measure};
use crate::folder::{Folder, SourceFormat, Stat};
use crate::model::entry::SafeHtml;
use crate::observe::heartbeat::Heartbeat;
use crate::system::reading_journal::{ContentHash, ReadingJournal, Standing};

/// Up to this number of bytes, a text is parsed at once: the slowest shapes that are known take a tenth of a second for it.
const SMALL: usize = 64 << 10;
/// How long a caller waits for a large file before it continues with others.
const PATIENCE: Duration = Duration::from_millis(250);
/// Time after which a file is left out.
const READING_LIMIT: Duration = Duration::from_secs(30);
/// The same for the HTML of an article that is being recorded: changes wait meanwhile.
const RECORDING_LIMIT: Duration = Duration::from_secs(10);
/// The same for the duration of a recording, which an article can be without.
const MEASURING_LIMIT: Duration = Duration::from_secs(2);
/// Maximum number of readings that take longer than [`PATIENCE`]. Each keeps a core busy and its memory.
const MAX_SLOW: usize = 4;
/// How long a large file waits before it is tried again while there are that many.
const FULL_PAUSE: Duration = Duration::from_secs(10);
/// How long the result of a slow reading is kept for a caller that has given the file up.
const RESULT_LIFE: Duration = Duration::from_mins(2);
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
}

/// A reading on a thread of its own.
#[derive(Debug)]
struct SlowReading {
    started: Instant,
    result: Option<Box<Reading>>,
    /// No caller waits for the result any more.
    is_given_up: bool,
}

/// Readings on threads of their own, by the hash of what they read.
#[derive(Debug, Default)]
struct SlowReadings {
    readings: Mutex<HashMap<ContentHash, SlowReading>>,
    finished: Condvar,
}

/// Runs parsers. Clones share what is running.
#[derive(Debug, Clone)]
pub(super) struct ReadingSupervisor {
    pub folder: Folder,
    pub rules: Rules,
    /// Maximum size of a file in bytes.
    pub size_limit: u64,
    journal: ReadingJournal,
    slow: Arc<SlowReadings>,
    parser: Parser,
    /// How long a caller waits for a large file before it continues with others.
    patience: Duration,
    /// Time after which a file is left out.
    limit: Duration,
}

/// Parses a file.
type Parser = fn(&Folder, FileBytes<'_>, &Rules) -> Reading;

/// A message from the thread that makes HTML safe.
enum SanitiserMessage {
    IsThere(PathBuf),
    Page(PathBuf),
    Done(Result<SafeHtml, Problem>),
}

/// The answer to a question of that thread.
enum AddressAnswer {
    IsThere(bool),
    Page(Option<String>),
}

impl ReadingSupervisor {
    pub fn new(folder: Folder, rules: Rules, size_limit: u64) -> Self {
        let parser: Parser =
            |folder, file, rules| article::read_file(folder, file.bytes, file.path, file.format, rules);
        let (journal, slow) = (ReadingJournal::default(), Arc::default());
        Self { folder, rules, size_limit, journal, slow, parser, patience: PATIENCE, limit: READING_LIMIT }
    }

    /// Records readings in `journal` from now on.
    pub fn record_in(&mut self, journal: ReadingJournal) {
        self.journal = journal;
    }

    /// Returns whether a file may be read beside others.
    pub fn is_clear(&self, hash: &ContentHash) -> bool {
        self.journal.standing(hash) == Standing::Clear
    }

    /// Parses a file.
    pub fn read(&self, file: FileBytes<'_>) -> ReadingOutcome {
        let standing = self.journal.standing(file.hash);
        if let Standing::LeftOut(reason) = standing {
            return ReadingOutcome::LeftOut(Problem::of_file(reason));
        }
        let outcome = if file.bytes.len() <= SMALL && file.format != SourceFormat::Audio {
            let _reading = self.journal.begin(file.path, file.hash);
            ReadingOutcome::Done(Box::new((self.parser)(&self.folder, file, &self.rules)))
        } else {
            self.read_apart(file)
        };
        if standing == Standing::Suspect && matches!(outcome, ReadingOutcome::Done(_)) {
            self.journal.acquit(file.hash);
        }
        outcome
    }

    /// Parses a file on a thread of its own.
    fn read_apart(&self, file: FileBytes<'_>) -> ReadingOutcome {
        let mut readings = self.slow.lock();
        readings.retain(|_, reading| reading.result.is_none() || reading.started.elapsed() < RESULT_LIFE);
        if let Some(running) = readings.get_mut(file.hash).filter(|running| running.result.is_none()) {
            if running.started.elapsed() < self.limit {
                return ReadingOutcome::Later(self.patience);
            }
            running.is_given_up = true;
            return ReadingOutcome::LeftOut(Problem::of_file(self.journal.leave_out_slow(file.path, file.hash)));
        }
        if !readings.contains_key(file.hash) {
            let is_slow =
                |reading: &&SlowReading| reading.result.is_none() && reading.started.elapsed() > 2 * self.patience;
            if readings.values().filter(is_slow).count() >= MAX_SLOW {
                tracing::debug!(path = %file.path.display(), "many files are slow to read; this one waits");
                return ReadingOutcome::Later(FULL_PAUSE);
            }
            let started = SlowReading { started: Instant::now(), result: None, is_given_up: false };
            readings.insert(*file.hash, started);
            if self.start(file).is_err() {
                readings.remove(file.hash);
                return ReadingOutcome::Later(FULL_PAUSE);
            }
        }
        let is_running = |readings: &mut HashMap<ContentHash, SlowReading>| {
            readings.get(file.hash).is_some_and(|reading| reading.result.is_none())
        };
        let waited = self.slow.finished.wait_timeout_while(readings, self.patience, is_running);
        let mut readings = waited.unwrap_or_else(PoisonError::into_inner).0;
        match readings.remove(file.hash) {
            Some(SlowReading { result: Some(reading), .. }) => ReadingOutcome::Done(reading),
            Some(running) => {
                readings.insert(*file.hash, running);
                ReadingOutcome::Later(self.patience)
            }
            // Another caller has taken the result.
            None => ReadingOutcome::Later(self.patience),
        }
    }

    fn start(&self, file: FileBytes<'_>) -> std::io::Result<()> {
        let (this, hash, format) = (self.clone(), *file.hash, file.format);
        let path = file.path.to_path_buf();
        // From here on, since a copy of the bytes is made.
        let open = self.journal.begin(file.path, file.hash);
        let bytes = file.bytes.to_vec();
        let work = move || {
            let file = FileBytes { path: &path, bytes: &bytes, format, hash: &hash };
            let reading = Box::new((this.parser)(&this.folder, file, &this.rules));
            drop(open);
            this.slow.finish(&hash, reading);
        };
        thread::Builder::new().name("read large".into()).spawn(work).map(drop)
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
    ) -> Result<SafeHtml, Problem> {
        if unsafe_html.len() <= SMALL {
            let _reading = self.journal.begin(addresses.path, hash);
            return Ok(html::sanitise(unsafe_html, addresses));
        }
        let (sender, messages) = channel();
        let (answers, answered) = channel();
        let started = self.start_sanitising(unsafe_html, hash, addresses, sender, answered);
        if let Err(error) = started {
            return Err(Problem::of_file(format!(
                "cannot start a thread to read it: {error}; it is read again when it changes"
            )));
        }
        let until = Instant::now() + RECORDING_LIMIT;
        loop {
            if let Some(heartbeat) = heartbeat {
                heartbeat.beat();
            }
            let answer = match messages.recv_timeout(BEAT) {
                Ok(SanitiserMessage::Done(html)) => return html,
                Ok(SanitiserMessage::IsThere(path)) => AddressAnswer::IsThere((addresses.is_there)(&path)),
                Ok(SanitiserMessage::Page(path)) => AddressAnswer::Page((addresses.page)(&path)),
                Err(RecvTimeoutError::Timeout) if Instant::now() < until => continue,
                Err(_) => return Err(Problem::of_file(self.journal.leave_out_slow(addresses.path, hash))),
            };
            let _ = answers.send(answer);
        }
    }

    fn start_sanitising(
        &self,
        unsafe_html: &str,
        hash: &ContentHash,
        addresses: &Addresses<'_>,
        messages: Sender<SanitiserMessage>,
        answers: Receiver<AddressAnswer>,
    ) -> std::io::Result<()> {
        let (journal, unsafe_html, hash) = (self.journal.clone(), unsafe_html.to_owned(), *hash);
        let (permalink, base_url) = (addresses.permalink.clone(), addresses.base_url.to_owned());
        let path = addresses.path.to_path_buf();
        let work = move || {
            let _reading = journal.begin(&path, &hash);
            // Without a writer that answers, the result is not wanted any more.
            let ask = |question| messages.send(question).ok().and_then(|()| answers.recv().ok());
            let is_there = |path: &Path| {
                matches!(ask(SanitiserMessage::IsThere(path.to_path_buf())), Some(AddressAnswer::IsThere(true)))
            };
            let page = |path: &Path| match ask(SanitiserMessage::Page(path.to_path_buf())) {
                Some(AddressAnswer::Page(page)) => page,
                _ => None,
            };
            let addresses =
                Addresses { permalink: &permalink, base_url: &base_url, path: &path, is_there: &is_there, page: &page };
            let safe = article::panic_as_problem(|| html::sanitise(&unsafe_html, &addresses));
            let _ = messages.send(SanitiserMessage::Done(safe));
        };
        thread::Builder::new().name("read large".into()).spawn(work).map(drop)
    }

    /// The duration of a recording in seconds; `None` if it is not stated or takes too long to find.
    pub fn duration(&self, path: &Path, stat: &Stat) -> Option<u32> {
        // A recording that an article names is not read whole, so it is known by its attributes.
        let hash = *blake3::hash(format!("{} {} {}", path.display(), stat.size, stat.mtime).as_bytes()).as_bytes();
        let standing = self.journal.standing(&hash);
        if matches!(standing, Standing::LeftOut(_)) {
            return None;
        }
        let (sender, measured) = channel();
        let (journal, folder, named) = (self.journal.clone(), self.folder.clone(), path.to_path_buf());
        let work = move || {
            let _reading = journal.begin(&named, &hash);
            let _ = sender.send(measure::duration(&folder, &named));
        };
        thread::Builder::new().name("measure".into()).spawn(work).ok()?;
        let Ok(duration) = measured.recv_timeout(MEASURING_LIMIT) else {
            self.journal.leave_out_slow(path, &hash);
            tracing::warn!(path = %path.display(), "it takes too long to find the duration of this recording: none is stated");
            return None;
        };
        if standing == Standing::Suspect {
            self.journal.acquit(&hash);
        }
        duration
    }
}

impl SlowReadings {
    fn lock(&self) -> MutexGuard<'_, HashMap<ContentHash, SlowReading>> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, hash: &ContentHash, reading: Box<Reading>) {
        let mut readings = self.lock();
        match readings.get_mut(hash) {
            Some(running) if running.is_given_up => drop(readings.remove(hash)),
            Some(running) => running.result = Some(reading),
            None => {}
        }
        drop(readings);
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
            Self::new(Folder::of(directory), rules, size_limit)
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
                while folder.root().join(file.path).with_extension("busy").exists() {
                    thread::sleep(Duration::from_millis(1));
                }
                article::read_file(folder, file.bytes, file.path, file.format, rules)
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
        supervisor.read(FileBytes { path, bytes, format: SourceFormat::Markdown, hash: hash.as_bytes() })
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
        assert!(supervisor.slow.lock().is_empty(), "the result was taken");
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
    fn few_slow_files_are_read_at_a_time() {
        let folder = BusyFolder::new();
        let supervisor = folder.patient();
        let names: Vec<String> = (0..=MAX_SLOW).map(|number| format!("{number}.md")).collect();
        let files: Vec<_> = names.iter().map(|name| folder.write(name, true)).collect();
        for file in &files {
            assert!(matches!(read(&supervisor, file), ReadingOutcome::Later(_)));
            thread::sleep(3 * supervisor.patience);
        }
        assert_eq!(supervisor.slow.lock().len(), MAX_SLOW, "the last one waits");
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
        let page = |path: &Path| (path == Path::new("b.md")).then(|| "https://x.example/articles/b".to_owned());
        let addresses = Addresses {
            permalink: &permalink,
            base_url: "https://x.example/",
            path: Path::new("a.md"),
            is_there: &is_there,
            page: &page,
        };
        let safe = supervisor.sanitise(&html, &[1; 32], &addresses, None).unwrap();
        assert_eq!(safe, html::sanitise(&html, &addresses));
        assert!(safe.contains("https://x.example/articles/b") && safe.contains("https://x.example/media/c.png"));
    }
}
