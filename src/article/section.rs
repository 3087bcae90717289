//! The file that describes a folder -> its description. Its text is the description, if its front matter has none.

use super::front_matter::about;
use super::problem::Problem;
use super::{Rules, encoding, front_matter, html, markdown, text, unicode};
use crate::config::Clean;
use crate::folder::SourceFormat;
use crate::model::section::SectionAbout;
use crate::model::text::xml_legal;

/// Maximum length of a description in bytes, as Apple's directory takes it.
const MAX_DESCRIPTION: usize = 4_000;

/// Reads the bytes of a description. The address of its picture is as written.
pub fn read(bytes: &[u8], format: SourceFormat, rules: &Rules) -> (SectionAbout, Vec<Problem>) {
    let decoded = match encoding::decode(bytes, format) {
        Ok(decoded) => decoded,
        Err(problem) => return (SectionAbout::default(), vec![problem]),
    };
    let text = unicode::tidy(&decoded.text);
    let (mut about, body, mut problems) = about(&text, format);
    problems.extend(decoded.problem);
    let exceeds_limits = match format {
        SourceFormat::Html => html::is_crowded(body),
        _ => markdown::exceeds_limits(body),
    };
    if exceeds_limits {
        return (about, problems);
    }
    let header = front_matter::Header { title: about.title.clone(), ..front_matter::Header::default() };
    let parsed = match format {
        SourceFormat::Html => html::read(body, header.title.as_deref(), rules.timezone, Clean::Off).unwrap_or_default(),
        SourceFormat::Text => text::read(body, 1, &header, rules),
        _ => markdown::read(body, 1, header.title.as_deref()),
    };
    about.title = about.title.or_else(|| parsed.header.title.map(|title| xml_legal(&title).into_owned()));
    if about.description.is_none() {
        let text = xml_legal(&parsed.paragraphs.join(" ")).into_owned();
        let end = text.char_indices().map(|(at, _)| at).find(|at| *at > MAX_DESCRIPTION).unwrap_or(text.len());
        about.description = Some(text[..end].trim().to_owned()).filter(|text| !text.is_empty());
    }
    (about, problems)
}
