//! `gazetted health`: asks the running daemon if it is ready, for containers, which have no other client.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::outcome::Outcome;
use super::site_options::AdminOption;
use crate::config::{Config, Endpoint};
use crate::model::text::single_line;

/// Time for the daemon to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum length of an answer that is read, in bytes.
const MAX_ANSWER: u64 = 16 << 10;

/// Ask the running daemon if it is ready: exit code 0 if it is, 1 with the reason if it is not
///
/// Requests `/readyz` from the admin listener, and waits at most five seconds. Set `admin.listen`, or the option or the variable in its
/// place, for the daemon and for this command.
#[derive(Debug, Args)]
pub struct HealthArgs {
    #[command(flatten)]
    admin: AdminOption,
}

/// The answer to `/readyz`.
#[derive(Debug)]
struct Answer {
    endpoint: Endpoint,
    status: u16,
    text: String,
}

impl HealthArgs {
    /// Prints the answer of a daemon that is ready.
    ///
    /// # Errors
    /// The daemon is not ready, does not answer in time, or has no address that is known here.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let mut config = Config::load(file)?;
        self.admin.apply(&mut config);
        let Some(listen) = config.admin.listen else {
            bail!(
                "admin.listen is not set, so the daemon cannot be asked: set it in the configuration, or set \
                 GAZETTED_ADMIN_LISTEN for the daemon and for this command"
            );
        };
        let Answer { endpoint, status, text } = ask_within(PATIENCE, listen.endpoints())?;
        match status {
            200 => println!("{text}"),
            503 => bail!("{endpoint}: the daemon is not ready: {text}"),
            _ => bail!("{endpoint}: unexpected status {status} of /readyz: is this the address of admin.listen?"),
        }
        Ok(Outcome::Good)
    }
}

/// Asks the endpoints until one answers, at most for a time.
fn ask_within(patience: Duration, endpoints: &[Endpoint]) -> anyhow::Result<Answer> {
    let (sender, answer) = mpsc::channel();
    let asked = endpoints.to_vec();
    // Whatever the thread waits for: the process ends without it.
    let ask = move || sender.send(ask_first(asked));
    std::thread::Builder::new().spawn(ask).context("cannot start a thread")?;
    answer.recv_timeout(patience).unwrap_or_else(|_| {
        let names = endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        bail!("{names}: the daemon has not answered within {} s: see its log", patience.as_secs());
    })
}

/// Asks the endpoints in their order until one answers. All are those of one daemon.
fn ask_first(endpoints: Vec<Endpoint>) -> anyhow::Result<Answer> {
    let mut failure = None;
    for endpoint in endpoints {
        match ask(&endpoint) {
            Ok((status, text)) => return Ok(Answer { endpoint, status, text }),
            Err(error) => {
                let advice =
                    "the daemon cannot be asked; check that it runs, and that it has this address in admin.listen";
                failure.get_or_insert(anyhow::Error::new(error).context(format!("{endpoint}: {advice}")));
            }
        }
    }
    Err(failure.expect("a list of addresses has at least one"))
}

/// Returns status and text of the answer.
fn ask(endpoint: &Endpoint) -> io::Result<(u16, String)> {
    match endpoint {
        Endpoint::Tcp(address) => {
            let address = reachable(*address);
            exchange(TcpStream::connect(address)?, &address.to_string())
        }
        Endpoint::Unix(path) => exchange(UnixStream::connect(path)?, "localhost"),
    }
}

/// Returns the address of this machine for a socket that listens on all its addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn exchange(mut stream: impl Read + Write, host: &str) -> io::Result<(u16, String)> {
    // In one piece: the daemon closes a connection whose request does not arrive.
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
        Some((status, single_line(body.trim_end()).into_owned()))
    });
    parsed.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Answers one request with a text.
    fn answer(mut stream: impl Read + Write, text: &str) {
        let mut request = [0; 256];
        let length = stream.read(&mut request).unwrap();
        assert!(request[..length].starts_with(b"GET /readyz HTTP/1.1\r\nHost: "));
        stream.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn each_kind_of_address_is_asked_and_the_first_that_answers_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let (tcp, unix) = (TcpListener::bind("0.0.0.0:0").unwrap(), UnixListener::bind(&path).unwrap());
        let everywhere = Endpoint::Tcp(tcp.local_addr().unwrap());
        let socket = Endpoint::Unix(path);
        let nowhere = Endpoint::Unix(folder.path().join("nothing"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                answer(tcp.accept().unwrap().0, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nready\n");
                answer(unix.accept().unwrap().0, "HTTP/1.1 503 Service Unavailable\r\n\r\nstarting\n");
                answer(unix.accept().unwrap().0, "220 mail.example.org ESMTP\r\n");
            });
            let ready = ask_first(vec![nowhere.clone(), everywhere]).unwrap();
            assert_eq!((ready.status, ready.text.as_str()), (200, "ready"));
            assert_eq!(ask(&socket).unwrap(), (503, "starting".to_owned()));
            assert_eq!(ask(&socket).unwrap_err().to_string(), "the answer is not HTTP");
        });
        let error = format!("{:#}", ask_first(vec![nowhere.clone()]).unwrap_err());
        assert!(error.starts_with(&format!("{nowhere}: the daemon cannot be asked; ")), "{error}");
    }

    #[test]
    fn a_daemon_that_hangs_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::Tcp(silent.local_addr().unwrap());
        let error = ask_within(Duration::from_millis(1), std::slice::from_ref(&endpoint)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{endpoint}: the daemon has not answered within ")), "{error}");
    }
}
