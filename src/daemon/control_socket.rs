//! The control socket, through which `gazetted reload` sends a request to the running daemon and gets one line back. It is in the
//! state directory, so only the user of the daemon can connect.

use std::collections::VecDeque;
use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::system::platform::short_path;

/// Name of the socket in the state directory.
pub const SOCKET: &str = "control";
/// The only request.
const RELOAD: &[u8] = b"reload\n";
/// Timeout for a client to send its request.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum number of connections without a request. Above it, the oldest is closed.
const MAX_CONNECTIONS: usize = 16;
/// Maximum number of requests that wait for their result.
const MAX_REQUESTS: usize = 16;
/// Timeout for the daemon to read a large folder again.
const ANSWER: Duration = Duration::from_mins(10);

/// A request to reload the configuration. The result is one line, also of an error.
pub type Reload = oneshot::Sender<Result<String, String>>;

/// The listening socket. Dropping it removes the file.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Creates the socket. The state directory is locked, so an existing socket is left over from another process.
    ///
    /// # Errors
    /// The socket cannot be created.
    pub fn open(state: &Path) -> io::Result<Self> {
        let path = state.join(SOCKET);
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let directory = File::open(state)?;
        let listener = UnixListener::bind(short_path(&directory, state, SOCKET))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }

    /// Forwards requests until the receiver is dropped.
    pub async fn run(self, orders: mpsc::Sender<Reload>) {
        let listener = self.listener.try_clone().and_then(tokio::net::UnixListener::from_std);
        let Ok(listener) = listener else { return };
        let room = Arc::new(Semaphore::new(MAX_REQUESTS));
        // Dropping a sender closes its connection, unless its request has arrived.
        let mut newest = VecDeque::with_capacity(MAX_CONNECTIONS);
        loop {
            tokio::select! {
                connection = listener.accept() => match connection {
                    Ok((stream, _)) => {
                        if newest.len() == MAX_CONNECTIONS {
                            newest.pop_front();
                        }
                        let (sender, evicted) = oneshot::channel();
                        newest.push_back(sender);
                        tokio::spawn(answer(stream, evicted, room.clone(), orders.clone()));
                    }
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

/// The task that forwards requests.
#[derive(Debug)]
pub struct ControlTask {
    state: PathBuf,
    orders: mpsc::Sender<Reload>,
    task: Option<JoinHandle<()>>,
}

impl ControlTask {
    /// Starts the task of a socket, if it could be created.
    pub fn start(control: Option<Control>, state: &Path, orders: mpsc::Sender<Reload>) -> Self {
        let task = control.map(|control| tokio::spawn(control.run(orders.clone())));
        Self { state: state.to_path_buf(), orders, task }
    }

    /// Creates the socket again, if it could be created before.
    pub async fn restart(&mut self) {
        let Some(task) = self.task.take() else { return };
        // Its end removes the file at the path of the socket.
        task.abort();
        let _ = task.await;
        let opened = Control::open(&self.state).inspect_err(warn);
        *self = Self::start(opened.ok(), &self.state, self.orders.clone());
    }
}

/// Logs that the socket cannot be created.
pub fn warn(error: &io::Error) {
    tracing::warn!(%error, "cannot open the control socket: `gazetted reload` will not work");
}

/// Reads one request and answers with one line, unless the connection is `evicted` before its request has arrived.
async fn answer(
    stream: tokio::net::UnixStream,
    evicted: oneshot::Receiver<()>,
    room: Arc<Semaphore>,
    orders: mpsc::Sender<Reload>,
) {
    let mut word = [0; RELOAD.len()];
    // A longer request is read no further.
    let request = async {
        let mut length = 0;
        while length < word.len() {
            stream.readable().await?;
            match stream.try_read(&mut word[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(length)
    };
    let request = tokio::select! {
        request = tokio::time::timeout(PATIENCE, request) => request,
        _ = evicted => return,
    };
    let result = match request {
        Ok(Ok(length)) if word[..length] == *RELOAD => match room.try_acquire() {
            Ok(_permit) => request_reload(&orders).await,
            Err(_) => Err("too many reloads are waiting".to_owned()),
        },
        _ => Err("not understood".to_owned()),
    };
    let line = match result {
        Ok(line) => format!("ok {line}\n"),
        Err(line) => format!("no {line}\n"),
    };
    // The client may have disconnected. An answer this short is written at once.
    let _ = stream.writable().await;
    let _ = stream.try_write(line.as_bytes());
}

async fn request_reload(orders: &mpsc::Sender<Reload>) -> Result<String, String> {
    let (sender, result) = oneshot::channel();
    let ended = || Err("the daemon is about to end".to_owned());
    match orders.send(sender).await {
        Ok(()) => result.await.unwrap_or_else(|_| ended()),
        Err(_) => ended(),
    }
}

/// Requests a reload from the daemon of a state directory. Returns its message.
///
/// # Errors
/// No daemon runs there, or the reason why the daemon keeps its current configuration.
pub fn reload(state: &Path) -> anyhow::Result<String> {
    let place = state.display();
    let advice = "start it, or name its state directory with --state";
    let connect = || UnixStream::connect(short_path(&File::open(state)?, state, SOCKET));
    let mut stream = connect().with_context(|| format!("{place}: no daemon can be reached there; {advice}"))?;
    stream.set_read_timeout(Some(ANSWER))?;
    let mut answer = String::new();
    let exchange = stream.write_all(RELOAD).and_then(|()| stream.read_to_string(&mut answer));
    exchange.with_context(|| format!("{place}: the daemon does not answer: see its log"))?;
    match answer.trim_end().split_once(' ') {
        Some(("ok", line)) => Ok(line.to_owned()),
        Some(("no", line)) => bail!("{line}"),
        _ => bail!("{place}: the daemon ended before it answered: see its log"),
    }
}
