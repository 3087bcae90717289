//! The keys that make a page of a file, and those that its menu entry takes.

use super::key::folded;
use super::value::Value;
use crate::article::summary;
use crate::model::text::xml_legal;

/// Names of menus that themes have. Any other text in `menu` is the name of the page there.
const MENUS: [&str; 14] = [
    "main",
    "main_menu",
    "mainmenu",
    "header",
    "footer",
    "primary",
    "secondary",
    "top",
    "nav",
    "navbar",
    "navigation",
    "sidebar",
    "site",
    "global",
];

/// Types and layouts of articles: what says one of them is no page, wherever it lies.
const ARTICLE_KINDS: [&str; 6] = ["post", "posts", "article", "articles", "blog", "note"];

/// What front matter says about pages. A key that is absent or not understood is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageKeys {
    /// `page: true` or `page: false`
    pub stated: Option<bool>,
    /// Whether `type` or `layout` names a page; false if it names an article.
    pub layout: Option<bool>,
    /// `menu`, `nav`, `in_menu`
    pub in_menu: Option<bool>,
    /// `menu: Name`, `menu_title`, `linkTitle`
    pub name: Option<String>,
    /// `order`, `weight`, `nav_order`, in thousandths
    pub order: Option<i64>,
}

/// The meaning of a key of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageKey {
    Page,
    Layout,
    Menu,
    Name,
    Order,
    /// The table of the navigation plugin of Eleventy.
    Navigation,
}

/// The meaning of a name.
fn key_of(name: &str) -> Option<PageKey> {
    Some(match folded(name).as_str() {
        "page" => PageKey::Page,
        "type" | "layout" => PageKey::Layout,
        "menu" | "menus" | "nav" | "in_menu" | "show_in_menu" | "show_in_nav" => PageKey::Menu,
        "menu_title" | "menutitle" | "menu_name" | "linktitle" | "link_title" | "nav_title" | "navtitle" => {
            PageKey::Name
        }
        "order" | "weight" | "nav_order" | "navorder" | "menu_order" | "menuorder" | "menu_weight" | "sort_order" => {
            PageKey::Order
        }
        "eleventynavigation" => PageKey::Navigation,
        _ => return None,
    })
}

/// Whether a name is that of a key of pages.
pub fn is_key(name: &str) -> bool {
    key_of(name).is_some()
}

impl PageKeys {
    /// Reads a key. Returns whether its name is that of a key of pages. Of two keys with one meaning, the first counts.
    pub fn take(&mut self, name: &str, value: &Value) -> bool {
        let Some(key) = key_of(name) else { return false };
        match key {
            PageKey::Page => self.stated = self.stated.or(flag(value)),
            PageKey::Layout => {
                let kind = layout(value);
                self.layout = if self.layout == Some(true) { self.layout } else { kind.or(self.layout) };
            }
            PageKey::Menu => self.take_menu(value),
            PageKey::Name => self.keep_name(value),
            PageKey::Order => self.order = self.order.or_else(|| order(value)),
            PageKey::Navigation => {
                if let Value::Table(fields) = value {
                    self.take_entry(fields, &["title", "key"]);
                }
            }
        }
        true
    }

    /// Whether a key alone says that a file is a page or none.
    pub fn decides(name: &str, value: &Value) -> bool {
        let mut keys = Self::default();
        keys.take(name, value) && (keys.stated.is_some() || keys.layout == Some(true))
    }

    /// Fills missing keys from others.
    pub fn complete(&mut self, other: Self) {
        self.stated = self.stated.or(other.stated);
        self.layout = self.layout.or(other.layout);
        self.in_menu = self.in_menu.or(other.in_menu);
        self.name = self.name.take().or(other.name);
        self.order = self.order.or(other.order);
    }

    /// Whether the keys make a page of the file or an article, if they say either. A post of Jekyll has any layout.
    pub fn is_page(&self, is_post: bool) -> Option<bool> {
        self.stated.or(self.layout.filter(|is_page| !(is_post && *is_page)))
    }

    fn take_menu(&mut self, value: &Value) {
        match value {
            Value::Nothing => {}
            Value::Table(fields) => self.take_entry(fields, &["name", "title"]),
            Value::List(list) => self.in_menu = self.in_menu.or(Some(!list.is_empty())),
            _ => match (flag(value), value.text()) {
                (Some(flag), _) => self.in_menu = self.in_menu.or(Some(flag)),
                (None, Some(text)) => {
                    self.in_menu = self.in_menu.or(Some(true));
                    if !MENUS.contains(&text.to_ascii_lowercase().replace('-', "_").as_str()) {
                        self.keep_name(value);
                    }
                }
                (None, None) => {}
            },
        }
    }

    /// Reads the table of a page in a menu, or of menus with such a table each.
    fn take_entry(&mut self, fields: &[(String, Value)], names: &[&str]) {
        self.in_menu = self.in_menu.or(Some(true));
        for (name, value) in fields {
            let name = name.to_ascii_lowercase();
            match value {
                Value::Table(inner) => self.take_entry(inner, names),
                _ if names.contains(&name.as_str()) => self.keep_name(value),
                _ if matches!(name.as_str(), "weight" | "order") => self.order = self.order.or_else(|| order(value)),
                _ => {}
            }
        }
    }

    fn keep_name(&mut self, value: &Value) {
        let text = value.text().map(|text| xml_legal(&summary::one_line(text)).trim().to_owned());
        self.name = self.name.take().or(text.filter(|text| !text.is_empty()));
    }
}

/// A flag in words. A number is none: `page: 1` counts pages.
fn flag(value: &Value) -> Option<bool> {
    let is_number = value.text().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    value.flag().filter(|_| !is_number)
}

/// Whether a type or layout is that of a page: `page`, `layouts/page.njk`.
fn layout(value: &Value) -> Option<bool> {
    let text = value.text()?.to_ascii_lowercase();
    let name = text.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    match name {
        "page" | "pages" => Some(true),
        name => ARTICLE_KINDS.contains(&name).then_some(false),
    }
}

/// A place in the menu. In Hugo, the weight 0 is none.
fn order(value: &Value) -> Option<i64> {
    let number: f64 = value.text()?.parse().ok()?;
    let is_place = number.is_finite() && number.abs() < 1e9 && number != 0.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is in the range")]
    is_place.then(|| (number * 1_000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::front_matter::inherited::Inherited;
    use crate::article::front_matter::split;
    use crate::folder::SourceFormat;

    fn keys(front_matter: &str) -> PageKeys {
        let text = format!("{front_matter}\nText");
        let split = split(&text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
        assert_eq!(split.problems, [], "{front_matter}");
        split.header.page
    }

    #[test]
    fn pages_are_marked_in_every_form_of_front_matter() {
        for front_matter in [
            "---\npage: true\n---",
            "---\npage: yes\n---",
            "---\nlayout: page\n---",
            "---\ntype: page\nlayout: default\n---",
            "---\nlayout: layouts/page.njk\n---",
            "+++\ntype = \"page\"\n+++",
            "{\"title\": \"A\", \"page\": true}\n\n",
            "#+TITLE: A\n#+PAGE: true\n",
            "Title: A\nPage: true\n",
            ".. page: true\n",
        ] {
            assert_eq!(keys(front_matter).is_page(false), Some(true), "{front_matter}");
        }
        for (front_matter, is_page) in [
            ("---\npage: false\nlayout: page\n---", Some(false)),
            ("---\nlayout: post\n---", Some(false)),
            ("---\npage: 1\n---", None),
            ("---\npage: 12\n---", None),
            ("---\nlayout: default\n---", None),
            ("---\ntitle: Page\n---", None),
        ] {
            assert_eq!(keys(front_matter).is_page(false), is_page, "{front_matter}");
        }
        assert_eq!(keys("---\nlayout: page\n---").is_page(true), None, "a post of Jekyll");
        // A text that starts with such words is no front matter.
        let text = "Page: twelve\n\nIt was a dark night.";
        let split = split(text, SourceFormat::Text, &Inherited::default(), chrono_tz::UTC).expect("not held");
        assert_eq!(split.body, text);
    }

    #[test]
    fn menu_entries_in_all_notations() {
        for (front_matter, in_menu, name, order) in [
            ("---\nmenu: false\n---", Some(false), None, None),
            ("---\nnav: no\n---", Some(false), None, None),
            ("---\nin_menu: false\n---", Some(false), None, None),
            ("---\nmenu: main\n---", Some(true), None, None),
            ("---\nmenu: [main, footer]\n---", Some(true), None, None),
            ("---\nmenu: Us\n---", Some(true), Some("Us"), None),
            ("---\nmenu_title: Us\norder: 3\n---", None, Some("Us"), Some(3_000)),
            ("---\nlinkTitle: Us\nweight: -2\n---", None, Some("Us"), Some(-2_000)),
            ("---\nnav_order: 1.5\n---", None, None, Some(1_500)),
            ("---\nweight: 0\n---", None, None, None),
            ("---\norder: soon\n---", None, None, None),
            ("---\nmenu:\n  main:\n    name: Us\n    weight: 7\n---", Some(true), Some("Us"), Some(7_000)),
            ("+++\n[menu.main]\nweight = 7\n+++", Some(true), None, Some(7_000)),
            ("+++\n[menus]\nmain = {weight = 7, name = \"Us\"}\n+++", Some(true), Some("Us"), Some(7_000)),
            ("---\nmenu.weight: 4\n---", None, None, Some(4_000)),
            ("---\neleventyNavigation: {key: Us, order: 2}\n---", Some(true), Some("Us"), Some(2_000)),
        ] {
            let keys = keys(front_matter);
            assert_eq!((keys.in_menu, keys.name.as_deref(), keys.order), (in_menu, name, order), "{front_matter}");
        }
    }
}
