//! Clients in the network of a machine: this program once more, started there as the test [`client`].

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::machine::Machine;

/// Tells the test below that it is to be a client, and how.
const ORDER: &str = "GAZETTED_CLIENT";
/// Where the service listens.
const ADDRESS: &str = "127.0.0.1:8080";

/// How it went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub asked: usize,
    pub refused: usize,
    /// Refused, or not answered with 200.
    pub failed: usize,
    pub slowest: Duration,
}

/// Clients that are on their way.
pub struct Load(Child);

impl Load {
    /// So many new connections in a second, each with one request, for so long.
    pub fn start(machine: &Machine, rate: u32, time: Duration) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = machine.beside(&program);
        command.args(["--exact", "load::client", "--nocapture", "--test-threads=1"]);
        command.env(ORDER, format!("{rate} {}", time.as_millis())).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Self(command.spawn().unwrap())
    }

    /// Waits for the last of them.
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

/// One request on a connection of its own. An error of connecting is told apart.
fn ask(address: SocketAddr) -> Result<bool, ErrorKind> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.kind())?;
    let answered = || -> std::io::Result<bool> {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(b"GET /rss.xml HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200 ") && answer.trim_ascii_end().ends_with(b"</rss>"))
    };
    let mut answered = answered;
    Ok(answered().unwrap_or(false))
}

/// Not a test, but a client, where it is told to be.
#[test]
fn client() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let numbers: Vec<u64> = order.split(' ').map(|number| number.parse().unwrap()).collect();
    let [rate, milliseconds] = numbers[..] else { panic!("{order}") };
    let (tell, told) = mpsc::channel();
    let (begun, pause) = (Instant::now(), Duration::from_secs(1) / u32::try_from(rate).unwrap());
    let mut next = begun;
    while begun.elapsed() < Duration::from_millis(milliseconds) {
        let tell = tell.clone();
        std::thread::spawn(move || {
            let asked = Instant::now();
            let _ = tell.send((ask(ADDRESS.parse().unwrap()), asked.elapsed()));
        });
        next += pause;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    drop(tell);
    let mut outcome = Outcome::default();
    for (answer, took) in told {
        outcome.asked += 1;
        outcome.refused += usize::from(answer.is_err());
        outcome.failed += usize::from(answer != Ok(true));
        outcome.slowest = outcome.slowest.max(took);
    }
    let Outcome { asked, refused, failed, slowest } = outcome;
    println!("OUTCOME {asked} {refused} {failed} {}", slowest.as_millis());
}
