//! Pictures, recordings and links of articles: files beside articles in feeds.

use std::io::Write;
use std::path::Path;

use gazetted::catalog::Reader;
use gazetted::model::entry::Content;

use crate::site::{BASE_URL, Site};
use crate::waiting::wait_until;

/// A WAV of silence: one channel of eight bits, a thousand samples a second.
pub fn wav(seconds: u32) -> Vec<u8> {
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

/// A photo of a phone: a JPEG with noise, so that it is not tiny, and its position in Exif.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let noise = |x: u32, y: u32| u8::try_from((x * 7_919 + y * 104_729) % 251).unwrap();
    let pixels = image::ImageBuffer::from_fn(width, height, |x, y| image::Rgb([noise(x, y), noise(y, x), 90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let mut bytes = bytes.into_inner();
    // A directory whose only tag names another one at 26, with a text at 44.
    let exif = [
        &b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0"[..],
        b"\0\x01\0\x02\0\x02\0\0\0\x0b\0\0\0\x2c\0\0\0\0",
        POSITION,
    ]
    .concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    bytes.splice(2..2, [&[0xFF, 0xE1][..], &length, &exif].concat());
    bytes
}

const POSITION: &[u8] = b"51.5N 0.1W\0";

#[test]
fn pages_offer_smaller_forms_of_pictures_and_nothing_says_where_they_were_taken() {
    let mut site = Site::started();
    let photo = photo(1_000, 600);
    site.write("trips/photo.jpg", &photo);
    site.write("trips/storm.md", "# Storm\n\n![Waves](photo.jpg)\n\n![Again](photo.jpg)\n");
    site.write(
        "trips/drawing.md",
        "---\nimage: photo.jpg\n---\n# Drawing\n\nText.\n\n![A drawing](https://b.example/c.png)\n",
    );
    site.wait_for(&["Storm", "Drawing"]);
    let forms = "srcset=\"/media/trips/photo.jpg/480.webp 480w, /media/trips/photo.jpg/800.webp 800w, /media/trips/photo.jpg 1000w\"";
    let page = site.get("/articles/storm").text();
    let first = format!(
        "<img width=\"1000\" height=\"600\" {forms} sizes=\"(min-width: 41rem) 38rem, 92vw\" src=\"/media/trips/photo.jpg\" alt=\"Waves\">"
    );
    assert!(page.contains(&first), "{page}");
    assert!(
        page.contains("loading=\"lazy\" decoding=\"async\" src=\"/media/trips/photo.jpg\" alt=\"Again\">"),
        "{page}"
    );
    let page = site.get("/articles/drawing").text();
    assert!(page.contains(&format!("alt=\"\" width=\"1000\" height=\"600\" {forms}")), "the cover: {page}");
    assert!(page.contains("<img loading=\"lazy\" decoding=\"async\" src=\"https://b.example/c.png\""), "{page}");
    assert!(
        html(&site, "Storm").contains(&format!("<img src=\"{BASE_URL}media/trips/photo.jpg\" alt=\"Waves\">")),
        "feeds stay as they were"
    );

    // The picture itself, until there is a smaller form.
    let form = "/media/trips/photo.jpg/480.webp";
    let answer = site.get(form);
    if answer.status != 200 {
        assert_eq!((answer.status, answer.field("location")), (307, &*format!("{BASE_URL}media/trips/photo.jpg")));
        assert_eq!(answer.max_age(), Some(60));
    }
    wait_until("the smaller form exists", || site.get(form).status == 200);
    let answer = site.get(form);
    assert_eq!(answer.field("content-type"), "image/webp");
    let decoded = image::load_from_memory(&answer.body).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (480, 288));
    assert!(answer.body.len() * 2 < photo.len(), "{} of {} bytes", answer.body.len(), photo.len());
    let tag = answer.field("etag").to_owned();
    assert_eq!(site.ask("GET", form, &[("If-None-Match", &tag)]).status, 304);
    for other in ["481.webp", "480.png", "480.webp/480.webp"] {
        assert_eq!(site.get(&format!("/media/trips/photo.jpg/{other}")).status, 404, "{other}");
    }

    // No answer has the position, and a smaller form has no metadata at all; the file has it still.
    let holds = |bytes: &[u8]| bytes.windows(POSITION.len()).any(|part| part == POSITION);
    assert!(!holds(&answer.body));
    for chunk in [b"EXIF", b"XMP "] {
        assert!(!answer.body.windows(4).any(|part| part == chunk), "{chunk:?}");
    }
    let whole = site.get("/media/trips/photo.jpg").body;
    assert_eq!(whole.len(), photo.len());
    assert!(!holds(&whole) && holds(&photo));
    let at = photo.windows(POSITION.len()).position(|part| part == POSITION).unwrap();
    let range = format!("bytes={at}-{}", at + POSITION.len() - 1);
    let part = site.ask("GET", "/media/trips/photo.jpg", &[("Range", &range)]);
    assert_eq!((part.status, part.body), (206, vec![0; POSITION.len()]));
    assert!(std::fs::read(site.path("trips/photo.jpg")).unwrap() == photo, "the file stays as it was");

    // Another picture of that name has forms of its own; they stay over a restart.
    site.write("trips/photo.jpg", self::photo(900, 900));
    wait_until("the new picture has a form", || {
        let answer = site.get(form);
        answer.status == 200 && image::load_from_memory(&answer.body).is_ok_and(|picture| picture.height() == 480)
    });
    site.restart();
    assert_eq!(site.get(form).status, 200);
    site.stop();
    site.reconfigure("[state]\npictures = \"0 B\"\n");
    site.start();
    assert!(!site.get("/articles/storm").text().contains("srcset"));
    assert_eq!(site.get(form).status, 404);
}
