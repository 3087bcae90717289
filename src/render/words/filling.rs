//! Texts with parts in braces that are filled in.

/// A text with the parts in braces filled in. A part without a value stays as it is.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    for part in parts(text) {
        match part {
            TextPart::Text(text) => filled.push_str(text),
            TextPart::Name(name, whole) => {
                let value = values.iter().find(|(key, _)| *key == name);
                filled.push_str(value.map_or(whole, |(_, value)| value));
            }
        }
    }
    filled
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPart<'a> {
    Text(&'a str),
    /// A name in braces, without and with them.
    Name(&'a str, &'a str),
}

/// The parts of a text, in order.
pub fn parts(text: &str) -> Vec<TextPart<'_>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        if !before.is_empty() {
            parts.push(TextPart::Text(before));
        }
        let whole = &rest[before.len()..before.len() + name.len() + 2];
        parts.push(TextPart::Name(name, whole));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(TextPart::Text(rest));
    }
    parts
}
