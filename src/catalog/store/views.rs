//! The members of views, the last change of each view, and its tombstones.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::params;
use uuid::Uuid;

use super::database::Catalog;
use super::error::Result;
use super::surroundings::DatedPlace;
use super::values::WHOLE;
use super::view_batch::ViewChange;
use super::window;
use crate::catalog::visibility::{ARTICLE, becomes_visible, expired, expires_after};
use crate::model::collection::FeedLimits;
use crate::model::moment::{Moment, Version};
use crate::model::taxonomy::{self, Term};

/// How long feeds contain the tombstone of a deleted article (standards 69).
pub const TOMBSTONE_LIFE: TimeDelta = TimeDelta::days(30);

/// Version of the estimate of sizes. Cutoffs that were computed with another one are discarded.
const ESTIMATE: u32 = 1;

/// Namespace of podcast ids (podcast-namespace, `guid`).
const PODCASTS: Uuid = Uuid::from_u128(0xead4_c236_bf58_58c6_a2c6_a6b2_8d12_8cb6);

/// The document whose address determines the id of a podcast.
const FEED: &str = "rss.xml";

/// Maximum number of views whose cutoff is computed after one version; the others stay without one.
const MAX_CUTOFFS: usize = 1_000;

/// A visible article and the views that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership<'a> {
    pub number: i64,
    pub terms: &'a [Term],
    pub published: i64,
    pub updated: i64,
    /// Its content in documents has changed.
    pub changed: bool,
    /// Its place among the articles of its second: see [`rank`](crate::model::rank).
    pub rank: &'a [u8],
    pub before: Before<'a>,
    pub version: Version,
}

/// The views that an article was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before<'a> {
    /// It is new.
    Nothing,
    /// These, with the same publication date and without a recording.
    In(&'a [Term]),
    /// Those in the table.
    AsRecorded,
}

struct Member {
    view: i64,
    published: i64,
    name: String,
    rank: Vec<u8>,
}

impl Catalog {
    /// Adds a visible article to its views and removes it from all others. Returns whether that changed any.
    pub(super) fn enter(&mut self, membership: Membership<'_>) -> Result<bool> {
        let Membership { number, terms, published, updated, changed, rank, before, version } = membership;
        let plays = !rank.is_empty();
        let change = ViewChange { published, latest_change: updated, version };
        let is_new = before == Before::Nothing;
        let mut before = match before {
            Before::Nothing => Vec::new(),
            Before::In(terms) => {
                let member = |term: &Term| {
                    let (view, name) = (self.view_of(term, version)?, term.name.clone());
                    Ok(Member { view, published, name, rank: Vec::new() })
                };
                terms.iter().map(member).collect::<Result<_>>()?
            }
            Before::AsRecorded => self.members(number)?,
        };
        let mut moved = false;
        for term in terms {
            let view = self.view_of(term, version)?;
            let member = before.iter().position(|member| member.view == view).map(|at| before.swap_remove(at));
            let same = member.as_ref().is_some_and(|member| {
                (member.published, &member.name, member.rank.as_slice()) == (published, &term.name, rank)
            });
            if !same {
                if let Some(member) = member {
                    self.remove_member(number, &member, version)?;
                }
                self.add_member(view, number, &term.name, rank, change)?;
                moved = true;
            } else if changed {
                self.mark_view_changed(view, change)?;
            }
            if plays {
                self.name_podcast(view, &term.view.path())?;
            }
        }
        for member in before {
            self.remove_member(number, &member, version)?;
            moved = true;
        }
        if plays {
            self.name_podcast(WHOLE, "")?;
        }
        if changed {
            self.mark_view_changed(WHOLE, change)?;
        }
        if changed && !is_new {
            self.remove_tombstones(number, version)?;
        }
        Ok(moved)
    }

    /// Notes that the pages of all views of a pinned article have changed.
    pub(super) fn mark_pages_of(&mut self, number: i64, version: Version) -> Result<()> {
        for member in self.members(number)? {
            let sql = "UPDATE view SET pinned = max(pinned, ?2) WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute([member.view, version.seconds()])?;
        }
        Ok(())
    }

    /// Removes an article from all its views. Returns whether it was in any.
    pub(super) fn leave(&mut self, number: i64, version: Version) -> Result<bool> {
        let members = self.members(number)?;
        for member in &members {
            self.remove_member(number, member, version)?;
        }
        self.mark_archive_changed(number, version)?;
        Ok(!members.is_empty())
    }

    /// Removes an article from all its views and adds a tombstone of the date `at` to each. Pages are in no feed and need none.
    pub(super) fn add_tombstones(&mut self, number: i64, at: DateTime<Utc>, version: Version) -> Result<()> {
        let sql = format!("SELECT 1 FROM article WHERE number = ?1 AND {ARTICLE}");
        if !self.connection.prepare_cached(&sql)?.exists([number])? {
            return Ok(());
        }
        let views = self.members(number)?.into_iter().map(|member| member.view).chain([WHOLE]);
        let views: Vec<i64> = views.collect();
        self.leave(number, version)?;
        for view in views {
            let sql = "INSERT OR REPLACE INTO tombstone (view, at, number) VALUES (?1, ?2, ?3)";
            self.connection.prepare_cached(sql)?.execute([view, at.timestamp(), number])?;
            // The documents contain the tombstone, even if the article was older than the cutoff.
            self.mark_view_changed(view, ViewChange { published: i64::MAX, latest_change: at.timestamp(), version })?;
        }
        Ok(())
    }

    /// Removes the tombstones of an article that is visible again.
    pub(super) fn remove_tombstones(&mut self, number: i64, version: Version) -> Result<()> {
        let sql = "DELETE FROM tombstone WHERE number = ?1 RETURNING view";
        let mut statement = self.connection.prepare_cached(sql)?;
        let views: Vec<i64> = statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        for view in views {
            self.mark_view_changed(view, ViewChange { published: i64::MAX, latest_change: 0, version })?;
        }
        Ok(())
    }

    /// Applies the changes that are due at `moment`: publishes scheduled articles, removes expired ones and old tombstones.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn apply_due(&mut self, moment: Moment) -> Result<()> {
        let Moment { version, due: now } = moment;
        let due = format!("SELECT number, 0 FROM article WHERE {}", becomes_visible("?1"));
        for (number, _) in self.pairs(&due, &[now.timestamp()])? {
            self.connection.prepare_cached("UPDATE article SET shown = 1 WHERE number = ?1")?.execute([number])?;
            self.note_identity(number);
            self.enter_as_recorded(number, true, version)?;
            self.mark_archive_changed(number, version)?;
        }
        let old = (now - TOMBSTONE_LIFE).timestamp();
        let (expired, lately) = (expired("?1"), expires_after("?2"));
        let expired = format!(
            "
            SELECT number, max(expires, updated) FROM article WHERE {expired} AND {lately} AND {ARTICLE}
            AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number AND view = 1)"
        );
        for (number, at) in self.pairs(&expired, &[now.timestamp(), old])? {
            self.add_tombstones(number, super::values::date(at)?, version)?;
            self.mark_expired(number, version)?;
        }
        let faded = "SELECT DISTINCT view, 0 FROM tombstone INDEXED BY tombstone_at WHERE at <= ?1";
        for (view, _) in self.pairs(faded, &[old])? {
            self.mark_view_changed(view, ViewChange { published: i64::MAX, latest_change: 0, version })?;
        }
        let forgotten = "
            SELECT number, 0 FROM tombstone INDEXED BY tombstone_at JOIN article USING (number)
            WHERE at <= ?1 AND view = 1 AND state > 0";
        for (number, _) in self.pairs(forgotten, &[old])? {
            self.forget_text(number)?;
        }
        self.connection.prepare_cached("DELETE FROM tombstone WHERE at <= ?1")?.execute([old])?;
        self.write_views()
    }

    /// Notes that an article has left its place by date.
    fn mark_expired(&mut self, number: i64, version: Version) -> Result<()> {
        let sql = "SELECT published, rank FROM article WHERE number = ?1";
        let place = self
            .connection
            .prepare_cached(sql)?
            .query_row([number], |row| Ok(DatedPlace { published: row.get(0)?, rank: row.get(1)?, number }))?;
        self.mark_neighbours(&place, version)
    }

    fn pairs(&self, sql: &str, values: &[i64]) -> Result<Vec<(i64, i64)>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Computes the cutoff of each changed view: articles older than the cutoff cannot affect its documents. Called after the version is
    /// served, so that readers do not wait for it.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn recompute_cutoffs(&mut self, limits: &FeedLimits, now: DateTime<Utc>) -> Result<()> {
        let changed = std::mem::take(&mut self.view_batch.changed_views);
        if changed.is_empty() {
            return Ok(());
        }
        self.transaction(|catalog| {
            for view in changed.into_iter().take(MAX_CUTOFFS) {
                let window = window::read(&catalog.connection, Some(view), limits, now)?;
                if !window.is_whole && window.is_final {
                    // The article at the cutoff itself may enter the documents by the next change.
                    let sql = "UPDATE view SET floor = ?2 WHERE number = ?1";
                    catalog.connection.prepare_cached(sql)?.execute([view, window.cutoff])?;
                }
            }
            Ok(())
        })
    }

    /// Discards all cutoffs if they were computed with other limits.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn limit(&mut self, limits: &FeedLimits) -> Result<()> {
        let limits = format!("{ESTIMATE} {limits:?}");
        if self.meta("limits")?.as_deref() != Some(&limits) {
            self.connection.execute("UPDATE view SET floor = ?1", [i64::MIN])?;
            self.set_meta("limits", &limits)?;
        }
        Ok(())
    }

    /// Creates the view of a folder, so that its feed exists even without articles. No document changes.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn know_folder(&mut self, path: &Path) -> Result<()> {
        taxonomy::section(path).map_or(Ok(()), |term| self.view_of(&term, Version::default()).map(|_| ()))?;
        self.write_views_alone()
    }

    /// Gives a view the id by which podcast directories know it, unless it has one. The id is made from the address of its feed
    /// without the scheme, and stays when the address changes (standards 145).
    fn name_podcast(&mut self, view: i64, path: &str) -> Result<()> {
        // A site without an address of its own has no unique podcast id.
        if self.base_url.is_empty() {
            return Ok(());
        }
        let address = format!("{}{path}{FEED}", self.base_url.split_once("://").map_or("", |(_, rest)| rest));
        let guid = Uuid::new_v5(&PODCASTS, address.as_bytes()).to_string();
        let sql = "UPDATE view SET guid = ?2 WHERE number = ?1 AND guid IS NULL";
        self.connection.prepare_cached(sql)?.execute(params![view, guid])?;
        Ok(())
    }

    /// `podcast:guid` of the main feed, if it has ever contained a recording.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn podcast_guid(&self) -> Result<Option<String>> {
        super::reader::podcast_guid(&self.connection)
    }

    fn members(&mut self, number: i64) -> Result<Vec<Member>> {
        self.write_members()?;
        let sql = "SELECT view, published, name, rank FROM member WHERE number = ?1 ORDER BY view";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([number], |row| {
            Ok(Member { view: row.get(0)?, published: row.get(1)?, name: row.get(2)?, rank: row.get(3)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn add_member(&mut self, view: i64, number: i64, name: &str, rank: &[u8], change: ViewChange) -> Result<()> {
        self.join(view, change.published, number, name, rank);
        self.count_member(view, name, 1, !rank.is_empty(), change)
    }

    fn remove_member(&mut self, number: i64, member: &Member, version: Version) -> Result<()> {
        self.write_members()?;
        let sql = "DELETE FROM member WHERE view = ?1 AND published = ?2 AND rank = ?3 AND number = ?4";
        self.connection.prepare_cached(sql)?.execute(params![member.view, member.published, member.rank, number])?;
        self.count_member(
            member.view,
            &member.name,
            -1,
            !member.rank.is_empty(),
            ViewChange { published: member.published, latest_change: 0, version },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podcast_ids_are_those_that_directories_make() {
        let guid = Uuid::new_v5(&PODCASTS, b"podnews.net/rss");
        assert_eq!(guid.to_string(), "9b024349-ccf0-5f69-a609-6b82873eab3c");
    }
}
