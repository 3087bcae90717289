//! What is counted, for whoever draws curves of it (Prometheus). Counting costs an addition and waits for nobody.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Media type of what [`Metrics::written`] gives.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From the change of a file to what is served of it, in seconds: what is promised, and what goes wrong.
const SERVED_AFTER: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// A feed in RSS.
    Rss,
    /// One in Atom.
    Atom,
    /// One in JSON.
    Json,
    /// A page for people.
    Page,
    /// A file beside articles.
    Media,
    /// Anything else, there or not.
    Other,
}

const ASKED: [(Asked, &str); 6] = [
    (Asked::Rss, "rss"),
    (Asked::Atom, "atom"),
    (Asked::Json, "json"),
    (Asked::Page, "page"),
    (Asked::Media, "media"),
    (Asked::Other, "other"),
];
/// The most frequent first; any other counts as 0.
const STATUSES: [u16; 19] =
    [304, 200, 206, 404, 301, 410, 204, 307, 400, 405, 406, 412, 416, 429, 500, 501, 503, 431, 0];
const CODINGS: [&str; 4] = ["identity", "gzip", "br", "zstd"];

/// What came of comparing the whole folder with the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compared {
    /// Nothing had changed.
    Same,
    /// Something had, and nothing else had told of it.
    Different,
    /// The folder is away.
    Away,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    document: &'static str,
    status: u16,
    coding: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Result {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// Everything that is counted. Cheap to clone: all clones count the same.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Counted>);

struct Counted {
    registry: Registry,
    articles: Family<State, Gauge>,
    complaints: Gauge,
    versions: Counter,
    served_after: Histogram,
    compared: Family<Result, Counter>,
    failures: Counter,
    watched: Family<By, Gauge>,
    watched_by_events: Gauge,
    watched_by_listing: Gauge,
    answers: Family<Answer, Counter>,
    /// The same without a look into a table: each is put here when it is first needed.
    answered: Vec<OnceLock<Counter>>,
    sent: Counter,
    saved_by_unchanged: Counter,
    saved_by_coding: Counter,
    connections: Gauge,
    accepted: Counter,
    evicted: Counter,
    refused: Counter,
    lost_lines: LostLines,
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    /// Nothing yet.
    fn default() -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(Process));
        let registry = all.sub_registry_with_prefix("gazetted");
        let saved: Family<By, Counter> = Family::default();
        let saved_by = |by: &'static str| saved.get_or_create_owned(&By { by });
        let closed: Family<By, Counter> = Family::default();
        let closed_by = |by: &'static str| closed.get_or_create_owned(&By { by });
        let watched: Family<By, Gauge> = Family::default();
        let watched_by = |by: &'static str| watched.get_or_create_owned(&By { by });
        let counted = Counted {
            registry: Registry::default(),
            articles: Family::default(),
            complaints: Gauge::default(),
            versions: Counter::default(),
            served_after: Histogram::new(SERVED_AFTER),
            compared: Family::default(),
            failures: Counter::default(),
            watched_by_events: watched_by("events"),
            watched_by_listing: watched_by("listing"),
            watched,
            answers: Family::default(),
            answered: (0..ASKED.len() * STATUSES.len() * CODINGS.len()).map(|_| OnceLock::new()).collect(),
            sent: Counter::default(),
            saved_by_unchanged: saved_by("unchanged"),
            saved_by_coding: saved_by("coding"),
            connections: Gauge::default(),
            accepted: Counter::default(),
            evicted: closed_by("eviction"),
            refused: closed_by("no room"),
            lost_lines: LostLines::default(),
        };
        counted.register(registry);
        let help = "Bytes of bodies that needed not be sent: the client had them, or they were compressed";
        registry.register_with_unit("http_saved", help, Unit::Bytes, saved);
        registry.register("http_ended", "Connections that had to go for others, or found no room", closed);
        Self(Arc::new(Counted { registry: all, ..counted }))
    }
}

impl Counted {
    fn register(&self, registry: &mut Registry) {
        registry.register("articles", "Articles, published and scheduled", self.articles.clone());
        registry.register("complaints", "Files with something wrong", self.complaints.clone());
        registry.register("versions", "Versions that were served", self.versions.clone());
        let help = "From when a change was noticed until it was served";
        registry.register_with_unit("served_after", help, Unit::Seconds, self.served_after.clone());
        registry.register("comparisons", "Comparisons of the whole folder with the catalog", self.compared.clone());
        registry.register("catalog_failures", "Times that the catalog could not be used", self.failures.clone());
        registry.register("watched_folders", "Folders that are watched, and how", self.watched.clone());
        registry.register("http_requests", "Answers, by what was asked for", self.answers.clone());
        registry.register_with_unit("http_sent", "Bodies that were sent", Unit::Bytes, self.sent.clone());
        registry.register("http_connections", "Connections that are open", self.connections.clone());
        registry.register("http_accepted", "Connections that were accepted", self.accepted.clone());
        registry.register_collector(Box::new(self.lost_lines.clone()));
    }
}

impl Metrics {
    /// Everything in the form that Prometheus reads.
    pub fn written(&self) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = text::encode(&mut text, &self.0.registry);
        text
    }

    /// How many articles there are.
    pub fn articles(&self, published: u64, scheduled: u64) {
        for (state, count) in [("published", published), ("scheduled", scheduled)] {
            self.0.articles.get_or_create(&State { state }).set(count.cast_signed());
        }
    }

    /// How many files have something wrong.
    pub fn complaints(&self, count: usize) {
        self.0.complaints.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A version is served, so long after the first change in it was noticed, if any was.
    pub fn version(&self, after: Option<Duration>) {
        self.0.versions.inc();
        if let Some(after) = after {
            self.0.served_after.observe(after.as_secs_f64());
        }
    }

    /// The whole folder was compared.
    pub fn compared(&self, result: Compared) {
        let result = match result {
            Compared::Same => "same",
            Compared::Different => "different",
            Compared::Away => "away",
        };
        self.0.compared.get_or_create(&Result { result }).inc();
    }

    /// The catalog could not be used.
    pub fn failure(&self) {
        self.0.failures.inc();
    }

    /// How many folders are watched.
    pub fn watched(&self, by_events: usize, by_listing: usize) {
        for (gauge, count) in [(&self.0.watched_by_events, by_events), (&self.0.watched_by_listing, by_listing)] {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// A request was answered.
    pub fn answered(&self, asked: Asked, status: u16, coding: Option<&str>) {
        let asked_at = ASKED.iter().position(|(known, _)| *known == asked).unwrap_or(ASKED.len() - 1);
        let status_at = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        let coding_at = coding.and_then(|coding| CODINGS.iter().position(|known| *known == coding)).unwrap_or(0);
        let place = (asked_at * STATUSES.len() + status_at) * CODINGS.len() + coding_at;
        let answer = || Answer { document: ASKED[asked_at].1, status: STATUSES[status_at], coding: CODINGS[coding_at] };
        self.0.answered[place].get_or_init(|| self.0.answers.get_or_create_owned(&answer())).inc();
    }

    /// So many bytes of bodies are sent.
    pub fn sent(&self, bytes: u64) {
        self.0.sent.inc_by(bytes);
    }

    /// So many were not, since the client has them.
    pub fn saved_by_unchanged(&self, bytes: u64) {
        self.0.saved_by_unchanged.inc_by(bytes);
    }

    /// So many were not, since they were compressed.
    pub fn saved_by_coding(&self, bytes: u64) {
        self.0.saved_by_coding.inc_by(bytes);
    }

    /// A connection was accepted.
    pub fn connected(&self) {
        self.0.accepted.inc();
        self.0.connections.inc();
    }

    /// One has ended.
    pub fn disconnected(&self) {
        self.0.connections.dec();
    }

    /// One had to go for another.
    pub fn evicted(&self) {
        self.0.evicted.inc();
    }

    /// One found no room.
    pub fn refused(&self) {
        self.0.refused.inc();
    }

    /// Tells of the lines that a log has lost, which it counts itself.
    pub fn lost_lines(&self, log: &'static str, lost: Arc<AtomicU64>) {
        self.0.lost_lines.0.lock().unwrap_or_else(PoisonError::into_inner).push((log, lost));
    }
}

/// Lines that nobody took in time, by the log that lacks them.
#[derive(Debug, Clone, Default)]
struct LostLines(Arc<Mutex<Vec<Lost>>>);

/// The name of a log, and what it counts.
type Lost = (&'static str, Arc<AtomicU64>);

impl Collector for LostLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::result::Result<(), fmt::Error> {
        let help = "Lines of a log that nobody took in time";
        let mut lost = encoder.encode_descriptor("lost_lines", help, None, MetricType::Counter)?;
        for (by, count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let count = ConstCounter::new(count.load(Relaxed));
            count.encode(lost.encode_family(&By { by })?)?;
        }
        Ok(())
    }
}

/// What the system knows of this process, under the names that all programs use.
#[derive(Debug)]
struct Process;

/// Ticks of the clock that the system counts a process's time by, in a second: on Linux always this many.
const TICKS: f64 = 100.0;

impl Process {
    /// Seconds of all processors.
    fn processor_time() -> Option<f64> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program, in brackets, may hold anything; numbers 14 and 15 are its time.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let ticks = fields.next()?.parse::<u32>().ok()?.checked_add(fields.next()?.parse().ok()?)?;
        Some(f64::from(ticks) / TICKS)
    }

    /// Bytes of memory that are its own or shared.
    fn memory() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    }

    fn descriptors() -> Option<u64> {
        std::fs::read_dir("/proc/self/fd").ok().map(|open| open.count() as u64)
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::result::Result<(), fmt::Error> {
        let numbers = [
            ("process_resident_memory", "Memory in use", Some(Unit::Bytes), Self::memory()),
            ("process_open_fds", "Descriptors in use", None, Self::descriptors()),
        ];
        for (name, help, unit, number) in numbers {
            let Some(number) = number else { continue };
            let gauge = ConstGauge::new(number);
            gauge.encode(encoder.encode_descriptor(name, help, unit.as_ref(), gauge.metric_type())?)?;
        }
        if let Some(seconds) = Self::processor_time() {
            let (name, help) = ("process_cpu", "Time of processors that was used");
            let counter = ConstCounter::new(seconds);
            counter.encode(encoder.encode_descriptor(name, help, Some(&Unit::Seconds), counter.metric_type())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_written() {
        let metrics = Metrics::default();
        metrics.articles(12, 3);
        metrics.version(Some(Duration::from_millis(3)));
        metrics.version(None);
        metrics.answered(Asked::Rss, 304, None);
        metrics.answered(Asked::Rss, 200, Some("gzip"));
        metrics.answered(Asked::Rss, 200, Some("gzip"));
        metrics.answered(Asked::Other, 999, Some("?"));
        metrics.saved_by_unchanged(100);
        metrics.lost_lines("access", Arc::new(AtomicU64::new(1)));
        metrics.clone().watched(5, 1);
        let text = metrics.written();
        for line in [
            "gazetted_articles{state=\"published\"} 12",
            "gazetted_articles{state=\"scheduled\"} 3",
            "gazetted_versions_total 2",
            "gazetted_served_after_seconds_count 1",
            "gazetted_served_after_seconds_bucket{le=\"0.005\"} 1",
            "gazetted_served_after_seconds_bucket{le=\"0.002\"} 0",
            "gazetted_http_requests_total{document=\"rss\",status=\"304\",coding=\"identity\"} 1",
            "gazetted_http_requests_total{document=\"rss\",status=\"200\",coding=\"gzip\"} 2",
            "gazetted_http_requests_total{document=\"other\",status=\"0\",coding=\"identity\"} 1",
            "gazetted_http_saved_bytes_total{by=\"unchanged\"} 100",
            "gazetted_lost_lines_total{by=\"access\"} 1",
            "gazetted_watched_folders{by=\"listing\"} 1",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} is not in\n{text}");
        }
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
            let line = text
                .lines()
                .find(|line| line.split(' ').next() == Some(name))
                .unwrap_or_else(|| panic!("{name}\n{text}"));
            assert!(line.split(' ').nth(1).unwrap().parse::<f64>().unwrap() >= 0.0, "{line}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
