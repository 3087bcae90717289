//! What systemd is told, and what it thinks of the unit.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::tools;

#[test]
fn ready_is_said_when_the_feeds_are_up_and_stopping_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(articles).args(["--listen", "127.0.0.1:0"]).stderr(Stdio::null());
    // As the unit has it: the state directory comes from systemd.
    command.env("STATE_DIRECTORY", folder.path().join("state")).env("NOTIFY_SOCKET", &socket);
    let mut child = command.spawn().unwrap();
    let hear = || {
        let mut buffer = [0; 1024];
        let length = systemd.recv(&mut buffer).expect("systemd is told");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let ready = hear();
    assert!(ready.starts_with("READY=1\nSTATUS=serving http://127.0.0.1:"), "{ready}");
    assert!(folder.path().join("state/catalog.sqlite").exists());
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).unwrap();
    assert_eq!(hear(), "STOPPING=1\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn systemd_has_no_complaint_about_the_unit() {
    if !tools::has("systemd-analyze") {
        return;
    }
    let unit = include_str!("../../systemd/gazetted.service");
    assert!(unit.contains("ExecStart=/usr/bin/gazetted serve "));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gazetted.service");
    // The program is not installed where the unit has it.
    std::fs::write(&file, unit.replace("/usr/bin/gazetted", env!("CARGO_BIN_EXE_gazetted"))).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("gazetted.service"), "{said}");
}
