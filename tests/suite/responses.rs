//! Invariants of the response to any bytes. The tests and the fuzzer share them.

/// Every permitted status. Another 5xx would be a fault of the server.
const STATUSES: [u16; 17] = [100, 200, 204, 206, 301, 304, 307, 400, 404, 405, 406, 410, 412, 414, 416, 431, 501];

/// Checks everything that the server sent for some bytes before it closed the connection.
pub fn check(asked: &[u8], answered: &[u8]) {
    let shown = || format!("{:?} was answered by {:?}", text(asked), text(answered));
    let mut rest = answered;
    while !rest.is_empty() {
        assert!(rest.starts_with(b"HTTP/1.1 ") || rest.starts_with(b"HTTP/1.0 "), "{}", shown());
        // The end may be missing if the client sent more than the server read.
        let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") else { return };
        let (head, body) = (&rest[..end], &rest[end + 4..]);
        let length = check_head(head).unwrap_or_else(|fault| panic!("{fault}: {}", shown()));
        // A response to HEAD, and a 304, has none.
        let follows = body.starts_with(b"HTTP/1.");
        match length {
            _ if follows => rest = body,
            Some(length) if length <= body.len() => rest = &body[length..],
            // It lasts to the end of the connection, or is chunked.
            _ => return,
        }
    }
}

/// Returns the `Content-Length`, if there is one.
fn check_head(head: &[u8]) -> Result<Option<usize>, String> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = text(lines.next().unwrap_or_default()).split(' ').nth(1).and_then(|status| status.parse().ok());
    if !status.is_some_and(|status| STATUSES.contains(&status)) {
        return Err(format!("{status:?} is no status that may be"));
    }
    let mut length = None;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').ok_or("a field has no name")?;
        let (name, value) = (text(&line[..colon]), &line[colon + 1..]);
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(format!("{name:?} is no name"));
        }
        if let Some(byte) = value.iter().find(|byte| !(b' '..=b'~').contains(byte)) {
            return Err(format!("{byte:#04x} is in {name}"));
        }
        if name.eq_ignore_ascii_case("content-length") {
            let value = text(value).trim().parse().map_err(|_| "a length is no number")?;
            if length.replace(value).is_some_and(|other| other != value) {
                return Err("there are two lengths".to_owned());
            }
        }
    }
    Ok(length)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
