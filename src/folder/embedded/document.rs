//! Pictures inside office documents, which are ZIP archives.

use std::fs::File;

use super::parts::{DIGITS, Data, MAX_DECODED, MAX_PICTURE, PICTURES, type_of};
use crate::folder::zip::{ZipArchive, ZipEntry};

/// The name under which a picture of a document is served; `None` if it is none that browsers show, or too large. It changes with the bytes of the
/// picture.
pub fn document_picture(archive: &ZipArchive<'_>, entry: &ZipEntry) -> Option<String> {
    let head: [u8; 12] = archive.start_of(entry, 12).ok()?.try_into().ok()?;
    let (extension, _) = type_of(&head)?;
    let most = if archive.stored_at(entry).is_some() { MAX_PICTURE } else { MAX_DECODED as u64 };
    (u64::from(entry.size) <= most).then(|| format!("{}{extension}", hash_of(entry)))
}

/// Finds the picture of a document that is served under a name, and its type.
pub(super) fn find(file: &File, name: &str) -> Option<(Data, &'static str)> {
    let hash = name.get(..DIGITS)?;
    let archive = ZipArchive::of_file(file).ok()?;
    let entry = archive.entries.iter().find(|entry| hash_of(entry) == hash)?;
    if document_picture(&archive, entry)? != name {
        return None;
    }
    let (_, media_type) = PICTURES.into_iter().find(|(extension, _)| name.ends_with(extension))?;
    let data = match archive.stored_at(entry) {
        Some(start) => Data::InFile { start, length: u64::from(entry.size) },
        None => Data::InMemory(archive.unpack(entry, MAX_DECODED as u64).ok()?),
    };
    Some((data, media_type))
}

/// A hash of what the directory of the archive says of a picture, which has a checksum of its bytes.
fn hash_of(entry: &ZipEntry) -> String {
    let hash = blake3::hash(format!("{} {} {}", entry.checksum, entry.size, entry.name).as_bytes());
    hash.to_hex()[..DIGITS].to_owned()
}
