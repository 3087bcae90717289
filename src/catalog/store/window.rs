//! The articles that a feed contains: the newest N and all that were published within T of the newest, up to a number of bytes.
//!
//! T counts from the newest article, not from now: time alone never changes a feed.

use crate::model::collection::FeedLimits;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::error::Result;
use super::values;
use super::values::UNREAD;
use crate::catalog::visibility::{in_feeds, visible};
use crate::model::moment::Audience;

/// The articles of a feed, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// The number of each and its last revision.
    pub rows: Vec<(i64, i64)>,
    /// It contains all articles.
    pub is_whole: bool,
    /// Publication date of the newest article that it does not contain. Older articles cannot affect it.
    pub cutoff: i64,
    /// Publication date of the newest article.
    pub newest: Option<i64>,
    /// Upper bound of the size of a document, in bytes.
    pub bytes: u64,
    /// Articles in it whose texts have not been read. The window may change with their sizes.
    pub unread: Vec<i64>,
    /// The texts of all articles have been read, also that of the first one that it does not contain.
    pub is_final: bool,
}

/// Reads the window of a view, or of the main feed, at `now`.
pub(super) fn read(
    connection: &Connection,
    view: Option<i64>,
    limits: &FeedLimits,
    now: DateTime<Utc>,
) -> Result<Window> {
    let (visible, in_feeds) = (visible(Audience::Public, "?1"), in_feeds(Audience::Public, "?1"));
    let whole = format!(
        "
        SELECT number, revised, published, weight, brief, due, stale, published, 1 FROM article
        WHERE {in_feeds} AND ?2 IS NULL ORDER BY published DESC, rank DESC, number DESC"
    );
    let one = format!(
        "
        SELECT article.number, revised, member.published, weight, brief, due, stale, article.published, article.rank = member.rank
        FROM member LEFT JOIN article ON article.number = member.number
        WHERE view = ?2 AND (article.number IS NULL OR {visible})
        ORDER BY member.published DESC, member.rank DESC, member.number DESC"
    );
    let mut statement = connection.prepare_cached(if view.is_some() { &one } else { &whole })?;
    let mut rows = statement.query(params![now.timestamp(), view])?;
    let mut window = Window { is_whole: true, is_final: true, cutoff: i64::MIN, ..Window::default() };
    window.bytes = crate::model::collection::FRAME;
    while let Some(row) = rows.next()? {
        let published: i64 = row.get(2)?;
        if row.get::<_, i64>(7)? != published || !values::flag(row, 8)? {
            return values::damaged(format!("article {} has two places in a view", row.get::<_, i64>(0)?));
        }
        let since = window.newest.get_or_insert(published).saturating_sub(limits.window.num_seconds());
        let weight = limits.weigh(values::weight(row.get(3)?)?, values::weight(row.get(4)?)?);
        let is_unread = row.get::<_, i64>(6)? == UNREAD;
        window.is_final &= !is_unread;
        let fits = window.bytes + weight <= limits.max_bytes || window.rows.is_empty();
        if !fits || (window.rows.len() >= limits.entries && published < since) {
            window.is_whole = false;
            window.cutoff = published;
            break;
        }
        window.bytes += weight;
        // A scheduled article is new when it is due.
        let (revised, due): (i64, i64) = (row.get(1)?, row.get(5)?);
        let number = row.get(0)?;
        window.rows.push((number, revised.max(due)));
        window.unread.extend(is_unread.then_some(number));
    }
    Ok(window)
}
