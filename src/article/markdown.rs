//! Markdown -> HTML. A first-level heading at the start becomes the title.

mod environments;
mod footnotes;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd, TextMergeStream, html,
};

use super::dialect::{self, Dialect};
use super::front_matter::{Field, Header};
use super::html::CodeStep;
use super::phrases::heading_id;
use super::problem::Problem;
use super::reading::ParsedBody;
use super::{html as page, summary, tex, web_address};

/// Whether parsing a text would take too much time or memory. Consecutive quote and list marks nest in each other.
pub fn exceeds_limits(text: &str) -> bool {
    let is_mark = |byte: &u8| byte.is_ascii_punctuation() && !matches!(byte, b'.' | b',' | b';' | b'?' | b'%' | b'/');
    let nested = |line: &str| {
        let head = line
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'>' | b'-' | b'*' | b'+' | b'.' | b')' | b'0'..=b'9'));
        // A horizontal rule such as `------` is not a list.
        let mut previous = b' ';
        head.filter(|byte| {
            matches!(
                (std::mem::replace(&mut previous, *byte), byte),
                (_, b'>') | (b'-' | b'*' | b'+' | b'.' | b')', b' ' | b'\t')
            )
        })
        .count()
    };
    text.bytes().filter(is_mark).count() + text.lines().count() > page::MOST_MARKS
        || text.lines().any(|line| nested(line) > page::MAX_DEPTH)
}

/// Reads a Markdown text; `first_line` is the line of the file that it starts on. A first-level heading at the start is the title
/// and is removed from the text, unless the front matter has a different title.
pub fn read(text: &str, first_line: usize, known_title: Option<&str>) -> ParsedBody {
    read_plain(dialect::plain(text, Dialect::Markdown, first_line), first_line, known_title)
}

/// As [`read`], of a note in a vault of Obsidian.
pub fn read_note(text: &str, first_line: usize, known_title: Option<&str>) -> ParsedBody {
    read_plain(dialect::plain_note(text, first_line), first_line, known_title)
}

/// Reads a text from which the additions to Markdown were taken.
fn read_plain(
    (text, left_out): (Cow<'_, str>, Option<Problem>),
    first_line: usize,
    known_title: Option<&str>,
) -> ParsedBody {
    let text = environments::in_dollars(&text);
    let events = TextMergeStream::new(Parser::new_ext(&text, dialect::OPTIONS))
        .map(check_box_as_text)
        .map(with_slashes)
        .map(without_ticks);
    let events = with_ids(without_prices(without_placeholders(events.collect())));
    let mut events = with_links(events);
    let title = take_title(&mut events, known_title);
    let summary = before_more(&events);
    // The HTML of formulas and footnotes, which come next, is ours and whole.
    let has_html = events.iter().any(|event| matches!(event, Event::Html(_) | Event::InlineHtml(_)));
    let events = with_formula_blocks(with_formulas(footnotes::at_the_end(events)));
    let mut output = String::with_capacity(text.len() * 5 / 4);
    html::push_html(&mut output, events.into_iter());
    let open = has_html.then(|| page::open_end(&output)).flatten().map(|open| {
        let line = text.rfind(open.source).map(|at| first_line + text[..at].matches('\n').count());
        Problem::new(line, open.message)
    });
    let header = Header { title, summary, ..Header::default() };
    ParsedBody {
        header: header.with_source(Field::Title, "first heading").with_source(Field::Summary, "text before the fold"),
        paragraphs: page::outline(&output).paragraphs,
        html: output,
        problems: left_out.into_iter().chain(open).collect(),
        ..ParsedBody::default()
    }
}

/// Turns the backslashes in an address into slashes, as browsers do (WHATWG URL section 4.4): Windows separates folders by them.
fn with_slashes(event: Event<'_>) -> Event<'_> {
    let slashes = |url: CowStr<'_>| url.replace('\\', "/").into();
    match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) if dest_url.contains('\\') => {
            Event::Start(Tag::Link { link_type, dest_url: slashes(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) if dest_url.contains('\\') => {
            Event::Start(Tag::Image { link_type, dest_url: slashes(dest_url), title, id })
        }
        other => other,
    }
}

/// Takes the backticks away from GitHub's form of a formula, `` $`x^2`$ ``.
fn without_ticks(event: Event<'_>) -> Event<'_> {
    let inside = |tex: &str| Some(tex.strip_prefix('`')?.strip_suffix('`')?.trim().to_owned());
    match event {
        Event::InlineMath(tex) => {
            match inside(&tex).filter(|inside| !inside.contains('`') && tex::is_formula(inside)) {
                Some(inside) => Event::InlineMath(inside.into()),
                None => Event::InlineMath(tex),
            }
        }
        other => other,
    }
}

/// Turns what only looks like a tag back into text: `Vec<String>`, `/home/<user>`. There is no such element, it has no end tag, and the
/// sanitiser would remove it.
fn without_placeholders(mut events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let name = |event: &Event<'_>, open: &str| match event {
        Event::InlineHtml(tag) | Event::Html(tag) => {
            let name = tag.strip_prefix(open)?.trim_end().strip_suffix('>')?;
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            Some(name.to_ascii_lowercase()).filter(|_| is_name && !name.is_empty())
        }
        _ => None,
    };
    let is_unknown = |event: &Event<'_>| {
        matches!(event, Event::InlineHtml(_)) && name(event, "<").is_some_and(|name| !page::is_element(&name))
    };
    let unknown: Vec<usize> = (0..events.len()).filter(|at| is_unknown(&events[*at])).collect();
    if unknown.is_empty() {
        return events;
    }
    let ends: HashSet<String> = events.iter().filter_map(|event| name(event, "</")).collect();
    for at in unknown {
        if name(&events[at], "<").is_some_and(|name| !ends.contains(&name))
            && let Event::InlineHtml(tag) = &events[at]
        {
            events[at] = Event::Text(tag.clone());
        }
    }
    TextMergeStream::new(events.into_iter()).collect()
}

/// Turns what only looks like a formula back into text.
fn without_prices(mut events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let touches = |event: Option<&Event<'_>>, is_before: bool| match event {
        Some(Event::Text(text)) => {
            let character = if is_before { text.chars().next_back() } else { text.chars().next() };
            character.is_some_and(|c| c.is_ascii_alphanumeric())
        }
        _ => false,
    };
    for at in 0..events.len() {
        let (tex, sign) = match &events[at] {
            Event::InlineMath(tex) => (tex, "$"),
            Event::DisplayMath(tex) => (tex, "$$"),
            _ => continue,
        };
        let is_glued = sign == "$"
            && (touches(at.checked_sub(1).map(|before| &events[before]), true) || touches(events.get(at + 1), false));
        if is_glued || !tex::is_formula(tex) {
            events[at] = Event::Text(format!("{sign}{tex}{sign}").into());
        }
    }
    TextMergeStream::new(events.into_iter()).collect()
}

/// Converts formulas to MathML. One that cannot be read stays as it is written.
fn with_formulas(mut events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let is_edge = |event: Option<&Event<'_>>| match event {
        Some(Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) | Event::SoftBreak | Event::HardBreak) => {
            true
        }
        Some(Event::Text(text)) => text.trim().is_empty(),
        other => other.is_none(),
    };
    for at in 0..events.len() {
        events[at] = match &events[at] {
            Event::InlineMath(tex) => formula(tex, tex::Placement::Inline, "$"),
            Event::DisplayMath(tex) => {
                // kramdown has one sign for both placements.
                let before = at.checked_sub(1).map(|before| &events[before]);
                let stands_alone = is_edge(before) && is_edge(events.get(at + 1));
                let placement = if stands_alone { tex::Placement::Block } else { tex::Placement::Inline };
                formula(tex, placement, "$$")
            }
            _ => continue,
        };
    }
    events
}

/// Converts each block of code in the language `math`, which GitHub and others show as a formula. One that cannot be read stays.
fn with_formula_blocks(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let is_formula = |event: &Event<'_>| matches!(event, Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if info.trim().eq_ignore_ascii_case("math"));
    let is_end = |event: &Event<'_>| matches!(event, Event::End(TagEnd::CodeBlock));
    let mut output = Vec::with_capacity(events.len());
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        if !is_formula(&event) {
            output.push(event);
            continue;
        }
        let start = output.len();
        output.push(event);
        while let Some(event) = events.next_if(|event| !is_end(event)) {
            output.push(event);
        }
        output.extend(events.next());
        if let Some(html) = tex::to_mathml(plain(&output[start..]).trim(), tex::Placement::Block) {
            output.truncate(start);
            output.push(Event::Html(format!("<p>{html}</p>\n").into()));
        }
    }
    output
}

fn formula<'a>(tex: &CowStr<'a>, placement: tex::Placement, sign: &str) -> Event<'a> {
    match tex::to_mathml(tex, placement) {
        Some(html) => Event::InlineHtml(html.into()),
        None => Event::Text(format!("{sign}{tex}{sign}").into()),
    }
}

/// Gives each heading without an id the one that GitHub gives it, so that links of this article, of others and of other sites lead to it.
fn with_ids(mut events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let is_heading = |event: &Event<'_>| matches!(event, Event::Start(Tag::Heading { .. }));
    let starts: Vec<usize> = (0..events.len()).filter(|at| is_heading(&events[*at])).collect();
    let mut used: HashMap<String, usize> = HashMap::new();
    for start in starts {
        let end = events[start..].iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_))));
        let words = plain(&events[start..start + end.unwrap_or(0)]);
        let Event::Start(Tag::Heading { id: id @ None, .. }) = &mut events[start] else { continue };
        let name = heading_id(&words);
        let count = used.entry(name.clone()).and_modify(|count| *count += 1).or_default();
        let name = if *count == 0 { name } else { format!("{name}-{count}") };
        *id = Some(name.into()).filter(|name: &CowStr<'_>| !name.is_empty());
    }
    events
}

/// Makes links of web addresses in the text, as GitHub does, but for those in links and in code.
fn with_links(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut output = Vec::with_capacity(events.len());
    // Open links and pictures, code blocks, and elements of HTML that are one or the other.
    let mut closed = 0_usize;
    let mut html = 0_usize;
    for event in events {
        match &event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_)) => closed += 1,
            Event::End(TagEnd::Link | TagEnd::Image | TagEnd::CodeBlock) => closed = closed.saturating_sub(1),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell) => html = 0,
            Event::InlineHtml(tag) => match page::link_or_code(tag) {
                Some(CodeStep::Start) => html += 1,
                Some(CodeStep::End) => html = html.saturating_sub(1),
                None => {}
            },
            Event::Text(text) if closed + html == 0 => {
                push_text(&mut output, text.clone());
                continue;
            }
            _ => {}
        }
        output.push(event);
    }
    output
}

/// Adds a text, with its web addresses as links.
fn push_text<'a>(output: &mut Vec<Event<'a>>, text: CowStr<'a>) {
    let mut at = 0;
    while let Some(address) = web_address::find(&text, at) {
        if address.range.start > at {
            output.push(Event::Text(text[at..address.range.start].to_owned().into()));
        }
        let (link_type, dest_url) = (LinkType::Autolink, address.url.into());
        output.push(Event::Start(Tag::Link { link_type, dest_url, title: "".into(), id: "".into() }));
        output.push(Event::Text(text[address.range.clone()].to_owned().into()));
        output.push(Event::End(TagEnd::Link));
        at = address.range.end;
    }
    match at {
        0 => output.push(Event::Text(text)),
        at if at < text.len() => output.push(Event::Text(text[at..].to_owned().into())),
        _ => {}
    }
}

/// Converts a check box of a task list to a character, since feed readers remove form controls.
fn check_box_as_text(event: Event<'_>) -> Event<'_> {
    match event {
        Event::TaskListMarker(true) => Event::Text("☑ ".into()),
        Event::TaskListMarker(false) => Event::Text("☐ ".into()),
        other => other,
    }
}

fn take_title(events: &mut Vec<Event<'_>>, known_title: Option<&str>) -> Option<String> {
    if !matches!(events.first()?, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. })) {
        return None;
    }
    let end = events.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(HeadingLevel::H1))))?;
    let title = summary::one_line(&plain(&events[1..end]));
    if title.is_empty() || !page::is_title(&title, known_title) {
        return None;
    }
    events.drain(..=end);
    Some(title)
}

/// Returns the text before `<!--more-->`, the mark of many generators for the end of the summary.
fn before_more(events: &[Event<'_>]) -> Option<String> {
    let is_more = |event: &Event<'_>| {
        let (Event::Html(html) | Event::InlineHtml(html)) = event else { return false };
        page::is_fold(html.trim())
    };
    let end = events.iter().position(is_more)?;
    Some(summary::one_line(&plain(&events[..end]))).filter(|summary| !summary.is_empty())
}

fn plain(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::Text(part) | Event::Code(part) | Event::InlineMath(part) | Event::DisplayMath(part) => {
                text.push_str(part);
            }
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_)) => {
                text.push(' ');
            }
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: parsing each of the first texts took minutes or gigabytes.
    #[test]
    fn excessive_nesting_is_detected_before_parsing() {
        for text in
            ["> ".repeat(1_000), ">".repeat(1_000), "- ".repeat(1_000), "1. ".repeat(1_000), "[".repeat(2_000_000)]
        {
            assert!(exceeds_limits(&text), "{}", &text[..10]);
        }
        for text in [
            "---\n".repeat(1_000),
            "-".repeat(1_000),
            "> a\n".repeat(1_000),
            "1999. 2.5 - 3\n".repeat(1_000),
            "word ".repeat(100_000),
        ] {
            assert!(!exceeds_limits(&text), "{}", &text[..10]);
        }
    }

    #[test]
    fn first_heading_is_the_title() {
        let body = read("# A *fine* `title`\n\nText\n\n# Another\n", 1, None);
        assert_eq!(body.header.title.as_deref(), Some("A fine title"));
        assert_eq!(body.html, "<p>Text</p>\n<h1 id=\"another\">Another</h1>\n");
        assert_eq!(read("Text\n\n# Later\n", 1, None).header.title, None);
        assert_eq!(read("Title\n=====\n\nText", 1, None).header.title.as_deref(), Some("Title"));
        assert_eq!(read("#\n\nText", 1, None).header.title, None);
        assert_eq!(
            read("# Introduction\n\nText", 1, Some("My holiday")).html,
            "<h1 id=\"introduction\">Introduction</h1>\n<p>Text</p>\n"
        );
        assert_eq!(read("# My Holiday!\n\nText", 1, Some("My holiday")).html, "<p>Text</p>\n");
    }

    #[test]
    fn paragraphs_and_the_end_of_the_summary() {
        let body = read("One *line*\nand another.\n\n<!-- more -->\n\n- Item\n\nTwo.\n", 1, None);
        assert_eq!(body.header.summary.as_deref(), Some("One line and another."));
        assert_eq!(body.paragraphs, ["One line and another.", "Two."]);
    }

    #[test]
    fn tables_footnotes_and_tasks() {
        let html = read("|a|b|\n|-|-|\n|1|2|\n\nText[^1] ~~gone~~\n\n- [x] done\n\n[^1]: Note\n", 1, None).html;
        for part in ["<table>", "<del>gone</del>", "<li>☑ done</li>", "href=\"#fn-1\"", "id=\"fn-1\""] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn definitions_are_lists() {
        let html = |text: &str| read(text, 1, None).html;
        let list = "<dl>\n<dt>Apple</dt>\n<dd>A fruit</dd>\n<dd>A firm</dd>\n<dt>Sea</dt>\n<dd>Salt</dd>\n</dl>\n";
        assert_eq!(html("Apple\n: A fruit\n: A firm\n\nSea\n: Salt\n"), list);
        for (text, expected) in [
            ("Note: this\n\nThat: 5", "<p>Note: this</p>\n<p>That: 5</p>\n"),
            ("He said\n:smile: and left", "<p>He said\n:smile: and left</p>\n"),
            (": no term", "<p>: no term</p>\n"),
            ("A wrapped text, and\nhere it ends\n: so", "<p>A wrapped text, and\nhere it ends\n: so</p>\n"),
            ("> a\n> :b", "<blockquote>\n<p>a\n:b</p>\n</blockquote>\n"),
            ("a :\nb", "<p>a :\nb</p>\n"),
            ("- a\n- b : c", "<ul>\n<li>a</li>\n<li>b : c</li>\n</ul>\n"),
        ] {
            assert_eq!(html(text), expected, "{text}");
        }
    }

    #[test]
    fn headings_have_the_ids_of_github() {
        let id = |text: &str| {
            let html = read(&format!("Text\n\n{text}"), 1, None).html;
            html.rsplit("id=\"").next().and_then(|rest| Some(rest.split_once('"')?.0.to_owned())).unwrap_or_default()
        };
        for (heading, expected) in [
            ("## First part", "first-part"),
            ("## What's new in 2.0?", "whats-new-in-20"),
            ("## `fn main()` & *more*", "fn-main--more"),
            ("## Über uns", "über-uns"),
            ("## 第一 部", "第一-部"),
            ("## A_b-c", "a_b-c"),
            ("## Named {#own}", "own"),
            ("## Same\n\n## Same", "same-1"),
            ("Setext\n---", "setext"),
        ] {
            assert_eq!(id(heading), expected, "{heading}");
        }
        assert!(!read("Text\n\n## !!", 1, None).html.contains("id="));
    }

    #[test]
    fn formulas_are_left_whole_and_become_mathml() {
        let html = |text: &str| read(text, 1, None).html;
        for (text, tex) in [
            ("So $x*y*z$ is it.", "x*y*z"),
            ("So \\(a_1 * b_2 * c\\) is it.", "a_1 * b_2 * c"),
            ("So \\\\(a_1 * b_2 * c\\\\) is it.", "a_1 * b_2 * c"),
            ("$$\nf(x)\\,dx = \\frac{a}{b}\n$$", "f(x)\\,dx = \\frac{a}{b}"),
            ("\\[\nE = mc^2\n\\]", "E = mc^2"),
            ("So $`x^2`$ is it.", "x^2"),
            ("A $\\frac{{a}}{{b}}$ b", "\\frac{{a}}{{b}}"),
        ] {
            let html = html(text);
            assert!(html.contains(&format!("<math alttext=\"{tex}\"")), "{text}: {html}");
            assert!(!html.contains("<em>"), "{text}: {html}");
        }
        assert!(html("$$x$$").contains("display=\"block\""));
        assert!(html("a $$x$$ b").contains("display=\"inline\""));
        assert_eq!(read("# The root of $x^2$\n\nText", 1, None).header.title.as_deref(), Some("The root of x^2"));
        let body = read("When $a \\ne 0$, there are two.\n\nMore.", 1, None);
        assert_eq!(body.paragraphs[0], "When a \\ne 0, there are two.");
    }

    #[test]
    fn blocks_and_environments_of_formulas_become_mathml() {
        for (text, tex) in [
            ("```math\nE = m_1 * c_2 * d\n```", "E = m_1 * c_2 * d"),
            ("~~~ math\nE = m\n~~~", "E = m"),
            (
                "a\n\n\\begin{align}\na &= b \\\\\nc_1 &= d_1\n\\end{align}\n\nb",
                "\\begin{align}\na &amp;= b \\\\\nc_1 &amp;= d_1\n\\end{align}",
            ),
            ("\\begin{equation*}E=m\\end{equation*}", "\\begin{equation*}E=m\\end{equation*}"),
            ("It is\n\\begin{gather}\na = b\n\\end{gather}\nhere.", "\\begin{gather}\na = b\n\\end{gather}"),
        ] {
            let html = read(text, 1, None).html;
            assert!(
                html.contains(&format!("<math alttext=\"{tex}\"")) && html.contains("display=\"block\""),
                "{text}: {html}"
            );
            assert!(!html.contains("$$") && !html.contains("<code"), "{text}: {html}");
        }
        for (text, html) in [
            (
                "```tex\n\\begin{align}a\\end{align}\n```",
                "<pre><code class=\"language-tex\">\\begin{align}a\\end{align}\n</code></pre>\n",
            ),
            ("    \\begin{align}a\\end{align}", "<pre><code>\\begin{align}a\\end{align}</code></pre>\n"),
            ("`\\begin{align}a\\end{align}`", "<p><code>\\begin{align}a\\end{align}</code></p>\n"),
            ("Write \\begin{align}a\\end{align}", "<p>Write \\begin{align}a\\end{align}</p>\n"),
            ("\\begin{itemize}a\\end{itemize}", "<p>\\begin{itemize}a\\end{itemize}</p>\n"),
            ("```math\n\\nosuchcommand\n```", "<pre><code class=\"language-math\">\\nosuchcommand\n</code></pre>\n"),
            ("```\nmath\n```", "<pre><code>math\n</code></pre>\n"),
        ] {
            assert_eq!(read(text, 1, None).html, html, "{text}");
        }
    }

    #[test]
    fn prices_and_variables_are_no_formulas() {
        for text in [
            "It costs $5, or $10 for two.",
            "From US$5-US$10 and $5-$10.",
            "Set $HOME and $PATH first.",
            "Escaped \\(see below\\) and \\[x\\].",
            "The copyright \\(c\\) sign.",
            "Broken $\\nosuch{a$ here.",
        ] {
            let expected = text.replace("\\(", "(").replace("\\)", ")").replace("\\[", "[").replace("\\]", "]");
            assert_eq!(read(text, 1, None).html, format!("<p>{expected}</p>\n"), "{text}");
        }
    }

    #[test]
    fn names_in_angle_brackets_are_text_if_there_is_no_such_element() {
        for (text, html) in [
            ("A Vec<String> and <your-name>", "A Vec&lt;String&gt; and &lt;your-name&gt;"),
            ("A <b>bold</b> <x-y>word</x-y><br>", "A <b>bold</b> <x-y>word</x-y><br>"),
            ("`Vec<T>` <T>one</T>", "<code>Vec&lt;T&gt;</code> <T>one</T>"),
        ] {
            assert_eq!(read(text, 1, None).html, format!("<p>{html}</p>\n"), "{text}");
        }
        assert_eq!(read("# A Vec<String>\n\nText", 1, None).header.title.as_deref(), Some("A Vec<String>"));
    }

    #[test]
    fn bare_addresses_are_links() {
        let html = |text: &str| read(text, 1, None).html;
        let link = |url: &str, words: &str| format!("<a href=\"{url}\">{words}</a>");
        let plain = link("https://a.example/b", "https://a.example/b");
        assert_eq!(html("See https://a.example/b."), format!("<p>See {plain}.</p>\n"));
        assert_eq!(html("- https://a.example/b"), format!("<ul>\n<li>{plain}</li>\n</ul>\n"));
        assert_eq!(html("(www.a.example)"), format!("<p>({})</p>\n", link("http://www.a.example", "www.a.example")));
        let query = "https://a.example/a_b_c?d=1&e=2";
        let escaped = query.replace('&', "&amp;");
        assert_eq!(html(query), format!("<p>{}</p>\n", link(&escaped, &escaped)));
        for text in [
            "[https://a.example](https://b.example)",
            "<https://a.example>",
            "`https://a.example`",
            "<a href=\"https://b.example\">https://a.example</a>",
            "<code>https://a.example</code>",
            "![https://a.example](b.png)",
            "    https://a.example",
        ] {
            assert!(html(text).matches("<a ").count() <= 1, "{text}: {}", html(text));
        }
    }
}
