//! Recordings and the articles that own them. A recording is an entry of its own unless an article owns it: an article of the same name
//! beside it, an article whose front matter names it, or the `index` of a folder in which it is the only recording.
//!
//! - A public entry stays public until its file is deleted. An article that owns the recording takes the entry over, with its id, date and
//!   addresses, once the article itself is public. Only a draft with the recording's name withdraws the entry at once.
//! - A recording that was never public waits for the article that claims it, even for a draft.
//! - The first article that claims a recording owns it; in other articles it is only a mention, like a link or a player in the text.
//! - When the owner is deleted or becomes a draft, the recording gets the entry back. When the owner is published without the recording,
//!   the recording becomes a new entry.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::conductor::Ingest;
use super::deletions::DELETION_GRACE;
use super::problems::{PublicState, Twin};
use super::recordings::belongs_where_it_is_shown;
use super::step::{Trigger, WriteMoment};
use crate::article::front_matter::Field;
use crate::article::{Article, Problem};
use crate::catalog::{self, Arrival, Catalog, Claim, Identity, Referred};
use crate::model::collection::ArticleState;
use crate::model::entry::Media;
use crate::model::text;

/// Why an article claims a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Both have the same name.
    Name,
    /// The front matter of the article names the recording.
    FrontMatter,
    /// The article is the `index` of a folder with a single recording.
    Folder,
}

/// A recording that an article claims.
#[derive(Debug)]
pub(super) struct RecordingClaim {
    recording: PathBuf,
    reason: Reason,
    /// The other article that owns the recording, if any.
    other: Option<PathBuf>,
}

impl Ingest {
    /// The recordings that an article claims, those of the same name (`namesakes`) first.
    pub(super) fn claims(
        &self,
        catalog: &Catalog,
        arrival: &Arrival<'_>,
        identity: &Identity,
        namesakes: &[PathBuf],
        moment: WriteMoment,
    ) -> catalog::Result<Vec<RecordingClaim>> {
        let is_self = |path: &Path| path == arrival.path || identity.moved_from.as_deref() == Some(path);
        let mut claims = Vec::new();
        for (recording, reason) in self.claimed(arrival.article, arrival.path, namesakes) {
            let is_entry = catalog.known(&recording)?.is_some_and(|known| known.state == ArticleState::Live);
            if reason == Reason::Folder && is_entry {
                continue;
            }
            let owner = catalog.owner_of(&recording, moment.seconds())?;
            let is_owner = owner.as_ref().is_some_and(|owner| is_self(&owner.path));
            let is_weaker = |owner: &catalog::Owner| {
                is_public(identity, moment) && !owner.is_public && !is_namesake(&owner.path, &recording)
            };
            let owner = owner.filter(|owner| !is_weaker(owner)).map(|owner| owner.path);
            let other = owner.or_else(|| self.namesake(&recording)).filter(|other| !is_owner && !is_self(other));
            claims.push(RecordingClaim { recording, reason, other });
        }
        Ok(claims)
    }

    fn claimed(&self, article: &Article, path: &Path, namesakes: &[PathBuf]) -> Vec<(PathBuf, Reason)> {
        if self.is_media_article(path) {
            return Vec::new();
        }
        let pair_with = |reason| move |recording| (recording, reason);
        let mut claimed: Vec<(PathBuf, Reason)> = namesakes.iter().cloned().map(pair_with(Reason::Name)).collect();
        for recording in self.named(&article.enclosures, path) {
            if !claimed.iter().any(|(known, _)| *known == recording) {
                claimed.push((recording, Reason::FrontMatter));
            }
        }
        if claimed.is_empty() && article.enclosures.is_empty() {
            claimed.extend(self.in_folder_of(path).map(pair_with(Reason::Folder)));
        }
        claimed.retain(|(recording, _)| self.is_media_article(recording));
        claimed
    }

    /// The recordings in the folder that front matter names.
    fn named(&self, enclosures: &[Media], path: &Path) -> Vec<PathBuf> {
        let mut named = self.files_named(enclosures, path);
        named.retain(|recording| self.is_media_article(recording));
        named
    }

    /// Passes an entry between an article and its recordings. Returns whether the article now continues another entry.
    pub(super) fn pass_entry(
        &mut self,
        catalog: &mut Catalog,
        arrival: &Arrival<'_>,
        identity: &Identity,
        claims: &[RecordingClaim],
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let recorded_path = identity.moved_from.as_deref().unwrap_or(arrival.path);
        if !is_public(identity, moment) {
            let was_public = catalog.is_public(recorded_path, moment.seconds())?;
            return Ok(was_public && self.return_entry(catalog, recorded_path, |_| true, moment)?);
        }
        let claimed: Vec<&PathBuf> =
            claims.iter().filter(|claim| claim.other.is_none()).map(|claim| &claim.recording).collect();
        if claimed.is_empty() {
            return Ok(false);
        }
        let recorded = catalog.recordings_of(recorded_path)?;
        let mut entries = Vec::new();
        for recording in claimed.into_iter().filter(|recording| self.folder.stat(recording).is_some()) {
            match catalog.known(recording)? {
                Some(_) => entries.push(recording),
                // The article already owns a recording, and an entry can continue only one.
                None if recorded.contains(recording) => return Ok(false),
                None => {}
            }
        }
        for recording in entries {
            if self.take_over(catalog, recording, arrival.path, Some(identity), moment)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take_over(
        &mut self,
        catalog: &mut Catalog,
        recording: &Path,
        article: &Path,
        identity: Option<&Identity>,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let referred = Referred { path: recording.to_path_buf(), stamp: self.stamp(recording), claim: Claim::Owns };
        if !catalog.take_over(&referred, article, identity, moment.recorded())? {
            return Ok(false);
        }
        self.deletions.cancel(recording);
        if let Some(stat) = self.folder.stat(recording) {
            let owner = Twin::Owner(article.to_path_buf());
            self.problems.leave_out(recording.to_path_buf(), stat, &[], PublicState::Published, Some(owner));
        }
        let what = format!("belongs to {}, which continues its entry", text::path_line(article));
        self.problems.notify(recording, what, moment);
        // Links to the article have to lead to its new address.
        self.media_changed(catalog, article, moment)?;
        Ok(true)
    }

    /// Gives an article's entry back to the recording that the entry came from. Returns whether it did.
    fn return_entry(
        &mut self,
        catalog: &mut Catalog,
        article: &Path,
        is_eligible: impl Fn(&Path) -> bool,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        if !catalog.continues_recording(article, moment.seconds())? {
            return Ok(false);
        }
        for recording in catalog.recordings_of(article)?.into_iter().filter(|recording| is_eligible(recording)) {
            if self.give_entry(catalog, article, &recording, moment)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives the entry of an article to a recording that has none. Returns whether it did.
    fn give_entry(
        &mut self,
        catalog: &mut Catalog,
        article: &Path,
        recording: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let is_there = self.is_media_article(recording) && self.folder.stat(recording).is_some();
        if !is_there || catalog.known(recording)?.is_some() {
            return Ok(false);
        }
        if !catalog.give_back(article, recording, moment.recorded())? {
            return Ok(false);
        }
        self.schedule.set(recording.to_path_buf(), moment.instant, Trigger::Closed);
        let what = format!("is an entry of its own again and continues that of {}", text::path_line(article));
        self.problems.notify(recording, what, moment);
        Ok(true)
    }

    /// Gives the entry of a deleted article to one of its recordings that still exists. Returns whether there was one.
    pub(super) fn give_back(
        &mut self,
        catalog: &mut Catalog,
        article: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        if self.is_media_article(article) || self.has_namesake(article) {
            return Ok(false);
        }
        let mut heirs = self.recordings_of_name(article);
        heirs.extend(catalog.recordings_of(article)?);
        for recording in heirs {
            if self.give_entry(catalog, article, &recording, moment)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives the entry of an article that became empty back to the recording that it came from. Returns whether there was one.
    pub(super) fn return_entry_of_emptied(
        &mut self,
        catalog: &mut Catalog,
        article: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        self.return_entry(catalog, article, |_| true, moment)
    }

    /// Handles an article that became a draft. A recording of the same name becomes part of the draft; a recording that the front matter
    /// named gets its entry back. Returns whether anything that is served has changed.
    pub(super) fn became_draft(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        enclosures: &[Media],
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let named = self.named(enclosures, path);
        let namesakes: Vec<PathBuf> =
            self.recordings_of_name(path).into_iter().filter(|path| self.is_media_article(path)).collect();
        let own_recordings = catalog.recordings_of(path)?;
        let owns_namesake = own_recordings.iter().any(|recording| namesakes.contains(recording));
        let was_public = catalog.is_public(path, moment.seconds())?;
        let is_eligible = |recording: &Path| was_public || !named.iter().any(|named| named == recording);
        let mut changed = !owns_namesake && self.return_entry(catalog, path, is_eligible, moment)?;
        for recording in namesakes {
            let owner = catalog.owner_of(&recording, moment.seconds())?;
            let is_owned_elsewhere = owner.is_some_and(|owner| owner.path != path);
            if !is_owned_elsewhere && catalog.known(&recording)?.is_some() {
                changed |= self.take_over(catalog, &recording, path, None, moment)?;
            }
        }
        self.recordings.reserve(path, named);
        Ok(changed)
    }

    /// Adds the recordings that an article claims to the files that it refers to.
    pub(super) fn note_claims(&self, referred: &mut Vec<Referred>, claims: &[RecordingClaim]) {
        for RecordingClaim { recording, other, .. } in claims {
            let claim = if other.is_some() { Claim::Claims } else { Claim::Owns };
            match referred.iter_mut().find(|referred| referred.path == *recording) {
                Some(referred) => referred.claim = claim,
                None => referred.push(Referred { path: recording.clone(), stamp: self.stamp(recording), claim }),
            }
        }
    }

    /// Records the files that an article refers to. Schedules the recordings that it no longer owns.
    pub(super) fn record_references(
        &mut self,
        catalog: &mut Catalog,
        identity: &Identity,
        article: &Path,
        referred: &[Referred],
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        if !identity.is_new() {
            let is_owned = |recording: &PathBuf| {
                referred.iter().any(|referred| referred.claim == Claim::Owns && referred.path == *recording)
            };
            for recording in catalog.recordings_of(article)?.into_iter().filter(|recording| !is_owned(recording)) {
                self.schedule.add(recording, moment.instant, Trigger::Closed);
            }
        }
        catalog.refer(article, referred)?;
        self.schedule_files_not_shown(article, referred, moment);
        Ok(())
    }

    /// Schedules the photos and documents that were left out because an article showed them, and that it does not show any more.
    fn schedule_files_not_shown(&mut self, article: &Path, referred: &[Referred], moment: WriteMoment) {
        let is_shown = |file: &PathBuf| referred.iter().any(|referred| referred.path == *file);
        let left_out = self.problems.left_out_beside(|owner| owner == article);
        for file in left_out.into_iter().filter(|path| belongs_where_it_is_shown(path) && !is_shown(path)) {
            self.schedule.add(file, moment.instant, Trigger::Closed);
        }
    }

    /// The article that a recording belongs to, or that it waits for.
    pub(super) fn claimed_by(
        &self,
        catalog: &Catalog,
        recording: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<Option<PathBuf>> {
        let has_references = !catalog.refers_to_nothing();
        if has_references && let Some(owner) = catalog.owner_of(recording, moment.seconds())? {
            return Ok(Some(owner.path));
        }
        if let Some(article) = self.namesake(recording) {
            return Ok(Some(article));
        }
        if has_references && let Some(article) = catalog.claimant_of(recording)? {
            return Ok(Some(article));
        }
        // A photo or a document belongs to each article that shows it or links to it, unless it was published before.
        let known = if belongs_where_it_is_shown(recording) { catalog.known(recording)? } else { None };
        let is_entry = known.is_some_and(|known| known.state == ArticleState::Live);
        if has_references && belongs_where_it_is_shown(recording) && !is_entry {
            let showing = catalog.referring(recording)?.into_iter().find(|article| article != recording);
            if showing.is_some() {
                return Ok(showing);
            }
        }
        if let Some(draft) = self.recordings.reserved_for(recording) {
            return Ok(Some(draft.clone()));
        }
        match self.index_beside(recording) {
            Some(index) if belongs_where_it_is_shown(recording) || !catalog.has_enclosures(&index)? => Ok(Some(index)),
            _ => Ok(None),
        }
    }

    /// Schedules the owner of a recording that is an entry of its own, so that the owner can take the entry over.
    pub(super) fn read_owner_again(
        &mut self,
        catalog: &mut Catalog,
        owner: &Path,
        recording: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let is_live = catalog.known(owner)?.is_some_and(|known| known.state == ArticleState::Live);
        let may_take =
            if is_live { catalog.is_public(owner, moment.seconds())? } else { is_namesake(owner, recording) };
        if may_take {
            catalog.read_again(owner)?;
            self.schedule.add(owner.to_path_buf(), moment.instant, Trigger::Closed);
        }
        Ok(())
    }

    /// Leaves out a recording that belongs to an article.
    pub(super) fn leave_to_owner(
        &mut self,
        catalog: &mut Catalog,
        recording: PathBuf,
        owner: PathBuf,
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let Some(stat) = self.folder.stat(&recording) else {
            self.vanished(catalog, &recording, moment)?;
            return self.media_changed(catalog, &recording, moment);
        };
        self.deletions.cancel(&recording);
        let owner = Twin::Owner(owner);
        let left_out = self.problems.of(&recording);
        let is_new = left_out.is_none_or(|left_out| left_out.twin.as_ref() != Some(&owner));
        // Only once for each version of the recording: processing the article schedules the recording, and vice versa.
        if (is_new || left_out.is_some_and(|left_out| left_out.stat != stat))
            && catalog.stamp_in(owner.path(), &recording)? != Some(self.stamp(&recording))
        {
            self.media_changed(catalog, &recording, moment)?;
        }
        if is_new && trigger != Trigger::FirstScan {
            let (path, owner) = (text::path_line(&recording), text::path_line(owner.path()));
            tracing::info!(%path, %owner, "the file belongs to an article and is not an entry of its own");
        }
        self.problems.leave_out(recording, stat, &[], PublicState::Published, Some(owner));
        Ok(())
    }

    /// Schedules the recordings of an article, which may become entries of their own. They wait for a while, since both files may be
    /// renamed one after the other.
    pub(super) fn schedule_recordings_of(&mut self, article: &Path, moment: WriteMoment) {
        for recording in self.problems.left_out_beside(|owner| owner.starts_with(article)) {
            if self.is_media_article(&recording) {
                self.schedule.add(recording, moment.instant + DELETION_GRACE, Trigger::Closed);
            }
        }
    }

    /// Schedules articles whose recordings still need an owner: a crash may have left the next step undone.
    pub(super) fn schedule_unsettled_owners(
        &mut self,
        catalog: &mut Catalog,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        for article in catalog.unsettled_owners()? {
            catalog.read_again(&article)?;
            self.schedule.add(article, moment.instant, Trigger::Closed);
        }
        Ok(())
    }

    /// Lets articles that become public at `due` take over the entries of their recordings. Returns whether anything has changed.
    pub fn take_over_due(
        &mut self,
        catalog: &mut Catalog,
        due: DateTime<Utc>,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let mut changed = false;
        for article in catalog.owners_due(due)? {
            catalog.read_again(&article)?;
            changed |= self.process_path(catalog, &self.folder.root().join(&article), Trigger::Closed, moment)?;
        }
        Ok(changed)
    }
}

/// Problems with recordings that other articles own.
pub(super) fn problems_of(claims: &[RecordingClaim], article: &Article) -> Vec<Problem> {
    let problem = |claim: &RecordingClaim| {
        let (recording, other) = (text::path_line(&claim.recording), text::path_line(claim.other.as_deref()?));
        (claim.reason == Reason::FrontMatter).then(|| {
            let what = format!("{recording} belongs to {other}, which keeps its entry; it can be played here as well");
            article.problem_with(Field::Enclosures, &what)
        })
    };
    claims.iter().filter_map(problem).collect()
}

/// Returns whether an article is public now.
fn is_public(identity: &Identity, moment: WriteMoment) -> bool {
    identity.is_visible(moment.now)
}

/// Returns whether an article and a recording have the same name.
fn is_namesake(article: &Path, recording: &Path) -> bool {
    article.with_extension("") == recording.with_extension("")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::content::tests::Site;
    use crate::article::measure::tests::wav;
    use crate::folder::watch::QUIET;
    use crate::model::entry::ArticleId;
    use crate::publish::ingest::deletions::DELETION_GRACE;

    /// The file that is created first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Order {
        RecordingFirst,
        ArticleFirst,
        /// The first scan finds both.
        Both,
    }

    /// The way in which the article refers to the recording.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum How {
        Link,
        Player,
        Picture,
        FrontMatter,
        SameName,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Status {
        Live,
        Draft,
        Scheduled,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Undo {
        Edit,
        DeleteArticle,
        DeleteRecording,
        RenameArticle,
        RenameRecording,
    }

    /// The expected entry of a file.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Entry {
        /// The file has no public entry.
        None,
        /// The first entry that the recording or its owner had.
        First,
        /// Another entry.
        Other,
        /// Any entry.
        Any,
    }

    #[derive(Debug, Clone, Copy)]
    struct Case {
        number: usize,
        order: Order,
        how: How,
        status: Status,
        undo: Undo,
    }

    impl Case {
        fn all() -> Vec<Self> {
            let mut cases = Vec::new();
            for order in [Order::RecordingFirst, Order::ArticleFirst, Order::Both] {
                for how in [How::Link, How::Player, How::Picture, How::FrontMatter, How::SameName] {
                    for status in [Status::Live, Status::Draft, Status::Scheduled] {
                        for undo in [
                            Undo::Edit,
                            Undo::DeleteArticle,
                            Undo::DeleteRecording,
                            Undo::RenameArticle,
                            Undo::RenameRecording,
                        ] {
                            cases.push(Self { number: cases.len(), order, how, status, undo });
                        }
                    }
                }
            }
            cases
        }

        fn owns(self) -> bool {
            matches!(self.how, How::FrontMatter | How::SameName)
        }

        fn recording(self) -> String {
            format!("{:03}/audio/one.wav", self.number)
        }

        fn article(self) -> String {
            let name = if self.how == How::SameName { "audio/one" } else { "notes" };
            format!("{:03}/{name}.md", self.number)
        }

        /// The final paths of the article and the recording.
        fn places(self) -> (String, String) {
            let (article, recording) = (self.article(), self.recording());
            match self.undo {
                Undo::RenameArticle => {
                    (article.replace("notes.md", "story.md").replace("one.md", "story.md"), recording)
                }
                Undo::RenameRecording => (article, recording.replace("one", "two")),
                _ => (article, recording),
            }
        }

        fn text(self, how: Option<How>) -> String {
            let mut header = match self.status {
                Status::Live => String::new(),
                Status::Draft => "draft: true\n".to_owned(),
                Status::Scheduled => "date: 2099-01-01\n".to_owned(),
            };
            let folder = if self.how == How::SameName { "" } else { "audio/" };
            let body = match how {
                Some(How::Link) => format!("[Listen]({folder}one.wav)"),
                Some(How::Player) => format!("<audio src=\"{folder}one.wav\" controls></audio>"),
                Some(How::Picture) => format!("![Listen]({folder}one.wav)"),
                Some(How::FrontMatter) => {
                    header += "audio: audio/one.wav\n";
                    String::new()
                }
                Some(How::SameName) | None => String::new(),
            };
            format!("---\ntitle: Notes {}\n{header}---\nText of {}. {body}", self.number, self.number)
        }

        fn sound(self) -> Vec<u8> {
            // No two recordings are copies of each other.
            [wav(1), self.number.to_le_bytes().to_vec()].concat()
        }

        /// The initial states of the article and the recording.
        fn at_first(self) -> (Entry, Entry) {
            let was_public = self.order == Order::RecordingFirst;
            match (self.owns(), self.status) {
                (false, Status::Live) => (Entry::Any, Entry::First),
                (false, _) => (Entry::None, Entry::First),
                (true, Status::Live) => (Entry::First, Entry::None),
                (true, Status::Draft) if self.how == How::SameName => (Entry::None, Entry::None),
                (true, _) => (Entry::None, if was_public { Entry::First } else { Entry::None }),
            }
        }

        /// The final states of the article and the recording.
        fn in_the_end(self) -> (Entry, Entry) {
            let (article, recording) = self.at_first();
            if !self.owns() {
                return match self.undo {
                    Undo::DeleteArticle => (Entry::None, recording),
                    Undo::DeleteRecording => (article, Entry::None),
                    _ => (article, recording),
                };
            }
            let is_released = match self.undo {
                Undo::Edit => self.how == How::FrontMatter,
                Undo::DeleteArticle | Undo::RenameRecording => true,
                Undo::DeleteRecording => false,
                Undo::RenameArticle => self.how == How::SameName,
            };
            let released = if self.order == Order::RecordingFirst { Entry::First } else { Entry::Any };
            match (self.undo, self.status) {
                (Undo::DeleteArticle, Status::Live) => (Entry::None, Entry::First),
                (Undo::DeleteRecording, _) => (article, Entry::None),
                (_, Status::Live) if is_released => (Entry::First, Entry::Other),
                _ if is_released => (Entry::None, released),
                _ => (article, recording),
            }
        }
    }

    /// The id of the first entry of each case, once it is known.
    #[derive(Default)]
    struct Table {
        first: BTreeMap<usize, ArticleId>,
    }

    impl Table {
        fn check(&mut self, site: &Site, step: &str, case: Case, places: (&str, &str), expected: (Entry, Entry)) {
            for (name, expected) in [(places.0, expected.0), (places.1, expected.1)] {
                let id = site.public(name);
                let first = self.first.get(&case.number);
                let is_right = match expected {
                    Entry::None => id.is_none(),
                    Entry::Any => id.is_some(),
                    Entry::Other => id.is_some() && id.as_ref() != first,
                    Entry::First => id.is_some() && first.is_none_or(|first| id.as_ref() == Some(first)),
                };
                assert!(is_right, "{step}: {name} is {id:?} instead of {expected:?} ({first:?}): {case:?}");
                if expected == Entry::First {
                    self.first.entry(case.number).or_insert(id.unwrap());
                }
            }
        }

        fn check_all(&mut self, site: &Site, step: &str, cases: &[Case], is_undone: bool) {
            for case in cases {
                let (article, recording) = if is_undone { case.places() } else { (case.article(), case.recording()) };
                let expected = if is_undone { case.in_the_end() } else { case.at_first() };
                self.check(site, step, *case, (&article, &recording), expected);
            }
            let tombstones = site.tombstones();
            for case in cases {
                let Some(first) = self.first.get(&case.number) else { continue };
                let is_deleted = is_undone && case.undo == Undo::DeleteRecording && case.at_first().1 == Entry::First;
                let is_draft = case.how == How::SameName && case.status == Status::Draft;
                let is_back = is_undone && case.in_the_end().1 == Entry::First;
                let may_be_gone = is_deleted || (is_draft && !is_back);
                assert!(may_be_gone || !tombstones.contains(first), "{step}: reported as deleted: {case:?}");
            }
        }
    }

    fn undo(site: &mut Site, case: Case) {
        let (article, recording) = case.places();
        match case.undo {
            Undo::Edit => {
                let how = Some(case.how).filter(|how| *how == How::SameName);
                site.write(&case.article(), case.text(how) + " Edited.");
            }
            Undo::DeleteArticle => site.remove(&case.article()),
            Undo::DeleteRecording => site.remove(&case.recording()),
            Undo::RenameArticle => site.rename(&case.article(), &article),
            Undo::RenameRecording => site.rename(&case.recording(), &recording),
        }
    }

    /// Covers every order, every kind of reference, every state of the article and every later change.
    #[test]
    fn a_recording_and_its_article_have_the_expected_entries() {
        let (mut site, mut table, cases) = (Site::new(), Table::default(), Case::all());
        for case in cases.iter().filter(|case| case.order == Order::Both) {
            site.put(&case.recording(), case.sound());
            site.put(&case.article(), case.text(Some(case.how)));
        }
        // Enough articles that the first scan reads only their front matter.
        for number in 0..60 {
            site.put(&format!("more/{number}.md"), format!("---\ntitle: More {number}\n---\nText {number}"));
        }
        site.restart();
        for case in cases.iter().filter(|case| case.order == Order::RecordingFirst) {
            site.write(&case.recording(), case.sound());
            table.first.insert(case.number, site.public(&case.recording()).expect("published"));
            site.write(&case.article(), case.text(Some(case.how)));
        }
        for case in cases.iter().filter(|case| case.order == Order::ArticleFirst) {
            site.write(&case.article(), case.text(Some(case.how)));
            site.write(&case.recording(), case.sound());
        }
        table.check_all(&site, "at first", &cases, false);
        site.restart();
        table.check_all(&site, "after a restart", &cases, false);
        for case in &cases {
            undo(&mut site, *case);
        }
        site.wait();
        table.check_all(&site, "undone", &cases, true);
        site.restart();
        table.check_all(&site, "undone, after a restart", &cases, true);
        let places = cases.iter().flat_map(|case| <[String; 2]>::from(case.places()));
        let mut ids: Vec<String> = places.filter_map(|name| site.public(&name)).map(|id| id.to_string()).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "no two entries have the same id");
    }

    /// Whether the recording is already quiet when the article is not, or both are read at once, once depended on the load of the machine.
    #[test]
    fn an_article_that_was_found_with_its_recording_has_its_own_address() {
        for (recording, pause) in
            [("seal.wav", QUIET), ("a.wav", QUIET), ("a.wav", Duration::ZERO), ("z.wav", Duration::ZERO)]
        {
            let mut site = Site::new();
            site.put(recording, wav(2));
            std::thread::sleep(pause);
            site.put("notes.md", format!("---\naudio: {recording}\n---\n# Notes\n\nText"));
            site.restart_at_once();
            std::thread::sleep(QUIET + Duration::from_millis(100));
            site.wait();
            site.wait();
            assert_eq!((site.live(), &*site.entry("notes.md").slug), (1, "notes"), "{recording} {pause:?}");
        }
    }

    #[test]
    fn an_article_takes_over_an_entry_with_its_id_date_and_address() {
        let mut site = Site::new();
        site.write("audio/2024-05-01-one.wav", wav(2));
        let before = site.entry("audio/2024-05-01-one.wav");
        site.write("notes.md", "# Notes\n\nText");
        let notes = site.entry("notes.md");
        site.write("notes.md", "---\naudio: audio/2024-05-01-one.wav\n---\n# Notes\n\nText");
        let taken = site.entry("notes.md");
        assert_eq!((&taken.id, &taken.slug, taken.published), (&before.id, &before.slug, before.published));
        assert_eq!((taken.content.title.as_str(), taken.content.enclosures.len()), ("Notes", 1));
        assert_eq!((site.live(), site.tombstones()), (1, vec![]));
        assert_eq!(site.leads_to(&notes.slug), Some(before.slug.clone()), "the former address redirects to it");
        site.write("notes.md", "# Notes\n\nText");
        let (article, recording) = (site.entry("notes.md"), site.entry("audio/2024-05-01-one.wav"));
        assert_eq!((article.id, site.live()), (before.id.clone(), 2));
        assert_ne!(recording.id, before.id);
        assert_ne!(recording.id, notes.id, "an id is never assigned twice");
    }

    #[test]
    fn the_first_article_that_claims_a_recording_keeps_it() {
        let mut site = Site::new();
        site.write("one.wav", wav(2));
        let id = site.entry("one.wav").id;
        let claim = |title: &str| format!("---\naudio: one.wav\n---\n# {title}\n\nText of {title}");
        site.write("b.md", claim("B"));
        site.write("a.md", claim("A"));
        assert_eq!((site.entry("b.md").id, site.live()), (id.clone(), 2));
        assert_eq!(site.content("a.md").enclosures.len(), 1, "the other article can play it, too");
        let problem = "a.md:2: front matter, line 2: `audio`: one.wav belongs to b.md, which keeps its entry; it can be played here as well";
        assert_eq!((site.problems("a.md"), site.problems("b.md")), (vec![problem.to_owned()], vec![]));
        site.restart();
        assert_eq!((site.entry("b.md").id, site.live()), (id.clone(), 2));
        site.remove("b.md");
        site.wait();
        assert_eq!((site.entry("a.md").id, site.live()), (id, 1), "the next claimant takes the entry over");
        assert_eq!((site.problems("a.md"), site.tombstones()), (vec![], vec![]));
    }

    #[test]
    fn an_owner_that_becomes_a_draft_or_is_scheduled_returns_the_entry() {
        for header in ["draft: true", "date: 2099-01-01"] {
            let mut site = Site::new();
            site.write("audio/one.wav", wav(2));
            let id = site.entry("audio/one.wav").id;
            let text = |header: &str| format!("---\naudio: audio/one.wav\n{header}\n---\n# Notes\n\nText");
            for _ in 0..2 {
                site.write("notes.md", text(""));
                assert_eq!((site.public("notes.md"), site.public("audio/one.wav")), (Some(id.clone()), None));
                site.write("notes.md", text(header));
                assert_eq!((site.public("notes.md"), site.public("audio/one.wav")), (None, Some(id.clone())));
                assert_eq!(site.content("audio/one.wav").title, "one");
            }
            assert!(site.tombstones().is_empty());
        }
    }

    #[test]
    fn an_article_continues_only_one_entry() {
        let mut site = Site::new();
        site.write("one.wav", wav(2));
        site.write("two.wav", wav(3));
        let (one, two) = (site.entry("one.wav").id, site.entry("two.wav").id);
        site.write("notes.md", "---\nenclosures: [one.wav, two.wav]\n---\n# Notes\n\nText");
        for _ in 0..2 {
            assert_eq!((site.public("notes.md"), site.public("two.wav")), (Some(one.clone()), Some(two.clone())));
            assert_eq!((site.live(), site.content("notes.md").enclosures.len()), (2, 2));
            site.restart();
        }
    }

    #[test]
    fn a_pair_that_is_renamed_keeps_its_id() {
        for order in [["one.md", "one.wav"], ["one.wav", "one.md"]] {
            for is_slow in [false, true] {
                let mut site = Site::new();
                site.write("one.md", "# Notes\n\nText");
                site.write("one.wav", wav(2));
                let id = site.entry("one.md").id;
                for name in order {
                    site.rename(name, &name.replace("one", "two"));
                    if is_slow {
                        site.wait();
                    }
                }
                site.wait();
                assert_eq!((site.public("two.md"), site.live()), (Some(id), 1), "{order:?}, slow: {is_slow}");
                assert!(site.tombstones().is_empty());
            }
        }
    }

    #[test]
    fn a_folder_index_owns_a_new_recording_but_not_an_existing_entry() {
        let mut site = Site::new();
        site.write("a/index.md", "# A\n\nText");
        site.write("a/one.wav", wav(1));
        assert_eq!((site.live(), site.content("a/index.md").enclosures.len()), (1, 1));
        site.write("a/two.wav", wav(2));
        site.wait();
        assert_eq!((site.live(), site.content("a/index.md").enclosures.len()), (3, 0));
        site.write("b/one.wav", wav(3));
        let id = site.entry("b/one.wav").id;
        site.write("b/index.md", "# B\n\nText");
        assert_eq!((site.public("b/one.wav"), site.content("b/index.md").enclosures.len()), (Some(id), 1));
    }

    #[test]
    fn a_recording_never_published_waits_for_the_draft_that_names_it() {
        let mut site = Site::new();
        site.write("notes.md", "---\ndraft: true\naudio: audio/one.wav\n---\n# Notes\n\nText");
        site.write("audio/one.wav", wav(2));
        assert_eq!(site.live(), 0);
        site.restart();
        assert_eq!(site.live(), 0);
        site.write("notes.md", "---\naudio: audio/one.wav\n---\n# Notes\n\nText");
        assert_eq!((site.live(), site.public("audio/one.wav")), (1, None));
    }

    #[test]
    fn an_empty_file_does_not_withdraw_an_episode() {
        let mut site = Site::new();
        site.write("one.wav", wav(2));
        let id = site.public("one.wav");
        site.write("one.md", "");
        site.wait();
        assert_eq!(site.public("one.wav"), id);
        site.write("one.md", "# Notes\n\nText");
        assert_eq!((site.public("one.md"), site.live()), (id.clone(), 1));
        site.write("one.md", "");
        std::thread::sleep(DELETION_GRACE);
        site.wait();
        assert_eq!((site.public("one.md"), site.public("one.wav"), site.live()), (None, id, 1));
    }
}
