//! What robots are asked to leave alone: `robots.txt` (RFC 9309) with Content Signals, and `X-Robots-Tag`.

use crate::config::Crawlers;
use crate::render::feed::Channel;
use crate::render::feed::format::Formats;
use crate::render::sitemap;

/// Path of the rules.
pub const PATH: &str = "robots.txt";

/// Value of `X-Robots-Tag` and of the `<meta>` element for a site that no search engine may list.
pub const UNLISTED: &str = "noindex, nofollow";

/// Crawlers that collect texts to train models, by the names that their operators publish. Those that fetch a page for a user's question, and
/// those of search engines, are others.
const TRAINING: [&str; 24] = [
    "AI2Bot",
    "Ai2Bot-Dolma",
    "Amazonbot",
    "anthropic-ai",
    "Applebot-Extended",
    "Bytespider",
    "CCBot",
    "ClaudeBot",
    "cohere-ai",
    "cohere-training-data-crawler",
    "DeepSeekBot",
    "Diffbot",
    "FacebookBot",
    "Google-Extended",
    "GPTBot",
    "ICC-Crawler",
    "ImagesiftBot",
    "img2dataset",
    "Kangaroo Bot",
    "meta-externalagent",
    "omgili",
    "PanguBot",
    "Timpibot",
    "Webzio-Extended",
];

/// The rules for robots.
pub fn rules(channel: &Channel, formats: Formats) -> String {
    let sitemap = format!("Sitemap: {}\n", channel.url(sitemap::PATH));
    match channel.statements.crawlers {
        Crawlers::All => format!("User-agent: *\nDisallow:\n\n{sitemap}"),
        Crawlers::NoTraining => {
            let names = TRAINING.map(|name| format!("User-agent: {name}\n")).concat();
            format!(
                "{names}Disallow: /\n\nUser-agent: *\nContent-Signal: search=yes, ai-train=no\nDisallow:\n\n{sitemap}"
            )
        }
        Crawlers::None => {
            let base = channel.base_path();
            // Feed readers that heed these rules find each feed, and players each recording.
            let feeds =
                formats.iter().flat_map(|format| [format.file].into_iter().chain(format.aliases.iter().copied()));
            let allowed = |file: &str| format!("Allow: {base}{file}\nAllow: {base}*/{file}\n");
            let feeds = feeds.map(allowed).collect::<Vec<_>>().concat();
            format!(
                "User-agent: *\nContent-Signal: search=no, ai-input=no, ai-train=no\n{feeds}Allow: {base}media/\nDisallow: /\n"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::feed::{FORMATS, tests::channel};

    fn rules_for(crawlers: Crawlers) -> String {
        let mut channel = channel();
        channel.statements.crawlers = crawlers;
        rules(&channel, FORMATS)
    }

    #[test]
    fn rules_name_crawlers_and_spare_feed_readers() {
        assert_eq!(rules_for(Crawlers::All), "User-agent: *\nDisallow:\n\nSitemap: https://example.org/sitemap.xml\n");
        let rules = rules_for(Crawlers::NoTraining);
        let (named, others) = rules.split_once("Disallow: /\n\n").unwrap();
        assert!(named.lines().all(|line| line.starts_with("User-agent: ")), "one group: {rules}");
        assert!(named.contains("User-agent: GPTBot\n") && named.contains("User-agent: CCBot\n"), "{rules}");
        assert!(!named.to_lowercase().contains("googlebot") && !named.contains("Bingbot"), "{rules}");
        assert!(others.starts_with("User-agent: *\nContent-Signal: search=yes, ai-train=no\nDisallow:\n\nSitemap: "));
        let rules = rules_for(Crawlers::None);
        for line in ["Disallow: /", "Allow: /rss.xml", "Allow: /*/feed.json", "Allow: /feed/", "Allow: /media/"] {
            assert!(rules.lines().any(|other| other == line), "{line} in {rules}");
        }
        assert!(!rules.contains("Sitemap") && TRAINING.is_sorted_by_key(|name| name.to_lowercase()));
    }
}
