//! Choice of a content coding by `Accept-Encoding` (RFC 9110 section 12.5.3).

use hyper::header::{self, HeaderMap};

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// By gzip.
    Gzip,
}

/// The best coding that the client allows, or `None` if it allows none of those there are. Without the header it is none
/// at all, since simple readers send no header and cannot decode (standards 102).
pub fn coding(headers: &HeaderMap, has_gzip: bool) -> Option<Coding> {
    let mut gzip = None;
    let mut identity = None;
    let mut any = None;
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for part in values.flat_map(|value| value.split(',')) {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let quality = quality(parameters);
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(quality),
            "identity" => identity = Some(quality),
            "*" => any = Some(quality),
            _ => {}
        }
    }
    let gzip = if has_gzip { gzip.or(any).unwrap_or(0) } else { 0 };
    // Identity is always allowed unless it is ruled out by name or by "*"; it is worth least unless a weight says more.
    let identity_weight = identity.or(any.filter(|quality| *quality == 0));
    match (gzip, identity_weight) {
        (0, Some(0)) => None,
        (0, _) => Some(Coding::Identity),
        (gzip, Some(identity)) if identity > gzip => Some(Coding::Identity),
        _ => Some(Coding::Gzip),
    }
}

/// A weight in thousandths: at most three decimals, between 0 and 1. What makes no sense means "not wanted".
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
