//! Lines for somebody who may be slow to read them. Whoever tells a line never waits: one that finds no room is lost, and
//! counted.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the last lines may take to be written.
const LAST_LINES: Duration = Duration::from_millis(1500);
/// How many bytes are written at once where lines come faster than they go.
const BATCH: usize = 16 << 10;
/// Wait for a writer that says it would have to.
const PAUSE: Duration = Duration::from_millis(10);

/// What is done about news of the lines themselves. Comes from the thread that writes.
pub trait DropReport: Send + 'static {
    /// So many more are lost. What it gives is written among the lines.
    fn lost(&mut self, lines: u64) -> Option<String>;

    /// Nothing can be written, and lines are lost until it can be.
    fn failing(&mut self, error: &io::Error);
}

#[derive(Debug, Default)]
struct Shared {
    told: AtomicU64,
    written: AtomicU64,
    lost: Arc<AtomicU64>,
    /// How many lost lines there was news of.
    news: AtomicU64,
    /// Is there once the end has come: the very last line, if there is one.
    end: OnceLock<Option<String>>,
}

/// Where lines are told.
#[derive(Debug)]
pub struct LineWriter {
    /// `None` says that there is something else to look at.
    sender: SyncSender<Option<String>>,
    shared: Arc<Shared>,
    /// Closes with the last line.
    ended: Mutex<Receiver<()>>,
}

impl LineWriter {
    /// To `writer`, by a thread called `name`; `room` lines wait for it. Of lost ones there is news at most once in `least`.
    ///
    /// # Errors
    /// There can be no thread, and all lines are lost: they can be told nevertheless.
    pub fn start(
        name: &str,
        writer: impl Write + Send + 'static,
        room: usize,
        news: impl DropReport,
        least: Duration,
    ) -> (Self, io::Result<()>) {
        let (sender, lines) = mpsc::sync_channel(room);
        let (ending, ended) = mpsc::channel();
        let shared = Arc::<Shared>::default();
        let mut writing = Writing {
            lines,
            shared: shared.clone(),
            writer,
            news,
            least,
            batch: Vec::new(),
            next_news: Instant::now(),
            failing: false,
            torn: false,
        };
        let run = move || {
            let _ending: mpsc::Sender<()> = ending;
            while writing.turn() {}
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(run);
        (Self { sender, shared, ended: Mutex::new(ended) }, started.map(drop))
    }

    /// Tells a line, which is given without its end.
    pub fn tell(&self, line: String) {
        self.shared.told.fetch_add(1, Relaxed);
        if self.sender.try_send(Some(line)).is_err() {
            self.shared.lost.fetch_add(1, Relaxed);
        }
    }

    /// How many lines were lost until now.
    pub fn lost(&self) -> Arc<AtomicU64> {
        self.shared.lost.clone()
    }

    /// Has what is left written, and one last line, for which there is always room. What cannot be written in time is lost.
    /// Gives the number of lost lines that there was no news of.
    pub fn end(&self, last: Option<String>) -> u64 {
        let Shared { told, written, lost, news, end } = &*self.shared;
        let _ = end.set(last);
        // Without room for this there are lines, and whoever writes them comes to look.
        let _ = self.sender.try_send(None);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody reads, the end may never come.
        let _ = ended.recv_timeout(LAST_LINES);
        lost.store(told.load(Relaxed).saturating_sub(written.load(Relaxed)), Relaxed);
        lost.load(Relaxed).saturating_sub(news.load(Relaxed))
    }
}

/// The thread that writes.
struct Writing<W, N> {
    lines: Receiver<Option<String>>,
    shared: Arc<Shared>,
    writer: W,
    news: N,
    least: Duration,
    batch: Vec<u8>,
    next_news: Instant,
    failing: bool,
    /// Whether the writer has the beginning of a line whose end it did not take.
    torn: bool,
}

impl<W: Write, N: DropReport> Writing<W, N> {
    /// Waits for lines and writes those that there are. Says whether there may be more.
    fn turn(&mut self) -> bool {
        let mut next = match self.wait() {
            Ok(next) => next,
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => return false,
        };
        // Asked first: what was told before the end is among the lines by now.
        let ending = self.shared.end.get().is_some();
        let mut lines = 0;
        let all = loop {
            if let Some(line) = next.take() {
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
        let ended = ending && all;
        self.tell_lost(ended);
        if ended && let Some(Some(last)) = self.shared.end.get() {
            self.write(format!("{last}\n").as_bytes());
        }
        !ended
    }

    fn wait(&self) -> Result<Option<String>, mpsc::RecvTimeoutError> {
        if self.shared.end.get().is_some() {
            // The end may have found no room to wake anybody, and what took the room be written by now.
            return Ok(self.lines.try_recv().unwrap_or_default());
        }
        if self.failing || self.shared.lost.load(Relaxed) == self.shared.news.load(Relaxed) {
            return self.lines.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected);
        }
        self.lines.recv_timeout(self.next_news.saturating_duration_since(Instant::now()))
    }

    fn write_batch(&mut self, lines: u64) {
        let batch = std::mem::take(&mut self.batch);
        let unwritten = self.write(&batch);
        self.shared.written.fetch_add(lines - unwritten, Relaxed);
        self.shared.lost.fetch_add(unwritten, Relaxed);
        self.batch = batch;
        self.batch.clear();
    }

    fn tell_lost(&mut self, at_once: bool) {
        let (lost, told) = (self.shared.lost.load(Relaxed), self.shared.news.load(Relaxed));
        let now = Instant::now();
        if lost == told || self.failing || (now < self.next_news && !at_once) {
            return;
        }
        self.next_news = now + self.least;
        let line = self.news.lost(lost - told);
        if line.is_none_or(|line| self.write(format!("{line}\n").as_bytes()) == 0) {
            self.shared.news.store(lost, Relaxed);
        }
    }

    /// Writes lines. Gives the number of those that are not written to their end.
    fn write(&mut self, lines: &[u8]) -> u64 {
        let mut rest = lines;
        if self.torn && !rest.is_empty() {
            match write_all(&mut self.writer, &mut &b"\n"[..]) {
                Ok(()) => self.torn = false,
                Err(error) => return self.fail(&error, rest),
            }
        }
        match write_all(&mut self.writer, &mut rest) {
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
            self.news.failing(error);
        }
        rest.iter().map(|byte| u64::from(*byte == b'\n')).sum()
    }
}

/// Writes all of `rest`; where that fails, what is not written stays there.
fn write_all(writer: &mut impl Write, rest: &mut &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match writer.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => *rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A terminal or a pipe that somebody else has made so.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    writer.flush()
}

/// Standard output or standard error without the buffer that the standard library puts before it: what could not be written is
/// known, and is not tried again later.
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

/// The same JSON without any sign that somebody could take for the end of a line, or for anything but what it is.
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

    /// A writer whose clones keep all that any of them is given.
    #[derive(Clone, Default)]
    pub struct Kept(pub Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const EVER: Duration = Duration::from_hours(1);

    /// Tells its news by the lines, and of errors by a channel.
    struct Told(Sender<String>);

    impl DropReport for Told {
        fn lost(&mut self, lines: u64) -> Option<String> {
            Some(format!("{lines} are lost"))
        }

        fn failing(&mut self, error: &io::Error) {
            self.0.send(error.to_string()).unwrap();
        }
    }

    /// A writer that asks what to do with each piece it is given, and shows it.
    struct Asking {
        pieces: Sender<String>,
        answers: Receiver<io::Result<usize>>,
    }

    impl Write for Asking {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.pieces.send(String::from_utf8_lossy(bytes).into_owned());
            // Once nobody answers any more, all is well.
            self.answers.recv().unwrap_or(Ok(usize::MAX)).map(|taken| taken.min(bytes.len()))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Scene {
        lines: LineWriter,
        pieces: Receiver<String>,
        answers: Sender<io::Result<usize>>,
        errors: Receiver<String>,
    }

    fn scene(room: usize, least: Duration) -> Scene {
        let ((shown, pieces), (answers, asked)) = (mpsc::channel(), mpsc::channel());
        let (failed, errors) = mpsc::channel();
        let writer = Asking { pieces: shown, answers: asked };
        let (lines, started) = LineWriter::start("lines-test", writer, room, Told(failed), least);
        started.unwrap();
        Scene { lines, pieces, answers, errors }
    }

    impl Scene {
        fn tell(&self, lines: &[&str]) {
            for line in lines {
                self.lines.tell((*line).to_owned());
            }
        }

        /// The next piece, which is not taken yet.
        fn piece(&self) -> String {
            self.pieces.recv_timeout(Duration::from_secs(20)).expect("something is written")
        }

        /// The next piece, which is then taken.
        fn taken(&self) -> String {
            let piece = self.piece();
            self.answers.send(Ok(usize::MAX)).unwrap();
            piece
        }

        fn lost(&self) -> u64 {
            self.lines.lost().load(Relaxed)
        }

        /// Whatever is written from now on, in one.
        fn rest(self) -> String {
            drop(self.answers);
            assert_eq!(self.lines.end(None), 0);
            drop(self.lines);
            self.pieces.iter().collect()
        }
    }

    #[test]
    fn lines_come_in_their_order_and_all() {
        let scene = scene(100, EVER);
        let told: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        for line in &told {
            scene.lines.tell(line.clone());
        }
        assert_eq!(scene.lost(), 0);
        assert_eq!(scene.rest(), told.join("\n") + "\n");
    }

    #[test]
    fn lost_lines_are_told_as_soon_as_others_are_written() {
        let scene = scene(2, EVER);
        scene.tell(&["one"]);
        assert_eq!(scene.piece(), "one\n");
        // It has not been taken: two find room.
        scene.tell(&["two", "three", "four", "five"]);
        assert_eq!(scene.lost(), 2);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        assert_eq!(scene.taken(), "2 are lost\n");
        assert_eq!(scene.taken(), "two\nthree\n");
        scene.tell(&["six"]);
        assert_eq!(scene.piece(), "six\n");
        scene.tell(&["seven", "eight", "nine"]);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        assert_eq!(scene.taken(), "seven\neight\n", "there is no news so often");
        assert_eq!(scene.rest(), "1 are lost\n", "but in the end");
    }

    #[test]
    fn lost_lines_are_told_also_where_nothing_follows() {
        let scene = scene(1, Duration::from_millis(300));
        scene.tell(&["one"]);
        scene.piece();
        scene.tell(&["two", "three"]);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        assert_eq!(scene.taken(), "1 are lost\n");
        assert_eq!(scene.taken(), "two\n");
        scene.tell(&["four"]);
        scene.piece();
        scene.tell(&["five", "six"]);
        scene.answers.send(Ok(usize::MAX)).unwrap();
        let two = [scene.taken(), scene.taken()];
        assert!(two.contains(&"1 are lost\n".to_owned()), "{two:?}");
    }

    #[test]
    fn an_error_is_told_once_until_all_is_well_again() {
        let scene = scene(10, EVER);
        let full = || Err(io::ErrorKind::StorageFull.into());
        for line in ["one", "two", "three"] {
            scene.tell(&[line]);
            assert_eq!(scene.piece(), format!("{line}\n"));
            scene.answers.send(full()).unwrap();
        }
        // Half of this one.
        scene.tell(&["four"]);
        assert_eq!(scene.piece(), "four\n");
        scene.answers.send(Ok(2)).unwrap();
        assert_eq!(scene.piece(), "ur\n");
        scene.answers.send(full()).unwrap();
        scene.tell(&["five"]);
        assert_eq!(scene.taken(), "\n", "what follows is a line of its own");
        assert_eq!(scene.taken(), "five\n");
        assert_eq!(scene.taken(), "4 are lost\n");
        assert_eq!(scene.lost(), 4);
        assert_eq!(scene.errors.try_iter().count(), 1);
        scene.tell(&["six"]);
        scene.piece();
        scene.answers.send(full()).unwrap();
        assert_eq!(scene.errors.recv().unwrap(), io::Error::from(io::ErrorKind::StorageFull).to_string());
    }

    #[test]
    fn a_writer_that_would_wait_is_asked_again() {
        let scene = scene(10, EVER);
        scene.tell(&["one"]);
        for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted] {
            assert_eq!(scene.piece(), "one\n");
            scene.answers.send(Err(kind.into())).unwrap();
        }
        assert_eq!(scene.taken(), "one\n");
        assert_eq!(scene.lost(), 0);
    }

    #[test]
    fn the_last_line_has_room_and_the_end_a_limit() {
        let scene = scene(2, EVER);
        scene.tell(&["one"]);
        scene.piece();
        scene.tell(&["two", "three", "four"]);
        let begun = Instant::now();
        assert_eq!(scene.lines.end(Some("last".to_owned())), 4, "one not taken, two that wait, one without room");
        assert!(begun.elapsed() >= LAST_LINES);
        assert_eq!(scene.lost(), 4);
        let Scene { lines, pieces, answers, .. } = scene;
        drop(answers);
        // It ends by itself, however late.
        assert!(pieces.iter().collect::<String>().ends_with("last\n"));
        drop(lines);
    }

    #[test]
    fn a_text_is_one_line() {
        let text = "a\nb\r\u{1b}[2Jc\u{2028}d\0\u{85}\u{202e}é\u{1f642}\\\u{7f}";
        assert_eq!(crate::model::text::terminal_safe(text), r"a\x0ab\x0d\x1b[2Jc\u{2028}d\x00\u{85}\u{202e}é🙂\\x7f");
        assert_eq!(ascii("\u{7f}\né\u{1f642}"), r"\u007f\u000a\u00e9\ud83d\ude42");
    }
}
