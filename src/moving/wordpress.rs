//! The export of WordPress (WXR, an extended RSS).

use std::collections::HashMap;

use super::entry::non_empty;
use super::export::Export;
use super::post::{Post, PostStatus};
use super::wordpress_text::html_of;
use super::xml::{self, XmlDocument, XmlElement};
use crate::article::{Problem, html, loose_date, summary};

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
        addresses: field("link")
            .into_iter()
            .chain(field("guid").filter(|guid| guid.contains("://")))
            .chain(former_addresses(item))
            .collect(),
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
        html: html_of(&item.all(&["content:encoded"]).next().map(XmlElement::text).unwrap_or_default(), attachments),
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
    meta(item, "_thumbnail_id").next()
}

/// The addresses of a post by the slugs that it had before.
fn former_addresses(item: &XmlElement<'_>) -> Vec<String> {
    let (Some(link), Some(slug)) = (item.field("link"), item.field("wp:post_name")) else { return Vec::new() };
    let Some((before, after)) = link.rsplit_once(&slug) else { return Vec::new() };
    meta(item, "_wp_old_slug").map(|former| format!("{before}{former}{after}")).collect()
}

/// The values of a post under a key that WordPress does not show.
fn meta(item: &XmlElement<'_>, key: &'static str) -> impl Iterator<Item = String> {
    let values = item.all(&["wp:postmeta"]).filter(move |meta| meta.field("wp:meta_key").as_deref() == Some(key));
    values.filter_map(|meta| meta.field("wp:meta_value"))
}
