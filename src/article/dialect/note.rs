//! What Obsidian adds to Markdown: links to notes and files by their names, marked words, names of paragraphs.

use super::Scanner;
use super::code::Dialect;
use super::script::is_glue;
use crate::article::address::note_link;
use crate::article::html;
use crate::folder::media::media_type;
use crate::model::text::escape;

/// Longest marked text, in bytes.
const LONGEST_MARKED: usize = 1_000;

/// The kind of a file that a note shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EmbeddedKind {
    Picture,
    Audio,
    Video,
    Other,
}

impl Scanner<'_> {
    /// Replaces `[[note|words]]` with a link, and `![[picture.png]]` with a picture.
    pub(super) fn wiki_link(&mut self) -> bool {
        let embeds = self.rest().starts_with('!');
        let open = if embeds { 3 } else { 2 };
        let reach = &self.reach()[open..];
        let Some(end) = reach.find([']', '\n', '[']).filter(|end| reach[*end..].starts_with("]]")) else {
            return false;
        };
        let (inside, after) = (&reach[..end], &self.rest()[open + end + 2..]);
        // Logseq and Roam write `[words]([[note]])`.
        if !embeds && self.out.ends_with("](") && after.starts_with(')') {
            self.out.push_str(&format!("<{}>", note_link(inside.trim())));
            self.at += open + end + 2;
            return true;
        }
        // Indexes in many programming languages, links with brackets in their text, and tests of a shell.
        let is_index = self.out.ends_with([')', ']']) || inside.starts_with(['"', '\'']);
        if is_index || inside.trim().is_empty() || inside.starts_with(' ') || is_text_of_link(after) {
            return false;
        }
        let is_glued = self.out.chars().next_back().is_some_and(is_glue);
        let is_number = inside.chars().all(|c| c.is_ascii_digit() || ".,-".contains(c)) && !is_date(inside);
        let is_toc = inside.eq_ignore_ascii_case("toc") || inside == "_TOC_";
        if is_glued || is_number {
            if embeds || is_toc || inside.len() < 2 {
                return false;
            }
            self.note_if_there(inside);
            self.at += open + end + 2;
            return true;
        }
        let (target, words) = inside.split_once('|').map_or((inside, None), |(target, words)| (target, Some(words)));
        let target = target.trim_end_matches('\\');
        if embeds {
            self.embed(target, words.unwrap_or_default());
        } else if !is_toc {
            let note = target.split('#').find(|part| !part.is_empty()).unwrap_or(target);
            let words = self.within(words.unwrap_or(note).trim());
            self.note(target, &words);
        }
        self.at += open + end + 2;
        true
    }

    /// Writes what is a link if there is such a note, and else an index in a programming language, as in `list[[name]]`.
    fn note_if_there(&mut self, inside: &str) {
        let (target, words) = inside.split_once('|').unwrap_or((inside, inside));
        let (target, words) = (target.trim_end_matches('\\').trim(), words.trim());
        let is_note = self.is_note();
        let (address, raw) = (note_link(target), format!("[[{inside}]]"));
        // One of both is shown, which is known later.
        let (shown, attribute, other) =
            if is_note { (words, html::RAW_LINK, &*raw) } else { (&*raw, html::LINK_WORDS, words) };
        let other = super::quoted(other);
        self.out.push_str(&format!("<a href=\"{address}\" {attribute}=\"{other}\">{}</a>", literal(shown)));
    }

    /// Writes a link to a note.
    pub(super) fn note(&mut self, target: &str, words: &str) {
        let target = target.trim();
        if target.is_empty() || words.is_empty() {
            self.out.push_str(words);
            return;
        }
        let address = note_link(target);
        match self.dialect {
            Dialect::Markdown => {
                let words = words.replace('[', "\\[").replace(']', "\\]");
                self.out.push_str(&format!("[{words}](<{address}>)"));
            }
            Dialect::Html => self.out.push_str(&format!("<a href=\"{address}\">{}</a>", escape(words))),
        }
    }

    fn embed(&mut self, target: &str, words: &str) {
        let file = target.split('#').next().unwrap_or(target);
        let name = file.rsplit('/').next().unwrap_or(file);
        let source = super::quoted(&note_link(file));
        match kind_of(file) {
            Some(EmbeddedKind::Picture) => {
                // A number is the width of the picture.
                let is_size = words.bytes().all(|byte| byte.is_ascii_digit() || byte == b'x');
                self.picture(target, if is_size { "" } else { words }, "");
            }
            Some(EmbeddedKind::Audio) => self.out.push_str(&format!("<audio controls src=\"{source}\"></audio>")),
            Some(EmbeddedKind::Video) => self.out.push_str(&format!("<video controls src=\"{source}\"></video>")),
            Some(EmbeddedKind::Other) => self.note(target, if words.is_empty() { name } else { words }),
            // Another note, which has a page of its own.
            None => {
                let note = target.split('#').find(|part| !part.is_empty()).unwrap_or(target);
                self.note(target, if words.is_empty() { note } else { words });
            }
        }
    }

    /// Replaces `==words==` with marked words.
    pub(super) fn marked(&mut self) -> bool {
        let reach = &self.rest()[..self.rest().floor_char_boundary(LONGEST_MARKED)];
        let inside = &reach[2..];
        let before = self.out.chars().next_back();
        let Some(end) = inside.find("==") else { return false };
        let (words, behind) = (&inside[..end], inside[end + 2..].chars().next());
        let is_tight =
            !words.starts_with(|c: char| c.is_whitespace() || c == '=') && !words.ends_with(char::is_whitespace);
        let is_glued = |c: Option<char>| c.is_some_and(is_glue);
        // `a==b`, `a == b`; but a part of a word may be marked in a note.
        let is_comparison = before == Some('=') || behind == Some('=') || (is_glued(before) && is_glued(behind));
        if words.is_empty() || !is_tight || words.contains("\n\n") || words.contains('`') || is_comparison {
            return false;
        }
        let is_part = is_glued(before) || is_glued(behind);
        if is_part && !(words.starts_with(char::is_alphabetic) && !words.contains(' ') && self.is_note()) {
            return false;
        }
        let marked = self.within(words);
        self.out.push_str(&format!("<mark>{marked}</mark>"));
        self.at += 2 + end + 2;
        true
    }

    /// Makes the name of a paragraph, ` ^37066d` or ` ^my-id` at the end of its line, or on a line of its own, a place that links lead to.
    pub(super) fn block_id(&mut self) -> bool {
        let rest = &self.reach()[1..];
        let id = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
        let length = 1 + id.len();
        let is_id = id.len() >= 2 && id.bytes().any(|byte| byte.is_ascii_alphabetic()) && self.ends_line(length);
        let follows = self.out.ends_with([' ', '\t']) || (self.starts_line() && !self.out.trim().is_empty());
        if !is_id || !follows {
            return false;
        }
        let name = id.to_owned();
        self.out.push_str(&format!("<span id=\"^{name}\"></span>"));
        self.at += length;
        true
    }
}

/// Whether a name is that of a daily note, `2024-01-02`.
fn is_date(name: &str) -> bool {
    let parts: Vec<usize> = name.split('-').map(str::len).collect();
    parts == [4, 2, 2] && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Text that Markdown and HTML show as it is.
fn literal(text: &str) -> String {
    let is_sign = |c: char| c.is_ascii_punctuation();
    text.chars().map(|c| if is_sign(c) { format!("&#{};", u32::from(c)) } else { c.to_string() }).collect()
}

/// Whether brackets before this text are the text of a link: `[[1]](https://a.example)`, `[[1]][ref]`.
fn is_text_of_link(after: &str) -> bool {
    let is_address = |inside: &str| {
        let address = inside.split(')').next().unwrap_or_default();
        !address.is_empty() && !address.contains(char::is_whitespace) && address.contains(['/', '.', '#', ':'])
    };
    match after.chars().next() {
        Some('(') => is_address(&after[1..]),
        Some('[') => !after.starts_with("[["),
        Some(']') => true,
        _ => false,
    }
}

fn kind_of(file: &str) -> Option<EmbeddedKind> {
    let media_type = media_type(std::path::Path::new(file))?;
    Some(match media_type.split('/').next().unwrap_or_default() {
        "image" => EmbeddedKind::Picture,
        "audio" => EmbeddedKind::Audio,
        "video" => EmbeddedKind::Video,
        _ => EmbeddedKind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::dialect::{plain, plain_note};

    #[test]
    fn marks_need_no_blanks_in_scripts_without_them() {
        for (given, expected) in [
            ("参见[[笔记]]，这是==重点==内容", "参见[笔记](<note:%E7%AC%94%E8%AE%B0>)，这是<mark>重点</mark>内容"),
            ("和图片![[图.png]]。", "和图片![](<图.png>)。"),
            ("노트[[노트]]를 ==중요==하다", "노트[노트](<note:%EB%85%B8%ED%8A%B8>)를 <mark>중요</mark>하다"),
            ("「[[笔记|别名]]」へ", "「[别名](<note:%E7%AC%94%E8%AE%B0>)」へ"),
            ("if a==b and c==d, x == y", "if a==b and c==d, x == y"),
            ("See [[2024-01-02]] for more", "See [2024-01-02](<note:2024-01-02>) for more"),
        ] {
            assert_eq!(plain(given, Dialect::Markdown, 1).0, expected, "{given}");
        }
    }

    #[test]
    fn parts_of_words_are_links_and_marked_in_a_note() {
        let note = |text: &str| plain_note(text, 1).0.into_owned();
        assert_eq!(note("==Mark==ierung, Vor==mark=="), "<mark>Mark</mark>ierung, Vor<mark>mark</mark>");
        assert_eq!(note("[[Zettel]]en"), "[Zettel](<note:Zettel>)en");
        assert_eq!(note("a==b, c==d"), "a==b, c==d");
    }

    /// A link that is glued to a word, or named by a number, may be code.
    #[test]
    fn an_uncertain_link_shows_its_words_only_if_there_is_such_a_note() {
        let shown = |text: &str, is_note: bool, page: Option<&str>| {
            let read = if is_note { crate::article::markdown::read_note } else { crate::article::markdown::read };
            let body = read(text, 1, None);
            let permalink = url::Url::parse("https://a.example/x").unwrap();
            let page = |_: &crate::article::address::LinkTarget| page.map(str::to_owned);
            let addresses = crate::article::address::Addresses {
                page: &page,
                ..crate::article::address::Addresses::of_page(&permalink)
            };
            html::sanitise(&body.html, &addresses).to_string()
        };
        let there = Some("https://a.example/z");
        let link = |words: &str| format!("<a href=\"https://a.example/z\">{words}</a>");
        for is_note in [false, true] {
            assert_eq!(shown("Vor[[Zettel]] x", is_note, there), format!("<p>Vor{} x</p>", link("Zettel")));
            assert_eq!(shown("A [[202401]] x", is_note, there), format!("<p>A {} x</p>", link("202401")));
            assert_eq!(shown("Vor[[Z_e|z*t*]]", is_note, there), format!("<p>Vor{}</p>", link("z*t*")));
            for text in ["lst[[name]] + m[[i_1]]", "x[[1]] [[12]] and [[3.14]]"] {
                assert_eq!(shown(text, is_note, None), format!("<p>{text}</p>"), "{text}");
            }
        }
    }
}
