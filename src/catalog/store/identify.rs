//! Looks up the articles that a file may be, and gives a new article a free id and slug.

use std::path::Path;

use rusqlite::{OptionalExtension, Row, params};

use super::database::Catalog;
use super::error::Result;
use super::import_state::Trace;
use super::values::bytes;
use super::values::{self, LOST, READ_DIFFERENTLY, article_path, date};
use crate::article::Article;
use crate::catalog::identity::{
    self, Arrival, Candidates, Decision, Identity, KnownArticle, Match, RecordedContent, SlugChoice,
};
use crate::catalog::imports::{Adopted, MatchKeys};
use crate::folder::Stat;
use crate::model::collection::ArticleState;
use crate::model::entry::{ArticleId, Slug};
use crate::model::site_page::is_own_part;

impl Catalog {
    /// Decides which article a file is. `is_missing` says whether the file at another path has vanished; `original` is such a path
    /// whose copy the file was, before it was edited.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn identify(
        &mut self,
        arrival: &Arrival<'_>,
        original: Option<&Path>,
        is_missing: impl Fn(&Path) -> bool,
    ) -> Result<Decision> {
        let id = identity::chosen_id(&self.namespace, arrival.article);
        let mut candidates = self.candidates(arrival, id.as_ref(), original)?;
        candidates.mark_missing(is_missing);
        let recorded = match identity::decide(arrival, id.as_ref(), &candidates) {
            Match::CopyOf(path) => return Ok(Decision::CopyOf(path.to_path_buf())),
            Match::SameId(path) => return Ok(Decision::SameId(path.to_path_buf())),
            Match::Known(article) => Some(article),
            Match::New => None,
        };
        let is_fresh = recorded.is_none() && self.is_certainly_new(&arrival.file_hash, arrival.stat)?;
        // Feeds of other publishers have articles only.
        let may_be_adopted = id.is_none() && !is_fresh && arrival.article.page.is_none();
        let adopted = if may_be_adopted { self.adopted_entry_of(arrival, recorded)? } else { None };
        let number = recorded.map(|recorded| recorded.number);
        let slug = match identity::slug_choice(arrival.article, recorded) {
            SlugChoice::Keep(slug) => slug.clone(),
            SlugChoice::FirstFree(wish) => self.free_slug(wish, arrival.path, number, Some(arrival.article))?,
        };
        let identity::Dates { published, updated, due, expires, held_until } =
            identity::dates(arrival, recorded, adopted.as_ref());
        let (id, guid) = match (id, adopted, recorded) {
            (Some(id), _, _) => {
                let guid = identity::chosen_guid(&id, arrival.article);
                (id, guid)
            }
            (None, Some(adopted), _) => (adopted.id, adopted.guid),
            (None, None, Some(recorded)) => (recorded.id.clone(), recorded.guid.clone()),
            (None, None, None) => (self.new_id(arrival.path)?, None),
        };
        let moved_from = recorded.map(|recorded| recorded.path.clone()).filter(|path| path != arrival.path);
        Ok(Decision::Is(Identity {
            number,
            id,
            slug,
            published,
            updated,
            due,
            expires,
            held_until,
            guid,
            moved_from,
            is_fresh,
        }))
    }

    fn candidates(
        &mut self,
        arrival: &Arrival<'_>,
        id: Option<&ArticleId>,
        original: Option<&Path>,
    ) -> Result<Candidates> {
        let mut candidates = Candidates::default();
        let is_free = id.is_none_or(|id| self.is_certainly_unused(Trace::Id(id)));
        if is_free && self.is_certainly_new(&arrival.file_hash, arrival.stat)? {
            return Ok(candidates);
        }
        candidates.at_path = self.article_at(arrival.path)?;
        if let Some(id) = id {
            candidates.with_id = self.article_where("id = ?1", params![id])?;
            return Ok(candidates);
        }
        if candidates.at_path.is_some() {
            return Ok(candidates);
        }
        let order = "file_hash = ?1 ORDER BY state, path = ?2 DESC, revised DESC";
        candidates.with_bytes = self.articles_where(order, params![arrival.file_hash, bytes(arrival.path)])?;
        candidates.same_file = self.same_file(arrival.stat)?;
        candidates.original = original.map_or(Ok(None), |original| self.article_at(original))?;
        Ok(candidates)
    }

    /// The entry of another publisher's feed that the article of a file was.
    fn adopted_entry_of(&mut self, arrival: &Arrival<'_>, recorded: Option<&KnownArticle>) -> Result<Option<Adopted>> {
        let may_be = match recorded {
            Some(recorded) => self.adopting.is_some() && !self.has_adopted(recorded.number)?,
            None => true,
        };
        if may_be { self.adopted_for(&MatchKeys::of(arrival.article, arrival.path)) } else { Ok(None) }
    }

    /// Path of the article with this file, by inode and time of birth.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn path_of_file(&self, stat: Stat) -> Result<Option<std::path::PathBuf>> {
        Ok(self.same_file(stat)?.map(|article| article.path))
    }

    fn same_file(&self, stat: Stat) -> Result<Option<KnownArticle>> {
        if stat.born == 0 {
            return Ok(None);
        }
        self.article_where("inode = ?1 AND born = ?2 AND state < 2", params![stat.inode, stat.born])
    }

    /// The first id for a path that no article has or had.
    pub(super) fn new_id(&self, path: &Path) -> Result<ArticleId> {
        for id in identity::ids(self.namespace, path) {
            if !self.is_taken(&id)? {
                return Ok(id);
            }
        }
        unreachable!("there are more ids than articles")
    }

    /// Whether an article has or had an id.
    pub(super) fn is_taken(&self, id: &str) -> Result<bool> {
        if self.is_certainly_unused(Trace::Id(id)) {
            return Ok(false);
        }
        let sql = "SELECT 1 FROM article WHERE id = ?1 UNION ALL SELECT 1 FROM retired WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.exists([id])?)
    }

    /// The first slug for a text that no other article has or had; slugs of deleted articles are free.
    pub(super) fn free_slug(
        &self,
        wish: &str,
        path: &Path,
        own: Option<i64>,
        article: Option<&Article>,
    ) -> Result<Slug> {
        let is_page = article.is_some_and(|article| article.page.is_some());
        for slug in identity::slugs(wish, path, article) {
            if !(is_page && is_own_part(&slug)) && self.is_free(&slug, own)? {
                return Ok(slug);
            }
        }
        unreachable!("the last slugs are unique")
    }

    fn is_free(&self, slug: &str, own: Option<i64>) -> Result<bool> {
        if self.is_certainly_unused(Trace::Slug(slug)) {
            return Ok(true);
        }
        // During a bulk import, addresses are written at its end.
        if self.is_bulk_importing() {
            return Ok(false);
        }
        let sql = "SELECT number, state FROM address JOIN article USING (number) WHERE address.slug = ?1";
        let holder: Option<(i64, i64)> =
            self.connection.prepare_cached(sql)?.query_row([slug], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(holder.is_none_or(|(number, state)| Some(number) == own || state == ArticleState::Gone as i64))
    }

    fn article_at(&self, path: &Path) -> Result<Option<KnownArticle>> {
        self.article_where("path = ?1 AND state < 2", params![bytes(path)])
    }

    fn article_where(&self, condition: &str, values: impl rusqlite::Params) -> Result<Option<KnownArticle>> {
        Ok(self.articles_where(condition, values)?.into_iter().next())
    }

    fn articles_where(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<KnownArticle>> {
        let sql = format!("SELECT {COLUMNS} FROM article WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(values, |row| Ok(known_article(row)))?;
        rows.map(|row| row?).collect()
    }
}

impl Candidates {
    fn mark_missing(&mut self, is_missing: impl Fn(&Path) -> bool) {
        let one = [&mut self.with_id, &mut self.at_path, &mut self.same_file, &mut self.original];
        for article in one.into_iter().flatten().chain(&mut self.with_bytes) {
            article.is_missing = is_missing(&article.path);
        }
    }
}

/// The columns that [`known_article`] reads.
pub(super) const COLUMNS: &str = "
    number, id, path, state, slug, published, updated, entry_hash, held_until, guid, shown, revised, stale, file_hash,
    (SELECT at FROM tombstone WHERE tombstone.number = article.number AND view = 1)";

pub(super) fn known_article(row: &Row<'_>) -> Result<KnownArticle> {
    Ok(KnownArticle {
        number: row.get(0)?,
        id: row.get(1)?,
        path: article_path(row.get(2)?)?,
        state: super::values::state_of(row.get(3)?)?,
        slug: row.get(4)?,
        published: date(row.get(5)?)?,
        updated: date(row.get(6)?)?,
        entry_hash: row.get(7)?,
        held_until: date(row.get(8)?)?,
        guid: values::guid(row.get(9)?)?,
        shown: values::flag(row, 10)?,
        revised: date(row.get(11)?)?,
        buried: row.get::<_, Option<i64>>(14)?.map(date).transpose()?,
        content: match row.get(12)? {
            LOST => RecordedContent::Lost,
            READ_DIFFERENTLY.. => RecordedContent::Outdated,
            _ => RecordedContent::Current,
        },
        file_hash: row.get(13)?,
        is_missing: false,
    })
}
