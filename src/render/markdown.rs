//! The HTML of an article -> Markdown (CommonMark 0.31.2 with tables and strike-through as on GitHub). What Markdown has no form for
//! stays HTML, which Markdown allows.

use std::collections::HashMap;
use std::ops::Range;

use crate::article::html::tokens::{Tag, Token, TokenKind, text, tokens};

/// Elements that stay as they are, with all that is in them: Markdown has no form for them.
const KEPT_BLOCKS: [&str; 8] = ["audio", "details", "dl", "figure", "iframe", "math", "ruby", "video"];
/// Elements whose tags stay; what is in them is Markdown.
const KEPT_TAGS: [&str; 10] = ["abbr", "ins", "kbd", "mark", "q", "samp", "small", "sub", "sup", "u"];
/// Maximum number of tokens of an element that stays as it is, or of a table.
const MAX_TOKENS: usize = 100_000;
/// Length of what each line begins with, in bytes, from which on deeper lists and quotations continue the one around them: a text with many
/// lines must not become many times as long.
const MAX_PREFIX: usize = 32;
/// Largest number of an item (CommonMark section 5.2).
const MAX_NUMBER: u32 = 999_999_999;

/// Writes the HTML of an article, a balanced fragment, in Markdown.
pub fn from_html(html: &str) -> String {
    let mut writer = MarkdownWriter::default();
    let source = HtmlSource::new(html);
    writer.tokens(&source, 0..source.tokens.len());
    let text = writer.text.trim_end();
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// HTML as tokens, with the end of each element.
struct HtmlSource<'a> {
    html: &'a str,
    tokens: Vec<Token<'a>>,
    /// For each start tag the place of its end tag, if it has one.
    ends: Vec<Option<usize>>,
}

impl<'a> HtmlSource<'a> {
    fn new(html: &'a str) -> Self {
        let tokens: Vec<Token<'a>> = tokens(html).collect();
        let mut ends = vec![None; tokens.len()];
        let mut open: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, token) in tokens.iter().enumerate() {
            match &token.kind {
                // Formulas have tags of their own kind.
                TokenKind::Start(tag) | TokenKind::Foreign(tag) if !tag.is_self_closing => {
                    open.entry(&tag.name).or_default().push(at);
                }
                TokenKind::End(tag) => {
                    if let Some(start) = open.get_mut(&*tag.name).and_then(Vec::pop) {
                        ends[start] = Some(at);
                    }
                }
                _ => {}
            }
        }
        Self { html, tokens, ends }
    }

    /// The tokens between the start tag at a place and its end tag, unless they are too many or do not end before `limit`.
    fn inside(&self, start: usize, limit: usize) -> Option<Range<usize>> {
        let end = self.ends[start].filter(|end| *end < limit && end - start < MAX_TOKENS)?;
        Some(start + 1..end)
    }

    /// An element with its tags.
    fn element(&self, inside: &Range<usize>) -> &'a str {
        &self.html[self.tokens[inside.start - 1].range.start..self.tokens[inside.end].range.end]
    }
}

/// What each line begins with: the marks of quotations, and the indentation of items.
#[derive(Debug, Default)]
struct LinePrefix {
    text: String,
    /// Where each part of the text starts.
    starts: Vec<usize>,
}

impl LinePrefix {
    /// Adds a part, which is empty if there is no room for it.
    fn push(&mut self, part: &str) {
        let is_deep = self.text.len() >= MAX_PREFIX;
        self.starts.push(self.text.len());
        self.text.push_str(if is_deep { "" } else { part });
    }

    fn pop(&mut self) {
        self.text.truncate(self.starts.pop().unwrap_or_default());
    }

    /// Whether the innermost part is the indentation of an item.
    fn is_in_item(&self) -> bool {
        self.starts.last().is_some_and(|start| self.text[*start..].starts_with(' '))
    }
}

/// An open list.
#[derive(Debug)]
struct OpenList {
    /// The number of the next item; `None` if they have none.
    next: Option<u32>,
}

#[derive(Debug, Default)]
struct MarkdownWriter {
    text: String,
    /// Where the last line of the text begins.
    line: usize,
    prefix: LinePrefix,
    lists: Vec<OpenList>,
    /// Marks such as `**` that wait for their first word, since none may be followed by a space.
    waiting: Vec<&'static str>,
    /// Addresses of the links that are open.
    links: Vec<String>,
    /// Line ends that precede the next text.
    gap: usize,
    /// A space precedes the next word.
    has_space: bool,
    /// In a cell, which has one line.
    in_cell: bool,
}

impl MarkdownWriter {
    fn tokens(&mut self, source: &HtmlSource<'_>, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let mut next = at + 1;
            match &source.tokens[at].kind {
                TokenKind::Text(text) => self.words(&text.resolved()),
                TokenKind::Start(tag) | TokenKind::Foreign(tag) => {
                    let inside = source.inside(at, range.end);
                    if let Some(inside) = inside.filter(|inside| self.element(source, tag, inside)) {
                        next = inside.end + 1;
                    } else {
                        self.start(tag);
                    }
                }
                TokenKind::End(tag) => self.end(&tag.name),
                TokenKind::RawText(_) | TokenKind::Comment(_) | TokenKind::Other => {}
            }
            at = next;
        }
    }

    /// Writes an element whose content is no Markdown of its own. Returns whether it is one.
    fn element(&mut self, source: &HtmlSource<'_>, tag: &Tag<'_>, inside: &Range<usize>) -> bool {
        match &*tag.name {
            "pre" => self.code_block(&source.tokens[inside.clone()]),
            "code" | "tt" => self.code(&text(&source.tokens[inside.clone()])),
            "table" => {
                if self.in_cell || !self.table(source, inside) {
                    self.kept(source.element(inside), true);
                }
            }
            name if KEPT_BLOCKS.contains(&name) => {
                self.kept(source.element(inside), matches!(name, "details" | "dl" | "figure" | "iframe"));
            }
            _ => return false,
        }
        true
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match &*tag.name {
            "br" => self.line_break(),
            "hr" => {
                self.block();
                self.raw("***");
                self.block();
            }
            "img" => self.picture(tag),
            "strong" | "b" => self.waiting.push("**"),
            "em" | "i" | "cite" | "dfn" | "var" => self.waiting.push("*"),
            "del" | "s" | "strike" => self.waiting.push("~~"),
            "a" => self.link(tag),
            "ul" => self.list(None),
            "ol" => {
                let first = tag.attribute("start").and_then(|number| number.parse().ok());
                self.list(Some(first.filter(|number| *number <= MAX_NUMBER).unwrap_or(1)));
            }
            "li" => self.item(),
            "blockquote" => {
                self.block();
                self.prefix.push("> ");
            }
            name if heading(name).is_some() => {
                self.block();
                self.raw(&format!("{} ", "#".repeat(heading(name).unwrap_or(1))));
            }
            name if KEPT_TAGS.contains(&name) => self.raw(&format!("<{name}>")),
            name if is_block(name) => self.block(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "strong" | "b" => self.close("**"),
            "em" | "i" | "cite" | "dfn" | "var" => self.close("*"),
            "del" | "s" | "strike" => self.close("~~"),
            "a" => {
                if let Some(address) = self.links.pop() {
                    self.close_with(&format!("]({address})"));
                }
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.block();
            }
            "li" => {
                self.prefix.pop();
                self.gap = self.gap.clamp(1, 2).min(if self.gap > 2 { 2 } else { 1 });
                self.has_space = false;
            }
            "blockquote" => {
                self.prefix.pop();
                self.block();
            }
            name if KEPT_TAGS.contains(&name) => self.close_with(&format!("</{name}>")),
            name if is_block(name) || heading(name).is_some() => self.block(),
            _ => {}
        }
    }

    /// Ends a paragraph, if there is one.
    fn block(&mut self) {
        self.has_space = false;
        if !self.text.is_empty() {
            self.gap = if self.in_cell { 0 } else { 2 };
            self.has_space = self.in_cell;
        }
    }

    /// Writes the line ends and the space that wait.
    fn flush(&mut self) {
        if self.gap > 0 && !self.ends_with_marker() {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            (1..self.gap).for_each(|_| self.blank_line());
            self.begin_line();
        } else if self.text.is_empty() {
            self.text.push_str(&self.prefix.text);
        } else if self.has_space && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        (self.gap, self.has_space) = (0, false);
    }

    fn begin_line(&mut self) {
        self.text.push('\n');
        self.line = self.text.len();
        self.text.push_str(&self.prefix.text);
    }

    fn blank_line(&mut self) {
        self.begin_line();
        self.text.truncate(self.line + self.prefix.text.trim_end().len());
    }

    /// Whether the text ends with the mark of an item, whose first block stands behind it.
    fn ends_with_marker(&self) -> bool {
        let rest = self.text[self.line..].trim_start_matches([' ', '>']);
        // A longer line has words. Each word asks.
        rest.len() <= 24
            && self.prefix.is_in_item()
            && (rest == "- "
                || rest.strip_suffix(". ").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())))
    }

    /// Writes markup before a word.
    fn raw(&mut self, markup: &str) {
        self.flush();
        self.text.push_str(&std::mem::take(&mut self.waiting).concat());
        self.text.push_str(markup);
    }

    /// Writes words, with one space between two of them.
    fn words(&mut self, text: &str) {
        let mut words = text.split(is_space).peekable();
        while let Some(word) = words.next() {
            if !word.is_empty() {
                self.raw("");
                let is_first = self.is_at_line_start();
                self.text.push_str(&escaped(word, is_first, self.in_cell));
            }
            if words.peek().is_some() {
                self.has_space = self.gap == 0;
            }
        }
    }

    fn is_at_line_start(&self) -> bool {
        self.text[self.line..].trim_start_matches([' ', '>']).is_empty() || self.ends_with_marker()
    }

    /// Ends what a mark began; nothing, if no word came.
    fn close(&mut self, mark: &'static str) {
        if self.waiting.last() == Some(&mark) {
            self.waiting.pop();
        } else {
            self.close_with(mark);
        }
    }

    /// Writes markup directly behind the last word.
    fn close_with(&mut self, markup: &str) {
        self.text.push_str(&std::mem::take(&mut self.waiting).concat());
        self.text.push_str(markup);
    }

    fn line_break(&mut self) {
        if self.in_cell {
            self.raw("<br>");
        } else if self.gap == 0 && !self.is_at_line_start() {
            self.text.push('\\');
            self.gap = 1;
            self.has_space = false;
        }
    }

    fn list(&mut self, first: Option<u32>) {
        let is_inner = !self.lists.is_empty();
        self.lists.push(OpenList { next: first });
        self.block();
        if is_inner {
            self.gap = self.gap.min(1);
        }
    }

    fn item(&mut self) {
        let number = self.lists.last_mut().and_then(|list| {
            let number = list.next?;
            list.next = Some((number + 1).min(MAX_NUMBER));
            Some(number)
        });
        let mark = number.map_or_else(|| "- ".to_owned(), |number| format!("{number}. "));
        self.raw(&mark);
        self.prefix.push(&" ".repeat(mark.len()));
    }

    fn link(&mut self, tag: &Tag<'_>) {
        let Some(address) = tag.attribute("href") else { return };
        self.raw("[");
        self.links.push(destination(&address));
    }

    fn picture(&mut self, tag: &Tag<'_>) {
        let Some(address) = tag.attribute("src") else { return };
        let words = tag.attribute("alt").unwrap_or_default();
        self.raw(&format!(
            "![{}]({})",
            escaped(&words.split(is_space).collect::<Vec<_>>().join(" "), false, self.in_cell),
            destination(&address)
        ));
    }

    /// Code within a line, between more backquotes than it has in a row.
    fn code(&mut self, code: &str) {
        let code = code.split(['\n', '\r']).collect::<Vec<_>>().join(" ");
        let code = if self.in_cell { code.replace('|', "\\|") } else { code };
        if code.is_empty() {
            return;
        }
        let fence = fence(&code, 1);
        let needs_space = code.starts_with('`') || code.ends_with('`');
        let space = if needs_space { " " } else { "" };
        self.raw(&format!("{fence}{space}{code}{space}{fence}"));
    }

    fn code_block(&mut self, tokens: &[Token<'_>]) {
        let code = text(tokens);
        let language = tokens.iter().find_map(|token| match &token.kind {
            TokenKind::Start(tag) if tag.name == "code" => {
                let class = tag.attribute("class")?;
                class.split_ascii_whitespace().find_map(|class| class.strip_prefix("language-")).map(str::to_owned)
            }
            _ => None,
        });
        if self.in_cell {
            return self.code(&code);
        }
        self.block();
        let fence = fence(&code, 3);
        self.raw(&format!("{fence}{}", language.unwrap_or_default()));
        self.lines(code.strip_suffix('\n').unwrap_or(&code));
        self.lines(&fence);
        self.block();
    }

    /// Writes lines as they are, behind a line end.
    fn lines(&mut self, lines: &str) {
        for line in lines.split('\n') {
            if line.is_empty() {
                self.blank_line();
            } else {
                self.begin_line();
            }
            self.text.push_str(line);
        }
    }

    /// Writes HTML as it is. A blank line would end it.
    fn kept(&mut self, source: &str, is_block: bool) {
        let lines: Vec<&str> = source.lines().filter(|line| !line.trim().is_empty()).collect();
        if self.in_cell || !is_block {
            return self.raw(&lines.join(" "));
        }
        self.block();
        self.raw(lines.first().copied().unwrap_or_default());
        lines.iter().skip(1).for_each(|line| self.lines(line));
        self.block();
    }

    /// Writes a table, if each of its cells fits a line. Returns whether it did.
    fn table(&mut self, source: &HtmlSource<'_>, inside: &Range<usize>) -> bool {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut at = inside.start;
        while at < inside.end {
            let start = at;
            at += 1;
            let TokenKind::Start(tag) = &source.tokens[start].kind else { continue };
            match &*tag.name {
                "tr" => rows.push(Vec::new()),
                "td" | "th" => {
                    let (Some(cell), Some(row)) = (source.inside(start, inside.end), rows.last_mut()) else {
                        return false;
                    };
                    let is_merged = tag.find("colspan").is_some() || tag.find("rowspan").is_some();
                    if is_merged || source.tokens[cell.clone()].iter().any(is_too_much_for_a_cell) {
                        return false;
                    }
                    at = cell.end;
                    let mut writer = Self { in_cell: true, ..Self::default() };
                    writer.tokens(source, cell);
                    row.push(writer.text.trim().to_owned());
                }
                "caption" => return false,
                _ => {}
            }
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or_default();
        if width == 0 {
            return false;
        }
        self.block();
        // The first row decides about the number of columns; others may be shorter.
        rows[0].resize(width, String::new());
        let line = |row: &[String]| format!("| {} |", row.join(" | "));
        self.raw(&line(&rows[0]));
        self.lines(&format!("|{}", " --- |".repeat(width)));
        rows[1..].iter().for_each(|row| self.lines(&line(row)));
        self.block();
        true
    }
}

/// Whether a token makes a cell one that needs more than a line.
fn is_too_much_for_a_cell(token: &Token<'_>) -> bool {
    matches!(&token.kind, TokenKind::Start(tag) if matches!(&*tag.name, "table" | "ul" | "ol" | "pre" | "blockquote" | "hr"))
}

/// Whether a character separates words: not a no-break space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t' | '\u{c}')
}

fn heading(name: &str) -> Option<usize> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "aside"
            | "main"
            | "nav"
            | "center"
            | "address"
            | "hgroup"
            | "fieldset"
    )
}

/// Backquotes, at least `least` and more than a text has in a row.
fn fence(code: &str, least: usize) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(least.max(longest + 1))
}

/// The address of a link as Markdown needs it (CommonMark section 6.3).
fn destination(address: &str) -> String {
    if address.contains(['(', ')', ' ', '<', '>']) {
        format!("<{}>", address.replace('<', "%3C").replace('>', "%3E"))
    } else {
        address.to_owned()
    }
}

/// A word whose characters mean themselves.
fn escaped(word: &str, is_first: bool, in_cell: bool) -> String {
    let mut escaped = String::with_capacity(word.len() + 4);
    let last_semicolon = word.rfind(';').unwrap_or_default();
    for (at, c) in word.char_indices() {
        let rest = &word[at + c.len_utf8()..];
        let is_mark = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' => true,
            // Within a word, `_` means itself.
            '_' => {
                at == 0
                    || rest.is_empty()
                    || !rest.starts_with(char::is_alphanumeric)
                    || !word[..at].ends_with(char::is_alphanumeric)
            }
            '~' => rest.starts_with('~') || word[..at].ends_with('~'),
            '&' => at < last_semicolon && rest.starts_with(|c: char| c == '#' || c.is_ascii_alphabetic()),
            '|' => in_cell,
            '#' | '>' => is_first && at == 0,
            '+' | '-' | '=' => is_first && at == 0 && (rest.is_empty() || word.chars().all(|other| other == c)),
            '.' | ')' => is_first && at > 0 && rest.is_empty() && word[..at].bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        if is_mark {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_markdown() {
        for (html, markdown) in [
            ("<p>One  two\nthree</p><p>Four</p>", "One two three\n\nFour\n"),
            ("<h2>A <em>b</em></h2><p>c</p>", "## A *b*\n\nc\n"),
            ("<p>a <strong> b </strong>c <b></b>d</p>", "a **b** c d\n"),
            ("<p>a<br>b<br></p>", "a\\\nb\\\n"),
            ("<p><a href=\"https://a.example/b_(c)\">x <b>y</b></a>.</p>", "[x **y**](<https://a.example/b_(c)>).\n"),
            ("<p><img src=\"https://a.example/a.png\" alt=\"A [b]\"></p>", "![A \\[b\\]](https://a.example/a.png)\n"),
            ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>d</p>", "- a\n- b\n  - c\n\nd\n"),
            ("<ol start=\"3\"><li><p>a</p><p>b</p></li><li><p>c</p></li></ol>", "3. a\n\n   b\n4. c\n"),
            ("<ol start=\"999999999\"><li>a</li><li>b</li></ol>", "999999999. a\n999999999. b\n"),
            ("<ol start=\"1000000000\"><li>a</li></ol>", "1. a\n"),
            ("<blockquote><p>a</p><p>b</p><ul><li>c</li></ul></blockquote><p>d</p>", "> a\n>\n> b\n>\n> - c\n\nd\n"),
            (
                "<pre><code class=\"language-rust\">let a = \"`\";\n\n  b\n</code></pre><p>c</p>",
                "```rust\nlet a = \"`\";\n\n  b\n```\n\nc\n",
            ),
            ("<p>a <code>b`c</code> <code>`</code></p>", "a ``b`c`` `` ` ``\n"),
            ("<p>*a* _b_ c_d 2&lt;3 &amp;amp; [x] `y`</p>", "\\*a\\* \\_b\\_ c_d 2\\<3 \\&amp; \\[x\\] \\`y\\`\n"),
            ("<p># a</p><p>1. b</p><p>- c</p><p>2024 d</p>", "\\# a\n\n1\\. b\n\n\\- c\n\n2024 d\n"),
            ("<p>a</p><hr><p>H<sub>2</sub>O <del>b</del></p>", "a\n\n***\n\nH<sub>2</sub>O ~~b~~\n"),
            (
                "<table><thead><tr><th>a</th><th>b|c</th></tr></thead><tbody><tr><td>1<br>2</td><td></td></tr></tbody></table>",
                "| a | b\\|c |\n| --- | --- |\n| 1<br>2 |  |\n",
            ),
            (
                "<table><tr><td>a</td></tr><tr><td>b</td><td>c</td></tr><tr><td>d</td></tr></table>",
                "| a |  |\n| --- | --- |\n| b | c |\n| d |\n",
            ),
            ("<table><tr><td colspan=\"2\">a</td></tr></table>", "<table><tr><td colspan=\"2\">a</td></tr></table>\n"),
            (
                "<p>a</p><details><summary>b</summary>\n\n<p>c</p></details>",
                "a\n\n<details><summary>b</summary>\n<p>c</p></details>\n",
            ),
            ("<p>a <math><mi>x</mi></math> b</p>", "a <math><mi>x</mi></math> b\n"),
            ("", ""),
        ] {
            assert_eq!(from_html(html), markdown, "{html}");
        }
    }

    #[test]
    fn a_text_in_deep_lists_and_quotations_stays_small() {
        let lines = "\n".repeat(1_000);
        for (start, end) in [("<blockquote>", "</blockquote>"), ("<ol start=999999999><li>", "</li></ol>")] {
            let html = format!("{}<pre>{lines}.</pre>{}", start.repeat(100), end.repeat(100));
            let markdown = from_html(&html);
            assert!(markdown.len() < html.len() * 50, "{} bytes of {}", markdown.len(), html.len());
            assert_eq!(markdown.lines().last().map(|line| line.trim_start_matches([' ', '>'])), Some("```"));
        }
    }

    #[test]
    fn deep_and_broken_html_is_written_in_linear_time() {
        for html in [
            "<blockquote>".repeat(20_000),
            "<ul><li>".repeat(20_000),
            "<table>".repeat(5_000),
            format!("<table><tr>{}</tr>{}</table>", "<td></td>".repeat(10_000), "<tr><td></td></tr>".repeat(10_000)),
            "</li></ul>".repeat(1_000),
            "<p>*".repeat(20_000),
            "&amp;a".repeat(200_000),
        ] {
            from_html(&html);
        }
    }
}
