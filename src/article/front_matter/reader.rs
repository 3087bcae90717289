//! Keys and values -> a header. Reports each invalid value.

use chrono_tz::Tz;

use super::header::{Field, Header, is_language};
use super::key::Key;
use super::value::{Value, absolute};
use crate::article::problem::Problem;
use crate::article::{date, summary};

/// Values in place of a date that tell a generator to determine one.
const GENERATED_DATES: [&str; 4] = ["last modified", "created", "git last modified", "git created"];

/// Maximum length of an invalid value in a message, in characters.
const MAX_QUOTED: usize = 60;
/// Maximum number of tags of an article.
const MAX_TAGS: usize = 1_000;

/// Builds a header from keys and values.
pub struct HeaderReader<'a> {
    pub header: Header,
    pub problems: Vec<Problem>,
    /// The line that marks a draft, if known.
    pub draft_line: Option<usize>,
    pub timezone: Tz,
    /// Returns the position of a key.
    pub position: &'a dyn Fn(&str) -> KeyPosition,
}

/// The position of a key, for messages.
pub struct KeyPosition {
    /// Line in the file, if known.
    pub line: Option<usize>,
    /// In words: "front matter, line 3".
    pub words: String,
}

impl HeaderReader<'_> {
    /// Reads a key. The first of two keys with one meaning wins; unknown keys are ignored.
    pub fn take(&mut self, name: &str, value: Value) {
        let Some(key) = Key::of(name) else { return };
        match key {
            Key::Title => self.keep(Field::Title, name, value.text().map(summary::one_line)),
            Key::Summary => self.keep(Field::Summary, name, value.text().map(summary::one_line)),
            Key::Slug => self.keep(Field::Slug, name, value.text().map(str::to_owned)),
            Key::Id => self.keep(Field::Id, name, value.text().map(str::to_owned)),
            Key::Language => {
                let tag = value.text().map(|tag| tag.replace('_', "-"));
                let wanted = "a language tag such as en or pt-BR";
                let tag = self.checked(name, tag, wanted, |tag| is_language(&tag).then_some(tag));
                self.keep(Field::Language, name, tag);
            }
            Key::Link => {
                let address = value.text().map(str::to_owned);
                let address = self.checked(name, address, "an absolute http address", |text| absolute(&text));
                self.keep(Field::Link, name, address);
            }
            Key::Address => self.header.addresses.extend(value.texts()),
            Key::Published if value.flag().is_some() => self.draft_if(name, value.flag() == Some(false)),
            Key::Published | Key::Updated | Key::NotBefore | Key::Expires => {
                self.date(key, name, &value);
                // `published: never` is not a date, but it decides about publication.
                let unclear = name.eq_ignore_ascii_case("published") && value != Value::Nothing;
                self.draft_if(name, unclear && self.header.published.is_none());
            }
            Key::Authors => {
                if self.header.authors.is_empty() {
                    self.header.authors = value.people();
                    self.note(Field::Authors, name);
                }
            }
            Key::Tags => self.add_tags(name, &value),
            Key::Taxonomies => {
                if let Value::Table(fields) = value {
                    let tags = fields.iter().filter(|(key, _)| Key::of(key) == Some(Key::Tags));
                    tags.for_each(|(_, value)| self.add_tags(name, value));
                }
            }
            // An unknown value might mean draft.
            Key::Draft => self.draft_if(name, value != Value::Nothing && value.flag() != Some(false)),
            Key::Public => self.draft_if(name, value != Value::Nothing && value.flag() != Some(true)),
            Key::Status => {
                let status = value.text().unwrap_or_default().to_ascii_lowercase();
                let is_text = matches!(value, Value::Text(_) | Value::Nothing);
                let public = matches!(status.as_str(), "" | "published" | "publish" | "public" | "live");
                self.draft_if(name, !(is_text && public));
            }
            Key::Clean => self.header.clean = value.flag(),
            other => drop(self.take_media(other, name, &value)),
        }
    }

    fn draft_if(&mut self, name: &str, is_draft: bool) {
        if is_draft && !self.header.draft {
            self.header.draft = true;
            self.draft_line = (self.position)(name).line;
        }
    }

    fn date(&mut self, key: Key, name: &str, value: &Value) {
        let timezone = self.timezone;
        let text = value.text().map(str::to_owned);
        let text = text.filter(|text| !GENERATED_DATES.contains(&text.to_ascii_lowercase().as_str()));
        let wanted = "a date such as 2024-05-01 10:00";
        let date = self.checked(name, text, wanted, |text| date::parse(&text, timezone));
        let header = &mut self.header;
        match key {
            Key::Updated => {
                header.updated = header.updated.or(date);
                self.note(Field::Updated, name);
            }
            Key::Expires => header.expires = header.expires.or(date),
            // As in Hugo, `publishDate` can only delay the date of publication.
            Key::NotBefore if date > header.published => {
                header.published = date;
                header.sources.remove(&Field::Published);
                self.note(Field::Published, name);
            }
            Key::NotBefore => {}
            _ => {
                header.published = header.published.or(date);
                self.note(Field::Published, name);
            }
        }
    }

    fn add_tags(&mut self, name: &str, value: &Value) {
        for tag in value.texts() {
            let tag = summary::one_line(tag.trim_start_matches('#'));
            if !tag.is_empty() && self.header.tags.len() < MAX_TAGS && !self.header.tags.contains(&tag) {
                self.header.tags.push(tag);
            }
        }
        self.note(Field::Tags, name);
    }

    fn keep(&mut self, field: Field, name: &str, value: Option<String>) {
        let slot = match field {
            Field::Title => &mut self.header.title,
            Field::Summary => &mut self.header.summary,
            Field::Slug => &mut self.header.slug,
            Field::Id => &mut self.header.id,
            Field::Language => &mut self.header.language,
            Field::Link => &mut self.header.link,
            _ => return,
        };
        if slot.is_none() && value.is_some() {
            *slot = value;
            self.note(field, name);
        }
    }

    /// Records the key as the source of a field, unless a source is recorded.
    pub(super) fn note(&mut self, field: Field, name: &str) {
        let position = self.position;
        if self.header.has(field) {
            self.header.sources.entry(field).or_insert_with(|| format!("{}: `{name}`", position(name).words));
        }
    }

    /// Returns the checked value of a key; reports an invalid one. `wanted` describes a valid value.
    pub(super) fn checked<T>(
        &mut self,
        name: &str,
        text: Option<String>,
        wanted: &str,
        check: impl Fn(String) -> Option<T>,
    ) -> Option<T> {
        let text = text?;
        let checked = check(text.clone());
        if checked.is_none() {
            let more = if text.chars().count() > MAX_QUOTED { "…" } else { "" };
            let text: String = text.chars().take(MAX_QUOTED).collect();
            let message = format!("{name}: `{text}{more}` is not {wanted}; ignored");
            self.problems.push(Problem { line: (self.position)(name).line, message });
        }
        checked
    }
}
