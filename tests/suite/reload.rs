//! Reloads of the configuration while the daemon runs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use crate::tools::Program;
use crate::waiting::PATIENCE;

/// A site with a configuration file.
pub struct Configured {
    folder: tempfile::TempDir,
}

impl Configured {
    pub fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("articles")).unwrap();
        let site = Self { folder };
        site.configure(more);
        site
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn configure(&self, more: &str) {
        let (articles, state) = (self.path("articles"), self.path("state"));
        let text = format!(
            "{more}\n[articles]\ndirectory = '{}'\n[state]\ndirectory = '{}'\n",
            articles.display(),
            state.display()
        );
        std::fs::write(self.path("gazetted.toml"), text).unwrap();
    }

    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.arg(name).arg("--config").arg(self.path("gazetted.toml")).stdin(Stdio::null());
        command
    }

    pub fn start(&self) -> Program {
        Program::start(self.command("serve").args(["--listen", "127.0.0.1:0"]))
    }

    pub fn reload(&self) -> Output {
        self.command("reload").output().unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path("articles").join(name), text).unwrap();
    }
}

pub fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn titled(title: &str, max_age: &str) -> String {
    format!("[site]\ntitle = '{title}'\n[http]\nmax_age = '{max_age}'\n")
}

#[test]
fn a_reload_applies_at_once_and_disconnects_no_client() {
    let site = Configured::new(&titled("Before", "5m"));
    site.write("one.md", "# One\n\nText");
    let program = site.start();
    let before = program.get("/feed.json");
    assert!(before.contains("\"Before\"") && before.contains("max-age=300"), "{before}");
    let page = program.get("/style.css");
    assert!(page.contains("max-age=300"), "{page}");
    let id = before.split("\"id\"").nth(1).unwrap().split('"').nth(1).unwrap().to_owned();

    site.configure(&titled("After", "7m"));
    let output = site.reload();
    assert!(output.status.success(), "{}", printed(&output));
    assert!(printed(&output).contains("the new configuration is in effect"), "{}", printed(&output));
    let after = program.get("/feed.json");
    assert!(after.contains("\"After\"") && after.contains("max-age=420") && after.contains(&id), "{after}");
    let page = program.get("/style.css");
    assert!(page.contains("max-age=420"), "what did not change goes by the new configuration, too: {page}");

    site.write("two.md", "# Two\n\nText");
    program.wait_until("the folder is still watched", |program| program.get("/feed.json").contains("\"Two\""));
}

#[test]
fn sighup_reloads_the_configuration() {
    let site = Configured::new(&titled("Before", "5m"));
    let program = site.start();
    site.configure(&titled("After", "5m"));
    program.signal(Signal::HUP);
    program.wait_until("the title has changed", |program| program.get("/feed.json").contains("\"After\""));
}

#[test]
fn a_reload_that_ends_a_failure_is_reported() {
    let site = Configured::new(&titled("Before", "5m"));
    let program = site.start();
    let has = |text: &str| program.log.lock().iter().any(|line| line.contains(text));
    site.configure(&titled("After", "5m"));
    std::fs::rename(site.path("state"), site.path("renamed")).unwrap();
    // No directory can be made here.
    std::fs::write(site.path("state"), "a file").unwrap();
    program.wait_until("publishing stops", |_| has("publishing stopped"));
    // Before the next attempt.
    std::fs::remove_file(site.path("state")).unwrap();
    program.signal(Signal::HUP);
    program.wait_until("the title has changed", |program| program.get("/feed.json").contains("\"After\""));
    program.wait_until("the end of the failure is logged", |_| has("publishing resumed"));
}

#[test]
fn an_invalid_configuration_changes_nothing() {
    let site = Configured::new(&titled("Before", "5m"));
    let program = site.start();
    let log = |program: &Program| program.log.lock().join("\n");
    site.configure("[site]\ntitel = 'After'\n");
    let output = site.reload();
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("unknown key `titel`"), "{}", printed(&output));
    program.signal(Signal::HUP);
    program.wait_until("the log says why", |program| log(program).contains("unknown key `titel`"));
    assert!(log(&program).contains("keeping the current configuration"), "{}", log(&program));
    assert!(program.get("/feed.json").contains("\"Before\""));
}

#[test]
fn a_reload_refuses_keys_that_need_a_restart() {
    let site = Configured::new("[http]\nlisten = '127.0.0.1:0'\n");
    let program = Program::start(&mut site.command("serve"));
    site.configure("[http]\nlisten = 'example.org:0'\n");
    assert_eq!(site.reload().status.code(), Some(1));
    site.configure("[http]\nlisten = '127.0.0.1:1'\n[site]\ntitle = 'After'\n");
    let output = site.reload();
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(
        printed(&output).contains("http.listen cannot change while the daemon runs: restart it"),
        "{}",
        printed(&output)
    );
    assert!(!program.get("/feed.json").contains("\"After\""));
}

#[test]
fn a_reload_without_a_daemon_is_an_error() {
    let site = Configured::new("");
    let output = site.reload();
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("no daemon can be reached there; start it"), "{}", printed(&output));
    let program = site.start();
    assert!(site.reload().status.success());
    drop(program);
    let output = site.reload();
    assert!(
        printed(&output).contains("no daemon can be reached there"),
        "what a killed one left: {}",
        printed(&output)
    );
    let again = site.start();
    assert!(site.reload().status.success());
    again.signal(Signal::TERM);
    again.wait_until("the socket goes with the daemon", |_| !Path::new(&site.path("state/control")).exists());
}

#[test]
fn silent_and_endless_clients_of_the_control_socket_prevent_no_reload() {
    let site = Configured::new("");
    let program = site.start();
    let connect = || UnixStream::connect(site.path("state").join("control")).unwrap();
    let mut silent: Vec<UnixStream> = (0..100).map(|_| connect()).collect();
    let mut answer = String::new();
    silent[0].set_read_timeout(Some(PATIENCE)).unwrap();
    silent[0].read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "", "the oldest is closed for others, and is not waited for");
    let mut endless = connect();
    let sending = std::thread::spawn(move || while endless.write_all(&[b'x'; 4096]).is_ok() {});
    let output = site.reload();
    assert!(output.status.success(), "{}", printed(&output));
    sending.join().unwrap();
    drop((silent, program));
}

#[test]
fn the_host_names_of_the_admin_listener_change_with_a_reload() {
    let port = crate::tools::free_port();
    let admin = |hosts: &str| format!("[admin]\nlisten = '127.0.0.1:{port}'\n{hosts}");
    let site = Configured::new(&admin(""));
    let program = site.start();
    let status = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: monitor:8081\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status(), "421");
    site.configure(&admin("hosts = ['monitor']\n"));
    let output = site.reload();
    assert!(output.status.success(), "{}", printed(&output));
    assert_eq!(status(), "200");
    drop(program);
}
