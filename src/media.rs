//! Files beside articles: pictures, recordings, documents. Which names they have, of what type they are.

use std::path::Path;

use crate::folder::Folder;

/// Media type of a file by its name, if files of that type are served. What articles are written in is not: a draft would
/// leak. Neither is what a folder may hold by accident: keys, databases, configuration.
pub fn media_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    if extension == "json" {
        return is_chapters(path).then_some("application/json+chapters");
    }
    TYPES.iter().find(|(names, _)| names.contains(&extension.as_str())).map(|(_, media_type)| *media_type)
}

/// Registered types (IANA), by what files are called.
const TYPES: [(&[&str], &str); 36] = [
    (&["png"], "image/png"),
    (&["jpg", "jpeg", "jpe", "jfif"], "image/jpeg"),
    (&["gif"], "image/gif"),
    (&["webp"], "image/webp"),
    (&["avif"], "image/avif"),
    (&["svg"], "image/svg+xml"),
    (&["bmp"], "image/bmp"),
    (&["ico"], "image/x-icon"),
    (&["tif", "tiff"], "image/tiff"),
    (&["heic"], "image/heic"),
    (&["jxl"], "image/jxl"),
    (&["apng"], "image/apng"),
    (&["mp3"], "audio/mpeg"),
    (&["m4a", "m4b"], "audio/mp4"),
    (&["aac"], "audio/aac"),
    (&["ogg", "oga", "spx"], "audio/ogg"),
    (&["opus"], "audio/ogg"),
    (&["flac"], "audio/flac"),
    (&["wav"], "audio/wav"),
    (&["weba"], "audio/webm"),
    (&["aif", "aiff"], "audio/aiff"),
    (&["mp4", "m4v"], "video/mp4"),
    (&["webm"], "video/webm"),
    (&["ogv"], "video/ogg"),
    (&["mov", "qt"], "video/quicktime"),
    (&["mkv"], "video/matroska"),
    (&["mpg", "mpeg"], "video/mpeg"),
    (&["pdf"], "application/pdf"),
    (&["epub"], "application/epub+zip"),
    (&["zip"], "application/zip"),
    (&["vtt"], "text/vtt; charset=utf-8"),
    (&["srt"], "application/x-subrip"),
    (&["csv"], "text/csv; charset=utf-8"),
    (&["docx"], "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (&["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (&["odt"], "application/vnd.oasis.opendocument.text"),
];

/// Whether a file says by its name that it holds the chapters of a recording, as in `one.chapters.json`: any other JSON is not
/// served.
fn is_chapters(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| Path::new(stem).extension().is_some_and(|inner| inner == "chapters"))
}

/// Whether a file matters: it is an article, or one that articles may refer to.
pub fn concerns(folder: &Folder, path: &Path) -> bool {
    folder.format(path).is_some() || (media_type(path).is_some() && folder.enters(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_by_name() {
        assert_eq!(media_type(Path::new("a/B.JPG")), Some("image/jpeg"));
        assert_eq!(media_type(Path::new("episode 1.mp3")), Some("audio/mpeg"));
        assert_eq!(media_type(Path::new("one.chapters.json")), Some("application/json+chapters"));
        for name in ["a.md", "a.txt", "a.html", "key.pem", "data.sqlite", "a.json", "a", ".mp3", "a.js"] {
            assert_eq!(media_type(Path::new(name)), None, "{name}");
        }
    }
}
