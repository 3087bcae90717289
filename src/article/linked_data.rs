//! The metadata of a page in JSON-LD (schema.org `Article`, its relatives, and the `WebPage` around them).

use std::collections::HashMap;

use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::front_matter::{Field, Header, is_language};
use super::{address, credit, date, loose_date, summary};
use crate::model::entry::{Media, Person};

/// Comment signs and sections around the data in a script, as pages that were once XHTML have them.
const WRAPPERS: [&str; 8] = ["<![CDATA[", "]]>", "<!--", "-->", "//", "/*", "*/", ";"];
/// Properties whose values may contain the article of a page.
const CONTAINERS: [&str; 4] = ["@graph", "mainEntity", "mainEntityOfPage", "@list"];
/// Deepest nesting of objects that is read.
const DEEPEST: usize = 6;
/// Maximum number of objects that are searched for the article.
const MOST_OBJECTS: usize = 10_000;

/// Maximum number of authors in a list.
const MOST_AUTHORS: usize = 100;

/// The data in the scripts of a page.
#[derive(Debug, Default)]
pub struct LinkedData {
    values: Vec<Value>,
    /// The name of each object of a list or graph that has an `@id`.
    names: HashMap<String, String>,
}

/// The kinds of objects that describe a page, the best source first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WorkKind {
    /// A text for itself.
    Article,
    /// A work of another kind, of which the page may be about.
    Work,
    /// The page: its name contains that of the site.
    Page,
}

impl WorkKind {
    /// The kind of a type by its name: each `Article` and `Posting` of schema.org has its own.
    fn of_type(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '#', ':']).next().unwrap_or_default();
        match name {
            "Report" | "Article" | "LiveBlogPosting" | "ShortStory" | "Poem" | "APIReference" => Some(Self::Article),
            _ if name.ends_with("Article") || name.ends_with("Posting") => Some(Self::Article),
            "Recipe"
            | "HowTo"
            | "Question"
            | "CreativeWork"
            | "Chapter"
            | "Essay"
            | "Comic"
            | "Guide"
            | "Quiz"
            | "VideoObject"
            | "AudioObject"
            | "PodcastEpisode"
            | "Message"
            | "PresentationDigitalDocument"
            | "TextDigitalDocument"
            | "DigitalDocument"
            | "Thesis"
            | "Episode"
            | "LearningResource" => Some(Self::Work),
            _ if name.ends_with("Review") => Some(Self::Work),
            _ if name.ends_with("Page") => Some(Self::Page),
            _ => None,
        }
    }

    fn of(fields: &Map<String, Value>) -> Option<Self> {
        match fields.get("@type")? {
            Value::String(name) => Self::of_type(name),
            Value::Array(names) => names.iter().filter_map(Value::as_str).filter_map(Self::of_type).min(),
            _ => None,
        }
    }
}

impl LinkedData {
    /// Parses the scripts. One that is no JSON counts as empty.
    pub fn parse(scripts: &[String]) -> Self {
        let mut data = Self { values: scripts.iter().flat_map(|script| parse(script)).collect(), ..Self::default() };
        let named = data.objects().into_iter().filter_map(|fields| {
            Some((fields.get("@id")?.as_str()?.to_owned(), first_text(fields.get("name")?)?.to_owned()))
        });
        data.names = named.collect();
        data
    }

    /// The metadata of the article. The first object of the best kind counts; a page completes it with its dates and authors.
    pub fn header(&self, timezone: Tz) -> Header {
        let objects = self.objects();
        let mut header = Header::default();
        for kind in [WorkKind::Article, WorkKind::Work, WorkKind::Page] {
            let first = objects.iter().find(|fields| WorkKind::of(fields) == Some(kind));
            if let Some(fields) = first {
                header.complete(self.header_of(fields, kind, timezone));
            }
        }
        header
    }

    /// The names of the site and of its publisher.
    pub fn site_names(&self) -> Vec<String> {
        let objects = self.objects();
        let sites = objects.iter().filter(|fields| {
            fields.get("@type").and_then(Value::as_str).is_some_and(|name| name == "WebSite" || name == "Organization")
        });
        let publishers = objects.iter().filter_map(|fields| fields.get("publisher")?.as_object());
        let name = |fields: &Map<String, Value>| fields.get("name")?.as_str().map(summary::one_line);
        sites.copied().chain(publishers).filter_map(name).filter(|name| !name.is_empty()).collect()
    }

    /// The objects that may describe the page, in the order of the source.
    fn objects(&self) -> Vec<&Map<String, Value>> {
        let mut objects = Vec::new();
        self.values.iter().for_each(|value| collect(value, 0, &mut objects));
        objects
    }

    fn header_of(&self, article: &Map<String, Value>, kind: WorkKind, timezone: Tz) -> Header {
        let text =
            |key: &str| article.get(key).and_then(first_text).map(summary::one_line).filter(|text| !text.is_empty());
        let date = |text: String| date::parse(&text, timezone).or_else(|| loose_date::of_line(&text, timezone));
        let day = |key: &str| text(key).and_then(date);
        let authors = ["author", "creator"].iter().filter_map(|key| article.get(*key));
        let authors = authors.map(|value| self.people(value, 0)).find(|people| !people.is_empty());
        let mut header = Header {
            published: ["datePublished", "dateCreated", "uploadDate"].into_iter().find_map(day),
            updated: day("dateModified"),
            authors: authors.unwrap_or_default(),
            language: text("inLanguage").filter(|tag| is_language(tag)),
            ..Header::default()
        };
        if kind == WorkKind::Article {
            header.title = text("headline").or_else(|| text("name"));
            header.summary = text("description");
            header.image = article.get("image").and_then(|image| picture(image, 0));
        }
        for field in [
            Field::Title,
            Field::Published,
            Field::Updated,
            Field::Authors,
            Field::Summary,
            Field::Language,
            Field::Image,
        ] {
            header = header.with_source(field, "JSON-LD of the page");
        }
        header
    }

    /// The names of an author, of several, or of the object that an author's `@id` refers to.
    fn people(&self, value: &Value, depth: usize) -> Vec<Person> {
        let mut people: Vec<Person> = Vec::new();
        match value {
            _ if depth > DEEPEST => {}
            Value::Array(list) => {
                for person in list.iter().take(MOST_AUTHORS).flat_map(|value| self.people(value, depth + 1)) {
                    if !people.iter().any(|other| other.name == person.name) {
                        people.push(person);
                    }
                }
            }
            Value::Object(fields) => {
                let name = fields.get("name").map(|name| self.people(name, depth + 1)).unwrap_or_default();
                let reference = fields.get("@id").and_then(Value::as_str).filter(|_| name.is_empty());
                let referenced = reference.and_then(|id| credit::of_metadata(self.names.get(id)?)).map(person);
                people = name.into_iter().chain(referenced).collect();
            }
            Value::String(name) => people.extend(credit::all_of_metadata(name).into_iter().map(person)),
            _ => {}
        }
        people
    }
}

fn person(name: String) -> Person {
    Person { name, ..Person::default() }
}

/// Parses a script: one or more values, perhaps in a comment or a CDATA section. Line feeds within texts, which JSON does not
/// allow, are accepted.
fn parse(script: &str) -> Vec<Value> {
    let mut json = script.trim();
    loop {
        let start = WRAPPERS.iter().find_map(|wrapper| json.strip_prefix(wrapper));
        let Some(rest) = start.or_else(|| WRAPPERS.iter().find_map(|wrapper| json.strip_suffix(wrapper))) else {
            break;
        };
        json = rest.trim();
    }
    let found = values(json);
    if found.is_empty() { values(&without_faults(json)) } else { found }
}

/// A text without the line feeds in its texts and the commas before its brackets, which JSON does not allow.
fn without_faults(json: &str) -> String {
    let mut output = String::with_capacity(json.len());
    // The place of the last comma, if only white space follows it so far.
    let mut comma = None;
    let (mut is_text, mut is_escaped) = (false, false);
    for c in json.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if is_text {
            is_text = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
        } else if matches!(c, ']' | '}') {
            if let Some(at) = comma.take() {
                output.truncate(at);
            }
        } else if c == ',' {
            comma = Some(output.len());
        } else if c != ' ' {
            comma = None;
            is_text = c == '"';
        }
        output.push(c);
    }
    output
}

/// The values of a text up to its first error.
fn values(json: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(json).into_iter().map_while(Result::ok).collect()
}

/// Collects the objects that may describe the page: of lists and graphs, and those that are the main thing on a page.
fn collect<'v>(value: &'v Value, depth: usize, objects: &mut Vec<&'v Map<String, Value>>) {
    if depth > DEEPEST || objects.len() >= MOST_OBJECTS {
        return;
    }
    match value {
        Value::Array(list) => list.iter().for_each(|value| collect(value, depth + 1, objects)),
        Value::Object(fields) => {
            objects.push(fields);
            CONTAINERS.iter().filter_map(|key| fields.get(*key)).for_each(|value| collect(value, depth + 1, objects));
        }
        _ => {}
    }
}

/// The text of a value, of the first in a list, or of a typed value.
fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(list) => list.first()?.as_str(),
        Value::Object(fields) => fields.get("@value")?.as_str(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scripts: &[&str]) -> Header {
        let scripts: Vec<String> = scripts.iter().map(|script| (*script).to_owned()).collect();
        LinkedData::parse(&scripts).header(chrono_tz::UTC)
    }

    fn names(header: &Header) -> Vec<&str> {
        header.authors.iter().map(|person| person.name.as_str()).collect()
    }

    #[test]
    fn an_article_is_found_in_a_graph() {
        let script = r#"{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"Site"},
            {"@type":["NewsArticle"],"headline":" Storm \n closes bridge ","datePublished":"2024-05-01T10:00:00Z",
             "author":[{"@type":"Person","name":"Ann Lee"},"Bo Ek"],"inLanguage":"en-GB"}]}"#;
        let header = read(&["not json", script]);
        assert_eq!(header.title.as_deref(), Some("Storm closes bridge"));
        assert_eq!(header.published.unwrap().to_string(), "2024-05-01 10:00:00 UTC");
        assert_eq!(header.authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ann Lee", "Bo Ek"]);
        assert_eq!(header.language.as_deref(), Some("en-GB"));
        assert_eq!(read(&[r#"{"@type":"WebSite","name":"Site"}"#]), Header::default());
    }

    #[test]
    fn comments_and_sections_around_the_data_are_ignored() {
        let data = r#"{"@type":"NewsArticle","headline":"T","author":"Bo Ek"}"#;
        for script in [
            format!("//<![CDATA[\n{data}\n//]]>"),
            format!("/*<![CDATA[*/ {data} /*]]>*/"),
            format!("<![CDATA[{data}]]>"),
            format!("<!--\n{data}\n//-->"),
            format!("\n{data};\n"),
            format!("[{data}]"),
            format!(r#"{{"@type":"WebSite"}} {data}"#),
            data.replace("\"T\"", "\"T\n\""),
            data.replace('}', ",\n}"),
            data.replace("\"Bo Ek\"", "[\"Bo Ek\", ]"),
        ] {
            let header = read(&[&script]);
            assert_eq!((header.title.as_deref(), names(&header)), (Some("T"), vec!["Bo Ek"]), "{script}");
        }
        assert_eq!(read(&["//<![CDATA[", "", ";", "]]>"]), Header::default());
    }

    #[test]
    fn every_kind_of_article_is_read() {
        for kind in [
            "\"SocialMediaPosting\"",
            "\"LiveBlogPosting\"",
            "\"DiscussionForumPosting\"",
            "\"Report\"",
            "\"ReviewNewsArticle\"",
            "\"MedicalScholarlyArticle\"",
            "\"http://schema.org/NewsArticle\"",
            "\"schema:BlogPosting\"",
            "[\"Thing\", \"BackgroundNewsArticle\"]",
        ] {
            let data = format!(r#"{{"@type":{kind},"headline":"T","datePublished":["2014-09-02T08:35:27-04:00"]}}"#);
            for script in [
                data.clone(),
                format!(r#"{{"@type":"WebPage","name":"T - Site","mainEntity":{data}}}"#),
                format!(r#"{{"@type":"WebSite","mainEntityOfPage":[{data}]}}"#),
                format!(r#"[{{"@graph":[{data}]}}]"#),
            ] {
                let header = read(&[&script]);
                assert_eq!(header.title.as_deref(), Some("T"), "{script}");
                assert_eq!(header.published.unwrap().to_string(), "2014-09-02 12:35:27 UTC", "{script}");
            }
        }
        for kind in ["Person", "Product", "Comment", "BreadcrumbList", "ItemList", "Event"] {
            let data = format!(r#"{{"@type":"{kind}","headline":"T","datePublished":"2014-09-02"}}"#);
            assert_eq!(read(&[&data]), Header::default(), "{kind}");
        }
    }

    #[test]
    fn dates_as_people_write_them() {
        for (date, expected) in [
            ("Mar 5, 2019 10:00 AM", "2019-03-05 10:00:00 UTC"),
            ("March 5th, 2019", "2019-03-05 00:00:00 UTC"),
            ("5. März 2019", "2019-03-05 00:00:00 UTC"),
            ("Tue, 05 Mar 2019 10:00:00 +0100", "2019-03-05 09:00:00 UTC"),
        ] {
            let header = read(&[&format!(r#"{{"@type":"Article","datePublished":"{date}"}}"#)]);
            assert_eq!(header.published.map(|date| date.to_string()).as_deref(), Some(expected), "{date}");
        }
        assert_eq!(read(&[r#"{"@type":"Article","datePublished":"05/06/2019"}"#]).published, None);
    }

    /// The name of a page contains that of its site.
    #[test]
    fn a_page_has_dates_and_authors_but_no_title() {
        let page = r##"{"@type":"WebPage","name":"T - Site","datePublished":"2014-09-02","author":{"@id":"#bo"}}"##;
        let script = format!(r##"{{"@graph":[{page},{{"@type":"Person","@id":"#bo","name":"By Bo Ek"}}]}}"##);
        let header = read(&[&script]);
        assert_eq!((header.title.as_deref(), names(&header)), (None, vec!["Bo Ek"]));
        assert_eq!(header.published.unwrap().to_string(), "2014-09-02 00:00:00 UTC");
    }

    #[test]
    fn authors_in_all_their_forms() {
        for (author, expected) in [
            (r#""Bo Ek""#, &["Bo Ek"][..]),
            (r#"["Bo Ek","By Ann Lee","Bo Ek"]"#, &["Bo Ek", "Ann Lee"]),
            (r#"{"@type":"Person","name":["Bo Ek","Ann Lee"]}"#, &["Bo Ek", "Ann Lee"]),
            (r#"[{"name":"Bo Ek"},{"url":"https://a.example"}]"#, &["Bo Ek"]),
            (r#""https://a.example/bo""#, &[]),
            (r##"{"@id":"#me","name":""}"##, &[]),
            ("null", &[]),
        ] {
            let script = format!(r##"{{"@type":"Article","@id":"#me","name":{{"@id":"#me"}},"author":{author}}}"##);
            assert_eq!(names(&read(&[&script])), expected, "{author}");
        }
        let creator = read(&[r#"{"@type":"Article","author":[],"creator":"Bo Ek"}"#]);
        assert_eq!(names(&creator), ["Bo Ek"]);
    }

    #[test]
    fn names_of_the_site() {
        let script =
            r#"[{"@type":"WebSite","name":"The Cape Post"},{"@type":"Article","publisher":{"name":" Cape  Media "}}]"#;
        assert_eq!(LinkedData::parse(&[script.to_owned()]).site_names(), ["The Cape Post", "Cape Media"]);
    }
}
