//! The names of front matter keys in all supported generators.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The meaning of a key, independent of its name.
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
    /// The id in RSS and JSON Feed, verbatim.
    FeedGuid,
    Link,
    /// Address of the page with the discussion of the article.
    Comments,
    Language,
    Slug,
    /// A former path or address of the article.
    Address,
    Clean,
    Taxonomies,
    /// Whether feeds contain only the summary.
    SummaryOnly,
    /// Whether pages that list the article show it first.
    Pinned,
    /// The article's picture.
    Image,
    /// The alternative text of the picture.
    ImageText,
    /// A recording.
    Enclosure,
    /// A table with all properties of an episode.
    Podcast,
    Season,
    Episode,
    EpisodeKind,
    Explicit,
    Duration,
    Transcript,
    Chapters,
}

/// Maximum length of a name, in bytes.
const MAX_LENGTH: usize = 40;

/// Names and their meanings. Of two names with one meaning, the earlier one here takes precedence.
const NAMES: [(Key, &[&str]); 33] = [
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
    // The article is not published before this date, even if the other date is earlier.
    (
        Key::NotBefore,
        &[
            "publishdate",
            "publish_date",
            "publish_at",
            "publishat",
            "publish_on",
            "publishon",
            "embargo",
            "embargo_until",
            "embargo_date",
            "not_before",
        ],
    ),
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
    (
        Key::Expires,
        &[
            "expirydate",
            "expiry_date",
            "unpublishdate",
            "unpublish_date",
            "expires",
            "expire",
            "expires_at",
            "expiresat",
            "expire_at",
            "expire_date",
            "expiredate",
            "expiration",
            "expiration_date",
            "expirationdate",
            "unpublish_at",
            "unpublishat",
            "unpublish_on",
            "unpublished_at",
            "publish_until",
            "valid_until",
        ],
    ),
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
    (Key::Status, &["status", "visibility", "post_status", "poststatus", "wp_status"]),
    (Key::Id, &["id", "guid", "uuid", "atom_id"]),
    (Key::FeedGuid, &["feed_guid", "rss_guid"]),
    (Key::Link, &["link", "source", "original_url", "external_url", "canonical_url", "canonicalurl"]),
    (Key::Comments, &["comments", "comments_url", "commentsurl", "discussion", "discussion_url"]),
    (Key::Language, &["lang", "language", "locale"]),
    (Key::Slug, &["slug"]),
    (Key::Address, &["permalink", "url", "path", "aliases", "redirect_from", "alias"]),
    (Key::Clean, &["clean"]),
    (Key::Taxonomies, &["taxonomies"]),
    (
        Key::SummaryOnly,
        &[
            "feed_content",
            "feedcontent",
            "rss_content",
            "summary_only",
            "summaryonly",
            "excerpt_only",
            "content",
            "feed",
        ],
    ),
    (Key::Pinned, &["pinned", "pin", "sticky"]),
    (
        Key::Image,
        &[
            "image",
            "cover",
            "cover_image",
            "coverimage",
            "featured_image",
            "featuredimage",
            "feature_image",
            "featureimage",
            "hero_image",
            "heroimage",
            "image_src",
            "image_url",
            "image_path",
            "cover_src",
            "cover_url",
            "header_image",
            "header_teaser",
            "header_overlay_image",
            "banner_image",
            "main_image",
            "preview_image",
            "thumbnail",
            "thumbnail_image",
            "itunes_image",
            "hero",
            "banner",
            "images",
            "social_image",
            "socialimage",
            "share_image",
            "og_image",
            "ogimage",
            "twitter_image",
            "teaser",
            "header",
        ],
    ),
    (
        Key::ImageText,
        &[
            "image_alt",
            "imagealt",
            "cover_alt",
            "coveralt",
            "cover_image_alt",
            "featured_image_alt",
            "feature_image_alt",
            "hero_image_alt",
            "heroalt",
        ],
    ),
    (
        Key::Enclosure,
        &[
            "enclosure",
            "enclosures",
            "audio",
            "audio_file",
            "audiofile",
            "audio_url",
            "podcast_file",
            "podcastfile",
            "podcast_audio",
            "podcast_url",
            "episode_audio",
            "mp3",
            "mp3_url",
            "recording",
            "video",
            "video_file",
            "video_url",
            "media",
        ],
    ),
    (Key::Podcast, &["podcast", "itunes"]),
    (Key::Season, &["itunes_season", "podcast_season", "season", "season_number"]),
    (Key::Episode, &["itunes_episode", "podcast_episode", "episode", "episode_number", "episodenumber"]),
    (
        Key::EpisodeKind,
        &["itunes_episode_type", "itunes_episodetype", "podcast_episode_type", "episode_type", "episodetype"],
    ),
    (Key::Explicit, &["itunes_explicit", "podcast_explicit", "explicit"]),
    (Key::Duration, &["itunes_duration", "podcast_duration", "audio_duration", "duration"]),
    (Key::Transcript, &["transcript", "transcripts", "podcast_transcript", "podcast_transcripts"]),
    (Key::Chapters, &["chapters", "podcast_chapters"]),
];

impl Key {
    /// Looks up a name, ignoring case. `-`, `.` and `:` equal `_`, and the prefix `hugo_` of ox-hugo is ignored.
    pub fn of(name: &str) -> Option<Self> {
        find(name).map(|(_, key)| key)
    }

    /// Returns the precedence of a name; the lower one wins.
    pub fn rank(name: &str) -> usize {
        find(name).map_or(usize::MAX, |(rank, _)| rank)
    }

    /// All names with their meanings.
    pub fn names() -> impl Iterator<Item = (Self, &'static str)> {
        NAMES.iter().flat_map(|(key, names)| names.iter().map(|name| (*key, *name)))
    }

    /// Whether a key decides about publication.
    pub fn is_state(self) -> bool {
        matches!(self, Self::Draft | Self::Public | Self::Status)
    }

    /// Whether the value is text even if it looks like another type: `title: 1984`.
    pub fn is_text(self) -> bool {
        use Key::{FeedGuid, Id, Language, Link, Slug, Status, Summary, Title, Updated};
        matches!(self, Title | Summary | Id | FeedGuid | Link | Language | Slug | Updated | Status)
    }
}

/// A name as names are compared: ignoring case, `-`, `.` and `:` equal `_`, and `hugo_` of Org at the start has no meaning.
pub fn folded(name: &str) -> String {
    let folded = name.to_ascii_lowercase().replace(['-', '.', ':'], "_");
    folded.strip_prefix("hugo_").map_or_else(|| folded.clone(), str::to_owned)
}

fn find(name: &str) -> Option<(usize, Key)> {
    // A longer name is unknown and need not be folded.
    if name.len() > MAX_LENGTH {
        return None;
    }
    let mut folded = [0; MAX_LENGTH];
    let folded = &mut folded[..name.len()];
    for (folded, letter) in folded.iter_mut().zip(name.bytes()) {
        *folded = if matches!(letter, b'-' | b'.' | b':') { b'_' } else { letter.to_ascii_lowercase() };
    }
    KNOWN.get(folded.strip_prefix(b"hugo_").unwrap_or(folded)).copied()
}

/// Each name with its meaning and precedence.
static KNOWN: LazyLock<HashMap<&[u8], (usize, Key)>> = LazyLock::new(|| {
    let ranked = |(key, names): &(Key, &'static [&'static str])| {
        let key = *key;
        names.iter().enumerate().map(move |(rank, name)| (name.as_bytes(), (rank, key)))
    };
    NAMES.iter().flat_map(ranked).collect()
});

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
