//! What the tag of a language says: which words fit it, its direction, its form in Open Graph.

/// Tags of languages whose words are those of another: older tags, and languages that their readers share.
const SAME: [(&str, &str); 5] = [("iw", "he"), ("in", "id"), ("no", "nb"), ("nn", "nb"), ("mo", "ro")];

/// Regions whose Chinese is written in traditional characters.
const TRADITIONAL: [&str; 3] = ["tw", "hk", "mo"];

/// Languages written from right to left unless their tag names another script.
const RIGHT_TO_LEFT: [&str; 24] = [
    "ar", "arc", "arz", "bal", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "mzn", "nqo", "pnb", "ps", "sd",
    "syr", "ug", "ur", "yi", "lrc", "azb", "rhg",
];
/// Scripts written from right to left.
const RIGHT_TO_LEFT_SCRIPTS: [&str; 9] = ["arab", "aran", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg", "mand"];

/// The language without script and region, by its present tag.
pub fn primary(tag: &str) -> String {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    SAME.iter().find(|(other, _)| *other == primary).map_or(primary, |(_, own)| (*own).to_owned())
}

/// The name of the data file whose words fit a tag, if there is one.
pub fn data_file(tag: &str) -> String {
    let language = primary(tag);
    let subtags = || tag.split(['-', '_']).skip(1).map(str::to_ascii_lowercase);
    let is_traditional = match subtags().find(|subtag| is_script(subtag)) {
        Some(script) => script == "hant",
        None => subtags().any(|subtag| TRADITIONAL.contains(&subtag.as_str())),
    };
    if language == "zh" && is_traditional { "zh-Hant".to_owned() } else { language }
}

/// `rtl` or `ltr` for a BCP 47 tag.
pub fn direction(language: &str) -> &'static str {
    let mut parts = language.split('-');
    let primary = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_right_to_left = match parts.find(|part| is_script(part)) {
        Some(script) => RIGHT_TO_LEFT_SCRIPTS.contains(&script.to_ascii_lowercase().as_str()),
        None => RIGHT_TO_LEFT.contains(&primary.as_str()),
    };
    if is_right_to_left { "rtl" } else { "ltr" }
}

fn is_script(subtag: &str) -> bool {
    subtag.len() == 4 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Open Graph's form of a language with its region; it has none for a language alone.
pub fn locale(language: &str) -> Option<String> {
    let mut parts = language.split('-');
    let primary = parts.next()?.to_ascii_lowercase();
    let region = parts.find(|part| part.len() == 2)?.to_ascii_uppercase();
    Some(format!("{primary}_{region}"))
}
