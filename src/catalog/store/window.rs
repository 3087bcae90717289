//! Which articles a feed holds: the newest N, and all that were published within T of the newest, cut at a number of bytes.
//!
//! T counts from the newest article, not from now: a feed changes when an article does, and never by itself.

use crate::model::collection::FeedLimits;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::values::UNREAD;
use super::{Result, values};
use crate::catalog::visibility::visible;
use crate::model::moment::Audience;

/// The articles of a feed, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// Number of each, and when it was last revised.
    pub rows: Vec<(i64, i64)>,
    /// Nothing was left out.
    pub is_whole: bool,
    /// When the first was published that was left out: what is older changes nothing here.
    pub floor: i64,
    /// When the newest was.
    pub newest: Option<i64>,
    /// Bytes of a document of them, at most.
    pub bytes: u64,
    /// Of those, the numbers of articles whose text was not read yet: with their weights, the window may change.
    pub unread: Vec<i64>,
    /// All that were weighed were read, the one that was left out, too.
    pub is_sure: bool,
}

/// Reads the window of a view, or of the whole, as it is at `now`.
pub(super) fn read(
    connection: &Connection,
    view: Option<i64>,
    limits: &FeedLimits,
    now: DateTime<Utc>,
) -> Result<Window> {
    let visible = visible(Audience::Public, "?1");
    let whole = format!(
        "
        SELECT number, revised, published, weight, brief, due, stale, published FROM article
        WHERE {visible} AND ?2 IS NULL ORDER BY published DESC, number"
    );
    let one = format!(
        "
        SELECT article.number, revised, member.published, weight, brief, due, stale, article.published
        FROM member LEFT JOIN article ON article.number = member.number
        WHERE view = ?2 AND (article.number IS NULL OR {visible})
        ORDER BY member.published DESC, member.number"
    );
    let mut statement = connection.prepare_cached(if view.is_some() { &one } else { &whole })?;
    let mut rows = statement.query(params![now.timestamp(), view])?;
    let mut found = Window { is_whole: true, is_sure: true, floor: i64::MIN, ..Window::default() };
    found.bytes = crate::model::collection::FRAME;
    while let Some(row) = rows.next()? {
        let published: i64 = row.get(2)?;
        if row.get::<_, i64>(7)? != published {
            return values::damaged(format!("article {} has two dates in a view", row.get::<_, i64>(0)?));
        }
        let since = found.newest.get_or_insert(published).saturating_sub(limits.window.num_seconds());
        let weight = limits.weigh(values::weight(row.get(3)?)?, values::weight(row.get(4)?)?);
        let is_unread = row.get::<_, i64>(6)? == UNREAD;
        found.is_sure &= !is_unread;
        let fits = found.bytes + weight <= limits.max_bytes || found.rows.is_empty();
        if !fits || (found.rows.len() >= limits.entries && published < since) {
            found.is_whole = false;
            found.floor = published;
            break;
        }
        found.bytes += weight;
        // An article that was scheduled is new when it is due.
        let (revised, due): (i64, i64) = (row.get(1)?, row.get(5)?);
        let number = row.get(0)?;
        found.rows.push((number, revised.max(due)));
        found.unread.extend(is_unread.then_some(number));
    }
    Ok(found)
}
