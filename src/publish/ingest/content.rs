//! Article -> content of its entry: absolute addresses, safe HTML, pictures and recordings with their sizes.

use crate::model::text::xml_legal;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use url::Url;

use super::conductor::Ingest;
use super::reading_supervisor::{ReadingSupervisor, SanitisedText};
use super::recordings::is_recording;
use super::transcripts::{TranscriptIndex, Translation};
use crate::article::address::{self, Addresses, LinkTarget};
use crate::article::front_matter::Field;
use crate::article::load::load_as;
use crate::article::lost::{self, Lost, MAX_LOST};
use crate::article::{Article, Problem, html, measure};
use crate::catalog::{self, Arrival, Catalog, CatalogError, Claim, Referred};
use crate::folder::embedded::InsideKind;
use crate::folder::media::media_type;
use crate::folder::{Folder, SourceFormat, has_document_name, near_name};
use crate::model::entry::{Content, Episode, Media, without_parameters};
use crate::moving::attributes::with_addresses;
use crate::observe::heartbeat::Heartbeat;

/// A picture that is smaller than this in both directions, in pixels, is decoration and no cover.
const LEAST_COVER: u32 = 100;
/// Maximum number of pictures of an article that feeds list apart from its text.
const MOST_PICTURES: usize = 50;

/// Hash of what the writer has written: if it is the same, the article was not updated. Path and address are not part of it, nor are
/// lengths and sizes of its files: a better copy of a picture is no update.
pub(super) fn entry_hash(article: &Article) -> [u8; 32] {
    let Article { title, authors, summary, html, tags, language, link, image, enclosures, episode, .. } = article;
    let mut text = format!("{:?}", (title, authors, summary, html, tags, language, link));
    // Only if there are any: most articles keep the hash that they had before these fields existed.
    if image.is_some() || !enclosures.is_empty() || episode.is_some() {
        text.push_str(&format!("{:?}", (image, enclosures, episode)));
    }
    blake3::hash(text.as_bytes()).into()
}

/// The content of an entry, and the files that it depends on.
pub(super) struct RenderedArticle {
    pub content: Content,
    /// Files of the folder that the article refers to, whether they exist or not.
    pub referred: Vec<Referred>,
    /// Problems with these files.
    pub problems: Vec<Problem>,
}

impl RenderedArticle {
    /// The content of an article whose text has not been read. No response shows it.
    pub fn of_head(article: &Article) -> Self {
        let content = Content {
            title: article.title.clone(),
            is_untitled: article.is_untitled,
            authors: article.authors.clone(),
            summary: xml_legal(&article.summary).into_owned(),
            tags: article.tags.clone(),
            language: article.language.clone(),
            link: article.link.clone(),
            comments: article.comments.clone(),
            brief: article.summary_only,
            page: article.page.clone(),
            pinned: article.pinned,
            copyright: article.copyright.clone(),
            license: article.license.clone(),
            series: article.series.clone(),
            ..Content::default()
        };
        Self { content, referred: Vec::new(), problems: Vec::new() }
    }
}

impl Ingest {
    /// The files of the folder that an article names, whether they exist or not, resolved against the article's folder.
    pub(super) fn files_named(&self, media: &[Media], path: &Path) -> Vec<PathBuf> {
        let base_url = &self.channel.base_url;
        let Ok(permalink) = Url::parse(base_url) else { return Vec::new() };
        let is_there = |path: &Path| self.folder.stat(path).is_some();
        let addresses = Addresses {
            permalink: &permalink,
            base_url,
            base: None,
            path,
            is_there: &is_there,
            named: &|_: &Path| None,
            page: &|_: &LinkTarget| None,
        };
        let mut files: Vec<PathBuf> = Vec::new();
        for file in media.iter().filter_map(|media| addresses.file(&media.url)) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }

    /// The content of an article. Everything in it is legal in XML. The inner error is the reason why it cannot be made.
    pub(super) fn content(
        &self,
        catalog: &Catalog,
        arrival: &Arrival<'_>,
        namesakes: &[PathBuf],
        permalink: &Url,
    ) -> catalog::Result<Result<RenderedArticle, Problem>> {
        let Arrival { article, path, file_hash, .. } = arrival;
        let referred: RefCell<BTreeMap<PathBuf, bool>> = RefCell::default();
        let failed: RefCell<Option<CatalogError>> = RefCell::default();
        let lost: RefCell<BTreeSet<Lost>> = RefCell::default();
        let is_there = |path: &Path| {
            // A picture inside of the article itself.
            if has_document_name(arrival.path) && path.parent() == Some(arrival.path) {
                return true;
            }
            referred.borrow_mut().insert(path.to_path_buf(), true);
            self.folder.stat(path).is_some() && self.folder.draft_folder(path).is_none()
        };
        let named = |name: &Path| {
            referred.borrow_mut().insert(catalog::reference(&name.file_name()?.to_string_lossy()), true);
            self.named_media.nearest(&self.folder, name, path)
        };
        let page = |target: &LinkTarget| {
            let place = catalog.permalink_of(target, path);
            let place = place.map_err(|error| failed.borrow_mut().replace(error)).ok().flatten();
            let file = match target {
                LinkTarget::File(path) => path.clone(),
                LinkTarget::Address(name) | LinkTarget::Note(name) => catalog::reference(name),
            };
            if let (LinkTarget::Address(link), None) = (target, &place)
                && catalog::may_be_article(link)
            {
                lost.borrow_mut().insert(Lost::Page(link.clone()));
            }
            referred.borrow_mut().insert(file, place.is_some());
            place.map(|place| self.channel.permalink(&place))
        };
        let addresses = Addresses {
            permalink,
            base_url: &self.channel.base_url,
            base: None,
            path,
            is_there: &is_there,
            named: &named,
            page: &page,
        };
        // Sanitised after parsing, since a numeric reference can stand for any character.
        let (supervisor, heartbeat) = (&self.supervisor, self.heartbeat.as_ref());
        let unsafe_html = self.with_own_links(catalog, &article.html, &referred)?;
        let safe = supervisor.sanitise(&unsafe_html, file_hash, &addresses, heartbeat);
        let SanitisedText { html, highlighted } = match safe {
            Ok(safe) => safe,
            Err(problem) => return Ok(Err(problem)),
        };
        let problems = self.problems_of_lost(&lost::of_article(lost.take(), &article.html, &html, &addresses), path);
        let (folder, translations) = (&self.folder, &self.transcripts);
        let mut files = Files { folder, translations, supervisor, heartbeat, addresses, problems };
        let enclosures = files.enclosures(article, &self.recordings_beside(path, namesakes));
        let stems = files.names_of(path, &enclosures);
        let covers = Ingest::covers(&stems);
        let (image, pictures) = files.pictures(article, &html, &covers, &stems);
        let episode = files.episode(article.episode.as_ref(), &stems);
        let head = RenderedArticle::of_head(article).content;
        let mut content = Content { html, highlighted, image, pictures, enclosures, episode, ..head };
        // A recording that is also named in front matter is one enclosure.
        content.enclosures.dedup_by(|one, other| one.url == other.url);
        let problems = files.problems;
        if let Some(error) = failed.take() {
            return Err(error);
        }
        let referred = self.references(referred.take(), path);
        Ok(Ok(RenderedArticle { content, referred, problems }))
    }

    /// A text with links to this site in place of those to its articles on the sites before it, from which entries were adopted. Adds the
    /// names by which it refers to articles, and whether one answered to each.
    fn with_own_links<'a>(
        &self,
        catalog: &Catalog,
        html: &'a str,
        referred: &RefCell<BTreeMap<PathBuf, bool>>,
    ) -> catalog::Result<Cow<'a, str>> {
        let mut failed = None;
        let hosts = catalog.adopted_hosts()?;
        if hosts.is_empty() {
            return Ok(Cow::Borrowed(html));
        }
        let own = Url::parse(&self.channel.base_url).ok().and_then(|base| base.host_str().map(str::to_owned));
        let html = with_addresses(html, &mut |element, address| {
            let url =
                Url::parse(address).ok().filter(|url| element == "a" && matches!(url.scheme(), "http" | "https"))?;
            let host = url.host_str().map(str::to_owned);
            if host == own || !host.is_some_and(|host| hosts.contains(&host)) {
                return None;
            }
            let place = catalog.permalink_of_address(address).map_err(|error| failed = Some(error)).ok().flatten();
            referred.borrow_mut().insert(catalog::reference(address), place.is_some());
            let part = url.fragment().map(|part| format!("#{part}")).unwrap_or_default();
            place.map(|place| self.channel.permalink(&place) + &part)
        });
        failed.map_or(Ok(Cow::Owned(html)), Err)
    }

    /// The problems of an article with links and pictures that lead nowhere. Most links of a saved page lead to the site that it is from.
    fn problems_of_lost(&self, lost: &BTreeSet<Lost>, path: &Path) -> Vec<Problem> {
        let format = self.folder.format(&self.folder.root().join(path));
        if lost.is_empty() || format.is_some_and(SourceFormat::is_media) {
            return Vec::new();
        }
        // A document has no lines.
        let is_text = format != Some(SourceFormat::Document);
        let text = if is_text { text_of(&self.folder, path, &self.supervisor) } else { String::new() };
        let is_saved_page = format.is_some_and(|format| lost::is_saved_page(&text, format));
        let lost: Vec<Lost> =
            lost.iter().filter(|lost| !(is_saved_page && matches!(lost, Lost::Page(_)))).cloned().collect();
        lost::problems(&lost, &text, MAX_LOST, |missing| near_name(&self.folder, missing))
    }

    /// The references of the article at a path, of the files and names that it needed; each says whether an article answered to the name.
    fn references(&self, needed: BTreeMap<PathBuf, bool>, article: &Path) -> Vec<Referred> {
        let others = needed.into_iter().filter(|(other, _)| other != article);
        let reference = |(path, is_found): (PathBuf, bool)| {
            // A name stands for no file.
            let stamp = if catalog::is_reference(&path) { i64::from(is_found) } else { self.stamp(&path) };
            Referred { path, stamp, claim: Claim::Mentions }
        };
        others.map(reference).collect()
    }
}

/// Resolves the files of one article.
struct Files<'a> {
    folder: &'a Folder,
    translations: &'a TranscriptIndex,
    supervisor: &'a ReadingSupervisor,
    heartbeat: Option<&'a Heartbeat>,
    addresses: Addresses<'a>,
    problems: Vec<Problem>,
}

impl Files<'_> {
    fn enclosures(&mut self, article: &Article, beside: &[PathBuf]) -> Vec<Media> {
        if !article.enclosures.is_empty() {
            let stated = article.enclosures.iter();
            return stated.filter_map(|media| self.resolved(media, article, Field::Enclosures)).collect();
        }
        beside.iter().filter(|path| (self.addresses.is_there)(path)).filter_map(|path| self.of_file(path)).collect()
    }

    /// A file of the folder that the article does not name.
    fn of_file(&self, path: &Path) -> Option<Media> {
        let media_type = served_type(path)?;
        Some(self.measured(Media { url: self.addresses.of_media(path), media_type, ..Media::default() }, path))
    }

    /// The picture that represents an article, and the others in its text. A picture of unknown type is left out: feeds need the type.
    fn pictures(
        &mut self,
        article: &Article,
        html: &str,
        covers: &[PathBuf],
        names: &[PathBuf],
    ) -> (Option<Media>, Vec<Media>) {
        let mut pictures: Vec<Media> = Vec::new();
        for in_text in html::pictures(html).into_iter().take(MOST_PICTURES) {
            let Some(media_type) = address::type_of(&in_text.url).map(str::to_owned) else { continue };
            let Some(url) = ascii(&in_text.url) else { continue };
            let title =
                in_text.title.as_deref().map(|title| xml_legal(title).into_owned()).filter(|title| !title.is_empty());
            let picture = Media { url, media_type, title, ..in_text };
            match self.addresses.media_path(&picture.url) {
                Some(path) if (self.addresses.is_there)(&path) => pictures.push(self.measured(picture, &path)),
                Some(_) => {}
                None => pictures.push(picture),
            }
        }
        let stated = article.image.as_ref().and_then(|image| self.resolved(image, article, Field::Image));
        let is_cover =
            |picture: &Media| picture.size.is_none_or(|(width, height)| width >= LEAST_COVER || height >= LEAST_COVER);
        let beside = || self.of_file(covers.iter().find(|path| (self.addresses.is_there)(path))?);
        let inside = || self.inside(names, InsideKind::Cover);
        let image = stated
            .or_else(beside)
            .or_else(inside)
            .or_else(|| pictures.iter().find(|picture| is_cover(picture)).cloned());
        pictures.retain(|picture| image.as_ref().is_none_or(|image| image.url != picture.url));
        (image, pictures)
    }

    /// The paths whose names files that belong to the recordings have: those of the article and the recordings. None if it has no
    /// recording.
    fn names_of(&self, article: &Path, enclosures: &[Media]) -> Vec<PathBuf> {
        let recordings: Vec<&Media> = enclosures.iter().filter(|media| media.plays()).collect();
        if recordings.is_empty() {
            return Vec::new();
        }
        let mut names = vec![article.to_path_buf()];
        for path in recordings.into_iter().filter_map(|media| self.addresses.media_path(&media.url)) {
            if !names.contains(&path) {
                names.push(path);
            }
        }
        names
    }

    /// The properties of an episode. Transcripts and chapters beside it complete those that are stated.
    fn episode(&mut self, stated: Option<&Episode>, names: &[PathBuf]) -> Option<Episode> {
        let mut episode = stated.cloned().unwrap_or_default();
        episode.transcripts = episode.transcripts.iter().filter_map(|media| self.document(media)).collect();
        episode.chapters = episode.chapters.as_ref().and_then(|media| self.document(media));
        if episode.transcripts.is_empty() {
            let beside = Ingest::transcripts(names);
            let plain = beside.iter().filter_map(|paths| self.first_document(paths)).collect::<Vec<_>>();
            episode.transcripts = plain.into_iter().chain(self.translated(names)).collect();
        }
        if episode.chapters.is_none() {
            let beside = self.first_document(&Ingest::chapters(names));
            episode.chapters = beside.or_else(|| self.inside(names, InsideKind::Chapters));
        }
        Some(episode).filter(|episode| *episode != Episode::default())
    }

    /// The transcripts whose names have a language: `ep1.en.vtt`.
    fn translated(&self, names: &[PathBuf]) -> Vec<Media> {
        let mut found: Vec<Translation> = Vec::new();
        for name in names {
            let Some((folder, stem)) = name.parent().zip(name.file_stem()) else { continue };
            let of_name = self.translations.in_folder(self.folder, folder).into_iter();
            found.extend(of_name.filter(|translation| translation.plain.file_stem() == Some(stem)));
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found.dedup();
        let media = found.into_iter().filter_map(|Translation { path, language, .. }| {
            Some(Media { language: Some(language), ..self.first_document(&[path])? })
        });
        media.collect()
    }

    /// The cover or the chapters inside the first recording that has them. Its address changes with its bytes.
    fn inside(&self, names: &[PathBuf], kind: InsideKind) -> Option<Media> {
        let mut recordings = names.iter().filter(|path| is_recording(path) && (self.addresses.is_there)(path));
        let (path, (file, size)) =
            recordings.find_map(|path| Some((path, measure::inside(self.folder, path, kind)?)))?;
        Some(Media {
            url: self.addresses.of_media(&path.join(&file.name)),
            media_type: file.media_type.to_owned(),
            length: Some(file.size()),
            size,
            ..Media::default()
        })
    }

    /// The first of several files that is there.
    fn first_document(&self, paths: &[PathBuf]) -> Option<Media> {
        let path = paths.iter().find(|path| (self.addresses.is_there)(path))?;
        let media_type = served_type(path)?;
        Some(Media { url: self.addresses.of_media(path), media_type, ..Media::default() })
    }

    /// A transcript or a file of chapters, unless it is a file of the folder that is not served.
    fn document(&mut self, media: &Media) -> Option<Media> {
        let is_own = Url::parse(media.url.trim()).is_err();
        let mut media_type = media.media_type.clone();
        let url = match self.addresses.file(&media.url) {
            Some(path) if (self.addresses.is_there)(&path) => {
                media_type = served_type(&path).unwrap_or(media_type);
                Some(self.addresses.of_media(&path))
            }
            _ if is_own => None,
            _ => ascii(media.url.trim()),
        };
        if url.is_none() {
            let text = text_of(self.folder, self.addresses.path, self.supervisor);
            self.problems.push(lost::unserved(&media.url, &text));
        }
        url.map(|url| Media { url, media_type, ..media.clone() })
    }

    /// A file that the article names, unless it is a missing file of the folder.
    fn resolved(&mut self, media: &Media, article: &Article, field: Field) -> Option<Media> {
        let Some(path) = self.addresses.file(&media.url) else {
            let url = self.addresses.absolute(&media.url).as_deref().and_then(ascii)?;
            return Some(Media { url, ..media.clone() });
        };
        if !(self.addresses.is_there)(&path) {
            self.problems.push(lost::missing(article, field, &path));
            return None;
        }
        let url = self.addresses.of_media(&path);
        let media_type = served_type(&path).unwrap_or_else(|| media.media_type.clone());
        Some(self.measured(Media { url, media_type, ..media.clone() }, &path))
    }

    /// Length, size and duration of a file of the folder, which override those in front matter.
    fn measured(&self, media: Media, path: &Path) -> Media {
        let stat = self.folder.stat(path);
        let length = stat.and_then(|stat| u64::try_from(stat.size).ok());
        let (mut size, mut duration) = (media.size, media.duration);
        if media.media_type.starts_with("image/") {
            size = measure::pixels(self.folder, path).or(size);
        } else if media.media_type.starts_with("audio/") || media.media_type.starts_with("video/") {
            duration = stat.and_then(|stat| self.supervisor.duration(path, &stat, self.heartbeat)).or(duration);
        }
        Media { length: length.or(media.length), size, duration, ..media }
    }
}

/// The text of an article's file, in which a problem has its line.
fn text_of(folder: &Folder, path: &Path, supervisor: &ReadingSupervisor) -> String {
    let loaded = load_as(folder, path, SourceFormat::Markdown, supervisor.size_limit);
    loaded.map(|loaded| String::from_utf8_lossy(&loaded.bytes).into_owned()).unwrap_or_default()
}

/// The type with which a file of the folder is served. It overrides a stated one: feeds announce what players get.
fn served_type(path: &Path) -> Option<String> {
    media_type(path).map(|media_type| without_parameters(media_type).to_owned())
}

/// A web address as feeds need it: in ASCII (standards 23).
fn ascii(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Duration, Instant};

    use chrono::{DateTime, Utc};
    use tempfile::TempDir;

    use super::*;
    use crate::article::measure::tests::{png, wav};
    use crate::catalog::Reader;
    use crate::change::Change;
    use crate::config::Config;
    use crate::folder::watch::{Armed, Fence, OpenFiles};
    use crate::model::collection::{ArticleLookup, ArticleState};
    use crate::model::entry::{ArticleId, Entry, Slug};
    use crate::model::moment::{Moment, Version};
    use crate::observe::metrics::Comparison;
    use crate::publish::ingest::{Queue, WriteMoment};
    use crate::render::feed::Channel;

    /// A folder of articles and its catalog.
    pub struct Site {
        directory: TempDir,
        config: Config,
        channel: Channel,
        pub catalog: Catalog,
        ingest: Ingest,
        seconds: i64,
        /// Difference between the test's time and the clock.
        ahead: Duration,
        fence: Fence,
        /// How many fences were reported.
        passed: u64,
    }

    /// A fence that counts how often it is raised.
    fn armed_fence(state: &Path) -> Fence {
        let fence = Fence::at(&state.join("fence")).unwrap();
        fence.arm(true);
        fence
    }

    impl Site {
        pub fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let articles = directory.path().join("articles");
            std::fs::create_dir(&articles).unwrap();
            let mut config = Config::parse("", "test").unwrap();
            config.articles.directory = articles;
            let mut catalog = Catalog::open(directory.path(), Some("x.example"), DateTime::UNIX_EPOCH).unwrap();
            let channel = Channel::new(&config, "https://x.example/", catalog.feed_id());
            let folder = Folder::open(&config.articles).unwrap();
            let mut ingest = Ingest::new(&mut catalog, folder, &config, &channel, OpenFiles::default()).unwrap();
            let fence = armed_fence(directory.path());
            ingest.follow_watch(Armed::default(), fence.clone());
            // On a busy machine, too, each step reads its files.
            ingest.supervisor.patience = Duration::from_mins(3);
            let (seconds, ahead, passed) = (1_700_000_000, Duration::ZERO, 0);
            Self { directory, config, channel, catalog, ingest, seconds, ahead, fence, passed }
        }

        pub fn fence(&self) -> &Fence {
            &self.fence
        }

        /// The state directory.
        pub fn state(&self) -> &Path {
            self.directory.path()
        }

        /// Compares the folder with the catalog until nothing that differs is left to be read.
        pub fn compare_all(&mut self) {
            loop {
                let moment = self.moment();
                if self.ingest.reconcile(&mut self.catalog, moment).unwrap() != Comparison::Different {
                    return;
                }
                while self.ingest.is_reading() {
                    self.tick(Duration::ZERO, 1);
                }
                // Files have to be quiet, and old enough for their times to say that they are the same.
                std::thread::sleep(Duration::from_millis(100));
                self.tick(Duration::ZERO, 1);
            }
        }

        pub fn ingest(&mut self) -> &mut Ingest {
            &mut self.ingest
        }

        fn moment(&mut self) -> WriteMoment {
            self.seconds += 1;
            let moment = WriteMoment::now(Version::at(DateTime::from_timestamp(self.seconds, 0).unwrap()));
            WriteMoment { instant: moment.instant + self.ahead, ..moment }
        }

        /// Reads one file in each part of a step.
        pub fn read_file_by_file(&mut self) {
            self.ingest.begin_serving();
            self.ingest.slice = Duration::ZERO;
        }

        pub fn file(&self, name: &str) -> PathBuf {
            self.directory.path().join("articles").join(name)
        }

        pub fn look(&mut self, name: &str) {
            let hint = Change::Look(self.file(name));
            self.follow(&[hint]);
            // What a step schedules may be due already, on a busy machine.
            for _ in 0..20 {
                let now = Instant::now();
                if self.ingest.schedule.iter().all(|(_, at)| at > now) {
                    return;
                }
                self.tick(Duration::ZERO, 10);
            }
            panic!("files schedule each other for ever: {:?}", self.ingest.schedule);
        }

        fn follow(&mut self, hints: &[Change]) {
            let moment = self.moment();
            let (catalog, ingest) = (&mut self.catalog, &mut self.ingest);
            catalog.transaction(|catalog| ingest.process_hints(catalog, hints, moment)).unwrap();
            self.tick(Duration::ZERO, 10);
        }

        fn tick(&mut self, time: Duration, times: usize) {
            for _ in 0..times {
                let moment = self.moment();
                let moment = WriteMoment { instant: moment.instant + time, ..moment };
                let (catalog, ingest) = (&mut self.catalog, &mut self.ingest);
                while self.passed < self.fence.raised() {
                    self.passed += 1;
                    catalog.transaction(|catalog| ingest.process_hints(catalog, &[Change::Fence], moment)).unwrap();
                }
                catalog.transaction(|catalog| ingest.tick(catalog, Queue::Empty, moment)).unwrap();
                if self.passed < self.fence.raised() {
                    continue;
                }
                if ingest.until_next_wake(Instant::now() + time).is_none_or(|wait| !wait.is_zero()) {
                    break;
                }
            }
        }

        /// Follows hints as one batch, so much later than anything before. Fences are reported by the caller.
        pub fn deliver(&mut self, hints: &[Change], later: Duration) {
            self.ahead += later;
            let moment = self.moment();
            let (catalog, ingest) = (&mut self.catalog, &mut self.ingest);
            catalog.transaction(|catalog| ingest.process_hints(catalog, hints, moment)).unwrap();
            if hints.contains(&Change::Reconcile) | ingest.wants_reconcile() {
                ingest.reconcile(catalog, moment).unwrap();
            }
            let moment = self.moment();
            let (catalog, ingest) = (&mut self.catalog, &mut self.ingest);
            catalog.transaction(|catalog| ingest.tick(catalog, Queue::Empty, moment)).unwrap();
        }

        pub fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
            let path = self.file(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
            self.look(name);
        }

        /// Writes a file that the next scan finds.
        pub fn put(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
            let path = self.file(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }

        pub fn rename(&mut self, from: &str, to: &str) {
            let (from, to) = (self.file(from), self.file(to));
            std::fs::rename(&from, &to).unwrap();
            self.follow(&[Change::Moved { from, to: to.clone() }, Change::Look(to)]);
        }

        /// Restarts the daemon.
        pub fn restart(&mut self) {
            // Files must be quiet when a scan finds them.
            std::thread::sleep(crate::folder::watch::QUIET + Duration::from_millis(100));
            self.restart_at_once();
        }

        /// Restarts the daemon while files may still be written.
        pub fn restart_at_once(&mut self) {
            self.catalog = Catalog::open(self.directory.path(), Some("x.example"), DateTime::UNIX_EPOCH).unwrap();
            let (config, channel) = (&self.config, &self.channel);
            let folder = Folder::open(&config.articles).unwrap();
            self.ingest = Ingest::new(&mut self.catalog, folder, config, channel, OpenFiles::default()).unwrap();
            (self.fence, self.passed) = (armed_fence(self.directory.path()), 0);
            self.ingest.follow_watch(Armed::default(), self.fence.clone());
            let moment = self.moment();
            self.ingest.reconcile(&mut self.catalog, moment).unwrap();
            while self.ingest.is_reading() {
                self.tick(Duration::ZERO, 1);
            }
            self.catalog.finish_bulk_import().unwrap();
            while self.ingest.has_unread(&self.catalog).unwrap() {
                self.tick(Duration::ZERO, 1);
            }
            self.wait();
        }

        /// Lets enough time pass for everything but deletions of many files.
        pub fn wait(&mut self) {
            self.tick(Duration::from_secs(6), 10);
        }

        /// Lets time pass.
        fn pass(&mut self, time: Duration) {
            self.tick(time, 3);
        }

        /// Id of the public article of a file.
        pub fn public(&self, name: &str) -> Option<ArticleId> {
            let record = Reader::open(self.directory.path()).unwrap().by_path(Path::new(name)).unwrap()?;
            (record.state == ArticleState::Live && record.due <= Utc::now()).then_some(record.entry.id)
        }

        /// Ids that feeds report as deleted.
        pub fn tombstones(&self) -> Vec<ArticleId> {
            self.catalog.tombstones().unwrap().into_iter().map(|tombstone| tombstone.id).collect()
        }

        /// The slug that an address redirects to.
        pub fn leads_to(&self, slug: &str) -> Option<Slug> {
            let (reader, now) = (Reader::open(self.directory.path()).unwrap(), Utc::now());
            let ArticleLookup::Moved(place) =
                reader.by_slug(slug, Moment { version: Version::at(now), due: now }).unwrap()
            else {
                return None;
            };
            Some(place.slug().clone())
        }

        /// Deletes a file, and lets the grace period pass.
        pub fn remove_for_good(&mut self, name: &str) {
            std::fs::remove_file(self.file(name)).unwrap();
            self.look(name);
            self.pass(Duration::from_secs(90));
            self.pass(Duration::from_mins(3));
        }

        /// Number of published articles.
        pub fn live(&self) -> usize {
            self.catalog.count().unwrap()
        }

        pub fn remove(&mut self, name: &str) {
            std::fs::remove_file(self.file(name)).unwrap();
            self.look(name);
        }

        pub fn entry(&self, name: &str) -> Entry {
            Reader::open(self.directory.path()).unwrap().by_path(Path::new(name)).unwrap().expect("published").entry
        }

        pub fn content(&self, name: &str) -> Content {
            self.entry(name).content
        }

        pub fn problems(&self, name: &str) -> Vec<String> {
            let path = Path::new(name);
            let left_out = self.ingest.problems.of(path).map(|out| out.problems.clone()).unwrap_or_default();
            let recorded = self.catalog.problems_of(path).unwrap();
            left_out.into_iter().chain(recorded.iter().map(|problem| problem.in_file(path))).collect()
        }
    }

    /// The name of a file, its type, length, size and duration.
    pub fn described(media: &Media) -> String {
        let name = media.url.strip_prefix("https://x.example/media/").unwrap_or(&media.url);
        let length = media.length.map(|length| format!(" {length}b")).unwrap_or_default();
        let size = media.size.map(|(width, height)| format!(" {width}x{height}")).unwrap_or_default();
        let duration = media.duration.map(|seconds| format!(" {seconds}s")).unwrap_or_default();
        format!("{name} {}{length}{size}{duration}", media.media_type)
    }

    fn all_described(media: &[Media]) -> Vec<String> {
        media.iter().map(described).collect()
    }

    #[test]
    fn the_first_picture_stands_for_an_article() {
        let mut site = Site::new();
        site.write("img/icon.png", png(16, 16));
        site.write("img/sea.png", png(640, 480));
        site.write(
            "a.md",
            "# A\n\n![](img/icon.png) ![Sea](img/sea.png) ![](img/gone.png) ![](https://b.example/c.jpg) ![](https://b.example/d)",
        );
        let content = site.content("a.md");
        assert_eq!(content.image.as_ref().map(described).as_deref(), Some("img/sea.png image/png 33b 640x480"));
        assert_eq!(content.image.unwrap().title.as_deref(), Some("Sea"));
        assert_eq!(
            all_described(&content.pictures),
            ["img/icon.png image/png 33b 16x16", "https://b.example/c.jpg image/jpeg"]
        );
    }

    #[test]
    fn a_cover_is_measured_when_it_comes_and_when_it_changes() {
        let mut site = Site::new();
        site.write("a/a.md", "---\ncover: {image: sea.png, alt: Sea}\n---\n# A\n\nText");
        assert_eq!(site.content("a/a.md").image, None);
        let problem =
            "a/a.md:2: front matter, line 2: `cover`: there is no a/sea.png; it is shown once the file is there";
        assert_eq!(site.problems("a/a.md"), [problem]);
        let before = site.entry("a/a.md");
        site.write("a/sea.png", png(640, 480));
        let after = site.entry("a/a.md");
        assert_eq!(after.content.image.as_ref().map(described).as_deref(), Some("a/sea.png image/png 33b 640x480"));
        assert_eq!(after.content.image.unwrap().title.as_deref(), Some("Sea"));
        assert_eq!((after.updated, after.id), (before.updated, before.id), "a file that comes is no update");
        assert!(after.revised > before.revised);
        assert_eq!(site.problems("a/a.md"), Vec::<String>::new());
        site.write("a/sea.png", png(800, 600));
        assert_eq!(site.content("a/a.md").image.and_then(|image| image.size), Some((800, 600)));
        site.remove("a/sea.png");
        assert_eq!(site.content("a/a.md").image, None);
    }

    #[test]
    fn recordings_that_an_article_names() {
        let mut site = Site::new();
        site.write("talks/one.wav", wav(2));
        site.write(
            "talks/a.md",
            "---\nenclosures:\n- {url: one.wav, length: 1, duration: 99}\n- {url: 'https://b.example/c.mp3', length: 5, duration: 60}\n---\n# A\n\nText",
        );
        assert_eq!(
            all_described(&site.content("talks/a.md").enclosures),
            ["talks/one.wav audio/wav 2044b 2s", "https://b.example/c.mp3 audio/mpeg 5b 60s"],
            "the file itself knows best"
        );
    }

    #[test]
    fn recordings_that_lie_beside_an_article() {
        let mut site = Site::new();
        site.write("one.md", "# One\n\nText");
        assert_eq!(site.content("one.md").enclosures, []);
        site.write("one.wav", wav(2));
        assert_eq!(all_described(&site.content("one.md").enclosures), ["one.wav audio/wav 2044b 2s"]);
        site.write("one.wav", wav(3));
        assert_eq!(all_described(&site.content("one.md").enclosures), ["one.wav audio/wav 3044b 3s"]);
        site.remove("one.wav");
        assert_eq!(site.content("one.md").enclosures, []);
        site.write("two/index.md", "# Two\n\nText");
        site.write("two/any name.wav", wav(1));
        assert_eq!(all_described(&site.content("two/index.md").enclosures), ["two/any%20name.wav audio/wav 1044b 1s"]);
        site.write("two/another.wav", wav(1));
        assert_eq!(site.content("two/index.md").enclosures, [], "it is unclear which is meant");
        for number in 0..4_000 {
            site.put(&format!("three/{number}.png"), "");
        }
        site.put("three/talk.wav", wav(1));
        site.write("three/index.md", "# Three\n\nText");
        assert_eq!(all_described(&site.content("three/index.md").enclosures), ["three/talk.wav audio/wav 1044b 1s"]);
    }

    #[test]
    fn what_players_want_to_know() {
        let mut site = Site::new();
        site.write("one.vtt", "WEBVTT");
        site.write(
            "one.md",
            "---\nsummary_only: true\nepisode: 7\nexplicit: no\ntranscripts: [one.vtt, two.vtt, three.html]\nchapters: https://b.example/c.json\n---\n# One\n\nText",
        );
        let content = site.content("one.md");
        assert!(content.brief);
        let episode = content.episode.unwrap();
        assert_eq!((episode.number, episode.explicit), (Some(7), Some(false)));
        assert_eq!(all_described(&episode.transcripts), ["one.vtt text/vtt"]);
        assert_eq!(
            episode.chapters.as_ref().map(described).as_deref(),
            Some("https://b.example/c.json application/json+chapters")
        );
        assert_eq!(site.problems("one.md").len(), 2);
    }

    #[test]
    fn a_new_cover_is_an_update_and_a_better_copy_is_none() {
        let article = Article { title: "A".into(), ..Article::default() };
        let with =
            |url: &str| Article { image: Some(Media { url: url.into(), ..Media::default() }), ..article.clone() };
        assert_ne!(entry_hash(&article), entry_hash(&with("a.png")));
        assert_ne!(entry_hash(&with("a.png")), entry_hash(&with("b.png")));
        assert_eq!(entry_hash(&article), entry_hash(&Article { summary_only: true, ..article.clone() }));
    }
}
