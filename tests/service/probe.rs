//! What the service may do, tried from within its sandbox: this program once more, started by its unit as the test [`probe`].

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

/// Tells the test below that it is to be a probe.
pub const ORDER: &str = "GAZETTED_PROBE";

/// Tries everything, and says of each whether it could be done.
pub fn attempts() -> Vec<(&'static str, bool)> {
    vec![
        ("write-articles", fs::write("/srv/gazetted/articles/probe.md", "# Probe").is_ok()),
        ("write-etc", fs::write("/etc/probe", "x").is_ok()),
        ("write-programs", fs::write("/usr/bin/probe", "x").is_ok()),
        ("run-a-shell", Command::new("/bin/sh").args(["-c", "true"]).status().is_ok_and(|status| status.success())),
        ("connect", TcpStream::connect("127.0.0.1:8081").is_ok()),
        ("listen", TcpListener::bind("127.0.0.1:0").is_ok()),
        ("send", UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("read-homes", fs::read_to_string("/home/ann/secret").is_ok()),
        ("read-roots-home", fs::read_to_string("/root/secret").is_ok()),
        ("see-others", fs::read_dir("/proc/1").is_ok()),
    ]
}

/// Not a test, but a probe, where it is told to be.
#[test]
fn probe() {
    if std::env::var_os(ORDER).is_none() {
        return;
    }
    for (attempt, succeeded) in attempts() {
        println!("PROBE {attempt} {}", if succeeded { "done" } else { "denied" });
    }
    // What it must be able to do.
    let state = std::env::var("STATE_DIRECTORY").unwrap_or_else(|_| "/tmp".into());
    println!("PROBE keep-state {}", if fs::write(format!("{state}/probe"), "x").is_ok() { "done" } else { "denied" });
    println!("PROBE read-articles {}", if fs::read_dir("/srv/gazetted/articles").is_ok() { "done" } else { "denied" });
}
