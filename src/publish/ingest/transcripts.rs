//! Transcripts of a recording in several languages: `ep1.en.vtt` and `ep1.de.srt` beside `ep1.mp3`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::article::language;
use crate::folder::Folder;
use crate::folder::media::media_type;

/// Those of the folder that was last asked for: most recordings are read folder by folder.
#[derive(Debug, Default)]
pub(super) struct TranscriptIndex {
    listed: RefCell<Option<(PathBuf, Vec<Translation>)>>,
}

/// A transcript with a language in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translation {
    pub path: PathBuf,
    pub language: String,
    /// The name without the language: `ep1.vtt`.
    pub plain: PathBuf,
}

impl Translation {
    pub fn of(path: &Path) -> Option<Self> {
        let is_transcript =
            media_type(path).is_some_and(|kind| kind.starts_with("text/vtt") || kind == "application/x-subrip");
        let (name, language) = language::of_name(path.file_stem().filter(|_| is_transcript)?.to_str()?)?;
        let ending = path.extension()?.to_ascii_lowercase();
        let plain = path.with_file_name(format!("{name}.{}", ending.to_str()?));
        Some(Self { path: path.to_path_buf(), language, plain })
    }
}

impl TranscriptIndex {
    /// Those in a folder.
    pub fn in_folder(&self, folder: &Folder, below: &Path) -> Vec<Translation> {
        let mut listed = self.listed.borrow_mut();
        match &*listed {
            Some((known, found)) if known == below => found.clone(),
            _ => {
                let files = folder.files_in(below, |path| Translation::of(path).is_some());
                let found: Vec<Translation> = files.iter().filter_map(|path| Translation::of(path)).collect();
                *listed = Some((below.to_path_buf(), found.clone()));
                found
            }
        }
    }

    /// Follows a change at a path, which may be that of a folder.
    pub fn changed(&mut self, path: &Path) {
        let listed = self.listed.get_mut();
        if listed.as_ref().is_some_and(|(below, _)| below.starts_with(path) || Translation::of(path).is_some()) {
            *listed = None;
        }
    }

    /// Forgets what may have changed while nothing watched.
    pub fn clear(&mut self) {
        *self.listed.get_mut() = None;
    }
}
