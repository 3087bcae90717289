//! Containers, `::: tip` to `:::`, of Pandoc, Quarto, VuePress and Docusaurus, and spans of Pandoc, `[words]{.class}`. Their classes say how
//! they look, and whether they are shown at all.

use std::collections::HashSet;

use super::Scanner;
use super::attributes;
use super::shortcode::is_private_name;

/// Longest line that begins a container, in bytes.
const LONGEST_LINE: usize = 1_000;
/// Longest span with its brackets, in bytes.
const LONGEST_SPAN: usize = 4_000;

/// The parts of the line that begins a container, behind its colons.
struct ContainerHead<'a> {
    name: &'a str,
    title: String,
    /// Attributes in braces; empty if there are none.
    list: &'a str,
}

impl<'a> ContainerHead<'a> {
    /// Reads `tip Words`, `tip[Words]{.class}` or `{.class title="Words"}`.
    fn parse(words: &'a str) -> Self {
        let (name, rest) =
            words.split_at(words.find(|c: char| c.is_whitespace() || "[{".contains(c)).unwrap_or(words.len()));
        let bracket = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).filter(|_| !name.is_empty());
        let (title, rest) = bracket.unwrap_or(("", rest));
        let list = rest.trim_start();
        // Some write the kind in brackets.
        let (title, list) = match list.chars().next() {
            Some('{') => (title, list),
            Some('[') => (title, ""),
            _ if title.is_empty() => (list, ""),
            _ => (title, ""),
        };
        let title = attributes::value(list, "title").unwrap_or_else(|| title.trim_end_matches(':').trim().to_owned());
        Self { name, title, list }
    }

    /// Whether the container is not shown.
    fn is_hidden(&self) -> bool {
        attributes::hides(self.list) || attributes::is_hiding(self.name) || is_private_name(self.name)
    }
}

impl Scanner<'_> {
    /// Leaves out the lines around a container, as in `::: warning Mind the gap`, and keeps its title. A hidden one is left out with its
    /// text.
    pub(super) fn container(&mut self) -> bool {
        let near = &self.rest()[..self.rest().floor_char_boundary(LONGEST_LINE)];
        let line = near.lines().next().unwrap_or_default();
        let words = line.trim_start_matches(':').trim();
        let is_name = words.is_empty() || words.starts_with(|c: char| c.is_ascii_alphabetic() || "{[".contains(c));
        let before = self.line().trim_matches([' ', '\t', '>']);
        let starts_item = matches!(before, "-" | "*" | "+");
        if !(before.is_empty() || starts_item) || !is_name || line.len() == LONGEST_LINE {
            return false;
        }
        // Pandoc allows colons at the end.
        let head = ContainerHead::parse(words.trim_end_matches(':').trim_end());
        let after = self.at + line.len();
        if head.is_hidden() {
            match self.end_of_container(after) {
                Some(end) => self.at = end,
                None => self.unending_comment(self.at),
            }
            return true;
        }
        if starts_item {
            return false;
        }
        let title = self.within(&head.title);
        self.at = after;
        if title.is_empty() {
            let indent = self.line().to_owned();
            self.out.push_str(&format!("\n{indent}"));
        }
        self.paragraph("**", &title);
        true
    }

    /// The end of the line that ends the container whose first line ends at `from`.
    fn end_of_container(&self, from: usize) -> Option<usize> {
        let mut code = self.code.iter().peekable();
        let (mut at, mut depth) = (from, 1_usize);
        for line in self.text[from..].split_inclusive('\n') {
            let start = at;
            at += line.len();
            while code.next_if(|code| code.end <= start).is_some() {}
            let is_code = code.peek().is_some_and(|code| code.contains(&start));
            let marks = line.trim_start_matches([' ', '\t', '>']);
            if is_code || !marks.starts_with(":::") {
                continue;
            }
            if !marks.trim_matches([':', ' ', '\t', '\n']).is_empty() {
                depth += 1;
                continue;
            }
            depth -= 1;
            if depth == 0 {
                return Some(start + line.trim_end_matches('\n').len());
            }
        }
        None
    }

    /// Leaves out the element before a list of attributes that hides it: `[words]{.hidden}`, `![](a.png){.hidden}`.
    pub(super) fn hide_element(&mut self) {
        if self.out.ends_with(')')
            && let Some(open) = self.out.rfind("](")
        {
            self.out.truncate(open + 1);
        }
        for _ in 0..2 {
            let Some(open) = self.open_bracket() else { break };
            self.out.truncate(open);
        }
        if self.out.ends_with('!') {
            self.out.pop();
        }
    }

    /// Takes the brackets away from the span before its attributes.
    pub(super) fn unwrap_span(&mut self) {
        let Some(open) = self.open_bracket() else { return };
        let before = self.out[..open].chars().next_back();
        let words = &self.out[open + 1..self.out.len() - 1];
        let is_span = !words.trim().is_empty() && !words.starts_with('^') && !matches!(before, Some(']' | '!' | '\\'));
        let words = words.to_lowercase();
        // `[name]{.class}` is a link if the name is defined.
        if is_span && !self.link_names().contains(&words) {
            self.out.pop();
            self.out.remove(open);
        }
    }

    /// The place of the bracket in the output that belongs to the one at its end.
    fn open_bracket(&self) -> Option<usize> {
        let near = self.out.ceil_char_boundary(self.out.len().saturating_sub(LONGEST_SPAN));
        let mut depth = 0_usize;
        if !self.out.ends_with(']') {
            return None;
        }
        let brackets = self.out[near..].rmatch_indices(['[', ']']).take_while(|(_, bracket)| {
            depth = if *bracket == "]" { depth + 1 } else { depth - 1 };
            depth > 0
        });
        let last = brackets.last().map_or(self.out.len(), |(at, _)| near + at);
        let open = self.out[near..last].rfind('[').map(|at| near + at)?;
        (!self.out[open..].contains("\n\n")).then_some(open)
    }

    /// The names of links that the text defines, `[name]: address`, in lower case.
    fn link_names(&mut self) -> &HashSet<String> {
        let text = self.text;
        self.link_names.get_or_insert_with(|| {
            let name = |line: &str| Some(line.trim_start().strip_prefix('[')?.split_once("]:")?.0.to_lowercase());
            text.lines().filter_map(name).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::article::dialect::{Dialect, plain};

    fn markdown(text: &str) -> String {
        plain(text, Dialect::Markdown, 1).0.into_owned()
    }

    #[test]
    fn hidden_containers_are_private() {
        for head in [
            "{.content-hidden}",
            "{.content-hidden when-format=\"html\"}",
            "{.content-hidden when-format=html:js}",
            "{.content-hidden unless-format=\"pdf\"}",
            "{.content-hidden when-profile=\"x\"}",
            "{.content-visible when-format=\"pdf\"}",
            "{.content-visible unless-format='html'}",
            "{.content-visible when-meta=\"a.b\"}",
            "{.callout-note .hidden}",
            "{.comment}",
            "hidden",
            "private",
            "{#x .draft}",
            "encrypt pw",
            "members-only[Title]",
        ] {
            for (text, shown) in [
                (format!("a\n\n::: {head}\nSECRET\n\nSECRET\n:::\n\nb"), "a\n\n\n\nb"),
                (format!(":::: {head} ::::\n::: tip\nSECRET\n:::\nSECRET\n```\n:::\n```\nSECRET\n::::\nb"), "\nb"),
                (format!("> ::: {head}\n> SECRET\n> :::\n> b"), "> \n> b"),
            ] {
                assert_eq!(markdown(&text), shown, "{text}");
            }
            let (shown, problem) = plain("a\n\n::: {.hidden}\nSECRET", Dialect::Markdown, 1);
            assert_eq!((shown.as_ref(), problem.and_then(|problem| problem.line)), ("a\n\n", Some(3)));
        }
        for head in [
            "{.content-hidden when-format=\"pdf\"}",
            "{.content-hidden unless-format=\"html\"}",
            "{.content-visible when-format=\"html\"}",
            "{.content-visible unless-format=\"pdf\"}",
            "{.hidden-print}",
            "tip",
        ] {
            assert_eq!(markdown(&format!("::: {head}\nText\n:::\n")), "\n\nText\n\n\n", "{head}");
        }
    }

    #[test]
    fn spans_lose_their_brackets_or_are_hidden() {
        for (given, expected) in [
            ("A [SECRET *x* [y]]{.content-hidden} b", "A  b"),
            ("A [x](y \"SECRET\"){.hidden} ![SECRET](b.png){.hidden} b", "A   b"),
            ("A [SECRET]{.content-visible when-format=\"pdf\"} [b]{.content-visible when-format=\"html\"}", "A  b"),
            ("A [small *caps*]{.smallcaps} b", "A small *caps* b"),
            ("[a][b]{.x} [c]{.x} ![d]{.x} \\[e]{.x}\n\n[c]: d", "[a][b] [c] ![d] \\[e]\n\n[c]: d"),
            ("[x](y){.wide} text[^1]{.a}", "[x](y) text[^1]"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn titles_of_containers_are_shown() {
        for (head, title) in [
            (":::tip[My title here]", "My title here"),
            (":::tip[My title]{#id}", "My title"),
            ("::: {.callout-note title=\"Quarto title\"}", "Quarto title"),
            (":::note{title=\"A title\"}", "A title"),
            ("::: warning Mind the gap", "Mind the gap"),
            ("::: warning Mind the gap :::", "Mind the gap"),
            ("::: details Click {open}", "Click {open}"),
        ] {
            assert_eq!(markdown(&format!("{head}\nText\n:::\n")), format!("\n\n**{title}**\n\n\nText\n\n\n"), "{head}");
        }
    }
}
