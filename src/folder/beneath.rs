//! Opens files and folders beneath the watched folder.
//!
//! A path is resolved from the open root on, and no link in it is followed: a folder that is replaced by a link at any moment
//! exposes nothing outside. A path that contains a link is resolved to one without links, which is opened in the same way.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::{File, Metadata};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::names::{is_ignored, is_system_folder};
use super::stat::Stat;
use crate::config::FollowLinks;
use crate::system::platform::{self, PATH_ONLY};

/// Attempts to open a path that changes while it is resolved.
pub const OPEN_ATTEMPTS: usize = 5;

pub const FOLDER: OFlags = PATH_ONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// NONBLOCK: opening a FIFO without a writer would block for ever.
pub const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
const LISTING: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const ANY: OFlags = PATH_ONLY.union(OFlags::CLOEXEC);

/// Opens a path below a folder; fails with `LOOP` if it contains a link.
pub fn open_beneath(root: impl AsFd, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    match platform::open_beneath(root.as_fd(), path, flags) {
        Err(Errno::NOSYS | Errno::PERM) => open_step_by_step(root, path, flags),
        opened => opened,
    }
}

/// As [`open_beneath`], component by component.
fn open_step_by_step(root: impl AsFd, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut folder = None;
    // `.` names the root itself.
    let name = below.components().next_back().ok_or(Errno::NOENT)?;
    for part in below.parent().unwrap_or(Path::new("")) {
        let above = folder.as_ref().map_or(root.as_fd(), AsFd::as_fd);
        folder = Some(open_at(above, part, FOLDER)?);
    }
    open_at(folder.as_ref().map_or(root.as_fd(), AsFd::as_fd), name.as_os_str(), flags)
}

fn open_at(folder: impl AsFd, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let opened = rustix::fs::openat(folder, name, flags | OFlags::NOFOLLOW, Mode::empty());
    let opened = opened.map_err(|error| match error {
        // With O_DIRECTORY, the kernel reports a link as not a directory.
        Errno::NOTDIR if flags.contains(OFlags::DIRECTORY) => Errno::LOOP,
        // What FreeBSD reports for a link.
        Errno::MLINK => Errno::LOOP,
        error => error,
    })?;
    // With O_PATH, it opens the link itself.
    let is_link =
        flags.contains(PATH_ONLY) && FileType::from_raw_mode(rustix::fs::fstat(&opened)?.st_mode) == FileType::Symlink;
    if is_link { Err(Errno::LOOP) } else { Ok(opened) }
}

/// Resolves all links in a path.
pub fn canonical(path: &Path) -> Result<PathBuf, Errno> {
    path.canonicalize().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// A link whose target is outside of the watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOut {
    /// Path of the target, without links.
    pub target: PathBuf,
    /// The attributes of the link itself.
    pub stat: Stat,
}

/// Why a path cannot be opened.
#[derive(Debug)]
pub enum OpenFailure {
    /// The path is that of a link that leads out of the watched folder, and such links are not followed.
    LeadsOut(LinkOut),
    System(Errno),
}

impl From<Errno> for OpenFailure {
    fn from(error: Errno) -> Self {
        Self::System(error)
    }
}

/// A name in a folder.
#[derive(Debug)]
pub struct ListedName {
    pub name: OsString,
    pub kind: FileType,
}

/// Identifies a folder, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderIdentity {
    pub device: u64,
    pub inode: u64,
    /// Whether it is the root of a mount.
    pub is_mount: bool,
}

/// Whether a folder is the root of a mount: a bind mount may have the device of the folder above.
fn is_mount(folder: &OwnedFd, device: u64) -> bool {
    platform::is_mount_root(folder).unwrap_or_else(|| {
        rustix::fs::statat(folder, "..", AtFlags::empty()).is_ok_and(|above| platform::device(&above) != device)
    })
}

/// The watched folder, open. If another folder takes its place, this value still stands for the first one.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    descriptor: OwnedFd,
    follow_links: FollowLinks,
}

impl Root {
    /// Opens the folder at an absolute path, which may be a link.
    ///
    /// # Errors
    /// There is no folder, or the system lacks a resource.
    pub fn open(path: &Path, follow_links: FollowLinks) -> Result<Self, Errno> {
        let descriptor = rustix::fs::open(path, FOLDER, Mode::empty())?;
        Ok(Self { path: path.to_path_buf(), descriptor, follow_links })
    }

    /// Opens a file for reading. It may be a folder, a FIFO or a device.
    ///
    /// # Errors
    /// See [`OpenFailure`].
    pub fn file(&self, below: &Path) -> Result<File, OpenFailure> {
        self.open_path(below, FILE).map(File::from)
    }

    /// The attributes of a file or, for a link, of its target.
    ///
    /// # Errors
    /// See [`OpenFailure`].
    pub fn metadata(&self, below: &Path) -> Result<Metadata, OpenFailure> {
        let opened = File::from(self.open_path(below, ANY)?);
        let error = |error| OpenFailure::System(Errno::from_io_error(&error).unwrap_or(Errno::IO));
        opened.metadata().map_err(error)
    }

    /// Opens a folder to examine the names in it. A link to a folder is followed as in [`Root::linked_folder`].
    ///
    /// # Errors
    /// There is no such folder, or it cannot be opened.
    pub fn folder(&self, below: &Path) -> Result<OwnedFd, Errno> {
        self.open_folder(below, FOLDER)
    }

    /// Lists a folder, in no order. A link to a folder is followed as in [`Root::linked_folder`].
    ///
    /// # Errors
    /// There is no such folder, or it cannot be read.
    pub fn list(&self, below: &Path) -> Result<Vec<ListedName>, Errno> {
        let mut folder = Dir::new(self.open_folder(below, LISTING)?)?;
        let mut names = Vec::new();
        while let Some(entry) = folder.read() {
            let entry = entry?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            let name = name_of(entry.file_name());
            let kind = match entry.file_type() {
                // The file system does not store types beside names.
                FileType::Unknown => match attributes_at(folder.fd()?, &name) {
                    Ok((kind, _)) => kind,
                    Err(_) => continue,
                },
                kind => kind,
            };
            names.push(ListedName { name, kind });
        }
        Ok(names)
    }

    /// Identifies a folder.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn identity(&self, below: &Path) -> Result<FolderIdentity, Errno> {
        let folder = self.folder(below)?;
        let stat = rustix::fs::fstat(&folder)?;
        let device = platform::device(&stat);
        let is_mount = is_mount(&folder, device);
        Ok(FolderIdentity { device, inode: stat.st_ino, is_mount })
    }

    /// Returns the target of a link if it is outside of the watched folder, whether such links are followed or not.
    pub fn leads_out(&self, below: &Path) -> Option<PathBuf> {
        let real = canonical(&self.path).ok()?;
        let target = canonical(&real.join(below)).ok()?;
        (!target.starts_with(&real)).then_some(target)
    }

    /// Returns the folder, by its path below the root and without links, that a link leads into. Only a link whose target is in a
    /// hidden folder of the root is followed, as in a Kubernetes ConfigMap. Any other link would publish files twice, deleted files, or
    /// files from outside.
    pub fn linked_folder(&self, link: &Path) -> Option<PathBuf> {
        let is_visible = link.components().all(|part| matches!(part, Component::Normal(name) if !is_ignored(name)));
        let real = canonical(&self.path).ok().filter(|_| is_visible)?;
        let target = canonical(&real.join(link)).ok().filter(|target| target.is_dir())?;
        let target = target.strip_prefix(&real).ok()?;
        // Within such a folder no link is followed: a circle of links would have no end.
        let parent = real.join(link.parent()?);
        let stands_outside = canonical(&parent).ok()? == parent;
        let is_hidden = target.iter().any(is_ignored) && !target.iter().any(is_system_folder);
        (stands_outside && is_hidden).then(|| target.to_path_buf())
    }

    fn open_folder(&self, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        match open_beneath(&self.descriptor, below, flags) {
            Err(Errno::LOOP) => {
                // The root is never a link here, and comes last among the ancestors.
                let links = below.ancestors().filter(|link| !link.as_os_str().is_empty());
                let target = links.filter_map(|link| Some((link, self.linked_folder(link)?))).last();
                let (link, target) = target.ok_or(Errno::NOENT)?;
                let rest = below.strip_prefix(link).map_err(|_| Errno::NOENT)?;
                open_beneath(&self.descriptor, &target.join(rest), flags)
            }
            opened => opened,
        }
    }

    fn open_path(&self, below: &Path, flags: OFlags) -> Result<OwnedFd, OpenFailure> {
        let mut attempts = 1;
        loop {
            let opened = match open_beneath(&self.descriptor, below, flags) {
                Err(Errno::LOOP) => self.open_by_links(below, flags),
                opened => opened.map_err(OpenFailure::from),
            };
            match opened {
                // Files are being renamed or links changed at this moment.
                Err(OpenFailure::System(Errno::AGAIN | Errno::INTR | Errno::LOOP)) if attempts < OPEN_ATTEMPTS => {
                    attempts += 1;
                }
                opened => return opened,
            }
        }
    }

    /// Opens a path that contains a link.
    fn open_by_links(&self, below: &Path, flags: OFlags) -> Result<OwnedFd, OpenFailure> {
        let name = below.file_name().ok_or(Errno::NOENT)?;
        let folder = self.folder(below.parent().unwrap_or(Path::new("")))?;
        let (kind, stat) = attributes_at(&folder, name)?;
        if kind != FileType::Symlink {
            return Ok(open_beneath(&folder, Path::new(name), flags)?);
        }
        let real = canonical(&self.path)?;
        let target = canonical(&real.join(below))?;
        match target.strip_prefix(&real) {
            // A target that vanishes in between is resolved again: a ConfigMap is replaced by changing a link.
            Ok(inside) => Ok(open_beneath(&self.descriptor, inside, flags)
                .map_err(|error| if error == Errno::NOENT { Errno::LOOP } else { error })?),
            Err(_) if self.follow_links == FollowLinks::Anywhere => {
                Ok(rustix::fs::open(&target, flags | OFlags::NOFOLLOW, Mode::empty())?)
            }
            Err(_) => Err(OpenFailure::LeadsOut(LinkOut { target, stat })),
        }
    }
}

fn name_of(name: &CStr) -> OsString {
    OsStr::from_bytes(name.to_bytes()).to_os_string()
}

/// Reads the attributes of a name in a folder. A link is not followed.
pub fn attributes_at(folder: impl AsFd, name: &OsStr) -> Result<(FileType, Stat), Errno> {
    match platform::attributes_at(&folder, name) {
        Ok(attributes) => Ok((attributes.kind, Stat::from(attributes))),
        Err(Errno::NOSYS | Errno::PERM) => {
            let opened = rustix::fs::openat(&folder, name, ANY | OFlags::NOFOLLOW, Mode::empty())?;
            let kind = FileType::from_raw_mode(rustix::fs::fstat(&opened)?.st_mode);
            let metadata = File::from(opened).metadata();
            Ok((kind, Stat::of(&metadata.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?)))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder `root` beside a file `out.md` and a folder `outside` with a file `a.md`.
    struct Place {
        directory: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let place = Self { directory: tempfile::tempdir().unwrap() };
            for folder in ["root/deep/er", "root/..2026/sub", "root/.git", "outside"] {
                std::fs::create_dir_all(place.directory.path().join(folder)).unwrap();
            }
            for name in ["root/a.md", "root/deep/er/b.md", "root/..2026/sub/c.md", "root/.git/d.md"] {
                std::fs::write(place.directory.path().join(name), "inside").unwrap();
            }
            for name in ["out.md", "outside/a.md", "outside/b.md"] {
                std::fs::write(place.directory.path().join(name), "outside").unwrap();
            }
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn link(&self, target: impl AsRef<Path>, name: &str) {
            symlink(target, self.path("root").join(name)).unwrap();
        }

        fn root(&self, follow_links: FollowLinks) -> Root {
            Root::open(&self.path("root"), follow_links).unwrap()
        }

        fn text(&self, follow_links: FollowLinks, name: &str) -> Result<String, OpenFailure> {
            let file = self.root(follow_links).file(Path::new(name))?;
            Ok(std::io::read_to_string(file).unwrap())
        }

        fn is_outside(&self, name: &str, target: &str) -> bool {
            let target = self.path(target).canonicalize().unwrap();
            matches!(self.text(FollowLinks::Inside, name), Err(OpenFailure::LeadsOut(link)) if link.target == target)
        }
    }

    #[test]
    fn links_that_stay_inside_are_followed() {
        let place = Place::new();
        place.link("a.md", "relative.md");
        place.link(place.path("root/a.md"), "absolute.md");
        place.link("../deep/er/b.md", "deep/up.md");
        place.link("relative.md", "chain.md");
        place.link(".git/d.md", "hidden.md");
        place.link("..2026", "..data");
        place.link("..data/sub", "sub");
        place.link("..data/sub/c.md", "c.md");
        for name in [
            "a.md",
            "deep/er/b.md",
            "relative.md",
            "absolute.md",
            "deep/up.md",
            "chain.md",
            "hidden.md",
            "c.md",
            "sub/c.md",
        ] {
            for follow_links in [FollowLinks::Inside, FollowLinks::Anywhere] {
                assert_eq!(place.text(follow_links, name).unwrap(), "inside", "{name}");
            }
        }
        let names: Vec<_> = place.root(FollowLinks::Inside).list(Path::new("sub")).unwrap();
        assert_eq!(names.iter().map(|listed| &listed.name).collect::<Vec<_>>(), ["c.md"]);
    }

    #[test]
    fn links_that_leave_the_folder_are_followed_only_if_that_is_allowed() {
        let place = Place::new();
        place.link("../out.md", "relative.md");
        place.link(place.path("out.md"), "absolute.md");
        place.link("relative.md", "chain.md");
        place.link("../../out.md", "deep/up.md");
        place.link("../root/../out.md", "roundabout.md");
        for name in ["relative.md", "absolute.md", "chain.md", "deep/up.md", "roundabout.md"] {
            assert!(place.is_outside(name, "out.md"), "{name}");
            assert_eq!(place.text(FollowLinks::Anywhere, name).unwrap(), "outside", "{name}");
        }
        place.link("../outside", "folder.md");
        assert!(place.is_outside("folder.md", "outside"));
        place.link("../outside", "folder");
        place.link("/proc/self/root", "magic");
        for follow_links in [FollowLinks::Inside, FollowLinks::Anywhere] {
            for name in ["folder/a.md", "magic/etc/passwd", "../out.md", "deep/../../out.md", "nothing.md"] {
                assert!(place.text(follow_links, name).is_err(), "{name}");
            }
            for name in ["folder", "magic", "..", "nothing", "a.md"] {
                let root = place.root(follow_links);
                assert!(root.list(Path::new(name)).is_err() && root.folder(Path::new(name)).is_err(), "{name}");
            }
        }
    }

    #[test]
    fn the_root_may_be_a_link() {
        let place = Place::new();
        place.link("../out.md", "out.md");
        place.link(place.path("root/a.md"), "absolute.md");
        symlink("root", place.path("alias")).unwrap();
        let root = Root::open(&place.path("alias"), FollowLinks::Inside).unwrap();
        assert_eq!(std::io::read_to_string(root.file(Path::new("absolute.md")).unwrap()).unwrap(), "inside");
        assert!(matches!(root.file(Path::new("out.md")), Err(OpenFailure::LeadsOut(_))));
        assert_eq!(root.leads_out(Path::new("a.md")), None);
    }

    #[test]
    fn the_fallback_for_openat2_gives_the_same_results() {
        let place = Place::new();
        place.link("er", "deep/link");
        place.link("b.md", "deep/er/link.md");
        place.link("../outside", "folder");
        let root = rustix::fs::open(place.path("root"), FOLDER, Mode::empty()).unwrap();
        for name in [
            "deep/er/b.md",
            "deep/link/b.md",
            "deep/er/link.md",
            "deep/er/none.md",
            "none/b.md",
            "folder/a.md",
            "folder",
            "deep",
            ".",
        ] {
            let name = Path::new(name);
            for flags in [FILE, ANY, FOLDER] {
                // For a file in the place of a folder, one reports a link.
                let is_folder = |error| if error == Errno::NOTDIR { Errno::LOOP } else { error };
                let (one, other) = (open_beneath(&root, name, flags), open_step_by_step(&root, name, flags));
                assert_eq!(
                    one.map(drop).map_err(is_folder),
                    other.map(drop).map_err(is_folder),
                    "{} {flags:?}",
                    name.display()
                );
            }
        }
    }
}
