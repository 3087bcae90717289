//! The rules of adoption: which entry of another publisher's feed an article was, so that it keeps the id and the dates by which its
//! readers know it. Pure; `adopted.rs` looks the entries up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use unicode_normalization::UnicodeNormalization;

use crate::article::old_address::comparable_link;
use crate::article::{Article, date as dates, html};
use crate::model::entry::ArticleId;

/// The properties by which an article is matched with entries of another publisher's feed.
#[derive(Debug, Clone, Default)]
pub(super) struct MatchKeys {
    pub path: PathBuf,
    /// The addresses that it states, as [`comparable_link`] gives them.
    pub links: Vec<String>,
    /// Last part of an address that the name of its file would make.
    pub stem: String,
    /// As [`comparable_title`] gives it.
    pub title: String,
    /// The publication date that it states.
    pub published: Option<DateTime<Utc>>,
}

impl MatchKeys {
    pub fn of(article: &Article, path: &Path) -> Self {
        let links = article.link.iter().chain(&article.addresses).map(|link| comparable_link(link));
        Self {
            path: path.to_path_buf(),
            // That of the site says nothing.
            links: links.filter(|link| link != "/").collect(),
            stem: slug::slugify(dates::file_name(path, chrono_tz::UTC).stem.nfc().collect::<String>()),
            title: comparable_title(&article.title),
            published: article.published,
        }
    }

    /// Whether an entry is certainly of another day, by the paths of both.
    fn contradicts(&self, entry: &Adopted) -> bool {
        let of_file = self.path.with_extension("").to_str().and_then(PathDate::of);
        let of_entry = entry.link.as_deref().and_then(PathDate::of);
        match (of_file, of_entry) {
            (Some(file), Some(link)) => {
                !file.agrees(link) && !self.published.is_some_and(|date| link.agrees(PathDate::at(date)))
            }
            _ => false,
        }
    }

    /// Whether an entry was published about when the article was, or its address names the article's day.
    fn is_near(&self, entry: &Adopted) -> bool {
        let Some(own) = self.published else { return false };
        let near = entry.published.is_some_and(|published| (published - own).abs() < TimeDelta::hours(36));
        let by_link = || entry.link.as_deref().and_then(PathDate::of).is_some_and(|link| link.is_day(own));
        near || (entry.published.is_none() && by_link())
    }

    fn is_of_day(&self, entry: &Adopted) -> bool {
        let own = self.published.map(|date| date.date_naive());
        own.is_some() && entry.published.map(|date| date.date_naive()) == own
    }

    /// The only one of several entries that is of the article's day.
    fn of_day<'a>(&self, entries: &[&'a Adopted]) -> Option<&'a Adopted> {
        only(&entries.iter().copied().filter(|entry| self.is_of_day(entry)).collect::<Vec<_>>())
    }

    /// As [`Self::of_day`]; for want of one, the only one that is a day or so away: two publishers may count days in different time
    /// zones.
    fn about_day<'a>(&self, entries: &[&'a Adopted]) -> Option<&'a Adopted> {
        if entries.iter().any(|entry| self.is_of_day(entry)) {
            return self.of_day(entries);
        }
        only(&entries.iter().copied().filter(|entry| self.is_near(entry)).collect::<Vec<_>>())
    }
}

/// The day in an address or in the path of a file, as far as it is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathDate {
    year: i32,
    month: u32,
    day: Option<u32>,
}

impl PathDate {
    /// Finds `2024/05/`, `2024/05/01/`, `2024-05/` or `2024-05-01-…` in a path.
    pub fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let name = |part: &str| {
            let mut words = part.split(['-', '_']);
            let date = Self::of_parts([words.next(), words.next(), words.next()])?;
            Some(date).filter(|date| date.day.is_some() || part.len() <= "2024-05".len())
        };
        (0..parts.len()).find_map(|at| {
            let folders = [Some(parts[at]), parts.get(at + 1).copied(), parts.get(at + 2).copied()];
            Self::of_parts(folders).or_else(|| name(parts[at]))
        })
    }

    fn of_parts([year, month, day]: [Option<&str>; 3]) -> Option<Self> {
        let number = |part: Option<&str>, digits: std::ops::RangeInclusive<usize>| {
            let is_number =
                |part: &&str| digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            part.filter(is_number)?.parse::<u32>().ok()
        };
        let year = number(year, 4..=4).filter(|year| (1990..2100).contains(year))?;
        let month = number(month, 1..=2).filter(|month| (1..=12).contains(month))?;
        let day = number(day, 1..=2).filter(|day| (1..=31).contains(day));
        Some(Self { year: i32::try_from(year).ok()?, month, day })
    }

    pub fn at(date: DateTime<Utc>) -> Self {
        use chrono::Datelike;
        Self { year: date.year(), month: date.month(), day: Some(date.day()) }
    }

    fn is_day(self, date: DateTime<Utc>) -> bool {
        self.day.is_some() && self == Self::at(date)
    }

    /// Whether an article was published then, in any time zone.
    pub fn is_of(self, published: DateTime<Utc>) -> bool {
        let around = if self.day.is_some() { 0..=0 } else { -1..=1 };
        around.into_iter().any(|days| self.agrees(Self::at(published + TimeDelta::days(days))))
    }

    /// Whether both may mean the same day; neither says in which time zone.
    fn agrees(self, other: Self) -> bool {
        let day = |date: Self| chrono::NaiveDate::from_ymd_opt(date.year, date.month, date.day?);
        match (day(self), day(other)) {
            (Some(one), Some(two)) => (one - two).abs() <= TimeDelta::days(1),
            _ => (self.year, self.month) == (other.year, other.month),
        }
    }
}

/// Texts, each with the file that it belongs to; `None` if it belongs to several.
type FileOfText = HashMap<String, Option<PathBuf>>;

/// One of the passes over the folder that adopt a feed, so that certain matches precede likely ones.
#[derive(Debug)]
pub(super) enum MatchPass {
    /// By the addresses that an article states.
    Links,
    /// By the name of its file and the day. Collects the names of files.
    Days(FileOfText),
    /// By the name of its file, if no other article has it. Collects the titles.
    Stems(FileOfText, FileOfText),
    /// By its title, if no other article has it, or by its title and the day.
    Titles(FileOfText),
}

impl MatchPass {
    /// The pass after this one.
    pub fn next(pass: Option<Self>) -> Option<Self> {
        match pass {
            None => Some(Self::Links),
            Some(Self::Links) => Some(Self::Days(HashMap::new())),
            Some(Self::Days(stems)) => Some(Self::Stems(stems, HashMap::new())),
            Some(Self::Stems(_, titles)) => Some(Self::Titles(titles)),
            Some(Self::Titles(_)) => None,
        }
    }

    /// Notes an article that comes up in this pass.
    pub fn count(&mut self, keys: &MatchKeys) {
        let (texts, text) = match self {
            Self::Days(stems) => (stems, &keys.stem),
            Self::Stems(_, titles) => (titles, &keys.title),
            Self::Links | Self::Titles(_) => return,
        };
        let file = texts.entry(text.clone()).or_insert_with(|| Some(keys.path.clone()));
        if file.as_ref() != Some(&keys.path) {
            *file = None;
        }
    }
}

/// Whether a text belongs to this file alone.
fn is_own(texts: &FileOfText, text: &str, path: &Path) -> bool {
    texts.get(text).is_some_and(|file| file.as_deref() == Some(path))
}

/// Addresses of entries beside the one that the catalog records, while a feed is adopted. Each has the numbers of its entries.
#[derive(Debug, Default)]
pub(super) struct OtherAddresses {
    links: HashMap<String, Vec<i64>>,
    stems: HashMap<String, Vec<i64>>,
}

impl OtherAddresses {
    pub fn add(&mut self, number: i64, addresses: &[String]) {
        for link in addresses.iter().map(|address| comparable_link(address)).filter(|link| link != "/") {
            self.stems.entry(stem_of_link(&link)).or_default().push(number);
            self.links.entry(link).or_default().push(number);
        }
    }

    pub fn of_link(&self, link: &str) -> &[i64] {
        self.links.get(link).map_or(&[], Vec::as_slice)
    }

    pub fn of_stem(&self, stem: &str) -> &[i64] {
        self.stems.get(stem).map_or(&[], Vec::as_slice)
    }
}

/// An entry of another publisher's feed.
#[derive(Debug, Clone)]
pub(super) struct Adopted {
    pub id: ArticleId,
    pub guid: Option<String>,
    /// As [`comparable_link`] gives it.
    pub link: Option<String>,
    pub published: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
    /// An article has its id.
    pub is_taken: bool,
}

/// The entries that an article may have been.
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
    let stem: Vec<&Adopted> = candidates.stem.iter().filter(|entry| !keys.contradicts(entry)).collect();
    let stem = if keys.stem.is_empty() || keys.stem == "index" { Vec::new() } else { stem };
    let title: Vec<&Adopted> = candidates.title.iter().filter(|_| !keys.title.is_empty()).collect();
    let by_link = || candidates.links.iter().find_map(|entries| only(&entries.iter().collect::<Vec<_>>()));
    match pass {
        None => by_link().or_else(|| only(&stem)).or_else(|| keys.of_day(&stem)).or_else(|| keys.of_day(&title)),
        Some(MatchPass::Links) => by_link(),
        Some(MatchPass::Days(_)) => keys.about_day(&stem),
        Some(MatchPass::Stems(stems, _)) => only(&stem).filter(|_| is_own(stems, &keys.stem, &keys.path)),
        Some(MatchPass::Titles(titles)) => {
            let of_title = only(&title).filter(|_| is_own(titles, &keys.title, &keys.path));
            of_title.or_else(|| keys.about_day(&title))
        }
    }
}

/// The only entry of several that match, if no article has it yet.
fn only<'a>(entries: &[&'a Adopted]) -> Option<&'a Adopted> {
    if let [entry] = entries { Some(*entry).filter(|entry| !entry.is_taken) } else { None }
}

/// The name of the file that an address would have, as a slug; empty without one.
pub(super) fn stem_of_link(comparable: &str) -> String {
    let path = comparable.split('?').next().unwrap_or_default().trim_start_matches('/');
    if path.is_empty() {
        String::new()
    } else {
        slug::slugify(dates::file_name(Path::new(&format!("{path}.md")), chrono_tz::UTC).stem)
    }
}

/// A title reduced to what no publisher writes in another way: without tags, references, quotation marks and case, with one kind of
/// space and dash.
pub(super) fn comparable_title(title: &str) -> String {
    /// Titles may be escaped more than once.
    const MOST_ESCAPES: usize = 4;
    let mut text = title.to_owned();
    for _ in 0..MOST_ESCAPES {
        let plain = html::one_line(&text);
        if plain == text {
            break;
        }
        text = plain;
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase) {
        match c {
            // Quotation marks, marks of Markdown, and characters without a width.
            '"'
            | '\''
            | '`'
            | '´'
            | '*'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '\u{2018}'..='\u{201F}'
            | '\u{2032}'..='\u{2037}'
            | '\u{AD}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2060}'
            | '\u{FE0E}'
            | '\u{FE0F}'
            | '\u{FEFF}' => {}
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2E3A}' | '\u{2E3B}' | '-' => {
                if !folded.ends_with('-') {
                    folded.push('-');
                }
            }
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    let is_edge = |c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#' | '$' | '%' | '€');
    folded.split_whitespace().collect::<Vec<_>>().join(" ").trim_matches(is_edge).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_name_of_a_file() {
        for (link, expected) in [
            ("/2024/05/storm", "storm"),
            ("/2024-05-01-storm", "storm"),
            ("/posts/20240501_the-storm", "the-storm"),
            ("/v1.2-released", "v1-2-released"),
            ("/?p=12", ""),
            ("/", ""),
            ("/日本", "ri-ben"),
        ] {
            assert_eq!(stem_of_link(link), expected, "{link}");
        }
    }

    #[test]
    fn titles_are_compared_by_what_no_publisher_changes() {
        for (one, other) in [
            ("Storms & tides", "Storms &amp; tides"),
            ("Storms & tides", "Storms &amp;amp; tides"),
            ("The storm – a review", "The storm &#8211; a review"),
            ("The storm - a review", "The storm – a review"),
            ("The storm -- a review", "The storm — a review"),
            ("It's \"over\"", "It&#8217;s &#8220;over&#8221;"),
            ("Wait...", "Wait&hellip;"),
            ("1\u{A0}000 boats", "1 000  boats"),
            ("The STORM", "the storm"),
            ("A *real* `storm`", "A <em>real</em> <code>storm</code>"),
            ("Using <b> in HTML", "Using &lt;b&gt; in HTML"),
            ("a < b", "a &lt; b"),
            ("Cafe\u{301}", "Café"),
            ("« Tempête »", "«\u{A0}Tempête\u{A0}»"),
            ("The storm!", "The storm"),
            ("So\u{AD}lar\u{200B}storm", "Solarstorm"),
        ] {
            assert_eq!(comparable_title(one), comparable_title(other), "{one}");
        }
        for (one, other) in [("Learning C++", "Learning C#"), ("Part 1", "Part 2"), ("a-b", "ab"), ("Storm", "")] {
            assert_ne!(comparable_title(one), comparable_title(other), "{one}");
        }
    }

    fn entry(id: &str, day: Option<i64>) -> Adopted {
        let published = day.map(|day| DateTime::from_timestamp(day * 86_400, 0).unwrap());
        Adopted { id: ArticleId::new(id), guid: None, link: None, published, updated: None, is_taken: false }
    }

    fn keys(path: &str, title: &str, day: Option<i64>) -> MatchKeys {
        MatchKeys {
            path: path.into(),
            links: vec!["/storm".to_owned()],
            stem: slug::slugify(dates::file_name(Path::new(path), chrono_tz::UTC).stem),
            title: title.to_owned(),
            published: day.map(|day| DateTime::from_timestamp(day * 86_400 + 3_600, 0).unwrap()),
        }
    }

    /// The passes in their order, in a folder with these files beside that of `keys`.
    fn passes(keys: &MatchKeys, others: &[&MatchKeys]) -> Vec<MatchPass> {
        let mut passes: Vec<MatchPass> = Vec::new();
        let mut next = MatchPass::next(None);
        while let Some(mut pass) = next {
            others.iter().copied().chain([keys, keys]).for_each(|keys| pass.count(keys));
            next = MatchPass::next(Some(match &pass {
                MatchPass::Links => MatchPass::Links,
                MatchPass::Days(stems) => MatchPass::Days(stems.clone()),
                MatchPass::Stems(stems, titles) => MatchPass::Stems(stems.clone(), titles.clone()),
                MatchPass::Titles(titles) => MatchPass::Titles(titles.clone()),
            }));
            passes.push(pass);
        }
        passes
    }

    /// The match in each of: no pass, the passes of links, of days, of stems, of titles.
    fn check(name: &str, keys: &MatchKeys, candidates: &AdoptedCandidates, expected: [Option<&str>; 5]) {
        let passes = std::iter::once(None).chain(passes(keys, &[]).into_iter().map(Some));
        let ids: Vec<_> =
            passes.map(|pass| decide(pass.as_ref(), keys, candidates).map(|entry| entry.id.clone())).collect();
        let ids: Vec<Option<&str>> = ids.iter().map(|id| id.as_ref().map(|id| &**id)).collect();
        assert_eq!(ids, expected, "{name}");
    }

    #[test]
    fn an_article_is_matched_with_an_entry() {
        let all = keys("storm.md", "the storm", Some(7));
        let none = AdoptedCandidates::default();
        let link = || AdoptedCandidates { links: vec![vec![entry("link", None)]], ..none.clone() };
        let stem = || AdoptedCandidates { stem: vec![entry("stem", None)], ..none.clone() };
        let title = || AdoptedCandidates { title: vec![entry("title", Some(7))], ..none.clone() };
        check("nothing matches", &all, &none, [None; 5]);
        check("a link", &all, &link(), [Some("link"), Some("link"), None, None, None]);
        check("a stem", &all, &stem(), [Some("stem"), None, None, Some("stem"), None]);
        check("a title of the same day", &all, &title(), [Some("title"), None, None, None, Some("title")]);
        let other_day = keys("storm.md", "the storm", Some(8));
        check("a title of another day", &other_day, &title(), [None, None, None, None, Some("title")]);
        let undated = keys("storm.md", "the storm", None);
        check("a title without a date", &undated, &title(), [None, None, None, None, Some("title")]);
        let each = AdoptedCandidates { stem: stem().stem, title: title().title, ..link() };
        check("certain keys come first", &all, &each, [Some("link"), Some("link"), None, Some("stem"), Some("title")]);
        check("a page of a folder has no name", &keys("index.md", "", None), &stem(), [None; 5]);
        check("an article without a title", &keys("storm.md", "", Some(7)), &title(), [None; 5]);
        let two = AdoptedCandidates { links: vec![vec![entry("a", None), entry("b", None)]], ..none.clone() };
        check("of two entries, neither", &all, &two, [None; 5]);
        let taken =
            AdoptedCandidates { links: vec![vec![Adopted { is_taken: true, ..entry("a", None) }]], ..none.clone() };
        check("an entry that has its article", &all, &taken, [None; 5]);
        let second = AdoptedCandidates { links: vec![vec![], vec![entry("link", None)]], ..none };
        check("a second link", &all, &second, [Some("link"), Some("link"), None, None, None]);
    }

    #[test]
    fn entries_of_one_name_or_title_are_distinguished_by_their_day() {
        let weeks = || vec![entry("a", Some(1)), entry("b", Some(7)), entry("c", Some(14))];
        let stems = AdoptedCandidates { stem: weeks(), ..AdoptedCandidates::default() };
        let notes = keys("notes.md", "notes", Some(7));
        check("a name on a day", &notes, &stems, [Some("b"), None, Some("b"), None, None]);
        let titles = AdoptedCandidates { title: weeks(), ..AdoptedCandidates::default() };
        check("a title on a day", &notes, &titles, [Some("b"), None, None, None, Some("b")]);
        check("a day later", &keys("notes.md", "notes", Some(8)), &stems, [None, None, Some("b"), None, None]);
        check("no day", &keys("notes.md", "notes", None), &stems, [None; 5]);
        // Paths that name different months belong to different articles.
        let dated = |link: &str| Adopted { link: Some(link.to_owned()), ..entry("link", None) };
        for (path, link, matches) in [
            ("2024-05-01-storm.md", "/2024/05/storm", true),
            ("2024/05/storm.md", "/2024-05-01-storm", true),
            ("2024-05-01-storm.md", "/2019/03/storm", false),
            ("2024-05-01-storm.md", "/2024/04/30/storm", true),
            ("2024-05-01-storm.md", "/blog/storm", true),
            ("2024-01-05-storm-of-2023-12.md", "/storm-of-2023-12", true),
        ] {
            let candidates = AdoptedCandidates { stem: vec![dated(link)], ..AdoptedCandidates::default() };
            let keys = keys(path, "", None);
            assert_eq!(decide(None, &keys, &candidates).is_some(), matches, "{path} {link}");
        }
        let moved = MatchKeys {
            published: Some("2019-03-04T00:00:00Z".parse().unwrap()),
            ..keys("2024-05-01-storm.md", "", None)
        };
        let candidates = AdoptedCandidates { stem: vec![dated("/2019/03/storm")], ..AdoptedCandidates::default() };
        assert!(decide(None, &moved, &candidates).is_some(), "its stated date is that of the address");
    }

    #[test]
    fn a_name_or_title_of_two_articles_matches_nothing() {
        let (one, other) = (keys("a/storm.md", "the storm", None), keys("b/storm.md", "the storm", None));
        let entries = vec![entry("storm", None)];
        let candidates = AdoptedCandidates { stem: entries.clone(), title: entries, ..AdoptedCandidates::default() };
        for pass in passes(&one, &[&other]) {
            assert!(decide(Some(&pass), &one, &candidates).is_none(), "{pass:?}");
        }
        assert!(passes(&one, &[]).iter().any(|pass| decide(Some(pass), &one, &candidates).is_some()));
    }
}
