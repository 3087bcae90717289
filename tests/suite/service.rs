//! Notifications to systemd, its sockets and its units.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::tools::{self, Running};
use crate::waiting::{PATIENCE, wait_for};

#[test]
fn systemd_is_notified_when_ready_and_when_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(articles).args(["--listen", "127.0.0.1:0"]).stderr(Stdio::null());
    // As in the unit, systemd sets the state directory.
    command.env("STATE_DIRECTORY", folder.path().join("state")).env("NOTIFY_SOCKET", &socket);
    let mut child = command.spawn().unwrap();
    let hear = || {
        let mut buffer = [0; 1024];
        let length = systemd.recv(&mut buffer).expect("a notification");
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
fn systemd_accepts_the_unit() {
    if !tools::has("systemd-analyze") {
        return;
    }
    let unit = include_str!("../../systemd/gazetted.service");
    assert!(unit.contains("ExecStart=/usr/bin/gazetted serve\n"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gazetted.service");
    // The program is not installed where the unit has it.
    std::fs::write(&file, unit.replace("/usr/bin/gazetted", env!("CARGO_BIN_EXE_gazetted"))).unwrap();
    let socket = folder.path().join("gazetted.socket");
    std::fs::write(&socket, include_str!("../../systemd/gazetted.socket")).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).args([&file, &socket]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("gazetted."), "{said}");
}

/// Status line of a request for a feed, once the daemon listens.
fn answer(connect: impl Fn() -> std::io::Result<Box<dyn ReadWrite>>) -> String {
    let mut stream = wait_for("the daemon listens", || connect().ok());
    write!(stream, "GET /rss.xml HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// Requests the feed through both kinds of sockets.
fn both_answer(port: SocketAddr, path: &Path) {
    let by_port = answer(|| TcpStream::connect(port).map(|stream| Box::new(stream) as Box<dyn ReadWrite>));
    let by_path = answer(|| UnixStream::connect(path).map(|stream| Box::new(stream) as Box<dyn ReadWrite>));
    assert_eq!((by_port.as_str(), by_path.as_str()), ("HTTP/1.1 200 OK", "HTTP/1.1 200 OK"));
}

#[test]
fn a_port_and_a_unix_socket_serve_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (articles, path) = (folder.path().join("articles"), folder.path().join("http.sock"));
    std::fs::create_dir(&articles).unwrap();
    let port = SocketAddr::from(([127, 0, 0, 1], tools::free_port()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(articles).arg("--state").arg(folder.path().join("state"));
    command.args(["--listen", &port.to_string(), "--listen", &format!("unix:{}", path.display())]);
    let mut program = Running(command.stderr(Stdio::null()).spawn().unwrap());
    both_answer(port, &path);
    let process = rustix::process::Pid::from_child(&program.0);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert!(program.0.wait().unwrap().success());
    assert!(!path.exists(), "the socket goes with the program");
}

#[test]
fn sockets_of_systemd_are_served() {
    if !tools::has("systemd-socket-activate") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (articles, path) = (folder.path().join("articles"), folder.path().join("http.sock"));
    std::fs::create_dir(&articles).unwrap();
    let port = SocketAddr::from(([127, 0, 0, 1], tools::free_port()));
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &port.to_string(), "-l", path.to_str().unwrap(), env!("CARGO_BIN_EXE_gazetted"), "serve"]);
    command.arg(articles).arg("--state").arg(folder.path().join("state")).stderr(Stdio::null());
    let _program = Running(command.spawn().unwrap());
    both_answer(port, &path);
}

/// A daemon under a watchdog, with the socket for its notifications.
struct Watched {
    folder: tempfile::TempDir,
    systemd: UnixDatagram,
    program: tools::Program,
}

impl Watched {
    /// Starts one with a watchdog interval.
    fn start(limit: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("notify");
        let systemd = UnixDatagram::bind(&socket).unwrap();
        systemd.set_read_timeout(Some(PATIENCE)).unwrap();
        let articles = folder.path().join("articles");
        std::fs::create_dir(&articles).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.arg("serve").arg(articles).args(["--listen", "127.0.0.1:0"]);
        command.env("STATE_DIRECTORY", folder.path().join("state")).env("NOTIFY_SOCKET", &socket);
        command.env("WATCHDOG_USEC", limit.as_micros().to_string());
        Self { program: tools::Program::start(&mut command), folder, systemd }
    }

    fn hear(&self) -> String {
        let mut buffer = [0; 1024];
        let length = self.systemd.recv(&mut buffer).expect("a notification");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// Time until the next notification, but not more than a limit.
    fn silence(&self, at_most: Duration) -> Duration {
        self.systemd.set_nonblocking(true).unwrap();
        let mut buffer = [0; 1024];
        while self.systemd.recv(&mut buffer).is_ok() {}
        self.systemd.set_nonblocking(false).unwrap();
        self.systemd.set_read_timeout(Some(at_most)).unwrap();
        let begun = Instant::now();
        let _ = self.systemd.recv(&mut buffer);
        self.systemd.set_read_timeout(Some(PATIENCE)).unwrap();
        begun.elapsed()
    }
}

#[test]
fn systemd_is_notified_of_a_reload() {
    let watched = Watched::start(Duration::from_mins(10));
    assert!(watched.hear().starts_with("READY=1\n"));
    assert_eq!(watched.hear(), "WATCHDOG=1\n");
    watched.program.signal(rustix::process::Signal::HUP);
    let reloading = watched.hear();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert!(watched.hear().starts_with("READY=1\nSTATUS=serving http://127.0.0.1:"));
    drop(watched.folder);
}

/// Makes a thread hang in its next system call for an hour, as on a disk that does not respond.
fn wedge(program: &tools::Program, name: &str) -> Running {
    let find = |program: &tools::Program| {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", program.child.id())).unwrap();
        tasks
            .filter_map(|task| Some(task.ok()?.path()))
            .find(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name))
    };
    // A thread sets its name when it runs.
    program.wait_until(&format!("there is a thread {name}"), |program| find(program).is_some());
    let task = find(program).unwrap();
    let mut command = Command::new("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", "inject=all:delay_enter=3600s", "-p"]);
    command.arg(task.file_name().unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

#[test]
fn one_stalled_task_stops_the_watchdog_notifications() {
    if !tools::has("strace") {
        return;
    }
    let limit = Duration::from_secs(2);
    let watched = Watched::start(limit);
    assert!(watched.hear().starts_with("READY=1\n"));
    assert!(watched.silence(PATIENCE) < PATIENCE, "a healthy daemon sends notifications");
    for (thread, part) in [("publish", "the publisher"), ("watch", "the watch"), ("serve", "serving")] {
        let wedge = wedge(&watched.program, thread);
        let is_complaint = |line: &String| line.contains(" ERROR no heartbeat; ") && line.contains(part);
        watched
            .program
            .wait_until("the log names the stalled task", |program| program.log.lock().iter().any(is_complaint));
        assert!(watched.silence(limit * 2) >= limit, "there is a notification although {part} is stalled");
        // A task that recovers causes no restart.
        drop(wedge);
        assert!(watched.silence(PATIENCE) < PATIENCE, "{part} has recovered, but there is no notification");
    }
}

#[test]
fn the_admin_socket_is_identified_by_its_name() {
    if !tools::has("systemd-socket-activate") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let free = || SocketAddr::from(([127, 0, 0, 1], tools::free_port()));
    let (clients, operator) = (free(), free());
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &clients.to_string(), "-l", &operator.to_string(), "--fdname=http:admin"]);
    command.args([env!("CARGO_BIN_EXE_gazetted"), "serve"]);
    command.arg(articles).arg("--state").arg(folder.path().join("state")).stderr(Stdio::null());
    let _program = Running(command.spawn().unwrap());
    let asked = answer(|| TcpStream::connect(clients).map(|stream| Box::new(stream) as Box<dyn ReadWrite>));
    assert_eq!(asked, "HTTP/1.1 200 OK");
    for path in ["/readyz", "/metrics", "/readyz"] {
        let answer = tools::ask(&operator.to_string(), path, "");
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{path}: {answer}");
    }
}
