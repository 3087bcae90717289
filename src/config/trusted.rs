//! `http.trusted_proxies`: peers whose forwarded client addresses are believed.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Name of all peers on a Unix socket.
const UNIX: &str = "unix";
/// Length of the prefix of IPv4-mapped IPv6 addresses, `::ffff:0:0/96`.
const MAPPED: u8 = 96;

/// A network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differing = first.to_bits() ^ address.to_bits();
                differing.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differing = first.to_bits() ^ address.to_bits();
                differing.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

fn length(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Returns the first address of the network of `prefix` bits that contains `address`.
fn first(address: IpAddr, prefix: u8) -> IpAddr {
    let host_bits = u32::from(length(address) - prefix);
    match address {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & u32::MAX.checked_shl(host_bits).unwrap_or(0)).into()),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & u128::MAX.checked_shl(host_bits).unwrap_or(0)).into()),
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| {
            "neither an address nor a network: use one such as 192.0.2.1, 10.0.0.0/8, fd00::/8 or unix".to_owned()
        })?;
        let longest = length(address);
        let is_plain = |text: &str| text == "0" || text.starts_with(|c: char| ('1'..='9').contains(&c));
        let prefix = match prefix {
            None => longest,
            Some(text) => text
                .parse()
                .ok()
                .filter(|prefix| is_plain(text) && *prefix <= longest)
                .ok_or_else(|| format!("the prefix length after the slash must be a number from 0 to {longest}"))?,
        };
        let begins = first(address, prefix);
        if begins != address {
            return Err(format!(
                "the address has bits set after the first {prefix}: use {begins}/{prefix}, or the address alone"
            ));
        }
        Ok(match address.to_canonical() {
            first @ IpAddr::V4(_) if longest > 32 && prefix >= MAPPED => Self { first, prefix: prefix - MAPPED },
            _ => Self { first: address, prefix },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        if self.prefix < length(self.first) {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

/// A trusted peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxy {
    Network(Network),
    /// Any peer on a Unix socket.
    Unix,
}

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == UNIX { Ok(Self::Unix) } else { text.parse().map(Self::Network) }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Unix => f.write_str(UNIX),
        }
    }
}

/// All trusted peers; an empty list trusts none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Proxy>);

impl TrustedProxies {
    /// Returns true if a peer is trusted. `None` is a peer on a Unix socket.
    pub fn contains(&self, peer: Option<IpAddr>) -> bool {
        let peer = peer.map(|address| address.to_canonical());
        self.0.iter().any(|proxy| match (proxy, peer) {
            (Proxy::Network(network), Some(address)) => network.contains(address),
            (Proxy::Unix, None) => true,
            _ => false,
        })
    }
}

impl Default for TrustedProxies {
    /// Loopback addresses and Unix sockets.
    fn default() -> Self {
        let four = Network { first: IpAddr::from([127, 0, 0, 0]), prefix: 8 };
        let six = Network { first: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 };
        Self(vec![Proxy::Network(four), Proxy::Network(six), Proxy::Unix])
    }
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let texts = Vec::<String>::deserialize(deserializer)?;
        let proxy = |text: &String| text.parse().map_err(|error| D::Error::custom(format!("`{text}`: {error}")));
        texts.iter().map(proxy).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for TrustedProxies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct File {
        proxies: TrustedProxies,
    }

    fn of(list: &str) -> TrustedProxies {
        toml::from_str::<File>(&format!("proxies = {list}")).unwrap().proxies
    }

    #[test]
    fn membership_follows_the_networks() {
        for (list, inside, outside) in [
            (
                "['10.0.0.0/8']",
                &["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"][..],
                &["11.0.0.0", "9.255.255.255"][..],
            ),
            ("['192.0.2.1']", &["192.0.2.1"], &["192.0.2.0", "192.0.2.2", "::192.0.2.1"]),
            ("['192.0.2.128/25']", &["192.0.2.128", "192.0.2.255"], &["192.0.2.127"]),
            ("['fd00::/8']", &["fd00::", "fdff:ffff::1"], &["fc00::1", "fe00::", "10.0.0.1"]),
            ("['2001:db8::1']", &["2001:db8::1"], &["2001:db8::", "2001:db8::2"]),
            ("['0.0.0.0/0']", &["1.2.3.4", "255.255.255.255", "::ffff:1.2.3.4"], &["::1", "::"]),
            ("['::/0']", &["::1", "fd00::1"], &["1.2.3.4", "::ffff:1.2.3.4"]),
            ("['::ffff:10.0.0.0/104']", &["10.1.2.3", "::ffff:10.1.2.3"], &["11.1.2.3"]),
            ("['::ffff:192.0.2.1']", &["192.0.2.1"], &["192.0.2.2"]),
            ("['unix']", &[], &["127.0.0.1", "::1"]),
            ("[]", &[], &["127.0.0.1", "::1"]),
        ] {
            let proxies = of(list);
            for (addresses, expected) in [(inside, true), (outside, false)] {
                for address in addresses {
                    assert_eq!(proxies.contains(Some(address.parse().unwrap())), expected, "{address} in {list}");
                }
            }
            assert_eq!(proxies.contains(None), list.contains("unix"), "{list}");
        }
        assert_eq!(of("['127.0.0.0/8', '::1', 'unix']"), TrustedProxies::default());
    }

    #[test]
    fn a_list_is_written_in_its_shortest_form() {
        for (list, expected) in [
            ("['127.0.0.0/8', '::1', 'unix']", r#"["127.0.0.0/8", "::1", "unix"]"#),
            ("['::ffff:10.0.0.0/104', '1.2.3.4/32', 'FD00::/8']", r#"["10.0.0.0/8", "1.2.3.4", "fd00::/8"]"#),
            ("[]", "[]"),
        ] {
            assert_eq!(toml::to_string(&File { proxies: of(list) }).unwrap(), format!("proxies = {expected}\n"));
        }
    }

    #[test]
    fn other_values_are_refused_with_a_reason() {
        for (list, reason) in [
            ("['proxy.example']", "`proxy.example`: neither an address nor a network"),
            ("['']", "neither an address"),
            ("['/8']", "neither an address"),
            ("['10.0.0.0/8/8']", "from 0 to 32"),
            ("['10.0.0.0/33']", "from 0 to 32"),
            ("['10.0.0.0/']", "from 0 to 32"),
            ("['10.0.0.0/+8']", "from 0 to 32"),
            ("['10.0.0.0/08']", "from 0 to 32"),
            ("['10.0.0.0/255.0.0.0']", "from 0 to 32"),
            ("['fd00::/129']", "from 0 to 128"),
            ("['10.0.0.1/8']", "use 10.0.0.0/8"),
            ("['fd00::1/8']", "use fd00::/8"),
            ("['127.0.0.1:80']", "neither an address"),
            ("[' ::1']", "neither an address"),
            ("['fe80::1%eth0']", "neither an address"),
            ("['UNIX']", "neither an address"),
            ("['unix:/run/g.sock']", "neither an address"),
            ("'::1'", "expected a sequence"),
            ("[8]", "expected a string"),
        ] {
            let error = toml::from_str::<File>(&format!("proxies = {list}")).unwrap_err().message().to_owned();
            assert!(error.contains(reason) && !error.contains('\n'), "{list}: {error}");
        }
    }
}
