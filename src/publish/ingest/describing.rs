//! Reads the files that describe folders: `_index.md` and its kind.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::deletions::DELETION_GRACE;
use super::step::{Trigger, WriteMoment};
use crate::article::address::{Addresses, LinkTarget};
use crate::article::front_matter::inherited::ArticleData;
use crate::article::load::{LoadError, load_as};
use crate::article::section;
use crate::article::{Description, Problem, lost, measure, panic_as_problem};
use crate::catalog::{self, Catalog, CatalogError};
use crate::folder::media::media_type;
use crate::folder::watch::QUIET;
use crate::folder::{DataFileKind, ENDINGS, SourceFormat};
use crate::model::entry::{Media, SafeHtml, without_parameters};
use crate::model::section::{SectionAbout, SectionRecord};
use crate::model::taxonomy;

impl Ingest {
    /// Schedules descriptions that differ from those that were read. `found` are those in the folder.
    pub(super) fn compare_sections(
        &mut self,
        catalog: &Catalog,
        found: &[PathBuf],
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let found: Vec<PathBuf> =
            found.iter().filter_map(|file| self.folder.relative(file)).map(Path::to_path_buf).collect();
        for path in &found {
            let read = self.sections.read.get(path).map(|(stat, _)| *stat);
            if read.is_none() || read != self.folder.stat(path) {
                self.schedule.add(path.clone(), moment.instant, Trigger::Scan);
            }
        }
        for path in catalog.sections()?.into_iter().map(|record| PathBuf::from(record.path)) {
            if !found.contains(&path) && !self.mounts.hides(&path) {
                self.schedule.add(path, moment.instant, Trigger::Scan);
            }
        }
        Ok(())
    }

    /// Schedules the descriptions that depend on a file, or on a folder that was removed.
    pub(super) fn section_files_changed(&mut self, path: &Path, moment: WriteMoment) {
        for (file, (_, files)) in &self.sections.read {
            let is_below = files.iter().chain([file]).any(|used| used.starts_with(path));
            if is_below && file != path {
                self.schedule.add(file.clone(), moment.instant, Trigger::Closed);
            }
        }
        for file in self.bios.depending_on(path) {
            self.schedule.add(file, moment.instant, Trigger::Closed);
        }
    }

    /// Reads the description of the folder in which `path` is or was. Returns whether a document has changed.
    pub(super) fn describe(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let term = taxonomy::section(folder);
        let paths = ENDINGS.iter().map(|ending| folder.join(format!("_index.{ending}")));
        let Some(path) = paths.into_iter().find(|path| self.folder.stat(path).is_some()) else {
            return self.forget_description(catalog, path, moment);
        };
        if self.open_files.has(&self.folder.root().join(&path)) {
            return Ok(false);
        }
        let format = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html" | "htm" | "xhtml") => SourceFormat::Html,
            Some("txt" | "text") => SourceFormat::Text,
            _ => SourceFormat::Markdown,
        };
        let loaded = match load_as(&self.folder, &path, format, self.supervisor.size_limit) {
            Ok(loaded) => loaded,
            Err(LoadError::Gone | LoadError::NotAFile) => return self.forget_description(catalog, &path, moment),
            Err(error) if error.is_passing() => {
                self.schedule.set(path, moment.instant + QUIET, trigger);
                return Ok(false);
            }
            Err(error) => {
                let stat = self.folder.stat(&path).unwrap_or_default();
                self.problems.set(path, stat, &[Problem::of_file(error.to_string())]);
                return Ok(false);
            }
        };
        if trigger == Trigger::Scan && loaded.stat.until_quiet(moment.nanoseconds(), QUIET).is_some() {
            self.schedule.set(path, moment.instant + QUIET, trigger);
            return Ok(false);
        }
        self.sections.missing.retain(|missing| *missing != path);
        let place = term.as_ref().map(|term| term.view.path()).unwrap_or_default();
        let rules = self.supervisor.rules;
        let read = panic_as_problem(|| section::read(&loaded.bytes, format, &rules))
            .unwrap_or_else(|problem| Description { problems: vec![problem], ..Description::default() });
        let (about, files, mut problems) =
            self.complete_description(catalog, &path, read, &loaded.bytes, &self.channel.url(&place))?;
        let timezone = self.supervisor.rules.timezone;
        let data = panic_as_problem(|| ArticleData::read(&path, DataFileKind::Section, &loaded.bytes, timezone));
        problems.extend(data.map(|data| data.problems).unwrap_or_default());
        self.sections.read.insert(path.clone(), (loaded.stat, files));
        let record = SectionRecord { path: path.to_string_lossy().into_owned(), about };
        let changed = catalog.describe_section(term.as_ref(), Some(&record), moment.version)?;
        if changed {
            tracing::info!(path = %path.display(), "the description of a folder has changed");
        }
        self.report_data(&path, loaded.stat, &problems);
        Ok(changed)
    }

    /// Adds text and picture to the description of a folder or an author, whose page is at `address`. Returns it with the files that it
    /// names, which may be missing, and the problems.
    pub(super) fn complete_description(
        &self,
        catalog: &Catalog,
        path: &Path,
        read: Description,
        bytes: &[u8],
        address: &str,
    ) -> catalog::Result<(SectionAbout, Vec<PathBuf>, Vec<Problem>)> {
        let Description { mut about, html, mut problems } = read;
        let mut files = Vec::new();
        let text = String::from_utf8_lossy(bytes);
        let folder = path.parent().unwrap_or(Path::new(""));
        match about.image.take().map(|image| self.section_image(folder, image, &text)) {
            Some(Ok((image, path))) => {
                about.image = Some(image);
                files.extend(path);
            }
            Some(Err((problem, path))) => {
                problems.push(problem);
                files.push(path);
            }
            None => {}
        }
        if !html.is_empty() {
            match self.described_text(catalog, path, &html, bytes, address)? {
                Ok((html, named)) => {
                    about.html = html;
                    files.extend(named);
                }
                Err(problem) => problems.push(problem),
            }
        }
        about.is_described_by_text &= !about.html.is_empty();
        Ok((about, files, problems))
    }

    /// The text of a description, safe and with absolute addresses, and the files that it names.
    fn described_text(
        &self,
        catalog: &Catalog,
        path: &Path,
        html: &str,
        bytes: &[u8],
        address: &str,
    ) -> catalog::Result<Result<(SafeHtml, Vec<PathBuf>), Problem>> {
        let Ok(permalink) = url::Url::parse(address) else { return Ok(Ok(Default::default())) };
        let files: RefCell<BTreeSet<PathBuf>> = RefCell::default();
        let failed: RefCell<Option<CatalogError>> = RefCell::default();
        let is_there = |path: &Path| {
            files.borrow_mut().insert(path.to_path_buf());
            self.folder.stat(path).is_some() && self.folder.draft_folder(path).is_none()
        };
        let page = |target: &LinkTarget| {
            if let LinkTarget::File(path) = target {
                files.borrow_mut().insert(path.clone());
            }
            let place = catalog.permalink_of(target, path).map_err(|error| failed.borrow_mut().replace(error));
            Some(self.channel.permalink(&place.ok()??))
        };
        let addresses = Addresses {
            permalink: &permalink,
            base_url: &self.channel.base_url,
            base: None,
            path,
            is_there: &is_there,
            named: &|name: &Path| self.named_media.nearest(&self.folder, name, path),
            page: &page,
        };
        let hash: [u8; 32] = blake3::hash(bytes).into();
        let safe = self.supervisor.sanitise(html, &hash, &addresses, self.heartbeat.as_ref());
        if let Some(error) = failed.take() {
            return Err(error);
        }
        Ok(safe.map(|safe| (safe.html, files.take().into_iter().collect())))
    }

    /// Forgets the description of a folder whose file is missing, unless it was there a moment ago: a program may save it.
    fn forget_description(&mut self, catalog: &mut Catalog, path: &Path, moment: WriteMoment) -> catalog::Result<bool> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let is_recorded = catalog.sections()?.iter().any(|record| Path::new(&record.path).parent() == Some(folder));
        if !is_recorded || self.mounts.hides(path) {
            return Ok(false);
        }
        if !self.sections.missing.iter().any(|missing| missing == path) {
            self.sections.missing.push(path.to_path_buf());
            self.schedule.set(path.to_path_buf(), moment.instant + DELETION_GRACE, Trigger::Closed);
            return Ok(false);
        }
        self.sections.missing.retain(|missing| missing != path);
        self.sections.read.retain(|file, _| file.parent() != Some(folder));
        self.problems.clear(path);
        catalog.describe_section(taxonomy::section(folder).as_ref(), None, moment.version)
    }

    /// The picture of a folder or an author that `text` describes, with its file, if it is one of the watched folder; or the reason why there is none, with the file.
    fn section_image(
        &self,
        folder: &Path,
        image: Media,
        text: &str,
    ) -> Result<(Media, Option<PathBuf>), (Problem, PathBuf)> {
        if url::Url::parse(&image.url).is_ok() {
            return Ok((image, None));
        }
        let named = image.url.trim_start_matches('/');
        let beside = folder.join(named);
        let path = if image.url.starts_with('/') { PathBuf::from(named) } else { beside };
        let address = crate::article::address::media_address(&self.channel.base_url, &path);
        match (media_type(&path), address) {
            (Some(media_type), Some((url, path))) if self.folder.stat(&path).is_some() => {
                let size = measure::pixels(&self.folder, &path);
                let media_type = without_parameters(media_type).to_owned();
                Ok((Media { url, media_type, size, ..image }, Some(path)))
            }
            _ => {
                let file = crate::model::text::path_line(&path);
                let message = format!("there is no {file}; it is shown once the file is there");
                Err((Problem::new(lost::line_of(text, &image.url), message), path))
            }
        }
    }
}
