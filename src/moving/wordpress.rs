//! The export of WordPress (WXR, an extended RSS).

use std::collections::HashMap;

use serde_json::Value;

use super::entry::{is_web_address, non_empty};
use super::export::Export;
use super::library::{Footnote, WordPressPost};
use super::post::{Post, PostRecording, PostStatus};
use super::wordpress_text;
use super::xml::{self, XmlDocument, XmlElement};
use crate::article::{Problem, html, loose_date, summary};

/// What a plug-in for several authors puts in front of a login.
const GUEST: &str = "cap-";

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
    let names = display_names(&document);
    for item in &document.entries {
        export.library.add_item(item);
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
                export.posts.push(post(item, &status, &names));
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

/// Converts the texts of the posts, once all files of the export have been read.
pub fn complete(export: &mut Export) {
    let mut posts = std::mem::take(&mut export.posts);
    for post in &mut posts {
        let Some(wordpress) = post.wordpress.take() else { continue };
        let mut text = wordpress_text::convert(&post.html, &wordpress, &export.library);
        post.html = text.html;
        if let Some(number) = wordpress.picture {
            match export.library.attachment(number) {
                Some(picture) => post.image = Some(picture.url.clone()),
                None => drop(text.missing.insert(format!("attachment {number}"))),
            }
        }
        export.hold_back(post, text.held_back);
        export.shortcodes.extend(text.unknown);
        for missing in text.missing {
            let message = format!(
                "`{}`: {missing} is not in the export and is left out; export all of the site, and import all its files \
                 at once",
                post.name()
            );
            export.remarks.push(Problem::of_file(message));
        }
    }
    export.posts = posts;
}

/// Names of authors by their logins. The fields of an author follow each other. Guest authors are items of their own.
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
    for item in &document.entries {
        if item.field("wp:post_type").as_deref() == Some("guest-author")
            && let (Some(login), Some(name)) = (item.field("wp:post_name"), item.field("title"))
        {
            names.entry(login.trim_start_matches(GUEST).to_owned()).or_insert_with(|| html::one_line(&name));
        }
    }
    names
}

fn post(item: &XmlElement<'_>, status: &str, names: &HashMap<String, String>) -> Post {
    let field = |name: &str| item.field(name);
    let date = |names: [&str; 3]| names.iter().find_map(|name| loose_date::read(&field(name)?));
    let is_locked = field("wp:post_password").is_some() || is_for_members(item);
    let title = field("title").map(|title| html::one_line(&title));
    let number = |text: Option<String>| text.and_then(|number| number.parse().ok()).filter(|number| *number > 0);
    Post {
        id: field("guid").or_else(|| field("link")),
        title: title.filter(|title| !title.is_empty()),
        published: date(["wp:post_date_gmt", "pubdate", "wp:post_date"]),
        updated: date(["wp:post_modified_gmt", "wp:post_modified_gmt", "wp:post_modified"]),
        authors: authors(item, names),
        tags: tags(item),
        slug: field("wp:post_name"),
        addresses: field("link")
            .into_iter()
            .chain(field("guid").filter(|guid| guid.contains("://")))
            .chain(former_addresses(item))
            .collect(),
        summary: field("excerpt:encoded").map(|text| html::one_line(&text)),
        recordings: recordings(item),
        status: match status {
            "publish" | "future" if is_locked => PostStatus::Private,
            "publish" => PostStatus::Public,
            "future" => PostStatus::Scheduled,
            "private" => PostStatus::Private,
            _ => PostStatus::Draft,
        },
        html: item.all(&["content:encoded"]).next().map(XmlElement::text).unwrap_or_default(),
        wordpress_number: number(field("wp:post_id")),
        wordpress: Some(Box::new(WordPressPost {
            number: number(field("wp:post_id")),
            picture: number(meta(item, "_thumbnail_id").next()),
            footnotes: footnotes(item),
        })),
        ..Post::default()
    }
}

/// Whether a plug-in shows a post to some readers only.
fn is_for_members(item: &XmlElement<'_>) -> bool {
    let has = |key: &'static str, is_one: &dyn Fn(&str) -> bool| meta(item, key).any(|value| is_one(value.trim()));
    has("_jetpack_newsletter_access", &|access| !matches!(access, "" | "everybody"))
        || has("_members_access_role", &|role| !role.is_empty())
        || has("_is_paid", &|value| value == "1")
        || has("rcp_subscription_level", &|level| !matches!(level, "" | "0"))
}

/// The author, and those whom a plug-in for several authors names.
fn authors(item: &XmlElement<'_>, names: &HashMap<String, String>) -> Vec<String> {
    let mut authors: Vec<String> = Vec::new();
    let mut add = |login: &str, other: Option<String>| {
        let name = names.get(login).cloned().or(other).unwrap_or_else(|| login.to_owned());
        if !name.is_empty() && !authors.contains(&name) {
            authors.push(name);
        }
    };
    if let Some(login) = item.field("dc:creator") {
        add(&login, None);
    }
    for category in item.all(&["category"]).filter(|category| category.attribute("domain") == Some("author")) {
        let login = category.attribute("nicename").unwrap_or_default().trim_start_matches(GUEST);
        let text = category.text().trim().to_owned();
        add(login, Some(names.get(&text).cloned().unwrap_or(text)).filter(|name| !name.is_empty()));
    }
    authors
}

/// The recordings of a post: the address, length and type of each on lines of their own.
fn recordings(item: &XmlElement<'_>) -> Vec<PostRecording> {
    let mut recordings: Vec<PostRecording> = Vec::new();
    for value in meta(item, "enclosure") {
        let mut lines = value.lines().map(str::trim);
        let Some(url) = lines.next().filter(|url| is_web_address(url)) else { continue };
        let length = lines.next().and_then(|length| length.parse().ok()).filter(|length| *length > 0);
        let media_type = lines.next().filter(|text| text.contains('/')).map(str::to_owned);
        if !recordings.iter().any(|recording| recording.url == url) {
            recordings.push(PostRecording { url: url.to_owned(), media_type, length });
        }
    }
    recordings
}

/// The notes below the text of a post, as the block editor keeps them.
fn footnotes(item: &XmlElement<'_>) -> Vec<Footnote> {
    let notes = meta(item, "footnotes").find_map(|notes| serde_json::from_str::<Vec<Value>>(&notes).ok());
    let note = |note: &Value| {
        let text = |key: &str| note.get(key)?.as_str().map(str::to_owned);
        Some(Footnote { id: text("id")?, content: text("content")? })
    };
    notes.iter().flatten().filter_map(note).collect()
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
