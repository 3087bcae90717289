//! The address of the client behind proxies: `Forwarded` (RFC 7239) or `X-Forwarded-For`, as far as they can be trusted.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::{FORWARDED, HeaderName};

use crate::config::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Maximum number of proxies in a chain.
const HOPS: usize = 32;

/// Returns the address of the client; `None` for a Unix socket without a forwarding header.
///
/// The headers count only if a trusted proxy sent them. Each proxy appends on the right, so the rightmost address that is not
/// trusted is the client; everything to its left is the client's own claim. If an element cannot be read, the last trusted
/// address counts.
///
/// A proxy appends to one of the headers and passes the other one on unchanged. If both are present, one of them may be forged:
/// they count only if they agree.
pub fn client(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &TrustedProxies) -> Option<IpAddr> {
    let peer = peer.map(|address| address.to_canonical());
    if !trusted.contains(peer) {
        return peer;
    }
    let from_header = |name| headers.contains_key(&name).then(|| walk(peer, headers, &name, trusted));
    match (from_header(FORWARDED), from_header(X_FORWARDED_FOR)) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(client), _) | (None, Some(client)) => client,
        (None, None) => peer,
    }
}

/// Follows the chain of proxies from the nearest one.
fn walk(peer: Option<IpAddr>, headers: &HeaderMap, name: &HeaderName, trusted: &TrustedProxies) -> Option<IpAddr> {
    let mut trusted_until = peer;
    let mut hops = 0;
    for line in headers.get_all(name).iter().rev() {
        let mut rest = Some(line.as_bytes());
        while let Some(text) = rest {
            let (before, element) = last_element(text);
            rest = before;
            let element = element.trim_ascii();
            hops += 1;
            if hops > HOPS {
                return trusted_until;
            }
            if element.is_empty() {
                // A list may have empty elements (RFC 9110 section 5.6.1).
                continue;
            }
            let address = if *name == FORWARDED { forwarded(element) } else { node(element) };
            let Some(address) = address else { return trusted_until };
            trusted_until = Some(address);
            if !trusted.contains(trusted_until) {
                return trusted_until;
            }
        }
    }
    trusted_until
}

/// Splits the last element off a list. Reads from the right, so that an unclosed quote of the client does not hide what proxies
/// have appended.
fn last_element(list: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    for (index, byte) in list.iter().enumerate().rev() {
        match byte {
            b'"' if !(quoted && is_escaped(list, index)) => quoted = !quoted,
            b',' if !quoted => return (Some(&list[..index]), &list[index + 1..]),
            _ => {}
        }
    }
    (None, list)
}

fn is_escaped(text: &[u8], index: usize) -> bool {
    text[..index].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Reads the address in an element of `Forwarded`: `for="[2001:db8::1]:80";proto=https`.
fn forwarded(element: &[u8]) -> Option<IpAddr> {
    let mut rest = std::str::from_utf8(element).ok()?;
    let mut address = None;
    loop {
        let (name, behind) = rest.split_once('=')?;
        let (value, behind) = value(behind)?;
        let name = name.trim_ascii();
        if name.is_empty() || name.contains(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))) {
            return None;
        }
        // A parameter occurs once (RFC 7239 section 4).
        if name.eq_ignore_ascii_case("for") && address.replace(node(value.as_bytes())?).is_some() {
            return None;
        }
        let behind = behind.trim_ascii();
        if behind.is_empty() {
            return address;
        }
        rest = behind.strip_prefix(';')?;
    }
}

/// Reads a token or a quoted string; returns it and the rest.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ';' || c == '"' || c.is_ascii_whitespace()).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].into(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value.into(), &quoted[index + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

/// Reads an address, with or without a port. `None` where a proxy hides it: `unknown`, `_hidden`.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bracketed = |text: &str| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| bracketed(text))
        .or_else(|| text.parse::<SocketAddr>().ok().filter(|_| !text.contains('%')).map(|address| address.ip()))
        .or_else(|| {
            // A port may be obfuscated (RFC 7239 section 6).
            let (host, port) = text.rsplit_once(":_")?;
            let is_hidden = port.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
            let address = if host.starts_with('[') { bracketed(host) } else { host.parse().ok().map(IpAddr::V4) };
            address.filter(|_| is_hidden && !port.is_empty())
        })?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line =
            |(name, value): &(&str, &str)| -> (HeaderName, _) { (name.parse().unwrap(), value.parse().unwrap()) };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(line) {
            headers.append(name, value);
        }
        headers
    }

    fn trusted() -> TrustedProxies {
        let list = serde_json::json!(["127.0.0.0/8", "::1", "unix", "10.0.0.0/8", "fd00::/8"]);
        serde_json::from_value(list).unwrap()
    }

    /// Checks which client a proxy on this host names.
    fn check(name: &str, cases: &[(&[&str], &str)]) {
        for (lines, expected) in cases {
            let lines: Vec<_> = lines.iter().map(|line| (name, *line)).collect();
            let found = client(Some([127, 0, 0, 1].into()), &headers(&lines), &trusted());
            assert_eq!(found.unwrap().to_string(), *expected, "{lines:?}");
        }
    }

    #[test]
    fn x_forwarded_for() {
        check(
            "x-forwarded-for",
            &[
                (&["192.0.2.1"], "192.0.2.1"),
                (&["192.0.2.1:4711"], "192.0.2.1"),
                (&["2001:db8::1"], "2001:db8::1"),
                (&["[2001:db8::1]"], "2001:db8::1"),
                (&["[2001:db8::1]:4711"], "2001:db8::1"),
                (&["::ffff:192.0.2.1"], "192.0.2.1"),
                (&["192.0.2.1, 10.0.0.1"], "192.0.2.1"),
                (&["192.0.2.1,\t10.0.0.1 , ,fd00::1,"], "192.0.2.1"),
                (&["192.0.2.1", "10.0.0.1", "10.0.0.2"], "192.0.2.1"),
                // Everything left of the first untrusted address is that client's claim.
                (&["8.8.8.8, 192.0.2.1"], "192.0.2.1"),
                (&["127.0.0.1, 192.0.2.1, 10.0.0.1"], "192.0.2.1"),
                (&["8.8.8.8", "192.0.2.1"], "192.0.2.1"),
                (&["\"8.8.8.8, 192.0.2.1"], "192.0.2.1"),
                // All are trusted: the farthest one.
                (&["10.0.0.2, 10.0.0.1"], "10.0.0.2"),
                // Elements that cannot be read.
                (&["unknown"], "127.0.0.1"),
                (&["192.0.2.1, unknown, 10.0.0.1"], "10.0.0.1"),
                (&["192.0.2.1, nonsense"], "127.0.0.1"),
                (&["192.0.2.1.5"], "127.0.0.1"),
                (&["192.0.2.1:99999"], "127.0.0.1"),
                (&["fe80::1%eth0"], "127.0.0.1"),
                (&["[fe80::1%1]:80"], "127.0.0.1"),
                (&["192.0.2.1 8.8.8.8"], "127.0.0.1"),
                (&[""], "127.0.0.1"),
                (&[",,,"], "127.0.0.1"),
            ],
        );
    }

    #[test]
    fn forwarded_as_in_its_rfc() {
        check(
            "forwarded",
            &[
                (&["for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60"),
                (&["For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
                (&["for=\"[2001:db8::1]\""], "2001:db8::1"),
                (&["for=\"192.0.2.1:80\""], "192.0.2.1"),
                (&["for=\"192.0.2.1:_hidden\""], "192.0.2.1"),
                (&["for=\"[2001:db8::1]:_hidden\""], "2001:db8::1"),
                (&["for=\"192.0.2\\.1\""], "192.0.2.1"),
                (&["proto=https ; FOR=192.0.2.1 ; host=\"a, b; for=8.8.8.8\""], "192.0.2.1"),
                (&["for=192.0.2.1, for=10.0.0.1;host=\"a\\\", \\\"b\""], "192.0.2.1"),
                (&["for=192.0.2.1", "for=10.0.0.1"], "192.0.2.1"),
                (&["for=8.8.8.8, for=192.0.2.1, for=10.0.0.1"], "192.0.2.1"),
                // A quote that the client does not close.
                (&["for=8.8.8.8;x=\", for=192.0.2.1"], "192.0.2.1"),
                (&["for=8.8.8.8;x=\", for=\"[2001:db8::1]\""], "2001:db8::1"),
                (&["for=8.8.8.8;x=\"\\, for=\"[2001:db8::1]\";proto=https"], "2001:db8::1"),
                // Hidden and malformed elements.
                (&["for=unknown"], "127.0.0.1"),
                (&["for=_gazonk"], "127.0.0.1"),
                (&["for=\"_SEVKISEK\", for=10.0.0.1"], "10.0.0.1"),
                (&["for=192.0.2.1, proto=http"], "127.0.0.1"),
                (&["for=192.0.2.1;for=192.0.2.2"], "127.0.0.1"),
                (&["for=192.0.2.1;for=unknown"], "127.0.0.1"),
                (&["for=192.0.2.1;"], "127.0.0.1"),
                (&["for="], "127.0.0.1"),
                (&["for"], "127.0.0.1"),
                (&["=192.0.2.1"], "127.0.0.1"),
                (&["192.0.2.1"], "127.0.0.1"),
                (&["for=\"192.0.2.1"], "127.0.0.1"),
                (&["for=\"192.0.2.1\"x"], "127.0.0.1"),
                (&["for=\"192.0.2.1\\"], "127.0.0.1"),
                (&["for=\"192.0.2.1:_\""], "127.0.0.1"),
            ],
        );
    }

    #[test]
    fn forwarding_headers_count_only_from_trusted_proxies() {
        let fields = [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.1")];
        for header in fields {
            let headers = headers(&[header]);
            let of = |peer: Option<&str>| client(peer.map(|peer| peer.parse().unwrap()), &headers, &trusted());
            for stranger in ["198.51.100.1", "2001:db8::9", "11.0.0.1"] {
                assert_eq!(of(Some(stranger)), Some(stranger.parse().unwrap()), "{header:?}");
            }
            assert_eq!(of(Some("::ffff:198.51.100.1")), Some([198, 51, 100, 1].into()));
            for proxy in [None, Some("127.0.0.1"), Some("::ffff:10.0.0.1"), Some("::1"), Some("fd00::1")] {
                assert_eq!(of(proxy), Some([192, 0, 2, 1].into()), "{header:?} by {proxy:?}");
            }
        }
        assert_eq!(client(None, &HeaderMap::new(), &trusted()), None);
        assert_eq!(client(None, &headers(&[("forwarded", "for=unknown")]), &trusted()), None);
    }

    /// A proxy that appends to one of the headers passes on the client's version of the other.
    #[test]
    fn headers_that_contradict_each_other_are_ignored() {
        let peer = Some([127, 0, 0, 1].into());
        let of = |one, other| client(peer, &headers(&[("forwarded", one), ("x-forwarded-for", other)]), &trusted());
        assert_eq!(of("for=192.0.2.1", "192.0.2.1"), Some([192, 0, 2, 1].into()));
        assert_eq!(of("for=8.8.8.8", "192.0.2.1"), peer);
        assert_eq!(of("for=192.0.2.1", "8.8.8.8"), peer);
        assert_eq!(of("nonsense", "192.0.2.1"), peer);
    }

    #[test]
    fn a_chain_of_proxies_has_a_maximum_length() {
        let far = format!("192.0.2.1{}", ", 10.0.0.1".repeat(HOPS));
        check("x-forwarded-for", &[(&[far.as_str()], "10.0.0.1")]);
        let near = format!("192.0.2.1{}", ", 10.0.0.1".repeat(HOPS - 1));
        check("x-forwarded-for", &[(&[near.as_str()], "192.0.2.1")]);
        let backslashes = format!("for=\"{}\"", "\\".repeat(1 << 14));
        check("forwarded", &[(&[backslashes.as_str(), &"\"".repeat(1 << 14)], "127.0.0.1")]);
    }
}
