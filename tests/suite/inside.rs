//! Pictures and chapters inside recordings, as readers and players get them.

use serde_json::Value;

use crate::sections;
use crate::site::Site;

/// A square picture that differs in its last byte.
fn png(side: u32, last: u8) -> Vec<u8> {
    [sections::png(side, side), vec![last]].concat()
}

fn size(length: usize) -> [u8; 4] {
    let length = u32::try_from(length).unwrap();
    [21, 14, 7, 0].map(|shift| (length >> shift & 0x7F) as u8)
}

fn frame(name: &str, content: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &size(content.len()), &[0, 0], content].concat()
}

/// An MP3 with these frames of ID3 and some silence.
fn mp3(frames: &[Vec<u8>]) -> Vec<u8> {
    let frames = frames.concat();
    let silence = [&[0xFF, 0xFB, 0x90, 0x00][..], &[0; 413]].concat().repeat(8);
    [&b"ID3\x04\0\0"[..], &size(frames.len()), &frames, &silence].concat()
}

fn title(text: &str) -> Vec<u8> {
    frame("TIT2", &[b"\x03", text.as_bytes()].concat())
}

fn cover(picture: &[u8]) -> Vec<u8> {
    frame("APIC", &[&b"\0image/png\0\x03\0"[..], picture].concat())
}

fn chapter(name: &str, start: u32, text: &str) -> Vec<u8> {
    frame("CHAP", &[name.as_bytes(), b"\0", &start.to_be_bytes(), &[0xFF; 12], &title(text)].concat())
}

/// The first entry of the feed of the podcast, once there is one.
fn entry(site: &Site) -> Value {
    let feed: Value = serde_json::from_str(&site.get("/sections/cast/feed.json").text()).unwrap_or_default();
    feed["items"][0].clone()
}

fn rss(site: &Site) -> String {
    site.get("/sections/cast/rss.xml").text()
}

/// The path of the picture of the first entry; empty if it has none.
fn image(site: &Site) -> String {
    let entry = entry(site);
    entry["image"].as_str().unwrap_or_default().trim_start_matches("https://gazette.example").to_owned()
}

/// The path of the chapters in RSS; empty if there are none.
fn chapters(site: &Site) -> String {
    let rss = rss(site);
    let element = rss.split("<podcast:chapters").nth(1).and_then(|rest| rest.split("/>").next()).unwrap_or_default();
    assert!(element.is_empty() || element.contains("type=\"application/json+chapters\""), "{element}");
    let address = element.split("url=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    address.trim_start_matches("https://gazette.example").to_owned()
}

#[test]
fn the_cover_inside_a_recording_is_the_picture_of_its_episode() {
    let mut site = Site::started();
    let first = png(1400, 1);
    site.write("cast/ep1.mp3", mp3(&[title("The sea hour"), cover(&first)]));
    site.wait_until("the episode is served", |site| image(site).starts_with("/media/cast/ep1.mp3/"));
    let path = image(&site);
    assert_eq!(path.rsplit('.').next(), Some("png"), "{path}");
    let rss = rss(&site);
    assert!(rss.contains(&format!("<itunes:image href=\"https://gazette.example{path}\"")), "{rss}");
    assert!(rss.contains("width=\"1400\""), "{rss}");
    let page = site.get("/articles/ep1").text();
    assert!(
        page.contains(&format!("src=\"https://gazette.example{path}\"")) || page.contains(&format!("src=\"{path}\"")),
        "{page}"
    );

    let answer = site.get(&path);
    assert_eq!((answer.status, answer.field("content-type")), (200, "image/png"));
    assert_eq!(answer.body, first);
    let length = first.len().to_string();
    for (name, value) in [
        ("content-length", length.as_str()),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(answer.field(name), value, "{name}");
    }
    let head = site.ask("HEAD", &path, &[]);
    assert_eq!((head.status, head.field("content-length"), head.body.len()), (200, length.as_str(), 0));
    let etag = answer.field("etag");
    assert_eq!(site.ask("GET", &path, &[("If-None-Match", etag)]).status, 304);
    let part = site.ask("GET", &path, &[("Range", "bytes=2-5"), ("If-Range", etag)]);
    assert_eq!((part.status, part.body.as_slice()), (206, &first[2..6]));
    assert_eq!(part.field("content-range"), format!("bytes 2-5/{length}"));
    assert_eq!(site.ask("GET", &path, &[("Range", "bytes=9999-")]).status, 416);

    // Another picture has another address, and the old one leads nowhere.
    let second = png(1500, 2);
    site.write("cast/ep1.mp3", mp3(&[title("The sea hour"), cover(&second)]));
    site.wait_until("the address changes", |site| !image(site).is_empty() && image(site) != path);
    assert_eq!(site.get(&image(&site)).body, second);
    assert_eq!(site.get(&path).status, 404);
    site.restart();
    assert_eq!(site.get(&image(&site)).body, second);
}

#[test]
fn a_picture_that_is_named_or_lies_beside_a_recording_comes_first() {
    let mut site = Site::started();
    site.write("cast/ep1.mp3", mp3(&[title("One"), cover(&png(1400, 1))]));
    site.wait_until("it has its own cover", |site| image(site).starts_with("/media/cast/ep1.mp3/"));
    site.write("cast/cover.png", png(1600, 1));
    site.wait_until("the one beside it comes first", |site| image(site) == "/media/cast/cover.png");
    site.write("cast/other.png", png(1700, 1));
    site.write("cast/ep1.md", "---\nimage: other.png\n---\n# Notes\n\nText ![](cover.png)");
    site.wait_until("the named one comes first", |site| image(site) == "/media/cast/other.png");
    site.remove("cast/cover.png");
    site.write("cast/third.png", png(1700, 3));
    site.write("cast/ep1.md", "# Notes\n\nText ![](third.png)");
    site.wait_until("its own cover comes before pictures in the text", |site| {
        image(site).starts_with("/media/cast/ep1.mp3/")
    });
    site.write("cast/ep1.mp3", mp3(&[title("One"), cover(b"<svg onload='alert(1)'/>")]));
    site.wait_until("what is no picture is none", |site| image(site) == "/media/cast/third.png");
}

#[test]
fn chapters_inside_a_recording_are_served_as_a_file() {
    let mut site = Site::started();
    let frames = [title("One"), chapter("b", 61_500, "Boats"), chapter("a", 0, "Start")];
    site.write("cast/ep1.mp3", mp3(&frames));
    site.wait_until("the feed has chapters", |site| chapters(site).starts_with("/media/cast/ep1.mp3/"));
    let path = chapters(&site);
    let answer = site.get(&path);
    assert_eq!((answer.status, answer.field("content-type")), (200, "application/json+chapters"));
    let file: Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = serde_json::json!({
        "version": "1.2.0",
        "chapters": [{"startTime": 0, "title": "Start"}, {"startTime": 61.5, "title": "Boats"}],
    });
    assert_eq!(file, expected);
    assert_eq!(site.ask("GET", &path, &[("If-None-Match", answer.field("etag"))]).status, 304);
    let part = site.ask("GET", &path, &[("Range", "bytes=-4")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &answer.body[answer.body.len() - 4..]));
    // A file beside the recording comes first.
    site.write("cast/ep1.chapters.json", "{}");
    site.wait_until("the file beside it comes first", |site| chapters(site) == "/media/cast/ep1.chapters.json");
    site.remove("cast/ep1.chapters.json");
    site.wait_until("its own are back", |site| chapters(site) == path);
    site.write("cast/ep1.mp3", mp3(&[title("One"), chapter("a", 0, "Another start")]));
    site.wait_until("the address changes", |site| !chapters(site).is_empty() && chapters(site) != path);
    assert_eq!(site.get(&path).status, 404);
}

#[test]
fn nothing_inside_a_recording_is_served_that_the_recording_is_not() {
    let mut site = Site::configured("[articles]\nexclude = ['private/**']\n");
    let picture = png(1400, 1);
    let bytes = mp3(&[title("One"), cover(&picture)]);
    for name in ["cast/ep1.mp3", "drafts/ep1.mp3", "private/ep1.mp3", ".hidden/ep1.mp3", "@Recycle/ep1.mp3"] {
        site.write(name, &bytes);
    }
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("ep2.mp3"), &bytes).unwrap();
    std::os::unix::fs::symlink(outside.path().join("ep2.mp3"), site.path("cast/ep2.mp3")).unwrap();
    std::os::unix::fs::symlink("ep1.mp3", site.path("cast/ep3.mp3")).unwrap();
    // A document with the bytes of a recording.
    site.write("cast/ep4.pdf", &bytes);
    site.start();
    site.wait_until("the episode is served", |site| image(site).contains("/ep1.mp3/"));
    let hash = image(&site).rsplit('/').next().unwrap().to_owned();
    let status = |recording: &str, name: &str| site.get(&format!("/media/{recording}/{name}")).status;
    assert_eq!(status("cast/ep1.mp3", &hash), 200);
    assert_eq!(status("cast/ep3.mp3", &hash), 200, "a link within the folder leads to a file that is served");
    let others =
        ["drafts/ep1.mp3", "private/ep1.mp3", ".hidden/ep1.mp3", "@Recycle/ep1.mp3", "cast/ep2.mp3", "cast/ep4.pdf"];
    for recording in others {
        assert_eq!(status(recording, &hash), 404, "{recording}");
    }
    let zeros = "0".repeat(32);
    for name in [
        &format!("{zeros}.png"),
        &format!("{zeros}.chapters.json"),
        "cover.png",
        "..%2f..%2fep1.mp3",
        &hash.replace(".png", ".jpg"),
    ] {
        assert_eq!(status("cast/ep1.mp3", name), 404, "{name}");
    }
    assert_eq!(status(&format!("cast/ep1.mp3/{hash}"), &hash), 404);
}
