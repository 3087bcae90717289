//! Which file holds the document at an address. A page is `index.html` in a folder; what is inside a recording or a picture is beside
//! it, in a folder whose name ends with a tilde, since no file system has a file and a folder of one name.
//!
//! In a bucket, the key of an object is the address itself. Only what ends with a slash is `index.html` there, as bucket websites have it.

use percent_encoding::percent_decode_str;

/// Folder of what is no document: the manifest, and files for web servers.
pub const OWN_FOLDER: &str = ".gazetted";

/// Longest name of a file on common file systems, in bytes.
const LONGEST_NAME: usize = 255;

/// The longest ending that is added to the name of a document.
const LONGEST_ENDING: usize = ".zst".len();

/// What is at an address, as far as the name of its file depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// A page: its folder is at the address.
    Page,
    Document,
    /// A file beside articles.
    Media,
    /// What is inside a file beside articles, or a smaller form of a picture.
    MediaPart,
}

/// The kinds of stores, which name files differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Has files in each content coding, with dates.
    Folder,
    /// Has objects with header fields, and keys that are not folders of one another.
    Bucket,
}

/// Returns the path of the file, below the root of the web server, of what is at `path` below the path of the site. Both are
/// percent-encoded.
///
/// # Errors
/// There can be no such file; the error says why.
pub fn file_of(store: StoreKind, base_path: &str, path: &str, form: FileForm) -> Result<String, String> {
    let whole = format!("{}{path}", base_path.strip_prefix('/').unwrap_or(base_path));
    let mut parts = Vec::new();
    let bare = whole.strip_suffix('/').unwrap_or(&whole);
    for part in bare.split('/').filter(|_| !bare.is_empty()) {
        let name = percent_decode_str(part).decode_utf8().map_err(|_| "its name is not UTF-8")?;
        // A slash in a name was encoded; web servers take it for a separator.
        for name in name.split('/') {
            parts.push(checked(name)?);
        }
    }
    let is_folder = store == StoreKind::Folder;
    if form == FileForm::MediaPart
        && is_folder
        && let [.., folder, _] = parts.as_mut_slice()
    {
        folder.push('~');
    }
    if (form == FileForm::Page && is_folder) || whole.is_empty() || whole.ends_with('/') {
        parts.push("index.html".to_owned());
    }
    let longest = if matches!(form, FileForm::Page | FileForm::Document) { LONGEST_ENDING } else { 0 };
    let last = parts.last().map_or(0, String::len);
    if !is_folder {
        return Ok(parts.join("/"));
    }
    if last + longest > LONGEST_NAME || parts.iter().any(|part| part.len() > LONGEST_NAME) {
        return Err(format!("its name is longer than {LONGEST_NAME} bytes"));
    }
    Ok(parts.join("/"))
}

fn checked(name: &str) -> Result<String, String> {
    match name {
        "" | "." | ".." => Err(format!("no file can have the name `{name}`")),
        OWN_FOLDER => Err(format!("{OWN_FOLDER} is the folder of the manifest")),
        name if name.contains(char::is_control) => Err("its name has a control character".to_owned()),
        name => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_a_file() {
        for (path, form, file) in [
            ("", FileForm::Page, "index.html"),
            ("articles/storm", FileForm::Page, "articles/storm/index.html"),
            ("articles/storm.md", FileForm::Document, "articles/storm.md"),
            ("tags/a%20b/", FileForm::Page, "tags/a b/index.html"),
            ("tags/%C3%BC/rss.xml", FileForm::Document, "tags/ü/rss.xml"),
            ("media/a/b.mp3", FileForm::Media, "media/a/b.mp3"),
            ("media/a/b.mp3/0f.jpg", FileForm::MediaPart, "media/a/b.mp3~/0f.jpg"),
            ("tags/a%2Fb/", FileForm::Page, "tags/a/b/index.html"),
        ] {
            assert_eq!(file_of(StoreKind::Folder, "/", path, form).as_deref(), Ok(file), "{path}");
            assert_eq!(file_of(StoreKind::Folder, "/news/", path, form), Ok(format!("news/{file}")), "{path}");
        }
    }

    #[test]
    fn a_key_is_the_address() {
        for (path, form, key) in [
            ("", FileForm::Page, "index.html"),
            ("articles/storm", FileForm::Page, "articles/storm"),
            ("tags/a%20b/", FileForm::Page, "tags/a b/index.html"),
            ("feed", FileForm::Document, "feed"),
            ("feed/", FileForm::Document, "feed/index.html"),
            ("media/a/b.mp3/0f.jpg", FileForm::MediaPart, "media/a/b.mp3/0f.jpg"),
        ] {
            assert_eq!(file_of(StoreKind::Bucket, "/", path, form).as_deref(), Ok(key), "{path}");
        }
        assert!(file_of(StoreKind::Bucket, "/", ".gazetted/x", FileForm::Media).is_err());
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for path in
            ["tags/../", "tags/%2e%2e/", "tags/..%2F..%2Fx/", "a//b", "tags/%00/", ".gazetted/x", "tags/%ff/", "a/./b"]
        {
            assert!(file_of(StoreKind::Folder, "/", path, FileForm::Page).is_err(), "{path}");
        }
        let long = "a".repeat(LONGEST_NAME);
        assert!(file_of(StoreKind::Folder, "/", &long, FileForm::Media).is_ok());
        assert!(file_of(StoreKind::Folder, "/", &long, FileForm::Page).is_ok(), "the name of a folder");
        assert!(
            file_of(StoreKind::Folder, "/", &long, FileForm::Document).is_err(),
            "no room for the ending of a compressed form"
        );
        assert!(file_of(StoreKind::Folder, "/", &format!("{long}a"), FileForm::Page).is_err());
    }
}
