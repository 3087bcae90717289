//! Clients that are slow, silent or too many: each is disconnected in time, and other clients are not affected. `benches/slow.rs`
//! measures how many of them the server bears.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::site::Site;
use crate::tools::{self, AtEnd, Program, Running};
use crate::waiting::{PATIENCE, wait_until};

/// Limits short enough for a test.
const LIMITS: &str = "[http]\nheader_timeout = '1s'\nidle_timeout = '1s'\nwrite_timeout = '2s'\n";
const REQUEST: &[u8] = b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n";

fn limited() -> Site {
    let mut site = Site::configured(LIMITS);
    site.start();
    site
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads until the server closes the connection; false after the longest wait.
fn is_cut(mut stream: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// Whether a request on a new connection is answered.
fn is_served(address: SocketAddr) -> bool {
    let mut stream = connect(address);
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && answer.starts_with("HTTP/1.1 200 ")
}

#[test]
fn silent_clients_are_disconnected() {
    let site = limited();
    let address = site.address();
    let silent = connect(address);
    let mut half = connect(address);
    half.write_all(&REQUEST[..20]).unwrap();
    let mut idle = connect(address);
    idle.write_all(REQUEST).unwrap();
    let mut slow = connect(address);
    slow.write_all(b"GET /robots.txt HTTP/1.1\r\nX: ").unwrap();
    // A byte now and then does not extend the limit.
    wait_until("a slow header is cut off", || slow.write_all(b"x").is_err());
    for (name, stream) in [("silent", &silent), ("half", &half), ("idle", &idle)] {
        assert!(is_cut(stream), "{name} is still connected: standards 82");
    }
}

/// A client with a small receive buffer that has requested a large file.
fn asks_for_much(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /media/a.mp4 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream
}

fn with_file(bytes: u64) -> Site {
    let site = limited();
    std::fs::File::create(site.path("a.mp4")).unwrap().set_len(bytes).unwrap();
    site
}

#[test]
fn clients_that_hardly_read_are_disconnected() {
    let site = with_file(64 << 20);
    let (never, mut hardly) = (asks_for_much(site.address()), asks_for_much(site.address()));
    let start = Instant::now();
    let mut byte = [0; 1];
    // Received bytes can be read even after a reset: the socket's error shows it first.
    let is_reset = |stream: &TcpStream| SockRef::from(stream).take_error().unwrap().is_some();
    let (mut never_is, mut hardly_is) = (false, false);
    while !(never_is && hardly_is) {
        assert!(
            start.elapsed() < PATIENCE,
            "disconnected: reads nothing {never_is}, reads ten bytes a second {hardly_is}"
        );
        never_is |= is_reset(&never);
        hardly_is |= is_reset(&hardly);
        if !hardly_is {
            hardly.read_exact(&mut byte).unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn slow_clients_get_the_whole_response() {
    let whole = 1 << 20;
    let site = with_file(whole);
    let mut stream = asks_for_much(site.address());
    let (mut taken, mut buffer) = (0, [0; 16 << 10]);
    // Some hundred KB a second: in all longer than each limit.
    while taken < whole {
        let read = stream.read(&mut buffer).expect("a client that reads is not disconnected");
        assert!(read > 0, "{taken} bytes came");
        taken += read as u64;
        std::thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn active_clients_stay_connected() {
    let mut site = Site::configured("[http]\nheader_timeout = '4s'\nidle_timeout = '4s'\nwrite_timeout = '4s'");
    site.start();
    let mut stream = connect(site.address());
    let mut buffer = [0; 4096];
    // In all longer than each limit, while each pause is much shorter.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        stream.write_all(REQUEST).unwrap();
        let read = stream.read(&mut buffer).unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 200 "));
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Holds silent connections, and opens each again when it is closed, until the flag is set.
fn silent_crowd(address: SocketAddr, count: usize, stop: &AtomicBool) {
    let open = || {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nonblocking(true).ok()?;
        Some(stream)
    };
    let mut crowd: Vec<Option<TcpStream>> = (0..count).map(|_| open()).collect();
    while !stop.load(Ordering::Relaxed) {
        for place in &mut crowd {
            let read = place.as_mut().map(|stream| stream.read(&mut [0; 64]));
            if !matches!(read, Some(Err(error)) if error.kind() == ErrorKind::WouldBlock) {
                *place = open();
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn silent_connections_displace_no_active_client() {
    // No timeout closes any of them.
    let mut site = Site::configured("[http]\nconnections = 40\nheader_timeout = '1h'");
    site.start();
    let (address, stop) = (site.address(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| silent_crowd(address, 60, &stop));
        let _stop = AtEnd(&stop);
        let served = (0..100).filter(|_| is_served(address)).count();
        // On a busy machine a client may be so slow that it is evicted as silent.
        assert!(served >= 90, "{served} of 100 were served");
    });
}

#[test]
fn the_limit_of_one_address_affects_no_other() {
    let running = {
        // No timeout may interfere.
        let limits = "connections_per_address = 5\ntrusted_proxies = []\nheader_timeout = '5m'\n";
        let mut site = Site::configured(&format!("[http]\n{limits}"));
        site.start();
        site
    };
    let site = running.address();
    let from = |own: [u8; 4]| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((own, 0)).into()).unwrap();
        socket.connect(&site.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let mut other = from([127, 0, 0, 2]);
    let own: Vec<TcpStream> = (0..10).map(|_| from([127, 0, 0, 3])).collect();
    // Threads accept connections in any order: any of them may be the oldest.
    let is_open = |stream: &&TcpStream| {
        stream.set_nonblocking(true).unwrap();
        let open = (&**stream).read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        stream.set_nonblocking(false).unwrap();
        open
    };
    wait_until("five connections of the address are closed", || own.iter().filter(is_open).count() <= 5);
    other.write_all(REQUEST).unwrap();
    assert!(other.read(&mut [0; 4096]).unwrap() > 0, "another address is served");
    assert_eq!(own.iter().filter(is_open).count(), 5);
    for mut stream in own.iter().filter(is_open) {
        stream.write_all(REQUEST).unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0, "the remaining connections are served");
    }
}

#[test]
fn it_serves_and_reads_with_few_descriptors() {
    let folder = tempfile::tempdir().unwrap();
    let articles = folder.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 300; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_gazetted"), "serve"]);
    command.arg(&articles).arg("--state").arg(folder.path().join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
    let address: SocketAddr = program.address.parse().unwrap();
    let crowd: Vec<TcpStream> = (0..400).map(|_| connect(address)).collect();
    assert!(is_served(address), "while more are connected than it has descriptors");
    std::fs::write(articles.join("a.md"), "# A\n\nText.\n").unwrap();
    let has_it = || {
        let mut stream = connect(address);
        let mut answer = String::new();
        stream.write_all(b"GET /articles/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        stream.read_to_string(&mut answer).is_ok_and(|_| answer.starts_with("HTTP/1.1 200 "))
    };
    wait_until("the article is published", has_it);
    drop(crowd);
}

#[test]
fn slowhttptest_blocks_no_other_client() {
    if !tools::has("slowhttptest") {
        return;
    }
    let site = with_file(8 << 20);
    let url = format!("http://{}/media/a.mp4", site.address());
    // Endless headers, endless bodies, responses that are hardly read.
    for mode in [&["-H", "-i", "1"][..], &["-B", "-i", "1"], &["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "5"]] {
        let mut command = Command::new("slowhttptest");
        command.args(mode).args(["-c", "200", "-r", "200", "-p", "3", "-l", "6", "-u", &url]);
        let mut attack = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut served = 0;
        while attack.0.try_wait().unwrap().is_none() {
            assert!(is_served(site.address()), "{mode:?}: other clients are not served");
            served += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut said = String::new();
        attack.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(served > 10 && !said.contains("service available:   NO"), "{mode:?}: {said}");
    }
}
