//! The access log: a line for each response. Serving never waits for it; lines that do not fit the queue are dropped and counted.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use hyper::header::{CONTENT_ENCODING, HeaderName, HeaderValue, REFERER, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response, StatusCode};
use serde::Serialize;

use crate::config::AccessLines;
use crate::observe::line_writer::{DropReport, LineWriter, Unbuffered, ascii};
use crate::render::compression::ContentCoding;

/// Length of the queue in lines: some seconds of a busy site, and 50 MB if every line has the maximum length.
const QUEUE_LENGTH: usize = 4096;
/// Maximum bytes of each field that a client sends.
const LONGEST_METHOD: usize = 32;
const LONGEST_TARGET: usize = 1024;
const LONGEST_FIELD: usize = 512;
/// Shortest interval between two reports of dropped lines.
const DROP_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Writes the access log.
#[derive(Debug)]
pub struct AccessLog {
    form: AccessLines,
    lines: LineWriter,
}

impl AccessLog {
    /// Writes to standard output, unless the form is `off`.
    pub fn to_stdout(form: AccessLines) -> Option<Self> {
        (form != AccessLines::Off).then(|| Self::new(form, Unbuffered(io::stdout()), QUEUE_LENGTH))
    }

    /// Writes to a possibly slow writer, with a queue of `room` lines.
    fn new(form: AccessLines, writer: impl Write + Send + 'static, room: usize) -> Self {
        let (lines, started) = LineWriter::start("access-log", writer, room, ToLog, DROP_REPORT_INTERVAL);
        if let Err(error) = started {
            ToLog.failing(&error);
        }
        Self { form, lines }
    }

    /// The form of its lines.
    pub fn form(&self) -> AccessLines {
        self.form
    }

    /// The number of dropped lines, updated live.
    pub fn dropped(&self) -> Arc<AtomicU64> {
        self.lines.dropped()
    }

    /// Queues the line of a response.
    pub fn write(&self, answered: &Answered<'_>) {
        match self.form {
            AccessLines::Off => {}
            AccessLines::Combined => self.lines.write(answered.combined()),
            AccessLines::Json => self.lines.write(answered.json()),
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        let left = self.lines.end(None);
        if left > 0 {
            ToLog.dropped(left);
        }
    }
}

/// Reports dropped lines to the log, since the form of the access log is fixed.
struct ToLog;

impl DropReport for ToLog {
    fn dropped(&mut self, lines: u64) -> Option<String> {
        tracing::warn!(lines, "access log lines were dropped: its reader is too slow, or it cannot be written");
        None
    }

    fn failing(&mut self, error: &io::Error) {
        tracing::error!(%error, "cannot write the access log; its lines are dropped until that works");
    }
}

/// A request and its response, as the access log describes them.
#[derive(Debug)]
pub struct Answered<'a> {
    client: Option<IpAddr>,
    request: &'a Parts,
    status: u16,
    bytes: u64,
    coding: Option<&'a str>,
    at: SystemTime,
    duration: Duration,
}

impl<'a> Answered<'a> {
    /// `response` to `request` from `client`, made in `duration` and ready at the instant `at`.
    pub fn new<B: hyper::body::Body>(
        client: Option<IpAddr>,
        request: &'a Parts,
        response: &'a Response<B>,
        at: SystemTime,
        duration: Duration,
    ) -> Self {
        Self {
            client,
            request,
            status: response.status().as_u16(),
            bytes: response.body().size_hint().exact().unwrap_or(0),
            coding: response.headers().get(CONTENT_ENCODING).and_then(|coding| coding.to_str().ok()),
            at,
            duration,
        }
    }

    /// Sets the coding of a response whose header fields are not known.
    pub fn with_coding(self, coding: Option<ContentCoding>) -> Self {
        let is_coded = self.status == StatusCode::OK && coding != Some(ContentCoding::Identity);
        Self { coding: self.coding.or(coding.filter(|_| is_coded).map(ContentCoding::name)), ..self }
    }

    /// The combined format of Apache and nginx.
    fn combined(&self) -> String {
        let mut line = self.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
        let at = DateTime::<Utc>::from(self.at).format("%d/%b/%Y:%H:%M:%S +0000");
        let Parts { method, uri, version, headers, .. } = self.request;
        let _ = write!(line, " - - [{at}] \"");
        escape(&mut line, method.as_str().as_bytes(), LONGEST_METHOD);
        line.push(' ');
        escape(&mut line, uri.to_string().as_bytes(), LONGEST_TARGET);
        let _ = write!(line, " {version:?}\" {} {}", self.status, self.bytes);
        for name in [REFERER, USER_AGENT] {
            line.push_str(" \"");
            escape(&mut line, field(headers, &name).unwrap_or(b"-"), LONGEST_FIELD);
            line.push('"');
        }
        line
    }

    fn json(&self) -> String {
        let Parts { method, uri, version, headers, .. } = self.request;
        let field = |name| field(headers, &name).map(|value| shortened(value, LONGEST_FIELD));
        let line = AccessLine {
            time: DateTime::<Utc>::from(self.at).to_rfc3339_opts(SecondsFormat::Millis, true),
            client: self.client,
            method: shortened(method.as_str().as_bytes(), LONGEST_METHOD),
            target: shortened(uri.to_string().as_bytes(), LONGEST_TARGET),
            version: format!("{version:?}"),
            status: self.status,
            bytes: self.bytes,
            referer: field(REFERER),
            user_agent: field(USER_AGENT),
            coding: self.coding,
            duration_us: self.duration.as_micros(),
        };
        let line = serde_json::to_string(&line).expect("texts and numbers make JSON");
        ascii(&line)
    }
}

/// The fields of a line of JSON.
#[derive(Serialize)]
struct AccessLine<'a> {
    time: String,
    client: Option<IpAddr>,
    method: String,
    target: String,
    version: String,
    status: u16,
    bytes: u64,
    referer: Option<String>,
    user_agent: Option<String>,
    coding: Option<&'a str>,
    duration_us: u128,
}

fn field<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    headers.get(name).map(HeaderValue::as_bytes)
}

/// Escapes all bytes by which a client could end a quoted field or a line, or control a terminal.
fn escape(line: &mut String, text: &[u8], longest: usize) {
    for byte in &text[..text.len().min(longest)] {
        if (b' '..=b'~').contains(byte) && !b"\"\\".contains(byte) {
            line.push(char::from(*byte));
        } else {
            let _ = write!(line, "\\x{byte:02X}");
        }
    }
}

fn shortened(text: &[u8], longest: usize) -> String {
    String::from_utf8_lossy(&text[..text.len().min(longest)]).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::mpsc;
    use std::time::Instant;

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::Request;
    use serde_json::{Value, json};

    use super::*;
    use crate::observe::line_writer::tests::SharedBuffer;

    fn request(target: &str, fields: &[(HeaderName, &[u8])]) -> Parts {
        let mut request = Request::get(target).body(()).unwrap();
        for (name, value) in fields {
            request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        request.into_parts().0
    }

    fn response(body: &'static str) -> Response<Full<Bytes>> {
        Response::builder()
            .header(CONTENT_ENCODING, "gzip")
            .body(Full::new(Bytes::from_static(body.as_bytes())))
            .unwrap()
    }

    fn answered<'a>(request: &'a Parts, response: &'a Response<Full<Bytes>>) -> Answered<'a> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(971_211_336_250);
        Answered::new(Some([192, 0, 2, 1].into()), request, response, at, Duration::from_micros(42))
    }

    fn parsed(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_line_describes_a_response() {
        let request = request("/rss.xml?x=1", &[(REFERER, b"https://a.example/"), (USER_AGENT, b"Reader/1.0 (x; y)")]);
        let response = response("12345");
        let answered = answered(&request, &response);
        assert_eq!(
            answered.combined(),
            r#"192.0.2.1 - - [10/Oct/2000:20:55:36 +0000] "GET /rss.xml?x=1 HTTP/1.1" 200 5 "https://a.example/" "Reader/1.0 (x; y)""#
        );
        let expected = json!({
            "time": "2000-10-10T20:55:36.250Z", "client": "192.0.2.1", "method": "GET", "target": "/rss.xml?x=1",
            "version": "HTTP/1.1", "status": 200, "bytes": 5, "referer": "https://a.example/",
            "user_agent": "Reader/1.0 (x; y)", "coding": "gzip", "duration_us": 42,
        });
        assert_eq!(parsed(&answered.json()), expected);
    }

    #[test]
    fn absent_fields_are_marked() {
        let (request, response) = (request("/", &[]), Response::new(Full::<Bytes>::default()));
        let answered = Answered { client: None, ..answered(&request, &response) };
        assert_eq!(answered.combined(), r#"- - - [10/Oct/2000:20:55:36 +0000] "GET / HTTP/1.1" 200 0 "-" "-""#);
        let json = parsed(&answered.json());
        for name in ["client", "referer", "user_agent", "coding"] {
            assert_eq!(json[name], Value::Null, "{name}");
        }
    }

    #[test]
    fn no_client_forges_a_line() {
        let forged = "a\" 200 5 \"x\\\t\u{e9}\u{2028}\u{85}\u{1f642}".as_bytes();
        let request = request("/", &[(USER_AGENT, forged), (REFERER, b"\xff\x80")]);
        let response = response("");
        let answered = answered(&request, &response);
        let combined = answered.combined();
        assert!(
            combined
                .ends_with(r#" "\xFF\x80" "a\x22 200 5 \x22x\x5C\x09\xC3\xA9\xE2\x80\xA8\xC2\x85\xF0\x9F\x99\x82""#),
            "{combined}"
        );
        assert_eq!(combined.matches('"').count(), 6);
        let json = answered.json();
        assert_eq!(parsed(&json)["user_agent"].as_str().unwrap().as_bytes(), forged);
        for line in [combined, json] {
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        }
        // Bytes that no header field can contain.
        let mut line = String::new();
        escape(&mut line, b"\r\n\x1b[2J\x7f\0", 100);
        assert_eq!(line, r"\x0D\x0A\x1B[2J\x7F\x00");
    }

    #[test]
    fn a_line_has_a_maximum_length() {
        let long = vec![0xff; 10_000];
        let target = format!("/{}", "%00".repeat(4_000));
        let (request, response) = (request(&target, &[(USER_AGENT, &long), (REFERER, &long)]), response(""));
        let answered = answered(&request, &response);
        for line in [answered.combined(), answered.json()] {
            assert!((4_000..12_000).contains(&line.len()), "{}", line.len());
        }
        parsed(&answered.json());
    }

    #[test]
    fn all_lines_are_written_at_the_end() {
        let (request, response) = (request("/", &[]), response(""));
        let kept = SharedBuffer::default();
        let log = AccessLog::new(AccessLines::Json, kept.clone(), 1000);
        for _ in 0..1000 {
            log.write(&answered(&request, &response));
        }
        assert_eq!(log.lines.dropped().load(Relaxed), 0);
        drop(log);
        let written = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written.lines().map(parsed).filter(|line| line["status"] == 200).count(), 1000);
        assert!(AccessLog::to_stdout(AccessLines::Off).is_none());
    }

    /// Accepts nothing while the other end of the channel exists.
    struct Stuck(mpsc::Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.write(b"").map(drop)
        }
    }

    #[test]
    fn a_stuck_reader_does_not_block_serving() {
        let (request, response) = (request("/", &[]), response(""));
        let (_stuck, until) = mpsc::channel();
        let begun = Instant::now();
        let log = AccessLog::new(AccessLines::Combined, Stuck(until), 8);
        for _ in 0..10_000 {
            log.write(&answered(&request, &response));
        }
        let lost = log.lines.dropped();
        let at_once = lost.load(Relaxed);
        assert!(at_once > 1_000, "{at_once} were dropped");
        drop(log);
        assert_eq!(lost.load(Relaxed), 10_000, "each line is counted");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
