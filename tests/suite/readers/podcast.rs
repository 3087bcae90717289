//! A podcast, as players read it.

use std::process::Command;

use serde_json::Value;

use crate::site::{BASE_URL, Site};
use crate::tools;

/// Silence: frames of MPEG layer III, each 417 bytes and 26 ms.
fn silence() -> Vec<u8> {
    let mut frame = vec![0xFF, 0xFB, 0x90, 0x00];
    frame.resize(417, 0);
    frame.repeat(80)
}

/// Compares what podcastparser reads with the entry in JSON Feed.
const PODCASTPARSER: &str = "
import json, podcastparser, sys
feed = podcastparser.parse('https://gazette.example/rss.xml', open(sys.argv[1], 'rb'))
item = json.load(open(sys.argv[2]))['items'][0]
assert feed['title'] == 'Cast' and len(feed['episodes']) == 1, feed
episode = feed['episodes'][0]
assert (episode['title'], episode['guid']) == (item['title'], item['id']), episode
enclosure, = episode['enclosures']
attachment, = item['attachments']
assert enclosure['url'] == attachment['url'], enclosure
assert enclosure['file_size'] == attachment['size_in_bytes'], enclosure
assert enclosure['mime_type'] == attachment['mime_type'] == 'audio/mpeg', enclosure
";

fn guid(site: &Site) -> String {
    let text = site.get("/rss.xml").text();
    text.split("<podcast:guid>").nth(1).expect("standards 145").split('<').next().unwrap().to_owned()
}

#[test]
fn podcast_players_get_each_recording() {
    let mut site = Site::configured("[site]\ntitle = 'Cast'\nbase_url = 'https://gazette.example/'");
    site.write("ep1.mp3", silence());
    site.write("ep1.md", "---\naudio: ep1.mp3\n---\n# Episode 1\n\nWhat it is about.");
    site.start();
    let item = site.entry("Episode 1");
    let attachment = &item["attachments"][0];
    assert_eq!(attachment["mime_type"], "audio/mpeg", "standards 73");
    assert_eq!(attachment["size_in_bytes"], silence().len(), "standards 39, 73");
    let address = attachment["url"].as_str().unwrap();
    let path = format!("/{}", address.strip_prefix(BASE_URL).expect("standards 38"));
    let file = site.ask("HEAD", &path, &[]);
    assert_eq!(file.field("content-length"), silence().len().to_string(), "standards 39, 144");
    assert_eq!(site.ask("GET", &path, &[("Range", "bytes=0-9")]).status, 206, "standards 144");
    let rss = site.get("/rss.xml").text();
    let enclosure = format!("<enclosure url=\"{address}\" length=\"{}\" type=\"audio/mpeg\"/>", silence().len());
    assert_eq!((rss.matches("<enclosure ").count(), rss.matches(&enclosure).count()), (1, 1), "{rss}: standards 38");
    assert!(rss.contains("<itunes:explicit>false</itunes:explicit>"), "{rss}: standards 144");
    let atom = site.get("/atom.xml").text();
    let link = atom.split('<').find(|tag| tag.contains("rel=\"enclosure\"")).expect("standards 57").to_owned();
    assert!(
        link.contains("type=\"audio/mpeg\"") && link.contains(&format!("length=\"{}\"", silence().len())),
        "{link}: standards 57"
    );
    let before = guid(&site);
    site.stop();
    site.reconfigure("[site]\ntitle = 'Cast'\nbase_url = 'https://elsewhere.example/'");
    site.start();
    assert_eq!(guid(&site), before, "standards 145");
    if tools::has_python("podcastparser") {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("rss.xml"), site.get("/rss.xml").body).unwrap();
        std::fs::write(file("feed.json"), site.get("/feed.json").body).unwrap();
        tools::run(Command::new("python3").args(["-c", PODCASTPARSER]).arg(file("rss.xml")).arg(file("feed.json")));
    }
    assert!(site.entry("Episode 1")["attachments"].as_array().is_some_and(|all: &Vec<Value>| all.len() == 1));
}
