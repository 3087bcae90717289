//! YAML of the simplest form, as most articles have it: one `key: value` on each line. It is read without the YAML library, which takes
//! a multiple of the time. Whatever could mean anything else is left to the library.

use super::key::Key;
use super::value::Value;

/// Plain words that are no texts, or that YAML versions disagree about, in lower case.
const NO_TEXTS: [&str; 12] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// Reads keys and values in the order of the text; `None` if the library has to read it.
pub fn parse(text: &str) -> Option<Vec<(String, Value)>> {
    let mut fields: Vec<(String, Value)> = Vec::new();
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, rest) = line.split_once(':')?;
        if !is_key(key) || fields.iter().any(|(other, _)| other == key) || !rest.chars().all(is_plain_character) {
            return None;
        }
        let value = match rest.strip_prefix(' ') {
            Some(value) => value.trim_matches(' '),
            None if rest.is_empty() => "",
            None => return None,
        };
        fields.push((key.to_owned(), value_of(value, Key::of(key).is_some_and(Key::is_text))?));
    }
    (!fields.is_empty()).then_some(fields)
}

/// Whether a key is a word without a meaning for YAML.
fn is_key(key: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-');
    key.starts_with(|first: char| first.is_ascii_alphabetic()) && key.bytes().all(is_letter) && !is_no_text(key)
}

/// Excluded: control characters, and those that end a line or are invisible for some YAML parsers.
fn is_plain_character(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
        || character >= '\u{10000}'
}

fn value_of(value: &str, is_text: bool) -> Option<Value> {
    if value.is_empty() {
        return Some(Value::Nothing);
    }
    if let Some(items) = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // A list in place of a text is read in another way.
        return if is_text { None } else { list(items) };
    }
    if let Some(quoted) = quoted(value) {
        return Some(Value::Text(quoted.to_owned()));
    }
    let is_scalar =
        value.starts_with(starts_plainly) && !value.contains(": ") && !value.contains(" #") && !value.ends_with(':');
    let is_certain = if is_text { !value.eq_ignore_ascii_case("null") } else { is_certain_text(value) };
    match value {
        "true" | "false" if !is_text => Some(Value::Flag(value == "true")),
        _ => (is_scalar && is_certain).then(|| Value::Text(value.to_owned())),
    }
}

/// The items of a list on one line.
fn list(items: &str) -> Option<Value> {
    if items.trim_matches(' ').is_empty() {
        return Some(Value::List(Vec::new()));
    }
    let item = |item: &str| {
        let item = item.trim_matches(' ');
        let is_plain = |item: &str| {
            item.starts_with(starts_plainly)
                && !item.contains(['[', ']', '{', '}', ':', '#', '"', '\''])
                && is_certain_text(item)
        };
        let text = quoted(item).or_else(|| is_plain(item).then_some(item))?;
        Some(Value::Text(text.to_owned()))
    };
    items.split(',').map(item).collect::<Option<_>>().map(Value::List)
}

/// The content of a text in quotes without an escape.
fn quoted(value: &str) -> Option<&str> {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote).filter(|text| !text.contains(quote));
    inside('"').filter(|text| !text.contains('\\')).or_else(|| inside('\''))
}

fn starts_plainly(first: char) -> bool {
    first.is_ascii_alphanumeric() || first == '/' || !first.is_ascii()
}

/// Whether a plain value is a text in every version of YAML: a word, or a date.
fn is_certain_text(value: &str) -> bool {
    let is_word = value.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || !first.is_ascii());
    (is_word && !is_no_text(value)) || is_date(value)
}

fn is_no_text(word: &str) -> bool {
    word.len() <= 8 && NO_TEXTS.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// Whether a value starts with a whole day, as in `2024-05-01T10:00:00Z`.
fn is_date(value: &str) -> bool {
    value.split_at_checked(10).is_some_and(|(day, time)| {
        let fits = |(place, letter): (usize, u8)| {
            if matches!(place, 4 | 7) { letter == b'-' } else { letter.is_ascii_digit() }
        };
        let is_time = |letter: u8| letter.is_ascii_digit() || b"T Z:.+-".contains(&letter);
        day.bytes().enumerate().all(fits) && time.bytes().all(is_time)
    })
}

#[cfg(test)]
mod tests {
    use super::super::block::FrontMatter;
    use super::*;
    use proptest::prelude::*;

    /// As the library reads it.
    fn library(text: &str) -> Option<Vec<(String, Value)>> {
        FrontMatter::whole(text, "yaml").parse_any_yaml().ok().flatten()
    }

    #[test]
    fn simple_front_matter_is_read_without_the_library() {
        let text = "title: The storm: a report\n";
        assert_eq!(parse(text), None, "a colon and a space");
        let text = "# about\ntitle: Harbour & sea\ndate: 2024-05-01T10:00:00+02:00\n\ntags: [storm, \"by night\", 'öl']\ndraft: false\nslug: 007\nurl: /a\nempty:\n";
        let texts = |words: &[&str]| Value::List(words.iter().map(|word| Value::Text((*word).to_owned())).collect());
        let fields = [
            ("title", Value::Text("Harbour & sea".into())),
            ("date", Value::Text("2024-05-01T10:00:00+02:00".into())),
            ("tags", texts(&["storm", "by night", "öl"])),
            ("draft", Value::Flag(false)),
            ("slug", Value::Text("007".into())),
            ("url", Value::Text("/a".into())),
            ("empty", Value::Nothing),
        ];
        let fields: Vec<_> = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        assert_eq!(parse(text), Some(fields));
        assert_eq!(parse(text), library(text));
    }

    #[test]
    fn what_is_not_certain_is_left_to_the_library() {
        for text in [
            "a: b\na: c",
            "a: 1",
            "a: yes",
            "a: Null",
            "title: null",
            "title: [a]",
            "a: b # c",
            "a: b:",
            "a: 'it''s'",
            "a: \"\\n\"",
            "a: [b, [c]]",
            "a: [b,]",
            "a: {b: c}",
            "a: |\n  b",
            "a: b\n  c",
            "a:\n- b",
            "a: &b c",
            "a: *b",
            "a: !b c",
            "yes: a",
            "1: a",
            "a.b: c",
            "a:b",
            "a:\tb",
            "a: b\u{85}c",
            "a: b\u{feff}",
            "a: 2024-05-01-x",
            "",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
        #[test]
        fn the_library_reads_the_same(text in line_soup()) {
            if let Some(fields) = parse(&text) {
                prop_assert_eq!(Some(fields), library(&text));
            }
        }
    }

    /// Lines of keys and values of the kinds that are close to the border.
    fn line_soup() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            Just("title".to_owned()),
            Just("date".to_owned()),
            Just("tags".to_owned()),
            Just("draft".to_owned()),
            Just("id".to_owned()),
            Just("No".to_owned()),
            "[a-z]{1,4}",
            "[A-Za-z0-9_.-]{1,6}"
        ];
        let scalar = prop_oneof![
            "[a-zA-Z ]{0,12}",
            "[0-9:TZ.+ -]{0,22}",
            "2024-05-01[T ]?[0-9:]{0,8}[Z+]?",
            "[ -~]{0,12}",
            "\\PC{0,8}",
            ".{0,8}",
            Just("true".to_owned()),
            Just("null".to_owned()),
            Just("~".to_owned()),
            Just("1e3".to_owned()),
            Just(".inf".to_owned()),
            Just("0x1F".to_owned()),
            Just("NaN".to_owned()),
            "\"[ -~]{0,6}\"",
            "'[ -~]{0,6}'"
        ];
        let list = proptest::collection::vec(scalar.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        let value = prop_oneof![3 => scalar, 1 => list];
        let line = (key, prop_oneof![8 => Just(": "), 1 => Just(":"), 1 => Just(":  ")], value)
            .prop_map(|(key, colon, value)| format!("{key}{colon}{value}"));
        let any = prop_oneof![12 => line, 1 => "[ -~]{0,8}", 1 => Just(String::new()), 1 => "# [a-z: ]{0,6}"];
        proptest::collection::vec(any, 1..5).prop_map(|lines| lines.join("\n"))
    }
}
