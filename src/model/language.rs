//! Tags of languages (BCP 47): what two of them have in common, and the language whose view has an article.

/// Older tags and the present ones; `no` is what `nb` is called where nothing else is meant.
const PRESENT: [(&str, &str); 5] = [("iw", "he"), ("in", "id"), ("ji", "yi"), ("mo", "ro"), ("no", "nb")];

/// Regions whose Chinese is written in traditional characters.
const TRADITIONAL: [&str; 3] = ["tw", "hk", "mo"];

/// Languages that are written in several scripts, each with the one that is meant where none is named.
const USUAL_SCRIPTS: [(&str, &str); 12] = [
    ("az", "latn"),
    ("bs", "latn"),
    ("kk", "cyrl"),
    ("ku", "latn"),
    ("mn", "cyrl"),
    ("ms", "latn"),
    ("pa", "guru"),
    ("sr", "cyrl"),
    ("tg", "cyrl"),
    ("uz", "latn"),
    ("yue", "hant"),
    ("zh", "hans"),
];

/// Tags that name no language: several, none, an unknown one.
const NO_LANGUAGE: [&str; 4] = ["mul", "zxx", "und", "mis"];

/// The language without script and region, by its present tag.
pub fn primary(tag: &str) -> String {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    PRESENT.iter().find(|(old, _)| *old == primary).map_or(primary, |(_, present)| (*present).to_owned())
}

/// The script that a tag names, or that the region of Chinese implies, in lower case.
pub fn script(tag: &str) -> Option<String> {
    let subtags = || tag.split(['-', '_']).skip(1).map(str::to_ascii_lowercase);
    let is_script = |subtag: &String| subtag.len() == 4 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let by_region = || {
        let is_traditional = subtags().any(|subtag| TRADITIONAL.contains(&subtag.as_str()));
        (is_traditional && primary(tag) == "zh").then(|| "hant".to_owned())
    };
    subtags().find(is_script).or_else(by_region)
}

/// The key of the view of a language. Regions count for nothing: `pt`, `pt-BR` and `pt-PT` are one. Scripts count where a language has
/// several that not all of its readers read: `zh-TW` and `zh-Hant` are `zh-hant`, `zh-CN` and `zh` are `zh`. `None` if it is no language.
pub fn key(tag: &str) -> Option<String> {
    let primary = primary(tag.trim());
    let is_language = (2..=8).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_language || NO_LANGUAGE.contains(&primary.as_str()) {
        return None;
    }
    let usual = USUAL_SCRIPTS.iter().find(|(language, _)| *language == primary).map(|(_, script)| *script);
    let script = script(tag.trim()).filter(|script| usual.is_some_and(|usual| usual != script));
    Some(script.map_or_else(|| primary.clone(), |script| format!("{primary}-{script}")))
}

/// The tag of the language with this key, as tags are written: `zh-hant` is `zh-Hant`.
pub fn tag(key: &str) -> String {
    match key.split_once('-') {
        Some((primary, script)) if script.is_char_boundary(1) => {
            format!("{primary}-{}{}", script[..1].to_ascii_uppercase(), &script[1..])
        }
        _ => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_share_a_view_and_scripts_do_not() {
        for (tags, expected) in [
            (&["pt", "pt-BR", "PT_br", "pt-PT"][..], Some("pt")),
            (&["zh", "zh-CN", "zh-Hans", "zh-Hans-SG"], Some("zh")),
            (&["zh-TW", "zh-Hant", "zh_HANT_HK"], Some("zh-hant")),
            (&["sr", "sr-Cyrl"], Some("sr")),
            (&["sr-Latn", "sr-Latn-RS"], Some("sr-latn")),
            (&["en-Latn", "en-GB"], Some("en")),
            (&["iw", "he-IL"], Some("he")),
            (&["no", "nb-NO"], Some("nb")),
            (&["nn"], Some("nn")),
            (&["ast"], Some("ast")),
            (&["", "x", "1a", "und", "mul", "a/b", "öö"], None),
        ] {
            for tag in tags {
                assert_eq!(key(tag).as_deref(), expected, "{tag}");
            }
        }
        assert_eq!((tag("zh-hant").as_str(), tag("pt").as_str()), ("zh-Hant", "pt"));
        assert_eq!(key(&tag("sr-latn")).as_deref(), Some("sr-latn"));
    }
}
