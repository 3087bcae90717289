//! What one transaction does to views, gathered in memory and written once at its end: a thousand new articles touch each view
//! many times, and only what comes of it is to be kept.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::views::{LISTED, WHOLE};
use super::{Catalog, Result};
use crate::model::moment::Version;
use crate::model::taxonomy::Term;

/// When something happened to a view: to an article that was published then, told of with that date, in that version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touch {
    pub published: i64,
    pub told: i64,
    pub version: Version,
}

/// A new article in a view.
#[derive(Debug, Clone, Copy)]
struct Joined {
    view: i64,
    published: i64,
    number: i64,
    /// Which of the names.
    name: u32,
}

/// Places in views that are gathered at most.
const MOST_MEMBERS: usize = 1 << 20;

/// The row of a view, as it is to be.
#[derive(Debug)]
struct Account {
    kind: i64,
    name: String,
    members: i64,
    revised: i64,
    floor: i64,
    latest: i64,
    is_changed: bool,
    /// Ways of writing its name, mostly one: how many articles more use each, and since which version.
    spelled: Vec<(String, i64, Version)>,
}

/// Views whose rows were read in this transaction, and what is to be written of them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By kind and key.
    numbers: HashMap<i64, HashMap<String, i64>>,
    accounts: BTreeMap<i64, Account>,
    /// Kinds of views whose list has changed, and since which version.
    listed: BTreeMap<i64, Version>,
    /// New articles' places in views. A first reading gathers very many of them: in the order of the table, they are written in
    /// less time.
    members: Vec<Joined>,
    /// How articles write the names of views: the names, and the place of each among them.
    names: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
    /// How many new articles there are that are shown, and that are not.
    new: (i64, i64),
    /// The views that changed since their floors were found.
    pub touched: BTreeSet<i64>,
}

impl Tally {
    /// Forgets what is not written: it has not happened, or somebody else may have written since.
    pub fn forget(&mut self) {
        *self = Self { touched: std::mem::take(&mut self.touched), ..Self::default() };
    }

    /// The same, but for who is in which views.
    fn forget_but_members(&mut self) {
        let Self { touched, members, names, places, .. } = std::mem::take(self);
        *self = Self { members, names, places, touched, ..Self::default() };
    }

    fn place_of(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let (place, name) = (u32::try_from(self.names.len()).expect("fewer names than articles"), Arc::from(name));
        self.names.push(Arc::clone(&name));
        self.places.insert(name, place);
        place
    }

    /// Counts an article if it is new.
    pub fn came(&mut self, is_new: bool, shown: bool) {
        self.new.0 += i64::from(is_new && shown);
        self.new.1 += i64::from(is_new && !shown);
    }

    fn account(&mut self, connection: &Connection, view: i64) -> Result<&mut Account> {
        Ok(match self.accounts.entry(view) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Account::read(connection, view)?),
        })
    }
}

impl Account {
    fn spell(&mut self, name: &str, more: i64, version: Version) {
        match self.spelled.iter_mut().find(|(known, ..)| known == name) {
            Some((_, count, since)) => (*count, *since) = (*count + more, version.max(*since)),
            None => self.spelled.push((name.to_owned(), more, version)),
        }
    }

    /// Says whether its documents may be others now.
    fn touch(&mut self, touch: Touch) -> bool {
        if self.floor > touch.published {
            return false;
        }
        self.revised = touch.version.seconds();
        // Without the one that left, the next older one may come in: the floor must be looked for again.
        self.floor = i64::MIN;
        self.latest = self.latest.max(touch.told);
        self.is_changed = true;
        true
    }

    fn read(connection: &Connection, view: i64) -> Result<Self> {
        let sql = "SELECT kind, name, members, revised, floor, latest FROM view WHERE number = ?1";
        let read = |row: &Row<'_>| {
            Ok(Self {
                kind: row.get(0)?,
                name: row.get(1)?,
                members: row.get(2)?,
                revised: row.get(3)?,
                floor: row.get(4)?,
                latest: row.get(5)?,
                is_changed: false,
                spelled: Vec::new(),
            })
        };
        let account = connection.prepare_cached(sql)?.query_row([view], read)?;
        super::values::count(account.members)?;
        Ok(account)
    }
}

impl Catalog {
    /// The number of a view, which comes to be by being asked for.
    pub(super) fn view_of(&mut self, term: &Term, version: Version) -> Result<i64> {
        let kind = term.view.kind as i64;
        let numbers = self.tally.numbers.entry(kind).or_default();
        if let Some(number) = numbers.get(&term.view.key) {
            return Ok(*number);
        }
        let sql = "SELECT number FROM view WHERE kind = ?1 AND key = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row(params![kind, term.view.key], |row| row.get(0)).optional()?;
        let number = if let Some(number) = found {
            number
        } else {
            let sql = "INSERT INTO view (kind, key, name, revised) VALUES (?1, ?2, ?3, ?4) RETURNING number";
            let values = params![kind, term.view.key, term.name, version.seconds()];
            self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?
        };
        numbers.insert(term.view.key.clone(), number);
        Ok(number)
    }

    /// One article more in a view, or one less, which writes its name in this way. A view without any is not listed.
    pub(super) fn count_member(&mut self, view: i64, name: &str, more: i64, touch: Touch) -> Result<()> {
        let account = self.tally.account(&self.connection, view)?;
        account.spell(name, more, touch.version);
        account.members += more;
        account.is_changed = true;
        let (kind, is_new) = (account.kind, account.members == 0 || account.members == more);
        if account.touch(touch) && view != WHOLE {
            self.tally.touched.insert(view);
        }
        if is_new {
            self.list_anew(kind, touch.version);
        }
        Ok(())
    }

    /// The list of all views of a kind has changed.
    fn list_anew(&mut self, kind: i64, version: Version) {
        let listed = self.tally.listed.entry(kind).or_insert(version);
        *listed = version.max(*listed);
    }

    /// The documents of a view may have changed: something happened to an article that was published at that time. What lies
    /// below the floor changes nothing.
    pub(super) fn touch_view(&mut self, view: i64, touch: Touch) -> Result<()> {
        let account = self.tally.account(&self.connection, view)?;
        if account.touch(touch) && view != WHOLE {
            self.tally.touched.insert(view);
        }
        Ok(())
    }

    /// Puts a new article into a view.
    pub(super) fn join(&mut self, view: i64, published: i64, number: i64, name: &str) {
        let name = self.tally.place_of(name);
        self.tally.members.push(Joined { view, published, number, name });
    }

    /// Writes which new articles are in which views.
    pub(super) fn write_members(&mut self) -> Result<()> {
        if self.tally.members.is_empty() {
            return Ok(());
        }
        let mut members = std::mem::take(&mut self.tally.members);
        members.sort_unstable_by_key(|joined| (joined.view, Reverse(joined.published), joined.number));
        let sql = "INSERT INTO member (view, published, number, name) VALUES (?1, ?2, ?3, ?4)";
        let mut statement = self.connection.prepare_cached(sql)?;
        for Joined { view, published, number, name } in members {
            statement.execute(params![view, published, number, self.tally.names[name as usize]])?;
        }
        (self.tally.names, self.tally.places) = Default::default();
        Ok(())
    }

    /// Writes what was gathered.
    pub(super) fn write_views(&mut self) -> Result<()> {
        let is_gathering = self.is_fresh() && self.tally.members.len() < MOST_MEMBERS;
        if !is_gathering {
            self.write_members()?;
        }
        let spelled = self.tally.accounts.iter_mut().filter(|(_, account)| !account.spelled.is_empty());
        let spelled: Vec<_> = spelled.map(|(view, account)| (*view, std::mem::take(&mut account.spelled))).collect();
        for (view, names) in spelled {
            self.write_spelling(view, names)?;
        }
        let sql = "
            UPDATE view SET name = ?2, members = ?3, revised = ?4, floor = ?5, latest = ?6 WHERE number = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (view, account) in &self.tally.accounts {
            let Account { name, members, revised, floor, latest, is_changed, .. } = account;
            if *is_changed {
                statement.execute(params![view, name, members, revised, floor, latest])?;
            }
        }
        drop(statement);
        if self.tally.new != (0, 0) {
            let sql = "UPDATE total SET shown = shown + ?1, scheduled = scheduled + ?2";
            self.connection.prepare_cached(sql)?.execute(<[i64; 2]>::from(self.tally.new))?;
        }
        for (kind, version) in std::mem::take(&mut self.tally.listed) {
            self.set_meta(&format!("{LISTED}{kind}"), &version.seconds().to_string())?;
        }
        self.tally.forget_but_members();
        Ok(())
    }

    /// The same, unless a transaction will do it when it ends.
    pub(super) fn write_views_alone(&mut self) -> Result<()> {
        if self.connection.is_autocommit() { self.write_views() } else { Ok(()) }
    }

    fn write_spelling(&mut self, view: i64, names: Vec<(String, i64, Version)>) -> Result<()> {
        let account = self.tally.account(&self.connection, view)?;
        // Once more what it is called already changes nothing.
        let may_change = names.iter().any(|(name, more, _)| *more < 0 || (*more > 0 && *name != account.name));
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

    /// A view is called as most articles write it; of two ways that are as common, the first by alphabet, so that the order in
    /// which articles came does not count.
    fn name_view(&mut self, view: i64, version: Version) -> Result<()> {
        let sql = "SELECT name FROM spelling WHERE view = ?1 ORDER BY count DESC, name LIMIT 1";
        let best: Option<String> =
            self.connection.prepare_cached(sql)?.query_row([view], |row| row.get(0)).optional()?;
        let account = self.tally.account(&self.connection, view)?;
        let Some(best) = best.filter(|best| *best != account.name) else { return Ok(()) };
        account.name = best;
        (account.revised, account.floor, account.is_changed) = (version.seconds(), i64::MIN, true);
        let kind = account.kind;
        self.tally.touched.insert(view);
        self.list_anew(kind, version);
        Ok(())
    }
}
