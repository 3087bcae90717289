//! Where a text has code in HTML, in which nothing is replaced.

use std::ops::Range;

use super::tokens::{TokenKind, tokens};

/// Elements whose text is shown as it is written.
const CODE: [&str; 4] = ["code", "kbd", "pre", "samp"];

/// A start or an end of an element with code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeStep {
    Start,
    End,
}

/// The starts and ends of elements with code: the place of each start, and the place behind each end.
pub fn code_steps(html: &str) -> impl Iterator<Item = (usize, CodeStep)> {
    tokens(html).filter_map(|token| match token.kind {
        TokenKind::Start(tag) if CODE.contains(&&*tag.name) => Some((token.range.start, CodeStep::Start)),
        TokenKind::End(tag) if CODE.contains(&&*tag.name) => Some((token.range.end, CodeStep::End)),
        _ => None,
    })
}

/// Whether a tag starts or ends a link, or an element with code.
pub fn link_or_code(tag: &str) -> Option<CodeStep> {
    let is_one = |name: &str| name == "a" || CODE.contains(&name);
    match tokens(tag).next()?.kind {
        TokenKind::Start(tag) if is_one(&tag.name) => Some(CodeStep::Start),
        TokenKind::End(tag) if is_one(&tag.name) => Some(CodeStep::End),
        _ => None,
    }
}

/// The ranges of code in a page or a fragment, in their order. Code without an end tag is none.
pub fn code_of(html: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut open) = (0, 0_usize);
    for (at, step) in code_steps(html) {
        match step {
            CodeStep::Start if open == 0 => (start, open) = (at, 1),
            CodeStep::Start => open += 1,
            CodeStep::End if open == 1 => {
                ranges.push(start..at);
                open = 0;
            }
            CodeStep::End => open = open.saturating_sub(1),
        }
    }
    ranges
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
