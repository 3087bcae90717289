//! Exports that are ZIP archives: those of Substack and Medium, and those that hold the export of another publisher.

use std::collections::HashMap;

use super::entry::non_empty;
use super::export::Export;
use super::post::{Post, PostRecording, PostStatus};
use super::xml::{self, XmlElement, XmlNode};
use super::{csv, source};
use crate::article::{html, loose_date, summary};
use crate::folder::zip;

/// Reads an archive. `read_document` reads an export in it.
///
/// # Errors
/// The archive is damaged or of no known kind. The error says why in one line.
pub fn read(bytes: &[u8], read_document: &dyn Fn(&[u8]) -> Result<Export, String>) -> Result<Export, String> {
    let endings = [".csv", ".html", ".xml", ".json", ".rss", ".atom"];
    let is_wanted = |name: &str| !name.contains("__MACOSX") && endings.iter().any(|ending| name.ends_with(ending));
    let files = zip::read(bytes, is_wanted)?;
    let texts: Vec<(&str, String)> = files
        .iter()
        .filter(|file| !is_document(&file.name))
        .map(|file| (file.name.as_str(), source::decode(&file.bytes).text))
        .collect();
    if let Some((_, table)) = texts.iter().find(|(name, _)| base_name(name) == "posts.csv") {
        return Ok(substack(table, &texts));
    }
    let is_post = |name: &str| name.starts_with("posts/") || name.contains("/posts/");
    if texts.iter().any(|(name, text)| is_post(name) && text.contains("h-entry")) {
        return Ok(medium(texts.iter().filter(|(name, _)| is_post(name))));
    }
    let mut all: Option<Export> = None;
    for file in files.iter().filter(|file| is_document(&file.name)) {
        // An archive may hold settings beside the export.
        let Ok(export) = read_document(&file.bytes) else { continue };
        match &mut all {
            Some(all) => all.add(export),
            None => all = Some(export),
        }
    }
    all.ok_or_else(|| "no export of Substack or Medium in it, and no document with posts".to_owned())
}

fn is_document(name: &str) -> bool {
    [".xml", ".json", ".rss", ".atom"].iter().any(|ending| name.ends_with(ending))
}

fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The export of Substack: a table of posts, and the text of each in a file of its number.
fn substack(table: &str, files: &[(&str, String)]) -> Export {
    let texts: HashMap<&str, &String> = files
        .iter()
        .filter_map(|(name, text)| Some((base_name(name).strip_suffix(".html")?.split('.').next()?, text)))
        .collect();
    let mut export = Export::of("Substack");
    for row in csv::rows(table) {
        let field = |name: &str| row.get(name).and_then(|text| non_empty(text));
        let Some(id) = field("post_id") else { continue };
        let (number, slug) =
            id.split_once('.').map_or((id.as_str(), None), |(number, slug)| (number, Some(slug.to_owned())));
        if field("type").is_some_and(|kind| matches!(kind.as_str(), "page" | "thread" | "restack")) {
            export.skip("pages and threads");
            continue;
        }
        let is_public = field("audience").is_none_or(|audience| audience == "everyone");
        let is_published = field("is_published").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let date = field("post_date").or_else(|| field("email_sent_at"));
        let post = Post {
            title: field("title").map(|title| summary::one_line(&title)),
            published: date.as_deref().and_then(loose_date::read),
            addresses: slug.iter().map(|slug| format!("/p/{slug}")).collect(),
            slug,
            summary: field("subtitle"),
            recordings: field("podcast_url")
                .map(|url| PostRecording { url, ..PostRecording::default() })
                .into_iter()
                .collect(),
            status: match (is_published, is_public) {
                (false, _) => PostStatus::Draft,
                (true, false) => PostStatus::Private,
                (true, true) => PostStatus::Public,
            },
            html: texts.get(number).map(|text| (*text).clone()).unwrap_or_default(),
            ..Post::default()
        };
        if post.published.is_none() && post.status == PostStatus::Public {
            export.lose(format!("the post `{}` has no date that can be read", post.title.clone().unwrap_or_default()));
        }
        export.posts.push(post);
    }
    export
}

/// The export of Medium: a page for each post.
fn medium<'a>(pages: impl Iterator<Item = &'a (&'a str, String)>) -> Export {
    let mut export = Export::of("Medium");
    for (name, page) in pages {
        let is_draft = base_name(name).starts_with("draft_");
        let document = xml::read_html(page, &|name| name == "article");
        let Some(article) = document.entries.first() else {
            export.skip("pages without an article");
            continue;
        };
        let post = medium_post(article, is_draft);
        if post.published.is_none() && !is_draft {
            export.lose(format!("{name}: the post has no date that can be read"));
        }
        export.posts.push(post);
    }
    export
}

fn medium_post(article: &XmlElement<'_>, is_draft: bool) -> Post {
    let of_class = |class: &str| {
        find(article, &|element| {
            element.attribute("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
        })
    };
    let line =
        |class: &str| of_class(class).map(|element| summary::one_line(&element.text())).filter(|text| !text.is_empty());
    let time = of_class("dt-published");
    let date = time.and_then(|time| time.attribute("datetime").map(str::to_owned).or_else(|| non_empty(&time.text())));
    let canonical = of_class("p-canonical").and_then(|link| link.attribute("href")).map(str::to_owned);
    let id = medium_id(article);
    let title = line("p-name").map(|title| html::one_line(&crate::model::text::escape(&title)));
    let body = of_class("e-content").map(|body| body.source.to_owned()).unwrap_or_default();
    Post {
        published: date.as_deref().and_then(loose_date::read),
        authors: line("p-author").into_iter().collect(),
        summary: line("p-summary"),
        addresses: canonical.into_iter().chain(id.clone()).collect(),
        html: without_repeated_title(&body, title.as_deref()),
        id,
        title,
        status: if is_draft { PostStatus::Draft } else { PostStatus::Public },
        ..Post::default()
    }
}

/// The address by which Medium knows a post: around its date, and in the footer of a draft behind "View original". The text may have links
/// to other posts.
fn medium_id(article: &XmlElement<'_>) -> Option<String> {
    let is_short = |link: &XmlElement<'_>| {
        let address = link.attribute("href").and_then(|address| address.split_once("medium.com/p/"));
        address.is_some_and(|(before, id)| matches!(before, "https://" | "http://") && !id.is_empty())
    };
    let is_date = |element: &XmlElement<'_>| {
        element.attribute("class").is_some_and(|classes| classes.split(' ').any(|class| class == "dt-published"))
    };
    let is_original = |link: &XmlElement<'_>| link.text().trim().to_lowercase().starts_with("view original");
    let footer = article.elements().filter(|element| element.name == "footer").last();
    let link = footer
        .and_then(|footer| find(footer, &|link| is_short(link) && find(link, &is_date).is_some()))
        .or_else(|| find(footer?, &|link| is_short(link) && is_original(link)))
        .or_else(|| find(footer?, &is_short))?;
    link.attribute("href").map(str::to_owned)
}

/// The first element in another, at any depth, for which `is_one` holds.
fn find<'a, 'b>(within: &'b XmlElement<'a>, is_one: &dyn Fn(&XmlElement<'a>) -> bool) -> Option<&'b XmlElement<'a>> {
    let mut rest: Vec<&XmlElement<'a>> = within.elements().collect();
    rest.reverse();
    while let Some(element) = rest.pop() {
        if is_one(element) {
            return Some(element);
        }
        let inside = element.children.iter().rev().filter_map(|child| match child {
            XmlNode::Element(element) => Some(element),
            XmlNode::Text(_) => None,
        });
        rest.extend(inside);
    }
    None
}

/// The text of a Medium post starts with its title.
fn without_repeated_title(body: &str, title: Option<&str>) -> String {
    let Some(title) = title else { return body.to_owned() };
    let heading = ["h1", "h2", "h3", "h4"].iter().find_map(|name| {
        let start = body.find(&format!("<{name}"))?;
        let end = start + body[start..].find(&format!("</{name}>"))? + name.len() + "</>".len();
        (html::one_line(&body[..end]) == title).then_some((start, end))
    });
    match heading {
        Some((start, end)) => format!("{}{}", &body[..start], &body[end..]),
        None => body.to_owned(),
    }
}
