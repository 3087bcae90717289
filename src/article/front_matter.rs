//! The block of keys before the text: YAML between `---`, TOML between `+++`, with everybody's names for the keys.

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use url::Url;

use super::{Problem, date, summary};
use crate::entry::Person;
use crate::folder::Format;

/// Longest block that is read as front matter, in bytes. Longer ones are text that happens to start like one.
const MAX_BLOCK: usize = 64 << 10;

/// What the front matter says; a key that is absent, empty or not understood is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// `title`, `headline`, `name`
    pub title: Option<String>,
    /// `date`, `pubDate`, `published`, …
    pub published: Option<DateTime<Utc>>,
    /// `updated`, `lastmod`, `modified`, …
    pub updated: Option<DateTime<Utc>>,
    /// `author`, `authors`, `byline`: names, or tables with name, email, url
    pub authors: Vec<Person>,
    /// `summary`, `description`, `excerpt`, …
    pub summary: Option<String>,
    /// `tags`, `keywords`, `categories`, `topics`, each once
    pub tags: Vec<String>,
    /// `draft: true`, `published: false`, `private: true`, `status: draft`
    pub draft: bool,
    /// `id`, `guid`, `uuid`
    pub id: Option<String>,
    /// `link`, `source`, `original_url`: an absolute address
    pub link: Option<String>,
    /// `lang`, `language`, `locale`
    pub language: Option<String>,
    /// `slug`
    pub slug: Option<String>,
    /// `clean: false` keeps every line of a plain text
    pub clean: Option<bool>,
}

/// A file cut in two.
#[derive(Debug)]
pub struct Split<'a> {
    /// What the front matter says; the default where there is none.
    pub header: Header,
    /// Everything after it.
    pub body: &'a str,
    /// Line of the file that `body` starts on, from 1.
    pub body_line: usize,
    /// What the writer should know.
    pub problems: Vec<Problem>,
}

/// Why a file is held back whatever its text says.
#[derive(Debug)]
pub enum Held {
    /// The writer says that it is a draft.
    Draft(Problem),
    /// It cannot be read, and might be a draft.
    Broken(Problem),
}

/// Cuts the front matter off a text and reads it.
///
/// A block that does not parse costs the article its keys, not its place, unless it mentions draft, private, published or
/// status: then the article is held, since a draft must never leak.
///
/// # Errors
/// The article must not be published; the reason why.
pub fn split(text: &str, format: Format, timezone: Tz) -> Result<Split<'_>, Held> {
    let none = Split { header: Header::default(), body: text, body_line: 1, problems: Vec::new() };
    let Some(block) = Block::find(text) else {
        return match unread_header(text, format) {
            Some(problem) => Err(Held::Broken(problem)),
            None => Ok(none),
        };
    };
    let mut problems = Vec::new();
    let mut fields = match block.parse() {
        Ok(Some(fields)) => fields,
        Ok(None) => return Ok(none),
        Err(problem) => {
            if let Some(line) = block.mentions_draft() {
                let reason = format!("{} (held, because line {line} may say that it is a draft)", problem.message);
                return Err(Held::Broken(Problem { message: reason, ..problem }));
            }
            let salvaged = block.salvage();
            if salvaged.is_empty() && format == Format::Text {
                return Ok(none);
            }
            problems.push(problem);
            salvaged
        }
    };
    // Where a file has two keys of one meaning, the one that means it most plainly wins, wherever it stands.
    fields.sort_by_key(|(name, _)| Key::rank(name));
    let known = fields.iter().any(|(key, _)| Key::of(key).is_some());
    if format == Format::Text && !known {
        return Ok(none);
    }
    let mut reader =
        Reader { header: Header::default(), problems, timezone, first_line: block.first_line, block: block.text };
    for (key, value) in fields {
        reader.take(&key, value);
    }
    let Reader { header, problems, .. } = reader;
    if header.draft {
        let message = "a draft: it is published once the front matter no longer says so".to_owned();
        return Err(Held::Draft(Problem { line: block.mentions_draft(), message }));
    }
    Ok(Split { header, body: block.rest, body_line: block.rest_line, problems })
}

/// A header in a form that is not read, or without its end, which says something of publication: to publish the file would
/// show the header to everybody, and perhaps a draft.
fn unread_header(text: &str, format: Format) -> Option<Problem> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| line.trim().is_empty());
    let (number, first) = lines.next()?;
    let key =
        |line: &str| line.split_once([':', '=']).and_then(|(key, _)| Key::of(key.trim().trim_matches(['"', '{', ' '])));
    if matches!(first.trim_end(), "---" | "+++") {
        let known = lines.take(50).take_while(|(_, line)| !line.trim().is_empty()).any(|(_, line)| key(line).is_some());
        let message = "the front matter has no end: close it with a line of the same three signs (held until then)";
        return known.then(|| Problem::at(number + 1, message));
    }
    if format == Format::Text {
        return None;
    }
    let is_state = |line: &str| matches!(key(line), Some(Key::Draft | Key::Public | Key::Status));
    let mut block =
        std::iter::once((number, first)).chain(lines).take(50).take_while(|(_, line)| !line.trim().is_empty());
    let (number, _) = block.find(|(_, line)| is_state(line))?;
    let message = "this may say that the file is a draft, but it stands in no front matter: put it between two lines of `---` (held until then)";
    Some(Problem::at(number + 1, message))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Yaml,
    Toml,
}

#[derive(Debug)]
struct Block<'a> {
    syntax: Syntax,
    text: &'a str,
    /// Line of the file that `text` starts on.
    first_line: usize,
    rest: &'a str,
    rest_line: usize,
}

impl<'a> Block<'a> {
    /// The delimiters are whole lines; blank lines may stand before the first.
    fn find(text: &'a str) -> Option<Self> {
        let mut lines = text.split_inclusive('\n').enumerate();
        let mut position = 0;
        let (syntax, start, first_line) = loop {
            let (number, line) = lines.next()?;
            position += line.len();
            match line.trim_end() {
                "" => {}
                "---" => break (Syntax::Yaml, position, number + 2),
                "+++" => break (Syntax::Toml, position, number + 2),
                _ => return None,
            }
        };
        let mut end = start;
        for (number, line) in lines {
            if end - start > MAX_BLOCK {
                return None;
            }
            let closes = match syntax {
                Syntax::Yaml => matches!(line.trim_end(), "---" | "..."),
                Syntax::Toml => line.trim_end() == "+++",
            };
            if closes {
                let rest = &text[end + line.len()..];
                return Some(Self { syntax, text: &text[start..end], first_line, rest, rest_line: number + 2 });
            }
            end += line.len();
        }
        None
    }

    /// `None`: no mapping, so the "delimiters" are rules between parts of a text.
    fn parse(&self) -> Result<Option<Vec<(String, Value)>>, Problem> {
        let parsed = match self.syntax {
            Syntax::Yaml => self.parse_yaml(),
            Syntax::Toml => self.parse_toml(),
        };
        match parsed {
            Err(_) if !self.text.lines().any(|line| self.is_key(line)) => Ok(None),
            other => other,
        }
    }

    fn parse_yaml(&self) -> Result<Option<Vec<(String, Value)>>, Problem> {
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
        // A list where a text was expected is no reason to lose the other keys.
        let typed = serde_saphyr::from_str_with_options::<Fields>(self.text, options.clone()).map(|fields| fields.0);
        let plain = || serde_saphyr::from_str_with_options::<AnyFields>(self.text, options).map(|fields| fields.0);
        typed.or_else(|error| plain().map_err(|_| error)).map(Some).map_err(|error| {
            let line = error.location().and_then(|place| usize::try_from(place.line()).ok()).unwrap_or(1).max(1);
            let reason = first_line(&error.to_string());
            let message = format!("the front matter is not YAML: {reason}; put the value in quotes");
            Problem::at(self.first_line + line - 1, message)
        })
    }

    fn parse_toml(&self) -> Result<Option<Vec<(String, Value)>>, Problem> {
        toml::from_str::<Fields>(self.text).map(|fields| Some(fields.0)).map_err(|error| {
            let before = error.span().map_or(0, |span| self.text[..span.start].matches('\n').count());
            let reason = first_line(error.message());
            Problem::at(self.first_line + before, format!("the front matter is not TOML: {reason}"))
        })
    }

    fn is_key(&self, line: &str) -> bool {
        let sign = if self.syntax == Syntax::Yaml { ':' } else { '=' };
        line.split_once(sign).is_some_and(|(key, _)| Key::of(key.trim().trim_matches('"')).is_some())
    }

    /// The first line that a draft could be marked with, counted in the file.
    fn mentions_draft(&self) -> Option<usize> {
        const WORDS: [&str; 5] = ["draft", "private", "publish", "status", "hidden"];
        let line = self.text.lines().position(|line| {
            let line = line.to_lowercase();
            WORDS.iter().any(|word| line.contains(word))
        })?;
        Some(self.first_line + line)
    }

    /// Line by line, the plain keys of a block that does not parse.
    fn salvage(&self) -> Vec<(String, Value)> {
        let sign = if self.syntax == Syntax::Yaml { ':' } else { '=' };
        self.text
            .lines()
            .filter(|line| self.is_key(line) && !line.starts_with([' ', '\t', '-']))
            .filter_map(|line| line.split_once(sign))
            .map(|(key, value)| {
                let value = value.trim().trim_matches(['"', '\'']);
                let list = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
                let value = match list {
                    Some(list) => Value::List(
                        list.split(',').map(|item| Value::Text(item.trim().trim_matches(['"', '\'']).into())).collect(),
                    ),
                    None => Value::Text(value.to_owned()),
                };
                (key.trim().to_owned(), value)
            })
            .collect()
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Names for the keys of one meaning, the plainest first.
const TITLES: [&str; 3] = ["title", "headline", "name"];
const PUBLISHED: [&str; 13] = [
    "date",
    "publishdate",
    "publish_date",
    "pubdate",
    "pub_date",
    "published",
    "published_date",
    "published_at",
    "created",
    "createdat",
    "created_at",
    "date_created",
    "datetime",
];
const UPDATED: [&str; 9] = [
    "lastmod",
    "updated",
    "modified",
    "updateddate",
    "updated_date",
    "updated_at",
    "updatedat",
    "last_modified_at",
    "date_modified",
];
const SUMMARIES: [&str; 6] = ["summary", "description", "excerpt", "abstract", "subtitle", "dek"];

/// What a key means, whichever generator's name for it the writer uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Title,
    Published,
    NotBefore,
    Updated,
    Authors,
    Summary,
    Tags,
    /// True means draft.
    Draft,
    /// False means draft.
    Public,
    Status,
    Id,
    Link,
    Language,
    Slug,
    Clean,
    Taxonomies,
}

impl Key {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('-', "_");
        Some(match name.as_str() {
            name if TITLES.contains(&name) => Self::Title,
            // Not before this date, whatever the other says.
            "publishdate" | "publish_date" => Self::NotBefore,
            name if PUBLISHED.contains(&name) => Self::Published,
            name if UPDATED.contains(&name) => Self::Updated,
            "author" | "authors" | "byline" => Self::Authors,
            name if SUMMARIES.contains(&name) => Self::Summary,
            "tags" | "tag" | "keywords" | "categories" | "category" | "topics" => Self::Tags,
            "draft" | "private" | "is_draft" | "hidden" => Self::Draft,
            "publish" => Self::Public,
            "status" => Self::Status,
            "id" | "guid" | "uuid" | "atom_id" => Self::Id,
            "link" | "source" | "original_url" => Self::Link,
            "lang" | "language" | "locale" => Self::Language,
            "slug" => Self::Slug,
            "clean" => Self::Clean,
            "taxonomies" => Self::Taxonomies,
            _ => return None,
        })
    }

    /// How plainly a name means what it means: less is plainer.
    fn rank(name: &str) -> usize {
        let name = name.to_ascii_lowercase().replace('-', "_");
        let names = TITLES.iter().chain(&PUBLISHED).chain(&UPDATED).chain(&SUMMARIES);
        names.enumerate().find(|(_, known)| **known == name).map_or(usize::MAX, |(rank, _)| rank)
    }

    /// Keys whose value is text even where it looks like a number, a date or a truth value: `title: 1984`.
    fn is_text(self) -> bool {
        matches!(
            self,
            Self::Title
                | Self::Summary
                | Self::Id
                | Self::Link
                | Self::Language
                | Self::Slug
                | Self::Updated
                | Self::Status
        )
    }
}

/// A value as the block gives it.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Nothing,
    Flag(bool),
    Text(String),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
}

impl Value {
    /// One text: itself, or the first of a list.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::List(list) => list.first()?.text(),
            _ => None,
        }
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A list's texts, or one text cut at semicolons or else at commas.
    fn texts(&self) -> Vec<String> {
        match self {
            Self::List(list) => list.iter().filter_map(Self::text).map(str::to_owned).collect(),
            Self::Text(text) => {
                let sign = if text.contains(';') { ';' } else { ',' };
                text.split(sign).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
            }
            _ => Vec::new(),
        }
    }

    fn people(&self) -> Vec<Person> {
        match self {
            Self::List(list) => list.iter().flat_map(Self::people_of_one).collect(),
            other => other.people_of_one(),
        }
    }

    fn people_of_one(&self) -> Vec<Person> {
        match self {
            Self::Table(fields) => {
                let field = |wanted: &[&str]| {
                    let found = fields.iter().find(|(key, _)| wanted.contains(&key.to_ascii_lowercase().as_str()));
                    found.and_then(|(_, value)| value.text()).map(str::to_owned)
                };
                let email = field(&["email", "mail"]).filter(|email| is_email(email));
                let url = field(&["url", "uri", "website", "link"]).and_then(|url| absolute(&url));
                field(&["name"]).map(|name| Person { name, email, url }).into_iter().collect()
            }
            // "Brecht, Bertolt" is one person: names are cut at "and" or a semicolon, never at a comma alone.
            Self::Text(text) => text
                .split(';')
                .flat_map(|part| part.split(" and "))
                .map(summary::one_line)
                .filter(|name| !name.is_empty())
                .map(|name| Person { name, ..Person::default() })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The outer shape of an addr-spec (RFC 5322 section 3.4.1): nothing that would have to be quoted.
fn is_email(text: &str) -> bool {
    let sound = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>()[],;:\\\"@".contains(&byte))
    };
    text.split_once('@').is_some_and(|(local, host)| sound(local) && sound(host))
}

fn absolute(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

/// Takes fields into a header, telling the writer about each value that makes no sense.
struct Reader<'a> {
    header: Header,
    problems: Vec<Problem>,
    timezone: Tz,
    first_line: usize,
    block: &'a str,
}

impl Reader<'_> {
    /// The first of two keys with one meaning wins; keys that nobody knows are left alone.
    fn take(&mut self, name: &str, value: Value) {
        let Some(key) = Key::of(name) else { return };
        match key {
            Key::Title => keep(&mut self.header.title, value.text().map(summary::one_line)),
            Key::Summary => keep(&mut self.header.summary, value.text().map(summary::one_line)),
            Key::Slug => keep(&mut self.header.slug, value.text().map(str::to_owned)),
            Key::Id => keep(&mut self.header.id, value.text().map(str::to_owned)),
            Key::Language => {
                let tag = value.text().map(|tag| tag.replace('_', "-"));
                let tag = self
                    .checked(name, tag, "a language tag such as en or pt-BR", |tag| is_language(&tag).then_some(tag));
                keep(&mut self.header.language, tag);
            }
            Key::Link => {
                let address = self
                    .checked(name, value.text().map(str::to_owned), "an absolute http address", |text| absolute(&text));
                keep(&mut self.header.link, address);
            }
            Key::Published if value.flag().is_some() => self.header.draft |= value.flag() == Some(false),
            Key::Published | Key::Updated | Key::NotBefore => {
                let timezone = self.timezone;
                let text = value.text().map(str::to_owned);
                let date =
                    self.checked(name, text, "a date such as 2024-05-01 10:00", |text| date::parse(&text, timezone));
                match key {
                    Key::Updated => keep(&mut self.header.updated, date),
                    // Hugo: `publishDate` holds back what `date` would show.
                    Key::NotBefore => self.header.published = self.header.published.max(date),
                    _ => keep(&mut self.header.published, date),
                }
            }
            Key::Authors if self.header.authors.is_empty() => self.header.authors = value.people(),
            Key::Authors => {}
            Key::Tags => self.add_tags(&value),
            Key::Taxonomies => {
                if let Value::Table(fields) = value {
                    fields
                        .iter()
                        .filter(|(key, _)| Key::of(key) == Some(Key::Tags))
                        .for_each(|(_, value)| self.add_tags(value));
                }
            }
            // What cannot be understood here might mean draft.
            Key::Draft => self.header.draft |= value != Value::Nothing && value.flag() != Some(false),
            Key::Public => self.header.draft |= value != Value::Nothing && value.flag() != Some(true),
            Key::Status => {
                let status = value.text().unwrap_or_default().to_ascii_lowercase();
                self.header.draft |= !matches!(status.as_str(), "" | "published" | "publish" | "public" | "live");
            }
            Key::Clean => self.header.clean = value.flag(),
        }
    }

    fn add_tags(&mut self, value: &Value) {
        for tag in value.texts() {
            let tag = summary::one_line(tag.trim_start_matches('#'));
            if !tag.is_empty() && !self.header.tags.contains(&tag) {
                self.header.tags.push(tag);
            }
        }
    }

    fn checked<T>(
        &mut self,
        name: &str,
        text: Option<String>,
        wanted: &str,
        check: impl Fn(String) -> Option<T>,
    ) -> Option<T> {
        let text = text?;
        let checked = check(text.clone());
        if checked.is_none() {
            let line = self.block.lines().position(|line| line.trim_start().starts_with(name)).unwrap_or(0);
            self.problems
                .push(Problem::at(self.first_line + line, format!("{name}: `{text}` is not {wanted}; it is not used")));
        }
        checked
    }
}

fn keep<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// The outer shape of a BCP 47 tag.
pub(super) fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let letters = first.bytes().all(|byte| byte.is_ascii_alphabetic());
    (2..=3).contains(&first.len())
        && letters
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The pairs of a mapping in order, each value read as its key demands.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let as_text = Key::of(&name).is_some_and(Key::is_text);
                    let value = if as_text { map.next_value::<TextFirst>()?.0 } else { map.next_value::<Value>()? };
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// The same, each value as it comes.
struct AnyFields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for AnyFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_map(AnyValue)? {
            Value::Table(fields) => Ok(Self(fields)),
            _ => Err(serde::de::Error::custom("keys and values were expected")),
        }
    }
}

/// A value that is asked for as a text, so that a plain `007` or `1.10` keeps every character.
struct TextFirst(Value);

impl<'de> Deserialize<'de> for TextFirst {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Optional;
        impl<'de> Visitor<'de> for Optional {
            type Value = TextFirst;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_none<E>(self) -> Result<TextFirst, E> {
                Ok(TextFirst(Value::Nothing))
            }

            fn visit_unit<E>(self) -> Result<TextFirst, E> {
                Ok(TextFirst(Value::Nothing))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<TextFirst, D::Error> {
                deserializer.deserialize_string(AnyValue).map(TextFirst)
            }
        }
        deserializer.deserialize_option(Optional)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = sequence.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        // The toml crate hands its own dates over as a table with one private key.
        match fields.as_slice() {
            [(key, value)] if key.starts_with("$__toml_private") => Ok(value.clone()),
            _ => Ok(Value::Table(fields)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> (Header, Vec<Problem>) {
        let split = split(text, Format::Markdown, chrono_tz::UTC).expect("not held");
        (split.header, split.problems)
    }

    fn held(text: &str) -> String {
        match split(text, Format::Markdown, chrono_tz::UTC) {
            Err(Held::Draft(problem)) => format!("draft {problem}"),
            Err(Held::Broken(problem)) => format!("broken {problem}"),
            Ok(split) => panic!("not held: {:?}", split.header),
        }
    }

    const DATE: &str = "2024-05-01 10:00:00 UTC";

    #[test]
    fn yaml() {
        let (header, problems) = header(
            "---\ntitle: 'A: title'\ndate: 2024-05-01T10:00:00Z\nlastmod: 2024-05-02\nauthor: Ann Lee and Bo Ek\ntags: [news, '#sea', news]\n\
             summary: |\n  Two\n  lines\nid: urn:uuid:1\nlink: https://example.org/a b\nlang: pt_BR\nslug: my-slug\nother: {a: [1]}\n---\nBody\n",
        );
        assert_eq!(problems, []);
        assert_eq!(header.title.as_deref(), Some("A: title"));
        assert_eq!(header.published.unwrap().to_string(), DATE);
        assert_eq!(header.updated.unwrap().to_string(), "2024-05-02 00:00:00 UTC");
        assert_eq!(header.authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ann Lee", "Bo Ek"]);
        assert_eq!(header.tags, ["news", "sea"]);
        assert_eq!(header.summary.as_deref(), Some("Two lines"));
        assert_eq!(header.id.as_deref(), Some("urn:uuid:1"));
        assert_eq!(header.link.as_deref(), Some("https://example.org/a%20b"));
        assert_eq!(header.language.as_deref(), Some("pt-BR"));
        assert_eq!(header.slug.as_deref(), Some("my-slug"));
    }

    #[test]
    fn toml_and_its_dates() {
        for date in ["2024-05-01T10:00:00Z", "2024-05-01 10:00:00", "\"2024-05-01 10:00\"", "2024-05-01T12:00:00+02:00"]
        {
            let (header, problems) = header(&format!(
                "+++\ntitle = \"T\"\ndate = {date}\nupdated = 2024-05-01\n[taxonomies]\ntags = [\"a\", \"b\"]\n[extra]\nx = 1\n+++\nBody"
            ));
            assert_eq!(problems, []);
            assert_eq!(header.published.unwrap().to_string(), DATE, "{date}");
            assert_eq!(header.updated.unwrap().to_string(), "2024-05-01 00:00:00 UTC");
            assert_eq!(header.tags, ["a", "b"]);
        }
        let (header, _) =
            header("+++\nauthors = [{name = \"Ann\", email = \"a@b.c\", url = \"https://a.b\"}, \"Bo\"]\n+++\nx");
        assert_eq!(header.authors[0].email.as_deref(), Some("a@b.c"));
        assert_eq!(header.authors[0].url.as_deref(), Some("https://a.b/"));
        assert_eq!(header.authors[1].name, "Bo");
    }

    #[test]
    fn texts_that_look_like_something_else_stay_texts() {
        for title in ["1984", "007", "no", "1.10", "2024-05-01", "1e3", "true"] {
            let (header, problems) = header(&format!("---\ntitle: {title}\n---\nBody"));
            assert_eq!((header.title.as_deref(), problems), (Some(title), vec![]));
        }
        let (header, _) = header("---\ntitle:\ntags:\nauthor: ~\n---\nBody");
        assert_eq!(header, Header::default());
    }

    #[test]
    fn lines_are_counted_in_the_file() {
        let text = "\n---\ntitle: T\ndate: soon\n---\nBody";
        let split = split(text, Format::Markdown, chrono_tz::UTC).unwrap();
        assert_eq!((split.body, split.body_line), ("Body", 6));
        assert_eq!(
            split.problems,
            [Problem::at(4, "date: `soon` is not a date such as 2024-05-01 10:00; it is not used")]
        );
    }

    #[test]
    fn rules_between_paragraphs_are_no_front_matter() {
        for text in [
            "---\n\nText\n\n---\n\nMore",
            "---\nno end",
            "---\n\ntitle: x",
            "text\n---\na: b\n---",
            "----\ntitle: x\n----\n",
        ] {
            let split = split(text, Format::Markdown, chrono_tz::UTC).unwrap();
            assert_eq!((split.body, split.header), (text, Header::default()));
        }
        let unknown = "---\nfoo: bar\n---\nBody";
        assert_eq!(split(unknown, Format::Text, chrono_tz::UTC).unwrap().body, unknown);
        assert_eq!(split(unknown, Format::Markdown, chrono_tz::UTC).unwrap().body, "Body");
    }

    #[test]
    fn drafts_in_everybodys_words() {
        for line in [
            "draft: true",
            "draft: yes",
            "Draft: 'true'",
            "published: false",
            "publish: no",
            "private: true",
            "status: draft",
            "status: Hidden",
            "draft: perhaps",
            "is-draft: true",
            "draft: [true]",
        ] {
            assert!(held(&format!("---\ntitle: T\n{line}\n---\nBody")).starts_with("draft 3: "), "{line}");
        }
        for line in ["draft: false", "draft: no", "published: true", "status: published", "draft:", "publish: true"] {
            header(&format!("---\ntitle: T\n{line}\n---\nBody"));
        }
    }

    #[test]
    fn broken_blocks_lose_keys_but_leak_no_draft() {
        let (header, problems) = header("---\ntitle: Foo: bar\ntags: [a, b]\ndate: 2024-05-01\n---\nBody");
        assert_eq!(header.title.as_deref(), Some("Foo: bar"));
        assert_eq!(header.tags, ["a", "b"]);
        assert!(header.published.is_some());
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, Some(2), "{problems:?}");
        assert!(
            held("---\ntitle: Foo: bar\ndraft: true\n---\nBody").starts_with("broken 2: the front matter is not YAML")
        );
        assert!(
            held("+++\ntitle = unquoted\nstatus = \"x\"\n+++\nBody")
                .starts_with("broken 2: the front matter is not TOML")
        );
    }

    #[test]
    fn headers_that_are_not_read_leak_no_draft() {
        assert!(held("---\ntitle: T\ndraft: true\n\nBody").starts_with("broken 1: the front matter has no end"));
        assert!(held("+++\ntitle = \"T\"\n—--\nBody").starts_with("broken 1: "));
        assert!(held("Title: T\nStatus: draft\n\nBody").starts_with("broken 2: "));
        assert!(held("{\n  \"title\": \"T\",\n  \"draft\": true\n}\nBody").starts_with("broken 3: "));
        header("A note: this is no header.\n\nstatus: quo");
    }

    #[test]
    fn the_plainest_key_wins_wherever_it_stands() {
        let (header, _) = header(
            "---\nname: b\ncreated: 2020-01-01\nsubtitle: s\ntitle: A\ndate: 2024-05-01 10:00\nsummary: S\n---\nx",
        );
        assert_eq!((header.title.as_deref(), header.summary.as_deref()), (Some("A"), Some("S")));
        assert_eq!(header.published.unwrap().to_string(), DATE);
        let (header, _) = self::header("---\ndate: 2024-05-01\npublishDate: 2027-05-01\n---\nx");
        assert_eq!(
            header.published.unwrap().to_string(),
            "2027-05-01 00:00:00 UTC",
            "not before its date of publication"
        );
        let (header, _) = self::header("---\nauthor:\n  name: Ann Lee\ntitle: Storm: the day after\n---\nx");
        assert_eq!(header.title.as_deref(), Some("Storm: the day after"));
        let (header, problems) = self::header("---\nsource:\n  - https://a.example/\ntags:\n  - a\n  - b\n---\nx");
        assert_eq!(
            (header.tags, header.link.as_deref(), problems),
            (vec!["a".into(), "b".into()], Some("https://a.example/"), vec![])
        );
    }

    #[test]
    fn hostile_yaml_ends_soon() {
        let nested = "[".repeat(40_000);
        header(&format!("---\ntitle: T\nx: {nested}\n---\nBody"));
        let bomb = "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ntitle: T\n---\nBody";
        header(bomb);
    }
}
