//! A non-blocking line writer: a bounded queue, and a thread that writes to an output that may be slow. A line that finds the
//! queue full is dropped and counted.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Longest time that [`LineWriter::end`] waits for the queue to drain.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(1500);
/// Bytes that are collected before they are written.
const BATCH: usize = 16 << 10;
/// Maximum number of bytes in the queue: with long lines, it holds fewer of them.
const MAX_QUEUED: usize = 8 << 20;
/// Pause before a retry when the output would block.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// Reports dropped lines and write errors. Called by the writing thread.
pub trait DropReport: Send + 'static {
    /// `lines` more were dropped. The returned line is written to the output itself.
    fn dropped(&mut self, lines: u64) -> Option<String>;

    /// The output cannot be written; lines are dropped until it can. Called once for each outage.
    fn failing(&mut self, error: &io::Error);
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    written: AtomicU64,
    dropped: Arc<AtomicU64>,
    /// Bytes in the queue.
    queued: AtomicUsize,
    /// Dropped lines that have been reported.
    reported: AtomicU64,
    /// Set when the writer is to end: the very last line, if there is one.
    end: OnceLock<Option<String>>,
}

/// The sending side of the queue.
#[derive(Debug)]
pub struct LineWriter {
    /// `None` only wakes the thread up.
    sender: SyncSender<Option<String>>,
    counters: Arc<Counters>,
    /// Closes when the last line has been written.
    ended: Mutex<Receiver<()>>,
}

impl LineWriter {
    /// Starts a thread called `name` that writes to `output`. The queue holds `capacity` lines; dropped ones are reported at most
    /// once in `interval`.
    ///
    /// # Errors
    /// The thread cannot be started. The writer can be used nevertheless, and drops all lines.
    pub fn start(
        name: &str,
        output: impl Write + Send + 'static,
        capacity: usize,
        report: impl DropReport,
        interval: Duration,
    ) -> (Self, io::Result<()>) {
        let (sender, lines) = mpsc::sync_channel(capacity);
        let (ending, ended) = mpsc::channel();
        let counters = Arc::<Counters>::default();
        let mut writer = WriterThread {
            lines,
            counters: counters.clone(),
            output,
            report,
            interval,
            batch: Vec::new(),
            next_report: Instant::now(),
            failing: false,
            torn: false,
        };
        let run = move || {
            let _ending: mpsc::Sender<()> = ending;
            while writer.turn() {}
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(run);
        (Self { sender, counters, ended: Mutex::new(ended) }, started.map(drop))
    }

    /// Queues a line, given without its line feed. Never blocks.
    pub fn write(&self, line: String) {
        self.counters.accepted.fetch_add(1, Relaxed);
        let length = line.len();
        let has_room = self.counters.queued.fetch_add(length, Relaxed) + length <= MAX_QUEUED;
        if !has_room || self.sender.try_send(Some(line)).is_err() {
            self.counters.queued.fetch_sub(length, Relaxed);
            self.counters.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Returns the counter of dropped lines.
    pub fn dropped(&self) -> Arc<AtomicU64> {
        self.counters.dropped.clone()
    }

    /// Drains the queue, then writes one last line, which always finds room. Lines that cannot be written in time are dropped.
    /// Returns the number of dropped lines that were not reported.
    pub fn end(&self, last: Option<String>) -> u64 {
        let Counters { accepted, written, dropped, reported, end, .. } = &*self.counters;
        let _ = end.set(last);
        // If the queue is full, its lines wake the thread up.
        let _ = self.sender.try_send(None);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // An output that is never read may never take the last line.
        let _ = ended.recv_timeout(DRAIN_TIMEOUT);
        dropped.store(accepted.load(Relaxed).saturating_sub(written.load(Relaxed)), Relaxed);
        dropped.load(Relaxed).saturating_sub(reported.load(Relaxed))
    }
}

/// The receiving side of the queue.
struct WriterThread<W, R> {
    lines: Receiver<Option<String>>,
    counters: Arc<Counters>,
    output: W,
    report: R,
    interval: Duration,
    batch: Vec<u8>,
    next_report: Instant,
    failing: bool,
    /// The output has taken the beginning of a line, but not its end.
    torn: bool,
}

impl<W: Write, R: DropReport> WriterThread<W, R> {
    /// Waits for lines and writes the available ones. Returns false when the writer has ended.
    fn turn(&mut self) -> bool {
        let mut next = match self.wait() {
            Ok(next) => next,
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => return false,
        };
        // Read before the queue: a line that was queued before the end is in the queue by now.
        let ending = self.counters.end.get().is_some();
        let mut lines = 0;
        let drained = loop {
            if let Some(line) = next.take() {
                self.counters.queued.fetch_sub(line.len(), Relaxed);
                self.batch.extend_from_slice(line.as_bytes());
                self.batch.push(b'\n');
                lines += 1;
            }
            if self.batch.len() >= BATCH {
                break false;
            }
            match self.lines.try_recv() {
                Ok(line) => next = line,
                Err(_) => break true,
            }
        };
        self.write_batch(lines);
        let ended = ending && drained;
        self.report_dropped(ended);
        if ended && let Some(Some(last)) = self.counters.end.get() {
            self.write(format!("{last}\n").as_bytes());
        }
        !ended
    }

    fn wait(&self) -> Result<Option<String>, mpsc::RecvTimeoutError> {
        if self.counters.end.get().is_some() {
            // The wake-up may have found the queue full, and the queue may be empty by now.
            return Ok(self.lines.try_recv().unwrap_or_default());
        }
        if self.failing || self.counters.dropped.load(Relaxed) == self.counters.reported.load(Relaxed) {
            return self.lines.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected);
        }
        self.lines.recv_timeout(self.next_report.saturating_duration_since(Instant::now()))
    }

    fn write_batch(&mut self, lines: u64) {
        let batch = std::mem::take(&mut self.batch);
        let unwritten = self.write(&batch);
        self.counters.written.fetch_add(lines - unwritten, Relaxed);
        self.counters.dropped.fetch_add(unwritten, Relaxed);
        self.batch = batch;
        self.batch.clear();
    }

    fn report_dropped(&mut self, at_once: bool) {
        let (dropped, reported) = (self.counters.dropped.load(Relaxed), self.counters.reported.load(Relaxed));
        let now = Instant::now();
        if dropped == reported || self.failing || (now < self.next_report && !at_once) {
            return;
        }
        self.next_report = now + self.interval;
        let line = self.report.dropped(dropped - reported);
        if line.is_none_or(|line| self.write(format!("{line}\n").as_bytes()) == 0) {
            self.counters.reported.store(dropped, Relaxed);
        }
    }

    /// Writes whole lines. Returns the number of lines that were not written to their end.
    fn write(&mut self, lines: &[u8]) -> u64 {
        let mut rest = lines;
        if self.torn && !rest.is_empty() {
            match write_all(&mut self.output, &mut &b"\n"[..]) {
                Ok(()) => self.torn = false,
                Err(error) => return self.fail(&error, rest),
            }
        }
        match write_all(&mut self.output, &mut rest) {
            Ok(()) => {
                self.failing &= lines.is_empty();
                0
            }
            Err(error) => {
                let taken = &lines[..lines.len() - rest.len()];
                self.torn = taken.last().is_some_and(|byte| *byte != b'\n');
                self.fail(&error, rest)
            }
        }
    }

    fn fail(&mut self, error: &io::Error, rest: &[u8]) -> u64 {
        if !std::mem::replace(&mut self.failing, true) {
            self.report.failing(error);
        }
        rest.iter().map(|byte| u64::from(*byte == b'\n')).sum()
    }
}

/// Writes all of `rest`. After an error, `rest` is what the output did not take.
fn write_all(output: &mut impl Write, rest: &mut &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match output.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => *rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process may have made a shared terminal or pipe non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            Err(error) => return Err(error),
        }
    }
    output.flush()
}

/// Standard output or standard error without the buffer of the standard library, which would retry later what could not be
/// written.
#[derive(Debug)]
pub struct Unbuffered<F>(pub F);

impl<F: AsFd> Write for Unbuffered<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.0, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes all but printable ASCII in a JSON text, so that no character of it can end a line or control a terminal.
pub fn ascii(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        if (' '..='~').contains(&character) {
            line.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    line
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::Sender;

    use super::*;

    /// An output whose clones share one buffer.
    #[derive(Clone, Default)]
    pub struct SharedBuffer(pub Arc<Mutex<Vec<u8>>>);

    impl Write for SharedBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const NEVER: Duration = Duration::from_hours(1);

    /// Reports dropped lines in the output, and errors through a channel.
    struct TestReport(Sender<String>);

    impl DropReport for TestReport {
        fn dropped(&mut self, lines: u64) -> Option<String> {
            Some(format!("{lines} dropped"))
        }

        fn failing(&mut self, error: &io::Error) {
            self.0.send(error.to_string()).unwrap();
        }
    }

    /// An output that passes each piece to the test, which answers how much of it is taken.
    struct ScriptedOutput {
        pieces: Sender<String>,
        answers: Receiver<io::Result<usize>>,
    }

    impl Write for ScriptedOutput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.pieces.send(String::from_utf8_lossy(bytes).into_owned());
            // Takes everything once the test has dropped its side.
            self.answers.recv().unwrap_or(Ok(usize::MAX)).map(|taken| taken.min(bytes.len()))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Scene {
        writer: LineWriter,
        pieces: Receiver<String>,
        answers: Sender<io::Result<usize>>,
        errors: Receiver<String>,
    }

    fn scene(capacity: usize, interval: Duration) -> Scene {
        let ((offered, pieces), (answers, asked)) = (mpsc::channel(), mpsc::channel());
        let (failed, errors) = mpsc::channel();
        let output = ScriptedOutput { pieces: offered, answers: asked };
        let (writer, started) = LineWriter::start("lines-test", output, capacity, TestReport(failed), interval);
        started.unwrap();
        Scene { writer, pieces, answers, errors }
    }

    impl Scene {
        fn write(&self, lines: &[&str]) {
            for line in lines {
                self.writer.write((*line).to_owned());
            }
        }

        /// Returns the next piece, which the output has not taken yet.
        fn piece(&self) -> String {
            self.pieces.recv_timeout(Duration::from_secs(20)).expect("something is written")
        }

        /// Returns the next piece after the output has taken it.
        fn taken(&self) -> String {
            let piece = self.piece();
            self.answers.send(Ok(usize::MAX)).unwrap();
            piece
        }

        fn dropped(&self) -> u64 {
            self.writer.dropped().load(Relaxed)
        }

        /// Ends the writer; returns all that is written until then.
        fn rest(self) -> String {
            drop(self.answers);
            assert_eq!(self.writer.end(None), 0);
            drop(self.writer);
            self.pieces.iter().collect()
        }
    }

    #[test]
    fn all_lines_are_written_in_order() {
        let scene = scene(100, NEVER);
        let lines: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        for line in &lines {
            scene.writer.write(line.clone());
        }
        assert_eq!(scene.dropped(), 0);
        assert_eq!(scene.rest(), lines.join("\n") + "\n");
    }

    #[test]
    fn dropped_lines_are_reported_with_the_next_written_ones() {
        let scene = scene(2, NEVER);
        scene.write(&["one"]);
        assert_eq!(scene.piece(), "one\n");
        // It is not taken yet: the queue has room for two.
        scene.write(&["two", "three", "four", "five"]);
        assert_eq!(scene.dropped(), 2);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        assert_eq!(scene.taken(), "2 dropped\n");
        assert_eq!(scene.taken(), "two\nthree\n");
        scene.write(&["six"]);
        assert_eq!(scene.piece(), "six\n");
        scene.write(&["seven", "eight", "nine"]);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        assert_eq!(scene.taken(), "seven\neight\n", "no second report within the interval");
        assert_eq!(scene.rest(), "1 dropped\n", "except at the end");
    }

    #[test]
    fn long_lines_fill_the_queue_by_their_bytes() {
        let scene = scene(100, NEVER);
        scene.write(&["one"]);
        scene.piece();
        let long = "x".repeat(MAX_QUEUED / 4);
        scene.write(&[&long, &long, &long, &long, "y"]);
        assert_eq!(scene.dropped(), 1, "four fill the queue");
        scene.answers.send(Ok(usize::MAX)).unwrap();
        assert_eq!(scene.taken(), "1 dropped\n");
        for _ in 0..4 {
            assert_eq!(scene.taken().len(), long.len() + 1);
        }
        scene.write(&["two", &long, &long, &long]);
        assert_eq!(scene.dropped(), 1, "there is room again");
    }

    #[test]
    fn dropped_lines_are_reported_even_if_no_line_follows() {
        let scene = scene(1, Duration::from_millis(300));
        scene.write(&["one"]);
        scene.piece();
        scene.write(&["two", "three"]);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        assert_eq!(scene.taken(), "1 dropped\n");
        assert_eq!(scene.taken(), "two\n");
        scene.write(&["four"]);
        scene.piece();
        scene.write(&["five", "six"]);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        let two = [scene.taken(), scene.taken()];
        assert!(two.contains(&"1 dropped\n".to_owned()), "{two:?}");
    }

    #[test]
    fn an_outage_is_reported_once() {
        let scene = scene(10, NEVER);
        let full = || Err(io::ErrorKind::StorageFull.into());
        for line in ["one", "two", "three"] {
            scene.write(&[line]);
            assert_eq!(scene.piece(), format!("{line}\n"));
            scene.answers.send(full()).unwrap();
        }
        // The output takes half of this line.
        scene.write(&["four"]);
        assert_eq!(scene.piece(), "four\n");
        scene.answers.send(Ok(2)).unwrap();
        assert_eq!(scene.piece(), "ur\n");
        scene.answers.send(full()).unwrap();
        scene.write(&["five"]);
        assert_eq!(scene.taken(), "\n", "the next line starts on a new one");
        assert_eq!(scene.taken(), "five\n");
        assert_eq!(scene.taken(), "4 dropped\n");
        assert_eq!(scene.dropped(), 4);
        assert_eq!(scene.errors.try_iter().count(), 1);
        scene.write(&["six"]);
        scene.piece();
        scene.answers.send(full()).unwrap();
        assert_eq!(scene.errors.recv().unwrap(), io::Error::from(io::ErrorKind::StorageFull).to_string());
    }

    #[test]
    fn an_output_that_would_block_is_tried_again() {
        let scene = scene(10, NEVER);
        scene.write(&["one"]);
        for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted] {
            assert_eq!(scene.piece(), "one\n");
            scene.answers.send(Err(kind.into())).unwrap();
        }
        assert_eq!(scene.taken(), "one\n");
        assert_eq!(scene.dropped(), 0);
    }

    #[test]
    fn the_last_line_has_room_and_draining_has_a_limit() {
        let scene = scene(2, NEVER);
        scene.write(&["one"]);
        scene.piece();
        scene.write(&["two", "three", "four"]);
        let begun = Instant::now();
        assert_eq!(scene.writer.end(Some("last".to_owned())), 4, "one not taken, two queued, one without room");
        assert!(begun.elapsed() >= DRAIN_TIMEOUT);
        assert_eq!(scene.dropped(), 4);
        let Scene { writer, pieces, answers, .. } = scene;
        drop(answers);
        // The thread still ends, however late.
        assert!(pieces.iter().collect::<String>().ends_with("last\n"));
        drop(writer);
    }

    #[test]
    fn json_in_ascii_has_no_special_characters() {
        assert_eq!(ascii("\u{7f}\né\u{1f642}"), r"\u007f\u000a\u00e9\ud83d\ude42");
    }
}
