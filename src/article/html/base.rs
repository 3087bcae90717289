//! The address that a page was saved from. Its relative links and pictures are relative to it.

use url::Url;

use super::outline::Outline;
use super::tokens::{Token, TokenKind, tokens};

/// Maximum number of tokens of a page that are searched for the comment of the program that saved it.
const MOST_SEARCHED: usize = 200;

/// The address that the relative ones in a page are relative to, if the page states it: by `<base>`, in the comment of the program that
/// saved it, or as its own address.
pub fn of_page(tokens: &[Token<'_>], outline: &Outline) -> Option<Url> {
    let comments = tokens.iter().take(MOST_SEARCHED).filter_map(|token| match token.kind {
        TokenKind::Comment(comment) => saved_from(comment),
        _ => None,
    });
    let named = |wanted: &str| outline.meta.iter().find(|(name, _)| name == wanted).and_then(|(_, url)| web(url));
    let page = comments.into_iter().next().or_else(|| named("savepage-url"));
    let stated = tokens.iter().find_map(base);
    let joined = stated.and_then(|base| web(&base).or_else(|| page.as_ref()?.join(&base).ok()));
    joined.or(page).or_else(|| tokens.iter().find_map(canonical)).or_else(|| named("og:url"))
}

/// The start of a text whose addresses are relative to a base.
pub fn mark(base: &Url) -> String {
    format!("<base href=\"{base}\">")
}

/// The base that a text starts with.
pub fn of_text(html: &str) -> Option<Url> {
    let first = tokens(html).next().filter(|_| html.starts_with("<base "))?;
    web(&base(&first)?)
}

fn base(token: &Token<'_>) -> Option<String> {
    match &token.kind {
        TokenKind::Start(tag) if tag.name == "base" => tag.attribute("href").map(|href| href.trim().to_owned()),
        _ => None,
    }
}

fn canonical(token: &Token<'_>) -> Option<Url> {
    match &token.kind {
        TokenKind::Start(tag) if tag.name == "link" => {
            let kinds = tag.attribute("rel")?.to_ascii_lowercase();
            kinds.split_ascii_whitespace().find(|kind| *kind == "canonical").and_then(|_| web(&tag.attribute("href")?))
        }
        _ => None,
    }
}

/// An absolute address on the web.
fn web(address: &str) -> Option<Url> {
    Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// The address in the comment of a program that saves pages: browsers (`saved from url=(0034)https://…`), SingleFile (`url: https://…`),
/// monolith (`Saved from https://… at …`), HTTrack (`Mirrored from host/path by HTTrack …`).
fn saved_from(comment: &str) -> Option<Url> {
    let inside = comment.strip_prefix("<!--")?.trim_end_matches("-->").trim();
    let first = |text: &str| text.split_whitespace().next().and_then(web);
    let after = |start: &str| {
        inside.get(..start.len()).filter(|text| text.eq_ignore_ascii_case(start)).map(|_| &inside[start.len()..])
    };
    if let Some(rest) = after("saved from url=(") {
        return first(rest.split_once(')')?.1);
    }
    if let Some(rest) = after("mirrored from ") {
        return web(&format!("http://{}", rest.split_whitespace().next()?));
    }
    let is_single_file = inside.contains("SingleFile");
    let line = inside.lines().find_map(|line| line.trim().strip_prefix("url:").filter(|_| is_single_file));
    line.and_then(first).or_else(|| first(after("saved from ")?))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use crate::article::address::Addresses;
    use crate::config::Clean;

    /// The addresses of a link and a picture in a page with this head.
    fn addresses(head: &str) -> Vec<String> {
        let page = format!(
            "{head}<body><p>The <a href=more>harbour</a> was closed after a storm tore away two planks of the bridge.</p>\
             <img src=/a.jpg></body></html>"
        );
        let body = crate::article::html::read(&page, None, chrono_tz::UTC, Clean::Safe).expect("no draft");
        let permalink = Url::parse("https://site.example/articles/a").unwrap();
        let safe = crate::article::html::sanitise(&body.html, &Addresses::of_page(&permalink));
        assert!(!safe.contains("<base"), "{safe}");
        crate::article::html::addresses(&safe).collect()
    }

    #[test]
    fn relative_addresses_of_saved_pages_lead_to_their_site() {
        const LINE: &str = "saved from url=(0034)";
        for head in [
            "<html><head><base href=\"https://tide.example/2019/\"></head>".to_owned(),
            "<html><head><BASE target=_blank><base href='https://tide.example/2019/x?y'></head>".into(),
            format!("<!DOCTYPE html>\n<!-- {LINE}https://tide.example/2019/storm.html -->\n<html><head></head>"),
            format!("<!-- {LINE}https://tide.example/2019/storm.html --><html><head><base href='.'></head>"),
            "<html><!--\n Page saved with SingleFile \n url: https://tide.example/2019/storm \n saved date: Tue Mar 05 2019\n--><head></head>".into(),
            "<html><head><!-- Saved from https://tide.example/2019/storm at 2019-03-05T10:00:00Z using monolith v2.8.1 --></head>".into(),
            "<html><head><meta name=savepage-url content='https://tide.example/2019/storm'></head>".into(),
            "<html><head><link rel=canonical href=https://tide.example/2019/storm></head>".into(),
            "<html><head><link rel='alternate canonical' href=https://tide.example/2019/storm></head>".into(),
            "<html><head><meta property=og:url content=https://tide.example/2019/storm></head>".into(),
            "<html><head><link rel=canonical href=https://other.example/><base href=https://tide.example/2019/></head>".into(),
        ] {
            let expected = ["https://tide.example/2019/more", "https://tide.example/a.jpg"];
            assert_eq!(addresses(&head), expected, "{head}");
        }
        let mirrored = "<!-- Mirrored from tide.example/2019/storm by HTTrack Website Copier/3.x -->";
        assert_eq!(addresses(mirrored), ["http://tide.example/2019/more", "http://tide.example/a.jpg"]);
        for head in [
            "<html><head></head>",
            "<html><head><base href=/></head>",
            "<html><head><base href='javascript:x'></head>",
            "<html><head><link rel=canonical href=/2019/storm></head>",
            "<html><head><link rel=canonical href=https://site.example/2019/storm></head>",
            "<html><head><!-- url: https://tide.example/ --></head>",
            "<html><head><!-- saved from my desk --></head>",
        ] {
            let expected = ["https://site.example/articles/more", "https://site.example/a.jpg"];
            assert_eq!(addresses(head), expected, "{head}");
        }
    }
}
