//! The data files, and the words in them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::language;
use crate::model::taxonomy::ViewKind;

/// The words of one language.
#[derive(Debug, Deserialize)]
pub struct Words {
    /// The name of the language in itself.
    pub own_name: String,
    /// Texts without amounts and dates.
    #[serde(flatten)]
    pub texts: Texts,
    pub date: DateForm,
    pub amounts: AmountForms,
    /// BCP 47 tag of the language.
    #[serde(skip)]
    pub language: &'static str,
}

/// How dates are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateForm {
    /// With `{day}`, `{month}` and `{year}`.
    pub pattern: String,
    /// Names of the months, in the form that a date with a day needs.
    pub months: [String; 12],
}

/// How amounts are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountForms {
    /// Between whole numbers and tenths.
    pub(super) decimal: String,
    pub(super) hour: Unit,
    pub(super) minute: Unit,
    pub(super) second: Unit,
    pub(super) byte: Unit,
    pub(super) kilobyte: String,
    pub(super) megabyte: String,
    pub(super) gigabyte: String,
}

/// A unit with a number `{n}`, by plural category.
pub(super) type Unit = BTreeMap<String, String>;

/// Declares the texts, whose names are the keys of the data files.
macro_rules! texts {
    ($($name:ident)*) => {
        /// Texts by their keys. `en.toml` shows each in English; parts in braces are filled in by [`super::fill`].
        #[derive(Debug, Deserialize, Serialize)]
        pub struct Texts { $(pub $name: String,)* }
    };
}

texts! {
    skip feeds_all blogroll published_with site_navigation menu breadcrumb comma
    newest older newer nothing_yet drop_file drop_file_into no_articles nothing_here follow_by
    subscribe subscribe_to paste_address open_reader digest_daily digest_weekly digest_monthly what_is what_is_text
    sections tags authors all_sections all_tags all_authors section_lead tag_lead author_lead
    sections_of tags_of authors_of tag_title author_title section_articles tag_articles author_articles
    views_lead views_none
    series all_series series_lead series_of series_title series_articles series_part all_parts previous_part next_part
    languages all_languages language_lead languages_of language_articles
    archive archive_number archives archives_lead front_page archive_emptied range articles_range
    updated previous next first_published pinned download comments transcript audio video file table formula season episode trailer bonus explicit
    missing missing_text near gone gone_text newest_at
    feed_note feed_page feed_enclosure feed_source
}

impl Texts {
    /// The heading of a list of views.
    pub fn plural(&self, kind: ViewKind) -> &str {
        kind.choose([&self.sections, &self.tags, &self.authors, &self.series, &self.languages])
    }
}

/// A data file, and its words once they are needed.
struct DataFile {
    language: &'static str,
    source: &'static str,
    words: OnceLock<Words>,
}

/// Lists the data files by the tags of their languages.
macro_rules! data_files {
    ($($language:literal)*) => {
        [$(DataFile {
            language: $language,
            source: include_str!(concat!($language, ".toml")),
            words: OnceLock::new(),
        },)*]
    };
}

/// English is first.
static FILES: [DataFile; 29] = data_files! {
    "en" "ar" "ca" "cs" "da" "de" "el" "es" "fa" "fi" "fr" "he" "hu" "id" "it" "ja" "ko" "nb" "nl" "pl" "pt" "ro" "ru" "sv"
    "tr" "uk" "vi" "zh" "zh-Hant"
};

impl Words {
    /// The words for a page in the language of a BCP 47 tag: English where there are none.
    pub fn of(tag: &str) -> &'static Self {
        let name = language::data_file(tag);
        let file = FILES.iter().find(|file| file.language == name).unwrap_or(&FILES[0]);
        file.words.get_or_init(|| {
            let words = toml::from_str(file.source).expect("the data files are valid");
            Self { language: file.language, ..words }
        })
    }

    /// The words in the language of a BCP 47 tag, if there are any.
    pub fn known(tag: &str) -> Option<&'static Self> {
        Some(Self::of(tag)).filter(|words| words.are_in(tag))
    }

    /// Whether the words are in the language of a BCP 47 tag.
    pub fn are_in(&self, tag: &str) -> bool {
        language::primary(tag) == language::primary(self.language)
    }
}

/// The name of a language in itself, by its key; `None` if it is not known.
pub fn name_of_language(key: &str) -> Option<&'static str> {
    words_in(key).map(|words| words.own_name.as_str()).or_else(|| language::other_name(key))
}

/// The words in the language with this key, not those that another language shares with it.
pub fn words_in(key: &str) -> Option<&'static Words> {
    Words::known(key).filter(|words| words.language.eq_ignore_ascii_case(key))
}

/// The bytes of all data files, for a hash that changes whenever a word does.
pub fn sources() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|file| file.source)
}
