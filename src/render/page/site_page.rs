//! Pages that are no articles, and the menu that leads to them.

use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use serde_json::json;

use super::{Head, Pages, body};
use crate::model::section::{AuthorLink, SectionAbout};
use crate::model::site_page::{Menu, MenuItem, Permalink};
use crate::render::feed::Item;
use crate::render::words;

impl Pages {
    /// Gives all pages a menu.
    #[must_use]
    pub fn with_menu(&self, menu: Arc<Menu>) -> Self {
        Self { menu, ..self.clone() }
    }

    /// The menu of all pages.
    pub fn menu(&self) -> &Menu {
        &self.menu
    }

    /// The links of the menu; the one to the page itself is marked.
    pub(super) fn menu_links(&self, head: &Head) -> Value {
        let link = |item: &MenuItem| {
            let address = self.channel.permalink(&Permalink::Page(item.slug.clone()));
            let (language, _) = self.language(item.language.as_deref());
            context! {
                is_current => head.address.as_ref() == Some(&address),
                name => item.name.as_str(),
                language,
                address,
            }
        };
        self.menu.items.iter().map(link).collect()
    }

    /// JSON-LD of a page that is no article (schema.org `WebPage`).
    pub(super) fn page_data(&self, item: &Item<'_>) -> serde_json::Value {
        json!({
            "@context": "https://schema.org",
            "@type": "WebPage",
            "name": item.title,
            "description": item.summary,
            "url": item.url,
            "dateModified": words::machine_date(item.updated),
            "inLanguage": item.language.unwrap_or(&self.channel.language),
            "image": item.image.map(|image| image.url.as_str()),
            "isPartOf": self.site_data(),
            "breadcrumb": self.breadcrumbs(std::iter::once((item.title, Some(&*item.url)))),
        })
    }

    /// JSON-LD of an author (schema.org `Person`).
    pub(super) fn person(name: &str, page: &str, about: &SectionAbout) -> serde_json::Value {
        let links: Vec<&str> = about.links.iter().map(|link| link.address.as_str()).collect();
        json!({
            "@type": "Person",
            "name": name,
            "url": page,
            "description": about.description,
            "image": about.image.as_ref().map(|image| image.url.as_str()),
            "sameAs": links,
        })
    }

    /// Picture, text and links of the page of a folder or an author, or of the front page.
    pub(super) fn about(&self, about: Option<&SectionAbout>) -> Value {
        let is_shown =
            |about: &&SectionAbout| about.image.is_some() || !about.html.is_empty() || !about.links.is_empty();
        let Some(about) = about.filter(is_shown) else { return Value::from(()) };
        let (language, direction) = self.language(about.language.as_deref());
        let text = body::within_page(&about.html, &self.channel.words().texts);
        context! {
            image => Value::from(Serde(about.image.as_ref())),
            text => Value::from_safe_string(text.into_owned()),
            links => Value::from(Serde(about.links.iter().map(shown_link).collect::<Vec<_>>())),
            language,
            direction,
        }
    }
}

/// A link of an author, with the address as people write it.
#[derive(Debug, Serialize)]
struct ShownLink<'a> {
    name: &'a str,
    address: &'a str,
    is_me: bool,
}

fn shown_link(link: &AuthorLink) -> ShownLink<'_> {
    let name = link.address.split_once("://").map_or(link.address.as_str(), |(_, rest)| rest);
    let name = name.strip_prefix("www.").unwrap_or(name).trim_end_matches('/');
    ShownLink { name, address: &link.address, is_me: link.is_me }
}
