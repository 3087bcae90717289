//! Checks texts, and escapes them for their contexts: XML, HTML, an attribute, one line of a terminal or log.

use std::borrow::Cow;
use std::path::Path;

use url::Url;

/// Removes the characters that XML 1.0 does not allow (section 2.2) and those that it discourages. A single one makes a whole
/// feed unreadable, and neither the `rss` nor the `atom_syndication` crate checks for them.
pub fn xml_legal(text: &str) -> Cow<'_, str> {
    let is_legal = |c: char| match c {
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' => true,
        '\u{7F}'..='\u{9F}' | '\u{FDD0}'..='\u{FDEF}' => false,
        _ => !c.is_control() && u32::from(c) & 0xFFFE != 0xFFFE,
    };
    if text.chars().all(is_legal) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|c| is_legal(*c)).collect())
    }
}

/// Whether a text is an absolute IRI (RFC 3987 section 2.2), approximately: it never accepts characters that an IRI must not have.
pub fn is_iri(text: &str) -> bool {
    let allowed = |c: char| match c {
        '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`' => false,
        _ => c.is_ascii_graphic() || c.is_alphanumeric(),
    };
    text.chars().all(allowed) && Url::parse(text).is_ok()
}

/// Escapes a plain text for HTML or XML content.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Escapes a plain text for HTML content or an HTML attribute in double quotes.
pub fn escape_html(text: &str) -> String {
    escape(text).replace('"', "&quot;")
}

/// Escapes a plain text for an XML attribute in double quotes, so that a parser returns its line breaks and tabs unchanged
/// (XML 1.0 section 3.3.3).
pub fn escape_attribute(text: &str) -> String {
    escape_html(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Converts a path to a single line, see [`single_line`].
pub fn path_line(path: &Path) -> String {
    single_line(&path.to_string_lossy()).into_owned()
}

/// Escapes a text for one line of a log or terminal: each control character becomes `\n`, `\u{1b}` or the like, as in Rust.
pub fn single_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().flat_map(|c| if is_control(c) { c.escape_default().collect() } else { vec![c] }).collect())
}

/// Whether a character controls a line or a terminal: it ends the line, moves the cursor, sets a colour, or reverses the reading
/// direction.
pub fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_characters_go_and_all_others_stay() {
        let fine = "a\t\n é 日 😀 \u{200D}\u{E000}\u{FFFD}";
        assert!(matches!(xml_legal(fine), Cow::Borrowed(text) if text == fine));
        assert_eq!(xml_legal("a\u{0}\u{B}\u{1F}\u{7F}\u{80}\u{FDD0}\u{FFFE}\u{1FFFF}b"), "ab");
    }

    #[test]
    fn escapes_keep_everything_but_control_characters() {
        let text = "a\nb\r\t\u{1b}[2Jc\u{2028}d\0\u{85}\u{202e}é\u{1f642}\\\u{7f}";
        assert_eq!(single_line(text), r"a\nb\r\t\u{1b}[2Jc\u{2028}d\u{0}\u{85}\u{202e}é🙂\\u{7f}");
    }

    #[test]
    fn attributes_keep_quotes_and_line_breaks() {
        assert_eq!(escape("<a & \"b\">"), "&lt;a &amp; \"b\"&gt;");
        assert_eq!(escape_html("<a & \"b\"\n"), "&lt;a &amp; &quot;b&quot;\n");
        assert_eq!(escape_attribute("\"a\"\n\t"), "&quot;a&quot;&#10;&#9;");
    }

    #[test]
    fn file_names_take_one_line() {
        assert_eq!(path_line(Path::new("a\nb\u{1b}é.md")), "a\\nb\\u{1b}é.md");
        assert_eq!(single_line("a\u{9b}\u{202e}\u{2028}b"), "a\\u{9b}\\u{202e}\\u{2028}b");
    }
}
