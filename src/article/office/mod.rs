//! An office document (`.docx`, `.odt`) -> an article. Comments, deleted and hidden text, headers and footers are never part of it.

mod blocks;
mod docx;
mod inline;
mod odt;
mod parts;
mod tables;
mod xml;

use std::path::Path;

use super::assemble::assemble;
use super::front_matter::inherited::Inherited;
use super::front_matter::{self, Field, Header, is_language};
use super::problem::Problem;
use super::reading::{ParsedBody, Reading, Rules, Verdict};
use super::{address, html};
use crate::config::Clean;
use crate::folder::SourceFormat;
use crate::folder::zip::ZipArchive;
use crate::model::entry::Person;
use blocks::{OfficeBlock, html_of, keys_at_start};
use parts::{OfficeError, OfficeParts, OfficeText};

/// Maximum number of files in a document.
const MOST_FILES: usize = 20_000;
/// Names of authors that programs write if they know none, in lower case.
const NO_AUTHORS: [&str; 14] = [
    "microsoft office user",
    "microsoft account",
    "windows user",
    "office user",
    "user",
    "admin",
    "administrator",
    "author",
    "owner",
    "unknown",
    "un-named",
    "python-docx",
    "benutzer",
    "utilisateur",
];
/// Maximum number of keywords.
const MOST_KEYWORDS: usize = 100;

/// Reads a document.
pub(super) fn read(bytes: &[u8], path: &Path, inherited: &Inherited, rules: Rules) -> Reading {
    if bytes.is_empty() {
        return Verdict::Empty.into();
    }
    match text_of(bytes, path) {
        Ok(text) => article(text, path, inherited, rules),
        Err(error) => Verdict::Broken(error.problem()).into(),
    }
}

fn text_of(bytes: &[u8], path: &Path) -> Result<OfficeText, OfficeError> {
    // A document with a password is in the container of older documents.
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(OfficeError::Locked);
    }
    let archive = ZipArchive::of_bytes(bytes).map_err(|_| OfficeError::Damaged)?;
    if archive.entries.len() > MOST_FILES {
        return Err(OfficeError::TooLarge);
    }
    let name = path.file_name().map(|name| address::encoded(Path::new(name)));
    let parts = OfficeParts { archive, name: name.unwrap_or_default() };
    let is_open_document = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("odt"));
    if is_open_document {
        let manifest = parts.get("META-INF/manifest.xml")?.unwrap_or_default();
        if String::from_utf8_lossy(&manifest).contains("encryption-data") {
            return Err(OfficeError::Locked);
        }
        odt::text(&parts)
    } else {
        docx::text(&parts)
    }
}

fn article(mut text: OfficeText, path: &Path, inherited: &Inherited, rules: Rules) -> Reading {
    let (keys, count) = keys_at_start(&text.blocks);
    let source = format!("{keys}\n\nText");
    let mut split = match front_matter::split(&source, SourceFormat::Markdown, inherited, rules.timezone) {
        Ok(split) => split,
        Err(reason) => return reason.into(),
    };
    if split.body_line > 1 {
        text.blocks.drain(..count);
    }
    if split.header.title.is_none() {
        split.header.complete(title_of(&mut text));
    }
    let mut html = html_of(&text.blocks);
    for (index, note) in text.note_texts.iter().enumerate() {
        html.push_str(&note_of(index + 1, note));
    }
    if html::is_crowded(&html) || html::is_too_much(&html) {
        return Verdict::Broken(OfficeError::TooLarge.problem()).into();
    }
    let title = split.header.title.clone();
    let body = match html::read(&html, title.as_deref().or(Some("")), rules.timezone, Clean::Off) {
        Ok(body) => ParsedBody { header: Header::default(), ..body },
        Err(reason) => return reason.into(),
    };
    if body.html.trim().is_empty() {
        return Verdict::Empty.into();
    }
    split.header.complete(stated(&text));
    split.problems.extend(remarks(&text));
    assemble((split.header, split.of_folder), split.problems, body, path, SourceFormat::Document, rules)
}

/// The title: the paragraph in the style of titles, or a first heading before all other text, which is removed; else the one in the properties.
fn title_of(text: &mut OfficeText) -> Header {
    let is_title = |block: &OfficeBlock| matches!(block, OfficeBlock::Title(_));
    let first = text.blocks.iter().position(|block| !matches!(block, OfficeBlock::Picture(_)));
    let is_heading = |index: &usize| matches!(text.blocks[*index], OfficeBlock::Heading(1, _));
    let index = text.blocks.iter().position(is_title).or_else(|| first.filter(is_heading));
    let (title, source) = match index.map(|index| text.blocks.remove(index)) {
        Some(OfficeBlock::Title(title)) => (Some(html::one_line(&title)), "the title in the document"),
        Some(OfficeBlock::Heading(_, title)) => (Some(html::one_line(&title)), "first heading"),
        _ => (text.stated_title.clone().filter(|title| !is_of_program(title)), "properties of the document"),
    };
    Header { title, ..Header::default() }.with_source(Field::Title, source)
}

/// Whether a title in the properties is the name of a file, or the one of a program for a new document.
fn is_of_program(title: &str) -> bool {
    let lower = title.to_lowercase();
    let name = lower.trim_end_matches(|c: char| c.is_ascii_digit() || " ()-_".contains(c));
    ["word document", "document", "untitled", "untitled document", "dokument", "template", "normal.dotm"]
        .contains(&name)
        || lower.starts_with("microsoft word - ")
        || [".doc", ".docx", ".odt"].iter().any(|ending| lower.ends_with(ending))
}

/// What the properties of the document state. Dates are not among them: they are often those of a template, or of a copy.
fn stated(text: &OfficeText) -> Header {
    let names = text.author.iter().flat_map(|names| names.split(';')).map(str::trim);
    let names = names.filter(|name| !name.is_empty() && !NO_AUTHORS.contains(&name.to_lowercase().as_str()));
    let keywords = text.keywords.iter().flat_map(|words| words.split([',', ';'])).map(str::trim);
    let language = text.language.as_ref().map(|language| language.replace('_', "-"));
    let header = Header {
        authors: names.map(|name| Person { name: name.to_owned(), ..Person::default() }).collect(),
        tags: keywords.filter(|word| !word.is_empty()).take(MOST_KEYWORDS).map(str::to_owned).collect(),
        language: language.filter(|language| is_language(language)),
        ..Header::default()
    };
    let words = "properties of the document";
    header.with_source(Field::Authors, words).with_source(Field::Tags, words).with_source(Field::Language, words)
}

fn remarks(text: &OfficeText) -> Vec<Problem> {
    let pictures = (text.lost_pictures > 0).then(|| {
        let count = text.lost_pictures;
        Problem::intended(
            None,
            format!("pictures of the document that browsers do not show: {count}; save them as PNG or JPEG"),
        )
    });
    let formulas = text
        .has_formulas
        .then(|| Problem::intended(None, "the document has formulas or objects, of which only the letters are shown"));
    pictures.into_iter().chain(formulas).collect()
}

/// A footnote at the end of the text, with a link back to its reference.
fn note_of(number: usize, html: &str) -> String {
    let back = format!(" <a href=\"#fnref-{number}\">↩</a>");
    let html = html.trim_end();
    let html = match html.strip_suffix("</p>") {
        Some(before) => format!("{before}{back}</p>"),
        None => format!("{html}{back}"),
    };
    format!("<div class=\"footnote-definition\" id=\"fn-{number}\"><sup>{number}</sup>\n{html}\n</div>\n")
}

#[cfg(test)]
mod tests;
