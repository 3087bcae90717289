//! Small files that are hard to read: written by hand, or found by the fuzzer and minimised. The first byte chooses
//! the format, as in the fuzzer: `0` is plain text, `1` Markdown, `2` a page.

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::invariants;

/// Time limit for all files together, which usually take less than a second.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn every_file_of_the_corpus_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 60, "the corpus was not found");
    // A parser that hangs cannot be interrupted: the process prints the name of the file and ends.
    let current = Arc::new(Mutex::new(String::new()));
    let (done, waiting) = mpsc::channel::<()>();
    let watched = Arc::clone(&current);
    std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{} is read for too long", watched.lock().unwrap());
            std::process::abort();
        }
    });
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        // Shown when the test fails.
        println!("{name}");
        *current.lock().unwrap() = name;
        invariants::check(&std::fs::read(&file).unwrap());
    }
    drop(done);
}

#[test]
fn the_safety_check_detects_unsafe_html() {
    for html in [
        "<p>a<script>b",
        "<p onclick=\"a\">b</p>",
        "<a href=\"javascript:a\">b</a>",
        "<a title=\">\" href=\"a\">b</a>",
        "<img alt=\"\" src=\"/a.png\">",
        "<a href=\"//x.example\">b</a>",
        "<svg></svg>",
    ] {
        assert!(std::panic::catch_unwind(|| invariants::check_safe(html)).is_err(), "{html}");
    }
    invariants::check_safe("<p title=\"onclick=x\">a &lt;script&gt; <a href=\"https://x.example/#b\">c</a></p>");
}
