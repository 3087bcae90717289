//! Header lines that are the same for all responses with a variant. They are made once and added to the bytes that hyper sends: passing them
//! through hyper would copy, encode and release each value for each response.
//!
//! hyper makes the rest of such a response: status line, date, length and body. The lines follow the status line, where hyper would have
//! written them. A response has prepared lines only if hyper had sent everything before, since it must be the first that hyper sends next.

use std::io::IoSlice;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hyper::HeaderMap;

/// Encodes header fields as hyper does.
pub fn lines(headers: &HeaderMap) -> Bytes {
    let mut lines = Vec::new();
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            lines.extend_from_slice(part);
        }
    }
    lines.into_boxed_slice().into()
}

/// The prepared lines of the next response of a connection. Only the task of the connection uses it.
#[derive(Debug, Default)]
pub struct PreparedHead {
    /// Whether hyper has sent all that it has made.
    is_flushed: AtomicBool,
    lines: Mutex<Option<Bytes>>,
}

impl PreparedHead {
    /// Records whether hyper has sent all that it has made.
    pub fn set_flushed(&self, is_flushed: bool) {
        self.is_flushed.store(is_flushed, Relaxed);
    }

    /// Begins a response. Returns whether it may have prepared lines.
    pub fn begin(&self) -> bool {
        let may_have = self.is_flushed.load(Relaxed);
        self.set_flushed(false);
        may_have
    }

    /// Sets the lines of the response that has begun.
    pub fn set(&self, lines: Bytes) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines);
    }

    /// Takes the lines of the response whose first bytes are about to be sent.
    pub fn take(&self) -> Option<Bytes> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A head with prepared lines that is being sent.
#[derive(Debug)]
pub struct HeadSplice {
    /// The head, with the lines.
    head: Vec<u8>,
    sent: usize,
    /// Where the lines begin.
    place: usize,
    /// Length of the lines.
    added: usize,
}

impl HeadSplice {
    /// Adds lines to the head that hyper sends. Returns `None` if it does not begin with a status line.
    pub fn new(original: &[u8], lines: &[u8]) -> Option<Self> {
        let place = original.iter().position(|byte| *byte == b'\n')? + 1;
        let head = [&original[..place], lines, &original[place..]].concat();
        original.starts_with(b"HTTP/1.").then_some(Self { head, sent: 0, place, added: lines.len() })
    }

    /// Number of hyper's bytes among the first `position` bytes of the head.
    fn original(&self, position: usize) -> usize {
        position - position.saturating_sub(self.place).min(self.added)
    }

    /// Number of hyper's bytes that have still to be sent as a part of the head.
    fn left(&self) -> usize {
        self.original(self.head.len()) - self.original(self.sent)
    }

    /// The bytes to send next; `slices` are those that hyper passes.
    pub fn pieces<'a>(&'a self, slices: &'a [IoSlice<'_>]) -> [IoSlice<'a>; 3] {
        // Another head may follow in the same slice.
        let first = slices.first().map_or(&[][..], |first| first.get(self.left()..).unwrap_or_default());
        let second = slices.get(1).map_or(&[][..], |second| second);
        [&self.head[self.sent..], first, second].map(IoSlice::new)
    }

    /// Records that `count` bytes were sent. Returns how many of them were hyper's, and whether the head has been sent.
    pub fn record(&mut self, count: usize) -> (usize, bool) {
        let of_head = count.min(self.head.len() - self.sent);
        let before = self.original(self.sent);
        self.sent += of_head;
        (self.original(self.sent) - before + count - of_head, self.sent == self.head.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nvary: Accept\r\netag: \"a\"\r\ncontent-length: 4\r\n\r\n";

    #[test]
    fn lines_follow_the_status_line_however_many_bytes_are_sent_at_a_time() {
        let headers = HeaderMap::from_iter([
            (hyper::header::VARY, "Accept".parse().unwrap()),
            (hyper::header::ETAG, "\"a\"".parse().unwrap()),
        ]);
        let lines = lines(&headers);
        for (behind, body) in [(&b""[..], &b"body"[..]), (b"HTTP/1.1 304 Not Modified\r\n\r\n", b""), (b"", b"")] {
            let first = [HEAD, behind].concat();
            for step in 1..=first.len() + lines.len() + body.len() {
                let mut splice = HeadSplice::new(HEAD, &lines).unwrap();
                let (mut sent, mut of_hyper) = (Vec::new(), 0);
                let mut is_sent = false;
                while !is_sent {
                    let slices = [&first[of_hyper..], body].map(IoSlice::new);
                    let all = splice.pieces(&slices).iter().flat_map(|piece| piece.to_vec()).collect::<Vec<u8>>();
                    let part = &all[..step.min(all.len())];
                    sent.extend_from_slice(part);
                    let (count, ended) = splice.record(part.len());
                    (of_hyper, is_sent) = (of_hyper + count, ended);
                }
                sent.extend_from_slice(&[&first, body].concat()[of_hyper..]);
                assert_eq!(
                    String::from_utf8(sent).unwrap(),
                    String::from_utf8([WHOLE, behind, body].concat()).unwrap()
                );
            }
        }
    }

    #[test]
    fn only_a_head_gets_lines() {
        assert!(HeadSplice::new(b"body\n", b"vary: Accept\r\n").is_none());
        assert!(HeadSplice::new(b"HTTP/1.1 200 OK", b"vary: Accept\r\n").is_none());
    }

    #[test]
    fn a_response_has_lines_only_if_all_before_was_sent() {
        let prepared = PreparedHead::default();
        assert!(!prepared.begin());
        prepared.set_flushed(true);
        assert!(prepared.begin() && !prepared.begin());
        prepared.set(Bytes::from_static(b"vary: Accept\r\n"));
        assert!(prepared.take().is_some() && prepared.take().is_none());
    }
}
