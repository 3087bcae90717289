//! A folder of articles with a daemon on it. Tests wait for a version of its documents, and never for a length of time.

use chrono::{DateTime, Utc};
use gazetted::config::Config;
use gazetted::daemon::{Daemon, DaemonWiring};
use gazetted::model::moment::Version;
use gazetted::observe::Observers;
use gazetted::observe::status::StatusBoard;
use gazetted::render::snapshot::Current;
use gazetted::system::sockets::Sockets;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::waiting::{PATIENCE, wait_until};

/// Public address of the sites of these tests.
pub const BASE_URL: &str = "https://gazette.example/";

/// Longest pause between two checks of a condition where no version comes.
const BETWEEN_VERSIONS: Duration = Duration::from_millis(200);

/// A folder of articles; its state stays when the daemon stops.
pub struct Site {
    // Removes the folder when it is dropped.
    _directory: TempDir,
    articles: PathBuf,
    state: PathBuf,
    configuration: String,
    running: Option<Running>,
    /// The test damages the catalog itself.
    damages: bool,
    /// How often it was settled.
    barriers: u32,
}

struct Running {
    address: SocketAddr,
    current: Current,
    versions: tokio::sync::watch::Receiver<Version>,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Site {
    /// An empty folder without a daemon.
    pub fn new() -> Self {
        Self::configured("")
    }

    /// An empty folder with a configuration.
    pub fn configured(configuration: &str) -> Self {
        // Many editors treat the system's own temporary names specially: vim makes no backups of them.
        let directory = tempfile::Builder::new().prefix("gazetted-").tempdir().unwrap();
        let articles = directory.path().join("articles");
        std::fs::create_dir(&articles).unwrap();
        let state = directory.path().join("state");
        Self {
            _directory: directory,
            articles,
            state,
            configuration: configuration.to_owned(),
            running: None,
            damages: false,
            barriers: 0,
        }
    }

    /// The catalog may be found damaged from now on: in any other test, that is a fault of the check.
    pub fn may_be_damaged(&mut self) {
        self.damages = true;
    }

    /// Catalogs that were found damaged and set aside, the oldest first.
    pub fn damaged_catalogs(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.state) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let damaged = names.filter(|name| name.starts_with("damaged-") && name.ends_with(".sqlite"));
        let mut files: Vec<PathBuf> = damaged.map(|name| self.state.join(name)).collect();
        files.sort();
        files
    }

    /// Replaces the configuration for the next start.
    pub fn reconfigure(&mut self, configuration: &str) {
        configuration.clone_into(&mut self.configuration);
    }

    /// A folder with a daemon on it.
    pub fn started() -> Self {
        let mut site = Self::new();
        site.start();
        site
    }

    /// Starts a daemon, and waits until it serves what is in the folder.
    pub fn start(&mut self) {
        let status = self.start_serving();
        wait_until("the changes since the last run are served", || status.get().caught_up || self.has_failed());
    }

    /// Starts a daemon. It serves the last version, if there is one.
    pub fn start_serving(&mut self) -> StatusBoard {
        let mut config = Config::parse(&self.configuration, "test").unwrap();
        config.articles.directory.clone_from(&self.articles);
        config.state.directory = Some(self.state.clone());
        if config.site.base_url.is_none() {
            config.site.base_url = Some(BASE_URL.parse().unwrap());
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let again = config.clone();
        let load = Box::new(move || Ok(again.clone()));
        let sockets = Sockets::try_from(listener).unwrap();
        let observers = Observers::default();
        let status = observers.status.clone();
        let daemon = Daemon::start(&config, DaemonWiring { sockets, observers, load }).unwrap();
        let current = daemon.current();
        let versions = current.subscribe();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on(async {
                let hangups = signal(SignalKind::hangup())?;
                let stop = async {
                    let _ = stopped.await;
                };
                daemon.run(hangups, stop).await
            })
        });
        self.running = Some(Running { address, current, versions, stop, thread });
        status
    }

    fn has_failed(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.thread.is_finished())
    }

    /// Stops the daemon as SIGTERM would. It must end without an error.
    pub fn stop(&mut self) {
        let running = self.running.take().expect("running");
        running.stop.send(()).unwrap();
        running.thread.join().unwrap().unwrap();
    }

    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.articles.join(name)
    }

    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The configuration as a file, for a command.
    pub fn config_file(&self) -> PathBuf {
        let file = self.state.with_extension("toml");
        let directory = format!("[articles]\ndirectory = \"{}\"\n", self.articles.display());
        let text = match self.configuration.strip_prefix("[articles]\n") {
            Some(rest) => format!("{directory}{rest}"),
            None => format!("{}\n{directory}", self.configuration),
        };
        // A command that was started before may be reading it.
        let beside = self.state.with_extension("toml.new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, &file).unwrap();
        file
    }

    pub fn root(&self) -> &Path {
        &self.articles
    }

    /// Writes a file as most programs do: open, write, close.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().expect("running").address
    }

    /// The current version.
    pub fn version(&self) -> DateTime<Utc> {
        self.running.as_ref().expect("running").current.get().moment.version.date()
    }

    /// Waits until a condition holds, checking it at each new version, and now and then between them: what is reported may follow a version.
    pub fn wait_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let versions = &mut self.running.as_mut().expect("running").versions;
            versions.mark_unchanged();
            let mut versions = versions.clone();
            if holds(self) {
                return;
            }
            let _ = runtime.block_on(async { tokio::time::timeout(BETWEEN_VERSIONS, versions.changed()).await });
            assert!(
                std::time::Instant::now() <= deadline,
                "waited {} s in vain until {what}; served: {:?}",
                PATIENCE.as_secs(),
                self.titles()
            );
        }
    }

    /// Waits until the feed has exactly these titles, in any order.
    pub fn wait_for(&mut self, titles: &[&str]) {
        let mut wanted: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
        wanted.sort();
        self.wait_until(&format!("the titles are {wanted:?}"), |site| {
            let mut found = site.titles();
            found.sort();
            found == wanted
        });
    }

    /// Publishes one more article, or another text of it. Every earlier change of the folder has been processed when it is served.
    pub fn settle(&mut self) {
        self.barriers += 1;
        let text = format!("Barrier {} is seen.", self.barriers);
        self.write("zz-barrier.txt", format!("Barrier\n\n{text}"));
        self.wait_until("the barrier is seen", |site| {
            let feed = site.feed();
            let mut items = feed["items"].as_array().unwrap().iter();
            items.any(|item| item["content_html"].as_str().is_some_and(|html| html.contains(&text)))
        });
    }

    /// Writes a file again and again until it is published: a folder that has just come back is watched at an unknown time.
    pub fn wait_until_written(&self, name: &str, text: &str, title: &str) {
        wait_until(&format!("{name} is published"), || {
            self.write(name, text);
            self.titles().contains(&title.to_owned())
        });
    }

    pub fn feed(&self) -> serde_json::Value {
        serde_json::from_str(&self.get("/feed.json").text()).unwrap()
    }

    pub fn titles(&self) -> Vec<String> {
        let feed = self.feed();
        feed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["title"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The entry with a title.
    pub fn entry(&self, title: &str) -> serde_json::Value {
        let feed = self.feed();
        let found = feed["items"].as_array().unwrap().iter().find(|item| item["title"] == title).cloned();
        found.unwrap_or_else(|| panic!("no entry {title:?} in {:?}", self.titles()))
    }

    /// Waits until an edit made now gets a later `date_modified`, which has whole seconds.
    pub fn wait_for_a_later_second(entry: &serde_json::Value) {
        let modified: DateTime<Utc> = entry["date_modified"].as_str().unwrap().parse().unwrap();
        wait_until("the next second has begun", || Utc::now().timestamp() > modified.timestamp());
    }

    /// Waits until documents are compressed, which happens a moment after they are served.
    pub fn wait_until_compressed(&self, paths: &[&str], coding: &str) {
        let is_compressed =
            |path: &&str| self.ask("GET", path, &[("Accept-Encoding", coding)]).field("content-encoding") == coding;
        wait_until(&format!("{paths:?} are compressed by {coding}"), || paths.iter().all(is_compressed));
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    pub fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: gazette.example\r\nConnection: close\r\n");
        for (name, value) in fields {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        self.send(format!("{request}\r\n").as_bytes())
    }

    /// Sends bytes unchanged and reads until the server closes.
    pub fn send(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&answer)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.stop.send(());
            if let Ok(Err(error)) = running.thread.join() {
                // The cause of an earlier failure of the test.
                eprintln!("the daemon ended: {error:#}");
            }
        }
        let damaged = self.damaged_catalogs();
        let is_expected = self.damages || damaged.is_empty() || std::thread::panicking();
        assert!(is_expected, "a catalog that no test damaged was found damaged: {damaged:?}");
    }
}

/// A response of the server.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an HTTP answer");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let field = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        Self { status, fields: lines.map(field).collect(), body: bytes[end + 4..].to_vec() }
    }

    /// The value of a header field; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// `max-age` of `Cache-Control`, in seconds.
    pub fn max_age(&self) -> Option<u64> {
        let directives = self.field("cache-control").split(',').map(str::trim);
        directives.filter_map(|directive| directive.strip_prefix("max-age=")).find_map(|seconds| seconds.parse().ok())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}
