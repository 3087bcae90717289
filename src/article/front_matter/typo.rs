//! Keys that are written wrongly: `darft` for `draft`.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::key::Key;
use super::lock;

/// Maximum number of edits between a key and what was meant.
const MAX_EDITS: usize = 2;
/// A shorter name is too close to many others.
const MIN_LENGTH: usize = 4;
/// From this length on, two edits are a slip; in a shorter name, they make another word.
const LONG: usize = 6;

/// Names that decide about publication and are understood by their words, as they are usually written.
const LOCKS: [&str; 22] = [
    "password",
    "encrypt",
    "encrypted",
    "protected",
    "restricted",
    "public",
    "visible",
    "listed",
    "render",
    "redirect_to",
    "hiddenInRss",
    "hide_from_feed",
    "exclude_from_feed",
    "feed_exclude",
    "disable_feed",
    "in_feed",
    "no_feed",
    "no_rss",
    "members_only",
    "unpublished",
    "secret",
    "build",
];

/// Keys of site generators, themes, editors and note-taking programs that are close to a name with another meaning.
const FOREIGN: &[&str] = &[
    "logoimage",
    "data",
    "dates",
    "day",
    "days",
    "late",
    "rate",
    "rates",
    "rated",
    "rating",
    "ratings",
    "update",
    "updates",
    "dated",
    "gate",
    "type",
    "types",
    "tile",
    "tiles",
    "titles",
    "subtitles",
    "pagetitle",
    "metatitle",
    "seotitle",
    "titlebar",
    "toptitle",
    "linktitle",
    "shorttitle",
    "indextitle",
    "booktitle",
    "subtitel",
    "tool",
    "tools",
    "links",
    "line",
    "lines",
    "linked",
    "like",
    "likes",
    "long",
    "langs",
    "languages",
    "locales",
    "local",
    "locals",
    "location",
    "locations",
    "logo",
    "slugs",
    "plug",
    "paths",
    "math",
    "patch",
    "match",
    "urls",
    "guide",
    "guides",
    "named",
    "names",
    "game",
    "games",
    "frame",
    "username",
    "nickname",
    "feeds",
    "seed",
    "need",
    "speed",
    "hero",
    "herotext",
    "heros",
    "clear",
    "clean",
    "lean",
    "color",
    "colors",
    "colour",
    "cove",
    "covers",
    "cover_credit",
    "over",
    "lover",
    "hover",
    "mover",
    "images",
    "image_caption",
    "imagetitle",
    "imgs",
    "header",
    "headers",
    "heading",
    "headings",
    "reader",
    "leader",
    "leaders",
    "header_img",
    "headerimg",
    "teasers",
    "teacher",
    "banners",
    "manner",
    "banner_img",
    "thumbnails",
    "thumb",
    "videos",
    "video_id",
    "videoid",
    "audience",
    "audios",
    "radio",
    "studio",
    "medium",
    "metadata",
    "meta",
    "media_type",
    "podcasts",
    "reason",
    "seasons",
    "session",
    "episodes",
    "contents",
    "context",
    "contact",
    "contacts",
    "contest",
    "comment",
    "comments",
    "commentid",
    "mode",
    "model",
    "note",
    "notes",
    "node",
    "topic",
    "tonic",
    "toc",
    "tocs",
    "tags_",
    "stage",
    "staff",
    "pages",
    "page",
    "stars",
    "star",
    "start",
    "stats",
    "stat",
    "state",
    "states",
    "station",
    "statute",
    "statues",
    "series",
    "serie",
    "source_url",
    "sources",
    "sourcecode",
    "resource",
    "resources",
    "course",
    "courses",
    "publisher",
    "publishers",
    "publishing",
    "publication",
    "publications",
    "published_in",
    "publishedin",
    "published_by",
    "publishedby",
    "publisheddir",
    "republish",
    "republished",
    "public_id",
    "publicid",
    "privacy",
    "craft",
    "crafts",
    "graft",
    "draft_id",
    "daft",
    "raft",
    "authors_note",
    "authorid",
    "author_id",
    "authorurl",
    "author_url",
    "editor",
    "editors",
    "actor",
    "actors",
    "aliases",
    "alias",
    "expire_in",
    "explicit",
    "summary_large_image",
    "summarize",
    "description_html",
    "durations",
    "chapter",
    "chapters",
    "transcription",
    "transcripts",
    "modifier",
    "create",
    "creator",
    "creators",
    "hide_meta",
    "midden",
    "bidden",
    "builds",
    "built",
    "build_tool",
    "guild",
];

/// The name that was probably meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meant {
    pub name: &'static str,
    /// Its meaning; `None` if it is understood by its words.
    pub key: Option<Key>,
}

impl Meant {
    /// Whether the name decides whether, or from when to when, an article is public.
    pub fn decides(self) -> bool {
        self.key.is_none_or(|key| key.is_state() || matches!(key, Key::NotBefore | Key::Expires))
            || self.name == "published"
    }
}

/// A name that may have been meant.
struct Candidate {
    letters: String,
    /// A bit for each letter that it has.
    mask: u64,
    meant: Meant,
}

static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let keys = Key::names().map(|(key, name)| Meant { name, key: Some(key) });
    let locks = LOCKS.iter().map(|name| Meant { name, key: None });
    let candidate = |meant: Meant| {
        let letters = lock::letters(meant.name);
        Candidate { mask: mask(&letters), letters, meant }
    };
    keys.chain(locks).map(candidate).filter(|candidate| candidate.letters.len() >= MIN_LENGTH).collect()
});

static FOREIGN_LETTERS: LazyLock<HashSet<String>> =
    LazyLock::new(|| FOREIGN.iter().map(|name| lock::letters(name)).collect());

fn mask(letters: &str) -> u64 {
    letters.bytes().fold(0, |mask, letter| mask | 1 << (letter % 64))
}

/// Finds the known name that an unknown one is closest to; `None` if none is close.
pub fn meant(name: &str) -> Option<Meant> {
    let written = lock::letters(name);
    if written.len() < MIN_LENGTH - 1 || FOREIGN_LETTERS.contains(&written) {
        return None;
    }
    let written_mask = mask(&written);
    // `draft_of` has another meaning than `draft`.
    let is_part = |wanted: &str| name.split(['-', '_', '.', ' ']).any(|part| part.eq_ignore_ascii_case(wanted));
    // Each edit changes at most two letters of the set.
    let may_be_close = |candidate: &&Candidate| {
        let is_alike = (candidate.mask ^ written_mask).count_ones() as usize <= 2 * MAX_EDITS;
        is_alike && written.len().abs_diff(candidate.letters.len()) <= MAX_EDITS && !is_part(&candidate.letters)
    };
    let close = CANDIDATES
        .iter()
        .filter(may_be_close)
        .filter_map(|candidate| Some((edits_to(&written, &candidate.letters, candidate.meant)?, candidate.meant)));
    // Names that decide about publication come first among equally close ones.
    close.min_by_key(|(edits, meant)| (*edits, !meant.decides())).map(|(_, meant)| meant)
}

/// Number of edits between a name as it is written and what may have been meant; `None` if there are too many for a slip.
fn edits_to(written: &str, wanted: &str, meant: Meant) -> Option<usize> {
    let length = wanted.len();
    if written == wanted {
        return None;
    }
    // A plural is another key, unless it decides about publication.
    let is_plural = written.strip_suffix('s') == Some(wanted) || wanted.strip_suffix('s') == Some(written);
    if is_plural && !meant.decides() {
        return None;
    }
    let (edits, substitutes) = edits(written.as_bytes(), wanted.as_bytes());
    let same_start = written.as_bytes()[0] == wanted.as_bytes()[0]
        || written.as_bytes().get(..2).is_some_and(|two| {
            wanted.as_bytes().starts_with(&[two[1], two[0]]) || wanted.as_bytes().starts_with(&two[1..])
        });
    let most = match length {
        // "rate" is not "date".
        MIN_LENGTH if substitutes => 0,
        MIN_LENGTH => 1,
        _ if !same_start => 0,
        _ if length >= LONG || meant.decides() => MAX_EDITS,
        _ => 1,
    };
    (edits <= most).then_some(edits)
}

/// Returns the number of letters to be added, removed, replaced or exchanged with their neighbours, and whether the shortest way
/// replaces one.
fn edits(one: &[u8], other: &[u8]) -> (usize, bool) {
    let width = other.len() + 1;
    let mut rows: Vec<Vec<(usize, bool)>> = vec![(0..width).map(|column| (column, false)).collect()];
    for row in 1..=one.len() {
        rows.push(vec![(row, false); width]);
        for column in 1..width {
            let is_same = one[row - 1] == other[column - 1];
            let step = |(edits, substitutes): (usize, bool)| (edits + 1, substitutes);
            let diagonal = rows[row - 1][column - 1];
            let mut best = if is_same { diagonal } else { (diagonal.0 + 1, true) };
            best = best.min(step(rows[row - 1][column])).min(step(rows[row][column - 1]));
            let is_exchange =
                row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1];
            if is_exchange {
                best = best.min(step(rows[row - 2][column - 2]));
            }
            rows[row][column] = best;
        }
    }
    rows[one.len()][width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood() {
        for (written, expected) in [
            ("darft", "draft"),
            ("drfat", "draft"),
            ("rdaft", "draft"),
            ("draf", "draft"),
            ("draftt", "draft"),
            ("Drafts", "draft"),
            ("dratf", "draft"),
            ("dfrat", "draft"),
            ("pubished", "published"),
            ("publised", "published"),
            ("publich", "publish"),
            ("pirvate", "private"),
            ("privte", "private"),
            ("staus", "status"),
            ("sttaus", "status"),
            ("hiden", "hidden"),
            ("pasword", "password"),
            ("passwrod", "password"),
            ("encypted", "encrypted"),
            ("unlsted", "unlisted"),
            ("tilte", "title"),
            ("titel", "title"),
            ("dtae", "date"),
            ("dat", "date"),
            ("tgas", "tags"),
            ("auhtor", "author"),
            ("autor", "author"),
            ("descripton", "description"),
            ("dscripton", "description"),
            ("sumary", "summary"),
            ("lnag", "lang"),
            ("catagories", "categories"),
            ("pubDat", "pubdate"),
            ("slgu", "slug"),
            ("expiryDat", "expirydate"),
            ("publihsDate", "publishdate"),
            ("permalnik", "permalink"),
            ("alises", "aliases"),
            ("redirct_to", "redirect_to"),
            ("hiddenInRs", "hiddenInRss"),
        ] {
            assert_eq!(meant(written).map(|meant| meant.name), Some(expected), "{written}");
        }
    }

    #[test]
    fn other_words_are_no_slips() {
        for written in FOREIGN.iter().copied().chain([
            "draft_of",
            "draft-no",
            "weight",
            "layout",
            "toc",
            "math",
            "comments",
            "number",
            "team",
            "translator",
            "release",
            "params",
            "cssclass",
            "css",
            "js",
            "nav_order",
            "sidebar",
            "sticky",
            "top",
            "cat",
            "series",
            "abbrlink",
            "mathjax",
            "photos",
            "id",
            "text",
            "license",
            "extra",
            "order",
            "menu",
            "show",
            "share",
            "related",
            "classes",
            "collection",
            "kind",
            "outputs",
            "cascade",
            "markup",
            "sitemap",
            "robots",
            "score",
            "isbn",
            "genre",
            "rank",
            "price",
            "venue",
            "place",
            "city",
            "country",
            "speaker",
            "event",
            "width",
            "height",
            "style",
            "icon",
            "label",
            "parent",
            "children",
            "class",
            "section",
            "position",
            "level",
            "version",
        ]) {
            assert_eq!(meant(written), None, "{written}");
        }
    }
}
