//! Links between the posts of an export: the new site may have another host, so that they lead to former addresses without one.

use std::collections::HashMap;
use std::path::Path;

use url::Url;

use super::attributes::with_addresses;
use super::post::{Post, PostStatus};
use crate::article::address;
use crate::article::old_address::comparable_link;

/// Makes the links between posts addresses of the new site, and keeps the queries by which addresses of one path differ.
pub fn complete(posts: &mut [Post]) {
    keep_queries(posts);
    let known = KnownAddresses::of(posts);
    for (place, post) in posts.iter_mut().enumerate() {
        post.html = with_addresses(&post.html, &mut |element, address| {
            if element == "a" { known.on_new_site(address, place) } else { None }
        });
    }
}

/// The former addresses of posts.
struct KnownAddresses {
    /// The place of a post and its address on the new site, by host and what tells pages apart there; none if it could be that of several
    /// posts.
    paths: HashMap<(String, String), Option<(usize, String)>>,
}

impl KnownAddresses {
    fn of(posts: &[Post]) -> Self {
        let mut posts_of: HashMap<String, usize> = HashMap::new();
        let aliases: Vec<Vec<String>> = posts.iter().map(Post::aliases).collect();
        for alias in aliases.iter().flatten() {
            *posts_of.entry(comparable_link(alias)).or_default() += 1;
        }
        let is_only = |alias: &&String| posts_of.get(&comparable_link(alias)) == Some(&1);
        let mut paths: HashMap<(String, String), Option<(usize, String)>> = HashMap::new();
        for (place, (post, aliases)) in posts.iter().zip(&aliases).enumerate() {
            // A post that is not public has no page.
            let is_public = matches!(post.status, PostStatus::Public | PostStatus::Scheduled);
            let alias = aliases.iter().filter(|_| is_public).find(is_only);
            let path = alias.map(|alias| {
                let (path, query) = alias.split_at(alias.find('?').unwrap_or(alias.len()));
                (place, address::encoded(Path::new(path)) + query)
            });
            let urls: Vec<Url> = post.addresses.iter().filter_map(|address| page(address)).collect();
            // `/?p=12` works on the host of the site, whatever host is in the guid.
            let number = post.wordpress_number.map(|number| format!("/?p={number}"));
            let by_number = number.and_then(|number| Some((host(urls.first()?)?, number)));
            for key in urls.iter().filter_map(key).chain(by_number) {
                let known = paths.entry(key).or_insert_with(|| path.clone());
                if *known != path {
                    *known = None;
                }
            }
        }
        Self { paths }
    }

    /// A link to a post without its host, in the post at a place. One to a part of the same post has only that.
    fn on_new_site(&self, address: &str, own: usize) -> Option<String> {
        let url = page(address)?;
        let (place, path) = self.paths.get(&key(&url)?)?.as_ref()?;
        let part = url.fragment().map(|part| format!("#{part}")).unwrap_or_default();
        Some(if *place == own && !part.is_empty() { part } else { format!("{path}{part}") })
    }
}

fn page(address: &str) -> Option<Url> {
    Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host).to_owned())
}

/// Host and what tells pages apart there. The start page is that of no post.
fn key(url: &Url) -> Option<(String, String)> {
    let link = comparable_link(url.as_str());
    Some((host(url)?, link)).filter(|(_, link)| link != "/")
}

/// Marks the posts whose addresses have the path of another post.
fn keep_queries(posts: &mut [Post]) {
    let path = |address: &String| page(address).filter(|url| url.query().is_some()).map(|url| url.path().to_owned());
    let mut posts_of: HashMap<String, usize> = HashMap::new();
    for post in &*posts {
        let mut paths: Vec<String> = post.addresses.iter().filter_map(path).collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            *posts_of.entry(path).or_default() += 1;
        }
    }
    for post in posts {
        post.has_queries =
            post.addresses.iter().filter_map(path).any(|path| posts_of.get(&path).is_some_and(|count| *count > 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_posts_lose_the_old_host() {
        let post = |addresses: &[&str], number: Option<u64>| Post {
            addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
            wordpress_number: number,
            ..Post::default()
        };
        let new = |link: &str| {
            let mut posts = [
                post(&["https://old.example/2024/05/02/p2/", "http://dev.example/?p=2"], Some(2)),
                post(&["https://old.example/caf%C3%A9"], None),
                post(&["https://old.example/index.php?id=calm"], None),
                post(&["https://old.example/index.php?id=storm"], None),
                post(&["https://old.example/watch?v=a", "https://old.example/by-a"], None),
                post(&["https://old.example/watch?v=b"], None),
                post(&["https://old.example/story.php?b=2"], None),
                post(&["https://one.example/same"], None),
                post(&["https://two.example/same"], None),
                Post { status: PostStatus::Private, ..post(&["https://old.example/private"], None) },
                Post { html: format!("<a href=\"{link}\">x</a>"), ..Post::default() },
            ];
            complete(&mut posts);
            let html = &posts[10].html;
            html["<a href=\"".len()..html.len() - "\">x</a>".len()].to_owned()
        };
        for (link, expected) in [
            ("https://old.example/2024/05/02/p2/", "/2024/05/02/p2/"),
            ("http://www.old.example/2024/05/02/p2?utm_source=x#part", "/2024/05/02/p2/#part"),
            ("https://old.example/?p=2", "/2024/05/02/p2/"),
            ("http://dev.example/?p=2&amp;utm_source=x", "/2024/05/02/p2/"),
            ("https://old.example/caf%c3%a9/", "/caf%C3%A9"),
            ("https://old.example/?id=calm", "/index.php?id=calm"),
            ("https://old.example/index.php?id=storm", "/index.php?id=storm"),
            ("https://old.example/by-a", "/by-a"),
            // They could be several, are not public or no posts, or are of another site.
            ("https://old.example/watch?v=b", "https://old.example/watch?v=b"),
            ("https://one.example/same", "https://one.example/same"),
            ("https://old.example/private", "https://old.example/private"),
            ("https://old.example/about/", "https://old.example/about/"),
            ("https://old.example/", "https://old.example/"),
            ("https://other.example/2024/05/02/p2/", "https://other.example/2024/05/02/p2/"),
            ("/2024/05/02/p2/", "/2024/05/02/p2/"),
            ("mailto:a@old.example", "mailto:a@old.example"),
        ] {
            assert_eq!(new(link), expected, "{link}");
        }
        let mut posts = [
            post(&["https://old.example/watch?v=a&utm_source=x"], None),
            post(&["https://old.example/watch?v=b"], None),
        ];
        complete(&mut posts);
        assert_eq!(posts.each_ref().map(Post::aliases), [["/watch?v=a"], ["/watch?v=b"]]);
    }
}
