//! Addresses that have no document of their own, and where each leads.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Characters that stand for themselves in the path of an address.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Characters of an address that would end it in the file of a web server, or stand for something else there.
const OF_FILES: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'\\').add(b'$');

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
    /// A rule that files of web servers can hold. `None` if it has control characters: one would begin a line of its own there.
    pub fn new(path: String, query: Option<String>, leads: Leads) -> Option<Self> {
        let safe = |to: String| utf8_percent_encode(&to, OF_FILES).to_string();
        let leads = match leads {
            Leads::Moved(to) => Leads::Moved(safe(to)),
            Leads::Temporary(to) => Leads::Temporary(safe(to)),
            leads => leads,
        };
        let rule = Self { path, query, leads };
        let texts = [rule.decoded(), rule.query.clone().unwrap_or_default()];
        (!texts.iter().any(|text| text.contains(char::is_control))).then_some(rule)
    }

    /// The path without percent-encoding.
    pub fn decoded(&self) -> String {
        percent_decode_str(&self.path).decode_utf8_lossy().into_owned()
    }
}

/// The forms in which clients may ask for a recorded old address, which is decoded and has no ending and no slash at its end: each as a path, percent-
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
    fn no_rule_holds_a_line_of_its_own() {
        let rule =
            |path: &str, query: Option<&str>| AddressRule::new(path.to_owned(), query.map(str::to_owned), Leads::Gone);
        assert!(rule("/a%20b", Some("p=1")).is_some());
        assert!(rule("/a%0AHeader%20set%20X%20y", None).is_none() && rule("/a%09b", None).is_none());
        assert!(rule("/", Some("p=1\nHeader set X y")).is_none());
        let moved = AddressRule::new("/a".to_owned(), None, Leads::Moved("https://x.example/ü$1\t\"%20\n".to_owned()));
        let expected = Leads::Moved("https://x.example/%C3%BC%241%09%22%20%0A".to_owned());
        assert_eq!(moved.map(|rule| rule.leads), Some(expected));
    }

    #[test]
    fn an_old_address_has_several_forms() {
        let forms = |address| forms_of(address).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(forms("/2014/über"), ["/2014/%C3%BCber", "/2014/%C3%BCber/", "/2014/%C3%BCber.html"]);
        assert_eq!(forms("/100%41")[0], "/100%2541", "a recorded address is decoded");
        assert_eq!(forms_of("/?p=12"), [("/".to_owned(), Some("p=12".to_owned()))]);
    }
}
