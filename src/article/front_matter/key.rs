//! Everybody's names for the keys.

/// What a key means, whichever generator's name for it the writer uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Title,
    Published,
    NotBefore,
    Updated,
    Expires,
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
    /// Where the article was before, as a path or an address.
    Address,
    Clean,
    Taxonomies,
}

/// Names and their meaning. Of two names with one meaning, the one that stands first here means it more plainly.
const NAMES: [(Key, &[&str]); 18] = [
    (Key::Title, &["title", "headline", "name"]),
    (
        Key::Published,
        &[
            "date",
            "pubdate",
            "pub_date",
            "published",
            "published_date",
            "publisheddate",
            "published_at",
            "publishedat",
            "created",
            "createdat",
            "created_at",
            "date_created",
            "datecreated",
            "datetime",
        ],
    ),
    // Not before this date, whatever the other says.
    (Key::NotBefore, &["publishdate", "publish_date"]),
    (
        Key::Updated,
        &[
            "lastmod",
            "updated",
            "modified",
            "updateddate",
            "updated_date",
            "updated_at",
            "updatedat",
            "last_modified_at",
            "last_modified",
            "lastmodified",
            "date_modified",
            "datemodified",
        ],
    ),
    (Key::Expires, &["expirydate", "expiry_date", "unpublishdate", "unpublish_date", "expires", "expire"]),
    (Key::Authors, &["author", "authors", "byline"]),
    (Key::Summary, &["summary", "description", "excerpt", "abstract", "subtitle", "dek"]),
    (Key::Tags, &["tags", "tag", "keywords", "categories", "category", "topics", "filetags"]),
    (
        Key::Draft,
        &[
            "draft",
            "private",
            "is_draft",
            "isdraft",
            "hidden",
            "headless",
            "unlisted",
            "eleventyexcludefromcollections",
        ],
    ),
    (Key::Public, &["publish"]),
    (Key::Status, &["status", "visibility"]),
    (Key::Id, &["id", "guid", "uuid", "atom_id"]),
    (Key::Link, &["link", "source", "original_url", "external_url", "canonical_url", "canonicalurl"]),
    (Key::Language, &["lang", "language", "locale"]),
    (Key::Slug, &["slug"]),
    (Key::Address, &["permalink", "url", "path", "aliases", "redirect_from", "alias"]),
    (Key::Clean, &["clean"]),
    (Key::Taxonomies, &["taxonomies"]),
];

impl Key {
    /// Case counts for nothing, `-` is `_`, and ox-hugo's names are Hugo's.
    pub fn of(name: &str) -> Option<Self> {
        find(name).map(|(_, key)| key)
    }

    /// How plainly a name means what it means: less is plainer.
    pub fn rank(name: &str) -> usize {
        find(name).map_or(usize::MAX, |(rank, _)| rank)
    }

    /// Keys that say whether an article is published.
    pub fn is_state(self) -> bool {
        matches!(self, Self::Draft | Self::Public | Self::Status)
    }

    /// Keys whose value is text even where it looks like a number, a date or a truth value: `title: 1984`.
    pub fn is_text(self) -> bool {
        use Key::{Id, Language, Link, Slug, Status, Summary, Title, Updated};
        matches!(self, Title | Summary | Id | Link | Language | Slug | Updated | Status)
    }
}

fn find(name: &str) -> Option<(usize, Key)> {
    // No name is longer; most lines of a text need not be folded at all.
    if name.len() > 40 {
        return None;
    }
    let name = name.to_ascii_lowercase().replace('-', "_");
    let name = name.strip_prefix("hugo_").unwrap_or(&name);
    NAMES.iter().find_map(|(key, names)| Some((names.iter().position(|known| *known == name)?, *key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_meaning() {
        let mut all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(Key::of("Publish-Date"), Some(Key::NotBefore));
        assert_eq!(Key::of("HUGO_DRAFT"), Some(Key::Draft));
        assert_eq!(Key::of("weight"), None);
        assert!(Key::rank("date") < Key::rank("created"));
    }
}
