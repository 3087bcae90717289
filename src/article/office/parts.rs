//! The parts of an office document, and what is read from them.

use super::blocks::OfficeBlock;
use crate::article::problem::Problem;
use crate::folder::embedded::document_picture;
use crate::folder::zip::ZipArchive;
use crate::model::text::escape_attribute;

/// Maximum size of a part of a document that is text, unpacked, in bytes.
pub const MAX_PART: u64 = 24 << 20;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfficeError {
    Damaged,
    TooLarge,
    Locked,
}

impl OfficeError {
    pub fn problem(&self) -> Problem {
        Problem::of_file(match self {
            Self::Damaged => "no document of Word or LibreOffice, or a damaged one: save it again",
            Self::TooLarge => "a document with too much text, or packed too tightly: divide it",
            Self::Locked => "the document has a password: save it without one",
        })
    }
}

/// The text of a document, and what it states of itself.
#[derive(Debug, Default)]
pub struct OfficeText {
    pub blocks: Vec<OfficeBlock>,
    /// Names of the footnotes in the order of their references, each once, and the HTML of each.
    pub notes: Vec<String>,
    pub note_texts: Vec<String>,
    pub stated_title: Option<String>,
    pub author: Option<String>,
    pub keywords: Option<String>,
    pub language: Option<String>,
    /// It has formulas, of which only the letters are shown.
    pub has_formulas: bool,
    /// Number of pictures in formats that browsers do not show.
    pub lost_pictures: usize,
}

impl OfficeText {
    /// The number of a footnote, from 1.
    pub fn number_of_note(&mut self, name: &str) -> usize {
        if let Some(known) = self.notes.iter().position(|known| known == name) {
            return known + 1;
        }
        self.notes.push(name.to_owned());
        self.notes.len()
    }
}

/// The files of a document.
pub struct OfficeParts<'a> {
    pub archive: ZipArchive<'a>,
    /// Its name, below which its pictures are served.
    pub name: String,
}

impl OfficeParts<'_> {
    /// A part, unpacked; `None` if the document has none of this name.
    pub fn get(&self, name: &str) -> Result<Option<Vec<u8>>, OfficeError> {
        let Some(entry) = self.archive.entry(name) else { return Ok(None) };
        if u64::from(entry.size) > MAX_PART {
            return Err(OfficeError::TooLarge);
        }
        self.archive.unpack(entry, MAX_PART).map(Some).map_err(|_| OfficeError::Damaged)
    }

    /// The element of a picture; `None` if browsers do not show it.
    pub fn picture(&self, name: &str, words: &str) -> Option<String> {
        let picture = document_picture(&self.archive, self.archive.entry(name)?)?;
        Some(picture_at(&format!("{}/{picture}", self.name), words))
    }
}

/// An element that shows the picture at an address.
pub fn picture_at(address: &str, words: &str) -> String {
    format!("<img src=\"{}\" alt=\"{}\">", escape_attribute(address), escape_attribute(words))
}

/// The number of a footnote in the text. The first reference of each is the place to which it leads back.
pub fn note_reference(number: usize) -> String {
    format!("<sup id=\"fnref-{number}\"><a href=\"#fn-{number}\">{number}</a></sup>")
}
