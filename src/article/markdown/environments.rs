//! Environments of LaTeX that stand alone in Markdown, as MathJax and Pandoc read them: they become formulas.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use crate::article::{dialect, tex};

/// Start of an environment.
const BEGIN: &str = "\\begin{";
/// Environments that are formulas by themselves, without the star that takes their number away.
const NAMES: [&str; 8] = ["align", "alignat", "displaymath", "eqnarray", "equation", "flalign", "gather", "multline"];
/// Longest environment, in bytes.
const LONGEST: usize = 4_000;

/// Writes `$$` around each environment on lines of its own, but not in code, in formulas and in HTML.
pub fn in_dollars(text: &str) -> Cow<'_, str> {
    if !text.contains(BEGIN) {
        return text.into();
    }
    let mut closed = closed(text).into_iter().peekable();
    let mut output = String::new();
    let mut written = 0;
    for (start, _) in text.match_indices(BEGIN) {
        while closed.next_if(|range| range.end <= start).is_some() {}
        if start < written || closed.peek().is_some_and(|range| range.start <= start) {
            continue;
        }
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let Some(end) = end_of(text, start).filter(|_| text[line..start].trim().is_empty() && start - line < 4) else {
            continue;
        };
        let formula = &text[start..end];
        if tex::is_formula(formula) && tex::to_mathml(formula, tex::Placement::Block).is_some() {
            output.push_str(&text[written..start]);
            output.push_str(&format!("$${}$$", &text[start..end]));
            written = end;
        }
    }
    if written == 0 { text.into() } else { (output + &text[written..]).into() }
}

/// The end of the environment that starts at a place, if nothing follows it on its line.
fn end_of(text: &str, start: usize) -> Option<usize> {
    let rest = &text[start..text.floor_char_boundary(start + LONGEST)];
    let name = rest[BEGIN.len()..].split('}').next()?;
    let mark = format!("\\end{{{name}}}");
    let end = rest.find(&mark)? + mark.len();
    let is_alone = rest[end..].lines().next().is_none_or(|line| line.trim().is_empty());
    let is_known = NAMES.contains(&name.strip_suffix('*').unwrap_or(name));
    (is_known && is_alone && !rest[..end].contains("\n\n") && !rest.contains('$')).then_some(start + end)
}

/// Where a text has code, formulas and HTML, in their order.
fn closed(text: &str) -> Vec<Range<usize>> {
    let is_closed = |event: &Event<'_>| {
        matches!(
            event,
            Event::Code(_)
                | Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock)
                | Event::InlineMath(_)
                | Event::DisplayMath(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
        )
    };
    let events = Parser::new_ext(text, dialect::OPTIONS).into_offset_iter();
    events.filter(|(event, _)| is_closed(event)).map(|(_, range)| range).collect()
}
