//! The dates and authors that elements of a page state: microdata, microformats, `rel=author`, bylines.

use std::ops::Range;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::elements::{PageElement, is_inline};
use super::tokens::{Tag, Token, TokenKind};
use crate::article::front_matter::{Field, Header};
use crate::article::{credit, date, loose_date};
use crate::model::entry::Person;

/// Classes of elements with the names of the authors.
const BYLINES: [&str; 13] = [
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
    "wp-block-post-author__name",
    "wp-block-post-author-name",
    "wp-block-post-author-name__link",
];
/// Classes of elements with the date of publication.
const DATES: [&str; 7] =
    ["published", "dt-published", "entry-date", "post-date", "date-published", "article-date", "published-date"];
/// Classes of elements with a date that may be that of another part of the page.
const PERHAPS_DATES: [&str; 14] = [
    "date",
    "date-header",
    "datetime",
    "timestamp",
    "posted-on",
    "post-time",
    "post-meta-date",
    "entry-meta-date",
    "entry__date",
    "post__date",
    "publish-date",
    "pub-date",
    "byline-date",
    "wp-block-post-date",
];
/// Elements beside the text, whose dates are those of others.
const BESIDE: [&str; 4] = ["nav", "aside", "form", "blockquote"];
/// Words before a date at which a text was changed.
const CHANGED: [&str; 8] =
    ["updat", "modif", "aktualisiert", "geändert", "mis à jour", "actualiz", "aggiornat", "bijgewerkt"];
/// Labels before the name of the author in the metadata for social networks, in lower case.
const LABELS: [&str; 14] = [
    "written by",
    "author",
    "by",
    "verfasst von",
    "geschrieben von",
    "autor",
    "écrit par",
    "auteur",
    "escrito por",
    "scritto da",
    "autore",
    "geschreven door",
    "skriven av",
    "skrevet av",
];
/// Shortest text of a paragraph of the article, in characters.
const SHORTEST: usize = 50;
/// Longest text beside a date that stands alone, in characters.
const LONGEST_BESIDE: usize = 80;
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

/// Where a date stands that nothing marks surely as that of publication, the best one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DatePlace {
    /// In the article, by a class or in a byline.
    Named,
    /// In the article, alone above its text.
    Above,
    /// Before the article, by a class.
    NamedBefore,
    /// Before the article, alone.
    Before,
}

/// Reads the author in the metadata for social networks: `twitter:label1` says what `twitter:data1` is.
pub fn of_labels(meta: &[(String, String)]) -> Header {
    let value = |wanted: &str| meta.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let names = ["1", "2"].iter().find_map(|number| {
        let label = value(&format!("twitter:label{number}"))?.to_lowercase();
        let names = credit::of_element(value(&format!("twitter:data{number}"))?);
        Some(names).filter(|names| LABELS.contains(&label.trim_end_matches(':')) && !names.is_empty())
    });
    let authors = names.unwrap_or_default().into_iter().map(|name| Person { name, ..Person::default() }).collect();
    Header { authors, ..Header::default() }.with_source(Field::Authors, "`twitter:data1` of the page")
}

/// Reads the dates and authors in a page. Those within the tokens of the article take precedence.
pub fn read(tokens: &[Token<'_>], elements: &[PageElement<'_>], article: &Range<usize>, timezone: Tz) -> Header {
    let scope = elements.iter().rposition(|element| {
        let Range { start, end } = element.tokens;
        element.tag.name == "article" && start < article.start && end >= article.end
    });
    let mut reader = CreditReader {
        tokens,
        elements,
        article,
        scope,
        end_of_head: 0,
        credits: Vec::new(),
        dates: Vec::new(),
        examined: 0,
        published: None,
        updated: None,
    };
    reader.end_of_head = reader.end_of_head();
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
    /// The `<article>` around the text. What stands in it behind the text belongs to it as well.
    scope: Option<usize>,
    /// The token at which the first paragraph of the text starts.
    end_of_head: usize,
    credits: Vec<Credit>,
    /// The dates that may be that of publication.
    dates: Vec<(DatePlace, DateTime<Utc>)>,
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
        } else {
            self.possible_date(index, timezone);
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
            let names = self.names(index);
            if let Some(date) = self.date_behind(index, &names, timezone) {
                self.dates.extend(self.place(index).map(|place| (place, date)));
            }
            self.push(index, CreditSource::Class, None, names);
        }
    }

    /// The token at which the first paragraph of the text starts: the first one that is long, else the first one without a date.
    fn end_of_head(&self) -> usize {
        let is_in_text = |element: &&PageElement<'_>| self.article.contains(&element.tokens.start);
        let paragraphs = || self.elements.iter().filter(is_in_text).filter(|element| element.tag.name == "p");
        let is_time = |token: &Token<'_>| matches!(&token.kind, TokenKind::Start(tag) if tag.name == "time");
        let is_text = |element: &&PageElement<'_>| !self.tokens[element.tokens.clone()].iter().any(is_time);
        let length = |element: &PageElement<'_>| {
            let texts = self.tokens[element.tokens.clone()].iter().filter_map(|token| match &token.kind {
                TokenKind::Text(text) => Some(text.source.len()),
                _ => None,
            });
            texts.sum::<usize>()
        };
        let first = paragraphs().find(|element| length(element) >= SHORTEST).or_else(|| paragraphs().find(is_text));
        first.map_or(self.article.end, |element| element.tokens.start)
    }

    /// Where an element with a date stands, if it belongs to the article or stands before it.
    fn place(&self, index: usize) -> Option<DatePlace> {
        let start = self.elements[index].tokens.start;
        if self.around(index).any(|index| BESIDE.contains(&&*self.elements[index].tag.name)) {
            return None;
        }
        if self.article.contains(&start) || self.is_in_scope(index) {
            return Some(DatePlace::Named);
        }
        (start < self.article.start).then_some(DatePlace::NamedBefore)
    }

    /// Whether an element stands in the `<article>` around the text, and in no other in that.
    fn is_in_scope(&self, index: usize) -> bool {
        self.scope.is_some()
            && self.around(index).find(|index| self.elements[*index].tag.name == "article") == self.scope
    }

    /// Notes the date of an element whose class says that it has one, or of a `<time>` that stands alone above the text.
    fn possible_date(&mut self, index: usize, timezone: Tz) {
        let tag = self.elements[index].tag;
        let is_named = matches!(&*tag.name, "time" | "abbr" | "span" | "div" | "p" | "h2" | "li" | "a")
            && (tag.has_class(&PERHAPS_DATES) || tag.has_class(&DATES));
        if !is_named && tag.name != "time" || self.dates.len() == MOST_EXAMINED {
            return;
        }
        let Some(place) = self.place(index) else { return };
        let place = match place {
            _ if is_named => place,
            DatePlace::Named if self.elements[index].tokens.start < self.end_of_head => DatePlace::Above,
            DatePlace::NamedBefore => DatePlace::Before,
            _ => return,
        };
        let beside =
            if tag.name == "time" { self.text_beside(index) } else { Some(self.text(index).unwrap_or_default()) };
        let Some(beside) = beside.map(|beside| beside.to_lowercase()) else { return };
        let date = if is_named { self.date(index, timezone) } else { self.date_of_time(index, timezone) };
        let Some(date) = date else { return };
        if CHANGED.iter().any(|word| beside.contains(word)) {
            self.updated = self.updated.or(Some(date));
        } else {
            self.dates.push((place, date));
        }
    }

    /// The date of a `<time>` that shows a date: `<time datetime=2015-04-16>in spring</time>` is about another one.
    fn date_of_time(&self, index: usize, timezone: Tz) -> Option<DateTime<Utc>> {
        let value = self.elements[index].tag.attribute("datetime")?;
        let text = self.text(index)?;
        let is_date = text.is_empty() || text.contains(|c: char| c.is_ascii_digit());
        is_date.then(|| date::parse(&value, timezone)).flatten()
    }

    /// The text in the block around a date, without the date. `None` if it is a sentence.
    fn text_beside(&self, index: usize) -> Option<String> {
        let block = self.around(index).find(|index| !is_inline(&self.elements[*index].tag.name));
        let Some(block) = block else { return Some(String::new()) };
        let (own, range) = (&self.elements[index].tokens, &self.elements[block].tokens);
        let is_block = |token: &Token<'_>| match &token.kind {
            TokenKind::Start(tag) | TokenKind::End(tag) => !is_inline(&tag.name),
            _ => false,
        };
        let nearby = |part: Range<usize>, is_before: bool| {
            let part = &self.tokens[part];
            let edge = if is_before {
                part.iter().rposition(is_block).map_or(0, |at| at + 1)..part.len()
            } else {
                0..part.iter().position(is_block).unwrap_or(part.len())
            };
            part.get(edge).filter(|part| part.len() <= MOST_TOKENS).map(super::tokens::text)
        };
        let start = range.start.max(own.start.saturating_sub(MOST_TOKENS));
        let end = range.end.min(own.end + MOST_TOKENS);
        let text = format!("{} {}", nearby(start..own.start, true)?, nearby(own.end..end, false)?);
        let text = text.trim().to_owned();
        let is_separated =
            || text.contains(['|', '•', '·', '—', '–', '/', ':']) || !credit::of_element(&text).is_empty();
        let is_label = || text.split_whitespace().count() <= 3;
        let is_sentence = text.ends_with(['.', '!', '?', '。']) || text.chars().count() > LONGEST_BESIDE;
        (!is_sentence && (is_label() || is_separated())).then_some(text)
    }

    /// The date behind the names in a byline.
    fn date_behind(&self, index: usize, names: &[String], timezone: Tz) -> Option<DateTime<Utc>> {
        let text = self.text(index)?;
        let rest = &text[text.rfind(names.last()?.as_str())? + names.last()?.len()..];
        let is_between = |c: char| c.is_whitespace() || "|•·—–-/,".contains(c);
        let rest = rest.trim_matches(is_between);
        let part = rest.split(['|', '•', '·', '/']).map(str::trim);
        part.chain([rest]).find_map(|part| date_of(part, timezone))
    }

    fn push(&mut self, index: usize, source: CreditSource, group: Option<usize>, names: Vec<String>) {
        if !names.is_empty() && self.credits.len() < 10 * MOST_AUTHORS {
            let start = self.elements[index].tokens.start;
            let is_in_text = self.article.contains(&start) || self.is_in_scope(index);
            // Other articles stand below this one.
            if start >= self.article.end && !self.is_in_scope(index) && source != CreditSource::Microdata {
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
            .or_else(|| date_of(&self.text(index)?, timezone))
            .or_else(|| self.date_within(index, timezone))
    }

    /// The value of a `<time>` in an element, as in `<span itemprop=datePublished><time datetime=…>`.
    fn date_within(&self, index: usize, timezone: Tz) -> Option<DateTime<Utc>> {
        let within = self.elements[index + 1..self.elements[index].end].iter().take(MOST_TOKENS);
        within
            .filter(|element| element.tag.name == "time")
            .find_map(|time| date::parse(&time.tag.attribute("datetime")?, timezone))
    }

    /// The elements around an element, the innermost first.
    fn around(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.elements[index].parent, |index| self.elements[*index].parent)
    }

    /// Index of the element with the item of which an element states a property.
    fn item_around(&self, index: usize) -> Option<usize> {
        self.around(index).find(|index| self.elements[*index].tag.find("itemscope").is_some())
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

    /// The date of the best place. Several dates before the article are of others.
    fn possible(&self) -> Option<DateTime<Utc>> {
        let place = self.dates.iter().map(|(place, _)| *place).min()?;
        let mut dates = self.dates.iter().filter(|(other, _)| *other == place).map(|(_, date)| *date);
        let first = dates.next()?;
        let is_in_article = matches!(place, DatePlace::Named | DatePlace::Above);
        (is_in_article || dates.all(|date| date == first)).then_some(first)
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
        let published = self.published.or_else(|| self.possible());
        let header = Header { authors, published, updated: self.updated, ..Header::default() };
        header
            .with_source(Field::Authors, source)
            .with_source(Field::Published, "date in the page")
            .with_source(Field::Updated, "date in the page")
    }
}

/// The date that a text consists of.
fn date_of(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    loose_date::of_any_line(&crate::article::summary::one_line(text), timezone)
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

    #[test]
    fn dates_that_nothing_marks_surely_are_read() {
        let stated = |body: ParsedBody| body.header.published.map(|date| date.date_naive().to_string());
        for part in [
            "<time datetime=2019-03-05>March 5</time>",
            "<time datetime=2019-03-05T10:00:00+00:00></time>",
            "<div class=wp-block-post-date><time datetime=2019-03-05T10:00:00Z>March 5, 2019</time></div>",
            "<p>Published on <time datetime=2019-03-05>5 March</time></p>",
            "<p>By Ann Lee · <time datetime=2019-03-05>5 March</time> · 4 minutes to read</p>",
            "<time class=published>5. März 2019</time>",
            "<time class=entry-date>March 5, 2019 10:00 am</time>",
            "<span class=date>March 5, 2019</span>",
            "<div class='entry-date'>5 March 2019</div>",
            "<p class='post-meta published'>Le 5 mars 2019 à 10h20</p>",
            "<h2 class=date-header><span>Tuesday, March 5, 2019</span></h2>",
            "<p class=byline>By Ann Lee March 5, 2019</p>",
            "<p class=byline>By Ann Lee | Mar 5, 2019 at 10:20 am</p>",
            "<div class=byline>By Ann Lee<br>on March 5th, 2019</div>",
        ] {
            assert_eq!(stated(page(part, "")).as_deref(), Some("2019-03-05"), "{part}");
            assert_eq!(stated(page("", part)).as_deref(), Some("2019-03-05"), "before: {part}");
        }
        for part in [
            "<p>It was <time datetime=2019-03-05>5 March</time> when the harbour was closed.</p>",
            "<aside><time datetime=2019-03-05>March 5, 2019</time></aside>",
            "<nav><span class=date>March 5, 2019</span></nav>",
            "<blockquote><time datetime=2019-03-05>March 5, 2019</time></blockquote>",
            "<p>Updated <time datetime=2019-03-05>March 5, 2019</time></p>",
            "<span class=date>The storm of March 5, 2019</span>",
            "<span class=date>05/06/2019</span>",
            "<span class=update>March 5, 2019</span>",
        ] {
            assert_eq!(stated(page(part, "")), None, "{part}");
        }
        let several = "<div class=date>March 5, 2019</div><div class=date>March 4, 2019</div>";
        assert_eq!(stated(page("", several)), None, "a list of others");
        assert_eq!(stated(page(several, "")).as_deref(), Some("2019-03-05"));
        let below = "<p>The bridge is closed for a month, since two planks were lost.</p><time datetime=2019-03-05>March 5</time>";
        assert_eq!(stated(page(below, "")), None, "below the text");
    }

    #[test]
    fn authors_beside_the_text_and_in_metadata_are_read() {
        let names_of = |head: &str, body: &str| {
            let html = format!("<html><head><title>Snow</title>{head}</head><body>{body}</body></html>");
            let body = crate::article::html::read(&html, None, chrono_tz::UTC, Clean::Safe).expect("no draft");
            assert!(!body.html.contains("Lee"), "{}", body.html);
            names(&body).join(", ")
        };
        let text = "<div class=entry-content><p>Snow is expected by evening, first in the hills, and then by the river.</p></div>";
        for (head, within, after) in [
            (
                "",
                "<footer class=entry-footer><span class=byline>By <a rel=author href=/a>Ann Lee</a></span></footer>",
                "",
            ),
            (
                "",
                "<footer class=entry-footer><span class=byline>By Ann Lee</span></footer>",
                "<footer><a rel=author>Dan Other</a></footer>",
            ),
            ("", "<aside><a class=wp-block-post-author-name__link href=/a>Ann Lee</a></aside>", ""),
            ("", "<footer class=byline>By Ann Lee March 5, 2019</footer>", ""),
            ("<meta name='twitter:label1' content='Written by'><meta name='twitter:data1' content='Ann Lee'>", "", ""),
            (
                "<meta name='twitter:label2' content='Verfasst von'><meta name='twitter:data2' content='Ann Lee'>",
                "",
                "",
            ),
        ] {
            let body = format!("<article><h1>Snow</h1>{text}{within}</article>{after}");
            assert_eq!(names_of(head, &body), "Ann Lee", "{head}{body}");
        }
        let head =
            "<meta name='twitter:label1' content='Reading time'><meta name='twitter:data1' content='Four Minutes'>";
        assert_eq!(names_of(head, text), "");
        let several = "<meta name=author content='Von Ann Lee und Bob Ray'>";
        assert_eq!(names_of(several, text), "Ann Lee, Bob Ray");
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
