//! Admonitions of Python-Markdown, `!!! note "Title"` and `??? note`, whose text is indented, and the block that iA Writer adds to a text.

use std::borrow::Cow;

/// The beginning of the last block of a text of iA Writer, which says who wrote which part.
const ANNOTATIONS: &str = "\n---\nAnnotations: ";

/// Takes the annotations of iA Writer away from the end of a text.
pub(super) fn without_annotations(text: &str) -> &str {
    let Some(at) = text.rfind(ANNOTATIONS) else { return text };
    let block = &text[at..];
    let is_one = block.contains(" SHA-256 ") && block.trim_end().ends_with("\n...") && !block.contains("\n\n");
    if is_one { &text[..=at] } else { text }
}

/// Turns admonitions into containers, `::: note Title`, with their text no longer indented. The number of lines stays.
pub(super) fn as_containers(text: &str) -> Cow<'_, str> {
    if !["!!! ", "??? ", "???+ "].iter().any(|mark| text.contains(mark)) {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len());
    // The indents of the texts that a line may belong to.
    let mut indents: Vec<usize> = Vec::new();
    let mut fence: Option<&str> = None;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if !line.trim().is_empty() {
            while indents.last().is_some_and(|indent| indent_of(line) < *indent) {
                indents.pop();
                fence = None;
            }
        }
        let indent = indents.last().copied().unwrap_or(0);
        let rest = &line[indent.min(indent_of(line))..];
        let mark = ["```", "~~~"].into_iter().find(|mark| rest.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        let next = lines.peek().copied().unwrap_or_default();
        let is_body = indent_of(next) >= indent + INDENT && !next.trim().is_empty();
        match title(rest).filter(|_| fence.is_none() && is_body) {
            Some(title) => {
                output.push_str(&format!("::: note {title}\n"));
                indents.push(indent + INDENT);
            }
            None => output.push_str(rest),
        }
    }
    Cow::Owned(output)
}

/// Indent of the text of an admonition.
const INDENT: usize = 4;

/// Number of blanks at the start of a line; a tab counts as one, and is no indent of an admonition.
fn indent_of(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

/// The title of an admonition by its first line: the one stated, which may be empty, or its kind.
fn title(line: &str) -> Option<String> {
    let words = ["!!! ", "???+ ", "??? "].iter().find_map(|mark| line.strip_prefix(mark))?.trim();
    let (kind, title) = match words.split_once('"') {
        Some((kind, title)) => (kind.trim(), Some(title.strip_suffix('"')?)),
        None => (words, None),
    };
    let is_kind = kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_".contains(&byte));
    let kind = kind.split(' ').next().filter(|_| is_kind)?;
    Some(title.map_or_else(|| kind[..1].to_uppercase() + &kind[1..], str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admonitions_are_containers() {
        for (given, expected) in [
            ("!!! note \"My title\"\n    Text\n\n    More\n\nEnd", "::: note My title\nText\n\nMore\n\nEnd"),
            ("??? tip\n    Text\nEnd", "::: note Tip\nText\nEnd"),
            ("???+ my-kind inline end \"\"\n    Text", "::: note \nText"),
            ("!!! a \"A\"\n    x\n\n    !!! b \"B\"\n        y\n\n    z\n", "::: note A\nx\n\n::: note B\ny\n\nz\n"),
            ("!!! a\n    ```\n    !!! b\n        c\n    ```\nd", "::: note A\n```\n!!! b\n    c\n```\nd"),
        ] {
            assert_eq!(as_containers(given), expected, "{given}");
        }
        for text in [
            "```\n!!! note\n    x\n```\n",
            "!!! note\nno text",
            "Really!!! yes\n    x",
            "!!! Wow, look\n    x",
            "    !!! note\n        x",
            "??? what \"is\" this\n    x",
        ] {
            assert_eq!(as_containers(text), text);
        }
    }

    #[test]
    fn annotations_of_ia_writer_are_left_out() {
        let block = "\n---\nAnnotations: 0,11 SHA-256 0a1b2c3d  \n&AI: 0,4  \n...\n";
        assert_eq!(without_annotations(&format!("Text.\n{block}")), "Text.\n\n");
        for text in ["Text\n\n---\nAnnotations: are notes\n", "Text\n---\nAnnotations: 0 SHA-256 a\n...\n\nMore\n"] {
            assert_eq!(without_annotations(text), text);
        }
    }
}
