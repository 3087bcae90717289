//! Requests and what they are answered, without a socket.

use std::collections::HashMap;

use chrono::DateTime;
use hyper::Request;

use super::*;

const NOW: u64 = 1_700_000_100;

fn snapshot() -> Snapshot {
    let date = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let document = |media_type, body: String| {
        let document = Document::new(media_type, body, date);
        for coding in Coding::CODED {
            document.compress(coding);
        }
        Arc::new(document)
    };
    let documents = HashMap::from([
        ("rss.xml".to_owned(), document("application/rss+xml; charset=utf-8", "<rss/>".repeat(500))),
        ("articles/a".to_owned(), document("text/html; charset=utf-8", "<p>a</p>".into())),
        (String::new(), document("text/html; charset=utf-8", "<p>front</p>".into())),
    ]);
    Snapshot::new(date, date, documents, "<p>missing</p>".into(), "<p>gone</p>".into())
}

/// A request in one line: `GET /path`, and its header fields.
fn ask(line: &str, fields: &[(&str, &str)]) -> Response<Body> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "example.org");
    }
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let style = Style::new("https://example.org/news/", Duration::from_mins(5));
    let snapshot = snapshot();
    let target = route(&parts, &snapshot, &style);
    respond(&parts, &target, &snapshot, &style, SystemTime::UNIX_EPOCH + Duration::from_secs(NOW))
}

fn status(line: &str, fields: &[(&str, &str)]) -> u16 {
    ask(line, fields).status().as_u16()
}

fn field(response: &Response<Body>, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn length(response: Response<Body>) -> u64 {
    use hyper::body::Body as _;
    response.into_body().size_hint().exact().unwrap()
}

#[test]
fn paths() {
    for path in [
        "/rss.xml",
        "/news/rss.xml",
        "/feed",
        "/feed/",
        "/rss/feed.xml",
        "/",
        "/news/",
        "/rss.xml?utm_source=x",
        "/articles/a",
        "http://example.org/rss.xml",
    ] {
        assert_eq!(status(&format!("GET {path}"), &[]), 200, "{path}");
    }
    for path in
        ["/nothing", "/articles/", "/articles/b", "/articles/../rss.xml", "/rss.xml/", "/articles/%2e%2e", "//rss.xml"]
    {
        assert_eq!(status(&format!("GET {path}"), &[]), 404, "{path}");
    }
    let base = ask("GET /news", &[]);
    assert_eq!((base.status().as_u16(), field(&base, "location").as_str()), (301, "https://example.org/news/"));
    let moved = ask("GET /articles/a/", &[]);
    assert_eq!(
        (moved.status().as_u16(), field(&moved, "location").as_str()),
        (301, "https://example.org/news/articles/a")
    );
}

#[test]
fn methods() {
    assert_eq!(status("HEAD /rss.xml", &[]), 200);
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
        let response = ask(&format!("{method} /rss.xml"), &[]);
        assert_eq!((response.status().as_u16(), field(&response, "allow").as_str()), (405, ALLOW), "standards 77");
    }
    assert_eq!(status("FOO /rss.xml", &[]), 501);
    assert_eq!(status("OPTIONS /rss.xml", &[]), 204);
    assert_eq!(status("OPTIONS *", &[]), 204);
    assert_eq!(status("GET *", &[]), 400);
    assert_eq!(status("GET example.org:80", &[]), 400, "authority form is for CONNECT");
    let preflight = ask("OPTIONS /rss.xml", &[]);
    assert!(field(&preflight, "access-control-allow-headers").contains("If-None-Match"), "standards 108");
}

#[test]
fn head_says_what_get_says() {
    for (path, fields) in [
        ("/rss.xml", vec![]),
        ("/rss.xml", vec![("accept-encoding", "gzip")]),
        ("/nothing", vec![]),
        ("/articles/a/", vec![]),
    ] {
        let (get, head) = (ask(&format!("GET {path}"), &fields), ask(&format!("HEAD {path}"), &fields));
        assert_eq!(get.status(), head.status());
        let mut expected = get.headers().clone();
        assert_eq!(field(&head, "content-length"), length(get).to_string(), "standards 76");
        expected.insert("content-length", head.headers()["content-length"].clone());
        assert_eq!(head.headers(), &expected);
        assert_eq!(length(head), 0);
    }
}

#[test]
fn exactly_one_host() {
    assert_eq!(status("GET /", &[("host", "")]), 400, "none: standards 75");
    assert_eq!(status("GET /", &[("host", "a"), ("host", "b")]), 400, "two");
    for host in [
        "a/b", "a:b", "a:80:90", "a:99999", ":80", "\"x\"", "a\\b", "<script>", "a{}", "[::1", "[zz]", "%zz", "a@b",
        "a b", "[::1]x",
    ] {
        assert_eq!(status("GET /", &[("host", host)]), 400, "{host}");
    }
    for host in ["a", "example.org:8080", "[::1]:8080", "[::1]", "127.0.0.1", "a:", "a_b.example"] {
        assert_eq!(status("GET /", &[("host", host)]), 200, "{host}");
    }
    let (mut parts, ()) = Request::builder().uri("/").body(()).unwrap().into_parts();
    parts.version = Version::HTTP_10;
    assert!(names_one_resource(&parts), "HTTP/1.0 needs none");
}

#[test]
fn codings() {
    for (accept, coding) in [
        ("", ""),
        ("gzip", "gzip"),
        ("br, gzip", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("gzip, br;q=0.9", "gzip"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("deflate", ""),
        ("gzip;q=0", ""),
        ("*", "br"),
        ("br;q=0, *;q=0.5", "zstd"),
        ("identity", ""),
        ("gzip;q=0.5, identity;q=0.8", ""),
        ("GZIP ; q=1.0", "gzip"),
        ("*;q=0, identity;q=1", ""),
        ("gzip;q=x", ""),
        ("x-gzip", "gzip"),
    ] {
        let response = ask("GET /rss.xml", &[("accept-encoding", accept)]);
        assert_eq!(
            (response.status().as_u16(), field(&response, "content-encoding").as_str()),
            (200, coding),
            "{accept}"
        );
        assert_eq!(field(&response, "vary"), "Accept-Encoding, Sec-Fetch-Dest", "standards 100");
    }
    for accept in ["identity;q=0", "*;q=0", "deflate, *;q=0", "gzip;q=0, identity;q=0"] {
        assert_eq!(status("GET /rss.xml", &[("accept-encoding", accept)]), 406, "{accept}: standards 103");
    }
    assert_eq!(status("GET /rss.xml", &[("accept-encoding", "gzip, identity;q=0")]), 200);
    assert_eq!(status("GET /articles/a", &[("accept-encoding", "gzip, identity;q=0")]), 406, "too small to be coded");
}

#[test]
fn a_browser_that_opens_a_feed_is_given_what_it_can_show() {
    let shown = "application/xml; charset=utf-8";
    for (path, dest, media_type) in [
        ("/rss.xml", "document", shown),
        ("/rss.xml", "empty", rss::MEDIA_TYPE),
        ("/rss.xml", "", rss::MEDIA_TYPE),
        ("/articles/a", "document", "text/html; charset=utf-8"),
    ] {
        let response = ask(&format!("GET {path}"), &[("sec-fetch-dest", dest)]);
        assert_eq!(field(&response, "content-type"), media_type, "{path} for {dest:?}");
    }
    let plain = ask("GET /articles/a", &[]);
    assert_eq!(field(&plain, "vary"), "Accept-Encoding", "only a feed has two types");
    let (one, other) = (ask("GET /rss.xml", &[]), ask("GET /rss.xml", &[("sec-fetch-dest", "document")]));
    assert_eq!(field(&one, "etag"), field(&other, "etag"), "the bytes are the same");
}

#[test]
fn entity_tags() {
    let plain = field(&ask("GET /rss.xml", &[]), "etag");
    let gzip = field(&ask("GET /rss.xml", &[("accept-encoding", "gzip")]), "etag");
    assert_ne!(plain, gzip, "standards 85");
    let core = plain.trim_matches('"').to_owned();
    let mangled = [
        plain.clone(),
        format!("W/{plain}"),
        format!("\"x\", {plain}"),
        "*".into(),
        core.clone(),
        format!("\"{core}-gzip\""),
        format!("\"{core};gzip\""),
        format!("{plain}-gzip"),
    ];
    for tag in mangled {
        let response = ask("GET /rss.xml", &[("if-none-match", &tag)]);
        assert_eq!(response.status().as_u16(), 304, "{tag}: standards 90, 94");
        assert_eq!(field(&response, "etag"), plain, "standards 97");
        for name in ["vary", "cache-control", "last-modified", "access-control-allow-origin"] {
            assert!(!field(&response, name).is_empty(), "{name}");
        }
        assert!(field(&response, "content-type").is_empty() && field(&response, "content-length").is_empty());
    }
    // Who has the plain bytes may go on using them, whatever else it could take; who cannot unpack gzip may not use them.
    let both = ask("GET /rss.xml", &[("accept-encoding", "gzip"), ("if-none-match", &plain)]);
    assert_eq!((both.status().as_u16(), field(&both, "etag")), (304, plain.clone()));
    let packed = ask("GET /rss.xml", &[("accept-encoding", "gzip"), ("if-none-match", &gzip)]);
    assert_eq!((packed.status().as_u16(), field(&packed, "etag")), (304, gzip.clone()));
    assert_eq!(status("GET /rss.xml", &[("if-none-match", &gzip)]), 200);
    assert_eq!(
        status(
            "GET /rss.xml",
            &[("accept-encoding", "gzip"), ("if-none-match", &format!("{}-gzip\"", gzip.trim_end_matches('"')))]
        ),
        304
    );
    for tag in ["\"x\"", "", "\"x\", \"y\"", "W/\"x\""] {
        assert_eq!(status("GET /rss.xml", &[("if-none-match", tag)]), 200, "{tag}");
    }
    assert_eq!(status("GET /nothing", &[("if-none-match", "*")]), 404, "standards 96");
    assert_eq!(status("GET /rss.xml", &[("if-match", "\"x\"")]), 412, "standards 95");
    assert_eq!(status("GET /rss.xml", &[("if-match", &plain)]), 200);
    assert_eq!(status("GET /rss.xml", &[("if-match", "*")]), 200);
    assert_eq!(status("GET /rss.xml", &[("if-match", &format!("W/{plain}"))]), 412, "If-Match compares strongly");
}

#[test]
fn dates() {
    let since = |date: &str| status("GET /rss.xml", &[("if-modified-since", date)]);
    assert_eq!(since("Tue, 14 Nov 2023 22:13:20 GMT"), 304);
    assert_eq!(since("Tuesday, 14-Nov-23 22:13:20 GMT"), 304, "standards 92: all three forms");
    assert_eq!(since("Tue Nov 14 22:13:20 2023"), 304);
    assert_eq!(since("Tue, 14 Nov 2023 22:13:21 GMT"), 304, "standards 92: not only the exact date");
    assert_eq!(since("Tue, 14 Nov 2023 22:13:19 GMT"), 200);
    assert_eq!(since("yesterday"), 200);
    assert_eq!(since("Tue, 14 Nov 2023 22:15:20 GMT"), 200, "standards 93: after now");
    let fields = [("if-none-match", "\"x\""), ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT")];
    assert_eq!(status("GET /rss.xml", &fields), 200, "standards 91: the tag wins");
    let twice = [
        ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ];
    assert_eq!(status("GET /rss.xml", &twice), 200);
    assert_eq!(status("GET /rss.xml", &[("if-unmodified-since", "Tue, 14 Nov 2023 22:13:19 GMT")]), 412);
    assert_eq!(status("GET /rss.xml", &[("if-unmodified-since", "Tue, 14 Nov 2023 22:13:20 GMT")]), 200);
}

/// Asks for a file that was written just now, some seconds later.
fn ask_file(name: &str, line: &str, seconds: u64, fields: &[(&str, &str)]) -> Response<Body> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name), "0123456789").unwrap();
    ask_file_in(directory.path(), name, line, seconds, fields)
}

fn ask_file_in(
    directory: &std::path::Path,
    name: &str,
    line: &str,
    seconds: u64,
    fields: &[(&str, &str)],
) -> Response<Body> {
    let files = media::Files::new(directory, &crate::config::Globs::default());
    let opened = files.open(std::path::Path::new(name)).unwrap().unwrap();
    let target = Target::File(Arc::new(Source::new(opened, Arc::new(tokio::sync::Semaphore::new(1)))));
    let mut request = Request::builder().method(line).uri("/media/x").header("host", "example.org");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let style = Style::new("https://example.org/", Duration::from_mins(5));
    respond(&parts, &target, &snapshot(), &style, SystemTime::now() + Duration::from_secs(seconds))
}

#[test]
fn addresses_of_files() {
    let style = Style::new("https://example.org/news/", Duration::from_mins(5));
    let routed = |path: &str| {
        let (parts, ()) = Request::builder().uri(path).body(()).unwrap().into_parts();
        match route(&parts, &snapshot(), &style) {
            Target::Media(path) => Some(path.to_str().unwrap().to_owned()),
            _ => None,
        }
    };
    assert_eq!(routed("/media/a%20b/c.png?x=/y").as_deref(), Some("a b/c.png"));
    assert_eq!(routed("/news/media/a.png").as_deref(), Some("a.png"));
    for path in ["/media", "/media/", "/media/a.md", "/media/../a.png", "/news/media/", "/a.png", "/xmedia/a.png"] {
        assert_eq!(routed(path), None, "{path}");
    }
}

#[test]
fn the_date_of_a_file_counts_once_its_second_is_over() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.png"), "0123456789").unwrap();
    let ask = |seconds, fields: &[(&str, &str)]| ask_file_in(directory.path(), "a.png", "GET", seconds, fields);
    let date = field(&ask(60, &[]), "last-modified");
    assert!(!date.is_empty(), "standards 84");
    let status = |seconds, name: &str, date: &str| ask(seconds, &[(name, date)]).status().as_u16();
    assert_eq!(status(60, "if-modified-since", &date), 304, "standards 92");
    assert_eq!(status(60, "if-unmodified-since", &date), 200, "standards 95");
    let before = "Tue, 14 Nov 2023 22:13:20 GMT";
    assert_eq!(status(60, "if-modified-since", before), 200);
    assert_eq!(status(60, "if-unmodified-since", before), 412);
    let part = |seconds| ask(seconds, &[("range", "bytes=1-2"), ("if-range", &date)]).status().as_u16();
    assert_eq!(part(60), 206, "standards 119");
    // As if asked in the second of the change, when another one may follow. SETTLED is two of them.
    let early = ask_file("b.png", "GET", 0, &[("if-modified-since", &date)]);
    assert_eq!((early.status().as_u16(), field(&early, "last-modified")), (200, String::new()));
    assert!(!field(&early, "etag").is_empty());
}

#[test]
fn files_that_could_run_something_may_not() {
    for (name, sandboxed) in [("a.svg", true), ("a.png", false), ("a.pdf", false), ("a.mp4", false), ("a.docx", false)]
    {
        let policy = field(&ask_file(name, "GET", 60, &[]), "content-security-policy");
        assert_eq!(policy.contains("sandbox") && policy.contains("default-src 'none'"), sandboxed, "{name}");
        assert_eq!(policy.contains("default-src"), sandboxed, "{name}: a player must be able to load it");
    }
}

#[test]
fn a_part_of_a_file_is_got_and_not_asked_after() {
    let head = ask_file("a.png", "HEAD", 60, &[("range", "bytes=1-2")]);
    assert_eq!((head.status().as_u16(), field(&head, "content-length").as_str()), (200, "10"), "standards 120");
    let post = ask_file("a.png", "POST", 60, &[("range", "bytes=1-2")]);
    assert_eq!(post.status().as_u16(), 405, "standards 77");
    let failed = ask_file("a.png", "GET", 60, &[("range", "bytes=1-2"), ("if-match", "\"x\"")]);
    assert_eq!(failed.status().as_u16(), 412, "standards 95, 99");
    let known = ask_file("a.png", "GET", 60, &[("range", "bytes=50-"), ("if-none-match", "*")]);
    assert_eq!(known.status().as_u16(), 304, "standards 99");
}

#[test]
fn every_answer_forbids_sniffing_and_says_how_long_it_keeps() {
    for (line, cache) in [
        ("GET /rss.xml", "max-age=300"),
        ("GET /", "max-age=300"),
        ("GET /x", "max-age=60"),
        ("POST /", "max-age=60"),
        ("GET /articles/a/", "max-age=300"),
    ] {
        let response = ask(line, &[]);
        assert_eq!(
            (field(&response, "cache-control").as_str(), field(&response, "x-content-type-options").as_str()),
            (cache, "nosniff"),
            "{line}"
        );
    }
}
