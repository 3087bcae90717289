//! Faults of real machines: full disks, disks that turn read-only, too few descriptors, a paused process, a clock
//! that jumps. Serving continues, nothing is lost, and the log has a line about it.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::tools::{self, Program, Running};

/// A daemon with its state on a small disk in a mount namespace of its own.
struct SmallDisk {
    folder: tempfile::TempDir,
    program: Program,
}

/// Whether this user may mount a disk; reports a skipped test if not.
fn has_disks() -> bool {
    let mut command = Command::new("unshare");
    command.args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null()).stdout(Stdio::null());
    let has = tools::has("unshare") && command.status().is_ok_and(|status| status.success());
    if !has {
        tools::skip("leave to mount a disk (unshare -rm)");
    }
    has
}

impl SmallDisk {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["articles", "disk"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let script = "mount -t tmpfs -o size=4m none \"$1/disk\" && exec \"$2\" serve \"$1/articles\" --listen 127.0.0.1:0 \
                      --state \"$1/disk/state\"";
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh"]).arg(folder.path()).arg(env!("CARGO_BIN_EXE_gazetted"));
        Self { program: Program::start(&mut command), folder }
    }

    /// A path on the disk, as seen from outside.
    fn disk(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.program.child.id()));
        root.join(self.folder.path().strip_prefix("/").unwrap()).join("disk").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join("articles").join(name), text).unwrap();
    }

    fn shows(&self, title: &str) -> bool {
        self.program.get("/feed.json").contains(&format!("\"{title}\""))
    }

    fn ids(&self) -> Vec<String> {
        let answer = self.program.get("/feed.json");
        let feed: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        feed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    fn lines(&self, text: &str) -> usize {
        self.program.log.lock().iter().filter(|line| line.contains(text)).count()
    }
}

/// Log messages when nothing can be recorded, and when it can again.
const FAILED: &str = "publishing stopped: the catalog cannot be used";
const AGAIN: &str = "publishing resumed";

#[test]
fn a_full_disk_stops_no_reader_and_loses_nothing() {
    if !has_disks() {
        return;
    }
    let site = SmallDisk::start();
    site.write("one.md", "# One\n\nText");
    site.program.wait_until("the first is published", |_| site.shows("One"));
    let before = site.ids();

    let mut filler = std::fs::File::create(site.disk("filler")).unwrap();
    let full = loop {
        if let Err(error) = filler.write_all(&[0; 512]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    // The last block of a file can still be filled; nothing more can be written.
    for number in 0..40 {
        site.write(&format!("more-{number}.md"), &format!("# More {number}\n\n{}", "word ".repeat(2_000)));
    }
    site.program.wait_until("the log says so", |_| site.lines(FAILED) > 0);
    std::thread::sleep(Duration::from_secs(5));
    assert!(site.shows("One"), "what was published is served");
    let log = || site.program.log.lock().join("\n");
    assert_eq!(site.lines(FAILED), 1, "the same is not said again and again:\n{}", log());

    drop(filler);
    std::fs::remove_file(site.disk("filler")).unwrap();
    site.program.wait_until("it is said that all is well", |_| site.lines(AGAIN) == 1);
    site.program.wait_until("all is published", |_| (0..40).all(|number| site.shows(&format!("More {number}"))));
    assert!(site.ids().contains(&before[0]), "ids stay");
}

#[test]
fn an_unwritable_state_directory_is_a_startup_error() {
    if !has_disks() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["articles", "state"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let script = "mount --bind \"$1/state\" \"$1/state\" && mount -o remount,bind,ro \"$1/state\" && exec \"$2\" serve \
                  \"$1/articles\" --listen 127.0.0.1:0 --state \"$1/state\"";
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(folder.path()).arg(env!("CARGO_BIN_EXE_gazetted"));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("state: cannot write to the state directory: Read-only file system"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// Makes a kind of system call fail until the guard is dropped.
fn fail(program: &Program, fault: &str) -> Running {
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e"]).arg(format!("inject={fault}")).arg("-p");
    command.arg(program.child.id().to_string()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut strace = Running(command.spawn().unwrap());
    // It reports when it is attached to all threads; later output must not fill the pipe.
    let mut lines = BufReader::new(strace.0.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("attached"));
    std::thread::spawn(move || lines.for_each(drop));
    strace
}

#[test]
fn failing_writes_are_retried_until_they_succeed() {
    if !tools::has("strace") {
        return;
    }
    let (folder, program) = plain(&mut Command::new("env"));
    let id = |title: &str| {
        let answer = program.get("/feed.json");
        let feed: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let item = feed["items"].as_array().unwrap().iter().find(|item| item["title"] == title).cloned();
        item.map(|item| item["id"].as_str().unwrap().to_owned())
    };
    let lines = |text: &str| program.log.lock().iter().filter(|line| line.contains(text)).count();
    let first = id("One");
    for (number, fault) in
        ["pwrite64:error=EIO", "fdatasync,fsync:error=EIO", "pwrite64:error=EROFS"].iter().enumerate()
    {
        let failing = fail(&program, fault);
        let title = format!("Fault {number}");
        std::fs::write(folder.path().join(format!("articles/{number}.md")), format!("# {title}\n\nText")).unwrap();
        program.wait_until("the log says that nothing can be recorded", |_| lines(FAILED) > number);
        assert_eq!(id("One"), first, "{fault}: what was published is served");
        drop(failing);
        program.wait_until("publishing continues", |_| id(&title).is_some() && lines(AGAIN) == number + 1);
        assert_eq!(id("One"), first, "{fault}: ids stay");
    }
}

/// A daemon with an article, in a folder of its own.
fn plain(more: &mut Command) -> (tempfile::TempDir, Program) {
    let folder = with_an_article();
    let program = Program::start(serve(more, folder.path()).args(["--listen", "127.0.0.1:0"]));
    (folder, program)
}

fn with_an_article() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(articles.join("one.md"), "# One\n\nText").unwrap();
    folder
}

/// Adds the arguments of a daemon to a command that runs it.
fn serve<'a>(more: &'a mut Command, folder: &Path) -> &'a mut Command {
    more.arg(env!("CARGO_BIN_EXE_gazetted")).arg("serve").arg(folder.join("articles"));
    more.arg("--state").arg(folder.join("state"))
}

/// Log message of a start with too few descriptors for all its threads.
const FEWER_THREADS: &str = "fewer threads serve than there are cores";

/// How a daemon starts that may open few files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Start {
    /// It ends before it says that it serves.
    Ends,
    ServesOnFewerThreads,
    Serves,
}

/// Starts a daemon that may open `descriptors` files, while clients wait for it as with a socket of systemd. If it serves, it serves all.
fn start_with(descriptors: u32) -> Start {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let limit = format!("--nofile={descriptors}:{descriptors}");
    let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec prlimit \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", &limit]).stdin(Stdio::from(OwnedFd::from(listener)));
    let folder = with_an_article();
    let mut program = match Program::try_start(serve(&mut command, folder.path())) {
        Ok(program) => program,
        Err((status, log)) => {
            let is_error = |line: &&String| line.starts_with("gazetted: ");
            let has_one_line = log.last().as_ref().is_some_and(is_error) && log.iter().filter(is_error).count() == 1;
            assert!(status.code() == Some(1) && has_one_line, "{descriptors}: {status}: {log:?}");
            assert!(log.last().unwrap().contains("open files"), "{descriptors}: {log:?}");
            return Start::Ends;
        }
    };
    assert_eq!(program.address, address.to_string());
    let what = format!("{descriptors}: the first is served");
    program.wait_until(&what, |program| program.get("/feed.json").contains("\"One\""));
    std::fs::write(folder.path().join("articles/two.md"), "# Two\n\nText").unwrap();
    let what = format!("{descriptors}: the second is published");
    program.wait_until(&what, |program| program.get("/feed.json").contains("\"Two\""));
    drop(clients);
    let log = program.log.lock().join("\n");
    assert!(program.child.try_wait().unwrap().is_none() && !log.contains("panicked"), "{descriptors}: {log}");
    if log.contains(FEWER_THREADS) { Start::ServesOnFewerThreads } else { Start::Serves }
}

#[test]
fn a_start_with_few_descriptors_serves_the_clients_that_wait_or_ends_before() {
    if !tools::has("prlimit") {
        return;
    }
    let starts: Vec<Start> = std::thread::scope(|scope| {
        let starts: Vec<_> = (24..=48).map(|descriptors| scope.spawn(move || start_with(descriptors))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(starts.is_sorted(), "more descriptors never serve less: {starts:?}");
    assert!(starts[0] == Start::Ends && starts.last() > Some(&Start::Ends), "{starts:?}");
    let has_cores = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    assert!(!has_cores || starts.contains(&Start::ServesOnFewerThreads), "{starts:?}");
}

#[test]
fn five_hundred_clients_and_64_descriptors_lose_no_article() {
    if !tools::has("prlimit") {
        return;
    }
    let (folder, program) = plain(Command::new("prlimit").arg("--nofile=64:64"));
    let clients: Vec<TcpStream> = (0..500).map(|_| TcpStream::connect(&program.address).unwrap()).collect();
    // Articles are still read, and other clients are served.
    std::fs::write(folder.path().join("articles/two.md"), "# Two\n\nText").unwrap();
    program.wait_until("the second is published", |program| program.get("/feed.json").contains("\"Two\""));
    let spent = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = spent();
    std::thread::sleep(Duration::from_secs(2));
    assert!(spent() - before < 100, "it does not spin: {} hundredths of a second in two", spent() - before);
    drop(clients);
    assert!(program.get("/feed.json").contains("\"One\""));
    let log = program.log.lock().join("\n");
    assert!(!log.contains("panicked") && log.matches("cannot accept").count() <= 1, "{log}");
}

#[test]
fn a_paused_daemon_misses_no_change() {
    let (folder, program) = plain(&mut Command::new("env"));
    program.signal(Signal::STOP);
    let articles = folder.path().join("articles");
    for number in 0..200 {
        std::fs::write(articles.join(format!("{number:03}.md")), format!("# Number {number}\n\nText")).unwrap();
    }
    std::fs::remove_file(articles.join("one.md")).unwrap();
    // A request waits meanwhile.
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| program.get("/robots.txt"));
        std::thread::sleep(Duration::from_secs(3));
        program.signal(Signal::CONT);
        waiting.join().unwrap()
    });
    assert!(waiting.starts_with("HTTP/1.1 200 "), "{waiting}");
    program.wait_until("all are published", |program| {
        let feed = program.get("/feed.json");
        !feed.contains("\"One\"") && (0..200).all(|number| feed.contains(&format!("\"Number {number}\"")))
    });
}

/// Path of the library that gives a process another clock; reports a skipped test if it is missing.
fn faketime() -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime"];
    let mut libraries = folders.iter().map(|folder| PathBuf::from(folder).join("libfaketime.so.1"));
    let found = libraries.find(|library| library.exists());
    if found.is_none() {
        tools::skip("libfaketime");
    }
    found
}

#[test]
fn a_clock_jump_changes_no_date() {
    let Some(library) = faketime() else { return };
    let clock = tempfile::NamedTempFile::new().unwrap();
    let set = |offset: &str| std::fs::write(clock.path(), format!("{offset}\n")).unwrap();
    set("+0");
    let mut command = Command::new("env");
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", clock.path()).env("FAKETIME_NO_CACHE", "1");
    // Only the real-time clock.
    command.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    let (folder, program) = plain(&mut command);
    let item = |title: &str| {
        let answer = program.get("/feed.json");
        let feed: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        feed["items"].as_array().unwrap().iter().find(|item| item["title"] == title).cloned()
    };
    let etag = |answer: &str| {
        let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("etag: ")).unwrap();
        line[6..].to_owned()
    };
    let first = item("One").unwrap();
    for (number, offset) in ["+3650d", "-9000d", "+0"].into_iter().enumerate() {
        let before = etag(&program.get("/feed.json"));
        set(offset);
        let title = format!("After {number}");
        std::fs::write(folder.path().join(format!("articles/after-{number}.md")), format!("# {title}\n\nText"))
            .unwrap();
        program.wait_until("what comes after a jump is published", |_| item(&title).is_some());
        assert_eq!(item("One").unwrap(), first, "{offset}: what was there keeps its dates");
        let after = program.get("/feed.json");
        assert_ne!(etag(&after), before, "{offset}: a new version has a new ETag");
        // No date is later than the server's clock.
        let field = |name: &str| {
            let line = after.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
            line.map(|line| httpdate(line[name.len()..].trim()))
        };
        if let Some(modified) = field("last-modified:") {
            assert!(modified <= field("date:").unwrap(), "{offset}: {after}");
        }
    }
}

fn httpdate(text: &str) -> chrono::DateTime<chrono::FixedOffset> {
    chrono::DateTime::parse_from_rfc2822(text).unwrap()
}
