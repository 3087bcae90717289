//! The five works. Two runs of different length are subtracted, so that starting up does not count.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gazetted::article::{Rules, read};
use gazetted::catalog::Reader;
use gazetted::config::Config;
use gazetted::daemon::{Daemon, DaemonWiring};
use gazetted::folder::SourceFormat;
use gazetted::model::moment::{Moment, Version};
use gazetted::observe::Observers;
use gazetted::render::feed::{Channel, FORMATS, Feed};
use gazetted::system::sockets::Sockets;

use super::callgrind::{Callgrind, instructions};
use super::measure::corpus::{Sample, sample};
use super::measure::{Client, Server};

/// Articles of the site that publishes.
const SMALL_SITE: usize = 4;
/// Entries of the rendered feeds.
const ENTRIES: usize = 50;
/// Number of the first article that arrives later.
const GUEST: usize = 5_000;
/// An article of 3 KB in English, with a list, links, pictures and a quotation.
const ORDINARY: usize = 22;
const BASE_URL: &str = "http://bench.example/";
/// Pause before an article and at the end. A file that was younger than two seconds is looked at again.
const QUIET: Duration = Duration::from_secs(4);
/// Longest pause: no version waits longer after the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(12);
/// Longest wait for a response, which takes a hundred times as long as usual.
const PATIENCE: Duration = Duration::from_mins(5);

/// A fixed piece of work.
pub struct Work {
    /// Name in the record.
    pub name: &'static str,
    /// Repetitions of the shorter and of the longer run.
    pub counts: [usize; 2],
    /// Repetitions that make up the work.
    pub per: usize,
    run: fn(&Run) -> Result<(), String>,
    /// Parts of names of functions: threads that call one are not counted.
    excluded: &'static [&'static str],
}

/// All, the longest first.
pub const WORKS: [Work; 5] = [
    Work { name: "import-1000", counts: [0, 1_000], per: 1_000, run: import, excluded: &[] },
    // Neither the compressor, which would be four fifths of it, nor the server, which is asked whether the article is served.
    Work { name: "publish", counts: [2, 5], per: 1, run: publish, excluded: &["brotli::enc", "gazetted::serve::"] },
    Work {
        name: "not-modified",
        counts: [100, 1_100],
        per: 1,
        run: not_modified,
        excluded: &["brotli::enc", "gazetted::publish::"],
    },
    Work { name: "feeds", counts: [1, 3], per: 1, run: feeds, excluded: &[] },
    Work { name: "read", counts: [1, 11], per: 1, run: in_child, excluded: &[] },
];

/// One run of a work.
pub struct Run<'a> {
    pub callgrind: &'a Callgrind,
    pub core: usize,
    pub work: &'a Work,
    pub count: usize,
    /// Empty; its path has the same length in all runs.
    pub directory: PathBuf,
}

impl Run<'_> {
    /// The number of instructions.
    ///
    /// # Errors
    /// Why the run failed.
    pub fn instructions(&self) -> Result<u64, String> {
        fs::create_dir_all(self.folder()).expect("a folder can be made");
        (self.work.run)(self)?;
        Ok(instructions(&self.directory, self.work.excluded))
    }

    fn folder(&self) -> PathBuf {
        self.directory.join("articles")
    }

    fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    fn command(&self) -> Command {
        self.callgrind.command(self.core, &self.directory)
    }

    /// Fills the folder with articles that have a front matter and one sentence.
    fn fill(&self, articles: usize) {
        (0..articles).for_each(|number| {
            let Sample { path, title, text } = sample(number);
            let (head, _) = text[3..].split_once("---\n").expect("a front matter");
            self.write(&path, &format!("---{head}---\n\nThe council speaks of {title}.\n"));
        });
    }

    fn write(&self, path: &Path, text: &str) {
        let file = self.folder().join(path);
        fs::create_dir_all(file.parent().expect("a file in a folder")).expect("a folder can be made");
        fs::write(file, text).expect("a file can be written");
    }

    /// Lets a daemon that is not measured read the folder.
    fn make_known(&self) {
        let server = Server::gazetted(&self.folder(), &self.state());
        server.settle();
        server.stop();
    }

    /// A daemon on the folder, once it serves.
    fn server(&self) -> Server {
        let mut command = self.command();
        command.arg(env!("CARGO_BIN_EXE_gazetted"));
        Server::start(command, &self.folder(), &self.state())
    }
}

/// Runs the work by this program itself.
fn in_child(run: &Run) -> Result<(), String> {
    let mut command = run.command();
    command.arg(std::env::current_exe().expect("this program has a path"));
    command.args(["--work", run.work.name, "--count", &run.count.to_string()]);
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let reason = || format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(reason()) }
}

fn import(run: &Run) -> Result<(), String> {
    run.fill(run.count);
    // A file younger than two seconds may change again without a change of its time stamps, and is read later.
    std::thread::sleep(Duration::from_secs(3));
    in_child(run)
}

fn feeds(run: &Run) -> Result<(), String> {
    for Sample { path, text, .. } in (0..ENTRIES).map(sample) {
        run.write(&path, &text);
    }
    run.make_known();
    in_child(run)
}

/// A daemon publishes one new article after another, each in a version of its own.
fn publish(run: &Run) -> Result<(), String> {
    run.fill(SMALL_SITE);
    run.make_known();
    let server = run.server();
    let mut pause = QUIET;
    for number in GUEST..GUEST + run.count {
        // Versions are a second apart, or as long as the last one took.
        std::thread::sleep(pause);
        let Sample { path, title, text } = sample(number);
        run.write(&path, &text);
        let begun = Instant::now();
        while !Client::connect(&server.address).patient(PATIENCE).serves("/atom.xml", &title) {
            if begun.elapsed() > PATIENCE {
                return Err(format!("{title} is not served"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        pause = pause.max(begun.elapsed()).min(LONGEST_PAUSE);
    }
    // The follow-up work of the last version.
    std::thread::sleep(pause);
    server.stop();
    Ok(())
}

/// A daemon answers conditional requests on one connection.
fn not_modified(run: &Run) -> Result<(), String> {
    run.fill(1);
    run.make_known();
    let server = run.server();
    server.settle();
    let mut client = Client::connect(&server.address).patient(PATIENCE);
    let etag = client.get("/rss.xml", "Accept-Encoding: gzip\r\n").etag;
    let fields = format!("Accept-Encoding: gzip\r\nIf-None-Match: {etag}\r\n");
    let all_304 = (0..run.count).all(|_| client.get("/rss.xml", &fields).status == 304);
    server.stop();
    if all_304 { Ok(()) } else { Err("a response is no 304".to_owned()) }
}

/// Does a work in this process.
pub fn child(name: &str, count: usize) {
    match name {
        "read" => read_article(count),
        "feeds" => render_feeds(count),
        "import-1000" => import_folder(),
        _ => panic!("{name}: no work in this process"),
    }
}

fn read_article(count: usize) {
    let config = Config::default();
    let rules = Rules::new(&config.articles, &config.site);
    let article = sample(ORDINARY);
    for _ in 0..count {
        black_box(read(black_box(article.text.as_bytes()), &article.path, SourceFormat::Markdown, &rules));
    }
}

/// Renders the main feed in each format.
fn render_feeds(count: usize) {
    let reader = Reader::open(Path::new("state")).expect("a catalog");
    let (id, created) = reader.feed_id().expect("the catalog has one");
    let channel = Channel::new(&Config::default(), BASE_URL, id);
    // Includes all that is recorded.
    let due = "2026-01-01T00:00:00Z".parse().expect("a date");
    let moment = Moment { version: Version::at(due), due };
    let collection = reader.main(&channel.limits, moment).expect("a readable catalog");
    assert_eq!(collection.entries.len(), ENTRIES, "all entries are in the feed");
    let feed = Feed::main(&channel, &collection.entries);
    for _ in 0..count {
        for format in FORMATS.iter() {
            black_box((format.render)(black_box(&feed), created));
        }
    }
}

/// Starts a daemon with an empty state: its feeds are up at the end. They have few entries, since reading and rendering these would take
/// more instructions than the import.
fn import_folder() {
    let text = format!(
        "[site]\nbase_url = \"{BASE_URL}\"\n[feed]\nentries = 5\n[articles]\ndirectory = \"articles\"\n[state]\ndirectory = \"state\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n"
    );
    let config = Config::parse(&text, "instructions").expect("a configuration");
    let sockets = Sockets::open(&config.http.listen, None).expect("a socket");
    let load = Box::new(|| anyhow::bail!("not reloaded"));
    let daemon = Daemon::start(&config, DaemonWiring { sockets, observers: Observers::default(), load });
    let daemon = daemon.expect("the daemon starts");
    assert!(!daemon.current().get().is_none(), "the feeds are up");
    // The daemon would read the texts next.
    std::process::exit(0);
}
