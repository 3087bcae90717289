//! The format of Ghost's former editor (Mobiledoc 0.3) -> HTML.

use serde_json::Value;

use super::lexical::{PublicHtml, add_card};
use crate::model::text::{escape, escape_html};

/// Converts a document; `None` if it is none. The number is that of parts which are left out, since not all readers may see them.
pub fn html(document: &str) -> Option<(String, usize)> {
    let document: Value = serde_json::from_str(document).ok()?;
    let mut html = PublicHtml::default();
    for section in document.get("sections")?.as_array()? {
        write_section(&document, section, &mut html);
    }
    Some((html.text, html.held_back))
}

fn number(value: Option<&Value>) -> Option<usize> {
    usize::try_from(value?.as_u64()?).ok()
}

fn write_section(document: &Value, section: &Value, html: &mut PublicHtml) {
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
            if let Some(card) = card {
                write_card(card, html);
            }
        }
        _ => {}
    }
}

/// Texts, each with the markups that start and the number of those that end with it.
fn write_markers(document: &Value, markers: Option<&Value>, html: &mut PublicHtml) {
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

fn write_card(card: &Value, html: &mut PublicHtml) {
    let kind = match card.get(0).and_then(Value::as_str).unwrap_or_default() {
        "card-markdown" => "markdown",
        "code" => "codeblock",
        "hr" => "horizontalrule",
        kind => kind,
    };
    add_card(kind, card.get(1).unwrap_or(&Value::Null), html);
}
