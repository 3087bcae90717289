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
/// The kinds of their licences.
const KINDS: [&str; 6] = ["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"];
/// Identifiers of the SPDX list that start as those do, and have no address there.
const OTHERS: [&str; 3] = ["cc-pddc", "cc-pdm-1.0", "cc-sa-1.0"];
/// Texts that name no licence.
const NO_LICENSES: [&str; 6] = ["none", "no", "false", "noassertion", "unknown", "proprietary"];

impl License {
    /// Address of the text of the licence.
    pub fn address(&self) -> String {
        if self.0.contains("://") {
            return self.0.clone();
        }
        let of_commons = address_of_commons(&self.0.to_ascii_lowercase());
        of_commons.unwrap_or_else(|| format!("https://spdx.org/licenses/{}.html", self.0))
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

/// Whether a text says that there is no licence.
pub fn is_no_license(text: &str) -> bool {
    NO_LICENSES.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// Address of a licence of Creative Commons by its identifier in lower case, such as `cc-by-4.0` or, of a country, `cc-by-3.0-at`.
fn address_of_commons(id: &str) -> Option<String> {
    if id == "cc0-1.0" {
        return Some(PUBLIC_DOMAIN.to_owned());
    }
    let (rest, last) = id.strip_prefix("cc-")?.rsplit_once('-')?;
    let is_country = matches!(last.len(), 2 | 3) && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let (kind, version) = if is_country { rest.rsplit_once('-')? } else { (rest, last) };
    let country = if is_country { format!("{last}/") } else { String::new() };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = version.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor));
    let is_known = is_version && KINDS.contains(&kind);
    is_known.then(|| format!("{CREATIVE_COMMONS}licenses/{kind}/{version}/{country}"))
}

impl FromStr for License {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_identifier = |text: &str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte);
            let id = text.to_ascii_lowercase();
            // Without its version, a licence of Creative Commons has no address, and no text that would be agreed to.
            let is_whole = !id.starts_with("cc") || OTHERS.contains(&&*id) || address_of_commons(&id).is_some();
            is_whole
                && !is_no_license(text)
                && text.len() <= 64
                && text.bytes().all(is_letter)
                && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        match text.trim() {
            text if text.eq_ignore_ascii_case("cc0") => Ok(Self("CC0-1.0".to_owned())),
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
            ("CC0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", Some("cc0-1.0")),
            (
                "CC-BY-NC-SA-3.0-IGO",
                "CC BY-NC-SA 3.0",
                "https://creativecommons.org/licenses/by-nc-sa/3.0/igo/",
                Some("cc-by-nc-sa-3.0-igo"),
            ),
            ("CC-PDM-1.0", "CC-PDM-1.0", "https://spdx.org/licenses/CC-PDM-1.0.html", Some("cc-pdm-1.0")),
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
        for text in [
            "",
            "all rights reserved",
            "javascript:alert(1)",
            "-",
            "ftp://a.example/",
            "CC-BY",
            "CC-BY-SA",
            "CC-BY-4",
            "CC-XY-4.0",
            "CC-BY-4.0-International",
            "cc",
            "NONE",
            "unknown",
        ] {
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
