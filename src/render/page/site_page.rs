//! Pages that are no articles, and the menu that leads to them.

use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde_json::json;

use super::{Head, Pages, body};
use crate::model::section::SectionAbout;
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

    /// Picture and text of the page of a folder, or of the front page.
    pub(super) fn about(&self, about: Option<&SectionAbout>) -> Value {
        let Some(about) = about.filter(|about| about.image.is_some() || !about.html.is_empty()) else {
            return Value::from(());
        };
        let (language, direction) = self.language(about.language.as_deref());
        let text = body::within_page(&about.html, &self.channel.words().texts.table);
        context! {
            image => Value::from(Serde(about.image.as_ref())),
            text => Value::from_safe_string(text.into_owned()),
            language,
            direction,
        }
    }
}
