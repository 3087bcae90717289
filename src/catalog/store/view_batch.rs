//! The changes that one transaction makes to views. They are collected in memory and written once at its end: a thousand new articles
//! change each view many times, and only the result is written.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::error::Result;
use crate::model::collection::is_podcast;
use crate::model::moment::Version;

/// A change of a view: the publication date of the changed article, the date of the change in documents, and the version.
#[derive(Debug, Clone, Copy)]
pub(super) struct ViewChange {
    pub published: i64,
    pub latest_change: i64,
    pub version: Version,
}

/// A new article in a view.
#[derive(Debug, Clone)]
pub(super) struct NewMember {
    pub view: i64,
    pub published: i64,
    pub number: i64,
    /// Index in the names of the batch.
    pub name: u32,
    pub rank: Box<[u8]>,
}

/// The row of a view, as it will be written.
#[derive(Debug)]
pub(super) struct ViewTotals {
    pub kind: i64,
    pub name: String,
    pub members: i64,
    /// The recorded number of members.
    pub recorded_members: i64,
    /// Members that have a recording.
    pub recordings: i64,
    pub revised: i64,
    pub cutoff: i64,
    pub latest: i64,
    pub is_changed: bool,
    /// The version in which its members last changed; 0 if they have not.
    pub members_changed: i64,
    /// Spellings of its name, mostly one: the change of the number of articles with each, and the version.
    pub spellings: Vec<(String, i64, Version)>,
}

/// The views that a transaction has read, and their changes.
#[derive(Debug, Default)]
pub(super) struct ViewBatch {
    /// Numbers of views by kind and key.
    pub numbers: HashMap<i64, HashMap<String, i64>>,
    pub totals: BTreeMap<i64, ViewTotals>,
    /// Kinds of views whose list has changed, and the version.
    pub listed: BTreeMap<i64, Version>,
    /// Kinds of views that articles were added to or removed from, and the version.
    pub counted: BTreeMap<i64, Version>,
    /// New members of views. A bulk import collects very many: writing them in the order of the table takes less time.
    pub members: Vec<NewMember>,
    /// Spellings of the names of views, and the index of each.
    pub names: Vec<Arc<str>>,
    pub places: HashMap<Arc<str>, u32>,
    /// Numbers of new articles that are visible, that are not, and that are visible and have a recording.
    pub new: [i64; 3],
    /// The views that have changed since their cutoffs were computed.
    pub changed_views: BTreeSet<i64>,
}

impl ViewBatch {
    /// Discards all that is not written: the transaction has failed, or another one may have written since.
    pub fn discard(&mut self) {
        *self = Self { changed_views: std::mem::take(&mut self.changed_views), ..Self::default() };
    }

    /// As [`ViewBatch::discard`], but keeps the new members.
    pub fn discard_all_but_members(&mut self) {
        let Self { changed_views, members, names, places, .. } = std::mem::take(self);
        *self = Self { members, names, places, changed_views, ..Self::default() };
    }

    pub fn place_of(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let (place, name) = (u32::try_from(self.names.len()).expect("fewer names than articles"), Arc::from(name));
        self.names.push(Arc::clone(&name));
        self.places.insert(name, place);
        place
    }

    /// Counts a new article.
    pub fn count_new(&mut self, shown: bool, plays: bool) {
        let [visible, scheduled, recordings] = &mut self.new;
        *visible += i64::from(shown);
        *scheduled += i64::from(!shown);
        *recordings += i64::from(shown && plays);
    }

    pub fn totals_of(&mut self, connection: &Connection, view: i64) -> Result<&mut ViewTotals> {
        Ok(match self.totals.entry(view) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(place) => place.insert(ViewTotals::read(connection, view)?),
        })
    }
}

impl ViewTotals {
    pub fn count_spelling(&mut self, name: &str, more: i64, version: Version) {
        match self.spellings.iter_mut().find(|(entry, ..)| entry == name) {
            Some((_, count, since)) => (*count, *since) = (*count + more, version.max(*since)),
            None => self.spellings.push((name.to_owned(), more, version)),
        }
    }

    /// Adds `more` members, and as many with a recording if they `play`. If it became a podcast or is none any more, its documents
    /// have changed; returns whether.
    pub fn count_members(&mut self, more: i64, plays: bool, version: Version) -> bool {
        let is_podcast = |totals: &Self| {
            let count = |number: i64| u64::try_from(number).unwrap_or_default();
            is_podcast(count(totals.members), count(totals.recordings))
        };
        let before = is_podcast(self);
        self.members += more;
        self.recordings += if plays { more } else { 0 };
        self.is_changed = true;
        self.members_changed = self.members_changed.max(version.seconds());
        let changes = is_podcast(self) != before;
        if changes {
            (self.revised, self.cutoff) = (version.seconds(), i64::MIN);
        }
        changes
    }

    /// Returns whether its documents may have changed.
    pub fn apply(&mut self, change: ViewChange) -> bool {
        if self.cutoff > change.published {
            return false;
        }
        self.revised = change.version.seconds();
        // The next older article may enter the documents, so the cutoff must be computed again.
        self.cutoff = i64::MIN;
        self.latest = self.latest.max(change.latest_change);
        self.is_changed = true;
        true
    }

    fn read(connection: &Connection, view: i64) -> Result<Self> {
        let sql = "SELECT kind, name, members, revised, floor, latest, recordings FROM view WHERE number = ?1";
        let read = |row: &Row<'_>| {
            Ok(Self {
                kind: row.get(0)?,
                name: row.get(1)?,
                members: row.get(2)?,
                recorded_members: row.get(2)?,
                revised: row.get(3)?,
                cutoff: row.get(4)?,
                latest: row.get(5)?,
                recordings: row.get(6)?,
                is_changed: false,
                members_changed: 0,
                spellings: Vec::new(),
            })
        };
        let totals = connection.prepare_cached(sql)?.query_row([view], read)?;
        super::values::count(totals.members)?;
        super::values::count(totals.recordings)?;
        Ok(totals)
    }
}
