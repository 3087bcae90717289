//! Dates as writers state them: in front matter, in a line of text, in a file name.

use std::path::Path;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The first second of 1995, in Unix time. An earlier date of a file is ignored, since it precedes publishing on the web.
pub const FIRST_BELIEVABLE: i64 = 788_918_400;

/// Maximum length of a date, in bytes.
const LONGEST: usize = 80;

const WITH_OFFSET: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M %#z",
    "%Y-%m-%d %H:%M%#z",
];
const WITHOUT_OFFSET: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
];
const DAYS: [&str; 11] = [
    "%Y-%m-%d",
    "%Y.%m.%d",
    "%Y/%m/%d",
    "%B %d, %Y",
    "%b %d, %Y",
    "%b. %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%d %b. %Y",
    "%B %d %Y",
    "%Y年%m月%d日",
];

/// Reads a date in the forms used in front matter: RFC 3339 and variants, RFC 2822, a day, a day in English words, Unix seconds.
/// Without an offset it is in `timezone`; a day means its first second.
pub fn parse(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    // org: <2024-05-01 Wed 10:00>, or in square brackets for an inactive timestamp.
    if let Some(inside) = bracketed(text) {
        let words = inside.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        return plain(&words.take(2).collect::<Vec<_>>().join(" "), timezone);
    }
    // A time zone by name, as in 2024-05-01 10:00 Europe/Berlin.
    let named = text.rsplit_once(' ').filter(|(_, zone)| zone.starts_with(|c: char| c.is_ascii_uppercase()));
    let zoned = named.and_then(|(date, zone)| plain(date, zone.parse().ok()?));
    zoned.or_else(|| plain(text, timezone))
}

/// Reads a date of which dots separate the day, the month and the year in this order, with or without a time.
pub fn dotted(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let (day, time) = text.trim().split_once([' ', 'T']).unwrap_or((text.trim(), ""));
    let day = NaiveDate::parse_from_str(day.trim_end_matches(','), "%d.%m.%Y").ok().filter(|day| plausible(*day))?;
    let time = time.trim();
    let read = |form| NaiveTime::parse_from_str(time, form).ok();
    let time = if time.is_empty() { NaiveTime::MIN } else { read("%H:%M").or_else(|| read("%H:%M:%S"))? };
    Some(in_zone(day.and_time(time), timezone))
}

/// Reads a date without brackets and without the name of a time zone.
fn plain(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    usual(text, timezone).or_else(|| any(text, timezone))
}

/// Reads a day such as `2024-05-01`.
fn usual_day(text: &str) -> Option<NaiveDate> {
    let figures = |range| figures(text, range);
    let is_day = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    let day = || NaiveDate::from_ymd_opt(i32::try_from(figures(0..4)?).ok()?, figures(5..7)?, figures(8..10)?);
    if is_day { day() } else { None }
}

/// The number in a part of a text that consists of digits.
fn figures(text: &str, range: std::ops::Range<usize>) -> Option<u32> {
    let part = text.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
    part.parse().ok()
}

/// Reads the forms that most files have: `2024-05-01`, and `2024-05-01T10:00:00Z` with or without seconds and offset. Trying all forms takes
/// a multiple of the time.
fn usual(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let figures = |range| figures(text, range);
    let sign = |place: usize, signs: &[u8]| text.as_bytes().get(place).copied().filter(|sign| signs.contains(sign));
    let day = usual_day(text.get(..10)?)?;
    if text.len() == 10 {
        return Some(in_zone(day.and_time(NaiveTime::MIN), timezone)).filter(|date| plausible(date.date_naive()));
    }
    sign(10, b"T ").and(sign(13, b":"))?;
    let (seconds, rest) = match sign(16, b":") {
        Some(_) => (figures(17..19)?, text.get(19..)?),
        None => (0, text.get(16..)?),
    };
    let time = day.and_hms_opt(figures(11..13)?, figures(14..16)?, seconds)?;
    let date = match rest.as_bytes() {
        [] => in_zone(time, timezone),
        b"Z" => time.and_utc(),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let place = text.len() - 5;
            let (hours, minutes) = (figures(place..place + 2)?, figures(place + 3..place + 5)?);
            let offset = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|_| hours < 24 && minutes < 60)?;
            let offset = FixedOffset::east_opt(if *sign == b'-' { -offset } else { offset })?;
            time.and_local_timezone(offset).single()?.to_utc()
        }
        _ => return None,
    };
    Some(date).filter(|date| plausible(date.date_naive()))
}

/// Reads a date in any of the forms.
fn any(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let zulu = text.strip_suffix(['Z', 'z']).map(|rest| format!("{}+00:00", rest.trim_end()));
    let offset = zulu.as_deref().unwrap_or(text);
    WITH_OFFSET
        .iter()
        .find_map(|form| DateTime::parse_from_str(offset, form).ok())
        .or_else(|| DateTime::parse_from_rfc2822(text).ok())
        .map(|date| date.to_utc())
        .or_else(|| {
            let date = WITHOUT_OFFSET.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
            Some(in_zone(date, timezone))
        })
        .or_else(|| day(text).map(|day| in_zone(day.and_time(NaiveTime::MIN), timezone)))
        .or_else(|| unix(text))
        .filter(|date| plausible(date.date_naive()))
        .map(whole_seconds)
}

fn bracketed(text: &str) -> Option<&str> {
    let angled = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    angled.or_else(|| text.strip_prefix('[').and_then(|text| text.strip_suffix(']')))
}

/// Reads a day with a four-digit year.
fn day(text: &str) -> Option<NaiveDate> {
    DAYS.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok()).filter(|day| plausible(*day))
}

fn plausible(day: NaiveDate) -> bool {
    use chrono::Datelike;
    (1000..=9999).contains(&day.year())
}

/// Reads seconds (10 digits) or milliseconds (13 digits) since 1970.
fn unix(text: &str) -> Option<DateTime<Utc>> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => DateTime::from_timestamp(number, 0),
        13 => DateTime::from_timestamp_millis(number),
        _ => None,
    }
}

/// Converts a local time. An ambiguous time means the first occurrence; a skipped one means an hour later.
pub(super) fn in_zone(date: NaiveDateTime, timezone: Tz) -> DateTime<Utc> {
    match timezone.from_local_datetime(&date) {
        LocalResult::Single(date) | LocalResult::Ambiguous(date, _) => date.to_utc(),
        LocalResult::None => timezone
            .from_local_datetime(&(date + TimeDelta::hours(1)))
            .earliest()
            .map_or_else(|| date.and_utc(), |later| later.to_utc()),
    }
}

/// Drops fractions of a second, since feeds show whole seconds.
pub fn whole_seconds(date: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(date.timestamp(), 0).unwrap_or(date)
}

const LABELS: [&str; 16] = [
    "published:",
    "published on:",
    "published on",
    "published",
    "posted:",
    "posted on:",
    "posted on",
    "posted",
    "date:",
    "datum:",
    "updated:",
    "veröffentlicht am",
    "veröffentlicht:",
    "publié le",
    "publicado el",
    "pubblicato il",
];

/// A line without a word such as "Published" at its start.
pub fn without_label(line: &str) -> &str {
    let lower = line.to_lowercase();
    LABELS
        .iter()
        .find(|label| lower.starts_with(**label) && lower.len() == line.len())
        .map_or(line, |label| line[label.len()..].trim())
}

/// Reads a line that consists of a date, possibly after a word such as "Published". The day has to be complete with a four-digit
/// year, so that no sentence matches.
pub fn of_line(line: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let rest = without_label(line.trim());
    // A first number above 12 is certainly the day: 13.11.2022.
    let by_day = NaiveDate::parse_from_str(rest, "%d.%m.%Y").ok().filter(|day| rest.len() >= 8 && plausible(*day));
    if let Some(day) = by_day.filter(|day| chrono::Datelike::day(day) > 12) {
        return Some(whole_seconds(in_zone(day.and_time(NaiveTime::MIN), timezone)));
    }
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    let believable = |date: &DateTime<Utc>| date.timestamp() >= FIRST_BELIEVABLE && unix(rest).is_none();
    (digits >= 5 && rest.len() <= 40).then(|| parse(rest, timezone)).flatten().filter(believable)
}

/// The information in a file's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The date, as in `2024-05-01-title.md` or `2024/05/01/title.md`.
    pub date: Option<DateTime<Utc>>,
    /// The name without date and extension; the folder's name for `index.md`.
    pub stem: String,
}

impl FileName {
    /// The name as a title: hyphens and underscores become spaces, unless it has spaces.
    pub fn title(&self) -> String {
        if self.stem.trim().contains(' ') {
            return self.stem.trim().to_owned();
        }
        let words: Vec<&str> = self.stem.split(['-', '_', ' ']).filter(|word| !word.is_empty()).collect();
        if words.is_empty() { "Untitled".to_owned() } else { words.join(" ") }
    }
}

/// Splits a path: `2024-05-01-title.md`, `20240501_title.txt`, `2024-05-01T10-30-00_title.md`, `title/index.md`,
/// `2024/05/01/title.md`.
pub fn file_name(path: &Path, timezone: Tz) -> FileName {
    let lossy =
        |name: Option<&std::ffi::OsStr>| name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = lossy(path.file_stem());
    let (name, folder) = match name.strip_prefix("index").filter(|rest| rest.is_empty() || rest.starts_with('.')) {
        // A page bundle: the folder names the article, and a language may follow the dot.
        Some(suffix) if path.parent().and_then(Path::file_name).is_some() => {
            let folder = path.parent().unwrap_or(path);
            (lossy(folder.file_name()) + suffix, folder.parent())
        }
        _ => (name, path.parent()),
    };
    if let Some((date, rest)) = leading_date(&name) {
        let date = Some(whole_seconds(in_zone(date, timezone)));
        return FileName { date, stem: rest.trim_start_matches(['-', '_', ' ']).to_owned() };
    }
    let day = folder.and_then(day_of_folders).map(|day| in_zone(day.and_time(NaiveTime::MIN), timezone));
    FileName { date: day, stem: name }
}

/// The date in an address, as in `/2024/05/01/title/`, `/2024/05/title.html` or `/2024-05-01-title`. A month means its first day.
pub fn of_address(address: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let figures = |part: Option<&&str>, lengths: [usize; 2]| -> Option<u32> {
        let part =
            part.filter(|part| lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse().ok()
    };
    let of_folders = || {
        (0..parts.len()).find_map(|at| {
            let year = figures(parts.get(at), [4, 4]).filter(|year| (1990..=2100).contains(year))?;
            let month = figures(parts.get(at + 1), [1, 2])?;
            let day = figures(parts.get(at + 2), [1, 2]);
            let of_day = |day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
            // A number in place of a day may be that of the article.
            day.and_then(of_day).or_else(|| of_day(1))
        })
    };
    let day = of_folders().or_else(|| parts.iter().find_map(|part| Some(leading_date(part)?.0.date())));
    let day = day.filter(|day| plausible(*day))?;
    Some(whole_seconds(in_zone(day.and_time(NaiveTime::MIN), timezone)))
}

/// Splits a leading date, with or without a time, from a name.
fn leading_date(name: &str) -> Option<(NaiveDateTime, &str)> {
    const TIMES: [(usize, &str); 4] =
        [(19, "%Y-%m-%d-%H-%M-%S"), (19, "%Y-%m-%dT%H-%M-%S"), (19, "%Y-%m-%dT%H:%M:%S"), (16, "%Y-%m-%dT%H-%M")];
    const DAYS: [(usize, &str); 2] = [(10, "%Y-%m-%d"), (8, "%Y%m%d")];
    let is_digit = |place: usize| name.as_bytes().get(place).is_some_and(u8::is_ascii_digit);
    if !is_digit(0) {
        return None;
    }
    let separated = |rest: &str| rest.is_empty() || rest.starts_with(['-', '_', ' ']);
    // The hour.
    let with_time = TIMES.iter().filter(|_| is_digit(11)).find_map(|(length, form)| {
        let (start, rest) = name.split_at_checked(*length)?;
        // Programs may write a Z after the time.
        let rest = rest.strip_prefix('Z').unwrap_or(rest);
        let date = NaiveDateTime::parse_from_str(start, form).ok()?;
        (plausible(date.date()) && separated(rest)).then_some((date, rest))
    });
    with_time.or_else(|| {
        DAYS.iter().find_map(|(length, form)| {
            let (start, rest) = name.split_at_checked(*length)?;
            let figures = start.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            let day = usual_day(start).or_else(|| NaiveDate::parse_from_str(start, form).ok());
            let day = day.filter(|day| figures && plausible(*day))?;
            separated(rest).then_some((day.and_time(NaiveTime::MIN), rest))
        })
    })
}

/// Reads the date in folders of year, month and day, as in `2024/05/01`.
fn day_of_folders(folder: &Path) -> Option<NaiveDate> {
    let mut parts = folder.iter().rev().map(|part| part.to_str());
    let mut figures = |length: usize| -> Option<u32> {
        let part = parts.next()??;
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (day, month, year) = (figures(2)?, figures(2)?, figures(4)?);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|day| plausible(*day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let date = parse(text, chrono_tz::Europe::Berlin).map(|date| date.to_rfc3339());
        assert_eq!(date.as_deref(), Some(expected).filter(|text| !text.is_empty()), "{text}");
    }

    #[test]
    fn notations_in_front_matter() {
        check("2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00");
        check("2024-05-01T10:00:00.75+02:00", "2024-05-01T08:00:00+00:00");
        check("2024-05-01T10:00+02:00", "2024-05-01T08:00:00+00:00");
        check("2024-05-01 10:00:00 +0200", "2024-05-01T08:00:00+00:00");
        check("2024-05-01 10:00:00 Z", "2024-05-01T10:00:00+00:00");
        check("2024-05-01 10:00:00", "2024-05-01T08:00:00+00:00");
        check("2024-05-01T10:00", "2024-05-01T08:00:00+00:00");
        check("2024-05-01 10:20", "2024-05-01T08:20:00+00:00");
        check("2013/7/13 20:46:25", "2013-07-13T18:46:25+00:00");
        check("2024-05-01", "2024-04-30T22:00:00+00:00");
        check("2024-12-01", "2024-11-30T23:00:00+00:00");
        check("May 1, 2024", "2024-04-30T22:00:00+00:00");
        check("1 May 2024", "2024-04-30T22:00:00+00:00");
        check("Wed, 01 May 2024 10:00:00 GMT", "2024-05-01T10:00:00+00:00");
        check("<2024-05-01 Wed 10:00>", "2024-05-01T08:00:00+00:00");
        check("[2024-05-01 Mi]", "2024-04-30T22:00:00+00:00");
        check("<2024-05-01 Wed 10:00 +1w>", "2024-05-01T08:00:00+00:00");
        check("2024-05-01 10:00 America/New_York", "2024-05-01T14:00:00+00:00");
        check("2024-05-01 10:00:00 UTC", "2024-05-01T10:00:00+00:00");
        check("1714557600", "2024-05-01T10:00:00+00:00");
        check("1714557600000", "2024-05-01T10:00:00+00:00");
        check(&"UTC ".repeat(10_000), "");
        for unclear in ["05/06/2024", "soon", "", "2024", "2024-13-01", "24-05-01", "12:00", "-0500-01-01T00:00:00Z"] {
            check(unclear, "");
        }
    }

    #[test]
    fn the_usual_forms_are_read_as_by_all_forms() {
        let zone = chrono_tz::Europe::Berlin;
        let mut usual_forms = 0;
        for day in ["2024-05-01", "2024-02-30", "0999-01-01", "2024-13-01", "2024-1-01", "2024-03-31"] {
            for time in ["", "T10:00", " 02:30:59", "T23:59:60", "T24:00:00", " 1:00", "T10:00:5", "T10", "x10:00"] {
                for offset in ["", "Z", "+02:00", "-11:30", "+24:00", "+02:60", "+0200", " +02:00", "z", ".5Z"] {
                    let text = format!("{day}{time}{offset}");
                    let usual = usual(&text, zone);
                    assert!(usual.is_none() || usual == any(&text, zone), "{text}");
                    usual_forms += usize::from(usual.is_some());
                }
            }
        }
        // Two days, once alone and with two times in four forms each.
        assert_eq!(usual_forms, 18);
    }

    #[test]
    fn times_at_a_change_of_the_clocks() {
        check("2024-03-31 02:30", "2024-03-31T01:30:00+00:00");
        check("2024-10-27 02:30", "2024-10-27T00:30:00+00:00");
    }

    #[test]
    fn lines_that_consist_of_a_date() {
        let is_date = |line: &str| of_line(line, chrono_tz::UTC).is_some();
        assert!(is_date("5 November 2022"));
        assert!(is_date("Published: 2022-11-05"));
        assert!(is_date("Nov 5, 2022"));
        assert!(is_date("2022年11月5日"));
        assert!(!is_date("In 2022"));
        assert!(!is_date("1998"));
        assert!(!is_date("1714557600"));
        assert!(!is_date("On 5 November 2022 the council met."));
    }

    #[test]
    fn dates_in_addresses() {
        for (address, expected) in [
            ("2014/12/12/Timeline", "2014-12-12"),
            ("/blog/2013/05/06/by-permalink/", "2013-05-06"),
            ("https://a.example/2013/7/x.html?p=2014/01/01", "2013-07-01"),
            ("/2013-07-13-first", "2013-07-13"),
            ("/2013/07/99/", "2013-07-01"),
            ("/posts/2048/", ""),
            ("/archive/12/12/", ""),
            ("/about/", ""),
        ] {
            let date = of_address(address, chrono_tz::UTC).map(|date| date.format("%F").to_string());
            assert_eq!(date.unwrap_or_default(), expected, "{address}");
        }
    }

    #[test]
    fn file_names() {
        let check = |path: &str, date: Option<&str>, stem: &str, title: &str| {
            let name = file_name(Path::new(path), chrono_tz::UTC);
            assert_eq!(name.date.map(|date| date.format("%F").to_string()).as_deref(), date, "{path}");
            assert_eq!((name.stem.as_str(), name.title().as_str()), (stem, title), "{path}");
        };
        check("a/2024-05-01-my_first-post.md", Some("2024-05-01"), "my_first-post", "my first post");
        check("Well-known facts.md", None, "Well-known facts", "Well-known facts");
        check("20240501 storm.txt", Some("2024-05-01"), "storm", "storm");
        check("posts/harbour/index.md", None, "harbour", "harbour");
        check("index.md", None, "index", "index");
        check("posts/2024-05-01-harbour/index.fr.md", Some("2024-05-01"), "harbour.fr", "harbour.fr");
        check("2024-05-01-10-30-00-storm.md", Some("2024-05-01"), "storm", "storm");
        check("2024-05-01T10-30-00_storm.md", Some("2024-05-01"), "storm", "storm");
        check("2024/05/01/storm.md", Some("2024-05-01"), "storm", "storm");
        check("2024/05/01/storm/index.md", Some("2024-05-01"), "storm", "storm");
        check("2024/13/01/storm.md", None, "storm", "storm");
        check("2024-05-01-10-30-am.md", Some("2024-05-01"), "10-30-am", "10 30 am");
        check("2024-13-01-x.md", None, "2024-13-01-x", "2024 13 01 x");
        check("2024-05-01.md", Some("2024-05-01"), "", "Untitled");
        check("12345678.txt", None, "12345678", "12345678");
        check("1234567890-a.txt", None, "1234567890-a", "1234567890 a");
    }
}
