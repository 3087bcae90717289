//! Texts of ID3 tags that the tag parser does not report: those in wrong encodings, and descriptions in frames for any purpose.

use lofty::tag::{ItemKey, ItemValue, Tag, TagItem, TagType};

use super::dates::Id3Dates;
use super::frame_text::FrameText;
use crate::article::encoding::latin1;

/// Names under which programs store the description of a recording in frames for any purpose, in lower case.
const DESCRIPTIONS: [&str; 5] = ["description", "comment", "synopsis", "long description", "longdescription"];

/// What the text frames of a recording have beside the items that the parser reports.
#[derive(Debug, Default)]
pub struct Id3Texts {
    /// Texts that are marked as Latin-1 and are not ASCII.
    pub latin1: Vec<Vec<u8>>,
    /// Descriptions in frames for any purpose, in order. Latin-1 is decoded as it is marked.
    pub descriptions: Vec<String>,
    pub dates: Id3Dates,
    /// Texts of frames, and of other tags, with their meanings, and whether the parser reads them as well.
    meant: Vec<(ItemKey, String, bool)>,
}

impl Id3Texts {
    /// Adds the texts of a frame. Returns whether the parser has to read it as well.
    pub fn add(&mut self, id: &[u8], version: u8, content: &[u8]) -> bool {
        let Some(frame) = FrameText::read(id, version, content) else { return false };
        let id = id.strip_suffix(b"\0").unwrap_or(id);
        if Id3Dates::is_date(id) {
            self.dates.add(id, &frame.text);
            return false;
        }
        self.latin1.extend(frame.latin1);
        let name = frame.description.unwrap_or_default();
        if [&b"TXXX"[..], b"TXX"].contains(&id) {
            if DESCRIPTIONS.contains(&name.trim().to_lowercase().as_str()) {
                self.descriptions.push(frame.text.trim_matches(['\0', '\u{FEFF}']).to_owned());
            }
        } else if let Some(key) = meaning(id).filter(|_| name.is_empty()) {
            self.meant.push((key, frame.text, frame.is_good));
        }
        frame.is_good
    }

    /// Adds a text of a WAV file that is no UTF-8. No encoding is stated there.
    pub fn add_info(&mut self, id: [u8; 4], text: &[u8]) {
        let key = match &id {
            b"INAM" => ItemKey::TrackTitle,
            b"IART" => ItemKey::TrackArtist,
            b"ICMT" => ItemKey::Comment,
            b"ISBJ" => ItemKey::Description,
            _ => return,
        };
        if !self.latin1.iter().any(|known| known == text) {
            self.latin1.push(text.to_vec());
        }
        self.meant.push((key, latin1(text), false));
    }

    /// A tag with the texts of frames that the parser refuses; or with all, if it has failed.
    pub fn tag(&self, has_failed: bool) -> Tag {
        let mut tag = Tag::new(TagType::Id3v2);
        for (key, text, _) in self.meant.iter().filter(|(_, _, is_good)| has_failed || !is_good) {
            // The number of all tracks or discs may follow.
            let is_number = matches!(key, ItemKey::TrackNumber | ItemKey::DiscNumber);
            let text = if is_number { text.split('/').next().unwrap_or_default().trim() } else { text };
            tag.push_unchecked(TagItem::new(*key, ItemValue::Text(text.to_owned())));
        }
        tag
    }
}

/// What a frame means, of those that become a part of the article.
fn meaning(id: &[u8]) -> Option<ItemKey> {
    Some(match id {
        b"TIT2" | b"TT2" => ItemKey::TrackTitle,
        b"TPE1" | b"TP1" => ItemKey::TrackArtist,
        b"TPE2" | b"TP2" => ItemKey::AlbumArtist,
        b"TLAN" | b"TLA" => ItemKey::Language,
        b"TRCK" | b"TRK" => ItemKey::TrackNumber,
        b"TPOS" | b"TPA" => ItemKey::DiscNumber,
        b"TDES" | b"TDS" => ItemKey::PodcastDescription,
        b"COMM" | b"COM" => ItemKey::Comment,
        b"USLT" | b"ULT" => ItemKey::UnsyncLyrics,
        _ => return None,
    })
}
