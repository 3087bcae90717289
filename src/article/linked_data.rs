//! The metadata of a page in JSON-LD (schema.org `Article` and its subtypes).

use chrono_tz::Tz;
use serde_json::Value;

use super::front_matter::{Field, Header, is_language};
use super::{address, date, summary};
use crate::model::entry::{Media, Person};

/// Reads the scripts of a page; the first one that describes an article counts.
pub fn read(scripts: &[String], timezone: Tz) -> Header {
    let parsed: Vec<Value> = scripts.iter().filter_map(|script| serde_json::from_str(script).ok()).collect();
    let Some(article) = parsed.iter().find_map(|value| article(value, 0)) else { return Header::default() };
    let text =
        |key: &str| article.get(key).and_then(Value::as_str).map(summary::one_line).filter(|text| !text.is_empty());
    let day = |key: &str| text(key).and_then(|text| date::parse(&text, timezone));
    let mut header = Header {
        title: text("headline").or_else(|| text("name")),
        published: day("datePublished"),
        updated: day("dateModified"),
        authors: article.get("author").map(people).unwrap_or_default(),
        summary: text("description"),
        image: article.get("image").and_then(|image| picture(image, 0)),
        language: text("inLanguage").filter(|tag| is_language(tag)),
        ..Header::default()
    };
    for field in
        [Field::Title, Field::Published, Field::Updated, Field::Authors, Field::Summary, Field::Language, Field::Image]
    {
        header = header.with_source(field, "JSON-LD of the page");
    }
    header
}

/// Finds the article: the object itself, or one in a list or graph.
fn article(value: &Value, depth: usize) -> Option<&Value> {
    const KINDS: [&str; 8] = [
        "Article",
        "NewsArticle",
        "BlogPosting",
        "ReportageNewsArticle",
        "OpinionNewsArticle",
        "AnalysisNewsArticle",
        "TechArticle",
        "ScholarlyArticle",
    ];
    let is_kind = |kind: &Value| kind.as_str().is_some_and(|kind| KINDS.contains(&kind));
    match value {
        _ if depth > 4 => None,
        Value::Array(list) => list.iter().find_map(|value| article(value, depth + 1)),
        Value::Object(fields) => {
            let kind = fields.get("@type");
            let here =
                kind.is_some_and(|kind| is_kind(kind) || kind.as_array().is_some_and(|all| all.iter().any(is_kind)));
            if here { Some(value) } else { fields.get("@graph").and_then(|graph| article(graph, depth + 1)) }
        }
        _ => None,
    }
}

/// Reads an address or an `ImageObject`; of several, the first one whose media type is known.
fn picture(value: &Value, depth: usize) -> Option<Media> {
    match value {
        _ if depth > 4 => None,
        Value::Array(list) => list.iter().find_map(|value| picture(value, depth + 1)),
        Value::Object(fields) => fields.get("url").or(fields.get("contentUrl")).and_then(|url| picture(url, depth + 1)),
        Value::String(url) => {
            let media_type = address::type_of(url).filter(|kind| kind.starts_with("image/"))?.to_owned();
            Some(Media { url: url.trim().to_owned(), media_type, ..Media::default() })
        }
        _ => None,
    }
}

fn people(value: &Value) -> Vec<Person> {
    match value {
        Value::Array(list) => list.iter().flat_map(people).collect(),
        Value::Object(fields) => fields.get("name").map(people).unwrap_or_default(),
        Value::String(name) if !name.contains("://") && !name.trim().is_empty() => {
            vec![Person { name: summary::one_line(name), ..Person::default() }]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_found_in_a_graph() {
        let script = r#"{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"Site"},
            {"@type":["NewsArticle"],"headline":" Storm \n closes bridge ","datePublished":"2024-05-01T10:00:00Z",
             "author":[{"@type":"Person","name":"Ann Lee"},"Bo Ek"],"inLanguage":"en-GB"}]}"#;
        let header = read(&["not json".into(), script.into()], chrono_tz::UTC);
        assert_eq!(header.title.as_deref(), Some("Storm closes bridge"));
        assert_eq!(header.published.unwrap().to_string(), "2024-05-01 10:00:00 UTC");
        assert_eq!(header.authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ann Lee", "Bo Ek"]);
        assert_eq!(header.language.as_deref(), Some("en-GB"));
        assert_eq!(read(&[r#"{"@type":"WebSite","name":"Site"}"#.into()], chrono_tz::UTC), Header::default());
    }
}
