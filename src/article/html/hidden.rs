//! Removes elements that browsers do not show: by `hidden`, by their style, by classes for screen readers, by `aria-hidden`, and those that
//! are not open yet.

use std::collections::HashMap;
use std::ops::Range;

use super::elements::{VOID, ended_by};
use super::tokens::{Tag, Token, TokenKind};

/// Elements that hold the whole page. A script may show them later.
const WHOLE: [&str; 3] = ["html", "body", "main"];
/// Classes of texts for screen readers only, as frameworks name them. A heading of the first level may be the title.
const FOR_SCREEN_READERS: [&str; 15] = [
    "a11y-hidden",
    "assistive-text",
    "element-invisible",
    "hidden-visually",
    "is-sr-only",
    "is-visually-hidden",
    "screen-reader-only",
    "screen-reader-text",
    "screenreader-only",
    "show-for-sr",
    "sr-only",
    "u-hiddenvisually",
    "u-visually-hidden",
    "visually-hidden",
    "visuallyhidden",
];
/// Properties that show an element after a moment, by a script or an animation.
const REVEALS: [&str; 6] = ["transform", "translate", "transition", "animation", "will-change", "filter"];
/// Fewest pixels to the left or upwards, after which an element is outside of any screen.
const FAR_AWAY: f64 = 900.0;
/// Deepest nesting in a hidden element.
const DEEPEST: usize = 500;
/// Maximum number of hidden elements whose end is looked for in vain.
const MOST_OPEN: usize = 20;

/// Removes hidden elements, but not one with most of the text: a script shows that one.
pub fn without_hidden(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut hidden: Vec<(Range<usize>, HiddenBy)> = Vec::new();
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
            Some(end) if hides_content(hidden_by, &tokens[at..end]) => {
                hidden.push((at..end, hidden_by));
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
    let is_little = |range: &Range<usize>| text_length(&tokens[range.clone()]) * 2 <= all;
    hidden.retain(|(range, hidden_by)| *hidden_by == HiddenBy::Closed || is_little(range));
    let mut hidden = hidden.into_iter().map(|(range, _)| range).peekable();
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
    /// Every browser, until a reader opens it. It is never the text of a page.
    Closed,
    /// Every browser, unless an element in it has another size of its own.
    Size,
    /// Screen readers only. Its pictures are shown.
    Aria,
}

impl HiddenBy {
    fn of(tag: &Tag<'_>) -> Option<Self> {
        let is_closed = match &*tag.name {
            "dialog" => tag.find("open").is_none(),
            "datalist" => true,
            _ => tag.find("popover").is_some(),
        };
        if is_closed {
            return Some(Self::Closed);
        }
        if tag.find("hidden").is_some() || (tag.name != "h1" && tag.has_class(&FOR_SCREEN_READERS)) {
            return Some(Self::Browser);
        }
        if let Some(hidden_by) = tag.find("style").and_then(|style| hidden_by_style(&style.value())) {
            return Some(hidden_by);
        }
        let is_true = |value: &str| value.trim().eq_ignore_ascii_case("true");
        tag.find("aria-hidden").filter(|hidden| is_true(&hidden.value())).map(|_| Self::Aria)
    }
}

/// Whether the content of an element is hidden, too.
fn hides_content(hidden_by: HiddenBy, tokens: &[Token<'_>]) -> bool {
    let is_styled = |token: &Token<'_>| match &token.kind {
        TokenKind::Start(tag) => tag.find("style").is_some() || tag.find("class").is_some() || tag.name == "font",
        _ => false,
    };
    match hidden_by {
        HiddenBy::Browser | HiddenBy::Closed => true,
        HiddenBy::Size => !tokens[1..].iter().any(is_styled),
        HiddenBy::Aria => !shows_media(tokens),
    }
}

/// Whether a style keeps an element from being shown.
fn hidden_by_style(style: &str) -> Option<HiddenBy> {
    let style = declarations(style);
    let value = |property: &str| style.get(property).map_or("", |value| value.text.as_str());
    let is_zero = |property: &str| {
        let digits = value(property).trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
        digits.parse().is_ok_and(|size: f64| size == 0.0)
    };
    let is_far = |property: &str| {
        let pixels = value(property).trim_end_matches("px").trim_end_matches("em");
        pixels.parse().is_ok_and(|place: f64| place <= -FAR_AWAY)
    };
    let is_transparent =
        || is_zero("opacity") && !style.keys().any(|name| REVEALS.iter().any(|part| name.contains(part)));
    let is_placed = || matches!(value("position"), "absolute" | "fixed");
    let is_cut = || {
        let places = value("clip").strip_prefix("rect(").and_then(|rest| rest.strip_suffix(')'));
        let is_small = |place: &str| matches!(place.trim_end_matches("px"), "0" | "1");
        let is_nothing = |places: &str| places.split([',', ' ']).filter(|place| !place.is_empty()).all(is_small);
        let inset = value("clip-path").strip_prefix("inset(").and_then(|rest| rest.strip_suffix(')'));
        (places.is_some_and(is_nothing) && is_placed()) || inset.is_some_and(|inset| matches!(inset, "50%" | "100%"))
    };
    let is_hidden = value("display") == "none"
        || matches!(value("visibility"), "hidden" | "collapse")
        || value("content-visibility") == "hidden"
        || is_transparent()
        || is_cut()
        || is_far("text-indent")
        || (is_placed() && (is_far("left") || is_far("top")));
    let has_no_size = is_zero("font-size");
    is_hidden.then_some(HiddenBy::Browser).or_else(|| has_no_size.then_some(HiddenBy::Size))
}

/// The value of a property in a style.
struct StyleValue {
    text: String,
    is_important: bool,
}

/// The properties of a style in lower case. Of several values for one, the last counts, or the last important one.
fn declarations(style: &str) -> HashMap<String, StyleValue> {
    let style = without_comments(style);
    let plain = |text: &str| without_escapes(text).to_lowercase();
    let mut declarations: HashMap<String, StyleValue> = HashMap::new();
    for declaration in style.split(';') {
        // A colon after a backslash is a part of a name.
        let parts = declaration.split_once(':').filter(|(property, _)| !property.ends_with('\\'));
        let Some((property, value)) = parts.map(|(property, value)| (plain(property), plain(value))) else { continue };
        let (text, mark) = value.split_once('!').unwrap_or((&value, ""));
        let value = StyleValue { text: text.trim().to_owned(), is_important: mark.trim() == "important" };
        let property = property.trim().to_owned();
        if value.is_important || declarations.get(&property).is_none_or(|before| !before.is_important) {
            declarations.insert(property, value);
        }
    }
    declarations
}

/// A style without comments. Browsers read one that has no end up to the end of the style (CSS Syntax 3 section 4.3.2).
fn without_comments(style: &str) -> String {
    let mut output = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, comment)) = rest.split_once("/*") {
        output.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    output + rest
}

/// A style with its escapes as characters (CSS Syntax 3 section 4.3.7).
fn without_escapes(style: &str) -> String {
    let mut output = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, escaped)) = rest.split_once('\\') {
        output.push_str(before);
        let is_hexadecimal = |place: &usize| escaped.as_bytes().get(*place).is_some_and(u8::is_ascii_hexdigit);
        let length = (0..6).take_while(is_hexadecimal).count();
        rest = &escaped[length..];
        if let Ok(number) = u32::from_str_radix(&escaped[..length], 16) {
            output.push(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = rest.strip_prefix(|c: char| c.is_ascii_whitespace()).unwrap_or(rest);
        } else {
            let end = rest.chars().next().map_or(0, char::len_utf8);
            output.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    output + rest
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
            "<dialog><p>b</p></dialog>",
            "<div popover>b</div>",
            "<div popover=manual class=c>b</div>",
            "<datalist id=d><option>b<option>c</datalist>",
            "<p style='display:/**/none'>b</p>",
            "<p style='/* a; */display/**/:none/*'>b</p>",
            "<p style='d\\69splay:none'>b</p>",
            "<p style='display:n\\00006f ne'>b</p>",
            "<p style='di\\splay:none'>b</p>",
            "<p style='display:none!important;display:block'>b</p>",
            "<p style='content-visibility:hidden'>b</p>",
            "<p style='opacity:0'>b</p>",
            "<p style='opacity:0.0;color:red'>b</p>",
            "<p style='font-size:0'>b <i>c</i></p>",
            "<p style='font-size:0px'>b</p>",
            "<p style='text-indent:-9999px'>b</p>",
            "<p style='text-indent: -999em'>b</p>",
            "<p style='position:absolute;left:-10000px'>b</p>",
            "<p style='position:absolute;clip:rect(0 0 0 0)'>b</p>",
            "<p style='position: absolute; clip: rect(1px, 1px, 1px, 1px)'>b</p>",
            "<p style='clip-path:inset(50%)'>b</p>",
            "<span class=sr-only>b</span>",
            "<h2 class='t visually-hidden'>b</h2>",
            "<span class=screen-reader-text>b</span>",
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
            "<dialog open><p>b</p></dialog>",
            "<details><summary>b</summary>c</details>",
            "<p style='display:none;display:block!important'>b</p>",
            "<p style='opacity:0;transform:translateY(20px)'>b</p>",
            "<p style='opacity:0.5'>b</p>",
            "<p style='font-size:0.9em'>b</p>",
            "<div style='font-size:0'><p style='font-size:14px'>b</p></div>",
            "<div style='font-size:0'><p class=c>b</p></div>",
            "<p style='text-indent:-2em'>b</p>",
            "<p style='margin-left:-10000px'>b</p>",
            "<p style='left:-10000px'>b</p>",
            "<p style='clip:rect(0,100px,100px,0);position:absolute'>b</p>",
            "<p style=\"content:'a/*b'\">b</p>",
            "<h1 class=sr-only>b</h1>",
            "<p class=sr-only-focusable>b</p>",
            "<p data-popover>b</p>",
            "<ul><option>b</option></ul>",
            "<p style='display\\:none'>b</p>",
        ] {
            assert_eq!(shown(html), html);
        }
        let whole = format!(
            "<div style=\"display:none\">{}</div>",
            "Most of the text is here, for a script to show it. ".repeat(20)
        );
        assert_eq!(shown(&whole), whole);
        let closed = format!("<dialog>{}</dialog>", "A long notice about cookies. ".repeat(40));
        assert_eq!(shown(&closed), "", "what is closed is never the text of a page");
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
