//! What the writer says about a folder, or about an author.

use serde::{Deserialize, Serialize};

use crate::model::entry::{Media, Person, SafeHtml};

/// The description of a folder, from its `_index.md`, or of an author. All texts are [`xml_legal`](super::text::xml_legal).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SectionAbout {
    pub title: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    pub image: Option<Media>,
    /// BCP 47 tag.
    pub language: Option<String>,
    pub authors: Vec<Person>,
    /// Categories of Apple's directory, each with its subcategory.
    pub categories: Vec<(String, Option<String>)>,
    /// `episodic` or `serial`.
    pub kind: Option<String>,
    /// The contact of the podcast.
    pub owner: Option<Person>,
    pub copyright: Option<String>,
    /// Whether it is for adults only.
    pub explicit: Option<bool>,
    /// Whether the feed is a podcast, whatever its entries.
    pub podcast: Option<bool>,
    /// The text of its page; empty if the description says all.
    #[serde(skip_serializing_if = "is_blank")]
    pub html: SafeHtml,
    /// The description is the plain text of `html`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_described_by_text: bool,
    /// Its place among its kind, in thousandths; one without a place comes after those with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// Sites of the author.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<AuthorLink>,
}

/// The address of an author's own site or account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorLink {
    /// Absolute, with http or https.
    pub address: String,
    /// It is the same person there (`rel="me"`).
    pub is_me: bool,
}

fn is_blank(html: &SafeHtml) -> bool {
    html.is_empty()
}

impl SectionAbout {
    /// The description, unless the text of the page says the same.
    pub fn lead(&self) -> Option<&str> {
        self.description.as_deref().filter(|_| !self.is_described_by_text)
    }

    /// Whether the feed is a podcast, if that is stated. A type of show is one, too.
    pub fn is_podcast(&self) -> Option<bool> {
        self.podcast.or(self.kind.is_some().then_some(true))
    }
}

/// The recorded description of a folder or an author.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionRecord {
    /// Path of the file below the watched folder.
    pub path: String,
    pub about: SectionAbout,
}
