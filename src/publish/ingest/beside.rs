//! The files beside an article or a recording that belong to it by their names.

use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::recordings::{belongs_where_it_is_shown, is_recording};
use crate::article::{Article, recording};
use crate::folder::{DOCUMENT_ENDINGS, ENDINGS, PHOTO_ENDINGS, SourceFormat, is_beside_photos, is_text_name};

/// Extensions of recordings, the likeliest first.
const RECORDINGS: [&str; 13] =
    ["mp3", "m4a", "ogg", "opus", "oga", "flac", "wav", "aac", "m4b", "mp4", "m4v", "webm", "mov"];
/// Names of pictures that are the cover of a recording, after its own name.
const COVERS: [&str; 6] = ["cover", "folder", "front", "Cover", "Folder", "Front"];
const PICTURES: [&str; 8] = ["jpg", "png", "jpeg", "webp", "JPG", "PNG", "JPEG", "WEBP"];
/// Endings of transcripts and chapters of a recording, after its own name.
const TRANSCRIPTS: [[&str; 2]; 2] = [["vtt", "VTT"], ["srt", "SRT"]];
const CHAPTERS: &str = "chapters.json";

/// Words before the ending of a text that is a transcript or a list of chapters, and no article.
const PARTS: [&str; 4] = ["transcript", "transcription", "subtitles", "chapters"];

/// Paths with the names of files and this ending: `ep1.vtt` beside `ep1.mp3`, and `ep1.mp3.vtt`, as some programs name it.
fn namesakes(names: &[PathBuf], ending: &str) -> Vec<PathBuf> {
    let replaced = names.iter().map(|path| path.with_extension(ending));
    let added = names.iter().map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(ending);
        PathBuf::from(name)
    });
    replaced.chain(added).collect()
}

/// Each ending as it is, and in capital letters.
fn in_both_cases<'a>(endings: impl IntoIterator<Item = &'a &'a str>) -> impl Iterator<Item = String> {
    endings.into_iter().flat_map(|ending| [(*ending).to_owned(), ending.to_ascii_uppercase()])
}

impl Ingest {
    /// Whether a file is an article unless another article claims it: a recording, a photo or a document.
    pub(super) fn is_media_article(&self, path: &Path) -> bool {
        !is_text_name(path)
            && self.folder.format(&self.folder.root().join(path)).is_some_and(SourceFormat::may_belong_to_article)
    }

    /// Recordings, photos and documents beside an article that have its name, the likeliest first.
    pub(super) fn recordings_of_name(&self, article: &Path) -> Vec<PathBuf> {
        if !self.recordings.may_be_beside(article, false) || self.is_media_article(article) {
            return Vec::new();
        }
        let is_beside_photos = is_beside_photos(article);
        let photos = PHOTO_ENDINGS.iter().filter(|_| is_beside_photos);
        let endings = RECORDINGS.iter().chain(&DOCUMENT_ENDINGS).chain(photos);
        let mut recordings: Vec<PathBuf> =
            in_both_cases(endings).map(|ending| article.with_extension(ending)).collect();
        recordings.retain(|path| path != article && self.folder.stat(path).is_some());
        recordings
    }

    /// The recording that an article plays without naming it: the one of its name, or the only one in a folder of its own.
    /// A recording that is an entry of its own plays itself.
    pub(super) fn recordings_beside(&self, path: &Path, namesakes: &[PathBuf]) -> Vec<PathBuf> {
        if self.is_media_article(path) {
            return Some(path.to_path_buf()).filter(|path| is_recording(path)).into_iter().collect();
        }
        let own = namesakes.iter().find(|path| is_recording(path)).cloned();
        own.or_else(|| self.in_folder_of(path)).into_iter().collect()
    }

    /// Completes an article by the tags of the recording that it plays without naming it, or that it names beside it.
    pub(super) fn complete_by_recording(&self, path: &Path, namesakes: &[PathBuf], article: &mut Article) {
        if self.is_media_article(path) || article.page.is_some() {
            return;
        }
        let Some(recording) = self.recordings_beside(path, namesakes).into_iter().next() else { return };
        let is_other =
            !article.enclosures.is_empty() && !self.files_named(&article.enclosures, path).contains(&recording);
        if !is_other {
            recording::complete(article, &self.folder, &recording, self.supervisor.rules);
        }
    }

    /// The only recording in the folder of an `index`.
    pub(super) fn in_folder_of(&self, index: &Path) -> Option<PathBuf> {
        let is_index = index.file_stem().is_some_and(|stem| stem == "index");
        let folder = index.parent().filter(|folder| is_index && !folder.as_os_str().is_empty())?;
        if !self.recordings.may_be_beside(index, true) {
            return None;
        }
        self.only_recording_in(folder)
    }

    fn only_recording_in(&self, folder: &Path) -> Option<PathBuf> {
        self.folder.only_file_in(folder, is_recording)
    }

    /// The article `index` of the folder of a photo or a document, or of that in which a recording is the only one.
    pub(super) fn index_beside(&self, recording: &Path) -> Option<PathBuf> {
        let folder = recording.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        let names = ENDINGS.iter().map(|ending| folder.join(format!("index.{ending}")));
        let index = names.into_iter().find(|path| self.is_article(path) && self.folder.stat(path).is_some())?;
        (belongs_where_it_is_shown(recording) || self.only_recording_in(folder).as_deref() == Some(recording))
            .then_some(index)
    }

    /// Possible paths of the cover of a recording, the likeliest first. `names` are the paths of the article and its recordings.
    pub(super) fn covers(names: &[PathBuf]) -> Vec<PathBuf> {
        let own = names.iter().flat_map(|path| PICTURES.iter().map(|ending| path.with_extension(ending)));
        let common = names.iter().flat_map(|path| {
            COVERS.iter().flat_map(|name| PICTURES.map(|ending| path.with_file_name(format!("{name}.{ending}"))))
        });
        let mut covers: Vec<PathBuf> = Vec::new();
        for path in own.chain(common) {
            if !covers.contains(&path) {
                covers.push(path);
            }
        }
        covers
    }

    /// Possible paths of the transcripts of a recording, for each type the likeliest first.
    pub(super) fn transcripts(names: &[PathBuf]) -> [Vec<PathBuf>; 2] {
        TRANSCRIPTS.map(|endings| endings.iter().flat_map(|ending| namesakes(names, ending)).collect())
    }

    /// The recording that a text is a transcript or the chapters of by its name, as `ep1.transcript.txt` beside `ep1.mp3`.
    pub(super) fn recording_of_part(&self, text: &Path) -> Option<PathBuf> {
        let (_, part) = text.file_stem()?.to_str()?.rsplit_once('.')?;
        PARTS.iter().find(|known| part.eq_ignore_ascii_case(known))?;
        // Its ending is that of the part.
        let part = text.with_extension("");
        let mut recordings = in_both_cases(&RECORDINGS).map(|ending| part.with_extension(ending));
        recordings.find(|path| self.folder.stat(path).is_some())
    }

    /// Possible paths of the chapters of a recording, the likeliest first.
    pub(super) fn chapters(names: &[PathBuf]) -> Vec<PathBuf> {
        namesakes(names, CHAPTERS)
    }

    /// The article of a recording's name, if its file is there or went missing a moment ago.
    pub(super) fn namesake(&self, recording: &Path) -> Option<PathBuf> {
        let mut articles = in_both_cases(&ENDINGS).map(|ending| recording.with_extension(ending));
        let is_there = |path: &Path| self.folder.stat(path).is_some() || self.deletions.is_missing(path);
        articles.find(|path| self.is_article(path) && is_there(path))
    }

    /// Returns whether another article has the name of a deleted one.
    pub(super) fn has_namesake(&self, article: &Path) -> bool {
        let names = ENDINGS.iter().map(|ending| article.with_extension(ending));
        names.into_iter().any(|path| self.is_article(&path) && self.folder.stat(&path).is_some())
    }

    fn is_article(&self, path: &Path) -> bool {
        self.folder.format(&self.folder.root().join(path)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use crate::article::measure::tests::{png, wav};
    use crate::article::recording::tests::mp3;
    use crate::publish::ingest::content::tests::{Site, described};

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
            content.enclosures.iter().map(described).collect::<Vec<_>>(),
            ["pod/2024-05-01-the-sea-hour.wav audio/wav 4044b 4s"]
        );
        assert_eq!(content.image.as_ref().map(described).as_deref(), Some("pod/cover.jpg image/jpeg 33b 1400x1400"));
        site.write("pod/2024-05-01-the-sea-hour.png", png(3000, 3000));
        let image = site.content("pod/2024-05-01-the-sea-hour.wav").image.unwrap();
        assert_eq!(described(&image), "pod/2024-05-01-the-sea-hour.png image/png 33b 3000x3000", "its own comes first");
    }

    #[test]
    fn transcripts_chapters_and_a_picture_of_its_name_belong_to_a_recording() {
        let mut site = Site::new();
        site.write("pod/ep1.mp3", mp3(&[("TIT2", "One")], 8));
        assert_eq!(site.content("pod/ep1.mp3").episode, None);
        site.write("pod/ep1.srt", "1");
        site.write("pod/ep1.mp3.vtt", "WEBVTT");
        site.write("pod/ep1.chapters.json", "{}");
        site.write("pod/ep1.jpg", png(1400, 1400));
        // Files of other names do not.
        site.write("pod/ep2.srt", "1");
        site.write("pod/ep1.json", "{}");
        let of = |site: &Site, path: &str| {
            let content = site.content(path);
            let episode = content.episode.unwrap_or_default();
            let media: Vec<String> =
                episode.transcripts.iter().chain(&episode.chapters).chain(&content.image).map(described).collect();
            media
        };
        let all = [
            "pod/ep1.mp3.vtt text/vtt",
            "pod/ep1.srt application/x-subrip",
            "pod/ep1.chapters.json application/json+chapters",
            "pod/ep1.jpg image/jpeg 33b 1400x1400",
        ];
        assert_eq!(of(&site, "pod/ep1.mp3"), all);
        site.write("pod/ep1.vtt", "WEBVTT");
        assert_eq!(of(&site, "pod/ep1.mp3")[0], "pod/ep1.vtt text/vtt", "the likelier name");
        site.remove_for_good("pod/ep1.vtt");
        assert_eq!(of(&site, "pod/ep1.mp3"), all);
        site.write("pod/ep1.md", "# Notes\n\nText");
        assert_eq!(of(&site, "pod/ep1.md"), all, "also of an article of its name");
        site.write("notes/first.md", "---\naudio: ../cast/a.mp3\n---\n# First\n\nText");
        site.write("cast/a.mp3", mp3(&[("TIT2", "A")], 8));
        site.write("cast/a.vtt", "WEBVTT");
        site.write("cast/a.png", png(1500, 1500));
        let beside = ["cast/a.vtt text/vtt", "cast/a.png image/png 33b 1500x1500"];
        assert_eq!(of(&site, "notes/first.md"), beside, "also beside the recording that an article names");
        site.write("notes/first.srt", "1");
        site.write("notes/own.vtt", "WEBVTT");
        let header = "audio: ../cast/a.mp3\ntranscript: own.vtt\nimage: ../pod/ep1.jpg";
        site.write("notes/first.md", format!("---\n{header}\n---\n# First\n\nText"));
        let named = ["notes/own.vtt text/vtt", "pod/ep1.jpg image/jpeg 33b 1400x1400"];
        assert_eq!(of(&site, "notes/first.md"), named, "named ones come first");
        site.write("text.md", "# Text\n\nText");
        site.write("text.vtt", "WEBVTT");
        assert_eq!(site.content("text.md").episode, None, "a text has no transcript");
    }

    #[test]
    fn files_of_a_recording_are_found_in_any_case_and_in_several_languages() {
        let mut site = Site::new();
        site.write("pod/ep1.mp3", mp3(&[("TIT2", "One")], 8));
        let of = |site: &Site, path: &str| -> Vec<(String, Option<String>)> {
            let content = site.content(path);
            let episode = content.episode.unwrap_or_default();
            let media = episode.transcripts.iter().chain(&episode.chapters).chain(&content.image);
            media.map(|media| (described(media), media.language.clone())).collect()
        };
        let language = |tag: &str| Some(tag.to_owned());
        site.write("pod/ep1.en.vtt", "WEBVTT");
        assert_eq!(of(&site, "pod/ep1.mp3"), [("pod/ep1.en.vtt text/vtt".to_owned(), language("en"))]);
        site.write("pod/ep1.pt-BR.SRT", "1");
        // Neither of another recording, nor with a word that is no language.
        site.write("pod/ep2.en.vtt", "WEBVTT");
        site.write("pod/ep1.draft.vtt", "WEBVTT");
        site.write("pod/Cover.PNG", png(1400, 1400));
        let all = [
            ("pod/ep1.en.vtt text/vtt".to_owned(), language("en")),
            ("pod/ep1.pt-BR.SRT application/x-subrip".to_owned(), language("pt-BR")),
            ("pod/Cover.PNG image/png 33b 1400x1400".to_owned(), None),
        ];
        assert_eq!(of(&site, "pod/ep1.mp3"), all);
        site.write("pod/ep1.VTT", "WEBVTT");
        site.write("pod/ep1.JPG", png(1500, 1500));
        let own = [
            ("pod/ep1.VTT text/vtt".to_owned(), None),
            all[0].clone(),
            all[1].clone(),
            ("pod/ep1.JPG image/jpeg 33b 1500x1500".to_owned(), None),
        ];
        assert_eq!(of(&site, "pod/ep1.mp3"), own);
        site.remove_for_good("pod/ep1.en.vtt");
        assert_eq!(of(&site, "pod/ep1.mp3").len(), 3);
        site.restart();
        assert_eq!(of(&site, "pod/ep1.mp3").len(), 3);
        site.put("pod/ep1.de.vtt", "WEBVTT");
        site.restart();
        site.wait();
        assert_eq!(of(&site, "pod/ep1.mp3").len(), 4, "one that appeared while nothing watched");
    }

    #[test]
    fn a_text_that_is_part_of_a_recording_is_no_article() {
        let mut site = Site::new();
        site.write("pod/ep1.mp3", mp3(&[("TIT2", "One")], 8));
        site.write("pod/ep1.transcript.txt", "Ann: Hello.\n\nBob: Hello, Ann.");
        site.write("pod/ep1.chapters.txt", "00:00 Hello");
        assert_eq!(site.live(), 1);
        site.write("pod/ep2.transcript.txt", "Ann: Hello again.\n\nBob: Hello, Ann.");
        site.write("pod/chapters.txt", "One. Two. Three. A text about chapters.");
        site.write("pod/ep1.notes.txt", "Some notes of the first one. They are short.");
        assert_eq!(site.live(), 4);
        site.write("pod/ep2.mp3", mp3(&[("TIT2", "Two")], 8));
        site.look("pod/ep2.transcript.txt");
        assert_eq!((site.live(), site.public("pod/ep2.transcript.txt")), (4, None));
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
    fn an_article_has_what_its_text_leaves_open_from_the_recording_beside_it() {
        let tags =
            [("TIT2", "The sea hour"), ("TPE1", "Ann Lee"), ("TDRC", "2024-05-01"), ("TRCK", "7"), ("TPOS", "2")];
        let of_tags = ("The sea hour", "2024-05-01", "Ann Lee", Some(2), Some(7));
        let cases = [
            ("k.md", "Notes without title of k.", of_tags),
            ("Some words.md", "Notes without title of it.", of_tags),
            (
                "k.txt",
                "Notes of the hour, which have no title. They last for a while.\nAnd they end here, on a second line.",
                of_tags,
            ),
            ("k.html", "<p>Notes of the hour, which have no title at all.</p><p>And they end.</p>", of_tags),
            ("k.txt", "Notes of the hour.", of_tags),
            ("k.txt", "A headline\n\nNotes of the hour.", ("A headline", "2024-05-01", "Ann Lee", Some(2), Some(7))),
            ("2023-01-02-k.md", "Notes without title of k.", of_tags),
            ("k.md", "# Notes\n\nText", ("Notes", "2024-05-01", "Ann Lee", Some(2), Some(7))),
            (
                "k.md",
                "---\ntitle: Own\ndate: 2025-06-07\nauthor: Bob\nepisode: 9\n---\nText",
                ("Own", "2025-06-07", "Bob", Some(2), Some(9)),
            ),
            ("k.md", "---\naudio: k.mp3\n---\nNotes without title of k.", of_tags),
            ("k/index.md", "Notes without title of k.", of_tags),
            (
                "k.md",
                "---\naudio: https://b.example/k.mp3\ndate: 2025-06-07\n---\nNotes without title.",
                ("k", "2025-06-07", "", None, None),
            ),
        ];
        for (name, text, expected) in cases {
            for is_first in [true, false] {
                // A date in a name is not one of a moment ago, and an index does not own a recording that was an entry before.
                if name == if is_first { "2023-01-02-k.md" } else { "k/index.md" } {
                    continue;
                }
                let mut site = Site::new();
                let recording = if name == "k/index.md" {
                    "k/one.mp3".to_owned()
                } else {
                    format!("{}.mp3", name.rsplit_once('.').unwrap().0)
                };
                if is_first {
                    site.write(name, text);
                }
                site.write(&recording, mp3(&tags, 8));
                site.write(name, text);
                let entry = site.entry(name);
                let episode = entry.content.episode.clone().unwrap_or_default();
                let author = entry.content.authors.first().map(|author| author.name.as_str()).unwrap_or_default();
                assert_eq!(
                    (
                        entry.content.title.as_str(),
                        &entry.published.to_string()[..10],
                        author,
                        episode.season,
                        episode.number
                    ),
                    expected,
                    "{name}: {text}, text first: {is_first}"
                );
                assert_eq!((site.live(), entry.content.enclosures.len()), (1, 1), "{name}: {text}");
            }
        }
    }

    #[test]
    fn an_entry_that_was_public_keeps_its_date_whatever_tags_say() {
        let mut site = Site::new();
        site.write("2022-03-04-k.mp3", mp3(&[("TIT2", "One")], 8));
        let before = site.entry("2022-03-04-k.mp3");
        site.write("2022-03-04-k.md", "Notes without title of k.");
        site.write("2022-03-04-k.mp3", mp3(&[("TIT2", "Two"), ("TDRC", "2020-05-01")], 9));
        let after = site.entry("2022-03-04-k.md");
        assert_eq!((&after.id, after.published, after.content.title.as_str()), (&before.id, before.published, "Two"));
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
    fn a_damaged_recording_is_published_with_what_is_known() {
        let mut site = Site::new();
        site.write("The sea hour.mp3", b"ID3\x04\0\0\x7F\x7F\x7F\x7Fnothing");
        let content = site.content("The sea hour.mp3");
        assert_eq!((content.title.as_str(), content.enclosures[0].length), ("The sea hour", Some(17)));
        assert_eq!(content.enclosures[0].duration, None);
    }
}
