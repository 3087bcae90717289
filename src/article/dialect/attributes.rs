//! AttributeList of elements as kramdown, Python-Markdown and Pandoc write them: `{: .wide width="50%"}`, `{.wide #top}`. They say how an
//! element looks, so they are left out.

/// Maximum length of a list of attributes, in bytes.
const LONGEST: usize = 600;

/// A list of attributes at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AttributeList {
    /// Length with its braces, in bytes.
    pub length: usize,
    /// kramdown puts a table of contents here.
    pub is_toc: bool,
    /// It defines attributes under a name, for other elements.
    pub is_definition: bool,
}

/// Reads the list that a text starts with. It may have quoted values with blanks, and reach over several lines.
pub(super) fn at_start(text: &str) -> Option<AttributeList> {
    let near = &text[..text.floor_char_boundary(LONGEST)];
    let is_kramdown = near.starts_with("{:");
    let mut rest = if is_kramdown { &near[2..] } else { near.strip_prefix('{')? };
    let mut is_definition = false;
    // `{:name: .class}`
    if is_kramdown && let Some((name, after)) = rest.split_once(':') {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if !name.is_empty() && name.chars().all(is_name) && after.starts_with([' ', '.', '#']) {
            (rest, is_definition) = (after, true);
        }
    }
    let (mut count, mut is_toc) = (0, false);
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            let length = near.len() - after.len();
            let is_list = count > 0 && !near[..length].contains("\n\n");
            return is_list.then_some(AttributeList { length, is_toc, is_definition });
        }
        let (word, after) = one(rest)?;
        is_toc |= word == "toc";
        // A mere word refers to a definition of kramdown; elsewhere it is text.
        let is_word = !word.contains(['.', '#', '=']) && word != "toc";
        if is_word && (!is_kramdown || count == 0) {
            return None;
        }
        count += 1;
        rest = after;
    }
}

/// The attributes of a list in braces, as they are written.
fn entries(list: &str) -> Vec<&str> {
    let mut rest = list.trim_start_matches(['{', ':']);
    let mut entries = Vec::new();
    while let Some(c) = rest.chars().next().filter(|c| *c != '}') {
        rest = match one(rest) {
            Some((entry, after)) => {
                entries.push(entry);
                after
            }
            None => &rest[c.len_utf8()..],
        };
    }
    entries
}

/// The value of an attribute in a list in braces.
pub(super) fn value(list: &str, name: &str) -> Option<String> {
    let value = entries(list).into_iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'', '“', '”']).to_owned())
}

/// Whether an element with this list in braces is not shown on pages.
pub(super) fn hides(list: &str) -> bool {
    let classes: Vec<&str> = entries(list).into_iter().filter_map(|entry| entry.strip_prefix('.')).collect();
    let is_visible = classes.contains(&"content-visible");
    // Quarto's conditions. A page is of the format `html`; profiles and metadata are not known here.
    if is_visible || classes.contains(&"content-hidden") {
        let is_unknown = ["when-profile", "unless-profile", "when-meta", "unless-meta"]
            .iter()
            .any(|condition| value(list, condition).is_some());
        let when = value(list, "when-format").map(|format| format.starts_with("html"));
        let unless = value(list, "unless-format").map(|format| !format.starts_with("html"));
        return is_unknown || (when.or(unless).unwrap_or(true) != is_visible);
    }
    classes.into_iter().any(is_hiding)
}

/// Classes of elements that are not for readers.
const HIDING: [&str; 15] = [
    "hidden",
    "hide",
    "invisible",
    "comment",
    "private",
    "secret",
    "draft",
    "drafts",
    "protected",
    "encrypted",
    "locked",
    "members",
    "members-only",
    "content-hidden",
    "internal",
];

/// Whether elements of a class are not for readers.
pub(super) fn is_hiding(class: &str) -> bool {
    HIDING.contains(&class.to_ascii_lowercase().as_str())
}

/// One attribute, and the text behind it.
fn one(text: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_alphanumeric() || "-_:".contains(c);
    if let Some(name) = text.strip_prefix(['.', '#']) {
        let length = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
        return (length > 0).then(|| text.split_at(1 + length));
    }
    let length = text.find(|c: char| !is_name(c)).filter(|length| *length > 0)?;
    let Some(value) = text[length..].strip_prefix('=') else { return Some(text.split_at(length)) };
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|inside| Some(inside.find(quote)? + 2));
    let plain = || value.find([' ', '\n', '\t', '}']).filter(|length| *length > 0);
    let end = match value.chars().next()? {
        quote @ ('"' | '\'' | '“' | '”') => {
            let close = if quote == '“' { '”' } else { quote };
            quoted(quote)
                .or_else(|| Some(value[quote.len_utf8()..].find(close)? + quote.len_utf8() + close.len_utf8()))?
        }
        _ => plain()?,
    };
    Some(text.split_at(length + 1 + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_attributes_are_read() {
        for text in [
            "{:width=\"100%\"}",
            "{: style=\"border:0; float:right\" width=\"180\"}",
            "{:\n.icon width=\"70\" height='88'}",
            "{: .a .b #c}",
            "{:.no_toc}",
            "{:target=_blank}",
            "{:toc}",
            "{: .a wide}",
            "{:wide: .a}",
            "{.wide}",
            "{#top .wide width=50%}",
            "{width=50%}",
            "{:title=\"a } b\"}",
        ] {
            let found = at_start(&format!("{text} after")).map(|found| found.length);
            assert_eq!(found, Some(text.len()), "{text}");
        }
    }

    #[test]
    fn other_braces_are_text() {
        for text in [
            "{:x} b",
            "{a}",
            "{}",
            "{: }",
            "{:",
            "{name: value}",
            "{ .a",
            "{.a\n\n.b}",
            "{{ x }}",
            "{% x %}",
            "{#}",
            "{width=}",
            "{:)",
        ] {
            assert_eq!(at_start(text), None, "{text}");
        }
    }
}
