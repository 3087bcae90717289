//! What the posts of an export of WordPress show by its number: attachments and patterns of blocks.

use std::collections::BTreeMap;

use super::xml::XmlElement;
use crate::folder::media::media_type;

/// The attachments and patterns of all files of an export, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberedParts {
    attachments: BTreeMap<u64, AttachedFile>,
    patterns: BTreeMap<u64, Pattern>,
}

/// Blocks that several posts show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// With its text.
    Public(String),
    /// Visitors do not see it.
    HeldBack,
}

/// A picture, recording or other file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttachedFile {
    pub url: String,
    /// A description for those who do not see it.
    pub alt: String,
    /// Number of the post that it was uploaded to.
    parent: Option<u64>,
    /// Its place among those of the post.
    order: i64,
}

/// What a post of WordPress has beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordPressPost {
    pub number: Option<u64>,
    /// Number of the attachment that is its picture.
    pub picture: Option<u64>,
    pub footnotes: Vec<Footnote>,
}

/// A note below a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footnote {
    pub id: String,
    /// In HTML.
    pub content: String,
}

impl AttachedFile {
    /// Whether it is of a kind: `image`, `audio` or `video`.
    pub fn is_a(&self, kind: &str) -> bool {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        media_type(std::path::Path::new(path)).is_some_and(|of| of.split('/').next() == Some(kind))
    }
}

impl NumberedParts {
    /// Adds an item of an export, if it is an attachment or a pattern.
    pub fn add_item(&mut self, item: &XmlElement<'_>) {
        let number = |name: &str| item.field(name).and_then(|number| number.parse().ok());
        let Some(own) = number("wp:post_id") else { return };
        if let Some(url) = item.field("wp:attachment_url") {
            let alt = item
                .all(&["wp:postmeta"])
                .find(|meta| meta.field("wp:meta_key").as_deref() == Some("_wp_attachment_image_alt"));
            let attachment = AttachedFile {
                url,
                alt: alt.and_then(|meta| meta.field("wp:meta_value")).unwrap_or_default(),
                parent: number("wp:post_parent").filter(|parent| *parent > 0),
                order: item.field("wp:menu_order").and_then(|order| order.parse().ok()).unwrap_or(0),
            };
            self.attachments.insert(own, attachment);
        } else if item.field("wp:post_type").as_deref() == Some("wp_block") {
            let is_public =
                item.field("wp:status").as_deref() == Some("publish") && item.field("wp:post_password").is_none();
            let text = item.all(&["content:encoded"]).next().map(XmlElement::text).unwrap_or_default();
            self.patterns.insert(own, if is_public { Pattern::Public(text) } else { Pattern::HeldBack });
        }
    }

    /// Adds those of another file.
    pub fn extend(&mut self, other: Self) {
        self.attachments.extend(other.attachments);
        self.patterns.extend(other.patterns);
    }

    pub fn attachment(&self, number: u64) -> Option<&AttachedFile> {
        self.attachments.get(&number)
    }

    pub fn pattern(&self, number: u64) -> Option<&Pattern> {
        self.patterns.get(&number)
    }

    /// The attachments of a post, in their order.
    pub fn of_post(&self, post: u64) -> Vec<&AttachedFile> {
        let mut own: Vec<_> = self.attachments.iter().filter(|(_, file)| file.parent == Some(post)).collect();
        own.sort_by_key(|(number, file)| (file.order, **number));
        own.into_iter().map(|(_, file)| file).collect()
    }
}
