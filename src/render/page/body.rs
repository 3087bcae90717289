//! The HTML of an article -> the same within a page, which has a heading above it and a width.

use std::borrow::Cow;

/// Makes headings go down by one where the article has one of the first rank, since the page has that one already; and lets a
/// table that is too wide be scrolled by itself, also from the keyboard. `html` is a balanced fragment.
pub fn within_page(html: &str) -> Cow<'_, str> {
    let lower = html.contains("<h1");
    if !lower && !html.contains("<table") {
        return Cow::Borrowed(html);
    }
    let mut fitted = String::with_capacity(html.len() + 256);
    let mut rest = html;
    let mut tables = 0_usize;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        let (tag, after) = tag.split_at(end_of(tag));
        fitted.push_str(text);
        match tag.trim_start_matches(['<', '/']).split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
        {
            "table" if tag.starts_with("</") => {
                tables = tables.saturating_sub(1);
                fitted.push_str(tag);
                fitted.push_str(if tables == 0 { "</div>" } else { "" });
            }
            "table" => {
                fitted.push_str(if tables == 0 { WIDE } else { "" });
                fitted.push_str(tag);
                tables += 1;
            }
            name if lower => fitted.push_str(&lowered(tag, name)),
            _ => fitted.push_str(tag),
        }
        rest = after;
    }
    fitted.push_str(rest);
    Cow::Owned(fitted)
}

/// Around a table. Who cannot see it is told what it is that can be scrolled.
const WIDE: &str = "<div class=\"wide\" role=\"group\" aria-label=\"Table\" tabindex=\"0\">";

/// Where a tag ends, at whose start the text is: a `>` within quotes ends nothing.
fn end_of(tag: &str) -> usize {
    let mut quote = None;
    for (index, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return index + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// The tag of a heading of the next lower rank; any other tag stays.
fn lowered<'a>(tag: &'a str, name: &str) -> Cow<'a, str> {
    let lower = match name {
        "h1" => "h2",
        "h2" => "h3",
        "h3" => "h4",
        "h4" => "h5",
        "h5" => "h6",
        _ => return Cow::Borrowed(tag),
    };
    Cow::Owned(tag.replacen(name, lower, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_go_below_that_of_the_page() {
        assert_eq!(within_page("<h2>a</h2><h3>b</h3>"), "<h2>a</h2><h3>b</h3>");
        assert_eq!(
            within_page("<h1 id=\"h1\">a</h1><p>h1</p><h2>b</h2><h6>c</h6><hr>"),
            "<h2 id=\"h1\">a</h2><p>h1</p><h3>b</h3><h6>c</h6><hr>"
        );
    }

    #[test]
    fn the_outermost_table_scrolls_by_itself() {
        let inner = "<table><tr><td><table></table></td></tr></table>";
        assert_eq!(within_page(&format!("<p>a</p>{inner}b")), format!("<p>a</p>{WIDE}{inner}</div>b"));
        assert_eq!(within_page("<img alt=\"a > <table>\"><p>"), "<img alt=\"a > <table>\"><p>");
        for broken in ["<table", "</table>", "<", "a < <h1", "<h1 a='"] {
            let _ = within_page(broken);
        }
    }
}
