//! The file that describes a folder -> its description. Its text is the description, if its front matter has none, and stands on the page
//! of the folder.

use super::front_matter::about;
use super::problem::Problem;
use super::{Rules, encoding, front_matter, html, markdown, text, unicode};
use crate::config::Clean;
use crate::folder::SourceFormat;
use crate::model::section::SectionAbout;
use crate::model::text::xml_legal;

/// Maximum length of a description in bytes, as Apple's directory takes it.
const MAX_DESCRIPTION: usize = 4_000;

/// A description that was read.
#[derive(Debug, Default)]
pub struct Description {
    /// Without its text; the address of its picture is as written.
    pub about: SectionAbout,
    /// The text as unsafe HTML; empty if the description says all.
    pub html: String,
    pub problems: Vec<Problem>,
}

/// Reads the bytes of a description.
pub fn read(bytes: &[u8], format: SourceFormat, rules: &Rules) -> Description {
    let decoded = match encoding::decode(bytes, format) {
        Ok(decoded) => decoded,
        Err(problem) => return Description { problems: vec![problem], ..Description::default() },
    };
    let text = unicode::tidy(&decoded.text);
    let (mut about, body, mut problems) = about(&text, format);
    problems.extend(decoded.problem);
    let exceeds_limits = match format {
        SourceFormat::Html => html::is_crowded(body),
        _ => markdown::exceeds_limits(body),
    };
    if exceeds_limits {
        return Description { about, html: String::new(), problems };
    }
    let header = front_matter::Header { title: about.title.clone(), ..front_matter::Header::default() };
    let parsed = match format {
        SourceFormat::Html => html::read(body, header.title.as_deref(), rules.timezone, Clean::Off).unwrap_or_default(),
        SourceFormat::Text => text::read(body, 1, &header, rules),
        _ => markdown::read(body, 1, header.title.as_deref()),
    };
    about.title = about.title.or_else(|| parsed.header.title.map(|title| xml_legal(&title).into_owned()));
    let is_too_much = match format {
        // `html::read` has checked it already.
        SourceFormat::Html => false,
        _ => html::is_too_much(&parsed.html),
    };
    let is_plain = about.description.is_none() && is_plain_paragraph(&parsed.html);
    let html = if is_plain || is_too_much || parsed.paragraphs.is_empty() { String::new() } else { parsed.html };
    if about.description.is_none() {
        about.is_described_by_text = !html.is_empty();
        let text = xml_legal(&parsed.paragraphs.join(" ")).into_owned();
        let end = text.char_indices().map(|(at, _)| at).find(|at| *at > MAX_DESCRIPTION).unwrap_or(text.len());
        about.description = Some(text[..end].trim().to_owned()).filter(|text| !text.is_empty());
    }
    Description { about, html, problems }
}

/// Whether a text is one paragraph without any markup, so that the description shows all of it.
fn is_plain_paragraph(html: &str) -> bool {
    let inside = html.trim().strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    inside.is_some_and(|text| !text.contains('<'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_text_that_is_more_than_a_sentence_stands_on_the_page() {
        let config = Config::default();
        let read = |text: &str| {
            let rules = Rules::new(&config.articles, &config.site);
            let Description { about, html, problems } = super::read(text.as_bytes(), SourceFormat::Markdown, &rules);
            assert_eq!(problems, [], "{text}");
            (about.lead().map(str::to_owned), about.order, html.contains("<strong>"))
        };
        assert_eq!(read("# Sea\n\nAll of it."), (Some("All of it.".into()), None, false));
        assert_eq!(read("# Sea\n\nAll **of** it."), (None, None, true));
        assert_eq!(
            read("---\nsummary: Short\nweight: 2\n---\nAll **of** it."),
            (Some("Short".into()), Some(2_000), true)
        );
        assert_eq!(read("---\ntitle: Sea\n---\n"), (None, None, false));
    }
}
