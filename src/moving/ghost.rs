//! The export of Ghost (JSON).

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::entry::non_empty;
use super::export::Export;
use super::post::{Post, PostStatus};
use super::{lexical, mobiledoc};
use crate::article::{loose_date, summary};

/// What Ghost writes in place of the site's own address.
const SITE: &str = "__GHOST_URL__";
/// Comments around a part of a text that not all readers may see. The first one ends with the conditions.
const GATE: &str = "<!--kg-gated-block:begin";
const GATE_END: &str = "<!--kg-gated-block:end";

/// Reads an export; `None` if the document is none.
pub fn read(document: &Value) -> Option<Export> {
    let data = document.pointer("/db/0/data").or(document.get("data")).unwrap_or(document);
    let posts = data.get("posts")?.as_array()?;
    let mut export = Export::of("Ghost");
    let names = Names::of(data);
    for row in posts {
        let text = |key: &str| row.get(key).and_then(Value::as_str).and_then(non_empty);
        let is_page = text("type").as_deref() == Some("page") || is_true(row.get("page"));
        if is_page {
            export.skip("pages");
            continue;
        }
        let (post, held_back) = post(row, &names);
        export.hold_back(&post, held_back);
        if post.published.is_none() && post.status == PostStatus::Public {
            export.lose(format!("the post `{}` has no date that can be read", post.title.clone().unwrap_or_default()));
        }
        export.posts.push(post);
    }
    Some(export)
}

/// Booleans were numbers in early versions.
fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.as_bool() == Some(true) || value.as_i64() == Some(1))
}

/// A key as text: numbers in early versions.
fn key(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => non_empty(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Names of tags and authors by the ids of posts, in their order.
struct Names {
    tags: HashMap<String, Vec<String>>,
    authors: HashMap<String, Vec<String>>,
    users: HashMap<String, String>,
    /// Ids of posts that were only sent by mail.
    mailed: HashSet<String>,
}

impl Names {
    fn of(data: &Value) -> Self {
        let rows = |name: &str| data.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let by_id = |rows: &[Value]| -> HashMap<String, String> {
            let pair = |row: &Value| Some((key(row.get("id"))?, row.get("name")?.as_str()?.to_owned()));
            rows.iter().filter_map(pair).collect()
        };
        let joined = |rows: &[Value], of: &str, names: &HashMap<String, String>| {
            let mut sorted: Vec<&Value> = rows.iter().collect();
            sorted.sort_by_key(|row| row.get("sort_order").and_then(Value::as_i64).unwrap_or(0));
            let mut joined: HashMap<String, Vec<String>> = HashMap::new();
            for row in sorted {
                let name = key(row.get(of)).and_then(|id| names.get(&id).cloned());
                if let (Some(post), Some(name)) = (key(row.get("post_id")), name) {
                    joined.entry(post).or_default().push(name);
                }
            }
            joined
        };
        // A tag that starts with `#` is internal.
        let mut tags = by_id(rows("tags"));
        tags.retain(|_, name| !name.starts_with('#'));
        let users = by_id(rows("users"));
        Self {
            tags: joined(rows("posts_tags"), "tag_id", &tags),
            authors: joined(rows("posts_authors"), "author_id", &users),
            users,
            mailed: rows("posts_meta")
                .iter()
                .filter(|row| is_true(row.get("email_only")))
                .filter_map(|row| key(row.get("post_id")))
                .collect(),
        }
    }
}

/// A post, and the number of parts of its text that are left out, since not all readers may see them.
fn post(row: &Value, names: &Names) -> (Post, usize) {
    let text = |key: &str| row.get(key).and_then(Value::as_str).and_then(non_empty);
    let date = |key: &str| match row.get(key)? {
        Value::String(text) => loose_date::read(text),
        // Milliseconds in early versions.
        Value::Number(number) => loose_date::read(&number.to_string()),
        _ => None,
    };
    let id = key(row.get("id"));
    let of_post =
        |names: &HashMap<String, Vec<String>>| id.as_ref().and_then(|id| names.get(id).cloned()).unwrap_or_default();
    // Exports of the interface have the names in each post.
    let inline = |key: &str| -> Vec<String> {
        let rows = row.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        rows.iter()
            .filter_map(|row| non_empty(row.get("name")?.as_str()?))
            .filter(|name| !name.starts_with('#'))
            .collect()
    };
    let mut authors = of_post(&names.authors);
    if authors.is_empty() {
        authors = inline("authors");
    }
    if authors.is_empty() {
        authors.extend(key(row.get("author_id")).and_then(|id| names.users.get(&id).cloned()));
    }
    let mut tags = of_post(&names.tags);
    if tags.is_empty() {
        tags = inline("tags");
    }
    let slug = text("slug");
    let (content, held_back) = content(row);
    let is_mailed = is_true(row.get("email_only"))
        || is_true(row.pointer("/posts_meta/email_only"))
        || id.as_ref().is_some_and(|id| names.mailed.contains(id));
    let is_public = !is_mailed && text("visibility").is_none_or(|visibility| visibility == "public");
    let status = match text("status").as_deref() {
        Some("published") | None if is_public => PostStatus::Public,
        Some("scheduled") if is_public => PostStatus::Scheduled,
        // For members, or only sent by mail.
        Some("published" | "scheduled" | "sent") | None => PostStatus::Private,
        Some(_) => PostStatus::Draft,
    };
    let post = Post {
        title: text("title").map(|title| summary::one_line(&title)).filter(|title| title != "(Untitled)"),
        published: date("published_at"),
        updated: date("updated_at"),
        authors,
        tags,
        addresses: slug.iter().map(|slug| format!("/{slug}/")).collect(),
        slug,
        summary: text("custom_excerpt"),
        image: text("feature_image").or_else(|| text("image")).map(|image| image.replace(SITE, "")),
        status,
        html: content.replace(SITE, ""),
        id,
        ..Post::default()
    };
    (post, held_back)
}

/// The text of a post that all readers may see, and the number of the other parts.
fn content(row: &Value) -> (String, usize) {
    let text = |key: &str| row.get(key).and_then(Value::as_str).and_then(non_empty);
    let (html, cards) = text("html")
        .map(|html| (html, 0))
        .or_else(|| lexical::html(&text("lexical")?))
        .or_else(|| mobiledoc::html(&text("mobiledoc")?))
        .unwrap_or_default();
    let (html, blocks) = without_gated_blocks(&html);
    (html, cards + blocks)
}

/// A text without the parts that visitors do not see, and their number. A part without an end reaches to the end of the text.
fn without_gated_blocks(html: &str) -> (String, usize) {
    let (mut public, mut held_back) = (String::with_capacity(html.len()), 0);
    let mut rest = html;
    // Parts that are open within one that is left out, with that one.
    let mut depth = 0_usize;
    loop {
        let next = rest.find("<!--kg-gated-block:").unwrap_or(rest.len());
        if depth == 0 {
            public.push_str(&rest[..next]);
        }
        rest = &rest[next..];
        let end = rest.find("-->").map_or(rest.len(), |end| end + "-->".len());
        let (comment, after) = rest.split_at(end);
        rest = after;
        if comment.is_empty() {
            return (public, held_back);
        }
        if comment.starts_with(GATE_END) {
            depth = depth.saturating_sub(1);
        } else if depth > 0 {
            depth += 1;
        } else if comment.starts_with(GATE) && !is_for_visitors(comment) {
            (depth, held_back) = (1, held_back + 1);
        }
    }
}

/// Whether the conditions of a part let visitors see it.
fn is_for_visitors(conditions: &str) -> bool {
    conditions.split_whitespace().any(|condition| condition.trim_end_matches("-->") == "nonMember:true")
}
