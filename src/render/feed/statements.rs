//! What a site says about itself and its articles to programs: rights, crawlers, accounts elsewhere.

use crate::config::{Crawlers, License, SiteConfig};
use crate::model::text::xml_legal;

/// The statements of a site. All are empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statements {
    /// A line such as `© 2026 Ann`.
    pub copyright: Option<String>,
    pub license: Option<LicenseLink>,
    pub crawlers: Crawlers,
    /// As in `@ann@example.social`.
    pub fediverse: Option<String>,
    /// Addresses of the same person elsewhere.
    pub me: Vec<String>,
}

/// A licence as documents show it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LicenseLink {
    pub name: String,
    pub address: String,
    /// That of the SPDX list, in lower case.
    pub identifier: Option<String>,
}

impl From<&License> for LicenseLink {
    fn from(license: &License) -> Self {
        Self { name: license.name(), address: license.address(), identifier: license.identifier() }
    }
}

impl Statements {
    /// Takes the statements from the settings of a site.
    pub fn new(site: &SiteConfig) -> Self {
        let license = site.license.as_ref().map(LicenseLink::from);
        Self {
            copyright: Some(xml_legal(site.copyright.trim()).into_owned()).filter(|text| !text.is_empty()),
            license,
            crawlers: site.crawlers,
            fediverse: site.fediverse.as_ref().map(ToString::to_string),
            me: site.me.clone(),
        }
    }
}
