//! Clients that are connected when the daemon stops.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use rustix::process::Signal;

use crate::tools::Program;
use crate::waiting::{PATIENCE, wait_for, wait_until};

/// Starts a daemon that gives its clients longer to finish than any test lasts.
fn start(home: &tempfile::TempDir) -> Program {
    let path = |name: &str| home.path().join(name);
    std::fs::create_dir(path("articles")).unwrap();
    std::fs::write(path("g.toml"), "[http]\nstop_timeout = '1h'\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(path("articles")).arg("--config").arg(path("g.toml")).arg("--state").arg(path("state"));
    Program::start(command.args(["--listen", "127.0.0.1:0"]))
}

/// Clients whose connections are accepted, and which have sent nothing.
fn silent(program: &Program, number: usize) -> Vec<TcpStream> {
    // Only sockets: files may be opened and closed meanwhile.
    let is_socket = |link: std::io::Result<std::path::PathBuf>| {
        link.is_ok_and(|path| path.to_string_lossy().starts_with("socket:"))
    };
    let sockets = || {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", program.child.id())).unwrap();
        descriptors.filter(|entry| is_socket(std::fs::read_link(entry.as_ref().unwrap().path()))).count()
    };
    let before = sockets();
    let clients = (0..number).map(|_| TcpStream::connect(&program.address).unwrap()).collect();
    wait_until("all connections are accepted", || sockets() >= before + number);
    clients
}

/// Stops the daemon, and waits until it accepts no connection.
fn end(program: &Program) {
    program.signal(Signal::TERM);
    while TcpStream::connect(&program.address).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn connected_clients_are_answered_before_the_daemon_ends() {
    let home = tempfile::tempdir().unwrap();
    let mut program = start(&home);
    let clients = silent(&program, 8);
    end(&program);
    // A next process may have the listening socket by now, but not these connections.
    for mut client in &clients {
        client.write_all(b"GET /rss.xml HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    }
    for mut client in clients {
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.trim_end().ends_with("</rss>"), "{answer:?}");
    }
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn silent_clients_do_not_delay_the_stop() {
    let home = tempfile::tempdir().unwrap();
    let mut program = start(&home);
    let silent = silent(&program, 8);
    end(&program);
    let status = wait_for("the daemon ends before the hour for responses", || program.child.try_wait().unwrap());
    assert!(status.success());
    drop(silent);
}
