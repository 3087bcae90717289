//! Pages that are no articles: where they are, what the menu says of them, and the addresses that none can have.

use chrono::{DateTime, Utc};

use super::entry::{Entry, SitePage, Slug};
use super::natural;

/// First parts of addresses of the program itself. No page can be there. The last line has those that later versions and the
/// operator's own listener use.
pub const OWN_PARTS: [&str; 22] = [
    "articles",
    "sections",
    "tags",
    "authors",
    "series",
    "archive",
    "years",
    DIGESTS,
    "media",
    "blogroll",
    "feed",
    "rss",
    "atom", //
    "status",
    "metrics",
    "healthz",
    "readyz",
    "languages",
    "search",
    "views",
    "private",
    "hub",
];

/// First part of the paths of digests.
pub const DIGESTS: &str = "digest";

/// Whether a slug is the first part of an address of the program itself.
pub fn is_own_part(slug: &str) -> bool {
    OWN_PARTS.contains(&slug)
}

/// Maximum number of pages in the menu.
pub const MAX_MENU: usize = 100;

/// Where an entry is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permalink {
    Article(Slug),
    Page(Slug),
    /// A digest, as in `weekly-2026-w48`.
    Digest(Slug),
}

impl Permalink {
    pub fn new(slug: Slug, is_page: bool) -> Self {
        if is_page { Self::Page(slug) } else { Self::Article(slug) }
    }

    pub fn slug(&self) -> &Slug {
        let (Self::Article(slug) | Self::Page(slug) | Self::Digest(slug)) = self;
        slug
    }

    /// The path below the base address, without a slash at its start.
    pub fn path(&self) -> String {
        match self {
            Self::Article(slug) => format!("articles/{slug}"),
            Self::Page(slug) => slug.to_string(),
            Self::Digest(slug) => format!("{}/{}", DIGESTS, slug.replacen('-', "/", 1)),
        }
    }
}

impl Entry {
    /// Where it is served.
    pub fn permalink(&self) -> Permalink {
        match &self.content.page {
            Some(page) if page.is_digest => Permalink::Digest(self.slug.clone()),
            page => Permalink::new(self.slug.clone(), page.is_some()),
        }
    }
}

/// A page in the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    pub slug: Slug,
    pub name: String,
    /// BCP 47 tag of the page's language, if known.
    pub language: Option<String>,
}

/// The pages that every page links to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Menu {
    pub items: Vec<MenuItem>,
    /// When it last changed; 1970 if it has always been empty.
    pub changed: DateTime<Utc>,
}

impl Menu {
    /// Puts pages in their order: those with a place by it, then the others, and of equal ones by their names.
    pub fn sorted(mut pages: Vec<(SitePage, MenuItem)>) -> Vec<MenuItem> {
        pages.sort_by(|(page, item), (other_page, other)| {
            let place = |page: &SitePage| (page.order.is_none(), page.order);
            let by_name = || natural::compare(&item.name, &other.name).then_with(|| item.slug.cmp(&other.slug));
            place(page).cmp(&place(other_page)).then_with(by_name)
        });
        pages.into_iter().map(|(_, item)| item).take(MAX_MENU).collect()
    }

    /// A hash of all that pages show of it.
    pub fn fingerprint(&self) -> [u8; 32] {
        blake3::hash(format!("{:?}", self.items).as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_is_in_the_stated_order_and_then_by_name() {
        let page = |name: &str, order: Option<i64>| {
            let slug = Slug::new(slug::slugify(name)).unwrap();
            (SitePage { order, ..SitePage::default() }, MenuItem { slug, name: name.to_owned(), language: None })
        };
        let pages = vec![
            page("Part 10", None),
            page("part 2", None),
            page("About", None),
            page("Last", Some(30_000)),
            page("First", Some(-1_000)),
            page("Zeta", Some(2_500)),
            page("Alpha", Some(2_500)),
        ];
        let names: Vec<String> = Menu::sorted(pages).into_iter().map(|item| item.name).collect();
        assert_eq!(names, ["First", "Alpha", "Zeta", "Last", "About", "part 2", "Part 10"]);
        let many = (0..MAX_MENU + 5).map(|number| page(&format!("Page {number}"), None)).collect();
        assert_eq!(Menu::sorted(many).len(), MAX_MENU);
    }
}
