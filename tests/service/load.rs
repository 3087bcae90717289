//! Clients in the network of a machine: this program again, started there as the test [`client`].

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::machine::{Machine, PATIENCE};

/// Environment variable that makes the test below a client, with its parameters.
const ORDER: &str = "GAZETTED_CLIENT";
/// Address of the service.
const ADDRESS: &str = "127.0.0.1:8080";

/// Pause before it is checked again if there is room for another client.
const POLL: Duration = Duration::from_millis(1);

/// Result of a load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub asked: usize,
    pub refused: usize,
    /// Requests that were refused or got another status than 200.
    pub failed: usize,
    pub slowest: Duration,
}

/// Running clients.
pub struct Load(Child);

impl Load {
    /// Starts clients with a number of connections per second, each with one request, for a length of time.
    pub fn start(machine: &Machine, rate: u32, time: Duration) -> Self {
        Self::limited(machine, u32::MAX, rate, time)
    }

    /// As [`Load::start`]; no more than `clients` have a request in progress at once. A client whose request was cut off counts until it
    /// notices that.
    pub fn limited(machine: &Machine, clients: u32, rate: u32, time: Duration) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = machine.beside(&program);
        command.args(["--exact", "load::client", "--nocapture", "--test-threads=1"]);
        let order = format!("{clients} {rate} {}", time.as_millis());
        command.env(ORDER, order).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Self(command.spawn().unwrap())
    }

    /// Waits for the last client.
    pub fn end(mut self) -> Outcome {
        let mut printed = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        assert!(self.0.wait().unwrap().success(), "{printed}");
        let line =
            printed.lines().find_map(|line| line.split_once("OUTCOME ")).unwrap_or_else(|| panic!("{printed}")).1;
        let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [asked, refused, failed, slowest] = numbers[..] else { panic!("{line}") };
        let count = |number: u64| usize::try_from(number).unwrap();
        let slowest = Duration::from_millis(slowest);
        Outcome { asked: count(asked), refused: count(refused), failed: count(failed), slowest }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One request on a new connection. A failure to connect is an error of its own.
fn ask(address: SocketAddr) -> Result<bool, ErrorKind> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.kind())?;
    let answered = || -> std::io::Result<bool> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /rss.xml HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200 ") && answer.trim_ascii_end().ends_with(b"</rss>"))
    };
    let mut answered = answered;
    Ok(answered().unwrap_or(false))
}

/// A client if the environment says so; not a test.
#[test]
fn client() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let numbers: Vec<u64> = order.split(' ').map(|number| number.parse().unwrap()).collect();
    let [clients, rate, milliseconds] = numbers[..] else { panic!("{order}") };
    let (sender, results) = mpsc::channel();
    let (begun, pause) = (Instant::now(), Duration::from_secs(1) / u32::try_from(rate).unwrap());
    let mut next = begun;
    let in_progress = Arc::new(AtomicU64::new(0));
    while begun.elapsed() < Duration::from_millis(milliseconds) {
        if in_progress.load(SeqCst) >= clients {
            std::thread::sleep(POLL);
            continue;
        }
        in_progress.fetch_add(1, SeqCst);
        let (sender, in_progress) = (sender.clone(), in_progress.clone());
        std::thread::spawn(move || {
            let asked = Instant::now();
            let answer = ask(ADDRESS.parse().unwrap());
            in_progress.fetch_sub(1, SeqCst);
            let _ = sender.send((answer, asked.elapsed()));
        });
        next += pause;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    drop(sender);
    let mut outcome = Outcome::default();
    for (answer, took) in results {
        outcome.asked += 1;
        outcome.refused += usize::from(answer.is_err());
        outcome.failed += usize::from(answer != Ok(true));
        outcome.slowest = outcome.slowest.max(took);
    }
    let Outcome { asked, refused, failed, slowest } = outcome;
    println!("OUTCOME {asked} {refused} {failed} {}", slowest.as_millis());
}
