//! Checksums of a recorded content and of the identifiers of its article. SQLite does not notice a changed bit in a value.

use std::borrow::Cow;

use super::error::{CatalogError, Result};

/// Number of hexadecimal digits of a checksum.
const DIGITS: usize = 16;

/// Start of a recorded content with a checksum: its digits follow. Contents without one were recorded by an earlier version, or have no
/// text. To an earlier version it is an unknown member of the object, which it ignores.
const START: &str = r#"{"checksum":""#;

/// Start of the member with the checksum of the identifiers.
const IDENTITY: &str = r#""identity":""#;

/// The characters between the digits of a checksum and the next member of the object.
const END: &str = r#"","#;

/// Length of the numbers before the texts of [`Identifiers::bytes`].
const NUMBERS: usize = 48;

/// Maximum length of the identifiers in which a wrong byte is searched for.
const MAX_SEARCHED: usize = 1_000;

/// The values by which readers know an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifiers<'a> {
    pub number: i64,
    pub id: Cow<'a, str>,
    pub slug: Cow<'a, str>,
    pub published: i64,
    pub updated: i64,
    pub guid: Option<Cow<'a, str>>,
}

impl Identifiers<'_> {
    fn bytes(&self) -> Vec<u8> {
        let length = |text: Option<&str>| text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes();
        let numbers = [self.number, self.published, self.updated].map(i64::to_le_bytes);
        let lengths = [Some(&*self.id), Some(&*self.slug), self.guid.as_deref()].map(length);
        let texts = [&*self.id, &*self.slug, self.guid.as_deref().unwrap_or_default()];
        [numbers.concat(), lengths.concat(), texts.concat().into_bytes()].concat()
    }

    /// The identifiers with the values of other [`Identifiers::bytes`], whose lengths are the same.
    fn with_bytes(&self, bytes: &[u8]) -> Option<Identifiers<'static>> {
        let number = |place| Some(i64::from_le_bytes(bytes.get(place..)?.first_chunk().copied()?));
        let texts = str::from_utf8(&bytes[NUMBERS..]).ok()?;
        let (id, rest) = texts.split_at_checked(self.id.len())?;
        let (slug, guid) = rest.split_at_checked(self.slug.len())?;
        Some(Identifiers {
            number: self.number,
            id: Cow::Owned(id.to_owned()),
            slug: Cow::Owned(slug.to_owned()),
            published: number(8)?,
            updated: number(16)?,
            guid: self.guid.as_ref().map(|_| Cow::Owned(guid.to_owned())),
        })
    }

    /// The identifiers that have a checksum and differ from these in one byte. Longer ones than usual are not tried.
    pub fn corrected(&self, checksum: &str) -> Option<Identifiers<'static>> {
        let mut bytes = self.bytes();
        if bytes.len() > MAX_SEARCHED {
            return None;
        }
        for place in (8..24).chain(NUMBERS..bytes.len()) {
            let byte = bytes[place];
            for other in (0..=u8::MAX).filter(|other| *other != byte) {
                bytes[place] = other;
                if digits(blake3::hash(&bytes)) == checksum {
                    return self.with_bytes(&bytes);
                }
            }
            bytes[place] = byte;
        }
        None
    }

    pub fn have(&self, checksum: &str) -> bool {
        digits(blake3::hash(&self.bytes())) == checksum
    }
}

fn digits(hash: blake3::Hash) -> String {
    hash.to_hex()[..DIGITS].to_owned()
}

/// The checksum of the content of an article: also a content at the place of another article is wrong.
fn checksum(number: i64, members: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_le_bytes()).update(members.as_bytes());
    digits(hasher.finalize())
}

/// Adds the checksums of an article to its content, an object in JSON that is not empty.
pub(super) fn add(identifiers: &Identifiers<'_>, object: &str) -> String {
    let members = object.strip_prefix('{').unwrap_or(object);
    let members = [IDENTITY, &digits(blake3::hash(&identifiers.bytes())), END, members].concat();
    [START, &checksum(identifiers.number, &members), END, &members].concat()
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

/// The checksum of the identifiers in a content, and the content without checksums.
pub(super) fn of_identifiers(content: &str) -> Option<(&str, String)> {
    let (_, members) = content.strip_prefix(START)?.split_once(END)?;
    let (checksum, members) = members.strip_prefix(IDENTITY)?.split_once(END)?;
    Some((checksum, ["{", members].concat()))
}

/// Checks the identifiers of an article, if its content has their checksum.
pub(super) fn check_identifiers(identifiers: &Identifiers<'_>, content: &str) -> Result<()> {
    let member = content.strip_prefix(START).and_then(|rest| rest.split_once(END)?.1.strip_prefix(IDENTITY));
    let Some((checksum, _)) = member.and_then(|rest| rest.split_once(END)) else { return Ok(()) };
    if identifiers.have(checksum) {
        return Ok(());
    }
    let number = identifiers.number;
    Err(CatalogError::Damaged(format!("article {number}: its id, address or dates do not match their checksum")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::store::values::content_of;
    use crate::model::entry::Content;

    fn identifiers() -> Identifiers<'static> {
        Identifiers {
            number: 7,
            id: "urn:uuid:9b024349-ccf0-5f69-a609-6b82873eab3c".into(),
            slug: "one".into(),
            published: 1_700_000_000,
            updated: -1,
            guid: Some("an old one".into()),
        }
    }

    #[test]
    fn each_wrong_byte_of_the_identifiers_is_found_and_corrected() {
        let right = identifiers();
        let content = add(&right, "{\"title\":\"\"}");
        check_identifiers(&right, &content).unwrap();
        let (checksum, object) = of_identifiers(&content).unwrap();
        assert_eq!(object, "{\"title\":\"\"}");
        let bytes = right.bytes();
        for place in (8..24).chain(NUMBERS..bytes.len()) {
            let mut wrong = bytes.clone();
            wrong[place] ^= 3;
            let wrong = right.with_bytes(&wrong).unwrap();
            assert!(check_identifiers(&wrong, &content).unwrap_err().is_damage(), "{wrong:?}");
            assert_eq!(wrong.corrected(checksum).as_ref(), Some(&right));
        }
        let other = Identifiers { slug: "another".into(), ..right.clone() };
        assert!(!other.have(checksum) && other.corrected(checksum).is_none());
        assert!(check_identifiers(&Identifiers { guid: None, ..right }, &content).is_err());
    }

    #[test]
    fn each_changed_bit_is_found_or_changes_nothing() {
        let content = Content { title: "One".into(), summary: "A summary".into(), ..Content::default() };
        let object = serde_json::to_string(&content).unwrap();
        let recorded = add(&identifiers(), &object);
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
