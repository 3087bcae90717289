//! Character references: `&amp;`, `&#65;`, `&#x41;` (WHATWG HTML section 13.2.5.72).

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Where a text with references stands. The rules differ a little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    Text,
    /// In an address such as `?a&copy=1`, a name without a semicolon is no reference.
    Attribute,
}

/// Replaces each reference with its characters.
pub fn resolve(text: &str, context: Context) -> Cow<'_, str> {
    let Some(first) = text.find('&') else { return Cow::Borrowed(text) };
    let mut resolved = String::with_capacity(text.len());
    resolved.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(after) = rest.strip_prefix('&') {
        let length = if let Some(number) = after.strip_prefix('#') {
            numeric(number).map(|(character, length)| {
                resolved.push(character);
                "#".len() + length
            })
        } else {
            named(after, context).map(|(characters, length)| {
                resolved.extend(characters.into_iter().filter(|character| *character != '\0'));
                length
            })
        };
        if length.is_none() {
            resolved.push('&');
        }
        rest = &after[length.unwrap_or(0)..];
        let next = rest.find('&').unwrap_or(rest.len());
        resolved.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(resolved)
}

/// The character of the number after `&#`, and the length of the number with its `x` and its semicolon.
fn numeric(text: &str) -> Option<(char, usize)> {
    let hexadecimal = text.strip_prefix(['x', 'X']);
    let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
    let count = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    if count == 0 {
        return None;
    }
    let length = text.len() - digits.len() + count + usize::from(digits[count..].starts_with(';'));
    Some((character(u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX)), length))
}

/// The character that a number stands for. The numbers of C1 control characters mean windows-1252.
fn character(number: u32) -> char {
    let replacement = match number {
        0 => None,
        0x80..=0x9F => C1_REPLACEMENTS[(number - 0x80) as usize].or(char::from_u32(number)),
        _ => char::from_u32(number),
    };
    replacement.unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The characters of the longest name that a text starts with, and the length of the name. The second character may be NUL,
/// which means none.
fn named(text: &str, context: Context) -> Option<([char; 2], usize)> {
    // The table also has each beginning of a name, with zeros.
    let is_end = |c: char| !c.is_ascii_alphanumeric();
    let longest = text.find(is_end).map_or(text.len(), |end| end + usize::from(text[end..].starts_with(';')));
    let beginnings = (1..=longest).map_while(|length| Some((NAMED_ENTITIES.get(&text[..length])?, length)));
    let ((first, second), length) = beginnings.filter(|((first, _), _)| *first != 0).last()?;
    let next = text[length..].chars().next();
    let is_part_of_address = context == Context::Attribute
        && !text[..length].ends_with(';')
        && next.is_some_and(|c| c == '=' || c.is_ascii_alphanumeric());
    let characters = [char::from_u32(*first)?, char::from_u32(*second)?];
    (!is_part_of_address).then_some((characters, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_characters() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("&amp;&lt;b&gt;", "&<b>"),
            ("&amp;amp;", "&amp;"),
            ("&amp", "&"),
            ("&ampx", "&x"),
            ("&copy2;", "©2;"),
            ("&notit; &notin; &not", "¬it; ∉ ¬"),
            ("&NotEqualTilde;", "\u{2242}\u{338}"),
            ("&AMP;&Amp;", "&&Amp;"),
            ("&nosuchname; &; & &&", "&nosuchname; &; & &&"),
            ("&#65;&#x41;&#X41&#65 ", "AAAA "),
            ("&#; &#x; &#xg; &#", "&#; &#x; &#xg; &#"),
            ("&#128;&#x81;&#0;&#xD800;&#x110000;&#99999999999;", "€\u{81}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("é&eacute;é", "ééé"),
            ("&é;", "&é;"),
        ] {
            assert_eq!(resolve(text, Context::Text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_in_an_address_needs_its_semicolon() {
        for (text, expected) in [
            ("?a=1&copy=2", "?a=1&copy=2"),
            ("?a=1&copy;=2", "?a=1©=2"),
            ("?a&copyb", "?a&copyb"),
            ("?a&copy", "?a©"),
            ("?a&copy&lt", "?a©<"),
            ("?a&#65b", "?aAb"),
        ] {
            assert_eq!(resolve(text, Context::Attribute), expected, "{text}");
        }
    }
}
