//! What is put into the folder never takes the service down for good: the last version is served before any file is read, and a file of
//! which the process has ended twice is left out.

use std::path::Path;
use std::process::Command;

use crate::site::Site;
use crate::tools::{self, Program};
use crate::waiting::wait_or_explain;

/// Starts a daemon on a folder. `limit` bounds its address space, in KiB.
fn start(directory: &Path, limit: Option<u64>) -> Program {
    let limit = limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
    let script = format!("ulimit -v {limit} && exec \"$@\"");
    let mut command = Command::new("sh");
    // With arenas for each thread, the address space says nothing.
    command.env("MALLOC_ARENA_MAX", "1").args(["-c", &script, "sh", env!("CARGO_BIN_EXE_gazetted"), "--config"]);
    command.arg(directory.join("gazetted.toml")).arg("serve").arg(directory.join("articles"));
    Program::start(command.args(["--listen", "127.0.0.1:0", "--state"]).arg(directory.join("state")))
}

/// Largest address space of a process so far, in KiB.
fn peak(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn wait_for_end(mut program: Program) -> String {
    let log = program.log.clone();
    let has_ended = || program.child.try_wait().unwrap();
    wait_or_explain("the process ends", has_ended, || log.lock().join("\n"));
    let log = log.lock();
    log.join("\n")
}

#[test]
fn a_file_that_ends_the_process_is_left_out_at_the_third_start() {
    let directory = tempfile::tempdir().unwrap();
    let articles = directory.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(directory.path().join("gazetted.toml"), "[articles]\nmax_file_size = \"100MiB\"\n").unwrap();
    std::fs::write(articles.join("one.md"), "# One\n\nText").unwrap();
    let program = start(directory.path(), None);
    // Enough for the bytes of the file, too little for what is made of them.
    let limit = Some(peak(&program) + (160 << 10));
    drop(program);
    let paragraph = format!("{}\n\n", "Some words of a very long article. ".repeat(20));
    let large = format!("# Large\n\n{}", paragraph.repeat((60 << 20) / paragraph.len()));

    let program = start(directory.path(), limit);
    std::fs::write(articles.join("large.md"), &large).unwrap();
    wait_for_end(program);
    let log = wait_for_end(start(directory.path(), limit));
    assert!(log.contains("the program ended while it read this file") && log.contains("path=large.md"), "{log}");

    let program = start(directory.path(), limit);
    std::fs::write(articles.join("two.md"), "# Two\n\nText").unwrap();
    program.wait_until("the others are served", |program| {
        let feed = program.get("/feed.json");
        feed.contains("\"One\"") && feed.contains("\"Two\"")
    });
    let reason = "the program ended 2 times while it read this file: it is left out until its content changes";
    program.wait_until("the log names the file", |program| {
        program.log.lock().iter().any(|line| line.contains(reason) && line.contains("path=large.md"))
    });
    // Once it is another file, it is read.
    std::fs::write(articles.join("large.md"), "# Small now\n\nText").unwrap();
    program.wait_until("the changed file is read", |program| program.get("/feed.json").contains("\"Small now\""));
    let suspects = directory.path().join("state/readings/suspects.json");
    program.wait_until("the former content is forgotten", |_| !suspects.exists());
}

#[test]
fn the_last_version_is_served_before_any_file_is_read() {
    let mut site = Site::started();
    site.write("one.md", "# One\n\nBefore");
    site.wait_for(&["One"]);
    site.settle();
    let (version, before) = (site.version(), site.get("/atom.xml"));
    site.stop();
    site.write("one.md", "# One\n\nAfter");
    for number in 0..2_000 {
        let text = format!("---\ntitle: Number {number}\ndate: 2020-01-01\n---\n{}", "Many words. ".repeat(200));
        site.write(&format!("many/{number}.md"), text);
    }
    site.start_serving();
    let first = site.get("/atom.xml");
    assert_eq!((site.version(), &first.body), (version, &before.body), "nothing has been read yet");
    assert_eq!(first.field("etag"), before.field("etag"));
    site.wait_until("the changed file is read", |site| site.get("/articles/one").text().contains("After"));
    site.wait_until("the new files are read", |site| site.get("/articles/1999").status == 200);
}

#[test]
fn an_unreadable_disk_keeps_no_known_site_from_being_served() {
    if !tools::has("strace") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let articles = directory.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(directory.path().join("gazetted.toml"), "").unwrap();
    std::fs::write(articles.join("one.md"), "# One\n\nText").unwrap();
    drop(start(directory.path(), None));
    // Each list of a folder takes three seconds to come.
    let mut command = Command::new("strace");
    // With `-D` the daemon is the child of the test, and ends with it.
    command.args(["-D", "-f", "-o", "/dev/null", "-e", "inject=getdents64:delay_enter=3000000"]);
    command.arg(env!("CARGO_BIN_EXE_gazetted")).arg("serve").arg(&articles);
    std::fs::write(articles.join("two.md"), "# Two\n\nText").unwrap();
    let program =
        Program::start(command.args(["--listen", "127.0.0.1:0", "--state"]).arg(directory.path().join("state")));
    let feed = program.get("/feed.json");
    assert!(feed.contains("\"One\"") && !feed.contains("\"Two\""), "served before the folder is listed: {feed}");
    program.wait_until("the folder is read in the end", |program| program.get("/feed.json").contains("\"Two\""));
}
