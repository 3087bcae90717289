//! Finds the part of a page that holds the article, by the amounts of text in its elements.

use std::cell::Cell;
use std::ops::Range;

use super::blocks::{TextBlock, loose_text, measure, whole_forms};
use super::elements::{PageElement, is_heading, is_inline};
use super::furniture::Marks;
use super::section_names::ids_of_headings;
use super::tokens::{Token, TokenKind};

/// Shortest text of a paragraph that counts, in characters.
const SHORTEST: usize = 50;
/// Highest percentage of links in a paragraph that counts.
const MOST_LINKED: usize = 40;
/// Percentage of the text in paragraphs that the part with the article has at least.
const SHARE: usize = 80;
/// Length of the paragraphs, in characters, from which on the only `<article>` of a page has the article, whatever else is there.
const LONG: usize = 1000;
/// The same for an element that the page marks as the article.
const MARKED_SHARE: usize = 40;
/// Text of another element with that mark, in percent of the first: with more, the page is a list of articles.
const OTHER_SHARE: usize = 25;
/// Percentage of the text in paragraphs from which on the names of an element do not decide.
const MOST_UNLIKELY: usize = 40;
/// The same for an element with comments.
const MOST_COMMENTS: usize = 95;
/// Length of paragraphs, in characters, up to which names decide in a short page as well.
const FEW_PARAGRAPHS: usize = 500;
/// Longest text of a teaser, in characters.
const LONGEST_TEASER: usize = 500;
/// Percentage of links in the heading of a teaser.
const LINKED_HEADING: usize = 80;
/// Maximum number of elements in a teaser.
const MOST_IN_TEASER: usize = 200;
/// Number and percentage of links in a block that is a menu.
const MENU: (usize, usize) = (4, 60);

/// The elements of a page with their amounts of text.
pub struct PageText<'a> {
    pub tokens: &'a [Token<'a>],
    pub elements: &'a [PageElement<'a>],
    pub blocks: Vec<TextBlock>,
    /// What the names of each element say about it.
    pub marks: Vec<Marks>,
    /// Length of the text in the paragraphs of each element.
    pub prose: Vec<usize>,
    /// Whether a paragraph is long enough to count as one.
    has_paragraphs: bool,
    /// Forms whose content is shown.
    pub forms: Vec<usize>,
    /// The element with everything that a reader may see; `None` if only the page itself is.
    root: Option<usize>,
    /// Elements whose names say that they are not the article.
    pub excluded: Vec<bool>,
    /// Length of the text in no element.
    loose: usize,
    /// Number of elements that were visited.
    pub steps: Cell<usize>,
}

impl<'a> PageText<'a> {
    pub fn new(tokens: &'a [Token<'a>], elements: &'a [PageElement<'a>]) -> Self {
        let forms = whole_forms(tokens, elements);
        let blocks = measure(tokens, elements, &[], &forms);
        let named = |name: &str| elements.iter().position(|element| element.tag.name == name);
        let root = named("body").or_else(|| named("html"));
        let excluded = vec![false; elements.len()];
        let marks = marks(tokens, elements);
        let prose = Vec::new();
        let loose = loose_text(tokens, elements);
        let mut page = Self {
            tokens,
            elements,
            blocks,
            marks,
            prose,
            has_paragraphs: false,
            forms,
            root,
            excluded,
            loose,
            steps: Cell::default(),
        };
        page.measure_prose();
        page
    }

    pub fn name(&self, index: usize) -> &'a str {
        &self.elements[index].tag.name
    }

    /// The tokens in an element, or of the page.
    pub fn content(&self, index: Option<usize>) -> Range<usize> {
        let Some(index) = index else { return 0..self.tokens.len() };
        let Range { start, end } = self.elements[index].tokens.clone();
        let is_end = |token: &Token<'_>| matches!(&token.kind, TokenKind::End(tag) if tag.name == self.name(index));
        let has_end = end > start + 1 && is_end(&self.tokens[end - 1]);
        start + 1..if has_end { end - 1 } else { end }
    }

    /// The elements in an element, or in the page.
    pub fn within(&self, index: Option<usize>) -> Range<usize> {
        index.map_or(0..self.elements.len(), |index| index + 1..self.elements[index].end)
    }

    /// The elements directly in an element, or in the page.
    fn children(&self, parent: Option<usize>) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let Range { start, end } = self.within(parent);
        let children = std::iter::successors(Some(start).filter(|first| *first < end), move |index| {
            Some(self.elements[*index].end).filter(|next| *next < end)
        });
        self.visit(children)
    }

    /// The elements around an element, from inside out, with the element itself.
    pub fn around(&self, index: usize) -> impl Iterator<Item = usize> + use<'_, 'a> {
        self.visit(std::iter::successors(Some(index), |index| self.elements[*index].parent))
    }

    /// Counts the elements that are visited.
    pub fn visit<I: Iterator<Item = usize>>(&self, elements: I) -> impl Iterator<Item = usize> + use<'_, 'a, I> {
        elements.inspect(|_| self.step())
    }

    pub fn step(&self) {
        self.steps.set(self.steps.get() + 1);
    }

    /// The outermost elements that neither hold an element nor are in it.
    pub fn outside(&self, article: usize) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let end = self.elements[article].end;
        let mut next = 0;
        std::iter::from_fn(move || {
            loop {
                let index = next;
                let element = self.elements.get(index)?;
                let is_around = index < article && element.end >= end;
                next = if is_around { index + 1 } else { element.end };
                if !is_around && index != article {
                    return Some(index);
                }
            }
        })
    }

    /// Length of the text in the paragraphs of an element, or of the page. Text of the page that stands in no element counts, too.
    fn prose_of(&self, index: Option<usize>) -> usize {
        let of_page = || self.children(None).map(|index| self.prose[index]).sum::<usize>() + self.loose;
        index.map_or_else(of_page, |index| self.prose[index])
    }

    /// Length of the text of an element, or of the page, that stands neither in links nor in headings.
    fn plain_of(&self, index: Option<usize>) -> usize {
        let of = |index: usize| {
            let whole = self.blocks[index].whole;
            whole.text.saturating_sub(whole.linked + whole.headed)
        };
        let of_page = || self.children(None).map(of).sum::<usize>() + self.loose;
        index.map_or_else(of_page, of)
    }

    /// The length of the text in paragraphs. A page with nearly only short ones, such as a poem or a recipe, has all its text outside of
    /// links for them.
    fn measure_prose(&mut self) {
        self.prose = self.prose_from(SHORTEST);
        let length = self.prose_of(self.root);
        let is_little = length < FEW_PARAGRAPHS && length * 2 < self.plain_of(self.root);
        self.has_paragraphs = !is_little && self.prose.iter().any(|length| *length > 0);
        if !self.has_paragraphs {
            self.prose = self.prose_from(1);
        }
    }

    fn prose_from(&self, shortest: usize) -> Vec<usize> {
        let own = self.blocks.iter().enumerate().map(|(index, TextBlock { own, holder, is_hidden, .. })| {
            let is_paragraph = *holder == index && !is_hidden && own.text >= shortest && own.headed == 0;
            if is_paragraph && own.link_density() < MOST_LINKED { own.text - own.linked } else { 0 }
        });
        let mut prose: Vec<usize> = own.collect();
        for index in (0..prose.len()).rev() {
            if let Some(parent) = self.elements[index].parent {
                prose[parent] += prose[index];
            }
        }
        prose
    }

    /// Leaves out elements that are hardly ever the article, unless they hold much of the page.
    pub fn exclude_unlikely(&mut self) {
        let whole = self.prose_of(self.root).max(1);
        let article = self.only("article");
        let in_article = elements_within(self.elements, &["article"]);
        let mut index = 0;
        while index < self.elements.len() {
            let element = &self.elements[index];
            let name: &str = &element.tag.name;
            let is_whole = matches!(name, "table" | "pre" | "code");
            let is_text = is_whole || is_inline(name) || matches!(name, "html" | "body" | "head");
            let marks = self.marks[index];
            // What an aside in an article is depends on its length, and is decided later.
            let is_beside = marks.is_footer || (marks.is_beside && !in_article[index]);
            let most = if marks.is_comments { MOST_COMMENTS } else { MOST_UNLIKELY };
            let length = self.prose[index];
            let is_small =
                is_beside || length < FEW_PARAGRAPHS || length * 100 < whole * most || matches!(name, "ul" | "ol");
            let holds_article = article.is_some_and(|article| (index..element.end).contains(&article));
            if !is_text && !holds_article && is_small && (marks.is_unlikely || is_beside) {
                self.excluded[index] = true;
                index = element.end;
            } else {
                index = if is_whole { element.end } else { index + 1 };
            }
        }
        let before = (std::mem::take(&mut self.blocks), std::mem::take(&mut self.prose), self.has_paragraphs);
        self.blocks = measure(self.tokens, self.elements, &self.excluded, &self.forms);
        self.measure_prose();
        let shows_pictures = || ["article", "main"].iter().any(|name| self.only(name).is_some());
        if self.prose_of(self.root) == 0 && !shows_pictures() {
            // Nothing would remain.
            (self.blocks, self.prose, self.has_paragraphs) = before;
            self.excluded.fill(false);
        }
    }

    /// Whether a block is the teaser of another article: it is short, and its heading is a link.
    pub fn is_teaser(&self, index: usize) -> bool {
        let block = &self.blocks[index];
        let is_linked = |heading: usize| {
            let whole = self.blocks[heading].whole;
            whole.text > 0 && whole.link_density() >= LINKED_HEADING
        };
        matches!(self.name(index), "div" | "li" | "article" | "section")
            && !block.is_hidden
            && (1..=LONGEST_TEASER).contains(&block.whole.text)
            && self.elements[index].end - index <= MOST_IN_TEASER
            && self.visit(self.within(Some(index))).any(|index| is_heading(self.name(index)) && is_linked(index))
    }

    /// Forgets the text of teasers, unless the page has no other text.
    pub fn forget_teasers(&mut self) {
        let inner = |index: usize| self.children(Some(index)).map(|index| self.prose[index]).sum::<usize>();
        let mut own: Vec<usize> = (0..self.prose.len()).map(|index| self.prose[index] - inner(index)).collect();
        let mut index = 0;
        while index < own.len() {
            if self.is_teaser(index) {
                own[index..self.elements[index].end].fill(0);
                index = self.elements[index].end;
            } else {
                index += 1;
            }
        }
        for index in (0..own.len()).rev() {
            if let Some(parent) = self.elements[index].parent {
                own[parent] += own[index];
            }
        }
        let before = std::mem::replace(&mut self.prose, own);
        if self.prose_of(self.root) == 0 {
            self.prose = before;
        }
    }

    /// The element with the article; `None` if it is the page itself.
    pub fn select(&self) -> Option<usize> {
        let mut around = self.only("article").or_else(|| self.only("main")).or(self.root);
        loop {
            let whole = self.prose_of(around);
            let Some(best) = self.children(around).max_by_key(|index| self.prose[*index]) else { break };
            let is_most = whole > 0 && self.prose[best] * 100 >= whole * SHARE;
            if !is_most || self.name(best) == "p" || self.blocks[best].own.text >= SHORTEST {
                break;
            }
            around = Some(best);
        }
        let is_body = |index: usize| is_article_body(&self.elements[index]);
        let marked = self.largest(around, is_body);
        marked.or_else(|| self.largest(around, |index| self.name(index) == "article")).or(around)
    }

    /// Whether an element is a paragraph of prose.
    pub fn is_paragraph(&self, index: usize) -> bool {
        matches!(self.name(index), "p" | "blockquote" | "pre")
            && self.blocks[index].whole.text > 0
            && !self.excluded[index]
            && self.blocks[index].whole.link_density() < MOST_LINKED
    }

    /// The outermost element around the article that directly holds a paragraph.
    pub fn with_paragraphs_beside(&self, article: Option<usize>) -> Option<usize> {
        let Some(article) = article else { return article };
        let mut around: Vec<Option<usize>> = self.around(article).skip(1).map(Some).collect();
        around.push(None);
        around.truncate(around.iter().position(|index| *index == self.root).map_or(around.len(), |root| root + 1));
        let holds = |around: &&Option<usize>| self.children(**around).any(|index| self.is_paragraph(index));
        around.iter().rev().find(holds).copied().unwrap_or(Some(article))
    }

    /// The only element of a name, if it has most of the text.
    pub fn only(&self, name: &str) -> Option<usize> {
        let mut all = (0..self.elements.len()).filter(|index| self.name(*index) == name);
        let only = all.next().filter(|_| all.next().is_none())?;
        let has_most = if self.has_paragraphs {
            self.prose[only] * 2 > self.prose_of(self.root)
                || self.prose[only] >= LONG
                || self.plain_of(Some(only)) * 2 > self.plain_of(self.root)
        } else {
            // A heading alone is no article.
            let whole = self.blocks[only].whole;
            whole.text.saturating_sub(whole.headed) + whole.pictures > 0
        };
        has_most.then_some(only)
    }

    /// The largest element in an element for which a test holds, unless others beside it are large as well.
    fn largest(&self, around: Option<usize>, test: impl Fn(usize) -> bool) -> Option<usize> {
        let marked: Vec<usize> = self.within(around).filter(|index| test(*index)).collect();
        let best = marked.iter().copied().max_by_key(|index| (self.prose[*index], usize::MAX - index))?;
        let is_beside = |index: usize| index >= self.elements[best].end || self.elements[index].end <= best;
        let second = marked.into_iter().filter(|index| is_beside(*index)).map(|index| self.prose[index]).max();
        let is_much = self.prose[best] > 0 && self.prose[best] * 100 >= self.prose_of(around) * MARKED_SHARE;
        (is_much && second.unwrap_or(0) * 100 <= self.prose[best] * OTHER_SHARE).then_some(best)
    }

    /// Whether a page has parts that are not the article: elements that say so, or menus beside the part with the article. Pages
    /// that people write by hand have none.
    pub fn has_furniture(&self, article: Option<usize>) -> bool {
        let article = article.map_or(0..self.elements.len(), |index| index..self.elements[index].end);
        (0..self.elements.len()).any(|index| {
            let element = &self.elements[index];
            let (whole, marks) = (self.blocks[index].whole, self.marks[index]);
            let is_around = index < article.start && self.elements[index].end >= article.end;
            let is_menu = || whole.links >= MENU.0 && whole.link_density() >= MENU.1 && !article.contains(&index);
            let is_text = is_inline(&element.tag.name) || matches!(&*element.tag.name, "html" | "body" | "head");
            !is_text && !is_around && (marks.is_evident || marks.is_beside || is_menu())
        })
    }
}

/// What the names of each element say about it. The end of a quotation is no footer of the page.
fn marks(tokens: &[Token<'_>], elements: &[PageElement<'_>]) -> Vec<Marks> {
    let has_id_of_heading = ids_of_headings(tokens, elements);
    let in_quotation = elements_within(elements, &["blockquote", "figure"]);
    let mark = |index: usize| {
        let tag = elements[index].tag;
        let is_source = tag.name == "footer" && in_quotation[index];
        if is_source { Marks::default() } else { Marks::of(tag, has_id_of_heading[index]) }
    };
    (0..elements.len()).map(mark).collect()
}

/// Whether each element stands in one of these names.
fn elements_within(elements: &[PageElement<'_>], names: &[&str]) -> Vec<bool> {
    let mut within: Vec<bool> = Vec::with_capacity(elements.len());
    for element in elements {
        let around =
            element.parent.is_some_and(|parent| within[parent] || names.contains(&&*elements[parent].tag.name));
        within.push(around);
    }
    within
}

fn is_article_body(element: &PageElement<'_>) -> bool {
    let names = element.tag.attribute("itemprop").unwrap_or_default();
    names.split_ascii_whitespace().any(|name| name.eq_ignore_ascii_case("articleBody"))
}
