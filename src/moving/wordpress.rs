//! The export of WordPress (WXR, an extended RSS).

use std::collections::HashMap;

use super::entry::non_empty;
use super::export::Export;
use super::feed::paragraphs;
use super::post::{Post, PostStatus};
use super::xml::{self, XmlDocument, XmlElement};
use crate::article::{Problem, html, loose_date, summary};

/// Elements that stand for themselves between paragraphs.
const BLOCKS: [&str; 24] = [
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "pre",
    "blockquote",
    "table",
    "figure",
    "hr",
    "form",
    "section",
    "article",
    "aside",
    "iframe",
    "details",
    "address",
];

/// Reads an export; `None` if the text is none.
pub fn read(text: &str) -> Option<Export> {
    let document = xml::read(text, &|name| name == "item");
    let is_one = document.head.iter().any(|element| element.name.starts_with("wp:wxr"))
        || document.entries.iter().any(|item| item.elements().any(|child| child.name == "wp:post_type"));
    if !is_one {
        return None;
    }
    let mut export = Export::of("WordPress");
    export.remarks.extend(document.faults.iter().map(|fault| Problem::at(fault.line, fault.to_string())));
    let (names, attachments) = (display_names(&document), attachments(&document));
    for item in &document.entries {
        let field = |name: &str| item.field(name);
        let (kind, status) = (field("wp:post_type").unwrap_or_default(), field("wp:status").unwrap_or_default());
        let comments = item.all(&["wp:comment"]).count();
        match kind.as_str() {
            _ if item.is_cut => {
                let name = field("title").unwrap_or_default();
                export.lose(format!("the post `{name}` is cut off: it is skipped; export the site again"));
            }
            "post" | "" if matches!(status.as_str(), "trash" | "auto-draft" | "inherit") => {
                export.skip("deleted posts");
            }
            "post" | "" => {
                export.skip_many("comments", comments);
                export.posts.push(post(item, &status, &names, &attachments));
            }
            "page" => export.skip("pages"),
            "attachment" => export.skip("attachments"),
            _ => export.skip("other parts"),
        }
    }
    let undated = export.posts.iter().filter(|post| post.published.is_none() && post.status == PostStatus::Public);
    for name in undated.map(|post| post.title.clone().unwrap_or_default()).collect::<Vec<_>>() {
        export.lose(format!("the post `{name}` has no date that can be read"));
    }
    Some(export)
}

/// Names of authors by their logins. The fields of an author follow each other.
fn display_names(document: &XmlDocument<'_>) -> HashMap<String, String> {
    let (mut names, mut login) = (HashMap::new(), None);
    for element in &document.head {
        match element.name.as_str() {
            "wp:author_login" => login = non_empty(&element.text()),
            "wp:author_display_name" => {
                if let (Some(login), Some(name)) = (login.take(), non_empty(&element.text())) {
                    names.insert(login, name);
                }
            }
            _ => {}
        }
    }
    names
}

/// Addresses of attachments by their numbers.
fn attachments(document: &XmlDocument<'_>) -> HashMap<String, String> {
    let pair = |item: &XmlElement<'_>| Some((item.field("wp:post_id")?, item.field("wp:attachment_url")?));
    document.entries.iter().filter_map(pair).collect()
}

fn post(
    item: &XmlElement<'_>,
    status: &str,
    names: &HashMap<String, String>,
    attachments: &HashMap<String, String>,
) -> Post {
    let field = |name: &str| item.field(name);
    let date = |names: [&str; 3]| names.iter().find_map(|name| loose_date::read(&field(name)?));
    let login = field("dc:creator");
    let author = login.map(|login| names.get(&login).cloned().unwrap_or(login));
    let is_locked = field("wp:post_password").is_some();
    let title = field("title").map(|title| html::one_line(&title));
    Post {
        id: field("guid").or_else(|| field("link")),
        title: title.filter(|title| !title.is_empty()),
        published: date(["wp:post_date_gmt", "pubdate", "wp:post_date"]),
        updated: date(["wp:post_modified_gmt", "wp:post_modified_gmt", "wp:post_modified"]),
        authors: author.into_iter().collect(),
        tags: tags(item),
        slug: field("wp:post_name"),
        addresses: field("link").into_iter().chain(field("guid").filter(|guid| guid.contains("://"))).collect(),
        summary: field("excerpt:encoded").map(|text| html::one_line(&text)),
        language: None,
        image: thumbnail(item).and_then(|number| attachments.get(&number).cloned()),
        recordings: Vec::new(),
        status: match status {
            "publish" | "future" if is_locked => PostStatus::Private,
            "publish" => PostStatus::Public,
            "future" => PostStatus::Scheduled,
            "private" => PostStatus::Private,
            _ => PostStatus::Draft,
        },
        html: text(&item.all(&["content:encoded"]).next().map(XmlElement::text).unwrap_or_default()),
    }
}

fn tags(item: &XmlElement<'_>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for category in item.all(&["category"]) {
        let is_topic =
            category.attribute("domain").is_none_or(|domain| matches!(domain, "category" | "post_tag" | "tag"));
        let is_default = category.attribute("nicename") == Some("uncategorized");
        let name = summary::one_line(&html::resolve_references(&category.text()));
        if is_topic && !is_default && !name.is_empty() && !tags.contains(&name) {
            tags.push(name);
        }
    }
    tags
}

/// Number of the attachment that is the picture of a post.
fn thumbnail(item: &XmlElement<'_>) -> Option<String> {
    let meta = item.all(&["wp:postmeta"]).find(|meta| meta.field("wp:meta_key").as_deref() == Some("_thumbnail_id"));
    meta?.field("wp:meta_value")
}

/// The text of a post as its page shows it. The block editor writes HTML; the classic one leaves paragraphs to line breaks.
fn text(source: &str) -> String {
    let source = without_shortcodes(source);
    if source.contains("<!-- wp:") { without_block_marks(&source) } else { with_paragraphs(&source) }
}

/// Without the comments that delimit blocks.
fn without_block_marks(source: &str) -> String {
    let mut html = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("<!--") {
        html.push_str(before);
        let Some((comment, next)) = after.split_once("-->") else {
            rest = after;
            break;
        };
        let name = comment.trim_start();
        if name.starts_with("more") {
            html.push_str("<!--more-->");
        }
        rest = next;
    }
    html.push_str(rest);
    let lines: Vec<&str> = html.split('\n').collect();
    let is_needed =
        |(at, line): &(usize, &&str)| !line.trim().is_empty() || (*at > 0 && !lines[at - 1].trim().is_empty());
    lines.iter().enumerate().filter(is_needed).map(|(_, line)| *line).collect::<Vec<_>>().join("\n")
}

/// `[caption]<img> text[/caption]` as a figure, `[embed]address[/embed]` as a link.
fn without_shortcodes(source: &str) -> String {
    let mut html = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('[') {
        html.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = [("[caption", "[/caption]"), ("[embed", "[/embed]")].into_iter().find_map(|(start, end)| {
            let after = rest.strip_prefix(start).filter(|after| after.starts_with([']', ' ']))?;
            let (_, inside) = after.split_once(']')?;
            let (inside, next) = inside.split_once(end)?;
            Some((start == "[caption", inside.trim(), next))
        });
        let Some((is_caption, inside, next)) = code else {
            html.push('[');
            rest = &rest[1..];
            continue;
        };
        if is_caption {
            let end = ["</a>", "/>", ">"].iter().find_map(|end| Some(inside.find(end)? + end.len())).unwrap_or(0);
            let (picture, caption) = inside.split_at(end);
            html.push_str(&format!("\n\n<figure>{picture}<figcaption>{}</figcaption></figure>\n\n", caption.trim()));
        } else {
            html.push_str(&format!("<a href=\"{inside}\">{inside}</a>"));
        }
        rest = next;
    }
    html.push_str(rest);
    html
}

/// Blank lines as paragraphs and line ends as breaks, except around blocks and within `<pre>`.
fn with_paragraphs(source: &str) -> String {
    let source = source.replace("\r\n", "\n");
    let mut parts: Vec<String> = Vec::new();
    let mut rest = source.as_str();
    loop {
        let (before, block, next) = match rest.find("<pre") {
            Some(start) => {
                let end = rest[start..].find("</pre>").map_or(rest.len(), |end| start + end + "</pre>".len());
                (&rest[..start], &rest[start..end], &rest[end..])
            }
            None => (rest, "", ""),
        };
        parts.extend(before.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).map(paragraph));
        if !block.is_empty() {
            parts.push(block.to_owned());
        }
        if next.is_empty() {
            return parts.join("\n");
        }
        rest = next;
    }
}

fn paragraph(part: &str) -> String {
    let name = |tag: &str| {
        tag.trim_start_matches('/')
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    let is_block = part.split('<').skip(1).any(|tag| BLOCKS.contains(&name(tag).as_str()));
    match part {
        _ if is_block => part.to_owned(),
        _ if part.starts_with("<!--") && part.ends_with("-->") => part.to_owned(),
        _ if !part.contains(['<', '&']) => paragraphs(part),
        _ => format!("<p>{}</p>", part.replace('\n', "<br>\n")),
    }
}
