//! Heavy use in a short time: articles appear, change and disappear, readers poll, the configuration is reloaded. Memory and descriptors
//! must not grow once caches have filled.
//! `GAZETTED_SOAK_SECONDS=1800` is the long form.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::tools::{self, Program};

/// Articles that are written, changed and deleted.
const ARTICLES: usize = 200;

/// Rounds whose memory is averaged.
const WINDOW: usize = 30;
/// Windows in a row without growth, after which caches have filled. What leaks grows in each window.
const STEADY: usize = 3;
/// Windows within which that has to happen.
const MOST_WINDOWS: usize = 30;

/// Private memory in kilobytes, and number of descriptors.
fn size(program: &Program) -> (usize, usize) {
    let process = format!("/proc/{}", program.child.id());
    let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    let kilobytes = line.trim().trim_end_matches(" kB").parse().unwrap();
    (kilobytes, std::fs::read_dir(format!("{process}/fd")).unwrap().count())
}

/// Changes five articles, and requests every kind of document.
fn live(program: &Program, folder: &std::path::Path, random: &mut Random, round: usize) {
    let article = |number: usize| folder.join(format!("articles/{}/{number}.md", number % 5));
    for _ in 0..5 {
        let number = random.below(ARTICLES);
        if random.below(4) == 0 {
            let _ = std::fs::remove_file(article(number));
        } else {
            let words = "word ".repeat(99);
            let text = format!("---\ntags: [t{}]\n---\n# Number {number}\n\nRound {round}. {words}", round % 9);
            std::fs::write(article(number), text).unwrap();
        }
    }
    for path in
        ["/rss.xml", "/atom.xml", "/feed.json", "/", "/tags/t1/rss.xml", "/sections/2/", "/nothing", "/feeds.opml"]
    {
        let answer = program.get(path);
        assert!(["200", "404", "410"].contains(&&answer[9..12]), "{path}: {answer}");
        let etag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or("\"none\"");
        // The body may be compressed, if there is a new version by now.
        let fields = format!("If-None-Match: {etag}\r\nAccept-Encoding: br, gzip\r\n");
        let again = tools::ask_bytes(&program.address, path, &fields);
        assert!([&b"200"[..], b"304", b"404", b"410"].contains(&&again[9..12]), "{path}: {:?}", again.get(..12));
    }
}

#[test]
fn memory_and_descriptors_do_not_grow() {
    let seconds = std::env::var("GAZETTED_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let folder = tempfile::tempdir().unwrap();
    for number in 0..5 {
        std::fs::create_dir_all(folder.path().join(format!("articles/{number}"))).unwrap();
    }
    let config = folder.path().join("gazetted.toml");
    let configure = |title: &str| {
        let text = format!(
            "[site]\ntitle = '{title}'\n[articles]\ndirectory = '{}'\n",
            folder.path().join("articles").display()
        );
        std::fs::write(&config, text).unwrap();
    };
    configure("Soak");
    let command = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.arg(name).arg("--config").arg(&config).arg("--state").arg(folder.path().join("state"));
        // Arenas of threads would hide a leak: they come and go with their threads.
        command.env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    let program = Program::start(command("serve").args(["--listen", "127.0.0.1:0"]));
    let (begun, whole) = (Instant::now(), Duration::from_secs(seconds));
    let mut random = Random::new(5);
    let (mut round, mut windows, mut steady): (usize, Vec<(usize, usize)>, usize) = (0, Vec::new(), 0);
    while steady < STEADY || begun.elapsed() < whole {
        let mut sizes = Vec::new();
        for _ in 0..WINDOW {
            live(&program, folder.path(), &mut random, round);
            if round % 20 == 19 {
                configure(["Soak", "Bath"][round / 20 % 2]);
                assert!(command("reload").status().unwrap().success());
            }
            sizes.push(size(&program));
            round += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
        let memory = sizes.iter().map(|(kilobytes, _)| kilobytes).sum::<usize>() / sizes.len();
        // The fewest: a reading, or a connection that is just being closed, adds some for a moment.
        let descriptors = sizes.iter().map(|(_, count)| *count).min().unwrap();
        let highest = windows.iter().map(|(_, fewest)| *fewest).max();
        let is_steady = windows.last().is_some_and(|(before, _)| memory <= before + before / 20 + 512)
            && highest.is_some_and(|highest| descriptors <= highest);
        steady = if is_steady { steady + 1 } else { 0 };
        windows.push((memory, descriptors));
        let is_late = windows.len() >= MOST_WINDOWS && begun.elapsed() >= whole;
        assert!(steady >= STEADY || !is_late, "memory (KB) or descriptors grow: {windows:?}");
    }
    println!("{round} rounds: memory (KB) and descriptors {windows:?}");
    let log = program.log.lock();
    let wrong: Vec<&String> = log.iter().filter(|line| line.contains("ERROR") || line.contains(" WARN ")).collect();
    assert_eq!(wrong, Vec::<&String>::new(), "nothing was wrong");
}

/// Memory for documents that are rendered on request, and some for what serving them needs, in kilobytes.
const CACHE: usize = (16 << 10) + (8 << 10);
/// Articles of which most are in no feed.
const MANY: usize = 2_000;

#[test]
fn memory_does_not_grow_with_the_number_of_articles_that_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    for number in 0..MANY {
        let text = format!("---\ntitle: Number {number}\ndate: 2020-01-01\n---\n{}", "Some words. ".repeat(60));
        std::fs::write(articles.join(format!("{number}.md")), text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(&articles).args(["--listen", "127.0.0.1:0", "--state"]).arg(folder.path().join("state"));
    let program = Program::start(command.env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null()));
    // The texts of all of them have been read, and serving has begun.
    for number in (0..MANY).step_by(20) {
        program.wait_until("a page is served", |program| {
            program.get(&format!("/articles/{number}")).starts_with("HTTP/1.1 200")
        });
    }
    let (before, _) = size(&program);
    for number in 0..MANY {
        let answer = program.get(&format!("/articles/{number}"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let (after, _) = size(&program);
    assert!(after < before + CACHE, "{MANY} pages took {} kB, of {CACHE} allowed", after - before);
}
