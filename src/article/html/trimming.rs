//! Removes what does not belong to the article in the main text of a page: lists of links, share buttons, teasers, forms.

use std::ops::Range;

use super::blocks::Amounts;
use super::elements::{PageElement, is_heading, is_inline};
use super::furniture;
use super::main_text::PageText;
use super::tokens::{self, Token};
use crate::article::address::is_picture;

/// The part outside of the article.
pub const OUTSIDE: &str = "W1";
/// A part whose names or role say that it is not the article.
const NAMED: &str = "W2";
/// A block of links, pictures or fields.
const LINKS: &str = "W3";
/// A list below a heading such as "Related articles".
const OTHERS: &str = "W4";
/// The teaser of another article.
const TEASER: &str = "W5";

/// Longest text of a block with share buttons, in characters.
const LONGEST_SHARE: usize = 500;
/// Longest text of a heading above a list of others, in characters.
const LONGEST_HEADING: usize = 60;
/// Percentage of the text that teasers have at most together: with more, the page is a list of articles.
const MOST_TEASERS: usize = 40;
/// Percentage of the text that a block has at most whose names say that it is not the article.
const MOST_NAMED: usize = 20;
/// Percentage of the text from which on a block is never removed.
const MOST_REMOVED: usize = 40;
/// Percentage of links of a block below a heading of others.
const OTHERS_LINKED: usize = 40;
/// Length of paragraphs, in characters, and percentage of links of a block that is prose.
const PROSE: (usize, usize) = (300, 20);
/// Number of commas of a block that is prose.
const MANY_COMMAS: usize = 10;
/// Number of elements around a picture that may be its figure.
const MOST_AROUND: usize = 8;
/// Maximum number of elements in a block of pictures.
const MOST_IN_FIGURES: usize = 100;
/// Fewest cells of a table without headings that shows data.
const FEWEST_CELLS: usize = 10;

/// The main text of a page.
#[derive(Debug, Default)]
pub struct MainText {
    /// The tokens among which it is; `None` for all in the body.
    pub region: Option<Range<usize>>,
    /// The same for a page that is not cleaned.
    pub whole: Option<Range<usize>>,
    /// The elements that do not belong to it, each with the rule that removes it, in their order. None is in another.
    pub removed: Vec<(usize, &'static str)>,
    /// The forms around it, whose tags do not count.
    pub forms: Vec<usize>,
    /// Number of elements that were visited to find it.
    #[cfg(test)]
    pub steps: usize,
}

/// Finds the main text of a page. Nothing is removed from a page that has nothing else, as those that people write by hand.
pub fn find(tokens: &[Token<'_>], elements: &[PageElement<'_>], is_cleaned: bool) -> MainText {
    let mut page = PageText::new(tokens, elements);
    // In a fragment, as generators of sites take them, nothing stands outside of the article.
    let is_page = is_cleaned || (0..elements.len()).any(|index| matches!(page.name(index), "html" | "body"));
    let only = ["article", "main"].iter().filter(|_| is_page).find_map(|name| page.only(name));
    let whole = only.map(|index| page.content(Some(index)));
    let removed = only.map(|index| page.outside(index).map(|index| (index, OUTSIDE)).collect()).unwrap_or_default();
    let as_it_is = MainText { region: whole.clone(), whole: whole.clone(), removed, ..MainText::default() };
    if !is_cleaned {
        return as_it_is;
    }
    page.exclude_unlikely();
    page.forget_teasers();
    let article = page.select();
    if !page.has_furniture(article) {
        return as_it_is;
    }
    let top = page.with_paragraphs_beside(article);
    let (region, around) = (page.content(top), page.within(top));
    let mut trimmer = Trimmer::new(page, article);
    trimmer.trim();
    let removed = trimmer.removed(&around);
    MainText {
        region: Some(region),
        whole,
        removed,
        #[cfg(test)]
        steps: trimmer.page.steps.get(),
        forms: trimmer.page.forms,
    }
}

/// Notes the rule of each element that is removed.
struct Trimmer<'a> {
    page: PageText<'a>,
    /// The elements in the main text.
    within: Range<usize>,
    rules: Vec<Option<&'static str>>,
    /// Elements of data tables and code, in which nothing is removed.
    is_safe: Vec<bool>,
    /// Length of the whole main text.
    length: usize,
}

impl<'a> Trimmer<'a> {
    fn new(page: PageText<'a>, article: Option<usize>) -> Self {
        let within = page.within(article);
        let count = page.elements.len();
        let mut is_safe = vec![false; count];
        for index in 0..count {
            let around = page.elements[index].parent.is_some_and(|parent| is_safe[parent]);
            is_safe[index] = around
                || matches!(page.name(index), "pre" | "code")
                || furniture::is_card(page.elements[index].tag)
                || is_data_table(&page, index);
        }
        let own = |index: &usize| if page.blocks[*index].holder == *index { page.blocks[*index].own.text } else { 0 };
        let length = within.clone().map(|index| own(&index)).sum();
        Self { page, within, rules: vec![None; count], is_safe, length }
    }

    /// The removed elements in their order, with those outside of the article but for the paragraphs beside it, which stand in
    /// `around`.
    fn removed(&self, around: &Range<usize>) -> Vec<(usize, &'static str)> {
        let mut removed = Vec::new();
        let mut index = 0;
        while index < self.rules.len() {
            let end = self.page.elements[index].end;
            let holds_article = index < self.within.start && end >= self.within.end;
            let is_article = self.within.contains(&index);
            let is_beside = around.contains(&index) && self.page.is_paragraph(index);
            let rule = if is_article || is_beside { self.rules[index] } else { Some(OUTSIDE) };
            match rule.filter(|_| !holds_article) {
                Some(rule) => {
                    removed.push((index, rule));
                    index = end;
                }
                None => index += 1,
            }
        }
        removed
    }

    fn trim(&mut self) {
        for index in self.within.clone() {
            if self.page.excluded[index] {
                self.remove(index, NAMED);
            }
        }
        self.each(NAMED, |trimmer, index| {
            let (tag, marks) = (trimmer.page.elements[index].tag, trimmer.page.marks[index]);
            let is_share = || marks.is_share && trimmer.page.blocks[index].whole.text < LONGEST_SHARE;
            marks.is_beside
                || tag.name == "fieldset"
                || (matches!(&*tag.name, "h1" | "h2") && marks.weight < 0)
                || (!is_inline(&tag.name) && (is_share() || trimmer.is_small_and_named(index)))
        });
        self.lists_of_others();
        self.teasers();
        for kinds in [&["table"][..], &["ul", "ol"], &["div", "section"]] {
            self.each(LINKS, |trimmer, index| kinds.contains(&trimmer.page.name(index)) && trimmer.is_furniture(index));
        }
    }

    /// Removes each element for which a test holds, the inner ones first. One with much of the text stays.
    fn each(&mut self, rule: &'static str, test: impl Fn(&Self, usize) -> bool) {
        for index in self.within.clone().rev() {
            let is_free = self.rules[index].is_none() && !self.page.blocks[index].is_hidden && !self.is_safe[index];
            let Amounts { text, linked, .. } = self.page.blocks[index].whole;
            let is_much = text.saturating_sub(linked) * 100 > self.length * MOST_REMOVED;
            if is_free && !is_much && test(self, index) {
                self.remove(index, rule);
            }
        }
    }

    fn remove(&mut self, index: usize, rule: &'static str) {
        self.rules[index] = Some(rule);
        let removed = self.page.blocks[index].whole;
        let mut around = Some(index);
        while let Some(index) = around {
            self.page.blocks[index].whole = self.page.blocks[index].whole.less(removed);
            around = self.page.elements[index].parent;
        }
    }

    fn is_removed(&self, index: usize) -> bool {
        self.page.around(index).any(|index| self.rules[index].is_some())
    }

    fn is_small_and_named(&self, index: usize) -> bool {
        self.page.prose[index] * 100 <= self.length * MOST_NAMED && self.page.marks[index].is_strong
    }

    /// Removes the lists below headings such as "Related articles". A heading above a text of its own stays.
    fn lists_of_others(&mut self) {
        for index in self.within.clone() {
            let block = self.page.blocks[index];
            let is_short = (1..=LONGEST_HEADING).contains(&block.own.text) && block.whole.text <= LONGEST_HEADING;
            let is_free = block.holder == index && !block.is_hidden && !self.is_safe[index];
            if is_short && is_free && !self.is_removed(index) && furniture::is_heading_of_others(&self.text(index)) {
                self.list_of_others(index);
            }
        }
    }

    /// Removes the block that a heading starts, or the lists that follow it.
    fn list_of_others(&mut self, heading: usize) {
        let start = self.page.blocks[heading].offset;
        let is_list = |index: &usize| {
            let whole = self.page.blocks[*index].whole;
            whole.links > 0 && (whole.link_density() >= OTHERS_LINKED || self.page.prose[*index] == 0)
        };
        let around = self.page.around(heading);
        let around = around.take_while(|index| self.within.contains(index) && self.page.blocks[*index].offset == start);
        if let Some(block) = around.filter(|index| *index != heading && is_list(index)).last() {
            self.remove(block, OTHERS);
            return;
        }
        let end = self.page.elements[heading].parent.map_or(self.within.end, |parent| self.page.elements[parent].end);
        let mut lists = Vec::new();
        let mut next = self.page.elements[heading].end;
        while next < end {
            let name = self.page.name(next);
            self.page.step();
            let is_blank = self.page.blocks[next].whole.text == 0;
            if is_heading(name) || !(is_blank || is_list(&next)) {
                break;
            }
            lists.extend((!is_blank).then_some(next));
            next = self.page.elements[next].end;
        }
        if !lists.is_empty() {
            for index in lists.into_iter().chain([heading]) {
                self.remove(index, OTHERS);
            }
        }
    }

    /// Removes the teasers of other articles: blocks with a heading that is a link.
    fn teasers(&mut self) {
        let mut teasers = Vec::new();
        let mut length = 0;
        let mut index = self.within.start;
        while index < self.within.end {
            if self.page.is_teaser(index) && !self.is_safe[index] && !self.is_removed(index) {
                teasers.push(index);
                length += self.page.blocks[index].whole.text;
                index = self.page.elements[index].end;
            } else {
                index += 1;
            }
        }
        if length * 100 <= self.length * MOST_TEASERS {
            for index in teasers {
                self.remove(index, TEASER);
            }
        }
    }

    /// The text of a short block.
    fn text(&self, index: usize) -> String {
        tokens::text(&self.page.tokens[self.page.elements[index].tokens.clone()])
    }

    /// Whether a block is beside the text rather than a part of it, by its amounts of links, pictures, items and fields.
    fn is_furniture(&self, index: usize) -> bool {
        let whole = self.page.blocks[index].whole;
        let Amounts { text, headed, commas, paragraphs, items, pictures, inputs, .. } = whole;
        let density = whole.link_density();
        let marks = self.page.marks[index];
        let weight = if pictures > 0 { marks.picture_weight } else { marks.weight };
        let is_prose = self.page.prose[index] >= PROSE.0 && density < PROSE.1;
        if weight < 0 || is_prose || commas >= MANY_COMMAS {
            return weight < 0;
        }
        let is_list = matches!(self.page.name(index), "ul" | "ol");
        let is_gallery = is_list && pictures > 0 && pictures == items;
        let in_figure = || self.page.around(index).take(MOST_AROUND).any(|index| self.page.name(index) == "figure");
        let is_label = text < 25 && headed * 10 < text * 9 && density > 0 && (pictures == 0 || pictures > 2);
        let is_crowded = (pictures > 1 && paragraphs * 2 < pictures && !in_figure())
            || (inputs > 0 && inputs * 3 > paragraphs)
            || (weight >= 25 && density > 50);
        let is_beside =
            !is_list && (items > paragraphs + 100 || (weight < 25 && density > 20) || (is_label && !in_figure()));
        (is_crowded || is_beside) && !is_gallery && !self.is_only_figures(index)
    }

    /// Whether a block consists of pictures and their captions. The picture of a teaser leads to another page.
    fn is_only_figures(&self, index: usize) -> bool {
        let all = index..self.page.elements[index].end;
        let Amounts { text, pictures, .. } = self.page.blocks[index].whole;
        if pictures == 0 || all.len() > MOST_IN_FIGURES {
            return false;
        }
        let leads_away = |index: &usize| {
            let link = || self.page.elements[*index].tag.attribute("href");
            self.page.name(*index) == "a" && link().is_some_and(|link| !link.starts_with('#') && !is_picture(&link))
        };
        let is_linked = |index: usize| self.page.blocks[index].whole.pictures > 0;
        let (mut captions, mut next) = (0, all.start);
        while next < all.end {
            self.page.step();
            let is_figure = self.page.name(next) == "figure";
            captions += if is_figure { self.page.blocks[next].whole.text } else { 0 };
            next = if is_figure { self.page.elements[next].end } else { next + 1 };
        }
        captions == text && !all.filter(leads_away).any(is_linked)
    }
}

/// Whether a table shows data rather than the layout of a page.
fn is_data_table(page: &PageText<'_>, index: usize) -> bool {
    if page.name(index) != "table" {
        return false;
    }
    let holds = |name: &str| page.visit(page.within(Some(index))).any(|index| page.name(index) == name);
    let role = page.elements[index].tag.attribute("role").unwrap_or_default();
    // Tables in tables are for the layout. This test comes first: it keeps the time linear.
    if holds("table") || matches!(&*role, "presentation" | "none") {
        return false;
    }
    let count = |name: &str| page.visit(page.within(Some(index))).filter(|index| page.name(*index) == name).count();
    let (rows, cells) = (count("tr"), count("td"));
    ["th", "caption", "thead", "col"].into_iter().any(holds) || (rows > 1 && cells > rows && cells > FEWEST_CELLS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::article::ParsedBody;
    use crate::article::html::{elements, tokens, trimming};
    use crate::config::Clean;

    fn read(html: &str, clean: Clean) -> ParsedBody {
        crate::article::html::read(html, None, chrono_tz::UTC, clean).expect("no draft")
    }

    /// The text of a fragment, with white space folded.
    fn text(html: &str) -> String {
        let tokens: Vec<tokens::Token<'_>> = tokens::visible(html);
        let words = tokens.iter().map(|token| match &token.kind {
            tokens::TokenKind::Text(text) => text.resolved().into_owned(),
            _ => " ".to_owned(),
        });
        crate::article::summary::one_line(&words.collect::<String>())
    }

    /// The text of the article in a page with this head and this body.
    fn article(head: &str, body: &str) -> String {
        let page = format!("<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>");
        shown(&read(&page, Clean::Safe))
    }

    /// The text of an article that readers see.
    fn shown(body: &ParsedBody) -> String {
        text(&safe(body))
    }

    fn safe(body: &ParsedBody) -> String {
        let page = url::Url::parse("https://a.example/articles/a").unwrap();
        crate::article::html::sanitise(&body.html, &crate::article::address::Addresses::of_page(&page)).to_string()
    }

    const FIRST: &str =
        "The old bridge over the river was closed on Monday night, after a storm had torn off part of its railing.";
    const SECOND: &str =
        "Engineers will look at it today. Buses take the road by the mill until then, and trains are late.";
    const THIRD: &str =
        "It is the third time in two years. The council wants to decide in March whether a new one is built.";

    fn story() -> String {
        format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>")
    }

    fn whole() -> String {
        format!("{FIRST} {SECOND} {THIRD}")
    }

    fn links(count: usize) -> String {
        let link = |number: usize| format!("<li><a href=/{number}>Another headline number {number}</a></li>");
        (0..count).map(link).collect::<Vec<_>>().concat()
    }

    /// A page has its only `<article>` for a teaser, or an empty one for a video: the story was once lost.
    #[test]
    fn the_only_article_or_main_may_be_something_else() {
        for (before, after) in [
            ("", "<div class=related><article class=teaser><h3>Read next</h3><p>Cat found on mast</p></article></div>"),
            ("<article class=video-slot></article>", ""),
            ("", "<article class=video-slot></article>"),
            ("<main></main>", ""),
            ("<article><h3><a href=/a>Cat found on mast</a></h3><p>The cat is well.</p></article>", ""),
            (
                "",
                "<aside><article><p>Cat found on mast, says the harbour master, who has two of them.</p></article></aside>",
            ),
        ] {
            for name in ["entry-content", "left-side", "inner-content", "story", "x"] {
                let body = format!("{before}<div id=content><div class={name}>{}</div></div>{after}", story());
                let text = article("", &body);
                assert!(text.contains(&whole()), "{body}: {text}");
                assert!(!after.contains("related") || text == whole(), "{body}: {text}");
            }
        }
        assert_eq!(article("", &format!("<article>{}</article><p>x</p>", story())), whole());
    }

    /// Menus, teasers, comments and forms around a story, and in it.
    #[test]
    fn furniture_is_removed_wherever_it_stands() {
        let menu = links(8);
        let teaser = "<h3><a href=/cat>Cat found on mast</a></h3><p>It took two hours, and the mast is whole.</p>";
        for part in [
            format!("<nav><ul>{menu}</ul></nav>"),
            format!("<div class='site-navigation'><ul>{menu}</ul></div>"),
            format!("<div id=sidebar>{teaser}{teaser}</div>"),
            format!("<aside>{teaser}</aside>"),
            format!("<div role=complementary>{teaser}</div>"),
            format!("<div class='article-related'>{teaser}{teaser}</div>"),
            format!("<section><h2>Related articles</h2><ul>{menu}</ul></section>"),
            format!("<div><h4>Lesen Sie auch:</h4><div>{teaser}</div></div>"),
            format!("<div class=block><p><b>Te puede interesar</b></p><ul>{menu}</ul></div>"),
            "<div class=comments><h3>2 comments</h3><p>I crossed it on Sunday, and it was fine when I did.</p></div>".into(),
            "<div class='newsletter-box'><p>Get our letters every morning, and read them with your tea.</p></div>".into(),
            "<div class=share><a href=//f.example>Face</a> <a href=//t.example>Bird</a></div>".into(),
            "<footer><p>Copyright The Cape Post, all rights reserved, and some more of them.</p></footer>".into(),
            "<div class=cookie-banner><p>We use cookies to improve your experience, as others do. Accept all of them?</p></div>".into(),
        ] {
            let named = "<div class=footer>Imprint</div>";
            for body in [
                format!("{part}<div class=story><h1>T</h1>{}</div>{named}", story()),
                format!("<div class=story><h1>T</h1>{}</div>{part}{named}", story()),
                format!("<div class=page><div><h1>T</h1><div>{}</div></div>{part}</div>{named}", story()),
                format!("<main><article><h1>T</h1><p>{FIRST}</p>{part}<p>{SECOND}</p><p>{THIRD}</p></article></main>{named}"),
                format!("<article itemscope><h1>T</h1><div itemprop=articleBody>{}</div></article>{part}{named}", story()),
            ] {
                assert_eq!(article("", &body), whole(), "{body}");
            }
        }
    }

    /// What a story may contain.
    #[test]
    fn parts_of_the_story_stay() {
        for part in [
            "<ul><li>one plank</li><li>two nails</li></ul>",
            "<blockquote><p>It was the wind, and only the wind, says the keeper.</p></blockquote>",
            "<table><tr><th>Year<th>Storms</tr><tr><td>2024<td>3</tr></table>",
            "<pre><code class=share>let related = 1;</code></pre>",
            "<h2>Related work</h2>",
            "<h2>Comments</h2><p>The council had none, and the keeper said what he always says about it.</p>",
            "<p>See <a href=/a>the map of the road</a>.</p>",
            "<figure><img src=a.png><figcaption>The bridge on Sunday</figcaption></figure>",
            "<h2><a href=#mill>By the mill</a></h2>",
            "<p>Short.</p>",
        ] {
            let body = format!("<div class=story><p>{FIRST}</p>{part}<p>{SECOND}</p></div><div class=sidebar>x</div>");
            assert_eq!(article("", &body), format!("{FIRST} {} {SECOND}", text(part)), "{body}");
        }
        // An introduction and an end beside the part with most of the text.
        let body = format!(
            "<div class=menu>x</div><p>{SECOND}</p><div>{}{}</div><p>The end.</p><div id=footer>y</div>",
            story(),
            story()
        );
        assert_eq!(article("", &body), format!("{SECOND} {} {} The end.", whole(), whole()));
    }

    const NOTICE: &str =
        "All rights are reserved by the publisher and no part of this page may be copied, without a word from it.";

    /// The notice in the footer was once the only text of a page with short paragraphs.
    #[test]
    fn a_story_of_short_paragraphs_is_not_lost() {
        let legal = format!("{NOTICE} ").repeat(8);
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        for story in [
            "<p>The bridge is closed.</p><p>They will repair it in March.</p>",
            "<p>Seen today.</p>",
            "<p>The sea is grey,<br>the gulls are loud.</p><p>The tide is low.</p>",
            "<ul><li>2 eggs</li><li>a cup of flour</li></ul><ol><li>Beat the eggs.</li><li>Add the flour.</li></ol>",
            "<table><tr><td>low tide</td><td>4:10</td></tr><tr><td>high tide</td><td>10:20</td></tr></table>",
            "<p>潮水退去了，桥还没有修好。</p><p>他们三月再来。</p>",
            "<p>The bridge is closed.</p><blockquote><p>It was the wind.</p></blockquote>",
        ] {
            for notice in [NOTICE, &legal] {
                for end in [
                    format!("<footer><p>{notice}</p></footer>"),
                    format!("<aside><p>{notice}</p></aside><div class=footer>x</div>"),
                    format!("<div class=site-footer><p>{notice}</p></div>"),
                    format!("<footer><div><div><p>{notice}</p></div></div></footer>"),
                ] {
                    for name in ["article", "main", "div", "section"] {
                        let page = format!("<nav><a href=/>A</a></nav><{name}><h1>T</h1>{story}</{name}>{end}");
                        assert_eq!(letters(&article("<title>T</title>", &page)), letters(&text(story)), "{page}");
                    }
                }
                let page = format!("<article><h1>T</h1>{story}<footer><p>{notice}</p></footer></article>");
                assert_eq!(letters(&article("<title>T</title>", &page)), letters(&text(story)), "{page}");
            }
        }
        let page = format!("<article><img src=https://a.example/a.jpg></article><footer><p>{NOTICE}</p></footer>");
        assert_eq!(safe(&read(&page, Clean::Safe)), "<img src=\"https://a.example/a.jpg\">");
        let page = format!("<footer><p>{NOTICE}</p></footer>");
        assert_eq!(article("", &page), NOTICE, "unless there is nothing else");
    }

    /// Blocks of pictures were once removed as galleries of teasers.
    #[test]
    fn pictures_of_the_story_stay() {
        let one = "<img src=https://a.example/a.jpg alt=a>";
        for (part, count) in [
            (format!("<div><picture>{one}</picture></div>"), 1),
            (
                format!(
                    "<div class=image-block><figure><a href=a.jpg><div><picture><source>{one}</picture></div></a></figure></div>"
                ),
                1,
            ),
            (format!("<div><figure>{one}<figcaption>By <a href=/ann>Ann</a></figcaption></figure></div>"), 1),
            (
                format!(
                    "<div><div><figure>{one}<figcaption><a href=/ann>Ann Lee</a></figcaption></figure></div></div>"
                ),
                1,
            ),
            (format!("<div class=media>{one}</div>"), 1),
            (format!("<div class='media media-image'><p>{one}</p></div>"), 1),
            (format!("<figure><div class='field field--name-field-media-image'>{one}</div></figure>"), 1),
            (format!("<div><figure>{one}</figure><figure><img src=https://a.example/b.jpg></figure></div>"), 2),
            (format!("<div>{one}<img src=https://a.example/b.jpg></div>"), 2),
            ("<amp-img src=https://a.example/a.jpg></amp-img>".to_owned(), 1),
            (format!("<div><noscript>{one}</noscript></div>"), 1),
        ] {
            for page in [
                format!("<p>{FIRST}</p>{part}<p>{SECOND}</p><div class=footer>x</div>"),
                format!("<article><p>{FIRST}</p>{part}<p>{SECOND}</p></article><nav>x</nav><aside>y</aside>"),
            ] {
                let safe = safe(&read(&format!("<html><body>{page}</body></html>"), Clean::Safe));
                assert_eq!(safe.matches("<img src=").count(), count, "{page}: {safe}");
            }
        }
        let teaser = format!(
            "<div><figure><a href=/cat>{one}</a><figcaption><a href=/cat>Cat found</a></figcaption></figure></div>"
        );
        let page = format!("<p>{FIRST}</p>{teaser}<p>{SECOND}</p><div class=footer>x</div>");
        assert_eq!(article("", &page), format!("{FIRST} {SECOND}"));
    }

    /// Generators make ids of the words of headings: `related-work` is no list of related articles.
    #[test]
    fn ids_of_headings_say_nothing() {
        for part in [
            "<section id=related-work><h2>Related work</h2><p>Lee (2001) built one like it.</p></section>",
            "<section id=social><h2>Social</h2><p>They meet on Sundays.</p></section>",
            "<section id=sponsors><h2>Sponsors</h2><p>The harbour paid for it.</p></section>",
            "<section id=comments class=level2><h2>Comments</h2><p>The council had none.</p></section>",
            "<div class='section level2' id=social><h2><span>2.1</span> Social</h2><p>They meet on Sundays.</p></div>",
            "<div class='section level2' id=comments-1><h2>Comments</h2><p>The council had none.</p></div>",
            "<h2 id=contact>Contact</h2>",
            "<h2 id=tools-you-need>Tools you need</h2><p>A hammer.</p>",
            "<h2 id=social-security>Social security</h2><p>It is paid.</p>",
            "<h3 id=rss>RSS</h3><p>It has a feed.</p>",
            "<h2 id=user-content-media>Media</h2>",
            "<div class=mw-heading><h2 id=History>History</h2></div>",
            "<aside class='footnote brackets' role=doc-footnote><p>1 As the keeper said.</p></aside>",
            "<aside class=callout><p>Take a lamp.</p></aside>",
            "<blockquote><p>It was the wind.</p><footer>— Ann</footer></blockquote>",
            "<blockquote><p>It was the wind.</p><footer class=blockquote-footer>— Ann</footer></blockquote>",
            "<figure class='kg-card kg-bookmark-card'><a class=kg-bookmark-container href=https://b.example/><div \
             class=kg-bookmark-content><div class=kg-bookmark-title>The bridge</div><div class=kg-bookmark-metadata>Tide</div>\
             </div></a></figure>",
            "<div class='kg-card kg-file-card'><a href=a.pdf><div class=kg-file-card-contents><div \
             class=kg-file-card-title>Plans</div></div></a></div>",
            "<div class='kg-card kg-button-card'><a href=https://b.example/ class=kg-btn>See the plans</a></div>",
            "<div class=wp-block-file><a href=a.pdf>Plans</a><a href=a.pdf class=wp-block-file__button>Download</a></div>",
        ] {
            let page = format!("<article><p>{FIRST}</p>{part}<p>{SECOND}</p></article><footer>x</footer>");
            assert_eq!(article("", &page), format!("{FIRST} {} {SECOND}", text(part)), "{page}");
        }
        let edit = "<span class=mw-editsection>[<a href=/e>edit</a>]</span>";
        let wiki = format!("<div class=mw-heading><h2 id=History>History</h2>{edit}</div>");
        let page = format!("<main><p>{FIRST}</p>{wiki}<p>{SECOND}</p></main><footer>x</footer>");
        assert_eq!(article("", &page), format!("{FIRST} History {SECOND}"));
        for part in [
            "<div id=comments><h2>Comments</h2><p>I crossed it.</p></div>",
            "<section id=comments><h2>Comments</h2><ol class=comment-list><li>I crossed it.</ol></section>",
            "<div id=related><h3>Read these</h3><p>The cat is well.</p></div>",
            "<section class=social id=social><h2>Social</h2><a href=/f>Face</a></section>",
        ] {
            let page = format!("<article><p>{FIRST}</p><p>{SECOND}</p>{part}</article><footer>x</footer>");
            assert_eq!(article("", &page), format!("{FIRST} {SECOND}"), "{page}");
        }
    }

    #[test]
    fn pages_without_furniture_stay_as_they_are() {
        for body in [
            "<h1>T</h1><p>a</p><ul><li><a href=/a>one</a></li><li><a href=/b>two</a></li><li><a href=/c>three</a><li><a href=/d>four</a></ul>",
            "<div>a</div><div><p>b</p></div><center>c</center>",
            "<header><h1>T</h1><p>by me</p></header><p>a</p>",
            "<p>a</p><hr><p><a href=/>back</a>",
            "<h2>Related</h2><p>a</p>",
        ] {
            let page = format!("<html><head><title>T</title></head><body>{body}</body></html>");
            let (cleaned, as_is) = (read(&page, Clean::Safe), read(&page, Clean::Off));
            assert_eq!((&cleaned.html, cleaned.removed.len()), (&as_is.html, 0), "{body}");
        }
    }

    /// Servers of one make write a form around the whole page, and the sanitiser removes forms.
    #[test]
    fn a_form_around_the_page_hides_nothing() {
        let body = format!("<form id=aspnet><div class=menu><a href=/>Home</a></div><div>{}</div></form>", story());
        assert_eq!(article("", &body), whole());
        let page = format!("<body><p>{FIRST}</p><form><p>Search</p></form><div class=footer>x</div></body>");
        assert_eq!(shown(&read(&page, Clean::Safe)), FIRST, "a small form is a form");
    }

    #[test]
    fn every_removed_part_is_reported() {
        let page = format!(
            "<html><body>\n<div class=top>Top</div>\n<div class=story>\n{}<div class=share>Share it</div>\n<h3>Related</h3>\n\
             <ul><li><a href=/a>Cat found</a></ul></div>\n<footer>Foot</footer></body></html>",
            story()
        );
        let body = read(&page, Clean::Safe);
        let lines: Vec<String> =
            body.removed.iter().map(|removed| format!("{} {} {}", removed.line, removed.rule, removed.text)).collect();
        assert_eq!(lines, ["2 W1 Top", "4 W2 Share it", "5 W4 Related", "6 W4 Cat found", "7 W1 Foot"]);
        assert_eq!(text(&body.html), whole());
        let report = read(&page, Clean::Report);
        assert_eq!(report.removed, body.removed);
        let all = text(&report.html);
        assert!(all.starts_with("Top ") && all.ends_with("Share it Related Cat found Foot"), "{all}");
        let off = read(&page, Clean::Off);
        assert!(text(&off.html).starts_with("Top") && off.removed.is_empty(), "{}", off.html);
        for rule in ["W1", "W2", "W3", "W4", "W5"] {
            assert!(!crate::article::boilerplate::meaning(rule).contains("line of"), "{rule} has a meaning");
        }
    }

    /// A list of articles, such as the front page of a blog, is not emptied.
    #[test]
    fn a_list_of_articles_keeps_them() {
        let teaser =
            |number: usize| format!("<article><h2><a href=/{number}>Day {number}</a></h2><p>{SECOND}</p></article>");
        let body = format!("<main>{}</main><footer>x</footer>", (0..9).map(teaser).collect::<Vec<_>>().concat());
        let text = article("", &body);
        assert_eq!((text.matches(SECOND).count(), text.matches("Day").count()), (9, 9), "{text}");
    }

    #[test]
    fn hostile_pages_take_linear_time() {
        for part in [
            "<div>",
            "<div class=related>Related",
            "<div>Related</div>",
            "<div>Related</div><div></div>",
            "<p>Read more</p><a href=a>b</a>",
            "<table><tr><td>",
            "<table>x</table>",
            "<h3><a href=a>b</a></h3>",
            "<li><h3><a href=a>b</a></h3>",
            "<b><div></b>",
            "<form>x",
            "<article><p>x",
            "<i class=share itemprop=author>",
            "<a rel=author>x</a>",
            "x<br>",
        ] {
            let steps = |count: usize| {
                let html = format!("<body><div class=footer>x</div>{}", part.repeat(count));
                let tokens: Vec<tokens::Token<'_>> = tokens::tokens(&html).collect();
                let elements = elements::elements(&tokens).unwrap_or_default();
                trimming::find(&tokens, &elements, true).steps
            };
            let (few, many) = (steps(10_000), steps(20_000));
            assert!(many <= 3 * few + 1_000, "{part}: {few} steps for 10,000, {many} for 20,000");
        }
    }

    /// Text of a page that people write by hand, in blocks without names.
    fn block() -> impl Strategy<Value = String> {
        let words = prop::collection::vec("[a-z]{1,9}", 1..40).prop_map(|words| words.join(" "));
        let name = prop::sample::select(vec!["p", "p", "p", "blockquote", "pre"]);
        (name, words).prop_map(|(name, words)| format!("<{name}>{words}.</{name}>"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn paragraphs_lose_no_word(
            blocks in prop::collection::vec(block(), 1..12),
            (start, length) in (0_usize..12, 1_usize..12),
            wrapper in prop::sample::select(vec!["", "div", "section", "article", "main"]),
            furniture in prop::sample::select(vec!["", "<div class=footer>xyzzy</div>", "<div class=sidebar>xyzzy</div>"]),
        ) {
            let start = start.min(blocks.len() - 1);
            let end = (start + length).min(blocks.len());
            let inner = blocks[start..end].concat();
            let wrapped = if wrapper.is_empty() { inner } else { format!("<{wrapper}>{inner}</{wrapper}>") };
            // An `<article>` is the whole article, and so is a `<main>`.
            let (before, after) = match wrapper {
                "article" | "main" => (String::new(), String::new()),
                _ => (blocks[..start].concat(), blocks[end..].concat()),
            };
            let body = format!("{before}{wrapped}{after}");
            let expected = text(&body);
            prop_assert_eq!(article("", &format!("{body}{furniture}")), expected);
        }
    }
}
