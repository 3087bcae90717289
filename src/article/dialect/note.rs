//! What Obsidian adds to Markdown: links to notes and files by their names, marked words, names of paragraphs.

use super::Scanner;
use super::code::Dialect;
use crate::article::address::note_link;
use crate::folder::media::media_type;
use crate::model::text::escape;

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
        // Indexes in many programming languages, links with brackets in their text, and tests of a shell.
        let glued = self.out.ends_with(|c: char| c.is_alphanumeric() || c == ')' || c == ']');
        let is_value =
            inside.chars().all(|c| c.is_ascii_digit() || ".,-".contains(c)) || inside.starts_with(['"', '\'']);
        if glued || is_value || inside.trim().is_empty() || inside.starts_with(' ') || is_text_of_link(after) {
            return false;
        }
        let (target, words) = inside.split_once('|').map_or((inside, None), |(target, words)| (target, Some(words)));
        let target = target.trim_end_matches('\\');
        if embeds {
            self.embed(target, words.unwrap_or_default());
        } else if !inside.eq_ignore_ascii_case("toc") && inside != "_TOC_" {
            let note = target.split('#').find(|part| !part.is_empty()).unwrap_or(target);
            let words = self.within(words.unwrap_or(note).trim());
            self.note(target, &words);
        }
        self.at += open + end + 2;
        true
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
        let reach = self.reach();
        let inside = &reach[2..];
        let before = self.out.chars().next_back();
        let Some(end) = inside.find("==") else { return false };
        let (words, behind) = (&inside[..end], inside[end + 2..].chars().next());
        let is_tight =
            !words.starts_with(|c: char| c.is_whitespace() || c == '=') && !words.ends_with(char::is_whitespace);
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '=');
        if words.is_empty()
            || !is_tight
            || words.contains("\n\n")
            || words.contains('`')
            || is_word(before)
            || is_word(behind)
        {
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
