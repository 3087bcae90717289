//! Names of files: whether one is a title.

use super::summary::is_cjk;

/// Names that programs give to files that their writers did not name, before a number, in lower case.
const DEFAULTS: [&str; 12] = [
    "untitled",
    "unnamed",
    "unbenannt",
    "sans titre",
    "sin título",
    "senza titolo",
    "sem título",
    "naamloos",
    "namnlös",
    "bez tytułu",
    "无标题",
    "無題",
];
/// Beginnings of the names that cameras and scanners give to files, in lower case.
const DEVICES: [&str; 8] = ["img", "dsc", "dscn", "dscf", "pxl", "vid", "mvimg", "scan"];
/// Months and days of the week in English, by their first letters: beside numbers, they are part of a date.
const CALENDAR: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun",
];
/// Minimum number of letters that make a word of a part with digits: `covid19`, and not `ep12`.
const LEAST_BESIDE_DIGITS: usize = 3;
/// Beside a hash or an id, a part of fewer letters belongs to it.
const LEAST_BESIDE_HASH: usize = 5;
/// From these lengths on, a part of letters and digits is a hash or an id: if it is hexadecimal, if letters and digits alternate, in any case.
const LEAST_HEXADECIMAL: usize = 7;
const LEAST_ALTERNATING: usize = 6;
const LEAST_MIXED: usize = 16;

/// Whether a name, without its date and extension, is in words, and no number, date, hash or id.
pub fn is_in_words(stem: &str) -> bool {
    let lower = stem.trim().to_lowercase();
    let unnumbered = lower.trim_end_matches(|c: char| c.is_ascii_digit() || " -_()".contains(c));
    let is_default = unnumbered.len() < lower.len() && DEFAULTS.contains(&unnumbered);
    if is_default || is_uuid(&lower) {
        return false;
    }
    let parts: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let has_digits = parts.iter().any(|part| part.contains(|c: char| c.is_ascii_digit()));
    let has_hash = parts.iter().any(|part| is_hash(part));
    let is_of_device = has_digits
        && parts.first().is_some_and(|part| DEVICES.contains(&part.trim_end_matches(|c: char| c.is_ascii_digit())));
    let least = match () {
        () if has_hash => LEAST_BESIDE_HASH,
        () if has_digits => 2,
        () => 1,
    };
    !is_of_device && parts.iter().any(|part| is_word(part, has_digits, least))
}

fn is_word(part: &str, has_digits: bool, least: usize) -> bool {
    let letters = part.chars().filter(|c| c.is_alphabetic()).count();
    if is_mixed(part) {
        return letters >= LEAST_BESIDE_DIGITS && !is_mixed(without_outer_digits(part)) && !is_hash(part);
    }
    let is_of_calendar = has_digits
        && part.is_ascii()
        && CALENDAR.iter().any(|name| {
            part.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with("day") || is_rest_of_month(name, rest))
        });
    !is_of_calendar && letters > 0 && (letters >= least || part.chars().any(is_cjk))
}

fn is_rest_of_month(name: &str, rest: &str) -> bool {
    let months = [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "sept",
        "october",
        "november",
        "december",
    ];
    months.iter().any(|month| month.strip_prefix(name) == Some(rest))
}

/// Whether a part has both letters and digits.
fn is_mixed(part: &str) -> bool {
    part.contains(|c: char| c.is_ascii_digit()) && part.contains(char::is_alphabetic)
}

fn without_outer_digits(part: &str) -> &str {
    part.trim_matches(|c: char| c.is_ascii_digit())
}

fn is_hash(part: &str) -> bool {
    let is_hexadecimal = part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let alternates = is_mixed(without_outer_digits(part));
    is_mixed(part)
        && (part.len() >= LEAST_MIXED
            || (is_hexadecimal && part.len() >= LEAST_HEXADECIMAL)
            || (alternates && part.len() >= LEAST_ALTERNATING))
}

/// Whether a name is a UUID (RFC 9562 section 4).
fn is_uuid(name: &str) -> bool {
    let lengths: Vec<usize> = name.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && name.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_and_ids_are_no_words() {
        for name in [
            "",
            "1",
            "0042",
            "n1",
            "n12",
            "x7",
            "1009",
            "2026-11-24-1009",
            "20261124",
            "202611241009",
            "20261124T100900",
            "2026-W48",
            "24-nov-2026",
            "november 24 2026",
            "2026_11_24",
            "tue-24-11",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "deadbeef-dead-beef-dead-beefdeadbeef",
            "3906ba8a",
            "e83c5163316f89bfbde7d9ab23ca2e25604af290",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "V1StGXR8_Z5jdHi6B-myT",
            "1a2b",
            "21a3b1",
            "202611241009a",
            "Untitled 3",
            "untitled-2",
            "Unbenannt (1)",
            "Sans titre 1",
            "IMG_1234",
            "DSC01234",
            "PXL_20261124_100900",
            "1732442940",
            "12.03.2026",
            "ep12",
        ] {
            assert!(!is_in_words(name), "{name}");
        }
        for name in [
            "Harbour walk",
            "harbour-walk",
            "storm",
            "no",
            "a",
            "covid19",
            "summer69",
            "post-1",
            "note 12",
            "web-20 and after",
            "b2b-sales",
            "24 hours",
            "may",
            "march",
            "3d-printing",
            "海の日",
            "灯台",
            "été",
            "monday",
            "1984-by-orwell",
            "20261124 harbour",
            "202611241009 Harbour walk",
            "top10",
            "untitled song",
            "Untitled",
            "scanner-darkly",
            "decade",
        ] {
            assert!(is_in_words(name), "{name}");
        }
    }
}
