//! What happens, one line for each thing, on standard error, as its reader wants it: a person, the journal, or a program.

use crate::model::text::terminal_safe;
use std::fmt::{self, Debug};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::observe::line_writer::{DropReport, LineWriter, Unbuffered, ascii};

/// How many lines may wait: a first import tells one for each article.
const ROOM: usize = 16 << 10;
/// How often the log says at most that it lacks lines.
const LEAST_NEWS: Duration = Duration::from_secs(1);
/// What is told.
const LEAST_LEVEL: LevelFilter = LevelFilter::INFO;

/// How the log is written
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogOptions {
    /// For people, with the time; in colours on a terminal
    Human,
    /// For the journal, which keeps the time: each line begins with its priority, as in `<4>`
    Systemd,
    /// One JSON object for each line
    Json,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Coloured,
    Systemd,
    Json,
}

impl Form {
    /// What is wanted, or else what suits whatever standard error is.
    fn choose(wanted: Option<LogOptions>) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let journal = std::env::var("JOURNAL_STREAM").is_ok_and(|stream| is_journal(&stream, io::stderr()));
        match wanted {
            Some(LogOptions::Json) => Self::Json,
            Some(LogOptions::Systemd) => Self::Systemd,
            None if journal => Self::Systemd,
            Some(LogOptions::Human) | None if io::stderr().is_terminal() && !is_set("NO_COLOR") => Self::Coloured,
            Some(LogOptions::Human) | None => Self::Plain,
        }
    }

    /// A line that says `message`, and with it the values of `fields`.
    fn line(self, at: SystemTime, level: Level, message: &str, fields: &Map<String, Value>) -> String {
        let at = DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true);
        let text = || {
            let fields = fields.iter().map(|(name, value)| format!(" {name}={value}"));
            terminal_safe(&fields.fold(message.to_owned(), |text, field| text + &field))
        };
        match self {
            Self::Plain => format!("{at} {level:>5} {}", text()),
            Self::Coloured => format!("\x1b[2m{at}\x1b[0m \x1b[{}m{level:>5}\x1b[0m {}", colour(level), text()),
            Self::Systemd => format!("<{}>{}", priority(level), text()),
            Self::Json => {
                let level = level.as_str().to_ascii_lowercase();
                let line = serde_json::to_string(&LogLine { time: at, level, message, fields });
                ascii(&line.expect("texts and numbers make JSON"))
            }
        }
    }

    /// The last line of a program that failed. People know what they started, and when.
    fn failure(self, at: SystemTime, error: &str) -> String {
        match self {
            Self::Plain | Self::Coloured => format!("gazetted: {}", terminal_safe(error)),
            Self::Systemd | Self::Json => self.line(at, Level::ERROR, error, &Map::new()),
        }
    }
}

/// What a line of JSON says.
#[derive(Serialize)]
struct LogLine<'a> {
    time: String,
    level: String,
    message: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: &'a Map<String, Value>,
}

/// That of syslog, which the journal knows (sd-daemon(3)).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    }
}

/// Whether `$JOURNAL_STREAM` means this file, by its device and inode (systemd.exec(5)): who starts another program may have
/// led its output elsewhere and left the variable.
fn is_journal(stream: &str, file: impl std::os::fd::AsFd) -> bool {
    let Some((device, inode)) = stream.split_once(':') else { return false };
    rustix::fs::fstat(file).is_ok_and(|stat| device.parse() == Ok(stat.st_dev) && inode.parse() == Ok(stat.st_ino))
}

/// The log of this program.
#[derive(Debug)]
pub struct Log {
    lines: Arc<LineWriter>,
    form: Form,
}

impl Log {
    /// From now on all that `tracing` is told is written to standard error. Nobody who tells anything waits for that.
    pub fn start(wanted: Option<LogOptions>) -> Self {
        let form = Form::choose(wanted);
        // Without a thread there is no log, and nowhere to say so.
        let (lines, _) = LineWriter::start("log", Unbuffered(io::stderr()), ROOM, Lost(form), LEAST_NEWS);
        let lines = Arc::new(lines);
        // There is another only where somebody else has set it, who then wants it so.
        let _ = tracing::subscriber::set_global_default(Teller { lines: lines.clone(), form });
        std::panic::set_hook(Box::new(|fault| {
            let place = fault.location().map(ToString::to_string).unwrap_or_default();
            let what = fault.payload_as_str().unwrap_or("it does not say what is wrong");
            tracing::error!("{place}: a fault of the program: {what}: please report this");
        }));
        Self { lines, form }
    }

    /// How many lines were lost until now.
    pub fn lost(&self) -> Arc<AtomicU64> {
        self.lines.lost()
    }

    /// Writes what is left, and then why the program ends, if that is an error: in one line, from the outermost cause to the
    /// innermost.
    pub fn end(self, error: Option<&anyhow::Error>) {
        let last = error.map(|error| self.form.failure(SystemTime::now(), &format!("{error:#}")));
        // Who did not read them does not read that they are lost.
        self.lines.end(last);
    }
}

/// Says in the log itself what it lacks.
struct Lost(Form);

impl DropReport for Lost {
    fn lost(&mut self, lines: u64) -> Option<String> {
        let message = format!("the log lacks {lines} lines: whoever reads it is too slow");
        Some(self.0.line(SystemTime::now(), Level::WARN, &message, &Map::new()))
    }

    fn failing(&mut self, _: &io::Error) {
        // There is nowhere to say so.
    }
}

/// Makes a line of each event. Spans, which nobody here uses, are all one.
struct Teller {
    lines: Arc<LineWriter>,
    form: Form,
}

impl Subscriber for Teller {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= LEAST_LEVEL
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LEAST_LEVEL)
    }

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        self.lines.tell(self.form.line(SystemTime::now(), *event.metadata().level(), &said.message, &said.fields));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Map<String, Value>,
}

impl Said {
    fn say(&mut self, field: &Field, value: Value) {
        self.fields.insert(field.name().to_owned(), value);
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = fmt::format(format_args!("{value:?}"));
        if field.name() == "message" {
            self.message = value;
        } else {
            self.say(field, value.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.say(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.say(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.say(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.say(field, value.into());
    }
}

#[cfg(test)]
mod tests {

    use serde_json::json;

    use super::*;
    use crate::observe::line_writer::tests::Kept;

    /// What a hostile file may be called.
    const HOSTILE: &str = "a\n<0>b\r\u{1b}[2J\u{2028}c\0\u{9b}\u{202e}é";

    fn at() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(971_211_336_250)
    }

    fn line(form: Form, message: &str) -> String {
        form.line(at(), Level::WARN, message, &Map::new())
    }

    #[test]
    fn each_reader_has_a_form() {
        assert_eq!(line(Form::Plain, "é: changed"), "2000-10-10T20:55:36.250Z  WARN é: changed");
        let coloured = line(Form::Coloured, "x");
        assert_eq!(coloured, "\x1b[2m2000-10-10T20:55:36.250Z\x1b[0m \x1b[33m WARN\x1b[0m x");
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
        let lines = levels.map(|level| Form::Systemd.line(at(), level, "x", &Map::new()));
        assert_eq!(lines, ["<3>x", "<4>x", "<6>x", "<7>x", "<7>x"]);
        let json: Value = serde_json::from_str(&line(Form::Json, "é: changed")).unwrap();
        assert_eq!(json, json!({"time": "2000-10-10T20:55:36.250Z", "level": "warn", "message": "é: changed"}));
    }

    #[test]
    fn no_message_makes_a_second_line_or_moves_the_cursor() {
        let shown = r"a\x0a<0>b\x0d\x1b[2J\u{2028}c\x00\u{9b}\u{202e}é";
        assert_eq!(line(Form::Plain, HOSTILE), format!("2000-10-10T20:55:36.250Z  WARN {shown}"));
        assert_eq!(line(Form::Systemd, HOSTILE), format!("<4>{shown}"));
        assert!(line(Form::Coloured, HOSTILE).ends_with(&format!("\x1b[0m {shown}")));
        let json = line(Form::Json, HOSTILE);
        assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{json}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["message"], HOSTILE);
        for (form, expected) in [
            (Form::Plain, format!("gazetted: {shown}")),
            (Form::Coloured, format!("gazetted: {shown}")),
            (Form::Systemd, format!("<3>{shown}")),
            (Form::Json, line(Form::Json, HOSTILE).replace("warn", "error")),
        ] {
            assert_eq!(form.failure(at(), HOSTILE), expected);
        }
    }

    #[test]
    fn the_journal_is_known_by_its_file() {
        let (file, other) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let stat = rustix::fs::fstat(&file).unwrap();
        let stream = format!("{}:{}", stat.st_dev, stat.st_ino);
        assert!(is_journal(&stream, &file));
        assert!(!is_journal(&stream, &other));
        for stream in ["", ":", "8", "x:y", &format!("{}:", stat.st_dev), &format!("{stream}:1"), "-1:-1"] {
            assert!(!is_journal(stream, &file), "{stream}");
        }
    }

    /// What is written of some events.
    fn written(form: Form, tell: impl FnOnce()) -> Vec<String> {
        let kept = Kept::default();
        let (lines, started) = LineWriter::start("log-test", kept.clone(), 100, Lost(form), LEAST_NEWS);
        started.unwrap();
        let lines = Arc::new(lines);
        tracing::subscriber::with_default(Teller { lines: lines.clone(), form }, tell);
        lines.end(None);
        let kept = kept.0.lock().unwrap();
        String::from_utf8(kept.clone()).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn events_are_told_with_their_fields() {
        let tell = || {
            let name = "b\n\"";
            tracing::info!("one");
            tracing::debug!("nothing that anybody can act on");
            tracing::error!(articles = 2, name, there = true, list = ?[1], "two {name}");
        };
        let lines = written(Form::Systemd, tell);
        assert_eq!(lines, ["<6>one", r#"<3>two b\x0a" articles=2 list="[1]" name="b\n\"" there=true"#]);
        let lines = written(Form::Json, tell);
        assert_eq!(lines.len(), 2);
        let line: Value = serde_json::from_str(&lines[1]).unwrap();
        assert_eq!(line["fields"], json!({"articles": 2, "list": "[1]", "name": "b\n\"", "there": true}));
        assert_eq!((&line["level"], &line["message"]), (&json!("error"), &json!("two b\n\"")));
    }

    #[test]
    fn lost_lines_are_told_in_the_form_of_the_others() {
        let line = Lost(Form::Systemd).lost(7).unwrap();
        assert_eq!(line, "<4>the log lacks 7 lines: whoever reads it is too slow");
    }
}
