//! Detects the language of a text that does not state it.

use whatlang::Script;

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
    if let Some(east_asian) = of_east_asian(&sample) {
        return Some(east_asian.to_owned());
    }
    if sample.chars().count() < MIN_LENGTH {
        return None;
    }
    let detected = whatlang::detect(&sample)?;
    let tag = tag(detected.lang().code());
    // In Latin letters, Serbian is always taken for one of its neighbours.
    if matches!(tag, "hr" | "sl") && is_ekavian(&sample) {
        return Some("sr".to_owned());
    }
    detected.is_reliable().then(|| tag.to_owned())
}

/// From this length on, a text says what its language is, in characters.
const ENOUGH: usize = 400;

/// The script of a text that is too short to say its language surely; `None` if it is long enough, or has no letters.
pub fn script_of_little(paragraphs: &[String]) -> Option<Script> {
    let length = paragraphs.iter().flat_map(|paragraph| paragraph.chars()).take(ENOUGH).count();
    if length < ENOUGH { whatlang::detect_script(&paragraphs.join("\n")) } else { None }
}

/// Whether a text in a script can be in a language.
pub fn fits(script: Script, tag: &str) -> bool {
    use Script::{
        Arabic, Armenian, Bengali, Cyrillic, Devanagari, Ethiopic, Georgian, Greek, Gujarati, Gurmukhi, Hangul, Hebrew,
        Hiragana, Kannada, Katakana, Khmer, Latin, Malayalam, Mandarin, Myanmar, Oriya, Sinhala, Tamil, Telugu, Thai,
    };
    let scripts: &[Script] = match tag.split('-').next().unwrap_or_default() {
        "sr" | "bs" | "uz" | "az" | "kk" => &[Latin, Cyrillic],
        "ru" | "uk" | "bg" | "be" | "mk" | "mn" | "ky" | "tg" => &[Cyrillic],
        "el" => &[Greek],
        "he" | "yi" => &[Hebrew],
        "ar" | "fa" | "ur" | "ps" | "ckb" => &[Arabic],
        "zh" => &[Mandarin],
        "ja" => &[Mandarin, Hiragana, Katakana],
        "ko" => &[Hangul],
        "hi" | "mr" | "ne" | "sa" => &[Devanagari],
        "bn" | "as" => &[Bengali],
        "th" => &[Thai],
        "ka" => &[Georgian],
        "hy" => &[Armenian],
        "ta" => &[Tamil],
        "te" => &[Telugu],
        "kn" => &[Kannada],
        "ml" => &[Malayalam],
        "gu" => &[Gujarati],
        "pa" => &[Gurmukhi],
        "or" => &[Oriya],
        "si" => &[Sinhala],
        "km" => &[Khmer],
        "my" => &[Myanmar],
        "am" | "ti" => &[Ethiopic],
        _ => &[Latin],
    };
    scripts.contains(&script)
}

/// The language of most of these articles: of more than half.
pub fn of_most(languages: &[String]) -> Option<&str> {
    let count = |tag: &str| languages.iter().filter(|other| *other == tag).count();
    languages.iter().map(String::as_str).find(|tag| count(tag) * 2 > languages.len())
}

/// Minimum number of East Asian letters for their language.
const MIN_EAST_ASIAN: usize = 10;

/// The language of a text of which a fifth of the letters or more are East Asian: it has English words, and not the other way round.
fn of_east_asian(text: &str) -> Option<&'static str> {
    let (mut letters, mut han, mut kana, mut hangul) = (0, 0, 0, 0);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        match c {
            '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9D}' => kana += 1,
            '\u{AC00}'..='\u{D7AF}' | '\u{1100}'..='\u{11FF}' => hangul += 1,
            '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' => {
                han += 1;
            }
            _ => {}
        }
    }
    let all = han + kana + hangul;
    if all < MIN_EAST_ASIAN || all * 5 < letters {
        return None;
    }
    // Chinese quotes Japanese names rarely; Japanese has kana in each sentence.
    match () {
        () if hangul > han + kana => Some("ko"),
        () if kana * 10 >= han + kana => Some("ja"),
        () if han > 0 => Some("zh"),
        () => None,
    }
}

/// Whether a text in Latin letters that could be Croatian is rather Serbian, by words that the two write differently.
fn is_ekavian(text: &str) -> bool {
    const SERBIAN: [&str; 14] = [
        " gde ", " pre ", " posle ", " šta ", " uvek ", " vreme", " mesto", " deo ", " reč", " svet", " čovek",
        " avgust", " nedelj", " sred",
    ];
    const CROATIAN: [&str; 14] = [
        " gdje ",
        " prije ",
        " poslije ",
        " što ",
        " uvijek ",
        " vrijeme",
        " mjesto",
        " dio ",
        " riječ",
        " svijet",
        " čovjek",
        " kolovoz",
        " tjed",
        " srijed",
    ];
    let text = text.to_lowercase();
    let count = |words: &[&str]| words.iter().map(|word| text.matches(word).count()).sum::<usize>();
    count(&SERBIAN) >= 2 + count(&CROATIAN)
}

/// Whether a text in a detected language can be in another one that is stated: the same one, or one that is hard to tell from it.
pub fn may_be(detected: &str, stated: &str) -> bool {
    const ALIKE: [&[&str]; 5] =
        [&["hr", "sr", "bs", "sh", "me"], &["nb", "nn", "no", "da"], &["id", "ms"], &["cs", "sk"], &["pt", "gl"]];
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let (detected, stated) = (primary(detected), primary(stated));
    detected == stated
        || ALIKE.iter().any(|group| group.contains(&detected.as_str()) && group.contains(&stated.as_str()))
}

/// The language that the nearest folder of such a name states: `ja`, `zh-tw`, `pt_BR`. A folder of two letters may mean something else, so
/// the text must not contradict it.
pub fn of_folders(path: &std::path::Path) -> Option<String> {
    path.parent()?.iter().rev().find_map(|folder| of_suffix(folder.to_str()?))
}

/// The language that the name of a file or a folder above it states.
pub fn of_path(path: &std::path::Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    of_name(stem).map(|(_, tag)| tag).or_else(|| of_folders(path))
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
    Some((rest, of_suffix(suffix)?)).filter(|(rest, _)| !rest.is_empty())
}

/// Reads a language code of two letters, with or without a region or a script.
fn of_suffix(suffix: &str) -> Option<String> {
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
    is_language.then(|| format!("{code}{region}"))
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
    fn english_words_do_not_change_the_language_of_other_scripts() {
        let english = "npm install hexo-cli and then run hexo init in your project folder to create all of the files. ";
        for (text, expected) in [
            ("安裝 Hexo 只需幾分鐘。若您在安裝過程中遇到問題，請提交問題。", "zh"),
            ("インストールは数分で終わります。問題があれば、報告してください。", "ja"),
            ("설치는 몇 분이면 끝납니다. 문제가 있으면 알려 주십시오.", "ko"),
        ] {
            assert_eq!(of_text(&[text.to_owned()]).as_deref(), Some(expected), "{text}");
            assert_eq!(of_text(&[text.to_owned(), english[..60].to_owned()]).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(of(&format!("The word 安裝 means to install, as in {english}")).as_deref(), Some("en"));
    }

    #[test]
    fn serbian_is_not_croatian() {
        let serbian = "U sredu posle podne, pre nego što je vreme postalo loše, čovek je pitao gde je mesto i šta se tamo uvek dešava. ";
        let croatian = "U srijedu poslije podne, prije nego što je vrijeme postalo loše, čovjek je pitao gdje je mjesto i što se tamo uvijek događa. ";
        assert_eq!(of(serbian).as_deref(), Some("sr"));
        assert_ne!(of(croatian).as_deref(), Some("sr"));
    }

    #[test]
    fn languages_of_folders() {
        let of = |path: &str| of_folders(std::path::Path::new(path));
        assert_eq!(of("ja/a.md").as_deref(), Some("ja"));
        assert_eq!(of("source/_posts/zh-tw/2024/a.md").as_deref(), Some("zh-TW"));
        assert_eq!(of("content/pt_br/a.md").as_deref(), Some("pt-BR"));
        assert_eq!(of("posts/english/a.md"), None);
        assert_eq!(of("de.md"), None);
        assert!(may_be("hr", "sr-Latn") && may_be("en", "en-GB") && !may_be("en", "de"));
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
