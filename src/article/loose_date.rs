//! Dates in the notations of feeds: RFC 822, ISO 8601, and what programs and people write in their place. Never ambiguous: `05/06/2024`
//! is no date.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use unicode_normalization::UnicodeNormalization;

use super::date;

/// Maximum length of a date, in bytes.
const LONGEST: usize = 120;
/// Maximum length of a line that is a date, in bytes.
const LONGEST_LINE: usize = 60;
/// Maximum number of words that say nothing about the date, such as the name of a weekday.
const MOST_WORDS: usize = 6;

/// Names of the months, each with its abbreviations, in English, German, French, Spanish, Italian, Portuguese, Dutch, the languages of
/// Scandinavia, Hungarian, Polish, Czech, Russian and Greek.
const MONTHS: [&str; 12] = [
    "january jan januar jänner jän janvier janv enero ene gennaio gen janeiro januari január styczeń stycznia sty leden ledna \
     январь января янв ιανουαρίου ιαν",
    "february feb febr februar feber février févr fév febrero febbraio fevereiro fev februari február luty lutego lut únor února \
     февраль февраля фев φεβρουαρίου φεβ",
    "march mar märz mrz mär mars marzo março maart mrt március márc marzec marca březen března март марта мар μαρτίου μάρτιος μαρ μάρ",
    "april apr avril avr abril abr aprile április ápr kwiecień kwietnia kwi duben dubna апрель апреля апр απριλίου απρ",
    "may mai mayo maggio mag maio mei maj május máj maja květen května май мая μαΐου μαι μάι",
    "june jun juni juin junio giugno giu junho június jún czerwiec czerwca cze červen června июнь июня июн ιουνίου ιουν ιούν",
    "july jul juli juillet juil julio luglio lug julho július júl lipiec lipca lip červenec července июль июля июл ιουλίου ιουλ ιούλ",
    "august aug août aout agosto ago augustus augusti augusztus sierpień sierpnia sie srpen srpna август августа авг αυγούστου αυγ αύγ",
    "september sep sept septembre septiembre settembre set setembro szeptember szept wrzesień września wrz září сентябрь сентября сен \
     сент σεπτεμβρίου σεπ",
    "october oct oktober okt octobre octubre ottobre ott outubro out október październik października paź říjen října октябрь октября \
     окт οκτωβρίου οκτ",
    "november nov novembre noviembre novembro listopad listopada lis listopadu ноябрь ноября ноя νοεμβρίου νοε νοέ",
    "december dec dez dezember décembre déc diciembre dic dicembre dezembro desember des december grudzień grudnia gru prosinec prosince \
     декабрь декабря дек δεκεμβρίου δεκ",
];

/// Abbreviations of time zones, with their distance from UTC in minutes. Where several zones share one, that of RFC 822 or the most
/// populous one counts.
const ZONES: [(&str, i32); 72] = [
    ("utc", 0),
    ("gmt", 0),
    ("ut", 0),
    ("z", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("wat", 60),
    ("cet", 60),
    ("met", 60),
    ("mez", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("sast", 120),
    ("cat", 120),
    ("eest", 180),
    ("msk", 180),
    ("trt", 180),
    ("eat", 180),
    ("msd", 240),
    ("gst", 240),
    ("pkt", 300),
    ("ist", 330),
    ("npt", 345),
    ("ict", 420),
    ("wib", 420),
    ("hkt", 480),
    ("sgt", 480),
    ("pht", 480),
    ("myt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("aest", 600),
    ("acdt", 630),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("brst", -120),
    ("ndt", -150),
    ("brt", -180),
    ("art", -180),
    ("adt", -180),
    ("clst", -180),
    ("nst", -210),
    ("ast", -240),
    ("edt", -240),
    ("clt", -240),
    ("vet", -240),
    ("est", -300),
    ("et", -300),
    ("cdt", -300),
    ("cot", -300),
    ("pet", -300),
    ("cst", -360),
    ("ct", -360),
    ("mdt", -360),
    ("mst", -420),
    ("mt", -420),
    ("pdt", -420),
    ("pst", -480),
    ("pt", -480),
    ("akdt", -480),
    ("akst", -540),
    ("hdt", -540),
    ("hst", -600),
    ("sst", -660),
    ("chst", 600),
    ("uyt", -180),
];

/// Names of weekdays beside the English ones.
const WEEKDAYS: &str = "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so lundi mardi mercredi jeudi \
    vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì sabato \
    domenica segunda terça quarta quinta sexta feira maandag dinsdag woensdag donderdag vrijdag zaterdag zondag måndag tisdag onsdag \
    torsdag fredag lördag söndag mandag tirsdag lørdag søndag";
/// Words in a date that say nothing about it.
const FILLERS: &str = "st nd rd th er h uhr um am at on à a le el de del du den der las il alle ore op om kl of the p m o clock t z 年 月 日 時 时 点 分 秒 년 월 일 시 분 초";

/// Signs and words that mark the first and the second half of the day.
const HALVES: [(&str, Half); 16] = [
    ("a.m.", Half::First),
    ("a. m.", Half::First),
    ("a.m", Half::First),
    ("am", Half::First),
    ("오전", Half::First),
    ("午前", Half::First),
    ("上午", Half::First),
    ("凌晨", Half::First),
    ("p.m.", Half::Second),
    ("p. m.", Half::Second),
    ("p.m", Half::Second),
    ("pm", Half::Second),
    ("오후", Half::Second),
    ("午後", Half::Second),
    ("下午", Half::Second),
    ("晚上", Half::Second),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// The place of a time in a text, and the time as it is written.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: usize,
    end: usize,
    hour: u32,
    minute: u32,
    second: u32,
}

/// A time zone as it is written.
#[derive(Debug, Clone, Copy)]
enum Zone {
    /// Minutes east of UTC.
    Offset(i32),
    Named(Tz),
}

/// A number in a day as it is written.
#[derive(Debug, Clone, Copy)]
struct DayNumber {
    value: u32,
    digits: usize,
    /// The sign between the number before and this one.
    separator: char,
}

/// Reads a date. A weekday does not count, wrong or right. A time without a zone is in UTC; a day means its first second. `None` also for
/// the start of 1970, which programs write in place of no date.
pub fn read(text: &str) -> Option<DateTime<Utc>> {
    read_in(text, Tz::UTC)
}

/// As [`read`], with times without a zone in `timezone`.
pub fn read_in(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    if text.len() > LONGEST {
        return None;
    }
    let text: String = text.nfc().map(plain).collect();
    let text = without_comments(text.trim());
    let date = exact(&text).or_else(|| loose(&text, timezone)).or_else(|| date::parse(&text, timezone))?;
    Some(date::whole_seconds(date)).filter(|date| date.timestamp() != 0)
}

/// Reads a line that consists of a date, in figures or in words.
pub fn of_any_line(line: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    date::of_line(line, timezone).or_else(|| of_line(line, timezone))
}

/// Reads a line that consists of a date in words, as pages and bylines have it: `Le 5 mars 2019 à 10h20`. It has a year of four digits, a
/// day and no other word, so that no sentence matches.
pub fn of_line(line: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let line = date::without_label(line.trim());
    let mut numbers = line.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let has_year = numbers.clone().any(|number| number.len() == 4);
    let is_day = has_year && numbers.clone().nth(1).is_some() && numbers.all(|number| number.len() <= 4);
    let lower = line.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let is_known = |word: &str| {
        is_part_of_date(word)
            || HALVES.iter().any(|(half, _)| *half == word)
            || zone_of(word).is_some()
            || is_filler(word)
    };
    let is_date = is_day && line.len() <= LONGEST_LINE && words.all(is_known);
    let is_believable = |date: &DateTime<Utc>| date.timestamp() >= date::FIRST_BELIEVABLE;
    is_date.then(|| read_in(line, timezone)).flatten().filter(is_believable)
}

/// Whether a word in lower case is the name of a month or of a weekday.
pub fn is_part_of_date(word: &str) -> bool {
    month_of(word).is_some() || weekday_of(word).is_some() || WEEKDAYS.split_ascii_whitespace().any(|name| name == word)
}

/// Whether a word in lower case may stand in a date.
pub fn is_filler(word: &str) -> bool {
    FILLERS.split_ascii_whitespace().any(|filler| filler == word)
}

/// Full-width digits, every kind of space, and every minus in their ASCII form.
fn plain(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        '：' => ':',
        '－' | '−' | '‐' | '‑' | '–' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Without the parts in brackets, such as `(CEST)` and `[Europe/Berlin]`. Org has whole dates in square brackets.
fn without_comments(text: &str) -> String {
    let text = if text.starts_with('[') { text } else { text.split('[').next().unwrap_or_default() };
    let mut depth = 0_usize;
    let outside = text.chars().filter(|c| {
        depth += usize::from(*c == '(');
        let is_outside = depth == 0;
        depth = depth.saturating_sub(usize::from(*c == ')'));
        is_outside
    });
    outside.collect::<String>().trim().to_owned()
}

/// The exact form of nearly all feeds.
fn exact(text: &str) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc3339(text).ok()?;
    Some(date.to_utc()).filter(|date| is_plausible(date.year()))
}

fn is_plausible(year: i32) -> bool {
    (1000..=9999).contains(&year)
}

fn loose(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    let text = spaced_out(text);
    let text = text.as_str();
    let clock = clock(text);
    let (before, after) = clock.map_or((text, ""), |clock| (&text[..clock.start], &text[clock.end..]));
    let (half, before, after) = half(before, after);
    let (zone, rest) = zone(before, after, clock.is_some());
    let time = match clock {
        Some(clock) => clock.seconds(half)?,
        None => 0,
    };
    let day = day(&rest, half.is_some())?.and_time(NaiveTime::MIN) + TimeDelta::seconds(time);
    let date = match zone {
        Some(Zone::Offset(minutes)) => day.and_utc() - TimeDelta::minutes(minutes.into()),
        Some(Zone::Named(zone)) => zone.from_local_datetime(&day).earliest()?.to_utc(),
        None => date::in_zone(day, timezone),
    };
    Some(date).filter(|date| is_plausible(date.year()))
}

/// `20240501T100000` with the signs of ISO 8601.
fn spaced_out(text: &str) -> String {
    let digits = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
    let (day, rest) = text.split_at(digits(text));
    let joined = match day.len() {
        14 | 12 => Some((day.split_at(8), rest)),
        8 => {
            let time = rest.trim_start_matches(['T', 't', ' ']);
            let count = digits(time);
            matches!(count, 4 | 6).then(|| ((day, &time[..count]), &time[count..]))
        }
        _ => None,
    };
    let Some(((day, time), rest)) = joined else { return text.to_owned() };
    let seconds = time.get(4..6).unwrap_or("00");
    format!("{}-{}-{} {}:{}:{seconds}{rest}", &day[..4], &day[4..6], &day[6..], &time[..2], &time[2..4])
}

/// Finds the time of day: `10:00`, `9:5:3.25`, `10h30`, `3 pm`, `10.30 Uhr`.
fn clock(text: &str) -> Option<Clock> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let number = |start: usize| {
        let length = (0..2).take_while(|offset| is_digit(start + offset)).count();
        (length > 0).then(|| (text[start..start + length].parse().unwrap_or(0), start + length))
    };
    // Where the hour before a sign starts, unless it belongs to a longer number or to a time zone.
    let hour_before = |sign: usize| {
        let length = (1..=sign.min(3)).take_while(|offset| is_digit(sign - offset)).count();
        let start = sign - length;
        let is_zone = text[..start].ends_with('+') || (text[..start].ends_with('-') && is_day(&text[..start - 1]));
        ((1..=2).contains(&length) && !is_zone).then_some(start)
    };
    for (sign, letter) in
        text.char_indices().filter(|(_, c)| matches!(c, ':' | 'h' | 'H' | '.' | '시' | '時' | '时' | '点'))
    {
        let Some(start) = hour_before(sign) else { continue };
        let hour = text[start..sign].parse().unwrap_or(99);
        let mut end = sign + letter.len_utf8();
        if !letter.is_ascii() && bytes.get(end) == Some(&b' ') {
            end += 1;
        }
        let Some((minute, after)) = number(end) else { continue };
        // `10.30 Uhr` is a time, `01.05.2024` is none.
        if letter == '.' && !text[after..].trim_start().to_lowercase().starts_with("uhr") {
            continue;
        }
        let after = after + unit_length(&text[after..], ['분', '分']);
        let colon = text[after..].starts_with(':') || (!letter.is_ascii() && text[after..].starts_with(' '));
        let (second, end) = number(after + 1).filter(|_| colon).unwrap_or((0, after));
        let end = end + unit_length(&text[end..], ['초', '秒']);
        let fraction = text[end..].strip_prefix(['.', ',']).map_or(0, |rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 { digits + 1 } else { 0 }
        });
        return Some(Clock { start, end: end + fraction, hour, minute, second });
    }
    // `3 pm`
    let lower = text.to_ascii_lowercase();
    let (at, _) = ["am", "pm", "a.m", "p.m"].iter().find_map(|half| lower.match_indices(half).next())?;
    let end = lower[..at].trim_end().len();
    let start = hour_before(end)?;
    Some(Clock { start, end, hour: text[start..end].parse().ok()?, minute: 0, second: 0 })
}

/// Length of the unit that a text starts with, if it does.
fn unit_length(text: &str, units: [char; 2]) -> usize {
    text.chars().next().filter(|c| units.contains(c)).map_or(0, char::len_utf8)
}

/// Whether a text ends with a day such as `2024-05-01`, after which a `-` starts a time zone.
fn is_day(text: &str) -> bool {
    text.len() >= 10 && text.is_char_boundary(text.len() - 10) && {
        let day = &text[text.len() - 10..];
        NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok()
    }
}

impl Clock {
    /// Seconds since the start of the day; 24:00 is the start of the next one.
    fn seconds(self, half: Option<Half>) -> Option<i64> {
        let hour = match half {
            Some(Half::First) if self.hour == 12 => 0,
            Some(Half::Second) if self.hour < 12 => self.hour + 12,
            _ => self.hour,
        };
        let is_time = hour < 24 || (hour == 24 && self.minute == 0 && self.second == 0);
        // A leap second counts as the one before it.
        let second = if self.second == 60 { 59 } else { self.second };
        (is_time && self.minute < 60 && second < 60).then(|| i64::from(hour * 3_600 + self.minute * 60 + second))
    }
}

/// The half of the day that stands before or after a time; and what is left of both parts.
fn half<'a>(before: &'a str, after: &'a str) -> (Option<Half>, &'a str, &'a str) {
    let next = after.trim_start();
    for (name, half) in HALVES {
        let is_start = next.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if is_start && !next[name.len()..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            return (Some(half), before, &next[name.len()..]);
        }
        if let Some(rest) = before.trim_end().strip_suffix(name).filter(|_| !name.is_ascii()) {
            return (Some(half), rest, after);
        }
    }
    (None, before, after)
}

/// The time zone of a date, and the date without it. A number counts more than a name: `+0200 GMT`.
fn zone(before: &str, after: &str, has_time: bool) -> (Option<Zone>, String) {
    let (mut number, mut name) = (None, None);
    let mut rest = Vec::new();
    // Without a time, a zone may follow a day at once: `2024-05-01Z`.
    let (before, glued) = match before.trim_end().split_at_checked(10) {
        Some((day, zone)) if !has_time && is_day(day) => (day, zone),
        _ => (before, ""),
    };
    rest.extend(before.split(' ').map(str::to_owned));
    for word in glued.split(' ').chain(after.split(' ')).filter(|word| !word.is_empty()) {
        let trimmed = word.trim_matches([',', ';', '.', ':']);
        let sign = trimmed.find(['+', '-']);
        let (prefix, offset) = trimmed.split_at(sign.unwrap_or(trimmed.len()));
        let is_prefix = prefix.is_empty() || ["gmt", "utc", "ut", "z"].contains(&prefix.to_lowercase().as_str());
        if let Some(minutes) = offset_of(offset).filter(|_| is_prefix) {
            number.get_or_insert(Zone::Offset(minutes));
        } else if let Some(zone) = zone_of(trimmed) {
            name.get_or_insert(zone);
        } else {
            rest.push(word.to_owned());
        }
    }
    // A zone may also stand before the time, or behind a day without one.
    if number.is_none() && name.is_none() {
        let is_zone = |word: &String| {
            let offset = offset_of(word).filter(|_| !has_time && word.len() >= "+02:00".len() - 1).map(Zone::Offset);
            offset.or_else(|| zone_of(word).filter(|_| word.len() > 2 || word == "Z"))
        };
        if let Some(at) = rest.iter().rposition(|word| is_zone(word).is_some()) {
            name = is_zone(&rest.remove(at));
        }
    }
    (number.or(name), rest.join(" "))
}

/// Minutes of `+02:00`, `+0200`, `+02`, `-700` and `--0700`.
fn offset_of(text: &str) -> Option<i32> {
    let is_west = text.starts_with('-');
    if !is_west && !text.starts_with('+') {
        return None;
    }
    let text = text.trim_start_matches(['+', '-']).trim_end_matches(['Z', 'z']);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_plain = text.chars().all(|c| c.is_ascii_digit() || c == ':');
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        3 | 4 => digits.split_at(digits.len() - 2),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (is_plain && total <= 15 * 60 && minutes < 60).then_some(if is_west { -total } else { total })
}

fn zone_of(word: &str) -> Option<Zone> {
    if word.contains('/') {
        return word.parse().ok().map(Zone::Named);
    }
    let lower = word.to_lowercase();
    let (_, minutes) = ZONES.iter().find(|(name, _)| *name == lower)?;
    Some(Zone::Offset(*minutes))
}

/// The month of a name or an abbreviation.
fn month_of(word: &str) -> Option<u32> {
    let is_month = |names: &str| names.split(' ').any(|name| name == word);
    let index = MONTHS.iter().position(|names| is_month(names))?;
    u32::try_from(index + 1).ok()
}

fn weekday_of(word: &str) -> Option<Weekday> {
    word.is_ascii().then(|| word.parse().ok())?
}

/// Reads a day. `is_american` says whether the month comes first in `05/06/2024`; otherwise that is no date.
fn day(text: &str, is_american: bool) -> Option<NaiveDate> {
    let text = text.to_lowercase().replace(['年', '月', '년', '월'], "-").replace(['日', '일'], " ");
    let (mut numbers, mut month, mut weekday, mut words) = (Vec::<DayNumber>::new(), None, None, 0);
    let mut is_week = false;
    let mut separator = ' ';
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let is_part = |c: char| if is_number { c.is_ascii_digit() } else { c.is_alphabetic() };
        let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        if length == 0 {
            separator = if separator == ' ' || first != ' ' { first } else { separator };
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (part, after) = rest.split_at(length);
        if is_number {
            numbers.push(DayNumber { value: part.parse().ok()?, digits: length, separator });
        } else if let Some(found) = month_of(part) {
            // A second name may be that of a weekday, as French `mar`.
            month = Some(found);
        } else if let Some(found) = weekday_of(part) {
            weekday = Some(found);
        } else if part == "w" && numbers.len() == 1 {
            is_week = true;
        } else {
            words += 1;
        }
        separator = ' ';
        rest = after;
    }
    match (month, &numbers[..]) {
        _ if words > MOST_WORDS => None,
        (None, [year, week, day]) if is_week => {
            let weekday = Weekday::try_from(u8::try_from(day.value.checked_sub(1)?).ok()?).ok()?;
            NaiveDate::from_isoywd_opt(year_of(*year)?, week.value, weekday)
        }
        (Some(month), [one, two]) => {
            let is_year = |number: &DayNumber| number.digits > 2 || number.value > 31;
            let (year, day) = if is_year(one) { (one, two) } else { (two, one) };
            NaiveDate::from_ymd_opt(year_of(*year)?, month, day.value)
        }
        (Some(month), [year]) if year.digits == 4 => NaiveDate::from_ymd_opt(year_of(*year)?, month, 1),
        (None, [one, two, three]) => numeric_day([*one, *two, *three], weekday, is_american),
        (None, [year, day]) if year.digits == 4 && day.digits == 3 => {
            NaiveDate::from_yo_opt(year_of(*year)?, day.value)
        }
        (None, [year, month]) if year.digits == 4 && month.separator == '-' => {
            NaiveDate::from_ymd_opt(year_of(*year)?, month.value, 1)
        }
        (None, [whole]) if whole.digits == 8 => {
            let year = i32::try_from(whole.value / 10_000).ok()?;
            NaiveDate::from_ymd_opt(year, whole.value / 100 % 100, whole.value % 100)
        }
        _ => None,
    }
}

/// A year of two digits is that of RFC 2822, one of three digits counts from 1900.
fn year_of(number: DayNumber) -> Option<i32> {
    let year = i32::try_from(number.value).ok()?;
    match number.digits {
        1 | 2 if year < 70 => Some(2000 + year),
        1..=3 => Some(1900 + year),
        4 => Some(year),
        _ => None,
    }
}

/// A day of three numbers. Of two possible days, the one of the weekday counts.
fn numeric_day(
    numbers @ [one, two, three]: [DayNumber; 3],
    weekday: Option<Weekday>,
    is_american: bool,
) -> Option<NaiveDate> {
    let day = |year: DayNumber, month: DayNumber, day: DayNumber| {
        NaiveDate::from_ymd_opt(year_of(year)?, month.value, day.value)
    };
    if one.digits == 4 || (one.value > 31 && three.digits < 4) {
        return day(one, two, three);
    }
    let is_certain = three.digits == 4 || three.value > 31 || two.separator == '.';
    let is_of_numbers = numbers.iter().all(|number| number.digits <= 4);
    if !is_certain || !is_of_numbers {
        return None;
    }
    let (by_day, by_month) = (day(three, two, one), day(three, one, two));
    match (by_day, by_month) {
        (Some(by_day), Some(by_month)) if two.separator == '/' && by_day != by_month => {
            let is_right = |day: &NaiveDate| weekday.is_some_and(|weekday| weekday == day.weekday());
            match (is_right(&by_day), is_right(&by_month)) {
                (true, false) => Some(by_day),
                (false, true) => Some(by_month),
                _ => Some(by_month).filter(|_| is_american),
            }
        }
        (by_day, by_month) => by_day.or(by_month),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_feeds() {
        for (text, expected) in [
            // RFC 822, and its mistakes.
            ("Wed, 01 May 2024 10:00:00 GMT", "2024-05-01T10:00:00"),
            ("Mon, 01 May 2024 10:00:00 GMT", "2024-05-01T10:00:00"),
            ("Wednesday, 1 May 2024 10:00:00 +0200", "2024-05-01T08:00:00"),
            ("Wed, 01 May 2024 10:00:00", "2024-05-01T10:00:00"),
            ("Wed, 01 May 2024 10:00", "2024-05-01T10:00:00"),
            ("Wed, 01 May 2024", "2024-05-01T00:00:00"),
            ("01 May 2024", "2024-05-01T00:00:00"),
            ("Wed, 01 May 2024 10:00:00 +02:00", "2024-05-01T08:00:00"),
            ("Wed, 01 May 2024 10:00:00 +2:00", "2024-05-01T08:00:00"),
            ("Wed, 01 May 2024 10:00:00 -700", "2024-05-01T17:00:00"),
            ("Wed, 01 May 2024 10:00:00 --0700", "2024-05-01T17:00:00"),
            ("Wed, 01 May 2024 10:00:00 -0700 GMT", "2024-05-01T17:00:00"),
            ("Wed, 01 May 2024 10:00:00 \u{2212}0400", "2024-05-01T14:00:00"),
            ("Wed, 01 May 2024 10:00:00 CEST", "2024-05-01T08:00:00"),
            ("Wed, 01 May 2024 10:00:00 EDT", "2024-05-01T14:00:00"),
            ("Wed, 01 May 2024 10:00:00 BST", "2024-05-01T09:00:00"),
            ("Wed, 01 May 2024 10:00:00 JST", "2024-05-01T01:00:00"),
            ("Wed, 01 May 2024 10:00:00 UT", "2024-05-01T10:00:00"),
            ("Wed, 01 May 2024 10:00:00Z", "2024-05-01T10:00:00"),
            ("Wed, 01 May 2024 10:00:00GMT", "2024-05-01T10:00:00"),
            ("Wed, 01 May 2024 10:00:00 GMT+2", "2024-05-01T08:00:00"),
            ("Wed, 01 May 2024 10:00:00 Europe/Berlin", "2024-05-01T08:00:00"),
            ("Wed, 01 May 2024 24:00:00 GMT", "2024-05-02T00:00:00"),
            ("Wed, 01 May 2024 23:59:60 GMT", "2024-05-01T23:59:59"),
            ("Wed, 1 May 24 10:00:00 GMT", "2024-05-01T10:00:00"),
            ("Sat, 01 May 99 10:00:00 GMT", "1999-05-01T10:00:00"),
            ("Wed,01 May 2024 10:00:00 GMT", "2024-05-01T10:00:00"),
            ("Wed, 01-May-24 10:00:00 GMT", "2024-05-01T10:00:00"),
            ("Wed, 01 May, 2024 9:5:3 GMT", "2024-05-01T09:05:03"),
            ("\n Wed,\t01 May 2024 10:00:00 +0000 \n", "2024-05-01T10:00:00"),
            ("Wed, 01 May 2024 10:00:00 +0200 (CEST)", "2024-05-01T08:00:00"),
            ("Sept. 5, 2024 10:00 UTC", "2024-09-05T10:00:00"),
            // Twelve hours.
            ("Wed, 01 May 2024 3:04 PM", "2024-05-01T15:04:00"),
            ("May 1, 2024 3:04 pm EDT", "2024-05-01T19:04:00"),
            ("May 1st, 2024, 3:04 p.m.", "2024-05-01T15:04:00"),
            ("May 1, 2024 at 12:30 AM", "2024-05-01T00:30:00"),
            ("May 1, 2024 12:30:00PM GMT", "2024-05-01T12:30:00"),
            ("1 May 2024 3pm", "2024-05-01T15:00:00"),
            ("5/6/2024 3:04:05 PM", "2024-05-06T15:04:05"),
            // ctime, date and JavaScript.
            ("Wed May  1 10:00:00 2024", "2024-05-01T10:00:00"),
            ("Wed May 01 10:00:00 CEST 2024", "2024-05-01T08:00:00"),
            ("Wed May 01 10:00:00 +0200 2024", "2024-05-01T08:00:00"),
            ("Wed May 01 2024 10:00:00 GMT+0200 (Central European Summer Time)", "2024-05-01T08:00:00"),
            ("Wednesday, May 1, 2024", "2024-05-01T00:00:00"),
            ("Wednesday, 01-May-24 10:00:00 UTC", "2024-05-01T10:00:00"),
            // ISO 8601.
            ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00"),
            ("2024-05-01T10:00:00.123456+02:00", "2024-05-01T08:00:00"),
            ("2024-05-01T10:00:00,5+0200", "2024-05-01T08:00:00"),
            ("2024-05-01T10:00+02", "2024-05-01T08:00:00"),
            ("2024-05-01T10:00:00+02:00[Europe/Berlin]", "2024-05-01T08:00:00"),
            ("2024-05-01T10:00:00+02:00Z", "2024-05-01T08:00:00"),
            ("2024-05-01T10:00:00:-0700", "2024-05-01T17:00:00"),
            ("2024-05-01 10:00:00 UTC", "2024-05-01T10:00:00"),
            ("2024-05-01t10:00:00z", "2024-05-01T10:00:00"),
            ("2024-5-1 9:05", "2024-05-01T09:05:00"),
            ("2024-05-01T24:00:00Z", "2024-05-02T00:00:00"),
            ("2024-05-01", "2024-05-01T00:00:00"),
            ("2024-05-01Z", "2024-05-01T00:00:00"),
            ("2024-05-01+02:00", "2024-04-30T22:00:00"),
            ("2024-05-01-05:00", "2024-05-01T05:00:00"),
            ("2024-05-01 -0500", "2024-05-01T05:00:00"),
            ("2024-05", "2024-05-01T00:00:00"),
            ("2024/05/01 10:00", "2024-05-01T10:00:00"),
            ("Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53"),
            ("20240501T100000Z", "2024-05-01T10:00:00"),
            ("20240501100000", "2024-05-01T10:00:00"),
            ("20240501", "2024-05-01T00:00:00"),
            ("2024-W18-3T10:00:00Z", "2024-05-01T10:00:00"),
            ("2024-122T10:00:00Z", "2024-05-01T10:00:00"),
            ("1714557600", "2024-05-01T10:00:00"),
            // Other orders and languages.
            ("01.05.2024 10:00", "2024-05-01T10:00:00"),
            ("1.5.24", "2024-05-01T00:00:00"),
            ("01-05-2024", "2024-05-01T00:00:00"),
            ("31/12/2024 10:00", "2024-12-31T10:00:00"),
            ("12/31/2024", "2024-12-31T00:00:00"),
            ("Wed, 05/06/2024", "2024-06-05T00:00:00"),
            ("Mi, 01 Mai 2024 10:00:00 +0200", "2024-05-01T08:00:00"),
            ("25. März 2015", "2015-03-25T00:00:00"),
            ("Mittwoch, 1. Mai 2024, 10.30 Uhr", "2024-05-01T10:30:00"),
            ("mer, 01 févr. 2024 10:00:00 +0100", "2024-02-01T09:00:00"),
            ("1er août 2024 à 10h30", "2024-08-01T10:30:00"),
            ("miércoles, 1 de mayo de 2024 10:00", "2024-05-01T10:00:00"),
            ("mer, 01 mag 2024 10:00:00 +0200", "2024-05-01T08:00:00"),
            ("Ср, 01 мая 2024 10:00:00 +0300", "2024-05-01T07:00:00"),
            ("Τετ, 01 Μάι 2024 10:00:00 EEST", "2024-05-01T07:00:00"),
            ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00"),
            ("2024年5月1日 10:00", "2024-05-01T10:00:00"),
            ("2024년 05월 01일  오후 11:23:17", "2024-05-01T23:23:17"),
            ("2024-05-01 오후 11:23:17", "2024-05-01T23:23:17"),
        ] {
            let date = read(text).map(|date| date.format("%FT%T").to_string());
            assert_eq!(date.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn lines_that_are_dates() {
        for (line, expected) in [
            ("5. März 2019", "2019-03-05T00:00:00"),
            ("5. März 2019, 10:20 Uhr", "2019-03-05T10:20:00"),
            ("Dienstag, 5. März 2019 um 10.20 Uhr", "2019-03-05T10:20:00"),
            ("March 5, 2019 10:20 AM EST", "2019-03-05T15:20:00"),
            ("Mar 5, 2019 at 10:20 am", "2019-03-05T10:20:00"),
            ("March 5th, 2019", "2019-03-05T00:00:00"),
            ("Tuesday, March 5, 2019", "2019-03-05T00:00:00"),
            ("Le 5 mars 2019 à 10h20", "2019-03-05T10:20:00"),
            ("martes, 5 de marzo de 2019", "2019-03-05T00:00:00"),
            ("Published: March 5, 2019", "2019-03-05T00:00:00"),
            ("Posted on March 5, 2019 at 3:20 p.m.", "2019-03-05T15:20:00"),
            ("2019年3月5日 10:20", "2019-03-05T10:20:00"),
        ] {
            let date = of_line(line, Tz::UTC).map(|date| date.format("%FT%T").to_string());
            assert_eq!(date.as_deref(), Some(expected), "{line}");
        }
        for line in [
            "",
            "March 2019",
            "The storm of March 5, 2019",
            "On March 5, 2019 we sailed.",
            "May 5 of 6 planks in 2019 hold",
            "5 March",
            "2019",
            "10:20",
            "March 5, 1066",
            "05/06/2019",
            "2019 2020 2021",
            "March 5, 2019 by Ann Lee",
            "1 of 2019",
        ] {
            assert_eq!(of_line(line, Tz::UTC), None, "{line}");
        }
    }

    #[test]
    fn texts_that_are_no_date_or_could_be_two() {
        for text in [
            "",
            "soon",
            "yesterday at 10:00",
            "05/06/2024",
            "24-05-01",
            "Wed, 32 May 2024 10:00:00 GMT",
            "Wed, 01 May 2024 25:00:00 GMT",
            "Wed, 01 May 2024 10:61:00 GMT",
            "Wed, 31 Nov -0001 00:00:00 +0000",
            "0001-01-01T00:00:00Z",
            "0000-00-00 00:00:00",
            "Thu, 01 Jan 1970 00:00:00 +0000",
            "2024-13-01",
            "10:00",
            "1 2 3 4 5 May",
            "1 toukokuuta 2024",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"1 ".repeat(100_000)), None);
    }
}
