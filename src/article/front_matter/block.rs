//! Finds front matter at the start of a text and parses its syntax.

use super::flat;
use super::key::Key;
use super::lock::{self, Judgement};
use super::nikola;
use super::page::PageKeys;
use super::typo::{self, Meant};
use super::value::{AnyFields, Fields, Value};
use crate::article::problem::Problem;
use crate::folder::SourceFormat;

/// Maximum length of front matter, in bytes. A longer block is text that begins like front matter.
const MAX_BLOCK: usize = 64 << 10;

/// The meanings of the lines of a title block of Pandoc.
const PERCENT: [&str; 3] = ["title", "author", "date"];

/// Keys and values in the order of the file.
pub type KeyValues = Vec<(String, Value)>;

/// The syntax of front matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// Between lines of `---`.
    Yaml,
    /// Between lines of `+++`.
    Toml,
    /// An object; or its content up to a line of `;;;`, as in Hexo.
    Json,
    /// Lines of `#+KEY: value`.
    Org,
    /// Lines of `Key: value` up to a blank one, as in `MultiMarkdown` and Pelican.
    Colons,
    /// Lines of `.. key: value`, in Markdown within a comment, as in Nikola.
    Dots,
    /// Lines of `key:: value` at the start of a page, as in Logseq.
    Properties,
    /// Up to three lines of `% value`, as in Pandoc.
    Percent,
}

/// Front matter that is not parsed yet.
#[derive(Debug)]
pub struct FrontMatter<'a> {
    syntax: Syntax,
    /// The text between the delimiters.
    pub text: &'a str,
    /// Line of the file that `text` starts on.
    pub first_line: usize,
    /// The text after the block.
    pub rest: &'a str,
    /// Line of the file that `rest` starts on.
    pub rest_line: usize,
}

impl<'a> FrontMatter<'a> {
    /// Finds front matter; blank lines may precede it.
    pub fn find(text: &'a str, format: SourceFormat) -> Option<Self> {
        let start = text.find(|c: char| !c.is_whitespace())?;
        let start = text[..start].rfind('\n').map_or(0, |line_feed| line_feed + 1);
        let line = 1 + text[..start].matches('\n').count();
        let first = text[start..].lines().next()?.trim_end();
        match first {
            first if first.starts_with("---") && fence(first).is_some() => {
                Self::between(text, start, line, fence(first)?, &["---", "..."])
            }
            "+++" => Self::between(text, start, line, Syntax::Toml, &["+++"]),
            first if first.starts_with("#+") => Self::of_lines(text, start, line, Syntax::Org),
            first if is_dotted(first) => Self::of_lines(text, start, line, Syntax::Dots).filter(Self::is_certain),
            "<!--" => Self::in_comment(text, start, line).filter(Self::is_certain),
            first if first.trim_start().starts_with('"') => Self::hexo(text, start, line),
            first if first.trim_start().starts_with('{') => Self::json(text, start, line),
            first if format == SourceFormat::Markdown && is_property(first) => {
                Self::of_lines(text, start, line, Syntax::Properties).filter(Self::is_certain)
            }
            first if format == SourceFormat::Markdown && is_percent(first) => {
                Self::of_lines(text, start, line, Syntax::Percent).filter(Self::is_certain)
            }
            _ if format == SourceFormat::Markdown => {
                Self::of_lines(text, start, line, Syntax::Colons).filter(Self::is_certain)
            }
            _ => None,
        }
    }

    /// A whole file of keys and values; `ending` is the extension of its name.
    pub fn whole(text: &'a str, ending: &str) -> Self {
        let syntax = match ending {
            "json" => Syntax::Json,
            "toml" => Syntax::Toml,
            _ => Syntax::Yaml,
        };
        Self { syntax, text, first_line: 1, rest: "", rest_line: 1 }
    }

    fn new(
        text: &'a str,
        span: std::ops::Range<usize>,
        first_line: usize,
        rest: usize,
        syntax: Syntax,
    ) -> Option<Self> {
        let rest_line = first_line + text[span.start..rest].matches('\n').count();
        let block = Self { syntax, text: &text[span.clone()], first_line, rest: &text[rest..], rest_line };
        (span.len() <= MAX_BLOCK).then_some(block)
    }

    fn between(text: &'a str, start: usize, line: usize, syntax: Syntax, ends: &[&str]) -> Option<Self> {
        let start = start + text[start..].find('\n')? + 1;
        let mut end = start;
        for next in text[start..].split_inclusive('\n') {
            if ends.contains(&next.trim_end()) {
                return Self::new(text, start..end, line + 1, end + next.len(), syntax);
            }
            end += next.len();
            if end - start > MAX_BLOCK {
                return None;
            }
        }
        None
    }

    /// Finds lines of `.. key: value` in a comment.
    fn in_comment(text: &'a str, start: usize, line: usize) -> Option<Self> {
        let start = start + text[start..].find('\n')? + 1;
        let end = start + text[start..].find("-->")?;
        let mut lines = text[start..end].lines().filter(|line| !line.trim().is_empty());
        let rest = text[end..].find('\n').map_or(text.len(), |line_feed| end + line_feed + 1);
        let is_comment_only = text[end..rest].trim() == "-->" && lines.clone().next().is_some() && lines.all(is_dotted);
        Self::new(text, start..end, line + 1, rest, Syntax::Dots).filter(|_| is_comment_only)
    }

    /// Finds leading lines of one syntax. Org front matter ends before any other line, the other syntax at a blank line.
    fn of_lines(text: &'a str, start: usize, line: usize, syntax: Syntax) -> Option<Self> {
        let mut end = start;
        // Blank lines before this place are followed by a key. The search for it would be repeated for each blank line.
        let mut key_after_blanks = start;
        for next in text[start..].split_inclusive('\n') {
            let belongs = match syntax {
                Syntax::Org if next.trim().is_empty() => {
                    let rest = || text[end..].trim_start();
                    if end >= key_after_blanks && rest().lines().next().is_some_and(is_org_key) {
                        key_after_blanks = text.len() - rest().len();
                    }
                    end < key_after_blanks
                }
                Syntax::Org => is_org_key(next),
                Syntax::Dots => is_dotted(next),
                Syntax::Properties => is_property(next),
                Syntax::Percent => {
                    is_percent(next) || (end > start && next.starts_with(' ') && !next.trim().is_empty())
                }
                // An indented line continues the previous value.
                _ => (next.starts_with([' ', '\t']) && end > start && !next.trim().is_empty()) || is_pair(next),
            };
            if !belongs {
                if syntax == Syntax::Colons && !next.trim().is_empty() {
                    return None;
                }
                break;
            }
            end += next.len();
        }
        Self::new(text, start..end, line, end, syntax).filter(|_| end > start)
    }

    fn json(text: &'a str, start: usize, line: usize) -> Option<Self> {
        // A shortcode or ordinary text may start with a brace too.
        let inside = text[start..].trim_start()[1..].trim_start();
        if !inside.starts_with(['"', '}']) {
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<serde::de::IgnoredAny>();
        let end = match values.next()? {
            Ok(_) => start + values.byte_offset(),
            // Invalid JSON extends to its closing line, so that the error can be reported.
            Err(_) => start + text[start..].find("\n}").filter(|end| !text[start..start + end].contains("\n\n"))? + 2,
        };
        let after = &text[end..];
        let rest_of_line = after.find('\n').map_or(after.len(), |line_feed| line_feed + 1);
        let closed = matches!(after[..rest_of_line].trim(), "" | ";;;");
        let mut rest = end + rest_of_line;
        if let Some(next) = text[rest..].lines().next().filter(|next| next.trim_end() == ";;;") {
            rest = (rest + next.len() + 1).min(text.len());
        }
        Self::new(text, start..end, line, rest, Syntax::Json).filter(|_| closed)
    }

    /// Finds the content of an object up to a line of `;;;`.
    fn hexo(text: &'a str, start: usize, line: usize) -> Option<Self> {
        let mut end = start;
        for next in text[start..].split_inclusive('\n') {
            if next.trim_end() == ";;;" {
                return Self::new(text, start..end, line, end + next.len(), Syntax::Json);
            }
            end += next.len();
            if end - start > MAX_BLOCK {
                return None;
            }
        }
        None
    }

    /// Whether lines of `Key: value` are front matter. Ordinary text may start like this, so two known keys are required, one of
    /// them a title or a date. Of `.. key: value`, which no text starts with, one known key is enough; of `key:: value`, which is a field
    /// of a note in other programs, it has to be a title, a date, or about publication.
    fn is_certain(&self) -> bool {
        let pairs = || self.text.lines().filter_map(|line| line.split_once(':'));
        let names = || pairs().map(|(name, _)| bare(name));
        let makes_page = |name: &str, value: &str| PageKeys::decides(name, &Value::Text(value.trim().to_owned()));
        let is_known = |(name, value): &(&str, &str)| {
            let name = bare(name);
            Key::of(name).is_some() || lock::is_about_publication(name) || makes_page(name, value)
        };
        let known = pairs().filter(is_known).count();
        let has_head = || names().any(|name| matches!(Key::of(name), Some(Key::Title | Key::Published)));
        let decides = |name: &str| match Key::of(name) {
            Some(Key::Status) => false,
            Some(key) => key.is_state(),
            None => lock::is_about_publication(name),
        };
        let is_unfinished = |line: &str| self.syntax == Syntax::Properties && is_unfinished_status(line);
        match self.syntax {
            Syntax::Dots => known > 0,
            // One line alone may be prose.
            Syntax::Percent => matches!(self.text.lines().filter(|line| is_percent(line)).count(), 2 | 3),
            Syntax::Properties => has_head() || names().any(decides) || self.text.lines().any(is_unfinished),
            _ => known >= 2 && has_head(),
        }
    }

    /// Whether the delimiters alone identify front matter.
    pub fn is_fenced(&self) -> bool {
        matches!(self.syntax, Syntax::Yaml | Syntax::Toml)
    }

    /// Parses the keys and values. `None` if the content is not a mapping: the delimiters are then horizontal rules of the text.
    ///
    /// # Errors
    /// The syntax is invalid.
    pub fn parse(&self) -> Result<Option<KeyValues>, Problem> {
        let parsed = match self.syntax {
            Syntax::Yaml => self.parse_yaml(),
            Syntax::Toml => self.parse_toml(),
            Syntax::Json => self.parse_json(),
            Syntax::Org => Ok(Some(self.parse_org())),
            Syntax::Colons => Ok(Some(self.parse_colons())),
            Syntax::Dots => Ok(Some(self.parse_dots())),
            Syntax::Properties => Ok(Some(self.parse_properties())),
            Syntax::Percent => Ok(Some(self.parse_percent())),
        };
        match parsed {
            Err(_) if !self.text.lines().any(is_key) => Ok(None),
            other => other,
        }
    }

    fn parse_yaml(&self) -> Result<Option<KeyValues>, Problem> {
        flat::parse(self.text).map_or_else(|| self.parse_any_yaml(), |fields| Ok(Some(fields)))
    }

    /// Parses YAML of any form.
    pub(super) fn parse_any_yaml(&self) -> Result<Option<KeyValues>, Problem> {
        let options = serde_saphyr::options! {
            duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
            with_snippet: false,
        };
        if self.text.trim().is_empty() {
            return Ok(Some(Vec::new()));
        }
        // If a value has the wrong type, such as a list in place of a text, all values are read unconverted.
        let typed = serde_saphyr::from_str_with_options::<Fields>(self.text, options.clone()).map(|fields| fields.0);
        let plain = || serde_saphyr::from_str_with_options::<AnyFields>(self.text, options).map(|fields| fields.0);
        typed.or_else(|error| plain().map_err(|_| error)).map(Some).map_err(|error| {
            let line = error.location().and_then(|place| usize::try_from(place.line()).ok()).unwrap_or(1).max(1);
            // The line in the message is relative to the block.
            let reason = first_line(&error.to_string());
            let reason = reason.split(" at line ").next().unwrap_or_default();
            let message = format!("the front matter is not YAML: {reason}; put the value in quotes");
            Problem::at(self.first_line + line - 1, message)
        })
    }

    fn parse_toml(&self) -> Result<Option<KeyValues>, Problem> {
        toml::from_str::<Fields>(self.text).map(|fields| Some(fields.0)).map_err(|error| {
            let before = error.span().map_or(0, |span| self.text[..span.start].matches('\n').count());
            let reason = first_line(error.message());
            Problem::at(self.first_line + before, format!("the front matter is not TOML: {reason}"))
        })
    }

    fn parse_json(&self) -> Result<Option<KeyValues>, Problem> {
        let inside = self.text.trim_start();
        let object = if inside.starts_with('{') { self.text.to_owned() } else { format!("{{{}}}", self.text) };
        serde_json::from_str::<AnyFields>(&object).map(|fields| Some(fields.0)).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.split(" at line").next().unwrap_or_default();
            let line = self.first_line + error.line().saturating_sub(1);
            Problem::at(line, format!("the front matter is not JSON: {reason}"))
        })
    }

    fn parse_org(&self) -> KeyValues {
        let pairs = self.text.lines().filter_map(|line| line.strip_prefix("#+")?.split_once(':'));
        let pairs = pairs.map(|(key, value)| {
            let value = value.trim();
            let tags = Key::of(key) == Some(Key::Tags);
            // `:sea:news:`, or words separated by spaces.
            let list = |value: &str| value.split([':', ' ']).filter(|tag| !tag.is_empty()).map(text).collect();
            (key.trim().to_owned(), if tags { Value::List(list(value)) } else { text(value) })
        });
        pairs.collect()
    }

    fn parse_colons(&self) -> KeyValues {
        let mut pairs: KeyValues = Vec::new();
        for line in self.text.lines() {
            match (line.split_once(':').filter(|_| is_pair(line)), pairs.last_mut()) {
                (Some((key, value)), _) => pairs.push((key.trim().to_owned(), text(value.trim()))),
                (None, Some((_, Value::Text(value)))) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                _ => {}
            }
        }
        pairs
    }

    fn parse_dots(&self) -> KeyValues {
        let pairs = self.text.lines().filter_map(|line| line.split_once(':'));
        let mut pairs = pairs.map(|(key, value)| (bare(key).to_owned(), text(value.trim()))).collect();
        nikola::read_tags(&mut pairs);
        pairs
    }

    /// Reads the title, the authors and the date, in this order.
    fn parse_percent(&self) -> KeyValues {
        let mut values: Vec<String> = Vec::new();
        for line in self.text.lines() {
            let number = values.len();
            match (line.strip_prefix('%'), values.last_mut()) {
                (Some(value), _) => values.push(value.trim().to_owned()),
                (None, Some(value)) => {
                    value.push_str(if number == 2 { "; " } else { " " });
                    value.push_str(line.trim());
                }
                (None, None) => {}
            }
        }
        let pairs = PERCENT.into_iter().zip(values).filter(|(_, value)| !value.is_empty());
        pairs.map(|(key, value)| (key.to_owned(), text(&value))).collect()
    }

    fn parse_properties(&self) -> KeyValues {
        // Many a note has a status of its own, so only a clear one counts.
        let is_read = |line: &&str| key_of(line).and_then(Key::of) != Some(Key::Status) || is_unfinished_status(line);
        let pairs = self.text.lines().filter(is_read).filter_map(|line| line.split_once("::"));
        pairs.map(|(key, value)| (key.trim().to_owned(), text(value.trim()))).collect()
    }

    fn separator(&self) -> char {
        if self.syntax == Syntax::Toml { '=' } else { ':' }
    }

    /// Returns the line of a key in the file, or of `outer.inner`, a key in a table; the first line of the front matter if there is
    /// none.
    pub fn line_of(&self, name: &str) -> usize {
        let find = |name: &str, from: usize| {
            let is_line = |line: &str| {
                let line = line.trim_start();
                let is_table = line.strip_prefix('[').is_some_and(|rest| rest.trim_end() == format!("{name}]"));
                is_table || line.split_once(self.separator()).is_some_and(|(key, _)| bare(key) == name)
            };
            self.text.lines().skip(from).position(is_line).map(|line| from + line)
        };
        let inner_line = || {
            let (outer, inner) = name.split_once('.')?;
            let outer = find(outer, 0)?;
            Some(find(inner, outer).unwrap_or(outer))
        };
        // Nikola's state is among the tags.
        let tags_line = || if self.syntax == Syntax::Dots && name == "status" { find("tags", 0) } else { None };
        let percent_line = || {
            let number = PERCENT.iter().position(|key| *key == name).filter(|_| self.syntax == Syntax::Percent)?;
            let mut lines = self.text.lines().enumerate().filter(|(_, line)| line.starts_with('%'));
            lines.nth(number).map(|(line, _)| line)
        };
        let line = find(name, 0).or_else(inner_line).or_else(tags_line).or_else(percent_line);
        self.first_line + line.unwrap_or(0)
    }

    /// Returns the number of the next line of the block with a key or a table of this name, from 0.
    pub fn next_line(&self, name: &str, from: usize) -> Option<usize> {
        let is_line = |line: &str| {
            let line = line.trim_start().trim_start_matches("- ").trim_start();
            let table = line.trim_start_matches('[').trim_end().trim_end_matches(']');
            let is_table = line.starts_with('[') && table.rsplit('.').next() == Some(name);
            is_table || line.split_once(self.separator()).is_some_and(|(key, _)| bare(key) == name)
        };
        self.text.lines().skip(from).position(is_line).map(|line| from + line)
    }

    /// Returns the first line of the file that has a key which decides about publication, with either separator.
    pub fn state_line(&self) -> Option<usize> {
        let line = self.text.lines().position(|line| key_of(line).and_then(Key::of).is_some_and(Key::is_state))?;
        Some(self.first_line + line)
    }

    /// Returns the first line of the file that could mark a draft.
    pub fn mentions_draft(&self) -> Option<usize> {
        const WORDS: [&str; 5] = ["draft", "private", "publish", "status", "hidden"];
        let line = self.text.lines().position(|line| {
            let lower = line.to_lowercase();
            WORDS.iter().any(|word| lower.contains(word)) || may_hold(line)
        })?;
        Some(self.first_line + line)
    }

    /// Reads the simple keys of invalid front matter, line by line.
    pub fn salvage(&self) -> KeyValues {
        let unquoted = |text: &str| unquoted(text.trim().trim_end_matches(',').trim()).to_owned();
        let indented = |line: &str| self.syntax != Syntax::Json && line.starts_with([' ', '\t', '-']);
        self.text
            .lines()
            .filter(|line| is_key(line) && !indented(line))
            .filter_map(|line| line.split_once(self.separator()))
            .map(|(key, value)| {
                let value = unquoted(value);
                let list = value.strip_prefix('[').map(|value| value.strip_suffix(']').unwrap_or(value));
                let value = match list {
                    Some(list) => Value::List(list.split(',').map(|item| Value::Text(unquoted(item))).collect()),
                    None => Value::Text(value),
                };
                (bare(key).to_owned(), value)
            })
            .collect()
    }
}

/// A text without the quotes around it, if they belong together: not of `"Why?" she said: "Because."`, nor of `'twas`.
fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inside| !inside.contains(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// Whether a line starts with a known key, with either separator: if in doubt, a file is held rather than published.
fn is_key(line: &str) -> bool {
    key_of(line).is_some_and(|name| Key::of(name).is_some())
}

/// Whether a line of invalid front matter has a key that may keep the article from the public.
fn may_hold(line: &str) -> bool {
    let Some((key, value)) = line.split_once([':', '=']) else { return false };
    let (name, value) = (bare(key), value.trim().trim_end_matches(',').trim_matches(['"', '\'']));
    let judgement = || lock::judge(name, &Value::Text(value.to_owned()));
    let is_lock = match value {
        // A table or a list may follow.
        "" | "|" | ">" => lock::is_about_publication(name),
        _ => matches!(judgement(), Some(Judgement::Held(_) | Judgement::Doubtful)),
    };
    is_lock || (Key::of(name).is_none() && typo::meant(name).is_some_and(Meant::decides))
}

/// Whether a line is `.. key: value`, and no directive such as `.. note::`.
fn is_dotted(line: &str) -> bool {
    line.strip_prefix(".. ").and_then(|rest| rest.split_once(':')).is_some_and(|(key, value)| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !key.is_empty() && !key.starts_with('_') && key.bytes().all(is_name) && !value.starts_with(':')
    })
}

/// Whether a property says that a page is not finished: `status:: draft`.
fn is_unfinished_status(line: &str) -> bool {
    let pair = line.split_once("::").filter(|(key, _)| Key::of(key.trim()) == Some(Key::Status));
    pair.is_some_and(|(_, value)| lock::is_unfinished(&text(value.trim())))
}

/// Whether a line is `% value` or a `%` alone.
fn is_percent(line: &str) -> bool {
    line.trim_end().strip_prefix('%').is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Whether a line opens front matter in a language of scripts, as Eleventy reads it.
pub fn is_script(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| {
        matches!(
            rest.trim(),
            "js" | "javascript" | "jsLegacy" | "ts" | "typescript" | "coffee" | "coffeescript" | "cson"
        )
    })
}

/// Whether a line is `key:: value`.
fn is_property(line: &str) -> bool {
    line.trim_end().split_once("::").is_some_and(|(key, value)| {
        let is_name = |letter: char| letter.is_alphanumeric() || "-_./".contains(letter);
        !key.is_empty() && key.chars().all(is_name) && (value.is_empty() || value.starts_with(' '))
    })
}

fn is_org_key(line: &str) -> bool {
    line.strip_prefix("#+").is_some_and(|rest| rest.split_once(':').is_some_and(|(key, _)| !key.contains(' ')))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Reads an opening line of `---`. It is followed by nothing or a comment (YAML), or by the name of the syntax.
fn fence(line: &str) -> Option<Syntax> {
    match line.strip_prefix("---")?.trim() {
        "" | "yaml" | "yml" => Some(Syntax::Yaml),
        "json" => Some(Syntax::Json),
        "toml" => Some(Syntax::Toml),
        comment if comment.starts_with('#') => Some(Syntax::Yaml),
        _ => None,
    }
}

/// Returns the key at the start of a line, with either separator.
pub fn key_of(line: &str) -> Option<&str> {
    line.split_once([':', '=']).map(|(key, _)| bare(key))
}

/// Strips quotes and prefixes from a key. A `#` with a space belongs to a heading, not a key.
fn bare(key: &str) -> &str {
    let key = key.trim();
    let key = key.strip_prefix("#+").or_else(|| key.strip_prefix(".. ")).unwrap_or(key);
    key.trim_start_matches(['{', ' ']).trim_matches(['"', '\''])
}

/// Whether a line is `Key: value` with a key of at most three plain words.
pub fn is_pair(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, value)| {
        let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let plain = !key.is_empty() && key.split(' ').all(|word| !word.is_empty() && is_word(word));
        plain && key.split(' ').count() <= 3 && !value.starts_with("//") && !value.starts_with(':')
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
