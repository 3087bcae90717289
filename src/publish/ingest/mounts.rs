//! Folders that are mounts: disks, bind mounts, automounts. If one is away, its articles stay, as when the watched folder is away.
//!
//! Numbers of devices and mounts change between starts, so only the paths are remembered, in the catalog.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::catalog::{self, Catalog};
use crate::folder::MountState;

/// Key in `meta` of the mounts that were seen.
pub(super) const KEY: &str = "mounts";
/// Stands for the watched folder itself in the text that is remembered.
const ROOT: &str = ".";
/// Maximum number of mounts below the folder that are remembered.
const MAX_MOUNTS: usize = 256;

/// The watched folder, if it is a mount, and the mounts below it.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// Whether the watched folder itself is a mount, or was one when it last held articles.
    has_root: bool,
    /// Every mount that was seen and may have articles.
    known: BTreeSet<PathBuf>,
    /// Those that are away now.
    away: BTreeSet<PathBuf>,
}

/// Whether a mount is away, so that its articles stay. If other articles are in its place, it was given up.
pub(super) fn is_away(state: MountState) -> bool {
    match state {
        MountState::Empty | MountState::Missing | MountState::Unknown => true,
        MountState::Mounted | MountState::Inhabited => false,
    }
}

impl Mounts {
    /// The mounts that an earlier run has seen.
    pub fn remembered(catalog: &Catalog) -> catalog::Result<Self> {
        Ok(Self::parse(&catalog.meta(KEY)?.unwrap_or_default()))
    }

    /// Reads the mounts that were remembered. What is not readable is left out.
    pub fn parse(text: &str) -> Self {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let path = |word: &str| word.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>();
        let path = |word: &str| path(word).map(|bytes| PathBuf::from(OsString::from_vec(bytes)));
        let paths: Vec<PathBuf> = text.split_whitespace().filter_map(path).collect();
        let has_root = paths.iter().any(|path| path == Path::new(ROOT));
        let is_below = |path: &PathBuf| path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        Self { has_root, known: paths.into_iter().filter(is_below).take(MAX_MOUNTS).collect(), away: BTreeSet::new() }
    }

    /// The mounts to remember, as [`Mounts::parse`] reads them. A name may have any bytes.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for path in self.has_root.then_some(Path::new(ROOT)).into_iter().chain(self.known.iter().map(PathBuf::as_path))
        {
            for byte in path.as_os_str().as_bytes() {
                let _ = write!(text, "{byte:02x}");
            }
            text.push(' ');
        }
        text
    }

    /// Whether the watched folder itself was a mount when it last held articles.
    pub fn has_root(&self) -> bool {
        self.has_root
    }

    pub fn set_root(&mut self, is_mount: bool) {
        self.has_root = is_mount;
    }

    /// Adds a mount below the watched folder. Returns whether it is new.
    pub fn add(&mut self, mount: &Path) -> bool {
        self.known.len() < MAX_MOUNTS && self.known.insert(mount.to_path_buf())
    }

    /// Forgets a mount that was given up.
    pub fn forget(&mut self, mount: &Path) {
        self.known.remove(mount);
        self.away.remove(mount);
    }

    /// The mounts below the watched folder.
    pub fn known(&self) -> Vec<PathBuf> {
        self.known.iter().cloned().collect()
    }

    /// Sets whether a mount is away. Returns whether that has changed.
    pub fn set_away(&mut self, mount: &Path, is_away: bool) -> bool {
        if is_away { self.away.insert(mount.to_path_buf()) } else { self.away.remove(mount) }
    }

    /// Whether a path is at or below a mount that is away.
    pub fn hides(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.away.contains(above))
    }

    /// Whether no mount below the watched folder is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_away_unless_it_or_other_articles_are_there() {
        for (state, expected) in [
            (MountState::Mounted, false),
            (MountState::Inhabited, false),
            (MountState::Empty, true),
            (MountState::Missing, true),
            (MountState::Unknown, true),
        ] {
            assert_eq!(is_away(state), expected, "{state:?}");
        }
    }

    #[test]
    fn a_mount_hides_what_is_below_it() {
        let mut mounts = Mounts::default();
        for mount in ["usb", "nas/photos", "nas"] {
            assert!(mounts.add(Path::new(mount)) && !mounts.add(Path::new(mount)));
        }
        assert!(mounts.set_away(Path::new("nas/photos"), true) && !mounts.set_away(Path::new("nas/photos"), true));
        for (path, expected) in [
            ("nas/photos/a.md", true),
            ("nas/photos/deep/a.md", true),
            ("nas/photos.md", false),
            ("nas/a.md", false),
            ("usb/a.md", false),
        ] {
            assert_eq!(mounts.hides(Path::new(path)), expected, "{path}");
        }
        mounts.set_away(Path::new("nas"), true);
        assert!(mounts.hides(Path::new("nas/a.md")), "nested mounts");
        mounts.forget(Path::new("nas"));
        assert!(!mounts.hides(Path::new("nas/a.md")) && mounts.hides(Path::new("nas/photos/a.md")));
    }

    #[test]
    fn mounts_are_remembered_by_any_name() {
        let mut mounts = Mounts::default();
        for mount in [&b"usb stick"[..], b"caf\xE9", b"a\nb"] {
            mounts.add(Path::new(std::ffi::OsStr::from_bytes(mount)));
        }
        assert_eq!(Mounts::parse(&mounts.text()).known, mounts.known);
        assert!(!Mounts::parse(&mounts.text()).has_root());
        mounts.set_root(true);
        let remembered = Mounts::parse(&mounts.text());
        assert!(remembered.has_root() && remembered.known == mounts.known);
        assert!(!remembered.hides(Path::new("a.md")) && !Mounts::default().has_root());
        for text in ["", "zz", "6", "2f657463 2e2e", "6 6", "\u{e9}\u{e9}"] {
            let Mounts { has_root, known, .. } = Mounts::parse(text);
            assert!(!has_root && known.iter().all(|path| path.as_os_str().len() == 1), "{text}: {known:?}");
        }
        let many: Vec<String> = (0..1_000).map(|number| format!("{number:08x}")).collect();
        assert!(Mounts::parse(&many.join(" ")).known.len() <= MAX_MOUNTS);
    }
}
