//! What Apple's directory requires of a podcast, for `check`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use url::Url;

use crate::article::load::load_as;
use crate::article::section;
use crate::article::{Article, Description, Problem, Rules, measure};
use crate::config::Config;
use crate::folder::embedded::InsideKind;
use crate::folder::media::media_type;
use crate::folder::{ENDINGS, Folder, SourceFormat};
use crate::model::collection::is_podcast;
use crate::model::section::SectionAbout;
use crate::model::text::path_line;

/// Side of a cover in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 1_400..=3_000;
/// Names of a picture that is the cover of all recordings in its folder.
const COVERS: [&str; 3] = ["cover", "folder", "front"];
/// Maximum number of files that a remark names.
const MAX_NAMES: usize = 3;

/// A picture in words, with its width and height in pixels and its media type.
type Cover = (String, Option<(u32, u32)>, Option<&'static str>);

/// The articles and recordings of one folder.
#[derive(Debug)]
struct Show {
    folder: Folder,
    /// Below the watched folder.
    path: PathBuf,
    /// As the command names it.
    name: PathBuf,
    /// Articles by the names of their files without extensions, and whether each names a recording.
    texts: BTreeMap<OsString, (PathBuf, bool)>,
    /// Recordings by the same names.
    recordings: BTreeMap<OsString, PathBuf>,
    /// An episode says whether it is for adults only.
    states_explicit: bool,
}

/// The folders that were checked, by their paths.
#[derive(Debug, Default)]
pub struct Shows(BTreeMap<PathBuf, Show>);

impl Shows {
    /// Notes a published file: `path` is below the watched folder, `name` as the command names it.
    pub fn note(&mut self, folder: &Folder, path: &Path, name: &Path, format: SourceFormat, article: &Article) {
        let (Some(parent), Some(stem)) = (path.parent(), path.file_stem()) else { return };
        let show = self.0.entry(folder.root().join(parent)).or_insert_with(|| Show {
            folder: folder.clone(),
            path: parent.to_path_buf(),
            name: name.parent().unwrap_or(Path::new("")).to_path_buf(),
            texts: BTreeMap::new(),
            recordings: BTreeMap::new(),
            states_explicit: false,
        });
        show.states_explicit |= article.episode.as_ref().is_some_and(|episode| episode.explicit.is_some());
        if format == SourceFormat::Audio {
            show.recordings.insert(stem.to_owned(), path.to_path_buf());
        } else {
            show.texts.insert(stem.to_owned(), (name.to_path_buf(), !article.enclosures.is_empty()));
        }
    }

    /// The remarks on all podcasts, each with the file to correct, and the problems of descriptions.
    pub fn problems(&self, config: &Config) -> Vec<(PathBuf, Problem)> {
        self.0.values().flat_map(|show| show.problems(config)).collect()
    }
}

impl Show {
    fn problems(&self, config: &Config) -> Vec<(PathBuf, Problem)> {
        let described = ENDINGS.iter().map(|ending| format!("_index.{ending}"));
        let described = described.into_iter().find(|name| self.folder.stat(&self.path.join(name)).is_some());
        let name = self.name.join(described.as_deref().unwrap_or("_index.md"));
        let (about, problems) = described.as_deref().map(|name| self.read(config, name)).unwrap_or_default();
        let mut found: Vec<(PathBuf, Problem)> = problems.into_iter().map(|problem| (name.clone(), problem)).collect();
        if !self.is_podcast(&about) {
            return found;
        }
        let lacks = self.lacks(config, &about);
        if !lacks.is_empty() {
            let message = format!(
                "this podcast lacks what Apple's directory requires: {}; write it in the front matter of {}",
                lacks.join("; "),
                path_line(&name)
            );
            // Without a description, there is no file with a line.
            let problem = Problem { has_no_line: described.is_none(), ..Problem::intended(None, message) };
            let place = if described.is_none() { self.name.clone() } else { name };
            found.push((place, problem));
        }
        found
    }

    fn read(&self, config: &Config, name: &str) -> (SectionAbout, Vec<Problem>) {
        let path = self.path.join(name);
        let format = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html" | "htm" | "xhtml") => SourceFormat::Html,
            Some("txt" | "text") => SourceFormat::Text,
            _ => SourceFormat::Markdown,
        };
        match load_as(&self.folder, &path, format, config.articles.max_file_size.0) {
            Ok(loaded) => {
                let rules = Rules::new(&config.articles, &config.site);
                let Description { about, problems, .. } = section::read(&loaded.bytes, format, &rules);
                (about, problems)
            }
            Err(error) => (SectionAbout::default(), vec![Problem::of_file(error.to_string())]),
        }
    }

    /// Articles without a recording.
    fn silent(&self) -> Vec<&PathBuf> {
        let has_recording =
            |stem: &OsString| self.recordings.contains_key(stem) || (stem == "index" && self.recordings.len() == 1);
        let silent = self.texts.iter().filter(|(stem, (_, names_one))| !names_one && !has_recording(stem));
        silent.map(|(_, (name, _))| name).collect()
    }

    fn is_podcast(&self, about: &SectionAbout) -> bool {
        let stems: BTreeSet<&OsString> = self.texts.keys().chain(self.recordings.keys()).collect();
        let recordings = stems.len().saturating_sub(self.silent().len());
        about.is_podcast().unwrap_or_else(|| is_podcast(stems.len() as u64, recordings as u64))
    }

    /// What is missing, each with what to write.
    fn lacks(&self, config: &Config, about: &SectionAbout) -> Vec<String> {
        let mut lacks = Vec::new();
        if about.categories.is_empty() {
            lacks.push("a category, as in `category: Arts > Books`".to_owned());
        }
        lacks.extend(self.lacks_cover(about));
        if about.explicit.is_none() && !self.states_explicit {
            lacks.push("`explicit: false`, or `true` if it is for adults only".to_owned());
        }
        if about.language.is_none() && config.site.language.is_empty() {
            lacks.push("a language, as in `language: en`".to_owned());
        }
        let silent = self.silent();
        if !silent.is_empty() {
            let names: Vec<_> = silent.iter().take(MAX_NAMES).map(|name| path_line(name)).collect();
            let more = if silent.len() > MAX_NAMES {
                format!(" and {} more", silent.len() - MAX_NAMES)
            } else {
                String::new()
            };
            lacks.push(format!("a recording for {}{more}", names.join(", ")));
        }
        lacks
    }

    /// Why the cover is none that the directory takes; `None` if it is one, or is elsewhere.
    fn lacks_cover(&self, about: &SectionAbout) -> Option<String> {
        let advice = "a square JPEG or PNG with sides of 1,400 to 3,000 pixels, as in `image: cover.jpg`";
        let (what, size, kind) = match &about.image {
            Some(image) if Url::parse(&image.url).is_ok() => return None,
            Some(image) => {
                let named = image.url.trim_start_matches('/');
                let path = if image.url.starts_with('/') { PathBuf::from(named) } else { self.path.join(named) };
                (path_line(&path), measure::pixels(&self.folder, &path), media_type(&path))
            }
            None => match self.own_cover() {
                Some(cover) => cover,
                None => return Some(format!("a cover: {advice}")),
            },
        };
        let is_kind = matches!(kind, Some("image/jpeg" | "image/png"));
        match size {
            Some((width, height)) if is_kind && width == height && SIDES.contains(&width) => None,
            Some((width, height)) => {
                Some(format!("another cover than {what}, which has {width} × {height} pixels: {advice}"))
            }
            None => Some(format!("another cover than {what}, which cannot be read: {advice}")),
        }
    }

    /// The picture that feeds take without a stated one: that of all recordings in the folder, or the one inside the first that has one.
    fn own_cover(&self) -> Option<Cover> {
        let names =
            COVERS.iter().flat_map(|name| ["jpg", "png", "jpeg", "webp"].map(|ending| format!("{name}.{ending}")));
        let beside = names.map(|name| self.path.join(name)).find(|path| self.folder.stat(path).is_some());
        if let Some(path) = beside {
            return Some((path_line(&path), measure::pixels(&self.folder, &path), media_type(&path)));
        }
        self.recordings.values().find_map(|path| {
            let (file, size) = measure::inside(&self.folder, path, InsideKind::Cover)?;
            Some((format!("the one inside {}", path_line(path)), size, Some(file.media_type)))
        })
    }
}
