//! Addresses that have no document of their own, and where each leads.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Characters that stand for themselves in the path of an address.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'%');

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// For ever, to this absolute address.
    Moved(String),
    /// For now, to this absolute address.
    Temporary(String),
    /// Its article was deleted.
    Gone,
    /// It has the document at this path.
    Same(String),
}

/// An address that has no document of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRule {
    /// With a slash at its start, percent-encoded.
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
    pub leads: Leads,
}

impl AddressRule {
    /// The path without percent-encoding.
    pub fn decoded(&self) -> String {
        percent_decode_str(&self.path).decode_utf8_lossy().into_owned()
    }
}

/// The forms in which clients may ask for a recorded old address, which has no ending and no slash at its end: each as a path, percent-
/// encoded, and a query.
pub fn forms_of(address: &str) -> Vec<(String, Option<String>)> {
    let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query.to_owned())));
    let path = utf8_percent_encode(path, PATH).to_string();
    if query.is_some() || path == "/" {
        return vec![(path, query)];
    }
    [path.clone(), format!("{path}/"), format!("{path}.html")].into_iter().map(|path| (path, None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_address_has_several_forms() {
        let forms = |address| forms_of(address).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(forms("/2014/über"), ["/2014/%C3%BCber", "/2014/%C3%BCber/", "/2014/%C3%BCber.html"]);
        assert_eq!(forms_of("/?p=12"), [("/".to_owned(), Some("p=12".to_owned()))]);
    }
}
