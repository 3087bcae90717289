//! Programs that a test needs beyond Rust. A missing one skips its test, and says so; with `GAZETTED_NO_SKIP` set, as in
//! CI, it fails it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Says that a test is skipped for want of something.
pub fn skip(want: &str) {
    assert!(std::env::var_os("GAZETTED_NO_SKIP").is_none(), "{want} is missing, and GAZETTED_NO_SKIP is set");
    eprintln!("SKIPPED: {want} is missing");
}

/// Whether a program is there; if not, the test is skipped.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        skip(program);
    }
    found
}

/// Whether Python has a module; if not, the test is skipped.
pub fn has_python(module: &str) -> bool {
    if !has("python3") {
        return false;
    }
    let import = format!("import {module}");
    let status = Command::new("python3").args(["-c", &import]).stderr(Stdio::null()).status();
    let found = status.is_ok_and(|status| status.success());
    if !found {
        skip(&format!("the Python module {module}"));
    }
    found
}

/// A file of the workplace beside the project, if the project has one; if not, the test is skipped.
pub fn beside(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("SKIPPED: {path} is not there");
    None
}

/// The schema of JSON Feed, if somebody installed it; if not, the test is skipped.
pub fn json_feed_schema() -> Option<PathBuf> {
    let schema = std::env::var_os("GAZETTED_JSON_FEED_SCHEMA").map(PathBuf::from).filter(|file| file.exists());
    if schema.is_none() {
        skip("GAZETTED_JSON_FEED_SCHEMA, a file of the npm package jsonfeed-schema,");
    }
    schema
}

/// Whether Node has a module, in the folder that `GAZETTED_NODE_MODULES` names; if not, the test is skipped.
pub fn has_node(module: &str) -> bool {
    if !has("node") {
        return false;
    }
    let modules = std::env::var_os("GAZETTED_NODE_MODULES").map(PathBuf::from).unwrap_or_default();
    let found = modules.join(module).join("package.json").exists();
    if !found {
        skip(&format!("{module}, a module of npm, in GAZETTED_NODE_MODULES"));
    }
    found
}

/// Where Emacs keeps elfeed; if nowhere, the test is skipped.
pub fn elfeed() -> Option<PathBuf> {
    let lisp = Path::new("/usr/share/emacs/site-lisp");
    let packages = ["elpa", "elpa-src"].into_iter().filter_map(|name| std::fs::read_dir(lisp.join(name)).ok());
    let mut found = packages.flatten().filter_map(|package| Some(package.ok()?.path()));
    let found = found.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("elfeed-")));
    if found.is_none() {
        skip("elfeed");
    }
    found
}

/// Runs a program to its end, which must be a good one; gives what it printed.
pub fn run(command: &mut Command) -> String {
    let output: Output = command.stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {printed}\n{errors}");
    printed
}

/// A whole answer with its header; `fields` are those of the request beside the necessary ones, each with its line end.
pub fn ask(address: &str, path: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Host and port of the first address in a field of a log line, in any form of the log.
pub fn logged_address(line: &str, field: &str) -> Option<String> {
    let name = [format!(" {field}="), format!("\"{field}\":")].into_iter().find(|name| line.contains(name))?;
    let (_, value) = line.split_once(&name)?;
    let address = value.trim_start_matches('"').strip_prefix("http://")?;
    address.split('/').next().map(str::to_owned)
}

/// A running daemon as a program of its own, ended with the test.
pub struct Program {
    pub child: Child,
    pub address: String,
    /// What it has said so far.
    pub log: Arc<Mutex<Vec<String>>>,
}

impl Program {
    /// Starts it and waits until it serves.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (found, address) = std::sync::mpsc::channel();
        let (lines, said) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        // What it says later must not fill the pipe.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = logged_address(&line, "listen") {
                    let _ = found.send(address);
                }
                said.lock().unwrap().push(line);
            }
        });
        let address = address.recv_timeout(Duration::from_secs(20));
        let Ok(address) = address else {
            let _ = child.kill();
            panic!("the program does not say where it serves: {:?}", log.lock().unwrap());
        };
        Self { child, address, log }
    }

    /// A whole answer with its header.
    pub fn get(&self, path: &str) -> String {
        ask(&self.address, path, "")
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Waits until something is so, asking twenty times a second.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !is_so(self) {
            let log = || self.log.lock().unwrap().join("\n");
            assert!(std::time::Instant::now() < deadline, "waited in vain until {what}; it said:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running program, ended with its test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Stops whoever looks at a flag, however the test ends.
pub struct AtEnd<'a>(pub &'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
