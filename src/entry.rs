//! The waist: one published article, its permanent id and its timestamps. Ingest makes it, serving shows it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One published article, ready to be shown in any format.
///
/// Every text is clean of what its format forbids except for characters that XML 1.0 does not allow; `feed` removes those.
/// Timestamps are whole seconds in UTC, as feeds show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Permanent and unique: an absolute IRI, never changed, never used again (RFC 4287 section 4.2.6).
    pub id: String,
    /// Last part of the address of the article's page: `a-z`, `0-9` and `-` only.
    pub slug: String,
    /// When the article was first published. Set once.
    pub published: DateTime<Utc>,
    /// When its content last changed; never before `published`.
    pub updated: DateTime<Utc>,
    /// When anything that is served of it last changed: the `Last-Modified` of its page.
    pub revised: DateTime<Utc>,
    /// What the article says.
    pub content: Content,
}

/// What an article says, as the writer's file gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Plain text, never empty.
    pub title: String,
    /// Whom the article names; empty when it names nobody.
    pub authors: Vec<Person>,
    /// Plain text; empty when there is none.
    pub summary: String,
    /// Safe HTML: a balanced fragment in which every address is absolute.
    pub html: String,
    /// In the writer's words and order, each once.
    pub tags: Vec<String>,
    /// BCP 47 tag of the article's language, where it is known.
    pub language: Option<String>,
    /// Absolute address of the article elsewhere, if it lives elsewhere.
    pub link: Option<String>,
}

/// Somebody who wrote something (RFC 4287 section 3.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// As people write it; never empty in an [`Entry`].
    pub name: String,
    /// Bare address, `user@host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Absolute address of a page about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
