//! Prometheus metrics. Recording one is a lock-free increment.

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

/// Media type of [`Metrics::encode`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bucket limits, in seconds, of the time from a change to its version.
const SERVED_AFTER: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// Label of requests for media files.
pub const MEDIA: &str = "media";
/// Label of requests for anything else, found or not.
pub const OTHER: &str = "other";

/// Maximum number of labels of documents: feed formats, pages, media files and others. More are recorded as [`OTHER`].
const MAX_DOCUMENTS: usize = 16;
/// The most frequent first. Any other status is recorded as 0.
const STATUSES: [u16; 19] =
    [304, 200, 206, 404, 301, 410, 204, 307, 400, 405, 406, 412, 416, 429, 500, 501, 503, 431, 0];
const CODINGS: [&str; 4] = ["identity", "gzip", "br", "zstd"];

/// Result of comparing the whole folder with the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    Same,
    /// A change was found that no event had reported.
    Different,
    /// The folder is missing.
    Away,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    document: &'static str,
    status: u16,
    coding: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLabel {
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// All metrics. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<MetricSet>);

struct MetricSet {
    registry: Registry,
    articles: Family<StateLabel, Gauge>,
    complaints: Gauge,
    versions: Counter,
    served_after: Histogram,
    comparisons: Family<ResultLabel, Counter>,
    failures: Counter,
    log_record: Gauge,
    log_failures: Counter,
    watched: Family<ByLabel, Gauge>,
    watched_by_events: Gauge,
    watched_by_listing: Gauge,
    requests: Family<RequestLabels, Counter>,
    /// The counters of `requests` by index, to record without a lock. Each is filled at its first use.
    requests_by_index: Vec<OnceLock<Counter>>,
    /// Labels of documents. Each takes the next free index when it is first recorded; the first is [`OTHER`].
    documents: [OnceLock<&'static str>; MAX_DOCUMENTS],
    sent: Counter,
    saved_by_unchanged: Counter,
    saved_by_coding: Counter,
    connections: Gauge,
    accepted: Counter,
    evicted: Counter,
    refused: Counter,
    dropped_lines: DroppedLines,
}

impl fmt::Debug for MetricSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricSet").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(Process));
        let registry = all.sub_registry_with_prefix("gazetted");
        let saved: Family<ByLabel, Counter> = Family::default();
        let saved_by = |by: &'static str| saved.get_or_create_owned(&ByLabel { by });
        let closed: Family<ByLabel, Counter> = Family::default();
        let closed_by = |by: &'static str| closed.get_or_create_owned(&ByLabel { by });
        let watched: Family<ByLabel, Gauge> = Family::default();
        let watched_by = |by: &'static str| watched.get_or_create_owned(&ByLabel { by });
        let metrics = MetricSet {
            registry: Registry::default(),
            articles: Family::default(),
            complaints: Gauge::default(),
            versions: Counter::default(),
            served_after: Histogram::new(SERVED_AFTER),
            comparisons: Family::default(),
            failures: Counter::default(),
            log_record: Gauge::default(),
            log_failures: Counter::default(),
            watched_by_events: watched_by("events"),
            watched_by_listing: watched_by("listing"),
            watched,
            requests: Family::default(),
            requests_by_index: (0..MAX_DOCUMENTS * STATUSES.len() * CODINGS.len()).map(|_| OnceLock::new()).collect(),
            documents: std::array::from_fn(|index| if index == 0 { OTHER.into() } else { OnceLock::new() }),
            sent: Counter::default(),
            saved_by_unchanged: saved_by("unchanged"),
            saved_by_coding: saved_by("coding"),
            connections: Gauge::default(),
            accepted: Counter::default(),
            evicted: closed_by("eviction"),
            refused: closed_by("no room"),
            dropped_lines: DroppedLines::default(),
        };
        metrics.register(registry);
        let help = "Bytes of bodies that did not have to be sent: the client had them, or they were compressed";
        registry.register_with_unit("http_saved", help, Unit::Bytes, saved);
        registry.register("http_ended", "Connections that were evicted for others, or refused", closed);
        Self(Arc::new(MetricSet { registry: all, ..metrics }))
    }
}

impl MetricSet {
    fn register(&self, registry: &mut Registry) {
        registry.register("articles", "Articles, published and scheduled", self.articles.clone());
        registry.register("complaints", "Files with problems", self.complaints.clone());
        registry.register("versions", "Versions that were served", self.versions.clone());
        let help = "Time from noticing a change to serving it";
        registry.register_with_unit("served_after", help, Unit::Seconds, self.served_after.clone());
        registry.register("comparisons", "Comparisons of the whole folder with the catalog", self.comparisons.clone());
        registry.register("catalog_failures", "Failures of the catalog", self.failures.clone());
        let help = "Number of the last record of the replicas' log that this node has applied";
        registry.register("log_record", help, self.log_record.clone());
        let help = "Times at which the log of the replicas could not be used";
        registry.register("log_failures", help, self.log_failures.clone());
        registry.register("watched_folders", "Watched folders, by method", self.watched.clone());
        registry.register("http_requests", "Responses, by document, status and content coding", self.requests.clone());
        registry.register_with_unit("http_sent", "Bytes of bodies that were sent", Unit::Bytes, self.sent.clone());
        registry.register("http_connections", "Open connections", self.connections.clone());
        registry.register("http_accepted", "Accepted connections", self.accepted.clone());
        registry.register_collector(Box::new(self.dropped_lines.clone()));
    }
}

impl Metrics {
    /// Encodes all metrics in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = text::encode(&mut text, &self.0.registry);
        text
    }

    pub fn set_articles(&self, published: u64, scheduled: u64) {
        for (state, count) in [("published", published), ("scheduled", scheduled)] {
            self.0.articles.get_or_create(&StateLabel { state }).set(count.cast_signed());
        }
    }

    /// Sets the number of files with problems.
    pub fn set_complaints(&self, count: usize) {
        self.0.complaints.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Records a new version, with the time since its first change was noticed. A version without a change has none.
    pub fn record_version(&self, served_after: Option<Duration>) {
        self.0.versions.inc();
        if let Some(served_after) = served_after {
            self.0.served_after.observe(served_after.as_secs_f64());
        }
    }

    pub fn record_comparison(&self, result: Comparison) {
        let result = match result {
            Comparison::Same => "same",
            Comparison::Different => "different",
            Comparison::Away => "away",
        };
        self.0.comparisons.get_or_create(&ResultLabel { result }).inc();
    }

    pub fn record_catalog_failure(&self) {
        self.0.failures.inc();
    }

    /// Sets the number of the last record that was applied.
    pub fn set_log_record(&self, number: u64) {
        self.0.log_record.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    pub fn record_log_failure(&self) {
        self.0.log_failures.inc();
    }

    /// Sets the number of watched folders, by method.
    pub fn set_watched_folders(&self, by_events: usize, by_listing: usize) {
        for (gauge, count) in [(&self.0.watched_by_events, by_events), (&self.0.watched_by_listing, by_listing)] {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Records a response with a document: the name of a feed format, `page`, [`MEDIA`] or [`OTHER`]. A coding of `None` is identity.
    pub fn record_response(&self, document: &'static str, status: u16, coding: Option<&str>) {
        let document_at = self.0.documents.iter().position(|label| *label.get_or_init(|| document) == document);
        let document_at = document_at.unwrap_or(0);
        let document = if document_at == 0 { OTHER } else { document };
        let status_at = STATUSES.iter().position(|label| *label == status).unwrap_or(STATUSES.len() - 1);
        let coding_at = coding.and_then(|coding| CODINGS.iter().position(|label| *label == coding)).unwrap_or(0);
        let index = (document_at * STATUSES.len() + status_at) * CODINGS.len() + coding_at;
        let labels = || RequestLabels { document, status: STATUSES[status_at], coding: CODINGS[coding_at] };
        self.0.requests_by_index[index].get_or_init(|| self.0.requests.get_or_create_owned(&labels())).inc();
    }

    pub fn add_sent(&self, bytes: u64) {
        self.0.sent.inc_by(bytes);
    }

    /// Adds the size of a body that the client already had.
    pub fn add_saved_by_unchanged(&self, bytes: u64) {
        self.0.saved_by_unchanged.inc_by(bytes);
    }

    /// Adds what compression saved of a body.
    pub fn add_saved_by_coding(&self, bytes: u64) {
        self.0.saved_by_coding.inc_by(bytes);
    }

    pub fn connection_opened(&self) {
        self.0.accepted.inc();
        self.0.connections.inc();
    }

    pub fn connection_closed(&self) {
        self.0.connections.dec();
    }

    /// Records a connection that was closed to make room for another.
    pub fn connection_evicted(&self) {
        self.0.evicted.inc();
    }

    /// Records a connection that found no room.
    pub fn connection_refused(&self) {
        self.0.refused.inc();
    }

    /// Adds a log whose dropped lines are counted by `dropped`. It replaces an earlier log of this name.
    pub fn add_log(&self, name: &'static str, dropped: Arc<AtomicU64>) {
        let mut logs = self.0.dropped_lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|(other, _)| *other != name);
        logs.push((name, dropped));
    }
}

/// Collects the dropped lines of each log.
#[derive(Debug, Clone, Default)]
struct DroppedLines(Arc<Mutex<Vec<NamedCounter>>>);

/// Name of a log, and its counter.
type NamedCounter = (&'static str, Arc<AtomicU64>);

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::result::Result<(), fmt::Error> {
        let help = "Dropped log lines: the reader was too slow";
        let mut dropped = encoder.encode_descriptor("lost_lines", help, None, MetricType::Counter)?;
        for (by, count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let count = ConstCounter::new(count.load(Relaxed));
            count.encode(dropped.encode_family(&ByLabel { by })?)?;
        }
        Ok(())
    }
}

/// Collects the standard process metrics of Prometheus.
#[derive(Debug)]
struct Process;

/// Clock ticks a second in `/proc/self/stat` (`USER_HZ`), which is fixed on Linux.
const TICKS: f64 = 100.0;

impl Process {
    /// Returns user and system time in seconds.
    fn processor_time() -> Option<f64> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The program's name, in parentheses, may contain anything. Fields 14 and 15 are the times (proc_pid_stat(5)).
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let ticks = fields.next()?.parse::<u32>().ok()?.checked_add(fields.next()?.parse().ok()?)?;
        Some(f64::from(ticks) / TICKS)
    }

    /// Returns the resident memory in bytes, shared pages included.
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
            ("process_resident_memory", "Resident memory", Some(Unit::Bytes), Self::memory()),
            ("process_open_fds", "Open file descriptors", None, Self::descriptors()),
        ];
        for (name, help, unit, number) in numbers {
            let Some(number) = number else { continue };
            let gauge = ConstGauge::new(number);
            gauge.encode(encoder.encode_descriptor(name, help, unit.as_ref(), gauge.metric_type())?)?;
        }
        if let Some(seconds) = Self::processor_time() {
            let (name, help) = ("process_cpu", "Processor time, user and system");
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
    fn recorded_values_are_encoded() {
        let metrics = Metrics::default();
        metrics.set_articles(12, 3);
        metrics.record_version(Some(Duration::from_millis(3)));
        metrics.record_version(None);
        metrics.record_response("rss", 304, None);
        metrics.record_response("rss", 200, Some("gzip"));
        metrics.record_response("rss", 200, Some("gzip"));
        metrics.record_response(OTHER, 999, Some("?"));
        metrics.add_saved_by_unchanged(100);
        metrics.add_log("access", Arc::new(AtomicU64::new(1)));
        metrics.clone().set_watched_folders(5, 1);
        let text = metrics.encode();
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
            assert!(text.lines().any(|encoded| encoded == line), "{line} is not in\n{text}");
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
