//! `gazetted import EXPORT DIR`: writes one file for each post of another publisher.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::Args;

use super::exports;
use super::outcome::Outcome;
use crate::model::text::path_line;
use crate::moving::export::Export;
use crate::moving::media;
use crate::moving::post::{ENDING, PostFile, PostStatus};

/// Maximum number of files of one name.
const MAX_NAMESAKES: usize = 10_000;

/// Write one file for each post of another publisher
///
/// Reads exports of WordPress, Ghost, Blogger, Substack or Medium, or any RSS, Atom or JSON Feed documents, also from a folder. The archives
/// of a feed are read if they were saved beside it. Each file has the id, dates,
/// authors, tags and former addresses of its post. Drafts stay drafts, and what was private stays so. No file is overwritten, and
/// importing again writes only what is new. The exit code is 1 if a date or a post could not be read; each is named.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The exports or feeds, also as ZIP archives, or a folder with them
    #[arg(value_name = "EXPORT", required = true)]
    exports: Vec<PathBuf>,
    /// The folder of articles; created if it does not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Folder with the files of the old site, such as a copy of `wp-content/uploads`: those that posts show are copied into DIR
    #[arg(long, value_name = "DIR")]
    media: Option<PathBuf>,
}

/// Counts of the posts of an import.
#[derive(Debug, Default)]
struct Imported {
    written: usize,
    /// The same file was there already.
    unchanged: usize,
    /// The file of the post was there, and has been edited since.
    edited: usize,
    /// Pictures, recordings and the like.
    copied: usize,
}

/// The file of a post.
enum Placed {
    Written,
    Unchanged,
    Edited,
}

impl ImportArgs {
    /// # Errors
    /// The export cannot be read, or a file cannot be written.
    pub fn run(self) -> anyhow::Result<Outcome> {
        let mut export = exports::read(&self.exports)?;
        let copied = self.media.as_deref().map_or(Ok(0), |media| copy_media(&mut export, media, &self.directory))?;
        let imported = Imported { copied, ..write_posts(&export, &self.directory, Utc::now())? };
        self.report(&export, &imported);
        Ok(if export.is_incomplete { Outcome::Found } else { Outcome::Good })
    }

    fn report(&self, export: &Export, imported: &Imported) {
        let Imported { written, unchanged, edited, copied } = imported;
        println!("{}: {} posts", export.kind, export.posts.len());
        println!(
            "{written} files written to {}, {} were there already",
            path_line(&self.directory),
            unchanged + edited
        );
        if self.media.is_some() {
            println!("{copied} pictures and other files copied");
        }
        if *edited > 0 {
            println!("{edited} of them differ from the export and stay as they are");
        }
        for (status, what) in
            [(PostStatus::Draft, "drafts"), (PostStatus::Private, "private"), (PostStatus::Scheduled, "scheduled")]
        {
            let count = export.posts.iter().filter(|post| post.status == status).count();
            if count > 0 {
                println!("{what}: {count}");
            }
        }
        for (what, count) in &export.skipped {
            println!("not imported: {count} {what}");
        }
        if !export.shortcodes.is_empty() {
            let names: Vec<String> = export.shortcodes.iter().map(|name| format!("[{name}]")).collect();
            println!("shortcodes that stay in the texts as they are: {}", names.join(", "));
        }
    }
}

/// Copies the files that posts show, and has the posts refer to the copies. Returns the number of copies.
fn copy_media(export: &mut Export, media: &Path, directory: &Path) -> anyhow::Result<usize> {
    let files = fs::read_dir(media).map(drop);
    files.with_context(|| format!("{}: cannot read the folder", path_line(media)))?;
    let (mut copied, mut failed) = (0, None);
    for post in &mut export.posts {
        media::make_local(post, &mut |path| {
            let Some(source) = media::places(path).map(|place| media.join(place)).find(|source| source.is_file())
            else {
                return false;
            };
            match copy_new(&source, &directory.join(path)) {
                Ok(is_new) => copied += usize::from(is_new),
                Err(error) => failed = Some((path.to_path_buf(), error)),
            }
            true
        });
        if let Some((path, error)) = failed.take() {
            return Err(error).with_context(|| format!("{}: cannot copy the file", path_line(&path)));
        }
    }
    Ok(copied)
}

/// Copies a file, unless there is one already. Returns whether it did. Of a copy that fails, nothing stays.
fn copy_new(source: &Path, target: &Path) -> io::Result<bool> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = match File::create_new(target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        file => file?,
    };
    let copied = File::open(source).and_then(|mut source| io::copy(&mut source, &mut file));
    copied.inspect_err(|_| drop(fs::remove_file(target))).map(|_| true)
}

fn write_posts(export: &Export, directory: &Path, now: DateTime<Utc>) -> anyhow::Result<Imported> {
    fs::create_dir_all(directory).with_context(|| format!("{}: cannot create the folder", path_line(directory)))?;
    let mut imported = Imported::default();
    let mut taken = HashSet::new();
    for post in &export.posts {
        match place(&post.file(now), directory, &mut taken)? {
            Placed::Written => imported.written += 1,
            Placed::Unchanged => imported.unchanged += 1,
            Placed::Edited => imported.edited += 1,
        }
    }
    Ok(imported)
}

/// Writes the file of a post under the first name that no other post has. `taken` has the names of this import.
fn place(file: &PostFile, directory: &Path, taken: &mut HashSet<String>) -> anyhow::Result<Placed> {
    for number in 1..=MAX_NAMESAKES {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let name = format!("{}{suffix}.{ENDING}", file.stem);
        if taken.contains(&name) {
            continue;
        }
        let path = directory.join(&name);
        let placed = match write_new(&path, &file.text) {
            Ok(()) => Placed::Written,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match existing(&path, file) {
                Some(placed) => placed,
                None => continue,
            },
            Err(error) => return Err(error).with_context(|| format!("{}: cannot write the file", path_line(&path))),
        };
        taken.insert(name);
        return Ok(placed);
    }
    bail!("{}: {MAX_NAMESAKES} files of this name: move them elsewhere", path_line(&directory.join(&file.stem)))
}

/// Whether the file that is there already is that of the post; `None` if it is another one.
fn existing(path: &Path, file: &PostFile) -> Option<Placed> {
    let text = fs::read_to_string(path).ok()?;
    if text == file.text {
        return Some(Placed::Unchanged);
    }
    let is_own = file.id_line.as_ref().is_none_or(|id| text.lines().any(|line| line == id));
    is_own.then_some(Placed::Edited)
}

/// Writes a file that must not exist yet. Of a write that fails, nothing stays.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(path)))
}
