//! Markdown -> HTML. A first-level heading at the start becomes the title.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd, html};

use super::dialect::{self, Dialect};
use super::front_matter::{Field, Header};
use super::reading::ParsedBody;
use super::{html as page, summary};

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
    let (text, left_out) = dialect::plain(text, Dialect::Markdown, first_line);
    let mut events: Vec<Event<'_>> = Parser::new_ext(&text, dialect::OPTIONS).map(check_box_as_text).collect();
    let title = take_title(&mut events, known_title);
    let summary = before_more(&events);
    let events = with_footnotes(events);
    let mut output = String::with_capacity(text.len() * 5 / 4);
    html::push_html(&mut output, events.into_iter());
    let header = Header { title, summary, ..Header::default() };
    ParsedBody {
        header: header.with_source(Field::Title, "first heading").with_source(Field::Summary, "text before the fold"),
        paragraphs: page::outline(&output).paragraphs,
        html: output,
        problems: left_out.into_iter().collect(),
        ..ParsedBody::default()
    }
}

/// Links each footnote reference to its note, and each note back to its first reference.
fn with_footnotes(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut notes: HashMap<String, Note> = HashMap::new();
    let mut output = Vec::with_capacity(events.len());
    let mut open: Vec<usize> = Vec::new();
    for event in events {
        match event {
            Event::FootnoteReference(name) => {
                let number = notes.len() + 1;
                let note = notes.entry(name.into_string()).or_insert(Note { number, references: 0 });
                note.references += 1;
                let (number, id) = (note.number, note.reference_id());
                let html = format!("<sup id=\"{id}\"><a href=\"#fn-{number}\">{number}</a></sup>");
                output.push(Event::InlineHtml(html.into()));
            }
            Event::Start(Tag::FootnoteDefinition(name)) => {
                let number = notes.len() + 1;
                let number = notes.entry(name.into_string()).or_insert(Note { number, references: 0 }).number;
                open.push(number);
                let html = format!("<div class=\"footnote-definition\" id=\"fn-{number}\"><sup>{number}</sup>\n");
                output.push(Event::Html(html.into()));
            }
            Event::End(TagEnd::FootnoteDefinition) => {
                let number = open.pop().unwrap_or_default();
                let back = Event::InlineHtml(format!(" <a href=\"#fnref-{number}\">↩</a>").into());
                match output.pop() {
                    Some(end @ Event::End(TagEnd::Paragraph)) => output.extend([back, end]),
                    Some(other) => output.extend([other, back]),
                    None => {}
                }
                output.push(Event::Html("</div>\n".into()));
            }
            other => output.push(other),
        }
    }
    // A note without a reference has no link back.
    let referred: HashSet<usize> = notes.values().filter(|note| note.references > 0).map(|note| note.number).collect();
    let is_dangling = |html: &str| {
        let number = html.strip_prefix(" <a href=\"#fnref-").and_then(|rest| rest.strip_suffix("\">↩</a>"));
        number.and_then(|number| number.parse().ok()).is_some_and(|number: usize| !referred.contains(&number))
    };
    output.retain(|event| !matches!(event, Event::InlineHtml(html) if is_dangling(html)));
    output
}

struct Note {
    /// In the order of first occurrence, from 1.
    number: usize,
    /// Number of references so far.
    references: usize,
}

impl Note {
    /// The fragment identifier of the latest reference.
    fn reference_id(&self) -> String {
        match self.references {
            1 => format!("fnref-{}", self.number),
            more => format!("fnref-{}-{more}", self.number),
        }
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
            Event::Text(part) | Event::Code(part) => text.push_str(part),
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
        assert_eq!(body.html, "<p>Text</p>\n<h1>Another</h1>\n");
        assert_eq!(read("Text\n\n# Later\n", 1, None).header.title, None);
        assert_eq!(read("Title\n=====\n\nText", 1, None).header.title.as_deref(), Some("Title"));
        assert_eq!(read("#\n\nText", 1, None).header.title, None);
        assert_eq!(read("# Introduction\n\nText", 1, Some("My holiday")).html, "<h1>Introduction</h1>\n<p>Text</p>\n");
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
    fn footnotes_link_to_their_references_and_back() {
        let html =
            read("A[^b], b[^a], again[^b].\n\n[^a]: First\n[^b]: Second\n\n    And more\n[^c]: Lost\n", 1, None).html;
        assert_eq!(
            html,
            "<p>A<sup id=\"fnref-1\"><a href=\"#fn-1\">1</a></sup>, b<sup id=\"fnref-2\"><a href=\"#fn-2\">2</a></sup>, \
             again<sup id=\"fnref-1-2\"><a href=\"#fn-1\">1</a></sup>.</p>\n\
             <div class=\"footnote-definition\" id=\"fn-2\"><sup>2</sup>\n<p>First <a href=\"#fnref-2\">↩</a></p>\n</div>\n\
             <div class=\"footnote-definition\" id=\"fn-1\"><sup>1</sup>\n<p>Second</p>\n<p>And more <a href=\"#fnref-1\">↩</a></p>\n</div>\n\
             <div class=\"footnote-definition\" id=\"fn-3\"><sup>3</sup>\n<p>Lost</p>\n</div>\n"
        );
    }
}
