//! What holds for the answer to any bytes whatever. The tests and the fuzzer share it.

/// What may be said to anything; another 5xx would be a fault of our own.
const STATUSES: [u16; 17] = [100, 200, 204, 206, 301, 304, 307, 400, 404, 405, 406, 410, 412, 414, 416, 431, 501];

/// Checks all that was answered to some bytes until the server closed.
pub fn check(asked: &[u8], answered: &[u8]) {
    let shown = || format!("{:?} was answered by {:?}", text(asked), text(answered));
    let mut rest = answered;
    while !rest.is_empty() {
        assert!(rest.starts_with(b"HTTP/1.1 ") || rest.starts_with(b"HTTP/1.0 "), "{}", shown());
        // The end may be missing where the client had more to say than was heard.
        let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") else { return };
        let (head, body) = (&rest[..end], &rest[end + 4..]);
        let length = check_head(head).unwrap_or_else(|fault| panic!("{fault}: {}", shown()));
        // To a HEAD, or with a 304, there is none.
        let follows = body.starts_with(b"HTTP/1.");
        match length {
            _ if follows => rest = body,
            Some(length) if length <= body.len() => rest = &body[length..],
            // It goes on to the end of the connection, or comes in pieces.
            _ => return,
        }
    }
}

/// Gives how long the body is, if that is said.
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
