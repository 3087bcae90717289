//! Finds web addresses that are written in a text without any mark, by the rules of GitHub Flavored Markdown, section 6.9 (Autolinks).

use std::ops::Range;

/// A web address in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress {
    /// Where it stands in the text.
    pub range: Range<usize>,
    /// With a scheme.
    pub url: String,
}

/// How an address starts.
const STARTS: [&str; 3] = ["https://", "http://", "www."];

/// Maximum length of an address in bytes: a longer one is left as text.
const LONGEST: usize = 4_096;

/// Finds the first web address at or after `from`.
pub fn find(text: &str, from: usize) -> Option<WebAddress> {
    let mut starts = text[from..].match_indices(['h', 'H', 'w', 'W']).map(|(at, _)| from + at);
    starts.find_map(|at| at_start(text, at))
}

/// The address that starts at a place.
fn at_start(text: &str, at: usize) -> Option<WebAddress> {
    let rest = &text[at..];
    let start =
        *STARTS.iter().find(|start| rest.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start)))?;
    let before = text[..at].chars().next_back();
    let is_host = start == "www.";
    let is_glued = |c: char| c.is_ascii_alphanumeric() || (is_host && matches!(c, '.' | '/' | '@' | ':' | '-' | '_'));
    if before.is_some_and(is_glued) {
        return None;
    }
    let near = &rest[..rest.floor_char_boundary(LONGEST)];
    let length = near.find(ends).or_else(|| (near.len() == rest.len()).then_some(rest.len()))?;
    let address = trimmed(&near[..length]);
    let host = address.get(start.len()..)?;
    let host = &host[..host.find(['/', '?', '#', ':']).unwrap_or(host.len())];
    if !host.starts_with(|c: char| c.is_alphanumeric() || (!is_host && c == '[')) || (is_host && !is_domain(host)) {
        return None;
    }
    let scheme = if is_host { "http://" } else { "" };
    Some(WebAddress { range: at..at + address.len(), url: format!("{scheme}{address}") })
}

/// Whether a character ends an address.
fn ends(c: char) -> bool {
    c.is_whitespace() || "<>\"”»“«、。，！？；：（）「」『』【】".contains(c)
}

/// Without the punctuation of the sentence around it. A closing bracket belongs to an address that has its opening bracket.
fn trimmed(address: &str) -> &str {
    let mut address = address;
    let count = |sign: char| address.matches(sign).count();
    // The number of brackets too many: counted once, since an address may end with many.
    let mut too_many = [(')', '('), (']', '[')].map(|(close, open)| (close, count(close).saturating_sub(count(open))));
    while let Some(last) = address.chars().next_back() {
        let is_surplus = match too_many.iter_mut().find(|(close, _)| *close == last) {
            Some((_, surplus)) => {
                let is_surplus = *surplus > 0;
                *surplus = surplus.saturating_sub(1);
                is_surplus
            }
            None => ".,;:!?'’*_~".contains(last),
        };
        if !is_surplus {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

/// Whether the rest of a host after `www.` is a domain.
fn is_domain(host: &str) -> bool {
    let labels = || host.split('.');
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    labels().count() >= 2 && labels().all(is_label) && !labels().rev().take(2).any(|label| label.contains('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, String)> {
        let mut from = 0;
        let next = || {
            let address = find(text, from)?;
            from = address.range.end;
            Some((&text[address.range], address.url))
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        for (text, expected) in [
            ("See https://a.example/b.", "https://a.example/b"),
            ("(https://a.example/b_(c)), d", "https://a.example/b_(c)"),
            ("(see https://a.example/b)", "https://a.example/b"),
            ("\u{201C}http://a.example?b=1&c=2\u{201D}", "http://a.example?b=1&c=2"),
            ("见https://a.example/b。", "https://a.example/b"),
            ("HTTPS://A.example!", "HTTPS://A.example"),
            ("http://localhost:8080/a", "http://localhost:8080/a"),
            ("https://a.example/]])", "https://a.example/"),
            ("*https://a.example/b*", "https://a.example/b"),
        ] {
            assert_eq!(found(text), [(expected, expected.to_owned())], "{text}");
        }
    }

    #[test]
    fn hosts_without_a_scheme() {
        assert_eq!(found("at www.a.example/b, now"), [("www.a.example/b", "http://www.a.example/b".to_owned())]);
        for text in ["www.a", "awww.b.example", "a.www.b.example", "www..b.example", "www.a_b.c_d", "a@www.b.example"] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn other_texts_have_no_address() {
        for text in ["http:// and https://.", "xhttps://a.example", "httpsa", "h w hw www.", "https://!"] {
            assert_eq!(found(text), [], "{text}");
        }
        assert_eq!(found("https://a.example https://b.example").len(), 2);
        found(&"https://(((".repeat(20_000));
        found(&format!("https://a{}", ")".repeat(200_000)));
        found(&"www.".repeat(50_000));
    }
}
