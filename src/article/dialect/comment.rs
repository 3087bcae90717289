//! Private comments: Obsidian's `%%private%%`, and those of templates.

use super::Scanner;
use super::code::{Dialect, code_of};

impl Scanner<'_> {
    /// Obsidian's `%%private%%`. In a text with other marks of Obsidian the rest is private if nothing ends the comment, as in Obsidian.
    /// In other texts `%%` is more likely an operator: only pairs that cannot be meant otherwise are comments.
    pub(super) fn comment(&mut self) -> bool {
        let (rest, line) = (self.rest(), self.line());
        let (before, behind) = (line.chars().next_back(), rest[2..].chars().next());
        let is_separate = before.is_none_or(|c| !c.is_alphanumeric() && !")]`".contains(c));
        let is_operator = is_operand(line.rsplit([' ', '(']).find(|word| !word.is_empty()))
            && is_operand(rest[2..].split([' ', '\n', ')', ',', '.', ';', ':']).find(|word| !word.is_empty()));
        // A quotation has a mark before each line.
        let starts_line = line.trim_matches([' ', '\t', '>']).is_empty();
        let is_block = starts_line && self.ends_line(2);
        let is_tight = is_separate && behind.is_some_and(|c| !c.is_whitespace() && !",.;:)]}".contains(c));
        let end = rest[2..].find("%%").map(|end| 2 + end);
        let is_comment = match end {
            _ if before.is_some_and(|c| c.is_ascii_digit()) => false,
            Some(end) if self.is_note() => !is_operator || starts_line || self.closes_tightly(end),
            Some(end) => {
                let is_alone = starts_line && self.line_ends_at(end + 2);
                is_block || is_alone || (is_tight && self.closes_tightly(end))
            }
            None => self.is_note() && (is_tight || starts_line),
        };
        if !is_comment {
            return false;
        }
        match end {
            Some(end) => self.at += end + 2,
            None => self.unending_comment(self.at),
        }
        true
    }

    /// Whether a comment could end at `end`: text stands directly before it, and none directly behind it.
    fn closes_tightly(&self, end: usize) -> bool {
        let rest = self.rest();
        let behind = rest[end + 2..].chars().next();
        !rest[..end].ends_with(char::is_whitespace) && !behind.is_some_and(char::is_alphanumeric)
    }

    /// Whether the line is blank from `length` bytes after `at` on.
    fn line_ends_at(&self, length: usize) -> bool {
        let rest = &self.rest()[length..];
        rest.chars().find(|c| *c == '\n' || !c.is_whitespace()).is_none_or(|c| c == '\n')
    }

    /// Whether the text has marks that only Obsidian writes, other than comments.
    pub(super) fn is_note(&mut self) -> bool {
        *self.is_note.get_or_insert_with(|| is_note(self.text))
    }

    /// `{{/* … */}}`, a comment for the authors of the file.
    pub(super) fn template_comment(&mut self) -> bool {
        let rest = self.rest();
        // All forms of the end are compared at each place: a search for each form would read to the end of the text for those
        // that are missing.
        let end = rest.match_indices("*/").find_map(|(at, _)| {
            let end = ["*/}}", "*/ }}", "*/ -}}", "*/-}}"].into_iter().find(|end| rest[at..].starts_with(end))?;
            Some(at + end.len())
        });
        match end {
            Some(end) => self.at += end,
            None => self.unending_comment(self.at),
        }
        true
    }

    /// Copies a comment of HTML that starts a line: nothing in it is replaced.
    pub(super) fn html_comment(&mut self) -> bool {
        if !self.starts_line() {
            return false;
        }
        let rest = self.rest();
        match rest.find("-->") {
            Some(end) => {
                self.out.push_str(&rest[..end + "-->".len()]);
                self.at += end + "-->".len();
            }
            None => self.unending_comment(self.at),
        }
        true
    }
}

/// Whether a word is a number or a variable.
fn is_operand(word: Option<&str>) -> bool {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    word.is_some_and(|word| is_number(word) || (word.len() == 1 && word.starts_with(char::is_alphabetic)))
}

/// Whether a text has wiki links, embedded files, callouts or names of paragraphs outside of code.
fn is_note(text: &str) -> bool {
    let code = code_of(text, Dialect::Markdown);
    let is_code = |at: usize| code.iter().take_while(|code| code.start <= at).any(|code| at < code.end);
    let is_link = |at: usize| {
        let (before, inside) = (text[..at].chars().next_back(), &text[at + 2..]);
        let inside = inside.split(['\n', ']']).next().unwrap_or_default();
        // Indexes in programming languages, and tests of a shell.
        before.is_none_or(|c| !c.is_alphanumeric() && !")]".contains(c))
            && text[at + 2 + inside.len()..].starts_with("]]")
            && !inside.starts_with([' ', '"', '\'', '['])
            && inside.contains(char::is_alphabetic)
    };
    let is_callout = |at: usize| text[..at].rsplit('\n').next().is_some_and(|line| line.trim() == ">");
    text.match_indices("[[").any(|(at, _)| is_link(at) && !is_code(at))
        || text.match_indices("[!").any(|(at, _)| is_callout(at) && !is_code(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::dialect::plain;

    fn markdown(text: &str) -> String {
        plain(text, Dialect::Markdown, 1).0.into_owned()
    }

    /// An operator once hid everything after it.
    #[test]
    fn operators_are_no_comments() {
        for text in [
            "Useful are seq(), rep(), %%, %/% and abs(). This sentence stays.\n\nThis paragraph must not be lost.",
            "In R, x %% y is the remainder, and z %% 2 tells odd numbers.",
            "5 %% 2 is 1 and 7 %% 3 is 1.",
            "10%% of it, and 20%% of that.",
            "A format needs %%. Write %% twice.",
            "The operators (%%) and (%/%), %% again.",
            "%% Section one\ncode\n%% Section two\ncode",
            "100 %%\n\nMore",
        ] {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn comments_are_private() {
        for (given, expected) in [
            ("a %%private%% b", "a  b"),
            ("a (%%private%%) b", "a () b"),
            ("|%%private%%|c|", "||c|"),
            ("Text\n\n%% to do: find a source %%\n\nMore", "Text\n\n\n\nMore"),
            ("Text\n\n%%\nof two\n\nparagraphs\n%%\n\nMore", "Text\n\n\n\nMore"),
            ("%% of two\n\nparagraphs %%\nMore", "\nMore"),
            ("[[Note]]: 7 %% 3 is 1 and (x %% 3) is 2.", "[Note](<note:Note>): 7 %% 3 is 1 and (x %% 3) is 2."),
            ("[[Note]] has one %% in its text.", "[Note](<note:Note>) has one %% in its text."),
            ("[[Note]] a %% private %% b", "[Note](<note:Note>) a  b"),
            ("[[Note|a %% private %% b]]", "[a  b](<note:Note>)"),
            ("a %%%private%% b", "a  b"),
            ("> [!tip] Tip\n> a %% private %% b", "> **Tip**\n>\n> a  b"),
            ("[[Note]] a %%private\n\nMore", "[Note](<note:Note>) a "),
            ("![[a.png]]\n\n%%\nprivate\n\nMore", "![](<a.png>)\n\n"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn an_open_comment_is_reported() {
        let problem = |text: &str| plain(text, Dialect::Markdown, 1).1;
        assert_eq!(problem("[[Note]]\n\n%%private").unwrap().line, Some(3));
        assert_eq!(problem("Operators: %%, %/%"), None);
    }
}
