//! CriticMarkup, with which editors propose changes: insertions are shown, deletions and comments are private.

use super::Scanner;

/// The beginnings and ends of its marks.
const MARKS: [(&str, &str); 5] = [("{>>", "<<}"), ("{--", "--}"), ("{++", "++}"), ("{~~", "~~}"), ("{==", "==}")];

impl Scanner<'_> {
    /// Replaces a proposed change with the text that it would leave.
    pub(super) fn proposed_change(&mut self) -> bool {
        let Some((open, close)) = MARKS.iter().find(|(open, _)| self.rest().starts_with(open)) else { return false };
        let start = self.at + open.len();
        let Some(end) = self.next_of(close, start) else { return false };
        let inside = &self.text[start..end];
        let shown = match *open {
            "{++" | "{--" if is_code(inside) => return false,
            "{++" => self.within(inside),
            "{==" if inside.contains("\n\n") => self.within(inside),
            "{==" => format!("<mark>{}</mark>", self.within(inside)),
            "{~~" => match inside.split_once("~>") {
                Some((_, new)) => self.within(new),
                None => return false,
            },
            _ => String::new(),
        };
        self.out.push_str(&shown);
        self.at = end + close.len();
        true
    }
}

/// Whether a text is a step of a program, as in `{++i; j++}`.
fn is_code(inside: &str) -> bool {
    let name = inside.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    name.len() < inside.len() && name.trim_start().starts_with([';', ',', ')', ']'])
}

#[cfg(test)]
mod tests {
    use crate::article::dialect::{Dialect, plain};

    fn markdown(text: &str) -> String {
        plain(text, Dialect::Markdown, 1).0.into_owned()
    }

    #[test]
    fn proposed_changes_are_made_and_comments_private() {
        for (given, expected) in [
            ("A {>>SECRET<<} b {--SECRET--} c {++new++} d {~~SECRET~>new~~} e", "A  b  c new d new e"),
            ("{==marked==}{>>SECRET<<} text", "<mark>marked</mark> text"),
            ("a {>>SECRET\n\nSECRET %% x<<} b", "a  b"),
            ("a {--SECRET\n- SECRET--} b", "a  b"),
            ("{++a *b* {==c==} [[Note]]++}", "a *b* <mark>c</mark> [Note](<note:Note>)"),
            ("{==a\n\nb==}", "a\n\nb"),
            ("中文{>>SECRET<<}中文{++新++}", "中文中文新"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn other_braces_are_text() {
        for text in [
            "a {>> b {-- c {++ d {~~ e {== f",
            "while (n) {++i; j++} and {--i, j--}",
            "{~~gone~~} {-- no end",
            "`{--code--}` and\n\n    {>>code<<}\n",
        ] {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn open_marks_take_linear_time() {
        for mark in
            ["{++", "{>>", "{~~ ~~}", "{++{==", "{# ", "{/* ", "<%# ", "{{!-- ", "{{< hide >}}", "::: {.hidden}\n:::\n"]
        {
            markdown(&mark.repeat(4_000));
        }
    }
}
