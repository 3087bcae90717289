//! Reads files on other cores while the writer records those before them. They are handed over in the order in which they were
//! asked for, and never many at once.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Pending;
use crate::article::load::{self, LoadError, Loaded, OpenArticle, load_as};
use crate::article::{self, Article, Reading, Rules};
use crate::catalog::Catalog;
use crate::folder::{Found, SourceFormat};
use crate::model::taxonomy::{self, Term};

/// Files that are handed over at a time: so many that handing over costs nothing beside reading.
pub(super) const BATCH: usize = 16;
/// Files that are read and not recorded yet.
const MOST_AHEAD: usize = 64 * BATCH;
/// Bytes of files that are read and not recorded yet; one batch is always read, whatever it has.
const MOST_BYTES: i64 = 32 << 20;

/// How far reading stands back behind all else that has to be done, as `nice` counts it.
const NICENESS: i32 = 10;

/// How much of a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What stands before the text, where that is all that is needed for now.
    Head,
    /// All of it.
    Whole,
}

/// A file to be read.
#[derive(Debug)]
pub(super) struct Job {
    /// Absolute path.
    pub file: PathBuf,
    /// Path below the watched folder.
    pub path: PathBuf,
    pub format: SourceFormat,
    pub depth: Depth,
    /// Bytes, as a scan found it.
    pub size: i64,
    /// The hash of what was last read of it: if it is the same, there is nothing to be understood.
    pub known: Option<[u8; 32]>,
}

impl Job {
    /// A file that a scan found below `root`. Of a known one, all is read.
    pub fn of(pending: &Pending, root: &Path, depth: Depth) -> Self {
        let Pending { path, format, size, is_new, known } = pending;
        let depth = if *is_new { depth } else { Depth::Whole };
        let known = known.as_deref().copied();
        Self { file: root.join(path), path: path.clone(), format: *format, depth, size: *size, known }
    }
}

/// What is in a file.
#[derive(Debug)]
pub(super) enum Understood {
    /// The same bytes as before, or none that could be read.
    Nothing,
    /// What stands before its text, and the views that it is in by that.
    Head(Box<Article>, Vec<Term>),
    /// All of it.
    Whole(Box<Reading>),
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Prepared {
    pub format: SourceFormat,
    pub loaded: Result<Loaded, LoadError>,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
    pub understood: Understood,
}

impl Prepared {
    /// A file whose bytes were read, and nothing made of them yet.
    pub fn only_loaded(file: &Path, format: SourceFormat, size_limit: u64) -> Self {
        Self::of(load_as(file, format, size_limit), format)
    }

    fn of(loaded: Result<Loaded, LoadError>, format: SourceFormat) -> Self {
        let hash = loaded.as_ref().map_or([0; 32], |loaded| blake3::hash(&loaded.bytes).into());
        Self { format, loaded, hash, understood: Understood::Nothing }
    }
}

impl Prepared {
    /// Whether nobody has changed the file since it was read, nor put another in its place.
    pub fn is_current(&self, file: &Path) -> bool {
        let now = Found::at(file).map(|found| found.stat);
        self.loaded.as_ref().is_ok_and(|loaded| Some(loaded.stat) == now)
    }

    /// Whether nothing can be taken for it: where it has changed since, it is looked at once more.
    pub fn is_fresh(&self, catalog: &mut Catalog) -> bool {
        self.loaded.as_ref().is_ok_and(|loaded| catalog.never_saw(&self.hash, loaded.stat).unwrap_or(false))
    }
}

/// Files that are asked for together, by their place among all.
type Batch<T> = (usize, Vec<T>);

/// Threads that read. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Ahead {
    jobs: Option<Sender<Batch<Job>>>,
    read: Receiver<Batch<Prepared>>,
    threads: Vec<JoinHandle<()>>,
    /// Bytes of each file that was asked for, in order.
    sizes: VecDeque<i64>,
    bytes: i64,
    /// Batches that were asked for.
    asked: usize,
    /// Batches that were taken.
    taken: usize,
    /// What is left of the last one.
    rest: VecDeque<Prepared>,
    /// Read before one that was asked for earlier.
    early: HashMap<usize, Vec<Prepared>>,
}

impl Ahead {
    /// So many threads.
    pub fn new(threads: usize, rules: Rules, size_limit: u64) -> Self {
        let (jobs, to_read) = channel();
        let (results, read) = channel();
        let to_read = Arc::new(Mutex::new(to_read));
        let start = |_| {
            let (to_read, results) = (Arc::clone(&to_read), results.clone());
            let work = move || work(&to_read, &results, rules, size_limit);
            std::thread::Builder::new().name("read".into()).spawn(work).ok()
        };
        Self {
            jobs: Some(jobs),
            read,
            threads: (0..threads).filter_map(start).collect(),
            sizes: VecDeque::new(),
            bytes: 0,
            asked: 0,
            taken: 0,
            rest: VecDeque::new(),
            early: HashMap::new(),
        }
    }

    /// Whether one more batch can be asked for.
    pub fn has_room(&self) -> bool {
        self.sizes.is_empty() || (self.sizes.len() + BATCH <= MOST_AHEAD && self.bytes < MOST_BYTES)
    }

    /// Asks for files.
    pub fn ask(&mut self, batch: Vec<Job>) {
        self.sizes.extend(batch.iter().map(|job| job.size));
        self.bytes += batch.iter().map(|job| job.size).sum::<i64>();
        if let Some(jobs) = &self.jobs {
            // If nobody takes it, `next` says so.
            let _ = jobs.send((self.asked, batch));
        }
        self.asked += 1;
    }

    /// How many were asked for and not given yet.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// The file that was asked for first; `None` if nobody reads it, so that the caller has to.
    pub fn next(&mut self) -> Option<Prepared> {
        self.bytes -= self.sizes.pop_front()?;
        while self.rest.is_empty() && !self.threads.is_empty() {
            if let Some(batch) = self.early.remove(&self.taken) {
                self.rest = batch.into();
                self.taken += 1;
            } else {
                let (number, batch) = self.read.recv().ok()?;
                self.early.insert(number, batch);
            }
        }
        self.rest.pop_front()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // What it panicked of, it has said.
            let _ = thread.join();
        }
    }
}

fn work(to_read: &Mutex<Receiver<Batch<Job>>>, results: &Sender<Batch<Prepared>>, rules: Rules, size_limit: u64) {
    // Whoever records what is read is not to wait for a core. Where the system refuses this, it takes a little longer.
    let _ = rustix::process::setpriority_process(None, NICENESS);
    loop {
        let batch = to_read.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, batch)) = batch else { return };
        // All at once, so that whoever is told of it by the system is woken once for all.
        let opened: Vec<_> = batch.iter().map(|job| load::open(&job.file)).collect();
        let prepared = batch.iter().zip(opened).map(|(job, opened)| prepare(job, opened, rules, size_limit)).collect();
        if results.send((number, prepared)).is_err() {
            return;
        }
    }
}

/// Reads a file.
fn prepare(job: &Job, opened: Result<OpenArticle, LoadError>, rules: Rules, size_limit: u64) -> Prepared {
    let Job { file, path, format, depth, known, .. } = job;
    let loaded = match opened {
        // With the others closed, there is room for it.
        Err(error) if error.is_passing() => load_as(file, *format, size_limit),
        opened => opened.and_then(|opened| opened.load_as(*format, size_limit)),
    };
    let prepared = Prepared::of(loaded, *format);
    let Ok(Loaded { bytes, .. }) = &prepared.loaded else { return prepared };
    if *known == Some(prepared.hash) {
        return prepared;
    }
    let head = (*depth == Depth::Head && *format == SourceFormat::Markdown)
        .then(|| article::head(bytes, path, &rules))
        .flatten();
    let understood = match head {
        Some(mut article) => {
            // Nobody asks where each field came from.
            article.sources.clear();
            let terms = taxonomy::terms(path, &article.tags, &article.authors);
            Understood::Head(article, terms)
        }
        None => Understood::Whole(Box::new(article::read_file(file, bytes, path, *format, &rules))),
    };
    Prepared { understood, ..prepared }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Verdict;
    use crate::config::Config;

    fn job(folder: &Path, name: &str, depth: Depth) -> Job {
        let file = folder.join(name);
        let size = std::fs::metadata(&file).map_or(0, |metadata| metadata.len().cast_signed());
        Job { file, path: name.into(), format: SourceFormat::Markdown, depth, size, known: None }
    }

    #[test]
    fn files_come_in_the_order_in_which_they_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let rules = Rules::new(&Config::default().articles, &Config::default().site);
        for number in 0..40 {
            // The first take the longest.
            let text = format!("# Article {number}\n\n{}", "Many *words*. ".repeat(4_000 / (number + 1)));
            std::fs::write(folder.path().join(format!("{number}.md")), text).unwrap();
        }
        for threads in [0, 1, 4] {
            let mut ahead = Ahead::new(threads, rules, 1 << 20);
            let jobs: Vec<Job> =
                (0..41).map(|number| job(folder.path(), &format!("{number}.md"), Depth::Whole)).collect();
            let mut jobs = jobs.into_iter().peekable();
            while jobs.peek().is_some() {
                ahead.ask(jobs.by_ref().take(3).collect());
            }
            for number in 0..40 {
                let read = ahead.next();
                if threads == 0 {
                    assert!(read.is_none(), "the caller reads it");
                    continue;
                }
                let Understood::Whole(reading) = read.unwrap().understood else { panic!("all of it") };
                let Verdict::Publish(article) = reading.verdict else { panic!("an article") };
                assert_eq!(article.title, format!("Article {number}"));
            }
            assert!(ahead.next().is_none_or(|read| matches!(read.loaded, Err(LoadError::Gone))));
        }
    }

    #[test]
    fn no_more_is_read_ahead_than_there_is_room_for() {
        let folder = tempfile::tempdir().unwrap();
        let rules = Rules::new(&Config::default().articles, &Config::default().site);
        let mut ahead = Ahead::new(0, rules, 1);
        let of_size = |size| vec![Job { size, ..job(folder.path(), "a.md", Depth::Head) }];
        assert!(ahead.has_room());
        ahead.ask(of_size(MOST_BYTES));
        assert!(!ahead.has_room(), "bytes");
        ahead.next();
        (0..MOST_AHEAD).for_each(|_| ahead.ask(of_size(0)));
        assert!(!ahead.has_room(), "files");
    }
}
