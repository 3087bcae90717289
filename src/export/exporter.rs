//! One export: finds each document, compares it with the last export, and writes what differs.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use chrono::{DateTime, Utc};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, header};

use super::file_row::FileRow;
use super::layout::{FileForm, OWN_FOLDER, StoreKind, file_of};
use super::main_documents::{self, DocumentDates};
use super::manifest::{FileKey, FormerExport, FormerFile, ManifestWriter, key_of};
use super::media_links;
use super::rules::{AddressRule, Leads, forms_of};
use super::server_files::{self, HeaderSamples, SampleKind, ServedPath, ServerSite};
use super::site_copy::{ExportStage, SiteList};
use super::target::{ExportObject, ExportTarget, FileOrigin, ObjectBody, PutError, PutFile, PutOutcome};
use crate::catalog::Reader;
use crate::change::TextRequests;
use crate::folder::media::{self, MediaFiles, MediaLookup, OpenMedia};
use crate::folder::renditions::{self, RenditionFiles, RenditionStore};
use crate::folder::scaler;
use crate::model::moment::Moment;
use crate::render::compression::ContentCoding;
use crate::render::feed::format::Representation;
use crate::render::on_demand::{Edition, Lookup, Obstacle, OnDemand, Route};
use crate::render::page::Pages;
use crate::render::snapshot::{self, Document, DocumentBody, DocumentKind, SiteDates, Snapshot};
use crate::serve::body::FileSource;
use crate::serve::respond::{self, ResponsePolicy, Target};
use crate::system::threads::WorkPool;

/// Maximum number of files that are written at a time, and about how many bytes.
const BATCH: usize = 128;
const BATCH_BYTES: usize = 8 << 20;
/// Maximum number of files whose place was taken, and that are tried again after deletions.
const MAX_RETRIES: usize = 256;
/// The row of a file that an unfinished export may have written, in any content coding. It never counts as the file that is wanted.
const OF_UNFINISHED: FileRow = FileRow { content: [0; 16], source: 0, headers: 0, modified: i64::MIN, sizes: [1; 4] };
/// Maximum number of problems that are reported one by one.
const MAX_PROBLEMS: usize = 100;

/// The site that is exported.
pub struct ExportedSite {
    pub reader: Reader,
    pub pages: Arc<Pages>,
    pub policy: ResponsePolicy,
    pub base_url: String,
    /// Also opens smaller forms of pictures that the daemon has made.
    pub files: MediaFiles,
    /// Set when the export is to end early. The next one continues where it ended.
    pub stop: Arc<AtomicBool>,
}

/// The export was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the export was stopped; the next one continues where it ended")]
pub struct Stopped;

/// The site cannot be exported at this instant; soon it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the daemon has not read all articles yet: try again in a minute")]
pub struct Unready;

/// What an export did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportReport {
    pub written: u64,
    /// Files that were there with other dates.
    pub dated: u64,
    pub unchanged: u64,
    pub deleted: u64,
    /// Bytes written, in all content codings.
    pub bytes: u64,
    /// Documents that could not be written, and why; the first ones.
    pub problems: Vec<String>,
    /// Number of all problems.
    pub failed: u64,
}

impl ExportReport {
    fn problem(&mut self, problem: String) {
        self.failed += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// A file that waits to be written.
struct PendingFile {
    object: ExportObject,
    row: FileRow,
    /// The ends of the addresses of the files beside articles that it shows.
    shown: Vec<Box<str>>,
    /// Gives the compressed forms.
    document: Option<Arc<Document>>,
}

/// Exports a site as it is at a moment. Its reader and `library` hold one state of the catalog.
///
/// # Errors
/// The catalog cannot be read, or the target cannot be written. The target is as complete as before, and the next export continues.
pub fn run(
    site: &ExportedSite,
    library: Reader,
    target: &dyn ExportTarget,
    moment: Moment,
    now: DateTime<Utc>,
) -> anyhow::Result<ExportReport> {
    let former = FormerExport::read(target).context("cannot read the manifest of the last export")?;
    let (id, created) = site.reader.feed_id()?;
    anyhow::ensure!(
        former.site.as_ref().is_none_or(|site| *site == id),
        "the folder has the export of another site: name another one"
    );
    let mut dates = DocumentDates::new(&site.reader, &former, moment);
    let menu = Arc::new(site.reader.recorded_menu(moment)?);
    let pages = Arc::new(site.pages.with_menu(menu.clone()));
    let presented = dates.of_design(pages.fingerprint())?;
    let site_dates = SiteDates { presented, created };
    let base_path = url::Url::parse(&site.base_url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
    let date_of = |path: &str, hash: &blake3::Hash| {
        let file = file_of(target.kind(), &base_path, path, form_of(path, false)).ok()?;
        former_date(&former, &file, hash)
    };
    let snapshot = main_documents::render(&site.reader, &pages, &mut dates, site_dates, moment, date_of)?;
    let (mut latest, presented) = (dates.latest, dates.presented);
    let on_demand =
        OnDemand::new(Box::new(library), pages.clone(), site_dates, site.files.clone(), TextRequests::default())
            .single_use();
    let manifest = File::create(target.scratch().join("manifest")).context("cannot write a manifest")?;
    let mut manifest = ManifestWriter::new(BufWriter::new(manifest))?;
    let settings = format!("{:?}{:?}{}", pages.fingerprint(), site.policy, env!("CARGO_PKG_VERSION"));
    let settings = blake3::hash(settings.as_bytes());
    manifest.site(&id, &settings)?;
    let has_same_settings = former.settings == Some(settings);
    // Pages name a path, feeds an address with it.
    let media_prefix = format!("{base_path}media/").into_bytes();
    let edition = Edition { moment, menu, now };
    let mut exporter = Exporter {
        site,
        target,
        on_demand,
        snapshot: &snapshot,
        presented: [site_dates.of_pages(&pages), site_dates.presented],
        has_same_settings,
        edition,
        base_path: &base_path,
        media_prefix,
        former,
        manifest,
        batch: Vec::new(),
        batch_bytes: 0,
        retries: Vec::new(),
        keeps_obstructed: true,
        media: HashSet::new(),
        wanted: HashSet::new(),
        folded: HashSet::new(),
        rules: Vec::new(),
        served: Vec::new(),
        samples: HeaderSamples::default(),
        pool: WorkPool::start("export", 1),
        report: ExportReport::default(),
    };
    exporter.sample_headers();
    exporter.documents(now)?;
    latest = latest.max(exporter.server_files(moment)?);
    exporter.end(presented, latest)
}

/// The date of a document in the last export, if it had these bytes.
fn former_date(former: &FormerExport, file: &str, hash: &blake3::Hash) -> Option<DateTime<Utc>> {
    let row = former.files.get(&key_of(file))?.row?;
    (row.content == half(hash)).then(|| DateTime::from_timestamp(row.modified, 0)).flatten()
}

fn half(hash: &blake3::Hash) -> [u8; 16] {
    hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes")
}

/// The first bytes of a hash, as a number.
fn short(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(blake3::hash(bytes).as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

fn form_of(path: &str, is_page: bool) -> FileForm {
    if is_page || path.is_empty() { FileForm::Page } else { FileForm::Document }
}

struct Exporter<'a> {
    site: &'a ExportedSite,
    target: &'a dyn ExportTarget,
    on_demand: OnDemand,
    snapshot: &'a Snapshot,
    /// When the design of pages last changed, and of other documents.
    presented: [DateTime<Utc>; 2],
    /// The settings are those of the last export.
    has_same_settings: bool,
    edition: Edition,
    base_path: &'a str,
    /// Start of the addresses of files beside articles.
    media_prefix: Vec<u8>,
    former: FormerExport,
    manifest: ManifestWriter<BufWriter<File>>,
    batch: Vec<PendingFile>,
    batch_bytes: usize,
    retries: Vec<PendingFile>,
    /// Files whose place is taken are kept for another attempt.
    keeps_obstructed: bool,
    /// Hashes of the addresses of files beside articles that were looked up.
    media: HashSet<u64>,
    /// The files of this export.
    wanted: HashSet<FileKey>,
    /// Their names without case, where case makes no difference.
    folded: HashSet<FileKey>,
    rules: Vec<AddressRule>,
    /// Documents with an address and a type of their own.
    served: Vec<ServedPath>,
    samples: HeaderSamples,
    /// Header fields of files are made with it; nothing is read on it.
    pool: WorkPool,
    report: ExportReport,
}

impl Exporter<'_> {
    /// Notes the header fields of each kind of documents.
    fn sample_headers(&mut self) {
        let recommended = DocumentKind::Feed(self.snapshot.formats.recommended());
        let other = DocumentKind::Other("text/plain; charset=utf-8");
        for (kind, is_lasting) in [
            (DocumentKind::Page, false),
            (DocumentKind::Page, true),
            (recommended, false),
            (recommended, true),
            (other, false),
        ] {
            let document = Document::new(kind, "", DateTime::UNIX_EPOCH).lasting(is_lasting);
            let (headers, _) = self.headers(&Target::Document(Arc::new(document)));
            self.samples.add(SampleKind::of(kind, is_lasting), &headers);
        }
    }

    /// Exports all documents, in the order of their stages.
    fn documents(&mut self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let aliases: Vec<(&str, &str)> = snapshot::aliases(self.snapshot.formats).collect();
        let is_alias = |path: &str| aliases.iter().any(|(alias, _)| *alias == path);
        let of_stage = |stage: ExportStage| {
            let own = self.snapshot.documents().filter(move |(path, document)| {
                !is_alias(path) && (stage == ExportStage::Look) == is_look(document.kind)
            });
            let mut own: Vec<(String, Arc<Document>)> =
                own.map(|(path, document)| (path.to_owned(), document.clone())).collect();
            own.sort_by(|(one, _), (other, _)| other.cmp(one));
            own
        };
        let (look, main) = (of_stage(ExportStage::Look), of_stage(ExportStage::Feeds));
        look.into_iter().try_for_each(|(path, document)| self.main_document(&path, document))?;
        let (site, mut last) = (self.site, ExportStage::Look);
        let addresses = SiteList::new(&site.reader, self.edition.moment, now, self.snapshot.formats);
        let mut main = Some(main);
        addresses.routes(|stage, route, revised| {
            self.check_stop()?;
            if stage != last {
                self.flush()?;
                last = stage;
            }
            // The sitemap names pages, and robots.txt names it.
            if stage == ExportStage::Sitemap {
                for (path, document) in main.take().into_iter().flatten() {
                    self.main_document(&path, document)?;
                }
                self.flush()?;
            }
            let is_unchanged = revised.map_or(Ok(false), |revised| self.is_unchanged(&route, revised))?;
            if is_unchanged { Ok(true) } else { self.route(&route) }
        })?;
        for (alias, path) in aliases {
            self.alias(alias, path)?;
        }
        self.flush()?;
        addresses.former_addresses(|route| {
            self.check_stop()?;
            self.former_address(&route)
        })?;
        self.old_feeds();
        Ok(())
    }

    fn main_document(&mut self, path: &str, document: Arc<Document>) -> anyhow::Result<()> {
        let kind = document.kind;
        if kind != DocumentKind::Page {
            self.serve_at(path, &document);
        }
        self.document(path, form_of(path, kind == DocumentKind::Page), document)
    }

    /// Notes the type and the header fields of a document with an address of its own.
    fn serve_at(&mut self, path: &str, document: &Arc<Document>) {
        let (headers, _) = self.headers(&Target::Document(document.clone()));
        self.served.push(ServedPath { path: path.to_owned(), headers });
    }

    /// Exports an alias of a document: as a file, or as a rule where a file could not have its name.
    fn alias(&mut self, alias: &str, path: &str) -> anyhow::Result<()> {
        let Some(document) = self.snapshot.document(alias).cloned() else { return Ok(()) };
        let has_ending = alias.rsplit('/').next().is_some_and(|name| name.contains('.'));
        let is_file = has_ending || self.target.kind() == StoreKind::Bucket;
        // Of two documents of an alias, the snapshot has the last one.
        if self.snapshot.document(path).is_none_or(|own| !Arc::ptr_eq(own, &document)) {
            return Ok(());
        }
        if is_file {
            return self.main_document(alias, document);
        }
        self.rule(alias, None, Leads::Same(path.to_owned()));
        Ok(())
    }

    /// Exports the document of a route. Returns whether there is one.
    fn route(&mut self, route: &Route) -> anyhow::Result<bool> {
        match self.find(route)? {
            Lookup::Document(document) => {
                let path = route.path();
                let is_page = document.kind == DocumentKind::Page;
                self.document(&path, form_of(&path, is_page), document)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether the document of a route, whose content last changed at `revised`, is as in the last export. Then it stays: other bytes
    /// always have another date.
    fn is_unchanged(&mut self, route: &Route, revised: DateTime<Utc>) -> anyhow::Result<bool> {
        let is_page = match route {
            Route::Article(_) | Route::Page(_) => true,
            Route::View(_, representation) | Route::Archive(_, representation) => {
                *representation == Representation::Page
            }
            _ => false,
        };
        let path = route.path();
        let Ok(file) = file_of(self.target.kind(), self.base_path, &path, form_of(&path, is_page)) else {
            return Ok(false);
        };
        let key = key_of(&file);
        let presented = self.presented[usize::from(!is_page)];
        let former = self.former.files.get(&key).filter(|former| self.has_same_settings && !former.is_uncertain);
        let former = former.and_then(|former| former.row);
        let former = former.filter(|row| row.modified == revised.max(presented).timestamp());
        let Some(row) = former.filter(|row| self.target.holds(&file, row)) else { return Ok(false) };
        let shown = self.former.shown.remove(&key).unwrap_or_default();
        shown.iter().try_for_each(|address| self.media(address))?;
        let is_unchanged = self.compared(&file, row, &shown, |_| true)?.is_none();
        if !is_unchanged {
            self.wanted.remove(&key);
            self.folded.remove(&key_of(&file.to_lowercase()));
        }
        Ok(is_unchanged)
    }

    fn find(&self, route: &Route) -> anyhow::Result<Lookup> {
        match self.on_demand.find(route, self.edition.clone()) {
            Ok(Lookup::NotYet) | Err(Obstacle::Unread(_)) => Err(Unready.into()),
            Err(Obstacle::Library(error)) => Err(error.into()),
            Err(Obstacle::NoMemory) => anyhow::bail!("too many documents are in memory: please report this"),
            Ok(lookup) => Ok(lookup),
        }
    }

    fn document(&mut self, path: &str, form: FileForm, document: Arc<Document>) -> anyhow::Result<()> {
        let mut shown: Vec<Box<str>> = Vec::new();
        media_links::find(&document.identity.bytes, &self.media_prefix, |address| shown.push(address.into()));
        shown.sort();
        shown.dedup();
        shown.iter().try_for_each(|address| self.media(address))?;
        let (headers, header_hash) = self.headers(&Target::Document(document.clone()));
        let row = FileRow {
            content: half(document.hash()),
            source: 0,
            headers: header_hash,
            modified: document.last_modified.timestamp(),
            sizes: [0; 4],
        };
        match file_of(self.target.kind(), self.base_path, path, form) {
            Ok(file) => {
                let object = Self::object(file, row, headers, &document.identity.bytes);
                self.file(object, row, shown, Some(document))
            }
            Err(why) => {
                self.report.problem(format!("/{path}: {why}"));
                Ok(())
            }
        }
    }

    /// The object of an uncompressed document.
    fn object(file: String, row: FileRow, headers: HeaderMap, bytes: &bytes::Bytes) -> ExportObject {
        let body = ObjectBody::Bytes(vec![(ContentCoding::Identity, bytes.clone())]);
        ExportObject { file, headers, modified: row.modified, body, origin: FileOrigin::Unknown }
    }

    /// Exports a document, also compressed if `document` gives these forms.
    fn file(
        &mut self,
        object: ExportObject,
        row: FileRow,
        shown: Vec<Box<str>>,
        document: Option<Arc<Document>>,
    ) -> anyhow::Result<()> {
        let is_same = |former: &FileRow| former.content == row.content;
        let Some((origin, row)) = self.compared(&object.file, row, &shown, is_same)? else { return Ok(()) };
        self.batch_bytes += document.as_ref().map_or(0, |document| document.identity.bytes.len());
        self.batch.push(PendingFile { object: ExportObject { origin, ..object }, row, shown, document });
        self.flush_if_full()
    }

    /// Compares a file with the last export. Returns `None` if nothing is to be written, or nothing can be.
    fn compared(
        &mut self,
        file: &str,
        row: FileRow,
        shown: &[Box<str>],
        is_same: impl Fn(&FileRow) -> bool,
    ) -> anyhow::Result<Option<(FileOrigin, FileRow)>> {
        let key = key_of(file);
        if !self.wanted.insert(key) {
            self.report.problem(format!("{file}: two documents would have this file: change the name of one"));
            return Ok(None);
        }
        if self.target.folds_case() && !self.folded.insert(key_of(&file.to_lowercase())) {
            self.report
                .problem(format!("{file}: another file differs only by case, which this file system cannot tell"));
            return Ok(None);
        }
        let Some(former) = self.former.files.get_mut(&key) else { return Ok(Some((FileOrigin::Unknown, row))) };
        former.is_wanted = true;
        let FormerFile { row: Some(own), is_uncertain: false, .. } = *former else {
            return Ok(Some((FileOrigin::Unfinished, row)));
        };
        if !self.target.holds(file, &own) {
            tracing::warn!(file, "another program has changed or removed this file of the export; it is written again");
            return Ok(Some((FileOrigin::Own(own), row)));
        }
        if !is_same(&own) || (self.target.kind() == StoreKind::Bucket && own.headers != row.headers) {
            return Ok(Some((FileOrigin::Own(own), row)));
        }
        let kept = FileRow { headers: row.headers, modified: row.modified, ..own };
        if kept.modified == own.modified {
            self.report.unchanged += 1;
        } else if self.target.touch(file, &kept) {
            self.report.dated += 1;
        } else {
            return Ok(Some((FileOrigin::Own(own), row)));
        }
        self.manifest.file(file, &kept, shown)?;
        Ok(None)
    }

    /// The header fields of the daemon's response, and their hash.
    fn headers(&self, target: &Target) -> (HeaderMap, u64) {
        let request: Parts = Request::get("/")
            .header(header::HOST, "localhost")
            .body(())
            .expect("a request of constants")
            .into_parts()
            .0;
        // After all dates: a date in the future would be left out.
        let now = SystemTime::from(self.edition.now) + Duration::from_hours(24 * 365);
        let response = respond::respond(&request, target, self.snapshot, &self.site.policy, now);
        let headers = response.into_parts().0.headers;
        // The other two follow from content and date.
        let stable = headers.iter().filter(|(name, _)| **name != header::LAST_MODIFIED && **name != header::ETAG);
        let mut lines: Vec<Vec<u8>> =
            stable.map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat()).collect();
        lines.sort();
        (headers, short(&lines.concat()))
    }

    /// Exports a file beside articles, by the end of its address.
    fn media(&mut self, address: &str) -> anyhow::Result<()> {
        if !self.media.insert(short(address.as_bytes())) {
            return Ok(());
        }
        let Some(path) = media::path_of(address) else { return Ok(()) };
        let form = renditions::parts_of(&path).map(|(picture, width)| (picture.to_path_buf(), width));
        match self.on_demand.file(&path) {
            Err(error) => self.report.problem(format!("/media/{address}: {error}")),
            Ok(MediaLookup::Missing) => {}
            Ok(MediaLookup::File(opened)) => {
                let picture = form.map(|(picture, width)| (self.site.files.open(&picture), width));
                if let Some((Ok(Some(original)), width)) = picture {
                    return self.smaller_form(address, &original, width, Some(opened));
                }
                let source = short(opened.etag().as_bytes());
                let form = if opened.is_part() { FileForm::MediaPart } else { FileForm::Media };
                return self.media_file(address, form, source, opened);
            }
            Ok(MediaLookup::Unscaled(picture)) => {
                let Some((_, width)) = form else { return Ok(()) };
                if let Ok(Some(original)) = self.site.files.open(&picture) {
                    return self.smaller_form(address, &original, width, None);
                }
            }
        }
        Ok(())
    }

    /// Exports a smaller form of a picture: that of the last export, of the daemon, or a new one.
    fn smaller_form(
        &mut self,
        address: &str,
        original: &OpenMedia,
        width: u32,
        opened: Option<OpenMedia>,
    ) -> anyhow::Result<()> {
        let source = short(format!("{} {width}", original.key()).as_bytes());
        if let Some(opened) = opened {
            return self.media_file(address, FileForm::MediaPart, source, opened);
        }
        let Ok(file) = file_of(self.target.kind(), self.base_path, &format!("media/{address}"), FileForm::MediaPart)
        else {
            return Ok(());
        };
        let former = self.former.files.get(&key_of(&file)).filter(|former| !former.is_uncertain);
        // The header fields are part of an object.
        let is_valid = self.has_same_settings || self.target.kind() == StoreKind::Folder;
        let former = former.and_then(|former| former.row).filter(|row| row.source == source && is_valid);
        if let Some(row) = former
            && self.target.holds(&file, &row)
        {
            self.samples.parts.push(format!("media/{address}"));
            return self.compared(&file, row, &[], |_| true).map(drop);
        }
        let Some(path) = media::path_of(address) else { return Ok(()) };
        let Some((picture, _)) = renditions::parts_of(&path) else { return Ok(()) };
        let forms = RenditionFiles::new(self.target.scratch().join(renditions::DIRECTORY), u64::MAX);
        scaler::scale_now(&self.site.files, &forms, picture).with_context(|| format!("/media/{address}"))?;
        let (store, _requests) = RenditionStore::new(forms);
        match self.site.files.clone().with_renditions(Some(store)).find(&path)? {
            MediaLookup::File(opened) => self.media_file(address, FileForm::MediaPart, source, opened),
            // The picture itself is better.
            MediaLookup::Unscaled(picture) => {
                if let Some(to) = self.on_demand.media_url(&picture) {
                    self.rule(&format!("media/{address}"), None, Leads::Temporary(to));
                }
                Ok(())
            }
            MediaLookup::Missing => Ok(()),
        }
    }

    fn media_file(&mut self, address: &str, form: FileForm, source: u64, opened: OpenMedia) -> anyhow::Result<()> {
        let path = format!("media/{address}");
        let file = match file_of(self.target.kind(), self.base_path, &path, form) {
            Ok(file) => file,
            Err(why) => {
                self.report.problem(format!("/{path}: {why}"));
                return Ok(());
            }
        };
        // A file that was changed just now has its date, too.
        let late = SystemTime::from(self.edition.now) + Duration::from_hours(24 * 365);
        let modified = opened.last_modified(late).map_or(DateTime::UNIX_EPOCH, DateTime::<Utc>::from).timestamp();
        let opened = Arc::new(FileSource::new(opened, self.pool.clone()));
        let (headers, header_hash) = self.headers(&Target::File(opened.clone()));
        let Ok(opened) = Arc::try_unwrap(opened) else { anyhow::bail!("a file is still in use: please report this") };
        self.samples.add(SampleKind::of_file(&headers), &headers);
        if form == FileForm::MediaPart {
            self.samples.parts.push(path);
        }
        let row = FileRow { content: [0; 16], source, headers: header_hash, modified, sizes: [0; 4] };
        let Some((origin, row)) = self.compared(&file, row, &[], |former| former.source == source)? else {
            return Ok(());
        };
        let object = ExportObject { file, headers, modified, body: ObjectBody::Media(opened.into_opened()), origin };
        self.batch.push(PendingFile { object, row, shown: Vec::new(), document: None });
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> anyhow::Result<()> {
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Fails if the export was asked to end.
    fn check_stop(&self) -> Result<(), Stopped> {
        if self.site.stop.load(Relaxed) { Err(Stopped) } else { Ok(()) }
    }

    /// Writes the files that wait.
    fn flush(&mut self) -> anyhow::Result<()> {
        let mut batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        self.check_stop()?;
        if batch.is_empty() {
            return Ok(());
        }
        let failed = || "cannot write the export";
        // A file of another program must not count as one of an unfinished export.
        let may_write =
            |object: &&ExportObject| object.origin != FileOrigin::Unknown || !self.target.is_occupied(&object.file);
        let objects = batch.iter().map(|pending| &pending.object).filter(may_write);
        let files: Vec<&str> = objects.map(|object| object.file.as_str()).collect();
        self.target.intend(&files).with_context(failed)?;
        // A document waits for the files that it shows.
        let is_media = |pending: &PendingFile| matches!(pending.object.body, ObjectBody::Media(_));
        let (mut media, mut documents): (Vec<_>, Vec<_>) = batch.drain(..).partition(is_media);
        for group in [&mut media, &mut documents] {
            let outcomes = put_all(self.target, group);
            for (pending, outcome) in group.drain(..).zip(outcomes) {
                self.note(pending, outcome).with_context(failed)?;
            }
        }
        Ok(())
    }

    /// Records the outcome of writing a file.
    fn note(&mut self, pending: PendingFile, outcome: Result<PutFile, PutError>) -> anyhow::Result<()> {
        let file = &pending.object.file;
        match outcome {
            Ok(PutFile { outcome, content, sizes }) => {
                if outcome == PutOutcome::Written {
                    self.report.written += 1;
                    self.report.bytes += sizes.iter().sum::<u64>();
                } else {
                    self.report.unchanged += 1;
                }
                Ok(self.manifest.file(file, &FileRow { content, sizes, ..pending.row }, &pending.shown)?)
            }
            Err(PutError::Failed(error)) => Err(error.into()),
            Err(PutError::Obstructed(_)) if self.keeps_obstructed && self.retries.len() < MAX_RETRIES => {
                self.retries.push(pending);
                Ok(())
            }
            Err(PutError::Obstructed(why)) => {
                self.report.problem(why);
                // It stays known what an export wrote there.
                let row = match pending.object.origin {
                    FileOrigin::Own(row) => Some(row),
                    FileOrigin::Unfinished => self.target.is_occupied(file).then_some(OF_UNFINISHED),
                    FileOrigin::Unknown => None,
                };
                row.map_or(Ok(()), |row| Ok(self.manifest.file(file, &row, &[])?))
            }
        }
    }

    fn rule(&mut self, path: &str, query: Option<String>, leads: Leads) {
        let base = self.base_path.trim_end_matches('/');
        let path = format!("{base}/{}", path.trim_start_matches('/'));
        self.rules.extend(AddressRule::new(path, query, leads));
    }

    /// Adds a rule for an address that a document or an article had.
    fn former_address(&mut self, route: &Route) -> anyhow::Result<()> {
        let leads = match self.find(route)? {
            Lookup::Moved(address) => Leads::Moved(address),
            Lookup::Temporary(address) => Leads::Temporary(address),
            Lookup::Gone => Leads::Gone,
            Lookup::Document(_) | Lookup::Unknown | Lookup::NotYet => return Ok(()),
        };
        let forms = match route {
            Route::OldAddress(address) => forms_of(address),
            // A page is asked for with and without a slash.
            Route::Article(_) | Route::Page(_) => vec![(route.path(), None), (format!("{}/", route.path()), None)],
            _ => vec![(route.path(), None)],
        };
        for (path, query) in forms {
            // Own documents come first.
            let is_taken = |form| {
                file_of(self.target.kind(), self.base_path, path.trim_start_matches('/'), form)
                    .map(|file| key_of(&file))
            };
            let is_taken = [FileForm::Page, FileForm::Document].map(is_taken);
            if query.is_none() && is_taken.iter().flatten().any(|key| self.wanted.contains(key)) {
                continue;
            }
            self.rule(&path, query, leads.clone());
        }
        Ok(())
    }

    /// Adds rules for the addresses of feeds on other sites.
    fn old_feeds(&mut self) {
        let policy = &self.site.policy;
        for path in respond::old_feed_paths(policy).collect::<Vec<_>>() {
            for path in [path.clone(), format!("{path}/")] {
                let Ok(request) = Request::get(format!("{}{path}", self.base_path)).body(()) else { continue };
                if let Target::Moved(to) = respond::route(&request.into_parts().0, self.snapshot, policy) {
                    self.rule(&path, None, Leads::Moved(to));
                }
            }
        }
    }

    /// Exports the pages of errors, and files for web servers. Returns the newest date of one.
    fn server_files(&mut self, moment: Moment) -> anyhow::Result<Option<DateTime<Utc>>> {
        let mut latest = None;
        for (name, body) in [("404.html", self.snapshot.missing.clone()), ("410.html", self.snapshot.gone.clone())] {
            latest = latest.max(Some(self.own_file(&self.below_base(name), DocumentKind::Page, body, moment)?));
        }
        // A rule of an address comes once, the first one.
        let mut seen = HashSet::new();
        self.rules.retain(|rule| seen.insert((short(rule.path.as_bytes()), rule.query.clone())));
        let (rules, served) = (std::mem::take(&mut self.rules), std::mem::take(&mut self.served));
        let samples = std::mem::take(&mut self.samples);
        let site = ServerSite {
            base_url: &self.site.base_url,
            base_path: self.base_path,
            formats: self.snapshot.formats,
            rules: &rules,
            served: &served,
            samples: &samples,
        };
        let text = DocumentKind::Other("text/plain; charset=utf-8");
        let is_bucket = self.target.kind() == StoreKind::Bucket;
        // Behind a bucket, there is no web server to configure.
        let files = server_files::all(&site).into_iter().filter(|(name, _)| !is_bucket || name.starts_with('_'));
        for (name, body) in files {
            let name = if name.starts_with("nginx") { format!("{OWN_FOLDER}/{name}") } else { name.to_owned() };
            latest = latest.max(Some(self.own_file(&name, text, body.into(), moment)?));
        }
        self.flush()?;
        Ok(latest)
    }

    fn below_base(&self, name: &str) -> String {
        format!("{}{name}", self.base_path.trim_start_matches('/'))
    }

    /// Exports a file that the daemon does not serve. Returns its date.
    fn own_file(
        &mut self,
        file: &str,
        kind: DocumentKind,
        body: bytes::Bytes,
        moment: Moment,
    ) -> anyhow::Result<DateTime<Utc>> {
        let body = DocumentBody::from(body);
        let date = former_date(&self.former, file, &body.hash).unwrap_or(moment.version.date());
        let document = Arc::new(Document::new(kind, body, date));
        let (headers, header_hash) = self.headers(&Target::Document(document.clone()));
        let row = FileRow {
            content: half(document.hash()),
            source: 0,
            headers: header_hash,
            modified: date.timestamp(),
            sizes: [0; 4],
        };
        let object = Self::object(file.to_owned(), row, headers, &document.identity.bytes);
        self.file(object, row, Vec::new(), (kind == DocumentKind::Page).then_some(document))?;
        Ok(date)
    }

    /// Deletes what is not wanted any more, and ends the manifest.
    fn end(
        mut self,
        presented: Option<([u8; 32], DateTime<Utc>)>,
        latest: Option<DateTime<Utc>>,
    ) -> anyhow::Result<ExportReport> {
        self.flush()?;
        let failed = || "cannot write the export";
        self.delete_unwanted().with_context(failed)?;
        self.keeps_obstructed = false;
        self.batch = std::mem::take(&mut self.retries);
        self.flush()?;
        let latest = latest.max(self.former.latest);
        self.manifest.dates(presented, latest)?;
        let manifest = self.manifest.end().with_context(failed)?;
        manifest
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .with_context(failed)?;
        self.target.commit(&self.target.scratch().join("manifest")).with_context(failed)?;
        Ok(self.report)
    }

    fn delete_unwanted(&mut self) -> io::Result<()> {
        let mut waiting: Vec<(String, Option<FileRow>)> = Vec::new();
        let (target, report, manifest) = (self.target, &mut self.report, &mut self.manifest);
        let mut delete = |waiting: &mut Vec<(String, Option<FileRow>)>| {
            target.intend(&waiting.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>())?;
            for (file, row) in waiting.drain(..) {
                match target.delete(&file, row.as_ref()) {
                    Ok(()) => report.deleted += 1,
                    Err(PutError::Failed(error)) => return Err(error),
                    Err(PutError::Obstructed(why)) => {
                        report.problem(why);
                        // The next export tries again.
                        manifest.file(&file, &row.unwrap_or(OF_UNFINISHED), &[])?;
                    }
                }
            }
            Ok::<_, io::Error>(())
        };
        let mut seen = HashSet::new();
        self.former.unwanted(target, |file, row| {
            if seen.insert(key_of(file)) {
                waiting.push((file.to_owned(), row.copied()));
            }
            if waiting.len() >= BATCH { delete(&mut waiting) } else { Ok(()) }
        })?;
        if waiting.is_empty() { Ok(()) } else { delete(&mut waiting) }
    }
}

/// Whether a document decides how others look.
fn is_look(kind: DocumentKind) -> bool {
    match kind {
        DocumentKind::Picture(_) => true,
        DocumentKind::Other(media_type) => ["text/css", "image/"].iter().any(|start| media_type.starts_with(start)),
        DocumentKind::Page | DocumentKind::Feed(_) => false,
    }
}

/// Compresses and writes files on several threads. The outcomes are in the order of the files.
fn put_all(target: &dyn ExportTarget, files: &mut [PendingFile]) -> Vec<Result<PutFile, PutError>> {
    let size = files.len().div_ceil(target.workers()).max(1);
    let work = |worker: usize, files: &mut [PendingFile]| {
        files.iter_mut().map(|pending| put(target, pending, worker)).collect::<Vec<_>>()
    };
    let mut groups: Vec<(usize, &mut [PendingFile])> = files.chunks_mut(size).enumerate().collect();
    let own = groups.pop();
    thread::scope(|scope| {
        let threads = groups.into_iter().map(|(worker, group)| {
            let builder = thread::Builder::new().name("export".into());
            builder.spawn_scoped(scope, move || work(worker, group))
        });
        let threads: Vec<_> = threads.collect();
        let own = own.map(|(worker, group)| work(worker, group));
        let failed = |error: io::Error| vec![Err(PutError::Failed(error))];
        let outcomes = threads.into_iter().map(|thread| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| failed(io::Error::other("a thread panicked"))),
            Err(error) => failed(error),
        });
        outcomes.chain(own).flatten().collect()
    })
}

fn put(target: &dyn ExportTarget, pending: &mut PendingFile, worker: usize) -> Result<PutFile, PutError> {
    // A bucket has one form of each document.
    if let Some(document) = pending.document.as_ref().filter(|_| target.kind() == StoreKind::Folder) {
        for coding in ContentCoding::COMPRESSED {
            document.compress(coding);
        }
        let variant = |coding| Some((coding, document.variant(coding)?.bytes.clone()));
        pending.object.body = ObjectBody::Bytes(ContentCoding::ALL.into_iter().filter_map(variant).collect());
    }
    target.put(&pending.object, worker)
}
