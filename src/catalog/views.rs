//! Which views an article is in, since when each view's documents are as they are, and what has left it.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::window::{self, Limits};
use super::{Catalog, Result};
use crate::view::{self, Term};

/// How long feeds tell of a deletion (standards 69).
pub const TOMBSTONE_LIFE: TimeDelta = TimeDelta::days(30);

/// The view that everything is in.
pub(super) const WHOLE: i64 = 1;

/// The name under which it is kept when the list of a kind of views last changed; the kind's number follows.
pub(super) const LISTED: &str = "views ";

/// Raised when articles are weighed anew: floors that were found by other weights count for nothing.
const WEIGHING: u32 = 1;

/// Namespace of podcast ids (podcast-namespace, `guid`).
const PODCASTS: Uuid = Uuid::from_u128(0xead4_c236_bf58_58c6_a2c6_a6b2_8d12_8cb6);

/// The document that a podcast's id is made from.
const FEED: &str = "rss.xml";

/// Most views whose floor is looked for after one publication; the others stay careful.
const MOST_SETTLED: usize = 1_000;

/// An article that is shown, and what that means for the views that it is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership<'a> {
    pub number: i64,
    pub terms: &'a [Term],
    pub published: i64,
    pub updated: i64,
    /// Something else that is served of it has changed.
    pub changed: bool,
    /// There is something to play.
    pub plays: bool,
    pub version: DateTime<Utc>,
}

/// When something happened to a view: to an article that was published then, told of with that date, in that version.
#[derive(Debug, Clone, Copy)]
struct Touch {
    published: i64,
    told: i64,
    version: DateTime<Utc>,
}

struct Member {
    view: i64,
    published: i64,
    name: String,
}

struct Known {
    number: i64,
    name: String,
}

impl Catalog {
    /// Puts an article that is shown into its views and takes it out of those that it is not in any more. Says whether that
    /// changed any.
    pub(super) fn enter(&mut self, membership: Membership<'_>) -> Result<bool> {
        let Membership { number, terms, published, updated, changed, plays, version } = membership;
        let touch = Touch { published, told: updated, version };
        let mut before = self.members(number)?;
        let mut moved = false;
        for term in terms {
            let view = self.view_of(term, version)?;
            let known = before.iter().position(|member| member.view == view.number).map(|at| before.swap_remove(at));
            let same = known.as_ref().is_some_and(|known| known.published == published && known.name == term.name);
            if !same {
                if let Some(known) = known {
                    self.remove_member(number, &known, version)?;
                }
                self.add_member(&view, number, &term.name, touch)?;
                moved = true;
            } else if changed {
                self.touch_view(view.number, touch)?;
            }
            if plays {
                self.name_podcast(view.number, &term.view.path())?;
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
            self.touch_view(WHOLE, touch)?;
            self.raise(number, version)?;
        }
        Ok(moved)
    }

    /// Takes an article out of all its views. Says whether it was in any.
    pub(super) fn leave(&mut self, number: i64, version: DateTime<Utc>) -> Result<bool> {
        let members = self.members(number)?;
        for member in &members {
            self.remove_member(number, member, version)?;
        }
        self.touch_archive_of(number, version)?;
        Ok(!members.is_empty())
    }

    /// Takes an article out of all its views, and has them tell that it is no more since `at`.
    pub(super) fn bury(&mut self, number: i64, at: DateTime<Utc>, version: DateTime<Utc>) -> Result<()> {
        let views = self.members(number)?.into_iter().map(|member| member.view).chain([WHOLE]);
        let views: Vec<i64> = views.collect();
        self.leave(number, version)?;
        for view in views {
            let sql = "INSERT OR REPLACE INTO tombstone (view, at, number) VALUES (?1, ?2, ?3)";
            self.connection.prepare_cached(sql)?.execute([view, at.timestamp(), number])?;
            // Tombstones are in the documents wherever the article was.
            self.touch_view(view, Touch { published: i64::MAX, told: at.timestamp(), version })?;
        }
        Ok(())
    }

    /// Takes away the tombstones of an article that is there again.
    fn raise(&mut self, number: i64, version: DateTime<Utc>) -> Result<()> {
        let sql = "DELETE FROM tombstone WHERE number = ?1 RETURNING view";
        let mut statement = self.connection.prepare_cached(sql)?;
        let views: Vec<i64> = statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        for view in views {
            self.touch_view(view, Touch { published: i64::MAX, told: 0, version })?;
        }
        Ok(())
    }

    /// What time alone brings to the views: articles that are due at `now`, that have expired, and tombstones that have been up
    /// long enough.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn pass_time(&mut self, now: DateTime<Utc>, version: DateTime<Utc>) -> Result<()> {
        let due = "
            SELECT number, 0 FROM article WHERE state = 0 AND shown = 0 AND due <= ?1
            AND (expires IS NULL OR expires > ?1)";
        for (number, _) in self.pairs(due, &[now.timestamp()])? {
            self.connection.prepare_cached("UPDATE article SET shown = 1 WHERE number = ?1")?.execute([number])?;
            self.enter_as_recorded(number, true, version)?;
            self.touch_archive_of(number, version)?;
        }
        let old = (now - TOMBSTONE_LIFE).timestamp();
        let expired = "
            SELECT number, max(expires, updated) FROM article
            WHERE state = 0 AND shown = 1 AND expires IS NOT NULL AND expires <= ?1 AND expires > ?2
            AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number AND view = 1)";
        for (number, at) in self.pairs(expired, &[now.timestamp(), old])? {
            self.bury(number, super::date(at)?, version)?;
        }
        let faded = "SELECT DISTINCT view, 0 FROM tombstone INDEXED BY tombstone_at WHERE at <= ?1";
        for (view, _) in self.pairs(faded, &[old])? {
            self.touch_view(view, Touch { published: i64::MAX, told: 0, version })?;
        }
        self.connection.prepare_cached("DELETE FROM tombstone WHERE at <= ?1")?.execute([old])?;
        Ok(())
    }

    fn pairs(&self, sql: &str, values: &[i64]) -> Result<Vec<(i64, i64)>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Looks for the floor of each view that has changed: what lies below it can change without changing any document. Not
    /// before the change is shown, since nobody waits for it.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn settle(&mut self, limits: &Limits, now: DateTime<Utc>) -> Result<()> {
        let touched = std::mem::take(&mut self.touched);
        if touched.is_empty() {
            return Ok(());
        }
        self.transaction(|catalog| {
            for view in touched.into_iter().take(MOST_SETTLED) {
                let found = window::read(&catalog.connection, Some(view), limits, now)?;
                if !found.is_whole {
                    // Of the first that was left out, the next change may let it in.
                    let sql = "UPDATE view SET floor = ?2 WHERE number = ?1";
                    catalog.connection.prepare_cached(sql)?.execute([view, found.floor])?;
                }
            }
            Ok(())
        })
    }

    /// Forgets all floors where they were found by other limits.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn limit(&mut self, limits: &Limits) -> Result<()> {
        let limits = format!("{WEIGHING} {limits:?}");
        if self.meta("limits")?.as_deref() != Some(&limits) {
            self.connection.execute("UPDATE view SET floor = ?1", [i64::MIN])?;
            self.set_meta("limits", &limits)?;
        }
        Ok(())
    }

    /// Notes that there is a folder: its feed is there even if no article is. Nothing that is served changes by that.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn know_folder(&mut self, path: &Path) -> Result<()> {
        view::section(path).map_or(Ok(()), |term| self.view_of(&term, DateTime::UNIX_EPOCH).map(|_| ()))
    }

    /// Every podcast has an id by which directories know it: made once from its feed's address without the scheme, and kept
    /// when the address changes (standards 145).
    fn name_podcast(&mut self, view: i64, path: &str) -> Result<()> {
        // An address that is everybody's makes no id that is one's own.
        if self.base_url.is_empty() {
            return Ok(());
        }
        let address = format!("{}{path}{FEED}", self.base_url.split_once("://").map_or("", |(_, rest)| rest));
        let guid = Uuid::new_v5(&PODCASTS, address.as_bytes()).to_string();
        let sql = "UPDATE view SET guid = ?2 WHERE number = ?1 AND guid IS NULL";
        self.connection.prepare_cached(sql)?.execute(params![view, guid])?;
        Ok(())
    }

    /// `podcast:guid` of the whole, if there ever was a recording.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn podcast_guid(&self) -> Result<Option<String>> {
        super::reader::podcast_guid(&self.connection)
    }

    fn members(&self, number: i64) -> Result<Vec<Member>> {
        let sql = "SELECT view, published, name FROM member WHERE number = ?1 ORDER BY view";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement
            .query_map([number], |row| Ok(Member { view: row.get(0)?, published: row.get(1)?, name: row.get(2)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn view_of(&mut self, term: &Term, version: DateTime<Utc>) -> Result<Known> {
        let known = |row: &rusqlite::Row<'_>| Ok(Known { number: row.get(0)?, name: row.get(1)? });
        let sql = "SELECT number, name FROM view WHERE kind = ?1 AND key = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row(params![term.view.kind as i64, term.view.key], known).optional()?;
        if let Some(found) = found {
            return Ok(found);
        }
        let sql = "INSERT INTO view (kind, key, name, revised) VALUES (?1, ?2, ?3, ?4) RETURNING number, name";
        let values = params![term.view.kind as i64, term.view.key, term.name, version.timestamp()];
        Ok(self.connection.prepare_cached(sql)?.query_row(values, known)?)
    }

    fn add_member(&mut self, view: &Known, number: i64, name: &str, touch: Touch) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO member (view, published, number, name) VALUES (?1, ?2, ?3, ?4)";
        self.connection.prepare_cached(sql)?.execute(params![view.number, touch.published, number, name])?;
        let sql = "
            INSERT INTO spelling (view, name, count) VALUES (?1, ?2, 1)
            ON CONFLICT (view, name) DO UPDATE SET count = count + 1";
        self.connection.prepare_cached(sql)?.execute(params![view.number, name])?;
        self.count_members(view.number, 1, touch)?;
        // Once more what it is called already.
        if view.name == name { Ok(()) } else { self.name_view(view.number, touch.version) }
    }

    fn remove_member(&mut self, number: i64, member: &Member, version: DateTime<Utc>) -> Result<()> {
        let sql = "DELETE FROM member WHERE view = ?1 AND published = ?2 AND number = ?3";
        self.connection.prepare_cached(sql)?.execute([member.view, member.published, number])?;
        let sql = "UPDATE spelling SET count = count - 1 WHERE view = ?1 AND name = ?2";
        self.connection.prepare_cached(sql)?.execute(params![member.view, member.name])?;
        let sql = "DELETE FROM spelling WHERE view = ?1 AND name = ?2 AND count <= 0";
        self.connection.prepare_cached(sql)?.execute(params![member.view, member.name])?;
        self.count_members(member.view, -1, Touch { published: member.published, told: 0, version })?;
        self.name_view(member.view, version)
    }

    /// One member more or less. A view without any is not listed.
    fn count_members(&mut self, view: i64, more: i64, touch: Touch) -> Result<()> {
        let sql = "UPDATE view SET members = members + ?2 WHERE number = ?1 RETURNING members, kind";
        let (members, kind): (i64, i64) =
            self.connection.prepare_cached(sql)?.query_row([view, more], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if members == 0 || members == more {
            self.list_anew(kind, touch.version)?;
        }
        self.touch_view(view, touch)
    }

    /// A view is called as most articles write it; of two ways that are as common, the first by alphabet, so that the order in
    /// which articles came does not count.
    fn name_view(&mut self, view: i64, version: DateTime<Utc>) -> Result<()> {
        let sql = "
            UPDATE view SET name = best.name, revised = ?2, floor = ?3
            FROM (SELECT name FROM spelling WHERE view = ?1 ORDER BY count DESC, name LIMIT 1) AS best
            WHERE number = ?1 AND view.name <> best.name RETURNING kind";
        let values = [view, version.timestamp(), i64::MIN];
        let kind = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
        if let Some(kind) = kind {
            self.touched.insert(view);
            self.list_anew(kind, version)?;
        }
        Ok(())
    }

    /// The list of all views of a kind has changed.
    fn list_anew(&mut self, kind: i64, version: DateTime<Utc>) -> Result<()> {
        self.set_meta(&format!("{LISTED}{kind}"), &version.timestamp().to_string())
    }

    /// The documents of a view may have changed: something happened to an article that was published at that time. What lies
    /// below the floor changes nothing.
    fn touch_view(&mut self, view: i64, touch: Touch) -> Result<()> {
        // Without the one that left, the next older one may come in: the floor must be looked for again.
        let sql = "
            UPDATE view SET revised = ?3, floor = ?4, latest = max(latest, ?5) WHERE number = ?1 AND floor <= ?2";
        let values = [view, touch.published, touch.version.timestamp(), i64::MIN, touch.told];
        if self.connection.prepare_cached(sql)?.execute(values)? > 0 && view != WHOLE {
            self.touched.insert(view);
        }
        Ok(())
    }
}

/// The views that changed since their floors were found.
pub(super) type Touched = BTreeSet<i64>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podcast_ids_are_those_that_directories_make() {
        let guid = Uuid::new_v5(&PODCASTS, b"podnews.net/rss");
        assert_eq!(guid.to_string(), "9b024349-ccf0-5f69-a609-6b82873eab3c");
    }
}
