//! The articles that recordings belong to, and the transfer of an entry from a recording to its article and back, with its id, date
//! and addresses: for readers it is one entry.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};

use super::database::Catalog;
use super::error::Result;
use super::media::{Claim, Referred};
use super::moves::OwnName;
use super::values::{bytes, content_of, path_of};
use crate::catalog::identity::Identity;
use crate::catalog::ownership::{self, Holding, RecordingHistory, Transfer};
use crate::catalog::visibility::{PUBLISHED, is_due, visible_already};
use crate::folder::Stat;
use crate::model::collection::ArticleState;
use crate::model::moment::{Audience, Moment, Version};

/// The article that a recording belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Path below the watched folder.
    pub path: PathBuf,
    /// It is visible.
    pub is_public: bool,
}

/// `article.episode` of an entry that has had a recording which never was an entry.
const HAS_RECORDING: i64 = 1;
/// `article.episode` of an entry that continues the entry of a recording.
pub(super) const CONTINUES: i64 = 2;

impl Catalog {
    /// The article that a recording belongs to, unless it is withdrawn.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn owner_of(&self, recording: &Path, now: DateTime<Utc>) -> Result<Option<Owner>> {
        let visible = visible_already(Audience::Public, "?2");
        let sql = format!(
            "
            SELECT article.path, {visible} FROM media JOIN article ON article.number = media.article
            WHERE media.path = ?1 AND claim = 2 AND state = 0 ORDER BY 2 DESC, number LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let owner = statement.query_row(params![bytes(recording), now.timestamp()], |row| {
            Ok(Owner { path: path_of(row.get(0)?), is_public: row.get(1)? })
        });
        Ok(owner.optional()?)
    }

    /// The first article that claims a recording which belongs to none; published articles come first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn claimant_of(&self, recording: &Path) -> Result<Option<PathBuf>> {
        let sql = "
            SELECT article.path FROM media JOIN article ON article.number = media.article
            WHERE media.path = ?1 AND claim > 0 AND state = 0 ORDER BY shown DESC, number LIMIT 1";
        let path: Option<Vec<u8>> =
            self.connection.prepare_cached(sql)?.query_row([bytes(recording)], |row| row.get(0)).optional()?;
        Ok(path.map(path_of))
    }

    /// The recordings that belong to the article at a path, even if it is withdrawn.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn recordings_of(&self, article: &Path) -> Result<Vec<PathBuf>> {
        let sql = "
            SELECT media.path FROM media JOIN article ON article.number = media.article
            WHERE article.path = ?1 AND state < 2 AND claim = 2 ORDER BY 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([bytes(article)], |row| row.get(0))?;
        rows.map(|row| Ok(path_of(row?))).collect()
    }

    /// Whether the article at a path is visible.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn is_public(&self, path: &Path, now: DateTime<Utc>) -> Result<bool> {
        Ok(self.holding("path = ?1 AND state < 2", bytes(path), now)?.is_some_and(|holding| holding.is_public))
    }

    /// Whether the live article at a path has recordings.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn has_enclosures(&self, path: &Path) -> Result<bool> {
        let sql = "SELECT number, entry FROM article JOIN content USING (number) WHERE path = ?1 AND state = 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row([bytes(path)], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
        let Some((number, content)) = row else { return Ok(false) };
        Ok(!content_of(number, &content)?.enclosures.is_empty())
    }

    /// Whether the article at a path continues the entry of a recording.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn continues_recording(&self, path: &Path, now: DateTime<Utc>) -> Result<bool> {
        let holding = self.holding("path = ?1 AND state < 2", bytes(path), now)?;
        Ok(holding.is_some_and(|holding| holding.history == RecordingHistory::Continues))
    }

    /// Articles whose recordings need an owner: those that claim a recording which is an entry itself, or which belongs to no article.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn unsettled_owners(&self) -> Result<Vec<PathBuf>> {
        let sql = format!(
            "
            SELECT DISTINCT article.path FROM media JOIN article ON article.number = media.article
            WHERE claim > 0 AND {PUBLISHED} AND (
              EXISTS (SELECT 1 FROM article AS own WHERE own.path = media.path AND own.state = 0)
              OR NOT EXISTS (
                SELECT 1 FROM media AS other JOIN article AS owner ON owner.number = other.article
                WHERE other.path = media.path AND other.claim = 2 AND owner.state = 0)) ORDER BY 1"
        );
        self.paths(&sql, &[])
    }

    /// Articles that become public by `due` and own a recording that is an entry of its own until then.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn owners_due(&self, due: DateTime<Utc>) -> Result<Vec<PathBuf>> {
        let is_due = is_due("?1");
        let sql = format!(
            "
            SELECT DISTINCT article.path FROM article JOIN media ON media.article = article.number
            WHERE {is_due} AND claim > 0
            AND EXISTS (SELECT 1 FROM article AS own WHERE own.path = media.path AND own.state = 0) ORDER BY 1"
        );
        self.paths(&sql, &[due.timestamp()])
    }

    fn paths(&self, sql: &str, values: &[i64]) -> Result<Vec<PathBuf>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
        rows.map(|row| Ok(path_of(row?))).collect()
    }

    /// Transfers the entry of a recording to an article. `identity` is that of the article without it. If both entries are visible, the
    /// recording's continues, unless the article's is an older episode; the addresses of the other one redirect to it. Returns
    /// whether the article and the recording are one entry now.
    ///
    /// An entry that was never visible is withdrawn instead.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn take_over(
        &mut self,
        recording: &Referred,
        article: &Path,
        identity: Option<&Identity>,
        moment: Moment,
    ) -> Result<bool> {
        let Moment { version, due: now } = moment;
        let at = "path = ?1 AND state < 2";
        let Some(own) = self.holding(at, bytes(&recording.path), now)? else { return Ok(false) };
        let before = match identity {
            Some(identity) => match identity.number {
                Some(number) => self.holding("number = ?1", number, now)?,
                None => None,
            },
            None => self.holding(at, bytes(article), now)?,
        };
        let continued = match (ownership::decide(own, before), before) {
            (Transfer::Withdraw, _) => {
                self.withdraw(&recording.path, ArticleState::Held, version)?;
                return Ok(false);
            }
            (Transfer::MergeRecording, Some(before)) => {
                self.merge(own.number, before.number, version)?;
                before.number
            }
            (transfer, before) => {
                if let Some(before) = before.filter(|_| transfer == Transfer::MergeArticle) {
                    self.merge(before.number, own.number, version)?;
                }
                self.rename(&recording.path, article, OwnName::Changed, version)?;
                own.number
            }
        };
        let sql = "UPDATE article SET episode = ?2, stale = max(stale, 1) WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([continued, CONTINUES])?;
        let sql = "INSERT OR REPLACE INTO media (path, article, stamp, claim) VALUES (?1, ?2, ?3, ?4)";
        let values = params![bytes(&recording.path), continued, recording.stamp, Claim::Owns as i64];
        self.connection.prepare_cached(sql)?.execute(values)?;
        self.owns(&recording.path, continued)?;
        Ok(true)
    }

    /// Transfers the entry of an article, which is not visible any more, back to its recording. Returns whether it did: an entry that
    /// was never visible stays with its article.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn give_back(&mut self, article: &Path, recording: &Path, moment: Moment) -> Result<bool> {
        let Moment { version, due: now } = moment;
        let Some(holding) = self.holding("path = ?1 AND state < 2", bytes(article), now)? else { return Ok(false) };
        if !holding.shown {
            return Ok(false);
        }
        self.rename(article, recording, OwnName::Changed, version)?;
        self.refer(recording, &[])?;
        // The recorded `stat` is that of the article; the recording will be read.
        self.touch(recording, Stat::default())?;
        let sql = "UPDATE article SET episode = ?2 WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([holding.number, CONTINUES])?;
        Ok(true)
    }

    /// Makes an article the only owner of a recording.
    pub(super) fn owns(&self, recording: &Path, number: i64) -> Result<()> {
        let sql = "UPDATE media SET claim = 1 WHERE path = ?1 AND claim = 2 AND article <> ?2";
        self.connection.prepare_cached(sql)?.execute(params![bytes(recording), number])?;
        let sql = "UPDATE article SET episode = ?2 WHERE number = ?1 AND episode < ?2";
        self.connection.prepare_cached(sql)?.execute([number, HAS_RECORDING])?;
        Ok(())
    }

    /// Merges an entry into another: its addresses redirect there, and feeds do not report it as deleted. Its id is never reused.
    fn merge(&mut self, number: i64, heir: i64, version: Version) -> Result<()> {
        if let Some(place) = self.visible_place(number, version.date())? {
            self.mark_neighbours(&place, version)?;
        }
        self.leave(number, version)?;
        self.remove_tombstones(number, version)?;
        self.write_names()?;
        let both = [number, heir];
        self.connection.prepare_cached("UPDATE address SET number = ?2 WHERE number = ?1")?.execute(both)?;
        self.connection.prepare_cached("UPDATE adopted SET article = ?2 WHERE article = ?1")?.execute(both)?;
        self.connection.prepare_cached("UPDATE OR IGNORE name SET article = ?2 WHERE article = ?1")?.execute(both)?;
        let sql = "SELECT id FROM article WHERE number = ?1";
        let id = self.connection.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?;
        if let Some(id) = id {
            self.note_retired(id);
        }
        for sql in [
            "INSERT OR IGNORE INTO retired SELECT id FROM article WHERE number = ?1",
            // The trigger that counts articles needs a change of state.
            "UPDATE article SET state = 2 WHERE number = ?1",
            "DELETE FROM media WHERE article = ?1",
            "DELETE FROM name WHERE article = ?1",
            "DELETE FROM problem WHERE article = ?1",
            "DELETE FROM content WHERE number = ?1",
            "DELETE FROM article WHERE number = ?1",
        ] {
            self.connection.prepare_cached(sql)?.execute([number])?;
        }
        self.write_views_alone()
    }

    fn holding(&self, which: &str, value: impl rusqlite::ToSql, now: DateTime<Utc>) -> Result<Option<Holding>> {
        let visible = visible_already(Audience::Public, "?2");
        let sql = format!("SELECT number, shown, {visible}, episode FROM article WHERE {which}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row(params![value, now.timestamp()], holding).optional()?)
    }
}

fn holding(row: &Row<'_>) -> rusqlite::Result<Holding> {
    let episode: i64 = row.get(3)?;
    Ok(Holding {
        number: row.get(0)?,
        shown: row.get(1)?,
        is_public: row.get(2)?,
        history: match episode {
            CONTINUES => RecordingHistory::Continues,
            HAS_RECORDING.. => RecordingHistory::HasRecording,
            _ => RecordingHistory::Nothing,
        },
    })
}
