//! The addresses in the attributes of HTML.

use std::borrow::Cow;

use crate::article::html::resolve_references;
use crate::model::text::escape_html;

/// Attributes with an address.
const ADDRESSES: [&str; 3] = ["href", "src", "poster"];

/// A text with other addresses. `other` gets the name of the element and an address in it; without another one, it stays as it is
/// written. Text and comments stay, also those that look like tags in code.
pub fn with_addresses(html: &str, other: &mut dyn FnMut(&str, &str) -> Option<String>) -> String {
    let mut text = String::with_capacity(html.len());
    let mut at = 0;
    while let Some(next) = html[at..].find('<') {
        text.push_str(&html[at..at + next]);
        at += next;
        let rest = &html[at..];
        let length = if rest.starts_with("<!--") {
            rest.find("-->").map_or(rest.len(), |end| end + "-->".len())
        } else if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            at += add_tag(rest, &mut text, other);
            continue;
        } else {
            1
        };
        text.push_str(&rest[..length]);
        at += length;
    }
    text.push_str(&html[at..]);
    text
}

/// Adds the tag at the start of a text up to its `>`. Returns its length.
fn add_tag(html: &str, text: &mut String, other: &mut dyn FnMut(&str, &str) -> Option<String>) -> usize {
    let is_end_of_name = |c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/');
    let mut at = 1 + html[1..].find(|c: char| is_end_of_name(c) && c != '=').unwrap_or(html.len() - 1);
    let element = html[1..at].to_ascii_lowercase();
    text.push_str(&html[..at]);
    loop {
        let rest = &html[at..];
        let space = rest.find(|c: char| !c.is_whitespace() && c != '/').unwrap_or(rest.len());
        let name = &rest[space..];
        if name.is_empty() || name.starts_with('>') {
            text.push_str(&rest[..space]);
            return at + space;
        }
        // An equals sign may be the first character of a name.
        let first = name.chars().next().map_or(0, char::len_utf8);
        let length = first + name[first..].find(is_end_of_name).unwrap_or(name.len() - first);
        let (name, after) = name.split_at(length);
        let value = after.trim_start().strip_prefix('=').map(str::trim_start);
        let Some(value) = value else {
            text.push_str(&rest[..space + length]);
            at += space + length;
            continue;
        };
        let before = rest.len() - value.len();
        text.push_str(&rest[..before]);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, whole) = if let Some(quote) = quote {
            let inside = value[1..].find(quote).map_or(&value[1..], |end| &value[1..=end]);
            (inside, (inside.len() + 2).min(value.len()))
        } else {
            let end = value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len());
            (&value[..end], end)
        };
        let written = &rest[before..before + whole];
        match replaced(&element, &name.to_ascii_lowercase(), value, other) {
            Some(new) => {
                let quote = quote.unwrap_or('"');
                text.push_str(&format!("{quote}{}{quote}", escape_html(&new)));
            }
            None => text.push_str(written),
        }
        at += before + whole;
    }
}

/// The value of an attribute with other addresses.
fn replaced(
    element: &str,
    attribute: &str,
    value: &str,
    other: &mut dyn FnMut(&str, &str) -> Option<String>,
) -> Option<String> {
    let value: Cow<'_, str> = resolve_references(value);
    if ADDRESSES.contains(&attribute) {
        return other(element, value.trim());
    }
    if attribute != "srcset" {
        return None;
    }
    let mut is_other = false;
    let candidate = |candidate: &str| {
        let (address, size) = candidate.split_once(char::is_whitespace).unwrap_or((candidate, ""));
        let new = other(element, address);
        is_other |= new.is_some();
        format!("{} {size}", new.as_deref().unwrap_or(address)).trim_end().to_owned()
    };
    // An address may have a comma in it, but no space.
    let candidates = value.split(", ").flat_map(|part| part.split(",\n")).map(str::trim);
    let candidates: Vec<String> = candidates.filter(|part| !part.is_empty()).map(candidate).collect();
    is_other.then(|| candidates.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_in_tags_are_replaced() {
        let other = |html: &str| {
            with_addresses(html, &mut |element, address| {
                address.starts_with('/').then(|| format!("https://a.example{address}#{element}"))
            })
        };
        for (html, expected) in [
            ("<a href=\"/b?x=1&amp;y\">/c</a>", "<a href=\"https://a.example/b?x=1&amp;y#a\">/c</a>"),
            ("<IMG alt='a > b' src='/b' />x", "<IMG alt='a > b' src='https://a.example/b#img' />x"),
            ("<img src=/b.png>", "<img src=\"https://a.example/b.png#img\">"),
            ("<img src = \"/b\"hidden>", "<img src = \"https://a.example/b#img\"hidden>"),
            (
                "<img srcset=\"/a.png 1x, /b,c.png 2x, d.png\">",
                "<img srcset=\"https://a.example/a.png#img 1x, https://a.example/b,c.png#img 2x, d.png\">",
            ),
            (
                "<video poster='/p.jpg'><source src=\"/v.mp4\">",
                "<video poster='https://a.example/p.jpg#video'><source src=\"https://a.example/v.mp4#source\">",
            ),
            ("<code>&lt;a href=\"/b\"&gt;</code>", "<code>&lt;a href=\"/b\"&gt;</code>"),
            (
                "<!-- <a href=\"/b\"> --> a < b <a title=\"href='/x'\" href='#c'>",
                "<!-- <a href=\"/b\"> --> a < b <a title=\"href='/x'\" href='#c'>",
            ),
            ("<a href=\"/b", "<a href=\"https://a.example/b#a\""),
            ("<a =b href>", "<a =b href>"),
            ("a <!-- b", "a <!-- b"),
            ("<a href=", "<a href="),
            ("<", "<"),
        ] {
            assert_eq!(other(html), expected, "{html}");
        }
        other(&"<a href='".repeat(50_000));
        other(&"<!--".repeat(50_000));
    }
}
