//! Chooses the content coding by `Accept-Encoding` (RFC 9110 section 12.5.3).

use hyper::header::{self, HeaderMap};

use crate::render::compression::ContentCoding;

/// Returns the content codings that the client accepts, best first; among equals the one with smaller bodies. Without the header
/// only `identity`, since simple readers send none and cannot decode (standards 102).
pub fn codings(headers: &HeaderMap) -> impl Iterator<Item = ContentCoding> {
    let mut weights = [None; ContentCoding::ALL.len()];
    let mut any = None;
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for part in values.flat_map(|value| value.split(',')) {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let name = name.trim();
        let name = match name.split_at_checked(2) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("x-") => rest,
            _ => name,
        };
        let quality = Some(quality(parameters));
        match ContentCoding::ALL.iter().position(|coding| coding.name().eq_ignore_ascii_case(name)) {
            Some(place) => weights[place] = quality,
            None if name == "*" => any = quality,
            None => {}
        }
    }
    let mut ranked = ContentCoding::ALL.map(|coding| (0, coding));
    for ((quality, coding), weight) in ranked.iter_mut().zip(weights) {
        *quality = match (coding, weight) {
            (_, Some(weight)) => weight,
            // Acceptable unless excluded by name or by "*", and the last choice unless it has a weight of its own.
            (ContentCoding::Identity, None) => any.map_or(1, |any| any.min(1)),
            (_, None) => any.unwrap_or(0),
        };
    }
    // A stable sort: the order of `ContentCoding::ALL` decides between equals.
    ranked.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    ranked.into_iter().filter(|(quality, _)| *quality > 0).map(|(_, coding)| coding)
}

/// Reads a weight, in thousandths: at most three decimals, between 0 and 1. A malformed weight counts as 0.
fn quality(parameters: &str) -> u16 {
    let parameter = parameters.split(';').map(str::trim).find(|parameter| !parameter.is_empty());
    let Some(parameter) = parameter else { return 1000 };
    let value = parameter
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map(|(_, value)| value.trim());
    let number: Option<f32> = value.filter(|value| value.len() <= 5).and_then(|value| value.parse().ok());
    match number {
        Some(number) if (0.0..=1.0).contains(&number) => {
            // At most 1000 by the check above.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let thousandths = (number * 1000.0).round() as u16;
            thousandths
        }
        _ => 0,
    }
}
