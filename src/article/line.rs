//! One line of Markdown, for a place where an article would be too much.

use url::Url;

use super::address::Addresses;
use super::{html, markdown};
use crate::model::entry::SafeHtml;

/// Renders a line of Markdown, safe for pages. Links that are not absolute are relative to `page`. A single paragraph has no tags around it.
pub fn line(text: &str, page: &Url) -> SafeHtml {
    if text.trim().is_empty() || markdown::exceeds_limits(text) {
        return SafeHtml::default();
    }
    let body = markdown::read(text, 1, Some(""));
    let safe = html::sanitise(&body.html, &Addresses::of_page(page));
    let inside = safe.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    match inside.filter(|inside| !inside.contains("<p>")) {
        // A part of a safe fragment with the same tags open and closed is safe.
        Some(inside) => html::sanitise(inside, &Addresses::of_page(page)),
        None => safe,
    }
}

/// Makes a fragment of HTML safe for pages and feeds. Links that are not absolute are relative to `page`.
pub fn fragment(html: &str, page: &Url) -> SafeHtml {
    html::sanitise(html, &Addresses::of_page(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_links_and_nothing_that_runs() {
        let page = Url::parse("https://a.example/b/").unwrap();
        for (text, expected) in [
            ("", ""),
            ("By *Ann*", "By <em>Ann</em>"),
            ("[About](about) & <b>more</b>", "<a href=\"https://a.example/b/about\">About</a> &amp; <b>more</b>"),
            ("x<script>alert(1)</script> [y](javascript:alert(1))", "x <a>y</a>"),
        ] {
            let html = line(text, &page).to_string();
            assert!(html == expected || html.replace(" rel=\"nofollow\"", "") == expected, "{text}: {html}");
        }
    }
}
