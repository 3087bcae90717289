//! What `gazetted reload` says to a running daemon, and hears from it: a word and a line through a socket in the state
//! directory, which only who runs the daemon can reach.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{mpsc, oneshot};

/// Name of the socket in the state directory.
const SOCKET: &str = "control";
/// The one word that is understood.
const RELOAD: &[u8] = b"reload\n";
/// Timeout for a client to send its request.
const PATIENCE: Duration = Duration::from_secs(5);
/// Timeout for the daemon to read a large folder again.
const ANSWER: Duration = Duration::from_mins(10);

/// Asks for the configuration to be read again; the answer is one line, good or bad.
pub type Reload = oneshot::Sender<Result<String, String>>;

/// The socket of a running daemon, which goes with it.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

/// A way to the socket that is short: the name of a socket may have 107 bytes, and a state directory lies where it lies.
fn short(directory: &File) -> String {
    format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd())
}

impl Control {
    /// Creates the socket. The state directory is locked, so an existing socket is left over from another process.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(state: &Path) -> io::Result<Self> {
        let path = state.join(SOCKET);
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let directory = File::open(state)?;
        let listener = UnixListener::bind(short(&directory))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }

    /// Passes requests on until the receiver is dropped.
    pub async fn run(self, orders: mpsc::Sender<Reload>) {
        let listener = self.listener.try_clone().and_then(tokio::net::UnixListener::from_std);
        let Ok(listener) = listener else { return };
        loop {
            tokio::select! {
                connection = listener.accept() => match connection {
                    Ok((stream, _)) => drop(tokio::spawn(hear(stream, orders.clone()))),
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                () = orders.closed() => return,
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Hears one word, and answers with one line.
async fn hear(stream: tokio::net::UnixStream, orders: mpsc::Sender<Reload>) {
    let mut word = [0; RELOAD.len()];
    let heard = async {
        loop {
            stream.readable().await?;
            match stream.try_read(&mut word) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                heard => return heard,
            }
        }
    };
    let heard = tokio::time::timeout(PATIENCE, heard).await;
    let answer = match heard {
        Ok(Ok(length)) if word[..length] == *RELOAD => {
            let (answer, answered) = oneshot::channel();
            let ended = || Err("the daemon is about to end".to_owned());
            match orders.send(answer).await {
                Ok(()) => answered.await.unwrap_or_else(|_| ended()),
                Err(_) => ended(),
            }
        }
        _ => Err("not understood".to_owned()),
    };
    let line = match answer {
        Ok(line) => format!("ok {line}\n"),
        Err(line) => format!("no {line}\n"),
    };
    // The client may have disconnected. An answer this short is written at once.
    let _ = stream.writable().await;
    let _ = stream.try_write(line.as_bytes());
}

/// Has the daemon of a state directory read its configuration again; gives what it says when that has gone well.
///
/// # Errors
/// No daemon runs there, or the reason why the daemon keeps its current configuration.
pub fn reload(state: &Path) -> anyhow::Result<String> {
    let shown = state.display();
    let advice = "start it, or name its state directory with --state";
    let connect = || UnixStream::connect(short(&File::open(state)?));
    let mut stream = connect().with_context(|| format!("{shown}: no daemon can be reached there; {advice}"))?;
    stream.set_read_timeout(Some(ANSWER))?;
    let mut answer = String::new();
    let asked = stream.write_all(RELOAD).and_then(|()| stream.read_to_string(&mut answer));
    asked.with_context(|| format!("{shown}: the daemon does not answer: see its log"))?;
    match answer.trim_end().split_once(' ') {
        Some(("ok", line)) => Ok(line.to_owned()),
        Some(("no", line)) => bail!("{line}"),
        _ => bail!("{shown}: the daemon ended before it answered: see its log"),
    }
}
