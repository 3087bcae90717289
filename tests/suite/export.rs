//! `gazetted export`: a copy of a site as files, compared with what the daemon serves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::command_line::gazetted;
use crate::pictures::{photo, wav};
use crate::site::{Answer, BASE_URL, Site};
use crate::tools;
use crate::waiting::{wait_or_explain, wait_until};

/// Small feeds, so that there are archives.
const CONFIGURATION: &str = "[feed]\nentries = 3\nwindow = '1s'\narchive_entries = 2\naliases = ['/my/feed.rss', '/a.rss', '/b.rss', '/c.rss', '/My/Feed.rss']\n";

/// A site with a document of each kind.
fn site() -> Site {
    let mut site = Site::configured(CONFIGURATION);
    let words = "Some words of the article. ".repeat(40);
    for number in 1..=7 {
        let head =
            format!("---\ndate: 2024-0{number}-03\ntags: [Über alles, node.js, t{number}]\nauthor: Ann Lee\n---\n");
        site.write(&format!("trips/far/n{number}.md"), format!("{head}# Number {number}\n\n{words}\n"));
    }
    site.write("trips/photo.jpg", photo(1_000, 600));
    site.write("trips/d.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>");
    site.write("trips/a b.png", include_bytes!("../../src/render/page/icon.png"));
    site.write("trips/storm.md", format!("---\ndate: 2023-01-01\naliases: [/2014/Storm.html, '/?p=12']\nseries: Sea\n---\n# Storm\n\n![Waves](photo.jpg) ![](<a b.png>) ![](d.svg)\n\n{words}"));
    site.write("trips/_index.md", "---\ntitle: Trips\n---\nAll of them.");
    site.write("talk.wav", wav(2));
    site.write("tale.md", "---\ndate: 2023-05-01\nlang: fr\n---\n# Le conte\n\nUn texte.");
    site.write("about.md", "---\npage: true\n---\n# About\n\nUs.");
    site.write("gone.md", "---\ndate: 2023-02-01\n---\n# Gone\n\nText.");
    site.write("old-name.md", "---\ndate: 2023-03-01\nslug: old-name\n---\n# Renamed\n\nText.");
    site.write("blogroll.opml", "<opml version=\"2.0\"><body><outline text=\"A\" xmlUrl=\"https://a.example/feed\" htmlUrl=\"https://a.example/\"/></body></opml>");
    site.start();
    site.remove("gone.md");
    site.write("old-name.md", "---\ndate: 2023-03-01\nslug: new-name\n---\n# Renamed\n\nText.");
    let is_gone = |site: &Site| site.get("/articles/gone").status == 410;
    site.wait_until("a deletion and a rename are served", |site| {
        is_gone(site) && site.get("/articles/old-name").status == 301
    });
    // Forms of pictures are made when they are asked for.
    wait_until("the picture has smaller forms", || {
        ["480", "800"].iter().all(|width| site.get(&format!("/media/trips/photo.jpg/{width}.webp")).status == 200)
    });
    site
}

/// The bytes and the date of each file, by its name.
type Files = BTreeMap<String, (Vec<u8>, i64)>;

/// An export of a site.
struct Export {
    directory: TempDir,
}

impl Export {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("site")
    }

    fn command(&self, site: &Site) -> Command {
        let mut command = gazetted();
        command.arg("export").arg(self.path()).arg("--config").arg(site.config_file());
        command.arg("--state").arg(site.state()).args(["--base-url", BASE_URL]);
        command
    }

    fn output(&self, site: &Site) -> Output {
        self.command(site).output().unwrap()
    }

    /// Exports, and returns the numbers of files that were written, dated, unchanged and deleted.
    fn run(&self, site: &Site) -> [u64; 4] {
        let output = self.output(site);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let number = |what: &str| {
            let before = text.split_once(&format!(" {what}")).unwrap_or_else(|| panic!("{text}")).0;
            before.rsplit([' ', ':']).next().unwrap().parse().unwrap()
        };
        ["written", "dated", "unchanged", "deleted"].map(number)
    }

    /// Each file with its bytes and its date, but for the manifest and other files of the program.
    fn files(&self) -> Files {
        let root = self.path();
        let entries = walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().is_file()).map(|entry| {
            let name = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            (name, (std::fs::read(entry.path()).unwrap(), entry.metadata().unwrap().mtime()))
        });
        files.filter(|(name, _)| !name.starts_with(".gazetted/") || name.contains("nginx")).collect()
    }
}

/// The paths of this site that a document names.
fn paths_in(text: &str) -> Vec<String> {
    let ends = |c: char| c.is_whitespace() || "\"'<>()[]{}\\".contains(c) || c == '&';
    let tokens = text.split(ends).filter_map(|token| {
        let below =
            token.strip_prefix(BASE_URL).or_else(|| token.strip_prefix('/').filter(|it| !it.starts_with('/')))?;
        let below = below.split(['?', '#']).next().unwrap().trim_end_matches([',', '.', ';']);
        Some(format!("/{below}"))
    });
    tokens.collect()
}

/// Every document that a crawler finds, by its path.
fn crawl(site: &Site) -> BTreeMap<String, Answer> {
    let aliases =
        ["/feed", "/feed/", "/rss", "/atom", "/feed.xml", "/rss/feed.xml", "/favicon.ico", "/apple-touch-icon.png"];
    let starts = [
        "/",
        "/robots.txt",
        "/sitemap.xml",
        "/feeds.opml",
        "/llms.txt",
        "/tw.txt",
        "/.well-known/recommendations.opml",
    ];
    let digests = ["/digest/daily/", "/digest/weekly/rss.xml", "/digest/monthly/"];
    let mut waiting: Vec<String> =
        [&aliases[..], &starts, &digests].concat().iter().map(|path| (*path).to_owned()).collect();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeMap::new());
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = site.get(&path);
        if answer.status != 200 {
            continue;
        }
        // A file that was changed just now has no date for two seconds.
        let is_dated = || !site.get(&path).field("last-modified").is_empty();
        wait_until(&format!("{path} has a date"), is_dated);
        let answer = site.get(&path);
        if let Ok(text) = std::str::from_utf8(&answer.body) {
            waiting.extend(paths_in(text));
            // A page of a view has feeds, and an article a form in Markdown.
            waiting
                .extend(["articles/"].iter().filter(|_| path.starts_with("/articles/")).map(|_| format!("{path}.md")));
        }
        found.insert(path, answer);
    }
    found
}

/// The file of a document.
fn file_of(path: &str, answer: &Answer) -> String {
    let path = percent_encoding::percent_decode_str(path).decode_utf8().unwrap();
    let bare = path.trim_start_matches('/');
    if let Some((outer, inner)) = bare.strip_prefix("media/").and_then(|media| media.rsplit_once('/'))
        && outer.contains('.')
    {
        return format!("media/{outer}~/{inner}");
    }
    let is_page = answer.field("content-type").starts_with("text/html");
    match bare {
        "" => "index.html".to_owned(),
        _ if bare.ends_with('/') => format!("{bare}index.html"),
        _ if is_page => format!("{bare}/index.html"),
        _ => bare.to_owned(),
    }
}

fn seconds(date: &str) -> i64 {
    let date = chrono::DateTime::parse_from_rfc2822(date).unwrap_or_else(|error| panic!("{date}: {error}"));
    date.timestamp()
}

const CODINGS: [(&str, &str); 3] = [("gzip", ".gz"), ("br", ".br"), ("zstd", ".zst")];

#[test]
fn an_export_is_what_the_daemon_serves() {
    let site = site();
    let served = crawl(&site);
    let export = Export::new();
    let [written, _, _, deleted] = export.run(&site);
    let files = export.files();
    assert!(written > 100 && deleted == 0, "{written} files");
    let mut expected = BTreeSet::new();
    for (path, answer) in &served {
        let file = file_of(path, answer);
        // No file and folder have one name: these are rules for web servers.
        if ["/feed", "/feed/", "/rss", "/rss/", "/atom", "/atom/"].contains(&path.as_str()) {
            continue;
        }
        let (bytes, modified) = files.get(&file).unwrap_or_else(|| panic!("no {file} for {path}"));
        assert!(*bytes == answer.body, "{path}: {} bytes for {}", bytes.len(), answer.body.len());
        assert_eq!(*modified, seconds(answer.field("last-modified")), "{path}");
        for (coding, ending) in CODINGS {
            let compressed = site.ask("GET", path, &[("Accept-Encoding", coding)]);
            let there = files.get(&format!("{file}{ending}"));
            if compressed.field("content-encoding") == coding {
                assert!(
                    there.is_some_and(|(bytes, date)| *bytes == compressed.body && date == modified),
                    "{path}: {coding}"
                );
            }
            expected.extend(there.map(|_| format!("{file}{ending}")));
        }
        expected.insert(file);
    }
    // Nothing else is there, but for what no link leads to: each is served as well.
    for (name, (bytes, _)) in files.iter().filter(|(name, _)| !expected.contains(*name)) {
        if CODINGS.iter().any(|(_, ending)| name.strip_suffix(ending).is_some_and(|plain| files.contains_key(plain))) {
            continue;
        }
        let is_own = ["404.html", "410.html", "_headers", "_redirects", ".htaccess"].contains(&name.as_str());
        if is_own || name.starts_with(".gazetted/") {
            continue;
        }
        let path = name.strip_suffix("index.html").map_or(name.clone(), str::to_owned);
        let is_list = ["tags/", "sections/", "authors/", "series/", "languages/", "archive/", "years/"]
            .iter()
            .any(|list| path.starts_with(list));
        let path = if is_list { path } else { path.trim_end_matches('/').to_owned() };
        let answer = site.get(&format!("/{path}"));
        assert!(answer.status == 200 && answer.body == *bytes, "{name} is not served: {}", answer.status);
    }
    let fields = String::from_utf8(files["_headers"].0.clone()).unwrap();
    let has_policy = |path: &str| {
        fields.contains(&format!("\n{path}\n  Cache-Control")) && files.contains_key("languages/fr/index.html")
    };
    assert!(["/tags/*", "/languages/*", "/years/*"].iter().all(|path| has_policy(path)), "{fields}");
    let sandbox = site.get("/media/trips/d.svg").field("content-security-policy").to_owned();
    let policy = format!("/media/*.svg\n  Content-Security-Policy: {sandbox}\n");
    assert!(sandbox.contains("sandbox") && fields.contains(&policy), "{fields}");
    let fields = String::from_utf8(files[".htaccess"].0.clone()).unwrap();
    assert!(fields.contains(&format!("Header set Content-Security-Policy \"{sandbox}\"\n  </If>")), "{fields}");
    assert!(files["404.html"].0 == site.get("/nowhere-at-all").body, "the page of a 404");
    for path in ["media/trips/photo.jpg~/480.webp", "media/trips/a b.png", "media/talk.wav", "archive/1/atom.xml"] {
        assert!(files.contains_key(path), "{path}");
    }
    let holds = |bytes: &[u8]| bytes.windows(8).any(|part| part == b"51.5N 0.");
    assert!(!holds(&files["media/trips/photo.jpg"].0), "nothing says where the photo was taken");
    assert_eq!(export.run(&site)[..2], [0, 0], "nothing has changed");
    assert!(export.files() == files);
    through_nginx(&site, &served, &export);
}

/// Compares each answer of nginx with that of the daemon.
fn through_nginx(site: &Site, served: &BTreeMap<String, Answer>, export: &Export) {
    if !tools::has("/usr/sbin/nginx") {
        return tools::skip("nginx");
    }
    let nginx = Nginx::start(export);
    for (path, answer) in served {
        for coding in ["identity", "gzip"] {
            let seen = nginx.ask(path, coding);
            let field = |name: &str| (seen.field(name).to_owned(), answer.field(name).to_owned());
            assert_eq!(seen.status, 200, "{path}: {}", nginx.log());
            for name in [
                "content-type",
                "last-modified",
                "cache-control",
                "content-security-policy",
                "x-content-type-options",
                "access-control-allow-origin",
            ] {
                let (seen, expected) = field(name);
                assert_eq!(seen, expected, "{path}: {name}");
            }
            let is_gzip = site.ask("GET", path, &[("Accept-Encoding", coding)]).field("content-encoding") == "gzip";
            if coding == "identity" || is_gzip {
                let direct = site.ask("GET", path, &[("Accept-Encoding", coding)]);
                assert_eq!(seen.field("content-encoding"), direct.field("content-encoding"), "{path}");
                assert!(seen.body == direct.body, "{path} in {coding}");
            }
        }
    }
    for (path, status) in [
        ("/articles/old-name", 301),
        ("/articles/old-name.md", 301),
        ("/2014/storm", 301),
        ("/2014/Storm.html", 301),
        ("/?p=12", 301),
        ("/articles/storm/", 301),
        ("/tags/t1", 301),
        ("/languages/fr", 301),
        ("/about/", 301),
        ("/my/feed.rss", 301),
        ("/feeds/all.atom.xml", 301),
        ("/articles/gone", 410),
        ("/articles/gone.md", 410),
        ("/nowhere-at-all", 404),
        ("/tags/nowhere", 404),
        ("/articles/nowhere", 404),
        ("/articles/nowhere/", 404),
        ("/media/trips/nowhere.png", 404),
        ("/media/trips/storm.md", 404),
        ("/index.html", 404),
        ("/archive/99/", 404),
        ("/", 200),
        ("/articles/storm?x=1", 200),
    ] {
        let (seen, answer) = (nginx.ask(path, "identity"), site.get(path));
        assert_eq!((seen.status, answer.status), (status, status), "{path}");
        assert_eq!(seen.field("location"), answer.field("location"), "{path}");
        // The page of a 404 names articles with similar names, which a copy cannot.
        if status == 410 {
            assert!(seen.body == answer.body, "{path}: {}", seen.text());
        }
    }
    for path in ["/.gazetted/nginx.conf", "/_redirects", "/_headers", "/.htaccess", "/404.html", "/410.html"] {
        assert_eq!(nginx.ask(path, "identity").status, 404, "{path}");
    }
}

/// nginx with the files of an export.
struct Nginx {
    child: Child,
    port: u16,
    directory: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    fn start(export: &Export) -> Self {
        let (directory, port) = (tempfile::tempdir().unwrap(), tools::free_port());
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let root = export.path();
        let (own, root) = (root.join(".gazetted"), root.display());
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};\n", at(name)))
            .concat();
        let text = format!(
            "daemon off;\nmaster_process off;\npid {};\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}\
            include {own}/nginx-map.conf;\nserver {{\nlisten 127.0.0.1:{port};\nserver_name _;\nroot {root};\n\
            include {own}/nginx.conf;\n}}\n}}\n",
            at("pid"),
            own = own.display(),
        );
        std::fs::write(at("nginx.conf"), text).unwrap();
        let log = std::fs::File::create(at("log")).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.args(["-e", "stderr", "-p", &at(""), "-c", &at("nginx.conf")]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut nginx = Self { child, port, directory };
        let log = nginx.directory.path().join("log");
        let read_log = || std::fs::read_to_string(&log).unwrap();
        let connect = || {
            assert!(nginx.child.try_wait().unwrap().is_none(), "nginx ended: {}", read_log());
            TcpStream::connect(("127.0.0.1", port)).ok()
        };
        wait_or_explain("nginx serves", connect, read_log);
        nginx
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    fn ask(&self, path: &str, coding: &str) -> Answer {
        let fields = format!("Accept-Encoding: {coding}\r\n");
        Answer::parse(&tools::ask_bytes(&format!("127.0.0.1:{}", self.port), path, &fields))
    }
}

/// The difference between two states of an export: documents whose bytes changed, only their dates, and removed ones.
fn differences(files: [&Files; 2]) -> [u64; 3] {
    let [old, new] = files.map(|files| {
        let is_plain = |name: &&String| {
            let plain = CODINGS.iter().find_map(|(_, ending)| name.strip_suffix(ending));
            plain.is_none_or(|plain| !files.contains_key(plain))
        };
        files.iter().filter(move |(name, _)| is_plain(name)).collect::<BTreeMap<_, _>>()
    });
    let count = |holds: &dyn Fn(&&String) -> bool| new.keys().filter(|name| holds(name)).count() as u64;
    let written = count(&|name| old.get(*name).is_none_or(|file| file.0 != new[*name].0));
    let dated = count(&|name| old.get(*name).is_some_and(|file| file.0 == new[*name].0 && file.1 != new[*name].1));
    let deleted = old.keys().filter(|name| !new.contains_key(**name)).count() as u64;
    [written, dated, deleted]
}

/// A small site with its own export.
fn small(articles: usize) -> (Site, Export) {
    let mut site = Site::configured("[feed]\nentries = 5\nwindow = '1s'\n");
    for number in 0..articles {
        let head = format!("---\ndate: 2024-01-{:02}\ntags: [t{}]\n---\n", number % 28 + 1, number % 7);
        site.write(&format!("n{number}.md"), format!("{head}# Number {number}\n\n{}", "Some words. ".repeat(60)));
    }
    site.start();
    (site, Export::new())
}

#[test]
fn only_what_has_changed_is_written_and_only_what_was_written_is_deleted() {
    let (mut site, export) = small(12);
    export.run(&site);
    let first = export.files();
    let inodes = |export: &Export| {
        let names = export.files().into_keys();
        names.map(|name| (std::fs::metadata(export.path().join(&name)).unwrap().ino(), name)).collect::<BTreeSet<_>>()
    };
    // Files of others, also in the place of an article to come.
    let own = ["own.txt", "articles/n3/note.txt", "articles/later/index.html"];
    for name in own {
        let path = export.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "mine").unwrap();
    }
    let before = (export.files(), inodes(&export));

    site.write("n1.md", "---\ndate: 2024-01-02\ntags: [t1]\n---\n# Number 1\n\nAnother text.");
    site.wait_until("the edit is served", |site| site.get("/articles/n1").text().contains("Another text."));
    let [written, dated, unchanged, deleted] = export.run(&site);
    let after = export.files();
    assert_eq!([written, dated, deleted], differences([&before.0, &after]));
    assert!(written < 30 && unchanged > 60 && deleted == 0, "{written} written, {unchanged} unchanged");
    // What is the same was not written again.
    for (inode, name) in inodes(&export) {
        let is_same = before.0.get(&name).is_some_and(|file| file.0 == after[&name].0);
        assert!(!is_same || before.1.contains(&(inode, name.clone())), "{name}");
    }

    site.remove("n3.md");
    std::fs::create_dir(site.path("folder")).unwrap();
    site.rename("n4.md", "folder/n4.md");
    site.write("later.md", "# Later\n\nText.");
    site.wait_until("the deletion is served", |site| {
        site.get("/articles/n3").status == 410
            && site.get("/articles/later").status == 200
            && site.get("/sections/folder/").status == 200
    });
    let before = after;
    let output = export.output(&site);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains(
            "articles/later/index.html: gazetted did not write the file that is there: move it away, then export again"
        ),
        "{text}"
    );
    let after = export.files();
    let [_, _, deleted] = differences([&before, &after]);
    assert!(text.contains(&format!(" {deleted} deleted")), "{text}");
    assert!(!after.contains_key("articles/n3/index.html") && !after.contains_key("articles/n3.md"));
    assert!(after.contains_key("sections/folder/index.html") && after.contains_key("articles/later.md"));
    for name in own {
        assert_eq!(after[name].0, b"mine", "{name}");
    }

    // What another program has changed is written again, and what was in the way is not any more.
    std::fs::remove_file(export.path().join("articles/later/index.html")).unwrap();
    std::fs::write(export.path().join("robots.txt"), "User-agent: *").unwrap();
    std::fs::remove_file(export.path().join("articles/n5/index.html")).unwrap();
    let output = export.output(&site);
    assert!(output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.matches("another program has changed or removed this file of the export").count(), 2, "{errors}");
    let after = export.files();
    assert_eq!(after["robots.txt"], first["robots.txt"]);
    assert!(after["articles/later/index.html"].0 == site.get("/articles/later").body);
    assert!(after["articles/n5/index.html"].0 == site.get("/articles/n5").body);

    // One file that cannot be deleted does not keep others; nothing is done through a link.
    let (place, elsewhere) = (export.path().join("articles/n7"), tempfile::tempdir().unwrap());
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(elsewhere.path().join("index.html"), "mine").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &place).unwrap();
    site.remove("n6.md");
    site.remove("n7.md");
    site.wait_until("two articles are gone", |site| {
        ["/articles/n6", "/articles/n7"].iter().all(|path| site.get(path).status == 410)
    });
    for _ in 0..2 {
        let output = export.output(&site);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let problem = "articles/n7: a folder or a link is in the way: move it away, then export again";
        assert!(text.contains(problem) && text.lines().count() == 2, "{text}");
        assert!(!export.path().join("articles/n6").exists() && !export.path().join("articles/n7.md").exists());
        assert_eq!(std::fs::read(place.join("index.html")).unwrap(), b"mine");
    }
    std::fs::remove_file(place).unwrap();
    export.run(&site);
    let after = export.files();

    // Without the daemon, the last version.
    site.stop();
    assert_eq!(export.run(&site)[..2], [0, 0]);
    let fresh = Export::new();
    fresh.run(&site);
    let mut own_removed = after.clone();
    own.iter().filter(|name| !name.contains("later")).for_each(|name| drop(own_removed.remove(*name)));
    // Dates of pages of errors are those of the first export with their bytes.
    let bytes = |files: Files| files.into_iter().map(|(name, (bytes, _))| (name, bytes)).collect::<BTreeMap<_, _>>();
    assert!(bytes(own_removed) == bytes(fresh.files()));
}

#[test]
fn an_export_that_was_killed_continues_where_it_ended() {
    let (site, export) = small(60);
    let whole = Export::new();
    whole.run(&site);
    let expected = whole.files();
    for least in [1, 200] {
        let mut command = export.command(&site);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut has_ended = false;
        wait_until("some files are written", || {
            has_ended = child.try_wait().unwrap().is_some();
            let files = walkdir::WalkDir::new(export.path()).into_iter().filter_map(Result::ok);
            has_ended || files.filter(|entry| entry.file_type().is_file()).count() >= least
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let [_, _, unchanged, deleted] = export.run(&site);
    assert!(unchanged >= 1 && deleted == 0, "what was written is recognised");
    assert!(export.files() == expected);
    let left = walkdir::WalkDir::new(export.path()).into_iter().map(|entry| entry.unwrap().file_name().to_owned());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("-new-")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(export.run(&site)[..2], [0, 0]);
}

#[test]
fn two_exports_never_write_to_one_folder() {
    let (site, export) = small(3);
    export.run(&site);
    let expected = export.files();
    let lock = std::fs::File::open(export.path().join(".gazetted/lock")).unwrap();
    lock.lock().unwrap();
    let output = export.output(&site);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("another export is writing to this folder: wait until it ends, or stop it"), "{errors}");
    lock.unlock().unwrap();
    let mut both = [export.command(&site), export.command(&site)]
        .map(|mut command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    assert!(both.each_mut().map(|child| child.wait().unwrap().success()).contains(&true));
    assert!(export.files() == expected);

    // Folders that no export may write to.
    let refused = |to: &std::path::Path| {
        let mut command = gazetted();
        command.arg("export").arg(to).arg("--config").arg(site.config_file()).arg("--state").arg(site.state());
        let output = command.args(["--base-url", BASE_URL]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", to.display());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&site.path("copy")).contains("the export would lie in the folder of articles"));
    assert!(refused(&site.state().join("copy")).contains("the export would lie in the state directory"));
    let full = tempfile::tempdir().unwrap();
    std::fs::write(full.path().join("own.txt"), "mine").unwrap();
    assert!(refused(full.path()).contains("the folder is not empty, and not an export of gazetted"));
    assert!(!full.path().join(".gazetted").exists());
    let mut other = Site::configured("[site]\nauthority = 'other.example'\n");
    other.write("a.md", "# A\n\nText.");
    other.start();
    let output = export.output(&other);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("the folder has the export of another site"), "{errors}");
    let manifest = std::fs::read_dir(export.path().join(".gazetted")).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifest.filter(|path| path.to_string_lossy().contains("manifest-")).max().unwrap();
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen(" rss.xml", " own.txt", 1)).unwrap();
    assert!(refused(&export.path()).contains("the manifest is damaged"), "nothing is deleted by it");
    assert!(export.files() == expected);
}

#[test]
fn an_export_follows_the_daemon() {
    let (mut site, export) = small(3);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = export.command(&site);
    command.arg("--follow").stderr(log.reopen().unwrap());
    let mut child = command.spawn().unwrap();
    let holds = |file: &str, text: &str| {
        std::fs::read_to_string(export.path().join(file)).is_ok_and(|page| page.contains(text))
    };
    wait_until("the site is exported", || holds("articles/n1/index.html", "Some words."));
    site.write("n1.md", "---\ndate: 2024-01-02\n---\n# Number 1\n\nAnother text.");
    site.wait_until("the edit is exported", |_| holds("articles/n1/index.html", "Another text."));
    let manifest = || {
        std::fs::read_dir(export.path().join(".gazetted"))
            .unwrap()
            .any(|entry| entry.unwrap().file_name() == "manifest-00000002")
    };
    wait_until("the export ends", manifest);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    let text = std::fs::read_to_string(log.path()).unwrap();
    assert!(status.success() && text.contains(" INFO exported ") && text.contains("stopped"), "{text}");
    assert_eq!(export.run(&site)[..2], [0, 0]);
}

/// An export to a bucket of a service that speaks like S3.
#[cfg(feature = "object-storage")]
mod in_a_bucket {
    use std::process::Output;
    use std::sync::atomic::Ordering;

    use gazetted::export::{BucketTarget, ExportTarget};
    use gazetted::system::object_storage::{Attributes, ObjectStorage};

    use super::small;
    use crate::command_line::gazetted;
    use crate::engines::bucket::Service;
    use crate::engines::cut::CuttingProxy;
    use crate::pictures::photo;
    use crate::site::{Answer, BASE_URL, Site};
    use crate::tools;

    fn environment(port: u16) -> [(&'static str, String); 3] {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
            ("AWS_ACCESS_KEY_ID", "key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ]
    }

    fn storage(port: u16) -> ObjectStorage {
        let environment = environment(port).map(|(name, value)| (name.to_owned(), value));
        ObjectStorage::open_in("s3://log/site", environment).unwrap()
    }

    fn export(site: &Site, port: u16) -> Output {
        let mut command = gazetted();
        command.args(["export", "s3://log/site", "--config"]).arg(site.config_file());
        command.arg("--state").arg(site.state()).args(["--base-url", BASE_URL]).envs(environment(port));
        command.output().unwrap()
    }

    /// The numbers of files that were written and deleted.
    fn run(site: &Site, port: u16) -> [u64; 2] {
        let output = export(site, port);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let number = |what: &str| {
            let before = text.split_once(&format!(" {what}")).unwrap_or_else(|| panic!("{text}")).0;
            before.rsplit([' ', ':']).next().unwrap().parse().unwrap()
        };
        ["written", "deleted"].map(number)
    }

    fn ask(port: u16, key: &str) -> Answer {
        // The service wants a signature, and does not check it.
        let fields = "Authorization: AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, \
            SignedHeaders=host, Signature=0\r\n";
        Answer::parse(&tools::ask_bytes(&format!("127.0.0.1:{port}"), &format!("/log/site/{key}"), fields))
    }

    #[test]
    fn an_export_to_a_bucket_has_what_the_daemon_serves() {
        let Some(service) = Service::start() else { return };
        let port = service.port;
        let storage = storage(port);
        storage.put("mine.txt", "mine".into(), Attributes::new()).unwrap();
        let (mut site, _) = small(6);
        site.write("photo.jpg", photo(40, 30));
        site.write("n0.md", "---\ndate: 2024-01-01\ntags: [港]\n---\n# Number 0\n\n![](photo.jpg)");
        site.wait_until("the picture is shown", |site| site.get("/articles/n0").text().contains("photo.jpg"));

        let errors = String::from_utf8(export(&site, port).stderr).unwrap();
        assert!(errors.contains("the bucket has objects there, and no export of gazetted"), "{errors}");
        storage.remove(&["mine.txt".to_owned()]).unwrap();

        // Answers are lost after the requests took effect.
        let proxy = CuttingProxy::start(port);
        proxy.spared.store(20, Ordering::SeqCst);
        proxy.cuts.store(500, Ordering::SeqCst);
        assert!(!export(&site, proxy.port).status.success());
        assert!(proxy.cuts.swap(0, Ordering::SeqCst) < 500, "nothing was cut");
        let unfinished = storage.list("").unwrap();
        assert!(unfinished.len() > 5, "some objects were written: {unfinished:?}");
        let two = [BucketTarget::open(self::storage(port)).unwrap(), BucketTarget::open(self::storage(port)).unwrap()];
        assert!(run(&site, port)[0] > 30);
        for (other, file) in two.iter().zip(["one", "another"]) {
            let error = other.intend(&[file]).unwrap_err().to_string();
            assert!(error.contains("another export has written to this bucket meanwhile"), "{error}");
        }
        for path in [
            "/",
            "/articles/n0",
            "/articles/n0.md",
            "/atom.xml",
            "/feed",
            "/tags/%E6%B8%AF/",
            "/media/photo.jpg",
            "/robots.txt",
        ] {
            let key = format!("{}{}", &path[1..], if path.ends_with('/') { "index.html" } else { "" });
            let (served, stored) = (site.get(path), ask(port, &key));
            assert_eq!((served.status, stored.status), (200, 200), "{path}");
            assert!(served.body == stored.body, "{path}");
            for field in ["content-type", "cache-control"] {
                assert_eq!(served.field(field), stored.field(field), "{path}");
            }
        }
        assert_eq!(run(&site, port), [0, 0]);

        let contents = || {
            let keys = storage.list("").unwrap().into_iter().filter(|key| !key.starts_with(".gazetted/"));
            keys.map(|key| (storage.get(&key).unwrap().unwrap(), key)).map(|(body, key)| (key, body)).collect()
        };
        let before: std::collections::BTreeMap<String, Vec<u8>> = contents();
        storage.put("own.txt", "mine".into(), Attributes::new()).unwrap();
        storage.put("articles/later", "mine".into(), Attributes::new()).unwrap();
        site.write("n1.md", "---\ndate: 2024-01-02\ntags: [t1]\n---\n# Number 1\n\nAnother text.");
        site.wait_until("the edit is served", |site| site.get("/articles/n1").text().contains("Another text."));
        let [written, deleted] = run(&site, port);
        let after = contents();
        let differ = before.iter().filter(|(key, body)| after[*key] != **body).count() as u64;
        assert_eq!([written, deleted], [differ, 0]);

        site.remove("n3.md");
        site.write("later.md", "# Later\n\nText.");
        site.wait_until("the deletion is served", |site| {
            site.get("/articles/n3").status == 410 && site.get("/articles/later").status == 200
        });
        let output = export(&site, port);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("articles/later: gazetted did not write the file that is there"), "{text}");
        let after = contents();
        assert!(!after.contains_key("articles/n3") && after.contains_key("articles/later.md"));
        assert_eq!((&after["own.txt"][..], &after["articles/later"][..]), (&b"mine"[..], &b"mine"[..]));
    }
}
