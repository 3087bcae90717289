//! A copy of the site in a bucket of object storage.
//!
//! Beside the objects of the site, `.gazetted/` has an object `export-<n>` for the newest export, which names its manifest, and journals
//! of exports that have not ended: an object for each group of files that are about to be written or deleted.
//!
//! A bucket has no locks. Of two exports at the same time, only one can create `export-<n>`; the other one ends with an error, and its
//! journal stays: the next export writes all that is named there again.

use std::collections::hash_map::RandomState;
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hyper::{HeaderMap, header};

use super::file_row::{FileRow, escaped};
use super::layout::{OWN_FOLDER, StoreKind};
use super::manifest::UNFINISHED;
use super::target::{ExportObject, ExportTarget, FileOrigin, ObjectBody, PutError, PutFile, PutOutcome};
use crate::folder::media::OpenMedia;
use crate::render::compression::ContentCoding;
use crate::system::object_storage::{Attribute, Attributes, CONCURRENCY, ObjectStorage, PART, StorageError};

/// Names below [`OWN_FOLDER`].
const EXPORT: &str = "export-";
const MANIFEST: &str = "manifest-";
const JOURNAL: &str = "journal-";

/// The part of a bucket that a site is exported to.
#[derive(Debug)]
pub struct BucketTarget {
    storage: ObjectStorage,
    scratch: Scratch,
    /// Number of the newest export; 0 if there is none.
    base: u64,
    /// Objects of former exports, which this one makes superfluous.
    former: Vec<String>,
    /// The files that the journals of exports name that did not end.
    unfinished: Vec<String>,
    /// Nothing was there at the start.
    was_empty: bool,
    /// Start of the names of the journals of this export.
    journal: String,
    journals: AtomicU64,
    /// The newest of them: its name and its content.
    last: Mutex<Option<(String, Bytes)>>,
    /// Why it is not known whether a place is free.
    failure: Mutex<Option<StorageError>>,
}

/// A folder of this machine, until the end of the export.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl BucketTarget {
    /// Reads which export a bucket has.
    ///
    /// # Errors
    /// It has objects and no export, or cannot be read.
    pub fn open(storage: ObjectStorage) -> anyhow::Result<Self> {
        let place = storage.place().to_owned();
        let names = storage.list(OWN_FOLDER)?;
        let numbered = names.iter().filter_map(|name| name.strip_prefix(EXPORT)?.parse().ok());
        let base: u64 = numbered.max().unwrap_or(0);
        let is_journal = |name: &&String| name.starts_with(JOURNAL);
        let is_first = base == 0 && !names.iter().any(|name| is_journal(&name));
        let is_foreign = |name: &str| !name.starts_with(&format!("{OWN_FOLDER}/"));
        if is_first && storage.has_any(is_foreign)? {
            anyhow::bail!(
                "{place}: the bucket has objects there, and no export of gazetted: name another prefix, or remove them"
            );
        }
        let unique = RandomState::new().build_hasher().finish();
        let scratch = std::env::temp_dir().join(format!("gazetted-export-{unique:016x}"));
        DirBuilder::new().mode(0o700).create(&scratch)?;
        let scratch = Scratch(scratch);
        if base > 0 {
            let manifest = storage.get(&own(&export_name(base)))?.and_then(|name| String::from_utf8(name).ok());
            let is_there = match manifest {
                Some(name) => storage.get_to_file(&own(&name), &scratch.0.join("former"))?,
                None => false,
            };
            anyhow::ensure!(is_there, taken(&place));
        }
        let mut unfinished = Vec::new();
        for name in names.iter().filter(is_journal) {
            let journal = storage.get(&own(name))?.unwrap_or_default();
            unfinished.extend(String::from_utf8_lossy(&journal).lines().map(str::to_owned));
        }
        unfinished.sort();
        unfinished.dedup();
        let is_former = |name: &String| [EXPORT, MANIFEST, JOURNAL].iter().any(|start| name.starts_with(start));
        let former = names.into_iter().filter(is_former).collect();
        let journal = format!("{JOURNAL}{unique:016x}");
        Ok(Self {
            storage,
            scratch,
            base,
            former,
            unfinished,
            was_empty: is_first,
            journal,
            journals: AtomicU64::new(0),
            last: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    fn journal_name(&self, number: u64) -> String {
        format!("{}-{number:06}", self.journal)
    }

    /// Fails if another export has ended since this one began.
    fn check_alone(&self) -> io::Result<()> {
        match self.storage.size(&own(&export_name(self.base + 1))).map_err(io::Error::other)? {
            None => Ok(()),
            Some(_) => self.give_up(),
        }
    }

    /// Leaves the newest journal, which the other export may have removed: what is named there was perhaps written after it.
    fn give_up(&self) -> io::Result<()> {
        if let Some((name, lines)) = self.last.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.storage.put(&own(&name), lines, Attributes::new()).map_err(io::Error::other)?;
        }
        Err(io::Error::other(taken(self.storage.place())))
    }

    fn put_bytes(&self, object: &ExportObject, bytes: &Bytes) -> Result<(), PutError> {
        let (key, attributes) = (&object.file, attributes(&object.headers));
        if object.origin == FileOrigin::Unknown {
            if self.storage.create_with(key, bytes.clone(), attributes.clone()).map_err(failed)? {
                return Ok(());
            }
            // An earlier attempt may have created it, whose answer was lost.
            if !self.has_bytes(key, blake3::hash(bytes))? {
                return Err(self.foreign(key));
            }
        }
        self.storage.put(key, bytes.clone(), attributes).map_err(failed)
    }

    fn put_media(&self, object: &ExportObject, media: &OpenMedia) -> Result<blake3::Hash, PutError> {
        let (key, size) = (&object.file, media.size());
        if object.origin == FileOrigin::Unknown
            && self.storage.size(key).map_err(failed)?.is_some()
            && !self.has_bytes(key, hash_of(media)?)?
        {
            return Err(self.foreign(key));
        }
        let (mut hasher, mut offset) = (blake3::Hasher::new(), 0);
        let mut unread = None;
        let part = || {
            let length = usize::try_from(size - offset).unwrap_or(PART).min(PART);
            let bytes = media.read(offset, length).map_err(|error| {
                unread = Some(error.to_string());
                StorageError(error.to_string())
            })?;
            offset += length as u64;
            hasher.update(&bytes);
            Ok(bytes)
        };
        let put = self.storage.put_parts(key, attributes(&object.headers), part);
        match (put, unread) {
            (Err(_), Some(why)) => Err(PutError::Obstructed(why)),
            (put, _) => put.map_err(failed).map(|()| hasher.finalize()),
        }
    }

    /// Whether an object has these bytes.
    fn has_bytes(&self, key: &str, expected: blake3::Hash) -> Result<bool, PutError> {
        let mut hasher = blake3::Hasher::new();
        let take = |bytes: &[u8]| {
            hasher.update(bytes);
            Ok(())
        };
        Ok(self.storage.get_parts(key, take).map_err(failed)? && hasher.finalize() == expected)
    }

    fn foreign(&self, key: &str) -> PutError {
        PutError::Obstructed(format!(
            "{}/{key}: gazetted did not write the file that is there: move it away, then export again",
            self.storage.place()
        ))
    }
}

impl ExportTarget for BucketTarget {
    fn kind(&self) -> StoreKind {
        StoreKind::Bucket
    }

    fn workers(&self) -> usize {
        CONCURRENCY
    }

    fn read(&self, line: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        if self.base > 0 {
            for text in BufReader::new(File::open(self.scratch.0.join("former"))?).lines() {
                line(&text?)?;
            }
        }
        self.unfinished.iter().try_for_each(|file| line(&format!("{UNFINISHED}{file}")))
    }

    fn intend(&self, files: &[&str]) -> io::Result<()> {
        if let Some(failure) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(io::Error::other(failure));
        }
        self.check_alone()?;
        if files.is_empty() {
            return Ok(());
        }
        let lines = files.iter().map(|file| escaped(file) + "\n").collect::<String>();
        let name = self.journal_name(self.journals.fetch_add(1, Relaxed));
        let lines = Bytes::from(lines);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((name.clone(), lines.clone()));
        self.storage.put(&own(&name), lines, Attributes::new()).map_err(io::Error::other)
    }

    fn is_occupied(&self, file: &str) -> bool {
        if self.was_empty || !self.storage.can_have(file) {
            return false;
        }
        // A request that fails here ends the export before anything is written.
        self.storage.size(file).map_or_else(
            |error| {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                true
            },
            |size| size.is_some(),
        )
    }

    /// A request for each object would cost more than it tells: what the manifest names is there.
    fn holds(&self, _: &str, _: &FileRow) -> bool {
        true
    }

    fn put(&self, object: &ExportObject, _: usize) -> Result<PutFile, PutError> {
        if !self.storage.can_have(&object.file) {
            return Err(PutError::Obstructed(format!("{}: no object can have this name", object.file)));
        }
        let (content, size) = match &object.body {
            ObjectBody::Bytes(variants) => {
                let plain = variants.iter().find(|(coding, _)| *coding == ContentCoding::Identity);
                let bytes = plain.map(|(_, bytes)| bytes.clone()).unwrap_or_default();
                self.put_bytes(object, &bytes)?;
                (blake3::hash(&bytes), bytes.len() as u64)
            }
            ObjectBody::Media(media) => (self.put_media(object, media)?, media.size()),
        };
        let content = content.as_bytes()[..16].try_into().expect("a hash has 32 bytes");
        Ok(PutFile { outcome: PutOutcome::Written, content, sizes: [size, 0, 0, 0] })
    }

    /// The date of an object is that of its upload.
    fn touch(&self, _: &str, _: &FileRow) -> bool {
        true
    }

    fn delete(&self, file: &str, _: Option<&FileRow>) -> Result<(), PutError> {
        self.storage.remove(&[file.to_owned()]).map_err(failed)
    }

    fn folds_case(&self) -> bool {
        false
    }

    fn scratch(&self) -> &Path {
        &self.scratch.0
    }

    fn commit(&self, manifest: &Path) -> io::Result<()> {
        self.check_alone()?;
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut File::open(manifest)?, &mut hasher)?;
        // Of this export alone: two could come to the same manifest.
        let name = format!("{MANIFEST}{}-{}", &hasher.finalize().to_hex()[..16], &self.journal[JOURNAL.len()..]);
        self.storage.put_file(&own(&name), manifest).map_err(io::Error::other)?;
        let export = own(&export_name(self.base + 1));
        let is_own = self.storage.create(&export, name.as_bytes()).map_err(io::Error::other)?
            || self.storage.get(&export).map_err(io::Error::other)?.is_some_and(|found| found == name.as_bytes());
        if !is_own {
            return self.give_up();
        }
        let journals = (0..self.journals.load(Relaxed)).map(|number| self.journal_name(number));
        let old: Vec<String> = self.former.iter().cloned().chain(journals).map(|name| own(&name)).collect();
        self.storage.remove(&old).map_err(io::Error::other)
    }
}

fn own(name: &str) -> String {
    format!("{OWN_FOLDER}/{name}")
}

fn export_name(number: u64) -> String {
    format!("{EXPORT}{number:08}")
}

fn taken(place: &str) -> String {
    format!("{place}: another export has written to this bucket meanwhile: export again")
}

fn failed(error: StorageError) -> PutError {
    PutError::Failed(io::Error::other(error))
}

fn hash_of(media: &OpenMedia) -> Result<blake3::Hash, PutError> {
    let (mut hasher, mut offset) = (blake3::Hasher::new(), 0);
    while offset < media.size() {
        let length = usize::try_from(media.size() - offset).unwrap_or(PART).min(PART);
        let bytes = media.read(offset, length).map_err(|error| PutError::Obstructed(error.to_string()))?;
        hasher.update(&bytes);
        offset += length as u64;
    }
    Ok(hasher.finalize())
}

/// The header fields that objects have.
fn attributes(headers: &HeaderMap) -> Attributes {
    let fields = [
        (header::CONTENT_TYPE, Attribute::ContentType),
        (header::CACHE_CONTROL, Attribute::CacheControl),
        (header::CONTENT_LANGUAGE, Attribute::ContentLanguage),
        (header::CONTENT_DISPOSITION, Attribute::ContentDisposition),
    ];
    let present = fields.into_iter().filter_map(|(name, attribute)| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((attribute, value.to_owned()))
    });
    present.collect()
}
