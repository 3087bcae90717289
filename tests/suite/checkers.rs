//! Programs that know HTTP: REDbot, which looks for mistakes, and curl as a client.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::site::Site;
use crate::tools;

/// Every kind of document with status 200.
const DOCUMENTS: [&str; 19] = [
    "/rss.xml",
    "/atom.xml",
    "/feed.json",
    "/feed",
    "/",
    "/articles/note-1",
    "/tags/harbour/",
    "/tags/harbour/rss.xml",
    "/tags/harbour/atom.xml",
    "/sections/notes/feed.json",
    "/authors/ada/",
    "/archive/1/",
    "/archive/1/atom.xml",
    "/archive/1/rss.xml",
    "/feeds.opml",
    "/style.css",
    "/robots.txt",
    "/favicon.ico",
    "/icon.svg",
];
/// Documents of the snapshot, which are served in all content codings.
const KEPT: [&str; 5] = ["/rss.xml", "/atom.xml", "/feed.json", "/", "/style.css"];
/// Files beside articles.
const PICTURE: &str = "/media/notes/a.png";
const RECORDING: &str = "/media/notes/a.mp3";

/// A site with every kind of document, all compressed, below an address that curl can resolve.
fn site() -> Site {
    let mut site = Site::configured(
        "[site]\nbase_url = 'http://gazette.example/'\n[feed]\nentries = 2\nwindow = '1h'\narchive_entries = 2",
    );
    let text = "Some text of an article. ".repeat(100);
    for day in 1..=6 {
        let head = format!("---\ndate: 2024-01-0{day}\ntags: [harbour]\nauthor: Ada\n---\n# Note {day}");
        site.write(&format!("notes/note-{day}.md"), format!("{head}\n\n{text}"));
    }
    site.write("away.md", format!("# Away\n\n{text}"));
    site.write("notes/a.png", [b"\x89PNG\r\n\x1a\n", &[0; 100][..]].concat());
    site.write("notes/a.mp3", format!("ID3{}", "0123456789".repeat(1_000)));
    site.start();
    site.wait_until("all are there", |site| site.get("/articles/away").status == 200);
    site.remove("away.md");
    site.wait_until("one is gone", |site| site.get("/articles/away").status == 410);
    site.wait_until_compressed(&KEPT, "zstd");
    site
}

/// REDbot's notes on some addresses: status, address, level, note and message.
fn notes(urls: &[String]) -> Vec<[String; 5]> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/notes.py");
    let printed = tools::run(Command::new("python3").arg(script).args(urls));
    let row = |line: &str| line.splitn(5, '\t').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    printed.lines().map(row).collect()
}

/// Whether a note is a known false alarm: REDbot does not know the types of recordings.
fn is_known(url: &str, note: &str) -> bool {
    note == "CONTENT_TYPE_MISMATCH" && url.ends_with(RECORDING)
}

#[test]
fn redbot_finds_no_fault() {
    if !tools::has_python("redbot") {
        return;
    }
    let site = site();
    let others = [
        (PICTURE, "200"),
        (RECORDING, "200"),
        ("/none", "404"),
        ("/articles/away", "410"),
        ("/articles/note-1/", "301"),
    ];
    let all: Vec<(&str, &str)> = DOCUMENTS.into_iter().map(|path| (path, "200")).chain(others).collect();
    let url = |path: &str| format!("http://{}{path}", site.address());
    let urls: Vec<String> = all.iter().map(|(path, _)| url(path)).collect();
    let notes = notes(&urls);
    for [status, url, level, note, says] in &notes {
        let is_complaint = ["WARN", "BAD"].contains(&level.as_str()) && !is_known(url, note);
        assert!(!is_complaint, "{url} ({status}): {level} {note}: {says}");
    }
    for (path, expected) in all {
        let of_it: Vec<_> = notes.iter().filter(|[_, noted, ..]| *noted == url(path)).collect();
        assert!(!of_it.is_empty() && of_it.iter().all(|[status, ..]| status == expected), "{path}: {of_it:?}");
        let has = |wanted: &str| of_it.iter().any(|[_, _, level, note, _]| level == "GOOD" && note == wanted);
        let mut wanted = vec!["DATE_CORRECT", "CL_CORRECT", "FRESHNESS_FRESH", "CONTENT_TYPE_OPTIONS"];
        if expected == "200" {
            wanted.extend(["INM_304", "IMS_304"]);
        }
        if path == RECORDING || path == PICTURE {
            wanted.push("RANGE_CORRECT");
        }
        if expected == "200"
            && site.ask("GET", path, &[("Accept-Encoding", "gzip")]).field("content-encoding") == "gzip"
        {
            wanted.push("CONNEG_GZIP_GOOD");
        }
        for wanted in wanted {
            assert!(has(wanted), "{path}: REDbot does not say {wanted}: {of_it:?}: standards 78, 79, 90, 92, 110, 117");
        }
    }
}

#[test]
fn redbot_detects_faults() {
    if !tools::has_python("redbot") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // A server with many mistakes. It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nETag: x\r\nLast-Modified: now\r\n\
                Cache-Control: max-age=x\r\nAge: 5\r\nContent-Type: text\r\nAccept-Ranges: bytes\r\n";
            let _ = stream.write_all(format!("{head}Connection: close\r\nContent-Length: 2\r\n\r\nhi").as_bytes());
        }
    });
    let complaints: Vec<_> =
        notes(&[url]).into_iter().filter(|[_, _, level, ..]| ["WARN", "BAD"].contains(&level.as_str())).collect();
    assert!(complaints.len() >= 4, "{complaints:?}");
}

/// Runs curl, and returns the status and the body, which it writes to a file in a folder.
fn curl(folder: &Path, arguments: &[&str]) -> (String, Vec<u8>) {
    let _ = std::fs::remove_file(folder.join("body"));
    let mut command = Command::new("curl");
    command
        .current_dir(folder)
        .args(["-q", "-sS", "--noproxy", "*", "-o", "body", "-w", "%{http_code}"])
        .args(arguments);
    let code = tools::run(&mut command);
    (code, std::fs::read(folder.join("body")).unwrap_or_default())
}

#[test]
fn curl_revalidates() {
    if !tools::has("curl") {
        return;
    }
    let site = site();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path();
    for path in DOCUMENTS.into_iter().chain([RECORDING]) {
        let url = format!("http://{}{path}", site.address());
        let plain = site.get(path).body;
        for coding in [&["--compressed"][..], &[]] {
            let tag = ["--etag-save", "tag", "--etag-compare", "tag", &url];
            std::fs::write(folder.join("tag"), "").unwrap();
            let first = curl(folder, &[coding, &tag].concat());
            assert_eq!(first, ("200".to_owned(), plain.clone()), "{path}: standards 84, 101");
            let again = curl(folder, &[coding, &tag].concat());
            assert_eq!(again, ("304".to_owned(), Vec::new()), "{path}: standards 90");
        }
        curl(folder, &["-R", &url]);
        std::fs::rename(folder.join("body"), folder.join("kept")).unwrap();
        assert_eq!(curl(folder, &["-z", "kept", &url]).0, "304", "{path}: standards 92");
        assert_eq!(curl(folder, &["-z", "1 Jan 2001", &url]), ("200".to_owned(), plain), "{path}: standards 92");
        assert_eq!(curl(folder, &["-z", "-1 Jan 2001", &url]).0, "412", "{path}: standards 95");
    }
}

#[test]
fn curl_reads_every_content_coding() {
    if !tools::has("curl") {
        return;
    }
    let version = tools::run(Command::new("curl").arg("-V"));
    let site = site();
    let directory = tempfile::tempdir().unwrap();
    for path in KEPT {
        let url = format!("http://{}{path}", site.address());
        let plain = site.get(path).body;
        for (coding, feature) in [("gzip", "libz"), ("br", "brotli"), ("zstd", "zstd")] {
            if !version.contains(feature) {
                tools::skip(&format!("a curl that reads {coding}"));
                continue;
            }
            let accept = format!("Accept-Encoding: {coding}");
            let only = ["--compressed", "-H", &accept, "-D", "head", &url];
            assert_eq!(curl(directory.path(), &only), ("200".to_owned(), plain.clone()), "{path}: standards 104");
            let head = std::fs::read_to_string(directory.path().join("head")).unwrap();
            assert!(head.contains(&format!("content-encoding: {coding}\r\n")), "{path}: {head}");
        }
    }
}

#[test]
fn curl_resumes_a_download() {
    if !tools::has("curl") {
        return;
    }
    let site = site();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path();
    let whole = site.get(RECORDING).body;
    let url = format!("http://{}{RECORDING}", site.address());
    for (range, expected) in
        [("0-0", &whole[..1]), ("5-14", &whole[5..15]), ("9990-", &whole[9_990..]), ("-3", &whole[10_000..])]
    {
        assert_eq!(curl(folder, &["-r", range, &url]), ("206".to_owned(), expected.to_vec()), "{range}: standards 117");
    }
    assert_eq!(curl(folder, &["-r", "10003-", &url]).0, "416", "standards 118");
    assert_eq!(curl(folder, &["-r", "0-1,4-5", &url]), ("200".to_owned(), whole.clone()), "standards 120");
    for there in [1, 5_000, 9_999] {
        let part = folder.join("part");
        std::fs::write(&part, &whole[..there]).unwrap();
        let code = tools::run(
            Command::new("curl").args(["-q", "-sS", "-w", "%{http_code}", "-C", "-", "-o"]).arg(&part).arg(&url),
        );
        assert_eq!((code.as_str(), std::fs::read(&part).unwrap()), ("206", whole.clone()), "{there}: standards 117");
    }
    assert_eq!(curl(folder, &["-I", &url]).0, "200", "standards 76");
}

#[test]
fn curl_follows_redirects_in_one_step() {
    if !tools::has("curl") {
        return;
    }
    let site = site();
    let directory = tempfile::tempdir().unwrap();
    let lead = format!("gazette.example:80:{}", site.address());
    for (from, to) in [
        ("/articles/note-1/", "/articles/note-1"),
        ("/tags/Harbour", "/tags/harbour/"),
        ("/tags/harbour", "/tags/harbour/"),
        ("/authors/Ada/", "/authors/ada/"),
    ] {
        let url = format!("http://gazette.example{from}");
        let follow = ["--connect-to", &lead, "-L", "-w", "%{http_code} %{num_redirects} %{url_effective}", &url];
        let expected = (format!("200 1 http://gazette.example{to}"), site.get(to).body);
        assert_eq!(curl(directory.path(), &follow), expected, "{from}: standards 122");
    }
    let gone = ["--connect-to", &lead, "-L", "http://gazette.example/articles/away"];
    assert_eq!(curl(directory.path(), &gone).0, "410", "standards 69");
}
