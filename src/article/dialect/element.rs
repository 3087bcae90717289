//! Elements of HTML in Markdown whose content is not shown. Markdown ends a block of HTML at a blank line, and would read what follows
//! as text or as code, with the end tag in it.

use std::collections::HashMap;

use super::code::code_of_markdown;
use crate::article::html;

/// Longest start tag of such an element, in bytes.
const LONGEST_TAG: usize = 2_000;
/// Longest name of such an element, in bytes.
const LONGEST_NAME: usize = 8;

/// Whether a text has the start tag of a hidden element, in code or elsewhere.
pub(super) fn has_hidden(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| start_of_hidden(&text[at..]).is_some())
}

/// Whether a text ends in a comment of HTML.
pub(super) fn ends_in_comment(text: &str) -> bool {
    text.rfind("<!--").is_some_and(|at| !text[at..].contains("-->"))
}

/// The name of the hidden element that a text starts with, in lower case, and the length of its start tag. `None` if it holds nothing.
pub(super) fn start_of_hidden(text: &str) -> Option<(String, usize)> {
    let name = name_of(&text[1..]).filter(|name| html::is_hidden(name))?;
    let length = html::start_tag_length(&text[..text.floor_char_boundary(LONGEST_TAG)])?;
    (!text[..length].ends_with("/>")).then_some((name, length))
}

/// The name that a text starts with, in lower case.
fn name_of(text: &str) -> Option<String> {
    let near = &text.as_bytes()[..text.len().min(LONGEST_NAME + 1)];
    let length = near.iter().position(|byte| !byte.is_ascii_alphabetic())?;
    let is_end = matches!(near[length], b'>' | b'/' | b' ' | b'\t' | b'\n');
    (length > 0 && is_end).then(|| text[..length].to_ascii_lowercase())
}

/// Finds the end of each hidden element outside of code. An end tag belongs to the last start tag of its name.
pub(super) fn ends(text: &str) -> HashMap<usize, usize> {
    // Behind an open element, lines are indented because they are its content.
    let code = code_of_markdown(text).into_iter().filter(|code| !code.is_indented);
    let mut code = code.map(|code| code.range).peekable();
    let mut open: HashMap<String, Vec<usize>> = HashMap::new();
    let mut ends = HashMap::new();
    for (at, _) in text.match_indices('<') {
        while code.next_if(|code| code.end <= at).is_some() {}
        if code.peek().is_some_and(|code| code.contains(&at)) {
            continue;
        }
        if let Some(rest) = text[at..].strip_prefix("</") {
            let start = name_of(rest).and_then(|name| Some((open.get_mut(&name)?.pop()?, name.len())));
            if let Some((start, length)) = start
                && let Some(close) = rest[length..].find('>')
            {
                ends.insert(start, at + "</".len() + length + close + 1);
            }
        } else if let Some((name, _)) = start_of_hidden(&text[at..]) {
            open.entry(name).or_default().push(at);
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use crate::article::dialect::{Dialect, plain};

    fn markdown(text: &str) -> String {
        plain(text, Dialect::Markdown, 1).0.into_owned()
    }

    #[test]
    fn a_hidden_element_has_no_blank_lines() {
        for (given, expected) in [
            (
                "<x-y>\n\t<template>\n\t\t<p>a</p>\n\n\t\t<b>x</b>\n\t</template>\n</x-y>\n\nText",
                "<x-y>\n\t<template>\n\t\t<p>a</p>\n\t\t<b>x</b>\n\t</template>\n</x-y>\n\nText",
            ),
            ("<Nav>\n\n* [a](b)\n\n</NAV >\n\nText", "<Nav>\n* [a](b)\n</NAV >\n\nText"),
            ("<svg>\n\n<svg>\n\n</svg>\n\n</svg>\n\nText", "<svg>\n<svg>\n</svg>\n</svg>\n\nText"),
            ("`<nav>` and\n\n<nav>\n\na</nav> b", "`<nav>` and\n\n<nav>\na</nav> b"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn a_hidden_element_without_an_end_hides_nothing() {
        for (given, expected) in [
            ("The <title> element\n\nMore", "The &lt;title&gt; element\n\nMore"),
            ("The <nav> element, then\n\n<nav>a</nav>", "The &lt;nav&gt; element, then\n\n<nav>a</nav>"),
            ("<form action=\"a\">\n\nText", "\n\nText"),
            ("<svg/> and <embed src=a> stay", "<svg/> and <embed src=a> stay"),
            ("a <navigation> b < nav> c <nav", "a <navigation> b < nav> c <nav"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
        let (_, problem) = plain("a\n\nThe <Select> element", Dialect::Markdown, 1);
        let problem = problem.unwrap();
        assert_eq!(problem.line, Some(3));
        assert!(problem.message.starts_with("`<select>` has no end tag"), "{problem}");
    }

    #[test]
    fn open_elements_take_linear_time() {
        for text in
            ["<nav>".repeat(20_000), "<nav ".repeat(20_000), "</nav".repeat(20_000), "<nav></nav>".repeat(20_000)]
        {
            markdown(&text);
        }
    }
}
