//! Names by which pages mark the parts that are not the article: menus, teasers, comments, forms.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::tokens::Tag;

/// Parts of classes and ids of blocks that are hardly ever the article.
const UNLIKELY: [&str; 42] = [
    "-ad-",
    "ad-break",
    "adsense",
    "advert",
    "agegate",
    "banner",
    "breadcrumb",
    "combx",
    "comment",
    "community",
    "consent",
    "cookie",
    "cover-wrap",
    "disqus",
    "extra",
    "footer",
    "gdpr",
    "header",
    "legends",
    "login",
    "menu",
    "modal",
    "navbar",
    "navigation",
    "newsletter",
    "outbrain",
    "pagination",
    "popup",
    "promo",
    "related",
    "remark",
    "replies",
    "rss",
    "shoutbox",
    "sidebar",
    "skyscraper",
    "social",
    "sponsor",
    "subscri",
    "supplemental",
    "taboola",
    "toolbar",
];
/// Parts of names that speak against the first list.
const MAYBE: [&str; 9] = ["and", "article", "body", "column", "content", "main", "mathjax", "shadow", "story"];
/// Parts of names of blocks with the article.
const POSITIVE: [&str; 11] =
    ["article", "blog", "body", "content", "entry", "main", "page", "post", "story", "text", "prose"];
/// Parts of names of blocks beside the article.
const NEGATIVE: [&str; 27] = [
    "-ad-",
    "advert",
    "banner",
    "combx",
    "comment",
    "com-",
    "contact",
    "footer",
    "gdpr",
    "hidden",
    "masthead",
    "media",
    "meta",
    "outbrain",
    "promo",
    "related",
    "scroll",
    "share",
    "shopping",
    "shoutbox",
    "sidebar",
    "skyscraper",
    "sponsor",
    "social",
    "tags",
    "tool",
    "widget",
];
/// Words in the names of blocks that are never the article, also if the names contain `article` or `content`.
const STRONG: [&str; 34] = [
    "related",
    "recommended",
    "recommendations",
    "recommendation",
    "newsletter",
    "newsletters",
    "signup",
    "subscribe",
    "promo",
    "promos",
    "taboola",
    "outbrain",
    "share",
    "sharing",
    "social",
    "breadcrumb",
    "breadcrumbs",
    "tags",
    "cta",
    "advert",
    "advertisement",
    "sponsored",
    "trending",
    "popular",
    "readmore",
    "recirc",
    "recirculation",
    "footer",
    "sidebar",
    "teaser",
    "teasers",
    "toolbar",
    "disqus",
    "addthis",
];
/// The part of names that speaks against text, but not against pictures.
const OF_PICTURES: &str = "media";
/// Classes and ids of the footers of pages.
const FOOTERS: [&str; 8] = [
    "colophon",
    "footer",
    "footer-container",
    "footer-wrapper",
    "global-footer",
    "main-footer",
    "page-footer",
    "site-footer",
];
/// Classes of asides that belong to the text: its notes, and the boxes that writers set into it.
const NOTES: [&str; 12] = [
    "footnote",
    "footnotes",
    "endnote",
    "endnotes",
    "sidenote",
    "marginnote",
    "admonition",
    "callout",
    "hint",
    "starlight-aside",
    "citation",
    "epigraph",
];
/// Starts of the classes of cards that editors set into a text (Ghost, WordPress). Most consist of a link.
const CARDS: [&str; 12] = [
    "kg-bookmark-card",
    "kg-button-card",
    "kg-callout-card",
    "kg-embed-card",
    "kg-file-card",
    "kg-gallery-card",
    "kg-image-card",
    "kg-product-card",
    "kg-toggle-card",
    "wp-block-button",
    "wp-block-embed",
    "wp-block-file",
];
/// Words in the names of blocks with share buttons.
const SHARE: [&str; 4] = ["share", "sharing", "sharedaddy", "addthis"];
/// Starts of the names of blocks with comments.
const COMMENTS: [&str; 4] = ["comment", "disqus", "respond", "replies"];
/// Roles of elements beside the article (WAI-ARIA 1.2).
const ROLES: [&str; 11] = [
    "alert",
    "alertdialog",
    "banner",
    "complementary",
    "contentinfo",
    "dialog",
    "menu",
    "menubar",
    "navigation",
    "search",
    "toolbar",
];
/// Headings above lists of other articles, forms and comments, in lower case.
static HEADINGS: LazyLock<Headings> = LazyLock::new(|| {
    let (starts, whole) = include_str!("headings.txt").lines().partition::<Vec<_>, _>(|line| line.ends_with(" *"));
    Headings {
        whole: whole.into_iter().collect(),
        starts: starts.iter().map(|line| line.trim_end_matches('*')).collect(),
    }
});

/// Headings by which lists of other articles, forms and comments are found.
struct Headings {
    whole: HashSet<&'static str>,
    /// What such headings start with, with the space before the next word.
    starts: Vec<&'static str>,
}

/// What the classes, the id, the role and the name of an element say about it.
#[derive(Debug, Default, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // Independent facts, read once for each element.
pub struct Marks {
    /// It is hardly ever the article.
    pub is_unlikely: bool,
    /// It is surely not the article. A header may be a part of it.
    pub is_evident: bool,
    /// One of the words in its names is used only for what is not the article.
    pub is_strong: bool,
    /// It has share buttons.
    pub is_share: bool,
    /// It holds the comments of readers, or one of them.
    pub is_comments: bool,
    /// It is an aside or a footer.
    pub is_beside: bool,
    /// It is the footer of the page, or of a part of it.
    pub is_footer: bool,
    /// How much the names speak for the article: the classes and the id each count 25 for or against.
    pub weight: i32,
    /// The same for a block with pictures.
    pub picture_weight: i32,
}

impl Marks {
    /// Reads the names of an element. Its id does not count if it repeats the words of the element's heading.
    pub fn of(tag: &Tag<'_>, has_id_of_heading: bool) -> Self {
        let value = |name| tag.attribute(name).map(|value| value.to_ascii_lowercase()).unwrap_or_default();
        let (class, role) = (value("class"), value("role"));
        let id = if has_id_of_heading { String::new() } else { value("id") };
        let names = format!("{class} {id}");
        let has_role = ROLES.contains(&role.as_str());
        let is_named = |names: &str| has(names, &UNLIKELY) && !has(names, &MAYBE);
        let weight = |names: &str| 25 * (i32::from(has(names, &POSITIVE)) - i32::from(has(names, &NEGATIVE)));
        let (of_class, of_id) = (weight(&class), weight(&id));
        let of_pictures = |names: &str, plain| {
            if names.contains(OF_PICTURES) { weight(&names.replace(OF_PICTURES, "")) } else { plain }
        };
        let (is_strong, is_comments) = (has_word(&names, &STRONG), is_comments(&tag.name, &names));
        Self {
            is_unlikely: is_named(&names) || has_role,
            is_evident: is_named(&names.replace("header", "")) || has_role || is_strong || is_comments,
            is_strong,
            is_share: has_word(&names, &SHARE),
            is_comments,
            is_beside: matches!(&*tag.name, "aside" | "footer") && !is_note(tag, &role),
            is_footer: tag.name == "footer" || names.split_ascii_whitespace().any(|name| FOOTERS.contains(&name)),
            weight: of_class + of_id,
            picture_weight: of_pictures(&class, of_class) + of_pictures(&id, of_id),
        }
    }
}

/// Whether an aside belongs to the text (DPUB-ARIA 1.1 section 3).
fn is_note(tag: &Tag<'_>, role: &str) -> bool {
    let is_of_text = role.strip_prefix("doc-").is_some_and(|role| !matches!(role, "toc" | "index" | "pagelist"));
    tag.name == "aside" && (is_of_text || tag.has_class(&NOTES))
}

/// Whether an element is a card that a writer has set into the text.
pub fn is_card(tag: &Tag<'_>) -> bool {
    let classes = tag.attribute("class").unwrap_or_default();
    classes.split_ascii_whitespace().any(|class| CARDS.iter().any(|card| class.starts_with(card)))
}

fn has(names: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| names.contains(part))
}

fn has_word(names: &str, words: &[&str]) -> bool {
    names.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
}

fn is_comments(element: &str, names: &str) -> bool {
    let starts = |name: &str| {
        let name = name.trim_start_matches("article-").trim_start_matches("post-");
        COMMENTS.iter().any(|start| name.starts_with(start))
    };
    !matches!(element, "article" | "main") && names.split_ascii_whitespace().any(starts)
}

/// Whether a text is the heading of a list of other articles, a form or comments.
pub fn is_heading_of_others(text: &str) -> bool {
    let is_end = |c: char| !c.is_alphanumeric();
    let text = text.trim_matches(is_end).to_lowercase().replace('’', "'");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    HEADINGS.whole.contains(&*text) || HEADINGS.starts.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_other_articles_are_known_in_many_languages() {
        for heading in [
            "Related",
            "Related articles:",
            "READ MORE",
            "You may also like…",
            "More from The Cape Post",
            "Lesen Sie auch",
            "À lire aussi",
            "Te puede interesar",
            "Leggi anche",
            "Leia também",
            "Lees ook",
            "Läs också",
            "Читайте также",
            "関連記事",
            "相关阅读",
            "Don’t miss",
        ] {
            assert!(is_heading_of_others(heading), "{heading}");
        }
        for heading in [
            "Related work",
            "Comments on the text",
            "More",
            "Popular science",
            "The share",
            "",
            "Read",
            "Newsletters of 1848",
        ] {
            assert!(!is_heading_of_others(heading), "{heading}");
        }
        let lines: Vec<&str> = include_str!("headings.txt").lines().collect();
        assert!(lines.len() > 150 && HEADINGS.whole.len() + HEADINGS.starts.len() == lines.len(), "each once");
        assert!(lines.iter().all(|line| !line.is_empty() && line.to_lowercase() == **line));
    }
}
