//! Requests and what they are answered, without a socket. Each test says by number which rules of `tests/standards.md` it
//! checks.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use chrono::DateTime;
use hyper::Request;

use super::*;
use crate::model::moment::{Moment, Version as SiteVersion};
use crate::render::feed::{self, atom, json, opml, rss};
use crate::render::page;
use crate::system::threads::WorkPool;

const NOW: u64 = 1_700_000_100;
/// When all documents were first served, a hundred seconds before.
const SERVED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
/// One second before.
const EARLIER: &str = "Tue, 14 Nov 2023 22:13:19 GMT";

/// Documents that are served compressed, and their kinds.
const COMPRESSIBLE: [(&str, DocumentKind); 8] = [
    ("/rss.xml", DocumentKind::Feed(&rss::FORMAT)),
    ("/atom.xml", DocumentKind::Feed(&atom::FORMAT)),
    ("/feed.json", DocumentKind::Feed(&json::FORMAT)),
    ("/feeds.opml", DocumentKind::Other(opml::MEDIA_TYPE)),
    ("/articles/long", DocumentKind::Page),
    ("/", DocumentKind::Page),
    ("/style.css", DocumentKind::Other(page::STYLE_TYPE)),
    ("/archive/1/atom.xml", DocumentKind::Feed(&atom::FORMAT)),
];
/// Documents that are too small to be compressed.
const PLAIN: [(&str, DocumentKind); 3] = [
    ("/articles/a", DocumentKind::Page),
    ("/icon.svg", DocumentKind::Other("image/svg+xml")),
    ("/robots.txt", DocumentKind::Other("text/plain; charset=utf-8")),
];

fn documents() -> impl Iterator<Item = &'static str> {
    COMPRESSIBLE.into_iter().chain(PLAIN).map(|(path, _)| path)
}

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let date = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let document = |path: &'static str, kind, text: String| {
        let document = Document::new(kind, text, date).lasting(path.starts_with("/archive/"));
        let document = document.linked((path == "/").then(|| "</rss.xml>; rel=alternate".to_owned()));
        for coding in ContentCoding::COMPRESSED {
            document.compress(coding);
        }
        (path[1..].to_owned(), Arc::new(document))
    };
    let compressed = COMPRESSIBLE.map(|(path, kind)| document(path, kind, format!("<p>{path}</p>").repeat(200)));
    let plain = PLAIN.map(|(path, kind)| document(path, kind, format!("<p>{path}</p>")));
    let documents: HashMap<_, _> = compressed.into_iter().chain(plain).collect();
    let moment = Moment::of(SiteVersion::at(date));
    Snapshot::new(moment, feed::FORMATS, documents, "<p>missing</p>".into(), "<p>gone</p>".into())
});

fn style(base_url: &str) -> ResponsePolicy {
    ResponsePolicy::new(base_url, Duration::from_mins(5))
}

/// A request in one line: `GET /path`, and its header fields. A field without a value is not sent.
fn request(line: &str, fields: &[(&str, &str)]) -> Parts {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "example.org");
    }
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn answer(parts: &Parts, target: Option<&Target>) -> Response<ResponseBody> {
    let style = style("https://example.org/news/");
    let target = target.cloned().unwrap_or_else(|| route(parts, &SNAPSHOT, &style));
    respond(parts, &target, &SNAPSHOT, &style, SystemTime::UNIX_EPOCH + Duration::from_secs(NOW))
}

fn ask(line: &str, fields: &[(&str, &str)]) -> Response<ResponseBody> {
    answer(&request(line, fields), None)
}

/// Every kind of thing that can be asked for, and how a GET of it is answered.
fn targets() -> Vec<(&'static str, Target, u16)> {
    let document = |path: &str| Target::Document(SNAPSHOT.document(path).unwrap().clone());
    let address = || "https://example.org/news/atom.xml".to_owned();
    vec![
        ("a feed", document("rss.xml"), 200),
        ("an archive", document("archive/1/atom.xml"), 200),
        ("a small page", document("articles/a"), 200),
        ("what moved", Target::Moved(address()), 301),
        ("what is elsewhere", Target::Temporary(address()), 307),
        ("what is gone", Target::Gone, 410),
        ("nothing", Target::Missing, 404),
        ("a file that is not there", Target::Media("a.png".into()), 404),
        ("what cannot be had", Target::Unavailable, 503),
    ]
}

fn status(line: &str, fields: &[(&str, &str)]) -> u16 {
    ask(line, fields).status().as_u16()
}

fn field(response: &Response<ResponseBody>, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn length(response: Response<ResponseBody>) -> u64 {
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

/// `Cache-Control` has plain numbers, each directive once, and none that feeds must not have.
fn directives(response: &Response<ResponseBody>) -> HashMap<String, u64> {
    let value = field(response, "cache-control");
    let mut found = HashMap::new();
    for directive in value.split(", ").filter(|directive| !directive.is_empty()) {
        let (name, seconds) = directive.split_once('=').unwrap_or((directive, ""));
        assert!(["max-age", "stale-while-revalidate", "stale-if-error"].contains(&name), "{value}");
        assert!(seconds.bytes().all(|byte| byte.is_ascii_digit()), "{value}");
        assert_eq!(found.insert(name.to_owned(), seconds.parse().unwrap()), None, "{value}: {name} twice");
    }
    found
}

/// Seconds that an answer may be kept.
fn max_age(response: &Response<ResponseBody>) -> Option<u64> {
    directives(response).get("max-age").copied()
}

/// Everything but the two fields that only one of GET and HEAD may need.
fn same_fields(response: &Response<ResponseBody>) -> hyper::HeaderMap {
    let mut fields = response.headers().clone();
    fields.remove("content-length");
    fields
}

#[test]
fn methods_that_only_read() {
    for (what, target, status) in targets() {
        for method in ["GET", "HEAD"] {
            let response = answer(&request(&format!("{method} /x"), &[]), Some(&target));
            assert_eq!(response.status().as_u16(), status, "{method} of {what}: standards 76");
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
            let response = answer(&request(&format!("{method} /x"), &[]), Some(&target));
            let found = (response.status().as_u16(), field(&response, "allow"), field(&response, "connection"));
            assert_eq!(found, (405, ALLOW.to_owned(), "close".to_owned()), "{method} of {what}: standards 77");
        }
        for method in ["FOO", "get", "Get", "PROPFIND", "PURGE", "QUERY", "LINK", "M-SEARCH"] {
            let response = answer(&request(&format!("{method} /x"), &[]), Some(&target));
            let found = (response.status().as_u16(), field(&response, "connection"));
            assert_eq!(found, (501, "close".to_owned()), "{method} of {what}: standards 77");
        }
        let response = answer(&request("OPTIONS /x", &[]), Some(&target));
        assert_eq!(
            (response.status().as_u16(), field(&response, "allow").as_str()),
            (204, ALLOW),
            "{what}: standards 77"
        );
    }
}

#[test]
fn what_a_request_may_name() {
    for (line, expected) in [
        ("OPTIONS *", 204),
        ("GET *", 400),
        ("HEAD *", 400),
        ("POST *", 400),
        ("GET example.org:80", 400),
        ("OPTIONS example.org:80", 400),
        ("GET http://example.org/rss.xml", 200),
        ("GET HTTP://EXAMPLE.ORG/rss.xml", 200),
        ("GET https://example.org/news/rss.xml", 200),
        ("GET http://other.example:8080/rss.xml", 200),
        ("GET http://example.org", 200),
        ("GET http://example.org?x", 200),
        ("HEAD http://example.org/rss.xml", 200),
        ("OPTIONS http://example.org", 204),
        ("GET http://example.org/none", 404),
        ("POST http://example.org/rss.xml", 405),
    ] {
        assert_eq!(status(line, &[]), expected, "{line}: standards 77");
    }
}

#[test]
fn a_head_says_what_a_get_says() {
    let fields: [&[(&str, &str)]; 9] = [
        &[],
        &[("accept-encoding", "gzip")],
        &[("accept-encoding", "br")],
        &[("accept-encoding", "zstd")],
        &[("accept-encoding", "identity;q=0, gzip")],
        &[("accept-encoding", "*;q=0")],
        &[("if-none-match", "*")],
        &[("if-modified-since", SERVED)],
        &[("if-match", "\"x\"")],
    ];
    let paths = documents().chain(["/nothing", "/articles/a/", "/articles/b", "/media/x.png", "/news"]);
    for path in paths {
        for fields in fields {
            let (get, head) = (ask(&format!("GET {path}"), fields), ask(&format!("HEAD {path}"), fields));
            assert_eq!(get.status(), head.status(), "{path} {fields:?}: standards 76");
            assert_eq!(same_fields(&get), same_fields(&head), "{path} {fields:?}: standards 76");
            let (said, is_304) = (field(&head, "content-length"), get.status() == 304);
            assert_eq!(said, if is_304 { String::new() } else { length(get).to_string() }, "{path}: standards 76, 79");
            assert_eq!(length(head), 0, "{path}: standards 76");
        }
    }
    for (what, target, _) in targets() {
        let [get, head] = ["GET /x", "HEAD /x"].map(|line| answer(&request(line, &[]), Some(&target)));
        assert_eq!(same_fields(&get), same_fields(&head), "{what}: standards 76");
        assert_eq!(field(&head, "content-length"), length(get).to_string(), "{what}: standards 76");
    }
}

#[test]
fn nothing_is_told_to_have_a_body_that_has_none() {
    for line in ["OPTIONS /rss.xml", "OPTIONS *"] {
        let response = ask(line, &[]);
        assert_eq!((field(&response, "content-length"), length(response)), (String::new(), 0), "{line}: standards 79");
    }
    for path in documents() {
        let response = ask(&format!("GET {path}"), &[("if-none-match", "*")]);
        assert_eq!(
            (response.status().as_u16(), field(&response, "content-length").as_str()),
            (304, ""),
            "standards 79"
        );
        assert_eq!(length(response), 0, "{path}: standards 79");
    }
}

#[test]
fn exactly_one_host() {
    assert_eq!(status("GET /", &[("host", "")]), 400, "none: standards 75");
    assert_eq!(status("GET http://example.org/", &[("host", "")]), 400, "the address is no excuse: standards 75");
    for second in ["a", "b"] {
        assert_eq!(status("GET /", &[("host", "a"), ("host", second)]), 400, "two: standards 75");
    }
    for host in [
        "a/b",
        "a:b",
        "a:80:90",
        "a:99999",
        "a:-1",
        "a:+80",
        "a: 80",
        ":80",
        ":",
        "\"x\"",
        "a\\b",
        "<script>",
        "a{}",
        "a|b",
        "a^b",
        "a`b",
        "[::1",
        "[zz]",
        "[]",
        "[::1]x",
        "[::1]:x",
        "[::1]:80:80",
        "::1",
        "%zz",
        "a@b",
        "user:pass@a",
        "a b",
        "a\tb",
        "a?b",
        "a#b",
        "http://a",
        "a, b",
    ] {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "FOO"] {
            assert_eq!(status(&format!("{method} /"), &[("host", host)]), 400, "{host}: standards 75");
        }
    }
    for host in [
        "a",
        "A.Example",
        "example.org:8080",
        "example.org.",
        "[::1]:8080",
        "[::1]",
        "[2001:db8::1]",
        "127.0.0.1",
        "a:",
        "a:0",
        "a_b.example",
        "xn--bcher-kva.example",
        "a-b.example",
        "localhost",
        "[::1]:",
        "a,b",
    ] {
        assert_eq!(status("GET /rss.xml", &[("host", host)]), 200, "{host}: standards 75");
    }
    let mut parts = request("GET /rss.xml", &[("host", "")]);
    parts.version = hyper::Version::HTTP_10;
    assert_eq!(answer(&parts, None).status().as_u16(), 200, "HTTP/1.0 needs none: standards 81");
    parts.headers.insert("host", HeaderValue::from_static("a/b"));
    assert_eq!(answer(&parts, None).status().as_u16(), 400, "but what it says must be right: standards 75");
}

#[test]
fn a_query_changes_nothing() {
    let queries = ["?", "?x", "?x=1&y=2", "?utm_source=x&utm_medium=rss", "?/../", "?a=%00", "?rss.xml", "??", "?*"];
    for path in documents() {
        for query in queries {
            for accept in ["", "gzip"] {
                let fields = [("accept-encoding", accept)];
                let (plain, asked) =
                    (ask(&format!("GET {path}"), &fields), ask(&format!("GET {path}{query}"), &fields));
                assert_eq!(plain.headers(), asked.headers(), "{path}{query}: standards 80");
                assert_eq!(
                    (plain.status(), length(plain)),
                    (asked.status(), length(asked)),
                    "{path}{query}: standards 80"
                );
            }
        }
    }
    assert_eq!(status("GET /none?rss.xml", &[]), 404, "standards 80");
}

#[test]
fn simple_clients_are_served() {
    let plain = ask("GET /rss.xml", &[]);
    for fields in [
        ("accept", "*/*"),
        ("accept", "text/html"),
        ("accept", "application/json;q=0.1"),
        ("accept", "*/*;q=0"),
        ("accept", "application/rss+xml;q=0"),
        ("accept", ";;q,,"),
        ("user-agent", "curl/7.88.1"),
        ("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)"),
        ("user-agent", "\u{1F980}"),
        ("accept-language", "de, en;q=0.5"),
        ("accept-charset", "iso-8859-1"),
        ("cookie", "session=1"),
        ("authorization", "Basic eDp5"),
        ("referer", "not an address"),
        ("cache-control", "no-cache"),
        ("pragma", "no-cache"),
        ("expect", "something"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
        ("a-im", "feed"),
        ("te", "trailers"),
        ("upgrade-insecure-requests", "1"),
        ("save-data", "on"),
    ] {
        let response = ask("GET /rss.xml", &[fields]);
        assert_eq!(response.status().as_u16(), 200, "{fields:?}: standards 81, 106");
        assert_eq!(response.headers(), plain.headers(), "{fields:?}: standards 80, 106");
    }
}

#[test]
fn no_answer_remembers_or_ages() {
    let lines = ["GET", "HEAD", "POST", "OPTIONS", "FOO"];
    for (what, target, _) in targets() {
        for method in lines {
            let response = answer(&request(&format!("{method} /x"), &[("cookie", "a=b")]), Some(&target));
            for name in ["set-cookie", "age", "expires", "pragma", "server", "x-powered-by", "via"] {
                let rules = "standards 80, 111, 114";
                assert_eq!(field(&response, name), "", "{method} of {what}: {name}: {rules}");
            }
            assert_eq!(field(&response, "x-content-type-options"), "nosniff", "{method} of {what}: standards 108");
        }
    }
}

/// Values of `Accept-Encoding`, and the coding that each gets where all are to be had.
const CHOICES: [(&str, &str); 59] = [
    ("", ""),
    ("gzip", "gzip"),
    ("br", "br"),
    ("zstd", "zstd"),
    ("br, gzip", "br"),
    ("gzip, br", "br"),
    ("gzip,br,zstd", "br"),
    ("gzip, deflate", "gzip"),
    ("gzip, deflate, br, zstd", "br"),
    ("gzip, zstd", "zstd"),
    ("gzip, br;q=0.9", "gzip"),
    ("gzip;q=0.9, br;q=0.8, zstd;q=0.7", "gzip"),
    ("gzip;q=0.8, br;q=0.8", "br"),
    ("gzip;q=1.000, br;q=0.999", "gzip"),
    ("gzip;q=0.001", "gzip"),
    ("gzip;q=0.01, zstd;q=0.1", "zstd"),
    ("br;q=0, gzip;q=0.1", "gzip"),
    ("br;q=0.0, gzip;q=0.1", "gzip"),
    ("br;q=0.000, gzip;q=0.1", "gzip"),
    ("deflate", ""),
    ("compress, deflate, dcb, dcz", ""),
    ("gzip;q=0", ""),
    ("gzip;q=0, br;q=0, zstd;q=0", ""),
    ("*", "br"),
    ("*;q=0.1", "br"),
    ("br;q=0, *;q=0.5", "zstd"),
    ("br;q=0, zstd;q=0, *", "gzip"),
    ("gzip, *;q=0.5", "gzip"),
    ("gzip;q=0.5, *", "br"),
    ("gzip;q=0.5, br;q=0.4, zstd;q=0.3, *", "gzip"),
    ("identity", ""),
    ("identity, gzip;q=0.5", ""),
    ("gzip;q=0.5, identity;q=0.8", ""),
    ("gzip;q=0.8, identity;q=0.5", "gzip"),
    ("gzip, identity", "gzip"),
    ("GZIP ; q=1.0", "gzip"),
    ("Gzip;Q=1", "gzip"),
    ("gZiP\t;\tq=0.5 , BR;q=0.4", "gzip"),
    (" , gzip , ", "gzip"),
    ("*;q=0, identity;q=1", ""),
    ("*;q=0, gzip", "gzip"),
    ("x-gzip", "gzip"),
    ("X-GZIP;q=0.3", "gzip"),
    ("gzip;q=x", ""),
    ("gzip;q=", ""),
    ("gzip;q", ""),
    ("gzip;q=2", ""),
    ("gzip;q=-1", ""),
    ("gzip;q=nan", ""),
    ("gzip;q=inf", ""),
    ("gzip;q=0,5", ""),
    ("gzipped", ""),
    ("gz", ""),
    ("brotli", ""),
    ("\"gzip\"", ""),
    ("gzip br", ""),
    (";q=1", ""),
    (",", ""),
    ("gzip;;", "gzip"),
];

#[test]
fn the_coding_that_is_liked_best() {
    for (accept, coding) in CHOICES {
        for (path, _) in COMPRESSIBLE {
            let response = ask(&format!("GET {path}"), &[("accept-encoding", accept)]);
            let found = (response.status().as_u16(), field(&response, "content-encoding"));
            assert_eq!(found, (200, coding.to_owned()), "{path} by {accept:?}: standards 101, 102, 103, 104");
        }
        for (path, _) in PLAIN.into_iter().filter(|_| !accept.contains("*;q=0,")) {
            let response = ask(&format!("GET {path}"), &[("accept-encoding", accept)]);
            let found = (response.status().as_u16(), field(&response, "content-encoding"));
            assert_eq!(found, (200, String::new()), "{path} by {accept:?}: standards 105");
        }
    }
    let twice = ask("GET /rss.xml", &[("accept-encoding", "gzip;q=0.5"), ("accept-encoding", "br;q=0.1")]);
    assert_eq!(field(&twice, "content-encoding"), "gzip", "two fields are one list: standards 101");
}

#[test]
fn what_no_coding_can_please() {
    for accept in [
        "identity;q=0",
        "identity;q=0.000",
        "*;q=0",
        "*;q=0.0",
        "deflate, *;q=0",
        "deflate, identity;q=0",
        "gzip;q=0, identity;q=0",
        "gzip;q=0, *;q=0",
    ] {
        for path in documents() {
            let response = ask(&format!("GET {path}"), &[("accept-encoding", accept)]);
            let found = (response.status().as_u16(), field(&response, "content-type"));
            assert_eq!(found, (406, "text/plain; charset=utf-8".to_owned()), "{path} by {accept}: standards 103");
            assert!(field(&response, "vary").contains("Accept-Encoding"), "{path} by {accept}: standards 100");
            assert!((1..200).contains(&length(response)), "{path} by {accept}: standards 103");
        }
        assert_eq!(status("GET /none", &[("accept-encoding", accept)]), 404, "{accept}: standards 96");
        assert_eq!(status("GET /articles/a/", &[("accept-encoding", accept)]), 301, "{accept}: standards 96");
    }
    for (coding, path) in [("gzip", "/rss.xml"), ("br", "/feed.json"), ("zstd", "/style.css")] {
        let accept = format!("{coding}, identity;q=0");
        assert_eq!(status(&format!("GET {path}"), &[("accept-encoding", &accept)]), 200, "standards 103");
        assert_eq!(
            status("GET /articles/a", &[("accept-encoding", &accept)]),
            406,
            "too small to be compressed: standards 103"
        );
    }
}

#[test]
fn what_varies_says_so() {
    for (path, kind) in COMPRESSIBLE.into_iter().chain(PLAIN) {
        let is_feed = matches!(kind, DocumentKind::Feed(_));
        let expected = if is_feed { "Accept-Encoding, Sec-Fetch-Dest" } else { "Accept-Encoding" };
        for accept in ["", "gzip", "br", "zstd", "identity", "deflate"] {
            for (name, value) in
                [("x", ""), ("if-none-match", "*"), ("if-modified-since", SERVED), ("range", "bytes=0-1")]
            {
                for method in ["GET", "HEAD"] {
                    let response = ask(&format!("{method} {path}"), &[("accept-encoding", accept), (name, value)]);
                    assert!([200, 304].contains(&response.status().as_u16()), "{path}");
                    assert_eq!(
                        field(&response, "vary"),
                        expected,
                        "{method} {path} by {accept:?}, {name}: standards 100"
                    );
                }
            }
        }
    }
}

/// A format that the program does not have is served like its own.
#[test]
fn a_new_format_is_served_by_its_row() {
    use crate::render::feed::twtxt;
    let date = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let document = Document::new(DocumentKind::Feed(&twtxt::FORMAT), "a line\n", date);
    let documents = HashMap::from([("twtxt.txt".to_owned(), Arc::new(document))]);
    let moment = Moment::of(SiteVersion::at(date));
    let snapshot = Snapshot::new(moment, twtxt::FORMATS, documents, "".into(), "".into());
    let policy = style("https://example.org/");
    let parts = request("GET /tw.txt", &[]);
    let target = route(&parts, &snapshot, &policy);
    let response = respond(&parts, &target, &snapshot, &policy, SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
    assert_eq!(field(&response, "content-type"), "text/plain; charset=utf-8");
    assert_eq!(field(&response, "content-security-policy"), FEED_POLICY);
    assert_eq!(field(&response, "vary"), "Accept-Encoding, Sec-Fetch-Dest");
    let parts = request("GET /tags/a/twtxt.txt", &[]);
    assert!(matches!(route(&parts, &snapshot, &policy), Target::Lookup(Route::View(..), _)));
}

#[test]
fn documents_have_their_types() {
    for (path, kind) in COMPRESSIBLE.into_iter().chain(PLAIN) {
        for accept in ["", "gzip", "br"] {
            let response = ask(&format!("GET {path}"), &[("accept-encoding", accept)]);
            assert_eq!(field(&response, "content-type"), kind.media_type(), "{path} by {accept:?}: standards 107");
        }
    }
}

#[test]
fn each_coding_has_a_tag_of_its_own() {
    let mut seen = BTreeSet::new();
    for (path, _) in COMPRESSIBLE {
        for coding in ["", "gzip", "br", "zstd"] {
            let tag = field(&ask(&format!("GET {path}"), &[("accept-encoding", coding)]), "etag");
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap();
            assert!(inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{tag}: standards 84, 86");
            assert!(seen.insert(tag.clone()), "{path} by {coding:?}: {tag}: standards 85");
            let again = field(&ask(&format!("HEAD {path}"), &[("accept-encoding", coding)]), "etag");
            assert_eq!(again, tag, "standards 86");
        }
        assert_eq!(field(&ask(&format!("GET {path}"), &[]), "last-modified"), SERVED, "{path}: standards 84");
    }
}

/// What may become of a tag until it comes back.
fn mangled(tag: &str) -> Vec<String> {
    let core = tag.trim_matches('"');
    let mut found = vec![
        tag.to_owned(),
        format!("W/{tag}"),
        core.to_owned(),
        format!("W/{core}"),
        format!("\"x\", {tag}"),
        format!("{tag}, \"x\""),
        format!("\"x\",{tag},\"y\""),
        format!("\"x\" ,\t{tag} , "),
        format!(", {tag}"),
        format!("W/\"x\", W/{tag}"),
        format!("\"a b\", {tag}"),
        format!("\"a,b\", {tag}"),
        format!("\"\", {tag}"),
        format!("\"{core}"),
        format!("{core}\""),
    ];
    for mark in ["-gzip", "-br", "-zstd", "-deflate", ";gzip", "--gzip"] {
        found.extend([
            format!("\"{core}{mark}\""),
            format!("W/\"{core}{mark}\""),
            format!("{tag}{mark}"),
            format!("{core}{mark}"),
            format!("\"x\", \"{core}{mark}\""),
        ]);
    }
    found
}

#[test]
fn a_known_tag_saves_the_body() {
    for (path, _) in COMPRESSIBLE {
        for coding in ["", "gzip", "br", "zstd"] {
            let whole = ask(&format!("GET {path}"), &[("accept-encoding", coding)]);
            let tag = field(&whole, "etag");
            for known in mangled(&tag).into_iter().chain(["*".to_owned()]) {
                for method in ["GET", "HEAD"] {
                    let fields = [("accept-encoding", coding), ("if-none-match", known.as_str())];
                    let response = ask(&format!("{method} {path}"), &fields);
                    assert_eq!(response.status().as_u16(), 304, "{method} {path}: {known}: standards 90, 94");
                    assert_eq!(field(&response, "etag"), tag, "{path} by {coding:?}: {known}: standards 97");
                }
            }
        }
    }
}

#[test]
fn an_unknown_tag_saves_nothing() {
    let tag = field(&ask("GET /rss.xml", &[]), "etag");
    let core = tag.trim_matches('"').to_owned();
    let gzip = field(&ask("GET /rss.xml", &[("accept-encoding", "gzip")]), "etag");
    for unknown in [
        "\"x\"".to_owned(),
        "x".into(),
        "\"x\", \"y\"".into(),
        "W/\"x\"".into(),
        "\"\"".into(),
        "\"".into(),
        ",".into(),
        "W/".into(),
        "-gzip".into(),
        "\"*\"".into(),
        "\"x\", *".into(),
        "*, \"x\"".into(),
        "\"x, *, y\"".into(),
        "**".into(),
        tag.to_uppercase(),
        format!("\"{}\"", &core[..31]),
        format!("\"{core}0\""),
        format!("\"0{core}\""),
        format!("\"{core}-x\""),
        format!("\"{core}-gzip-x\""),
        format!("\"-gzip{core}\""),
        // A client that does not accept gzip may not keep its gzip variant.
        gzip.clone(),
        format!("W/{gzip}"),
        // The identity bytes in another server's coding are not our variant in that coding.
        format!("\"{core}-gz\""),
    ] {
        let response = ask("GET /rss.xml", &[("if-none-match", &unknown)]);
        assert_eq!(response.status().as_u16(), 200, "{unknown}: standards 90");
        assert_eq!(field(&response, "etag"), tag, "{unknown}: standards 84");
    }
    // A client with the identity variant may keep it, whatever else it accepts.
    for accept in ["gzip", "br, gzip", "*", "identity", "deflate"] {
        let both = ask("GET /rss.xml", &[("accept-encoding", accept), ("if-none-match", &tag)]);
        assert_eq!((both.status().as_u16(), field(&both, "etag")), (304, tag.clone()), "{accept}: standards 97");
    }
    let other = ask("GET /rss.xml", &[("accept-encoding", "br, gzip"), ("if-none-match", &gzip)]);
    assert_eq!((other.status().as_u16(), field(&other, "etag")), (304, gzip.clone()), "standards 97");
    let two = [("if-none-match", "\"x\""), ("if-none-match", tag.as_str())];
    assert_eq!(status("GET /rss.xml", &two), 304, "two fields are one list: standards 90");
}

#[test]
fn dates_of_clients() {
    for (date, expected) in [
        (SERVED, 304),
        ("Tuesday, 14-Nov-23 22:13:20 GMT", 304),
        ("Tue Nov 14 22:13:20 2023", 304),
        ("Tue, 14 Nov 2023 22:13:21 GMT", 304),
        ("Tue, 14 Nov 2023 22:15:00 GMT", 304),
        (EARLIER, 200),
        ("Tuesday, 14-Nov-23 22:13:19 GMT", 200),
        ("Tue Nov 14 22:13:19 2023", 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("Mon, 13 Nov 2023 23:59:59 GMT", 200),
        ("yesterday", 200),
        ("0", 200),
        ("1700000000", 200),
        ("2023-11-14T22:13:20Z", 200),
        ("Tue, 14 Nov 2023 22:13:20", 200),
        ("Tue, 14 Nov 2023 22:13:20 +0000", 200),
        ("Tue, 14 Nov 2023 23:13:20 CET", 200),
        ("Tue, 32 Nov 2023 22:13:20 GMT", 200),
        ("Tue, 14 Nov 2023 25:13:20 GMT", 200),
        ("Tue, 14 Nov 2023", 200),
        ("\"Tue, 14 Nov 2023 22:13:20 GMT\"", 200),
    ] {
        for path in documents() {
            for method in ["GET", "HEAD"] {
                let found = status(&format!("{method} {path}"), &[("if-modified-since", date)]);
                assert_eq!(found, expected, "{method} {path} since {date}: standards 92");
            }
        }
    }
    for later in ["Tue, 14 Nov 2023 22:15:01 GMT", "Wed, 15 Nov 2023 22:13:20 GMT", "Fri, 01 Jan 2038 00:00:00 GMT"] {
        assert_eq!(status("GET /rss.xml", &[("if-modified-since", later)]), 200, "{later} is after now: standards 93");
    }
    let twice = [("if-modified-since", SERVED), ("if-modified-since", SERVED)];
    assert_eq!(status("GET /rss.xml", &twice), 200, "standards 92");
}

#[test]
fn preconditions_have_an_order() {
    let tag = field(&ask("GET /rss.xml", &[]), "etag");
    let (tag, weak) = (tag.as_str(), format!("W/{tag}"));
    let listed = format!("\"x\", {tag}");
    let in_quotes = "\"x, *, y\"";
    let (matches, none, unmodified, since) = ("if-match", "if-none-match", "if-unmodified-since", "if-modified-since");
    let cases: &[(&[(&str, &str)], u16)] = &[
        (&[(matches, tag)], 200),
        (&[(matches, "*")], 200),
        (&[(matches, &listed)], 200),
        (&[(matches, "\"x\"")], 412),
        (&[(matches, &weak)], 412),
        (&[(matches, in_quotes)], 412),
        (&[(matches, "\"x\", \"y\"")], 412),
        (&[(unmodified, SERVED)], 200),
        (&[(unmodified, "Tue, 14 Nov 2023 22:13:21 GMT")], 200),
        (&[(unmodified, EARLIER)], 412),
        (&[(unmodified, "yesterday")], 200),
        (&[(unmodified, EARLIER), (unmodified, EARLIER)], 200),
        // If-Match comes first, and instead of If-Unmodified-Since.
        (&[(matches, tag), (unmodified, EARLIER)], 200),
        (&[(matches, "\"x\""), (unmodified, SERVED)], 412),
        // Both come before If-None-Match and If-Modified-Since.
        (&[(matches, "\"x\""), (none, "*")], 412),
        (&[(matches, "\"x\""), (since, SERVED)], 412),
        (&[(unmodified, EARLIER), (none, tag)], 412),
        (&[(unmodified, EARLIER), (since, SERVED)], 412),
        (&[(matches, tag), (none, tag)], 304),
        (&[(matches, "*"), (none, "*")], 304),
        (&[(matches, tag), (since, SERVED)], 304),
        (&[(unmodified, SERVED), (none, tag)], 304),
        (&[(unmodified, SERVED), (since, SERVED)], 304),
        (&[(unmodified, SERVED), (none, "\"x\"")], 200),
    ];
    for (fields, expected) in cases {
        for method in ["GET", "HEAD"] {
            assert_eq!(status(&format!("{method} /rss.xml"), fields), *expected, "{method} {fields:?}: standards 95");
        }
    }
    for (known, date, expected) in
        [("\"x\"", SERVED, 200), (tag, EARLIER, 304), ("*", EARLIER, 304), (tag, "yesterday", 304), (",", SERVED, 200)]
    {
        let fields = [(none, known), (since, date)];
        assert_eq!(status("GET /rss.xml", &fields), expected, "{fields:?}: the tag counts alone: standards 91");
    }
}

#[test]
fn preconditions_count_only_where_there_is_something() {
    let conditions = [
        ("if-none-match", "*"),
        ("if-match", "\"x\""),
        ("if-modified-since", SERVED),
        ("if-unmodified-since", EARLIER),
    ];
    for condition in conditions {
        for (what, target, status) in targets().into_iter().filter(|(_, _, status)| *status != 200) {
            for method in ["GET", "HEAD"] {
                let response = answer(&request(&format!("{method} /x"), &[condition]), Some(&target));
                assert_eq!(response.status().as_u16(), status, "{method} of {what}, {condition:?}: standards 96");
                assert_eq!(field(&response, "etag"), "", "{what}: standards 96");
            }
        }
        for (line, expected) in
            [("POST /rss.xml", 405), ("FOO /rss.xml", 501), ("OPTIONS /rss.xml", 204), ("GET *", 400)]
        {
            assert_eq!(status(line, &[condition]), expected, "{line}, {condition:?}: standards 96");
        }
    }
}

#[test]
fn a_304_repeats_what_the_200_says_to_caches() {
    let repeated = [
        "etag",
        "vary",
        "cache-control",
        "last-modified",
        "x-content-type-options",
        "access-control-allow-origin",
        "access-control-expose-headers",
    ];
    for path in documents() {
        for coding in ["", "gzip", "br", "zstd"] {
            let whole = ask(&format!("GET {path}"), &[("accept-encoding", coding)]);
            let tag = field(&whole, "etag");
            for condition in [("if-none-match", tag.as_str()), ("if-none-match", "*"), ("if-modified-since", SERVED)] {
                let known = ask(&format!("GET {path}"), &[("accept-encoding", coding), condition]);
                assert_eq!(known.status().as_u16(), 304, "{path} {condition:?}");
                for name in repeated {
                    let said = field(&whole, name);
                    assert!(!said.is_empty(), "{path}: {name}");
                    assert_eq!(field(&known, name), said, "{path} by {coding:?}: {name}: standards 97, 110");
                }
                let names: BTreeSet<&str> = known.headers().keys().map(HeaderName::as_str).collect();
                assert_eq!(names, BTreeSet::from(repeated), "{path}: nothing about a body: standards 97");
            }
        }
    }
}

#[test]
fn caches_are_told_how_long() {
    for path in documents() {
        let seconds = if path.starts_with("/archive/") { 86_400 } else { 300 };
        let rules = "standards 110, 112";
        for accept in ["", "gzip"] {
            let response = ask(&format!("GET {path}"), &[("accept-encoding", accept)]);
            assert_eq!(max_age(&response), Some(seconds), "{path}: {rules}, and for archives standards 116");
        }
    }
    for (what, target, status) in targets() {
        let response = answer(&request("GET /x", &[]), Some(&target));
        if status == 503 {
            assert_eq!(field(&response, "cache-control"), "no-store", "{what}: standards 115");
            assert_eq!(field(&response, "retry-after"), "60", "{what}: standards 115");
            continue;
        }
        let expected = match status {
            200 if what == "an archive" => 86_400,
            200 | 301 => 300,
            _ => 60,
        };
        assert_eq!(max_age(&response), Some(expected), "{what}: standards 115");
        for method in ["POST", "PUT", "DELETE", "FOO"] {
            let refused = answer(&request(&format!("{method} /x"), &[]), Some(&target));
            assert_eq!(max_age(&refused), Some(60), "{method} of {what}: standards 115");
        }
    }
}

#[test]
fn caches_may_serve_what_is_old_for_a_while() {
    for path in documents() {
        for condition in [("x", ""), ("if-none-match", "*")] {
            let told = directives(&ask(&format!("GET {path}"), &[condition]));
            let [fresh, asking, down] = ["max-age", "stale-while-revalidate", "stale-if-error"].map(|name| told[name]);
            assert!((1..=fresh).contains(&asking), "{path}: no longer than it was fresh: standards 113");
            assert!(down >= asking, "{path}: what is old is better than nothing: standards 113");
        }
    }
    // Of what is not there, nothing old is to be had.
    for (what, target, status) in targets().into_iter().filter(|(_, _, status)| [404, 410, 307].contains(status)) {
        let told = directives(&answer(&request("GET /x", &[]), Some(&target)));
        assert_eq!(told.len(), 1, "{what}, {status}: {told:?}: standards 113, 115");
    }
}

#[test]
fn addresses_of_redirects_are_absolute() {
    for (line, status, address) in [
        ("GET /news", 301, "https://example.org/news/"),
        ("HEAD /news?x", 301, "https://example.org/news/"),
        ("GET /articles/a/", 301, "https://example.org/news/articles/a"),
        ("GET /news/articles/a/", 301, "https://example.org/news/articles/a"),
        ("GET http://evil.example/articles/a/", 301, "https://example.org/news/articles/a"),
    ] {
        for host in ["example.org", "evil.example", "127.0.0.1:8080"] {
            let response = ask(line, &[("host", host), ("x-forwarded-host", "evil.example")]);
            let found = (response.status().as_u16(), field(&response, "location"));
            assert_eq!(found, (status, address.to_owned()), "{line}, {host}: standards 122");
        }
    }
    for (_, target, status) in targets().into_iter().filter(|(_, _, status)| [301, 307].contains(status)) {
        let response = answer(&request("GET /x", &[]), Some(&target));
        let found = (response.status().as_u16(), field(&response, "location"));
        assert_eq!(found, (status, "https://example.org/news/atom.xml".to_owned()), "standards 122, 123");
        assert!((1..100).contains(&length(response)), "a short text for clients that do not follow redirects");
    }
}

#[test]
fn nothing_runs_and_nothing_is_sniffed() {
    for (path, kind) in COMPRESSIBLE.into_iter().chain(PLAIN) {
        let response = ask(&format!("GET {path}"), &[]);
        let policy = field(&response, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{path}: {policy}: standards 108");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{path}: {policy}: standards 108");
        assert_eq!(policy.contains("sandbox"), kind != DocumentKind::Page, "{path}: {policy}: standards 108");
        assert_eq!(policy.contains("frame-ancestors 'none'"), kind == DocumentKind::Page, "{path}: {policy}");
        assert_eq!(field(&response, "x-content-type-options"), "nosniff", "{path}: standards 108");
        assert_eq!(!field(&response, "link").is_empty(), path == "/", "{path}: what a page links to");
    }
    for (what, target, _) in targets().into_iter().filter(|(_, _, status)| [404, 410].contains(status)) {
        let response = answer(&request("GET /x", &[]), Some(&target));
        assert_eq!(field(&response, "content-security-policy"), PAGE_POLICY, "{what}: standards 108");
        assert_eq!(field(&response, "content-type"), page::MEDIA_TYPE, "{what}");
    }
}

#[test]
fn readers_in_browsers_may_read() {
    for path in documents() {
        for fields in [[("origin", "https://reader.example")], [("if-none-match", "*")], [("origin", "null")]] {
            let response = ask(&format!("GET {path}"), &fields);
            assert_eq!(field(&response, "access-control-allow-origin"), "*", "{path}: standards 108");
            assert_eq!(field(&response, "access-control-allow-credentials"), "", "{path}: standards 108");
            let exposed = field(&response, "access-control-expose-headers");
            assert!(exposed.contains("ETag") && exposed.contains("Last-Modified"), "{path}: {exposed}: standards 108");
        }
    }
    for path in documents().chain(["/nothing", "/media/a.mp3", "/articles/a/"]) {
        let fields = [
            ("origin", "https://reader.example"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "if-none-match, range"),
        ];
        let preflight = ask(&format!("OPTIONS {path}"), &fields);
        assert_eq!(preflight.status().as_u16(), 204, "{path}: standards 108");
        assert_eq!(field(&preflight, "access-control-allow-origin"), "*", "{path}: standards 108");
        assert_eq!(field(&preflight, "access-control-allow-methods"), "GET, HEAD", "{path}: standards 108");
        let allowed = field(&preflight, "access-control-allow-headers").to_ascii_lowercase();
        for name in ["if-none-match", "if-modified-since", "range", "if-range"] {
            assert!(allowed.split(", ").any(|one| one == name), "{path}: {name}: standards 108");
        }
    }
}

#[test]
fn readers_in_browsers_are_told_what_failed() {
    for (what, target, _) in targets() {
        for method in ["GET", "HEAD", "POST", "FOO", "OPTIONS"] {
            for accept in ["gzip", "*;q=0"] {
                let parts = request(&format!("{method} /x"), &[("origin", "null"), ("accept-encoding", accept)]);
                let origin = field(&answer(&parts, Some(&target)), "access-control-allow-origin");
                assert_eq!(origin, "*", "{method} of {what}: standards 108");
            }
        }
    }
    for condition in [("if-match", "\"x\""), ("host", "a/b")] {
        assert_eq!(field(&ask("GET /rss.xml", &[condition]), "access-control-allow-origin"), "*", "standards 108");
    }
}

#[test]
fn documents_come_whole() {
    let since = [("x", ""), ("if-range", "\"x\""), ("if-range", SERVED)];
    for path in documents() {
        for range in ["bytes=0-1", "bytes=5-", "bytes=-5", "bytes=99999999-", "bytes=0-1,3-4", "items=0-1", "x"] {
            for (coding, since) in [("", since[0]), ("gzip", since[0]), ("br", since[1]), ("", since[2])] {
                let fields = [("accept-encoding", coding)];
                let whole = ask(&format!("GET {path}"), &fields);
                let asked = ask(&format!("GET {path}"), &[fields[0], ("range", range), since]);
                assert_eq!(asked.status().as_u16(), 200, "{path}, {range} of {coding:?}: standards 120");
                assert_eq!(asked.headers(), whole.headers(), "{path}, {range} of {coding:?}: standards 120");
                assert_eq!(length(asked), length(whole), "{path}, {range} of {coding:?}: standards 120");
            }
        }
    }
}

#[test]
fn a_browser_that_opens_a_feed_gets_a_page_and_everything_else_the_feed() {
    let policy = style("https://example.org/news/");
    let asks = |path: &str, dest: &str| {
        route(&request(&format!("GET {path}"), &[("sec-fetch-dest", dest)]), &SNAPSHOT, &policy)
    };
    let main = |format| Route::Main(Representation::FeedPage(format));
    for (path, expected) in [
        ("/rss.xml", main(&rss::FORMAT)),
        ("/news/rss.xml?utm_source=x", main(&rss::FORMAT)),
        ("/feed", main(&rss::FORMAT)),
        ("/atom.xml", main(&atom::FORMAT)),
        ("/feed.json", main(&json::FORMAT)),
        ("/tags/a/atom.xml", Route::at("tags/a/atom.xml", feed::FORMATS).unwrap().opened()),
    ] {
        let own = expected.path();
        let target = asks(path, "document");
        assert!(
            matches!(&target, Target::Lookup(route, at) if *route == expected && *at == own),
            "{path}: {target:?}: standards 109"
        );
        for dest in ["", "empty", "iframe", "image"] {
            let is_page = matches!(asks(path, dest), Target::Lookup(route, _) if route == expected);
            assert!(!is_page, "{path} for {dest:?}");
        }
    }
    assert!(matches!(asks("/articles/a", "document"), Target::Document(_)));
    // The source of a feed is a text that a browser shows; programs get the feed at that address, too.
    for (path, dest, media_type) in [
        ("/rss.xml?raw", "document", "text/plain; charset=utf-8"),
        ("/rss.xml?raw", "", rss::FORMAT.media_type),
        ("/feed.json?raw", "document", "text/plain; charset=utf-8"),
        ("/rss.xml", "empty", rss::FORMAT.media_type),
    ] {
        let response = ask(&format!("GET {path}"), &[("sec-fetch-dest", dest)]);
        assert_eq!(field(&response, "content-type"), media_type, "{path} for {dest:?}");
        let bare = path.trim_end_matches("?raw");
        assert_eq!(field(&response, "etag"), field(&ask(&format!("GET {bare}"), &[]), "etag"), "the bytes of {path}");
    }
}

#[test]
fn no_shared_cache_keeps_the_page_of_a_feed() {
    let html = "<p>page</p>".repeat(100);
    let page = Document::new(DocumentKind::Page, html, DateTime::from_timestamp(1_700_000_000, 0).unwrap());
    let target = Target::Document(Arc::new(page.at_feed(true)));
    for method in ["GET", "HEAD"] {
        let whole = answer(&request(&format!("{method} /rss.xml"), &[("sec-fetch-dest", "document")]), Some(&target));
        let etag = field(&whole, "etag");
        let fields = [("sec-fetch-dest", "document"), ("if-none-match", &*etag)];
        let unchanged = answer(&request(&format!("{method} /rss.xml"), &fields), Some(&target));
        assert_eq!((whole.status().as_u16(), unchanged.status().as_u16()), (200, 304));
        for response in [&whole, &unchanged] {
            assert_eq!(field(response, "vary"), "Accept-Encoding, Sec-Fetch-Dest");
            let cache = field(response, "cache-control");
            assert!(cache.starts_with("private, max-age=300, "), "a cache that ignores Vary must not keep it: {cache}");
        }
        assert_eq!(field(&whole, "content-type"), "text/html; charset=utf-8");
        assert_eq!(field(&whole, "content-security-policy"), PAGE_POLICY);
    }
    assert!(!field(&ask("GET /rss.xml", &[]), "cache-control").contains("private"));
}

/// Asks for a file that was written just now, some seconds later.
fn ask_file(name: &str, line: &str, seconds: u64, fields: &[(&str, &str)]) -> Response<ResponseBody> {
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
) -> Response<ResponseBody> {
    let files = media::MediaFiles::new(directory, &crate::config::Config::default().articles);
    let opened = files.open(std::path::Path::new(name)).unwrap().unwrap();
    let target = Target::File(Arc::new(FileSource::new(opened, WorkPool::start("test", 1))));
    let mut request = Request::builder().method(line).uri("/media/x").header("host", "example.org");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let style = style("https://example.org/");
    respond(&parts, &target, &SNAPSHOT, &style, SystemTime::now() + Duration::from_secs(seconds))
}

#[test]
fn addresses_of_files() {
    let style = style("https://example.org/news/");
    let routed = |path: &str| {
        let (parts, ()) = Request::builder().uri(path).body(()).unwrap().into_parts();
        match route(&parts, &SNAPSHOT, &style) {
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
fn parts_of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.mp3"), "0123456789").unwrap();
    let ask = |method: &str, fields: &[(&str, &str)]| ask_file_in(directory.path(), "a.mp3", method, 60, fields);
    let whole = ask("GET", &[]);
    assert_eq!(field(&whole, "accept-ranges"), "bytes", "standards 117");
    let (tag, date) = (field(&whole, "etag"), field(&whole, "last-modified"));
    for (range, status, content_range) in [
        ("bytes=0-0", 206, "bytes 0-0/10"),
        ("bytes=0-9", 206, "bytes 0-9/10"),
        ("bytes=0-", 206, "bytes 0-9/10"),
        ("bytes=3-5", 206, "bytes 3-5/10"),
        ("bytes=9-", 206, "bytes 9-9/10"),
        ("bytes=-1", 206, "bytes 9-9/10"),
        ("bytes=-10", 206, "bytes 0-9/10"),
        ("bytes=-99", 206, "bytes 0-9/10"),
        ("bytes=5-99", 206, "bytes 5-9/10"),
        ("bytes=10-", 416, "bytes */10"),
        ("bytes=10-10", 416, "bytes */10"),
        ("bytes=-0", 416, "bytes */10"),
        ("items=0-1", 200, ""),
        ("bytes=5-4", 200, ""),
        ("bytes=a-b", 200, ""),
        ("bytes", 200, ""),
        ("bytes=0-1,3-4", 200, ""),
        ("bytes=0-0,0-0,0-0,0-0", 200, ""),
    ] {
        for same in [("x", ""), ("if-range", tag.as_str()), ("if-range", date.as_str()), ("if-match", tag.as_str())] {
            let response = ask("GET", &[("range", range), same]);
            let found = (response.status().as_u16(), field(&response, "content-range"));
            assert_eq!(found, (status, content_range.to_owned()), "{range}, {same:?}: standards 117, 118, 119");
            if status == 206 {
                let [mut part, mut all] = [&response, &whole].map(|response| response.headers().clone());
                part.remove("content-range");
                assert_eq!(all.remove("content-range"), None);
                assert_eq!(part, all, "{range}: a part says what the whole says: standards 117");
            }
        }
        let weak = format!("W/{tag}");
        for other in ["\"x\"", "*", weak.as_str(), SERVED, "Fri, 01 Jan 2038 00:00:00 GMT", "yesterday"] {
            let response = ask("GET", &[("range", range), ("if-range", other)]);
            assert_eq!((response.status().as_u16(), length(response)), (200, 10), "{range} of {other}: standards 119");
        }
        for (condition, status) in [
            (("if-none-match", "*"), 304),
            (("if-none-match", tag.as_str()), 304),
            (("if-modified-since", date.as_str()), 304),
            (("if-match", "\"x\""), 412),
            (("if-unmodified-since", SERVED), 412),
        ] {
            let response = ask("GET", &[("range", range), condition]);
            assert_eq!(response.status().as_u16(), status, "{range}, {condition:?}: standards 99");
        }
        let head = ask("HEAD", &[("range", range)]);
        assert_eq!(
            (head.status().as_u16(), field(&head, "content-range").as_str()),
            (200, ""),
            "{range}: standards 120"
        );
    }
}

#[test]
fn files_are_told_as_documents_are() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.mp3"), "0123456789").unwrap();
    let ask = |method: &str, fields: &[(&str, &str)]| ask_file_in(directory.path(), "a.mp3", method, 60, fields);
    for accept in ["", "gzip", "br, zstd", "*"] {
        let [get, head] = ["GET", "HEAD"].map(|method| ask(method, &[("accept-encoding", accept)]));
        assert_eq!(same_fields(&get), same_fields(&head), "{accept:?}: standards 76");
        let found = (field(&get, "content-encoding"), field(&get, "vary"), length(get));
        assert_eq!(found, (String::new(), String::new(), 10), "{accept:?}: standards 121");
        assert_eq!(field(&head, "content-length"), "10", "standards 76");
    }
    let whole = ask("GET", &[]);
    assert_eq!(max_age(&whole), Some(300), "standards 110");
    for name in ["ETag", "Last-Modified", "Content-Range", "Accept-Ranges"] {
        assert!(field(&whole, "access-control-expose-headers").contains(name), "{name}: standards 108");
    }
    let (tag, date) = (field(&whole, "etag"), field(&whole, "last-modified"));
    for known in mangled(&tag).into_iter().chain(["*".to_owned()]) {
        let response = ask("GET", &[("if-none-match", &known)]);
        assert_eq!(response.status().as_u16(), 304, "{known}: standards 90, 94");
        for name in ["etag", "last-modified", "cache-control", "accept-ranges", "access-control-allow-origin"] {
            assert_eq!(field(&response, name), field(&whole, name), "{name}: standards 97");
        }
        assert_eq!((field(&response, "content-type"), length(response)), (String::new(), 0), "standards 97");
    }
    assert_eq!(ask("GET", &[("if-none-match", "\"x\""), ("if-modified-since", &date)]).status(), 200, "standards 91");
    let wrong = ask("GET", &[("range", "bytes=99-")]);
    assert_eq!(field(&wrong, "cache-control"), "no-store", "of a moment: standards 115");
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(ask(method, &[("range", "bytes=0-1")]).status(), 405, "standards 77, 120");
    }
}

#[test]
fn a_clock_that_was_set_back_tells_no_date_after_now() {
    let parts = request("GET /rss.xml", &[("if-modified-since", SERVED)]);
    let style = style("https://example.org/news/");
    let target = route(&parts, &SNAPSHOT, &style);
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let response = respond(&parts, &target, &SNAPSHOT, &style, past);
    assert_eq!((response.status().as_u16(), field(&response, "last-modified").as_str()), (200, ""), "standards 87");
    assert!(!field(&response, "etag").is_empty(), "standards 84");
}

#[test]
fn an_old_address_that_is_too_long_is_not_looked_up() {
    let longest = "a".repeat(MAX_OLD_ADDRESS - 1);
    assert_eq!(old_address(&longest, None), Some(Route::OldAddress(format!("/{longest}"))));
    assert_eq!(old_address(&longest, Some("p=1")), None);
    assert_eq!(old_address(&format!("{longest}a"), None), None);
    assert_eq!(old_address("a", Some("p=1")), Some(Route::OldAddress("/a?p=1".to_owned())));
}

#[test]
fn a_node_that_is_behind_never_answers_with_an_older_version() {
    let mut config = Config::default();
    config.replicas.log = Some("/srv/log".to_owned());
    let policy = ResponsePolicy::of(&config, "https://example.org/");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    // Not one of the other tests: the header fields of a document are made once.
    let date = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let feed = Document::new(DocumentKind::Feed(&atom::FORMAT), "<p>A feed.</p>".repeat(200), date);
    for coding in ContentCoding::COMPRESSED {
        feed.compress(coding);
    }
    let ask = |tag: &str, encoding: &str| {
        let request = Request::get("/atom.xml").header("Accept-Encoding", encoding);
        let request = if tag.is_empty() { request } else { request.header("If-None-Match", tag) };
        let request = request.body(()).unwrap().into_parts().0;
        document(&RequestFields::from(&request.headers), &feed, &policy, now, false).response
    };
    let etag = |response: &Response<ResponseBody>| response.headers()[header::ETAG].to_str().unwrap().to_owned();
    for encoding in ["identity", "gzip", "br"] {
        let whole = ask("", encoding);
        let own = etag(&whole);
        assert_eq!(whole.status(), StatusCode::OK);
        assert!(own.starts_with("\"6553f100-"), "the second of the last change: {own}");
        let unchanged = ask(&own, encoding);
        assert_eq!((unchanged.status(), etag(&unchanged)), (StatusCode::NOT_MODIFIED, own.clone()));
        let later = own.replace("6553f100-", "6553f101-").replace(&own[10..14], "0000");
        let unchanged = ask(&later, encoding);
        assert_eq!((unchanged.status(), etag(&unchanged)), (StatusCode::NOT_MODIFIED, later));
        assert!(!unchanged.headers().contains_key(header::LAST_MODIFIED), "it would be an older date");
        let earlier = own.replace("6553f100-", "6553f0ff-").replace(&own[10..14], "0000");
        assert_eq!(ask(&earlier, encoding).status(), StatusCode::OK);
    }
}
