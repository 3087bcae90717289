//! How much text the elements of a page hold, and how much of it is in links.

use std::ops::Range;

use super::elements::{PageElement, is_heading, is_inline};
use super::noise::EDIT_LINKS;
use super::safe::is_hidden;
use super::tokens::{Token, TokenKind};
use crate::article::summary::is_cjk;

/// Amounts of text and of other content. Lengths are in characters, without repeated white space.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    pub text: usize,
    /// Text in links.
    pub linked: usize,
    /// Text in headings.
    pub headed: usize,
    pub commas: usize,
    pub links: usize,
    pub paragraphs: usize,
    pub items: usize,
    pub pictures: usize,
    pub inputs: usize,
}

impl Amounts {
    fn add(&mut self, other: Self) {
        self.text += other.text;
        self.linked += other.linked;
        self.headed += other.headed;
        self.commas += other.commas;
        self.links += other.links;
        self.paragraphs += other.paragraphs;
        self.items += other.items;
        self.pictures += other.pictures;
        self.inputs += other.inputs;
    }

    /// The amounts without some of them.
    pub fn less(self, other: Self) -> Self {
        Self {
            text: self.text.saturating_sub(other.text),
            linked: self.linked.saturating_sub(other.linked),
            headed: self.headed.saturating_sub(other.headed),
            commas: self.commas.saturating_sub(other.commas),
            links: self.links.saturating_sub(other.links),
            paragraphs: self.paragraphs.saturating_sub(other.paragraphs),
            items: self.items.saturating_sub(other.items),
            pictures: self.pictures.saturating_sub(other.pictures),
            inputs: self.inputs.saturating_sub(other.inputs),
        }
    }

    /// Percentage of the text that is in links.
    pub fn link_density(&self) -> usize {
        (self.linked * 100).checked_div(self.text).unwrap_or(0)
    }
}

/// An element as a block of text.
#[derive(Debug, Default, Clone, Copy)]
pub struct TextBlock {
    /// With everything in it.
    pub whole: Amounts,
    /// The text that stands in it and in no smaller block.
    pub own: Amounts,
    /// The block that holds it; itself if it is no part of a line.
    pub holder: usize,
    /// Length of the text of the page before it.
    pub offset: usize,
    is_linked: bool,
    is_headed: bool,
    /// Readers see nothing of it: the sanitiser removes it.
    pub is_hidden: bool,
}

/// Forms that hold most of the text of a page, as some servers write them around everything.
pub fn whole_forms(tokens: &[Token<'_>], elements: &[PageElement<'_>]) -> Vec<usize> {
    let mut lengths = Vec::with_capacity(tokens.len() + 1);
    let mut sum = 0;
    for token in tokens {
        lengths.push(sum);
        sum += of_token(token);
    }
    lengths.push(sum);
    let is_whole = |element: &PageElement<'_>| {
        element.tag.name == "form" && (lengths[element.tokens.end] - lengths[element.tokens.start]) * 2 > sum
    };
    (0..elements.len()).filter(|index| is_whole(&elements[*index])).take(MOST_FORMS).collect()
}

/// Length of the text that stands in no element.
pub fn loose_text(tokens: &[Token<'_>], elements: &[PageElement<'_>]) -> usize {
    let outermost = elements.iter().filter(|element| element.parent.is_none());
    let mut is_loose = outside_of(outermost.map(|element| element.tokens.clone()));
    tokens.iter().enumerate().filter(|(at, _)| is_loose(*at)).map(|(_, token)| of_token(token)).sum()
}

/// Whether a place is in none of these ranges. The ranges are in order, and so are the places that are asked for.
pub fn outside_of(ranges: impl Iterator<Item = Range<usize>>) -> impl FnMut(usize) -> bool {
    let mut ranges = ranges.peekable();
    move |at| {
        while ranges.next_if(|range| range.end <= at).is_some() {}
        ranges.peek().is_none_or(|range| at < range.start)
    }
}

fn of_token(token: &Token<'_>) -> usize {
    if let TokenKind::Text(text) = &token.kind { length(text.source) } else { 0 }
}

/// Measures all elements in linear time. Those that are excluded count for nothing; the content of the forms counts.
pub fn measure(
    tokens: &[Token<'_>],
    elements: &[PageElement<'_>],
    excluded: &[bool],
    forms: &[usize],
) -> Vec<TextBlock> {
    let mut blocks: Vec<TextBlock> = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        blocks.push(block_of(element, &blocks, excluded.get(index) == Some(&true), forms.contains(&index)));
    }
    let mut open: Vec<usize> = Vec::new();
    let (mut next, mut offset) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        while open.last().is_some_and(|index| elements[*index].tokens.end <= at) {
            open.pop();
        }
        if elements.get(next).is_some_and(|element| element.tokens.start == at) {
            blocks[next].offset = offset;
            open.push(next);
            next += 1;
        }
        if let (TokenKind::Text(text), Some(index)) = (&token.kind, open.last()) {
            let TextBlock { holder, is_linked, is_headed, is_hidden, .. } = blocks[*index];
            if !is_hidden {
                let own = &mut blocks[holder].own;
                let length = length(text.source);
                offset += length;
                own.text += length;
                own.linked += if is_linked { length } else { 0 };
                own.headed += if is_headed { length } else { 0 };
                own.commas += text.source.chars().filter(|c| is_comma(*c)).count();
            }
        }
    }
    for index in (0..blocks.len()).rev() {
        let own = if blocks[index].holder == index { blocks[index].own } else { Amounts::default() };
        blocks[index].whole.add(own);
        let whole = blocks[index].whole;
        if let Some(parent) = elements[index].parent {
            blocks[parent].whole.add(whole);
        }
    }
    blocks
}

/// A block without its text.
fn block_of(element: &PageElement<'_>, before: &[TextBlock], is_excluded: bool, is_shown: bool) -> TextBlock {
    let index = before.len();
    let around = element.parent.map(|parent| before[parent]).unwrap_or_default();
    let name: &str = &element.tag.name;
    let is_link = name == "a" && element.tag.attribute("href").is_some_and(|address| !address.starts_with('#'));
    let is_edit_link = || matches!(name, "span" | "sup") && element.tag.has_class(&EDIT_LINKS);
    let is_hidden = around.is_hidden || (is_hidden(name) && !is_shown) || is_excluded || is_edit_link();
    let one = |is: bool| usize::from(is && !is_hidden);
    let whole = Amounts {
        links: one(is_link),
        paragraphs: one(name == "p"),
        items: one(name == "li"),
        // A `<picture>` has an `<img>`.
        pictures: one(matches!(name, "img" | "amp-img" | "video")),
        inputs: one(name == "input"),
        ..Amounts::default()
    };
    TextBlock {
        whole,
        holder: if is_inline(name) && element.parent.is_some() { around.holder } else { index },
        is_linked: around.is_linked || is_link,
        is_headed: around.is_headed || is_heading(name),
        is_hidden,
        ..TextBlock::default()
    }
}

/// Maximum number of forms in each other whose content is shown.
const MOST_FORMS: usize = 4;

/// Number of letters that a character of a script without spaces between words stands for.
const CJK: usize = 3;

/// Number of characters of a text in which white space counts once.
fn length(text: &str) -> usize {
    text.split_whitespace().map(|word| word.chars().map(|c| if is_cjk(c) { CJK } else { 1 }).sum::<usize>() + 1).sum()
}

fn is_comma(c: char) -> bool {
    matches!(c, ',' | '،' | '，' | '、' | '﹐' | '︐' | '⹁' | '；' | '।' | '。')
}
