//! The sockets that clients connect to: opened before all else, so that clients wait instead of being refused; or handed in by
//! systemd, which keeps them open over restarts.

use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use listenfd::ListenFd;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::config::{Endpoint, Listen};

/// Connections that may wait for being accepted; the system's own limit may be lower.
const BACKLOG: i32 = 4096;
/// How long what was sent may stay unacknowledged, or a client say that it has no room: then the system ends the connection,
/// which no other limit does once the last byte is out of our hands.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// Bytes that may wait in the system for being sent, beside those that are under way. Without it a thousand clients that read
/// nothing hold a gigabyte there.
const UNSENT: u32 = 128 << 10;

/// The name of sockets that are handed in for the operator.
const ADMIN_NAME: &str = "admin";

/// One socket that clients connect to.
#[derive(Debug)]
pub enum Listener {
    /// With an address and a port.
    Tcp(TcpListener),
    /// With a path, mostly for a proxy on the same machine.
    Unix(UnixListener),
}

impl Listener {
    /// A second handle of the same socket, for another thread.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(listener) => listener.try_clone().map(Self::Tcp),
            Self::Unix(listener) => listener.try_clone().map(Self::Unix),
        }
    }
}

/// All sockets that clients connect to.
#[derive(Debug)]
pub struct Sockets {
    listeners: Vec<Listener>,
    /// For the operator.
    admin: Vec<Listener>,
    /// Paths that are removed in the end.
    paths: Vec<SocketPath>,
}

impl Sockets {
    /// Those that systemd hands in; without any, those that are configured.
    ///
    /// # Errors
    /// One of them cannot be had; the error says which and why.
    pub fn open(listen: &Listen, admin: Option<&Listen>) -> anyhow::Result<Self> {
        let handed_in = handed_in().context("the sockets that systemd handed in cannot be used")?;
        let prepared = handed_in.iter().try_for_each(|(_, listener)| prepare(listener));
        prepared.context("the sockets that systemd handed in cannot be used")?;
        let (for_operator, for_clients): (Vec<_>, Vec<_>) =
            handed_in.into_iter().partition(|(name, _)| name == ADMIN_NAME);
        let mut sockets = if for_clients.is_empty() {
            Self::bind(listen)?
        } else {
            tracing::info!(sockets = for_clients.len(), "systemd passed sockets: http.listen is ignored");
            let listeners: Vec<Listener> = for_clients.into_iter().map(|(_, listener)| listener).collect();
            Self { listeners, admin: Vec::new(), paths: Vec::new() }
        };
        sockets.admin.extend(for_operator.into_iter().map(|(_, listener)| listener));
        if let Some(listen) = admin.filter(|_| sockets.admin.is_empty()) {
            let Self { listeners, mut paths, .. } = Self::bind(listen).context("admin.listen")?;
            sockets.admin = listeners;
            sockets.paths.append(&mut paths);
        }
        Ok(sockets)
    }

    fn bind(listen: &Listen) -> anyhow::Result<Self> {
        let mut sockets = Self { listeners: Vec::new(), admin: Vec::new(), paths: Vec::new() };
        let ports_of_v4: Vec<u16> = listen.endpoints().iter().filter_map(port_of_v4).collect();
        for endpoint in listen.endpoints() {
            let at = || format!("{endpoint}: cannot listen there; is it in use? name another address with --listen");
            let listener = match endpoint {
                Endpoint::Tcp(address) => {
                    // Alone, `[::]` is for both families; beside one of the other family with its port it must not be.
                    let beside = address.port() != 0 && ports_of_v4.contains(&address.port());
                    Listener::Tcp(bind_tcp(*address, beside).with_context(at)?)
                }
                Endpoint::Unix(path) => {
                    let listener = bind_unix(path)?;
                    sockets.paths.push(SocketPath(path.clone()));
                    Listener::Unix(listener)
                }
            };
            prepare(&listener).with_context(at)?;
            sockets.listeners.push(listener);
        }
        Ok(sockets)
    }

    /// The address of the first one that has one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(|listener| match listener {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(_) => None,
        })
    }

    /// What is said of them in the log.
    pub fn addresses(&self) -> String {
        addresses(&self.listeners)
    }

    /// Each of them.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// What is said in the log of those that only the operator connects to, if there are any.
    pub fn admin_addresses(&self) -> Option<String> {
        (!self.admin.is_empty()).then(|| addresses(&self.admin))
    }

    /// Those that only the operator connects to.
    pub fn admin(&self) -> &[Listener] {
        &self.admin
    }
}

impl TryFrom<TcpListener> for Sockets {
    type Error = io::Error;

    /// One that is open already.
    fn try_from(listener: TcpListener) -> io::Result<Self> {
        let listener = Listener::Tcp(listener);
        prepare(&listener)?;
        Ok(Self { listeners: vec![listener], admin: Vec::new(), paths: Vec::new() })
    }
}

/// Addresses as a browser or a command takes them.
fn addresses(listeners: &[Listener]) -> String {
    let shown = listeners.iter().map(|listener| match listener {
        Listener::Tcp(listener) => listener.local_addr().map_or_else(|_| "?".to_owned(), |at| format!("http://{at}/")),
        Listener::Unix(listener) => {
            let address = listener.local_addr().ok();
            let path = address.as_ref().and_then(|address| address.as_pathname());
            path.map_or_else(|| "a Unix socket".to_owned(), |path| format!("unix:{}", path.display()))
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The path of a socket that we made.
#[derive(Debug)]
struct SocketPath(PathBuf);

impl Drop for SocketPath {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn port_of_v4(endpoint: &Endpoint) -> Option<u16> {
    match endpoint {
        Endpoint::Tcp(SocketAddr::V4(address)) => Some(address.port()),
        _ => None,
    }
}

fn bind_tcp(address: SocketAddr, v6_only: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    // Connections of the last run that are still closing must not keep this one from starting.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A socket that everybody who can reach its folder may connect to, as with a port.
fn bind_unix(path: &Path) -> anyhow::Result<UnixListener> {
    let shown = path.display();
    if UnixStream::connect(path).is_ok() {
        bail!("unix:{shown}: somebody listens there already: end that, or name another path with --listen");
    }
    // What is left over from a run that was killed.
    if std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
        std::fs::remove_file(path)
            .with_context(|| format!("unix:{shown}: cannot remove the socket of an earlier run"))?;
    }
    let listener = UnixListener::bind(path)
        .with_context(|| format!("unix:{shown}: cannot make the socket; is its folder there, and writable?"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
        .with_context(|| format!("unix:{shown}: cannot let others connect"))?;
    Ok(listener)
}

/// What systemd hands in, each with the name that its unit gives it (`FileDescriptorName=`).
fn handed_in() -> io::Result<Vec<(String, Listener)>> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut descriptors = ListenFd::from_env();
    let mut listeners = Vec::with_capacity(descriptors.len());
    for place in 0..descriptors.len() {
        let listener = match descriptors.take_tcp_listener(place) {
            Ok(listener) => listener.map(Listener::Tcp),
            Err(_) => descriptors.take_unix_listener(place)?.map(Listener::Unix),
        };
        let name = names.next().unwrap_or_default();
        listeners.extend(listener.map(|listener| (name, listener)));
    }
    Ok(listeners)
}

/// What every connection needs, set where it is inherited: once, and not for each of them.
fn prepare(listener: &Listener) -> io::Result<()> {
    match listener {
        Listener::Tcp(listener) => {
            listener.set_nonblocking(true)?;
            let socket = SockRef::from(listener);
            // Answers are written whole; waiting to fill packets only delays their ends.
            socket.set_tcp_nodelay(true)?;
            socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
            socket.set_tcp_notsent_lowat(UNSENT)
        }
        Listener::Unix(listener) => listener.set_nonblocking(true),
    }
}

/// Looks whether there is anything to read, without waiting for it and without taking it.
///
/// # Errors
/// There is nothing yet (`WouldBlock`), or the connection is broken.
pub fn peek(socket: &impl AsFd) -> io::Result<()> {
    SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]).map(drop)
}

/// When the connection is closed, the other end is told so at once, whatever it has not taken yet.
///
/// # Errors
/// The connection is broken.
pub fn forget_unsent(socket: &impl AsFd) -> io::Result<()> {
    SockRef::from(socket).set_linger(Some(Duration::ZERO))
}

/// Raises the number of descriptors that this process may have to what it may raise it to. Says how many that is.
pub fn raise_descriptors() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let limit = if raised.is_ok() { maximum } else { current };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(texts: &[&str]) -> Listen {
        Listen::try_from(texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn several_at_once_and_gone_in_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("http.sock");
        let named = format!("unix:{}", path.display());
        let sockets = Sockets::bind(&listen(&["127.0.0.1:0", &named, "[::1]:0"])).unwrap();
        assert_eq!(sockets.listeners().len(), 3);
        assert!(sockets.address().unwrap().is_ipv4());
        assert!(sockets.addresses().contains(&named));
        assert!(UnixStream::connect(&path).is_ok());
        let error = Sockets::bind(&listen(&[&named])).unwrap_err().to_string();
        assert!(error.contains("somebody listens there already"), "{error}");
        drop(sockets);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_was_left_over_is_replaced_and_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("http.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        assert!(bind_unix(&path).is_ok());
        let file = directory.path().join("precious");
        std::fs::write(&file, "x").unwrap();
        assert!(bind_unix(&file).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "x");
    }

    #[test]
    fn both_families_on_one_port() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let both = listen(&[&format!("0.0.0.0:{free}"), &format!("[::]:{free}")]);
        assert_eq!(Sockets::bind(&both).unwrap().listeners().len(), 2);
    }
}
