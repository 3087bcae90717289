//! The host that a request names: its syntax, and for the admin listener the names that are allowed.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use hyper::header;
use hyper::http::request::Parts;
use hyper::{Method, Version};

use super::fields::FieldValues;

/// Whether a request has exactly one valid `Host` (RFC 9112 section 3.2) and a path or `*`; hyper does not check this.
pub fn names_one_resource(request: &Parts, host: FieldValues<'_>) -> bool {
    let path = request.uri.path();
    let whole_server = path == "*" && request.method == Method::OPTIONS;
    let is_connect = request.method == Method::CONNECT;
    if !path.starts_with('/') && !whole_server && !is_connect {
        return false;
    }
    match host.only() {
        Some(host) => host.to_str().is_ok_and(is_host),
        None => host.is_empty() && request.version < Version::HTTP_11,
    }
}

/// Whether a byte may stand in a host name.
const HOST_BYTES: [bool; 256] = {
    let bytes = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~!$&'()*+,;=";
    let mut allowed = [false; 256];
    let mut index = 0;
    while index < bytes.len() {
        allowed[bytes[index] as usize] = true;
        index += 1;
    }
    allowed
};

/// Whether a text is a host name or an address, with or without a port (RFC 3986 section 3.2.2, without percent-encoding).
fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => match (address.parse::<Ipv6Addr>(), rest.strip_prefix(':')) {
            (Ok(_), Some(port)) => ("v6", port),
            (Ok(_), None) if rest.is_empty() => ("v6", ""),
            _ => return false,
        },
        None => match text.bytes().position(|byte| byte == b':') {
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => (text, ""),
        },
    };
    let is_allowed = |byte: u8| HOST_BYTES[usize::from(byte)];
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.len() <= 5;
    !name.is_empty() && name.bytes().all(is_allowed) && (port.is_empty() || (is_port && port.parse::<u16>().is_ok()))
}

/// The host names that requests to the admin listener may name, beside IP addresses and `localhost`. A page of another site can
/// make a browser connect to this machine under its own name (DNS rebinding), and would read the response. Clones share the names.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts(Arc<ArcSwap<Vec<String>>>);

impl AllowedHosts {
    /// Allows these names as well.
    pub fn new(names: &[String]) -> Self {
        let hosts = Self::default();
        hosts.set(names);
        hosts
    }

    /// Replaces the names.
    pub fn set(&self, names: &[String]) {
        self.0.store(Arc::new(names.iter().map(|name| folded(name)).collect()));
    }

    /// Whether all hosts that a request names are allowed: that of `Host`, and that of an absolute target, which takes precedence
    /// over it (RFC 9112 section 3.2.2).
    pub fn allow(&self, request: &Parts) -> bool {
        let field = request.headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
        let target = request.uri.authority().map(hyper::http::uri::Authority::as_str);
        field.into_iter().chain(target).all(|host| self.allow_host(host))
    }

    fn allow_host(&self, host: &str) -> bool {
        let name = folded(host.split(':').next().unwrap_or_default());
        // Only an IPv6 address is valid in brackets.
        let is_address = host.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
        let is_local = name == "localhost" || name.ends_with(".localhost");
        is_host(host) && (is_address || is_local || self.0.load().contains(&name))
    }
}

/// A name in lower case and without the dot of the root.
fn folded(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether a browser sends a request for a page of another site, other than for a link that its user follows
/// (<https://www.w3.org/TR/fetch-metadata/>).
pub fn is_cross_site(request: &Parts) -> bool {
    let field = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_link = field("sec-fetch-mode") == Some("navigate") && field("sec-fetch-dest") == Some("document");
    if field("sec-fetch-site") == Some("cross-site") && !is_link {
        return true;
    }
    let Some(origin) = field("origin") else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    !host.zip(field("host")).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn request(target: &str, fields: &[(&str, &str)]) -> Parts {
        let request = Request::builder().uri(target);
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn allow(hosts: &AllowedHosts, host: &str) -> bool {
        hosts.allow(&request("/status", &[("host", host)]))
    }

    #[test]
    fn only_addresses_localhost_and_configured_names_are_allowed() {
        let hosts = AllowedHosts::new(&["Monitor.example.org".to_owned(), "gazetted".to_owned()]);
        for host in [
            "127.0.0.1",
            "127.0.0.1:8081",
            "192.0.2.7:8081",
            "[::1]",
            "[::1]:8081",
            "localhost",
            "LocalHost.:8081",
            "a.localhost:1",
            "monitor.example.org",
            "MONITOR.EXAMPLE.ORG.:8081",
            "gazetted:8081",
        ] {
            assert!(allow(&hosts, host), "{host}");
        }
        for host in [
            "attacker.example",
            "attacker.example:8081",
            "127.0.0.1.attacker.example",
            "localhost.attacker.example",
            "notlocalhost",
            ".localhost.attacker.example",
            "2130706433",
            "0x7f000001",
            "127.1",
            "a.monitor.example.org",
            "example.org",
            "",
        ] {
            assert!(!allow(&hosts, host), "{host}");
        }
        hosts.clone().set(&[]);
        assert!(!allow(&hosts, "gazetted") && allow(&hosts, "localhost"));
    }

    #[test]
    fn the_host_of_an_absolute_target_counts_as_well() {
        let hosts = AllowedHosts::default();
        let allow = |target: &str| hosts.allow(&request(target, &[("host", "127.0.0.1")]));
        assert!(allow("http://localhost:8081/status") && allow("/status"));
        assert!(!allow("http://attacker.example/status") && !allow("http://localhost:x@attacker.example/status"));
    }

    #[test]
    fn requests_of_other_sites_are_recognised() {
        let is_cross_site = |fields: &[(&str, &str)]| is_cross_site(&request("/status", fields));
        for fields in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            &[("host", "127.0.0.1:8081"), ("origin", "http://attacker.example")],
            &[("host", "127.0.0.1:8081"), ("origin", "http://127.0.0.1:9000")],
            &[("host", "127.0.0.1:8081"), ("origin", "null")],
        ] {
            assert!(is_cross_site(fields), "{fields:?}");
        }
        for fields in [
            &[][..],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            &[("host", "LOCALHOST:8081"), ("origin", "http://localhost:8081")],
        ] {
            assert!(!is_cross_site(fields), "{fields:?}");
        }
    }
}
