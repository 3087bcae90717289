//! The format of Ghost's editor (Lexical) -> HTML.

use serde_json::Value;

use crate::model::text::{escape, escape_html};

/// Nodes nested deeper than this are left out.
const MAX_DEPTH: usize = 100;
/// Formats of a text by their bits.
const FORMATS: [(u64, &str); 7] =
    [(1, "strong"), (2, "em"), (4, "s"), (8, "u"), (16, "code"), (32, "sub"), (64, "sup")];

/// Converts a document; `None` if it is none. The number is that of parts which are left out, since not all readers may see them.
pub fn html(document: &str) -> Option<(String, usize)> {
    let document: Value = serde_json::from_str(document).ok()?;
    let mut html = PublicHtml::default();
    write_children(document.get("root")?, &mut html, 0);
    Some((html.text, html.held_back))
}

/// A text without the parts that visitors do not see, and their number.
#[derive(Default)]
pub struct PublicHtml {
    pub text: String,
    pub held_back: usize,
}

impl PublicHtml {
    pub fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

/// Whether visitors see a part. Early versions say it with other keys.
fn is_for_visitors(part: &Value) -> bool {
    let Some(visibility) = part.get("visibility") else { return true };
    let is_of_web = |web: &Value| web.get("nonMember").is_none_or(|value| value.as_bool() == Some(true));
    let flag = |key: &str| visibility.get(key).and_then(Value::as_bool);
    visibility.get("web").is_none_or(is_of_web) && flag("showOnWeb") != Some(false) && flag("emailOnly") != Some(true)
}

fn write_children(node: &Value, html: &mut PublicHtml, depth: usize) {
    let children = node.get("children").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for child in children.iter().filter(|_| depth < MAX_DEPTH) {
        write(child, html, depth + 1);
    }
}

fn write(node: &Value, html: &mut PublicHtml, depth: usize) {
    if !is_for_visitors(node) {
        html.held_back += 1;
        return;
    }
    let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut within = |name: &str| {
        html.push_str(&format!("<{name}>"));
        write_children(node, html, depth);
        html.push_str(&format!("</{name}>"));
    };
    match text("type") {
        "paragraph" => within("p"),
        "heading" | "extended-heading" if matches!(text("tag"), "h1" | "h2" | "h3" | "h4" | "h5" | "h6") => {
            within(text("tag"));
        }
        "quote" | "extended-quote" | "aside" => within("blockquote"),
        "list" => within(if text("listType") == "number" { "ol" } else { "ul" }),
        "listitem" => within("li"),
        "text" | "extended-text" => write_text(node, html),
        "linebreak" => html.push_str("<br>"),
        "tab" => html.push_str(" "),
        "link" | "autolink" => {
            html.push_str(&format!("<a href=\"{}\">", escape_html(text("url"))));
            write_children(node, html, depth);
            html.push_str("</a>");
        }
        _ => card(node, html, depth),
    }
}

fn write_text(node: &Value, html: &mut PublicHtml) {
    let bits = node.get("format").and_then(Value::as_u64).unwrap_or(0);
    let names = || FORMATS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| name);
    for name in names() {
        html.push_str(&format!("<{name}>"));
    }
    html.push_str(&escape(node.get("text").and_then(Value::as_str).unwrap_or_default()));
    for name in names().rev() {
        html.push_str(&format!("</{name}>"));
    }
}

/// Adds a card of the former editor, which has the same keys.
pub fn add_card(kind: &str, payload: &Value, html: &mut PublicHtml) {
    let mut keys = payload.as_object().cloned().unwrap_or_default();
    keys.insert("type".to_owned(), kind.into());
    write(&Value::Object(keys), html, 0);
}

/// A part with a picture, texts in HTML and a button.
fn banner(node: &Value, [picture, title, texts, label, address]: [&str; 5]) -> String {
    let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_shown = |key: &str| node.get(key).and_then(Value::as_bool) != Some(false);
    let mut html = String::new();
    if !text(picture).is_empty() {
        html.push_str(&format!("<figure><img src=\"{}\" alt=\"\"></figure>", escape_html(text(picture))));
    }
    if !text(title).is_empty() {
        html.push_str(&format!("<h2>{}</h2>", text(title)));
    }
    match text(texts) {
        "" => {}
        paragraphs if paragraphs.trim_start().starts_with("<p") => html.push_str(paragraphs),
        line => html.push_str(&format!("<p>{line}</p>")),
    }
    let has_button = ["buttonEnabled", "productButtonEnabled", "showButton"].iter().all(|key| is_shown(key));
    if has_button && !text(address).is_empty() {
        html.push_str(&button(text(address), text(label)));
    }
    html
}

fn button(address: &str, words: &str) -> String {
    let words = if words.is_empty() { address } else { words };
    format!("<p><a href=\"{}\">{}</a></p>", escape_html(address), escape(words))
}

/// A part that the editor makes with a form.
fn card(node: &Value, html: &mut PublicHtml, depth: usize) {
    let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default();
    let figure = |inside: String| {
        let caption = text("caption");
        let caption = if caption.is_empty() { String::new() } else { format!("<figcaption>{caption}</figcaption>") };
        format!("<figure>{inside}{caption}</figure>")
    };
    let picture = |image: &Value| {
        let text = |key: &str| image.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("<img src=\"{}\" alt=\"{}\">", escape_html(text("src")), escape_html(text("alt")))
    };
    match text("type") {
        "image" => html.push_str(&figure(picture(node))),
        "gallery" => {
            let images = node.get("images").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            html.push_str(&figure(images.iter().map(picture).collect()));
        }
        "html" => html.push_str(text("html")),
        "markdown" => html.push_str(&markdown(text("markdown"))),
        "codeblock" => html.push_str(&format!("<pre><code>{}</code></pre>", escape(text("code")))),
        "horizontalrule" => html.push_str("<hr>"),
        "embed" => html.push_str(&figure(text("html").to_owned())),
        "bookmark" => {
            let title = node.pointer("/metadata/title").and_then(Value::as_str).unwrap_or_default();
            html.push_str(&button(text("url"), title));
        }
        "button" => html.push_str(&button(text("buttonUrl"), text("buttonText"))),
        "file" => html.push_str(&button(text("src"), text("fileTitle"))),
        "audio" => html.push_str(&format!("<audio controls src=\"{}\"></audio>", escape_html(text("src")))),
        "video" => html.push_str(&figure(format!("<video controls src=\"{}\"></video>", escape_html(text("src"))))),
        "header" => {
            html.push_str(&banner(node, ["backgroundImageSrc", "header", "subheader", "buttonText", "buttonUrl"]));
        }
        "product" => html.push_str(&banner(
            node,
            ["productImageSrc", "productTitle", "productDescription", "productButton", "productUrl"],
        )),
        "call-to-action" => {
            html.push_str(&banner(node, ["imageUrl", "title", "textValue", "buttonText", "buttonUrl"]));
        }
        "callout" => html.push_str(&format!("<blockquote>{}</blockquote>", text("calloutText"))),
        "toggle" => {
            html.push_str(&format!("<details><summary>{}</summary>{}</details>", text("heading"), text("content")));
        }
        // Only for members, or only in mails.
        "paywall" | "email" | "email-cta" | "signup" => {}
        _ => write_children(node, html, depth),
    }
}

/// Markdown within a post; its headings are no titles.
pub fn markdown(text: &str) -> String {
    crate::article::markdown::read(text, 1, Some("-")).html
}
