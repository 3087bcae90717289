//! Programs that tests need beyond Rust. A missing one skips its test with a message; with `GAZETTED_NO_SKIP` set, as in CI, the
//! test fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::waiting::{PATIENCE, wait_or_explain};

/// Reports that a test is skipped because something is missing.
pub fn skip(want: &str) {
    assert!(std::env::var_os("GAZETTED_NO_SKIP").is_none(), "{want} is missing, and GAZETTED_NO_SKIP is set");
    eprintln!("SKIPPED: {want} is missing");
}

/// Whether a program is installed; reports a skipped test if not.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        skip(program);
    }
    found
}

/// Whether Python has a module; reports a skipped test if not.
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

/// A file of the folder `shared` beside the project; reports a skipped test if there is none.
pub fn beside(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("SKIPPED: {path} is not there");
    None
}

/// The schema of JSON Feed; reports a skipped test if it is not installed.
pub fn json_feed_schema() -> Option<PathBuf> {
    let schema = std::env::var_os("GAZETTED_JSON_FEED_SCHEMA").map(PathBuf::from).filter(|file| file.exists());
    if schema.is_none() {
        skip("GAZETTED_JSON_FEED_SCHEMA, a file of the npm package jsonfeed-schema,");
    }
    schema
}

/// Whether Node has a module in the folder `GAZETTED_NODE_MODULES`; reports a skipped test if not.
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

/// The checker of HTML by the W3C; reports a skipped test if it is not installed.
pub fn html_checker() -> Option<PathBuf> {
    if !has("java") || !has_node("vnu-jar") {
        return None;
    }
    std::env::var_os("GAZETTED_NODE_MODULES").map(|modules| Path::new(&modules).join("vnu-jar/build/dist/vnu.jar"))
}

/// Folder of elfeed in Emacs; reports a skipped test if there is none.
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

/// Runs a program, which must succeed, and returns its output.
pub fn run(command: &mut Command) -> String {
    let output: Output = command.stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {printed}\n{errors}");
    printed
}

/// A port that stays free until the caller's program listens on it: below the range that the system gives to connections, and
/// never returned twice.
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u16> = 10_000..30_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another test process begins elsewhere.
    let first = std::process::id().wrapping_mul(61) % u32::from(PORTS.end - PORTS.start);
    loop {
        let number = u32::from(NEXT.fetch_add(1, Ordering::Relaxed)) + first;
        let port = PORTS.start + u16::try_from(number % u32::from(PORTS.end - PORTS.start)).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A response with its header, as bytes. `fields` are further fields of the request, each with its line end.
pub fn ask_bytes(address: &str, path: &str, fields: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// As [`ask_bytes`], for a request whose response is text: it must not accept a content coding.
pub fn ask(address: &str, path: &str, fields: &str) -> String {
    String::from_utf8(ask_bytes(address, path, fields)).unwrap()
}

/// Host and port of the first address in a field of a log line, in any form of the log.
pub fn logged_address(line: &str, field: &str) -> Option<String> {
    let name = [format!(" {field}="), format!("\"{field}\":")].into_iter().find(|name| line.contains(name))?;
    let (_, value) = line.split_once(&name)?;
    let address = value.trim_start_matches('"').strip_prefix("http://")?;
    address.split('/').next().map(str::to_owned)
}

/// A daemon in a process of its own, which ends with the test.
pub struct Program {
    pub child: Child,
    pub address: String,
    /// Lines of its log so far.
    pub log: Log,
}

impl Program {
    /// Starts a daemon and waits until it serves.
    pub fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|(status, log)| panic!("{status}: the log has no address: {log:?}"))
    }

    /// Starts a daemon and waits until it serves, or ends before that with a status and a log.
    pub fn try_start(command: &mut Command) -> Result<Self, (ExitStatus, Vec<String>)> {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Log::default();
        let (found, address) = std::sync::mpsc::channel();
        let (lines, own_log) = (BufReader::new(child.stderr.take().unwrap()).lines(), log.clone());
        // Read to the end, since a full pipe would lose lines.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = logged_address(&line, "listen") {
                    let _ = found.send(address);
                }
                own_log.lock().push(line);
            }
        });
        match address.recv_timeout(PATIENCE) {
            Ok(address) => Ok(Self { child, address, log }),
            Err(error) => {
                if error == RecvTimeoutError::Timeout {
                    let _ = child.kill();
                }
                let status = child.wait().unwrap();
                Err((status, log.lock().clone()))
            }
        }
    }

    /// A response with its header.
    pub fn get(&self, path: &str) -> String {
        ask(&self.address, path, "")
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Waits until a condition holds.
    pub fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        wait_or_explain(what, || holds(self).then_some(()), || self.log.lock().join("\n"));
    }
}

/// Lines of a log, which a thread adds to.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The lines; also after a test has failed while it held them.
    pub fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running program, which ends with its test.
pub struct Running(pub Child);

impl Running {
    /// Starts a program that is not heard.
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// As [`Self::start`]; all that it prints goes into a file.
    pub fn with_output(command: &mut Command, file: std::fs::File) -> Self {
        let errors = file.try_clone().unwrap();
        Self(command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sets a flag that stops other threads, however the test ends.
pub struct AtEnd<'a>(pub &'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
