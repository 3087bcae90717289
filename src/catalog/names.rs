//! Which article a link means that names no file: an address of the site that the articles come from, or the name of a note. Pure;
//! `store/names.rs` looks the candidates up.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::imports::PathDate;
use crate::article::old_address::comparable_link;
use crate::article::{Article, date as dates};
use crate::folder::distance;
use crate::model::site_page::Permalink;

/// Maximum number of names of an article.
const MAX_NAMES: usize = 200;
/// Maximum length of a name, in bytes.
const MAX_NAME: usize = 1_000;
/// Endings of pages in addresses.
const PAGE_ENDINGS: [&str; 11] =
    [".html", ".htm", ".xhtml", ".php", ".aspx", ".asp", ".jsp", ".md", ".markdown", ".txt", ".org"];
/// Folders of pages that are lists or files, on this and other sites.
const OTHER_PAGES: [&str; 14] = [
    "tag",
    "tags",
    "category",
    "categories",
    "topic",
    "topics",
    "author",
    "authors",
    "sections",
    "archive",
    "archives",
    "media",
    "page",
    "feed",
];

/// An article that a link may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedArticle {
    pub permalink: Permalink,
    /// Path below the watched folder.
    pub path: PathBuf,
    pub published: DateTime<Utc>,
}

/// The names of an article, as they are recorded: addresses with a slash at the start, and slugs after an equals sign. The slug by which
/// it is served is left out.
pub(super) fn names_of(article: &Article, path: &Path, slug: &str) -> BTreeSet<String> {
    // A pattern, such as `/:year/:title/` or `/{{ slug }}/`, is no address.
    let is_plain = |address: &&String| !address.contains(['{', '<']) && !address.contains("/:");
    let addresses = article.addresses.iter().filter(is_plain).map(|address| comparable_link(address));
    let stem = dates::file_name(path, chrono_tz::UTC).stem;
    let slugs = [stem.as_str(), article.title.as_str()].map(slug::slugify).into_iter();
    let slugs = slugs.filter(|name| !name.is_empty() && name != slug).map(|name| by_slug(&name));
    slugs
        .chain(addresses.filter(|address| address.len() > 1))
        .filter(|name| name.len() <= MAX_NAME)
        .take(MAX_NAMES)
        .collect()
}

/// The form in which the slug of a name is recorded.
pub(super) fn by_slug(slug: &str) -> String {
    format!("={slug}")
}

/// The slugs by which links may mean an article.
pub(super) fn slugs_of(names: &BTreeSet<String>, slug: &str) -> BTreeSet<String> {
    let of_name = |name: &String| match name.strip_prefix('=') {
        Some(slug) => slug.to_owned(),
        None => Page::at(name).slug,
    };
    names.iter().map(of_name).chain([slug.to_owned()]).filter(|slug| !slug.is_empty()).collect()
}

/// Stands for all articles of a name among the files that an article refers to. No file has a path with a NUL.
///
/// `name` is an address or the name of a note.
pub fn reference(name: &str) -> PathBuf {
    reference_of_slug(&Page::at(name).slug)
}

/// The references by which links may mean an article, as [`reference()`] gives them.
pub fn references_of(article: &Article, path: &Path) -> Vec<PathBuf> {
    let slug = article.wished_slug();
    slugs_of(&names_of(article, path, &slug), &slug).iter().map(|slug| reference_of_slug(slug)).collect()
}

/// Whether a link may mean an article by its address: not that of a list, a feed or another file.
pub fn may_be_article(link: &str) -> bool {
    let path = link.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let is_page = !last.contains('.') || PAGE_ENDINGS.iter().any(|ending| last.ends_with(ending));
    let is_feed = ["feed", "rss", "atom", "feeds"].contains(&last.as_str());
    is_page && !is_feed && !Page::at(link).is_other()
}

/// Whether a path stands for all articles of a name.
pub fn is_reference(path: &Path) -> bool {
    path.as_os_str().as_bytes().first() == Some(&0)
}

pub(super) fn reference_of_slug(slug: &str) -> PathBuf {
    PathBuf::from(OsString::from_vec([b"\0", slug.as_bytes()].concat()))
}

/// The parts of an address of a page that tell which article it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// The last part, without date and ending, as a slug.
    pub slug: String,
    /// The folders before it.
    folders: PathBuf,
    date: Option<PathDate>,
}

impl Page {
    /// Reads an address, or the name of a note with or without its folders.
    pub fn at(address: &str) -> Self {
        let path = address.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
        let path = path.strip_suffix("/index.html").unwrap_or(path);
        if path.is_empty() {
            return Self { slug: String::new(), folders: PathBuf::new(), date: None };
        }
        let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
        let lower = last.to_lowercase();
        let ending = PAGE_ENDINGS.iter().find(|ending| lower.ends_with(*ending)).map_or(0, |ending| ending.len());
        let last = &last[..last.len().saturating_sub(ending)];
        // The ending keeps what follows a dot.
        let name = dates::file_name(&Path::new(folders).join(format!("{last}.html")), chrono_tz::UTC);
        let date = name.date.map(PathDate::at).or_else(|| PathDate::of(folders));
        let stem = if name.stem.is_empty() { last } else { &name.stem };
        Self { slug: slug::slugify(stem), folders: PathBuf::from(folders), date }
    }

    /// Whether the address certainly is that of an article by its date.
    pub fn has_date(&self) -> bool {
        self.date.is_some()
    }

    /// Whether the address is that of a list or of a file, by its folders.
    pub fn is_other(&self) -> bool {
        self.slug.is_empty()
            || self.folders.iter().any(|folder| OTHER_PAGES.iter().any(|name| folder.eq_ignore_ascii_case(name)))
            || (self.folders.as_os_str().is_empty() && OTHER_PAGES.contains(&self.slug.as_str()))
    }

    /// Whether a page that is no article may have had the address: at the top, or in a folder of pages.
    pub fn may_be_site_page(&self) -> bool {
        !self.slug.is_empty() && ["", "pages", "page", "_pages"].map(Path::new).contains(&self.folders.as_path())
    }

    /// The only article that has the date in the address, or of several the one whose folders the address names.
    pub fn only<'a>(&self, articles: &'a [NamedArticle]) -> Option<&'a NamedArticle> {
        let of_date = articles.iter().filter(|article| self.date.is_none_or(|date| date.is_of(article.published)));
        let of_date: Vec<&NamedArticle> = of_date.collect();
        if let [only] = of_date.as_slice() {
            return Some(only);
        }
        let ranks: Vec<FolderMatch> = of_date.iter().map(|article| self.folder_match(&article.path)).collect();
        let best = ranks.iter().max()?;
        let mut found = of_date.iter().zip(&ranks).filter(|(_, rank)| *rank == best);
        let (article, _) = found.next()?;
        let is_clear = found.next().is_none() && (best.matched > 0 || best.unmatched.0 == 0);
        is_clear.then_some(*article)
    }

    /// How well the folders of a file fit those of the address. Folders that other generators leave out of addresses do not count, nor do
    /// dates.
    fn folder_match(&self, path: &Path) -> FolderMatch {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let own = path.parent().unwrap_or(Path::new(""));
        // The folder of `storm/index.md` is its name.
        let own = if matches!(stem.as_str(), "index" | "_index") { own.parent().unwrap_or(own) } else { own };
        let names = |folders: &Path, is_left_out: fn(&str) -> bool| -> Vec<String> {
            let names = folders.iter().map(|folder| folder.to_string_lossy().to_lowercase());
            names.filter(|name| !name.is_empty() && name != "/" && !is_left_out(name)).collect()
        };
        let wanted = names(&self.folders, |name| name.bytes().all(|byte| byte.is_ascii_digit()));
        let own = names(own, |name| LEFT_OUT.contains(&name));
        let matched = wanted.iter().rev().zip(own.iter().rev()).take_while(|(one, other)| one == other).count();
        FolderMatch { matched, unmatched: Reverse(own.len() - matched) }
    }

    /// The article that is nearest to the one at `from`, of those in folders of these names.
    pub fn nearest<'a>(&self, articles: &'a [NamedArticle], from: &Path) -> Option<&'a NamedArticle> {
        let in_folders = articles.iter().filter(|article| {
            let folder = article.path.parent().unwrap_or(Path::new(""));
            folder.ends_with(&self.folders)
        });
        in_folders.min_by_key(|article| (distance(from, &article.path), article.path.clone()))
    }
}

/// Folders of articles that are no part of their addresses.
const LEFT_OUT: [&str; 4] = ["_posts", "_drafts", "content", "src"];

/// How well the folders of an article fit those of an address: better ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct FolderMatch {
    /// Number of equal folders, from the last one.
    matched: usize,
    /// Number of folders of the article above these.
    unmatched: Reverse<usize>,
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn article(path: &str, day: &str) -> NamedArticle {
        let published = day.parse::<NaiveDate>().unwrap().and_hms_opt(12, 0, 0).unwrap().and_utc();
        let slug = crate::model::entry::Slug::new(slug::slugify(path)).unwrap();
        NamedArticle { permalink: Permalink::Article(slug), path: PathBuf::from(path), published }
    }

    #[test]
    fn the_last_part_of_an_address_names_an_article() {
        for (address, slug) in [
            ("/blog/2013/07/13/first-release/", "first-release"),
            ("/2013/07/first-release.html", "first-release"),
            ("/2013-07-13-first-release", "first-release"),
            ("/posts/First_Release/index.html?x#y", "first-release"),
            ("/posts/2.0/", "2-0"),
            ("/posts/version-1.5.php", "version-1-5"),
            ("Harbour town", "harbour-town"),
            ("notes/Harbour.md", "harbour"),
            ("/", ""),
        ] {
            assert_eq!(Page::at(address).slug, slug, "{address}");
        }
    }

    #[test]
    fn a_date_in_an_address_excludes_articles_of_other_dates() {
        let articles = [article("a/weekly.md", "2013-07-13"), article("b/weekly.md", "2013-08-13")];
        let only = |address: &str| Page::at(address).only(&articles).map(|article| article.path.clone());
        assert_eq!(only("/2013/07/13/weekly/"), Some(PathBuf::from("a/weekly.md")));
        assert_eq!(only("/2013/7/weekly.html"), Some(PathBuf::from("a/weekly.md")));
        assert_eq!(only("/2013/08/14/weekly/"), Some(PathBuf::from("b/weekly.md")), "in another time zone");
        assert_eq!(only("/2013/09/13/weekly/"), None);
        assert_eq!(only("/weekly/"), None, "either of two");
        assert_eq!(Page::at("/weekly/").only(&articles[..1]), Some(&articles[0]));
    }

    #[test]
    fn of_articles_of_one_name_the_folders_of_an_address_decide() {
        let day = "2026-05-20";
        let articles = [
            article("en/news/_posts/2026-05-20-foo.md", day),
            article("ko/news/_posts/2026-05-20-foo.md", day),
            article("content/en/methods/page/Foo.md", day),
            article("content/en/templates/foo/index.md", day),
        ];
        let only = |address: &str| Page::at(address).only(&articles).map(|article| article.path.display().to_string());
        for (address, path) in [
            ("/en/news/2026/05/20/foo/", Some("en/news/_posts/2026-05-20-foo.md")),
            ("/ko/news/2026/05/20/foo/", Some("ko/news/_posts/2026-05-20-foo.md")),
            ("/methods/page/foo/", Some("content/en/methods/page/Foo.md")),
            ("/EN/Templates/foo/", Some("content/en/templates/foo/index.md")),
            ("/news/foo/", None),
            ("/2026/05/20/foo/", None),
            ("/other/foo/", None),
            ("foo", None),
        ] {
            assert_eq!(only(address).as_deref(), path, "{address}");
        }
        let two = [article("foo.md", day), article("a/foo.md", day)];
        let only = |address: &str| Page::at(address).only(&two).map(|article| article.path.clone());
        assert_eq!(only("/foo/"), Some(PathBuf::from("foo.md")), "it has exactly this path");
        assert_eq!(only("/a/foo/"), Some(PathBuf::from("a/foo.md")));
    }

    #[test]
    fn lists_and_files_are_no_articles() {
        for address in ["/tags/rust/", "/category/a/b/", "/page/2/", "/blog/tag/rust/", "/media/a/", "/archive/", "/"] {
            assert!(Page::at(address).is_other(), "{address}");
        }
        for address in ["/blog/rust/", "/2013/07/tags-of-dogs/", "rust", "/posts/archive/"] {
            assert!(!Page::at(address).is_other(), "{address}");
        }
    }

    #[test]
    fn the_nearest_note_of_a_name_wins() {
        let articles =
            [article("x/n.md", "2013-07-13"), article("a/b/n.md", "2013-07-13"), article("n.md", "2013-07-13")];
        let nearest = |name: &str, from: &str| {
            Page::at(name).nearest(&articles, Path::new(from)).map(|article| article.path.display().to_string())
        };
        assert_eq!(nearest("n", "a/b/c.md").as_deref(), Some("a/b/n.md"));
        assert_eq!(nearest("n", "c.md").as_deref(), Some("n.md"));
        assert_eq!(nearest("x/n", "a/b/c.md").as_deref(), Some("x/n.md"));
        assert_eq!(nearest("y/n", "a/b/c.md"), None);
    }

    #[test]
    fn names_are_recorded_if_the_slug_does_not_say_them() {
        let article = Article {
            title: "Harbour town".into(),
            addresses: vec!["/2014/12/12/Timeline.html".into(), "Old name".into(), "/".into()],
            ..Article::default()
        };
        let names = names_of(&article, Path::new("a/harbour.md"), "harbour");
        assert_eq!(
            names.iter().map(String::as_str).collect::<Vec<_>>(),
            ["/2014/12/12/timeline", "/old name", "=harbour-town"]
        );
        let slugs = slugs_of(&names, "harbour");
        assert_eq!(
            slugs.iter().map(String::as_str).collect::<Vec<_>>(),
            ["harbour", "harbour-town", "old-name", "timeline"]
        );
    }
}
