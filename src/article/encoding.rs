//! Bytes -> text: by byte order mark, then as UTF-8, then as the page declares, and last by a guess, which is reported.

use std::collections::HashMap;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};

use super::problem::Problem;
use crate::folder::SourceFormat;

/// Length of the prefix of a page that may declare its encoding, in bytes (WHATWG HTML section 13.2.3.2).
const PRESCAN: usize = 1024;
/// Minimum number of non-ASCII bytes for guessing a two-byte encoding.
const ENOUGH_FOR_WIDE: usize = 16;
/// Minimum number of non-ASCII bytes for overriding a mark as Latin-1.
const ENOUGH_FOR_GUESS: usize = 12;

/// The text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text without a byte order mark.
    pub text: String,
    /// Set if the encoding was guessed.
    pub problem: Option<Problem>,
}

impl From<String> for Decoded {
    fn from(text: String) -> Self {
        Self { text, problem: None }
    }
}

/// Decodes a file.
///
/// # Errors
/// The bytes are not text in a known encoding; the problem names the first such line.
pub fn decode(bytes: &[u8], format: SourceFormat) -> Result<Decoded, Problem> {
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
        return utf32(bytes).map(Decoded::from).ok_or_else(|| damaged("UTF-32"));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes).filter(|(encoding, _)| *encoding != UTF_8) {
        return strictly(encoding, &bytes[mark..]).map(Decoded::from).ok_or_else(|| damaged("UTF-16"));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
        let wide = unmarked_utf16(bytes).and_then(|encoding| strictly(encoding, bytes));
        return wide.map(Decoded::from).ok_or_else(|| {
            Problem::at(line_of(bytes, position), "NUL byte: this is not a text file; remove it from the folder")
        });
    }
    let escapes = bytes.windows(2).any(|pair| matches!(pair, b"\x1b$" | b"\x1b("));
    match std::str::from_utf8(bytes) {
        Ok(text) if !escapes || !text.is_ascii() => Ok(text.to_owned().into()),
        valid => not_utf8(bytes, format, valid.err().map_or(0, |error| error.valid_up_to()), escapes),
    }
}

/// Decodes text that is not UTF-8; `invalid` is the position of the first invalid byte.
fn not_utf8(bytes: &[u8], format: SourceFormat, invalid: usize, escapes: bool) -> Result<Decoded, Problem> {
    if format == SourceFormat::Html
        && let Some(text) = declared(bytes).and_then(|encoding| strictly(encoding, bytes))
    {
        return Ok(text.into());
    }
    let line = line_of(bytes, invalid);
    if !escapes && is_damaged_utf8(bytes) {
        return Err(Problem::at(line, "damaged UTF-8 in this line: save the file again or retype the line"));
    }
    let Some((text, encoding)) = guessed(bytes) else {
        let advice = "save the file as UTF-8, as in `iconv -f windows-1252 -t utf-8`";
        return Err(Problem::at(line, format!("unknown encoding in this line: {advice}")));
    };
    let name = encoding.name();
    let message = format!("not UTF-8: guessed {name}; save the file as UTF-8 to be sure");
    Ok(Decoded { text, problem: Some(Problem::at(line, message)) })
}

fn damaged(encoding: &str) -> Problem {
    Problem::of_file(format!("the file begins as {encoding} but is damaged: save it again, preferably as UTF-8"))
}

fn line_of(bytes: &[u8], position: usize) -> usize {
    bytes[..position].split(|byte| *byte == b'\n').count()
}

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
}

fn utf32(bytes: &[u8]) -> Option<String> {
    let big = bytes[0] == 0;
    let (units, rest) = bytes.as_chunks::<4>();
    let unit = |unit: &[u8; 4]| if big { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) };
    let text = units[1..].iter().map(|bytes| char::from_u32(unit(bytes))).collect();
    if rest.is_empty() { text } else { None }
}

/// Texts that are marked as Latin-1, as tags of recordings often are whatever their encoding is.
#[derive(Debug, Default)]
pub struct MarkedLatin1 {
    /// The right text for each that is not Latin-1, by the text as Latin-1.
    corrected: HashMap<String, String>,
    guess: Option<&'static Encoding>,
}

impl MarkedLatin1 {
    /// Guesses the encoding that these texts have in common. A text that is valid UTF-8 is UTF-8.
    pub fn new(texts: &[Vec<u8>]) -> Self {
        let is_utf8 = |text: &&Vec<u8>| !text.is_ascii() && std::str::from_utf8(text).is_ok();
        let mut all = Self::default();
        for text in texts.iter().filter(is_utf8) {
            all.guess = Some(UTF_8);
            all.corrected.insert(latin1(text), String::from_utf8_lossy(text).into_owned());
        }
        let others = || texts.iter().filter(|text| !text.is_ascii() && !is_utf8(text));
        let together: Vec<u8> = others().flat_map(|text| [&text[..], b"\n"].concat()).collect();
        let guess = guessed(&together).map(|(_, encoding)| encoding).filter(|_| is_foreign(&together));
        all.guess = guess.filter(|encoding| *encoding != WINDOWS_1252).or(all.guess);
        for text in others() {
            // Between 0x80 and 0x9F, Latin-1 has only control characters; the texts are windows-1252 then.
            let encoding = guess.unwrap_or(WINDOWS_1252);
            if let Some(decoded) = strictly(encoding, text) {
                all.corrected.insert(latin1(text), decoded);
            }
        }
        all
    }

    /// Returns the right text for one that was decoded as Latin-1.
    pub fn correct<'a>(&'a self, text: &'a str) -> &'a str {
        self.corrected.get(text).map_or(text, String::as_str)
    }

    /// The report of a guess.
    pub fn problem(&self) -> Option<Problem> {
        let name = self.guess?.name();
        Some(Problem::of_file(format!(
            "its tags do not state their encoding, or a wrong one: guessed {name}; save the tags as UTF-8 to be sure"
        )))
    }
}

/// Whether texts can hardly be Latin-1, whose languages have few letters beyond ASCII, and rarely several in a row.
fn is_foreign(bytes: &[u8]) -> bool {
    let high = |byte: &u8| *byte >= 0x80;
    let in_a_row = bytes.windows(3).any(|three| three.iter().all(high));
    in_a_row || bytes.iter().filter(|byte| high(byte)).count() >= ENOUGH_FOR_GUESS
}

/// Decodes Latin-1 (ISO 8859-1), in which each byte is the number of its character.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Returns the bytes of a text that was decoded as Latin-1; `None` if it was not.
pub fn latin1_bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// Detects UTF-16 without a byte order mark: every other byte of plain text is zero.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(PRESCAN)];
    let zeros = |parity: usize| start.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let many = |count: usize| count * 5 >= start.len();
    match (zeros(0), zeros(1)) {
        (even, odd) if many(odd) && even * 10 < odd => Some(UTF_16LE),
        (even, odd) if many(even) && odd * 10 < even => Some(UTF_16BE),
        _ => None,
    }
}

/// Returns the encoding in `<meta charset>` or an XML declaration.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN)]).to_ascii_lowercase();
    let place = ["charset", "encoding"].iter().find_map(|word| Some(start.find(word)? + word.len()))?;
    let label = start[place..].trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let label: String = label.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c)).collect();
    Encoding::for_label(label.as_bytes()).filter(|encoding| ![UTF_8, UTF_16LE, UTF_16BE].contains(encoding))
}

/// Whether most non-ASCII bytes are valid UTF-8. The other bytes are then damage, and another encoding would garble the text.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad
}

fn guessed(bytes: &[u8]) -> Option<(String, &'static Encoding)> {
    // Pictures and programs contain these bytes; text does not.
    let is_control = |byte: &u8| *byte < 0x20 && !b"\t\n\x0B\x0C\r\x1B".contains(byte);
    if bytes.iter().filter(|byte| is_control(byte)).count() * 100 > bytes.len() {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Allow);
    let wide = [BIG5, EUC_JP, EUC_KR, GBK, GB18030, SHIFT_JIS].contains(&encoding);
    let few = bytes.iter().filter(|byte| !byte.is_ascii()).count() < ENOUGH_FOR_WIDE;
    if wide
        && few
        && let Some(text) = strictly(WINDOWS_1252, bytes)
        && text.chars().filter(|c| !c.is_ascii()).all(|c| c.is_alphabetic() || "‘’“”„«»–—…°€£§".contains(c))
    {
        return Some((text, WINDOWS_1252));
    }
    // A detected UTF-8 here is plain ASCII with meaningless escapes.
    let encoding = if encoding == UTF_8 && bytes.is_ascii() { ISO_2022_JP } else { encoding };
    strictly(encoding, bytes)
        .or_else(|| bytes.is_ascii().then(|| String::from_utf8_lossy(bytes).into_owned()))
        .map(|text| (text, encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let decoded = decode(bytes, SourceFormat::Text).unwrap();
        assert_eq!(decoded.problem, None);
        decoded.text
    }

    #[test]
    fn known_encodings_become_text() {
        assert_eq!(text(b"plain"), "plain");
        assert_eq!(text("\u{FEFF}mark".as_bytes()), "mark");
        assert_eq!(text(&[0xFF, 0xFE, 0xC9, 0, b'a', 0]), "Éa");
        assert_eq!(text(&[0xFE, 0xFF, 0, 0xC9, 0, b'a']), "Éa");
        assert_eq!(text(&[0xFF, 0xFE, 0, 0, b'a', 0, 0, 0]), "a");
        assert_eq!(text(&[0, 0, 0xFE, 0xFF, 0, 1, 0xF6, 0]), "😀");
        assert_eq!(text(b"a\0b\0c\0\xE9\0"), "abcé");
        assert_eq!(text(b"\0a\0b\0c\0\xE9"), "abcé");
        assert_eq!(text(b""), "");
    }

    #[test]
    fn binary_files_are_refused_with_the_line() {
        let line = |bytes: &[u8]| decode(bytes, SourceFormat::Text).unwrap_err().line;
        assert_eq!(line(b"one\n\0"), Some(2));
        assert_eq!(line(b"Gr\xC3\xBC\xC3\x9Fe\nsch\xC3\xB6n\xFFe"), Some(2), "damaged");
        assert_eq!(line(b"Gr\xC3\xBC\xC3\x9Fe\nund sch\xC3"), Some(2), "cut off");
        assert!(decode(&[0xFF, 0xFE, 0x00, 0xD8], SourceFormat::Text).is_err(), "half a surrogate pair");
        assert!(decode(&[0xFF, 0xFE, 0, 0, b'a'], SourceFormat::Text).is_err(), "a part of a character");
        assert!(decode(b"\x89PNG\r\n\x1a\n\x01\x02\x03\x04\xFF\xFE\x05\x06", SourceFormat::Text).is_err());
    }

    /// Texts in legacy encodings, each with the label of its encoding.
    const OLD: [(&str, &str); 18] = [
        ("windows-1252", "Le café était fermé à cause de la tempête, et Zoë a payé 12 € pour « rien »."),
        ("windows-1252", "Die Brücke über die Förde bleibt wegen des Sturms für größere Fahrzeuge gesperrt."),
        ("windows-1252", "cafe\u{301}".split_at(3).0),
        ("windows-1250", "Žluťoučký kůň úpěl ďábelské ódy a příliš dlouho čekal na lepší časy."),
        ("windows-1250", "Zażółć gęślą jaźń, a potem jedź do Łodzi przez Sącz i Świętochłowice."),
        ("windows-1251", "Мост остаётся закрытым для грузовиков из-за сильного ветра, сообщили власти."),
        ("koi8-r", "Мост остаётся закрытым для грузовиков из-за сильного ветра, сообщили власти."),
        ("windows-1253", "Η γέφυρα παραμένει κλειστή για τα φορτηγά λόγω των ισχυρών ανέμων."),
        ("windows-1254", "Köprü, kuvvetli rüzgâr nedeniyle kamyonlara kapalı kalmaya devam ediyor, dedi başkan."),
        ("windows-1255", "הגשר נשאר סגור למשאיות בגלל הרוחות החזקות, כך מסרה העירייה"),
        ("windows-1256", "يبقى الجسر مغلقا أمام الشاحنات بسبب الرياح القوية كما قالت البلدية"),
        ("windows-874", "สะพานยังคงปิดไม่ให้รถบรรทุกผ่านเนื่องจากลมแรง"),
        ("shift_jis", "強風のため、橋は今日もトラックの通行が禁止されています。"),
        ("euc-jp", "強風のため、橋は今日もトラックの通行が禁止されています。"),
        ("iso-2022-jp", "強風のため、橋は今日もトラックの通行が禁止されています。"),
        ("gbk", "由于大风，这座桥今天仍然禁止卡车通行，市政府表示。"),
        ("big5", "由於強風，這座橋今天仍然禁止卡車通行，市政府表示。"),
        ("euc-kr", "강풍 때문에 다리는 오늘도 트럭 통행이 금지되어 있다고 시청은 밝혔다."),
    ];

    #[test]
    fn legacy_encodings_are_guessed_and_the_guess_is_reported() {
        for (label, expected) in OLD {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let (bytes, _, unmappable) = encoding.encode(expected);
            assert!(!unmappable, "{label} can represent {expected}");
            let decoded = decode(&bytes, SourceFormat::Text).unwrap();
            assert_eq!(decoded.text, expected, "{label}");
            assert_eq!(decoded.problem.is_some(), !expected.is_ascii(), "{label}");
        }
        assert_eq!(decode(b"one\ntwo\ncaf\xe9", SourceFormat::Text).unwrap().text, "one\ntwo\ncafé");
        assert_eq!(decode(b"caf\xe9", SourceFormat::Text).unwrap().problem.unwrap().line, Some(1));
    }

    #[test]
    fn the_encoding_that_a_page_declares_is_used() {
        let page = |head: &[u8]| [head, b"<p>P\xf8\xedli\xb9 \xbelu\xbb</p>"].concat();
        for head in [
            &b"<meta charset=\"iso-8859-2\">"[..],
            b"<META http-equiv=Content-Type content='text/html; charset=ISO-8859-2'>",
            b"<?xml version='1.0' encoding='iso-8859-2'?>",
        ] {
            let decoded = decode(&page(head), SourceFormat::Html).unwrap();
            assert!(decoded.text.ends_with("<p>Příliš žluť</p>") && decoded.problem.is_none(), "{decoded:?}");
        }
        let utf8 = decode("<meta charset=iso-8859-2>é".as_bytes(), SourceFormat::Html).unwrap();
        assert!(utf8.text.ends_with('é'), "valid UTF-8 takes precedence");
    }
}
