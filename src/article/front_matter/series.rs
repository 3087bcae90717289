//! The keys that make an article a part of a series.

use super::key::folded;
use super::value::{Value, without_link};
use crate::article::summary;
use crate::model::entry::SeriesPart;
use crate::model::text::xml_legal;

/// What front matter says about a series. A key that is absent or not understood is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeriesKeys {
    /// `series`: the first name, if there are several
    pub name: Option<String>,
    /// `series_order`, `part`, in thousandths
    pub part: Option<i64>,
}

impl SeriesKeys {
    /// Reads a key. Returns whether its name is that of a key of series. Of two keys with one meaning, the first counts.
    pub fn take(&mut self, name: &str, value: &Value) -> bool {
        match folded(name).as_str() {
            "series" => self.take_series(value),
            "series_order" | "series_part" | "series_index" | "series_weight" | "part" => {
                self.part = self.part.or_else(|| place(value));
            }
            _ => return false,
        }
        true
    }

    /// Fills missing keys from others.
    pub fn complete(&mut self, other: Self) {
        self.name = self.name.take().or(other.name);
        self.part = self.part.or(other.part);
    }

    /// The series of an article with these keys.
    pub fn into_part(self) -> Option<SeriesPart> {
        Some(SeriesPart { series: self.name?, part: self.part })
    }

    /// Reads the name of a series, or a table with name and place.
    fn take_series(&mut self, value: &Value) {
        if let Value::Table(fields) = value {
            for (name, value) in fields {
                match folded(name).as_str() {
                    "name" | "title" => self.keep_name(value),
                    "order" | "part" | "index" | "number" => self.part = self.part.or_else(|| place(value)),
                    _ => {}
                }
            }
        } else {
            self.keep_name(value);
        }
    }

    fn keep_name(&mut self, value: &Value) {
        // YAML reads `[[The sea]]` without quotes as a list in a list. A comma in a name that stands alone is a part of it.
        let text = value.text().map(str::to_owned).or_else(|| value.texts().into_iter().next());
        let name = text.map(|text| xml_legal(&summary::one_line(without_link(&text))).trim().to_owned());
        self.name = self.name.take().or(name.filter(|name| !name.is_empty()));
    }
}

/// A place in a series.
fn place(value: &Value) -> Option<i64> {
    let number: f64 = value.text()?.trim().parse().ok()?;
    let is_place = number.is_finite() && number.abs() < 1e9;
    #[expect(clippy::cast_possible_truncation, reason = "it is in the range")]
    is_place.then(|| (number * 1_000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use crate::article::front_matter::inherited::Inherited;
    use crate::article::front_matter::split;
    use crate::folder::SourceFormat;

    #[test]
    fn series_in_all_notations() {
        for (front_matter, name, part) in [
            ("---\nseries: The sea, in parts\n---", Some("The sea, in parts"), None),
            ("---\nseries: \"[[The sea]]\"\n---", Some("The sea"), None),
            ("---\nseries: \"[[notes/sea|The sea]]\"\n---", Some("The sea"), None),
            ("---\nseries: [[The sea]]\n---", Some("The sea"), None),
            ("---\nseries: [The sea, Other]\nseries_order: 2\n---", Some("The sea"), Some(2_000)),
            ("---\nseries: {name: The sea, part: 3}\n---", Some("The sea"), Some(3_000)),
            ("+++\nseries = [\"The sea\"]\npart = 1.5\n+++", Some("The sea"), Some(1_500)),
            ("+++\n[taxonomies]\nseries = [\"The sea\"]\n+++", Some("The sea"), None),
            ("{\"title\": \"A\", \"series\": \"The sea\", \"Series-Part\": \"4\"}\n\n", Some("The sea"), Some(4_000)),
            ("#+TITLE: A\n#+HUGO_SERIES: The sea\n", Some("The sea"), None),
            ("---\nseries:\npart: two\n---", None, None),
            ("---\npart: 2\n---", None, Some(2_000)),
        ] {
            let text = format!("{front_matter}\nText");
            let split = split(&text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
            assert_eq!(split.problems, [], "{front_matter}");
            let keys = split.header.series;
            assert_eq!((keys.name.as_deref(), keys.part), (name, part), "{front_matter}");
            assert_eq!(keys.into_part().is_some(), name.is_some(), "{front_matter}");
        }
    }
}
