//! The thread that makes smaller forms of pictures: one at a time, in the background.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::media::{MediaFiles, OpenMedia};
use super::renditions::{RenditionFiles, WIDTHS};
use super::scaling;
use crate::model::text::path_line;

/// Larger files have no smaller forms.
const MAX_FILE: u64 = 64 << 20;
/// Interval of looking for forms that are too old while no form is asked for.
const TRIM_INTERVAL: Duration = Duration::from_hours(1);

/// Makes forms until nothing can ask for more.
///
/// # Errors
/// The system refuses a thread.
pub fn start(requests: Receiver<PathBuf>, files: MediaFiles, forms: RenditionFiles) -> io::Result<()> {
    let work = move || Scaler { files, forms }.run(&requests);
    std::thread::Builder::new().name("pictures".into()).spawn(work).map(drop)
}

/// Makes the forms of a picture on this thread.
///
/// # Errors
/// The picture cannot be read, or its forms cannot be kept.
pub fn scale_now(files: &MediaFiles, forms: &RenditionFiles, picture: &Path) -> io::Result<()> {
    Scaler { files: files.clone(), forms: forms.clone() }.scale(picture).map(drop)
}

struct Scaler {
    files: MediaFiles,
    forms: RenditionFiles,
}

impl Scaler {
    fn run(&self, requests: &Receiver<PathBuf>) {
        self.forms.trim();
        loop {
            let is_changed = match requests.recv_timeout(TRIM_INTERVAL) {
                Ok(picture) => self.scale(&picture).unwrap_or_else(|error| {
                    tracing::debug!(path = %path_line(&picture), %error, "cannot keep smaller forms of a picture");
                    true
                }),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if is_changed {
                self.forms.trim();
            }
        }
    }

    /// Makes the forms of a picture. Returns false if there is nothing to make.
    fn scale(&self, picture: &Path) -> io::Result<bool> {
        let Some(opened) = self.files.open(picture)? else { return Ok(false) };
        let key = opened.key();
        let widths: Vec<u32> = WIDTHS.into_iter().filter(|width| !self.forms.is_done(&key, *width)).collect();
        if widths.is_empty() {
            return Ok(false);
        }
        widths.iter().try_for_each(|width| self.forms.begin(&key, *width))?;
        let scaled = catch_unwind(AssertUnwindSafe(|| scaled(&opened, &widths)));
        let scaled = scaled.unwrap_or_else(|_| Err("its decoder failed".to_owned()));
        let scaled = scaled.unwrap_or_else(|why| {
            tracing::debug!(path = %path_line(picture), why, "no smaller forms of a picture");
            vec![None; widths.len()]
        });
        widths.iter().zip(scaled).try_for_each(|(width, webp)| self.forms.keep(&key, *width, webp.as_deref()))?;
        Ok(true)
    }
}

fn scaled(opened: &OpenMedia, widths: &[u32]) -> Result<Vec<Option<Vec<u8>>>, String> {
    let length = usize::try_from(opened.size()).ok().filter(|_| opened.size() <= MAX_FILE);
    let bytes = opened.read(0, length.ok_or("it is too large")?).map_err(|error| error.to_string())?;
    scaling::scale(&bytes, widths)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::config::Articles;

    #[test]
    fn a_picture_without_smaller_forms_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.jpg"), "no picture").unwrap();
        File::create(folder.path().join("large.jpg")).unwrap().set_len(MAX_FILE + 1).unwrap();
        let files = MediaFiles::new(folder.path(), &Articles::default());
        let scaler = Scaler { files, forms: RenditionFiles::new(folder.path().join("pictures"), 1 << 20) };
        for name in ["broken.jpg", "large.jpg"] {
            let key = scaler.files.open(Path::new(name)).unwrap().unwrap().key();
            let are_done = || WIDTHS.map(|width| scaler.forms.is_done(&key, width));
            assert_eq!(are_done(), [false; WIDTHS.len()], "{name}");
            assert!(scaler.scale(Path::new(name)).unwrap(), "{name}");
            assert_eq!(are_done(), [true; WIDTHS.len()], "{name}");
            assert!(!scaler.scale(Path::new(name)).unwrap(), "{name}");
        }
        assert!(!scaler.scale(Path::new("none.jpg")).unwrap());
    }
}
