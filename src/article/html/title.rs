//! The title of a page: which heading states it, and titles without the name of the site.

use std::collections::HashSet;
use std::ops::Range;

use super::elements::PageElement;
use super::outline::{Heading, Outline};
use super::references::{Context, resolve};
use super::tokens::Token;
use crate::article::linked_data::LinkedData;
use crate::article::phrases::folded;
use crate::article::summary::is_cjk;

/// Signs between a title and the name of its site.
const SEPARATORS: [&str; 13] =
    [" | ", " - ", " – ", " — ", " :: ", " · ", " • ", " » ", " « ", " ‹ ", " › ", " / ", "｜"];
/// Classes and ids of elements with the name of the site.
const LOGOS: [&str; 17] = [
    "logo",
    "sitelogo",
    "site-logo",
    "site_logo",
    "brand",
    "branding",
    "navbar-brand",
    "site-branding",
    "site-title",
    "site_title",
    "sitetitle",
    "site-name",
    "site_name",
    "sitename",
    "blog-title",
    "blogtitle",
    "blog-name",
];
/// Titles that programs give to pages without one.
const NO_TITLES: [&str; 8] =
    ["untitled", "document", "index", "home", "new page", "no title", "microsoft word", "page title"];
/// Longest `<title>` whose parts are compared with headings, in bytes.
const LONGEST_TITLE: usize = 500;
/// Number of elements around a heading that may mark it as the name of the site.
const MOST_AROUND: usize = 3;
/// Number of elements in a heading that may do so.
const MOST_WITHIN: usize = 20;
/// Fewest letters of a word that two titles may have in common by more than chance.
const SHORTEST_WORD: usize = 4;
/// Fewest words of a `<title>` that a heading without any of them contradicts.
const FEWEST_WORDS: usize = 3;

/// The headings of the highest level, sorted by whether they are the title.
pub struct TitleHeading<'h> {
    /// The heading with the title.
    pub title: Option<&'h Heading>,
    /// Those before it that are only the name of the site or of a section.
    pub others: Vec<&'h Heading>,
}

/// The titles that the metadata of a page states.
#[derive(Debug, Default)]
pub struct Titles {
    /// Titles of the article: `og:title`, `twitter:title`, `headline`.
    articles: Vec<String>,
    /// The text of `<title>`.
    page: Option<String>,
    /// Names of the site.
    sites: Vec<String>,
}

impl Titles {
    pub fn new(outline: &Outline, linked_data: &LinkedData, headline: Option<&str>) -> Self {
        let named = |wanted: &[&str]| {
            let named = outline.meta.iter().filter(|(name, content)| wanted.contains(&&**name) && !content.is_empty());
            named.map(|(_, content)| content.clone()).collect::<Vec<String>>()
        };
        let mut sites = named(&["og:site_name", "application-name", "apple-mobile-web-app-title"]);
        sites.extend(linked_data.site_names());
        let mut articles = named(&["og:title", "twitter:title"]);
        articles.extend(headline.map(str::to_owned));
        for text in sites.iter_mut().chain(&mut articles) {
            *text = resolve(text, Context::Attribute).into_owned();
        }
        articles.retain(|title| !sites.iter().any(|site| is_same_site(title, site)));
        Self { articles, page: outline.title.clone(), sites }
    }

    /// The heading that states the title: the first `<h1>` that agrees with the metadata. `is_logo` says whether the heading that
    /// starts at a place in the source is marked as the name of the site.
    pub fn heading<'h>(&mut self, headings: &'h [Heading], is_logo: impl Fn(usize) -> bool) -> TitleHeading<'h> {
        let mut others = Vec::new();
        for heading in headings.iter().filter(|heading| heading.level == 1) {
            let is_logo = is_logo(heading.start);
            if self.accepts(heading, is_logo, headings) {
                return TitleHeading { title: Some(heading), others };
            }
            self.sites.push(heading.text.clone());
            others.push(heading);
        }
        TitleHeading { title: None, others }
    }

    /// Whether a heading may be the title.
    fn accepts(&self, heading: &Heading, is_logo: bool, headings: &[Heading]) -> bool {
        let text = folded(&heading.text);
        let is_equal = |title: &String| folded(title) == text;
        if self.articles.iter().any(is_equal) {
            return true;
        }
        if self.articles.is_empty() && self.page.as_ref().is_none_or(is_equal) {
            // There is no other title, but a logo may stand above it.
            let is_other = |other: &Heading| other.level == 1 && other.text != heading.text;
            return !is_logo || self.page.is_some() || !headings.iter().any(is_other);
        }
        if is_logo || self.is_site(&heading.text) {
            return false;
        }
        if !self.articles.is_empty() {
            let is_stated = |other: &Heading| self.articles.iter().any(|title| folded(title) == folded(&other.text));
            let is_part = || self.articles.iter().any(|title| folded(title).contains(&text));
            return self.articles.iter().chain(&self.page).any(|title| shares_words(&heading.text, title))
                && (is_part() || !headings.iter().any(is_stated));
        }
        let Some(page) = &self.page else { return true };
        // The name of the site stands at the end of the `<title>`, and as the heading above that of the article.
        let site = Self { sites: vec![heading.text.clone()], ..Self::default() };
        let is_before = |other: &Heading| {
            other.start > heading.start
                && site.without_end(page).is_some_and(|rest| folded(rest) == folded(&other.text))
        };
        if headings.iter().any(is_before) {
            return false;
        }
        shares_words(&heading.text, page) || !self.is_telling(page, headings)
    }

    /// Whether a `<title>` is surely the title of the article.
    fn is_telling(&self, page: &str, headings: &[Heading]) -> bool {
        let folded_page = folded(page);
        let is_placeholder = NO_TITLES.iter().any(|placeholder| folded_page.starts_with(placeholder));
        let title = folded(&self.without_site(page));
        let is_heading = || headings.iter().any(|heading| folded(&heading.text) == title);
        !is_placeholder && (words(page).len() >= FEWEST_WORDS || is_heading())
    }

    fn is_site(&self, text: &str) -> bool {
        self.sites.iter().any(|site| is_same_site(text, site))
    }

    /// A title without the name of the site before or after it.
    pub fn without_site(&self, title: &str) -> String {
        let mut title = title.trim();
        while let Some(shorter) = self.without_part(title) {
            title = shorter;
        }
        title.to_owned()
    }

    fn without_part<'t>(&self, title: &'t str) -> Option<&'t str> {
        self.without_end(title).or_else(|| {
            let rest = SEPARATORS.iter().find_map(|separator| {
                let (site, rest) = title.split_once(separator)?;
                self.is_site(site).then(|| rest.trim())
            });
            rest.filter(|rest| rest.chars().any(char::is_alphanumeric))
        })
    }

    fn without_end<'t>(&self, title: &'t str) -> Option<&'t str> {
        let rest = SEPARATORS.iter().find_map(|separator| {
            let (rest, site) = title.rsplit_once(separator)?;
            self.is_site(site).then(|| rest.trim())
        });
        rest.filter(|rest| rest.chars().any(char::is_alphanumeric))
    }

    /// The part of a `<title>` that a heading of the page repeats, wherever it stands: the rest names the site. If the heading is the name
    /// of the site, the rest is the title.
    pub fn part_by_heading(title: &str, headings: &[Heading], is_logo: impl Fn(usize) -> bool) -> Option<String> {
        if title.len() > LONGEST_TITLE {
            return None;
        }
        let splits: Vec<(&str, &str)> = SEPARATORS
            .iter()
            .flat_map(|separator| title.match_indices(separator))
            .map(|(at, separator)| (title[..at].trim(), title[at + separator.len()..].trim()))
            .filter(|(start, end)| [start, end].iter().all(|part| part.chars().any(char::is_alphanumeric)))
            .collect();
        headings.iter().filter(|heading| heading.level == 1).find_map(|heading| {
            let (text, is_logo) = (folded(&heading.text), is_logo(heading.start));
            splits.iter().find_map(|(start, end)| {
                let part = match (folded(start) == text, folded(end) == text) {
                    (true, _) => {
                        if is_logo {
                            end
                        } else {
                            start
                        }
                    }
                    // Names of sites mostly stand at the end, and are short.
                    (_, true) => {
                        if is_logo || words(end).len() < words(start).len() {
                            start
                        } else {
                            end
                        }
                    }
                    _ => return None,
                };
                Some((*part).to_owned())
            })
        })
    }

    /// Where a text shows headings that are not needed, if no `<h1>` is its title: the names of the site and of a section, and
    /// the first heading that repeats the title of the metadata.
    pub fn repeated(&self, headings: &[Heading], others: &[&Heading]) -> Vec<Range<usize>> {
        let title = self.stated().map(|title| folded(&title));
        let repeated = headings.iter().find(|heading| title.as_ref() == Some(&folded(&heading.text)));
        others.iter().copied().chain(repeated).filter_map(|heading| heading.range.clone()).collect()
    }

    /// The title of the article in the metadata, without the name of the site.
    fn stated(&self) -> Option<String> {
        self.articles.first().or(self.page.as_ref()).map(|title| self.without_site(title))
    }
}

/// Whether two texts name one site: also as a host (`Salon.com`), and with or without an article before the name.
fn is_same_site(one: &str, other: &str) -> bool {
    let name = |text: &str| {
        let folded = folded(text);
        let name = folded.strip_prefix("the ").unwrap_or(&folded);
        let name = name.strip_prefix("www.").unwrap_or(name);
        let host = name.rsplit_once('.').filter(|(_, end)| (2..=4).contains(&end.len()) && !end.contains(' '));
        host.map_or(name, |(host, _)| host).to_owned()
    };
    let one = name(one);
    !one.is_empty() && one == name(other)
}

/// Whether the heading that starts at a place in the source is the logo of a page: it leads to the front page, or a class or id
/// says so.
pub fn marks_logo(elements: &[PageElement<'_>], tokens: &[Token<'_>], start: usize) -> bool {
    let place = elements.binary_search_by_key(&start, |element| tokens[element.tokens.start].range.start);
    let Ok(index) = place else { return false };
    let is_mark = |element: &PageElement<'_>| {
        let id = element.tag.attribute("id").unwrap_or_default().to_ascii_lowercase();
        let is_named = element.tag.has_class(&LOGOS) || LOGOS.contains(&id.as_str());
        is_named || (element.tag.name == "a" && is_front_page(element))
    };
    let mut around = std::iter::successors(Some(index), |index| elements[*index].parent).take(1 + MOST_AROUND);
    let mut within = elements[index + 1..elements[index].end].iter().take(MOST_WITHIN);
    within.any(is_mark) || around.any(|index| is_mark(&elements[index]))
}

/// Whether a link leads to the front page of a site.
fn is_front_page(link: &PageElement<'_>) -> bool {
    let Some(address) = link.tag.attribute("href") else { return false };
    let path = match address.split_once("//") {
        Some(("" | "http:" | "https:", rest)) => rest.split_once('/').map_or("/", |(_, path)| path),
        _ => &address,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_here = address.starts_with(['#', '?']);
    !is_here && matches!(path, "" | "/" | "./" | "index.html" | "/index.html" | "/index.php")
}

/// Whether two titles have a word in common that is not in most titles.
fn shares_words(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let is_long = |word: &&String| word.chars().count() >= SHORTEST_WORD || !word.is_ascii();
    let has_long = |words: &HashSet<String>| words.iter().any(|word| is_long(&word));
    let counts = |word: &&String| !(has_long(&one) && has_long(&other)) || is_long(word);
    one.intersection(&other).any(|word| counts(&word))
}

/// The words of a title; a text without spaces between words has each character for a word.
fn words(title: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    for word in folded(title).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.chars().any(is_cjk) {
            words.extend(word.chars().map(String::from));
        } else {
            words.insert(word.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Clean;

    #[test]
    fn names_of_sites_are_cut_off() {
        let titles = |sites: &[&str]| Titles {
            sites: sites.iter().map(|site| (*site).to_owned()).collect(),
            ..Titles::default()
        };
        for (title, site, expected) in [
            ("Ferry line closes - The Cape Post", "The Cape Post", "Ferry line closes"),
            ("Ferry line closes | Cape Post", "The Cape Post", "Ferry line closes"),
            ("The Cape Post – Ferry line closes", "the cape post", "Ferry line closes"),
            ("Ferry - line - closes - The Cape Post", "The Cape Post", "Ferry - line - closes"),
            ("Ferry | Cape Post | Cape Post", "Cape Post", "Ferry"),
            ("Ferry | Salon.com", "Salon", "Ferry"),
            ("Ferry - a history", "The Cape Post", "Ferry - a history"),
            ("The Cape Post", "The Cape Post", "The Cape Post"),
            ("- | The Cape Post", "The Cape Post", "- | The Cape Post"),
            ("渡船停航｜海角报", "海角报", "渡船停航"),
        ] {
            assert_eq!(titles(&[site]).without_site(title), expected, "{title}");
        }
    }

    #[test]
    fn titles_share_words() {
        for (one, other, expected) in [
            ("Ferry line closes", "The ferry closes in May", true),
            ("The News", "The ferry closes", false),
            ("U2", "U2", true),
            ("渡船停航", "海角渡船", true),
            ("Café", "café olé", true),
            ("", "a", false),
        ] {
            assert_eq!(shares_words(one, other), expected, "{one} / {other}");
        }
    }

    /// Reads a page; returns its title and the text of its body.
    fn read(head: &str, body: &str) -> (String, String) {
        let html = format!(
            "<html><head>{head}</head><body>{body}<p>The ferry stops in May, its owner says.</p></body></html>"
        );
        let body = crate::article::html::read(&html, None, chrono_tz::UTC, Clean::Safe).expect("no draft");
        let words = body.html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
        let words: Vec<&str> = words.filter(|text| !text.is_empty() && !text.starts_with("The ferry stops")).collect();
        (body.header.title.unwrap_or_default(), words.join(" | "))
    }

    const TITLE: &str = "<title>Ferry line closes in May - The Cape Post</title>";
    const STATED: &str =
        "<title>Ferry line closes in May</title><meta property=og:title content='Ferry line closes in May'>";

    /// The logo of a site or the name of a section was once the title of all its articles.
    #[test]
    fn a_logo_or_a_section_is_no_title() {
        let site = format!("{TITLE}<meta property=og:site_name content='The Cape Post'>");
        for (head, body, rest) in [
            (site.as_str(), "<h1 class=logo><a href=/>The Cape Post</a></h1><h2>Ferry line closes in May</h2>", ""),
            (&site, "<h1>The Cape Post</h1><h2>Ferry line closes in May</h2>", ""),
            (&site, "<h1>Cape Post</h1>", ""),
            (TITLE, "<h1><a href='https://cape.example/'>The Cape Post</a></h1><h3>Ferry line closes in May</h3>", ""),
            (TITLE, "<div id=logo><h1>The Cape Post</h1></div><h2>Other</h2>", "Other"),
            (STATED, "<h1>Salon</h1>", ""),
            (STATED, "<h1>News</h1><h2>Ferry line closes in May</h2><h2>Other</h2>", "Other"),
            (STATED, "<h1>The News in May</h1><h2>Ferry line closes in May</h2>", ""),
            (TITLE, "<h1 class=site-title>The Cape Post</h1><h1>Ferry line closes in May</h1>", "The Cape Post"),
            ("<title>Ferry line closes in May</title>", "<h1>Local news</h1>", ""),
        ] {
            assert_eq!(read(head, body), ("Ferry line closes in May".into(), rest.into()), "{head} {body}");
        }
    }

    /// A heading above the text once did not tell the title from the name of the site.
    #[test]
    fn a_heading_outside_of_the_article_tells_the_title() {
        for (title, above, expected) in [
            (
                "Storm closes the harbour | Tide News",
                "<header><h1>Storm closes the harbour</h1></header>",
                "Storm closes the harbour",
            ),
            ("Storm closes the harbour | Tide News", "<header><h1>Tide News</h1></header>", "Storm closes the harbour"),
            (
                "Tide News – Storm closes the harbour",
                "<header><h1>Storm closes the harbour</h1></header>",
                "Storm closes the harbour",
            ),
            (
                "Tide News | Storm closes",
                "<header><h1 class=logo><a href=/>Tide News</a></h1></header>",
                "Storm closes",
            ),
            ("Storm | harbour - News | Tide", "<header><h1>Storm | harbour</h1></header>", "Storm | harbour"),
            (
                "Storm closes the harbour - a diary",
                "<header><h1>Weather</h1></header>",
                "Storm closes the harbour - a diary",
            ),
            ("Storm closes the harbour | Tide News", "", "Storm closes the harbour | Tide News"),
        ] {
            let body = format!(
                "{above}<article><p>The harbour was closed on Sunday after a storm tore away two planks.</p></article>"
            );
            let html = format!("<html><head><title>{title}</title></head><body>{body}</body></html>");
            let body = crate::article::html::read(&html, None, chrono_tz::UTC, Clean::Safe).expect("no draft");
            assert_eq!(body.header.title.as_deref(), Some(expected), "{html}");
        }
    }

    /// Programs escape titles once too often. A text about references itself shows them.
    #[test]
    fn references_in_metadata_become_characters() {
        let data = |text: &str| {
            format!("<script type='application/ld+json; charset=utf-8'>{{\"@type\":\"Article\",{text}}}</script>")
        };
        for (head, body, expected) in [
            (data("\"headline\":\"Ann &amp; Bob&#8217;s boat\""), "", "Ann & Bob’s boat"),
            ("<meta property=og:title content='Ann &amp;amp; Bob&amp;#8217;s boat'>".into(), "", "Ann & Bob’s boat"),
            (
                "<meta property=og:title content='Why &amp;amp; is written'>".into(),
                "<p>Write <code>&amp;amp;</code>.</p>",
                "Why &amp; is written",
            ),
            ("<title>Why &amp;lt; is written</title>".into(), "<p>Write &amp;lt; there.</p>", "Why &lt; is written"),
            ("<title>AT&T; or not</title>".into(), "", "AT&T; or not"),
        ] {
            assert_eq!(read(&head, body).0, expected, "{head}");
        }
        let head = data("\"headline\":\"T\",\"author\":\"Ann O&#039;Hara\",\"description\":\"Two &quot;planks&quot;\"");
        let html = format!("<html><head>{head}</head><body><p>The ferry stops in May.</p></body></html>");
        let header = crate::article::html::read(&html, None, chrono_tz::UTC, Clean::Safe).expect("no draft").header;
        assert_eq!(
            (header.authors[0].name.as_str(), header.summary.as_deref()),
            ("Ann O'Hara", Some("Two \"planks\""))
        );
    }

    #[test]
    fn a_heading_that_agrees_with_the_metadata_is_the_title() {
        for (head, body, title) in [
            (STATED, "<h1>The ferry stops</h1>", "The ferry stops"),
            (STATED, "<h1>Ferry line closes</h1><h2>Ferry line closes in May</h2>", "Ferry line closes"),
            (TITLE, "<h1>Ferry line closes in May</h1>", "Ferry line closes in May"),
            ("", "<h1>My holiday</h1>", "My holiday"),
            ("", "<h1 class=logo><a href=/>My holiday</a></h1>", "My holiday"),
            ("<title>Untitled Document</title>", "<h1>My holiday</h1>", "My holiday"),
            ("<title>Notes</title>", "<h1>My holiday</h1>", "My holiday"),
            (
                "<title>The Cape Post</title><meta property=og:site_name content='The Cape Post'>",
                "<h1>The Cape Post</h1>",
                "The Cape Post",
            ),
        ] {
            assert_eq!(read(head, body).0, title, "{head} {body}");
        }
    }
}
