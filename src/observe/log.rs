//! The program's log: one line for each event on standard error, in a form for people, for the journal or for programs.
//!
//! An event is a message and fields: `tracing::info!(path = %path.display(), "published")`. A field holds the value as it is;
//! escaping it is up to the form of the line.

use std::fmt::Debug;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::ValueEnum;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::model::text::{is_control, single_line};
use crate::observe::line_writer::{DropReport, LineWriter, Unbuffered, ascii};

/// Capacity of the queue in lines.
const QUEUE_LENGTH: usize = 16 << 10;
/// Shortest time between two reports of dropped lines.
const DROP_REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Level of targets that the filter does not name.
const DEFAULT_LEVEL: LevelFilter = LevelFilter::INFO;
/// Environment variable that sets the filter where `--log-level` does not.
const FILTER_VARIABLE: &str = "RUST_LOG";

/// Form of the log
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, message and fields; in colour on a terminal
    Human,
    /// For the journal, which adds the time: each line starts with its priority, as in `<4>`
    Systemd,
    /// One JSON object a line, each field under its own key
    Json,
}

/// Form and filter of the log, as given on the command line.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// `None`: the form that suits standard error.
    pub format: Option<LogFormat>,
    /// `None`: `$RUST_LOG`, else `info`.
    pub level: Option<String>,
}

impl LogOptions {
    /// Returns the filter. An empty variable counts as unset.
    fn filter(&self) -> Result<Targets, String> {
        let of_option = self.level.as_deref().map(|text| ("--log-level", text.to_owned()));
        let variable = || std::env::var_os(FILTER_VARIABLE).filter(|value| !value.is_empty());
        let of_variable = || variable().map(|value| (FILTER_VARIABLE, value.to_string_lossy().into_owned()));
        match of_option.or_else(of_variable) {
            Some((source, text)) => parse_filter(&text).map_err(|reason| format!("{source}: {reason}")),
            None => Ok(default_filter()),
        }
    }
}

/// The filter to which others add. What object storage is asked a second time is no news: if it fails in the end, that is logged.
fn default_filter() -> Targets {
    Targets::new().with_default(DEFAULT_LEVEL).with_target("object_store", LevelFilter::WARN)
}

/// Parses `LEVEL`, `TARGET=LEVEL` or several of them with commas between. A target without a level means all of its events,
/// as in other programs; only those of this program are accepted so, or a misspelt level would pass for one.
fn parse_filter(text: &str) -> Result<Targets, String> {
    let own_name = env!("CARGO_CRATE_NAME");
    let mut filter = default_filter();
    for directive in text.split(',').map(str::trim) {
        let (target, level) = match directive.split_once('=') {
            Some((target, level)) => (Some(target.trim_end()), level.trim_start()),
            None if directive.split("::").next() == Some(own_name) => (Some(directive), "trace"),
            None => (None, directive),
        };
        let level = Some(level).filter(|level| !level.is_empty()).and_then(|level| level.parse::<LevelFilter>().ok());
        filter = match (target, level) {
            (Some(target), Some(level)) if !target.is_empty() => filter.with_target(target, level),
            (None, Some(level)) => filter.with_default(level),
            _ => {
                return Err(format!(
                    "`{directive}` is not a level: use off, error, warn, info, debug or trace, or a level for one part of the \
                     program, as in {own_name}::serve=debug"
                ));
            }
        };
    }
    Ok(filter)
}

/// Layout of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineStyle {
    Plain,
    Coloured,
    Systemd,
    Json,
}

impl LineStyle {
    /// Returns the style of `format`, or without one the style that suits standard error.
    fn choose(format: Option<LogFormat>) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let journal = std::env::var("JOURNAL_STREAM").is_ok_and(|stream| is_journal(&stream, io::stderr()));
        match format {
            Some(LogFormat::Json) => Self::Json,
            Some(LogFormat::Systemd) => Self::Systemd,
            None if journal => Self::Systemd,
            Some(LogFormat::Human) | None if io::stderr().is_terminal() && !is_set("NO_COLOR") => Self::Coloured,
            Some(LogFormat::Human) | None => Self::Plain,
        }
    }

    /// Formats an event as one line, without its end.
    fn line(self, at: SystemTime, level: Level, message: &str, fields: &EventFields) -> String {
        let at = DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Millis, true);
        let text = || {
            let text = fields.0.iter().fold(message.to_owned(), |text, (name, value)| text + &pair(name, value));
            single_line(&text).into_owned()
        };
        match self {
            Self::Plain => format!("{at} {level:>5} {}", text()),
            Self::Coloured => format!("\x1b[2m{at}\x1b[0m \x1b[{}m{level:>5}\x1b[0m {}", colour(level), text()),
            Self::Systemd => format!("<{}>{}", priority(level), text()),
            Self::Json => {
                let level = level.as_str().to_ascii_lowercase();
                let line = serde_json::to_string(&JsonLine { time: at, level, message, fields });
                ascii(&line.expect("texts and numbers make JSON"))
            }
        }
    }

    /// Formats the last line of a program that failed. People know which program they started, and when.
    fn failure(self, at: SystemTime, error: &str) -> String {
        match self {
            Self::Plain | Self::Coloured => format!("gazetted: {}", single_line(error)),
            Self::Systemd | Self::Json => self.line(at, Level::ERROR, error, &EventFields::default()),
        }
    }
}

/// Formats ` name=value`. A text with a space, a quote or an invisible character in it is quoted as in JSON.
fn pair(name: &str, value: &Value) -> String {
    let needs_quotes = |c: char| c.is_whitespace() || matches!(c, '"' | '\\' | '=') || is_control(c);
    match value {
        Value::String(value) if !value.is_empty() && !value.contains(needs_quotes) => format!(" {name}={value}"),
        _ => format!(" {name}={value}"),
    }
}

/// A line in JSON. The keys of the fields stand beside these three.
#[derive(Serialize)]
struct JsonLine<'a> {
    time: String,
    level: String,
    message: &'a str,
    #[serde(flatten)]
    fields: &'a EventFields,
}

/// Returns the syslog priority of a level, as sd-daemon(3) defines it.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// Returns the ANSI colour of a level.
fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    }
}

/// Returns true if `$JOURNAL_STREAM` names this file by device and inode (systemd.exec(5)). The variable alone is no proof: a
/// parent process may have redirected the output and left it set.
fn is_journal(stream: &str, file: impl std::os::fd::AsFd) -> bool {
    let Some((device, inode)) = stream.split_once(':') else { return false };
    rustix::fs::fstat(file).is_ok_and(|stat| device.parse() == Ok(stat.st_dev) && inode.parse() == Ok(stat.st_ino))
}

/// The log of this program.
#[derive(Debug)]
pub struct Log {
    lines: Arc<LineWriter>,
    style: LineStyle,
}

impl Log {
    /// Sends all events of `tracing`, and panics, to standard error. Logging never blocks.
    ///
    /// # Errors
    /// The filter cannot be parsed; the error is the line to print.
    pub fn start(options: &LogOptions) -> Result<Self, String> {
        let style = LineStyle::choose(options.format);
        let filter = options.filter().map_err(|reason| style.failure(SystemTime::now(), &reason))?;
        // Without a thread there is no log, and no place to report that.
        let (lines, _) = LineWriter::start(
            "log",
            Unbuffered(io::stderr()),
            QUEUE_LENGTH,
            LogDropReport(style),
            DROP_REPORT_INTERVAL,
        );
        let lines = Arc::new(lines);
        let layer = LineLayer { lines: lines.clone(), style };
        // Fails only where a test has set another subscriber first.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(filter).with(layer));
        std::panic::set_hook(Box::new(|panic| {
            let (file, line) = panic.location().map(|location| (location.file(), location.line())).unzip();
            let reason = panic.payload_as_str().unwrap_or("no message");
            if is_closed_output(reason) {
                return;
            }
            tracing::error!(file, line, reason, "internal error: please report it");
        }));
        Ok(Self { lines, style })
    }

    /// Returns the counter of dropped lines.
    pub fn dropped(&self) -> Arc<AtomicU64> {
        self.lines.dropped()
    }

    /// Drains the queue, then writes why the program ends, if that is an error: one line, from the outermost cause to the
    /// innermost.
    pub fn end(self, error: Option<&anyhow::Error>) {
        let last = error.map(|error| self.style.failure(SystemTime::now(), &format!("{error:#}")));
        // A reader that missed lines would miss a report of them as well.
        self.lines.end(last);
    }
}

/// Whether a panic says that the program which reads the output has ended, as in `gazetted explain … | head`.
pub fn is_closed_output(reason: &str) -> bool {
    reason.starts_with("failed printing to stdout") && reason.contains("Broken pipe")
}

/// Reports dropped lines in the log itself.
struct LogDropReport(LineStyle);

impl DropReport for LogDropReport {
    fn dropped(&mut self, lines: u64) -> Option<String> {
        let fields = EventFields(vec![("lines", lines.into())]);
        let message = "log lines were dropped: the log reader is too slow";
        Some(self.0.line(SystemTime::now(), Level::WARN, message, &fields))
    }

    fn failing(&mut self, _: &io::Error) {
        // There is no other place to report that.
    }
}

/// Turns each event into a line.
struct LineLayer {
    lines: Arc<LineWriter>,
    style: LineStyle,
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut record = EventRecord::default();
        event.record(&mut record);
        let level = *event.metadata().level();
        self.lines.write(self.style.line(SystemTime::now(), level, &record.message, &record.fields));
    }
}

/// Message and fields of an event.
#[derive(Default)]
struct EventRecord {
    message: String,
    fields: EventFields,
}

/// Names and values, in the order of the call.
#[derive(Default)]
struct EventFields(Vec<(&'static str, Value)>);

impl Serialize for EventFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl EventRecord {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.fields.0.push((field.name(), value.into()));
    }
}

impl Visit for EventRecord {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.add(field, text);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::line_writer::tests::SharedBuffer;

    /// A file name that tries to forge a line and to control a terminal.
    const HOSTILE: &str = "a\n<0>b\r\u{1b}[2J\u{2028}c\0\u{9b}\u{202e}é";

    fn at() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(971_211_336_250)
    }

    fn line(style: LineStyle, message: &str) -> String {
        style.line(at(), Level::WARN, message, &EventFields::default())
    }

    #[test]
    fn each_reader_has_a_form() {
        assert_eq!(line(LineStyle::Plain, "é: changed"), "2000-10-10T20:55:36.250Z  WARN é: changed");
        let coloured = line(LineStyle::Coloured, "x");
        assert_eq!(coloured, "\x1b[2m2000-10-10T20:55:36.250Z\x1b[0m \x1b[33m WARN\x1b[0m x");
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
        let lines = levels.map(|level| LineStyle::Systemd.line(at(), level, "x", &EventFields::default()));
        assert_eq!(lines, ["<3>x", "<4>x", "<6>x", "<7>x", "<7>x"]);
        let json: Value = serde_json::from_str(&line(LineStyle::Json, "é: changed")).unwrap();
        assert_eq!(json, json!({"time": "2000-10-10T20:55:36.250Z", "level": "warn", "message": "é: changed"}));
    }

    #[test]
    fn no_message_makes_a_second_line_or_moves_the_cursor() {
        let escaped = r"a\n<0>b\r\u{1b}[2J\u{2028}c\u{0}\u{9b}\u{202e}é";
        assert_eq!(line(LineStyle::Plain, HOSTILE), format!("2000-10-10T20:55:36.250Z  WARN {escaped}"));
        assert_eq!(line(LineStyle::Systemd, HOSTILE), format!("<4>{escaped}"));
        assert!(line(LineStyle::Coloured, HOSTILE).ends_with(&format!("\x1b[0m {escaped}")));
        let json = line(LineStyle::Json, HOSTILE);
        assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{json}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["message"], HOSTILE);
        for (style, expected) in [
            (LineStyle::Plain, format!("gazetted: {escaped}")),
            (LineStyle::Coloured, format!("gazetted: {escaped}")),
            (LineStyle::Systemd, format!("<3>{escaped}")),
            (LineStyle::Json, line(LineStyle::Json, HOSTILE).replace("warn", "error")),
        ] {
            assert_eq!(style.failure(at(), HOSTILE), expected);
        }
    }

    #[test]
    fn the_journal_is_recognised_by_its_file() {
        let (file, other) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let stat = rustix::fs::fstat(&file).unwrap();
        let stream = format!("{}:{}", stat.st_dev, stat.st_ino);
        assert!(is_journal(&stream, &file));
        assert!(!is_journal(&stream, &other));
        for stream in ["", ":", "8", "x:y", &format!("{}:", stat.st_dev), &format!("{stream}:1"), "-1:-1"] {
            assert!(!is_journal(stream, &file), "{stream}");
        }
    }

    /// Returns the lines that `events` produces.
    fn logged(style: LineStyle, filter: &str, events: impl FnOnce()) -> Vec<String> {
        let output = SharedBuffer::default();
        let (lines, started) =
            LineWriter::start("log-test", output.clone(), 100, LogDropReport(style), DROP_REPORT_INTERVAL);
        started.unwrap();
        let lines = Arc::new(lines);
        let layer = LineLayer { lines: lines.clone(), style };
        let subscriber = Registry::default().with(parse_filter(filter).unwrap()).with(layer);
        tracing::subscriber::with_default(subscriber, events);
        lines.end(None);
        let bytes = output.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    fn parsed(line: &str) -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn every_form_shows_the_fields() {
        let events = || {
            tracing::info!(path = %"a.md", line = 3, changed = true, share = 0.5, "published");
            tracing::warn!(path = "b c.md", reason = "", list = ?[1], "held back");
        };
        let plain = logged(LineStyle::Plain, "info", events);
        assert!(plain[0].ends_with("  INFO published path=a.md line=3 changed=true share=0.5"), "{plain:?}");
        assert!(plain[1].ends_with(r#"  WARN held back path="b c.md" reason="" list=[1]"#), "{plain:?}");
        let systemd = logged(LineStyle::Systemd, "info", events);
        assert_eq!(systemd[0], "<6>published path=a.md line=3 changed=true share=0.5");
        let json = logged(LineStyle::Json, "info", events);
        assert!(
            json[0].ends_with(
                r#""level":"info","message":"published","path":"a.md","line":3,"changed":true,"share":0.5}"#
            ),
            "{json:?}"
        );
        assert_eq!(parsed(&json[1])["path"], "b c.md");
    }

    #[test]
    fn a_field_forges_nothing_and_json_keeps_it_whole() {
        let name = format!("q\"{HOSTILE}\\ path=x");
        let events = || tracing::info!(path = %name, "published");
        let escaped = r#"path="q\"a\n<0>b\r\u001b[2J\u{2028}c\u0000\u{9b}\u{202e}é\\ path=x""#;
        assert_eq!(logged(LineStyle::Systemd, "info", events), [format!("<6>published {escaped}")]);
        for style in [LineStyle::Plain, LineStyle::Coloured] {
            let lines = logged(style, "info", events);
            assert!(lines.len() == 1 && lines[0].ends_with(&format!(" published {escaped}")), "{lines:?}");
        }
        let json = logged(LineStyle::Json, "info", events);
        assert!(json.len() == 1 && json[0].bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{json:?}");
        assert_eq!(parsed(&json[0])["path"], name);
    }

    #[test]
    fn the_filter_selects_levels_and_targets() {
        let events = || {
            tracing::error!("error");
            tracing::info!("info");
            tracing::debug!("debug");
            tracing::trace!(target: "gazetted::serve", "trace of serve");
            tracing::info!(target: "other", "info of other");
        };
        for (filter, expected) in [
            ("off", &[][..]),
            ("error", &["<3>error"]),
            ("INFO", &["<3>error", "<6>info", "<6>info of other"]),
            ("debug", &["<3>error", "<6>info", "<7>debug", "<6>info of other"]),
            ("gazetted::serve=trace", &["<3>error", "<6>info", "<7>trace of serve", "<6>info of other"]),
            ("error, gazetted::serve = trace", &["<3>error", "<7>trace of serve"]),
            ("off,gazetted::serve", &["<7>trace of serve"]),
            ("other=off", &["<3>error", "<6>info"]),
        ] {
            assert_eq!(logged(LineStyle::Systemd, filter, events), expected, "{filter}");
        }
    }

    #[test]
    fn a_bad_filter_is_refused() {
        for filter in ["", ",", "verbose", "info,", "gazetted=loud", "=info", "gazetted=", "gazettedx", "a=b=info", "6"]
        {
            let error = parse_filter(filter).expect_err(filter);
            assert!(error.contains("is not a level: use off, error, warn"), "{filter}: {error}");
        }
        let options = LogOptions { format: None, level: Some("loud".to_owned()) };
        assert!(options.filter().unwrap_err().starts_with("--log-level: `loud` is not a level"));
    }

    #[test]
    fn dropped_lines_are_reported_in_the_form_of_the_others() {
        let line = LogDropReport(LineStyle::Systemd).dropped(7).unwrap();
        assert_eq!(line, "<4>log lines were dropped: the log reader is too slow lines=7");
        let json = parsed(&LogDropReport(LineStyle::Json).dropped(7).unwrap());
        assert_eq!((&json["level"], &json["lines"]), (&json!("warn"), &json!(7)));
    }
}
