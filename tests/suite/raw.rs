//! Bytes that may be requests, from right to hostile, and what chance makes of them: each is answered well or not at all, nothing
//! breaks, and others are served.
//!
//! `GAZETTED_RAW_ROUNDS=100000 cargo test --test suite raw` goes on for some minutes; a failure shows its bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::random::Random;
use crate::site::{Answer, Site};

const PATIENCE: Duration = Duration::from_secs(20);
/// What may be said to anything; a 5xx would be a fault of our own.
const STATUSES: [u16; 16] = [200, 204, 206, 301, 304, 307, 400, 404, 405, 406, 410, 412, 414, 416, 431, 501];

/// Requests to start from.
const CORPUS: [&[u8]; 30] = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /rss.xml HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br;q=0.5, zstd;q=0\r\n\r\n",
    b"HEAD /atom.xml HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", W/\"y\"\r\n\r\n",
    b"GET /feed.json HTTP/1.0\r\n\r\n",
    b"GET /feed.json HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
    b"GET /articles/a HTTP/1.1\r\nHost: [::1]:80\r\nIf-Match: *\r\n\r\n",
    b"GET /media/a.png HTTP/1.1\r\nHost: a\r\nRange: bytes=0-3,5-\r\n\r\n",
    b"GET /media/a.png HTTP/1.1\r\nHost: a\r\nRange: bytes=-5\r\nIf-Range: \"x\"\r\n\r\n",
    b"GET /media/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /tags/%F0%9F%92%A9/rss.xml HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /tags/common/archive/99999999999 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://b:1/rss.xml?x=1#y HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /rss.xml HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    b"GET /\xff\x00 HTTP/1.1\r\nHost: \xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=\"[2001:db8::1]:1\";by=_x, for=\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /rss.xml HTTP/1.1\r\nHost: a\r\n\r\nGET",
    b"",
];

/// Makes something else of a request.
fn mutated(random: &mut Random) -> Vec<u8> {
    let mut bytes = CORPUS[random.below(CORPUS.len())].to_vec();
    for _ in 0..random.below(6) {
        let place = random.below(bytes.len() + 1);
        match random.below(6) {
            0 if place < bytes.len() => bytes[place] = u8::try_from(random.below(256)).unwrap(),
            1 if place < bytes.len() => drop(bytes.remove(place)),
            2 => bytes.insert(place, b"\r\n\0 :,;=\"%/*0-"[random.below(14)]),
            3 => bytes.truncate(place),
            4 => {
                let other = CORPUS[random.below(CORPUS.len())];
                let from = random.below(other.len() + 1);
                bytes.splice(place..place, other[from..].iter().copied());
            }
            _ => {
                let again = bytes[place..].iter().copied().take(40).collect::<Vec<_>>().repeat(random.below(60));
                bytes.splice(place..place, again);
            }
        }
    }
    bytes
}

/// All that is answered until the server closes.
fn answers(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    // It may have heard enough before the end.
    if stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write)).is_ok() {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..read]);
        }
    }
    answer
}

fn check(bytes: &[u8], answer: &[u8]) {
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    if answer.is_empty() {
        return;
    }
    assert!(answer.starts_with(b"HTTP/1."), "{:?} was answered by {:?}", shown(), String::from_utf8_lossy(answer));
    // The end may be missing where the client had more to say than was heard.
    if answer.windows(4).any(|window| window == b"\r\n\r\n") {
        let status = Answer::parse(answer).status;
        assert!(STATUSES.contains(&status) || status == 100, "{:?} was answered by {status}", shown());
    }
}

#[test]
fn whatever_comes_is_answered_well_or_not_at_all() {
    let rounds = std::env::var("GAZETTED_RAW_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut site = Site::configured("[http]\nidle_timeout = '2s'\nheader_timeout = '2s'");
    site.write("a.md", "---\ntags: [common]\n---\n# A\n\nText.\n");
    site.write("a.png", "0123456789");
    site.start();
    for bytes in CORPUS {
        check(bytes, &answers(site.address(), bytes));
    }
    let mut random = Random::new(1);
    for round in 0..rounds {
        let bytes = mutated(&mut random);
        check(&bytes, &answers(site.address(), &bytes));
        if round % 100 == 0 {
            assert_eq!(site.get("/rss.xml").status, 200, "others are served");
        }
    }
    assert_eq!(site.get("/rss.xml").status, 200, "others are served");
}
