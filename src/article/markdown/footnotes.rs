//! Footnotes: numbered in the order of their references, linked with them in both directions, and placed at the end of the text.

use std::collections::HashMap;

use pulldown_cmark::{Event, Tag, TagEnd};

/// A footnote of a text.
struct Note<'a> {
    name: String,
    events: Vec<Event<'a>>,
    /// From 1; `None` until a reference or the end of the text gives it one.
    number: Option<usize>,
    /// Number of references so far.
    references: usize,
}

/// Moves the notes to the end, and links each with its references. Notes without a reference come last.
pub fn at_the_end(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let (body, notes) = divide(events);
    if notes.is_empty() {
        return body;
    }
    let mut numbering = Numbering::of(notes);
    let mut output = numbering.link(body);
    let mut linked = Vec::new();
    // A note may refer to other notes, which then follow it.
    while let Some(note) = numbering.next(linked.len()) {
        let events = std::mem::take(&mut numbering.notes[note].events);
        linked.push((note, numbering.link(events)));
    }
    for (number, (note, events)) in (1..).zip(linked) {
        push_note(&mut output, number, events, numbering.notes[note].references > 0);
    }
    output
}

/// Separates the notes from the other text.
fn divide(events: Vec<Event<'_>>) -> (Vec<Event<'_>>, Vec<Note<'_>>) {
    let mut body = Vec::with_capacity(events.len());
    let mut notes: Vec<Note<'_>> = Vec::new();
    // Notes that are open; one may stand in another.
    let mut open: Vec<usize> = Vec::new();
    for event in events {
        match event {
            Event::Start(Tag::FootnoteDefinition(name)) => {
                open.push(notes.len());
                notes.push(Note { name: name.into_string(), events: Vec::new(), number: None, references: 0 });
            }
            Event::End(TagEnd::FootnoteDefinition) => {
                open.pop();
            }
            other => match open.last() {
                Some(note) => notes[*note].events.push(other),
                None => body.push(other),
            },
        }
    }
    (body, notes)
}

/// The notes of a text, which get numbers in the order of their first references.
struct Numbering<'a> {
    notes: Vec<Note<'a>>,
    /// Of notes with one name, the first counts.
    by_name: HashMap<String, usize>,
    /// The notes that have a number, in the order of the numbers.
    order: Vec<usize>,
    /// All notes before this one have a number.
    unnumbered: usize,
}

impl<'a> Numbering<'a> {
    fn of(notes: Vec<Note<'a>>) -> Self {
        let mut by_name = HashMap::new();
        for (index, note) in notes.iter().enumerate() {
            by_name.entry(note.name.clone()).or_insert(index);
        }
        Self { notes, by_name, order: Vec::new(), unnumbered: 0 }
    }

    /// Replaces each reference with a link to its note.
    fn link(&mut self, events: Vec<Event<'a>>) -> Vec<Event<'a>> {
        let link = |event| match event {
            Event::FootnoteReference(name) => self.reference(&name),
            other => other,
        };
        events.into_iter().map(link).collect()
    }

    fn reference(&mut self, name: &str) -> Event<'a> {
        let Some(note) = self.by_name.get(name).copied() else { return Event::Text(format!("[^{name}]").into()) };
        let number = self.number(note);
        self.notes[note].references += 1;
        let id = reference_id(number, self.notes[note].references);
        Event::InlineHtml(format!("<sup id=\"{id}\"><a href=\"#fn-{number}\">{number}</a></sup>").into())
    }

    /// The number of a note, which is a new one if it has none.
    fn number(&mut self, note: usize) -> usize {
        let next = self.order.len() + 1;
        let number = *self.notes[note].number.get_or_insert(next);
        if number == next {
            self.order.push(note);
        }
        number
    }

    /// The note after the first `count`. If no reference has given it a number, it is the first without one.
    fn next(&mut self, count: usize) -> Option<usize> {
        while self.order.len() == count && self.unnumbered < self.notes.len() {
            if self.notes[self.unnumbered].number.is_none() {
                self.number(self.unnumbered);
            }
            self.unnumbered += 1;
        }
        self.order.get(count).copied()
    }
}

/// The fragment identifier of a reference.
fn reference_id(number: usize, reference: usize) -> String {
    match reference {
        1 => format!("fnref-{number}"),
        more => format!("fnref-{number}-{more}"),
    }
}

/// Adds a note with a link back to its first reference.
fn push_note<'a>(output: &mut Vec<Event<'a>>, number: usize, events: Vec<Event<'a>>, has_reference: bool) {
    let html = format!("<div class=\"footnote-definition\" id=\"fn-{number}\"><sup>{number}</sup>\n");
    output.push(Event::Html(html.into()));
    let is_empty = events.is_empty();
    output.extend(events);
    if has_reference {
        let back = Event::InlineHtml(format!(" <a href=\"#fnref-{number}\">↩</a>").into());
        match output.pop_if(|last| !is_empty && matches!(last, Event::End(TagEnd::Paragraph))) {
            Some(end) => output.extend([back, end]),
            None => output.push(back),
        }
    }
    output.push(Event::Html("</div>\n".into()));
}

#[cfg(test)]
mod tests {
    use crate::article::markdown::read;

    #[test]
    fn footnotes_link_to_their_references_and_back() {
        let html =
            read("A[^b], b[^a], again[^b].\n\n[^a]: First\n[^b]: Second\n\n    And more\n[^c]: Lost\n", 1, None).html;
        assert_eq!(
            html,
            "<p>A<sup id=\"fnref-1\"><a href=\"#fn-1\">1</a></sup>, b<sup id=\"fnref-2\"><a href=\"#fn-2\">2</a></sup>, \
             again<sup id=\"fnref-1-2\"><a href=\"#fn-1\">1</a></sup>.</p>\n\
             <div class=\"footnote-definition\" id=\"fn-1\"><sup>1</sup>\n<p>Second</p>\n<p>And more <a href=\"#fnref-1\">↩</a></p>\n</div>\n\
             <div class=\"footnote-definition\" id=\"fn-2\"><sup>2</sup>\n<p>First <a href=\"#fnref-2\">↩</a></p>\n</div>\n\
             <div class=\"footnote-definition\" id=\"fn-3\"><sup>3</sup>\n<p>Lost</p>\n</div>\n"
        );
    }

    /// A note that is defined behind its paragraph once stood in the middle of the text.
    #[test]
    fn notes_stand_at_the_end() {
        let html =
            read("One[^1].\n\n[^1]: Note of one[^2].\n\nTwo.\n\n[^2]: Note of a note.\n\nThree.\n", 1, None).html;
        let order = ["One", "Two.", "Three.", "Note of one", "Note of a note"].map(|part| html.find(part).unwrap());
        assert!(order.is_sorted(), "{html}");
    }

    #[test]
    fn summaries_have_no_marks_of_notes() {
        let text = "The harbour[^1] opened again[^2].\n\n[^1]: Note.\n[^2]: Note.\n\nMore.";
        assert_eq!(read(text, 1, None).paragraphs[0], "The harbour opened again.");
    }

    #[test]
    fn many_notes_take_linear_time() {
        let repeated =
            |text: &str| (0..20_000).map(|number| text.replace('#', &number.to_string())).collect::<String>();
        let text = repeated("a[^#]\n\n[^#]: b\n\n");
        assert_eq!(read(&text, 1, None).html.matches("footnote-definition").count(), 20_000);
        let text = repeated("[^#]: b\n\n");
        assert_eq!(read(&text, 1, None).html.matches("footnote-definition").count(), 20_000);
    }
}
