//! The keys that say who holds the rights of an article, and under which licence it is.

use super::key::folded;
use super::value::Value;
use crate::article::summary;
use crate::config::{License, is_no_license};
use crate::model::text::xml_legal;

/// The word of SPDX for the licence of an article that has none, not even that of the site.
const NONE: &str = "NONE";
/// Words behind the version in names of licences of Creative Commons.
const EDITIONS: [&str; 3] = ["international", "unported", "universal"];

/// A key about rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsKey {
    Copyright,
    License,
}

impl RightsKey {
    /// The meaning of a name.
    pub fn of(name: &str) -> Option<Self> {
        match folded(name).as_str() {
            "copyright" | "rights" => Some(Self::Copyright),
            "license" | "licence" => Some(Self::License),
            _ => None,
        }
    }
}

/// The text of a licence, which `false` and `no` say there is none of.
pub fn license_of(value: &Value) -> Option<String> {
    if value.flag() == Some(false) { Some(NONE.to_owned()) } else { text_of(value) }
}

/// The text of such a key. A flag, as some themes have, is none. Of a table, the address counts, or else the name.
pub fn text_of(value: &Value) -> Option<String> {
    if let Value::Table(fields) = value {
        let field = |names: &[&str]| {
            let mut found = fields.iter().filter(|(name, _)| names.contains(&name.to_ascii_lowercase().as_str()));
            found.find_map(|(_, value)| text_of(value))
        };
        return field(&["url", "link", "href"]).or_else(|| field(&["id", "spdx", "name", "text"]));
    }
    let text = value.text().filter(|_| value.flag().is_none())?;
    Some(xml_legal(&summary::one_line(text)).trim().to_owned()).filter(|text| !text.is_empty())
}

/// The licence that a text names: an identifier, an address, the name of one of Creative Commons such as `CC BY 4.0`, or [`NONE`].
pub fn license(text: &str) -> Option<String> {
    if is_no_license(text) {
        return Some(NONE.to_owned());
    }
    let is_name = text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("cc"));
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if is_name {
        words.pop_if(|word| EDITIONS.contains(&word.to_ascii_lowercase().as_str()));
    }
    let joined = if is_name { words.join("-") } else { text.to_owned() };
    joined.parse::<License>().ok().map(|license| license.to_string())
}

#[cfg(test)]
mod tests {
    use crate::article::front_matter::inherited::Inherited;
    use crate::article::front_matter::split;
    use crate::folder::SourceFormat;

    #[test]
    fn rights_in_all_notations() {
        let some = |text: &str| Some(text.to_owned());
        for (front_matter, copyright, license, problems) in [
            ("copyright: © 2026 Bo\nlicense: MIT", some("© 2026 Bo"), some("MIT"), 0),
            ("rights: \"2026\"\nlicence: cc by-sa 4.0", some("2026"), some("cc-by-sa-4.0"), 0),
            ("license: {name: Own, url: https://a.example/terms}", None, some("https://a.example/terms"), 0),
            ("license: true\ncopyright: false", None, None, 0),
            ("license: CC BY-SA 4.0 International", None, some("CC-BY-SA-4.0"), 0),
            ("license: CC BY-NC 3.0 unported", None, some("CC-BY-NC-3.0"), 0),
            ("license: CC0", None, some("CC0-1.0"), 0),
            ("license: CC0 1.0 Universal", None, some("CC0-1.0"), 0),
            ("license: none", None, some("NONE"), 0),
            ("license: Unknown", None, some("NONE"), 0),
            ("license: proprietary", None, some("NONE"), 0),
            ("license: false", None, some("NONE"), 0),
            ("license: \"no\"", None, some("NONE"), 0),
            ("license: CC BY", None, None, 1),
            ("license: CC BY-SA", None, None, 1),
            ("license: CC BY International", None, None, 1),
            ("license: all rights reserved", None, None, 1),
        ] {
            let text = format!("---\n{front_matter}\n---\nText");
            let split = split(&text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
            let header = split.header;
            assert_eq!((header.copyright, header.license), (copyright, license), "{front_matter}");
            assert_eq!(split.problems.len(), problems, "{front_matter}: {:?}", split.problems);
        }
    }
}
