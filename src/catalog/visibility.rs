//! Which articles are visible, when and to whom, and which of them are pages. The columns that decide it (`state`, `shown`, `due`,
//! `expires`, `page`) are compared only here; all statements take their conditions from this file.
//!
//! `at` is the name of the parameter that a statement binds the moment to, in Unix seconds.

use crate::model::entry::SitePage;
use crate::model::moment::Audience;

/// Articles that have been visible in a version and were not withdrawn since. They may have expired.
pub(super) const PUBLISHED: &str = "(state = 0 AND shown = 1)";

/// Articles that have never been visible and will be once they are due.
pub(super) const SCHEDULED: &str = "(state = 0 AND shown = 0)";

/// Articles that have been public, also if they are scheduled again: then their ids are retired. A tombstone is of such an article.
pub(super) const WAS_PUBLIC: &str = "
    (shown <> 0 OR EXISTS (SELECT 1 FROM retired WHERE retired.id = article.id)
      OR EXISTS (SELECT 1 FROM tombstone WHERE tombstone.number = article.number))";

/// Articles that expire or have expired.
pub(super) const EXPIRING: &str = "(state = 0 AND expires IS NOT NULL)";

/// Articles that a version of the moment `at` shows. One that was published once stays so, also if the clock is set back.
pub(super) fn visible(audience: Audience, at: &str) -> String {
    match audience {
        Audience::Public => format!("(state = 0 AND (due <= {at} OR shown = 1) AND {})", unexpired(at)),
    }
}

/// The visible articles without those that the next version publishes.
pub(super) fn visible_already(audience: Audience, at: &str) -> String {
    match audience {
        Audience::Public => format!("({PUBLISHED} AND {})", unexpired(at)),
    }
}

/// Scheduled articles that a version of the moment `at` publishes.
pub(super) fn becomes_visible(at: &str) -> String {
    format!("({SCHEDULED} AND due <= {at} AND {})", unexpired(at))
}

/// Scheduled articles that are due at the moment `at`, expired or not.
pub(super) fn is_due(at: &str) -> String {
    format!("({SCHEDULED} AND due <= {at})")
}

/// Scheduled articles that are due later.
pub(super) fn is_due_after(at: &str) -> String {
    format!("({SCHEDULED} AND due > {at})")
}

/// Published articles that have expired by the moment `at`.
pub(super) fn expired(at: &str) -> String {
    format!("({PUBLISHED} AND expires IS NOT NULL AND expires <= {at})")
}

/// Articles that have expired by the moment `at` and have never been visible.
pub(super) fn expired_unseen(at: &str) -> String {
    format!("({SCHEDULED} AND expires IS NOT NULL AND expires <= {at})")
}

/// Articles that have expired by the moment `at`, visible before or not.
pub(super) fn has_expired(at: &str) -> String {
    format!("({EXPIRING} AND expires <= {at})")
}

/// Scheduled articles that are due later, and have not expired by the moment `at`.
pub(super) fn waits(at: &str) -> String {
    format!("({SCHEDULED} AND due > {at} AND {})", unexpired(at))
}

/// Articles that expire after the moment `at`.
pub(super) fn expires_after(at: &str) -> String {
    format!("({EXPIRING} AND expires > {at})")
}

/// The values of the column `page`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageState {
    /// It has always been an article.
    Never = 0,
    /// It was a page, and is an article.
    Former = 1,
    /// It is a page that the menu leaves out.
    Unlisted = 2,
    /// It is a page in the menu.
    InMenu = 3,
}

impl PageState {
    /// The state of an entry by its content, if it has never been a page.
    pub fn of(page: Option<&SitePage>) -> Self {
        match page {
            None => Self::Never,
            Some(page) if page.is_unlisted => Self::Unlisted,
            Some(_) => Self::InMenu,
        }
    }

    /// The state that a number in the catalog stands for.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Never, Self::Former, Self::Unlisted, Self::InMenu].into_iter().find(|state| *state as i64 == number)
    }

    pub fn is_page(self) -> bool {
        matches!(self, Self::Unlisted | Self::InMenu)
    }
}

/// Entries of feeds, archives and lists: all but pages.
pub(super) const ARTICLE: &str = "(article.page < 2)";

/// Pages that are no articles.
pub(super) const PAGE: &str = "(article.page > 1)";

/// Pages, and articles that were pages.
pub(super) const EVER_PAGE: &str = "(article.page > 0)";

/// Pages in the menu. The index `article_menu` has the same condition.
pub(super) const IN_MENU: &str = "(article.page = 3)";

/// The articles that feeds and archives of a version of the moment `at` show.
pub(super) fn in_feeds(audience: Audience, at: &str) -> String {
    format!("({} AND {ARTICLE})", visible(audience, at))
}

fn unexpired(at: &str) -> String {
    format!("(expires IS NULL OR expires > {at})")
}

/// The columns of a live article, by the same rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Publication {
    /// It has been visible in a version.
    pub shown: bool,
    pub due: i64,
    pub expires: Option<i64>,
}

impl Publication {
    /// Whether it is published at the moment `at`, expired or not.
    pub fn is_published(self, at: i64) -> bool {
        self.shown || self.due <= at
    }

    /// Whether it has expired by the moment `at`.
    pub fn has_expired(self, at: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= at)
    }

    /// Whether a version of the moment `at` shows it.
    pub fn is_visible(self, at: i64) -> bool {
        self.is_published(at) && !self.has_expired(at)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params};

    use super::*;

    const NOW: i64 = 100;

    /// Every combination of states and of dates before, at and after the moment.
    fn rows() -> Vec<(i64, Publication)> {
        let mut rows = Vec::new();
        for state in 0..=2 {
            for shown in [false, true] {
                for due in [NOW - 1, NOW, NOW + 1] {
                    for expires in [None, Some(NOW - 1), Some(NOW), Some(NOW + 1)] {
                        rows.push((state, Publication { shown, due, expires }));
                    }
                }
            }
        }
        rows
    }

    fn check(condition: &str, expected: impl Fn(Publication) -> bool) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE article (state, shown, due, expires)").unwrap();
        for (state, schedule) in rows() {
            let Publication { shown, due, expires } = schedule;
            let values = params![state, shown, due, expires];
            connection.execute("INSERT INTO article VALUES (?1, ?2, ?3, ?4)", values).unwrap();
            let sql = format!("SELECT count(*) FROM article WHERE ?1 IS NOT NULL AND {condition}");
            let count: i64 = connection.query_row(&sql, [NOW], |row| row.get(0)).unwrap();
            assert_eq!(count == 1, state == 0 && expected(schedule), "{condition}: state {state}, {schedule:?}");
            connection.execute("DELETE FROM article", []).unwrap();
        }
    }

    #[test]
    fn conditions_and_functions_agree() {
        check(&visible(Audience::Public, "?1"), |row| row.is_visible(NOW));
        check(&visible_already(Audience::Public, "?1"), |row| row.shown && row.is_visible(NOW));
        check(&becomes_visible("?1"), |row| !row.shown && row.is_visible(NOW));
        check(&is_due("?1"), |row| !row.shown && row.is_published(NOW));
        check(&is_due_after("?1"), |row| !row.is_published(NOW));
        check(&expired("?1"), |row| row.shown && row.has_expired(NOW));
        check(&expired_unseen("?1"), |row| !row.shown && row.has_expired(NOW));
        check(&has_expired("?1"), |row| row.has_expired(NOW));
        check(&waits("?1"), |row| !row.is_published(NOW) && !row.has_expired(NOW));
        check(&expires_after("?1"), |row| row.expires.is_some() && !row.has_expired(NOW));
        check(PUBLISHED, |row| row.shown);
        check(SCHEDULED, |row| !row.shown);
    }
}
