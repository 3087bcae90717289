//! Chooses the content coding by `Accept-Encoding` and the media type by `Accept` (RFC 9110 sections 12.5.1 and 12.5.3).

use std::cmp::Reverse;

use hyper::header::{self, HeaderMap};

use super::fields::{self, FieldValues};
use crate::render::compression::ContentCoding;

/// Returns the content codings that the client accepts, best first; among equals the one with smaller bodies. Without the header
/// only `identity`, since simple readers send none and cannot decode (standards 102).
pub fn codings(accept_encoding: FieldValues<'_>) -> impl Iterator<Item = ContentCoding> + use<> {
    let mut weights = [None; ContentCoding::ALL.len()];
    let mut any = None;
    for part in accept_encoding.texts().flat_map(|value| fields::split(value, b',')) {
        let mut parts = fields::split(part, b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let name = match name.split_at_checked(2) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("x-") => rest,
            _ => name,
        };
        let quality = Some(quality(parts));
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
    ranked.sort_by_key(|(quality, _)| Reverse(*quality));
    ranked.into_iter().filter(|(quality, _)| *quality > 0).map(|(_, coding)| coding)
}

/// Whether a browser opens the document as a page of its own. What it fetches for a script or saves from a link is none.
pub fn is_opened(sec_fetch_dest: FieldValues<'_>) -> bool {
    sec_fetch_dest.iter().next().is_some_and(|dest| dest == "document")
}

/// Whether the client prefers Markdown to HTML: `Accept` names it with a greater weight than `text/html` (RFC 9110 section 12.5.1).
/// Browsers do not name it, and a range such as `text/*` prefers neither.
pub fn prefers_markdown(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    // Of equal weights, the first in the list counts.
    let (mut markdown, mut html) = ((0, Reverse(usize::MAX)), (0, Reverse(usize::MAX)));
    for (place, part) in values.flat_map(|value| value.split(',')).enumerate() {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let rank = match name.trim() {
            name if name.eq_ignore_ascii_case("text/markdown") => &mut markdown,
            name if name.eq_ignore_ascii_case("text/html") => &mut html,
            _ => continue,
        };
        *rank = (*rank).max((weight(parameters), Reverse(place)));
    }
    markdown.0 > 0 && markdown > html
}

/// The weight among the parameters of a media type, in thousandths.
fn weight(parameters: &str) -> u16 {
    let is_weight = |parameter: &&str| parameter.trim_start().to_ascii_lowercase().starts_with("q=");
    let mut parameters = parameters.split(';');
    parameters.find(is_weight).map_or(1000, |weight| quality(std::iter::once(weight)))
}

/// Reads the weight among parameters, in thousandths: at most three decimals, between 0 and 1. A malformed weight counts as 0.
fn quality<'a>(parameters: impl Iterator<Item = &'a str>) -> u16 {
    let parameter = parameters.map(str::trim_ascii).find(|parameter| !parameter.is_empty());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_has_to_be_named_with_the_greater_weight() {
        for (accept, expected) in [
            ("text/markdown", true),
            ("text/markdown, text/html;q=0.9, */*;q=0.1", true),
            ("TEXT/Markdown;variant=GFM;q=1.0, text/html;q=.5", true),
            ("text/markdown, text/html", true),
            ("text/html, text/markdown", false),
            ("text/html;note=text/markdown, text/markdown", false),
            ("text/markdown;q=0.5, text/html;q=0.5, text/markdown;q=0.4", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
            ("text/html, text/markdown;q=0.5", false),
            ("text/markdown;q=0", false),
            ("text/*", false),
            ("*/*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(prefers_markdown(&headers), expected, "{accept}");
        }
        assert!(!prefers_markdown(&HeaderMap::new()));
    }
}
