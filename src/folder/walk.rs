//! Walking over the watched folder.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::beneath::{ListedName, OpenFailure, Root, attributes_at};
use super::names::{document_ending, is_ignored};
use super::stat::Stat;
use super::{Folder, Found, SourceFormat, is_video};
use crate::config::Globs;

/// An item of a walk, with its absolute path.
#[derive(Debug)]
pub enum Met {
    /// An article by its name, with its format. Whether it is a regular file has not been checked.
    File(PathBuf, SourceFormat),
    /// A folder; its content follows.
    Folder(PathBuf),
    /// The folder that was visited last is the root of a mount.
    Mount(PathBuf),
    /// A video, which may belong to an article.
    Video(PathBuf),
    /// A sync program's conflict copy of an article.
    Conflict(PathBuf),
    /// A file that describes its folder, and may hold data of the articles in it.
    Section(PathBuf),
    /// Another file with data of articles.
    Data(PathBuf),
    /// A link to a folder outside of the watched one, which is not followed.
    LinkOut(PathBuf),
    /// A text in a format that is not read, and its extension.
    Document(&'static str),
    /// A folder that cannot be read; its content is unknown.
    Unreadable(PathBuf),
}

/// A folder of which a walk has visited a part.
struct Level {
    /// Path below the root under which the content is visited.
    below: PathBuf,
    /// Path below the root without links.
    real: PathBuf,
    rest: std::vec::IntoIter<ListedName>,
}

impl Folder {
    /// Lists every file below `top` that may be an article, the links with the name of one that lead to nothing, and the links to folders
    /// that are not followed because they leave the watched folder. Links to files are followed, links to folders as in [`Folder::enters_by_link`].
    ///
    /// # Errors
    /// `top` cannot be read. Unreadable folders below it are skipped.
    pub fn files_below(&self, top: &Path) -> io::Result<Vec<Found>> {
        let mut files = Vec::new();
        let mut attributes = Attributes::new(self);
        self.walk(top, &|_| {}, &mut |met| {
            match met {
                Met::File(path, _) => {
                    let found = attributes.file(path.clone());
                    let dangling = || Found { path: path.clone(), stat: Stat::default() };
                    files.extend(found.or_else(|| self.dangling_target(&path).map(|_| dangling())));
                }
                Met::LinkOut(path) | Met::Section(path) | Met::Data(path) => {
                    files.push(Found { path, stat: Stat::default() });
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok(files)
    }

    /// Counts the texts below `top` that are not read, by their extensions.
    ///
    /// # Errors
    /// As for [`Folder::files_below`].
    pub fn documents_below(&self, top: &Path) -> io::Result<BTreeMap<&'static str, usize>> {
        let mut documents = BTreeMap::new();
        self.walk(top, &|_| {}, &mut |met| {
            if let Met::Document(ending) = met {
                *documents.entry(ending).or_default() += 1;
            }
            ControlFlow::Continue(())
        })?;
        Ok(documents)
    }

    /// Returns the patterns of `articles.include` and of `articles.exclude` that match no file of the folder.
    pub fn idle_patterns(&self) -> (Vec<String>, Vec<String>) {
        let each = |globs: &Globs| -> Vec<(String, Globs)> {
            let one = |pattern: &String| (pattern.clone(), globs.only(|other| other == pattern));
            globs.patterns().iter().map(one).collect()
        };
        let (mut include, mut exclude) = (each(&self.include), each(&self.exclude));
        let mut folders = vec![PathBuf::new()];
        while let Some(below) = folders.pop().filter(|_| !include.is_empty() || !exclude.is_empty()) {
            for listed in self.list(&self.root().join(&below)).unwrap_or_default() {
                let path = below.join(&listed.name);
                if listed.kind == FileType::Symlink && self.enters_by_link(&self.root().join(&path)) {
                    // What is there may match any of them.
                    return (Vec::new(), Vec::new());
                }
                if listed.kind != FileType::Directory {
                    include.retain(|(_, globs)| !globs.matches(&path));
                    exclude.retain(|(_, globs)| !globs.matches(&path));
                } else if !is_ignored(&listed.name) {
                    folders.push(path);
                }
            }
        }
        let patterns = |idle: Vec<(String, Globs)>| idle.into_iter().map(|(pattern, _)| pattern).collect();
        (patterns(include), patterns(exclude))
    }

    /// Walks over everything below `top` in the byte order of paths; the content of a followed link comes at the place of the link.
    /// Ends when `visit` breaks. `enter` is called before a folder is listed.
    ///
    /// # Errors
    /// `top` cannot be read. Unreadable folders below it are visited as [`Met::Unreadable`].
    pub fn walk(
        &self,
        top: &Path,
        enter: &dyn Fn(&Path),
        visit: &mut dyn FnMut(Met) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let below = self.relative(top).ok_or(io::ErrorKind::NotFound)?;
        let root = self.open_root()?;
        root.folder(below)?;
        enter(top);
        let mut levels = vec![level(&root, below.to_path_buf(), below.to_path_buf())?];
        while let Some(level) = levels.last_mut() {
            let Some(listed) = level.rest.next() else {
                levels.pop();
                continue;
            };
            let (below, real) = (level.below.join(&listed.name), level.real.join(&listed.name));
            let path = self.root().join(&below);
            let is_data = || listed.kind != FileType::Directory && self.is_data_file(&below);
            if is_ignored(&listed.name) && !is_data() && !self.is_conflict_copy(&path) {
                continue;
            }
            let next = self.visit_listed(&root, &listed, &path, (below, real), enter, visit);
            match next {
                ControlFlow::Continue(next) => levels.extend(next),
                ControlFlow::Break(()) => break,
            }
        }
        Ok(())
    }

    /// Visits a name in a folder. Returns the folder that is to be visited next, if it is one.
    fn visit_listed(
        &self,
        root: &Root,
        listed: &ListedName,
        path: &Path,
        (below, real): (PathBuf, PathBuf),
        enter: &dyn Fn(&Path),
        visit: &mut dyn FnMut(Met) -> ControlFlow<()>,
    ) -> ControlFlow<(), Option<Level>> {
        let path = path.to_path_buf();
        if listed.kind == FileType::Directory {
            enter(&path);
            visit(Met::Folder(path.clone()))?;
            if root.identity(&real).is_ok_and(|identity| identity.is_mount) {
                visit(Met::Mount(path.clone()))?;
            }
            return enter_level(root, path, below, real, visit);
        }
        if listed.kind == FileType::Symlink {
            if let Some(target) = root.linked_folder(&below) {
                enter(&path);
                return enter_level(root, path, below, target, visit);
            }
            if self.format(&path).is_none() && self.folder_link_out(&below).is_some() {
                visit(Met::LinkOut(path))?;
                return ControlFlow::Continue(None);
            }
        }
        let met = if self.is_conflict_copy(&path) {
            Met::Conflict(path)
        } else if self.is_section_file(&path) {
            Met::Section(path)
        } else if self.is_data_file(&below) {
            Met::Data(path)
        } else if is_video(&path) {
            Met::Video(path)
        } else {
            match self.format(&path) {
                Some(format) => Met::File(path, format),
                None => match document_ending(&listed.name).filter(|_| self.is_chosen(&below)) {
                    Some(ending) => Met::Document(ending),
                    None => return ControlFlow::Continue(None),
                },
            }
        };
        visit(met)?;
        ControlFlow::Continue(None)
    }
}

fn enter_level(
    root: &Root,
    path: PathBuf,
    below: PathBuf,
    real: PathBuf,
    visit: &mut dyn FnMut(Met) -> ControlFlow<()>,
) -> ControlFlow<(), Option<Level>> {
    match level(root, below, real) {
        Ok(level) => ControlFlow::Continue(Some(level)),
        // Removed, renamed or replaced a moment ago.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => ControlFlow::Continue(None),
        Err(_) => {
            visit(Met::Unreadable(path))?;
            ControlFlow::Continue(None)
        }
    }
}

fn level(root: &Root, below: PathBuf, real: PathBuf) -> Result<Level, Errno> {
    let mut names = root.list(&real)?;
    names.sort_unstable_by(by_path);
    Ok(Level { below, real, rest: names.into_iter() })
}

/// Orders two names in a folder so that a walk visits all paths in byte order: paths below a folder continue with a slash.
fn by_path(one: &ListedName, other: &ListedName) -> Ordering {
    let (names, end_of) =
        (
            (one.name.as_bytes(), other.name.as_bytes()),
            |entry: &ListedName| {
                if entry.kind == FileType::Directory { b'/' } else { 0 }
            },
        );
    let common = names.0.len().min(names.1.len());
    let next = |name: &[u8], entry: &ListedName| name.get(common).copied().unwrap_or_else(|| end_of(entry));
    let by_next = || next(names.0, one).cmp(&next(names.1, other));
    names.0[..common].cmp(&names.1[..common]).then_with(by_next).then_with(|| names.0.len().cmp(&names.1.len()))
}

/// Reads the attributes of the files of a walk. The folder of the last file stays open for the next one.
#[derive(Debug)]
pub struct Attributes<'a> {
    folder: &'a Folder,
    root: Option<Root>,
    last: Option<(PathBuf, OwnedFd)>,
}

impl<'a> Attributes<'a> {
    pub fn new(folder: &'a Folder) -> Self {
        Self { folder, root: folder.open_root().ok(), last: None }
    }

    /// Returns a regular file with its attributes. A link has those of its target or, if it leads out of the watched folder and is
    /// not followed, its own. `None` if there is nothing of that kind.
    pub fn file(&mut self, path: PathBuf) -> Option<Found> {
        let root = self.root.as_ref()?;
        let below = self.folder.relative(&path)?;
        let (parent, name): (&Path, &OsStr) = (below.parent()?, below.file_name()?);
        let folder = match &self.last {
            Some((last, folder)) if last == parent => folder,
            _ => &self.last.insert((parent.to_path_buf(), root.folder(parent).ok()?)).1,
        };
        let (kind, stat) = attributes_at(folder, name).ok()?;
        let stat = match kind {
            FileType::RegularFile => stat,
            FileType::Symlink => match root.metadata(below) {
                Ok(metadata) => metadata.is_file().then(|| Stat::of(&metadata))?,
                Err(OpenFailure::LeadsOut(link)) => link.stat,
                Err(OpenFailure::System(_)) => return None,
            },
            _ => return None,
        };
        Some(Found { path, stat })
    }
}
