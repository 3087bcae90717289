//! Requests as bytes over a socket: the response to each, and whether the connection stays open.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::site::Site;
use crate::waiting::PATIENCE;

/// A second request, which shows whether the connection is still open.
const NEXT: &[u8] = b"GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// State of a connection after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Open,
    Closed,
}
use After::{Closed, Open};

/// Status, header and body of a response; `None` if the server closes without one.
fn read_answer(stream: &mut TcpStream, has_body: bool) -> Option<(u16, String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) => head.extend(byte),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}, after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; if has_body { length.unwrap_or(0) } else { 0 }];
    stream.read_exact(&mut body).unwrap();
    Some((status, head, body))
}

/// The lines of a head but its date, in alphabetical order.
fn fields(head: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = head.lines().filter(|line| !line.starts_with("date: ")).collect();
    lines.sort_unstable();
    lines
}

fn connect(site: &Site) -> TcpStream {
    let stream = TcpStream::connect(site.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes, and returns the status (0: no response) and the state of the connection.
fn ask(site: &Site, request: &[u8]) -> (u16, After) {
    let mut stream = connect(site);
    // A server that refuses the beginning need not read the rest.
    let _ = stream.write_all(request);
    let is_head = request.starts_with(b"HEAD");
    let Some((status, head, _)) = read_answer(&mut stream, !is_head) else { return (0, Closed) };
    // The connection may already be closed.
    let _ = stream.write_all(NEXT);
    let after = if read_answer(&mut stream, true).is_some() { Open } else { Closed };
    let says_close = head.to_ascii_lowercase().contains("\r\nconnection: close\r\n");
    assert!(after == Closed || !says_close, "it does what it says: {head}");
    (status, after)
}

/// A request for a feed with further header fields.
fn get(fields: &str) -> Vec<u8> {
    format!("GET /rss.xml HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

/// A request with this first line, HTTP/1.1 and one Host field.
fn line(line: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

/// Description and bytes of a request, status of the response (0: none), and state of the connection.
type Case<'a> = (&'a str, Vec<u8>, u16, After);

fn check(cases: &[Case], rules: &str) {
    let site = Site::started();
    for (what, request, status, after) in cases {
        let found = ask(&site, request);
        assert_eq!(found, (*status, *after), "{what}: {rules}");
    }
}

#[test]
fn every_valid_request_is_answered() {
    let raw = |text: &str| text.as_bytes().to_vec();
    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let cases: &[Case] = &[
        ("nothing special", get(""), 200, Open),
        ("empty lines before it", [raw("\r\n\r\n"), get("")].concat(), 200, Open),
        ("no space behind a colon", raw("GET /rss.xml HTTP/1.1\r\nHost:a\r\n\r\n"), 200, Open),
        ("names in any case", raw("GET /rss.xml HTTP/1.1\r\nhOsT: a\r\n\r\n"), 200, Open),
        ("space around a value", raw("GET /rss.xml HTTP/1.1\r\nHost: \t a \t \r\n\r\n"), 200, Open),
        ("an empty value", get("X:\r\n"), 200, Open),
        ("letters beyond ASCII", get("X: \u{e9}\r\n"), 200, Open),
        // RFC 9112 section 2.2 lets a server take a line feed alone as the end of a line, and hyper does.
        ("line feeds alone", raw("GET /rss.xml HTTP/1.1\nHost: a\n\n"), 200, Open),
        ("a fragment, which no client should send", line("GET /rss.xml#x"), 200, Open),
        ("HTTP/1.0 without Host", raw("GET /rss.xml HTTP/1.0\r\n\r\n"), 200, Closed),
        ("HTTP/1.0 with keep-alive", raw("GET /rss.xml HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200, Open),
        ("the last one", get("Connection: close\r\n"), 200, Closed),
        ("an upgrade to what is not spoken here", get(upgrade), 200, Open),
        ("Expect, but no body", get("Expect: 100-continue\r\n"), 200, Open),
        ("what is not there", line("GET /none"), 404, Open),
    ];
    check(cases, "standards 81");
}

#[test]
fn a_request_names_exactly_one_host() {
    let raw = |text: &str| text.as_bytes().to_vec();
    let cases: &[Case] = &[
        ("no Host", raw("GET /rss.xml HTTP/1.1\r\n\r\n"), 400, Closed),
        ("no Host, but the absolute form", raw("GET http://a/rss.xml HTTP/1.1\r\n\r\n"), 400, Closed),
        ("two Hosts", get("Host: b\r\n"), 400, Closed),
        ("the same Host twice", get("Host: a\r\n"), 400, Closed),
        ("an empty Host", raw("GET /rss.xml HTTP/1.1\r\nHost:\r\n\r\n"), 400, Closed),
        ("a Host with a path", raw("GET /rss.xml HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400, Closed),
        ("a Host with a name", raw("GET /rss.xml HTTP/1.1\r\nHost: user@a\r\n\r\n"), 400, Closed),
        ("two Hosts in one", raw("GET /rss.xml HTTP/1.1\r\nHost: a, b\r\n\r\n"), 400, Closed),
        ("the same of an old client", raw("GET /rss.xml HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400, Closed),
        ("the absolute form", line("GET http://a/rss.xml"), 200, Open),
        ("the absolute form with another host", line("GET http://b:8080/rss.xml"), 200, Open),
        ("Host with a port", raw("GET /rss.xml HTTP/1.1\r\nHost: a:8080\r\n\r\n"), 200, Open),
        ("Host in digits", raw("GET /rss.xml HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), 200, Open),
    ];
    check(cases, "standards 75");
}

#[test]
fn every_method_is_answered() {
    let cases: &[Case] = &[
        ("HEAD", line("HEAD /rss.xml"), 200, Open),
        ("HEAD of nothing", line("HEAD /none"), 404, Open),
        ("OPTIONS", line("OPTIONS /rss.xml"), 204, Open),
        ("OPTIONS of the server", line("OPTIONS *"), 204, Open),
        ("GET of the server", line("GET *"), 400, Closed),
        ("TRACE", line("TRACE /rss.xml"), 405, Closed),
        ("DELETE", line("DELETE /rss.xml"), 405, Closed),
        ("CONNECT", line("CONNECT a:80"), 405, Closed),
        ("an unknown method", line("FOO /rss.xml"), 501, Closed),
        ("get", line("get /rss.xml"), 501, Closed),
    ];
    check(cases, "standards 77");
}

#[test]
fn malformed_requests_are_refused() {
    let raw = |text: &str| text.as_bytes().to_vec();
    let cases: &[Case] = &[
        ("a space before the colon", raw("GET /rss.xml HTTP/1.1\r\nHost : a\r\n\r\n"), 400, Closed),
        ("a folded line", get("X: a\r\n b\r\n"), 400, Closed),
        ("a space before the first field", raw("GET /rss.xml HTTP/1.1\r\n Host: a\r\n\r\n"), 400, Closed),
        ("NUL in a value", get("X: a\0b\r\n"), 400, Closed),
        ("NUL in the path", line("GET /rss\0.xml"), 400, Closed),
        ("a carriage return alone", get("X: a\rb\r\n"), 400, Closed),
        ("a field without a name", get(": x\r\n"), 400, Closed),
        ("a field without a colon", get("nonsense\r\n"), 400, Closed),
        ("a space in a name", get("X Y: x\r\n"), 400, Closed),
        ("garbage", raw("\u{1}\u{2}\u{3}\r\n\r\n"), 400, Closed),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400, Closed),
        ("HTTP/0.9", raw("GET /rss.xml\r\n\r\n"), 400, Closed),
        ("HTTP/1.2", raw("GET /rss.xml HTTP/1.2\r\nHost: a\r\n\r\n"), 400, Closed),
        ("HTTP/2 by its name", raw("GET /rss.xml HTTP/2.0\r\nHost: a\r\n\r\n"), 400, Closed),
        ("HTTP/2 as it begins", raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0, Closed),
        (
            "what a proxy says of its client",
            [raw("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), get("")].concat(),
            400,
            Closed,
        ),
        ("no path", line("GET "), 400, Closed),
        ("a path without its slash", line("GET rss.xml"), 400, Closed),
        ("a space in the path", line("GET /a b"), 400, Closed),
    ];
    check(cases, "standards 82");
}

#[test]
fn ambiguous_body_lengths_are_refused() {
    let chunked = |fields: &str, body: &str| [get(fields), body.as_bytes().to_vec()].concat();
    let end = "0\r\n\r\n";
    let cases: &[Case] = &[
        ("two lengths", get("Content-Length: 1\r\nContent-Length: 2\r\n"), 400, Closed),
        ("two lengths in one", get("Content-Length: 1, 2\r\n"), 400, Closed),
        ("one length twice", get("Content-Length: 0\r\nContent-Length: 0\r\n"), 200, Open),
        ("no number", get("Content-Length: x\r\n"), 400, Closed),
        ("less than nothing", get("Content-Length: -1\r\n"), 400, Closed),
        ("a number with a sign", get("Content-Length: +1\r\n"), 400, Closed),
        ("more than can be counted", get("Content-Length: 99999999999999999999\r\n"), 400, Closed),
        ("an unknown coding", get("Transfer-Encoding: xchunked\r\n"), 400, Closed),
        ("a coding behind the chunks", get("Transfer-Encoding: chunked, gzip\r\n"), 400, Closed),
        (
            "chunks from an old client",
            format!("GET /rss.xml HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{end}").into_bytes(),
            400,
            Closed,
        ),
        ("a length and chunks", chunked("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", end), 400, Closed),
        ("chunks and a length", chunked("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", end), 400, Closed),
        ("an unneeded body", chunked("Content-Length: 5\r\n", "hello"), 200, Open),
        ("the same in chunks", chunked("Transfer-Encoding: chunked\r\n", &format!("5\r\nhello\r\n{end}")), 400, Closed),
        ("a chunk without a size", chunked("Transfer-Encoding: chunked\r\n", "x\r\nhello\r\n"), 400, Closed),
        // The response precedes the body, which cannot be told from a next request.
        ("a body that does not come", get("Content-Length: 1000000\r\n"), 200, Closed),
        ("a body that wants to be asked for", get("Expect: 100-continue\r\nContent-Length: 5\r\n"), 200, Closed),
    ];
    check(cases, "standards 82");
}

#[test]
fn an_unwanted_body_is_not_awaited() {
    let post = |fields: &str| format!("POST /rss.xml HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes();
    let cases: &[Case] = &[
        ("no body", post(""), 405, Closed),
        ("a short one that is there", [post("Content-Length: 5\r\n"), b"hello".to_vec()].concat(), 405, Closed),
        ("a long one that does not come", post("Content-Length: 1000000\r\n"), 405, Closed),
        ("chunks that do not come", post("Transfer-Encoding: chunked\r\n"), 405, Closed),
        ("one that wants to be asked for", post("Content-Length: 1000000\r\nExpect: 100-continue\r\n"), 405, Closed),
        (
            "a request as a body",
            [post(&format!("Content-Length: {}\r\n", NEXT.len())), NEXT.to_vec()].concat(),
            405,
            Closed,
        ),
    ];
    check(cases, "standards 77, 82");
}

#[test]
fn header_limits_are_enforced() {
    let (kept, long) = ("x".repeat(15_000), "x".repeat(70_000));
    let cases: &[Case] = &[
        ("100 fields", get(&"X: x\r\n".repeat(99)), 200, Open),
        ("101 fields", get(&"X: x\r\n".repeat(100)), 431, Closed),
        ("a value of 15 KB", get(&format!("X: {kept}\r\n")), 200, Open),
        ("a value of 20 KB", get(&format!("X: {}\r\n", &long[..20_000])), 431, Closed),
        ("a name of 20 KB", get(&format!("{}: x\r\n", &long[..20_000])), 431, Closed),
        ("many fields of 20 KB", get(&format!("X: {}\r\n", &long[..400]).repeat(50)), 431, Closed),
        ("an address of 15 KB", line(&format!("GET /{kept}")), 404, Open),
        ("a query of 15 KB", line(&format!("GET /rss.xml?{kept}")), 200, Open),
        // The limit of the header is lower than that of addresses, 64 KB, which would give 414.
        ("an address of 70 KB", line(&format!("GET /{long}")), 431, Closed),
    ];
    check(cases, "standards 82");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = Site::started();
    let paths = ["/rss.xml", "/none", "/feed.json", "/robots.txt", "/", "/articles/none", "/atom.xml"];
    let expected: Vec<(u16, Vec<u8>)> = paths.map(|path| (site.get(path).status, site.get(path).body)).to_vec();
    let mut stream = connect(&site);
    let requests: Vec<u8> =
        paths.iter().flat_map(|path| [line(&format!("HEAD {path}")), line(&format!("GET {path}"))].concat()).collect();
    stream.write_all(&requests).unwrap();
    for (path, (status, body)) in paths.iter().zip(&expected) {
        let (found, head, _) = read_answer(&mut stream, false).unwrap();
        assert_eq!(found, *status, "HEAD {path}: standards 76, 79");
        assert!(head.to_ascii_lowercase().contains("\r\ndate: "), "{path}: standards 78");
        let (found, head_of_get, found_body) = read_answer(&mut stream, true).unwrap();
        assert_eq!((found, &found_body), (*status, body));
        assert_eq!(fields(&head_of_get), fields(&head), "{path}: standards 76");
    }
    // More than the kernel buffers: the server has to wait in the middle of a response, whose rest and successors come whole.
    let (requests, mut writer) = (line("GET /").repeat(300), stream.try_clone().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || writer.write_all(&requests).unwrap());
        let heads: Vec<_> = (0..300)
            .map(|_| {
                let (status, head, body) = read_answer(&mut stream, true).unwrap();
                assert_eq!((status, &body), (200, &expected[4].1));
                fields(&head).join("\n")
            })
            .collect();
        assert!(heads.windows(2).all(|heads| heads[0] == heads[1]));
    });
    // Byte by byte, on the same connection.
    for byte in get("") {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(read_answer(&mut stream, true).unwrap().2, expected[0].1);
}

#[test]
fn every_response_has_a_date() {
    let site = Site::started();
    for (request, status) in [
        (get(""), 200),
        (get("If-None-Match: *\r\n"), 304),
        (get("If-Match: \"x\"\r\n"), 412),
        (get("Accept-Encoding: *;q=0\r\n"), 406),
        (line("GET /none"), 404),
        (line("GET /tags/x/../"), 404),
        (line("POST /"), 405),
        (line("OPTIONS /"), 204),
        (line("FOO /"), 501),
        (line("GET *"), 400),
    ] {
        let mut stream = connect(&site);
        stream.write_all(&request).unwrap();
        let (found, head, _) = read_answer(&mut stream, true).unwrap();
        let date = head.lines().find_map(|line| line.strip_prefix("date: ")).unwrap_or_default();
        assert_eq!((found, httpdate::parse_http_date(date).is_ok()), (status, true), "{head}: standards 78");
    }
}
