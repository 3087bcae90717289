//! Private comments: Obsidian's `%%private%%`, and those of templates.

use super::Scanner;
use super::attributes;
use super::code::{Dialect, code_of};
use super::script::is_glue;

impl Scanner<'_> {
    /// Obsidian's `%%private%%`. In a text with other marks of Obsidian the rest is private if nothing ends the comment, as in Obsidian.
    /// In other texts `%%` is more likely an operator: only pairs that cannot be meant otherwise are comments.
    pub(super) fn comment(&mut self) -> bool {
        let (rest, line) = (self.rest(), self.line());
        let (before, behind) = (line.chars().next_back(), rest[2..].chars().next());
        let is_glued = before.is_some_and(is_glue);
        let is_separate = before.is_none_or(|c| !is_glue(c) && !")]`".contains(c));
        let follows_digit = before.is_some_and(|c| c.is_ascii_digit());
        let is_operator = is_operand(line.rsplit([' ', '(']).find(|word| !word.is_empty()))
            && is_operand(rest[2..].split([' ', '\n', ')', ',', '.', ';', ':']).find(|word| !word.is_empty()));
        // A quotation has a mark before each line.
        let starts_line = line.trim_matches([' ', '\t', '>']).is_empty();
        let mark = line.trim();
        let starts_item = matches!(mark, "-" | "*" | "+") || mark.trim_end_matches(['.', ')']).parse::<u16>().is_ok();
        let is_block = starts_line && self.ends_line(2);
        let opens = behind.is_some_and(|c| !c.is_whitespace() && !",.;:)]}".contains(c));
        // `%s%%`
        let is_format = line.rsplit(' ').next().is_some_and(|word| word.contains('%'));
        let end = rest[2..].find("%%").map(|end| 2 + end);
        let is_comment = match end {
            Some(end) if self.is_note() => {
                let is_tight = opens && self.closes_tightly(end);
                (!follows_digit && !is_operator) || starts_line || is_tight || (opens && self.is_one_word(end))
            }
            _ if follows_digit => false,
            Some(end) => {
                let is_alone = (starts_line || starts_item) && self.line_ends_at(end + 2);
                // `Text %% private words %%`, where no operator ends the line.
                let closes_line = is_separate && !is_operator && self.line_ends_at(end + 2) && is_prose(&rest[2..end]);
                let is_in_word = is_glued
                    && !(is_operator || is_format || rest[..end].ends_with(|c: char| c.is_ascii_digit()))
                    && (self.closes_tightly(end) || self.is_one_word(end));
                is_block
                    || is_alone
                    || closes_line
                    || (opens && ((is_separate && self.closes_tightly(end)) || is_in_word))
            }
            None => self.is_note() && (starts_line || (opens && (is_separate || (is_glued && !is_operator)))),
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
        !rest[..end].ends_with(char::is_whitespace) && !behind.is_some_and(is_glue)
    }

    /// Whether a comment from here to `end` is one word of several letters: `before%%private%%behind`, and no sum of remainders.
    fn is_one_word(&self, end: usize) -> bool {
        let inside = &self.rest()[2..end];
        !inside.contains(char::is_whitespace) && !is_operand(Some(inside)) && inside.contains(char::is_alphabetic)
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

    /// Leaves out a comment of another template language or of MDX: `{# … #}`, `{/* … */}`, `{{!-- … --}}`, `<%# … %>`.
    pub(super) fn foreign_comment(&mut self) -> bool {
        match self.end_of_foreign_comment() {
            Some(end) => self.at = end,
            // As the program that reads it would.
            None if self.rest().starts_with("{{!--") => self.unending_comment(self.at),
            None => return false,
        }
        true
    }

    fn end_of_foreign_comment(&mut self) -> Option<usize> {
        let (rest, at) = (self.rest(), self.at);
        if let Some(inside) = rest.strip_prefix("{#") {
            // An id is none: `{#top}`.
            let end = self.next_of("#}", at + 2).filter(|_| !inside.starts_with('}'))?;
            let is_open =
                inside.starts_with(|c: char| c.is_whitespace() || c == '-') || !self.text[at..end].contains('\n');
            return (is_open && attributes::at_start(rest).is_none()).then_some(end + 2);
        }
        let inside = rest[1..].trim_start();
        if rest.starts_with('{') && inside.starts_with("/*") {
            let end = self.next_of("*/", at + rest.len() - inside.len() + 2)? + 2;
            let behind = self.text[end..].trim_start();
            return behind.starts_with('}').then(|| self.text.len() - behind.len() + 1);
        }
        let signs = [("{{!--", "--}}"), ("{{~!--", "--~}}"), ("{{!", "}}"), ("<%--", "--%>"), ("<%#", "%>")];
        let (open, close) = signs.iter().find(|(open, _)| rest.starts_with(open))?;
        let end = self.next_of(close, at + open.len()).map(|end| end + close.len());
        if *open != "{{!--" {
            return end;
        }
        let other = self.next_of("--~}}", at + open.len()).map(|end| end + "--~}}".len());
        [end, other].into_iter().flatten().min()
    }

    /// Copies a comment of HTML that starts a line: nothing in it is replaced.
    pub(super) fn html_comment(&mut self) -> bool {
        let rest = self.rest();
        if !self.starts_line() {
            // Markdown ends an element in a line at the end of its paragraph, and would show the rest of the comment.
            let end = self.next_of("-->", self.at).filter(|end| self.text[self.at..*end].contains("\n\n"));
            self.at = end.map_or(self.at, |end| end + "-->".len());
            return end.is_some();
        }
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

/// Whether words of more than one letter stand between blanks, in one line.
fn is_prose(inside: &str) -> bool {
    let has_word = inside.split(' ').any(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
    inside.starts_with(' ') && inside.ends_with(' ') && !inside.contains(['\n', '%']) && has_word
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
        before.is_none_or(|c| !is_glue(c) && !")]".contains(c))
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
    use crate::article::dialect::{plain, plain_note};

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
            "In R, a%%b is the remainder, and x%%2 tells odd numbers.",
            "Take nrow%%2, ncol%%3 and then i%%j%%k.",
            "Between x %% y and z, or %% and %/%",
            "A format \"%d%%, %s%%\" prints 5%%.",
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
            ("这是公开文字%%秘密SECRET%%后面的公开文字。", "这是公开文字后面的公开文字。"),
            ("港の話です。%%秘密SECRET%%続きます。", "港の話です。続きます。"),
            ("공개%%비밀%%입니다. เปิด%%ลับ%%เผย", "공개입니다. เปิดเผย"),
            ("参见[[笔记]]，未完%%SECRET\n\nSECRET", "参见[笔记](<note:%E7%AC%94%E8%AE%B0>)，未完"),
            ("Word%%SECRET%% more, (so%%SECRET%%).", "Word more, (so)."),
            ("a text%%SECRET%%text", "a texttext"),
            ("1. %% SECRET it %%\n- %% SECRET %%\nA line %% SECRET SECRET %%", "1. \n- \nA line "),
            ("Text <!-- a\n\nSECRET --> b <!-- c --> d", "Text  b <!-- c --> d"),
            ("[[Note]] text%%SECRET%%text 5%%SECRET%% x", "[Note](<note:Note>) texttext 5 x"),
            ("![[a.png]]\n\n%%\nprivate\n\nMore", "![](<a.png>)\n\n"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    /// In a vault, no other mark is needed.
    #[test]
    fn a_note_of_a_vault_has_comments_in_any_form() {
        let note = |text: &str| plain_note(text, 1).0.into_owned();
        for (given, expected) in [
            ("x %% SECRET %%", "x "),
            ("Text %% SECRET %% more", "Text  more"),
            ("Text %%SECRET\n\nSECRET", "Text "),
            ("7 %% 3 is 1 and a%%b, in R.", "7 %% 3 is 1 and a%%b, in R."),
            ("`x %% y %%`", "`x %% y %%`"),
        ] {
            assert_eq!(note(given), expected, "{given}");
        }
    }

    #[test]
    fn comments_of_templates_are_private() {
        for (given, expected) in [
            ("a {# SECRET #} b {#- SECRET -#} c {#SECRET#} d", "a  b  c  d"),
            ("a\n\n{# SECRET\n\nSECRET #}\n\nb", "a\n\n\n\nb"),
            ("a {/* SECRET */} b {/* SECRET\n\nSECRET */}\n{\n  /* SECRET */\n}", "a  b \n"),
            ("a {{!-- SECRET\n\nSECRET }} --}} b {{! SECRET }} c {{~!-- SECRET --~}}", "a  b  c "),
            ("a {{!-- SECRET\n\nSECRET", "a "),
            ("a <%# SECRET %> b <%-- SECRET\n\nSECRET --%> c", "a  b  c"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
            assert_eq!(plain(given, Dialect::Html, 1).0, expected, "{given}");
        }
        for text in [
            "## A heading {#id}",
            "## A {#top .wide} heading {#b}",
            "a {#} b #} c",
            "a {# no end",
            "a {/* no end",
            "f() {/* code */ x}",
            "`{# code #}` `{/* code */}`",
            "```\n{{!-- code --}}\n```\n",
            "a <% b %> c",
        ] {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn an_open_comment_is_reported() {
        let problem = |text: &str| plain(text, Dialect::Markdown, 1).1;
        assert_eq!(problem("[[Note]]\n\n%%private").unwrap().line, Some(3));
        assert_eq!(problem("Operators: %%, %/%"), None);
    }
}
