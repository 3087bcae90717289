//! What the tag of a language says: which words fit it, its direction, its form in Open Graph.

use crate::model::language;

/// Languages whose words are those of another, which their readers share.
const SAME: [(&str, &str); 1] = [("nn", "nb")];

/// The names in themselves of languages that have no words here, by their keys.
const NAMES: [(&str, &str); 71] = [
    ("af", "Afrikaans"),
    ("am", "አማርኛ"),
    ("ast", "Asturianu"),
    ("az", "Azərbaycanca"),
    ("be", "Беларуская"),
    ("bg", "Български"),
    ("bn", "বাংলা"),
    ("br", "Brezhoneg"),
    ("bs", "Bosanski"),
    ("ckb", "کوردی"),
    ("cy", "Cymraeg"),
    ("eo", "Esperanto"),
    ("et", "Eesti"),
    ("eu", "Euskara"),
    ("fil", "Filipino"),
    ("fo", "Føroyskt"),
    ("fy", "Frysk"),
    ("ga", "Gaeilge"),
    ("gd", "Gàidhlig"),
    ("gl", "Galego"),
    ("gu", "ગુજરાતી"),
    ("hi", "हिन्दी"),
    ("hr", "Hrvatski"),
    ("hy", "Հայերեն"),
    ("is", "Íslenska"),
    ("jv", "Basa Jawa"),
    ("ka", "ქართული"),
    ("kk", "Қазақша"),
    ("km", "ខ្មែរ"),
    ("kn", "ಕನ್ನಡ"),
    ("ku", "Kurdî"),
    ("la", "Latina"),
    ("lb", "Lëtzebuergesch"),
    ("lt", "Lietuvių"),
    ("lv", "Latviešu"),
    ("mk", "Македонски"),
    ("ml", "മലയാളം"),
    ("mn", "Монгол"),
    ("mr", "मराठी"),
    ("ms", "Bahasa Melayu"),
    ("mt", "Malti"),
    ("my", "မြန်မာ"),
    ("ne", "नेपाली"),
    ("nn", "Norsk nynorsk"),
    ("oc", "Occitan"),
    ("or", "ଓଡ଼ିଆ"),
    ("pa", "ਪੰਜਾਬੀ"),
    ("ps", "پښتو"),
    ("rm", "Rumantsch"),
    ("si", "සිංහල"),
    ("sk", "Slovenčina"),
    ("sl", "Slovenščina"),
    ("sn", "ChiShona"),
    ("so", "Soomaali"),
    ("sq", "Shqip"),
    ("sr", "Српски"),
    ("sr-latn", "Srpski"),
    ("sw", "Kiswahili"),
    ("ta", "தமிழ்"),
    ("te", "తెలుగు"),
    ("th", "ไทย"),
    ("ti", "ትግርኛ"),
    ("tl", "Tagalog"),
    ("tk", "Türkmençe"),
    ("tt", "Татарча"),
    ("ur", "اردو"),
    ("uz", "O‘zbekcha"),
    ("yi", "ייִדיש"),
    ("yue", "粵語"),
    ("zu", "isiZulu"),
    ("ak", "Akan"),
];

/// Languages written from right to left unless their tag names another script.
const RIGHT_TO_LEFT: [&str; 24] = [
    "ar", "arc", "arz", "bal", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "mzn", "nqo", "pnb", "ps", "sd",
    "syr", "ug", "ur", "yi", "lrc", "azb", "rhg",
];
/// Scripts written from right to left.
const RIGHT_TO_LEFT_SCRIPTS: [&str; 9] = ["arab", "aran", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg", "mand"];

/// The language whose words fit a tag, without script and region.
pub fn primary(tag: &str) -> String {
    let primary = language::primary(tag);
    SAME.iter().find(|(other, _)| *other == primary).map_or(primary, |(_, own)| (*own).to_owned())
}

/// The name of the data file whose words fit a tag, if there is one.
pub fn data_file(tag: &str) -> String {
    let is_traditional = language::script(tag).is_some_and(|script| script == "hant");
    let language = primary(tag);
    if language == "zh" && is_traditional { "zh-Hant".to_owned() } else { language }
}

/// The name in itself of a language that has no words here, by its key.
pub fn other_name(key: &str) -> Option<&'static str> {
    NAMES.iter().find(|(other, _)| *other == key).map(|(_, name)| *name)
}

/// `rtl` or `ltr` for a BCP 47 tag.
pub fn direction(tag: &str) -> &'static str {
    let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let is_right_to_left = match language::script(tag) {
        Some(script) => RIGHT_TO_LEFT_SCRIPTS.contains(&script.as_str()),
        None => RIGHT_TO_LEFT.contains(&primary.as_str()),
    };
    if is_right_to_left { "rtl" } else { "ltr" }
}

/// Open Graph's form of a language with its region; it has none for a language alone.
pub fn locale(language: &str) -> Option<String> {
    let mut parts = language.split('-');
    let primary = parts.next()?.to_ascii_lowercase();
    let region = parts.find(|part| part.len() == 2)?.to_ascii_uppercase();
    Some(format!("{primary}_{region}"))
}
