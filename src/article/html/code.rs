//! Where a text has code in HTML, in which nothing is replaced.

use std::ops::Range;

use super::tokens::{Token, TokenKind, tokens};

/// Elements whose text is shown as it is written.
const CODE: [&str; 4] = ["code", "kbd", "pre", "samp"];

/// A start or an end of an element with code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeStep {
    Start,
    End,
}

fn step(token: &Token<'_>, is_one: impl Fn(&str) -> bool) -> Option<CodeStep> {
    match &token.kind {
        TokenKind::Start(tag) if is_one(&tag.name) => Some(CodeStep::Start),
        TokenKind::End(tag) if is_one(&tag.name) => Some(CodeStep::End),
        _ => None,
    }
}

/// Whether a tag starts or ends a link, or an element with code.
pub fn link_or_code(tag: &str) -> Option<CodeStep> {
    step(&tokens(tag).next()?, |name| name == "a" || CODE.contains(&name))
}

/// The elements with code that are open.
#[derive(Debug, Default)]
pub struct OpenCode {
    /// Where the outermost starts.
    start: usize,
    open: usize,
}

impl OpenCode {
    /// Whether no element is open.
    pub fn is_closed(&self) -> bool {
        self.open == 0
    }

    /// Follows the tags of a part of a text, which starts at `from`. Returns the ranges of code that end in it.
    pub fn follow(&mut self, part: &str, from: usize) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for token in tokens(part) {
            match step(&token, |name| CODE.contains(&name)) {
                Some(CodeStep::Start) => {
                    if self.is_closed() {
                        self.start = from + token.range.start;
                    }
                    self.open += 1;
                }
                Some(CodeStep::End) => {
                    if self.open == 1 {
                        ranges.push(self.start..from + token.range.end);
                    }
                    self.open = self.open.saturating_sub(1);
                }
                None => {}
            }
        }
        ranges
    }
}

/// The ranges of code in a page or a fragment, in their order. Code without an end tag is none.
pub fn code_of(html: &str) -> Vec<Range<usize>> {
    OpenCode::default().follow(html, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_page() {
        let html = "a <pre class=x>b <CODE>c</CODE></pre> d <kbd>e</kbd> </code> <!-- <code>f</code> --> <code>g";
        let code: Vec<&str> = code_of(html).into_iter().map(|range| &html[range]).collect();
        assert_eq!(code, ["<pre class=x>b <CODE>c</CODE></pre>", "<kbd>e</kbd>"]);
    }
}
