//! The dates and authors that elements of a page state: microdata, microformats, `rel=author`, bylines.

use std::ops::Range;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::elements::{PageElement, is_inline};
use super::tokens::{Tag, Token, TokenKind};
use crate::article::front_matter::{Field, Header};
use crate::article::{credit, date};
use crate::model::entry::Person;

/// Classes of elements with the names of the authors.
const BYLINES: [&str; 10] = [
    "by-line",
    "author",
    "author-name",
    "author__name",
    "authorname",
    "article-author",
    "article__author",
    "entry-author",
    "post-author",
    "p-author",
];
/// Classes of elements with the date of publication.
const DATES: [&str; 7] =
    ["published", "dt-published", "entry-date", "post-date", "date-published", "article-date", "published-date"];
/// Classes and ids of comments, which have authors and dates of their own.
const COMMENTS: [&str; 8] = [
    "comment",
    "comments",
    "comment-list",
    "commentlist",
    "comments-area",
    "comments-section",
    "respond",
    "disqus_thread",
];
/// Maximum number of tokens in an element with a name or a date.
const MOST_TOKENS: usize = 80;
/// Maximum number of authors of a page.
const MOST_AUTHORS: usize = 20;

/// The sources of names, the best one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CreditSource {
    Microdata,
    Link,
    Class,
}

impl CreditSource {
    fn words(self) -> &'static str {
        match self {
            Self::Microdata => "`itemprop` in the page",
            Self::Link => "`rel=author` in the page",
            Self::Class => "byline of the page",
        }
    }
}

/// Maximum number of elements that are searched for names. Pages state authors at their tops, and lists of hundreds are of other articles.
const MOST_EXAMINED: usize = 500;

/// The names that one element states.
struct Credit {
    source: CreditSource,
    is_in_text: bool,
    /// Index of the item of microdata, or of the element around a link.
    group: Option<usize>,
    names: Vec<String>,
}

/// Reads the dates and authors in a page. Those within the tokens of the article take precedence.
pub fn read(tokens: &[Token<'_>], elements: &[PageElement<'_>], article: &Range<usize>, timezone: Tz) -> Header {
    let mut reader =
        CreditReader { tokens, elements, article, credits: Vec::new(), examined: 0, published: None, updated: None };
    let mut index = 0;
    while index < elements.len() {
        if is_comment(elements[index].tag) {
            index = elements[index].end;
        } else {
            reader.element(index, timezone);
            index += 1;
        }
    }
    reader.header()
}

/// Whether an element has the comments of readers. One that also holds the article does not.
fn is_comment(tag: &Tag<'_>) -> bool {
    if matches!(&*tag.name, "html" | "body" | "main" | "article" | "a" | "span") {
        return false;
    }
    let kind = tag.attribute("itemtype").unwrap_or_default();
    let id = tag.attribute("id").unwrap_or_default().to_ascii_lowercase();
    tag.has_class(&COMMENTS)
        || COMMENTS.contains(&id.as_str())
        || kind.ends_with("Comment")
        || has_property(tag, &["comment"])
}

/// Whether an element states one of these properties (WHATWG HTML section 5.2.2); names are in lower case.
fn has_property(tag: &Tag<'_>, names: &[&str]) -> bool {
    let stated = tag.attribute("itemprop").unwrap_or_default();
    stated.split_ascii_whitespace().any(|name| names.contains(&name.to_ascii_lowercase().as_str()))
}

/// Whether a class marks an element as the names of the authors: one of the list, or any with `byline` in its name.
fn is_byline(tag: &Tag<'_>) -> bool {
    let classes = tag.attribute("class").unwrap_or_default().to_ascii_lowercase();
    classes.contains("byline") || classes.split_ascii_whitespace().any(|class| BYLINES.contains(&class))
}

struct CreditReader<'a> {
    tokens: &'a [Token<'a>],
    elements: &'a [PageElement<'a>],
    article: &'a Range<usize>,
    credits: Vec<Credit>,
    /// Number of elements that were searched for names.
    examined: usize,
    published: Option<DateTime<Utc>>,
    updated: Option<DateTime<Utc>>,
}

impl CreditReader<'_> {
    fn element(&mut self, index: usize, timezone: Tz) {
        let tag = self.elements[index].tag;
        if tag.name == "html" || tag.name == "body" {
            return;
        }
        let is_published = has_property(tag, &["datepublished", "datecreated"])
            || (matches!(&*tag.name, "time" | "abbr") && (tag.find("pubdate").is_some() || tag.has_class(&DATES)));
        if is_published && self.published.is_none() {
            self.published = self.date(index, timezone);
        } else if has_property(tag, &["datemodified"]) && self.updated.is_none() {
            self.updated = self.date(index, timezone);
        }
        let is_link = matches!(&*tag.name, "a" | "span")
            && tag.attribute("rel").is_some_and(|rel| rel.split_ascii_whitespace().any(|word| word == "author"));
        let is_author = has_property(tag, &["author", "creator"]);
        if !(is_author || is_link || is_byline(tag)) || self.examined == MOST_EXAMINED {
            return;
        }
        self.examined += 1;
        if is_author {
            self.push(index, CreditSource::Microdata, self.item_around(index), self.names_of_item(index));
        } else if is_link {
            self.push(index, CreditSource::Link, self.elements[index].parent, self.names(index));
        } else {
            self.push(index, CreditSource::Class, None, self.names(index));
        }
    }

    fn push(&mut self, index: usize, source: CreditSource, group: Option<usize>, names: Vec<String>) {
        if !names.is_empty() && self.credits.len() < 10 * MOST_AUTHORS {
            let start = self.elements[index].tokens.start;
            let is_in_text = self.article.contains(&start);
            // Other articles stand below this one.
            if start >= self.article.end && source != CreditSource::Microdata {
                return;
            }
            self.credits.push(Credit { source, is_in_text, group, names });
        }
    }

    /// The value of a date: of an attribute, else of the text.
    fn date(&self, index: usize, timezone: Tz) -> Option<DateTime<Utc>> {
        let tag = self.elements[index].tag;
        let stated = ["datetime", "content", "title"].iter().find_map(|name| tag.attribute(name));
        stated
            .and_then(|value| date::parse(&value, timezone))
            .or_else(|| date::of_line(&self.text(index)?, timezone))
            .or_else(|| self.date_within(index, timezone))
    }

    /// The value of a `<time>` in an element, as in `<span itemprop=datePublished><time datetime=…>`.
    fn date_within(&self, index: usize, timezone: Tz) -> Option<DateTime<Utc>> {
        let within = self.elements[index + 1..self.elements[index].end].iter().take(MOST_TOKENS);
        within
            .filter(|element| element.tag.name == "time")
            .find_map(|time| date::parse(&time.tag.attribute("datetime")?, timezone))
    }

    /// Index of the element with the item of which an element states a property.
    fn item_around(&self, index: usize) -> Option<usize> {
        let mut around = std::iter::successors(self.elements[index].parent, |index| self.elements[*index].parent);
        around.find(|index| self.elements[*index].tag.find("itemscope").is_some())
    }

    /// The name of a person or an organisation in microdata.
    fn names_of_item(&self, index: usize) -> Vec<String> {
        let within = index + 1..self.elements[index].end;
        let is_name = |index: &usize| has_property(self.elements[*index].tag, &["name"]);
        let names: Vec<String> = within.take(MOST_TOKENS).filter(is_name).flat_map(|index| self.names(index)).collect();
        if names.is_empty() { self.names(index) } else { names }
    }

    /// The names in an element: of its `content`, else of its text, or of the links and bylines in it.
    fn names(&self, index: usize) -> Vec<String> {
        let tag = self.elements[index].tag;
        if tag.name == "meta" || tag.name == "link" || tag.find("content").is_some() {
            return tag.attribute("content").and_then(|name| credit::of_metadata(&name)).into_iter().collect();
        }
        self.text(index).map(|text| credit::of_element(&text)).unwrap_or_default()
    }

    /// The text of an element, with a sign between its blocks; `None` if the element is large.
    fn text(&self, index: usize) -> Option<String> {
        let range = self.elements[index].tokens.clone();
        if range.len() > MOST_TOKENS {
            return None;
        }
        let mut text = String::new();
        for token in &self.tokens[range] {
            match &token.kind {
                TokenKind::Text(part) => text.push_str(&part.resolved()),
                TokenKind::Start(tag) | TokenKind::End(tag) if !is_inline(&tag.name) => text.push_str(" | "),
                _ => {}
            }
        }
        Some(text.trim_matches(|c: char| c == '|' || c.is_whitespace()).to_owned())
    }

    /// The authors are those of the best source within the article, or else in the page.
    fn header(self) -> Header {
        let best = self.credits.iter().min_by_key(|credit| (!credit.is_in_text, credit.source));
        let mut authors: Vec<Person> = Vec::new();
        let mut source = "";
        if let Some(best) = best {
            let is_same = |credit: &&Credit| {
                (credit.source, credit.is_in_text, credit.group) == (best.source, best.is_in_text, best.group)
                    && credit.source != CreditSource::Class
            };
            let others = self.credits.iter().filter(is_same).flat_map(|credit| &credit.names);
            for name in best.names.iter().chain(others).take(MOST_AUTHORS) {
                if !authors.iter().any(|person| person.name == *name) {
                    authors.push(Person { name: name.clone(), ..Person::default() });
                }
            }
            source = best.source.words();
        }
        let header = Header { authors, published: self.published, updated: self.updated, ..Header::default() };
        header
            .with_source(Field::Authors, source)
            .with_source(Field::Published, "date in the page")
            .with_source(Field::Updated, "date in the page")
    }
}

#[cfg(test)]
mod tests {
    use crate::article::ParsedBody;
    use crate::config::Clean;

    /// A page with these parts in its article, or outside of it.
    fn page(within: &str, outside: &str) -> ParsedBody {
        let html = format!(
            "<html><head><title>Snow by evening</title></head><body>{outside}<article><h1>Snow by evening</h1>{within}\
             <p>Snow is expected by evening, first in the hills.</p></article></body></html>"
        );
        crate::article::html::read(&html, None, chrono_tz::UTC, Clean::Safe).expect("no draft")
    }

    fn names(body: &ParsedBody) -> Vec<&str> {
        body.header.authors.iter().map(|person| person.name.as_str()).collect()
    }

    #[test]
    fn authors_in_elements_are_read() {
        let person = "itemprop=\"author creator\" itemscope itemtype=\"http://schema.org/Person\"";
        for (within, expected) in [
            (
                format!("<p class=byline {person}><a rel=author href=/cora itemprop=name>Cora Diaz</a></p>"),
                &["Cora Diaz"][..],
            ),
            (
                format!(
                    "<p {person}>By <b itemprop=name>Cora Diaz</b> and <b itemprop=name>Bo Ek</b>, chief reporters</p>"
                ),
                &["Cora Diaz", "Bo Ek"],
            ),
            (format!("<div {person}><meta itemprop=name content='By Cora Diaz'></div>"), &["Cora Diaz"]),
            ("<meta itemprop=author content='Cora Diaz'>".into(), &["Cora Diaz"]),
            (
                "<span itemprop=author>Cora Diaz</span>, <span itemprop=author>Bo Ek</span>".into(),
                &["Cora Diaz", "Bo Ek"],
            ),
            (
                "<p>By <a rel='author nofollow' href=/a>Cora Diaz</a> and <a rel=author href=/b>Bo Ek</a></p>".into(),
                &["Cora Diaz", "Bo Ek"],
            ),
            ("<div class='story-byline'>By Cora Diaz | 16 April 2015</div>".into(), &["Cora Diaz"]),
            ("<div class='FeatureByline'>By <b>Cora Diaz</b><br>March 25, 2015</div>".into(), &["Cora Diaz"]),
            ("<a class='p-author h-card' href=/>Cora Diaz</a>".into(), &["Cora Diaz"]),
            ("<div class=author>Share this story with all of your friends</div>".into(), &[]),
            ("<a rel=author href=/a>https://a.example/cora</a>".into(), &[]),
            ("<p>A word of <span class=authority>Cora Diaz</span></p>".into(), &[]),
        ] {
            assert_eq!(names(&page(&within, "")), expected, "{within}");
        }
    }

    #[test]
    fn dates_in_elements_are_read() {
        for within in [
            "<time itemprop=datePublished datetime=2015-04-16T20:02:01+00:00>16 April</time>",
            "<meta itemprop=datePublished content=2015-04-16T20:02:01Z>",
            "<span itemprop=datePublished><time datetime=2015-04-16T20:02:01Z>today</time></span>",
            "<time pubdate datetime=2015-04-16T22:02:01+02:00>today</time>",
            "<time class='entry-date published updated' datetime=2015-04-16T20:02:01Z>today</time>",
            "<abbr class=published title=2015-04-16T20:02:01Z>today</abbr>",
            "<time class=dt-published>2015-04-16 20:02:01</time>",
        ] {
            let published = page(within, "").header.published.map(|date| date.to_string());
            assert_eq!(published.as_deref(), Some("2015-04-16 20:02:01 UTC"), "{within}");
        }
        let body = page("<time itemprop=dateModified datetime=2015-04-17>later</time>", "");
        assert_eq!((body.header.published, body.header.updated.is_some()), (None, true));
        for within in ["<time datetime=2015-04-16>in spring</time>", "<time itemprop=datePublished>soon</time>"] {
            assert_eq!(page(within, "").header.published, None, "{within}");
        }
    }

    /// Comments have authors and dates of their own, and so have the teasers of other articles.
    #[test]
    fn credits_of_comments_and_of_other_articles_are_ignored() {
        let other = "<a rel=author href=/x>Dan Other</a><time pubdate datetime=2001-01-01>then</time>";
        for comment in [
            format!("<div class=comments>{other}</div>"),
            format!("<ol id=commentlist>{other}</ol>"),
            format!("<div itemprop=comment itemscope itemtype=https://schema.org/UserComments>{other}</div>"),
        ] {
            let body = page(&comment, &comment);
            assert_eq!((names(&body), body.header.published), (vec![], None), "{comment}");
        }
        let body = page("<div class=byline>By Cora Diaz</div>", "<aside><a rel=author href=/x>Dan Other</a></aside>");
        assert_eq!(names(&body), ["Cora Diaz"]);
    }

    #[test]
    fn metadata_takes_precedence_over_elements() {
        let meta = "<meta name=byl content='By Ann Lee'><meta name=parsely-pub-date content=2020-02-02>";
        let body = page("<p class=byline>By Cora Diaz</p><time pubdate datetime=2001-01-01>then</time>", meta);
        assert_eq!(names(&body), ["Ann Lee"]);
        assert_eq!(body.header.published.unwrap().to_string(), "2020-02-02 00:00:00 UTC");
    }
}
