//! What pages put into a text for their own readers: signs beside headings, links to edit, numbers of lines of code.

use std::ops::Range;

use super::pieces::{Piece, attribute, has_class, inside, text};

/// Classes of links that lead to the heading that they stand in, in the words of everybody's generator.
const ANCHORS: [&str; 19] = [
    "anchor",
    "anchorjs-link",
    "anchor-link",
    "anchorlink",
    "direct-link",
    "hanchor",
    "hash-link",
    "header-anchor",
    "header-link",
    "headerlink",
    "heading-anchor",
    "heading-link",
    "heading__anchor",
    "headline-anchor",
    "octicon-link",
    "permalink",
    "section-link",
    "toc-anchor",
    "zola-anchor",
];
/// What such a link says; none of it is text.
const SIGNS: [char; 9] = ['#', '¶', '§', '🔗', '⚓', '∞', '\u{200B}', '\u{FE0F}', '\u{2060}'];
/// Elements that number lines of code, which would be copied along with it.
const NUMBERS: [&str; 7] = ["gutter", "rouge-gutter", "linenos", "lineno", "lnt", "hljs-ln-numbers", "blob-num"];
/// Most pieces that any of it has.
const MOST: usize = 60;
/// Most pieces that a column of line numbers has.
const MOST_NUMBERS: usize = 20_000;

/// Deepest nesting of elements of one name in such a column.
const DEEPEST_NUMBERS: usize = 8;
/// Most bytes of text in a sign or a link to edit.
const MOST_TEXT: usize = 400;

/// Takes it out. Says whether an element had no end, so that nobody knows what is in it.
pub fn without(pieces: Vec<Piece>) -> (Vec<Piece>, bool) {
    let mut endless = false;
    let mut noise: Vec<Range<usize>> = Vec::new();
    let mut within_heading = false;
    let mut at = 0;
    while at < pieces.len() {
        match &pieces[at] {
            Piece::Start(tag) if is_heading(&tag.name) => within_heading = true,
            Piece::End(name) if is_heading(name) => within_heading = false,
            Piece::Start(_) => {
                if let Some(end) = end_of_noise(&pieces, at, within_heading, &mut endless) {
                    noise.push(at..end);
                    at = end;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if noise.is_empty() {
        return (pieces, endless);
    }
    let mut noise = noise.into_iter().peekable();
    let mut keep = |at: usize| {
        while noise.next_if(|range| range.end <= at).is_some() {}
        noise.peek().is_none_or(|range| at < range.start)
    };
    (pieces.into_iter().enumerate().filter_map(|(at, piece)| keep(at).then_some(piece)).collect(), endless)
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// If nothing of the element that starts here is text: where what follows it begins.
fn end_of_noise(pieces: &[Piece], start: usize, within_heading: bool, endless: &mut bool) -> Option<usize> {
    let Piece::Start(tag) = &pieces[start] else { return None };
    let is_noise: fn(&[Piece]) -> bool = match &*tag.name {
        "a" => {
            let leads_here = attribute(tag, "href").is_none_or(|address| address.starts_with('#'));
            let is_anchor = leads_here && (has_class(tag, &ANCHORS) || within_heading);
            is_anchor.then_some(says_nothing as fn(&[Piece]) -> bool)?
        }
        "span" | "sup" if has_class(tag, &["mw-editsection"]) => |_| true,
        "span" | "sup" if !has_class(tag, &NUMBERS) => is_edit,
        "td" | "span" if has_class(tag, &NUMBERS) => return end_of_numbers(pieces, start),
        _ => return None,
    };
    let content = inside(pieces, start, MOST);
    *endless |= content.is_none();
    let content = content?;
    is_noise(&pieces[content.clone()]).then_some(content.end + 1)
}

/// Where a column of line numbers ends, if nothing else stands in it. Looks no further than that takes: many columns without an
/// end must not be walked over again for each.
fn end_of_numbers(pieces: &[Piece], start: usize) -> Option<usize> {
    let Piece::Start(column) = &pieces[start] else { return None };
    let mut depth = 0;
    for (at, piece) in pieces.iter().enumerate().skip(start).take(MOST_NUMBERS) {
        match piece {
            Piece::Start(tag) if tag.name == column.name => depth += 1,
            Piece::End(name) if *name == column.name => depth -= 1,
            Piece::Text(text) if !text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace()) => return None,
            _ => {}
        }
        match depth {
            0 => return Some(at + 1),
            1..=DEEPEST_NUMBERS => {}
            _ => return None,
        }
    }
    None
}

/// Whether all that is shown is a sign, or nothing at all.
fn says_nothing(content: &[Piece]) -> bool {
    let shows = |piece: &Piece| matches!(piece, Piece::Start(tag) if !matches!(&*tag.name, "span" | "i" | "b" | "em" | "small"));
    let is_sign = |c: char| SIGNS.contains(&c) || c.is_whitespace();
    !content.iter().any(shows) && short_text(content).is_some_and(|text| text.chars().all(is_sign))
}

/// Whether it is `[edit]` and nothing else.
fn is_edit(content: &[Piece]) -> bool {
    let has_link = content.iter().any(|piece| matches!(piece, Piece::Start(tag) if &*tag.name == "a"));
    let text = if has_link { short_text(content) } else { None };
    matches!(text.as_deref(), Some("[edit]" | "[edit source]" | "[edit | edit source]"))
}

/// All text of some pieces in one line, unless it is long.
fn short_text(content: &[Piece]) -> Option<String> {
    let length = |piece: &Piece| if let Piece::Text(text) = piece { text.len() } else { 0 };
    (content.iter().map(length).sum::<usize>() <= MOST_TEXT).then(|| text(content))
}
