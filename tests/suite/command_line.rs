//! The program's command line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Output, Stdio};

use crate::tools::{Program, Running};
use crate::waiting::{PATIENCE, wait_for};

pub fn gazetted() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.stdin(Stdio::null()).env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET").env_remove("RUST_LOG");
    command
}

/// A failed start: its exit code and its one line.
fn failure(output: &Output) -> (i32, String) {
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    let lines: Vec<&str> = errors.lines().collect();
    assert!(lines.len() == 1 && lines[0].starts_with("gazetted: "), "one line: {errors}");
    (output.status.code().unwrap(), lines[0].to_owned())
}

#[test]
fn a_startup_error_is_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (articles, state, file) = (path("articles"), path("state"), path("g.toml"));
    std::fs::create_dir(&articles).unwrap();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let serve = |arguments: &[&str]| {
        let mut command = gazetted();
        command.arg("serve").args(arguments).arg("--state").arg(&state);
        failure(&command.output().unwrap())
    };
    let (articles, config) = (articles.to_str().unwrap(), file.to_str().unwrap());

    let (code, line) = serve(&[articles, "--listen", &address]);
    assert!(code == 1 && line.contains(&address) && line.contains("in use"), "{line}");
    std::fs::write(path("file"), "").unwrap();
    let (code, line) = serve(&[path("file").to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert!(code == 1 && line.contains("file: cannot read") && line.contains("Not a directory"), "{line}");
    for (text, message) in [
        ("[site]\ntitel = \"x\"", "unknown key `titel`"),
        ("[http]\nmax_age = \"soon\"", "not a duration"),
        ("x", "g.toml:1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (code, line) = serve(&[articles, "--config", config]);
        assert!(code == 1 && line.contains("g.toml:") && line.contains(message), "{line}");
    }
    let (code, line) = serve(&[articles, "--config", "/nowhere.toml"]);
    assert!(code == 1 && line.contains("/nowhere.toml") && line.contains("cannot read"), "{line}");
    let inside = path("articles/state");
    let output =
        gazetted().args(["serve", articles, "--listen", "127.0.0.1:0", "--state"]).arg(&inside).output().unwrap();
    assert!(failure(&output).1.contains("lies in the watched folder"));
    assert!(!inside.exists(), "the watched folder is never written to");
}

#[test]
fn wrong_usage_exits_with_2_and_help_with_0() {
    for arguments in
        [&["serve", "--no-such"][..], &["fly"], &["serve", "--base-url", "nowhere"], &["serve", "--listen", "x"]]
    {
        assert_eq!(gazetted().args(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
    let help = gazetted().args(["serve", "--help"]).output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    let help = String::from_utf8(help.stdout).unwrap();
    for option in ["--config", "--listen", "--base-url", "--state", "--log", "--log-level", "[DIRECTORY]"] {
        assert!(help.contains(option), "{option} in {help}");
    }
}

#[test]
fn a_fatal_error_is_logged_in_the_configured_format() {
    let home = tempfile::tempdir().unwrap();
    let serve = |arguments: &[&str]| {
        let mut command = gazetted();
        command.args(["serve", "--config", "/no\nwhere\u{1b}.toml"]).args(arguments);
        command
    };
    let output = |arguments: &[&str]| String::from_utf8(serve(arguments).output().unwrap().stderr).unwrap();
    let line = output(&[]);
    assert!(line.starts_with(r"gazetted: /no\nwhere\u{1b}.toml: cannot read") && line.lines().count() == 1, "{line}");
    assert_eq!(output(&["--log", "human"]), line);
    let of_systemd = line.replace("gazetted: ", "<3>");
    assert_eq!(output(&["--log", "systemd"]), of_systemd);
    let json: serde_json::Value = serde_json::from_str(&output(&["--log", "json"])).unwrap();
    assert_eq!(json["level"], "error");
    assert!(json["message"].as_str().unwrap().starts_with("/no\nwhere\u{1b}.toml: cannot read"), "{json}");

    // As under systemd, which names the journal's stream; standard error may lead elsewhere.
    for (is_journal, expected) in [(true, &of_systemd), (false, &line)] {
        let path = home.path().join("journal");
        let file = std::fs::File::create(&path).unwrap();
        let metadata = file.metadata().unwrap();
        let stream = format!("{}:{}", metadata.dev(), metadata.ino() + u64::from(!is_journal));
        let mut command = serve(&[]);
        assert_eq!(command.env("JOURNAL_STREAM", stream).stderr(file).status().unwrap().code(), Some(1));
        assert_eq!(&std::fs::read_to_string(&path).unwrap(), expected);
    }
}

#[test]
fn events_are_logged_in_the_configured_format() {
    let home = tempfile::tempdir().unwrap();
    let articles = home.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut command = gazetted();
    command.arg("serve").arg(&articles).args(["--log", "json", "--listen", "127.0.0.1:0", "--state"]);
    let mut program = Program::start(command.arg(home.path().join("state")));
    // A daemon that answers also waits for signals.
    program.get("/rss.xml");
    program.signal(rustix::process::Signal::TERM);
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
    program.wait_until("it says that it stops", |program| program.log.lock().len() == 2);
    for (line, message) in program.log.lock().iter().zip(["serving", "stopping"]) {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON alone");
        assert_eq!(line["level"], "info");
        assert!(line["message"].as_str().unwrap().starts_with(message), "{line}");
        let time = line["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
    }
}

#[test]
fn json_logs_can_be_filtered_by_field() {
    let home = tempfile::tempdir().unwrap();
    let articles = home.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut command = gazetted();
    command.arg("serve").arg(&articles).args(["--log", "json", "--listen", "127.0.0.1:0", "--state"]);
    let program = Program::start(command.arg(home.path().join("state")));
    let (good, bad) = ("a \"quoted\"\n\u{1b}[2Jname.md", "bad\u{202e}.md");
    std::fs::write(articles.join(good), "---\nid: \"urn:x:1\"\nslug: first\n---\n# First\n\nText.").unwrap();
    std::fs::write(articles.join(bad), "---\ntitle: Draft\ndraft: true\n---\nText.").unwrap();
    let events = |path: &str| {
        let log = program.log.lock();
        let events = log.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON alone"));
        events.filter(|event| event["path"] == path).collect::<Vec<_>>()
    };
    program.wait_until("both files are in the log", |_| !events(good).is_empty() && !events(bad).is_empty());
    let published = &events(good)[0];
    assert_eq!((&published["message"], &published["level"]), (&"published".into(), &"info".into()));
    assert_eq!((&published["id"], &published["slug"]), (&"urn:x:1".into(), &"first".into()));
    assert!(chrono::DateTime::parse_from_rfc3339(published["version"].as_str().unwrap()).is_ok(), "{published}");
    let held = &events(bad)[0];
    assert_eq!((&held["level"], &held["line"]), (&"info".into(), &3.into()), "{held}");
    for line in program.log.lock().iter() {
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
    }
}

#[test]
fn the_log_level_is_set_by_the_option_or_by_the_environment() {
    let home = tempfile::tempdir().unwrap();
    let articles = home.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(articles.join("merge.md"), "# A\n\n<<<<<<< HEAD\none\n=======\nother\n>>>>>>> branch\n").unwrap();
    let levels = |variable: &str, option: &[&str]| {
        let socket = home.path().join("socket");
        let mut command = gazetted();
        command.arg("serve").arg(&articles).args(option).env("RUST_LOG", variable).stderr(Stdio::piped());
        command.arg("--listen").arg(format!("unix:{}", socket.display())).arg("--state").arg(home.path().join("state"));
        let child = command.args(["--log", "json"]).spawn().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        let mut child = Running(child);
        let mut stream = wait_for("the daemon listens", || UnixStream::connect(&socket).ok());
        // A response proves that it handles signals. A missing picture is worth a debug line.
        stream.write_all(b"GET /media/none.png HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut log = String::new();
        child.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        let level = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["level"].clone();
        let mut levels: Vec<String> = log.lines().map(|line| level(line).as_str().unwrap().to_owned()).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    };
    assert_eq!(levels("", &[]), ["info", "warn"], "the default is info");
    assert_eq!(levels("warn", &[]), ["warn"]);
    assert_eq!(levels("off", &[]), Vec::<String>::new());
    assert_eq!(levels("gazetted::publish=off", &[]), ["info"], "problems are reported by that part");
    assert_eq!(levels("off", &["--log-level", "warn"]), ["warn"], "the option wins");
    assert!(levels("off", &["--log-level", "debug"]).contains(&"debug".to_owned()));
    assert_eq!(levels("nonsense", &["--log-level", "warn"]), ["warn"], "and the variable is not read then");
}

#[test]
fn a_bad_log_level_is_wrong_usage() {
    for (variable, option, source) in
        [("", &["--log-level", "loud"][..], "--log-level: `loud`"), ("verbose", &[], "RUST_LOG: `verbose`")]
    {
        let mut command = gazetted();
        command.args(["serve", "--config", "/nowhere.toml"]).args(option).env("RUST_LOG", variable);
        let (code, line) = failure(&command.output().unwrap());
        assert!(code == 2 && line.contains(source) && line.contains("use off, error, warn, info, debug"), "{line}");
    }
}

#[test]
fn an_unread_log_blocks_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (articles, socket) = (home.path().join("articles"), home.path().join("socket"));
    std::fs::create_dir(&articles).unwrap();
    // Each but the first gives a log line: more than a pipe holds.
    for number in 0..600 {
        std::fs::write(articles.join(format!("{number}{}.md", "x".repeat(200))), "# The same\n\nText.").unwrap();
    }
    let mut command = gazetted();
    command.arg("serve").arg(&articles).arg("--listen").arg(format!("unix:{}", socket.display()));
    command.args(["--base-url", "http://a/", "--state"]).arg(home.path().join("state"));
    let mut program = Running(command.stderr(Stdio::piped()).spawn().unwrap());
    let mut stream = wait_for("the daemon listens", || UnixStream::connect(&socket).ok());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /rss.xml HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let id = rustix::process::Pid::from_child(&program.0);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let status = wait_for("the daemon ends", || program.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    let mut output = String::new();
    program.0.stderr.take().unwrap().read_to_string(&mut output).unwrap();
    assert!(!output.contains("stopping"), "the pipe was full");
    // A pipe holds 64 KiB, or two pages where there are very many.
    assert!(output.lines().count() > 10, "{output}");
}

#[test]
fn it_serves_without_configuration_and_stops_on_a_signal() {
    let home = tempfile::tempdir().unwrap();
    let articles = home.path().join("seeds");
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(articles.join("a.md"), "---\ndate: 2024-01-01\n---\n# First\n\nText.").unwrap();
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let mut command = gazetted();
        command.current_dir(home.path()).env("XDG_STATE_HOME", home.path().join("state"));
        let mut program = Program::start(command.args(["serve", "--listen", "127.0.0.1:0"]));
        let feed = program.get("/rss.xml");
        assert!(feed.starts_with("HTTP/1.1 200 OK"), "{feed}");
        // Without a base URL, the address is that of the listener.
        assert!(feed.contains(&format!("<link>http://{}/</link>", program.address)), "{feed}");
        // SIGHUP only reloads.
        program.signal(rustix::process::Signal::HUP);
        assert!(program.get("/").starts_with("HTTP/1.1 200 OK"));
        program.signal(signal);
        assert_eq!(program.child.wait().unwrap().code(), Some(0));
    }
    let states: Vec<_> = std::fs::read_dir(home.path().join("state/gazetted")).unwrap().collect();
    assert_eq!(states.len(), 1, "one folder of articles has one state");
}

#[test]
fn a_second_signal_does_not_wait() {
    let home = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let config = state.path().join("g.toml");
    std::fs::write(&config, "[http]\nstop_timeout = '1h'\nheader_timeout = '1h'\n").unwrap();
    let mut command = gazetted();
    command.arg("serve").arg(home.path()).arg("--config").arg(config).args(["--listen", "127.0.0.1:0", "--state"]);
    let mut program = Program::start(command.arg(state.path().join("state")));
    // A request that never ends delays the stop.
    let mut stream = TcpStream::connect(&program.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").unwrap();
    program.get("/");
    program.signal(rustix::process::Signal::TERM);
    while TcpStream::connect(&program.address).is_ok() {
        std::thread::yield_now();
    }
    assert!(program.child.try_wait().unwrap().is_none(), "the request is waited for");
    program.signal(rustix::process::Signal::TERM);
    let status = wait_for("the daemon ends before the hour for responses", || program.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn one_state_directory_has_one_daemon() {
    let home = tempfile::tempdir().unwrap();
    let articles = home.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let command = || {
        let mut command = gazetted();
        command.arg("serve").arg(&articles).args(["--listen", "127.0.0.1:0", "--state"]).arg(home.path().join("state"));
        command
    };
    let _first = Program::start(&mut command());
    let (code, line) = failure(&command().output().unwrap());
    assert!(code == 1 && line.contains("another gazetted"), "{line}");
}

/// A daemon with an access log, one article and a picture. The guard removes its folder.
fn with_access_log(access_log: &str) -> (Program, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let (articles, config) = (home.path().join("articles"), home.path().join("g.toml"));
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(articles.join("a.md"), "---\ndate: 2024-01-01\n---\n# First\n\nText.").unwrap();
    std::fs::write(articles.join("a.png"), "picture").unwrap();
    std::fs::write(&config, format!("[http]\naccess_log = \"{access_log}\"")).unwrap();
    let mut command = gazetted();
    command.arg("serve").arg(&articles).args(["--listen", "127.0.0.1:0", "--state"]).arg(home.path().join("state"));
    (Program::start(command.arg("--config").arg(&config).stdout(Stdio::piped())), home)
}

/// Sends requests of other clients, as a proxy does, on one connection, and waits for the end of the last response.
fn ask_for_clients(program: &Program, requests: &[(&str, &str)]) {
    let mut stream = TcpStream::connect(&program.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    for (index, (line, fields)) in requests.iter().enumerate() {
        let last = if index + 1 == requests.len() { "Connection: close\r\n" } else { "" };
        write!(stream, "{line} HTTP/1.1\r\nHost: a\r\n{fields}{last}\r\n").unwrap();
    }
    stream.read_to_end(&mut Vec::new()).unwrap();
}

/// The next lines that the program writes to standard output.
fn read_lines(child: &mut Child, count: usize) -> Vec<String> {
    BufReader::new(child.stdout.as_mut().unwrap()).lines().take(count).map(Result::unwrap).collect()
}

#[test]
fn the_access_log_names_the_client_behind_a_proxy() {
    let requests = [
        ("GET /rss.xml?x", "X-Forwarded-For: 8.8.8.8, 192.0.2.7\r\nUser-Agent: A \"reader\"\r\n"),
        ("HEAD /media/a.png", "X-Forwarded-For: 2001:db8::7\r\nReferer: https://b.example/\r\n"),
        ("GET /media/a.png", "Forwarded: for=192.0.2.8\r\n"),
        ("GET /none", ""),
    ];
    let (mut program, _home) = with_access_log("combined");
    ask_for_clients(&program, &requests);
    let lines = read_lines(&mut program.child, 4);
    assert!(lines[0].starts_with("192.0.2.7 - - [") && lines[0].contains("] \"GET /rss.xml?x HTTP/1.1\" 200 "));
    assert!(lines[0].ends_with(r#" "-" "A \x22reader\x22""#), "{}", lines[0]);
    assert!(lines[1].starts_with("2001:db8::7 - - ["), "{}", lines[1]);
    assert!(lines[1].ends_with(r#"] "HEAD /media/a.png HTTP/1.1" 200 0 "https://b.example/" "-""#), "{}", lines[1]);
    assert!(lines[2].ends_with(r#"] "GET /media/a.png HTTP/1.1" 200 7 "-" "-""#), "{}", lines[2]);
    assert!(lines[3].starts_with("127.0.0.1 ") && lines[3].contains("\" 404 "), "{}", lines[3]);

    let (mut program, _home) = with_access_log("json");
    ask_for_clients(&program, &requests);
    program.signal(rustix::process::Signal::TERM);
    let lines = read_lines(&mut program.child, 5);
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
    let lines: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let clients: Vec<_> = lines.iter().map(|line| line["client"].as_str().unwrap()).collect();
    assert_eq!(clients, ["192.0.2.7", "2001:db8::7", "192.0.2.8", "127.0.0.1"]);
    assert_eq!((&lines[2]["bytes"], &lines[2]["target"]), (&7.into(), &"/media/a.png".into()));
}

#[test]
fn an_unread_access_log_blocks_nothing() {
    let (mut program, _home) = with_access_log("combined");
    // More than a pipe and the program's buffer hold.
    let agent = format!("User-Agent: {}\r\n", "x".repeat(400));
    let request = ("GET /rss.xml", format!("If-None-Match: *\r\n{agent}"));
    for _ in 0..60 {
        ask_for_clients(&program, &vec![(request.0, request.1.as_str()); 100]);
    }
    assert!(program.get("/rss.xml").starts_with("HTTP/1.1 200 OK"));
    program.signal(rustix::process::Signal::TERM);
    let status = wait_for("the daemon ends", || program.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    program.wait_until("the log counts the dropped lines", |program| {
        program.log.lock().iter().any(|line| line.contains("access log lines were dropped"))
    });
}

/// Containers are configured by variables. A flag takes precedence over its variable, and a variable over the file.
#[test]
fn environment_variables_stand_for_options() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    std::fs::create_dir(path("articles")).unwrap();
    std::fs::write(path("articles/a.md"), "# An article\n\nText").unwrap();
    std::fs::write(path("articles/_site.toml"), "title = \"From the folder\"\n").unwrap();
    let file = "[site]\ntitle = \"From the file\"\ndescription = \"Described in the file\"\nbase_url = \"https://file.example/\"\n";
    std::fs::write(path("g.toml"), file).unwrap();
    let admin = format!("unix:{}", path("admin.sock").display());
    let with_variables = || {
        let mut command = gazetted();
        command.env("GAZETTED_CONFIG", path("g.toml")).env("GAZETTED_STATE", path("state"));
        command.env("GAZETTED_LISTEN", "127.0.0.1:0,[::1]:0").env("GAZETTED_ADMIN_LISTEN", &admin);
        command.env("GAZETTED_TITLE", "From the environment").env("GAZETTED_BASE_URL", "https://variable.example/");
        command
    };
    let health = || with_variables().arg("health").output().unwrap();
    let (code, line) = failure(&health());
    assert!(code == 1 && line.contains(&admin) && line.contains("the daemon cannot be asked"), "{line}");

    let mut serve = with_variables();
    let program =
        Program::start(serve.arg("serve").arg(path("articles")).args(["--base-url", "https://flag.example/"]));
    let feed = program.get("/feed.json");
    for text in ["From the environment", "Described in the file", "https://flag.example/articles/"] {
        assert!(feed.contains(text), "{text} in {feed}");
    }
    assert!(path("state/catalog.sqlite").exists());
    let log = program.log.lock().join("\n");
    assert!(log.contains("http://127.0.0.1:") && log.contains("http://[::1]:"), "{log}");
    let output = health();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"ready\n"[..]), "{output:?}");

    let mut explain = with_variables();
    explain.arg("explain").arg(path("articles/a.md")).env("GAZETTED_BASE_URL", "").args(["--title", "From the flag"]);
    let output = explain.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("https://file.example/articles/"), "an empty variable counts as unset: {text}");
    let mut explain = with_variables();
    let output = explain.arg("explain").arg(path("articles/_site.toml")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("the command line or the environment states it"), "{text}");
}

#[test]
fn a_bad_variable_is_named_and_health_needs_an_address() {
    for (variable, value, command) in [
        ("GAZETTED_LISTEN", "nowhere", "serve"),
        ("GAZETTED_ADMIN_LISTEN", "nowhere", "health"),
        ("GAZETTED_BASE_URL", "nowhere", "explain"),
        ("GAZETTED_TITLE", "one\ntwo", "reload"),
    ] {
        let output = gazetted()
            .args([command, "x"][..if command == "health" { 1 } else { 2 }].iter())
            .env(variable, value)
            .output();
        let output = output.unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && errors.contains(&format!("for '{variable}': ")), "{errors}");
    }
    let output = gazetted().args(["serve", "--listen", "x"]).env("GAZETTED_LISTEN", "127.0.0.1:0").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("for '--listen <ADDRESS>': "), "a bad option is not blamed on its variable: {errors}");
    let output = gazetted().arg("health").env("GAZETTED_CONFIG", "").output().unwrap();
    let (code, line) = failure(&output);
    assert!(code == 1 && line.contains("admin.listen is not set") && line.contains("GAZETTED_ADMIN_LISTEN"), "{line}");
    let output = gazetted().args(["health", "--config", "/nowhere.toml"]).env("GAZETTED_CONFIG", "").output().unwrap();
    assert!(failure(&output).1.contains("/nowhere.toml"), "a flag takes precedence");
    assert_eq!(gazetted().args(["health", "x"]).output().unwrap().status.code(), Some(2));
}
