//! Documents that no snapshot holds, requested by many clients at once: few threads render them, no client is left without a response,
//! and other clients are served meanwhile.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use crate::tools::{self, AtEnd, Program};
use crate::waiting::{PATIENCE, wait_until};

/// Number of articles, each with a tag of its own. The main feed holds the newest fifty.
const ARTICLES: usize = 400;
/// Number of clients, and of documents that each requests.
const CLIENTS: usize = 300;
/// Threads that may start under load: those that render or read media, and helpers of the writer.
const MORE_THREADS: usize = 10;

/// A daemon with many articles.
fn start(folder: &Path) -> Program {
    let articles = folder.join("articles");
    std::fs::create_dir(&articles).unwrap();
    for number in 0..ARTICLES {
        let date =
            chrono::DateTime::from_timestamp(1_500_000_000 + i64::try_from(number).unwrap() * 86_400, 0).unwrap();
        let head = format!("---\ndate: {}\ntags: [tag {number}]\n---\n", date.format("%Y-%m-%d"));
        let text = format!("{head}# Number {number}\n\n{}\n", "Some words of the article. ".repeat(200));
        std::fs::write(articles.join(format!("number-{number}.md")), text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(articles).arg("--state").arg(folder.join("state")).args(["--listen", "127.0.0.1:0"]);
    let program = Program::start(&mut command);
    let last = format!("Number {}", ARTICLES - 1);
    program.wait_until("the newest article is in the feed", |program| program.get("/rss.xml").contains(&last));
    program
}

/// The paths of documents that are not in the main feed.
fn cold_path(number: usize) -> String {
    let number = number % (ARTICLES - 60);
    match number % 3 {
        0 => format!("/articles/number-{number}"),
        1 => format!("/tags/tag-{number}/atom.xml"),
        _ => format!("/tags/tag-{number}/"),
    }
}

/// The number of threads of a process.
fn threads(program: &Program) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    line.trim().parse().unwrap()
}

/// The status of a response, and whether it names the time of the next attempt; status 0 is no response.
fn request(address: &str, path: &str) -> (u16, bool) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    let asked = write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let _ = asked.and_then(|()| stream.read_to_end(&mut answer).map(drop));
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.to_ascii_lowercase().contains("\r\nretry-after: "))
}

/// What the clients saw.
#[derive(Debug, Default)]
struct Load {
    /// Number of responses, by status and by the presence of `Retry-After`.
    responses: BTreeMap<(u16, bool), usize>,
    most_threads: usize,
    /// Responses with the main feed meanwhile, and how many of them were complete.
    hot: (usize, usize),
}

/// Sends requests for cold documents from [`CLIENTS`] clients at once, and for the main feed beside them.
fn load(program: &Program, per_client: usize) -> Load {
    let (done, left) = (AtomicBool::new(false), AtomicUsize::new(CLIENTS));
    let mut load = Load::default();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let left = &left;
                scope.spawn(move || {
                    let paths = (0..per_client).map(|number| cold_path(client + number * 7));
                    let responses: Vec<_> = paths.map(|path| request(&program.address, &path)).collect();
                    left.fetch_sub(1, SeqCst);
                    responses
                })
            })
            .collect();
        let hot = scope.spawn(|| {
            let mut hot = (0, 0);
            while !done.load(SeqCst) {
                hot.0 += 1;
                hot.1 += usize::from(program.get("/rss.xml").contains("</rss>"));
            }
            hot
        });
        {
            let _done = AtEnd(&done);
            while left.load(SeqCst) > 0 && clients.iter().any(|client| !client.is_finished()) {
                load.most_threads = load.most_threads.max(threads(program));
                std::thread::yield_now();
            }
        }
        for response in clients.into_iter().flat_map(|client| client.join().unwrap()) {
            *load.responses.entry(response).or_default() += 1;
        }
        load.hot = hot.join().unwrap();
    });
    load
}

/// Whether a client got its document, or was asked to come back.
fn is_fine(response: (u16, bool)) -> bool {
    let (status, retry_after) = response;
    status == 200 || (status == 503 && retry_after)
}

/// Asserts that all clients were served, and that the log is silent about it.
fn assert_served(program: &Program, load: &Load) {
    let log = program.log.lock().join("\n");
    assert!(
        load.responses.keys().copied().all(is_fine) && load.responses.contains_key(&(200, false)),
        "{load:?}\n{log}"
    );
    assert!(load.hot.0 > 0 && load.hot.0 == load.hot.1, "the main feed was not always served: {load:?}\n{log}");
    let problems = [" WARN ", " ERROR ", "please report"];
    assert!(!problems.iter().any(|word| log.contains(word)), "{log}");
}

#[test]
fn three_hundred_clients_of_cold_documents_take_few_threads() {
    let folder = tempfile::tempdir().unwrap();
    let program = start(folder.path());
    let before = threads(&program);
    let load = load(&program, 10);
    assert!(load.most_threads <= before + MORE_THREADS, "{before} threads became {}: {load:?}", load.most_threads);
    assert_served(&program, &load);
}

#[test]
fn cold_documents_are_served_when_no_thread_can_be_started() {
    if !rustix::process::geteuid().is_root() {
        return tools::skip("root, to run the daemon as a user with a limit of processes");
    }
    if !tools::has("setpriv") || !tools::has("prlimit") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()));
    // The limit binds no user with privileges, and counts the threads of all processes of a user: this one has no other.
    let user = (1_000_000 + std::process::id()).to_string();
    tools::run(Command::new("chown").args(["-R", &format!("{user}:{user}")]).arg(folder.path()));
    let as_user = |program: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", program]);
        command
    };
    let mut command = as_user(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(folder.path().join("articles")).arg("--state").arg(folder.path().join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
    program.wait_until("it serves", |program| program.get("/rss.xml").contains("</rss>"));
    let limit = |most: usize| {
        let id = program.child.id().to_string();
        tools::run(as_user("prlimit").arg("--pid").arg(id).arg(format!("--nproc={most}")));
    };
    // A thread may end in between: then the limit is lowered.
    let mut most = threads(&program);
    limit(most);
    wait_until("the number of threads stays", || {
        let now = threads(&program);
        // A user cannot raise it: a thread that was started in between has to end.
        if now < most {
            most = now;
            limit(most);
            return false;
        }
        now == most
    });
    let load = load(&program, 4);
    assert!(load.most_threads <= most, "{most} threads became {}", load.most_threads);
    let log = || program.log.lock().join("\n");
    assert!(
        load.responses.keys().copied().all(is_fine) && load.responses.contains_key(&(200, false)),
        "{load:?}\n{}",
        log()
    );
    assert!(load.hot.0 > 0 && load.hot.0 == load.hot.1, "the main feed was not always served: {load:?}\n{}", log());
    // The whole folder is compared, which usually takes two threads more.
    program.signal(rustix::process::Signal::HUP);
    program.wait_until("the folder is compared", |program| program.log.lock().join("\n").contains("reloaded"));
    let article = folder.path().join("articles/new.md");
    std::fs::write(&article, "# A new one\n\nText\n").unwrap();
    tools::run(Command::new("chmod").arg("644").arg(&article));
    program.wait_until("a new article is published", |program| program.get("/rss.xml").contains("A new one"));
    assert!(!log().contains("please report"), "{}", log());
}

#[test]
fn a_cold_feed_that_many_request_at_once_is_the_same_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let program = start(folder.path());
    let responses: Vec<String> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..100).map(|_| scope.spawn(|| program.get("/tags/tag-5/atom.xml"))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let body = |response: &String| response.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert!(responses[0].starts_with("HTTP/1.1 200 ") && responses[0].contains("Number 5"), "{}", responses[0]);
    assert!(responses.iter().all(|response| body(response) == body(&responses[0])));
}
