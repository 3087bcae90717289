//! ETags of replicas: the second in which the document last changed stands before the hash, so that a node that is behind recognises the
//! ETag of a newer version, and never answers with an older one.

use super::conditional;
use super::fields::FieldValues;

/// Digits of the hash in an ETag.
const HASH: usize = 32;

/// Returns an ETag with the second of the last change in front: `"6927f2c0-cfe5…"`.
pub fn numbered(etag: &str, second: i64) -> String {
    format!("\"{second:x}-{}", etag.strip_prefix('"').unwrap_or(etag))
}

/// Returns the ETag in `If-None-Match` of a version that is newer than that of `second`, which another node has served.
pub fn newer(if_none_match: FieldValues<'_>, second: i64) -> Option<&str> {
    let is_newer = |tag: &&str| {
        let bare = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        bare.split_once('-').is_some_and(|(number, rest)| {
            let is_hash = rest.len() >= HASH && rest.bytes().take(HASH).all(|byte| byte.is_ascii_hexdigit());
            is_hash && i64::from_str_radix(number, 16).is_ok_and(|number| number > second)
        })
    };
    conditional::tags(if_none_match).find(is_newer)
}

#[cfg(test)]
mod tests {
    use hyper::header::{self, HeaderMap, HeaderValue};

    use super::*;
    use crate::serve::fields::RequestFields;

    const TAG: &str = "\"cfe5cfe5cfe5cfe5cfe5cfe5cfe5cfe5-gzip\"";

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_number_is_added() {
        let tag = numbered(TAG, 0x2a);
        assert_eq!(tag, "\"2a-cfe5cfe5cfe5cfe5cfe5cfe5cfe5cfe5-gzip\"");
    }

    #[test]
    fn only_a_later_version_is_newer() {
        let tag = numbered(TAG, 0x2a);
        assert_eq!(newer(RequestFields::from(&headers(&tag)).if_none_match, 0x29), Some(tag.as_str()));
        assert_eq!(newer(RequestFields::from(&headers(&tag)).if_none_match, 0x2a), None);
        assert_eq!(newer(RequestFields::from(&headers(&tag)).if_none_match, 0x2b), None);
        let weak = format!("\"x\", W/{tag}");
        assert!(newer(RequestFields::from(&headers(&weak)).if_none_match, 1).is_some(), "proxies weaken ETags");
        for other in [
            "*",
            "\"ff-short\"",
            "\"cfe5cfe5cfe5cfe5cfe5cfe5cfe5cfe5-gzip\"",
            "\"zz-cfe5cfe5cfe5cfe5cfe5cfe5cfe5cfe5\"",
        ] {
            assert_eq!(newer(RequestFields::from(&headers(other)).if_none_match, 1), None, "{other}");
        }
    }
}
