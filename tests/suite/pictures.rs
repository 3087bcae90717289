//! Pictures, recordings and links of articles: files beside articles in feeds.

use std::io::Write;
use std::path::Path;

use gazetted::catalog::Reader;
use gazetted::model::entry::Content;

use crate::site::{BASE_URL, Site};

/// A WAV of silence: one channel of eight bits, a thousand samples a second.
fn wav(seconds: u32) -> Vec<u8> {
    let samples = seconds * 1_000;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((samples + 36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(1_000u32.to_le_bytes());
    bytes.extend(1_000u32.to_le_bytes());
    bytes.extend([1, 0, 8, 0]);
    bytes.extend(b"data");
    bytes.extend(samples.to_le_bytes());
    bytes.resize(bytes.len() + samples as usize, 0x80);
    bytes
}

/// The catalog's record of the file at a path.
fn content(site: &Site, name: &str) -> Content {
    let found = Reader::open(site.state()).unwrap().by_path(Path::new(name)).unwrap();
    found.unwrap_or_else(|| panic!("{name} is not known")).entry.content
}

/// HTML of the entry with a title.
fn html(site: &Site, title: &str) -> String {
    site.entry(title)["content_html"].as_str().unwrap().to_owned()
}

#[test]
fn a_picture_beside_an_article_has_an_address_of_its_own() {
    let mut site = Site::started();
    site.write("trips/storm.md", "# Storm\n\n![Waves](waves.png) and ![more](../pics/a%20b.jpg)\n");
    site.wait_for(&["Storm"]);
    let html = html(&site, "Storm");
    assert!(html.contains(&format!("src=\"{BASE_URL}media/trips/waves.png\"")), "{html}");
    assert!(html.contains(&format!("src=\"{BASE_URL}media/pics/a%20b.jpg\"")), "{html}");
}

#[test]
fn a_later_picture_is_found_in_the_static_folder() {
    let mut site = Site::started();
    site.write("storm.md", "# Storm\n\n![Waves](/img/waves.png)\n");
    site.wait_for(&["Storm"]);
    let before = site.entry("Storm");
    assert!(html(&site, "Storm").contains(&format!("src=\"{BASE_URL}img/waves.png\"")), "{before}");
    site.write("static/img/waves.png", "no picture yet");
    site.wait_until("the picture is found", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}media/static/img/waves.png\""))
    });
    let after = site.entry("Storm");
    assert_eq!(after["date_modified"], before["date_modified"], "the writer changed nothing");
    site.remove("static/img/waves.png");
    site.wait_until("the picture has gone", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}img/waves.png\""))
    });
}

#[test]
fn a_picture_added_while_stopped_is_found() {
    let mut site = Site::started();
    site.write("storm.md", "# Storm\n\n![Waves](/img/waves.png)\n");
    site.wait_for(&["Storm"]);
    site.stop();
    site.write("assets/img/waves.png", "no picture yet");
    site.start();
    site.wait_until("the picture is found", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}media/assets/img/waves.png\""))
    });
}

#[test]
fn pictures_move_with_their_folder() {
    let mut site = Site::started();
    site.write("old/storm.md", "# Storm\n\n![Waves](waves.png)\n");
    site.wait_for(&["Storm"]);
    site.rename("old", "new");
    site.wait_until("the address has changed", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}media/new/waves.png\""))
    });
}

#[test]
fn links_to_article_files_lead_to_their_pages() {
    let mut site = Site::started();
    site.write("one.md", "# One\n\nSee [two](notes/two.md#part) and [three](three.md).\n");
    site.wait_for(&["One"]);
    let three = format!("href=\"{BASE_URL}articles/three.md\"");
    assert!(html(&site, "One").contains(&three), "{}", html(&site, "One"));
    site.write("notes/two.md", "# Two\n\nBack to [one](../one.md).\n");
    site.wait_until("the links lead to pages", |site| {
        site.titles().contains(&"Two".to_owned())
            && html(site, "One").contains(&format!("href=\"{BASE_URL}articles/two#part\""))
            && html(site, "Two").contains(&format!("href=\"{BASE_URL}articles/one\""))
    });
    assert!(html(&site, "One").contains(&three));
}

#[test]
fn recordings_belong_to_articles_or_become_entries() {
    let mut site = Site::new();
    site.write("one.wav", wav(2));
    site.write("one.md", "# One\n\nText");
    site.write("bundle/index.md", "# Bundle\n\nText");
    site.write("bundle/talk.wav", wav(3));
    site.write("film.mp4", "no film");
    site.write("film.md", "# Film\n\nText");
    site.write("named/talk.wav", wav(1));
    site.write("named/notes.md", "---\naudio: talk.wav\n---\n# Notes\n\nText");
    site.write("alone.wav", wav(1));
    let titles = ["One", "Bundle", "Film", "Notes", "alone"];
    site.start();
    for _ in 0..2 {
        site.wait_for(&titles);
        for name in ["one.md", "bundle/index.md", "film.md", "named/notes.md", "alone.wav"] {
            assert_eq!(content(&site, name).enclosures.len(), 1, "{name}");
        }
        site.restart();
    }
    site.wait_for(&titles);
}

#[test]
fn a_recording_is_published_once_it_is_complete() {
    let mut site = Site::started();
    let whole = wav(5);
    let mut file = std::fs::File::create(site.path("the sea.wav")).unwrap();
    file.write_all(&whole[..1_000]).unwrap();
    site.settle();
    assert_eq!(site.titles(), ["Barrier"]);
    file.write_all(&whole[1_000..]).unwrap();
    drop(file);
    site.wait_until("the recording is there", |site| site.titles().contains(&"the sea".to_owned()));
    let enclosure = &content(&site, "the sea.wav").enclosures[0];
    assert_eq!((enclosure.length, enclosure.duration), (Some(5_044), Some(5)));
    assert_eq!(enclosure.url, format!("{BASE_URL}media/the%20sea.wav"));
    let id = site.entry("the sea")["id"].clone();
    site.write("the sea.md", "# Notes of the sea\n\nText");
    site.wait_for(&["Barrier", "Notes of the sea"]);
    assert_eq!(site.entry("Notes of the sea")["id"], id);
    site.remove("the sea.md");
    site.wait_for(&["Barrier", "the sea"]);
    assert_eq!(site.entry("the sea")["id"], id);
}
