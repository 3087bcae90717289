//! The addresses of all articles and pages, for sitemaps.

use rusqlite::params;

use super::error::Result;
use super::reader::Reader;
use super::values::date;
use crate::catalog::visibility::{PAGE, visible};
use crate::model::collection::SitemapLookup;
use crate::model::moment::{Audience, Moment};
use crate::model::site_page::Permalink;

/// Most addresses of one document (standards 147), of which the front page and lists of articles take up to 201.
pub(super) const MAX_URLS: u32 = 50_000 - 201;

impl Reader {
    /// The sitemap, or a part of it by its number from 1, as it was at a moment. A document lists at most `max_urls` articles.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub(super) fn sitemap(&self, part: Option<u32>, moment: Moment, max_urls: u32) -> Result<SitemapLookup> {
        let Moment { version, due } = moment;
        let _transaction = self.same_state()?;
        let visible = visible(Audience::Public, "?1");
        let all = format!("SELECT count(*) FILTER (WHERE {visible}), coalesce(max(revised), 0) FROM article");
        let (count, latest): (u32, i64) =
            self.connection.prepare_cached(&all)?.query_row([due.timestamp()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if latest > version.seconds() {
            return Ok(SitemapLookup::NotYet);
        }
        let parts = count.div_ceil(max_urls);
        let first = match part {
            None if parts > 1 => return Ok(SitemapLookup::Parts(parts)),
            None => 0,
            Some(part) if parts > 1 && (1..=parts).contains(&part) => part - 1,
            Some(_) => return Ok(SitemapLookup::Unknown),
        };
        let articles = format!(
            "SELECT slug, updated, {PAGE} FROM article WHERE {visible} ORDER BY number LIMIT ?2 OFFSET ?2 * ?3"
        );
        let mut statement = self.connection.prepare_cached(&articles)?;
        let mut rows = statement.query(params![due.timestamp(), max_urls, first])?;
        let mut articles = Vec::new();
        while let Some(row) = rows.next()? {
            articles.push((Permalink::new(row.get(0)?, row.get(2)?), date(row.get(1)?)?));
        }
        Ok(SitemapLookup::Articles(articles))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::catalog::store::bulk_import::tests::{NOW, record};
    use crate::catalog::store::database::Catalog;
    use crate::model::moment::Version;

    #[test]
    fn more_articles_than_a_document_may_list_are_in_parts() {
        let directory = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut catalog = Catalog::open(directory.path(), Some("x.example"), now).unwrap();
        let reader = Reader::open(directory.path()).unwrap();
        let moment = Moment { version: Version::at(now), due: now };
        let sitemap = |part| reader.sitemap(part, moment, 2).unwrap();
        let slugs = |lookup| match lookup {
            SitemapLookup::Articles(articles) => {
                assert!(articles.iter().all(|(_, updated)| *updated == now));
                articles.into_iter().map(|(place, _)| place.slug().to_string()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(sitemap(None), SitemapLookup::Articles(Vec::new()));
        for path in ["c.md", "a.md"] {
            record(&mut catalog, path);
        }
        assert_eq!(slugs(sitemap(None)), ["c-md", "a-md"]);
        assert_eq!(sitemap(Some(1)), SitemapLookup::Unknown, "one document holds all");
        record(&mut catalog, "b.md");
        assert_eq!(sitemap(None), SitemapLookup::Parts(2));
        assert_eq!(
            (slugs(sitemap(Some(1))), slugs(sitemap(Some(2)))),
            (vec!["c-md".into(), "a-md".into()], vec!["b-md".into()])
        );
        assert_eq!((sitemap(Some(0)), sitemap(Some(3))), (SitemapLookup::Unknown, SitemapLookup::Unknown));
        let earlier = Moment { version: Version::at(now - TimeDelta::seconds(1)), due: now };
        assert_eq!(reader.sitemap(None, earlier, 2).unwrap(), SitemapLookup::NotYet);
    }
}
