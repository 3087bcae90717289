//! Collects the changes of views in the batch of a transaction, and writes them at its end.

use std::cmp::Reverse;

use rusqlite::{OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use super::values::{COUNTED, LISTED, WHOLE};
use super::view_batch::{NewMember, ViewChange, ViewTotals};
use crate::model::moment::Version;
use crate::model::taxonomy::{Term, ViewKind};

/// Maximum number of new members that a bulk import collects.
const MAX_NEW_MEMBERS: usize = 1 << 20;
/// Maximum number of new names that it collects.
const MAX_NEW_NAMES: usize = 1 << 18;

impl Catalog {
    /// The number of a view; creates the view if there is none.
    pub(super) fn view_of(&mut self, term: &Term, version: Version) -> Result<i64> {
        let kind = term.view.kind as i64;
        let numbers = self.view_batch.numbers.entry(kind).or_default();
        if let Some(number) = numbers.get(&term.view.key) {
            return Ok(*number);
        }
        let sql = "SELECT number FROM view WHERE kind = ?1 AND key = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row(params![kind, term.view.key], |row| row.get(0)).optional()?;
        let number = if let Some(number) = row {
            number
        } else {
            let sql = "INSERT INTO view (kind, key, name, revised) VALUES (?1, ?2, ?3, ?4) RETURNING number";
            let values = params![kind, term.view.key, term.name, version.seconds()];
            self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?
        };
        numbers.insert(term.view.key.clone(), number);
        Ok(number)
    }

    /// Adds `more` (1 or -1) to the members of a view and to the articles with this spelling of its name. A view without members is not
    /// listed.
    pub(super) fn count_member(
        &mut self,
        view: i64,
        name: &str,
        more: i64,
        plays: bool,
        change: ViewChange,
    ) -> Result<()> {
        let totals = self.view_batch.totals_of(&self.connection, view)?;
        totals.count_spelling(name, more, change.version);
        let changes_kind = totals.count_members(more, plays, change.version);
        let (kind, is_new) = (totals.kind, totals.members == 0 || totals.members == more);
        if (totals.apply(change) || changes_kind) && view != WHOLE {
            self.view_batch.changed_views.insert(view);
        }
        if is_new {
            self.mark_list_changed(kind, change.version);
        }
        let counted = self.view_batch.counted.entry(kind).or_insert(change.version);
        *counted = change.version.max(*counted);
        Ok(())
    }

    /// The list of all views of a kind has changed.
    pub(super) fn mark_list_changed(&mut self, kind: i64, version: Version) {
        let listed = self.view_batch.listed.entry(kind).or_insert(version);
        *listed = version.max(*listed);
    }

    /// Notes that all documents of a view have changed: its description has.
    pub(super) fn redescribe(&mut self, view: i64, version: Version) -> Result<()> {
        let totals = self.view_batch.totals_of(&self.connection, view)?;
        (totals.revised, totals.cutoff, totals.is_changed) = (version.seconds(), i64::MIN, true);
        self.view_batch.changed_views.insert(view);
        Ok(())
    }

    /// Notes that the documents of a view may have changed. Changes of articles older than its cutoff do not affect them.
    pub(super) fn mark_view_changed(&mut self, view: i64, change: ViewChange) -> Result<()> {
        let totals = self.view_batch.totals_of(&self.connection, view)?;
        if totals.apply(change) && view != WHOLE {
            self.view_batch.changed_views.insert(view);
        }
        Ok(())
    }

    /// Adds an article to the members of a view.
    pub(super) fn join(&mut self, view: i64, published: i64, number: i64, name: &str, rank: &[u8]) {
        let name = self.view_batch.place_of(name);
        self.view_batch.members.push(NewMember { view, published, number, name, rank: rank.into() });
    }

    /// Writes the new members.
    pub(super) fn write_members(&mut self) -> Result<()> {
        if self.view_batch.members.is_empty() {
            return Ok(());
        }
        let mut members = std::mem::take(&mut self.view_batch.members);
        members.sort_unstable_by(|one, other| {
            let key = |member: &NewMember| (member.view, Reverse(member.published));
            key(one).cmp(&key(other)).then_with(|| (&other.rank, other.number).cmp(&(&one.rank, one.number)))
        });
        let sql = "INSERT INTO member (view, published, number, name, rank) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut statement = self.connection.prepare_cached(sql)?;
        for NewMember { view, published, number, name, rank } in members {
            statement.execute(params![view, published, number, self.view_batch.names[name as usize], &*rank])?;
        }
        (self.view_batch.names, self.view_batch.places) = Default::default();
        Ok(())
    }

    /// Writes all collected changes.
    pub(super) fn write_views(&mut self) -> Result<()> {
        let is_collecting = self.is_bulk_importing() && self.view_batch.members.len() < MAX_NEW_MEMBERS;
        if !is_collecting {
            self.write_members()?;
        }
        if self.bulk_import.as_ref().is_some_and(|import| import.names.len() >= MAX_NEW_NAMES) {
            self.write_names()?;
        }
        let spellings = self.view_batch.totals.iter_mut().filter(|(_, totals)| !totals.spellings.is_empty());
        let spellings: Vec<_> =
            spellings.map(|(view, totals)| (*view, std::mem::take(&mut totals.spellings))).collect();
        for (view, names) in spellings {
            self.write_spelling(view, names)?;
        }
        let sql = "
            UPDATE view SET name = ?2, members = ?3, revised = ?4, floor = ?5, latest = ?6, recordings = ?7, pinned = max(pinned, ?8)
            WHERE number = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (view, totals) in &self.view_batch.totals {
            let ViewTotals { name, members, recordings, revised, cutoff, latest, is_changed, .. } = totals;
            // Pages show the parts of a series, also those that are too old for its feeds.
            let is_series = totals.kind == ViewKind::Series as i64;
            let shown = if is_series { totals.members_changed } else { 0 };
            if *is_changed {
                statement.execute(params![view, name, members, revised, cutoff, latest, recordings, shown])?;
            }
        }
        drop(statement);
        if self.view_batch.new != [0; 3] {
            let sql = "UPDATE total SET shown = shown + ?1, scheduled = scheduled + ?2, recordings = recordings + ?3";
            self.connection.prepare_cached(sql)?.execute(self.view_batch.new)?;
        }
        for (kind, version) in std::mem::take(&mut self.view_batch.listed) {
            self.set_meta(&format!("{LISTED}{kind}"), &version.seconds().to_string())?;
        }
        for (kind, version) in std::mem::take(&mut self.view_batch.counted) {
            let mut of_kind = self.view_batch.totals.values().filter(|totals| totals.kind == kind);
            if of_kind.all(|totals| totals.members == totals.recorded_members) {
                continue;
            }
            self.set_meta(&format!("{COUNTED}{kind}"), &version.seconds().to_string())?;
        }
        self.view_batch.discard_all_but_members();
        Ok(())
    }

    /// As [`Catalog::write_views`]; within a transaction its end does it.
    pub(super) fn write_views_alone(&mut self) -> Result<()> {
        if self.connection.is_autocommit() { self.write_views() } else { Ok(()) }
    }

    fn write_spelling(&mut self, view: i64, names: Vec<(String, i64, Version)>) -> Result<()> {
        let totals = self.view_batch.totals_of(&self.connection, view)?;
        // One more article with the present name changes nothing.
        let may_change = names.iter().any(|(name, more, _)| *more < 0 || (*more > 0 && *name != totals.name));
        let mut latest = Version::default();
        for (name, more, version) in names {
            latest = version.max(latest);
            let sql = "
                INSERT INTO spelling (view, name, count) VALUES (?1, ?2, ?3)
                ON CONFLICT (view, name) DO UPDATE SET count = count + ?3";
            self.connection.prepare_cached(sql)?.execute(params![view, name, more])?;
            if more <= 0 {
                let sql = "DELETE FROM spelling WHERE view = ?1 AND name = ?2 AND count <= 0";
                self.connection.prepare_cached(sql)?.execute(params![view, name])?;
            }
        }
        if may_change { self.name_view(view, latest) } else { Ok(()) }
    }

    /// Gives a view the most frequent spelling of its name; of equally frequent ones the first by alphabet, so that the name does not
    /// depend on the order of arrival.
    fn name_view(&mut self, view: i64, version: Version) -> Result<()> {
        let sql = "SELECT name FROM spelling WHERE view = ?1 ORDER BY count DESC, name LIMIT 1";
        let best: Option<String> =
            self.connection.prepare_cached(sql)?.query_row([view], |row| row.get(0)).optional()?;
        let totals = self.view_batch.totals_of(&self.connection, view)?;
        let Some(best) = best.filter(|best| *best != totals.name) else { return Ok(()) };
        totals.name = best;
        (totals.revised, totals.cutoff, totals.is_changed) = (version.seconds(), i64::MIN, true);
        let kind = totals.kind;
        self.view_batch.changed_views.insert(view);
        self.mark_list_changed(kind, version);
        Ok(())
    }
}
