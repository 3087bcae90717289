//! Bytes that may be requests, from valid to hostile (`tests/requests`), and random mutations of them: each gets a valid response or
//! none, and other clients are served.
//!
//! `GAZETTED_RAW_ROUNDS=100000 cargo test --test suite raw` takes some minutes; a failure shows its bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;

use crate::random::Random;
use crate::responses::check;
use crate::site::Site;
use crate::waiting::PATIENCE;

/// Initial requests: written by hand, or found by the fuzzer.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 35, "the requests were not found");
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A random mutation of a request.
fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..random.below(6) {
        let place = random.below(bytes.len() + 1);
        match random.below(6) {
            0 if place < bytes.len() => bytes[place] = u8::try_from(random.below(256)).unwrap(),
            1 if place < bytes.len() => drop(bytes.remove(place)),
            2 => bytes.insert(place, b"\r\n\0 :,;=\"%/*0-"[random.below(14)]),
            3 => bytes.truncate(place),
            4 => {
                let other = &corpus[random.below(corpus.len())];
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

/// Everything that the server sends until it closes the connection.
fn answers(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    // The server may close before it has read everything.
    if stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write)).is_ok() {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..read]);
        }
    }
    answer
}

#[test]
fn any_bytes_get_a_valid_response_or_none() {
    let rounds = std::env::var("GAZETTED_RAW_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut site = Site::configured("[http]\nidle_timeout = '2s'\nheader_timeout = '2s'");
    site.write("a.md", "---\ntags: [common]\n---\n# A\n\nText.\n");
    site.write("a.png", "0123456789");
    site.start();
    let corpus = corpus();
    for bytes in &corpus {
        check(bytes, &answers(site.address(), bytes));
    }
    let mut random = Random::new(1);
    for round in 0..rounds {
        let bytes = mutated(&mut random, &corpus);
        check(&bytes, &answers(site.address(), &bytes));
        if round % 100 == 0 {
            assert_eq!(site.get("/rss.xml").status, 200, "others are served");
        }
    }
    assert_eq!(site.get("/rss.xml").status, 200, "others are served");
}
