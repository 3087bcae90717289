//! The dates in ID3 tags. The parser refuses all tags if one date is not in its form, and knows no time zones.

/// The dates of a recording, as they are written.
#[derive(Debug, Default)]
pub struct Id3Dates {
    released: Vec<String>,
    recorded: Vec<String>,
    /// Day and month as `DDMM`, and the time as `HHMM`, which precede 2.4.
    day: Option<String>,
    time: Option<String>,
}

impl Id3Dates {
    /// Whether a frame of this name is a date, or a part of one.
    pub fn is_date(id: &[u8]) -> bool {
        let others = [&b"TDEN"[..], b"TDOR", b"TDTG", b"TORY", b"TOR"];
        others.contains(&id) || is_release(id) || is_recording(id) || is_part(id)
    }

    /// Adds the text of a frame.
    pub fn add(&mut self, id: &[u8], text: &str) {
        let text = text.split('\0').map(str::trim).find(|text| !text.is_empty()).unwrap_or_default().to_owned();
        match id {
            _ if is_release(id) => self.released.push(text),
            _ if is_recording(id) => self.recorded.push(text),
            b"TDAT" | b"TDA" => self.day = self.day.take().or(Some(text)),
            b"TIME" | b"TIM" => self.time = self.time.take().or(Some(text)),
            _ => {}
        }
    }

    /// The dates of the release.
    pub fn released(&self) -> impl Iterator<Item = String> {
        self.released.iter().cloned()
    }

    /// The dates of the recording. A year is completed by the day and the time of frames of their own.
    pub fn recorded(&self) -> impl Iterator<Item = String> {
        self.recorded.iter().map(|date| self.completed(date).unwrap_or_else(|| date.clone()))
    }

    fn completed(&self, year: &str) -> Option<String> {
        let (year, day) = (four_figures(year)?, four_figures(self.day.as_deref()?)?);
        let time = self.time.as_deref().and_then(four_figures);
        let time = time.map(|time| format!(" {}:{}", &time[..2], &time[2..])).unwrap_or_default();
        Some(format!("{year}-{}-{}{time}", &day[2..], &day[..2]))
    }
}

fn is_release(id: &[u8]) -> bool {
    matches!(id, b"TDRL" | b"TDR")
}

fn is_recording(id: &[u8]) -> bool {
    matches!(id, b"TDRC" | b"TYER" | b"TYE" | b"TRDA" | b"TRD")
}

fn is_part(id: &[u8]) -> bool {
    matches!(id, b"TDAT" | b"TDA" | b"TIME" | b"TIM")
}

fn four_figures(text: &str) -> Option<&str> {
    (text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}
