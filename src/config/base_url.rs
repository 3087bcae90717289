//! `site.base_url`, the public address of the site.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::text_form;

/// An absolute http or https address that ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn host(&self) -> url::Host<&str> {
        self.0.host().expect("an http address has a host")
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text)
            .map_err(|error| format!("not an absolute address ({error}): use one such as https://example.org/"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("not an http or https address".into());
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("the address of a site has no query, fragment or user name: remove it".into());
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_form::deserialize(deserializer)
    }
}

impl Serialize for BaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text_form::serialize(self, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_gets_its_slash() {
        let check = |text: &str| text.parse::<BaseUrl>().map(|url| url.to_string());
        assert_eq!(check("https://example.org").unwrap(), "https://example.org/");
        assert_eq!(check("https://example.org/news").unwrap(), "https://example.org/news/");
        for bad in ["ftp://example.org/", "https://u:p@example.org/", "https://example.org/?a", "/news", ""] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
