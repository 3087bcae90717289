//! Front matter of a file that describes a folder or an author.

use super::block::FrontMatter;
use super::header::is_language;
use super::key::Key;
use super::page::PageKeys;
use super::value::{Value, absolute};
use super::{inherited, lock, media};
use crate::article::problem::Problem;
use crate::article::summary;
use crate::folder::SourceFormat;
use crate::model::entry::Person;
use crate::model::section::{AuthorLink, SectionAbout};
use crate::model::text::xml_legal;

/// Maximum number of categories.
const MAX_CATEGORIES: usize = 20;
/// Maximum number of addresses of an author.
const MAX_LINKS: usize = 20;

/// Reads the front matter of a description. Returns it with the picture as written, the text after it, and the problems.
pub fn about(text: &str, format: SourceFormat) -> (SectionAbout, &str, Vec<Problem>) {
    let mut reader = AboutReader::default();
    let Some(block) = FrontMatter::find(text, format) else { return (reader.about, text, reader.problems) };
    let fields = match block.parse() {
        Ok(fields) => fields.unwrap_or_default(),
        Err(problem) => {
            reader.problems.push(problem);
            block.salvage()
        }
    };
    for (name, value) in fields {
        if !reader.take(&name, &value) {
            let line = block.line_of(&name);
            reader.problems.push(Problem::at(
                line,
                format!("`{name}` has no meaning for a folder: mark its articles instead, or move them to a folder of drafts"),
            ));
        }
    }
    (reader.about, block.rest, reader.problems)
}

/// Reads the front matter of a file that describes an author. Returns it with the picture as written, and the text after it. Its problems
/// are those of an article's.
pub fn bio(text: &str, format: SourceFormat) -> (SectionAbout, &str) {
    let mut about = SectionAbout::default();
    let Some(block) = FrontMatter::find(text, format) else { return (about, text) };
    let fields = block.parse().map_or_else(|_| block.salvage(), Option::unwrap_or_default);
    for (name, value) in fields {
        take_of_author(&mut about, &name, &value);
    }
    (about, block.rest)
}

/// Reads a key of an author. The first of two keys with one meaning counts.
fn take_of_author(about: &mut SectionAbout, name: &str, value: &Value) {
    match name.to_ascii_lowercase().replace(['-', ':'], "_").as_str() {
        "link" | "url" | "website" | "homepage" => add_links(about, value, false),
        "me" => add_links(about, value, true),
        "avatar" | "photo" | "picture" => about.image = about.image.take().or_else(|| media::picture(value)),
        _ => match Key::of(name) {
            Some(Key::Title) => about.title = about.title.take().or_else(|| value.text().map(line)),
            Some(Key::Summary) => about.description = about.description.take().or_else(|| value.text().map(line)),
            Some(Key::Language) => {
                let tag = value.text().map(|tag| tag.replace('_', "-"));
                about.language = about.language.take().or(tag.filter(|tag| is_language(tag)));
            }
            Some(Key::Image) => about.image = about.image.take().or_else(|| media::picture(value)),
            _ => {}
        },
    }
}

/// Adds addresses of an author, each once. One that is the same person there says so.
fn add_links(about: &mut SectionAbout, value: &Value, is_me: bool) {
    for address in value.texts().iter().filter_map(|text| absolute(text)) {
        if let Some(link) = about.links.iter_mut().find(|link| link.address == address) {
            link.is_me |= is_me;
        } else if about.links.len() < MAX_LINKS {
            about.links.push(AuthorLink { address, is_me });
        }
    }
}

#[derive(Default)]
struct AboutReader {
    about: SectionAbout,
    problems: Vec<Problem>,
}

impl AboutReader {
    /// Reads a key. Returns false if it would hold an article.
    fn take(&mut self, name: &str, value: &Value) -> bool {
        let about = &mut self.about;
        match name.to_ascii_lowercase().replace(['-', ':'], "_").as_str() {
            "category" | "categories" | "itunes_category" | "itunes_categories" => {
                about.categories = categories(value).into_iter().take(MAX_CATEGORIES).collect();
            }
            "type" | "itunes_type" => {
                let kind = value.text().unwrap_or_default().to_ascii_lowercase();
                about.kind = Some(kind).filter(|kind| ["episodic", "serial"].contains(&kind.as_str()));
            }
            "owner" | "itunes_owner" => about.owner = owner(value),
            "copyright" | "rights" => about.copyright = value.text().map(line),
            "podcast" => match value {
                Value::Table(fields) => return fields.iter().all(|(name, value)| self.take(name, value)),
                _ => about.podcast = value.flag(),
            },
            "explicit" | "itunes_explicit" => {
                let text = value.text().unwrap_or_default().to_ascii_lowercase();
                about.explicit = value.flag().or(match text.as_str() {
                    "explicit" => Some(true),
                    "clean" => Some(false),
                    _ => None,
                });
            }
            "author" | "authors" | "itunes_author" => about.authors = value.people(),
            _ => return self.take_common(name, value),
        }
        true
    }

    /// Reads a key that articles have, too.
    fn take_common(&mut self, name: &str, value: &Value) -> bool {
        let about = &mut self.about;
        let mut keys = PageKeys::default();
        if keys.take(name, value) {
            about.order = about.order.or(keys.order);
            return true;
        }
        match Key::of(name) {
            Some(Key::Draft | Key::Public | Key::Status) | None if inherited::is_of_section(name, value) => {}
            Some(Key::Title) => about.title = value.text().map(line),
            Some(Key::Summary) => about.description = value.text().map(line),
            Some(Key::Language) => {
                let tag = value.text().map(|tag| tag.replace('_', "-"));
                about.language = tag.filter(|tag| is_language(tag));
            }
            Some(Key::Image) => about.image = media::picture(value),
            Some(Key::Draft | Key::Public | Key::Status) => return false,
            None if lock::is_about_publication(name) => return false,
            _ => {}
        }
        true
    }
}

fn line(text: &str) -> String {
    xml_legal(&summary::one_line(text)).into_owned()
}

/// A contact: a table with name and email, `Ann <ann@example.org>`, or an address alone.
fn owner(value: &Value) -> Option<Person> {
    if let Value::Table(_) = value {
        return value.people().into_iter().next();
    }
    let text = line(value.text()?);
    let (name, email) = match text.split_once('<') {
        Some((name, rest)) => (name.trim().to_owned(), Some(rest.trim_end_matches('>').trim().to_owned())),
        None if text.contains('@') => (text.clone(), Some(text)),
        None => (text, None),
    };
    let email = email.filter(|email| email.contains('@'));
    let name = if name.is_empty() { email.clone()? } else { name };
    Some(Person { name, email, url: None })
}

/// Categories as texts (`Arts > Books`), as a list, or as a table of lists.
fn categories(value: &Value) -> Vec<(String, Option<String>)> {
    let below = |name: &str, value: &Value| {
        let names = value.texts();
        let one = |inner: Option<String>| (line(name), inner.map(|inner| line(&inner)));
        if names.is_empty() { vec![one(None)] } else { names.into_iter().map(|inner| one(Some(inner))).collect() }
    };
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    match value {
        Value::Table(fields) => found.extend(fields.iter().flat_map(|(name, value)| below(name, value))),
        Value::List(list) => {
            for item in list {
                match (item, found.last().cloned()) {
                    // `[Arts, [Books, Design]]`
                    (Value::List(_), Some((name, None))) => {
                        found.pop();
                        found.extend(below(&name, item));
                    }
                    _ => found.extend(categories(item)),
                }
            }
        }
        other => {
            for text in other.texts() {
                let (name, inner) =
                    text.split_once('>').map_or((text.as_str(), None), |(name, inner)| (name, Some(inner)));
                found.push((line(name), inner.map(line)));
            }
        }
    }
    found.retain(|(name, _)| !name.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> (SectionAbout, Vec<Problem>) {
        let text = format!("---\n{yaml}\n---\nText");
        let (about, rest, problems) = about(&text, SourceFormat::Markdown);
        assert_eq!(rest, "Text");
        (about, problems)
    }

    #[test]
    fn categories_in_all_notations() {
        let books = [("Arts".to_owned(), Some("Books".to_owned()))];
        for yaml in [
            "category: Arts > Books",
            "categories: [Arts > Books]",
            "category: [Arts, [Books]]",
            "category:\n  Arts: [Books]",
            "category:\n  - Arts: Books",
            "itunes_category: Arts>Books",
            "podcast:\n  category: Arts > Books",
        ] {
            let (about, problems) = read(yaml);
            assert_eq!((about.categories.as_slice(), problems.len()), (&books[..], 0), "{yaml}");
        }
        let two = read("category: [TV & Film, News > Daily News]").0.categories;
        assert_eq!(two, [("TV & Film".to_owned(), None), ("News".to_owned(), Some("Daily News".to_owned()))]);
    }

    #[test]
    fn contacts_types_and_locks() {
        for yaml in ["owner: {name: Ann, email: ann@x.example}", "owner: Ann <ann@x.example>"] {
            let owner = read(yaml).0.owner.unwrap();
            assert_eq!((owner.name.as_str(), owner.email.as_deref()), ("Ann", Some("ann@x.example")), "{yaml}");
        }
        assert_eq!(read("type: Serial").0.is_podcast(), Some(true));
        assert_eq!(read("type: page").0.is_podcast(), None);
        assert_eq!(read("podcast: false\ntype: serial").0.is_podcast(), Some(false));
        let (about, problems) = read("title: A\nhidden: true\nrss: false\ndraft: true\npassword: x");
        assert_eq!(about.title.as_deref(), Some("A"));
        let lines: Vec<Option<usize>> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [Some(3), Some(4)], "{problems:?}");
    }
}
