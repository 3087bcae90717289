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

/// The codings that the client allows, best first. Without the header that is none at all, since simple readers send no
/// header and cannot decode (standards 102).
pub fn codings(headers: &HeaderMap) -> Vec<Coding> {
    let (mut gzip, mut identity, mut any) = (None, None, None);
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
    let gzip = gzip.or(any).unwrap_or(0);
    // Identity is allowed unless it is ruled out by name or by "*"; it is worth least unless a weight says more.
    let weighed = identity.is_some_and(|identity| identity > gzip);
    let identity_allowed = identity.or(any.filter(|quality| *quality == 0)) != Some(0);
    let mut codings = Vec::with_capacity(2);
    if gzip > 0 {
        codings.push(Coding::Gzip);
    }
    if identity_allowed {
        codings.insert(if weighed { 0 } else { codings.len() }, Coding::Identity);
    }
    codings
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
