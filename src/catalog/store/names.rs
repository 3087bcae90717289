//! The names by which links and old addresses mean an article.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::database::Catalog;
use super::error::Result;
use super::reader::Reader;
use super::values::{bytes, date, path_of};
use crate::article::Article;
use crate::article::address::LinkTarget;
use crate::article::old_address::comparable_link;
use crate::catalog::identity::Identity;
use crate::catalog::names::{self, NamedArticle, Page};
use crate::catalog::visibility::{PAGE, PUBLISHED, in_feeds};
use crate::model::collection::{ArticleLine, ArticleLookup};
use crate::model::entry::Slug;
use crate::model::moment::{Audience, Moment};
use crate::model::near::{ArticleNames, MAX_CANDIDATES, MAX_NAMES};
use crate::model::site_page::Permalink;

/// Maximum number of articles that are compared for a name.
const MAX_NAMESAKES: i64 = 50;

/// The articles that a link means by an address: ?1 as it is recorded.
const BY_ADDRESS: &str = "
    SELECT article FROM name WHERE name = ?1
    UNION SELECT article FROM adopted WHERE link = ?1 AND article IS NOT NULL";

/// The articles with a name: ?1 a slug, ?2 the same as it is recorded.
const BY_SLUG: &str = "SELECT number FROM address WHERE slug = ?1 UNION SELECT article FROM name WHERE name = ?2";

impl Catalog {
    /// Replaces the names of the article at a path. Returns the references that may mean it from now on, if its names have changed.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn set_names(&mut self, article: &Article, path: &Path, identity: &Identity) -> Result<Vec<PathBuf>> {
        let (slug, is_new) = (&*identity.slug, identity.is_new());
        let names = names::names_of(article, path, slug);
        // As for most files of a bulk import: there is nothing to record, and no link to correct.
        if is_new && names.is_empty() && self.refers_to_nothing() {
            return Ok(Vec::new());
        }
        let sql = "SELECT number FROM article WHERE path = ?1 AND state < 2";
        let found = self.connection.prepare_cached(sql)?.query_row([bytes(path)], |row| row.get(0)).optional()?;
        let Some(number): Option<i64> = found else { return Ok(Vec::new()) };
        let mut recorded = BTreeSet::new();
        if !is_new {
            self.write_names()?;
            let mut statement = self.connection.prepare_cached("SELECT name FROM name WHERE article = ?1")?;
            recorded = statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        }
        if names == recorded && !is_new {
            return Ok(Vec::new());
        }
        if is_new && let Some(import) = &mut self.bulk_import {
            import.names.extend(names.iter().map(|name| (name.as_str().into(), number)));
        } else if names != recorded {
            self.connection.prepare_cached("DELETE FROM name WHERE article = ?1")?.execute([number])?;
            for name in &names {
                let sql = "INSERT OR IGNORE INTO name (name, article) VALUES (?1, ?2)";
                self.connection.prepare_cached(sql)?.execute(params![name, number])?;
            }
        }
        Ok(names::slugs_of(&names, slug).iter().map(|slug| names::reference_of_slug(slug)).collect())
    }

    /// Writes the names that a bulk import has collected, in the order of the table.
    pub(super) fn write_names(&mut self) -> Result<()> {
        let Some(import) = &mut self.bulk_import else { return Ok(()) };
        let mut names = std::mem::take(&mut import.names);
        if names.is_empty() {
            return Ok(());
        }
        names.sort_unstable();
        let mut statement =
            self.connection.prepare_cached("INSERT OR IGNORE INTO name (name, article) VALUES (?1, ?2)")?;
        for (name, number) in names {
            statement.execute(params![name, number])?;
        }
        Ok(())
    }

    /// The place of the published article that a link in the article at `from` means. `None` if there is none, or if it could be one of
    /// several.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn permalink_of(&self, target: &LinkTarget, from: &Path) -> Result<Option<Permalink>> {
        let (name, is_note) = match target {
            LinkTarget::File(path) => return self.permalink_at(path),
            LinkTarget::Address(address) => (address, false),
            LinkTarget::Note(name) => (name, true),
        };
        if let Some(permalink) = self.permalink_of_address(name)? {
            return Ok(Some(permalink));
        }
        let page = Page::at(name);
        if page.slug.is_empty() || (!is_note && page.is_other()) {
            return Ok(None);
        }
        let articles = self.published(BY_SLUG, &[&page.slug, &names::by_slug(&page.slug)])?;
        let found = if is_note { page.nearest(&articles, from) } else { page.only(&articles) };
        Ok(found.map(|article| article.permalink.clone()))
    }

    /// The place of the only published article that states an address or was adopted with it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn permalink_of_address(&self, address: &str) -> Result<Option<Permalink>> {
        let articles = self.published(BY_ADDRESS, &[&comparable_link(address)])?;
        Ok(if let [only] = articles.as_slice() { Some(only.permalink.clone()) } else { None })
    }

    fn published(&self, numbers: &str, names: &[&str]) -> Result<Vec<NamedArticle>> {
        articles(&self.connection, &format!("number IN ({numbers}) AND {PUBLISHED}"), names)
    }

    /// Marks the articles to be read again whose links no article answered during a bulk import, which looks no names up.
    pub(super) fn read_dead_links_again(&mut self) -> Result<()> {
        let sql = "
            UPDATE article SET stale = max(stale, 1) WHERE state < 2
            AND number IN (SELECT article FROM media WHERE path >= x'00' AND path < x'01' AND stamp = 0)";
        self.connection.execute(sql, [])?;
        Ok(())
    }
}

impl Reader {
    /// Looks up the article that had an address elsewhere, as it was at `moment`. The answer is never [`ArticleLookup::Current`].
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn by_old_address(&self, address: &str, moment: Moment) -> Result<ArticleLookup> {
        let slugs =
            |numbers: &str, names: &[&str]| articles(&self.connection, &format!("number IN ({numbers})"), names);
        let mut found = slugs(BY_ADDRESS, &[&comparable_link(address)])?.into_iter().next();
        // An address with a date and the name of an article that was published then can mean no other.
        let page = Page::at(address);
        if found.is_none() && page.has_date() && !page.is_other() && !address.contains('?') {
            let articles = slugs(BY_SLUG, &[&page.slug, &names::by_slug(&page.slug)])?;
            found = page.only(&articles).cloned();
        }
        // Generators have pages at `/about.html` or below a folder of pages.
        if found.is_none() && !page.has_date() && page.may_be_site_page() && !address.contains('?') {
            let condition = format!("number IN ({BY_SLUG}) AND {PAGE}");
            let pages = articles(&self.connection, &condition, &[&page.slug, &names::by_slug(&page.slug)])?;
            found = page.only(&pages).cloned();
        }
        let Some(NamedArticle { permalink, .. }) = found else { return Ok(ArticleLookup::Unknown) };
        Ok(match self.by_slug(permalink.slug(), moment)? {
            ArticleLookup::Current(..) | ArticleLookup::Unread(_) => ArticleLookup::Moved(permalink),
            other => other,
        })
    }
}

impl Reader {
    /// The names of the newest articles that are visible at a moment. They are known before the texts have been read.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn newest_names(&self, moment: Moment) -> Result<Vec<ArticleNames>> {
        let in_feeds = in_feeds(Audience::Public, "?1");
        let sql = format!(
            "
            SELECT slug, (SELECT group_concat(substr(name, 2), ' ') FROM name
              WHERE name.article = article.number AND name >= '=' AND name < '>')
            FROM article WHERE {in_feeds} ORDER BY published DESC, rank DESC, number DESC LIMIT ?2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let limit = u32::try_from(MAX_CANDIDATES).unwrap_or(u32::MAX);
        let rows = statement.query_map(params![moment.due.timestamp(), limit], |row| {
            let others: Option<String> = row.get(1)?;
            let others = others.iter().flat_map(|names| names.split(' ')).take(MAX_NAMES - 1);
            Ok(ArticleNames { slug: row.get(0)?, others: others.map(str::to_owned).collect() })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Reader {
    /// The titles of the articles with these slugs that are visible at a moment, in this order. They are known from the heads of articles
    /// whose texts have not been read.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn lines(&self, slugs: &[&Slug], moment: Moment) -> Result<Vec<ArticleLine>> {
        let in_feeds = in_feeds(Audience::Public, "?1");
        let sql = format!(
            "
            SELECT article.slug, json_extract(entry, '$.title') AS title, published, json_extract(entry, '$.language')
            FROM address JOIN article USING (number) JOIN content USING (number)
            WHERE address.slug = ?2 AND article.slug = ?2 AND {in_feeds} AND json_valid(entry) AND title IS NOT NULL"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut lines = Vec::new();
        for slug in slugs {
            let mut rows = statement.query(params![moment.due.timestamp(), slug])?;
            if let Some(row) = rows.next()? {
                let (slug, title, language) = (row.get(0)?, row.get(1)?, row.get(3)?);
                lines.push(ArticleLine { slug, title, published: date(row.get(2)?)?, language });
            }
        }
        Ok(lines)
    }
}

/// The articles that meet a condition on their rows, those that are not deleted first, then the newest.
fn articles(connection: &Connection, condition: &str, names: &[&str]) -> Result<Vec<NamedArticle>> {
    let sql = format!(
        "SELECT slug, path, published, {PAGE} FROM article WHERE {condition} ORDER BY state, published DESC, number LIMIT {MAX_NAMESAKES}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(names))?;
    let mut articles = Vec::new();
    while let Some(row) = rows.next()? {
        let (permalink, path) = (Permalink::new(row.get(0)?, row.get(3)?), path_of(row.get(1)?));
        articles.push(NamedArticle { permalink, path, published: date(row.get(2)?)? });
    }
    Ok(articles)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::catalog::store::bulk_import::tests::{NOW, record};
    use crate::catalog::store::values::UNREAD;
    use crate::model::collection::ArticleState;
    use crate::model::moment::Version;

    #[test]
    fn names_and_titles_are_known_before_texts_have_been_read() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        for path in ["a.md", "b.md"] {
            record(&mut catalog, path);
        }
        let moment = Moment::by_clock(Version::at(now), now);
        catalog.apply_due(moment).unwrap();
        catalog.connection.execute("UPDATE article SET stale = ?1 WHERE number = 1", [UNREAD]).unwrap();
        let reader = Reader::open(directory.path()).unwrap();
        let names = reader.newest_names(moment).unwrap();
        let slugs: Vec<&Slug> = names.iter().map(|names| &names.slug).collect();
        let titles = || reader.lines(&slugs, moment).unwrap().into_iter().map(|line| line.title);
        let mut found: Vec<String> = titles().collect();
        found.sort();
        assert_eq!(found, ["a.md", "b.md"]);
        catalog.withdraw(Path::new("b.md"), ArticleState::Held, Version::at(now).next()).unwrap();
        assert_eq!(titles().collect::<Vec<_>>(), ["a.md"]);
    }
}
