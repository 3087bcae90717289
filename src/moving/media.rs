//! The pictures and recordings of posts that were files of the old site.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use super::post::Post;
use crate::article::address;
use crate::folder::is_ignored;
use crate::folder::media::media_type;

/// Folders that publishers put in front of the paths of files.
const UPLOADS: [&str; 5] = ["wp-content/uploads", "wp-content", "content/images", "content", "files"];
/// What ends an address in HTML.
const ENDS: [char; 8] = ['"', '\'', ' ', '\n', '\t', '<', '>', ')'];

/// A file of the old site, by its path below that.
pub type FindFile<'a> = dyn FnMut(&Path) -> bool + 'a;

/// Makes the addresses of files paths below the folder of articles. `has_file` says whether there is a file of a path.
pub fn make_local(post: &mut Post, has_file: &mut FindFile<'_>) {
    post.html = with_local_addresses(&post.html, has_file);
    let recordings = post.recordings.iter_mut().map(|recording| &mut recording.url);
    for address in post.image.iter_mut().chain(recordings) {
        if let Some(local) = local_address(address, has_file) {
            *address = local;
        }
    }
}

/// The places below a folder of files at which the file of a path may be: with the folders in front of it, and without.
pub fn places(path: &Path) -> impl Iterator<Item = PathBuf> {
    let inside = UPLOADS.iter().filter_map(|folder| path.strip_prefix(folder).ok().map(Path::to_path_buf));
    std::iter::once(path.to_path_buf()).chain(inside)
}

fn with_local_addresses(html: &str, has_file: &mut FindFile<'_>) -> String {
    let mut local = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = start_of_address(rest) {
        let (before, from) = rest.split_at(at);
        let (address, after) = from.split_at(from.find(ENDS).unwrap_or(from.len()));
        local.push_str(before);
        local.push_str(local_address(address, has_file).as_deref().unwrap_or(address));
        rest = after;
    }
    local.push_str(rest);
    local
}

/// Where the next address starts: one with a scheme, or a path in an attribute.
fn start_of_address(html: &str) -> Option<usize> {
    let paths = ["=\"/", "='/"].iter().filter_map(|start| html.find(start).map(|at| at + "=\"".len()));
    ["http://", "https://"].iter().filter_map(|start| html.find(start)).chain(paths).min()
}

fn local_address(address: &str, has_file: &mut FindFile<'_>) -> Option<String> {
    let path = match Url::parse(address) {
        Ok(url) => url.path().to_owned(),
        Err(_) => address.strip_prefix('/')?.split(['?', '#']).next()?.to_owned(),
    };
    let path = PathBuf::from(percent_decode_str(&path).decode_utf8().ok()?.trim_start_matches('/'));
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(name) if !is_ignored(name));
    if media_type(&path).is_none() || !path.components().all(is_plain) {
        return None;
    }
    // Another gazetted serves its files below `/media/`.
    let own = path.strip_prefix("media").ok().map(Path::to_path_buf);
    let path = std::iter::once(path).chain(own).find(|path| has_file(path))?;
    Some(format!("/{}", address::encoded(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_files_become_paths() {
        let mut asked = Vec::new();
        let html = "<img src=\"https://a.example/wp-content/uploads/2024/a%20b.jpg?w=3\" srcset=\"http://a.example/x.png 2x, /wp-content/c.png 3x\">\
            <img src='/wp-content/c.png'><a href=\"https://a.example/../../etc/passwd.png\">x</a> https://a.example/page /text";
        let mut post = Post { html: html.into(), image: Some("https://b.example/i.webp".into()), ..Post::default() };
        make_local(&mut post, &mut |path| {
            asked.push(path.to_str().unwrap().to_owned());
            !path.ends_with("x.png")
        });
        assert_eq!(
            post.html,
            "<img src=\"/wp-content/uploads/2024/a%20b.jpg\" srcset=\"http://a.example/x.png 2x, /wp-content/c.png 3x\">\
             <img src='/wp-content/c.png'><a href=\"/etc/passwd.png\">x</a> https://a.example/page /text"
        );
        assert_eq!(post.image.as_deref(), Some("/i.webp"));
        assert_eq!(asked, ["wp-content/uploads/2024/a b.jpg", "x.png", "wp-content/c.png", "etc/passwd.png", "i.webp"]);
        let all: Vec<_> = places(Path::new("wp-content/uploads/a.jpg")).collect();
        assert_eq!(all, ["wp-content/uploads/a.jpg", "a.jpg", "uploads/a.jpg"].map(PathBuf::from));
    }

    #[test]
    fn no_path_leaves_the_folder() {
        for address in [
            "/../a.png",
            "/a/%2e%2e/%2e%2e/b.png",
            "/.git/a.png",
            "/%2Fetc/%2E%2E/a.png",
            "mailto:a.png",
            "/a.exe",
            "/a%FF.png",
        ] {
            let mut post = Post { image: Some(address.into()), ..Post::default() };
            make_local(&mut post, &mut |path| {
                assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{address}");
                true
            });
        }
    }
}
