//! The rules of adoption: which entry of another publisher's feed an article was, so that it keeps the id and the dates by which its
//! readers know it. Pure; `adopted.rs` looks the entries up.

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use url::Url;

use crate::article::{Article, date as dates, phrases};
use crate::model::entry::ArticleId;

/// The properties by which an article is matched with entries of another publisher's feed.
#[derive(Debug, Clone, Default)]
pub(super) struct MatchKeys {
    /// The addresses that it states, as [`comparable_link`] gives them.
    pub links: Vec<String>,
    /// Last part of an address that the name of its file would make.
    pub stem: String,
    pub title: String,
    /// The publication date that it states.
    pub published: Option<DateTime<Utc>>,
}

impl MatchKeys {
    pub fn of(article: &Article, path: &Path) -> Self {
        let links = article.link.iter().chain(&article.addresses).map(|link| comparable_link(link)).collect();
        let title = phrases::folded(&article.title);
        let stem = slug::slugify(dates::file_name(path, chrono_tz::UTC).stem);
        Self { links, stem, title, published: article.published }
    }
}

/// One of the three passes over the folder that adopt a feed, so that certain matches precede likely ones.
#[derive(Debug)]
pub(super) enum MatchPass {
    /// By the addresses that an article states.
    Links,
    /// By the name of its file. Counts the articles of each title.
    Stems(HashMap<String, usize>),
    /// By its title, if no other article has it.
    Titles(HashMap<String, usize>),
}

impl MatchPass {
    /// The pass after this one.
    pub fn next(pass: Option<Self>) -> Option<Self> {
        match pass {
            None => Some(Self::Links),
            Some(Self::Links) => Some(Self::Stems(HashMap::new())),
            Some(Self::Stems(titles)) => Some(Self::Titles(titles)),
            Some(Self::Titles(_)) => None,
        }
    }

    /// Counts an article that comes up in this pass.
    pub fn count(&mut self, keys: &MatchKeys) {
        if let Self::Stems(titles) = self {
            *titles.entry(keys.title.clone()).or_default() += 1;
        }
    }
}

/// An entry of another publisher's feed.
#[derive(Debug, Clone)]
pub(super) struct Adopted {
    pub id: ArticleId,
    pub guid: Option<String>,
    pub published: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
    /// An article has its id.
    pub is_taken: bool,
}

/// The entries that an article may have been; at least two of each kind, if there are so many.
#[derive(Debug, Clone, Default)]
pub(super) struct AdoptedCandidates {
    /// For each of the links.
    pub links: Vec<Vec<Adopted>>,
    pub stem: Vec<Adopted>,
    pub title: Vec<Adopted>,
}

/// Decides which entry an article was. While a feed is adopted, by the key of the pass. Later, by its address, by the name of its
/// file, or by its title if the entry is of the same day: another article may well have the same title.
pub(super) fn decide<'a>(
    pass: Option<&MatchPass>,
    keys: &MatchKeys,
    candidates: &'a AdoptedCandidates,
) -> Option<&'a Adopted> {
    let (by_link, by_stem, by_title) = match pass {
        None => (true, true, true),
        Some(MatchPass::Links) => (true, false, false),
        Some(MatchPass::Stems(_)) => (false, true, false),
        Some(MatchPass::Titles(titles)) => (false, false, titles.get(&keys.title) == Some(&1)),
    };
    let of_link = candidates.links.iter().filter(|_| by_link).find_map(|entries| only(entries));
    let of_stem = Some(&candidates.stem).filter(|_| by_stem && !keys.stem.is_empty() && keys.stem != "index");
    let of_title = Some(&candidates.title).filter(|_| by_title && !keys.title.is_empty());
    let is_of_day = |entry: &&Adopted| {
        let day = |date: Option<DateTime<Utc>>| date.map(|date| date.date_naive());
        pass.is_some() || (keys.published.is_some() && day(entry.published) == day(keys.published))
    };
    of_link
        .or_else(|| of_stem.and_then(|entries| only(entries)))
        .or_else(|| of_title.and_then(|entries| only(entries)).filter(is_of_day))
}

/// The only entry of several that match, if no article has it yet.
fn only(entries: &[Adopted]) -> Option<&Adopted> {
    if let [entry] = entries { Some(entry).filter(|entry| !entry.is_taken) } else { None }
}

/// An address reduced to the parts that tell the pages of a site apart; a path alone stays one.
pub(super) fn comparable_link(link: &str) -> String {
    let path =
        |path: &str| path.trim_end_matches("index.html").trim_end_matches(".html").trim_matches('/').to_lowercase();
    match Url::parse(link) {
        Ok(url) if url.has_host() => {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("/{}{query}", path(url.path()))
        }
        _ => format!("/{}", path(link)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_by_the_parts_that_tell_pages_apart() {
        assert_eq!(comparable_link("https://a.example/2024/05/Storm/"), "/2024/05/storm");
        assert_eq!(comparable_link("http://a.example/2024/05/storm/index.html#x"), "/2024/05/storm");
        assert_eq!(comparable_link("/2024/05/storm.html"), "/2024/05/storm");
        assert_eq!(comparable_link("https://a.example/?p=12"), "/?p=12");
    }

    fn entry(id: &str, day: Option<i64>) -> Adopted {
        let published = day.map(|day| DateTime::from_timestamp(day * 86_400, 0).unwrap());
        Adopted { id: ArticleId::new(id), guid: None, published, updated: None, is_taken: false }
    }

    /// The match in each of: no pass, the pass of links, of stems, of titles.
    fn check(name: &str, keys: &MatchKeys, candidates: &AdoptedCandidates, expected: [Option<&str>; 4]) {
        let titles = || HashMap::from([(keys.title.clone(), 1)]);
        let passes =
            [None, Some(MatchPass::Links), Some(MatchPass::Stems(titles())), Some(MatchPass::Titles(titles()))];
        for (pass, expected) in passes.iter().zip(expected) {
            let id = decide(pass.as_ref(), keys, candidates).map(|entry| &*entry.id);
            assert_eq!(id, expected, "{name}, {pass:?}");
        }
    }

    #[test]
    fn an_article_is_matched_with_an_entry() {
        let keys = |stem: &str, title: &str, day: Option<i64>| MatchKeys {
            links: vec!["/storm".to_owned()],
            stem: stem.to_owned(),
            title: title.to_owned(),
            published: day.map(|day| DateTime::from_timestamp(day * 86_400 + 3_600, 0).unwrap()),
        };
        let all = keys("storm", "the storm", Some(7));
        let none = AdoptedCandidates::default();
        let link = || AdoptedCandidates { links: vec![vec![entry("link", None)]], ..none.clone() };
        let stem = || AdoptedCandidates { stem: vec![entry("stem", None)], ..none.clone() };
        let title = || AdoptedCandidates { title: vec![entry("title", Some(7))], ..none.clone() };
        check("nothing matches", &all, &none, [None; 4]);
        check("a link", &all, &link(), [Some("link"), Some("link"), None, None]);
        check("a stem", &all, &stem(), [Some("stem"), None, Some("stem"), None]);
        check("a title of the same day", &all, &title(), [Some("title"), None, None, Some("title")]);
        let other_day = keys("storm", "the storm", Some(8));
        check("a title of another day", &other_day, &title(), [None, None, None, Some("title")]);
        let undated = keys("storm", "the storm", None);
        check("a title without a date", &undated, &title(), [None, None, None, Some("title")]);
        let each = AdoptedCandidates { stem: stem().stem, title: title().title, ..link() };
        check("certain keys come first", &all, &each, [Some("link"), Some("link"), Some("stem"), Some("title")]);
        check("a page of a folder has no name", &keys("index", "", None), &stem(), [None; 4]);
        check("an article without a title", &keys("storm", "", Some(7)), &title(), [None; 4]);
        let two = AdoptedCandidates { links: vec![vec![entry("a", None), entry("b", None)]], ..none.clone() };
        check("of two entries, neither", &all, &two, [None; 4]);
        let taken =
            AdoptedCandidates { links: vec![vec![Adopted { is_taken: true, ..entry("a", None) }]], ..none.clone() };
        check("an entry that has its article", &all, &taken, [None; 4]);
        let second = AdoptedCandidates { links: vec![vec![], vec![entry("link", None)]], ..none };
        check("a second link", &all, &second, [Some("link"), Some("link"), None, None]);
    }

    #[test]
    fn a_title_of_two_articles_matches_nothing() {
        let keys = MatchKeys { title: "the storm".to_owned(), ..MatchKeys::default() };
        let mut pass = MatchPass::next(MatchPass::next(None)).unwrap();
        pass.count(&keys);
        pass.count(&keys);
        let pass = MatchPass::next(Some(pass));
        let candidates = AdoptedCandidates { title: vec![entry("title", None)], ..AdoptedCandidates::default() };
        assert!(decide(pass.as_ref(), &keys, &candidates).is_none());
        assert!(MatchPass::next(pass).is_none(), "there are three passes");
    }
}
