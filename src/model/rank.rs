//! The order of entries with the same date.

use std::path::Path;

use unicode_normalization::UnicodeNormalization;

use crate::model::entry::Content;

/// Maximum length of a rank in bytes. Longer ones are cut, and equal ones are ordered by arrival.
const MAX_BYTES: usize = 1_000;

/// Marks at the start of a rank. Episodes of a season are newer than those without one.
const WITHOUT_SEASON: u8 = 1;
const OF_A_SEASON: u8 = 2;

/// Returns the bytes by which an entry is ordered among those of its second; larger ones are newer. Episodes are ordered by season and
/// number; those without a season by folder, number and file name, in which digits count as numbers. An entry without a recording has
/// no rank: its arrival decides.
pub fn of(path: &Path, content: &Content) -> Vec<u8> {
    if !content.plays() {
        return Vec::new();
    }
    let is_index = path.file_stem().is_some_and(|stem| stem == "index");
    // An index is what its folder is about.
    let own = path.parent().filter(|folder| is_index && !folder.as_os_str().is_empty());
    let (folder, name) = match own {
        Some(folder) => (folder.parent(), folder.file_name()),
        None => (path.parent(), path.file_stem()),
    };
    let name = name.unwrap_or_default().to_string_lossy();
    let episode = content.episode.as_ref();
    let number = episode.and_then(|episode| episode.number).unwrap_or_default();
    let mut rank = Vec::new();
    if let Some(season) = episode.and_then(|episode| episode.season) {
        rank.push(OF_A_SEASON);
        rank.extend(season.to_be_bytes());
    } else {
        rank.push(WITHOUT_SEASON);
        push_name(&mut rank, &folder.unwrap_or(Path::new("")).to_string_lossy());
        rank.push(0);
    }
    rank.extend(number.to_be_bytes());
    push_name(&mut rank, &name);
    rank.truncate(MAX_BYTES);
    rank
}

/// Adds a name in lower case, each run of digits as its length and the digits, so that 2 precedes 10.
fn push_name(rank: &mut Vec<u8>, name: &str) {
    let mut digits = String::new();
    let push_digits = |rank: &mut Vec<u8>, digits: &mut String| {
        if !digits.is_empty() {
            let significant = digits.trim_start_matches('0');
            rank.push(b'0');
            rank.push(u8::try_from(significant.len() + 1).unwrap_or(u8::MAX));
            rank.extend(significant.bytes());
            digits.clear();
        }
    };
    for c in name.nfkc().flat_map(char::to_lowercase) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        push_digits(rank, &mut digits);
        rank.extend(c.encode_utf8(&mut [0; 4]).bytes());
    }
    push_digits(rank, &mut digits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::{Episode, Media};

    fn rank(path: &str, season: Option<u32>, number: Option<u32>) -> Vec<u8> {
        let recording = Media { media_type: "audio/mpeg".into(), ..Media::default() };
        let episode = Some(Episode { season, number, ..Episode::default() });
        of(Path::new(path), &Content { enclosures: vec![recording], episode, ..Content::default() })
    }

    #[test]
    fn episodes_are_ordered_by_number_and_then_by_name() {
        let oldest_first = [
            rank("a/trailer.mp3", None, None),
            rank("a/z.mp3", None, Some(2)),
            rank("a/c/index.md", None, Some(3)),
            rank("a/b/index.md", None, Some(4)),
            rank("a/y.mp3", None, Some(10)),
            rank("pod/ep1.mp3", None, None),
            rank("pod/Ep1b.mp3", None, None),
            rank("pod/ep2.mp3", None, None),
            rank("pod/EP010.mp3", None, None),
            rank("pod/ep１１.mp3", None, None),
            rank("s2/1.mp3", None, None),
            rank("s10/1.mp3", None, None),
            rank("x/a.mp3", Some(1), Some(9)),
            rank("x/a.mp3", Some(1), Some(10)),
            rank("a/a.mp3", Some(2), None),
            rank("a/a.mp3", Some(2), Some(1)),
        ];
        let mut sorted = oldest_first.to_vec();
        sorted.sort();
        assert_eq!(sorted, oldest_first);
        assert_eq!(of(Path::new("a/1.md"), &Content::default()), Vec::<u8>::new());
        assert!(rank(&"9".repeat(4_000), None, None).len() <= MAX_BYTES);
    }
}
