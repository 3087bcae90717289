//! The format of Ghost's former editor (Mobiledoc 0.3) -> HTML.

use serde_json::Value;

use super::lexical::markdown;
use crate::model::text::{escape, escape_html};

/// Converts a document; `None` if it is none.
pub fn html(document: &str) -> Option<String> {
    let document: Value = serde_json::from_str(document).ok()?;
    let mut html = String::new();
    for section in document.get("sections")?.as_array()? {
        write_section(&document, section, &mut html);
    }
    Some(html)
}

fn number(value: Option<&Value>) -> Option<usize> {
    usize::try_from(value?.as_u64()?).ok()
}

fn write_section(document: &Value, section: &Value, html: &mut String) {
    let name =
        section.get(1).and_then(Value::as_str).filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    match number(section.get(0)) {
        Some(1) => {
            let name = name.unwrap_or("p");
            html.push_str(&format!("<{name}>"));
            write_markers(document, section.get(2), html);
            html.push_str(&format!("</{name}>"));
        }
        Some(2) => {
            let address = section.get(1).and_then(Value::as_str).unwrap_or_default();
            html.push_str(&format!("<img src=\"{}\" alt=\"\">", escape_html(address)));
        }
        Some(3) => {
            let name = name.unwrap_or("ul");
            html.push_str(&format!("<{name}>"));
            for item in section.get(2).and_then(Value::as_array).into_iter().flatten() {
                html.push_str("<li>");
                write_markers(document, Some(item), html);
                html.push_str("</li>");
            }
            html.push_str(&format!("</{name}>"));
        }
        Some(10) => {
            let card = number(section.get(1)).and_then(|index| document.get("cards")?.get(index));
            write_card(card.unwrap_or(&Value::Null), html);
        }
        _ => {}
    }
}

/// Texts, each with the markups that start and the number of those that end with it.
fn write_markers(document: &Value, markers: Option<&Value>, html: &mut String) {
    let mut open: Vec<String> = Vec::new();
    for marker in markers.and_then(Value::as_array).into_iter().flatten() {
        for index in marker.get(1).and_then(Value::as_array).into_iter().flatten() {
            let markup = number(Some(index)).and_then(|index| document.get("markups")?.get(index));
            let name = markup.and_then(|markup| markup.get(0)?.as_str()).unwrap_or("span");
            let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let attributes = markup.and_then(|markup| markup.get(1)?.as_array());
            let address = attributes.and_then(|pairs| {
                let at = pairs.iter().position(|value| value.as_str() == Some("href"))?;
                pairs.get(at + 1)?.as_str()
            });
            html.push_str(&match address {
                Some(address) => format!("<{name} href=\"{}\">", escape_html(address)),
                None => format!("<{name}>"),
            });
            open.push(name);
        }
        match (number(marker.get(0)), marker.get(3)) {
            (Some(0), Some(Value::String(text))) => html.push_str(&escape(text)),
            // The only atom of Ghost is a line break.
            (Some(1), _) => html.push_str("<br>"),
            _ => {}
        }
        for _ in 0..number(marker.get(2)).unwrap_or(0).min(open.len()) {
            html.push_str(&format!("</{}>", open.pop().unwrap_or_default()));
        }
    }
    for name in open.iter().rev() {
        html.push_str(&format!("</{name}>"));
    }
}

fn write_card(card: &Value, html: &mut String) {
    let text = |key: &str| card.get(1).and_then(|payload| payload.get(key)?.as_str()).unwrap_or_default();
    let caption = || match text("caption") {
        "" => String::new(),
        caption => format!("<figcaption>{caption}</figcaption>"),
    };
    match card.get(0).and_then(Value::as_str).unwrap_or_default() {
        "markdown" | "card-markdown" => html.push_str(&markdown(text("markdown"))),
        "html" => html.push_str(text("html")),
        "image" => {
            let (address, alt) = (escape_html(text("src")), escape_html(text("alt")));
            html.push_str(&format!("<figure><img src=\"{address}\" alt=\"{alt}\">{}</figure>", caption()));
        }
        "code" => html.push_str(&format!("<pre><code>{}</code></pre>", escape(text("code")))),
        "hr" => html.push_str("<hr>"),
        "embed" => html.push_str(&format!("<figure>{}{}</figure>", text("html"), caption())),
        "bookmark" => {
            let address = escape_html(text("url"));
            html.push_str(&format!("<p><a href=\"{address}\">{address}</a></p>"));
        }
        _ => {}
    }
}
