//! Removes elements that browsers do not show: `hidden`, `display: none`, `visibility: hidden`, `aria-hidden`.

use std::ops::Range;

use super::elements::{VOID, ended_by};
use super::tokens::{Tag, Token, TokenKind};

/// Elements that hold the whole page. A script may show them later.
const WHOLE: [&str; 3] = ["html", "body", "main"];
/// Deepest nesting in a hidden element.
const DEEPEST: usize = 500;
/// Maximum number of hidden elements whose end is looked for in vain.
const MOST_OPEN: usize = 20;

/// Removes hidden elements, but not one with most of the text: a script shows that one.
pub fn without_hidden(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut hidden: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let mut open_ends = 0;
    while at < tokens.len() && open_ends < MOST_OPEN {
        let hidden_by = match &tokens[at].kind {
            TokenKind::Start(tag) if !WHOLE.contains(&&*tag.name) => HiddenBy::of(tag),
            _ => None,
        };
        let Some(hidden_by) = hidden_by else {
            at += 1;
            continue;
        };
        match end_of_element(&tokens, at) {
            Some(end) if hidden_by == HiddenBy::Browser || !shows_media(&tokens[at..end]) => {
                hidden.push(at..end);
                at = end;
            }
            end => {
                open_ends += usize::from(end.is_none());
                at += 1;
            }
        }
    }
    if hidden.is_empty() {
        return tokens;
    }
    let all = text_length(&tokens);
    hidden.retain(|range| text_length(&tokens[range.clone()]) * 2 <= all);
    let mut hidden = hidden.into_iter().peekable();
    let mut is_shown = |at: usize| {
        while hidden.next_if(|range| range.end <= at).is_some() {}
        hidden.peek().is_none_or(|range| at < range.start)
    };
    tokens.into_iter().enumerate().filter_map(|(at, token)| is_shown(at).then_some(token)).collect()
}

/// What does not show an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HiddenBy {
    /// Every browser.
    Browser,
    /// Screen readers only. Its pictures are shown.
    Aria,
}

impl HiddenBy {
    fn of(tag: &Tag<'_>) -> Option<Self> {
        if tag.find("hidden").is_some() || tag.find("style").is_some_and(|style| hides(&style.value())) {
            return Some(Self::Browser);
        }
        let is_true = |value: &str| value.trim().eq_ignore_ascii_case("true");
        tag.find("aria-hidden").filter(|hidden| is_true(&hidden.value())).map(|_| Self::Aria)
    }
}

/// Whether a style keeps an element from being shown. Of several values for one property, the last counts.
fn hides(style: &str) -> bool {
    let (mut display, mut visibility) = (false, false);
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        let value = value.split('!').next().unwrap_or_default().trim().to_ascii_lowercase();
        match property.trim().to_ascii_lowercase().as_str() {
            "display" => display = value == "none",
            "visibility" => visibility = value == "hidden" || value == "collapse",
            _ => {}
        }
    }
    display || visibility
}

fn shows_media(tokens: &[Token<'_>]) -> bool {
    let is_media = |token: &Token<'_>| match &token.kind {
        TokenKind::Start(tag) => matches!(&*tag.name, "img" | "picture" | "audio" | "video" | "iframe"),
        _ => false,
    };
    tokens.iter().any(is_media)
}

fn text_length(tokens: &[Token<'_>]) -> usize {
    let length = |token: &Token<'_>| match &token.kind {
        TokenKind::Text(text) => text.source.split_whitespace().map(str::len).sum(),
        _ => 0,
    };
    tokens.iter().map(length).sum()
}

/// The index after the element that starts at `start`; `None` if it has no end.
fn end_of_element(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    let TokenKind::Start(tag) = &tokens[start].kind else { return None };
    if VOID.contains(&&*tag.name) {
        return Some(start + 1);
    }
    let may_lack_end = ended_by(&tag.name).is_some();
    let mut open: Vec<&str> = vec![&tag.name];
    for (at, token) in tokens.iter().enumerate().skip(start + 1) {
        match &token.kind {
            TokenKind::Start(tag) => {
                let ends = |name: &str| ended_by(name).is_some_and(|starts| starts.contains(&&*tag.name));
                while open.pop_if(|last| ends(last)).is_some() {}
                if open.is_empty() {
                    return Some(at);
                }
                if !VOID.contains(&&*tag.name) {
                    open.push(&tag.name);
                }
            }
            TokenKind::End(tag) => match open.iter().rposition(|name| *name == tag.name) {
                Some(0) => return Some(at + 1),
                Some(depth) => open.truncate(depth),
                None if may_lack_end => return Some(at),
                None => {}
            },
            _ => {}
        }
        if open.len() > DEEPEST {
            return None;
        }
    }
    may_lack_end.then_some(tokens.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::html::tokens;

    fn shown(html: &str) -> String {
        let html = format!("{html}<p>{}", "This is the text of the page. ".repeat(10));
        let tokens = without_hidden(tokens::tokens(&html).collect());
        let shown: String = tokens.iter().map(|token| &html[token.range.clone()]).collect();
        shown.split("<p>This is").next().unwrap().to_owned()
    }

    #[test]
    fn what_browsers_do_not_show_is_removed() {
        for hidden in [
            "<p style=\"display:none\">b</p>",
            "<p hidden>b</p>",
            "<p hidden=hidden>b",
            "<P HIDDEN=\"\">b <i>c</i>",
            "<div style=\"color: red; Visibility : Hidden !important\">b<div>c</div></div>",
            "<span aria-hidden=\"true\">b</span>",
            "<ul hidden><li>b<li>c</ul>",
            "<section hidden><p>b<p>c</section>",
            "<div style='display: none'><p hidden>b</p></div>",
            "<img hidden src=a>",
            "<a style=\"display:none\"><img src=a></a>",
        ] {
            assert_eq!(shown(&format!("<p>a</p>{hidden}")), "<p>a</p>", "{hidden}");
        }
        assert_eq!(shown("<ul><li hidden>b<li>c</ul>"), "<ul><li>c</ul>");
        assert_eq!(shown("<table><tr hidden><td>b<tr><td>c</table>"), "<table><tr><td>c</table>");
    }

    #[test]
    fn what_browsers_show_stays() {
        for html in [
            "<p style=\"display:block\">b</p>",
            "<p style=\"display:none;display:block\">b</p>",
            "<p class=hidden data-hidden=true title=hidden>b</p>",
            "<p aria-hidden=false>b</p>",
            "<a aria-hidden=true href=a><img src=a></a>",
            "<div hidden>no end tag",
            "<p style=\"overflow:hidden\">b</p>",
        ] {
            assert_eq!(shown(html), html);
        }
        let whole = format!(
            "<div style=\"display:none\">{}</div>",
            "Most of the text is here, for a script to show it. ".repeat(20)
        );
        assert_eq!(shown(&whole), whole);
        assert_eq!(shown("<body style=\"visibility:hidden\">b"), "<body style=\"visibility:hidden\">b");
    }

    #[test]
    fn hidden_elements_take_linear_time() {
        for html in [
            "<div hidden>".repeat(100_000),
            "<p hidden>".repeat(100_000),
            format!("<div hidden>{}", "<b>".repeat(200_000)),
            "<i hidden>a</i>".repeat(50_000),
        ] {
            without_hidden(tokens::tokens(&html).collect());
        }
    }
}
