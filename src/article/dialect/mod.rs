//! Replaces or removes what site generators and note programs add to Markdown: shortcodes of Hugo and Zola, tags of Jekyll, links
//! and private comments of Obsidian. Readers never see an addition as it is written, except within code.

mod admonition;
mod attributes;
mod code;
mod comment;
mod container;
mod critic;
mod element;
mod logseq;
mod note;
mod script;
mod shortcode;
mod template;

use crate::model::text::escape;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use super::address::note_link;
use super::problem::Problem;
use super::tex;
use attributes::AttributeList;
use code::code_of;
pub use code::{Dialect, OPTIONS};
use shortcode::{Call, Meaning};
pub use template::find_template;

/// Replaces the additions with plain Markdown or HTML. `first_line` is the number of the text's first line.
pub fn plain(text: &str, dialect: Dialect, first_line: usize) -> (Cow<'_, str>, Option<Problem>) {
    match dialect {
        Dialect::Markdown => plain_markdown(text, first_line, None),
        Dialect::Html => plain_part(text, dialect, first_line, None),
    }
}

/// As [`plain`], of a note in a vault of Obsidian.
pub fn plain_note(text: &str, first_line: usize) -> (Cow<'_, str>, Option<Problem>) {
    plain_markdown(text, first_line, Some(true))
}

fn plain_markdown(text: &str, first_line: usize, is_note: Option<bool>) -> (Cow<'_, str>, Option<Problem>) {
    match admonition::as_containers(admonition::without_annotations(text)) {
        Cow::Borrowed(text) => plain_part(text, Dialect::Markdown, first_line, is_note),
        Cow::Owned(text) => {
            let (text, problem) = plain_part(&text, Dialect::Markdown, first_line, is_note);
            (Cow::Owned(text.into_owned()), problem)
        }
    }
}

/// As [`plain`], of a part of a text. `is_note` says whether the whole text has marks of Obsidian, if that is known.
fn plain_part(
    text: &str,
    dialect: Dialect,
    first_line: usize,
    is_note: Option<bool>,
) -> (Cow<'_, str>, Option<Problem>) {
    // Each is rare in a text that has no addition: with one, the text is searched for code.
    const MARKS: [&str; 17] = [
        "::",
        "{",
        "<!--",
        "<%",
        "%%",
        "[[",
        "[!",
        "[TOC]",
        " ^",
        "\t^",
        "\n^",
        "\\(",
        "\\[",
        "==",
        ":LOGBOOK:",
        "#+",
        ": <",
    ];
    let has_element = || dialect == Dialect::Markdown && (element::has_hidden(text) || element::ends_in_comment(text));
    let has_colon = || dialect == Dialect::Markdown && has_lone_colon(text);
    if !MARKS.iter().any(|mark| text.contains(mark)) && !has_element() && !has_colon() {
        return (Cow::Borrowed(text), None);
    }
    let code = code_of(text, dialect);
    let mut scanner = Scanner {
        text,
        at: 0,
        out: String::with_capacity(text.len()),
        code,
        recounts: 0,
        dialect,
        left_out: Vec::new(),
        captured: Vec::new(),
        unending: None,
        unclosed: None,
        locked: Vec::new(),
        is_note,
        closing: Vec::new(),
        ends: None,
        next_ends: HashMap::new(),
        endless: HashSet::new(),
        link_names: None,
        has_org: text.contains("#+"),
    };
    scanner.run();
    let problem = scanner.problem(first_line);
    (Cow::Owned(scanner.out), problem)
}

/// Maximum length of an addition, in bytes. Without a limit, many additions without an end would take time in the square of their
/// number.
const REACH: usize = 300;
/// Maximum length of a formula in brackets, in bytes.
const LONGEST_FORMULA: usize = 2_000;
/// Longest term that has a definition, in bytes.
const LONGEST_TERM: usize = 200;
/// Maximum number of new searches for code, each after a removed comment in which code began.
const MOST_RECOUNTS: usize = 20;

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// The ranges of code that end after `at`, in their order.
    code: VecDeque<Range<usize>>,
    recounts: usize,
    dialect: Dialect,
    /// Additions that only a generator can show: the place and the name of each.
    left_out: Vec<(usize, String)>,
    /// Bodies that are shown only where a generator uses them: the place, the name and the number of words of each.
    captured: Vec<(usize, String, usize)>,
    /// Where a private comment without an end starts.
    unending: Option<usize>,
    /// The place and the name of the first hidden element without an end tag.
    unclosed: Option<(usize, String)>,
    /// Bodies that are not for the public: the place and the name of the call of each.
    locked: Vec<(usize, String)>,
    /// Whether the text has other marks of Obsidian, once that has been looked up.
    is_note: Option<bool>,
    /// Where each open quotation ends, and what is written there.
    closing: Vec<(usize, String)>,
    /// Where hidden elements end, by the places of their start tags, once that has been looked up.
    ends: Option<HashMap<usize, usize>>,
    /// Where the next of each sign is, as it was last looked up. Without it, signs without an end would take time in the square of their
    /// number.
    next_ends: HashMap<&'static str, Option<usize>>,
    /// Names of calls behind which no call ends a body of theirs.
    endless: HashSet<String>,
    /// The names of links that the text defines, once that has been looked up.
    link_names: Option<HashSet<String>>,
    /// The text may have blocks as in org.
    has_org: bool,
}

impl<'a> Scanner<'a> {
    /// The gravest problem of the text, of which the first line has this number.
    fn problem(&self, first_line: usize) -> Option<Problem> {
        let Self { text, left_out, captured, unending, unclosed, locked, .. } = self;
        let line = |at: usize| first_line + text[..at].matches('\n').count();
        let unending = unending.map(|at| {
            let message =
                "nothing ends this comment, so everything from here on is private: close it, or take its beginning out";
            Problem::at(line(at), message)
        });
        let unclosed = unclosed.as_ref().map(|(at, name)| {
            let message = format!(
                "`<{name}>` has no end tag, and browsers would hide the rest of the text: the tag is left out; close it, or write \
                 `&lt;{name}>` if you mean the name"
            );
            Problem::at(line(*at), message)
        });
        let problem = left_out.first().map(|(at, name)| {
            let count = left_out.len();
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            let message = format!(
                "`{name}`{more}: a site generator would put something here; it is left out, with what stands around it kept"
            );
            Problem::remark(line(*at), message)
        });
        let captured = captured.first().map(|(at, name, _)| {
            let words: usize = captured.iter().map(|(_, _, words)| words).sum();
            let more = if captured.len() > 1 { format!(" and {} more", captured.len() - 1) } else { String::new() };
            let message = format!(
                "`{name}`{more}: {words} words are shown only where a site generator uses them, and are left out; write them where they are to \
                 be read"
            );
            Problem::remark(line(*at), message)
        });
        let locked = locked.first().map(|(at, name)| {
            let more = if locked.len() > 1 { format!(" and {} more", locked.len() - 1) } else { String::new() };
            let message = format!(
                "`{name}`{more}: by its name, the text in it is not for the public, and is left out; remove the tags around it to publish it"
            );
            Problem::remark(line(*at), message)
        });
        unending.or(unclosed).or(locked).or(captured).or(problem)
    }

    fn run(&mut self) {
        while self.at < self.text.len() {
            let Some(next) = self.next_mark() else { break };
            self.out.push_str(&self.text[self.at..next]);
            self.at = next;
            if let Some(code) = self.code.front().filter(|code| code.start == next).cloned() {
                self.out.push_str(&self.text[code.clone()]);
                self.at = code.end;
            } else if !self.addition() {
                let length = self.rest().chars().next().map_or(1, char::len_utf8);
                self.out.push_str(&self.text[next..next + length]);
                self.at += length;
            }
            self.pass_code();
        }
        self.out.push_str(&self.text[self.at..]);
    }

    /// Forgets the code before `at`. If code began in an addition that was removed, the code of the rest is searched again.
    fn pass_code(&mut self) {
        while let Some(code) = self.code.front().filter(|code| code.start < self.at) {
            if code.end > self.at && self.recounts < MOST_RECOUNTS {
                self.recounts += 1;
                let at = self.at;
                let code = code_of(self.rest(), self.dialect).into_iter();
                self.code = code.map(|range| range.start + at..range.end + at).collect();
                return;
            }
            self.code.pop_front();
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The start of the rest, as long as an addition can be.
    fn reach(&self) -> &'a str {
        let rest = self.rest();
        &rest[..rest.floor_char_boundary(REACH)]
    }

    /// The end of the last line of the output.
    fn line(&self) -> &str {
        let near = &self.out[self.out.ceil_char_boundary(self.out.len().saturating_sub(REACH))..];
        near.rsplit('\n').next().unwrap_or_default()
    }

    fn next_mark(&self) -> Option<usize> {
        let signs: &[char] = match self.dialect {
            Dialect::Markdown if self.has_org => &['{', '%', '[', '!', '^', '<', '\\', '=', ':', '#'],
            Dialect::Markdown => &['{', '%', '[', '!', '^', '<', '\\', '=', ':'],
            Dialect::Html => &['{', '<'],
        };
        let code = self.code.front().map_or(self.text.len(), |code| code.start);
        // Code is copied as a whole, so its start counts as a mark.
        let mark = self.text[self.at..code].find(signs).map(|offset| self.at + offset);
        mark.or_else(|| self.code.front().map(|code| code.start))
    }

    /// Replaces the addition at `at`. Returns false if there is none.
    fn addition(&mut self) -> bool {
        let rest = self.rest();
        let markdown = self.dialect == Dialect::Markdown;
        match () {
            () if rest.starts_with('{') => self.braces(),
            () if rest.starts_with("<%") => self.foreign_comment(),
            () if markdown && rest.starts_with("%%") => self.comment(),
            () if markdown && (rest.starts_with("[[") || rest.starts_with("![[")) => self.wiki_link(),
            () if markdown && rest.starts_with("[!") => self.callout(),
            () if markdown && rest.starts_with("[TOC]") => self.table_of_contents(),
            () if markdown && rest.starts_with('^') => self.block_id(),
            () if markdown && rest.starts_with("<!--") => self.html_comment(),
            () if markdown && rest.starts_with('<') => self.planning() || self.hidden_element(),
            () if markdown && rest.starts_with(":::") => self.container(),
            () if markdown && rest.starts_with(':') => self.block_property() || self.drawer() || self.lone_colon(),
            () if markdown && rest.starts_with('#') => self.org_block(),
            () if markdown && rest.starts_with("==") => self.marked(),
            () if markdown && rest.starts_with('\\') => self.formula() || self.escaped(),
            () => false,
        }
    }

    /// Replaces an addition in braces.
    fn braces(&mut self) -> bool {
        let rest = self.rest();
        let markdown = self.dialect == Dialect::Markdown;
        match () {
            () if shortcode::is_comment(rest) => self.template_comment(),
            () if self.foreign_comment() || (markdown && self.proposed_change()) => true,
            () if rest.starts_with("{{") || rest.starts_with("{%") => self.call(),
            () if rest.starts_with("{:") || markdown => self.attributes(),
            () => false,
        }
    }

    /// The place of the next `sign` at or after `from`, which is behind all places that were asked for before.
    fn next_of(&mut self, sign: &'static str, from: usize) -> Option<usize> {
        let known = self.next_ends.get(sign).copied();
        if let Some(place) = known.filter(|place| place.is_none_or(|place| place >= from)) {
            return place;
        }
        let place = self.text[from..].find(sign).map(|offset| from + offset);
        self.next_ends.insert(sign, place);
        place
    }

    /// Replaces the signs `\(…\)` and `\[…\]` of a formula, of which Markdown would remove the backslashes, with dollar signs. They may be
    /// written with two backslashes for that reason.
    fn formula(&mut self) -> bool {
        let near = &self.rest()[..self.rest().floor_char_boundary(LONGEST_FORMULA)];
        let slashes = if near.starts_with("\\\\") { "\\\\" } else { "\\" };
        let (close, sign) = match near[slashes.len()..].chars().next() {
            Some('(') => (')', "$"),
            Some('[') => (']', "$$"),
            _ => return false,
        };
        let inside = &near[slashes.len() + 1..];
        let Some(end) = inside.find(&format!("{slashes}{close}")) else { return false };
        let tex = inside[..end].trim();
        let is_letter = tex.len() == 1 && !self.starts_line() && !tex.starts_with(['c', 'r', 'C', 'R']);
        let has_sign = tex.contains(['\\', '^', '_', '=', '+', '*', '<', '>', '{']);
        // Formulas are not nested: these are escaped brackets.
        let is_nested = tex.contains("\\(") || tex.contains("\\[");
        if !(has_sign || (is_letter && sign == "$")) || is_nested || tex.contains('$') || !tex::is_formula(tex) {
            return false;
        }
        self.out.push_str(&format!("{sign}{tex}{sign}"));
        self.at += slashes.len() + 1 + end + slashes.len() + 1;
        true
    }

    /// Writes a colon at the start of a line so that it begins no definition, unless it follows a term.
    fn lone_colon(&mut self) -> bool {
        let is_line_start = self.line().trim_matches([' ', '\t', '>']).is_empty();
        let is_definition = self.rest()[1..].starts_with([' ', '\t']) && follows_term(&self.out);
        if !is_line_start || is_definition {
            return false;
        }
        self.out.push_str("&#58;");
        self.at += 1;
        true
    }

    /// Copies a sign that is escaped, so that it begins nothing: `\[[words]]`, `\==`.
    fn escaped(&mut self) -> bool {
        let rest = self.rest();
        let length = match rest.as_bytes().get(1..3) {
            Some(b"[[" | b"==") => 3,
            Some([b'\\' | b'[' | b'^' | b'=', _]) => 2,
            _ => return false,
        };
        self.out.push_str(&rest[..length]);
        self.at += length;
        true
    }

    fn starts_line(&self) -> bool {
        self.line().trim().is_empty()
    }

    /// Whether the rest of the line after `length` bytes is blank.
    fn ends_line(&self, length: usize) -> bool {
        self.reach()[length..].chars().find(|c| *c == '\n' || !c.is_whitespace()).is_none_or(|c| c == '\n')
    }

    /// Copies a hidden element without its blank lines, so that Markdown leaves it whole. A start tag without an end tag is left out, and
    /// the mere name of an element in angle brackets is shown.
    fn hidden_element(&mut self) -> bool {
        let rest = self.rest();
        let Some((name, tag)) = element::start_of_hidden(rest) else { return false };
        let text = self.text;
        if let Some(end) = self.ends.get_or_insert_with(|| element::ends(text)).get(&self.at).copied() {
            let lines = text[self.at..end].lines().filter(|line| !line.trim().is_empty());
            self.out.push_str(&lines.collect::<Vec<_>>().join("\n"));
            self.at = end;
            return true;
        }
        if rest[1 + name.len()..].starts_with('>') {
            self.out.push_str(&format!("&lt;{name}&gt;"));
        }
        self.unclosed.get_or_insert((self.at, name));
        self.at += tag;
        true
    }

    fn table_of_contents(&mut self) -> bool {
        let length = "[TOC]".len();
        let alone = self.ends_line(length) && self.starts_line();
        self.at += if alone { length } else { 0 };
        alone
    }

    /// Leaves out attributes of an element: on a line of their own, directly after an element, or at the end of a heading or an item.
    fn attributes(&mut self) -> bool {
        let is_kramdown = self.rest().starts_with("{:");
        if is_kramdown && (self.extension() || self.picture_size()) {
            return true;
        }
        let Some(AttributeList { length, is_toc, is_definition }) = attributes::at_start(self.rest()) else {
            return !is_kramdown && self.braces_in_heading();
        };
        let line = self.line();
        let is_blank = line.trim_matches([' ', '\t', '>']).is_empty();
        let starts_item = is_kramdown && matches!(line.trim(), "-" | "*" | "+");
        let alone = is_blank && self.ends_line(length);
        let is_link = || line.ends_with(']') || (line.ends_with(')') && line.contains("]("));
        let follows_element = if is_kramdown {
            line.ends_with([')', '*', '_', '`', ']', '>'])
        } else {
            is_link() || (line.ends_with('`') && !line.ends_with("``"))
        };
        if !(alone || starts_item || follows_element || (is_kramdown && self.ends_line(length)))
            || (is_definition && !alone)
        {
            return false;
        }
        if follows_element && attributes::hides(&self.rest()[..length]) {
            self.hide_element();
        } else if follows_element && !is_kramdown {
            self.unwrap_span();
        }
        // kramdown would replace the list before it with a table of contents.
        if is_toc {
            let near = self.out.ceil_char_boundary(self.out.len().saturating_sub(REACH));
            let list = match self.out[near..].trim_end().rfind('\n') {
                Some(line_feed) => Some(near + line_feed + 1),
                None => (near == 0).then_some(0),
            };
            let is_list = |list: &usize| self.out[*list..].trim_start().starts_with(['*', '-', '1']);
            if let Some(list) = list.filter(is_list) {
                self.out.truncate(list);
            }
        }
        self.at += length;
        true
    }

    /// Escapes words in braces at the end of a heading, such as `## /users/{id}`: Markdown would take them for attributes.
    fn braces_in_heading(&mut self) -> bool {
        let near = self.reach();
        let end = near.find(['}', '\n']).filter(|end| near[*end..].starts_with('}') && self.ends_line(end + 1));
        let Some(end) = end else { return false };
        let below = near[end + 1..].trim_start_matches([' ', '\t']).strip_prefix('\n').unwrap_or_default();
        let is_underlined = below.starts_with("==") || below.starts_with("--");
        // In a quotation or an item, too.
        let is_mark = |c: char| c.is_ascii_digit() || " \t>-*+.)".contains(c);
        let is_heading = self.line().trim_start_matches(is_mark).starts_with('#') || is_underlined;
        // Pandoc's mark of a heading without a number.
        if is_heading && end == 2 && near.starts_with("{-}") {
            self.at += end + 1;
            return true;
        }
        if is_heading {
            self.out.push_str("&#123;");
            self.at += 1;
        }
        is_heading
    }

    /// kramdown's `{::comment}private{:/}`, `{::nomarkdown}…{:/}` and `{::options … /}`.
    fn extension(&mut self) -> bool {
        let reach = self.reach();
        let Some(inside) = reach.strip_prefix("{::").or_else(|| reach.strip_prefix("{:/")) else { return false };
        let Some(end) = inside.find('}').filter(|end| !inside[..*end].contains("\n\n")) else { return false };
        let (name, length) = (inside[..end].trim(), 3 + end + 1);
        let is_end = reach.starts_with("{:/");
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) || (name.is_empty() && is_end);
        if !is_name {
            return false;
        }
        if !is_end && name == "comment" {
            let rest = &self.rest()[length..];
            let close = ["{:/}", "{:/comment}"].iter().filter_map(|close| Some((rest.find(close)?, close.len()))).min();
            match close {
                Some((at, close)) => self.at += length + at + close,
                None => self.unending_comment(self.at),
            }
            return true;
        }
        self.at += length;
        true
    }

    /// Leaves out the rest of the text, which is a comment without an end.
    fn unending_comment(&mut self, start: usize) {
        self.unending = Some(start);
        self.at = self.text.len();
    }

    /// Replaces the additions in the text of an addition.
    fn within(&mut self, text: &str) -> String {
        // Few additions ask for it, and it takes another search for code.
        let is_note = ["%%", "[[", "=="].iter().any(|mark| text.contains(mark)).then(|| self.is_note());
        plain_part(text, self.dialect, 1, is_note).0.into_owned()
    }

    fn picture(&mut self, source: &str, words: &str, caption: &str) {
        let text = |text: &str| text.replace(['[', ']', '\n'], " ").trim().to_owned();
        let (words, caption) = (text(words), text(caption));
        match self.dialect {
            Dialect::Markdown => {
                let source = source.replace(['<', '>', '\n'], "");
                self.out.push_str(&format!("![{words}](<{source}>)"));
                if !caption.is_empty() {
                    self.out.push_str(&format!("\n\n*{caption}*\n"));
                }
            }
            Dialect::Html => {
                let (source, words) = (quoted(source), quoted(&words));
                self.out.push_str(&format!("<p><img src=\"{source}\" alt=\"{words}\"></p>"));
                if !caption.is_empty() {
                    self.out.push_str(&format!("<p><em>{}</em></p>", escape(&caption)));
                }
            }
        }
    }

    /// Writes a link with words of its own.
    fn reference(&mut self, address: &str, words: &str) {
        let html = format!("<a href=\"{}\">{}</a>", quoted(address), escape(words));
        let markdown = || {
            let (words, address) = (words.replace(['[', ']', '\n'], " "), address.replace(['<', '>', '\n'], ""));
            format!("[{}](<{address}>)", words.trim())
        };
        self.out.push_str(&if self.dialect == Dialect::Html { html } else { markdown() });
    }

    fn link(&mut self, address: &str) {
        let html = format!("<a href=\"{}\">{}</a>", quoted(address), escape(address));
        self.out.push_str(&if self.dialect == Dialect::Html { html } else { format!("<{address}>") });
    }

    /// Replaces `> [!warning] Mind the gap` with a quotation that has a heading.
    fn callout(&mut self) -> bool {
        let line = self.line();
        let quoted = line.trim_end().ends_with('>') && !line.contains(char::is_alphanumeric);
        let reach = self.reach();
        let Some(end) = reach.find([']', '\n']).filter(|end| quoted && reach[*end..].starts_with(']')) else {
            return false;
        };
        // How it looks may follow: `[!info|wide]`.
        let kind = reach[2..end].split('|').next().unwrap_or_default().trim();
        let is_kind = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !kind.starts_with(|c: char| c.is_ascii_alphabetic()) || !kind.bytes().all(is_kind) {
            return false;
        }
        let rest = reach[end + 1..].lines().next().unwrap_or_default();
        let title = rest.trim_start_matches(['+', '-']).trim();
        let (first, others) = kind.split_at(1);
        let name = first.to_uppercase() + &others.to_lowercase().replace('_', " ");
        let (quote, title) = (line.trim_end().to_owned(), title.to_owned());
        let title = Some(self.within(&title)).filter(|title| !title.trim().is_empty()).unwrap_or(name);
        self.out.push_str(&format!("**{title}**\n{quote}"));
        self.at += end + 1 + rest.len();
        true
    }

    fn call(&mut self) -> bool {
        let near = self.out.ceil_char_boundary(self.out.len().saturating_sub(40));
        let Some(call) = Call::parse(self.rest(), &self.out[near..]) else { return false };
        let (start, after) = (self.at, self.at + call.length);
        if self.close_quotations(start) {
            self.at = after;
            return true;
        }
        let text = self.text;
        let end_of_body = || call.end_of_body(text, after);
        let end_or_rest = || end_of_body().unwrap_or(text.len()..text.len());
        // A body that belongs to the call moves it further.
        self.at = after;
        match call.meaning() {
            Meaning::Text(text) => self.out.push_str(&text),
            Meaning::Link(address) => self.link(&address),
            Meaning::Picture { source, words, caption } => self.picture(&source, &words, &caption),
            // In the address of a link; elsewhere, the generator would show the address.
            Meaning::Page(page) => {
                if self.out.ends_with("](") || self.out.ends_with(['"', '\'']) {
                    self.out.push_str(&note_link(&page));
                }
            }
            Meaning::Nothing => self.unlink(),
            Meaning::Unknown => {
                self.left_out.push((start, call.name.to_owned()));
                self.unlink();
            }
            Meaning::Private => match end_of_body() {
                Some(end) => self.at = end.end,
                None => self.unending_comment(start),
            },
            Meaning::Locked => self.locked_body(&call, start, after),
            Meaning::Apart => self.at = end_of_body().map_or(after, |end| end.end),
            Meaning::Captured => self.capture(&call, start, after),
            Meaning::Reference { address, words } => self.reference(&address, &words),
            Meaning::Verbatim => {
                let end = end_or_rest();
                self.out.push_str(&text[after..end.start]);
                self.at = end.end;
            }
            Meaning::Titled(title) => {
                let title = self.within(&title);
                self.paragraph("**", &title);
            }
            Meaning::Quotation(source) => {
                if let Some(end) = end_of_body() {
                    self.quotation(&source, end.start);
                }
            }
            Meaning::Code { language, title } => {
                let end = end_or_rest();
                self.paragraph("*", &title);
                self.fence(&language, &text[after..end.start]);
                self.at = end.end;
            }
        }
        true
    }

    /// Leaves out a body that is not for the public. A call without a body shows something only by the generator.
    fn locked_body(&mut self, call: &Call<'_>, start: usize, after: usize) {
        let may_end = !self.endless.contains(call.name);
        match may_end.then(|| call.end_of_body(self.text, after)).flatten() {
            Some(end) => {
                self.locked.push((start, call.name.to_owned()));
                self.at = end.end;
            }
            // Such a call always has one.
            None if call.name.contains("encrypt") => self.unending_comment(start),
            None => {
                self.endless.insert(call.name.to_owned());
                self.left_out.push((start, call.name.to_owned()));
                self.unlink();
            }
        }
    }

    /// Ends the quotations that end at a place; `false` if there is none.
    fn close_quotations(&mut self, place: usize) -> bool {
        let ends = self.closing.last().is_some_and(|(at, _)| *at == place);
        if ends {
            self.out.truncate(self.out.trim_end_matches('\n').len());
        }
        while let Some((_, text)) = self.closing.pop_if(|(at, _)| *at == place) {
            self.out.push_str(&text);
        }
        ends
    }

    /// Passes a body that is shown only where a generator uses it, and counts its words.
    fn capture(&mut self, call: &Call<'_>, start: usize, after: usize) {
        let body = call.end_of_body(self.text, after);
        let words = body.as_ref().map_or("", |body| &self.text[after..body.start]);
        let count = words.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
        if count > 0 {
            self.captured.push((start, call.name.to_owned(), count));
        }
        self.at = body.map_or(after, |body| body.end);
    }

    /// Writes a paragraph in this emphasis, unless its text is empty.
    fn paragraph(&mut self, emphasis: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.dialect == Dialect::Html {
            let name = if emphasis == "**" { "strong" } else { "em" };
            self.out.push_str(&format!("<p><{name}>{}</{name}></p>", escape(text)));
            return;
        }
        let text = text.replace(['*', '[', ']'], "");
        let indent = if self.starts_line() { self.line().to_owned() } else { String::new() };
        self.out.push_str(&format!("\n\n{indent}{emphasis}{text}{emphasis}\n\n{indent}"));
    }

    /// Begins a quotation whose body ends at `end`, and which then names its source.
    fn quotation(&mut self, source: &str, end: usize) {
        let is_block = self.starts_line();
        let indent = if is_block { self.line().to_owned() } else { String::new() };
        let source = self.within(source);
        let is_markdown = self.dialect == Dialect::Markdown;
        let source = match (source.is_empty(), is_markdown) {
            (true, _) => String::new(),
            (false, true) if is_block => format!("\n\n{indent}— {source}"),
            (false, true) => format!(" — {source}"),
            (false, false) => format!("<p>— {}</p>", escape(&source)),
        };
        let (start, close) = match (is_block, is_markdown) {
            (true, true) => {
                (format!("<blockquote>\n\n{indent}"), format!("{source}\n\n{indent}</blockquote>\n\n{indent}"))
            }
            (true, false) => ("<blockquote>".to_owned(), format!("{source}</blockquote>")),
            (false, _) => (String::new(), source),
        };
        self.out.push_str(&start);
        self.closing.push((end, close));
    }

    fn fence(&mut self, language: &str, code: &str) {
        let code = code.trim_matches('\n');
        if self.dialect == Dialect::Html {
            let code = escape(code);
            self.out.push_str(&format!("<pre><code class=\"language-{language}\">{code}\n</code></pre>"));
            return;
        }
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.out.push_str(&format!("\n{fence}{language}\n{code}\n{fence}\n"));
    }

    /// Replaces `[words]({{< x "a" >}})` with its words, since the address is unknown, and leaves out an element of an unknown name.
    fn unlink(&mut self) {
        let open = if self.out.ends_with("</") { 2 } else { usize::from(self.out.ends_with('<')) };
        if open > 0
            && let Some(end) = self.reach().find(['>', '<', '\n']).filter(|end| self.reach()[*end..].starts_with('>'))
        {
            self.out.truncate(self.out.len() - open);
            self.at += end + 1;
            return;
        }
        let reach = self.reach();
        let is_fragment =
            |tail: &str| tail.is_empty() || (tail.starts_with('#') && !tail.contains(char::is_whitespace));
        let Some(close) =
            reach.find([')', '\n']).filter(|close| reach[*close..].starts_with(')') && is_fragment(&reach[..*close]))
        else {
            return;
        };
        let Some(before) = self.line().strip_suffix("](") else { return };
        let Some(open) = before.rfind('[').filter(|open| !before[..*open].ends_with('!')) else { return };
        let words = before[open + 1..].to_owned();
        let start = self.out.len() - (before.len() - open) - "](".len();
        self.out.truncate(start);
        self.out.push_str(&words);
        self.at += close + 1;
    }
}

/// Whether a line of a text begins with a colon.
fn has_lone_colon(text: &str) -> bool {
    let starts = |line: &str| line.trim_start_matches([' ', '\t', '>']).starts_with(':');
    text.contains(':') && text.lines().any(starts)
}

/// Whether the last line of a text, which is blank, may hold a definition: a term has a line for itself.
fn follows_term(text: &str) -> bool {
    let mut lines = text.rsplit('\n').skip(1).map(|line| line.trim_matches([' ', '\t', '>'])).peekable();
    lines.next_if(|line| line.is_empty());
    let is_definition = |line: &str| line.starts_with(':');
    match (lines.next(), lines.next()) {
        (Some(line), _) if is_definition(line) => true,
        (Some(term), above) => {
            let is_alone = above.is_none_or(|line| line.is_empty() || is_definition(line));
            is_alone && !term.is_empty() && term.len() <= LONGEST_TERM
        }
        (None, _) => false,
    }
}

fn quoted(text: &str) -> String {
    escape(text).replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markdown(text: &str) -> String {
        plain(text, Dialect::Markdown, 1).0.into_owned()
    }

    /// Each `{{` in a body was once read as a call with all its arguments.
    #[test]
    fn only_calls_that_may_end_a_body_are_read() {
        let inside = format!("{}{}}}}}\n", "{{".repeat(400), "a ".repeat(400));
        let page = format!("{{% raw %}}{}{{%- endraw -%}}after", inside.repeat(200));
        assert_eq!(plain(&page, Dialect::Html, 1).0, format!("{}after", inside.repeat(200)));
        assert!(
            ["{{</raw>}}", "{% endraw %}", "{%- end -%}", "{{% / raw %}}"].into_iter().all(shortcode::may_end_body)
        );
        assert!(!["{{", "{{ a endraw }}", "{% raw %}", "end"].into_iter().any(shortcode::may_end_body));
    }

    #[test]
    fn notes_of_obsidian() {
        for (given, expected) in [
            (
                "See [[Harbour]] and [[Harbour|the port]].",
                "See [Harbour](<note:Harbour>) and [the port](<note:Harbour>).",
            ),
            ("[[Harbour#Old part]] [[#Here]]", "[Harbour](<note:Harbour#Old%20part>) [Here](<note:#Here>)"),
            (
                "[[Harbour]]: a port, and [[Docks]](see below).",
                "[Harbour](<note:Harbour>): a port, and [Docks](<note:Docks>)(see below).",
            ),
            (
                "\\[[Harbour]] and a ==marked *word*== in a == b == c",
                "\\[[Harbour]] and a <mark>marked *word*</mark> in a == b == c",
            ),
            (
                "![[cast.mp3]] ![[film.mp4]]",
                "<audio controls src=\"note:cast.mp3\"></audio> <video controls src=\"note:film.mp4\"></video>",
            ),
            (
                "A paragraph. ^my-id\n\n> Quote\n\n^quote-1\n\nMore",
                "A paragraph. <span id=\"^my-id\"></span>\n\n> Quote\n\n<span id=\"^quote-1\"></span>\n\nMore",
            ),
            ("![[map.png]] ![[a b.jpg|300]] ![[c.webp|A map]]", "![](<map.png>) ![](<a b.jpg>) ![A map](<c.webp>)"),
            ("A ![[Other note]] here", "A [Other note](<note:Other%20note>) here"),
            ("Public %%private%% text", "Public  text"),
            ("One\n\n%%\nprivate\n\nmore\n%%\n\nTwo", "One\n\n\n\nTwo"),
            ("[[One]]\n\n%%never closed\n\nTwo", "[One](<note:One>)\n\n"),
            ("It rose by 5%% in May and 6%% in June.", "It rose by 5%% in May and 6%% in June."),
            ("Public %%it`s private%% and %%more%% `x`", "Public  and  `x`"),
            ("%% a\n```\nb\n%%\nvisible %%more%% end", "\nvisible  end"),
            ("> [!warning] Mind the gap\n> Text", "> **Mind the gap**\n>\n> Text"),
            ("> [!NOTE]\n> Text", "> **Note**\n>\n> Text"),
            ("> [!info|wide] T\n> Text", "> **T**\n>\n> Text"),
            ("> [!my_type]\n> Text", "> **My type**\n>\n> Text"),
            ("> [!note]+ %%x%%\n> Text", "> **Note**\n>\n> Text"),
            ("A [word]([[Note]]) and [it]([[Note#Part]])", "A [word](<note:Note>) and [it](<note:Note#Part>)"),
            ("> [!tip]- Folded\n> Text", "> **Folded**\n>\n> Text"),
            ("> [!note] Mind %%secret%% gap\n> Text", "> **Mind  gap**\n>\n> Text"),
            ("[[Note|%%secret%%]] Text %%private", " Text "),
            ("A paragraph. ^37066d\nMore ^2", "A paragraph. <span id=\"^37066d\"></span>\nMore ^2"),
            ("[[1]](https://a.example) [[ -f x ]] [[1,2],[3,4]]", "[[1]](https://a.example) [[ -f x ]] [[1,2],[3,4]]"),
            ("x[[1]] y[[\"a\"]] [[Note]][ref] [[2]]", "x[[1]] y[[\"a\"]] [[Note]][ref] [[2]]"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn code_is_left_alone() {
        for text in [
            "```\n%%private%% [[x]] {{< y >}}\n```\n",
            "Use `{{ name }}` and `[[x]]` and `%%`.",
            "    {% indented %}\n",
            "~~~ liquid\n{% if a %}\n~~~\n",
        ] {
            assert_eq!(markdown(text), text);
        }
        assert_eq!(markdown("`a %%` and %%b%% and `c %%`"), "`a %%` and  and `c %%`");
    }

    #[test]
    fn shortcodes_of_hugo_and_zola() {
        for (given, expected) in [
            ("{{< figure src=\"/a.png\" alt=\"A\" caption=\"By the sea\" >}}", "![A](</a.png>)\n\n*By the sea*\n"),
            ("{{< youtube w7Ft2ymGmfc >}}", "<https://www.youtube.com/watch?v=w7Ft2ymGmfc>"),
            ("{{ youtube(id=\"w7Ft2ymGmfc\") }}", "<https://www.youtube.com/watch?v=w7Ft2ymGmfc>"),
            ("{{< vimeo id=\"146022717\" >}}", "<https://vimeo.com/146022717>"),
            ("{{% notice tip %}}\nText *here*\n{{% /notice %}}", "\nText *here*\n"),
            ("{% quote(author=\"Ann\") %}\nText\n{% end %}", "<blockquote>\n\n\nText\n\n— Ann\n\n</blockquote>\n\n"),
            (
                "{% blockquote Ann Lee, The Sea %}\nText\n{% endblockquote %}",
                "<blockquote>\n\n\nText\n\n— Ann Lee, The Sea\n\n</blockquote>\n\n",
            ),
            ("a {{< quote \"Ann\" >}}b{{< /quote >}} c", "a b — Ann c"),
            ("{{< details summary=\"More\" >}}\nText\n{{< /details >}}", "\n\n**More**\n\n\nText\n"),
            ("{% codeblock Two words lang:js %}\nx\n{% endcodeblock %}", "\n\n*Two words*\n\n\n```js\nx\n```\n"),
            (
                "{{< figure src=\"a.png\" title=\"T\" caption=\"C\" attr=\"By Ann\" >}}",
                "![](<a.png>)\n\n*T: C (By Ann)*\n",
            ),
            (
                "See [the page]({{< ref \"a.md\" >}}) and [it]({{< relref \"a.md\" >}}#b).",
                "See [the page](note:a.md) and [it](note:a.md#b).",
            ),
            ("{{</* figure */>}} is how", "{{< figure >}} is how"),
            ("a {{/* private */}} b{{- /* {{ x }} more */ -}}", "a  b"),
            ("foo}{{/* private */}} and {{/* never closed\n\nmore", "foo} and "),
            ("a {{< comment >}}private{{< /comment >}} b", "a  b"),
            ("{{< highlight go \"linenos=1\" >}}\na := `b`\n{{< /highlight >}}", "\n```go\na := `b`\n```\n"),
            ("{{< gallery\n  match=\"*\"\n>}}", ""),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn tags_of_jekyll() {
        for (given, expected) in [
            ("![a]({{ site.baseurl }}/a.png)", "![a](/a.png)"),
            ("![a]({{ \"/a.png\" | relative_url }})", "![a](/a.png)"),
            (
                "[a]({% post_url 2024-05-01-a %}) [b]({% link _posts/b.md %})",
                "[a](note:2024-05-01-a) [b](note:_posts/b.md)",
            ),
            ("See {% post_link b-c %}.", "See [b-c](<note:b-c>)."),
            ("{% post_link b \"The [B]\" true %}", "[The  B](<note:b>)"),
            ("{% asset_img left b.png 300 \"A boat\" %}", "![A boat](<b.png>)"),
            ("{% asset_link b.pdf The paper %}", "[The paper](<b.pdf>)"),
            ("[x]({% asset_path b.pdf %})", "[x](b.pdf)"),
            ("{% set x = 1 %}a{% set y %}not prose{% endset %}b{% capture z %}nor this{% endcapture %}c", "abc"),
            ("a <{{ url }}> b <{{ tag }} class=\"x\">c</{{ tag }}>", "a  b c"),
            ("{% highlight ruby linenos %}\nputs '{{ x }}'\n{% endhighlight %}", "\n```ruby\nputs '{{ x }}'\n```\n"),
            ("{% raw %}{{ shown }}{% endraw %}", "{{ shown }}"),
            ("a{% comment %} private {% endcomment %}b", "ab"),
            ("{% include toc.html %}Text{{ page.title }}", "Text"),
            ("{% if a %}Yes{% endif %}", "Yes"),
            ("* TOC\n{:toc}\n\nText\n{: .lead}", "\n\nText\n"),
            ("![a](b.png){: width=\"3\"} c", "![a](b.png) c"),
            ("![a](b.png){:width=\"100%\"}", "![a](b.png)"),
            ("![a](b){: style=\"border:0; float:right\" width=\"9\"}Text", "![a](b)Text"),
            ("[![B](c){:\n.icon width=\"70\"}][d] A book.", "[![B](c)][d] A book."),
            ("> Quote\n> {: .wide}\n\nText", "> Quote\n> \n\nText"),
            ("## Get /users/{id}\n\n{id}", "## Get /users/&#123;id}\n\n{id}"),
            ("## Named {#own .wide}", "## Named {#own .wide}"),
            ("## Head {-}\n\nText {-}", "## Head \n\nText {-}"),
            ("{{ \"now\" | date: \"%Y\" }} {{ \"a\" | upcase }}", " a"),
            ("!!! note \"T\"\n    A\n\nB", "\n\n**T**\n\n\nA\n\nB"),
            ("## Title {: .no_toc}\n\n- {:.a} item\n{:wide: .b}\n", "## Title \n\n-  item\n\n"),
            ("a{::comment}private{:/comment}b {::nomarkdown}<i>c</i>{:/} {::options a=\"b\" /}", "ab <i>c</i> "),
            ("![a](b.png){.wide width=50%} [x](y){target=\"_blank\"}", "![a](b.png) [x](y)"),
            ("[TOC]\n\nText [TOC] here", "\n\nText [TOC] here"),
            ("::: tip\nText\n:::\nMore ::: here", "\n\nText\n\n\nMore ::: here"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn text_that_only_looks_like_an_addition_stays() {
        for text in
            ["$\\frac{{a}}{{b}}$", "{ {", "100 % %", "a {:x} b", "open {{ brace", "{%", "]] [[", "x^{{2}}", "^abc"]
        {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn in_a_page_additions_become_html() {
        let html = |text: &str| plain(text, Dialect::Html, 1).0.into_owned();
        assert_eq!(
            html("{{< figure src=\"/a.png\" alt=\"A\" caption=\"Cap\" >}}"),
            "<p><img src=\"/a.png\" alt=\"A\"></p><p><em>Cap</em></p>"
        );
        let address = "https://www.youtube.com/watch?v=w7F";
        assert_eq!(html("{{< youtube w7F >}}"), format!("<a href=\"{address}\">{address}</a>"));
    }

    #[test]
    fn a_list_with_a_class_stays() {
        assert_eq!(markdown("* Apples\n* Pears\n{: .stock-list}\n"), "* Apples\n* Pears\n\n");
    }

    #[test]
    fn marks_without_an_end_take_linear_time() {
        for mark in ["[[", "{{ ", "{{a}}", "`a` [", "[!a", "{:", "[TOC]", "%%a%%", "{% ", "{{/*", " ^", "![[", "5%%"] {
            let text = format!("{{% highlight c %}}{}", mark.repeat(10_000));
            plain(&text, Dialect::Markdown, 1);
            plain(&text[17..], Dialect::Markdown, 1);
        }
        plain(&format!("{}{}", "a".repeat(100_000), "{{a}}".repeat(20_000)), Dialect::Markdown, 1);
    }

    #[test]
    fn locked_bodies_are_left_out_and_reported() {
        for text in [
            "a\n\n{{% hugo-encryptor \"pw\" %}}\nSECRET\n\nSECRET\n{{% /hugo-encryptor %}}\n\nb",
            "a\n\n{% encrypt 123 %}SECRET{% endencrypt %}\n\nb",
            "a\n\n{{< private >}}SECRET{{< /private >}}\n\nb",
            "a\n\n{{< members-only >}}SECRET{{</members-only>}}\n\nb",
            "a\n\n{% password_protected() %}SECRET{% end %}\n\nb",
            "a\n\n{% draft %}SECRET{% enddraft %}\n\nb",
            "a\n\n{{< Locked >}}SECRET{{< /Locked >}}\n\nb",
        ] {
            let (shown, problem) = plain(text, Dialect::Markdown, 1);
            assert_eq!(shown, "a\n\n\n\nb", "{text}");
            let problem = problem.unwrap();
            assert_eq!(problem.line, Some(3));
            assert!(problem.message.contains("not for the public"), "{problem}");
        }
        for text in [
            "a{{< unlocked >}}b{{< /unlocked >}}",
            "a{% hideToggle More %}b{% endhideToggle %}",
            "a{{< hidden >}}b",
            "a{{< block >}}b{{< /block >}}",
        ] {
            assert_eq!(markdown(text), "ab", "{text}");
        }
        assert_eq!(markdown("`{{< private >}}a{{< /private >}}`"), "`{{< private >}}a{{< /private >}}`");
    }

    #[test]
    fn removed_calls_are_reported_with_their_line() {
        let (_, problem) = plain("One\n\n{{< gallery >}} {% include x %}\n", Dialect::Markdown, 10);
        let problem = problem.unwrap();
        assert_eq!(problem.line, Some(12));
        assert!(problem.message.starts_with("`gallery` and 1 more: "), "{problem}");
        assert_eq!(
            plain("{{< notice >}}a{{< /notice >}} {{ site.url }}", Dialect::Markdown, 1).1.map(|p| p.line),
            Some(Some(1))
        );
        assert_eq!(
            plain("{% highlight c %}x{% endhighlight %}", Dialect::Html, 1).0,
            "<pre><code class=\"language-c\">x\n</code></pre>"
        );
    }
}
