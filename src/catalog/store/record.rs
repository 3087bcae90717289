//! Records an article and its views.

use std::borrow::Cow;
use std::path::Path;

use rusqlite::{OptionalExtension, params};

use super::checksum::{self, Identifiers};
use super::database::Catalog;
use super::error::Result;
use super::surroundings::{Appearance, FormerAppearance};
use super::values::bytes;
use super::values::{UNREAD, WHOLE};
use super::view_batch::ViewChange;
use super::views::{Before, Membership};
use crate::catalog::identity::{Arrival, Extent, Identity};
use crate::catalog::visibility::{PAGE, PageState};
use crate::model::collection::ArticleState;
use crate::model::entry::Content;
use crate::model::moment::Version;
use crate::model::rank;

/// Inserts an article with the values of [`Catalog::write`]. There is no `RETURNING`, which would take twice the time.
const INSERT: &str = "
    INSERT INTO article (number, id, path, state, slug, published, updated, revised, file_hash, entry_hash, size, mtime, ctime,
      inode, born, due, held_until, expires, guid, shown, weight, brief, stale, rank, headline, page, pinned)
    VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?7, ?24, ?25)";

/// Updates an article with the same values.
const UPDATE: &str = "
    UPDATE article SET id = ?2, path = ?3, state = 0, slug = ?4, published = ?5, updated = ?6, revised = coalesce(?7, revised),
      file_hash = ?8, entry_hash = ?9, size = ?10, mtime = ?11, ctime = ?12, inode = ?13, born = ?14,
      shown = CASE WHEN due = ?15 THEN max(shown, ?19) ELSE ?19 END, due = ?15, held_until = ?16, expires = ?17, guid = ?18,
      weight = ?20, brief = ?21, stale = ?22, rank = ?23, page = max(?24, min(page, 1)), pinned = ?25
    WHERE number = ?1";

/// The result of recording an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// A document has changed.
    Changed,
    /// No document has changed.
    Unchanged,
}

impl Catalog {
    /// Records the present content of an article. `version` will be the first one that shows it.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn record(
        &mut self,
        identity: &Identity,
        arrival: &Arrival<'_>,
        content: &Content,
        version: Version,
    ) -> Result<Recorded> {
        let text = serde_json::to_string(content).expect("texts and lists can be serialised");
        let shown = is_shown(identity, arrival);
        let unchanged = identity.number.map_or(Ok(false), |number| self.is_served_as(number, identity, &text))?;
        let rescheduled = identity.number.map_or(Ok(false), |number| self.is_rescheduled(number, identity, shown))?;
        // No response has shown the article without its text, so the text is no change.
        let catches_up = identity.number.map_or(Ok(false), |number| self.catches_up(number, identity, arrival))?;
        let is_change = !unchanged && !catches_up;
        let head = match identity.number {
            Some(number) if catches_up => self.terms_of_head(number, arrival)?,
            _ => None,
        };
        let before = match (identity.number, &head) {
            (None, _) => Before::Nothing,
            (Some(_), Some(terms)) => Before::In(terms),
            (Some(_), None) => Before::AsRecorded,
        };
        let replaced = !identity.is_fresh && self.replace(arrival.path, identity.number, version)?;
        let was_article = self.becomes_page(identity, content)?;
        let known = |number| self.has_identity(number, identity, arrival, shown);
        let keeps_identity = identity.number.map_or(Ok(false), known)?;
        self.retire_ids(identity, shown)?;
        let rank = rank::of(arrival.path, content);
        let former = identity.number.map_or(Ok(None), |number| self.appearance(number, version.date()))?;
        let lost = self.mark_translations_of_moved(identity, version)?;
        let number = self.write(identity, arrival, content, &rank, is_change.then_some(version))?;
        let gained = self.mark_translations_of_moved(identity, version)?;
        if !keeps_identity {
            self.note_identity(number);
        }
        self.note_recorded(arrival, &identity.id, &identity.slug);
        if !identity.is_fresh {
            self.take_adopted(&identity.id, number)?;
        }
        let changed = is_change || rescheduled;
        let terms = || Cow::Owned(self.terms_of(arrival.path, content, arrival.extent == Extent::Whole));
        let terms = arrival.terms.map_or_else(terms, Cow::Borrowed);
        let membership = Membership {
            number,
            terms: &terms,
            published: identity.published.timestamp(),
            updated: identity.updated.timestamp(),
            changed,
            rank: &rank,
            before,
            version,
        };
        let is_pinned = self.mark_appearance(number, former, identity, content, membership)?;
        let moved = match content.page {
            None => self.place(identity, shown, is_pinned, membership)?,
            // Only articles are in views. It was not deleted, so it gets no tombstone.
            Some(_) => was_article && self.leave_feeds(number, version)?,
        };
        self.write_views_alone()?;
        let recorded =
            if changed || moved || replaced || lost || gained { Recorded::Changed } else { Recorded::Unchanged };
        if unchanged {
            self.add_checksums(number, identity, &text)?;
            return Ok(recorded);
        }
        self.write_content(number, identity, &text)?;
        if !identity.is_fresh {
            self.give_address(&identity.slug, number)?;
        }
        Ok(recorded)
    }

    /// Notes that the translations of an article change whose file was found elsewhere. Returns whether any do.
    fn mark_translations_of_moved(&mut self, identity: &Identity, version: Version) -> Result<bool> {
        match (identity.number, &identity.moved_from) {
            (Some(number), Some(_)) => self.mark_translations_of_renamed(number, version),
            _ => Ok(false),
        }
    }

    /// Writes the content of an article.
    fn write_content(&mut self, number: i64, identity: &Identity, content: &str) -> Result<()> {
        let sql = match identity.number {
            Some(_) => "INSERT OR REPLACE INTO content (number, entry) VALUES (?1, ?2)",
            None => "INSERT INTO content (number, entry) VALUES (?1, ?2)",
        };
        self.connection.prepare_cached(sql)?.execute(params![number, with_checksums(number, identity, content)])?;
        self.note_replaced_text_of(identity);
        Ok(())
    }

    /// Adds the checksums to a content that an earlier version recorded.
    fn add_checksums(&self, number: i64, identity: &Identity, content: &str) -> Result<()> {
        let sql = "UPDATE content SET entry = ?2 WHERE number = ?1 AND entry = ?3";
        let values = params![number, with_checksums(number, identity, content), content];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Writes the row of an article and returns its number.
    fn write(
        &mut self,
        identity: &Identity,
        arrival: &Arrival<'_>,
        content: &Content,
        rank: &[u8],
        revised: Option<Version>,
    ) -> Result<i64> {
        let shown = is_shown(identity, arrival);
        let weight = if content.brief { content.max_bytes_of_summary() } else { content.max_bytes() };
        let weight = weight.saturating_add(arrival.extent.unread_bytes());
        let stale = if arrival.extent == Extent::Whole { 0 } else { UNREAD };
        let page = PageState::of(content.page.as_ref());
        if identity.number.is_none() && !page.is_page() {
            self.view_batch.count_new(shown, !rank.is_empty());
        }
        let sql = if identity.number.is_some() { UPDATE } else { INSERT };
        self.connection.prepare_cached(sql)?.execute(params![
            identity.number,
            identity.id,
            bytes(arrival.path),
            identity.slug,
            identity.published.timestamp(),
            identity.updated.timestamp(),
            revised.map(Version::seconds),
            arrival.file_hash,
            arrival.entry_hash,
            arrival.stat.size,
            arrival.stat.mtime,
            arrival.stat.ctime,
            arrival.stat.inode,
            arrival.stat.born,
            identity.due.timestamp(),
            identity.held_until.timestamp(),
            identity.expires.map(|date| date.timestamp()),
            identity.guid,
            shown,
            weight,
            content.max_bytes_of_summary(),
            stale,
            rank,
            page as i64,
            content.pinned,
        ])?;
        Ok(identity.number.unwrap_or_else(|| self.connection.last_insert_rowid()))
    }

    /// Whether an entry that is recorded as an article is a page now.
    fn becomes_page(&self, identity: &Identity, content: &Content) -> Result<bool> {
        let Some(number) = identity.number.filter(|_| content.page.is_some()) else { return Ok(false) };
        let sql = format!("SELECT 1 FROM article WHERE number = ?1 AND NOT {PAGE}");
        Ok(self.connection.prepare_cached(&sql)?.exists([number])?)
    }

    /// Removes an article that has become a page from all views and lists.
    fn leave_feeds(&mut self, number: i64, version: Version) -> Result<bool> {
        let change = ViewChange { published: i64::MAX, latest_change: 0, version };
        self.mark_view_changed(WHOLE, change)?;
        self.leave(number, version)
    }

    /// Gives an address to an article. Deleted articles lose theirs.
    pub(super) fn give_address(&mut self, slug: &str, number: i64) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO address (slug, number) VALUES (?1, ?2)";
        if self.connection.prepare_cached(sql)?.execute(params![slug, number])? == 0 {
            let sql = "UPDATE address SET number = ?2 WHERE slug = ?1 AND number <> ?2";
            self.connection.prepare_cached(sql)?.execute(params![slug, number])?;
        }
        Ok(())
    }

    /// Deletes the article at a path if it is another one: the file has the id of `by` now. Returns whether there was one.
    fn replace(&mut self, path: &Path, by: Option<i64>, version: Version) -> Result<bool> {
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2 AND number IS NOT ?2";
        let replaced: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row(params![bytes(path), by], |row| row.get(0)).optional()?;
        if replaced.is_some() {
            self.withdraw(path, ArticleState::Gone, version)?;
        }
        Ok(replaced.is_some())
    }

    /// Notes that an article has left its place by date, or that links to it change. Returns whether it is or was pinned.
    fn mark_appearance(
        &mut self,
        number: i64,
        former: Option<FormerAppearance>,
        identity: &Identity,
        content: &Content,
        membership: Membership<'_>,
    ) -> Result<bool> {
        let is_pinned = content.pinned > 0 || former.as_ref().is_some_and(|former| former.is_pinned);
        let former = former.map(|former| former.appearance);
        let version = membership.version;
        if identity.number.is_none() || !membership.changed {
            return Ok(is_pinned);
        }
        let present = self.visible_place(number, version.date())?.map(|place| Appearance {
            place,
            slug: identity.slug.to_string(),
            title: Some(content.title.clone()),
            language: content.language.clone(),
            part: content.series.as_ref().and_then(|series| series.part),
        });
        if present == former {
            return Ok(is_pinned);
        }
        if present.is_some() {
            self.mark_headline(number, version)?;
        }
        self.mark_series_of(number, version)?;
        if let Some(place) = former.map(|former| former.place)
            && present.is_none_or(|present| present.place != place)
        {
            self.mark_neighbours(&place, version)?;
        }
        Ok(is_pinned)
    }

    /// Adds an article to its views, if it is visible. Returns whether they have changed.
    fn place(&mut self, identity: &Identity, shown: bool, is_pinned: bool, membership: Membership<'_>) -> Result<bool> {
        let Membership { number, changed, version, before, .. } = membership;
        if !shown && before == Before::Nothing {
            return Ok(false);
        }
        if is_pinned && changed && before != Before::Nothing {
            self.mark_pages_of(number, version)?;
        }
        if !shown {
            // It was visible, and is scheduled now or has expired. `apply_due` adds the tombstones of expired articles.
            return self.leave(number, version);
        }
        if changed && !identity.is_fresh {
            self.mark_archive_changed(number, version)?;
        }
        let moved = self.enter(membership)?;
        if is_pinned && changed {
            self.mark_pages_of(number, version)?;
        }
        Ok(moved)
    }

    /// Whether an article is recorded with this identity and content, with or without checksums.
    fn is_served_as(&self, number: i64, identity: &Identity, content: &str) -> Result<bool> {
        let sql = "
            SELECT id = ?2 AND slug = ?3 AND published = ?4 AND updated = ?5 AND state = 0 AND entry IN (?6, ?8) AND guid IS ?7
            FROM article JOIN content USING (number) WHERE number = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let values = params![
            number,
            identity.id,
            identity.slug,
            identity.published.timestamp(),
            identity.updated.timestamp(),
            with_checksums(number, identity, content),
            identity.guid,
            content
        ];
        Ok(statement.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// Whether an article has this identity already, with the same file.
    fn has_identity(&self, number: i64, identity: &Identity, arrival: &Arrival<'_>, shown: bool) -> Result<bool> {
        let sql = "
            SELECT (id, path, slug, published, updated, file_hash, guid, state, shown, page)
              IS (?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, max(?10, min(page, 1)))
            FROM article WHERE number = ?1";
        let values = params![
            number,
            identity.id,
            bytes(arrival.path),
            identity.slug,
            identity.published.timestamp(),
            identity.updated.timestamp(),
            arrival.file_hash,
            identity.guid,
            shown,
            PageState::of(arrival.article.page.as_ref()) as i64
        ];
        Ok(self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    fn note_replaced_text_of(&mut self, identity: &Identity) {
        if identity.number.is_some() {
            self.note_replaced_text();
        }
    }

    /// Retires the id of an article that gets another one, or that is not visible any more.
    fn retire_ids(&mut self, identity: &Identity, shown: bool) -> Result<()> {
        let Some(number) = identity.number else { return Ok(()) };
        // First, since a former id says nothing about the article once it is retired.
        if !shown {
            self.retire_hidden(number, &identity.id)?;
        }
        self.retire_former_id(identity)
    }

    fn retire_former_id(&mut self, identity: &Identity) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO retired SELECT id FROM article WHERE number = ?1 AND id <> ?2 RETURNING id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let retired = statement.query_row(params![identity.number, identity.id], |row| row.get(0)).optional()?;
        drop(statement);
        if let Some(id) = retired {
            self.note_retired(id);
        }
        Ok(())
    }

    fn is_rescheduled(&self, number: i64, identity: &Identity, shown: bool) -> Result<bool> {
        let sql = "SELECT (due, expires) IS NOT (?2, ?3) OR shown < ?4 FROM article WHERE number = ?1";
        let values = params![number, identity.due.timestamp(), identity.expires.map(|date| date.timestamp()), shown];
        Ok(self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
    }
}

/// The content of an article as it is recorded.
fn with_checksums(number: i64, identity: &Identity, content: &str) -> String {
    let identifiers = Identifiers {
        number,
        id: Cow::Borrowed(&identity.id),
        slug: Cow::Borrowed(&identity.slug),
        published: identity.published.timestamp(),
        updated: identity.updated.timestamp(),
        guid: identity.guid.as_deref().map(Cow::Borrowed),
    };
    checksum::add(&identifiers, content)
}

/// Whether the next version shows an article.
fn is_shown(identity: &Identity, arrival: &Arrival<'_>) -> bool {
    identity.is_visible(arrival.now)
}
