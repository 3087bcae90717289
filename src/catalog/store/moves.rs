//! Changes of the file of an article that leave its text as it is: a rename, an exchange, a deletion.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use super::record::Recorded;
use super::values::{LOST, UNREAD, bytes, content_of, path_of};
use super::views::{Before, Membership};
use crate::catalog::visibility::{PUBLISHED, SCHEDULED, WAS_PUBLIC};
use crate::folder::Stat;
use crate::model::collection::ArticleState;
use crate::model::moment::Version;
use crate::model::rank;

/// Whether a rename changed the last part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnName {
    /// The file itself was renamed.
    Changed,
    /// A folder above it was renamed.
    Kept,
}

impl Catalog {
    /// Records the `stat` of a file that was read again with the same content.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn touch(&mut self, path: &Path, stat: Stat) -> Result<()> {
        let sql = "
            UPDATE article SET size = ?2, mtime = ?3, ctime = ?4, inode = ?5, born = ?6 WHERE path = ?1 AND state < 2";
        let values = params![bytes(path), stat.size, stat.mtime, stat.ctime, stat.inode, stat.born];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Delays a scheduled article until `until`: its file has vanished.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn postpone(&mut self, path: &Path, until: DateTime<Utc>) -> Result<()> {
        let sql = format!("UPDATE article SET due = max(due, ?2) WHERE path = ?1 AND state < 2 AND {SCHEDULED}");
        self.connection.prepare_cached(&sql)?.execute(params![bytes(path), until.timestamp()])?;
        Ok(())
    }

    /// Removes the article at a path from all feeds: it was deleted, or withdrawn by its writer.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn withdraw(&mut self, path: &Path, state: ArticleState, version: Version) -> Result<Recorded> {
        // Readers know an article whose content is lost as published.
        let sql = format!(
            "
            SELECT number, state = 0 OR stale = {LOST}, shown, {WAS_PUBLIC} FROM article WHERE path = ?1 AND state < 2 AND state < ?2"
        );
        let row = self.connection.prepare_cached(&sql)?.query_row(params![bytes(path), state as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?, row.get::<_, bool>(3)?))
        });
        let Some((number, was_live, shown, was_public)) = row.optional()? else { return Ok(Recorded::Unchanged) };
        let place = self.visible_place(number, version.date())?;
        // Its text need not be read any more.
        let sql = "
            UPDATE article SET state = ?2, revised = ?3, size = 0, mtime = 0, ctime = 0, stale = min(stale, 2)
            WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, state as i64, version.seconds()])?;
        self.note_identity(number);
        if let Some(place) = place {
            self.mark_neighbours(&place, version)?;
        }
        self.forget_problems(number)?;
        if shown && was_live {
            self.add_tombstones(number, version.date(), version)?;
        } else {
            self.leave(number, version)?;
        }
        if state == ArticleState::Gone {
            if was_public { self.forget_deleted(number, shown)? } else { self.remove_unseen(number)? }
        }
        self.write_views_alone()?;
        Ok(Recorded::Changed)
    }

    /// Records a rename. If there is an article at `new`, it stays and its text is replaced; the other one is deleted. If the last
    /// part of the path changed, the file is read again, since its format and title may depend on it. So is an article that refers
    /// to files beside it, whose addresses have changed.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn rename(&mut self, old: &Path, new: &Path, own_name: OwnName, version: Version) -> Result<Recorded> {
        if new == old {
            return Ok(Recorded::Unchanged);
        }
        if self.known(new)?.is_some() {
            return self.withdraw(old, ArticleState::Gone, version);
        }
        let sql = "
            UPDATE article SET path = ?2, stale = max(stale, ?3 OR EXISTS (SELECT 1 FROM media WHERE article = number))
            WHERE path = ?1 AND state < 2";
        let values = params![bytes(old), bytes(new), own_name == OwnName::Changed];
        let Some(number) = self.number_at(old)? else { return Ok(Recorded::Unchanged) };
        let lost = self.mark_translations_of_renamed(number, version)?;
        self.connection.prepare_cached(sql)?.execute(values)?;
        self.note_identity(number);
        let gained = self.mark_translations_of_renamed(number, version)?;
        let has_moved = old.parent() != new.parent() && self.change_folder(new, version)? == Recorded::Changed;
        Ok(if lost || gained || has_moved { Recorded::Changed } else { Recorded::Unchanged })
    }

    /// The number of the article at a path.
    fn number_at(&self, path: &Path) -> Result<Option<i64>> {
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2";
        Ok(self.connection.prepare_cached(sql)?.query_row([bytes(path)], |row| row.get(0)).optional()?)
    }

    /// Updates the views of an article that was moved into another folder.
    fn change_folder(&mut self, path: &Path, version: Version) -> Result<Recorded> {
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2 AND state = 0";
        let number = self.connection.prepare_cached(sql)?.query_row([bytes(path)], |row| row.get(0)).optional()?;
        if let Some(number) = number {
            self.mark_moved(number, version)?;
        }
        let moved = number.map_or(Ok(false), |number| self.enter_as_recorded(number, false, version))?;
        self.write_views_alone()?;
        Ok(if moved { Recorded::Changed } else { Recorded::Unchanged })
    }

    /// Adds a published article to the views that its recorded content names. Returns whether they have changed.
    pub(super) fn enter_as_recorded(&mut self, number: i64, changed: bool, version: Version) -> Result<bool> {
        let sql = format!(
            "
            SELECT path, published, updated, entry, rank, stale = {UNREAD} FROM article JOIN content USING (number) WHERE number = ?1 AND {PUBLISHED}
            AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number AND view = 1)"
        );
        let row = self.connection.prepare_cached(&sql)?.query_row([number], |row| {
            let recorded: (String, Vec<u8>, bool) = (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok((path_of(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, recorded))
        });
        let Some((path, published, updated, (content, former, is_unread))) = row.optional()? else { return Ok(false) };
        let content = content_of(number, &content)?;
        // Only articles are in views.
        if content.page.is_some() {
            return Ok(false);
        }
        let (terms, rank) = (self.terms_of(&path, &content, !is_unread), rank::of(&path, &content));
        if rank != former {
            let place = self.visible_place(number, version.date())?;
            let sql = "UPDATE article SET rank = ?2 WHERE number = ?1";
            self.connection.prepare_cached(sql)?.execute(params![number, rank])?;
            if let Some(place) = place {
                self.mark_headline(number, version)?;
                self.mark_neighbours(&place, version)?;
            }
        }
        self.enter(Membership {
            number,
            terms: &terms,
            published,
            updated,
            changed,
            rank: &rank,
            before: Before::AsRecorded,
            version,
        })
    }

    /// Records that two files exchanged their paths. Each stays the article that it was, and is read again under its new name.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn exchange(&mut self, one: &Path, other: &Path, version: Version) -> Result<Recorded> {
        let numbers: Vec<i64> = [self.number_at(one)?, self.number_at(other)?].into_iter().flatten().collect();
        let mut changed = false;
        for number in &numbers {
            changed |= self.mark_translations_of_renamed(*number, version)?;
        }
        // No file has a path with a NUL.
        let between = [b"\0", bytes(one)].concat();
        let sql = "UPDATE article SET path = ?2, stale = max(stale, 1) WHERE path = ?1 AND state < 2";
        for (from, to) in [(bytes(one), &between[..]), (bytes(other), bytes(one)), (&between[..], bytes(other))] {
            self.connection.prepare_cached(sql)?.execute([from, to])?;
        }
        for number in numbers {
            self.note_identity(number);
            changed |= self.mark_translations_of_renamed(number, version)?;
        }
        Ok(if changed { Recorded::Changed } else { Recorded::Unchanged })
    }
}
