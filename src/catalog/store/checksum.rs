//! The checksum of a recorded content. SQLite does not notice a changed bit in a text.

use super::error::{CatalogError, Result};

/// Number of hexadecimal digits of a checksum.
const DIGITS: usize = 16;

/// Start of a recorded content with a checksum: its digits follow. Contents without one were recorded by an earlier version, or
/// have no text. To an earlier version it is an unknown member of the object, which it ignores.
const START: &str = r#"{"checksum":""#;

/// The characters between the digits and the other members of the object.
const END: &str = r#"","#;

/// The checksum of the content of an article: also a content at the place of another article is wrong.
fn checksum(number: i64, members: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_le_bytes()).update(members.as_bytes());
    hasher.finalize().to_hex()[..DIGITS].to_owned()
}

/// Adds a checksum to an object in JSON that is not empty.
pub(super) fn add(number: i64, object: &str) -> String {
    let members = object.strip_prefix('{').unwrap_or(object);
    [START, &checksum(number, members), END, members].concat()
}

/// Checks the content of an article, if it has a checksum.
pub(super) fn check(number: i64, content: &str) -> Result<()> {
    let Some(rest) = content.strip_prefix(START) else { return Ok(()) };
    let is_right =
        rest.split_once(END).is_some_and(|(recorded_checksum, members)| recorded_checksum == checksum(number, members));
    if is_right {
        Ok(())
    } else {
        Err(CatalogError::Damaged(format!("article {number}: its content does not match its checksum")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::store::values::content_of;
    use crate::model::entry::Content;

    #[test]
    fn each_changed_bit_is_found_or_changes_nothing() {
        let content = Content { title: "One".into(), summary: "A summary".into(), ..Content::default() };
        let object = serde_json::to_string(&content).unwrap();
        let recorded = add(7, &object);
        assert_eq!(content_of(7, &recorded).unwrap(), content);
        assert_eq!(content_of(7, &object).unwrap(), content, "earlier versions recorded no checksum");
        assert_eq!(serde_json::from_str::<Content>(&recorded).unwrap(), content, "earlier versions can read it");
        assert!(content_of(8, &recorded).unwrap_err().is_damage(), "it belongs to another article");
        let mut found = 0;
        for place in 0..recorded.len() {
            for bit in 0..8 {
                let mut bytes = recorded.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                match content_of(7, &changed) {
                    Err(error) => found += usize::from(error.is_damage()),
                    Ok(read) => assert!(read == content && place < START.len(), "{changed}"),
                }
            }
        }
        assert!(found > object.len(), "{found}");
    }
}
