//! Which views an article is in, since when each view's documents are as they are, and what has left it.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::params;
use uuid::Uuid;

use super::view_batch::Touch;
use super::window;
use super::{Catalog, Result};
use crate::catalog::visibility::{becomes_visible, expired, expires_after};
use crate::model::collection::FeedLimits;
use crate::model::moment::{Moment, Version};
use crate::model::taxonomy::{self, Term};

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
    pub before: Before<'a>,
    pub version: Version,
}

/// In which views an article was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before<'a> {
    /// It was in none ever.
    Nothing,
    /// In these, published at the same time.
    In(&'a [Term]),
    /// In those that the table says.
    AsRecorded,
}

struct Member {
    view: i64,
    published: i64,
    name: String,
}

impl Catalog {
    /// Puts an article that is shown into its views and takes it out of those that it is not in any more. Says whether that
    /// changed any.
    pub(super) fn enter(&mut self, membership: Membership<'_>) -> Result<bool> {
        let Membership { number, terms, published, updated, changed, plays, before, version } = membership;
        let touch = Touch { published, told: updated, version };
        let is_new = before == Before::Nothing;
        let mut before = match before {
            Before::Nothing => Vec::new(),
            Before::In(terms) => {
                let member =
                    |term: &Term| Ok(Member { view: self.view_of(term, version)?, published, name: term.name.clone() });
                terms.iter().map(member).collect::<Result<_>>()?
            }
            Before::AsRecorded => self.members(number)?,
        };
        let mut moved = false;
        for term in terms {
            let view = self.view_of(term, version)?;
            let known = before.iter().position(|member| member.view == view).map(|at| before.swap_remove(at));
            let same = known.as_ref().is_some_and(|known| known.published == published && known.name == term.name);
            if !same {
                if let Some(known) = known {
                    self.remove_member(number, &known, version)?;
                }
                self.add_member(view, number, &term.name, touch)?;
                moved = true;
            } else if changed {
                self.touch_view(view, touch)?;
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
            self.touch_view(WHOLE, touch)?;
        }
        if changed && !is_new {
            self.raise(number, version)?;
        }
        Ok(moved)
    }

    /// Takes an article out of all its views. Says whether it was in any.
    pub(super) fn leave(&mut self, number: i64, version: Version) -> Result<bool> {
        let members = self.members(number)?;
        for member in &members {
            self.remove_member(number, member, version)?;
        }
        self.touch_archive_of(number, version)?;
        Ok(!members.is_empty())
    }

    /// Takes an article out of all its views, and has them tell that it is no more since `at`.
    pub(super) fn bury(&mut self, number: i64, at: DateTime<Utc>, version: Version) -> Result<()> {
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
    pub(super) fn raise(&mut self, number: i64, version: Version) -> Result<()> {
        let sql = "DELETE FROM tombstone WHERE number = ?1 RETURNING view";
        let mut statement = self.connection.prepare_cached(sql)?;
        let views: Vec<i64> = statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        for view in views {
            self.touch_view(view, Touch { published: i64::MAX, told: 0, version })?;
        }
        Ok(())
    }

    /// What time alone brings to the views: articles that are due at `moment`, that have expired, and tombstones that have been up
    /// long enough.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn pass_time(&mut self, moment: Moment) -> Result<()> {
        let Moment { version, due: now } = moment;
        let due = format!("SELECT number, 0 FROM article WHERE {}", becomes_visible("?1"));
        for (number, _) in self.pairs(&due, &[now.timestamp()])? {
            self.connection.prepare_cached("UPDATE article SET shown = 1 WHERE number = ?1")?.execute([number])?;
            self.enter_as_recorded(number, true, version)?;
            self.touch_archive_of(number, version)?;
        }
        let old = (now - TOMBSTONE_LIFE).timestamp();
        let (expired, lately) = (expired("?1"), expires_after("?2"));
        let expired = format!(
            "
            SELECT number, max(expires, updated) FROM article WHERE {expired} AND {lately}
            AND NOT EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number AND view = 1)"
        );
        for (number, at) in self.pairs(&expired, &[now.timestamp(), old])? {
            self.bury(number, super::date(at)?, version)?;
        }
        let faded = "SELECT DISTINCT view, 0 FROM tombstone INDEXED BY tombstone_at WHERE at <= ?1";
        for (view, _) in self.pairs(faded, &[old])? {
            self.touch_view(view, Touch { published: i64::MAX, told: 0, version })?;
        }
        self.connection.prepare_cached("DELETE FROM tombstone WHERE at <= ?1")?.execute([old])?;
        self.write_views()
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
    pub fn settle(&mut self, limits: &FeedLimits, now: DateTime<Utc>) -> Result<()> {
        let touched = std::mem::take(&mut self.tally.touched);
        if touched.is_empty() {
            return Ok(());
        }
        self.transaction(|catalog| {
            for view in touched.into_iter().take(MOST_SETTLED) {
                let found = window::read(&catalog.connection, Some(view), limits, now)?;
                if !found.is_whole && found.is_sure {
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
    pub fn limit(&mut self, limits: &FeedLimits) -> Result<()> {
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
        taxonomy::section(path).map_or(Ok(()), |term| self.view_of(&term, Version::default()).map(|_| ()))?;
        self.write_views_alone()
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

    fn members(&mut self, number: i64) -> Result<Vec<Member>> {
        self.write_members()?;
        let sql = "SELECT view, published, name FROM member WHERE number = ?1 ORDER BY view";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement
            .query_map([number], |row| Ok(Member { view: row.get(0)?, published: row.get(1)?, name: row.get(2)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn add_member(&mut self, view: i64, number: i64, name: &str, touch: Touch) -> Result<()> {
        self.join(view, touch.published, number, name);
        self.count_member(view, name, 1, touch)
    }

    fn remove_member(&mut self, number: i64, member: &Member, version: Version) -> Result<()> {
        let sql = "DELETE FROM member WHERE view = ?1 AND published = ?2 AND number = ?3";
        self.connection.prepare_cached(sql)?.execute([member.view, member.published, number])?;
        self.count_member(member.view, &member.name, -1, Touch { published: member.published, told: 0, version })
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
