//! Clients that are there when the daemon ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::tools::Program;

fn start(home: &tempfile::TempDir) -> Program {
    let (articles, state) = (home.path().join("articles"), home.path().join("state"));
    std::fs::create_dir(&articles).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    Program::start(command.arg("serve").arg(articles).args(["--listen", "127.0.0.1:0", "--state"]).arg(state))
}

/// Clients that have connected and said nothing, and whose connections are accepted.
fn silent(program: &Program, number: usize) -> Vec<TcpStream> {
    let clients = (0..number).map(|_| TcpStream::connect(&program.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    program.get("/");
    clients
}

/// Tells it to end, and waits until nobody else can connect.
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
    // The socket is the next process's by now, but these connections are not.
    for mut client in &clients {
        client.write_all(b"GET /rss.xml HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    }
    for mut client in clients {
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
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
    let begun = Instant::now();
    end(&program);
    assert!(program.child.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}, of the ten seconds for answers", begun.elapsed());
    drop(silent);
}
