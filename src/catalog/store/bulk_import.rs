//! The first reading of a folder into an empty catalog: that there is nothing like an article yet is known without looking for it.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::{Arrival, Catalog, Result};
use crate::folder::Stat;

/// An index: its name, and what it is on.
type Index = (&'static str, &'static str);

/// Indexes that nothing looks into while everything is new. To make them in the end takes less time than to keep them up. These are
/// those that feeds are made by.
pub(super) const INDEXES_OF_FEEDS: [Index; 4] = [
    ("article_newest", "article (published DESC, number) WHERE state = 0"),
    ("article_open", "article (published, number DESC) WHERE state = 0 AND archive IS NULL"),
    ("article_archive", "article (archive) WHERE archive IS NOT NULL"),
    (
        "article_updated",
        "article (updated DESC, number) WHERE state = 0 AND archive IS NOT NULL AND updated > published",
    ),
];

/// And these are those by which changes are followed: nobody who reads has to wait for them.
pub(super) const INDEXES_OF_FILES: [Index; 4] = [
    ("article_unread", "article (number) WHERE stale = 3"),
    ("member_article", "member (number)"),
    ("article_file", "article (file_hash)"),
    ("article_inode", "article (inode, born) WHERE state < 2"),
];

/// The name under which it is kept that a first reading has begun and not ended: there are no addresses yet, and not all members of
/// views.
const UNDER_WAY: &str = "first reading";

/// Takes back all that one records. Views stay, without anything in them.
const FORGET: &str = "
    DELETE FROM member;
    DELETE FROM spelling;
    DELETE FROM media;
    DELETE FROM address;
    DELETE FROM content;
    DELETE FROM article;
    UPDATE view SET members = 0, floor = -9223372036854775808;
    UPDATE total SET shown = 0, scheduled = 0;
    DELETE FROM meta WHERE key = 'first reading';";

/// What was recorded since the catalog was empty, as numbers that stand for it. Two that are different may have one number: then it is
/// looked for, and not found.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    seen: HashSet<u64>,
    hasher: RandomState,
    /// Something was recorded that refers to other files.
    refers: bool,
    /// Something was not new: what is needed to look for it is kept up from then on.
    has_indexes: bool,
}

/// By what an article could be known already.
#[derive(Debug, Hash, Clone, Copy)]
pub(super) enum Sign<'a> {
    Content(&'a [u8; 32]),
    File(i64, i64),
    Id(&'a str),
    Slug(&'a str),
}

impl Fresh {
    fn has(&self, sign: Sign<'_>) -> bool {
        self.seen.contains(&self.hasher.hash_one(sign))
    }

    fn put(&mut self, sign: Sign<'_>) {
        let number = self.hasher.hash_one(sign);
        self.seen.insert(number);
    }
}

impl Catalog {
    /// Begins the first reading of a folder, if nothing was ever recorded. Until [`Catalog::end_fresh`], each path comes once.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn begin_fresh(&mut self) -> Result<()> {
        let sql = "
            SELECT NOT EXISTS (SELECT 1 FROM article) AND NOT EXISTS (SELECT 1 FROM retired)
              AND NOT EXISTS (SELECT 1 FROM adopted) AND NOT EXISTS (SELECT 1 FROM address)";
        let is_empty: bool = self.connection.query_row(sql, [], |row| row.get(0))?;
        if !is_empty || self.adopting.is_some() {
            return Ok(());
        }
        self.fresh = Some(Fresh::default());
        self.set_meta(UNDER_WAY, "")?;
        for (name, _) in INDEXES_OF_FEEDS.into_iter().chain(INDEXES_OF_FILES) {
            self.connection.execute(&format!("DROP INDEX IF EXISTS {name}"), [])?;
        }
        Ok(())
    }

    /// The first reading is over: feeds can be made. Says whether there was one.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn end_fresh(&mut self) -> Result<bool> {
        if self.fresh.take().is_none() {
            return Ok(false);
        }
        self.transaction(|catalog| {
            catalog.write_members()?;
            let sql =
                "INSERT OR IGNORE INTO address (slug, number) SELECT slug, number FROM article ORDER BY slug, number";
            catalog.connection.execute(sql, [])?;
            catalog.make_indexes(&INDEXES_OF_FEEDS)?;
            catalog.connection.execute("DELETE FROM meta WHERE key = ?1", [UNDER_WAY])?;
            Ok(true)
        })
    }

    /// Forgets what a first reading recorded that was broken off: it was half of it, and nobody was shown any.
    pub(super) fn forget_broken_off(&mut self) -> Result<()> {
        if self.meta(UNDER_WAY)?.is_none() {
            return Ok(());
        }
        self.transaction(|catalog| Ok(catalog.connection.execute_batch(FORGET)?))
    }

    /// Whether a first reading is under way.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh.is_some()
    }

    /// Does what a first reading left for later, if there was one: changes can be followed.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn tidy(&mut self) -> Result<()> {
        self.make_indexes(&INDEXES_OF_FILES)?;
        self.connection.query_row("PRAGMA wal_checkpoint(passive)", [], |_| Ok(()))?;
        self.connection.pragma_update(None, "wal_autocheckpoint", super::LOG_PAGES)?;
        Ok(())
    }

    /// Makes the indexes that are not there: a first reading may have been broken off, too.
    pub(super) fn make_indexes(&self, indexes: &[Index]) -> Result<()> {
        for (name, columns) in indexes {
            self.connection.execute(&format!("CREATE INDEX IF NOT EXISTS {name} ON {columns}"), [])?;
        }
        Ok(())
    }

    /// Whether there is certainly no article of this file, under whatever path, and none with its bytes. `false` says nothing.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn never_saw(&mut self, file_hash: &[u8; 32], stat: Stat) -> Result<bool> {
        let Some(fresh) = &mut self.fresh else { return Ok(false) };
        if !fresh.has(Sign::Content(file_hash)) && !fresh.has(Sign::File(stat.inode, stat.born)) {
            return Ok(true);
        }
        if !std::mem::replace(&mut fresh.has_indexes, true) {
            self.make_indexes(&INDEXES_OF_FILES)?;
        }
        Ok(false)
    }

    /// Whether certainly no article refers to any file.
    pub fn refers_to_nothing(&self) -> bool {
        self.fresh.as_ref().is_some_and(|fresh| !fresh.refers)
    }

    /// An article refers to files.
    pub(super) fn refers(&mut self) {
        if let Some(fresh) = &mut self.fresh {
            fresh.refers = true;
        }
    }

    /// Whether an article with this id or slug was certainly never recorded.
    pub(super) fn is_unheard_of(&self, sign: Sign<'_>) -> bool {
        self.fresh.as_ref().is_some_and(|fresh| !fresh.has(sign))
    }

    /// An article is recorded.
    pub(super) fn saw(&mut self, arrival: &Arrival<'_>, id: &str, slug: &str) {
        if let Some(fresh) = &mut self.fresh {
            let file = Sign::File(arrival.stat.inode, arrival.stat.born);
            for sign in [Sign::Content(&arrival.file_hash), file, Sign::Id(id), Sign::Slug(slug)] {
                fresh.put(sign);
            }
        }
    }
}
