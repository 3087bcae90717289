//! The proxies of docs/operating.md, configured as it says: responses come through them unchanged.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::site::Site;
use crate::tools;
use crate::waiting::wait_or_explain;

/// Header fields that a proxy must pass through.
const FIELDS: [&str; 16] = [
    "content-type",
    "content-length",
    "content-encoding",
    "content-range",
    "content-security-policy",
    "accept-ranges",
    "etag",
    "last-modified",
    "vary",
    "cache-control",
    "link",
    "location",
    "allow",
    "x-content-type-options",
    "access-control-allow-origin",
    "access-control-expose-headers",
];

/// One of each kind, below the site's address.
const DOCUMENTS: [&str; 7] = ["rss.xml", "feed.json", "", "style.css", "robots.txt", "articles/short", "feeds.opml"];

/// The first code block of docs/operating.md in a language.
fn block(language: &str) -> String {
    let paper = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md")).unwrap();
    let (_, rest) = paper.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Replaces a text that occurs once.
fn replaced(text: &str, what: &str, by: &str) -> String {
    assert_eq!(text.matches(what).count(), 1, "{what} in {text}");
    text.replace(what, by)
}

/// A running proxy with its certificate, which ends with the test.
struct Proxy {
    child: Child,
    port: u16,
    directory: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a certificate for `example.org`, and a free port.
fn prepared() -> (TempDir, u16) {
    let directory = tempfile::tempdir().unwrap();
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=example.org \
        -addext subjectAltName=DNS:example.org -keyout key.pem -out certificate.pem";
    tools::run(Command::new("openssl").current_dir(directory.path()).args(request.split_whitespace()));
    (directory, tools::free_port())
}

impl Proxy {
    /// Starts a program that reads `file`, and waits until it listens.
    fn start(mut command: Command, file: &str, text: &str, (directory, port): (TempDir, u16)) -> Self {
        std::fs::write(directory.path().join(file), text).unwrap();
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let command = command.current_dir(directory.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // Caddy stores files below these.
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, directory.path());
        }
        let mut proxy = Self { child: command.spawn().unwrap(), port, directory };
        let Self { child, directory, .. } = &mut proxy;
        let log = || std::fs::read_to_string(directory.path().join("log")).unwrap();
        let connect = || {
            assert!(child.try_wait().unwrap().is_none(), "{file} ended: {}", log());
            TcpStream::connect(("127.0.0.1", port)).ok()
        };
        wait_or_explain(&format!("a proxy serves by {file}"), connect, log);
        proxy
    }

    /// Starts nginx with the documented block inside Debian's configuration.
    fn nginx(site: &Site, block: &str) -> Self {
        let (directory, port) = prepared();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let block = replaced(block, "127.0.0.1:8080", &site.address().to_string());
        let block = replaced(&block, "listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl"));
        let block = replaced(&block, "\tlisten [::]:443 ssl http2;\n", "");
        let block = replaced(&block, "/etc/letsencrypt/live/example.org/fullchain.pem", &at("certificate.pem"));
        let block = replaced(&block, "/etc/letsencrypt/live/example.org/privkey.pem", &at("key.pem"));
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};\n", at(name)))
            .concat();
        let text = format!(
            "daemon off;\nmaster_process off;\npid {};\nerror_log stderr;\nevents {{}}\n\
            http {{\naccess_log off;\ngzip on;\n{folders}{block}\n}}\n",
            at("pid")
        );
        let mut command = Command::new("/usr/sbin/nginx");
        command.args(["-e", "stderr", "-p", &at(""), "-c", &at("nginx.conf")]);
        Self::start(command, "nginx.conf", &text, (directory, port))
    }

    /// Starts Caddy with the documented block, an existing certificate, and without the port for plain HTTP.
    fn caddy(site: &Site, block: &str) -> Self {
        let (directory, port) = prepared();
        let block = replaced(block, "127.0.0.1:8080", &site.address().to_string());
        let own = format!("https://example.org:{port} {{\n\tbind 127.0.0.1\n\ttls certificate.pem key.pem\n");
        let block = replaced(&block, "example.org {\n", &own);
        let text = format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{block}");
        let mut command = Command::new("caddy");
        command.args(["run", "--config", "Caddyfile"]);
        Self::start(command, "Caddyfile", &text, (directory, port))
    }

    /// Requests a path through the proxy by a version of HTTP.
    fn ask(&self, version: &str, method: &str, path: &str, fields: &[(&str, &str)]) -> Seen {
        let url = format!("https://example.org:{}{path}", self.port);
        let folder = self.directory.path();
        let _ = std::fs::remove_file(folder.join("body"));
        let mut command = Command::new("curl");
        command.current_dir(folder).args([
            "-q",
            "-sS",
            "--noproxy",
            "*",
            "--cacert",
            "certificate.pem",
            version,
            "--path-as-is",
        ]);
        command.args(["-D", "head", "-o", "body", "-w", "%{http_code} %{http_version}", "-X", method]);
        command.arg("--resolve").arg(format!("example.org:{}:127.0.0.1", self.port));
        for (name, value) in fields {
            command.arg("-H").arg(format!("{name}: {value}"));
        }
        if method == "HEAD" {
            command.arg("-I");
        }
        let said = tools::run(command.arg(url));
        let (status, spoken) = said.split_once(' ').unwrap();
        assert_eq!(version.trim_start_matches("--http"), spoken, "the version that is spoken");
        let head = std::fs::read_to_string(folder.join("head")).unwrap();
        let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let all: BTreeMap<String, String> = head.lines().filter_map(field).collect();
        let body = if method == "HEAD" { Vec::new() } else { std::fs::read(folder.join("body")).unwrap_or_default() };
        let fields = FIELDS.map(|name| (name, all.get(name).cloned().unwrap_or_default()));
        Seen { status: status.parse().unwrap(), fields, body }
    }

    /// Compares the responses through the proxy, by both versions of HTTP, with the direct one, and returns it.
    fn check(&self, site: &Site, method: &str, path: &str, fields: &[(&str, &str)]) -> Seen {
        let answer = site.ask(method, path, fields);
        let expected = FIELDS.map(|name| (name, answer.field(name).to_owned()));
        let direct = Seen { status: answer.status, fields: expected, body: answer.body };
        for version in ["--http1.1", "--http2"] {
            let seen = self.ask(version, method, path, fields);
            let what = format!("{version} {method} {path} {fields:?}");
            assert_eq!((seen.status, &seen.fields), (direct.status, &direct.fields), "{what}");
            assert!(seen.body == direct.body, "{what}: {} bytes for {}", seen.body.len(), direct.body.len());
        }
        direct
    }
}

/// The part of a response that must be the same.
struct Seen {
    status: u16,
    fields: [(&'static str, String); FIELDS.len()],
    body: Vec<u8>,
}

impl Seen {
    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| value)
    }
}

/// A site with a feed of a megabyte, short pages, and a recording.
fn site(base_url: &str) -> Site {
    let mut site = Site::configured(&format!("[site]\nbase_url = '{base_url}'\n[feed]\nmax_bytes = '64 MiB'"));
    for number in 1..=3 {
        let words: Vec<String> = (0..40_000).map(|word| format!("word{}", word * number)).collect();
        site.write(&format!("long-{number}.md"), format!("# Long {number}\n\n{}", words.join(" ")));
    }
    site.write("short.md", "# Short\n\nText.");
    site.write("away.md", "# Away\n\nText.");
    site.write("a.mp3", format!("ID3{}", "0123456789".repeat(100_000)));
    site.start();
    site.wait_until("all are there", |site| site.titles().len() == 6);
    site.remove("away.md");
    site.wait_until("one is gone", |site| site.get("/articles/away").status == 410);
    site.wait_until_compressed(&["/rss.xml", "/atom.xml", "/feed.json", "/", "/style.css"], "br");
    site
}

/// Makes all requests of readers and players for some documents below a path.
fn check_all(proxy: &Proxy, site: &Site, base: &str, documents: &[&str]) {
    let at = |path: &str| format!("{base}{path}");
    for document in documents {
        for coding in ["identity", "gzip", "br", "gzip, deflate, br", "gzip;q=0.5, identity"] {
            let accept = ("Accept-Encoding", coding);
            let whole = proxy.check(site, "GET", &at(document), &[accept]);
            assert_eq!(whole.status, 200, "{document}");
            let tag = whole.field("etag").to_owned();
            let known = proxy.check(site, "GET", &at(document), &[accept, ("If-None-Match", &tag)]);
            assert_eq!((known.status, known.field("etag")), (304, tag.as_str()), "{document} by {coding}");
        }
        // Without Accept-Encoding, the response is plain and has the ETag of the plain bytes.
        let plain = proxy.check(site, "GET", &at(document), &[]);
        let dated = [("If-Modified-Since", plain.field("last-modified"))];
        assert_eq!(proxy.check(site, "GET", &at(document), &dated).status, 304, "{document}");
        assert_eq!(proxy.check(site, "HEAD", &at(document), &[("Accept-Encoding", "gzip")]).status, 200, "{document}");
    }
    let large = proxy.check(site, "GET", &at("rss.xml"), &[]);
    assert!(large.body.len() > 1_000_000, "{} bytes", large.body.len());
    for (method, path, status) in [
        ("GET", "none", 404),
        ("HEAD", "none", 404),
        ("GET", "articles/away", 410),
        ("GET", "articles/short/", 301),
        ("POST", "rss.xml", 405),
        ("OPTIONS", "rss.xml", 204),
    ] {
        for coding in ["identity", "gzip"] {
            let answer = proxy.check(site, method, &at(path), &[("Accept-Encoding", coding)]);
            assert_eq!(answer.status, status, "{method} {path}");
        }
    }
    let whole = proxy.check(site, "GET", &at("media/a.mp3"), &[]);
    let tag = whole.field("etag");
    for (range, since, status) in [
        ("bytes=0-0", tag, 206),
        ("bytes=500000-", tag, 206),
        ("bytes=-3", tag, 206),
        ("bytes=5-9", "\"x\"", 200),
        ("bytes=99999999-", tag, 416),
    ] {
        let part = proxy.check(site, "GET", &at("media/a.mp3"), &[("Range", range), ("If-Range", since)]);
        assert_eq!(part.status, status, "{range} since {since}");
    }
}

fn has(programs: &[&str]) -> bool {
    programs.iter().all(|program| tools::has(program))
}

#[test]
fn nginx_passes_responses_through_unchanged() {
    if has(&["/usr/sbin/nginx", "curl", "openssl"]) {
        let site = site("https://example.org/");
        check_all(&Proxy::nginx(&site, &block("nginx")), &site, "/", &DOCUMENTS);
    }
}

#[test]
fn caddy_passes_responses_through_unchanged() {
    if has(&["caddy", "curl", "openssl"]) {
        let site = site("https://example.org/");
        check_all(&Proxy::caddy(&site, &block("caddy")), &site, "/", &DOCUMENTS);
    }
}

#[test]
fn a_site_below_a_path_works_behind_nginx() {
    if has(&["/usr/sbin/nginx", "curl", "openssl"]) {
        let site = site("https://example.org/news/");
        let block = replaced(&block("nginx"), "location / {", "location /news/ {");
        check_all(&Proxy::nginx(&site, &block), &site, "/news/", &["", "feed.json"]);
        // The proxy strips the path.
        let block = replaced(&block, "proxy_pass http://gazetted;", "proxy_pass http://gazetted/;");
        check_all(&Proxy::nginx(&site, &block), &site, "/news/", &["", "feed.json"]);
    }
}

#[test]
fn a_site_below_a_path_works_behind_caddy() {
    if has(&["caddy", "curl", "openssl"]) {
        let site = site("https://example.org/news/");
        let block = block("caddy");
        let below = replaced(&block, "reverse_proxy 127", "reverse_proxy /news/* 127");
        check_all(&Proxy::caddy(&site, &below), &site, "/news/", &["", "feed.json"]);
        // The proxy strips the path.
        let below = replaced(&block, "\treverse_proxy", "\turi strip_prefix /news\n\treverse_proxy");
        check_all(&Proxy::caddy(&site, &below), &site, "/news/", &["", "feed.json"]);
    }
}
