//! A PostgreSQL server.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use gazetted::replicas::{Appended, open};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::certificate::certify;
use crate::tools::{free_port, has, run, skip};
use crate::waiting::wait_or_explain;

/// A server with a cluster of its own, which ends with the test.
pub struct Database {
    pub port: u16,
    folder: TempDir,
    programs: PathBuf,
    server: Mutex<Child>,
}

/// The address of a log, through any port that leads to the server.
pub fn address_at(port: u16, parameters: &str) -> String {
    format!("postgres://gazetted@127.0.0.1:{port}/postgres?{parameters}")
}

/// Debian's programs of the server, of the newest version that is installed; reports a skipped test if there are none.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    if newest.is_none() {
        skip("postgresql");
    }
    newest.filter(|_| has("openssl"))
}

impl Database {
    /// Starts a server; reports a skipped test if it is not installed.
    pub fn start() -> Option<Self> {
        let programs = programs()?;
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        if let Some(user) = user() {
            std::os::unix::fs::chown(folder.path(), Some(user), None).unwrap();
        }
        certify(&mut command(Path::new("openssl"), folder.path()));
        let cluster = ["--auth=trust", "--username=gazetted", "--no-sync", "--no-locale", "--encoding=UTF8", "data"];
        run(command(&programs.join("initdb"), folder.path()).args(cluster));
        let server = Mutex::new(start_server(&programs, folder.path(), port));
        let database = Self { port, folder, programs, server };
        database.wait();
        Some(database)
    }

    /// Waits until the server can be used.
    fn wait(&self) {
        let address = self.address("table=ready");
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        wait_or_explain("the database is ready", || open(&address).unwrap().newest_base().ok(), log);
    }

    /// The address of a log.
    pub fn address(&self, parameters: &str) -> String {
        address_at(self.port, parameters)
    }

    /// Runs SQL. Returns what it prints.
    fn sql(&self, sql: &str) -> String {
        let port = self.port.to_string();
        let connection = ["-h", "127.0.0.1", "-p", &port, "-U", "gazetted", "-d", "postgres"];
        let printed = run(Command::new(self.programs.join("psql")).args(connection).args([
            "-v",
            "ON_ERROR_STOP=1",
            "-qAtc",
            sql,
        ]));
        printed.trim().to_owned()
    }

    /// Sends a signal to the server and to all its processes, each of which serves one connection.
    fn signal(&self, signal: Signal) {
        let server = Pid::from_child(&self.server.lock().unwrap());
        let is_child = |process: &Pid| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
            let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
            parent == Some(server.as_raw_nonzero().get())
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let processes = processes.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        let children: Vec<Pid> = processes.filter(is_child).collect();
        for process in [server].into_iter().chain(children) {
            // A process may have ended.
            let _ = kill_process(process, signal);
        }
    }

    /// Parts of a copy of the catalog that was never finished are not seen, and removed later.
    pub fn check_unfinished_bases(&self) {
        let mut log = open(&self.address("table=unfinished")).unwrap();
        log.append(1, b"first").unwrap();
        for (writer, age) in [("ended", "2 hours"), ("writing", "2 minutes")] {
            self.sql(&format!(
                "INSERT INTO unfinished_parts VALUES (3, '{writer}', 0, now() - interval '{age}', 'half')"
            ));
        }
        assert_eq!(log.newest_base().unwrap(), None);
        assert!(!log.read_base(3, &self.folder.path().join("copy")).unwrap());
        log.trim(1).unwrap();
        assert_eq!(self.sql("SELECT writer FROM unfinished_parts"), "writing");
    }

    /// TLS with a certificate that is checked.
    pub fn check_encryption(&self) {
        let address =
            |parameters: &str| format!("postgres://gazetted@localhost:{}/postgres?table=tls&{parameters}", self.port);
        let authority = self.folder.path().join("certificate");
        let trusting = address(&format!("sslmode=verify-full&sslrootcert={}", authority.display()));
        let mut log = open(&trusting).unwrap();
        log.append(1, b"secret").unwrap();
        let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'gazetted'";
        assert_eq!(self.sql(encrypted), "1");
        let error = open(&address("sslmode=require")).unwrap().append(2, b"secret").unwrap_err().to_string();
        assert!(error.contains("certificate"), "{error}");
        // The certificate has another name.
        let error =
            open(&trusting.replace("localhost", "127.0.0.1")).unwrap().append(2, b"secret").unwrap_err().to_string();
        assert!(error.contains("certificate"), "{error}");
    }

    /// A restart is not noticed; a server that does not answer is an error, not a wait without end.
    pub fn check_restart_and_stop(mut self) {
        let address = self.address("table=stopped");
        let mut log = open(&address).unwrap();
        assert_eq!(log.append(1, b"first").unwrap(), Appended::Created);
        self.end();
        let error = log.append(2, b"second").unwrap_err().to_string();
        assert!(error.contains("tables stopped_*") && error.contains("refused"), "{error}");
        *self.server.get_mut().unwrap() = start_server(&self.programs, self.folder.path(), self.port);
        self.wait();
        assert_eq!(log.append(2, b"second").unwrap(), Appended::Created);
        self.signal(Signal::STOP);
        let error = log.append(3, b"third").unwrap_err().to_string();
        let (mut waiting, mut new) = (open(&address).unwrap(), open(&address).unwrap());
        assert!(new.read(1).is_err() && waiting.wait(9, std::time::Duration::from_secs(1)).is_err());
        self.signal(Signal::CONT);
        assert!(error.contains("no answer within"), "{error}");
        // The server takes what it was sent when it was stopped, now or later.
        log.append(3, b"third").unwrap();
        assert_eq!(new.read(3).unwrap().unwrap(), b"third");
        assert_eq!(log.append(4, b"fourth").unwrap(), Appended::Created);
    }

    /// Ends the server at once, and all its processes.
    fn end(&mut self) {
        self.signal(Signal::CONT);
        self.signal(Signal::QUIT);
        let _ = self.server.get_mut().unwrap().wait();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.end();
    }
}

/// The user that the server runs as, since it refuses to run as root.
fn user() -> Option<u32> {
    let is_root = rustix::process::geteuid().is_root();
    is_root.then(|| run(Command::new("id").args(["-u", "postgres"])).trim().parse().unwrap())
}

/// A program that runs as the user of the server, in its folder.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if let Some(user) = user() {
        command.uid(user);
    }
    command
}

fn start_server(programs: &Path, folder: &Path, port: u16) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let settings =
        ["fsync=off", "shared_buffers=16MB", "ssl=on", "ssl_cert_file=../certificate", "ssl_key_file=../key"];
    let settings = settings.into_iter().flat_map(|setting| ["-c", setting]);
    let place = ["-D", "data", "-h", "127.0.0.1", "-k", "", "-p"];
    let mut server = command(&programs.join("postgres"), folder);
    server.args(place).arg(port.to_string()).args(settings);
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}
