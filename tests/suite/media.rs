//! Files beside articles over a socket: which are served, which are not, and ranges.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use gazetted::folder::media::TYPES;

use crate::site::{BASE_URL, Site};
use crate::tools::Program;
use crate::waiting::{PATIENCE, wait_until};

/// More than the buffers of two sockets hold.
const LARGE: u64 = 64 << 20;

fn site_with(files: &[(&str, &str)]) -> Site {
    let site = Site::started();
    for (name, text) in files {
        site.write(name, text);
    }
    site
}

/// Makes a sparse file.
fn sparse(path: &Path, size: u64) {
    File::create(path).unwrap().set_len(size).unwrap();
}

/// Requests a file, and returns the header of the response; the body is still to be read.
fn begin(address: &str, path: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    (stream, String::from_utf8(head).unwrap())
}

/// Number of bytes until the connection ends, with or without an error.
fn rest(mut stream: TcpStream) -> u64 {
    let mut buffer = vec![0; 1 << 20];
    let mut count = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        count += read as u64;
    }
    count
}

#[test]
fn files_beside_articles_are_served_unchanged() {
    let site = site_with(&[]);
    for (name, media_type) in [
        ("a.png", "image/png"),
        ("b.JPG", "image/jpeg"),
        ("deep/er/c.mp3", "audio/mpeg"),
        ("d.m4a", "audio/mp4"),
        ("e.mp4", "video/mp4"),
        ("f.pdf", "application/pdf"),
        ("g.svg", "image/svg+xml"),
        ("h.vtt", "text/vtt; charset=utf-8"),
    ] {
        site.write(name, format!("content of {name} ").repeat(100));
        let address = format!("/media/{name}");
        let answer = site.ask("GET", &address, &[("Accept-Encoding", "gzip, br")]);
        assert_eq!((answer.status, answer.field("content-type")), (200, media_type), "{name}: standards 121");
        assert_eq!(answer.text(), format!("content of {name} ").repeat(100));
        assert_eq!(answer.field("content-length"), answer.body.len().to_string(), "standards 79");
        assert_eq!((answer.field("content-encoding"), answer.field("vary")), ("", ""), "{name}: standards 121");
        assert_eq!(answer.field("accept-ranges"), "bytes", "standards 117");
        assert_eq!(answer.field("x-content-type-options"), "nosniff", "standards 108");
        assert_eq!(answer.field("access-control-allow-origin"), "*", "standards 108");
        assert!(answer.field("access-control-expose-headers").contains("Content-Range"));
        assert_eq!(answer.max_age(), Some(300), "standards 110");
        let head = site.ask("HEAD", &address, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0), "standards 76");
        for field in
            ["content-type", "content-length", "etag", "accept-ranges", "cache-control", "content-security-policy"]
        {
            assert_eq!(head.field(field), answer.field(field), "{name}: {field}: standards 76");
        }
        let again = site.ask("GET", &address, &[("If-None-Match", answer.field("etag"))]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{name}: standards 90");
        assert_eq!((again.field("etag"), again.field("content-type")), (answer.field("etag"), ""), "standards 97");
    }
    let refused = site.ask("POST", "/media/a.png", &[]);
    assert_eq!((refused.status, refused.field("allow")), (405, "GET, HEAD, OPTIONS"), "standards 77");
    assert!(site.ask("OPTIONS", "/media/a.png", &[]).field("access-control-allow-headers").contains("If-Range"));
    assert_eq!(site.ask("GET", "/media/a.png?x=1", &[]).field("etag"), site.get("/media/a.png").field("etag"));
}

#[test]
fn feeds_announce_the_type_with_which_a_file_is_served() {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/'");
    let endings: Vec<&str> = TYPES.iter().flat_map(|(endings, _)| endings.iter().copied()).collect();
    for ending in &endings {
        site.write(&format!("files/a.{ending}"), "content");
        let stated =
            format!("---\nenclosure: {{url: files/a.{ending}, type: application/x-stated}}\n---\n# A {ending}\n\nText");
        site.write(&format!("{ending}.md"), stated);
    }
    site.write("files/b.srt", "1");
    site.write("files/b.vtt", "WEBVTT");
    site.write("files/b.chapters.json", "{}");
    let documents = "transcripts: [b.srt, b.vtt, {url: b.srt, type: application/srt}]\nchapters: b.chapters.json";
    site.write("files/b.md", format!("---\naudio: a.mp3\n{documents}\n---\n# Episode\n\nText"));
    site.start();
    site.wait_until("all are published", |site| site.titles().len() > endings.len());
    let served = |site: &Site, address: &str| {
        let answer = site.ask("HEAD", &address[BASE_URL.len() - 1..], &[]);
        assert_eq!(answer.status, 200, "{address}");
        answer.field("content-type").split(';').next().unwrap().to_owned()
    };
    for ending in &endings {
        let attachment = &site.entry(&format!("A {ending}"))["attachments"][0];
        assert_eq!(attachment["mime_type"], served(&site, attachment["url"].as_str().unwrap()), "{attachment}");
    }
    let rss = site.get("/sections/files/rss.xml").text();
    for (element, count, media_type) in [
        ("podcast:transcript", 3, &["application/x-subrip", "text/vtt"][..]),
        ("podcast:chapters", 1, &["application/json+chapters"]),
    ] {
        let elements: Vec<&str> = rss.split(&format!("<{element} ")).skip(1).collect();
        assert_eq!(elements.len(), count, "{element}: {rss}");
        for element in elements {
            let value = |name: &str| element.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
            assert!(media_type.contains(&value("type")), "{element}");
            assert_eq!(value("type"), served(&site, value("url")), "{element}");
        }
    }
}

#[test]
fn names_are_decoded_once() {
    let site =
        site_with(&[("a b.png", "1"), ("100%.png", "2"), ("a%20b.png", "3"), ("café.png", "4"), ("a+b.png", "5")]);
    for (address, text) in
        [("a%20b.png", "1"), ("100%25.png", "2"), ("a%2520b.png", "3"), ("caf%C3%A9.png", "4"), ("a+b.png", "5")]
    {
        assert_eq!(site.get(&format!("/media/{address}")).text(), text, "{address}");
    }
    let name = std::ffi::OsStr::from_bytes(b"\xE9.png");
    // Some file systems hold names in UTF-8 only.
    if std::fs::write(site.root().join(name), "6").is_ok() {
        assert_eq!(site.get("/media/%E9.png").text(), "6");
    }
}

#[test]
fn a_base_address_with_a_path_works_with_and_without_it() {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/news'");
    site.start();
    site.write("a/b.png", "1");
    assert_eq!((site.get("/news/media/a/b.png").status, site.get("/media/a/b.png").status), (200, 200));
}

#[test]
fn nothing_else_is_served() {
    let mut site = Site::configured("[articles]\nexclude = ['private/**', '*.pdf']");
    site.start();
    std::fs::write(site.root().join("../outside.png"), "outside").unwrap();
    for name in [
        "a.md",
        "page.html",
        "key.pem",
        "private/a.png",
        "deep/a.pdf",
        ".hidden.png",
        ".git/a.png",
        "_drafts/a.png",
        "a.png~",
        "ok/a.png",
    ] {
        site.write(name, "# Not\n\nto be seen");
    }
    symlink("../outside.png", site.path("out.png")).unwrap();
    symlink("..", site.path("up")).unwrap();
    symlink(".git", site.path("git")).unwrap();
    symlink("a.md", site.path("source.png")).unwrap();
    symlink("private/a.png", site.path("public.png")).unwrap();
    let fifo = site.path("fifo.mp3");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    for address in [
        "/media",
        "/media/",
        "/media/ok",
        "/media/ok/",
        "/media/ok/a.png/",
        "/media//ok/a.png",
        "/media/ok//a.png",
        "/media/./ok/a.png",
        "/media/ok/../ok/a.png",
        "/media/../outside.png",
        "/media/%2e%2e/outside.png",
        "/media/%2E./outside.png",
        "/media/ok/%2e%2e/%2e%2e/outside.png",
        "/media/..%2foutside.png",
        "/media/ok%2Fa.png",
        "/media/%2Fetc/passwd",
        "/media/..%5coutside.png",
        "/media/ok%5ca.png",
        "/media/ok/a.png%00",
        "/media/ok/a.png%",
        "/media/%252e%252e/outside.png",
        "/media/out.png",
        "/media/up/outside.png",
        "/media/git/a.png",
        "/media/source.png",
        "/media/public.png",
        "/media/.hidden.png",
        "/media/.git/a.png",
        "/media/_drafts/a.png",
        "/media/private/a.png",
        "/media/deep/a.pdf",
        "/media/a.md",
        "/media/page.html",
        "/media/key.pem",
        "/media/a.png~",
        "/media/fifo.mp3",
        "/media/none.png",
        "/mediaok/a.png",
    ] {
        let answer = site.get(address);
        assert_eq!(answer.status, 404, "{address}: standards 121");
        assert!(!answer.text().contains("to be seen"), "{address}");
        assert_eq!(site.ask("GET", address, &[("If-None-Match", "*")]).status, 404, "{address}: standards 96");
    }
    assert_eq!(site.get("/media/ok/a.png").status, 200);
    symlink("ok/a.png", site.path("inside.png")).unwrap();
    assert_eq!(site.get("/media/inside.png").status, 200, "a link within the folder");
}

#[test]
fn a_missing_folder_serves_nothing_until_it_returns() {
    let site = site_with(&[("a.png", "1")]);
    let away = site.root().with_extension("away");
    std::fs::rename(site.root(), &away).unwrap();
    assert_eq!(site.get("/media/a.png").status, 404);
    std::fs::rename(&away, site.root()).unwrap();
    assert_eq!(site.get("/media/a.png").text(), "1");
}

#[test]
fn range_requests_get_parts_of_files() {
    let site = site_with(&[("a.mp3", "0123456789"), ("empty.mp3", "")]);
    let ask = |range: &str| site.ask("GET", "/media/a.mp3", &[("Range", range)]);
    let whole = site.get("/media/a.mp3");
    for (range, text, content_range) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
        ("bytes=-99", "0123456789", "bytes 0-9/10"),
        ("bytes=0-", "0123456789", "bytes 0-9/10"),
    ] {
        let answer = ask(range);
        assert_eq!((answer.status, answer.text().as_str()), (206, text), "{range}: standards 117");
        assert_eq!(answer.field("content-range"), content_range, "{range}: standards 117");
        assert_eq!(answer.field("content-length"), text.len().to_string(), "{range}: standards 117");
        for field in ["etag", "cache-control", "content-type", "accept-ranges", "access-control-allow-origin"] {
            assert_eq!(answer.field(field), whole.field(field), "{range}: {field}");
        }
    }
    for range in ["bytes=10-", "bytes=-0", "bytes=99-100"] {
        let answer = ask(range);
        assert_eq!((answer.status, answer.field("content-range")), (416, "bytes */10"), "{range}: standards 118");
    }
    for range in ["items=0-1", "bytes=4-2", "bytes=x", "bytes=0-1,4-5", "bytes=0-,0-,0-,0-"] {
        let answer = ask(range);
        assert_eq!((answer.status, answer.text().as_str()), (200, "0123456789"), "{range}: standards 118, 120");
        assert_eq!(answer.field("content-range"), "", "{range}");
    }
    let head = site.ask("HEAD", "/media/a.mp3", &[("Range", "bytes=2-4")]);
    assert_eq!((head.status, head.field("content-length")), (200, "10"), "standards 120");
    let empty = site.get("/media/empty.mp3");
    assert_eq!((empty.status, empty.field("content-length")), (200, "0"));
    let empty = site.ask("GET", "/media/empty.mp3", &[("Range", "bytes=0-")]);
    assert_eq!((empty.status, empty.field("content-range")), (416, "bytes */0"), "standards 118");
}

#[test]
fn a_range_of_a_replaced_file_is_not_served() {
    let site = site_with(&[("a.mp3", "0123456789")]);
    let tag = site.get("/media/a.mp3").field("etag").to_owned();
    let ask = |fields: &[(&str, &str)]| {
        let answer = site.ask("GET", "/media/a.mp3", &[&[("Range", "bytes=2-4")], fields].concat());
        (answer.status, answer.text())
    };
    let part = (206, "234".to_owned());
    assert_eq!(ask(&[("If-Range", &tag)]), part, "standards 119");
    assert_eq!(ask(&[("If-Match", &tag)]), part);
    let whole = (200, "0123456789".to_owned());
    for other in ["\"x\"", &format!("W/{tag}"), "Tue, 14 Nov 2023 22:13:20 GMT"] {
        assert_eq!(ask(&[("If-Range", other)]), whole, "{other}: standards 119");
    }
    assert_eq!(ask(&[("If-None-Match", &tag)]).0, 304, "standards 99");
    assert_eq!(ask(&[("If-Match", "\"x\"")]).0, 412, "standards 95");
    // Another file of the same length, with an older date, replaces it.
    site.write("b.mp3", "abcdefghij");
    OpenOptions::new().write(true).open(site.path("b.mp3")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    site.rename("b.mp3", "a.mp3");
    assert_ne!(site.get("/media/a.mp3").field("etag"), tag, "standards 84");
    assert_eq!(ask(&[("If-Range", &tag)]), (200, "abcdefghij".to_owned()), "standards 119");
    assert_eq!(ask(&[("If-Match", &tag)]).0, 412, "standards 95");
    assert_eq!(ask(&[("If-None-Match", &tag)]).0, 206, "standards 90");
}

#[test]
fn a_connection_stays_open_after_a_file() {
    let site = site_with(&[("a.mp3", "0123456789")]);
    let first = "GET /media/a.mp3 HTTP/1.1\r\nHost: a\r\nRange: bytes=2-4\r\n\r\n";
    let last = "GET /media/a.mp3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let both = site.send(format!("{first}{first}{last}").as_bytes()).text();
    // A validator may contain the same digits.
    assert_eq!((both.matches("HTTP/1.1 ").count(), both.matches("234HTTP/1.1 ").count()), (2, 2), "{both}");
    assert!(both.ends_with("0123456789"));
}

#[test]
fn a_file_larger_than_memory_is_streamed() {
    let directory = tempfile::Builder::new().prefix("gazetted-").tempdir().unwrap();
    let articles = directory.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut file = File::create(articles.join("a.mkv")).unwrap();
    file.seek(SeekFrom::Start((5 << 30) - 3)).unwrap();
    if let Err(error) = file.write_all(b"end") {
        return crate::tools::skip(&format!("a file system for large files ({error})"));
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET");
    command.arg("serve").arg(&articles).arg("--state").arg(directory.path().join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    let ask = |range: &str| {
        let mut stream = TcpStream::connect(&program.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("GET /media/a.mkv HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: {range}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let before = peak();
    let mut answer = String::new();
    ask("bytes=-3").read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 206 ") && answer.ends_with("\r\n\r\nend"), "{answer}: standards 117");
    assert!(answer.contains("bytes 5368709117-5368709119/5368709120"), "{answer}: standards 117");
    // Many clients that read nothing, and one that reads a lot.
    let idle: Vec<TcpStream> = (0..20).map(|_| ask("bytes=0-")).collect();
    let taken = rest(ask("bytes=0-268435455"));
    assert!((268_435_456..268_436_456).contains(&taken), "{taken}");
    let grown = peak() - before;
    assert!(grown < LARGE, "{grown} bytes more in memory");
    drop(idle);
}

/// Whether this process has a file open.
fn is_open(file: &Path) -> bool {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    descriptors.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == file))
}

#[test]
fn a_disconnected_client_ends_the_reading() {
    let site = site_with(&[]);
    let path = site.root().canonicalize().unwrap().join("a.mp4");
    sparse(&path, LARGE);
    let (mut stream, head) = begin(&site.address().to_string(), "/media/a.mp4");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut some = vec![0; 100_000];
    stream.read_exact(&mut some).unwrap();
    assert!(is_open(&path), "more is to come");
    drop(stream);
    wait_until("the file is closed", || !is_open(&path));
    assert_eq!(site.ask("GET", "/media/a.mp4", &[("Range", "bytes=0-9")]).body, [0; 10], "others are served");
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_connection() {
    let site = site_with(&[]);
    sparse(&site.path("a.mp4"), LARGE);
    let (stream, head) = begin(&site.address().to_string(), "/media/a.mp4");
    assert!(head.to_ascii_lowercase().contains(&format!("content-length: {LARGE}\r\n")), "{head}");
    OpenOptions::new().write(true).open(site.path("a.mp4")).unwrap().set_len(1000).unwrap();
    let taken = rest(stream);
    assert!(taken < LARGE, "{taken} bytes: nothing may stand in for what is gone");
    assert_eq!(site.get("/media/a.mp4").body.len(), 1000);
}

#[test]
fn a_file_that_grows_while_it_is_sent_is_sent_as_it_was() {
    let site = site_with(&[]);
    sparse(&site.path("a.mp4"), LARGE);
    let (stream, _) = begin(&site.address().to_string(), "/media/a.mp4");
    OpenOptions::new().append(true).open(site.path("a.mp4")).unwrap().write_all(&[1; 1000]).unwrap();
    assert_eq!(rest(stream), LARGE, "standards 79");
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_is_sent_to_its_end() {
    let site = site_with(&[]);
    sparse(&site.path("a.mp4"), LARGE);
    let (stream, _) = begin(&site.address().to_string(), "/media/a.mp4");
    site.write("b.mp4", "another");
    site.rename("b.mp4", "a.mp4");
    assert_eq!(site.get("/media/a.mp4").text(), "another");
    assert_eq!(rest(stream), LARGE, "standards 98");
}

#[test]
fn a_stalled_download_does_not_block_the_stop() {
    let mut site = Site::configured("[http]\nstop_timeout = '1s'");
    site.start();
    sparse(&site.path("a.mp4"), LARGE);
    let (stream, _) = begin(&site.address().to_string(), "/media/a.mp4");
    site.stop();
    assert!(rest(stream) < LARGE);
}
