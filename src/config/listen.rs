//! `http.listen`: where clients connect to.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a Unix socket is told from an address.
const UNIX: &str = "unix:";

/// One place that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Address and port, as in `127.0.0.1:8080` or `[::1]:8080`; port 0 takes a free one.
    Tcp(SocketAddr),
    /// Path of a Unix socket, as in `unix:/run/gazetted/http.sock`.
    Unix(PathBuf),
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(UNIX) {
            Some(path) if Path::new(path).is_absolute() => Ok(Self::Unix(path.into())),
            Some(_) => Err("not an absolute path: write it as in unix:/run/gazetted/http.sock".into()),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                "no address to listen on: write it as in 127.0.0.1:8080, [::1]:8080 or unix:/run/gazetted/http.sock"
                    .into()
            }),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// All such places, one at least: written as one text, or as a list of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(Vec<Endpoint>);

impl Listen {
    /// Each place, in the order in which they are written.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.0
    }

    /// The first address that has a port.
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
            return Err("nowhere to listen: name one address at least");
        }
        Ok(Self(endpoints))
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an address, or a list of addresses")]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let texts = match Written::deserialize(deserializer)? {
            Written::One(text) => vec![text],
            Written::Several(texts) => texts,
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
    fn one_place_or_several() {
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
    fn what_is_no_place_is_told() {
        for (text, reason) in [
            ("listen = 'here'", "`here`: no address to listen on"),
            ("listen = ['127.0.0.1:1', 'unix:g.sock']", "`unix:g.sock`: not an absolute path"),
            ("listen = []", "nowhere to listen"),
            ("listen = 8080", "expected an address"),
            ("listen = '127.0.0.1'", "no address to listen on"),
        ] {
            let error = toml::from_str::<File>(text).unwrap_err().message().to_owned();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
