//! The status page, health checks and metrics of a running daemon.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use gazetted::system::sockets::raise_descriptors;

use crate::tools::{Program, logged_address};
use crate::waiting::{PATIENCE, wait_for};

/// A daemon with an admin listener, and its address.
fn start(folder: &std::path::Path) -> (Program, String) {
    let config = folder.join("gazetted.toml");
    std::fs::write(&config, "[admin]\nlisten = '127.0.0.1:0'\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(folder.join("articles")).arg("--state").arg(folder.join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0", "--config"]).arg(config));
    let address = |program: &Program| {
        let log = program.log.lock();
        log.iter().find_map(|line| logged_address(line, "admin"))
    };
    let admin = wait_for("the log has the address of the status page", || address(&program));
    (program, admin)
}

/// Status and body of a request to the admin listener.
fn ask(admin: &str, path: &str, accept: &str) -> (u16, String) {
    let answer = crate::tools::ask(admin, path, &format!("Accept: {accept}\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The integer part of a metric's value.
fn number(metrics: &str, name: &str) -> usize {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in\n{metrics}")).split('.').next().unwrap().parse().unwrap()
}

#[test]
fn status_lists_what_is_published_and_what_is_not_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(articles.join("one.md"), "# One\n\nText").unwrap();
    std::fs::write(articles.join("draft.md"), "---\ndraft: true\n---\n# Draft\n\nText").unwrap();
    std::fs::write(articles.join("later.md"), "---\ndate: 2099-01-01\n---\n# Later\n\nText").unwrap();
    let (program, admin) = start(folder.path());
    assert_eq!(ask(&admin, "/healthz", "*/*"), (200, "alive\n".to_owned()));
    assert_eq!(ask(&admin, "/readyz", "*/*"), (200, "ready\n".to_owned()));

    let report = || -> serde_json::Value { serde_json::from_str(&ask(&admin, "/status", "*/*").1).unwrap() };
    let first = report();
    assert_eq!((&first["phase"], &first["published"], &first["scheduled"]), (&"serving".into(), &1.into(), &1.into()));
    assert_eq!(first["complaints_in_all"], 0, "a draft needs nothing");
    assert_eq!(first["drafts_and_scheduled"]["count"], 2);
    assert_eq!(first["drafts_and_scheduled"]["files"][0]["path"], "draft.md");
    assert_eq!(first["trouble"], serde_json::Value::Null);

    std::fs::write(articles.join("two.md"), "# Two\n\nText").unwrap();
    std::fs::remove_file(articles.join("draft.md")).unwrap();
    program.wait_until("the status page shows both changes", |_| {
        let report = report();
        report["published"] == 2 && report["complaints_in_all"] == 0 && report["news"][0]["path"] == "two.md"
    });
    let (_, page) = ask(&admin, "/status", "text/html");
    assert!(page.contains("<h1>All is well</h1>") && page.contains("two.md"), "{page}");
}

/// The lines of a group of the status, in order.
fn lines(report: &serde_json::Value, group: &str) -> Vec<String> {
    let files = report[group]["files"].as_array().unwrap();
    let problems = files.iter().flat_map(|file| file["problems"].as_array().unwrap());
    problems.map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn status_has_three_groups_that_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    for name in ["", "drafts"] {
        std::fs::create_dir(articles.join(name)).unwrap();
    }
    let write = |name: &str, text: &str| std::fs::write(articles.join(name), text).unwrap();
    write("fine.md", "# Fine\n\nText");
    write("broken.md", "---\ntitle: [\ndraft: true\n---\n# Broken\n\nText");
    write("slip.md", "---\ndate: 2024-01-01\ndarft: true\n---\n# Slip\n\nText");
    write("copy.md", "# Fine\n\nText");
    write("picture.md", "# Picture\n\nText\n\n![](nowhere.png)");
    write("cover.md", "---\nimage: nowhere.jpg\n---\n# Cover\n\nText");
    write("draft.md", "---\ndraft: true\n---\n# Draft\n\nText");
    write("drafts/other.md", "# Other draft\n\nText");
    write("locked.md", "---\npassword: a\n---\n# Locked\n\nText");
    write("empty.md", "");
    write("later.md", "---\ndate: 2099-01-01\n---\n# Later\n\nText");
    write("past.md", "---\ndate: 2024-01-01\nexpires: 2024-06-01\n---\n# Over\n\nText");
    // The recording of an article is no fault.
    write("ep1.md", "# Episode\n\nText");
    write("ep1.wav", "RIFF");
    write("later report.rtf", "PK");

    let mut earlier: Option<serde_json::Value> = None;
    for round in ["first", "restarted"] {
        let (program, admin) = start(folder.path());
        let report = || -> serde_json::Value { serde_json::from_str(&ask(&admin, "/status", "*/*").1).unwrap() };
        let is_whole =
            |report: &serde_json::Value| lines(report, "not_published").len() == 3 && report["complaints_in_all"] == 4;
        program.wait_until("all files are listed", |_| is_whole(&report()));
        let report = report();
        let starts = |group: &str| -> Vec<String> {
            lines(&report, group).iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect()
        };
        assert_eq!(starts("not_published"), ["broken.md:2", "fine.md:1", "slip.md:3"], "{round}: {report:#}");
        assert_eq!(starts("published_but"), ["cover.md:2"], "{round}: {report:#}");
        assert_eq!(starts("remarks"), ["picture.md:5"], "{round}: {report:#}");
        let waiting = ["draft.md:2", "drafts/other.md:1", "empty.md:1", "locked.md:2", "later.md:1", "past.md:1"];
        assert_eq!(starts("drafts_and_scheduled"), waiting, "{round}: {report:#}");
        assert_eq!((&report["published"], &report["scheduled"]), (&4.into(), &1.into()), "{round}");
        assert!(!report.to_string().contains("ep1.wav"), "{round}: {report:#}");
        assert!(lines(&report, "drafts_and_scheduled")[5].contains("expired on 2024-06-01"), "{round}");
        assert!(report["unread_documents"].as_str().unwrap().contains(".rtf"), "{round}");
        assert!(!report["news"].to_string().contains("past.md published"), "{round}");
        let page = ask(&admin, "/status", "text/html").1;
        assert!(page.contains("<h1>4 files need attention</h1>"), "{page}");
        let log = program.log.lock();
        for name in ["draft.md", "other.md", "locked.md", "empty.md", "later.md", "past.md", "ep1"] {
            let warnings: Vec<&String> =
                log.iter().filter(|line| line.contains(name) && line.contains(" WARN ")).collect();
            assert_eq!(warnings, Vec::<&String>::new(), "{round}");
        }
        if round == "first" {
            let is_logged = |text: &str| log.iter().any(|line| line.contains(" WARN ") && line.contains(text));
            assert!(is_logged("cover.md:2: ") && is_logged("slip.md:3: "), "{log:?}");
        }
        drop(log);
        if let Some(earlier) = earlier.replace(report.clone()) {
            for group in ["not_published", "published_but", "drafts_and_scheduled", "remarks"] {
                assert_eq!(earlier[group], report[group]);
            }
        }
    }
}

#[test]
fn status_follows_what_is_corrected_touched_renamed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let wrong = "---\nimage: nowhere.jpg\n---\n# Cover\n\nText";
    std::fs::write(articles.join("a.md"), wrong).unwrap();
    std::fs::write(articles.join("b.md"), wrong.replace("Cover", "Other")).unwrap();
    let (program, admin) = start(folder.path());
    let report = || -> serde_json::Value { serde_json::from_str(&ask(&admin, "/status", "*/*").1).unwrap() };
    let becomes = |what: &str, not_published: &[&str], published_but: &[&str]| {
        program.wait_until(what, |_| {
            let report = report();
            let starts = |group: &str| -> Vec<String> {
                lines(&report, group).iter().map(|line| line.split(':').next().unwrap().to_owned()).collect()
            };
            (starts("not_published"), starts("published_but"))
                == (
                    not_published.iter().map(|name| (*name).to_owned()).collect(),
                    published_but.iter().map(|name| (*name).to_owned()).collect(),
                )
        });
        assert_eq!(report()["complaints_in_all"], not_published.len() + published_but.len());
    };
    becomes("both are listed", &[], &["b.md", "a.md"]);
    // The same bytes again are no correction.
    std::fs::write(articles.join("a.md"), wrong).unwrap();
    std::fs::rename(articles.join("b.md"), articles.join("c.md")).unwrap();
    becomes("one is renamed", &[], &["c.md", "a.md"]);
    // Its last good version stays, so it is one file that needs attention.
    std::fs::write(articles.join("c.md"), format!("{wrong}\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n")).unwrap();
    becomes("a conflict is listed", &[], &["c.md", "a.md"]);
    std::fs::write(articles.join("c.md"), wrong.replace("Cover", "Other")).unwrap();
    becomes("the last good version is back", &[], &["c.md", "a.md"]);
    std::fs::write(articles.join("a.md"), "# Cover\n\nText").unwrap();
    becomes("it is corrected", &[], &["c.md"]);
    std::fs::remove_file(articles.join("c.md")).unwrap();
    becomes("it is deleted", &[], &[]);
}

#[test]
fn metrics_count_requests_and_articles() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let (program, admin) = start(folder.path());
    std::fs::write(articles.join("one.md"), format!("# One\n\n{}", "word ".repeat(500))).unwrap();
    program.wait_until("it is published", |program| program.get("/feed.json").contains("\"One\""));
    let plain = program.get("/rss.xml");
    let etag = plain.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let answer = crate::tools::ask(&program.address, "/rss.xml", &format!("If-None-Match: {etag}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 304 "), "{answer}");
    crate::tools::ask(&program.address, "/nothing", "");

    let (_, metrics) = ask(&admin, "/metrics", "*/*");
    let requests = |document, status| {
        format!("gazetted_http_requests_total{{document=\"{document}\",status=\"{status}\",coding=\"identity\"}}")
    };
    assert_eq!(number(&metrics, &requests("rss", 200)), 1);
    assert_eq!(number(&metrics, &requests("rss", 304)), 1);
    assert_eq!(number(&metrics, &requests("other", 404)), 1);
    let body = plain.split_once("\r\n\r\n").unwrap().1.len();
    assert_eq!(number(&metrics, "gazetted_http_saved_bytes_total{by=\"unchanged\"}"), body);
    assert!(number(&metrics, "gazetted_http_sent_bytes_total") > body);
    assert_eq!(number(&metrics, "gazetted_articles{state=\"published\"}"), 1);
    assert!(number(&metrics, "gazetted_versions_total") >= 2);
    assert!(number(&metrics, "gazetted_served_after_seconds_count") >= 1);
    assert!(number(&metrics, "gazetted_watched_folders{by=\"events\"}") >= 1);
    assert!(number(&metrics, "gazetted_http_accepted_total") >= 3);
    assert!(number(&metrics, "process_open_fds") > 5);
}

#[test]
fn readyz_answers_503_until_the_daemon_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    // Much to read at first.
    for number in 0..3_000 {
        std::fs::write(articles.join(format!("{number}.md")), format!("# Number {number}\n\nText")).unwrap();
    }
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let config = folder.path().join("gazetted.toml");
    std::fs::write(&config, format!("[admin]\nlisten = '{address}'\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(&articles).arg("--state").arg(folder.path().join("state"));
    command.args(["--listen", "127.0.0.1:0", "--config"]).arg(config);
    let looking = std::thread::spawn(move || {
        let mut seen = Vec::new();
        let deadline = std::time::Instant::now() + PATIENCE;
        while !seen.contains(&200) && std::time::Instant::now() < deadline {
            if std::net::TcpStream::connect(&address).is_ok() {
                let (status, _) = ask(&address, "/readyz", "*/*");
                if seen.last() != Some(&status) {
                    seen.push(status);
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        seen
    });
    let _program = Program::start(&mut command);
    assert_eq!(looking.join().unwrap(), [503, 200]);
}

/// Status, head and body of a response to raw bytes on the admin listener.
fn send(admin: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap_or_else(|| panic!("no response: {answer}")).parse().unwrap(), answer)
}

/// A page of another site can make a browser connect to this machine under the name of that site (DNS rebinding).
#[test]
fn a_page_of_another_site_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(articles.join("secret-plan.md"), "---\ndraft: true\n---\n# Plan\n\nText").unwrap();
    let config = folder.path().join("gazetted.toml");
    std::fs::write(&config, "[admin]\nlisten = '127.0.0.1:0'\nhosts = ['Monitor.example.org']\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(&articles).arg("--state").arg(folder.path().join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0", "--config"]).arg(config));
    let admin = wait_for("the log has the address of the status page", || {
        program.log.lock().iter().find_map(|line| logged_address(line, "admin"))
    });
    for path in ["/status", "/status.json", "/metrics", "/healthz", "/"] {
        for (fields, expected) in [
            ("Host: attacker.example\r\n", 421),
            ("Host: attacker.example:8081\r\nAccept: text/html\r\n", 421),
            ("Host: 127.0.0.1.attacker.example\r\n", 421),
            ("Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403),
            ("Host: localhost\r\nOrigin: https://attacker.example\r\n", 403),
            ("", 400),
            ("Host:\r\n", 400),
            ("Host: localhost\r\nHost: attacker.example\r\n", 400),
            ("Host: local host\r\n", 400),
        ] {
            let (status, answer) = send(&admin, &format!("GET {path} HTTP/1.1\r\n{fields}\r\n"));
            assert_eq!(status, expected, "{path} {fields}: {answer}");
            assert!(!answer.contains("secret-plan") && !answer.contains("gazetted_"), "{path} {fields}: {answer}");
            let body = answer.split_once("\r\n\r\n").unwrap().1;
            assert!(body.lines().count() == 1 && (status != 421 || body.contains("admin.hosts")), "{answer}");
        }
    }
    for host in [&*admin, "127.0.0.1", "[::1]:80", "localhost", "gazetted.localhost", "monitor.example.org:8081"] {
        let (status, answer) = send(&admin, &format!("GET /status HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(status == 200 && answer.contains("secret-plan"), "{host}: {answer}");
    }
}

#[test]
fn silent_connections_do_not_delay_the_health_check() {
    const SILENT: usize = 3_000;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("articles")).unwrap();
    // Each connection takes a descriptor of this process as well.
    assert!(raise_descriptors() > SILENT + 1_000, "too few descriptors for this test");
    let (program, admin) = start(folder.path());
    let silent: Vec<TcpStream> = (0..SILENT).map(|_| TcpStream::connect(&admin).unwrap()).collect();
    for _ in 0..20 {
        assert_eq!(ask(&admin, "/healthz", "*/*"), (200, "alive\n".to_owned()));
    }
    let half: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(&admin).unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").unwrap();
            stream
        })
        .collect();
    assert_eq!(ask(&admin, "/readyz", "*/*").0, 200);
    assert!(program.get("/rss.xml").starts_with("HTTP/1.1 200 "), "clients are served as well");
    let (_, metrics) = ask(&admin, "/metrics", "*/*");
    assert!(
        number(&metrics, "gazetted_http_accepted_total") < 10,
        "only connections of readers are counted: {metrics}"
    );
    drop((silent, half));
}
