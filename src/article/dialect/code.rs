//! Where a text has code, in which nothing is replaced.

use std::collections::VecDeque;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::article::html::{self, OpenCode};
use crate::article::tex;

/// The extensions of CommonMark that GitHub has too: tables, footnotes, strike-through, formulas and task lists; and
/// attributes of headings. Beyond GitHub: lists of definitions, as in Pandoc, kramdown and PHP Markdown Extra.
pub const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_MATH)
    .union(Options::ENABLE_DEFINITION_LIST)
    .union(Options::ENABLE_TASKLISTS);

/// The kind of a text, which determines the additions that it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Shortcodes, links and comments in Markdown.
    Markdown,
    /// Shortcodes in a page.
    Html,
}

/// The ranges of code in a text, in their order.
pub fn code_of(text: &str, dialect: Dialect) -> VecDeque<Range<usize>> {
    match dialect {
        Dialect::Html => html::code_of(text).into(),
        Dialect::Markdown => code_of_markdown(text).into_iter().map(|code| code.range).collect(),
    }
}

/// Code in a Markdown text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRange {
    pub range: Range<usize>,
    /// It is code only because its lines are indented.
    pub is_indented: bool,
}

/// The code in a Markdown text, in its order: blocks, spans, elements of HTML, and formulas.
pub fn code_of_markdown(text: &str) -> Vec<CodeRange> {
    let mut code = Vec::new();
    let mut open = OpenCode::default();
    for (event, range) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        match event {
            Event::Code(_) | Event::Start(Tag::CodeBlock(_)) if open.is_closed() => {
                let is_indented = matches!(event, Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)));
                code.push(CodeRange { range, is_indented });
            }
            Event::InlineMath(tex) | Event::DisplayMath(tex) if open.is_closed() && tex::is_formula(&tex) => {
                code.push(CodeRange { range, is_indented: false });
            }
            Event::Html(_) | Event::InlineHtml(_) => {
                let ended = open.follow(&text[range.clone()], range.start);
                code.extend(ended.into_iter().map(|range| CodeRange { range, is_indented: false }));
            }
            // Code that is not closed in its block is none.
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_) | TagEnd::TableCell) => {
                open = OpenCode::default();
            }
            _ => {}
        }
    }
    code
}
