//! Reads the exports that a command names: files, folders of them, and the archives of feeds that were saved beside them.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use url::Url;

use crate::article::Problem;
use crate::model::text::{path_line, single_line};
use crate::moving;
use crate::moving::export::Export;

/// Maximum size of an export, in bytes.
const MAX_EXPORT: u64 = 1 << 30;
/// Deepest nesting of folders with exports.
const DEEPEST: usize = 16;
/// Endings of exports in a folder.
const ENDINGS: [&str; 7] = ["xml", "json", "rss", "atom", "rdf", "zip", "gz"];

/// Reads all exports as one. Prints what is remarked on each.
///
/// # Errors
/// An export cannot be read, or a folder has none.
pub fn read(paths: &[PathBuf]) -> anyhow::Result<Export> {
    let mut reader = ExportReader::default();
    for path in paths {
        if !path.is_dir() {
            reader.folders.extend(path.parent().map(Path::to_path_buf));
            reader.read(path)?;
            continue;
        }
        reader.folders.push(path.clone());
        let name = path_line(path);
        let files = files_of(path, 0).with_context(|| format!("{name}: cannot read the folder"))?;
        // A folder may have other files beside the exports.
        let count = files.iter().filter(|file| reader.read(file).is_ok()).count();
        if count == 0 {
            bail!("{name}: no export in it");
        }
    }
    reader.read_older();
    moving::complete(&mut reader.export);
    for remark in &reader.export.remarks {
        println!("{remark}");
    }
    Ok(reader.export)
}

/// The files of a folder that may be exports, in the order of their names.
fn files_of(folder: &Path, depth: usize) -> std::io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    let mut files = Vec::new();
    for path in entries {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if path.is_dir() && depth < DEEPEST {
            files.extend(files_of(&path, depth + 1)?);
        } else if ENDINGS.iter().any(|other| other.eq_ignore_ascii_case(ending)) {
            files.push(path);
        }
    }
    Ok(files)
}

/// A document that refers to an older one.
struct Reference {
    path: PathBuf,
    own: Option<Url>,
    older: Url,
}

#[derive(Default)]
struct ExportReader {
    export: Export,
    paths: HashSet<PathBuf>,
    /// The folders that the command names, or in which the files are that it names.
    folders: Vec<PathBuf>,
    /// Addresses of the documents that were read.
    addresses: HashSet<Url>,
    references: VecDeque<Reference>,
}

impl ExportReader {
    fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let name = path_line(path);
        let bytes = read_limited(path).with_context(|| format!("{name}: cannot read it"))?;
        let export = moving::read_part(&bytes).map_err(|reason| anyhow::Error::msg(single_line(&reason).into_owned()));
        let mut export = export.with_context(|| format!("{name}: not an export"))?;
        for remark in export.remarks.drain(..) {
            println!("{}", remark.in_file(path));
        }
        self.paths.insert(path.canonicalize().unwrap_or_else(|_| path.to_path_buf()));
        let own = export.own.take().and_then(|own| Url::parse(&own).ok());
        self.addresses.extend(own.clone());
        if let Some(older) = export.older.take().and_then(|older| Url::parse(&older).ok()) {
            self.references.push_back(Reference { path: path.to_path_buf(), own, older });
        }
        self.export.merge(export);
        Ok(())
    }

    /// Reads the documents with older posts, if they are there.
    fn read_older(&mut self) {
        let mut missing = HashSet::new();
        while let Some(reference) = self.references.pop_front() {
            if self.addresses.contains(&reference.older) {
                continue;
            }
            let copy = copies(&reference, &self.folders).find_map(|copy| copy.canonicalize().ok());
            let is_read = copy.is_some_and(|copy| self.paths.contains(&copy) || self.read(&copy).is_ok());
            if !is_read && missing.insert(reference.older.clone()) {
                let message =
                    format!("older posts are at {}: save that document, too, and import both", reference.older);
                println!("{}", Problem::of_file(message).in_file(&reference.path));
                self.export.is_incomplete = true;
            }
        }
    }
}

/// Where the copy of an older document may be: beside the newer one as on the site, or in one of the folders with the last parts of its
/// path. The newer document itself is none.
fn copies(reference: &Reference, folders: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    let relative = reference.own.as_ref().and_then(|own| own.make_relative(&reference.older));
    let beside = relative.and_then(|path| Some(reference.path.parent()?.join(path)));
    let parts: Vec<&str> = reference.older.path().split('/').filter(|part| !part.is_empty()).collect();
    // Documents of one name differ by their folders.
    let has_own_name = parts.last().is_some_and(|name| !reference.path.ends_with(name));
    let most = if has_own_name { parts.len() } else { parts.len().saturating_sub(1) };
    let suffixes: Vec<String> = (0..most).map(|start| parts[start..].join("/")).collect();
    let in_folders: Vec<PathBuf> =
        suffixes.iter().flat_map(|path| folders.iter().map(move |folder| folder.join(path))).collect();
    let newer = reference.path.clone();
    let newer = newer.canonicalize().unwrap_or(newer);
    let is_other = move |copy: &PathBuf| copy.canonicalize().is_ok_and(|copy| copy != newer);
    beside.into_iter().chain(in_folders).filter(is_other)
}

fn read_limited(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_EXPORT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_EXPORT {
        bail!("it is larger than {MAX_EXPORT} bytes: export a part of the site at a time");
    }
    Ok(bytes)
}
