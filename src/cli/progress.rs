//! How far the first reading of a large folder has come: a bar on a terminal, and a line for `systemctl status`.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::observe::status::StatusBoard;
use crate::system::systemd;

/// How often the line changes.
const INTERVAL: Duration = Duration::from_millis(200);
/// A folder that is read within this needs no bar.
const WORTH_A_BAR: Duration = Duration::from_millis(600);

/// Shows it until it is ended.
pub struct Progress {
    end: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows what `reports` say.
    pub fn show(reports: StatusBoard) -> Self {
        let (end, ended) = mpsc::channel();
        let run = move || {
            let style = ProgressStyle::with_template("reading the articles [{bar:40}] {pos} of {len}, {eta} left");
            let bar = ProgressBar::hidden().with_style(style.expect("the template is valid"));
            let mut wait = WORTH_A_BAR;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = INTERVAL;
                let Some(progress) = reports.get().progress else { continue };
                systemd::status(&format!("reading the articles: {} of {}", progress.done, progress.all));
                if bar.is_hidden() && std::io::stderr().is_terminal() {
                    bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
                }
                bar.set_length(progress.all as u64);
                bar.set_position(progress.done as u64);
            }
            bar.finish_and_clear();
        };
        // Without it nothing is shown, and nothing else is wrong.
        let thread = std::thread::Builder::new().name("progress".into()).spawn(run).ok();
        Self { end, thread }
    }

    /// Takes the bar away.
    pub fn end(self) {
        drop(self.end);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}
