//! Values of `[site]` that say how the site looks.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Files: one name, or a list of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileNames(pub Vec<PathBuf>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected the name of a file, or a list of names")]
enum OneName {
    One(PathBuf),
    Many(Vec<PathBuf>),
}

impl<'de> Deserialize<'de> for FileNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = match OneName::deserialize(deserializer)? {
            OneName::One(name) => vec![name],
            OneName::Many(names) => names,
        };
        if names.iter().any(|name| name.as_os_str().is_empty()) {
            return Err(serde::de::Error::custom("the name of a file is empty"));
        }
        Ok(Self(names))
    }
}

impl Serialize for FileNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}
