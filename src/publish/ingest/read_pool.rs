//! Reads files on other cores while the writer records those before them. Files come out in the order in which they were submitted, and
//! their number and size in between are limited.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::reading_supervisor::{CountedReading, FileBytes, ReadingOutcome, ReadingSupervisor};
use crate::article::folder_data::DataLookup;
use crate::article::front_matter::inherited::Inherited;
use crate::article::load::{self, LoadError, Loaded, OpenArticle, load_as};
use crate::article::{self, Article, Reading};
use crate::catalog::Catalog;
use crate::folder::{FileId, Folder, SourceFormat};
use crate::model::taxonomy::{self, Term};
use crate::system::platform;

/// Files per message between threads: so many that sending costs little beside reading.
pub(super) const BATCH: usize = 16;
/// Maximum number of files that are read and not recorded yet.
const MOST_AHEAD: usize = 64 * BATCH;
/// Maximum number of bytes of such files; one batch is always read, whatever its size.
const MOST_BYTES: i64 = 32 << 20;

/// Nice value of the threads: the writer and the server go first.
const NICENESS: i32 = 10;

/// How much of a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The head before the text, where that is enough for now.
    Head,
    Whole,
}

/// A file that a scan found to be read.
#[derive(Debug)]
pub(super) struct FoundFile {
    pub path: PathBuf,
    pub format: SourceFormat,
    /// Identifies the file, if it may have moved here.
    pub file: Option<FileId>,
    /// In bytes.
    pub size: i64,
    /// The catalog has nothing under this path.
    pub is_new: bool,
    /// BLAKE3 of the bytes that were last read of it.
    pub last_hash: Option<Box<[u8; 32]>>,
}

/// A file to be read.
#[derive(Debug)]
pub(super) struct Job {
    /// Path below the watched folder.
    pub path: PathBuf,
    pub format: SourceFormat,
    pub depth: Depth,
    /// In bytes, when a scan found it.
    pub size: i64,
    /// Hash of the bytes that were last read. The same bytes are not parsed again.
    pub last_hash: Option<[u8; 32]>,
}

impl Job {
    /// A file that a scan found. Only a new one may be read by its head.
    pub fn of(found: &FoundFile, depth: Depth) -> Self {
        let FoundFile { path, format, size, is_new, last_hash, .. } = found;
        let depth = if *is_new { depth } else { Depth::Whole };
        let last_hash = last_hash.as_deref().copied();
        Self { path: path.clone(), format: *format, depth, size: *size, last_hash }
    }
}

/// The parsed content of a file.
#[derive(Debug)]
pub(super) enum Parsed {
    /// Not parsed: the bytes are the same as before, or could not be read.
    Nothing,
    /// The head. The bytes of the file are not kept, since few are needed again: freeing them on the writer's thread would make
    /// both threads wait for the allocator.
    Head(ParsedHead),
    Whole(Box<Reading>),
}

/// The head of a new article.
#[derive(Debug)]
pub(super) struct ParsedHead {
    pub article: Box<Article>,
    /// The terms of its views.
    pub terms: Vec<Term>,
    /// Size of the file, in bytes.
    pub length: u64,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Prepared {
    pub format: SourceFormat,
    pub loaded: Result<Loaded, LoadError>,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
    pub parsed: Parsed,
    /// The state of the files with data of articles when it was parsed.
    pub generation: u64,
}

impl Prepared {
    /// A file whose bytes were read and are not parsed yet.
    pub fn only_loaded(folder: &Folder, path: &Path, format: SourceFormat, size_limit: u64) -> Self {
        Self::of(load_as(folder, path, format, size_limit), format)
    }

    fn of(loaded: Result<Loaded, LoadError>, format: SourceFormat) -> Self {
        let hash = loaded.as_ref().map_or([0; 32], |loaded| blake3::hash(&loaded.bytes).into());
        Self { format, loaded, hash, parsed: Parsed::Nothing, generation: 0 }
    }
}

impl Prepared {
    /// Returns whether the file has not changed since it was read, and no other is in its place.
    pub fn is_current(&self, folder: &Folder, path: &Path) -> bool {
        let now = folder.stat(path);
        self.loaded.as_ref().is_ok_and(|loaded| Some(loaded.stat) == now)
    }

    /// Returns whether the parsed content still holds, given the present state of the files with data of articles; or it can be parsed again.
    pub fn is_usable(&self, generation: u64) -> bool {
        self.generation == generation || !matches!(self.parsed, Parsed::Head(_))
    }

    /// Returns whether the catalog has certainly seen neither the file nor its bytes. If the file has changed since, it is processed again.
    pub fn is_fresh(&self, catalog: &mut Catalog) -> bool {
        self.loaded.as_ref().is_ok_and(|loaded| catalog.is_certainly_new(&self.hash, loaded.stat).unwrap_or(false))
    }
}

/// Files that are submitted together, with their number.
type Batch<T> = (usize, Vec<T>);

/// Threads that read files. Dropping it ends them.
#[derive(Debug)]
pub(super) struct ReadPool {
    jobs: Option<Sender<Batch<Job>>>,
    read: Receiver<Batch<Prepared>>,
    threads: Vec<JoinHandle<()>>,
    /// Size of each submitted file in bytes, in order.
    sizes: VecDeque<i64>,
    bytes: i64,
    /// Number of submitted batches.
    submitted: usize,
    /// Number of batches that were taken.
    taken: usize,
    /// The rest of the last batch.
    rest: VecDeque<Prepared>,
    /// Batches that were read before an earlier one.
    early: HashMap<usize, Vec<Prepared>>,
}

impl ReadPool {
    pub fn new(threads: usize, supervisor: &ReadingSupervisor) -> Self {
        let (jobs, to_read) = channel();
        let (results, read) = channel();
        let to_read = Arc::new(Mutex::new(to_read));
        let start = |_| {
            let (to_read, results, supervisor) = (Arc::clone(&to_read), results.clone(), supervisor.clone());
            let work = move || work(&to_read, &results, &supervisor);
            std::thread::Builder::new().name("read".into()).spawn(work).ok()
        };
        Self {
            jobs: Some(jobs),
            read,
            threads: (0..threads).filter_map(start).collect(),
            sizes: VecDeque::new(),
            bytes: 0,
            submitted: 0,
            taken: 0,
            rest: VecDeque::new(),
            early: HashMap::new(),
        }
    }

    /// Returns whether one more batch can be submitted.
    pub fn has_room(&self) -> bool {
        self.sizes.is_empty() || (self.sizes.len() + BATCH <= MOST_AHEAD && self.bytes < MOST_BYTES)
    }

    pub fn submit(&mut self, batch: Vec<Job>) {
        self.sizes.extend(batch.iter().map(|job| job.size));
        self.bytes += batch.iter().map(|job| job.size).sum::<i64>();
        if let Some(jobs) = &self.jobs {
            // Without threads, `next` returns `None`.
            let _ = jobs.send((self.submitted, batch));
        }
        self.submitted += 1;
    }

    /// Number of files that were submitted and not returned yet.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// The file that was submitted first; `None` if no thread reads it, so that the caller has to.
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

impl Drop for ReadPool {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // The panic hook has logged a panic.
            let _ = thread.join();
        }
    }
}

/// Number of processor cores.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn work(to_read: &Mutex<Receiver<Batch<Job>>>, results: &Sender<Batch<Prepared>>, supervisor: &ReadingSupervisor) {
    // The writer must not wait for a core.
    platform::lower_priority(NICENESS);
    loop {
        let batch = to_read.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, batch)) = batch else { return };
        // All at once: programs that watch the files (such as a virus scanner) wake up once for all.
        let opened: Vec<_> = batch.iter().map(|job| load::open(&supervisor.folder, &job.path)).collect();
        let loaded: Vec<_> = batch.iter().zip(opened).map(|(job, opened)| load(job, opened, supervisor)).collect();
        if results.send((number, parse_batch(&batch, loaded, supervisor))).is_err() {
            return;
        }
    }
}

/// Loads the bytes of a file.
fn load(job: &Job, opened: Result<OpenArticle, LoadError>, supervisor: &ReadingSupervisor) -> Prepared {
    let ReadingSupervisor { folder, size_limit, .. } = supervisor;
    let loaded = match opened {
        // With the other files closed, there may be descriptors for it.
        Err(error) if error.is_passing() => load_as(folder, &job.path, job.format, *size_limit),
        opened => opened.and_then(|opened| opened.load_as(job.format, *size_limit)),
    };
    Prepared::of(loaded, job.format)
}

/// Parses the files of a batch. One that may end the process, or that takes long, is left to the writer.
fn parse_batch(jobs: &[Job], mut batch: Vec<Prepared>, supervisor: &ReadingSupervisor) -> Vec<Prepared> {
    let is_parsed = |job: &Job, prepared: &Prepared| {
        prepared.loaded.is_ok() && job.last_hash != Some(prepared.hash) && supervisor.is_clear(&prepared.hash)
    };
    let parsed: Vec<bool> = jobs.iter().zip(&batch).map(|(job, prepared)| is_parsed(job, prepared)).collect();
    if !parsed.contains(&true) {
        return batch;
    }
    let files = jobs.iter().zip(&batch).zip(&parsed).filter(|(_, is_parsed)| **is_parsed);
    let Some(reading) = supervisor.begin_batch(files.map(|((job, prepared), _)| (job.path.as_path(), &prepared.hash)))
    else {
        return batch;
    };
    for ((job, prepared), _) in jobs.iter().zip(&mut batch).zip(parsed).filter(|(_, is_parsed)| *is_parsed) {
        parse(job, prepared, &reading, supervisor);
    }
    batch
}

fn parse(job: &Job, prepared: &mut Prepared, reading: &CountedReading, supervisor: &ReadingSupervisor) {
    let Job { path, format, .. } = job;
    let Ok(Loaded { bytes, .. }) = &mut prepared.loaded else { return };
    // Before the files are looked up: what changes meanwhile makes the result outdated.
    prepared.generation = supervisor.data.generation();
    let inherited = &supervisor.data.of(path, DataLookup::Listed);
    if let Some(head) = parse_head(job, bytes, inherited, reading, supervisor) {
        prepared.parsed = Parsed::Head(head);
        *bytes = Vec::new();
        return;
    }
    let generation = prepared.generation;
    let whole = FileBytes { bytes, path, format: *format, hash: &prepared.hash, inherited, generation };
    prepared.parsed = match supervisor.read_in_batch(reading, whole) {
        ReadingOutcome::Done(reading) => Parsed::Whole(reading),
        ReadingOutcome::Later(_) | ReadingOutcome::LeftOut(_) => Parsed::Nothing,
    };
}

/// Parses the head of a file, if that is enough for now.
fn parse_head(
    job: &Job,
    bytes: &[u8],
    inherited: &Inherited,
    reading: &CountedReading,
    supervisor: &ReadingSupervisor,
) -> Option<ParsedHead> {
    let Job { path, format, depth, .. } = job;
    let is_draft = supervisor.folder.draft_folder(path).is_some();
    if *depth != Depth::Head || *format != SourceFormat::Markdown || is_draft {
        return None;
    }
    let read = || article::head(bytes, path, inherited, &supervisor.rules);
    let mut article = ReadingSupervisor::read_head(reading, read)?;
    // The sources of fields are not used before the text is read.
    article.sources.clear();
    let language = article.language.as_deref();
    let terms = taxonomy::terms(path, &article.tags, &article.authors, article.series.as_ref(), language);
    Some(ParsedHead { article, terms, length: bytes.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Verdict;

    fn job(folder: &Path, name: &str, depth: Depth) -> Job {
        let size = std::fs::metadata(folder.join(name)).map_or(0, |metadata| metadata.len().cast_signed());
        Job { path: name.into(), format: SourceFormat::Markdown, depth, size, last_hash: None }
    }

    #[test]
    fn files_come_out_in_the_order_in_which_they_were_submitted() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..40 {
            // The first take the longest.
            let text = format!("# Article {number}\n\n{}", "Many *words*. ".repeat(4_000 / (number + 1)));
            std::fs::write(folder.path().join(format!("{number}.md")), text).unwrap();
        }
        for threads in [0, 1, 4] {
            let supervisor = ReadingSupervisor::of(folder.path(), 1 << 20);
            let mut pool = ReadPool::new(threads, &supervisor);
            let jobs: Vec<Job> =
                (0..41).map(|number| job(folder.path(), &format!("{number}.md"), Depth::Whole)).collect();
            let mut jobs = jobs.into_iter().peekable();
            while jobs.peek().is_some() {
                pool.submit(jobs.by_ref().take(3).collect());
            }
            for number in 0..40 {
                let read = pool.next();
                if threads == 0 {
                    assert!(read.is_none(), "the caller reads it");
                    continue;
                }
                let Parsed::Whole(reading) = read.unwrap().parsed else { panic!("all of it") };
                let Verdict::Publish(article) = reading.verdict else { panic!("an article") };
                assert_eq!(article.title, format!("Article {number}"));
            }
            assert!(pool.next().is_none_or(|read| matches!(read.loaded, Err(LoadError::Gone))));
        }
    }

    #[test]
    fn the_number_and_size_of_files_in_the_pool_are_limited() {
        let folder = tempfile::tempdir().unwrap();
        let mut pool = ReadPool::new(0, &ReadingSupervisor::of(folder.path(), 1));
        let of_size = |size| vec![Job { size, ..job(folder.path(), "a.md", Depth::Head) }];
        assert!(pool.has_room());
        pool.submit(of_size(MOST_BYTES));
        assert!(!pool.has_room(), "bytes");
        pool.next();
        (0..MOST_AHEAD).for_each(|_| pool.submit(of_size(0)));
        assert!(!pool.has_room(), "files");
    }
}
