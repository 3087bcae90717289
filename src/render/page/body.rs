//! The HTML of an article -> the same for a page, which has a heading of its own and a limited width.

use std::borrow::Cow;

use crate::article::summary::one_line;
use crate::model::text::escape_html;
use crate::render::words::Texts;

/// Lowers all headings by one level if the article has an `h1`, since the page has one already, and makes each outermost table and each
/// formula on a line of its own scrollable, also by keyboard. Items with a check box have no bullet, and the title of a picture alone is its
/// caption. `html` is a balanced fragment, `texts` has the labels of what scrolls, in the language of the page.
pub fn within_page<'a>(html: &'a str, texts: &Texts) -> Cow<'a, str> {
    let lowers_headings = html.contains("<h1");
    let has_captions = html.contains("<p><img ") && html.contains(" title=\"");
    let has_tasks = CHECK_BOXES.iter().any(|sign| html.contains(*sign));
    let is_wide = html.contains("<table") || html.contains(DISPLAYED);
    let is_aligned = html.contains(ALIGNED);
    if !lowers_headings && !has_captions && !has_tasks && !is_wide && !is_aligned {
        return Cow::Borrowed(html);
    }
    let (mut tables, mut caption, mut in_formula) = (0_usize, None, false);
    Cow::Owned(with_tags_and_rest(html, |adapted, tag, rest| match name_of(tag) {
        "li" if tag == "<li>" && is_task(rest) => adapted.push_str("<li class=\"task\">"),
        "td" | "th" | "p" | "div" | "caption" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if tag.contains(ALIGNED) => {
            let tag = aligned(tag);
            adapted.push_str(&if lowers_headings { lowered(&tag, name_of(&tag)).into_owned() } else { tag });
        }
        "p" if tag == "<p>" => {
            caption = caption_of(rest);
            adapted.push_str(if caption.is_some() { "<figure>" } else { tag });
        }
        "p" if caption.is_some() => {
            let words = caption.take().unwrap_or_default();
            adapted.push_str(&format!("<figcaption>{words}</figcaption></figure>"));
        }
        "img" if caption.is_some() => adapted.push_str(&without_title(tag)),
        "table" if tag.starts_with("</") => {
            tables = tables.saturating_sub(1);
            adapted.push_str(tag);
            adapted.push_str(if tables == 0 { "</div>" } else { "" });
        }
        "table" => {
            if tables == 0 {
                adapted.push_str(&scrolling("div", &texts.table));
            }
            adapted.push_str(tag);
            tables += 1;
        }
        "math" if tag.contains(DISPLAYED) && !in_formula => {
            in_formula = true;
            adapted.push_str(&scrolling("span", &texts.formula));
            adapted.push_str(tag);
        }
        "math" if in_formula && tag.starts_with("</") => {
            in_formula = false;
            adapted.push_str(tag);
            adapted.push_str("</span>");
        }
        name if lowers_headings => adapted.push_str(&lowered(tag, name)),
        _ => adapted.push_str(tag),
    }))
}

/// The mark of a formula on a line of its own.
const DISPLAYED: &str = " display=\"block\"";

/// The obsolete attribute with which feeds align texts; style sheets of readers are not ours.
const ALIGNED: &str = " align=\"";

/// A tag with a class in place of its alignment. The values of attributes are in double quotes.
fn aligned(tag: &str) -> String {
    let mut parts: Vec<&str> = tag.split('"').collect();
    let names = || (0..parts.len()).step_by(2);
    let has_class = names().any(|at| parts[at].ends_with(" class="));
    let found = names().find_map(|at| Some((at, parts[at].strip_suffix(" align=")?)));
    let Some((at, before)) = found.filter(|(at, _)| at + 2 < parts.len()) else { return tag.to_owned() };
    let value = parts[at + 1].to_ascii_lowercase();
    let is_known = ["left", "right", "center"].contains(&value.as_str()) && !has_class;
    let class = if is_known { format!(" class=\"to-{value}\"") } else { String::new() };
    let start = format!("{before}{class}{}", parts[at + 2]);
    parts.splice(at..=at + 2, [start.as_str()]);
    parts.join("\"")
}

/// The signs of the check boxes of a task list.
const CHECK_BOXES: [char; 2] = ['☐', '☑'];

/// Whether an item that begins with this HTML has a check box.
fn is_task(item: &str) -> bool {
    let item = item.trim_start();
    item.strip_prefix("<p>").unwrap_or(item).starts_with(CHECK_BOXES)
}

/// The caption of a picture that is alone in a paragraph with this HTML: its title, as HTML.
fn caption_of(paragraph: &str) -> Option<String> {
    let picture = &paragraph[..end_of(paragraph)];
    let is_alone = picture.starts_with("<img ") && paragraph[picture.len()..].starts_with("</p>");
    let (_, title) = picture.split_once(" title=\"").filter(|_| is_alone)?;
    let title = title.split('"').next()?.trim();
    (!title.is_empty()).then(|| title.replace('<', "&lt;").replace('>', "&gt;"))
}

fn without_title(tag: &str) -> Cow<'_, str> {
    match tag.split_once(" title=\"").and_then(|(before, title)| Some((before, title.split_once('"')?.1))) {
        Some((before, behind)) => Cow::Owned(format!("{before}{behind}")),
        None => Cow::Borrowed(tag),
    }
}

/// Adapts a short article for a list of articles: as [`within_page`], with headings below those of the list and without names, which another
/// article of the list may have, too.
pub fn within_list(html: &str, texts: &Texts) -> String {
    with_tags(&within_page(html, texts), |adapted, tag| {
        let name = name_of(tag);
        let tag = if matches!(name, "h1" | "h2" | "h3") { tag.replacen(name, "h4", 1) } else { tag.to_owned() };
        match tag.split_once(" id=\"").and_then(|(before, id)| Some((before, id.split_once('"')?.1))) {
            Some((before, behind)) => adapted.extend([before, behind]),
            None => adapted.push_str(&tag),
        }
    })
}

/// Whether a short article is a picture with at most its caption.
pub fn is_picture(html: &str) -> bool {
    let rest = ["<p>", "<figure>"].iter().find_map(|start| html.strip_prefix(start));
    let Some(rest) = rest.filter(|rest| rest.starts_with("<img ")) else { return false };
    let behind = rest[end_of(rest)..].trim_end();
    let caption = behind.strip_prefix("<figcaption>").and_then(|rest| rest.split_once("</figcaption>"));
    matches!(caption.map_or(behind, |(_, behind)| behind), "</p>" | "</figure>")
}

/// Maximum length of a text that describes a page, in characters.
const DESCRIPTION: usize = 300;

/// The text of the start of an article in one line.
pub fn text_of(html: &str) -> String {
    let mut text = String::new();
    for (number, part) in html.split('<').enumerate() {
        let words = if number == 0 { part } else { &part[end_of(part)..] };
        text.push_str(words);
        // Elements within a line end no word.
        let name = name_of(part);
        let is_inline = ["a", "em", "strong", "b", "i", "code", "span", "sub", "sup", "mark", "del"].contains(&name);
        text.push_str(if is_inline { "" } else { " " });
        if text.len() > 8 * DESCRIPTION {
            break;
        }
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    let text = entities.into_iter().fold(text, |text, (entity, sign)| text.replace(entity, sign));
    one_line(&text).chars().take(DESCRIPTION).collect()
}

/// Shortens the addresses of this site in a page to their paths, so that the page works under every name of the host. What programs read stays
/// whole: `<meta>`, and `<link>` with the canonical address and those of feeds (standards 141).
pub fn with_paths(page: &str, base_url: &str, base_path: &str) -> String {
    with_tags(page, |adapted, tag| {
        if tag.contains(base_url) && !tag.starts_with("<meta") && !tag.starts_with("<link") {
            adapted.push_str(&shortened(tag, base_url, base_path));
        } else {
            adapted.push_str(tag);
        }
    })
}

/// Copies HTML, with each tag as `write` writes it.
pub(super) fn with_tags(html: &str, mut write: impl FnMut(&mut String, &str)) -> String {
    with_tags_and_rest(html, |adapted, tag, _| write(adapted, tag))
}

/// As [`with_tags`], and also says what follows each tag.
fn with_tags_and_rest(html: &str, mut write: impl FnMut(&mut String, &str, &str)) -> String {
    let mut adapted = String::with_capacity(html.len() + 256);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        let (tag, after) = tag.split_at(end_of(tag));
        adapted.push_str(text);
        write(&mut adapted, tag, after);
        rest = after;
    }
    adapted.push_str(rest);
    adapted
}

/// The name of a start or end tag.
fn name_of(tag: &str) -> &str {
    tag.trim_start_matches(['<', '/']).split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

/// A tag whose addresses of this site are paths.
fn shortened(tag: &str, base_url: &str, base_path: &str) -> String {
    let mut shortened = tag.to_owned();
    for name in [" href=\"", " src=\"", " poster=\""] {
        shortened = shortened.replace(&format!("{name}{base_url}"), &format!("{name}{base_path}"));
    }
    let Some(start) = shortened.find(" srcset=\"").map(|at| at + " srcset=\"".len()) else { return shortened };
    let end = shortened[start..].find('"').map_or(shortened.len(), |length| start + length);
    let part = |part: &str| part.strip_prefix(base_url).map_or(part.to_owned(), |path| format!("{base_path}{path}"));
    let sizes = shortened[start..end].split(", ").map(part).collect::<Vec<_>>().join(", ");
    format!("{}{sizes}{}", &shortened[..start], &shortened[end..])
}

/// The start of the box around a table or a formula. Its label tells screen readers what scrolls.
fn scrolling(element: &str, label: &str) -> String {
    format!("<{element} class=\"wide\" role=\"group\" aria-label=\"{}\" tabindex=\"0\">", escape_html(label))
}

/// Length of the tag at the start of a text. A `>` in quotes does not end it.
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

/// The tag of a heading one level lower; any other tag unchanged.
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
    use crate::render::words::Words;

    fn adapted(html: &str) -> Cow<'_, str> {
        within_page(html, &Words::of("en").texts)
    }

    #[test]
    fn headings_move_below_the_heading_of_the_page() {
        assert_eq!(adapted("<h2>a</h2><h3>b</h3>"), "<h2>a</h2><h3>b</h3>");
        assert_eq!(
            adapted("<h1 id=\"h1\">a</h1><p>h1</p><h2>b</h2><h6>c</h6><hr>"),
            "<h2 id=\"h1\">a</h2><p>h1</p><h3>b</h3><h6>c</h6><hr>"
        );
    }

    #[test]
    fn in_a_list_names_go_and_headings_are_lower() {
        let html = "<h2 id=\"a\">A</h2><p title=\"id\" id=\"b\">B <a href=\"#a\">c</a></p><h5>D</h5>";
        assert_eq!(
            within_list(html, &Words::of("en").texts),
            "<h4>A</h4><p title=\"id\">B <a href=\"#a\">c</a></p><h5>D</h5>"
        );
    }

    #[test]
    fn addresses_of_the_site_become_paths() {
        let with_paths = |html: &str| super::with_paths(html, "https://a.example/b/", "/b/");
        for (html, expected) in [
            ("<a href=\"https://a.example/b/articles/c#d\">x</a>", "<a href=\"/b/articles/c#d\">x</a>"),
            ("<a class=\"x\" href=\"https://a.example/b/\">", "<a class=\"x\" href=\"/b/\">"),
            (
                "<img src=\"https://a.example/b/m.png\" alt=\"https://a.example/b/\">",
                "<img src=\"/b/m.png\" alt=\"https://a.example/b/\">",
            ),
            (
                "<img srcset=\"https://a.example/b/m.png 1x, https://c.example/n.png 2x, https://a.example/b/o.png 3x\">",
                "<img srcset=\"/b/m.png 1x, https://c.example/n.png 2x, /b/o.png 3x\">",
            ),
        ] {
            assert_eq!(with_paths(html), expected);
        }
        for html in [
            "<a href=\"https://a.example/c\">x</a>",
            "<link rel=\"canonical\" href=\"https://a.example/b/c\">",
            "<link rel=\"alternate\" type=\"application/rss+xml\" href=\"https://a.example/b/rss.xml\">",
            "<meta content=\"https://a.example/b/c\">",
            "<p>Write <code>href=\"https://a.example/b/\"</code></p>",
            "<a title=\"> href='https://a.example/b/'\">",
        ] {
            assert_eq!(with_paths(html), html);
        }
    }

    #[test]
    fn tasks_have_no_bullets_and_pictures_their_captions() {
        assert_eq!(
            adapted("<ul>\n<li>☑ a</li>\n<li>\n<p>☐ b</p></li><li>c ☐</li></ul>"),
            "<ul>\n<li class=\"task\">☑ a</li>\n<li class=\"task\">\n<p>☐ b</p></li><li>c ☐</li></ul>"
        );
        assert_eq!(
            adapted("<p><img src=\"a.png\" alt=\"> A\" title=\"B &amp; <c>\"></p><p>d</p>"),
            "<figure><img src=\"a.png\" alt=\"> A\"><figcaption>B &amp; &lt;c&gt;</figcaption></figure><p>d</p>"
        );
        for html in [
            "<p><img src=\"a\" title=\"b\"> c</p>",
            "<p><img src=\"a\" title=\" \"></p>",
            "<p>a <img src=\"b\" title=\"c\"></p>",
        ] {
            assert_eq!(adapted(html), html);
        }
    }

    #[test]
    fn a_picture_alone_is_one() {
        for html in [
            "<p><img src=\"a\" alt=\">\"></p>",
            "<figure><img src=\"a\"><figcaption>A <em>b</em></figcaption></figure>\n",
        ] {
            assert!(is_picture(html), "{html}");
        }
        for html in
            ["<p>a</p>", "<p><img src=\"a\"> b</p>", "<p><img src=\"a\"></p><p>b</p>", "<figure><img src=\"a\"", ""]
        {
            assert!(!is_picture(html), "{html}");
        }
    }

    #[test]
    fn a_formula_on_a_line_of_its_own_scrolls() {
        let [inline, displayed] = [
            "<p><math alttext=\"a\"><mi>a</mi></math></p>",
            "<p><math alttext=\"a\" display=\"block\"><mi>a</mi></math></p>",
        ];
        assert_eq!(adapted(inline), inline);
        let start = "<span class=\"wide\" role=\"group\" aria-label=\"Formula\" tabindex=\"0\"><math";
        assert_eq!(adapted(displayed), displayed.replace("<math", start).replace("</math>", "</math></span>"));
    }

    #[test]
    fn a_short_text_describes_its_page() {
        for (html, text) in [
            (
                "<p>It is <em>rain</em>ing &amp; <a href=\"a > b\">late</a>.</p>\n<p>&lt;b&gt;</p>",
                "It is raining & late. <b>",
            ),
            ("<p><img src=\"a\" alt=\"b\"></p>", ""),
            ("a < b", "a"),
            ("", ""),
        ] {
            assert_eq!(text_of(html), text, "{html}");
        }
        assert_eq!(text_of(&"é".repeat(5_000)).chars().count(), DESCRIPTION);
    }

    #[test]
    fn alignment_is_a_class() {
        for (html, expected) in [
            ("<p align=\"Center\">a</p>", "<p class=\"to-center\">a</p>"),
            ("<h1 align=\"right\" id=\"a\">a</h1>", "<h2 class=\"to-right\" id=\"a\">a</h2>"),
            ("<p align=\"justify\">a</p>", "<p>a</p>"),
            ("<p title=\"x align=\">a</p>", "<p title=\"x align=\">a</p>"),
            (
                "<p title=\"x align=\" align=\"left\" id=\"b\">a</p>",
                "<p title=\"x align=\" class=\"to-left\" id=\"b\">a</p>",
            ),
            ("<td class=\"c\" align=\"left\">a</td>", "<td class=\"c\">a</td>"),
            ("<img align=\"left\" src=\"a\">", "<img align=\"left\" src=\"a\">"),
        ] {
            assert_eq!(adapted(html), expected);
        }
        let table = "<table><tr><td align=\"right\">1</td></tr></table>";
        assert!(adapted(table).contains("<td class=\"to-right\">1</td>"));
    }

    #[test]
    fn the_outermost_table_scrolls() {
        let inner = "<table><tr><td><table></table></td></tr></table>";
        assert_eq!(
            adapted(&format!("<p>a</p>{inner}b")),
            format!("<p>a</p>{}{inner}</div>b", scrolling("div", "Table"))
        );
        assert_eq!(adapted("<img alt=\"a > <table>\"><p>"), "<img alt=\"a > <table>\"><p>");
        for broken in ["<table", "</table>", "<", "a < <h1", "<h1 a='"] {
            let _ = adapted(broken);
        }
    }
}
