//! The header fields of a request that decide about its response, found in one pass: each look-up by name would hash it, which takes
//! longer than comparing all names of a usual request.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Header field in which browsers state the purpose of a request; feed readers do not send it.
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The values of one field.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldValues<'a> {
    first: Option<&'a HeaderValue>,
    /// Where the others are, if the field is repeated.
    repeated: Option<(&'a HeaderMap, &'a HeaderName)>,
}

impl<'a> FieldValues<'a> {
    fn add(&mut self, headers: &'a HeaderMap, name: &'a HeaderName, value: &'a HeaderValue) {
        match self.first {
            None => self.first = Some(value),
            Some(_) => self.repeated = Some((headers, name)),
        }
    }

    /// Whether the field is absent.
    pub fn is_empty(self) -> bool {
        self.first.is_none()
    }

    /// The only value; `None` if the field is absent or repeated.
    pub fn only(self) -> Option<&'a HeaderValue> {
        self.first.filter(|_| self.repeated.is_none())
    }

    /// All values.
    pub fn iter(self) -> impl Iterator<Item = &'a HeaderValue> {
        let others = self.repeated.into_iter().flat_map(|(headers, name)| headers.get_all(name).iter().skip(1));
        self.first.into_iter().chain(others)
    }

    /// All values that are text.
    pub fn texts(self) -> impl Iterator<Item = &'a str> {
        self.iter().filter_map(|value| value.to_str().ok())
    }
}

/// The fields that decide about a response.
#[derive(Debug, Default)]
pub struct RequestFields<'a> {
    pub host: FieldValues<'a>,
    pub accept_encoding: FieldValues<'a>,
    pub if_match: FieldValues<'a>,
    pub if_none_match: FieldValues<'a>,
    pub if_modified_since: FieldValues<'a>,
    pub if_unmodified_since: FieldValues<'a>,
    pub transfer_encoding: FieldValues<'a>,
    pub sec_fetch_dest: FieldValues<'a>,
}

impl<'a> From<&'a HeaderMap> for RequestFields<'a> {
    fn from(headers: &'a HeaderMap) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers {
            let values = match *name {
                header::HOST => &mut fields.host,
                header::ACCEPT_ENCODING => &mut fields.accept_encoding,
                header::IF_MATCH => &mut fields.if_match,
                header::IF_NONE_MATCH => &mut fields.if_none_match,
                header::IF_MODIFIED_SINCE => &mut fields.if_modified_since,
                header::IF_UNMODIFIED_SINCE => &mut fields.if_unmodified_since,
                header::TRANSFER_ENCODING => &mut fields.transfer_encoding,
                _ if *name == SEC_FETCH_DEST => &mut fields.sec_fetch_dest,
                _ => continue,
            };
            values.add(headers, name, value);
        }
        fields
    }
}

/// Splits a text at an ASCII character. For texts as short as those of header fields, this is faster than `str::split`.
pub fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (part, behind) = match text.bytes().position(|byte| byte == separator) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = behind;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split() {
        for text in ["", ",", "a", "a,b", ",a,, b,", "ä,ö"] {
            assert!(split(text, b',').eq(text.split(',')), "{text}");
        }
    }

    #[test]
    fn all_values_of_a_field_are_found() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "example.org"),
            ("if-none-match", "\"a\""),
            ("user-agent", "reader"),
            ("if-none-match", "\"b\""),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-mode", "navigate"),
            ("if-none-match", "\"c\""),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        let fields = RequestFields::from(&headers);
        let texts = |values: FieldValues| values.texts().collect::<Vec<_>>().join(" ");
        assert_eq!(texts(fields.if_none_match), "\"a\" \"b\" \"c\"");
        assert!(fields.if_none_match.only().is_none() && !fields.if_none_match.is_empty());
        assert_eq!(fields.host.only().unwrap(), "example.org");
        assert_eq!(texts(fields.sec_fetch_dest), "document");
        let absent = [fields.if_match, fields.if_modified_since, fields.accept_encoding, fields.transfer_encoding];
        assert!(absent.into_iter().all(|values| values.is_empty() && values.iter().next().is_none()));
    }
}
