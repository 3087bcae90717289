//! Bytes -> a connection to a daemon -> the invariants of any response. From the root of the repository, on the stable toolchain:
//!
//! ```sh
//! cargo install cargo-fuzz && mkdir -p tests/fuzz/corpus-request && cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none request tests/fuzz/corpus-request tests/requests -- -max_total_time=600 -timeout=10 -max_len=4096 >/dev/null
//! ```
//!
//! The access log goes to standard output, since only it needs the client's address. An input worth keeping is put into
//! `tests/requests`, which every test run reads.
#![no_main]

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use gazetted::config::Config;
use gazetted::daemon::{Daemon, DaemonWiring};
use gazetted::observe::Observers;
use gazetted::system::sockets::Sockets;
use libfuzzer_sys::fuzz_target;
use tokio::signal::unix::{SignalKind, signal};

#[path = "../../suite/responses.rs"]
mod responses;

/// Address of the daemon, which runs until the process ends.
static SOCKET: OnceLock<PathBuf> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| responses::check(bytes, &answer(SOCKET.get_or_init(start), bytes)));

/// Starts a daemon on a small folder. A panic in any thread ends the process.
fn start() -> PathBuf {
    let home = tempfile::tempdir().expect("a folder").keep();
    let (articles, socket) = (home.join("articles"), home.join("socket"));
    std::fs::create_dir_all(articles.join("below")).expect("a folder");
    for (name, text) in [
        ("a.md", "---\ntags: [common]\nauthor: Ann\n---\n# A\n\nText.\n"),
        ("below/b.md", "# B\n\nText.\n"),
        ("a.png", "0123456789"),
    ] {
        std::fs::write(articles.join(name), text).expect("a file");
    }
    let text = format!("[http]\nlisten = 'unix:{}'\nidle_timeout = '2s'\naccess_log = 'json'\n", socket.display());
    let mut config = Config::parse(&text, "fuzz").expect("a configuration");
    config.articles.directory = articles;
    config.state.directory = Some(home.join("state"));
    config.site.base_url = Some("https://site.example/".parse().expect("an address"));
    let sockets = Sockets::open(&config.http.listen).expect("a socket");
    let again = config.clone();
    let load = Box::new(move || Ok(again.clone()));
    let wiring = DaemonWiring { sockets, observers: Observers::default(), load };
    let daemon = Daemon::start(&config, wiring).expect("a daemon");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let run = async {
            let hangups = signal(SignalKind::hangup()).expect("a signal");
            daemon.run(hangups, std::future::pending()).await
        };
        runtime.block_on(run).expect("it runs for ever");
    });
    socket
}

/// Everything that the server sends until it closes the connection.
fn answer(socket: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let mut answer = Vec::new();
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut buffer = [0; 16 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return answer,
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            // The fuzzer has an alarm once a second.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return answer,
            Err(error) => panic!("{error}, after {:?}", String::from_utf8_lossy(&answer)),
        }
    }
}
