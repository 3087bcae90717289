//! HTTP over a socket, as far as a table test of `respond` cannot see it.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use crate::site::{Answer, BASE_URL, Site};
use crate::waiting::PATIENCE;

/// A site with one article, all documents compressed.
fn site_with_one() -> Site {
    let mut site = Site::started();
    site.write("a.md", format!("# First\n\n{}", "Some text of an article. ".repeat(100)));
    site.wait_for(&["First"]);
    site.wait_until_compressed(&["/rss.xml", "/atom.xml", "/feed.json", "/", "/articles/a", "/style.css"], "gzip");
    site
}

#[test]
fn a_request_needs_exactly_one_host_field() {
    let site = site_with_one();
    let ask = |head: &str| site.send(format!("{head}Connection: close\r\n\r\n").as_bytes()).status;
    assert_eq!(ask("GET /rss.xml HTTP/1.1\r\n"), 400, "standards 75");
    assert_eq!(ask("GET /rss.xml HTTP/1.1\r\nHost: a\r\nHost: b\r\n"), 400);
    assert_eq!(ask("GET /rss.xml HTTP/1.1\r\nHost: a\r\n"), 200);
    assert_eq!(ask("GET /rss.xml HTTP/1.0\r\n"), 200, "standards 81");
    assert_eq!(ask("GET http://a/rss.xml HTTP/1.1\r\nHost: a\r\n"), 200, "standards 77: absolute form");
    assert_eq!(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n"), 204);
}

#[test]
fn every_200_has_the_required_header_fields() {
    let site = site_with_one();
    let types = [
        ("/rss.xml", "application/rss+xml; charset=utf-8"),
        ("/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/feed.json", "application/feed+json"),
        ("/", "text/html; charset=utf-8"),
        ("/articles/a", "text/html; charset=utf-8"),
        ("/feed/", "application/rss+xml; charset=utf-8"),
        ("/atom", "application/atom+xml; charset=utf-8"),
    ];
    for (path, media_type) in types {
        for coding in ["identity", "gzip"] {
            let answer = site.ask("GET", path, &[("Accept-Encoding", coding)]);
            assert_eq!((answer.status, answer.field("content-type")), (200, media_type), "{path}: standards 107");
            assert_eq!(answer.field("content-encoding") == "gzip", coding == "gzip", "{path}");
            assert_eq!(answer.field("content-length"), answer.body.len().to_string(), "standards 79");
            for name in ["etag", "last-modified", "date", "vary", "cache-control"] {
                assert!(!answer.field(name).is_empty(), "{path}: {name}");
            }
            let tag = answer.field("etag").to_owned();
            let again = site.ask("GET", path, &[("Accept-Encoding", coding), ("If-None-Match", &tag)]);
            assert_eq!((again.status, again.field("etag"), again.body.len()), (304, tag.as_str(), 0), "{path}");
            let modified = httpdate::parse_http_date(answer.field("last-modified")).unwrap();
            let date = httpdate::parse_http_date(answer.field("date")).unwrap();
            assert!(modified <= date, "{path}: standards 87");
        }
    }
}

#[test]
fn an_article_outside_the_feed_still_has_its_page() {
    let mut site = Site::configured("[feed]\nentries = 1");
    site.start();
    site.write("old.md", "---\ndate: 2020-01-01\n---\n# Old\n\nText.");
    site.write("new.md", "---\ndate: 2024-01-01\n---\n# New\n\nText.");
    site.wait_until("both are there", |site| site.get("/articles/old").status == 200 && site.titles() == ["New"]);
    let page = site.get("/articles/old");
    let again = site.ask("GET", "/articles/old", &[("If-None-Match", page.field("etag"))]);
    assert_eq!(again.status, 304);
    let gzip = site.ask("HEAD", "/articles/old", &[("Accept-Encoding", "gzip, identity;q=0")]);
    assert_eq!((gzip.status, gzip.field("content-encoding")), (200, "gzip"));
}

#[test]
fn a_client_that_sends_no_request_is_disconnected() {
    let mut site = Site::configured("[http]\nheader_timeout = '1s'");
    site.start();
    for start in ["", "GET /rss.xml HTTP/1.1\r\nHost: a\r\nX: "] {
        let mut stream = TcpStream::connect(site.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(start.as_bytes()).unwrap();
        let end = stream.read_to_end(&mut Vec::new());
        let still_open = end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(!still_open, "{start:?}: standards 82");
    }
}

#[test]
fn an_oversized_header_is_refused() {
    let site = site_with_one();
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(site.send(request.as_bytes()).status, 431, "standards 82");
}

#[test]
fn responses_in_flight_are_finished_when_the_daemon_stops() {
    const LENGTH: usize = 6 << 20;
    let mut site = Site::configured("[feed]\nmax_bytes = '64 MiB'");
    // More than the buffers of two sockets hold, so that most of it is still to be sent when the stop begins: the sender has up to
    // 4 MiB, the receiver next to nothing.
    site.write("a.md", format!("# Story\n\n{}", "long ".repeat(LENGTH / 5)));
    site.start();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&site.address().into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /rss.xml HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    let address = site.address();
    let reader = std::thread::spawn(move || {
        // Once no connection is accepted, the stop has begun.
        while TcpStream::connect(address).is_ok() {
            std::thread::yield_now();
        }
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    site.stop();
    let rest = reader.join().unwrap();
    assert!(rest.len() > LENGTH && rest.ends_with(b"</rss>\n"), "{} bytes: standards 83", rest.len());
}

#[test]
fn a_half_closed_client_still_gets_its_response() {
    let site = site_with_one();
    for path in ["/rss.xml", "/articles/never"] {
        let mut stream = TcpStream::connect(site.address()).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer:?}");
    }
}

#[test]
fn a_base_address_with_a_path_works_with_and_without_it() {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/news'");
    site.start();
    site.write("a.md", "# First\n\n[link](b) and ![](c.png)");
    site.wait_for(&["First"]);
    for path in ["/news/rss.xml", "/rss.xml", "/news/", "/", "/news/articles/a", "/articles/a"] {
        assert_eq!(site.get(path).status, 200, "{path}");
    }
    let entry = site.entry("First");
    assert_eq!(entry["url"], "https://gazette.example/news/articles/a");
    let html = entry["content_html"].as_str().unwrap();
    assert!(html.contains("\"https://gazette.example/news/articles/b\""), "standards 22: {html}");
    assert!(site.get("/").text().contains("href=\"/news/style.css?"));
}

/// The right ETag of some bytes: their hash, and the mark of their content coding.
fn tag_of(bytes: &[u8], mark: &str) -> String {
    format!("\"{}{mark}\"", &blake3::hash(bytes).to_hex()[..32])
}

#[test]
fn an_etag_identifies_the_bytes_of_its_response() {
    let mut site = site_with_one();
    let address = site.address();
    let is_over = AtomicBool::new(false);
    let ask = |path: &str, coding: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&answer)
    };
    let look = |path: &str| {
        let mut seen = BTreeSet::new();
        let begun = Instant::now();
        // The time limit ends the loop when the test fails elsewhere.
        while !is_over.load(Ordering::Relaxed) && begun.elapsed() < PATIENCE {
            for coding in ["identity", "gzip", "br"] {
                let answer = ask(path, coding);
                let mark = match answer.field("content-encoding") {
                    "gzip" => "-gz",
                    "br" => "-br",
                    _ => "",
                };
                let tag = answer.field("etag").to_owned();
                assert_eq!(tag, tag_of(&answer.body, mark), "{path} by {coding}: standards 84, 98");
                seen.insert(tag);
            }
        }
        seen.len()
    };
    // Several readers while versions follow one another.
    std::thread::scope(|scope| {
        let readers = ["/rss.xml", "/feed.json", "/", "/articles/a"].map(|path| scope.spawn(move || look(path)));
        for number in 1..=3 {
            site.write("a.md", format!("# Version {number}\n\n{}", "Some text of an article. ".repeat(100)));
            site.wait_for(&[&format!("Version {number}")]);
        }
        is_over.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 3, "more than the codings of one version");
        }
    });
}

#[test]
fn a_feed_in_a_browser_has_a_style_sheet_and_no_script() {
    let site = site_with_one();
    for path in ["/rss.xml", "/atom.xml"] {
        let text = site.get(path).text();
        let (_, instruction) = text.split_once("<?xml-stylesheet ").unwrap();
        let (instruction, _) = instruction.split_once("?>").unwrap();
        assert!(instruction.contains("type=\"text/css\""), "{path}: {instruction}: standards 109");
        assert!(!text.contains("xsl") && !text.contains("<script"), "{path}: standards 109");
        let href = instruction.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        let style = href.strip_prefix(BASE_URL).map(|rest| format!("/{rest}")).unwrap_or(href.to_owned());
        assert_eq!(site.get(&style).field("content-type"), "text/css; charset=utf-8", "{href}");
    }
    // A browser that opens one gets a page about it, with validators of its own.
    let browser: &[_] =
        &[("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html,*/*;q=0.8")];
    for path in ["/rss.xml", "/feed", "/atom.xml", "/feed.json", "/tags/none/rss.xml"] {
        let (feed, page) = (site.get(path), site.ask("GET", path, browser));
        assert_eq!(page.status, feed.status, "{path}");
        if feed.status == 404 {
            continue;
        }
        assert_eq!(page.field("content-type"), "text/html; charset=utf-8", "{path}");
        assert_ne!(page.field("etag"), feed.field("etag"), "{path}");
        let head = site.ask("HEAD", path, browser);
        assert_eq!((head.status, head.field("etag")), (200, page.field("etag")), "{path}");
        let known = [browser, &[("If-None-Match", page.field("etag"))]].concat();
        assert_eq!(site.ask("GET", path, &known).status, 304, "{path}");
        let of_feed = [browser, &[("If-None-Match", feed.field("etag"))]].concat();
        assert_eq!(site.ask("GET", path, &of_feed).status, 200, "{path}");
        let raw = site.ask("GET", &format!("{path}?raw"), browser);
        assert_eq!((raw.text(), raw.field("content-type")), (feed.text(), "text/plain; charset=utf-8"), "{path}");
        for dest in ["empty", "iframe"] {
            let other = site.ask("GET", path, &[("Sec-Fetch-Dest", dest), ("Accept", "text/html,*/*;q=0.8")]);
            assert_eq!((other.text(), other.field("etag")), (feed.text(), feed.field("etag")), "{path} for {dest}");
        }
    }
}

#[test]
fn too_frequent_clients_get_retry_after() {
    let mut site = Site::configured("[http]\nleast_interval = '30m'");
    site.write("a.md", "# A\n\nText.\n");
    site.start();
    // A proxy on this machine forwards requests of a client.
    let ask = |path: &str, fields: &[(&str, &str)]| {
        let client: &[_] = &[("X-Forwarded-For", "192.0.2.7")];
        site.ask("GET", path, &[client, fields].concat())
    };
    let all: Vec<Answer> = (0..10).map(|_| ask("/rss.xml", &[])).collect();
    assert_eq!(all[0].status, 200, "standards 127: several at once are no abuse");
    let last = &all[9];
    assert_eq!((last.status, last.field("cache-control")), (429, "no-store"), "standards 126");
    assert!((1..=1800).contains(&last.field("retry-after").parse::<u32>().unwrap()));
    let etag = all[0].field("etag");
    assert_eq!(ask("/rss.xml", &[("If-None-Match", etag)]).status, 304, "standards 126: never for a 304");
    assert_eq!(ask("/atom.xml", &[]).status, 200);
    assert!((0..10).all(|_| ask("/favicon.ico", &[]).status == 200), "only feeds are limited");
    let other = site.ask("GET", "/rss.xml", &[("X-Forwarded-For", "192.0.2.8")]);
    assert_eq!(other.status, 200, "standards 126: first requests are never refused");
    assert!((0..10).all(|_| site.get("/rss.xml").status == 200), "a proxy that does not say whom it asks for is many");
}
