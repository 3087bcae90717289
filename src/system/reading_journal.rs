//! The journal of readings: each file is written down before it is parsed, and struck out afterwards. What is still in the journal at
//! the next start was being read when the process ended: by lack of memory, a stack overflow, an abort or the watchdog. Such a file is
//! read once more, alone. If the process ends again, the file is left out until its content changes.
//!
//! Its records are not synchronised to the disk: they must survive the end of the process, not a power cut.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::file_identity::FileIdentity;
use crate::model::text;

/// Directory below the state directory.
const DIRECTORY: &str = "readings";
/// File in it with the suspects.
const SUSPECTS: &str = "suspects.json";
/// How often the process may end while a file is read.
const MAX_ENDS: u32 = 2;
/// Maximum number of suspects that are remembered.
const MAX_SUSPECTS: usize = 1_000;
/// Length of a record before the path: the length of the path, and the hash.
const HEAD: usize = 4 + 32;
/// Maximum length of a path on Linux.
const MAX_PATH: usize = 4_096;

/// BLAKE3 of what is read: the content that is parsed, not its name.
pub type ContentHash = [u8; 32];

/// How a file is to be treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against it.
    Clear,
    /// The process ended while it was read: it is read alone.
    Suspect,
    /// It is not read, for this reason.
    LeftOut(String),
}

/// A file that the process may have ended of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Suspect {
    /// Where it was, for people.
    path: String,
    /// How often the process ended while it was read.
    ends: u32,
    /// Whether a reading of it took too long.
    #[serde(default)]
    is_slow: bool,
    /// The files that have this content, as far as is known.
    #[serde(skip)]
    places: BTreeSet<PathBuf>,
}

#[derive(Debug, Default)]
struct JournalState {
    /// Path of the directory; empty if there is none.
    directory: PathBuf,
    suspects: HashMap<ContentHash, Suspect>,
    /// Files for records that are not in use.
    free: Vec<File>,
    /// Number of files for records.
    slots: usize,
    /// How often the directory was written again: the files of an earlier one are not in it.
    generation: usize,
    identity: Option<FileIdentity>,
    /// The process is about to end: nothing is recorded any more.
    is_closed: bool,
}

/// The journal of one process. Clones share it. The default journal records nothing.
#[derive(Debug, Clone, Default)]
pub struct ReadingJournal(Arc<Mutex<JournalState>>);

/// A reading in progress. Dropping it strikes it out.
#[derive(Debug)]
pub struct OpenReading {
    journal: ReadingJournal,
    slot: Option<File>,
    generation: usize,
}

impl Drop for OpenReading {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            // The name of a file that was never public does not stay.
            let _ = slot.set_len(0);
            let mut state = self.journal.lock();
            if state.generation == self.generation && !state.is_closed {
                state.free.push(slot);
            }
        }
    }
}

impl ReadingJournal {
    /// Opens the journal in a state directory, and suspects the files that the last process was reading when it ended.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn open(state: &Path) -> io::Result<Self> {
        let directory = state.join(DIRECTORY);
        DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let mut opened = JournalState { suspects: load_suspects(&directory), directory, ..JournalState::default() };
        opened.identity = FileIdentity::at(&opened.directory);
        let slots = slots(&opened.directory)?;
        // A record that is cut off is none.
        let interrupted: Vec<_> =
            slots.iter().filter_map(|file| fs::read(file).ok()).flat_map(|slot| parse(&slot)).collect();
        // Removed first, so that one end is not counted twice.
        for file in &slots {
            fs::remove_file(file)?;
        }
        // A file may be in two records, and two files may have the same content: that is one end for all of them.
        let mut ends: BTreeMap<ContentHash, BTreeSet<PathBuf>> = BTreeMap::new();
        for (hash, path) in interrupted {
            ends.entry(hash).or_default().insert(path);
        }
        for (hash, paths) in ends {
            opened.suspect(hash, paths);
        }
        // Before anything is read: if the process ends again, this is known.
        opened.save()?;
        Ok(Self(Arc::new(Mutex::new(opened))))
    }

    fn lock(&self) -> MutexGuard<'_, JournalState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the journal in its directory again, if that was removed or replaced.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn renew(&self) -> io::Result<()> {
        let mut state = self.lock();
        if state.directory.as_os_str().is_empty() || FileIdentity::at(&state.directory) == state.identity {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&state.directory)?;
        state.identity = FileIdentity::at(&state.directory);
        state.free.clear();
        state.generation += 1;
        state.save()
    }

    /// How a file with this content is to be treated.
    pub fn standing(&self, hash: &ContentHash) -> Standing {
        match self.lock().suspects.get(hash) {
            None => Standing::Clear,
            Some(suspect) => suspect.standing(),
        }
    }

    /// Records that a file is being read. If that fails, the file is read all the same.
    pub fn begin(&self, path: &Path, hash: &ContentHash) -> OpenReading {
        self.begin_all([(path, hash)])
    }

    /// Records that some files are being read, one after the other. If the process ends meanwhile, all of them are suspects.
    pub fn begin_all<'a>(&self, files: impl IntoIterator<Item = (&'a Path, &'a ContentHash)>) -> OpenReading {
        let records: Vec<u8> = files.into_iter().flat_map(|(path, hash)| record(path, hash)).collect();
        let mut state = self.lock();
        let generation = state.generation;
        let slot = state.take_slot().inspect_err(|error| tracing::debug!(%error, "cannot record a reading")).ok();
        drop(state);
        let slot = slot.flatten().filter(|slot| slot.write_all_at(&records, 0).is_ok());
        OpenReading { journal: self.clone(), slot, generation }
    }

    /// Records that a file has this content: a suspect is remembered until all its files are gone or changed.
    pub fn locate(&self, path: &Path, hash: &ContentHash) {
        if let Some(suspect) = self.lock().suspects.get_mut(hash) {
            suspect.places.insert(path.to_path_buf());
        }
    }

    /// The files of all suspects.
    pub fn places(&self) -> BTreeSet<PathBuf> {
        self.lock().suspects.values().flat_map(|suspect| suspect.places.iter().cloned()).collect()
    }

    /// Forgets the files of suspects for which `is_there` does not hold, and the suspects without any other.
    pub fn retain_places(&self, is_there: impl Fn(&ContentHash, &Path) -> bool) {
        let mut state = self.lock();
        let mut has_changed = false;
        state.suspects.retain(|hash, suspect| {
            let before = suspect.places.len();
            suspect.places.retain(|place| is_there(hash, place));
            if suspect.places.len() == before {
                return true;
            }
            has_changed = true;
            let remaining = suspect.places.first().map(|place| text::path_line(place));
            remaining.map(|path| suspect.path = path).is_some()
        });
        if has_changed {
            state.save_or_warn();
        }
    }

    /// A suspect was read: nothing is held against it any more.
    pub fn acquit(&self, hash: &ContentHash) {
        let mut state = self.lock();
        if state.suspects.get(hash).is_some_and(|suspect| suspect.standing() == Standing::Suspect) {
            state.suspects.remove(hash);
            state.save_or_warn();
        }
    }

    /// A reading took too long: the file is left out from now on. Returns the reason.
    pub fn leave_out_slow(&self, path: &Path, hash: &ContentHash) -> String {
        let mut state = self.lock();
        state.make_room(hash);
        let suspect = state.suspects.entry(*hash).or_insert_with(|| Suspect::at(path));
        suspect.places.insert(path.to_path_buf());
        suspect.is_slow = true;
        let reason = suspect.reason();
        state.save_or_warn();
        reason
    }

    /// The process ends as it should: no file is suspected of what is still being read.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        for file in slots(&state.directory).unwrap_or_default() {
            let _ = fs::remove_file(file);
        }
        state.free.clear();
    }
}

impl Suspect {
    fn at(path: &Path) -> Self {
        Self { path: text::path_line(path), ends: 0, is_slow: false, places: BTreeSet::from([path.to_path_buf()]) }
    }

    /// A suspect of an earlier process. Without its exact path, its place is unknown until the file is read again.
    fn located(mut self) -> Self {
        if !self.path.contains(['\\', char::REPLACEMENT_CHARACTER]) {
            self.places.insert(PathBuf::from(&self.path));
        }
        self
    }

    fn standing(&self) -> Standing {
        if self.is_slow || self.ends >= MAX_ENDS { Standing::LeftOut(self.reason()) } else { Standing::Suspect }
    }

    fn reason(&self) -> String {
        let advice = format!("make it simpler, or delete {DIRECTORY}/{SUSPECTS} in the state directory to try again");
        if self.is_slow {
            return format!("reading it took too long: it is left out until its content changes; {advice}");
        }
        let ends = self.ends;
        format!(
            "the program ended {ends} times while it read this file: it is left out until its content changes; {advice}"
        )
    }
}

impl JournalState {
    /// The process ended while it read these files, which have the same content.
    fn suspect(&mut self, hash: ContentHash, mut paths: BTreeSet<PathBuf>) {
        let Some(path) = paths.first().cloned() else { return };
        self.make_room(&hash);
        let suspect = self.suspects.entry(hash).or_insert_with(|| Suspect::at(&path));
        suspect.places.append(&mut paths);
        suspect.ends += 1;
        let (path, ends) = (&suspect.path, suspect.ends);
        if suspect.standing() == Standing::Suspect {
            tracing::warn!(path, "the program ended while it read this file: it is read once more, alone");
        } else {
            tracing::error!(path, ends, "the program ended again while it read this file: it is left out");
        }
    }

    /// Forgets the least suspicious file, if there are too many for one more.
    fn make_room(&mut self, hash: &ContentHash) {
        if self.suspects.len() < MAX_SUSPECTS || self.suspects.contains_key(hash) {
            return;
        }
        let least = self.suspects.iter().min_by_key(|(_, suspect)| (suspect.is_slow, suspect.ends));
        if let Some(least) = least.map(|(hash, _)| *hash) {
            self.suspects.remove(&least);
        }
    }

    fn take_slot(&mut self) -> io::Result<Option<File>> {
        if let Some(slot) = self.free.pop() {
            return Ok(Some(slot));
        }
        if self.directory.as_os_str().is_empty() || self.is_closed {
            return Ok(None);
        }
        let file = self.directory.join(self.slots.to_string());
        self.slots += 1;
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file).map(Some)
    }

    /// Writes the suspects, completely or not at all.
    fn save(&self) -> io::Result<()> {
        let file = self.directory.join(SUSPECTS);
        if self.suspects.is_empty() {
            return match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let named: HashMap<String, &Suspect> =
            self.suspects.iter().map(|(hash, suspect)| (hex(hash), suspect)).collect();
        let new = self.directory.join("suspects.new");
        let written = File::create(&new)?;
        serde_json::to_writer_pretty(&written, &named)?;
        written.sync_all()?;
        fs::rename(new, file)
    }

    fn save_or_warn(&self) {
        if let Err(error) = self.save() {
            tracing::debug!(%error, "cannot record which files are left out");
        }
    }
}

/// The suspects of earlier processes; none if they cannot be read.
fn load_suspects(directory: &Path) -> HashMap<ContentHash, Suspect> {
    let named: HashMap<String, Suspect> = fs::read(directory.join(SUSPECTS))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let suspects = named.into_iter().filter_map(|(hash, suspect)| Some((unhex(&hash)?, suspect.located())));
    suspects.take(MAX_SUSPECTS).collect()
}

/// The files of the directory that hold records: their names are numbers.
fn slots(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let names = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name()));
    let names: Vec<_> = names.collect::<io::Result<_>>()?;
    let is_slot = |name: &std::ffi::OsString| name.as_bytes().iter().all(u8::is_ascii_digit);
    Ok(names.into_iter().filter(is_slot).map(|name| directory.join(name)).collect())
}

fn record(path: &Path, hash: &ContentHash) -> Vec<u8> {
    let path = path.as_os_str().as_bytes();
    let path = &path[..path.len().min(MAX_PATH)];
    let length = u32::try_from(path.len()).unwrap_or(0).to_le_bytes();
    [&length, hash.as_slice(), path].concat()
}

/// The records in a file, up to one that is cut off.
fn parse(mut bytes: &[u8]) -> Vec<(ContentHash, PathBuf)> {
    let next = |bytes: &mut &[u8]| {
        let length = usize::try_from(u32::from_le_bytes(*bytes.first_chunk()?)).ok()?;
        let hash = bytes.get(4..HEAD)?.try_into().ok()?;
        let path = bytes.get(HEAD..HEAD.checked_add(length)?).filter(|path| !path.is_empty())?;
        *bytes = &bytes[HEAD + length..];
        Some((hash, PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()))))
    };
    std::iter::from_fn(|| next(&mut bytes)).collect()
}

fn hex(hash: &ContentHash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

fn unhex(text: &str) -> Option<ContentHash> {
    Some(*blake3::Hash::from_hex(text).ok()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ContentHash = [1; 32];
    const B: ContentHash = [2; 32];

    /// A process that ends while it reads these files.
    fn killed(state: &Path, files: &[(&str, ContentHash)]) {
        let journal = ReadingJournal::open(state).unwrap();
        let readings: Vec<OpenReading> =
            files.iter().map(|(path, hash)| journal.begin(Path::new(path), hash)).collect();
        std::mem::forget(readings);
    }

    #[test]
    fn a_file_that_ends_the_process_twice_is_left_out() {
        let state = tempfile::tempdir().unwrap();
        // Two threads read at the same time: both files are suspects.
        killed(state.path(), &[("a.md", A), ("b.md", B)]);
        let journal = ReadingJournal::open(state.path()).unwrap();
        assert_eq!((journal.standing(&A), journal.standing(&B)), (Standing::Suspect, Standing::Suspect));
        // Read alone, one of them is innocent.
        drop(journal.begin(Path::new("b.md"), &B));
        journal.acquit(&B);
        drop(journal);
        killed(state.path(), &[("moved.md", A)]);
        let journal = ReadingJournal::open(state.path()).unwrap();
        assert!(matches!(journal.standing(&A), Standing::LeftOut(why) if why.contains("ended 2 times")));
        assert_eq!(journal.standing(&B), Standing::Clear);
        // It stays left out, however often the process starts.
        assert!(matches!(ReadingJournal::open(state.path()).unwrap().standing(&A), Standing::LeftOut(_)));
    }

    #[test]
    fn what_was_read_or_stopped_in_order_is_not_suspected() {
        let state = tempfile::tempdir().unwrap();
        let journal = ReadingJournal::open(state.path()).unwrap();
        drop(journal.begin(Path::new("a.md"), &A));
        let reading = journal.begin(Path::new("b.md"), &B);
        journal.close();
        // A thread that still reads when the process ends.
        let late = journal.begin(Path::new("b.md"), &B);
        std::mem::forget((reading, late));
        let journal = ReadingJournal::open(state.path()).unwrap();
        assert_eq!((journal.standing(&A), journal.standing(&B)), (Standing::Clear, Standing::Clear));
    }

    #[test]
    fn a_slow_file_is_left_out_by_the_next_process_too() {
        let state = tempfile::tempdir().unwrap();
        let journal = ReadingJournal::open(state.path()).unwrap();
        journal.leave_out_slow(Path::new("a.md"), &A);
        journal.acquit(&A);
        let next = ReadingJournal::open(state.path()).unwrap();
        assert!(matches!(next.standing(&A), Standing::LeftOut(why) if why.contains("too long")));
    }

    #[test]
    fn damaged_files_of_the_journal_keep_no_process_from_starting() {
        let state = tempfile::tempdir().unwrap();
        let directory = state.path().join(DIRECTORY);
        fs::create_dir(&directory).unwrap();
        for (name, bytes) in [(SUSPECTS, &b"{"[..]), ("0", b""), ("1", &[9; 20]), ("2", &[255; 60]), ("3", &[0; 99])] {
            fs::write(directory.join(name), bytes).unwrap();
        }
        let journal = ReadingJournal::open(state.path()).unwrap();
        assert!(journal.lock().suspects.is_empty());
        // A directory that was removed is written again.
        journal.leave_out_slow(Path::new("a.md"), &A);
        fs::remove_dir_all(&directory).unwrap();
        journal.renew().unwrap();
        assert!(matches!(ReadingJournal::open(state.path()).unwrap().standing(&A), Standing::LeftOut(_)));
    }

    #[test]
    fn records_hold_any_path() {
        let long = PathBuf::from("ä".repeat(3_000));
        let found = parse(&record(&long, &A));
        assert_eq!((found[0].0, found[0].1.as_os_str().len()), (A, MAX_PATH));
        let two = [record(Path::new("a"), &B), record(Path::new("b"), &A)].concat();
        assert_eq!(parse(&two), [(B, PathBuf::from("a")), (A, PathBuf::from("b"))]);
        assert_eq!(parse(&two[..two.len() - 1]), [(B, PathBuf::from("a"))], "the second one is cut off");
    }

    #[test]
    fn files_that_are_recorded_together_are_all_suspects() {
        let state = tempfile::tempdir().unwrap();
        let journal = ReadingJournal::open(state.path()).unwrap();
        drop(journal.begin_all([(Path::new("c.md"), &[3; 32])]));
        std::mem::forget(journal.begin_all([(Path::new("a.md"), &A), (Path::new("b.md"), &B)]));
        let journal = ReadingJournal::open(state.path()).unwrap();
        let standings = [A, B, [3; 32]].map(|hash| journal.standing(&hash));
        assert_eq!(standings, [Standing::Suspect, Standing::Suspect, Standing::Clear]);
    }

    #[test]
    fn one_end_counts_once_for_a_content_in_several_records() {
        let state = tempfile::tempdir().unwrap();
        let journal = ReadingJournal::open(state.path()).unwrap();
        let (a, b) = (Path::new("a.md"), Path::new("b.md"));
        // Two equal files in one batch, one of which is read on a thread of its own.
        std::mem::forget((journal.begin_all([(a, &A), (b, &A)]), journal.begin(a, &A)));
        let journal = ReadingJournal::open(state.path()).unwrap();
        assert_eq!(journal.standing(&A), Standing::Suspect);
        assert_eq!(journal.places(), BTreeSet::from([a.to_path_buf(), b.to_path_buf()]));
    }
}
