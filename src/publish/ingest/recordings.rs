//! Recordings in the folder: each is an entry of its own, unless it belongs to an article.
//!
//! It belongs to an article of its name beside it, whatever that article's state: next to a draft it is one, too. It also belongs
//! to every article that refers to it. An article of its name takes over its entry, id and all, and gives it back when it is
//! deleted and the recording stays.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{Ingest, Trigger, WriteMoment};
use crate::catalog::{self, Catalog, OwnName, Recorded, Referred};
use crate::folder::media::media_type;
use crate::folder::{ENDINGS, SourceFormat};
use crate::model::collection::ArticleState;

/// How the names of recordings end, the likeliest first.
const RECORDINGS: [&str; 13] =
    ["mp3", "m4a", "ogg", "opus", "oga", "flac", "wav", "aac", "m4b", "mp4", "m4v", "webm", "mov"];
/// Names of pictures that stand for a recording, beside its own.
const COVERS: [&str; 6] = ["cover", "folder", "front", "Cover", "Folder", "Front"];
const PICTURES: [&str; 4] = ["jpg", "png", "jpeg", "webp"];

/// Recordings that a scan found: while its files are read, nobody has to look for one beside each article.
#[derive(Debug, Default)]
pub(super) struct RecordingIndex {
    /// Their paths without what the names end in.
    stems: HashSet<PathBuf>,
    folders: HashSet<PathBuf>,
}

impl RecordingIndex {
    pub(super) fn add(&mut self, path: &Path) {
        self.stems.insert(path.with_extension(""));
        self.folders.extend(path.parent().map(Path::to_path_buf));
    }

    fn may_have(&self, article: &Path, is_index: bool) -> bool {
        self.stems.contains(&article.with_extension(""))
            || (is_index && article.parent().is_some_and(|folder| self.folders.contains(folder)))
    }
}

/// Whether a file is a recording by its name: sound or a film.
pub(super) fn is_recording(path: &Path) -> bool {
    media_type(path).is_some_and(|kind| kind.starts_with("audio/") || kind.starts_with("video/"))
}

/// Articles that a recording may belong to without their saying so: of its name, or in a folder with it.
pub(super) fn may_own(path: &Path) -> Vec<PathBuf> {
    if !is_recording(path) {
        return Vec::new();
    }
    let index = path.with_file_name("index");
    ENDINGS.iter().flat_map(|ending| [path.with_extension(ending), index.with_extension(ending)]).collect()
}

impl Ingest {
    fn is_audio(&self, path: &Path) -> bool {
        self.folder.format(&self.folder.root().join(path)) == Some(SourceFormat::Audio)
    }

    /// Recordings that belong to an article without its saying so: the one of its name, or the only one in a folder of its own.
    /// A recording that is an entry of its own is its own.
    pub(super) fn beside(&self, path: &Path) -> Vec<PathBuf> {
        if self.is_audio(path) {
            return vec![path.to_path_buf()];
        }
        let is_index = path.file_stem().is_some_and(|stem| stem == "index");
        if self.listed.as_ref().is_some_and(|listed| !listed.may_have(path, is_index)) {
            return Vec::new();
        }
        let of_its_name = RECORDINGS.iter().map(|ending| path.with_extension(ending));
        let own = of_its_name.into_iter().find(|path| self.folder.stat(path).is_some());
        let folder = path.parent().filter(|folder| is_index && !folder.as_os_str().is_empty());
        match (own, folder) {
            (Some(own), _) => vec![own],
            (None, Some(folder)) => {
                let mut found = self.folder.files_in(folder);
                found.retain(|path| is_recording(path));
                if found.len() == 1 { found } else { Vec::new() }
            }
            (None, None) => Vec::new(),
        }
    }

    /// Where the picture of a recording may be, the likeliest first.
    pub(super) fn covers(path: &Path) -> Vec<PathBuf> {
        let own = PICTURES.iter().map(|ending| path.with_extension(ending));
        let common =
            COVERS.iter().flat_map(|name| PICTURES.map(|ending| path.with_file_name(format!("{name}.{ending}"))));
        own.chain(common).collect()
    }

    /// The article of a recording's name, if its file is there.
    fn namesake(&self, recording: &Path) -> Option<PathBuf> {
        let articles = ENDINGS.iter().map(|ending| recording.with_extension(ending));
        let mut articles = articles.filter(|path| self.folder.format(&self.folder.root().join(path)).is_some());
        articles.find(|path| self.folder.stat(path).is_some())
    }

    /// The article that a recording belongs to.
    pub(super) fn owner(&self, catalog: &Catalog, recording: &Path) -> catalog::Result<Option<PathBuf>> {
        if let Some(article) = self.namesake(recording) {
            return Ok(Some(article));
        }
        Ok(catalog.referring(recording)?.into_iter().find(|path| !self.is_audio(path)))
    }

    /// Sees to it that a recording which belongs to an article is no entry of its own. Says whether something that is served has
    /// changed.
    pub(super) fn belongs(
        &mut self,
        catalog: &mut Catalog,
        recording: PathBuf,
        owner: PathBuf,
        seen: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(stat) = self.folder.stat(&recording) else {
            self.has_gone(catalog, &recording, moment)?;
            self.media_changed(catalog, &recording, moment)?;
            return Ok(false);
        };
        self.missing.remove(&recording);
        // Once for each version of it: the article is looked at for it, and it for the article.
        let told = self.left_out.get(&recording);
        let is_told = told.is_some_and(|told| told.stat == stat && told.twin_of.as_ref() == Some(&owner));
        if !is_told && catalog.stamp_in(&owner, &recording)? != Some(self.stamp(&recording)) {
            self.media_changed(catalog, &recording, moment)?;
        }
        let changed = match catalog.known(&recording)?.map(|known| known.state) {
            Some(_) if catalog.known(&owner)?.is_none() && self.namesake(&recording).as_ref() == Some(&owner) => {
                catalog.rename(&recording, &owner, OwnName::Changed, moment.version)?;
                self.later.insert(owner.clone(), (moment.instant, seen));
                false
            }
            Some(ArticleState::Live) => {
                catalog.withdraw(&recording, ArticleState::Held, moment.version)? == Recorded::Changed
            }
            _ => false,
        };
        self.leave_out(recording, stat, &[], Some(owner));
        Ok(changed)
    }

    /// Recordings that an article refers to are no entries of their own any more. Says whether one was.
    pub(super) fn own(
        &mut self,
        catalog: &mut Catalog,
        article: &Path,
        referred: &[Referred],
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let mut owned = false;
        for recording in referred.iter().map(|referred| &referred.path).filter(|path| self.is_audio(path)) {
            let is_live = catalog.known(recording)?.is_some_and(|known| known.state == ArticleState::Live);
            if is_live && !self.is_audio(article) && self.folder.stat(recording).is_some() {
                owned |= catalog.withdraw(recording, ArticleState::Held, moment.version)? == Recorded::Changed;
            }
        }
        Ok(owned)
    }

    /// An article that is new takes over the entry of the recording of its name.
    pub(super) fn take_over(
        &mut self,
        catalog: &mut Catalog,
        article: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        if self.is_audio(article) || catalog.known(article)?.is_some() {
            return Ok(());
        }
        for recording in self.beside(article) {
            let is_namesake = recording.file_stem() == article.file_stem();
            if is_namesake && self.is_audio(&recording) && catalog.known(&recording)?.is_some() {
                catalog.rename(&recording, article, OwnName::Changed, moment.version)?;
                self.missing.remove(&recording);
                return Ok(());
            }
        }
        Ok(())
    }

    /// A recording that stays gets the entry back of an article that is deleted. Says whether there is one.
    pub(super) fn give_back(
        &mut self,
        catalog: &mut Catalog,
        article: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        if self.is_audio(article) || self.namesake(article).is_some() {
            return Ok(false);
        }
        for recording in self.beside(article) {
            let is_heir = recording.file_stem() == article.file_stem() && self.is_audio(&recording);
            if is_heir && catalog.known(&recording)?.is_none() {
                catalog.rename(article, &recording, OwnName::Changed, moment.version)?;
                catalog.refer(&recording, &[])?;
                self.later.insert(recording, (moment.instant, Trigger::Finished));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::tests::{Site, told};
    use crate::article::measure::tests::{png, wav};
    use crate::article::recording::tests::mp3;
    use crate::model::collection::ArticleState;

    #[test]
    fn a_recording_alone_is_an_entry() {
        let mut site = Site::new();
        site.write("pod/cover.jpg", png(1400, 1400));
        site.write("pod/2024-05-01-the-sea-hour.wav", wav(4));
        let entry = site.entry("pod/2024-05-01-the-sea-hour.wav");
        let content = &entry.content;
        assert_eq!((content.title.as_str(), &*content.html), ("the sea hour", "<p>the sea hour</p>"));
        assert_eq!(entry.published.to_string(), "2024-05-01 00:00:00 UTC");
        assert_eq!(
            content.enclosures.iter().map(told).collect::<Vec<_>>(),
            ["pod/2024-05-01-the-sea-hour.wav audio/wav 4044b 4s"]
        );
        assert_eq!(content.image.as_ref().map(told).as_deref(), Some("pod/cover.jpg image/jpeg 33b 1400x1400"));
        site.write("pod/2024-05-01-the-sea-hour.png", png(3000, 3000));
        let image = site.content("pod/2024-05-01-the-sea-hour.wav").image.unwrap();
        assert_eq!(told(&image), "pod/2024-05-01-the-sea-hour.png image/png 33b 3000x3000", "its own comes first");
    }

    #[test]
    fn tags_are_read_again_when_they_change() {
        let mut site = Site::new();
        site.write("one.mp3", mp3(&[("TIT2", "First"), ("TRCK", "3")], 40));
        let first = site.entry("one.mp3");
        assert_eq!((first.content.title.as_str(), first.content.enclosures[0].duration), ("First", Some(1)));
        assert_eq!(first.content.episode.as_ref().and_then(|episode| episode.number), Some(3));
        site.write("one.mp3", mp3(&[("TIT2", "Second")], 40));
        let second = site.entry("one.mp3");
        assert_eq!((second.content.title.as_str(), second.id), ("Second", first.id));
    }

    #[test]
    fn an_article_of_its_name_takes_the_entry_over_and_gives_it_back() {
        let mut site = Site::new();
        site.write("one.wav", wav(2));
        let before = site.entry("one.wav");
        site.write("one.md", "# Notes\n\nText");
        let taken = site.entry("one.md");
        assert_eq!((&taken.id, &taken.slug, taken.published), (&before.id, &before.slug, before.published));
        assert_eq!((taken.content.title.as_str(), taken.content.enclosures.len()), ("Notes", 1));
        assert_eq!(site.live(), 1);
        site.look("one.wav");
        assert_eq!(site.live(), 1, "it belongs to the article");
        site.remove_for_good("one.md");
        let back = site.entry("one.wav");
        assert_eq!((&back.id, back.content.title.as_str()), (&before.id, "one"));
        assert_eq!(site.live(), 1);
    }

    #[test]
    fn a_recording_beside_a_draft_is_a_draft() {
        let mut site = Site::new();
        site.write("one.wav", wav(2));
        assert_eq!(site.live(), 1);
        site.write("one.md", "---\ndraft: true\n---\n# Notes\n\nText");
        assert_eq!(site.live(), 0);
        site.look("one.wav");
        assert_eq!(site.live(), 0);
        site.write("two.md", "---\ndraft: true\n---\n# Notes\n\nText");
        site.write("two.wav", wav(2));
        assert_eq!(site.live(), 0);
    }

    #[test]
    fn a_recording_that_an_article_names_is_no_entry() {
        let mut site = Site::new();
        site.write("audio/one.wav", wav(2));
        assert_eq!(site.live(), 1);
        site.write("notes.md", "---\nenclosure: audio/one.wav\n---\n# Notes\n\nText");
        assert_eq!((site.live(), site.state("audio/one.wav")), (1, Some(ArticleState::Held)));
        site.look("audio/one.wav");
        assert_eq!(site.live(), 1);
        site.write("notes.md", "# Notes\n\nText");
        site.look("audio/one.wav");
        assert_eq!(site.live(), 2, "it is its own again");
    }

    #[test]
    fn a_damaged_recording_is_published_with_what_is_known() {
        let mut site = Site::new();
        site.write("The sea hour.mp3", b"ID3\x04\0\0\x7F\x7F\x7F\x7Fnothing");
        let content = site.content("The sea hour.mp3");
        assert_eq!((content.title.as_str(), content.enclosures[0].length), ("The sea hour", Some(17)));
        assert_eq!(content.enclosures[0].duration, None);
    }
}
