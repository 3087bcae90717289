//! Progress of the first import: a bar on a terminal, and a line in `systemctl status`.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::observe::status::StatusBoard;
use crate::system::systemd;

const UPDATE_INTERVAL: Duration = Duration::from_millis(200);
/// Delay before the bar appears. Most folders are read within it.
const BAR_DELAY: Duration = Duration::from_millis(600);

/// A display of the progress, on a thread of its own.
pub struct ProgressDisplay {
    end: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressDisplay {
    /// Displays the progress in `board` until [`ProgressDisplay::end`].
    pub fn start(board: StatusBoard) -> Self {
        let (end, ended) = mpsc::channel();
        let run = move || {
            let style = ProgressStyle::with_template("reading the articles [{bar:40}] {pos} of {len}, {eta} left");
            let bar = ProgressBar::hidden().with_style(style.expect("the template is valid"));
            let mut wait = BAR_DELAY;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = UPDATE_INTERVAL;
                let Some(progress) = board.get().progress else { continue };
                systemd::status(&format!("reading the articles: {} of {}", progress.done, progress.all));
                if bar.is_hidden() && std::io::stderr().is_terminal() {
                    bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
                }
                bar.set_length(progress.all as u64);
                bar.set_position(progress.done as u64);
            }
            bar.finish_and_clear();
        };
        // Without a thread there is no display; the start itself does not need it.
        let thread = std::thread::Builder::new().name("progress".into()).spawn(run).ok();
        Self { end, thread }
    }

    /// Removes the bar.
    pub fn end(self) {
        drop(self.end);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}
