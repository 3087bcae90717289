//! Links that add a podcast to the players that people listen with.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// A link that opens a player.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct PlayerLink {
    name: &'static str,
    address: String,
}

/// How a player takes the address of a feed.
enum AddressForm {
    /// Whole, percent-encoded.
    Encoded,
    /// Without `https://`.
    WithoutScheme,
}

/// Players and what stands before the address of the feed.
const PLAYERS: [(&str, &str, AddressForm); 4] = [
    ("Apple Podcasts", "podcast://", AddressForm::WithoutScheme),
    ("Pocket Casts", "pktc://subscribe/", AddressForm::WithoutScheme),
    ("Overcast", "overcast://x-callback-url/add?url=", AddressForm::Encoded),
    ("AntennaPod", "https://antennapod.org/deeplink/subscribe?url=", AddressForm::Encoded),
];

/// A link for each player.
pub fn links(feed: &str) -> Vec<PlayerLink> {
    let link = |(name, before, form): &(&'static str, &str, AddressForm)| {
        let address = match form {
            AddressForm::Encoded => format!("{before}{}", utf8_percent_encode(feed, NON_ALPHANUMERIC)),
            AddressForm::WithoutScheme => format!("{before}{}", feed.split_once("://").map_or(feed, |(_, rest)| rest)),
        };
        PlayerLink { name, address }
    };
    PLAYERS.iter().map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_player_gets_the_address_in_its_form() {
        let addresses = links("https://a.example/b/rss.xml").into_iter().map(|link| link.address);
        assert_eq!(
            addresses.collect::<Vec<_>>(),
            [
                "podcast://a.example/b/rss.xml",
                "pktc://subscribe/a.example/b/rss.xml",
                "overcast://x-callback-url/add?url=https%3A%2F%2Fa%2Eexample%2Fb%2Frss%2Exml",
                "https://antennapod.org/deeplink/subscribe?url=https%3A%2F%2Fa%2Eexample%2Fb%2Frss%2Exml",
            ]
        );
    }
}
