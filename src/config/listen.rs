//! `http.listen` and `admin.listen`: addresses to listen on.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Prefix of a Unix socket.
const UNIX_PREFIX: &str = "unix:";

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Such as `127.0.0.1:8080` or `[::1]:8080`; port 0 picks a free one.
    Tcp(SocketAddr),
    /// Absolute path, such as that of `unix:/run/gazetted/http.sock`.
    Unix(PathBuf),
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(UNIX_PREFIX) {
            Some(path) if Path::new(path).is_absolute() => Ok(Self::Unix(path.into())),
            Some(_) => Err("not an absolute path: use one such as unix:/run/gazetted/http.sock".into()),
            None => numeric(text).parse().map(Self::Tcp).map_err(|_| {
                "not an address to listen on: use one such as 127.0.0.1:8080, [::1]:8080 or unix:/run/gazetted/http.sock"
                    .into()
            }),
        }
    }
}

/// The address of this machine or of all its interfaces in numbers: `localhost:8080` and `:8080` are usual forms. Other names are not
/// looked up.
fn numeric(text: &str) -> Cow<'_, str> {
    let port = |host: &str| {
        text.get(..host.len()).filter(|start| start.eq_ignore_ascii_case(host)).map(|_| &text[host.len()..])
    };
    match (port("localhost:"), port(":")) {
        (Some(port), _) => format!("127.0.0.1:{port}").into(),
        (None, Some(port)) => format!("0.0.0.0:{port}").into(),
        _ => text.into(),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX_PREFIX}{}", path.display()),
        }
    }
}

/// Addresses to listen on, at least one: a text, or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(Vec<Endpoint>);

impl Listen {
    /// Returns the addresses in their configured order.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.0
    }

    /// Returns the first TCP address.
    pub fn first_address(&self) -> Option<SocketAddr> {
        self.0.iter().find_map(|endpoint| match endpoint {
            Endpoint::Tcp(address) => Some(*address),
            Endpoint::Unix(_) => None,
        })
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self(vec![Endpoint::Tcp(address)])
    }
}

impl TryFrom<Vec<Endpoint>> for Listen {
    type Error = &'static str;

    fn try_from(endpoints: Vec<Endpoint>) -> Result<Self, Self::Error> {
        if endpoints.is_empty() {
            return Err("the list is empty: name at least one address");
        }
        Ok(Self(endpoints))
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an address, or a list of addresses")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let texts = match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(texts) => texts,
        };
        let endpoint = |text: &String| text.parse().map_err(|error| D::Error::custom(format!("`{text}`: {error}")));
        let endpoints: Vec<Endpoint> = texts.iter().map(endpoint).collect::<Result<_, _>>()?;
        Self::try_from(endpoints).map_err(D::Error::custom)
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.collect_str(one),
            several => serializer.collect_seq(several.iter().map(ToString::to_string)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct File {
        listen: Listen,
    }

    #[test]
    fn usual_forms_of_addresses_are_accepted() {
        for (text, expected) in [
            ("localhost:8080", "127.0.0.1:8080"),
            ("LOCALHOST:0", "127.0.0.1:0"),
            (":8080", "0.0.0.0:8080"),
            ("[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), expected, "{text}");
        }
        for text in ["example.org:8080", "localhost", ":", "8080", "localhost:http"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_or_a_list_is_accepted() {
        for text in [
            "listen = \"127.0.0.1:8080\"\n",
            "listen = \"unix:/run/g.sock\"\n",
            "listen = [\"127.0.0.1:8080\", \"[::1]:8080\", \"unix:/run/g.sock\"]\n",
        ] {
            let file: File = toml::from_str(text).unwrap();
            assert_eq!(toml::to_string(&file).unwrap(), text);
        }
        let file: File = toml::from_str("listen = ['unix:/a', '[::1]:80', '1.2.3.4:5']").unwrap();
        assert_eq!(file.listen.first_address(), Some("[::1]:80".parse().unwrap()));
    }

    #[test]
    fn other_values_are_refused_with_a_reason() {
        for (text, reason) in [
            ("listen = 'here'", "`here`: not an address to listen on"),
            ("listen = ['127.0.0.1:1', 'unix:g.sock']", "`unix:g.sock`: not an absolute path"),
            ("listen = []", "the list is empty"),
            ("listen = 8080", "expected an address"),
            ("listen = '127.0.0.1'", "not an address to listen on"),
        ] {
            let error = toml::from_str::<File>(text).unwrap_err().message().to_owned();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
