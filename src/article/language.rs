//! Detects the language of a text that does not state it.

/// Minimum length of a text for detection, in characters: a headline is too short.
const MIN_LENGTH: usize = 200;
/// Length of the prefix that is examined, in characters.
const SAMPLE: usize = 4_000;

/// Detects the language of paragraphs; returns its BCP 47 tag, or `None` if it is uncertain.
pub fn of_text(paragraphs: &[String]) -> Option<String> {
    let mut sample = String::new();
    for paragraph in paragraphs {
        sample.extend(paragraph.chars().take(SAMPLE));
        sample.push('\n');
        if sample.len() >= SAMPLE {
            break;
        }
    }
    if sample.chars().count() < MIN_LENGTH {
        return None;
    }
    let detected = whatlang::detect(&sample).filter(whatlang::Info::is_reliable)?;
    Some(tag(detected.lang().code()).to_owned())
}

/// The languages that [`tag`] recognises.
#[rustfmt::skip]
const SHORT: [(&str, &str); 70] = [
    ("epo", "eo"), ("eng", "en"), ("rus", "ru"), ("cmn", "zh"), ("spa", "es"), ("por", "pt"), ("ita", "it"),
    ("ben", "bn"), ("fra", "fr"), ("deu", "de"), ("ukr", "uk"), ("kat", "ka"), ("ara", "ar"), ("hin", "hi"),
    ("jpn", "ja"), ("heb", "he"), ("yid", "yi"), ("pol", "pl"), ("amh", "am"), ("jav", "jv"), ("kor", "ko"),
    ("nob", "nb"), ("dan", "da"), ("swe", "sv"), ("fin", "fi"), ("tur", "tr"), ("nld", "nl"), ("hun", "hu"),
    ("ces", "cs"), ("ell", "el"), ("bul", "bg"), ("bel", "be"), ("mar", "mr"), ("kan", "kn"), ("ron", "ro"),
    ("slv", "sl"), ("hrv", "hr"), ("srp", "sr"), ("mkd", "mk"), ("lit", "lt"), ("lav", "lv"), ("est", "et"),
    ("tam", "ta"), ("vie", "vi"), ("urd", "ur"), ("tha", "th"), ("guj", "gu"), ("uzb", "uz"), ("pan", "pa"),
    ("aze", "az"), ("ind", "id"), ("tel", "te"), ("pes", "fa"), ("mal", "ml"), ("ori", "or"), ("mya", "my"),
    ("nep", "ne"), ("sin", "si"), ("khm", "km"), ("tuk", "tk"), ("aka", "ak"), ("zul", "zu"), ("sna", "sn"),
    ("afr", "af"), ("lat", "la"), ("slk", "sk"), ("cat", "ca"), ("tgl", "tl"), ("hye", "hy"), ("cym", "cy"),
];

/// Returns the shortest known tag for a three-letter code.
pub fn of_code(code: &str) -> &str {
    match code {
        // The bibliographic codes of ISO 639-2.
        "ger" => "de",
        "fre" => "fr",
        "dut" => "nl",
        "gre" => "el",
        "chi" | "zho" => "zh",
        "cze" => "cs",
        "rum" => "ro",
        "per" => "fa",
        "nor" => "nb",
        other => tag(other),
    }
}

/// Converts an ISO 639-3 code to the shortest tag (RFC 5646 section 4.5 requires two letters where there are two).
fn tag(code: &str) -> &str {
    SHORT.iter().find(|(long, _)| *long == code).map_or(code, |(_, short)| short)
}

/// The two-letter codes of ISO 639-1.
const CODES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en \
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk \
    kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om \
    or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt \
    tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Splits the language from a file name, as in `storm.fr` or `storm.pt-br`.
pub fn of_name(stem: &str) -> Option<(&str, String)> {
    let (rest, suffix) = stem.rsplit_once('.')?;
    let (code, region) = suffix.split_once(['-', '_']).map_or((suffix, None), |(code, region)| (code, Some(region)));
    let code = code.to_ascii_lowercase();
    let is_language = code.len() == 2 && CODES.split_whitespace().any(|known_code| known_code == code);
    let region = match region {
        None => String::new(),
        Some(region) if region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("-{}", region.to_ascii_uppercase())
        }
        Some(script) if script.len() == 4 && script.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("-{}{}", script[..1].to_ascii_uppercase(), script[1..].to_ascii_lowercase())
        }
        Some(_) => return None,
    };
    (is_language && !rest.is_empty()).then(|| (rest, format!("{code}{region}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        of_text(&[text.repeat(4)])
    }

    #[test]
    fn languages_of_texts() {
        for (text, expected) in [
            ("The bridge stays closed for lorries because of the strong wind, the council said on Wednesday. ", "en"),
            ("Die Brücke bleibt wegen des starken Windes für Lastwagen gesperrt, sagte die Stadt am Mittwoch. ", "de"),
            ("Le pont reste fermé aux camions en raison du vent violent, a déclaré la mairie mercredi matin. ", "fr"),
            ("Мост остаётся закрытым для грузовиков из-за сильного ветра, сообщили власти в среду утром. ", "ru"),
            (
                "由于大风，这座桥今天仍然禁止卡车通行，市政府星期三表示。由于大风，这座桥今天仍然禁止卡车通行，市政府星期三表示。",
                "zh",
            ),
            (
                "強風のため、橋は今日もトラックの通行が禁止されています。市は水曜日に発表しました。強風のため、橋は今日も通行禁止です。",
                "ja",
            ),
        ] {
            assert_eq!(of(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(of_text(&["Breaking news".into()]), None, "a headline is too short");
        assert_eq!(of(&"0123456789 ".repeat(10)), None);
    }

    #[test]
    fn every_language_has_its_tag() {
        for language in whatlang::Lang::all() {
            let tag = tag(language.code());
            assert!(CODES.split_whitespace().any(|code| code == tag), "{tag}");
        }
    }

    #[test]
    fn languages_of_names() {
        assert_eq!(of_name("storm.fr"), Some(("storm", "fr".into())));
        assert_eq!(of_name("storm.pt-br"), Some(("storm", "pt-BR".into())));
        assert_eq!(of_name("storm.zh_hans"), Some(("storm", "zh-Hans".into())));
        for stem in ["storm", "storm.js", "storm.v2", ".fr", "storm.fr-x", "1.0"] {
            assert_eq!(of_name(stem), None, "{stem}");
        }
    }
}
