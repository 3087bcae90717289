//! Effect of bad clients on good ones, beside nginx (if it is installed) under the same load: slow and silent clients, clients
//! that do not read, and more of them than the limit of connections.
//!
//! `cargo bench --bench slow`; with `-- --clients 1000` a tenth of the load.

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

mod measure;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use measure::{Server, argument, fill, json, machine, percentile};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;

/// New connections of good clients per second, and for how long.
const GOOD_PACE: u32 = 200;
const GOOD_TIME: Duration = Duration::from_secs(6);
/// Time limit of a good client.
const GOOD_PATIENCE: Duration = Duration::from_secs(5);
/// Limit of connections in the scenario with too many.
const CAP: usize = 4096;
/// Longest wait until the last bad client is disconnected.
const LONGEST: Duration = Duration::from_secs(75);

/// Behaviour of a bad client.
#[derive(Clone, Copy, PartialEq)]
enum Bad {
    /// Sends a byte of its header now and then.
    SlowHeader,
    /// Sends nothing.
    Silent,
    /// Reads its response and stays connected.
    Idle,
    /// Requests much and reads nothing.
    NeverReads,
    /// Reads ten bytes per second.
    Trickles,
    /// Sends nothing, and reconnects as soon as it is disconnected.
    ComesBack,
}

/// All bad clients of a scenario.
struct Crowd {
    connected: AtomicUsize,
    open: AtomicUsize,
    stop: AtomicBool,
}

/// Results of the good clients.
struct Seen {
    good: f64,
    p50: Duration,
    p99: Duration,
}

fn main() {
    let clients = argument("--clients", 10_000);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("the limit can be raised");
    let directory = tempfile::tempdir().expect("a folder for the run");
    let folder = directory.path().join("articles");
    std::fs::create_dir(&folder).expect("a folder can be made");
    fill(&folder, 120);
    println!("{GOOD_PACE} new connections of good clients a second; {}", machine());
    let heads = ["", "", "good", "p50", "p99", "KiB each", "all gone"];
    println!(
        "  {:<28}{:<10}{:>8}{:>10}{:>10}{:>10}{:>10}",
        heads[0], heads[1], heads[2], heads[3], heads[4], heads[5], heads[6]
    );
    for (name, bad, count) in [
        ("none", Bad::Silent, 0),
        ("slow headers", Bad::SlowHeader, clients),
        ("silent", Bad::Silent, clients),
        ("idle after a response", Bad::Idle, clients),
        ("never read", Bad::NeverReads, clients / 10),
        ("read 10 bytes a second", Bad::Trickles, clients / 10),
    ] {
        let gazetted = gazetted(&folder, directory.path(), clients + 500);
        scenario((name, name), "gazetted", &gazetted, bad, count);
        drop(gazetted);
        if let Some(nginx) = nginx(directory.path(), clients + 500) {
            scenario((name, ""), "nginx", &nginx, bad, count);
        }
    }
    let cap = CAP.min(clients / 2);
    let name = format!("come back, at a cap of {cap}");
    scenario((&name, &name), "gazetted", &gazetted(&folder, directory.path(), cap), Bad::ComesBack, clients);
    if let Some(nginx) = nginx(directory.path(), cap) {
        scenario((&name, ""), "nginx", &nginx, Bad::ComesBack, clients);
    }
    let address = plain_cap(cap);
    report((&name, ""), "a plain cap, which must fail", &run(address, None, Bad::ComesBack, clients));
    json::write("slow");
}

fn gazetted(folder: &Path, directory: &Path, connections: usize) -> Server {
    let file = directory.join("gazetted.toml");
    let limits = format!("[http]\nconnections = {connections}\n[feed]\nentries = 500\n");
    std::fs::write(&file, limits).expect("a file can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("--config").arg(file);
    Server::start(command, folder, &directory.join("state"))
}

/// Measures one server. The second name is what the table shows.
fn scenario(name: (&str, &str), server: &str, running: &Server, bad: Bad, count: usize) {
    let address = running.address.parse().expect("an address");
    report(name, server, &run(address, Some(running), bad, count));
}

fn report((name, shown): (&str, &str), server: &str, (seen, each, gone): &(Seen, f64, Option<Duration>)) {
    json::record(format!("{name}: good"), server, "%", [seen.good]);
    json::record(format!("{name}: p50"), server, "ms", [seen.p50.as_secs_f64() * 1e3]);
    json::record(format!("{name}: p99"), server, "ms", [seen.p99.as_secs_f64() * 1e3]);
    json::record(format!("{name}: memory of a connection"), server, "KiB", [*each]);
    json::record(format!("{name}: all gone"), server, "s", gone.map(|time| time.as_secs_f64()));
    let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let gone = gone.map_or("-".to_owned(), |time| format!("{:.0} s", time.as_secs_f64()));
    let (good, p50, p99) = (format!("{:.2} %", seen.good), milliseconds(seen.p50), milliseconds(seen.p99));
    println!("  {shown:<28}{server:<10}{good:>8}{p50:>10}{p99:>10}{each:>10.1}{gone:>10}");
}

/// Measures the good clients beside a number of bad ones, the memory of each bad one, and when the last is disconnected.
fn run(address: SocketAddr, server: Option<&Server>, bad: Bad, count: usize) -> (Seen, f64, Option<Duration>) {
    let crowd = Arc::new(Crowd { connected: 0.into(), open: 0.into(), stop: false.into() });
    let before = server.map_or(0, Server::resident);
    let attack = thread::spawn({
        let crowd = crowd.clone();
        move || attack(address, bad, count, &crowd)
    });
    let started = Instant::now();
    while crowd.connected.load(Ordering::Relaxed) < count && started.elapsed() < Duration::from_secs(6) {
        thread::sleep(Duration::from_millis(20));
    }
    let (connected, start) = (crowd.open.load(Ordering::Relaxed), Instant::now());
    thread::sleep(Duration::from_millis(500));
    let each = server.map_or(0.0, |server| server.resident().saturating_sub(before) as f64 / connected.max(1) as f64);
    let seen = good_clients(address);
    let ends = bad != Bad::ComesBack && count > 0;
    while ends && crowd.open.load(Ordering::Relaxed) > 0 && start.elapsed() < LONGEST {
        thread::sleep(Duration::from_millis(100));
    }
    let gone = (ends && crowd.open.load(Ordering::Relaxed) == 0).then(|| start.elapsed());
    crowd.stop.store(true, Ordering::Relaxed);
    attack.join().expect("the attack ends");
    (seen, if count == 0 { 0.0 } else { each }, gone)
}

/// Runs all bad clients until the flag is set.
fn attack(address: SocketAddr, bad: Bad, count: usize, crowd: &Arc<Crowd>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        // As many as fit into the backlog.
        let connecting = Arc::new(Semaphore::new(256));
        for number in 0..count {
            let (crowd, connecting) = (crowd.clone(), connecting.clone());
            tokio::spawn(async move {
                loop {
                    let permit = connecting.acquire().await;
                    let stream = connect(address, bad, number).await;
                    drop(permit);
                    crowd.connected.fetch_add(1, Ordering::Relaxed);
                    if let Ok(stream) = stream {
                        crowd.open.fetch_add(1, Ordering::Relaxed);
                        let _ = behave(stream, bad).await;
                        crowd.open.fetch_sub(1, Ordering::Relaxed);
                    }
                    if bad != Bad::ComesBack {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        while !crowd.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

async fn connect(address: SocketAddr, bad: Bad, number: usize) -> std::io::Result<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if matches!(bad, Bad::NeverReads | Bad::Trickles) {
        socket.set_recv_buffer_size(4096)?;
    }
    // One address does not have enough ports for all.
    let own = [127, 0, 1, u8::try_from(number % 100 + 1).expect("a small number")];
    socket.bind(SocketAddr::from((own, 0)))?;
    socket.connect(address).await
}

/// Runs a bad client until it is disconnected.
async fn behave(mut stream: tokio::net::TcpStream, bad: Bad) -> std::io::Result<()> {
    const REQUEST: &[u8] = b"GET /rss.xml HTTP/1.1\r\nHost: bench\r\n\r\n";
    let mut buffer = [0; 4096];
    match bad {
        Bad::Silent | Bad::ComesBack => {}
        Bad::SlowHeader => {
            stream.write_all(b"GET /rss.xml HTTP/1.1\r\nHost: bench\r\nX: ").await?;
            loop {
                let cut = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut buffer)).await;
                if cut.is_ok() {
                    return Ok(());
                }
                stream.write_all(b"x").await?;
            }
        }
        Bad::Idle => stream.write_all(b"GET /none HTTP/1.1\r\nHost: bench\r\n\r\n").await?,
        Bad::NeverReads => {
            stream.write_all(REQUEST).await?;
            // A failed write shows that it is disconnected, without reading.
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream.write_all(b"\r\n").await?;
            }
        }
        Bad::Trickles => {
            stream.write_all(REQUEST).await?;
            // Received bytes can be read even after a reset; a failed write shows it first.
            while stream.read(&mut buffer[..10]).await? > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream.write_all(b"\r\n").await?;
            }
            return Ok(());
        }
    }
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Connects at a fixed rate, however long responses take, and measures from the planned start of each.
fn good_clients(address: SocketAddr) -> Seen {
    let (start, threads) = (Instant::now(), 8);
    let each = GOOD_PACE * u32::try_from(GOOD_TIME.as_secs()).expect("a short time") / threads;
    let pace = Duration::from_secs(1) * threads / GOOD_PACE;
    let workers: Vec<_> = (0..threads)
        .map(|worker| {
            thread::spawn(move || {
                let begins = |number| start + pace * number + pace * worker / threads;
                let once = |number| {
                    let begin = begins(number);
                    thread::sleep(begin.saturating_duration_since(Instant::now()));
                    good(address).ok().map(|()| begin.elapsed())
                };
                (0..each).map(once).collect::<Vec<_>>()
            })
        })
        .collect();
    let all: Vec<Option<Duration>> = workers.into_iter().flat_map(|worker| worker.join().expect("a client")).collect();
    let mut times: Vec<Duration> = all.iter().flatten().copied().collect();
    times.sort_unstable();
    let good = times.len() as f64 * 100.0 / all.len() as f64;
    if times.is_empty() {
        times.push(GOOD_PATIENCE);
    }
    Seen { good, p50: percentile(&times, 50), p99: percentile(&times, 99) }
}

fn good(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, GOOD_PATIENCE)?;
    stream.set_read_timeout(Some(GOOD_PATIENCE))?;
    write!(stream, "GET /rss.xml HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other("another answer")) }
}

/// The control: a server with a limit of connections, and ten seconds for each to send a request.
fn plain_cap(cap: usize) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            let places = Arc::new(Semaphore::new(cap));
            loop {
                let place = places.clone().acquire_owned().await;
                let Ok((mut stream, _)) = listener.accept().await else { continue };
                tokio::spawn(async move {
                    let _place = place;
                    let mut buffer = [0; 1024];
                    let asked = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await;
                    if asked.is_ok_and(|asked| asked.is_ok_and(|bytes| bytes > 0)) {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                    }
                });
            }
        });
    });
    address
}

/// nginx with the same limit of connections and a file of the same size.
fn nginx(directory: &Path, connections: usize) -> Option<Server> {
    let root = directory.join("www");
    std::fs::create_dir_all(&root).expect("a folder can be made");
    std::fs::write(root.join("rss.xml"), vec![b'x'; 480 << 10]).expect("a file can be written");
    std::fs::write(root.join("rss.xml.gz"), vec![b'x'; 32 << 10]).expect("a file can be written");
    measure::nginx(directory, connections, "")
}
