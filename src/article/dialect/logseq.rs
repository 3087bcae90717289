//! What Logseq adds to the blocks of a page: properties, logs, blocks as in org, sizes of pictures.

use super::Scanner;

/// Properties of blocks that only the program uses.
const OWN_KEYS: [&str; 13] = [
    "id",
    "collapsed",
    "heading",
    "background-color",
    "created-at",
    "updated-at",
    "template",
    "template-including-parent",
    "ls-type",
    "public",
    "exclude-from-graph-view",
    "filters",
    "icon",
];
/// Beginnings of the names of others.
const OWN_GROUPS: [&str; 4] = ["logseq.", "hl-", "card-", "query-"];
/// Kinds of blocks that are shown with a title.
const TITLED: [&str; 6] = ["note", "tip", "important", "caution", "warning", "pinned"];

impl Scanner<'_> {
    /// The part of the line before the text of a block: blanks and the mark of an item.
    fn block_start(&self) -> (usize, bool) {
        let line = self.line();
        let text = line.trim_start();
        let is_item = ["- ", "* "].iter().any(|mark| text.starts_with(mark));
        (line.len() - text.len() + if is_item { 2 } else { 0 }, is_item)
    }

    /// Leaves out a line of which the start was written and that ends at `end`. An item with only this line goes, too.
    fn leave_out_line(&mut self, end: usize) {
        let (start, is_item) = self.block_start();
        let line = self.out.len() - self.line().len();
        let next = self.text[end..].strip_prefix('\n').unwrap_or_default();
        let blanks = next.len() - next.trim_start_matches([' ', '\t']).len();
        let continues = is_item && blanks > 0 && blanks >= start && !next[blanks..].starts_with(['-', '*', '\n']);
        if continues {
            self.out.truncate(line + start);
            self.at = end + 1 + blanks;
            return;
        }
        self.out.truncate(line);
        self.at = (end + 1).min(self.text.len());
    }

    /// `id:: 65f0…` and `collapsed:: true`.
    pub(super) fn block_property(&mut self) -> bool {
        let rest = self.rest();
        let is_property = rest.starts_with("::") && rest[2..].starts_with([' ', '\n']);
        let line = self.line();
        let key = &line[self.block_start().0..];
        if !is_property || !(OWN_KEYS.contains(&key) || OWN_GROUPS.iter().any(|group| key.starts_with(group))) {
            return false;
        }
        let end = rest.find('\n').unwrap_or(rest.len());
        self.leave_out_line(self.at + end);
        true
    }

    /// `:LOGBOOK:` to `:END:`.
    pub(super) fn drawer(&mut self) -> bool {
        let is_drawer = ["LOGBOOK", "PROPERTIES"]
            .iter()
            .any(|name| self.rest()[1..].strip_prefix(name).is_some_and(|rest| rest.starts_with(":\n")));
        if !is_drawer || self.block_start().0 != self.line().len() {
            return false;
        }
        let Some(end) = self.next_of(":END:", self.at) else { return false };
        let line = self.text[end..].find('\n').map_or(self.text.len(), |offset| end + offset);
        self.leave_out_line(line);
        true
    }

    /// `SCHEDULED: <2024-01-02 Tue>`, a line about a task.
    pub(super) fn planning(&mut self) -> bool {
        let line = self.line();
        let word = line[self.block_start().0..].trim_end();
        let rest = self.rest();
        let is_date = rest[1..].starts_with(|c: char| c.is_ascii_digit());
        if !matches!(word, "SCHEDULED:" | "DEADLINE:") || !is_date {
            return false;
        }
        let end = rest.find('\n').unwrap_or(rest.len());
        if !rest[..end].trim_end().ends_with('>') {
            return false;
        }
        self.leave_out_line(self.at + end);
        true
    }

    /// `{:height 300, :width 400}` behind a picture.
    pub(super) fn picture_size(&mut self) -> bool {
        let reach = self.reach();
        let is_size = [":height ", ":width "].iter().any(|key| reach[1..].starts_with(key));
        let end = reach.find(['}', '\n']).filter(|end| reach[*end..].starts_with('}'));
        let Some(end) = end.filter(|_| is_size && self.out.ends_with(')')) else { return false };
        self.at += end + 1;
        true
    }

    /// `#+BEGIN_QUOTE` to `#+END_QUOTE`, and other blocks as in org.
    pub(super) fn org_block(&mut self) -> bool {
        let rest = self.rest();
        let (start, _) = self.block_start();
        let first = rest.lines().next().unwrap_or_default();
        let Some(words) = first.get(.."#+begin_".len()).filter(|open| open.eq_ignore_ascii_case("#+begin_")) else {
            return false;
        };
        let words = first[words.len()..].trim();
        let (name, arguments) = words.split_once(' ').unwrap_or((words, ""));
        let name = name.to_ascii_lowercase();
        if name.is_empty() || start != self.line().len() {
            return false;
        }
        let close = format!("#+end_{name}");
        let mut length = 0;
        let mut body = Vec::new();
        let mut is_closed = false;
        for line in rest.split_inclusive('\n') {
            let is_first = length == 0;
            length += line.len();
            if line.trim().eq_ignore_ascii_case(&close) {
                length -= usize::from(line.ends_with('\n'));
                is_closed = true;
                break;
            }
            let blanks = line.len() - line.trim_start_matches(' ').len();
            body.extend((!is_first).then(|| line[blanks.min(start)..].trim_end_matches('\n')));
        }
        if !is_closed {
            return false;
        }
        let text = self.text_of_block(&name, arguments.trim(), &body.join("\n"));
        // A quotation would include the next line.
        let indent = " ".repeat(start);
        self.out.push_str(&text.replace('\n', &format!("\n{indent}")));
        self.out.push('\n');
        self.at += length;
        true
    }

    fn text_of_block(&mut self, name: &str, arguments: &str, body: &str) -> String {
        let quoted = |text: &str| text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n");
        match name {
            "comment" | "query" => String::new(),
            "export" if !arguments.eq_ignore_ascii_case("html") => String::new(),
            "src" | "example" => {
                let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let fence = "`".repeat(longest.max(2) + 1);
                let language = arguments.split(' ').next().unwrap_or_default().replace('`', "");
                format!("{fence}{language}\n{body}\n{fence}")
            }
            "quote" => quoted(&self.within(body)),
            name if TITLED.contains(&name) => {
                let title = name[..1].to_uppercase() + &name[1..];
                quoted(&format!("**{title}**\n\n{}", self.within(body)))
            }
            _ => self.within(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::article::dialect::{Dialect, plain};

    fn markdown(text: &str) -> String {
        plain(text, Dialect::Markdown, 1).0.into_owned()
    }

    #[test]
    fn properties_and_logs_of_blocks_are_left_out() {
        for (given, expected) in [
            ("- Text\n  id:: 65f0\n  collapsed:: true\n- more\n", "- Text\n- more\n"),
            ("- id:: 65f0\n  Text\n", "- Text\n"),
            ("- collapsed:: true\n  id:: 65f0\n  Text\n  - inner\n", "- Text\n  - inner\n"),
            ("- a\n- background-color:: red\n- b\n", "- a\n- b\n"),
            ("- a\n\t- b\n\t  logseq.order-list-type:: number\n- c", "- a\n\t- b\n- c"),
            ("- DONE a\n  :LOGBOOK:\n  CLOCK: [2024-01-02]\n  :END:\n- b", "- DONE a\n- b"),
            ("- TODO a\n  SCHEDULED: <2024-01-02 Tue>\n- b", "- TODO a\n- b"),
            ("![a](b.png){:height 300, :width 400} c", "![a](b.png) c"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
        for text in [
            "Call std::mem::swap or foo:: bar",
            "- rating:: 5",
            "The id:: of it",
            "`id:: 1`\n\n```\n  id:: 1\n```\n",
            "- :LOGBOOK:\n  no end",
            "SCHEDULED: <soon>",
            "{:height 300}",
        ] {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn blocks_as_in_org_are_converted() {
        for (given, expected) in [
            ("#+BEGIN_QUOTE\na *b*\n\n[[Note]]\n#+END_QUOTE\nMore", "> a *b*\n> \n> [Note](<note:Note>)\n\nMore"),
            ("- #+BEGIN_QUOTE\n  a\n  b\n  #+END_QUOTE\n- c", "- > a\n  > b\n\n- c"),
            ("#+begin_tip\na\n#+end_tip", "> **Tip**\n> \n> a\n"),
            ("#+BEGIN_SRC c\nx;\n#+END_SRC\n", "```c\nx;\n```\n\n"),
            ("a\n#+BEGIN_COMMENT\nSECRET\n#+END_COMMENT\nb", "a\n\n\nb"),
            ("#+BEGIN_CENTER\na\n#+END_CENTER\n", "a\n\n"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
        for text in ["#+BEGIN_QUOTE\nno end", "See #+BEGIN_X", "```\n#+BEGIN_QUOTE\na\n#+END_QUOTE\n```\n", "#+title"] {
            assert_eq!(markdown(text), text);
        }
    }
}
