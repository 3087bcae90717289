//! Shared parts of the benchmarks: a daemon to measure, a client on one connection, and statistics.

// Each benchmark uses its part; numbers of this size lose nothing as floats.
#![allow(dead_code, clippy::cast_precision_loss)]

pub mod corpus;
pub mod json;
pub mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server, which ends when it is dropped.
pub struct Server {
    child: Child,
    pub address: String,
}

impl Server {
    /// Starts gazetted on a folder and waits until it serves.
    pub fn gazetted(articles: &Path, state: &Path) -> Self {
        Self::start(Command::new(env!("CARGO_BIN_EXE_gazetted")), articles, state)
    }

    /// Starts it on one core, if possible.
    pub fn gazetted_on(core: &str, articles: &Path, state: &Path) -> Self {
        Self::start(pinned(core, env!("CARGO_BIN_EXE_gazetted")), articles, state)
    }

    /// Starts it by a command, which may have arguments already.
    pub fn start(mut command: Command, articles: &Path, state: &Path) -> Self {
        command.arg("serve").arg(articles).arg("--state").arg(state).args(["--listen", "127.0.0.1:0"]);
        // Documents contain the address: with another port each time, every article would be rendered again.
        command.args(["--base-url", "http://bench.example/"]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("gazetted starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address_of = |line: String| {
            let (_, address) = line.split_once(" listen=http://")?;
            address.split('/').next().map(str::to_owned)
        };
        let address = lines.find_map(|line| address_of(line.ok()?));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("the log has the address") }
    }

    /// Starts another program that will listen on `address`.
    pub fn other(command: &mut Command, address: String) -> Self {
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("the peer starts");
        let deadline = Instant::now() + Duration::from_mins(2);
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline, "the peer does not listen on {address}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, address }
    }

    /// Processor time used in user and system mode.
    pub fn cpu(&self) -> Duration {
        program::cpu_of(self.child.id()).expect("the server runs")
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        program::memory(self.child.id(), "VmRSS:").expect("the server runs")
    }

    /// Stops it as systemd does, and waits until it has ended.
    pub fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("the server runs");
        self.child.wait().expect("the server can be waited for");
    }

    /// Waits until it is idle.
    pub fn settle(&self) {
        let mut before = self.cpu();
        loop {
            std::thread::sleep(Duration::from_secs(2));
            let now = self.cpu();
            if now.saturating_sub(before) <= Duration::from_millis(20) {
                return;
            }
            before = now;
        }
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command bound to a core, if there are two and taskset is installed; `None` binds it to no core.
pub fn pinned(core: &str, program: &str) -> Command {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if core.is_empty() || cores < 2 || !Path::new("/usr/bin/taskset").exists() {
        return Command::new(program);
    }
    let mut command = Command::new("/usr/bin/taskset");
    command.args(["-c", core, program]);
    command
}

/// nginx tuned for speed, with the timeouts of gazetted, serving `www` in a folder; `None` if it is not installed.
pub fn nginx(directory: &Path, connections: usize, core: &str) -> Option<Server> {
    let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists())?;
    // Workers of a root process run as another user, which must be able to read the files.
    for path in [directory, &directory.join("www")] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let address = format!("127.0.0.1:{port}");
    let directory = directory.display();
    let configuration = format!(
        "daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;
         worker_rlimit_nofile 20000; events {{ worker_connections {connections}; }}
         http {{
           client_header_timeout 10s; keepalive_timeout 60s; send_timeout 20s; access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=100;
           open_file_cache_valid 1h; types {{ application/rss+xml xml; }}
           client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
           uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
           server {{ listen {address} backlog=4096; root {directory}/www; gzip_static on; etag on; add_header Cache-Control max-age=300; }}
         }}"
    );
    let file = format!("{directory}/nginx.conf");
    std::fs::write(&file, configuration).expect("a file can be written");
    Some(Server::other(pinned(core, program).args(["-c", &file]), address))
}

/// Caddy with one file for each content coding, like nginx above, serving `www` in a folder; `None` if it is not installed.
pub fn caddy(directory: &Path, core: &str) -> Option<Server> {
    let program = program::installed("caddy")?;
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let address = format!("127.0.0.1:{port}");
    let root = directory.join("www");
    let configuration = format!(
        "{{
           admin off
           auto_https off
           storage file_system {}
         }}
         http://:{port} {{
           bind 127.0.0.1
           root * {}
           header Cache-Control max-age=300
           file_server {{
             precompressed gzip
           }}
         }}",
        directory.join("caddy").display(),
        root.display()
    );
    let file = directory.join("Caddyfile");
    std::fs::write(&file, configuration).expect("a file can be written");
    let mut command = pinned(core, program.to_str()?);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", directory)
        .env_remove("XDG_CONFIG_HOME");
    Some(Server::other(&mut command, address))
}

/// `hugo server` for the feed of a folder, once it serves; its own files are in `out`.
pub fn hugo_server(site: &Path, out: &Path) -> Server {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let config = hugo_config(out);
    let mut command = Command::new("hugo");
    command.arg("server").arg("--config").arg(config).arg("--contentDir").arg(site).arg("--source").arg(out);
    // By default it renders pages only.
    command
        .args(["--disableFastRender", "--bind", "127.0.0.1", "--disableLiveReload", "--port"])
        .arg(port.to_string())
        .stdout(Stdio::null());
    Server::other(&mut command, format!("127.0.0.1:{port}"))
}

/// hugo configured for speed: RSS of the home page only.
pub fn hugo_config(out: &Path) -> PathBuf {
    let file = out.join("hugo.toml");
    let text = "baseURL = 'http://localhost/'\ntitle = 'bench'\n\
        disableKinds = ['section', 'taxonomy', 'term', 'sitemap', 'robotsTXT', '404']\n\
        [outputs]\nhome = ['RSS']\npage = []\n[services.rss]\nlimit = 50\n[markup.goldmark.renderer]\nunsafe = true\n";
    std::fs::write(&file, text).expect("a file can be written");
    file
}

/// A site with a number of articles, and the state of a daemon that has read all of it; generated if missing.
pub fn known(directory: &Path, articles: usize) -> (PathBuf, PathBuf) {
    let site = corpus::folder(directory, articles);
    let state = directory.join(format!("state-{articles}"));
    let server = Server::gazetted(&site, &state);
    server.settle();
    server.stop();
    (site, state)
}

/// The number of articles, as in `-- --articles 1000`, or the default numbers.
pub fn sizes(usual: &[usize]) -> Vec<usize> {
    match argument("--articles", 0) {
        0 => usual.to_vec(),
        articles => vec![articles],
    }
}

/// A persistent connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

/// Measured parts of a response.
pub struct Answer {
    pub status: u16,
    pub etag: String,
    pub length: usize,
}

impl Client {
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
        Self { stream: BufReader::with_capacity(64 << 10, stream), line: String::new(), body: Vec::new() }
    }

    /// Connects with a longer time limit for responses.
    pub fn patient(self, patience: Duration) -> Self {
        self.stream.get_ref().set_read_timeout(Some(patience)).expect("a socket");
        self
    }

    /// Whether a document contains a text.
    pub fn serves(&mut self, path: &str, words: &str) -> bool {
        self.get(path, "").status == 200 && String::from_utf8_lossy(self.body()).contains(words)
    }

    pub fn get(&mut self, path: &str, fields: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{fields}\r\n");
        self.stream.get_mut().write_all(request.as_bytes()).expect("the server reads");
        let mut answer = Answer { status: 0, etag: String::new(), length: 0 };
        loop {
            self.line.clear();
            self.stream.read_line(&mut self.line).expect("the server answers");
            let line = self.line.trim_end();
            match line.split_once(':') {
                _ if line.is_empty() => break,
                Some((name, value)) if name.eq_ignore_ascii_case("etag") => value.trim().clone_into(&mut answer.etag),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    answer.length = value.trim().parse().expect("a length");
                }
                None => {
                    answer.status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
                }
                Some(_) => {}
            }
        }
        if answer.status == 304 {
            answer.length = 0;
        }
        self.body.resize(answer.length, 0);
        self.stream.read_exact(&mut self.body).expect("a whole body");
        answer
    }

    /// Body of the last response.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// An article of ordinary length; the same number gives the same text.
pub fn article(number: usize) -> String {
    const WORDS: [&str; 16] = [
        "harbour", "winter", "council", "bridge", "letter", "morning", "engine", "island", "ticket", "orchard",
        "signal", "market", "river", "lantern", "garden", "voyage",
    ];
    let mut seed = number as u64 + 1;
    let mut word = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[(seed >> 60) as usize]
    };
    let mut text =
        format!("---\ndate: 2024-01-01\ntags: [{}, {}]\n---\n# Article {number} of the {}\n", word(), word(), word());
    for _ in 0..8 {
        text.push('\n');
        for _ in 0..80 {
            text.push_str(word());
            text.push(' ');
        }
        text.push_str("end.\n");
    }
    text
}

/// Fills a folder with `count` articles.
pub fn fill(folder: &Path, count: usize) {
    fill_from(folder, 0, count);
}

/// Fills a folder with `count` articles whose texts start at number `offset`.
pub fn fill_from(folder: &Path, offset: usize, count: usize) {
    for number in 0..count {
        let part = folder.join(format!("{:03}", number / 1000));
        if number % 1000 == 0 {
            std::fs::create_dir_all(&part).expect("a folder can be made");
        }
        let text = article(offset + number);
        std::fs::write(part.join(format!("article-{number}.md")), text).expect("a file can be written");
    }
}

/// A percentile of some values.
pub fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    sorted[(sorted.len() - 1) * hundredths / 100]
}

/// A number after a flag, as in `-- --articles 1000`.
pub fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments
        .next()
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} wants a number, not {text}")))
}

/// A text after a flag, as in `-- --json FILE`.
pub fn text_argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The median of some numbers.
pub fn middle(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}

/// The minimum and maximum of some numbers.
pub fn spread(numbers: impl Iterator<Item = f64>) -> String {
    let (least, most) =
        numbers.fold((f64::MAX, f64::MIN), |(least, most), number| (least.min(number), most.max(number)));
    format!("{least:.2}..{most:.2}")
}

/// Folder for generated sites, kept from one run to the next, below the build's target folder.
pub fn kept() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    std::fs::create_dir_all(&directory).expect("a folder can be made");
    directory
}

/// A value of a file of `/proc`.
fn first(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("?", |(_, value)| value.trim()).to_owned()
}

/// Name of the processor, and how many cores there are.
pub fn processor() -> (String, usize) {
    (first("/proc/cpuinfo", "model name"), std::thread::available_parallelism().map_or(0, usize::from))
}

/// Description of the machine and its load.
pub fn machine() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let ((processor, cores), free) = (processor(), first("/proc/meminfo", "MemAvailable"));
    format!("{cores} cores ({processor}), {free} free, load {}", load.split(' ').next().unwrap_or("?"))
}
