use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeZone, Utc};

use super::*;

fn table(source: &str) -> toml::Table {
    source.parse().unwrap()
}

/// Names in braces of a text.
fn names(text: &str) -> BTreeSet<String> {
    let name = |part: TextPart<'_>| match part {
        TextPart::Name(name, _) => Some(name.to_owned()),
        TextPart::Text(_) => None,
    };
    parts(text).into_iter().filter_map(name).collect()
}

#[test]
fn each_language_has_the_same_words_with_the_same_parts() {
    let english = table(sources().next().unwrap());
    let keys: Vec<&String> = english.keys().collect();
    for source in sources() {
        let words = table(source);
        assert_eq!(words.keys().collect::<Vec<_>>(), keys, "{source}");
        for (key, value) in &words {
            let Some(text) = value.as_str() else { continue };
            assert_eq!(names(text), names(english[key].as_str().unwrap()), "{key} = {text:?}");
            assert!(!text.trim().is_empty() && !text.contains(['<', '&', '\n', '"', '\\']), "{key} = {text:?}");
        }
        assert_eq!(names(words["date"]["pattern"].as_str().unwrap()), names("{day}{month}{year}"));
        assert_eq!(words["amounts"].as_table().unwrap().len(), english["amounts"].as_table().unwrap().len());
    }
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/render/words")).unwrap();
    let files = folder.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "toml"));
    assert_eq!(sources().count(), files.count(), "each data file is listed");
}

/// German words that are also English ones.
const SHARED: [&str; 8] = [", ", "Audio", "Video", "Trailer", "Bonus", "Tags", "Tag: {name}", "Download"];

#[test]
fn no_word_of_a_german_page_is_english() {
    let of = |tag: &str| serde_json::to_value(&Words::of(tag).texts).unwrap();
    let (english, german) = (of("en"), of("de"));
    for (key, text) in english.as_object().unwrap() {
        let text = text.as_str().unwrap();
        assert!(german[key] != text || SHARED.contains(&text), "{key} = {text:?}");
    }
}

#[test]
fn a_tag_leads_to_the_words_of_its_language() {
    for (tag, language) in [
        ("en", "en"),
        ("EN-gb", "en"),
        ("de-AT", "de"),
        ("pt-BR", "pt"),
        ("zh", "zh"),
        ("zh-Hans-HK", "zh"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant", "zh-Hant"),
        ("zh_TW", "zh-Hant"),
        ("iw", "he"),
        ("nn-NO", "nb"),
        ("eo", "en"),
        ("", "en"),
        ("english", "en"),
    ] {
        assert_eq!(Words::of(tag).language, language, "{tag}");
    }
    assert!(Words::of("nn").are_in("nn") && Words::of("zh-HK").are_in("zh-HK"));
    assert!(!Words::of("eo").are_in("eo") && !Words::of("").are_in("xx"));
}

#[test]
fn dates_are_written_as_the_language_writes_them() {
    let date = Utc.with_ymd_and_hms(2024, 5, 2, 1, 2, 3).unwrap();
    let days: BTreeMap<&str, String> = ["en", "de", "fr", "es", "hu", "ru", "zh-TW", "ja", "ko", "he", "cs"]
        .map(|tag| (tag, Words::of(tag).day(date).people))
        .into();
    let expected = [
        ("cs", "2. května 2024"),
        ("de", "2. Mai 2024"),
        ("en", "2 May 2024"),
        ("es", "2 de mayo de 2024"),
        ("fr", "2 mai 2024"),
        ("he", "2 במאי 2024"),
        ("hu", "2024. május 2."),
        ("ja", "2024年5月2日"),
        ("ko", "2024년 5월 2일"),
        ("ru", "2 мая 2024\u{202f}г."),
        ("zh-TW", "2024年5月2日"),
    ];
    assert_eq!(days, expected.map(|(tag, day)| (tag, day.to_owned())).into());
    assert_eq!(Words::of("de").day(DateTime::UNIX_EPOCH).machine, "1970-01-01T00:00:00Z");
}

#[test]
fn durations_and_sizes_are_written_in_words() {
    let english = Words::of("en");
    for (seconds, words) in [
        (0, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (3_599, "1 hour"),
        (3_720, "1 hour 2 minutes"),
        (7_200, "2 hours"),
    ] {
        assert_eq!(english.duration(seconds), words);
    }
    for (bytes, words) in [
        (2, "2 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (12_345_678, "12 MB"),
        (1_234_567, "1.2 MB"),
        (5_600_000_000, "5.6 GB"),
    ] {
        assert_eq!(english.size(bytes), words);
    }
    // Plural categories that English does not have.
    for (tag, seconds, words) in [
        ("de", 3_720, "1 Stunde 2 Minuten"),
        ("pl", 120, "2 minuty"),
        ("pl", 300, "5 minut"),
        ("ru", 21 * 60, "21 минута"),
        ("cs", 180, "3 minuty"),
        ("ar", 120, "دقيقتان"),
        ("ja", 3_720, "1 時間 2 分"),
    ] {
        assert_eq!(Words::of(tag).duration(seconds).replace('\u{a0}', " "), words, "{tag}");
    }
    assert_eq!(Words::of("fr").size(1_234_567).replace(['\u{a0}', '\u{202f}'], " "), "1,2 Mo");
}

#[test]
fn a_language_has_a_direction_and_with_a_region_a_locale() {
    for (language, expected) in [
        ("ar", "rtl"),
        ("AR-EG", "rtl"),
        ("ar-Latn", "ltr"),
        ("az-Arab", "rtl"),
        ("he", "rtl"),
        ("de", "ltr"),
        ("", "ltr"),
    ] {
        assert_eq!(direction(language), expected, "{language}");
    }
    assert_eq!(locale("pt-BR").as_deref(), Some("pt_BR"));
    assert_eq!(locale("zh-Hant-TW").as_deref(), Some("zh_TW"));
    assert_eq!(locale("en"), None);
}

#[test]
fn parts_in_braces_are_filled_in() {
    assert_eq!(fill("{a} of {b}, {a}", &[("a", "1"), ("b", "{a}")]), "1 of {a}, 1");
    assert_eq!(fill("{c} { {a", &[("a", "1")]), "{c} { {a");
    assert_eq!(fill("", &[]), "");
}
