//! The shortcodes of WordPress: `[name key="value"]`, `[name]content[/name]`, and `[[name]]` for the text `[name]`.

use std::collections::HashMap;

/// Maximum length of the opening of a shortcode, in bytes.
const LONGEST_CODE: usize = 10_000;
/// Parts of the names of shortcodes and blocks whose content is not for all readers.
const FOR_MEMBERS: [&str; 17] = [
    "member",
    "private",
    "restrict",
    "protect",
    "paywall",
    "login",
    "logged",
    "subscriber",
    "premium",
    "passw",
    "passster",
    "is_paid",
    "paid_content",
    "s2if",
    "mepr-",
    "ihc-hide",
    "content_control",
];
/// Parts of such names whose content is for all: of a team, or for visitors.
const FOR_ALL: [&str; 14] = [
    "team",
    "staff",
    "remember",
    "board_member",
    "not_logged",
    "not-logged",
    "notlogged",
    "logged_out",
    "logged-out",
    "loggedout",
    "nonmember",
    "non_member",
    "non-member",
    "email",
];

/// A shortcode in a text.
#[derive(Debug)]
pub struct Shortcode<'a> {
    pub name: &'a str,
    /// What stands behind the name.
    pub arguments: &'a str,
    /// Length of its opening, in bytes.
    pub length: usize,
    /// `[name /]`
    pub is_closed: bool,
}

impl<'a> Shortcode<'a> {
    /// The shortcode at the start of a text.
    pub fn at(text: &'a str) -> Option<Self> {
        let near = &text[..text.floor_char_boundary(LONGEST_CODE)];
        let end = near.find(']')?;
        let inside = near.strip_prefix('[')?.get(..end - 1)?;
        let name = &inside[..inside.find(|c: char| !is_name(c)).unwrap_or(inside.len())];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let arguments = &inside[name.len()..];
        let (arguments, is_closed) = arguments.strip_suffix('/').map_or((arguments, false), |before| (before, true));
        Some(Self { name, arguments, length: end + 1, is_closed })
    }

    /// The value of a key, in the forms that WordPress reads: `key="value"`, `key='value'` and `key=value`.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        pairs(self.arguments).into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    /// A value without a key.
    pub fn plain_value(&self) -> Option<&'a str> {
        pairs(self.arguments).into_iter().find(|(name, _)| name.is_empty()).map(|(_, value)| value)
    }

    /// Whether it is more than a word in brackets, as of an editor: `[sic]`.
    pub fn is_certain(&self) -> bool {
        self.is_closed
            || self.name.contains(['_', '-'])
            || pairs(self.arguments).iter().any(|(name, _)| !name.is_empty())
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Keys and values; a value without a key has an empty one.
fn pairs(arguments: &str) -> Vec<(&str, &str)> {
    let is_space = |c: char| c.is_whitespace() || c == '\u{200B}';
    let mut pairs = Vec::new();
    let mut rest = arguments.trim_matches(is_space);
    while !rest.is_empty() {
        let length = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let after = rest[length..].trim_start_matches(is_space).strip_prefix('=').filter(|_| length > 0);
        let (key, from) = match after {
            Some(after) => (&rest[..length], after.trim_start_matches(is_space)),
            None => ("", rest),
        };
        let quoted = from.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quoted = quoted.and_then(|quote| from[1..].split_once(quote));
        let (value, next) = quoted.unwrap_or_else(|| from.split_at(from.find(is_space).unwrap_or(from.len())));
        pairs.push((key, value));
        rest = next.trim_start_matches(is_space);
    }
    pairs
}

/// Whether the content of a shortcode or a block with this name is not for all readers.
pub fn is_for_members(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    (has(&FOR_MEMBERS) && !has(&FOR_ALL)) || matches!(name.as_str(), "hide" | "hidden")
}

/// Where the content of the shortcodes in a text ends.
#[derive(Debug, Default)]
pub struct Endings<'a> {
    text: &'a str,
    /// The last place of each ending, by names.
    last: HashMap<&'a str, usize>,
}

impl<'a> Endings<'a> {
    pub fn of(text: &'a str) -> Self {
        let mut last = HashMap::new();
        for (at, mark) in text.match_indices("[/") {
            let rest = &text[at + mark.len()..];
            let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
            if rest[name.len()..].starts_with(']') {
                last.insert(name, at);
            }
        }
        Self { text, last }
    }

    /// The content from a place on up to the ending, and the length of both. A shortcode of the same name within starts another
    /// content, so that there is none.
    pub fn content(&self, name: &str, from: usize) -> Option<(&'a str, usize)> {
        self.last.get(name).filter(|last| **last >= from)?;
        let ending = format!("[/{name}]");
        let rest = &self.text[from..];
        let opening = format!("[{name}");
        let next = rest.match_indices('[').find(|(at, _)| {
            let rest = &rest[*at..];
            rest.starts_with(&ending) || rest.strip_prefix(&*opening).is_some_and(|after| !after.starts_with(is_name))
        });
        let (at, _) = next.filter(|(at, _)| rest[*at..].starts_with(&ending))?;
        Some((&rest[..at], at + ending.len()))
    }

    /// As [`Self::content`], with those of the same name within. One that has no ending of its own costs more, not less.
    pub fn whole_content(&self, name: &str, from: usize) -> Option<(&'a str, usize)> {
        self.last.get(name).filter(|last| **last >= from)?;
        let (ending, opening) = (format!("[/{name}]"), format!("[{name}"));
        let rest = &self.text[from..];
        let (mut depth, mut found) = (1_usize, None);
        for (at, _) in rest.match_indices('[') {
            let here = &rest[at..];
            if here.starts_with(&ending) {
                depth -= 1;
                found = Some((&rest[..at], at + ending.len()));
                if depth == 0 {
                    break;
                }
            } else if here.strip_prefix(&*opening).is_some_and(|after| !after.starts_with(is_name)) {
                depth += usize::from(!Shortcode::at(here).is_some_and(|code| code.is_closed));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_wordpress_reads_them() {
        let code = Shortcode::at("[gallery ids=\"1, 2\" Size='large' columns=3 link = \"none\" bare 'two words' /] x")
            .unwrap();
        assert_eq!((code.name, code.length, code.is_closed), ("gallery", 76, true));
        let values = ["ids", "size", "columns", "link", "other"].map(|key| code.value(key));
        assert_eq!(values, [Some("1, 2"), Some("large"), Some("3"), Some("none"), None]);
        assert_eq!(code.plain_value(), Some("bare"));
        let of = |text| Shortcode::at(text).map(|code| (code.name, code.arguments));
        assert_eq!(of("[a\u{A0}x='\u{201C}'b]"), Some(("a", "\u{A0}x='\u{201C}'b")));
        for text in ["[1]", "[]", "[ a]", "[/a]", "[a", "a"] {
            assert!(of(text).is_none(), "{text}");
        }
        assert_eq!(Shortcode::at("[a x='open]").unwrap().value("x"), Some("'open"));
    }

    #[test]
    fn names_tell_what_is_for_members() {
        for name in [
            "members_only",
            "private",
            "restrict",
            "um_loggedin",
            "mepr-show",
            "Paywall",
            "premium-content/subscriber-view",
        ] {
            assert!(is_for_members(name), "{name}");
        }
        for name in
            ["team_member", "gallery", "not_logged_in", "nonmember", "remember", "caption", "spoiler", "ht/team-member"]
        {
            assert!(!is_for_members(name), "{name}");
        }
    }

    #[test]
    fn contents_end_at_their_own_ending() {
        let text = "[m]a[m]b[/m]c[/m]d[/m][n]e[n]f[/n][o]";
        let endings = Endings::of(text);
        assert_eq!(endings.whole_content("m", 3).map(|(content, _)| content), Some("a[m]b[/m]c"));
        assert_eq!(endings.content("m", 3), None);
        let at = text.find("[n]").unwrap() + 3;
        assert_eq!(endings.whole_content("n", at).map(|(content, _)| content), Some("e[n]f"));
        assert_eq!(endings.content("n", at + 4), Some(("f", 5)));
        assert_eq!((endings.content("o", 0), endings.whole_content("n", text.len())), (None, None));
    }
}
