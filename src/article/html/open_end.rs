//! What has no end in a text, and so hides what follows it: tags, comments, and elements that are removed with their content.

use super::elements::{PageElement, elements};
use super::safe::is_hidden;
use super::tokens::{Token, TokenKind, tokens};

/// Longest quotation of an open tag, in characters.
const LONGEST: usize = 40;

/// What has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEnd<'a> {
    /// Where it starts, in bytes.
    pub at: usize,
    /// Its start, as it is written.
    pub source: &'a str,
    pub message: String,
}

/// Finds the first part without an end in a fragment.
pub fn open_end(html: &str) -> Option<OpenEnd<'_>> {
    let tokens: Vec<Token<'_>> = tokens(html).collect();
    let elements = elements(&tokens).unwrap_or_default();
    of_tokens(html, &tokens, &elements, |_| true)
}

/// Finds the first one among the elements that are shown, or at the end of the text.
pub fn of_tokens<'a>(
    html: &'a str,
    tokens: &[Token<'a>],
    elements: &[PageElement<'_>],
    is_shown: impl Fn(usize) -> bool,
) -> Option<OpenEnd<'a>> {
    let is_open = |element: &&PageElement<'_>| {
        let name: &str = &element.tag.name;
        let inside = &tokens[element.tokens.clone()];
        let is_end = |token: &Token<'_>| matches!(&token.kind, TokenKind::End(tag) if tag.name == name);
        is_hidden(name)
            && !matches!(name, "head" | "svg")
            && is_shown(element.tokens.start)
            && !inside.last().is_some_and(is_end)
            && inside.iter().any(has_words)
    };
    let element = elements.iter().find(is_open).map(|element| {
        let range = &tokens[element.tokens.start].range;
        let name = &element.tag.name;
        let message = format!("`<{name}>` has no end tag, and readers do not see what follows in it: close it");
        OpenEnd { at: range.start, source: &html[range.clone()], message }
    });
    element.or_else(|| at_the_end(html, tokens))
}

fn has_words(token: &Token<'_>) -> bool {
    matches!(&token.kind, TokenKind::Text(text) | TokenKind::RawText(text) if text.source.contains(char::is_alphanumeric))
}

/// The tag or the comment that reaches the end of the text.
fn at_the_end<'a>(html: &'a str, tokens: &[Token<'_>]) -> Option<OpenEnd<'a>> {
    let last = tokens.last()?;
    let range = match &last.kind {
        TokenKind::Comment(comment) if is_open_comment(comment) => last.range.clone(),
        TokenKind::Other if is_open_tag(&html[last.range.clone()]) => last.range.clone(),
        _ => return None,
    };
    let source = &html[range.clone()];
    let line = source.lines().next().unwrap_or_default();
    let quoted: String = line.chars().take(LONGEST).collect();
    let message = format!("`{quoted}` has no end, and readers see nothing of what follows: end it");
    Some(OpenEnd { at: range.start, source: &source[..quoted.len()], message })
}

fn is_open_comment(comment: &str) -> bool {
    let ends = match comment.strip_prefix("<!--") {
        Some(inside) => ["-->", "--!>"].iter().any(|end| inside.ends_with(end)) || [">", "->"].contains(&inside),
        None => comment.ends_with('>'),
    };
    !ends
}

/// Whether a part that is no tag would be one with a `>` at its end.
fn is_open_tag(source: &str) -> bool {
    let name = source.trim_start_matches('<').trim_start_matches('/');
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_without_an_end_are_found() {
        for (html, source) in [
            ("<p>a</p><!-- b <p>c</p>", "<!-- b <p>c</p>"),
            ("<p>a</p>\n<script>b <p>c</p>", "<script>"),
            ("<p>a</p><a href=\"b <p>c", "<a href=\"b <p>c"),
            ("<div><form>b</div>c", "<form>"),
            ("<p>a<button class=x>b <p>c", "<button class=x>"),
            ("<textarea>b\nc", "<textarea>"),
        ] {
            let open = open_end(html).unwrap_or_else(|| panic!("{html}"));
            assert_eq!((open.source, &html[open.at..open.at + source.len()]), (source, source), "{html}");
            assert!(open.message.contains(" has no end"), "{}", open.message);
        }
    }

    #[test]
    fn what_ends_or_hides_nothing_is_not_found() {
        for html in [
            "",
            "<p>a<p>b",
            "<!-- a -->b<!-- c --><!d>",
            "<script>a</script><form>b</form><button></button>",
            "<form><p></p>",
            "<xmp>a",
            "a < b",
            "<head><p>a",
        ] {
            assert_eq!(open_end(html), None, "{html}");
        }
    }
}
