//! Attempts from within the service's sandbox: this program again, started by the unit as the test [`probe`].

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

/// Environment variable that makes the test below a probe.
pub const ORDER: &str = "GAZETTED_PROBE";

/// Name of an attempt, and whether it succeeds.
type Attempt = (&'static str, fn() -> bool);

/// All attempts. They run in the machine only.
pub const ATTEMPTS: [Attempt; 15] = [
    ("write-articles", || fs::write("/srv/gazetted/articles/probe.md", "# Probe").is_ok()),
    ("write-etc", || fs::write("/etc/probe", "x").is_ok()),
    ("write-programs", || fs::write("/usr/bin/probe", "x").is_ok()),
    ("run-a-shell", || Command::new("/bin/sh").args(["-c", "true"]).status().is_ok_and(|status| status.success())),
    ("run-from-state", || runs_from(&state())),
    ("run-from-tmp", || runs_from("/tmp")),
    ("run-from-var-tmp", || runs_from("/var/tmp")),
    ("run-from-memory", || runs_from("/dev/shm")),
    ("connect", || TcpStream::connect("127.0.0.1:8081").is_ok()),
    ("listen", || TcpListener::bind("127.0.0.1:0").is_ok()),
    ("send", || UdpSocket::bind("127.0.0.1:0").is_ok()),
    ("read-homes", || fs::read_to_string("/home/ann/secret").is_ok()),
    ("read-roots-home", || fs::read_to_string("/root/secret").is_ok()),
    ("see-others", || fs::read_dir("/proc/1").is_ok()),
    ("see-the-kernel", || fs::read_to_string("/proc/sys/kernel/ostype").is_ok()),
];

/// State directory of the service.
fn state() -> String {
    std::env::var("STATE_DIRECTORY").unwrap_or_else(|_| "/tmp".into())
}

/// Whether a program written to a folder can be run there.
fn runs_from(folder: &str) -> bool {
    let copy = format!("{folder}/gazetted-probe");
    let is_written = fs::copy("/proc/self/exe", &copy).is_ok();
    let output = is_written.then(|| Command::new(&copy).arg("--list").output());
    let _ = fs::remove_file(&copy);
    output.is_some_and(|output| output.is_ok_and(|output| output.status.success()))
}

/// A probe if the environment says so; not a test.
#[test]
fn probe() {
    if std::env::var_os(ORDER).is_none() {
        return;
    }
    for (attempt, succeeds) in ATTEMPTS {
        println!("PROBE {attempt} {}", if succeeds() { "done" } else { "denied" });
    }
    // What must succeed.
    let state = state();
    println!("PROBE keep-state {}", if fs::write(format!("{state}/probe"), "x").is_ok() { "done" } else { "denied" });
    println!("PROBE read-articles {}", if fs::read_dir("/srv/gazetted/articles").is_ok() { "done" } else { "denied" });
}
