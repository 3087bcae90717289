//! Org, the markup of Emacs, by the rules of its exporter (ox.el). Its `#+KEY:` lines are read as front matter elsewhere.

mod export;
mod line;

use std::collections::{HashMap, HashSet};
use std::iter::Peekable;
use std::str::Lines;

use super::markup::{escaped, fenced};
use export::{CodeExport, ExportRules, Visibility, exported};
use line::{header_arguments, heading, key};

use crate::article::summary::one_line;

/// Lines about a heading that are not shown.
const PLANNING: [&str; 4] = ["SCHEDULED:", "DEADLINE:", "CLOSED:", "CLOCK:"];
/// Endings of pictures.
const PICTURES: [&str; 7] = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif"];
/// Deepest nesting of blocks.
const MOST_NESTED: usize = 8;

/// Converts a text. What the exporter would leave out is private.
pub(super) fn as_markdown(text: &str) -> String {
    let mut reader = OrgReader { rules: ExportRules::of(text), ..OrgReader::default() };
    reader.is_muted = reader.rules.is_selective();
    reader.read(text, 0);
    reader.markdown
}

#[derive(Debug, Default)]
struct OrgReader {
    markdown: String,
    rules: ExportRules,
    /// Depth of the private section that the lines are in.
    private: Option<usize>,
    /// Only the sections below this one are shown.
    is_muted: bool,
    has_text: bool,
    /// Depth of the section.
    depth: usize,
    /// Header arguments in the properties of sections: the depth, the language or nothing, the arguments.
    properties: Vec<(usize, String, String)>,
    /// Lines `#+NAME:` and `#+HEADER:` above a block.
    name: String,
    header: String,
    /// What is shown of the last block of code, unless text follows it, and of those with a name.
    last_code: Option<CodeExport>,
    named_code: HashMap<String, CodeExport>,
}

/// What no line below ends. Each is looked for once: else many would take time in the square of their number.
#[derive(Debug, Default)]
struct Endless {
    blocks: HashSet<String>,
    /// A drawer of the present section.
    drawer: bool,
}

impl Endless {
    /// Notes a line. A block may hold lines that look like headings, so it counts as one.
    fn pass(&mut self, line: &str) {
        self.drawer &= heading(line).is_none() && !line.trim_start().starts_with("#+");
    }

    /// Whether a block that has begun has an end below.
    fn has_block(&mut self, name: &str, lines: &Peekable<Lines<'_>>) -> bool {
        let has_end = !self.blocks.contains(name) && lines.clone().any(|line| ends_block(name, line));
        if !has_end {
            self.blocks.insert(name.to_owned());
        }
        has_end
    }

    /// Whether a line with this name begins a drawer: those that are private need no end.
    fn has_drawer(&mut self, name: &str, lines: &Peekable<Lines<'_>>) -> bool {
        let mut section = lines.clone().take_while(|line| heading(line).is_none());
        let is_private = matches!(name, "PROPERTIES" | "LOGBOOK");
        self.drawer |= !is_private && !self.drawer && !section.any(ends_drawer);
        is_private || !self.drawer
    }
}

impl OrgReader {
    fn is_silent(&self) -> bool {
        self.private.is_some() || self.is_muted
    }

    fn read(&mut self, text: &str, nesting: usize) {
        let mut lines = text.lines().peekable();
        let mut endless = Endless::default();
        while let Some(line) = lines.next() {
            let trimmed = line.trim_start();
            endless.pass(line);
            if nesting == 0
                && let Some((depth, title)) = heading(line)
            {
                self.section(depth, title);
            } else if let Some((name, arguments)) = block_name(trimmed) {
                self.block(&name, &arguments, (&mut lines, &mut endless), nesting);
            } else if let Some(name) = drawer_name(trimmed).filter(|name| endless.has_drawer(name, &lines)) {
                self.drawer(&name, &mut lines, nesting);
            } else if let Some(caption) = caption(trimmed).filter(|_| !self.is_silent()) {
                // Below a picture, and above anything else.
                let picture = lines.next_if(|next| next.trim_start().starts_with("[["));
                let picture = picture.map(|line| format!("{}\n\n", of_line(line))).unwrap_or_default();
                self.markdown.push_str(&format!("\n{picture}*{}*\n\n", inline(caption)));
                self.has_text = true;
            } else if let Some((key, value)) = key(trimmed).filter(|_| self.has_text || is_about_code(trimmed)) {
                self.key_line(&key, value, &mut lines);
            } else {
                self.text_line(line, &mut lines);
            }
        }
    }

    fn section(&mut self, depth: usize, title: &str) {
        self.private = self.private.filter(|outer| depth > *outer);
        self.properties.retain(|(outer, ..)| *outer < depth);
        (self.depth, self.has_text, self.last_code) = (depth, true, None);
        let (words, visibility) = self.rules.heading(title);
        if self.private.is_some() {
            return;
        }
        if visibility != Visibility::Hidden {
            self.markdown.push_str(&format!("{} {}\n", "#".repeat(depth.min(6)), inline(&words)));
        }
        if matches!(visibility, Visibility::Hidden | Visibility::HeadingAlone) {
            self.private = Some(depth);
        }
        self.is_muted = visibility == Visibility::Muted;
    }

    /// Reads a block up to its end. A line without an end to it is none.
    fn block(
        &mut self,
        name: &str,
        arguments: &str,
        (lines, endless): (&mut Peekable<Lines<'_>>, &mut Endless),
        nesting: usize,
    ) {
        self.has_text = true;
        if name != "comment" && !endless.has_block(name, lines) {
            return;
        }
        let body: Vec<&str> = lines.by_ref().take_while(|line| !ends_block(name, line)).collect();
        self.rules.pass_headings(body.iter().filter(|line| heading(line).is_some()).count());
        let (label, header) = (std::mem::take(&mut self.name), std::mem::take(&mut self.header));
        let mut export = None;
        if name == "src" {
            let code = self.code_export(arguments, &header);
            export = Some(code);
            if !label.is_empty() {
                self.named_code.insert(label, code);
            }
        }
        self.last_code = export;
        if self.is_silent() {
            return;
        }
        match name {
            "src" if export.is_some_and(|export| !export.shows_code) => {}
            "quote" | "center" | "abstract" => self.nested(&body, nesting, if name == "quote" { "> " } else { "" }),
            "src" | "example" | "export" | "comment" | "verse" => {
                self.markdown.push_str(&of_block(name, arguments, &body));
            }
            _ => self.nested(&body, nesting, ""),
        }
        self.last_code = export;
    }

    /// Converts the text in a block.
    fn nested(&mut self, body: &[&str], nesting: usize, mark: &str) {
        if nesting >= MOST_NESTED {
            return;
        }
        let outside = std::mem::take(&mut self.markdown);
        self.read(&body.join("\n"), nesting + 1);
        let inside = std::mem::replace(&mut self.markdown, outside);
        let lines: Vec<String> =
            inside.trim_matches('\n').lines().map(|line| format!("{mark}{line}").trim_end().to_owned()).collect();
        self.markdown.push_str(&format!("\n{}\n\n", lines.join("\n")));
    }

    /// What is shown of a block of code: as it says, else its sections, else the whole text.
    fn code_export(&self, arguments: &str, header: &str) -> CodeExport {
        let language = arguments.split_whitespace().next().unwrap_or_default();
        let mut of_sections = self.properties.iter().rev().filter(|(_, of, _)| of.is_empty() || of == language);
        let stated = exported(arguments)
            .or_else(|| exported(header))
            .or_else(|| of_sections.find_map(|(.., arguments)| exported(arguments)));
        stated.or_else(|| self.rules.code_export(language)).unwrap_or_default()
    }

    /// Reads a drawer up to its end. Properties and logs are private.
    fn drawer(&mut self, name: &str, lines: &mut Peekable<Lines<'_>>, nesting: usize) {
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| heading(line).is_none()) {
            if ends_drawer(line) {
                break;
            }
            body.push(line);
        }
        match name {
            "PROPERTIES" => {
                for line in body {
                    if let Some((language, arguments)) = header_arguments(line.trim()) {
                        self.properties.push((self.depth, language, arguments));
                    }
                }
            }
            "LOGBOOK" => {}
            "RESULTS" if self.last_code.is_none_or(|code| code.shows_results != Some(true)) => {}
            _ if self.is_silent() => {}
            _ => {
                let last = self.last_code;
                self.has_text = true;
                self.nested(&body, nesting, "");
                self.last_code = last;
            }
        }
    }

    fn key_line(&mut self, key: &str, value: &str, lines: &mut Peekable<Lines<'_>>) {
        match key {
            "name" => value.clone_into(&mut self.name),
            "header" | "headers" => self.header.push_str(&format!(" {value}")),
            "results" => {
                let code = self.named_code.get(value).copied().filter(|_| !value.is_empty()).or(self.last_code);
                if code.is_some_and(|code| code.shows_results == Some(false)) {
                    let headings = pass_element(lines);
                    self.rules.pass_headings(headings);
                }
            }
            _ => {}
        }
    }

    fn text_line(&mut self, line: &str, lines: &mut Peekable<Lines<'_>>) {
        let trimmed = line.trim_start();
        let is_key = trimmed.starts_with("#+") && !self.has_text;
        if !trimmed.is_empty() && !is_key {
            self.last_code = None;
        }
        let is_unseen = is_unseen(trimmed) || trimmed.eq_ignore_ascii_case(":end:");
        if (self.is_silent() && !is_key) || is_unseen || (trimmed.starts_with("#+") && !is_key) {
            return;
        }
        if is_key {
            self.markdown.push_str(&format!("{line}\n"));
        } else if is_fixed(trimmed) {
            let next = std::iter::from_fn(|| lines.next_if(|next| is_fixed(next.trim_start())));
            let code = [line].into_iter().chain(next).map(|line| &line.trim_start()[1..]);
            let code: Vec<&str> = code.map(|code| code.strip_prefix(' ').unwrap_or(code)).collect();
            self.markdown.push_str(&fenced("", &code.join("\n")));
            self.has_text = true;
        } else {
            self.has_text |= !trimmed.is_empty();
            let mut text = line.to_owned();
            if !trimmed.is_empty() && !trimmed.starts_with('|') {
                while let Some(next) = lines.next_if(|next| continues(next)) {
                    text.push_str(&format!("\n{next}"));
                }
            }
            self.markdown.push_str(&format!("{}\n", of_line(&text)));
        }
    }
}

/// Whether a key at the top of the file concerns the block below it.
fn is_about_code(line: &str) -> bool {
    ["#+name", "#+header", "#+results"].iter().any(|key| line.to_ascii_lowercase().starts_with(key))
}

/// Whether a line continues the paragraph or the item of the line before it.
fn continues(line: &str) -> bool {
    let text = line.trim_start();
    let is_numbered = text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with([')', '.'])
        && text.starts_with(|c: char| c.is_ascii_digit());
    let is_other = text.is_empty()
        || heading(line).is_some()
        || text.starts_with(['#', '|', ':'])
        || ["- ", "+ ", "* ", "[fn:", "-----"].iter().any(|mark| text.starts_with(mark))
        || matches!(text, "-" | "+");
    !(is_other || is_numbered || is_unseen(text))
}

/// Passes the element that follows: the results of code. Returns the number of lines in it that look like headings.
fn pass_element(lines: &mut Peekable<Lines<'_>>) -> usize {
    let Some(first) = lines.next_if(|line| !line.trim().is_empty() && heading(line).is_none()) else { return 0 };
    let end = match (block_name(first.trim_start()), drawer_name(first.trim_start())) {
        (Some((name, _)), _) => format!("#+end_{name}"),
        (None, Some(_)) => ":end:".to_owned(),
        (None, None) => {
            while lines.next_if(|line| !line.trim().is_empty() && heading(line).is_none()).is_some() {}
            return 0;
        }
    };
    let within = lines.by_ref().take_while(|line| !line.trim().to_ascii_lowercase().starts_with(&end));
    within.filter(|line| heading(line).is_some()).count()
}

/// The name of the block that a line begins, in lower case, and what follows it.
fn block_name(line: &str) -> Option<(String, String)> {
    let start = line.get(.."#+begin_".len()).filter(|start| start.eq_ignore_ascii_case("#+begin_"))?;
    let rest = &line[start.len()..];
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some((name.to_ascii_lowercase(), arguments.trim().to_owned()))
}

fn of_block(name: &str, arguments: &str, body: &[&str]) -> String {
    // Org puts a comma before lines that it would read otherwise.
    let code = || {
        body.iter()
            .map(|line| {
                line.strip_prefix(",*").map_or_else(
                    || line.strip_prefix(",#").map_or((*line).to_owned(), |rest| format!("#{rest}")),
                    |rest| format!("*{rest}"),
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    match name {
        "src" => {
            let language = arguments.split_whitespace().next().unwrap_or_default();
            let language: String =
                language.chars().filter(|c| c.is_ascii_alphanumeric() || "+-#".contains(*c)).collect();
            fenced(&language, &code())
        }
        "example" => fenced("", &code()),
        "export" if arguments.eq_ignore_ascii_case("html") => {
            let lines: Vec<&str> = body.iter().copied().filter(|line| !line.trim().is_empty()).collect();
            format!("\n<div>\n{}\n</div>\n\n", lines.join("\n"))
        }
        "verse" => {
            let lines: Vec<String> = body.iter().map(|line| format!("> {}\\", of_line(line).trim_end())).collect();
            format!("\n{}\n\n", lines.join("\n").trim_end_matches('\\'))
        }
        _ => String::new(),
    }
}

/// The words below a picture or above a table, `#+CAPTION: words`.
fn caption(line: &str) -> Option<&str> {
    let name = line.get(.."#+caption".len()).filter(|name| name.eq_ignore_ascii_case("#+caption"))?;
    // A short form for lists may precede them: `#+CAPTION[short]: words`.
    let (_, words) = line[name.len()..].split_once(':')?;
    Some(words.trim()).filter(|words| !words.is_empty())
}

/// Whether a line is shown as it is: `: words`.
fn is_fixed(line: &str) -> bool {
    line == ":" || line.starts_with(": ")
}

fn ends_block(name: &str, line: &str) -> bool {
    line.trim().to_ascii_lowercase().strip_prefix("#+end_").is_some_and(|ended| ended.starts_with(name))
}

fn ends_drawer(line: &str) -> bool {
    line.trim().eq_ignore_ascii_case(":END:")
}

/// The name in capital letters of the drawer that a line begins.
fn drawer_name(line: &str) -> Option<String> {
    let name = line.trim_end().strip_prefix(':')?.strip_suffix(':')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    (is_name && !name.eq_ignore_ascii_case("end")).then(|| name.to_uppercase())
}

/// Whether a line is a comment or about a heading.
fn is_unseen(line: &str) -> bool {
    line == "#" || line.starts_with("# ") || PLANNING.iter().any(|word| line.starts_with(word))
}

/// Converts a line of a paragraph, a list or a table.
fn of_line(line: &str) -> String {
    let trimmed = line.trim_start();
    let indent = &line[..line.len() - trimmed.len()];
    if trimmed.starts_with('|') {
        let is_rule = trimmed.starts_with("|-");
        return if is_rule { trimmed.replace('+', "|") } else { inline_cells(trimmed) };
    }
    if let Some((mark, note)) =
        trimmed.strip_prefix("[fn:").and_then(|rest| rest.split_once(']')).filter(|_| indent.is_empty())
    {
        return format!("[^{mark}]: {}", inline(note.trim()));
    }
    let item = ["- ", "+ "].iter().find_map(|mark| trimmed.strip_prefix(mark));
    if let Some(item) = item {
        // `- term :: meaning`
        let item = item
            .split_once(" :: ")
            .map_or_else(|| inline(item), |(term, meaning)| format!("**{}**: {}", inline(term), inline(meaning)));
        let item = ["[ ]", "[-]", "[X]"]
            .iter()
            .find_map(|mark| Some((mark, item.strip_prefix(&escaped(mark))?)))
            .map_or(item.clone(), |(mark, rest)| format!("[{}]{rest}", if *mark == "[X]" { "x" } else { " " }));
        return format!("{indent}- {item}");
    }
    if trimmed.len() >= 5 && trimmed.bytes().all(|byte| byte == b'-') {
        return "---".to_owned();
    }
    format!("{}{}", if indent.len() > 3 { "  " } else { indent }, inline(trimmed))
}

fn inline_cells(line: &str) -> String {
    line.split('|').map(inline).collect::<Vec<_>>().join("|")
}

/// Converts links, notes and emphasis in a text.
fn inline(text: &str) -> String {
    let mut output = String::with_capacity(text.len() * 5 / 4);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let before = text[..text.len() - rest.len()].chars().next_back();
        if let Some((converted, length)) = link(rest)
            .or_else(|| note(rest))
            .or_else(|| formula(rest))
            .or_else(|| snippet(rest))
            .or_else(|| emphasis(rest, before))
        {
            output.push_str(&converted);
            rest = &rest[length..];
        } else {
            output.push_str(&escaped(c.encode_utf8(&mut [0; 4])));
            rest = &rest[c.len_utf8()..];
        }
    }
    output
}

/// `[[address][words]]` and `[[address]]`.
fn link(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix("[[")?;
    let end = inside.find("]]")?;
    let (address, words) =
        inside[..end].split_once("][").map_or((&inside[..end], None), |(address, words)| (address, Some(words)));
    let address = address.strip_prefix("file:").unwrap_or(address).replace(['<', '>', '\n'], "");
    let is_picture = PICTURES.iter().any(|ending| address.to_ascii_lowercase().ends_with(ending));
    let words = words.map(one_line);
    let words = words.as_deref();
    let converted = match words {
        None if is_picture => format!("![](<{address}>)"),
        Some(words) if PICTURES.iter().any(|ending| words.to_ascii_lowercase().ends_with(ending)) => {
            format!("[![](<{}>)](<{address}>)", words.strip_prefix("file:").unwrap_or(words))
        }
        words => format!("[{}](<{address}>)", escaped(words.unwrap_or(&address))),
    };
    Some((converted, "[[".len() + end + "]]".len()))
}

/// `@@html:<b>@@` is for pages, and other snippets are for other formats or private. A line ends with `\\\\`.
fn snippet(text: &str) -> Option<(String, usize)> {
    if text.starts_with("\\\\\n") {
        return Some(("\\\n".to_owned(), "\\\\\n".len()));
    }
    let inside = text.strip_prefix("@@")?;
    let (format, _) = inside.split_once(':')?;
    let end = inside.find("@@").filter(|end| *end > format.len())?;
    let is_format = !format.is_empty() && format.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let shown = if format == "html" { &inside[format.len() + 1..end] } else { "" };
    is_format.then(|| (shown.to_owned(), "@@".len() + end + "@@".len()))
}

/// `[fn:name]`
fn note(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix("[fn:")?;
    let end = inside.find(']')?;
    let name = &inside[..end];
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    is_name.then(|| (format!("[^{name}]"), "[fn:".len() + end + 1))
}

/// A formula in TeX stays as it is.
fn formula(text: &str) -> Option<(String, usize)> {
    let (open, close) = [("\\(", "\\)"), ("\\[", "\\]")].into_iter().find(|(open, _)| text.starts_with(open))?;
    let end = open.len() + text[open.len()..].find(close)? + close.len();
    Some((text[..end].to_owned(), end))
}

/// `*bold*`, `/italic/`, `_underlined_`, `+struck+`, `=verbatim=` and `~code~`: after a blank or a sign, and before one.
fn emphasis(text: &str, before: Option<char>) -> Option<(String, usize)> {
    let mark = text.chars().next().filter(|c| "*/_+=~".contains(*c))?;
    let may_begin = before.is_none_or(|c| c.is_whitespace() || "-('\"{".contains(c));
    let inside = &text[1..];
    if !may_begin || inside.starts_with(char::is_whitespace) {
        return None;
    }
    let is_end = |at: usize| {
        let behind = inside[at + 1..].chars().next();
        at > 0
            && !inside[..at].ends_with(char::is_whitespace)
            && behind.is_none_or(|c| c.is_whitespace() || "-.,:!?;'\")}[\\".contains(c))
    };
    let end = inside.match_indices(mark).map(|(at, _)| at).take(20).find(|at| is_end(*at))?;
    let words = &inside[..end];
    // Emphasis may continue in the next line.
    if words.matches('\n').count() > 1 {
        return None;
    }
    let converted = match mark {
        '*' => format!("**{}**", inline(words)),
        '/' => format!("*{}*", inline(words)),
        '_' => format!("<u>{}</u>", inline(words)),
        '+' => format!("~~{}~~", inline(words)),
        _ => {
            let words = words.replace('\n', " ");
            let fence = if words.contains('`') { "``" } else { "`" };
            let space = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
            format!("{fence}{space}{words}{space}{fence}")
        }
    };
    Some((converted, 1 + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_converted() {
        for (org, expected) in [
            ("* A heading\n** Second :tag:\nText", "# A heading\n## Second\nText\n"),
            ("* TODO [#A] Task", "# Task\n"),
            ("*bold* /italic/ =code= ~more~ +gone+ _under_", "**bold** *italic* `code` `more` ~~gone~~ <u>under</u>\n"),
            ("a/b and 2*3*4 and snake_case", "a/b and 2\\*3\\*4 and snake\\_case\n"),
            (
                "[[https://a.example/][A page]] [[file:b.org][b]] [[./c.png]]",
                "[A page](<https://a.example/>) [b](<b.org>) ![](<./c.png>)\n",
            ),
            ("Note[fn:1].\n\n[fn:1] The note.", "Note[^1].\n\n[^1]: The note.\n"),
            ("- [X] done\n- term :: meaning\n  - inner", "- [x] done\n- **term**: meaning\n  - inner\n"),
            ("| a | b |\n|---+---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |\n"),
            ("A \\(x_1\\) b", "A \\(x_1\\) b\n"),
            (": a *b*\n:   c\nText", "\n```\na *b*\n  c\n```\n\nText\n"),
            ("#+CAPTION: The *sea*\n[[file:a.png]]\nText", "\n![](<a.png>)\n\n*The **sea***\n\nText\n"),
            ("#+caption[Short]: A table\n| a |", "\n*A table*\n\n| a |\n"),
            (
                "#+TITLE: T\n#+DATE: 2024-05-01\n\nText\n#+ATTR_HTML: :width 3\nMore",
                "#+TITLE: T\n#+DATE: 2024-05-01\n\nText\nMore\n",
            ),
        ] {
            assert_eq!(as_markdown(org), expected, "{org}");
        }
    }

    #[test]
    fn blocks_are_converted() {
        let markdown = as_markdown(
            "#+begin_src rust :results none\nfn a() {}\n,* b\n#+end_src\n#+BEGIN_QUOTE\nWords.\n#+END_QUOTE",
        );
        assert_eq!(markdown, "\n```rust\nfn a() {}\n* b\n```\n\n\n> Words.\n\n");
        assert_eq!(
            as_markdown("#+begin_export latex\nx\n#+end_export\n#+begin_comment\nprivate\n#+end_comment\na"),
            "a\n"
        );
    }

    /// By the rules of ox.el.
    #[test]
    fn what_the_exporter_leaves_out_is_private() {
        for (org, expected) in [
            (
                "#+exclude_tags: private mine\n* S :private:\nSECRET\n** T\nSECRET\n* A :x:\nb\n* C :noexport:\nSECRET",
                "#+exclude_tags: private mine\n# A\nb\n",
            ),
            ("SECRET\n* A\nSECRET\n** B :export:\nb\n*** C\nc\n** D\nSECRET\n* E\nSECRET", "# A\n## B\nb\n### C\nc\n"),
            (
                "#+SELECT_TAGS: pub\n* A :pub:\na\n** N :noexport:\nSECRET\n* B :export:\nSECRET",
                "#+SELECT_TAGS: pub\n# A\na\n",
            ),
            ("* X\n#+begin_example\n* no heading\n#+end_example\n* A :export:\na\n* B\nSECRET", "# A\na\n"),
            ("* Old :ARCHIVE:\nSECRET\n** In\nSECRET\n* New\nb", "# Old\n# New\nb\n"),
            ("#+OPTIONS: arch:t\n* Old :ARCHIVE:\na", "#+OPTIONS: arch:t\n# Old\na\n"),
            ("#+OPTIONS: arch:nil\n* Old :ARCHIVE:\nSECRET", "#+OPTIONS: arch:nil\n"),
            ("a @@comment:SECRET@@ b @@html:<i>@@c@@html:</i>@@ @@latex:SECRET@@d", "a  b <i>c</i> d\n"),
            (
                "#+begin_quote\n# SECRET\nq *b*\n#+begin_src c\nx;\n#+end_src\n#+begin_comment\nSECRET\n#+end_comment\n#+end_quote\nc",
                "\n> q **b**\n>\n> ```c\n> x;\n> ```\n\nc\n",
            ),
            ("#+begin_center\na\n# SECRET\n- b\n#+end_center", "\na\n- b\n\n"),
            (":smile:\na\n* B\n:NOTES:\nb\n:END:\nc", ":smile:\na\n# B\n\nb\n\nc\n"),
            (":NOTES:\na\n:END:\n:LOGBOOK:\nSECRET\n:END:\n", "\na\n\n"),
        ] {
            assert_eq!(as_markdown(org), expected, "{org}");
        }
    }

    /// Looked for again at each line, this many would take minutes.
    #[test]
    fn what_has_no_end_takes_linear_time() {
        for line in ["#+begin_a\n", ":a:\n"] {
            as_markdown(&line.repeat(30_000));
        }
    }

    #[test]
    fn code_and_results_are_exported_as_stated() {
        let block =
            |arguments: &str| format!("#+begin_src py {arguments}\nCODE\n#+end_src\n\n#+RESULTS:\n: RESULT\n\nEnd\n");
        let all = "#+PROPERTY: header-args :exports none\n";
        let python = "#+property: header-args:py :results x :exports results\n";
        let section = |arguments: &str| format!("* A\n:PROPERTIES:\n:header-args: {arguments}\n:END:\n");
        for (org, code, results) in [
            (block(""), true, true),
            (block(":exports none"), false, false),
            (block(":exports code"), true, false),
            (block(":var x=1 :exports results"), false, true),
            (block(":exports both"), true, true),
            (format!("{all}Text\n{}", block("")), false, false),
            (format!("{all}Text\n{}", block(":exports both")), true, true),
            (format!("{all}{python}Text\n{}", block("")), false, true),
            (format!("{}{}", section(":exports none"), block("")), false, false),
            (format!("{}* B\n{}", section(":exports none"), block("")), true, true),
            (format!("{}** B\n{}", section(":exports none"), block("")), false, false),
            (format!("Text\n#+HEADER: :exports none\n{}", block("")), false, false),
            ("Text\n#+name: n\n#+begin_src py :exports code\nCODE\n#+end_src\nText\n#+RESULTS: n\n#+begin_example\nRESULT\n#+end_example\nEnd".into(), true, false),
            ("Text\n#+begin_src py :exports none\nCODE\n#+end_src\n#+RESULTS:\n:RESULTS:\nRESULT\n:END:\nEnd".into(), false, false),
            ("Text\n#+begin_src py :exports both\nCODE\n#+end_src\n#+RESULTS:\n:RESULTS:\nRESULT\n:END:\nEnd".into(), true, true),
        ] {
            let markdown = as_markdown(&org);
            let found = (markdown.contains("CODE"), markdown.contains("RESULT\n"), markdown.contains("End"));
            assert_eq!(found, (code, results, true), "{org}\n{markdown}");
        }
    }

    #[test]
    fn objects_may_continue_in_the_next_line() {
        for (org, expected) in [
            (
                "See [[https://a.example/][two\nwords]] and *bold\nwords*.",
                "See [two words](<https://a.example/>) and **bold\nwords**.\n",
            ),
            ("- item /a\n  b/ c\n- d", "- item *a\n  b* c\n- d\n"),
            ("a =x\ny= b", "a `x y` b\n"),
            ("a *b\nc\nd* e", "a \\*b\nc\nd\\* e\n"),
            ("a\\\\\nb", "a\\\nb\n"),
            ("a *b\n# SECRET\nc* d", "a \\*b\nc\\* d\n"),
        ] {
            assert_eq!(as_markdown(org), expected, "{org}");
        }
    }

    #[test]
    fn private_parts_are_left_out() {
        let org = "* Public\n:PROPERTIES:\n:ID: 1\n:END:\nSCHEDULED: <2024-05-01>\n# a comment\nText\n* Secret :noexport:\nHidden\n** Inner\nHidden too\n* COMMENT Draft\nHidden\n* Last\nMore";
        assert_eq!(as_markdown(org), "# Public\nText\n# Last\nMore\n");
    }
}
