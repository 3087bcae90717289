//! Values of `[site]` that say who may do what with the articles, and who their author is elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::text_form;

/// A licence: an identifier of the SPDX list, or the address of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License(String);

/// Address of the licences of Creative Commons.
const CREATIVE_COMMONS: &str = "https://creativecommons.org/";
const PUBLIC_DOMAIN: &str = "https://creativecommons.org/publicdomain/zero/1.0/";

impl License {
    /// Address of the text of the licence.
    pub fn address(&self) -> String {
        let id = self.0.to_ascii_lowercase();
        match id.strip_prefix("cc-").and_then(|rest| rest.rsplit_once('-')) {
            _ if self.0.contains("://") => self.0.clone(),
            _ if id == "cc0-1.0" => PUBLIC_DOMAIN.to_owned(),
            Some((kind, version)) if kind.starts_with("by") => format!("{CREATIVE_COMMONS}licenses/{kind}/{version}/"),
            _ => format!("https://spdx.org/licenses/{}.html", self.0),
        }
    }

    /// Its name for people, such as `CC BY-SA 4.0`.
    pub fn name(&self) -> String {
        let address = self.address();
        let below = |path: &str| address.strip_prefix(CREATIVE_COMMONS).and_then(|rest| rest.strip_prefix(path));
        if below("publicdomain/zero/").is_some() {
            return "CC0 1.0".to_owned();
        }
        if let Some((kind, version)) = below("licenses/").and_then(|rest| rest.split_once('/')) {
            let version = version.split('/').next().unwrap_or_default();
            return format!("CC {} {version}", kind.to_ascii_uppercase()).trim_end().to_owned();
        }
        let whole = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        whole.trim_end_matches('/').to_owned()
    }

    /// Its identifier for programs, in lower case: that of the SPDX list, if it is known.
    pub fn identifier(&self) -> Option<String> {
        (!self.0.contains("://")).then(|| self.0.to_ascii_lowercase())
    }
}

impl FromStr for License {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_identifier = |text: &str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte);
            text.len() <= 64 && text.bytes().all(is_letter) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        match text.trim() {
            text if is_address(text) || is_identifier(text) => Ok(Self(text.to_owned())),
            _ => {
                Err("not a licence: use an identifier of spdx.org/licenses such as \"CC-BY-4.0\", or an https address")
            }
        }
    }
}

/// Whether a text is an http or https address.
pub fn is_address(text: &str) -> bool {
    let has_host = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    !text.contains(char::is_whitespace) && Url::parse(text).is_ok_and(has_host)
}

/// An account of the fediverse, as in `@ann@example.social`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FediverseAccount(String);

impl FromStr for FediverseAccount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        };
        let is_host = |host: &str| host.contains('.') && url::Host::parse(host).is_ok();
        match text.trim().trim_start_matches('@').split_once('@') {
            Some((name, host)) if is_name(name) && is_host(host) => Ok(Self(format!("@{name}@{host}"))),
            _ => Err("not an account: use one such as \"@ann@example.social\""),
        }
    }
}

/// The name of the type in both: it is read from a text and written as one.
macro_rules! texts {
    ($($name:ident)+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text_form::deserialize(deserializer)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                text_form::serialize(self, serializer)
            }
        }
    )+};
}

texts!(License FediverseAccount);

/// Which programs may read the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crawlers {
    /// All.
    #[default]
    All,
    /// Search engines and feed readers, and no crawler that collects texts to train models.
    NoTraining,
    /// Feed readers only.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_have_names_and_addresses() {
        for (text, name, address, identifier) in [
            ("CC-BY-SA-4.0", "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/", Some("cc-by-sa-4.0")),
            ("CC0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", Some("cc0-1.0")),
            ("MIT", "MIT", "https://spdx.org/licenses/MIT.html", Some("mit")),
            (
                "https://creativecommons.org/licenses/by/3.0/de/",
                "CC BY 3.0",
                "https://creativecommons.org/licenses/by/3.0/de/",
                None,
            ),
            ("https://a.example/terms/", "a.example/terms", "https://a.example/terms/", None),
        ] {
            let license: License = text.parse().unwrap();
            assert_eq!((license.name().as_str(), license.address().as_str()), (name, address), "{text}");
            assert_eq!(license.identifier().as_deref(), identifier, "{text}");
        }
        for text in ["", "all rights reserved", "javascript:alert(1)", "-", "ftp://a.example/"] {
            assert!(text.parse::<License>().is_err(), "{text}");
        }
    }

    #[test]
    fn accounts_have_a_name_and_a_host() {
        for text in ["@ann@example.social", "ann@example.social"] {
            assert_eq!(text.parse::<FediverseAccount>().unwrap().to_string(), "@ann@example.social");
        }
        for text in ["@ann", "ann@localhost", "@a b@example.social", "@@example.social", "https://example.social/@ann"]
        {
            assert!(text.parse::<FediverseAccount>().is_err(), "{text}");
        }
    }
}
