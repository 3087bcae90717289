//! The file that describes a folder or an author -> the description. Its text is the description, if its front matter has none, and stands
//! on the page of the folder or author.

use std::path::Path;

use super::front_matter::{Header, about, bio};
use super::page::folders_of_site;
use super::problem::Problem;
use super::reading::{Description, Rules};
use super::{date, encoding, front_matter, html, markdown, text, unicode};
use crate::config::Clean;
use crate::folder::SourceFormat;
use crate::model::section::SectionAbout;
use crate::model::taxonomy::{View, ViewKind};
use crate::model::text::xml_legal;

/// Maximum length of a description in bytes, as Apple's directory takes it.
const MAX_DESCRIPTION: usize = 4_000;
/// The folder of files that describe authors, in any case.
const AUTHORS: &str = "authors";

/// Reads the bytes of a description.
pub fn read(bytes: &[u8], format: SourceFormat, rules: &Rules) -> Description {
    let decoded = match encoding::decode(bytes, format) {
        Ok(decoded) => decoded,
        Err(problem) => return Description { problems: vec![problem], ..Description::default() },
    };
    let text = unicode::tidy(&decoded.text);
    let (about, body, mut problems) = about(&text, format);
    problems.extend(decoded.problem);
    describe(about, body, problems, format, *rules)
}

/// The author whom a file describes by its path: one in the top folder of authors whose name has no date. [`is_stated_entry`] may say
/// otherwise.
pub fn author_at(path: &Path, format: SourceFormat) -> Option<View> {
    let is_text = matches!(format, SourceFormat::Text | SourceFormat::Markdown | SourceFormat::Html);
    let mut folders = folders_of_site(path);
    let is_in_authors =
        folders.next().is_some_and(|folder| folder.eq_ignore_ascii_case(AUTHORS)) && folders.next().is_none();
    let stem = path.file_stem()?.to_str().filter(|stem| !stem.eq_ignore_ascii_case("index"))?;
    let is_bio = is_text && is_in_authors && date::file_name(path, chrono_tz::UTC).date.is_none();
    is_bio.then(|| View::named(ViewKind::Author, stem)).flatten()
}

/// Whether front matter says that a file is an article or a page, wherever it lies: its own keys, or those of other files.
pub fn is_stated_entry(own: &Header, of_folder: &Header) -> bool {
    let is_dated = own.published.is_some() || own.has_unclear_date;
    is_dated || own.page.is_page(false).is_some() || of_folder.page.is_page(false).is_some()
}

/// Reads the text of a file that describes an author, whose front matter has these problems.
pub fn read_bio(text: &str, problems: Vec<Problem>, format: SourceFormat, rules: Rules) -> Description {
    let (about, body) = bio(text, format);
    describe(about, body, problems, format, rules)
}

/// Completes a description by its text.
fn describe(
    mut about: SectionAbout,
    body: &str,
    problems: Vec<Problem>,
    format: SourceFormat,
    rules: Rules,
) -> Description {
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
        SourceFormat::Text => text::read(body, 1, &header, &rules),
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
    use crate::article::Verdict;
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

    /// The verdict on a text at a path.
    fn verdict(path: &str, text: &str) -> Verdict {
        let config = Config::default();
        let rules = Rules::new(&config.articles, &config.site);
        crate::article::read(text.as_bytes(), Path::new(path), SourceFormat::Markdown, &rules).verdict
    }

    #[test]
    fn the_documented_bios_are_bios() {
        let paper = include_str!("../../docs/writing.md");
        let section = paper.split("\n## Authors\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let example = section.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
        let Verdict::Bio(bio) = verdict("authors/ada-byron.md", example) else { panic!("no bio") };
        let Description { about, html, problems } = *bio;
        assert_eq!(problems, []);
        assert_eq!(about.title.as_deref(), Some("Ada Byron, keeper of the light"));
        assert_eq!(about.image.unwrap().url, "ada.jpg");
        let links: Vec<(&str, bool)> = about.links.iter().map(|link| (link.address.as_str(), link.is_me)).collect();
        assert_eq!(links, [("https://ada.example/", false), ("https://example.social/@ada", true)]);
        assert!(html.contains("<a href=\"../pages/about.md\">"), "{html}");
        let table = section.split("| file |").nth(1).unwrap().lines().skip(2);
        let rows: Vec<_> =
            table.map_while(|row| row.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ")).collect();
        assert!(rows.len() > 3, "the table was not found");
        for (file, effect) in rows {
            let (file, key) = file.split_once("` with `").unwrap_or((file, "clean: true"));
            let verdict = verdict(file, &format!("---\ntitle: A\n{key}\n---\nWords of it."));
            let found = match &verdict {
                Verdict::Bio(_) => {
                    format!("describes `{}`", author_at(Path::new(file), SourceFormat::Markdown).unwrap().key)
                }
                Verdict::Publish(article) if article.page.is_some() => "a page".to_owned(),
                Verdict::Publish(_) => "an article".to_owned(),
                Verdict::Draft(..) => "a draft".to_owned(),
                Verdict::Withheld(..) => "held".to_owned(),
                other => panic!("{file}: {other:?}"),
            };
            assert_eq!(found, effect, "{file} {key}");
        }
    }

    #[test]
    fn a_bio_with_an_end_is_held() {
        for key in ["expires: 2020-01-01", "expiryDate: 2999-01-01"] {
            let verdict = verdict("authors/ann.md", &format!("---\n{key}\n---\nWords"));
            assert!(matches!(verdict, Verdict::Withheld(..)), "{key}: {verdict:?}");
        }
    }

    #[test]
    fn files_beside_those_of_authors_stay_articles() {
        for path in [
            "authors/2024-05-01-ann.md",
            "authors/index.md",
            "news/authors/ann.md",
            "authors/more/ann.md",
            "authors.md",
        ] {
            assert!(matches!(verdict(path, "# Ann\n\nWords"), Verdict::Publish(_)), "{path}");
        }
        assert!(matches!(verdict("content/Authors/Ann Lee.md", "# Ann\n\nWords"), Verdict::Bio(_)));
        let rules = Rules::new(&Config::default().articles, &Config::default().site);
        let head = b"---\ntitle: Ann\n---\nWords";
        let inherited = crate::article::front_matter::inherited::Inherited::default();
        assert!(crate::article::head(head, Path::new("authors/ann.md"), &inherited, &rules).is_none());
    }
}
