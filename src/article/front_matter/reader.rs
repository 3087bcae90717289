//! Keys and values -> a header. Reports each invalid value.

use chrono_tz::Tz;

use super::header::{Field, Header, Held, Source, is_language};
use super::key::Key;
use super::lock::{self, Judgement};
use super::rights::{self, RightsKey};
use super::typo::{self, Meant};
use super::value::{Value, absolute, discussion, without_link};
use crate::article::problem::Problem;
use crate::article::{date, loose_date, summary};
use crate::model::entry::Media;

/// Values in place of a date that tell a generator to determine one.
const GENERATED_DATES: [&str; 4] = ["last modified", "created", "git last modified", "git created"];

/// Maximum length of an invalid value in a message, in characters.
const MAX_QUOTED: usize = 60;
/// Maximum number of tags of an article.
const MAX_TAGS: usize = 1_000;
/// Maximum depth of tables whose keys count as if they stood outside.
const MAX_DEPTH: usize = 3;

/// Builds a header from keys and values.
pub struct HeaderReader<'a> {
    pub header: Header,
    pub problems: Vec<Problem>,
    /// Why the article is not to be published; `None` if it is.
    pub hold: Option<Hold>,
    timezone: Tz,
    /// Returns the position of a key.
    position: &'a dyn Fn(&str) -> KeyPosition,
    /// The meanings of all keys that will be read.
    keys: Vec<Key>,
}

/// The key that keeps an article from being published.
#[derive(Debug)]
pub enum Hold {
    /// It marks a draft.
    Draft(Problem),
    Other(Problem),
}

impl Hold {
    pub fn into_held(self, enclosures: Vec<Media>) -> Held {
        match self {
            Self::Draft(problem) => Held::Draft(problem, enclosures),
            Self::Other(problem) => Held::Withheld(problem, enclosures),
        }
    }

    pub fn problem(&self) -> &Problem {
        let (Self::Draft(problem) | Self::Other(problem)) = self;
        problem
    }
}

/// The position of a key, for messages.
pub struct KeyPosition {
    /// Line in the file, if known.
    pub line: Option<usize>,
    /// In words: "front matter, line 3".
    pub words: String,
    /// Whether it is in another file than the article.
    pub is_elsewhere: bool,
}

impl<'a> HeaderReader<'a> {
    pub fn new(timezone: Tz, position: &'a dyn Fn(&str) -> KeyPosition, keys: Vec<Key>) -> Self {
        Self { header: Header::default(), problems: Vec::new(), hold: None, timezone, position, keys }
    }
}

impl HeaderReader<'_> {
    /// Reads a key. The first of two keys with one meaning wins; unknown keys are ignored.
    pub fn take(&mut self, name: &str, value: Value) {
        let Some(key) = Key::of(name) else { return self.take_unknown(name, &value) };
        if matches!(key, Key::SummaryOnly | Key::Address) {
            self.judge(name, name, &value);
        }
        match key {
            Key::Title => self.keep(Field::Title, name, value.text().map(summary::one_line)),
            Key::Summary => self.keep(Field::Summary, name, value.text().map(summary::one_line)),
            Key::Slug => self.keep(Field::Slug, name, value.text().map(str::to_owned)),
            Key::Id => self.keep(Field::Id, name, value.text().map(str::to_owned)),
            Key::FeedGuid => self.header.feed_guid = value.text().map(str::to_owned),
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
            Key::Comments => match discussion(&value) {
                Some(address) => self.header.comments = self.header.comments.take().or(Some(address)),
                // `comments: true` of themes, which has no meaning here.
                None => self.take_unknown(name, &value),
            },
            Key::Address => self.header.addresses.extend(value.texts()),
            Key::Published if value.flag().is_some() => self.take_state(key, name, &value),
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
                    // Of the other lists there, only this one has a meaning.
                    let series = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case("series"));
                    for (key, value) in series {
                        self.header.series.take(key, value);
                    }
                }
            }
            Key::Draft | Key::Public | Key::Status => self.take_state(key, name, &value),
            Key::Clean => self.header.clean = value.flag(),
            other => drop(self.take_media(other, name, &value)),
        }
    }

    /// Reads a key that may mark a draft. `place` is its name, with that of the table it is in.
    fn take_state(&mut self, key: Key, place: &str, value: &Value) {
        let is_draft = match key {
            // An unknown value might mean draft.
            Key::Draft => *value != Value::Nothing && value.flag() != Some(false),
            Key::Public => *value != Value::Nothing && value.flag() != Some(true),
            Key::Status => {
                let is_public = |value: &Value| match value {
                    Value::Nothing => true,
                    Value::Text(text) => {
                        let status = without_link(text).to_ascii_lowercase();
                        matches!(status.as_str(), "" | "published" | "publish" | "public" | "live" | "featured")
                    }
                    _ => false,
                };
                // Obsidian writes a list of links to notes.
                match value {
                    Value::List(list) => !list.iter().all(is_public),
                    other => !is_public(other),
                }
            }
            _ => value.flag() == Some(false),
        };
        self.draft_if(place, is_draft);
    }

    fn draft_if(&mut self, name: &str, is_draft: bool) {
        if is_draft && self.hold.is_none() {
            let KeyPosition { line, words, is_elsewhere } = (self.position)(name);
            let message = if is_elsewhere {
                format!("a draft: `{name}` in {words} says so; change it there, or set that key in this file")
            } else {
                "a draft: it is published once it is no longer marked as one".to_owned()
            };
            self.hold = Some(Hold::Draft(Problem::new(line, message)));
        }
    }

    fn hold_by(&mut self, place: &str, message: String, is_slip: bool) {
        if self.hold.is_none() {
            let KeyPosition { line, words, is_elsewhere } = (self.position)(place);
            let message = if is_elsewhere { format!("{message} (in {words})") } else { message };
            self.hold = Some(Hold::Other(Problem { is_remark: !is_slip, ..Problem::new(line, message) }));
        }
    }

    /// Reads a key that another file sets for many articles. Many such a file holds data of other kinds, so only clear values hold.
    pub(super) fn take_for_folder(&mut self, name: &str, value: Value) {
        match Key::of(name) {
            Some(key) if key.is_state() || (key == Key::Published && value.flag().is_some()) => {
                let is_draft = self.would_hold(key, &value);
                self.draft_if(name, is_draft);
            }
            _ => self.take(name, value),
        }
    }

    /// Reads a key that is understood by its words, or not at all.
    fn take_unknown(&mut self, name: &str, value: &Value) {
        if self.judge(name, name, value) {
            return;
        }
        if self.header.series.take(name, value) || self.take_rights(name, value) {
            return;
        }
        // They have no meaning for an article, so they are not read until it is known to be a page.
        if self.header.page.take(name, value) {
            self.header.unused.push(name.to_owned());
            return;
        }
        match value {
            Value::Table(fields) if lock::is_namespace(name) => self.take_inner(name, fields, 1),
            _ => {
                self.header.unused.push(name.to_owned());
                if !lock::is_about_publication(name) {
                    self.suggest(name, name, value, false);
                }
            }
        }
    }

    /// Reads a key about rights. Returns whether it is one.
    fn take_rights(&mut self, name: &str, value: &Value) -> bool {
        let Some(key) = RightsKey::of(name) else { return false };
        match key {
            RightsKey::Copyright => {
                let text = rights::text_of(value);
                self.header.copyright = self.header.copyright.take().or(text);
            }
            RightsKey::License => {
                let wanted = "a licence such as CC-BY-4.0, or the address of one";
                let license = self.checked(name, rights::license_of(value), wanted, |text| rights::license(&text));
                self.header.license = self.header.license.take().or(license);
            }
        }
        true
    }

    /// Reads the keys of a table that decide about publication.
    fn take_inner(&mut self, outer: &str, fields: &[(String, Value)], depth: usize) {
        for (name, value) in fields {
            let place = format!("{outer}.{name}");
            let key = Key::of(name);
            match value {
                Value::Table(inner) if key.is_none() && lock::is_namespace(name) && depth < MAX_DEPTH => {
                    self.take_inner(&place, inner, depth + 1);
                }
                // Many a table has a `status` of its own, so only clear values count.
                _ if key.is_some_and(|key| key.is_state() || key == Key::Published) => {
                    let is_draft = key.is_some_and(|key| self.would_hold(key, value));
                    self.draft_if(&place, is_draft);
                }
                _ => {
                    let is_judged = self.judge(&place, name, value) || key.is_some();
                    if !is_judged && !lock::is_about_publication(name) {
                        self.suggest(&place, name, value, true);
                    }
                }
            }
        }
    }

    /// Judges a key by its words. Returns whether it says something about publication that is understood.
    fn judge(&mut self, place: &str, name: &str, value: &Value) -> bool {
        match lock::judge(name, value) {
            Some(Judgement::Public) => true,
            Some(Judgement::Held(reason)) => {
                self.hold_by(place, reason.message(name), false);
                true
            }
            Some(Judgement::Doubtful) => {
                let message = format!(
                    "`{name}` may say that this is not for the public, but is not understood: write `draft: true` to hold it, or \
                     remove the key"
                );
                self.problems.push(Problem::new((self.position)(place).line, message));
                false
            }
            None => false,
        }
    }

    /// Reports a key that is close to a known one. If that one would hold the article, this one does. Of the keys in a table, no
    /// others are reported.
    fn suggest(&mut self, place: &str, name: &str, value: &Value, is_inner: bool) {
        let Some(meant) = typo::meant(name) else { return };
        let is_stated = !is_inner && meant.key.is_some_and(|key| self.keys.contains(&key));
        if !is_stated && !is_inner && meant.key == Some(Key::Published) && self.is_date(value) {
            // It says from when on this is public.
            self.date(Key::Published, name, value);
            let message = format!("`{name}` is read as `{}`: correct the key", meant.name);
            self.problems.push(Problem::new((self.position)(place).line, message));
            return;
        }
        let question = format!("`{name}` is not a key that is read: did you mean `{}`?", meant.name);
        if !is_stated && self.is_lock(meant, value) {
            self.hold_by(place, format!("{question} (held until then)"), true);
        } else if !is_inner && (!is_stated || meant.decides()) {
            self.problems.push(Problem::new((self.position)(place).line, question));
        }
    }

    /// Whether the key that was probably meant would clearly keep the article from the public.
    fn is_lock(&self, meant: Meant, value: &Value) -> bool {
        match meant.key {
            Some(key) => self.would_hold(key, value),
            None => matches!(lock::judge(meant.name, value), Some(Judgement::Held(_))),
        }
    }

    /// Whether a key would clearly keep the article from the public, or do so for a time.
    fn would_hold(&self, key: Key, value: &Value) -> bool {
        match key {
            Key::Draft => value.flag() == Some(true),
            Key::Public | Key::Published | Key::Address => value.flag() == Some(false),
            Key::Status => lock::is_unfinished(value),
            Key::NotBefore | Key::Expires => self.is_date(value),
            _ => false,
        }
    }

    fn is_date(&self, value: &Value) -> bool {
        let is_date = |text| date::parse(text, self.timezone).or_else(|| date::dotted(text, self.timezone)).is_some();
        value.text().map(without_link).is_some_and(is_date)
    }

    fn date(&mut self, key: Key, name: &str, value: &Value) {
        let timezone = self.timezone;
        // Obsidian and Logseq link a day to its note.
        let text = value.text().map(|text| without_link(text).to_owned());
        let text = text.filter(|text| !GENERATED_DATES.contains(&text.to_ascii_lowercase().as_str()));
        let wanted = "a date such as 2024-05-01 10:00";
        let is_stated = text.is_some();
        let in_words = |text: &str| {
            let has_words = text.contains(char::is_alphabetic);
            has_words.then(|| loose_date::read_in(text, timezone)).flatten()
        };
        let read = |text: &str| date::parse(text, timezone).or_else(|| date::dotted(text, timezone));
        let date = self.checked(name, text, wanted, |text| read(&text).or_else(|| in_words(&text)));
        let header = &mut self.header;
        header.has_unclear_date |= key == Key::Published && is_stated && date.is_none();
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
            self.header.sources.entry(field).or_insert_with(|| {
                let KeyPosition { line, words, .. } = position(name);
                Source { words: format!("{words}: `{name}`"), line }
            });
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
            self.problems.push(Problem::new((self.position)(name).line, message));
        }
        checked
    }
}
